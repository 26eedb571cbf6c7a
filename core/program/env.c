/* env.c: environments: the global names that live between runs, and how they meet the named tensors outside. */
#include "core/program/env.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ----------------------------------------------------------------------------------- */

static bool grow_globals(gd_vm *vm, gd_env *env) {
    if (env->nglobals < env->globals_capacity) return true;
    size_t more = env->globals_capacity ? env->globals_capacity * 2 : 64, size = sizeof(gd_global);
    void *p = gd_heap_resize(env->heap, env->globals, env->globals_capacity * size, more * size);
    if (!p) {
        gd_vm_no_memory(vm);
        return false;
    }
    env->globals = p;
    env->globals_capacity = more;
    return true;
}

/* Code refers to globals by int32. */
enum { MOST_GLOBALS = 1 << 24 };

static int64_t new_global(gd_vm *vm, gd_any name) {
    gd_env *env = vm->env;
    gd_any builtin = GD_NIL;
    if (env->nglobals >= MOST_GLOBALS || !grow_globals(vm, env)) return -1;
    if (gd_dict_get(vm, gd_as_dict(env->builtins), name, &builtin) < 0) return -1;
    int64_t index = (int64_t)env->nglobals;
    if (!gd_dict_set(vm, gd_as_dict(env->global_index), name, GD_ANY_INT(index))) return -1;
    env->globals[env->nglobals++] =
        (gd_global){.name = gd_as_str(gd_keep(name)), .value = GD_NIL, .builtin = gd_keep(builtin)};
    return index;
}

int64_t gd_env_global(gd_vm *vm, const char *name) {
    gd_any text = gd_str_c(vm, name), found;
    if (gd_is_nil(text)) return -1;
    int has = gd_dict_get(vm, gd_as_dict(vm->env->global_index), text, &found);
    int64_t index = has < 0 ? -1 : has ? found.u.i : new_global(vm, text);
    gd_drop(vm->env->heap, text);
    return index;
}

/* ---- making and freeing ---------------------------------------------------------------------- */

/* `torch` is there without an import. */
static bool add_torch(gd_vm *vm) {
    gd_any name = gd_str_c(vm, "torch"), module = gd_is_nil(name) ? GD_NIL : gd_import(vm, "torch");
    bool ok = !gd_is_nil(module) && gd_dict_set(vm, gd_as_dict(vm->env->builtins), name, module);
    gd_drop(vm->env->heap, name);
    gd_drop(vm->env->heap, module);
    return ok;
}

static bool fill(gd_env *env) {
    gd_program_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS};
    gd_vm vm;
    gd_vm_begin(&vm, env, &options);
    env->global_index = gd_dict_new(&vm);
    env->modules = gd_dict_new(&vm);
    env->builtins = gd_dict_new(&vm);
    bool ok = !gd_is_nil(env->global_index) && !gd_is_nil(env->modules) && !gd_is_nil(env->builtins);
    if (ok) gd_builtins_fill(&vm, gd_as_dict(env->builtins));
    ok = ok && !gd_pending(&vm) && add_torch(&vm);
    gd_drop(env->heap, vm.exception);
    gd_vm_end(&vm);
    return ok;
}

gd_env *gd_env_new(gd_ctx *ctx, const gd_env_binding *binding) {
    gd_env *env = calloc(1, sizeof *env);
    if (!env) return NULL;
    env->ctx = ctx;
    if (binding) env->binding = *binding;
    env->heap = gd_heap_new(ctx);
    if (env->heap && fill(env)) return env;
    gd_env_free(env);
    return NULL;
}

void gd_env_free(gd_env *env) {
    if (!env) return;
    gd_heap *heap = env->heap;
    if (heap) {
        gd_env_hooks_close(env);
        for (size_t i = 0; i < env->nglobals; i++) {
            gd_any value = env->globals[i].value;
            env->globals[i].value = GD_NIL;
            gd_drop(heap, value);
        }
        for (size_t i = 0; i < env->nglobals; i++) {
            gd_drop(heap, env->globals[i].builtin);
            gd_drop(heap, GD_ANY_OBJECT(env->globals[i].name));
        }
        if (env->globals) gd_heap_free(heap, env->globals, env->globals_capacity * sizeof *env->globals);
        gd_drop(heap, env->global_index);
        gd_drop(heap, env->modules);
        gd_drop(heap, env->builtins);
        gd_heap_delete(heap);
    }
    free(env);
}

size_t gd_env_bytes(const gd_env *env) { return gd_heap_used(env->heap); }

/* ---- tensors outside ------------------------------------------------------------------------- */

static void set_value(gd_env *env, gd_global *g, gd_any value) {
    gd_any old = g->value;
    g->value = value;
    gd_drop(env->heap, old);
}

void gd_env_forget(gd_env *env, const char *name) {
    for (size_t i = 0; i < env->nglobals; i++) {
        gd_global *g = &env->globals[i];
        if (gd_is_nil(g->value) || strcmp(g->name->text, name) != 0) continue;
        g->inside = false;
        set_value(env, g, GD_NIL);
    }
}

void gd_env_read(gd_env *env) {
    const gd_env_binding *b = &env->binding;
    for (size_t i = 0; i < env->nglobals; i++) {
        gd_global *g = &env->globals[i];
        g->written = false;
        gd_tensor *t = b->get ? b->get(b->user, g->name->text) : NULL;
        if (t) {
            g->inside = false;
            set_value(env, g, GD_ANY_TENSOR(gd_retain(t)));
        } else if (b->get && g->value.tag == GD_A_TENSOR && !g->inside) {
            set_value(env, g, GD_NIL);
        }
    }
}

/* A name with a NUL in it cannot be had, so the text is the name. */
static void write_global(gd_env *env, gd_global *g) {
    const gd_env_binding *b = &env->binding;
    const char *name = g->name->text;
    g->inside = false;
    if (g->value.tag != GD_A_TENSOR) {
        if (b->forget) b->forget(b->user, name);
    } else if (b->bind) {
        g->inside = b->bind(b->user, name, gd_retain(g->value.u.tensor)) != GD_OK;
    }
}

void gd_env_write(gd_env *env) {
    bool bound = env->binding.get && env->binding.bind;
    for (size_t i = 0; i < env->nglobals; i++) {
        gd_global *g = &env->globals[i];
        if (g->written) write_global(env, g);
        /* What lives outside is not held here too, lest it outlive its name. */
        if (bound && g->value.tag == GD_A_TENSOR && !g->inside) set_value(env, g, GD_NIL);
    }
}

const char *gd_env_name_of(const gd_env *env, const gd_tensor *t) {
    const gd_env_binding *b = &env->binding;
    for (size_t i = 0; i < env->nglobals; i++) {
        const gd_global *g = &env->globals[i];
        if (g->value.tag == GD_A_TENSOR ? g->value.u.tensor == t : b->get && b->get(b->user, g->name->text) == t)
            return g->name->text;
    }
    return NULL;
}
