/* grid.h: reading images and volumes at given places between their pixels, for grid_sample.
 *
 * A grid gives each output point a place: x (and y, and z) from -1 at one border of the input to 1 at the other. Each
 * axis contributes few taps with weights; the taps' products are the corners that the point is made of.
 */
#ifndef GD_GRID_H
#define GD_GRID_H

#include "core/tensor/tensor.h"

typedef enum gd_grid_mode { GD_GRID_LINEAR, GD_GRID_NEAREST, GD_GRID_CUBIC } gd_grid_mode;       /* PyTorch's numbers */
typedef enum gd_grid_padding { GD_GRID_ZEROS, GD_GRID_BORDER, GD_GRID_REFLECT } gd_grid_padding; /* PyTorch's numbers */

/* One sample of a batch: contiguous channels of a plane or volume each, and `points` places of n numbers. */
typedef struct gd_grid {
    int n; /* 2 or 3 */
    gd_grid_mode mode;
    gd_grid_padding padding;
    bool aligned;    /* -1 and 1 are the centres of the outermost pixels, not their outer borders */
    int64_t size[3]; /* of x, y, z; the third is 1 for n = 2 */
    int64_t channels, points;
} gd_grid;

/* out (channels x points) = input (channels x z x y x x) at the grid's places (points x n). Float dtypes. */
typedef void (*gd_grid_read)(const gd_grid *g, const void *input, const void *grid, void *out);
/* The gradient of that: adds to input_grad (NULL: not wanted), writes grid_grad. */
typedef void (*gd_grid_slope)(const gd_grid *g, const void *input, const void *grid, const void *grad, void *input_grad,
                              void *grid_grad);

typedef struct gd_grid_table {
    gd_grid_read read[2]; /* float, double */
    gd_grid_slope slope[2];
} gd_grid_table;
extern const gd_grid_table gd_grid_table_baseline, gd_grid_table_avx2, gd_grid_table_avx512;

/* For float32 and float64. */
gd_grid_read gd_grid_reader(gd_dtype dtype);
gd_grid_slope gd_grid_sloper(gd_dtype dtype);

#endif
