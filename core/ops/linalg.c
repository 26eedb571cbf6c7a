/* linalg.c: products of vectors and matrices. The loops are in core/kernels/gemm.c. */
#include <string.h>

#include "core/kernels/gemm.h"
#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/families.h"

#define TEXT 512

/* ---- checks -------------------------------------------------------------------------------- */

static gd_code same_dtype(gd_ctx *c, const gd_tensor *a, const gd_tensor *b) {
    if (a->dtype == b->dtype) return GD_OK;
    return gd_fail(c, GD_E_DTYPE, "expected scalar type %s but found %s", gd_dtype_scalar_name((gd_dtype)a->dtype),
                   gd_dtype_scalar_name((gd_dtype)b->dtype));
}

static gd_code not_bool(gd_ctx *c, const gd_tensor *t, const char *what) {
    return t->dtype != GD_BOOL ? GD_OK : gd_fail(c, GD_E_DTYPE, "\"%s\" not implemented for 'Bool'", what);
}

static gd_code inner_sizes(gd_ctx *c, const gd_tensor *a, const gd_tensor *b) {
    if (a->sizes[1] == b->sizes[0]) return GD_OK;
    return gd_fail(c, GD_E_SHAPE, "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
                   (long long)a->sizes[0], (long long)a->sizes[1], (long long)b->sizes[0], (long long)b->sizes[1]);
}

static gd_code batch_sizes(gd_ctx *c, const gd_tensor *a, const gd_tensor *b) {
    if (a->ndim != 3) return gd_fail(c, GD_E_SHAPE, "batch1 must be a 3D tensor");
    if (b->ndim != 3) return gd_fail(c, GD_E_SHAPE, "batch2 must be a 3D tensor");
    if (a->sizes[0] == b->sizes[0] && a->sizes[2] == b->sizes[1]) return GD_OK;
    return gd_fail(c, GD_E_SHAPE,
                   "Expected size for first two dimensions of batch2 tensor to be: [%lld, %lld] but got: [%lld, %lld].",
                   (long long)a->sizes[0], (long long)a->sizes[2], (long long)b->sizes[0], (long long)b->sizes[1]);
}

/* Can t be expanded to the shape? The text of expand otherwise. */
static gd_code check_expands(gd_ctx *c, gd_tensor *t, int ndim, const int64_t *sizes) {
    int lead = ndim - t->ndim;
    bool fits = lead >= 0;
    for (int d = 0; d < t->ndim && fits; d++) fits = t->sizes[d] == 1 || t->sizes[d] == sizes[d + lead];
    if (fits) return GD_OK;
    gd_release(DO(c, expand, GD_TENSOR_VALUE(t), GD_INTS_VALUE(sizes, ndim)));
    return gd_failed(c);
}

/* ---- products ------------------------------------------------------------------------------ */

static gd_matrix matrix_of(const gd_tensor *t) {
    return (gd_matrix){t->data, GD_STRIDES(t)[t->ndim - 2], GD_STRIDES(t)[t->ndim - 1]};
}

static const char *batch_at(const gd_tensor *t, int64_t i) {
    return t->ndim == 3 ? t->data + i * GD_STRIDES(t)[0] * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype) : t->data;
}

/* New: t, or a contiguous copy where OpenBLAS could not read it as it lies. */
static gd_tensor *laid_out(gd_ctx *c, gd_tensor *t, bool large) {
    gd_matrix m = matrix_of(t);
    return large && m.row != 1 && m.column != 1 ? gd_as_contiguous(c, t) : gd_retain(t);
}

/* out (contiguous) = alpha a b + beta out, for matrices or batches of them. */
static gd_code multiply(gd_ctx *c, gd_tensor *out, double alpha, gd_tensor *a, gd_tensor *b, double beta) {
    int64_t m = a->sizes[a->ndim - 2], k = a->sizes[a->ndim - 1], n = b->sizes[b->ndim - 1];
    int64_t batches = a->ndim == 3 ? a->sizes[0] : 1;
    if (out->numel == 0) return GD_OK;
    bool large = gd_gemm_large((gd_dtype)out->dtype, m, n, k);
    gd_tensor *x = laid_out(c, a, large), *y = x ? laid_out(c, b, large) : NULL;
    for (int64_t i = 0; y && i < batches; i++) {
        gd_matrix mx = matrix_of(x), my = matrix_of(y);
        mx.data = batch_at(x, i);
        my.data = batch_at(y, i);
        gd_gemm((gd_dtype)out->dtype, m, n, k, alpha, mx, my, beta,
                out->data + i * m * n * (int64_t)gd_dtype_bytes((gd_dtype)out->dtype), n);
    }
    gd_code code = y ? GD_OK : gd_failed(c);
    gd_release(y);
    gd_release(x);
    return code;
}

