/* activation.c: forward functions of the activations (activation.def). Their derivatives are in activation_rules.c. */
#include <math.h>
#include <string.h>

#include "core/kernels/rng.h"
#include "core/ops/args.h"
#include "core/ops/create.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/special_run.h"

#define TV(t) GD_TENSOR_VALUE(t)

/* ---- with an argument inplace ------------------------------------------------------------------------ */

/* Applies the hidden row `id` to n arguments, in place if asked to. */
static gd_code apply(gd_apply *a, gd_op_id id, const gd_value *args, int n, bool inplace) {
    if (!inplace) return give(a, gd_do(a->ctx, id, args, n));
    gd_code code = gd_do_inplace(a->ctx, id, args, n);
    return code ? code : give(a, gd_retain(args[0].u.tensor));
}

/* The row's arguments but the last, inplace, are those of row `param`. */
gd_code gd_fw_activation(gd_apply *a) {
    int n = a->nargs - 1;
    return apply(a, (gd_op_id)a->op->param, a->args, n, a->args[n].u.boolean);
}

/* elu, and with param 1 selu, whose scales are those of Klambauer et al., arXiv:1706.02515. */
gd_code gd_fw_elu(gd_apply *a) {
    bool selu = a->op->param == 1;
    const gd_value one = GD_INT_VALUE(1);
    const gd_value args[] = {a->args[0], selu ? GD_FLOAT_VALUE(1.6732632423543772848170429916717) : a->args[1],
                             selu ? GD_FLOAT_VALUE(1.0507009873554804934193349852946) : one, one};
    return apply(a, GD_OP__elu, args, 4, a->args[selu ? 1 : 2].u.boolean);
}

gd_code gd_fw_celu(gd_apply *a) {
    if (gd_value_f64(&a->args[1]) == 0)
        return gd_fail(a->ctx, GD_E_RUNTIME, "ZeroDivisionError: alpha cannot be 0 for CELU");
    return gd_fw_activation(a);
}

/* hardtanh, and with param 1 relu6. */
gd_code gd_fw_hardtanh(gd_apply *a) {
    bool six = a->op->param == 1;
    const gd_value args[] = {a->args[0], six ? GD_FLOAT_VALUE(0) : a->args[1], six ? GD_FLOAT_VALUE(6) : a->args[2]};
    return apply(a, GD_OP__hardtanh, args, 3, a->args[six ? 1 : 3].u.boolean);
}

gd_code gd_fw_rrelu(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0);
    double lower = gd_value_f64(&a->args[1]), upper = gd_value_f64(&a->args[2]);
    if (!gd_dtype_is_float((gd_dtype)self->dtype))
        return gd_fail_kernel(c, a->args[3].u.boolean ? "rrelu_with_noise_out_cpu" : "leaky_relu_cpu",
                              (gd_dtype)self->dtype);
    if (!(lower <= upper) || !isfinite(lower) || !isfinite(upper))
        return gd_fail(c, GD_E_RUNTIME, "Lower bound should be less than or equal to the upper bound");
    gd_tensor *noise = gd_zeros(c, (gd_dtype)self->dtype, self->ndim, self->sizes);
    if (!noise) return gd_failed(c);
    const gd_value args[] = {a->args[0], TV(noise), a->args[1], a->args[2], a->args[3]};
    gd_code code = apply(a, GD_OP__rrelu, args, 5, a->args[4].u.boolean);
    gd_release(noise);
    return code;
}

/* ---- what they record ----------------------------------------------------------------------------------- */

gd_code gd_fw__elu(gd_apply *a) {
    double alpha = arg_f64(a, 1), scale = arg_f64(a, 2);
    const double numbers[] = {alpha * scale, scale, arg_f64(a, 3)};
    return gd_run_special(a, GD_SP_ELU, 0, 1, numbers, 3);
}

gd_code gd_fw__celu(gd_apply *a) {
    double alpha = arg_f64(a, 1);
    const double numbers[] = {alpha, 1, 1 / alpha};
    return gd_run_special(a, GD_SP_ELU, 0, 1, numbers, 3);
}

