/* list.c: the class of lists: items, slices, their assignment and deletion. Methods are in list_methods.c. */
#include <string.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

static void list_destroy(gd_heap *heap, gd_object *self) {
    gd_list *list = (gd_list *)self;
    for (size_t i = 0; i < list->n; i++) gd_drop(heap, list->items[i]);
    gd_heap_free(heap, list->items, list->capacity * sizeof *list->items);
}

static void list_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    const gd_list *list = (gd_list *)self;
    for (size_t i = 0; i < list->n; i++) gd_see(see, user, list->items[i]);
}

static gd_any list_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    if (!gd_check_args(vm, "list", args, 0, 1)) return GD_NIL;
    return args->npos ? gd_list_from(vm, args->v[0]) : gd_list_new(vm, 0);
}

static gd_any list_repr(gd_vm *vm, gd_any self) {
    const gd_list *list = (gd_list *)self.u.object;
    gd_nest nest;
    gd_buffer b = {.vm = vm};
    if (!list->n) return gd_str_new(vm, "[]", 2);
    int enter = gd_repr_enter(vm, &nest, self);
    if (enter <= 0) return enter < 0 ? GD_NIL : gd_str_c(vm, "[...]");
    gd_buffer_c(&b, "[");
    bool ok = gd_repr_items(vm, &b, list->items, list->n);
    gd_repr_leave(vm, &nest);
    gd_buffer_c(&b, "]");
    if (ok) return gd_buffer_str(&b);
    gd_buffer_free(&b);
    return GD_NIL;
}

static int64_t list_len(gd_vm *vm, gd_any self) {
    (void)vm;
    return (int64_t)((gd_list *)self.u.object)->n;
}

/* ---- reading ---- */

static bool is_index(gd_any v) { return v.tag == GD_A_INT || v.tag == GD_A_BOOL || v.tag == GD_A_TENSOR; }

/* The position that `index` means in n items; -1 with an exception. */
static int64_t position(gd_vm *vm, gd_any index, size_t n, const char *out_of_range) {
    int64_t i;
    if (!is_index(index)) {
        gd_raise(vm, &gd_class_TypeError, "list indices must be integers or slices, not %s", gd_class_label(index));
        return -1;
    }
    if (!gd_to_index(vm, index, &i)) return -1;
    if (i < 0) i += (int64_t)n;
    if (i >= 0 && i < (int64_t)n) return i;
    gd_raise(vm, &gd_class_IndexError, "%s", out_of_range);
    return -1;
}

static gd_any get_slice(gd_vm *vm, const gd_list *list, const gd_slice_object *slice) {
    int64_t start, step, count;
    if (!gd_slice_bounds(vm, slice, (int64_t)list->n, &start, &step, &count)) return GD_NIL;
    if (!gd_work(vm, (uint64_t)count / 16)) return GD_NIL;
    gd_any made = gd_list_new(vm, (size_t)count);
    if (gd_is_nil(made)) return GD_NIL;
    gd_list *to = (gd_list *)made.u.object;
    for (int64_t i = 0; i < count; i++) to->items[i] = gd_keep(list->items[start + i * step]);
    to->n = (size_t)count;
    return made;
}

static gd_any list_getitem(gd_vm *vm, gd_any self, gd_any index) {
    const gd_list *list = (gd_list *)self.u.object;
    if (gd_is(index, &gd_class_slice)) return get_slice(vm, list, (gd_slice_object *)index.u.object);
    int64_t i = position(vm, index, list->n, "list index out of range");
    return i < 0 ? GD_NIL : gd_keep(list->items[i]);
}

/* ---- writing ---- */

/* Takes n items at `at` out; they go when the list is whole again. */
static void remove_items(gd_heap *heap, gd_list *list, size_t at, size_t n) {
    for (size_t i = at; i < at + n; i++) gd_drop(heap, list->items[i]);
    if (n) memmove(list->items + at, list->items + at + n, (list->n - at - n) * sizeof *list->items);
    list->n -= n;
}

