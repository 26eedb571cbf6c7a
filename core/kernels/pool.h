/* pool.h: loops that pick the greatest element of windows. */
#ifndef GD_POOL_H
#define GD_POOL_H

#include "core/tensor/tensor.h"

/* The windows of one dimension: of each output position where it starts and
 * ends, and the step within. */
typedef struct gd_windows {
    int64_t in, out, step;
    const int64_t *start, *end;
} gd_windows;

/* y and index (planes x out) = greatest element of each window of x (planes x
 * in) and its place in the plane: the first of equals; NaN wins. Three
 * dimensions, of which the first may be of size 1. Float dtypes. */
void gd_max_windows(gd_dtype dtype, int64_t planes, const gd_windows *w, const void *x, void *y, int64_t *index);

#endif
