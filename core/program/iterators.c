/* iterators.c: iterators over lists, tuples and ranges, and those that built-in classes make of others: enumerate, zip,
 * map, filter, reversed. All are lazy. */
#include "core/program/heap.h"
#include "core/program/vm.h"

static gd_any self_iter(gd_vm *vm, gd_any self) {
    (void)vm;
    return gd_keep(self);
}

/* ---- lists and tuples ---- */

static void seq_destroy(gd_heap *heap, gd_object *self) { gd_drop(heap, ((gd_seq_iterator *)self)->of); }

static void seq_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((gd_seq_iterator *)self)->of);
}

static int seq_finish(gd_vm *vm, gd_seq_iterator *it) {
    gd_any of = it->of;
    it->of = GD_NIL;
    gd_drop(gd_vm_heap(vm), of);
    return 0;
}

static int list_next(gd_vm *vm, gd_any self, gd_any *out) {
    gd_seq_iterator *it = (gd_seq_iterator *)self.u.object;
    const gd_list *list = (gd_list *)it->of.u.object;
    if (gd_is_nil(it->of)) return 0;
    if (it->at >= list->n) return seq_finish(vm, it);
    *out = gd_keep(list->items[it->at++]);
    return 1;
}

static int tuple_next(gd_vm *vm, gd_any self, gd_any *out) {
    gd_seq_iterator *it = (gd_seq_iterator *)self.u.object;
    const gd_tuple *tuple = (gd_tuple *)it->of.u.object;
    if (gd_is_nil(it->of)) return 0;
    if (it->at >= tuple->n) return seq_finish(vm, it);
    *out = gd_keep(tuple->items[it->at++]);
    return 1;
}

/* Backwards: `at` is one past the next item. */
static int back_next(gd_vm *vm, gd_any self, gd_any *out) {
    gd_seq_iterator *it = (gd_seq_iterator *)self.u.object;
    const gd_any *items;
    size_t n;
    if (gd_is_nil(it->of)) return 0;
    (void)gd_items(it->of, &items, &n);
    if (!it->at || it->at > n) return seq_finish(vm, it);
    *out = gd_keep(items[--it->at]);
    return 1;
}

#define SEQUENCE(text, step)                                                                                           \
    { .name = text, .destroy = seq_destroy, .visit = seq_visit, .iter = self_iter, .next = step }
const gd_class gd_class_list_iterator = SEQUENCE("list_iterator", list_next);
const gd_class gd_class_tuple_iterator = SEQUENCE("tuple_iterator", tuple_next);
static const gd_class list_back = SEQUENCE("list_reverseiterator", back_next);
static const gd_class tuple_back = SEQUENCE("reversed", back_next);

gd_any gd_seq_iterator_new(gd_vm *vm, gd_any of, bool reversed) {
    const gd_any *items;
    size_t n;
    (void)gd_items(of, &items, &n);
    const gd_class *class = gd_is_list(of) ? (reversed ? &list_back : &gd_class_list_iterator)
                                           : (reversed ? &tuple_back : &gd_class_tuple_iterator);
    gd_seq_iterator *it = gd_object_new(vm, class, sizeof *it);
    if (!it) return GD_NIL;
    it->of = gd_keep(of);
    it->at = reversed ? n : 0;
    return GD_ANY_OBJECT(it);
}

/* ---- ranges ---- */

static int range_next(gd_vm *vm, gd_any self, gd_any *out) {
    gd_range_iterator *it = (gd_range_iterator *)self.u.object;
    (void)vm;
    if (!it->left) return 0;
    *out = GD_ANY_INT(it->next);
    if (--it->left) it->next += it->step;
    return 1;
}

const gd_class gd_class_range_iterator = {.name = "range_iterator", .iter = self_iter, .next = range_next};

gd_any gd_range_iterator_new(gd_vm *vm, int64_t start, int64_t step, int64_t n) {
    gd_range_iterator *it = gd_object_new(vm, &gd_class_range_iterator, sizeof *it);
    if (!it) return GD_NIL;
    it->next = start, it->step = step, it->left = n;
    return GD_ANY_OBJECT(it);
}

