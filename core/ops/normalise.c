/* normalise.c: layer, group, batch, instance and local response normalisation: checks and kernels. Derivatives are in
 * normalise_rules.c.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/kernels/rows.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/spatial.h"

#define TEXT 256

/* ---- kernels -------------------------------------------------------------------------------------------- */

/* The address of element i of a contiguous tensor; NULL where there is none. */
static void *at_element(const gd_tensor *t, int64_t i) {
    return t ? t->data + (size_t)i * gd_dtype_bytes((gd_dtype)t->dtype) : NULL;
}

/* The sum of x - mean, or of its squares, over n elements from element `at` of t. */
static double sums(const gd_tensor *t, int64_t at, int64_t n, double mean, bool squares) {
    return gd_rows()->sum[t->dtype == GD_FLOAT64](at_element(t, at), n, mean, squares);
}

/* y = (x - mean) rstd scale + shift over n elements from element `at`. */
static void scale_run(gd_tensor *out, const gd_tensor *x, int64_t at, int64_t n, double mean, double factor,
                      double shift) {
    if (x->dtype == GD_FLOAT32) {
        const float *from = (const float *)(const void *)x->data + at;
        float *to = (float *)(void *)out->data + at;
        for (int64_t i = 0; i < n; i++) to[i] = (float)(((double)from[i] - mean) * factor + shift);
    } else {
        const double *from = (const double *)(const void *)x->data + at;
        double *to = (double *)(void *)out->data + at;
        for (int64_t i = 0; i < n; i++) to[i] = (from[i] - mean) * factor + shift;
    }
}

/* Element i of a contiguous tensor, or `other` where there is none. */
static double element(const gd_tensor *t, int64_t i, double other) {
    return t ? gd_load_f64((gd_dtype)t->dtype, t->data + (size_t)i * gd_dtype_bytes((gd_dtype)t->dtype)) : other;
}
static void set_element(gd_tensor *t, int64_t i, double v) {
    gd_store_f64((gd_dtype)t->dtype, t->data + (size_t)i * gd_dtype_bytes((gd_dtype)t->dtype), v);
}

/* What a row works on: contiguous copies, temporaries of the pool, and the outputs. */
typedef struct job {
    gd_tensor *x, *weight, *bias, *out, *mean, *rstd;
} job;

static gd_tensor *dense(gd_ctx *c, const gd_value *v) {
    return v->kind == GD_V_TENSOR ? gd_pool_add(c, gd_as_contiguous(c, v->u.tensor)) : NULL;
}

/* Fills j; the statistics get the given shape. */
static gd_code begin(gd_apply *a, job *j, int weight, int ndim, const int64_t *sizes) {
    gd_ctx *c = gd_composing(a);
    gd_dtype dtype = (gd_dtype)arg_tensor(a, 0)->dtype;
    gd_code code = gd_apply_reserve(a, 3);
    if (code) return code;
    j->x = dense(c, &a->args[0]);
    j->weight = dense(c, &a->args[weight]);
    j->bias = dense(c, &a->args[weight + 1]);
    if (c->error.code != GD_OK) return c->error.code;
    a->out[0] = j->out = gd_empty_like(c, j->x, dtype);
    a->out[1] = j->mean = gd_empty(c, dtype, ndim, sizes);
    a->out[2] = j->rstd = gd_empty(c, dtype, ndim, sizes);
    return j->out && j->mean && j->rstd ? GD_OK : gd_failed(c);
}

/* Mean and 1 / sqrt(variance + eps) of n elements from element `at`, written as statistic i. */
static void moments(job *j, int64_t i, int64_t at, int64_t n, double eps, double *mean, double *rstd) {
    *mean = sums(j->x, at, n, 0, false) / (double)n;
    double variance = sums(j->x, at, n, *mean, true) / (double)n;
    /* rounded as PyTorch's: where there is no variance, rounding is all that is left */
    *rstd = j->x->dtype == GD_FLOAT32 ? (double)(1 / sqrtf((float)variance + (float)eps)) : 1 / sqrt(variance + eps);
    set_element(j->mean, i, *mean);
    set_element(j->rstd, i, *rstd);
}

