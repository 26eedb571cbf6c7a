/* set_methods.c: the methods and operators of sets. Each goes through its operands in the order in which CPython does,
 * since that decides the order of what comes out. */
#include "core/program/set.h"
#include "core/program/vm.h"

enum { MANY = 50000 };

gd_any gd_set_copy(gd_vm *vm, gd_any set) { return gd_set_of(vm, set); }

/* An iterable as a set, new. */
static gd_any as_set(gd_vm *vm, gd_any v) { return gd_is_set(v) ? gd_keep(v) : gd_set_of(vm, v); }

/* Gives `made` away if ok, else drops it. */
static gd_any kept_if(gd_vm *vm, bool ok, gd_any made) {
    if (ok) return made;
    gd_drop(gd_vm_heap(vm), made);
    return GD_NIL;
}

/* What a and b give becomes a's own. Takes `made`. */
static bool swap_bodies(gd_vm *vm, gd_any self, gd_any made) {
    if (gd_is_nil(made)) return false;
    gd_set *a = gd_as_set(self), *b = gd_as_set(made), old = *a;
    a->table = b->table, a->mask = b->mask, a->filled = b->filled, a->n = b->n, a->finger = b->finger;
    b->table = old.table, b->mask = old.mask, b->filled = old.filled, b->n = old.n, b->finger = old.finger;
    gd_drop(gd_vm_heap(vm), made);
    return true;
}

/* ---- intersection ---- */

static bool add_common(gd_vm *vm, gd_set *to, const gd_set *from, const gd_set *in) {
    size_t at = 0, unused;
    if (!gd_work(vm, from->n)) return false;
    for (const gd_set_entry *e; (e = gd_set_each(from, &at));) {
        int found = gd_set_find(vm, in, e->key, e->hash, &unused);
        if (found < 0 || (found && !gd_set_add_hashed(vm, to, e->key, e->hash))) return false;
    }
    return true;
}

static bool add_common_of(gd_vm *vm, gd_any to, gd_any iterable, const gd_set *in) {
    gd_any iterator = gd_iterate(vm, iterable), item;
    if (gd_is_nil(iterator)) return false;
    int more;
    while ((more = gd_next(vm, iterator, &item)) > 0) {
        int found = gd_work(vm, 1) ? gd_set_has(vm, in, item) : -1;
        if (found < 0 || (found && !gd_set_add(vm, to, item))) more = -1;
        gd_drop(gd_vm_heap(vm), item);
        if (more < 0) break;
    }
    gd_drop(gd_vm_heap(vm), iterator);
    return more == 0;
}

static gd_any intersection(gd_vm *vm, gd_any a, gd_any b) {
    if (gd_same(a, b)) return gd_set_copy(vm, a);
    gd_any made = gd_set_new(vm);
    if (gd_is_nil(made)) return GD_NIL;
    if (!gd_is_set(b)) return kept_if(vm, add_common_of(vm, made, b, gd_as_set(a)), made);
    const gd_set *small = gd_as_set(b), *large = gd_as_set(a);
    if (small->n > large->n) small = gd_as_set(a), large = gd_as_set(b);
    return kept_if(vm, add_common(vm, gd_as_set(made), small, large), made);
}

/* ---- difference ---- */

/* Many removed entries are swept out. */
static bool sweep(gd_vm *vm, gd_set *s) {
    if (!s->table || s->filled - s->n <= s->mask / 4) return true;
    return gd_set_resize(vm, s, s->n > MANY ? s->n * 2 : s->n * 4);
}

static bool remove_all(gd_vm *vm, gd_set *s, const gd_set *from) {
    size_t at = 0;
    if (!gd_work(vm, from->n)) return false;
    for (const gd_set_entry *e; (e = gd_set_each(from, &at));)
        if (gd_set_discard_hashed(vm, s, e->key, e->hash) < 0) return false;
    return true;
}

static bool difference_update(gd_vm *vm, gd_any self, gd_any other) {
    if (gd_same(self, other)) {
        gd_set_clear(gd_vm_heap(vm), gd_as_set(self));
        return true;
    }
    gd_any from = as_set(vm, other);
    if (gd_is_nil(from)) return false;
    if (gd_is_set(other) && gd_as_set(other)->n >> 3 > gd_as_set(self)->n) {
        gd_any common = intersection(vm, self, other);
        gd_drop(gd_vm_heap(vm), from);
        from = common;
    }
    bool ok = !gd_is_nil(from) && remove_all(vm, gd_as_set(self), gd_as_set(from)) && sweep(vm, gd_as_set(self));
    gd_drop(gd_vm_heap(vm), from);
    return ok;
}

static bool add_others(gd_vm *vm, gd_set *to, const gd_set *from, const gd_set *but) {
    size_t at = 0, unused;
    if (!gd_work(vm, from->n)) return false;
    for (const gd_set_entry *e; (e = gd_set_each(from, &at));) {
        int found = gd_set_find(vm, but, e->key, e->hash, &unused);
        if (found < 0 || (!found && !gd_set_add_hashed(vm, to, e->key, e->hash))) return false;
    }
    return true;
}

