/* torch_jacobian.c: torch.autograd.functional.jacobian and hessian. */
#include "core/program/torch_functional.h"

#include <string.h>

/* What is differentiated: a program's function, or the gradient of one for the hessian. */
typedef struct target {
    gd_any (*call)(gd_vm *vm, const struct target *self, gd_any inputs); /* new */
    gd_any f;
    bool strict;
} target;

typedef struct jacobian_flags {
    bool create_graph, strict, vectorize;
    gd_any strategy; /* a str, or anything that is refused */
} jacobian_flags;

/* ---- one output ------------------------------------------------------------------------------ */

/* The rows of one output: for each input, one gradient an element. */
typedef struct rows {
    gd_fn *fn;
    gd_tensor *output;
    size_t index; /* of the output */
    size_t ninputs, n;
    gd_tensor **cells; /* [input][element], owned by the hold */
} rows;

static gd_any element(gd_hold *hold, gd_tensor *output, int64_t j) {
    const int64_t flat = -1;
    gd_tensor *t = GD_DO(hold, reshape, GD_TENSOR_VALUE(output), GD_INTS_VALUE(&flat, 1));
    if (t) t = GD_DO(hold, select, GD_TENSOR_VALUE(t), GD_INT_VALUE(0), GD_INT_VALUE(j));
    return t ? gd_hold_any(hold, gd_tuple_of(hold->vm, 1, &GD_ANY_TENSOR(t))) : GD_NIL;
}

static gd_tensor *cell(const rows *r, gd_any grad, size_t input) {
    gd_fn *fn = r->fn;
    gd_vm *vm = fn->hold.vm;
    if (gd_is_none(grad)) {
        if (!fn->strict)
            return gd_hold_tensor(&fn->hold, gd_do(vm->ctx, GD_OP_zeros_like,
                                                   GD_VALUES(GD_TENSOR_VALUE(gd_entry(fn->inputs, input).u.tensor))));
        gd_raise(vm, &gd_class_RuntimeError,
                 "Output %zu of the user-provided function is independent of input %zu. This is not allowed in strict "
                 "mode.",
                 r->index, input);
        return NULL;
    }
    if (!fn->strict || !fn->create_graph || gd_requires_grad(grad.u.tensor))
        return gd_hold_tensor(&fn->hold, gd_retain(grad.u.tensor));
    gd_raise(vm, &gd_class_RuntimeError,
             "The jacobian of the user-provided function is independent of input %zu. This is not allowed in strict "
             "mode when create_graph=True.",
             r->index);
    return NULL;
}

static bool fill_row(const rows *r, int64_t j) {
    gd_fn inner = *r->fn; /* with temporaries of this row alone */
    inner.hold = (gd_hold){.vm = r->fn->hold.vm};
    gd_any from = gd_work(inner.hold.vm, 4) ? element(&inner.hold, r->output, j) : GD_NIL;
    gd_any grads =
        gd_is_nil(from) ? from : gd_fn_gradients(&inner, from, r->fn->inputs, GD_ANY_NONE, r->fn->create_graph, true);
    bool done = !gd_is_nil(grads);
    for (size_t i = 0; done && i < r->ninputs; i++) {
        r->cells[i * r->n + (size_t)j] = cell(r, gd_entry(grads, i), i);
        done = r->cells[i * r->n + (size_t)j] != NULL;
    }
    gd_hold_end(&inner.hold);
    return done;
}

/* The rows for one input as a tensor of shape output.shape + input.shape. */
static gd_tensor *stacked(const rows *r, size_t input) {
    gd_hold *hold = &r->fn->hold;
    const gd_tensor *in = gd_entry(r->fn->inputs, input).u.tensor;
    int64_t sizes[2 * GD_MAX_DIMS];
    memcpy(sizes, r->output->sizes, r->output->ndim * sizeof *sizes);
    memcpy(sizes + r->output->ndim, in->sizes, in->ndim * sizeof *sizes);
    const gd_value list = {.kind = GD_V_TENSORS, .n = (uint32_t)r->n, .u.tensors = r->cells + input * r->n};
    gd_tensor *all = GD_DO(hold, stack, list, GD_INT_VALUE(0));
    return all ? GD_DO(hold, view, GD_TENSOR_VALUE(all), GD_INTS_VALUE(sizes, r->output->ndim + in->ndim)) : NULL;
}

