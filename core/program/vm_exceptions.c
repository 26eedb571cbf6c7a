/* vm_exceptions.c: raising, matching, contexts, and the search for who handles an exception. */
#include "core/program/code.h"
#include "core/program/heap.h"

/* ---- raise, except --------------------------------------------------------------------------- */

static bool covers(const gd_guard *g, uint32_t at) { return at >= g->from && at < g->to; }

/* The exception that is being handled where the frames are now; borrowed, NIL: none. */
static gd_any handled(const gd_vm *vm) {
    for (const gd_frame *f = vm->frame; f; f = f->back) {
        uint32_t at = (uint32_t)(f->pc - f->code->ins) - 1;
        for (uint32_t i = 0; i < f->code->nguards; i++) {
            const gd_guard *g = &f->code->guards[i];
            if (g->kind == GD_GUARD_HANDLING && covers(g, at)) return f->stack[g->depth];
        }
    }
    return GD_NIL;
}

/* The cause of `raise … from cause`: an exception, a class of them, None. */
static bool set_cause(gd_vm *vm, gd_any cause) {
    gd_any raised = vm->exception;
    if (gd_is_none(cause)) return true;
    gd_any made = gd_is_exception_class(cause) ? gd_exception_new(vm, cause.u.class, GD_NIL) : gd_keep(cause);
    if (gd_is_nil(made)) return false;
    if (!gd_is_exception(made)) {
        gd_drop(vm->env->heap, made);
        gd_raise(vm, &gd_class_TypeError, "exception causes must derive from BaseException");
        return false;
    }
    gd_exception *e = (gd_exception *)raised.u.object;
    gd_drop(vm->env->heap, e->cause);
    e->cause = made;
    return true;
}

bool gd_do_raise(gd_vm *vm, uint32_t how, const gd_any *sp) {
    if (how == 0) {
        gd_any e = handled(vm);
        if (gd_is_nil(e))
            gd_raise(vm, &gd_class_RuntimeError, "No active exception to reraise");
        else
            gd_raise_value(vm, e);
        return false;
    }
    gd_any exception = sp[-(int)how];
    if (exception.tag == GD_A_CLASS && gd_is_exception_class(exception)) {
        gd_args none = {0};
        gd_any made = gd_call_other(vm, exception, &none, NULL);
        if (gd_is_nil(made)) return false;
        gd_raise_value(vm, made);
        gd_drop(vm->env->heap, made);
    } else {
        gd_raise_value(vm, exception);
    }
    if (how == 2 && gd_is_exception(vm->exception) && (gd_is_exception(exception) || exception.tag == GD_A_CLASS))
        set_cause(vm, sp[-1]);
    return false;
}

int gd_do_match(gd_vm *vm, gd_any exception, gd_any type) {
    const gd_any *types = &type;
    size_t n = 1;
    if (gd_is_tuple(type)) gd_items(type, &types, &n);
    for (size_t i = 0; i < n; i++)
        if (!gd_is_exception_class(types[i])) {
            gd_raise(vm, &gd_class_TypeError, "catching classes that do not inherit from BaseException is not allowed");
            return -1;
        }
    for (size_t i = 0; i < n; i++)
        if (gd_subclass(exception.u.object->class, types[i].u.class)) return 1;
    return 0;
}

/* ---- with ------------------------------------------------------------------------------------ */

gd_any gd_do_enter(gd_vm *vm, gd_any context) {
    gd_any (*enter)(gd_vm *, gd_any);
    bool (*leave)(gd_vm *, gd_any);
    const gd_class *class = gd_class_of(context);
    GD_SLOT(class, enter, enter);
    GD_SLOT(class, leave, leave);
    if (enter && leave) return enter(vm, context);
    return gd_raise(vm, &gd_class_TypeError, "'%s' object does not support the context manager protocol",
                    gd_class_label(context));
}

bool gd_do_leave(gd_vm *vm, gd_any context) {
    bool (*leave)(gd_vm *, gd_any);
    if (context.tag == GD_A_NONE) return true;
    GD_SLOT(gd_class_of(context), leave, leave);
    return !leave || leave(vm, context);
}

/* ---- the search ------------------------------------------------------------------------------ */

static void cut_stack(gd_vm *vm, gd_frame *frame, uint32_t depth) {
    while (frame->sp > frame->stack + depth) gd_drop(vm->env->heap, *--frame->sp);
}

static void leave_context(gd_vm *vm, gd_frame *frame, uint32_t depth) {
    cut_stack(vm, frame, depth);
    gd_any context = *--frame->sp;
    (void)gd_do_leave(vm, context);
    gd_drop(vm->env->heap, context);
}

/* Does this frame handle it? Contexts on the way are left. A passed limit is handled by nobody. */
static bool handle(gd_vm *vm, gd_frame *frame) {
    uint32_t at = (uint32_t)(frame->pc - frame->code->ins) - 1;
    for (uint32_t i = 0; i < frame->code->nguards; i++) {
        const gd_guard *g = &frame->code->guards[i];
        if (g->kind == GD_GUARD_HANDLING || !covers(g, at)) continue;
        if (g->kind == GD_GUARD_CONTEXT) {
            leave_context(vm, frame, g->depth);
        } else if (!vm->passed) {
            cut_stack(vm, frame, g->depth);
            *frame->sp++ = vm->exception;
            vm->exception = GD_NIL;
            frame->pc = frame->code->ins + g->handler;
            return true;
        }
    }
    return false;
}

static void note_limit(gd_vm *vm, const gd_frame *frame) {
    if (vm->limit_at.line || !frame->code->nins) return;
    vm->limit_at = gd_bytecode_at(frame->code, frame->pc - 1);
    vm->limit_code = frame->code;
    frame->code->head.refs++;
}

bool gd_vm_unwind(gd_vm *vm, bool again) {
    for (;; again = false) {
        gd_frame *frame = vm->frame;
        if (vm->passed)
            note_limit(vm, frame);
        else if (!again || gd_is_nil(((gd_exception *)vm->exception.u.object)->trace))
            gd_trace_note(vm, (gd_exception *)vm->exception.u.object, frame);
        if (handle(vm, frame)) return true;
        bool entry = frame->flags & GD_FRAME_ENTRY;
        gd_frame_pop(vm);
        if (entry) return false;
    }
}
