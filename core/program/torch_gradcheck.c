/* torch_gradcheck.c: torch.autograd.gradcheck and gradgradcheck: their arguments, and gradgradcheck's function. */
#include "core/program/torch_gradcheck.h"

/* True, or False for a failed check that shall not raise. */
static gd_any outcome(gd_vm *vm, bool passed, bool raise_exception) {
    if (passed) return GD_ANY_BOOL(true);
    if (raise_exception || vm->passed != GD_LIMIT_NONE || !gd_is(vm->exception, &gd_class_GradcheckError))
        return GD_NIL;
    gd_any exception = vm->exception;
    vm->exception = GD_NIL;
    gd_drop(gd_vm_heap(vm), exception);
    return GD_ANY_BOOL(false);
}

static gd_any check_one(gd_vm *vm, const gd_checked *f, gd_any inputs, gd_check *c, bool raise_exception) {
    if (!gd_deeper(vm)) return GD_NIL;
    c->hold = (gd_hold){.vm = vm};
    c->f = f;
    c->inputs = gd_hold_any(&c->hold, gd_check_as_tuple(vm, inputs));
    bool passed = !gd_is_nil(c->inputs) && gd_check_run(c);
    gd_hold_end(&c->hold);
    gd_shallower(vm);
    return outcome(vm, passed, raise_exception);
}

/* ---- gradcheck ------------------------------------------------------------------------------- */

static bool read_flag(gd_vm *vm, gd_any v, bool *out) {
    int truth = gd_truth(vm, v);
    *out = truth > 0;
    return truth >= 0;
}

static bool read_numbers(gd_vm *vm, const gd_any *v, gd_check *c) {
    return gd_to_real(vm, v[0], &c->eps) && gd_to_real(vm, v[1], &c->atol) && gd_to_real(vm, v[2], &c->rtol);
}

static bool refuse(gd_vm *vm, bool condition, const char *text) {
    if (condition) gd_raise(vm, &gd_class_AssertionError, "%s", text);
    return condition;
}

static bool refuse_forward(gd_vm *vm, bool wanted) {
    if (wanted)
        gd_raise(vm, &gd_class_NotImplementedError,
                 "forward mode AD is not supported: call it without check_forward_ad and check_fwd_over_rev");
    return wanted;
}

static gd_any call_program(gd_vm *vm, const gd_checked *self, gd_any inputs) {
    return gd_call_tuple(vm, self->f, inputs);
}

enum {
    G_FUNC,
    G_INPUTS,
    G_EPS,
    G_ATOL,
    G_RTOL,
    G_RAISE,
    G_SPARSE,
    G_NONDET,
    G_UNDEFINED,
    G_DTYPES,
    G_BATCHED,
    G_BATCHED_FORWARD,
    G_FORWARD,
    G_BACKWARD,
    G_FAST,
    G_COUNT
};
static const gd_argument gradcheck_arguments[G_COUNT] = {
    {"func", GD_NIL, false},
    {"inputs", GD_NIL, false},
    {"eps", GD_ANY_FLOAT(1e-6), true},
    {"atol", GD_ANY_FLOAT(1e-5), true},
    {"rtol", GD_ANY_FLOAT(1e-3), true},
    {"raise_exception", GD_ANY_BOOL(true), true},
    {"check_sparse_nnz", GD_ANY_BOOL(false), true},
    {"nondet_tol", GD_ANY_FLOAT(0), true},
    {"check_undefined_grad", GD_ANY_BOOL(true), true},
    {"check_grad_dtypes", GD_ANY_BOOL(false), true},
    {"check_batched_grad", GD_ANY_BOOL(false), true},
    {"check_batched_forward_grad", GD_ANY_BOOL(false), true},
    {"check_forward_ad", GD_ANY_BOOL(false), true},
    {"check_backward_ad", GD_ANY_BOOL(true), true},
    {"fast_mode", GD_ANY_BOOL(false), true},
};

/* fast_mode compares the whole Jacobian too, which is the stricter gd_check; batched gradients are those of one run
 * after another, so there is nothing that could differ. */
