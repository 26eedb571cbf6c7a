/* set.c: the class of sets and its table. Methods and operators are in set_methods.c. */
#include "core/program/set.h"

#include <string.h>

#include "core/program/vm.h"

enum { FEWEST = 8, NEIGHBOURS = 9, SHIFT = 5, MANY = 50000, FREE_PROBES = 64 };

/* ---- the table ---- */

/* The way that a hash takes through the table: runs of neighbours, then a jump that brings in more of its bits. */
typedef struct way {
    size_t at, left;
    uint64_t rest, hash;
} way;

static inline void enter(way *w, size_t mask) { w->left = w->at + NEIGHBOURS <= mask ? NEIGHBOURS : 0; }

static inline way begin(uint64_t hash, size_t mask) {
    way w = {.at = (size_t)hash & mask, .rest = hash, .hash = hash};
    enter(&w, mask);
    return w;
}

/* `start` is where the run began. */
static inline size_t step(way *w, size_t start, size_t mask) {
    if (w->left) {
        w->left--;
        w->at++;
        return start;
    }
    w->rest >>= SHIFT;
    w->at = (start * 5 + 1 + (size_t)w->rest) & mask;
    enter(w, mask);
    return w->at;
}

static bool is_free(const gd_set_entry *e) { return gd_is_nil(e->key) && !e->removed; }

int gd_set_find(gd_vm *vm, const gd_set *s, gd_any key, uint64_t hash, size_t *at) {
    *at = 0;
    if (!s->table) return 0;
    way w = begin(hash, s->mask);
    uint32_t probes = 0;
    size_t removed = SIZE_MAX;
    for (size_t start = w.at;; start = step(&w, start, s->mask)) {
        const gd_set_entry *e = &s->table[w.at];
        if (is_free(e)) break;
        if (e->removed) {
            removed = w.at; /* the last one on the way is used again */
        } else if (e->hash == hash) {
            int equal = gd_equal(vm, e->key, key);
            if (equal) {
                *at = w.at;
                return equal;
            }
        }
        if (++probes % FREE_PROBES == 0 && !gd_work(vm, FREE_PROBES / 8)) return -1;
    }
    *at = removed == SIZE_MAX ? w.at : removed;
    return 0;
}

/* Into a table without removed entries, in which the key is not. Takes the key's reference. */
static void insert_clean(gd_set *s, gd_any key, uint64_t hash) {
    way w = begin(hash, s->mask);
    size_t start = w.at;
    while (!gd_is_nil(s->table[w.at].key)) start = step(&w, start, s->mask);
    s->table[w.at] = (gd_set_entry){.hash = hash, .key = key};
}

static gd_set_entry *new_table(gd_vm *vm, size_t entries) {
    gd_set_entry *table = gd_heap_array(gd_vm_heap(vm), entries, sizeof *table);
    if (!table) {
        gd_vm_no_memory(vm);
        return NULL;
    }
    memset(table, 0, entries * sizeof *table);
    return table;
}

bool gd_set_resize(gd_vm *vm, gd_set *s, size_t more_than) {
    size_t entries = FEWEST, old = s->table ? s->mask + 1 : 0;
    while (entries <= more_than) entries *= 2;
    if (!gd_work(vm, old / 4)) return false;
    gd_set_entry *table = new_table(vm, entries), *before = s->table;
    if (!table) return false;
    s->table = table;
    s->mask = entries - 1;
    s->filled = s->n;
    for (size_t i = 0; i < old; i++)
        if (!gd_is_nil(before[i].key)) insert_clean(s, before[i].key, before[i].hash);
    gd_heap_free(gd_vm_heap(vm), before, old * sizeof *before);
    return true;
}

bool gd_set_add_hashed(gd_vm *vm, gd_set *s, gd_any key, uint64_t hash) {
    size_t at;
    if (!s->table && !gd_set_resize(vm, s, 0)) return false;
    int found = gd_set_find(vm, s, key, hash, &at);
    if (found) return found > 0;
    bool again = s->table[at].removed;
    s->table[at] = (gd_set_entry){.hash = hash, .key = gd_keep(key)};
    s->n++;
    if (again) return true;
    s->filled++;
    if (s->filled * 5 < s->mask * 3 || gd_set_resize(vm, s, s->n > MANY ? s->n * 2 : s->n * 4)) return true;
    s->table[at] = (gd_set_entry){0}; /* a table without a free entry would be searched for ever */
    s->filled--, s->n--;
    gd_drop(gd_vm_heap(vm), key);
    return false;
}

int gd_set_has(gd_vm *vm, const gd_set *s, gd_any key) {
    uint64_t hash;
    size_t at;
    return gd_hash_of(vm, key, &hash) ? gd_set_find(vm, s, key, hash, &at) : -1;
}