/* Finishes `out` (taken) with the product, and gives it. */
static gd_code give_product(gd_apply *a, gd_tensor *out, double alpha, gd_tensor *x, gd_tensor *y, double beta) {
    if (!out) return gd_failed(a->ctx);
    gd_code code = multiply(a->ctx, out, alpha, x, y, beta);
    if (!code) return give(a, out);
    gd_release(out);
    return code;
}

gd_code gd_fw_mm(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    if (x->ndim != 2) return gd_fail(c, GD_E_SHAPE, "self must be a matrix");
    if (y->ndim != 2) return gd_fail(c, GD_E_SHAPE, "mat2 must be a matrix");
    gd_code code = inner_sizes(c, x, y);
    if (!code) code = same_dtype(c, x, y);
    if (!code) code = not_bool(c, x, "addmm_impl_cpu_");
    if (code) return code;
    return give_product(a, gd_empty(c, (gd_dtype)x->dtype, 2, (int64_t[]){x->sizes[0], y->sizes[1]}), 1, x, y, 0);
}

gd_code gd_fw_bmm(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    gd_code code = batch_sizes(c, x, y);
    if (!code) code = same_dtype(c, x, y);
    if (!code) code = not_bool(c, x, "bmm");
    if (code) return code;
    return give_product(a, gd_empty(c, (gd_dtype)x->dtype, 3, (int64_t[]){x->sizes[0], x->sizes[1], y->sizes[2]}), 1, x,
                        y, 0);
}

/* New: self spread to the shape in dtype, to be added to; uninitialised when beta is 0, as it is not read then. */
static gd_tensor *start_from(gd_ctx *c, gd_tensor *self, gd_dtype dtype, int ndim, const int64_t *sizes, double beta) {
    gd_tensor *out = gd_empty(c, dtype, ndim, sizes);
    if (out && beta != 0) gd_copy_values(out, self);
    return out;
}

gd_code gd_fw_addmm(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *x = arg_tensor(a, 1), *y = arg_tensor(a, 2);
    double beta = arg_f64(a, 3), alpha = arg_f64(a, 4);
    if (x->ndim != 2) return gd_fail(c, GD_E_SHAPE, "mat1 must be a matrix, got %d-D tensor", x->ndim);
    if (y->ndim != 2) return gd_fail(c, GD_E_SHAPE, "mat2 must be a matrix, got %d-D tensor", y->ndim);
    gd_code code = inner_sizes(c, x, y);
    if (code) return code;
    const int64_t sizes[] = {x->sizes[0], y->sizes[1]};
    code = check_expands(c, self, 2, sizes);
    if (!code && (self->dtype != y->dtype || x->dtype != y->dtype))
        code = gd_fail(c, GD_E_DTYPE, "self and mat2 must have the same dtype");
    if (!code) code = not_bool(c, x, "addmm_impl_cpu_");
    return code ? code : give_product(a, start_from(c, self, (gd_dtype)x->dtype, 2, sizes, beta), alpha, x, y, beta);
}

gd_code gd_fw_baddbmm(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *x = arg_tensor(a, 1), *y = arg_tensor(a, 2);
    double beta = arg_f64(a, 3), alpha = arg_f64(a, 4);
    gd_code code = batch_sizes(c, x, y);
    if (code) return code;
    const int64_t sizes[] = {x->sizes[0], x->sizes[1], y->sizes[2]};
    code = check_expands(c, self, 3, sizes);
    if (!code) code = same_dtype(c, x, y);
    if (!code) code = not_bool(c, x, "baddbmm");
    return code ? code : give_product(a, start_from(c, self, (gd_dtype)x->dtype, 3, sizes, beta), alpha, x, y, beta);
}

/* ---- matrix and vector --------------------------------------------------------------------- */

static gd_code vector_sizes(gd_ctx *c, int self_ndim, const gd_tensor *m, const gd_tensor *v, int64_t self_numel,
                            int64_t self_size) {
    if (m->ndim != 2 || v->ndim != 1 || self_ndim > 1)
        return gd_fail(c, GD_E_SHAPE, "vector + matrix @ vector expected, got %d, %d, %d", self_ndim, m->ndim, v->ndim);
    if (m->sizes[1] == v->sizes[0] && (self_numel == 1 || self_numel == m->sizes[0])) return GD_OK;
    return gd_fail(c, GD_E_SHAPE, "size mismatch, got %lld, %lldx%lld,%lld", (long long)self_size,
                   (long long)m->sizes[0], (long long)m->sizes[1], (long long)v->sizes[0]);
}

