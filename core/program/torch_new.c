/* torch_new.c: tensors from Python data: torch.tensor, torch.as_tensor, and the legacy types torch.Tensor(…),
 * torch.FloatTensor(…).
 */
#include "core/program/natives.h"
#include "core/program/torch_ops.h"

/* ---- from data ------------------------------------------------------------------------------------ */

/* A copy of t outside its graph. */
static gd_any copy_of(gd_vm *vm, gd_tensor *t, gd_dtype dtype) {
    gd_ctx *ctx = vm->ctx;
    gd_tensor *plain = gd_detach(ctx, t);
    if (!plain) return gd_raise_engine(vm);
    const gd_value args[] = {GD_TENSOR_VALUE(plain), GD_DTYPE_VALUE(dtype), GD_BOOL_VALUE(false), GD_BOOL_VALUE(true)};
    gd_tensor *copy = gd_do(ctx, GD_OP_to_dtype, args, 4);
    gd_release(plain);
    return gd_new_tensor(vm, copy);
}

gd_any gd_tensor_from(gd_vm *vm, gd_any data, const gd_dtype *dtype) {
    gd_room room;
    gd_value v;
    gd_tensor *t = NULL;
    if (data.tag == GD_A_TENSOR) return copy_of(vm, data.u.tensor, dtype ? *dtype : gd_dtype_of(data.u.tensor));
    room.vm = vm;
    room.blocks = NULL;
    room.used = 0;
    bool good = gd_to_value(&room, data, &v);
    if (good) t = gd_from_value(vm->ctx, &v, dtype, false);
    gd_room_clear(&room);
    return good ? gd_new_tensor(vm, t) : GD_NIL;
}

/* The keywords that torch.tensor and torch.as_tensor share. */
typedef struct wanted_tensor {
    gd_dtype dtype;
    bool has_dtype;
} wanted_tensor;

static bool read_kind(gd_vm *vm, const char *function, gd_any dtype, gd_any device, wanted_tensor *w) {
    w->has_dtype = !gd_is_none(dtype);
    if (w->has_dtype && !gd_as_dtype_value(dtype, &w->dtype)) {
        gd_raise(vm, &gd_class_TypeError, "%s(): argument 'dtype' must be torch.dtype, not %s", function,
                 gd_class_label(dtype));
        return false;
    }
    if (gd_is_none(device)) return true;
    int is = gd_as_device(vm, device);
    if (is == 0)
        gd_raise(vm, &gd_class_TypeError, "%s(): argument 'device' must be torch.device, not %s", function,
                 gd_class_label(device));
    return is > 0;
}

/* torch.tensor and its kin are C functions in PyTorch, which complain in words of their own. */
static bool check_data(gd_vm *vm, const char *function, const gd_args *args) {
    bool keyword = !gd_is_nil(gd_find_keyword(args, "data"));
    if (args->npos == 0 && !keyword)
        gd_raise(vm, &gd_class_TypeError, "%s() missing 1 required positional arguments: \"data\"", function);
    else if (args->npos > 1)
        gd_raise(vm, &gd_class_TypeError, "%s() takes 1 positional argument but %u were given", function, args->npos);
    else
        return true;
    return false;
}

static gd_any torch_tensor(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"data", GD_NIL, false},
                                         {"dtype", GD_ANY_NONE, true},
                                         {"device", GD_ANY_NONE, true},
                                         {"requires_grad", GD_ANY_BOOL(false), true},
                                         {"pin_memory", GD_ANY_BOOL(false), true}};
    gd_any v[5];
    wanted_tensor w;
    if (!check_data(vm, "tensor", args) || !GD_BIND(vm, "tensor", wanted, args, v)) return GD_NIL;
    if (!read_kind(vm, "tensor", v[1], v[2], &w)) return GD_NIL;
    if (v[3].tag != GD_A_BOOL)
        return gd_raise(vm, &gd_class_TypeError, "tensor(): argument 'requires_grad' must be bool, not %s",
                        gd_class_label(v[3]));
    gd_any t = gd_tensor_from(vm, v[0], w.has_dtype ? &w.dtype : NULL);
    if (gd_is_nil(t) || !v[3].u.i) return t;
    bool real = gd_dtype_is_float(gd_dtype_of(t.u.tensor));
    if (real && gd_set_requires_grad(vm->ctx, t.u.tensor, true) == GD_OK) return t;
    if (real)
        gd_raise_engine(vm);
    else
        gd_raise(vm, &gd_class_RuntimeError, "Only Tensors of floating point and complex dtype can require gradients");
    gd_release(t.u.tensor);
    return GD_NIL;
}

