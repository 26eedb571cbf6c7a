/* matrices.c: checks, and batches of matrices as LAPACK reads them; see matrices.h. */
#include "core/ops/matrices.h"
#include "core/plan/trace.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

gd_code gd_need_lapack(gd_ctx *c, const gd_lapack **out) {
    *out = gd_lapack_get();
    if (*out) return GD_OK;
    return gd_fail(c, GD_E_NOT_IMPLEMENTED,
                   "this op needs LAPACK (Debian's libopenblas0-serial), which could not be loaded");
}

/* ---- checks ----------------------------------------------------------------------------------------------- */

gd_code gd_check_floating(gd_ctx *c, const gd_tensor *t, const char *what) {
    if (gd_dtype_is_float((gd_dtype)t->dtype)) return GD_OK;
    return gd_fail(c, GD_E_DTYPE, "%s: Expected a floating point or complex tensor as input. Got %s", what,
                   gd_dtype_scalar_name((gd_dtype)t->dtype));
}

gd_code gd_check_matrix(gd_ctx *c, const gd_tensor *t, const char *what, const char *name) {
    if (t->ndim >= 2) return GD_OK;
    return gd_fail(c, GD_E_SHAPE, "%s: The input tensor %s must have at least 2 dimensions.", what, name);
}

gd_code gd_check_square(gd_ctx *c, const gd_tensor *t, const char *what, const char *name) {
    gd_code code = gd_check_matrix(c, t, what, name);
    if (code || gd_rows(t) == gd_columns(t)) return code;
    return gd_fail(c, GD_E_SHAPE, "%s: %s must be batches of square matrices, but they are %lld by %lld matrices", what,
                   name, (long long)gd_rows(t), (long long)gd_columns(t));
}

gd_code gd_check_square_float(gd_ctx *c, const gd_tensor *t, const char *what) {
    gd_code code = gd_check_square(c, t, what, "A");
    return code ? code : gd_check_floating(c, t, what);
}

gd_code gd_check_same_dtype(gd_ctx *c, const gd_tensor *a, const gd_tensor *b, const char *what) {
    if (a->dtype == b->dtype) return GD_OK;
    return gd_fail(c, GD_E_DTYPE,
                   "%s: Expected A and B to have the same dtype, but found A of type %s and B of type %s instead", what,
                   gd_dtype_scalar_name((gd_dtype)a->dtype), gd_dtype_scalar_name((gd_dtype)b->dtype));
}

gd_code gd_check_lapack_sizes(gd_ctx *c, int64_t m, int64_t n) {
    if (m <= 8000000 && n <= 8000000) return GD_OK;
    return gd_fail(c, GD_E_TOO_LARGE, "matrices of %lld by %lld are too large for LAPACK", (long long)m, (long long)n);
}

gd_code gd_check_square_work(gd_ctx *c, int64_t m, int64_t n) {
    gd_code code = gd_check_lapack_sizes(c, m, n);
    if (code || gd_least(m, n) <= 20000) return code;
    return gd_fail(c, GD_E_TOO_LARGE, "matrices of %lld by %lld are too large for LAPACK", (long long)m, (long long)n);
}

/* ---- batches ---------------------------------------------------------------------------------------------- */

int64_t gd_matrix_count(const gd_tensor *t) {
    int64_t n = 1;
    for (int d = 0; d < t->ndim - 2; d++)
        if (!gd_mul_i64(n, t->sizes[d], &n)) return 0;
    return n;
}

gd_code gd_turn(gd_ctx *c, gd_tensor *t) {
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int n = t->ndim;
    memcpy(sizes, t->sizes, (size_t)n * sizeof *sizes);
    memcpy(strides, GD_STRIDES(t), (size_t)n * sizeof *strides);
    sizes[n - 2] = t->sizes[n - 1];
    sizes[n - 1] = t->sizes[n - 2];
    strides[n - 2] = GD_STRIDES(t)[n - 1];
    strides[n - 1] = GD_STRIDES(t)[n - 2];
    return gd_set_geometry(c, t, n, sizes, strides, gd_offset(t));
}

gd_tensor *gd_columns_new(gd_ctx *c, const gd_tensor *like, int64_t m, int64_t n) {
    int64_t sizes[GD_MAX_DIMS];
    int ndim = like->ndim;
    if (ndim > 2) memcpy(sizes, like->sizes, (size_t)(ndim - 2) * sizeof *sizes);
    sizes[ndim - 2] = n;
    sizes[ndim - 1] = m;
    gd_tensor *t = gd_empty(c, (gd_dtype)like->dtype, ndim, sizes);
    if (!t || !gd_turn(c, t)) return t;
    gd_release(t);
    return NULL;
}

gd_tensor *gd_columns_of(gd_ctx *c, const gd_tensor *t) {
    gd_tensor *out = gd_columns_new(c, t, gd_rows(t), gd_columns(t));
    if (out) gd_copy_values(out, t);
    return out;
}