int gd_set_discard_hashed(gd_vm *vm, gd_set *s, gd_any key, uint64_t hash) {
    size_t at;
    int found = gd_set_find(vm, s, key, hash, &at);
    if (found <= 0) return found;
    gd_any old = s->table[at].key;
    s->table[at] = (gd_set_entry){.removed = true};
    s->n--;
    gd_drop(gd_vm_heap(vm), old);
    return 1;
}

int gd_set_discard(gd_vm *vm, gd_set *s, gd_any key) {
    uint64_t hash;
    return gd_hash_of(vm, key, &hash) ? gd_set_discard_hashed(vm, s, key, hash) : -1;
}

/* All of `from` into an empty set: a copy of the table where that gives the same order as adding. */
static bool merge_into_empty(gd_vm *vm, gd_set *s, const gd_set *from) {
    if (!s->table && !gd_set_resize(vm, s, 0)) return false;
    bool alike = s->mask == from->mask && from->filled == from->n;
    size_t at = 0;
    for (const gd_set_entry *e; (e = gd_set_each(from, &at));) {
        if (alike)
            s->table[at - 1] = (gd_set_entry){.hash = e->hash, .key = gd_keep(e->key)};
        else
            insert_clean(s, gd_keep(e->key), e->hash);
    }
    s->filled = s->n = from->n;
    return true;
}

bool gd_set_merge(gd_vm *vm, gd_set *s, const gd_set *from) {
    if (s == from || !from->n) return true;
    if (!gd_work(vm, from->n)) return false;
    size_t mask = s->table ? s->mask : FEWEST - 1;
    if ((s->filled + from->n) * 5 >= mask * 3 && !gd_set_resize(vm, s, (s->n + from->n) * 2)) return false;
    if (!s->filled) return merge_into_empty(vm, s, from);
    size_t at = 0;
    for (const gd_set_entry *e; (e = gd_set_each(from, &at));)
        if (!gd_set_add_hashed(vm, s, e->key, e->hash)) return false;
    return true;
}

void gd_set_clear(gd_heap *heap, gd_set *s) {
    gd_set_entry *table = s->table;
    size_t entries = table ? s->mask + 1 : 0;
    s->table = NULL;
    s->mask = s->filled = s->n = s->finger = 0;
    for (size_t i = 0; i < entries; i++) gd_drop(heap, table[i].key);
    gd_heap_free(heap, table, entries * sizeof *table);
}

/* ---- making ---- */

gd_any gd_set_new(gd_vm *vm) {
    gd_set *s = gd_object_new(vm, &gd_class_set, sizeof *s);
    return s ? GD_ANY_OBJECT(s) : GD_NIL;
}

bool gd_set_add(gd_vm *vm, gd_any set, gd_any item) {
    uint64_t hash;
    return gd_hash_of(vm, item, &hash) && gd_set_add_hashed(vm, gd_as_set(set), item, hash);
}

/* A dict's keys: room for all of them is made first, as Python does. */
static bool update_from_dict(gd_vm *vm, gd_set *s, const gd_dict *d) {
    gd_any key, value;
    size_t mask = s->table ? s->mask : FEWEST - 1;
    if (!gd_work(vm, d->n)) return false;
    if ((s->filled + d->n) * 5 >= mask * 3 && !gd_set_resize(vm, s, (s->n + d->n) * 2)) return false;
    for (size_t at = 0; gd_dict_each(d, &at, &key, &value);)
        if (!gd_set_add(vm, GD_ANY_OBJECT(s), key)) return false;
    return true;
}

bool gd_set_update(gd_vm *vm, gd_any set, gd_any iterable) {
    if (gd_is_set(iterable)) return gd_set_merge(vm, gd_as_set(set), gd_as_set(iterable));
    if (gd_is_dict(iterable)) return update_from_dict(vm, gd_as_set(set), gd_as_dict(iterable));
    gd_any iterator = gd_iterate(vm, iterable), item;
    if (gd_is_nil(iterator)) return false;
    int more;
    while ((more = gd_next(vm, iterator, &item)) > 0) {
        bool ok = gd_work(vm, 1) && gd_set_add(vm, set, item);
        gd_drop(gd_vm_heap(vm), item);
        if (!ok) {
            more = -1;
            break;
        }
    }
    gd_drop(gd_vm_heap(vm), iterator);
    return more == 0;
}

gd_any gd_set_of(gd_vm *vm, gd_any iterable) {
    gd_any set = gd_set_new(vm);
    if (gd_is_nil(set) || gd_set_update(vm, set, iterable)) return set;
    gd_drop(gd_vm_heap(vm), set);
    return GD_NIL;
}

/* ---- the class ---- */

static void set_destroy(gd_heap *heap, gd_object *self) { gd_set_clear(heap, (gd_set *)self); }

static void set_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    size_t at = 0;
    for (const gd_set_entry *e; (e = gd_set_each((gd_set *)self, &at));) gd_see(see, user, e->key);
}

