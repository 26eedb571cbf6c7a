/* operators.c: unary, binary and comparison operators on any two values, and what Python says when there is none. */
#include "core/program/heap.h"
#include "core/program/vm.h"

static const char *const texts[] = {
    [GD_PY_ADD] = "+",         [GD_PY_SUB] = "-", [GD_PY_MUL] = "*",         [GD_PY_TRUEDIV] = "/",
    [GD_PY_FLOORDIV] = "//",   [GD_PY_MOD] = "%", [GD_PY_POWER] = "**",      [GD_PY_MATMUL] = "@",
    [GD_PY_AND] = "&",         [GD_PY_OR] = "|",  [GD_PY_XOR] = "^",         [GD_PY_LSHIFT] = "<<",
    [GD_PY_RSHIFT] = ">>",     [GD_PY_NEG] = "-", [GD_PY_POS] = "+",         [GD_PY_INVERT] = "~",
    [GD_PY_NOT] = "not",       [GD_PY_LT] = "<",  [GD_PY_LE] = "<=",         [GD_PY_EQ] = "==",
    [GD_PY_NE] = "!=",         [GD_PY_GT] = ">",  [GD_PY_GE] = ">=",         [GD_PY_IS] = "is",
    [GD_PY_IS_NOT] = "is not", [GD_PY_IN] = "in", [GD_PY_NOT_IN] = "not in",
};
static const char *const in_place_texts[] = {
    [GD_PY_ADD] = "+=",       [GD_PY_SUB] = "-=", [GD_PY_MUL] = "*=",    [GD_PY_TRUEDIV] = "/=",
    [GD_PY_FLOORDIV] = "//=", [GD_PY_MOD] = "%=", [GD_PY_POWER] = "**=", [GD_PY_MATMUL] = "@=",
    [GD_PY_AND] = "&=",       [GD_PY_OR] = "|=",  [GD_PY_XOR] = "^=",    [GD_PY_LSHIFT] = "<<=",
    [GD_PY_RSHIFT] = ">>=",
};

const char *gd_operator_text(gd_ast_op op, bool in_place) {
    if (in_place) return in_place_texts[op];
    return op == GD_PY_POWER ? "** or pow()" : texts[op];
}

static bool is_tensor_operand(gd_any v) { return v.tag == GD_A_TENSOR || gd_is_number(v); }
static bool is_tensor_pair(gd_any a, gd_any b) {
    return (a.tag == GD_A_TENSOR && is_tensor_operand(b)) || (b.tag == GD_A_TENSOR && is_tensor_operand(a));
}

/* ---- binary ---- */

/* What lists, tuples and strings say of + and * with something they do not go with. */
static gd_any refuse_sequence(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    bool left = gd_is_list(a) || gd_is_tuple(a) || gd_is_str(a);
    bool right = gd_is_list(b) || gd_is_tuple(b) || gd_is_str(b);
    if (op == GD_PY_ADD && left) {
        const char *kind = gd_is_list(a) ? "list" : gd_is_str(a) ? "str" : "tuple";
        return gd_raise(vm, &gd_class_TypeError, "can only concatenate %s (not \"%s\") to %s", kind, gd_class_label(b),
                        kind);
    }
    if (op == GD_PY_MUL && (left || right))
        return gd_raise(vm, &gd_class_TypeError, "can't multiply sequence by non-int of type '%s'",
                        gd_class_label(left ? b : a));
    return GD_NIL;
}

static gd_any refuse_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    gd_any refused = refuse_sequence(vm, op, a, b);
    if (gd_pending(vm)) return refused;
    return gd_raise(vm, &gd_class_TypeError, "unsupported operand type(s) for %s: '%s' and '%s'",
                    gd_operator_text(op, in_place), gd_class_label(a), gd_class_label(b));
}

static bool is_bitwise(gd_ast_op op) { return op >= GD_PY_MATMUL && op <= GD_PY_RSHIFT; }

static gd_any binary_numbers(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    if (is_bitwise(op) && (op == GD_PY_MATMUL || a.tag == GD_A_FLOAT || b.tag == GD_A_FLOAT))
        return refuse_binary(vm, op, a, b, in_place);
    return gd_number_binary(vm, op, a, b);
}

/* Containers, each in turn; GD_NIL without exception: none of them knows these operands. */
static gd_any binary_containers(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    gd_any answer = gd_is_str(a) || gd_is_str(b) ? gd_str_binary(vm, op, a, b) : GD_NIL;
    if (!gd_is_nil(answer) || gd_pending(vm)) return answer;
    answer = gd_sequence_binary(vm, op, a, b, in_place);
    if (!gd_is_nil(answer) || gd_pending(vm)) return answer;
    answer = gd_dict_binary(vm, op, a, b, in_place);
    if (!gd_is_nil(answer) || gd_pending(vm)) return answer;
    answer = gd_dict_view_binary(vm, op, a, b);
    if (!gd_is_nil(answer) || gd_pending(vm)) return answer;
    return gd_set_binary(vm, op, a, b, in_place);
}

gd_any gd_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    if (gd_is_number(a) && gd_is_number(b)) return binary_numbers(vm, op, a, b, in_place);
    if (is_tensor_pair(a, b)) return gd_tensor_binary(vm, op, a, b, in_place && a.tag == GD_A_TENSOR);
    if (a.tag == GD_A_OBJECT || b.tag == GD_A_OBJECT) {
        gd_any answer = binary_containers(vm, op, a, b, in_place);
        if (!gd_is_nil(answer) || gd_pending(vm)) return answer;
    }
    return refuse_binary(vm, op, a, b, in_place);
}

