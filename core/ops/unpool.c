/* unpool.c: rows of pool.def that put elements back where a pool found them. Derivatives are in pool_rules.c. */
#include <stdio.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/spatial.h"

#define TEXT 256

/* ---- what clients call ------------------------------------------------------------------------------------- */

static gd_code too_large(gd_ctx *c) { return gd_fail(c, GD_E_TOO_LARGE, "Overflow when unpacking long"); }

/* (in - 1) stride + kernel - 2 padding of each dimension: the least input the pool can have had. */
static gd_code default_size(gd_ctx *c, const gd_tensor *x, const gd_window *w, int64_t *size) {
    for (int d = 0; d < w->n; d++) {
        int64_t part;
        if (!gd_mul_i64(x->sizes[x->ndim - w->n + d] - 1, w->stride[d], &part) ||
            !gd_add_i64(part, w->kernel[d], &part) || __builtin_sub_overflow(part, w->padding[d], &part) ||
            __builtin_sub_overflow(part, w->padding[d], &size[d]))
            return too_large(c);
    }
    return GD_OK;
}

/* The size asked for, which must be within one stride of the default. */
static gd_code chosen_size(gd_ctx *c, const gd_value *asked, const gd_window *w, int64_t *size) {
    char text[TEXT];
    int skip = asked->n == (uint32_t)w->n + 2 ? 2 : 0;
    if (asked->n != (uint32_t)(w->n + skip))
        return gd_fail(c, GD_E_VALUE,
                       "output_size should be a sequence containing %d or %d elements, but it has a length of '%u'",
                       w->n, w->n + 2, asked->n);
    for (int d = 0; d < w->n; d++) {
        int64_t want = asked->u.ints[skip + d], low, high;
        if (__builtin_sub_overflow(size[d], w->stride[d], &low) || !gd_add_i64(size[d], w->stride[d], &high))
            return too_large(c);
        if (!(low < want && want < high))
            return gd_fail(c, GD_E_VALUE, "invalid output_size \"%s\" (dim %d must be between %lld and %lld)",
                           gd_shape_text(text, sizeof text, w->n, asked->u.ints + skip), d, (long long)low,
                           (long long)high);
        size[d] = want;
    }
    return GD_OK;
}

static gd_code read_windows(gd_apply *a, gd_window *w) {
    int n = a->op->param;
    bool same = a->args[3].kind == GD_V_NONE;
    *w = (gd_window){.n = n};
    if (arg_tensor(a, 0)->ndim < n || !gd_spread_ints(&a->args[2], n, w->kernel) ||
        !gd_spread_ints(&a->args[same ? 2 : 3], n, w->stride) || !gd_spread_ints(&a->args[4], n, w->padding))
        return gd_fail(a->ctx, GD_E_INDEX, "tuple index out of range");
    return GD_OK;
}

static gd_code check_strides(gd_ctx *c, const gd_window *w) {
    char text[TEXT];
    for (int d = 0; d < w->n; d++)
        if (w->stride[d] <= 0)
            return gd_fail(c, GD_E_RUNTIME, "strides should be greater than zero, but got stride: %s",
                           gd_shape_text(text, sizeof text, w->n, w->stride));
    return GD_OK;
}

/* Lines are images of one column, as in PyTorch. */
gd_code gd_fw_max_unpool(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *index = arg_tensor(a, 1);
    int n = a->op->param;
    int64_t size[GD_SPATIAL] = {1, 1, 1};
    gd_window w;
    gd_code code = read_windows(a, &w);
    if (!code) code = default_size(c, x, &w, size);
    if (!code && a->args[5].kind == GD_V_INTS) code = chosen_size(c, &a->args[5], &w, size);
    if (!code && n == 3) code = check_strides(c, &w);
    if (code) return code;
    if (n == 3) return give_shared(a, GX(c, _max_unpool3d, T_(x), T_(index), IS_(size, 3)));
    if (n == 1) x = GX(c, unsqueeze, T_(x), I_(-1)), index = GX(c, unsqueeze, T_(index), I_(-1));
    gd_tensor *y = GX(c, _max_unpool2d, T_(x), T_(index), IS_(size, 2));
    return give_shared(a, n == 1 ? GX(c, squeeze_dim, T_(y), I_(-1)) : y);
}

/* ---- what they record -------------------------------------------------------------------------------------- */

