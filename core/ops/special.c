/* special.c: forward functions of the special rows: dtypes, extra numbers, and the rows that are not one kernel.
 * Their derivatives are in special_rules.c, the activations in activation.c.
 */
#include <float.h>
#include <math.h>

#include "core/ops/args.h"
#include "core/ops/create.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/special_run.h"

#define TV(t) GD_TENSOR_VALUE(t)

/* ---- one kernel -------------------------------------------------------------------------------------- */

enum { S_TEST = 1, S_FLOAT = 2 }; /* answers bool; integers are computed in float32 */

static const uint8_t traits[GD_SP_COUNT] = {
    [GD_SP_SIGNBIT] = S_TEST,      [GD_SP_ISPOSINF] = S_TEST,     [GD_SP_ISNEGINF] = S_TEST,
    [GD_SP_ACOSH] = S_FLOAT,       [GD_SP_ASINH] = S_FLOAT,       [GD_SP_ATANH] = S_FLOAT,
    [GD_SP_LOG2] = S_FLOAT,        [GD_SP_LOG10] = S_FLOAT,       [GD_SP_EXP2] = S_FLOAT,
    [GD_SP_ERF] = S_FLOAT,         [GD_SP_ERFC] = S_FLOAT,        [GD_SP_LGAMMA] = S_FLOAT,
    [GD_SP_ATAN2] = S_FLOAT,       [GD_SP_ANGLE] = S_FLOAT,       [GD_SP_COPYSIGN] = S_FLOAT,
    [GD_SP_I0] = S_FLOAT,          [GD_SP_I0E] = S_FLOAT,         [GD_SP_I1] = S_FLOAT,
    [GD_SP_I1E] = S_FLOAT,         [GD_SP_K0] = S_FLOAT,          [GD_SP_K1] = S_FLOAT,
    [GD_SP_K0E] = S_FLOAT,         [GD_SP_K1E] = S_FLOAT,         [GD_SP_SPHERICAL_J0] = S_FLOAT,
    [GD_SP_DIGAMMA] = S_FLOAT,     [GD_SP_TRIGAMMA] = S_FLOAT,    [GD_SP_ERFINV] = S_FLOAT,
    [GD_SP_ERFCX] = S_FLOAT,       [GD_SP_NDTRI] = S_FLOAT,       [GD_SP_LOG_NDTR] = S_FLOAT,
    [GD_SP_SINC] = S_FLOAT,        [GD_SP_ENTR] = S_FLOAT,        [GD_SP_POLYGAMMA] = S_FLOAT,
    [GD_SP_LOGIT] = S_FLOAT,       [GD_SP_XLOGY] = S_FLOAT,       [GD_SP_XLOG1PY] = S_FLOAT,
    [GD_SP_ZETA] = S_FLOAT,        [GD_SP_CHEBYSHEV_T] = S_FLOAT, [GD_SP_CHEBYSHEV_U] = S_FLOAT,
    [GD_SP_CHEBYSHEV_V] = S_FLOAT, [GD_SP_CHEBYSHEV_W] = S_FLOAT, [GD_SP_SHIFTED_T] = S_FLOAT,
    [GD_SP_SHIFTED_U] = S_FLOAT,   [GD_SP_SHIFTED_V] = S_FLOAT,   [GD_SP_SHIFTED_W] = S_FLOAT,
    [GD_SP_HERMITE_H] = S_FLOAT,   [GD_SP_HERMITE_HE] = S_FLOAT,  [GD_SP_LAGUERRE_L] = S_FLOAT,
    [GD_SP_LEGENDRE_P] = S_FLOAT,
};

