/* activation_rules.c: derivatives of the activations, as formulas over ops (rules.h). Where PyTorch's own derivative is
 * an op with an edge to the input, the gradient is tied to it also where it does not depend on it. */
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/pointwise_run.h"
#include "core/ops/rules.h"

static double number(gd_bw *b, int argument) {
    gd_value v = gd_bw_arg(b, argument);
    return gd_value_f64(&v);
}

#define ONE(f, x) GX(c, f, T_(x))
#define TWO(f, x, y) GX(c, f, T_(x), T_(y))
#define MUL(x, y) gx_mul(c, (x), (y))
#define DIV(x, y) gx_div(c, (x), (y))
#define ADD(x, y) gx_add(c, (x), (y))
#define PLUS(x, v) gx_add_s(c, (x), (v))
#define TIMES(x, v) gx_mul_s(c, (x), (v))
#define NUMBER(v) gx_number(c, (v))
#define ONLY(condition, x) gx_where(c, (condition), (x), NUMBER(0))

/* The gradient r of argument `at`, which a graph of the backward pass ties to both inputs. */
static void set_tied_to_both(gd_bw *b, int at, gd_tensor *r, gd_tensor *x, gd_tensor *y) {
    gd_ctx *c = b->ctx;
    if (b->create_graph) r = TWO(_special_gradient, TWO(_special_gradient, r, x), y);
    gd_bw_set(b, at, r);
}

/* The gradient r, which a graph of the backward pass ties to x. */
static void set_tied(gd_bw *b, gd_tensor *r, gd_tensor *x) {
    gd_bw_set(b, 0, b->create_graph ? GX(b->ctx, _special_gradient, T_(r), T_(x)) : r);
}

/* 1 + x (1 - s), with s the sigmoid of x, times s. */
void gd_bw_silu(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *s = ONE(sigmoid, x);
    gd_bw_set(b, 0, MUL(MUL(g, s), PLUS(MUL(x, TWO(rsub, s, NUMBER(1))), 1)));
}

/* With t = tanh(softplus(x)): t + x s (1 - t t). */
void gd_bw_mish(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *s = ONE(sigmoid, x), *t = ONE(tanh, ONE(softplus, x));
    gd_bw_set(b, 0, MUL(g, ADD(t, MUL(MUL(x, s), TWO(rsub, MUL(t, t), NUMBER(1))))));
}

/* Phi(x) + x phi(x). */
static gd_tensor *gelu_slope(gd_ctx *c, gd_tensor *x) {
    gd_tensor *cdf = TIMES(PLUS(ONE(erf, TIMES(x, 0.707106781186547524401)), 1), 0.5);
    gd_tensor *pdf = TIMES(ONE(exp, TIMES(MUL(x, x), -0.5)), 0.398942280401432677940);
    return ADD(cdf, MUL(x, pdf));
}

/* With t = tanh(k (x + 0.044715 x^3)): (1 + t) / 2 + x / 2 (1 - t t) k (1 + 3 0.044715 x^2). */
static gd_tensor *gelu_tanh_slope(gd_ctx *c, gd_tensor *x) {
    const double k = 0.797884560802865356;
    gd_tensor *square = MUL(x, x), *t = ONE(tanh, TIMES(ADD(x, TIMES(MUL(square, x), 0.044715)), k));
    gd_tensor *inner = TIMES(PLUS(TIMES(square, 3 * 0.044715), 1), k);
    gd_tensor *right = MUL(TIMES(x, 0.5), MUL(TWO(rsub, MUL(t, t), NUMBER(1)), inner));
    return ADD(TIMES(PLUS(t, 1), 0.5), right);
}

void gd_bw_gelu(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0);
    bool by_tanh = strcmp(gd_bw_arg(b, 1).u.str, "tanh") == 0;
    gd_bw_set(b, 0, MUL(b->grads[0], by_tanh ? gelu_tanh_slope(c, x) : gelu_slope(c, x)));
}

/* g where x > 0, else g times the exponential of the low branch. */
static void elu_rule(gd_bw *b, double low, double high, double input_scale) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *below = TWO(le, x, NUMBER(0));
    gd_tensor *negative = gx_where(c, TWO(lt, x, NUMBER(0)), x, NUMBER(0)); /* so the second derivative at 0 is 0 */
    gd_tensor *slope = TIMES(ONE(exp, TIMES(negative, input_scale)), low * input_scale);
    set_tied(b, gx_where(c, below, MUL(g, slope), TIMES(g, high)), x);
}

void gd_bw__elu(gd_bw *b) { elu_rule(b, number(b, 1) * number(b, 2), number(b, 2), number(b, 3)); }

void gd_bw__celu(gd_bw *b) {
    double alpha = number(b, 1);
    elu_rule(b, alpha, 1, 1 / alpha);
}

