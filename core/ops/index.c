/* index.c: rows that read and write elements by index tensor and mask. Everything is checked before the first write.
 * The Python forms x[…] and x[…] = … are lowered to these rows in subscript.c. */
#include <string.h>

#include "core/kernels/index.h"
#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/elements.h"
#include "core/ops/families.h"

#define TEXT 512

/* ---- plans --------------------------------------------------------------------------------- */

/* What the indices of one application come to. */
typedef struct lookup {
    gd_index_plan plan;
    int n;                         /* index tensors after masks became coordinates; NULL: the whole dimension */
    gd_tensor *index[GD_MAX_DIMS]; /* owned, int64, contiguous after broadcasting */
    gd_tensor *offsets;            /* owned: backs plan.offsets */
    int block_ndim;                /* the indices' broadcast shape */
    int64_t block[GD_MAX_DIMS];
    int result_ndim;
    int64_t result[GD_MAX_DIMS];
} lookup;

static void lookup_clear(lookup *l) {
    for (int i = 0; i < l->n; i++) gd_release(l->index[i]);
    gd_release(l->offsets);
}

static gd_code too_many(gd_ctx *c, const gd_tensor *t, int n) {
    return gd_fail(c, GD_E_INDEX, "too many indices for tensor of dimension %d (got %d)", t->ndim, n);
}

/* A mask at dimension l->n of t becomes one index tensor for each of its dimensions. */
static gd_code add_mask(gd_ctx *c, lookup *l, const gd_tensor *t, gd_tensor *mask) {
    char mask_text[TEXT], text[TEXT];
    int64_t *rows[GD_MAX_DIMS];
    for (int d = 0; d < mask->ndim; d++) {
        int dim = l->n + d;
        if (dim >= t->ndim) return too_many(c, t, dim + 1);
        if (mask->sizes[d] != t->sizes[dim])
            return gd_fail(
                c, GD_E_INDEX,
                "The shape of the mask %s at index %d does not match the shape of the indexed tensor %s at index %d",
                gd_shape_text(mask_text, sizeof mask_text, mask->ndim, mask->sizes), d,
                gd_shape_text(text, sizeof text, t->ndim, t->sizes), dim);
    }
    gd_tensor *plain = gd_as_contiguous(c, mask);
    if (!plain) return gd_failed(c);
    int64_t hits = gd_mask_count(plain);
    gd_code code = GD_OK;
    for (int d = 0; d < mask->ndim && !code; d++) {
        gd_tensor *row = gd_empty(c, GD_INT64, 1, &hits);
        if (!row)
            code = gd_failed(c);
        else
            rows[d] = (int64_t *)(void *)(l->index[l->n++] = row)->data;
    }
    if (!code) gd_mask_coordinates(plain, rows);
    gd_release(plain);
    return code;
}

/* Turns the client's list into int64 tensors, one for each leading dimension of t. */
static gd_code collect(gd_ctx *c, lookup *l, const gd_tensor *t, const gd_value *list) {
    for (uint32_t i = 0; i < list->n; i++) {
        gd_tensor *index = list->u.tensors[i];
        gd_code code = GD_OK;
        if (index && index->ndim > 0 && (index->dtype == GD_BOOL || index->dtype == GD_UINT8)) {
            code = add_mask(c, l, t, index);
        } else if (l->n >= t->ndim) {
            return too_many(c, t, (int)list->n);
        } else if (!index) {
            l->index[l->n++] = NULL;
        } else if (index->dtype != GD_INT64) {
            return gd_fail(c, GD_E_INDEX, "tensors used as indices must be long, byte or bool tensors");
        } else {
            l->index[l->n++] = gd_retain(index);
        }
        if (code) return code;
    }
    return GD_OK;
}

