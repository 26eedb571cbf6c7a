/* spectral_rules.c: derivative rules of the rows in spectral.def, after the formulas of PyTorch's derivatives.yaml.
 * G is the cotangent, ^T the transpose.
 */
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/matrices.h"

static gd_tensor *skew(gd_ctx *c, gd_tensor *t) { return gx_sub(c, t, gx_mT(c, t)); }

/* ---- QR --------------------------------------------------------------------------------------------------- */

/* For m >= n: (Q sym(triu(M)) + GQ) R^-T with M = GR R^T - Q^T GQ; sym(X) = X + X^T with the diagonal once. */
static gd_tensor *tall_qr(gd_ctx *c, gd_tensor *q, gd_tensor *r, gd_tensor *gq, gd_tensor *gr) {
    gd_tensor *m = gr ? gx_matmul(c, gr, gx_mT(c, r)) : NULL;
    if (gq) m = gx_plus(c, m, gx_neg(c, gx_matmul(c, gx_mT(c, q), gq)));
    gd_tensor *sum = gx_add(c, gx_triu(c, m, 0), gx_mT(c, gx_triu(c, m, 1)));
    sum = gx_plus(c, gx_matmul(c, q, sum), gq);
    return gx_triangular(c, gx_mT(c, r), sum, false, false, false);
}

/* m < n, R = [R1 R2] with R1 square: Q (GR + [K R1^-T, 0]), where K = tril(X - X^T, -1) and X = Q^T GQ - GR R^T. */
static gd_tensor *wide_qr(gd_ctx *c, gd_tensor *q, gd_tensor *r, gd_tensor *gq, gd_tensor *gr) {
    int64_t m = gd_rows(r), n = gd_columns(r);
    gd_tensor *x = gq ? gx_matmul(c, gx_mT(c, q), gq) : NULL, *r1 = gx_narrow(c, r, -1, 0, m);
    if (gr) x = gx_plus(c, x, gx_neg(c, gx_matmul(c, gr, gx_mT(c, r))));
    gd_tensor *left = gx_triangular(c, gx_mT(c, r1), gx_tril(c, skew(c, x), -1), false, false, false);
    gd_tensor *right = GX(c, zeros_like, T_(gx_narrow(c, r, -1, m, n - m)));
    gd_tensor *const both[] = {left, right};
    gd_tensor *inner = left && right ? GX(c, cat, TS_(both, 2), I_(-1)) : NULL;
    return gx_matmul(c, q, gx_plus(c, inner, gr));
}

void gd_bw_linalg_qr(gd_bw *b) {
    gd_ctx *c = b->ctx;
    const char *mode = gd_bw_arg(b, 1).u.str;
    gd_tensor *q = gx_precise(c, gd_bw_output(b, 0)), *r = gx_precise(c, gd_bw_output(b, 1));
    gd_tensor *gq = gx_precise(c, b->grads[0]), *gr = gx_precise(c, b->grads[1]);
    if (!q || !r) return;
    if (strcmp(mode, "r") == 0) {
        (void)gd_fail(c, GD_E_RUNTIME,
                      "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
                      "linalg.qr(A, mode='reduced') if you are going to require its derivatives.");
        return;
    }
    if (strcmp(mode, "complete") == 0 && gd_rows(r) > gd_columns(r)) {
        (void)gd_fail(c, GD_E_RUNTIME,
                      "The QR decomposition is not differentiable when mode='complete' and nrows > ncols");
        return;
    }
    if (!gq && !gr) return;
    gd_bw_set(b, 0, (gd_rows(r) < gd_columns(r) ? wide_qr : tall_qr)(c, q, r, gq, gr));
}

/* ---- singular values ---------------------------------------------------------------------------------------- */

/* e_j - e_i, with ones on the diagonal. */
static gd_tensor *differences(gd_ctx *c, gd_tensor *e) {
    gd_tensor *d = gx_sub(c, gx_unsqueeze(c, e, -2), gx_unsqueeze(c, e, -1));
    return e ? gx_add(c, d, gx_eye(c, e->sizes[e->ndim - 1], (gd_dtype)e->dtype)) : NULL;
}

static gd_tensor *first_columns(gd_ctx *c, gd_tensor *t, int64_t dim, int64_t k) {
    return !t || t->sizes[t->ndim + dim] == k ? t : gx_narrow(c, t, dim, 0, k);
}

/* What lies between U and V^T of the gradient: (skew(U^T GU) / E) S + S (skew(V^T GV) / E) + diag(GS). */
static gd_tensor *svd_core(gd_ctx *c, gd_tensor *u, gd_tensor *s, gd_tensor *vh, gd_tensor *gu, gd_tensor *gs,
                           gd_tensor *gvh) {
    gd_tensor *e = differences(c, gx_mul(c, s, s)), *sum = gs ? gx_diag_embed(c, gs) : NULL;
    if (gu)
        sum = gx_plus(c, sum, gx_mul(c, gx_div(c, skew(c, gx_matmul(c, gx_mT(c, u), gu)), e), gx_unsqueeze(c, s, -2)));
    if (gvh)
        sum =
            gx_plus(c, sum, gx_mul(c, gx_unsqueeze(c, s, -1), gx_div(c, skew(c, gx_matmul(c, vh, gx_mT(c, gvh))), e)));
    return sum;
}

