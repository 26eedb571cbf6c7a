/* any.c: what can be asked of any value, whatever its class: truth, equality, hash, items, iteration, texts, numbers.
 * Operators are in operators.c, attributes in attributes.c. */
#include <math.h>
#include <string.h>

#include "core/plan/trace.h"
#include "core/program/heap.h"
#include "core/program/vm.h"

const gd_class *gd_class_of(gd_any v) {
    switch ((gd_tag)v.tag) {
    case GD_A_NIL:
    case GD_A_NONE: return &gd_class_none;
    case GD_A_ELLIPSIS: return &gd_class_ellipsis;
    case GD_A_NOTIMPLEMENTED: return &gd_class_notimplemented;
    case GD_A_BOOL: return &gd_class_bool;
    case GD_A_INT: return &gd_class_int;
    case GD_A_FLOAT: return &gd_class_float;
    case GD_A_DTYPE: return &gd_class_dtype;
    case GD_A_CLASS: return &gd_class_type;
    case GD_A_NATIVE: return &gd_class_native;
    case GD_A_OP: return &gd_class_op;
    case GD_A_TENSOR: return &gd_class_tensor;
    case GD_A_NODE: return gd_node_class(v.u.node);
    case GD_A_OBJECT: break;
    }
    return v.u.object->class;
}

/* Python prints a class's bare name, except for classes made in C, whose name holds their module. */
const char *gd_class_label(gd_any v) {
    if (v.tag == GD_A_NODE) return gd_node_name(v.u.node);
    const gd_class *c = gd_class_of(v);
    const char *dot = strrchr(c->name, '.');
    if (!dot || c == &gd_class_size || c == &gd_class_dtype || !strncmp(c->name, "torch.return_types.", 19))
        return c->name;
    return dot + 1;
}

bool gd_subclass(const gd_class *c, const gd_class *of) {
    if (of == &gd_class_object) return true;
    while (c && c != of) c = c->base;
    return c != NULL;
}

bool gd_instance(gd_any v, const gd_class *c) {
    gd_dtype dtype; /* a tensor is an instance of torch.FloatTensor by its dtype */
    if (v.tag == GD_A_TENSOR && gd_legacy_dtype(c, &dtype)) return gd_dtype_of(v.u.tensor) == dtype;
    return gd_subclass(gd_class_of(v), c);
}

int gd_truth(gd_vm *vm, gd_any v) {
    switch (v.tag) {
    case GD_A_NIL:
    case GD_A_NONE: return 0;
    case GD_A_BOOL:
    case GD_A_INT: return v.u.i != 0;
    case GD_A_FLOAT: return v.u.f != 0;
    default: break;
    }
    const gd_class *c = gd_class_of(v);
    int (*truth)(gd_vm *, gd_any);
    int64_t (*len)(gd_vm *, gd_any);
    GD_SLOT(c, truth, truth);
    if (truth) return truth(vm, v);
    GD_SLOT(c, len, len);
    if (!len) return 1;
    int64_t n = len(vm, v);
    return n < 0 ? -1 : n > 0;
}

/* ---- equality and hash ---- */

bool gd_same(gd_any a, gd_any b) {
    if (a.tag != b.tag) return false;
    if (a.tag == GD_A_FLOAT) return memcmp(&a.u.f, &b.u.f, sizeof a.u.f) == 0;
    if (a.tag <= GD_A_NOTIMPLEMENTED) return true;
    return a.tag < GD_A_CLASS ? a.u.i == b.u.i : a.u.object == b.u.object;
}

bool gd_deeper_compare(gd_vm *vm) {
    if (gd_deeper(vm)) return true;
    if (!vm->passed) gd_raise(vm, &gd_class_RecursionError, "maximum recursion depth exceeded in comparison");
    return false;
}

static bool str_same(const gd_str *a, const gd_str *b) {
    return a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0;
}

