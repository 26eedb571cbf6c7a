/* pointwise.c: forward functions of the pointwise rows: which dtype to compute in, which kernel, which extras.
 * Their derivatives are in pointwise_rules.c, the comparisons' own functions in compare.c.
 */
#include "core/ops/families.h"
#include "core/ops/pointwise_run.h"

#include <math.h>
#include <string.h>

/* ---- what the kernels want ------------------------------------------------------------------------ */

enum {
    K_TEST = 1,   /* answers bool */
    K_FLOAT = 2,  /* integers are computed in float32 */
    K_ROUND = 4,  /* integers are their own result */
    K_DIVIDE = 8, /* an integer divisor must not be zero */
    K_MINUS = 16  /* refuses bool, with advice */
};

static const uint8_t traits[GD_K_COUNT] = {
    [GD_K_EQ] = K_TEST,          [GD_K_NE] = K_TEST,          [GD_K_LT] = K_TEST,          [GD_K_LE] = K_TEST,
    [GD_K_GT] = K_TEST,          [GD_K_GE] = K_TEST,          [GD_K_LOGICAL_AND] = K_TEST, [GD_K_LOGICAL_OR] = K_TEST,
    [GD_K_LOGICAL_XOR] = K_TEST, [GD_K_LOGICAL_NOT] = K_TEST, [GD_K_ISNAN] = K_TEST,       [GD_K_ISINF] = K_TEST,
    [GD_K_ISFINITE] = K_TEST,    [GD_K_DIV] = K_FLOAT,        [GD_K_SQRT] = K_FLOAT,       [GD_K_RSQRT] = K_FLOAT,
    [GD_K_RECIPROCAL] = K_FLOAT, [GD_K_SIGMOID] = K_FLOAT,    [GD_K_EXP] = K_FLOAT,        [GD_K_LOG] = K_FLOAT,
    [GD_K_LOG1P] = K_FLOAT,      [GD_K_EXPM1] = K_FLOAT,      [GD_K_SIN] = K_FLOAT,        [GD_K_COS] = K_FLOAT,
    [GD_K_TAN] = K_FLOAT,        [GD_K_ASIN] = K_FLOAT,       [GD_K_ACOS] = K_FLOAT,       [GD_K_ATAN] = K_FLOAT,
    [GD_K_SINH] = K_FLOAT,       [GD_K_COSH] = K_FLOAT,       [GD_K_TANH] = K_FLOAT,       [GD_K_FLOOR] = K_ROUND,
    [GD_K_CEIL] = K_ROUND,       [GD_K_ROUND] = K_ROUND,      [GD_K_TRUNC] = K_ROUND,      [GD_K_REMAINDER] = K_DIVIDE,
    [GD_K_FMOD] = K_DIVIDE,      [GD_K_FLOOR_DIV] = K_DIVIDE, [GD_K_TRUNC_DIV] = K_DIVIDE, [GD_K_NEG] = K_MINUS,
    [GD_K_SUB] = K_MINUS,
};

/* PyTorch's names of the kernels that refuse a dtype. */
static const char *kernel_text(const gd_run *r) {
    switch (r->kernel) {
    case GD_K_BITWISE_AND: return "bitwise_and_cpu";
    case GD_K_BITWISE_OR: return "bitwise_or_cpu";
    case GD_K_BITWISE_XOR: return "bitwise_xor_cpu";
    case GD_K_BITWISE_NOT: return "bitwise_not_cpu";
    case GD_K_REMAINDER: return "remainder_cpu";
    case GD_K_FMOD: return "fmod_cpu";
    case GD_K_FLOOR_DIV: return "div_floor_cpu";
    case GD_K_TRUNC_DIV: return "div_trunc_cpu";
    case GD_K_POW: return "pow";
    case GD_K_ABS: return "abs_cpu";
    case GD_K_FLOOR: return "floor_vml_cpu";
    case GD_K_CEIL: return "ceil_vml_cpu";
    case GD_K_ROUND: return "round_vml_cpu";
    case GD_K_ROUND_SCALED: return "round_cpu";
    case GD_K_TRUNC: return "trunc_vml_cpu";
    case GD_K_LERP: return "lerp_kernel_tensor";
    case GD_K_LERP_SCALAR: return "lerp_kernel_scalar";
    case GD_K_ADDCMUL: return "addcmul_cpu_out";
    case GD_K_CLAMP: return "clamp_scalar_kernel_impl";
    case GD_K_CLAMP_MIN: return "clamp_min_scalar_kernel_impl";
    case GD_K_CLAMP_MAX: return "clamp_max_scalar_kernel_impl";
    case GD_K_CLAMP_TENSOR: return "clamp_tensor_kernel_impl";
    default: return r->a->op->name;
    }
}

