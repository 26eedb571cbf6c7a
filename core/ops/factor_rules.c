/* factor_rules.c: derivative rules of the rows in factor.def, after the formulas of PyTorch's derivatives.yaml. G is
 * the cotangent, ^T the transpose.
 */
#include "core/ops/families.h"
#include "core/ops/matrices.h"

void gd_bw_no_rule(gd_bw *b) {
    (void)gd_fail(b->ctx, GD_E_NOT_IMPLEMENTED, "derivative for %s is not implemented",
                  b->node ? gd_bw_op(b)->name : "this op");
}

/* ---- Cholesky --------------------------------------------------------------------------------------------- */

/* L^-T (tril(L^T G) + tril(L^T G, -1)^T) L^-1 / 2. */
static void cholesky_rule(gd_bw *b, int upper) {
    gd_ctx *c = b->ctx;
    gd_tensor *l = gd_bw_output(b, 0), *g = b->grads[0];
    if (!l || !g) return;
    if (gd_bw_arg(b, upper).u.boolean) {
        l = gx_mT(c, l);
        g = gx_mT(c, g);
    }
    gd_tensor *phi = gx_matmul(c, gx_mT(c, l), g);
    phi = gx_add(c, gx_tril(c, phi, 0), gx_mT(c, gx_tril(c, phi, -1)));
    phi = gx_triangular(c, gx_mT(c, l), gx_mul_s(c, phi, 0.5), true, true, false);
    gd_bw_set(b, 0, gx_triangular(c, l, phi, false, false, false));
}

void gd_bw_cholesky(gd_bw *b) { cholesky_rule(b, 1); }
void gd_bw_cholesky_ex(gd_bw *b) { cholesky_rule(b, 1); }

/* t + t^T. */
static gd_tensor *doubled(gd_ctx *c, gd_tensor *t) { return gx_add(c, t, gx_mT(c, t)); }

void gd_bw_cholesky_inverse(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *l = gd_bw_tensor(b, 0), *inverse = gd_bw_output(b, 0);
    gd_tensor *common = gx_matmul(c, inverse, gx_matmul(c, doubled(c, b->grads[0]), inverse));
    bool upper = gd_bw_arg(b, 1).u.boolean;
    gd_bw_set(b, 0, gx_neg(c, upper ? gx_matmul(c, l, common) : gx_matmul(c, common, l)));
}

void gd_bw_cholesky_solve(gd_bw *b) {
    gd_ctx *c = b->ctx;
    bool upper = gd_bw_arg(b, 2).u.boolean;
    gd_tensor *l = gd_bw_tensor(b, 1), *gb = GX(c, cholesky_solve, T_(b->grads[0]), T_(l), B_(upper));
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gb);
    if (!gd_bw_needs(b, 1)) return;
    gd_tensor *common = doubled(c, gx_matmul(c, gb, gx_mT(c, gd_bw_output(b, 0))));
    gd_bw_set(b, 1, gx_neg(c, upper ? gx_matmul(c, l, common) : gx_matmul(c, common, l)));
}

/* ---- LU --------------------------------------------------------------------------------------------------- */

/* Zeros of k more rows (dim -2) or columns (dim -1) behind t. */
static gd_tensor *padded(gd_ctx *c, gd_tensor *t, int64_t dim, int64_t k) {
    int64_t sizes[GD_MAX_DIMS];
    if (!t || k == 0) return t;
    for (int d = 0; d < t->ndim; d++) sizes[d] = t->sizes[d];
    sizes[t->ndim + dim] = k;
    gd_tensor *zeros = gd_pool_add(c, gd_zeros(c, (gd_dtype)t->dtype, t->ndim, sizes));
    gd_tensor *const both[] = {t, zeros};
    return zeros ? GX(c, cat, TS_(both, 2), I_(dim)) : NULL;
}

/* The gradient of A = P L U for square L and U: P L^-T (tril(L^T GL, -1) + triu(GU U^T)) U^-T; without the P. */
static gd_tensor *square_lu(gd_ctx *c, gd_tensor *l, gd_tensor *u, gd_tensor *gl, gd_tensor *gu) {
    gd_tensor *low = gl ? gx_tril(c, gx_matmul(c, gx_mT(c, l), gl), -1) : NULL;
    gd_tensor *high = gu ? gx_triu(c, gx_matmul(c, gu, gx_mT(c, u)), 0) : NULL;
    gd_tensor *sum = gx_triangular(c, gx_mT(c, u), gx_plus(c, low, high), false, false, false);
    return gx_triangular(c, gx_mT(c, l), sum, true, true, true);
}