static gd_any gradcheck(gd_vm *vm, const gd_args *args) {
    gd_any v[G_COUNT];
    bool raises, forward, backward, batched, batched_forward;
    gd_check c = {0};
    if (!GD_BIND(vm, "gradcheck", gradcheck_arguments, args, v)) return GD_NIL;
    if (!read_flag(vm, v[G_RAISE], &raises) || !read_flag(vm, v[G_FORWARD], &forward) ||
        !read_flag(vm, v[G_BACKWARD], &backward) || !read_flag(vm, v[G_BATCHED], &batched) ||
        !read_flag(vm, v[G_BATCHED_FORWARD], &batched_forward) || !read_flag(vm, v[G_UNDEFINED], &c.undefined_grad) ||
        !read_numbers(vm, v + G_EPS, &c) || !gd_to_real(vm, v[G_NONDET], &c.nondet_tol))
        return GD_NIL;
    if (refuse(vm, !forward && !backward,
               "Expected at least one of check_forward_ad or check_backward_ad to be True") ||
        refuse(vm, batched && !backward, "Setting check_batched_grad=True requires check_backward_ad to be True") ||
        refuse(vm, batched_forward && !forward,
               "Setting check_batched_forward_grad=True requires check_forward_ad to be True") ||
        refuse_forward(vm, forward))
        return GD_NIL;
    const gd_checked f = {.call = call_program, .f = v[G_FUNC]};
    return check_one(vm, &f, v[G_INPUTS], &c, raises);
}

/* ---- gradgradcheck --------------------------------------------------------------------------- */

/* Part of a tuple, with requires_grad_() where `diff` says; `only`: just those entries. Held. */
static gd_any part(gd_hold *hold, gd_any tuple, size_t from, size_t n, const bool *diff, bool only) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += !only || diff[i];
    gd_any result = gd_hold_any(hold, gd_tuple_new(hold->vm, &gd_class_tuple, count));
    for (size_t i = 0, at = 0; !gd_is_nil(result) && i < n; i++) {
        gd_any entry = gd_entry(tuple, from + i);
        if (only && !diff[i]) continue;
        if (diff[i] && gd_set_requires_grad(hold->vm->ctx, entry.u.tensor, true) != GD_OK)
            return gd_raise_engine(hold->vm);
        ((gd_tuple *)result.u.object)->items[at++] = gd_keep(entry);
    }
    return result;
}

static gd_any gradient_held(gd_hold *hold, const gd_checked *self, gd_any args) {
    gd_vm *vm = hold->vm;
    size_t n = gd_entries(args) - self->ngrads;
    gd_any inputs = part(hold, args, 0, n, self->input_diff, false);
    gd_any all = gd_is_nil(inputs) ? inputs : gd_hold_any(hold, gd_call_tuple(vm, self->f, inputs));
    if (!gd_is_nil(all)) all = gd_hold_any(hold, gd_check_as_tuple(vm, all));
    gd_any outputs = gd_is_nil(all) ? all : gd_check_differentiable(hold, all);
    gd_any grads = gd_is_nil(outputs) ? outputs : part(hold, args, n, self->ngrads, self->grad_diff, false);
    gd_any diff = gd_is_nil(grads) ? grads : part(hold, inputs, 0, n, self->input_diff, true);
    if (gd_is_nil(diff)) return diff;
    const gd_backward_options options = {.create_graph = true, .retain_graph = true, .allow_unused = true};
    gd_any found = gd_hold_any(hold, gd_gradients(vm, outputs, diff, grads, &options));
    if (gd_is_nil(found)) return found;
    size_t count = 0;
    for (size_t i = 0; i < gd_entries(found); i++) count += gd_is_tensor(gd_entry(found, i));
    gd_any result = gd_tuple_new(vm, &gd_class_tuple, count);
    for (size_t i = 0, at = 0; !gd_is_nil(result) && i < gd_entries(found); i++)
        if (gd_is_tensor(gd_entry(found, i))) ((gd_tuple *)result.u.object)->items[at++] = gd_keep(gd_entry(found, i));
    return result;
}

