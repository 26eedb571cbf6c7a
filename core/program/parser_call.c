/* parser_call.c: the arguments of calls, and the insides of subscripts. */
#include "core/program/parser.h"

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static gd_ast *keyword(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_X_KEYWORD);
    if (!node) return NULL;
    if (gd_p_kind(p) == GD_T_NAME) {
        node->u.keyword.name = p->t->name->text;
        gd_p_skip(p);
    }
    gd_p_skip(p); /* = or ** */
    node->u.keyword.value = gd_p_expression(p);
    return node->u.keyword.value ? gd_p_done(p, node) : NULL;
}

static gd_ast *positional(gd_parser *p) {
    if (gd_p_kind(p) == GD_T_STAR) return gd_p_starred(p, gd_p_expression);
    if (gd_p_kind(p) == GD_T_NAME && gd_p_follows(p, GD_T_WALRUS)) return gd_p_walrus(p);
    gd_ast *node = gd_p_expression(p);
    return gd_p_kind(p) == GD_T_WALRUS || gd_p_kind(p) == GD_T_ASSIGN ? NULL : node;
}

/* An argument that may stand among those by keyword: name=value, *value before the first **value. */
static gd_ast *keyword_or_starred(gd_parser *p, bool double_starred) {
    const gd_token *from = p->t;
    if (p->diagnose) {
        gd_p_invalid_keyword(p);
        p->t = from;
        if (p->failed) return NULL;
    }
    if (gd_p_kind(p) == GD_T_NAME && gd_p_follows(p, GD_T_ASSIGN)) return keyword(p);
    if (gd_p_kind(p) == GD_T_STAR && !double_starred) return gd_p_starred(p, gd_p_expression);
    return gd_p_kind(p) == GD_T_DSTAR ? keyword(p) : NULL;
}

static bool begins_keyword(gd_parser *p) {
    return gd_p_kind(p) == GD_T_DSTAR || (gd_p_kind(p) == GD_T_NAME && gd_p_follows(p, GD_T_ASSIGN));
}

/* One argument. *by_keyword: one by keyword has come; *double_starred: one with ** has. */
static gd_ast *argument(gd_parser *p, bool *by_keyword, bool *double_starred) {
    const gd_token *from = p->t;
    if (!*by_keyword && !begins_keyword(p)) {
        gd_ast *node = positional(p);
        if (node || p->failed || !p->diagnose) return node;
        p->t = from;
    }
    gd_ast *node = keyword_or_starred(p, *double_starred);
    *by_keyword = true;
    if (node && node->kind == GD_X_KEYWORD && !node->u.keyword.name) *double_starred = true;
    return node;
}

bool gd_p_args(gd_parser *p, gd_p_list *args) {
    bool by_keyword = false, double_starred = false;
    for (;;) {
        const gd_token *mark = p->t;
        if (args->n && !gd_p_accept(p, GD_T_COMMA)) return true;
        gd_ast *node = gd_p_kind(p) == GD_T_RPAR ? NULL : argument(p, &by_keyword, &double_starred);
        if (p->failed) return false;
        if (!node) {
            p->t = mark;
            return args->n > 0;
        }
        gd_p_list_add(args, node);
    }
}

static void check_repeated(gd_parser *p, const gd_ast *args) {
    uint32_t stamp = ++p->stamp;
    for (; args; args = args->next) {
        if (args->kind != GD_X_KEYWORD || !args->u.keyword.name) continue;
        gd_name *name = gd_name_of(args->u.keyword.name);
        if (name->stamp == stamp)
            gd_p_late_error(p, GD_LATE_REST, args->at, "keyword argument repeated: %.200s", name->text);
        name->stamp = stamp;
    }
}

/* f(x for x in y): at the clauses. */
static gd_ast *sole_generator(gd_parser *p, const gd_token *from, gd_ast *element) {
    gd_ast *node = gd_p_new_from(p, GD_X_GENERATOR, from->at);
    if (!node) return NULL;
    node->u.comprehension.element = element;
    node->u.comprehension.clauses = gd_p_for_if_clauses(p);
    if (!node->u.comprehension.clauses || !gd_p_accept(p, GD_T_RPAR)) return NULL;
    return gd_p_done(p, node);
}

