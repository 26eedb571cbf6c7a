/* scatter.c: rows that write at given places of a copy of self, or take from there. Reductions are in
 * scatter_reduce.c, derivatives in scatter_rules.c. */
#include <string.h>

#include "core/kernels/index.h"
#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/elements.h"
#include "core/ops/families.h"

#define TEXT 512

/* New: a contiguous copy of t. */
static gd_tensor *copy_of(gd_ctx *c, const gd_tensor *t) {
    gd_tensor *out = gd_empty_like(c, t, (gd_dtype)t->dtype);
    if (out) gd_copy_values(out, t);
    return out;
}

/* ---- a view's place ---------------------------------------------------------------------------------------- */

static gd_code same_shape_as_part(gd_ctx *c, const gd_tensor *src, const gd_tensor *part, const char *name) {
    char have[TEXT], want[TEXT];
    if (gd_same_shape(src, part)) return GD_OK;
    return gd_fail(c, GD_E_SHAPE, "expected src to have a size equal to the %s of self. src size = %s, %s size = %s",
                   name, gd_shape_text(have, sizeof have, src->ndim, src->sizes), name,
                   gd_shape_text(want, sizeof want, part->ndim, part->sizes));
}

/* The row `param` is the view that says where src goes. */
gd_code gd_fw_part_scatter(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_value args[GD_MAX_ARGS];
    gd_tensor *out = copy_of(c, arg_tensor(a, 0)), *part;
    if (!out) return gd_failed(c);
    args[0] = T_(out);
    for (int i = 2; i < a->nargs; i++) args[i - 1] = a->args[i];
    part = gd_do(c, (gd_op_id)a->op->param, args, a->nargs - 1);
    gd_code code = part ? same_shape_as_part(c, arg_tensor(a, 1), part, gd_ops[a->op->param].name) : gd_failed(c);
    if (!code) gd_copy_values(part, arg_tensor(a, 1));
    gd_release(part);
    if (!code) return give(a, out);
    gd_release(out);
    return code;
}

/* ---- entries of a dimension -------------------------------------------------------------------------------- */

/* A temporary: the index as contiguous int64 of any shape, all in [least, size); `text` for one outside. */
static gd_tensor *checked_index(gd_ctx *c, gd_tensor *index, int64_t least, int64_t size, const char *text) {
    gd_tensor *wide = gd_as_dtype(c, index, GD_INT64), *flat = wide ? gd_as_contiguous(c, wide) : NULL;
    gd_release(wide);
    gd_pool_add(c, flat);
    for (int64_t i = 0; flat && i < flat->numel; i++) {
        int64_t v = ((const int64_t *)(const void *)flat->data)[i];
        if (v >= least && v < size) continue;
        (void)gd_fail(c, GD_E_INDEX, text, (long long)v, (long long)size);
        return NULL;
    }
    return flat;
}

static int64_t size_at(const gd_tensor *t, int d) { return t->ndim ? t->sizes[d] : 1; }

/* Writes src (contiguous; one element if `one`) to entries of dimension dim of out (contiguous). */
static void write_entries(gd_tensor *out, int dim, const gd_tensor *index, const char *src, bool one) {
    size_t bytes = gd_dtype_bytes((gd_dtype)out->dtype);
    const int64_t *at = (const int64_t *)(const void *)index->data;
    int64_t outer = 1, inner = 1, size = size_at(out, dim);
    for (int d = 0; d < dim; d++) outer *= out->sizes[d];
    for (int d = dim + 1; d < out->ndim; d++) inner *= out->sizes[d];
    size_t run = bytes * (size_t)inner;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < index->numel; i++) {
            int64_t k = at[i] < 0 ? at[i] + size : at[i];
            char *to = out->data + (size_t)(o * size + k) * run;
            if (!one) {
                memcpy(to, src, run);
                src += run;
            }
            for (int64_t e = 0; one && e < inner; e++) memcpy(to + (size_t)e * bytes, src, bytes);
        }
}

