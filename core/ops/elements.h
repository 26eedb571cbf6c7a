/* elements.h: what gather, scatter and its reductions ask of an index that places single elements. */
#ifndef GD_ELEMENTS_H
#define GD_ELEMENTS_H

#include "core/tensor/tensor.h"

/* Do the dtypes and shapes of a scatter along `dim` (wrapped) fit? src NULL: a number. GD_E_DTYPE, GD_E_SHAPE. index.c
 */
GD_MUST_CHECK gd_code gd_scatter_check(gd_ctx *c, const gd_tensor *t, const gd_tensor *index, const gd_tensor *src,
                                       int dim);
/* New: the int64 index, contiguous, all of it within [0, size) of dimension `dim`; NULL with error. index.c */
gd_tensor *gd_element_index(gd_ctx *c, gd_tensor *index, int dim, int64_t size);

#endif
