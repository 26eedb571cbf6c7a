/* rows.h: loops over one row of a normalisation: its sums, its result, and the gradient of its input. */
#ifndef GD_ROWS_H
#define GD_ROWS_H

#include "core/kernels/kernels.h"

/* n contiguous elements of each; `weight` and `bias` may be NULL. */
typedef struct gd_row {
    void *out;
    const void *x, *weight, *bias, *grad;
    int64_t n;
    double mean, rstd;
} gd_row;

/* [0: float32, 1: float64] */
typedef struct gd_row_table {
    /* The sum of x - mean, or of its squares; in double. */
    double (*sum[2])(const void *x, int64_t n, double mean, bool squares);
    /* out = (x - mean) rstd weight + bias, rounded as PyTorch's: x rstd - mean rstd is fused. */
    void (*scale[2])(const gd_row *r);
    /* out = rstd grad weight + b x + c, with b and c from the sums of grad weight and grad weight x: layer_norm's rule.
     */
    void (*slope[2])(const gd_row *r);
} gd_row_table;
extern const gd_row_table gd_row_table_baseline, gd_row_table_avx2, gd_row_table_avx512;

const gd_row_table *gd_rows(void); /* of this CPU */

#endif
