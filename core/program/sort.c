/* sort.c: sorting lists: stable merge sort over pairs of key and item. */
#include <string.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

typedef struct pair {
    gd_any key; /* the item itself without a key function */
    gd_any item;
} pair;

typedef struct sorting {
    gd_vm *vm;
    pair *from, *to;
    size_t n;
    int (*less)(gd_vm *vm, gd_any a, gd_any b); /* 1, 0, -1 */
} sorting;

static int less_int(gd_vm *vm, gd_any a, gd_any b) {
    (void)vm;
    return a.u.i < b.u.i;
}

static int less_float(gd_vm *vm, gd_any a, gd_any b) {
    (void)vm;
    return a.u.f < b.u.f;
}

static int less_str(gd_vm *vm, gd_any a, gd_any b) {
    const gd_str *s = gd_as_str(a), *t = gd_as_str(b);
    int order = memcmp(s->text, t->text, s->bytes < t->bytes ? s->bytes : t->bytes);
    (void)vm;
    return order ? order < 0 : s->bytes < t->bytes;
}

static int less_any(gd_vm *vm, gd_any a, gd_any b) {
    gd_any answer = gd_compare(vm, GD_PY_LT, a, b);
    if (gd_is_nil(answer)) return -1;
    int truth = gd_truth(vm, answer);
    gd_drop(gd_vm_heap(vm), answer);
    return truth;
}

/* All keys of one plain class are compared without asking for it each time. */
static void choose(sorting *s) {
    bool ints = true, floats = true, strs = true;
    for (size_t i = 0; i < s->n; i++) {
        ints &= s->from[i].key.tag == GD_A_INT;
        floats &= s->from[i].key.tag == GD_A_FLOAT;
        strs &= gd_is_str(s->from[i].key);
    }
    s->less = ints ? less_int : floats ? less_float : strs ? less_str : less_any;
}

/* Insertion into [at, end) of which [at, done) is in order. */
static bool insert_run(sorting *s, size_t at, size_t done, size_t end) {
    for (; done < end; done++) {
        pair x = s->from[done];
        size_t low = at, high = done;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            int less = s->less(s->vm, x.key, s->from[middle].key);
            if (less < 0) return false;
            if (less)
                high = middle;
            else
                low = middle + 1;
        }
        memmove(s->from + low + 1, s->from + low, (done - low) * sizeof x);
        s->from[low] = x;
    }
    return true;
}

enum { RUN = 16 };

/* Merges [a, b) and [b, c) of `from` into `to`. On failure what is left is copied, so that nothing is lost. */
static bool merge(sorting *s, size_t a, size_t b, size_t c) {
    size_t i = a, j = b, k = a;
    int less = 0;
    if (b < c) less = s->less(s->vm, s->from[b].key, s->from[b - 1].key);
    if (!less) { /* in order already */
        memcpy(s->to + a, s->from + a, (b - a) * sizeof *s->to);
        i = k = b;
    }
    while (i < b && j < c && less >= 0) {
        less = s->less(s->vm, s->from[j].key, s->from[i].key);
        if (less < 0) break;
        s->to[k++] = less ? s->from[j++] : s->from[i++];
    }
    memcpy(s->to + k, s->from + i, (i < b ? b - i : 0) * sizeof *s->to);
    k += i < b ? b - i : 0;
    memcpy(s->to + k, s->from + j, (c - j) * sizeof *s->to);
    return less >= 0;
}

static bool merge_all(sorting *s, size_t width) {
    bool ok = true;
    for (size_t a = 0; a < s->n; a += 2 * width) {
        size_t b = a + width < s->n ? a + width : s->n, c = a + 2 * width < s->n ? a + 2 * width : s->n;
        if (ok)
            ok = merge(s, a, b, c);
        else
            memcpy(s->to + a, s->from + a, (c - a) * sizeof *s->to);
    }
    pair *other = s->from;
    s->from = s->to;
    s->to = other;
    return ok;
}

/* One run that goes through all of it, as in what is sorted already? */
static int is_sorted(sorting *s) {
    for (size_t i = 1; i < s->n; i++) {
        int less = s->less(s->vm, s->from[i].key, s->from[i - 1].key);
        if (less) return less < 0 ? -1 : 0;
    }
    return 1;
}

static bool sort_pairs(sorting *s) {
    choose(s);
    if (!gd_work(s->vm, s->n)) return false;
    int sorted = is_sorted(s);
    if (sorted) return sorted > 0;
    for (size_t a = 0; a < s->n; a += RUN)
        if (!insert_run(s, a, a + 1, a + RUN < s->n ? a + RUN : s->n)) return false;
    for (size_t width = RUN; width < s->n; width *= 2)
        if (!gd_work(s->vm, s->n) || !merge_all(s, width)) return false;
    return true;
}

static void reverse_pairs(pair *p, size_t n) {
    for (size_t i = 0, j = n; i + 1 < j; i++) {
        pair other = p[--j];
        p[j] = p[i];
        p[i] = other;
    }
}

/* Keys of all items; how many were made before one failed. */
static size_t make_keys(sorting *s, gd_any key) {
    for (size_t i = 0; i < s->n; i++) {
        s->from[i].key = gd_is_none(key) ? s->from[i].item : gd_call_1(s->vm, key, s->from[i].item);
        if (gd_is_nil(s->from[i].key)) return i;
    }
    return s->n;
}

/* Sorts items[0..n), which nobody else sees meanwhile. */
static bool sort_items(gd_vm *vm, gd_any *items, size_t n, gd_any key, bool reverse) {
    gd_heap *heap = gd_vm_heap(vm);
    pair *room = gd_heap_array(heap, n, 2 * sizeof *room);
    if (!room) {
        gd_vm_no_memory(vm);
        return false;
    }
    sorting s = {.vm = vm, .from = room, .to = room + n, .n = n};
    for (size_t i = 0; i < n; i++) room[i].item = items[i];
    size_t keys = make_keys(&s, key);
    /* Equal ones keep their order in both directions: backwards is the reverse of the sorted reverse. */
    bool ok = keys == n;
    if (ok && reverse) reverse_pairs(s.from, n);
    ok = ok && sort_pairs(&s);
    if (keys == n && reverse) reverse_pairs(s.from, n);
    for (size_t i = 0; i < n; i++) {
        items[i] = s.from[i].item;
        if (!gd_is_none(key) && (keys == n || i < keys)) gd_drop(heap, s.from[i].key);
    }
    gd_heap_free(heap, room, n * 2 * sizeof *room);
    return ok;
}

/* While the items are sorted the list is empty, so that a key function that uses it cannot harm. */
bool gd_list_sort(gd_vm *vm, gd_list *list, gd_any key, bool reverse) {
    gd_heap *heap = gd_vm_heap(vm);
    gd_any held = gd_keep(GD_ANY_OBJECT(list));
    gd_any *items = list->items;
    size_t n = list->n, capacity = list->capacity;
    list->items = NULL;
    list->n = list->capacity = 0;
    bool ok = n == 0 || sort_items(vm, items, n, key, reverse);
    bool changed = list->items != NULL || list->n;
    for (size_t i = 0; i < list->n; i++) gd_drop(heap, list->items[i]);
    gd_heap_free(heap, list->items, list->capacity * sizeof *list->items);
    list->items = items;
    list->n = n;
    list->capacity = capacity;
    if (ok && changed) gd_raise(vm, &gd_class_ValueError, "list modified during sort");
    gd_drop(heap, held);
    return ok && !changed;
}
