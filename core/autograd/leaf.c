/* leaf.c: what users set on tensors: requires_grad, .grad, detach. */
#include "core/autograd/node.h"

bool gd_is_leaf(const gd_tensor *t) {
    if (t->grad_fn) return false;
    if (!(t->flags & GD_F_VIEW) || !gd_requires_grad(t)) return true;
    /* A view whose base came to require grad through a write gets its grad_fn when asked for it. */
    const gd_tensor *base = t->meta->base;
    return !base->grad_fn || t->meta->view_version == *gd_version_slot(t);
}

gd_tensor *gd_grad(const gd_tensor *t) { return gd_grad_of(t); }

/* Is t (or its base) found on the way from g over gradients and bases? Then t.grad = g would close a cycle. */
static bool leads_to(const gd_tensor *g, const gd_tensor *t) {
    for (; g; g = gd_grad_of(g))
        if (g == t || gd_base(g) == t) return true;
    return false;
}

gd_code gd_set_grad(gd_ctx *ctx, gd_tensor *t, gd_tensor *g) {
    if (g == t) return gd_fail(ctx, GD_E_STATE, "can't assign Variable as its own grad");
    if (g && g->dtype != t->dtype) return gd_fail(ctx, GD_E_DTYPE, "assigned grad has data of a different type");
    if (g && !gd_same_shape(g, t)) return gd_fail(ctx, GD_E_SHAPE, "assigned grad has data of a different size");
    if (!g && !t->meta) return GD_OK;
    if (!gd_tensor_meta(ctx, t)) return GD_E_MEMORY;
    gd_tensor *kept = g && leads_to(g, t) ? gd_detach(ctx, g) : gd_retain(g);
    if (g && !kept) return ctx->error.code;
    gd_tensor *old = t->meta->grad;
    t->meta->grad = kept;
    gd_release(old);
    return GD_OK;
}

gd_code gd_set_requires_grad(gd_ctx *ctx, gd_tensor *t, bool flag) {
    if (!flag && !gd_is_leaf(t))
        return gd_fail(
            ctx, GD_E_STATE,
            "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
            "in a subgraph that doesn't require differentiation use var_no_grad = var.detach().");
    if (flag && !gd_dtype_is_float((gd_dtype)t->dtype))
        return gd_fail(ctx, GD_E_DTYPE, "only Tensors of floating point dtype can require gradients");
    if (flag && (t->flags & GD_F_INFERENCE) && ctx->mode != GD_MODE_INFERENCE)
        return gd_fail(ctx, GD_E_STATE,
                       "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
    if (flag)
        t->flags |= GD_F_REQUIRES_GRAD;
    else
        t->flags &= (uint16_t)~GD_F_REQUIRES_GRAD;
    return GD_OK;
}

gd_tensor *gd_detach(gd_ctx *ctx, gd_tensor *t) {
    return gd_alias(ctx, t, t->ndim, t->sizes, GD_STRIDES(t), gd_offset(t));
}

gd_code gd_detach_inplace(gd_ctx *ctx, gd_tensor *t) {
    if (t->flags & GD_F_VIEW)
        return gd_fail(
            ctx, GD_E_STATE,
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) "
            "for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and "
            "hence detach_() cannot be called on these gradients. To fix this error, please refer to the "
            "Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution.");
    gd_node *old = t->grad_fn;
    gd_retention_move(t, old, NULL);
    gd_accumulator_cut(t);
    t->grad_fn = NULL;
    t->output_nr = 0;
    t->flags &= (uint16_t)~GD_F_REQUIRES_GRAD;
    gd_node_release(old);
    return GD_OK;
}