/* Clamping, whose kernels it shares; the bounds must suit an integer's dtype. */
gd_code gd_fw__hardtanh(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    gd_run r = {.a = a, .kernel = GD_K_CLAMP, .nin = 1, .in = {self}};
    r.compute = r.result = (gd_dtype)self->dtype;
    if (r.compute == GD_BOOL) return gd_fail(a->ctx, GD_E_DTYPE, "Bool inputs not supported for hardtanh");
    if (r.compute == GD_UINT8 && (arg_f64(a, 1) < 0 || arg_f64(a, 2) < 0))
        return gd_fail(a->ctx, GD_E_RUNTIME, "cannot do hardtanh on an unsigned type with negative limits");
    if (gd_check_fits(a->ctx, r.compute, &a->args[1]) || gd_check_fits(a->ctx, r.compute, &a->args[2]))
        return gd_failed(a->ctx);
    _Alignas(8) char bounds[16];
    size_t size = gd_dtype_bytes(r.compute);
    gd_convert_value(r.compute, &a->args[1], bounds);
    gd_convert_value(r.compute, &a->args[2], bounds + size);
    r.extra = bounds;
    r.extra_bytes = 2 * size;
    return gd_run_pointwise(&r);
}

typedef struct slopes {
    gd_generator *generator; /* NULL: the middle slope */
    gd_dtype dtype;
    double lower, upper;
} slopes;

/* Output, noise, input. One draw for each element that is not positive, in order. */
static void rrelu_loop(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const slopes *s = extra;
    for (int64_t i = 0; i < n; i++) {
        double v = gd_load_f64(s->dtype, data[2] + i * strides[2]), slope = 1;
        if (s->generator && v <= 0) slope = gd_generator_double(s->generator) * (s->upper - s->lower) + s->lower;
        if (s->dtype == GD_FLOAT32) slope = (double)(float)slope;
        if (s->generator)
            gd_store_f64(s->dtype, data[1] + i * strides[1], slope);
        else
            slope = v > 0 ? 1 : (s->lower + s->upper) / 2;
        gd_store_f64(s->dtype, data[0] + i * strides[0], v * slope);
    }
}

gd_code gd_fw__rrelu(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0), *noise = arg_tensor(a, 1), *given = a->out[0];
    gd_code code = check_written(a, self);
    if (code) return code;
    const slopes s = {a->args[4].u.boolean ? &a->ctx->generator : NULL, (gd_dtype)self->dtype, arg_f64(a, 2),
                      arg_f64(a, 3)};
    gd_tensor *out = given ? given : gd_empty_like(a->ctx, self, s.dtype);
    if (!out) return gd_failed(a->ctx);
    gd_iterate_in_order((gd_tensor *const[]){out, noise, self}, 3, rrelu_loop, &s);
    return given ? GD_OK : give(a, out);
}

/* ---- without ------------------------------------------------------------------------------------------------- */

gd_code gd_fw_gelu(gd_apply *a) {
    const char *how = a->args[1].u.str;
    if (strcmp(how, "none") == 0) return gd_run_special(a, GD_SP_GELU, 0, 1, NULL, 0);
    if (strcmp(how, "tanh") == 0) return gd_run_special(a, GD_SP_GELU_TANH, 0, 1, NULL, 0);
    return gd_fail(a->ctx, GD_E_RUNTIME, "approximate argument must be either none or tanh.");
}

gd_code gd_fw_softshrink(gd_apply *a) {
    double lambd = arg_f64(a, 1);
    if (!(lambd >= 0))
        return gd_fail(a->ctx, GD_E_RUNTIME, "lambda must be greater or equal to 0, but found to be %g.", lambd);
    return gd_fw_special(a);
}

gd_code gd_fw_logsigmoid(gd_apply *a) { return give(a, DO(a->ctx, _logsigmoid, a->args[0])); }

/* PyTorch keeps exp(-|x|) as buffer on some machines; on CPUs it is what the backward pass reads, here it is empty of
 * meaning for the rule, which reads self. */
gd_code gd_fw__logsigmoid(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0);
    gd_code code = gd_run_special(a, GD_SP_LOGSIGMOID, 0, 1, NULL, 0);
    if (code) return code;
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *buffer = GD_THEN1(c, exp, GD_THEN1(c, neg, DO(c, abs, TV(self))));
    c->mode = mode;
    if (!buffer) return gd_failed(c);
    a->out[1] = buffer;
    a->nout = 2;
    return GD_OK;
}

