/* torch_convert.c: values of programs as arguments of ops, and results of ops as values of programs. */
#include <stdlib.h>
#include <string.h>

#include "core/program/torch_ops.h"

/* ---- memory of one conversion ------------------------------------------------------------------- */

struct gd_room_block {
    gd_room_block *next;
    size_t bytes;
};

void *gd_room_alloc(gd_room *room, size_t count, size_t size) {
    size_t bytes;
    if (!gd_mul_size(count ? count : 1, size, &bytes) || !gd_add_size(bytes, 15, &bytes)) {
        gd_vm_no_memory(room->vm);
        return NULL;
    }
    bytes &= ~(size_t)15;
    if (bytes <= sizeof room->first - room->used) {
        room->used += bytes;
        return room->first + room->used - bytes;
    }
    gd_room_block *block = NULL;
    if (gd_add_size(bytes, sizeof *block, &bytes)) block = gd_heap_alloc(gd_vm_heap(room->vm), bytes);
    if (!block) {
        gd_vm_no_memory(room->vm);
        return NULL;
    }
    *block = (gd_room_block){.next = room->blocks, .bytes = bytes};
    room->blocks = block;
    return block + 1;
}

void gd_room_clear(gd_room *room) {
    while (room->blocks) {
        gd_room_block *next = room->blocks->next;
        gd_heap_free(gd_vm_heap(room->vm), room->blocks, room->blocks->bytes);
        room->blocks = next;
    }
}

/* ---- to the engine ------------------------------------------------------------------------------- */

static bool convert(gd_room *room, gd_any v, int depth, gd_value *out);

static bool fail_deep(gd_room *room) {
    gd_raise(room->vm, &gd_class_ValueError, "too many dimensions 'list'");
    return false;
}

/* Recursion is bounded: no tensor has more than GD_MAX_DIMS dimensions. */
static bool convert_items(gd_room *room, const gd_any *items, size_t n, int depth, gd_value *out) {
    if (depth > GD_MAX_DIMS + 1) return fail_deep(room);
    if (n > UINT32_MAX || !gd_work(room->vm, n / 8)) {
        if (!gd_pending(room->vm)) gd_vm_no_memory(room->vm);
        return false;
    }
    gd_value *list = gd_room_alloc(room, n, sizeof *list);
    if (!list) return false;
    for (size_t i = 0; i < n; i++)
        if (!convert(room, items[i], depth + 1, &list[i])) return false;
    *out = (gd_value){.kind = GD_V_LIST, .n = (uint32_t)n, .u.list = list};
    return true;
}

static bool convert_range(gd_room *room, const gd_range *r, gd_value *out) {
    if (r->n > UINT32_MAX) return gd_vm_no_memory(room->vm), false;
    gd_value *list = gd_work(room->vm, (uint64_t)r->n) ? gd_room_alloc(room, (size_t)r->n, sizeof *list) : NULL;
    if (!list) return false;
    for (int64_t i = 0; i < r->n; i++) list[i] = GD_INT_VALUE(r->start + i * r->step);
    *out = (gd_value){.kind = GD_V_LIST, .n = (uint32_t)r->n, .u.list = list};
    return true;
}

static bool convert_slice(gd_room *room, const gd_slice_object *s, gd_value *out) {
    gd_value *parts = gd_room_alloc(room, 3, sizeof *parts);
    if (!parts) return false;
    const gd_any from[] = {s->start, s->stop, s->step};
    for (int i = 0; i < 3; i++) {
        int64_t whole;
        parts[i] = GD_NONE_VALUE;
        if (gd_is_none(from[i])) continue;
        bool exact = from[i].tag == GD_A_INT || from[i].tag == GD_A_BOOL || from[i].tag == GD_A_TENSOR;
        if (!exact || !gd_to_index(room->vm, from[i], &whole)) {
            gd_raise(room->vm, &gd_class_TypeError,
                     "slice indices must be integers or None or have an __index__ method");
            return false;
        }
        parts[i] = GD_INT_VALUE(whole);
    }
    *out = (gd_value){.kind = GD_V_SLICE, .n = 3, .u.list = parts};
    return true;
}

static gd_value other(gd_any v) { return (gd_value){.kind = GD_V_OTHER, .u.str = gd_class_label(v)}; }

static bool convert_object(gd_room *room, gd_any v, int depth, gd_value *out) {
    const gd_any *items;
    size_t n;
    const gd_class *c = v.u.object->class;
    if (gd_items(v, &items, &n)) return convert_items(room, items, n, depth, out);
    if (c == &gd_class_str)
        *out = GD_STR_VALUE(gd_as_str(v)->text);
    else if (c == &gd_class_range)
        return convert_range(room, (const gd_range *)v.u.object, out);
    else if (c == &gd_class_slice)
        return convert_slice(room, (const gd_slice_object *)v.u.object, out);
    else if (c == &gd_class_device)
        *out = GD_STR_VALUE("cpu");
    else if (c == &gd_class_layout)
        *out = GD_STR_VALUE("torch.strided");
    else
        *out = other(v);
    return true;
}

