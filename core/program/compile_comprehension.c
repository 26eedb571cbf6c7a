/* compile_comprehension.c: list, set and dict comprehensions, which run in the frame around them with variables of
 * their own, and generator expressions, which are functions that yield. */
#include "core/program/compile.h"

typedef struct gathering {
    gd_ast *element;
    gd_opcode put; /* YIELD for a generator */
    uint32_t depth;
} gathering;

static void gather(gd_compiler *c, const gathering *g) {
    gd_ast *element = g->element;
    if (element->kind == GD_X_PAIR && g->put == GD_OP__DICT_PUT) {
        gd_compile_value(c, element->u.pair.key);
        gd_compile_value(c, element->u.pair.value);
        gd_emit(c, g->put, 0, g->depth, -2);
    } else {
        gd_compile_value(c, element);
        gd_emit(c, g->put, 0, g->depth, -1);
    }
}

/* One `for` and what is inside. The iterable of the first is on the stack already. */
static void compile_clause(gd_compiler *c, gd_ast_clause *clause, bool first, const gathering *g) {
    if (c->failed || !gd_compile_deeper(c, clause->target->at)) return;
    gd_label again = GD_LABEL, end = GD_LABEL;
    if (!first) {
        gd_compile_value(c, clause->iterable);
        c->unit->at = clause->iterable->at;
        gd_emit(c, GD_OP__ITERATE, 0, 0, 2);
    }
    gd_land(c, &again);
    c->unit->at = clause->iterable->at;
    gd_emit_jump(c, GD_OP__NEXT, 0, &end, 1);
    gd_compile_target(c, clause->target);
    for (gd_ast *test = clause->conditions; test && !c->failed; test = test->next)
        gd_compile_jump(c, test, false, &again);
    if (clause->next)
        compile_clause(c, clause->next, false, g);
    else
        gather(c, g);
    gd_emit_jump(c, GD_OP__JUMP_BACK, 0, &again, 0);
    gd_land(c, &end);
    if (!c->failed) gd_set_depth(c, c->unit->depth - 3);
    c->nesting--;
}

static void fresh_cells(gd_compiler *c, const gd_scope *scope) {
    for (const gd_symbol *y = scope->first; y; y = y->next)
        if (y->captured && y->target == y) gd_emit(c, GD_OP__NEW_CELL, 0, y->slot, 0);
}

/* The variables go when the comprehension is done, as Python's do. */
static void clear_variables(gd_compiler *c, const gd_scope *scope) {
    for (const gd_symbol *y = scope->first; y; y = y->next)
        if (y->target == y) gd_emit(c, GD_OP__CLEAR_LOCAL, 0, y->slot, 0);
}

static void compile_inline(gd_compiler *c, gd_ast *node) {
    static const gd_opcode make[] = {
        [GD_X_LISTCOMP] = GD_OP__LIST, [GD_X_SETCOMP] = GD_OP__SET, [GD_X_DICTCOMP] = GD_OP__DICT};
    static const gd_opcode put[] = {
        [GD_X_LISTCOMP] = GD_OP__APPEND, [GD_X_SETCOMP] = GD_OP__SET_ADD, [GD_X_DICTCOMP] = GD_OP__DICT_PUT};
    gd_scope *outer = c->unit->scope, *inner = node->u.comprehension.scope;
    gd_ast_clause *clause = node->u.comprehension.clauses;
    gathering g = {node->u.comprehension.element, put[node->kind], c->unit->depth};
    gd_emit(c, make[node->kind], 0, 0, 1);
    gd_compile_value(c, clause->iterable);
    c->unit->at = clause->iterable->at;
    gd_emit(c, GD_OP__ITERATE, 0, 0, 2);
    gd_name_locals(c, inner);
    c->unit->scope = inner;
    fresh_cells(c, inner);
    compile_clause(c, clause, true, &g);
    clear_variables(c, inner);
    c->unit->scope = outer;
}

static gd_bytecode *generator_code(gd_compiler *c, gd_ast *node) {
    gd_unit unit;
    gd_scope *scope = node->u.comprehension.scope;
    gd_unit_begin(c, &unit, scope, "<genexpr>");
    if (unit.code) {
        unit.code->npositional = 1;
        unit.code->plain = true;
    }
    fresh_cells(c, scope);
    gathering g = {node->u.comprehension.element, GD_OP__YIELD, 0};
    /* The caller made the loop: its iterator is the parameter. */
    gd_emit(c, GD_OP__LOCAL, 0, 0, 1);
    gd_emit(c, GD_OP__CLEAR_LOCAL, 0, 0, 0);
    gd_emit(c, GD_OP__ITERATE, 0, 0, 2);
    compile_clause(c, node->u.comprehension.clauses, true, &g);
    gd_emit_constant(c, GD_ANY_NONE);
    gd_emit(c, GD_OP__RETURN, 0, 0, -1);
    return gd_unit_end(c);
}

static void compile_generator(gd_compiler *c, gd_ast *node) {
    uint32_t ncells;
    gd_compile_value(c, node->u.comprehension.clauses->iterable);
    gd_push_cells(c, node->u.comprehension.scope, &ncells);
    gd_bytecode *code = generator_code(c, node);
    c->unit->at = node->at;
    if (!code) return;
    gd_emit(c, GD_OP__FUNCTION, 0, gd_constant(c, GD_ANY_OBJECT(code)), 1 - (int)ncells);
    gd_emit(c, GD_OP__GENERATOR, 0, 0, -1);
}

void gd_compile_comprehension(gd_compiler *c, gd_ast *node) {
    if (node->kind == GD_X_GENERATOR)
        compile_generator(c, node);
    else
        compile_inline(c, node);
}
