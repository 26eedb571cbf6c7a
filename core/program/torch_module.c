/* torch_module.c: what `torch` and its submodules offer besides the ops: dtypes, types, constants, and questions about
 * the context. Names that are not in the lists are looked for in the op table.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/program/natives.h"
#include "core/program/torch_ops.h"

/* ---- questions ---------------------------------------------------------------------------------------- */

static gd_any is_tensor(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"obj", GD_NIL, false}};
    gd_any v[1];
    return GD_BIND(vm, "is_tensor", wanted, args, v) ? GD_ANY_BOOL(v[0].tag == GD_A_TENSOR) : GD_NIL;
}

static gd_any is_grad_enabled(gd_vm *vm, const gd_args *args) {
    (void)args;
    return GD_ANY_BOOL(vm->ctx->mode == GD_MODE_GRAD);
}

static gd_any is_inference(gd_vm *vm, const gd_args *args) {
    (void)args;
    return GD_ANY_BOOL(vm->ctx->mode == GD_MODE_INFERENCE);
}

static gd_any is_anomaly(gd_vm *vm, const gd_args *args) {
    (void)args;
    return GD_ANY_BOOL(vm->ctx->anomaly);
}

static gd_any is_anomaly_nan(gd_vm *vm, const gd_args *args) {
    (void)args;
    return GD_ANY_BOOL(!vm->ctx->nan_allowed);
}

static gd_any answer_false(gd_vm *vm, const gd_args *args) {
    (void)vm;
    (void)args;
    return GD_ANY_BOOL(false);
}

static gd_any one_thread(gd_vm *vm, const gd_args *args) {
    (void)vm;
    (void)args;
    return GD_ANY_INT(1);
}

static gd_any is_nonzero(gd_vm *vm, const gd_args *args) {
    if (args->v[0].tag != GD_A_TENSOR)
        return gd_raise(vm, &gd_class_TypeError, "is_nonzero(): argument 'input' (position 1) must be Tensor, not %s",
                        gd_class_label(args->v[0]));
    int truth = gd_tensor_truth(vm, args->v[0].u.tensor);
    return truth < 0 ? GD_NIL : GD_ANY_BOOL(truth);
}

static gd_any typename_of(gd_vm *vm, const gd_args *args) {
    gd_any v = args->v[0];
    if (v.tag == GD_A_TENSOR) return gd_str_printf(vm, "torch.%s", gd_dtype_legacy_name(gd_dtype_of(v.u.tensor)));
    return gd_str_c(vm, gd_class_of(v)->name);
}

/* ---- dtypes ---------------------------------------------------------------------------------------------- */

static gd_any get_default_dtype(gd_vm *vm, const gd_args *args) {
    (void)vm;
    (void)args;
    return GD_ANY_DTYPE(GD_FLOAT32);
}

static gd_any set_default_dtype(gd_vm *vm, const gd_args *args) {
    gd_dtype dtype;
    if (!gd_as_dtype_value(args->v[0], &dtype))
        return gd_raise(vm, &gd_class_TypeError,
                        "invalid dtype object: only floating-point types are supported as the default type");
    if (!gd_dtype_is_float(dtype))
        return gd_raise(vm, &gd_class_TypeError, "only floating-point types are supported as the default type");
    if (dtype == GD_FLOAT32) return GD_ANY_NONE;
    return gd_raise(vm, &gd_class_NotImplementedError,
                    "the default dtype is torch.float32 here; give dtype=torch.%s where it is wanted",
                    gd_dtype_name(dtype));
}

static bool dtype_argument(gd_vm *vm, const gd_args *args, const char *function, uint32_t i, const char *name,
                           gd_dtype *out) {
    gd_any v = gd_arg(args, i, name);
    if (!gd_is_nil(v) && gd_as_dtype_value(v, out)) return true;
    if (gd_is_nil(v))
        gd_raise(vm, &gd_class_TypeError, "%s() missing 1 required positional arguments: \"%s\"", function, name);
    else
        gd_raise(vm, &gd_class_TypeError, "%s(): argument '%s' (position %u) must be torch.dtype, not %s", function,
                 name, i + 1, gd_class_label(v));
    return false;
}

