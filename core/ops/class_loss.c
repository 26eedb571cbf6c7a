/* class_loss.c: losses of classes: nll_loss of vectors and images, and cross_entropy; rows of nn.def. Derivatives are
 * in nn_rules.c. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"

#define TEXT 256
#define TV(t) GD_TENSOR_VALUE(t)

/* ---- vectors ---------------------------------------------------------------------------------------------------- */

static gd_code check_nll(gd_ctx *c, const gd_tensor *self, const gd_tensor *target, const gd_tensor *weight) {
    char text[TEXT], other[TEXT];
    int64_t classes = self->sizes[self->ndim - 1];
    if (target->ndim > 1)
        return gd_fail(c, GD_E_RUNTIME, "0D or 1D target tensor expected, multi-target not supported");
    if (!(self->ndim == 1 && target->ndim == 0) && (target->ndim == 0 || self->sizes[0] != target->sizes[0]))
        return gd_fail(c, GD_E_SHAPE, "size mismatch (got input: %s, target: %s)",
                       gd_shape_text(text, sizeof text, self->ndim, self->sizes),
                       gd_shape_text(other, sizeof other, target->ndim, target->sizes));
    if (weight && (weight->ndim != 1 || weight->numel != classes))
        return gd_fail(c, GD_E_SHAPE,
                       "weight tensor should be defined either for all %lld classes or no "
                       "classes but got weight tensor "
                       "of shape: %s",
                       (long long)classes, gd_shape_text(text, sizeof text, weight->ndim, weight->sizes));
    if (target->dtype != GD_INT64 && target->dtype != GD_UINT8)
        return gd_fail(c, GD_E_DTYPE, "expected scalar type Long but found %s",
                       gd_dtype_scalar_name((gd_dtype)target->dtype));
    if (weight && weight->dtype != self->dtype)
        return gd_fail(c, GD_E_DTYPE, "expected scalar type %s but found %s",
                       gd_dtype_scalar_name((gd_dtype)self->dtype), gd_dtype_scalar_name((gd_dtype)weight->dtype));
    return GD_OK;
}

/* What one pass over the targets yields. */
typedef struct nll_sums {
    double loss, weight;
} nll_sums;

/* Adds up minus weight times log-probability of each target; each goes to
 * `each` too if that is not NULL. */
static gd_code sum_targets(gd_ctx *c, const gd_tensor *self, const gd_tensor *target, const gd_tensor *weight,
                           int64_t ignored, gd_tensor *each, nll_sums *sums) {
    gd_dtype dtype = (gd_dtype)self->dtype, kind = (gd_dtype)target->dtype;
    int64_t width = (int64_t)gd_dtype_bytes(dtype), rows = self->ndim == 1 ? 1 : self->sizes[0];
    int64_t classes = self->sizes[self->ndim - 1], row = self->ndim == 1 ? 0 : GD_STRIDES(self)[0] * width;
    int64_t step = target->ndim ? GD_STRIDES(target)[0] * (int64_t)gd_dtype_bytes(kind) : 0;
    *sums = (nll_sums){0, 0};
    for (int64_t i = 0; i < rows; i++) {
        int64_t t = gd_load_i64(kind, target->data + i * step);
        double loss = 0;
        if (t != ignored) {
            if (t < 0 || t >= classes) return gd_fail(c, GD_E_INDEX, "Target %lld is out of bounds.", (long long)t);
            double w = weight ? gd_load_f64(dtype, weight->data + t * GD_STRIDES(weight)[0] * width) : 1;
            loss = -w * gd_load_f64(dtype, self->data + i * row + t * GD_STRIDES(self)[self->ndim - 1] * width);
            sums->weight += w;
        }
        sums->loss += loss;
        if (each) gd_store_f64(dtype, each->data + i * width, loss);
    }
    return GD_OK;
}

