/* pointwise_rules.c: derivatives of the pointwise rows, as formulas over ops (rules.h).
 *
 * g is the output's cotangent. The engine undoes broadcasting and casts to the inputs' dtypes. Where no graph is
 * made of the backward pass, a few rules take one pass instead of two or three.
 */
#include "core/ops/families.h"
#include "core/ops/pointwise_run.h"
#include "core/ops/rules.h"

static gd_tensor *zeros(gd_bw *b) { return GX(b->ctx, zeros_like, T_(b->grads[0])); }
static gd_tensor *zero(gd_bw *b) { return gx_number(b->ctx, 0.0); }

static double number(gd_bw *b, int argument) {
    gd_value v = gd_bw_arg(b, argument);
    return gd_value_f64(&v);
}

/* t times a factor; t itself for 1. */
static gd_tensor *times(gd_bw *b, gd_tensor *t, double factor) {
    if (factor == 1.0) return t;
    return factor == -1.0 ? gx_neg(b->ctx, t) : gx_mul_s(b->ctx, t, factor);
}

/* x * y * factor. */
static gd_tensor *product(gd_bw *b, gd_tensor *x, gd_tensor *y, double factor) {
    if (factor == 1.0) return gx_mul(b->ctx, x, y);
    if (b->create_graph) return gx_mul(b->ctx, x, times(b, y, factor));
    return GX(b->ctx, _scaled_mul, T_(x), T_(y), F_(factor));
}

static gd_tensor *power(gd_bw *b, gd_tensor *x, double exponent) { return GX(b->ctx, pow_scalar, T_(x), F_(exponent)); }
static gd_tensor *squared(gd_bw *b, gd_tensor *x) { return gx_mul(b->ctx, x, x); }

/* One-input rules read: g, and x, the saved input, or y, the saved result. */
#define RULE_OF_INPUT(name, formula)                                                                                   \
    void gd_bw_##name(gd_bw *b) {                                                                                      \
        gd_ctx *c = b->ctx;                                                                                            \
        (void)c;                                                                                                       \
        gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);                                                           \
        gd_bw_set(b, 0, formula);                                                                                      \
    }
#define RULE_OF_RESULT(name, formula)                                                                                  \
    void gd_bw_##name(gd_bw *b) {                                                                                      \
        gd_ctx *c = b->ctx;                                                                                            \
        (void)c;                                                                                                       \
        gd_tensor *g = b->grads[0], *y = gd_bw_output(b, 0);                                                           \
        gd_bw_set(b, 0, formula);                                                                                      \
    }

RULE_OF_INPUT(abs, gx_mul(c, g, GX(c, sign, T_(x))))
RULE_OF_INPUT(log, gx_div(c, g, x))
RULE_OF_INPUT(log1p, gx_div(c, g, gx_add_s(c, x, 1)))
RULE_OF_INPUT(sin, gx_mul(c, g, GX(c, cos, T_(x))))
RULE_OF_INPUT(cos, product(b, g, GX(c, sin, T_(x)), -1))
RULE_OF_INPUT(asin, gx_mul(c, g, GX(c, rsqrt, T_(GX(c, rsub, T_(squared(b, x)), T_(gx_number(c, 1)))))))
RULE_OF_INPUT(acos, product(b, g, GX(c, rsqrt, T_(GX(c, rsub, T_(squared(b, x)), T_(gx_number(c, 1))))), -1))
RULE_OF_INPUT(atan, gx_div(c, g, gx_add_s(c, squared(b, x), 1)))
RULE_OF_INPUT(sinh, gx_mul(c, g, GX(c, cosh, T_(x))))
RULE_OF_INPUT(cosh, gx_mul(c, g, GX(c, sinh, T_(x))))
RULE_OF_RESULT(exp, gx_mul(c, g, y))
RULE_OF_RESULT(expm1, gx_mul(c, g, gx_add_s(c, y, 1)))
RULE_OF_RESULT(sqrt, gx_div(c, g, gx_mul_s(c, y, 2)))
RULE_OF_RESULT(rsqrt, product(b, g, power(b, y, 3), -0.5))
RULE_OF_RESULT(reciprocal, product(b, g, squared(b, y), -1))
RULE_OF_RESULT(tan, gx_mul(c, g, gx_add_s(c, squared(b, y), 1)))
RULE_OF_RESULT(tanh, GX(c, _tanh_backward, T_(g), T_(y)))
RULE_OF_RESULT(sigmoid, GX(c, _sigmoid_backward, T_(g), T_(y)))
RULE_OF_RESULT(relu, GX(c, _threshold_backward, T_(g), T_(y)))

