/* item.c: values out of tensors: all of them in row-major order, or the only one. */
#include "core/plan/trace.h"
#include "core/tensor/tensor.h"

#include <string.h>

/* A shape with neighbouring dimensions merged where one stride walks both, and without those of size 1. */
typedef struct walk {
    int ndim;
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS]; /* strides in bytes */
} walk;

static void walk_over(walk *w, const gd_tensor *t) {
    int64_t width = (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    w->ndim = 0;
    for (int i = 0; i < t->ndim; i++) {
        int last = w->ndim - 1;
        int64_t size = t->sizes[i], stride = GD_STRIDES(t)[i] * width;
        if (size == 1) continue;
        if (last >= 0 && w->strides[last] == stride * size) {
            w->sizes[last] *= size;
            w->strides[last] = stride;
        } else {
            w->sizes[w->ndim] = size;
            w->strides[w->ndim++] = stride;
        }
    }
}

/* A run of n elements, `stride` bytes apart, packed to `out`. */
static void copy_run(char *out, const char *in, int64_t n, int64_t stride, size_t width) {
    if (stride == (int64_t)width) {
        memcpy(out, in, (size_t)n * width);
        return;
    }
    switch (width) { /* constant widths become single moves */
    case 1:
        for (int64_t i = 0; i < n; i++) out[i] = in[i * stride];
        break;
    case 2:
        for (int64_t i = 0; i < n; i++) memcpy(out + 2 * i, in + i * stride, 2);
        break;
    case 4:
        for (int64_t i = 0; i < n; i++) memcpy(out + 4 * i, in + i * stride, 4);
        break;
    default:
        for (int64_t i = 0; i < n; i++) memcpy(out + 8 * i, in + i * stride, 8);
        break;
    }
}

void gd_read_bytes(const gd_tensor *t, void *out) {
    size_t width = gd_dtype_bytes((gd_dtype)t->dtype);
    int64_t index[GD_MAX_DIMS] = {0};
    const char *in = t->data;
    char *to = out;
    walk w;
    if (t->numel == 0) return;
    walk_over(&w, t);
    int inner = w.ndim - 1;
    int64_t n = inner < 0 ? 1 : w.sizes[inner], stride = inner < 0 ? (int64_t)width : w.strides[inner];
    for (;;) {
        copy_run(to, in, n, stride, width);
        to += (size_t)n * width;
        int d = inner - 1;
        for (; d >= 0; d--) { /* on to the next run: the odometer's digits from the right */
            in += w.strides[d];
            if (++index[d] < w.sizes[d]) break;
            in -= w.strides[d] * w.sizes[d];
            index[d] = 0;
        }
        if (d < 0) return;
    }
}

gd_code gd_item(gd_ctx *ctx, const gd_tensor *t, gd_value *value) {
    gd_dtype dtype = (gd_dtype)t->dtype;
    if (ctx->trace) gd_trace_read(ctx, t, "item()");
    if (t->numel != 1) return gd_fail(ctx, GD_E_VALUE, "only one element tensors can be converted to Python scalars");
    if (dtype == GD_BOOL)
        *value = GD_BOOL_VALUE(gd_load_i64(dtype, t->data) != 0);
    else if (gd_dtype_is_float(dtype))
        *value = GD_FLOAT_VALUE(gd_load_f64(dtype, t->data));
    else
        *value = GD_INT_VALUE(gd_load_i64(dtype, t->data));
    return GD_OK;
}

const void *gd_contiguous_data(const gd_tensor *t) { return gd_is_contiguous(t) ? t->data : NULL; }
