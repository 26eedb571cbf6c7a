/* products.c: products of tensors that are composed of those in linalg.c, as PyTorch composes them, and the cross
 * product. einsum is in einsum.c; derivatives are in products_rules.c. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/plan/trace.h"

#define TEXT 512

/* ---- cross ------------------------------------------------------------------------------------------------- */

static gd_code cross_check(gd_ctx *c, const gd_tensor *x, const gd_tensor *y, int64_t wanted, int *dim) {
    if (x->ndim != y->ndim)
        return gd_fail(c, GD_E_SHAPE, "linalg.cross: inputs must have the same number of dimensions.");
    gd_code code = gd_wrap_dim(c, wanted, x->ndim, dim);
    if (code) return code;
    int64_t nx = x->ndim ? x->sizes[*dim] : 1, ny = y->ndim ? y->sizes[*dim] : 1;
    if (nx == 3 && ny == 3) return GD_OK;
    return gd_fail(c, GD_E_SHAPE, "linalg.cross: inputs dimension %lld must have length 3. Got %lld and %lld",
                   (long long)wanted, (long long)nx, (long long)ny);
}

#define CROSS(type)                                                                                                    \
    static void cross_##type(const type *x, const type *y, type *out, int64_t outer, int64_t inner) {                  \
        for (int64_t o = 0; o < outer; o++, x += 3 * inner, y += 3 * inner, out += 3 * inner)                          \
            for (int64_t i = 0; i < inner; i++) {                                                                      \
                const type x0 = x[i], x1 = x[i + inner], x2 = x[i + 2 * inner];                                        \
                const type y0 = y[i], y1 = y[i + inner], y2 = y[i + 2 * inner];                                        \
                out[i] = (type)(x1 * y2 - x2 * y1);                                                                    \
                out[i + inner] = (type)(x2 * y0 - x0 * y2);                                                            \
                out[i + 2 * inner] = (type)(x0 * y1 - x1 * y0);                                                        \
            }                                                                                                          \
    }
CROSS(float)
CROSS(double)
CROSS(uint64_t) /* whole numbers wrap */

static void cross_values(gd_tensor *out, const gd_tensor *x, const gd_tensor *y, int dim) {
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < dim; d++) outer *= out->sizes[d];
    for (int d = dim + 1; d < out->ndim; d++) inner *= out->sizes[d];
    if (out->dtype == GD_FLOAT32)
        cross_float((const float *)(const void *)x->data, (const float *)(const void *)y->data,
                    (float *)(void *)out->data, outer, inner);
    else if (out->dtype == GD_FLOAT64)
        cross_double((const double *)(const void *)x->data, (const double *)(const void *)y->data,
                     (double *)(void *)out->data, outer, inner);
    else
        cross_uint64_t((const uint64_t *)(const void *)x->data, (const uint64_t *)(const void *)y->data,
                       (uint64_t *)(void *)out->data, outer, inner);
}

/* A temporary: t spread to the shape, contiguous, in dtype. */
static gd_tensor *spread(gd_ctx *c, const gd_tensor *t, gd_dtype dtype, int ndim, const int64_t *sizes) {
    gd_tensor *full = gd_pool_add(c, gd_empty(c, dtype, ndim, sizes));
    if (full) gd_copy_values(full, t);
    return full;
}

gd_code gd_fw_cross(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    int64_t sizes[GD_MAX_DIMS];
    int dim, ndim;
    gd_code code = cross_check(c, x, y, arg_int(a, 2), &dim);
    if (!code) code = gd_broadcast_shape(c, x->ndim, x->sizes, y->ndim, y->sizes, sizes, &ndim);
    if (code) return code;
    gd_dtype dtype = gd_result_type((gd_tensor *const[]){x, y}, 2), work = gd_dtype_is_float(dtype) ? dtype : GD_INT64;
    if (dtype == GD_BOOL) return gd_fail(c, GD_E_DTYPE, "\"cross\" not implemented for 'Bool'");
    gd_tensor *left = spread(c, x, work, ndim, sizes), *right = left ? spread(c, y, work, ndim, sizes) : NULL;
    gd_tensor *out = right ? gd_empty(c, work, ndim, sizes) : NULL;
    if (out) cross_values(out, left, right, dim);
    if (out && work != dtype) out = then_release(gd_as_dtype(c, out, dtype), out);
    return give(a, out);
}

