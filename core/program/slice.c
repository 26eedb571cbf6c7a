/* slice.c: slice objects, and what they mean for a length. */
#include "core/program/heap.h"
#include "core/program/vm.h"

gd_any gd_slice_new(gd_vm *vm, gd_any start, gd_any stop, gd_any step) {
    gd_slice_object *s = gd_object_new(vm, &gd_class_slice, sizeof *s);
    if (!s) return GD_NIL;
    s->start = gd_keep(start);
    s->stop = gd_keep(stop);
    s->step = gd_keep(step);
    return GD_ANY_OBJECT(s);
}

/* One of the three as a number; None (or nothing) is `otherwise`. */
static bool part(gd_vm *vm, gd_any v, int64_t otherwise, int64_t *out) {
    *out = otherwise;
    if (v.tag == GD_A_INT) {
        *out = v.u.i;
        return true;
    }
    if (v.tag <= GD_A_NONE) return true;
    if (v.tag == GD_A_BOOL || v.tag == GD_A_TENSOR) return gd_to_index(vm, v, out);
    gd_raise(vm, &gd_class_TypeError, "slice indices must be integers or None or have an __index__ method");
    return false;
}

/* A bound, negative ones counted from the end, cut to what can be reached. */
static int64_t cut(int64_t at, int64_t length, bool backwards) {
    if (at < 0) at += length;
    if (at < 0) return backwards ? -1 : 0;
    return at >= length ? (backwards ? length - 1 : length) : at;
}

static bool resolve(gd_vm *vm, const gd_slice_object *s, int64_t length, int64_t *start, int64_t *stop, int64_t *step) {
    if (!part(vm, s->step, 1, step)) return false;
    if (*step == 0) {
        gd_raise(vm, &gd_class_ValueError, "slice step cannot be zero");
        return false;
    }
    bool backwards = *step < 0;
    if (backwards && *step < -INT64_MAX) *step = -INT64_MAX; /* so that it can be negated */
    if (!part(vm, s->start, backwards ? INT64_MAX : 0, start) || !part(vm, s->stop, INT64_MAX, stop)) return false;
    *start = cut(*start, length, backwards);
    *stop = s->stop.tag <= GD_A_NONE ? (backwards ? -1 : length) : cut(*stop, length, backwards);
    return true;
}

bool gd_slice_bounds(gd_vm *vm, const gd_slice_object *s, int64_t length, int64_t *start, int64_t *step,
                     int64_t *count) {
    int64_t stop;
    if (!resolve(vm, s, length, start, &stop, step)) return false;
    if (*step > 0)
        *count = stop > *start ? (stop - *start - 1) / *step + 1 : 0;
    else
        *count = *start > stop ? (*start - stop - 1) / -*step + 1 : 0;
    return true;
}

bool gd_slice_stop(gd_vm *vm, const gd_slice_object *s, int64_t length, int64_t *stop) {
    int64_t start, step;
    return resolve(vm, s, length, &start, stop, &step);
}

static void slice_destroy(gd_heap *heap, gd_object *self) {
    gd_slice_object *s = (gd_slice_object *)self;
    gd_drop(heap, s->start);
    gd_drop(heap, s->stop);
    gd_drop(heap, s->step);
}

static void slice_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    gd_slice_object *s = (gd_slice_object *)self;
    see(user, s->start);
    see(user, s->stop);
    see(user, s->step);
}

static gd_any slice_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    if (!gd_check_args(vm, "slice", args, 1, 3)) return GD_NIL;
    const gd_any none = GD_ANY_NONE;
    if (args->npos == 1) return gd_slice_new(vm, none, args->v[0], none);
    return gd_slice_new(vm, args->v[0], args->v[1], args->npos > 2 ? args->v[2] : none);
}

static void parts(gd_any self, gd_any out[3]) {
    const gd_slice_object *s = (gd_slice_object *)self.u.object;
    const gd_any all[] = {s->start, s->stop, s->step};
    for (int i = 0; i < 3; i++) out[i] = gd_is_nil(all[i]) ? GD_ANY_NONE : all[i];
}

static gd_any slice_repr(gd_vm *vm, gd_any self) {
    gd_any three[3];
    gd_nest nest;
    gd_buffer b = {.vm = vm};
    int enter = gd_repr_enter(vm, &nest, self);
    if (enter < 0) return GD_NIL;
    if (!enter) return gd_str_c(vm, "...");
    parts(self, three);
    gd_buffer_c(&b, "slice(");
    bool ok = gd_repr_items(vm, &b, three, 3);
    gd_repr_leave(vm, &nest);
    if (ok) {
        gd_buffer_c(&b, ")");
        return gd_buffer_str(&b);
    }
    gd_buffer_free(&b);
    return GD_NIL;
}

static int slice_equal(gd_vm *vm, gd_any self, gd_any other) {
    if (!gd_is(other, &gd_class_slice)) return 0;
    gd_any a[3], b[3];
    int equal = 1;
    parts(self, a);
    parts(other, b);
    for (int i = 0; i < 3 && equal == 1; i++) equal = gd_equal(vm, a[i], b[i]);
    return equal;
}

static gd_any slice_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    static const char *const names[] = {"start", "stop", "step"};
    gd_any three[3];
    (void)vm;
    parts(self, three);
    for (int i = 0; i < 3; i++)
        if (gd_str_is(name, names[i])) return gd_keep(three[i]);
    return GD_NIL;
}

static gd_any slice_indices(gd_vm *vm, const gd_args *args) {
    int64_t length, start, stop, step;
    if (!gd_to_index(vm, args->v[1], &length)) return GD_NIL;
    if (length < 0) return gd_raise(vm, &gd_class_ValueError, "length should not be negative");
    if (!resolve(vm, (gd_slice_object *)args->v[0].u.object, length, &start, &stop, &step)) return GD_NIL;
    return gd_tuple_of(vm, 3, (const gd_any[]){GD_ANY_INT(start), GD_ANY_INT(stop), GD_ANY_INT(step)});
}

const gd_native gd_slice_methods[] = {{"indices", slice_indices, 2, 2, ""}, {0}};

const gd_class gd_class_slice = {.name = "slice",
                                 .destroy = slice_destroy,
                                 .visit = slice_visit,
                                 .make = slice_make,
                                 .repr = slice_repr,
                                 .methods = gd_slice_methods,
                                 .getattr = slice_getattr,
                                 .equal = slice_equal};