static gd_any call_gradient(gd_vm *vm, const gd_checked *self, gd_any args) {
    gd_hold hold = {.vm = vm};
    gd_any result = gradient_held(&hold, self, args);
    gd_hold_end(&hold);
    return result;
}

/* A cotangent as PyTorch draws it: uniform in [-1, 1). */
static gd_any draw(gd_hold *hold, gd_tensor *like) {
    gd_vm *vm = hold->vm;
    gd_tensor *plain = gd_hold_tensor(hold, gd_detach(vm->ctx, like));
    gd_tensor *r = GD_DO(hold, rand_like, GD_TENSOR_VALUE(plain));
    gd_tensor *rest = GD_DO(hold, rsub, GD_TENSOR_VALUE(r), GD_TENSOR_VALUE(gd_wrapped(hold, 1)));
    rest = GD_DO(hold, mul, GD_TENSOR_VALUE(rest), GD_TENSOR_VALUE(gd_wrapped(hold, -1)));
    gd_tensor *t = GD_DO(hold, mul, GD_TENSOR_VALUE(r), GD_TENSOR_VALUE(gd_wrapped(hold, 1)));
    t = GD_DO(hold, add, GD_TENSOR_VALUE(t), GD_TENSOR_VALUE(rest));
    if (!t) return GD_NIL;
    return gd_set_requires_grad(vm->ctx, t, true) == GD_OK ? gd_any_of(t) : gd_raise_engine(vm);
}

static gd_any drawn_cotangents(gd_hold *hold, gd_any f, gd_any inputs) {
    gd_vm *vm = hold->vm;
    gd_any all = gd_hold_any(hold, gd_call_tuple(vm, f, inputs));
    if (!gd_is_nil(all)) all = gd_hold_any(hold, gd_check_as_tuple(vm, all));
    gd_any outputs = gd_is_nil(all) ? all : gd_check_differentiable(hold, all);
    if (gd_is_nil(outputs)) return outputs;
    gd_any result = gd_hold_any(hold, gd_tuple_new(vm, &gd_class_tuple, gd_entries(outputs)));
    for (size_t i = 0; !gd_is_nil(result) && i < gd_entries(outputs); i++) {
        gd_any one = draw(hold, gd_entry(outputs, i).u.tensor);
        if (gd_is_nil(one)) return one;
        ((gd_tuple *)result.u.object)->items[i] = one;
    }
    return result;
}

static const bool *marks(gd_hold *hold, gd_any tuple) {
    bool *m = gd_hold_bytes(hold, gd_entries(tuple) + 1, sizeof *m);
    for (size_t i = 0; m && i < gd_entries(tuple); i++) m[i] = gd_check_wants_grad(gd_entry(tuple, i));
    return m;
}

static gd_any joined(gd_hold *hold, gd_any a, gd_any b) {
    size_t n = gd_entries(a), m = gd_entries(b);
    gd_any result = gd_hold_any(hold, gd_tuple_new(hold->vm, &gd_class_tuple, n + m));
    for (size_t i = 0; !gd_is_nil(result) && i < n + m; i++)
        ((gd_tuple *)result.u.object)->items[i] = gd_keep(i < n ? gd_entry(a, i) : gd_entry(b, i - n));
    return result;
}

static gd_any check_gradient(gd_hold *hold, gd_any func, gd_any given, gd_any grads, gd_check *c, bool raises) {
    gd_vm *vm = hold->vm;
    gd_any inputs = gd_hold_any(hold, gd_check_as_tuple(vm, given));
    if (gd_is_nil(inputs)) return inputs;
    gd_any cotangents =
        gd_is_none(grads) ? drawn_cotangents(hold, func, inputs) : gd_hold_any(hold, gd_check_as_tuple(vm, grads));
    gd_any whole = gd_is_nil(cotangents) ? cotangents : joined(hold, inputs, cotangents);
    if (gd_is_nil(whole)) return whole;
    const gd_checked f = {.call = call_gradient,
                          .f = func,
                          .ngrads = gd_entries(cotangents),
                          .input_diff = marks(hold, inputs),
                          .grad_diff = marks(hold, cotangents)};
    return f.input_diff && f.grad_diff ? check_one(vm, &f, whole, c, raises) : GD_NIL;
}