gd_code gd_fw_cross_default(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    if (a->args[2].kind == GD_V_INT) return give_shared(a, GX(c, linalg_cross, a->args[0], a->args[1], a->args[2]));
    for (int d = 0; d < x->ndim; d++)
        if (x->sizes[d] == 3) return give_shared(a, GX(c, linalg_cross, a->args[0], a->args[1], I_(d)));
    return gd_fail(c, GD_E_SHAPE, "no dimension of size 3 in input");
}

/* ---- tensordot --------------------------------------------------------------------------------------------- */

typedef struct contraction {
    int n;
    int64_t left[GD_MAX_DIMS], right[GD_MAX_DIMS];
} contraction;

static gd_code contraction_by_count(gd_apply *a, contraction *k) {
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    int64_t n = arg_int(a, 2);
    if (n < 0) return gd_fail(a->ctx, GD_E_RUNTIME, "tensordot expects dims >= 0, but got dims=%lld", (long long)n);
    if (n > (x->ndim < y->ndim ? x->ndim : y->ndim))
        return gd_fail(a->ctx, GD_E_RUNTIME, "tensordot expects dims < ndim_a or ndim_b");
    k->n = (int)n;
    for (int i = 0; i < k->n; i++) k->left[i] = x->ndim - n + i, k->right[i] = i;
    return GD_OK;
}

static gd_code contraction_by_list(gd_apply *a, contraction *k) {
    gd_ctx *c = a->ctx;
    gd_tensor *dims = arg_tensor(a, 2);
    if (dims->numel <= 1 && dims->ndim < 2)
        return gd_fail(c, GD_E_SHAPE, "both dimension lists should have same length");
    if (dims->ndim != 2 || dims->sizes[0] != 2 || dims->sizes[1] > GD_MAX_DIMS)
        return gd_fail(c, GD_E_SHAPE, "both dimension lists should have same length");
    k->n = (int)dims->sizes[1];
    if (k->n == 0) return GD_OK;
    gd_trace_read(c, dims, "the dims of tensordot()");
    gd_tensor *flat = gd_pool_add(c, gd_as_contiguous(c, dims));
    if (!flat) return gd_failed(c);
    if (flat->dtype != GD_INT64) return gd_fail(c, GD_E_DTYPE, "tensordot expects dims to be integers");
    memcpy(k->left, flat->data, (size_t)k->n * sizeof *k->left);
    memcpy(k->right, flat->data + (size_t)k->n * sizeof *k->left, (size_t)k->n * sizeof *k->right);
    return GD_OK;
}

/* Wraps the dimensions, marks those of one side, and refuses one that comes twice. */
static gd_code mark_dims(gd_ctx *c, const gd_tensor *t, int64_t *dims, int n, bool *marked) {
    memset(marked, 0, GD_MAX_DIMS * sizeof *marked);
    for (int i = 0; i < n; i++) {
        int d;
        gd_code code = gd_wrap_dim(c, dims[i], t->ndim, &d);
        if (code) return code;
        if (marked[d]) return gd_fail(c, GD_E_SHAPE, "dim %d appears multiple times in the list of dims", d);
        marked[d] = true;
        dims[i] = d;
    }
    return GD_OK;
}

