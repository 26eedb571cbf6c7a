/* dict_views.c: what keys(), values() and items() of a dict answer, and iteration over dicts. All see the dict as it
 * is, not as it was. */
#include "core/program/heap.h"
#include "core/program/vm.h"

typedef struct view {
    gd_object head; /* the class says of what */
    gd_any dict;
} view;

typedef struct dict_iterator {
    gd_object head;
    gd_any dict; /* NIL: exhausted */
    size_t at, n, left;
} dict_iterator;

static void drop_dict(gd_heap *heap, gd_object *self) { gd_drop(heap, ((view *)self)->dict); }

static void see_dict(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((view *)self)->dict);
}

static gd_any pair_of(gd_vm *vm, gd_any key, gd_any value) { return gd_tuple_of(vm, 2, (const gd_any[]){key, value}); }

/* ---- iterators ---- */

static gd_any self_iter(gd_vm *vm, gd_any self) {
    (void)vm;
    return gd_keep(self);
}

static int finish(gd_vm *vm, dict_iterator *it) {
    gd_any dict = it->dict;
    it->dict = GD_NIL;
    gd_drop(gd_vm_heap(vm), dict);
    return 0;
}

/* Steps over removed entries, forwards; how far is paid for. */
static bool next_entry(gd_vm *vm, dict_iterator *it, const gd_dict *d, gd_any *key, gd_any *value) {
    size_t from = it->at;
    bool found = gd_dict_each(d, &it->at, key, value);
    return found && (it->at - from < 64 || gd_work(vm, (it->at - from) / 8));
}

static bool previous_entry(dict_iterator *it, const gd_dict *d, gd_any *key, gd_any *value) {
    if (it->at > d->filled) it->at = d->filled;
    while (it->at > d->first) {
        const gd_dict_entry *e = &d->entries[--it->at];
        if (gd_is_nil(e->key)) continue;
        *key = e->key, *value = e->value;
        return true;
    }
    return false;
}

static int next_of(gd_vm *vm, gd_any self, gd_any *key, gd_any *value, bool reversed) {
    dict_iterator *it = (dict_iterator *)self.u.object;
    if (gd_is_nil(it->dict)) return 0;
    const gd_dict *d = gd_as_dict(it->dict);
    if (d->n != it->n) {
        gd_raise(vm, &gd_class_RuntimeError, "dictionary changed size during iteration");
        it->n = SIZE_MAX; /* and so each time from now on */
        return -1;
    }
    bool found = reversed ? previous_entry(it, d, key, value) : next_entry(vm, it, d, key, value);
    if (!found) return gd_pending(vm) ? -1 : finish(vm, it);
    if (!it->left) {
        gd_raise(vm, &gd_class_RuntimeError, "dictionary keys changed during iteration");
        return -1;
    }
    it->left--;
    return 1;
}

static int next_key(gd_vm *vm, gd_any self, gd_any *out) {
    gd_any key, value;
    int more = next_of(vm, self, &key, &value, false);
    if (more > 0) *out = gd_keep(key);
    return more;
}

static int next_value(gd_vm *vm, gd_any self, gd_any *out) {
    gd_any key, value;
    int more = next_of(vm, self, &key, &value, false);
    if (more > 0) *out = gd_keep(value);
    return more;
}

static int next_item(gd_vm *vm, gd_any self, gd_any *out) {
    gd_any key, value;
    int more = next_of(vm, self, &key, &value, false);
    if (more > 0 && gd_is_nil(*out = pair_of(vm, key, value))) return -1;
    return more;
}

static int next_key_back(gd_vm *vm, gd_any self, gd_any *out) {
    gd_any key, value;
    int more = next_of(vm, self, &key, &value, true);
    if (more > 0) *out = gd_keep(key);
    return more;
}

static int next_value_back(gd_vm *vm, gd_any self, gd_any *out) {
    gd_any key, value;
    int more = next_of(vm, self, &key, &value, true);
    if (more > 0) *out = gd_keep(value);
    return more;
}

static int next_item_back(gd_vm *vm, gd_any self, gd_any *out) {
    gd_any key, value;
    int more = next_of(vm, self, &key, &value, true);
    if (more > 0 && gd_is_nil(*out = pair_of(vm, key, value))) return -1;
    return more;
}

#define ITERATOR(text, step)                                                                                           \
    { .name = text, .destroy = drop_dict, .visit = see_dict, .iter = self_iter, .next = step }
static const gd_class iterators[2][3] = {
    {ITERATOR("dict_keyiterator", next_key), ITERATOR("dict_valueiterator", next_value),
     ITERATOR("dict_itemiterator", next_item)},
    {ITERATOR("dict_reversekeyiterator", next_key_back), ITERATOR("dict_reversevalueiterator", next_value_back),
     ITERATOR("dict_reverseitemiterator", next_item_back)}};

gd_any gd_dict_iterator(gd_vm *vm, gd_any dict, int what, bool reversed) {
    const gd_dict *d = gd_as_dict(dict);
    dict_iterator *it = gd_object_new(vm, &iterators[reversed][what], sizeof *it);
    if (!it) return GD_NIL;
    it->dict = gd_keep(dict);
    it->n = it->left = d->n;
    it->at = reversed ? d->filled : 0;
    return GD_ANY_OBJECT(it);
}

/* ---- views ---- */

static const gd_class views[3];

static gd_dict *dict_of(gd_any self) { return gd_as_dict(((view *)self.u.object)->dict); }
static int what_of(gd_any self) { return (int)(self.u.object->class - views); }
static bool is_set_like(gd_any v) {
    return v.tag == GD_A_OBJECT && (v.u.object->class == &views[GD_KEYS] || v.u.object->class == &views[GD_ITEMS]);
}

