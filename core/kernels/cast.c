/* cast.c: copying and filling: moves values between tensors of any dtypes, shapes and strides. */
#include "core/kernels/cast.h"
#include "core/kernels/kernels.h"

#include <string.h>

#pragma GCC optimize("O3") /* these loops gain from the vectoriser, which -O2 keeps off */

#define TO_BOOL(v) ((uint8_t)((v) != 0))

/* Every source type to every target type. Sources are read as their own type, so that int64 stays exact. */
#define FLOAT_SOURCES(X, name, type, conv)                                                                             \
    X(name##_f32, type, float, conv)                                                                                   \
    X(name##_f64, type, double, conv)
#define INT_SOURCES(X, name, type, conv)                                                                               \
    X(name##_u8, type, uint8_t, conv)                                                                                  \
    X(name##_i32, type, int32_t, conv)                                                                                 \
    X(name##_i64, type, int64_t, conv)

#define AS_F32(v) ((float)(v))
#define AS_F64(v) ((double)(v))
#define AS_U8(v) ((uint8_t)(v))
#define AS_I32(v) ((int32_t)(v))
#define AS_I64(v) ((int64_t)(v))

#define CAST_LOOP(name, to, from, conv)                                                                                \
    static void cast_##name(char *const *data, const int64_t *st, int64_t n, const void *extra) {                      \
        (void)extra;                                                                                                   \
        if (st[0] == (int64_t)sizeof(to) && st[1] == (int64_t)sizeof(from)) {                                          \
            to *restrict d = (to *)(void *)data[0];                                                                    \
            const from *restrict s = (const from *)(const void *)data[1];                                              \
            for (int64_t i = 0; i < n; i++) d[i] = conv(s[i]);                                                         \
            return;                                                                                                    \
        }                                                                                                              \
        char *d = data[0];                                                                                             \
        const char *s = data[1];                                                                                       \
        for (int64_t i = 0; i < n; i++, d += st[0], s += st[1])                                                        \
            *(to *)(void *)d = conv(*(const from *)(const void *)s);                                                   \
    }

INT_SOURCES(CAST_LOOP, u8, uint8_t, AS_U8)
INT_SOURCES(CAST_LOOP, i32, int32_t, AS_I32)
INT_SOURCES(CAST_LOOP, i64, int64_t, AS_I64)
INT_SOURCES(CAST_LOOP, f32, float, AS_F32)
INT_SOURCES(CAST_LOOP, f64, double, AS_F64)
INT_SOURCES(CAST_LOOP, bool, uint8_t, TO_BOOL)
FLOAT_SOURCES(CAST_LOOP, u8, uint8_t, gd_f64_to_u8)
FLOAT_SOURCES(CAST_LOOP, i32, int32_t, gd_f64_to_i32)
FLOAT_SOURCES(CAST_LOOP, i64, int64_t, gd_f64_to_i64)
FLOAT_SOURCES(CAST_LOOP, f32, float, AS_F32)
FLOAT_SOURCES(CAST_LOOP, f64, double, AS_F64)
FLOAT_SOURCES(CAST_LOOP, bool, uint8_t, TO_BOOL)

#define CAST_ROW(to)                                                                                                   \
    {                                                                                                                  \
        [GD_UINT8] = cast_##to##_u8, [GD_INT32] = cast_##to##_i32, [GD_INT64] = cast_##to##_i64,                       \
        [GD_FLOAT32] = cast_##to##_f32, [GD_FLOAT64] = cast_##to##_f64, [GD_BOOL] = cast_##to##_u8                     \
    }

static const gd_loop cast_loops[GD_DTYPE_COUNT][GD_DTYPE_COUNT] = {
    [GD_UINT8] = CAST_ROW(u8),    [GD_INT32] = CAST_ROW(i32),   [GD_INT64] = CAST_ROW(i64),
    [GD_FLOAT32] = CAST_ROW(f32), [GD_FLOAT64] = CAST_ROW(f64), [GD_BOOL] = CAST_ROW(bool),
};

gd_loop gd_cast_loop(gd_dtype to, gd_dtype from) { return cast_loops[to][from]; }

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
    gd_iterate_any_order(operands, 2, cast_loops[dst->dtype][src->dtype], NULL);
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

#define FILL_LOOP(name, type)                                                                                          \
    static void fill_##name(char *const *data, const int64_t *st, int64_t n, const void *extra) {                      \
        type v;                                                                                                        \
        memcpy(&v, extra, sizeof(v));                                                                                  \
        if (st[0] == (int64_t)sizeof(type)) {                                                                          \
            type *d = (type *)(void *)data[0];                                                                         \
            for (int64_t i = 0; i < n; i++) d[i] = v;                                                                  \
            return;                                                                                                    \
        }                                                                                                              \
        char *d = data[0];                                                                                             \
        for (int64_t i = 0; i < n; i++, d += st[0]) *(type *)(void *)d = v;                                            \
    }

FILL_LOOP(1, uint8_t)
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
    gd_loop loop = bytes == 1 ? fill_1 : bytes == 4 ? fill_4 : fill_8;
    gd_iterate_any_order(&t, 1, loop, element);
}
