/* resample.h: linear maps along single dimensions, for averages over windows
 * and for interpolation.
 *
 * Averages and interpolations of images are products of maps of their
 * dimensions: each output position is a weighted sum of few input positions.
 * One pass applies the map of one dimension; the adjoint pass is its gradient.
 */
#ifndef GD_RESAMPLE_H
#define GD_RESAMPLE_H

#include "core/tensor/tensor.h"

/* What one output position takes: n places with their weights, or (n 0) all of
 * [start, end) with weight[0]. */
typedef struct gd_tap {
    int64_t n, start, end, place[4];
    double weight[4];
} gd_tap;

typedef enum gd_resampling {
    GD_AVERAGE,  /* sliding windows */
    GD_ADAPTIVE, /* windows that share the input evenly */
    GD_NEAREST,
    GD_NEAREST_EXACT,
    GD_LINEAR,
    GD_CUBIC
} gd_resampling;

/* How one dimension is mapped. */
typedef struct gd_resample_dim {
    gd_resampling kind;
    int64_t in, out;
    int64_t kernel, stride, padding; /* averages */
    bool count_padding;              /* averages: padding counts as zeros */
    double divisor;                  /* averages: divides the sum in place of the count; 0: the
                                        count */
    bool align_corners;              /* linear, cubic */
    double scale;                    /* interpolation: what the client gave, 0: from the sizes */
} gd_resample_dim;

/* Fills taps[0..out) for elements of `dtype`. */
void gd_resample_taps(const gd_resample_dim *d, gd_dtype dtype, gd_tap *taps);
/* y (outer x out x inner) = the map of x (outer x in x inner); float dtypes. */
void gd_resample_apply(gd_dtype dtype, const gd_tap *taps, int64_t outer, int64_t in, int64_t out, int64_t inner,
                       const void *x, void *y);
/* x = the transposed map of y. */
void gd_resample_adjoint(gd_dtype dtype, const gd_tap *taps, int64_t outer, int64_t in, int64_t out, int64_t inner,
                         void *x, const void *y);

#endif