static void delete_slice(gd_heap *heap, gd_list *list, int64_t start, int64_t step, int64_t count) {
    if (step < 0) start += step * (count - 1), step = -step;
    if (step == 1) return remove_items(heap, list, (size_t)start, (size_t)count);
    size_t to = (size_t)start;
    int64_t next = start, left = count;
    for (size_t from = to; from < list->n; from++) {
        if (left && (int64_t)from == next) {
            gd_drop(heap, list->items[from]);
            left--;
            next = left ? next + step : next;
        } else {
            list->items[to++] = list->items[from];
        }
    }
    list->n = to;
}

/* list[start:start + count] = new items, which are not the list's own array. */
static bool splice(gd_vm *vm, gd_list *list, size_t start, size_t count, const gd_any *items, size_t n) {
    if (n > count && !gd_list_reserve(vm, list, n - count)) return false;
    for (size_t i = start; i < start + count; i++) gd_drop(gd_vm_heap(vm), list->items[i]);
    if (n != count && list->n > start + count)
        memmove(list->items + start + n, list->items + start + count, (list->n - start - count) * sizeof *items);
    for (size_t i = 0; i < n; i++) list->items[start + i] = gd_keep(items[i]);
    list->n = list->n - count + n;
    return true;
}

static bool set_extended(gd_vm *vm, gd_list *list, int64_t start, int64_t step, int64_t count, const gd_list *from) {
    if (from->n != (size_t)count) {
        gd_raise(vm, &gd_class_ValueError, "attempt to assign sequence of size %zu to extended slice of size %lld",
                 from->n, (long long)count);
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        gd_any *item = &list->items[start + i * step], old = *item;
        *item = gd_keep(from->items[i]);
        gd_drop(gd_vm_heap(vm), old);
    }
    return true;
}

static bool set_slice(gd_vm *vm, gd_list *list, const gd_slice_object *slice, gd_any value) {
    int64_t start, step, count;
    if (!gd_slice_bounds(vm, slice, (int64_t)list->n, &start, &step, &count) || !gd_work(vm, list->n / 16))
        return false;
    if (gd_is_nil(value)) {
        if (count) delete_slice(gd_vm_heap(vm), list, start, step, count);
        return true;
    }
    gd_any (*iter)(gd_vm *, gd_any);
    GD_SLOT(gd_class_of(value), iter, iter);
    if (!iter) {
        gd_raise(vm, &gd_class_TypeError,
                 step == 1 ? "can only assign an iterable" : "must assign iterable to extended slice");
        return false;
    }
    gd_any copy = gd_list_from(vm, value); /* `value` may be the list itself, or an iterator over it */
    if (gd_is_nil(copy)) return false;
    const gd_list *from = (gd_list *)copy.u.object;
    /* The iteration may have changed the list. */
    bool ok = gd_slice_bounds(vm, slice, (int64_t)list->n, &start, &step, &count);
    if (ok)
        ok = step == 1 ? splice(vm, list, (size_t)start, (size_t)count, from->items, from->n)
                       : set_extended(vm, list, start, step, count, from);
    gd_drop(gd_vm_heap(vm), copy);
    return ok;
}

static bool list_setitem(gd_vm *vm, gd_any self, gd_any index, gd_any value) {
    gd_list *list = (gd_list *)self.u.object;
    if (gd_is(index, &gd_class_slice)) return set_slice(vm, list, (gd_slice_object *)index.u.object, value);
    int64_t i = position(vm, index, list->n, "list assignment index out of range");
    if (i < 0) return false;
    if (gd_is_nil(value)) {
        if (!gd_work(vm, (list->n - (size_t)i) / 64)) return false;
        remove_items(gd_vm_heap(vm), list, (size_t)i, 1);
        return true;
    }
    gd_any old = list->items[i];
    list->items[i] = gd_keep(value);
    gd_drop(gd_vm_heap(vm), old);
    return true;
}

static gd_any list_iter(gd_vm *vm, gd_any self) { return gd_seq_iterator_new(vm, self, false); }

const gd_class gd_class_list = {.name = "list",
                                .destroy = list_destroy,
                                .visit = list_visit,
                                .make = list_make,
                                .repr = list_repr,
                                .methods = gd_list_methods,
                                .iter = list_iter,
                                .len = list_len,
                                .getitem = list_getitem,
                                .setitem = list_setitem,
                                .contains = gd_sequence_contains,
                                .equal = gd_sequence_equal};
