/* node.c: nodes as such: making, freeing, and the AccumulateGrad of a leaf. */
#include "core/autograd/node.h"
#include "core/tensor/cells.h"

#include <stdlib.h>
#include <string.h>

gd_node *gd_node_new(gd_ctx *ctx, gd_node_kind kind, const gd_layout *layout) {
    size_t bytes = sizeof(gd_node) + (size_t)layout->edges * (sizeof(gd_edge) + sizeof(gd_shape)) +
                   (size_t)layout->outs * sizeof(gd_shape) + (size_t)layout->slots * sizeof(gd_slot) +
                   (size_t)layout->values * sizeof(gd_value);
    size_t words;
    if (!gd_mul_size(layout->words, sizeof(int64_t), &words) || !gd_add_size(bytes, words, &bytes) ||
        bytes > UINT32_MAX)
        return gd_fail_memory(ctx), NULL;
    gd_node *node = gd_cell_new(bytes);
    if (!node) return gd_fail_memory(ctx), NULL;
    /* Words and shapes are written by the caller; pointers must be NULL for gd_node_release. */
    memset(node, 0, bytes - words);
    node->refs = 1;
    node->ctx = ctx;
    node->bytes = (uint32_t)bytes;
    node->kind = (uint8_t)kind;
    node->nedges = layout->edges;
    node->nouts = layout->outs;
    node->nslots = layout->slots;
    node->nvalues = layout->values;
    ctx->live_nodes++;
    return node;
}

void gd_slot_drop(gd_slot *slot) {
    if (slot->kind == GD_S_STORAGE) gd_storage_release(slot->u.storage);
    if (slot->kind == GD_S_ALIAS) gd_release(slot->u.tensor);
    if (slot->kind != GD_S_EMPTY) slot->kind = GD_S_FREED;
    slot->u.tensor = NULL;
}

void gd_node_free_saved(gd_node *node) {
    if (node->kind == GD_N_COPY_SLICES) {
        gd_node_free_saved(node->u.slices->inner);
        node->freed = true; /* as PyTorch's, which drops the op it wraps */
        return;
    }
    if (!node->has_saved) return;
    for (uint32_t i = 0; i < node->nslots; i++) gd_slot_drop(&gd_slots(node)[i]);
    node->has_saved = false;
    node->freed = true;
}

/* ---- freeing ------------------------------------------------------------------------------- */

/* Note [Dead nodes]: a node that dies lets go of others, and of tensors that hold others. Only the outermost
 * release on a thread works; nodes that die meanwhile wait in a list, so the stack stays flat. */
static _Thread_local gd_node *dead;
static _Thread_local bool reaping;

static void unlink_accumulator(gd_node *node) {
    gd_links *at = gd_links_of(node);
    if (!at->linked) return;
    if (at->prev)
        gd_links_of(at->prev)->next = at->next;
    else
        node->ctx->accumulators = at->next;
    if (at->next) gd_links_of(at->next)->prev = at->prev;
    at->linked = false;
}

static void destroy(gd_node *node) {
    gd_edge *edges = gd_edges(node);
    for (uint32_t i = 0; i < node->nedges; i++)
        if (edges[i].node) gd_node_release(edges[i].node);
    gd_slot *slots = gd_slots(node);
    for (uint32_t i = 0; i < node->nslots; i++) gd_slot_drop(&slots[i]);
    if (node->cells) gd_cells_free(node->cells);
    if (node->kind == GD_N_ACCUMULATE) gd_release(node->u.variable);
    if (node->kind == GD_N_COPY_SLICES) gd_slices_free(node->u.slices);
    gd_cell_free(node, node->bytes);
}

/* What a dying node must undo while its context is still known. */
static void retire(gd_node *node) {
    node->ctx->live_nodes--;
    if (node->kind != GD_N_ACCUMULATE) return;
    unlink_accumulator(node);
    if (!node->u.variable) return;
    node->u.variable->meta->accumulator = NULL;
    if (node->floating) node->u.variable = NULL;
}

