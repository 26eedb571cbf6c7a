/* histogram.c: rows that count elements or points by value. A point lies in a cell if each coordinate lies between the
 * cell's edges, the upper one excluded except at the end of the range; what lies outside is not
 * counted. A NaN that a range asked for lets in falls, as in PyTorch, into the first cell, among given edges the last.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"

/* How to find a cell among edges: by division, by division put right by a look at its neighbours (equal parts), or by
 * halving (any edges). */
typedef enum way { DIVIDE, DIVIDE_AND_LOOK, HALVE } way;

typedef struct cells {
    const void *points, *weights; /* `dims` coordinates each; weights may be NULL */
    int64_t npoints;
    int dims;
    way how;
    const void *edges[GD_MAX_DIMS];
    int64_t nedges[GD_MAX_DIMS], strides[GD_MAX_DIMS];
} cells;

#define DEFINE_COUNT(tag, T)                                                                                           \
    /* The last of the edges low … high - 1 that is not above x, or low - 1. */                                      \
    static int64_t halve_##tag(const T *edges, int64_t low, int64_t high, T x) {                                       \
        while (low < high) {                                                                                           \
            int64_t middle = low + (high - low) / 2;                                                                   \
            if (!(edges[middle] > x))                                                                                  \
                low = middle + 1;                                                                                      \
            else                                                                                                       \
                high = middle;                                                                                         \
        }                                                                                                              \
        return low - 1;                                                                                                \
    }                                                                                                                  \
    static int64_t cell_##tag(const T *edges, int64_t n, way how, T x) {                                               \
        const T first = edges[0], last = edges[n - 1];                                                                 \
        int64_t at = 0;                                                                                                \
        if (x < first || x > last) return -1;                                                                          \
        if (how == HALVE) {                                                                                            \
            at = halve_##tag(edges, 0, n, x);                                                                          \
        } else {                                                                                                       \
            const T part = (x - first) * (T)(n - 1) / (last - first);                                                  \
            at = part >= 0 && part <= (T)(n - 1) ? (int64_t)part : part > 0 ? n - 1 : 0;                               \
        }                                                                                                              \
        if (how == DIVIDE_AND_LOOK && x == x)                                                                          \
            at = halve_##tag(edges, at > 0 ? at - 1 : 0, at + 2 < n ? at + 2 : n, x);                                  \
        if (at < 0) return -1;                                                                                         \
        return at < n - 1 ? at : n - 2;                                                                                \
    }                                                                                                                  \
    static void count_##tag(const cells *c, T *out) {                                                                  \
        const T *x = c->points, *w = c->weights;                                                                       \
        for (int64_t i = 0; i < c->npoints; i++, x += c->dims) {                                                       \
            int64_t to = 0, at = 0;                                                                                    \
            for (int d = 0; d < c->dims && at >= 0; d++) {                                                             \
                at = cell_##tag(c->edges[d], c->nedges[d], c->how, x[d]);                                              \
                to += at * c->strides[d];                                                                              \
            }                                                                                                          \
            if (at >= 0) out[to] += w ? w[i] : (T)1;                                                                   \
        }                                                                                                              \
    }
DEFINE_COUNT(f32, float)
DEFINE_COUNT(f64, double)

/* ---- points, edges, cells ------------------------------------------------------------------------ */

/* A histogram being made. Tensors are temporaries of the pool. */
typedef struct plan {
    gd_ctx *c;
    gd_tensor *points, *weights; /* contiguous */
    gd_dtype dtype;
    int dims;
    int64_t npoints;
    gd_tensor *edges[GD_MAX_DIMS];
} plan;

static gd_tensor *contiguous(gd_ctx *c, gd_tensor *t) { return t ? gd_pool_add(c, gd_as_contiguous(c, t)) : NULL; }

static gd_tensor *counted(const plan *p, way how) {
    int64_t sizes[GD_MAX_DIMS], stride = 1;
    cells s = {.points = p->points->data, .npoints = p->npoints, .dims = p->dims, .how = how};
    s.weights = p->weights ? p->weights->data : NULL;
    for (int d = 0; d < p->dims; d++) {
        s.edges[d] = p->edges[d]->data;
        s.nedges[d] = p->edges[d]->numel;
        sizes[d] = s.nedges[d] - 1;
    }
    gd_tensor *out = gd_pool_add(p->c, gd_zeros(p->c, p->dtype, p->dims, sizes));
    if (!out || !out->numel) return out;
    for (int d = p->dims - 1; d >= 0; d--) {
        s.strides[d] = stride;
        stride *= sizes[d];
    }
    if (p->dtype == GD_FLOAT64)
        count_f64(&s, (double *)(void *)out->data);
    else
        count_f32(&s, (float *)(void *)out->data);
    return out;
}