gd_any gd_dict_view(gd_vm *vm, gd_any dict, int what) {
    view *v = gd_object_new(vm, &views[what], sizeof *v);
    if (!v) return GD_NIL;
    v->dict = gd_keep(dict);
    return GD_ANY_OBJECT(v);
}

bool gd_is_dict_view(gd_any v, int *what) {
    if (v.tag != GD_A_OBJECT || v.u.object->class < views || v.u.object->class >= views + 3) return false;
    *what = what_of(v);
    return true;
}

gd_any gd_dict_view_reversed(gd_vm *vm, gd_any self) {
    return gd_dict_iterator(vm, ((view *)self.u.object)->dict, what_of(self), true);
}

static gd_any view_iter(gd_vm *vm, gd_any self) {
    return gd_dict_iterator(vm, ((view *)self.u.object)->dict, what_of(self), false);
}

static int64_t view_len(gd_vm *vm, gd_any self) {
    (void)vm;
    return (int64_t)dict_of(self)->n;
}

static gd_any view_repr(gd_vm *vm, gd_any self) {
    gd_nest nest;
    int enter = gd_repr_enter(vm, &nest, self);
    if (enter <= 0) return enter < 0 ? GD_NIL : gd_str_c(vm, "...");
    gd_any list = gd_list_from(vm, self), text = gd_is_nil(list) ? GD_NIL : gd_repr_of(vm, list);
    gd_repr_leave(vm, &nest);
    gd_drop(gd_vm_heap(vm), list);
    if (gd_is_nil(text)) return GD_NIL;
    gd_buffer b = {.vm = vm};
    gd_buffer_c(&b, self.u.object->class->name);
    gd_buffer_c(&b, "(");
    gd_buffer_any(&b, text);
    gd_buffer_c(&b, ")");
    return gd_buffer_str(&b);
}

static int keys_contain(gd_vm *vm, gd_any self, gd_any item) {
    gd_any value;
    return gd_dict_get(vm, dict_of(self), item, &value);
}

static int items_contain(gd_vm *vm, gd_any self, gd_any item) {
    const gd_tuple *pair = (gd_tuple *)item.u.object;
    gd_any value;
    if (!gd_is_tuple(item) || pair->n != 2) return 0;
    int found = gd_dict_get(vm, dict_of(self), pair->items[0], &value);
    return found == 1 ? gd_equal(vm, value, pair->items[1]) : found;
}

/* Are all of a's items in b? */
static int all_in(gd_vm *vm, gd_any a, gd_any b) {
    gd_any iterator = gd_iterate(vm, a), x;
    int more, in = 1;
    if (gd_is_nil(iterator)) return -1;
    while (in == 1 && (more = gd_next(vm, iterator, &x)) != 0) {
        gd_any found = more > 0 && gd_work(vm, 1) ? gd_compare(vm, GD_PY_IN, x, b) : GD_NIL;
        in = gd_is_nil(found) ? -1 : (int)found.u.i;
        if (more > 0) gd_drop(gd_vm_heap(vm), x);
    }
    gd_drop(gd_vm_heap(vm), iterator);
    return in;
}

static int view_equal(gd_vm *vm, gd_any self, gd_any other) {
    if (!is_set_like(other) && !gd_is_set(other)) return 0;
    int64_t n = gd_length(vm, other);
    return n != view_len(vm, self) ? 0 : all_in(vm, self, other);
}

gd_any gd_dict_view_compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    bool known = (is_set_like(a) && (is_set_like(b) || gd_is_set(b))) || (is_set_like(b) && gd_is_set(a));
    if (!known) return GD_NIL;
    bool less = op == GD_PY_LT || op == GD_PY_LE;
    int64_t n = gd_length(vm, less ? a : b), m = gd_length(vm, less ? b : a);
    bool may = op == GD_PY_LT || op == GD_PY_GT ? n < m : n <= m;
    int in = may ? all_in(vm, less ? a : b, less ? b : a) : 0;
    return in < 0 ? GD_NIL : GD_ANY_BOOL(in);
}

/* | & - ^ of keys() or items() with any iterable: a set. */
gd_any gd_dict_view_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    if (op < GD_PY_AND && op != GD_PY_SUB) return GD_NIL;
    if (op > GD_PY_XOR || (!is_set_like(a) && !is_set_like(b))) return GD_NIL;
    gd_any left = gd_set_of(vm, a), right = gd_is_nil(left) ? GD_NIL : gd_set_of(vm, b), answer = GD_NIL;
    if (!gd_is_nil(right)) answer = gd_set_binary(vm, op, left, right, false);
    gd_drop(gd_vm_heap(vm), left);
    gd_drop(gd_vm_heap(vm), right);
    return answer;
}

static const gd_class views[3] = {{.name = "dict_keys",
                                   .destroy = drop_dict,
                                   .visit = see_dict,
                                   .repr = view_repr,
                                   .iter = view_iter,
                                   .len = view_len,
                                   .contains = keys_contain,
                                   .equal = view_equal},
                                  {.name = "dict_values",
                                   .destroy = drop_dict,
                                   .visit = see_dict,
                                   .repr = view_repr,
                                   .iter = view_iter,
                                   .len = view_len},
                                  {.name = "dict_items",
                                   .destroy = drop_dict,
                                   .visit = see_dict,
                                   .repr = view_repr,
                                   .iter = view_iter,
                                   .len = view_len,
                                   .contains = items_contain,
                                   .equal = view_equal}};
