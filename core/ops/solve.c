/* solve.c: determinants, inverses and linear systems, by the LU factors that LAPACK computes. Derivatives are in
 * solve_rules.c.
 */
#include <math.h>
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/matrices.h"

/* ---- factors ---------------------------------------------------------------------------------------------- */

/* The LU factors of each matrix of a (or, turned, of its transpose, which is less work where it is contiguous) and
 * their row exchanges; info, int32, is written where it is given. All new, and NULL on failure. */
static gd_code factor(gd_ctx *c, gd_tensor *a, bool turned, gd_tensor **lu, gd_tensor **pivots, gd_tensor *info) {
    const gd_lapack *lapack;
    int64_t count = gd_matrix_count(a), n = gd_rows(a);
    *lu = *pivots = NULL;
    gd_code code = gd_need_lapack(c, &lapack);
    if (!code) code = gd_check_lapack_sizes(c, n, n);
    if (code) return code;
    *lu = turned ? gd_columns_transposed(c, a) : gd_columns_of(c, a);
    *pivots = *lu ? gd_batch_new(c, GD_INT32, a, n) : NULL;
    if (!*pivots) return gd_failed(c);
    int size = (int)n, ld = gd_leading(n), failed = 0;
    for (int64_t i = 0; i < count && n; i++) {
        lapack->getrf[gd_real_of(a)](&size, &size, gd_matrix_at(*lu, i), &ld,
                                     (int *)(void *)gd_vector_at(*pivots, i, n), &failed);
        if (info) ((int32_t *)info->data)[i] = failed;
    }
    return GD_OK;
}

static double diagonal_at(const gd_tensor *lu, int64_t matrix, int64_t k) {
    const char *p = gd_matrix_at(lu, matrix);
    int64_t at = k * gd_rows(lu) + k;
    return lu->dtype == GD_FLOAT64 ? ((const double *)(const void *)p)[at]
                                   : (double)((const float *)(const void *)p)[at];
}

static bool odd_exchanges(const gd_tensor *pivots, int64_t matrix, int64_t n) {
    const int32_t *p = (const int32_t *)(const void *)gd_vector_at(pivots, matrix, n);
    bool odd = false;
    for (int64_t k = 0; k < n; k++) odd ^= p[k] != k + 1;
    return odd;
}

static void put(gd_tensor *t, int64_t i, double v) {
    if (t->dtype == GD_FLOAT64)
        ((double *)(void *)t->data)[i] = v;
    else
        ((float *)(void *)t->data)[i] = (float)v;
}

/* ---- determinants ----------------------------------------------------------------------------------------- */

gd_code gd_fw__linalg_det(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0), **out = a->out;
    gd_code code = gd_check_square(c, t, "linalg.det", "A");
    if (!code) code = gd_check_floating(c, t, "linalg.det");
    a->nout = 3;
    if (!code) code = factor(c, t, gd_is_contiguous(t), &out[1], &out[2], NULL);
    if (code) return code;
    out[0] = gd_batch_new(c, (gd_dtype)t->dtype, t, -1);
    if (!out[0]) return gd_failed(c);
    int64_t n = gd_rows(t);
    for (int64_t i = 0; i < out[0]->numel; i++) {
        double v = odd_exchanges(out[2], i, n) ? -1 : 1;
        for (int64_t k = 0; k < n; k++) v *= diagonal_at(out[1], i, k);
        put(out[0], i, v);
    }
    return GD_OK;
}

gd_code gd_fw__linalg_slogdet(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0), **out = a->out;
    gd_code code = gd_check_square(c, t, "linalg.slogdet", "A");
    if (!code) code = gd_check_floating(c, t, "linalg.slogdet");
    a->nout = 4;
    if (!code) code = factor(c, t, gd_is_contiguous(t), &out[2], &out[3], NULL);
    if (code) return code;
    out[0] = gd_batch_new(c, (gd_dtype)t->dtype, t, -1);
    out[1] = out[0] ? gd_batch_new(c, (gd_dtype)t->dtype, t, -1) : NULL;
    if (!out[1]) return gd_failed(c);
    int64_t n = gd_rows(t);
    for (int64_t i = 0; i < out[0]->numel; i++) {
        double sign = odd_exchanges(out[3], i, n) ? -1 : 1, sum = 0;
        for (int64_t k = 0; k < n; k++) {
            double v = diagonal_at(out[2], i, k);
            sign *= v > 0 ? 1 : v < 0 ? -1 : v; /* 0 and NaN stay */
            sum += log(fabs(v));
        }
        put(out[0], i, sign);
        put(out[1], i, sum);
    }
    return GD_OK;
}

