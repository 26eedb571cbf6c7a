/* spectral.c: singular values and eigenvalues of symmetric matrices, by LAPACK. Derivatives are in spectral_rules.c. */
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/matrices.h"

/* Gives the first n of `all` (pooled). */
static gd_code give_all(gd_apply *a, gd_tensor *const *all, int n) {
    gd_code code = gd_apply_reserve(a, n);
    for (int i = 0; i < n && !code; i++) code = give_one(a, i, all[i]);
    return code;
}

/* Identity matrices. */
static void put_ones(gd_tensor *t) {
    int64_t count = gd_matrix_count(t), m = gd_rows(t), n = gd_least(m, gd_columns(t));
    size_t bytes = gd_dtype_bytes((gd_dtype)t->dtype);
    memset(t->data, 0, (size_t)t->numel * bytes);
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < n; k++)
            gd_store_f64((gd_dtype)t->dtype, gd_matrix_at(t, i) + (size_t)(k * m + k) * bytes, 1);
}

/* ---- singular values ----------------------------------------------------------------------------------------- */

typedef struct svd_job {
    const gd_lapack *lapack;
    gd_tensor *a, *u, *s, *vt, *work, *integers; /* a is overwritten */
    const char *job;
    int m, n, k, size;
} svd_job;

static int svd_one(const svd_job *j, int64_t i, void *work, int size) {
    int info = 0, lda = gd_leading(j->m), ldu = gd_leading(j->m);
    int ldvt = j->vt ? gd_leading(gd_rows(j->vt)) : 1;
    char *u = j->u ? gd_matrix_at(j->u, i) : work, *vt = j->vt ? gd_matrix_at(j->vt, i) : work;
    j->lapack->gesdd[gd_real_of(j->a)](j->job, &j->m, &j->n, gd_matrix_at(j->a, i), &lda, gd_vector_at(j->s, i, j->k),
                                       u, &ldu, vt, &ldvt, work, &size, (int *)j->integers->data, &info, 1);
    return info;
}

/* Is matrix i without NaN and infinity? */
static bool finite_matrix(const gd_tensor *t, int64_t i) {
    gd_tensor one = *t;
    one.data = gd_matrix_at(t, i);
    one.numel = gd_rows(t) * gd_columns(t);
    return gd_all_finite(&one);
}

static gd_code run_svd(gd_ctx *c, svd_job *j, gd_tensor *info) {
    double answer = 0;
    int64_t count = gd_matrix_count(j->a);
    j->integers = gd_workspace(c, GD_INT32, 8 * (int64_t)j->k);
    if (!j->integers) return gd_failed(c);
    if (count == 0) return GD_OK;
    (void)svd_one(j, 0, &answer, -1);
    j->size = gd_queried(j->a, &answer);
    j->work = gd_workspace(c, (gd_dtype)j->a->dtype, j->size);
    if (!j->work) return gd_failed(c);
    for (int64_t i = 0; i < count; i++)
        ((int32_t *)info->data)[i] = finite_matrix(j->a, i) ? svd_one(j, i, j->work->data, j->size) : -4;
    return gd_check_info(c, info, "linalg.svd");
}

gd_code gd_fw__linalg_svd(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), **out = a->out;
    const int64_t none[] = {0};
    bool full = a->args[1].u.boolean, vectors = a->args[2].u.boolean;
    svd_job j = {.job = !vectors ? "N" : full ? "A" : "S"};
    gd_code code = gd_check_matrix(c, t, "linalg.svd", "A");
    if (!code) code = gd_check_floating(c, t, "linalg.svd");
    if (!code) code = gd_check_square_work(c, gd_rows(t), gd_columns(t));
    if (!code) code = gd_need_lapack(c, &j.lapack);
    if (code) return code;
    int64_t m = gd_rows(t), n = gd_columns(t), k = gd_least(m, n);
    gd_dtype dtype = (gd_dtype)t->dtype;
    a->nout = 3;
    out[0] = vectors ? gd_columns_new(c, t, m, full ? m : k) : gd_empty(c, dtype, 1, none);
    out[1] = out[0] ? gd_batch_new(c, dtype, t, k) : NULL;
    out[2] = out[1] ? (vectors ? gd_columns_new(c, t, full ? n : k, n) : gd_empty(c, dtype, 1, none)) : NULL;
    gd_tensor *info = out[2] ? gd_pool_add(c, gd_batch_new(c, GD_INT32, t, -1)) : NULL;
    if (!info) return gd_failed(c);
    if (t->numel == 0) {
        if (vectors) put_ones(out[0]);
        if (vectors) put_ones(out[2]);
        return GD_OK;
    }
    j.a = gd_pool_add(c, gd_columns_of(c, t));
    if (!j.a) return gd_failed(c);
    j.u = vectors ? out[0] : NULL;
    j.s = out[1];
    j.vt = vectors ? out[2] : NULL;
    j.m = (int)m;
    j.n = (int)n;
    j.k = (int)k;
    return run_svd(c, &j, info);
}