static gd_code index_misfit(gd_ctx *c, const lookup *l) {
    char all[TEXT], one[TEXT];
    size_t used = 0;
    all[0] = 0;
    for (int i = 0; i < l->n; i++) {
        if (!l->index[i]) continue;
        gd_shape_text(one, sizeof one, l->index[i]->ndim, l->index[i]->sizes);
        size_t room = sizeof all - used, need = strlen(one) + 2;
        if (need >= room) break;
        memcpy(all + used, used ? ", " : "", used ? 2 : 0);
        used += used ? 2 : 0;
        memcpy(all + used, one, strlen(one) + 1);
        used += strlen(one);
    }
    return gd_fail(c, GD_E_INDEX, "shape mismatch: indexing tensors could not be broadcast together with shapes %s",
                   all);
}

/* The block: the broadcast shape of all index tensors. */
static gd_code block_shape(gd_ctx *c, lookup *l) {
    l->block_ndim = 0;
    for (int i = 0; i < l->n; i++) {
        int64_t shape[GD_MAX_DIMS];
        int ndim;
        if (!l->index[i]) continue;
        if (gd_broadcast_shape(c, l->block_ndim, l->block, l->index[i]->ndim, l->index[i]->sizes, shape, &ndim))
            return index_misfit(c, l);
        memcpy(l->block, shape, (size_t)ndim * sizeof *shape);
        l->block_ndim = ndim;
    }
    return gd_checked_numel(c, GD_INT64, l->block_ndim, l->block, &l->plan.count);
}

static bool result_is_empty(const lookup *l) {
    for (int d = 0; d < l->result_ndim; d++)
        if (l->result[d] == 0) return true;
    return false;
}

/* Adds index k (dimension `dim` of t) to the offsets; wraps negatives and checks bounds. `ordinal` counts the index
 * tensors: PyTorch names that as the dimension. */
static gd_code add_offsets(gd_ctx *c, lookup *l, const gd_tensor *t, int dim, int ordinal) {
    gd_tensor *index = l->index[dim], *full = gd_empty(c, GD_INT64, l->block_ndim, l->block);
    if (!full) return gd_failed(c);
    gd_copy_values(full, index);
    int64_t size = t->sizes[dim], step = GD_STRIDES(t)[dim] * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    int64_t *offsets = (int64_t *)(void *)l->offsets->data;
    const int64_t *at = (const int64_t *)(const void *)full->data;
    gd_code code = GD_OK;
    /* PyTorch minds no index when nothing is taken, unless the dimension itself is empty. */
    bool nothing = size != 0 && result_is_empty(l);
    for (int64_t i = 0; i < l->plan.count && !code && !nothing; i++) {
        if (size == 0)
            code = gd_fail(c, GD_E_INDEX, "index is out of bounds for dimension with size 0");
        else if (at[i] < -size || at[i] >= size)
            code = gd_fail(c, GD_E_INDEX, "index %lld is out of bounds for dimension %d with size %lld",
                           (long long)at[i], ordinal, (long long)size);
        else
            offsets[i] += (at[i] < 0 ? at[i] + size : at[i]) * step;
    }
    gd_release(full);
    return code;
}

static void add_dim(const gd_tensor *t, int d, int64_t *sizes, int64_t *strides, int *n) {
    sizes[*n] = t->sizes[d];
    strides[(*n)++] = GD_STRIDES(t)[d] * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
}

