/* torch_modes.c: torch.no_grad, enable_grad, inference_mode and set_grad_enabled, as contexts, calls and decorators. */
#include "core/program/natives.h"

/* What one of the four does to the mode when it begins. */
typedef struct mode_object {
    gd_object head;
    bool flag; /* of inference_mode and set_grad_enabled */
    gd_grad_mode before;
} mode_object;

/* f under a mode: what a decorator gives. */
typedef struct decorated {
    gd_object head;
    gd_any f;
    const gd_class *mode;
    bool flag;
} decorated;

static const gd_class decorated_class;

void gd_grad_mode_set(gd_ctx *ctx, bool enabled) {
    if (ctx->mode != GD_MODE_INFERENCE) ctx->mode = enabled ? GD_MODE_GRAD : GD_MODE_NO_GRAD;
}

/* Begins the mode and answers the one before. */
static gd_grad_mode begin(gd_ctx *ctx, const gd_class *class, bool flag) {
    gd_grad_mode before = ctx->mode;
    if (class == &gd_class_inference_mode)
        ctx->mode = flag ? GD_MODE_INFERENCE : GD_MODE_GRAD;
    else
        gd_grad_mode_set(ctx, class == &gd_class_enable_grad || (class == &gd_class_set_grad_enabled && flag));
    return before;
}

/* ---- decorators ------------------------------------------------------------------------------ */

static gd_any decorate(gd_vm *vm, const gd_class *class, bool flag, gd_any f) {
    decorated *d = gd_object_new(vm, &decorated_class, sizeof *d);
    if (!d) return GD_NIL;
    d->f = gd_keep(f);
    d->mode = class;
    d->flag = flag;
    return GD_ANY_OBJECT(d);
}

static void decorated_destroy(gd_heap *heap, gd_object *self) { gd_drop(heap, ((decorated *)self)->f); }

static void decorated_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((decorated *)self)->f);
}

static gd_any decorated_call(gd_vm *vm, gd_any self, const gd_args *args) {
    const decorated *d = (const decorated *)self.u.object;
    gd_any f = gd_keep(d->f);
    gd_grad_mode before = begin(vm->ctx, d->mode, d->flag);
    gd_any result = gd_call_any(vm, f, args);
    vm->ctx->mode = before;
    gd_drop(gd_vm_heap(vm), f);
    return result;
}

static gd_any decorated_repr(gd_vm *vm, gd_any self) {
    const decorated *d = (const decorated *)self.u.object;
    const char *name = gd_callable_name(d->f);
    return gd_str_printf(vm, "<function %s at %p>", name ? name : "decorate_context", (const void *)d);
}

/* The function's own attributes: __name__, __doc__. */
static gd_any decorated_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const decorated *d = (const decorated *)self.u.object;
    if (gd_str_is(name, "__wrapped__")) return gd_keep(d->f);
    return gd_find_attribute(vm, d->f, name);
}

static const gd_class decorated_class = {
    .name = "function",
    .destroy = decorated_destroy,
    .visit = decorated_visit,
    .repr = decorated_repr,
    .getattr = decorated_getattr,
    .call = decorated_call,
};

/* ---- the contexts ---------------------------------------------------------------------------- */

static gd_any new_mode(gd_vm *vm, const gd_class *class, bool flag) {
    mode_object *m = gd_object_new(vm, class, sizeof *m);
    if (!m) return GD_NIL;
    m->flag = flag;
    m->before = vm->ctx->mode;
    return GD_ANY_OBJECT(m);
}

/* `@torch.no_grad` without parentheses: the function comes where arguments would. */
static bool lone_function(const gd_args *args) {
    return args->npos == 1 && !args->nkw && args->v[0].tag != GD_A_CLASS && gd_is_callable(args->v[0]);
}

static gd_any no_grad_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    if (lone_function(args)) return decorate(vm, class, false, args->v[0]);
    if (class == &gd_class_enable_grad && args->npos + args->nkw)
        return gd_raise(vm, &gd_class_TypeError, "enable_grad() takes no arguments");
    if (args->npos)
        return gd_raise(vm, &gd_class_TypeError, "no_grad.__init__() takes 1 positional argument but %u were given",
                        args->npos + 1);
    if (args->nkw)
        return gd_raise(vm, &gd_class_TypeError, "no_grad.__init__() got an unexpected keyword argument '%s'",
                        args->names[0]->text);
    return new_mode(vm, class, false);
}