/* == of values that are not the same and of which one is no number. */
static int equal_objects(gd_vm *vm, gd_any a, gd_any b) {
    int (*equal)(gd_vm *, gd_any, gd_any);
    GD_SLOT(gd_class_of(a), equal, equal);
    if (!equal) {
        GD_SLOT(gd_class_of(b), equal, equal);
        gd_any swap = a;
        a = b, b = swap;
    }
    if (!equal) return 0;
    if (!gd_deeper_compare(vm)) return -1;
    int answer = equal(vm, a, b);
    gd_shallower(vm);
    return answer;
}

static int tensor_equal(gd_vm *vm, gd_any a, gd_any b) {
    gd_any answer = gd_compare(vm, GD_PY_EQ, a, b);
    if (gd_is_nil(answer)) return -1;
    int truth = gd_truth(vm, answer);
    gd_drop(gd_vm_heap(vm), answer);
    return truth;
}

int gd_equal(gd_vm *vm, gd_any a, gd_any b) {
    if (a.tag == GD_A_INT && b.tag == GD_A_INT) return a.u.i == b.u.i;
    if (gd_same(a, b)) return 1;
    if (gd_is_number(a) && gd_is_number(b)) return (int)gd_number_compare(GD_PY_EQ, a, b).u.i;
    if (gd_is_str(a) && gd_is_str(b)) return str_same(gd_as_str(a), gd_as_str(b));
    if (a.tag == GD_A_TENSOR || b.tag == GD_A_TENSOR) return tensor_equal(vm, a, b);
    if (a.tag != GD_A_OBJECT && b.tag != GD_A_OBJECT) return 0;
    return equal_objects(vm, a, b);
}

/* Numbers hash as Python's do: their value modulo the prime 2^61 - 1, so that equal numbers of any class agree. */
#define HASH_BITS 61
#define HASH_PRIME (((uint64_t)1 << HASH_BITS) - 1)

static uint64_t signed_hash(uint64_t h, bool negative) {
    if (!negative) return h;
    return h == 1 ? (uint64_t)-2 : 0 - h; /* -1 is no hash in Python */
}

static uint64_t hash_int(int64_t i) {
    uint64_t size = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    return signed_hash(size % HASH_PRIME, i < 0);
}

/* x * 2^e modulo the prime: a rotation within 61 bits. */
static uint64_t rotate(uint64_t x, unsigned e) { return e ? ((x << e) & HASH_PRIME) | x >> (HASH_BITS - e) : x; }

static uint64_t hash_float(double f) {
    if (isinf(f)) return f > 0 ? 314159 : (uint64_t)-314159;
    if (isnan(f)) return 0;
    int e;
    double m = frexp(fabs(f), &e);
    uint64_t x = (uint64_t)ldexp(m, 53);
    int shift = (e - 53) % HASH_BITS;
    x = rotate(x, (unsigned)(shift < 0 ? shift + HASH_BITS : shift));
    return signed_hash(x == HASH_PRIME ? 0 : x, f < 0);
}

static uint64_t hash_pointer(const void *p) {
    uintptr_t u = (uintptr_t)p;
    return (uint64_t)(u >> 4 | u << 60);
}

static bool unhashable(gd_vm *vm, gd_any v) {
    gd_raise(vm, &gd_class_TypeError, "unhashable type: '%s'", gd_class_label(v));
    return false;
}

static bool hash_object(gd_vm *vm, gd_any v, uint64_t *out) {
    for (const gd_class *c = gd_class_of(v); c; c = c->base) {
        if (c->hash) {
            if (!gd_deeper(vm)) return false;
            bool ok = c->hash(vm, v, out);
            gd_shallower(vm);
            return ok;
        }
        if (c->equal) return unhashable(vm, v);
    }
    *out = hash_pointer(v.u.object);
    return true;
}