static gd_any torch_as_tensor(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {
        {"data", GD_NIL, false}, {"dtype", GD_ANY_NONE, false}, {"device", GD_ANY_NONE, false}};
    gd_any v[3];
    wanted_tensor w;
    if (!GD_BIND(vm, "as_tensor", wanted, args, v) || !read_kind(vm, "as_tensor", v[1], v[2], &w)) return GD_NIL;
    if (v[0].tag != GD_A_TENSOR) return gd_tensor_from(vm, v[0], w.has_dtype ? &w.dtype : NULL);
    gd_tensor *t = v[0].u.tensor;
    if (!w.has_dtype) return gd_keep(v[0]);
    const gd_value values[] = {GD_TENSOR_VALUE(t), GD_DTYPE_VALUE(w.dtype)};
    return gd_new_tensor(vm, gd_do(vm->ctx, GD_OP_to_dtype, values, 2));
}

/* torch.scalar_tensor(s): float32 unless a dtype is given. */
static gd_any torch_scalar_tensor(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"s", GD_NIL, false},
                                         {"dtype", GD_ANY_NONE, true},
                                         {"device", GD_ANY_NONE, true},
                                         {"requires_grad", GD_ANY_BOOL(false), true}};
    gd_any v[4];
    wanted_tensor w;
    if (!GD_BIND(vm, "scalar_tensor", wanted, args, v) || !read_kind(vm, "scalar_tensor", v[1], v[2], &w))
        return GD_NIL;
    if (!gd_is_number(v[0]))
        return gd_raise(vm, &gd_class_TypeError, "scalar_tensor(): argument 's' (position 1) must be Number, not %s",
                        gd_class_label(v[0]));
    gd_any t = gd_tensor_from(vm, v[0], w.has_dtype ? &w.dtype : &(gd_dtype){GD_FLOAT32});
    int wants = gd_is_nil(t) ? 0 : gd_truth(vm, v[3]);
    if (wants > 0 && gd_set_requires_grad(vm->ctx, t.u.tensor, true) != GD_OK) {
        gd_release(t.u.tensor);
        return gd_raise_engine(vm);
    }
    return t;
}

const gd_native gd_native_tensor = {"tensor", torch_tensor, 0, -1, "*"};
const gd_native gd_native_as_tensor = {"as_tensor", torch_as_tensor, 0, -1, "*"};
const gd_native gd_native_scalar_tensor = {"scalar_tensor", torch_scalar_tensor, 0, -1, "*"};

/* ---- the legacy types --------------------------------------------------------------------------------- */

#define LEGACY(variable, text)                                                                                         \
    const gd_class gd_class_##variable = {.name = "torch." text, .base = &gd_class_tensor, .make = gd_legacy_make}
LEGACY(float_tensor, "FloatTensor");
LEGACY(double_tensor, "DoubleTensor");
LEGACY(long_tensor, "LongTensor");
LEGACY(int_tensor, "IntTensor");
LEGACY(byte_tensor, "ByteTensor");
LEGACY(bool_tensor, "BoolTensor");
LEGACY(half_tensor, "HalfTensor");
LEGACY(bfloat16_tensor, "BFloat16Tensor");
LEGACY(short_tensor, "ShortTensor");
LEGACY(char_tensor, "CharTensor");

