/* tensor_attributes.c: the properties of tensors: x.grad, x.shape, x.data and the like. */
#include "core/autograd/autograd.h"
#include "core/program/torch_ops.h"

static gd_any tensor_or_none(gd_tensor *t) { return t ? GD_ANY_TENSOR(gd_retain(t)) : GD_ANY_NONE; }

static gd_any apply(gd_vm *vm, gd_op_id row, gd_tensor *t) {
    return gd_new_tensor(vm, gd_do(vm->ctx, row, (const gd_value[]){GD_TENSOR_VALUE(t)}, 1));
}

/* ---- grad, data, requires_grad ---------------------------------------------------------------------- */

static gd_any get_grad(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return tensor_or_none(gd_grad(t));
}

static bool set_grad(gd_vm *vm, gd_tensor *t, gd_any v) {
    if (v.tag != GD_A_TENSOR && !gd_is_none(v) && !gd_is_nil(v)) {
        gd_raise(vm, &gd_class_TypeError, "assigned grad expected to be a Tensor or None but got grad of type%s",
                 gd_class_label(v)); /* PyTorch's own spacing */
        return false;
    }
    gd_tensor *grad = v.tag == GD_A_TENSOR ? v.u.tensor : NULL;
    if (grad == t) {
        gd_raise(vm, &gd_class_RuntimeError, "can't assign Variable as its own grad");
        return false;
    }
    if (gd_set_grad(vm->ctx, t, grad) == GD_OK) return true;
    gd_raise_engine(vm);
    return false;
}

static gd_any get_data(gd_vm *vm, gd_tensor *t) { return gd_new_tensor(vm, gd_data(vm->ctx, t)); }

static bool set_data(gd_vm *vm, gd_tensor *t, gd_any v) {
    if (gd_is_nil(v)) {
        gd_raise(vm, &gd_class_RuntimeError, "Deleting tensor data is not allowed. Delete tensor instead!");
    } else if (v.tag != GD_A_TENSOR) {
        gd_raise(vm, &gd_class_TypeError, "Variable data has to be a tensor, but got %s", gd_class_label(v));
    } else {
        if (gd_set_data(vm->ctx, t, v.u.tensor) == GD_OK) return true;
        gd_raise_engine(vm);
    }
    return false;
}

static gd_any get_requires_grad(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return GD_ANY_BOOL(gd_requires_grad(t));
}

/* The property's texts differ from requires_grad_()'s. */
static bool set_requires_grad(gd_vm *vm, gd_tensor *t, gd_any v) {
    if (v.tag != GD_A_BOOL) {
        gd_raise(vm, &gd_class_RuntimeError, "requires_grad must be a bool");
    } else if (!gd_is_leaf(t)) {
        gd_raise(vm, &gd_class_RuntimeError, "you can only change requires_grad flags of leaf variables.%s",
                 v.u.i
                     ? ""
                     : " If you want to use a computed variable in a subgraph that doesn't require differentiation use "
                       "var_no_grad = var.detach().");
    } else if (v.u.i && !gd_dtype_is_float(gd_dtype_of(t))) {
        gd_raise(vm, &gd_class_RuntimeError, "only Tensors of floating point and complex dtype can require gradients");
    } else {
        if (gd_set_requires_grad(vm->ctx, t, v.u.i != 0) == GD_OK) return true;
        gd_raise_engine(vm);
    }
    return false;
}

/* ---- place in the graph -------------------------------------------------------------------------------- */

static gd_any get_grad_fn(gd_vm *vm, gd_tensor *t) {
    vm->ctx->error.code = GD_OK;
    gd_node *node = gd_grad_fn(vm->ctx, t);
    if (node) return GD_ANY_NODE(gd_node_retain(node));
    return vm->ctx->error.code == GD_OK ? GD_ANY_NONE : gd_raise_engine(vm);
}

static gd_any get_is_leaf(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return GD_ANY_BOOL(gd_is_leaf(t));
}

static gd_any get_retains_grad(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return GD_ANY_BOOL(gd_retains_grad(t));
}

static gd_any get_version(gd_vm *vm, gd_tensor *t) {
    uint32_t version;
    return gd_version(vm->ctx, t, &version) ? gd_raise_engine(vm) : GD_ANY_INT((int64_t)version);
}

static gd_any get_base(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return tensor_or_none(gd_base(t));
}

static gd_any get_output_nr(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return GD_ANY_INT((int64_t)gd_output_nr(t));
}

/* ---- shape and kind ------------------------------------------------------------------------------------- */

static gd_any get_shape(gd_vm *vm, gd_tensor *t) { return gd_size_of(vm, gd_ndim(t), gd_sizes(t)); }

static gd_any get_dtype(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return GD_ANY_DTYPE((int64_t)gd_dtype_of(t));
}