static gd_tensor *contracted(gd_ctx *c, gd_tensor *x, gd_tensor *y, const contraction *k, const bool *in_x,
                             const bool *in_y) {
    int64_t px[GD_MAX_DIMS], py[GD_MAX_DIMS], shape[2 * GD_MAX_DIMS], rows = 1, columns = 1, depth = 1;
    int nx = 0, ny = 0, n = 0;
    for (int d = 0; d < x->ndim; d++)
        if (!in_x[d]) px[nx++] = d, rows *= x->sizes[d], shape[n++] = x->sizes[d];
    for (int i = 0; i < k->n; i++) {
        depth *= x->sizes[k->left[i]];
        px[nx++] = k->left[i];
        py[ny++] = k->right[i];
    }
    for (int d = 0; d < y->ndim; d++)
        if (!in_y[d]) py[ny++] = d, columns *= y->sizes[d], shape[n++] = y->sizes[d];
    gd_tensor *left = GX(c, reshape, T_(GX(c, permute, T_(x), IS_(px, nx))), SHAPE_(rows, depth));
    gd_tensor *right = GX(c, reshape, T_(GX(c, permute, T_(y), IS_(py, ny))), SHAPE_(depth, columns));
    return GX(c, reshape, T_(GX(c, mm, T_(left), T_(right))), IS_(shape, n));
}

gd_code gd_fw_tensordot(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    contraction k = {0};
    bool in_x[GD_MAX_DIMS], in_y[GD_MAX_DIMS];
    gd_code code = a->op->param ? contraction_by_list(a, &k) : contraction_by_count(a, &k);
    if (!code) code = mark_dims(c, x, k.left, k.n, in_x);
    if (!code) code = mark_dims(c, y, k.right, k.n, in_y);
    for (int i = 0; i < k.n && !code; i++) {
        int64_t sx = x->ndim ? x->sizes[k.left[i]] : 1, sy = y->ndim ? y->sizes[k.right[i]] : 1;
        if (sx == 1)
            y = GX(c, sum_dim, T_(y), SHAPE_(k.right[i]), B_(true));
        else if (sy == 1)
            x = GX(c, sum_dim, T_(x), SHAPE_(k.left[i]), B_(true));
        else if (sx != sy)
            return gd_fail(c, GD_E_SHAPE,
                           "contracted dimensions need to match, but first has size %lld in dim %lld and second has "
                           "size %lld in dim %lld",
                           (long long)sx, (long long)k.left[i], (long long)sy, (long long)k.right[i]);
        if (!x || !y) return gd_failed(c);
    }
    return code ? code : give_shared(a, contracted(c, x, y, &k, in_x, in_y));
}

/* ---- kron, vecdot ------------------------------------------------------------------------------------------ */

gd_code gd_fw_kron(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    int64_t sx[GD_MAX_DIMS], sy[GD_MAX_DIMS], shape[GD_MAX_DIMS];
    int n = x->ndim > y->ndim ? x->ndim : y->ndim;
    if (2 * n > GD_MAX_DIMS) return gd_fail(c, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
    for (int d = 0; d < n; d++) {
        int dx = d - (n - x->ndim), dy = d - (n - y->ndim);
        sx[2 * d] = dx < 0 ? 1 : x->sizes[dx];
        sy[2 * d + 1] = dy < 0 ? 1 : y->sizes[dy];
        sx[2 * d + 1] = sy[2 * d] = 1;
        if (!gd_mul_i64(sx[2 * d], sy[2 * d + 1], &shape[d]))
            return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    }
    gd_tensor *left = GX(c, _unsafe_view, T_(GX(c, contiguous, T_(x))), IS_(sx, 2 * n));
    gd_tensor *right = GX(c, _unsafe_view, T_(GX(c, contiguous, T_(y))), IS_(sy, 2 * n));
    return give_shared(a, GX(c, _unsafe_view, T_(gx_mul(c, left, right)), IS_(shape, n)));
}

gd_code gd_fw_vecdot(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    if (!gd_dtype_is_float((gd_dtype)x->dtype))
        return gd_fail(c, GD_E_DTYPE, "linalg.vecdot: Expected a floating point or complex tensor as input. Got %s",
                       gd_dtype_scalar_name((gd_dtype)x->dtype));
    if (x->dtype != y->dtype)
        return gd_fail(c, GD_E_DTYPE, "linalg.vecdot: Expected x and y to have the same dtype, but got %s and %s",
                       gd_dtype_scalar_name((gd_dtype)x->dtype), gd_dtype_scalar_name((gd_dtype)y->dtype));
    if (x->ndim == 1 && y->ndim == 1) return give_shared(a, GX(c, vdot, T_(x), T_(y)));
    return give_shared(a, GX(c, sum_dim, T_(gx_mul(c, x, y)), SHAPE_(arg_int(a, 2))));
}

/* ---- addbmm, addr ------------------------------------------------------------------------------------------ */

static gd_code batches_check(gd_ctx *c, const gd_tensor *x, const gd_tensor *y) {
    if (x->ndim != 3) return gd_fail(c, GD_E_SHAPE, "batch1 must be a 3D tensor");
    if (y->ndim != 3) return gd_fail(c, GD_E_SHAPE, "batch2 must be a 3D tensor");
    if (x->sizes[0] != y->sizes[0])
        return gd_fail(c, GD_E_SHAPE, "batch1 and batch2 must have same number of batches, got %lld and %lld",
                       (long long)x->sizes[0], (long long)y->sizes[0]);
    if (x->sizes[2] != y->sizes[1])
        return gd_fail(c, GD_E_SHAPE, "Incompatible matrix sizes for bmm (%lldx%lld and %lldx%lld)",
                       (long long)x->sizes[1], (long long)x->sizes[2], (long long)y->sizes[1], (long long)y->sizes[2]);
    return GD_OK;
}

/* The sum over the batches is one product of the matrices side by side and one below the other. */
gd_code gd_fw_addbmm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 1), *y = arg_tensor(a, 2);
    gd_code code = batches_check(c, x, y);
    if (code) return code;
    int64_t depth;
    if (!gd_mul_i64(x->sizes[0], x->sizes[2], &depth))
        return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *left = GX(c, permute, T_(x), SHAPE_(1, 0, 2));
    left = GX(c, reshape, T_(left), SHAPE_(x->sizes[1], depth));
    gd_tensor *right = GX(c, reshape, T_(y), SHAPE_(depth, y->sizes[2]));
    gd_tensor *out = GX(c, addmm, a->args[0], T_(left), T_(right), a->args[3], a->args[4]);
    c->mode = mode;
    return give_shared(a, out);
}

