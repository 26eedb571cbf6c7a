/* tensor_methods.c: the methods of tensors that are no ops of the table: questions about shape and memory, conversions,
 * new tensors like one. backward and its kin are in torch_autograd.c.
 */
#include <string.h>

#include "core/program/natives.h"
#include "core/program/torch_ops.h"

static gd_tensor *self_of(const gd_args *args) { return args->v[0].u.tensor; }

/* Tensor.size(3) may be called with anything as self; a method never is. */
static bool is_self(gd_vm *vm, const gd_args *args, const char *name) {
    if (args->npos > 0 && args->v[0].tag == GD_A_TENSOR) return true;
    gd_raise(vm, &gd_class_TypeError,
             "descriptor '%s' for 'torch._C._TensorBase' objects doesn't apply to a '%s' object", name,
             args->npos ? gd_class_label(args->v[0]) : "NoneType");
    return false;
}

/* ---- shape ------------------------------------------------------------------------------------------- */

static gd_any size(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}, {"dim", GD_ANY_NONE, false}};
    gd_any v[2];
    int64_t dim;
    if (!is_self(vm, args, "size")) return GD_NIL;
    const gd_tensor *t = self_of(args);
    if (args->npos == 1 && !args->nkw) return gd_size_of(vm, gd_ndim(t), gd_sizes(t));
    if (!GD_BIND(vm, "size", wanted, args, v)) return GD_NIL;
    if (gd_is_none(v[1])) return gd_size_of(vm, gd_ndim(t), gd_sizes(t));
    if (v[1].tag != GD_A_INT && v[1].tag != GD_A_TENSOR)
        return gd_raise(vm, &gd_class_TypeError, "size(): argument 'dim' must be int, not %s", gd_class_label(v[1]));
    if (!gd_to_index(vm, v[1], &dim)) return GD_NIL;
    gd_result result;
    const gd_value values[] = {GD_TENSOR_VALUE(self_of(args)), GD_INT_VALUE(dim)};
    if (gd_do_all(vm->ctx, GD_OP_size_dim, values, 2, &result)) return gd_raise_engine(vm);
    return gd_from_result(vm, GD_OP_size_dim, &result);
}

static gd_any stride(gd_vm *vm, const gd_args *args) {
    int64_t dim;
    int at;
    if (!is_self(vm, args, "stride")) return GD_NIL;
    const gd_tensor *t = self_of(args);
    gd_any wanted = args->npos > 1 ? args->v[1] : args->nkw ? args->v[args->npos] : GD_ANY_NONE;
    if (gd_is_none(wanted)) {
        const gd_value all = GD_INTS_VALUE(gd_strides(t), gd_ndim(t));
        return gd_from_plain(vm, &all);
    }
    if (!gd_to_index(vm, wanted, &dim)) return GD_NIL;
    if (gd_ndim(t) == 0)
        return gd_raise(vm, &gd_class_IndexError, "Dimension specified as %lld but tensor has no dimensions",
                        (long long)dim);
    if (gd_wrap_dim(vm->ctx, dim, gd_ndim(t), &at)) return gd_raise_engine(vm);
    return GD_ANY_INT(gd_strides(t)[at]);
}

/* Methods without arguments besides self. */
#define QUESTION(name, result)                                                                                         \
    static gd_any name(gd_vm *vm, const gd_args *args) {                                                               \
        (void)vm;                                                                                                      \
        if (!is_self(vm, args, #name)) return GD_NIL;                                                                  \
        gd_tensor *t = self_of(args);                                                                                  \
        (void)t;                                                                                                       \
        return result;                                                                                                 \
    }

QUESTION(dim, GD_ANY_INT(gd_ndim(t)))
QUESTION(numel, GD_ANY_INT(gd_numel(t)))
QUESTION(element_size, GD_ANY_INT((int64_t)gd_dtype_bytes(gd_dtype_of(t))))
QUESTION(storage_offset, GD_ANY_INT(gd_offset(t)))
QUESTION(is_contiguous, GD_ANY_BOOL(gd_is_contiguous(t)))
QUESTION(no, GD_ANY_BOOL(false))
QUESTION(is_signed, GD_ANY_BOOL(gd_dtype_of(t) != GD_BOOL && gd_dtype_of(t) != GD_UINT8))
QUESTION(is_inference, GD_ANY_BOOL(gd_is_inference(t)))
QUESTION(is_view, GD_ANY_BOOL(gd_is_view(t)))
QUESTION(get_device, GD_ANY_INT(-1))
QUESTION(data_ptr, GD_ANY_INT((int64_t)(intptr_t)t->data))
QUESTION(cpu, GD_ANY_TENSOR(gd_retain(t)))
QUESTION(item, gd_tensor_item(vm, t))
QUESTION(tolist, gd_tensor_tolist(vm, t))
QUESTION(positive, gd_tensor_unary(vm, GD_PY_POS, t))

static gd_any truth(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "is_nonzero")) return GD_NIL;
    int v = gd_tensor_truth(vm, self_of(args));
    return v < 0 ? GD_NIL : GD_ANY_BOOL(v);
}

