/* factor.c: triangular factors of matrices, by LAPACK: Cholesky, LU and LDL. Derivatives are in factor_rules.c. */
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/matrices.h"

static size_t bytes_of(const gd_tensor *t) { return gd_dtype_bytes((gd_dtype)t->dtype); }

/* ---- Cholesky --------------------------------------------------------------------------------------------- */

/* Zeroes what lies above (or below) the diagonal of an n by n matrix in column order. */
static void clear_triangle(char *p, int64_t n, size_t bytes, bool above) {
    for (int64_t j = 0; j < n; j++) {
        int64_t from = above ? 0 : j + 1, to = above ? j : n;
        if (to > from) memset(p + (size_t)(j * n + from) * bytes, 0, (size_t)(to - from) * bytes);
    }
}

/* New: the factors, and info. */
static gd_code cholesky(gd_ctx *c, gd_tensor *t, bool upper, gd_tensor **out, gd_tensor **info) {
    const gd_lapack *lapack;
    gd_code code = gd_need_lapack(c, &lapack);
    if (!code) code = gd_check_lapack_sizes(c, gd_rows(t), gd_rows(t));
    if (code) return code;
    *out = gd_columns_of(c, t);
    *info = *out ? gd_batch_new(c, GD_INT32, t, -1) : NULL;
    if (!*info) return gd_failed(c);
    int n = (int)gd_rows(t), ld = gd_leading(n);
    int64_t count = gd_matrix_count(t);
    for (int64_t i = 0; i < count && n; i++) {
        char *p = gd_matrix_at(*out, i);
        lapack->potrf[gd_real_of(t)](upper ? "U" : "L", &n, p, &ld, &((int *)(*info)->data)[i], 1);
        clear_triangle(p, n, bytes_of(t), !upper);
    }
    return GD_OK;
}

gd_code gd_fw_cholesky_ex(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_code code = gd_check_square_float(c, arg_tensor(a, 0), "linalg.cholesky");
    a->nout = 2;
    if (!code) code = cholesky(c, arg_tensor(a, 0), a->args[1].u.boolean, &a->out[0], &a->out[1]);
    return code || !a->args[2].u.boolean ? code : gd_check_info(c, a->out[1], "linalg.cholesky_ex");
}

gd_code gd_fw_linalg_cholesky(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[2];
    gd_code code = gd_pooled_outputs(c, GD_OP_cholesky_ex, a->args, 2, all, 2);
    if (!code) code = gd_check_info(c, all[1], "linalg.cholesky");
    return code ? code : give_shared(a, all[0]);
}

gd_code gd_fw_cholesky(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *info = NULL;
    gd_code code = gd_check_square_float(c, arg_tensor(a, 0), "cholesky");
    a->nout = 1;
    if (!code) code = cholesky(c, arg_tensor(a, 0), a->args[1].u.boolean, &a->out[0], &info);
    if (!code) code = gd_check_info(c, info, "cholesky");
    gd_release(info);
    return code;
}

/* Copies one triangle of an n by n matrix onto the other. */
static void mirror(char *p, int64_t n, size_t bytes, bool upper) {
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < j; i++) {
            char *above = p + (size_t)(j * n + i) * bytes, *below = p + (size_t)(i * n + j) * bytes;
            memcpy(upper ? below : above, upper ? above : below, bytes);
        }
}

gd_code gd_fw_cholesky_inverse(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    const gd_lapack *lapack;
    bool upper = a->args[1].u.boolean;
    gd_code code = gd_check_square_float(c, t, "cholesky_inverse");
    if (!code) code = gd_check_lapack_sizes(c, gd_rows(t), gd_rows(t));
    if (!code) code = gd_need_lapack(c, &lapack);
    if (code) return code;
    gd_tensor *out = gd_columns_of(c, t);
    if (!out) return gd_failed(c);
    int n = (int)gd_rows(t), ld = gd_leading(n), info = 0;
    int64_t count = gd_matrix_count(t);
    for (int64_t i = 0; i < count && n && !code; i++) {
        char *p = gd_matrix_at(out, i);
        lapack->potri[gd_real_of(t)](upper ? "U" : "L", &n, p, &ld, &info, 1);
        if (info)
            code = gd_fail(c, GD_E_RUNTIME,
                           "cholesky_inverse: The diagonal element %d is zero, the inversion could not be completed "
                           "because the input matrix is singular.",
                           info);
        mirror(p, n, bytes_of(t), upper);
    }
    if (!code) return give(a, out);
    gd_release(out);
    return code;
}

