/* lstsq.c: least squares by LAPACK's drivers; the row is in spectral.def, its derivative in spectral_rules.c. */
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/matrices.h"

typedef enum driver { GELS, GELSY, GELSD, GELSS } driver;

typedef struct lstsq_job {
    const gd_lapack *lapack;
    gd_tensor *a, *b, *s, *rank, *pivots, *integers, *work; /* a and b are overwritten; s, rank: some drivers only */
    driver driver;
    double rcond;
    int m, n, k, sides, size;
} lstsq_job;

static int solve_one(const lstsq_job *j, int64_t i, void *work, int size, int *integers) {
    int info = 0, rank = 0, lda = gd_leading(j->m), ldb = gd_leading(gd_rows(j->b)), real = gd_real_of(j->a);
    int *pivots = (int *)j->pivots->data;
    void *a = gd_matrix_at(j->a, i), *b = gd_matrix_at(j->b, i), *s = j->s ? gd_vector_at(j->s, i, j->k) : NULL;
    float small = (float)j->rcond;
    const void *rcond = real ? (const void *)&j->rcond : (const void *)&small;
    if (j->driver == GELSY) memset(pivots, 0, (size_t)j->n * sizeof *pivots);
    switch (j->driver) {
    case GELS: j->lapack->gels[real]("N", &j->m, &j->n, &j->sides, a, &lda, b, &ldb, work, &size, &info, 1); break;
    case GELSY:
        j->lapack->gelsy[real](&j->m, &j->n, &j->sides, a, &lda, b, &ldb, pivots, rcond, &rank, work, &size, &info);
        break;
    case GELSD:
        j->lapack->gelsd[real](&j->m, &j->n, &j->sides, a, &lda, b, &ldb, s, rcond, &rank, work, &size, integers,
                               &info);
        break;
    case GELSS:
        j->lapack->gelss[real](&j->m, &j->n, &j->sides, a, &lda, b, &ldb, s, rcond, &rank, work, &size, &info);
        break;
    }
    if (size >= 0 && j->rank) ((int64_t *)j->rank->data)[i] = rank;
    return info;
}

static gd_code run(gd_ctx *c, lstsq_job *j) {
    double answer = 0;
    int isize = 1;
    int64_t count = gd_matrix_count(j->a);
    if (count == 0 || j->k == 0 || j->sides == 0) return GD_OK;
    if (!gd_all_finite(j->a) || !gd_all_finite(j->b))
        return gd_fail(c, GD_E_RUNTIME, "torch.linalg.lstsq: The input contains non-finite values.");
    (void)solve_one(j, 0, &answer, -1, &isize);
    j->size = gd_queried(j->a, &answer);
    j->work = gd_workspace(c, (gd_dtype)j->a->dtype, j->size);
    j->integers = gd_workspace(c, GD_INT32, isize);
    if (!j->work || !j->integers) return gd_failed(c);
    for (int64_t i = 0; i < count; i++) {
        int info = solve_one(j, i, j->work->data, j->size, (int *)j->integers->data);
        if (info > 0)
            return gd_fail(c, GD_E_RUNTIME,
                           "torch.linalg.lstsq: (Batch element %lld): The least squares solution could not be computed "
                           "because the input matrix does not have full rank (error code: %d).",
                           (long long)i, info);
    }
    return GD_OK;
}

static gd_code read_driver(gd_ctx *c, const gd_value *v, driver *out) {
    static const char *const names[] = {"gels", "gelsy", "gelsd", "gelss"};
    *out = GELSY;
    if (v->kind != GD_V_STR) return GD_OK;
    for (int i = 0; i < 4; i++)
        if (strcmp(v->u.str, names[i]) == 0) return *out = (driver)i, GD_OK;
    return gd_fail(c, GD_E_VALUE,
                   "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)");
}

static bool vector_side(const gd_tensor *a, const gd_tensor *b) {
    return b->ndim == 1 ||
           (b->ndim == a->ndim - 1 && memcmp(a->sizes, b->sizes, (size_t)b->ndim * sizeof *b->sizes) == 0);
}

static gd_code check(gd_ctx *c, const gd_tensor *a, const gd_tensor *b) {
    const char *what = "torch.linalg.lstsq";
    if (a->ndim < 2) return gd_fail(c, GD_E_SHAPE, "%s: input must have at least 2 dimensions.", what);
    if (b->ndim < 1) return gd_fail(c, GD_E_SHAPE, "%s: other must have at least 1 dimension.", what);
    if (a->dtype != b->dtype)
        return gd_fail(
            c, GD_E_DTYPE,
            "%s: Expected input and other to have the same dtype, but got input's dtype %s and other's dtype %s", what,
            gd_dtype_scalar_name((gd_dtype)a->dtype), gd_dtype_scalar_name((gd_dtype)b->dtype));
    int difference = a->ndim - b->ndim;
    if (difference < 0 || difference > 1)
        return gd_fail(c, GD_E_SHAPE,
                       "%s: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1",
                       what);
    bool vector = vector_side(a, b);
    if (!vector && b->ndim < 2) return gd_fail(c, GD_E_SHAPE, "%s: input.size(-2) should match other.size(-1)", what);
    if ((vector ? b->sizes[b->ndim - 1] : gd_rows(b)) != gd_rows(a))
        return gd_fail(c, GD_E_SHAPE, "%s: input.size(-2) should match other.size(%d)", what, vector ? -1 : -2);
    gd_code code = gd_check_floating(c, a, what);
    if (!code) code = gd_check_square_work(c, gd_rows(a), gd_columns(a));
    return code ? code : gd_check_lapack_sizes(c, 1, vector ? 1 : gd_columns(b));
}