/* ---- tuples that are made again and again ---- */

/* A tuple for n items, to be set with set_item: `*last`, if nobody but its iterator holds it any more. */
static gd_any next_tuple(gd_vm *vm, gd_any *last, size_t n) {
    if (!gd_is_nil(*last) && last->u.object->refs == 1) return gd_keep(*last);
    gd_any tuple = gd_tuple_new(vm, &gd_class_tuple, n), old = *last;
    if (gd_is_nil(tuple)) return GD_NIL;
    *last = gd_keep(tuple);
    gd_drop(gd_vm_heap(vm), old);
    return tuple;
}

static void set_item(gd_vm *vm, gd_any tuple, size_t i, gd_any item) {
    gd_any *place = &((gd_tuple *)tuple.u.object)->items[i], old = *place;
    *place = item;
    gd_drop(gd_vm_heap(vm), old);
}

/* ---- enumerate ---- */

typedef struct enumeration {
    gd_object head;
    gd_any iterator, last;
    int64_t next;
} enumeration;

static void enumerate_destroy(gd_heap *heap, gd_object *self) {
    gd_drop(heap, ((enumeration *)self)->iterator);
    gd_drop(heap, ((enumeration *)self)->last);
}

static void enumerate_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((enumeration *)self)->iterator);
    see(user, ((enumeration *)self)->last);
}

static gd_any wrong_keyword(gd_vm *vm, const char *keyword, const char *function) {
    return gd_raise(vm, &gd_class_TypeError, "'%s' is an invalid keyword argument for %s()", keyword, function);
}

/* enumerate(iterable, start=0), both also as keywords. */
static bool enumerate_args(gd_vm *vm, const gd_args *args, gd_any out[2]) {
    static const char *const names[] = {"iterable", "start"};
    if (args->npos > 2) {
        gd_raise(vm, &gd_class_TypeError, "enumerate() takes at most 2 arguments (%u given)", args->npos + args->nkw);
        return false;
    }
    for (uint32_t i = 0; i < args->npos; i++) out[i] = args->v[i];
    for (uint32_t k = 0; k < args->nkw; k++) {
        int i = gd_str_is(args->names[k], names[0]) ? 0 : gd_str_is(args->names[k], names[1]) ? 1 : -1;
        if (i < 0 || !gd_is_nil(out[i])) {
            wrong_keyword(vm, args->names[k]->text, "enumerate");
            return false;
        }
        out[i] = args->v[args->npos + k];
    }
    if (gd_is_nil(out[0])) gd_raise(vm, &gd_class_TypeError, "enumerate() missing required argument 'iterable'");
    return !gd_is_nil(out[0]);
}

static gd_any enumerate_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    gd_any given[2] = {GD_NIL, GD_NIL};
    int64_t start = 0;
    if (!enumerate_args(vm, args, given) || (!gd_is_nil(given[1]) && !gd_to_index(vm, given[1], &start))) return GD_NIL;
    gd_any iterator = gd_iterate(vm, given[0]);
    if (gd_is_nil(iterator)) return GD_NIL;
    enumeration *e = gd_object_new(vm, class, sizeof *e);
    if (!e) return gd_drop(gd_vm_heap(vm), iterator), GD_NIL;
    e->iterator = iterator;
    e->next = start;
    return GD_ANY_OBJECT(e);
}

static int enumerate_next(gd_vm *vm, gd_any self, gd_any *out) {
    enumeration *e = (enumeration *)self.u.object;
    gd_any item;
    if (!gd_deeper(vm)) return -1; /* an enumeration of an enumeration of … */
    int more = gd_next(vm, e->iterator, &item);
    gd_shallower(vm);
    if (more <= 0) return more;
    gd_any tuple = next_tuple(vm, &e->last, 2);
    if (gd_is_nil(tuple)) {
        gd_drop(gd_vm_heap(vm), item);
        return -1;
    }
    set_item(vm, tuple, 0, GD_ANY_INT(e->next));
    set_item(vm, tuple, 1, item);
    if (e->next < INT64_MAX) e->next++;
    *out = tuple;
    return 1;
}

