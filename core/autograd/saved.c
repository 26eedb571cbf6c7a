/* saved.c: tensors that nodes save for their rules, and reading them back. */
#include "core/autograd/node.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool plain(const gd_tensor *t) { return !t->own_version && (t->ndim == 0 || gd_is_contiguous(t)); }

gd_code gd_slot_save(gd_ctx *ctx, gd_slot *slot, gd_tensor *t, const gd_edge *edge, bool shaped) {
    if (t->flags & GD_F_INFERENCE)
        return gd_fail(ctx, GD_E_STATE,
                       "Inference tensors cannot be saved for backward. To work around you can make a clone to get a "
                       "normal tensor and use it in autograd.");
    slot->is_view = (t->flags & GD_F_VIEW) != 0;
    slot->creation = slot->is_view ? t->meta->creation : GD_CREATED_DEFAULT;
    slot->wrapped = (t->flags & GD_F_WRAPPED_NUMBER) != 0;
    slot->version = *gd_version_slot(t);
    if (edge && edge->node && edge->node->kind == GD_N_ACCUMULATE) {
        slot->kind = GD_S_LEAF;
        slot->u.leaf = edge->node;
    } else if (shaped && plain(t)) {
        slot->kind = GD_S_STORAGE;
        slot->u.storage = gd_storage_retain(t->storage);
        slot->data = t->data;
    } else {
        gd_tensor *alias = gd_alias(ctx, t, t->ndim, t->sizes, GD_STRIDES(t), gd_offset(t));
        if (!alias) return ctx->error.code;
        alias->flags |= t->flags & GD_F_WRAPPED_NUMBER;
        slot->kind = GD_S_ALIAS;
        slot->u.tensor = alias;
    }
    return GD_OK;
}

bool gd_place_of(gd_node *node, int arg, int entry, int output, gd_place *place) {
    const gd_node_plan *plan = gd_node_plan_of(node);
    bool known = arg >= 0 || output < GD_INLINE_OUTPUTS;
    int save = !known ? -1 : arg < 0 ? plan->save_of_output[output] : plan->save_of[arg];
    if (save < 0) return false;
    place->node = node;
    place->slot = &gd_slots(node)[gd_slot_index(node, save) + entry];
    place->edge = NULL;
    place->output = arg < 0 ? output : -1;
    place->shape = arg < 0 ? &gd_shapes(node)[output] : NULL;
    int n, at = arg < 0 ? -1 : gd_edge_index(node, arg, &n);
    if (at < 0) return true;
    place->edge = &gd_edges(node)[at + entry];
    place->shape = &gd_shapes(node)[node->nouts + (uint32_t)(at + entry)];
    return true;
}

static uint32_t current_version(const gd_slot *slot) {
    if (slot->kind == GD_S_STORAGE) return slot->u.storage->version;
    if (slot->kind == GD_S_ALIAS) return *gd_version_slot(slot->u.tensor);
    const gd_tensor *leaf = slot->u.leaf->u.variable;
    return leaf ? *gd_version_slot(leaf) : slot->version + 1; /* cut off: it was written */
}

static const gd_storage *storage_of(const gd_slot *slot) {
    if (slot->kind == GD_S_STORAGE) return slot->u.storage;
    return slot->kind == GD_S_ALIAS ? slot->u.tensor->storage : NULL;
}

/* ", which is output 0 of ExpBackward0," or nothing for a leaf: the tensor's grad_fn as it is now. */
static void describe_origin(const gd_place *p, char *text, size_t bytes) {
    const gd_storage *storage = storage_of(p->slot);
    const char *name = NULL;
    unsigned nr = 0;
    text[0] = 0;
    if (!storage) return;
    if (p->output >= 0) {
        name = gd_node_name(p->node);
        nr = (unsigned)p->output;
    } else if (p->slot->is_view && ((p->edge && p->edge->node) || storage->writer)) {
        name = "AsStridedBackward0"; /* what a view becomes when its base is written */
    } else if (storage->writer) {
        name = storage->writer;
    } else if (p->edge && p->edge->node) {
        name = gd_node_name(p->edge->node);
        nr = p->edge->nr;
    }
    if (!name) return;
    /* PyTorch's hand-written nodes, whose names end in no number, are named in full. */
    bool generated = isdigit((unsigned char)name[strlen(name) - 1]) != 0;
    snprintf(text, bytes, ", which is output %u of %s%s,", nr, generated ? "" : "torch::autograd::", name);
}

/* To name the tensor PyTorch asks for its grad_fn, which fails for some views. */
static gd_code check_spoilt(gd_ctx *ctx, const gd_place *p) {
    bool has_edge = p->edge && p->edge->node;
    const gd_storage *storage = storage_of(p->slot);
    if (!p->slot->is_view || p->output >= 0 || !(has_edge || (storage && storage->writer))) return GD_OK;
    gd_meta meta = {.creation = p->slot->creation};
    gd_tensor view = {
        .meta = &meta, .grad_fn = has_edge ? p->edge->node : NULL, .output_nr = has_edge ? p->edge->nr : 0};
    return gd_check_view(ctx, &view, true);
}

