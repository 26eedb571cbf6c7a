/* builtins.c: the names that every program has: the table of them, and the functions that look at any object. */
#include "core/program/builtins.h"
#include "core/program/format.h"
#include "core/program/heap.h"
#include "core/program/vm.h"

#include <string.h>

/* ---- print ---------------------------------------------------------------------------------------------------------
 */

/* sep or end: its text, or what counts without it; false: pending. */
static bool print_option(gd_vm *vm, const gd_args *args, const char *name, const char **text, size_t *bytes) {
    gd_any v = gd_find_keyword(args, name);
    if (gd_is_nil(v) || gd_is_none(v)) return true;
    if (!gd_is_str(v)) {
        gd_raise(vm, &gd_class_TypeError, "%s must be None or a string, not %s", name, gd_class_label(v));
        return false;
    }
    *text = gd_as_str(v)->text;
    *bytes = gd_as_str(v)->bytes;
    return true;
}

static bool print_value(gd_vm *vm, gd_any v) {
    gd_any text = gd_str_of(vm, v);
    if (gd_is_nil(text)) return false;
    bool ok = gd_vm_print(vm, gd_as_str(text)->text, gd_as_str(text)->bytes);
    gd_drop(gd_vm_heap(vm), text);
    return ok;
}

gd_any gd_builtin_print(gd_vm *vm, const gd_args *args) {
    const char *between = " ", *end = "\n";
    size_t between_bytes = 1, end_bytes = 1;
    gd_any file = gd_find_keyword(args, "file");
    if (!gd_is_nil(file) && !gd_is_none(file))
        return gd_raise(vm, &gd_class_TypeError, "print() has no files to write to: programs here are hermetic");
    if (!print_option(vm, args, "sep", &between, &between_bytes) || !print_option(vm, args, "end", &end, &end_bytes))
        return GD_NIL;
    for (uint32_t i = 0; i < args->npos; i++) {
        if (i && between_bytes && !gd_vm_print(vm, between, between_bytes)) return GD_NIL;
        if (!print_value(vm, args->v[i])) return GD_NIL;
    }
    return !end_bytes || gd_vm_print(vm, end, end_bytes) ? GD_ANY_NONE : GD_NIL;
}

/* ---- what an object is ---------------------------------------------------------------------------------------------
 */

gd_any gd_builtin_len(gd_vm *vm, const gd_args *args) {
    int64_t n = gd_length(vm, args->v[0]);
    return n < 0 ? GD_NIL : GD_ANY_INT(n);
}

gd_any gd_builtin_repr(gd_vm *vm, const gd_args *args) { return gd_repr_of(vm, args->v[0]); }
gd_any gd_builtin_ascii(gd_vm *vm, const gd_args *args) { return gd_converted(vm, args->v[0], 'a'); }

gd_any gd_builtin_format(gd_vm *vm, const gd_args *args) {
    gd_any spec = gd_arg(args, 1, NULL);
    if (!gd_is_nil(spec) && !gd_is_str(spec))
        return gd_raise(vm, &gd_class_TypeError, "format() argument 2 must be str, not %s", gd_class_label(spec));
    return gd_format_of(vm, args->v[0], gd_is_nil(spec) ? NULL : gd_as_str(spec));
}

gd_any gd_builtin_hash(gd_vm *vm, const gd_args *args) {
    uint64_t h;
    if (!gd_hash_of(vm, args->v[0], &h)) return GD_NIL;
    return GD_ANY_INT((int64_t)h == -1 ? -2 : (int64_t)h);
}

/* A number of its own for each object. It is the address, mixed so that it tells nobody where that is. */
gd_any gd_builtin_id(gd_vm *vm, const gd_args *args) {
    gd_any v = args->v[0];
    (void)vm;
    uint64_t word = v.tag == GD_A_NONE || v.tag == GD_A_ELLIPSIS || v.tag == GD_A_NOTIMPLEMENTED ? 0 : (uint64_t)v.u.i;
    if (v.tag < GD_A_CLASS) word = word << 4 | v.tag;
    word = (word ^ word >> 31) * 0x9E3779B97F4A7C15u;
    return GD_ANY_INT((int64_t)((word ^ word >> 29) >> 1));
}

