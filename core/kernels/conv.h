/* conv.h: convolutions of lines, images and volumes over raw memory, and their
 * two adjoints.
 *
 * The forward map takes x (batch x in channels x in) and w (out channels x in
 * channels / groups x kernel) to y (batch x out channels x out). It is linear
 * in x and in w: gd_conv_input is its adjoint in x (a transposed convolution),
 * gd_conv_weight its adjoint in w. Each is one product of matrices an image and
 * group, over the columns of the windows. */
#ifndef GD_CONV_H
#define GD_CONV_H

#include "core/tensor/tensor.h"

typedef struct gd_conv {
    gd_dtype dtype; /* any but bool */
    int64_t batch, groups;
    int64_t in_channels, out_channels; /* of one group */
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3];
    int64_t padding[3]; /* before; behind there is as much as `out` needs */
} gd_conv;

/* Elements of scratch memory that a pass needs: the columns of one image and
 * group. False if that overflows. */
bool gd_conv_scratch(const gd_conv *v, int64_t *elements);
void gd_conv_forward(const gd_conv *v, const void *x, const void *w, void *y, void *scratch);
void gd_conv_input(const gd_conv *v, const void *y, const void *w, void *x, void *scratch);
void gd_conv_weight(const gd_conv *v, const void *x, const void *y, void *w, void *scratch);

#endif