/* PyTorch's names of the kernels that refuse a dtype. */
static const char *kernel_text(gd_special k) {
    switch (k) {
    case GD_SP_FRAC: return "frac_cpu";
    case GD_SP_HYPOT: return "hypot_cpu";
    case GD_SP_LOGADDEXP: return "logaddexp_cpu";
    case GD_SP_LOGADDEXP2: return "logaddexp2_cpu";
    case GD_SP_NEXTAFTER: return "nextafter_cpu";
    case GD_SP_IGAMMA: return "igamma_cpu";
    case GD_SP_IGAMMAC: return "igammac_cpu";
    case GD_SP_GCD: return "gcd_cpu";
    case GD_SP_LCM: return "lcm_cpu";
    case GD_SP_SHIFT_LEFT: return "lshift_cpu";
    case GD_SP_SHIFT_RIGHT: return "rshift_cpu";
    case GD_SP_SILU: return "silu_cpu";
    case GD_SP_MISH: return "mish_cpu";
    case GD_SP_GELU:
    case GD_SP_GELU_TANH: return "GeluKernelImpl";
    case GD_SP_ELU: return "elu_cpu";
    case GD_SP_HARDSWISH: return "hardswish_cpu";
    case GD_SP_HARDSIGMOID: return "hardsigmoid_cpu";
    case GD_SP_LOGSIGMOID: return "log_sigmoid_cpu";
    case GD_SP_THRESHOLD: return "threshold_cpu";
    case GD_SP_HARDSHRINK: return "hardshrink_cpu";
    case GD_SP_SOFTSHRINK: return "softshrink_cpu";
    default: return "special_cpu";
    }
}

gd_code gd_check_special(gd_ctx *ctx, gd_special k, gd_dtype dtype) {
    return gd_special_loop(k, dtype) ? GD_OK : gd_fail_kernel(ctx, kernel_text(k), dtype);
}

/* Floats of one dtype and shape, contiguous, into a new output: no promotion, no broadcasting. */
static bool is_simple(const gd_apply *a, gd_special k, int first, int nin) {
    const gd_tensor *t = arg_tensor(a, first), *last = arg_tensor(a, first + nin - 1);
    if (a->out[0] || a->ctx->trace || !gd_dtype_is_float((gd_dtype)t->dtype) || (traits[k] & S_TEST)) return false;
    if (t->dtype != last->dtype || ((t->flags | last->flags) & GD_F_WRAPPED_NUMBER)) return false;
    return gd_is_contiguous(t) && (nin == 1 || (gd_same_shape(t, last) && gd_is_contiguous(last)));
}

