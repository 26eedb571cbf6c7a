/* create.h: what the rows that make or fill tensors share. */
#ifndef GD_OPS_CREATE_H
#define GD_OPS_CREATE_H

#include "core/ops/op.h"

/* Makes t (taken; NULL: the context's error) the only output of a factory, with requires_grad as its last argument
 * says. GD_E_DTYPE for integers, with PyTorch's text. */
GD_MUST_CHECK gd_code gd_give_new(gd_apply *a, gd_tensor *t);
/* The dtype argument `i`, or `other` for None. */
static inline gd_dtype gd_dtype_or(const gd_apply *a, int i, gd_dtype other) {
    return a->args[i].kind == GD_V_DTYPE ? a->args[i].u.dtype : other;
}
/* GD_E_RUNTIME "value cannot be converted to type uint8_t without overflow" if v does not fit dtype. */
GD_MUST_CHECK gd_code gd_check_fits(gd_ctx *ctx, gd_dtype dtype, const gd_value *v);
/* GD_E_RUNTIME if elements of t share memory, which must not be written. */
GD_MUST_CHECK gd_code gd_check_written(gd_ctx *ctx, const gd_tensor *t);

/* ---- layout (layout.c) ---- */
/* Fills `strides` (t->ndim, elements) with those of a tensor of t's shape without gaps whose dimensions lie in
 * memory in the order of t's. True if they are t's own: t has no gaps and no element twice. */
bool gd_layout_strides(const gd_tensor *t, int64_t *strides);
/* New, not filled, of t's shape, with dense strides as above. NULL with the error set. */
gd_tensor *gd_empty_layout(gd_ctx *ctx, const gd_tensor *t, gd_dtype dtype);

#endif
