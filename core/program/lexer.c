/* lexer.c: a program's text into tokens: lines, indentation, brackets and operators. Names, numbers and strings are
 * lexer_words.c's.
 */
#include "core/program/lexer.h"

#include "core/tensor/tensor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TAB = 8 };

bool gd_lexer_fail(gd_lexer *l, const char *type, uint32_t column, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(l->error->message, sizeof l->error->message, format, args);
    va_end(args);
    l->error->type = type;
    l->error->at = (gd_at){l->line, column, l->line, column};
    return false;
}

/* Likewise for what others go before. */
static bool fail_soft(gd_lexer *l, const char *type, uint32_t column, const char *message) {
    l->out->soft = true;
    return gd_lexer_fail(l, type, column, "%s", message);
}

bool gd_lexer_no_memory(gd_lexer *l) {
    l->error->memory = true;
    return gd_lexer_fail(l, "MemoryError", 1, "the program is too large");
}

static bool add_at(gd_lexer *l, gd_token_kind kind, const char *start, gd_at at) {
    gd_tokens *out = l->out;
    if (out->n == out->capacity) {
        uint32_t more = out->capacity > UINT32_MAX / 3 * 2 ? UINT32_MAX : out->capacity + out->capacity / 2 + 16;
        gd_token *v =
            more > out->capacity ? gd_tree_grow(l->tree, out->v, out->capacity * sizeof *v, more * sizeof *v) : NULL;
        if (!v) return gd_lexer_no_memory(l);
        out->v = v;
        out->capacity = more;
    }
    out->v[out->n++] = (gd_token){.kind = (uint8_t)kind,
                                  .level = (uint8_t)l->level,
                                  .at = at,
                                  .start = (uint32_t)(start - l->text),
                                  .end = (uint32_t)(l->p - l->text)};
    return true;
}

bool gd_lexer_add(gd_lexer *l, gd_token_kind kind, const char *start, uint32_t line, uint32_t column) {
    return add_at(l, kind, start, (gd_at){line, column, l->line, gd_lexer_column(l, l->p)});
}

/* Behind a \n. */
static void next_line(gd_lexer *l) {
    l->line++;
    l->line_start = l->p;
    l->wide = 0;
}

/* At a backslash: goes behind the end of its line. */
static bool continue_line(gd_lexer *l) {
    if (l->p[1] != '\n')
        return fail_soft(l, "SyntaxError", gd_lexer_column(l, l->p + 1),
                         "unexpected character after line continuation character");
    if (l->p + 2 >= l->end && !l->level)
        return fail_soft(l, "SyntaxError", gd_lexer_column(l, l->p + 1), "unexpected EOF while parsing");
    l->p += 2;
    l->continued = true;
    next_line(l);
    return true;
}

/* ---- indentation ------------------------------------------------------------------------------------------------- */

typedef struct gd_indent {
    uint32_t column, alternative; /* with tabs up to the next 8, with tabs as one column */
} gd_indent;

static bool measure_indent(gd_lexer *l, gd_indent *in) {
    uint32_t first = 0; /* column of the first line of several joined by backslashes */
    *in = (gd_indent){0, 0};
    for (;; l->p++) {
        if (*l->p == ' ') {
            in->column++;
            in->alternative++;
        } else if (*l->p == '\t') {
            in->column = (in->column / TAB + 1) * TAB;
            in->alternative++;
        } else if (*l->p == '\f') {
            *in = (gd_indent){0, 0};
        } else if (*l->p == '\\') {
            if (!first) first = in->column;
            if (!continue_line(l)) return false;
            l->p--;
        } else {
            break;
        }
    }
    if (first) *in = (gd_indent){first, first};
    return true;
}

static bool bad_tabs(gd_lexer *l) {
    return fail_soft(l, "TabError", 1, "inconsistent use of tabs and spaces in indentation");
}

static bool add_layout(gd_lexer *l, gd_token_kind kind) {
    uint32_t column = gd_lexer_column(l, l->p) - 1;
    return add_at(l, kind, l->p, (gd_at){l->line, column ? column : 1, l->line, column ? column : 1});
}

static bool bad_dedent(gd_lexer *l) {
    const char *end = strchr(l->p, '\n');
    uint32_t wide = 0;
    for (const char *c = l->p; end && c < end; c++) wide += (*c & 0xC0) == 0x80;
    uint32_t column = end ? gd_lexer_column(l, end) - wide : 1;
    return fail_soft(l, "IndentationError", column, "unindent does not match any outer indentation level");
}

