/* exceptions.c: the exception classes, their instances, and how C code makes one pending. */
#include "core/program/vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *gd_class_short(const gd_class *c) {
    const char *dot = strrchr(c->name, '.');
    return dot ? dot + 1 : c->name;
}

bool gd_is_exception(gd_any v) {
    return v.tag == GD_A_OBJECT && gd_subclass(v.u.object->class, &gd_class_BaseException);
}

bool gd_is_exception_class(gd_any v) { return v.tag == GD_A_CLASS && gd_subclass(v.u.class, &gd_class_BaseException); }

/* ---- instances -----------------------------------------------------------------------------------------------------
 */

/* Takes the tuple of arguments, also on failure. */
static gd_any new_instance(gd_vm *vm, const gd_class *class, gd_any args) {
    if (gd_is_nil(args)) return GD_NIL;
    gd_exception *e = gd_object_new(vm, class, sizeof *e);
    if (!e) return gd_drop(gd_vm_heap(vm), args), GD_NIL;
    e->args = args;
    e->cause = e->trace = GD_NIL;
    e->code = GD_OK;
    return GD_ANY_OBJECT(e);
}

gd_any gd_exception_new(gd_vm *vm, const gd_class *class, gd_any argument) {
    return new_instance(vm, class, gd_tuple_of(vm, gd_is_nil(argument) ? 0 : 1, &argument));
}

static gd_any exception_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    if (args->nkw) return gd_raise(vm, &gd_class_TypeError, "%s() takes no keyword arguments", gd_class_short(class));
    return new_instance(vm, class, gd_tuple_of(vm, args->npos, args->v));
}

static void exception_destroy(gd_heap *heap, gd_object *self) {
    gd_exception *e = (gd_exception *)self;
    gd_drop(heap, e->args);
    gd_drop(heap, e->cause);
    gd_drop(heap, e->trace);
}

static void exception_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    gd_exception *e = (gd_exception *)self;
    see(user, e->args);
    see(user, e->cause);
    see(user, e->trace);
}

static const gd_tuple *arguments(gd_any self) {
    gd_any args = ((gd_exception *)self.u.object)->args;
    return gd_is_tuple(args) ? (const gd_tuple *)args.u.object : NULL;
}

static gd_any exception_str(gd_vm *vm, gd_any self) {
    const gd_tuple *args = arguments(self);
    if (!args || args->n == 0) return gd_str_new(vm, "", 0);
    if (!gd_deeper(vm)) return GD_NIL; /* an exception may be among its own arguments */
    bool quoted = gd_subclass(self.u.object->class, &gd_class_KeyError);
    gd_any text = args->n > 1 ? gd_str_of(vm, ((gd_exception *)self.u.object)->args)
                  : quoted    ? gd_repr_of(vm, args->items[0])
                              : gd_str_of(vm, args->items[0]);
    gd_shallower(vm);
    return text;
}

/* ValueError(), ValueError('x'), ValueError('x', 1) */
static gd_any exception_repr(gd_vm *vm, gd_any self) {
    const gd_tuple *args = arguments(self);
    gd_buffer out = {.vm = vm};
    if (!gd_deeper(vm)) return GD_NIL;
    gd_buffer_c(&out, gd_class_short(self.u.object->class));
    if (args && args->n > 1) {
        gd_buffer_any(&out, gd_repr_of(vm, ((gd_exception *)self.u.object)->args));
    } else {
        gd_buffer_c(&out, "(");
        if (args && args->n == 1) gd_buffer_any(&out, gd_repr_of(vm, args->items[0]));
        gd_buffer_c(&out, ")");
    }
    gd_shallower(vm);
    return gd_buffer_str(&out);
}

/* ---- attributes ----------------------------------------------------------------------------------------------------
 */

static gd_any exception_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    gd_exception *e = (gd_exception *)self.u.object;
    (void)vm;
    if (gd_str_is(name, "args")) return gd_keep(e->args);
    if (gd_str_is(name, "__cause__")) return gd_is_nil(e->cause) ? GD_ANY_NONE : gd_keep(e->cause);
    if (gd_str_is(name, "__context__") || gd_str_is(name, "__traceback__")) return GD_ANY_NONE;
    const gd_tuple *args = arguments(self);
    bool message = gd_subclass(e->head.class, &gd_class_StopIteration) ? gd_str_is(name, "value")
                   : gd_subclass(e->head.class, &gd_class_ImportError) ? gd_str_is(name, "msg")
                                                                       : false;
    if (!message) return GD_NIL;
    return args && args->n ? gd_keep(args->items[0]) : GD_ANY_NONE;
}

