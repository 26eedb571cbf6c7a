/* list_methods.c: the methods of lists. Sorting is in sort.c. */
#include <string.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

static gd_list *self_of(const gd_args *args) { return (gd_list *)args->v[0].u.object; }

/* As an unbound method list.append gets anything as self. */
static bool is_self(gd_vm *vm, const gd_args *args, const char *name) {
    if (gd_is_list(args->v[0])) return true;
    gd_raise(vm, &gd_class_TypeError, "descriptor '%s' for 'list' objects doesn't apply to a '%s' object", name,
             gd_class_label(args->v[0]));
    return false;
}

static gd_any list_append(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "append")) return GD_NIL;
    return gd_list_append(vm, self_of(args), gd_keep(args->v[1])) ? GD_ANY_NONE : GD_NIL;
}

static gd_any list_extend(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "extend")) return GD_NIL;
    return gd_list_extend(vm, self_of(args), args->v[1]) ? GD_ANY_NONE : GD_NIL;
}

static gd_any list_insert(gd_vm *vm, const gd_args *args) {
    int64_t at;
    if (!is_self(vm, args, "insert") || !gd_to_index(vm, args->v[1], &at)) return GD_NIL;
    gd_list *list = self_of(args);
    int64_t n = (int64_t)list->n;
    if (at < 0 && (at += n) < 0) at = 0;
    if (at > n) at = n;
    if (!gd_work(vm, (uint64_t)(n - at) / 64) || !gd_list_reserve(vm, list, 1)) return GD_NIL;
    memmove(list->items + at + 1, list->items + at, (size_t)(n - at) * sizeof *list->items);
    list->items[at] = gd_keep(args->v[2]);
    list->n++;
    return GD_ANY_NONE;
}

/* Takes item `at` out: the caller's reference. */
static gd_any take_item(gd_list *list, size_t at) {
    gd_any item = list->items[at];
    memmove(list->items + at, list->items + at + 1, (list->n - at - 1) * sizeof item);
    list->n--;
    return item;
}

static gd_any list_remove(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "remove")) return GD_NIL;
    int64_t at = gd_items_find(vm, args->v[0], args->v[1], 0, INT64_MAX);
    if (at == -2) return GD_NIL;
    if (at < 0) return gd_raise(vm, &gd_class_ValueError, "list.remove(x): x not in list");
    gd_drop(gd_vm_heap(vm), take_item(self_of(args), (size_t)at));
    return GD_ANY_NONE;
}

static gd_any list_pop(gd_vm *vm, const gd_args *args) {
    int64_t at = -1;
    if (!is_self(vm, args, "pop") || (args->npos > 1 && !gd_to_index(vm, args->v[1], &at))) return GD_NIL;
    gd_list *list = self_of(args);
    int64_t n = (int64_t)list->n;
    if (!n) return gd_raise(vm, &gd_class_IndexError, "pop from empty list");
    if (at < 0) at += n;
    if (at < 0 || at >= n) return gd_raise(vm, &gd_class_IndexError, "pop index out of range");
    if (at + 1 == n) return list->items[--list->n];
    return gd_work(vm, (uint64_t)(n - at) / 64) ? take_item(list, (size_t)at) : GD_NIL;
}

static gd_any list_clear(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "clear")) return GD_NIL;
    gd_list *list = self_of(args), old = *list;
    list->items = NULL;
    list->n = list->capacity = 0;
    for (size_t i = 0; i < old.n; i++) gd_drop(gd_vm_heap(vm), old.items[i]);
    gd_heap_free(gd_vm_heap(vm), old.items, old.capacity * sizeof *old.items);
    return GD_ANY_NONE;
}

static gd_any list_copy(gd_vm *vm, const gd_args *args) {
    return is_self(vm, args, "copy") ? gd_list_from(vm, args->v[0]) : GD_NIL;
}

static gd_any list_reverse(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "reverse")) return GD_NIL;
    gd_list *list = self_of(args);
    if (!gd_work(vm, list->n / 32)) return GD_NIL;
    for (size_t i = 0, j = list->n; i + 1 < j; i++) {
        gd_any other = list->items[--j];
        list->items[j] = list->items[i];
        list->items[i] = other;
    }
    return GD_ANY_NONE;
}

static gd_any list_sort(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "sort")) return GD_NIL;
    gd_any key = gd_find_keyword(args, "key"), reverse = gd_find_keyword(args, "reverse");
    int64_t backwards = 0;
    if (args->npos > 1) return gd_raise(vm, &gd_class_TypeError, "sort() takes no positional arguments");
    if (!gd_is_nil(reverse) && !gd_to_index(vm, reverse, &backwards)) return GD_NIL;
    return gd_list_sort(vm, self_of(args), gd_is_nil(key) ? GD_ANY_NONE : key, backwards != 0) ? GD_ANY_NONE : GD_NIL;
}

static gd_any list_index(gd_vm *vm, const gd_args *args) {
    return is_self(vm, args, "index") ? gd_sequence_index(vm, args) : GD_NIL;
}

static gd_any list_count(gd_vm *vm, const gd_args *args) {
    return is_self(vm, args, "count") ? gd_sequence_count(vm, args) : GD_NIL;
}

const gd_native gd_list_methods[] = {
    {"append", list_append, 2, 2, ""},   {"extend", list_extend, 2, 2, ""}, {"pop", list_pop, 1, 2, ""},
    {"insert", list_insert, 3, 3, ""},   {"remove", list_remove, 2, 2, ""}, {"clear", list_clear, 1, 1, ""},
    {"index", list_index, 2, 4, ""},     {"count", list_count, 2, 2, ""},   {"sort", list_sort, 1, -1, "key reverse"},
    {"reverse", list_reverse, 1, 1, ""}, {"copy", list_copy, 1, 1, ""},     {0}};
