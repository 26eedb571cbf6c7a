/* masks.c: rows that read and write elements where a mask is true. */
#include <string.h>

#include "core/kernels/index.h"
#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/families.h"

#define TEXT 512

static bool is_mask(const gd_tensor *t) { return t->dtype == GD_BOOL || t->dtype == GD_UINT8; }

/* One element in the output's dtype. */
typedef struct fill_value {
    char bytes[8];
    size_t size;
} fill_value;

static void fill_loop(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const fill_value *v = extra;
    char *out = data[0];
    const char *mask = data[1];
    for (int64_t i = 0; i < n; i++, out += strides[0], mask += strides[1])
        if (*mask) memcpy(out, v->bytes, v->size);
}

/* The number or 0-dim tensor `value` as one element of t's dtype. */
static fill_value element_of(const gd_apply *a, gd_dtype dtype) {
    fill_value v = {.size = gd_dtype_bytes(dtype)};
    const gd_value *value = &a->args[2];
    if (value->kind == GD_V_TENSOR) {
        const gd_tensor *t = value->u.tensor;
        if (gd_dtype_is_float((gd_dtype)t->dtype))
            gd_store_f64(dtype, v.bytes, gd_load_f64((gd_dtype)t->dtype, t->data));
        else
            gd_store_i64(dtype, v.bytes, gd_load_i64((gd_dtype)t->dtype, t->data));
    } else if (value->kind == GD_V_INT) {
        gd_store_i64(dtype, v.bytes, value->u.integer);
    } else {
        gd_store_f64(dtype, v.bytes, arg_f64(a, 2));
    }
    return v;
}

/* Where the fill goes: `a->out[0]` if given and of the broadcast shape, else a new tensor of it. */
static gd_code fill_output(gd_apply *a, gd_tensor **out) {
    char have[TEXT], want[TEXT];
    gd_tensor *t = arg_tensor(a, 0), *mask = arg_tensor(a, 1), *given = a->nout ? a->out[0] : NULL;
    int64_t sizes[GD_MAX_DIMS];
    int ndim;
    gd_code code = gd_broadcast_shape(a->ctx, t->ndim, t->sizes, mask->ndim, mask->sizes, sizes, &ndim);
    if (code) return code;
    if (given && (given->ndim != ndim || memcmp(given->sizes, sizes, (size_t)ndim * sizeof *sizes)))
        return gd_fail(a->ctx, GD_E_SHAPE, "output with shape %s doesn't match the broadcast shape %s",
                       gd_shape_text(have, sizeof have, given->ndim, given->sizes),
                       gd_shape_text(want, sizeof want, ndim, sizes));
    *out = given ? given : gd_empty(a->ctx, (gd_dtype)t->dtype, ndim, sizes);
    if (!*out) return gd_failed(a->ctx);
    if (*out != t) gd_copy_values(*out, t);
    return GD_OK;
}

gd_code gd_fw_masked_fill(gd_apply *a) {
    gd_tensor *mask = arg_tensor(a, 1), *out = NULL;
    if (a->op->param && arg_tensor(a, 2)->ndim)
        return gd_fail(a->ctx, GD_E_SHAPE,
                       "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).",
                       arg_tensor(a, 2)->ndim);
    if (!is_mask(mask))
        return gd_fail(a->ctx, GD_E_DTYPE, "masked_fill_ only supports boolean masks, but got mask with dtype %s",
                       gd_dtype_name((gd_dtype)mask->dtype));
    fill_value v = element_of(a, (gd_dtype)arg_tensor(a, 0)->dtype);
    gd_code code = check_written(a, arg_tensor(a, 0));
    if (!code) code = fill_output(a, &out);
    if (code) return code;
    gd_iterate_in_order((gd_tensor *const[]){out, mask}, 2, fill_loop, &v);
    return give(a, out);
}

/* New: mask spread to the shape, contiguous, one byte an element. */
static gd_tensor *spread_mask(gd_ctx *c, const gd_tensor *mask, int ndim, const int64_t *sizes) {
    gd_tensor *full = gd_empty(c, GD_BOOL, ndim, sizes);
    if (full) gd_copy_values(full, mask);
    return full;
}

gd_code gd_fw_masked_select(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *mask = arg_tensor(a, 1), *out = NULL;
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int ndim;
    if (!is_mask(mask)) return gd_fail(a->ctx, GD_E_DTYPE, "masked_select: expected BoolTensor or ByteTensor for mask");
    gd_code code = gd_broadcast_shape(a->ctx, t->ndim, t->sizes, mask->ndim, mask->sizes, sizes, &ndim);
    if (code) return code;
    for (int d = 0; d < ndim; d++) {
        int own = d - (ndim - t->ndim);
        strides[d] = own < 0 || t->sizes[own] != sizes[d] ? 0 : GD_STRIDES(t)[own];
    }
    gd_tensor *full = spread_mask(a->ctx, mask, ndim, sizes),
              *wide = full ? gd_alias(a->ctx, t, ndim, sizes, strides, gd_offset(t)) : NULL;
    if (wide) {
        int64_t count = gd_mask_count(full);
        out = gd_empty(a->ctx, (gd_dtype)t->dtype, 1, &count);
        if (out) gd_mask_walk(wide, full, out->data, GD_INDEX_READ);
    }
    gd_release(wide);
    gd_release(full);
    return give(a, out);
}

gd_code gd_fw__masked_scatter(gd_apply *a) {
    gd_tensor *grad = arg_tensor(a, 0), *out;
    gd_tensor *full = spread_mask(a->ctx, arg_tensor(a, 2), arg_count(a, 1), arg_ints(a, 1));
    gd_tensor *flat = full ? gd_as_contiguous(a->ctx, grad) : NULL;
    out = flat ? gd_zeros(a->ctx, (gd_dtype)grad->dtype, arg_count(a, 1), arg_ints(a, 1)) : NULL;
    if (out && gd_mask_count(full) != flat->numel) {
        (void)gd_fail(a->ctx, GD_E_SHAPE, "the mask does not select as many elements as there are");
        out = then_release(NULL, out);
    }
    if (out) gd_mask_walk(out, full, flat->data, GD_INDEX_WRITE);
    gd_release(flat);
    gd_release(full);
    return give(a, out);
}