gd_code gd_fw__layer_norm(gd_apply *a) {
    const gd_tensor *x = arg_tensor(a, 0);
    int last = arg_count(a, 1), first = x->ndim - last;
    int64_t sizes[GD_MAX_DIMS], rows = 1, n = 1;
    for (int d = 0; d < x->ndim; d++) {
        sizes[d] = d < first ? x->sizes[d] : 1;
        if (d < first)
            rows *= x->sizes[d];
        else
            n *= x->sizes[d];
    }
    job j;
    gd_code code = begin(a, &j, 2, x->ndim, sizes);
    for (int64_t i = 0; !code && i < rows; i++) {
        double mean, rstd;
        moments(&j, i, i * n, n, arg_f64(a, 4), &mean, &rstd);
        const gd_row row = {.out = at_element(j.out, i * n),
                            .x = at_element(j.x, i * n),
                            .weight = at_element(j.weight, 0),
                            .bias = at_element(j.bias, 0),
                            .n = n,
                            .mean = mean,
                            .rstd = rstd};
        gd_rows()->scale[x->dtype == GD_FLOAT64](&row);
    }
    return code;
}

gd_code gd_fw__group_norm(gd_apply *a) {
    int64_t samples = arg_int(a, 3), channels = arg_int(a, 4), inner = arg_int(a, 5), groups = arg_int(a, 6);
    int64_t each = channels / groups, n = each * inner;
    job j;
    gd_code code = begin(a, &j, 1, 2, (const int64_t[]){samples, groups});
    for (int64_t i = 0; !code && i < samples * groups; i++) {
        double mean, rstd;
        moments(&j, i, i * n, n, arg_f64(a, 7), &mean, &rstd);
        for (int64_t k = 0; k < each; k++) {
            int64_t channel = i % groups * each + k;
            scale_run(j.out, j.x, i * n + k * inner, inner, mean, rstd * element(j.weight, channel, 1),
                      element(j.bias, channel, 0));
        }
    }
    return code;
}

gd_code gd_fw__layer_norm_input(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *g = dense(c, &a->args[0]), *x = dense(c, &a->args[1]), *w = dense(c, &a->args[2]);
    gd_tensor *mean = dense(c, &a->args[3]), *rstd = dense(c, &a->args[4]);
    if (!g || !x || !mean || !rstd || c->error.code != GD_OK) return gd_failed(c);
    gd_tensor *out = gd_empty_like(c, x, (gd_dtype)x->dtype);
    int64_t n = mean->numel ? x->numel / mean->numel : 0;
    for (int64_t i = 0; out && n && i < mean->numel; i++) {
        const gd_row row = {.out = at_element(out, i * n),
                            .x = at_element(x, i * n),
                            .weight = at_element(w, 0),
                            .grad = at_element(g, i * n),
                            .n = n,
                            .mean = element(mean, i, 0),
                            .rstd = element(rstd, i, 0)};
        gd_rows()->slope[x->dtype == GD_FLOAT64](&row);
    }
    return give(a, out);
}

static int64_t inner_size(const gd_tensor *x) {
    int64_t n = 1;
    for (int d = 2; d < x->ndim; d++) n *= x->sizes[d];
    return n;
}

/* running = momentum now + (1 - momentum) running, wherever its element lies. */
static void update(const gd_value *running, int64_t channel, double now, double momentum) {
    if (running->kind != GD_V_TENSOR) return;
    gd_tensor *t = running->u.tensor;
    gd_dtype dtype = (gd_dtype)t->dtype;
    char *p = (char *)t->data + channel * GD_STRIDES(t)[0] * (int64_t)gd_dtype_bytes(dtype);
    gd_store_f64(dtype, p, momentum * now + (1 - momentum) * gd_load_f64(dtype, p));
}

