/* special_run.h: what the files of the special rows and of the activations share. */
#ifndef GD_SPECIAL_RUN_H
#define GD_SPECIAL_RUN_H

#include "core/kernels/special.h"
#include "core/ops/pointwise_run.h"

#define GD_SPECIAL_NUMBERS 4 /* extra numbers of a kernel */

/* out = kernel k of args[first …] (nin tensors; 1 or 2) and the numbers, promoted as PyTorch promotes this kernel's
 * inputs. Errors with PyTorch's texts. */
GD_MUST_CHECK gd_code gd_run_special(gd_apply *a, gd_special k, int first, int nin, const double *numbers, int n);
/* GD_E_DTYPE in PyTorch's words unless kernel k has a loop for t's dtype. */
GD_MUST_CHECK gd_code gd_check_special(gd_ctx *ctx, gd_special k, gd_dtype dtype);
/* The default of a Scalar or float argument that is None. */
double gd_number_or(const gd_apply *a, int i, double other);

#endif