/* A tuple of one tensor an input. */
static gd_any jacobian_of_output(gd_fn *fn, size_t index) {
    size_t cells;
    gd_vm *vm = fn->hold.vm;
    rows r = {
        .fn = fn, .output = gd_entry(fn->outputs, index).u.tensor, .index = index, .ninputs = gd_entries(fn->inputs)};
    r.n = (size_t)r.output->numel;
    if (r.n > UINT32_MAX || !gd_mul_size(r.n + 1, r.ninputs, &cells)) return gd_vm_no_memory(vm);
    r.cells = gd_hold_bytes(&fn->hold, cells, sizeof *r.cells);
    if (!r.cells) return GD_NIL;
    for (int64_t j = 0; j < r.output->numel; j++)
        if (!fill_row(&r, j)) return GD_NIL;
    gd_any tuple = gd_hold_any(&fn->hold, gd_tuple_new(vm, &gd_class_tuple, r.ninputs));
    for (size_t i = 0; !gd_is_nil(tuple) && i < r.ninputs; i++) {
        gd_tensor *t = stacked(&r, i);
        if (!t) return GD_NIL;
        ((gd_tuple *)tuple.u.object)->items[i] = gd_any_of(t);
    }
    return tuple;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool check_strategy(gd_vm *vm, const jacobian_flags *flags) {
    bool forward = gd_is_str(flags->strategy) && gd_str_is(gd_as_str(flags->strategy), "forward-mode");
    if (!forward && !(gd_is_str(flags->strategy) && gd_str_is(gd_as_str(flags->strategy), "reverse-mode")))
        gd_raise(vm, &gd_class_AssertionError,
                 "Expected strategy to be either \"forward-mode\" or \"reverse-mode\". Hint: If your function has more "
                 "outputs than inputs, \"forward-mode\" tends to be more performant. Otherwise, prefer to use "
                 "\"reverse-mode\".");
    else if (forward && flags->create_graph)
        gd_raise(vm, &gd_class_NotImplementedError,
                 "torch.autograd.functional.jacobian: `create_graph=True` and `strategy=\"forward-mode\"` are not "
                 "supported together (yet). Please either set `create_graph=False` or `strategy=\"reverse-mode\"`.");
    else if (forward && flags->strict)
        gd_raise(vm, &gd_class_RuntimeError,
                 "torch.autograd.functional.jacobian: `strict=True` and `strategy=\"forward-mode\"` are not supported "
                 "together (yet). Please either set `strict=False` or `strategy=\"reverse-mode\"`.");
    else if (forward && !flags->vectorize)
        gd_raise(vm, &gd_class_NotImplementedError,
                 "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for "
                 "`vectorize=True`.");
    return !gd_pending(vm);
}

static bool read_function(gd_fn *fn, const target *f) {
    gd_vm *vm = fn->hold.vm;
    fn->inputs = gd_fn_as_tuple(fn, fn->inputs, "inputs", &fn->inputs_tuple);
    if (!gd_is_nil(fn->inputs)) fn->inputs = gd_fn_preprocess(fn, fn->inputs, fn->create_graph, true);
    if (gd_is_nil(fn->inputs)) return false;
    gd_any outputs = gd_hold_any(&fn->hold, f->call(vm, f, fn->inputs));
    if (gd_is_nil(outputs)) return false;
    fn->outputs = gd_fn_as_tuple(fn, outputs, GD_FN_OUTPUTS_TEXT, &fn->outputs_tuple);
    return !gd_is_nil(fn->outputs) && gd_fn_check_grad(fn, fn->outputs, GD_FN_OUTPUTS, fn->strict);
}

/* A tuple, by output, of tuples, by input: all recorded if the graph is wanted. */
static gd_any all_outputs(gd_fn *fn) {
    gd_vm *vm = fn->hold.vm;
    size_t n = gd_entries(fn->outputs);
    if (!n) return gd_raise(vm, &gd_class_IndexError, "tuple index out of range");
    gd_any all = gd_hold_any(&fn->hold, gd_tuple_new(vm, &gd_class_tuple, n));
    for (size_t i = 0; !gd_is_nil(all) && i < n; i++) {
        gd_any one = jacobian_of_output(fn, i);
        if (!gd_is_nil(one)) one = gd_fn_detached(fn, one);
        if (gd_is_nil(one)) return GD_NIL;
        ((gd_tuple *)all.u.object)->items[i] = gd_keep(one);
    }
    return all;
}

/* all[i][j], where a side that was no tuple loses its level. New. */
static gd_any without_levels(gd_fn *fn, gd_any all, bool outer, bool inner) {
    gd_vm *vm = fn->hold.vm;
    if (!inner) {
        size_t n = gd_entries(all);
        gd_any firsts = gd_hold_any(&fn->hold, gd_tuple_new(vm, &gd_class_tuple, n));
        for (size_t i = 0; !gd_is_nil(firsts) && i < n; i++)
            ((gd_tuple *)firsts.u.object)->items[i] = gd_keep(gd_entry(gd_entry(all, i), 0));
        if (gd_is_nil(firsts)) return firsts;
        all = firsts;
    }
    return gd_fn_unpacked(all, outer);
}

static gd_any jacobian_of(gd_vm *vm, const target *f, gd_any inputs, const jacobian_flags *flags) {
    if (!check_strategy(vm, flags) || !gd_deeper(vm)) return GD_NIL;
    gd_fn fn = {.hold = {.vm = vm},
                .name = "jacobian",
                .inputs = inputs,
                .create_graph = flags->create_graph,
                .strict = flags->strict};
    gd_grad_mode mode = vm->ctx->mode;
    gd_grad_mode_set(vm->ctx, true);
    gd_any all = GD_NIL;
    if (read_function(&fn, f)) {
        if (flags->vectorize && flags->strict)
            gd_raise(vm, &gd_class_RuntimeError,
                     "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported "
                     "together. Please either set `strict=False` or `vectorize=False`.");
        else
            all = all_outputs(&fn);
    }
    gd_any result = gd_is_nil(all) ? all : without_levels(&fn, all, fn.outputs_tuple, fn.inputs_tuple);
    vm->ctx->mode = mode;
    gd_hold_end(&fn.hold);
    gd_shallower(vm);
    return result;
}

static gd_any call_program(gd_vm *vm, const target *self, gd_any inputs) { return gd_call_tuple(vm, self->f, inputs); }

static gd_any call_jacobian(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"func", GD_NIL, false},
                                         {"inputs", GD_NIL, false},
                                         {"create_graph", GD_ANY_BOOL(false), false},
                                         {"strict", GD_ANY_BOOL(false), false},
                                         {"vectorize", GD_ANY_BOOL(false), false},
                                         {"strategy", GD_ANY_NONE, false}};
    gd_any v[6];
    jacobian_flags flags;
    if (!GD_BIND(vm, "jacobian", wanted, args, v) || !gd_fn_flag(vm, v[2], &flags.create_graph) ||
        !gd_fn_flag(vm, v[3], &flags.strict) || !gd_fn_flag(vm, v[4], &flags.vectorize))
        return GD_NIL;
    gd_any usual = gd_str_c(vm, "reverse-mode");
    if (gd_is_nil(usual)) return usual;
    flags.strategy = gd_is_none(v[5]) ? usual : v[5];
    const target f = {.call = call_program, .f = v[0]};
    gd_any result = jacobian_of(vm, &f, v[1], &flags);
    gd_drop(gd_vm_heap(vm), usual);
    return result;
}