static gd_code give_vector_product(gd_apply *a, gd_tensor *out, double alpha, const gd_tensor *m, const gd_tensor *v,
                                   double beta) {
    if (out && out->numel)
        gd_gemv((gd_dtype)out->dtype, m->sizes[0], m->sizes[1], alpha, matrix_of(m), v->data, GD_STRIDES(v)[0], beta,
                out->data);
    return give(a, out);
}

gd_code gd_fw_mv(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *m = arg_tensor(a, 0), *v = arg_tensor(a, 1);
    int64_t rows = m->ndim ? m->sizes[0] : 1;
    gd_code code = vector_sizes(c, 1, m, v, rows, rows);
    if (!code) code = same_dtype(c, m, v);
    if (!code) code = not_bool(c, m, "addmv_impl_cpu");
    return code ? code : give_vector_product(a, gd_empty(c, (gd_dtype)m->dtype, 1, &rows), 1, m, v, 0);
}

gd_code gd_fw_addmv(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *m = arg_tensor(a, 1), *v = arg_tensor(a, 2);
    double beta = arg_f64(a, 3), alpha = arg_f64(a, 4);
    gd_code code = vector_sizes(c, self->ndim, m, v, self->numel, self->ndim ? self->sizes[0] : 1);
    if (!code) code = same_dtype(c, m, v);
    if (!code) code = not_bool(c, m, "addmv_impl_cpu");
    if (code) return code;
    return give_vector_product(a, start_from(c, self, (gd_dtype)m->dtype, 1, m->sizes, beta), alpha, m, v, beta);
}

gd_code gd_fw_dot(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    if (x->ndim != 1 || y->ndim != 1)
        return gd_fail(c, GD_E_SHAPE, "1D tensors expected, but got %dD and %dD tensors", x->ndim, y->ndim);
    if (x->dtype != y->dtype)
        return gd_fail(c, GD_E_DTYPE, "dot : expected both vectors to have same dtype, but found %s and %s",
                       gd_dtype_scalar_name((gd_dtype)x->dtype), gd_dtype_scalar_name((gd_dtype)y->dtype));
    if (x->numel != y->numel)
        return gd_fail(
            c, GD_E_SHAPE,
            "inconsistent tensor size, expected tensor [%lld] and src [%lld] to have the same number of elements, but got %lld and "
            "%lld elements respectively",
            (long long)x->numel, (long long)y->numel, (long long)x->numel, (long long)y->numel);
    gd_code code = not_bool(c, x, "dot");
    if (code) return code;
    gd_tensor *out = gd_empty(c, (gd_dtype)x->dtype, 0, NULL);
    if (out) gd_dot((gd_dtype)x->dtype, x->numel, x->data, GD_STRIDES(x)[0], y->data, GD_STRIDES(y)[0], out->data);
    return give(a, out);
}

/* ---- outer, inner, matmul: written with other rows ------------------------------------------ */

gd_code gd_fw_outer(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    if (x->ndim != 1) return gd_fail(c, GD_E_SHAPE, "outer: Expected 1-D argument self, but got %d-D", x->ndim);
    if (y->ndim != 1) return gd_fail(c, GD_E_SHAPE, "outer: Expected 1-D argument vec2, but got %d-D", y->ndim);
    gd_tensor *column = DO(c, reshape, a->args[0], GD_INTS_VALUE(((int64_t[]){x->sizes[0], 1}), 2));
    return give(a, column ? then_release(DO(c, mul, GD_TENSOR_VALUE(column), a->args[1]), column) : NULL);
}

/* New: t with its dimensions in `order`, then as rows x columns; `t` is borrowed. */
static gd_tensor *as_matrix(gd_ctx *c, gd_tensor *t, const int64_t *order, int64_t rows, int64_t columns) {
    gd_tensor *turned = DO(c, permute, GD_TENSOR_VALUE(t), GD_INTS_VALUE(order, t->ndim));
    if (!turned) return NULL;
    const int64_t shape[] = {rows, columns};
    return then_release(DO(c, reshape, GD_TENSOR_VALUE(turned), GD_INTS_VALUE(shape, 2)), turned);
}

