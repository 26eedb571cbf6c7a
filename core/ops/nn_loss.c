/* nn_loss.c: the losses of torch.nn.functional. What is shared with the layers
 * is in nn.c, losses of classes are in class_loss.c, derivatives in nn_rules.c.
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

/* grad (x - target) / (x (1 - x)) */
gd_code gd_fw__bce_gradient(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *x = arg_tensor(a, 1), *off = DO(c, rsub_scalar, TV(x), GD_INT_VALUE(1));
    gd_tensor *below = off ? GD_THEN(c, mul, off, x) : NULL, *out = DO(c, sub, TV(x), a->args[2]);
    below = below ? then_release(DO(c, clamp_min, TV(below), GD_FLOAT_VALUE(1e-12)), below) : NULL;
    out = out ? GD_THEN(c, mul, out, arg_tensor(a, 0)) : NULL;
    out = out && below ? GD_THEN(c, div, out, below) : then_release(NULL, out);
    gd_release(below);
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