static gd_code svd_outputs(gd_apply *a, bool full, bool vectors, gd_tensor **all) {
    const gd_value args[] = {a->args[0], B_(full), B_(vectors)};
    return gd_pooled_outputs(a->ctx, GD_OP__linalg_svd, args, 3, all, 3);
}

static gd_code no_driver(gd_apply *a, int argument) {
    if (a->args[argument].kind != GD_V_STR) return GD_OK;
    return gd_fail(
        a->ctx, GD_E_RUNTIME,
        "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.");
}

gd_code gd_fw_linalg_svd(gd_apply *a) {
    (void)gd_composing(a);
    gd_tensor *all[3];
    gd_code code = no_driver(a, 2);
    if (!code) code = svd_outputs(a, a->args[1].u.boolean, true, all);
    return code ? code : give_all(a, all, 3);
}

/* Values alone need the vectors only for their derivative. */
static bool will_record(const gd_apply *a) {
    return a->ctx->mode == GD_MODE_GRAD && gd_requires_grad(arg_tensor(a, 0));
}

gd_code gd_fw_svdvals(gd_apply *a) {
    (void)gd_composing(a);
    gd_tensor *all[3];
    gd_code code = no_driver(a, 1);
    if (!code) code = svd_outputs(a, false, will_record(a), all);
    return code ? code : give_shared(a, all[1]);
}

/* New, pooled: a square zero matrix of the size of dimension d, with t's batch dimensions. */
static gd_tensor *square_zeros(gd_ctx *c, const gd_tensor *t, int64_t n) {
    int64_t sizes[GD_MAX_DIMS];
    memcpy(sizes, t->sizes, (size_t)t->ndim * sizeof *sizes);
    sizes[t->ndim - 2] = sizes[t->ndim - 1] = n;
    return gd_pool_add(c, gd_zeros(c, (gd_dtype)t->dtype, t->ndim, sizes));
}

gd_code gd_fw_svd(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *all[3];
    bool vectors = a->args[2].u.boolean;
    if (t->ndim < 2)
        return gd_fail(c, GD_E_SHAPE,
                       "linalg.svd: input should have at least 2 dimensions, but has %d dimensions instead", t->ndim);
    gd_code code = svd_outputs(a, vectors && !a->args[1].u.boolean, vectors || will_record(a), all);
    if (code) return code;
    if (vectors) {
        all[2] = gx_mT(c, all[2]);
    } else {
        all[0] = square_zeros(c, t, gd_rows(t));
        all[2] = square_zeros(c, t, gd_columns(t));
    }
    return give_all(a, all, 3);
}

/* ---- eigenvalues --------------------------------------------------------------------------------------------- */

typedef struct eigen_job {
    const gd_lapack *lapack;
    gd_tensor *v, *w; /* v: the matrices, then the vectors */
    const char *job, *uplo;
    bool simple; /* syev in place of syevd */
    int n;
} eigen_job;

static int eigen_one(const eigen_job *j, int64_t i, void *work, int size, int *integers, int isize) {
    int info = 0, ld = gd_leading(j->n), real = gd_real_of(j->v);
    char *v = gd_matrix_at(j->v, i), *w = gd_vector_at(j->w, i, j->n);
    if (j->simple)
        j->lapack->syev[real](j->job, j->uplo, &j->n, v, &ld, w, work, &size, &info, 1, 1);
    else
        j->lapack->syevd[real](j->job, j->uplo, &j->n, v, &ld, w, work, &size, integers, &isize, &info, 1, 1);
    return info;
}

