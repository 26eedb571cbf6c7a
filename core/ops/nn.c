/* nn.c: the layers of torch.nn.functional, written with the other rows, and what the losses (nn_loss.c) share with
 * them. Derivatives are in nn_rules.c.
 */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"

#define TV(t) GD_TENSOR_VALUE(t)

/* ---- shared ---------------------------------------------------------------------------------------------- */

gd_grad_mode gd_pause_recording(gd_ctx *c) {
    gd_grad_mode mode = c->mode;
    if (mode == GD_MODE_GRAD) c->mode = GD_MODE_NO_GRAD;
    return mode;
}

/* New: a wrapped number. */
static gd_tensor *number(gd_ctx *c, double v) {
    gd_tensor *t = gd_scalar_f64(c, v, GD_FLOAT64);
    if (t) t->flags |= GD_F_WRAPPED_NUMBER;
    return t;
}

gd_tensor *gd_with_number(gd_ctx *c, gd_op_id id, gd_tensor *t, double v) {
    gd_tensor *n = t ? number(c, v) : NULL;
    gd_tensor *r = n ? gd_do(c, id, (const gd_value[]){TV(t), TV(n)}, 2) : NULL;
    gd_release(n);
    gd_release(t);
    return r;
}

gd_code gd_read_loss_name(const gd_apply *a, int text, gd_reduction *out) {
    static const char *const names[] = {"none", "mean", "sum"};
    for (int i = 0; i < 3; i++)
        if (strcmp(a->args[text].u.str, names[i]) == 0) return *out = (gd_reduction)i, GD_OK;
    return gd_fail(a->ctx, GD_E_VALUE, "%s is not a valid value for reduction", a->args[text].u.str);
}

gd_code gd_read_reduction(const gd_apply *a, int size_average, int reduce, int text, gd_reduction *out) {
    const gd_value *average = &a->args[size_average], *any = &a->args[reduce];
    if (average->kind == GD_V_BOOL || any->kind == GD_V_BOOL) {
        bool averages = average->kind != GD_V_BOOL || average->u.boolean;
        bool reduces = any->kind != GD_V_BOOL || any->u.boolean;
        *out = !reduces ? GD_REDUCE_NONE : averages ? GD_REDUCE_MEAN : GD_REDUCE_SUM;
        return GD_OK;
    }
    return gd_read_loss_name(a, text, out);
}

gd_tensor *gd_reduce_loss(gd_ctx *c, gd_tensor *t, gd_reduction reduction) {
    if (!t || reduction == GD_REDUCE_NONE) return t;
    return reduction == GD_REDUCE_MEAN ? GD_THEN1(c, mean, t) : GD_THEN1(c, sum, t);
}

/* ---- layers ------------------------------------------------------------------------------------------- */

static gd_tensor *flat_linear(gd_ctx *c, gd_tensor *input, gd_tensor *turned, gd_tensor *bias) {
    const int64_t *s = input->sizes;
    int64_t rows;
    if (!gd_mul_i64(s[0], s[1], &rows)) return NULL;
    gd_tensor *flat = DO(c, view, TV(input), GD_INTS_VALUE(((const int64_t[]){rows, s[2]}), 2));
    gd_tensor *product = flat ? then_release(DO(c, addmm, TV(bias), TV(flat), TV(turned)), flat) : NULL;
    if (!product) return NULL;
    const int64_t shape[] = {s[0], s[1], product->sizes[1]};
    return then_release(DO(c, view, TV(product), GD_INTS_VALUE(shape, 3)), product);
}

static gd_tensor *plain_linear(gd_ctx *c, gd_tensor *input, gd_tensor *turned, gd_tensor *bias) {
    gd_tensor *out = DO(c, matmul, TV(input), TV(turned));
    if (!out || !bias || !gd_do_inplace(c, GD_OP_add, (const gd_value[]){TV(out), TV(bias)}, 2)) return out;
    gd_release(out);
    return NULL;
}

gd_code gd_fw_linear(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *input = arg_tensor(a, 0), *bias = gd_maybe_tensor(a, 2), *out;
    gd_tensor *turned = DO(c, t, a->args[1]);
    if (!turned) return gd_failed(c);
    if (input->ndim == 2 && bias)
        out = DO(c, addmm, TV(bias), TV(input), TV(turned));
    else if (input->ndim == 3 && bias && gd_is_contiguous(input))
        out = flat_linear(c, input, turned, bias);
    else
        out = plain_linear(c, input, turned, bias);
    gd_release(turned);
    return give(a, out);
}

/* New: 0 with probability p, else 1 / (1 - p), in the shape of t. */
static gd_tensor *dropout_noise(gd_ctx *c, gd_tensor *t, double p) {
    if (p == 1) return gd_zeros(c, (gd_dtype)t->dtype, 0, NULL);
    gd_tensor *noise = gd_empty_like(c, t, (gd_dtype)t->dtype), *scale = noise ? number(c, 1 - p) : NULL;
    bool good = scale && !gd_do_inplace(c, GD_OP_bernoulli_, (const gd_value[]){TV(noise), GD_FLOAT_VALUE(1 - p)}, 2) &&
                !gd_do_inplace(c, GD_OP_div, (const gd_value[]){TV(noise), TV(scale)}, 2);
    gd_release(scale);
    if (good) return noise;
    gd_release(noise);
    return NULL;
}

