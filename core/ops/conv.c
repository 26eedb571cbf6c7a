/* conv.c: convolutions of lines, images and volumes, and transposed ones. The
 * rows that clients call read and check their arguments as PyTorch does; hidden
 * rows compute and record. Derivatives are in conv_rules.c, loops in
 * core/kernels/conv.c. */
#include <string.h>

#include "core/kernels/conv.h"
#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/spatial.h"

#define TEXT 256

/* ---- the three maps
 * ---------------------------------------------------------------------------------------------
 */

typedef enum conv_map { FORWARD, TO_INPUT, TO_WEIGHT } conv_map;

/* The last dimensions, as three. */
static void last_three(const gd_value *from, int64_t fill, int64_t *to) {
    for (int d = 0; d < 3; d++) {
        int k = d - (3 - (int)from->n);
        to[d] = k < 0 ? fill : from->u.ints[k];
    }
}

/* The spatial sizes of t, or those asked for of the result. */
static void spatial_of(const gd_tensor *t, const gd_value *size, int64_t *to) {
    gd_value own = t ? GD_INTS_VALUE(t->sizes + 2, t->ndim - 2) : *size;
    last_three(&own, 1, to);
}

/* Of x, w and y one is NULL: the result. `args` from stride on. */
static gd_conv shape_of(const gd_tensor *x, const gd_tensor *w, const gd_tensor *y, const gd_value *args,
                        const gd_value *size) {
    const gd_tensor *any = x ? x : y;
    gd_conv v = {.dtype = (gd_dtype)any->dtype, .batch = any->sizes[0], .groups = args[3].u.integer};
    v.in_channels = w ? w->sizes[1] : x->sizes[1] / v.groups;
    v.out_channels = (y ? y->sizes[1] : w->sizes[0]) / v.groups;
    last_three(&args[0], 1, v.stride);
    last_three(&args[1], 0, v.padding);
    last_three(&args[2], 1, v.dilation);
    spatial_of(x, size, v.in);
    spatial_of(w, size, v.kernel);
    spatial_of(y, size, v.out);
    return v;
}

static gd_tensor *result_new(gd_ctx *c, conv_map map, const gd_conv *v, const gd_value *size) {
    int64_t sizes[2 + GD_SPATIAL] = {v->batch, v->in_channels * v->groups};
    if (map == FORWARD) sizes[1] = v->out_channels * v->groups;
    if (map == TO_WEIGHT) sizes[0] = v->out_channels * v->groups, sizes[1] = v->in_channels;
    memcpy(sizes + 2, size->u.ints, (size_t)size->n * sizeof *sizes);
    return gd_empty(c, v->dtype, 2 + (int)size->n, sizes);
}

static void run(conv_map map, const gd_conv *v, const void *first, const void *second, void *out, void *scratch) {
    if (map == FORWARD) gd_conv_forward(v, first, second, out, scratch);
    if (map == TO_INPUT) gd_conv_input(v, first, second, out, scratch);
    if (map == TO_WEIGHT) gd_conv_weight(v, first, second, out, scratch);
}

/* New. first and second as the map takes them: (x, w), (y, w) or (x, y). */
static gd_tensor *mapped(gd_ctx *c, conv_map map, gd_tensor *first, gd_tensor *second, const gd_value *args,
                         const gd_value *size) {
    gd_tensor *p = gd_as_contiguous(c, first), *q = p ? gd_as_contiguous(c, second) : NULL, *scratch = NULL,
              *out = NULL;
    if (q) {
        gd_conv v = shape_of(map == TO_INPUT ? NULL : p, map == TO_WEIGHT ? NULL : q,
                             map == FORWARD    ? NULL
                             : map == TO_INPUT ? p
                                               : q,
                             args, size);
        int64_t elements;
        if (gd_conv_scratch(&v, &elements))
            scratch = gd_empty(c, v.dtype, 1, &elements);
        else
            (void)gd_fail(c, GD_E_TOO_LARGE, "convolution: the windows are too many");
        out = scratch ? result_new(c, map, &v, size) : NULL;
        if (out && out->numel) run(map, &v, p->data, q->data, out->data, scratch->data);
    }
    gd_release(scratch);
    gd_release(p);
    gd_release(q);
    return out;
}

gd_code gd_fw__conv(gd_apply *a) {
    return give(a,
                mapped(a->ctx, (conv_map)a->op->param, arg_tensor(a, 0), arg_tensor(a, 1), &a->args[2], &a->args[6]));
}

