/* scatter_reduce.c: scatter_reduce and index_reduce: several elements that go to one place are multiplied, averaged or
 * compared. Derivatives are in scatter_rules.c. */
#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/elements.h"
#include "core/ops/families.h"

#define TEXT 512

typedef enum reduction { R_SUM, R_PROD, R_MEAN, R_AMIN, R_AMAX, R_UNKNOWN } reduction;

static reduction reduction_named(const char *name) {
    static const char *const names[] = {"sum", "prod", "mean", "amin", "amax"};
    int i = 0;
    while (i < R_UNKNOWN && strcmp(name, names[i]) != 0) i++;
    return (reduction)i;
}

static double join_f64(reduction r, double x, double y) {
    if (r == R_SUM || r == R_MEAN) return x + y;
    if (r == R_PROD) return x * y;
    if (isnan(x) || isnan(y)) return NAN;
    return r == R_AMIN ? (y < x ? y : x) : (y > x ? y : x);
}

static int64_t join_i64(reduction r, int64_t x, int64_t y) {
    if (r == R_SUM || r == R_MEAN) return (int64_t)((uint64_t)x + (uint64_t)y);
    if (r == R_PROD) return (int64_t)((uint64_t)x * (uint64_t)y);
    return r == R_AMIN ? (y < x ? y : x) : (y > x ? y : x);
}

static void join(reduction r, gd_dtype dtype, char *to, const char *from, bool first) {
    size_t bytes = gd_dtype_bytes(dtype);
    if (first)
        memcpy(to, from, bytes);
    else if (gd_dtype_is_float(dtype))
        gd_store_f64(dtype, to, join_f64(r, gd_load_f64(dtype, to), gd_load_f64(dtype, from)));
    else
        gd_store_i64(dtype, to, join_i64(r, gd_load_i64(dtype, to), gd_load_i64(dtype, from)));
}

/* Where elements of src go. */
typedef struct destination {
    int ndim, dim;
    const int64_t *sizes; /* of the part of src that counts */
    const int64_t *index, *index_strides, *src_strides, *out_strides;
} destination;

/* One line of the last dimension: element i of src, `from` elements apart, goes to i * step + index[i * at] * along.
 * counts, if there are any, tell how many came to a place; `replace`: the first one that comes replaces what is there.
 */
typedef struct line {
    int64_t n, from, step, at, along;
    const int64_t *index;
    int64_t *counts;
    bool replace;
} line;

#define LINE(JOINED)                                                                                                   \
    for (int64_t i = 0; i < l->n; i++) {                                                                               \
        const int64_t k = i * l->step + l->index[i * l->at] * l->along;                                                \
        const T y = src[i * l->from];                                                                                  \
        const T x = out[k];                                                                                            \
        out[k] = l->replace && l->counts[k] == 0 ? y : (T)(JOINED);                                                    \
        if (l->counts) l->counts[k]++;                                                                                 \
    }                                                                                                                  \
    break
#define DEFINE_LINE(type, SUM, PRODUCT)                                                                                \
    static void line_##type(reduction r, const line *l, type *out, const type *src) {                                  \
        typedef type T;                                                                                                \
        switch (r) {                                                                                                   \
        case R_PROD: LINE(PRODUCT);                                                                                    \
        case R_AMIN: LINE((y < x) | (y != y) ? y : x);                                                                 \
        case R_AMAX: LINE((y > x) | (y != y) ? y : x);                                                                 \
        default: LINE(SUM);                                                                                            \
        }                                                                                                              \
    }
DEFINE_LINE(float, x + y, x *y)
DEFINE_LINE(double, x + y, x *y)
DEFINE_LINE(int64_t, (uint64_t)x + (uint64_t)y, (uint64_t)x *(uint64_t)y)

static void any_line(reduction r, gd_dtype dtype, const line *l, char *out, const char *src) {
    int64_t bytes = (int64_t)gd_dtype_bytes(dtype);
    for (int64_t i = 0; i < l->n; i++) {
        const int64_t k = i * l->step + l->index[i * l->at] * l->along;
        join(r, dtype, out + k * bytes, src + i * l->from * bytes, l->replace && l->counts[k] == 0);
        if (l->counts) l->counts[k]++;
    }
}

