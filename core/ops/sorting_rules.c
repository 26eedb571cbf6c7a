/* sorting_rules.c: derivatives of the rows that pick elements by their order. Each passes its cotangent to where the
 * element stood (PyTorch's value_selecting_reduction_backward). */
#include "core/ops/families.h"
#include "core/ops/rules.h"

/* Zeros of argument 0's shape with g added at `index` along dim. */
static void select_back(gd_bw *b, gd_tensor *g, gd_tensor *index, int64_t dim) {
    gd_ctx *c = b->ctx;
    int ndim;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    gd_tensor *zeros = GX(c, new_zeros, T_(g), GD_INTS_VALUE(sizes, ndim));
    gd_bw_set(b, 0, GX(c, scatter_add, T_(zeros), I_(dim), T_(index), T_(g)));
}

void gd_bw_sort(gd_bw *b) { select_back(b, b->grads[0], gd_bw_output(b, 1), gd_bw_arg(b, 1).u.integer); }
void gd_bw_sort_stable(gd_bw *b) { select_back(b, b->grads[0], gd_bw_output(b, 1), gd_bw_arg(b, 2).u.integer); }
void gd_bw_topk(gd_bw *b) { select_back(b, b->grads[0], gd_bw_output(b, 1), gd_bw_arg(b, 2).u.integer); }

void gd_bw_kthvalue(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim;
    gd_tensor *g = b->grads[0], *index = gd_bw_output(b, 1);
    gd_value dim = gd_bw_arg(b, 2);
    gd_bw_sizes(b, 0, &ndim);
    if (!gd_bw_arg(b, 3).u.boolean && ndim > 0) {
        g = GX(c, unsqueeze, T_(g), dim);
        index = GX(c, unsqueeze, T_(index), dim);
    }
    select_back(b, g, index, dim.u.integer);
}

/* PyTorch has no derivative for unique; its rows still record, so that the gradient's absence is an error. */
void gd_bw_no_unique(gd_bw *b) {
    const gd_op *op = gd_bw_op(b);
    (void)gd_fail(b->ctx, GD_E_NOT_IMPLEMENTED, "the derivative for '%s' is not implemented.",
                  op->id == GD_OP_unique_dim ? "unique_dim" : op->name);
}

/* Nor for these, which it records as NotImplemented. */
void gd_bw_no_derivative(gd_bw *b) {
    (void)gd_fail(b->ctx, GD_E_NOT_IMPLEMENTED, "derivative for aten::%s is not implemented", gd_bw_op(b)->name);
}