gd_code gd_fw_dropout(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *input = arg_tensor(a, 0);
    double p = arg_f64(a, 1);
    if (!(p >= 0 && p <= 1))
        return gd_fail(c, GD_E_VALUE, "dropout probability has to be between 0 and 1, but got %g", p);
    if (p == 0 || !a->args[2].u.boolean || input->numel == 0) return give(a, gd_retain(input));
    gd_tensor *noise = dropout_noise(c, input, p);
    if (!noise) return gd_failed(c);
    const gd_value args[] = {TV(input), TV(noise)};
    gd_code code = GD_OK;
    if (a->args[3].u.boolean) {
        code = gd_do_inplace(c, GD_OP_mul, args, 2);
        if (!code) code = give(a, gd_retain(input));
    } else {
        code = give(a, gd_do(c, GD_OP_mul, args, 2));
    }
    gd_release(noise);
    return code;
}

/* x where beta x is above the threshold, else log(1 + exp(beta x)) / beta. */
gd_code gd_fw_softplus(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *out = NULL;
    double beta = arg_f64(a, 1);
    if (!gd_dtype_is_float((gd_dtype)self->dtype))
        return gd_fail(c, GD_E_DTYPE, "\"softplus_cpu\" not implemented for '%s'",
                       gd_dtype_scalar_name((gd_dtype)self->dtype));
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *scaled = gd_with_number(c, GD_OP_mul, gd_retain(self), beta);
    gd_tensor *above = scaled ? gd_with_number(c, GD_OP_gt, gd_retain(scaled), arg_f64(a, 2)) : NULL;
    gd_tensor *low = gd_with_number(c, GD_OP_div, GD_THEN1(c, log1p, GD_THEN1(c, exp, scaled)), beta);
    if (above && low) out = DO(c, where, TV(above), TV(self), TV(low));
    gd_release(above);
    gd_release(low);
    c->mode = mode;
    return give(a, out);
}

gd_code gd_fw__leaky_relu(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *out = NULL;
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *above = gd_with_number(c, GD_OP_gt, gd_retain(self), 0);
    gd_tensor *low = gd_with_number(c, GD_OP_mul, gd_retain(self), arg_f64(a, 1));
    if (above && low) out = DO(c, where, TV(above), TV(self), TV(low));
    gd_release(above);
    gd_release(low);
    c->mode = mode;
    return give(a, out);
}

gd_code gd_fw_leaky_relu(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0);
    if (!gd_dtype_is_float((gd_dtype)self->dtype))
        return gd_fail(c, GD_E_DTYPE, "\"leaky_relu_cpu\" not implemented for '%s'",
                       gd_dtype_scalar_name((gd_dtype)self->dtype));
    if (!a->args[2].u.boolean) return give(a, DO(c, _leaky_relu, a->args[0], a->args[1]));
    gd_code code = gd_do_inplace(c, GD_OP__leaky_relu, a->args, 2);
    return code ? code : give(a, gd_retain(self));
}

/* ---- one_hot ------------------------------------------------------------------------------------------------ */

static gd_code check_classes(gd_ctx *c, gd_tensor *index, int64_t *classes) {
    const int64_t *v = (const int64_t *)index->data;
    int64_t greatest = -1;
    if (index->numel == 0 && *classes <= 0)
        return gd_fail(c, GD_E_RUNTIME, "Can not infer total number of classes from empty tensor.");
    for (int64_t i = 0; i < index->numel; i++) {
        if (v[i] < 0) return gd_fail(c, GD_E_RUNTIME, "Class values must be non-negative.");
        if (v[i] > greatest) greatest = v[i];
    }
    if (*classes == -1) {
        if (gd_add_i64(greatest, 1, classes)) return GD_OK;
        return gd_fail(c, GD_E_TOO_LARGE, "one_hot: too many classes");
    }
    if (*classes < 1) return gd_fail(c, GD_E_RUNTIME, "num_classes should be positive");
    if (greatest >= *classes) return gd_fail(c, GD_E_RUNTIME, "Class values must be smaller than num_classes.");
    return GD_OK;
}

gd_code gd_fw_one_hot(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *out = NULL;
    int64_t classes = arg_int(a, 1), sizes[GD_MAX_DIMS];
    if (self->dtype != GD_INT64) return gd_fail(c, GD_E_RUNTIME, "one_hot is only applicable to index tensor.");
    if (self->ndim == GD_MAX_DIMS) return gd_fail(c, GD_E_TOO_LARGE, "one_hot: too many dimensions");
    gd_tensor *index = gd_as_contiguous(c, self);
    if (!index) return gd_failed(c);
    gd_code code = check_classes(c, index, &classes);
    if (self->ndim) memcpy(sizes, self->sizes, (size_t)self->ndim * sizeof *sizes);
    sizes[self->ndim] = classes;
    if (!code) out = gd_zeros(c, GD_INT64, self->ndim + 1, sizes);
    for (int64_t i = 0; out && i < index->numel; i++)
        ((int64_t *)out->data)[i * classes + ((const int64_t *)index->data)[i]] = 1;
    gd_release(index);
    return code ? code : give(a, out);
}

gd_code gd_fw__tied(gd_apply *a) { return give(a, gd_data(a->ctx, arg_tensor(a, 0))); }
