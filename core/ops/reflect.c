/* reflect.c: QR decompositions, products of reflections, and least squares, by LAPACK; rows of spectral.def.
 * Derivatives are in spectral_rules.c.
 */
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/matrices.h"

#define BLOCK 64 /* columns that LAPACK works on at once: workspace for so many is the best size */

/* New, pooled: workspace for n columns. */
static gd_tensor *blocks(gd_ctx *c, const gd_tensor *t, int64_t n, int *size) {
    *size = (int)((n > 1 ? n : 1) * BLOCK);
    return gd_workspace(c, (gd_dtype)t->dtype, *size);
}

/* Reflects the matrices of t (columns) into triangles; tau: min(m, n) factors each. */
static gd_code triangulate(gd_ctx *c, gd_tensor *t, gd_tensor *tau) {
    const gd_lapack *lapack;
    int64_t count = gd_matrix_count(t), k = gd_least(gd_rows(t), gd_columns(t));
    int m = (int)gd_rows(t), n = (int)gd_columns(t), ld = gd_leading(m), info = 0, size;
    gd_code code = gd_need_lapack(c, &lapack);
    gd_tensor *work = code ? NULL : blocks(c, t, n, &size);
    if (!work) return code ? code : gd_failed(c);
    for (int64_t i = 0; i < count && k; i++)
        lapack->geqrf[gd_real_of(t)](&m, &n, gd_matrix_at(t, i), &ld, gd_vector_at(tau, i, k), work->data, &size,
                                     &info);
    return GD_OK;
}

/* Turns k reflections in the columns of q into the first columns of their product. */
static gd_code multiply_out(gd_ctx *c, gd_tensor *q, const gd_tensor *tau, int64_t factors) {
    const gd_lapack *lapack;
    int64_t count = gd_matrix_count(q);
    int m = (int)gd_rows(q), n = (int)gd_columns(q), k = (int)factors, ld = gd_leading(m), info = 0, size;
    gd_code code = gd_need_lapack(c, &lapack);
    gd_tensor *work = code ? NULL : blocks(c, q, n, &size);
    if (!work) return code ? code : gd_failed(c);
    for (int64_t i = 0; i < count && n; i++)
        lapack->orgqr[gd_real_of(q)](&m, &n, &k, gd_matrix_at(q, i), &ld, gd_vector_at(tau, i, k), work->data, &size,
                                     &info);
    return GD_OK;
}

static gd_code check_reflect(gd_ctx *c, const gd_tensor *t, const char *what) {
    gd_code code = gd_check_matrix(c, t, what, "A");
    if (!code) code = gd_check_floating(c, t, what);
    return code ? code : gd_check_lapack_sizes(c, gd_rows(t), gd_columns(t));
}

/* Copies the upper triangle of the first r rows of t (columns) to R (columns). */
static void copy_triangle(gd_tensor *r, const gd_tensor *t) {
    size_t bytes = gd_dtype_bytes((gd_dtype)t->dtype);
    int64_t count = gd_matrix_count(t), m = gd_rows(t), rows = gd_rows(r), n = gd_columns(t);
    memset(r->data, 0, (size_t)r->numel * bytes);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < n; j++)
            memcpy(gd_matrix_at(r, i) + (size_t)(j * rows) * bytes, gd_matrix_at(t, i) + (size_t)(j * m) * bytes,
                   (size_t)gd_least(gd_least(j + 1, rows), m) * bytes);
}

/* Copies the first columns of t to q, which may have more. */
static void copy_columns(gd_tensor *q, const gd_tensor *t) {
    size_t bytes = gd_dtype_bytes((gd_dtype)t->dtype);
    int64_t count = gd_matrix_count(t), m = gd_rows(t), n = gd_least(gd_columns(t), gd_columns(q));
    memset(q->data, 0, (size_t)q->numel * bytes);
    for (int64_t i = 0; i < count; i++) memcpy(gd_matrix_at(q, i), gd_matrix_at(t, i), (size_t)(m * n) * bytes);
}

gd_code gd_fw_linalg_qr(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    const char *mode = a->args[1].u.str;
    const int64_t none[] = {0};
    bool complete = strcmp(mode, "complete") == 0, only_r = strcmp(mode, "r") == 0;
    gd_code code = check_reflect(c, t, "linalg.qr");
    if (!code && !complete && !only_r && strcmp(mode, "reduced") != 0)
        code = gd_fail(c, GD_E_VALUE,
                       "qr received unrecognized mode '%s' but expected one of 'reduced' (default), 'r', or 'complete'",
                       mode);
    if (code) return code;
    int64_t m = gd_rows(t), n = gd_columns(t), k = gd_least(m, n), side = complete ? m : k;
    gd_tensor *factors = gd_pool_add(c, gd_columns_of(c, t));
    gd_tensor *tau = factors ? gd_pool_add(c, gd_batch_new(c, (gd_dtype)t->dtype, t, k)) : NULL;
    code = tau ? triangulate(c, factors, tau) : gd_failed(c);
    if (code) return code;
    a->nout = 2;
    a->out[0] = only_r ? gd_empty(c, (gd_dtype)t->dtype, 1, none) : gd_columns_new(c, t, m, side);
    a->out[1] = a->out[0] ? gd_columns_new(c, t, side, n) : NULL;
    if (!a->out[1]) return gd_failed(c);
    copy_triangle(a->out[1], factors);
    if (only_r) return GD_OK;
    copy_columns(a->out[0], factors);
    return multiply_out(c, a->out[0], tau, k);
}

