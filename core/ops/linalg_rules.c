/* linalg_rules.c: derivative rules of the rows in linalg.def. */
#include "core/ops/families.h"
#include "core/ops/rules.h"

static double scalar_arg(gd_bw *b, int argument) {
    gd_value v = gd_bw_arg(b, argument);
    return v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_INT ? (double)v.u.integer : (double)v.u.boolean;
}

/* factor times t, without an op for 1. */
static gd_tensor *times(gd_ctx *c, gd_tensor *t, double factor) { return factor == 1.0 ? t : gx_mul_s(c, t, factor); }

static gd_tensor *turned(gd_ctx *c, gd_tensor *t) { return GX(c, t, T_(t)); }
static gd_tensor *turned_batch(gd_ctx *c, gd_tensor *t) { return GX(c, transpose, T_(t), I_(1), I_(2)); }

/* The two matrices of a product are arguments x and y, both saved; their gradients, times alpha. */
static void product_rule(gd_bw *b, int x, int y, double alpha) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, x)) gd_bw_set(b, x, times(c, GX(c, mm, T_(g), T_(turned(c, gd_bw_tensor(b, y)))), alpha));
    if (gd_bw_needs(b, y)) gd_bw_set(b, y, times(c, GX(c, mm, T_(turned(c, gd_bw_tensor(b, x))), T_(g)), alpha));
}

static void batch_rule(gd_bw *b, int x, int y, double alpha) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, x)) gd_bw_set(b, x, times(c, GX(c, bmm, T_(g), T_(turned_batch(c, gd_bw_tensor(b, y)))), alpha));
    if (gd_bw_needs(b, y)) gd_bw_set(b, y, times(c, GX(c, bmm, T_(turned_batch(c, gd_bw_tensor(b, x))), T_(g)), alpha));
}

static void vector_rule(gd_bw *b, int m, int v, double alpha) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, m)) gd_bw_set(b, m, times(c, GX(c, outer, T_(g), T_(gd_bw_tensor(b, v))), alpha));
    if (gd_bw_needs(b, v)) gd_bw_set(b, v, times(c, GX(c, mv, T_(turned(c, gd_bw_tensor(b, m))), T_(g)), alpha));
}

static void added_rule(gd_bw *b, double beta) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, times(b->ctx, b->grads[0], beta)); /* the engine sums what was broadcast */
}

void gd_bw_mm(gd_bw *b) { product_rule(b, 0, 1, 1); }
void gd_bw_bmm(gd_bw *b) { batch_rule(b, 0, 1, 1); }
void gd_bw_mv(gd_bw *b) { vector_rule(b, 0, 1, 1); }

void gd_bw_dot(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gx_mul(b->ctx, b->grads[0], gd_bw_tensor(b, 1)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_mul(b->ctx, b->grads[0], gd_bw_tensor(b, 0)));
}

void gd_bw_addmm(gd_bw *b) {
    added_rule(b, scalar_arg(b, 3));
    product_rule(b, 1, 2, scalar_arg(b, 4));
}

void gd_bw_baddbmm(gd_bw *b) {
    added_rule(b, scalar_arg(b, 3));
    batch_rule(b, 1, 2, scalar_arg(b, 4));
}

void gd_bw_addmv(gd_bw *b) {
    added_rule(b, scalar_arg(b, 3));
    vector_rule(b, 1, 2, scalar_arg(b, 4));
}