/* The statistics of one channel while training: over the whole batch. The variance that runs on is unbiased. */
static void train_channel(gd_apply *a, job *j, int64_t channel, int64_t inner, double *mean, double *rstd) {
    int64_t channels = j->x->sizes[1], n = j->x->sizes[0] * inner;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < j->x->sizes[0]; i++) sum += sums(j->x, (i * channels + channel) * inner, inner, 0, false);
    *mean = sum / (double)n;
    for (int64_t i = 0; i < j->x->sizes[0]; i++)
        squares += sums(j->x, (i * channels + channel) * inner, inner, *mean, true);
    *rstd = 1 / sqrt(squares / (double)n + arg_f64(a, 7));
    set_element(j->mean, channel, *mean);
    set_element(j->rstd, channel, *rstd);
    update(&a->args[3], channel, *mean, arg_f64(a, 6));
    update(&a->args[4], channel, squares / (double)(n - 1), arg_f64(a, 6));
}

gd_code gd_fw__batch_norm(gd_apply *a) {
    const gd_tensor *x = arg_tensor(a, 0);
    bool training = a->args[5].u.boolean;
    int64_t channels = x->sizes[1], inner = inner_size(x);
    job j;
    gd_code code = begin(a, &j, 1, 1, (const int64_t[]){training ? channels : 0});
    gd_tensor *running = code || training ? NULL : dense(a->ctx, &a->args[3]);
    gd_tensor *variance = code || training ? NULL : dense(a->ctx, &a->args[4]);
    if (!code && !training && (!running || !variance)) return gd_failed(a->ctx);
    for (int64_t k = 0; !code && k < channels; k++) {
        double mean, rstd;
        if (training) {
            train_channel(a, &j, k, inner, &mean, &rstd);
        } else {
            mean = element(running, k, 0);
            rstd = 1 / sqrt(element(variance, k, 1) + arg_f64(a, 7));
        }
        double factor = rstd * element(j.weight, k, 1), shift = element(j.bias, k, 0);
        for (int64_t i = 0; i < x->sizes[0]; i++)
            scale_run(j.out, j.x, (i * channels + k) * inner, inner, mean, factor, shift);
    }
    return code;
}

/* ---- checks --------------------------------------------------------------------------------------------- */

static gd_code check_same_dtype(gd_ctx *c, const gd_tensor *x, const gd_tensor *t) {
    if (!t || t->dtype == x->dtype) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME, "expected scalar type %s but found %s", gd_dtype_scalar_name((gd_dtype)x->dtype),
                   gd_dtype_scalar_name((gd_dtype)t->dtype));
}

static bool has_shape(const gd_tensor *t, int ndim, const int64_t *sizes) {
    return !t || (t->ndim == ndim && (ndim == 0 || memcmp(t->sizes, sizes, (size_t)ndim * sizeof *sizes) == 0));
}

static gd_code check_layer_weight(gd_apply *a, const char *name, const gd_tensor *t) {
    char one[TEXT], two[TEXT];
    if (has_shape(t, arg_count(a, 1), arg_ints(a, 1))) return GD_OK;
    return gd_fail(
        a->ctx, GD_E_RUNTIME,
        "Expected %s to be of same shape as normalized_shape, but got %s of shape %s and normalized_shape = %s", name,
        name, gd_shape_text(one, sizeof one, t->ndim, t->sizes),
        gd_shape_text(two, sizeof two, arg_count(a, 1), arg_ints(a, 1)));
}

static gd_code check_layer_shape(gd_apply *a) {
    char one[TEXT], two[TEXT];
    const gd_tensor *x = arg_tensor(a, 0);
    int n = arg_count(a, 1);
    if (n <= x->ndim && memcmp(x->sizes + (x->ndim - n), arg_ints(a, 1), (size_t)n * sizeof(int64_t)) == 0)
        return GD_OK;
    gd_shape_text(one, sizeof one, n, arg_ints(a, 1));
    return gd_fail(a->ctx, GD_E_RUNTIME,
                   "Given normalized_shape=%s, expected input with shape [*, %s, but got input of size%s", one, one + 1,
                   gd_shape_text(two, sizeof two, x->ndim, x->sizes));
}