/* New, pooled: the sums of the squares of rows n.. of x, for systems of full rank; else empty. */
static gd_tensor *residuals(gd_ctx *c, const lstsq_job *j, bool vector) {
    const int64_t none[] = {0};
    bool full = j->m > j->n && j->driver != GELSY;
    for (int64_t i = 0; full && j->rank && i < j->rank->numel; i++) full = ((const int64_t *)j->rank->data)[i] == j->n;
    if (!full) return gd_pool_add(c, gd_zeros(c, (gd_dtype)j->a->dtype, 1, none));
    gd_tensor *rest = gx_narrow(c, j->b, -2, j->n, j->m - j->n);
    const int64_t dim[] = {-2};
    gd_tensor *sum = GX(c, sum_dim, T_(GX(c, square, T_(rest))), IS_(dim, 1));
    return vector ? GX(c, squeeze_dim, T_(sum), I_(-1)) : sum;
}

/* New, pooled: b, expanded to a's batch, with rows of zeros up to the number of columns of a. */
static gd_tensor *right_sides(gd_ctx *c, gd_tensor *a, gd_tensor *b) {
    int64_t m = gd_rows(a), n = gd_columns(a), rows = m > n ? m : n;
    gd_tensor *sides = gd_batch_expanded(c, b, a);
    gd_tensor *x = sides ? gd_pool_add(c, gd_columns_new(c, sides, rows, gd_columns(sides))) : NULL;
    if (!x) return NULL;
    memset(x->data, 0, (size_t)x->numel * gd_dtype_bytes((gd_dtype)x->dtype));
    gd_tensor *head = gx_narrow(c, x, -2, 0, m);
    if (head) gd_copy_values(head, sides);
    return head ? x : NULL;
}

static gd_code prepare(gd_apply *a, lstsq_job *j, bool vector) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0), *b = arg_tensor(a, 1);
    gd_tensor *wide = gd_batch_expanded(c, t, vector ? gx_unsqueeze(c, b, -1) : b);
    j->b = wide ? right_sides(c, wide, vector ? gx_unsqueeze(c, b, -1) : b) : NULL;
    j->a = j->b ? gd_pool_add(c, gd_columns_of(c, wide)) : NULL;
    if (!j->a) return gd_failed(c);
    j->m = (int)gd_rows(t);
    j->n = (int)gd_columns(t);
    j->k = j->m < j->n ? j->m : j->n;
    j->sides = (int)gd_columns(j->b);
    j->pivots = gd_workspace(c, GD_INT32, j->n);
    bool ranked = j->driver != GELS, valued = j->driver == GELSD || j->driver == GELSS;
    if (ranked) j->rank = gd_pool_add(c, gd_batch_new(c, GD_INT64, wide, -1));
    if (valued) j->s = gd_pool_add(c, gd_batch_new(c, (gd_dtype)t->dtype, wide, j->k));
    return !j->pivots || (ranked && !j->rank) || (valued && !j->s) ? gd_failed(c) : GD_OK;
}

gd_code gd_fw__linalg_lstsq(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *b = arg_tensor(a, 1), *all[4];
    const int64_t none[] = {0};
    lstsq_job j = {0};
    gd_code code = check(c, t, b);
    if (!code) code = read_driver(c, &a->args[3], &j.driver);
    if (!code) code = gd_need_lapack(c, &j.lapack);
    if (code) return code;
    bool vector = vector_side(t, b);
    double epsilon = t->dtype == GD_FLOAT64 ? 2.220446049250313e-16 : 1.1920928955078125e-07;
    int64_t most = gd_rows(t) > gd_columns(t) ? gd_rows(t) : gd_columns(t);
    j.rcond = a->args[2].kind == GD_V_NONE ? epsilon * (double)most : arg_f64(a, 2);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    code = prepare(a, &j, vector);
    if (!code) code = run(c, &j);
    if (!code) {
        all[0] = gx_narrow(c, j.b, -2, 0, j.n);
        if (vector) all[0] = GX(c, squeeze_dim, T_(all[0]), I_(-1));
        all[0] = GX(c, clone, T_(all[0]));
        all[1] = residuals(c, &j, vector);
        all[2] = j.rank ? j.rank : gd_pool_add(c, gd_zeros(c, GD_INT64, 1, none));
        all[3] = j.s ? j.s : gd_pool_add(c, gd_zeros(c, (gd_dtype)t->dtype, 1, none));
    }
    c->mode = mode;
    if (!code) code = gd_apply_reserve(a, 4);
    for (int i = 0; i < 4 && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

/* Only the solution has a gradient. */
gd_code gd_fw_lstsq(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *all[4];
    gd_code code = gd_pooled_outputs(c, GD_OP__linalg_lstsq, a->args, 4, all, 4);
    for (int i = 1; i < 4 && !code; i++)
        if (all[i]->grad_fn) all[i] = GX(c, detach, T_(all[i]));
    if (!code) code = gd_apply_reserve(a, 4);
    for (int i = 0; i < 4 && !code; i++) code = give_one(a, i, all[i]);
    return code;
}