static gd_code fail_version(gd_ctx *ctx, const gd_place *p, uint32_t current) {
    char shape[256], origin[128];
    gd_dtype dtype = p->shape ? (gd_dtype)p->shape->dtype : (gd_dtype)p->slot->u.tensor->dtype;
    int ndim = p->shape ? p->shape->ndim : p->slot->u.tensor->ndim;
    const int64_t *sizes = p->shape ? gd_shape_sizes(p->node, p->shape) : p->slot->u.tensor->sizes;
    gd_code code = check_spoilt(ctx, p);
    if (code != GD_OK) return code;
    describe_origin(p, origin, sizeof origin);
    return gd_fail(
        ctx, GD_E_VERSION,
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "[torch.%s %s]%s is at version %u; expected version %u instead. Hint: %s",
        gd_dtype_legacy_name(dtype), gd_shape_text(shape, sizeof shape, ndim, sizes), origin, current, p->slot->version,
        ctx->anomaly ? "the backtrace further above shows the operation that failed to compute its gradient. The "
                       "variable in question was changed in there or anywhere later. Good luck!"
                     : "enable anomaly detection to find the operation that failed to compute its gradient, "
                       "with torch.autograd.set_detect_anomaly(True).");
}

gd_code gd_place_check(gd_ctx *ctx, const gd_place *place) {
    if (place->slot->kind == GD_S_EMPTY) return GD_OK;
    if (place->slot->kind == GD_S_FREED) return gd_fail(ctx, GD_E_GRAPH_FREED, "%s", GD_FREED_TEXT);
    uint32_t current = current_version(place->slot);
    return current == place->slot->version ? GD_OK : fail_version(ctx, place, current);
}

static bool is_current(const gd_slot *slot) {
    if (slot->kind == GD_S_EMPTY) return true;
    return slot->kind != GD_S_FREED && current_version(slot) == slot->version;
}

static gd_code check_argument(gd_ctx *ctx, gd_node *node, int arg) {
    gd_place place;
    int n = gd_value_of(node, arg) ? (int)gd_value_of(node, arg)->n : 1;
    for (int i = 0; i < n; i++) {
        if (!gd_place_of(node, arg, i, -1, &place)) return GD_OK;
        gd_code code = gd_place_check(ctx, &place);
        if (code != GD_OK) return code;
    }
    return GD_OK;
}

gd_code gd_saved_check(gd_ctx *ctx, gd_node *node) {
    const gd_slot *slots = gd_slots(node);
    bool good = true;
    for (uint32_t i = 0; i < node->nslots && good; i++) good = is_current(&slots[i]);
    if (good) return GD_OK;
    gd_code code = GD_OK;
    gd_place place;
    for (int arg = 0; arg < node->u.op->nparams && code == GD_OK; arg++)
        if (gd_node_plan_of(node)->save_of[arg] >= 0) code = check_argument(ctx, node, arg);
    for (int i = 0; i < GD_INLINE_OUTPUTS && code == GD_OK; i++)
        if (gd_place_of(node, -1, 0, i, &place)) code = gd_place_check(ctx, &place);
    return code;
}

/* The snapshot as a tensor outside the graph. */
static gd_tensor *snapshot(gd_ctx *ctx, const gd_place *p) {
    if (p->slot->kind == GD_S_ALIAS) {
        const gd_tensor *t = p->slot->u.tensor;
        gd_tensor *alias = gd_alias(ctx, t, t->ndim, t->sizes, GD_STRIDES(t), gd_offset(t));
        if (alias) alias->flags = t->flags;
        return alias;
    }
    int64_t strides[GD_MAX_DIMS];
    const int64_t *sizes = gd_shape_sizes(p->node, p->shape);
    gd_contiguous_strides(p->shape->ndim, sizes, strides);
    gd_tensor model = {.dtype = p->shape->dtype, .storage = p->slot->u.storage, .data = p->slot->data};
    gd_tensor *t = gd_alias(ctx, &model, p->shape->ndim, sizes, strides, gd_offset(&model));
    if (t && p->slot->wrapped) t->flags |= GD_F_WRAPPED_NUMBER;
    return t;
}

gd_tensor *gd_place_read(gd_ctx *ctx, const gd_place *p, bool attach) {
    if (gd_place_check(ctx, p) != GD_OK || p->slot->kind == GD_S_EMPTY) return NULL;
    if (p->slot->kind == GD_S_LEAF) return gd_retain(p->slot->u.leaf->u.variable);
    gd_tensor *t = snapshot(ctx, p);
    if (!t || !attach) return t;
    gd_node *origin = p->output >= 0 ? p->node : p->edge ? p->edge->node : NULL;
    if (!origin) return t;
    t->grad_fn = gd_node_retain(origin);
    t->output_nr = p->output >= 0 ? (uint32_t)p->output : p->edge->nr;
    t->flags |= GD_F_REQUIRES_GRAD;
    return t;
}
