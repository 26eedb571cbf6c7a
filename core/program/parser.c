/* parser.c: the entry of the parser: its two passes, which error is told, and what its other files build nodes with. */
#include "core/program/parser.h"

#include "core/tensor/tensor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void *fail(gd_parser *p, const char *type, gd_at at, const char *format, va_list args) {
    if (p->failed) return NULL;
    p->failed = true;
    gd_syntax_error *e = p->error;
    e->type = type;
    e->at = at;
    int n = p->field && strncmp(format, "f-string", 8) ? snprintf(e->message, sizeof e->message, "f-string: ") : 0;
    vsnprintf(e->message + n, sizeof e->message - (size_t)n, format, args);
    return NULL;
}

#define FAIL(type, at)                                                                                                 \
    va_list args;                                                                                                      \
    va_start(args, format);                                                                                            \
    fail(p, type, at, format, args);                                                                                   \
    va_end(args);                                                                                                      \
    return NULL

void *gd_p_fail(gd_parser *p, gd_at at, const char *format, ...) { FAIL("SyntaxError", at); }
void *gd_p_fail_far(gd_parser *p, const char *format, ...) { FAIL("SyntaxError", p->far->at); }
void *gd_p_fail_indent(gd_parser *p, const char *format, ...) { FAIL("IndentationError", p->far->at); }

void *gd_p_no_memory(gd_parser *p) {
    p->failed = false;
    gd_p_fail(p, p->t->at, "the program is too large");
    p->error->type = "MemoryError";
    p->error->memory = true;
    return NULL;
}

