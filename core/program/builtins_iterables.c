/* builtins_iterables.c: the built-in functions that go through an iterable: sum, min, max, any, all, sorted. */
#include "core/program/builtins.h"
#include "core/program/heap.h"
#include "core/program/vm.h"

/* ---- sum -----------------------------------------------------------------------------------------------------------
 */

/* Takes both. */
static gd_any add_up(gd_vm *vm, gd_any sum, gd_any item) {
    int64_t total;
    if (sum.tag == GD_A_INT && item.tag == GD_A_INT && !__builtin_add_overflow(sum.u.i, item.u.i, &total))
        return GD_ANY_INT(total);
    if (sum.tag == GD_A_FLOAT && item.tag == GD_A_FLOAT) return GD_ANY_FLOAT(sum.u.f + item.u.f);
    gd_any result = gd_binary(vm, GD_PY_ADD, sum, item, false);
    gd_drop(gd_vm_heap(vm), sum);
    gd_drop(gd_vm_heap(vm), item);
    return result;
}

gd_any gd_builtin_sum(gd_vm *vm, const gd_args *args) {
    gd_any start = gd_arg(args, 1, "start"), item;
    if (gd_is_str(start))
        return gd_raise(vm, &gd_class_TypeError, "sum() can't sum strings [use ''.join(seq) instead]");
    gd_any iterator = gd_iterate(vm, args->v[0]);
    if (gd_is_nil(iterator)) return GD_NIL;
    gd_any sum = gd_is_nil(start) ? GD_ANY_INT(0) : gd_keep(start);
    int more = 1;
    while (!gd_is_nil(sum) && (more = gd_work(vm, 1) ? gd_next(vm, iterator, &item) : -1) > 0)
        sum = add_up(vm, sum, item);
    gd_drop(gd_vm_heap(vm), iterator);
    if (more >= 0) return sum;
    gd_drop(gd_vm_heap(vm), sum);
    return GD_NIL;
}

/* ---- min, max ------------------------------------------------------------------------------------------------------
 */

/* The best so far, and what it is compared by; both owned, NIL at first. */
typedef struct best {
    gd_any item, by;
} best;

/* Takes item; false: pending. */
static bool consider(gd_vm *vm, best *now, gd_any item, gd_any key, gd_ast_op op) {
    gd_heap *heap = gd_vm_heap(vm);
    gd_any by = gd_is_nil(key) || gd_is_none(key) ? gd_keep(item) : gd_call_1(vm, key, item);
    int better = gd_is_nil(by) ? -1 : 1;
    if (better > 0 && !gd_is_nil(now->item)) {
        gd_any order = gd_compare(vm, op, by, now->by);
        better = gd_is_nil(order) ? -1 : gd_truth(vm, order);
        gd_drop(heap, order);
    }
    best drop = {item, by};
    if (better > 0) {
        drop = *now;
        *now = (best){item, by};
    }
    gd_drop(heap, drop.item);
    gd_drop(heap, drop.by);
    return better >= 0;
}

static bool consider_all(gd_vm *vm, best *now, gd_any iterable, gd_any key, gd_ast_op op) {
    gd_any iterator = gd_iterate(vm, iterable), item;
    if (gd_is_nil(iterator)) return false;
    bool ok = true;
    int more = 1;
    while (ok && (more = gd_work(vm, 1) ? gd_next(vm, iterator, &item) : -1) > 0) ok = consider(vm, now, item, key, op);
    gd_drop(gd_vm_heap(vm), iterator);
    return ok && more == 0;
}

static gd_any extreme(gd_vm *vm, const gd_args *args, gd_ast_op op, const char *name) {
    gd_any key = gd_find_keyword(args, "key"), otherwise = gd_find_keyword(args, "default");
    best now = {GD_NIL, GD_NIL};
    bool ok = true;
    if (args->npos > 1 && !gd_is_nil(otherwise))
        return gd_raise(vm, &gd_class_TypeError, "Cannot specify a default for %s() with multiple positional arguments",
                        name);
    if (args->npos == 1)
        ok = consider_all(vm, &now, args->v[0], key, op);
    else
        for (uint32_t i = 0; ok && i < args->npos; i++) ok = consider(vm, &now, gd_keep(args->v[i]), key, op);
    gd_drop(gd_vm_heap(vm), now.by);
    if (!ok) return gd_drop(gd_vm_heap(vm), now.item), GD_NIL;
    if (!gd_is_nil(now.item)) return now.item;
    if (!gd_is_nil(otherwise)) return gd_keep(otherwise);
    return gd_raise(vm, &gd_class_ValueError, "%s() arg is an empty sequence", name);
}

gd_any gd_builtin_min(gd_vm *vm, const gd_args *args) { return extreme(vm, args, GD_PY_LT, "min"); }
gd_any gd_builtin_max(gd_vm *vm, const gd_args *args) { return extreme(vm, args, GD_PY_GT, "max"); }

/* ---- any, all, sorted ----------------------------------------------------------------------------------------------
 */

/* Is there an item whose truth is `wanted`? */
static gd_any some(gd_vm *vm, gd_any iterable, int wanted, bool found, bool not_found) {
    gd_any iterator = gd_iterate(vm, iterable), item;
    if (gd_is_nil(iterator)) return GD_NIL;
    int more, truth = !wanted;
    while (truth != wanted && (more = gd_work(vm, 1) ? gd_next(vm, iterator, &item) : -1) != 0) {
        truth = more < 0 ? -1 : gd_truth(vm, item);
        if (more > 0) gd_drop(gd_vm_heap(vm), item);
        if (truth < 0) break;
    }
    gd_drop(gd_vm_heap(vm), iterator);
    return truth < 0 ? GD_NIL : GD_ANY_BOOL(truth == wanted ? found : not_found);
}

gd_any gd_builtin_any(gd_vm *vm, const gd_args *args) { return some(vm, args->v[0], 1, true, false); }
gd_any gd_builtin_all(gd_vm *vm, const gd_args *args) { return some(vm, args->v[0], 0, false, true); }

gd_any gd_builtin_sorted(gd_vm *vm, const gd_args *args) {
    gd_any key = gd_find_keyword(args, "key"), reverse = gd_find_keyword(args, "reverse");
    if (args->npos != 1) return gd_raise(vm, &gd_class_TypeError, "sorted expected 1 argument, got %u", args->npos);
    int backwards = gd_is_nil(reverse) ? 0 : gd_truth(vm, reverse);
    gd_any list = backwards < 0 ? GD_NIL : gd_list_from(vm, args->v[0]);
    if (gd_is_nil(list)) return GD_NIL;
    if (gd_list_sort(vm, (gd_list *)list.u.object, gd_is_nil(key) ? GD_ANY_NONE : key, backwards)) return list;
    gd_drop(gd_vm_heap(vm), list);
    return GD_NIL;
}