static gd_code check_places(gd_apply *a, int n) {
    char one[TEXT], two[TEXT];
    gd_ctx *c = a->ctx;
    const gd_tensor *x = arg_tensor(a, 0), *index = arg_tensor(a, 1);
    if (index->dtype != GD_INT64)
        return gd_fail(c, GD_E_DTYPE, "elements in indices should be type int64%s%s", n == 2 ? " but got: " : "",
                       n == 2 ? gd_dtype_scalar_name((gd_dtype)index->dtype) : "");
    if (x->ndim != n + 1 && x->ndim != n + 2)
        return gd_fail(c, GD_E_SHAPE,
                       "Input to max_unpooling%dd should be a %dd or %dd Tensor, but got a tensor with %d dimensions.",
                       n, n + 1, n + 2, x->ndim);
    if (!gd_same_shape(x, index))
        return gd_fail(c, GD_E_SHAPE,
                       "Expected shape of indices to be same as that of the input tensor (%s) but got indices tensor "
                       "with shape: %s",
                       gd_shape_text(one, sizeof one, x->ndim, x->sizes),
                       gd_shape_text(two, sizeof two, index->ndim, index->sizes));
    for (int d = 1; d < x->ndim; d++)
        if (x->sizes[d] == 0)
            return gd_fail(c, GD_E_SHAPE,
                           "max_unpooling%dd_forward_out_cpu(): Expected input to have non-zero size for non-batch "
                           "dimensions, but got %s with dimension %d being empty.",
                           n, gd_shape_text(one, sizeof one, x->ndim, x->sizes), d);
    return gd_check_floats(c, n == 2 ? "max_unpool2d" : "max_unpool3d", x);
}

static gd_code bad_place(gd_ctx *c, int64_t index, int n, const int64_t *size) {
    char text[TEXT];
    if (n == 2)
        snprintf(text, sizeof text, "%lldx%lld", (long long)size[0], (long long)size[1]);
    else
        snprintf(text, sizeof text, "%lldx%lldx%lld", (long long)size[0], (long long)size[1], (long long)size[2]);
    return gd_fail(c, GD_E_RUNTIME, "Found an invalid max index: %lld (output volumes are of size %s", (long long)index,
                   text);
}

/* Writes each plane's elements to their places; false with *bad if one is outside. */
#define PUT(T)                                                                                                         \
    static bool put_##T(int64_t planes, int64_t in, int64_t out, const T *x, const int64_t *index, T *y,               \
                        int64_t *bad) {                                                                                \
        for (int64_t p = 0; p < planes; p++, x += in, index += in, y += out)                                           \
            for (int64_t i = 0; i < in; i++) {                                                                         \
                if (index[i] < 0 || index[i] >= out) return *bad = index[i], false;                                    \
                y[index[i]] = x[i];                                                                                    \
            }                                                                                                          \
        return true;                                                                                                   \
    }
PUT(float)
PUT(double)

static bool put(gd_tensor *y, const gd_tensor *x, const gd_tensor *index, int n, int64_t *bad) {
    int64_t in = 1, out = 1, planes = 1;
    for (int d = 0; d < x->ndim; d++) {
        if (d < x->ndim - n)
            planes *= x->sizes[d];
        else
            in *= x->sizes[d], out *= y->sizes[d];
    }
    const int64_t *at = (const int64_t *)(const void *)index->data;
    if (x->dtype == GD_FLOAT32)
        return put_float(planes, in, out, (const float *)(const void *)x->data, at, (float *)(void *)y->data, bad);
    return put_double(planes, in, out, (const double *)(const void *)x->data, at, (double *)(void *)y->data, bad);
}

gd_code gd_fw__max_unpool(gd_apply *a) {
    gd_ctx *c = a->ctx;
    int n = a->op->param;
    int64_t sizes[GD_MAX_DIMS], numel, bad;
    const int64_t *size = arg_ints(a, 2);
    gd_code code = check_places(a, n);
    if (code) return code;
    int ndim = gd_spatial_sizes(arg_tensor(a, 0), n, size, sizes);
    code = gd_checked_numel(c, (gd_dtype)arg_tensor(a, 0)->dtype, ndim, sizes, &numel);
    if (code) return code;
    gd_tensor *y = gd_zeros(c, (gd_dtype)arg_tensor(a, 0)->dtype, ndim, sizes);
    gd_tensor *x = y ? gd_as_contiguous(c, arg_tensor(a, 0)) : NULL;
    gd_tensor *index = x ? gd_as_contiguous(c, arg_tensor(a, 1)) : NULL;
    if (!index)
        code = gd_failed(c);
    else if (!put(y, x, index, n, &bad))
        code = bad_place(c, bad, n, size);
    gd_release(x);
    gd_release(index);
    if (code) {
        gd_release(y);
        return code;
    }
    return give(a, y);
}
