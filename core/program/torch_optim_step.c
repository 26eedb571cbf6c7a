/* torch_optim_step.c: step() of the optimizers of torch.optim: PyTorch's operations in PyTorch's order. */
#include "core/program/torch_optim.h"

#include <math.h>

#define T(t) GD_TENSOR_VALUE(t)
#define R(v) GD_FLOAT_VALUE(v)
#define W(v) GD_TENSOR_VALUE(gd_wrapped(&u->hold, (v)))

/* ---- what rules read ------------------------------------------------------------------------- */

/* A tensor of the parameter's state; NULL with an exception. */
static gd_tensor *state_tensor(gd_update *u, const char *name) {
    gd_any v = gd_optim_get(u->hold.vm, u->state, name);
    if (gd_is_nil(v)) return NULL;
    if (gd_is_tensor(v)) return v.u.tensor;
    gd_raise(u->hold.vm, &gd_class_TypeError, "state['%s'] must be a tensor, not %s", name, gd_type_name(v));
    return NULL;
}

static bool set_zeros(gd_update *u, const char *name) {
    gd_tensor *zeros = GD_DO(&u->hold, zeros_like, T(u->param));
    return zeros && gd_optim_set(u->hold.vm, u->state, name, gd_any_of(zeros));
}

static bool fresh(const gd_update *u) { return gd_dict_count(gd_as_dict(u->state)) == 0; }

/* torch.tensor(0.) */
static gd_any step_zero(gd_vm *vm) {
    gd_tensor *t = gd_scalar_f64(vm->ctx, 0, GD_FLOAT32);
    return t ? GD_ANY_TENSOR(t) : gd_raise_engine(vm);
}

static bool item_of(gd_vm *vm, const gd_tensor *t, double *out) {
    gd_value v;
    if (gd_item(vm->ctx, t, &v) != GD_OK) return gd_raise_engine(vm), false;
    *out = v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_INT ? (double)v.u.integer : v.u.boolean;
    return true;
}

/* step += 1 and its value. */
static bool next_step(gd_update *u, gd_tensor **step, double *value) {
    *step = state_tensor(u, "step");
    return *step && GD_DO_(&u->hold, add, T(*step), W(1)) && item_of(u->hold.vm, *step, value);
}

static bool number(gd_update *u, const char *name, double *out) {
    return gd_optim_number(u->hold.vm, u->group, name, out);
}

static bool flag(gd_update *u, const char *name, bool *out) { return gd_optim_flag(u->hold.vm, u->group, name, out); }

/* The gradient to descend along: negated to maximize, with the weight decay added. */
static gd_tensor *descent(gd_update *u, double weight_decay) {
    bool maximize;
    gd_tensor *grad = u->grad;
    if (!flag(u, "maximize", &maximize)) return NULL;
    if (maximize) grad = GD_DO(&u->hold, neg, T(grad));
    if (weight_decay != 0) grad = GD_DO(&u->hold, add, T(grad), T(u->param), R(weight_decay));
    return grad;
}

static bool zero_division(gd_update *u) {
    gd_raise(u->hold.vm, &gd_class_ZeroDivisionError, "float division by zero");
    return false;
}

/* ---- SGD ------------------------------------------------------------------------------------- */

/* The momentum buffer after this gradient; a new one is the gradient itself. */
static gd_tensor *momentum_buffer(gd_update *u, gd_tensor *grad, double momentum, double dampening) {
    gd_any held = GD_NIL;
    int found = gd_optim_find(u->hold.vm, u->state, "momentum_buffer", &held);
    if (found < 0) return NULL;
    if (found && gd_is_tensor(held)) {
        gd_tensor *buffer = gd_hold_tensor(&u->hold, gd_retain(held.u.tensor));
        if (!GD_DO_(&u->hold, mul, T(buffer), W(momentum))) return NULL;
        return GD_DO_(&u->hold, add, T(buffer), T(grad), R(1 - dampening));
    }
    gd_tensor *copy = GD_DO(&u->hold, clone, T(grad));
    copy = copy ? gd_hold_tensor(&u->hold, gd_detach(u->hold.vm->ctx, copy)) : NULL;
    return copy && gd_optim_set(u->hold.vm, u->state, "momentum_buffer", gd_any_of(copy)) ? copy : NULL;
}