static gd_code check_floats_of(gd_ctx *c, const char *kernel, const gd_tensor *x, const gd_tensor *w,
                               const gd_tensor *b) {
    gd_code code = gd_check_floats(c, kernel, x);
    if (!code) code = check_same_dtype(c, x, w);
    return code ? code : check_same_dtype(c, x, b);
}

/* The recorded result of row `id`, and with all its statistics, which are outside the graph. */
static gd_code give_statistics(gd_apply *a, gd_op_id id, const gd_value *args, int nargs, bool all) {
    gd_result r = {0};
    gd_ctx *c = a->ctx;
    gd_code code = gd_do_all(c, id, args, nargs, &r);
    if (!code && all) code = gd_apply_reserve(a, 3);
    if (!code && !all) code = give(a, gd_retain(r.outputs[0]));
    if (!code && all) {
        a->out[0] = gd_retain(r.outputs[0]);
        a->out[1] = gd_detach(c, r.outputs[1]);
        a->out[2] = gd_detach(c, r.outputs[2]);
        if (!a->out[1] || !a->out[2]) code = gd_failed(c);
    }
    gd_result_clear(&r);
    return code;
}

gd_code gd_fw_layer_norm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *w = gd_maybe_tensor(a, 2), *b = gd_maybe_tensor(a, 3);
    if (arg_count(a, 1) == 0)
        return gd_fail(c, GD_E_RUNTIME,
                       "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
                       "but got normalized_shape = []");
    gd_code code = check_layer_weight(a, "weight", w);
    if (!code) code = check_layer_weight(a, "bias", b);
    if (!code) code = check_layer_shape(a);
    if (!code) code = check_floats_of(c, "LayerNormKernelImpl", arg_tensor(a, 0), w, b);
    return code ? code : give_statistics(a, GD_OP__layer_norm, a->args, 5, false);
}

static gd_code no_channels(gd_ctx *c, const gd_tensor *x) {
    if (x->ndim == 0) return gd_fail(c, GD_E_INDEX, "tuple index out of range");
    return gd_fail(c, GD_E_INDEX, "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
}

static gd_code check_channel_weight(gd_ctx *c, const char *name, const gd_tensor *t, const gd_tensor *shown,
                                    const gd_tensor *x) {
    char one[TEXT] = "[0]", two[TEXT];
    if (has_shape(t, 1, &x->sizes[1])) return GD_OK;
    if (shown) gd_shape_text(one, sizeof one, shown->ndim, shown->sizes);
    return gd_fail(
        c, GD_E_RUNTIME,
        "Expected %s to be a vector of size equal to the number of channels in input, but got %s of shape %s "
        "and input of shape %s",
        name, name, one, gd_shape_text(two, sizeof two, x->ndim, x->sizes));
}

/* What PyTorch's Python says of a group of one value: its shape is that of a batch of groups. */
static gd_code check_group_size(gd_ctx *c, const gd_tensor *x, int64_t groups) {
    char text[TEXT];
    int64_t sizes[GD_MAX_DIMS], all;
    if (groups == 0) return gd_fail(c, GD_E_RUNTIME, "integer division or modulo by zero");
    if (groups < 0 || !gd_mul_i64(x->sizes[0], x->sizes[1], &all)) return GD_OK;
    memcpy(sizes, x->sizes, (size_t)x->ndim * sizeof *sizes);
    sizes[0] = all / groups;
    sizes[1] = groups;
    if (sizes[0] != 1 || inner_size(x) != 1) return GD_OK;
    return gd_fail(c, GD_E_VALUE, "Expected more than 1 value per channel when training, got input size %s",
                   gd_shape_text(text, sizeof text, x->ndim, sizes));
}

static gd_code check_groups(gd_apply *a, const gd_tensor *x, int64_t groups) {
    char text[TEXT];
    gd_ctx *c = a->ctx;
    gd_tensor *w = gd_maybe_tensor(a, 2), *b = gd_maybe_tensor(a, 3);
    gd_code code = check_group_size(c, x, groups);
    if (code) return code;
    if (groups <= 0) /* check_group_size has refused 0 as Python does */
        return gd_fail(c, GD_E_RUNTIME, "Expected num groups to be greater than 0, got %" PRId64, groups);
    if (x->sizes[1] % groups != 0)
        return gd_fail(c, GD_E_RUNTIME,
                       "Expected number of channels in input to be divisible by num_groups, but got input of shape %s "
                       "and num_groups=%" PRId64,
                       gd_shape_text(text, sizeof text, x->ndim, x->sizes), groups);
    code = check_channel_weight(c, "weight", w, w, x);
    if (!code) code = check_channel_weight(c, "bias", b, w, x); /* PyTorch too shows weight's shape */
    return code ? code : check_floats_of(c, "GroupNormKernelImpl", x, w, b);
}

gd_code gd_fw_group_norm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    const gd_tensor *x = arg_tensor(a, 0);
    int64_t groups = arg_int(a, 1), numel;
    if (x->ndim < 2) return no_channels(c, x);
    gd_code code = check_groups(a, x, groups);
    if (!code) code = gd_checked_numel(c, (gd_dtype)x->dtype, 2, (const int64_t[]){x->sizes[0], groups}, &numel);
    if (code) return code;
    const gd_value args[] = {a->args[0],      a->args[2],        a->args[3], I_(x->sizes[0]),
                             I_(x->sizes[1]), I_(inner_size(x)), I_(groups), a->args[4]};
    return give_statistics(a, GD_OP__group_norm, args, 8, false);
}

