/* index_rules.c: derivative rules of the rows in index.def. */
#include <stdlib.h>

#include "core/ops/families.h"
#include "core/ops/rules.h"

static gd_value sizes_value(gd_bw *b, int argument) {
    int ndim;
    const int64_t *sizes = gd_bw_sizes(b, argument, &ndim);
    return GD_INTS_VALUE(sizes, ndim);
}

/* Zeros of argument's shape in the gradient's dtype, pooled. */
static gd_tensor *zeros_of(gd_bw *b, int argument) {
    gd_value sizes = sizes_value(b, argument);
    if (b->ctx->error.code || !b->grads[0]) return NULL;
    return gd_pool_add(b->ctx, gd_zeros(b->ctx, (gd_dtype)b->grads[0]->dtype, (int)sizes.n, sizes.u.ints));
}

/* The saved Tensor?[] argument 1 as a value; its array is `list`, of GD_MAX_DIMS. */
static gd_value saved_indices(gd_bw *b, int argument, gd_tensor **list) {
    int n = gd_bw_entries(b, argument);
    if (n > GD_MAX_DIMS) n = GD_MAX_DIMS;
    for (int i = 0; i < n; i++) list[i] = gd_bw_tensor_at(b, argument, i);
    return (gd_value){.kind = GD_V_TENSORS, .n = (uint32_t)n, .u.tensors = list};
}

void gd_bw_index(gd_bw *b) {
    gd_tensor *list[GD_MAX_DIMS];
    gd_bw_set(b, 0, GX(b->ctx, _index_backward, T_(b->grads[0]), sizes_value(b, 0), saved_indices(b, 1, list)));
}

void gd_bw__index_backward(gd_bw *b) {
    gd_tensor *list[GD_MAX_DIMS];
    gd_bw_set(b, 0, GX(b->ctx, index, T_(b->grads[0]), saved_indices(b, 2, list)));
}

void gd_bw_index_put(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *list[GD_MAX_DIMS], *grad = b->grads[0];
    gd_value indices = saved_indices(b, 1, list);
    if (!grad || c->error.code) return;
    if (gd_bw_needs(b, 0) && gd_bw_arg(b, 3).u.boolean) {
        gd_bw_set(b, 0, grad);
    } else if (gd_bw_needs(b, 0)) {
        gd_tensor *zero = gd_pool_add(c, gd_scalar_f64(c, 0, (gd_dtype)grad->dtype));
        gd_bw_set(b, 0, GX(c, index_put, T_(grad), indices, T_(zero), B_(false)));
    }
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, GX(c, index, T_(grad), indices));
}

void gd_bw_index_select(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, index_add, T_(zeros_of(b, 0)), gd_bw_arg(b, 1), T_(gd_bw_tensor(b, 2)), T_(b->grads[0])));
}

void gd_bw_index_add(gd_bw *b) {
    gd_ctx *c = b->ctx;
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, b->grads[0]);
    if (!gd_bw_needs(b, 3)) return;
    gd_value alpha = gd_bw_arg(b, 4);
    double factor = alpha.kind == GD_V_FLOAT ? alpha.u.real
                    : alpha.kind == GD_V_INT ? (double)alpha.u.integer
                                             : alpha.u.boolean;
    gd_tensor *g = GX(c, index_select, T_(b->grads[0]), gd_bw_arg(b, 1), T_(gd_bw_tensor(b, 2)));
    if (factor != 1.0) g = gx_mul_s(c, g, factor);
    gd_bw_set(b, 3, GX(c, reshape, T_(g), sizes_value(b, 3)));
}

void gd_bw_gather(gd_bw *b) {
    gd_tensor *zeros = zeros_of(b, 0), *index = gd_bw_tensor(b, 2);
    if (index && index->numel == 0)
        gd_bw_set(b, 0, zeros);
    else
        gd_bw_set(b, 0, GX(b->ctx, scatter_add, T_(zeros), gd_bw_arg(b, 1), T_(index), T_(b->grads[0])));
}

/* src may be larger than index: the rest of it was not used, and its gradient is zero. */
static gd_tensor *padded(gd_bw *b, gd_tensor *g, int argument) {
    gd_value sizes = sizes_value(b, argument);
    int64_t strides[GD_MAX_DIMS];
    if (!g) return NULL;
    bool same = g->ndim == (int)sizes.n;
    for (int d = 0; d < g->ndim && same; d++) same = g->sizes[d] == sizes.u.ints[d];
    if (same) return g;
    gd_contiguous_strides((int)sizes.n, sizes.u.ints, strides);
    return GX(b->ctx, _as_strided_scatter, T_(zeros_of(b, argument)), T_(g), GD_INTS_VALUE(g->sizes, g->ndim),
              GD_INTS_VALUE(strides, sizes.n), I_(0));
}

void gd_bw_scatter_add(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, b->grads[0]);
    if (!gd_bw_needs(b, 3)) return;
    gd_tensor *index = gd_bw_tensor(b, 2);
    if (index && index->numel == 0)
        gd_bw_set(b, 3, zeros_of(b, 3));
    else
        gd_bw_set(b, 3, padded(b, GX(b->ctx, gather, T_(b->grads[0]), gd_bw_arg(b, 1), T_(index)), 3));
}

/* ---- masks --------------------------------------------------------------------------------- */

static void unfilled(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(b->ctx, masked_fill, T_(b->grads[0]), T_(gd_bw_tensor(b, 1)), F_(0)));
}

void gd_bw_masked_fill(gd_bw *b) { unfilled(b); }

void gd_bw_masked_fill_tensor(gd_bw *b) {
    unfilled(b);
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, gx_where(b->ctx, gd_bw_tensor(b, 1), b->grads[0], gx_number(b->ctx, 0)));
}

void gd_bw_masked_select(gd_bw *b) {
    gd_tensor *mask = gd_bw_tensor(b, 1);
    gd_value own = sizes_value(b, 0);
    int64_t sizes[GD_MAX_DIMS];
    int ndim;
    if (!mask || gd_broadcast_shape(b->ctx, (int)own.n, own.u.ints, mask->ndim, mask->sizes, sizes, &ndim)) return;
    gd_bw_set(b, 0, GX(b->ctx, _masked_scatter, T_(b->grads[0]), GD_INTS_VALUE(sizes, ndim), T_(mask)));
}

void gd_bw__masked_scatter(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, masked_select, T_(b->grads[0]), T_(gd_bw_tensor(b, 2))));
}