bool gd_optim_update_sgd(gd_update *u) {
    double lr, momentum, dampening, weight_decay;
    bool nesterov;
    if (!number(u, "weight_decay", &weight_decay) || !number(u, "momentum", &momentum) || !number(u, "lr", &lr) ||
        !number(u, "dampening", &dampening) || !flag(u, "nesterov", &nesterov))
        return false;
    gd_tensor *grad = descent(u, weight_decay);
    gd_any there;
    if (momentum != 0) {
        gd_tensor *buffer = grad ? momentum_buffer(u, grad, momentum, dampening) : NULL;
        grad = nesterov && buffer ? GD_DO(&u->hold, add, T(grad), T(buffer), R(momentum)) : buffer;
    } else {
        int found = gd_optim_find(u->hold.vm, u->state, "momentum_buffer", &there);
        if (found < 0 || (!found && !gd_optim_set(u->hold.vm, u->state, "momentum_buffer", GD_ANY_NONE))) return false;
    }
    return GD_DO_(&u->hold, add, T(u->param), T(grad), R(-lr)) != NULL;
}

/* ---- Adam and AdamW -------------------------------------------------------------------------- */

typedef struct adam {
    double lr, beta1, beta2, eps, weight_decay, step;
    bool amsgrad, differentiable;
    gd_tensor *grad, *step_tensor, *average, *square, *most; /* most: amsgrad's maximum */
} adam;

static bool read_betas(gd_update *u, adam *a) {
    gd_vm *vm = u->hold.vm;
    gd_any betas = gd_optim_get(vm, u->group, "betas");
    gd_any both = gd_is_nil(betas) ? betas : gd_hold_any(&u->hold, gd_tuple_from(vm, betas));
    if (gd_is_nil(both)) return false;
    if (gd_entries(both) != 2) {
        if (gd_entries(both) > 2)
            gd_raise(vm, &gd_class_ValueError, "too many values to unpack (expected 2)");
        else
            gd_raise(vm, &gd_class_ValueError, "not enough values to unpack (expected 2, got %zu)", gd_entries(both));
        return false;
    }
    return gd_to_real(vm, gd_entry(both, 0), &a->beta1) && gd_to_real(vm, gd_entry(both, 1), &a->beta2);
}

static bool begin_adam_state(gd_update *u, bool amsgrad) {
    return gd_optim_set(u->hold.vm, u->state, "step", step_zero(u->hold.vm)) && set_zeros(u, "exp_avg") &&
           set_zeros(u, "exp_avg_sq") && (!amsgrad || set_zeros(u, "max_exp_avg_sq"));
}

static bool read_adam(gd_update *u, adam *a) {
    bool capturable;
    if (!read_betas(u, a) || !flag(u, "amsgrad", &a->amsgrad) || !flag(u, "capturable", &capturable)) return false;
    if (fresh(u) && !begin_adam_state(u, a->amsgrad)) return false;
    if (!number(u, "lr", &a->lr) || !number(u, "weight_decay", &a->weight_decay) || !number(u, "eps", &a->eps))
        return false;
    if (capturable) {
        gd_raise(u->hold.vm, &gd_class_AssertionError,
                 "If capturable=True, params and state_steps must be CUDA tensors.");
        return false;
    }
    a->average = state_tensor(u, "exp_avg");
    a->square = a->average ? state_tensor(u, "exp_avg_sq") : NULL;
    if (!a->square || (a->amsgrad && !(a->most = state_tensor(u, "max_exp_avg_sq")))) return false;
    return next_step(u, &a->step_tensor, &a->step);
}

/* The averages of the gradient and of its square. */
static bool move_averages(gd_update *u, const adam *a) {
    return a->grad && GD_DO_(&u->hold, mul, T(a->average), W(a->beta1)) &&
           GD_DO_(&u->hold, add, T(a->average), T(a->grad), R(1 - a->beta1)) &&
           GD_DO_(&u->hold, mul, T(a->square), W(a->beta2)) &&
           GD_DO_(&u->hold, addcmul, T(a->square), T(a->grad), T(a->grad), R(1 - a->beta2));
}

