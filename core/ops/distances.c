/* distances.c: distances between vectors, norms that bound, tables of vectors. Rules are in
 * distances_rules.c. */
#include <math.h>
#include <string.h>

#include "core/kernels/distances.h"
#include "core/kernels/gemm.h"
#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"

#define TEXT 512

/* ---- formulas ---------------------------------------------------------------------------------------------- */

gd_code gd_fw_dist(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *out = GX(c, norm, T_(gx_sub(c, arg_tensor(a, 0), arg_tensor(a, 1))), a->args[2]);
    c->mode = mode;
    return give_shared(a, out);
}

gd_code gd_fw_pairwise_distance(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *apart = gx_add_s(c, gx_sub(c, arg_tensor(a, 0), arg_tensor(a, 1)), arg_f64(a, 3));
    return give_shared(a, GX(c, norm, T_(apart), a->args[2], SHAPE_(-1), a->args[4]));
}

/* The length of x along dim, at least eps; the bound does not stop the gradient, as in PyTorch. */
static gd_tensor *bounded_length(gd_ctx *c, gd_tensor *x, gd_value dim, double eps) {
    const int64_t d = dim.u.integer;
    gd_tensor *square = GX(c, sum_dim, T_(GX(c, pow_scalar, T_(x), I_(2))), IS_(&d, 1), B_(true));
    if (!square) return NULL;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_code code = gd_do_inplace(c, GD_OP_clamp_min, (const gd_value[]){T_(square), F_(eps * eps)}, 2);
    c->mode = mode;
    return code ? NULL : GX(c, sqrt, T_(square));
}

gd_code gd_fw_cosine_similarity(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    int64_t sizes[GD_MAX_DIMS];
    int ndim;
    gd_code code = gd_broadcast_shape(c, x->ndim, x->sizes, y->ndim, y->sizes, sizes, &ndim);
    if (code) return code;
    gd_dtype dtype = gd_result_type((gd_tensor *const[]){x, y}, 2);
    if (!gd_dtype_is_float(dtype))
        return gd_fail(c, GD_E_DTYPE, "expected common dtype to be floating point, yet common dtype is %s",
                       gd_dtype_scalar_name(dtype));
    x = GX(c, expand, T_(GX(c, to_dtype, T_(x), GD_DTYPE_VALUE(dtype))), IS_(sizes, ndim));
    y = GX(c, expand, T_(GX(c, to_dtype, T_(y), GD_DTYPE_VALUE(dtype))), IS_(sizes, ndim));
    gd_tensor *lx = x ? bounded_length(c, x, a->args[2], arg_f64(a, 3)) : NULL;
    gd_tensor *ly = y ? bounded_length(c, y, a->args[2], arg_f64(a, 3)) : NULL;
    gd_tensor *product = gx_mul(c, gx_div(c, x, lx), gx_div(c, y, ly));
    return give_shared(a, GX(c, sum_dim, T_(product), SHAPE_(arg_int(a, 2))));
}

gd_code gd_fw_renorm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int64_t rest[GD_MAX_DIMS];
    double p = arg_f64(a, 1), most = arg_f64(a, 3);
    int dim, n = 0;
    if (!gd_dtype_is_float((gd_dtype)t->dtype))
        return gd_fail(c, GD_E_DTYPE, "\"renorm_scale_factor_cpu\" not implemented for '%s'",
                       gd_dtype_scalar_name((gd_dtype)t->dtype));
    if (!(p > 0)) return gd_fail(c, GD_E_RUNTIME, "renorm: non-positive-norm not supported");
    if (!(most >= 0)) return gd_fail(c, GD_E_RUNTIME, "renorm: expected maxnorm to be >= 0 but got %g", most);
    if (t->ndim < 2)
        return gd_fail(c, GD_E_RUNTIME, "renorm: input needs at least 2 dimensions, got %d dimensions", t->ndim);
    gd_code code = gd_wrap_dim(c, arg_int(a, 2), t->ndim, &dim);
    if (code) return code;
    for (int d = 0; d < t->ndim; d++)
        if (d != dim) rest[n++] = d;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *size = GX(c, norm, T_(t), F_(p), IS_(rest, n), B_(true));
    gd_tensor *over = GX(c, gt, T_(size), T_(gx_number(c, most)));
    gd_tensor *factor = gx_mul_s(c, GX(c, reciprocal, T_(gx_add_s(c, size, 1e-7))), most);
    gd_tensor *out = gx_mul(c, t, gx_where(c, over, factor, GX(c, ones_like, T_(factor))));
    c->mode = mode;
    return give_shared(a, out);
}