static bool exception_setattr(gd_vm *vm, gd_any self, gd_str *name, gd_any value) {
    gd_exception *e = (gd_exception *)self.u.object;
    if (gd_is_nil(value) || !gd_str_is(name, "args")) {
        gd_raise(vm, &gd_class_AttributeError, "'%s' object has no attribute '%s'", gd_class_short(e->head.class),
                 name->text);
        return false;
    }
    gd_any args = gd_tuple_from(vm, value);
    if (gd_is_nil(args)) return false;
    gd_any old = e->args;
    e->args = args;
    gd_drop(gd_vm_heap(vm), old);
    return true;
}

static gd_any with_traceback(gd_vm *vm, const gd_args *args) {
    (void)vm;
    return gd_keep(args->v[0]);
}

static const gd_native exception_methods[] = {{"with_traceback", with_traceback, 2, 2, ""}, {NULL, NULL, 0, 0, NULL}};

/* ---- the classes ---------------------------------------------------------------------------------------------------
 */

#define X(class_name, parent)                                                                                          \
    const gd_class gd_class_##class_name = {.name = #class_name,                                                       \
                                            .base = &gd_class_##parent,                                                \
                                            .destroy = exception_destroy,                                              \
                                            .visit = exception_visit,                                                  \
                                            .make = exception_make,                                                    \
                                            .repr = exception_repr,                                                    \
                                            .str = exception_str,                                                      \
                                            .methods = exception_methods,                                              \
                                            .getattr = exception_getattr,                                              \
                                            .setattr = exception_setattr};
GD_EXCEPTIONS(X)
#undef X

static const gd_class *const all_exceptions[] = {
#define X(name, base) &gd_class_##name,
    GD_EXCEPTIONS(X)
#undef X
};

/* The class that an engine error becomes; RuntimeError for a name that is none of ours. */
static const gd_class *class_called(const char *name) {
    for (size_t i = 0; i < sizeof all_exceptions / sizeof *all_exceptions; i++)
        if (!strcmp(all_exceptions[i]->name, name)) return all_exceptions[i];
    return &gd_class_RuntimeError;
}

/* ---- raising -------------------------------------------------------------------------------------------------------
 */

/* Takes the instance; NIL: what made it fail is pending already. */
static gd_any set_pending(gd_vm *vm, gd_any exception) {
    if (gd_is_nil(exception)) return GD_NIL;
    gd_any old = vm->exception;
    vm->exception = exception;
    gd_drop(gd_vm_heap(vm), old);
    return GD_NIL;
}

/* Takes the message, a str or NIL. */
static gd_any raise_text(gd_vm *vm, const gd_class *class, gd_any message, gd_code code) {
    if (gd_is_nil(message)) return GD_NIL;
    gd_any e = gd_exception_new(vm, class, message);
    gd_drop(gd_vm_heap(vm), message);
    if (!gd_is_nil(e)) ((gd_exception *)e.u.object)->code = code;
    return set_pending(vm, e);
}

gd_any gd_raise(gd_vm *vm, const gd_class *class, const char *format, ...) {
    char few[1024];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(few, sizeof few, format, arguments);
    va_end(arguments);
    gd_any message = GD_NIL;
    if (length >= 0 && (size_t)length < sizeof few) {
        message = gd_str_new(vm, few, (size_t)length);
    } else {
        gd_str *s = length < 0 ? (gd_vm_no_memory(vm), NULL) : gd_str_room(vm, (size_t)length);
        if (s) {
            vsnprintf(s->text, (size_t)length + 1, format, again);
            message = gd_str_finish(s);
        }
    }
    va_end(again);
    return raise_text(vm, class, message, GD_OK);
}

gd_any gd_raise_key(gd_vm *vm, gd_any key) { return set_pending(vm, gd_exception_new(vm, &gd_class_KeyError, key)); }

gd_any gd_raise_value(gd_vm *vm, gd_any exception) {
    if (gd_is_exception(exception)) return set_pending(vm, gd_keep(exception));
    if (gd_is_exception_class(exception)) return set_pending(vm, gd_exception_new(vm, exception.u.class, GD_NIL));
    return gd_raise(vm, &gd_class_TypeError, "exceptions must derive from BaseException");
}

gd_any gd_raise_engine(gd_vm *vm) {
    if (gd_pending(vm)) return GD_NIL;
    const gd_error *error = gd_ctx_error(vm->ctx);
    return raise_text(vm, class_called(gd_code_exception(error->code)), gd_str_c(vm, error->message), error->code);
}