static int64_t product(const int64_t *sizes, int n) {
    int64_t p = 1;
    for (int i = 0; i < n; i++)
        if (!gd_mul_i64(p, sizes[i], &p)) return -1; /* refused by the reshape that uses it */
    return p;
}

static gd_tensor *inner_product(gd_ctx *c, gd_tensor *x, gd_tensor *y) {
    int64_t order[GD_MAX_DIMS], shape[2 * GD_MAX_DIMS], k = x->sizes[x->ndim - 1];
    int n = 0;
    for (int d = 0; d < x->ndim; d++) order[d] = d;
    gd_tensor *left = as_matrix(c, x, order, product(x->sizes, x->ndim - 1), k), *right = NULL, *flat = NULL,
              *out = NULL;
    order[0] = y->ndim - 1;
    for (int d = 1; d < y->ndim; d++) order[d] = d - 1;
    if (left) right = as_matrix(c, y, order, k, product(y->sizes, y->ndim - 1));
    if (right) flat = DO(c, mm, GD_TENSOR_VALUE(left), GD_TENSOR_VALUE(right));
    for (int d = 0; d < x->ndim - 1; d++) shape[n++] = x->sizes[d];
    for (int d = 0; d < y->ndim - 1; d++) shape[n++] = y->sizes[d];
    if (flat) out = DO(c, reshape, GD_TENSOR_VALUE(flat), GD_INTS_VALUE(shape, n));
    gd_release(flat);
    gd_release(right);
    gd_release(left);
    return out;
}

gd_code gd_fw_inner(gd_apply *a) {
    char left[TEXT], right[TEXT];
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    if (x->ndim == 0 || y->ndim == 0) return give(a, DO(c, mul, a->args[0], a->args[1]));
    if (x->sizes[x->ndim - 1] != y->sizes[y->ndim - 1])
        return gd_fail(
            c, GD_E_SHAPE, "inner() the last dimension must match on both input tensors but got shapes %s and %s",
            gd_shape_text(left, sizeof left, x->ndim, x->sizes), gd_shape_text(right, sizeof right, y->ndim, y->sizes));
    return give(a, inner_product(c, x, y));
}

/* ---- matmul -------------------------------------------------------------------------------- */

/* vector @ matrix: one row, multiplied, and taken out again. */
static gd_tensor *row_times_matrix(gd_ctx *c, gd_tensor *v, gd_tensor *m) {
    gd_tensor *row = DO(c, unsqueeze, GD_TENSOR_VALUE(v), GD_INT_VALUE(0));
    gd_tensor *out = row ? then_release(DO(c, mm, GD_TENSOR_VALUE(row), GD_TENSOR_VALUE(m)), row) : NULL;
    return out ? then_release(DO(c, _squeeze_fresh, GD_TENSOR_VALUE(out), GD_INT_VALUE(0)), out) : NULL;
}

/* May a batch `t` times a matrix or vector be one large matrix product? Not if its matrices lie transposed: folding
 * them would move memory. */
static bool folds(const gd_tensor *t, int other_ndim) {
    if (t->ndim < 3 || other_ndim > 2) return false;
    const int64_t *s = GD_STRIDES(t);
    return !(t->ndim == 3 && other_ndim == 2 && s[2] != 1 && s[0] == t->sizes[1] * t->sizes[2]);
}

/* batch (n-D) @ other (1-D or 2-D): folded into one matrix. */
static gd_tensor *folded_product(gd_ctx *c, gd_tensor *batch, gd_tensor *other) {
    int64_t shape[GD_MAX_DIMS], folded[2];
    int n = batch->ndim - 1;
    memcpy(shape, batch->sizes, (size_t)n * sizeof *shape);
    folded[0] = product(batch->sizes, n);
    folded[1] = batch->sizes[n];
    gd_tensor *flat = DO(c, reshape, GD_TENSOR_VALUE(batch), GD_INTS_VALUE(folded, 2));
    if (!flat) return NULL;
    if (other->ndim == 2) shape[n++] = other->sizes[1];
    gd_tensor *out = other->ndim == 2 ? DO(c, mm, GD_TENSOR_VALUE(flat), GD_TENSOR_VALUE(other))
                                      : DO(c, mv, GD_TENSOR_VALUE(flat), GD_TENSOR_VALUE(other));
    gd_release(flat);
    return out ? then_release(DO(c, _unsafe_view, GD_TENSOR_VALUE(out), GD_INTS_VALUE(shape, n)), out) : NULL;
}