/* ---- distances of all pairs -------------------------------------------------------------------------------- */

/* x - y as the dtype has it: elements that make up a maximum are found again by comparing. */
static double apart(double x, double y, gd_dtype dtype) { return dtype == GD_FLOAT32 ? (double)(float)(x - y) : x - y; }

static double distance(const double *x, const double *y, int64_t n, double p, gd_dtype dtype) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs(apart(x[i], y[i], dtype));
        if (p == 0)
            sum += d != 0;
        else if (p == 1)
            sum += d;
        else if (p == 2)
            sum += d * d;
        else if (isinf(p))
            sum = d > sum || isnan(d) ? d : sum;
        else
            sum += pow(d, p);
    }
    return p == 0 || p == 1 || isinf(p) ? sum : p == 2 ? sqrt(sum) : pow(sum, 1 / p);
}

/* The slope of the distance `dist` by the difference d of one coordinate. */
static double slope(double d, double dist, double p) {
    double sign = (d > 0) - (d < 0), size = fabs(d);
    if (p == 0) return 0;
    if (p == 1) return sign;
    if (dist == 0) return 0;
    if (isinf(p)) return size == dist ? sign : 0;
    if (p == 2) return d / dist;
    if (p < 1 && d == 0) return 0;
    if (p < 2) return sign * pow(size, p - 1) / pow(dist, p - 1);
    return d * pow(size, p - 2) / pow(dist, p - 1);
}

/* A temporary: t spread over the batch, contiguous. */
static gd_tensor *spread(gd_ctx *c, gd_dtype dtype, const gd_tensor *t, const int64_t *batch, int nbatch) {
    int64_t sizes[GD_MAX_DIMS];
    if (nbatch) memcpy(sizes, batch, (size_t)nbatch * sizeof *sizes);
    sizes[nbatch] = t->sizes[t->ndim - 2];
    sizes[nbatch + 1] = t->sizes[t->ndim - 1];
    gd_tensor *full = gd_pool_add(c, gd_empty(c, dtype, nbatch + 2, sizes));
    if (full) gd_copy_values(full, t);
    return full;
}

/* The same with each matrix transposed. */
static gd_tensor *spread_turned(gd_ctx *c, gd_dtype dtype, const gd_tensor *t, const int64_t *batch, int nbatch) {
    gd_tensor turned = *t;
    int64_t geometry[2 * GD_MAX_DIMS], *strides = geometry + t->ndim;
    memcpy(geometry, t->sizes, (size_t)(2 * t->ndim) * sizeof *geometry);
    geometry[t->ndim - 2] = t->sizes[t->ndim - 1];
    geometry[t->ndim - 1] = t->sizes[t->ndim - 2];
    strides[t->ndim - 2] = GD_STRIDES(t)[t->ndim - 1];
    strides[t->ndim - 1] = GD_STRIDES(t)[t->ndim - 2];
    turned.sizes = geometry;
    return spread(c, dtype, &turned, batch, nbatch);
}