static gd_code fill_check(gd_apply *a, int *dim) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2);
    gd_code code = gd_wrap_dim(c, arg_int(a, 1), t->ndim, dim);
    if (code) return code;
    if (index->dtype != GD_INT64) return gd_fail(c, GD_E_INDEX, "index_fill_(): Expected dtype int64 for index.");
    if (index->ndim > 1) return gd_fail(c, GD_E_INDEX, "Index has to be a vector/scalar");
    if (a->op->param && arg_tensor(a, 3)->ndim)
        return gd_fail(c, GD_E_SHAPE,
                       "index_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).",
                       arg_tensor(a, 3)->ndim);
    return GD_OK;
}

gd_code gd_fw_index_fill(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int dim;
    gd_code code = fill_check(a, &dim);
    if (code) return code;
    char element[8];
    gd_value value = a->args[3];
    if (a->op->param && gd_item(c, arg_tensor(a, 3), &value)) return gd_failed(c);
    gd_convert_value((gd_dtype)t->dtype, &value, element);
    gd_tensor *index = checked_index(c, arg_tensor(a, 2), -size_at(t, dim), size_at(t, dim),
                                     "index %lld is out of bounds for dimension with size %lld");
    gd_tensor *out = index ? copy_of(c, t) : NULL;
    if (out && out->numel) write_entries(out, dim, index, element, true);
    return give(a, out);
}

static gd_code copy_check(gd_apply *a, int *dim) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2), *source = arg_tensor(a, 3);
    gd_code code = gd_wrap_dim(c, arg_int(a, 1), t->ndim, dim);
    if (code) return code;
    if (index->ndim > 1)
        return gd_fail(c, GD_E_INDEX, "index_copy_(): Index should have dimension 1 or 0 (got %d)", index->ndim);
    if (source->ndim == 0 && index->numel != 1)
        return gd_fail(c, GD_E_INDEX, "index_copy_(): When source is scalar, index should have one element (got %lld)",
                       (long long)index->numel);
    if (source->ndim != t->ndim && source->ndim && t->ndim)
        return gd_fail(c, GD_E_INDEX,
                       "index_copy_(): When source and destination are not scalars, their dimensionality must match. "
                       "Source dimensionality (%d), destination dimensionality (%d)",
                       source->ndim, t->ndim);
    if (index->dtype != GD_INT64)
        return gd_fail(c, GD_E_INDEX, "index_copy_(): Expected a long tensor for index, but got %s",
                       gd_dtype_scalar_name((gd_dtype)index->dtype));
    if (t->dtype != source->dtype)
        return gd_fail(
            c, GD_E_DTYPE,
            "index_copy_(): self and source expected to have the same dtype, but got (self) %s and (source) %s",
            gd_dtype_scalar_name((gd_dtype)t->dtype), gd_dtype_scalar_name((gd_dtype)source->dtype));
    bool fits = true;
    for (int d = 0; d < t->ndim && source->ndim == t->ndim; d++) fits &= d == *dim || t->sizes[d] == source->sizes[d];
    if (source->ndim == 0) fits = t->numel == size_at(t, *dim);
    if (t->ndim == 0 && source->ndim) fits = source->numel == source->sizes[0];
    if (!fits)
        return gd_fail(c, GD_E_INDEX,
                       "index_copy_(): Source/destination tensor must have same slice shapes at dimension %d", *dim);
    int64_t given = source->ndim == 0 ? 1 : source->sizes[t->ndim ? *dim : 0];
    if (given != index->numel)
        return gd_fail(c, GD_E_INDEX,
                       "index_copy_(): Number of indices (%lld) should be equal to source.size(dim) (%lld)",
                       (long long)index->numel, (long long)given);
    return GD_OK;
}