/* x (1-D or 2-D) @ batch: the transposed product, so that the batch is folded. */
static gd_tensor *folded_transposed(gd_ctx *c, gd_tensor *x, gd_tensor *batch) {
    const gd_value minus2 = GD_INT_VALUE(-2), minus1 = GD_INT_VALUE(-1);
    gd_tensor *turned = DO(c, transpose, GD_TENSOR_VALUE(batch), minus2, minus1);
    gd_tensor *other = !turned ? NULL : x->ndim == 2 ? DO(c, t, GD_TENSOR_VALUE(x)) : gd_retain(x);
    gd_tensor *out = other ? folded_product(c, turned, other) : NULL;
    gd_release(other);
    gd_release(turned);
    if (!out || x->ndim == 1) return out;
    out = then_release(DO(c, transpose, GD_TENSOR_VALUE(out), minus2, minus1), out);
    return out ? then_release(DO(c, contiguous, GD_TENSOR_VALUE(out)), out) : NULL;
}

/* New: t expanded to the batch dimensions, which are then one; its own last one or two are kept. */
static gd_tensor *expanded(gd_ctx *c, gd_tensor *t, const int64_t *batch, int nbatch, int64_t count) {
    int64_t shape[GD_MAX_DIMS + 2], flat[3] = {count};
    int own = t->ndim < 2 ? t->ndim : 2;
    memcpy(shape, batch, (size_t)nbatch * sizeof *shape);
    for (int d = 0; d < own; d++) shape[nbatch + d] = flat[1 + d] = t->sizes[t->ndim - own + d];
    gd_tensor *wide = DO(c, expand, GD_TENSOR_VALUE(t), GD_INTS_VALUE(shape, nbatch + own));
    return wide ? then_release(DO(c, reshape, GD_TENSOR_VALUE(wide), GD_INTS_VALUE(flat, 1 + own)), wide) : NULL;
}

/* New: `t` (taken) with a dimension of size 1 more, where a vector stands for a matrix. */
static gd_tensor *vector_as_matrix(gd_ctx *c, gd_tensor *t, int dim) {
    return t && t->ndim == 2 ? then_release(DO(c, unsqueeze, GD_TENSOR_VALUE(t), GD_INT_VALUE(dim)), t) : t;
}

static gd_tensor *batched_product(gd_ctx *c, gd_tensor *x, gd_tensor *y) {
    int64_t shape[GD_MAX_DIMS + 2], count;
    int xb = x->ndim > 2 ? x->ndim - 2 : 0, yb = y->ndim > 2 ? y->ndim - 2 : 0, n;
    if (gd_broadcast_shape(c, xb, x->sizes, yb, y->sizes, shape, &n)) return NULL;
    if (gd_checked_numel(c, (gd_dtype)x->dtype, n, shape, &count)) return NULL;
    gd_tensor *left = vector_as_matrix(c, expanded(c, x, shape, n, count), 1);
    gd_tensor *right = left ? vector_as_matrix(c, expanded(c, y, shape, n, count), 2) : NULL;
    gd_tensor *out = right ? DO(c, bmm, GD_TENSOR_VALUE(left), GD_TENSOR_VALUE(right)) : NULL;
    gd_release(right);
    gd_release(left);
    if (x->ndim > 1) shape[n++] = x->sizes[x->ndim - 2];
    if (y->ndim > 1) shape[n++] = y->sizes[y->ndim - 1];
    return out ? then_release(DO(c, _unsafe_view, GD_TENSOR_VALUE(out), GD_INTS_VALUE(shape, n)), out) : NULL;
}

gd_code gd_fw_matmul(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    if (x->ndim == 0 || y->ndim == 0)
        return gd_fail(c, GD_E_SHAPE, "both arguments to matmul need to be at least 1D, but they are %dD and %dD",
                       x->ndim, y->ndim);
    if (x->ndim == 2 && y->ndim == 2) return give(a, DO(c, mm, a->args[0], a->args[1]));
    if (x->ndim == 1 && y->ndim == 1) return give(a, DO(c, dot, a->args[0], a->args[1]));
    if (x->ndim == 2 && y->ndim == 1) return give(a, DO(c, mv, a->args[0], a->args[1]));
    if (x->ndim == 1 && y->ndim == 2) return give(a, row_times_matrix(c, x, y));
    if (folds(x, y->ndim)) return give(a, folded_product(c, x, y));
    if (folds(y, x->ndim)) return give(a, folded_transposed(c, x, y));
    return give(a, batched_product(c, x, y));
}
