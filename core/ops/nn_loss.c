/* nn_loss.c: the losses of torch.nn.functional. What is shared with the layers
 * is in nn.c, derivatives in nn_rules.c.
 */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"

#define TEXT 256
#define TV(t) GD_TENSOR_VALUE(t)

static gd_tensor *spread(gd_ctx *c, gd_tensor *t, int ndim, const int64_t *sizes) {
    bool same = t->ndim == ndim && (ndim == 0 || !memcmp(t->sizes, sizes, (size_t)ndim * sizeof *sizes));
    return same ? gd_retain(t) : DO(c, expand, TV(t), GD_INTS_VALUE(sizes, ndim));
}

/* New references to two tensors spread to their common shape. */
static gd_code spread_both(gd_apply *a, gd_tensor **x, gd_tensor **y) {
    gd_tensor *p = arg_tensor(a, 0), *q = arg_tensor(a, 1);
    int64_t sizes[GD_MAX_DIMS];
    int ndim;
    gd_code code = gd_broadcast_shape(a->ctx, p->ndim, p->sizes, q->ndim, q->sizes, sizes, &ndim);
    if (code) return code;
    *x = spread(a->ctx, p, ndim, sizes);
    *y = *x ? spread(a->ctx, q, ndim, sizes) : NULL;
    if (*y) return GD_OK;
    gd_release(*x);
    return gd_failed(a->ctx);
}

/* ---- differences
 * ----------------------------------------------------------------------------------------------
 */

gd_code gd_fw__mse_loss(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *d = DO(c, sub, a->args[0], a->args[1]);
    gd_tensor *out = gd_reduce_loss(c, GD_THEN(c, mul, d, d), (gd_reduction)arg_int(a, 2));
    c->mode = mode;
    return give(a, out);
}

gd_code gd_fw_mse_loss(gd_apply *a) {
    gd_reduction reduction;
    gd_tensor *x, *y;
    gd_code code = gd_read_reduction(a, 2, 3, 4, &reduction);
    if (!code) code = spread_both(a, &x, &y);
    if (code) return code;
    gd_tensor *out = DO(a->ctx, _mse_loss, TV(x), TV(y), GD_INT_VALUE(reduction));
    gd_release(x);
    gd_release(y);
    return give(a, out);
}

gd_code gd_fw_l1_loss(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_reduction reduction;
    gd_tensor *x, *y;
    gd_code code = gd_read_reduction(a, 2, 3, 4, &reduction);
    if (!code) code = spread_both(a, &x, &y);
    if (code) return code;
    gd_tensor *d = DO(c, sub, TV(x), TV(y));
    gd_release(x);
    gd_release(y);
    return give(a, gd_reduce_loss(c, GD_THEN1(c, abs, d), reduction));
}

/* ---- classes
 * ------------------------------------------------------------------------------------------------------
 */

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

