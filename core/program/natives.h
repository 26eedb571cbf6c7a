/* natives.h: what built-ins written in C share: binding arguments as Python binds them, holding temporaries, and
 * formulas over tensors. For the files of core/program.
 *
 * A built-in whose gd_native takes anything (least 0, most -1, keywords "*") binds with gd_bind_arguments and so gives
 * Python's own errors for positions, names and defaults.
 */
#ifndef GD_NATIVES_H
#define GD_NATIVES_H

#include "core/program/vm.h"

/* ---- arguments -----------------------------------------------------------------------------------------------------
 */

/* One parameter of a built-in. Those that must be given (default NIL) come first, keyword-only ones last. */
typedef struct gd_argument {
    const char *name;
    gd_any value; /* default, immediate; NIL: must be given */
    bool keyword_only;
} gd_argument;
#define GD_MOST_ARGUMENTS 20

/* Fills out[0..n) (borrowed) as a call of `def function(…)` would, or false with Python's TypeError. `function` is the
 * name in errors, "Tensor.backward". */
bool gd_bind_arguments(gd_vm *vm, const char *function, const gd_argument *wanted, int n, const gd_args *args,
                       gd_any *out);
#define GD_BIND(vm, function, wanted, args, out)                                                                       \
    gd_bind_arguments((vm), (function), (wanted), (int)(sizeof(wanted) / sizeof((wanted)[0])), (args), (out))

/* ---- temporaries ---------------------------------------------------------------------------------------------------
 */

/* Values that one built-in holds until it ends. Zero-initialise with the vm; gd_hold_end releases. */
typedef struct gd_hold {
    gd_vm *vm;
    gd_any *items;
    size_t n, capacity;
    struct gd_hold_block *blocks;
} gd_hold;

/* Takes v and returns it borrowed until the end; GD_NIL passes through, and is what a failure gives. */
gd_any gd_hold_any(gd_hold *hold, gd_any v);
/* The same for a new tensor; NULL makes what the engine says pending. */
gd_tensor *gd_hold_tensor(gd_hold *hold, gd_tensor *t);
/* Zeroed memory for count things of `bytes` until the end. */
void *gd_hold_bytes(gd_hold *hold, size_t count, size_t bytes);
/* Releases the values held since there were `mark` (hold->n). */
void gd_hold_back(gd_hold *hold, size_t mark);
void gd_hold_end(gd_hold *hold);

/* ---- formulas: each result is held; a NULL operand gives NULL, so a formula is checked once, at its end ---- */
gd_tensor *gd_formula(gd_hold *hold, gd_op_id id, const gd_value *args, int nargs);
/* In place on args[0]; answers it. */
gd_tensor *gd_formula_inplace(gd_hold *hold, gd_op_id id, const gd_value *args, int nargs);
#define GD_VALUES(...)                                                                                                 \
    (const gd_value[]){__VA_ARGS__}, (int)(sizeof((const gd_value[]){__VA_ARGS__}) / sizeof(gd_value))
#define GD_DO(hold, id, ...) gd_formula((hold), GD_OP_##id, GD_VALUES(__VA_ARGS__))
#define GD_DO_(hold, id, ...) gd_formula_inplace((hold), GD_OP_##id, GD_VALUES(__VA_ARGS__))
/* A Python float as operand: a wrapped number, which does not promote. */
gd_tensor *gd_wrapped(gd_hold *hold, double v);

/* ---- reading values ------------------------------------------------------------------------------------------------
 */

static inline bool gd_is_tensor(gd_any v) { return v.tag == GD_A_TENSOR; }
static inline gd_any gd_any_of(gd_tensor *t) { return GD_ANY_TENSOR(gd_retain(t)); } /* a new reference */
const char *gd_type_name(gd_any v);                                                  /* type(v).__name__ */
/* str(type(v)) without its brackets' address: "<class 'int'>". Into buf. */
const char *gd_type_text(gd_any v, char buf[128]);
/* A tuple of v's items; a tensor gives a tuple of itself alone. New. */
gd_any gd_tuple_or_one(gd_vm *vm, gd_any v);
/* Entry i of a tuple or list that is known to be one. */
gd_any gd_entry(gd_any sequence, size_t i);
size_t gd_entries(gd_any sequence);
/* The tensors of a tuple as an array that `hold` keeps; what is no tensor is NULL. NULL: pending. */
gd_tensor **gd_tensor_array(gd_hold *hold, gd_any tuple);
/* A new tuple of n tensors, which it takes; NULL becomes None. */
gd_any gd_tensor_tuple(gd_vm *vm, gd_tensor *const *tensors, size_t n);
/* The rest of a constructor's arguments behind self, which Python counts: binds as gd_bind_arguments does, with self as
 * the first of `wanted`. */
bool gd_bind_init(gd_vm *vm, const char *function, const gd_argument *wanted, int n, const gd_args *args, gd_any *out);
/* f(*args) with the entries of a tuple. */
gd_any gd_call_tuple(gd_vm *vm, gd_any f, gd_any args);

/* ---- grad mode: torch_modes.c ---- */
/* torch.set_grad_enabled(enabled); within inference mode there is nothing to switch. */
void gd_grad_mode_set(gd_ctx *ctx, bool enabled);

/* ---- torch_autograd.c, torch_anomaly.c, torch_gradcheck.c ---- */
/* torch.autograd.grad over tuples of tensors; grads is a tuple with entries that may be None, or None. A tuple. */
gd_any gd_gradients(gd_vm *vm, gd_any outputs, gd_any inputs, gd_any grads, const gd_backward_options *options);
extern const gd_class gd_class_detect_anomaly, gd_class_set_detect_anomaly;
extern const gd_native gd_native_is_anomaly_enabled, gd_native_is_anomaly_check_nan_enabled;
extern const gd_native gd_native_gradcheck, gd_native_gradgradcheck;

extern const gd_class gd_class_optimizer, gd_class_removable_handle;
/* register_hook: a handle object for f as hook of t. hooks.c */
gd_any gd_hook_handle(gd_vm *vm, gd_tensor *t, gd_any f);

#endif
