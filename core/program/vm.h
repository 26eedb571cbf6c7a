/* vm.h: compiled programs and the machine that runs them. For the files of core/program; the public face is program.h.
 *
 * compile.c turns a tree into gd_code objects (bytecode of its own making, see code.h); vm.c runs frames. Calls between
 * program functions do not use the C stack. Built-ins that call back (sorted's key, hooks, jacobian) use gd_call_any,
 * which nests and is bounded by gd_deeper().
 */
#ifndef GD_PROGRAM_VM_H
#define GD_PROGRAM_VM_H

#include "core/program/program.h"
#include "core/program/value.h"

/* One name of the environment's global namespace. Compiled code refers to it by index, for the environment's life. */
typedef struct gd_global {
    gd_str *name;
    gd_any value;   /* NIL: not bound */
    gd_any builtin; /* what the name means where it is not bound, or NIL */
    bool written;   /* by the running program */
    bool inside;    /* a tensor that could not be bound outside: it lives here */
} gd_global;

struct gd_env {
    gd_ctx *ctx;
    gd_heap *heap;
    gd_global *globals;
    size_t nglobals, globals_capacity;
    gd_any global_index; /* dict: name -> index */
    gd_any modules;      /* dict: imported modules */
    gd_any builtins;     /* dict: name -> value, filled by gd_builtins_fill */
    gd_env_binding binding;
    struct gd_env_hook *hooks; /* program functions registered as hooks; hooks.c */
    struct gd_vm *running;     /* the vm of the run under way, for hooks; NULL between runs */
};

struct gd_vm {
    gd_env *env;
    gd_ctx *ctx;      /* env's */
    gd_any exception; /* pending gd_exception, or NIL */
    gd_limit passed;  /* GD_LIMIT_NONE, or the limit that ends the run; then nothing catches it */
    uint64_t steps;   /* left */
    uint64_t fuse;    /* steps until the clock and the stop flag are looked at */
    double deadline;  /* monotonic seconds */
    uint32_t native_depth, frame_depth;
    const gd_program_options *options;
    gd_buffer out;                  /* what print wrote; bounded by the limit "output" */
    struct gd_frame_ *frame;        /* innermost, for positions of errors */
    struct gd_frame_block *blocks;  /* memory of frames, newest first; frame.c */
    size_t written;                 /* bytes that print gave */
    struct gd_bytecode *limit_code; /* where the limit was passed, if `passed`; a reference */
    gd_at limit_at;
};

/* vm_limits.c: what a run may use up. */
void gd_vm_begin(gd_vm *vm, gd_env *env, const gd_program_options *options); /* zeroes and fills *vm */
void gd_vm_end(gd_vm *vm); /* gives up what it holds but `out` and the exception */
/* function.c: what programs define. */
extern const gd_class gd_class_function, gd_class_cell, gd_class_genexpr, gd_class_bytecode;
/* vm_call.c: calls a built-in after counting its arguments. */
gd_any gd_native_call(gd_vm *vm, const gd_native *native, const gd_args *args);

/* print's way out: false if the limit "output" was passed. */
bool gd_vm_print(gd_vm *vm, const char *text, size_t bytes);
/* A limit was passed: ends the run (not catchable). Returns GD_NIL. */
gd_any gd_vm_limit(gd_vm *vm, gd_limit limit);
/* Looks at the clock and the stop flag now, for what takes long and counts as few steps. False: the run ends. */
bool gd_vm_look(gd_vm *vm);
void gd_builtins_fill(gd_vm *vm, gd_dict *into); /* builtins.c: print, len, int, ValueError … */
/* A user function's name ("<lambda>") and docstring, for hooks and errors; NULL for what has none. */
const char *gd_callable_name(gd_any f);

/* f(arg) from C: inside a run in its vm; outside (a backward over HTTP calls a hook) in a vm of its own with `limits`.
 * GD_NIL on failure: the context's error is set (type and text as "TypeError: …" where the engine has no code of its
 * own), and in a run the exception stays pending too. vm.c */
gd_any gd_env_call(gd_env *env, gd_any f, gd_any arg, const gd_program_limits *limits);
/* Registers f as hook of t (register_hook); the hook may outlive the environment, and then does nothing. hooks.c */
GD_MUST_CHECK gd_code gd_env_hook_tensor(gd_env *env, gd_tensor *t, gd_any f, const gd_program_limits *limits,
                                         uint64_t *handle);
void gd_env_hooks_close(gd_env *env); /* when the environment goes */

/* ---- torch_modes.c: the contexts and decorators (A), torch.no_grad() … ---- */
extern const gd_class gd_class_no_grad, gd_class_enable_grad, gd_class_inference_mode, gd_class_set_grad_enabled;
/* Methods and properties of tensors that are autograd's: backward, register_hook, retain_grad. Native tables, ended by
 * a NULL name, which gd_tensor_method searches first. torch_autograd.c */
extern const gd_native gd_tensor_autograd_methods[];
/* Members of "torch.nn.utils", "torch.autograd.gradcheck", "torch.autograd.grad_mode". */
extern const gd_member gd_members_nn_utils[], gd_members_gradcheck[], gd_members_grad_mode[], gd_members_cuda[];

/* ---- torch_ops.c: ops as functions ---- */
/* Where a call site remembers how its last arguments were bound, so that the next call of the same kinds needs no
 * binding. Zero-initialised by the compiler, one a call or operator instruction; a hint only. */
typedef struct gd_op_cache {
    const gd_opfn *op;
    uint64_t kinds;
    int row;
    uint32_t state;
} gd_op_cache;
/* Calls an op: args as the program wrote them (as a method: self first). cache may be NULL. */
gd_any gd_op_invoke(gd_vm *vm, const gd_opfn *op, const gd_args *args, gd_op_cache *cache);
/* The method of tensors called `name` as an op or native (GD_A_OP, GD_A_NATIVE), the same for all tensors, so a call
 * site may remember it; GD_NIL without exception: a property, or nothing. */
gd_any gd_tensor_method(gd_str *name);
/* a op b, at least one a tensor, the other a tensor or number; GD_PY_ADD …, comparisons too. */
gd_any gd_tensor_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place);
gd_any gd_tensor_unary(gd_vm *vm, gd_ast_op op, gd_tensor *t);

#endif
