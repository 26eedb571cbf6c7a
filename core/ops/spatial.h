/* spatial.h: what rows over images share: windows that slide over the last one,
 * two or three dimensions. */
#ifndef GD_OPS_SPATIAL_H
#define GD_OPS_SPATIAL_H

#include "core/ops/args.h"

enum { GD_SPATIAL = 3 }; /* dimensions at most */

/* Windows over n dimensions; unused entries are those of one window of size 1.
 */
typedef struct gd_window {
    int n;
    int64_t kernel[GD_SPATIAL], stride[GD_SPATIAL], padding[GD_SPATIAL], dilation[GD_SPATIAL];
    int64_t in[GD_SPATIAL], out[GD_SPATIAL];
} gd_window;

/* One to n numbers of a bound int[n] as n numbers: one stands for each. False
 * for another count. */
bool gd_spread_ints(const gd_value *v, int n, int64_t *out);
/* Reads a pool's arguments (stride None or empty: the kernel; dilation NULL: 1)
 * and checks them as PyTorch does. */
GD_MUST_CHECK gd_code gd_window_read(gd_ctx *c, const char *op, int n, const gd_value *kernel, const gd_value *stride,
                                     const gd_value *padding, const gd_value *dilation, gd_window *w);
/* Fills in and out for an input of n + 1 or n + 2 dimensions; GD_E_SHAPE,
 * GD_E_RUNTIME. */
GD_MUST_CHECK gd_code gd_window_shape(gd_ctx *c, gd_window *w, const gd_tensor *input, bool ceil_mode);
/* GD_E_DTYPE unless t is of floats: "\"op\" not implemented for 'Long'". */
GD_MUST_CHECK gd_code gd_check_floats(gd_ctx *c, const char *op, const gd_tensor *t);
/* GD_E_RUNTIME unless t has n + 1 or n + 2 dimensions, of which none but the
 * batch is empty. */
GD_MUST_CHECK gd_code gd_check_image(gd_ctx *c, const char *op, int n, const gd_tensor *t);
/* t's sizes with the last n replaced by `out`, into sizes; the number of
 * dimensions. */
int gd_spatial_sizes(const gd_tensor *t, int n, const int64_t *out, int64_t *sizes);

#endif
