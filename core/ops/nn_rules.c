/* nn_rules.c: derivatives of the network rows, as formulas over ops (rules.h). */
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/rules.h"

static double number_of(gd_bw *b, int argument) {
    gd_value v = gd_bw_arg(b, argument);
    return v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_INT ? (double)v.u.integer : (double)v.u.boolean;
}

static gd_reduction reduction_of(gd_bw *b, int argument) { return (gd_reduction)gd_bw_arg(b, argument).u.integer; }

/* The output's cotangent as that of the unreduced loss: divided by the number of elements of a mean. */
static gd_tensor *spread_gradient(gd_bw *b, gd_reduction reduction) {
    int ndim = 0;
    int64_t n = 1;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    if (reduction != GD_REDUCE_MEAN) return b->grads[0];
    for (int d = 0; d < ndim; d++) n *= sizes[d];
    return gx_div(b->ctx, b->grads[0], gx_number(b->ctx, (double)n));
}

static gd_tensor *one_minus(gd_ctx *c, gd_tensor *t) { return GX(c, rsub_scalar, T_(t), I_(1)); }
static gd_tensor *logical_not(gd_ctx *c, gd_tensor *t) { return GX(c, logical_not, T_(t)); }

/* The gradient r, which a graph of the backward pass ties to x. */
#define TIED(b, row, r, x) ((b)->create_graph ? GX((b)->ctx, row, T_(r), T_(x)) : (r))

void gd_bw__tied(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, b->grads[0]);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(b->ctx, zeros_like, T_(b->grads[0])));
}

/* Gradients that PyTorch cannot derive again: hidden rows, named as its own with a `_` before. */
void gd_bw_no_second(gd_bw *b) {
    (void)gd_fail(b->ctx, GD_E_NOT_IMPLEMENTED, "derivative for aten::%s is not implemented", gd_bw_op(b)->name + 1);
}

/* Those that its table of derivatives itself names as having none. */
void gd_bw_no_second_derivative(gd_bw *b) {
    (void)gd_fail(b->ctx, GD_E_NOT_IMPLEMENTED, "derivative for %s is not implemented", gd_bw_op(b)->name + 1);
}

void gd_bw_softplus(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);
    gd_tensor *scaled = gx_mul_s(c, x, number_of(b, 1));
    gd_tensor *above = GX(c, gt, T_(scaled), T_(gx_number(c, number_of(b, 2))));
    gd_tensor *r = gx_where(c, above, g, gx_mul(c, g, GX(c, sigmoid, T_(scaled))));
    gd_bw_set(b, 0, TIED(b, _softplus_gradient, r, x));
}

void gd_bw__leaky_relu(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);
    gd_tensor *above = GX(c, gt, T_(x), T_(gx_number(c, 0)));
    gd_tensor *r = gx_where(c, above, g, gx_mul_s(c, g, number_of(b, 1)));
    gd_bw_set(b, 0, TIED(b, _leaky_relu_gradient, r, x));
}

void gd_bw__div_number(gd_bw *b) { gd_bw_set(b, 0, gx_div(b->ctx, b->grads[0], gx_number(b->ctx, number_of(b, 1)))); }

void gd_bw__mse_loss(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = gx_mul_s(c, spread_gradient(b, reduction_of(b, 2)), 2);
    gd_tensor *x = gd_bw_tensor(b, 0), *r = gx_mul(c, gx_sub(c, x, gd_bw_tensor(b, 1)), g);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, TIED(b, _mse_gradient, r, x));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_neg(c, r));
}

/* ---- nll_loss --------------------------------------------------------------------------------------------------- */

/* Minus the weight of each target's class, 0 where the target is ignored; `safe` are the targets without ignored ones.
 */
static gd_tensor *slopes(gd_bw *b, gd_tensor *kept, gd_tensor *safe) {
    gd_ctx *c = b->ctx;
    gd_tensor *weight = gd_bw_tensor(b, 2);
    gd_tensor *mask = GX(c, to_dtype, T_(kept), GD_DTYPE_VALUE(gd_bw_dtype(b, 0)));
    gd_tensor *w = weight ? gx_mul(c, GX(c, index_select, T_(weight), I_(0), T_(safe)), mask) : mask;
    return gx_neg(c, w);
}

void gd_bw__nll_loss(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim = 0;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim), one[] = {1}, whole[] = {-1};
    gd_tensor *g = b->grads[0], *target = gd_bw_tensor(b, 1);
    if (!g || !sizes || !target) return;
    target = GX(c, reshape, T_(GX(c, to_dtype, T_(target), GD_DTYPE_VALUE(GD_INT64))), GD_INTS_VALUE(whole, 1));
    gd_tensor *kept = GX(c, ne, T_(target), T_(gx_number(c, number_of(b, 4))));
    gd_tensor *safe = GX(c, masked_fill, T_(target), T_(logical_not(c, kept)), I_(0));
    gd_tensor *slope = slopes(b, kept, safe);
    if (reduction_of(b, 3) == GD_REDUCE_MEAN) slope = gx_div(c, slope, GX(c, detach, T_(gd_bw_output(b, 1))));
    const int64_t rows = ndim == 1 ? 1 : sizes[0], shape[] = {rows, sizes[ndim - 1]};
    gd_tensor *part = gx_mul(c, slope, g->ndim ? g : GX(c, reshape, T_(g), GD_INTS_VALUE(one, 1)));
    gd_tensor *zeros = gd_pool_add(c, gd_zeros(c, gd_bw_dtype(b, 0), 2, shape));
    gd_tensor *all = GX(c, scatter_add, T_(zeros), I_(1), T_(GX(c, unsqueeze, T_(safe), I_(1))),
                        T_(GX(c, unsqueeze, T_(part), I_(1))));
    if (ndim == 1) all = GX(c, reshape, T_(all), GD_INTS_VALUE(sizes, 1));
    gd_bw_set(b, 0, TIED(b, _nll_gradient, all, gd_bw_tensor(b, 0)));
}

