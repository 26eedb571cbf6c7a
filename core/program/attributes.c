/* attributes.c: attributes of any value: methods and what binds them to their object, properties, and the few names
 * with underscores that every value answers. */
#include <string.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

/* ---- methods ---- */

const gd_native *gd_find_method(const gd_class *c, const gd_str *name) {
    for (; c; c = c->base)
        for (const gd_native *m = c->methods; m && m->name; m++)
            if (m->name[0] == name->text[0] && gd_str_is(name, m->name)) return m;
    return NULL;
}

gd_any gd_bound_new(gd_vm *vm, gd_any self, gd_any function) {
    gd_bound *b = gd_object_new(vm, &gd_class_bound, sizeof *b);
    if (!b) return GD_NIL;
    b->self = gd_keep(self);
    b->function = gd_keep(function);
    return GD_ANY_OBJECT(b);
}

static void bound_destroy(gd_heap *heap, gd_object *self) {
    gd_drop(heap, ((gd_bound *)self)->self);
    gd_drop(heap, ((gd_bound *)self)->function);
}

static void bound_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((gd_bound *)self)->self);
    see(user, ((gd_bound *)self)->function);
}

static gd_any bound_call(gd_vm *vm, gd_any self, const gd_args *args) {
    const gd_bound *b = (gd_bound *)self.u.object;
    gd_any few[8], *v = few;
    size_t n = (size_t)args->npos + args->nkw;
    if (n >= sizeof few / sizeof *few && !(v = gd_heap_array(gd_vm_heap(vm), n + 1, sizeof *v)))
        return gd_vm_no_memory(vm);
    v[0] = b->self;
    if (n) memcpy(v + 1, args->v, n * sizeof *v);
    const gd_args with_self = {.v = v, .npos = args->npos + 1, .nkw = args->nkw, .names = args->names};
    gd_any answer = gd_call_any(vm, b->function, &with_self);
    if (v != few) gd_heap_free(gd_vm_heap(vm), v, (n + 1) * sizeof *v);
    return answer;
}

static gd_any name_of(gd_vm *vm, gd_any function) {
    if (function.tag == GD_A_NATIVE) return gd_str_c(vm, function.u.native->name);
    gd_any text = gd_str_c(vm, "__name__");
    if (gd_is_nil(text)) return GD_NIL;
    gd_any name = gd_get_attribute(vm, function, gd_as_str(text));
    gd_drop(gd_vm_heap(vm), text);
    return name;
}

static gd_any bound_repr(gd_vm *vm, gd_any self) {
    const gd_bound *b = (gd_bound *)self.u.object;
    gd_any name = name_of(vm, b->function);
    if (gd_is_nil(name)) return GD_NIL;
    const void *of = b->self.tag >= GD_A_CLASS ? (void *)b->self.u.object : NULL;
    gd_any text = gd_is_str(name)
                      ? gd_str_printf(vm, "<built-in method %s of %s object at %p>", gd_as_str(name)->text,
                                      gd_class_label(b->self), of)
                      : gd_str_printf(vm, "<built-in method of %s object at %p>", gd_class_label(b->self), of);
    gd_drop(gd_vm_heap(vm), name);
    return text;
}

/* x.append == x.append, though each time another object is made. */
static int bound_equal(gd_vm *vm, gd_any self, gd_any other) {
    (void)vm;
    const gd_bound *a = (gd_bound *)self.u.object, *b = (gd_bound *)other.u.object;
    return gd_is(other, &gd_class_bound) && gd_same(a->self, b->self) && gd_same(a->function, b->function);
}

static bool bound_hash(gd_vm *vm, gd_any self, uint64_t *out) {
    (void)vm;
    const gd_bound *b = (gd_bound *)self.u.object;
    *out = (uint64_t)b->self.u.i * 31 + (uint64_t)b->function.u.i;
    return true;
}

static gd_any bound_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const gd_bound *b = (gd_bound *)self.u.object;
    if (gd_str_is(name, "__self__")) return gd_keep(b->self);
    if (gd_str_is(name, "__name__") || gd_str_is(name, "__qualname__")) return name_of(vm, b->function);
    return GD_NIL;
}