void gd_bw_neg(gd_bw *b) { gd_bw_set(b, 0, gx_neg(b->ctx, b->grads[0])); }
void gd_bw_pass(gd_bw *b) { gd_bw_set(b, 0, b->grads[0]); }

/* ---- sums and products ----------------------------------------------------------------------------- */

static double alpha_of(gd_bw *b) { return number(b, 2); }

void gd_bw_add(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, b->grads[0]);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, times(b, b->grads[0], alpha_of(b)));
}

void gd_bw_sub(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, b->grads[0]);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, times(b, b->grads[0], -alpha_of(b)));
}

void gd_bw_rsub(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, times(b, b->grads[0], -alpha_of(b)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, b->grads[0]);
}

void gd_bw_rsub_scalar(gd_bw *b) { gd_bw_set(b, 0, times(b, b->grads[0], -alpha_of(b))); }

void gd_bw_mul(gd_bw *b) {
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gx_mul(b->ctx, g, gd_bw_tensor(b, 1)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_mul(b->ctx, g, gd_bw_tensor(b, 0)));
}

void gd_bw_scaled_mul(gd_bw *b) {
    gd_tensor *g = b->grads[0];
    double scale = number(b, 2);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, product(b, g, gd_bw_tensor(b, 1), scale));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, product(b, g, gd_bw_tensor(b, 0), scale));
}

void gd_bw_div(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *other = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gx_div(c, g, other));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, product(b, g, gx_div(c, gx_div(c, gd_bw_tensor(b, 0), other), other), -1));
}

void gd_bw_div_mode(gd_bw *b) {
    if (gd_bw_arg(b, 2).kind == GD_V_NONE) {
        gd_bw_div(b);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (gd_bw_needs(b, i)) gd_bw_set(b, i, zeros(b));
}

void gd_bw_floor_divide(gd_bw *b) {
    gd_fail(b->ctx, GD_E_NOT_IMPLEMENTED, "derivative for aten::floor_divide is not implemented");
}

/* The quotient is constant between its steps, so other's share is minus the quotient. */
static void remainder_rule(gd_bw *b, const char *mode) {
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, g);
    if (!gd_bw_needs(b, 1)) return;
    gd_tensor *quotient = GX(b->ctx, div_mode, T_(gd_bw_tensor(b, 0)), T_(gd_bw_tensor(b, 1)), GD_STR_VALUE(mode));
    gd_bw_set(b, 1, product(b, g, quotient, -1));
}

void gd_bw_remainder(gd_bw *b) { remainder_rule(b, "floor"); }
void gd_bw_fmod(gd_bw *b) { remainder_rule(b, "trunc"); }

/* ---- powers --------------------------------------------------------------------------------------------- */

void gd_bw_pow_scalar(gd_bw *b) {
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);
    double exponent = number(b, 1);
    if (exponent == 0.0)
        gd_bw_set(b, 0, zeros(b));
    else if (exponent == 2.0)
        gd_bw_set(b, 0, product(b, g, x, 2));
    else
        gd_bw_set(b, 0, product(b, g, power(b, x, exponent - 1), exponent));
}