static gd_code run_simple(gd_apply *a, gd_loop loop, int first, int nin, const void *extra) {
    gd_tensor *t = arg_tensor(a, first), *out = gd_empty_like(a->ctx, t, (gd_dtype)t->dtype);
    if (!out) return gd_failed(a->ctx);
    int64_t step = (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    char *data[3] = {out->data, t->data, arg_tensor(a, first + nin - 1)->data};
    const int64_t strides[3] = {step, step, step};
    if (out->numel) loop(data, strides, out->numel, extra);
    return give(a, out);
}

/* r->in and r->nin are set: promotes and computes. */
static gd_code promote_and_run(gd_run *r, gd_special k, const double *numbers, int n) {
    gd_apply *a = r->a;
    _Alignas(8) char extra[GD_SPECIAL_NUMBERS * 8];
    r->compute = gd_result_type(r->in, r->nin);
    if ((traits[k] & S_FLOAT) && !gd_dtype_is_float(r->compute)) r->compute = GD_FLOAT32;
    r->result = traits[k] & S_TEST ? GD_BOOL : r->compute;
    r->loop = gd_special_loop(k, r->compute);
    if (!r->loop) {
        gd_code code = gd_check_pointwise(r);
        return code ? code : gd_fail_kernel(a->ctx, kernel_text(k), r->compute);
    }
    size_t size = gd_dtype_bytes(r->compute);
    for (int i = 0; i < n; i++) gd_convert_value(r->compute, &GD_FLOAT_VALUE(numbers[i]), extra + (size_t)i * size);
    r->extra = n ? extra : NULL;
    r->extra_bytes = (size_t)n * size;
    return gd_run_pointwise(r);
}

gd_code gd_run_special(gd_apply *a, gd_special k, int first, int nin, const double *numbers, int n) {
    gd_dtype dtype = (gd_dtype)arg_tensor(a, first)->dtype;
    gd_loop loop = is_simple(a, k, first, nin) ? gd_special_loop(k, dtype) : NULL;
    if (loop) {
        _Alignas(8) char extra[GD_SPECIAL_NUMBERS * 8];
        for (int i = 0; i < n; i++) gd_store_f64(dtype, extra + (size_t)i * gd_dtype_bytes(dtype), numbers[i]);
        return run_simple(a, loop, first, nin, extra);
    }
    gd_run r = {.a = a, .nin = nin};
    for (int i = 0; i < nin; i++) r.in[i] = arg_tensor(a, first + i);
    return promote_and_run(&r, k, numbers, n);
}

double gd_number_or(const gd_apply *a, int i, double other) {
    return a->args[i].kind == GD_V_NONE ? other : gd_value_f64(&a->args[i]);
}

/* The row's leading Tensors are the kernel's inputs, what follows its numbers. */
gd_code gd_fw_special(gd_apply *a) {
    double numbers[GD_SPECIAL_NUMBERS];
    int nin = a->nargs > 1 && a->op->params[1].type == GD_T_TENSOR ? 2 : 1, n = 0;
    for (int i = nin; i < a->nargs && n < GD_SPECIAL_NUMBERS; i++) numbers[n++] = gd_value_f64(&a->args[i]);
    return gd_run_special(a, (gd_special)a->op->param, 0, nin, numbers, n);
}

/* The same for rows that write self only. */
gd_code gd_fw_special_written(gd_apply *a) {
    a->out[0] = arg_tensor(a, 0);
    gd_code code = gd_run_special(a, (gd_special)a->op->param, 0, 1, NULL, 0);
    a->out[0] = NULL; /* self was lent */
    a->nout = 0;
    return code;
}

/* ---- one input and a number ----------------------------------------------------------------------------- */

/* deg2rad (param 1) and rad2deg are products with a number. */
gd_code gd_fw_scale(gd_apply *a) {
    static const double degree = 0.017453292519943295769;
    gd_number number;
    gd_run r = {.a = a, .kernel = GD_K_MUL, .nin = 2, .in = {arg_tensor(a, 0)}};
    r.in[1] = gd_number_of(&number, &GD_FLOAT_VALUE(a->op->param ? degree : 57.295779513082320877));
    r.compute = r.result = gd_result_type(r.in, 2);
    return gd_run_pointwise(&r);
}

gd_code gd_fw_logit(gd_apply *a) {
    const double eps = gd_number_or(a, 1, -1);
    return gd_run_special(a, GD_SP_LOGIT, 0, 1, &eps, 1);
}

gd_code gd_fw_nan_to_num(gd_apply *a) {
    bool single = arg_tensor(a, 0)->dtype == GD_FLOAT32;
    double most = single ? (double)FLT_MAX : DBL_MAX;
    const double numbers[] = {gd_number_or(a, 1, 0), gd_number_or(a, 2, most), gd_number_or(a, 3, -most)};
    return gd_run_special(a, GD_SP_NAN_TO_NUM, 0, 1, numbers, 3);
}

gd_code gd_fw_polygamma(gd_apply *a) {
    const double n = (double)arg_int(a, 0);
    if (n < 0) return gd_fail(a->ctx, GD_E_RUNTIME, "polygamma(n, x) does not support negative n.");
    if (n == 0) return gd_run_special(a, GD_SP_DIGAMMA, 1, 1, NULL, 0);
    if (n == 1) return gd_run_special(a, GD_SP_TRIGAMMA, 1, 1, NULL, 0);
    return gd_run_special(a, GD_SP_POLYGAMMA, 1, 1, &n, 1);
}

gd_code gd_fw_copysign_scalar(gd_apply *a) {
    gd_number number;
    gd_run r = {.a = a, .nin = 2, .in = {arg_tensor(a, 0), gd_number_of(&number, &a->args[1])}};
    return promote_and_run(&r, GD_SP_COPYSIGN, NULL, 0);
}

gd_code gd_fw_xlogy_scalar(gd_apply *a) {
    gd_number number;
    int at = a->op->param;
    gd_run r = {.a = a, .nin = 2};
    r.in[1 - at] = arg_tensor(a, 1 - at);
    r.in[at] = gd_number_of(&number, &a->args[at]);
    return promote_and_run(&r, GD_SP_XLOGY, NULL, 0);
}

/* ---- two inputs ----------------------------------------------------------------------------------------------- */

gd_code gd_fw_heaviside(gd_apply *a) {
    if (arg_tensor(a, 0)->dtype != arg_tensor(a, 1)->dtype)
        return gd_fail(a->ctx, GD_E_DTYPE, "heaviside is not yet implemented for tensors with different dtypes.");
    return gd_run_special(a, GD_SP_HEAVISIDE, 0, 2, NULL, 0);
}

typedef struct greatest {
    gd_dtype dtype;
    double *value;
} greatest;

static void find_greatest(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const greatest *g = extra;
    const char *p = data[0];
    for (int64_t i = 0; i < n; i++, p += strides[0]) {
        double v = gd_load_f64(g->dtype, p);
        if (v > *g->value) *g->value = v;
    }
}

/* A recurrence takes as many steps as the degree says, for each element: bounded work, or none. */
gd_code gd_fw_polynomial(gd_apply *a) {
    const double most_steps = 1e9;
    double degree = 0;
    gd_tensor *x = arg_tensor(a, 0), *n = arg_tensor(a, 1);
    const greatest search = {(gd_dtype)n->dtype, &degree};
    int64_t sizes[GD_MAX_DIMS], numel;
    int ndim;
    gd_code code = gd_broadcast_shape(a->ctx, x->ndim, x->sizes, n->ndim, n->sizes, sizes, &ndim);
    if (!code) code = gd_checked_numel(a->ctx, GD_FLOAT64, ndim, sizes, &numel);
    if (code) return code;
    gd_tensor seen = *n; /* sizes stay n's */
    gd_tensor *operand = &seen;
    gd_iterate_in_order(&operand, 1, find_greatest, &search);
    if (degree > 1000 && degree * (double)numel > most_steps)
        return gd_fail(a->ctx, GD_E_TOO_LARGE, "%s: a degree of %g is too high for %lld elements", a->op->name, degree,
                       (long long)numel);
    return gd_run_special(a, (gd_special)a->op->param, 0, 2, NULL, 0);
}

/* ---- several outputs ------------------------------------------------------------------------------------------- */

static void frexp_loop(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const bool wide = *(const gd_dtype *)extra == GD_FLOAT64;
    for (int64_t i = 0; i < n; i++) {
        int exponent = 0;
        const char *p = data[2] + i * strides[2];
        double v = gd_load_f64(wide ? GD_FLOAT64 : GD_FLOAT32, p), m = isfinite(v) ? frexp(v, &exponent) : v;
        gd_store_f64(wide ? GD_FLOAT64 : GD_FLOAT32, data[0] + i * strides[0], m);
        gd_store_i64(GD_INT32, data[1] + i * strides[1], exponent);
    }
}

gd_code gd_fw_frexp(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0);
    gd_dtype dtype = (gd_dtype)self->dtype;
    if (!gd_dtype_is_float(dtype)) return gd_fail(c, GD_E_RUNTIME, "torch.frexp() only supports floating-point dtypes");
    gd_tensor *mantissa = gd_empty_like(c, self, dtype), *exponent = mantissa ? gd_empty_like(c, self, GD_INT32) : NULL;
    if (!exponent) {
        gd_release(mantissa);
        return gd_failed(c);
    }
    gd_iterate_in_order((gd_tensor *const[]){mantissa, exponent, self}, 3, frexp_loop, &dtype);
    a->out[0] = mantissa;
    a->out[1] = exponent;
    a->nout = 2;
    return GD_OK;
}

