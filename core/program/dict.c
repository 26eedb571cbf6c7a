/* dict.c: dicts: entries in order of insertion behind a table of open addressing. Methods are in dict_methods.c,
 * keys(), values() and items() in dict_views.c. */
#include <string.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

enum { FEWEST_SLOTS = 8, FREE_PROBES = 64 };

/* ---- the table ---- */

/* The way of a hash through the slots. It begins with its low bits, so that counted keys lie side by side, and brings
 * in the others one after the other. */
typedef struct way {
    size_t at;
    uint64_t rest;
} way;

static inline way begin(const gd_dict *d, uint64_t hash) { return (way){(size_t)hash & d->mask, hash}; }

static inline void step(const gd_dict *d, way *w) {
    w->rest >>= 5;
    w->at = (w->at * 5 + (size_t)w->rest + 1) & d->mask;
}

static inline size_t free_slot(const gd_dict *d, uint64_t hash) {
    way w = begin(d, hash);
    while (d->slots[w.at]) step(d, &w);
    return w.at;
}

static inline bool str_same(const gd_str *a, const gd_str *b) {
    return a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0;
}

/* 1, 0, -1. Hashes are equal already. */
static inline int key_equal(gd_vm *vm, gd_any have, gd_any key) {
    if (have.tag == key.tag && have.u.i == key.u.i) return have.tag != GD_A_NIL;
    if (have.tag == GD_A_NIL) return 0;
    if (gd_is_str(have) && gd_is_str(key)) return str_same(gd_as_str(have), gd_as_str(key));
    return gd_equal(vm, have, key);
}

/* Index of key's entry; -1: none, and *slot is the free slot for it; -2: an exception is pending. Long searches, such
 * as keys chosen to collide give, are paid for. */
static int64_t find(gd_vm *vm, const gd_dict *d, gd_any key, uint64_t hash, size_t *slot) {
    uint32_t probes = 0;
    way w = begin(d, hash);
    for (;; step(d, &w)) {
        uint32_t at = d->slots[w.at];
        if (!at) break;
        const gd_dict_entry *e = &d->entries[at - 1];
        if (at - 1 < d->filled && e->hash == hash) {
            int equal = key_equal(vm, e->key, key);
            if (equal) return equal < 0 ? -2 : (int64_t)at - 1;
        }
        if (++probes % FREE_PROBES == 0 && !gd_work(vm, FREE_PROBES / 8)) return -2;
    }
    *slot = w.at;
    return -1;
}

static inline bool hash_key(gd_vm *vm, gd_any key, uint64_t *hash) {
    if (gd_is_str(key) && gd_as_str(key)->hash) {
        *hash = gd_as_str(key)->hash;
        return true;
    }
    return gd_hash_of(vm, key, hash);
}

static void fill_slots(gd_dict *d) {
    for (size_t k = d->first; k < d->filled; k++) d->slots[free_slot(d, d->entries[k].hash)] = (uint32_t)k + 1;
}

/* A new table with room for at least `n` entries and some more. */
static bool rebuild(gd_vm *vm, gd_dict *d, size_t n) {
    gd_heap *heap = gd_vm_heap(vm);
    size_t slots = FEWEST_SLOTS;
    while (slots / 3 * 2 < n + 1) slots *= 2;
    size_t capacity = slots / 3 * 2 + 1;
    if (capacity >= UINT32_MAX || !gd_work(vm, d->filled / 4)) {
        if (capacity >= UINT32_MAX) gd_vm_no_memory(vm);
        return false;
    }
    uint32_t *table = gd_heap_array(heap, slots, sizeof *table);
    gd_dict_entry *entries = table ? gd_heap_array(heap, capacity, sizeof *entries) : NULL;
    if (!entries) {
        gd_vm_no_memory(vm);
        gd_heap_free(heap, table, slots * sizeof *table);
        return false;
    }
    memset(table, 0, slots * sizeof *table);
    size_t k = 0;
    for (size_t i = d->first; i < d->filled; i++)
        if (!gd_is_nil(d->entries[i].key)) entries[k++] = d->entries[i];
    gd_heap_free(heap, d->entries, d->capacity * sizeof *entries);
    if (d->slots) gd_heap_free(heap, d->slots, (d->mask + 1) * sizeof *table);
    d->entries = entries, d->slots = table;
    d->first = 0, d->filled = d->used = k;
    d->capacity = capacity, d->mask = slots - 1;
    fill_slots(d);
    return true;
}

bool gd_dict_reserve(gd_vm *vm, gd_dict *d, size_t more) {
    return d->used + more <= d->capacity || rebuild(vm, d, d->n + more);
}