/* Where the block goes: in place of the indexed dimensions if they are adjacent, else in front. */
static gd_code lay_out(gd_ctx *c, lookup *l, const gd_tensor *t) {
    int first = -1, last = -1, used = 0, n = 0;
    gd_index_plan *p = &l->plan;
    for (int i = 0; i < l->n; i++) {
        if (!l->index[i]) continue;
        if (first < 0) first = i;
        last = i;
        used++;
    }
    bool adjacent = used && last - first + 1 == used;
    for (int d = 0; d < t->ndim; d++) {
        if (d < l->n && l->index[d]) continue;
        if (adjacent && d < first)
            add_dim(t, d, p->before_sizes, p->before_strides, &p->nbefore);
        else
            add_dim(t, d, p->after_sizes, p->after_strides, &p->nafter);
    }
    if (p->nbefore + l->block_ndim + p->nafter > GD_MAX_DIMS)
        return gd_fail(c, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
    for (int d = 0; d < p->nbefore; d++) l->result[n++] = p->before_sizes[d];
    for (int d = 0; d < l->block_ndim; d++) l->result[n++] = l->block[d];
    for (int d = 0; d < p->nafter; d++) l->result[n++] = p->after_sizes[d];
    l->result_ndim = n;
    return GD_OK;
}

/* Fills l (zeroed by the caller, cleared with lookup_clear also on failure). */
static gd_code look_up(gd_ctx *c, lookup *l, const gd_tensor *t, const gd_value *list) {
    int ordinal = 0;
    if (list->n > GD_MAX_DIMS) return too_many(c, t, (int)list->n);
    gd_code code = collect(c, l, t, list);
    if (!code) code = block_shape(c, l);
    if (!code) code = lay_out(c, l, t);
    if (code) return code;
    l->offsets = gd_zeros(c, GD_INT64, 1, &l->plan.count);
    if (!l->offsets) return gd_failed(c);
    l->plan.offsets = (const int64_t *)(const void *)l->offsets->data;
    for (int d = 0; d < l->n && !code; d++)
        if (l->index[d]) code = add_offsets(c, l, t, d, ordinal++);
    return code;
}

/* ---- index and index_put ------------------------------------------------------------------- */

gd_code gd_fw_index(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *out = NULL;
    lookup l = {0};
    gd_code code = look_up(a->ctx, &l, t, &a->args[1]);
    if (!code) {
        out = gd_empty(a->ctx, (gd_dtype)t->dtype, l.result_ndim, l.result);
        if (out) gd_index_walk(&l.plan, (gd_dtype)t->dtype, t->data, out->data, GD_INDEX_READ);
        code = give(a, out);
    }
    lookup_clear(&l);
    return code;
}

/* The output of a row that changes self: the given one (in place), or a fresh contiguous copy of self. */
static gd_tensor *output_for(gd_apply *a, gd_tensor *t) {
    gd_tensor *out = a->nout && a->out[0] ? a->out[0] : NULL;
    if (out == t) return out;
    if (!out) out = gd_empty_like(a->ctx, t, (gd_dtype)t->dtype);
    if (out) gd_copy_values(out, t);
    return out;
}

/* New: values broadcast to the shape, contiguous, converted to dtype. */
static gd_tensor *spread(gd_ctx *c, const gd_tensor *values, gd_dtype dtype, int ndim, const int64_t *sizes) {
    gd_tensor *full = gd_empty(c, dtype, ndim, sizes);
    if (full) gd_copy_values(full, values);
    return full;
}

static bool broadcasts_to(const gd_tensor *t, int ndim, const int64_t *sizes) {
    int lead = ndim - t->ndim;
    for (int d = 0; d < t->ndim; d++)
        if (t->sizes[d] != 1 && (d + lead < 0 || t->sizes[d] != sizes[d + lead])) return false;
    return lead >= 0;
}

/* Writes or adds values where l points in t's copy (or in t itself): both lie in memory alike, see target_of. */
static gd_code put(gd_apply *a, lookup *l, gd_tensor *t, const gd_tensor *values, gd_index_mode mode) {
    char have[TEXT], want[TEXT];
    if (!broadcasts_to(values, l->result_ndim, l->result))
        return gd_fail(a->ctx, GD_E_SHAPE,
                       "shape mismatch: value tensor of shape %s cannot be broadcast to indexing result of shape %s",
                       gd_shape_text(have, sizeof have, values->ndim, values->sizes),
                       gd_shape_text(want, sizeof want, l->result_ndim, l->result));
    gd_tensor *full = spread(a->ctx, values, (gd_dtype)t->dtype, l->result_ndim, l->result);
    gd_tensor *out = full ? output_for(a, t) : NULL;
    gd_code code = full ? give(a, out) : gd_failed(a->ctx);
    if (!code) gd_index_walk(&l->plan, (gd_dtype)t->dtype, out->data, full->data, mode);
    gd_release(full);
    return code;
}

/* New: t where it is written in place, else t as contiguous tensor: offsets in it are also those in its fresh copy. */
static gd_tensor *target_of(gd_apply *a, gd_tensor *t) {
    if ((a->nout && a->out[0] == t) || gd_is_contiguous(t)) return gd_retain(t);
    return gd_as_contiguous(a->ctx, t);
}

gd_code gd_fw_index_put(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *values = arg_tensor(a, 2);
    lookup l = {0};
    gd_code code = check_written(a, t);
    if (code) return code;
    if (values->dtype != t->dtype)
        return gd_fail(
            a->ctx, GD_E_DTYPE,
            "Index put requires the source and destination dtypes match, got %s for the destination and %s for the source.",
            gd_dtype_scalar_name((gd_dtype)t->dtype), gd_dtype_scalar_name((gd_dtype)values->dtype));
    gd_tensor *target = target_of(a, t);
    if (!target) return gd_failed(a->ctx);
    code = look_up(a->ctx, &l, target, &a->args[1]);
    if (!code) code = put(a, &l, target, values, a->args[3].u.boolean ? GD_INDEX_ADD : GD_INDEX_WRITE);
    lookup_clear(&l);
    gd_release(target);
    return code;
}

gd_code gd_fw__index_backward(gd_apply *a) {
    gd_tensor *grad = arg_tensor(a, 0);
    gd_tensor *out = gd_zeros(a->ctx, (gd_dtype)grad->dtype, arg_count(a, 1), arg_ints(a, 1));
    lookup l = {0};
    gd_code code = out ? look_up(a->ctx, &l, out, &a->args[2]) : gd_failed(a->ctx);
    gd_tensor *full = code ? NULL : gd_as_contiguous(a->ctx, grad);
    if (full) {
        gd_index_walk(&l.plan, (gd_dtype)out->dtype, out->data, full->data, GD_INDEX_ADD);
        gd_release(full);
    } else {
        out = then_release(NULL, out);
    }
    lookup_clear(&l);
    return give(a, out);
}

/* ---- index_select, index_add: one index along one dimension --------------------------------- */

/* New: the index as int64 vector with every entry in [0, size). Negative ones do not wrap here, as in PyTorch. */
static gd_tensor *plain_index(gd_ctx *c, gd_tensor *index, int64_t size) {
    gd_tensor *wide = gd_as_dtype(c, index, GD_INT64), *flat = wide ? gd_as_contiguous(c, wide) : NULL;
    gd_release(wide);
    if (!flat) return NULL;
    const int64_t *at = (const int64_t *)(const void *)flat->data;
    for (int64_t i = 0; i < flat->numel; i++)
        if (at[i] < 0 || at[i] >= size) {
            (void)gd_fail(c, GD_E_INDEX, "index out of range in self");
            return then_release(NULL, flat);
        }
    return flat;
}

/* Looks up `index` along `dim`. */
static gd_code look_along(gd_ctx *c, lookup *l, const gd_tensor *t, int dim, gd_tensor *index) {
    gd_tensor *list[GD_MAX_DIMS] = {0};
    list[dim] = index;
    gd_value v = {.kind = GD_V_TENSORS, .n = (uint32_t)dim + 1, .u.tensors = list};
    return look_up(c, l, t, &v);
}

static bool int_index(const gd_tensor *index) { return index->dtype == GD_INT64 || index->dtype == GD_INT32; }

/* A 0-dim index or self counts as a vector of one. New, outside the graph. */
static gd_tensor *as_vector(gd_ctx *c, gd_tensor *t) {
    const int64_t one = 1;
    return t->ndim ? gd_retain(t) : gd_alias(c, t, 1, &one, &one, gd_offset(t));
}

gd_code gd_fw_index_select(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2), *out = NULL;
    lookup l = {0};
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &dim);
    if (code) return code;
    if (index->ndim > 1) return gd_fail(a->ctx, GD_E_INDEX, "index_select(): Index is supposed to be a vector");
    if (!int_index(index))
        return gd_fail(a->ctx, GD_E_DTYPE, "index_select(): Expected dtype int32 or int64 for index");
    gd_tensor *self = as_vector(a->ctx, t), *plain = self ? plain_index(a->ctx, index, self->sizes[dim]) : NULL;
    gd_tensor *row = plain ? as_vector(a->ctx, plain) : NULL;
    code = row ? look_along(a->ctx, &l, self, dim, row) : gd_failed(a->ctx);
    if (!code && t->ndim == 0 && row->numel != 1)
        code = gd_fail(a->ctx, GD_E_INDEX, "index_select(): Index to scalar can have only 1 value, got %lld value(s)",
                       (long long)row->numel);
    if (!code) {
        out = gd_empty(a->ctx, (gd_dtype)t->dtype, t->ndim ? l.result_ndim : 0, l.result);
        if (out) gd_index_walk(&l.plan, (gd_dtype)t->dtype, self->data, out->data, GD_INDEX_READ);
        code = give(a, out);
    }
    lookup_clear(&l);
    gd_release(row);
    gd_release(plain);
    gd_release(self);
    return code;
}

