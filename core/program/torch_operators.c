/* torch_operators.c: Python's operators on tensors, as PyTorch gives them meaning. */
#include "core/program/torch_ops.h"

enum { NO_ROW = -1 };

/* What an operator is in the op table. `number`: the row for tensor op number where it differs; `reflected`: the row
 * for number op tensor with the operands swapped, or with `kept` as they are. */
typedef struct operation {
    int row, number, reflected;
    bool kept;    /* number op tensor keeps the order of its operands */
    bool inplace; /* tensors have op= of their own */
} operation;

static const operation operations[] = {
    [GD_PY_ADD] = {GD_OP_add, GD_OP_add, GD_OP_add, false, true},
    [GD_PY_SUB] = {GD_OP_sub, GD_OP_sub, GD_OP_rsub_scalar, false, true},
    [GD_PY_MUL] = {GD_OP_mul, GD_OP_mul, GD_OP_mul, false, true},
    [GD_PY_TRUEDIV] = {GD_OP_div, GD_OP_div, NO_ROW, false, true},
    [GD_PY_FLOORDIV] = {GD_OP_floor_divide, GD_OP_floor_divide_scalar, GD_OP_floor_divide, true, true},
    [GD_PY_MOD] = {GD_OP_remainder, GD_OP_remainder_scalar, GD_OP_remainder, true, true},
    [GD_PY_POWER] = {GD_OP_pow, GD_OP_pow_scalar, NO_ROW, true, true},
    [GD_PY_MATMUL] = {GD_OP_matmul, NO_ROW, NO_ROW, false, false},
    [GD_PY_AND] = {GD_OP_bitwise_and, GD_OP_bitwise_and, GD_OP_bitwise_and, true, true},
    [GD_PY_OR] = {GD_OP_bitwise_or, GD_OP_bitwise_or, GD_OP_bitwise_or, true, true},
    [GD_PY_XOR] = {GD_OP_bitwise_xor, GD_OP_bitwise_xor, GD_OP_bitwise_xor, true, true},
    [GD_PY_LSHIFT] = {NO_ROW, NO_ROW, NO_ROW, false, false},
    [GD_PY_RSHIFT] = {NO_ROW, NO_ROW, NO_ROW, false, false},
    [GD_PY_LT] = {GD_OP_lt, GD_OP_lt, GD_OP_gt, false, false},
    [GD_PY_LE] = {GD_OP_le, GD_OP_le, GD_OP_ge, false, false},
    [GD_PY_EQ] = {GD_OP_eq, GD_OP_eq, GD_OP_eq, false, false},
    [GD_PY_NE] = {GD_OP_ne, GD_OP_ne, GD_OP_ne, false, false},
    [GD_PY_GT] = {GD_OP_gt, GD_OP_gt, GD_OP_lt, false, false},
    [GD_PY_GE] = {GD_OP_ge, GD_OP_ge, GD_OP_le, false, false},
};

static const char *const symbols[] = {
    [GD_PY_ADD] = "+",
    [GD_PY_SUB] = "-",
    [GD_PY_MUL] = "*",
    [GD_PY_TRUEDIV] = "/",
    [GD_PY_FLOORDIV] = "//",
    [GD_PY_MOD] = "%",
    [GD_PY_POWER] = "** or pow()",
    [GD_PY_MATMUL] = "@",
    [GD_PY_AND] = "&",
    [GD_PY_OR] = "|",
    [GD_PY_XOR] = "^",
    [GD_PY_LSHIFT] = "<<",
    [GD_PY_RSHIFT] = ">>",
};

static gd_any fail_operands(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    const char *symbol = op == GD_PY_POWER && in_place ? "**" : symbols[op];
    return gd_raise(vm, &gd_class_TypeError, "unsupported operand type(s) for %s%s: '%s' and '%s'", symbol,
                    in_place ? "=" : "", gd_class_label(a), gd_class_label(b));
}

/* The operand as the parameter of a row wants it: numbers stay where it has Scalar, else are wrapped into *made. */
static bool operand(gd_ctx *ctx, gd_any v, gd_type type, gd_value *out, gd_tensor **made) {
    if (v.tag == GD_A_TENSOR) {
        *out = GD_TENSOR_VALUE(v.u.tensor);
    } else if (type == GD_T_SCALAR) {
        *out = v.tag == GD_A_FLOAT  ? GD_FLOAT_VALUE(v.u.f)
               : v.tag == GD_A_BOOL ? GD_BOOL_VALUE(v.u.i != 0)
                                    : GD_INT_VALUE(v.u.i);
    } else {
        if (!(*made = gd_wrapped_number(ctx, v))) return false;
        *out = GD_TENSOR_VALUE(*made);
    }
    return true;
}