const gd_class gd_class_bound = {.name = "builtin_function_or_method",
                                 .destroy = bound_destroy,
                                 .visit = bound_visit,
                                 .repr = bound_repr,
                                 .getattr = bound_getattr,
                                 .call = bound_call,
                                 .equal = bound_equal,
                                 .hash = bound_hash};

/* ---- reading ---- */

static gd_any method_of(gd_vm *vm, gd_any v, gd_str *name) {
    if (v.tag == GD_A_TENSOR) {
        gd_any function = gd_tensor_method(name);
        if (!gd_is_nil(function)) return gd_bound_new(vm, v, function);
    }
    const gd_native *method = gd_find_method(gd_class_of(v), name);
    return method ? gd_bound_new(vm, v, GD_ANY_NATIVE(method)) : GD_NIL;
}

static gd_any property_of(gd_vm *vm, gd_any v, gd_str *name) {
    for (const gd_class *c = gd_class_of(v); c; c = c->base) {
        if (!c->getattr) continue;
        gd_any value = c->getattr(vm, v, name);
        if (!gd_is_nil(value) || gd_pending(vm)) return value;
    }
    return GD_NIL;
}

/* What every value answers. */
static gd_any common_of(gd_vm *vm, gd_any v, gd_str *name) {
    if (name->text[0] != '_') return GD_NIL;
    if (gd_str_is(name, "__class__")) return GD_ANY_CLASS(gd_class_of(v));
    if (gd_str_is(name, "__doc__")) return GD_ANY_NONE;
    const gd_native *m = gd_find_special(gd_class_of(v), name);
    return m ? gd_bound_new(vm, v, GD_ANY_NATIVE(m)) : GD_NIL;
}

gd_any gd_find_attribute(gd_vm *vm, gd_any v, gd_str *name) {
    gd_any (*const ways[])(gd_vm *, gd_any, gd_str *) = {method_of, property_of, common_of};
    gd_any value = GD_NIL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && gd_is_nil(value) && !gd_pending(vm); i++)
        value = ways[i](vm, v, name);
    if (!gd_is_nil(value) || vm->passed || !gd_is_exception(vm->exception)) return value;
    if (gd_subclass(vm->exception.u.object->class, &gd_class_AttributeError)) {
        gd_any raised = vm->exception;
        vm->exception = GD_NIL;
        gd_drop(gd_vm_heap(vm), raised);
    }
    return GD_NIL;
}

static gd_any no_attribute(gd_vm *vm, gd_any v, const gd_str *name) {
    if (v.tag == GD_A_CLASS)
        return gd_raise(vm, &gd_class_AttributeError, "type object '%s' has no attribute '%s'",
                        gd_class_short(v.u.class), name->text);
    return gd_raise(vm, &gd_class_AttributeError, "'%s' object has no attribute '%s'", gd_class_label(v), name->text);
}

gd_any gd_get_attribute(gd_vm *vm, gd_any v, gd_str *name) {
    gd_any value = method_of(vm, v, name);
    if (gd_is_nil(value) && !gd_pending(vm)) value = property_of(vm, v, name);
    if (gd_is_nil(value) && !gd_pending(vm)) value = common_of(vm, v, name);
    if (gd_is_nil(value) && !gd_pending(vm)) return no_attribute(vm, v, name);
    return value;
}

/* ---- writing ---- */

bool gd_set_attribute(gd_vm *vm, gd_any v, gd_str *name, gd_any value) {
    bool (*setattr)(gd_vm *, gd_any, gd_str *, gd_any);
    GD_SLOT(gd_class_of(v), setattr, setattr);
    if (setattr) return setattr(vm, v, name, value);
    if (v.tag == GD_A_CLASS) {
        gd_raise(vm, &gd_class_TypeError, "cannot set '%s' attribute of immutable type '%s'", name->text,
                 v.u.class->name);
        return false;
    }
    if (gd_find_method(gd_class_of(v), name)) {
        gd_raise(vm, &gd_class_AttributeError, "'%s' object attribute '%s' is read-only", gd_class_label(v),
                 name->text);
        return false;
    }
    gd_any now = property_of(vm, v, name);
    if (gd_pending(vm)) return false;
    if (gd_is_nil(now))
        no_attribute(vm, v, name);
    else
        gd_raise(vm, &gd_class_AttributeError, "readonly attribute");
    gd_drop(gd_vm_heap(vm), now);
    return false;
}
