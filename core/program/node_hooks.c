/* node_hooks.c: program functions as hooks on nodes of the graph: grad_fn.register_hook and register_prehook. */
#include "core/program/hooks.h"
#include "core/program/natives.h"

#include <string.h>

/* f as a function of one tuple, its arguments: hooks are called with one value. */
typedef struct spread {
    gd_object head;
    gd_any f;
} spread;

static void spread_destroy(gd_heap *heap, gd_object *self) { gd_drop(heap, ((spread *)self)->f); }

static void spread_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((spread *)self)->f);
}

static gd_any spread_call(gd_vm *vm, gd_any self, const gd_args *args) {
    return gd_call_tuple(vm, ((const spread *)self.u.object)->f, args->v[0]);
}

static const gd_class spread_class = {
    .name = "function", .destroy = spread_destroy, .visit = spread_visit, .call = spread_call};

/* ---- running ---------------------------------------------------------------------------------------- */

/* The heap makes objects in a vm: the running one, or this for hooks that a backward from outside calls. */
static gd_any tuple_of(gd_vm *vm, gd_tensor *const *tensors, int n) {
    gd_any tuple = gd_tuple_new(vm, &gd_class_tuple, (size_t)n);
    for (int i = 0; i < n && !gd_is_nil(tuple); i++)
        if (tensors[i]) ((gd_tuple *)tuple.u.object)->items[i] = GD_ANY_TENSOR(gd_retain(tensors[i]));
    return tuple;
}

/* The hook's arguments: (inputs' gradients, outputs' gradients) or (outputs' gradients,). */
static gd_any arguments(gd_vm *vm, gd_tensor *const *own, int n, gd_tensor *const *other, int nother, bool before) {
    gd_heap *heap = gd_vm_heap(vm);
    gd_any parts[2] = {tuple_of(vm, own, n), before ? GD_NIL : tuple_of(vm, other, nother)}, all = GD_NIL;
    if (!gd_is_nil(parts[0]) && (before || !gd_is_nil(parts[1]))) all = gd_tuple_of(vm, before ? 1 : 2, parts);
    gd_drop(heap, parts[0]);
    gd_drop(heap, parts[1]);
    return all;
}

/* PyTorch's checks of one replaced gradient. */
static gd_code check_entry(gd_ctx *ctx, const char *name, const gd_tensor *was, gd_any v) {
    if (gd_is_none(v) ? !was : was && gd_is_tensor(v) && v.u.tensor == was) return GD_OK;
    if (!was) return gd_fail(ctx, GD_E_RUNTIME, "can't replace a None gradient with a non-None value");
    if (!gd_is_tensor(v))
        return gd_fail(ctx, GD_E_ARGUMENT, "expected Variable, but hook returned '%s'", gd_type_name(v));
    const gd_tensor *is = v.u.tensor;
    if (was->dtype != is->dtype)
        return gd_fail(ctx, GD_E_DTYPE, "hook '%s' has changed the type of value (was torch.%s got torch.%s)", name,
                       gd_dtype_legacy_name((gd_dtype)was->dtype), gd_dtype_legacy_name((gd_dtype)is->dtype));
    if (!gd_same_shape(was, is)) return gd_fail(ctx, GD_E_SHAPE, "hook '%s' has changed the size of value", name);
    return GD_OK;
}

/* What the hook answered replaces the gradients: a tuple of them, or a tensor where there is one. */
static gd_code take_result(gd_ctx *ctx, const char *name, gd_any result, gd_tensor **own, int n) {
    const gd_any *items = &result;
    size_t count = 1;
    if (gd_is_none(result)) return GD_OK;
    gd_items(result, &items, &count);
    if (count != (size_t)n)
        return gd_fail(ctx, GD_E_RUNTIME,
                       "hook '%s' has returned an incorrect number of values (got %zu, but expected %d)", name, count,
                       n);
    for (int i = 0; i < n; i++) {
        gd_code code = check_entry(ctx, name, own[i], items[i]);
        if (code != GD_OK) return code;
        gd_tensor *old = own[i];
        own[i] = gd_is_none(items[i]) ? NULL : gd_retain(items[i].u.tensor);
        gd_release(old);
    }
    return GD_OK;
}

/* A backward that a program calls has the program's vm; for one from outside a vm of its own is made by gd_env_call,
 * so only its heap is needed here. */
static gd_code run_hook(gd_ctx *ctx, void *user, gd_tensor **own, int n, gd_tensor *const *other, int nother,
                        bool before) {
    struct gd_env_hook *live = ((gd_hook_tie *)user)->live;
    if (!live) return GD_OK;
    gd_env *env = live->env;
    gd_vm outside = {.env = env, .ctx = ctx}, *vm = env->running ? env->running : &outside;
    gd_program_limits limits = live->limits;
    gd_any f = gd_keep(live->f); /* the hook may remove itself */
    ctx->error.code = GD_OK;
    gd_any all = arguments(vm, own, n, other, nother, before);
    gd_any result = gd_is_nil(all) ? all : gd_env_call(env, f, all, &limits);
    gd_drop(env->heap, all);
    gd_drop(env->heap, outside.exception);
    gd_code code = ctx->error.code != GD_OK ? ctx->error.code : GD_E_RUNTIME;
    if (!gd_is_nil(result)) {
        const char *name = gd_callable_name(((const spread *)f.u.object)->f);
        code = take_result(ctx, name ? name : "<unknown>", result, own, n);
    }
    gd_drop(env->heap, result);
    gd_drop(env->heap, f);
    return code;
}

static gd_code run_before(gd_ctx *ctx, void *user, gd_tensor **own, int n, gd_tensor *const *other, int nother) {
    return run_hook(ctx, user, own, n, other, nother, true);
}

static gd_code run_after(gd_ctx *ctx, void *user, gd_tensor **own, int n, gd_tensor *const *other, int nother) {
    return run_hook(ctx, user, own, n, other, nother, false);
}

/* ---- registering --------------------------------------------------------------------------------------- */

static gd_node_hook *attach(gd_vm *vm, gd_node *node, gd_any f, bool before) {
    static const gd_program_limits usual = GD_PROGRAM_DEFAULT_LIMITS;
    struct gd_env_hook *live = gd_hook_live(vm->env, f, vm->options ? &vm->options->limits : &usual);
    if (!live) return NULL;
    gd_hook_tie *tie = live->tie;
    gd_node_hook *hook = gd_node_hook_add(vm->ctx, node, before, before ? run_before : run_after, tie, gd_hook_gone);
    if (hook)
        tie->node_hook = hook;
    else
        gd_hook_gone(tie);
    return hook;
}

gd_any gd_node_hook_handle(gd_vm *vm, gd_node *node, gd_any f, bool before) {
    gd_heap *heap = gd_vm_heap(vm);
    spread *function = gd_object_new(vm, &spread_class, sizeof *function);
    if (!function) return GD_NIL;
    function->f = gd_keep(f);
    gd_removable_handle *object = gd_object_new(vm, &gd_class_removable_handle, sizeof *object);
    gd_node_hook *hook = object ? attach(vm, node, GD_ANY_OBJECT(function), before) : NULL;
    if (hook) {
        object->id = (int64_t)++vm->ctx->next_handle;
        object->tie = vm->env->hooks->tie; /* the newest is first */
        object->tie->refs++;
    }
    gd_drop(heap, GD_ANY_OBJECT(function));
    if (hook) return GD_ANY_OBJECT(object);
    if (!object) return GD_NIL;
    gd_drop(heap, GD_ANY_OBJECT(object));
    return gd_raise_engine(vm);
}
