/* hooks.c: hooks on gradients, and retain_grad.
 *
 * A leaf's hooks are in its own list and run before its gradient is accumulated. A computed tensor's hooks are also
 * cells of the node that made it, so that they stay with that node when an in-place op gives the tensor another, and
 * fire when the tensor object is gone.
 */
#include "core/autograd/node.h"

#include <stdlib.h>
#include <string.h>

void gd_hook_release(gd_hook *hook) {
    if (--hook->refs > 0) return;
    if (!hook->removed && hook->free_user) hook->free_user(hook->user);
    free(hook);
}

void gd_cells_free(gd_cell *cells) {
    while (cells) {
        gd_cell *next = cells->next;
        if (cells->hook) gd_hook_release(cells->hook);
        if (cells->node_hook) gd_node_hook_leave(cells->node_hook);
        free(cells->lent);
        free(cells);
        cells = next;
    }
}

static gd_cell **last_cell(gd_node *node) {
    gd_cell **at = &node->cells;
    while (*at) at = &(*at)->next;
    return at;
}

static gd_cell *add_cell(gd_ctx *ctx, gd_node *node, uint32_t nr) {
    gd_cell *cell = calloc(1, sizeof *cell);
    if (!cell) return gd_fail_memory(ctx), NULL;
    cell->output_nr = nr;
    return *last_cell(node) = cell;
}

/* ---- registering ----------------------------------------------------------------------------- */

static gd_hook *new_hook(gd_ctx *ctx, const char *name, gd_hook_fn call, void *user, void (*free_user)(void *)) {
    size_t bytes = strlen(name) + 1;
    gd_hook *hook = malloc(sizeof *hook + bytes);
    if (!hook) return gd_fail_memory(ctx), NULL;
    *hook = (gd_hook){.handle = ++ctx->next_handle, .call = call, .user = user, .free_user = free_user, .refs = 1};
    memcpy(hook->name, name, bytes);
    return hook;
}

static gd_code attach(gd_ctx *ctx, gd_tensor *t, gd_hook *hook) {
    gd_meta *meta = gd_tensor_meta(ctx, t);
    if (!meta) return GD_E_MEMORY;
    ctx->error.code = GD_OK;
    gd_node *fn = gd_grad_fn(ctx, t);
    if (!fn && ctx->error.code != GD_OK) return ctx->error.code;
    if (fn) {
        gd_cell *cell = add_cell(ctx, fn, t->output_nr);
        if (!cell) return GD_E_MEMORY;
        cell->hook = hook;
        hook->refs++;
    }
    gd_hook **at = &meta->hooks;
    while (*at) at = &(*at)->next;
    *at = hook;
    hook->owner = t;
    return GD_OK;
}

gd_code gd_register_hook(gd_ctx *ctx, gd_tensor *t, const char *name, gd_hook_fn call, void *user,
                         void (*free_user)(void *user), uint64_t *handle) {
    if (!gd_requires_grad(t))
        return gd_fail(ctx, GD_E_STATE, "cannot register a hook on a tensor that doesn't require gradient");
    gd_hook *hook = new_hook(ctx, name ? name : "hook", call, user, free_user);
    if (!hook) return GD_E_MEMORY;
    gd_code code = attach(ctx, t, hook);
    if (code != GD_OK) {
        hook->free_user = NULL; /* still the caller's */
        gd_hook_release(hook);
        return code;
    }
    *handle = hook->handle;
    return GD_OK;
}

/* The node's cell goes too, if t's node is still the one that has it; elsewhere a removed hook is passed over. */
static void drop_cell(gd_node *node, const gd_hook *hook) {
    for (gd_cell **at = &node->cells; *at; at = &(*at)->next) {
        gd_cell *cell = *at;
        if (cell->hook != hook) continue;
        *at = cell->next;
        cell->next = NULL;
        gd_cells_free(cell);
        return;
    }
}

gd_hook *gd_hook_of(const gd_tensor *t, uint64_t handle) {
    gd_hook *hook = t->meta ? t->meta->hooks : NULL;
    while (hook && hook->handle != handle) hook = hook->next;
    return hook;
}

void gd_hook_remove(gd_hook *hook) {
    if (hook->removed) return;
    gd_tensor *t = hook->owner;
    hook->removed = true; /* a node's cell may hold it on */
    hook->refs++;
    if (t) {
        gd_hook **at = &t->meta->hooks;
        while (*at != hook) at = &(*at)->next;
        *at = hook->next;
        hook->owner = NULL;
        hook->refs--;
        if (t->grad_fn) drop_cell(t->grad_fn, hook);
    }
    if (!hook->running && hook->free_user) hook->free_user(hook->user);
    gd_hook_release(hook);
}

bool gd_remove_hook(gd_tensor *t, uint64_t handle) {
    gd_hook *hook = gd_hook_of(t, handle);
    if (hook) gd_hook_remove(hook);
    return hook != NULL;
}

/* ---- running --------------------------------------------------------------------------------- */

static gd_code check_replacement(gd_ctx *ctx, const gd_hook *hook, const gd_tensor *was, const gd_tensor *is) {
    if (was->dtype != is->dtype)
        return gd_fail(ctx, GD_E_DTYPE, "hook '%s' has changed the type of value (was torch.%s got torch.%s)",
                       hook->name, gd_dtype_legacy_name((gd_dtype)was->dtype),
                       gd_dtype_legacy_name((gd_dtype)is->dtype));
    if (!gd_same_shape(was, is)) return gd_fail(ctx, GD_E_SHAPE, "hook '%s' has changed the size of value", hook->name);
    return GD_OK;
}

