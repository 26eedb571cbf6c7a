/* fractional.c: rows of pool.def whose windows lie at random steps (Fractional Max-Pooling, B. Graham 2015). Their
 * derivative, that of every pool which picks the greatest, is in pool_rules.c. */
#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/kernels/pool.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/spatial.h"

#define TEXT 256

static const char *const names[] = {"", "", "fractional_max_pool2d", "fractional_max_pool3d"};
static const char *const inner_names[] = {"", "", "fractional_max_pool2d()", "fractional_max_pool3d_out()"};

/* ---- what clients call ---------------------------------------------------------------------------------------- */

/* The input's sizes times the ratios, rounded down, as Python's int() does. */
static gd_code size_of_ratio(gd_apply *a, int n, int64_t *size) {
    gd_ctx *c = a->ctx;
    const gd_value *ratio = &a->args[3];
    const gd_tensor *x = arg_tensor(a, 0);
    for (int d = 0; d < n; d++) {
        const bool one = ratio->kind == GD_V_FLOAT;
        if (!one && ratio->n <= (uint32_t)d) return gd_fail(c, GD_E_INDEX, "tuple index out of range");
        double v = (double)x->sizes[x->ndim - n + d] * (one ? ratio->u.real : ratio->u.floats[d]);
        if (isnan(v)) return gd_fail(c, GD_E_VALUE, "cannot convert float NaN to integer");
        if (!(fabs(v) < 0x1p62)) return gd_fail(c, GD_E_VALUE, "cannot convert float infinity to integer");
        size[d] = (int64_t)v;
    }
    return GD_OK;
}

static gd_code read_sizes(gd_apply *a, int n, int64_t *kernel, int64_t *size) {
    gd_ctx *c = a->ctx;
    const gd_tensor *x = arg_tensor(a, 0);
    const char *kind = n == 2 ? "Ints" : "three Ints";
    if (a->args[2].kind == GD_V_NONE && a->args[3].kind == GD_V_NONE)
        return gd_fail(c, GD_E_VALUE, "%s requires specifying either an output_size or an output_ratio", names[n]);
    if (x->ndim < n + 1)
        return gd_fail(c, GD_E_INDEX, "Dimension out of range (expected to be in range of [%d, %d], but got %d)",
                       x->ndim ? -x->ndim : -1, x->ndim ? x->ndim - 1 : 0, -n - 1);
    gd_code code = a->args[2].kind == GD_V_NONE ? size_of_ratio(a, n, size) : GD_OK;
    if (code) return code;
    if (!gd_spread_ints(&a->args[1], n, kernel))
        return gd_fail(c, GD_E_RUNTIME, "%s: kernel_size must either be a single Int or tuple of %s", names[n], kind);
    if (a->args[2].kind != GD_V_NONE && !gd_spread_ints(&a->args[2], n, size))
        return gd_fail(c, GD_E_RUNTIME, "%s: output_size must either be a single Int or tuple of %s", names[n], kind);
    return GD_OK;
}

/* Uniform numbers, n for each plane, drawn as PyTorch draws them. */
static gd_tensor *draw(gd_ctx *c, const gd_tensor *x, int n) {
    const int64_t sizes[] = {x->ndim == n + 1 ? 1 : x->sizes[0], x->sizes[x->ndim - n - 1], n};
    return GX(c, rand, IS_(sizes, 3), GD_DTYPE_VALUE((gd_dtype)x->dtype));
}

gd_code gd_fw_fractional_max_pool(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int n = a->op->param;
    int64_t kernel[GD_SPATIAL], size[GD_SPATIAL];
    gd_tensor *x = arg_tensor(a, 0), *samples = gd_maybe_tensor(a, 5);
    bool both = a->args[4].u.boolean;
    gd_code code = read_sizes(a, n, kernel, size);
    if (!code)
        code = gd_check_floats(c, n == 2 ? "fractional_max_pool2d_out_frame" : "fractional_max_pool3d_out_frame", x);
    if (!code && !samples && !(samples = draw(c, x, n))) code = gd_failed(c);
    if (code) return code;
    const gd_value args[] = {T_(x), IS_(kernel, n), IS_(size, n), T_(samples)};
    gd_result r = {0};
    code = gd_do_all(c, n == 2 ? GD_OP__fractional_max_pool2d : GD_OP__fractional_max_pool3d, args, 4, &r);
    if (!code) code = gd_apply_reserve(a, both ? 2 : 1);
    for (int i = 0; !code && i < (both ? 2 : 1); i++) a->out[i] = gd_retain(r.outputs[i]);
    gd_result_clear(&r);
    return code;
}