static gd_any can_cast(gd_vm *vm, const gd_args *args) {
    gd_dtype from, to;
    if (!dtype_argument(vm, args, "can_cast", 0, "from", &from) || !dtype_argument(vm, args, "can_cast", 1, "to", &to))
        return GD_NIL;
    return GD_ANY_BOOL(gd_can_cast(from, to));
}

static gd_any promote_types(gd_vm *vm, const gd_args *args) {
    gd_dtype a, b;
    if (!dtype_argument(vm, args, "promote_types", 0, "type1", &a) ||
        !dtype_argument(vm, args, "promote_types", 1, "type2", &b))
        return GD_NIL;
    return GD_ANY_DTYPE((int64_t)gd_promote_dtypes(a, b));
}

static gd_any result_type(gd_vm *vm, const gd_args *args) {
    gd_tensor *t[2] = {NULL, NULL};
    bool numbers = true, good = true;
    for (uint32_t i = 0; i < 2 && good; i++) {
        gd_any v = args->v[i];
        if (v.tag != GD_A_TENSOR && !gd_is_number(v)) {
            gd_raise(vm, &gd_class_TypeError, "result_type(): argument %u must be Tensor or Number, not %s", i + 1,
                     gd_class_label(v));
            good = false;
        } else if (v.tag == GD_A_TENSOR) {
            t[i] = gd_retain(v.u.tensor);
            numbers = false;
        } else if (!(t[i] = gd_wrapped_number(vm->ctx, v))) {
            gd_raise_engine(vm);
            good = false;
        }
    }
    gd_dtype dtype = good ? gd_result_type(t, 2) : GD_FLOAT32;
    if (numbers && gd_dtype_is_float(dtype)) dtype = GD_FLOAT32; /* two Python numbers: the default dtype */
    gd_release(t[0]);
    gd_release(t[1]);
    return good ? GD_ANY_DTYPE((int64_t)dtype) : GD_NIL;
}

/* ---- random numbers ----------------------------------------------------------------------------------------- */

static gd_any generator(gd_vm *vm) {
    gd_object *o = gd_object_new(vm, &gd_class_random_generator, sizeof *o);
    return o ? GD_ANY_OBJECT(o) : GD_NIL;
}

static gd_any manual_seed(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"seed", GD_NIL, false}};
    gd_any v[1], whole = GD_NIL;
    if (!GD_BIND(vm, "manual_seed", wanted, args, v)) return GD_NIL;
    whole = v[0].tag == GD_A_FLOAT ? gd_float_to_int(vm, v[0].u.f) : v[0]; /* int(seed) */
    if (gd_is_nil(whole)) return GD_NIL;
    int64_t seed;
    if (!gd_to_index(vm, whole, &seed)) return GD_NIL;
    gd_ctx_manual_seed(vm->ctx, (uint64_t)seed);
    return generator(vm);
}

static gd_any initial_seed(gd_vm *vm, const gd_args *args) {
    (void)args;
    if (vm->ctx->generator.seed <= INT64_MAX) return GD_ANY_INT((int64_t)vm->ctx->generator.seed);
    return gd_overflow(vm);
}

/* ---- shapes --------------------------------------------------------------------------------------------------- */

static bool broadcast_with(gd_vm *vm, gd_any v, int64_t *sizes, int *ndim) {
    int64_t shape[GD_MAX_DIMS], both[GD_MAX_DIMS];
    const gd_any *items = &v;
    size_t n = 1;
    if (v.tag != GD_A_INT && !gd_items(v, &items, &n)) {
        gd_raise(vm, &gd_class_RuntimeError, "Input shapes should be of type ints, a tuple of ints, or a list of ints");
        return false;
    }
    bool good = n <= GD_MAX_DIMS;
    for (size_t i = 0; i < n && good; i++) {
        if (!gd_to_index(vm, items[i], &shape[i])) return false;
        if (shape[i] >= 0) continue;
        gd_raise(vm, &gd_class_RuntimeError, "Trying to create tensor with negative dimension (%lld): (%lld)",
                 (long long)shape[i], (long long)shape[i]);
        return false;
    }
    if (!good || gd_broadcast_shape(vm->ctx, *ndim, sizes, (int)n, shape, both, ndim)) {
        gd_raise(vm, &gd_class_RuntimeError, "Shape mismatch: objects cannot be broadcast to a single shape");
        return false;
    }
    memcpy(sizes, both, (size_t)*ndim * sizeof *sizes);
    return true;
}