gd_tensor *gd_columns_transposed(gd_ctx *c, const gd_tensor *t) {
    gd_tensor *out = gd_empty_like(c, t, (gd_dtype)t->dtype);
    if (!out) return NULL;
    gd_copy_values(out, t);
    if (!gd_turn(c, out)) return out;
    gd_release(out);
    return NULL;
}

gd_tensor *gd_batch_new(gd_ctx *c, gd_dtype dtype, const gd_tensor *like, int64_t n) {
    int64_t sizes[GD_MAX_DIMS];
    int ndim = like->ndim - 2;
    if (ndim > 0) memcpy(sizes, like->sizes, (size_t)ndim * sizeof *sizes);
    if (n >= 0) sizes[ndim++] = n;
    return gd_zeros(c, dtype, ndim, sizes);
}

gd_tensor *gd_batch_expanded(gd_ctx *c, gd_tensor *t, const gd_tensor *a) {
    int64_t sizes[GD_MAX_DIMS + 2];
    int n = 0;
    if (!t) return NULL;
    if (gd_broadcast_shape(c, t->ndim - 2, t->sizes, a->ndim - 2, a->sizes, sizes, &n)) return NULL;
    sizes[n] = gd_rows(t);
    sizes[n + 1] = gd_columns(t);
    return GX(c, expand, T_(t), IS_(sizes, n + 2));
}

gd_tensor *gd_workspace(gd_ctx *c, gd_dtype dtype, int64_t n) {
    const int64_t size = n > 1 ? n : 1;
    return gd_pool_add(c, gd_empty(c, dtype, 1, &size));
}

int gd_queried(const gd_tensor *like, const void *answer) {
    double n = like->dtype == GD_FLOAT64 ? *(const double *)answer : (double)*(const float *)answer * (1 + 1e-6);
    return n < 1 ? 1 : n >= (double)INT_MAX - 1 ? INT_MAX : (int)ceil(n);
}

bool gd_all_finite(const gd_tensor *dense) {
    double sum = 0;
    for (int64_t i = 0; i < dense->numel; i++) {
        double v = dense->dtype == GD_FLOAT64 ? ((const double *)(const void *)dense->data)[i]
                                              : (double)((const float *)(const void *)dense->data)[i];
        sum += v - v; /* 0, or NaN */
    }
    return sum == 0;
}

/* ---- errors that the routines report ------------------------------------------------------------------------ */

static gd_code fail_info(gd_ctx *c, const char *what, const char *batch, int info) {
    if (strstr(what, "inv"))
        return gd_fail(c, GD_E_RUNTIME,
                       "%s: %sThe diagonal element %d is zero, the inversion could not be completed because the input "
                       "matrix is singular.",
                       what, batch, info);
    if (strstr(what, "lu_factor"))
        return gd_fail(c, GD_E_RUNTIME,
                       "%s: %sU[%d,%d] is zero and using it on lu_solve would result in a division by zero. If you "
                       "still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
                       "linalg.lu_factor_ex(A, pivot)",
                       what, batch, info, info);
    if (strstr(what, "solve"))
        return gd_fail(c, GD_E_RUNTIME, "%s: %sThe solver failed because the input matrix is singular.", what, batch);
    if (strstr(what, "cholesky"))
        return gd_fail(c, GD_E_RUNTIME,
                       "%s: %sThe factorization could not be completed because the input is not positive-definite (the "
                       "leading minor of order %d is not positive-definite).",
                       what, batch, info);
    if (strstr(what, "svd") && info < 0)
        return gd_fail(c, GD_E_RUNTIME,
                       "%s: %sThe algorithm failed to converge because the input matrix contained non-finite values.",
                       what, batch);
    return gd_fail(c, GD_E_RUNTIME,
                   "%s: %sThe algorithm failed to converge because the input matrix is ill-conditioned or has too many "
                   "repeated %s values (error code: %d).",
                   what, batch, strstr(what, "svd") ? "singular" : "eigen", info);
}

gd_code gd_check_info(gd_ctx *c, const gd_tensor *info, const char *what) {
    gd_trace_expect(c, info);
    const int32_t *v = (const int32_t *)info->data;
    char batch[64] = "";
    for (int64_t i = 0; i < info->numel; i++) {
        if (v[i] == 0) continue;
        if (info->ndim) snprintf(batch, sizeof batch, "(Batch element %lld): ", (long long)i);
        return fail_info(c, what, batch, v[i]);
    }
    return GD_OK;
}

gd_code gd_pooled_outputs(gd_ctx *c, gd_op_id id, const gd_value *args, int nargs, gd_tensor **out, int n) {
    gd_result result = {0};
    for (int i = 0; i < nargs; i++)
        if (args[i].kind == GD_V_TENSOR && !args[i].u.tensor) return gd_failed(c);
    gd_code code = gd_do_all(c, id, args, nargs, &result);
    for (int i = 0; i < n && !code; i++) {
        out[i] = gd_pool_add(c, gd_retain(result.outputs[i]));
        if (!out[i]) code = gd_failed(c);
    }
    gd_result_clear(&result);
    return code;
}