static bool convert(gd_room *room, gd_any v, int depth, gd_value *out) {
    gd_dtype dtype;
    switch ((gd_tag)v.tag) {
    case GD_A_NONE: *out = GD_NONE_VALUE; return true;
    case GD_A_ELLIPSIS: *out = (gd_value){.kind = GD_V_ELLIPSIS}; return true;
    case GD_A_BOOL: *out = GD_BOOL_VALUE(v.u.i != 0); return true;
    case GD_A_INT: *out = GD_INT_VALUE(v.u.i); return true;
    case GD_A_FLOAT: *out = GD_FLOAT_VALUE(v.u.f); return true;
    case GD_A_DTYPE: *out = GD_DTYPE_VALUE((gd_dtype)v.u.i); return true;
    case GD_A_TENSOR: *out = GD_TENSOR_VALUE(v.u.tensor); return true;
    case GD_A_CLASS: *out = gd_as_dtype_value(v, &dtype) ? GD_DTYPE_VALUE(dtype) : other(v); return true;
    case GD_A_OBJECT: return convert_object(room, v, depth, out);
    case GD_A_NIL:
    case GD_A_NOTIMPLEMENTED:
    case GD_A_NATIVE:
    case GD_A_OP:
    case GD_A_NODE: break;
    }
    *out = other(v);
    return true;
}

bool gd_to_value(gd_room *room, gd_any v, gd_value *out) { return convert(room, v, 0, out); }

/* ---- from the engine ------------------------------------------------------------------------------ */

static gd_any entry_of(gd_vm *vm, const gd_value *v, uint32_t i) {
    switch (v->kind) {
    case GD_V_INTS: return GD_ANY_INT(v->u.ints[i]);
    case GD_V_FLOATS: return GD_ANY_FLOAT(v->u.floats[i]);
    case GD_V_TENSORS: return v->u.tensors[i] ? GD_ANY_TENSOR(gd_retain(v->u.tensors[i])) : GD_ANY_NONE;
    default: return gd_from_plain(vm, &v->u.list[i]);
    }
}

/* Lists of the engine are one level deep. */
static gd_any tuple_from(gd_vm *vm, const gd_value *v) {
    gd_any tuple = gd_tuple_new(vm, &gd_class_tuple, v->n);
    if (gd_is_nil(tuple)) return tuple;
    for (uint32_t i = 0; i < v->n; i++) {
        gd_any entry = entry_of(vm, v, i);
        if (gd_is_nil(entry)) {
            gd_drop(gd_vm_heap(vm), tuple);
            return GD_NIL;
        }
        ((gd_tuple *)tuple.u.object)->items[i] = entry;
    }
    return tuple;
}

gd_any gd_from_plain(gd_vm *vm, const gd_value *v) {
    switch (v->kind) {
    case GD_V_BOOL: return GD_ANY_BOOL(v->u.boolean);
    case GD_V_INT: return GD_ANY_INT(v->u.integer);
    case GD_V_FLOAT: return GD_ANY_FLOAT(v->u.real);
    case GD_V_DTYPE: return GD_ANY_DTYPE((int64_t)v->u.dtype);
    case GD_V_STR: return gd_str_c(vm, v->u.str);
    case GD_V_TENSOR: return v->u.tensor ? GD_ANY_TENSOR(gd_retain(v->u.tensor)) : GD_ANY_NONE;
    case GD_V_INTS:
    case GD_V_FLOATS:
    case GD_V_TENSORS:
    case GD_V_LIST: return tuple_from(vm, v);
    case GD_V_ELLIPSIS: return ((gd_any){.tag = GD_A_ELLIPSIS});
    case GD_V_NONE:
    case GD_V_SLICE:
    case GD_V_OTHER: break;
    }
    return GD_ANY_NONE;
}

static gd_any tensors_of(gd_vm *vm, int row, gd_result *result) {
    const gd_class *class = gd_row_class(row);
    gd_any tuple = gd_tuple_new(vm, class ? class : &gd_class_tuple, result->n);
    if (gd_is_nil(tuple)) return tuple;
    gd_any *items = ((gd_tuple *)tuple.u.object)->items;
    for (uint32_t i = 0; i < result->n; i++) {
        if (result->outputs[i]) items[i] = GD_ANY_TENSOR(result->outputs[i]);
        result->outputs[i] = NULL;
    }
    return tuple;
}

gd_any gd_from_result(gd_vm *vm, int row, gd_result *result) {
    gd_any v;
    if (result->has_value || result->n == 0) {
        v = gd_from_plain(vm, &result->value);
    } else if (result->is_list) {
        v = tensors_of(vm, row, result);
    } else {
        v = result->outputs[0] ? GD_ANY_TENSOR(result->outputs[0]) : GD_ANY_NONE;
        result->outputs[0] = NULL;
    }
    gd_result_clear(result);
    return v;
}