static gd_tensor *svd_gradient(gd_ctx *c, gd_tensor *u, gd_tensor *s, gd_tensor *vh, gd_tensor *gu, gd_tensor *gs,
                               gd_tensor *gvh) {
    int64_t m = gd_rows(u), n = gd_columns(vh), k = s->sizes[s->ndim - 1];
    if (!gu && !gvh) {
        if (m >= n) return gx_matmul(c, u, gx_mul(c, gx_unsqueeze(c, gs, -1), vh));
        return gx_matmul(c, gx_mul(c, u, gx_unsqueeze(c, gs, -2)), vh);
    }
    gd_tensor *g = svd_core(c, u, s, vh, gu, gs, gvh);
    if (m > k && gu) {
        gd_tensor *scaled = gx_div(c, gu, gx_unsqueeze(c, s, -2));
        gd_tensor *outside = gx_sub(c, scaled, gx_matmul(c, u, gx_matmul(c, gx_mT(c, u), scaled)));
        return gx_matmul(c, gx_add(c, gx_matmul(c, u, g), outside), vh);
    }
    g = gx_matmul(c, g, vh);
    if (n > k && gvh) {
        gd_tensor *scaled = gx_div(c, gvh, gx_unsqueeze(c, s, -1));
        g = gx_add(c, g, gx_sub(c, scaled, gx_matmul(c, gx_matmul(c, scaled, gx_mT(c, vh)), vh)));
    }
    return gx_matmul(c, u, g);
}

void gd_bw__linalg_svd(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *u = gd_bw_output(b, 0), *s = gd_bw_output(b, 1), *vh = gd_bw_output(b, 2), *gu = b->grads[0],
              *gvh = b->grads[2];
    if (!u || !s || !vh || (!gu && !gvh && !b->grads[1])) return;
    if (u->ndim < 2) {
        (void)gd_fail(c, GD_E_RUNTIME, "svd_backward: the singular vectors were not computed");
        return;
    }
    int64_t k = s->sizes[s->ndim - 1];
    gu = first_columns(c, gu, -1, k);
    gvh = first_columns(c, gvh, -2, k);
    gd_bw_set(b, 0, svd_gradient(c, first_columns(c, u, -1, k), s, first_columns(c, vh, -2, k), gu, b->grads[1], gvh));
}

/* ---- eigenvalues -------------------------------------------------------------------------------------------- */

/* V (skew(V^T GV) / (2 E) + diag(GL)) V^T. */
static gd_tensor *eigen_gradient(gd_ctx *c, gd_tensor *l, gd_tensor *v, gd_tensor *gl, gd_tensor *gv) {
    if (!gv) return gx_matmul(c, gx_mul(c, v, gx_unsqueeze(c, gl, -2)), gx_mT(c, v));
    gd_tensor *turn = gx_mul_s(c, skew(c, gx_matmul(c, gx_mT(c, v), gv)), 0.5), *q = gx_div(c, turn, differences(c, l));
    if (gl) q = gx_add(c, q, gx_diag_embed(c, gl));
    return gx_matmul(c, v, gx_matmul(c, q, gx_mT(c, v)));
}

void gd_bw__linalg_eigh(gd_bw *b) {
    gd_tensor *l = gd_bw_output(b, 0), *v = gd_bw_output(b, 1);
    if (!l || !v || (!b->grads[0] && !b->grads[1])) return;
    gd_bw_set(b, 0, eigen_gradient(b->ctx, l, v, b->grads[0], b->grads[1]));
}

void gd_bw_symeig(gd_bw *b) {
    if (gd_bw_arg(b, 1).u.boolean) {
        gd_bw__linalg_eigh(b);
        return;
    }
    (void)gd_fail(b->ctx, GD_E_RUNTIME,
                  "symeig_backward: Setting eigenvectors to false in torch.symeig doesn't compute eigenvectors for "
                  "backward. Please use torch.linalg.eigvalsh instead of torch.symeig to get the eigenvalues.");
}

/* ---- least squares ----------------------------------------------------------------------------------------------- */

/* X = pinv(A) B: A gets what pinv's rule makes of G B^T, B gets pinv(A)^T G. */
void gd_bw__linalg_lstsq(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *a = gd_bw_tensor(b, 0), *side = gd_bw_tensor(b, 1), *g = b->grads[0];
    if (!a || !side || !g) return;
    bool vector = g->ndim < 2 || (side->ndim == a->ndim - 1 &&
                                  memcmp(side->sizes, a->sizes, (size_t)side->ndim * sizeof *a->sizes) == 0);
    if (vector) {
        side = gx_unsqueeze(c, side, -1);
        g = gx_unsqueeze(c, g, -1);
    }
    gd_tensor *inverse = GX(c, linalg_pinv, T_(a));
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gd_pinv_gradient(c, a, inverse, gx_matmul(c, g, gx_mT(c, side))));
    if (!gd_bw_needs(b, 1)) return;
    gd_tensor *gb = gx_matmul(c, gx_mT(c, inverse), g);
    gd_bw_set(b, 1, vector ? GX(c, squeeze_dim, T_(gb), I_(-1)) : gb);
}