/* ---- batches ------------------------------------------------------------------------------------------------ */

static gd_code check_channels(gd_ctx *c, const gd_value *v, const char *name, int64_t channels) {
    if (v->kind != GD_V_TENSOR || v->u.tensor->numel == channels) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME, "%s should contain %" PRId64 " elements not %" PRId64, name, channels,
                   v->u.tensor->numel);
}

static gd_code check_batch_dtypes(gd_ctx *c, const gd_tensor *x, const gd_value *const *given) {
    const gd_tensor *first = NULL;
    gd_code code = gd_check_floats(c, "batch_norm", x);
    for (int i = 0; i < 4 && !code; i++) {
        const gd_tensor *t = given[i]->kind == GD_V_TENSOR ? given[i]->u.tensor : NULL;
        if (t && !first && t->dtype != x->dtype)
            return gd_fail(c, GD_E_RUNTIME, "mixed dtype (CPU): expect %s to have scalar type of %s",
                           t->dtype == GD_FLOAT32 ? "input" : "parameter",
                           t->dtype == GD_FLOAT32 ? "BFloat16" : "Float");
        if (t && !first) first = t;
        code = check_same_dtype(c, x, t);
    }
    return code;
}

/* given: weight, bias, running_mean, running_var. */
static gd_code check_batch(gd_ctx *c, const gd_tensor *x, const gd_value *const *given, bool training) {
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    static const int order[] = {2, 3, 0, 1};
    gd_code code = GD_OK;
    for (int i = 0; i < 4 && !code; i++) {
        int k = order[i];
        if (k >= 2 && !training && given[k]->kind != GD_V_TENSOR)
            return gd_fail(c, GD_E_RUNTIME, "%s must be defined in evaluation mode", names[k]);
        code = check_channels(c, given[k], names[k], x->sizes[1]);
    }
    if (!code) code = check_batch_dtypes(c, x, given);
    for (int k = 2; k < 4 && !code; k++)
        if (c->mode == GD_MODE_GRAD && given[k]->kind == GD_V_TENSOR && gd_requires_grad(given[k]->u.tensor))
            return gd_fail(c, GD_E_RUNTIME,
                           "The function 'native_batch_norm' is not differentiable with respect to argument '%s'. This "
                           "input cannot have requires_grad True.",
                           names[k]);
    for (int k = 0; k < 4 && !code; k++)
        if (given[k]->kind == GD_V_TENSOR && given[k]->u.tensor->ndim != 1)
            return gd_fail(c, GD_E_RUNTIME, "expected 1 dims but tensor has %d", given[k]->u.tensor->ndim);
    return code;
}