/* ---- rows made of others ----------------------------------------------------------------------------------------- */

gd_code gd_fw_isreal(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *out = gd_empty_like(a->ctx, t, GD_BOOL);
    if (out) gd_fill_value(out, &GD_BOOL_VALUE(true));
    return give(a, out);
}

/* Param 1: not for bool. */
gd_code gd_fw_itself(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    if (a->op->param && t->dtype == GD_BOOL)
        return gd_fail(a->ctx, GD_E_DTYPE, "The `+` operator, on a bool tensor is not supported.");
    return give(a, gd_retain(t));
}

gd_code gd_fw_fill(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0), *value = a->op->param ? arg_tensor(a, 1) : NULL;
    if (value && value->ndim > 0)
        return gd_fail(c, GD_E_RUNTIME,
                       "fill_ only supports 0-dimension value tensor but got tensor with %d dimensions.", value->ndim);
    if (!value && gd_check_fits(c, (gd_dtype)t->dtype, &a->args[1])) return gd_failed(c);
    gd_tensor *out = gd_empty_like(c, t, (gd_dtype)t->dtype);
    if (out && value) gd_copy_values(out, value);
    if (out && !value) gd_fill_value(out, &a->args[1]);
    return give(a, out);
}

gd_code gd_fw__add_number(gd_apply *a) {
    gd_number number;
    gd_run r = {.a = a, .kernel = GD_K_ADD, .nin = 2, .in = {arg_tensor(a, 0), gd_number_of(&number, &a->args[1])}};
    r.compute = r.result = gd_result_type(r.in, 2);
    return gd_run_pointwise(&r);
}