/* Counts over their sum and over the sizes of their cells. */
static gd_tensor *as_density(const plan *p, gd_tensor *hist) {
    gd_ctx *c = p->c;
    gd_tensor *sum = GX(c, sum, T_(hist));
    if (!sum) return NULL;
    hist = gx_div(c, hist, gx_number(c, gd_load_f64(p->dtype, sum->data)));
    for (int d = 0; d < p->dims; d++) {
        int64_t sizes[GD_MAX_DIMS], n = p->edges[d]->numel - 1;
        for (int k = 0; k < p->dims; k++) sizes[k] = k == d ? n : 1;
        gd_tensor *above = GX(c, narrow, T_(p->edges[d]), I_(0), I_(1), I_(n));
        gd_tensor *lengths = gx_sub(c, above, GX(c, narrow, T_(p->edges[d]), I_(0), I_(0), I_(n)));
        hist = gx_div(c, hist, GX(c, view, T_(lengths), IS_(sizes, p->dims)));
    }
    return hist;
}

static gd_code finish(gd_apply *a, plan *p, way how, bool density) {
    gd_tensor *hist = counted(p, how);
    if (hist && density) hist = as_density(p, hist);
    if (!hist) return gd_failed(p->c);
    gd_code code = gd_apply_reserve(a, p->dims + 1);
    if (code) return code;
    a->out[0] = gd_retain(hist);
    for (int d = 0; d < p->dims; d++) a->out[d + 1] = gd_retain(p->edges[d]);
    a->nout = p->dims + 1;
    return GD_OK;
}

/* New: a contiguous copy that shares nothing with t. */
static gd_tensor *copy_of(gd_ctx *c, const gd_tensor *t) {
    gd_tensor *copy = gd_empty_like(c, t, (gd_dtype)t->dtype);
    if (copy) gd_copy_values(copy, t);
    return copy;
}

/* ---- checks -------------------------------------------------------------------------------------- */

static gd_code check_edges(gd_ctx *c, const plan *p, const gd_tensor *edges, int d) {
    if (edges->dtype != p->dtype)
        return gd_fail(
            c, GD_E_DTYPE,
            "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with "
            "dtype %s and bins for dimension %d with dtype %s",
            gd_dtype_c_name(p->dtype), d, gd_dtype_c_name((gd_dtype)edges->dtype));
    if (edges->ndim != 1)
        return gd_fail(
            c, GD_E_SHAPE,
            "torch.histogramdd: bins tensor should have one dimension, but got %d dimensions in the bins tensor "
            "for dimension %d",
            edges->ndim, d);
    if (edges->numel == 0)
        return gd_fail(c, GD_E_SHAPE,
                       "torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins "
                       "tensor for dimension %d",
                       d);
    if (edges->numel == 1)
        return gd_fail(c, GD_E_VALUE, "torch.histogram(): bins must be > 0, but got 0 for dimension %d", d);
    return GD_OK;
}

/* n: how many dimensions the points' shape has; the last holds coordinates. */
static gd_code check_weight(gd_ctx *c, const plan *p, const gd_tensor *w, int n, const int64_t *sizes) {
    char have[256], want[256];
    if (w->dtype != p->dtype)
        return gd_fail(
            c, GD_E_DTYPE,
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the "
            "same dtype, but got input(%s), and weight(%s)",
            gd_dtype_c_name(p->dtype), gd_dtype_c_name((gd_dtype)w->dtype));
    if (w->ndim != n - 1 || memcmp(w->sizes, sizes, (size_t)w->ndim * sizeof *sizes))
        return gd_fail(
            c, GD_E_SHAPE,
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
            "excluding its innermost dimension, but got input with shape %s and weight with shape %s",
            gd_shape_text(want, sizeof want, n, sizes), gd_shape_text(have, sizeof have, w->ndim, w->sizes));
    return GD_OK;
}

static gd_code check_dtype(gd_ctx *c, const plan *p) {
    if (gd_dtype_is_float(p->dtype)) return GD_OK;
    return gd_fail(c, GD_E_DTYPE, "\"histogramdd\" not implemented for '%s'", gd_dtype_scalar_name(p->dtype));
}

