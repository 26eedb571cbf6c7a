/* range.c: range objects: numbers that are counted, not kept. */
#include "core/program/heap.h"
#include "core/program/vm.h"

/* How many numbers there are from start to stop by step: as unsigned, since it may pass 2^63. */
static uint64_t count_of(int64_t start, int64_t stop, int64_t step) {
    bool up = step > 0;
    if (!step || (up ? start >= stop : start <= stop)) return 0;
    uint64_t distance = up ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
    return (distance - 1) / (up ? (uint64_t)step : 0 - (uint64_t)step) + 1;
}

gd_any gd_range_new(gd_vm *vm, int64_t start, int64_t stop, int64_t step) {
    uint64_t n = count_of(start, stop, step);
    if (n > INT64_MAX) return gd_raise(vm, &gd_class_OverflowError, "range has more items than fit in 64 bits");
    gd_range *r = gd_object_new(vm, &gd_class_range, sizeof *r);
    if (!r) return GD_NIL;
    r->start = start, r->stop = stop, r->step = step, r->n = (int64_t)n;
    return GD_ANY_OBJECT(r);
}

static gd_any range_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    int64_t v[3] = {0, 0, 1};
    (void)class;
    if (!gd_check_args(vm, "range", args, 1, 3)) return GD_NIL;
    if (args->npos == 1) return gd_to_index(vm, args->v[0], &v[1]) ? gd_range_new(vm, 0, v[1], 1) : GD_NIL;
    for (uint32_t i = 0; i < args->npos; i++)
        if (!gd_to_index(vm, args->v[i], &v[i])) return GD_NIL;
    if (!v[2]) return gd_raise(vm, &gd_class_ValueError, "range() arg 3 must not be zero");
    return gd_range_new(vm, v[0], v[1], v[2]);
}

static const gd_range *self_of(gd_any self) { return (gd_range *)self.u.object; }

static gd_any range_repr(gd_vm *vm, gd_any self) {
    const gd_range *r = self_of(self);
    if (r->step == 1) return gd_str_printf(vm, "range(%lld, %lld)", (long long)r->start, (long long)r->stop);
    return gd_str_printf(vm, "range(%lld, %lld, %lld)", (long long)r->start, (long long)r->stop, (long long)r->step);
}

static int64_t range_len(gd_vm *vm, gd_any self) {
    (void)vm;
    return self_of(self)->n;
}

/* Item i, which may lie one step outside where it is a bound: then cut to what an int holds. */
static int64_t item(const gd_range *r, int64_t i) {
    int64_t offset, value;
    if (gd_mul_i64(i, r->step, &offset) && gd_add_i64(r->start, offset, &value)) return value;
    /* Only a sum that is in range although its parts are not, or a bound past the end, comes here. */
    uint64_t wrapped = (uint64_t)r->start + (uint64_t)i * (uint64_t)r->step;
    if (i >= 0 && i < r->n) return (int64_t)wrapped;
    return r->step > 0 ? INT64_MAX : INT64_MIN;
}

static gd_any get_slice(gd_vm *vm, const gd_range *r, const gd_slice_object *slice) {
    int64_t start, stop, step, count, by;
    if (!gd_slice_bounds(vm, slice, r->n, &start, &step, &count) || !gd_slice_stop(vm, slice, r->n, &stop))
        return GD_NIL;
    if (!gd_mul_i64(r->step, step, &by)) by = (step > 0) == (r->step > 0) ? INT64_MAX : -INT64_MAX;
    return gd_range_new(vm, item(r, start), item(r, stop), by);
}

static gd_any range_getitem(gd_vm *vm, gd_any self, gd_any index) {
    const gd_range *r = self_of(self);
    int64_t i;
    if (gd_is(index, &gd_class_slice)) return get_slice(vm, r, (gd_slice_object *)index.u.object);
    if (index.tag != GD_A_INT && index.tag != GD_A_BOOL && index.tag != GD_A_TENSOR)
        return gd_raise(vm, &gd_class_TypeError, "range indices must be integers or slices, not %s",
                        gd_class_label(index));
    if (!gd_to_index(vm, index, &i)) return GD_NIL;
    if (i < 0) i += r->n;
    if (i < 0 || i >= r->n) return gd_raise(vm, &gd_class_IndexError, "range object index out of range");
    return GD_ANY_INT(item(r, i));
}

