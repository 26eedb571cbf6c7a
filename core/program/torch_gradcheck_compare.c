/* torch_gradcheck_compare.c: the gradients of a function, by backward, against differences of its values. */
#include "core/program/torch_gradcheck.h"

#include <math.h>
#include <stdlib.h>

static gd_tensor *tensor_at(gd_any tuple, size_t i) { return gd_entry(tuple, i).u.tensor; }

/* ---- tuples ---------------------------------------------------------------------------------- */

gd_any gd_check_as_tuple(gd_vm *vm, gd_any v) {
    if (gd_is_tuple(v)) return gd_keep(v);
    return gd_is_list(v) ? gd_tuple_from(vm, v) : gd_tuple_of(vm, 1, &v);
}

bool gd_check_wants_grad(gd_any v) { return gd_is_tensor(v) && gd_requires_grad(v.u.tensor); }

static gd_any that_want_grad(gd_hold *hold, gd_any tuple) {
    size_t n = gd_entries(tuple), count = 0;
    for (size_t i = 0; i < n; i++) count += gd_check_wants_grad(gd_entry(tuple, i));
    gd_any result = gd_hold_any(hold, gd_tuple_new(hold->vm, &gd_class_tuple, count));
    for (size_t i = 0, at = 0; !gd_is_nil(result) && i < n; i++)
        if (gd_check_wants_grad(gd_entry(tuple, i)))
            ((gd_tuple *)result.u.object)->items[at++] = gd_keep(gd_entry(tuple, i));
    return result;
}

gd_any gd_check_differentiable(gd_hold *hold, gd_any tuple) {
    for (size_t i = 0; i < gd_entries(tuple); i++)
        if (!gd_is_tensor(gd_entry(tuple, i)))
            return gd_raise(hold->vm, &gd_class_AttributeError, "'%s' object has no attribute 'requires_grad'",
                            gd_type_name(gd_entry(tuple, i)));
    return that_want_grad(hold, tuple);
}

static gd_any call_checked(gd_hold *hold, const gd_checked *f, gd_any inputs) {
    gd_any result = gd_hold_any(hold, f->call(hold->vm, f, inputs));
    return gd_is_nil(result) ? result : gd_hold_any(hold, gd_check_as_tuple(hold->vm, result));
}

/* ---- by differences -------------------------------------------------------------------------- */

/* f's outputs with the entry moved by delta, as copies: a tuple. */
static gd_any outputs_at(gd_check *c, gd_hold *hold, gd_tensor *entry, gd_tensor *original, double delta) {
    gd_tensor *moved = GD_DO(hold, add, GD_TENSOR_VALUE(original), GD_TENSOR_VALUE(gd_wrapped(hold, delta)));
    if (!moved || !GD_DO_(hold, copy_, GD_TENSOR_VALUE(entry), GD_TENSOR_VALUE(moved))) return GD_NIL;
    gd_any outputs = call_checked(hold, c->f, c->inputs);
    if (gd_is_nil(outputs)) return outputs;
    size_t n = gd_entries(outputs);
    gd_any copies = gd_hold_any(hold, gd_tuple_new(hold->vm, &gd_class_tuple, n));
    for (size_t i = 0; !gd_is_nil(copies) && i < n; i++) {
        if (!gd_is_tensor(gd_entry(outputs, i)))
            return gd_raise(hold->vm, &gd_class_AttributeError, "'%s' object has no attribute 'clone'",
                            gd_type_name(gd_entry(outputs, i)));
        gd_tensor *copy = GD_DO(hold, clone, GD_TENSOR_VALUE(tensor_at(outputs, i)));
        if (!copy) return GD_NIL;
        ((gd_tuple *)copies.u.object)->items[i] = gd_any_of(copy);
    }
    return copies;
}

