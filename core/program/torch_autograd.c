/* torch_autograd.c: torch.autograd.backward and grad, and the methods of tensors that are autograd's. */
#include "core/autograd/autograd.h"
#include "core/program/natives.h"

#include <limits.h>

/* ---- what both calls read -------------------------------------------------------------------- */

/* An int as PyTorch's engine reads its flags; None: `otherwise`. */
static bool flag_of(gd_vm *vm, gd_any v, bool otherwise, bool *out) {
    int64_t i = otherwise;
    if (!gd_is_none(v) && !gd_to_index(vm, v, &i)) return false;
    *out = i != 0;
    return true;
}

/* A tuple of what the caller gave for tensors, held. */
static gd_any tuple_of(gd_hold *hold, gd_any v) { return gd_hold_any(hold, gd_tuple_or_one(hold->vm, v)); }

static bool check_pair(gd_vm *vm, gd_any output, gd_any grad) {
    if (!gd_is_tensor(grad) && !gd_is_none(grad)) {
        gd_raise(vm, &gd_class_TypeError, "gradients can be either Tensors or None, but got %s", gd_type_name(grad));
        return false;
    }
    if (gd_is_tensor(output)) return true;
    if (gd_is_tensor(grad))
        gd_raise(vm, &gd_class_TypeError, "is_same_size(): argument 'input' (position 1) must be Tensor, not %s",
                 gd_type_name(output));
    else
        gd_raise(vm, &gd_class_AttributeError, "'%s' object has no attribute 'requires_grad'", gd_type_name(output));
    return false;
}

static bool check_inputs(gd_vm *vm, gd_any inputs) {
    for (size_t i = 0; i < gd_entries(inputs); i++) {
        if (gd_is_tensor(gd_entry(inputs, i))) continue;
        gd_raise(vm, &gd_class_RuntimeError, "all inputs have to be Tensors, but got %s",
                 gd_type_name(gd_entry(inputs, i)));
        return false;
    }
    return true;
}

/* Outputs with their gradients, and inputs, as the engine takes them. */
typedef struct operands {
    gd_tensor **outputs, **grads, **inputs; /* grads NULL: all implicit */
    int noutputs, ninputs;
} operands;

static bool count_of(gd_vm *vm, gd_any tuple, int *n) {
    size_t count = gd_entries(tuple);
    if (count > INT_MAX / 2) return gd_vm_no_memory(vm), false;
    *n = (int)count;
    return true;
}

static bool read_operands(gd_hold *hold, gd_any outputs, gd_any grads, gd_any inputs, operands *o) {
    gd_vm *vm = hold->vm;
    if (!gd_is_none(grads) && gd_is_nil(grads = tuple_of(hold, grads))) return false;
    size_t n = gd_entries(outputs), given = gd_is_none(grads) ? n : gd_entries(grads);
    for (size_t i = 0; i < n && i < given; i++)
        if (!check_pair(vm, gd_entry(outputs, i), gd_is_none(grads) ? grads : gd_entry(grads, i))) return false;
    if (n != given) {
        gd_raise(vm, &gd_class_RuntimeError, "got %zu tensors and %zu gradients", n, given);
        return false;
    }
    if (!check_inputs(vm, inputs)) return false;
    if (!count_of(vm, outputs, &o->noutputs) || !count_of(vm, inputs, &o->ninputs)) return false;
    o->outputs = gd_tensor_array(hold, outputs);
    o->inputs = gd_tensor_array(hold, inputs);
    o->grads = gd_is_none(grads) ? NULL : gd_tensor_array(hold, grads);
    return o->outputs && o->inputs && (gd_is_none(grads) || o->grads);
}

/* ---- backward -------------------------------------------------------------------------------- */