static gd_any as_int(gd_vm *vm, const gd_args *args) {
    int64_t v;
    return gd_to_index(vm, args->v[0], &v) ? GD_ANY_INT(v) : GD_NIL;
}

static gd_any is_same_size(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "is_same_size")) return GD_NIL;
    if (args->v[1].tag != GD_A_TENSOR)
        return gd_raise(vm, &gd_class_TypeError, "is_same_size(): argument 'other' (position 1) must be Tensor, not %s",
                        gd_class_label(args->v[1]));
    return GD_ANY_BOOL(gd_same_shape(self_of(args), args->v[1].u.tensor));
}

/* ---- places that are not here --------------------------------------------------------------------------- */

static gd_any cuda(gd_vm *vm, const gd_args *args) {
    (void)args;
    return gd_raise(vm, &gd_class_AssertionError, "Torch not compiled with CUDA enabled");
}

static gd_any numpy(gd_vm *vm, const gd_args *args) {
    if (!is_self(vm, args, "numpy")) return GD_NIL;
    if (gd_requires_grad(self_of(args)))
        return gd_raise(vm, &gd_class_RuntimeError,
                        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
    return gd_raise(vm, &gd_class_RuntimeError, "Numpy is not available");
}

/* ---- conversions ------------------------------------------------------------------------------------------ */

static gd_any converted(gd_vm *vm, gd_tensor *t, gd_dtype dtype) {
    const gd_value args[] = {GD_TENSOR_VALUE(t), GD_DTYPE_VALUE(dtype)};
    return gd_new_tensor(vm, gd_do(vm->ctx, GD_OP_to_dtype, args, 2));
}

/* The dtype that "torch.DoubleTensor" names. */
static bool legacy_name(const char *text, gd_dtype *dtype) {
    if (strncmp(text, "torch.", 6) != 0) return false;
    for (int i = 0; i < GD_DTYPE_COUNT; i++)
        if (strcmp(text + 6, gd_dtype_legacy_name((gd_dtype)i)) == 0) return *dtype = (gd_dtype)i, true;
    return false;
}

static gd_any type(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {
        {"self", GD_NIL, false}, {"dtype", GD_ANY_NONE, false}, {"non_blocking", GD_ANY_BOOL(false), false}};
    gd_any v[3];
    gd_dtype dtype;
    if (!is_self(vm, args, "type") || !GD_BIND(vm, "type", wanted, args, v)) return GD_NIL;
    gd_tensor *t = self_of(args);
    if (gd_is_none(v[1])) return gd_str_printf(vm, "torch.%s", gd_dtype_legacy_name(gd_dtype_of(t)));
    if (v[1].tag == GD_A_CLASS && gd_legacy_dtype(v[1].u.class, &dtype)) return converted(vm, t, dtype);
    if (gd_as_dtype_value(v[1], &dtype)) return converted(vm, t, dtype);
    if (!gd_is_str(v[1])) return gd_raise(vm, &gd_class_TypeError, "dtype must be a type, str, or dtype object");
    const char *text = gd_as_str(v[1])->text;
    if (!legacy_name(text, &dtype)) return gd_raise(vm, &gd_class_ValueError, "invalid type: '%s'", text);
    return converted(vm, t, dtype);
}

/* to(): what names the only device is left out; the rest is the op's. */
static gd_any to(gd_vm *vm, const gd_args *args) {
    gd_any v[8];
    gd_str *names[8];
    gd_args rest = {.v = v, .names = names};
    if (!is_self(vm, args, "to")) return GD_NIL;
    if (args->npos + args->nkw > 8) return gd_raise(vm, &gd_class_TypeError, "to() takes from 1 to 4 arguments");
    for (uint32_t i = 0; i < args->npos; i++) {
        int device = i ? gd_as_device(vm, args->v[i]) : 0;
        if (device < 0) return GD_NIL;
        if (!device && (i == 0 || !gd_is_none(args->v[i]))) v[rest.npos++] = args->v[i];
    }
    for (uint32_t i = 0; i < args->nkw; i++) {
        gd_any value = args->v[args->npos + i];
        bool place = gd_str_is(args->names[i], "device") || gd_str_is(args->names[i], "memory_format");
        int device = place && !gd_is_none(value) ? gd_as_device(vm, value) : 0;
        if (device < 0) return GD_NIL;
        if (device || gd_is_none(value)) continue;
        names[rest.nkw] = args->names[i];
        v[rest.npos + rest.nkw++] = value;
    }
    if (rest.npos == 1 && rest.nkw == 0) return GD_ANY_TENSOR(gd_retain(self_of(args)));
    static const gd_opfn op = {.name = "to",
                               .rows = {.first = GD_OP_to_dtype, .count = 2, .method = true, .strict = true}};
    return gd_op_invoke(vm, &op, &rest, NULL);
}

/* x.where(condition, other): the op has the condition first. */
static gd_any where(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {
        {"self", GD_NIL, false}, {"condition", GD_NIL, false}, {"other", GD_NIL, false}};
    gd_any v[3];
    if (!is_self(vm, args, "where") || !GD_BIND(vm, "where", wanted, args, v)) return GD_NIL;
    if (v[1].tag != GD_A_TENSOR || v[2].tag != GD_A_TENSOR) {
        int wrong = v[1].tag != GD_A_TENSOR ? 1 : 2;
        return gd_raise(vm, &gd_class_TypeError, "where(): argument '%s' (position %d) must be Tensor, not %s",
                        wanted[wrong].name, wrong, gd_class_label(v[wrong]));
    }
    const gd_value values[] = {GD_TENSOR_VALUE(v[1].u.tensor), GD_TENSOR_VALUE(v[0].u.tensor),
                               GD_TENSOR_VALUE(v[2].u.tensor)};
    return gd_new_tensor(vm, gd_do(vm->ctx, GD_OP_where, values, 3));
}

/* new_tensor(data): the dtype is self's, unless given. */
static gd_any new_tensor(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false},
                                         {"data", GD_NIL, false},
                                         {"dtype", GD_ANY_NONE, true},
                                         {"device", GD_ANY_NONE, true},
                                         {"requires_grad", GD_ANY_BOOL(false), true}};
    gd_any v[5];
    if (!is_self(vm, args, "new_tensor") || !GD_BIND(vm, "new_tensor", wanted, args, v)) return GD_NIL;
    gd_dtype dtype = gd_dtype_of(self_of(args));
    if (!gd_is_none(v[2]) && !gd_as_dtype_value(v[2], &dtype))
        return gd_raise(vm, &gd_class_TypeError, "new_tensor(): argument 'dtype' must be torch.dtype, not %s",
                        gd_class_label(v[2]));
    gd_any t = gd_tensor_from(vm, v[1], &dtype);
    int wants = gd_is_nil(t) ? -1 : gd_truth(vm, v[4]);
    if (wants > 0 && gd_set_requires_grad(vm->ctx, t.u.tensor, true) != GD_OK) {
        gd_raise_engine(vm);
        wants = -1;
    }
    if (wants >= 0) return t;
    gd_drop(gd_vm_heap(vm), t);
    return GD_NIL;
}