static gd_code check_cholesky_solve(gd_ctx *c, const gd_tensor *b, const gd_tensor *t) {
    if (b->ndim < 2)
        return gd_fail(c, GD_E_SHAPE, "b should have at least 2 dimensions, but has %d dimensions instead", b->ndim);
    if (t->ndim < 2)
        return gd_fail(c, GD_E_SHAPE, "u should have at least 2 dimensions, but has %d dimensions instead", t->ndim);
    if (b->dtype != t->dtype)
        return gd_fail(c, GD_E_DTYPE,
                       "Expected b and A to have the same dtype, but found b of type %s and A of type %s instead",
                       gd_dtype_scalar_name((gd_dtype)b->dtype), gd_dtype_scalar_name((gd_dtype)t->dtype));
    if (gd_rows(t) != gd_columns(t))
        return gd_fail(c, GD_E_SHAPE, "A must be batches of square matrices, but they are %lld by %lld matrices",
                       (long long)gd_rows(t), (long long)gd_columns(t));
    if (gd_rows(b) != gd_rows(t))
        return gd_fail(
            c, GD_E_SHAPE,
            "Incompatible matrix sizes for cholesky_solve: each A matrix is %lld by %lld but each b matrix is "
            "%lld by %lld",
            (long long)gd_rows(t), (long long)gd_rows(t), (long long)gd_rows(b), (long long)gd_columns(b));
    gd_code code = gd_check_floating(c, t, "cholesky_solve");
    return code ? code : gd_check_lapack_sizes(c, gd_rows(b), gd_columns(b));
}

gd_code gd_fw_cholesky_solve(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *b = arg_tensor(a, 0), *t = arg_tensor(a, 1);
    const gd_lapack *lapack;
    gd_code code = check_cholesky_solve(c, b, t);
    if (!code) code = gd_need_lapack(c, &lapack);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *wide = gd_batch_expanded(c, t, b), *sides = wide ? gd_batch_expanded(c, b, wide) : NULL;
    c->mode = mode;
    gd_tensor *factors = sides ? gd_columns_of(c, wide) : NULL, *x = factors ? gd_columns_of(c, sides) : NULL;
    int n = (int)gd_rows(b), k = (int)gd_columns(b), ld = gd_leading(n), info = 0;
    int64_t count = x && x->numel ? gd_matrix_count(x) : 0;
    for (int64_t i = 0; i < count; i++)
        lapack->potrs[gd_real_of(b)](a->args[2].u.boolean ? "U" : "L", &n, &k, gd_matrix_at(factors, i), &ld,
                                     gd_matrix_at(x, i), &ld, &info, 1);
    gd_release(factors);
    return give(a, x);
}

/* ---- LU --------------------------------------------------------------------------------------------------- */

static gd_code check_lu(gd_ctx *c, const gd_tensor *t, bool pivot, const char *what) {
    gd_code code = gd_check_matrix(c, t, what, "A");
    if (!code) code = gd_check_floating(c, t, what);
    if (!code) code = gd_check_lapack_sizes(c, gd_rows(t), gd_columns(t));
    if (code || pivot) return code;
    return gd_fail(c, GD_E_RUNTIME, "%s: LU without pivoting is not implemented on the CPU", "linalg.lu_factor");
}

/* Both outputs new; info is int32 of the batch's shape. */
static gd_code lu_factors(gd_ctx *c, gd_tensor *t, gd_tensor **lu, gd_tensor **pivots, gd_tensor *info) {
    const gd_lapack *lapack;
    int64_t least = gd_least(gd_rows(t), gd_columns(t)), count = gd_matrix_count(t);
    gd_code code = gd_need_lapack(c, &lapack);
    if (code) return code;
    *lu = gd_columns_of(c, t);
    *pivots = *lu ? gd_batch_new(c, GD_INT32, t, least) : NULL;
    if (!*pivots) return gd_failed(c);
    int m = (int)gd_rows(t), n = (int)gd_columns(t), ld = gd_leading(m), failed = 0;
    for (int64_t i = 0; i < count && least; i++) {
        lapack->getrf[gd_real_of(t)](&m, &n, gd_matrix_at(*lu, i), &ld, (int *)(void *)gd_vector_at(*pivots, i, least),
                                     &failed);
        if (info) ((int32_t *)info->data)[i] = failed;
    }
    return GD_OK;
}