static gd_code cdist_check(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    double p = arg_f64(a, 2);
    if (x->ndim < 2 || y->ndim < 2)
        return gd_fail(c, GD_E_SHAPE, "cdist only supports at least 2D tensors, X%d got: %dD", x->ndim < 2 ? 1 : 2,
                       x->ndim < 2 ? x->ndim : y->ndim);
    if (x->sizes[x->ndim - 1] != y->sizes[y->ndim - 1])
        return gd_fail(c, GD_E_SHAPE, "X1 and X2 must have the same number of columns. X1: %lld X2: %lld",
                       (long long)x->sizes[x->ndim - 1], (long long)y->sizes[y->ndim - 1]);
    for (int i = 0; i < 2; i++)
        if (!gd_dtype_is_float((gd_dtype)arg_tensor(a, i)->dtype))
            return gd_fail(c, GD_E_DTYPE, "cdist only supports floating-point dtypes, X%d got: %s", i + 1,
                           gd_dtype_scalar_name((gd_dtype)arg_tensor(a, i)->dtype));
    if (!(p >= 0)) return gd_fail(c, GD_E_RUNTIME, "cdist only supports non-negative p values");
    if (a->args[3].kind == GD_V_NONE) return GD_OK;
    static const char *const modes[] = {"use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
                                        "donot_use_mm_for_euclid_dist"};
    for (int i = 0; i < 3; i++)
        if (strcmp(a->args[3].u.str, modes[i]) == 0) return GD_OK;
    return gd_fail(c, GD_E_VALUE, "%s is not a valid value for compute_mode", a->args[3].u.str);
}

/* The squared length of the vector of `width` elements, `step` apart, that begins at element `first`. */
static double square_of(const gd_tensor *t, int64_t first, int64_t step, int64_t width) {
    double sum = 0;
    gd_dtype dtype = (gd_dtype)t->dtype;
    for (int64_t k = 0; k < width; k++) {
        double v = gd_load_f64(dtype, t->data + (first + k * step) * (int64_t)gd_dtype_bytes(dtype));
        sum += v * v;
    }
    return sum;
}

enum { PAIRS_BY_PRODUCT = 25 }; /* as many rows in one of the two make a product of matrices worth while */

/* Distances by one product of matrices: |x|^2 + |y|^2 - 2 x y. */
static void euclidean(gd_dtype dtype, const gd_tensor *fx, const gd_tensor *fy, int64_t b, int64_t r, int64_t m,
                      int64_t width, double *lengths, char *out) {
    const int64_t bytes = (int64_t)gd_dtype_bytes(dtype);
    const char *x = fx->data + b * r * width * bytes, *y = fy->data + b * m * width * bytes;
    for (int64_t j = 0; j < m; j++) lengths[j] = square_of(fy, b * m * width + j, m, width);
    gd_gemm(dtype, r, m, width, -2, (gd_matrix){x, width, 1}, (gd_matrix){y, m, 1}, 0, out, m);
    for (int64_t i = 0; i < r; i++)
        gd_distances_finish_of(dtype)(out + i * m * bytes, lengths, x + i * width * bytes, y, m, width,
                                      square_of(fx, (b * r + i) * width, 1, width));
}

static bool is_by_product(const gd_apply *a, int64_t r, int64_t m) {
    const char *mode = a->args[3].kind == GD_V_STR ? a->args[3].u.str : "";
    if (arg_f64(a, 2) != 2 || strcmp(mode, "donot_use_mm_for_euclid_dist") == 0) return false;
    return r > PAIRS_BY_PRODUCT || m > PAIRS_BY_PRODUCT || strcmp(mode, "use_mm_for_euclid_dist") == 0;
}