/* The braces are PyTorch's own. */
static bool same_kind(gd_check *c, const gd_tensor *a, const gd_tensor *b) {
    char one[256], two[256], eps[32];
    gd_float_repr(c->eps, eps);
    if (!gd_same_shape(a, b))
        gd_raise(
            c->hold.vm, &gd_class_AssertionError,
            "Expected `func` to return outputs with the same shape when inputs are perturbed on index {idx} by %s, "
            "but got: shapes torch.Size(%s) and torch.Size(%s).",
            eps, gd_shape_text(one, sizeof one, a->ndim, a->sizes), gd_shape_text(two, sizeof two, b->ndim, b->sizes));
    else if (a->dtype != b->dtype)
        gd_raise(
            c->hold.vm, &gd_class_AssertionError,
            "Expected `func` to return outputs with the same dtype when inputs are perturbed on index {idx} by %s, "
            "but got: dtypes torch.%s and torch.%s.",
            eps, gd_dtype_name((gd_dtype)a->dtype), gd_dtype_name((gd_dtype)b->dtype));
    return !gd_pending(c->hold.vm);
}

/* Row k of an output's Jacobian, if it has one: (b - a) / (2 eps). */
static bool set_row(gd_check *c, gd_hold *hold, gd_any jacobian, int64_t k, gd_tensor *a, gd_tensor *b) {
    if (!same_kind(c, a, b)) return false;
    const int64_t flat = -1;
    gd_tensor *d = GD_DO(hold, sub, GD_TENSOR_VALUE(b), GD_TENSOR_VALUE(a));
    d = GD_DO(hold, div, GD_TENSOR_VALUE(d), GD_TENSOR_VALUE(gd_wrapped(hold, 2 * c->eps)));
    if (!d || !gd_is_tensor(jacobian)) return d != NULL;
    d = GD_DO(hold, detach, GD_TENSOR_VALUE(d));
    d = GD_DO(hold, reshape, GD_TENSOR_VALUE(d), GD_INTS_VALUE(&flat, 1));
    gd_tensor *row = GD_DO(hold, select, GD_TENSOR_VALUE(jacobian.u.tensor), GD_INT_VALUE(0), GD_INT_VALUE(k));
    return GD_DO_(hold, copy_, GD_TENSOR_VALUE(row), GD_TENSOR_VALUE(d)) != NULL;
}

static int64_t offset_of(const gd_tensor *t, int64_t k) {
    int64_t offset = gd_offset(t);
    for (int d = t->ndim - 1; d >= 0; k /= t->sizes[d--]) offset += k % t->sizes[d] * GD_STRIDES(t)[d];
    return offset;
}

static bool set_rows(gd_check *c, gd_hold *hold, gd_any jacobians, int64_t k, gd_any a, gd_any b) {
    size_t n = gd_entries(jacobians);
    if (gd_entries(a) < n || gd_entries(b) < n)
        return gd_raise(hold->vm, &gd_class_IndexError, "tuple index out of range"), false;
    for (size_t i = 0; i < n; i++)
        if (!set_row(c, hold, gd_entry(jacobians, i), k, tensor_at(a, i), tensor_at(b, i))) return false;
    return true;
}

/* One element of the input moved both ways; its row in each output's Jacobian. */
static bool difference(gd_check *c, gd_tensor *input, int64_t k, gd_any jacobians) {
    gd_hold hold = {.vm = c->hold.vm};
    bool done = false;
    gd_tensor *data = gd_hold_tensor(&hold, gd_data(c->hold.vm->ctx, input));
    gd_tensor *entry =
        data ? gd_hold_tensor(&hold, gd_alias(c->hold.vm->ctx, data, 0, NULL, NULL, offset_of(data, k))) : NULL;
    gd_tensor *original = GD_DO(&hold, clone, GD_TENSOR_VALUE(entry));
    gd_any a = original ? outputs_at(c, &hold, entry, original, -c->eps) : GD_NIL;
    gd_any b = gd_is_nil(a) ? a : outputs_at(c, &hold, entry, original, c->eps);
    if (!gd_is_nil(b) && GD_DO_(&hold, copy_, GD_TENSOR_VALUE(entry), GD_TENSOR_VALUE(original)))
        done = set_rows(c, &hold, jacobians, k, a, b);
    gd_hold_end(&hold);
    return done;
}

static gd_any zero_jacobian(gd_check *c, const gd_tensor *input, const gd_tensor *output, gd_dtype dtype) {
    int64_t sizes[2] = {input->numel, output->numel};
    gd_tensor *t = gd_zeros(c->hold.vm->ctx, dtype, 2, sizes);
    return t ? GD_ANY_TENSOR(t) : gd_raise_engine(c->hold.vm);
}

