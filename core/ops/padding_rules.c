/* padding_rules.c: derivative rules of the rows in padding.def: every row moves or adds elements, and its rule moves
 * them back. */
#include "core/ops/compose.h"
#include "core/ops/families.h"

static gd_value sizes_value(gd_bw *b, int argument) {
    int ndim;
    const int64_t *sizes = gd_bw_sizes(b, argument, &ndim);
    return IS_(sizes, ndim);
}

/* Padding by the opposite amounts crops what was added and restores with zeros what was cropped. */
void gd_bw_constant_pad_nd(gd_bw *b) {
    gd_value pad = gd_bw_arg(b, 1);
    int64_t back[2 * GD_MAX_DIMS];
    for (uint32_t i = 0; i < pad.n; i++) back[i] = -pad.u.ints[i];
    gd_bw_set(b, 0, GX(b->ctx, constant_pad_nd, T_(b->grads[0]), IS_(back, pad.n), I_(0)));
}

void gd_bw__edge_pad(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_value mode = I_(gd_bw_op(b)->param);
    gd_tensor *g = GX(c, _edge_pad_backward, T_(b->grads[0]), sizes_value(b, 0), gd_bw_arg(b, 1), mode);
    gd_bw_set(b, 0, b->create_graph ? GX(c, _edge_pad_gradient, T_(g), T_(gd_bw_tensor(b, 0))) : g);
}

void gd_bw__edge_pad_backward(gd_bw *b) {
    static const gd_op_id rows[2][3] = {{GD_OP__reflection_pad1d, GD_OP__reflection_pad2d, GD_OP__reflection_pad3d},
                                        {GD_OP__replication_pad1d, GD_OP__replication_pad2d, GD_OP__replication_pad3d}};
    gd_value pad = gd_bw_arg(b, 2);
    const gd_value args[] = {T_(b->grads[0]), pad};
    gd_bw_set(b, 0, gx_do(b->ctx, rows[gd_bw_arg(b, 3).u.integer != 0][pad.n / 2 - 1], args, 2));
}

void gd_bw_pixel_shuffle(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, pixel_unshuffle, T_(b->grads[0]), gd_bw_arg(b, 1))); }
void gd_bw_pixel_unshuffle(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, pixel_shuffle, T_(b->grads[0]), gd_bw_arg(b, 1))); }

void gd_bw__im2col(gd_bw *b) {
    int n;
    const int64_t *sizes = gd_bw_sizes(b, 0, &n);
    gd_bw_set(b, 0,
              GX(b->ctx, _col2im, T_(b->grads[0]), IS_(sizes + n - 2, 2), gd_bw_arg(b, 1), gd_bw_arg(b, 2),
                 gd_bw_arg(b, 3), gd_bw_arg(b, 4)));
}

void gd_bw__col2im(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _im2col, T_(b->grads[0]), gd_bw_arg(b, 2), gd_bw_arg(b, 3), gd_bw_arg(b, 4), gd_bw_arg(b, 5)));
}
