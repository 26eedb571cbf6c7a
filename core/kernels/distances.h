/* distances.h: distances between one vector and many; for core/ops/distances.c. */
#ifndef GD_DISTANCES_H
#define GD_DISTANCES_H

#include "core/kernels/kernels.h"

/* out[j] = the p-norm of the vector of x[k] - y[k * m + j], k < width, differences rounded as the dtype (float32 or
 * float64) has them; p may be 0 (how many differ) and infinite (the greatest). `room` holds m numbers. */
typedef void (*gd_distance_loop)(void *out, double *room, const void *x, const void *y, int64_t m, int64_t width,
                                 double p);

/* [0: float32, 1: float64] */
extern const gd_distance_loop gd_distances_baseline[2], gd_distances_avx2[2], gd_distances_avx512[2];
gd_distance_loop gd_distances_of(gd_dtype dtype);

/* out holds -2 times the products of x with the m columns of y; lengths[j] is the square of y's column j, own that of
 * x: out becomes the lengths of the differences. Where that loses digits the differences are squared and added up. */
typedef void (*gd_distance_finish)(void *out, const double *lengths, const void *x, const void *y, int64_t m,
                                   int64_t width, double own);
extern const gd_distance_finish gd_distance_finish_baseline[2], gd_distance_finish_avx2[2],
    gd_distance_finish_avx512[2];
gd_distance_finish gd_distances_finish_of(gd_dtype dtype);

#endif