static gd_code call_hook(gd_ctx *ctx, gd_hook *hook, gd_tensor **grad) {
    if (hook->removed) return GD_OK;
    gd_tensor *replacement = NULL;
    gd_grad_mode mode = ctx->mode;
    hook->running++;
    gd_code code = hook->call(ctx, hook->user, *grad, &replacement);
    hook->running--;
    ctx->mode = mode;
    if (hook->removed && !hook->running && hook->free_user) {
        hook->free_user(hook->user);
        hook->free_user = NULL;
    }
    if (code == GD_OK) ctx->error.code = GD_OK; /* what the hook got over */
    if (code != GD_OK && ctx->error.code == GD_OK) gd_fail(ctx, code, "hook '%s' failed", hook->name);
    if (code == GD_OK && replacement) code = check_replacement(ctx, hook, *grad, replacement);
    if (code == GD_OK && replacement) {
        gd_release(*grad);
        *grad = replacement;
        return GD_OK;
    }
    gd_release(replacement);
    return code;
}

#define FEW_HOOKS 16

/* Hooks may register and remove hooks: those that were there at the start are held, then run in order. */
typedef struct hook_list {
    gd_hook **items, *few[FEW_HOOKS];
    size_t n, cap;
} hook_list;

static bool hold(hook_list *list, gd_hook *hook) {
    if (list->n == list->cap) {
        gd_hook **items = calloc(2 * list->cap, sizeof *items);
        if (!items) return false;
        memcpy(items, list->items, list->n * sizeof *items);
        if (list->items != list->few) free(list->items);
        list->items = items;
        list->cap *= 2;
    }
    hook->refs++;
    list->items[list->n++] = hook;
    return true;
}

static gd_code run_list(gd_ctx *ctx, hook_list *list, bool complete, gd_tensor **grad) {
    gd_code code = complete ? GD_OK : gd_fail_memory(ctx);
    for (size_t i = 0; i < list->n; i++) {
        if (code == GD_OK) code = call_hook(ctx, list->items[i], grad);
        gd_hook_release(list->items[i]);
    }
    if (list->items != list->few) free(list->items);
    return code;
}

gd_code gd_hooks_run_leaf(gd_ctx *ctx, gd_tensor *leaf, gd_tensor **grad) {
    if (!leaf->meta || !leaf->meta->hooks) return GD_OK;
    hook_list list = {.cap = FEW_HOOKS};
    list.items = list.few;
    bool complete = true;
    for (gd_hook *hook = leaf->meta->hooks; hook && complete; hook = hook->next) complete = hold(&list, hook);
    return run_list(ctx, &list, complete, grad);
}

gd_code gd_hooks_run_node(gd_ctx *ctx, gd_node *node, uint32_t nr, gd_tensor **grad) {
    hook_list list = {.cap = FEW_HOOKS};
    list.items = list.few;
    bool complete = true;
    for (gd_cell *cell = node->cells; cell && complete; cell = cell->next)
        if (cell->hook && !cell->hook->removed && cell->output_nr == nr) complete = hold(&list, cell->hook);
    return run_list(ctx, &list, complete, grad);
}

/* ---- retain_grad ----------------------------------------------------------------------------- */

gd_code gd_retain_grad(gd_ctx *ctx, gd_tensor *t) {
    if (!gd_requires_grad(t))
        return gd_fail(ctx, GD_E_STATE, "can't retain_grad on Tensor that has requires_grad=False");
    if (!t->grad_fn && (t->flags & GD_F_VIEW) && t->meta->creation != GD_CREATED_DEFAULT) return GD_OK; /* as PyTorch */
    ctx->error.code = GD_OK;
    gd_node *fn = gd_grad_fn(ctx, t);
    if (!fn) return ctx->error.code; /* a leaf keeps its gradient anyway */
    if (t->flags & GD_F_RETAINS_GRAD) return GD_OK;
    if (!gd_tensor_meta(ctx, t)) return GD_E_MEMORY;
    gd_cell *cell = add_cell(ctx, fn, t->output_nr);
    if (!cell) return GD_E_MEMORY;
    cell->retains = t;
    t->flags |= GD_F_RETAINS_GRAD;
    return GD_OK;
}

static gd_cell *take_retention(gd_tensor *t, gd_node *node) {
    for (gd_cell **at = &node->cells; *at; at = &(*at)->next) {
        gd_cell *cell = *at;
        if (cell->retains != t) continue;
        *at = cell->next;
        cell->next = NULL;
        return cell;
    }
    return NULL;
}

void gd_retention_move(gd_tensor *t, gd_node *from, gd_node *to) {
    if (!(t->flags & GD_F_RETAINS_GRAD) || !from) return;
    gd_cell *cell = take_retention(t, from);
    if (!cell) return;
    if (to) {
        cell->output_nr = 0;
        *last_cell(to) = cell;
    } else {
        free(cell);
        t->flags &= (uint16_t)~GD_F_RETAINS_GRAD;
    }
}

void gd_hooks_leave(gd_tensor *t) {
    gd_retention_move(t, t->grad_fn, NULL);
    gd_hook *hook = t->meta->hooks;
    t->meta->hooks = NULL;
    while (hook) {
        gd_hook *next = hook->next;
        hook->owner = NULL;
        gd_hook_release(hook);
        hook = next;
    }
}