gd_code gd_fw_cdist(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1), *out = NULL;
    int64_t sizes[GD_MAX_DIMS], r, m, n = 1;
    int nb;
    gd_code code = cdist_check(a);
    if (!code) code = gd_broadcast_shape(c, x->ndim - 2, x->sizes, y->ndim - 2, y->sizes, sizes, &nb);
    if (code) return code;
    gd_dtype dtype = gd_result_type((gd_tensor *const[]){x, y}, 2);
    r = x->sizes[x->ndim - 2], m = y->sizes[y->ndim - 2];
    gd_tensor *room = gd_pool_add(c, gd_empty(c, GD_FLOAT64, 1, &m)), *fx = spread(c, dtype, x, sizes, nb);
    gd_tensor *fy = fx ? spread_turned(c, dtype, y, sizes, nb) : NULL;
    int64_t width = x->sizes[x->ndim - 1], bytes = (int64_t)gd_dtype_bytes(dtype);
    for (int d = 0; d < nb; d++) n *= sizes[d];
    sizes[nb] = r;
    sizes[nb + 1] = m;
    if (fy && room) out = gd_empty(c, dtype, nb + 2, sizes);
    if (!out || out->numel == 0) return give(a, out);
    gd_distance_loop loop = gd_distances_of(dtype);
    double *numbers = (double *)(void *)room->data;
    if (is_by_product(a, r, m)) {
        for (int64_t b = 0; b < n; b++)
            euclidean(dtype, fx, fy, b, r, m, width, numbers, out->data + b * r * m * bytes);
        return give(a, out);
    }
    for (int64_t i = 0; i < n * r; i++)
        loop(out->data + i * m * bytes, numbers, fx->data + i * width * bytes, fy->data + i / r * m * width * bytes, m,
             width, arg_f64(a, 2));
    return give(a, out);
}

gd_code gd_fw__cdist_backward(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *g = arg_tensor(a, 0), *x = arg_tensor(a, 1), *y = arg_tensor(a, 2), *d = arg_tensor(a, 4);
    int nb = g->ndim - 2;
    int64_t sizes[GD_MAX_DIMS], n = 1, r = g->sizes[nb], m = g->sizes[nb + 1], width = x->sizes[x->ndim - 1];
    for (int k = 0; k < nb; k++) n *= sizes[k] = g->sizes[k];
    gd_tensor *fx = spread(c, GD_FLOAT64, x, sizes, nb), *fy = fx ? spread(c, GD_FLOAT64, y, sizes, nb) : NULL;
    gd_tensor *fg = fy ? spread(c, GD_FLOAT64, g, sizes, nb) : NULL,
              *fd = fg ? spread(c, GD_FLOAT64, d, sizes, nb) : NULL, *sum = NULL;
    sizes[nb] = r;
    sizes[nb + 1] = width;
    if (fd) sum = gd_pool_add(c, gd_zeros(c, GD_FLOAT64, nb + 2, sizes));
    if (!sum) return gd_failed(c);
    const double *px = (const double *)(const void *)fx->data, *py = (const double *)(const void *)fy->data;
    const double *pg = (const double *)(const void *)fg->data, *pd = (const double *)(const void *)fd->data;
    double *out = (double *)(void *)sum->data;
    for (int64_t b = 0; b < n; b++)
        for (int64_t i = b * r; i < (b + 1) * r; i++)
            for (int64_t j = 0; j < m; j++)
                for (int64_t k = 0; k < width; k++)
                    out[i * width + k] +=
                        pg[i * m + j] * slope(apart(px[i * width + k], py[(b * m + j) * width + k], (gd_dtype)g->dtype),
                                              pd[i * m + j], arg_f64(a, 3));
    return give(a, gd_as_dtype(c, sum, (gd_dtype)g->dtype));
}

