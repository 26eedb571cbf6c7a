/* parser_compound.c: statements with a body: if, while, for, with, try, def; and lists of statements. */
#include "core/program/parser.h"

#include <string.h>

enum { MAX_BLOCKS = 20 }; /* CPython's own, of loops, with and try within each other */

bool gd_p_is_compound(gd_token_kind kind) {
    switch (kind) {
    case GD_T_IF:
    case GD_T_WHILE:
    case GD_T_FOR:
    case GD_T_WITH:
    case GD_T_TRY:
    case GD_T_DEF:
    case GD_T_AT:
    case GD_T_CLASS:
    case GD_T_ASYNC: return true;
    default: return false;
    }
}

/* ---- bodies ------------------------------------------------------------------------------------------------------ */

static void enter_block(gd_parser *p, gd_at at) {
    if (++p->body.blocks > MAX_BLOCKS) gd_p_late_error(p, GD_LATE_REST, at, "too many statically nested blocks");
}

/* Behind a header's colon. `of` ("'if' statement") and line tell of what. NULL: not well-formed. */
static gd_ast *body(gd_parser *p, const char *of, uint32_t line) {
    gd_p_list list = {0};
    if (gd_p_kind(p) != GD_T_NEWLINE) return gd_p_simple_statements(p, &list) ? list.first : NULL;
    if (!gd_p_follows(p, GD_T_INDENT)) return p->diagnose ? gd_p_invalid_block(p, of, line) : NULL;
    gd_p_skip(p);
    gd_p_skip(p);
    if (!gd_p_statements(p, &list) || !list.n || !gd_p_accept(p, GD_T_DEDENT)) return NULL;
    return list.first;
}

static bool colon(gd_parser *p) {
    if (gd_p_accept(p, GD_T_COLON)) return true;
    if (p->diagnose && gd_p_kind(p) == GD_T_NEWLINE) gd_p_fail_far(p, "expected ':'");
    return false;
}

/* A colon where nothing else is possible, which both passes say. */
static bool colon_at_once(gd_parser *p) {
    if (gd_p_accept(p, GD_T_COLON)) return true;
    gd_p_fail(p, p->t->at, "expected ':'");
    return false;
}

/* [else: body]. False: not well-formed. */
static bool else_body(gd_parser *p, gd_ast **out) {
    uint32_t line = p->t->at.line;
    if (!gd_p_accept(p, GD_T_ELSE)) return true;
    return colon_at_once(p) && (*out = body(p, "'else' statement", line));
}

/* ---- if, while, for ---------------------------------------------------------------------------------------------- */

/* if or elif with its test and body. */
static gd_ast *branch(gd_parser *p, const char *of) {
    gd_ast *node = gd_p_new(p, GD_S_IF);
    if (!node) return NULL;
    gd_p_skip(p);
    node->u.branch.test = gd_p_named_expression(p);
    if (!node->u.branch.test || !colon(p)) return NULL;
    node->u.branch.body = body(p, of, node->at.line);
    return node->u.branch.body ? node : NULL;
}

static gd_ast *if_statement(gd_parser *p) {
    gd_ast *last = branch(p, "'if' statement"); /* the innermost; `next` leads outwards */
    while (last && gd_p_kind(p) == GD_T_ELIF) {
        gd_ast *inner = branch(p, "'elif' statement");
        if (inner) inner->next = last;
        last = inner;
    }
    if (!last || !else_body(p, &last->u.branch.orelse)) return NULL;
    for (;;) {
        gd_ast *outer = last->next;
        last->next = NULL;
        if (!gd_p_done(p, last)) return NULL;
        if (!outer) return last;
        outer->u.branch.orelse = last;
        last = outer;
    }
}

static gd_ast *loop_body(gd_parser *p, const char *of, gd_at at) {
    gd_p_body_state outer = p->body;
    p->body.loops++;
    enter_block(p, at);
    gd_ast *list = body(p, of, at.line);
    p->body = outer;
    return list;
}

static gd_ast *while_statement(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_WHILE);
    if (!node) return NULL;
    gd_p_skip(p);
    node->u.branch.test = gd_p_named_expression(p);
    if (!node->u.branch.test || !colon(p)) return NULL;
    node->u.branch.body = loop_body(p, "'while' statement", node->at);
    if (!node->u.branch.body || !else_body(p, &node->u.branch.orelse)) return NULL;
    return gd_p_done(p, node);
}