gd_any gd_check_function(gd_vm *vm, gd_any f, gd_any inputs, bool second, gd_check *c) {
    const gd_checked first = {.call = call_program, .f = f};
    if (!second) return check_one(vm, &first, inputs, c, true);
    gd_hold hold = {.vm = vm};
    gd_any result = check_gradient(&hold, f, inputs, GD_ANY_NONE, c, true);
    gd_hold_end(&hold);
    return result;
}

enum {
    GG_FUNC,
    GG_INPUTS,
    GG_GRADS,
    GG_EPS,
    GG_ATOL,
    GG_RTOL,
    GG_NONCONTIGUOUS,
    GG_RAISE,
    GG_NONDET,
    GG_UNDEFINED,
    GG_DTYPES,
    GG_BATCHED,
    GG_FORWARD,
    GG_REVERSE,
    GG_FAST,
    GG_COUNT
};
static const gd_argument gradgradcheck_arguments[GG_COUNT] = {
    {"func", GD_NIL, false},
    {"inputs", GD_NIL, false},
    {"grad_outputs", GD_ANY_NONE, false},
    {"eps", GD_ANY_FLOAT(1e-6), true},
    {"atol", GD_ANY_FLOAT(1e-5), true},
    {"rtol", GD_ANY_FLOAT(1e-3), true},
    {"gen_non_contig_grad_outputs", GD_ANY_BOOL(false), true},
    {"raise_exception", GD_ANY_BOOL(true), true},
    {"nondet_tol", GD_ANY_FLOAT(0), true},
    {"check_undefined_grad", GD_ANY_BOOL(true), true},
    {"check_grad_dtypes", GD_ANY_BOOL(false), true},
    {"check_batched_grad", GD_ANY_BOOL(false), true},
    {"check_fwd_over_rev", GD_ANY_BOOL(false), true},
    {"check_rev_over_rev", GD_ANY_BOOL(true), true},
    {"fast_mode", GD_ANY_BOOL(false), true},
};

static gd_any gradgradcheck(gd_vm *vm, const gd_args *args) {
    gd_any v[GG_COUNT];
    bool raises, forward, reverse, batched;
    gd_check c = {0};
    if (!GD_BIND(vm, "gradgradcheck", gradgradcheck_arguments, args, v)) return GD_NIL;
    if (!read_flag(vm, v[GG_RAISE], &raises) || !read_flag(vm, v[GG_FORWARD], &forward) ||
        !read_flag(vm, v[GG_REVERSE], &reverse) || !read_flag(vm, v[GG_BATCHED], &batched) ||
        !read_flag(vm, v[GG_UNDEFINED], &c.undefined_grad) || !read_numbers(vm, v + GG_EPS, &c) ||
        !gd_to_real(vm, v[GG_NONDET], &c.nondet_tol))
        return GD_NIL;
    if (refuse(vm, !forward && !reverse,
               "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True") ||
        refuse(vm, c.undefined_grad && !reverse,
               "Setting check_undefined_grad=True requires check_rev_over_rev to be True") ||
        refuse(vm, batched && !reverse, "Setting check_batched_grad=True requires check_rev_over_rev to be True") ||
        refuse_forward(vm, forward))
        return GD_NIL;
    gd_hold hold = {.vm = vm};
    gd_any result = check_gradient(&hold, v[GG_FUNC], v[GG_INPUTS], v[GG_GRADS], &c, raises);
    gd_hold_end(&hold);
    return result;
}

const gd_native gd_native_gradcheck = {"gradcheck", gradcheck, 0, -1, "*"};
const gd_native gd_native_gradgradcheck = {"gradgradcheck", gradgradcheck, 0, -1, "*"};

const gd_member gd_members_gradcheck[] = {
    {"gradcheck", GD_ANY_NATIVE(&gd_native_gradcheck)},
    {"gradgradcheck", GD_ANY_NATIVE(&gd_native_gradgradcheck)},
    {"GradcheckError", GD_ANY_CLASS(&gd_class_GradcheckError)},
    {NULL, GD_NIL},
};
