/* value.c: tensors from what a client wrote: a number, or numbers in nested lists, as torch.tensor() reads
 * them, with its complaints. Nothing here recurses: lists nest as deep as GD_MAX_DIMS. */
#include "core/tensor/tensor.h"

#include <inttypes.h>

/* A place in nested lists: one open list a level. */
typedef struct cursor {
    int depth;
    const gd_value *list[GD_MAX_DIMS];
    uint32_t at[GD_MAX_DIMS];
} cursor;

static const char *python_type(const gd_value *v) {
    switch (v->kind) {
    case GD_V_NONE: return "NoneType";
    case GD_V_TENSOR: return "Tensor";
    case GD_V_BOOL: return "bool";
    case GD_V_INT: return "int";
    case GD_V_FLOAT: return "float";
    case GD_V_STR: return "str";
    case GD_V_DTYPE: return "torch.dtype";
    case GD_V_SLICE: return "slice";
    case GD_V_ELLIPSIS: return "ellipsis";
    case GD_V_OTHER: return v->u.str;
    case GD_V_LIST:
    case GD_V_INTS:
    case GD_V_FLOATS:
    case GD_V_TENSORS: break;
    }
    return "list";
}

static gd_code fail_deep(gd_ctx *ctx, const gd_value *v) {
    return gd_fail(ctx, GD_E_VALUE, "too many dimensions '%s'", python_type(v));
}

/* The shape that the first entries, level by level, promise for all. */
static gd_code first_shape(gd_ctx *ctx, const gd_value *value, int *ndim, int64_t *sizes) {
    for (*ndim = 0; value->kind == GD_V_LIST; value = value->u.list) {
        if (*ndim == GD_MAX_DIMS) return fail_deep(ctx, value);
        sizes[(*ndim)++] = value->n;
        if (value->n == 0) return GD_OK;
    }
    if (value->kind == GD_V_STR && *ndim > 0) return fail_deep(ctx, value);
    return GD_OK;
}

/* ---- the dtype ----------------------------------------------------------------------------- */

static gd_code dtype_of_leaf(gd_ctx *ctx, const gd_value *v, gd_dtype *dtype) {
    switch (v->kind) {
    case GD_V_BOOL: *dtype = GD_BOOL; return GD_OK;
    case GD_V_INT: *dtype = GD_INT64; return GD_OK;
    case GD_V_FLOAT: *dtype = GD_FLOAT32; return GD_OK;
    case GD_V_TENSOR: *dtype = gd_dtype_of(v->u.tensor); return GD_OK;
    case GD_V_STR: return gd_fail(ctx, GD_E_ARGUMENT, "new(): invalid data type 'str'");
    case GD_V_LIST: *dtype = GD_FLOAT32; return GD_OK; /* an empty one */
    default: return gd_fail(ctx, GD_E_RUNTIME, "Could not infer dtype of %s", python_type(v));
    }
}

static gd_code infer_dtype(gd_ctx *ctx, const gd_value *value, gd_dtype *dtype) {
    cursor c = {.depth = 0};
    gd_dtype leaf = GD_BOOL;
    *dtype = GD_BOOL;
    for (const gd_value *v = value;;) {
        if (v->kind == GD_V_LIST && v->n > 0) {
            if (c.depth == GD_MAX_DIMS) return fail_deep(ctx, v);
            c.list[c.depth] = v;
            c.at[c.depth++] = 0;
            v = v->u.list;
            continue;
        }
        gd_code code = dtype_of_leaf(ctx, v, &leaf);
        if (code != GD_OK) return code;
        *dtype = gd_promote_dtypes(*dtype, leaf);
        while (c.depth > 0 && ++c.at[c.depth - 1] == c.list[c.depth - 1]->n) c.depth--;
        if (c.depth == 0) return GD_OK;
        v = &c.list[c.depth - 1]->u.list[c.at[c.depth - 1]];
    }
}

/* ---- the values ---------------------------------------------------------------------------- */

static gd_code fail_range(gd_ctx *ctx, gd_dtype dtype) {
    return gd_fail(ctx, GD_E_RUNTIME, "value cannot be converted to type %s without overflow", gd_dtype_name(dtype));
}

static gd_code store_integer(gd_ctx *ctx, gd_dtype dtype, char *p, int64_t v) {
    /* Negative values wrap into uint8, as far as their size fits. */
    bool fits = dtype == GD_UINT8   ? v >= -UINT8_MAX && v <= UINT8_MAX
                : dtype == GD_INT8  ? v >= INT8_MIN && v <= INT8_MAX
                : dtype == GD_INT16 ? v >= INT16_MIN && v <= INT16_MAX
                : dtype == GD_INT32 ? v >= INT32_MIN && v <= INT32_MAX
                                    : true;
    if (!fits) return fail_range(ctx, dtype);
    if (gd_dtype_is_float(dtype))
        gd_store_f64(dtype, p, (double)v); /* through double, as a Python number goes */
    else
        gd_store_i64(dtype, p, v);
    return GD_OK;
}