gd_code gd_fw__nll_loss(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *target = arg_tensor(a, 1), *weight = gd_maybe_tensor(a, 2), *each = NULL;
    gd_reduction reduction = (gd_reduction)arg_int(a, 3);
    gd_dtype dtype = (gd_dtype)self->dtype;
    nll_sums sums;
    gd_code code = check_nll(c, self, target, weight);
    if (code) return code;
    bool apart = reduction == GD_REDUCE_NONE && self->ndim == 2;
    if (apart && !(each = gd_empty(c, dtype, 1, self->sizes))) return gd_failed(c);
    code = sum_targets(c, self, target, weight, arg_int(a, 4), each, &sums);
    if (!code) code = gd_apply_reserve(a, 2);
    if (code) {
        gd_release(each);
        return code;
    }
    double total = reduction == GD_REDUCE_MEAN ? sums.loss / sums.weight : sums.loss;
    a->out[0] = each ? each : gd_scalar_f64(c, total, dtype);
    a->out[1] = gd_scalar_f64(c, apart ? 0 : sums.weight, dtype);
    return a->out[0] && a->out[1] ? GD_OK : gd_failed(c);
}

/* ---- images --------------------------------------------------------------------------------------------------- */

static gd_code check_nll2d(gd_ctx *c, const gd_tensor *self, const gd_tensor *target, const gd_tensor *weight) {
    char text[TEXT], other[TEXT];
    const int64_t *s = self->sizes, *t = target->sizes;
    if (target->ndim != 3)
        return gd_fail(c, GD_E_SHAPE,
                       "only batches of spatial targets supported (3D tensors) but got targets of dimension: %d",
                       target->ndim);
    if (weight && weight->numel != s[1])
        return gd_fail(c, GD_E_SHAPE, "weight tensor should be defined either for all or no classes");
    if (s[0] != t[0] || s[2] != t[1] || s[3] != t[2])
        return gd_fail(c, GD_E_SHAPE, "size mismatch (got input: %s , target: %s",
                       gd_shape_text(text, sizeof text, 4, s), gd_shape_text(other, sizeof other, 3, t));
    if (target->dtype != GD_INT64)
        return gd_fail(c, GD_E_DTYPE, "expected scalar type Long but found %s",
                       gd_dtype_scalar_name((gd_dtype)target->dtype));
    if (weight && weight->dtype != self->dtype)
        return gd_fail(c, GD_E_DTYPE, "expected scalar type %s but found %s",
                       gd_dtype_scalar_name((gd_dtype)self->dtype), gd_dtype_scalar_name((gd_dtype)weight->dtype));
    return GD_OK;
}

/* One pass over the pixels of contiguous images; each loss goes to `each` too if that is not NULL. False with *outside
 * for a target that is no class. */
#define SUM_PIXELS(T)                                                                                                  \
    static bool sum_pixels_##T(const gd_tensor *self, const gd_tensor *target, const T *weight, int64_t ignored,       \
                               T *each, nll_sums *sums, int64_t *outside) {                                            \
        const int64_t classes = self->sizes[1], plane = self->sizes[2] * self->sizes[3];                               \
        const int64_t *class = (const int64_t *)(const void *)target->data;                                            \
        const T *x = (const T *)(const void *)self->data;                                                              \
        *sums = (nll_sums){0, 0};                                                                                      \
        for (int64_t n = 0; n < self->sizes[0]; n++, class += plane, x += classes * plane)                             \
            for (int64_t i = 0; i < plane; i++) {                                                                      \
                const int64_t t = class[i];                                                                            \
                if (t != ignored && (t < 0 || t >= classes)) return *outside = t, false;                               \
                const T w = t == ignored ? 0                                                                           \
                            : weight     ? weight[t]                                                                   \
                                         : 1,                                                                              \
                        loss = t == ignored ? 0 : -w * x[t * plane + i];                                               \
                sums->weight += (double)w;                                                                             \
                sums->loss += (double)loss;                                                                            \
                if (each) each[n * plane + i] = loss;                                                                  \
            }                                                                                                          \
        return true;                                                                                                   \
    }
SUM_PIXELS(float)
SUM_PIXELS(double)