const gd_class gd_class_enumerate = {.name = "enumerate",
                                     .destroy = enumerate_destroy,
                                     .visit = enumerate_visit,
                                     .make = enumerate_make,
                                     .iter = self_iter,
                                     .next = enumerate_next};

/* ---- zip and map: several iterators, in step ---- */

typedef struct group {
    gd_object head;
    gd_any function;  /* of map */
    gd_any iterators; /* tuple */
    gd_any last;      /* tuple that it answered last */
    bool strict;
} group;

static void group_destroy(gd_heap *heap, gd_object *self) {
    gd_drop(heap, ((group *)self)->function);
    gd_drop(heap, ((group *)self)->iterators);
    gd_drop(heap, ((group *)self)->last);
}

static void group_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((group *)self)->function);
    see(user, ((group *)self)->iterators);
    see(user, ((group *)self)->last);
}

static gd_any group_new(gd_vm *vm, const gd_class *class, gd_any function, size_t n, const gd_any *iterables) {
    gd_any iterators = gd_tuple_new(vm, &gd_class_tuple, n);
    bool ok = !gd_is_nil(iterators);
    for (size_t i = 0; ok && i < n; i++) {
        gd_any iterator = gd_iterate(vm, iterables[i]);
        ok = !gd_is_nil(iterator);
        if (ok) ((gd_tuple *)iterators.u.object)->items[i] = iterator;
    }
    group *g = ok ? gd_object_new(vm, class, sizeof *g) : NULL;
    if (!g) return gd_drop(gd_vm_heap(vm), iterators), GD_NIL;
    g->function = gd_keep(function);
    g->iterators = iterators;
    return GD_ANY_OBJECT(g);
}

static void uneven(gd_vm *vm, size_t i, const char *how) {
    if (i == 1)
        gd_raise(vm, &gd_class_ValueError, "zip() argument 2 is %s than argument 1", how);
    else
        gd_raise(vm, &gd_class_ValueError, "zip() argument %zu is %s than arguments 1-%zu", i + 1, how, i);
}

/* Iterator number `ended` gave nothing. Strictly, none before it may have given anything, and none behind may give. */
static int check_strict(gd_vm *vm, const gd_tuple *iterators, size_t ended) {
    if (ended) {
        uneven(vm, ended, "shorter");
        return -1;
    }
    for (size_t i = 1; i < iterators->n; i++) {
        gd_any item;
        int more = gd_next(vm, iterators->items[i], &item);
        if (more > 0) {
            gd_drop(gd_vm_heap(vm), item);
            uneven(vm, i, "longer");
        }
        if (more) return -1;
    }
    return 0;
}

/* One item of each, as a tuple. */
static int group_step(gd_vm *vm, group *g, gd_any *out) {
    const gd_tuple *iterators = (gd_tuple *)g->iterators.u.object;
    if (!iterators->n) return 0;
    gd_any tuple = next_tuple(vm, &g->last, iterators->n);
    if (gd_is_nil(tuple)) return -1;
    int more = 1;
    for (size_t i = 0; i < iterators->n; i++) {
        gd_any item;
        more = gd_next(vm, iterators->items[i], &item);
        if (more <= 0) {
            if (!more && g->strict) more = check_strict(vm, iterators, i);
            break;
        }
        set_item(vm, tuple, i, item);
    }
    if (more > 0)
        *out = tuple;
    else
        gd_drop(gd_vm_heap(vm), tuple);
    return more;
}

/* Iterators may be made of iterators without end: each level is one deeper. */
static int zip_next(gd_vm *vm, gd_any self, gd_any *out) {
    if (!gd_deeper(vm)) return -1;
    int more = group_step(vm, (group *)self.u.object, out);
    gd_shallower(vm);
    return more;
}

