/* pool_rules.c: derivatives of the rows of pool.def, as formulas over ops
 * (rules.h). */
#include "core/ops/families.h"
#include "core/ops/rules.h"

/* t with its leading dimensions merged, and the last n. */
static gd_tensor *as_planes(gd_ctx *c, gd_tensor *t, int n) {
    int64_t shape[] = {1, 1};
    if (!t) return NULL;
    for (int d = 0; d < t->ndim; d++) shape[d >= t->ndim - n] *= t->sizes[d];
    return GX(c, reshape, T_(t), GD_INTS_VALUE(shape, 2));
}

/* The row that ties a gradient to the input, under PyTorch's name. */
static gd_op_id tied_row(gd_bw *b) {
    switch (gd_bw_op(b)->id) {
    case GD_OP__max_pool2d: return GD_OP__max_pool2d_gradient;
    case GD_OP__max_pool3d: return GD_OP__max_pool3d_gradient;
    case GD_OP__adaptive_max_pool2d: return GD_OP__adaptive_max_pool2d_gradient;
    case GD_OP__adaptive_max_pool3d: return GD_OP__adaptive_max_pool3d_gradient;
    case GD_OP__fractional_max_pool2d: return GD_OP__fractional_max_pool2d_gradient;
    default: return GD_OP__fractional_max_pool3d_gradient;
    }
}

/* Each window's gradient goes to the element that won; indices count within a
 * plane. */
void gd_bw__max_windows(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim, n = gd_bw_op(b)->param;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    int64_t shape[] = {1, 1};
    for (int d = 0; d < ndim; d++) shape[d >= ndim - n] *= sizes[d];
    if (!b->grads[0]) return;
    gd_tensor *index = as_planes(c, GX(c, detach, T_(gd_bw_output(b, 1))), n);
    gd_tensor *zeros = gd_pool_add(c, gd_zeros(c, gd_bw_dtype(b, 0), 2, shape));
    gd_tensor *all = GX(c, scatter_add, T_(zeros), I_(1), T_(index), T_(as_planes(c, b->grads[0], n)));
    gd_tensor *r = GX(c, reshape, T_(all), GD_INTS_VALUE(sizes, ndim));
    gd_bw_set(b, 0, b->create_graph ? gx_do(c, tied_row(b), (const gd_value[]){T_(r), T_(gd_bw_tensor(b, 0))}, 2) : r);
}

/* Each element gets the gradient of the place it was put to. */
void gd_bw__max_unpool(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int n = gd_bw_op(b)->param;
    gd_tensor *index = gd_bw_tensor(b, 1);
    if (!index || !b->grads[0]) return;
    gd_tensor *flat = as_planes(c, b->grads[0], n), *places = as_planes(c, index, n);
    gd_tensor *r = GX(c, gather, T_(flat), I_(1), T_(places));
    gd_bw_set(b, 0, GX(c, reshape, T_(r), GD_INTS_VALUE(index->sizes, index->ndim)));
}