/* Position of v, if it is one of the numbers; -1: it is not; -2: an exception is pending. */
static int64_t find(gd_vm *vm, const gd_range *r, gd_any v) {
    int64_t i;
    if (v.tag == GD_A_FLOAT) {
        if (!(v.u.f >= -9.2e18 && v.u.f <= 9.2e18) || v.u.f != (double)(int64_t)v.u.f) return -1;
        i = (int64_t)v.u.f;
    } else if (v.tag == GD_A_INT || v.tag == GD_A_BOOL) {
        i = v.u.i;
    } else {
        if (v.tag != GD_A_TENSOR) return -1;
        /* Compared with each number as any == of a tensor. */
        for (int64_t k = 0; k < r->n; k++) {
            int equal = gd_work(vm, 1) ? gd_equal(vm, GD_ANY_INT(item(r, k)), v) : -1;
            if (equal) return equal < 0 ? -2 : k;
        }
        return -1;
    }
    bool up = r->step > 0;
    if (!r->n || (up ? i < r->start || i >= r->stop : i > r->start || i <= r->stop)) return -1;
    uint64_t distance = up ? (uint64_t)i - (uint64_t)r->start : (uint64_t)r->start - (uint64_t)i;
    uint64_t by = up ? (uint64_t)r->step : 0 - (uint64_t)r->step;
    return distance % by ? -1 : (int64_t)(distance / by);
}

static int range_contains(gd_vm *vm, gd_any self, gd_any v) {
    int64_t at = find(vm, self_of(self), v);
    return at == -2 ? -1 : at >= 0;
}

static int range_equal(gd_vm *vm, gd_any self, gd_any other) {
    (void)vm;
    if (!gd_is(other, &gd_class_range)) return 0;
    const gd_range *a = self_of(self), *b = self_of(other);
    return a->n == b->n && (a->n == 0 || (a->start == b->start && (a->n == 1 || a->step == b->step)));
}

/* As that of the tuple (length, start, step), with None for what does not matter. */
static bool range_hash(gd_vm *vm, gd_any self, uint64_t *out) {
    const gd_range *r = self_of(self);
    gd_any parts[3] = {GD_ANY_INT(r->n), r->n ? GD_ANY_INT(r->start) : GD_ANY_NONE,
                       r->n > 1 ? GD_ANY_INT(r->step) : GD_ANY_NONE};
    gd_any tuple = gd_tuple_of(vm, 3, parts);
    if (gd_is_nil(tuple)) return false;
    bool ok = gd_hash_of(vm, tuple, out);
    gd_drop(gd_vm_heap(vm), tuple);
    return ok;
}

static gd_any range_iter(gd_vm *vm, gd_any self) {
    const gd_range *r = self_of(self);
    return gd_range_iterator_new(vm, r->start, r->step, r->n);
}

gd_any gd_range_reversed(gd_vm *vm, gd_any range) {
    const gd_range *r = self_of(range);
    return gd_range_iterator_new(vm, r->n ? item(r, r->n - 1) : 0, r->step == INT64_MIN ? INT64_MAX : -r->step, r->n);
}

static gd_any range_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const gd_range *r = self_of(self);
    (void)vm;
    if (gd_str_is(name, "start")) return GD_ANY_INT(r->start);
    if (gd_str_is(name, "stop")) return GD_ANY_INT(r->stop);
    if (gd_str_is(name, "step")) return GD_ANY_INT(r->step);
    return GD_NIL;
}

static gd_any range_index(gd_vm *vm, const gd_args *args) {
    int64_t at = find(vm, self_of(args->v[0]), args->v[1]);
    if (at >= 0) return GD_ANY_INT(at);
    if (at == -2) return GD_NIL;
    if (args->v[1].tag != GD_A_INT && args->v[1].tag != GD_A_BOOL)
        return gd_raise(vm, &gd_class_ValueError, "sequence.index(x): x not in sequence");
    return gd_raise(vm, &gd_class_ValueError, "%lld is not in range", (long long)args->v[1].u.i);
}

static gd_any range_count(gd_vm *vm, const gd_args *args) {
    int64_t at = find(vm, self_of(args->v[0]), args->v[1]);
    return at == -2 ? GD_NIL : GD_ANY_INT(at >= 0);
}

const gd_native gd_range_methods[] = {{"index", range_index, 2, 2, ""}, {"count", range_count, 2, 2, ""}, {0}};

const gd_class gd_class_range = {.name = "range",
                                 .make = range_make,
                                 .repr = range_repr,
                                 .methods = gd_range_methods,
                                 .getattr = range_getattr,
                                 .iter = range_iter,
                                 .len = range_len,
                                 .getitem = range_getitem,
                                 .contains = range_contains,
                                 .equal = range_equal,
                                 .hash = range_hash};