/* x in dtype, for a logarithm as exact as the result; a Python number's own would be computed in float32. */
static gd_tensor *in_dtype(gd_ctx *c, gd_tensor *x, gd_dtype dtype) {
    if (!x) return NULL;
    if (x->flags & GD_F_WRAPPED_NUMBER)
        return gd_pool_add(c, gd_scalar_f64(c, gd_load_f64((gd_dtype)x->dtype, x->data), dtype));
    return (gd_dtype)x->dtype == dtype ? x : GX(c, to_dtype, T_(x), GD_DTYPE_VALUE(dtype));
}

/* g * result * log(base), but 0 where the base is 0 and the exponent is not negative. */
static gd_tensor *exponent_gradient(gd_bw *b, gd_tensor *base, gd_tensor *exponent, gd_tensor *result) {
    gd_ctx *c = b->ctx;
    if (!result) return NULL;
    gd_tensor *base_zero = GX(c, eq, T_(base), T_(zero(b)));
    gd_tensor *flat = GX(c, logical_and, T_(base_zero), T_(GX(c, ge, T_(exponent), T_(zero(b)))));
    gd_tensor *log = GX(c, log, T_(in_dtype(c, base, (gd_dtype)result->dtype)));
    return gx_where(c, flat, zero(b), gx_mul(c, b->grads[0], gx_mul(c, result, log)));
}

void gd_bw_pow(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *base = gd_bw_tensor(b, 0), *exponent = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) {
        gd_tensor *lower = GX(c, pow, T_(base), T_(GX(c, sub, T_(exponent), T_(gx_number(c, 1)))));
        gd_tensor *slope = gx_mul(c, b->grads[0], gx_mul(c, exponent, lower));
        gd_bw_set(b, 0, gx_where(c, GX(c, eq, T_(exponent), T_(zero(b))), zero(b), slope));
    }
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, exponent_gradient(b, base, exponent, gd_bw_output(b, 0)));
}

void gd_bw_pow_base(gd_bw *b) {
    gd_bw_set(b, 1, exponent_gradient(b, gx_number(b->ctx, number(b, 0)), gd_bw_tensor(b, 1), gd_bw_output(b, 0)));
}

/* ---- limits and choices ------------------------------------------------------------------------------------ */

/* g where the condition holds, else 0. */
static gd_tensor *masked(gd_bw *b, gd_tensor *condition) { return gx_where(b->ctx, condition, b->grads[0], zero(b)); }

#define AND(x, y) GX(c, logical_and, T_(x), T_(y))
#define OR(x, y) GX(c, logical_or, T_(x), T_(y))
#define IS(relation, x, y) GX(c, relation, T_(x), T_(y))

void gd_bw_clamp(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *inside = NULL;
    if (gd_bw_arg(b, 1).kind != GD_V_NONE) inside = IS(ge, x, gx_number(c, number(b, 1)));
    if (gd_bw_arg(b, 2).kind != GD_V_NONE) {
        gd_tensor *below = IS(le, x, gx_number(c, number(b, 2)));
        inside = inside ? AND(inside, below) : below;
    }
    gd_bw_set(b, 0, masked(b, inside));
}

void gd_bw_clamp_min(gd_bw *b) {
    gd_bw_set(b, 0, masked(b, GX(b->ctx, ge, T_(gd_bw_tensor(b, 0)), T_(gx_number(b->ctx, number(b, 1))))));
}

void gd_bw_clamp_max(gd_bw *b) {
    gd_bw_set(b, 0, masked(b, GX(b->ctx, le, T_(gd_bw_tensor(b, 0)), T_(gx_number(b->ctx, number(b, 1))))));
}

void gd_bw_clamp_min_tensor(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *lo = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, masked(b, IS(ge, x, lo)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, masked(b, IS(lt, x, lo)));
}

void gd_bw_clamp_max_tensor(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *hi = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, masked(b, IS(le, x, hi)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, masked(b, IS(gt, x, hi)));
}

