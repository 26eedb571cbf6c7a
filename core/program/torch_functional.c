/* torch_functional.c: torch.autograd.functional: vjp, jvp, vhp, hvp. jacobian and hessian are in torch_jacobian.c; what
 * both share is in torch_functional.h.
 */
#include "core/program/torch_functional.h"

#include <stdio.h>

/* ---- inputs and outputs as tuples ------------------------------------------------------------ */

gd_any gd_fn_as_tuple(gd_fn *fn, gd_any v, const char *what, bool *is_tuple) {
    gd_vm *vm = fn->hold.vm;
    char type[128];
    *is_tuple = gd_is_tuple(v);
    gd_any tuple = gd_hold_any(&fn->hold, *is_tuple ? gd_keep(v) : gd_tuple_of(vm, 1, &v));
    for (size_t i = 0; !gd_is_nil(tuple) && i < gd_entries(tuple); i++) {
        gd_any entry = gd_entry(tuple, i);
        if (gd_is_tensor(entry)) continue;
        if (*is_tuple)
            return gd_raise(vm, &gd_class_TypeError,
                            "The %s given to %s must be either a Tensor or a tuple of Tensors but the value at index "
                            "%zu has type %s.",
                            what, fn->name, i, gd_type_text(entry, type));
        return gd_raise(
            vm, &gd_class_TypeError,
            "The %s given to %s must be either a Tensor or a tuple of Tensors but the given %s has type %s.", what,
            fn->name, what, gd_type_text(entry, type));
    }
    return tuple;
}

/* A tensor of its own for one input: behind the given one if its graph is wanted, else a leaf. */
static gd_tensor *fresh_input(gd_fn *fn, gd_tensor *t, bool create_graph, bool need_graph) {
    gd_ctx *ctx = fn->hold.vm->ctx;
    if (create_graph && gd_requires_grad(t))
        return gd_do(ctx, GD_OP_view_as, GD_VALUES(GD_TENSOR_VALUE(t), GD_TENSOR_VALUE(t)));
    gd_tensor *leaf = gd_detach(ctx, t);
    if (!leaf || gd_set_requires_grad(ctx, leaf, need_graph) == GD_OK) return leaf;
    gd_release(leaf);
    return NULL;
}

gd_any gd_fn_preprocess(gd_fn *fn, gd_any tuple, bool create_graph, bool need_graph) {
    gd_vm *vm = fn->hold.vm;
    size_t n = gd_entries(tuple);
    gd_any result = gd_hold_any(&fn->hold, gd_tuple_new(vm, &gd_class_tuple, n));
    for (size_t i = 0; !gd_is_nil(result) && i < n; i++) {
        gd_tensor *t = fresh_input(fn, gd_entry(tuple, i).u.tensor, create_graph, need_graph);
        if (!t) return gd_raise_engine(vm);
        ((gd_tuple *)result.u.object)->items[i] = GD_ANY_TENSOR(t);
    }
    return result;
}

gd_any gd_fn_detached(gd_fn *fn, gd_any tuple) {
    gd_vm *vm = fn->hold.vm;
    size_t n = gd_entries(tuple);
    if (!n) return gd_raise(vm, &gd_class_IndexError, "tuple index out of range");
    if (fn->create_graph) return tuple;
    gd_any result = gd_hold_any(&fn->hold, gd_tuple_new(vm, &gd_class_tuple, n));
    for (size_t i = 0; !gd_is_nil(result) && i < n; i++) {
        gd_tensor *t = gd_detach(vm->ctx, gd_entry(tuple, i).u.tensor);
        if (!t) return gd_raise_engine(vm);
        ((gd_tuple *)result.u.object)->items[i] = GD_ANY_TENSOR(t);
    }
    return result;
}

/* ---- strict mode ----------------------------------------------------------------------------- */

static gd_any independent(gd_vm *vm, gd_fn_check what, size_t i) {
    switch (what) {
    case GD_FN_OUTPUTS:
        return gd_raise(vm, &gd_class_RuntimeError,
                        "Output %zu of the user-provided function does not require gradients. The outputs must be "
                        "computed in a differentiable manner from the input when running in strict mode.",
                        i);
    case GD_FN_GRAD_INPUTS:
        return gd_raise(vm, &gd_class_RuntimeError,
                        "The gradient with respect to input %zu is independent of the inputs of the user-provided "
                        "function. This is not allowed in strict mode.",
                        i);
    case GD_FN_JACOBIAN:
        return gd_raise(vm, &gd_class_RuntimeError,
                        "While computing the hessian, found that the jacobian of the user-provided function with "
                        "respect to input %zu is independent of the input. This is not allowed in strict mode. You "
                        "should ensure that your function is twice differentiable and that the jacobian depends on "
                        "the inputs (this would be violated by a linear function for example).",
                        i);
    default:
        return gd_raise(vm, &gd_class_RuntimeError,
                        "The hessian of the user-provided function with respect to input %zu is independent of the "
                        "input. This is not allowed in strict mode. You should ensure that your function is thrice "
                        "differentiable and that the hessian depends on the inputs.",
                        i);
    }
}

