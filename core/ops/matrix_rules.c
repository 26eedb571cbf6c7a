/* matrix_rules.c: derivative rules of the rows in matrix.def, after the formulas of PyTorch's derivatives.yaml. */
#include "core/ops/families.h"
#include "core/ops/matrices.h"

/* Golub and Pereyra 1973: P is the pseudo-inverse of A, G its cotangent; for m <= n, K = G^T P:
 * -(P K)^T + K P^T - A P K P^T + P^T P (G^T - K A), else with K = P G^T:
 * -(K P)^T + (G^T - A K) P P^T + P^T K - P^T K P A. */
gd_tensor *gd_pinv_gradient(gd_ctx *c, gd_tensor *a, gd_tensor *p, gd_tensor *g) {
    gd_tensor *pt = gx_mT(c, p), *gt = gx_mT(c, g);
    if (!a || !pt || !gt) return NULL;
    if (gd_rows(a) <= gd_columns(a)) {
        gd_tensor *k = gx_matmul(c, gt, p), *kpt = gx_matmul(c, k, pt);
        gd_tensor *first = gx_sub(c, kpt, gx_mT(c, gx_matmul(c, p, k)));
        gd_tensor *second = gx_matmul(c, gx_matmul(c, a, p), kpt);
        gd_tensor *third = gx_matmul(c, gx_matmul(c, pt, p), gx_sub(c, gt, gx_matmul(c, k, a)));
        return gx_add(c, gx_sub(c, first, second), third);
    }
    gd_tensor *k = gx_matmul(c, p, gt), *ptk = gx_matmul(c, pt, k);
    gd_tensor *first = gx_sub(c, ptk, gx_mT(c, gx_matmul(c, k, p)));
    gd_tensor *second = gx_matmul(c, gx_matmul(c, gx_sub(c, gt, gx_matmul(c, a, k)), p), pt);
    return gx_sub(c, gx_add(c, first, second), gx_matmul(c, gx_matmul(c, ptk, p), a));
}

void gd_bw__linalg_pinv(gd_bw *b) {
    gd_bw_set(b, 0, gd_pinv_gradient(b->ctx, gd_bw_tensor(b, 0), gd_bw_output(b, 0), b->grads[0]));
}