static bool is_zero(const gd_apply *a, int i) { return arg_f64(a, i) == 0; }

gd_code gd_fw_addr(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *self = arg_tensor(a, 0), *x = arg_tensor(a, 1), *y = arg_tensor(a, 2);
    if (x->ndim != 1 || y->ndim != 1)
        return gd_fail(c, GD_E_SHAPE, "addr: Expected 1-D argument vec%d, but got %d-D", x->ndim != 1 ? 1 : 2,
                       x->ndim != 1 ? x->ndim : y->ndim);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *product = GX(c, outer, T_(x), T_(y)), *out = NULL;
    gd_value shape = product ? IS_(product->sizes, 2) : SHAPE_(1);
    if (product && arg_f64(a, 4) != 1) product = GX(c, mul, T_(product), T_(gx_number(c, arg_f64(a, 4))));
    self = product ? GX(c, expand, T_(self), shape) : NULL;
    if (self && is_zero(a, 3))
        out = GX(c, _to_copy, T_(product), GD_DTYPE_VALUE(gd_result_type((gd_tensor *const[]){self, product}, 2)));
    else if (self)
        out = gx_add(c, arg_f64(a, 3) == 1 ? self : gx_mul_s(c, self, arg_f64(a, 3)), product);
    c->mode = mode;
    return give_shared(a, out);
}

/* ---- several matrices -------------------------------------------------------------------------------------- */

/* The order of the multiplications of n matrices of sizes size[i] x size[i + 1]: split[i * n + j] is where the product
 * of i … j is cut. Dynamic programming over lengths (Cormen et al., Introduction to Algorithms, 15.2). */