static gd_code index_add_check(gd_apply *a, int *dim) {
    char text[TEXT];
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2), *source = arg_tensor(a, 3);
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, dim);
    if (code) return code;
    if (index->ndim > 1)
        return gd_fail(a->ctx, GD_E_INDEX,
                       "index_add_(): Index is supposed to be a vector, but got dim: %d with type: %s and size: %s",
                       index->ndim, gd_dtype_scalar_name((gd_dtype)index->dtype),
                       gd_shape_text(text, sizeof text, index->ndim, index->sizes));
    if (!int_index(index))
        return gd_fail(a->ctx, GD_E_DTYPE, "index_add_(): Expected dtype int32/int64 for index but got: %s",
                       gd_dtype_scalar_name((gd_dtype)index->dtype));
    if (t->dtype != source->dtype)
        return gd_fail(a->ctx, GD_E_DTYPE, "index_add_(): self (%s) and source (%s) must have the same scalar type",
                       gd_dtype_scalar_name((gd_dtype)t->dtype), gd_dtype_scalar_name((gd_dtype)source->dtype));
    int64_t given = source->ndim == 0 ? 1 : *dim < source->ndim ? source->sizes[*dim] : -1;
    if (given != index->numel)
        return gd_fail(
            a->ctx, GD_E_SHAPE,
            "index_add_(): Number of indices (%lld) should be equal to source.size(dim): (%lld), for dim: %d",
            (long long)index->numel, (long long)given, *dim);
    for (int d = 0; d < t->ndim && source->ndim; d++)
        if (source->ndim != t->ndim || (d != *dim && source->sizes[d] != t->sizes[d]))
            return gd_fail(
                a->ctx, GD_E_SHAPE,
                "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton dimension %d",
                (long long)t->sizes[d], (long long)(d < source->ndim ? source->sizes[d] : 1),
                source->ndim == t->ndim && d > *dim ? d - 1 : d);
    return GD_OK;
}

