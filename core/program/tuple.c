/* tuple.c: the classes tuple and torch.Size. Named tuples (torch.return_types.…) have tuple as base and are made where
 * ops answer them. */
#include <string.h>

#include "core/program/heap.h"
#include "core/program/vm.h"

static void tuple_destroy(gd_heap *heap, gd_object *self) {
    gd_tuple *t = (gd_tuple *)self;
    for (size_t i = 0; i < t->n; i++) gd_drop(heap, t->items[i]);
}

static void tuple_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    const gd_tuple *t = (gd_tuple *)self;
    for (size_t i = 0; i < t->n; i++) gd_see(see, user, t->items[i]);
}

static gd_any tuple_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    if (!gd_check_args(vm, "tuple", args, 0, 1)) return GD_NIL;
    return args->npos ? gd_tuple_from(vm, args->v[0]) : gd_tuple_of(vm, 0, NULL);
}

static gd_any tuple_repr(gd_vm *vm, gd_any self) {
    const gd_tuple *t = (gd_tuple *)self.u.object;
    gd_nest nest;
    gd_buffer b = {.vm = vm};
    if (!t->n) return gd_str_new(vm, "()", 2);
    int enter = gd_repr_enter(vm, &nest, self);
    if (enter <= 0) return enter < 0 ? GD_NIL : gd_str_c(vm, "(...)");
    gd_buffer_c(&b, "(");
    bool ok = gd_repr_items(vm, &b, t->items, t->n);
    gd_repr_leave(vm, &nest);
    gd_buffer_c(&b, t->n == 1 ? ",)" : ")");
    if (ok) return gd_buffer_str(&b);
    gd_buffer_free(&b);
    return GD_NIL;
}

static int64_t tuple_len(gd_vm *vm, gd_any self) {
    (void)vm;
    return (int64_t)((gd_tuple *)self.u.object)->n;
}

/* A part of a torch.Size is one; of a named tuple, a tuple. */
static gd_any get_slice(gd_vm *vm, gd_any self, const gd_slice_object *slice) {
    const gd_tuple *t = (gd_tuple *)self.u.object;
    int64_t start, step, count;
    if (!gd_slice_bounds(vm, slice, (int64_t)t->n, &start, &step, &count)) return GD_NIL;
    if (gd_is(self, &gd_class_tuple) && step == 1 && (size_t)count == t->n) return gd_keep(self);
    if (!gd_work(vm, (uint64_t)count / 16)) return GD_NIL;
    gd_any made = gd_tuple_new(vm, gd_is(self, &gd_class_size) ? &gd_class_size : &gd_class_tuple, (size_t)count);
    if (gd_is_nil(made)) return GD_NIL;
    for (int64_t i = 0; i < count; i++) ((gd_tuple *)made.u.object)->items[i] = gd_keep(t->items[start + i * step]);
    return made;
}

static gd_any tuple_getitem(gd_vm *vm, gd_any self, gd_any index) {
    const gd_tuple *t = (gd_tuple *)self.u.object;
    int64_t i;
    if (gd_is(index, &gd_class_slice)) return get_slice(vm, self, (gd_slice_object *)index.u.object);
    if (index.tag != GD_A_INT && index.tag != GD_A_BOOL && index.tag != GD_A_TENSOR)
        return gd_raise(vm, &gd_class_TypeError, "tuple indices must be integers or slices, not %s",
                        gd_class_label(index));
    if (!gd_to_index(vm, index, &i)) return GD_NIL;
    if (i < 0) i += (int64_t)t->n;
    if (i < 0 || i >= (int64_t)t->n) return gd_raise(vm, &gd_class_IndexError, "tuple index out of range");
    return gd_keep(t->items[i]);
}

static gd_any tuple_iter(gd_vm *vm, gd_any self) { return gd_seq_iterator_new(vm, self, false); }

/* The primes of xxHash, by which Python mixes the hashes of a tuple's items. */
static bool tuple_hash(gd_vm *vm, gd_any self, uint64_t *out) {
    const uint64_t prime1 = 11400714785074694791u, prime2 = 14029467366897019727u, prime5 = 2870177450012600261u;
    const gd_tuple *t = (gd_tuple *)self.u.object;
    uint64_t mixed = prime5, h;
    if (!gd_work(vm, t->n / 4 + 1)) return false;
    for (size_t i = 0; i < t->n; i++) {
        if (!gd_hash_of(vm, t->items[i], &h)) return false;
        mixed += h * prime2;
        mixed = (mixed << 31 | mixed >> 33) * prime1;
    }
    mixed += t->n ^ (prime5 ^ 3527539u);
    *out = mixed == UINT64_MAX ? 1546275796u : mixed;
    return true;
}

