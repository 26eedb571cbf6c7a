/* torch_nn.c: the functions of torch.nn.functional that take more than their rows do: relu(inplace=True), softmax
 * without a dimension. The others are found in the op table.
 */
#include "core/program/natives.h"
#include "core/program/torch_ops.h"

static bool is_input(gd_vm *vm, const char *function, gd_any v) {
    if (v.tag == GD_A_TENSOR) return true;
    gd_raise(vm, &gd_class_TypeError, "%s(): argument 'input' (position 1) must be Tensor, not %s", function,
             gd_class_label(v));
    return false;
}

static gd_any relu(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"input", GD_NIL, false}, {"inplace", GD_ANY_BOOL(false), false}};
    gd_any v[2];
    if (!GD_BIND(vm, "relu", wanted, args, v) || !is_input(vm, "relu", v[0])) return GD_NIL;
    int in_place = gd_truth(vm, v[1]);
    if (in_place < 0) return GD_NIL;
    const gd_value values[] = {GD_TENSOR_VALUE(v[0].u.tensor)};
    if (!in_place) return gd_new_tensor(vm, gd_do(vm->ctx, GD_OP_relu, values, 1));
    return gd_do_inplace(vm->ctx, GD_OP_relu, values, 1) ? gd_raise_engine(vm) : gd_keep(v[0]);
}

/* Without dim PyTorch takes one by the number of dimensions (and warns). */
static gd_any along(gd_vm *vm, const gd_args *args, const char *function, gd_op_id row) {
    static const gd_argument wanted[] = {{"input", GD_NIL, false},
                                         {"dim", GD_ANY_NONE, false},
                                         {"_stacklevel", GD_ANY_INT(3), false},
                                         {"dtype", GD_ANY_NONE, false}};
    gd_any v[4];
    gd_dtype dtype = GD_FLOAT32;
    if (!GD_BIND(vm, function, wanted, args, v) || !is_input(vm, function, v[0])) return GD_NIL;
    int ndim = gd_ndim(v[0].u.tensor);
    int64_t dim = ndim == 0 || ndim == 1 || ndim == 3 ? 0 : 1;
    if (!gd_is_none(v[1]) && !gd_to_index(vm, v[1], &dim)) return GD_NIL;
    if (!gd_is_none(v[3]) && !gd_as_dtype_value(v[3], &dtype))
        return gd_raise(vm, &gd_class_TypeError, "%s(): argument 'dtype' must be torch.dtype, not %s", function,
                        gd_class_label(v[3]));
    const gd_value values[] = {GD_TENSOR_VALUE(v[0].u.tensor), GD_INT_VALUE(dim),
                               gd_is_none(v[3]) ? GD_NONE_VALUE : GD_DTYPE_VALUE(dtype)};
    return gd_new_tensor(vm, gd_do(vm->ctx, row, values, 3));
}

static gd_any softmax(gd_vm *vm, const gd_args *args) { return along(vm, args, "softmax", GD_OP_softmax); }
static gd_any log_softmax(gd_vm *vm, const gd_args *args) { return along(vm, args, "log_softmax", GD_OP_log_softmax); }

static const gd_native native_relu = {"relu", relu, 0, -1, "*"};
static const gd_native native_softmax = {"softmax", softmax, 0, -1, "*"};
static const gd_native native_log_softmax = {"log_softmax", log_softmax, 0, -1, "*"};

const gd_member gd_members_nn_functional[] = {
    {"relu", GD_ANY_NATIVE(&native_relu)},
    {"softmax", GD_ANY_NATIVE(&native_softmax)},
    {"log_softmax", GD_ANY_NATIVE(&native_log_softmax)},
    {NULL, GD_NIL},
};
