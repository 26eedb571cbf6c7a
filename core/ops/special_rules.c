/* special_rules.c: derivatives of the special rows, as formulas over ops (rules.h). The formulas are those of PyTorch's
 * derivatives.yaml. */
#include <math.h>

#include "core/ops/families.h"
#include "core/ops/pointwise_run.h"
#include "core/ops/rules.h"

#define ROOT_PI 1.77245385090551602730
#define ROOT_TWO 1.41421356237309504880
#define LOG_2 0.693147180559945309417
#define LOG_10 2.30258509299404568402

static double number(gd_bw *b, int argument) {
    gd_value v = gd_bw_arg(b, argument);
    return gd_value_f64(&v);
}

#define ONE(f, x) GX(c, f, T_(x))
#define TWO(f, x, y) GX(c, f, T_(x), T_(y))
#define MUL(x, y) gx_mul(c, (x), (y))
#define DIV(x, y) gx_div(c, (x), (y))
#define ADD(x, y) gx_add(c, (x), (y))
#define SUB(x, y) gx_sub(c, (x), (y))
#define PLUS(x, v) gx_add_s(c, (x), (v))
#define TIMES(x, v) gx_mul_s(c, (x), (v))
#define NUMBER(v) gx_number(c, (v))
#define SQUARED(x) MUL((x), (x))
#define ONLY(condition, x) gx_where(c, (condition), (x), NUMBER(0))

/* One-input rules read: g, and x, the saved input, or y, the saved result. */
#define RULE(name, formula)                                                                                            \
    void gd_bw_##name(gd_bw *b) {                                                                                      \
        gd_ctx *c = b->ctx;                                                                                            \
        gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);                                                           \
        gd_bw_set(b, 0, formula);                                                                                      \
    }
#define RULE_OF_RESULT(name, formula)                                                                                  \
    void gd_bw_##name(gd_bw *b) {                                                                                      \
        gd_ctx *c = b->ctx;                                                                                            \
        gd_tensor *g = b->grads[0], *y = gd_bw_output(b, 0);                                                           \
        gd_bw_set(b, 0, formula);                                                                                      \
    }
#define RULE_OF_BOTH(name, formula)                                                                                    \
    void gd_bw_##name(gd_bw *b) {                                                                                      \
        gd_ctx *c = b->ctx;                                                                                            \
        gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *y = gd_bw_output(b, 0);                                  \
        gd_bw_set(b, 0, formula);                                                                                      \
    }

/* ---- elementary ---------------------------------------------------------------------------------------- */

RULE(acosh, MUL(g, ONE(rsqrt, PLUS(SQUARED(x), -1))))
RULE(asinh, MUL(g, ONE(rsqrt, PLUS(SQUARED(x), 1))))
RULE(atanh, DIV(g, TWO(rsub, SQUARED(x), NUMBER(1))))
RULE(log2, DIV(g, TIMES(x, LOG_2)))
RULE(log10, DIV(g, TIMES(x, LOG_10)))
RULE_OF_RESULT(exp2, TIMES(MUL(g, y), LOG_2))
RULE(nan_to_num, MUL(g, ONE(isfinite, x)))

void gd_bw_scale(gd_bw *b) {
    gd_bw_set(b, 0,
              gx_mul_s(b->ctx, b->grads[0], gd_bw_op(b)->param ? 0.017453292519943295769 : 57.295779513082320877));
}

void gd_bw_frexp(gd_bw *b) {
    gd_ctx *c = b->ctx;
    if (b->grads[0]) gd_bw_set(b, 0, DIV(b->grads[0], ONE(exp2, gd_bw_output(b, 1))));
}

void gd_bw_fill(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, zeros_like, T_(b->grads[0]))); }

void gd_bw_filled(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_fill(b);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(b->ctx, sum, T_(b->grads[0])));
}

/* ---- error functions --------------------------------------------------------------------------------------- */

/* exp(-x x). */
static gd_tensor *bell(gd_ctx *c, gd_tensor *x) { return ONE(exp, gx_neg(c, SQUARED(x))); }

RULE(erf, MUL(TIMES(bell(c, x), 2 / ROOT_PI), g))
RULE(erfc, MUL(TIMES(bell(c, x), -2 / ROOT_PI), g))
RULE(erfinv, MUL(TIMES(ONE(exp, SQUARED(ONE(erfinv, x))), ROOT_PI / 2), g))
RULE_OF_BOTH(erfcx, MUL(PLUS(MUL(TIMES(x, 2), y), -2 / ROOT_PI), g))
RULE_OF_RESULT(ndtri, MUL(g, TIMES(ONE(exp, TIMES(SQUARED(y), 0.5)), ROOT_TWO *ROOT_PI)))
RULE_OF_BOTH(log_ndtr, MUL(DIV(g, NUMBER(ROOT_TWO *ROOT_PI)), ONE(exp, gx_neg(c, ADD(y, TIMES(SQUARED(x), 0.5))))))
RULE(entr, MUL(g, gx_neg(c, PLUS(ONE(log, x), 1))))