gd_any gd_builtin_callable(gd_vm *vm, const gd_args *args) {
    (void)vm;
    return GD_ANY_BOOL(gd_is_callable(args->v[0]));
}

/* ---- classes -------------------------------------------------------------------------------------------------------
 */

/* Is c below `classes`, a class or a tuple of such? 1, 0, -1: `text` is pending. */
static int among(gd_vm *vm, gd_any v, const gd_class *c, gd_any classes, const char *text) {
    if (classes.tag == GD_A_CLASS) return c ? gd_subclass(c, classes.u.class) : gd_instance(v, classes.u.class);
    if (!gd_is_tuple(classes)) return gd_raise(vm, &gd_class_TypeError, "%s", text), -1;
    if (!gd_deeper(vm)) return -1;
    const gd_tuple *tuple = (const gd_tuple *)classes.u.object;
    int found = 0;
    for (size_t i = 0; i < tuple->n && !found; i++) found = among(vm, v, c, tuple->items[i], text);
    gd_shallower(vm);
    return found;
}

static gd_any answer(int truth) { return truth < 0 ? GD_NIL : GD_ANY_BOOL(truth); }

gd_any gd_builtin_isinstance(gd_vm *vm, const gd_args *args) {
    return answer(
        among(vm, args->v[0], NULL, args->v[1], "isinstance() arg 2 must be a type, a tuple of types, or a union"));
}

gd_any gd_builtin_issubclass(gd_vm *vm, const gd_args *args) {
    if (args->v[0].tag != GD_A_CLASS) return gd_raise(vm, &gd_class_TypeError, "issubclass() arg 1 must be a class");
    return answer(among(vm, GD_NIL, args->v[0].u.class, args->v[1],
                        "issubclass() arg 2 must be a class, a tuple of classes, or a union"));
}

/* ---- attributes ----------------------------------------------------------------------------------------------------
 */

static gd_str *attribute_name(gd_vm *vm, gd_any name) {
    if (gd_is_str(name)) return gd_as_str(name);
    gd_raise(vm, &gd_class_TypeError, "attribute name must be string, not '%s'", gd_class_label(name));
    return NULL;
}

gd_any gd_builtin_hasattr(gd_vm *vm, const gd_args *args) {
    gd_str *name = attribute_name(vm, args->v[1]);
    if (!name) return GD_NIL;
    gd_any value = gd_find_attribute(vm, args->v[0], name);
    if (gd_is_nil(value)) return gd_pending(vm) ? GD_NIL : GD_ANY_BOOL(0);
    gd_drop(gd_vm_heap(vm), value);
    return GD_ANY_BOOL(1);
}

gd_any gd_builtin_getattr(gd_vm *vm, const gd_args *args) {
    gd_str *name = attribute_name(vm, args->v[1]);
    if (!name) return GD_NIL;
    if (args->npos < 3) return gd_get_attribute(vm, args->v[0], name);
    gd_any value = gd_find_attribute(vm, args->v[0], name);
    return gd_is_nil(value) && !gd_pending(vm) ? gd_keep(args->v[2]) : value;
}

gd_any gd_builtin_setattr(gd_vm *vm, const gd_args *args) {
    gd_str *name = attribute_name(vm, args->v[1]);
    return name && gd_set_attribute(vm, args->v[0], name, args->v[2]) ? GD_ANY_NONE : GD_NIL;
}

gd_any gd_builtin_delattr(gd_vm *vm, const gd_args *args) {
    gd_str *name = attribute_name(vm, args->v[1]);
    return name && gd_set_attribute(vm, args->v[0], name, GD_NIL) ? GD_ANY_NONE : GD_NIL;
}

static bool add_name(gd_vm *vm, gd_any list, const char *name) {
    gd_any text = gd_str_c(vm, name);
    return !gd_is_nil(text) && gd_list_append(vm, (gd_list *)list.u.object, text);
}