/* out (contiguous) plus one number a channel. */
static gd_code add_bias(gd_ctx *c, gd_tensor *out, gd_tensor *bias) {
    int64_t shape[2 + GD_SPATIAL] = {1, bias->numel, 1, 1, 1};
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *spread = DO(c, reshape, T_(bias), GD_INTS_VALUE(shape, out->ndim));
    gd_code code = spread ? gd_do_inplace(c, GD_OP_add, (const gd_value[]){T_(out), T_(spread)}, 2) : gd_failed(c);
    gd_release(spread);
    c->mode = mode;
    return code;
}

gd_code gd_fw__convolution(gd_apply *a) {
    gd_tensor *out = mapped(a->ctx, a->args[7].u.boolean ? TO_INPUT : FORWARD, arg_tensor(a, 0), arg_tensor(a, 1),
                            &a->args[3], &a->args[9]);
    if (out && a->args[2].kind == GD_V_TENSOR && add_bias(a->ctx, out, arg_tensor(a, 2))) {
        gd_release(out);
        return gd_failed(a->ctx);
    }
    return give(a, out);
}

/* ---- checks
 * -----------------------------------------------------------------------------------------------------
 */

/* A convolution's arguments, read. */
typedef struct conv_args {
    const char *name;
    int n;
    bool transposed, batched;
    int64_t groups;
    int64_t stride[GD_SPATIAL], padding[GD_SPATIAL], dilation[GD_SPATIAL], output_padding[GD_SPATIAL];
    int64_t size[GD_SPATIAL];
} conv_args;

static gd_code read_ints(gd_ctx *c, const gd_value *v, int n, const char *what, int64_t *out) {
    char text[TEXT];
    if (gd_spread_ints(v, n, out)) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "expected %s to be a single integer value or a list of %d "
                   "values to match the convolution dimensions, "
                   "but got %s=%s",
                   what, n, what, gd_shape_text(text, sizeof text, (int)(v->n < 32 ? v->n : 32), v->u.ints));
}

/* Numbers so large that sums of them overflow are no convolution. */
static gd_code check_numbers(gd_ctx *c, const conv_args *s) {
    const int64_t most = INT64_C(1) << 40;
    for (int d = 0; d < s->n; d++) {
        if (s->padding[d] < 0) return gd_fail(c, GD_E_RUNTIME, "negative padding is not supported");
        if (s->output_padding[d] < 0) return gd_fail(c, GD_E_RUNTIME, "negative output_padding is not supported");
        if (s->stride[d] <= 0) return gd_fail(c, GD_E_RUNTIME, "non-positive stride is not supported");
        if (s->dilation[d] <= 0) return gd_fail(c, GD_E_RUNTIME, "dilation should be greater than zero");
        if (s->padding[d] > most || s->output_padding[d] > most || s->stride[d] > most || s->dilation[d] > most)
            return gd_fail(c, GD_E_TOO_LARGE, "convolution: a setting is too large");
    }
    if (s->groups <= 0) return gd_fail(c, GD_E_RUNTIME, "non-positive groups is not supported");
    return GD_OK;
}

static gd_code check_dtypes(gd_ctx *c, const gd_tensor *x, const gd_tensor *w, const gd_tensor *bias) {
    if (!gd_dtype_is_float((gd_dtype)x->dtype) && x->dtype != GD_INT64) return gd_check_floats(c, "slow_conv2d_cpu", x);
    const gd_tensor *other = w->dtype != x->dtype ? w : bias;
    if (!other || other->dtype == x->dtype) return GD_OK;
    return gd_fail(c, GD_E_DTYPE, "expected scalar type %s but found %s", gd_dtype_scalar_name((gd_dtype)x->dtype),
                   gd_dtype_scalar_name((gd_dtype)other->dtype));
}

static gd_code check_groups(gd_ctx *c, const conv_args *s, const gd_tensor *w) {
    char wt[TEXT];
    gd_shape_text(wt, sizeof wt, w->ndim, w->sizes);
    if (s->groups > INT64_C(1) << 40 || w->sizes[0] < s->groups)
        return gd_fail(c, GD_E_RUNTIME,
                       "Given groups=%lld, expected weight to be at least %lld at "
                       "dimension 0, but got weight of size %s instead",
                       (long long)s->groups, (long long)s->groups, wt);
    if (w->sizes[0] % s->groups == 0) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "Given groups=%lld, expected weight to be divisible by %lld "
                   "at dimension 0, but got weight of size %s instead",
                   (long long)s->groups, (long long)s->groups, wt);
}