bool gd_fn_check_grad(gd_fn *fn, gd_any tuple, gd_fn_check what, bool strict) {
    gd_vm *vm = fn->hold.vm;
    for (size_t i = 0; strict && i < gd_entries(tuple); i++) {
        gd_any entry = gd_entry(tuple, i);
        if (gd_is_none(entry)) {
            gd_raise(vm, &gd_class_RuntimeError,
                     "The output of the user-provided function is independent of input %zu. This is not allowed in "
                     "strict mode.",
                     i);
            return false;
        }
        if (!gd_requires_grad(entry.u.tensor)) return independent(vm, what, i), false;
    }
    return true;
}

/* ---- gradients ------------------------------------------------------------------------------- */

/* The entries of `tuple` (None: of None) whose output takes part. */
static gd_any chosen(gd_fn *fn, gd_any tuple, gd_any outputs, size_t n) {
    gd_any result = gd_hold_any(&fn->hold, gd_tuple_new(fn->hold.vm, &gd_class_tuple, n));
    for (size_t i = 0, at = 0; !gd_is_nil(result) && i < gd_entries(outputs); i++) {
        gd_any output = gd_entry(outputs, i);
        if (!gd_is_tensor(output) || !gd_requires_grad(output.u.tensor)) continue;
        ((gd_tuple *)result.u.object)->items[at++] = gd_keep(gd_is_none(tuple) ? tuple : gd_entry(tuple, i));
    }
    return result;
}

gd_any gd_fn_gradients(gd_fn *fn, gd_any outputs, gd_any inputs, gd_any grads, bool create_graph, bool retain_graph) {
    gd_vm *vm = fn->hold.vm;
    size_t n = 0;
    for (size_t i = 0; i < gd_entries(outputs); i++) {
        gd_any output = gd_entry(outputs, i);
        n += gd_is_tensor(output) && gd_requires_grad(output.u.tensor);
    }
    if (!n) return gd_hold_any(&fn->hold, gd_tuple_new(vm, &gd_class_tuple, gd_entries(inputs)));
    gd_any from = chosen(fn, outputs, outputs, n), with = gd_is_nil(from) ? from : chosen(fn, grads, outputs, n);
    if (gd_is_nil(with)) return with;
    gd_backward_options options = {
        .create_graph = create_graph, .retain_graph = retain_graph || create_graph, .allow_unused = true};
    return gd_hold_any(&fn->hold, gd_gradients(vm, from, inputs, with, &options));
}

/* Which backward a missing gradient was found in. */
typedef enum stage { BACK, BACK_TRICK, DOUBLE_BACK, DOUBLE_BACK_TRICK } stage;

static gd_any refuse_missing(gd_vm *vm, stage at, size_t i) {
    static const char *const texts[] = {
        "The output of the user-provided function is independent of input %zu. This is not allowed in strict mode.",
        "The gradient with respect to the input is independent of entry %zu in the grad_outputs when using the double "
        "backward trick to compute forward mode gradients. This is not allowed in strict mode.",
        "The jacobian of the user-provided function is independent of input %zu. This is not allowed in strict mode.",
        "The hessian of the user-provided function is independent of entry %zu in the grad_jacobian. This is not "
        "allowed in strict mode as it prevents from using the double backward trick to replace forward mode AD."};
    return gd_raise(vm, &gd_class_RuntimeError, texts[at], i);
}

static gd_any refuse_constant(gd_vm *vm, stage at, size_t i) {
    return gd_raise(vm, &gd_class_RuntimeError,
                    "The %s of the user-provided function is independent of input %zu. This is not allowed in strict "
                    "mode when create_graph=True.",
                    at >= DOUBLE_BACK ? "hessian" : "jacobian", i);
}

