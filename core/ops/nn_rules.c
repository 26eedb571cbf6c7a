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
        gd_tensor *below = GX(c, clamp_min, T_(gx_mul(c, one_minus(c, x), x)), F_(1e-12));
        gd_tensor *r = gx_div(c, gx_mul(c, g, gx_sub(c, x, gd_bw_tensor(b, 1))), below);
        gd_bw_set(b, 0, TIED(b, _bce_gradient, r, x));
    }
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_mul(c, g, gx_sub(c, GX(c, log1p, T_(gx_neg(c, x))), GX(c, log, T_(x)))));
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
        gd_tensor *slope = gx_sub(c, GX(c, log, T_(one_minus(c, p))), gx_mul(c, pos, GX(c, log, T_(p))));
        gd_bw_set(b, 1, gx_mul(c, slope, g));
    } else if (gd_bw_needs(b, 1)) {
        gd_bw_set(b, 1, gx_neg(c, gx_mul(c, x, g)));
    }
}