gd_code gd_fw_det(gd_apply *a) { return give(a, DO(a->ctx, _linalg_det, a->args[0])); }

gd_code gd_fw_slogdet(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[2];
    gd_code code = gd_pooled_outputs(c, GD_OP__linalg_slogdet, a->args, 1, all, 2);
    if (!code) code = gd_apply_reserve(a, 2);
    for (int i = 0; i < 2 && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

/* where(sign == -1, NaN, logabsdet), as PyTorch composes it. */
gd_code gd_fw_logdet(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *all[2];
    gd_code code = gd_check_square(c, t, "logdet", "A");
    if (!code) code = gd_check_floating(c, t, "logdet");
    if (!code) code = gd_pooled_outputs(c, GD_OP__linalg_slogdet, a->args, 1, all, 2);
    if (code) return code;
    gd_tensor *negative = GX(c, eq, T_(all[0]), T_(gx_number(c, -1)));
    return give_shared(a, gx_where(c, negative, gx_number(c, NAN), all[1]));
}

/* ---- systems ---------------------------------------------------------------------------------------------- */

/* b (columns; each `columns` right-hand sides) becomes the solutions of A x = b or, transposed, of A^T x = b. */
static gd_code solve_columns(gd_ctx *c, const gd_tensor *lu, const gd_tensor *pivots, gd_tensor *b, bool transposed) {
    const gd_lapack *lapack;
    gd_code code = gd_need_lapack(c, &lapack);
    if (code || b->numel == 0) return code;
    int64_t count = gd_matrix_count(b), n64 = gd_rows(b);
    int n = (int)n64, sides = (int)gd_columns(b), ld = gd_leading(n64), info = 0;
    for (int64_t i = 0; i < count; i++)
        lapack->getrs[gd_real_of(b)](transposed ? "T" : "N", &n, &sides, gd_matrix_at(lu, i), &ld,
                                     (const int *)(const void *)gd_vector_at(pivots, i, n64), gd_matrix_at(b, i), &ld,
                                     &info, 1);
    return GD_OK;
}

/* New: the solution of A X = B, or X A = B, for the factors of A (of its transpose, if `of_transpose`); all of one
 * batch shape. */
static gd_tensor *solved(gd_ctx *c, const gd_tensor *lu, const gd_tensor *pivots, gd_tensor *b, bool left,
                         bool of_transpose) {
    if (!b || gd_check_lapack_sizes(c, gd_rows(b), gd_columns(b))) return NULL;
    gd_tensor *x = left ? gd_columns_of(c, b) : gd_columns_transposed(c, b);
    if (!x) return NULL;
    gd_code code = solve_columns(c, lu, pivots, x, left ? of_transpose : !of_transpose);
    if (!code && !left) code = gd_turn(c, x);
    if (!code) return x;
    gd_release(x);
    return NULL;
}

gd_code gd_fw_inv_ex(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *lu = NULL, *pivots = NULL;
    gd_code code = gd_check_square_float(c, t, "linalg.inv");
    a->nout = 2;
    if (!code && !(a->out[1] = gd_batch_new(c, GD_INT32, t, -1))) code = gd_failed(c);
    if (!code) code = factor(c, t, gd_is_contiguous(t), &lu, &pivots, a->out[1]);
    if (!code && a->args[1].u.boolean) code = gd_check_info(c, a->out[1], "linalg.inv_ex");
    if (!code) {
        gd_grad_mode mode = gd_compose_unrecorded(c);
        gd_tensor *one = gd_batch_expanded(c, gx_eye(c, gd_rows(t), (gd_dtype)t->dtype), t);
        a->out[0] = solved(c, lu, pivots, one, true, gd_is_contiguous(t));
        c->mode = mode;
        if (!a->out[0]) code = gd_failed(c);
    }
    gd_release(lu);
    gd_release(pivots);
    return code;
}

gd_code gd_fw_inv(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[2];
    gd_code code = gd_pooled_outputs(c, GD_OP_inv_ex, a->args, 1, all, 2);
    if (!code) code = gd_check_info(c, all[1], "linalg.inv");
    return code ? code : give_shared(a, all[0]);
}

/* Is b a vector, or a batch of vectors, rather than of matrices? */
static bool vector_side(const gd_tensor *a, const gd_tensor *b) {
    if (b->ndim == 1) return true;
    return b->ndim == a->ndim - 1 && memcmp(a->sizes, b->sizes, (size_t)b->ndim * sizeof *b->sizes) == 0;
}

static gd_code check_system(gd_ctx *c, const gd_tensor *a, const gd_tensor *b, bool left, const char *what) {
    gd_code code = gd_check_square(c, a, what, "A");
    if (!code) code = gd_check_floating(c, a, what);
    if (!code) code = gd_check_same_dtype(c, a, b, what);
    if (code) return code;
    bool vector = vector_side(a, b);
    if (vector && !left)
        return gd_fail(c, GD_E_SHAPE,
                       "%s: Vector broadcasting of the left hand side is not supported for left=False. In this case "
                       "linalg.solve is equivalent to B / A.squeeze(-1)",
                       what);
    if (!vector) code = gd_check_matrix(c, b, what, "B");
    if (code) return code;
    int64_t rows = vector ? b->sizes[b->ndim - 1] : gd_rows(b), columns = vector ? 1 : gd_columns(b);
    if ((left ? rows : columns) == gd_rows(a)) return GD_OK;
    return gd_fail(c, GD_E_SHAPE, "%s: Incompatible shapes of A and B for the equation %s (%lldx%lld and %lldx%lld)",
                   what, left ? "AX = B" : "XA = B", (long long)gd_rows(a), (long long)gd_columns(a), (long long)rows,
                   (long long)columns);
}

/* Drops the last dimension, of size 1, of a result. */
static gd_code drop_last(gd_ctx *c, gd_tensor *t) {
    int64_t strides[GD_MAX_DIMS];
    memcpy(strides, GD_STRIDES(t), (size_t)t->ndim * sizeof *strides);
    return gd_set_geometry(c, t, t->ndim - 1, t->sizes, strides, gd_offset(t));
}

gd_code gd_fw__linalg_solve_ex(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *b = arg_tensor(a, 1), **out = a->out;
    bool left = a->args[2].u.boolean;
    a->nout = 4;
    gd_code code = check_system(c, t, b, left, "linalg.solve");
    if (code) return code;
    bool vector = vector_side(t, b);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    if (vector) b = gx_unsqueeze(c, b, -1);
    gd_tensor *wide = b ? gd_batch_expanded(c, t, b) : NULL, *sides = wide ? gd_batch_expanded(c, b, wide) : NULL;
    c->mode = mode;
    if (!sides || !(out[3] = gd_batch_new(c, GD_INT32, wide, -1))) return gd_failed(c);
    bool turned = gd_is_contiguous(t); /* the rule asks the same */
    code = factor(c, wide, turned, &out[1], &out[2], out[3]);
    if (code) return code;
    out[0] = solved(c, out[1], out[2], sides, left, turned);
    if (!out[0]) return gd_failed(c);
    return vector ? drop_last(c, out[0]) : GD_OK;
}

gd_code gd_fw_linalg_solve_ex(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[4];
    gd_code code = gd_pooled_outputs(c, GD_OP__linalg_solve_ex, a->args, 3, all, 4);
    if (!code && a->args[3].u.boolean) code = gd_check_info(c, all[3], "torch.linalg.solve_ex");
    if (!code) code = gd_apply_reserve(a, 2);
    if (!code) code = give_one(a, 0, all[0]);
    return code ? code : give_one(a, 1, all[3]);
}

gd_code gd_fw_linalg_solve(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[4];
    gd_code code = gd_pooled_outputs(c, GD_OP__linalg_solve_ex, a->args, 3, all, 4);
    if (!code) code = gd_check_info(c, all[3], "torch.linalg.solve");
    return code ? code : give_shared(a, all[0]);
}

/* ---- triangular systems ------------------------------------------------------------------------------------- */

/* b (columns) becomes the solution of op(A) X = b or X op(A) = b. */
static gd_code triangular(gd_ctx *c, const gd_tensor *a, gd_tensor *b, bool left, bool upper, bool transposed,
                          bool unit) {
    const gd_lapack *lapack;
    static const double one64 = 1;
    static const float one32 = 1;
    const void *one = b->dtype == GD_FLOAT64 ? (const void *)&one64 : (const void *)&one32;
    gd_code code = gd_need_lapack(c, &lapack);
    if (!code) code = gd_check_lapack_sizes(c, gd_rows(b), gd_columns(b));
    if (code || b->numel == 0) return code;
    int m = (int)gd_rows(b), n = (int)gd_columns(b), lda = gd_leading(gd_rows(a)), ldb = gd_leading(m);
    int64_t count = gd_matrix_count(b);
    for (int64_t i = 0; i < count; i++)
        lapack->trsm[gd_real_of(b)](left ? "L" : "R", upper ? "U" : "L", transposed ? "T" : "N", unit ? "U" : "N", &m,
                                    &n, one, gd_matrix_at(a, i), &lda, gd_matrix_at(b, i), &ldb, 1, 1, 1, 1);
    return GD_OK;
}

gd_code gd_fw_solve_triangular(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *b = arg_tensor(a, 1);
    const char *what = "linalg.solve_triangular";
    bool upper = a->args[2].u.boolean, left = a->args[3].u.boolean, unit = a->args[4].u.boolean;
    gd_code code = gd_check_same_dtype(c, t, b, what);
    if (!code) code = gd_check_square(c, t, what, "A");
    if (!code) code = gd_check_matrix(c, b, what, "B");
    if (!code) code = gd_check_floating(c, t, what);
    if (!code && (left ? gd_rows(b) : gd_columns(b)) != gd_rows(t))
        code =
            gd_fail(c, GD_E_SHAPE, "%s: Incompatible shapes of A and B for the equation %s (%lldx%lld and %lldx%lld)",
                    what, left ? "AX = B" : "XA = B", (long long)gd_rows(t), (long long)gd_columns(t),
                    (long long)gd_rows(b), (long long)gd_columns(b));
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *wide = gd_batch_expanded(c, t, b), *sides = wide ? gd_batch_expanded(c, b, wide) : NULL;
    c->mode = mode;
    if (!sides) return gd_failed(c);
    bool plain = gd_is_contiguous(wide); /* then it is, as it lies, its transpose in column order */
    gd_tensor *matrix = plain ? gd_retain(wide) : gd_columns_of(c, wide), *x = matrix ? gd_columns_of(c, sides) : NULL;
    code = x ? triangular(c, matrix, x, left, upper != plain, plain, unit) : gd_failed(c);
    gd_release(matrix);
    if (!code) return give(a, x);
    gd_release(x);
    return code;
}

static gd_code check_old_triangular(gd_ctx *c, const gd_tensor *b, const gd_tensor *t) {
    if (b->dtype != t->dtype)
        return gd_fail(c, GD_E_DTYPE,
                       "Expected b and A to have the same dtype, but found b of type %s and A of type %s instead",
                       gd_dtype_scalar_name((gd_dtype)b->dtype), gd_dtype_scalar_name((gd_dtype)t->dtype));
    if (b->ndim < 2)
        return gd_fail(
            c, GD_E_SHAPE,
            "torch.triangular_solve: Expected b to have at least 2 dimensions, but it has %d dimensions instead",
            b->ndim);
    if (t->ndim < 2)
        return gd_fail(
            c, GD_E_SHAPE,
            "torch.triangular_solve: Expected A to have at least 2 dimensions, but it has %d dimensions instead",
            t->ndim);
    if (gd_rows(t) != gd_columns(t))
        return gd_fail(c, GD_E_SHAPE, "A must be batches of square matrices, but they are %lld by %lld matrices",
                       (long long)gd_rows(t), (long long)gd_columns(t));
    if (gd_rows(b) == gd_rows(t)) return gd_check_floating(c, t, "triangular_solve");
    return gd_fail(c, GD_E_SHAPE,
                   "Incompatible matrix sizes for triangular_solve: each A matrix is %lld by %lld but each b matrix is "
                   "%lld by %lld",
                   (long long)gd_rows(t), (long long)gd_rows(t), (long long)gd_rows(b), (long long)gd_columns(b));
}

gd_code gd_fw_triangular_solve(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *b = arg_tensor(a, 0), *t = arg_tensor(a, 1);
    bool upper = a->args[2].u.boolean, transposed = a->args[3].u.boolean, unit = a->args[4].u.boolean;
    gd_code code = check_old_triangular(c, b, t);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *wide = gd_batch_expanded(c, t, b), *sides = wide ? gd_batch_expanded(c, b, wide) : NULL;
    c->mode = mode;
    a->nout = 2;
    a->out[0] = sides ? gd_columns_of(c, sides) : NULL;
    a->out[1] = a->out[0] ? gd_columns_of(c, wide) : NULL;
    if (!a->out[1]) return gd_failed(c);
    return triangular(c, a->out[1], a->out[0], true, upper, transposed, unit);
}

/* ---- systems with given factors ----------------------------------------------------------------------------- */

static gd_code check_factors(gd_ctx *c, const gd_tensor *lu, const gd_tensor *pivots, const gd_tensor *b, bool left) {
    const char *what = "torch.linalg.lu_solve";
    gd_code code = gd_check_floating(c, lu, what);
    if (code) return code;
    if (lu->dtype != b->dtype)
        return gd_fail(c, GD_E_DTYPE,
                       "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type %s "
                       "and B of type %s instead",
                       gd_dtype_scalar_name((gd_dtype)lu->dtype), gd_dtype_scalar_name((gd_dtype)b->dtype));
    if (pivots->dtype != GD_INT32)
        return gd_fail(c, GD_E_DTYPE, "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32");
    code = gd_check_square(c, lu, what, "LU");
    if (!code) code = gd_check_matrix(c, b, what, "B");
    if (code) return code;
    if ((left ? gd_rows(b) : gd_columns(b)) != gd_rows(lu))
        return gd_fail(c, GD_E_SHAPE,
                       "linalg.lu_solve: Incompatible shapes of A and B for the equation %s (%lldx%lld and "
                       "%lldx%lld)",
                       left ? "AX = B" : "XA = B", (long long)gd_rows(lu), (long long)gd_columns(lu),
                       (long long)gd_rows(b), (long long)gd_columns(b));
    if (pivots->ndim < 1 || pivots->sizes[pivots->ndim - 1] != gd_rows(lu))
        return gd_fail(c, GD_E_SHAPE,
                       "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix");
    if (pivots->ndim == lu->ndim - 1 && memcmp(pivots->sizes, lu->sizes, (size_t)pivots->ndim * sizeof *lu->sizes) == 0)
        return GD_OK;
    return gd_fail(c, GD_E_SHAPE,
                   "linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got "
                   "pivots with another shape instead");
}

/* A row exchange beyond the matrix would be written outside of it. */
static gd_code check_exchanges(gd_ctx *c, const gd_tensor *pivots, int64_t n) {
    const int32_t *p = (const int32_t *)pivots->data;
    for (int64_t i = 0; i < pivots->numel; i++)
        if (p[i] < 1 || p[i] > n)
            return gd_fail(c, GD_E_VALUE,
                           "linalg.lu_solve: pivots must be between 1 and LU.size(-2) inclusive. Did you properly pass "
                           "the result of lu_factor?");
    return GD_OK;
}

gd_code gd_fw_linalg_lu_solve(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *lu = arg_tensor(a, 0), *pivots = arg_tensor(a, 1), *b = arg_tensor(a, 2), *x = NULL;
    bool left = a->args[3].u.boolean, adjoint = a->args[4].u.boolean;
    gd_code code = check_factors(c, lu, pivots, b, left);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *wide = gd_batch_expanded(c, lu, b), *sides = wide ? gd_batch_expanded(c, b, wide) : NULL;
    gd_tensor *columns = gx_unsqueeze(c, pivots, -1);
    gd_tensor *exchanges = columns && wide ? gd_batch_expanded(c, columns, wide) : NULL;
    c->mode = mode;
    if (!exchanges) return gd_failed(c);
    gd_tensor *factors = gd_columns_of(c, wide), *dense = factors ? gd_as_contiguous(c, exchanges) : NULL;
    code = dense ? check_exchanges(c, dense, gd_rows(lu)) : gd_failed(c);
    if (!code && !(x = solved(c, factors, dense, sides, left, adjoint))) code = gd_failed(c);
    gd_release(dense);
    gd_release(factors);
    return code ? code : give(a, x);
}

gd_code gd_fw_lu_solve(gd_apply *a) {
    return give(
        a, DO(a->ctx, linalg_lu_solve, a->args[1], a->args[2], a->args[0], GD_BOOL_VALUE(true), GD_BOOL_VALUE(false)));
}