static bool is_self(gd_vm *vm, const gd_args *args, const char *name) {
    if (gd_is_tuple(args->v[0])) return true;
    gd_raise(vm, &gd_class_TypeError, "descriptor '%s' for 'tuple' objects doesn't apply to a '%s' object", name,
             gd_class_label(args->v[0]));
    return false;
}

static gd_any tuple_count(gd_vm *vm, const gd_args *args) {
    return is_self(vm, args, "count") ? gd_sequence_count(vm, args) : GD_NIL;
}

static gd_any tuple_index(gd_vm *vm, const gd_args *args) {
    return is_self(vm, args, "index") ? gd_sequence_index(vm, args) : GD_NIL;
}

const gd_native gd_tuple_methods[] = {{"count", tuple_count, 2, 2, ""}, {"index", tuple_index, 2, 4, ""}, {0}};

const gd_class gd_class_tuple = {.name = "tuple",
                                 .destroy = tuple_destroy,
                                 .visit = tuple_visit,
                                 .make = tuple_make,
                                 .repr = tuple_repr,
                                 .methods = gd_tuple_methods,
                                 .iter = tuple_iter,
                                 .len = tuple_len,
                                 .getitem = tuple_getitem,
                                 .contains = gd_sequence_contains,
                                 .equal = gd_sequence_equal,
                                 .hash = tuple_hash};

/* ---- torch.Size ---- */

gd_any gd_size_of(gd_vm *vm, int ndim, const int64_t *sizes) {
    gd_any made = gd_tuple_new(vm, &gd_class_size, (size_t)ndim);
    if (gd_is_nil(made)) return GD_NIL;
    for (int i = 0; i < ndim; i++) ((gd_tuple *)made.u.object)->items[i] = GD_ANY_INT(sizes[i]);
    return made;
}

/* An entry of a size: an int, or a tensor that holds one. */
static bool size_entry(gd_vm *vm, gd_any v, size_t i, gd_any *out) {
    int64_t n;
    bool tensor = v.tag == GD_A_TENSOR && gd_numel(v.u.tensor) == 1 && !gd_dtype_is_float(gd_dtype_of(v.u.tensor));
    if (v.tag != GD_A_INT && !tensor) {
        gd_raise(vm, &gd_class_TypeError, "torch.Size() takes an iterable of 'int' (item %zu is '%s')", i,
                 gd_class_label(v));
        return false;
    }
    if (!gd_to_index(vm, v, &n)) return false;
    *out = GD_ANY_INT(n);
    return true;
}

static gd_any size_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    if (args->nkw) return gd_raise(vm, &gd_class_TypeError, "Size() takes no keyword arguments");
    if (!gd_check_args(vm, "tuple", args, 0, 1)) return GD_NIL;
    if (!args->npos) return gd_tuple_new(vm, class, 0);
    gd_any list = gd_list_from(vm, args->v[0]);
    if (gd_is_nil(list)) return GD_NIL;
    const gd_list *from = (gd_list *)list.u.object;
    gd_any made = gd_tuple_new(vm, class, from->n);
    bool ok = !gd_is_nil(made);
    for (size_t i = 0; ok && i < from->n; i++)
        ok = size_entry(vm, from->items[i], i, &((gd_tuple *)made.u.object)->items[i]);
    gd_drop(gd_vm_heap(vm), list);
    if (ok) return made;
    gd_drop(gd_vm_heap(vm), made);
    return GD_NIL;
}

static gd_any size_repr(gd_vm *vm, gd_any self) {
    const gd_tuple *t = (gd_tuple *)self.u.object;
    gd_buffer b = {.vm = vm};
    gd_buffer_c(&b, "torch.Size([");
    bool ok = gd_repr_items(vm, &b, t->items, t->n);
    gd_buffer_c(&b, "])");
    if (ok) return gd_buffer_str(&b);
    gd_buffer_free(&b);
    return GD_NIL;
}

static gd_any size_numel(gd_vm *vm, const gd_args *args) {
    const gd_tuple *t = (gd_tuple *)args->v[0].u.object;
    int64_t numel = 1;
    if (!gd_is(args->v[0], &gd_class_size))
        return gd_raise(vm, &gd_class_TypeError,
                        "descriptor 'numel' for 'torch.Size' objects doesn't apply to a '%s' object",
                        gd_class_label(args->v[0]));
    for (size_t i = 0; i < t->n; i++)
        if (!gd_mul_i64(numel, t->items[i].u.i, &numel))
            return gd_raise(vm, &gd_class_OverflowError, "the number of elements does not fit in 64 bits");
    return GD_ANY_INT(numel);
}

const gd_native gd_size_methods[] = {{"numel", size_numel, 1, 1, ""}, {0}};

const gd_class gd_class_size = {
    .name = "torch.Size", .base = &gd_class_tuple, .make = size_make, .repr = size_repr, .methods = gd_size_methods};