gd_code gd_fw_index_copy(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int dim;
    gd_code code = copy_check(a, &dim);
    if (code) return code;
    gd_tensor *index = checked_index(c, arg_tensor(a, 2), 0, size_at(t, dim),
                                     "index_copy_(): index %lld is out of bounds for dimension with size %lld");
    gd_tensor *source = index ? gd_pool_add(c, gd_as_contiguous(c, arg_tensor(a, 3))) : NULL;
    gd_tensor *out = source ? copy_of(c, t) : NULL;
    if (out && out->numel) write_entries(out, dim, index, source->data, false);
    return give(a, out);
}

/* ---- scatter ----------------------------------------------------------------------------------------------- */

static int rank_or_one(const gd_tensor *t) { return t->ndim ? t->ndim : 1; }

gd_code gd_fw_scatter(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 2), *values;
    const int64_t one = 1, zero_strides[GD_MAX_DIMS] = {0};
    char element[8];
    int dim;
    gd_code code = gd_wrap_dim(c, arg_int(a, 1), t->ndim, &dim);
    if (!code) code = gd_scatter_check(c, t, index, a->op->param ? NULL : arg_tensor(a, 3), dim);
    if (code) return code;
    gd_tensor *out = copy_of(c, t);
    if (!out || index->numel == 0) return give(a, out);
    gd_tensor *flat = gd_pool_add(c, gd_element_index(c, index, dim, size_at(t, dim)));
    if (a->op->param) gd_convert_value((gd_dtype)t->dtype, &a->args[3], element);
    values = a->op->param ? out : arg_tensor(a, 3);
    if (!flat) return give(a, then_release(NULL, out));
    gd_gather_walk((gd_dtype)t->dtype, rank_or_one(index), index->ndim ? index->sizes : &one, dim,
                   (const int64_t *)(const void *)flat->data, out->data, out->ndim ? GD_STRIDES(out) : &one,
                   a->op->param ? element : values->data,
                   a->op->param   ? zero_strides
                   : values->ndim ? GD_STRIDES(values)
                                  : &one,
                   GD_INDEX_WRITE);
    return give(a, out);
}

/* ---- put, take --------------------------------------------------------------------------------------------- */

static gd_code place_check(gd_ctx *c, const char *name, const gd_tensor *t, const gd_tensor *index) {
    if (index->dtype != GD_INT64)
        return gd_fail(c, GD_E_DTYPE, "%s(): Expected a long tensor for index, but got %s", name,
                       gd_dtype_scalar_name((gd_dtype)index->dtype));
    if (t->numel == 0 && index->numel)
        return gd_fail(c, GD_E_INDEX,
                       strcmp(name, "take") == 0 ? "take(): tried to take from an empty tensor"
                                                 : "put_(): tried to put elements into an empty tensor");
    return GD_OK;
}

/* A temporary: the index as vector of places in [0, size). */
static gd_tensor *wrapped_places(gd_ctx *c, gd_tensor *index, int64_t size) {
    gd_tensor *flat = checked_index(c, index, -size, size,
                                    "out of range: tried to access index %lld on a tensor of %lld "
                                    "elements.");
    gd_tensor *out = flat ? gd_pool_add(c, gd_empty(c, GD_INT64, 1, &flat->numel)) : NULL;
    for (int64_t i = 0; out && i < flat->numel; i++) {
        int64_t v = ((const int64_t *)(const void *)flat->data)[i];
        ((int64_t *)(void *)out->data)[i] = v < 0 ? v + size : v;
    }
    return out;
}