const gd_native gd_tensor_natives[] = {
    {"size", size, 1, -1, "*"},
    {"stride", stride, 1, 2, "dim"},
    {"dim", dim, 1, 1, ""},
    {"ndimension", dim, 1, 1, ""},
    {"numel", numel, 1, 1, ""},
    {"nelement", numel, 1, 1, ""},
    {"element_size", element_size, 1, 1, ""},
    {"storage_offset", storage_offset, 1, 1, ""},
    {"is_contiguous", is_contiguous, 1, 1, ""},
    {"is_complex", no, 1, 1, ""},
    {"is_shared", no, 1, 1, ""},
    {"is_pinned", no, 1, 1, ""},
    {"has_names", no, 1, 1, ""},
    {"is_signed", is_signed, 1, 1, ""},
    {"is_inference", is_inference, 1, 1, ""},
    {"_is_view", is_view, 1, 1, ""},
    {"get_device", get_device, 1, 1, ""},
    {"data_ptr", data_ptr, 1, 1, ""},
    {"cpu", cpu, 1, 1, ""},
    {"cuda", cuda, 1, -1, "*"},
    {"numpy", numpy, 1, -1, "*"},
    {"item", item, 1, 1, ""},
    {"tolist", tolist, 1, 1, ""},
    {"is_nonzero", truth, 1, 1, ""},
    {"is_same_size", is_same_size, 2, 2, ""},
    {"positive", positive, 1, 1, ""},
    {"type", type, 1, -1, "*"},
    {"to", to, 1, -1, "*"},
    {"where", where, 1, -1, "*"},
    {"new_tensor", new_tensor, 1, -1, "*"},
    {"__bool__", truth, 1, 1, ""},
    {"__index__", as_int, 1, 1, ""},
    {NULL, NULL, 0, 0, NULL},
};
