/* node_hooks.c: hooks on whole nodes: before a node runs, over the gradients that arrived; after it, over those that it
 * passes on. Those on an AccumulateGrad run when the leaf's gradient is written.
 */
#include "core/autograd/engine.h"

#include <stdlib.h>
#include <string.h>

struct gd_node_hook {
    uint32_t refs, running;
    gd_node *node; /* weak: NULL once it died */
    bool before, removed;
    gd_node_hook_fn call;
    void *user;
    void (*free_user)(void *user);
};

static void free_user(gd_node_hook *hook) {
    if (hook->free_user) hook->free_user(hook->user);
    hook->free_user = NULL;
}

static void release(gd_node_hook *hook) {
    if (--hook->refs > 0) return;
    free_user(hook);
    free(hook);
}

void gd_node_hook_leave(gd_node_hook *hook) {
    hook->node = NULL;
    release(hook);
}

gd_node_hook *gd_node_hook_add(gd_ctx *ctx, gd_node *node, bool before, gd_node_hook_fn call, void *user,
                               void (*free_user)(void *user)) {
    gd_node_hook *hook = malloc(sizeof *hook);
    gd_cell *cell = hook ? calloc(1, sizeof *cell) : NULL;
    if (!cell) {
        free(hook);
        gd_fail_memory(ctx);
        return NULL;
    }
    *hook =
        (gd_node_hook){.refs = 1, .node = node, .before = before, .call = call, .user = user, .free_user = free_user};
    cell->output_nr = UINT32_MAX; /* of no output */
    cell->node_hook = hook;
    gd_cell **at = &node->cells;
    while (*at) at = &(*at)->next;
    *at = cell;
    return hook;
}

void gd_node_hook_remove(gd_node_hook *hook) {
    gd_node *node = hook->node;
    if (hook->removed || !node) return;
    hook->removed = true;
    for (gd_cell **at = &node->cells; *at; at = &(*at)->next) {
        gd_cell *cell = *at;
        if (cell->node_hook != hook) continue;
        *at = cell->next;
        free(cell);
        break;
    }
    hook->node = NULL;
    if (!hook->running) free_user(hook);
    release(hook);
}

bool gd_node_hooked(const gd_node *node, bool before) {
    for (const gd_cell *cell = node->cells; cell; cell = cell->next)
        if (cell->node_hook && cell->node_hook->before == before) return true;
    return false;
}

/* ---- running --------------------------------------------------------------------------------------- */

/* Hooks may add and remove hooks: those that were there are held. New array of *n; NULL with error. */
static gd_node_hook **hold_all(gd_ctx *ctx, const gd_node *node, bool before, size_t *n) {
    *n = 0;
    for (const gd_cell *cell = node->cells; cell; cell = cell->next)
        *n += cell->node_hook && cell->node_hook->before == before;
    gd_node_hook **hooks = calloc(*n + 1, sizeof(gd_node_hook *));
    if (!hooks) return gd_fail_memory(ctx), NULL;
    *n = 0;
    for (const gd_cell *cell = node->cells; cell; cell = cell->next) {
        if (!cell->node_hook || cell->node_hook->before != before) continue;
        hooks[*n] = cell->node_hook;
        hooks[(*n)++]->refs++;
    }
    return hooks;
}

static gd_code call_one(gd_ctx *ctx, gd_node_hook *hook, gd_tensor **own, int n, gd_tensor *const *other, int nother) {
    gd_grad_mode mode = ctx->mode;
    hook->running++;
    gd_code code = hook->call(ctx, hook->user, own, n, other, nother);
    hook->running--;
    ctx->mode = mode;
    if (hook->removed && !hook->running) free_user(hook);
    if (code == GD_OK) ctx->error.code = GD_OK; /* what the hook got over */
    if (code != GD_OK && ctx->error.code == GD_OK) gd_fail(ctx, code, "a hook on a node failed");
    return code;
}

gd_code gd_node_hooks_run(gd_ctx *ctx, const gd_node *node, bool before, gd_tensor **own, int n,
                          gd_tensor *const *other, int nother) {
    size_t count;
    gd_node_hook **hooks = hold_all(ctx, node, before, &count);
    if (!hooks) return GD_E_MEMORY;
    gd_code code = GD_OK;
    for (size_t i = 0; i < count; i++) {
        if (code == GD_OK && !hooks[i]->removed) code = call_one(ctx, hooks[i], own, n, other, nother);
        release(hooks[i]);
    }
    free(hooks);
    return code;
}

/* Rules rely on gradients that look like their outputs. */
static gd_code check_arrived(gd_ctx *ctx, const gd_node *node, gd_tensor *const *grads) {
    for (uint32_t i = 0; i < node->nouts; i++) {
        const gd_tensor *g = grads[i];
        const gd_shape *shape = &gd_shapes(node)[i];
        if (!g) continue;
        if (g->dtype != shape->dtype)
            return gd_fail(ctx, GD_E_DTYPE, "a hook before %s has changed the type of value", gd_node_name(node));
        if (g->ndim != shape->ndim ||
            (g->ndim && memcmp(g->sizes, gd_shape_sizes(node, shape), (size_t)g->ndim * sizeof *g->sizes) != 0))
            return gd_fail(ctx, GD_E_SHAPE, "a hook before %s has changed the size of value", gd_node_name(node));
    }
    return GD_OK;
}

gd_code gd_node_hooks_before(gd_ctx *ctx, const gd_node *node, gd_tensor **grads) {
    if (!gd_node_hooked(node, true)) return GD_OK;
    gd_code code = gd_node_hooks_run(ctx, node, true, grads, (int)node->nouts, NULL, 0);
    return code == GD_OK ? check_arrived(ctx, node, grads) : code;
}

/* ---- on leaves ---------------------------------------------------------------------------------------- */

static gd_code check_leaf(gd_ctx *ctx, const gd_tensor *leaf, const gd_tensor *grad) {
    if (!grad || (grad->dtype == leaf->dtype && gd_same_shape(grad, leaf))) return GD_OK;
    return gd_fail(ctx, GD_E_SHAPE, "a hook before AccumulateGrad has changed the %s of value",
                   grad->dtype == leaf->dtype ? "size" : "type");
}

gd_code gd_node_hooks_leaf(gd_run *run, const gd_node *node, gd_tensor **grad) {
    if (gd_node_hooked(node, true)) {
        gd_code code = gd_node_hooks_run(run->ctx, node, true, grad, 1, NULL, 0);
        if (code == GD_OK) code = check_leaf(run->ctx, node->u.variable, *grad);
        if (code != GD_OK || !*grad) return code;
    }
    if (!gd_node_hooked(node, false)) return GD_OK;
    size_t bytes;
    gd_after *after = gd_mul_size(run->nafter + 1, sizeof *after, &bytes) ? realloc(run->after, bytes) : NULL;
    if (!after) return gd_fail_memory(run->ctx);
    run->after = after;
    after[run->nafter++] = (gd_after){.node = node, .grad = gd_retain(*grad)};
    return GD_OK;
}

gd_code gd_node_hooks_after(gd_run *run) {
    gd_code code = GD_OK;
    for (size_t i = 0; i < run->nafter && code == GD_OK; i++)
        code = gd_node_hooks_run(run->ctx, run->after[i].node, false, NULL, 0, &run->after[i].grad, 1);
    return code;
}