/* amsgrad: the maximum of all squares until now, which then stands for the square. */
static gd_tensor *square_used(gd_update *u, const adam *a) {
    if (!a->amsgrad) return a->square;
    gd_tensor *before = a->differentiable ? GD_DO(&u->hold, clone, T(a->most)) : a->most;
    gd_tensor *most = GD_DO(&u->hold, maximum, T(before), T(a->square));
    return GD_DO_(&u->hold, copy_, T(a->most), T(most));
}

static bool descend_plain(gd_update *u, const adam *a) {
    double correction1 = 1 - pow(a->beta1, a->step), correction2 = 1 - pow(a->beta2, a->step);
    if (correction1 == 0) return zero_division(u);
    if (correction2 < 0) return gd_raise(u->hold.vm, &gd_class_ValueError, "math domain error"), false;
    double size = a->lr / correction1, root = sqrt(correction2);
    gd_tensor *square = square_used(u, a);
    gd_tensor *denominator = GD_DO(&u->hold, div, T(GD_DO(&u->hold, sqrt, T(square))), W(root));
    if (!denominator || !GD_DO_(&u->hold, add, T(denominator), W(a->eps))) return false;
    return GD_DO_(&u->hold, addcdiv, T(u->param), T(a->average), T(denominator), R(-size)) != NULL;
}

/* 1 - beta ** step, as a tensor. */
static gd_tensor *correction(gd_update *u, double beta, gd_tensor *step) {
    gd_tensor *power = GD_DO(&u->hold, pow_base, R(beta), T(step));
    return GD_DO(&u->hold, rsub_scalar, T(power), GD_INT_VALUE(1));
}

/* v / t, as PyTorch divides a number by a tensor. */
static gd_tensor *divided(gd_update *u, double v, gd_tensor *t) {
    return GD_DO(&u->hold, mul, T(GD_DO(&u->hold, reciprocal, T(t))), W(v));
}

/* All of it in tensors, so that gradients flow through the step. */
static bool descend_recorded(gd_update *u, const adam *a) {
    gd_tensor *size = divided(u, a->lr, correction(u, a->beta1, a->step_tensor));
    gd_tensor *negative = GD_DO(&u->hold, neg, T(size));
    gd_tensor *root = GD_DO(&u->hold, sqrt, T(correction(u, a->beta2, a->step_tensor)));
    gd_tensor *scale = GD_DO(&u->hold, mul, T(root), T(negative));
    gd_tensor *square = square_used(u, a);
    gd_tensor *denominator = GD_DO(&u->hold, div, T(GD_DO(&u->hold, sqrt, T(square))), T(scale));
    if (!GD_DO_(&u->hold, add, T(denominator), T(divided(u, a->eps, negative)))) return false;
    return GD_DO_(&u->hold, addcdiv, T(u->param), T(a->average), T(denominator)) != NULL;
}

bool gd_optim_update_adam(gd_update *u) {
    adam a = {0};
    if (!flag(u, "differentiable", &a.differentiable) || !read_adam(u, &a)) return false;
    if (a.differentiable && gd_requires_grad(a.step_tensor)) {
        gd_raise(u->hold.vm, &gd_class_RuntimeError,
                 "`requires_grad` is not supported for `step` in differentiable mode");
        return false;
    }
    a.grad = descent(u, a.weight_decay);
    if (!move_averages(u, &a)) return false;
    return a.differentiable ? descend_recorded(u, &a) : descend_plain(u, &a);
}

bool gd_optim_update_adamw(gd_update *u) {
    adam a = {0};
    if (!read_adam(u, &a)) return false;
    a.grad = descent(u, 0);
    return GD_DO_(&u->hold, mul, T(u->param), W(1 - a.lr * a.weight_decay)) && move_averages(u, &a) &&
           descend_plain(u, &a);
}

/* ---- RMSprop --------------------------------------------------------------------------------- */

