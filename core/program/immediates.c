/* immediates.c: the classes of None, Ellipsis, NotImplemented, of classes and of built-in functions, and `object`.
 * Numbers are in number.c. */
#include <string.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

static gd_any none_repr(gd_vm *vm, gd_any self) {
    (void)self;
    return gd_str_new(vm, "None", 4);
}
static gd_any ellipsis_repr(gd_vm *vm, gd_any self) {
    (void)self;
    return gd_str_c(vm, "Ellipsis");
}
static gd_any notimplemented_repr(gd_vm *vm, gd_any self) {
    (void)self;
    return gd_str_c(vm, "NotImplemented");
}

/* The classes with one value give it when they are called without arguments. */
static bool takes_nothing(gd_vm *vm, const gd_class *class, const gd_args *args) {
    if (!args->npos && !args->nkw) return true;
    gd_raise(vm, &gd_class_TypeError, "%s takes no arguments", class->name);
    return false;
}
static gd_any none_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    return takes_nothing(vm, class, args) ? GD_ANY_NONE : GD_NIL;
}
static gd_any ellipsis_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    const gd_any ellipsis = {.tag = GD_A_ELLIPSIS};
    return takes_nothing(vm, class, args) ? ellipsis : GD_NIL;
}
static gd_any notimplemented_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    const gd_any value = {.tag = GD_A_NOTIMPLEMENTED};
    return takes_nothing(vm, class, args) ? value : GD_NIL;
}

const gd_class gd_class_none = {.name = "NoneType", .make = none_make, .repr = none_repr};
const gd_class gd_class_ellipsis = {.name = "ellipsis", .make = ellipsis_make, .repr = ellipsis_repr};
const gd_class gd_class_notimplemented = {
    .name = "NotImplementedType", .make = notimplemented_make, .repr = notimplemented_repr};

/* ---- object ---- */

static gd_any object_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    if (args->npos || args->nkw) return gd_raise(vm, &gd_class_TypeError, "object() takes no arguments");
    gd_object *o = gd_object_new(vm, class, sizeof *o);
    return o ? GD_ANY_OBJECT(o) : GD_NIL;
}

/* Also the base of exceptions, so it may say nothing of how instances print. */
const gd_class gd_class_object = {.name = "object", .make = object_make};

/* ---- classes ---- */

static gd_any type_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    if (args->npos != 1 || args->nkw) return gd_raise(vm, &gd_class_TypeError, "type() takes 1 or 3 arguments");
    return GD_ANY_CLASS(gd_class_of(args->v[0]));
}

static gd_any type_repr(gd_vm *vm, gd_any self) { return gd_str_printf(vm, "<class '%s'>", self.u.class->name); }

static gd_any type_call(gd_vm *vm, gd_any self, const gd_args *args) {
    gd_any (*make)(gd_vm *, const gd_class *, const gd_args *);
    GD_SLOT(self.u.class, make, make);
    if (make) return make(vm, self.u.class, args);
    return gd_raise(vm, &gd_class_TypeError, "cannot create '%s' instances", self.u.class->name);
}

/* A class's module: what stands before the last dot of its name. */
static gd_any module_name(gd_vm *vm, const gd_class *c) {
    const char *dot = strrchr(c->name, '.');
    return dot ? gd_str_new(vm, c->name, (size_t)(dot - c->name)) : gd_str_c(vm, "builtins");
}

/* Methods without their object: list.append(x, 1) is x.append(1). */
static gd_any type_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const gd_class *c = self.u.class;
    if (c == &gd_class_tensor) {
        gd_any function = gd_tensor_method(name);
        if (!gd_is_nil(function)) return function;
    }
    if (c == &gd_class_dict && gd_str_is(name, "fromkeys")) return GD_ANY_NATIVE(&gd_native_fromkeys);
    const gd_native *method = gd_find_method(c, name);
    if (method) return GD_ANY_NATIVE(method);
    if (name->text[0] != '_') return GD_NIL;
    if (gd_str_is(name, "__name__") || gd_str_is(name, "__qualname__")) return gd_str_c(vm, gd_class_short(c));
    if (gd_str_is(name, "__module__")) return module_name(vm, c);
    if (gd_str_is(name, "__base__")) return GD_ANY_CLASS(c->base ? c->base : &gd_class_object);
    method = gd_find_special(c, name);
    return method ? GD_ANY_NATIVE(method) : GD_NIL;
}

const gd_class gd_class_type = {
    .name = "type", .make = type_make, .repr = type_repr, .getattr = type_getattr, .call = type_call};

/* ---- built-in functions ---- */

/* Which of the classes that programs see has this among its methods? NULL: it is a function. */
static const gd_class *class_with(const gd_native *native) {
    static const gd_class *const classes[] = {&gd_class_list,  &gd_class_tuple, &gd_class_size, &gd_class_dict,
                                              &gd_class_set,   &gd_class_str,   &gd_class_int,  &gd_class_float,
                                              &gd_class_range, &gd_class_slice};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        for (const gd_native *m = classes[i]->methods; m && m->name; m++)
            if (m == native) return classes[i];
    return NULL;
}

static gd_any native_repr(gd_vm *vm, gd_any self) {
    const gd_class *c = class_with(self.u.native);
    if (c) return gd_str_printf(vm, "<method '%s' of '%s' objects>", self.u.native->name, c->name);
    return gd_str_printf(vm, "<built-in function %s>", self.u.native->name);
}

static gd_any native_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    if (gd_str_is(name, "__name__") || gd_str_is(name, "__qualname__")) return gd_str_c(vm, self.u.native->name);
    return GD_NIL;
}

const gd_class gd_class_native = {.name = "builtin_function_or_method", .repr = native_repr, .getattr = native_getattr};
