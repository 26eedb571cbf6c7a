/* products_rules.c: derivative rules of the rows in products.def that record themselves. */
#include "core/ops/compose.h"
#include "core/ops/families.h"

static double number_of(gd_bw *b, int argument) {
    gd_value v = gd_bw_arg(b, argument);
    return v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_INT ? (double)v.u.integer : (double)v.u.boolean;
}

static gd_tensor *times(gd_ctx *c, gd_tensor *t, double factor) { return factor == 1.0 ? t : gx_mul_s(c, t, factor); }

/* derivatives.yaml: self: linalg_cross(other, grad, dim); other: linalg_cross(grad, self, dim). */
void gd_bw_cross(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_value dim = gd_bw_arg(b, 2);
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, linalg_cross, T_(gd_bw_tensor(b, 1)), T_(g), dim));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(c, linalg_cross, T_(g), T_(gd_bw_tensor(b, 0)), dim));
}

void gd_bw_addbmm(gd_bw *b) {
    gd_ctx *c = b->ctx;
    double alpha = number_of(b, 4);
    int n;
    const int64_t *x = gd_bw_sizes(b, 1, &n), *y = gd_bw_sizes(b, 2, &n);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, times(c, b->grads[0], number_of(b, 3)));
    gd_tensor *g = GX(c, expand, T_(GX(c, unsqueeze, T_(b->grads[0]), I_(0))), SHAPE_(x[0], x[1], y[2]));
    if (gd_bw_needs(b, 1)) {
        gd_tensor *turned = GX(c, transpose, T_(gd_bw_tensor(b, 2)), I_(1), I_(2));
        gd_bw_set(b, 1, times(c, GX(c, bmm, T_(g), T_(turned)), alpha));
    }
    if (gd_bw_needs(b, 2)) {
        gd_tensor *turned = GX(c, transpose, T_(gd_bw_tensor(b, 1)), I_(1), I_(2));
        gd_bw_set(b, 2, times(c, GX(c, bmm, T_(turned), T_(g)), alpha));
    }
}

void gd_bw_addr(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0];
    double alpha = number_of(b, 4);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, times(c, g, number_of(b, 3)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, times(c, GX(c, mv, T_(g), T_(gd_bw_tensor(b, 2))), alpha));
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, times(c, GX(c, mv, T_(GX(c, t, T_(g))), T_(gd_bw_tensor(b, 1))), alpha));
}

/* out[n, o] = sum of x[n, i] w[o, i, j] y[n, j]: the gradients of x and y are such sums again. */
void gd_bw__trilinear(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *w = gd_bw_tensor(b, 1), *y = gd_bw_tensor(b, 2);
    if (!g || !x || !w || !y) return;
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, _trilinear, T_(g), T_(GX(c, permute, T_(w), SHAPE_(1, 0, 2))), T_(y)));
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, GX(c, _trilinear, T_(x), T_(GX(c, permute, T_(w), SHAPE_(2, 1, 0))), T_(g)));
    if (!gd_bw_needs(b, 1)) return;
    gd_tensor *pairs = gx_mul(c, GX(c, unsqueeze, T_(x), I_(2)), GX(c, unsqueeze, T_(y), I_(1)));
    pairs = GX(c, reshape, T_(pairs), SHAPE_(x->sizes[0], w->sizes[1] * w->sizes[2]));
    gd_bw_set(b, 1, GX(c, reshape, T_(GX(c, mm, T_(GX(c, t, T_(g))), T_(pairs))), IS_(w->sizes, 3)));
}