static gd_any get_ndim(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return GD_ANY_INT(gd_ndim(t));
}

static gd_any get_itemsize(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return GD_ANY_INT((int64_t)gd_dtype_bytes(gd_dtype_of(t)));
}

static gd_any get_nbytes(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return GD_ANY_INT((int64_t)gd_nbytes(t));
}

static gd_any get_device(gd_vm *vm, gd_tensor *t) {
    (void)t;
    return gd_device_new(vm, false);
}

static gd_any get_layout(gd_vm *vm, gd_tensor *t) {
    (void)t;
    return gd_layout_new(vm);
}

static gd_any get_names(gd_vm *vm, gd_tensor *t) { return gd_tuple_new(vm, &gd_class_tuple, (size_t)gd_ndim(t)); }

static gd_any get_none(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    (void)t;
    return GD_ANY_NONE;
}

static gd_any get_true(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    (void)t;
    return GD_ANY_BOOL(true);
}

static gd_any get_false(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    (void)t;
    return GD_ANY_BOOL(false);
}

/* ---- views ------------------------------------------------------------------------------------------------ */

static gd_any get_T(gd_vm *vm, gd_tensor *t) { return apply(vm, GD_OP_T, t); }

static gd_any get_mT(gd_vm *vm, gd_tensor *t) {
    if (gd_ndim(t) >= 2) return apply(vm, GD_OP_mT, t);
    return gd_raise(vm, &gd_class_RuntimeError,
                    "tensor.mT is only supported on matrices or batches of matrices. Got %d-D tensor.", gd_ndim(t));
}

static gd_any get_H(gd_vm *vm, gd_tensor *t) {
    if (gd_ndim(t) == 0) return tensor_or_none(t);
    if (gd_ndim(t) == 2) {
        const gd_value args[] = {GD_TENSOR_VALUE(t), GD_INT_VALUE(0), GD_INT_VALUE(1)};
        return gd_new_tensor(vm, gd_do(vm->ctx, GD_OP_transpose, args, 3));
    }
    return gd_raise(vm, &gd_class_RuntimeError,
                    "tensor.H is only supported on matrices (2-D tensors). Got %d-D tensor.", gd_ndim(t));
}

static gd_any get_mH(gd_vm *vm, gd_tensor *t) {
    if (gd_ndim(t) >= 2) return apply(vm, GD_OP_mT, t);
    return gd_raise(vm, &gd_class_RuntimeError,
                    "tensor.mH is only supported on matrices or batches of matrices. Got %d-D tensor.", gd_ndim(t));
}

static gd_any get_real(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    return tensor_or_none(t);
}

static gd_any get_imag(gd_vm *vm, gd_tensor *t) {
    (void)t;
    return gd_raise(vm, &gd_class_RuntimeError, "imag is not implemented for tensors with non-complex dtypes.");
}

static gd_any get_class(gd_vm *vm, gd_tensor *t) {
    (void)vm;
    (void)t;
    return GD_ANY_CLASS(&gd_class_tensor);
}

const gd_tensor_attribute gd_tensor_attributes[] = {
    {"grad", get_grad, set_grad},
    {"_grad", get_grad, NULL},
    {"data", get_data, set_data},
    {"requires_grad", get_requires_grad, set_requires_grad},
    {"grad_fn", get_grad_fn, NULL},
    {"_grad_fn", get_grad_fn, NULL},
    {"is_leaf", get_is_leaf, NULL},
    {"retains_grad", get_retains_grad, NULL},
    {"_version", get_version, NULL},
    {"_base", get_base, NULL},
    {"output_nr", get_output_nr, NULL},
    {"shape", get_shape, NULL},
    {"dtype", get_dtype, NULL},
    {"ndim", get_ndim, NULL},
    {"itemsize", get_itemsize, NULL},
    {"nbytes", get_nbytes, NULL},
    {"device", get_device, NULL},
    {"layout", get_layout, NULL},
    {"names", get_names, NULL},
    {"name", get_none, NULL},
    {"_backward_hooks", get_none, NULL},
    {"is_cpu", get_true, NULL},
    {"is_cuda", get_false, NULL},
    {"is_sparse", get_false, NULL},
    {"is_sparse_csr", get_false, NULL},
    {"is_quantized", get_false, NULL},
    {"is_meta", get_false, NULL},
    {"is_mkldnn", get_false, NULL},
    {"is_nested", get_false, NULL},
    {"T", get_T, NULL},
    {"mT", get_mT, NULL},
    {"H", get_H, NULL},
    {"mH", get_mH, NULL},
    {"real", get_real, NULL},
    {"imag", get_imag, NULL},
    {"__class__", get_class, NULL},
    {NULL, NULL, NULL},
};
