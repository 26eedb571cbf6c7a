/* cast.c: copying and filling: moves values between tensors of any dtypes, shapes and strides. */
#include "core/kernels/cast.h"
#include "core/kernels/kernels.h"

#include <stdatomic.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#pragma GCC optimize("O3") /* these loops gain from the vectoriser, which -O2 keeps off */

/* Every source type to every target type: WRITE(READ(element)). Integers are read as their own type, so that int64
 * stays exact; the floats of 16 bits go through float. */
#define SAME(v) (v)
#define TO_BOOL(v) ((uint8_t)((v) != 0))
#define AS_F32(v) ((float)(v))
#define AS_F64(v) ((double)(v))
#define AS_U8(v) ((uint8_t)(v))
#define AS_I8(v) ((int8_t)(v))
#define AS_I16(v) ((int16_t)(v))
#define AS_I32(v) ((int32_t)(v))
#define AS_I64(v) ((int64_t)(v))
#define AS_F16(v) gd_f32_to_f16((float)(v))
#define AS_BF16(v) gd_f32_to_bf16((float)(v))

#define CAST_LOOP(name, to, from, WRITE, READ)                                                                         \
    static void cast_##name(char *const *data, const int64_t *st, int64_t n, const void *extra) {                      \
        (void)extra;                                                                                                   \
        if (st[0] == (int64_t)sizeof(to) && st[1] == (int64_t)sizeof(from)) {                                          \
            to *restrict d = (to *)(void *)data[0];                                                                    \
            const from *restrict s = (const from *)(const void *)data[1];                                              \
            for (int64_t i = 0; i < n; i++) d[i] = WRITE(READ(s[i]));                                                  \
            return;                                                                                                    \
        }                                                                                                              \
        char *d = data[0];                                                                                             \
        const char *s = data[1];                                                                                       \
        for (int64_t i = 0; i < n; i++, d += st[0], s += st[1])                                                        \
            *(to *)(void *)d = WRITE(READ(*(const from *)(const void *)s));                                            \
    }