/* The methods of a value's class, or the members of a module, in order of the alphabet. */
gd_any gd_builtin_dir(gd_vm *vm, const gd_args *args) {
    gd_any v = args->v[0], list = gd_list_new(vm, 0);
    bool ok = !gd_is_nil(list);
    if (ok && gd_is(v, &gd_class_module))
        for (const gd_member *m = ((gd_module *)v.u.object)->members; ok && m && m->name; m++)
            ok = add_name(vm, list, m->name);
    for (const gd_class *c = v.tag == GD_A_CLASS ? v.u.class : gd_class_of(v); ok && c; c = c->base)
        for (const gd_native *m = c->methods; ok && m && m->name; m++) ok = add_name(vm, list, m->name);
    if (ok && gd_list_sort(vm, (gd_list *)list.u.object, GD_ANY_NONE, false)) return list;
    gd_drop(gd_vm_heap(vm), list);
    return GD_NIL;
}

/* ---- what would reach outside --------------------------------------------------------------------------------------
 */

#define GD_HERMETIC(X)                                                                                                 \
    X(input) X(open) X(eval) X(exec) X(compile) X(globals) X(locals) X(vars) X(__import__) X(breakpoint)

#define X(name)                                                                                                        \
    static gd_any refuse_##name(gd_vm *vm, const gd_args *args) {                                                      \
        (void)args;                                                                                                    \
        return gd_raise(vm, &gd_class_RuntimeError,                                                                    \
                        #name "() is not available: programs here are hermetic and reach nothing but their tensors");  \
    }
GD_HERMETIC(X)
#undef X

/* ---- the table -----------------------------------------------------------------------------------------------------
 */

static const gd_native functions[] = {
#define X(name, least, most, keywords) {#name, gd_builtin_##name, least, most, keywords},
    GD_BUILTINS_OBJECTS(X) GD_BUILTINS_NUMBERS(X) GD_BUILTINS_ITERABLES(X)
#undef X
#define X(name) {#name, refuse_##name, 0, -1, "*"},
        GD_HERMETIC(X)
#undef X
};

static const struct {
    const char *name;
    const gd_class *class;
} named_classes[] = {{"bool", &gd_class_bool},
                     {"int", &gd_class_int},
                     {"float", &gd_class_float},
                     {"str", &gd_class_str},
                     {"list", &gd_class_list},
                     {"tuple", &gd_class_tuple},
                     {"dict", &gd_class_dict},
                     {"set", &gd_class_set},
                     {"range", &gd_class_range},
                     {"slice", &gd_class_slice},
                     {"type", &gd_class_type},
                     {"object", &gd_class_object},
                     {"enumerate", &gd_class_enumerate},
                     {"zip", &gd_class_zip},
                     {"map", &gd_class_map},
                     {"filter", &gd_class_filter},
                     {"reversed", &gd_class_reversed},
#define X(name, base) {#name, &gd_class_##name},
                     GD_EXCEPTIONS(X)
#undef X
};

/* Takes the value. */
static bool bind(gd_vm *vm, gd_dict *into, const char *name, gd_any value) {
    gd_any key = gd_is_nil(value) ? GD_NIL : gd_str_c(vm, name);
    bool ok = !gd_is_nil(key) && gd_dict_set(vm, into, key, value);
    gd_drop(gd_vm_heap(vm), key);
    gd_drop(gd_vm_heap(vm), value);
    return ok;
}

void gd_builtins_fill(gd_vm *vm, gd_dict *into) {
    bool ok = bind(vm, into, "__name__", gd_str_c(vm, "__main__")) && bind(vm, into, "__doc__", GD_ANY_NONE) &&
              bind(vm, into, "__debug__", GD_ANY_BOOL(1)) &&
              bind(vm, into, "Ellipsis", (gd_any){.tag = GD_A_ELLIPSIS}) &&
              bind(vm, into, "NotImplemented", (gd_any){.tag = GD_A_NOTIMPLEMENTED}) &&
              bind(vm, into, "iter", GD_ANY_NATIVE(&gd_native_iter)) &&
              bind(vm, into, "next", GD_ANY_NATIVE(&gd_native_next));
    for (size_t i = 0; ok && i < sizeof functions / sizeof *functions; i++)
        ok = bind(vm, into, functions[i].name, GD_ANY_NATIVE(&functions[i]));
    for (size_t i = 0; ok && i < sizeof named_classes / sizeof *named_classes; i++)
        if (named_classes[i].class != &gd_class_GradcheckError) /* lives in torch.autograd.gradcheck */
            ok = bind(vm, into, named_classes[i].name, GD_ANY_CLASS(named_classes[i].class));
}
