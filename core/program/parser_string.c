/* parser_string.c: string literals: prefixes, escapes, and adjacent ones joined. Fields are parser_fstring.c's. */
#include "core/program/parser.h"
#include "core/program/unicode.h"
#include "core/tensor/tensor.h"

#include <string.h>

/* ---- escapes ----------------------------------------------------------------------------------------------------- */

/* How CPython counts positions in errors: in a buffer where it has written other than ASCII as \UXXXXXXXX. */
static size_t decoder_position(const char *s, const char *to) {
    size_t n = 0;
    for (; s < to; s++) {
        if (*s == '\\' && s + 1 < to && s[1] & 0x80)
            n += 6;
        else if (!(*s & 0x80))
            n++;
        else if ((*s & 0xC0) != 0x80)
            n += 10;
    }
    return n;
}

static bool bad_escape(gd_parser *p, const char *begin, const char *backslash, const char *end, const char *why) {
    size_t at = decoder_position(begin, backslash);
    gd_p_fail_far(p, "(unicode error) 'unicodeescape' codec can't decode bytes in position %zu-%zu: %s", at,
                  at + (size_t)(end - backslash) - 1, why);
    return false;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

typedef struct gd_p_unescaper {
    gd_parser *p;
    const char *begin, *s, *end;
    char *w;
} gd_p_unescaper;

/* \xXX, \uXXXX, \UXXXXXXXX: at the letter. */
static bool hex_escape(gd_p_unescaper *u, int digits, const char *truncated) {
    const char *backslash = u->s++ - 1;
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, u->s++) {
        int v = u->s < u->end ? hex_value(*u->s) : -1;
        if (v < 0) return bad_escape(u->p, u->begin, backslash, u->s, truncated);
        c = c << 4 | (uint32_t)v;
    }
    if (c > 0x10FFFF) return bad_escape(u->p, u->begin, backslash, u->s, "illegal Unicode character");
    if (c >= 0xD800 && c < 0xE000) {
        gd_p_fail_far(u->p, "this language's strings hold whole characters: the surrogate %.*s is none",
                      (int)(u->s - backslash), backslash);
        return false;
    }
    u->w += gd_utf8_put(u->w, c);
    return true;
}

static void octal_escape(gd_p_unescaper *u) {
    uint32_t c = 0;
    for (int i = 0; i < 3 && u->s < u->end && *u->s >= '0' && *u->s <= '7'; i++) c = c << 3 | (uint32_t)(*u->s++ - '0');
    u->w += gd_utf8_put(u->w, c);
}

/* Behind a backslash. What is no escape keeps it. */
static bool escape(gd_p_unescaper *u) {
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    const char *simple = memchr(from, *u->s, sizeof from - 1);
    if (simple) {
        *u->w++ = to[simple - from];
        u->s++;
        return true;
    }
    switch (*u->s) {
    case '\n': u->s++; return true;
    case 'x': return hex_escape(u, 2, "truncated \\xXX escape");
    case 'u': return hex_escape(u, 4, "truncated \\uXXXX escape");
    case 'U': return hex_escape(u, 8, "truncated \\UXXXXXXXX escape");
    case 'N':
        gd_p_fail_far(u->p, "this language has no \\N{...} escapes: write the character itself, or \\uXXXX");
        return false;
    case '0' ... '7': octal_escape(u); return true;
    default: *u->w++ = '\\'; return true;
    }
}

bool gd_p_unescape(gd_parser *p, const char *s, const char *end, bool raw, gd_ast_text *out) {
    size_t bytes = (size_t)(end - s);
    const char *backslash = raw || !bytes ? NULL : memchr(s, '\\', bytes);
    char *text = gd_tree_alloc(p->tree, bytes + 1);
    if (!text) return gd_p_no_memory(p) != NULL;
    gd_p_unescaper u = {.p = p, .begin = s, .s = s, .end = end, .w = text};
    while (backslash) {
        memcpy(u.w, u.s, (size_t)(backslash - u.s));
        u.w += backslash - u.s;
        u.s = backslash + 1;
        if (u.s < end ? !escape(&u) : !(*u.w++ = '\\')) return false;
        backslash = memchr(u.s, '\\', (size_t)(end - u.s));
    }
    memcpy(u.w, u.s, (size_t)(end - u.s));
    u.w += end - u.s;
    *u.w = 0;
    *out = (gd_ast_text){text, (size_t)(u.w - text)};
    return true;
}