/* Compares a line's indentation with the open ones. */
static bool indent_to(gd_lexer *l, gd_indent in) {
    uint32_t top = l->indents - 1;
    if (in.column == l->columns[top]) return in.alternative == l->alternatives[top] || bad_tabs(l);
    if (in.column > l->columns[top]) {
        if (l->indents == GD_MAX_INDENTS) return fail_soft(l, "IndentationError", 1, "too many levels of indentation");
        if (in.alternative <= l->alternatives[top]) return bad_tabs(l);
        l->columns[l->indents] = in.column;
        l->alternatives[l->indents++] = in.alternative;
        return add_layout(l, GD_T_INDENT);
    }
    uint32_t keep = l->indents;
    while (keep > 1 && in.column < l->columns[keep - 1]) keep--;
    if (in.column != l->columns[keep - 1]) return bad_dedent(l);
    if (in.alternative != l->alternatives[keep - 1]) return bad_tabs(l);
    for (; l->indents > keep; l->indents--)
        if (!add_layout(l, GD_T_DEDENT)) return false;
    return true;
}

static bool begin_line(gd_lexer *l) {
    gd_indent in;
    l->line_begins = false;
    if (!measure_indent(l, &in)) return false;
    if (*l->p == '#' || *l->p == '\n' || l->p >= l->end) return true; /* blank: of no consequence */
    return l->level || indent_to(l, in);
}

/* ---- brackets and operators -------------------------------------------------------------------------------------- */

static bool open_bracket(gd_lexer *l, char bracket) {
    uint32_t column = gd_lexer_column(l, l->p);
    if (l->level >= GD_MAX_BRACKETS) return gd_lexer_fail(l, "SyntaxError", column, "too many nested parentheses");
    l->open[l->level].bracket = bracket;
    l->open[l->level++].at = (gd_at){l->line, column, l->line, column + 1};
    return true;
}

static bool close_bracket(gd_lexer *l, char bracket) {
    uint32_t column = gd_lexer_column(l, l->p);
    if (l->level == l->base) return gd_lexer_fail(l, "SyntaxError", column, "unmatched '%c'", bracket);
    char opened = l->open[--l->level].bracket;
    if ((opened == '(' && bracket == ')') || (opened == '[' && bracket == ']') || (opened == '{' && bracket == '}'))
        return true;
    if (l->open[l->level].at.line != l->line)
        return gd_lexer_fail(l, "SyntaxError", column,
                             "closing parenthesis '%c' does not match opening parenthesis '%c' on line %u", bracket,
                             opened, l->open[l->level].at.line);
    return gd_lexer_fail(l, "SyntaxError", column, "closing parenthesis '%c' does not match opening parenthesis '%c'",
                         bracket, opened);
}

typedef struct gd_operator {
    gd_token_kind kind;
    uint32_t bytes;
} gd_operator;

/* An operator that may be doubled and may have an = behind it: * ** *= **= */
static gd_operator doubled(const char *p, gd_token_kind one, gd_token_kind two, gd_token_kind one_is,
                           gd_token_kind two_is) {
    if (p[1] == p[0]) return p[2] == '=' ? (gd_operator){two_is, 3} : (gd_operator){two, 2};
    return p[1] == '=' ? (gd_operator){one_is, 2} : (gd_operator){one, 1};
}

static gd_operator with_is(const char *p, gd_token_kind one, gd_token_kind is) {
    return p[1] == '=' ? (gd_operator){is, 2} : (gd_operator){one, 1};
}

static gd_operator find_operator(const char *p) {
    switch (p[0]) {
    case ',': return (gd_operator){GD_T_COMMA, 1};
    case ';': return (gd_operator){GD_T_SEMI, 1};
    case '~': return (gd_operator){GD_T_TILDE, 1};
    case '.': return p[1] == '.' && p[2] == '.' ? (gd_operator){GD_T_ELLIPSIS, 3} : (gd_operator){GD_T_DOT, 1};
    case ':': return with_is(p, GD_T_COLON, GD_T_WALRUS);
    case '=': return with_is(p, GD_T_ASSIGN, GD_T_EQ);
    case '+': return with_is(p, GD_T_PLUS, GD_T_PLUS_IS);
    case '-': return p[1] == '>' ? (gd_operator){GD_T_ARROW, 2} : with_is(p, GD_T_MINUS, GD_T_MINUS_IS);
    case '*': return doubled(p, GD_T_STAR, GD_T_DSTAR, GD_T_STAR_IS, GD_T_DSTAR_IS);
    case '/': return doubled(p, GD_T_SLASH, GD_T_DSLASH, GD_T_SLASH_IS, GD_T_DSLASH_IS);
    case '%': return with_is(p, GD_T_PERCENT, GD_T_PERCENT_IS);
    case '@': return with_is(p, GD_T_AT, GD_T_AT_IS);
    case '&': return with_is(p, GD_T_AMPER, GD_T_AMPER_IS);
    case '|': return with_is(p, GD_T_VBAR, GD_T_VBAR_IS);
    case '^': return with_is(p, GD_T_CARET, GD_T_CARET_IS);
    case '<':
        return p[1] == '>' ? (gd_operator){GD_T_STRAY, 2} : doubled(p, GD_T_LT, GD_T_LSHIFT, GD_T_LE, GD_T_LSHIFT_IS);
    case '>': return doubled(p, GD_T_GT, GD_T_RSHIFT, GD_T_GE, GD_T_RSHIFT_IS);
    case '!': return with_is(p, GD_T_STRAY, GD_T_NE);
    default: return (gd_operator){GD_T_STRAY, 1};
    }
}

