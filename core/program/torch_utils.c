/* torch_utils.c: torch.nn.utils: clipping gradients, parameters as one vector. */
#include "core/autograd/autograd.h"
#include "core/program/natives.h"

#include <math.h>

#define T(t) GD_TENSOR_VALUE(t)

/* ---- reading parameters ---------------------------------------------------------------------- */

/* The tensors of an iterable, or one tensor, as a tuple; held. */
static gd_any parameters_of(gd_hold *hold, gd_any v) {
    gd_any tuple = gd_hold_any(hold, gd_tuple_or_one(hold->vm, v));
    for (size_t i = 0; !gd_is_nil(tuple) && i < gd_entries(tuple); i++)
        if (!gd_is_tensor(gd_entry(tuple, i)))
            return gd_raise(hold->vm, &gd_class_AttributeError, "'%s' object has no attribute 'grad'",
                            gd_type_name(gd_entry(tuple, i)));
    return tuple;
}

/* The gradients there are, as an array of the hold. */
static gd_tensor **gradients_of(gd_hold *hold, gd_any parameters, size_t *n) {
    gd_tensor **grads = gd_hold_bytes(hold, gd_entries(parameters) + 1, sizeof(gd_tensor *));
    *n = 0;
    for (size_t i = 0; grads && i < gd_entries(parameters); i++) {
        gd_tensor *grad = gd_grad(gd_entry(parameters, i).u.tensor);
        if (grad) grads[(*n)++] = grad;
    }
    return grads;
}

static gd_tensor *detached(gd_hold *hold, gd_tensor *t) {
    return t ? gd_hold_tensor(hold, gd_detach(hold->vm->ctx, t)) : NULL;
}

/* ---- clip_grad_norm_ ------------------------------------------------------------------------- */

static gd_tensor *norm_of(gd_hold *hold, gd_tensor *t, double p) {
    if (isinf(p) && p > 0) return GD_DO(hold, max, T(GD_DO(hold, abs, T(t))));
    return GD_DO(hold, norm, T(t), GD_FLOAT_VALUE(p));
}

/* The norm of the gradients' norms. */
static gd_tensor *total_norm(gd_hold *hold, gd_tensor **grads, size_t n, double p) {
    gd_tensor **norms = gd_hold_bytes(hold, n + 1, sizeof(gd_tensor *));
    if (!norms) return NULL;
    for (size_t i = 0; i < n; i++)
        if (!(norms[i] = norm_of(hold, detached(hold, grads[i]), p))) return NULL;
    if (isinf(p) && p > 0 && n == 1) return norms[0];
    const gd_value list = {.kind = GD_V_TENSORS, .n = (uint32_t)n, .u.tensors = norms};
    gd_tensor *all = GD_DO(hold, stack, list, GD_INT_VALUE(0));
    return isinf(p) && p > 0 ? GD_DO(hold, max, T(all)) : GD_DO(hold, norm, T(all), GD_FLOAT_VALUE(p));
}

static bool check_finite(gd_hold *hold, const gd_tensor *norm, double p) {
    gd_value v;
    char text[32];
    if (gd_item(hold->vm->ctx, norm, &v) != GD_OK) return gd_raise_engine(hold->vm), false;
    if (v.kind != GD_V_FLOAT || isfinite(v.u.real)) return true;
    gd_float_repr(p, text);
    gd_raise(hold->vm, &gd_class_RuntimeError,
             "The total norm of order %s for gradients from `parameters` is non-finite, so it cannot be clipped. To "
             "disable this error and scale the gradients by the non-finite norm anyway, set "
             "`error_if_nonfinite=False`",
             text);
    return false;
}

