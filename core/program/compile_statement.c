/* compile_statement.c: statements, save try and with. */
#include "core/program/compile.h"

#include <string.h>

/* ---- assignments ----------------------------------------------------------------------------- */

static bool stars(const gd_ast *items) {
    for (; items; items = items->next)
        if (items->kind == GD_X_STARRED) return true;
    return false;
}

static size_t count(const gd_ast *items) {
    size_t n = 0;
    for (; items; items = items->next) n++;
    return n;
}

/* a, b = b, a needs no tuple. */
static bool assign_parallel(gd_compiler *c, gd_ast *node) {
    gd_ast *target = node->u.assign.targets, *value = node->u.assign.value;
    if (target->next || target->kind != GD_X_TUPLE || value->kind != GD_X_TUPLE) return false;
    size_t n = count(target->u.items);
    if (n < 2 || n > 3 || n != count(value->u.items) || stars(target->u.items) || stars(value->u.items)) return false;
    for (gd_ast *x = value->u.items; x; x = x->next) gd_compile_value(c, x);
    if (n == 3) gd_emit(c, GD_OP__ROT3, 0, 0, 0);
    gd_emit(c, GD_OP__SWAP, 0, 0, 0);
    for (gd_ast *x = target->u.items; x; x = x->next) gd_compile_target(c, x);
    return true;
}

static void compile_assign(gd_compiler *c, gd_ast *node) {
    if (assign_parallel(c, node)) return;
    gd_compile_value(c, node->u.assign.value);
    for (gd_ast *t = node->u.assign.targets; t && !c->failed; t = t->next) {
        if (t->next) gd_emit(c, GD_OP__DUP, 0, 0, 1);
        gd_compile_target(c, t);
    }
}

static bool bump(gd_compiler *c, gd_ast *node) {
    gd_ast *value = node->u.augmented.value;
    if (value->kind != GD_X_INT || node->op != GD_PY_ADD) return false;
    return gd_compile_bump(c, node->u.augmented.target->u.name, value->u.integer);
}

static void augment_value(gd_compiler *c, gd_ast *node) {
    gd_compile_value(c, node->u.augmented.value);
    c->unit->at = node->at;
    gd_compile_binary_op(c, node->op, true);
}

static void compile_augmented(gd_compiler *c, gd_ast *node) {
    gd_ast *target = node->u.augmented.target;
    if (target->kind == GD_X_NAME) {
        if (bump(c, node)) return;
        gd_compile_value(c, target);
        augment_value(c, node);
        gd_compile_name(c, target->u.name, GD_NAME_STORE);
    } else if (target->kind == GD_X_ATTRIBUTE) {
        gd_compile_value(c, target->u.attribute.value);
        c->unit->at = target->at;
        gd_emit(c, GD_OP__DUP, 0, 0, 1);
        gd_emit(c, GD_OP__ATTRIBUTE, 0, gd_new_site(c, target->u.attribute.name), 0);
        augment_value(c, node);
        gd_emit(c, GD_OP__SWAP, 0, 0, 0);
        gd_emit(c, GD_OP__SET_ATTRIBUTE, 0, gd_new_site(c, target->u.attribute.name), -2);
    } else if (target->kind == GD_X_SUBSCRIPT) {
        gd_compile_value(c, target->u.subscript.value);
        gd_compile_index(c, target->u.subscript.index);
        c->unit->at = target->at;
        gd_emit(c, GD_OP__DUP2, 0, 0, 2);
        gd_emit(c, GD_OP__ITEM, 0, 0, -1);
        augment_value(c, node);
        gd_emit(c, GD_OP__ROT3, 0, 0, 0);
        gd_emit(c, GD_OP__SET_ITEM, 0, 0, -3);
    } else {
        gd_compile_fail(c, target->at, "SyntaxError", "illegal expression for augmented assignment");
    }
}

static void compile_delete(gd_compiler *c, gd_ast *target) {
    if (c->failed || !gd_compile_deeper(c, target->at)) return;
    c->unit->at = target->at;
    if (target->kind == GD_X_NAME) {
        gd_compile_name(c, target->u.name, GD_NAME_DELETE);
    } else if (target->kind == GD_X_ATTRIBUTE) {
        gd_compile_value(c, target->u.attribute.value);
        gd_emit(c, GD_OP__DELETE_ATTRIBUTE, 0, gd_new_site(c, target->u.attribute.name), -1);
    } else if (target->kind == GD_X_SUBSCRIPT) {
        gd_compile_value(c, target->u.subscript.value);
        gd_compile_index(c, target->u.subscript.index);
        c->unit->at = target->at;
        gd_emit(c, GD_OP__DELETE_ITEM, 0, 0, -2);
    } else if (target->kind == GD_X_TUPLE || target->kind == GD_X_LIST) {
        for (gd_ast *x = target->u.items; x && !c->failed; x = x->next) compile_delete(c, x);
    } else {
        gd_compile_fail(c, target->at, "SyntaxError", "cannot delete expression");
    }
    c->nesting--;
}