/* ---- what they record ------------------------------------------------------------------------------------------- */

static gd_code check_pool(gd_ctx *c, int n, const gd_tensor *x, const int64_t *kernel, const int64_t *out) {
    static const char *const dims[] = {"time", "height", "width"};
    char text[TEXT];
    bool image = x->ndim == n + 1 || x->ndim == n + 2;
    if (!image)
        return gd_fail(c, GD_E_SHAPE, "%s: Expected %dD or %dD tensor, but got: %s", inner_names[n], n + 1, n + 2,
                       gd_shape_text(text, sizeof text, x->ndim, x->sizes));
    for (int d = x->ndim - n - 1; d < x->ndim; d++)
        if (x->sizes[d] == 0)
            return gd_fail(c, GD_E_SHAPE,
                           "%s: Expected input to have non-zero size for non-batch dimensions, but got%s with "
                           "dimension %d being empty.",
                           inner_names[n], gd_shape_text(text, sizeof text, x->ndim, x->sizes), d);
    for (int d = 0; d < n; d++) {
        const int64_t in = x->sizes[x->ndim - n + d];
        const __int128 span = (__int128)out[d] + kernel[d] - 1;
        if (n == 2 ? span > in : span >= in)
            return gd_fail(c, GD_E_SHAPE, "%s: pool %s %lld too large relative to input %s %lld", inner_names[n],
                           dims[GD_SPATIAL - n + d], (long long)kernel[d], dims[GD_SPATIAL - n + d], (long long)in);
        if (kernel[d] <= 0) return gd_fail(c, GD_E_RUNTIME, "%s: kernel_size must be greater than zero", names[n]);
    }
    return GD_OK;
}

static gd_code check_samples(gd_ctx *c, int n, const gd_tensor *x, const gd_tensor *samples) {
    int64_t planes = 1;
    for (int d = 0; d < x->ndim - n; d++) planes *= x->sizes[d];
    if (samples->dtype != x->dtype)
        return gd_fail(c, GD_E_DTYPE, "expected scalar type %s but found %s", gd_dtype_scalar_name((gd_dtype)x->dtype),
                       gd_dtype_scalar_name((gd_dtype)samples->dtype));
    if (samples->numel < planes * n)
        return gd_fail(c, GD_E_SHAPE, "%s: expected _random_samples of %lld elements, but got %lld", names[n],
                       (long long)(planes * n), (long long)samples->numel);
    return GD_OK;
}

/* What a C int becomes of v, where out of range as on x86. */
static int64_t truncated(double v) { return v > -0x1p31 && v < 0x1p31 ? (int64_t)v : INT32_MIN; }

/* Starts and ends of one dimension's windows; sums and products are rounded to the input's dtype. */
static void place(gd_dtype dtype, double sample, int64_t in, int64_t out, int64_t kernel, int64_t *start,
                  int64_t *end) {
    const double alpha = out > 1 ? (double)(in - kernel) / (double)(out - 1) : 0;
    for (int64_t i = 0; i < out; i++) {
        int64_t at = in - kernel;
        if (i < out - 1 && dtype == GD_FLOAT32) {
            const float s = (float)sample, step = (float)(in - kernel) / (float)(out - 1);
            at = truncated((double)(((float)i + s) * step)) - truncated((double)(s * step));
        } else if (i < out - 1) {
            at = truncated(((double)i + sample) * alpha) - truncated(sample * alpha);
        }
        start[i] = at < 0 ? 0 : at > in - kernel ? in - kernel : at;
        if (start[i] >= in) start[i] = in - 1;
        end[i] = start[i] + kernel;
    }
}

