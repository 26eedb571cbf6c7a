/* parser_atom.c: the innermost expressions: names, literals, and what stands in brackets of its own: groups, displays,
 * comprehensions.
 */
#include "core/program/parser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static uint32_t digit_value(char c) { return (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10); }

static gd_ast *integer(gd_parser *p, gd_ast *node, const char *s, const char *end, uint32_t base) {
    uint64_t v = 0;
    bool over = false;
    for (; s < end; s++)
        if (*s != '_') over |= __builtin_mul_overflow(v, base, &v) | __builtin_add_overflow(v, digit_value(*s), &v);
    bool lowest = !over && base == 10 && v == (uint64_t)INT64_MAX + 1 && p->negated == p->t;
    if ((over || v > INT64_MAX) && !lowest)
        return gd_p_fail(p, p->t->at, "integer literal too large: this language has 64-bit integers");
    node->u.integer = lowest ? INT64_MIN : (int64_t)v;
    if (lowest) p->lowest = node;
    return node;
}

static gd_ast *real(gd_parser *p, gd_ast *node, const char *s, const char *end) {
    char small[64], *clean = (size_t)(end - s) < sizeof small ? small : gd_tree_alloc(p->tree, (size_t)(end - s) + 1);
    if (!clean) return gd_p_no_memory(p);
    char *w = clean;
    for (; s < end; s++)
        if (*s != '_') *w++ = *s;
    *w = 0;
    node->kind = GD_X_FLOAT;
    node->u.real = strtod(clean, NULL);
    return node;
}

static gd_ast *number(gd_parser *p) {
    const char *s = p->tokens.text + p->t->start, *end = p->tokens.text + p->t->end;
    gd_ast *node = gd_p_new(p, GD_X_INT);
    if (!node) return NULL;
    char radix = s[0] == '0' && end - s > 2 ? (char)(s[1] | 0x20) : 0;
    if (radix == 'x')
        node = integer(p, node, s + 2, end, 16);
    else if (radix == 'o' || radix == 'b')
        node = integer(p, node, s + 2, end, radix == 'o' ? 8 : 2);
    else if ((end[-1] | 0x20) == 'j')
        node = gd_p_fail(p, p->t->at, "this language has no complex numbers");
    else if (memchr(s, '.', (size_t)(end - s)) || memchr(s, 'e', (size_t)(end - s)) ||
             memchr(s, 'E', (size_t)(end - s)))
        node = real(p, node, s, end);
    else
        node = integer(p, node, s, end, 10);
    gd_p_skip(p);
    return gd_p_done(p, node);
}

/* ---- comprehensions ---------------------------------------------------------------------------------------------- */

static bool clause_rest(gd_parser *p, gd_ast_clause *c) {
    gd_p_list conditions = {0};
    c->iterable = gd_p_disjunction(p);
    if (!c->iterable) return false;
    while (gd_p_kind(p) == GD_T_IF) {
        const gd_token *mark = p->t;
        gd_p_skip(p);
        gd_ast *condition = gd_p_disjunction(p);
        if (p->failed) return false;
        if (!condition) {
            p->t = mark;
            break;
        }
        gd_p_list_add(&conditions, condition);
    }
    c->conditions = conditions.first;
    return true;
}

void *gd_p_no_async(gd_parser *p) {
    return gd_p_fail(p, p->t->at, "this language has no async and await: call functions directly");
}

static gd_ast_clause *clause(gd_parser *p) {
    const gd_token *from = p->t;
    gd_ast_clause *c = gd_tree_alloc(p->tree, sizeof *c);
    if (!c) return gd_p_no_memory(p);
    *c = (gd_ast_clause){0};
    gd_p_skip(p);
    c->target = gd_p_star_targets(p);
    if (p->failed) return NULL;
    if (c->target && gd_p_accept(p, GD_T_IN)) {
        gd_p_check_stars(p, c->target);
        return clause_rest(p, c) ? c : NULL;
    }
    p->t = from;
    return p->diagnose ? gd_p_invalid_for_target(p) : NULL;
}

gd_ast_clause *gd_p_for_if_clauses(gd_parser *p) {
    gd_ast_clause *first = NULL, **tail = &first;
    while (gd_p_kind(p) == GD_T_FOR || gd_p_kind(p) == GD_T_ASYNC) {
        const gd_token *mark = p->t;
        if (gd_p_kind(p) == GD_T_ASYNC) return gd_p_no_async(p);
        *tail = clause(p);
        if (p->failed) return NULL;
        if (!*tail) {
            p->t = mark;
            break;
        }
        tail = &(*tail)->next;
    }
    return first;
}

