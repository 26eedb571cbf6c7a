/* parser_simple.c: statements of one line: assignments, expressions, return, raise, del, … */
#include "core/program/parser.h"

/* ---- assignments ------------------------------------------------------------------------------------------------- */

static const uint8_t augmented_ops[GD_T_COUNT] = {
    [GD_T_PLUS_IS] = GD_PY_ADD,      [GD_T_MINUS_IS] = GD_PY_SUB,       [GD_T_STAR_IS] = GD_PY_MUL,
    [GD_T_SLASH_IS] = GD_PY_TRUEDIV, [GD_T_DSLASH_IS] = GD_PY_FLOORDIV, [GD_T_PERCENT_IS] = GD_PY_MOD,
    [GD_T_DSTAR_IS] = GD_PY_POWER,   [GD_T_AT_IS] = GD_PY_MATMUL,       [GD_T_AMPER_IS] = GD_PY_AND,
    [GD_T_VBAR_IS] = GD_PY_OR,       [GD_T_CARET_IS] = GD_PY_XOR,       [GD_T_LSHIFT_IS] = GD_PY_LSHIFT,
    [GD_T_RSHIFT_IS] = GD_PY_RSHIFT,
};

/* At the first =, behind the first target. */
static gd_ast *assign(gd_parser *p, const gd_token *from, gd_ast *value) {
    gd_ast *node = gd_p_new_from(p, GD_S_ASSIGN, from->at);
    gd_p_list targets = {0};
    if (!node) return NULL;
    while (gd_p_kind(p) == GD_T_ASSIGN) {
        if (!gd_p_is_target(value)) return NULL;
        gd_p_check_stars(p, value);
        gd_p_list_add(&targets, value);
        gd_p_skip(p);
        value = gd_p_star_expressions(p);
        if (!value) return NULL;
    }
    gd_p_check_value(p, value);
    node->u.assign.targets = targets.first;
    node->u.assign.value = value;
    return gd_p_done(p, node);
}

static gd_ast *augment(gd_parser *p, const gd_token *from, gd_ast *target, bool *cut) {
    gd_ast *node = gd_p_new_from(p, GD_S_AUGMENTED, from->at);
    if (!node || !gd_p_is_single_target(target)) return NULL;
    *cut = true;
    node->op = augmented_ops[gd_p_kind(p)];
    gd_p_skip(p);
    node->u.augmented.target = target;
    node->u.augmented.value = gd_p_star_expressions(p);
    if (!node->u.augmented.value) return NULL;
    gd_p_check_stars(p, target);
    gd_p_check_value(p, node->u.augmented.value);
    return gd_p_done(p, node);
}

static gd_ast *annotate(gd_parser *p, const gd_token *from, gd_ast *target) {
    gd_ast *node = gd_p_new_from(p, GD_S_ANNOTATED, from->at);
    if (!node || !gd_p_is_single_target(target)) return NULL;
    gd_p_skip(p);
    node->u.annotated.target = target;
    node->u.annotated.annotation = gd_p_expression(p);
    if (!node->u.annotated.annotation) return NULL;
    const gd_token *end = p->t;
    if (gd_p_accept(p, GD_T_ASSIGN)) {
        node->u.annotated.value = gd_p_star_expressions(p);
        if (p->failed) return NULL;
        if (!node->u.annotated.value) p->t = end;
        gd_p_check_value(p, node->u.annotated.value);
    }
    gd_p_check_stars(p, target);
    return gd_p_done(p, node);
}

static gd_ast *expression_statement(gd_parser *p, const gd_token *from, gd_ast *value) {
    gd_ast *node = gd_p_new_from(p, GD_S_EXPRESSION, from->at);
    if (!node) return NULL;
    node->u.value = value;
    gd_p_check_value(p, value);
    return gd_p_done(p, node);
}

/* *cut: it is an augmented assignment, well-formed or not. */
static gd_ast *assignment(gd_parser *p, bool *cut) {
    const gd_token *from = p->t;
    gd_ast *first = gd_p_star_expressions(p);
    if (!first) return NULL;
    if (gd_p_kind(p) == GD_T_ASSIGN) return assign(p, from, first);
    if (augmented_ops[gd_p_kind(p)]) return augment(p, from, first, cut);
    if (gd_p_kind(p) == GD_T_COLON) return annotate(p, from, first);
    return expression_statement(p, from, first);
}

static gd_ast *assignment_or_expression(gd_parser *p) {
    const gd_token *from = p->t;
    bool cut = false;
    gd_ast *node = assignment(p, &cut);
    if (!p->diagnose || p->failed || cut) return node;
    if (node && (node->kind != GD_S_EXPRESSION || gd_p_kind(p) == GD_T_NEWLINE || gd_p_kind(p) == GD_T_SEMI))
        return node;
    const gd_token *end = p->t;
    p->t = from;
    gd_p_invalid_assignment(p);
    p->t = end;
    return node;
}

/* ---- the others -------------------------------------------------------------------------------------------------- */

static gd_ast *word(gd_parser *p, gd_ast_kind kind) {
    gd_ast *node = gd_p_new(p, kind);
    gd_p_skip(p);
    return gd_p_done(p, node);
}