/* The inputs= of backward as a tuple; None gives an empty one. */
static gd_any backward_inputs(gd_hold *hold, gd_any inputs) {
    gd_vm *vm = hold->vm;
    if (gd_is_none(inputs)) return gd_hold_any(hold, gd_tuple_new(vm, &gd_class_tuple, 0));
    int64_t n = gd_length(vm, inputs);
    if (n < 0) return GD_NIL;
    if (n == 0) return gd_raise(vm, &gd_class_RuntimeError, "'inputs' argument to backward() cannot be empty.");
    return tuple_of(hold, inputs);
}

static bool backward_held(gd_hold *hold, gd_any tensors, gd_any grads, gd_any retain, gd_any create, gd_any given) {
    gd_vm *vm = hold->vm;
    operands o = {0};
    gd_any inputs = backward_inputs(hold, given);
    if (gd_is_nil(inputs)) return false;
    gd_any outputs = tuple_of(hold, tensors);
    if (gd_is_nil(outputs) || !read_operands(hold, outputs, grads, inputs, &o)) return false;
    gd_backward_options options = {0};
    if (!flag_of(vm, create, false, &options.create_graph)) return false;
    if (!flag_of(vm, retain, options.create_graph, &options.retain_graph)) return false;
    if (gd_backward(vm->ctx, o.outputs, o.noutputs, o.grads, o.ninputs ? o.inputs : NULL, o.ninputs, &options, NULL,
                    NULL) == GD_OK)
        return gd_vm_look(vm);
    gd_raise_engine(vm);
    return false;
}

static gd_any run_backward(gd_vm *vm, gd_any tensors, gd_any grads, gd_any retain, gd_any create, gd_any inputs) {
    gd_hold hold = {.vm = vm};
    bool done = backward_held(&hold, tensors, grads, retain, create, inputs);
    gd_hold_end(&hold);
    return done ? GD_ANY_NONE : GD_NIL;
}

static gd_any tensor_backward(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false},
                                         {"gradient", GD_ANY_NONE, false},
                                         {"retain_graph", GD_ANY_NONE, false},
                                         {"create_graph", GD_ANY_BOOL(false), false},
                                         {"inputs", GD_ANY_NONE, false}};
    gd_any v[5];
    if (!GD_BIND(vm, "Tensor.backward", wanted, args, v)) return GD_NIL;
    return run_backward(vm, v[0], v[1], v[2], v[3], v[4]);
}

static gd_any autograd_backward(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"tensors", GD_NIL, false},
                                         {"grad_tensors", GD_ANY_NONE, false},
                                         {"retain_graph", GD_ANY_NONE, false},
                                         {"create_graph", GD_ANY_BOOL(false), false},
                                         {"grad_variables", GD_ANY_NONE, false},
                                         {"inputs", GD_ANY_NONE, false}};
    gd_any v[6];
    if (!GD_BIND(vm, "backward", wanted, args, v)) return GD_NIL;
    if (!gd_is_none(v[4]) && !gd_is_none(v[1]))
        return gd_raise(vm, &gd_class_RuntimeError,
                        "'grad_tensors' and 'grad_variables' (deprecated) arguments both passed to backward(). Please "
                        "only use 'grad_tensors'.");
    return run_backward(vm, v[0], gd_is_none(v[1]) ? v[4] : v[1], v[2], v[3], v[5]);
}

/* ---- grad ------------------------------------------------------------------------------------ */

gd_any gd_gradients(gd_vm *vm, gd_any outputs, gd_any inputs, gd_any grads, const gd_backward_options *options) {
    gd_hold hold = {.vm = vm};
    operands o = {0};
    gd_any result = GD_NIL;
    if (read_operands(&hold, outputs, grads, inputs, &o)) {
        gd_tensor **out = gd_hold_bytes(&hold, (size_t)o.ninputs + 1, sizeof(gd_tensor *));
        if (out &&
            gd_autograd_grad(vm->ctx, o.outputs, o.noutputs, o.grads, o.inputs, o.ninputs, options, out) == GD_OK)
            result = gd_tensor_tuple(vm, out, (size_t)o.ninputs);
        else if (out)
            gd_raise_engine(vm);
    }
    gd_hold_end(&hold);
    if (gd_is_nil(result) || gd_vm_look(vm)) return result;
    gd_drop(gd_vm_heap(vm), result);
    return GD_NIL;
}