/* (pi x cos(pi x) - sin(pi x)) / (pi x x), 0 where x x is. */
void gd_bw_sinc(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);
    gd_tensor *turned = TIMES(x, 3.14159265358979323846), *below = MUL(turned, x);
    gd_tensor *slope = DIV(SUB(MUL(turned, ONE(cos, turned)), ONE(sin, turned)), below);
    gd_bw_set(b, 0, gx_where(c, TWO(eq, below, NUMBER(0)), NUMBER(0), MUL(g, slope)));
}

/* Outside the range that eps leaves the result is flat; without eps nothing is outside [0, 1]. */
void gd_bw_logit(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);
    bool has_eps = gd_bw_arg(b, 1).kind != GD_V_NONE;
    double low = has_eps ? number(b, 1) : 0;
    gd_tensor *inside = TWO(logical_and, TWO(ge, x, NUMBER(low)), TWO(le, x, NUMBER(1 - low)));
    gd_tensor *slope = DIV(g, MUL(x, TWO(rsub, x, NUMBER(1))));
    gd_bw_set(b, 0, gx_where(c, inside, slope, NUMBER(has_eps ? 0 : (double)NAN)));
}

/* ---- gamma functions ------------------------------------------------------------------------------------------ */

RULE(lgamma, MUL(g, ONE(digamma, x)))
RULE(digamma, MUL(g, GX(c, polygamma, I_(1), T_(x))))

void gd_bw_polygamma(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int64_t n = gd_bw_arg(b, 0).u.integer;
    gd_tensor *x = gd_bw_tensor(b, 1);
    if (n < INT64_MAX) gd_bw_set(b, 1, MUL(b->grads[0], GX(c, polygamma, I_(n + 1), T_(x))));
}

void gd_bw_mvlgamma(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int64_t p = gd_bw_arg(b, 1).u.integer;
    gd_tensor *x = gd_bw_tensor(b, 0), *sum = ONE(digamma, x);
    for (int64_t i = 1; i < p && sum; i++) sum = ADD(sum, ONE(digamma, PLUS(x, -0.5 * (double)i)));
    gd_bw_set(b, 0, MUL(b->grads[0], sum));
}

static void not_known(gd_bw *b, const char *what) {
    gd_fail(b->ctx, GD_E_NOT_IMPLEMENTED, "the derivative for '%s' is not implemented.", what);
}

/* The density of the gamma distribution: x^(a - 1) exp(-x) / gamma(a). */
static gd_tensor *density(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *a = gd_bw_tensor(b, 0), *x = gd_bw_tensor(b, 1);
    gd_tensor *log_of = SUB(SUB(MUL(PLUS(a, -1), ONE(log, x)), x), ONE(lgamma, a));
    return MUL(b->grads[0], ONE(exp, log_of));
}

void gd_bw_igamma(gd_bw *b) {
    if (gd_bw_needs(b, 0)) not_known(b, "igamma: input");
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, density(b));
}

void gd_bw_igammac(gd_bw *b) {
    if (gd_bw_needs(b, 0)) not_known(b, "igammac: input");
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_neg(b->ctx, density(b)));
}

void gd_bw_zeta(gd_bw *b) {
    gd_ctx *c = b->ctx;
    if (gd_bw_needs(b, 0)) not_known(b, "zeta");
    if (!gd_bw_needs(b, 1)) return;
    gd_tensor *s = gd_bw_tensor(b, 0), *next = TWO(zeta, PLUS(s, 1), gd_bw_tensor(b, 1));
    gd_bw_set(b, 1, MUL(MUL(b->grads[0], gx_neg(c, s)), next));
}

/* ---- Bessel functions ------------------------------------------------------------------------------------------- */

RULE(i0, MUL(g, ONE(i1, x)))
RULE_OF_BOTH(i0e, MUL(g, SUB(ONE(i1e, x), MUL(ONE(sgn, x), y))))