static gd_any difference(gd_vm *vm, gd_any a, gd_any b) {
    bool sized = gd_is_set(b) || gd_is_dict(b);
    size_t n = gd_is_set(b) ? gd_as_set(b)->n : sized ? gd_as_dict(b)->n : 0;
    if (!sized || gd_as_set(a)->n >> 2 > n) {
        gd_any made = gd_set_copy(vm, a);
        return gd_is_nil(made) ? made : kept_if(vm, difference_update(vm, made, b), made);
    }
    gd_any but = as_set(vm, b), made = gd_is_nil(but) ? GD_NIL : gd_set_new(vm);
    if (!gd_is_nil(made)) made = kept_if(vm, add_others(vm, gd_as_set(made), gd_as_set(a), gd_as_set(but)), made);
    gd_drop(gd_vm_heap(vm), but);
    return made;
}

/* ---- symmetric difference ---- */

static bool flip_all(gd_vm *vm, gd_set *s, const gd_set *from) {
    size_t at = 0;
    if (!gd_work(vm, from->n)) return false;
    for (const gd_set_entry *e; (e = gd_set_each(from, &at));) {
        int found = gd_set_discard_hashed(vm, s, e->key, e->hash);
        if (found < 0 || (!found && !gd_set_add_hashed(vm, s, e->key, e->hash))) return false;
    }
    return true;
}

static bool symmetric_update(gd_vm *vm, gd_any self, gd_any other) {
    if (gd_same(self, other)) {
        gd_set_clear(gd_vm_heap(vm), gd_as_set(self));
        return true;
    }
    gd_any from = as_set(vm, other);
    bool ok = !gd_is_nil(from) && flip_all(vm, gd_as_set(self), gd_as_set(from));
    gd_drop(gd_vm_heap(vm), from);
    return ok;
}

static gd_any symmetric_difference(gd_vm *vm, gd_any a, gd_any b) {
    gd_any made = gd_set_of(vm, b);
    return gd_is_nil(made) ? made : kept_if(vm, symmetric_update(vm, made, a), made);
}

static gd_any union_of(gd_vm *vm, gd_any a, gd_any b) {
    gd_any made = gd_set_copy(vm, a);
    return gd_is_nil(made) ? made : kept_if(vm, gd_set_update(vm, made, b), made);
}

/* ---- operators ---- */

static bool update_by(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    switch (op) {
    case GD_PY_OR: return gd_set_update(vm, a, b);
    case GD_PY_SUB: return difference_update(vm, a, b);
    case GD_PY_XOR: return symmetric_update(vm, a, b);
    default: return swap_bodies(vm, a, intersection(vm, a, b));
    }
}

gd_any gd_set_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    if (!gd_is_set(a) || !gd_is_set(b)) return GD_NIL;
    if (op != GD_PY_OR && op != GD_PY_AND && op != GD_PY_XOR && op != GD_PY_SUB) return GD_NIL;
    if (in_place) return update_by(vm, op, a, b) ? gd_keep(a) : GD_NIL;
    switch (op) {
    case GD_PY_OR: return union_of(vm, a, b);
    case GD_PY_SUB: return difference(vm, a, b);
    case GD_PY_XOR: return symmetric_difference(vm, a, b);
    default: return intersection(vm, a, b);
    }
}

/* ---- methods ---- */

static bool is_self(gd_vm *vm, const gd_args *args, const char *name) {
    if (args->npos && gd_is_set(args->v[0])) return true;
    gd_raise(vm, &gd_class_TypeError, "descriptor '%s' for 'set' objects doesn't apply to a '%s' object", name,
             args->npos ? gd_class_label(args->v[0]) : "nothing");
    return false;
}

static gd_any done(bool ok) { return ok ? GD_ANY_NONE : GD_NIL; }

static gd_any set_add(gd_vm *vm, const gd_args *args) {
    return done(is_self(vm, args, "add") && gd_set_add(vm, args->v[0], args->v[1]));
}

static gd_any set_discard(gd_vm *vm, const gd_args *args) {
    return done(is_self(vm, args, "discard") && gd_set_discard(vm, gd_as_set(args->v[0]), args->v[1]) >= 0);
}

static gd_any set_remove(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "remove")) return GD_NIL;
    int found = gd_set_discard(vm, gd_as_set(args->v[0]), args->v[1]);
    if (!found) return gd_raise_key(vm, args->v[1]);
    return done(found > 0);
}

static gd_any set_pop(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "pop")) return GD_NIL;
    gd_set *s = gd_as_set(args->v[0]);
    if (!s->n) return gd_raise(vm, &gd_class_KeyError, "pop from an empty set");
    size_t from = s->finger & s->mask, at = from;
    while (gd_is_nil(s->table[at].key)) at = (at + 1) & s->mask;
    if (!gd_work(vm, ((at - from) & s->mask) / 8)) return GD_NIL;
    gd_any item = s->table[at].key;
    s->table[at] = (gd_set_entry){.removed = true};
    s->n--;
    s->finger = at + 1;
    return item;
}