static bool bracket(gd_lexer *l, gd_token_kind kind) {
    char c = *l->p;
    if (kind == GD_T_LPAR || kind == GD_T_LSQB || kind == GD_T_LBRACE ? !open_bracket(l, c) : !close_bracket(l, c))
        return false;
    l->p++;
    return gd_lexer_add(l, kind, l->p - 1, l->line, gd_lexer_column(l, l->p - 1));
}

static bool punctuation(gd_lexer *l) {
    static const uint8_t brackets[128] = {['('] = GD_T_LPAR, [')'] = GD_T_RPAR,   ['['] = GD_T_LSQB,
                                          [']'] = GD_T_RSQB, ['{'] = GD_T_LBRACE, ['}'] = GD_T_RBRACE};
    uint8_t c = (uint8_t)*l->p;
    if (brackets[c & 127]) return bracket(l, (gd_token_kind)brackets[c & 127]);
    if (c < ' ' || c == 127)
        return gd_lexer_fail(l, "SyntaxError", gd_lexer_column(l, l->p), "invalid non-printable character U+%04X", c);
    gd_operator op = find_operator(l->p);
    const char *start = l->p;
    l->p += op.bytes;
    return gd_lexer_add(l, op.kind, start, l->line, gd_lexer_column(l, start));
}

/* ---- the text ---------------------------------------------------------------------------------------------------- */

/* At the end of a line, or its comment that begins at `start`. */
static bool end_line(gd_lexer *l, const char *start, uint32_t column) {
    bool token = !l->level && l->out->n && l->out->v[l->out->n - 1].kind != GD_T_NEWLINE &&
                 l->out->v[l->out->n - 1].kind != GD_T_DEDENT;
    if (token && !gd_lexer_add(l, GD_T_NEWLINE, start, l->line, column)) return false;
    l->p++;
    next_line(l);
    l->line_begins = true;
    l->continued = false;
    return true;
}

static bool comment(gd_lexer *l) {
    const char *start = l->p;
    uint32_t column = gd_lexer_column(l, start);
    for (; *l->p != '\n'; l->p++) l->wide += (*l->p & 0xC0) == 0x80;
    return end_line(l, start, column);
}

typedef enum gd_letter { OTHER, SPACE, LETTER, DIGIT, QUOTE, HASH, LINE, BACKSLASH, POINT } gd_letter;
static const uint8_t letters[256] = {
    [' '] = SPACE,  ['\t'] = SPACE,         ['\f'] = SPACE,        ['a' ... 'z'] = LETTER, ['A' ... 'Z'] = LETTER,
    ['_'] = LETTER, [128 ... 255] = LETTER, ['0' ... '9'] = DIGIT, ['"'] = QUOTE,          ['\''] = QUOTE,
    ['#'] = HASH,   ['\n'] = LINE,          ['\\'] = BACKSLASH,    ['.'] = POINT,
};

static bool next_token(gd_lexer *l) {
    switch (letters[(uint8_t)*l->p]) {
    case SPACE: l->p++; return true;
    case LETTER: return gd_lexer_name(l);
    case DIGIT: return gd_lexer_number(l);
    case QUOTE: return gd_lexer_string(l, l->p);
    case HASH: return comment(l);
    case LINE: return end_line(l, l->p, gd_lexer_column(l, l->p));
    case BACKSLASH: return continue_line(l);
    case POINT: return letters[(uint8_t)l->p[1]] == DIGIT ? gd_lexer_number(l) : punctuation(l);
    default: return punctuation(l);
    }
}