static int *chain_splits(gd_ctx *c, const double *size, int n) {
    size_t cells, bytes;
    if (!gd_mul_size((size_t)n, (size_t)n, &cells) || !gd_mul_size(cells, sizeof(double) + sizeof(int), &bytes)) {
        (void)gd_fail_memory(c);
        return NULL;
    }
    double *cost = calloc(cells, sizeof *cost);
    int *split = calloc(cells, sizeof *split);
    if (!cost || !split) {
        free(cost);
        free(split);
        (void)gd_fail_memory(c);
        return NULL;
    }
    for (int length = 1; length < n; length++)
        for (int i = 0; i + length < n; i++) {
            int j = i + length;
            for (int k = i; k < j; k++) {
                double q = cost[i * n + k] + cost[(k + 1) * n + j] + size[i] * size[k + 1] * size[j + 1];
                if (k > i && !(q < cost[i * n + j])) continue;
                cost[i * n + j] = q;
                split[i * n + j] = k;
            }
        }
    if (n == 3 && cost[0 * n + 1] + size[0] * size[2] * size[3] <= cost[1 * n + 2] + size[0] * size[1] * size[3])
        split[2] = 1; /* of equal costs PyTorch prefers the left one for three matrices */
    free(cost);
    return split;
}

/* Multiplies in that order with a stack of parts that are still to be multiplied. */
static gd_tensor *chain_product(gd_ctx *c, gd_tensor *const *matrix, const int *split, int n) {
    struct part {
        int i, j, state;
    } *stack = calloc((size_t)n + 1, sizeof *stack);
    gd_tensor **done = gd_pointers(c, n + 1);
    int depth = 0, ndone = 0;
    if (!stack) (void)gd_fail_memory(c);
    if (stack && done) stack[depth++] = (struct part){0, n - 1, 0};
    while (depth > 0) {
        struct part *p = &stack[depth - 1];
        int k = split[p->i * n + p->j];
        if (p->i == p->j) {
            done[ndone++] = matrix[p->i];
            depth--;
        } else if (p->state == 0) {
            p->state = 1;
            stack[depth++] = (struct part){p->i, k, 0};
        } else if (p->state == 1) {
            p->state = 2;
            stack[depth++] = (struct part){k + 1, p->j, 0};
        } else {
            ndone--;
            done[ndone - 1] = GX(c, mm, T_(done[ndone - 1]), T_(done[ndone]));
            depth--;
        }
    }
    gd_tensor *out = ndone == 1 ? done[0] : NULL;
    free(stack);
    free(done);
    return out;
}

static gd_code chain_check(gd_ctx *c, gd_tensor *const *list, int n) {
    if (n < 2) return gd_fail(c, GD_E_SHAPE, "multi_dot(): expected at least 2 tensors but got %d", n);
    for (int i = 0; i < n; i++) {
        bool end = i == 0 || i == n - 1;
        if (end && list[i]->ndim != 1 && list[i]->ndim != 2)
            return gd_fail(c, GD_E_SHAPE, "multi_dot(): the %s tensor must be 1D or 2D but got %dD",
                           i == 0 ? "first" : "last", list[i]->ndim);
        if (!end && list[i]->ndim != 2)
            return gd_fail(c, GD_E_SHAPE, "multi_dot(): tensor %d must be 2D but got %dD", i, list[i]->ndim);
        if (list[i]->dtype != list[0]->dtype)
            return gd_fail(c, GD_E_DTYPE,
                           "multi_dot(): all tensors must have be the same dtype but tensor 0 is %s and "
                           "tensor %d %s",
                           gd_dtype_scalar_name((gd_dtype)list[0]->dtype), i,
                           gd_dtype_scalar_name((gd_dtype)list[i]->dtype));
    }
    return GD_OK;
}

static gd_code chain_sizes(gd_ctx *c, gd_tensor *const *matrix, int n, double *size) {
    for (int i = 0; i < n; i++) {
        if (i > 0 && matrix[i]->sizes[0] != matrix[i - 1]->sizes[1])
            return gd_fail(c, GD_E_SHAPE,
                           "multi_dot(): tensors %d and %d with shapes [%lld, %lld] and [%lld, %lld] cannot be "
                           "multiplied",
                           i - 1, i, (long long)matrix[i - 1]->sizes[0], (long long)matrix[i - 1]->sizes[1],
                           (long long)matrix[i]->sizes[0], (long long)matrix[i]->sizes[1]);
        size[i] = (double)matrix[i]->sizes[0];
        size[i + 1] = (double)matrix[i]->sizes[1];
    }
    return GD_OK;
}

