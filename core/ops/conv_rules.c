/* conv_rules.c: derivatives of convolutions. Of y = conv(x, w), linear in both,
 * the adjoints in x and in w are again rows, and the three are each other's
 * derivatives: <conv(x, w), g> = <x, conv_input(g, w)> = <w, conv_weight(x,
 * g)>. */
#include "core/ops/families.h"
#include "core/ops/rules.h"

/* Row `id` of two tensors with the settings of b's row, which begin at argument
 * `at`; the result's spatial part has the sizes of argument `like`. */
static gd_tensor *adjoint(gd_bw *b, gd_op_id id, gd_tensor *x, gd_tensor *y, int at, int like) {
    int ndim, n = (int)gd_bw_arg(b, at).n;
    const int64_t *sizes = gd_bw_sizes(b, like, &ndim);
    const gd_value args[] = {T_(x),
                             T_(y),
                             gd_bw_arg(b, at),
                             gd_bw_arg(b, at + 1),
                             gd_bw_arg(b, at + 2),
                             gd_bw_arg(b, at + 3),
                             GD_INTS_VALUE(sizes + ndim - n, n)};
    return gx_do(b->ctx, id, args, 7);
}

void gd_bw__conv(gd_bw *b) {
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, adjoint(b, GD_OP__conv_input, g, gd_bw_tensor(b, 1), 2, 0));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, adjoint(b, GD_OP__conv_weight, gd_bw_tensor(b, 0), g, 2, 1));
}

void gd_bw__conv_input(gd_bw *b) {
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, adjoint(b, GD_OP__conv, g, gd_bw_tensor(b, 1), 2, 0));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, adjoint(b, GD_OP__conv_weight, g, gd_bw_tensor(b, 0), 2, 1));
}

void gd_bw__conv_weight(gd_bw *b) {
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, adjoint(b, GD_OP__conv_input, gd_bw_tensor(b, 1), g, 2, 0));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, adjoint(b, GD_OP__conv, gd_bw_tensor(b, 0), g, 2, 1));
}

/* r plus the sum of no elements of t: 0 that depends on t. */
static gd_tensor *tied(gd_ctx *c, gd_tensor *r, gd_tensor *t) {
    return gx_add(c, r, GX(c, sum, T_(GX(c, narrow, T_(t), I_(0), I_(0), I_(0)))));
}

/* PyTorch's one node for all gradients depends on all inputs. */
static gd_tensor *bias_gradient(gd_bw *b, gd_tensor *g) {
    gd_ctx *c = b->ctx;
    const int64_t dims[] = {0, 2, 3, 4};
    gd_tensor *r = GX(c, sum_dim, T_(g), GD_INTS_VALUE(dims, g->ndim - 1));
    if (!b->create_graph) return r;
    return tied(c, tied(c, r, gd_bw_tensor(b, 0)), gd_bw_tensor(b, 1));
}

void gd_bw__convolution(gd_bw *b) {
    gd_tensor *g = b->grads[0];
    bool transposed = gd_bw_arg(b, 7).u.boolean;
    if (!g) return;
    if (gd_bw_needs(b, 0))
        gd_bw_set(b, 0, adjoint(b, transposed ? GD_OP__conv : GD_OP__conv_input, g, gd_bw_tensor(b, 1), 3, 0));
    if (gd_bw_needs(b, 1)) {
        gd_tensor *x = gd_bw_tensor(b, 0);
        gd_bw_set(b, 1, adjoint(b, GD_OP__conv_weight, transposed ? g : x, transposed ? x : g, 3, 1));
    }
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, bias_gradient(b, g));
}
