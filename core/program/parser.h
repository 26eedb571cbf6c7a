/* parser.h: what the files of the parser share.
 *
 * The parser goes over the tokens once and builds the tree, looking one token ahead. If that fails it goes over them
 * again, trying in order what CPython's grammar tries, only to find the error that CPython would tell: first for the
 * few checks that CPython makes at once (`memo` is set), then with all of them (`diagnose` is on). A function returns
 * NULL where its construct is not; then the caller may try another one from where it began (those later passes), or
 * gives up (the first one). `failed` says that the error is found and all must return.
 */
#ifndef GD_PROGRAM_PARSER_H
#define GD_PROGRAM_PARSER_H

#include "core/program/lexer.h"

typedef enum gd_p_memo_rule { GD_MEMO_EXPRESSION, GD_MEMO_DISJUNCTION, GD_MEMO_PRIMARY } gd_p_memo_rule;
typedef struct gd_p_memo gd_p_memo;

/* What return, break and continue, and CPython's limit on blocks depend on. */
typedef struct gd_p_body_state {
    bool function;
    uint32_t loops, blocks;
} gd_p_body_state;

/* Errors that CPython finds only in programs that are well-formed: of names, then of the rest. */
typedef enum gd_p_late { GD_LATE_NAMES, GD_LATE_REST, GD_LATE_COUNT } gd_p_late;

typedef struct gd_parser {
    gd_tree *tree;
    gd_tokens tokens;
    const gd_token *t, *far; /* the current token, the farthest that was current */
    gd_syntax_error *error;
    bool failed, diagnose, field; /* field: within a field of an f-string */
    bool layout;                  /* the error is an indent that is not expected: it goes before the lexer's */
    gd_p_memo *memo;              /* of the later passes */
    uint32_t depth, stamp;
    uint32_t chain;          /* of names side by side that the second pass looks into */
    const gd_token *negated; /* the number behind a minus */
    gd_ast *lowest;          /* -9223372036854775808 without its minus, until that takes it */
    gd_p_body_state body;
    bool late[GD_LATE_COUNT];
    gd_syntax_error late_errors[GD_LATE_COUNT];
} gd_parser;

static inline gd_token_kind gd_p_kind(const gd_parser *p) { return (gd_token_kind)p->t->kind; }
static inline void gd_p_skip(gd_parser *p) {
    if (++p->t > p->far) p->far = p->t;
}
static inline bool gd_p_accept(gd_parser *p, gd_token_kind kind) {
    if (p->t->kind != kind) return false;
    gd_p_skip(p);
    return true;
}
/* The token after the current one is of that kind. */
static inline bool gd_p_follows(gd_parser *p, gd_token_kind kind) {
    if (p->t->kind == GD_T_END || p->t->kind == GD_T_OPEN_END || p->t->kind == GD_T_ERROR) return false;
    if (p->t + 1 > p->far) p->far = p->t + 1;
    return p->t[1].kind == kind;
}