bool gd_p_late_error(gd_parser *p, gd_p_late when, gd_at at, const char *format, ...) {
    if (p->late[when] || p->diagnose) return false;
    p->late[when] = true;
    gd_syntax_error *e = &p->late_errors[when];
    *e = (gd_syntax_error){.type = "SyntaxError", .at = at};
    va_list args;
    va_start(args, format);
    vsnprintf(e->message, sizeof e->message, format, args);
    va_end(args);
    return true;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

gd_at gd_p_range(gd_at first, gd_at last) { return (gd_at){first.line, first.column, last.end_line, last.end_column}; }

gd_ast *gd_p_new_from(gd_parser *p, gd_ast_kind kind, gd_at from) {
    gd_ast *node = gd_tree_alloc(p->tree, sizeof *node);
    if (!node) return gd_p_no_memory(p);
    memset(node, 0, sizeof *node);
    node->kind = (uint8_t)kind;
    node->at = from;
    return node;
}

gd_ast *gd_p_new(gd_parser *p, gd_ast_kind kind) { return gd_p_new_from(p, kind, p->t->at); }

const char *gd_p_name(gd_parser *p) {
    if (gd_p_kind(p) != GD_T_NAME) return NULL;
    const char *name = p->t->name->text;
    gd_p_skip(p);
    return name;
}

gd_ast *gd_p_name_node(gd_parser *p) {
    if (gd_p_kind(p) != GD_T_NAME) return NULL;
    gd_ast *node = gd_p_new(p, GD_X_NAME);
    if (!node) return NULL;
    node->u.name = p->t->name->text;
    gd_p_skip(p);
    return gd_p_done(p, node);
}

static uint32_t highest(const gd_ast *list, uint32_t least) {
    for (; list; list = list->next)
        if (list->height > least) least = list->height;
    return least;
}

static uint32_t of_function(const gd_ast *n) {
    uint32_t h = highest(n->u.function.decorators, highest(n->u.function.returns, highest(n->u.function.body, 0)));
    for (const gd_ast_param *q = n->u.function.params; q; q = q->next) h = highest(q->annotation, highest(q->value, h));
    return h;
}

static uint32_t of_clauses(const gd_ast_clause *c, uint32_t h) {
    for (; c; c = c->next) h = highest(c->conditions, highest(c->iterable, highest(c->target, h)));
    return h;
}

static uint32_t height_of_statement(const gd_ast *n) {
    switch ((gd_ast_kind)n->kind) {
    case GD_S_EXPRESSION:
    case GD_S_RETURN: return highest(n->u.value, 0);
    case GD_S_ASSIGN: return highest(n->u.assign.targets, highest(n->u.assign.value, 0));
    case GD_S_AUGMENTED: return highest(n->u.augmented.target, highest(n->u.augmented.value, 0));
    case GD_S_ANNOTATED:
        return highest(n->u.annotated.target, highest(n->u.annotated.annotation, highest(n->u.annotated.value, 0)));
    case GD_S_IF:
    case GD_S_WHILE: return highest(n->u.branch.test, highest(n->u.branch.body, highest(n->u.branch.orelse, 0)));
    case GD_S_FOR:
        return highest(n->u.loop.target,
                       highest(n->u.loop.iterable, highest(n->u.loop.body, highest(n->u.loop.orelse, 0))));
    case GD_S_DEF: return of_function(n);
    case GD_S_WITH: return highest(n->u.with.items, highest(n->u.with.body, 0));
    case GD_S_WITH_ITEM: return highest(n->u.with_item.context, highest(n->u.with_item.target, 0));
    case GD_S_TRY:
        return highest(n->u.try_.body,
                       highest(n->u.try_.handlers, highest(n->u.try_.orelse, highest(n->u.try_.final, 0))));
    case GD_S_HANDLER: return highest(n->u.handler.type, highest(n->u.handler.body, 0));
    case GD_S_RAISE: return highest(n->u.raise.exception, highest(n->u.raise.cause, 0));
    case GD_S_ASSERT: return highest(n->u.assert_.test, highest(n->u.assert_.message, 0));
    case GD_S_DEL: return highest(n->u.items, 0);
    default: return 0;
    }
}

static uint32_t height_of(const gd_ast *n) {
    switch ((gd_ast_kind)n->kind) {
    case GD_X_NONE ... GD_X_NAME: return 0;
    case GD_X_TUPLE:
    case GD_X_LIST:
    case GD_X_SET:
    case GD_X_DICT:
    case GD_X_AND:
    case GD_X_OR:
    case GD_X_FSTRING: return highest(n->u.items, 0);
    case GD_X_PAIR: return highest(n->u.pair.key, highest(n->u.pair.value, 0));
    case GD_X_STARRED:
    case GD_X_UNARY:
    case GD_X_COMPARED: return n->u.value->height;
    case GD_X_BINARY:
        return n->u.binary.left->height > n->u.binary.right->height ? n->u.binary.left->height
                                                                    : n->u.binary.right->height;
    case GD_X_COMPARE: return highest(n->u.compare.left, highest(n->u.compare.items, 0));
    case GD_X_CALL: return highest(n->u.call.items, n->u.call.function->height);
    case GD_X_KEYWORD: return n->u.keyword.value->height;
    case GD_X_ATTRIBUTE: return n->u.attribute.value->height;
    case GD_X_SUBSCRIPT: return highest(n->u.subscript.index, n->u.subscript.value->height);
    case GD_X_SLICE: return highest(n->u.slice.start, highest(n->u.slice.stop, highest(n->u.slice.step, 0)));
    case GD_X_IF: return highest(n->u.choice.test, highest(n->u.choice.then, highest(n->u.choice.orelse, 0)));
    case GD_X_LAMBDA: return of_function(n);
    case GD_X_LISTCOMP:
    case GD_X_SETCOMP:
    case GD_X_DICTCOMP:
    case GD_X_GENERATOR: return of_clauses(n->u.comprehension.clauses, n->u.comprehension.element->height);
    case GD_X_FIELD: return highest(n->u.field.spec, n->u.field.value->height);
    case GD_X_WALRUS: return highest(n->u.assign.targets, highest(n->u.assign.value, 0));
    default: return height_of_statement(n);
    }
}

static void *too_deep(gd_parser *p, gd_at at) {
    return gd_p_fail(p, at, "too many nested expressions or branches: more than %d levels", GD_AST_MAX_DEPTH);
}

static bool layout(uint8_t kind) { return kind == GD_T_NEWLINE || kind == GD_T_INDENT || kind == GD_T_DEDENT; }

gd_ast *gd_p_done(gd_parser *p, gd_ast *node) {
    if (!node || p->failed) return NULL;
    const gd_token *last = p->t;
    while (last > p->tokens.v && layout((last - 1)->kind)) last--;
    if (last > p->tokens.v) {
        node->at.end_line = last[-1].at.end_line;
        node->at.end_column = last[-1].at.end_column;
    }
    uint32_t height = height_of(node) + 1;
    if (height > GD_AST_MAX_DEPTH) return too_deep(p, p->t->at);
    node->height = (uint16_t)height;
    return node;
}

bool gd_p_deeper_in(gd_parser *p) {
    if (++p->depth <= GD_AST_MAX_DEPTH) return true;
    too_deep(p, p->t->at);
    return false;
}

/* ---- results that the second pass keeps -------------------------------------------------------------------------- */

typedef struct gd_p_memo_entry {
    uint64_t key; /* 0: free */
    gd_ast *node;
    const gd_token *end;
} gd_p_memo_entry;

struct gd_p_memo {
    gd_p_memo_entry *entries;
    uint32_t n, capacity; /* a power of two */
};

static uint64_t memo_key(const gd_parser *p, gd_p_memo_rule rule, const gd_token *from) {
    return ((uint64_t)(from - p->tokens.v) << 2 | (uint64_t)rule) + 1;
}

static gd_p_memo_entry *memo_slot(const gd_p_memo *m, uint64_t key) {
    uint32_t i = (uint32_t)(key * 0x9E3779B97F4A7C15u >> 32) & (m->capacity - 1);
    while (m->entries[i].key && m->entries[i].key != key) i = (i + 1) & (m->capacity - 1);
    return &m->entries[i];
}

static bool memo_grow(gd_parser *p, gd_p_memo *m) {
    gd_p_memo bigger = {.n = m->n, .capacity = m->capacity ? m->capacity * 2 : 1024};
    size_t bytes;
    if (!bigger.capacity || !gd_mul_size(bigger.capacity, sizeof(gd_p_memo_entry), &bytes)) return false;
    bigger.entries = gd_tree_grow(p->tree, NULL, 0, bytes);
    if (!bigger.entries) return false;
    memset(bigger.entries, 0, bytes);
    for (uint32_t i = 0; i < m->capacity; i++)
        if (m->entries[i].key) *memo_slot(&bigger, m->entries[i].key) = m->entries[i];
    gd_tree_release(p->tree, m->entries, m->capacity * sizeof(gd_p_memo_entry));
    *m = bigger;
    return true;
}

bool gd_p_memo_find(gd_parser *p, gd_p_memo_rule rule, gd_ast **out) {
    if (!p->memo || !p->memo->n) return false;
    const gd_p_memo_entry *e = memo_slot(p->memo, memo_key(p, rule, p->t));
    if (!e->key) return false;
    *out = e->node;
    p->t = e->end;
    return true;
}

void gd_p_memo_keep(gd_parser *p, gd_p_memo_rule rule, const gd_token *from, gd_ast *node) {
    gd_p_memo *m = p->memo;
    if (!m || p->failed) return;
    if (m->n * 4 >= m->capacity * 3 && !memo_grow(p, m)) {
        gd_p_no_memory(p);
        return;
    }
    uint64_t key = memo_key(p, rule, from);
    *memo_slot(m, key) = (gd_p_memo_entry){key, node, p->t};
    m->n++;
}

/* ---- the passes -------------------------------------------------------------------------------------------------- */

static void second_pass(gd_parser *p, const gd_token *from, bool diagnose, gd_ast *(*start)(gd_parser *p)) {
    gd_p_memo memo = {0}, *outer = p->memo;
    bool diagnosed = p->diagnose;
    uint32_t depth = p->depth;
    p->memo = &memo;
    p->diagnose = diagnose;
    p->lowest = NULL;
    p->t = from;
    start(p);
    gd_tree_release(p->tree, memo.entries, memo.capacity * sizeof(gd_p_memo_entry));
    p->memo = outer;
    p->diagnose = diagnosed;
    p->depth = depth;
}

gd_ast *gd_p_parse_twice(gd_parser *p, gd_ast *(*start)(gd_parser *p)) {
    const gd_token *from = p->t;
    gd_p_body_state body = p->body;
    uint32_t depth = p->depth;
    gd_ast *result = start(p);
    if (result || p->failed) return result;
    p->depth = depth;
    p->body = body;
    second_pass(p, from, false, start);
    const gd_token *far = p->far;
    if (p->failed) return NULL;
    second_pass(p, from, true, start);
    if (p->failed) return NULL;
    if (far->kind == GD_T_INDENT || far->kind == GD_T_DEDENT) {
        p->far = far;
        p->layout = true;
        return gd_p_fail_indent(p, far->kind == GD_T_INDENT ? "unexpected indent" : "unexpected unindent");
    }
    return gd_p_fail(p, far->at, "invalid syntax");
}

/* The text, or what of it is tokens, ends within brackets: told if the parser came to the end, or has passed the
 * bracket's line. */
static void never_closed(gd_parser *p) {
    const gd_token *last = p->tokens.v + p->tokens.n - 1;
    if (!p->tokens.open_bracket) return;
    if (p->far != last && p->far->at.line <= p->tokens.open.line) return;
    p->failed = false;
    gd_p_fail(p, p->tokens.open, "'%c' was never closed", p->tokens.open_bracket);
}

/* An error of the lexer, anywhere, is told before those of the parser, except about indentation. */
static void tell(gd_parser *p, const gd_syntax_error *lexed) {
    const gd_token *last = p->tokens.v + p->tokens.n - 1;
    if (p->error->memory) return;
    if (last->kind == GD_T_ERROR && (p->far == last || (!p->layout && !p->tokens.soft)))
        *p->error = *lexed;
    else if (!p->layout)
        never_closed(p);
}

static gd_ast *program(gd_parser *p) {
    gd_p_list list = {0};
    if (!gd_p_statements(p, &list) || gd_p_kind(p) != GD_T_END) return NULL;
    p->tree->body = list.first;
    gd_ast *pass = gd_p_new(p, GD_S_PASS); /* an empty program is one, too */
    return pass;
}

static gd_ast *one_expression(gd_parser *p) {
    gd_ast *e = gd_p_expressions(p);
    if (!e) return NULL;
    while (gd_p_accept(p, GD_T_NEWLINE)) {
    }
    if (gd_p_kind(p) != GD_T_END) return NULL;
    p->tree->body = e;
    return e;
}

static bool add_keywords(gd_tree *tree) {
    static const struct {
        const char *text;
        uint8_t kind;
    } keywords[] = {
#define X(name, text) {text, GD_T_##name},
        GD_KEYWORDS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        gd_name *name = gd_tree_name(tree, keywords[i].text, strlen(keywords[i].text));
        if (!name) return false;
        name->keyword = keywords[i].kind;
    }
    return true;
}

static bool parse_tokens(gd_parser *p, bool lexed, const gd_syntax_error *lex_error, gd_ast *(*start)(gd_parser *p)) {
    p->t = p->far = p->tokens.v;
    bool ok = gd_p_parse_twice(p, start) != NULL && !p->failed;
    if (!ok || !lexed) {
        tell(p, lex_error);
        return false;
    }
    for (int i = 0; i < GD_LATE_COUNT; i++)
        if (p->late[i]) {
            *p->error = p->late_errors[i];
            return false;
        }
    return true;
}

static gd_tree *parse(const char *source, size_t bytes, size_t max_bytes, gd_syntax_error *error,
                      gd_ast *(*start)(gd_parser *p)) {
    gd_syntax_error lex_error;
    memset(&lex_error, 0, sizeof lex_error);
    memset(error, 0, sizeof *error);
    gd_parser *p = calloc(1, sizeof *p);
    gd_tree *tree = gd_tree_new(max_bytes);
    bool ok = p && tree && add_keywords(tree);
    if (!ok) {
        *error = (gd_syntax_error){.type = "MemoryError", .memory = true, .message = "the program is too large"};
    } else {
        p->tree = tree;
        p->error = error;
        bool lexed = gd_lex(tree, source, bytes, &p->tokens, &lex_error);
        ok = !lex_error.memory && p->tokens.n && parse_tokens(p, lexed, &lex_error, start);
        if (lex_error.memory || !p->tokens.n) *error = lex_error;
        gd_tokens_release(tree, &p->tokens);
    }
    free(p);
    if (ok) return tree;
    gd_tree_free(tree);
    return NULL;
}

gd_tree *gd_parse(const char *source, size_t bytes, size_t max_bytes, gd_syntax_error *error) {
    return parse(source, bytes, max_bytes, error, program);
}

gd_tree *gd_parse_expression(const char *source, size_t bytes, size_t max_bytes, gd_syntax_error *error) {
    return parse(source, bytes, max_bytes, error, one_expression);
}