static const gd_argument inference_arguments[] = {{"self", GD_NIL, false}, {"mode", GD_ANY_BOOL(true), false}};
static const gd_argument set_arguments[] = {{"self", GD_NIL, false}, {"mode", GD_NIL, false}};

static bool bind_mode(gd_vm *vm, const char *function, const gd_argument *wanted, const gd_args *args, gd_any *mode) {
    gd_any out[2];
    if (!gd_bind_init(vm, function, wanted, 2, args, out)) return false;
    *mode = out[1];
    return true;
}

static gd_any inference_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    gd_any mode;
    if (lone_function(args)) return decorate(vm, class, true, args->v[0]);
    if (!bind_mode(vm, "inference_mode.__init__", inference_arguments, args, &mode)) return GD_NIL;
    if (mode.tag != GD_A_BOOL)
        return gd_raise(vm, &gd_class_TypeError, "inference_mode(): mode must be a bool (got %s)", gd_type_name(mode));
    return new_mode(vm, class, mode.u.i != 0);
}

/* Acts at once, as a plain call; as a context it puts back what was before the call. */
static gd_any set_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    gd_any mode;
    if (!bind_mode(vm, "set_grad_enabled.__init__", set_arguments, args, &mode)) return GD_NIL;
    if (mode.tag != GD_A_BOOL)
        return gd_raise(vm, &gd_class_TypeError, "enabled must be a bool (got %s)", gd_type_name(mode));
    gd_any object = new_mode(vm, class, mode.u.i != 0);
    if (!gd_is_nil(object)) begin(vm->ctx, class, mode.u.i != 0);
    return object;
}

static gd_any mode_enter(gd_vm *vm, gd_any self) {
    mode_object *m = (mode_object *)self.u.object;
    if (m->head.class != &gd_class_set_grad_enabled) m->before = begin(vm->ctx, m->head.class, m->flag);
    return GD_ANY_NONE;
}

/* Leaving inference mode restores all of the mode; the others switch only what they switched. */
static bool mode_leave(gd_vm *vm, gd_any self) {
    const mode_object *m = (const mode_object *)self.u.object;
    if (m->head.class == &gd_class_inference_mode)
        vm->ctx->mode = m->before;
    else
        gd_grad_mode_set(vm->ctx, m->before == GD_MODE_GRAD);
    return true;
}

static gd_any mode_call(gd_vm *vm, gd_any self, const gd_args *args) {
    const mode_object *m = (const mode_object *)self.u.object;
    static const gd_argument wanted[] = {{"func", GD_NIL, false}};
    gd_any f;
    if (!GD_BIND(vm, "_DecoratorContextManager.__call__", wanted, args, &f)) return GD_NIL;
    return decorate(vm, m->head.class, m->flag, f);
}

static gd_any mode_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    (void)vm;
    const mode_object *m = (const mode_object *)self.u.object;
    if (gd_str_is(name, "prev")) return GD_ANY_BOOL(m->before == GD_MODE_GRAD);
    bool has_mode = m->head.class == &gd_class_inference_mode || m->head.class == &gd_class_set_grad_enabled;
    return has_mode && gd_str_is(name, "mode") ? GD_ANY_BOOL(m->flag) : GD_NIL;
}

#define MODE(text, maker)                                                                                              \
    {                                                                                                                  \
        .name = "torch.autograd.grad_mode." text, .make = (maker), .getattr = mode_getattr, .call = mode_call,         \
        .enter = mode_enter, .leave = mode_leave                                                                       \
    }
const gd_class gd_class_no_grad = MODE("no_grad", no_grad_make);
const gd_class gd_class_enable_grad = MODE("enable_grad", no_grad_make);
const gd_class gd_class_inference_mode = MODE("inference_mode", inference_make);
const gd_class gd_class_set_grad_enabled = MODE("set_grad_enabled", set_make);

const gd_member gd_members_grad_mode[] = {
    {"no_grad", GD_ANY_CLASS(&gd_class_no_grad)},
    {"enable_grad", GD_ANY_CLASS(&gd_class_enable_grad)},
    {"inference_mode", GD_ANY_CLASS(&gd_class_inference_mode)},
    {"set_grad_enabled", GD_ANY_CLASS(&gd_class_set_grad_enabled)},
    {NULL, GD_NIL},
};