static gd_code store_real(gd_ctx *ctx, gd_dtype dtype, char *p, double v) {
    bool fits = dtype == GD_UINT8   ? v >= 0 && v <= UINT8_MAX
                : dtype == GD_INT8  ? v >= INT8_MIN && v <= INT8_MAX
                : dtype == GD_INT16 ? v >= INT16_MIN && v <= INT16_MAX
                : dtype == GD_INT32 ? v >= INT32_MIN && v <= INT32_MAX
                : dtype == GD_INT64 ? v >= -0x1p63 && v <= 0x1p63
                                    : true;
    if (!fits) return fail_range(ctx, dtype);
    gd_store_f64(dtype, p, v);
    return GD_OK;
}

static gd_code fail_leaf(gd_ctx *ctx, gd_dtype dtype, const gd_value *v) {
    bool is_float = gd_dtype_is_float(dtype);
    if (v->kind == GD_V_TENSOR && (is_float || dtype == GD_BOOL))
        return gd_fail(ctx, GD_E_VALUE, "only one element tensors can be converted to Python scalars");
    if (v->kind == GD_V_TENSOR)
        return gd_fail(ctx, GD_E_ARGUMENT, "only integer tensors of a single element can be converted to an index");
    if (is_float) return gd_fail(ctx, GD_E_ARGUMENT, "must be real number, not %s", python_type(v));
    return gd_fail(ctx, GD_E_ARGUMENT, "'%s' object cannot be interpreted as an integer", python_type(v));
}

static gd_code store_leaf(gd_ctx *ctx, gd_dtype dtype, char *p, const gd_value *v) {
    gd_value number = *v;
    if (v->kind == GD_V_TENSOR && v->u.tensor->numel == 1 && gd_item(ctx, v->u.tensor, &number) != GD_OK)
        return ctx->error.code;
    switch (number.kind) {
    case GD_V_BOOL: return store_integer(ctx, dtype, p, number.u.boolean);
    case GD_V_INT: return store_integer(ctx, dtype, p, number.u.integer);
    case GD_V_FLOAT: return store_real(ctx, dtype, p, number.u.real);
    default: return fail_leaf(ctx, dtype, v);
    }
}

/* Opens the list `v` as level c->depth of t, if its length is the shape's. */
static gd_code open_list(gd_ctx *ctx, const gd_tensor *t, cursor *c, const gd_value *v) {
    if (v->kind != GD_V_LIST) return gd_fail(ctx, GD_E_ARGUMENT, "not a sequence");
    if (v->n != t->sizes[c->depth])
        return gd_fail(ctx, GD_E_VALUE, "expected sequence of length %" PRId64 " at dim %d (got %" PRIu32 ")",
                       t->sizes[c->depth], c->depth, v->n);
    c->list[c->depth] = v;
    c->at[c->depth++] = 0;
    return GD_OK;
}

static gd_code store_all(gd_ctx *ctx, gd_tensor *t, const gd_value *value) {
    size_t width = gd_dtype_bytes((gd_dtype)t->dtype);
    cursor c = {.depth = 0};
    gd_code code;
    char *p = t->data;
    if (t->numel == 0) return GD_OK; /* PyTorch looks no further either */
    for (const gd_value *v = value;;) {
        if (c.depth < t->ndim) {
            if ((code = open_list(ctx, t, &c, v)) != GD_OK) return code;
            v = v->u.list;
            continue;
        }
        if ((code = store_leaf(ctx, (gd_dtype)t->dtype, p, v)) != GD_OK) return code;
        p += width;
        while (c.depth > 0 && ++c.at[c.depth - 1] == c.list[c.depth - 1]->n) c.depth--;
        if (c.depth == 0) return GD_OK;
        v = &c.list[c.depth - 1]->u.list[c.at[c.depth - 1]];
    }
}

/* A bare number's own dtype as Python scalar: a float is a float64 there. */
static bool is_number(const gd_value *v) {
    return v->kind == GD_V_BOOL || v->kind == GD_V_INT || v->kind == GD_V_FLOAT;
}

gd_tensor *gd_from_value(gd_ctx *ctx, const gd_value *value, const gd_dtype *dtype, bool wrapped) {
    int64_t sizes[GD_MAX_DIMS];
    gd_dtype inferred;
    int ndim;
    wrapped = wrapped && is_number(value);
    if (first_shape(ctx, value, &ndim, sizes) != GD_OK) return NULL;
    if (!dtype) {
        if (infer_dtype(ctx, value, &inferred) != GD_OK) return NULL;
        if (wrapped && inferred == GD_FLOAT32) inferred = GD_FLOAT64;
        dtype = &inferred;
    }
    gd_tensor *t = gd_empty(ctx, *dtype, ndim, sizes);
    if (!t) return NULL;
    if (wrapped) t->flags |= GD_F_WRAPPED_NUMBER;
    if (store_all(ctx, t, value) == GD_OK) return t;
    gd_release(t);
    return NULL;
}