/* Zeros where there is no gradient; strict mode refuses those. */
static gd_any fill_zeros(gd_fn *fn, gd_any grads, gd_any refs, stage at) {
    gd_vm *vm = fn->hold.vm;
    size_t n = gd_is_nil(grads) ? 0 : gd_entries(grads);
    gd_any result = gd_is_nil(grads) ? grads : gd_hold_any(&fn->hold, gd_tuple_new(vm, &gd_class_tuple, n));
    for (size_t i = 0; !gd_is_nil(result) && i < n; i++) {
        gd_any grad = gd_entry(grads, i);
        if (gd_is_none(grad) && fn->strict) return refuse_missing(vm, at, i);
        if (!gd_is_none(grad) && fn->strict && fn->create_graph && !gd_requires_grad(grad.u.tensor))
            return refuse_constant(vm, at, i);
        gd_tensor *t = gd_is_none(grad)
                           ? gd_do(vm->ctx, GD_OP_zeros_like, GD_VALUES(GD_TENSOR_VALUE(gd_entry(refs, i).u.tensor)))
                           : gd_retain(grad.u.tensor);
        if (!t) return gd_raise_engine(vm);
        ((gd_tuple *)result.u.object)->items[i] = GD_ANY_TENSOR(t);
    }
    return result;
}

/* ---- the vector v ---------------------------------------------------------------------------- */

static bool check_sizes(gd_fn *fn, gd_any v, gd_any other, bool is_tuple) {
    for (size_t i = 0; i < gd_entries(other); i++) {
        const gd_tensor *a = gd_entry(v, i).u.tensor, *b = gd_entry(other, i).u.tensor;
        char got[256], want[256], entry[48] = "";
        if (gd_same_shape(a, b)) continue;
        if (is_tuple) snprintf(entry, sizeof entry, "Entry %zu in ", i);
        gd_raise(fn->hold.vm, &gd_class_RuntimeError,
                 "%sv has invalid size: should be torch.Size(%s) but got torch.Size(%s).", entry,
                 gd_shape_text(want, sizeof want, b->ndim, b->sizes),
                 gd_shape_text(got, sizeof got, a->ndim, a->sizes));
        return false;
    }
    return true;
}

static bool check_v(gd_fn *fn, gd_any v, gd_any other, bool is_tuple) {
    gd_vm *vm = fn->hold.vm;
    if (gd_entries(v) == gd_entries(other)) return check_sizes(fn, v, other, is_tuple);
    if (is_tuple)
        gd_raise(vm, &gd_class_RuntimeError, "v is a tuple of invalid length: should be %zu but got %zu.",
                 gd_entries(other), gd_entries(v));
    else
        gd_raise(vm, &gd_class_RuntimeError, "The given v should contain a single Tensor.");
    return false;
}

static bool single_element(gd_any tuple) { return gd_entries(tuple) == 1 && gd_entry(tuple, 0).u.tensor->numel == 1; }

/* Reads fn->v against what it is multiplied with; None is for a single element only. */
static bool take_v(gd_fn *fn, gd_any other, bool is_tuple, const char *none_text) {
    bool v_tuple;
    if (gd_is_none(fn->v)) {
        if (single_element(other)) return true;
        gd_raise(fn->hold.vm, &gd_class_RuntimeError, "%s", none_text);
        return false;
    }
    fn->v = gd_fn_as_tuple(fn, fn->v, "v", &v_tuple);
    if (!gd_is_nil(fn->v)) fn->v = gd_fn_preprocess(fn, fn->v, fn->create_graph, false);
    return !gd_is_nil(fn->v) && check_v(fn, fn->v, other, is_tuple);
}

#define NEEDS_V_OUTPUT                                                                                                 \
    "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
#define NEEDS_V_INPUT                                                                                                  \
    "The vector v can only be None if the input to the user-provided function is a single Tensor with a single "       \
    "element."

/* ---- the four products ----------------------------------------------------------------------- */

static bool take_inputs(gd_fn *fn) {
    fn->inputs = gd_fn_as_tuple(fn, fn->inputs, "inputs", &fn->inputs_tuple);
    if (!gd_is_nil(fn->inputs)) fn->inputs = gd_fn_preprocess(fn, fn->inputs, fn->create_graph, true);
    return !gd_is_nil(fn->inputs);
}

static bool take_outputs(gd_fn *fn) {
    gd_any outputs = gd_hold_any(&fn->hold, gd_call_tuple(fn->hold.vm, fn->f, fn->inputs));
    if (gd_is_nil(outputs)) return false;
    fn->outputs = gd_fn_as_tuple(fn, outputs, GD_FN_OUTPUTS_TEXT, &fn->outputs_tuple);
    return !gd_is_nil(fn->outputs) && gd_fn_check_grad(fn, fn->outputs, GD_FN_OUTPUTS, fn->strict);
}