static gd_code check_channels(gd_ctx *c, const conv_args *s, const gd_tensor *x, const gd_tensor *w,
                              const gd_tensor *bias) {
    char wt[TEXT], xt[TEXT];
    gd_shape_text(wt, sizeof wt, w->ndim, w->sizes);
    int64_t channels = x->sizes[x->ndim - s->n - 1], wanted = s->transposed ? w->sizes[0] : w->sizes[1] * s->groups;
    int64_t out = s->transposed ? w->sizes[1] * s->groups : w->sizes[0];
    if (channels != wanted)
        return gd_fail(c, GD_E_RUNTIME,
                       "Given %s=%lld, weight of size %s, expected input%s to have "
                       "%lld channels, but got %lld channels instead",
                       s->transposed ? "transposed=1, groups" : "groups", (long long)s->groups, wt,
                       gd_shape_text(xt, sizeof xt, x->ndim, x->sizes), (long long)wanted, (long long)channels);
    if (bias && (bias->ndim != 1 || bias->sizes[0] != out))
        return gd_fail(c, GD_E_RUNTIME,
                       "Given %sweight of size %s, expected bias to be 1-dimensional with "
                       "%lld elements, but got bias of size %s instead",
                       s->transposed ? "transposed=1, " : "", wt, (long long)out,
                       gd_shape_text(xt, sizeof xt, bias->ndim, bias->sizes));
    return GD_OK;
}

static gd_code check_ranks(gd_ctx *c, conv_args *s, const gd_tensor *x, const gd_tensor *w) {
    char text[TEXT];
    if (x->ndim != s->n + 1 && x->ndim != s->n + 2)
        return gd_fail(c, GD_E_RUNTIME,
                       "Expected %dD (unbatched) or %dD (batched) input to %s, but "
                       "got input of size: %s",
                       s->n + 1, s->n + 2, s->name, gd_shape_text(text, sizeof text, x->ndim, x->sizes));
    s->batched = x->ndim == s->n + 2;
    if (w->ndim == s->n + 2) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "weight should have at least three dimensions, and as many as "
                   "a batched input: got %s",
                   gd_shape_text(text, sizeof text, w->ndim, w->sizes));
}

static gd_code too_large(gd_ctx *c) { return gd_fail(c, GD_E_TOO_LARGE, "convolution: a size is too large"); }

static gd_code transposed_size(gd_ctx *c, conv_args *s, const gd_tensor *x, int d, int64_t span) {
    char text[TEXT], other[TEXT];
    if (!gd_mul_i64(x->sizes[x->ndim - s->n + d] - 1, s->stride[d], &s->size[d]) || s->size[d] > INT64_C(1) << 60)
        return too_large(c);
    s->size[d] += span - 2 * s->padding[d] + s->output_padding[d];
    if (s->output_padding[d] >= s->stride[d] && s->output_padding[d] >= s->dilation[d])
        return gd_fail(c, GD_E_RUNTIME, "output padding must be smaller than either stride or dilation");
    if (s->size[d] >= 1 && span >= 1 && x->sizes[x->ndim - s->n + d] >= 1) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "Given input size per channel: %s. Calculated output size per channel: "
                   "%s. Output size is too small",
                   gd_shape_text(text, sizeof text, s->n, x->sizes + x->ndim - s->n),
                   gd_shape_text(other, sizeof other, d + 1, s->size));
}

/* The result's spatial sizes; they must be positive and fit. */
static gd_code find_sizes(gd_ctx *c, conv_args *s, const gd_tensor *x, const gd_tensor *w, const int64_t *behind) {
    char text[TEXT], other[TEXT];
    int64_t padded[GD_SPATIAL], span[GD_SPATIAL];
    bool fits = true;
    for (int d = 0; d < s->n; d++) {
        int64_t in = x->sizes[x->ndim - s->n + d], k = w->sizes[2 + d];
        if (in > INT64_C(1) << 60 || k > INT64_C(1) << 40 || !gd_mul_i64(s->dilation[d], k - 1, &span[d]) ||
            span[d] > INT64_C(1) << 60)
            return too_large(c);
        span[d] += 1;
        padded[d] = in + s->padding[d] + behind[d];
        if (!s->transposed) s->size[d] = (padded[d] - span[d]) / s->stride[d] + 1;
        fits = fits && padded[d] >= span[d] && k > 0;
        gd_code code = s->transposed ? transposed_size(c, s, x, d, span[d]) : GD_OK;
        if (code) return code;
    }
    if (fits || s->transposed) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "Calculated padded input size per channel: %s. Kernel size: "
                   "%s. Kernel size can't be greater than actual input size",
                   gd_shape_text(text, sizeof text, s->n, padded), gd_shape_text(other, sizeof other, s->n, span));
}

