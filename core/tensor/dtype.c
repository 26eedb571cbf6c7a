/* dtype.c: what the element types are called, and single elements in memory. */
#include "core/tensor/tensor.h"

#include <string.h>

#include "core/kernels/cast.h"

typedef struct dtype_info {
    const char *name, *scalar, *legacy;
    size_t bytes;
} dtype_info;

static const dtype_info infos[GD_DTYPE_COUNT] = {
#define X(name, text, ctype, legacy, scalar) [name] = {text, scalar, legacy, sizeof(ctype)},
    GD_DTYPES(X)
#undef X
};

const char *gd_dtype_name(gd_dtype dtype) { return infos[dtype].name; }
const char *gd_dtype_scalar_name(gd_dtype dtype) { return infos[dtype].scalar; }
const char *gd_dtype_legacy_name(gd_dtype dtype) { return infos[dtype].legacy; }
const char *gd_dtype_c_name(gd_dtype dtype) {
    static const char *const names[GD_DTYPE_COUNT] = {
        [GD_UINT8] = "unsigned char",    [GD_INT8] = "signed char", [GD_INT16] = "short",    [GD_INT32] = "int",
        [GD_INT64] = "long int",         [GD_FLOAT32] = "float",    [GD_FLOAT64] = "double", [GD_FLOAT16] = "c10::Half",
        [GD_BFLOAT16] = "c10::BFloat16", [GD_BOOL] = "bool"};
    return names[dtype];
}
bool gd_narrow_was_seen;
size_t gd_dtype_bytes(gd_dtype dtype) { return infos[dtype].bytes; }
bool gd_dtype_is_float(gd_dtype dtype) {
    const unsigned floats = 1u << GD_FLOAT32 | 1u << GD_FLOAT64 | 1u << GD_FLOAT16 | 1u << GD_BFLOAT16;
    return floats >> dtype & 1;
}

bool gd_dtype_parse(const char *text, gd_dtype *dtype) {
    static const struct {
        const char *name;
        gd_dtype dtype;
    } aliases[] = {{"float", GD_FLOAT32}, {"double", GD_FLOAT64}, {"long", GD_INT64},
                   {"int", GD_INT32},     {"short", GD_INT16},    {"half", GD_FLOAT16}};
    if (strncmp(text, "torch.", 6) == 0) text += 6;
    for (int i = 0; i < GD_DTYPE_COUNT; i++)
        if (strcmp(text, infos[i].name) == 0) return *dtype = (gd_dtype)i, true;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(text, aliases[i].name) == 0) return *dtype = aliases[i].dtype, true;
    return false;
}

/* bool < integers by size < floats by size, but for two pairs of which neither holds the other. */
gd_dtype gd_promote_dtypes(gd_dtype a, gd_dtype b) {
    static const uint8_t rank[GD_DTYPE_COUNT] = {
        [GD_BOOL] = 0,  [GD_UINT8] = 1,   [GD_INT8] = 1,     [GD_INT16] = 2,   [GD_INT32] = 3,
        [GD_INT64] = 4, [GD_FLOAT16] = 5, [GD_BFLOAT16] = 5, [GD_FLOAT32] = 6, [GD_FLOAT64] = 7,
    };
    if (rank[a] != rank[b] || a == b) return rank[a] >= rank[b] ? a : b;
    return gd_dtype_is_float(a) ? GD_FLOAT32 : GD_INT16;
}

/* Elements are read and written with memcpy: a client's geometry may put them at any address. */
#define LOAD(ctype, result)                                                                                            \
    do {                                                                                                               \
        ctype v;                                                                                                       \
        memcpy(&v, p, sizeof v);                                                                                       \
        return (result)v;                                                                                              \
    } while (0)
#define LOAD_NARROW(convert)                                                                                           \
    do {                                                                                                               \
        uint16_t v;                                                                                                    \
        memcpy(&v, p, sizeof v);                                                                                       \
        return (double)convert(v);                                                                                     \
    } while (0)
#define STORE(ctype, value)                                                                                            \
    do {                                                                                                               \
        ctype out = (value);                                                                                           \
        memcpy(p, &out, sizeof out);                                                                                   \
    } while (0)

double gd_load_f64(gd_dtype dtype, const void *p) {
    switch (dtype) {
    case GD_UINT8:
    case GD_BOOL: LOAD(uint8_t, double);
    case GD_INT8: LOAD(int8_t, double);
    case GD_INT16: LOAD(int16_t, double);
    case GD_INT32: LOAD(int32_t, double);
    case GD_INT64: LOAD(int64_t, double);
    case GD_FLOAT32: LOAD(float, double);
    case GD_FLOAT64: LOAD(double, double);
    case GD_FLOAT16: LOAD_NARROW(gd_f16_to_f32);
    case GD_BFLOAT16: LOAD_NARROW(gd_bf16_to_f32);
    case GD_DTYPE_COUNT: break;
    }
    return 0;
}

int64_t gd_load_i64(gd_dtype dtype, const void *p) {
    switch (dtype) {
    case GD_UINT8:
    case GD_BOOL: LOAD(uint8_t, int64_t);
    case GD_INT8: LOAD(int8_t, int64_t);
    case GD_INT16: LOAD(int16_t, int64_t);
    case GD_INT32: LOAD(int32_t, int64_t);
    case GD_INT64: LOAD(int64_t, int64_t);
    case GD_FLOAT32:
    case GD_FLOAT64:
    case GD_FLOAT16:
    case GD_BFLOAT16: return gd_f64_to_i64(gd_load_f64(dtype, p));
    case GD_DTYPE_COUNT: break;
    }
    return 0;
}

void gd_store_f64(gd_dtype dtype, void *p, double v) {
    switch (dtype) {
    case GD_UINT8: STORE(uint8_t, (uint8_t)gd_f64_to_i64(v)); break;
    case GD_INT32: STORE(int32_t, gd_f64_to_i32(v)); break;
    case GD_INT64: STORE(int64_t, gd_f64_to_i64(v)); break;
    case GD_FLOAT32: STORE(float, (float)v); break;
    case GD_FLOAT64: STORE(double, v); break;
    case GD_BOOL: STORE(uint8_t, v != 0); break;
    case GD_INT8: STORE(int8_t, (int8_t)gd_f64_to_i64(v)); break;
    case GD_INT16: STORE(int16_t, (int16_t)gd_f64_to_i64(v)); break;
    case GD_FLOAT16: STORE(uint16_t, gd_f32_to_f16((float)v)); break;
    case GD_BFLOAT16: STORE(uint16_t, gd_f32_to_bf16((float)v)); break;
    case GD_DTYPE_COUNT: break;
    }
}

void gd_store_i64(gd_dtype dtype, void *p, int64_t v) {
    switch (dtype) {
    case GD_UINT8: STORE(uint8_t, (uint8_t)v); break;
    case GD_INT32: STORE(int32_t, (int32_t)v); break;
    case GD_INT64: STORE(int64_t, v); break;
    case GD_FLOAT32: STORE(float, (float)v); break;
    case GD_FLOAT64: STORE(double, (double)v); break;
    case GD_BOOL: STORE(uint8_t, v != 0); break;
    case GD_INT8: STORE(int8_t, (int8_t)v); break;
    case GD_INT16: STORE(int16_t, (int16_t)v); break;
    case GD_FLOAT16: STORE(uint16_t, gd_f32_to_f16((float)v)); break;
    case GD_BFLOAT16: STORE(uint16_t, gd_f32_to_bf16((float)v)); break;
    case GD_DTYPE_COUNT: break;
    }
}