gd_code gd_fw_softsign(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *size = gd_with_number(c, GD_OP_add, DO(c, abs, a->args[0]), 1);
    return give(a, size ? then_release(DO(c, div, a->args[0], TV(size)), size) : NULL);
}

gd_code gd_fw_tanhshrink(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = DO(c, tanh, a->args[0]);
    return give(a, t ? then_release(DO(c, sub, a->args[0], TV(t)), t) : NULL);
}

gd_code gd_fw_softmin(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = DO(c, neg, a->args[0]);
    return give(a, t ? then_release(DO(c, softmax, TV(t), a->args[1], a->args[3]), t) : NULL);
}

/* ---- glu and prelu --------------------------------------------------------------------------------------------- */

gd_code gd_fw_glu(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0);
    int dim;
    if (self->ndim == 0)
        return gd_fail(c, GD_E_RUNTIME, "glu does not support scalars because halving size must be even");
    if (gd_wrap_dim(c, arg_int(a, 1), self->ndim, &dim)) return gd_failed(c);
    int64_t size = self->sizes[dim];
    if (size % 2)
        return gd_fail(c, GD_E_RUNTIME, "Halving dimension must be even, but dimension %d is size %lld", dim,
                       (long long)size);
    if (!gd_dtype_is_float((gd_dtype)self->dtype)) return gd_fail_kernel(c, "glu_cpu", (gd_dtype)self->dtype);
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *first = DO(c, narrow, TV(self), GD_INT_VALUE(dim), GD_INT_VALUE(0), GD_INT_VALUE(size / 2));
    gd_tensor *gate = DO(c, narrow, TV(self), GD_INT_VALUE(dim), GD_INT_VALUE(size / 2), GD_INT_VALUE(size / 2));
    gate = GD_THEN1(c, sigmoid, gate);
    gd_tensor *out = first && gate ? DO(c, mul, TV(first), TV(gate)) : NULL;
    gd_release(first);
    gd_release(gate);
    c->mode = mode;
    return give(a, out);
}

static gd_code check_prelu(gd_ctx *c, const gd_tensor *self, const gd_tensor *weight) {
    if (!gd_dtype_is_float((gd_dtype)self->dtype)) return gd_fail_kernel(c, "prelu_cpu", (gd_dtype)self->dtype);
    if (weight->dtype != self->dtype)
        return gd_fail(c, GD_E_DTYPE, "expected scalar type %s but found %s",
                       gd_dtype_scalar_name((gd_dtype)self->dtype), gd_dtype_scalar_name((gd_dtype)weight->dtype));
    if (weight->numel == 1) return GD_OK;
    if (self->ndim == 0) return gd_fail(c, GD_E_RUNTIME, "Not allow zero-dim input tensor.");
    int64_t channels = self->ndim > 1 ? self->sizes[1] : 1;
    if (channels != weight->numel)
        return gd_fail(
            c, GD_E_RUNTIME,
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = %lld and channel size = %lld.",
            (long long)weight->numel, (long long)channels);
    if (weight->ndim > 1)
        return gd_fail(c, GD_E_RUNTIME, "prelu: Expected `weight` to be a scalar or 1D tensor, but got ndim = %d",
                       weight->ndim);
    return GD_OK;
}

gd_code gd_fw_prelu(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *weight = arg_tensor(a, 1), *out = NULL;
    gd_code code = check_prelu(c, self, weight);
    if (code) return code;
    int64_t sizes[GD_MAX_DIMS];
    for (int d = 0; d < self->ndim; d++) sizes[d] = d == 1 ? weight->numel : 1;
    int ndim = weight->numel == 1 ? 0 : self->ndim;
    gd_grad_mode mode = gd_pause_recording(c);
    gd_tensor *spread = DO(c, reshape, TV(weight), GD_INTS_VALUE(sizes, ndim));
    gd_tensor *low = GD_THEN(c, mul, spread, self);
    gd_tensor *above = gd_with_number(c, GD_OP_gt, gd_retain(self), 0);
    if (low && above) out = DO(c, where, TV(above), TV(self), TV(low));
    gd_release(low);
    gd_release(above);
    c->mode = mode;
    return give(a, out);
}
