/* set.h: the table of sets, for set.c and set_methods.c. */
#ifndef GD_PROGRAM_SET_H
#define GD_PROGRAM_SET_H

#include "core/program/heap.h"

/* A set prints in the order of its table, and programs see that order; so the table is laid out, probed and enlarged as
 * CPython does it, and small integers come out as they do there. */
typedef struct gd_set_entry {
    uint64_t hash;
    gd_any key;   /* NIL: free, or removed */
    bool removed; /* still part of the way to others */
} gd_set_entry;

typedef struct gd_set {
    gd_object head;
    gd_set_entry *table; /* NULL: as if of 8 free entries */
    size_t mask;         /* entries - 1 */
    size_t filled, n;    /* entries that are not free; items */
    size_t finger;       /* where pop looks next */
} gd_set;

static inline gd_set *gd_as_set(gd_any v) { return (gd_set *)v.u.object; }
/* 1: *at is where it is; 0: *at is where it would go; -1. */
int gd_set_find(gd_vm *vm, const gd_set *s, gd_any key, uint64_t hash, size_t *at);
int gd_set_has(gd_vm *vm, const gd_set *s, gd_any key); /* 1, 0, -1 */
bool gd_set_add_hashed(gd_vm *vm, gd_set *s, gd_any key, uint64_t hash);
int gd_set_discard(gd_vm *vm, gd_set *s, gd_any key); /* 1: it was there; 0; -1 */
int gd_set_discard_hashed(gd_vm *vm, gd_set *s, gd_any key, uint64_t hash);
bool gd_set_resize(gd_vm *vm, gd_set *s, size_t more_than); /* a table of more entries than that, rebuilt */
bool gd_set_merge(gd_vm *vm, gd_set *s, const gd_set *from);
void gd_set_clear(gd_heap *heap, gd_set *s);
gd_any gd_set_copy(gd_vm *vm, gd_any set);
/* The next item from entry *at on; NULL at the end. */
static inline const gd_set_entry *gd_set_each(const gd_set *s, size_t *at) {
    while (s->table && *at <= s->mask) {
        const gd_set_entry *e = &s->table[(*at)++];
        if (!gd_is_nil(e->key)) return e;
    }
    return NULL;
}

#endif
