/* parser_diagnose.c: the second pass's checks for common mistakes, in the order in which CPython looks for them. Each
 * begins at the current token and may leave it anywhere.
 */
#include "core/program/parser.h"

#include <string.h>

enum { MAX_CHAIN = 50 };

static bool goes_from(gd_parser *p, const gd_token *from) { /* back to where a check begins; false: found already */
    p->t = from;
    return !p->failed;
}

/* One more item of a list, or back where it was. */
static bool more(gd_parser *p) {
    const gd_token *from = p->t;
    if (gd_p_star_named_expression(p)) return true;
    p->t = from;
    return false;
}

/* CPython compares no more than the name's length: c and mat count, too. */
static bool soft_keyword(const gd_token *t) {
    return t->kind == GD_T_NAME && (!strcmp(t->name->text, "_") || !strncmp(t->name->text, "match", t->name->bytes) ||
                                    !strncmp(t->name->text, "case", t->name->bytes));
}

static bool legacy(const gd_token *t) {
    return t->kind == GD_T_NAME && (!strcmp(t->name->text, "print") || !strcmp(t->name->text, "exec"));
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

/* Two expressions side by side within brackets. */
static void forgotten_comma(gd_parser *p, const gd_token *from, const gd_ast *a) {
    if ((from->kind == GD_T_NAME && from[1].kind == GD_T_STRING) || soft_keyword(from)) return;
    p->diagnose = false;
    gd_ast *b = gd_p_expression_anew(p);
    p->diagnose = true;
    if (!b || p->failed || (a->kind == GD_X_NAME && legacy(from)) || !p->t[-1].level) return;
    gd_p_fail(p, gd_p_range(a->at, p->t[-1].at), "invalid syntax. Perhaps you forgot a comma?");
}

static void missing_else(gd_parser *p, const gd_ast *a) {
    if (!gd_p_accept(p, GD_T_IF) || !gd_p_disjunction(p)) return;
    if (gd_p_kind(p) != GD_T_ELSE && gd_p_kind(p) != GD_T_COLON)
        gd_p_fail(p, gd_p_range(a->at, p->t[-1].at), "expected 'else' after 'if' expression");
}

/* A name with expressions behind it, which are looked into; the chain of names that this follows is cut. */
static void legacy_statement(gd_parser *p, const gd_token *from) {
    p->t = from + 1;
    if (gd_p_kind(p) == GD_T_LPAR || p->chain >= MAX_CHAIN) return;
    p->chain++;
    bool found = gd_p_star_expressions(p) && legacy(from);
    p->chain--;
    const char *name = from->name->text;
    if (found)
        gd_p_fail(p, gd_p_range(from->at, p->t[-1].at), "Missing parentheses in call to '%s'. Did you mean %s(...)?",
                  name, name);
}

/* Behind a, which is a disjunction. */
void *gd_p_invalid_expression(gd_parser *p, const gd_token *from, gd_ast *a) {
    const gd_token *end = p->t;
    forgotten_comma(p, from, a);
    if (goes_from(p, end)) missing_else(p, a);
    if (from->kind == GD_T_NAME && goes_from(p, end)) legacy_statement(p, from);
    return NULL;
}

static bool not_assigned_further(gd_parser *p) { return gd_p_kind(p) != GD_T_ASSIGN && gd_p_kind(p) != GD_T_WALRUS; }

/* name = value where := or == is meant. */
static void assigned_name(gd_parser *p) {
    const gd_token *from = p->t;
    if (gd_p_kind(p) != GD_T_NAME || !gd_p_follows(p, GD_T_ASSIGN)) return;
    gd_p_skip(p);
    gd_p_skip(p);
    if (gd_p_bitwise_or(p) && not_assigned_further(p))
        gd_p_fail(p, gd_p_range(from->at, p->t[-1].at), "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
}

/* A list, tuple or generator, or a constant, at the current token. */
static bool excluded(gd_parser *p) {
    if (gd_p_kind(p) == GD_T_TRUE || gd_p_kind(p) == GD_T_NONE || gd_p_kind(p) == GD_T_FALSE) return true;
    if (gd_p_kind(p) != GD_T_LPAR && gd_p_kind(p) != GD_T_LSQB) return false;
    const gd_token *from = p->t;
    const gd_ast *a = gd_p_atom(p);
    p->t = from;
    bool own = a && a->at.line == from->at.line && a->at.column == from->at.column;
    return own && (a->kind == GD_X_LIST || a->kind == GD_X_TUPLE || a->kind == GD_X_GENERATOR);
}

static void assigned_other(gd_parser *p) {
    if (excluded(p) || p->failed) return;
    gd_ast *a = gd_p_bitwise_or(p);
    if (!a || !gd_p_accept(p, GD_T_ASSIGN)) return;
    if (gd_p_bitwise_or(p) && not_assigned_further(p))
        gd_p_fail(p, a->at, "cannot assign to %s here. Maybe you meant '==' instead of '='?", gd_p_expression_name(a));
}

void *gd_p_invalid_named_expression(gd_parser *p) {
    const gd_token *from = p->t;
    gd_ast *a = gd_p_expression(p);
    if (p->failed || !a) return NULL;
    if (gd_p_accept(p, GD_T_WALRUS) && gd_p_expression(p))
        return gd_p_fail(p, a->at, "cannot use assignment expressions with %s", gd_p_expression_name(a));
    if (goes_from(p, from)) assigned_name(p);
    if (goes_from(p, from)) assigned_other(p);
    return NULL;
}

/* ---- brackets ---------------------------------------------------------------------------------------------------- */

void *gd_p_invalid_group(gd_parser *p) {
    const gd_token *from = p->t;
    gd_p_skip(p);
    if (gd_p_kind(p) == GD_T_STAR) {
        gd_ast *a = gd_p_starred(p, gd_p_expression);
        if (a && gd_p_kind(p) == GD_T_RPAR) gd_p_fail(p, a->at, "cannot use starred expression here");
    } else if (gd_p_kind(p) == GD_T_DSTAR) {
        gd_at at = p->t->at;
        gd_p_skip(p);
        if (gd_p_expression(p) && gd_p_kind(p) == GD_T_RPAR)
            gd_p_fail(p, at, "cannot use double starred expression here");
    }
    p->t = from;
    return NULL;
}

static void starred_element(gd_parser *p) {
    if (gd_p_kind(p) != GD_T_STAR) return;
    gd_ast *a = gd_p_starred(p, gd_p_expression);
    if (a && gd_p_for_if_clauses(p)) gd_p_fail(p, a->at, "iterable unpacking cannot be used in comprehension");
}

/* [a, b for …] */
static void bare_tuple(gd_parser *p) {
    const gd_token *from = p->t;
    if (!gd_p_star_named_expression(p) || !gd_p_accept(p, GD_T_COMMA)) return;
    const gd_token *comma = p->t - 1, *last = comma;
    while (more(p)) {
        last = p->t - 1;
        if (!gd_p_accept(p, GD_T_COMMA)) break;
    }
    if (p->failed) return;
    if (gd_p_for_if_clauses(p))
        gd_p_fail(p, gd_p_range(from->at, last->at), "did you forget parentheses around the comprehension target?");
}

void *gd_p_invalid_comprehension(gd_parser *p) {
    const gd_token *from = p->t;
    gd_p_skip(p);
    starred_element(p);
    if (from->kind != GD_T_LPAR && goes_from(p, from + 1)) bare_tuple(p);
    return NULL;
}

/* One item of a dict that is wrong: nothing or a star behind its colon. */
static void invalid_value(gd_parser *p) {
    if (!gd_p_expression(p)) return;
    const gd_token *colon = p->t;
    if (!gd_p_accept(p, GD_T_COLON)) return;
    const gd_token *star = p->t;
    if (gd_p_accept(p, GD_T_STAR) && gd_p_bitwise_or(p))
        gd_p_fail(p, star->at, "cannot use a starred expression in a dictionary value");
    else if (star->kind == GD_T_RBRACE || star->kind == GD_T_COMMA)
        gd_p_fail(p, colon->at, "expression expected after dictionary key and ':'");
}

static void missing_colon(gd_parser *p) {
    gd_ast *a = gd_p_expression(p);
    if (!a || gd_p_kind(p) == GD_T_COLON) return;
    gd_at at = p->t[-1].at;
    at.line = at.end_line;
    at.column = at.end_column > 1 ? at.end_column - 1 : 1;
    gd_p_fail(p, at, "':' expected after dictionary key");
}

/* Pairs up to one that is none; false without a pair. */
static bool pairs(gd_parser *p, bool *comma) {
    uint32_t n = 0;
    for (*comma = false;; n++) {
        const gd_token *mark = p->t;
        if (!gd_p_double_starred(p)) {
            p->t = mark;
            return n > 0 && !p->failed;
        }
        *comma = gd_p_accept(p, GD_T_COMMA);
        if (!*comma) return !p->failed;
    }
}

static void double_starred_element(gd_parser *p) {
    gd_at at = p->t->at;
    if (gd_p_accept(p, GD_T_DSTAR) && gd_p_bitwise_or(p) && gd_p_for_if_clauses(p) && gd_p_kind(p) == GD_T_RBRACE)
        gd_p_fail(p, at, "dict unpacking cannot be used in dict comprehension");
}

void *gd_p_invalid_dict(gd_parser *p) {
    const gd_token *from = p->t + 1;
    bool comma = false;
    gd_p_skip(p);
    if (gd_p_kind(p) == GD_T_RBRACE) return NULL;
    bool some = pairs(p, &comma);
    if (p->failed || (some && gd_p_kind(p) == GD_T_RBRACE)) return NULL;
    const gd_token *behind = p->t;
    if (some && comma) {
        missing_colon(p);
        if (goes_from(p, behind)) invalid_value(p);
    }
    if (goes_from(p, from)) invalid_value(p);
    if (p->diagnose && goes_from(p, from)) double_starred_element(p);
    return NULL;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static void *generator_in_call(gd_parser *p, gd_at first, const gd_ast_clause *clauses) {
    return gd_p_fail(p, gd_p_range(first, gd_p_clauses_end(clauses)), "Generator expression must be parenthesized");
}

static void double_then_star(gd_parser *p) {
    const gd_token *from = p->t;
    gd_p_list args = {0};
    if (!gd_p_args(p, &args)) return;
    gd_at at = gd_p_range(from->at, p->t[-1].at);
    if (gd_p_accept(p, GD_T_COMMA) && gd_p_kind(p) == GD_T_STAR)
        gd_p_fail(p, at, "iterable argument unpacking follows keyword argument unpacking");
}

static void generator_first(gd_parser *p) {
    const gd_token *from = p->t;
    if (!gd_p_expression(p)) return;
    const gd_ast_clause *clauses = gd_p_for_if_clauses(p);
    if (clauses && gd_p_kind(p) == GD_T_COMMA) generator_in_call(p, from->at, clauses);
}

static void assigned_generator(gd_parser *p) {
    const gd_token *from = p->t;
    if (gd_p_kind(p) != GD_T_NAME || !gd_p_follows(p, GD_T_ASSIGN)) return;
    gd_p_skip(p);
    gd_p_skip(p);
    if (gd_p_expression(p) && gd_p_for_if_clauses(p))
        gd_p_fail(p, gd_p_range(from->at, from[1].at), "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
}

static void generator_last(gd_parser *p) {
    gd_p_list args = {0};
    if (!gd_p_args(p, &args)) return;
    const gd_token *behind = p->t;
    const gd_ast_clause *clauses = gd_p_for_if_clauses(p);
    uint32_t npos = 0;
    const gd_ast *last = NULL;
    for (const gd_ast *a = args.first; a; a = a->next)
        if (a->kind != GD_X_KEYWORD) npos++, last = a;
    if (clauses && npos > 1) generator_in_call(p, last->at, clauses);
    if (!goes_from(p, behind) || !gd_p_accept(p, GD_T_COMMA)) return;
    const gd_token *element = p->t;
    if (gd_p_expression(p) && (clauses = gd_p_for_if_clauses(p))) generator_in_call(p, element->at, clauses);
}

static void positional_last(gd_parser *p) {
    gd_p_list args = {0}, more = {0};
    if (!gd_p_args(p, &args) || !gd_p_accept(p, GD_T_COMMA) || !gd_p_args(p, &more)) return;
    bool unpacked = false;
    for (const gd_ast *a = args.first; a; a = a->next) unpacked |= a->kind == GD_X_KEYWORD && !a->u.keyword.name;
    gd_p_fail_far(p, "positional argument follows keyword argument%s", unpacked ? " unpacking" : "");
}

/* Behind the parenthesis. */
void *gd_p_invalid_arguments(gd_parser *p) {
    static void (*const checks[])(gd_parser *) = {double_then_star, generator_first, assigned_generator, generator_last,
                                                  positional_last};
    const gd_token *from = p->t;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && goes_from(p, from); i++) checks[i](p);
    return NULL;
}

void *gd_p_invalid_keyword(gd_parser *p) {
    const gd_token *from = p->t;
    gd_token_kind kind = gd_p_kind(p);
    if ((kind == GD_T_TRUE || kind == GD_T_FALSE || kind == GD_T_NONE) && gd_p_follows(p, GD_T_ASSIGN))
        return gd_p_fail(p, gd_p_range(from->at, from[1].at), "cannot assign to %s", from->name->text);
    assigned_generator(p);
    if (!goes_from(p, from) || (kind == GD_T_NAME && gd_p_follows(p, GD_T_ASSIGN))) return NULL;
    if (gd_p_expression(p) && gd_p_kind(p) == GD_T_ASSIGN)
        gd_p_fail(p, gd_p_range(from->at, p->t->at), "expression cannot contain assignment, perhaps you meant \"==\"?");
    return NULL;
}

/* ---- statements -------------------------------------------------------------------------------------------------- */

static bool annotated(gd_parser *p) { return gd_p_accept(p, GD_T_COLON) && gd_p_expression(p); }

static void annotated_display(gd_parser *p) {
    if (gd_p_kind(p) != GD_T_LPAR && gd_p_kind(p) != GD_T_LSQB) return;
    gd_ast *a = gd_p_atom(p);
    if (a && (a->kind == GD_X_TUPLE || a->kind == GD_X_LIST) && annotated(p))
        gd_p_fail(p, a->at, "only single target (not %s) can be annotated", gd_p_expression_name(a));
}

static void annotated_tuple(gd_parser *p) {
    gd_ast *a = gd_p_star_named_expression(p);
    if (!a || !gd_p_accept(p, GD_T_COMMA)) return;
    while (more(p)) gd_p_accept(p, GD_T_COMMA);
    if (!p->failed && annotated(p)) gd_p_fail(p, a->at, "only single target (not tuple) can be annotated");
}

static void annotated_other(gd_parser *p) {
    gd_ast *a = gd_p_expression(p);
    if (a && annotated(p)) gd_p_fail(p, a->at, "illegal target for annotation");
}

static void assigned_target(gd_parser *p) {
    const gd_token *mark = p->t;
    while (gd_p_star_targets(p) && gd_p_accept(p, GD_T_ASSIGN)) mark = p->t;
    if (!goes_from(p, mark)) return;
    gd_ast *a = gd_p_star_expressions(p);
    if (a && gd_p_kind(p) == GD_T_ASSIGN) gd_p_fail_target(p, a, GD_TARGETS_STAR);
}

static bool augmented_sign(gd_token_kind kind) { return kind >= GD_T_PLUS_IS && kind <= GD_T_RSHIFT_IS; }

static void augmented_target(gd_parser *p) {
    gd_ast *a = gd_p_star_expressions(p);
    if (!a || !augmented_sign(gd_p_kind(p))) return;
    gd_p_skip(p);
    if (gd_p_star_expressions(p))
        gd_p_fail(p, a->at, "'%s' is an illegal expression for augmented assignment", gd_p_expression_name(a));
}

void *gd_p_invalid_assignment(gd_parser *p) {
    static void (*const checks[])(gd_parser *) = {annotated_display, annotated_tuple, annotated_other, assigned_target,
                                                  augmented_target};
    const gd_token *from = p->t;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && goes_from(p, from); i++) checks[i](p);
    return NULL;
}

void *gd_p_invalid_for_target(gd_parser *p) {
    gd_p_skip(p);
    gd_ast *e = gd_p_star_expressions(p);
    return e && !p->failed ? gd_p_fail_target(p, e, GD_TARGETS_FOR) : NULL;
}

void *gd_p_invalid_block(gd_parser *p, const char *of, uint32_t line) {
    gd_p_skip(p); /* the end of the line: told at what comes then */
    return gd_p_fail_indent(p, "expected an indented block after %s on line %u", of, line);
}

void *gd_p_invalid_match(gd_parser *p) {
    const gd_token *from = p->t;
    if (strcmp(from->name->text, "match")) return NULL;
    gd_p_skip(p);
    if (!gd_p_star_named_expression(p)) return NULL;
    while (gd_p_accept(p, GD_T_COMMA) && more(p)) {
    }
    if (p->failed || !p->diagnose) return NULL;
    if (gd_p_kind(p) == GD_T_NEWLINE) return gd_p_fail_far(p, "expected ':'");
    if (gd_p_accept(p, GD_T_COLON) && gd_p_kind(p) == GD_T_NEWLINE)
        return gd_p_fail(p, from->at, "this language has no match statement: use if and elif");
    return NULL;
}