/* New: row `id` of t (taken; NULL passes through) and a number. */
static gd_tensor *with(gd_ctx *c, gd_op_id id, gd_tensor *t, double v) {
    return t ? then_release(gd_do(c, id, (const gd_value[]){TV(t), GD_FLOAT_VALUE(v)}, 2), t) : NULL;
}

/* (1 + erf(x / sqrt(2))) / 2. */
gd_code gd_fw_ndtr(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = with(c, GD_OP__mul_number, gd_retain(arg_tensor(a, 0)), 0.707106781186547524401);
    t = with(c, GD_OP__add_number, GD_THEN1(c, erf, t), 1);
    return give(a, with(c, GD_OP__mul_number, t, 0.5));
}

/* New: 2 to the power of t. */
static gd_tensor *power_of_two(gd_ctx *c, gd_tensor *t) {
    return gd_do(c, GD_OP_pow_base, (const gd_value[]){GD_FLOAT_VALUE(2.0), TV(t)}, 2);
}

gd_code gd_fw_ldexp(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *factor = power_of_two(c, arg_tensor(a, 1));
    return give(a, factor ? then_release(DO(c, mul, a->args[0], TV(factor)), factor) : NULL);
}

gd_code gd_fw_ldexp_(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *factor = power_of_two(c, arg_tensor(a, 1));
    if (!factor) return gd_failed(c);
    gd_code code = gd_do_inplace(c, GD_OP_mul, (const gd_value[]){a->args[0], TV(factor)}, 2);
    gd_release(factor);
    return code ? code : give(a, gd_retain(arg_tensor(a, 0)));
}

/* New: an argument, tensor or number, in float64. */
static gd_tensor *as_double(gd_ctx *c, const gd_value *v) {
    if (v->kind == GD_V_TENSOR) return gd_do(c, GD_OP_to_dtype, (const gd_value[]){*v, GD_DTYPE_VALUE(GD_FLOAT64)}, 2);
    return gd_scalar_f64(c, gd_value_f64(v), GD_FLOAT64);
}

gd_code gd_fw_float_power(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const gd_value *base = &a->args[0], *exponent = &a->args[1];
    gd_tensor *p = base->kind == GD_V_TENSOR ? as_double(c, base) : NULL;
    gd_tensor *q = exponent->kind == GD_V_TENSOR ? as_double(c, exponent) : NULL, *out = NULL;
    if (p && q)
        out = DO(c, pow, TV(p), TV(q));
    else if (p && exponent->kind != GD_V_TENSOR)
        out = DO(c, pow_scalar, TV(p), GD_FLOAT_VALUE(gd_value_f64(exponent)));
    else if (q && base->kind != GD_V_TENSOR)
        out = DO(c, pow_base, GD_FLOAT_VALUE(gd_value_f64(base)), TV(q));
    gd_release(p);
    gd_release(q);
    return give(a, out);
}

/* ---- the multivariate gamma function -------------------------------------------------------------------------------
 */

gd_code gd_fw_mvlgamma(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *sum = NULL;
    int64_t p = arg_int(a, 1);
    if (p < 1) return gd_fail(c, GD_E_RUNTIME, "p has to be greater than or equal to 1");
    if ((double)p * (double)(self->numel + 1000) > 1e9) return gd_fail(c, GD_E_TOO_LARGE, "mvlgamma: p is too large");
    gd_grad_mode mode = gd_pause_recording(c);
    double constant = (double)p * (double)(p - 1) * 0.25 * 1.14472988584940017414; /* log pi */
    for (int64_t i = 0; i < p; i++) {
        gd_tensor *term = gd_with_number(c, GD_OP_sub, gd_retain(self), 0.5 * (double)i);
        term = GD_THEN1(c, lgamma, term);
        gd_tensor *next = term && sum ? DO(c, add, TV(sum), TV(term)) : gd_retain(term);
        gd_release(sum);
        gd_release(term);
        sum = next;
        if (!sum) break;
    }
    sum = gd_with_number(c, GD_OP_add, sum, constant);
    c->mode = mode;
    return give(a, sum);
}