static gd_code run_eigen(gd_ctx *c, const eigen_job *j, const char *what) {
    double answer = 0;
    int isize = 1;
    int64_t count = gd_matrix_count(j->v);
    gd_tensor *info = gd_pool_add(c, gd_batch_new(c, GD_INT32, j->v, -1));
    if (!info) return gd_failed(c);
    if (count == 0 || j->n == 0) return GD_OK;
    (void)eigen_one(j, 0, &answer, -1, &isize, -1);
    int size = gd_queried(j->v, &answer);
    gd_tensor *work = gd_workspace(c, (gd_dtype)j->v->dtype, size), *integers = gd_workspace(c, GD_INT32, isize);
    if (!work || !integers) return gd_failed(c);
    for (int64_t i = 0; i < count; i++)
        ((int32_t *)info->data)[i] =
            finite_matrix(j->v, i) ? eigen_one(j, i, work->data, size, (int *)integers->data, isize) : j->n;
    return gd_check_info(c, info, what);
}

gd_code gd_fw__linalg_eigh(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    const char *uplo = a->args[1].u.str;
    const int64_t none[] = {0};
    bool vectors = a->args[2].u.boolean;
    eigen_job j = {.job = vectors ? "V" : "N"};
    gd_code code = gd_check_square(c, t, "linalg.eigh", "A");
    if (!code) code = gd_check_floating(c, t, "linalg.eigh");
    if (!code && (strlen(uplo) != 1 || !strchr("LlUu", uplo[0])))
        code = gd_fail(c, GD_E_VALUE, "Expected UPLO argument to be 'L' or 'U', but got %s", uplo);
    if (!code) code = gd_check_square_work(c, gd_rows(t), gd_rows(t));
    if (!code) code = gd_need_lapack(c, &j.lapack);
    if (code) return code;
    a->nout = 2;
    a->out[0] = j.w = gd_batch_new(c, (gd_dtype)t->dtype, t, gd_rows(t));
    j.v = j.w ? gd_columns_of(c, t) : NULL;
    a->out[1] = vectors || !j.v ? j.v : gd_empty(c, (gd_dtype)t->dtype, 1, none);
    if (!vectors) gd_pool_add(c, j.v);
    if (!a->out[1]) return gd_failed(c);
    j.n = (int)gd_rows(t);
    j.uplo = strchr("Uu", uplo[0]) ? "U" : "L";
    return run_eigen(c, &j, "linalg.eigh");
}

static gd_code eigen_outputs(gd_apply *a, bool vectors, gd_tensor **all) {
    const gd_value args[] = {a->args[0], a->args[1], B_(vectors)};
    return gd_pooled_outputs(a->ctx, GD_OP__linalg_eigh, args, 3, all, 2);
}

gd_code gd_fw_linalg_eigh(gd_apply *a) {
    (void)gd_composing(a);
    gd_tensor *all[2];
    gd_code code = eigen_outputs(a, true, all);
    return code ? code : give_all(a, all, 2);
}

gd_code gd_fw_eigvalsh(gd_apply *a) {
    (void)gd_composing(a);
    gd_tensor *all[2];
    gd_code code = eigen_outputs(a, will_record(a), all);
    return code ? code : give_shared(a, all[0]);
}

gd_code gd_fw_symeig(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    const int64_t none[] = {0};
    bool vectors = a->args[1].u.boolean;
    eigen_job j = {.job = vectors ? "V" : "N", .uplo = a->args[2].u.boolean ? "U" : "L", .simple = true};
    gd_code code = gd_check_square(c, t, "linalg.symeig", "A");
    if (!code) code = gd_check_floating(c, t, "symeig");
    if (!code) code = gd_check_square_work(c, gd_rows(t), gd_rows(t));
    if (!code) code = gd_need_lapack(c, &j.lapack);
    if (code) return code;
    a->nout = 2;
    a->out[0] = j.w = gd_batch_new(c, (gd_dtype)t->dtype, t, gd_rows(t));
    j.v = j.w ? gd_columns_of(c, t) : NULL;
    a->out[1] = vectors || !j.v ? j.v : gd_empty(c, (gd_dtype)t->dtype, 1, none);
    if (!vectors) gd_pool_add(c, j.v);
    if (!a->out[1]) return gd_failed(c);
    j.n = (int)gd_rows(t);
    return run_eigen(c, &j, "symeig");
}
