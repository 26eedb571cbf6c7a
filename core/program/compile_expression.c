/* compile_expression.c: operators, conditions, attributes, subscripts and targets. */
#include "core/program/compile.h"

/* ---- constants ------------------------------------------------------------------------------- */

static bool constant_tuple(gd_compiler *c, gd_ast *node, gd_any *v) {
    size_t n = 0, i = 0;
    for (gd_ast *x = node->u.items; x; x = x->next, n++) {
        bool simple = (x->kind <= GD_X_STR && x->kind != GD_X_NAME) || x->kind == GD_X_UNARY;
        if (!simple || n >= 4096) return false;
    }
    gd_any tuple = gd_tuple_new(c->vm, &gd_class_tuple, n);
    if (gd_is_nil(tuple)) return gd_compile_memory(c);
    for (gd_ast *x = node->u.items; x; x = x->next, i++) {
        if (!gd_compile_constant(c, x, &((gd_tuple *)tuple.u.object)->items[i])) {
            gd_drop(c->vm->env->heap, tuple);
            return false;
        }
    }
    *v = tuple;
    return true;
}

/* -1, -1.5 */
static bool constant_negative(const gd_ast *node, gd_any *v) {
    const gd_ast *of = node->u.value;
    if (node->op != GD_PY_NEG) return false;
    if (of->kind == GD_X_FLOAT) {
        *v = GD_ANY_FLOAT(-of->u.real);
        return true;
    }
    if (of->kind != GD_X_INT || of->u.integer == INT64_MIN) return false;
    *v = GD_ANY_INT(-of->u.integer);
    return true;
}

bool gd_compile_constant(gd_compiler *c, gd_ast *node, gd_any *v) {
    switch ((gd_ast_kind)node->kind) {
    case GD_X_NONE: *v = GD_ANY_NONE; return true;
    case GD_X_TRUE: *v = GD_ANY_BOOL(true); return true;
    case GD_X_FALSE: *v = GD_ANY_BOOL(false); return true;
    case GD_X_ELLIPSIS: *v = (gd_any){.tag = GD_A_ELLIPSIS}; return true;
    case GD_X_INT: *v = GD_ANY_INT(node->u.integer); return true;
    case GD_X_FLOAT: *v = GD_ANY_FLOAT(node->u.real); return true;
    case GD_X_UNARY: return constant_negative(node, v);
    case GD_X_TUPLE: return constant_tuple(c, node, v);
    case GD_X_STR: {
        gd_any text = gd_str_new(c->vm, node->u.text.text, node->u.text.bytes);
        if (gd_is_nil(text)) return gd_compile_memory(c);
        *v = text;
        return true;
    }
    default: return false;
    }
}

/* ---- binary operators ------------------------------------------------------------------------ */

void gd_compile_binary_op(gd_compiler *c, gd_ast_op op, bool in_place) {
    static const gd_opcode fast[] = {
        [GD_PY_ADD] = GD_OP__ADD,         [GD_PY_SUB] = GD_OP__SUB,           [GD_PY_MUL] = GD_OP__MUL,
        [GD_PY_TRUEDIV] = GD_OP__TRUEDIV, [GD_PY_FLOORDIV] = GD_OP__FLOORDIV, [GD_PY_MOD] = GD_OP__MOD,
    };
    if (op <= GD_PY_MOD)
        gd_emit(c, fast[op], op, in_place, -1);
    else
        gd_emit(c, GD_OP__BINARY, op, in_place, -1);
}

static bool small_int(const gd_ast *node) {
    return node->kind == GD_X_INT && node->u.integer >= 0 && node->u.integer <= INT32_MAX;
}

static void binary_right(gd_compiler *c, gd_ast *node) {
    gd_ast *right = node->u.binary.right;
    if ((node->op == GD_PY_ADD || node->op == GD_PY_SUB) && small_int(right)) {
        c->unit->at = node->at;
        gd_emit(c, node->op == GD_PY_ADD ? GD_OP__ADD_INT : GD_OP__SUB_INT, node->op, right->u.integer, 1);
        gd_set_depth(c, c->unit->depth - 1); /* its slow way needs room for the right side */
        return;
    }
    gd_compile_value(c, right);
    c->unit->at = node->at;
    gd_compile_binary_op(c, node->op, false);
}