#define FROM_INTEGERS(name, to, WRITE)                                                                                 \
    CAST_LOOP(name##_u8, to, uint8_t, WRITE, SAME)                                                                     \
    CAST_LOOP(name##_i8, to, int8_t, WRITE, SAME)                                                                      \
    CAST_LOOP(name##_i16, to, int16_t, WRITE, SAME)                                                                    \
    CAST_LOOP(name##_i32, to, int32_t, WRITE, SAME)                                                                    \
    CAST_LOOP(name##_i64, to, int64_t, WRITE, SAME)
#define FROM_FLOATS(name, to, WRITE)                                                                                   \
    CAST_LOOP(name##_f32, to, float, WRITE, SAME)                                                                      \
    CAST_LOOP(name##_f64, to, double, WRITE, SAME)                                                                     \
    CAST_LOOP(name##_f16, to, uint16_t, WRITE, gd_f16_to_f32)                                                          \
    CAST_LOOP(name##_bf16, to, uint16_t, WRITE, gd_bf16_to_f32)

FROM_INTEGERS(u8, uint8_t, AS_U8)
FROM_INTEGERS(i8, int8_t, AS_I8)
FROM_INTEGERS(i16, int16_t, AS_I16)
FROM_INTEGERS(i32, int32_t, AS_I32)
FROM_INTEGERS(i64, int64_t, AS_I64)
FROM_INTEGERS(f32, float, AS_F32)
FROM_INTEGERS(f64, double, AS_F64)
FROM_INTEGERS(f16, uint16_t, AS_F16)
FROM_INTEGERS(bf16, uint16_t, AS_BF16)
FROM_INTEGERS(bool, uint8_t, TO_BOOL)
FROM_FLOATS(u8, uint8_t, gd_f64_to_u8)
FROM_FLOATS(i8, int8_t, gd_f64_to_i8)
FROM_FLOATS(i16, int16_t, gd_f64_to_i16)
FROM_FLOATS(i32, int32_t, gd_f64_to_i32)
FROM_FLOATS(i64, int64_t, gd_f64_to_i64)
FROM_FLOATS(f32, float, AS_F32)
FROM_FLOATS(f64, double, AS_F64)
FROM_FLOATS(f16, uint16_t, AS_F16)
FROM_FLOATS(bf16, uint16_t, AS_BF16)
FROM_FLOATS(bool, uint8_t, TO_BOOL)

#define CAST_ROW(to)                                                                                                   \
    {                                                                                                                  \
        [GD_UINT8] = cast_##to##_u8, [GD_INT32] = cast_##to##_i32, [GD_INT64] = cast_##to##_i64,                       \
        [GD_FLOAT32] = cast_##to##_f32, [GD_FLOAT64] = cast_##to##_f64, [GD_BOOL] = cast_##to##_u8,                    \
        [GD_INT8] = cast_##to##_i8, [GD_INT16] = cast_##to##_i16, [GD_FLOAT16] = cast_##to##_f16,                      \
        [GD_BFLOAT16] = cast_##to##_bf16                                                                               \
    }

static const gd_loop cast_loops[GD_DTYPE_COUNT][GD_DTYPE_COUNT] = {
    [GD_UINT8] = CAST_ROW(u8),      [GD_INT32] = CAST_ROW(i32),   [GD_INT64] = CAST_ROW(i64),
    [GD_FLOAT32] = CAST_ROW(f32),   [GD_FLOAT64] = CAST_ROW(f64), [GD_BOOL] = CAST_ROW(bool),
    [GD_INT8] = CAST_ROW(i8),       [GD_INT16] = CAST_ROW(i16),   [GD_FLOAT16] = CAST_ROW(f16),
    [GD_BFLOAT16] = CAST_ROW(bf16),
};

/* The same bits, where both sides are of one type and a NaN should stay as it is. */
CAST_LOOP(same16, uint16_t, uint16_t, SAME, SAME)

#if defined(__x86_64__)
/* The processor's own conversions of dense runs; other runs go the common way. */
#define HALF_LOOP(name, to, from, LOAD, STORE, CONVERT)                                                                \
    __attribute__((target("avx2,f16c"))) static void wide_##name(char *const *data, const int64_t *st, int64_t n,      \
                                                                 const void *extra) {                                  \
        int64_t i = 0;                                                                                                 \
        if (st[0] != (int64_t)sizeof(to) || st[1] != (int64_t)sizeof(from)) {                                          \
            cast_##name(data, st, n, extra);                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
        for (; i + 8 <= n; i += 8)                                                                                     \
            STORE((void *)(data[0] + i * st[0]), CONVERT(LOAD((const void *)(data[1] + i * st[1]))));                  \
        cast_##name((char *const[]){data[0] + i * st[0], data[1] + i * st[1]}, st, n - i, extra);                      \
    }
#define TO_HALVES(v) _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT)
HALF_LOOP(f32_f16, float, uint16_t, _mm_loadu_si128, _mm256_storeu_ps, _mm256_cvtph_ps)
HALF_LOOP(f16_f32, uint16_t, float, _mm256_loadu_ps, _mm_storeu_si128, TO_HALVES)

/* Asked of the processor itself, once: not every compiler's __builtin_cpu_supports knows the word. */
static bool has_halves(void) {
    static _Atomic int known; /* 0: not yet; else 1, and 1 more if it has them */
    unsigned a, b, c = 0, d;
    int v = atomic_load_explicit(&known, memory_order_relaxed);
    if (v == 0) {
        v = 1 + (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C));
        atomic_store_explicit(&known, v, memory_order_relaxed);
    }
    return v == 2;
}

static gd_loop processor_loop(gd_dtype to, gd_dtype from) {
    if (gd_cpu_isa() == GD_ISA_BASELINE || !has_halves()) return NULL;
    if (to == GD_FLOAT32 && from == GD_FLOAT16) return wide_f32_f16;
    return to == GD_FLOAT16 && from == GD_FLOAT32 ? wide_f16_f32 : NULL;
}
#else
static gd_loop processor_loop(gd_dtype to, gd_dtype from) {
    (void)to;
    (void)from;
    return NULL;
}
#endif

gd_loop gd_cast_loop(gd_dtype to, gd_dtype from) {
    if (to <= GD_INT16 && from <= GD_INT16) return cast_loops[to][from];
    if (to == from) return cast_same16;
    gd_loop loop = processor_loop(to, from);
    return loop ? loop : cast_loops[to][from];
}

/* Same dtype: runs of bytes are moved as a block where both sides are dense. */
static bool copy_block(gd_tensor *dst, const gd_tensor *src) {
    if (dst->dtype != src->dtype || dst->numel != src->numel) return false;
    if (!gd_same_shape(dst, src)) return false;
    if (!gd_strides_contiguous(dst->ndim, dst->sizes, GD_STRIDES(dst))) return false;
    if (!gd_strides_contiguous(src->ndim, src->sizes, GD_STRIDES(src))) return false;
    if (dst->numel > 0 && dst->data != src->data)
        memcpy(dst->data, src->data, (size_t)dst->numel * gd_dtype_bytes((gd_dtype)dst->dtype));
    return true;
}

void gd_copy_values(gd_tensor *dst, const gd_tensor *src) {
    if (copy_block(dst, src)) return;
    gd_tensor from = *src; /* the iterator takes no const; sizes stay src's */
    gd_tensor *operands[2] = {dst, &from};
    gd_iterate_any_order(operands, 2, gd_cast_loop((gd_dtype)dst->dtype, (gd_dtype)src->dtype), NULL);
}

gd_tensor *gd_as_contiguous(gd_ctx *ctx, gd_tensor *t) {
    if (gd_strides_contiguous(t->ndim, t->sizes, GD_STRIDES(t))) return gd_retain(t);
    gd_tensor *copy = gd_empty_like(ctx, t, (gd_dtype)t->dtype);
    if (copy) gd_copy_values(copy, t);
    return copy;
}

gd_tensor *gd_as_dtype(gd_ctx *ctx, gd_tensor *t, gd_dtype dtype) {
    if ((gd_dtype)t->dtype == dtype) return gd_retain(t);
    gd_tensor *copy = gd_empty_like(ctx, t, dtype);
    if (copy) gd_copy_values(copy, t);
    return copy;
}

/* ---- filling ---------------------------------------------------------------------------------- */

/* A run begins with a block that is filled by elements; the rest is copied from it, as wide as memcpy can. */
#define FILL_BLOCK(type) ((int64_t)(2048 / sizeof(type)))

#define FILL_LOOP(name, type)                                                                                          \
    static void fill_##name(char *const *data, const int64_t *st, int64_t n, const void *extra) {                      \
        type v;                                                                                                        \
        memcpy(&v, extra, sizeof(v));                                                                                  \
        if (st[0] == (int64_t)sizeof(type)) {                                                                          \
            type *d = (type *)(void *)data[0];                                                                         \
            int64_t block = n < FILL_BLOCK(type) ? n : FILL_BLOCK(type);                                               \
            for (int64_t i = 0; i < block; i++) d[i] = v;                                                              \
            for (int64_t i = block; i < n; i += block)                                                                 \
                memcpy(d + i, d, (size_t)(n - i < block ? n - i : block) * sizeof(type));                              \
            return;                                                                                                    \
        }                                                                                                              \
        char *d = data[0];                                                                                             \
        for (int64_t i = 0; i < n; i++, d += st[0]) *(type *)(void *)d = v;                                            \
    }

FILL_LOOP(1, uint8_t)
FILL_LOOP(2, int16_t)
FILL_LOOP(4, int32_t)
FILL_LOOP(8, int64_t)

void gd_convert_value(gd_dtype dtype, const gd_value *v, void *out) {
    int64_t integer = v->kind == GD_V_BOOL ? v->u.boolean : v->u.integer;
    const void *from = v->kind == GD_V_FLOAT ? (const void *)&v->u.real : (const void *)&integer;
    char *data[2] = {out, (char *)(uintptr_t)from};
    int64_t strides[2] = {0, 0};
    cast_loops[dtype][v->kind == GD_V_FLOAT ? GD_FLOAT64 : GD_INT64](data, strides, 1, NULL);
}

void gd_fill_value(gd_tensor *t, const gd_value *v) {
    _Alignas(8) char element[8] = {0};
    gd_convert_value((gd_dtype)t->dtype, v, element);
    size_t bytes = gd_dtype_bytes((gd_dtype)t->dtype);
    gd_loop loop = bytes == 1 ? fill_1 : bytes == 2 ? fill_2 : bytes == 4 ? fill_4 : fill_8;
    gd_iterate_any_order(&t, 1, loop, element);
}