static void run_line(reduction r, gd_dtype dtype, const line *l, void *out, const void *src) {
    switch (dtype) {
    case GD_FLOAT32: line_float(r, l, out, src); break;
    case GD_FLOAT64: line_double(r, l, out, src); break;
    case GD_INT64: line_int64_t(r, l, out, src); break;
    default: any_line(r, dtype, l, out, src);
    }
}

/* Joins every element into out; counts[place], if not NULL, tells how many came. */
static void reduce_into(reduction r, gd_tensor *out, const gd_tensor *src, const destination *d, int64_t *counts,
                        bool include_self) {
    gd_dtype dtype = (gd_dtype)out->dtype;
    int last = d->ndim - 1, k;
    int64_t at[GD_MAX_DIMS] = {0}, bytes = (int64_t)gd_dtype_bytes(dtype);
    line l = {d->sizes[last],
              d->src_strides[last],
              last == d->dim ? 0 : d->out_strides[last],
              d->index_strides[last],
              d->out_strides[d->dim],
              d->index,
              counts,
              !include_self};
    for (k = 0; k <= last; k++)
        if (d->sizes[k] == 0) return;
    do {
        int64_t from = 0, place = 0, to = 0;
        for (k = 0; k < last; k++) {
            from += at[k] * d->src_strides[k];
            place += at[k] * d->index_strides[k];
            to += k == d->dim ? 0 : at[k] * d->out_strides[k];
        }
        l.index = d->index + place;
        l.counts = counts ? counts + to : NULL;
        run_line(r, dtype, &l, out->data + to * bytes, src->data + from * bytes);
        for (k = last - 1; k >= 0 && ++at[k] == d->sizes[k]; k--) at[k] = 0;
    } while (k >= 0);
}

/* Means: sums over the number of terms; whole numbers are rounded down. */
static void divide(gd_tensor *out, const int64_t *counts, bool include_self) {
    gd_dtype dtype = (gd_dtype)out->dtype;
    for (int64_t i = 0; i < out->numel; i++) {
        char *p = out->data + (size_t)i * gd_dtype_bytes(dtype);
        int64_t n = counts[i] + include_self;
        if (n <= 1) continue;
        if (gd_dtype_is_float(dtype)) {
            gd_store_f64(dtype, p, gd_load_f64(dtype, p) / (double)n);
        } else {
            int64_t v = gd_load_i64(dtype, p), q = v / n;
            gd_store_i64(dtype, p, q - (v % n < 0));
        }
    }
}

static gd_tensor *reduced(gd_ctx *c, const gd_tensor *self, const gd_tensor *src, const destination *d, reduction r,
                          bool include_self) {
    bool counted = !include_self || r == R_MEAN;
    gd_tensor *counts = counted ? gd_pool_add(c, gd_zeros(c, GD_INT64, 1, &self->numel)) : NULL;
    gd_tensor *out = counted && !counts ? NULL : gd_empty_like(c, self, (gd_dtype)self->dtype);
    if (!out) return NULL;
    gd_copy_values(out, self);
    int64_t *n = counted ? (int64_t *)(void *)counts->data : NULL;
    reduce_into(r, out, src, d, n, include_self);
    if (r == R_MEAN) divide(out, n, include_self);
    return out;
}

static int64_t size_at(const gd_tensor *t, int d) { return t->ndim ? t->sizes[d] : 1; }
static int rank_or_one(const gd_tensor *t) { return t->ndim ? t->ndim : 1; }

/* ---- scatter_reduce ---------------------------------------------------------------------------------------- */

static gd_code scatter_check(gd_apply *a, int *dim) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    gd_code code = gd_wrap_dim(c, arg_int(a, 1), t->ndim, dim);
    if (code) return code;
    if (reduction_named(a->args[4].u.str) == R_UNKNOWN)
        return gd_fail(c, GD_E_RUNTIME, "reduce argument must be either sum, prod, mean, amax or amin, got %s",
                       a->args[4].u.str);
    return gd_scatter_check(c, t, arg_tensor(a, 2), arg_tensor(a, 3), *dim);
}