/* Applies a row to two operands. */
static gd_any apply(gd_vm *vm, int row, gd_any a, gd_any b, bool in_place) {
    gd_ctx *ctx = vm->ctx;
    gd_tensor *made_a = NULL, *made_b = NULL, *t = NULL;
    gd_value args[2];
    const gd_param *p = gd_ops[row].params;
    if (operand(ctx, a, p[0].type, &args[0], &made_a) && operand(ctx, b, p[1].type, &args[1], &made_b)) {
        if (!in_place)
            t = gd_do(ctx, (gd_op_id)row, args, 2);
        else if (!gd_do_inplace(ctx, (gd_op_id)row, args, 2))
            t = gd_retain(a.u.tensor);
    }
    gd_release(made_a);
    gd_release(made_b);
    return t ? GD_ANY_TENSOR(t) : gd_raise_engine(vm);
}

/* number / tensor: tensor.reciprocal() * number. */
static gd_any divide_number(gd_vm *vm, gd_any a, gd_tensor *b) {
    gd_tensor *r = gd_do(vm->ctx, GD_OP_reciprocal, (const gd_value[]){GD_TENSOR_VALUE(b)}, 1);
    if (!r) return gd_raise_engine(vm);
    gd_any result = apply(vm, GD_OP_mul, GD_ANY_TENSOR(r), a, false);
    gd_release(r);
    return result;
}

/* number ** tensor: torch.tensor(number, dtype=torch.result_type(number, tensor)) ** tensor. */
static gd_any power_of_number(gd_vm *vm, gd_any a, gd_tensor *b) {
    gd_ctx *ctx = vm->ctx;
    gd_tensor *number = gd_wrapped_number(ctx, a), *base = NULL;
    if (!number) return gd_raise_engine(vm);
    gd_dtype dtype = gd_result_type((gd_tensor *const[]){number, b}, 2);
    gd_release(number);
    base = a.tag == GD_A_FLOAT ? gd_scalar_f64(ctx, a.u.f, dtype) : gd_scalar_i64(ctx, a.u.i, dtype);
    if (!base) return gd_raise_engine(vm);
    gd_any result = apply(vm, GD_OP_pow, GD_ANY_TENSOR(base), GD_ANY_TENSOR(b), false);
    gd_release(base);
    return result;
}

static gd_any reflected(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    const operation *o = &operations[op];
    if (op == GD_PY_TRUEDIV) return divide_number(vm, a, b.u.tensor);
    if (op == GD_PY_POWER) return power_of_number(vm, a, b.u.tensor);
    if (o->reflected == NO_ROW) return fail_operands(vm, op, a, b, false);
    return o->kept ? apply(vm, o->reflected, a, b, false) : apply(vm, o->reflected, b, a, false);
}

gd_any gd_tensor_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    const operation *o = &operations[op];
    if (a.tag != GD_A_TENSOR) return reflected(vm, op, a, b);
    int row = b.tag == GD_A_TENSOR ? o->row : o->number;
    if (row == NO_ROW) return fail_operands(vm, op, a, b, in_place);
    return apply(vm, row, a, b, in_place && o->inplace);
}

gd_any gd_tensor_unary(gd_vm *vm, gd_ast_op op, gd_tensor *t) {
    if (op == GD_PY_POS && gd_dtype_of(t) == GD_BOOL)
        return gd_raise(vm, &gd_class_RuntimeError, "The `+` operator, on a bool tensor is not supported.");
    if (op == GD_PY_POS) return GD_ANY_TENSOR(gd_retain(t));
    if (op == GD_PY_NOT) {
        int truth = gd_tensor_truth(vm, t);
        return truth < 0 ? GD_NIL : GD_ANY_BOOL(!truth);
    }
    if (op == GD_PY_INVERT && gd_dtype_is_float(gd_dtype_of(t)))
        return gd_raise(vm, &gd_class_TypeError,
                        "~ (operator.invert) is only implemented on integer and Boolean-type tensors");
    gd_tensor *r =
        gd_do(vm->ctx, op == GD_PY_NEG ? GD_OP_neg : GD_OP_bitwise_not, (const gd_value[]){GD_TENSOR_VALUE(t)}, 1);
    return r ? GD_ANY_TENSOR(r) : gd_raise_engine(vm);
}