bool gd_hash_of(gd_vm *vm, gd_any v, uint64_t *out) {
    switch (v.tag) {
    case GD_A_BOOL:
    case GD_A_INT: *out = hash_int(v.u.i); return true;
    case GD_A_FLOAT: *out = hash_float(v.u.f); return true;
    case GD_A_OBJECT: return hash_object(vm, v, out);
    case GD_A_NIL:
    case GD_A_NONE:
    case GD_A_ELLIPSIS:
    case GD_A_NOTIMPLEMENTED:
    case GD_A_DTYPE: *out = 0x9e3779b9u + v.tag * 64u + (v.tag == GD_A_DTYPE ? (uint64_t)v.u.i : 0); return true;
    default: *out = hash_pointer(v.u.object); return true;
    }
}

/* ---- items ---- */

gd_any gd_get_item(gd_vm *vm, gd_any v, gd_any index) {
    if (gd_is_list(v) && index.tag == GD_A_INT) {
        const gd_list *list = (gd_list *)v.u.object;
        uint64_t i = (uint64_t)(index.u.i < 0 ? index.u.i + (int64_t)list->n : index.u.i);
        if (i < list->n) return gd_keep(list->items[i]);
    }
    gd_any (*getitem)(gd_vm *, gd_any, gd_any);
    GD_SLOT(gd_class_of(v), getitem, getitem);
    if (getitem) return getitem(vm, v, index);
    if (v.tag == GD_A_CLASS)
        return gd_raise(vm, &gd_class_TypeError, "type '%s' is not subscriptable", v.u.class->name);
    return gd_raise(vm, &gd_class_TypeError, "'%s' object is not subscriptable", gd_class_label(v));
}

bool gd_set_item(gd_vm *vm, gd_any v, gd_any index, gd_any value) {
    bool (*setitem)(gd_vm *, gd_any, gd_any, gd_any);
    GD_SLOT(gd_class_of(v), setitem, setitem);
    if (setitem) return setitem(vm, v, index, value);
    /* Python's own two spellings: it has one for sequences, one for all else, when an item is deleted. */
    const char *no = !gd_is_nil(value)                ? "does not support item assignment"
                     : gd_is_tuple(v) || gd_is_str(v) ? "doesn't support item deletion"
                                                      : "does not support item deletion";
    gd_raise(vm, &gd_class_TypeError, "'%s' object %s", gd_class_label(v), no);
    return false;
}

int64_t gd_length(gd_vm *vm, gd_any v) {
    int64_t (*len)(gd_vm *, gd_any);
    GD_SLOT(gd_class_of(v), len, len);
    if (len) return len(vm, v);
    gd_raise(vm, &gd_class_TypeError, "object of type '%s' has no len()", gd_class_label(v));
    return -1;
}

gd_any gd_iterate(gd_vm *vm, gd_any v) {
    gd_any (*iter)(gd_vm *, gd_any);
    GD_SLOT(gd_class_of(v), iter, iter);
    if (iter) return iter(vm, v);
    return gd_raise(vm, &gd_class_TypeError, "'%s' object is not iterable", gd_class_label(v));
}

int gd_next(gd_vm *vm, gd_any iterator, gd_any *out) {
    int (*next)(gd_vm *, gd_any, gd_any *);
    GD_SLOT(gd_class_of(iterator), next, next);
    if (next) return next(vm, iterator, out);
    gd_raise(vm, &gd_class_TypeError, "'%s' object is not an iterator", gd_class_label(iterator));
    return -1;
}

/* ---- texts ---- */

static gd_any text_of(gd_vm *vm, gd_any v, gd_any (*slot)(gd_vm *, gd_any)) {
    if (slot) return slot(vm, v);
    return gd_str_printf(vm, "<%s object at %p>", gd_class_of(v)->name, (void *)v.u.object);
}

gd_any gd_repr_of(gd_vm *vm, gd_any v) {
    gd_any (*repr)(gd_vm *, gd_any);
    GD_SLOT(gd_class_of(v), repr, repr);
    return text_of(vm, v, repr);
}

