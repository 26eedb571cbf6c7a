/* resample_rules.c: derivatives of averages and interpolations: the map's
 * adjoint, whose gradient is the map. */
#include "core/ops/families.h"
#include "core/ops/rules.h"

/* The sizes of the last dimensions, of which there are as many as argument 2
 * has entries. */
static gd_value spatial_sizes(gd_bw *b) {
    int ndim;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    int n = (int)gd_bw_arg(b, 2).n;
    return GD_INTS_VALUE(sizes + ndim - n, n);
}

/* Gradients of averages are tied to the input in a graph of the backward pass,
 * as PyTorch's are. */
void gd_bw__resample(gd_bw *b) {
    gd_tensor *r = GX(b->ctx, _resample_adjoint, T_(b->grads[0]), gd_bw_arg(b, 1), spatial_sizes(b), gd_bw_arg(b, 3),
                      gd_bw_arg(b, 4));
    bool tied = b->create_graph && gd_bw_op(b)->nsaves > 0;
    gd_bw_set(b, 0, tied ? GX(b->ctx, _tied_gradient, T_(r), T_(gd_bw_tensor(b, 0))) : r);
}

void gd_bw__resample_adjoint(gd_bw *b) {
    gd_bw_set(
        b, 0,
        GX(b->ctx, _resample, T_(b->grads[0]), gd_bw_arg(b, 1), spatial_sizes(b), gd_bw_arg(b, 3), gd_bw_arg(b, 4)));
}