static gd_any zip_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    gd_any strict = gd_find_keyword(args, "strict");
    for (uint32_t k = 0; k < args->nkw; k++)
        if (!gd_str_is(args->names[k], "strict")) return wrong_keyword(vm, args->names[k]->text, "zip");
    int truth = gd_is_nil(strict) ? 0 : gd_truth(vm, strict);
    gd_any made = truth < 0 ? GD_NIL : group_new(vm, class, GD_NIL, args->npos, args->v);
    if (!gd_is_nil(made)) ((group *)made.u.object)->strict = truth;
    return made;
}

const gd_class gd_class_zip = {.name = "zip",
                               .destroy = group_destroy,
                               .visit = group_visit,
                               .make = zip_make,
                               .iter = self_iter,
                               .next = zip_next};

static gd_any map_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    if (args->nkw) return gd_raise(vm, &gd_class_TypeError, "map() takes no keyword arguments");
    if (args->npos < 2) return gd_raise(vm, &gd_class_TypeError, "map() must have at least two arguments.");
    return group_new(vm, class, args->v[0], args->npos - 1, args->v + 1);
}

static int map_step(gd_vm *vm, group *g, gd_any *out) {
    const gd_tuple *iterators = (gd_tuple *)g->iterators.u.object;
    gd_any item, answer;
    if (iterators->n == 1) {
        int more = gd_next(vm, iterators->items[0], &item);
        if (more <= 0) return more;
        answer = gd_call_1(vm, g->function, item);
    } else {
        int more = group_step(vm, g, &item);
        if (more <= 0) return more;
        const gd_tuple *all = (gd_tuple *)item.u.object;
        answer = gd_call_any(vm, g->function, &(gd_args){.v = all->items, .npos = (uint32_t)all->n});
    }
    gd_drop(gd_vm_heap(vm), item);
    *out = answer;
    return gd_is_nil(answer) ? -1 : 1;
}

static int map_next(gd_vm *vm, gd_any self, gd_any *out) {
    if (!gd_deeper(vm)) return -1;
    int more = map_step(vm, (group *)self.u.object, out);
    gd_shallower(vm);
    return more;
}

const gd_class gd_class_map = {.name = "map",
                               .destroy = group_destroy,
                               .visit = group_visit,
                               .make = map_make,
                               .iter = self_iter,
                               .next = map_next};

/* ---- filter ---- */

static gd_any filter_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    if (!gd_check_args(vm, "filter", args, 2, 2)) return GD_NIL;
    return group_new(vm, class, args->v[0], 1, args->v + 1);
}

static int passes(gd_vm *vm, gd_any function, gd_any item) {
    if (gd_is_none(function)) return gd_truth(vm, item);
    gd_any answer = gd_call_1(vm, function, item);
    if (gd_is_nil(answer)) return -1;
    int truth = gd_truth(vm, answer);
    gd_drop(gd_vm_heap(vm), answer);
    return truth;
}

static int filter_next(gd_vm *vm, gd_any self, gd_any *out) {
    const group *g = (group *)self.u.object;
    int more = 1, pass = 0;
    if (!gd_deeper(vm)) return -1;
    while (!pass && (more = gd_next(vm, ((gd_tuple *)g->iterators.u.object)->items[0], out)) > 0) {
        pass = gd_work(vm, 1) ? passes(vm, g->function, *out) : -1;
        if (pass <= 0) gd_drop(gd_vm_heap(vm), *out);
    }
    gd_shallower(vm);
    return pass < 0 ? -1 : more;
}

const gd_class gd_class_filter = {.name = "filter",
                                  .destroy = group_destroy,
                                  .visit = group_visit,
                                  .make = filter_make,
                                  .iter = self_iter,
                                  .next = filter_next};

/* ---- reversed ---- */

/* Of anything with a length and items by number: strings, tensors. */
typedef struct reversal {
    gd_object head;
    gd_any of;
    int64_t at;
} reversal;

