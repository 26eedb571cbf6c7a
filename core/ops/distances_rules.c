/* distances_rules.c: derivative rules of the rows in distances.def that record themselves. */
#include <math.h>

#include "core/ops/compose.h"
#include "core/ops/families.h"

static double number_of(gd_bw *b, int argument) {
    gd_value v = gd_bw_arg(b, argument);
    return v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_INT ? (double)v.u.integer : (double)v.u.boolean;
}

static gd_tensor *unless_zero(gd_ctx *c, gd_tensor *t, gd_tensor *v) {
    return GX(c, masked_fill, T_(v), T_(GX(c, eq, T_(t), T_(gx_number(c, 0)))), I_(0));
}
static gd_tensor *power(gd_ctx *c, gd_tensor *t, double p) { return GX(c, pow_scalar, T_(t), F_(p)); }

/* The gradient of y = the p-norm of x over `dims` (n; kept as size 1), as PyTorch's norm_backward. */
static gd_tensor *norm_slope(gd_ctx *c, double p, gd_tensor *x, gd_tensor *y, gd_tensor *g, const int64_t *dims,
                             int n) {
    gd_tensor *size = GX(c, abs, T_(x));
    if (p == 0) return GX(c, zeros_like, T_(x));
    if (p == 1) return gx_mul(c, GX(c, sign, T_(x)), g);
    if (p == 2) return gx_mul(c, g, unless_zero(c, y, gx_div(c, x, y)));
    if (isinf(p)) {
        gd_tensor *chosen = GX(c, logical_or, T_(GX(c, eq, T_(size), T_(y))),
                               T_(GX(c, logical_and, T_(GX(c, isnan, T_(x))), T_(GX(c, isnan, T_(y))))));
        gd_tensor *count = n ? GX(c, sum_dim, T_(chosen), IS_(dims, n), B_(true)) : GX(c, sum, T_(chosen));
        return gx_mul(c, GX(c, sign, T_(x)), gx_mul(c, gx_div(c, g, count), chosen));
    }
    if (p < 1) {
        gd_tensor *scaled = gx_mul(c, GX(c, sign, T_(x)), unless_zero(c, x, power(c, size, p - 1)));
        return gx_mul(c, gx_mul(c, scaled, g), power(c, y, 1 - p));
    }
    gd_tensor *scaled =
        p < 2 ? gx_mul(c, GX(c, sign, T_(x)), power(c, size, p - 1)) : gx_mul(c, x, power(c, size, p - 2));
    return gx_mul(c, scaled, unless_zero(c, y, gx_div(c, g, power(c, y, p - 1))));
}

void gd_bw_dist(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *apart = gx_sub(c, gd_bw_tensor(b, 0), gd_bw_tensor(b, 1));
    gd_tensor *g = norm_slope(c, number_of(b, 2), apart, gd_bw_output(b, 0), b->grads[0], NULL, 0);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, g);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_neg(c, g));
}

/* renorm_backward: where the norm is over the bound, out = x maxnorm / (norm + 1e-7). */
void gd_bw_renorm(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0);
    double p = number_of(b, 1), most = number_of(b, 3);
    int64_t dim = gd_bw_arg(b, 2).u.integer, rest[GD_MAX_DIMS];
    int n = 0;
    if (!x || !g) return;
    if (dim < 0) dim += x->ndim;
    for (int d = 0; d < x->ndim; d++)
        if (d != dim) rest[n++] = d;
    gd_tensor *size = GX(c, norm, T_(x), F_(p), IS_(rest, n), B_(true));
    gd_tensor *inverse = GX(c, reciprocal, T_(gx_add_s(c, size, 1e-7)));
    gd_tensor *along = GX(c, sum_dim, T_(gx_mul(c, x, g)), IS_(rest, n), B_(true));
    gd_tensor *slope = norm_slope(c, p, x, size, along, rest, n);
    gd_tensor *scaled = gx_mul_s(c, gx_mul(c, inverse, gx_sub(c, g, gx_mul(c, inverse, slope))), most);
    gd_bw_set(b, 0, gx_where(c, GX(c, gt, T_(size), T_(gx_number(c, most))), scaled, g));
}

void gd_bw_cdist(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1), *d = gd_bw_output(b, 0);
    gd_value p = gd_bw_arg(b, 2);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, _cdist_backward, T_(g), T_(x), T_(y), p, T_(d)));
    if (gd_bw_needs(b, 1)) {
        gd_tensor *gt = GX(c, transpose, T_(g), I_(-2), I_(-1)), *dt = GX(c, transpose, T_(d), I_(-2), I_(-1));
        gd_bw_set(b, 1, GX(c, _cdist_backward, T_(gt), T_(y), T_(x), p, T_(dt)));
    }
}

/* The pairs' gradients as a symmetric matrix: then it is cdist of the rows with themselves. */
void gd_bw_pdist(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *d = gd_bw_output(b, 0), *square[2];
    if (!x || !d || !b->grads[0]) return;
    gd_value shape = SHAPE_(x->sizes[0], x->sizes[0]);
    gd_tensor *above = GX(c, triu, T_(GX(c, ones, shape, GD_DTYPE_VALUE((gd_dtype)x->dtype))), I_(1));
    gd_tensor *mask = GX(c, ne, T_(above), T_(gx_number(c, 0)));
    for (int i = 0; i < 2; i++) {
        gd_tensor *v = GX(c, masked_scatter, T_(GX(c, zeros_like, T_(above))), T_(mask), T_(i ? d : b->grads[0]));
        square[i] = gx_add(c, v, GX(c, t, T_(v)));
    }
    gd_bw_set(b, 0, GX(c, _cdist_backward, T_(square[0]), T_(x), T_(x), gd_bw_arg(b, 1), T_(square[1])));
}

/* The rows' gradients are added up; rows of the padding have none; with scale_grad_by_freq they are averages. */
void gd_bw__embedding(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int n;
    const int64_t *sizes = gd_bw_sizes(b, 0, &n);
    int64_t padding = gd_bw_arg(b, 2).u.integer;
    gd_tensor *index = GX(c, reshape, T_(gd_bw_tensor(b, 1)), SHAPE_(-1));
    if (!index || !b->grads[0]) return;
    gd_tensor *g = GX(c, reshape, T_(b->grads[0]), SHAPE_(index->numel, sizes[1]));
    if (padding >= 0) {
        gd_tensor *mask = GX(c, unsqueeze, T_(GX(c, eq, T_(index), T_(gx_number(c, (double)padding)))), I_(1));
        g = GX(c, masked_fill, T_(g), T_(mask), I_(0));
    }
    if (!g) return;
    gd_dtype dtype = (gd_dtype)g->dtype;
    if (gd_bw_arg(b, 3).u.boolean) {
        gd_tensor *ones = GX(c, ones_like, T_(index), GD_DTYPE_VALUE(dtype));
        gd_tensor *counts =
            GX(c, index_add, T_(gd_pool_add(c, gd_zeros(c, dtype, 1, sizes))), I_(0), T_(index), T_(ones));
        counts = GX(c, unsqueeze, T_(GX(c, index_select, T_(counts), I_(0), T_(index))), I_(1));
        g = gx_div(c, g, counts);
    }
    gd_tensor *zeros = c->error.code ? NULL : gd_pool_add(c, gd_zeros(c, dtype, 2, sizes));
    gd_bw_set(b, 0, GX(c, index_add, T_(zeros), I_(0), T_(index), T_(g)));
}
