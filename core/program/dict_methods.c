/* dict_methods.c: the methods and operators of dicts. */
#include "core/program/heap.h"
#include "core/program/vm.h"

/* ---- update ---- */

static bool update_from_dict(gd_vm *vm, gd_dict *d, const gd_dict *from) {
    gd_any key, value;
    if (d == from) return true;
    if (!gd_work(vm, from->n) || !gd_dict_reserve(vm, d, from->n)) return false;
    for (size_t at = 0; gd_dict_each(from, &at, &key, &value);)
        if (!gd_dict_set(vm, d, key, value)) return false;
    return true;
}

/* Pair number i of an iterable of pairs. */
static bool update_from_pair(gd_vm *vm, gd_dict *d, gd_any pair, size_t i) {
    gd_any (*iter)(gd_vm *, gd_any);
    GD_SLOT(gd_class_of(pair), iter, iter);
    if (!iter) {
        gd_raise(vm, &gd_class_TypeError, "cannot convert dictionary update sequence element #%zu to a sequence", i);
        return false;
    }
    const gd_any *items;
    size_t n;
    gd_any sequence = gd_items(pair, &items, &n) ? gd_keep(pair) : gd_list_from(vm, pair);
    if (gd_is_nil(sequence)) return false;
    (void)gd_items(sequence, &items, &n);
    bool ok = n == 2 && gd_dict_set(vm, d, items[0], items[1]);
    if (n != 2)
        gd_raise(vm, &gd_class_ValueError, "dictionary update sequence element #%zu has length %zu; 2 is required", i,
                 n);
    gd_drop(gd_vm_heap(vm), sequence);
    return ok;
}

bool gd_dict_update(gd_vm *vm, gd_dict *d, gd_any from) {
    if (gd_is_dict(from)) return update_from_dict(vm, d, gd_as_dict(from));
    gd_any iterator = gd_iterate(vm, from), pair;
    if (gd_is_nil(iterator)) return false;
    int more;
    for (size_t i = 0; (more = gd_next(vm, iterator, &pair)) > 0; i++) {
        bool ok = gd_work(vm, 1) && update_from_pair(vm, d, pair, i);
        gd_drop(gd_vm_heap(vm), pair);
        if (!ok) {
            more = -1;
            break;
        }
    }
    gd_drop(gd_vm_heap(vm), iterator);
    return more == 0;
}

static gd_any copy_of(gd_vm *vm, gd_any dict) {
    gd_any made = gd_dict_new(vm);
    if (gd_is_nil(made) || update_from_dict(vm, gd_as_dict(made), gd_as_dict(dict))) return made;
    gd_drop(gd_vm_heap(vm), made);
    return GD_NIL;
}

gd_any gd_dict_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    if (op != GD_PY_OR || !gd_is_dict(a)) return GD_NIL;
    if (in_place) return gd_dict_update(vm, gd_as_dict(a), b) ? gd_keep(a) : GD_NIL;
    if (!gd_is_dict(b)) return GD_NIL;
    gd_any made = copy_of(vm, a);
    if (gd_is_nil(made) || update_from_dict(vm, gd_as_dict(made), gd_as_dict(b))) return made;
    gd_drop(gd_vm_heap(vm), made);
    return GD_NIL;
}

/* ---- methods ---- */

static bool is_self(gd_vm *vm, const gd_args *args, const char *name) {
    if (args->npos && gd_is_dict(args->v[0])) return true;
    gd_raise(vm, &gd_class_TypeError, "descriptor '%s' for 'dict' objects doesn't apply to a '%s' object", name,
             args->npos ? gd_class_label(args->v[0]) : "nothing");
    return false;
}

static gd_any dict_get(gd_vm *vm, const gd_args *args) {
    gd_any value;
    if (!is_self(vm, args, "get")) return GD_NIL;
    int found = gd_dict_get(vm, gd_as_dict(args->v[0]), args->v[1], &value);
    if (found < 0) return GD_NIL;
    return found ? gd_keep(value) : args->npos > 2 ? gd_keep(args->v[2]) : GD_ANY_NONE;
}

static gd_any view(gd_vm *vm, const gd_args *args, const char *name, int what) {
    return is_self(vm, args, name) ? gd_dict_view(vm, args->v[0], what) : GD_NIL;
}