/* The nearest class that says how its instances print decides, by str before repr. */
gd_any gd_str_of(gd_vm *vm, gd_any v) {
    if (gd_is_str(v)) return gd_keep(v);
    for (const gd_class *c = gd_class_of(v); c; c = c->base) {
        if (c->str) return c->str(vm, v);
        if (c->repr) return c->repr(vm, v);
    }
    return text_of(vm, v, NULL);
}

int gd_repr_enter(gd_vm *vm, gd_nest *nest, gd_any v) {
    gd_nest **top = gd_heap_nest(gd_vm_heap(vm));
    for (const gd_nest *n = *top; n; n = n->outer)
        if (n->object == v.u.object) return 0;
    if (!gd_deeper(vm)) {
        if (!vm->passed)
            gd_raise(vm, &gd_class_RecursionError,
                     "maximum recursion depth exceeded while getting the repr of an object");
        return -1;
    }
    *nest = (gd_nest){.object = v.u.object, .outer = *top};
    *top = nest;
    return 1;
}

void gd_repr_leave(gd_vm *vm, gd_nest *nest) {
    *gd_heap_nest(gd_vm_heap(vm)) = nest->outer;
    gd_shallower(vm);
}

bool gd_repr_items(gd_vm *vm, gd_buffer *b, const gd_any *items, size_t n) {
    if (!gd_work(vm, n)) return false;
    for (size_t i = 0; i < n && !b->failed; i++) {
        if (i) gd_buffer_put(b, ", ", 2);
        gd_buffer_any(b, gd_repr_of(vm, items[i]));
    }
    return !b->failed;
}

/* ---- calls and numbers ---- */

gd_any gd_call_1(gd_vm *vm, gd_any f, gd_any a) {
    const gd_args args = {.v = &a, .npos = 1};
    return gd_call_any(vm, f, &args);
}

bool gd_is_callable(gd_any v) {
    if (v.tag == GD_A_CLASS || v.tag == GD_A_NATIVE || v.tag == GD_A_OP) return true;
    gd_any (*call)(gd_vm *, gd_any, const gd_args *);
    GD_SLOT(gd_class_of(v), call, call);
    return call != NULL;
}

/* The one element of a tensor; false if it has not just one (with no exception). */
static bool tensor_item(gd_vm *vm, gd_any v, gd_value *out) {
    gd_trace_read(vm->ctx, v.u.tensor, "a number taken out");
    return gd_numel(v.u.tensor) == 1 && gd_item(vm->ctx, v.u.tensor, out) == GD_OK;
}

bool gd_to_index(gd_vm *vm, gd_any v, int64_t *out) {
    if (v.tag == GD_A_INT || v.tag == GD_A_BOOL) {
        *out = v.u.i;
        return true;
    }
    if (v.tag != GD_A_TENSOR) {
        gd_raise(vm, &gd_class_TypeError, "'%s' object cannot be interpreted as an integer", gd_class_label(v));
        return false;
    }
    gd_value item;
    if (tensor_item(vm, v, &item) && (item.kind == GD_V_INT || item.kind == GD_V_BOOL)) {
        *out = item.kind == GD_V_INT ? item.u.integer : item.u.boolean;
        return true;
    }
    gd_raise(vm, &gd_class_TypeError, "only integer tensors of a single element can be converted to an index");
    return false;
}

bool gd_to_real(gd_vm *vm, gd_any v, double *out) {
    gd_value item;
    if (v.tag == GD_A_FLOAT) {
        *out = v.u.f;
    } else if (v.tag == GD_A_INT || v.tag == GD_A_BOOL) {
        *out = (double)v.u.i;
    } else if (v.tag != GD_A_TENSOR) {
        gd_raise(vm, &gd_class_TypeError, "must be real number, not %s", gd_class_label(v));
        return false;
    } else if (gd_item(vm->ctx, v.u.tensor, &item) != GD_OK) {
        gd_raise_engine(vm);
        return false;
    } else {
        *out = item.kind == GD_V_FLOAT ? item.u.real : item.kind == GD_V_INT ? (double)item.u.integer : item.u.boolean;
    }
    return true;
}