static gd_any broadcast_shapes(gd_vm *vm, const gd_args *args) {
    int64_t sizes[GD_MAX_DIMS] = {0};
    int ndim = 0;
    for (uint32_t i = 0; i < args->npos; i++)
        if (!broadcast_with(vm, args->v[i], sizes, &ndim)) return GD_NIL;
    return gd_size_of(vm, ndim, sizes);
}

static gd_any broadcast_tensors(gd_vm *vm, const gd_args *args) {
    int64_t sizes[GD_MAX_DIMS], both[GD_MAX_DIMS];
    const gd_any *items = args->v;
    size_t n = args->npos;
    int ndim = 0;
    if (n == 1) gd_items(args->v[0], &items, &n);
    for (size_t i = 0; i < n; i++) {
        const gd_tensor *t = items[i].u.tensor;
        if (items[i].tag != GD_A_TENSOR)
            return gd_raise(vm, &gd_class_TypeError, "expected Tensor as element %zu in argument 0, but got %s", i,
                            gd_class_label(items[i]));
        if (gd_broadcast_shape(vm->ctx, ndim, sizes, t->ndim, t->sizes, both, &ndim)) return gd_raise_engine(vm);
        memcpy(sizes, both, (size_t)ndim * sizeof *sizes);
    }
    gd_any all = gd_tuple_new(vm, &gd_class_tuple, n);
    for (size_t i = 0; i < n && !gd_is_nil(all); i++) {
        const gd_value values[] = {GD_TENSOR_VALUE(items[i].u.tensor), GD_INTS_VALUE(sizes, ndim)};
        gd_any t = gd_new_tensor(vm, gd_do(vm->ctx, GD_OP_expand, values, 2));
        if (gd_is_nil(t)) {
            gd_drop(gd_vm_heap(vm), all);
            return GD_NIL;
        }
        ((gd_tuple *)all.u.object)->items[i] = t;
    }
    return all;
}

/* ---- what is not here -------------------------------------------------------------------------------------------- */

/* Tensors print with PyTorch's default options; asking for just those is allowed. */
static gd_any set_printoptions(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"precision", GD_ANY_NONE, false}, {"threshold", GD_ANY_NONE, false},
                                         {"edgeitems", GD_ANY_NONE, false}, {"linewidth", GD_ANY_NONE, false},
                                         {"profile", GD_ANY_NONE, false},   {"sci_mode", GD_ANY_NONE, false}};
    static const int64_t usual[] = {4, 1000, 3, 80};
    gd_any v[6];
    bool same = true;
    if (!GD_BIND(vm, "set_printoptions", wanted, args, v)) return GD_NIL;
    for (int i = 0; i < 4; i++) same &= gd_is_none(v[i]) || (v[i].tag == GD_A_INT && v[i].u.i == usual[i]);
    same &= gd_is_none(v[4]) || (gd_is_str(v[4]) && gd_str_is(gd_as_str(v[4]), "default"));
    if (same && gd_is_none(v[5])) return GD_ANY_NONE;
    return gd_raise(vm, &gd_class_NotImplementedError,
                    "tensors print with PyTorch's default options here; format numbers with format() or f-strings");
}

static gd_any from_numpy(gd_vm *vm, const gd_args *args) {
    (void)args;
    return gd_raise(vm, &gd_class_RuntimeError, "Numpy is not available");
}

/* ---- the module -----------------------------------------------------------------------------------------------------
 */

#define NATIVE(name, call, least, most, keywords)                                                                      \
    static const gd_native native_##name = {#name, call, least, most, keywords}