gd_code gd_fw_qr(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[2];
    const gd_value args[] = {a->args[0], GD_STR_VALUE(a->args[1].u.boolean ? "reduced" : "complete")};
    gd_code code = gd_pooled_outputs(c, GD_OP_linalg_qr, args, 2, all, 2);
    if (!code) code = gd_apply_reserve(a, 2);
    for (int i = 0; i < 2 && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

gd_code gd_fw_geqrf(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    gd_code code = gd_check_matrix(c, t, "torch.geqrf", "input");
    if (!code) code = check_reflect(c, t, "geqrf");
    if (code) return code;
    a->nout = 2;
    a->out[0] = gd_columns_of(c, t);
    a->out[1] = a->out[0] ? gd_batch_new(c, (gd_dtype)t->dtype, t, gd_least(gd_rows(t), gd_columns(t))) : NULL;
    return a->out[1] ? triangulate(c, a->out[0], a->out[1]) : gd_failed(c);
}

/* ---- products of reflections ------------------------------------------------------------------------------------ */

static bool same_batch(const gd_tensor *t, int left_out_t, const gd_tensor *u, int left_out_u) {
    int n = t->ndim - left_out_t;
    return n == u->ndim - left_out_u && (n == 0 || memcmp(t->sizes, u->sizes, (size_t)n * sizeof *t->sizes) == 0);
}

static gd_code check_ormqr(gd_ctx *c, const gd_tensor *t, const gd_tensor *tau, const gd_tensor *other, bool left) {
    if (t->ndim < 2) return gd_fail(c, GD_E_SHAPE, "torch.ormqr: input must have at least 2 dimensions.");
    if (other->ndim < 2) return gd_fail(c, GD_E_SHAPE, "torch.ormqr: other must have at least 2 dimensions.");
    int from_end = left ? 2 : 1;
    int64_t side = other->sizes[other->ndim - from_end];
    if (tau->ndim < 1 || side < tau->sizes[tau->ndim - 1])
        return gd_fail(c, GD_E_SHAPE, "torch.ormqr: other.shape[%d] must be greater than or equal to tau.shape[-1]",
                       -from_end);
    if (side != gd_rows(t))
        return gd_fail(c, GD_E_SHAPE, "torch.ormqr: other.shape[%d] must be equal to input.shape[-2]", -from_end);
    if (tau->sizes[tau->ndim - 1] > gd_columns(t))
        return gd_fail(c, GD_E_SHAPE, "torch.ormqr: tau.shape[-1] must be less than or equal to input.shape[-1]");
    if (!same_batch(t, 2, tau, 1) || !same_batch(t, 2, other, 2))
        return gd_fail(c, GD_E_SHAPE,
                       "torch.ormqr: Expected batch dimensions of tau and other to be equal to input.shape[:-2]");
    if (tau->dtype != t->dtype || other->dtype != t->dtype)
        return gd_fail(c, GD_E_DTYPE, "torch.ormqr: Expected input, tau and other to have the same dtype");
    gd_code code = check_reflect(c, t, "ormqr");
    return code ? code : gd_check_lapack_sizes(c, gd_rows(other), gd_columns(other));
}

gd_code gd_fw_ormqr(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *tau = arg_tensor(a, 1), *other = arg_tensor(a, 2);
    bool left = a->args[3].u.boolean;
    const gd_lapack *lapack;
    gd_code code = check_ormqr(c, t, tau, other, left);
    if (!code) code = gd_need_lapack(c, &lapack);
    if (code) return code;
    int m = (int)gd_rows(other), n = (int)gd_columns(other), k = (int)tau->sizes[tau->ndim - 1], info = 0, size;
    int lda = gd_leading(gd_rows(t)), ldc = gd_leading(m);
    gd_tensor *factors = gd_pool_add(c, gd_columns_of(c, t)), *scale = gd_pool_add(c, gd_as_contiguous(c, tau));
    gd_tensor *work = factors && scale ? blocks(c, t, (left ? n : m) + 2 * BLOCK, &size) : NULL;
    gd_tensor *x = work ? gd_columns_of(c, other) : NULL;
    int64_t count = x && x->numel ? gd_matrix_count(x) : 0;
    for (int64_t i = 0; i < count && k; i++)
        lapack->ormqr[gd_real_of(t)](left ? "L" : "R", a->args[4].u.boolean ? "T" : "N", &m, &n, &k,
                                     gd_matrix_at(factors, i), &lda, gd_vector_at(scale, i, k), gd_matrix_at(x, i),
                                     &ldc, work->data, &size, &info, 1, 1);
    return give(a, x);
}