static gd_ast *return_statement(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_RETURN);
    if (!node) return NULL;
    bool told = !p->body.function && gd_p_late_error(p, GD_LATE_REST, node->at, "'return' outside function");
    gd_p_skip(p);
    if (gd_p_kind(p) != GD_T_NEWLINE && gd_p_kind(p) != GD_T_SEMI) {
        node->u.value = gd_p_star_expressions(p);
        if (!node->u.value) return NULL;
        gd_p_check_value(p, node->u.value);
    }
    node = gd_p_done(p, node);
    if (told && node) p->late_errors[GD_LATE_REST].at = node->at;
    return node;
}

static gd_ast *raise_statement(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_RAISE);
    if (!node) return NULL;
    gd_p_skip(p);
    if (gd_p_kind(p) == GD_T_NEWLINE || gd_p_kind(p) == GD_T_SEMI) return gd_p_done(p, node);
    node->u.raise.exception = gd_p_expression(p);
    if (!node->u.raise.exception) return NULL;
    if (gd_p_accept(p, GD_T_FROM)) {
        node->u.raise.cause = gd_p_expression(p);
        if (!node->u.raise.cause) return NULL;
    }
    return gd_p_done(p, node);
}

static gd_ast *assert_statement(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_ASSERT);
    if (!node) return NULL;
    gd_p_skip(p);
    node->u.assert_.test = gd_p_expression(p);
    if (!node->u.assert_.test) return NULL;
    if (gd_p_accept(p, GD_T_COMMA)) {
        node->u.assert_.message = gd_p_expression(p);
        if (!node->u.assert_.message) return NULL;
    }
    return gd_p_done(p, node);
}

static bool del_targets(gd_parser *p, gd_p_list *items) {
    do {
        if (items->n && (gd_p_kind(p) == GD_T_NEWLINE || gd_p_kind(p) == GD_T_SEMI)) break;
        gd_ast *item = gd_p_primary(p);
        if (!item || !gd_p_is_del_target(item)) return false;
        gd_p_list_add(items, item);
    } while (gd_p_accept(p, GD_T_COMMA));
    return gd_p_kind(p) == GD_T_NEWLINE || gd_p_kind(p) == GD_T_SEMI;
}

static gd_ast *del_statement(gd_parser *p) {
    const gd_token *from = p->t;
    gd_ast *node = gd_p_new(p, GD_S_DEL);
    gd_p_list items = {0};
    if (!node) return NULL;
    gd_p_skip(p);
    if (del_targets(p, &items)) {
        node->u.items = items.first;
        return gd_p_done(p, node);
    }
    if (!p->diagnose || p->failed) return NULL;
    p->t = from + 1;
    gd_ast *e = gd_p_star_expressions(p);
    return p->failed ? NULL : gd_p_fail_target(p, e, GD_TARGETS_DEL);
}

static gd_ast *names_statement(gd_parser *p, gd_ast_kind kind) {
    gd_ast *node = gd_p_new(p, kind);
    gd_p_list names = {0};
    if (!node) return NULL;
    gd_p_skip(p);
    do {
        gd_ast *name = gd_p_name_node(p);
        if (!name) return NULL;
        gd_p_list_add(&names, name);
    } while (gd_p_accept(p, GD_T_COMMA));
    node->u.items = names.first;
    (void)gd_p_done(p, node);
    if (kind == GD_S_NONLOCAL && !p->body.function)
        gd_p_late_error(p, GD_LATE_NAMES, node->at, "nonlocal declaration not allowed at module level");
    return node;
}

static gd_ast *break_statement(gd_parser *p) {
    if (!p->body.loops) gd_p_late_error(p, GD_LATE_REST, p->t->at, "'break' outside loop");
    return word(p, GD_S_BREAK);
}

static gd_ast *continue_statement(gd_parser *p) {
    if (!p->body.loops) gd_p_late_error(p, GD_LATE_REST, p->t->at, "'continue' not properly in loop");
    return word(p, GD_S_CONTINUE);
}

static gd_ast *statement(gd_parser *p) {
    switch (gd_p_kind(p)) {
    case GD_T_RETURN: return return_statement(p);
    case GD_T_RAISE: return raise_statement(p);
    case GD_T_PASS: return word(p, GD_S_PASS);
    case GD_T_DEL: return del_statement(p);
    case GD_T_ASSERT: return assert_statement(p);
    case GD_T_BREAK: return break_statement(p);
    case GD_T_CONTINUE: return continue_statement(p);
    case GD_T_GLOBAL: return names_statement(p, GD_S_GLOBAL);
    case GD_T_NONLOCAL: return names_statement(p, GD_S_NONLOCAL);
    default: return assignment_or_expression(p);
    }
}

bool gd_p_simple_statements(gd_parser *p, gd_p_list *into) {
    for (;;) {
        if (gd_p_kind(p) == GD_T_IMPORT || gd_p_kind(p) == GD_T_FROM) {
            if (!gd_p_import(p, into)) return false;
        } else {
            gd_ast *node = statement(p);
            if (!node || p->failed) return false;
            gd_p_list_add(into, node);
        }
        bool more = gd_p_accept(p, GD_T_SEMI);
        if (gd_p_accept(p, GD_T_NEWLINE)) return true;
        if (!more) return false;
    }
}