static bool grad_options(gd_vm *vm, const gd_any *v, gd_backward_options *options) {
    int unused = gd_truth(vm, v[6]), batched = unused < 0 ? -1 : gd_truth(vm, v[7]);
    if (batched < 0) return false;
    options->allow_unused = unused > 0;
    options->is_grads_batched = batched > 0;
    return flag_of(vm, v[4], false, &options->create_graph) &&
           flag_of(vm, v[3], options->create_graph, &options->retain_graph);
}

static gd_any autograd_grad(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"outputs", GD_NIL, false},
                                         {"inputs", GD_NIL, false},
                                         {"grad_outputs", GD_ANY_NONE, false},
                                         {"retain_graph", GD_ANY_NONE, false},
                                         {"create_graph", GD_ANY_BOOL(false), false},
                                         {"only_inputs", GD_ANY_BOOL(true), false},
                                         {"allow_unused", GD_ANY_BOOL(false), false},
                                         {"is_grads_batched", GD_ANY_BOOL(false), false}};
    gd_any v[8], result = GD_NIL;
    gd_backward_options options = {0};
    if (!GD_BIND(vm, "grad", wanted, args, v)) return GD_NIL;
    gd_hold hold = {.vm = vm};
    gd_any outputs = tuple_of(&hold, v[0]);
    gd_any inputs = gd_is_nil(outputs) ? GD_NIL : tuple_of(&hold, v[1]);
    if (!gd_is_nil(inputs) && grad_options(vm, v, &options)) result = gd_gradients(vm, outputs, inputs, v[2], &options);
    gd_hold_end(&hold);
    return result;
}

/* ---- hooks, retain_grad, requires_grad_, detach_ ---------------------------------------------- */

static gd_any tensor_register_hook(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}, {"hook", GD_NIL, false}};
    gd_any v[2];
    if (!GD_BIND(vm, "Tensor.register_hook", wanted, args, v)) return GD_NIL;
    return gd_hook_handle(vm, v[0].u.tensor, v[1]);
}

/* The errors of CPython for a method of C code that takes nothing. */
static bool takes_nothing(gd_vm *vm, const char *name, const gd_args *args) {
    if (args->nkw)
        gd_raise(vm, &gd_class_TypeError, "_TensorBase.%s() takes no keyword arguments", name);
    else if (args->npos > 1)
        gd_raise(vm, &gd_class_TypeError, "_TensorBase.%s() takes no arguments (%u given)", name, args->npos - 1);
    return !args->nkw && args->npos == 1;
}

static gd_any tensor_retain_grad(gd_vm *vm, const gd_args *args) {
    if (!takes_nothing(vm, "retain_grad", args)) return GD_NIL;
    return gd_retain_grad(vm->ctx, args->v[0].u.tensor) == GD_OK ? GD_ANY_NONE : gd_raise_engine(vm);
}

static gd_any tensor_detach_(gd_vm *vm, const gd_args *args) {
    if (!takes_nothing(vm, "detach_", args)) return GD_NIL;
    return gd_detach_inplace(vm->ctx, args->v[0].u.tensor) == GD_OK ? gd_keep(args->v[0]) : gd_raise_engine(vm);
}