static bool lex_text(gd_lexer *l) {
    while (l->p < l->end) {
        if (l->line_begins && !begin_line(l)) return false;
        if (l->p < l->end && !next_token(l)) return false;
    }
    return true;
}

/* Where CPython places the end: behind the last line. */
static gd_at end_of_text(const gd_lexer *l) {
    if (l->line == 1) return (gd_at){1, 1, 1, 1};
    const char *start = l->line_start - 1;
    while (start > l->text && start[-1] != '\n') start--;
    uint32_t column = 1;
    for (const char *c = start; c < l->line_start - 1; c++) column += (*c & 0xC0) != 0x80;
    return (gd_at){l->line - 1, column, l->line - 1, column};
}

static bool finish(gd_lexer *l) {
    gd_at at = end_of_text(l);
    if (l->level > l->base) return add_at(l, GD_T_OPEN_END, l->p, at);
    for (; l->indents > 1; l->indents--)
        if (!add_at(l, GD_T_DEDENT, l->p, at)) return false;
    return add_at(l, GD_T_END, l->p, at);
}

/* Lines end with \n alone, whatever they ended with. NULL: no memory. */
static char *copy_source(gd_tree *tree, const char *source, size_t bytes, size_t *out) {
    char *text = bytes < UINT32_MAX - 2 ? gd_tree_alloc(tree, bytes + 2) : NULL, *w = text;
    if (!text) return NULL;
    if (!memchr(source, '\r', bytes)) {
        memcpy(text, source, bytes);
        w += bytes;
    } else {
        for (size_t i = 0; i < bytes; i++) {
            *w++ = source[i] == '\r' ? '\n' : source[i];
            if (source[i] == '\r' && i + 1 < bytes && source[i + 1] == '\n') i++;
        }
    }
    if (w > text && w[-1] != '\n') *w++ = '\n';
    *w = 0;
    *out = (size_t)(w - text);
    return text;
}

/* After a failure the parser decides which error is told: an earlier one of its own may come first. */
static bool run(gd_lexer *l) {
    bool ok = lex_text(l) && finish(l);
    if (l->level > l->base) {
        l->out->open = l->open[l->level - 1].at;
        l->out->open_bracket = l->open[l->level - 1].bracket;
    }
    if (!ok && !l->error->memory && !add_at(l, GD_T_ERROR, l->p, l->error->at)) return false;
    return ok;
}

bool gd_lex(gd_tree *tree, const char *source, size_t bytes, gd_tokens *out, gd_syntax_error *error) {
    gd_lexer l = {.tree = tree, .out = out, .error = error, .line = 1, .indents = 1, .line_begins = true};
    if (bytes >= 3 && !memcmp(source, "\xEF\xBB\xBF", 3)) source += 3, bytes -= 3;
    *out = (gd_tokens){0};
    if (!gd_check_utf8(source, bytes, error)) return false;
    l.text = l.p = l.line_start = out->text = copy_source(tree, bytes ? source : "", bytes, &out->bytes);
    if (!l.text) return gd_lexer_no_memory(&l);
    l.end = l.text + out->bytes;
    uint32_t guess = (uint32_t)(out->bytes / 4) + 32;
    out->v = gd_tree_grow(tree, NULL, 0, guess * sizeof *out->v);
    if (out->v) out->capacity = guess;
    return run(&l);
}

bool gd_lex_field(gd_tree *tree, const gd_tokens *all, uint32_t start, uint32_t end, gd_at from, uint32_t level,
                  gd_tokens *out, gd_syntax_error *error) {
    gd_lexer l = {.tree = tree, .out = out, .error = error, .line = from.line, .level = level, .base = level};
    *out = (gd_tokens){.text = all->text, .bytes = end};
    l.text = all->text;
    l.p = all->text + start;
    l.end = all->text + end;
    l.line_start = l.p - (from.column - 1);
    l.indents = 1;
    if (!open_bracket(&l, '(')) return false;
    l.base = l.level;
    if (!add_at(&l, GD_T_LPAR, l.p, from) || !lex_text(&l)) return false;
    l.level--;
    uint32_t column = gd_lexer_column(&l, l.p);
    gd_at at = {l.line, column, l.line, column};
    return add_at(&l, GD_T_RPAR, l.p, at) && add_at(&l, GD_T_END, l.p, at);
}

void gd_tokens_release(gd_tree *tree, gd_tokens *tokens) {
    gd_tree_release(tree, tokens->v, tokens->capacity * sizeof *tokens->v);
    *tokens = (gd_tokens){0};
}