static bool sum_pixels(const gd_tensor *self, const gd_tensor *target, const gd_tensor *weight, int64_t ignored,
                       gd_tensor *each, nll_sums *sums, int64_t *outside) {
    const void *w = weight ? weight->data : NULL;
    void *to = each ? each->data : NULL;
    if (self->dtype == GD_FLOAT32) return sum_pixels_float(self, target, w, ignored, to, sums, outside);
    return sum_pixels_double(self, target, w, ignored, to, sums, outside);
}

gd_code gd_fw__nll_loss2d(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_reduction reduction = (gd_reduction)arg_int(a, 3);
    gd_tensor *given = gd_maybe_tensor(a, 2), *each = NULL;
    nll_sums sums;
    int64_t outside = 0;
    gd_code code = check_nll2d(c, arg_tensor(a, 0), arg_tensor(a, 1), given);
    if (!code) code = gd_apply_reserve(a, 2);
    if (code) return code;
    gd_tensor *self = gd_as_contiguous(c, arg_tensor(a, 0));
    gd_tensor *target = self ? gd_as_contiguous(c, arg_tensor(a, 1)) : NULL;
    gd_tensor *weight = target && given ? gd_as_contiguous(c, given) : NULL;
    bool apart = reduction == GD_REDUCE_NONE, good = target && (weight || !given);
    if (good && apart) good = (each = gd_empty(c, (gd_dtype)self->dtype, 3, target->sizes)) != NULL;
    code = good ? GD_OK : gd_failed(c);
    if (good && !sum_pixels(self, target, weight, arg_int(a, 4), each, &sums, &outside))
        code = gd_fail(c, GD_E_INDEX, "Target %lld is out of bounds.", (long long)outside);
    a->out[0] = each;
    if (!code && !apart)
        a->out[0] =
            gd_scalar_f64(c, reduction == GD_REDUCE_MEAN ? sums.loss / sums.weight : sums.loss, (gd_dtype)self->dtype);
    if (!code) a->out[1] = gd_scalar_f64(c, apart ? 0 : sums.weight, (gd_dtype)self->dtype);
    if (!code && !(a->out[0] && a->out[1])) code = gd_failed(c);
    gd_release(self);
    gd_release(target);
    gd_release(weight);
    return code;
}

static gd_code wrong_images(gd_ctx *c, const gd_tensor *input, const gd_tensor *target) {
    char want[TEXT], got[TEXT];
    int64_t sizes[GD_MAX_DIMS];
    sizes[0] = input->sizes[0];
    for (int d = 2; d < input->ndim; d++) sizes[d - 1] = input->sizes[d];
    return gd_fail(c, GD_E_SHAPE, "Expected target size %s, got %s",
                   gd_shape_text(want, sizeof want, input->ndim - 1, sizes),
                   gd_shape_text(got, sizeof got, target->ndim, target->sizes));
}

/* New: lines and volumes, as images of one row. */
static gd_tensor *nll_of_images(gd_ctx *c, gd_tensor *input, gd_tensor *target, const gd_value *weight,
                                gd_reduction reduction, int64_t ignored) {
    bool same = target->ndim == input->ndim - 1;
    for (int d = 1; same && d < target->ndim; d++) same = target->sizes[d] == input->sizes[d + 1];
    if (input->ndim != 4 && !same) return (void)wrong_images(c, input, target), NULL;
    c->error.code = GD_OK;
    if (input->ndim == 4)
        return gd_retain(GX(c, _nll_loss2d, T_(input), T_(target), *weight, I_(reduction), I_(ignored)));
    const int64_t n = input->sizes[0], full = input->numel > 0, some = target->numel > 0;
    const int64_t flat[] = {n, input->sizes[1], full, full ? -1 : 0}, classes[] = {n, some, some ? -1 : 0};
    gd_tensor *x = GX(c, view, T_(GX(c, contiguous, T_(input))), IS_(flat, 4));
    gd_tensor *t = GX(c, view, T_(GX(c, contiguous, T_(target))), IS_(classes, 3));
    gd_tensor *loss = GX(c, _nll_loss2d, T_(x), T_(t), *weight, I_(reduction), I_(ignored));
    if (reduction == GD_REDUCE_NONE) loss = GX(c, view, T_(loss), IS_(target->sizes, target->ndim));
    return gd_retain(loss);
}

