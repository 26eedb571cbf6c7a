/* loss_rules.c: derivatives of the rows of loss.def that record themselves, as
 * formulas over ops (rules.h). */
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/rules.h"

/* The output's cotangent as that of the unreduced loss of n elements. */
static gd_tensor *spread(gd_bw *b, int reduction, int64_t n) {
    bool mean = gd_bw_arg(b, reduction).u.integer == GD_REDUCE_MEAN;
    return mean ? gx_div(b->ctx, b->grads[0], gx_number(b->ctx, (double)n)) : b->grads[0];
}

static gd_tensor *below(gd_ctx *c, gd_tensor *d, double limit) {
    return GX(c, lt, T_(GX(c, abs, T_(d))), T_(gx_number(c, limit)));
}

static void set_both(gd_bw *b, gd_tensor *r) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, r);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_neg(b->ctx, r));
}

/* d / beta below beta, the sign above. */
void gd_bw__smooth_l1_loss(gd_bw *b) {
    gd_ctx *c = b->ctx;
    double beta = gd_bw_arg(b, 3).u.real;
    gd_tensor *d = gx_sub(c, gd_bw_tensor(b, 0), gd_bw_tensor(b, 1));
    if (!d) return;
    gd_tensor *low = gx_div(c, d, gx_number(c, beta > 0 ? beta : 1));
    gd_tensor *slope = gx_where(c, below(c, d, beta), low, GX(c, sign, T_(d)));
    set_both(b, gx_mul(c, slope, spread(b, 2, d->numel)));
}

/* d below delta, delta times the sign above. */
void gd_bw__huber_loss(gd_bw *b) {
    gd_ctx *c = b->ctx;
    double delta = gd_bw_arg(b, 3).u.real;
    gd_tensor *d = gx_sub(c, gd_bw_tensor(b, 0), gd_bw_tensor(b, 1));
    if (!d) return;
    gd_tensor *slope = gx_where(c, below(c, d, delta), d, gx_mul_s(c, GX(c, sign, T_(d)), delta));
    set_both(b, gx_mul(c, slope, spread(b, 2, d->numel)));
}

/* -t z / (1 + z) with z = exp(-t x). */
void gd_bw__soft_margin_loss(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *t = gd_bw_tensor(b, 1);
    if (!x || !t) return;
    gd_tensor *z = GX(c, exp, T_(gx_mul(c, gx_neg(c, t), x)));
    gd_tensor *slope = gx_div(c, gx_mul(c, gx_neg(c, t), z), gx_add_s(c, z, 1));
    gd_bw_set(b, 0, gx_mul(c, slope, spread(b, 2, slope ? slope->numel : 1)));
}