static bool arguments(gd_parser *p, gd_p_list *args) {
    const gd_token *from = p->t;
    gd_p_skip(p);
    if (gd_p_accept(p, GD_T_RPAR)) return true;
    if (!gd_p_args(p, args)) return false;
    const gd_ast *first = args->first;
    bool clauses = gd_p_kind(p) == GD_T_FOR || gd_p_kind(p) == GD_T_ASYNC;
    if (clauses && args->n == 1 && first->kind != GD_X_STARRED && first->kind != GD_X_KEYWORD) {
        gd_ast *generator = sole_generator(p, from, args->first);
        *args = (gd_p_list){0};
        if (generator) gd_p_list_add(args, generator);
        return generator != NULL;
    }
    gd_p_accept(p, GD_T_COMMA);
    return gd_p_accept(p, GD_T_RPAR);
}

gd_ast *gd_p_call(gd_parser *p, gd_ast *function) {
    const gd_token *from = p->t;
    gd_ast *node = gd_p_new_from(p, GD_X_CALL, function->at);
    gd_p_list args = {0};
    if (!node) return NULL;
    if (!arguments(p, &args)) {
        if (!p->diagnose || p->failed) return NULL;
        p->t = from;
        gd_p_invalid_comprehension(p);
        p->t = from + 1;
        return p->failed ? NULL : gd_p_invalid_arguments(p);
    }
    check_repeated(p, args.first);
    node->u.call.function = function;
    node->u.call.items = args.first;
    return gd_p_done(p, node);
}

/* ---- subscripts -------------------------------------------------------------------------------------------------- */

static bool slice_part(gd_parser *p, gd_ast **out) {
    gd_token_kind kind = gd_p_kind(p);
    if (kind == GD_T_COLON || kind == GD_T_COMMA || kind == GD_T_RSQB) return true;
    *out = gd_p_expression(p);
    return *out != NULL;
}

/* At the first colon, behind the start. */
static gd_ast *slice(gd_parser *p, const gd_token *from, gd_ast *start) {
    gd_ast *node = gd_p_new_from(p, GD_X_SLICE, from->at);
    if (!node) return NULL;
    node->u.slice.start = start;
    gd_p_skip(p);
    if (!slice_part(p, &node->u.slice.stop)) return NULL;
    if (gd_p_accept(p, GD_T_COLON) && !slice_part(p, &node->u.slice.step)) return NULL;
    return gd_p_done(p, node);
}

static gd_ast *subscript_item(gd_parser *p) {
    const gd_token *from = p->t;
    if (gd_p_kind(p) == GD_T_STAR) return gd_p_starred(p, gd_p_expression);
    if (gd_p_kind(p) == GD_T_COLON) return slice(p, from, NULL);
    gd_ast *first = p->diagnose ? gd_p_expression(p) : gd_p_named_expression(p);
    if (p->failed) return NULL;
    bool key = first && (first->kind != GD_X_WALRUS || first->bracketed);
    if (key && gd_p_kind(p) == GD_T_COLON) return slice(p, from, first);
    if (!p->diagnose) return first;
    p->t = from;
    return gd_p_named_expression(p);
}

static gd_ast *subscript_items(gd_parser *p) {
    const gd_token *from = p->t;
    gd_p_list items = {0};
    gd_ast *first = subscript_item(p);
    if (!first || (gd_p_kind(p) != GD_T_COMMA && first->kind != GD_X_STARRED)) return first;
    gd_p_list_add(&items, first);
    while (gd_p_accept(p, GD_T_COMMA)) {
        if (gd_p_kind(p) == GD_T_RSQB) break;
        gd_ast *next = subscript_item(p);
        if (!next) return NULL;
        gd_p_list_add(&items, next);
    }
    gd_ast *node = gd_p_new_from(p, GD_X_TUPLE, from->at);
    if (!node) return NULL;
    node->u.items = items.first;
    return gd_p_done(p, node);
}

gd_ast *gd_p_subscript(gd_parser *p, gd_ast *value) {
    gd_ast *node = gd_p_new_from(p, GD_X_SUBSCRIPT, value->at);
    if (!node) return NULL;
    gd_p_skip(p);
    node->u.subscript.value = value;
    node->u.subscript.index = subscript_items(p);
    if (!node->u.subscript.index || !gd_p_accept(p, GD_T_RSQB)) return NULL;
    return gd_p_done(p, node);
}