static bool begin_rmsprop(gd_update *u, double momentum, bool centered) {
    return gd_optim_set(u->hold.vm, u->state, "step", GD_ANY_INT(0)) && set_zeros(u, "square_avg") &&
           (!(momentum > 0) || set_zeros(u, "momentum_buffer")) && (!centered || set_zeros(u, "grad_avg"));
}

static bool count_step(gd_update *u) {
    gd_vm *vm = u->hold.vm;
    gd_any step = gd_optim_get(vm, u->state, "step");
    return !gd_is_nil(step) && gd_optim_set(vm, u->state, "step", gd_binary(vm, GD_PY_ADD, step, GD_ANY_INT(1), true));
}

/* The root of the mean square, with the mean taken off it if centered. */
static gd_tensor *root_mean_square(gd_update *u, gd_tensor *grad, double alpha, bool centered) {
    gd_tensor *square = state_tensor(u, "square_avg");
    if (!GD_DO_(&u->hold, mul, T(square), W(alpha)) ||
        !GD_DO_(&u->hold, addcmul, T(square), T(grad), T(grad), R(1 - alpha)))
        return NULL;
    if (!centered) return GD_DO(&u->hold, sqrt, T(square));
    gd_tensor *mean = state_tensor(u, "grad_avg");
    if (!GD_DO_(&u->hold, mul, T(mean), W(alpha)) || !GD_DO_(&u->hold, add, T(mean), T(grad), R(1 - alpha)))
        return NULL;
    gd_tensor *variance = GD_DO(&u->hold, addcmul, T(square), T(mean), T(mean), GD_INT_VALUE(-1));
    return GD_DO(&u->hold, sqrt, T(variance));
}

bool gd_optim_update_rmsprop(gd_update *u) {
    double lr, alpha, eps, weight_decay, momentum;
    bool centered, differentiable;
    if (!number(u, "lr", &lr) || !number(u, "alpha", &alpha) || !number(u, "eps", &eps) ||
        !number(u, "weight_decay", &weight_decay) || !number(u, "momentum", &momentum) ||
        !flag(u, "centered", &centered) || !flag(u, "differentiable", &differentiable))
        return false;
    if ((fresh(u) && !begin_rmsprop(u, momentum, centered)) || !count_step(u)) return false;
    gd_tensor *grad = descent(u, weight_decay);
    gd_tensor *root = grad ? root_mean_square(u, grad, alpha, centered) : NULL;
    root = differentiable ? GD_DO(&u->hold, add, T(root), W(eps)) : GD_DO_(&u->hold, add, T(root), W(eps));
    if (!root) return false;
    if (!(momentum > 0)) return GD_DO_(&u->hold, addcdiv, T(u->param), T(grad), T(root), R(-lr)) != NULL;
    gd_tensor *buffer = state_tensor(u, "momentum_buffer");
    return GD_DO_(&u->hold, mul, T(buffer), W(momentum)) && GD_DO_(&u->hold, addcdiv, T(buffer), T(grad), T(root)) &&
           GD_DO_(&u->hold, add, T(u->param), T(buffer), R(-lr));
}

/* ---- Adagrad --------------------------------------------------------------------------------- */

static bool begin_adagrad_param(gd_update *u, double initial) {
    gd_tensor *sum = GD_DO(&u->hold, full_like, T(u->param), R(initial));
    return sum && gd_optim_set(u->hold.vm, u->state, "step", step_zero(u->hold.vm)) &&
           gd_optim_set(u->hold.vm, u->state, "sum", gd_any_of(sum));
}

bool gd_optim_begin_adagrad(gd_vm *vm, gd_optimizer *o) {
    double initial;
    bool done = gd_optim_number(vm, o->defaults, "initial_accumulator_value", &initial);
    for (size_t g = 0; done && g < gd_entries(o->param_groups); g++) {
        gd_any params = gd_optim_params(vm, gd_entry(o->param_groups, g));
        done = !gd_is_nil(params);
        for (size_t i = 0; done && i < gd_entries(params); i++) {
            gd_any param = gd_entry(params, i);
            gd_update u = {.hold = {.vm = vm}, .param = param.u.tensor, .state = gd_optim_state_of(vm, o, param)};
            done = !gd_is_nil(u.state) && begin_adagrad_param(&u, initial);
            gd_hold_end(&u.hold);
        }
    }
    return done;
}