/* Long sums nest to the left; they are followed without recursion. */
static void compile_binary(gd_compiler *c, gd_ast *node) {
    size_t n = 0;
    for (gd_ast *x = node; x->kind == GD_X_BINARY; x = x->u.binary.left) n++;
    gd_ast **chain = gd_arena_take(&c->arena, n * sizeof(gd_ast *));
    if (!chain) {
        gd_compile_memory(c);
        return;
    }
    gd_ast *x = node;
    for (size_t i = n; i-- > 0; x = x->u.binary.left) chain[i] = x;
    gd_compile_value(c, x);
    for (size_t i = 0; i < n && !c->failed; i++) binary_right(c, chain[i]);
}

static void compile_unary(gd_compiler *c, gd_ast *node) {
    gd_compile_value(c, node->u.value);
    c->unit->at = node->at;
    if (node->op == GD_PY_NOT)
        gd_emit(c, GD_OP__NOT, 0, 0, 0);
    else
        gd_emit(c, GD_OP__UNARY, node->op, 0, 0);
}

/* ---- comparisons and conditions -------------------------------------------------------------- */

static void compare_op(gd_compiler *c, gd_ast_op op) {
    if (op >= GD_PY_LT && op <= GD_PY_GE)
        gd_emit(c, (gd_opcode)(GD_OP__LT + (op - GD_PY_LT)), op, 0, -1);
    else
        gd_emit(c, GD_OP__COMPARE, op, 0, -1);
}

static void compile_compare(gd_compiler *c, gd_ast *node) {
    gd_label end = GD_LABEL, done = GD_LABEL;
    gd_ast *item = node->u.compare.items;
    gd_compile_value(c, node->u.compare.left);
    bool chained = item->next;
    for (; item && !c->failed; item = item->next) {
        gd_compile_value(c, item->u.value);
        c->unit->at = node->at;
        if (item->next) {
            gd_emit(c, GD_OP__DUP, 0, 0, 1);
            gd_emit(c, GD_OP__ROT3, 0, 0, 0);
        }
        compare_op(c, item->op);
        if (item->next) gd_emit_jump(c, GD_OP__FALSE_OR_POP, 0, &end, -1);
    }
    if (!chained) return;
    gd_emit_jump(c, GD_OP__JUMP, 0, &done, 0);
    gd_land(c, &end);
    gd_set_depth(c, c->unit->depth + 1);
    gd_emit(c, GD_OP__SWAP, 0, 0, 0);
    gd_emit(c, GD_OP__POP, 0, 0, -1);
    gd_land(c, &done);
}

/* and, or: all but the last item may end it. */
static void compile_logic(gd_compiler *c, gd_ast *node) {
    gd_label end = GD_LABEL;
    gd_opcode op = node->kind == GD_X_AND ? GD_OP__FALSE_OR_POP : GD_OP__TRUE_OR_POP;
    for (gd_ast *n = node->u.items; n && !c->failed; n = n->next) {
        gd_compile_value(c, n);
        if (n->next) gd_emit_jump(c, op, 0, &end, -1);
    }
    gd_land(c, &end);
}

static void jump_logic(gd_compiler *c, gd_ast *node, bool when, gd_label *to) {
    gd_label past = GD_LABEL;
    bool decides = node->kind == GD_X_OR; /* the truth of an item that settles it */
    for (gd_ast *n = node->u.items; n && !c->failed; n = n->next) {
        if (!n->next)
            gd_compile_jump(c, n, when, to);
        else if (decides == when)
            gd_compile_jump(c, n, when, to);
        else
            gd_compile_jump(c, n, decides, &past);
    }
    gd_land(c, &past);
}

