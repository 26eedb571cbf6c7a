/* natives.c: what built-ins written in C share: arguments, temporaries, formulas over tensors. */
#include "core/program/natives.h"

#include <stdio.h>
#include <string.h>

/* ---- arguments ------------------------------------------------------------------------------- */

static int find_argument(const gd_argument *wanted, int n, const gd_str *name) {
    for (int i = 0; i < n; i++)
        if (gd_str_is(name, wanted[i].name)) return i;
    return -1;
}

static bool bind_keywords(gd_vm *vm, const char *function, const gd_argument *wanted, int n, const gd_args *args,
                          gd_any *out) {
    for (uint32_t k = 0; k < args->nkw; k++) {
        int at = find_argument(wanted, n, args->names[k]);
        if (at < 0) {
            gd_raise(vm, &gd_class_TypeError, "%s() got an unexpected keyword argument '%s'", function,
                     args->names[k]->text);
            return false;
        }
        if (!gd_is_nil(out[at])) {
            gd_raise(vm, &gd_class_TypeError, "%s() got multiple values for argument '%s'", function, wanted[at].name);
            return false;
        }
        out[at] = args->v[args->npos + k];
    }
    return true;
}

static bool too_many(gd_vm *vm, const char *function, const gd_argument *wanted, int positional, uint32_t given) {
    int least = 0;
    while (least < positional && gd_is_nil(wanted[least].value)) least++;
    const char *were = given == 1 ? "was" : "were";
    if (least < positional)
        gd_raise(vm, &gd_class_TypeError, "%s() takes from %d to %d positional arguments but %u %s given", function,
                 least, positional, given, were);
    else
        gd_raise(vm, &gd_class_TypeError, "%s() takes %d positional argument%s but %u %s given", function, positional,
                 positional == 1 ? "" : "s", given, were);
    return false;
}

/* Python's list of what is missing: 'a' / 'a' and 'b' / 'a', 'b', and 'c'. */
static bool missing(gd_vm *vm, const char *function, const gd_argument *wanted, int from, int to, const gd_any *out,
                    const char *kind) {
    const char *names[GD_MOST_ARGUMENTS];
    int n = 0;
    for (int i = from; i < to; i++)
        if (gd_is_nil(out[i]) && gd_is_nil(wanted[i].value)) names[n++] = wanted[i].name;
    if (!n) return true;
    gd_buffer list = {.vm = vm};
    for (int i = 0; i < n; i++) {
        if (i) gd_buffer_c(&list, i + 1 < n ? ", " : n > 2 ? ", and " : " and ");
        gd_buffer_c(&list, "'");
        gd_buffer_c(&list, names[i]);
        gd_buffer_c(&list, "'");
    }
    gd_any text = gd_buffer_str(&list);
    if (gd_is_nil(text)) return false;
    gd_raise(vm, &gd_class_TypeError, "%s() missing %d required %s argument%s: %s", function, n, kind,
             n == 1 ? "" : "s", gd_as_str(text)->text);
    gd_drop(gd_vm_heap(vm), text);
    return false;
}

bool gd_bind_arguments(gd_vm *vm, const char *function, const gd_argument *wanted, int n, const gd_args *args,
                       gd_any *out) {
    int positional = 0;
    while (positional < n && !wanted[positional].keyword_only) positional++;
    for (int i = 0; i < n; i++) out[i] = i < positional && (uint32_t)i < args->npos ? args->v[i] : GD_NIL;
    if (!bind_keywords(vm, function, wanted, n, args, out)) return false;
    if (args->npos > (uint32_t)positional) return too_many(vm, function, wanted, positional, args->npos);
    if (!missing(vm, function, wanted, 0, positional, out, "positional") ||
        !missing(vm, function, wanted, positional, n, out, "keyword-only"))
        return false;
    for (int i = 0; i < n; i++)
        if (gd_is_nil(out[i])) out[i] = wanted[i].value;
    return true;
}

bool gd_bind_init(gd_vm *vm, const char *function, const gd_argument *wanted, int n, const gd_args *args, gd_any *out) {
    gd_hold hold = {.vm = vm};
    size_t given = (size_t)args->npos + args->nkw;
    gd_any *v = gd_hold_bytes(&hold, given + 1, sizeof *v);
    if (!v) return false;
    v[0] = GD_ANY_NONE;
    if (given) memcpy(v + 1, args->v, given * sizeof *v);
    gd_args whole = {.v = v, .npos = args->npos + 1, .nkw = args->nkw, .names = args->names};
    bool bound = gd_bind_arguments(vm, function, wanted, n, &whole, out);
    gd_hold_end(&hold);
    return bound;
}

/* ---- temporaries ----------------------------------------------------------------------------- */

static bool grow_hold(gd_hold *hold) {
    gd_heap *heap = gd_vm_heap(hold->vm);
    size_t capacity = hold->capacity ? 2 * hold->capacity : 16;
    gd_any *items = gd_heap_resize(heap, hold->items, hold->capacity * sizeof *items, capacity * sizeof *items);
    if (!items) return gd_vm_no_memory(hold->vm), false;
    hold->items = items;
    hold->capacity = capacity;
    return true;
}