/* New: inputs of more than two dimensions, as rows of classes. */
static gd_tensor *nll_of_images(gd_ctx *c, gd_tensor *input, gd_tensor *target, const gd_value *weight,
                                gd_reduction reduction, int64_t ignored) {
    char own[TEXT], other[TEXT];
    bool same = target->ndim == input->ndim - 1 && target->sizes[0] == input->sizes[0];
    for (int d = 1; same && d < target->ndim; d++) same = target->sizes[d] == input->sizes[d + 1];
    if (!same) {
        gd_fail(c, GD_E_RUNTIME, "size mismatch (got input: %s, target: %s)",
                gd_shape_text(own, sizeof own, input->ndim, input->sizes),
                gd_shape_text(other, sizeof other, target->ndim, target->sizes));
        return NULL;
    }
    c->error.code = GD_OK;
    const int64_t rows[] = {target->numel, input->sizes[1]}, one = 1, last = -1;
    gd_tensor *flat = GX(c, movedim, T_(input), IS_(&one, 1), IS_(&last, 1));
    flat = GX(c, reshape, T_(flat), IS_(rows, 2));
    gd_tensor *classes = GX(c, reshape, T_(target), IS_(rows, 1));
    gd_tensor *loss = GX(c, _nll_loss, T_(flat), T_(classes), *weight, I_(reduction), I_(ignored));
    if (reduction == GD_REDUCE_NONE) loss = GX(c, reshape, T_(loss), IS_(target->sizes, target->ndim));
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
        gd_fail(c, GD_E_DTYPE, "\"nll_loss_out_frame\" not implemented for '%s'",
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

gd_code gd_fw_cross_entropy(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *input = arg_tensor(a, 0), *target = arg_tensor(a, 1), *out;
    gd_reduction reduction;
    int dim = input->ndim == 1 ? 0 : 1;
    bool probabilities = gd_same_shape(input, target) && input->ndim > 0;
    gd_code code = gd_read_reduction(a, 3, 5, 6, &reduction);
    if (code) return code;
    if (arg_f64(a, 7) != 0)
        return gd_fail(c, GD_E_NOT_IMPLEMENTED, "cross_entropy with label_smoothing is not implemented");
    if (probabilities && !gd_dtype_is_float((gd_dtype)target->dtype))
        return gd_fail(c, GD_E_DTYPE,
                       "Expected floating point type for target with class "
                       "probabilities, got %s",
                       gd_dtype_scalar_name((gd_dtype)target->dtype));
    gd_tensor *scores = DO(c, log_softmax, a->args[0], GD_INT_VALUE(dim));
    if (!scores) return gd_failed(c);
    out = probabilities ? probability_loss(c, scores, target, gd_maybe_tensor(a, 2), reduction, dim)
                        : nll(c, scores, target, &a->args[2], reduction, arg_int(a, 4));
    gd_release(scores);
    return give(a, out);
}

/* ---- probabilities of two classes
 * -------------------------------------------------------------------------------------
 */

/* New: loss (taken) times the weight, if any, reduced. */
static gd_tensor *weighted(gd_ctx *c, gd_tensor *loss, gd_tensor *weight, gd_reduction reduction) {
    if (weight) loss = GD_THEN(c, mul, loss, weight);
    return gd_reduce_loss(c, loss, reduction);
}

static bool are_probabilities(const gd_tensor *t) {
    const gd_dtype dtype = (gd_dtype)t->dtype;
    for (int64_t i = 0; i < t->numel; i++) {
        double v = gd_load_f64(dtype, t->data + i * (int64_t)gd_dtype_bytes(dtype));
        if (!(v >= 0 && v <= 1)) return false;
    }
    return true;
}

/* (target - 1) max(log1p(-x), -100) - target max(log x, -100): the limit keeps
 * 0 times infinity out. */
static gd_tensor *bce(gd_ctx *c, gd_tensor *x, gd_tensor *target) {
    gd_tensor *off = gd_with_number(c, GD_OP_sub, gd_retain(target), 1);
    gd_tensor *low = gd_with_number(c, GD_OP_maximum, GD_THEN1(c, log1p, DO(c, neg, TV(x))), -100);
    gd_tensor *high = gd_with_number(c, GD_OP_maximum, DO(c, log, TV(x)), -100);
    gd_tensor *out = NULL;
    if (off && low && high) {
        low = GD_THEN(c, mul, low, off);
        high = GD_THEN(c, mul, high, target);
        if (low && high) out = DO(c, sub, TV(low), TV(high));
    }
    gd_release(off);
    gd_release(low);
    gd_release(high);
    return out;
}

gd_code gd_fw__bce_loss(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = gd_as_contiguous(c, arg_tensor(a, 0));
    if (!x) return gd_failed(c);
    bool good = are_probabilities(x);
    gd_release(x);
    if (!good) return gd_fail(c, GD_E_RUNTIME, "all elements of input should be between 0 and 1");
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *loss = bce(c, arg_tensor(a, 0), arg_tensor(a, 1));
    gd_tensor *out = weighted(c, loss, gd_maybe_tensor(a, 2), (gd_reduction)arg_int(a, 3));
    c->mode = mode;
    return give(a, out);
}

/* New: the optional argument i spread to input's shape; *failed if that cannot
 * be. */
static gd_tensor *spread_maybe(const gd_apply *a, int i, bool *failed) {
    gd_tensor *t = gd_maybe_tensor(a, i), *input = arg_tensor(a, 0);
    gd_tensor *out = t ? spread(a->ctx, t, input->ndim, input->sizes) : NULL;
    *failed = t && !out;
    return out;
}

gd_code gd_fw_binary_cross_entropy(gd_apply *a) {
    char own[TEXT], other[TEXT];
    gd_ctx *c = a->ctx;
    gd_tensor *input = arg_tensor(a, 0), *target = arg_tensor(a, 1);
    gd_reduction reduction;
    bool failed;
    gd_code code = gd_read_reduction(a, 3, 4, 5, &reduction);
    if (code) return code;
    if (!gd_same_shape(input, target))
        return gd_fail(c, GD_E_VALUE,
                       "Using a target size (torch.Size(%s)) that is different to the input "
                       "size (torch.Size(%s)) is "
                       "deprecated. Please ensure they have the same size.",
                       gd_shape_text(own, sizeof own, target->ndim, target->sizes),
                       gd_shape_text(other, sizeof other, input->ndim, input->sizes));
    if (input->dtype != target->dtype || !gd_dtype_is_float((gd_dtype)input->dtype))
        return gd_fail(c, GD_E_DTYPE, "Found dtype %s but expected %s", gd_dtype_scalar_name((gd_dtype)target->dtype),
                       gd_dtype_scalar_name((gd_dtype)input->dtype));
    gd_tensor *weight = spread_maybe(a, 2, &failed);
    if (failed) return gd_failed(c);
    gd_tensor *out =
        DO(c, _bce_loss, TV(input), TV(target), weight ? TV(weight) : GD_NONE_VALUE, GD_INT_VALUE(reduction));
    gd_release(weight);
    return give(a, out);
}

/* log(exp(-m) + exp(-x - m)) + m with m = max(-x, 0): log(1 + exp(-x)) that
 * cannot overflow. */
static gd_tensor *log1p_exp_neg(gd_ctx *c, gd_tensor *x) {
    gd_tensor *minus = DO(c, neg, TV(x)), *out = NULL;
    gd_tensor *m = minus ? DO(c, clamp_min, TV(minus), GD_INT_VALUE(0)) : NULL;
    gd_tensor *one = m ? GD_THEN1(c, exp, DO(c, neg, TV(m))) : NULL;
    gd_tensor *two = m ? GD_THEN1(c, exp, DO(c, sub, TV(minus), TV(m))) : NULL;
    if (one && two) out = GD_THEN1(c, log, DO(c, add, TV(one), TV(two)));
    if (out) out = GD_THEN(c, add, out, m);
    gd_release(minus);
    gd_release(m);
    gd_release(one);
    gd_release(two);
    return out;
}

/* (1 - target) x + [1 + (pos_weight - 1) target] log(1 + exp(-x)) */
static gd_tensor *bce_logits(gd_ctx *c, gd_tensor *x, gd_tensor *target, gd_tensor *pos_weight) {
    gd_tensor *off = DO(c, rsub_scalar, TV(target), GD_INT_VALUE(1)), *out = NULL;
    gd_tensor *tail = log1p_exp_neg(c, x);
    if (pos_weight && tail) {
        gd_tensor *less = gd_with_number(c, GD_OP_sub, gd_retain(pos_weight), 1);
        gd_tensor *factor = gd_with_number(c, GD_OP_add, GD_THEN(c, mul, less, target), 1);
        tail = factor ? GD_THEN(c, mul, tail, factor) : then_release(NULL, tail);
        gd_release(factor);
    }
    gd_tensor *linear = off ? GD_THEN(c, mul, off, x) : NULL;
    if (linear && tail) out = DO(c, add, TV(linear), TV(tail));
    gd_release(linear);
    gd_release(tail);
    return out;
}

gd_code gd_fw__bce_logits(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *loss = bce_logits(c, arg_tensor(a, 0), arg_tensor(a, 1), gd_maybe_tensor(a, 3));
    gd_tensor *out = weighted(c, loss, gd_maybe_tensor(a, 2), (gd_reduction)arg_int(a, 4));
    c->mode = mode;
    return give(a, out);
}

gd_code gd_fw_bce_with_logits(gd_apply *a) {
    char own[TEXT], other[TEXT];
    gd_ctx *c = a->ctx;
    gd_tensor *input = arg_tensor(a, 0), *target = arg_tensor(a, 1);
    gd_reduction reduction;
    gd_code code = gd_read_reduction(a, 3, 4, 5, &reduction);
    if (code) return code;
    if (!gd_same_shape(input, target))
        return gd_fail(c, GD_E_VALUE,
                       "Target size (torch.Size(%s)) must be the same as input size "
                       "(torch.Size(%s))",
                       gd_shape_text(own, sizeof own, target->ndim, target->sizes),
                       gd_shape_text(other, sizeof other, input->ndim, input->sizes));
    return give(a, DO(c, _bce_logits, TV(input), TV(target), a->args[2], a->args[6], GD_INT_VALUE(reduction)));
}