static gd_tensor *nll(gd_ctx *c, gd_tensor *input, gd_tensor *target, const gd_value *weight, gd_reduction reduction,
                      int64_t ignored) {
    if (input->ndim < 1) {
        gd_fail(c, GD_E_VALUE, "Expected 1 or more dimensions (got 0)");
    } else if (input->ndim != 1 && (target->ndim == 0 || input->sizes[0] != target->sizes[0])) {
        gd_fail(c, GD_E_VALUE, "Expected input batch_size (%lld) to match target batch_size (%lld).",
                (long long)input->sizes[0], (long long)(target->ndim ? target->sizes[0] : 0));
    } else if (!gd_dtype_is_float((gd_dtype)input->dtype)) {
        gd_fail(c, GD_E_DTYPE, "\"%s\" not implemented for '%s'",
                input->ndim > 2 ? "nll_loss2d_forward_out_frame" : "nll_loss_out_frame",
                gd_dtype_scalar_name((gd_dtype)input->dtype));
    } else if (input->ndim > 2) {
        return nll_of_images(c, input, target, weight, reduction, ignored);
    } else {
        return DO(c, _nll_loss, TV(input), TV(target), *weight, GD_INT_VALUE(reduction), GD_INT_VALUE(ignored));
    }
    return NULL;
}

gd_code gd_fw_nll_loss(gd_apply *a) {
    gd_reduction reduction;
    gd_code code = gd_read_reduction(a, 3, 5, 6, &reduction);
    if (code) return code;
    return give(a, nll(a->ctx, arg_tensor(a, 0), arg_tensor(a, 1), &a->args[2], reduction, arg_int(a, 4)));
}

/* Targets that are probabilities: -(log_softmax * target [* weight]) summed
 * over the classes. */
static gd_tensor *probability_loss(gd_ctx *c, gd_tensor *scores, gd_tensor *target, gd_tensor *weight,
                                   gd_reduction reduction, int dim) {
    gd_tensor *p = DO(c, mul, TV(scores), TV(target));
    if (weight && p) {
        int64_t shape[GD_MAX_DIMS];
        for (int d = 0; d < scores->ndim; d++) shape[d] = d == dim ? weight->numel : 1;
        gd_tensor *w = DO(c, reshape, TV(weight), GD_INTS_VALUE(shape, scores->ndim));
        p = w ? then_release(GD_THEN(c, mul, p, w), w) : then_release(NULL, p);
    }
    if (!p) return NULL;
    const int64_t dims[] = {dim};
    gd_tensor *sum = reduction == GD_REDUCE_NONE ? DO(c, sum_dim, TV(p), GD_INTS_VALUE(dims, 1)) : DO(c, sum, TV(p));
    gd_release(p);
    gd_tensor *loss = GD_THEN1(c, neg, sum);
    if (!loss || reduction != GD_REDUCE_MEAN) return loss;
    int64_t classes = scores->sizes[dim], n = classes ? scores->numel / classes : 0;
    return then_release(DO(c, _div_number, TV(loss), GD_INT_VALUE(n)), loss);
}

/* ---- smoothed labels ------------------------------------------------------------------------------------------ */

/* Minus the scores (times weight) summed over the classes, 0 where the target is ignored. */
static gd_tensor *smooth_losses(gd_ctx *c, gd_tensor *scores, gd_tensor *weight, gd_tensor *ignored, int dim) {
    int64_t shape[GD_MAX_DIMS];
    const int64_t dims[] = {dim};
    for (int d = 0; d < scores->ndim; d++) shape[d] = d == dim ? -1 : 1;
    if (weight) scores = gx_mul(c, scores, GX(c, view, T_(weight), IS_(shape, scores->ndim)));
    gd_tensor *loss = gx_neg(c, GX(c, sum_dim, T_(scores), IS_(dims, 1))), *list[] = {ignored};
    gd_tensor *zero = loss ? gd_pool_add(c, gd_zeros(c, (gd_dtype)loss->dtype, 0, NULL)) : NULL;
    if (!zero || !ignored) return NULL;
    if (loss->ndim == 0) return GX(c, masked_fill, T_(loss), T_(ignored), I_(0));
    if (gd_do_inplace(c, GD_OP_index_put, (const gd_value[]){T_(loss), TS_(list, 1), T_(zero)}, 3)) return NULL;
    return loss;
}

