/* torch_index.c: x[…] and x[…] = … of tensors: Python's indices as the engine takes them. */
#include "core/program/torch_ops.h"

/* A subscript on its way to the engine. Lists become index tensors, which are held here. */
typedef struct subscript {
    gd_room room;
    gd_value *entries;
    size_t n;
    size_t mark; /* of the context's pool, where tensors made of lists lie */
} subscript;

static bool fail_kind(gd_vm *vm, gd_any v) {
    gd_raise(
        vm, &gd_class_IndexError,
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got %s)",
        gd_class_label(v));
    return false;
}

/* A nested list of numbers, as torch.tensor reads it; an empty one takes nothing. */
static bool index_tensor(subscript *s, gd_any v, gd_value *out) {
    gd_ctx *ctx = s->room.vm->ctx;
    const gd_dtype whole = GD_INT64;
    gd_value list;
    if (!gd_to_value(&s->room, v, &list)) return false;
    bool empty = list.kind == GD_V_LIST && list.n == 0;
    gd_tensor *t = gd_pool_add(ctx, gd_from_value(ctx, &list, empty ? &whole : NULL, false));
    if (!t) {
        gd_raise_engine(s->room.vm);
        return false;
    }
    *out = GD_TENSOR_VALUE(t);
    return true;
}

static bool convert_entry(subscript *s, gd_any v, gd_value *out) {
    const gd_any *items;
    size_t n;
    switch ((gd_tag)v.tag) {
    case GD_A_NONE:
    case GD_A_ELLIPSIS:
    case GD_A_BOOL:
    case GD_A_INT:
    case GD_A_TENSOR: return gd_to_value(&s->room, v, out);
    case GD_A_OBJECT:
        if (gd_is(v, &gd_class_slice)) return gd_to_value(&s->room, v, out);
        if (gd_items(v, &items, &n) || gd_is(v, &gd_class_range)) return index_tensor(s, v, out);
        if (gd_is_str(v)) {
            gd_raise(s->room.vm, &gd_class_TypeError, "new(): invalid data type 'str'");
            return false;
        }
        break;
    default: break;
    }
    return fail_kind(s->room.vm, v);
}

/* PyTorch takes a short list that holds slices, None, … or sequences for a tuple of indices. */
static bool list_is_tuple(const gd_any *items, size_t n) {
    if (n >= 32) return false;
    for (size_t i = 0; i < n; i++) {
        const gd_any *inner;
        size_t count;
        if (items[i].tag == GD_A_NONE || items[i].tag == GD_A_ELLIPSIS || gd_is(items[i], &gd_class_slice)) return true;
        if (items[i].tag == GD_A_TENSOR || gd_items(items[i], &inner, &count)) return true;
    }
    return false;
}

static bool convert_index(subscript *s, gd_any index) {
    const gd_any *items = &index;
    gd_vm *vm = s->room.vm;
    size_t n;
    bool several = gd_items(index, &items, &n) && (gd_is_tuple(index) || list_is_tuple(items, n));
    if (!several) {
        items = &index;
        n = 1;
    }
    if (n > 2 * GD_MAX_DIMS) {
        gd_raise(vm, &gd_class_IndexError, "too many indices for tensor of dimension %d", GD_MAX_DIMS);
        return false;
    }
    if (!(s->entries = gd_room_alloc(&s->room, n, sizeof *s->entries))) return false;
    for (s->n = 0; s->n < n; s->n++)
        if (!convert_entry(s, items[s->n], &s->entries[s->n])) return false;
    return true;
}

static bool begin(subscript *s, gd_vm *vm, gd_any index) {
    s->room.vm = vm;
    s->room.blocks = NULL;
    s->room.used = 0;
    s->mark = gd_pool_mark(vm->ctx);
    return convert_index(s, index);
}

static void end(subscript *s) {
    gd_pool_release(s->room.vm->ctx, s->mark);
    gd_room_clear(&s->room);
}

static gd_value list_of(const gd_value *entries, size_t n) {
    return (gd_value){.kind = GD_V_LIST, .n = (uint32_t)n, .u.list = entries};
}

gd_any gd_tensor_get_item(gd_vm *vm, gd_tensor *t, gd_any index) {
    gd_tensor *r = NULL;
    if (index.tag == GD_A_INT) { /* the most frequent index needs no memory */
        const gd_value one = GD_INT_VALUE(index.u.i);
        r = gd_do(vm->ctx, GD_OP_getitem, (const gd_value[]){GD_TENSOR_VALUE(t), list_of(&one, 1)}, 2);
        return gd_new_tensor(vm, r);
    }
    subscript s;
    bool good = begin(&s, vm, index);
    if (good) r = gd_do(vm->ctx, GD_OP_getitem, (const gd_value[]){GD_TENSOR_VALUE(t), list_of(s.entries, s.n)}, 2);
    end(&s);
    return good ? gd_new_tensor(vm, r) : GD_NIL;
}

/* The value assigned as tensor: a number is wrapped into *made. */
static gd_tensor *assigned(gd_vm *vm, gd_tensor *t, gd_any value, gd_tensor **made) {
    *made = NULL;
    if (value.tag == GD_A_TENSOR) return value.u.tensor;
    if (!gd_is_number(value)) {
        gd_raise(vm, &gd_class_TypeError, "can't assign a %s to a torch.%s", gd_class_label(value),
                 gd_dtype_legacy_name(gd_dtype_of(t)));
        return NULL;
    }
    *made = gd_wrapped_number(vm->ctx, value);
    if (!*made) gd_raise_engine(vm);
    return *made;
}

bool gd_tensor_set_item(gd_vm *vm, gd_tensor *t, gd_any index, gd_any value) {
    gd_tensor *made, *source, *r = NULL;
    subscript s;
    if (gd_is_nil(value)) {
        gd_raise(vm, &gd_class_TypeError, "Tensor does not support deleting items");
        return false;
    }
    bool good = begin(&s, vm, index);
    if (good && (source = assigned(vm, t, value, &made))) {
        const gd_value args[] = {GD_TENSOR_VALUE(t), list_of(s.entries, s.n), GD_TENSOR_VALUE(source)};
        r = gd_do(vm->ctx, GD_OP_setitem, args, 3);
        if (!r) gd_raise_engine(vm);
        gd_release(made);
    }
    end(&s);
    gd_release(r);
    return r != NULL;
}