gd_code gd_fw_lu_factor_ex(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    gd_code code = check_lu(c, t, a->args[1].u.boolean, "torch.lu_factor");
    a->nout = 3;
    if (!code && !(a->out[2] = gd_batch_new(c, GD_INT32, t, -1))) code = gd_failed(c);
    if (!code) code = lu_factors(c, t, &a->out[0], &a->out[1], a->out[2]);
    return code || !a->args[2].u.boolean ? code : gd_check_info(c, a->out[2], "torch.linalg.lu_factor_ex");
}

static gd_code give_factors(gd_apply *a, const char *checked, int n) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[3];
    gd_code code = gd_pooled_outputs(c, GD_OP_lu_factor_ex, a->args, 2, all, 3);
    if (!code && checked) code = gd_check_info(c, all[2], checked);
    if (!code) code = gd_apply_reserve(a, n);
    for (int i = 0; i < n && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

gd_code gd_fw_lu_factor(gd_apply *a) { return give_factors(a, "torch.linalg.lu_factor", 2); }

gd_code gd_fw_lu(gd_apply *a) {
    bool infos = a->args[2].u.boolean;
    return give_factors(a, infos ? NULL : "torch.linalg.lu_factor_ex", infos ? 3 : 2);
}

/* Row r of P L U is row order[r] of L U: P has its ones at (row of A, row of L U). */
static gd_code put_permutation(gd_ctx *c, gd_tensor *p, int64_t i, const int32_t *exchanges, int64_t n) {
    int64_t m = gd_rows(p), need = m > 0 ? m : 1;
    gd_tensor *order = gd_workspace(c, GD_INT64, need);
    if (!order) return gd_failed(c);
    int64_t *at = (int64_t *)order->data;
    for (int64_t k = 0; k < m; k++) at[k] = k;
    for (int64_t k = 0; k < n; k++) {
        int64_t other = exchanges[k] - 1, kept = at[k];
        if (other < 0 || other >= m)
            return gd_fail(c, GD_E_VALUE,
                           "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
                           "Did you properly pass the result of lu_factor?");
        at[k] = at[other];
        at[other] = kept;
    }
    char *out = gd_matrix_at(p, i);
    for (int64_t k = 0; k < m; k++) gd_store_f64((gd_dtype)p->dtype, out + (size_t)(at[k] * m + k) * bytes_of(p), 1);
    return GD_OK;
}

/* New, pooled: the permutation matrices, in the dtype of lu. */
static gd_tensor *permutations(gd_ctx *c, gd_tensor *lu, gd_tensor *pivots) {
    int64_t sizes[GD_MAX_DIMS], n = gd_least(gd_rows(lu), gd_columns(lu)), count = gd_matrix_count(lu);
    memcpy(sizes, lu->sizes, (size_t)lu->ndim * sizeof *sizes);
    sizes[lu->ndim - 1] = sizes[lu->ndim - 2];
    gd_tensor *p = gd_pool_add(c, gd_zeros(c, (gd_dtype)lu->dtype, lu->ndim, sizes));
    gd_tensor *dense = p ? gd_pool_add(c, gd_as_contiguous(c, pivots)) : NULL;
    if (!dense) return NULL;
    for (int64_t i = 0; i < count && gd_rows(lu); i++)
        if (put_permutation(c, p, i, (const int32_t *)(const void *)gd_vector_at(dense, i, n), n)) return NULL;
    return p;
}

/* L and U of factors in one, pooled. */
static bool triangles(gd_ctx *c, gd_tensor *lu, gd_tensor **l, gd_tensor **u) {
    int64_t m = gd_rows(lu), n = gd_columns(lu), k = gd_least(m, n);
    gd_tensor *left = m >= n ? lu : gx_narrow(c, lu, -1, 0, k), *right = m <= n ? lu : gx_narrow(c, lu, -2, 0, k);
    gd_tensor *ones = GX(c, eye, I_(m), I_(k), GD_DTYPE_VALUE((gd_dtype)lu->dtype));
    *l = gx_add(c, gx_tril(c, left, -1), ones);
    *u = gx_triu(c, right, 0);
    return *l && *u;
}

static gd_code check_unpack(gd_ctx *c, const gd_tensor *lu, const gd_tensor *pivots, bool exchanges) {
    gd_code code = gd_check_matrix(c, lu, "torch.lu_unpack", "LU_data");
    if (!code) code = gd_check_floating(c, lu, "torch.lu_unpack");
    if (code || !exchanges) return code;
    if (pivots->dtype != GD_INT32)
        return gd_fail(c, GD_E_DTYPE,
                       "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
                       "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor");
    bool fits = pivots->ndim == lu->ndim - 1 &&
                pivots->sizes[pivots->ndim - 1] == gd_least(gd_rows(lu), gd_columns(lu)) &&
                (lu->ndim == 2 || memcmp(pivots->sizes, lu->sizes, (size_t)(lu->ndim - 2) * sizeof *lu->sizes) == 0);
    return fits ? GD_OK
                : gd_fail(c, GD_E_SHAPE, "torch.lu_unpack: LU_pivots do not have the shape that LU_data asks for");
}

gd_code gd_fw__lu_unpack(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *lu = arg_tensor(a, 0), *all[3] = {NULL, NULL, NULL};
    const int64_t none[] = {0};
    bool data = a->args[2].u.boolean, exchanges = a->args[3].u.boolean;
    gd_code code = check_unpack(c, lu, arg_tensor(a, 1), exchanges);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    if (exchanges) all[0] = permutations(c, lu, arg_tensor(a, 1));
    if (data) (void)triangles(c, lu, &all[1], &all[2]);
    for (int i = 0; i < 3; i++)
        if (i == 0 ? !exchanges : !data) all[i] = gd_pool_add(c, gd_zeros(c, (gd_dtype)lu->dtype, 1, none));
    c->mode = mode;
    code = gd_apply_reserve(a, 3);
    for (int i = 0; i < 3 && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

gd_code gd_fw__linalg_lu(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *lu = NULL, *pivots = NULL, *all[3] = {NULL, NULL, NULL};
    gd_code code = check_lu(c, t, a->args[1].u.boolean, "linalg.lu");
    if (!code) code = lu_factors(c, t, &lu, &pivots, NULL);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    if (!code) all[0] = permutations(c, lu, pivots);
    if (!code) (void)triangles(c, lu, &all[1], &all[2]);
    c->mode = mode;
    gd_release(lu);
    gd_release(pivots);
    if (!code) code = gd_apply_reserve(a, 3);
    for (int i = 0; i < 3 && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

/* The permutation has no gradient; other outputs do. */
static gd_code give_three(gd_apply *a, gd_op_id id, int nargs) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[3];
    gd_code code = gd_pooled_outputs(c, id, a->args, nargs, all, 3);
    if (!code && all[0]->grad_fn) all[0] = GX(c, detach, T_(all[0]));
    if (!code) code = gd_apply_reserve(a, 3);
    for (int i = 0; i < 3 && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

gd_code gd_fw_linalg_lu(gd_apply *a) { return give_three(a, GD_OP__linalg_lu, 2); }
gd_code gd_fw_lu_unpack(gd_apply *a) { return give_three(a, GD_OP__lu_unpack, 4); }

/* ---- LDL -------------------------------------------------------------------------------------------------- */

gd_code gd_fw_ldl_factor_ex(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0), **out = a->out;
    const gd_lapack *lapack;
    gd_code code = gd_check_square_float(c, t, "torch.linalg.ldl_factor_ex");
    if (!code) code = gd_check_square_work(c, gd_rows(t), gd_rows(t));
    if (!code) code = gd_need_lapack(c, &lapack);
    if (code) return code;
    a->nout = 3;
    out[0] = gd_columns_of(c, t);
    out[1] = out[0] ? gd_batch_new(c, GD_INT32, t, gd_rows(t)) : NULL;
    out[2] = out[1] ? gd_batch_new(c, GD_INT32, t, -1) : NULL;
    int n = (int)gd_rows(t), ld = gd_leading(n), size = (n > 0 ? n : 1) * 64;
    gd_tensor *work = out[2] ? gd_workspace(c, (gd_dtype)t->dtype, size) : NULL;
    if (!work) return gd_failed(c);
    int64_t count = gd_matrix_count(t);
    for (int64_t i = 0; i < count && n; i++) {
        lapack->sytrf[gd_real_of(t)]("L", &n, gd_matrix_at(out[0], i), &ld, (int *)(void *)gd_vector_at(out[1], i, n),
                                     work->data, &size, &((int *)out[2]->data)[i], 1);
        clear_triangle(gd_matrix_at(out[0], i), n, bytes_of(t), true);
    }
    return a->args[2].u.boolean ? gd_check_info(c, out[2], "torch.linalg.ldl_factor_ex") : GD_OK;
}

gd_code gd_fw_ldl_factor(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[3];
    gd_code code = gd_pooled_outputs(c, GD_OP_ldl_factor_ex, a->args, 2, all, 3);
    if (!code) code = gd_apply_reserve(a, 2);
    for (int i = 0; i < 2 && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

static gd_code check_ldl(gd_ctx *c, const gd_tensor *ld, const gd_tensor *pivots, const gd_tensor *b) {
    const char *what = "torch.linalg.ldl_solve";
    gd_code code = gd_check_matrix(c, b, what, "B");
    if (!code) code = gd_check_square(c, ld, what, "LD");
    if (!code) code = gd_check_floating(c, ld, what);
    if (code) return code;
    if (gd_rows(b) != gd_rows(ld))
        return gd_fail(c, GD_E_SHAPE, "%s: Expected B to have the same number of rows as LD", what);
    if (pivots->dtype != GD_INT32) return gd_fail(c, GD_E_DTYPE, "%s: Expected pivots to be integers of 32 bits", what);
    if (pivots->ndim != ld->ndim - 1 || memcmp(pivots->sizes, ld->sizes, (size_t)pivots->ndim * sizeof *ld->sizes) != 0)
        return gd_fail(c, GD_E_SHAPE, "%s: Expected LD.shape[:-1] and pivots.shape to be the same", what);
    if (ld->dtype != b->dtype) return gd_fail(c, GD_E_DTYPE, "%s: Expected LD and B to have the same dtype", what);
    return gd_check_lapack_sizes(c, gd_rows(b), gd_columns(b));
}

/* Are the row exchanges those of a factorisation: positive, or twice the same negative number, within the matrix? */
static bool good_ldl_pivots(const int32_t *p, int64_t n) {
    for (int64_t k = 0; k < n; k++) {
        if (p[k] == 0 || p[k] > n || p[k] < -n) return false;
        if (p[k] > 0) continue;
        if (k + 1 >= n || p[k + 1] != p[k]) return false;
        k++;
    }
    return true;
}

gd_code gd_fw_ldl_solve(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *ld = arg_tensor(a, 0), *pivots = arg_tensor(a, 1), *b = arg_tensor(a, 2);
    const gd_lapack *lapack;
    gd_code code = check_ldl(c, ld, pivots, b);
    if (!code) code = gd_need_lapack(c, &lapack);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *wide = gd_batch_expanded(c, ld, b), *sides = wide ? gd_batch_expanded(c, b, wide) : NULL;
    gd_tensor *columns = wide ? gx_unsqueeze(c, pivots, -1) : NULL;
    gd_tensor *spread = columns ? gd_batch_expanded(c, columns, wide) : NULL;
    gd_tensor *dense = sides && spread ? gd_pool_add(c, gd_as_contiguous(c, spread)) : NULL;
    gd_tensor *factors = dense ? gd_pool_add(c, gd_columns_of(c, wide)) : NULL;
    gd_tensor *x = factors ? gd_columns_of(c, sides) : NULL;
    c->mode = mode;
    int64_t count = x && x->numel ? gd_matrix_count(x) : 0;
    int n = (int)gd_rows(b), k = (int)gd_columns(b), lead = gd_leading(n), info = 0;
    for (int64_t i = 0; i < count && !code; i++) {
        const int32_t *p = (const int32_t *)(const void *)gd_vector_at(dense, i, n);
        if (!good_ldl_pivots(p, n))
            code = gd_fail(c, GD_E_VALUE, "torch.linalg.ldl_solve: pivots are not those of linalg.ldl_factor");
        else
            lapack->sytrs[gd_real_of(b)]("L", &n, &k, gd_matrix_at(factors, i), &lead, p, gd_matrix_at(x, i), &lead,
                                         &info, 1);
    }
    if (!code) return give(a, x);
    gd_release(x);
    return code;
}