static gd_any clip_norm(gd_hold *hold, gd_any parameters, double max_norm, double p, bool strict) {
    gd_vm *vm = hold->vm;
    size_t n;
    gd_tensor **grads = gradients_of(hold, parameters, &n);
    if (!grads || n > UINT32_MAX) return GD_NIL;
    if (!n) {
        gd_tensor *zero = gd_scalar_f64(vm->ctx, 0, GD_FLOAT32);
        return zero ? GD_ANY_TENSOR(zero) : gd_raise_engine(vm);
    }
    gd_tensor *total = total_norm(hold, grads, n, p);
    if (!total || (strict && !check_finite(hold, total, p))) return GD_NIL;
    gd_tensor *safe = GD_DO(hold, add, T(total), T(gd_wrapped(hold, 1e-6)));
    gd_tensor *factor = GD_DO(hold, mul, T(GD_DO(hold, reciprocal, T(safe))), T(gd_wrapped(hold, max_norm)));
    factor = GD_DO(hold, clamp, T(factor), GD_NONE_VALUE, GD_FLOAT_VALUE(1));
    for (size_t i = 0; i < n; i++)
        if (!GD_DO_(hold, mul, T(detached(hold, grads[i])), T(factor))) return GD_NIL;
    return gd_any_of(total);
}

/* float(v) */
static bool as_float(gd_vm *vm, gd_any v, double *out) {
    gd_any number = gd_class_float.make(vm, &gd_class_float, &(gd_args){.v = &v, .npos = 1});
    if (gd_is_nil(number)) return false;
    *out = number.u.f;
    return true;
}

static gd_any clip_grad_norm(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"parameters", GD_NIL, false},
                                         {"max_norm", GD_NIL, false},
                                         {"norm_type", GD_ANY_FLOAT(2), false},
                                         {"error_if_nonfinite", GD_ANY_BOOL(false), false}};
    gd_any v[4], result = GD_NIL;
    double max_norm, p;
    if (!GD_BIND(vm, "clip_grad_norm_", wanted, args, v)) return GD_NIL;
    gd_hold hold = {.vm = vm};
    gd_any parameters = parameters_of(&hold, v[0]);
    int strict = gd_is_nil(parameters) ? -1 : gd_truth(vm, v[3]);
    if (strict >= 0 && as_float(vm, v[1], &max_norm) && as_float(vm, v[2], &p))
        result = clip_norm(&hold, parameters, max_norm, p, strict > 0);
    gd_hold_end(&hold);
    return result;
}

/* ---- clip_grad_value_ ------------------------------------------------------------------------ */

static bool clip_value(gd_hold *hold, gd_any parameters, double most) {
    for (size_t i = 0; i < gd_entries(parameters); i++) {
        gd_tensor *grad = gd_grad(gd_entry(parameters, i).u.tensor);
        if (!grad) continue;
        gd_tensor *data = gd_hold_tensor(hold, gd_data(hold->vm->ctx, grad));
        if (!GD_DO_(hold, clamp, T(data), GD_FLOAT_VALUE(-most), GD_FLOAT_VALUE(most))) return false;
    }
    return true;
}

static gd_any clip_grad_value(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"parameters", GD_NIL, false}, {"clip_value", GD_NIL, false}};
    gd_any v[2];
    double most;
    if (!GD_BIND(vm, "clip_grad_value_", wanted, args, v)) return GD_NIL;
    gd_hold hold = {.vm = vm};
    gd_any parameters = parameters_of(&hold, v[0]);
    bool done = !gd_is_nil(parameters) && as_float(vm, v[1], &most) && clip_value(&hold, parameters, most);
    gd_hold_end(&hold);
    return done ? GD_ANY_NONE : GD_NIL;
}

/* ---- one vector ------------------------------------------------------------------------------ */