/* ---- equal parts --------------------------------------------------------------------------------- */

/* Least and greatest of coordinate d; of no points, or where they are one, a range of length 1. */
static gd_code range_of(const plan *p, int d, const gd_value *range, double *low, double *high) {
    size_t width = gd_dtype_bytes(p->dtype);
    *low = *high = p->npoints ? gd_load_f64(p->dtype, p->points->data + (size_t)d * width) : 0;
    if (range->kind == GD_V_FLOATS) {
        *low = range->u.floats[2 * d];
        *high = range->u.floats[2 * d + 1];
    }
    for (int64_t i = 0; range->kind != GD_V_FLOATS && i < p->npoints; i++) {
        double x = gd_load_f64(p->dtype, p->points->data + (size_t)(i * p->dims + d) * width);
        if (!(x >= *low)) *low = x;
        if (!(x <= *high)) *high = x;
        if (x != x) break;
    }
    if (range->kind != GD_V_FLOATS && p->npoints == 0) *high = 1;
    if (!isfinite(*low) || !isfinite(*high))
        return gd_fail(p->c, GD_E_VALUE, "torch.histogramdd: dimension %d's range [%g, %g] is not finite", d, *low,
                       *high);
    if (*low > *high)
        return gd_fail(p->c, GD_E_VALUE,
                       "torch.histogramdd: min should not exceed max, but got min %g max %g for dimension %d", *low,
                       *high, d);
    if (*low == *high) {
        *low -= 0.5;
        *high += 0.5;
    }
    return GD_OK;
}

static gd_code positive_bins(gd_ctx *c, int64_t bins, int d) {
    if (bins > 0 && bins < INT64_MAX) return GD_OK;
    return gd_fail(c, bins > 0 ? GD_E_TOO_LARGE : GD_E_VALUE,
                   "torch.histogram(): bins must be > 0, but got %" PRId64 " for dimension %d", bins, d);
}

static gd_code part(plan *p, const int64_t *bins, const gd_value *range) {
    int64_t sizes[GD_MAX_DIMS], numel;
    double low, high;
    if (range->kind == GD_V_FLOATS && range->n != 2 * (uint32_t)p->dims)
        return gd_fail(p->c, GD_E_VALUE,
                       "torch.histogramdd: for a %d-dimensional histogram range should have %d elements, but got %u",
                       p->dims, 2 * p->dims, range->n);
    gd_code code = GD_OK;
    for (int d = 0; d < p->dims && !code; d++) {
        code = positive_bins(p->c, bins[d], d);
        sizes[d] = bins[d];
    }
    if (!code) code = gd_checked_numel(p->c, p->dtype, p->dims, sizes, &numel);
    if (!code) code = check_dtype(p->c, p);
    for (int d = 0; d < p->dims && !code; d++) {
        code = range_of(p, d, range, &low, &high);
        if (code) return code;
        p->edges[d] = GX(p->c, linspace, F_(low), F_(high), I_(bins[d] + 1), GD_DTYPE_VALUE(p->dtype));
        if (!p->edges[d]) return gd_failed(p->c);
    }
    return code;
}

/* ---- rows ---------------------------------------------------------------------------------------- */

/* All elements of self as points of one coordinate. */
static gd_code flat_points(gd_apply *a, plan *p, int weight) {
    gd_tensor *self = arg_tensor(a, 0), *w = a->args[weight].kind == GD_V_TENSOR ? arg_tensor(a, weight) : NULL;
    *p = (plan){.c = a->ctx, .dtype = (gd_dtype)self->dtype, .dims = 1, .npoints = self->numel};
    const int64_t shape[] = {self->numel, 1};
    p->points = contiguous(p->c, self);
    if (w && p->points) p->weights = contiguous(p->c, GX(p->c, reshape, T_(w), SHAPE_(-1)));
    if (!p->points || (w && !p->weights)) return gd_failed(p->c);
    return w ? check_weight(p->c, p, p->weights, 2, shape) : GD_OK;
}

gd_code gd_fw_histogram(gd_apply *a) {
    plan p;
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    int64_t bins = arg_int(a, 1);
    gd_code code = flat_points(a, &p, 3);
    if (!code) code = part(&p, &bins, &a->args[2]);
    if (!code) code = finish(a, &p, DIVIDE_AND_LOOK, a->args[4].u.boolean);
    c->mode = mode;
    return code;
}