static gd_ast *for_statement(gd_parser *p) {
    const gd_token *from = p->t;
    gd_ast *node = gd_p_new(p, GD_S_FOR);
    if (!node) return NULL;
    gd_p_skip(p);
    node->u.loop.target = gd_p_star_targets(p);
    if (p->failed) return NULL;
    if (!node->u.loop.target || !gd_p_accept(p, GD_T_IN)) {
        p->t = from;
        return p->diagnose ? gd_p_invalid_for_target(p) : NULL;
    }
    node->u.loop.iterable = gd_p_star_expressions(p);
    if (!node->u.loop.iterable || !colon(p)) return NULL;
    gd_p_check_value(p, node->u.loop.iterable);
    gd_p_check_stars(p, node->u.loop.target);
    node->u.loop.body = loop_body(p, "'for' statement", node->at);
    if (!node->u.loop.body || !else_body(p, &node->u.loop.orelse)) return NULL;
    return gd_p_done(p, node);
}

/* ---- with -------------------------------------------------------------------------------------------------------- */

static bool ends_item(gd_parser *p) {
    return gd_p_kind(p) == GD_T_COMMA || gd_p_kind(p) == GD_T_RPAR || gd_p_kind(p) == GD_T_COLON;
}

static void invalid_with_target(gd_parser *p, const gd_token *from) {
    p->t = from;
    gd_ast *e = gd_p_expression(p);
    if (e && ends_item(p)) gd_p_fail_target(p, e, GD_TARGETS_STAR);
}

static gd_ast *with_item(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_WITH_ITEM);
    if (!node) return NULL;
    node->u.with_item.context = gd_p_expression(p);
    if (!node->u.with_item.context) return NULL;
    if (gd_p_kind(p) != GD_T_AS) return gd_p_done(p, node);
    const gd_token *as = p->t;
    gd_p_skip(p);
    node->u.with_item.target = gd_p_star_target(p);
    if (node->u.with_item.target && (ends_item(p) || (p->diagnose && gd_p_kind(p) == GD_T_NEWLINE))) {
        gd_p_check_stars(p, node->u.with_item.target);
        return gd_p_done(p, node);
    }
    if (p->diagnose && !p->failed) invalid_with_target(p, as + 1);
    return NULL;
}

/* `close` may stand behind a last comma. */
static bool with_items(gd_parser *p, gd_p_list *items, gd_token_kind close) {
    do {
        if (items->n && gd_p_kind(p) == close) break;
        gd_ast *item = with_item(p);
        if (!item || p->failed) return false;
        gd_p_list_add(items, item);
    } while (gd_p_accept(p, GD_T_COMMA));
    return true;
}

/* with (a as b, c as d): the parentheses are the statement's only if a colon follows. */
static bool with_header(gd_parser *p, gd_p_list *items) {
    const gd_token *from = p->t;
    if (gd_p_accept(p, GD_T_LPAR) && with_items(p, items, GD_T_RPAR) && gd_p_accept(p, GD_T_RPAR) &&
        gd_p_kind(p) == GD_T_COLON) {
        gd_p_skip(p);
        return true;
    }
    if (p->failed) return false;
    bool parenthesised = items->n && p->diagnose && gd_p_kind(p) == GD_T_NEWLINE && p->t[-1].kind == GD_T_RPAR;
    p->t = from;
    *items = (gd_p_list){0};
    if (with_items(p, items, GD_T_END) && colon(p)) return true;
    if (parenthesised) gd_p_fail_far(p, "expected ':'");
    return false;
}

static gd_ast *with_statement(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_WITH);
    gd_p_list items = {0};
    if (!node) return NULL;
    gd_p_skip(p);
    if (!with_header(p, &items)) return NULL;
    gd_p_body_state outer = p->body;
    for (uint32_t i = 0; i < items.n; i++) enter_block(p, node->at);
    node->u.with.items = items.first;
    node->u.with.body = body(p, "'with' statement", node->at.line);
    p->body = outer;
    return node->u.with.body ? gd_p_done(p, node) : NULL;
}