/* ---- unary ---- */

static gd_any unary_number(gd_vm *vm, gd_ast_op op, gd_any v) {
    if (v.tag == GD_A_FLOAT) {
        if (op == GD_PY_INVERT) return gd_raise(vm, &gd_class_TypeError, "bad operand type for unary ~: 'float'");
        return GD_ANY_FLOAT(op == GD_PY_NEG ? -v.u.f : v.u.f);
    }
    if (op == GD_PY_INVERT) return GD_ANY_INT(~v.u.i);
    if (op == GD_PY_POS) return GD_ANY_INT(v.u.i);
    return gd_number_binary(vm, GD_PY_SUB, GD_ANY_INT(0), v); /* overflows as any difference */
}

gd_any gd_unary(gd_vm *vm, gd_ast_op op, gd_any v) {
    if (op == GD_PY_NOT) {
        int truth = gd_truth(vm, v);
        return truth < 0 ? GD_NIL : GD_ANY_BOOL(!truth);
    }
    if (gd_is_number(v)) return unary_number(vm, op, v);
    if (v.tag == GD_A_TENSOR) return gd_tensor_unary(vm, op, v.u.tensor);
    return gd_raise(vm, &gd_class_TypeError, "bad operand type for unary %s: '%s'", texts[op], gd_class_label(v));
}

/* ---- comparisons ---- */

/* Is there an equal item among those that iteration gives? */
static int contains_by_iteration(gd_vm *vm, gd_any v, gd_any item) {
    gd_any iterator = gd_iterate(vm, v);
    if (gd_is_nil(iterator)) return -1;
    gd_heap *heap = gd_vm_heap(vm);
    int found = 0, more;
    gd_any x;
    while (!found && (more = gd_next(vm, iterator, &x)) != 0) {
        if (more < 0 || !gd_work(vm, 1)) {
            if (more > 0) gd_drop(heap, x);
            found = -1;
        } else {
            found = gd_equal(vm, x, item);
            gd_drop(heap, x);
        }
    }
    gd_drop(heap, iterator);
    return found;
}

static int contains(gd_vm *vm, gd_any v, gd_any item) {
    int (*slot)(gd_vm *, gd_any, gd_any);
    gd_any (*iter)(gd_vm *, gd_any);
    const gd_class *c = gd_class_of(v);
    GD_SLOT(c, contains, slot);
    if (slot) return slot(vm, v, item);
    GD_SLOT(c, iter, iter);
    if (iter) return contains_by_iteration(vm, v, item);
    gd_raise(vm, &gd_class_TypeError, "argument of type '%s' is not iterable", gd_class_label(v));
    return -1;
}

static gd_any compare_str(gd_ast_op op, const gd_str *a, const gd_str *b) {
    size_t least = a->bytes < b->bytes ? a->bytes : b->bytes;
    int order = __builtin_memcmp(a->text, b->text, least); /* bytes of UTF-8 are in the order of the characters */
    if (!order) order = (a->bytes > b->bytes) - (a->bytes < b->bytes);
    switch (op) {
    case GD_PY_LT: return GD_ANY_BOOL(order < 0);
    case GD_PY_LE: return GD_ANY_BOOL(order <= 0);
    case GD_PY_GT: return GD_ANY_BOOL(order > 0);
    default: return GD_ANY_BOOL(order >= 0);
    }
}

/* == and != of what is neither two numbers nor goes through tensors' ops. Unlike in containers, the same value is not
 * taken to be equal without asking. */
static gd_any compare_equal(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    bool with_tensor = a.tag == GD_A_TENSOR || b.tag == GD_A_TENSOR;
    int equal = with_tensor ? gd_same(a, b) : gd_equal(vm, a, b);
    return equal < 0 ? GD_NIL : GD_ANY_BOOL(equal == (op == GD_PY_EQ));
}

static gd_any compare_order(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    if (gd_is_str(a) && gd_is_str(b)) return compare_str(op, gd_as_str(a), gd_as_str(b));
    gd_any answer = gd_sequence_compare(vm, op, a, b);
    if (!gd_is_nil(answer) || gd_pending(vm)) return answer;
    answer = gd_set_compare(vm, op, a, b);
    if (!gd_is_nil(answer) || gd_pending(vm)) return answer;
    answer = gd_dict_view_compare(vm, op, a, b);
    if (!gd_is_nil(answer) || gd_pending(vm)) return answer;
    return gd_raise(vm, &gd_class_TypeError, "'%s' not supported between instances of '%s' and '%s'", texts[op],
                    gd_class_label(a), gd_class_label(b));
}

gd_any gd_compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    if (op == GD_PY_IS || op == GD_PY_IS_NOT) return GD_ANY_BOOL(gd_same(a, b) == (op == GD_PY_IS));
    if (op == GD_PY_IN || op == GD_PY_NOT_IN) {
        int found = contains(vm, b, a);
        return found < 0 ? GD_NIL : GD_ANY_BOOL(found == (op == GD_PY_IN));
    }
    if (gd_is_number(a) && gd_is_number(b)) return gd_number_compare(op, a, b);
    if (is_tensor_pair(a, b)) return gd_tensor_binary(vm, op, a, b, false);
    if (op == GD_PY_EQ || op == GD_PY_NE) return compare_equal(vm, op, a, b);
    return compare_order(vm, op, a, b);
}
