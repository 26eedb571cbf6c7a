/* parser_fstring.c: the inside of f-strings: texts, and fields of an expression, a conversion and a format. */
#include "core/program/parser.h"

#include <string.h>

/* Reads the inside of one literal. line and column are those of `seen`, which only moves on. */
typedef struct gd_p_fields {
    gd_parser *p;
    const gd_token *token;
    const char *s, *end, *seen;
    uint32_t line, column;
    bool raw;
} gd_p_fields;

static gd_at position(gd_p_fields *f, const char *at) {
    for (; f->seen < at; f->seen++) {
        if (*f->seen == '\n')
            f->line++, f->column = 1;
        else
            f->column += (*f->seen & 0xC0) != 0x80;
    }
    return (gd_at){f->line, f->column, f->line, f->column + 1};
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static bool add_text(gd_p_fields *f, const char *from, const char *to, gd_p_list *parts) {
    if (from == to) return true;
    gd_at at = position(f, from);
    gd_ast *node = gd_p_new_from(f->p, GD_X_STR, at);
    if (!node || !gd_p_unescape(f->p, from, to, f->raw, &node->u.text)) return false;
    node->height = 1;
    gd_p_list_add(parts, node);
    return true;
}

/* The text up to a field, or the end of the literal or (within a format) of the field. */
static bool text(gd_p_fields *f, bool in_format, gd_p_list *parts) {
    const char *from = f->s;
    for (; f->s < f->end; f->s++) {
        if (!f->raw && *f->s == '\\' && f->s + 1 < f->end && f->s[1] != '{' && f->s[1] != '}') {
            f->s++;
            continue;
        }
        if (*f->s != '{' && *f->s != '}') continue;
        if (in_format) break;
        if (f->s + 1 >= f->end || f->s[1] != *f->s) {
            if (*f->s == '{') break;
            return gd_p_fail_far(f->p, "f-string: single '}' is not allowed") != NULL;
        }
        if (!add_text(f, from, ++f->s, parts)) return false;
        from = f->s + 1;
    }
    return add_text(f, from, f->s, parts);
}

/* ---- the expression of a field ----------------------------------------------------------------------------------- */

/* Finds where it ends; what is within brackets and quotes does not end it. */
typedef struct gd_p_scan {
    char open[GD_MAX_BRACKETS];
    uint32_t level;
    char quote; /* of the string that is open, or 0 */
    bool triple;
} gd_p_scan;

static bool quote_here(const gd_p_fields *f, char quote) {
    return f->end - f->s >= 3 && f->s[0] == quote && f->s[1] == quote && f->s[2] == quote;
}

static void scan_quote(gd_p_fields *f, gd_p_scan *scan) {
    char c = *f->s;
    if (!scan->quote) {
        scan->quote = c;
        scan->triple = quote_here(f, c);
        f->s += scan->triple ? 3 : 1;
    } else if (c != scan->quote || (scan->triple && !quote_here(f, c))) {
        f->s++;
    } else {
        f->s += scan->triple ? 3 : 1;
        scan->quote = 0;
    }
}

static bool scan_close(gd_p_fields *f, gd_p_scan *scan) {
    char c = *f->s;
    if (!scan->level) return gd_p_fail_far(f->p, "f-string: unmatched '%c'", c) != NULL;
    char opened = scan->open[--scan->level];
    if ((opened == '(' && c == ')') || (opened == '[' && c == ']') || (opened == '{' && c == '}')) {
        f->s++;
        return true;
    }
    return gd_p_fail_far(f->p, "f-string: closing parenthesis '%c' does not match opening parenthesis '%c'", c,
                         opened) != NULL;
}

/* At a character that ends it unless it is the first of != == <= >=, or < or > alone. */
static bool ends_here(gd_p_fields *f) {
    char c = *f->s;
    if (f->s + 1 < f->end && f->s[1] == '=' && (c == '!' || c == '=' || c == '<' || c == '>')) {
        f->s += 2;
        return false;
    }
    if (c != '<' && c != '>') return true;
    f->s++;
    return false;
}

static bool scan_open(gd_p_fields *f, gd_p_scan *scan) {
    if (scan->level >= GD_MAX_BRACKETS) return gd_p_fail_far(f->p, "f-string: too many nested parenthesis") != NULL;
    scan->open[scan->level++] = *f->s++;
    return true;
}

/* One step. *end: it is found. False: failed. */
static bool scan_step(gd_p_fields *f, gd_p_scan *scan, bool *end) {
    char c = *f->s;
    if (c == '\\') return gd_p_fail_far(f->p, "f-string expression part cannot include a backslash") != NULL;
    if (scan->quote || c == '\'' || c == '"') {
        scan_quote(f, scan);
        return true;
    }
    if (c == '(' || c == '[' || c == '{') return scan_open(f, scan);
    if (c == '#') return gd_p_fail_far(f->p, "f-string expression part cannot include '#'") != NULL;
    if (!scan->level && strchr("!:}=<>", c)) {
        *end = ends_here(f);
        return true;
    }
    if (c == ')' || c == ']' || c == '}') return scan_close(f, scan);
    f->s++;
    return true;
}

static bool expecting_brace(gd_p_fields *f) { return gd_p_fail_far(f->p, "f-string: expecting '}'") != NULL; }

static bool scan_expression(gd_p_fields *f) {
    gd_p_scan scan = {.level = 0};
    bool end = false;
    while (f->s < f->end && !end)
        if (!scan_step(f, &scan, &end)) return false;
    if (scan.quote) return gd_p_fail_far(f->p, "f-string: unterminated string") != NULL;
    if (scan.level) return gd_p_fail_far(f->p, "f-string: unmatched '%c'", scan.open[scan.level - 1]) != NULL;
    return f->s < f->end || expecting_brace(f);
}

/* Parses the tokens of a field as a program of their own. */
static gd_ast *parse_field(gd_parser *p, gd_tokens *tokens) {
    gd_parser outer = *p;
    p->tokens = *tokens;
    p->t = p->far = tokens->v;
    p->field = true;
    p->memo = NULL;
    p->diagnose = false;
    gd_ast *value = gd_p_parse_twice(p, gd_p_star_expressions);
    p->tokens = outer.tokens;
    p->t = outer.t;
    p->far = outer.far;
    p->field = outer.field;
    p->memo = outer.memo;
    p->diagnose = outer.diagnose;
    return value;
}

static gd_ast *expression(gd_p_fields *f, const char *from, const char *to) {
    const char *s = from;
    while (s < to && strchr(" \t\n\f\r", *s)) s++;
    if (s == to && *to != '}') return gd_p_fail_far(f->p, "f-string: expression required before '%c'", *to);
    if (s == to) return gd_p_fail_far(f->p, "f-string: empty expression not allowed");
    gd_tokens tokens;
    gd_at at = position(f, from);
    const char *text = f->p->tokens.text;
    bool lexed = gd_lex_field(f->p->tree, &f->p->tokens, (uint32_t)(from - text), (uint32_t)(to - text), at,
                              f->token->level, &tokens, f->p->error);
    gd_ast *value = lexed ? parse_field(f->p, &tokens) : NULL;
    f->p->failed |= !lexed;
    gd_tokens_release(f->p->tree, &tokens);
    return value;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

static bool parts(gd_p_fields *f, uint32_t level, gd_p_list *out);

static bool conversion(gd_p_fields *f, gd_ast *node) {
    if (*f->s != '!') return true;
    if (++f->s >= f->end) return expecting_brace(f);
    char c = *f->s++;
    if (c != 's' && c != 'r' && c != 'a')
        return gd_p_fail_far(f->p, "f-string: invalid conversion character: expected 's', 'r', or 'a'") != NULL;
    node->u.field.conversion = c;
    return f->s < f->end || expecting_brace(f);
}

static bool format(gd_p_fields *f, uint32_t level, gd_ast *node) {
    if (*f->s != ':') return true;
    if (++f->s >= f->end) return expecting_brace(f);
    gd_p_list items = {0};
    gd_ast *spec = gd_p_new_from(f->p, GD_X_FSTRING, position(f, f->s));
    if (!spec || !parts(f, level + 1, &items)) return false;
    spec->u.items = items.first;
    node->u.field.spec = gd_p_done(f->p, spec);
    if (!node->u.field.spec) return false;
    spec->at = gd_p_range(spec->at, position(f, f->s));
    return true;
}

/* {value=}: keeps the text, and shows the value as repr unless something else is asked for. */
static bool source_text(gd_p_fields *f, const char *from, gd_ast *node) {
    f->s++;
    while (f->s < f->end && strchr(" \t\n\f\r\v", *f->s)) f->s++;
    if (f->s >= f->end) return expecting_brace(f);
    const char *text = gd_tree_copy(f->p->tree, from, (size_t)(f->s - from));
    if (!text) return gd_p_no_memory(f->p) != NULL;
    node->u.field.source = (gd_ast_text){text, (size_t)(f->s - from)};
    return true;
}

/* At the brace. */
static bool field(gd_p_fields *f, uint32_t level, gd_p_list *out) {
    if (level >= 2) return gd_p_fail_far(f->p, "f-string: expressions nested too deeply") != NULL;
    gd_ast *node = gd_p_new_from(f->p, GD_X_FIELD, position(f, f->s));
    const char *from = ++f->s;
    if (!node || !scan_expression(f)) return false;
    node->u.field.value = expression(f, from, f->s);
    if (!node->u.field.value) return false;
    if (*f->s == '=' && !source_text(f, from, node)) return false;
    if (!conversion(f, node) || !format(f, level, node)) return false;
    if (f->s >= f->end || *f->s != '}') return expecting_brace(f);
    f->s++;
    if (node->u.field.source.bytes && !node->u.field.spec && !node->u.field.conversion) node->u.field.conversion = 'r';
    gd_at end = position(f, f->s);
    if (!gd_p_done(f->p, node)) return false;
    node->at.end_line = end.line;
    node->at.end_column = end.column;
    gd_p_list_add(out, node);
    return true;
}

/* Up to the end, or within a format (level > 0) to the brace that closes the field. */
static bool parts(gd_p_fields *f, uint32_t level, gd_p_list *out) {
    while (f->s < f->end) {
        if (!text(f, level > 0, out)) return false;
        if (f->s >= f->end || *f->s == '}') return true;
        if (!field(f, level, out)) return false;
    }
    return true;
}

bool gd_p_fstring(gd_parser *p, const gd_token *token, const char *s, const char *end, bool raw, gd_p_list *out) {
    gd_p_fields f = {.p = p, .token = token, .s = s, .end = end, .raw = raw};
    f.seen = p->tokens.text + token->start;
    f.line = token->at.line;
    f.column = token->at.column;
    return parts(&f, 0, out);
}