gd_code gd_fw_multi_dot(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *const *list = a->args[0].u.tensors;
    int n = arg_count(a, 0), nshape = 0;
    int64_t shape[2];
    if (a->op->param && n == 0) return gd_fail(c, GD_E_VALUE, "chain_matmul(): Expected one or more matrices");
    if (a->op->param && n == 1) return give_shared(a, list[0]);
    gd_code code = chain_check(c, list, n);
    if (code) return code;
    gd_tensor **matrix = gd_pointers(c, n), *out = NULL;
    double *size = calloc((size_t)n + 1, sizeof *size);
    for (int i = 0; matrix && i < n; i++) matrix[i] = list[i];
    if (matrix && list[0]->ndim == 1) matrix[0] = GX(c, unsqueeze, T_(list[0]), I_(0));
    if (matrix && list[n - 1]->ndim == 1) matrix[n - 1] = GX(c, unsqueeze, T_(list[n - 1]), I_(-1));
    if (list[0]->ndim == 2) shape[nshape++] = list[0]->sizes[0];
    if (list[n - 1]->ndim == 2) shape[nshape++] = list[n - 1]->sizes[1];
    if (!size) code = gd_fail_memory(c);
    if (!code && (!matrix || !matrix[0] || !matrix[n - 1])) code = gd_failed(c);
    if (!code) code = chain_sizes(c, matrix, n, size);
    int *split = code ? NULL : chain_splits(c, size, n);
    if (split) out = GX(c, view, T_(chain_product(c, matrix, split, n)), IS_(shape, nshape));
    free(split);
    free(size);
    free(matrix);
    return code ? code : give_shared(a, out);
}

/* ---- bilinear ---------------------------------------------------------------------------------------------- */

static gd_code bilinear_check(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1), *w = arg_tensor(a, 2);
    if (x->ndim != y->ndim)
        return gd_fail(c, GD_E_SHAPE, "bilinear(): input dimensions do not match: got %d and %d", x->ndim, y->ndim);
    if (x->ndim == 0 || w->ndim != 3)
        return gd_fail(c, GD_E_SHAPE, "bilinear(): weight must be three-dimensional, inputs at least one-dimensional");
    for (int d = 0; d < x->ndim - 1; d++)
        if (x->sizes[d] != y->sizes[d])
            return gd_fail(c, GD_E_SHAPE,
                           "bilinear(): input batch dimensions do not match at dim %d: got %lld and %lld", d,
                           (long long)x->sizes[d], (long long)y->sizes[d]);
    if (x->sizes[x->ndim - 1] != w->sizes[1])
        return gd_fail(c, GD_E_SHAPE, "bilinear(): input1 size does not match weight size: got %lld but expected %lld",
                       (long long)x->sizes[x->ndim - 1], (long long)w->sizes[1]);
    if (y->sizes[y->ndim - 1] != w->sizes[2])
        return gd_fail(c, GD_E_SHAPE, "bilinear(): input2 size does not match weight size: got %lld but expected %lld",
                       (long long)y->sizes[y->ndim - 1], (long long)w->sizes[2]);
    if (a->args[3].kind == GD_V_TENSOR && (arg_tensor(a, 3)->ndim != 1 || arg_tensor(a, 3)->sizes[0] != w->sizes[0]))
        return gd_fail(c, GD_E_SHAPE, "bilinear(): bias size does not match weight size: got %lld but expected %lld",
                       (long long)(arg_tensor(a, 3)->ndim ? arg_tensor(a, 3)->sizes[0] : 1), (long long)w->sizes[0]);
    return GD_OK;
}

gd_code gd_fw_bilinear(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1), *w = arg_tensor(a, 2);
    int64_t shape[GD_MAX_DIMS], rows = 1;
    gd_code code = bilinear_check(a);
    if (code) return code;
    for (int d = 0; d < x->ndim - 1; d++) rows *= shape[d] = x->sizes[d];
    shape[x->ndim - 1] = w->sizes[0];
    gd_tensor *left = GX(c, reshape, T_(x), SHAPE_(rows, x->sizes[x->ndim - 1]));
    gd_tensor *right = GX(c, reshape, T_(y), SHAPE_(rows, y->sizes[y->ndim - 1]));
    gd_tensor *out = GX(c, reshape, T_(GX(c, _trilinear, T_(left), T_(w), T_(right))), IS_(shape, x->ndim));
    if (a->args[3].kind == GD_V_TENSOR) out = gx_add(c, out, arg_tensor(a, 3));
    return give_shared(a, out);
}