static gd_code refuse_minus(const gd_run *r) {
    gd_ctx *ctx = r->a->ctx;
    bool one = r->in[0]->dtype == GD_BOOL, both = one && r->nin > 1 && r->in[1]->dtype == GD_BOOL;
    if (r->nin == 1 && one)
        return gd_fail(
            ctx, GD_E_DTYPE,
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead.");
    if (both)
        return gd_fail(ctx, GD_E_DTYPE,
                       "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
                       "`logical_xor()` operator instead.");
    if (one || (r->nin > 1 && r->in[1]->dtype == GD_BOOL))
        return gd_fail(
            ctx, GD_E_DTYPE,
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a "
            "mask, use the `~` or `logical_not()` operator instead.");
    return GD_OK;
}

static gd_code refuse_kernel(const gd_run *r) {
    if (r->kernel == GD_K_RELU) return gd_fail(r->a->ctx, GD_E_DTYPE, "Boolean inputs not supported for relu");
    return gd_fail_kernel(r->a->ctx, kernel_text(r), r->compute);
}

/* Promotes the inputs, settles the kernel and computes. */
static gd_code promote_and_run(gd_run *r) {
    uint8_t trait = traits[r->kernel];
    gd_code code = trait & K_MINUS ? refuse_minus(r) : GD_OK;
    if (code) return code;
    r->compute = gd_result_type(r->in, r->nin);
    bool floating = gd_dtype_is_float(r->compute);
    if ((trait & K_FLOAT) && !floating) r->compute = GD_FLOAT32;
    if ((trait & K_ROUND) && !floating && r->compute != GD_BOOL) r->kernel = GD_K_COPY;
    r->result = trait & K_TEST ? GD_BOOL : r->compute;
    bool divides = (trait & K_DIVIDE) && !floating, missing = !gd_pointwise_loop(r->kernel, r->compute);
    if (divides || missing) {
        code = gd_check_pointwise(r);
        if (!code && missing) code = refuse_kernel(r);
        if (!code && r->in[0]->numel > 0) code = gd_check_divisor(r->a->ctx, r->in[1], r->compute);
        if (code) return code;
    }
    return gd_run_pointwise(r);
}

static gd_run run_of(gd_apply *a, gd_kernel k, int nin) {
    gd_run r = {.a = a, .kernel = k, .nin = nin};
    for (int i = 0; i < nin; i++) r.in[i] = a->args[i].u.tensor;
    return r;
}

/* ---- rows whose arguments are all tensors ------------------------------------------------------------ */

static bool same_plain(const gd_tensor *a, const gd_tensor *b) {
    return a->dtype == b->dtype && gd_same_shape(a, b) && !((a->flags | b->flags) & GD_F_WRAPPED_NUMBER);
}

/* Floats of one dtype and shape, contiguous, into a new output: no promotion, no broadcasting. */
static bool is_simple(const gd_apply *a, gd_kernel k, int nin) {
    const gd_tensor *t = a->args[0].u.tensor;
    if (a->out[0] || a->ctx->trace || !gd_dtype_is_float((gd_dtype)t->dtype) || (traits[k] & K_TEST)) return false;
    if (nin == 2 && !same_plain(t, a->args[1].u.tensor)) return false;
    if (t->flags & GD_F_WRAPPED_NUMBER) return false;
    if (t->numel == 1) return true;
    for (int i = 0; i < nin; i++) {
        const gd_tensor *in = a->args[i].u.tensor;
        if (!gd_strides_contiguous(in->ndim, in->sizes, GD_STRIDES(in))) return false;
    }
    return true;
}

static gd_code run_simple(gd_apply *a, gd_loop loop, int nin, const void *extra) {
    gd_tensor *t = a->args[0].u.tensor;
    gd_tensor *out = gd_empty_like(a->ctx, t, (gd_dtype)t->dtype);
    if (!out) return a->ctx->error.code;
    int64_t step = t->dtype == GD_FLOAT32 ? 4 : 8;
    char *data[3] = {out->data, t->data, nin == 2 ? a->args[1].u.tensor->data : NULL};
    const int64_t strides[3] = {step, step, step};
    loop(data, strides, out->numel, extra);
    a->out[0] = out;
    a->nout = 1;
    return GD_OK;
}

gd_code gd_fw_pointwise(gd_apply *a) {
    gd_kernel k = (gd_kernel)a->op->param;
    int nin = a->nargs > 1 ? 2 : 1;
    if (is_simple(a, k, nin)) {
        gd_loop loop = gd_pointwise_loop(k, (gd_dtype)a->args[0].u.tensor->dtype);
        if (loop) return run_simple(a, loop, nin, NULL);
    }
    gd_run r = run_of(a, k, nin);
    return promote_and_run(&r);
}

/* The second argument is a number. */
gd_code gd_fw_pointwise_scalar(gd_apply *a) {
    gd_number number;
    gd_run r = run_of(a, (gd_kernel)a->op->param, 1);
    r.in[r.nin++] = gd_number_of(&number, &a->args[1]);
    return promote_and_run(&r);
}

gd_code gd_fw_floor_divide(gd_apply *a) { return gd_fw_pointwise_scalar(a); }

/* ---- add, sub, rsub -------------------------------------------------------------------------------------- */

static bool is_one(const gd_value *v) {
    return v->kind == GD_V_INT ? v->u.integer == 1 : v->kind == GD_V_FLOAT && v->u.real == 1.0;
}

static gd_code check_alpha(gd_ctx *ctx, const gd_value *alpha, gd_dtype result) {
    if (alpha->kind == GD_V_BOOL && result != GD_BOOL)
        return gd_fail(ctx, GD_E_DTYPE, "Boolean alpha only supported for Boolean results.");
    if (alpha->kind == GD_V_FLOAT && !gd_dtype_is_float(result))
        return gd_fail(ctx, GD_E_DTYPE,
                       "For integral input tensors, argument alpha must not be a floating point number.");
    return GD_OK;
}

/* in[0] ± alpha * in[1]. */
static gd_code run_alpha(gd_run *r, const gd_value *alpha, bool minus) {
    gd_ctx *ctx = r->a->ctx;
    r->kernel = minus ? GD_K_SUB : GD_K_ADD;
    r->compute = r->result = gd_result_type(r->in, r->nin);
    gd_code code = minus ? refuse_minus(r) : GD_OK;
    if (code) return code;
    _Alignas(8) char scale[8];
    if (!is_one(alpha)) {
        code = gd_check_pointwise(r);
        if (!code) code = check_alpha(ctx, alpha, r->compute);
        if (code) return code;
        gd_convert_value(r->compute, alpha, scale);
        r->kernel = minus ? GD_K_SUB_ALPHA : GD_K_ADD_ALPHA;
        r->extra = scale;
        r->extra_bytes = gd_dtype_bytes(r->compute);
    }
    return gd_run_pointwise(r);
}

gd_code gd_fw_add(gd_apply *a) {
    gd_kernel k = (gd_kernel)a->op->param;
    static const gd_value one = {.kind = GD_V_INT, .u.integer = 1};
    const gd_value *alpha = a->nargs > 2 ? &a->args[2] : &one;
    if (is_one(alpha) && is_simple(a, k, 2)) {
        gd_loop loop = gd_pointwise_loop(k, (gd_dtype)a->args[0].u.tensor->dtype);
        return run_simple(a, loop, 2, NULL);
    }
    gd_run r = run_of(a, k, 2);
    return run_alpha(&r, alpha, k == GD_K_SUB);
}

gd_code gd_fw_rsub(gd_apply *a) {
    static const gd_value one = {.kind = GD_V_INT, .u.integer = 1};
    gd_number number;
    gd_tensor *other = a->args[1].kind == GD_V_TENSOR ? a->args[1].u.tensor : gd_number_of(&number, &a->args[1]);
    gd_run r = {.a = a, .nin = 2, .in = {other, a->args[0].u.tensor}};
    return run_alpha(&r, a->nargs > 2 ? &a->args[2] : &one, true);
}

/* ---- division ---------------------------------------------------------------------------------------------- */

gd_code gd_fw_div_mode(gd_apply *a) {
    gd_run r = run_of(a, GD_K_DIV, 2);
    const gd_value *mode = &a->args[2];
    if (a->nargs > 2 && mode->kind == GD_V_STR) {
        if (!strcmp(mode->u.str, "floor"))
            r.kernel = GD_K_FLOOR_DIV;
        else if (!strcmp(mode->u.str, "trunc"))
            r.kernel = GD_K_TRUNC_DIV;
        else
            return gd_fail(a->ctx, GD_E_RUNTIME,
                           "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '%s'",
                           mode->u.str);
    }
    return promote_and_run(&r);
}

/* ---- powers --------------------------------------------------------------------------------------------------- */

/* Exponents that have a shorter way; false: none. */
static bool short_power(double exponent, bool floating, gd_kernel *k) {
    if (exponent == 1.0)
        *k = GD_K_COPY;
    else if (exponent == 2.0)
        *k = GD_K_SQUARE;
    else if (exponent == 3.0)
        *k = GD_K_CUBE;
    else if (!floating)
        return false;
    else if (exponent == 0.5)
        *k = GD_K_SQRT;
    else if (exponent == -0.5)
        *k = GD_K_RSQRT;
    else if (exponent == -1.0)
        *k = GD_K_RECIPROCAL;
    else if (exponent == -2.0)
        *k = GD_K_INVERSE_SQUARE;
    else
        return false;
    return true;
}

static gd_code check_int_power(const gd_apply *a, const gd_run *r) {
    const gd_value *e = &a->args[1];
    bool integers = !gd_dtype_is_float((gd_dtype)r->in[0]->dtype) && e->kind == GD_V_INT;
    if (integers && e->u.integer < 0)
        return gd_fail(a->ctx, GD_E_RUNTIME, "Integers to negative integer powers are not allowed.");
    return GD_OK;
}

/* pow(Tensor, Scalar) has words of its own for an output that cannot take the result. */
static gd_code check_power_output(const gd_run *r) {
    const gd_tensor *out = r->a->out[0];
    if (!out || gd_can_cast(r->compute, (gd_dtype)out->dtype)) return GD_OK;
    return gd_fail(r->a->ctx, GD_E_DTYPE, "Found dtype %s but expected %s", gd_dtype_scalar_name((gd_dtype)out->dtype),
                   gd_dtype_scalar_name(r->compute));
}

/* pow(Tensor, Scalar): checks, and takes a shorter way where there is one. */
static gd_code prepare_power(gd_run *r) {
    gd_code code = check_int_power(r->a, r);
    if (!code) code = check_power_output(r);
    if (code || r->compute == GD_BOOL) return code;
    if (short_power(gd_value_f64(&r->a->args[1]), gd_dtype_is_float(r->compute), &r->kernel)) r->nin = 1;
    return GD_OK;
}

/* The row's param says which side may be a number: 0 the exponent, 1 neither, 2 the base. */
gd_code gd_fw_pow(gd_apply *a) {
    gd_number number;
    gd_run r = {.a = a, .kernel = GD_K_POW, .nin = 2};
    for (int i = 0; i < 2; i++)
        r.in[i] = a->args[i].kind == GD_V_TENSOR ? a->args[i].u.tensor : gd_number_of(&number, &a->args[i]);
    r.compute = r.result = gd_result_type(r.in, 2);
    gd_code code = a->op->param == 0 ? prepare_power(&r) : GD_OK;
    if (code) return code;
    gd_loop loop = gd_pointwise_loop(r.kernel, r.compute);
    if (r.nin == 1 && loop && is_simple(a, r.kernel, 1)) return run_simple(a, loop, 1, NULL);
    if (!loop) {
        code = gd_check_pointwise(&r);
        return code ? code : refuse_kernel(&r);
    }
    return gd_run_pointwise(&r);
}

gd_code gd_fw_square(gd_apply *a) {
    a->out[0] = gd_do(a->ctx, GD_OP_pow_scalar, (const gd_value[]){a->args[0], GD_INT_VALUE(2)}, 2);
    a->nout = 1;
    return a->out[0] ? GD_OK : a->ctx->error.code;
}

gd_code gd_fw_square_(gd_apply *a) {
    gd_code code = gd_do_inplace(a->ctx, GD_OP_pow_scalar, (const gd_value[]){a->args[0], GD_INT_VALUE(2)}, 2);
    if (code) return code;
    a->out[0] = gd_retain(a->args[0].u.tensor);
    a->nout = 1;
    return GD_OK;
}

/* ---- clamp ------------------------------------------------------------------------------------------------------ */

static bool given(const gd_apply *a, int i) { return a->nargs > i && a->args[i].kind != GD_V_NONE; }

static gd_code fail_no_bounds(gd_apply *a) {
    return gd_fail(a->ctx, GD_E_RUNTIME, "torch.clamp: At least one of 'min' or 'max' must not be None");
}

/* The loop between the bounds that are there, which begin at r->extra; a NaN among two gives NaN. */
static gd_code run_clamp(gd_run *r, gd_tensor *const *bounds, int n) {
    const gd_tensor *out = r->a->out[0];
    if (out && !gd_can_cast(r->result, (gd_dtype)out->dtype))
        return gd_fail(r->a->ctx, GD_E_DTYPE, "result type %s can't be cast to the desired output type %s",
                       gd_dtype_scalar_name(r->result), gd_dtype_c_name((gd_dtype)out->dtype));
    for (int i = 0; n == 2 && i < n; i++) {
        if (!isnan(gd_load_f64((gd_dtype)bounds[i]->dtype, bounds[i]->data))) continue;
        r->kernel = GD_K_MUL;
        r->in[1] = bounds[i];
        r->nin = 2;
    }
    return gd_pointwise_loop(r->kernel, r->compute) ? gd_run_pointwise(r) : refuse_kernel(r);
}

/* Clamps between the numbers at arguments lo and hi (either may be missing: -1 or None). */
static gd_code clamp_numbers(gd_apply *a, int lo, int hi) {
    gd_run r = run_of(a, GD_K_CLAMP, 1);
    gd_number numbers[2];
    gd_tensor *types[3] = {r.in[0]};
    _Alignas(8) char extra[16];
    const int at[2] = {lo, hi};
    int n = 0;
    for (int i = 0; i < 2; i++)
        if (at[i] >= 0 && given(a, at[i])) {
            types[n + 1] = gd_number_of(&numbers[n], &a->args[at[i]]);
            n++;
            if (!i) r.kernel = GD_K_CLAMP_MIN;
        }
    if (n == 0) return fail_no_bounds(a);
    if (n == 2)
        r.kernel = GD_K_CLAMP;
    else if (r.kernel == GD_K_CLAMP)
        r.kernel = GD_K_CLAMP_MAX;
    r.compute = r.result = gd_result_type(types, n + 1);
    for (int i = 0, k = 0; i < 2; i++)
        if (at[i] >= 0 && given(a, at[i]))
            gd_convert_value(r.compute, &a->args[at[i]], extra + gd_dtype_bytes(r.compute) * (size_t)k++);
    r.extra = extra;
    r.extra_bytes = (size_t)n * gd_dtype_bytes(r.compute);
    return run_clamp(&r, types + 1, n);
}

gd_code gd_fw_clamp(gd_apply *a) { return clamp_numbers(a, 1, 2); }

gd_code gd_fw_clamp_one(gd_apply *a) {
    return a->op->param == GD_K_CLAMP_MIN ? clamp_numbers(a, 1, -1) : clamp_numbers(a, -1, 1);
}

gd_code gd_fw_clamp_tensor(gd_apply *a) {
    gd_run r = {.a = a, .in = {a->args[0].u.tensor}, .nin = 1};
    bool lo = given(a, 1), hi = given(a, 2);
    if (!lo && !hi) return fail_no_bounds(a);
    if (lo) r.in[r.nin++] = a->args[1].u.tensor;
    if (hi) r.in[r.nin++] = a->args[2].u.tensor;
    r.kernel = lo && hi ? GD_K_CLAMP_TENSOR : lo ? GD_K_MAXIMUM : GD_K_MINIMUM;
    return promote_and_run(&r);
}

/* ---- three inputs --------------------------------------------------------------------------------------------------
 */

gd_code gd_fw_where(gd_apply *a) {
    gd_run r = run_of(a, GD_K_WHERE, 3);
    gd_dtype condition = (gd_dtype)r.in[0]->dtype;
    if (condition != GD_BOOL && condition != GD_UINT8)
        return gd_fail(a->ctx, GD_E_DTYPE,
                       "where expected condition to be a boolean tensor, but got a tensor with dtype %s",
                       gd_dtype_scalar_name(condition));
    r.compute = r.result = gd_result_type(r.in + 1, 2);
    return gd_run_pointwise(&r);
}

static gd_code check_lerp_dtype(const gd_run *r, int i, const char *name) {
    if (r->in[i]->dtype == r->in[0]->dtype || (r->in[i]->flags & GD_F_WRAPPED_NUMBER)) return GD_OK;
    return gd_fail(r->a->ctx, GD_E_DTYPE, "expected dtype %s for `%s` but got dtype %s",
                   gd_dtype_c_name((gd_dtype)r->in[0]->dtype), name, gd_dtype_c_name((gd_dtype)r->in[i]->dtype));
}

gd_code gd_fw_lerp(gd_apply *a) {
    bool scalar = a->op->param == GD_K_LERP_SCALAR;
    gd_run r = run_of(a, (gd_kernel)a->op->param, scalar ? 2 : 3);
    gd_code code = check_lerp_dtype(&r, 1, "end");
    if (!code && !scalar) code = check_lerp_dtype(&r, 2, "weight");
    if (code) return code;
    r.compute = r.result = (gd_dtype)r.in[0]->dtype;
    if (!gd_dtype_is_float(r.compute)) return gd_fail_kernel(a->ctx, kernel_text(&r), r.compute);
    _Alignas(8) char weight[8];
    if (scalar) gd_convert_value(r.compute, &a->args[2], weight);
    r.extra = scalar ? weight : NULL;
    r.extra_bytes = scalar ? gd_dtype_bytes(r.compute) : 0;
    return gd_run_pointwise(&r);
}

gd_code gd_fw_addc(gd_apply *a) {
    static const gd_value one = {.kind = GD_V_INT, .u.integer = 1};
    gd_run r = run_of(a, (gd_kernel)a->op->param, 3);
    if (r.kernel == GD_K_ADDCDIV && !gd_dtype_is_float((gd_dtype)r.in[1]->dtype) &&
        !gd_dtype_is_float((gd_dtype)r.in[2]->dtype))
        return gd_fail(
            a->ctx, GD_E_DTYPE,
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
            "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + "
            "value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * "
            "tensor1 / tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: "
            "(input + value * tensor1 / tensor2), for all dtypes.");
    r.compute = r.result = gd_result_type(r.in, 3);
    if (!gd_pointwise_loop(r.kernel, r.compute)) return refuse_kernel(&r);
    _Alignas(8) char value[8];
    gd_convert_value(r.compute, a->nargs > 3 ? &a->args[3] : &one, value);
    r.extra = value;
    r.extra_bytes = gd_dtype_bytes(r.compute);
    return gd_run_pointwise(&r);
}

/* ---- others
 * ------------------------------------------------------------------------------------------------------------ */

gd_code gd_fw_round_decimals(gd_apply *a) {
    gd_run r = run_of(a, GD_K_ROUND_SCALED, 1);
    r.compute = r.result = (gd_dtype)r.in[0]->dtype;
    int64_t decimals = a->args[1].u.integer;
    if (decimals == 0) r.kernel = GD_K_ROUND;
    if (!gd_dtype_is_float(r.compute)) return gd_fail_kernel(a->ctx, kernel_text(&r), r.compute);
    double scale = pow(10.0, fabs((double)decimals));
    _Alignas(8) char extra[8];
    gd_convert_value(r.compute, &GD_FLOAT_VALUE(decimals < 0 ? -scale : scale), extra);
    r.extra = extra;
    r.extra_bytes = gd_dtype_bytes(r.compute);
    return gd_run_pointwise(&r);
}

gd_code gd_fw_scaled_mul(gd_apply *a) {
    gd_run r = run_of(a, GD_K_SCALED_MUL, 2);
    r.compute = r.result = gd_result_type(r.in, 2);
    _Alignas(8) char scale[8];
    gd_convert_value(r.compute, &a->args[2], scale);
    r.extra = scale;
    r.extra_bytes = gd_dtype_bytes(r.compute);
    if (is_simple(a, r.kernel, 2)) return run_simple(a, gd_pointwise_loop(r.kernel, r.compute), 2, scale);
    return gd_run_pointwise(&r);
}