/* New, outside the graph: alpha times source, as values to add; source itself if alpha is 1. */
static gd_tensor *scaled(gd_apply *a, gd_tensor *source, const gd_value *alpha) {
    double factor = arg_f64(a, 4);
    bool whole = !gd_dtype_is_float((gd_dtype)source->dtype) && source->dtype != GD_BOOL;
    gd_tensor *out = gd_empty_like(a->ctx, source, (gd_dtype)source->dtype);
    if (!out) return NULL;
    gd_copy_values(out, source);
    if (factor == 1.0 || source->dtype == GD_BOOL) return out;
    size_t bytes = gd_dtype_bytes((gd_dtype)out->dtype);
    uint64_t factor_int = (uint64_t)(alpha->kind == GD_V_FLOAT ? (int64_t)alpha->u.real
                                     : alpha->kind == GD_V_INT ? alpha->u.integer
                                                               : alpha->u.boolean);
    for (int64_t i = 0; i < out->numel; i++) {
        char *p = out->data + (size_t)i * bytes;
        if (whole)
            gd_store_i64((gd_dtype)out->dtype, p,
                         (int64_t)((uint64_t)gd_load_i64((gd_dtype)out->dtype, p) * factor_int));
        else
            gd_store_f64((gd_dtype)out->dtype, p, gd_load_f64((gd_dtype)out->dtype, p) * factor);
    }
    return out;
}