/* ---- entries ---- */

gd_any gd_dict_new(gd_vm *vm) {
    gd_dict *d = gd_object_new(vm, &gd_class_dict, sizeof *d);
    return d ? GD_ANY_OBJECT(d) : GD_NIL;
}

size_t gd_dict_count(const gd_dict *d) { return d->n; }

/* 1 and where it is; 0: it has no such key; -1: an exception. */
static int look_up(gd_vm *vm, gd_dict *d, gd_any key, size_t *at) {
    uint64_t hash;
    size_t slot;
    if (!hash_key(vm, key, &hash)) return -1;
    if (!d->n) return 0;
    int64_t found = find(vm, d, key, hash, &slot);
    if (found < 0) return found == -2 ? -1 : 0;
    *at = (size_t)found;
    return 1;
}

int gd_dict_get(gd_vm *vm, gd_dict *d, gd_any key, gd_any *value) {
    size_t at;
    int found = look_up(vm, d, key, &at);
    if (found <= 0) return found;
    *value = d->entries[at].value;
    return 1;
}

static bool insert(gd_vm *vm, gd_dict *d, gd_any key, gd_any value, uint64_t hash, size_t slot) {
    if (d->used == d->capacity) {
        if (!rebuild(vm, d, d->n * 2)) return false;
        slot = free_slot(d, hash);
    }
    d->entries[d->filled] = (gd_dict_entry){.hash = hash, .key = gd_keep(key), .value = gd_keep(value)};
    d->slots[slot] = (uint32_t)++d->filled;
    d->used++;
    d->n++;
    return true;
}

bool gd_dict_set(gd_vm *vm, gd_dict *d, gd_any key, gd_any value) {
    uint64_t hash;
    size_t slot = 0;
    if (!hash_key(vm, key, &hash)) return false;
    int64_t at = d->slots ? find(vm, d, key, hash, &slot) : -1;
    if (at == -2) return false;
    if (at < 0) return insert(vm, d, key, value, hash, slot);
    gd_any old = d->entries[at].value;
    d->entries[at].value = gd_keep(value);
    gd_drop(gd_vm_heap(vm), old);
    return true;
}

/* Marks an entry removed and answers its key and value, the caller's now. Its slot stays in use. */
void gd_dict_take(gd_dict *d, size_t at, gd_any *key, gd_any *value) {
    gd_dict_entry *e = &d->entries[at];
    *key = e->key, *value = e->value;
    e->key = e->value = GD_NIL;
    d->n--;
    while (d->first < d->filled && gd_is_nil(d->entries[d->first].key)) d->first++;
    while (d->filled > d->first && gd_is_nil(d->entries[d->filled - 1].key)) d->filled--;
}

int gd_dict_remove(gd_vm *vm, gd_dict *d, gd_any key, gd_any *value) {
    size_t at;
    int found = look_up(vm, d, key, &at);
    if (found <= 0) return found;
    gd_any old_key, old_value;
    gd_dict_take(d, at, &old_key, &old_value);
    gd_drop(gd_vm_heap(vm), old_key);
    if (value)
        *value = old_value;
    else
        gd_drop(gd_vm_heap(vm), old_value);
    return 1;
}

bool gd_dict_each(const gd_dict *d, size_t *at, gd_any *key, gd_any *value) {
    if (*at < d->first) *at = d->first;
    while (*at < d->filled && gd_is_nil(d->entries[*at].key)) ++*at;
    if (*at >= d->filled) return false;
    *key = d->entries[*at].key;
    *value = d->entries[(*at)++].value;
    return true;
}

void gd_dict_clear(gd_heap *heap, gd_dict *d) {
    gd_dict old = *d;
    d->entries = NULL, d->slots = NULL;
    d->n = d->first = d->filled = d->used = d->capacity = d->mask = 0;
    for (size_t i = old.first; i < old.filled; i++) {
        gd_drop(heap, old.entries[i].key);
        gd_drop(heap, old.entries[i].value);
    }
    gd_heap_free(heap, old.entries, old.capacity * sizeof *old.entries);
    if (old.slots) gd_heap_free(heap, old.slots, (old.mask + 1) * sizeof *old.slots);
}

/* ---- the class ---- */

static void dict_destroy(gd_heap *heap, gd_object *self) { gd_dict_clear(heap, (gd_dict *)self); }

static void dict_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    const gd_dict *d = (gd_dict *)self;
    for (size_t i = d->first; i < d->filled; i++) {
        gd_see(see, user, d->entries[i].key);
        gd_see(see, user, d->entries[i].value);
    }
}