gd_at gd_p_clauses_end(const gd_ast_clause *clauses) {
    while (clauses->next) clauses = clauses->next;
    const gd_ast *last = clauses->conditions ? clauses->conditions : clauses->iterable;
    while (last->next && clauses->conditions) last = last->next;
    return last->at;
}

/* At the clauses, behind the element; `from` is the opening bracket. */
static gd_ast *comprehension(gd_parser *p, const gd_token *from, gd_ast_kind kind, gd_ast *element,
                             gd_token_kind close) {
    gd_ast *node = gd_p_new_from(p, kind, from->at);
    if (!node) return NULL;
    node->u.comprehension.element = element;
    node->u.comprehension.clauses = gd_p_for_if_clauses(p);
    if (!node->u.comprehension.clauses || !gd_p_accept(p, close)) return NULL;
    return gd_p_done(p, node);
}

static bool at_clauses(const gd_parser *p) { return gd_p_kind(p) == GD_T_FOR || gd_p_kind(p) == GD_T_ASYNC; }

/* ---- brackets ---------------------------------------------------------------------------------------------------- */

/* The rest of a list behind its first item, with the bracket. */
static bool items_rest(gd_parser *p, gd_p_list *items, gd_ast *(*item)(gd_parser *p), gd_token_kind close) {
    while (gd_p_accept(p, GD_T_COMMA)) {
        if (gd_p_kind(p) == close) break;
        gd_ast *next = item(p);
        if (!next) return false;
        gd_p_list_add(items, next);
    }
    return gd_p_accept(p, close);
}

static gd_ast *display(gd_parser *p, const gd_token *from, gd_ast_kind kind, const gd_p_list *items) {
    gd_ast *node = gd_p_new_from(p, kind, from->at);
    if (!node) return NULL;
    node->u.items = items->first;
    node->bracketed = kind == GD_X_TUPLE;
    return gd_p_done(p, node);
}

/* Behind the first item of a parenthesis. */
static gd_ast *parenthesis_rest(gd_parser *p, const gd_token *from, gd_ast *first) {
    if (gd_p_kind(p) == GD_T_COMMA) {
        gd_p_list items = {0};
        gd_p_list_add(&items, first);
        return items_rest(p, &items, gd_p_star_named_expression, GD_T_RPAR) ? display(p, from, GD_X_TUPLE, &items)
                                                                            : NULL;
    }
    if (first->kind == GD_X_STARRED && !first->bracketed) return NULL;
    if (gd_p_accept(p, GD_T_RPAR)) {
        first->bracketed = true;
        return first;
    }
    if (!at_clauses(p)) return NULL;
    gd_ast *node = comprehension(p, from, GD_X_GENERATOR, first, GD_T_RPAR);
    if (node) node->bracketed = true;
    return node;
}

static gd_ast *parenthesis(gd_parser *p) {
    const gd_token *from = p->t;
    gd_p_list none = {0};
    gd_p_skip(p);
    if (gd_p_accept(p, GD_T_RPAR)) return display(p, from, GD_X_TUPLE, &none);
    gd_ast *first = gd_p_star_named_expression(p);
    gd_ast *node = first ? parenthesis_rest(p, from, first) : NULL;
    if (!node && p->diagnose && !p->failed) {
        p->t = from;
        gd_p_invalid_group(p);
        if (!p->failed) gd_p_invalid_comprehension(p);
    }
    return node;
}

static gd_ast *list(gd_parser *p) {
    const gd_token *from = p->t;
    gd_p_list items = {0};
    gd_p_skip(p);
    if (gd_p_accept(p, GD_T_RSQB)) return display(p, from, GD_X_LIST, &items);
    gd_ast *first = gd_p_star_named_expression(p), *node = NULL;
    if (first && at_clauses(p) && first->kind != GD_X_STARRED) {
        node = comprehension(p, from, GD_X_LISTCOMP, first, GD_T_RSQB);
    } else if (first) {
        gd_p_list_add(&items, first);
        if (items_rest(p, &items, gd_p_star_named_expression, GD_T_RSQB)) node = display(p, from, GD_X_LIST, &items);
    }
    if (!node && p->diagnose && !p->failed) {
        p->t = from;
        gd_p_invalid_comprehension(p);
    }
    return node;
}

