/* hooks.c: program functions as hooks on gradients, and the handles that remove them.
 *
 * The engine's hook, the environment and a handle object may go in any order. What they share is a tie: it leads to the
 * environment's part while that lives (its function is dropped when the hook or the environment goes), and to the
 * engine's hook while that is registered.
 */
#include "core/program/hooks.h"

#include "core/autograd/autograd.h"
#include "core/program/natives.h"

#include <stdlib.h>

static void release_tie(gd_hook_tie *tie) {
    if (--tie->refs == 0) free(tie);
}

/* Takes the environment's part out of its list; the function goes last, as that may run anything's end. */
static void end_live(struct gd_env_hook *live) {
    gd_env *env = live->env;
    gd_any f = live->f;
    if (live->prev)
        live->prev->next = live->next;
    else
        env->hooks = live->next;
    if (live->next) live->next->prev = live->prev;
    live->tie->live = NULL;
    gd_heap_free(env->heap, live, sizeof *live);
    gd_drop(env->heap, f);
}

void gd_env_hooks_close(gd_env *env) {
    while (env->hooks) end_live(env->hooks);
}

void gd_hook_gone(void *user) {
    gd_hook_tie *tie = user;
    tie->hook = NULL;
    tie->node_hook = NULL;
    if (tie->live) end_live(tie->live);
    release_tie(tie);
}

static gd_code take_result(gd_ctx *ctx, gd_heap *heap, gd_any result, gd_tensor **replacement) {
    if (gd_is_none(result)) return GD_OK;
    if (gd_is_tensor(result)) {
        *replacement = result.u.tensor;
        return GD_OK;
    }
    gd_code code = gd_fail(ctx, GD_E_ARGUMENT, "expected Variable, but hook returned '%s'", gd_type_name(result));
    gd_drop(heap, result);
    return code;
}

static gd_code call_hook(gd_ctx *ctx, void *user, gd_tensor *grad, gd_tensor **replacement) {
    struct gd_env_hook *live = ((gd_hook_tie *)user)->live;
    if (!live) return GD_OK;
    gd_env *env = live->env;
    gd_program_limits limits = live->limits;
    gd_any f = gd_keep(live->f); /* the hook may remove itself */
    ctx->error.code = GD_OK;
    gd_any result = gd_env_call(env, f, GD_ANY_TENSOR(grad), &limits);
    gd_drop(env->heap, f);
    if (gd_is_nil(result)) return ctx->error.code != GD_OK ? ctx->error.code : GD_E_RUNTIME;
    return take_result(ctx, env->heap, result, replacement);
}

struct gd_env_hook *gd_hook_live(gd_env *env, gd_any f, const gd_program_limits *limits) {
    gd_hook_tie *tie = malloc(sizeof *tie);
    struct gd_env_hook *live = tie ? gd_heap_alloc(env->heap, sizeof *live) : NULL;
    if (!live) {
        free(tie);
        gd_fail_memory(env->ctx);
        return NULL;
    }
    *tie = (gd_hook_tie){.refs = 1, .live = live};
    *live = (struct gd_env_hook){.next = env->hooks, .env = env, .f = gd_keep(f), .limits = *limits, .tie = tie};
    if (env->hooks) env->hooks->prev = live;
    env->hooks = live;
    return live;
}

/* *tie is valid while the hook is registered. */
static gd_code hook_tensor(gd_env *env, gd_tensor *t, gd_any f, const gd_program_limits *limits, uint64_t *handle,
                           gd_hook_tie **tie) {
    const char *name = gd_callable_name(f);
    struct gd_env_hook *live = gd_hook_live(env, f, limits);
    if (!live) return GD_E_MEMORY;
    *tie = live->tie;
    gd_code code = gd_register_hook(env->ctx, t, name ? name : "<unknown>", call_hook, *tie, gd_hook_gone, handle);
    if (code == GD_OK)
        (*tie)->hook = gd_hook_of(t, *handle);
    else
        gd_hook_gone(*tie);
    return code;
}

gd_code gd_env_hook_tensor(gd_env *env, gd_tensor *t, gd_any f, const gd_program_limits *limits, uint64_t *handle) {
    gd_hook_tie *tie;
    return hook_tensor(env, t, f, limits, handle, &tie);
}

/* ---- handles --------------------------------------------------------------------------------- */

static void handle_destroy(gd_heap *heap, gd_object *self) {
    (void)heap;
    gd_hook_tie *tie = ((gd_removable_handle *)self)->tie;
    if (tie) release_tie(tie);
}

static bool remove_hook(gd_any self) {
    gd_hook_tie *tie = ((gd_removable_handle *)self.u.object)->tie;
    if (tie->hook) gd_hook_remove(tie->hook);
    if (tie->node_hook) gd_node_hook_remove(tie->node_hook);
    return true;
}

static gd_any handle_remove(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}};
    gd_any self;
    if (!GD_BIND(vm, "RemovableHandle.remove", wanted, args, &self)) return GD_NIL;
    remove_hook(self);
    return GD_ANY_NONE;
}

static gd_any handle_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    (void)vm;
    return gd_str_is(name, "id") ? GD_ANY_INT(((gd_removable_handle *)self.u.object)->id) : GD_NIL;
}

static gd_any handle_enter(gd_vm *vm, gd_any self) {
    (void)vm;
    return gd_keep(self);
}

static bool handle_leave(gd_vm *vm, gd_any self) {
    (void)vm;
    return remove_hook(self);
}

static const gd_native handle_methods[] = {
    {"remove", handle_remove, 0, -1, "*"},
    {NULL, NULL, 0, 0, NULL},
};

const gd_class gd_class_removable_handle = {
    .name = "torch.utils.hooks.RemovableHandle",
    .destroy = handle_destroy,
    .methods = handle_methods,
    .getattr = handle_getattr,
    .enter = handle_enter,
    .leave = handle_leave,
};

gd_any gd_hook_handle(gd_vm *vm, gd_tensor *t, gd_any f) {
    gd_removable_handle *object = gd_object_new(vm, &gd_class_removable_handle, sizeof *object);
    if (!object) return GD_NIL;
    static const gd_program_limits usual = GD_PROGRAM_DEFAULT_LIMITS;
    uint64_t handle;
    gd_hook_tie *tie;
    if (hook_tensor(vm->env, t, f, vm->options ? &vm->options->limits : &usual, &handle, &tie) != GD_OK) {
        gd_drop(gd_vm_heap(vm), GD_ANY_OBJECT(object));
        return gd_raise_engine(vm);
    }
    object->id = (int64_t)handle;
    object->tie = tie;
    tie->refs++;
    return GD_ANY_OBJECT(object);
}