/* For one input, a tuple of the outputs' Jacobians; None for one that is not floating. */
static gd_any numerical(gd_check *c, gd_tensor *input) {
    gd_vm *vm = c->hold.vm;
    size_t n = gd_entries(c->all);
    gd_any result = gd_hold_any(&c->hold, gd_tuple_new(vm, &gd_class_tuple, n));
    for (size_t i = 0; !gd_is_nil(result) && i < n; i++) {
        const gd_tensor *output = tensor_at(c->all, i);
        if (!gd_dtype_is_float((gd_dtype)output->dtype)) continue;
        gd_any jacobian = zero_jacobian(c, input, output, (gd_dtype)output->dtype);
        if (gd_is_nil(jacobian)) return jacobian;
        ((gd_tuple *)result.u.object)->items[i] = jacobian;
    }
    for (int64_t k = 0; !gd_is_nil(result) && k < input->numel; k++)
        if (!gd_work(vm, 4) || !difference(c, input, k, result)) return GD_NIL;
    return result;
}

/* A tuple by input of tuples by output. */
static gd_any all_numerical(gd_check *c) {
    gd_any result = gd_hold_any(&c->hold, gd_tuple_new(c->hold.vm, &gd_class_tuple, gd_entries(c->diff)));
    for (size_t j = 0; !gd_is_nil(result) && j < gd_entries(c->diff); j++) {
        gd_any one = numerical(c, tensor_at(c->diff, j));
        if (gd_is_nil(one)) return one;
        ((gd_tuple *)result.u.object)->items[j] = gd_keep(one);
    }
    return result;
}

/* ---- by backward ----------------------------------------------------------------------------- */

/* Column j of each input's Jacobian: the gradient of element j of the output. */
static bool set_column(gd_check *c, gd_any output, gd_tensor *cotangent, int64_t j, gd_any jacobians) {
    gd_hold hold = {.vm = c->hold.vm};
    const int64_t flat = -1;
    bool done = false;
    const gd_backward_options options = {.retain_graph = true, .allow_unused = true};
    gd_tensor *line = GD_DO(&hold, view, GD_TENSOR_VALUE(cotangent), GD_INTS_VALUE(&flat, 1));
    gd_tensor *place = GD_DO(&hold, select, GD_TENSOR_VALUE(line), GD_INT_VALUE(0), GD_INT_VALUE(j));
    gd_any one = gd_hold_any(&hold, gd_tuple_of(hold.vm, 1, &GD_ANY_TENSOR(cotangent)));
    if (place && !gd_is_nil(one) && GD_DO_(&hold, zero_, GD_TENSOR_VALUE(line)) &&
        GD_DO_(&hold, fill_, GD_TENSOR_VALUE(place), GD_INT_VALUE(1))) {
        gd_any grads = gd_hold_any(&hold, gd_gradients(hold.vm, output, c->diff, one, &options));
        done = !gd_is_nil(grads);
        for (size_t i = 0; done && i < gd_entries(c->diff); i++) {
            if (!gd_is_tensor(gd_entry(grads, i))) continue;
            gd_tensor *g = GD_DO(&hold, reshape, GD_TENSOR_VALUE(tensor_at(grads, i)), GD_INTS_VALUE(&flat, 1));
            gd_tensor *column =
                GD_DO(&hold, select, GD_TENSOR_VALUE(tensor_at(jacobians, i)), GD_INT_VALUE(1), GD_INT_VALUE(j));
            done = GD_DO_(&hold, copy_, GD_TENSOR_VALUE(column), GD_TENSOR_VALUE(g)) != NULL;
        }
    }
    gd_hold_end(&hold);
    return done;
}