void gd_node_release(gd_node *node) {
    if (!node || --node->refs > 0) return;
    retire(node);
    node->next_dead = dead;
    dead = node;
    if (reaping) return;
    reaping = true;
    while (dead) {
        gd_node *next = dead;
        dead = next->next_dead;
        destroy(next);
    }
    reaping = false;
}

gd_node *gd_node_retain(gd_node *node) {
    if (node) node->refs++;
    return node;
}

/* ---- AccumulateGrad ------------------------------------------------------------------------ */

static size_t links_words(void) { return (sizeof(gd_links) + sizeof(int64_t) - 1) / sizeof(int64_t); }

gd_node *gd_accumulator(gd_ctx *ctx, gd_tensor *leaf) {
    if (!gd_tensor_meta(ctx, leaf)) return NULL;
    if (leaf->meta->accumulator) return leaf->meta->accumulator;
    /* No output shape is kept: it is the leaf's, which may change. */
    gd_node *node = gd_node_new(ctx, GD_N_ACCUMULATE, &(gd_layout){.words = links_words()});
    if (!node) return NULL;
    node->nouts = 0;
    node->id = ++ctx->sequence;
    node->u.variable = leaf;
    node->floating = true;
    gd_links *at = gd_links_of(node);
    *at = (gd_links){.next = ctx->accumulators, .linked = true};
    if (at->next) gd_links_of(at->next)->prev = node;
    ctx->accumulators = node;
    leaf->meta->accumulator = node;
    return node;
}

/* A new AccumulateGrad is owned by its leaf; the first edge takes that reference over, and the node then owns the leaf.
 */
gd_node *gd_accumulator_edge(gd_ctx *ctx, gd_tensor *leaf) {
    gd_node *node = gd_accumulator(ctx, leaf);
    if (!node) return NULL;
    if (!node->floating) return gd_node_retain(node);
    node->floating = false;
    gd_retain(leaf);
    return node;
}

void gd_accumulator_cut(gd_tensor *t) {
    gd_node *node = t->meta ? t->meta->accumulator : NULL;
    if (!node) return;
    t->meta->accumulator = NULL;
    node->u.variable = NULL;
    if (node->floating) {
        node->floating = false;
        gd_node_release(node);
    } else {
        gd_release(t);
    }
}

gd_code gd_edge_of(gd_ctx *ctx, gd_tensor *t, gd_edge *edge) {
    *edge = (gd_edge){0};
    if (!t) return GD_OK;
    gd_node *fn = t->grad_fn;
    if (t->flags & GD_F_VIEW) {
        ctx->error.code = GD_OK;
        fn = gd_grad_fn(ctx, t);
        if (!fn && ctx->error.code != GD_OK) return ctx->error.code;
    }
    if (fn) {
        *edge = (gd_edge){.node = gd_node_retain(fn), .nr = t->output_nr};
        return GD_OK;
    }
    if (!(t->flags & GD_F_REQUIRES_GRAD)) return GD_OK;
    edge->node = gd_accumulator_edge(ctx, t);
    return edge->node ? GD_OK : ctx->error.code;
}

/* ---- the end of tensors and contexts --------------------------------------------------------- */

void gd_meta_free(gd_tensor *t) {
    gd_meta *meta = t->meta;
    gd_hooks_leave(t);
    if (meta->accumulator) { /* floating, or the leaf would live */
        meta->accumulator->u.variable = NULL;
        gd_node_release(meta->accumulator);
    }
    gd_tensor *grad = meta->grad, *base = meta->base;
    t->meta = NULL;
    free(meta);
    gd_release(grad);
    gd_release(base);
}

void gd_autograd_close(gd_ctx *ctx) {
    gd_node *node;
    while ((node = ctx->accumulators)) {
        unlink_accumulator(node);
        gd_tensor *leaf = gd_retain(node->u.variable);
        if (!leaf) continue;
        gd_tensor *grad = leaf->meta->grad;
        leaf->meta->grad = NULL;
        gd_release(grad);
        gd_release(leaf);
    }
}

_Static_assert(sizeof(gd_node) == 64, "a node's header is one cache line");