/* The mean over targets that count, by their weights. */
static gd_tensor *smooth_mean(gd_ctx *c, gd_tensor *loss, gd_tensor *target, gd_tensor *weight, gd_tensor *ignored) {
    gd_tensor *kept = GX(c, logical_not, T_(ignored));
    if (!weight) return GX(c, mean, T_(GX(c, masked_select, T_(loss), T_(kept))));
    gd_tensor *classes = GX(c, masked_select, T_(target), T_(kept));
    return gx_div(c, GX(c, sum, T_(loss)), GX(c, sum, T_(GX(c, gather, T_(weight), I_(0), T_(classes)))));
}

/* New: (1 - smoothing) of the loss proper and smoothing / classes of that of all classes. */
static gd_tensor *smoothed(gd_apply *a, gd_tensor *scores, gd_reduction reduction, int dim) {
    gd_ctx *c = a->ctx;
    gd_tensor *target = arg_tensor(a, 1), *weight = gd_maybe_tensor(a, 2);
    double amount = arg_f64(a, 7), classes = (double)scores->sizes[dim];
    gd_tensor *proper = gd_pool_add(c, nll(c, scores, target, &a->args[2], reduction, arg_int(a, 4)));
    if (!proper) return NULL;
    c->error.code = GD_OK;
    gd_tensor *ignored = GX(c, eq, T_(target), T_(gx_number(c, (double)arg_int(a, 4))));
    gd_tensor *loss = smooth_losses(c, scores, weight, ignored, dim);
    if (reduction == GD_REDUCE_MEAN) loss = smooth_mean(c, loss, target, weight, ignored);
    if (reduction == GD_REDUCE_SUM) loss = GX(c, sum, T_(loss));
    return gd_retain(gx_add(c, gx_mul_s(c, proper, 1 - amount), gx_mul_s(c, loss, amount / classes)));
}

/* Probabilities moved towards even ones. */
static gd_tensor *softened(gd_ctx *c, gd_tensor *target, double amount, int64_t classes) {
    c->error.code = GD_OK;
    return gx_add_s(c, gx_mul_s(c, target, 1 - amount), amount / (double)classes);
}

gd_code gd_fw_cross_entropy(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *input = arg_tensor(a, 0), *target = arg_tensor(a, 1), *out;
    gd_reduction reduction;
    int dim = input->ndim == 1 ? 0 : 1;
    bool probabilities = gd_same_shape(input, target) && input->ndim > 0;
    gd_code code = gd_read_reduction(a, 3, 5, 6, &reduction);
    if (code) return code;
    double smoothing = arg_f64(a, 7);
    if (smoothing > 1)
        return gd_fail(c, GD_E_RUNTIME, "label_smoothing must be between 0.0 and 1.0. Got: %g", smoothing);
    if (probabilities && !gd_dtype_is_float((gd_dtype)target->dtype))
        return gd_fail(c, GD_E_DTYPE,
                       "Expected floating point type for target with class "
                       "probabilities, got %s",
                       gd_dtype_scalar_name((gd_dtype)target->dtype));
    gd_tensor *scores = DO(c, log_softmax, a->args[0], GD_INT_VALUE(dim));
    if (!scores) return gd_failed(c);
    if (probabilities && smoothing > 0) target = softened(c, target, smoothing, scores->sizes[dim]);
    if (!target)
        out = NULL;
    else if (probabilities)
        out = probability_loss(c, scores, target, gd_maybe_tensor(a, 2), reduction, dim);
    else if (smoothing > 0)
        out = smoothed(a, scores, reduction, dim);
    else
        out = nll(c, scores, target, &a->args[2], reduction, arg_int(a, 4));
    gd_release(scores);
    return give(a, out);
}
