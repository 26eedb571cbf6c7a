/* narrow.h: rows applied to the narrow dtypes: int8, int16, float16 and bfloat16.
 *
 * No kernel needs to know these. A row's forward is given stand-ins of a wide dtype (float32 for the floats, int32 for
 * the integers) and what it answers is rounded or cut to the narrow one; that is also how PyTorch's kernels compute
 * them, and integers that are cut are integers that wrap. Composites, views and rows with GD_ANY_DTYPE get the tensors
 * themselves: they only pass elements on.
 *
 * Note [Stand-ins]: two dtypes of one call never get the same stand-in as far as there are enough, so that a row
 * which wants its arguments of one dtype still sees that they are not; messages then name the dtypes that the client
 * has. The dtype of the result is found from the client's dtypes: what the row answers in the dtype that the stand-ins
 * promote to becomes of that one.
 *
 * What PyTorch's CPU kernels refuse is a table, narrow.def: `"exp_vml_cpu" not implemented for 'Half'`.
 */
#ifndef GD_NARROW_H
#define GD_NARROW_H

#include "core/ops/op.h"

/* Compiles narrow.def into the rows; gd_init calls it once. */
void gd_narrow_init(void);

/* The forward of a->op where some tensor may be narrow; as gd_apply's forward, with GD_OUT_READY and in-place rows. */
GD_MUST_CHECK gd_code gd_forward_narrow(gd_apply *a);

/* The forward of a->op: without a look at the arguments while the process has seen no narrow dtype. */
GD_MUST_CHECK static inline gd_code gd_forward(gd_apply *a) {
    return __builtin_expect(gd_narrow_seen(), false) ? gd_forward_narrow(a) : a->op->forward(a);
}

/* call.c: writes r, which was computed aside, over self's values, with the checks for shape and dtype. */
GD_MUST_CHECK gd_code gd_store_over(gd_ctx *ctx, gd_tensor *self, const gd_tensor *r);
GD_MUST_CHECK gd_code gd_check_not_overlapping(gd_ctx *ctx, const gd_tensor *t); /* itself */

#endif