/* ---- control --------------------------------------------------------------------------------- */

static void compile_if(gd_compiler *c, gd_ast *node) {
    gd_label end = GD_LABEL;
    uint32_t depth = c->unit->depth;
    while (!c->failed) {
        gd_label orelse = GD_LABEL;
        gd_compile_jump(c, node->u.branch.test, false, &orelse);
        gd_compile_statements(c, node->u.branch.body);
        gd_ast *next = node->u.branch.orelse;
        if (next) gd_emit_jump(c, GD_OP__JUMP, 0, &end, 0);
        gd_land(c, &orelse);
        gd_set_depth(c, depth);
        if (!next || next->kind != GD_S_IF || next->next) {
            gd_compile_statements(c, next);
            break;
        }
        node = next;
        c->unit->at = node->at;
    }
    gd_land(c, &end);
}

static void loop_begin(gd_compiler *c, gd_block *loop, gd_label *on_break, gd_label *on_continue) {
    gd_block_begin(c, loop, GD_BLOCK_LOOP);
    loop->on_break = on_break;
    loop->on_continue = on_continue;
}

static void compile_while(gd_compiler *c, gd_ast *node) {
    gd_label body = GD_LABEL, test = GD_LABEL, end = GD_LABEL;
    gd_block loop;
    loop_begin(c, &loop, &end, &test);
    loop.inside = loop.depth;
    if (node->u.branch.test->kind != GD_X_TRUE) gd_emit_jump(c, GD_OP__JUMP, 0, &test, 0);
    gd_land(c, &body);
    gd_compile_statements(c, node->u.branch.body);
    gd_land(c, &test);
    gd_compile_jump(c, node->u.branch.test, true, &body);
    gd_block_end(c);
    gd_compile_statements(c, node->u.branch.orelse);
    gd_land(c, &end);
}

static void compile_for(gd_compiler *c, gd_ast *node) {
    gd_label again = GD_LABEL, exhausted = GD_LABEL, end = GD_LABEL;
    gd_block loop;
    gd_ast *target = node->u.loop.target;
    gd_compile_value(c, node->u.loop.iterable);
    c->unit->at = node->u.loop.iterable->at;
    gd_emit(c, GD_OP__ITERATE, 0, 0, 2);
    loop_begin(c, &loop, &end, &again);
    loop.inside = loop.depth;
    loop.depth -= 3;
    gd_land(c, &again);
    c->unit->at = node->u.loop.iterable->at;
    int64_t slot = target->kind == GD_X_NAME ? gd_plain_local(c, target->u.name) : -1;
    gd_emit_jump(c, slot >= 0 ? GD_OP__NEXT_LOCAL : GD_OP__NEXT, slot >= 0 ? (uint32_t)slot : 0, &exhausted, 1);
    if (slot >= 0)
        gd_set_depth(c, loop.inside);
    else
        gd_compile_target(c, target);
    gd_compile_statements(c, node->u.loop.body);
    gd_emit_jump(c, GD_OP__JUMP_BACK, 0, &again, 0);
    gd_block_end(c);
    gd_land(c, &exhausted);
    gd_set_depth(c, loop.depth);
    gd_compile_statements(c, node->u.loop.orelse);
    gd_land(c, &end);
}

static void compile_break(gd_compiler *c, gd_ast *node) {
    bool on = node->kind == GD_S_CONTINUE;
    gd_block *loop = c->unit->blocks;
    while (loop && loop->kind != GD_BLOCK_LOOP) loop = loop->outer;
    if (!loop) {
        gd_compile_fail(c, node->at, "SyntaxError", on ? "'continue' not properly in loop" : "'break' outside loop");
        return;
    }
    gd_leave_blocks(c, loop);
    uint32_t depth = on ? loop->inside : loop->depth;
    if (c->unit->depth != depth) gd_emit(c, GD_OP__POP_TO, 0, depth, 0);
    gd_set_depth(c, depth);
    /* A while loop's test counts the step itself; a for loop's head is behind us. */
    gd_label *to = on ? loop->on_continue : loop->on_break;
    gd_emit_jump(c, on && to->at >= 0 ? GD_OP__JUMP_BACK : GD_OP__JUMP, 0, to, 0);
}

static void compile_return(gd_compiler *c, gd_ast *node) {
    if (c->unit->scope->owner->kind != GD_SCOPE_FUNCTION) {
        gd_compile_fail(c, node->at, "SyntaxError", "'return' outside function");
        return;
    }
    if (node->u.value)
        gd_compile_value(c, node->u.value);
    else
        gd_emit_constant(c, GD_ANY_NONE);
    gd_leave_blocks(c, NULL);
    gd_emit(c, GD_OP__RETURN, 0, 0, -1);
}