gd_code gd_fw_histogram_edges(gd_apply *a) {
    plan p;
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_code code = flat_points(a, &p, 2);
    if (!code) code = check_edges(c, &p, arg_tensor(a, 1), 0);
    if (!code) code = check_dtype(c, &p);
    p.edges[0] = code ? NULL : gd_pool_add(c, copy_of(c, arg_tensor(a, 1)));
    if (!code) code = p.edges[0] ? finish(a, &p, HALVE, a->args[3].u.boolean) : gd_failed(c);
    c->mode = mode;
    return code;
}

static gd_code rows_as_points(gd_apply *a, plan *p) {
    gd_tensor *self = arg_tensor(a, 0), *w = a->args[3].kind == GD_V_TENSOR ? arg_tensor(a, 3) : NULL;
    *p = (plan){.c = a->ctx, .dtype = (gd_dtype)self->dtype};
    if (self->ndim < 2)
        return gd_fail(p->c, GD_E_SHAPE, "torch.histogramdd: input tensor should have at least 2 dimensions");
    int64_t n = self->sizes[self->ndim - 1];
    if (n > GD_MAX_DIMS)
        return gd_fail(p->c, GD_E_TOO_LARGE, "torch.histogramdd: points may have %d coordinates, but got %" PRId64,
                       GD_MAX_DIMS, n);
    p->dims = (int)n;
    p->npoints = n ? self->numel / n : 0;
    gd_code code = w ? check_weight(p->c, p, w, self->ndim, self->sizes) : GD_OK;
    if (code) return code;
    p->points = contiguous(p->c, self);
    p->weights = w ? contiguous(p->c, w) : NULL;
    return !p->points || (w && !p->weights) ? gd_failed(p->c) : GD_OK;
}

static gd_code check_each(gd_apply *a, const plan *p) {
    if ((int)a->args[1].n == p->dims) return GD_OK;
    return gd_fail(a->ctx, GD_E_VALUE,
                   "torch.histogramdd: The size of bins must be equal to the innermost dimension of the input.");
}

gd_code gd_fw_histogramdd(gd_apply *a) {
    plan p;
    int64_t bins[GD_MAX_DIMS];
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    bool list = a->args[1].kind == GD_V_INTS;
    gd_code code = rows_as_points(a, &p);
    if (!code && list) code = check_each(a, &p);
    for (int d = 0; !code && d < p.dims; d++) bins[d] = list ? arg_ints(a, 1)[d] : arg_int(a, 1);
    if (!code) code = part(&p, bins, &a->args[2]);
    if (!code) code = finish(a, &p, DIVIDE_AND_LOOK, a->args[4].u.boolean);
    c->mode = mode;
    return code;
}

gd_code gd_fw_histogramdd_edges(gd_apply *a) {
    plan p;
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_code code = rows_as_points(a, &p);
    if (!code) code = check_each(a, &p);
    for (int d = 0; !code && d < p.dims; d++) {
        gd_tensor *edges = a->args[1].u.tensors[d];
        code = check_edges(c, &p, edges, d);
        p.edges[d] = code ? NULL : gd_pool_add(c, copy_of(c, edges));
        if (!code && !p.edges[d]) code = gd_failed(c);
    }
    if (!code) code = check_dtype(c, &p);
    if (!code) code = finish(a, &p, HALVE, a->args[4].u.boolean);
    c->mode = mode;
    return code;
}

/* The range asked for; if that is none, of the elements; of equal ones or none, one of length 2. */
static gd_code histc_range(gd_apply *a, const plan *p, double *low, double *high) {
    gd_ctx *c = a->ctx;
    *low = arg_f64(a, 2);
    *high = arg_f64(a, 3);
    if (*low == *high && p->npoints) {
        gd_tensor *least = GX(c, min, T_(p->points)), *greatest = GX(c, max, T_(p->points));
        if (!least || !greatest) return gd_failed(c);
        *low = gd_load_f64(p->dtype, least->data);
        *high = gd_load_f64(p->dtype, greatest->data);
    }
    if (*low == *high) {
        *low -= 1;
        *high += 1;
    }
    if (!isfinite(*low) || !isfinite(*high))
        return gd_fail(c, GD_E_VALUE, "torch.histc: range of [%g, %g] is not finite", *low, *high);
    if (!(*low < *high)) return gd_fail(c, GD_E_VALUE, "torch.histc: max must be larger than min");
    return GD_OK;
}

