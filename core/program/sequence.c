/* sequence.c: lists and tuples as C code makes and reads them, and what both have in common: order, +, *, unpacking.
 * Their classes are in list.c and tuple.c. */
#include <string.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

/* ---- making ---- */

gd_any gd_list_new(gd_vm *vm, size_t capacity) {
    gd_list *list = gd_object_new(vm, &gd_class_list, sizeof *list);
    if (!list) return GD_NIL;
    if (capacity) {
        list->items = gd_heap_array(gd_vm_heap(vm), capacity, sizeof *list->items);
        if (!list->items) {
            gd_drop(gd_vm_heap(vm), GD_ANY_OBJECT(list));
            return gd_vm_no_memory(vm);
        }
        list->capacity = capacity;
    }
    return GD_ANY_OBJECT(list);
}

bool gd_list_reserve(gd_vm *vm, gd_list *list, size_t more) {
    size_t want;
    gd_heap *heap = gd_vm_heap(vm);
    if (more <= list->capacity - list->n) return true;
    if (!gd_add_size(list->n, more, &want) || want > SIZE_MAX / sizeof *list->items / 2) {
        (void)gd_heap_alloc(heap, SIZE_MAX); /* refused, so that the heap knows why */
        gd_vm_no_memory(vm);
        return false;
    }
    size_t capacity = list->n + list->n / 4 + 4;
    if (capacity < want) capacity = want;
    gd_any *items = gd_heap_resize(heap, list->items, list->capacity * sizeof *items, capacity * sizeof *items);
    if (!items) {
        gd_vm_no_memory(vm);
        return false;
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

bool gd_list_append(gd_vm *vm, gd_list *list, gd_any v) {
    if (list->n == list->capacity && !gd_list_reserve(vm, list, 1)) {
        gd_drop(gd_vm_heap(vm), v);
        return false;
    }
    list->items[list->n++] = v;
    return true;
}

static bool extend_items(gd_vm *vm, gd_list *list, gd_any from) {
    const gd_any *items;
    size_t n;
    (void)gd_items(from, &items, &n);
    if (!gd_list_reserve(vm, list, n) || !gd_work(vm, n / 16)) return false;
    (void)gd_items(from, &items, &n); /* once more: `from` may be the list that has just moved */
    for (size_t i = 0; i < n; i++) list->items[list->n + i] = gd_keep(items[i]);
    list->n += n;
    return true;
}

bool gd_list_extend(gd_vm *vm, gd_list *list, gd_any iterable) {
    if (gd_is_list(iterable) || gd_is_tuple(iterable)) return extend_items(vm, list, iterable);
    gd_any iterator = gd_iterate(vm, iterable), item;
    if (gd_is_nil(iterator)) return false;
    int more;
    while ((more = gd_next(vm, iterator, &item)) > 0)
        if (!gd_list_append(vm, list, item) || !gd_work(vm, 1)) {
            more = -1;
            break;
        }
    gd_drop(gd_vm_heap(vm), iterator);
    return more == 0;
}

gd_any gd_list_from(gd_vm *vm, gd_any iterable) {
    gd_any list = gd_list_new(vm, 0);
    if (gd_is_nil(list) || gd_list_extend(vm, (gd_list *)list.u.object, iterable)) return list;
    gd_drop(gd_vm_heap(vm), list);
    return GD_NIL;
}

gd_any gd_tuple_new(gd_vm *vm, const gd_class *class, size_t n) {
    size_t bytes;
    if (!gd_mul_size(n, sizeof(gd_any), &bytes) || !gd_add_size(bytes, sizeof(gd_tuple), &bytes)) bytes = SIZE_MAX;
    gd_tuple *t = gd_object_new(vm, class, bytes);
    if (!t) return GD_NIL;
    t->n = n;
    for (size_t i = 0; i < n; i++) t->items[i] = GD_ANY_NONE;
    return GD_ANY_OBJECT(t);
}

gd_any gd_tuple_of(gd_vm *vm, size_t n, const gd_any *items) {
    gd_any t = gd_tuple_new(vm, &gd_class_tuple, n);
    if (gd_is_nil(t)) return GD_NIL;
    for (size_t i = 0; i < n; i++) ((gd_tuple *)t.u.object)->items[i] = gd_keep(items[i]);
    return t;
}

gd_any gd_tuple_from(gd_vm *vm, gd_any iterable) {
    if (gd_is(iterable, &gd_class_tuple)) return gd_keep(iterable);
    const gd_any *items;
    size_t n;
    if (gd_items(iterable, &items, &n)) return gd_work(vm, n / 16) ? gd_tuple_of(vm, n, items) : GD_NIL;
    gd_any list = gd_list_from(vm, iterable);
    if (gd_is_nil(list)) return GD_NIL;
    gd_list *l = (gd_list *)list.u.object;
    gd_any tuple = gd_tuple_of(vm, l->n, l->items);
    gd_drop(gd_vm_heap(vm), list);
    return tuple;
}

bool gd_items(gd_any v, const gd_any **items, size_t *n) {
    if (gd_is_list(v)) {
        *items = ((gd_list *)v.u.object)->items;
        *n = ((gd_list *)v.u.object)->n;
    } else if (gd_is_tuple(v)) {
        *items = ((gd_tuple *)v.u.object)->items;
        *n = ((gd_tuple *)v.u.object)->n;
    } else {
        return false;
    }
    return true;
}

/* ---- searching and comparing ---- */

/* Item i of a walk in which `each` items are one step: paid for on the way, so that a run can be stopped there. */
static bool pay(gd_vm *vm, size_t i, uint64_t each) { return i % 64 != 63 || gd_work(vm, 64 / each); }

int64_t gd_items_find(gd_vm *vm, gd_any sequence, gd_any item, int64_t from, int64_t to) {
    const gd_any *items;
    size_t n;
    if (!gd_items(sequence, &items, &n)) return -1;
    if (to > (int64_t)n) to = (int64_t)n;
    for (int64_t i = from; i < to; i++) {
        if (!pay(vm, (size_t)(i - from), 8)) return -2;
        int equal = gd_equal(vm, items[i], item);
        if (equal) return equal < 0 ? -2 : i;
    }
    return -1;
}

int gd_sequence_contains(gd_vm *vm, gd_any self, gd_any item) {
    int64_t at = gd_items_find(vm, self, item, 0, INT64_MAX);
    return at == -2 ? -1 : at >= 0;
}

gd_any gd_sequence_count(gd_vm *vm, const gd_args *args) {
    const gd_any *items;
    size_t n;
    int64_t count = 0;
    if (!gd_items(args->v[0], &items, &n)) return GD_NIL;
    for (size_t i = 0; i < n; i++) {
        if (!pay(vm, i, 8)) return GD_NIL;
        int equal = gd_equal(vm, items[i], args->v[1]);
        if (equal < 0) return GD_NIL;
        count += equal;
    }
    return GD_ANY_INT(count);
}

/* start and stop of index(): negative ones count from the end. */
static bool bound(gd_vm *vm, gd_any v, size_t n, int64_t *out) {
    if (!gd_to_index(vm, v, out)) return false;
    if (*out < 0 && (*out += (int64_t)n) < 0) *out = 0;
    return true;
}

gd_any gd_sequence_index(gd_vm *vm, const gd_args *args) {
    const gd_any *items;
    size_t n;
    int64_t from = 0, to = INT64_MAX;
    if (!gd_items(args->v[0], &items, &n)) return GD_NIL;
    if (args->npos > 2 && !bound(vm, args->v[2], n, &from)) return GD_NIL;
    if (args->npos > 3 && !bound(vm, args->v[3], n, &to)) return GD_NIL;
    int64_t at = gd_items_find(vm, args->v[0], args->v[1], from, to);
    if (at >= 0) return GD_ANY_INT(at);
    if (at == -2) return GD_NIL;
    if (!gd_is_list(args->v[0])) return gd_raise(vm, &gd_class_ValueError, "tuple.index(x): x not in tuple");
    gd_any shown = gd_repr_of(vm, args->v[1]);
    if (gd_is_nil(shown)) return GD_NIL;
    gd_raise(vm, &gd_class_ValueError, "%s is not in list", gd_as_str(shown)->text);
    gd_drop(gd_vm_heap(vm), shown);
    return GD_NIL;
}

int gd_sequence_equal(gd_vm *vm, gd_any self, gd_any other) {
    const gd_any *a, *b;
    size_t n, m;
    if (gd_is_list(self) != gd_is_list(other) || !gd_items(self, &a, &n) || !gd_items(other, &b, &m) || n != m)
        return 0;
    if (!gd_work(vm, 1)) return -1;
    for (size_t i = 0; i < n; i++) {
        if (!pay(vm, i, 4)) return -1;
        int equal = gd_equal(vm, a[i], b[i]);
        if (equal != 1) return equal;
    }
    return 1;
}

/* The first items that differ decide; their comparison's answer is the answer, whatever it is. */
static gd_any compare_items(gd_vm *vm, gd_ast_op op, const gd_any *a, size_t n, const gd_any *b, size_t m) {
    size_t least = n < m ? n : m;
    if (!gd_work(vm, 1)) return GD_NIL;
    for (size_t i = 0; i < least; i++) {
        if (!pay(vm, i, 4)) return GD_NIL;
        int equal = gd_equal(vm, a[i], b[i]);
        if (equal < 0) return GD_NIL;
        if (!equal) return gd_compare(vm, op, a[i], b[i]);
    }
    return gd_number_compare(op, GD_ANY_INT((int64_t)n), GD_ANY_INT((int64_t)m));
}

gd_any gd_sequence_compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    const gd_any *v, *w;
    size_t n, m;
    if (gd_is_list(a) != gd_is_list(b) || !gd_items(a, &v, &n) || !gd_items(b, &w, &m)) return GD_NIL;
    if (!gd_deeper_compare(vm)) return GD_NIL;
    gd_any answer = compare_items(vm, op, v, n, w, m);
    gd_shallower(vm);
    return answer;
}

/* ---- + and * ---- */

/* A list or tuple of n items of the kind of `like`; the caller fills them in at once. */
static gd_any room_like(gd_vm *vm, gd_any like, size_t n, gd_any **items) {
    bool list = gd_is_list(like);
    gd_any made =
        list ? gd_list_new(vm, n) : gd_tuple_new(vm, gd_is(like, &gd_class_size) ? &gd_class_size : &gd_class_tuple, n);
    if (gd_is_nil(made)) return GD_NIL;
    if (!gd_work(vm, n / 16)) {
        gd_drop(gd_vm_heap(vm), made);
        return GD_NIL;
    }
    *items = list ? ((gd_list *)made.u.object)->items : ((gd_tuple *)made.u.object)->items;
    if (list) ((gd_list *)made.u.object)->n = n;
    return made;
}

static gd_any concatenated(gd_vm *vm, gd_any a, gd_any b) {
    const gd_any *v, *w;
    gd_any *items;
    size_t n, m;
    if (gd_is_list(a) != gd_is_list(b) || !gd_items(a, &v, &n) || !gd_items(b, &w, &m)) return GD_NIL;
    gd_any made = room_like(vm, a, n + m, &items);
    if (gd_is_nil(made)) return GD_NIL;
    for (size_t i = 0; i < n; i++) items[i] = gd_keep(v[i]);
    for (size_t i = 0; i < m; i++) items[n + i] = gd_keep(w[i]);
    return made;
}

static gd_any repeated(gd_vm *vm, gd_any sequence, int64_t times) {
    const gd_any *v;
    gd_any *items;
    size_t n, total;
    if (!gd_items(sequence, &v, &n)) return GD_NIL;
    if (times < 0) times = 0;
    if (!gd_mul_size(n, (size_t)times, &total) || total > SIZE_MAX / 32) {
        (void)gd_heap_alloc(gd_vm_heap(vm), SIZE_MAX);
        return gd_vm_no_memory(vm);
    }
    gd_any made = room_like(vm, sequence, total, &items);
    if (gd_is_nil(made)) return GD_NIL;
    if (n == 1)
        for (size_t at = 0; at < total; at++) items[at] = v[0];
    else
        for (size_t at = 0; at < total; at += n) memcpy(items + at, v, n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        for (int64_t k = v[i].tag < GD_A_TENSOR ? times : 0; k < times; k++) (void)gd_keep(v[i]);
    return made;
}

/* list *= times keeps the list itself. */
static gd_any repeat_in_place(gd_vm *vm, gd_any self, int64_t times) {
    gd_any made = repeated(vm, self, times);
    if (gd_is_nil(made)) return GD_NIL;
    gd_list *to = (gd_list *)self.u.object, *from = (gd_list *)made.u.object, old = *to;
    to->items = from->items, to->n = from->n, to->capacity = from->capacity;
    from->items = old.items, from->n = old.n, from->capacity = old.capacity;
    gd_drop(gd_vm_heap(vm), made);
    return gd_keep(self);
}

static bool is_sequence(gd_any v) { return gd_is_list(v) || gd_is_tuple(v); }
static bool is_index(gd_any v) { return v.tag == GD_A_INT || v.tag == GD_A_BOOL || v.tag == GD_A_TENSOR; }

gd_any gd_sequence_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    if (op == GD_PY_ADD && is_sequence(a)) {
        if (!in_place || !gd_is_list(a)) return concatenated(vm, a, b);
        return gd_list_extend(vm, (gd_list *)a.u.object, b) ? gd_keep(a) : GD_NIL;
    }
    if (op != GD_PY_MUL) return GD_NIL;
    int64_t times;
    bool left = is_sequence(a) && is_index(b);
    if (!left && !(is_sequence(b) && is_index(a))) return GD_NIL;
    if (!gd_to_index(vm, left ? b : a, &times)) return GD_NIL;
    if (left && in_place && gd_is_list(a)) return repeat_in_place(vm, a, times);
    return repeated(vm, left ? a : b, times);
}

/* ---- unpacking ---- */

/* v as a list or tuple, new. */
static gd_any unpackable(gd_vm *vm, gd_any v, size_t most) {
    gd_any (*iter)(gd_vm *, gd_any);
    if (is_sequence(v)) return gd_keep(v);
    GD_SLOT(gd_class_of(v), iter, iter);
    if (!iter) return gd_raise(vm, &gd_class_TypeError, "cannot unpack non-iterable %s object", gd_class_label(v));
    gd_any iterator = iter(vm, v), list = gd_is_nil(iterator) ? GD_NIL : gd_list_new(vm, 0), item;
    int more = gd_is_nil(list) ? -1 : 1;
    /* One more than wanted tells that there are too many; an endless iterator need not end. */
    while (more > 0 && ((gd_list *)list.u.object)->n <= most && (more = gd_next(vm, iterator, &item)) > 0)
        if (!gd_list_append(vm, (gd_list *)list.u.object, item) || !gd_work(vm, 1)) more = -1;
    gd_drop(gd_vm_heap(vm), iterator);
    if (more >= 0) return list;
    gd_drop(gd_vm_heap(vm), list);
    return GD_NIL;
}

bool gd_unpack(gd_vm *vm, gd_any v, size_t n, gd_any *out) {
    gd_any sequence = unpackable(vm, v, n);
    const gd_any *items;
    size_t have;
    if (gd_is_nil(sequence)) return false;
    (void)gd_items(sequence, &items, &have);
    if (have > n)
        gd_raise(vm, &gd_class_ValueError, "too many values to unpack (expected %zu)", n);
    else if (have < n)
        gd_raise(vm, &gd_class_ValueError, "not enough values to unpack (expected %zu, got %zu)", n, have);
    else
        for (size_t i = 0; i < n; i++) out[i] = gd_keep(items[i]);
    gd_drop(gd_vm_heap(vm), sequence);
    return have == n;
}

bool gd_unpack_star(gd_vm *vm, gd_any v, size_t before, size_t after, gd_any *out) {
    gd_any sequence = unpackable(vm, v, SIZE_MAX), middle = GD_NIL;
    const gd_any *items;
    size_t have;
    if (gd_is_nil(sequence)) return false;
    (void)gd_items(sequence, &items, &have);
    if (have < before + after) {
        gd_raise(vm, &gd_class_ValueError, "not enough values to unpack (expected at least %zu, got %zu)",
                 before + after, have);
    } else if (!gd_is_nil(middle = gd_list_new(vm, have - before - after))) {
        for (size_t i = 0; i < before; i++) out[i] = gd_keep(items[i]);
        gd_list *list = (gd_list *)middle.u.object;
        while (list->n < have - before - after) {
            list->items[list->n] = gd_keep(items[before + list->n]);
            list->n++;
        }
        out[before] = middle;
        for (size_t i = 0; i < after; i++) out[before + 1 + i] = gd_keep(items[have - after + i]);
    }
    gd_drop(gd_vm_heap(vm), sequence);
    return !gd_is_nil(middle);
}