/* (2 x + 3) / 6 from -3 on, and 1 from 3 on; the second derivative is 0 also at the bounds. */
void gd_bw_hardswish(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);
    gd_tensor *inner = gx_where(c, TWO(gt, x, NUMBER(-3)), x, NUMBER(-3));
    gd_tensor *middle = MUL(g, PLUS(DIV(inner, NUMBER(3)), 0.5));
    gd_tensor *r = gx_where(c, TWO(lt, x, NUMBER(-3)), NUMBER(0), gx_where(c, TWO(ge, x, NUMBER(3)), g, middle));
    set_tied(b, r, x);
}

/* PyTorch keeps 1/6 as a float32 also for float64. */
void gd_bw_hardsigmoid(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0);
    gd_tensor *inside = TWO(logical_and, TWO(gt, x, NUMBER(-3)), TWO(lt, x, NUMBER(3)));
    set_tied(b, ONLY(inside, TIMES(b->grads[0], (double)(1.0F / 6.0F))), x);
}

void gd_bw__threshold(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0);
    set_tied(b, gx_where(c, TWO(le, x, NUMBER(number(b, 1))), NUMBER(0), b->grads[0]), x);
}

void gd_bw__hardtanh(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0);
    gd_tensor *outside = TWO(logical_or, TWO(le, x, NUMBER(number(b, 1))), TWO(ge, x, NUMBER(number(b, 2))));
    set_tied(b, gx_where(c, outside, NUMBER(0), b->grads[0]), x);
}

/* Both shrinks: 0 within [-lambd, lambd]. */
void gd_bw_hardshrink(gd_bw *b) {
    gd_ctx *c = b->ctx;
    double lambd = number(b, 1);
    gd_tensor *x = gd_bw_tensor(b, 0);
    gd_tensor *inside = TWO(logical_and, TWO(ge, x, NUMBER(-lambd)), TWO(le, x, NUMBER(lambd)));
    set_tied(b, gx_where(c, inside, NUMBER(0), b->grads[0]), x);
}

void gd_bw_softshrink(gd_bw *b) { gd_bw_hardshrink(b); }

void gd_bw__rrelu(gd_bw *b) {
    gd_ctx *c = b->ctx;
    double lower = number(b, 2), upper = number(b, 3);
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *noise = gd_bw_tensor(b, 1);
    if (gd_bw_arg(b, 4).u.boolean && upper - lower > 1e-6)
        set_tied(b, MUL(g, noise), x);
    else
        set_tied(b, gx_where(c, TWO(gt, x, NUMBER(0)), g, TIMES(g, (lower + upper) / 2)), x);
}

/* The sigmoid of -x. */
void gd_bw__logsigmoid(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0);
    if (b->grads[0]) gd_bw_set(b, 0, MUL(b->grads[0], ONE(sigmoid, gx_neg(c, x))));
}

/* The halves a and b give a s(b): g s(b), and g a s(b) (1 - s(b)). */
void gd_bw_glu(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);
    int dim;
    if (!x || gd_wrap_dim(c, gd_bw_arg(b, 1).u.integer, x->ndim, &dim)) return;
    int64_t half = x->sizes[dim] / 2;
    gd_tensor *a = GX(c, narrow, T_(x), I_(dim), I_(0), I_(half));
    gd_tensor *s = ONE(sigmoid, GX(c, narrow, T_(x), I_(dim), I_(half), I_(half)));
    gd_tensor *first = MUL(g, s), *second = MUL(MUL(first, a), TWO(rsub, s, NUMBER(1)));
    if (!first || !second) return;
    gd_tensor *const halves[] = {first, second};
    const gd_value list = {.kind = GD_V_TENSORS, .n = 2, .u.tensors = halves};
    gd_bw_set(b, 0, GX(c, cat, list, I_(dim)));
}

/* The weights, one for all or one a channel, in a shape that goes with the input's. */
static gd_tensor *spread(gd_bw *b, gd_tensor *weight, int ndim) {
    int64_t sizes[GD_MAX_DIMS];
    if (!weight) return NULL;
    for (int d = 0; d < ndim; d++) sizes[d] = d == 1 ? weight->numel : 1;
    return GX(b->ctx, reshape, T_(weight), GD_INTS_VALUE(sizes, weight->numel == 1 ? 0 : ndim));
}

void gd_bw_prelu(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *weight = gd_bw_tensor(b, 1);
    if (!x || !weight) return;
    gd_tensor *above = TWO(gt, x, NUMBER(0)), *w = spread(b, weight, x->ndim);
    if (gd_bw_needs(b, 0)) set_tied_to_both(b, 0, gx_where(c, above, g, MUL(w, g)), x, weight);
    if (!gd_bw_needs(b, 1) || !w) return;
    gd_tensor *part = gx_where(c, above, NUMBER(0), MUL(x, g));
    part = GX(c, _sum_to_size, T_(part), GD_INTS_VALUE(w->sizes, w->ndim));
    part = GX(c, reshape, T_(part), GD_INTS_VALUE(weight->sizes, weight->ndim));
    if (part) set_tied_to_both(b, 1, part, x, weight);
}