gd_code gd_fw_put(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 1), *source = arg_tensor(a, 2);
    const int64_t one = 1;
    gd_code code = place_check(c, "put_", t, index);
    if (code) return code;
    if (t->dtype != source->dtype)
        return gd_fail(c, GD_E_DTYPE,
                       "put_(): self and source expected to have the same dtype, but got self.dtype = %s "
                       "and source.dtype = %s",
                       gd_dtype_scalar_name((gd_dtype)t->dtype), gd_dtype_scalar_name((gd_dtype)source->dtype));
    if (source->numel != index->numel)
        return gd_fail(c, GD_E_SHAPE,
                       "put_(): Expected source and index to have the same number of elements, but got "
                       "source.numel() = %lld, index.numel() = %lld",
                       (long long)source->numel, (long long)index->numel);
    gd_tensor *places = wrapped_places(c, index, t->numel);
    gd_tensor *values = places ? gd_pool_add(c, gd_as_contiguous(c, source)) : NULL,
              *out = values ? copy_of(c, t) : NULL;
    if (out && index->numel)
        gd_gather_walk((gd_dtype)t->dtype, 1, &places->numel, 0, (const int64_t *)(const void *)places->data, out->data,
                       &one, values->data, &one, a->args[3].u.boolean ? GD_INDEX_ADD : GD_INDEX_WRITE);
    return give(a, out);
}

gd_code gd_fw_take(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 1), *whole;
    const int64_t one = 1;
    gd_code code = place_check(c, "take", t, index);
    if (code) return code;
    gd_tensor *places = wrapped_places(c, index, t->numel), *out = NULL;
    whole = places ? gd_pool_add(c, gd_as_contiguous(c, t)) : NULL;
    if (whole) out = gd_empty(c, (gd_dtype)t->dtype, index->ndim, index->sizes);
    if (out && out->numel)
        gd_gather_walk((gd_dtype)t->dtype, 1, &places->numel, 0, (const int64_t *)(const void *)places->data,
                       whole->data, &one, out->data, &one, GD_INDEX_READ);
    return give(a, out);
}

gd_code gd_fw_take_along_dim(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *index = arg_tensor(a, 1);
    int64_t own[GD_MAX_DIMS], wanted[GD_MAX_DIMS];
    int dim;
    if (index->dtype != GD_INT64)
        return gd_fail(c, GD_E_DTYPE, "torch.take_along_dim(): dtype of indices should be Long but got %s",
                       gd_dtype_scalar_name((gd_dtype)index->dtype));
    if (a->args[2].kind == GD_V_NONE)
        return give_shared(
            a, GX(c, gather, T_(GX(c, view, T_(t), SHAPE_(-1))), I_(0), T_(GX(c, view, T_(index), SHAPE_(-1)))));
    if (t->ndim != index->ndim)
        return gd_fail(
            c, GD_E_SHAPE,
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got %d "
            "dimensions for input, and %d dimensions for indices",
            t->ndim, index->ndim);
    gd_code code = gd_wrap_dim(c, arg_int(a, 2), t->ndim, &dim);
    if (code) return code;
    for (int d = 0; d < t->ndim; d++) {
        if (d != dim && t->sizes[d] != index->sizes[d] && t->sizes[d] != 1 && index->sizes[d] != 1)
            return gd_fail(c, GD_E_SHAPE,
                           "The size of tensor a (%lld) must match the size of tensor b (%lld) at non-singleton "
                           "dimension %d",
                           (long long)t->sizes[d], (long long)index->sizes[d], d);
        int64_t both = t->sizes[d] == 1 ? index->sizes[d] : t->sizes[d];
        own[d] = d == dim ? t->sizes[d] : both;
        wanted[d] = d == dim ? index->sizes[d] : both;
    }
    gd_tensor *wide = GX(c, expand, T_(t), IS_(own, t->ndim)), *at = GX(c, expand, T_(index), IS_(wanted, t->ndim));
    return give_shared(a, GX(c, gather, T_(wide), I_(dim), T_(at)));
}

/* ---- masked_scatter ---------------------------------------------------------------------------------------- */