/* Zeros that the gradient of a gradient is linear in: the double backward trick. */
static gd_any trick_zeros(gd_fn *fn, gd_any like) {
    gd_vm *vm = fn->hold.vm;
    size_t n = gd_entries(like);
    gd_any result = gd_hold_any(&fn->hold, gd_tuple_new(vm, &gd_class_tuple, n));
    for (size_t i = 0; !gd_is_nil(result) && i < n; i++) {
        gd_tensor *t =
            gd_do(vm->ctx, GD_OP_zeros_like,
                  GD_VALUES(GD_TENSOR_VALUE(gd_entry(like, i).u.tensor), GD_NONE_VALUE, GD_BOOL_VALUE(true)));
        if (!t) return gd_raise_engine(vm);
        ((gd_tuple *)result.u.object)->items[i] = GD_ANY_TENSOR(t);
    }
    return result;
}

/* Each answers the product as a tuple, held; grad mode is on until the last gradient, whose mode is the caller's. */
static gd_any vjp(gd_fn *fn) {
    if (!take_inputs(fn) || !take_outputs(fn) || !take_v(fn, fn->outputs, fn->outputs_tuple, NEEDS_V_OUTPUT))
        return GD_NIL;
    gd_grad_mode_set(fn->hold.vm->ctx, fn->create_graph || fn->grad_mode);
    gd_any grads = gd_fn_gradients(fn, fn->outputs, fn->inputs, fn->v, fn->create_graph, false);
    return fill_zeros(fn, grads, fn->inputs, BACK);
}

static gd_any jvp(gd_fn *fn) {
    if (!take_inputs(fn) || !take_v(fn, fn->inputs, fn->inputs_tuple, NEEDS_V_INPUT) || !take_outputs(fn))
        return GD_NIL;
    gd_any zeros = trick_zeros(fn, fn->outputs);
    if (gd_is_nil(zeros)) return GD_NIL;
    gd_any through = gd_fn_gradients(fn, fn->outputs, fn->inputs, zeros, true, false);
    if (gd_is_nil(through) || !gd_fn_check_grad(fn, through, GD_FN_GRAD_INPUTS, fn->strict)) return GD_NIL;
    gd_grad_mode_set(fn->hold.vm->ctx, fn->create_graph || fn->grad_mode);
    gd_any grads = gd_fn_gradients(fn, through, zeros, fn->v, fn->create_graph, false);
    return fill_zeros(fn, grads, fn->outputs, BACK_TRICK);
}

/* What vhp and hvp begin with: the gradient, recorded. */
static gd_any recorded_gradient(gd_fn *fn) {
    gd_vm *vm = fn->hold.vm;
    if (!take_inputs(fn) || !take_v(fn, fn->inputs, fn->inputs_tuple, NEEDS_V_INPUT) || !take_outputs(fn))
        return GD_NIL;
    if (fn->outputs_tuple)
        return gd_raise(vm, &gd_class_RuntimeError, "The function given to %s should return a single Tensor", fn->name);
    if (!single_element(fn->outputs))
        return gd_raise(vm, &gd_class_RuntimeError,
                        "The Tensor returned by the function given to %s should contain a single element", fn->name);
    gd_any jac = gd_fn_gradients(fn, fn->outputs, fn->inputs, GD_ANY_NONE, true, false);
    return gd_is_nil(jac) || gd_fn_check_grad(fn, jac, GD_FN_JACOBIAN, fn->strict) ? jac : GD_NIL;
}

static gd_any vhp(gd_fn *fn) {
    gd_any jac = recorded_gradient(fn);
    if (gd_is_nil(jac)) return jac;
    gd_grad_mode_set(fn->hold.vm->ctx, fn->create_graph || fn->grad_mode);
    gd_any grads = gd_fn_gradients(fn, jac, fn->inputs, fn->v, fn->create_graph, false);
    return fill_zeros(fn, grads, fn->inputs, DOUBLE_BACK);
}

static gd_any hvp(gd_fn *fn) {
    gd_any jac = recorded_gradient(fn), zeros = gd_is_nil(jac) ? jac : trick_zeros(fn, fn->inputs);
    if (gd_is_nil(zeros)) return zeros;
    gd_any twice = gd_fn_gradients(fn, jac, fn->inputs, zeros, true, false);
    if (gd_is_nil(twice) || !gd_fn_check_grad(fn, jac, GD_FN_HESSIAN, fn->strict)) return GD_NIL;
    gd_grad_mode_set(fn->hold.vm->ctx, fn->create_graph || fn->grad_mode);
    gd_any grads = gd_fn_gradients(fn, twice, zeros, fn->v, fn->create_graph, false);
    return fill_zeros(fn, grads, fn->inputs, DOUBLE_BACK_TRICK);
}