static gd_any set_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    if (!gd_check_args(vm, "set", args, 0, 1)) return GD_NIL;
    return args->npos ? gd_set_of(vm, args->v[0]) : gd_set_new(vm);
}

static gd_any set_repr(gd_vm *vm, gd_any self) {
    const gd_set *s = gd_as_set(self);
    gd_nest nest;
    gd_buffer b = {.vm = vm};
    if (!s->n) return gd_str_c(vm, "set()");
    int entered = gd_repr_enter(vm, &nest, self);
    if (entered <= 0) return entered < 0 ? GD_NIL : gd_str_c(vm, "set(...)");
    gd_buffer_c(&b, "{");
    bool ok = gd_work(vm, s->n);
    size_t at = 0;
    for (const gd_set_entry *e; ok && (e = gd_set_each(s, &at)); ok = !b.failed) {
        if (b.bytes > 1) gd_buffer_put(&b, ", ", 2);
        gd_buffer_any(&b, gd_repr_of(vm, e->key));
    }
    gd_repr_leave(vm, &nest);
    gd_buffer_c(&b, "}");
    if (ok) return gd_buffer_str(&b);
    gd_buffer_free(&b);
    return GD_NIL;
}

static int64_t set_len(gd_vm *vm, gd_any self) {
    (void)vm;
    return (int64_t)gd_as_set(self)->n;
}

static int set_contains(gd_vm *vm, gd_any self, gd_any item) { return gd_set_has(vm, gd_as_set(self), item); }

/* ---- iteration ---- */

typedef struct set_iterator {
    gd_object head;
    gd_any set; /* NIL: exhausted */
    size_t at, n;
} set_iterator;

static void iterator_destroy(gd_heap *heap, gd_object *self) { gd_drop(heap, ((set_iterator *)self)->set); }

static void iterator_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((set_iterator *)self)->set);
}

static gd_any iterator_iter(gd_vm *vm, gd_any self) {
    (void)vm;
    return gd_keep(self);
}

static int iterator_next(gd_vm *vm, gd_any self, gd_any *out) {
    set_iterator *it = (set_iterator *)self.u.object;
    if (gd_is_nil(it->set)) return 0;
    const gd_set *s = gd_as_set(it->set);
    if (s->n != it->n) {
        gd_raise(vm, &gd_class_RuntimeError, "Set changed size during iteration");
        it->n = SIZE_MAX;
        return -1;
    }
    size_t from = it->at;
    const gd_set_entry *e = gd_set_each(s, &it->at);
    if (it->at - from > FREE_PROBES && !gd_work(vm, (it->at - from) / 8)) return -1;
    if (e) {
        *out = gd_keep(e->key);
        return 1;
    }
    gd_any set = it->set;
    it->set = GD_NIL;
    gd_drop(gd_vm_heap(vm), set);
    return 0;
}

static const gd_class set_iterator_class = {.name = "set_iterator",
                                            .destroy = iterator_destroy,
                                            .visit = iterator_visit,
                                            .iter = iterator_iter,
                                            .next = iterator_next};

static gd_any set_iter(gd_vm *vm, gd_any self) {
    set_iterator *it = gd_object_new(vm, &set_iterator_class, sizeof *it);
    if (!it) return GD_NIL;
    it->set = gd_keep(self);
    it->n = gd_as_set(self)->n;
    return GD_ANY_OBJECT(it);
}

/* Are all items of a in b? */
static int is_subset(gd_vm *vm, const gd_set *a, const gd_set *b) {
    size_t at = 0, unused;
    if (!gd_work(vm, a->n + 1)) return -1;
    for (const gd_set_entry *e; (e = gd_set_each(a, &at));) {
        int found = gd_set_find(vm, b, e->key, e->hash, &unused);
        if (found != 1) return found;
    }
    return 1;
}

static int set_equal(gd_vm *vm, gd_any self, gd_any other) {
    if (!gd_is_set(other) || gd_as_set(self)->n != gd_as_set(other)->n) return 0;
    return is_subset(vm, gd_as_set(self), gd_as_set(other));
}

gd_any gd_set_compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    if (!gd_is_set(a) || !gd_is_set(b)) return GD_NIL;
    bool less = op == GD_PY_LT || op == GD_PY_LE;
    const gd_set *small = gd_as_set(less ? a : b), *large = gd_as_set(less ? b : a);
    if (small->n > large->n || (small->n == large->n && (op == GD_PY_LT || op == GD_PY_GT))) return GD_ANY_BOOL(false);
    int in = is_subset(vm, small, large);
    return in < 0 ? GD_NIL : GD_ANY_BOOL(in);
}

const gd_class gd_class_set = {.name = "set",
                               .destroy = set_destroy,
                               .visit = set_visit,
                               .make = set_make,
                               .repr = set_repr,
                               .methods = gd_set_methods,
                               .iter = set_iter,
                               .len = set_len,
                               .contains = set_contains,
                               .equal = set_equal};