/* ---- parser.c ---- */
/* Sets the error, unless there is one. Always NULL. */
void *gd_p_fail(gd_parser *p, gd_at at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *gd_p_fail_indent(gd_parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));                                                        /* at the far token */
void *gd_p_fail_far(gd_parser *p, const char *format, ...) __attribute__((format(printf, 2, 3))); /* likewise */
void *gd_p_no_memory(gd_parser *p);
/* False: one of that sort came before. */
bool gd_p_late_error(gd_parser *p, gd_p_late when, gd_at at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
gd_at gd_p_range(gd_at first, gd_at last);
gd_ast *gd_p_new(gd_parser *p, gd_ast_kind kind);                  /* begins at the current token */
gd_ast *gd_p_new_from(gd_parser *p, gd_ast_kind kind, gd_at from); /* begins where that does */
gd_ast *gd_p_done(gd_parser *p, gd_ast *node); /* ends before the current token; checks its depth. NULL for NULL */
const char *gd_p_name(gd_parser *p);           /* the current token's, which is skipped; NULL if it is none */
gd_ast *gd_p_name_node(gd_parser *p);          /* likewise, as GD_X_NAME */
bool gd_p_memo_find(gd_parser *p, gd_p_memo_rule rule, gd_ast **out); /* also moves on */
void gd_p_memo_keep(gd_parser *p, gd_p_memo_rule rule, const gd_token *from, gd_ast *node);
bool gd_p_deeper_in(gd_parser *p); /* before recursion that no bracket bounds; then p->depth-- */
/* Parses with `start` from the current token; again, diagnosing, if that fails. NULL: p->failed. */
gd_ast *gd_p_parse_twice(gd_parser *p, gd_ast *(*start)(gd_parser *p));

typedef struct gd_p_list {
    gd_ast *first, *last;
    uint32_t n;
} gd_p_list;
static inline void gd_p_list_add(gd_p_list *list, gd_ast *node) {
    node->next = NULL;
    if (list->last)
        list->last->next = node;
    else
        list->first = node;
    list->last = node;
    list->n++;
}

/* ---- parser_expression.c ---- */
gd_ast *gd_p_expression(gd_parser *p);
gd_ast *gd_p_expression_anew(gd_parser *p); /* even if the second pass has kept it */
gd_ast *gd_p_disjunction(gd_parser *p);
gd_ast *gd_p_bitwise_or(gd_parser *p);
gd_ast *gd_p_starred(gd_parser *p, gd_ast *(*value)(gd_parser *p)); /* at the star */
gd_ast *gd_p_star_expression(gd_parser *p);
/* One item, or a tuple if a comma follows it. */
gd_ast *gd_p_tuple_of(gd_parser *p, gd_ast *(*item)(gd_parser *p));
gd_ast *gd_p_star_expressions(gd_parser *p); /* a tuple if there is a comma */
gd_ast *gd_p_expressions(gd_parser *p);
gd_ast *gd_p_named_expression(gd_parser *p);
gd_ast *gd_p_star_named_expression(gd_parser *p);
gd_ast *gd_p_walrus(gd_parser *p); /* at a name that := follows */
gd_ast *gd_p_primary(gd_parser *p);
/* ---- parser_atom.c ---- */
gd_ast *gd_p_atom(gd_parser *p);
void *gd_p_no_async(gd_parser *p); /* fails: there is none */
gd_ast_clause *gd_p_for_if_clauses(gd_parser *p);
gd_at gd_p_clauses_end(const gd_ast_clause *clauses); /* where the last item of the last one is */
gd_ast *gd_p_key_value(gd_parser *p);                 /* key: value */
gd_ast *gd_p_double_starred(gd_parser *p);            /* **value, or key: value */
/* ---- parser_call.c ---- */
gd_ast *gd_p_call(gd_parser *p, gd_ast *function); /* at the parenthesis */
gd_ast *gd_p_subscript(gd_parser *p, gd_ast *value);
/* As many arguments as there are; positional ones, then those by keyword. */
bool gd_p_args(gd_parser *p, gd_p_list *args);
/* ---- parser_string.c, parser_fstring.c ---- */
gd_ast *gd_p_strings(gd_parser *p);
/* The characters of s … end with escapes replaced (unless raw). False: failed. */
bool gd_p_unescape(gd_parser *p, const char *s, const char *end, bool raw, gd_ast_text *out);
/* Adds the parts of an f-string's inside to a list of texts and fields. */
bool gd_p_fstring(gd_parser *p, const gd_token *token, const char *s, const char *end, bool raw, gd_p_list *parts);
/* ---- parser_target.c ---- */
gd_ast *gd_p_star_targets(gd_parser *p); /* what assignments and for assign to; a tuple if there is a comma */
gd_ast *gd_p_star_target(gd_parser *p);
bool gd_p_is_target(const gd_ast *node);        /* an expression that may stand there */
bool gd_p_is_single_target(const gd_ast *node); /* a name, attribute or subscript */
bool gd_p_is_del_target(const gd_ast *node);
void gd_p_check_stars(gd_parser *p, const gd_ast *target); /* late errors of starred targets */
void gd_p_check_value(gd_parser *p, const gd_ast *value);  /* the same of a value */
typedef enum gd_p_targets { GD_TARGETS_STAR, GD_TARGETS_FOR, GD_TARGETS_DEL } gd_p_targets;
void *gd_p_fail_target(gd_parser *p, gd_ast *e, gd_p_targets type); /* fails if there is something no target in it */
const char *gd_p_expression_name(const gd_ast *e);                  /* "function call", as error texts call it */
/* ---- parser_parameters.c ---- */
/* Up to `close`, which is not skipped: a parenthesis of def, the colon of lambda. False: not well-formed. */
bool gd_p_parameters(gd_parser *p, gd_token_kind close, gd_ast_param **out);
void gd_p_invalid_parameters(gd_parser *p, gd_token_kind close);
/* ---- parser_simple.c ---- */
bool gd_p_simple_statements(gd_parser *p, gd_p_list *into); /* a line of them */
/* ---- parser_import.c ---- */
bool gd_p_import(gd_parser *p, gd_p_list *into);
/* ---- parser_compound.c ---- */
bool gd_p_statements(gd_parser *p, gd_p_list *into); /* as many as there are */
bool gd_p_is_compound(gd_token_kind kind);
/* ---- parser_diagnose.c: the checks of the second pass. All return NULL; p->failed says whether they found. ---- */
void *gd_p_invalid_expression(gd_parser *p, const gd_token *from, gd_ast *a);
void *gd_p_invalid_named_expression(gd_parser *p);
void *gd_p_invalid_comprehension(gd_parser *p); /* at the bracket */
void *gd_p_invalid_group(gd_parser *p);
void *gd_p_invalid_dict(gd_parser *p);
void *gd_p_invalid_arguments(gd_parser *p);
void *gd_p_invalid_keyword(gd_parser *p);
void *gd_p_invalid_assignment(gd_parser *p);
void *gd_p_invalid_match(gd_parser *p);
/* In a for clause or statement, at its for. */
void *gd_p_invalid_for_target(gd_parser *p);
/* After a header's colon: no indented block follows. */
void *gd_p_invalid_block(gd_parser *p, const char *of, uint32_t line);

#endif