gd_code gd_fw__trilinear(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *w = arg_tensor(a, 1), *y = arg_tensor(a, 2);
    int64_t n = x->sizes[0], o = w->sizes[0], i = w->sizes[1], j = w->sizes[2], wide;
    if (!gd_mul_i64(o, j, &wide)) return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *flat = GX(c, reshape, T_(GX(c, permute, T_(w), SHAPE_(1, 0, 2))), SHAPE_(i, wide));
    gd_tensor *half = GX(c, reshape, T_(GX(c, mm, T_(x), T_(flat))), SHAPE_(n, o, j));
    gd_tensor *out = GX(c, bmm, T_(half), T_(GX(c, unsqueeze, T_(y), I_(2))));
    out = GX(c, clone, T_(GX(c, reshape, T_(out), SHAPE_(n, o))));
    c->mode = mode;
    return give_shared(a, out);
}

/* ---- powers ------------------------------------------------------------------------------------------------ */

/* n powers of t from the 0th on, along a new last dimension: ones, and products of more and more copies of t. */
static gd_tensor *powers(gd_ctx *c, gd_tensor *t, int64_t n) {
    int64_t sizes[GD_MAX_DIMS];
    for (int d = 0; d < t->ndim; d++) sizes[d] = t->sizes[d];
    sizes[t->ndim] = n - 1;
    gd_tensor *copies = GX(c, expand, T_(GX(c, unsqueeze, T_(t), I_(-1))), IS_(sizes, t->ndim + 1));
    gd_tensor *products = GX(c, cumprod, T_(copies), I_(-1));
    sizes[t->ndim] = 1;
    gd_tensor *ones = products ? GX(c, new_ones, T_(products), IS_(sizes, t->ndim + 1)) : NULL;
    gd_tensor *const both[] = {ones, products};
    return ones ? GX(c, cat, TS_(both, 2), I_(-1)) : NULL;
}

gd_code gd_fw_linalg_vander(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    if (x->dtype == GD_BOOL)
        return gd_fail(c, GD_E_DTYPE, "linalg.vander supports floating point, complex, and integer tensors, but got %s",
                       gd_dtype_scalar_name((gd_dtype)x->dtype));
    if (x->ndim >= GD_MAX_DIMS) return gd_fail(c, GD_E_SHAPE, "tensors have at most %d dimensions", GD_MAX_DIMS);
    int64_t n = a->args[1].kind == GD_V_INT ? arg_int(a, 1) : x->ndim ? x->sizes[x->ndim - 1] : 1;
    if (n <= 1) return gd_fail(c, GD_E_RUNTIME, "N must be greater than 1.");
    if (x->ndim == 0) x = GX(c, unsqueeze, T_(x), I_(0));
    return give_shared(a, x ? powers(c, x, n) : NULL);
}

gd_code gd_fw_vander(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    const int64_t last[] = {1};
    if (x->ndim != 1) return gd_fail(c, GD_E_SHAPE, "x must be a one-dimensional tensor.");
    int64_t n = a->args[1].kind == GD_V_INT ? arg_int(a, 1) : x->numel;
    if (n < 0) return gd_fail(c, GD_E_RUNTIME, "N must be non-negative.");
    const int64_t sizes[] = {x->numel, n};
    gd_dtype dtype = gd_dtype_is_float((gd_dtype)x->dtype) ? (gd_dtype)x->dtype : GD_INT64;
    gd_tensor *all = n > 1 ? powers(c, x, n) : GX(c, ones, IS_(sizes, 2), GD_DTYPE_VALUE(dtype));
    return give_shared(a, a->args[2].u.boolean ? all : GX(c, flip, T_(all), IS_(last, 1)));
}