void gd_bw_clamp_tensor(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *lo = gd_bw_tensor(b, 1), *hi = gd_bw_tensor(b, 2);
    bool has_lo = lo != NULL, has_hi = hi != NULL;
    if (!has_hi || !has_lo) {
        gd_tensor *bound = has_lo ? lo : hi;
        if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, masked(b, has_lo ? IS(ge, x, bound) : IS(le, x, bound)));
        int at = has_lo ? 1 : 2;
        if (gd_bw_needs(b, at)) gd_bw_set(b, at, masked(b, has_lo ? IS(lt, x, bound) : IS(gt, x, bound)));
        return;
    }
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, masked(b, AND(IS(ge, x, lo), IS(le, x, hi))));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, masked(b, AND(IS(lt, lo, hi), IS(lt, x, lo))));
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, masked(b, OR(IS(gt, x, hi), IS(lt, hi, lo))));
}

/* Ties share the gradient; `loser` tells where the other element was chosen. */
static gd_tensor *share(gd_bw *b, gd_tensor *tie, gd_tensor *loser) {
    gd_ctx *c = b->ctx;
    gd_tensor *halved = gx_where(c, tie, gx_mul_s(c, b->grads[0], 0.5), b->grads[0]);
    return gx_where(c, loser, zero(b), halved);
}

void gd_bw_maximum(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1), *tie = IS(eq, x, y);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, share(b, tie, IS(lt, x, y)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, share(b, tie, IS(gt, x, y)));
}

void gd_bw_minimum(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1), *tie = IS(eq, x, y);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, share(b, tie, IS(gt, x, y)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, share(b, tie, IS(lt, x, y)));
}

void gd_bw_where(gd_bw *b) {
    gd_tensor *condition = gd_bw_tensor(b, 0);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, masked(b, condition));
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, gx_where(b->ctx, condition, zero(b), b->grads[0]));
}

/* ---- three inputs -------------------------------------------------------------------------------------------- */

void gd_bw_lerp(gd_bw *b) {
    double weight = number(b, 2);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, times(b, b->grads[0], 1 - weight));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, times(b, b->grads[0], weight));
}

void gd_bw_lerp_tensor(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *weight = gd_bw_tensor(b, 2);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gx_mul(c, g, GX(c, rsub, T_(weight), T_(gx_number(c, 1)))));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_mul(c, g, weight));
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, gx_mul(c, g, gx_sub(c, gd_bw_tensor(b, 1), gd_bw_tensor(b, 0))));
}

void gd_bw_addcmul(gd_bw *b) {
    gd_tensor *g = b->grads[0];
    double value = number(b, 3);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, g);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, product(b, g, gd_bw_tensor(b, 2), value));
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, product(b, g, gd_bw_tensor(b, 1), value));
}

void gd_bw_addcdiv(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *divisor = gd_bw_tensor(b, 2);
    double value = number(b, 3);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, g);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_mul(c, g, gx_div(c, gx_number(c, value), divisor)));
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, product(b, g, gx_div(c, gd_bw_tensor(b, 1), squared(b, divisor)), -value));
}

/* ---- derivatives of derivatives ---------------------------------------------------------------------------------- */

void gd_bw_threshold_backward(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(b->ctx, _threshold_backward, T_(b->grads[0]), T_(gd_bw_tensor(b, 1))));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, zeros(b));
}

void gd_bw_sigmoid_backward(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *y = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, _sigmoid_backward, T_(g), T_(y)));
    if (!gd_bw_needs(b, 1)) return;
    gd_tensor *slope = GX(c, rsub, T_(gx_mul_s(c, y, 2)), T_(gx_number(c, 1)));
    gd_bw_set(b, 1, gx_mul(c, gx_mul(c, g, gd_bw_tensor(b, 0)), slope));
}

void gd_bw_tanh_backward(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *y = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, _tanh_backward, T_(g), T_(y)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, product(b, gx_mul(c, g, gd_bw_tensor(b, 0)), y, -2));
}