/* The slope of i1 and i1e at 0 is 1/2, which their formulas only tend to. */
static void i1_rule(gd_bw *b, bool scaled) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *y = gd_bw_output(b, 0);
    double tiny = gd_bw_dtype(b, 0) == GD_FLOAT32 ? 1.1920928955078125e-7 : 2.220446049250313e-16;
    gd_tensor *sizeable = TWO(gt, ONE(abs, x), NUMBER(tiny)), *safe = gx_where(c, sizeable, x, NUMBER(tiny));
    gd_tensor *inverse = ONE(reciprocal, safe), *slope;
    if (scaled)
        slope = SUB(ONE(i0e, safe), MUL(y, ADD(ONE(sgn, safe), inverse)));
    else
        slope = SUB(ONE(i0, safe), MUL(y, inverse));
    gd_bw_set(b, 0, MUL(b->grads[0], gx_where(c, sizeable, slope, NUMBER(0.5))));
}

void gd_bw_i1(gd_bw *b) { i1_rule(b, false); }
void gd_bw_i1e(gd_bw *b) { i1_rule(b, true); }

/* ---- two inputs ----------------------------------------------------------------------------------------------------
 */

void gd_bw_atan2(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *y = gd_bw_tensor(b, 0), *x = gd_bw_tensor(b, 1);
    gd_tensor *share = MUL(g, ONE(reciprocal, ADD(SQUARED(y), SQUARED(x))));
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, MUL(share, x));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, MUL(share, gx_neg(c, y)));
}

void gd_bw_hypot(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *r = gd_bw_output(b, 0);
    for (int i = 0; i < 2; i++)
        if (gd_bw_needs(b, i)) gd_bw_set(b, i, MUL(g, DIV(gd_bw_tensor(b, i), r)));
}

/* `chosen`: where self was. */
static void choice_rule(gd_bw *b, gd_tensor *chosen) {
    gd_ctx *c = b->ctx;
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, ONLY(chosen, b->grads[0]));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_where(c, chosen, NUMBER(0), b->grads[0]));
}

void gd_bw_fmax(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1);
    choice_rule(b, TWO(logical_or, TWO(ge, x, y), ONE(isnan, y)));
}

void gd_bw_fmin(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1);
    choice_rule(b, TWO(logical_or, TWO(le, x, y), ONE(isnan, y)));
}

void gd_bw_copysign(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) {
        gd_tensor *x = gd_bw_tensor(b, 0), *ratio = DIV(gd_bw_output(b, 0), x);
        gd_bw_set(b, 0, MUL(g, gx_where(c, TWO(eq, x, NUMBER(0)), NUMBER(0), ratio)));
    }
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(c, zeros_like, T_(g)));
}

void gd_bw_logaddexp(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, DIV(g, PLUS(ONE(exp, SUB(y, x)), 1)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, DIV(g, PLUS(ONE(exp, SUB(x, y)), 1)));
}

void gd_bw_logaddexp2(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, DIV(g, PLUS(ONE(exp2, SUB(y, x)), 1)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, DIV(g, PLUS(ONE(exp2, SUB(x, y)), 1)));
}

void gd_bw_heaviside(gd_bw *b) {
    gd_fail(b->ctx, GD_E_NOT_IMPLEMENTED, "derivative for aten::heaviside is not implemented");
}

void gd_bw_nextafter(gd_bw *b) { not_known(b, "nextafter"); }

/* g log y, or g log(1 + y), but 0 where x is 0 and y no argument of the logarithm. */
static gd_tensor *log_share(gd_bw *b, gd_tensor *x, gd_tensor *y, bool plus_one) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *product = plus_one ? TWO(xlog1py, g, y) : TWO(xlogy, g, y);
    gd_tensor *flat = TWO(logical_and, TWO(eq, x, NUMBER(0)), TWO(le, y, NUMBER(plus_one ? -1 : 0)));
    return gx_where(c, flat, NUMBER(0), product);
}

void gd_bw_xlogy(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, log_share(b, x, y, false));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, DIV(MUL(b->grads[0], x), y));
}

void gd_bw_xlogy_self(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_bw_set(b, 1, DIV(TIMES(b->grads[0], number(b, 0)), gd_bw_tensor(b, 1)));
}

void gd_bw_xlogy_other(gd_bw *b) {
    gd_ctx *c = b->ctx;
    double other = number(b, 1);
    gd_bw_set(b, 0, GX(c, xlogy_other, T_(b->grads[0]), F_(other)));
}

void gd_bw_xlog1py(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, log_share(b, x, y, true));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, DIV(MUL(b->grads[0], x), PLUS(y, 1)));
}

/* ---- ties
 * ------------------------------------------------------------------------------------------------------------ */

void gd_bw__special_gradient(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, b->grads[0]);
    if (!gd_bw_needs(b, 1)) return;
    int ndim = 0;
    const int64_t *sizes = gd_bw_sizes(b, 1, &ndim);
    if (sizes) gd_bw_set(b, 1, gd_pool_add(b->ctx, gd_zeros(b->ctx, gd_bw_dtype(b, 1), ndim, sizes)));
}