/* ---- what clients call
 * ------------------------------------------------------------------------------------------
 */

static gd_code convolve(gd_apply *a, conv_args *s, const int64_t *behind) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *w = arg_tensor(a, 1);
    gd_tensor *bias = a->args[2].kind == GD_V_TENSOR ? arg_tensor(a, 2) : NULL;
    gd_code code = check_numbers(c, s);
    if (!code) code = check_groups(c, s, w);
    if (!code) code = check_channels(c, s, x, w, bias);
    if (!code) code = find_sizes(c, s, x, w, behind);
    if (!code) code = check_dtypes(c, x, w, bias);
    if (code) return code;
    if (!s->batched) x = GX(c, unsqueeze, T_(x), I_(0));
    const gd_value args[] = {T_(x),
                             T_(w),
                             a->args[2],
                             IS_(s->stride, s->n),
                             IS_(s->padding, s->n),
                             IS_(s->dilation, s->n),
                             I_(s->groups),
                             B_(s->transposed),
                             IS_(s->output_padding, s->n),
                             IS_(s->size, s->n)};
    gd_tensor *y = gx_do(c, GD_OP__convolution, args, 10);
    return give_shared(a, s->batched ? y : GX(c, squeeze_dim, T_(y), I_(0)));
}

/* 'valid' pads nothing; 'same' keeps the size, with the odd element behind. */
static gd_code read_padding(gd_apply *a, conv_args *s, const gd_tensor *w, int64_t *behind) {
    gd_ctx *c = a->ctx;
    const char *name = a->args[4].u.str;
    if (a->args[4].kind != GD_V_STR) {
        gd_code code = read_ints(c, &a->args[4], s->n, "padding", s->padding);
        memcpy(behind, s->padding, sizeof s->padding);
        return code;
    }
    if (strcmp(name, "valid") == 0) return GD_OK;
    if (strcmp(name, "same") != 0) return gd_fail(c, GD_E_RUNTIME, "Invalid padding string: '%s'", name);
    for (int d = 0; d < s->n; d++) {
        int64_t total;
        if (s->stride[d] != 1)
            return gd_fail(c, GD_E_RUNTIME, "padding='same' is not supported for strided convolutions");
        if (!gd_mul_i64(s->dilation[d], w->sizes[2 + d] - 1, &total)) return too_large(c);
        s->padding[d] = total > 0 ? total / 2 : 0;
        behind[d] = total > 0 ? total - total / 2 : 0;
    }
    return GD_OK;
}

gd_code gd_fw_conv(gd_apply *a) {
    static const char *const names[] = {"", "conv1d", "conv2d", "conv3d"};
    gd_ctx *c = gd_composing(a);
    int64_t behind[GD_SPATIAL] = {0};
    conv_args s = {.n = a->op->param, .name = names[a->op->param], .groups = arg_int(a, 6)};
    gd_code code = check_ranks(c, &s, arg_tensor(a, 0), arg_tensor(a, 1));
    if (!code) code = read_ints(c, &a->args[3], s.n, "stride", s.stride);
    if (!code) code = read_ints(c, &a->args[5], s.n, "dilation", s.dilation);
    if (!code) code = read_padding(a, &s, arg_tensor(a, 1), behind);
    return code ? code : convolve(a, &s, behind);
}

gd_code gd_fw_conv_transpose(gd_apply *a) {
    static const char *const names[] = {"", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"};
    gd_ctx *c = gd_composing(a);
    conv_args s = {.n = a->op->param, .name = names[a->op->param], .transposed = true, .groups = arg_int(a, 6)};
    gd_code code = check_ranks(c, &s, arg_tensor(a, 0), arg_tensor(a, 1));
    if (!code) code = read_ints(c, &a->args[3], s.n, "stride", s.stride);
    if (!code) code = read_ints(c, &a->args[4], s.n, "padding", s.padding);
    if (!code) code = read_ints(c, &a->args[5], s.n, "output_padding", s.output_padding);
    if (!code) code = read_ints(c, &a->args[7], s.n, "dilation", s.dilation);
    return code ? code : convolve(a, &s, s.padding);
}
