/* views.c: views as the graph sees them: how they were made, the grad_fn they get after a write, and CopySlices. */
#include "core/autograd/node.h"
#include "core/kernels/kernels.h"
#include "core/ops/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making views ---------------------------------------------------------------------------- */

static gd_creation creation_of(const gd_apply *a) {
    const gd_tensor *self = a->args[0].u.tensor;
    gd_creation creation = GD_CREATED_DEFAULT;
    if (a->ctx->mode == GD_MODE_INFERENCE)
        creation = GD_CREATED_INFERENCE;
    else if (a->ctx->mode == GD_MODE_NO_GRAD)
        creation = GD_CREATED_NO_GRAD;
    else if (a->op->flags & GD_MULTI_VIEW)
        creation = GD_CREATED_MULTI_OUTPUT;
    if (creation == GD_CREATED_DEFAULT && (self->flags & GD_F_VIEW)) creation = (gd_creation)self->meta->creation;
    return creation;
}

gd_code gd_mark_views(gd_apply *a) {
    gd_tensor *self = a->args[0].u.tensor;
    gd_tensor *root = (self->flags & GD_F_VIEW) ? self->meta->base : self;
    for (int i = 0; i < a->nout; i++) {
        gd_tensor *out = a->out[i];
        if (!out || out == self || out->storage != self->storage || (out->flags & GD_F_VIEW)) continue;
        gd_meta *meta = gd_tensor_meta(a->ctx, out);
        if (!meta) return GD_E_MEMORY;
        meta->base = gd_retain(root);
        meta->creation = (uint8_t)creation_of(a);
        meta->view_version = *gd_version_slot(out);
        out->flags |= GD_F_VIEW;
    }
    return GD_OK;
}

/* ---- views that may not be written ------------------------------------------------------------- */

#define AMBIGUOUS(block)                                                                                               \
    " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving "    \
    "both the view and the inplace either both inside the " block " block (if you don't want the inplace to be "       \
    "tracked) or both outside (if you want the inplace to be tracked)."
#define MULTIPLE                                                                                                        \
    " This view is the output of a function that returns multiple views. Such functions do not allow the output views " \
    "to be modified inplace. You should replace the inplace operation by an out-of-place one."

gd_code gd_check_view(gd_ctx *ctx, const gd_tensor *view, bool indirect) {
    gd_creation creation = (gd_creation)view->meta->creation;
    if (creation == GD_CREATED_DEFAULT) return GD_OK;
    const char *written = indirect ? "its base or another view of its base has been" : "is being";
    const char *name = view->grad_fn ? gd_node_name(view->grad_fn) : NULL;
    char prefix[160] = "A view was created in";
    if (name)
        snprintf(prefix, sizeof prefix, "Output %u of %s is a view of a view which was created in", view->output_nr,
                 name);
    if (creation == GD_CREATED_MULTI_OUTPUT && name)
        return gd_fail(ctx, GD_E_VIEW_INPLACE, "Output %u of %s is a view and %s modified inplace." MULTIPLE,
                       view->output_nr, name, written);
    if (creation == GD_CREATED_INFERENCE)
        return gd_fail(ctx, GD_E_VIEW_INPLACE,
                       "%s inference mode and %s modified inplace in normal mode." AMBIGUOUS("inference_mode"), prefix,
                       written);
    return gd_fail(ctx, GD_E_VIEW_INPLACE, "%s no_grad mode and %s modified inplace with grad mode enabled.%s", prefix,
                   written, creation == GD_CREATED_MULTI_OUTPUT ? MULTIPLE : AMBIGUOUS("no_grad"));
}

/* ---- the grad_fn of a view whose memory was written --------------------------------------------- */

static gd_node *strided_node(gd_ctx *ctx, gd_tensor *view, gd_tensor *base) {
    const gd_value args[] = {GD_TENSOR_VALUE(base),
                             GD_INTS_VALUE(view->sizes, view->ndim),
                             GD_INTS_VALUE(GD_STRIDES(view), view->ndim),
                             GD_INT_VALUE(gd_offset(view)),
                             GD_INTS_VALUE(GD_STRIDES(base), base->ndim),
                             GD_INT_VALUE(gd_offset(base))};
    gd_apply a = {.ctx = ctx, .op = &gd_ops[GD_OP__as_strided_view], .args = args, .nargs = 6};
    return gd_node_build(&a, &view, 1, false);
}

static gd_code renew(gd_ctx *ctx, gd_tensor *view) {
    gd_tensor *base = view->meta->base;
    uint32_t version = *gd_version_slot(view);
    if (view->meta->view_version == version || (!view->grad_fn && !gd_requires_grad(base))) return GD_OK;
    gd_code code = gd_check_view(ctx, view, true);
    if (code != GD_OK) return code;
    gd_node *node = strided_node(ctx, view, base);
    if (!node) return ctx->error.code;
    gd_rebind(view, node);
    view->meta->view_version = version;
    return GD_OK;
}

