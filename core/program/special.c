/* special.c: the methods with underscores, such as x.__len__(): each exists where the class has the slot behind it. */
#include <stddef.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

static gd_any special_len(gd_vm *vm, const gd_args *args) {
    int64_t n = gd_length(vm, args->v[0]);
    return n < 0 ? GD_NIL : GD_ANY_INT(n);
}

static gd_any special_iter(gd_vm *vm, const gd_args *args) { return gd_iterate(vm, args->v[0]); }

static gd_any special_next(gd_vm *vm, const gd_args *args) {
    return gd_native_next.call(vm, &(gd_args){.v = args->v, .npos = 1});
}

static gd_any special_getitem(gd_vm *vm, const gd_args *args) { return gd_get_item(vm, args->v[0], args->v[1]); }

static gd_any special_setitem(gd_vm *vm, const gd_args *args) {
    return gd_set_item(vm, args->v[0], args->v[1], args->v[2]) ? GD_ANY_NONE : GD_NIL;
}

static gd_any special_delitem(gd_vm *vm, const gd_args *args) {
    return gd_set_item(vm, args->v[0], args->v[1], GD_NIL) ? GD_ANY_NONE : GD_NIL;
}

static gd_any special_contains(gd_vm *vm, const gd_args *args) {
    return gd_compare(vm, GD_PY_IN, args->v[1], args->v[0]);
}

static gd_any special_call(gd_vm *vm, const gd_args *args) {
    const gd_args rest = {.v = args->v + 1, .npos = args->npos - 1, .nkw = args->nkw, .names = args->names};
    return gd_call_any(vm, args->v[0], &rest);
}

static gd_any special_enter(gd_vm *vm, const gd_args *args) {
    gd_any (*enter)(gd_vm *, gd_any);
    GD_SLOT(gd_class_of(args->v[0]), enter, enter);
    return enter ? enter(vm, args->v[0]) : GD_ANY_NONE;
}

static gd_any special_exit(gd_vm *vm, const gd_args *args) {
    bool (*leave)(gd_vm *, gd_any);
    GD_SLOT(gd_class_of(args->v[0]), leave, leave);
    return leave && !leave(vm, args->v[0]) ? GD_NIL : GD_ANY_NONE;
}

static gd_any special_repr(gd_vm *vm, const gd_args *args) { return gd_repr_of(vm, args->v[0]); }
static gd_any special_str(gd_vm *vm, const gd_args *args) { return gd_str_of(vm, args->v[0]); }

static gd_any special_hash(gd_vm *vm, const gd_args *args) {
    uint64_t h;
    return gd_hash_of(vm, args->v[0], &h) ? GD_ANY_INT((int64_t)h) : GD_NIL;
}

static gd_any special_format(gd_vm *vm, const gd_args *args) {
    if (!gd_is_str(args->v[1]))
        return gd_raise(vm, &gd_class_TypeError, "__format__() argument must be str, not %s",
                        gd_class_label(args->v[1]));
    return gd_format_of(vm, args->v[0], gd_as_str(args->v[1]));
}

/* `slot`: where in gd_class the slot is that the method needs; 0: every value has it. */
static const struct {
    gd_native native;
    size_t slot;
} specials[] = {
    {{"__len__", special_len, 1, 1, ""}, offsetof(gd_class, len)},
    {{"__iter__", special_iter, 1, 1, ""}, offsetof(gd_class, iter)},
    {{"__next__", special_next, 1, 1, ""}, offsetof(gd_class, next)},
    {{"__getitem__", special_getitem, 2, 2, ""}, offsetof(gd_class, getitem)},
    {{"__setitem__", special_setitem, 3, 3, ""}, offsetof(gd_class, setitem)},
    {{"__delitem__", special_delitem, 2, 2, ""}, offsetof(gd_class, setitem)},
    {{"__contains__", special_contains, 2, 2, ""}, offsetof(gd_class, contains)},
    {{"__call__", special_call, 1, -1, "*"}, offsetof(gd_class, call)},
    {{"__enter__", special_enter, 1, 1, ""}, offsetof(gd_class, enter)},
    {{"__exit__", special_exit, 1, 4, ""}, offsetof(gd_class, leave)},
    {{"__repr__", special_repr, 1, 1, ""}, 0},
    {{"__str__", special_str, 1, 1, ""}, 0},
    {{"__hash__", special_hash, 1, 1, ""}, 0},
    {{"__format__", special_format, 2, 2, ""}, 0},
};

static bool has_slot(const gd_class *c, size_t slot) {
    if (!slot) return true;
    for (; c; c = c->base)
        if (*(void *const *)(const void *)((const char *)c + slot)) return true;
    return false;
}

const gd_native *gd_find_special(const gd_class *c, const gd_str *name) {
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (gd_str_is(name, specials[i].native.name)) return has_slot(c, specials[i].slot) ? &specials[i].native : NULL;
    return NULL;
}