/* A tuple by input. */
static gd_any analytical(gd_check *c, gd_tensor *output) {
    gd_vm *vm = c->hold.vm;
    gd_any one = gd_hold_any(&c->hold, gd_tuple_of(vm, 1, &GD_ANY_TENSOR(output)));
    gd_tensor *cotangent =
        gd_hold_tensor(&c->hold, gd_zeros(vm->ctx, (gd_dtype)output->dtype, output->ndim, output->sizes));
    gd_any result = gd_hold_any(&c->hold, gd_tuple_new(vm, &gd_class_tuple, gd_entries(c->diff)));
    if (gd_is_nil(one) || !cotangent || gd_is_nil(result)) return GD_NIL;
    for (size_t j = 0; j < gd_entries(c->diff); j++) {
        const gd_tensor *input = tensor_at(c->diff, j);
        gd_any jacobian = zero_jacobian(c, input, output, (gd_dtype)input->dtype);
        if (gd_is_nil(jacobian)) return jacobian;
        ((gd_tuple *)result.u.object)->items[j] = jacobian;
    }
    for (int64_t k = 0; k < output->numel; k++)
        if (!gd_work(vm, 4) || !set_column(c, one, cotangent, k, result)) return GD_NIL;
    return result;
}

static bool item_of(gd_vm *vm, const gd_tensor *t, double *out) {
    gd_value v;
    if (!t) return false;
    if (gd_item(vm->ctx, t, &v) != GD_OK) return gd_raise_engine(vm), false;
    *out = v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_BOOL ? v.u.boolean : (double)v.u.integer;
    return true;
}