/* ---- hessian --------------------------------------------------------------------------------- */

/* f's only output, without dimensions. */
static gd_any scalar_output(gd_fn *fn, const target *self, gd_any inputs) {
    gd_vm *vm = fn->hold.vm;
    bool is_tuple;
    gd_any output = gd_hold_any(&fn->hold, gd_call_tuple(vm, self->f, inputs));
    if (gd_is_nil(output)) return output;
    gd_any tuple = gd_fn_as_tuple(fn, output, GD_FN_OUTPUTS_TEXT, &is_tuple);
    if (gd_is_nil(tuple) || !gd_fn_check_grad(fn, tuple, GD_FN_OUTPUTS, self->strict)) return GD_NIL;
    if (is_tuple)
        return gd_raise(vm, &gd_class_RuntimeError, "The function given to hessian should return a single Tensor");
    if (output.u.tensor->numel != 1)
        return gd_raise(vm, &gd_class_RuntimeError,
                        "The Tensor returned by the function given to hessian should contain a single element");
    gd_tensor *t = GD_DO(&fn->hold, squeeze, GD_TENSOR_VALUE(output.u.tensor));
    return t ? gd_any_of(t) : GD_NIL;
}

static gd_any call_scalar(gd_vm *vm, const target *self, gd_any inputs) {
    gd_fn fn = {.hold = {.vm = vm}, .name = "hessian"};
    gd_any result = scalar_output(&fn, self, inputs);
    gd_hold_end(&fn.hold);
    return result;
}