static gd_any dict_keys(gd_vm *vm, const gd_args *args) { return view(vm, args, "keys", GD_KEYS); }
static gd_any dict_values(gd_vm *vm, const gd_args *args) { return view(vm, args, "values", GD_VALUES); }
static gd_any dict_items(gd_vm *vm, const gd_args *args) { return view(vm, args, "items", GD_ITEMS); }

static gd_any dict_pop(gd_vm *vm, const gd_args *args) {
    gd_any value;
    if (!is_self(vm, args, "pop")) return GD_NIL;
    int found = gd_dict_remove(vm, gd_as_dict(args->v[0]), args->v[1], &value);
    if (found) return found > 0 ? value : GD_NIL;
    return args->npos > 2 ? gd_keep(args->v[2]) : gd_raise_key(vm, args->v[1]);
}

static gd_any dict_popitem(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "popitem")) return GD_NIL;
    gd_dict *d = gd_as_dict(args->v[0]);
    if (!d->n) return gd_raise(vm, &gd_class_KeyError, "popitem(): dictionary is empty");
    gd_any tuple = gd_tuple_new(vm, &gd_class_tuple, 2);
    if (gd_is_nil(tuple)) return GD_NIL;
    gd_any *pair = ((gd_tuple *)tuple.u.object)->items;
    gd_dict_take(d, d->filled - 1, &pair[0], &pair[1]); /* the last one filled is there: see gd_dict_take */
    return tuple;
}

static gd_any dict_setdefault(gd_vm *vm, const gd_args *args) {
    gd_any value, otherwise = args->npos > 2 ? args->v[2] : GD_ANY_NONE;
    if (!is_self(vm, args, "setdefault")) return GD_NIL;
    int found = gd_dict_get(vm, gd_as_dict(args->v[0]), args->v[1], &value);
    if (found) return found > 0 ? gd_keep(value) : GD_NIL;
    return gd_dict_set(vm, gd_as_dict(args->v[0]), args->v[1], otherwise) ? gd_keep(otherwise) : GD_NIL;
}

static gd_any dict_update(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "update")) return GD_NIL;
    return gd_dict_update_args(vm, gd_as_dict(args->v[0]), "update", 1, args) ? GD_ANY_NONE : GD_NIL;
}

static gd_any dict_clear(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "clear")) return GD_NIL;
    gd_dict_clear(gd_vm_heap(vm), gd_as_dict(args->v[0]));
    return GD_ANY_NONE;
}

static gd_any dict_copy(gd_vm *vm, const gd_args *args) {
    return is_self(vm, args, "copy") ? copy_of(vm, args->v[0]) : GD_NIL;
}

/* dict.fromkeys(keys, value=None): a function of the class, so without self. */
static gd_any dict_fromkeys(gd_vm *vm, const gd_args *args) {
    gd_any value = args->npos > 1 ? args->v[1] : GD_ANY_NONE, key;
    gd_any iterator = gd_iterate(vm, args->v[0]);
    gd_any made = gd_is_nil(iterator) ? GD_NIL : gd_dict_new(vm);
    int more = gd_is_nil(made) ? -1 : 1;
    while (more > 0 && (more = gd_next(vm, iterator, &key)) > 0) {
        if (!gd_work(vm, 1) || !gd_dict_set(vm, gd_as_dict(made), key, value)) more = -1;
        gd_drop(gd_vm_heap(vm), key);
    }
    gd_drop(gd_vm_heap(vm), iterator);
    if (more == 0) return made;
    gd_drop(gd_vm_heap(vm), made);
    return GD_NIL;
}

const gd_native gd_native_fromkeys = {"fromkeys", dict_fromkeys, 1, 2, ""};

const gd_native gd_dict_methods[] = {{"get", dict_get, 2, 3, ""},
                                     {"keys", dict_keys, 1, 1, ""},
                                     {"values", dict_values, 1, 1, ""},
                                     {"items", dict_items, 1, 1, ""},
                                     {"pop", dict_pop, 2, 3, ""},
                                     {"popitem", dict_popitem, 1, 1, ""},
                                     {"setdefault", dict_setdefault, 2, 3, ""},
                                     {"update", dict_update, 1, -1, "*"},
                                     {"clear", dict_clear, 1, 1, ""},
                                     {"copy", dict_copy, 1, 1, ""},
                                     {0}};