/* The same for images, whose classes are dimension 1. */
void gd_bw__nll_loss2d(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim = 0;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim), whole[] = {-1};
    gd_tensor *g = b->grads[0], *target = gd_bw_tensor(b, 1);
    if (!g || !sizes || !target) return;
    gd_tensor *kept = GX(c, ne, T_(target), T_(gx_number(c, number_of(b, 4))));
    gd_tensor *safe = GX(c, masked_fill, T_(target), T_(logical_not(c, kept)), I_(0));
    gd_tensor *flat = GX(c, reshape, T_(safe), GD_INTS_VALUE(whole, 1));
    gd_tensor *slope = slopes(b, GX(c, reshape, T_(kept), GD_INTS_VALUE(whole, 1)), flat);
    if (reduction_of(b, 3) == GD_REDUCE_MEAN) slope = gx_div(c, slope, GX(c, detach, T_(gd_bw_output(b, 1))));
    slope = GX(c, reshape, T_(slope), GD_INTS_VALUE(target->sizes, target->ndim));
    gd_tensor *zeros = gd_pool_add(c, gd_zeros(c, gd_bw_dtype(b, 0), ndim, sizes));
    gd_tensor *all = GX(c, scatter_add, T_(zeros), I_(1), T_(GX(c, unsqueeze, T_(safe), I_(1))),
                        T_(GX(c, unsqueeze, T_(gx_mul(c, slope, g)), I_(1))));
    gd_bw_set(b, 0, TIED(b, _nll2d_gradient, all, gd_bw_tensor(b, 0)));
}

/* ---- binary cross entropy -----------------------------------------------------------------------------------------
 */

/* The cotangent of each element's loss, weight included. */
static gd_tensor *element_gradient(gd_bw *b, int weight, int reduction) {
    gd_tensor *g = spread_gradient(b, reduction_of(b, reduction));
    gd_tensor *w = gd_bw_tensor(b, weight);
    return w ? gx_mul(b->ctx, g, w) : g;
}

void gd_bw__bce_loss(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *g = element_gradient(b, 2, 3);
    if (gd_bw_needs(b, 0)) {
        gd_bw_set(b, 0, GX(c, _bce_gradient, T_(g), T_(x), T_(gd_bw_tensor(b, 1))));
    }
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_mul(c, g, gx_sub(c, GX(c, log1p, T_(gx_neg(c, x))), GX(c, log, T_(x)))));
}

/* PyTorch keeps the second derivative finite at 0 and 1 with another term than the first. */
void gd_bw__bce_gradient(gd_bw *b) {
    const double eps = 1e-12;
    gd_ctx *c = b->ctx;
    gd_tensor *g = gd_bw_tensor(b, 0), *x = gd_bw_tensor(b, 1), *t = gd_bw_tensor(b, 2);
    gd_tensor *off = one_minus(c, x), *both = gx_mul(c, gx_add_s(c, x, eps), gx_add_s(c, off, eps));
    gd_tensor *passed = gx_mul(c, b->grads[0], g);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gx_mul(c, b->grads[0], gx_div(c, gx_sub(c, x, t), both)));
    if (gd_bw_needs(b, 1)) {
        gd_tensor *square = gx_sub(c, gx_mul(c, x, x), gx_mul(c, gx_mul_s(c, x, 2), t));
        gd_bw_set(b, 1, gx_mul(c, gx_div(c, gx_add(c, square, t), gx_mul(c, both, both)), passed));
    }
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, gx_neg(c, gx_div(c, passed, gx_mul(c, off, x))));
}

void gd_bw__bce_logits(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *target = gd_bw_tensor(b, 1), *g = element_gradient(b, 2, 4);
    gd_tensor *pos = gd_bw_tensor(b, 3), *p = GX(c, sigmoid, T_(x));
    if (gd_bw_needs(b, 0) && pos) {
        gd_tensor *t = gx_mul(c, pos, target);
        gd_tensor *factor = gx_sub(c, gx_add_s(c, t, 1), target);
        gd_bw_set(b, 0, gx_mul(c, gx_sub(c, gx_mul(c, factor, p), t), g));
    } else if (gd_bw_needs(b, 0)) {
        gd_bw_set(b, 0, gx_mul(c, gx_sub(c, p, target), g));
    }
    if (gd_bw_needs(b, 1) && pos) {
        gd_tensor *slope = gx_sub(c, GX(c, logsigmoid, T_(gx_neg(c, x))), gx_mul(c, pos, GX(c, logsigmoid, T_(x))));
        gd_bw_set(b, 1, gx_mul(c, slope, g));
    } else if (gd_bw_needs(b, 1)) {
        gd_bw_set(b, 1, gx_neg(c, gx_mul(c, x, g)));
    }
}