static bool set_keywords(gd_vm *vm, gd_dict *d, const gd_args *args) {
    for (uint32_t i = 0; i < args->nkw; i++)
        if (!gd_dict_set(vm, d, GD_ANY_OBJECT(args->names[i]), args->v[args->npos + i])) return false;
    return true;
}

bool gd_dict_update_args(gd_vm *vm, gd_dict *d, const char *name, uint32_t self, const gd_args *args) {
    const gd_args positional = {.v = args->v, .npos = args->npos - self};
    if (!gd_check_args(vm, name, &positional, 0, 1)) return false;
    return (args->npos == self || gd_dict_update(vm, d, args->v[self])) && set_keywords(vm, d, args);
}

static gd_any dict_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    gd_any made = gd_dict_new(vm);
    if (gd_is_nil(made) || gd_dict_update_args(vm, gd_as_dict(made), "dict", 0, args)) return made;
    gd_drop(gd_vm_heap(vm), made);
    return GD_NIL;
}

static bool repr_entries(gd_vm *vm, gd_buffer *b, const gd_dict *d) {
    gd_any key, value;
    if (!gd_work(vm, d->n * 2)) return false;
    for (size_t at = 0, i = 0; !b->failed && gd_dict_each(d, &at, &key, &value); i++) {
        if (i) gd_buffer_put(b, ", ", 2);
        gd_buffer_any(b, gd_repr_of(vm, key));
        gd_buffer_put(b, ": ", 2);
        if (!b->failed) gd_buffer_any(b, gd_repr_of(vm, value));
    }
    return !b->failed;
}

static gd_any dict_repr(gd_vm *vm, gd_any self) {
    const gd_dict *d = gd_as_dict(self);
    gd_nest nest;
    gd_buffer b = {.vm = vm};
    if (!d->n) return gd_str_new(vm, "{}", 2);
    int enter = gd_repr_enter(vm, &nest, self);
    if (enter <= 0) return enter < 0 ? GD_NIL : gd_str_c(vm, "{...}");
    gd_buffer_c(&b, "{");
    bool ok = repr_entries(vm, &b, d);
    gd_repr_leave(vm, &nest);
    gd_buffer_c(&b, "}");
    if (ok) return gd_buffer_str(&b);
    gd_buffer_free(&b);
    return GD_NIL;
}

static int64_t dict_len(gd_vm *vm, gd_any self) {
    (void)vm;
    return (int64_t)gd_as_dict(self)->n;
}

static gd_any dict_getitem(gd_vm *vm, gd_any self, gd_any key) {
    gd_any value;
    int found = gd_dict_get(vm, gd_as_dict(self), key, &value);
    if (found > 0) return gd_keep(value);
    return found < 0 ? GD_NIL : gd_raise_key(vm, key);
}

static bool dict_setitem(gd_vm *vm, gd_any self, gd_any key, gd_any value) {
    if (!gd_is_nil(value)) return gd_dict_set(vm, gd_as_dict(self), key, value);
    int found = gd_dict_remove(vm, gd_as_dict(self), key, NULL);
    if (!found) gd_raise_key(vm, key);
    return found > 0;
}

static int dict_contains(gd_vm *vm, gd_any self, gd_any key) {
    gd_any value;
    return gd_dict_get(vm, gd_as_dict(self), key, &value);
}

static int dict_equal(gd_vm *vm, gd_any self, gd_any other) {
    if (!gd_is_dict(other) || gd_as_dict(self)->n != gd_as_dict(other)->n) return 0;
    gd_any key, a, b;
    if (!gd_work(vm, gd_as_dict(self)->n + 1)) return -1;
    for (size_t at = 0; gd_dict_each(gd_as_dict(self), &at, &key, &a);) {
        int equal = gd_dict_get(vm, gd_as_dict(other), key, &b);
        if (equal == 1) equal = gd_equal(vm, a, b);
        if (equal != 1) return equal;
    }
    return 1;
}

static gd_any dict_iter(gd_vm *vm, gd_any self) { return gd_dict_iterator(vm, self, GD_KEYS, false); }

static gd_any dict_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    (void)vm, (void)self;
    return gd_str_is(name, "fromkeys") ? GD_ANY_NATIVE(&gd_native_fromkeys) : GD_NIL;
}

const gd_class gd_class_dict = {.name = "dict",
                                .destroy = dict_destroy,
                                .visit = dict_visit,
                                .make = dict_make,
                                .repr = dict_repr,
                                .methods = gd_dict_methods,
                                .getattr = dict_getattr,
                                .iter = dict_iter,
                                .len = dict_len,
                                .getitem = dict_getitem,
                                .setitem = dict_setitem,
                                .contains = dict_contains,
                                .equal = dict_equal};