static bool jump_compare(gd_compiler *c, gd_ast *node, bool when, gd_label *to) {
    gd_ast *item = node->u.compare.items;
    if (item->next || item->op > GD_PY_GE) return false;
    gd_compile_value(c, node->u.compare.left);
    gd_compile_value(c, item->u.value);
    c->unit->at = node->at;
    gd_opcode base = when ? GD_OP__IF_LT : GD_OP__UNLESS_LT;
    gd_emit_jump(c, (gd_opcode)(base + (item->op - GD_PY_LT)), item->op, to, -2);
    return true;
}

void gd_compile_jump(gd_compiler *c, gd_ast *node, bool when, gd_label *to) {
    if (c->failed || !gd_compile_deeper(c, node->at)) return;
    if (node->kind == GD_X_UNARY && node->op == GD_PY_NOT) {
        gd_compile_jump(c, node->u.value, !when, to);
    } else if (node->kind == GD_X_AND || node->kind == GD_X_OR) {
        jump_logic(c, node, when, to);
    } else if (node->kind == GD_X_TRUE) {
        if (when) gd_emit_jump(c, GD_OP__JUMP_BACK, 0, to, 0);
    } else if (node->kind != GD_X_COMPARE || !jump_compare(c, node, when, to)) {
        gd_compile_value(c, node);
        c->unit->at = node->at;
        gd_emit_jump(c, when ? GD_OP__JUMP_TRUE : GD_OP__JUMP_FALSE, 0, to, -1);
    }
    c->nesting--;
}

static void compile_choice(gd_compiler *c, gd_ast *node) {
    gd_label orelse = GD_LABEL, end = GD_LABEL;
    gd_compile_jump(c, node->u.choice.test, false, &orelse);
    uint32_t depth = c->unit->depth;
    gd_compile_value(c, node->u.choice.then);
    gd_emit_jump(c, GD_OP__JUMP, 0, &end, 0);
    gd_land(c, &orelse);
    gd_set_depth(c, depth);
    gd_compile_value(c, node->u.choice.orelse);
    gd_land(c, &end);
}

/* ---- attributes and items -------------------------------------------------------------------- */

static void compile_slice(gd_compiler *c, gd_ast *node) {
    gd_ast *parts[] = {node->u.slice.start, node->u.slice.stop, node->u.slice.step};
    for (size_t i = 0; i < 3; i++) {
        if (parts[i])
            gd_compile_value(c, parts[i]);
        else
            gd_emit_constant(c, GD_ANY_NONE);
    }
    gd_emit(c, GD_OP__SLICE, 0, 0, -2);
}

void gd_compile_index(gd_compiler *c, gd_ast *index) {
    gd_compile_value(c, index); /* a tuple of slices is an ordinary tuple whose items are slices */
}

static void compile_attribute(gd_compiler *c, gd_ast *node) {
    gd_compile_value(c, node->u.attribute.value);
    c->unit->at = node->at;
    gd_emit(c, GD_OP__ATTRIBUTE, 0, gd_new_site(c, node->u.attribute.name), 0);
}

static void compile_subscript(gd_compiler *c, gd_ast *node) {
    gd_compile_value(c, node->u.subscript.value);
    gd_compile_index(c, node->u.subscript.index);
    c->unit->at = node->at;
    gd_emit(c, GD_OP__ITEM, 0, 0, -1);
}

/* ---- targets --------------------------------------------------------------------------------- */

static void unpack_target(gd_compiler *c, gd_ast *target) {
    uint32_t before = 0, after = 0, stars = 0;
    for (gd_ast *n = target->u.items; n; n = n->next) {
        if (n->kind == GD_X_STARRED)
            stars++;
        else if (stars)
            after++;
        else
            before++;
    }
    if (stars > 1) {
        gd_compile_fail(c, target->at, "SyntaxError", "multiple starred expressions in assignment");
        return;
    }
    if (stars)
        gd_emit(c, GD_OP__UNPACK_STAR, before, after, (int)(before + after) + 1);
    else
        gd_emit(c, GD_OP__UNPACK, 0, before, (int)before);
    gd_set_depth(c, c->unit->depth - 1); /* it gathers them above what it unpacks */
    for (gd_ast *n = target->u.items; n && !c->failed; n = n->next)
        gd_compile_target(c, n->kind == GD_X_STARRED ? n->u.value : n);
}

