/* reduce.h: which dimensions a reduction takes: shared by its forward functions and its rules. */
#ifndef GD_OPS_REDUCE_H
#define GD_OPS_REDUCE_H

#include "core/ops/op.h"

/* Bits of the dimensions that `dims` (int, int[], None) names; none named: all. GD_E_INDEX out of range,
 * GD_E_RUNTIME for one named twice, with PyTorch's texts. */
GD_MUST_CHECK gd_code gd_reduce_mask(gd_ctx *ctx, const gd_value *dims, int ndim, uint64_t *mask);
/* How many elements one output element is made of. */
int64_t gd_reduce_count(int ndim, const int64_t *sizes, uint64_t mask);

#endif