NATIVE(is_tensor, is_tensor, 0, -1, "*");
NATIVE(is_grad_enabled, is_grad_enabled, 0, 0, "");
NATIVE(is_inference_mode_enabled, is_inference, 0, 0, "");
NATIVE(is_anomaly_enabled, is_anomaly, 0, 0, "");
NATIVE(is_anomaly_check_nan_enabled, is_anomaly_nan, 0, 0, "");
NATIVE(is_complex, answer_false, 1, 1, "");
NATIVE(is_storage, answer_false, 1, 1, "");
NATIVE(is_nonzero, is_nonzero, 1, 1, "");
NATIVE(typename, typename_of, 1, 1, "");
NATIVE(get_default_dtype, get_default_dtype, 0, 0, "");
NATIVE(set_default_dtype, set_default_dtype, 1, 1, "");
NATIVE(can_cast, can_cast, 0, 2, "from to");
NATIVE(promote_types, promote_types, 0, 2, "type1 type2");
NATIVE(result_type, result_type, 2, 2, "");
NATIVE(manual_seed, manual_seed, 0, -1, "*");
NATIVE(initial_seed, initial_seed, 0, 0, "");
NATIVE(broadcast_shapes, broadcast_shapes, 0, -1, "");
NATIVE(broadcast_tensors, broadcast_tensors, 0, -1, "");
NATIVE(set_printoptions, set_printoptions, 0, -1, "*");
NATIVE(from_numpy, from_numpy, 1, 1, "");
NATIVE(get_num_threads, one_thread, 0, 0, "");

const gd_member gd_members_torch[] = {
    {"tensor", GD_ANY_NATIVE(&gd_native_tensor)},
    {"no_grad", GD_ANY_CLASS(&gd_class_no_grad)},
    {"float32", GD_ANY_DTYPE(GD_FLOAT32)},
    {"float", GD_ANY_DTYPE(GD_FLOAT32)},
    {"float64", GD_ANY_DTYPE(GD_FLOAT64)},
    {"double", GD_ANY_DTYPE(GD_FLOAT64)},
    {"int64", GD_ANY_DTYPE(GD_INT64)},
    {"long", GD_ANY_DTYPE(GD_INT64)},
    {"int32", GD_ANY_DTYPE(GD_INT32)},
    {"int", GD_ANY_DTYPE(GD_INT32)},
    {"uint8", GD_ANY_DTYPE(GD_UINT8)},
    {"bool", GD_ANY_DTYPE(GD_BOOL)},
    {"float16", GD_ANY_DTYPE(GD_FLOAT16)},
    {"half", GD_ANY_DTYPE(GD_FLOAT16)},
    {"bfloat16", GD_ANY_DTYPE(GD_BFLOAT16)},
    {"int16", GD_ANY_DTYPE(GD_INT16)},
    {"short", GD_ANY_DTYPE(GD_INT16)},
    {"int8", GD_ANY_DTYPE(GD_INT8)},
    {"as_tensor", GD_ANY_NATIVE(&gd_native_as_tensor)},
    {"scalar_tensor", GD_ANY_NATIVE(&gd_native_scalar_tensor)},
    {"Tensor", GD_ANY_CLASS(&gd_class_tensor)},
    {"FloatTensor", GD_ANY_CLASS(&gd_class_float_tensor)},
    {"DoubleTensor", GD_ANY_CLASS(&gd_class_double_tensor)},
    {"LongTensor", GD_ANY_CLASS(&gd_class_long_tensor)},
    {"IntTensor", GD_ANY_CLASS(&gd_class_int_tensor)},
    {"ByteTensor", GD_ANY_CLASS(&gd_class_byte_tensor)},
    {"BoolTensor", GD_ANY_CLASS(&gd_class_bool_tensor)},
    {"HalfTensor", GD_ANY_CLASS(&gd_class_half_tensor)},
    {"BFloat16Tensor", GD_ANY_CLASS(&gd_class_bfloat16_tensor)},
    {"ShortTensor", GD_ANY_CLASS(&gd_class_short_tensor)},
    {"CharTensor", GD_ANY_CLASS(&gd_class_char_tensor)},
    {"Size", GD_ANY_CLASS(&gd_class_size)},
    {"dtype", GD_ANY_CLASS(&gd_class_dtype)},
    {"device", GD_ANY_CLASS(&gd_class_device)},
    {"layout", GD_ANY_CLASS(&gd_class_layout)},
    {"Generator", GD_ANY_CLASS(&gd_class_random_generator)},
    {"finfo", GD_ANY_CLASS(&gd_class_finfo)},
    {"iinfo", GD_ANY_CLASS(&gd_class_iinfo)},
    {"enable_grad", GD_ANY_CLASS(&gd_class_enable_grad)},
    {"inference_mode", GD_ANY_CLASS(&gd_class_inference_mode)},
    {"set_grad_enabled", GD_ANY_CLASS(&gd_class_set_grad_enabled)},
    {"pi", GD_ANY_FLOAT(M_PI)},
    {"e", GD_ANY_FLOAT(M_E)},
    {"inf", GD_ANY_FLOAT(INFINITY)},
    {"nan", GD_ANY_FLOAT(NAN)},
    {"manual_seed", GD_ANY_NATIVE(&native_manual_seed)},
    {"initial_seed", GD_ANY_NATIVE(&native_initial_seed)},
    {"is_tensor", GD_ANY_NATIVE(&native_is_tensor)},
    {"is_grad_enabled", GD_ANY_NATIVE(&native_is_grad_enabled)},
    {"is_inference_mode_enabled", GD_ANY_NATIVE(&native_is_inference_mode_enabled)},
    {"is_anomaly_enabled", GD_ANY_NATIVE(&native_is_anomaly_enabled)},
    {"is_anomaly_check_nan_enabled", GD_ANY_NATIVE(&native_is_anomaly_check_nan_enabled)},
    {"is_complex", GD_ANY_NATIVE(&native_is_complex)},
    {"is_storage", GD_ANY_NATIVE(&native_is_storage)},
    {"is_nonzero", GD_ANY_NATIVE(&native_is_nonzero)},
    {"typename", GD_ANY_NATIVE(&native_typename)},
    {"get_default_dtype", GD_ANY_NATIVE(&native_get_default_dtype)},
    {"set_default_dtype", GD_ANY_NATIVE(&native_set_default_dtype)},
    {"can_cast", GD_ANY_NATIVE(&native_can_cast)},
    {"promote_types", GD_ANY_NATIVE(&native_promote_types)},
    {"result_type", GD_ANY_NATIVE(&native_result_type)},
    {"broadcast_shapes", GD_ANY_NATIVE(&native_broadcast_shapes)},
    {"broadcast_tensors", GD_ANY_NATIVE(&native_broadcast_tensors)},
    {"set_printoptions", GD_ANY_NATIVE(&native_set_printoptions)},
    {"from_numpy", GD_ANY_NATIVE(&native_from_numpy)},
    {"get_num_threads", GD_ANY_NATIVE(&native_get_num_threads)},
    {NULL, GD_NIL},
};