/* New: room for starts and ends of all windows; w points into it. Dimensions before the last n have one window. */
static gd_tensor *windows_new(gd_ctx *c, int n, const gd_tensor *x, const int64_t *out, gd_windows *w) {
    int64_t total = GD_SPATIAL;
    for (int d = 0; d < n; d++)
        if (!gd_add_i64(total, out[d], &total)) return gd_fail(c, GD_E_TOO_LARGE, "too many windows"), NULL;
    gd_tensor *memory = gd_zeros(c, GD_INT64, 2, (const int64_t[]){2, total});
    if (!memory) return NULL;
    int64_t *at = (int64_t *)(void *)memory->data;
    for (int d = 0; d < GD_SPATIAL; d++) {
        int k = d - (GD_SPATIAL - n);
        w[d] = (gd_windows){k < 0 ? 1 : x->sizes[x->ndim - n + k], k < 0 ? 1 : out[k], 1, at, at + total};
        if (k < 0) at[total] = 1;
        at += w[d].out;
    }
    return memory;
}

/* Of images the first sample places columns, of volumes planes, rows, columns come in turn. */
static void pick(gd_apply *a, int n, const gd_tensor *x, const gd_tensor *samples, gd_windows *w, int64_t *places,
                 int64_t total) {
    const int64_t *kernel = arg_ints(a, 1), *out = arg_ints(a, 2);
    const gd_dtype dtype = (gd_dtype)x->dtype;
    const size_t width = gd_dtype_bytes(dtype);
    int64_t in = 1, outs = 1, planes = 1;
    for (int d = 0; d < n; d++) in *= x->sizes[x->ndim - n + d], outs *= out[d];
    for (int d = 0; d < x->ndim - n; d++) planes *= x->sizes[d];
    for (int64_t p = 0; p < planes && outs; p++) {
        for (int d = 0; d < n; d++) {
            int64_t *start = places + (w[GD_SPATIAL - n + d].start - places);
            int64_t which = p * n + (n == 2 ? 1 - d : d);
            place(dtype, gd_load_f64(dtype, samples->data + (size_t)which * width), x->sizes[x->ndim - n + d], out[d],
                  kernel[d], start, start + total);
        }
        gd_max_windows(dtype, 1, w, x->data + (size_t)(p * in) * width, a->out[0]->data + (size_t)(p * outs) * width,
                       (int64_t *)(void *)a->out[1]->data + p * outs);
    }
}

gd_code gd_fw__fractional_max_pool(gd_apply *a) {
    gd_ctx *c = a->ctx;
    int n = a->op->param;
    int64_t sizes[GD_MAX_DIMS], numel;
    gd_windows w[GD_SPATIAL];
    gd_tensor *self = arg_tensor(a, 0);
    gd_code code = check_pool(c, n, self, arg_ints(a, 1), arg_ints(a, 2));
    if (!code) code = check_samples(c, n, self, arg_tensor(a, 3));
    if (!code) code = gd_checked_numel(c, GD_INT64, gd_spatial_sizes(self, n, arg_ints(a, 2), sizes), sizes, &numel);
    if (!code) code = gd_apply_reserve(a, 2);
    if (code) return code;
    a->out[0] = gd_empty(c, (gd_dtype)self->dtype, self->ndim, sizes);
    a->out[1] = a->out[0] ? gd_empty(c, GD_INT64, self->ndim, sizes) : NULL;
    gd_tensor *memory = a->out[1] ? windows_new(c, n, self, arg_ints(a, 2), w) : NULL;
    gd_tensor *x = memory ? gd_as_contiguous(c, self) : NULL;
    gd_tensor *samples = x ? gd_as_contiguous(c, arg_tensor(a, 3)) : NULL;
    if (samples) pick(a, n, x, samples, w, (int64_t *)(void *)memory->data, memory->sizes[1]);
    code = samples ? GD_OK : gd_failed(c);
    gd_release(memory);
    gd_release(x);
    gd_release(samples);
    return code;
}