/* ---- literals ---------------------------------------------------------------------------------------------------- */

typedef struct gd_p_literal {
    bool raw, bytes, fields;
    const char *s, *end; /* what is between the quotes */
} gd_p_literal;

static gd_p_literal read_literal(const gd_parser *p, const gd_token *token) {
    gd_p_literal lit = {.s = p->tokens.text + token->start, .end = p->tokens.text + token->end};
    for (; *lit.s != '"' && *lit.s != '\''; lit.s++) {
        char c = (char)(*lit.s | 0x20);
        lit.raw |= c == 'r';
        lit.bytes |= c == 'b';
        lit.fields |= c == 'f';
    }
    bool triple = lit.end - lit.s >= 6 && lit.s[1] == lit.s[0] && lit.s[2] == lit.s[0];
    lit.s += triple ? 3 : 1;
    lit.end -= triple ? 3 : 1;
    return lit;
}

static bool add_text(gd_parser *p, const gd_token *token, const gd_p_literal *lit, gd_p_list *parts) {
    gd_ast *node = gd_p_new_from(p, GD_X_STR, token->at);
    if (!node || !gd_p_unescape(p, lit->s, lit->end, lit->raw, &node->u.text)) return false;
    node->height = 1;
    gd_p_list_add(parts, node);
    return true;
}

/* Joins the texts from `first` to the last one before a field. */
static bool join_run(gd_parser *p, gd_ast *first) {
    size_t bytes = 0;
    gd_ast *end = first;
    for (; end && end->kind == GD_X_STR; end = end->next)
        if (!gd_add_size(bytes, end->u.text.bytes, &bytes)) return false;
    if (first->next == end) return true;
    char *text = gd_tree_alloc(p->tree, bytes + 1), *w = text;
    if (!text) return gd_p_no_memory(p) != NULL;
    for (const gd_ast *n = first; n != end; n = n->next) {
        memcpy(w, n->u.text.text, n->u.text.bytes);
        w += n->u.text.bytes;
        first->at = gd_p_range(first->at, n->at);
    }
    *w = 0;
    first->u.text = (gd_ast_text){text, bytes};
    first->next = end;
    return true;
}

static bool join(gd_parser *p, gd_ast *parts) {
    for (; parts; parts = parts->next)
        if (parts->kind == GD_X_STR && !join_run(p, parts)) return false;
    return true;
}

/* Texts without a character are of use only where there is nothing else. */
static gd_ast *without_empty(gd_ast *parts) {
    gd_ast *first = NULL, **tail = &first;
    for (; parts; parts = parts->next)
        if (parts->kind != GD_X_STR || parts->u.text.bytes) {
            *tail = parts;
            tail = &parts->next;
        }
    *tail = NULL;
    return first;
}

gd_ast *gd_p_strings(gd_parser *p) {
    const gd_token *from = p->t;
    gd_p_list parts = {0};
    bool fields = false;
    while (gd_p_kind(p) == GD_T_STRING) gd_p_skip(p);
    for (const gd_token *token = from; token < p->t; token++) {
        gd_p_literal lit = read_literal(p, token);
        if (lit.bytes) return gd_p_fail(p, token->at, "this language has no bytes literals: leave the b out");
        fields |= lit.fields;
        bool ok =
            lit.fields ? gd_p_fstring(p, token, lit.s, lit.end, lit.raw, &parts) : add_text(p, token, &lit, &parts);
        if (!ok || p->failed) return NULL;
    }
    if (parts.first && !join(p, parts.first)) return NULL;
    gd_ast *node = gd_p_new_from(p, fields ? GD_X_FSTRING : GD_X_STR, from->at);
    if (!node) return NULL;
    if (fields)
        node->u.items = without_empty(parts.first);
    else
        node->u.text = parts.first->u.text;
    return gd_p_done(p, node);
}