gd_code gd_fw_index_add(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *flat, *index, *values, *line, *base;
    lookup l = {0};
    int dim;
    gd_code code = index_add_check(a, &dim);
    if (!code) code = check_written(a, t);
    if (code) return code;
    flat = plain_index(a->ctx, arg_tensor(a, 2), t->ndim ? t->sizes[dim] : 1);
    index = flat ? as_vector(a->ctx, flat) : NULL;
    values = index ? scaled(a, arg_tensor(a, 3), &a->args[4]) : NULL;
    base = values ? target_of(a, t) : NULL;
    line = base ? as_vector(a->ctx, base) : NULL;
    code = line ? look_along(a->ctx, &l, line, dim, index) : gd_failed(a->ctx);
    if (!code) code = give(a, output_for(a, base));
    if (!code) gd_index_walk(&l.plan, (gd_dtype)t->dtype, a->out[0]->data, values->data, GD_INDEX_ADD);
    lookup_clear(&l);
    gd_release(line);
    gd_release(base);
    gd_release(values);
    gd_release(index);
    gd_release(flat);
    return code;
}

/* ---- gather and scatter_add ----------------------------------------------------------------- */

/* The text for the first index that is not within [0, size) of dimension `dim`; flat has one. */
static gd_code fail_outside(gd_ctx *c, const gd_tensor *flat, int dim, int64_t size) {
    const int64_t *at = (const int64_t *)(const void *)flat->data;
    while (*at >= 0 && *at < size) at++;
    return gd_fail(c, GD_E_RUNTIME, "index %lld is out of bounds for dimension %d with size %lld", (long long)*at, dim,
                   (long long)size);
}

gd_tensor *gd_element_index(gd_ctx *c, gd_tensor *index, int dim, int64_t size) {
    gd_tensor *flat = gd_as_contiguous(c, index);
    if (!flat) return NULL;
    const int64_t *at = (const int64_t *)(const void *)flat->data;
    bool inside = true;
    for (int64_t i = 0; i < flat->numel; i++) inside &= (uint64_t)at[i] < (uint64_t)size;
    if (inside) return flat;
    (void)fail_outside(c, flat, dim, size);
    return then_release(NULL, flat);
}

static int rank_or_one(const gd_tensor *t) { return t->ndim ? t->ndim : 1; }
static int64_t size_or_one(const gd_tensor *t, int d) { return t->ndim ? t->sizes[d] : 1; }

static gd_code gather_check(gd_apply *a, int *dim) {
    char index_text[TEXT], text[TEXT];
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2);
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, dim);
    if (code || (index->numel == 0 && index->dtype != GD_INT64)) return code;
    if (index->dtype != GD_INT64) return gd_fail(a->ctx, GD_E_DTYPE, "gather(): Expected dtype int64 for index");
    if (index->numel == 0) return GD_OK;
    if (rank_or_one(t) != rank_or_one(index))
        return gd_fail(a->ctx, GD_E_SHAPE, "Index tensor must have the same number of dimensions as input tensor");
    for (int d = 0; d < index->ndim; d++)
        if (d != *dim && index->sizes[d] > size_or_one(t, d))
            return gd_fail(
                a->ctx, GD_E_SHAPE,
                "Size does not match at dimension %d expected index %s to be smaller than self %s apart from dimension %d",
                d, gd_shape_text(index_text, sizeof index_text, index->ndim, index->sizes),
                gd_shape_text(text, sizeof text, t->ndim, t->sizes), *dim);
    return GD_OK;
}