/* Two runs must agree to within nondet_tol. */
static bool check_reentrant(gd_check *c, gd_any first, gd_any second) {
    gd_hold *hold = &c->hold;
    double most;
    char tolerance[32];
    for (size_t j = 0; j < gd_entries(first); j++) {
        gd_tensor *a = tensor_at(first, j), *b = tensor_at(second, j);
        if (!a->numel) continue;
        gd_tensor *d = GD_DO(hold, sub, GD_TENSOR_VALUE(a), GD_TENSOR_VALUE(b));
        d = GD_DO(hold, abs, GD_TENSOR_VALUE(d));
        if (!item_of(hold->vm, GD_DO(hold, max, GD_TENSOR_VALUE(d)), &most)) return false;
        if (!(most > c->nondet_tol)) continue;
        gd_float_repr(c->nondet_tol, tolerance);
        gd_raise(hold->vm, &gd_class_GradcheckError,
                 "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                 "gives different values, although analytical gradient matches numerical gradient.The tolerance for "
                 "nondeterminism was %s."
                 "\n\nNOTE: If your op relies on non-deterministic operations i.e., it is listed here:\n"
                 "https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html\n"
                 "this failure might be expected.\n\n"
                 "If you are adding a new operator, please file an issue and then use one of the\n"
                 "workarounds. The workaround depends on how your test invokes gradcheck/gradgradcheck.\n"
                 "If the test\n"
                 "- manually invokes gradcheck/gradgradcheck, then call gradcheck/gradgradcheck\n"
                 "  with `nondet_tol=<tol>` as a keyword argument.\n"
                 "- is OpInfo-based (e.g., in test_ops_gradients.py), then modify the OpInfo for the test\n"
                 "  to have `gradcheck_nondet_tol=<tol>`.\n"
                 "- is a Module test (e.g., in common_nn.py), then modify the corresponding\n"
                 "  module_test entry to have `gradcheck_nondet_tol=<tol>`\n",
                 tolerance);
        return false;
    }
    return true;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool all_close(gd_check *c, gd_tensor *a, gd_tensor *b, bool *close) {
    gd_hold *hold = &c->hold;
    gd_dtype dtype = gd_promote_dtypes((gd_dtype)a->dtype, (gd_dtype)b->dtype);
    a = GD_DO(hold, to_dtype, GD_TENSOR_VALUE(a), GD_DTYPE_VALUE(dtype));
    b = GD_DO(hold, to_dtype, GD_TENSOR_VALUE(b), GD_DTYPE_VALUE(dtype));
    if (!a || !b) return false;
    gd_result result = {0};
    const gd_value args[] = {GD_TENSOR_VALUE(a), GD_TENSOR_VALUE(b), GD_FLOAT_VALUE(c->rtol), GD_FLOAT_VALUE(c->atol)};
    if (gd_do_all(hold->vm->ctx, GD_OP_allclose, args, 4, &result) != GD_OK) return gd_raise_engine(hold->vm), false;
    *close = result.value.u.boolean;
    gd_result_clear(&result);
    return true;
}

/* Both are matrices that were made here. */
static bool measure(gd_check *c, gd_tensor *a, gd_tensor *n) {
    a = GD_DO(&c->hold, to_dtype, GD_TENSOR_VALUE(a), GD_DTYPE_VALUE(GD_FLOAT64));
    n = GD_DO(&c->hold, to_dtype, GD_TENSOR_VALUE(n), GD_DTYPE_VALUE(GD_FLOAT64));
    const double *p = a ? gd_contiguous_data(a) : NULL, *q = n ? gd_contiguous_data(n) : NULL;
    for (int64_t i = 0; p && q && i < a->numel; i++) {
        double error = fabs(p[i] - q[i]) / (c->atol + c->rtol * fabs(q[i]));
        if (!(error <= *c->worst)) *c->worst = error;
    }
    return a && n;
}

static bool mismatch(gd_check *c, const gd_tensor *a, const gd_tensor *n, size_t output, size_t input) {
    gd_vm *vm = c->hold.vm;
    char *analytic = gd_repr(vm->ctx, a), *numeric = analytic ? gd_repr(vm->ctx, n) : NULL;
    if (numeric)
        gd_raise(vm, &gd_class_GradcheckError,
                 "Jacobian mismatch for output %zu with respect to input %zu,\nnumerical:%s\nanalytical:%s\n", output,
                 input, numeric, analytic);
    else
        gd_raise_engine(vm);
    free(analytic);
    free(numeric);
    return false;
}

static bool compare_output(gd_check *c, size_t index, gd_any numeric, size_t place) {
    gd_tensor *output = tensor_at(c->outputs, index);
    gd_any first = analytical(c, output), second = gd_is_nil(first) ? first : analytical(c, output);
    if (gd_is_nil(second) || !check_reentrant(c, first, second)) return false;
    for (size_t j = 0; j < gd_entries(first); j++) {
        gd_tensor *a = tensor_at(first, j), *n = tensor_at(gd_entry(numeric, j), place);
        bool close = true;
        if (!all_close(c, a, n, &close) || (c->worst && !measure(c, a, n))) return false;
        if (!close) return mismatch(c, a, n, index, j);
    }
    return true;
}

static bool is_zero(gd_check *c, gd_tensor *t, bool *zero) {
    double any = 0;
    gd_hold *hold = &c->hold;
    gd_tensor *other = GD_DO(hold, ne, GD_TENSOR_VALUE(t), GD_TENSOR_VALUE(gd_wrapped(hold, 0)));
    if (!item_of(hold->vm, GD_DO(hold, any, GD_TENSOR_VALUE(other)), &any)) return false;
    *zero = any == 0;
    return true;
}

/* No output can be differentiated: then nothing may depend on the inputs. */
static bool compare_constant(gd_check *c, gd_any numeric) {
    for (size_t j = 0; j < gd_entries(numeric); j++)
        for (size_t i = 0; i < gd_entries(gd_entry(numeric, j)); i++) {
            bool zero;
            if (!gd_is_tensor(gd_entry(gd_entry(numeric, j), i))) continue;
            if (!is_zero(c, tensor_at(gd_entry(numeric, j), i), &zero)) return false;
            if (zero) continue;
            gd_raise(c->hold.vm, &gd_class_GradcheckError, "Numerical gradient for function expected to be zero");
            return false;
        }
    return true;
}

static bool compare(gd_check *c) {
    gd_any numeric = all_numerical(c);
    if (gd_is_nil(numeric)) return false;
    if (!gd_entries(c->outputs)) return compare_constant(c, numeric);
    for (size_t i = 0, index = 0; i < gd_entries(c->all); i++) {
        if (!gd_check_wants_grad(gd_entry(c->all, i))) continue;
        if (!compare_output(c, index++, numeric, i)) return false;
    }
    return true;
}

/* ---- zeros in, zeros out --------------------------------------------------------------------- */

/* The gradients for cotangents of zero must be zero or none; output `skip` gets none at all. */
static bool zeros_give_zeros(gd_check *c, gd_any outputs, size_t skip, const char *complaint) {
    gd_hold *hold = &c->hold;
    size_t n = gd_entries(outputs), count = n - (skip < n);
    const gd_backward_options options = {.allow_unused = true};
    gd_any from = gd_hold_any(hold, gd_tuple_new(hold->vm, &gd_class_tuple, count));
    gd_any with = gd_is_nil(from) ? from : gd_hold_any(hold, gd_tuple_new(hold->vm, &gd_class_tuple, count));
    for (size_t i = 0, at = 0; !gd_is_nil(with) && i < n; i++) {
        gd_tensor *output = tensor_at(outputs, i);
        if (i == skip) continue;
        gd_tensor *zeros = gd_zeros(hold->vm->ctx, (gd_dtype)output->dtype, output->ndim, output->sizes);
        if (!zeros) return gd_raise_engine(hold->vm), false;
        ((gd_tuple *)from.u.object)->items[at] = gd_any_of(output);
        ((gd_tuple *)with.u.object)->items[at++] = GD_ANY_TENSOR(zeros);
    }
    gd_any grads = gd_is_nil(with) ? with : gd_hold_any(hold, gd_gradients(hold->vm, from, c->diff, with, &options));
    for (size_t j = 0; !gd_is_nil(grads) && j < gd_entries(grads); j++) {
        bool zero = true;
        if (gd_is_tensor(gd_entry(grads, j)) && !is_zero(c, tensor_at(grads, j), &zero)) return false;
        if (!zero) return gd_raise(hold->vm, &gd_class_GradcheckError, "%s", complaint), false;
    }
    return !gd_is_nil(grads);
}

/* f once more, with the gradient of each output left out in turn. */
static bool check_undefined(gd_check *c) {
    gd_any all = call_checked(&c->hold, c->f, c->inputs);
    gd_any outputs = gd_is_nil(all) ? all : gd_check_differentiable(&c->hold, all);
    if (gd_is_nil(outputs)) return false;
    size_t n = gd_entries(outputs);
    for (size_t i = 0; n > 1 && i < n; i++) {
        all = call_checked(&c->hold, c->f, c->inputs);
        outputs = gd_is_nil(all) ? all : gd_check_differentiable(&c->hold, all);
        if (gd_is_nil(outputs) ||
            !zeros_give_zeros(c, outputs, i,
                              "Expected all input grads to be undefined or zero when all output grads are undefined or "
                              "zero. Please look at \"Notes about undefined output gradients\" in "
                              "\"tools/autograd/derivatives.yaml\""))
            return false;
    }
    return true;
}

/* ---- one check ------------------------------------------------------------------------------- */

static bool strides_ok(const gd_tensor *t) {
    for (int d = 0; d < t->ndim; d++)
        if (GD_STRIDES(t)[d] <= 0 && t->sizes[d] > 1) return false;
    return true;
}

static bool check_inputs(gd_check *c) {
    gd_vm *vm = c->hold.vm;
    bool any = false;
    for (size_t i = 0; i < gd_entries(c->inputs); i++) {
        if (!gd_check_wants_grad(gd_entry(c->inputs, i))) continue;
        gd_tensor *t = tensor_at(c->inputs, i);
        if (!strides_ok(t)) {
            gd_raise(vm, &gd_class_RuntimeError,
                     "The %zuth input has a dimension with stride 0. gradcheck only supports inputs that are "
                     "non-overlapping to be able to compute the numerical gradients correctly. You should call "
                     ".contiguous on the input before passing it to gradcheck.",
                     i);
            return false;
        }
        any = true;
        if (gd_retain_grad(vm->ctx, t) != GD_OK) return gd_raise_engine(vm), false;
    }
    if (!any)
        gd_raise(vm, &gd_class_ValueError,
                 "gradcheck expects at least one input tensor to require gradient, but none of the them have "
                 "requires_grad=True.");
    return any;
}

bool gd_check_run(gd_check *c) {
    if (!check_inputs(c)) return false;
    c->diff = that_want_grad(&c->hold, c->inputs);
    c->all = gd_is_nil(c->diff) ? GD_NIL : call_checked(&c->hold, c->f, c->inputs);
    c->outputs = gd_is_nil(c->all) ? GD_NIL : gd_check_differentiable(&c->hold, c->all);
    if (gd_is_nil(c->outputs) || !compare(c)) return false;
    if (!zeros_give_zeros(c, c->outputs, SIZE_MAX, "backward not multiplied by grad_output")) return false;
    return !c->undefined_grad || check_undefined(c);
}