gd_code gd_fw_native_batch_norm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    const gd_tensor *x = arg_tensor(a, 0);
    const gd_value *const given[] = {&a->args[1], &a->args[2], &a->args[3], &a->args[4]};
    if (x->ndim < 2) return no_channels(c, x);
    gd_code code = check_batch(c, x, given, a->args[5].u.boolean);
    return code ? code : give_statistics(a, GD_OP__batch_norm, a->args, 8, true);
}

/* An empty batch: itself, tied to the weights. */
static gd_code empty_batch(gd_apply *a, gd_tensor *x, const gd_value *weight, const gd_value *bias) {
    gd_ctx *c = a->ctx;
    gd_tensor *out = GX(c, clone, T_(x));
    if (weight->kind == GD_V_TENSOR && weight->u.tensor->numel)
        out = gx_mul(c, out, GX(c, select, *weight, I_(0), I_(0)));
    if (bias->kind == GD_V_TENSOR && bias->u.tensor->numel) out = gx_add(c, out, GX(c, select, *bias, I_(0), I_(0)));
    return give_shared(a, out);
}

/* args as of batch_norm; x may be another shape of the input. */
static gd_code run_batch(gd_apply *a, gd_tensor *x, const gd_value *args) {
    const gd_value *const given[] = {&args[3], &args[4], &args[1], &args[2]};
    if (x->numel == 0) return empty_batch(a, x, &args[3], &args[4]);
    gd_code code = check_batch(a->ctx, x, given, args[5].u.boolean);
    if (code) return code;
    const gd_value native[] = {T_(x), args[3], args[4], args[1], args[2], args[5], args[6], args[7]};
    return give_statistics(a, GD_OP__batch_norm, native, 8, false);
}

static gd_code check_more_than_one(gd_ctx *c, const gd_tensor *x, int64_t values, const char *what) {
    char text[TEXT];
    if (values != 1) return GD_OK;
    return gd_fail(c, GD_E_VALUE, "Expected more than 1 %s when training, got input size torch.Size(%s)", what,
                   gd_shape_text(text, sizeof text, x->ndim, x->sizes));
}

gd_code gd_fw_batch_norm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    gd_code code = GD_OK;
    if (x->ndim == 0) return no_channels(c, x);
    if (a->args[5].u.boolean) code = check_more_than_one(c, x, x->sizes[0] * inner_size(x), "value per channel");
    if (!code && x->ndim < 2 && x->numel) return no_channels(c, x);
    return code ? code : run_batch(a, x, a->args);
}

/* ---- instances: a batch of one, whose channels are those of all samples ----------------------------------------- */

static gd_tensor *repeated(gd_ctx *c, const gd_value *v, int64_t times) {
    return v->kind == GD_V_TENSOR ? GX(c, repeat, *v, SHAPE_(times)) : NULL;
}
static gd_value maybe(gd_tensor *t) { return t ? T_(t) : GD_NONE_VALUE; }

/* What ran on is the mean over the samples. */
static gd_code copy_back(gd_ctx *c, const gd_value *running, gd_tensor *copy, int64_t samples, int64_t channels) {
    if (!copy) return GD_OK;
    gd_tensor *mean = GX(c, mean_dim, T_(GX(c, view, T_(copy), SHAPE_(samples, channels))), SHAPE_(0), B_(false));
    gd_tensor *target = mean ? gd_pool_add(c, gd_detach(c, running->u.tensor)) : NULL;
    if (!target) return gd_failed(c);
    return gd_do_inplace(c, GD_OP_copy_, (const gd_value[]){T_(target), T_(mean)}, 2);
}