gd_any gd_hold_any(gd_hold *hold, gd_any v) {
    if (v.tag < GD_A_TENSOR) return v;
    if (hold->n == hold->capacity && !grow_hold(hold)) {
        gd_drop(gd_vm_heap(hold->vm), v);
        return GD_NIL;
    }
    hold->items[hold->n++] = v;
    return v;
}

gd_tensor *gd_hold_tensor(gd_hold *hold, gd_tensor *t) {
    if (!t) {
        if (!gd_pending(hold->vm)) gd_raise_engine(hold->vm);
        return NULL;
    }
    return gd_is_nil(gd_hold_any(hold, GD_ANY_TENSOR(t))) ? NULL : t;
}

struct gd_hold_block {
    struct gd_hold_block *next;
    size_t bytes;
    _Alignas(16) char data[];
};

void *gd_hold_bytes(gd_hold *hold, size_t count, size_t bytes) {
    size_t all;
    struct gd_hold_block *block = NULL;
    if (gd_mul_size(count, bytes, &all) && gd_add_size(all, sizeof *block, &all))
        block = gd_heap_alloc(gd_vm_heap(hold->vm), all);
    if (!block) return gd_vm_no_memory(hold->vm), NULL;
    memset(block, 0, all);
    block->bytes = all;
    block->next = hold->blocks;
    hold->blocks = block;
    return block->data;
}

void gd_hold_back(gd_hold *hold, size_t mark) {
    while (hold->n > mark) gd_drop(gd_vm_heap(hold->vm), hold->items[--hold->n]);
}

void gd_hold_end(gd_hold *hold) {
    gd_hold_back(hold, 0);
    if (hold->items) gd_heap_free(gd_vm_heap(hold->vm), hold->items, hold->capacity * sizeof *hold->items);
    hold->items = NULL;
    hold->capacity = 0;
    while (hold->blocks) {
        struct gd_hold_block *next = hold->blocks->next;
        gd_heap_free(gd_vm_heap(hold->vm), hold->blocks, hold->blocks->bytes);
        hold->blocks = next;
    }
}

/* ---- formulas -------------------------------------------------------------------------------- */

static bool whole(const gd_value *args, int nargs) {
    for (int i = 0; i < nargs; i++)
        if (args[i].kind == GD_V_TENSOR && !args[i].u.tensor) return false;
    return true;
}

gd_tensor *gd_formula(gd_hold *hold, gd_op_id id, const gd_value *args, int nargs) {
    if (!whole(args, nargs) || !gd_work(hold->vm, 1)) return NULL;
    return gd_hold_tensor(hold, gd_do(hold->vm->ctx, id, args, nargs));
}

gd_tensor *gd_formula_inplace(gd_hold *hold, gd_op_id id, const gd_value *args, int nargs) {
    if (!whole(args, nargs) || !gd_work(hold->vm, 1)) return NULL;
    if (gd_do_inplace(hold->vm->ctx, id, args, nargs) == GD_OK) return args[0].u.tensor;
    gd_raise_engine(hold->vm);
    return NULL;
}

gd_tensor *gd_wrapped(gd_hold *hold, double v) {
    gd_tensor *t = gd_hold_tensor(hold, gd_scalar_f64(hold->vm->ctx, v, GD_FLOAT64));
    if (t) t->flags |= GD_F_WRAPPED_NUMBER;
    return t;
}

/* ---- reading values -------------------------------------------------------------------------- */

const char *gd_type_name(gd_any v) {
    const char *name = gd_class_of(v)->name, *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

const char *gd_type_text(gd_any v, char buf[128]) {
    snprintf(buf, 128, "<class '%s'>", gd_class_of(v)->name);
    return buf;
}

gd_any gd_tuple_or_one(gd_vm *vm, gd_any v) { return gd_is_tensor(v) ? gd_tuple_of(vm, 1, &v) : gd_tuple_from(vm, v); }

gd_any gd_entry(gd_any sequence, size_t i) {
    const gd_any *items = NULL;
    size_t n = 0;
    return gd_items(sequence, &items, &n) && i < n ? items[i] : GD_NIL;
}

size_t gd_entries(gd_any sequence) {
    const gd_any *items;
    size_t n = 0;
    return gd_items(sequence, &items, &n) ? n : 0;
}

gd_tensor **gd_tensor_array(gd_hold *hold, gd_any tuple) {
    size_t n = gd_entries(tuple);
    gd_tensor **out = gd_hold_bytes(hold, n + 1, sizeof(gd_tensor *));
    for (size_t i = 0; out && i < n; i++) {
        gd_any v = gd_entry(tuple, i);
        if (gd_is_tensor(v)) out[i] = v.u.tensor;
    }
    return out;
}

gd_any gd_tensor_tuple(gd_vm *vm, gd_tensor *const *tensors, size_t n) {
    gd_any tuple = gd_tuple_new(vm, &gd_class_tuple, n);
    for (size_t i = 0; i < n; i++) {
        if (gd_is_nil(tuple))
            gd_release(tensors[i]);
        else if (tensors[i])
            ((gd_tuple *)tuple.u.object)->items[i] = GD_ANY_TENSOR(tensors[i]);
    }
    return tuple;
}

gd_any gd_call_tuple(gd_vm *vm, gd_any f, gd_any args) {
    const gd_any *items = NULL;
    size_t n = 0;
    gd_items(args, &items, &n);
    return gd_call_any(vm, f, &(gd_args){.v = items, .npos = (uint32_t)n});
}