gd_node *gd_grad_fn(gd_ctx *ctx, gd_tensor *t) {
    if ((t->flags & GD_F_VIEW) && renew(ctx, t) != GD_OK) return NULL;
    if (!t->grad_fn) ctx->error.code = GD_OK; /* so that NULL without an error can be told */
    return t->grad_fn;
}

/* ---- CopySlices ------------------------------------------------------------------------------ */

static int64_t *take_geometry(gd_geometry *g, const gd_tensor *t, int64_t *dims, int room) {
    *g = (gd_geometry){.ndim = t->ndim, .offset = gd_offset(t), .sizes = dims};
    if (t->ndim) memcpy(dims, t->sizes, 2 * (size_t)t->ndim * sizeof *dims);
    return dims + 2 * (t->ndim + room);
}

static gd_slices *new_slices(gd_ctx *ctx, const gd_tensor *view, const gd_tensor *base) {
    size_t n = 2 * ((size_t)base->ndim + 2 * (size_t)view->ndim + 1);
    gd_slices *s = calloc(1, sizeof *s + n * sizeof(int64_t));
    if (!s) return gd_fail_memory(ctx), NULL;
    int64_t *dims = take_geometry(&s->base, base, s->dims, 0);
    dims = take_geometry(&s->before, view, dims, 0);
    take_geometry(&s->after, view, dims, 1); /* the op may add a dimension */
    s->plain = gd_is_contiguous(base);
    return s;
}

void gd_slices_free(gd_slices *s) {
    if (!s) return;
    gd_node_release(s->inner);
    free(s);
}

/* The base's edge, then those of the op but for the view's own. */
static gd_code fill_edges(gd_ctx *ctx, gd_node *node, gd_tensor *base) {
    const gd_slices *s = node->u.slices;
    gd_edge *edges = gd_edges(node);
    gd_code code = gd_edge_of(ctx, base, &edges[0]);
    for (uint32_t i = s->has_self ? 1 : 0, to = 1; i < s->inner->nedges; i++, to++) {
        edges[to] = gd_edges(s->inner)[i];
        gd_node_retain(edges[to].node);
    }
    return code;
}

gd_node *gd_slices_new(gd_ctx *ctx, gd_tensor *view, gd_node *inner) {
    gd_tensor *base = view->meta->base;
    gd_slices *s = new_slices(ctx, view, base);
    if (!s) {
        gd_node_release(inner);
        return NULL;
    }
    s->inner = inner;
    s->has_self = inner->u.op->ndiff > 0 && inner->u.op->diff[0] == 0;
    gd_layout layout = {.edges = inner->nedges + (s->has_self ? 0 : 1), .outs = 1, .words = base->ndim};
    gd_node *node = gd_node_new(ctx, GD_N_COPY_SLICES, &layout);
    if (!node) {
        gd_slices_free(s);
        return NULL;
    }
    node->u.slices = s;
    gd_shapes(node)[0] = (gd_shape){.dtype = base->dtype, .ndim = base->ndim};
    if (base->ndim) memcpy(gd_words(node), base->sizes, (size_t)base->ndim * sizeof(int64_t));
    if (fill_edges(ctx, node, base) != GD_OK) {
        gd_node_release(node);
        return NULL;
    }
    node->id = ++ctx->sequence;
    return node;
}

#define SIZES(g) GD_INTS_VALUE((g).sizes, (g).ndim)
#define STRIDES(g) GD_INTS_VALUE((g).sizes + (g).ndim, (g).ndim)

gd_tensor *gd_slices_cut(gd_ctx *ctx, const gd_slices *s, gd_tensor *grad) {
    return GX(ctx, _as_strided_gather, T_(grad), SIZES(s->base), STRIDES(s->base), I_(s->base.offset), SIZES(s->after),
              STRIDES(s->after), I_(s->after.offset));
}

/* A view's values spread over zeros of the base's shape. */
static gd_tensor *spread(gd_ctx *ctx, const gd_slices *s, gd_tensor *part) {
    return GX(ctx, _as_strided_backward, T_(part), SIZES(s->base), STRIDES(s->base), I_(s->base.offset),
              SIZES(s->before), STRIDES(s->before), I_(s->before.offset));
}

gd_tensor *gd_slices_put(gd_ctx *ctx, const gd_slices *s, gd_tensor *grad, gd_tensor *part) {
    if (ctx->error.code != GD_OK) return NULL;
    if (!part) part = gd_pool_add(ctx, gd_zeros(ctx, (gd_dtype)grad->dtype, s->before.ndim, s->before.sizes));
    if (s->plain)
        return GX(ctx, _as_strided_scatter, T_(grad), T_(part), SIZES(s->before), STRIDES(s->before),
                  I_(s->before.offset - s->base.offset));
    gd_tensor *ones = gd_pool_add(ctx, gd_empty(ctx, (gd_dtype)grad->dtype, s->before.ndim, s->before.sizes));
    if (ones) gd_fill_value(ones, &GD_INT_VALUE(1));
    gd_tensor *covered = GX(ctx, ne, T_(spread(ctx, s, ones)), T_(gx_number(ctx, 0)));
    return gx_add(ctx, gx_where(ctx, covered, gx_number(ctx, 0), grad), spread(ctx, s, part));
}