gd_code gd_fw_masked_scatter(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *mask = arg_tensor(a, 1), *source = arg_tensor(a, 2);
    int64_t sizes[GD_MAX_DIMS];
    int ndim;
    if (mask->dtype != GD_BOOL && mask->dtype != GD_UINT8)
        return gd_fail(c, GD_E_DTYPE, "masked_scatter: expected BoolTensor or ByteTensor for mask");
    if (t->dtype != source->dtype)
        return gd_fail(c, GD_E_DTYPE, "masked_scatter: expected self and source to have same dtypes but got%s and %s",
                       gd_dtype_scalar_name((gd_dtype)t->dtype), gd_dtype_scalar_name((gd_dtype)source->dtype));
    gd_code code = gd_broadcast_shape(c, t->ndim, t->sizes, mask->ndim, mask->sizes, sizes, &ndim);
    if (code) return code;
    gd_tensor *full = gd_pool_add(c, gd_empty(c, GD_BOOL, ndim, sizes));
    gd_tensor *values = full ? gd_pool_add(c, gd_as_contiguous(c, source)) : NULL;
    if (!values) return gd_failed(c);
    gd_copy_values(full, mask);
    if (gd_mask_count(full) > values->numel)
        return gd_fail(c, GD_E_RUNTIME, "Number of elements of source < number of ones in mask");
    gd_tensor *out = gd_empty(c, (gd_dtype)t->dtype, ndim, sizes);
    if (out) gd_copy_values(out, t);
    if (out) gd_mask_walk(out, full, values->data, GD_INDEX_WRITE);
    return give(a, out);
}

/* ---- windows ----------------------------------------------------------------------------------------------- */

gd_code gd_fw_unfold(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    int64_t size = arg_int(a, 2), step = arg_int(a, 3), sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int dim;
    gd_code code = gd_wrap_dim(c, arg_int(a, 1), t->ndim, &dim);
    if (code) return code;
    int64_t most = size_at(t, dim);
    if (t->ndim == GD_MAX_DIMS) return gd_fail(c, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
    if (size < 0) return gd_fail(c, GD_E_SHAPE, "size is %lld but must be >= 0", (long long)size);
    if (size > most)
        return gd_fail(c, GD_E_SHAPE, "maximum size for tensor at dimension %d is %lld but size is %lld", dim,
                       (long long)most, (long long)size);
    if (step <= 0) return gd_fail(c, GD_E_SHAPE, "step is %lld but must be > 0", (long long)step);
    for (int d = 0; d < t->ndim; d++) sizes[d] = t->sizes[d], strides[d] = GD_STRIDES(t)[d];
    sizes[t->ndim] = size;
    strides[t->ndim] = t->ndim ? GD_STRIDES(t)[dim] : 1;
    if (t->ndim) {
        sizes[dim] = (most - size) / step + 1;
        if (!gd_mul_i64(strides[dim], step, &strides[dim])) strides[dim] = 0; /* then there is but one window */
    }
    return give(a, gd_alias(c, t, t->ndim + 1, sizes, strides, gd_offset(t)));
}

static void add_f32(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    (void)extra;
    for (int64_t i = 0; i < n; i++)
        *(float *)(void *)(data[0] + i * strides[0]) += *(const float *)(const void *)(data[1] + i * strides[1]);
}
static void add_f64(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    (void)extra;
    for (int64_t i = 0; i < n; i++)
        *(double *)(void *)(data[0] + i * strides[0]) += *(const double *)(const void *)(data[1] + i * strides[1]);
}

gd_code gd_fw__unfold_backward(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *grad = arg_tensor(a, 0);
    gd_tensor *out = gd_zeros(c, (gd_dtype)grad->dtype, arg_count(a, 1), arg_ints(a, 1));
    gd_tensor *windows = out ? DO(c, unfold, T_(out), a->args[2], a->args[3], a->args[4]) : NULL;
    if (windows)
        gd_iterate_in_order((gd_tensor *const[]){windows, grad}, 2, grad->dtype == GD_FLOAT32 ? add_f32 : add_f64,
                            NULL);
    else
        out = then_release(NULL, out);
    gd_release(windows);
    return give(a, out);
}