static void compile_raise(gd_compiler *c, gd_ast *node) {
    int n = 0;
    if (node->u.raise.exception) gd_compile_value(c, node->u.raise.exception), n++;
    if (node->u.raise.cause) gd_compile_value(c, node->u.raise.cause), n++;
    c->unit->at = node->at;
    gd_emit(c, GD_OP__RAISE, (uint32_t)n, 0, -n);
}

static void compile_assert(gd_compiler *c, gd_ast *node) {
    gd_label holds = GD_LABEL;
    gd_compile_jump(c, node->u.assert_.test, true, &holds);
    gd_emit_constant(c, GD_ANY_CLASS(&gd_class_AssertionError));
    if (node->u.assert_.message) gd_compile_value(c, node->u.assert_.message);
    c->unit->at = node->u.assert_.test->at;
    if (node->u.assert_.message) gd_emit(c, GD_OP__CALL, 1, gd_new_site(c, NULL), -1);
    gd_emit(c, GD_OP__RAISE, 1, 0, -1);
    gd_land(c, &holds);
}

/* ---- imports --------------------------------------------------------------------------------- */

static void emit_import(gd_compiler *c, const char *module) {
    gd_any name = gd_keep(gd_text_of(c, module));
    gd_emit(c, GD_OP__IMPORT, 0, gd_constant(c, name), 1);
}

static void compile_import(gd_compiler *c, gd_ast *node) {
    const char *module = node->u.import.module, *alias = node->u.import.alias;
    const char *dot = strchr(module, '.');
    emit_import(c, module);
    if (alias || !dot) {
        gd_compile_name(c, alias ? alias : module, GD_NAME_STORE);
        return;
    }
    /* import torch.optim makes sure of the part, and binds the whole */
    size_t n = (size_t)(dot - module);
    char *top = gd_arena_take(&c->arena, n + 1);
    if (!top) {
        gd_compile_memory(c);
        return;
    }
    memcpy(top, module, n);
    gd_emit(c, GD_OP__POP, 0, 0, -1);
    emit_import(c, top);
    gd_compile_name(c, top, GD_NAME_STORE);
}

static void compile_from(gd_compiler *c, gd_ast *node) {
    emit_import(c, node->u.from.module);
    for (gd_ast *x = node->u.from.items; x && !c->failed; x = x->next) {
        gd_any name = gd_keep(gd_text_of(c, x->u.import.module));
        gd_emit(c, GD_OP__IMPORT_FROM, 0, gd_constant(c, name), 1);
        gd_compile_name(c, x->u.import.alias ? x->u.import.alias : x->u.import.module, GD_NAME_STORE);
    }
    gd_emit(c, GD_OP__POP, 0, 0, -1);
}

/* ---- any statement --------------------------------------------------------------------------- */

static void compile_expression(gd_compiler *c, gd_ast *node) {
    gd_compile_value(c, node->u.value);
    if (node == c->last)
        gd_emit(c, GD_OP__RETURN, 0, 0, -1);
    else
        gd_emit(c, GD_OP__POP, 0, 0, -1);
}

static void compile_statement(gd_compiler *c, gd_ast *node) {
    switch ((gd_ast_kind)node->kind) {
    case GD_S_EXPRESSION: compile_expression(c, node); break;
    case GD_S_ASSIGN: compile_assign(c, node); break;
    case GD_S_AUGMENTED: compile_augmented(c, node); break;
    case GD_S_ANNOTATED: /* annotations are not evaluated */
        if (!node->u.annotated.value) break;
        gd_compile_value(c, node->u.annotated.value);
        gd_compile_target(c, node->u.annotated.target);
        break;
    case GD_S_IF: compile_if(c, node); break;
    case GD_S_WHILE: compile_while(c, node); break;
    case GD_S_FOR: compile_for(c, node); break;
    case GD_S_DEF:
        gd_compile_function(c, node);
        gd_compile_name(c, node->u.function.name, GD_NAME_STORE);
        break;
    case GD_S_RETURN: compile_return(c, node); break;
    case GD_S_BREAK:
    case GD_S_CONTINUE: compile_break(c, node); break;
    case GD_S_WITH: gd_compile_with(c, node); break;
    case GD_S_TRY: gd_compile_try(c, node); break;
    case GD_S_RAISE: compile_raise(c, node); break;
    case GD_S_ASSERT: compile_assert(c, node); break;
    case GD_S_DEL:
        for (gd_ast *t = node->u.items; t && !c->failed; t = t->next) compile_delete(c, t);
        break;
    case GD_S_IMPORT: compile_import(c, node); break;
    case GD_S_FROM: compile_from(c, node); break;
    default: break; /* pass, global, nonlocal */
    }
}

void gd_compile_statements(gd_compiler *c, gd_ast *list) {
    uint32_t depth = c->unit->depth;
    for (gd_ast *node = list; node && !c->failed; node = node->next) {
        if (!gd_compile_deeper(c, node->at)) return;
        c->unit->at = node->at;
        compile_statement(c, node);
        gd_set_depth(c, depth);
        c->nesting--;
    }
}