gd_code gd_fw_instance_norm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    bool own = a->args[5].u.boolean;
    gd_code code = own ? check_more_than_one(c, x, inner_size(x), "spatial element") : GD_OK;
    if (code) return code;
    if (x->ndim < 2) return no_channels(c, x);
    if (!own && (a->args[1].kind != GD_V_TENSOR || a->args[2].kind != GD_V_TENSOR))
        return gd_fail(c, GD_E_RUNTIME,
                       "Expected running_mean and running_var to be defined when use_input_stats is false");
    int64_t samples = x->sizes[0], channels = x->sizes[1], sizes[GD_MAX_DIMS];
    memcpy(sizes, x->sizes, (size_t)x->ndim * sizeof *sizes);
    sizes[0] = 1;
    if (!gd_mul_i64(samples, channels, &sizes[1])) return gd_fail(c, GD_E_TOO_LARGE, "instance_norm: too large");
    gd_tensor *mean = repeated(c, &a->args[1], samples), *var = repeated(c, &a->args[2], samples);
    gd_tensor *w = repeated(c, &a->args[3], samples), *b = repeated(c, &a->args[4], samples);
    gd_tensor *flat = GX(c, view, T_(GX(c, contiguous, T_(x))), IS_(sizes, x->ndim));
    if (!flat || c->error.code != GD_OK) return gd_failed(c);
    const gd_value args[] = {T_(flat), maybe(mean), maybe(var), maybe(w), maybe(b), a->args[5], a->args[6], a->args[7]};
    code = run_batch(a, flat, args);
    if (!code && x->numel) code = copy_back(c, &a->args[1], mean, samples, channels);
    if (!code && x->numel) code = copy_back(c, &a->args[2], var, samples, channels);
    if (code) return code;
    gd_tensor *out = gd_pool_add(c, a->out[0]);
    a->out[0] = NULL;
    a->nout = 0;
    return give_shared(a, GX(c, view, T_(out), IS_(x->sizes, x->ndim)));
}

/* ---- neighbouring channels --------------------------------------------------------------------------------------- */

/* The mean square over `size` channels around each; unbatched volumes as one dimension, as PyTorch computes them. */
static gd_tensor *neighbours(gd_ctx *c, gd_tensor *x, int64_t size) {
    const int64_t *s = x->sizes, before = size / 2, after = (size - 1) / 2;
    gd_tensor *square = gx_mul(c, x, x);
    if (x->ndim == 3) {
        square = GX(c, pad, T_(GX(c, unsqueeze, T_(square), I_(1))), SHAPE_(0, 0, before, after));
        square = GX(c, avg_pool2d, T_(square), SHAPE_(size, 1), SHAPE_(1, 1));
        return GX(c, squeeze_dim, T_(square), I_(1));
    }
    int64_t rest = 1;
    for (int d = 3; d < x->ndim; d++) rest *= s[d];
    square = GX(c, view, T_(square), SHAPE_(s[0], 1, s[1], s[2], rest));
    square = GX(c, pad, T_(square), SHAPE_(0, 0, 0, 0, before, after));
    square = GX(c, avg_pool3d, T_(square), SHAPE_(size, 1, 1), SHAPE_(1, 1, 1));
    return GX(c, view, T_(GX(c, squeeze_dim, T_(square), I_(1))), IS_(s, x->ndim));
}

gd_code gd_fw_local_response_norm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    int64_t size = arg_int(a, 1);
    if (x->ndim < 3)
        return gd_fail(c, GD_E_VALUE,
                       "Expected 3D or higher dimensionality                          input (got %d dimensions)",
                       x->ndim);
    if (x->numel == 0) return give(a, gd_retain(x));
    if (size <= 0)
        return gd_fail(c, GD_E_RUNTIME,
                       x->ndim == 3 ? "kernel size should be greater than zero, but got kH: %" PRId64 " kW: 1"
                                    : "kernel size should be greater than zero, but got kT: %" PRId64 " kH: 1 kW: 1",
                       size);
    gd_tensor *div = gx_add_s(c, gx_mul_s(c, neighbours(c, x, size), arg_f64(a, 2)), arg_f64(a, 4));
    div = GX(c, pow_scalar, T_(div), F_(arg_f64(a, 3)));
    return give_shared(a, gx_div(c, x, div));
}