static gd_ast *pair(gd_parser *p, const gd_token *from, gd_ast *key, gd_ast *value) {
    gd_ast *node = gd_p_new_from(p, GD_X_PAIR, from->at);
    if (!node || !value) return NULL;
    node->u.pair.key = key;
    node->u.pair.value = value;
    return gd_p_done(p, node);
}

gd_ast *gd_p_key_value(gd_parser *p) {
    const gd_token *from = p->t;
    gd_ast *key = gd_p_expression(p);
    if (!key || !gd_p_accept(p, GD_T_COLON)) return NULL;
    return pair(p, from, key, gd_p_expression(p));
}

gd_ast *gd_p_double_starred(gd_parser *p) {
    const gd_token *from = p->t;
    if (gd_p_accept(p, GD_T_DSTAR)) return pair(p, from, NULL, gd_p_bitwise_or(p));
    return gd_p_key_value(p);
}

static gd_ast *dict_rest(gd_parser *p, const gd_token *from, gd_ast *first) {
    gd_p_list items = {0};
    if (at_clauses(p) && first->u.pair.key) return comprehension(p, from, GD_X_DICTCOMP, first, GD_T_RBRACE);
    gd_p_list_add(&items, first);
    return items_rest(p, &items, gd_p_double_starred, GD_T_RBRACE) ? display(p, from, GD_X_DICT, &items) : NULL;
}

static gd_ast *set_rest(gd_parser *p, const gd_token *from, gd_ast *first) {
    gd_p_list items = {0};
    if (at_clauses(p) && first->kind != GD_X_STARRED) return comprehension(p, from, GD_X_SETCOMP, first, GD_T_RBRACE);
    gd_p_list_add(&items, first);
    return items_rest(p, &items, gd_p_star_named_expression, GD_T_RBRACE) ? display(p, from, GD_X_SET, &items) : NULL;
}

static gd_ast *brace_inside(gd_parser *p, const gd_token *from) {
    if (gd_p_kind(p) == GD_T_DSTAR) {
        gd_ast *first = gd_p_double_starred(p);
        return first ? dict_rest(p, from, first) : NULL;
    }
    const gd_token *begin = p->t;
    gd_ast *first = gd_p_star_named_expression(p);
    if (!first) return NULL;
    bool key = first->kind != GD_X_STARRED && (first->kind != GD_X_WALRUS || first->bracketed);
    if (!key || !gd_p_accept(p, GD_T_COLON)) return set_rest(p, from, first);
    first = pair(p, begin, first, gd_p_expression(p));
    return first ? dict_rest(p, from, first) : NULL;
}

static gd_ast *brace(gd_parser *p) {
    const gd_token *from = p->t;
    gd_p_list none = {0};
    if (p->memo) {
        gd_p_invalid_dict(p);
        p->t = from;
        if (p->failed) return NULL;
    }
    gd_p_skip(p);
    if (gd_p_accept(p, GD_T_RBRACE)) return display(p, from, GD_X_DICT, &none);
    gd_ast *node = brace_inside(p, from);
    if (!node && p->diagnose && !p->failed) {
        p->t = from;
        gd_p_invalid_comprehension(p);
    }
    return node;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static gd_ast *constant(gd_parser *p, gd_ast_kind kind) {
    gd_ast *node = gd_p_new(p, kind);
    gd_p_skip(p);
    return gd_p_done(p, node);
}

gd_ast *gd_p_atom(gd_parser *p) {
    switch (gd_p_kind(p)) {
    case GD_T_NAME: return gd_p_name_node(p);
    case GD_T_NUMBER: return number(p);
    case GD_T_STRING: return gd_p_strings(p);
    case GD_T_LPAR: return parenthesis(p);
    case GD_T_LSQB: return list(p);
    case GD_T_LBRACE: return brace(p);
    case GD_T_TRUE: return constant(p, GD_X_TRUE);
    case GD_T_FALSE: return constant(p, GD_X_FALSE);
    case GD_T_NONE: return constant(p, GD_X_NONE);
    case GD_T_ELLIPSIS: return constant(p, GD_X_ELLIPSIS);
    case GD_T_YIELD:
        return gd_p_fail(p, p->t->at, "this language has no generators: yield is not possible; return a list");
    case GD_T_AWAIT: return gd_p_no_async(p);
    default: return NULL;
    }
}