gd_code gd_fw_histc(gd_apply *a) {
    plan p;
    double low, high;
    int64_t bins = arg_int(a, 1);
    gd_tensor *self = arg_tensor(a, 0);
    gd_ctx *c = gd_composing(a);
    p = (plan){.c = c, .dtype = (gd_dtype)self->dtype, .dims = 1, .npoints = self->numel};
    if (!gd_dtype_is_float(p.dtype))
        return gd_fail(c, GD_E_DTYPE, "\"%s\" not implemented for '%s'",
                       p.dtype == GD_BOOL ? "linspace_cpu" : "histogram_cpu", gd_dtype_scalar_name(p.dtype));
    gd_code code = positive_bins(c, bins, 0);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    p.points = contiguous(c, self);
    code = p.points ? histc_range(a, &p, &low, &high) : gd_failed(c);
    if (!code) p.edges[0] = GX(c, linspace, F_(low), F_(high), I_(bins + 1), GD_DTYPE_VALUE(p.dtype));
    gd_tensor *hist = p.edges[0] ? counted(&p, DIVIDE) : NULL;
    c->mode = mode;
    if (code) return code;
    return hist ? give_shared(a, hist) : gd_failed(c);
}

/* ---- whole numbers ------------------------------------------------------------------------------- */

/* The greatest element of the contiguous t, -1 if there is none; false if one is negative. */
static bool greatest(const gd_tensor *t, int64_t *most) {
    size_t width = gd_dtype_bytes((gd_dtype)t->dtype);
    *most = -1;
    for (int64_t i = 0; i < t->numel; i++) {
        int64_t x = gd_load_i64((gd_dtype)t->dtype, t->data + (size_t)i * width);
        if (x < 0) return false;
        if (x > *most) *most = x;
    }
    return true;
}

static void tally(gd_tensor *out, const gd_tensor *in, const gd_tensor *weights) {
    size_t width = gd_dtype_bytes((gd_dtype)in->dtype);
    void *to = out->data;
    for (int64_t i = 0; i < in->numel; i++) {
        int64_t at = gd_load_i64((gd_dtype)in->dtype, in->data + (size_t)i * width);
        if (!weights)
            ((int64_t *)to)[at]++;
        else if (out->dtype == GD_FLOAT32)
            ((float *)to)[at] += ((const float *)(const void *)weights->data)[i];
        else
            ((double *)to)[at] += ((const double *)(const void *)weights->data)[i];
    }
}

gd_code gd_fw_bincount(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0), *w = a->args[1].kind == GD_V_TENSOR ? arg_tensor(a, 1) : NULL;
    gd_ctx *c = gd_composing(a);
    gd_dtype own = (gd_dtype)self->dtype;
    int64_t least = arg_int(a, 2), most, n = 0;
    if (gd_dtype_is_float(own) || own == GD_BOOL)
        return gd_fail(c, GD_E_DTYPE, "\"bincount_cpu\" not implemented for '%s'", gd_dtype_scalar_name(own));
    if (least < 0) return gd_fail(c, GD_E_VALUE, "minlength should be >= 0");
    gd_tensor *in = contiguous(c, self);
    if (!in) return gd_failed(c);
    if (self->ndim == 1 && !self->numel) return give(a, gd_zeros(c, GD_INT64, 1, &least));
    if (self->ndim != 1 || !greatest(in, &most))
        return gd_fail(c, GD_E_RUNTIME, "bincount only supports 1-d non-negative integral inputs.");
    if (w && (w->ndim != 1 || w->numel != self->numel))
        return gd_fail(c, GD_E_SHAPE, "weights should be 1-d and have the same length as input");
    if (!gd_add_i64(most, 1, &n)) n = INT64_MAX;
    if (n < least) n = least;
    gd_dtype dtype = !w ? GD_INT64 : w->dtype == GD_FLOAT32 ? GD_FLOAT32 : GD_FLOAT64;
    gd_tensor *cast = w ? gd_pool_add(c, gd_as_dtype(c, w, dtype)) : NULL,
              *weights = w && cast ? contiguous(c, cast) : NULL;
    if (w && !weights) return gd_failed(c);
    gd_tensor *out = gd_zeros(c, dtype, 1, &n);
    if (out) tally(out, in, weights);
    return give(a, out);
}