bool gd_optim_update_adagrad(gd_update *u) {
    double lr, lr_decay, eps, weight_decay, step;
    gd_tensor *step_tensor, *sum = state_tensor(u, "sum");
    if (!sum || !number(u, "lr", &lr) || !number(u, "weight_decay", &weight_decay) ||
        !number(u, "lr_decay", &lr_decay) || !number(u, "eps", &eps) || !next_step(u, &step_tensor, &step))
        return false;
    gd_tensor *grad = descent(u, weight_decay);
    double divisor = 1 + (step - 1) * lr_decay;
    if (divisor == 0) return zero_division(u);
    if (!grad || !GD_DO_(&u->hold, addcmul, T(sum), T(grad), T(grad), GD_INT_VALUE(1))) return false;
    gd_tensor *root = GD_DO(&u->hold, sqrt, T(sum));
    return GD_DO_(&u->hold, add, T(root), W(eps)) &&
           GD_DO_(&u->hold, addcdiv, T(u->param), T(grad), T(root), R(-(lr / divisor)));
}

/* ---- step ------------------------------------------------------------------------------------ */

static bool update_param(gd_vm *vm, gd_optimizer *o, const gd_optim_kind *kind, gd_any group, gd_any param) {
    if (!gd_is_tensor(param)) {
        gd_raise(vm, &gd_class_AttributeError, "'%s' object has no attribute 'grad'", gd_type_name(param));
        return false;
    }
    gd_tensor *grad = gd_grad(param.u.tensor);
    if (!grad) return true;
    gd_update u = {.hold = {.vm = vm}, .optimizer = o, .group = group, .param = param.u.tensor, .grad = grad};
    u.state = gd_optim_state_of(vm, o, param);
    bool done = !gd_is_nil(u.state) && gd_work(vm, 4) && kind->update(&u);
    gd_hold_end(&u.hold);
    return done;
}

static bool update_all(gd_vm *vm, gd_optimizer *o) {
    const gd_optim_kind *kind = gd_optim_kind_of(o);
    for (size_t g = 0; g < gd_entries(o->param_groups); g++) {
        gd_any group = gd_entry(o->param_groups, g), params = gd_optim_params(vm, group);
        if (gd_is_nil(params)) return false;
        for (size_t i = 0; i < gd_entries(params); i++)
            if (!update_param(vm, o, kind, group, gd_entry(params, i))) return false;
    }
    return true;
}

/* The loss that the closure answers, computed with grad mode on; None without one. */
static gd_any call_closure(gd_vm *vm, gd_any closure) {
    if (gd_is_none(closure)) return closure;
    gd_grad_mode mode = vm->ctx->mode;
    gd_grad_mode_set(vm->ctx, true);
    gd_any loss = gd_call_any(vm, closure, &(gd_args){0});
    vm->ctx->mode = mode;
    return loss;
}

static bool is_differentiable(gd_vm *vm, const gd_optimizer *o, bool *out) {
    gd_any v;
    int found = gd_optim_find(vm, o->defaults, "differentiable", &v);
    if (found > 0) found = gd_truth(vm, v);
    *out = found > 0;
    return found >= 0;
}

gd_any gd_optim_step(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}, {"closure", GD_ANY_NONE, false}};
    gd_any v[2];
    bool differentiable;
    if (!GD_BIND(vm, "step", wanted, args, v)) return GD_NIL;
    gd_optimizer *o = (gd_optimizer *)v[0].u.object;
    if (!is_differentiable(vm, o, &differentiable)) return GD_NIL;
    gd_grad_mode mode = vm->ctx->mode;
    gd_grad_mode_set(vm->ctx, differentiable);
    gd_any self = gd_keep(v[0]), loss = call_closure(vm, v[1]);
    bool done = !gd_is_nil(loss) && update_all(vm, o);
    vm->ctx->mode = mode;
    gd_drop(gd_vm_heap(vm), self);
    if (done) return loss;
    gd_drop(gd_vm_heap(vm), loss);
    return GD_NIL;
}
