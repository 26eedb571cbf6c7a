/* torch_tensor.c: tensors as values: texts, truth, length, iteration, membership. Their attributes are in
 * tensor_attributes.c, their methods in tensor_methods.c, subscripts in torch_index.c, operators in torch_operators.c.
 */
#include <stdlib.h>
#include <string.h>

#include "core/plan/trace.h"
#include "core/program/torch_ops.h"

gd_any gd_new_tensor(gd_vm *vm, gd_tensor *t) { return t ? GD_ANY_TENSOR(t) : gd_raise_engine(vm); }

/* ---- texts ---------------------------------------------------------------------------------------- */

gd_any gd_tensor_repr(gd_vm *vm, gd_tensor *t) {
    char *text = gd_repr(vm->ctx, t);
    if (!text) return gd_raise_engine(vm);
    gd_any s = gd_str_c(vm, text);
    free(text);
    return s;
}

static gd_any tensor_repr(gd_vm *vm, gd_any self) { return gd_tensor_repr(vm, self.u.tensor); }

/* ---- numbers --------------------------------------------------------------------------------------- */

gd_any gd_tensor_item(gd_vm *vm, gd_tensor *t) {
    gd_value v;
    if (gd_item(vm->ctx, t, &v)) return gd_raise_engine(vm);
    return gd_from_plain(vm, &v);
}

int gd_tensor_truth(gd_vm *vm, gd_tensor *t) {
    if (gd_numel(t) != 1) {
        gd_raise(vm, &gd_class_RuntimeError, "Boolean value of Tensor with %s is ambiguous",
                 gd_numel(t) ? "more than one value" : "no values");
        return -1;
    }
    gd_trace_read(vm->ctx, t, "bool()");
    return gd_load_f64(gd_dtype_of(t), t->data) != 0;
}

static int tensor_truth(gd_vm *vm, gd_any self) { return gd_tensor_truth(vm, self.u.tensor); }

/* ---- as a sequence ----------------------------------------------------------------------------------- */

static int64_t tensor_len(gd_vm *vm, gd_any self) {
    if (gd_ndim(self.u.tensor) > 0) return gd_sizes(self.u.tensor)[0];
    gd_raise(vm, &gd_class_TypeError, "len() of a 0-d tensor");
    return -1;
}

/* iter(x) is iter(x.unbind(0)): views, made all at once. */
static gd_any tensor_iter(gd_vm *vm, gd_any self) {
    gd_result result;
    if (gd_ndim(self.u.tensor) == 0) return gd_raise(vm, &gd_class_TypeError, "iteration over a 0-d tensor");
    if (!gd_room_for_tensors(vm, gd_sizes(self.u.tensor)[0])) return GD_NIL;
    const gd_value args[] = {GD_TENSOR_VALUE(self.u.tensor), GD_INT_VALUE(0)};
    if (gd_do_all(vm->ctx, GD_OP_unbind, args, 2, &result)) return gd_raise_engine(vm);
    gd_any views = gd_from_result(vm, GD_OP_unbind, &result);
    gd_any iterator = gd_is_nil(views) ? views : gd_iterate(vm, views);
    gd_drop(gd_vm_heap(vm), views);
    return iterator;
}

/* (item == self).any() */
static int tensor_contains(gd_vm *vm, gd_any self, gd_any item) {
    if (item.tag != GD_A_TENSOR && !gd_is_number(item)) {
        gd_raise(vm, &gd_class_RuntimeError,
                 "Tensor.__contains__ only supports Tensor or scalar, but you passed in a <class '%s'>.",
                 gd_class_of(item)->name);
        return -1;
    }
    gd_any equal = gd_tensor_binary(vm, GD_PY_EQ, item, self, false);
    if (gd_is_nil(equal)) return -1;
    gd_tensor *any = gd_do(vm->ctx, GD_OP_any, (const gd_value[]){GD_TENSOR_VALUE(equal.u.tensor)}, 1);
    gd_release(equal.u.tensor);
    if (!any) gd_raise_engine(vm);
    int truth = any ? gd_tensor_truth(vm, any) : -1;
    gd_release(any);
    return truth;
}

static gd_any tensor_getitem(gd_vm *vm, gd_any self, gd_any index) {
    return gd_tensor_get_item(vm, self.u.tensor, index);
}

static bool tensor_setitem(gd_vm *vm, gd_any self, gd_any index, gd_any value) {
    return gd_tensor_set_item(vm, self.u.tensor, index, value);
}

/* ---- tolist -------------------------------------------------------------------------------------------- */

static gd_any element(gd_dtype dtype, const char *p) {
    if (gd_dtype_is_float(dtype)) return GD_ANY_FLOAT(gd_load_f64(dtype, p));
    int64_t v = gd_load_i64(dtype, p);
    return dtype == GD_BOOL ? GD_ANY_BOOL(v) : GD_ANY_INT(v);
}

/* Dimension d of t at p as nested lists; GD_MAX_DIMS bounds the recursion. */
static gd_any nested(gd_vm *vm, const gd_tensor *t, int d, const char *p) {
    gd_dtype dtype = gd_dtype_of(t);
    if (d == t->ndim) return element(dtype, p);
    int64_t n = t->sizes[d], step = GD_STRIDES(t)[d] * (int64_t)gd_dtype_bytes(dtype);
    gd_any list = gd_work(vm, (uint64_t)n + 1) ? gd_list_new(vm, (size_t)n) : GD_NIL;
    for (int64_t i = 0; i < n && !gd_is_nil(list); i++) {
        gd_any entry = nested(vm, t, d + 1, p + i * step);
        if (!gd_is_nil(entry) && gd_list_append(vm, (gd_list *)list.u.object, entry)) continue;
        gd_drop(gd_vm_heap(vm), list);
        return GD_NIL;
    }
    return list;
}

gd_any gd_tensor_tolist(gd_vm *vm, const gd_tensor *t) {
    gd_trace_read(vm->ctx, t, "tolist()");
    return nested(vm, t, 0, t->data);
}

/* ---- the class ------------------------------------------------------------------------------------------ */

static gd_any tensor_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const gd_tensor_attribute *a = gd_tensor_attribute_find(name); /* methods were looked for before */
    return a ? a->get(vm, self.u.tensor) : GD_NIL;
}

static bool tensor_setattr(gd_vm *vm, gd_any self, gd_str *name, gd_any value) {
    const gd_tensor_attribute *a = gd_tensor_attribute_find(name);
    if (a && a->set) return a->set(vm, self.u.tensor, value);
    if (a)
        gd_raise(vm, &gd_class_AttributeError, "attribute '%s' of 'torch._C._TensorBase' objects is not writable",
                 name->text);
    else if (gd_is_nil(value))
        gd_raise(vm, &gd_class_AttributeError, "'Tensor' object has no attribute '%s'", name->text);
    else
        gd_raise(vm, &gd_class_AttributeError, "tensors keep no attributes of a program's own here: '%s'", name->text);
    return false;
}

const gd_class gd_class_tensor = {
    .name = "torch.Tensor",
    .make = gd_legacy_make,
    .repr = tensor_repr,
    .getattr = tensor_getattr,
    .setattr = tensor_setattr,
    .iter = tensor_iter,
    .len = tensor_len,
    .truth = tensor_truth,
    .getitem = tensor_getitem,
    .setitem = tensor_setitem,
    .contains = tensor_contains,
};
