/* reduce.h: kernels that reduce dimensions or scan along one. Values only: dtypes and shapes are checked and
 * outputs are made by the callers (core/ops/reduce.c).
 */
#ifndef GD_REDUCE_H
#define GD_REDUCE_H

#include "core/kernels/kernels.h"

/* One dimension of a reduction's loop nest; strides in bytes, `out` is 0 where the dimension is reduced. */
typedef struct gd_reduce_dim {
    int64_t size, in, out;
} gd_reduce_dim;

/* The loop nest, innermost first: reduced dimensions before kept ones, neighbours merged. */
typedef struct gd_reduce_plan {
    int ndim, nreduced;
    gd_reduce_dim dims[GD_MAX_DIMS];
} gd_reduce_plan;

/* Plans the reduction of the dimensions in `mask` (bit d: dimension d). The output is contiguous, with elements of
 * `out_bytes`. `in_order`: reduced elements come in row-major order, else in that of memory. */
void gd_reduce_plan_make(gd_reduce_plan *plan, const gd_tensor *in, uint64_t mask, size_t out_bytes, bool in_order);

/* out = sum over the dimensions in mask of `in` (or of its squares), both of the same dtype, float32, float64 or
 * int64. Floats are added in the order of PyTorch's cascade sum, so that the bits agree. */
void gd_reduce_sum(gd_tensor *out, const gd_tensor *in, uint64_t mask, bool squares);

typedef enum gd_reducer {
    GD_R_PROD, /* out: same dtype */
    GD_R_MAX,  /* out: same dtype; NaN wins */
    GD_R_MIN,
    GD_R_ARGMAX, /* index: int64, row-major within the reduced dimensions, first of equals; out: values or NULL */
    GD_R_ARGMIN,
    GD_R_ALL, /* out: bool or uint8 */
    GD_R_ANY,
    GD_R_VAR, /* float: sum of squared deviations / (n - p), computed in double */
    GD_R_STD,
    GD_R_LSE,  /* float: log of the sum of exponentials */
    GD_R_NORM, /* float: p-norm; p may be 0, inf, -inf */
    GD_R_COUNT
} gd_reducer;

/* The running result of one output element. */
typedef struct gd_accumulator {
    double f;                /* of floats */
    int64_t i;               /* of integers and truth values */
    int64_t index, position; /* of the best; of the next element */
    double p;                /* the reducer's parameter */
    double shift;            /* pass 1: mean or maximum of pass 0 */
    int pass;
} gd_accumulator;

/* Takes in n elements, `stride` bytes apart. */
typedef void (*gd_reduce_run)(gd_accumulator *acc, const char *in, int64_t stride, int64_t n);

/* out and index (either may be NULL) have the output's shape and are contiguous. `p`: the norm's p, the
 * variance's correction. Empty reductions give the identity (0 for max, min, which callers refuse). */
void gd_reduce(gd_reducer reducer, gd_tensor *out, gd_tensor *index, const gd_tensor *in, uint64_t mask, double p);

typedef enum gd_scan {
    GD_S_SOFTMAX,
    GD_S_LOG_SOFTMAX,
    GD_S_SOFTMAX_BACKWARD,
    GD_S_LOG_SOFTMAX_BACKWARD,
    GD_S_CUMSUM
} gd_scan;
/* out = scan of a (and b) along dimension `dim`; all contiguous, of one shape and dtype (floats; cumsum also int64).
 * The backward scans take the gradient as a and the forward's result as b. */
void gd_scan_along(gd_scan scan, gd_tensor *out, const gd_tensor *a, const gd_tensor *b, int dim);

/* Products of all the others: out[k] = product of in[j], j != k, within `n` elements `stride` bytes apart. */
void gd_products_of_others(gd_dtype dtype, char *out, const char *in, int64_t stride, int64_t n);

/* Adds the elements at `in` to those at `out`, over two dimensions. */
typedef void (*gd_sum2d)(char *out, const char *in, const gd_reduce_dim *inner, const gd_reduce_dim *outer);
/* What gd_reduce_sum runs inside. `dtype` is float32, float64 or int64. */
gd_sum2d gd_reduce_sum_loop(gd_dtype dtype);

/* What reduce.c picks from: tables that exist once an instruction set. */
typedef struct gd_reduce_table {
    gd_sum2d sum[2][2];                             /* [squares][0: float32, 1: float64] */
    gd_reduce_run runs[GD_R_COUNT][GD_DTYPE_COUNT]; /* NULL where there is none */
} gd_reduce_table;
extern const gd_reduce_table gd_reduce_table_baseline, gd_reduce_table_avx2, gd_reduce_table_avx512;

#endif
