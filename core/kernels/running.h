/* running.h: kernels that run along one dimension and keep every step. All tensors are contiguous. */
#ifndef GD_RUNNING_H
#define GD_RUNNING_H

#include "core/kernels/kernels.h"

/* The greatest (smallest) of in along dim so far, and its place: the last of equals, the last NaN. Any dtype. */
void gd_running_extreme(gd_tensor *values, gd_tensor *indices, const gd_tensor *in, int dim, bool greatest);

typedef enum gd_running {
    GD_RUN_PRODUCT,   /* of a; floats in double, and int64 */
    GD_RUN_LOG_SUM,   /* log of the sum of exponentials of a; floats */
    GD_RUN_RECURRENCE /* from the end: out[k] = a[k] + b[k + 1] out[k + 1]; floats */
} gd_running;
/* out, a and b (used by the recurrence only) have one shape and dtype. */
void gd_running_scan(gd_running what, gd_tensor *out, const gd_tensor *a, const gd_tensor *b, int dim);

#endif
