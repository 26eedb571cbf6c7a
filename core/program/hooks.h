/* hooks.h: what ties a program's function to a hook of the engine; for hooks.c (hooks on tensors) and node_hooks.c. */
#ifndef GD_PROGRAM_HOOKS_H
#define GD_PROGRAM_HOOKS_H

#include "core/autograd/autograd.h"
#include "core/program/vm.h"

typedef struct gd_hook_tie {
    uint32_t refs; /* the engine's hook, the handle object */
    struct gd_env_hook *live;
    gd_hook *hook;           /* on a tensor, or NULL */
    gd_node_hook *node_hook; /* on a node, or NULL */
} gd_hook_tie;

/* In the environment's list, and in its memory. */
struct gd_env_hook {
    struct gd_env_hook *prev, *next;
    gd_env *env;
    gd_any f;
    gd_program_limits limits;
    gd_hook_tie *tie;
};

typedef struct gd_removable_handle {
    gd_object head;
    gd_hook_tie *tie;
    int64_t id;
} gd_removable_handle;

/* A function in the environment's list, with a tie that one reference is held of. NULL with the context's error. */
struct gd_env_hook *gd_hook_live(gd_env *env, gd_any f, const gd_program_limits *limits);
/* The engine's hook (its `user` is the tie) went, or was removed. */
void gd_hook_gone(void *user);
/* node.register_hook(f), or register_prehook(f) if `before`: a handle. node_hooks.c */
gd_any gd_node_hook_handle(gd_vm *vm, gd_node *node, gd_any f, bool before);

#endif
