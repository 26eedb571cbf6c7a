/* torch_functional.h: what the functions of torch.autograd.functional share. See torch_functional.c. */
#ifndef GD_TORCH_FUNCTIONAL_H
#define GD_TORCH_FUNCTIONAL_H

#include "core/program/natives.h"

/* One call. All values are tuples of tensors once read, and held. */
typedef struct gd_fn {
    gd_hold hold;
    const char *name; /* in errors: "vjp" */
    gd_any f, inputs, outputs, v;
    bool inputs_tuple, outputs_tuple; /* the caller's were tuples */
    bool create_graph, strict;
    bool grad_mode; /* the caller's */
} gd_fn;

#define GD_FN_OUTPUTS_TEXT "outputs of the user-provided function"
typedef enum gd_fn_check { GD_FN_OUTPUTS, GD_FN_GRAD_INPUTS, GD_FN_JACOBIAN, GD_FN_HESSIAN } gd_fn_check;

/* All answer held values; GD_NIL or false with an exception. */
gd_any gd_fn_as_tuple(gd_fn *fn, gd_any v, const char *what, bool *is_tuple);
gd_any gd_fn_preprocess(gd_fn *fn, gd_any tuple, bool create_graph, bool need_graph);
gd_any gd_fn_detached(gd_fn *fn, gd_any tuple); /* unless the graph is wanted */
bool gd_fn_check_grad(gd_fn *fn, gd_any tuple, gd_fn_check what, bool strict);
/* autograd.grad that passes over outputs without a graph; None for inputs that none of them uses. */
gd_any gd_fn_gradients(gd_fn *fn, gd_any outputs, gd_any inputs, gd_any grads, bool create_graph, bool retain_graph);
bool gd_fn_flag(gd_vm *vm, gd_any v, bool *out);
gd_any gd_fn_unpacked(gd_any tuple, bool is_tuple); /* a new reference to the tuple, or to its only entry */

extern const gd_native gd_native_jacobian, gd_native_hessian; /* torch_jacobian.c */

#endif
