/* arguments.c: counting the arguments of built-in classes and functions that take no keywords. */
#include "core/program/heap.h"
#include "core/program/vm.h"

bool gd_check_args(gd_vm *vm, const char *name, const gd_args *args, uint32_t least, uint32_t most) {
    if (args->nkw) {
        gd_raise(vm, &gd_class_TypeError, "%s() takes no keyword arguments", name);
        return false;
    }
    if (args->npos >= least && args->npos <= most) return true;
    bool few = args->npos < least;
    uint32_t bound = few ? least : most;
    gd_raise(vm, &gd_class_TypeError, "%s expected %s%u argument%s, got %u", name,
             least == most ? ""
             : few         ? "at least "
                           : "at most ",
             bound, bound == 1 ? "" : "s", args->npos);
    return false;
}

gd_any gd_find_keyword(const gd_args *args, const char *name) {
    for (uint32_t i = 0; i < args->nkw; i++)
        if (gd_str_is(args->names[i], name)) return args->v[args->npos + i];
    return GD_NIL;
}
