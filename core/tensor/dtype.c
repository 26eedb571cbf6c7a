/* dtype.c: what the element types are called, and single elements in memory. */
#include "core/tensor/tensor.h"

#include <string.h>

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
size_t gd_dtype_bytes(gd_dtype dtype) { return infos[dtype].bytes; }
bool gd_dtype_is_float(gd_dtype dtype) { return dtype == GD_FLOAT32 || dtype == GD_FLOAT64; }

bool gd_dtype_parse(const char *text, gd_dtype *dtype) {
    static const struct {
        const char *name;
        gd_dtype dtype;
    } aliases[] = {{"float", GD_FLOAT32}, {"double", GD_FLOAT64}, {"long", GD_INT64}, {"int", GD_INT32}};
    if (strncmp(text, "torch.", 6) == 0) text += 6;
    for (int i = 0; i < GD_DTYPE_COUNT; i++)
        if (strcmp(text, infos[i].name) == 0) return *dtype = (gd_dtype)i, true;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(text, aliases[i].name) == 0) return *dtype = aliases[i].dtype, true;
    return false;
}

/* Elements are read and written with memcpy: a client's geometry may put them at any address. */
#define LOAD(ctype, result)                                                                                            \
    do {                                                                                                               \
        ctype v;                                                                                                       \
        memcpy(&v, p, sizeof v);                                                                                       \
        return (result)v;                                                                                              \
    } while (0)
#define STORE(ctype, value)                                                                                            \
    do {                                                                                                               \
        ctype out = (value);                                                                                           \
        memcpy(p, &out, sizeof out);                                                                                   \
    } while (0)

/* What the processor's conversion gives, without C's undefined cases: out of range and NaN are INT64_MIN. */
static int64_t to_i64(double v) {
    return v >= -9223372036854775808.0 && v < 9223372036854775808.0 ? (int64_t)v : INT64_MIN;
}

static int32_t to_i32(double v) { return v > -2147483649.0 && v < 2147483648.0 ? (int32_t)v : INT32_MIN; }

double gd_load_f64(gd_dtype dtype, const void *p) {
    switch (dtype) {
    case GD_UINT8:
    case GD_BOOL: LOAD(uint8_t, double);
    case GD_INT32: LOAD(int32_t, double);
    case GD_INT64: LOAD(int64_t, double);
    case GD_FLOAT32: LOAD(float, double);
    case GD_FLOAT64: LOAD(double, double);
    case GD_DTYPE_COUNT: break;
    }
    return 0;
}

int64_t gd_load_i64(gd_dtype dtype, const void *p) {
    switch (dtype) {
    case GD_UINT8:
    case GD_BOOL: LOAD(uint8_t, int64_t);
    case GD_INT32: LOAD(int32_t, int64_t);
    case GD_INT64: LOAD(int64_t, int64_t);
    case GD_FLOAT32:
    case GD_FLOAT64: return to_i64(gd_load_f64(dtype, p));
    case GD_DTYPE_COUNT: break;
    }
    return 0;
}

void gd_store_f64(gd_dtype dtype, void *p, double v) {
    switch (dtype) {
    case GD_UINT8: STORE(uint8_t, (uint8_t)to_i64(v)); break;
    case GD_INT32: STORE(int32_t, to_i32(v)); break;
    case GD_INT64: STORE(int64_t, to_i64(v)); break;
    case GD_FLOAT32: STORE(float, (float)v); break;
    case GD_FLOAT64: STORE(double, v); break;
    case GD_BOOL: STORE(uint8_t, v != 0); break;
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
    case GD_DTYPE_COUNT: break;
    }
}
