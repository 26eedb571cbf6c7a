/* dense.h: new tensors laid out in memory like another one, shared by the convert and create rows. */
#ifndef GD_DENSE_H
#define GD_DENSE_H

#include "core/tensor/tensor.h"

/* Fills `strides` (t->ndim, elements) with those of a tensor of t's shape without gaps whose dimensions lie in
 * memory in the order of t's. True if they are t's own: t has no gaps and no element twice. */
bool gd_dense_strides(const gd_tensor *t, int64_t *strides);
/* New, uninitialised, t's shape in another dtype, its dimensions in memory in t's order. NULL with the error set. */
gd_tensor *gd_empty_dense(gd_ctx *ctx, const gd_tensor *t, gd_dtype dtype);

#endif