static gd_any set_clear(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "clear")) return GD_NIL;
    gd_set_clear(gd_vm_heap(vm), gd_as_set(args->v[0]));
    return GD_ANY_NONE;
}

static gd_any set_copy(gd_vm *vm, const gd_args *args) {
    return is_self(vm, args, "copy") ? gd_set_copy(vm, args->v[0]) : GD_NIL;
}

/* In place with each argument in turn. */
static gd_any each_update(gd_vm *vm, const gd_args *args, const char *name, gd_ast_op op) {
    bool ok = is_self(vm, args, name);
    for (uint32_t i = 1; ok && i < args->npos; i++) ok = update_by(vm, op, args->v[0], args->v[i]);
    return done(ok);
}

static gd_any set_update(gd_vm *vm, const gd_args *args) { return each_update(vm, args, "update", GD_PY_OR); }
static gd_any set_difference_update(gd_vm *vm, const gd_args *args) {
    return each_update(vm, args, "difference_update", GD_PY_SUB);
}
static gd_any set_intersection_update(gd_vm *vm, const gd_args *args) {
    return each_update(vm, args, "intersection_update", GD_PY_AND);
}
static gd_any set_symmetric_update(gd_vm *vm, const gd_args *args) {
    return each_update(vm, args, "symmetric_difference_update", GD_PY_XOR);
}

static gd_any set_union(gd_vm *vm, const gd_args *args) {
    gd_any made = is_self(vm, args, "union") ? gd_set_copy(vm, args->v[0]) : GD_NIL;
    bool ok = !gd_is_nil(made);
    for (uint32_t i = 1; ok && i < args->npos; i++) ok = gd_set_update(vm, made, args->v[i]);
    return kept_if(vm, ok, made);
}

static gd_any set_intersection(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "intersection")) return GD_NIL;
    if (args->npos == 1) return gd_set_copy(vm, args->v[0]);
    gd_any made = gd_keep(args->v[0]);
    for (uint32_t i = 1; !gd_is_nil(made) && i < args->npos; i++) {
        gd_any next = intersection(vm, made, args->v[i]);
        gd_drop(gd_vm_heap(vm), made);
        made = next;
    }
    return made;
}

static gd_any set_difference(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "difference")) return GD_NIL;
    gd_any made = args->npos == 1 ? gd_set_copy(vm, args->v[0]) : difference(vm, args->v[0], args->v[1]);
    bool ok = !gd_is_nil(made);
    for (uint32_t i = 2; ok && i < args->npos; i++) ok = difference_update(vm, made, args->v[i]);
    return kept_if(vm, ok, made);
}

static gd_any set_symmetric_difference(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "symmetric_difference")) return GD_NIL;
    return symmetric_difference(vm, args->v[0], args->v[1]);
}

/* The comparison `op` with any iterable. */
static gd_any compare_with(gd_vm *vm, const gd_args *args, const char *name, gd_ast_op op) {
    gd_any other = is_self(vm, args, name) ? as_set(vm, args->v[1]) : GD_NIL;
    gd_any answer = gd_is_nil(other) ? GD_NIL : gd_set_compare(vm, op, args->v[0], other);
    gd_drop(gd_vm_heap(vm), other);
    return answer;
}

static gd_any set_issubset(gd_vm *vm, const gd_args *args) { return compare_with(vm, args, "issubset", GD_PY_LE); }
static gd_any set_issuperset(gd_vm *vm, const gd_args *args) { return compare_with(vm, args, "issuperset", GD_PY_GE); }

static gd_any set_isdisjoint(gd_vm *vm, const gd_args *args) {
    gd_any common = is_self(vm, args, "isdisjoint") ? intersection(vm, args->v[0], args->v[1]) : GD_NIL;
    if (gd_is_nil(common)) return GD_NIL;
    bool none = gd_as_set(common)->n == 0;
    gd_drop(gd_vm_heap(vm), common);
    return GD_ANY_BOOL(none);
}

const gd_native gd_set_methods[] = {{"add", set_add, 2, 2, ""},
                                    {"discard", set_discard, 2, 2, ""},
                                    {"remove", set_remove, 2, 2, ""},
                                    {"pop", set_pop, 1, 1, ""},
                                    {"clear", set_clear, 1, 1, ""},
                                    {"copy", set_copy, 1, 1, ""},
                                    {"update", set_update, 1, -1, ""},
                                    {"union", set_union, 1, -1, ""},
                                    {"intersection", set_intersection, 1, -1, ""},
                                    {"difference", set_difference, 1, -1, ""},
                                    {"symmetric_difference", set_symmetric_difference, 2, 2, ""},
                                    {"intersection_update", set_intersection_update, 1, -1, ""},
                                    {"difference_update", set_difference_update, 1, -1, ""},
                                    {"symmetric_difference_update", set_symmetric_update, 2, 2, ""},
                                    {"issubset", set_issubset, 2, 2, ""},
                                    {"issuperset", set_issuperset, 2, 2, ""},
                                    {"isdisjoint", set_isdisjoint, 2, 2, ""},
                                    {0}};