bool gd_legacy_dtype(const gd_class *class, gd_dtype *dtype) {
    static const struct {
        const gd_class *class;
        gd_dtype dtype;
    } types[] = {{&gd_class_float_tensor, GD_FLOAT32}, {&gd_class_double_tensor, GD_FLOAT64},
                 {&gd_class_long_tensor, GD_INT64},    {&gd_class_int_tensor, GD_INT32},
                 {&gd_class_byte_tensor, GD_UINT8},    {&gd_class_bool_tensor, GD_BOOL},
                 {&gd_class_half_tensor, GD_FLOAT16},  {&gd_class_bfloat16_tensor, GD_BFLOAT16},
                 {&gd_class_short_tensor, GD_INT16},   {&gd_class_char_tensor, GD_INT8}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].class == class) return *dtype = types[i].dtype, true;
    return false;
}

/* An alias of another tensor, which must be of the class's dtype. */
static gd_any alias(gd_vm *vm, const gd_class *class, gd_tensor *t) {
    static const char rest[] =
        ", device=cpu, layout=Strided, requires_grad=false (default), pinned_memory=false (default), "
        "memory_format=(nullopt))";
    gd_dtype dtype;
    if (gd_legacy_dtype(class, &dtype) && dtype != gd_dtype_of(t))
        return gd_raise(vm, &gd_class_TypeError, "expected TensorOptions(dtype=%s%s (got TensorOptions(dtype=%s%s)",
                        gd_dtype_c_name(dtype), rest, gd_dtype_c_name(gd_dtype_of(t)), rest);
    return gd_new_tensor(vm, gd_do(vm->ctx, GD_OP__alias, (const gd_value[]){GD_TENSOR_VALUE(t)}, 1));
}

static gd_any sized(gd_vm *vm, gd_dtype dtype, const gd_any *items, size_t n) {
    int64_t sizes[GD_MAX_DIMS];
    if (n > GD_MAX_DIMS)
        return gd_raise(vm, &gd_class_ValueError, "a tensor has at most %d dimensions, not %zu", GD_MAX_DIMS, n);
    for (size_t i = 0; i < n; i++) {
        if (items[i].tag != GD_A_INT)
            return gd_raise(vm, &gd_class_TypeError,
                            "new(): argument 'size' must be tuple of ints, but found element of type %s at pos %zu",
                            gd_class_label(items[i]), i + 1);
        sizes[i] = items[i].u.i;
    }
    return gd_new_tensor(vm, gd_zeros(vm->ctx, dtype, (int)n, sizes));
}

/* torch.Tensor(2, 3), torch.Tensor([2.]), torch.Tensor(x), torch.Tensor(x.size()), torch.Tensor(). Fresh memory, whose
 * values PyTorch does not promise, is zeros. */
gd_any gd_legacy_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    gd_dtype dtype = GD_FLOAT32;
    const gd_any *items = args->v;
    size_t n = args->npos;
    gd_any one = n ? args->v[0] : GD_NIL;
    gd_legacy_dtype(class, &dtype);
    if (args->nkw && !(args->nkw == 1 && gd_str_is(args->names[0], "device")))
        return gd_raise(vm, &gd_class_TypeError, "new() got an unexpected keyword argument '%s'", args->names[0]->text);
    if (n == 0) return gd_new_tensor(vm, gd_zeros(vm->ctx, dtype, 1, (const int64_t[]){0}));
    if (n > 1 || one.tag == GD_A_INT) return sized(vm, dtype, items, n);
    if (one.tag == GD_A_TENSOR) return alias(vm, class, one.u.tensor);
    if (gd_is(one, &gd_class_size) && gd_items(one, &items, &n)) return sized(vm, dtype, items, n);
    if (gd_is_str(one)) return gd_raise(vm, &gd_class_TypeError, "new(): invalid data type 'str'");
    if (gd_items(one, &items, &n) || gd_is(one, &gd_class_range)) return gd_tensor_from(vm, one, &dtype);
    return gd_raise(vm, &gd_class_TypeError, "new(): data must be a sequence (got %s)", gd_class_label(one));
}
