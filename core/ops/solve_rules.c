/* solve_rules.c: derivative rules of the rows in solve.def, after the formulas of PyTorch's derivatives.yaml. With G
 * the cotangent and ^T the transpose: of the inverse, -A^-T G A^-T; of X = A^-1 B, A^-T G for B and -(A^-T G) X^T for
 * A.
 */
#include "core/ops/families.h"
#include "core/ops/matrices.h"
#include "core/plan/trace.h"

static bool flag(gd_bw *b, int argument) { return gd_bw_arg(b, argument).u.boolean; }

/* The solution X of A^T X = side (or X A^T = side), by the factors lu at output k, or anew where it is to be
 * differentiated again. */
static gd_tensor *solve_transposed(gd_bw *b, gd_tensor *side, int k, bool left) {
    gd_ctx *c = b->ctx;
    gd_tensor *a = gd_bw_tensor(b, 0);
    if (!a || !side) return NULL;
    if (b->create_graph) return GX(c, linalg_solve, T_(gx_mT(c, a)), T_(side), B_(left));
    gd_tensor *lu = gd_bw_output(b, k), *pivots = gd_bw_output(b, k + 1);
    return GX(c, linalg_lu_solve, T_(lu), T_(pivots), T_(side), B_(left), B_(!gd_is_contiguous(a)));
}

/* diag_embed(t) of an identity's size: t times I. */
static gd_tensor *scaled_identity(gd_bw *b, gd_tensor *t) {
    gd_ctx *c = b->ctx;
    int ndim = 0;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    if (!sizes || !t) return NULL;
    return gx_mul(c, gx_unsqueeze(c, gx_unsqueeze(c, t, -1), -1), gx_eye(c, sizes[ndim - 1], gd_bw_dtype(b, 0)));
}

/* ---- determinants ----------------------------------------------------------------------------------------- */

/* For each entry of s, along the last dimension, the product of the others, from the left and from the right. */
static gd_tensor *products_of_others(gd_ctx *c, gd_tensor *s) {
    int64_t n = s ? s->sizes[s->ndim - 1] : 0;
    gd_tensor **list = s ? gd_pointers(c, (int)n) : NULL, *all = NULL;
    if (!list) return NULL;
    bool good = true;
    for (int64_t k = 0; k < n && good; k++) {
        gd_tensor *before = GX(c, prod_dim, T_(gx_narrow(c, s, -1, 0, k)), I_(-1));
        gd_tensor *after = GX(c, prod_dim, T_(gx_narrow(c, s, -1, k + 1, n - k - 1)), I_(-1));
        list[k] = gx_mul(c, before, after);
        good = list[k] != NULL;
    }
    if (good && n) all = GX(c, stack, TS_(list, n), I_(-1));
    free(list);
    return all;
}

/* By the singular value decomposition, which also serves singular matrices: det(U) det(V) g U diag(products of the
 * other singular values) V^T. */
static gd_tensor *det_by_svd(gd_bw *b, gd_tensor *a, gd_tensor *g) {
    gd_ctx *c = b->ctx;
    gd_tensor *usv[3];
    const gd_value args[] = {T_(a), B_(false), GD_NONE_VALUE};
    if (!a || gd_pooled_outputs(c, GD_OP_linalg_svd, args, 3, usv, 3)) return NULL;
    gd_tensor *turn = gx_mul(c, GX(c, det, T_(usv[0])), GX(c, det, T_(usv[2])));
    gd_tensor *d = gx_mul(c, products_of_others(c, usv[1]), gx_unsqueeze(c, gx_mul(c, turn, g), -1));
    return gx_matmul(c, gx_mul(c, usv[0], gx_unsqueeze(c, d, -2)), usv[2]);
}

static double epsilon_of(gd_dtype dtype) {
    return dtype == GD_FLOAT64 ? 2.220446049250313e-16 : 1.1920928955078125e-07;
}

/* det g A^-T, with the factors' zero pivots replaced by a small number: enough for a first derivative. */
static gd_tensor *det_by_factors(gd_bw *b, gd_tensor *side) {
    gd_ctx *c = b->ctx;
    gd_tensor *lu = gd_bw_output(b, 1), *a = gd_bw_tensor(b, 0);
    if (!a || !lu) return NULL;
    gd_tensor *pivot = gx_diagonal(c, lu), *zero = GX(c, eq, T_(pivot), T_(gx_number(c, 0)));
    gd_tensor *small =
        gx_mul_s(c, GX(c, to_dtype, T_(zero), GD_DTYPE_VALUE((gd_dtype)lu->dtype)), epsilon_of((gd_dtype)lu->dtype));
    lu = gx_add(c, lu, gx_diag_embed(c, small));
    return GX(c, linalg_lu_solve, T_(lu), T_(gd_bw_output(b, 2)), T_(side), B_(true), B_(!gd_is_contiguous(a)));
}

/* Is some determinant too small to divide by? */
static bool nearly_singular(gd_ctx *c, gd_tensor *det) {
    double limit = 100 * epsilon_of((gd_dtype)det->dtype);
    if (c->trace) gd_trace_expect(c, GX(c, lt, T_(GX(c, abs, T_(det))), T_(gx_number(c, limit))));
    for (int64_t i = 0; i < det->numel; i++) {
        double v = gd_load_f64((gd_dtype)det->dtype, det->data + i * (int64_t)gd_dtype_bytes((gd_dtype)det->dtype));
        if (v < limit && v > -limit) return true;
    }
    return false;
}