static gd_any to_vector(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"parameters", GD_NIL, false}};
    gd_any v, result = GD_NIL;
    if (!GD_BIND(vm, "parameters_to_vector", wanted, args, &v)) return GD_NIL;
    const int64_t flat = -1;
    gd_hold hold = {.vm = vm};
    gd_any parameters = gd_hold_any(&hold, gd_tuple_from(vm, v));
    size_t n = gd_is_nil(parameters) ? 0 : gd_entries(parameters);
    gd_tensor **parts = gd_is_nil(parameters) ? NULL : gd_tensor_array(&hold, parameters);
    bool done = parts && n <= UINT32_MAX;
    for (size_t i = 0; done && i < n; i++) {
        if (!parts[i])
            gd_raise(vm, &gd_class_AttributeError, "'%s' object has no attribute 'is_cuda'",
                     gd_type_name(gd_entry(parameters, i)));
        done = parts[i] && (parts[i] = GD_DO(&hold, view, T(parts[i]), GD_INTS_VALUE(&flat, 1)));
    }
    const gd_value list = {.kind = GD_V_TENSORS, .n = (uint32_t)n, .u.tensors = parts};
    gd_tensor *vector = done ? GD_DO(&hold, cat, list, GD_INT_VALUE(0)) : NULL;
    if (vector) result = gd_any_of(vector);
    gd_hold_end(&hold);
    return result;
}

/* param.data = the part of the vector that belongs to it. */
static bool set_part(gd_hold *hold, gd_tensor *vector, gd_any parameter, int64_t *start) {
    gd_vm *vm = hold->vm;
    if (!gd_is_tensor(parameter)) {
        gd_raise(vm, &gd_class_AttributeError, "'%s' object has no attribute 'is_cuda'", gd_type_name(parameter));
        return false;
    }
    if (!vector->ndim) {
        gd_raise(vm, &gd_class_IndexError, "slice() cannot be applied to a 0-dim tensor.");
        return false;
    }
    gd_tensor *t = parameter.u.tensor;
    int64_t left = vector->sizes[0] - *start;
    int64_t length = left < 0 ? 0 : t->numel < left ? t->numel : left; /* as a slice */
    gd_tensor *part =
        GD_DO(hold, narrow, T(vector), GD_INT_VALUE(0), GD_INT_VALUE(left < 0 ? 0 : *start), GD_INT_VALUE(length));
    part = GD_DO(hold, view_as, T(part), T(t));
    gd_tensor *data = part ? gd_hold_tensor(hold, gd_data(vm->ctx, part)) : NULL;
    if (data && gd_set_data(vm->ctx, t, data) != GD_OK) return gd_raise_engine(vm), false;
    *start += t->numel;
    return data != NULL;
}

static gd_any from_vector(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"vec", GD_NIL, false}, {"parameters", GD_NIL, false}};
    gd_any v[2];
    if (!GD_BIND(vm, "vector_to_parameters", wanted, args, v)) return GD_NIL;
    if (!gd_is_tensor(v[0]))
        return gd_raise(vm, &gd_class_TypeError, "expected torch.Tensor, but got: %s", gd_class_of(v[0])->name);
    gd_hold hold = {.vm = vm};
    gd_any parameters = gd_hold_any(&hold, gd_tuple_from(vm, v[1]));
    bool done = !gd_is_nil(parameters);
    int64_t start = 0;
    for (size_t i = 0; done && i < gd_entries(parameters); i++)
        done = set_part(&hold, v[0].u.tensor, gd_entry(parameters, i), &start);
    gd_hold_end(&hold);
    return done ? GD_ANY_NONE : GD_NIL;
}

static const gd_native clip_norm_native = {"clip_grad_norm_", clip_grad_norm, 0, -1, "*"};
static const gd_native clip_value_native = {"clip_grad_value_", clip_grad_value, 0, -1, "*"};
static const gd_native to_vector_native = {"parameters_to_vector", to_vector, 0, -1, "*"};
static const gd_native from_vector_native = {"vector_to_parameters", from_vector, 0, -1, "*"};

const gd_member gd_members_nn_utils[] = {
    {"clip_grad_norm_", GD_ANY_NATIVE(&clip_norm_native)},
    {"clip_grad_value_", GD_ANY_NATIVE(&clip_value_native)},
    {"parameters_to_vector", GD_ANY_NATIVE(&to_vector_native)},
    {"vector_to_parameters", GD_ANY_NATIVE(&from_vector_native)},
    {NULL, GD_NIL},
};