/* ---- names that are looked up
 * ---------------------------------------------------------------------------------------- */

/* "torch.nn.functional" and "relu" give "nn.functional.relu". False if that is too long for a name. */
static bool full_name(const gd_module *self, const gd_str *name, char *out, size_t bytes, size_t *length) {
    const char *prefix = strcmp(self->name, "torch") == 0 ? "" : self->name + strlen("torch.");
    size_t n = strlen(prefix), dot = n ? 1 : 0;
    if (n + dot + name->bytes >= bytes) return false;
    memcpy(out, prefix, n);
    if (dot) out[n] = '.';
    memcpy(out + n + dot, name->text, name->bytes + 1);
    *length = n + dot + name->bytes;
    return true;
}

/* Parts of torch that need an object of their own. */
static gd_any torch_object(gd_vm *vm, const gd_str *name) {
    /* Programs that ask want to know which PyTorch's behaviour they may count on; after the + is who really answers. */
    if (gd_str_is(name, "__version__")) return gd_str_c(vm, "1.13.1+gradd." GRADD_VERSION);
    if (gd_str_is(name, "strided")) return gd_layout_new(vm);
    if (gd_str_is(name, "default_generator")) return generator(vm);
    return GD_NIL;
}

gd_any gd_torch_dynamic(gd_vm *vm, const gd_module *self, gd_str *name) {
    char full[96];
    size_t n;
    bool torch = strcmp(self->name, "torch") == 0;
    if (strncmp(self->name, "torch", 5) != 0 || !full_name(self, name, full, sizeof full, &n)) return GD_NIL;
    const gd_opfn *op = gd_op_function(full, n);
    if (op) return GD_ANY_OP(op);
    return torch ? torch_object(vm, name) : GD_NIL;
}