gd_code gd_fw_pdist(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    double p = arg_f64(a, 1);
    if (t->ndim != 2) return gd_fail(c, GD_E_SHAPE, "pdist only supports 2D tensors, got: %dD", t->ndim);
    if (!gd_dtype_is_float((gd_dtype)t->dtype))
        return gd_fail(c, GD_E_DTYPE, "pdist only supports floating-point dtypes");
    if (!(p >= 0)) return gd_fail(c, GD_E_RUNTIME, "pdist only supports non-negative p values");
    int64_t n = t->sizes[0], m = t->sizes[1], twice, at = 0;
    if (!gd_mul_i64(n, n > 0 ? n - 1 : 0, &twice)) return gd_fail(c, GD_E_TOO_LARGE, "pdist: too many pairs");
    twice /= 2;
    gd_tensor *full = spread(c, GD_FLOAT64, t, NULL, 0),
              *out = full ? gd_empty(c, (gd_dtype)t->dtype, 1, &twice) : NULL;
    const double *v = full ? (const double *)(const void *)full->data : NULL;
    for (int64_t i = 0; out && i < n; i++)
        for (int64_t j = i + 1; j < n; j++, at++)
            gd_store_f64((gd_dtype)t->dtype, out->data + (size_t)at * gd_dtype_bytes((gd_dtype)t->dtype),
                         distance(v + i * m, v + j * m, m, p, (gd_dtype)t->dtype));
    return give(a, out);
}

/* ---- embedding --------------------------------------------------------------------------------------------- */

gd_code gd_bound_rows(gd_ctx *c, gd_tensor *weight, gd_tensor *indices, double most, double p) {
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *flat = GX(c, reshape, T_(indices), SHAPE_(-1));
    gd_tensor *rows = GX(c, index_select, T_(weight), I_(0), T_(flat));
    gd_tensor *bounded = GX(c, renorm, T_(rows), F_(p), I_(0), F_(most));
    gd_tensor *list[] = {flat};
    gd_code code = bounded
                       ? gd_do_inplace(c, GD_OP_index_put, (const gd_value[]){T_(weight), TS_(list, 1), T_(bounded)}, 3)
                       : gd_failed(c);
    c->mode = mode;
    return code;
}

gd_code gd_fw_embedding(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *indices = arg_tensor(a, 0), *weight = arg_tensor(a, 1);
    int64_t padding = -1;
    if (weight->ndim != 2) return gd_fail(c, GD_E_SHAPE, "'weight' must be 2-D");
    if (indices->dtype != GD_INT64 && indices->dtype != GD_INT32)
        return gd_fail(
            c, GD_E_DTYPE,
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; "
            "but got torch.%s instead (while checking arguments for embedding)",
            gd_dtype_legacy_name((gd_dtype)indices->dtype));
    if (a->args[2].kind == GD_V_INT) {
        padding = arg_int(a, 2);
        if (padding >= weight->sizes[0] || padding < -weight->sizes[0])
            return gd_fail(c, GD_E_VALUE, "Padding_idx must be within num_embeddings");
        if (padding < 0) padding += weight->sizes[0];
    }
    if (a->args[6].u.boolean) return gd_fail(c, GD_E_NOT_IMPLEMENTED, "sparse gradients are not supported");
    if (a->args[3].kind != GD_V_NONE) {
        gd_code code = gd_bound_rows(c, weight, indices, arg_f64(a, 3), arg_f64(a, 4));
        if (code) return code;
    }
    return give_shared(a, GX(c, _embedding, T_(weight), T_(indices), I_(padding), a->args[5], B_(false)));
}

gd_code gd_fw__embedding(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *weight = arg_tensor(a, 0), *indices = arg_tensor(a, 1);
    int64_t sizes[GD_MAX_DIMS];
    if (indices->ndim == GD_MAX_DIMS)
        return gd_fail(c, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
    for (int d = 0; d < indices->ndim; d++) sizes[d] = indices->sizes[d];
    sizes[indices->ndim] = weight->sizes[1];
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *rows = GX(c, index_select, T_(weight), I_(0), T_(GX(c, reshape, T_(indices), SHAPE_(-1))));
    gd_tensor *out = rows ? gd_empty(c, (gd_dtype)weight->dtype, indices->ndim + 1, sizes) : NULL;
    if (out) memcpy(out->data, rows->data, gd_nbytes(rows));
    c->mode = mode;
    return give(a, out);
}
