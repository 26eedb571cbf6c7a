/* subscript.c: x[…] and x[…] = … as Python writes them, lowered as PyTorch does: numbers, slices, None and ... become
 * select, slice, unsqueeze; tensors and bools are collected for one index or index_put. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/families.h"
#include "core/plan/trace.h"

/* A subscript being worked off. */
typedef struct subscript {
    gd_ctx *ctx;
    gd_tensor *at;                   /* owned: what the entries so far gave */
    int dim;                         /* the dimension of `at` that the next entry is for */
    int entry;                       /* which entry that is: PyTorch names it as the dimension in messages */
    int ntensors;                    /* entries of `tensors` */
    gd_tensor *tensors[GD_MAX_DIMS]; /* owned or NULL */
} subscript;

static void subscript_clear(subscript *s) {
    gd_release(s->at);
    for (int i = 0; i < s->ntensors; i++) gd_release(s->tensors[i]);
}

/* Goes on with t (taken) in place of s->at. */
static gd_code proceed(subscript *s, gd_tensor *t) {
    if (!t) return gd_failed(s->ctx);
    gd_release(s->at);
    s->at = t;
    return GD_OK;
}

/* How many dimensions of the subscripted tensor an entry uses up. */
static int64_t dims_used(const gd_value *v) {
    if (v->kind == GD_V_INT || v->kind == GD_V_SLICE || v->kind == GD_V_LIST) return 1;
    if (v->kind != GD_V_TENSOR) return 0;
    return v->u.tensor->dtype == GD_BOOL || v->u.tensor->dtype == GD_UINT8 ? v->u.tensor->ndim : 1;
}

static gd_code take_number(subscript *s, int64_t index) {
    const gd_tensor *t = s->at;
    if (t->ndim == 0)
        return gd_fail(
            s->ctx, GD_E_INDEX,
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
            "tensor to a number");
    int64_t size = s->dim < t->ndim ? t->sizes[s->dim] : 0;
    if (index < -size || index >= size)
        return gd_fail(s->ctx, GD_E_INDEX, "index %lld is out of bounds for dimension %d with size %lld",
                       (long long)index, s->entry, (long long)size);
    return proceed(s, DO(s->ctx, select, GD_TENSOR_VALUE(s->at), GD_INT_VALUE(s->dim), GD_INT_VALUE(index)));
}

/* A bound of a slice: None, a number, or a 0-dim integer tensor. */
static gd_code slice_bound(subscript *s, const gd_value *v, int64_t if_none, int64_t *out) {
    *out = if_none;
    if (v->kind == GD_V_NONE) return GD_OK;
    if (v->kind == GD_V_INT || v->kind == GD_V_BOOL) {
        *out = v->kind == GD_V_INT ? v->u.integer : v->u.boolean;
        return GD_OK;
    }
    if (v->kind == GD_V_TENSOR && v->u.tensor->numel == 1 && !gd_dtype_is_float((gd_dtype)v->u.tensor->dtype)) {
        gd_trace_read(s->ctx, v->u.tensor, "the bound of a slice");
        *out = gd_load_i64((gd_dtype)v->u.tensor->dtype, v->u.tensor->data);
        return GD_OK;
    }
    return gd_fail(s->ctx, GD_E_ARGUMENT, "slice indices must be integers or None or have an __index__ method");
}

static gd_code take_slice(subscript *s, const gd_value *v) {
    int64_t start, stop, step;
    gd_value none = GD_NONE_VALUE;
    gd_code code = slice_bound(s, v->n > 2 ? &v->u.list[2] : &none, 1, &step);
    if (!code) code = slice_bound(s, v->n > 0 ? &v->u.list[0] : &none, 0, &start);
    if (!code) code = slice_bound(s, v->n > 1 ? &v->u.list[1] : &none, INT64_MAX, &stop);
    if (code) return code;
    if (step == 0) return gd_fail(s->ctx, GD_E_VALUE, "slice step cannot be zero");
    if (step < 0) return gd_fail(s->ctx, GD_E_VALUE, "step must be greater than zero");
    code = proceed(s, DO(s->ctx, slice, GD_TENSOR_VALUE(s->at), GD_INT_VALUE(s->dim), GD_INT_VALUE(start),
                         GD_INT_VALUE(stop), GD_INT_VALUE(step)));
    s->dim++;
    return code;
}