static gd_any call_gradient(gd_vm *vm, const target *self, gd_any inputs) {
    const target scalar = {.call = call_scalar, .f = self->f, .strict = self->strict};
    gd_any usual = gd_str_c(vm, "reverse-mode");
    if (gd_is_nil(usual)) return usual;
    const jacobian_flags flags = {.create_graph = true, .strategy = usual};
    gd_any gradient = jacobian_of(vm, &scalar, inputs, &flags);
    gd_drop(gd_vm_heap(vm), usual);
    gd_fn fn = {.hold = {.vm = vm}, .name = "hessian"};
    if (gd_is_nil(gradient) || gd_fn_check_grad(&fn, gradient, GD_FN_JACOBIAN, self->strict)) return gradient;
    gd_drop(gd_vm_heap(vm), gradient);
    return GD_NIL;
}

static gd_any hessian_held(gd_hold *hold, const gd_any *v, jacobian_flags *flags) {
    gd_vm *vm = hold->vm;
    bool is_tuple;
    gd_fn fn = {.hold = {.vm = vm}, .name = "hessian"};
    gd_any inputs = gd_hold_any(hold, gd_keep(gd_fn_as_tuple(&fn, v[1], "inputs", &is_tuple)));
    gd_hold_end(&fn.hold);
    if (gd_is_nil(inputs)) return inputs;
    flags->strategy = gd_hold_any(hold, gd_is_none(v[5]) ? gd_str_c(vm, "reverse-mode") : gd_keep(v[5]));
    if (gd_is_nil(flags->strategy)) return GD_NIL;
    if (!gd_is_str(flags->strategy) || (!gd_str_is(gd_as_str(flags->strategy), "forward-mode") &&
                                        !gd_str_is(gd_as_str(flags->strategy), "reverse-mode")))
        return gd_raise(vm, &gd_class_AssertionError,
                        "Expected strategy to be either \"forward-mode\" or \"reverse-mode\".");
    const target f = {.call = call_gradient, .f = v[0], .strict = flags->strict};
    gd_any all = gd_hold_any(hold, jacobian_of(vm, &f, inputs, flags));
    if (gd_is_nil(all)) return all;
    gd_fn whole = {.hold = {.vm = vm}};
    gd_any result = without_levels(&whole, all, is_tuple, is_tuple);
    gd_hold_end(&whole.hold);
    return result;
}

static gd_any call_hessian(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"func", GD_NIL, false},
                                         {"inputs", GD_NIL, false},
                                         {"create_graph", GD_ANY_BOOL(false), false},
                                         {"strict", GD_ANY_BOOL(false), false},
                                         {"vectorize", GD_ANY_BOOL(false), false},
                                         {"outer_jacobian_strategy", GD_ANY_NONE, false}};
    gd_any v[6];
    jacobian_flags flags;
    if (!GD_BIND(vm, "hessian", wanted, args, v) || !gd_fn_flag(vm, v[2], &flags.create_graph) ||
        !gd_fn_flag(vm, v[3], &flags.strict) || !gd_fn_flag(vm, v[4], &flags.vectorize))
        return GD_NIL;
    gd_hold hold = {.vm = vm};
    gd_any result = hessian_held(&hold, v, &flags);
    gd_hold_end(&hold);
    return result;
}

const gd_native gd_native_jacobian = {"jacobian", call_jacobian, 0, -1, "*"};
const gd_native gd_native_hessian = {"hessian", call_hessian, 0, -1, "*"};