static int reversed_next(gd_vm *vm, gd_any self, gd_any *out) {
    reversal *r = (reversal *)self.u.object;
    if (gd_is_nil(r->of)) return 0;
    if (r->at > 0) {
        *out = gd_get_item(vm, r->of, GD_ANY_INT(--r->at));
        return gd_is_nil(*out) ? -1 : 1;
    }
    gd_any of = r->of;
    r->of = GD_NIL;
    gd_drop(gd_vm_heap(vm), of);
    return 0;
}

static gd_any reversed_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    int what;
    if (!gd_check_args(vm, "reversed", args, 1, 1)) return GD_NIL;
    gd_any of = args->v[0];
    if (gd_is_list(of) || gd_is_tuple(of)) return gd_seq_iterator_new(vm, of, true);
    if (gd_is(of, &gd_class_range)) return gd_range_reversed(vm, of);
    if (gd_is_dict(of)) return gd_dict_iterator(vm, of, GD_KEYS, true);
    if (gd_is_dict_view(of, &what)) return gd_dict_view_reversed(vm, of);
    if (!gd_is_str(of)) return gd_raise(vm, &gd_class_TypeError, "'%s' object is not reversible", gd_class_label(of));
    reversal *r = gd_object_new(vm, class, sizeof *r);
    if (!r) return GD_NIL;
    r->of = gd_keep(of);
    r->at = gd_length(vm, of);
    return GD_ANY_OBJECT(r);
}

const gd_class gd_class_reversed = {.name = "reversed",
                                    .destroy = seq_destroy,
                                    .visit = seq_visit,
                                    .make = reversed_make,
                                    .iter = self_iter,
                                    .next = reversed_next};

/* ---- iter() and next() ---- */

/* iter(function, sentinel): what the function gives until it gives the sentinel. */
typedef struct until {
    gd_object head;
    gd_any function, sentinel; /* NIL: exhausted */
} until;

static void until_destroy(gd_heap *heap, gd_object *self) {
    gd_drop(heap, ((until *)self)->function);
    gd_drop(heap, ((until *)self)->sentinel);
}

static void until_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((until *)self)->function);
    see(user, ((until *)self)->sentinel);
}

static int until_next(gd_vm *vm, gd_any self, gd_any *out) {
    until *u = (until *)self.u.object;
    if (gd_is_nil(u->function)) return 0;
    *out = gd_call_any(vm, u->function, &(gd_args){0});
    if (gd_is_nil(*out)) return -1;
    int equal = gd_equal(vm, *out, u->sentinel);
    if (!equal) return 1;
    gd_drop(gd_vm_heap(vm), *out);
    if (equal < 0) return -1;
    gd_any function = u->function;
    u->function = GD_NIL;
    gd_drop(gd_vm_heap(vm), function);
    return 0;
}

static const gd_class until_class = {
    .name = "callable_iterator", .destroy = until_destroy, .visit = until_visit, .iter = self_iter, .next = until_next};

static gd_any call_iter(gd_vm *vm, const gd_args *args) {
    if (args->npos == 1) return gd_iterate(vm, args->v[0]);
    if (!gd_is_callable(args->v[0])) return gd_raise(vm, &gd_class_TypeError, "iter(v, w): v must be callable");
    until *u = gd_object_new(vm, &until_class, sizeof *u);
    if (!u) return GD_NIL;
    u->function = gd_keep(args->v[0]);
    u->sentinel = gd_keep(args->v[1]);
    return GD_ANY_OBJECT(u);
}

static gd_any call_next(gd_vm *vm, const gd_args *args) {
    gd_any item;
    int more = gd_next(vm, args->v[0], &item);
    if (more > 0) return item;
    if (!more && args->npos > 1) return gd_keep(args->v[1]);
    return more ? GD_NIL : gd_raise_value(vm, GD_ANY_CLASS(&gd_class_StopIteration));
}

const gd_native gd_native_iter = {"iter", call_iter, 1, 2, ""};
const gd_native gd_native_next = {"next", call_next, 1, 2, ""};
