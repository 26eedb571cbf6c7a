/* inplace.c: the rules for writing into a tensor that the graph knows, and what the graph says afterwards. */
#include "core/autograd/node.h"

#include <string.h>

static gd_code check_leaf(gd_ctx *ctx, gd_tensor *self) {
    if (!gd_requires_grad(self)) return GD_OK;
    if ((self->flags & GD_F_VIEW) && gd_is_leaf(self->meta->base))
        return gd_fail(ctx, GD_E_LEAF_INPLACE,
                       "a view of a leaf Variable that requires grad is being used in an in-place operation.");
    if (gd_is_leaf(self))
        return gd_fail(ctx, GD_E_LEAF_INPLACE,
                       "a leaf Variable that requires grad is being used in an in-place operation.");
    return GD_OK;
}

gd_code gd_check_inplace(gd_ctx *ctx, const gd_op *op, gd_tensor *self, bool records) {
    (void)op; /* the rules are the same for every op */
    if ((self->flags & GD_F_INFERENCE) && ctx->mode != GD_MODE_INFERENCE)
        return gd_fail(
            ctx, GD_E_STATE,
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to "
            "get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for "
            "more details.");
    if (!records || ctx->mode != GD_MODE_GRAD) return GD_OK;
    if (self->flags & GD_F_VIEW) {
        gd_code code = gd_check_view(ctx, self, false);
        if (code != GD_OK) return code;
    }
    return check_leaf(ctx, self);
}

gd_node *gd_inplace_prepare(gd_apply *a) {
    gd_tensor *self = a->args[0].u.tensor;
    gd_node *node = gd_node_build(a, &self, 1, true);
    return node && (self->flags & GD_F_VIEW) ? gd_slices_new(a->ctx, self, node) : node;
}

void gd_inplace_abandon(gd_node *node) { gd_node_release(node); }

void gd_rebind(gd_tensor *t, gd_node *node) {
    gd_node *old = t->grad_fn;
    if (!old) gd_accumulator_cut(t);
    gd_retention_move(t, old, node);
    t->grad_fn = node;
    t->output_nr = 0;
    t->flags |= GD_F_REQUIRES_GRAD;
    gd_node_release(old);
}

/* The op has run: the output's shape is self's as it is now, saved outputs have the version after the write. */
static void finish(gd_node *node, const gd_tensor *self) {
    gd_shape *shape = &gd_shapes(node)[0];
    if (self->ndim <= shape->ndim + 1) {
        shape->ndim = self->ndim;
        if (self->ndim) memcpy(gd_words(node) + shape->at, self->sizes, (size_t)self->ndim * sizeof *self->sizes);
    }
    const gd_op *op = node->u.op;
    for (int i = 0; i < op->nsaves; i++)
        if (op->saves[i].kind == GD_SAVE_OUTPUT)
            gd_slots(node)[gd_slot_index(node, i)].version = *gd_version_slot(self);
}

static void finish_slices(gd_slices *s, const gd_tensor *view) {
    finish(s->inner, view);
    if (view->ndim > s->before.ndim + 1) return;
    s->after.ndim = view->ndim;
    s->after.offset = gd_offset(view);
    if (view->ndim) memcpy(s->after.sizes, view->sizes, 2 * (size_t)view->ndim * sizeof *view->sizes);
}

void gd_inplace_commit(gd_apply *a, gd_node *node) {
    gd_tensor *self = a->args[0].u.tensor;
    if (node->kind != GD_N_COPY_SLICES) {
        finish(node, self);
        self->storage->writer = gd_node_name(node);
        gd_rebind(self, node);
        return;
    }
    finish_slices(node->u.slices, self);
    self->storage->writer = gd_node_name(node);
    gd_rebind(self->meta->base, node);
    self->flags |= GD_F_REQUIRES_GRAD; /* its own grad_fn is made anew when somebody asks */
}