void gd_compile_target(gd_compiler *c, gd_ast *target) {
    if (c->failed || !gd_compile_deeper(c, target->at)) return;
    if (target->kind == GD_X_NAME) {
        c->unit->at = target->at;
        gd_compile_name(c, target->u.name, GD_NAME_STORE);
    } else if (target->kind == GD_X_TUPLE || target->kind == GD_X_LIST) {
        c->unit->at = target->at;
        unpack_target(c, target);
    } else if (target->kind == GD_X_ATTRIBUTE) {
        gd_compile_value(c, target->u.attribute.value);
        c->unit->at = target->at;
        gd_emit(c, GD_OP__SET_ATTRIBUTE, 0, gd_new_site(c, target->u.attribute.name), -2);
    } else if (target->kind == GD_X_SUBSCRIPT) {
        gd_compile_value(c, target->u.subscript.value);
        gd_compile_index(c, target->u.subscript.index);
        c->unit->at = target->at;
        gd_emit(c, GD_OP__SET_ITEM, 0, 0, -3);
    } else {
        const char *text = target->kind == GD_X_STARRED ? "starred assignment target must be in a list or tuple"
                                                        : "cannot assign to expression";
        gd_compile_fail(c, target->at, "SyntaxError", text);
    }
    c->nesting--;
}

/* ---- any expression -------------------------------------------------------------------------- */

static void compile_walrus(gd_compiler *c, gd_ast *node) {
    gd_compile_value(c, node->u.assign.value);
    gd_emit(c, GD_OP__DUP, 0, 0, 1);
    gd_compile_target(c, node->u.assign.targets);
}

static void compile_kind(gd_compiler *c, gd_ast *node) {
    switch ((gd_ast_kind)node->kind) {
    case GD_X_NAME: gd_compile_name(c, node->u.name, GD_NAME_LOAD); break;
    case GD_X_TUPLE:
    case GD_X_LIST:
    case GD_X_SET:
    case GD_X_DICT: gd_compile_display(c, node); break;
    case GD_X_UNARY: compile_unary(c, node); break;
    case GD_X_BINARY: compile_binary(c, node); break;
    case GD_X_AND:
    case GD_X_OR: compile_logic(c, node); break;
    case GD_X_COMPARE: compile_compare(c, node); break;
    case GD_X_CALL: gd_compile_call(c, node); break;
    case GD_X_ATTRIBUTE: compile_attribute(c, node); break;
    case GD_X_SUBSCRIPT: compile_subscript(c, node); break;
    case GD_X_SLICE: compile_slice(c, node); break;
    case GD_X_IF: compile_choice(c, node); break;
    case GD_X_LAMBDA: gd_compile_function(c, node); break;
    case GD_X_LISTCOMP:
    case GD_X_SETCOMP:
    case GD_X_DICTCOMP:
    case GD_X_GENERATOR: gd_compile_comprehension(c, node); break;
    case GD_X_FSTRING: gd_compile_fstring(c, node); break;
    case GD_X_WALRUS: compile_walrus(c, node); break;
    case GD_X_STARRED: gd_compile_fail(c, node->at, "SyntaxError", "can't use starred expression here"); break;
    default: gd_compile_fail(c, node->at, "SyntaxError", "invalid syntax"); break;
    }
}

void gd_compile_value(gd_compiler *c, gd_ast *node) {
    gd_any v;
    if (c->failed || !gd_compile_deeper(c, node->at)) return;
    c->unit->at = node->at;
    if (gd_compile_constant(c, node, &v))
        gd_emit_constant(c, v);
    else
        compile_kind(c, node);
    c->nesting--;
}