/* ---- try --------------------------------------------------------------------------------------------------------- */

/* Behind except: [type [as name]]: */
static bool handler_header(gd_parser *p, gd_ast *node) {
    if (colon(p)) return true;
    if (p->failed) return false;
    if (gd_p_kind(p) == GD_T_STAR)
        return gd_p_fail(p, p->t->at, "this language has no exception groups: write except, not except*") != NULL;
    node->u.handler.type = gd_p_expression(p);
    if (!node->u.handler.type) return false;
    if (gd_p_kind(p) == GD_T_COMMA && p->diagnose) {
        gd_at at = node->u.handler.type->at;
        gd_p_skip(p);
        bool more = gd_p_expressions(p) && (!gd_p_accept(p, GD_T_AS) || gd_p_name(p)) && gd_p_kind(p) == GD_T_COLON;
        return more && gd_p_fail(p, at, "multiple exception types must be parenthesized");
    }
    if (gd_p_accept(p, GD_T_AS) && !(node->u.handler.name = gd_p_name(p))) return false;
    return colon(p);
}

static gd_ast *handler(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_HANDLER);
    if (!node) return NULL;
    gd_p_skip(p);
    if (!handler_header(p, node)) return NULL;
    gd_p_body_state outer = p->body;
    enter_block(p, node->at);
    enter_block(p, node->at);
    node->u.handler.body = body(p, "'except' statement", node->at.line);
    p->body = outer;
    return node->u.handler.body ? gd_p_done(p, node) : NULL;
}

static bool handlers(gd_parser *p, gd_p_list *list) {
    while (gd_p_kind(p) == GD_T_EXCEPT) {
        const gd_ast *last = list->last;
        if (last && !last->u.handler.type) gd_p_late_error(p, GD_LATE_REST, last->at, "default 'except:' must be last");
        gd_ast *node = handler(p);
        if (!node) return false;
        gd_p_list_add(list, node);
    }
    return true;
}

static bool finally_body(gd_parser *p, gd_ast *node) {
    uint32_t line = p->t->at.line;
    if (!gd_p_accept(p, GD_T_FINALLY)) return true;
    if (!colon_at_once(p)) return false;
    gd_p_body_state outer = p->body;
    enter_block(p, node->at);
    node->u.try_.final = body(p, "'finally' statement", line);
    node->u.try_.has_final = true;
    p->body = outer;
    return node->u.try_.final != NULL;
}

static gd_ast *try_body(gd_parser *p, const gd_ast *node) {
    gd_p_body_state outer = p->body;
    enter_block(p, node->at);
    gd_ast *list = body(p, "'try' statement", node->at.line);
    p->body = outer;
    return list;
}

static gd_ast *try_statement(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_TRY);
    gd_p_list list = {0};
    if (!node) return NULL;
    gd_p_skip(p);
    if (!colon_at_once(p)) return NULL;
    const gd_token *behind = p->t;
    node->u.try_.body = try_body(p, node);
    if (!node->u.try_.body) {
        p->t = behind;
        if (p->diagnose && !p->failed && gd_p_kind(p) == GD_T_EXCEPT) handler(p);
        return NULL;
    }
    if (gd_p_kind(p) != GD_T_EXCEPT && gd_p_kind(p) != GD_T_FINALLY)
        return p->diagnose ? gd_p_fail_far(p, "expected 'except' or 'finally' block") : NULL;
    if (!handlers(p, &list)) return NULL;
    node->u.try_.handlers = list.first;
    if (list.n && !else_body(p, &node->u.try_.orelse)) return NULL;
    return finally_body(p, node) ? gd_p_done(p, node) : NULL;
}

/* ---- def --------------------------------------------------------------------------------------------------------- */

static bool signature(gd_parser *p, gd_ast *node) {
    if (!gd_p_accept(p, GD_T_LPAR)) return gd_p_fail(p, p->t->at, "expected '('") != NULL;
    if (p->diagnose && gd_p_kind(p) != GD_T_RPAR) gd_p_invalid_parameters(p, GD_T_RPAR);
    if (p->failed || !gd_p_parameters(p, GD_T_RPAR, &node->u.function.params) || !gd_p_accept(p, GD_T_RPAR))
        return false;
    const gd_token *arrow = p->t;
    if (gd_p_accept(p, GD_T_ARROW)) {
        node->u.function.returns = gd_p_expression(p);
        if (p->failed) return false;
        if (!node->u.function.returns) p->t = arrow;
    }
    return colon_at_once(p);
}