gd_code gd_fw_gather(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2), *out;
    const int64_t one = 1;
    int dim;
    gd_code code = gather_check(a, &dim);
    if (code) return code;
    out = gd_empty(a->ctx, (gd_dtype)t->dtype, index->ndim, index->sizes);
    if (!out || index->numel == 0) return give(a, out);
    gd_tensor *flat = gd_as_contiguous(a->ctx, index);
    bool ok = flat && gd_gather_read((gd_dtype)t->dtype, rank_or_one(index), index->ndim ? index->sizes : &one, dim,
                                     (const int64_t *)(const void *)flat->data, size_or_one(t, dim), t->data,
                                     t->ndim ? GD_STRIDES(t) : &one, out->data, out->ndim ? GD_STRIDES(out) : &one);
    if (flat && !ok) (void)fail_outside(a->ctx, flat, dim, size_or_one(t, dim));
    gd_release(flat);
    return give(a, ok ? out : then_release(NULL, out));
}

static gd_code fail_scatter_sizes(gd_ctx *c, const gd_tensor *t, const gd_tensor *index, const gd_tensor *src,
                                  int dim) {
    char index_text[TEXT], text[TEXT], src_text[TEXT];
    gd_shape_text(index_text, sizeof index_text, index->ndim, index->sizes);
    gd_shape_text(text, sizeof text, t->ndim, t->sizes);
    if (!src)
        return gd_fail(c, GD_E_SHAPE, "Expected index %s to be smaller than self %s apart from dimension %d",
                       index_text, text, dim);
    return gd_fail(
        c, GD_E_SHAPE,
        "Expected index %s to be smaller than self %s apart from dimension %d and to be smaller size than src %s",
        index_text, text, dim, gd_shape_text(src_text, sizeof src_text, src->ndim, src->sizes));
}

gd_code gd_scatter_check(gd_ctx *c, const gd_tensor *t, const gd_tensor *index, const gd_tensor *src, int dim) {
    if (index->dtype != GD_INT64 && index->numel)
        return gd_fail(c, GD_E_DTYPE, "scatter(): Expected dtype int64 for index");
    if (src && t->dtype != src->dtype)
        return gd_fail(c, GD_E_DTYPE, "scatter(): Expected self.dtype to be equal to src.dtype");
    if (index->numel == 0) return GD_OK;
    if (rank_or_one(t) != rank_or_one(index))
        return gd_fail(c, GD_E_SHAPE, "Index tensor must have the same number of dimensions as self tensor");
    if (src && rank_or_one(src) != rank_or_one(index))
        return gd_fail(c, GD_E_SHAPE, "Index tensor must have the same number of dimensions as src tensor");
    bool fits = true;
    for (int d = 0; d < rank_or_one(index); d++)
        fits &= (d == dim || size_or_one(index, d) <= size_or_one(t, d)) &&
                (!src || size_or_one(index, d) <= size_or_one(src, d));
    return fits ? GD_OK : fail_scatter_sizes(c, t, index, src, dim);
}

gd_code gd_fw_scatter_add(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2), *out, *values;
    const int64_t one = 1;
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &dim);
    if (!code) code = gd_scatter_check(a->ctx, t, index, arg_tensor(a, 3), dim);
    if (!code) code = check_written(a, t);
    if (code) return code;
    if (index->numel == 0) return give(a, output_for(a, t));
    gd_tensor *flat = gd_element_index(a->ctx, index, dim, size_or_one(t, dim));
    /* A copy, so that src may share memory with self. */
    values = flat ? gd_empty_like(a->ctx, arg_tensor(a, 3), (gd_dtype)t->dtype) : NULL;
    if (values) gd_copy_values(values, arg_tensor(a, 3));
    code = values ? give(a, output_for(a, t)) : gd_failed(a->ctx);
    out = a->out[0];
    if (!code)
        gd_gather_walk((gd_dtype)t->dtype, rank_or_one(index), index->ndim ? index->sizes : &one, dim,
                       (const int64_t *)(const void *)flat->data, out->data, out->ndim ? GD_STRIDES(out) : &one,
                       values->data, values->ndim ? GD_STRIDES(values) : &one, GD_INDEX_ADD);
    gd_release(values);
    gd_release(flat);
    return code;
}