gd_code gd_fw_scatter_reduce(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *src = arg_tensor(a, 3);
    const int64_t one = 1;
    int64_t strides[GD_MAX_DIMS] = {1};
    int dim;
    gd_code code = scatter_check(a, &dim);
    if (code) return code;
    if (arg_tensor(a, 2)->numel == 0) return give_shared(a, GX(c, clone, T_(GX(c, detach, T_(t)))));
    gd_tensor *index = gd_pool_add(c, gd_element_index(c, arg_tensor(a, 2), dim, size_at(t, dim)));
    if (!index) return gd_failed(c);
    gd_contiguous_strides(t->ndim, t->sizes, strides);
    destination d = {.ndim = rank_or_one(index),
                     .dim = dim,
                     .sizes = index->ndim ? index->sizes : &one,
                     .index = (const int64_t *)(const void *)index->data,
                     .index_strides = index->ndim ? GD_STRIDES(index) : &one,
                     .src_strides = src->ndim ? GD_STRIDES(src) : &one,
                     .out_strides = strides};
    return give(a, reduced(c, t, src, &d, reduction_named(a->args[4].u.str), a->args[5].u.boolean));
}

/* ---- index_reduce ------------------------------------------------------------------------------------------ */

static gd_code index_check(gd_apply *a, int *dim) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2), *source = arg_tensor(a, 3);
    gd_code code = gd_wrap_dim(c, arg_int(a, 1), t->ndim, dim);
    if (code) return code;
    reduction r = reduction_named(a->args[4].u.str);
    if (r == R_UNKNOWN || r == R_SUM)
        return gd_fail(c, GD_E_RUNTIME,
                       "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got %s.",
                       a->args[4].u.str);
    if (index->ndim > 1)
        return gd_fail(c, GD_E_INDEX, "index_reduce_(): Index is supposed to be a vector, but got dim: %d",
                       index->ndim);
    if (index->dtype != GD_INT64 && index->dtype != GD_INT32)
        return gd_fail(c, GD_E_DTYPE, "index_reduce_(): Expected dtype int32/int64 for index but got: %s",
                       gd_dtype_scalar_name((gd_dtype)index->dtype));
    if (t->dtype != source->dtype)
        return gd_fail(c, GD_E_DTYPE, "index_reduce_(): self (%s) and source (%s) must have the same scalar type",
                       gd_dtype_scalar_name((gd_dtype)t->dtype), gd_dtype_scalar_name((gd_dtype)source->dtype));
    bool fits = rank_or_one(t) == rank_or_one(source);
    for (int d = 0; d < rank_or_one(t) && fits; d++) fits = d == *dim || size_at(t, d) == size_at(source, d);
    if (!fits)
        return gd_fail(c, GD_E_SHAPE,
                       "source tensor shape must match self tensor shape, excluding the specified "
                       "dimension.");
    if (size_at(source, *dim) != index->numel)
        return gd_fail(
            c, GD_E_SHAPE,
            "index_reduce_(): Number of indices (%lld) should be equal to source.size(dim): (%lld), for dim: %d",
            (long long)index->numel, (long long)size_at(source, *dim), *dim);
    return GD_OK;
}

gd_code gd_fw_index_reduce(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *source = arg_tensor(a, 3);
    const int64_t one = 1;
    int64_t along[GD_MAX_DIMS] = {0}, strides[GD_MAX_DIMS] = {1};
    int dim;
    gd_code code = index_check(a, &dim);
    if (code) return code;
    gd_tensor *index = gd_pool_add(c, gd_element_index(c, arg_tensor(a, 2), dim, size_at(t, dim)));
    if (!index) return gd_failed(c);
    along[dim] = 1;
    gd_contiguous_strides(t->ndim, t->sizes, strides);
    destination d = {.ndim = rank_or_one(source),
                     .dim = dim,
                     .sizes = source->ndim ? source->sizes : &one,
                     .index = (const int64_t *)(const void *)index->data,
                     .index_strides = along,
                     .src_strides = source->ndim ? GD_STRIDES(source) : &one,
                     .out_strides = strides};
    return give(a, reduced(c, t, source, &d, reduction_named(a->args[4].u.str), a->args[5].u.boolean));
}