static gd_ast *def(gd_parser *p, gd_ast *decorators) {
    gd_ast *node = gd_p_new(p, GD_S_DEF);
    if (!node) return NULL;
    gd_p_skip(p);
    node->u.function.decorators = decorators;
    node->u.function.name = gd_p_name(p);
    if (!node->u.function.name || !signature(p, node)) return NULL;
    gd_p_body_state outer = p->body;
    p->body = (gd_p_body_state){.function = true};
    gd_ast *first = node->u.function.body = body(p, "function definition", node->at.line);
    p->body = outer;
    if (!first) return NULL;
    if (first->kind == GD_S_EXPRESSION && first->u.value->kind == GD_X_STR)
        node->u.function.doc = first->u.value->u.text;
    return gd_p_done(p, node);
}

static bool known_decorator(const gd_ast *e) {
    static const char *const known[] = {"no_grad", "enable_grad", "inference_mode", "set_grad_enabled"};
    if (e->kind == GD_X_CALL) e = e->u.call.function;
    const char *name = e->kind == GD_X_NAME ? e->u.name : e->kind == GD_X_ATTRIBUTE ? e->u.attribute.name : "";
    while (e->kind == GD_X_ATTRIBUTE) e = e->u.attribute.value;
    for (size_t i = 0; e->kind == GD_X_NAME && i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i])) return true;
    return false;
}

static void *no_class(gd_parser *p) {
    return gd_p_fail(p, p->t->at, "this language has no classes: use functions, lists and dicts");
}

static gd_ast *decorated(gd_parser *p) {
    gd_p_list list = {0};
    while (gd_p_accept(p, GD_T_AT)) {
        gd_ast *e = gd_p_named_expression(p);
        if (!e || !gd_p_accept(p, GD_T_NEWLINE)) return NULL;
        if (!known_decorator(e))
            gd_p_late_error(p, GD_LATE_NAMES, e->at,
                            "this language has no decorators but torch.no_grad(), torch.enable_grad(), "
                            "torch.inference_mode() and torch.set_grad_enabled(mode)");
        gd_p_list_add(&list, e);
    }
    if (gd_p_kind(p) == GD_T_CLASS) return no_class(p);
    if (gd_p_kind(p) == GD_T_ASYNC) return gd_p_no_async(p);
    return gd_p_kind(p) == GD_T_DEF ? def(p, list.first) : NULL;
}

/* ---- statements -------------------------------------------------------------------------------------------------- */

static gd_ast *compound(gd_parser *p) {
    switch (gd_p_kind(p)) {
    case GD_T_IF: return if_statement(p);
    case GD_T_WHILE: return while_statement(p);
    case GD_T_FOR: return for_statement(p);
    case GD_T_WITH: return with_statement(p);
    case GD_T_TRY: return try_statement(p);
    case GD_T_DEF: return def(p, NULL);
    case GD_T_AT: return decorated(p);
    case GD_T_CLASS: return no_class(p);
    default: return gd_p_no_async(p);
    }
}

static bool statement(gd_parser *p, gd_p_list *into) {
    if (gd_p_is_compound(gd_p_kind(p))) {
        gd_ast *node = compound(p);
        if (node) gd_p_list_add(into, node);
        return node && !p->failed;
    }
    if (p->memo && gd_p_kind(p) == GD_T_NAME) {
        const gd_token *from = p->t;
        gd_p_invalid_match(p);
        p->t = from;
        if (p->failed) return false;
    }
    return gd_p_simple_statements(p, into) && !p->failed;
}

bool gd_p_statements(gd_parser *p, gd_p_list *into) {
    for (;;) {
        const gd_token *from = p->t;
        if (gd_p_kind(p) == GD_T_END || gd_p_kind(p) == GD_T_DEDENT || gd_p_kind(p) == GD_T_INDENT) return true;
        if (statement(p, into)) continue;
        p->t = from;
        return !p->failed;
    }
}