static gd_any tensor_requires_grad_(gd_vm *vm, const gd_args *args) {
    gd_any flag = GD_ANY_BOOL(true);
    if (args->npos > 2)
        return gd_raise(vm, &gd_class_TypeError,
                        "requires_grad_() takes from 0 to 1 positional arguments but %u were given", args->npos - 1);
    for (uint32_t k = 0; k < args->nkw; k++) {
        if (!gd_str_is(args->names[k], "requires_grad"))
            return gd_raise(vm, &gd_class_TypeError, "requires_grad_() got an unexpected keyword argument '%s'",
                            args->names[k]->text);
        if (args->npos == 2)
            return gd_raise(vm, &gd_class_TypeError,
                            "requires_grad_() got multiple values for argument 'requires_grad'");
    }
    if (args->npos + args->nkw > 1) flag = args->v[1];
    if (flag.tag != GD_A_BOOL)
        return gd_raise(vm, &gd_class_TypeError, "requires_grad_(): argument 'requires_grad' %smust be bool, not %s",
                        args->npos == 2 ? "(position 1) " : "", gd_type_name(flag));
    if (gd_set_requires_grad(vm->ctx, args->v[0].u.tensor, flag.u.i != 0) != GD_OK) return gd_raise_engine(vm);
    return gd_keep(args->v[0]);
}

const gd_native gd_tensor_autograd_methods[] = {
    {"backward", tensor_backward, 0, -1, "*"},       {"register_hook", tensor_register_hook, 0, -1, "*"},
    {"retain_grad", tensor_retain_grad, 0, -1, "*"}, {"requires_grad_", tensor_requires_grad_, 0, -1, "*"},
    {"detach_", tensor_detach_, 0, -1, "*"},         {NULL, NULL, 0, 0, NULL},
};

/* ---- the module ------------------------------------------------------------------------------ */

/* torch.autograd.Variable(data, requires_grad=False): the same values as a leaf of their own. */
static gd_any variable(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"data", GD_ANY_NONE, false},
                                         {"requires_grad", GD_ANY_BOOL(false), false},
                                         {"volatile", GD_ANY_BOOL(false), false}};
    gd_any v[3];
    if (!GD_BIND(vm, "Variable", wanted, args, v)) return GD_NIL;
    if (!gd_is_tensor(v[0]))
        return gd_raise(vm, &gd_class_TypeError, "Variable data has to be a tensor, but got %s", gd_type_name(v[0]));
    int wants = gd_truth(vm, v[1]);
    if (wants < 0) return GD_NIL;
    gd_tensor *t = gd_data(vm->ctx, v[0].u.tensor);
    if (!t) return gd_raise_engine(vm);
    if (!wants || gd_set_requires_grad(vm->ctx, t, true) == GD_OK) return GD_ANY_TENSOR(t);
    gd_release(t);
    return gd_raise_engine(vm);
}

static const gd_native backward_native = {"backward", autograd_backward, 0, -1, "*"};
static const gd_native grad_native = {"grad", autograd_grad, 0, -1, "*"};
static const gd_native variable_native = {"Variable", variable, 0, -1, "*"};

const gd_member gd_members_autograd[] = {
    {"backward", GD_ANY_NATIVE(&backward_native)},
    {"grad", GD_ANY_NATIVE(&grad_native)},
    {"Variable", GD_ANY_NATIVE(&variable_native)},
    {"no_grad", GD_ANY_CLASS(&gd_class_no_grad)},
    {"enable_grad", GD_ANY_CLASS(&gd_class_enable_grad)},
    {"inference_mode", GD_ANY_CLASS(&gd_class_inference_mode)},
    {"set_grad_enabled", GD_ANY_CLASS(&gd_class_set_grad_enabled)},
    {"detect_anomaly", GD_ANY_CLASS(&gd_class_detect_anomaly)},
    {"set_detect_anomaly", GD_ANY_CLASS(&gd_class_set_detect_anomaly)},
    {"gradcheck", GD_ANY_NATIVE(&gd_native_gradcheck)},
    {"gradgradcheck", GD_ANY_NATIVE(&gd_native_gradgradcheck)},
    {NULL, GD_NIL},
};

const gd_member gd_members_autograd_graph[] = {
    {"Node", GD_ANY_CLASS(&gd_class_node)},
    {NULL, GD_NIL},
};
