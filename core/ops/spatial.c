/* spatial.c: windows over images, read and checked as PyTorch does, with its
 * texts (spatial.h). */
#include "core/ops/spatial.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define TEXT 256

static const char *const counts[] = {"", "one", "two", "three"};

bool gd_spread_ints(const gd_value *v, int n, int64_t *out) {
    if (v->kind != GD_V_INTS || (v->n != 1 && v->n != (uint32_t)n)) return false;
    for (int d = 0; d < n; d++) out[d] = v->u.ints[v->n == 1 ? 0 : d];
    return true;
}

static gd_code wrong_count(gd_ctx *c, const char *op, const char *what, const char *omitted, int n) {
    return gd_fail(c, GD_E_RUNTIME, "%s: %s must either be %sa single int, or a tuple of %s ints", op, what, omitted,
                   counts[n]);
}

/* PyTorch keeps these as C ints. */
static bool in_range(const int64_t *v, int n) {
    for (int d = 0; d < n; d++)
        if (v[d] > INT_MAX || v[d] < INT_MIN) return false;
    return true;
}

static char *numbers_text(char *buf, size_t bytes, int n, const int64_t *v) {
    size_t used = 0;
    buf[0] = '\0';
    for (int d = 0; d < n && used < bytes; d++)
        used += (size_t)snprintf(buf + used, bytes - used, "%s%lld", d ? " " : "", (long long)v[d]);
    return buf;
}

static gd_code not_positive(gd_ctx *c, const char *what, const gd_window *w, const int64_t *v) {
    char text[TEXT];
    return gd_fail(c, GD_E_RUNTIME, "%s should be greater than zero, but got %s", what,
                   numbers_text(text, sizeof text, w->n, v));
}

static gd_code check_numbers(gd_ctx *c, const gd_window *w) {
    if (!in_range(w->kernel, w->n) || !in_range(w->stride, w->n) || !in_range(w->padding, w->n) ||
        !in_range(w->dilation, w->n))
        return gd_fail(c, GD_E_RUNTIME, "integer out of range");
    for (int d = 0; d < w->n; d++) {
        if (w->kernel[d] <= 0) return not_positive(c, "kernel size", w, w->kernel);
        if (w->stride[d] <= 0) return not_positive(c, "stride", w, w->stride);
        if (w->dilation[d] <= 0) return not_positive(c, "dilation", w, w->dilation);
        if (w->padding[d] < 0)
            return gd_fail(c, GD_E_RUNTIME, "pad must be non-negative, but got pad: %lld", (long long)w->padding[d]);
        if (w->padding[d] > w->kernel[d] / 2)
            return gd_fail(c, GD_E_RUNTIME,
                           "pad should be at most half of kernel size, but got "
                           "pad=%lld and kernel_size=%lld",
                           (long long)w->padding[d], (long long)w->kernel[d]);
    }
    return GD_OK;
}

gd_code gd_window_read(gd_ctx *c, const char *op, int n, const gd_value *kernel, const gd_value *stride,
                       const gd_value *padding, const gd_value *dilation, gd_window *w) {
    *w = (gd_window){n, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
    bool same = stride->kind == GD_V_NONE || stride->n == 0;
    if (!gd_spread_ints(kernel, n, w->kernel)) return wrong_count(c, op, "kernel_size", "", n);
    if (!gd_spread_ints(same ? kernel : stride, n, w->stride)) return wrong_count(c, op, "stride", "omitted, ", n);
    if (!gd_spread_ints(padding, n, w->padding)) return wrong_count(c, op, "padding", "", n);
    if (dilation && !gd_spread_ints(dilation, n, w->dilation)) return wrong_count(c, op, "dilation", "", n);
    return check_numbers(c, w);
}

gd_code gd_check_floats(gd_ctx *c, const char *op, const gd_tensor *t) {
    if (gd_dtype_is_float((gd_dtype)t->dtype)) return GD_OK;
    return gd_fail(c, GD_E_DTYPE, "\"%s\" not implemented for '%s'", op, gd_dtype_scalar_name((gd_dtype)t->dtype));
}

gd_code gd_check_image(gd_ctx *c, const char *op, int n, const gd_tensor *t) {
    char text[TEXT];
    bool good = t->ndim == n + 1 || t->ndim == n + 2;
    for (int d = t->ndim == n + 2 ? 1 : 0; good && d < t->ndim; d++) good = t->sizes[d] > 0;
    if (good) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "%s: Expected %dD or %dD (batch mode) tensor with optional 0 "
                   "dim batch size for input, but got:%s",
                   op, n + 1, n + 2, gd_shape_text(text, sizeof text, t->ndim, t->sizes));
}

/* PyTorch's pooling_output_shape: with ceil_mode the last window must start
 * inside the input or its left padding. */
static int64_t window_count(const gd_window *w, int d, bool ceil_mode) {
    int64_t span = w->in[d] + 2 * w->padding[d] - w->dilation[d] * (w->kernel[d] - 1) - 1;
    if (ceil_mode) span += w->stride[d] - 1;
    int64_t out = span / w->stride[d] - (span % w->stride[d] < 0) + 1;
    if (ceil_mode && (out - 1) * w->stride[d] >= w->in[d] + w->padding[d]) out--;
    return out;
}

gd_code gd_window_shape(gd_ctx *c, gd_window *w, const gd_tensor *input, bool ceil_mode) {
    char from[TEXT], to[TEXT];
    for (int d = 0; d < w->n; d++) {
        w->in[d] = input->sizes[input->ndim - w->n + d];
        if (w->in[d] > INT64_MAX / 4) return gd_fail(c, GD_E_RUNTIME, "integer out of range");
        w->out[d] = window_count(w, d, ceil_mode);
    }
    for (int d = 0; d < w->n; d++)
        if (w->out[d] < 1)
            return gd_fail(c, GD_E_RUNTIME,
                           "Given input size: %s. Calculated output size: %s. Output "
                           "size is too small",
                           gd_shape_text(from, sizeof from, w->n, w->in), gd_shape_text(to, sizeof to, w->n, w->out));
    return GD_OK;
}

int gd_spatial_sizes(const gd_tensor *t, int n, const int64_t *out, int64_t *sizes) {
    int rest = t->ndim - n;
    if (t->ndim) memcpy(sizes, t->sizes, (size_t)t->ndim * sizeof *sizes);
    for (int d = 0; d < n; d++) sizes[rest + d] = out[d];
    return t->ndim;
}