/* Notes an index tensor (taken) for the current dimension. */
static gd_code take_tensor(subscript *s, gd_tensor *t) {
    if (!t) return gd_failed(s->ctx);
    if (s->dim >= GD_MAX_DIMS) {
        gd_release(t);
        return gd_fail(s->ctx, GD_E_INDEX, "too many indices for tensor of dimension %d", s->at->ndim);
    }
    while (s->ntensors <= s->dim) s->tensors[s->ntensors++] = NULL;
    s->tensors[s->dim++] = t;
    return GD_OK;
}

/* True keeps everything under a new dimension of size 1, False nothing under one of size 0. */
static gd_code take_bool(subscript *s, bool value) {
    const int64_t size = value;
    gd_code code = proceed(s, DO(s->ctx, unsqueeze, GD_TENSOR_VALUE(s->at), GD_INT_VALUE(s->dim)));
    return code ? code : take_tensor(s, gd_zeros(s->ctx, GD_INT64, 1, &size));
}

static gd_code take_index_tensor(subscript *s, gd_tensor *t) {
    if (t->ndim || gd_dtype_is_float((gd_dtype)t->dtype)) return take_tensor(s, gd_retain(t));
    gd_trace_read(s->ctx, t, "an index");
    int64_t value = gd_load_i64((gd_dtype)t->dtype, t->data);
    if (t->dtype == GD_BOOL || t->dtype == GD_UINT8) return take_bool(s, value != 0);
    return take_number(s, value);
}

/* A nested list of numbers or bools is an index tensor. */
static gd_code take_list(subscript *s, const gd_value *v) {
    const gd_dtype whole = GD_INT64;
    return take_tensor(s, gd_from_value(s->ctx, v, v->n == 0 ? &whole : NULL, false));
}

static gd_code take_entry(subscript *s, const gd_value *v, int whole_ndim, int64_t used) {
    gd_code code;
    switch (v->kind) {
    case GD_V_INT: return take_number(s, v->u.integer);
    case GD_V_SLICE: return take_slice(s, v);
    case GD_V_BOOL: return take_bool(s, v->u.boolean);
    case GD_V_TENSOR: return take_index_tensor(s, v->u.tensor);
    case GD_V_LIST: return take_list(s, v);
    case GD_V_ELLIPSIS:
        s->dim += whole_ndim - (int)used;
        if (s->dim > s->at->ndim)
            return gd_fail(s->ctx, GD_E_INDEX, "an index can only have a single ellipsis ('...')");
        return GD_OK;
    case GD_V_NONE:
        code = proceed(s, DO(s->ctx, unsqueeze, GD_TENSOR_VALUE(s->at), GD_INT_VALUE(s->dim)));
        s->dim++;
        return code;
    default:
        return gd_fail(
            s->ctx, GD_E_INDEX,
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got %s)",
            v->kind == GD_V_FLOAT ? "float" : "str");
    }
}

/* Works off all entries; s is cleared by the caller, also on failure. */
static gd_code apply_entries(subscript *s, gd_tensor *self, const gd_value *entries, int n) {
    int64_t used = 0;
    s->at = gd_retain(self);
    for (int i = 0; i < n; i++) used += dims_used(&entries[i]);
    bool plain =
        n == 1 && (entries[0].kind == GD_V_INT || entries[0].kind == GD_V_SLICE); /* these have texts of their own */
    if (used > self->ndim && !(plain && self->ndim == 0))
        return gd_fail(s->ctx, GD_E_INDEX, "too many indices for tensor of dimension %d", self->ndim);
    gd_code code = GD_OK;
    for (int i = 0; i < n && !code; i++) {
        s->entry = i;
        code = take_entry(s, &entries[i], self->ndim, used);
    }
    return code;
}