/* ---- calls ----------------------------------------------------------------------------------- */

bool gd_fn_flag(gd_vm *vm, gd_any v, bool *out) {
    int truth = gd_truth(vm, v);
    *out = truth > 0;
    return truth >= 0;
}

gd_any gd_fn_unpacked(gd_any tuple, bool is_tuple) { return gd_keep(is_tuple ? tuple : gd_entry(tuple, 0)); }

/* (outputs, product), detached unless the graph is wanted. */
static gd_any pair_of(gd_fn *fn, gd_any product, bool product_tuple) {
    gd_any outputs = gd_fn_detached(fn, fn->outputs);
    if (!gd_is_nil(outputs)) product = gd_fn_detached(fn, product);
    if (gd_is_nil(outputs) || gd_is_nil(product)) return GD_NIL;
    gd_any both[2] = {gd_fn_unpacked(outputs, fn->outputs_tuple), gd_fn_unpacked(product, product_tuple)};
    gd_any pair = gd_tuple_of(fn->hold.vm, 2, both);
    gd_drop(gd_vm_heap(fn->hold.vm), both[0]);
    gd_drop(gd_vm_heap(fn->hold.vm), both[1]);
    return pair;
}

/* Grad mode is put back before the answer is made. */
static void run_product(gd_fn *fn, gd_any (*product)(gd_fn *fn), gd_any *result) {
    gd_ctx *ctx = fn->hold.vm->ctx;
    gd_grad_mode mode = ctx->mode;
    fn->grad_mode = mode == GD_MODE_GRAD;
    gd_grad_mode_set(ctx, true);
    gd_any tuple = product(fn);
    ctx->mode = mode;
    *result = gd_is_nil(tuple) ? tuple : pair_of(fn, tuple, product == jvp ? fn->outputs_tuple : fn->inputs_tuple);
    gd_hold_end(&fn->hold);
}

static gd_any product_call(gd_vm *vm, const char *name, gd_any (*product)(gd_fn *fn), const gd_args *args) {
    static const gd_argument wanted[] = {{"func", GD_NIL, false},
                                         {"inputs", GD_NIL, false},
                                         {"v", GD_ANY_NONE, false},
                                         {"create_graph", GD_ANY_BOOL(false), false},
                                         {"strict", GD_ANY_BOOL(false), false}};
    gd_any v[5], result = GD_NIL;
    gd_fn fn = {.hold = {.vm = vm}, .name = name};
    if (!GD_BIND(vm, name, wanted, args, v) || !gd_fn_flag(vm, v[3], &fn.create_graph) ||
        !gd_fn_flag(vm, v[4], &fn.strict) || !gd_deeper(vm))
        return GD_NIL;
    fn.f = v[0];
    fn.inputs = v[1];
    fn.v = v[2];
    run_product(&fn, product, &result);
    gd_shallower(vm);
    return result;
}

static gd_any call_vjp(gd_vm *vm, const gd_args *args) { return product_call(vm, "vjp", vjp, args); }
static gd_any call_jvp(gd_vm *vm, const gd_args *args) { return product_call(vm, "jvp", jvp, args); }
static gd_any call_vhp(gd_vm *vm, const gd_args *args) { return product_call(vm, "vhp", vhp, args); }
static gd_any call_hvp(gd_vm *vm, const gd_args *args) { return product_call(vm, "hvp", hvp, args); }

static const gd_native vjp_native = {"vjp", call_vjp, 0, -1, "*"};
static const gd_native jvp_native = {"jvp", call_jvp, 0, -1, "*"};
static const gd_native vhp_native = {"vhp", call_vhp, 0, -1, "*"};
static const gd_native hvp_native = {"hvp", call_hvp, 0, -1, "*"};

const gd_member gd_members_autograd_functional[] = {
    {"vjp", GD_ANY_NATIVE(&vjp_native)},
    {"jvp", GD_ANY_NATIVE(&jvp_native)},
    {"vhp", GD_ANY_NATIVE(&vhp_native)},
    {"hvp", GD_ANY_NATIVE(&hvp_native)},
    {"jacobian", GD_ANY_NATIVE(&gd_native_jacobian)},
    {"hessian", GD_ANY_NATIVE(&gd_native_hessian)},
    {NULL, GD_NIL},
};