void gd_bw__linalg_det(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *det = gd_bw_output(b, 0), *a = gd_bw_tensor(b, 0), *g = b->grads[0];
    if (!det || !a || !g) return;
    if (det->numel && gd_rows(a) && b->create_graph && nearly_singular(c, det)) {
        gd_bw_set(b, 0, det_by_svd(b, a, g));
        return;
    }
    gd_tensor *side = scaled_identity(b, gx_mul(c, g, det));
    gd_bw_set(b, 0, b->create_graph ? GX(c, linalg_solve, T_(gx_mT(c, a)), T_(side)) : det_by_factors(b, side));
}

void gd_bw__linalg_slogdet(gd_bw *b) {
    if (!b->grads[1]) return;
    gd_bw_set(b, 0, solve_transposed(b, scaled_identity(b, b->grads[1]), 2, true));
}

/* ---- systems ---------------------------------------------------------------------------------------------- */

void gd_bw_inv_ex(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *turned = gx_mT(c, gd_bw_output(b, 0));
    gd_bw_set(b, 0, gx_neg(c, gx_matmul(c, turned, gx_matmul(c, b->grads[0], turned))));
}

void gd_bw__linalg_solve_ex(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int na = 0, nb = 0;
    const int64_t *sa = gd_bw_sizes(b, 0, &na), *sb = gd_bw_sizes(b, 1, &nb);
    gd_tensor *x = gd_bw_output(b, 0), *g = b->grads[0];
    bool left = flag(b, 2), vector = nb == 1 || nb == na - 1;
    if (!sa || !sb || !g || !x) return;
    for (int d = 0; nb > 1 && vector && d < nb; d++) vector = sa[d] == sb[d];
    if (vector) {
        x = gx_unsqueeze(c, x, -1);
        g = gx_unsqueeze(c, g, -1);
    }
    gd_tensor *gb = solve_transposed(b, g, 1, left);
    if (gd_bw_needs(b, 0))
        gd_bw_set(b, 0, gx_neg(c, left ? gx_matmul(c, gb, gx_mT(c, x)) : gx_matmul(c, gx_mT(c, x), gb)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, vector ? GX(c, squeeze_dim, T_(gb), I_(-1)) : gb);
}

/* t without what lies outside a triangle; without its diagonal, if that is all ones. */
static gd_tensor *kept_triangle(gd_ctx *c, gd_tensor *t, bool upper, bool unit) {
    return upper ? gx_triu(c, t, unit) : gx_tril(c, t, -(int64_t)unit);
}

void gd_bw_solve_triangular(gd_bw *b) {
    gd_ctx *c = b->ctx;
    bool upper = flag(b, 2), left = flag(b, 3), unit = flag(b, 4);
    gd_tensor *a = gd_bw_tensor(b, 0), *x = gd_bw_output(b, 0);
    gd_tensor *gb = gx_triangular(c, gx_mT(c, a), b->grads[0], !upper, left, unit);
    if (gd_bw_needs(b, 0)) {
        gd_tensor *ga = left ? gx_matmul(c, gb, gx_mT(c, x)) : gx_matmul(c, gx_mT(c, x), gb);
        gd_bw_set(b, 0, kept_triangle(c, gx_neg(c, ga), upper, unit));
    }
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gb);
}

void gd_bw_triangular_solve(gd_bw *b) {
    gd_ctx *c = b->ctx;
    bool upper = flag(b, 2), transposed = flag(b, 3), unit = flag(b, 4);
    gd_tensor *g = b->grads[0], *a = gd_bw_tensor(b, 1), *ga = NULL;
    if (g) {
        gd_tensor *x = gd_bw_output(b, 0), *matrix = transposed ? a : gx_mT(c, a);
        gd_tensor *gb = gx_triangular(c, matrix, g, transposed ? upper : !upper, true, unit);
        if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gb);
        if (gd_bw_needs(b, 1)) {
            ga = transposed ? gx_matmul(c, x, gx_mT(c, gb)) : gx_matmul(c, gb, gx_mT(c, x));
            ga = kept_triangle(c, gx_neg(c, ga), upper, unit);
        }
    }
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_plus(c, ga, b->grads[1]));
}

/* A = P L U is the matrix of the system; its gradient gives those of the factors: of L (P^T G) U^T below the diagonal,
 * of U L^T (P^T G) on and above it. */
static gd_tensor *factors_gradient(gd_bw *b, gd_tensor *ga) {
    gd_ctx *c = b->ctx;
    gd_tensor *plu[3];
    const gd_value args[] = {T_(gd_bw_tensor(b, 0)), T_(gd_bw_tensor(b, 1)), B_(true), B_(true)};
    if (!ga || gd_pooled_outputs(c, GD_OP_lu_unpack, args, 4, plu, 3)) return NULL;
    gd_tensor *g = gx_matmul(c, gx_mT(c, plu[0]), ga);
    return gx_add(c, gx_tril(c, gx_matmul(c, g, gx_mT(c, plu[2])), -1),
                  gx_triu(c, gx_matmul(c, gx_mT(c, plu[1]), g), 0));
}

void gd_bw_linalg_lu_solve(gd_bw *b) {
    gd_ctx *c = b->ctx;
    bool left = flag(b, 3), adjoint = flag(b, 4);
    gd_tensor *lu = gd_bw_tensor(b, 0), *pivots = gd_bw_tensor(b, 1), *x = gd_bw_output(b, 0);
    gd_tensor *gb = GX(c, linalg_lu_solve, T_(lu), T_(pivots), T_(b->grads[0]), B_(left), B_(!adjoint));
    if (gd_bw_needs(b, 0)) {
        gd_tensor *y = adjoint ? x : gb, *z = adjoint ? gb : x;
        gd_bw_set(b, 0,
                  factors_gradient(b, gx_neg(c, left ? gx_matmul(c, y, gx_mT(c, z)) : gx_matmul(c, gx_mT(c, z), y))));
    }
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, gb);
}