static gd_value collected(subscript *s) {
    return (gd_value){.kind = GD_V_TENSORS, .n = (uint32_t)s->ntensors, .u.tensors = s->tensors};
}

gd_code gd_fw_getitem(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    subscript s = {.ctx = a->ctx};
    gd_code code = apply_entries(&s, self, a->args[1].u.list, arg_count(a, 1));
    if (!code && s.ntensors)
        code = give(a, DO(a->ctx, index, GD_TENSOR_VALUE(s.at), collected(&s)));
    else if (!code && s.at == self)
        code = give(a, DO(a->ctx, _alias, GD_TENSOR_VALUE(self)));
    else if (!code)
        code = give(a, gd_retain(s.at));
    subscript_clear(&s);
    return code;
}

/* ---- assignment ---------------------------------------------------------------------------- */

/* New: value without leading dimensions of size 1, as a view that is recorded. */
static gd_tensor *without_leading_ones(gd_ctx *c, gd_tensor *value) {
    int skip = 0;
    while (skip < value->ndim && value->sizes[skip] == 1) skip++;
    return DO(c, view, GD_TENSOR_VALUE(value), GD_INTS_VALUE(value->sizes + skip, value->ndim - skip));
}

/* target[...] = value, broadcast. */
static gd_code copy_into(gd_ctx *c, gd_tensor *target, gd_tensor *value) {
    gd_tensor *source = NULL;
    if (value->ndim == 0 && target->ndim != 0)
        return gd_do_inplace(c, GD_OP_fill_tensor_, (const gd_value[]){GD_TENSOR_VALUE(target), GD_TENSOR_VALUE(value)},
                             2);
    if (gd_same_shape(target, value)) {
        source = gd_retain(value);
    } else {
        gd_tensor *bare = without_leading_ones(c, value);
        bool same = bare && gd_same_shape(target, bare);
        if (bare && !same)
            bare = then_release(DO(c, expand, GD_TENSOR_VALUE(bare), GD_INTS_VALUE(target->sizes, target->ndim)), bare);
        source = bare;
    }
    if (!source) return gd_failed(c);
    gd_code code =
        gd_do_inplace(c, GD_OP_copy_, (const gd_value[]){GD_TENSOR_VALUE(target), GD_TENSOR_VALUE(source)}, 2);
    gd_release(source);
    return code;
}

static gd_code put_into(gd_ctx *c, subscript *s, gd_tensor *value) {
    gd_tensor *bare = value->ndim && value->sizes[0] == 1 ? without_leading_ones(c, value) : gd_retain(value);
    if (!bare) return gd_failed(c);
    const gd_value args[] = {GD_TENSOR_VALUE(s->at), collected(s), GD_TENSOR_VALUE(bare), GD_BOOL_VALUE(false)};
    gd_code code = gd_do_inplace(c, GD_OP_index_put, args, 4);
    gd_release(bare);
    return code;
}

/* x[False] = … writes nothing. */
static bool writes_nothing(const gd_value *indices) {
    return indices->n == 1 && indices->u.list[0].kind == GD_V_BOOL && !indices->u.list[0].u.boolean;
}

gd_code gd_fw_setitem(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0), *value = arg_tensor(a, 2);
    subscript s = {.ctx = a->ctx};
    if (writes_nothing(&a->args[1])) return give(a, gd_retain(self));
    /* A Python number takes self's dtype. */
    value = value->flags & GD_F_WRAPPED_NUMBER ? gd_as_dtype(a->ctx, value, (gd_dtype)self->dtype) : gd_retain(value);
    if (!value) return gd_failed(a->ctx);
    gd_code code = apply_entries(&s, self, a->args[1].u.list, arg_count(a, 1));
    if (!code) code = s.ntensors ? put_into(a->ctx, &s, value) : copy_into(a->ctx, s.at, value);
    subscript_clear(&s);
    gd_release(value);
    return code ? code : give(a, gd_retain(self));
}