/* m < n: the columns of U beyond the square are L^-1 P^T times those of A. */
static gd_tensor *wide_lu(gd_ctx *c, gd_tensor *l, gd_tensor *u, gd_tensor *gl, gd_tensor *gu, int64_t m, int64_t n) {
    gd_tensor *u1 = gx_narrow(c, u, -1, 0, m), *u2 = gx_narrow(c, u, -1, m, n - m);
    if (!gu) return padded(c, square_lu(c, l, u1, gl, NULL), -1, n - m);
    gd_tensor *g2 = gx_triangular(c, gx_mT(c, l), gx_narrow(c, gu, -1, m, n - m), true, true, true);
    gl = gx_plus(c, gl, gx_neg(c, gx_matmul(c, g2, gx_mT(c, u2))));
    gd_tensor *const both[] = {square_lu(c, l, u1, gl, gx_narrow(c, gu, -1, 0, m)), g2};
    return both[0] && g2 ? GX(c, cat, TS_(both, 2), I_(-1)) : NULL;
}

/* m > n: the rows of L beyond the square are those of P^T A times U^-1. */
static gd_tensor *tall_lu(gd_ctx *c, gd_tensor *l, gd_tensor *u, gd_tensor *gl, gd_tensor *gu, int64_t m, int64_t n) {
    gd_tensor *l1 = gx_narrow(c, l, -2, 0, n), *l2 = gx_narrow(c, l, -2, n, m - n);
    if (!gl) return padded(c, square_lu(c, l1, u, NULL, gu), -2, m - n);
    gd_tensor *g2 = gx_triangular(c, gx_mT(c, u), gx_narrow(c, gl, -2, n, m - n), false, false, false);
    gu = gx_plus(c, gu, gx_neg(c, gx_matmul(c, gx_mT(c, l2), g2)));
    gd_tensor *const both[] = {square_lu(c, l1, u, gx_narrow(c, gl, -2, 0, n), gu), g2};
    return both[0] && g2 ? GX(c, cat, TS_(both, 2), I_(-2)) : NULL;
}

static gd_tensor *lu_gradient(gd_ctx *c, gd_tensor *p, gd_tensor *l, gd_tensor *u, gd_tensor *gl, gd_tensor *gu) {
    if (!p || !l || !u || (!gl && !gu)) return NULL;
    p = gx_precise(c, p);
    l = gx_precise(c, l);
    u = gx_precise(c, u);
    gl = gx_precise(c, gl);
    gu = gx_precise(c, gu);
    if (!p || !l || !u) return NULL;
    int64_t m = gd_rows(l), n = gd_columns(u);
    gd_tensor *g = m == n  ? square_lu(c, l, u, gl, gu)
                   : m < n ? wide_lu(c, l, u, gl, gu, m, n)
                           : tall_lu(c, l, u, gl, gu, m, n);
    return gx_matmul(c, p, g);
}

void gd_bw__linalg_lu(gd_bw *b) {
    gd_bw_set(
        b, 0,
        lu_gradient(b->ctx, gd_bw_output(b, 0), gd_bw_output(b, 1), gd_bw_output(b, 2), b->grads[1], b->grads[2]));
}

void gd_bw_lu_factor_ex(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *lu = gd_bw_output(b, 0), *g = b->grads[0], *plu[3];
    const gd_value args[] = {T_(lu), T_(gd_bw_output(b, 1)), B_(true), B_(true)};
    if (!lu || !g || gd_pooled_outputs(c, GD_OP_lu_unpack, args, 4, plu, 3)) return;
    int64_t k = gd_least(gd_rows(lu), gd_columns(lu));
    gd_tensor *gl = gx_tril(c, gx_narrow(c, g, -1, 0, k), -1), *gu = gx_triu(c, gx_narrow(c, g, -2, 0, k), 0);
    gd_bw_set(b, 0, lu_gradient(c, plu[0], plu[1], plu[2], gl, gu));
}

void gd_bw__lu_unpack(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim = 0;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    if (!sizes || !gd_bw_arg(b, 2).u.boolean) return; /* L and U were not unpacked: they are empty */
    int64_t m = sizes[ndim - 2], n = sizes[ndim - 1], k = gd_least(m, n);
    gd_tensor *gl = b->grads[1] ? padded(c, gx_tril(c, b->grads[1], -1), -1, n - k) : NULL;
    gd_tensor *gu = b->grads[2] ? padded(c, gx_triu(c, b->grads[2], 0), -2, m - k) : NULL;
    gd_bw_set(b, 0, gx_plus(c, gl, gu));
}
