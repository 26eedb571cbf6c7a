/* lexer_words.c: the tokens that are longer than an operator: names, numbers, strings; and the check of the text. */
#include "core/program/lexer.h"
#include "core/program/unicode.h"

#include <stdio.h>
#include <string.h>

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------- */

/* Bytes of the character at s, or 0 with *why and the number of bytes at fault, as CPython's decoder tells it. */
static size_t character(const uint8_t *s, size_t left, const char **why, size_t *faulty) {
    uint8_t c = s[0];
    *faulty = 1;
    *why = "invalid start byte";
    if (c < 0x80) return 1;
    if (c < 0xC2 || c > 0xF4) return 0;
    size_t bytes = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80, high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    *why = "invalid continuation byte";
    for (size_t i = 1; i < bytes; i++, low = 0x80, high = 0xBF) {
        *faulty = i;
        if (i >= left) {
            *why = "unexpected end of data";
            return 0;
        }
        if (s[i] < low || s[i] > high) return 0;
    }
    return bytes;
}

static bool bad_utf8(const char *source, size_t at, size_t faulty, const char *why, gd_syntax_error *error) {
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        if (source[i] == '\n')
            line++, column = 1;
        else
            column += (source[i] & 0xC0) != 0x80;
    }
    error->type = "SyntaxError";
    error->at = (gd_at){line, column, line, column + 1};
    if (!faulty)
        snprintf(error->message, sizeof error->message, "source code string cannot contain null bytes");
    else if (faulty == 1)
        snprintf(error->message, sizeof error->message,
                 "(unicode error) 'utf-8' codec can't decode byte 0x%02x in position %zu: %s", (uint8_t)source[at], at,
                 why);
    else
        snprintf(error->message, sizeof error->message,
                 "(unicode error) 'utf-8' codec can't decode bytes in position %zu-%zu: %s", at, at + faulty - 1, why);
    return false;
}

bool gd_check_utf8(const char *source, size_t bytes, gd_syntax_error *error) {
    for (size_t i = 0, n; i < bytes; i += n) {
        const char *why;
        size_t faulty;
        n = 1;
        if (!source[i]) return bad_utf8(source, i, 0, NULL, error);
        if (!(source[i] & 0x80)) continue;
        n = character((const uint8_t *)source + i, bytes - i, &why, &faulty);
        if (!n) return bad_utf8(source, i, faulty, why, error);
    }
    return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static const bool word[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['_'] = true, [128 ... 255] = true};

static bool bad_character(gd_lexer *l, const char *p, const char *next, uint32_t c) {
    uint32_t column = gd_lexer_column(l, p);
    if (!gd_char_is(c, GD_CHAR_PRINTABLE))
        return gd_lexer_fail(l, "SyntaxError", column, "invalid non-printable character U+%04X", c);
    return gd_lexer_fail(l, "SyntaxError", column, "invalid character '%.*s' (U+%04X)", (int)(next - p), p, c);
}

/* A name that is not all ASCII: is each of its characters allowed? Counts the bytes that begin none. */
static bool check_name(gd_lexer *l, const char *start) {
    for (const char *p = start; p < l->p;) {
        const char *next = p;
        uint32_t c = gd_utf8_next(&next);
        if (p == start ? !gd_name_starts(c) : !gd_name_goes_on(c)) return bad_character(l, p, next, c);
        if (gd_name_changes(c))
            return gd_lexer_fail(l, "SyntaxError", gd_lexer_column(l, p),
                                 "invalid character '%.*s' (U+%04X): names here are in normal form (NFKC)",
                                 (int)(next - p), p, c);
        l->wide += (uint32_t)(next - p - 1);
        p = next;
    }
    return true;
}

/* Is what was read so far the prefix of a string? */
static bool is_prefix(const char *s, size_t n) {
    if (n == 1) return strchr("bBuUrRfF", s[0]);
    if (n != 2) return false;
    char a = (char)(s[0] | 0x20), b = (char)(s[1] | 0x20);
    return (a == 'r' && (b == 'b' || b == 'f')) || (b == 'r' && (a == 'b' || a == 'f'));
}

bool gd_lexer_name(gd_lexer *l) {
    const char *start = l->p;
    uint32_t column = gd_lexer_column(l, start);
    uint8_t all = 0;
    for (; word[(uint8_t)*l->p]; l->p++) all |= (uint8_t)*l->p;
    if ((*l->p == '"' || *l->p == '\'') && l->p - start <= 2 && is_prefix(start, (size_t)(l->p - start)))
        return gd_lexer_string(l, start);
    if (all & 0x80 && !check_name(l, start)) return false;
    gd_name *name = gd_tree_name(l->tree, start, (size_t)(l->p - start));
    if (!name) return gd_lexer_no_memory(l);
    gd_token_kind kind = name->keyword ? (gd_token_kind)name->keyword : GD_T_NAME;
    if (!gd_lexer_add(l, kind, start, l->line, column)) return false;
    l->out->v[l->out->n - 1].name = name;
    return true;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static bool bad_number(gd_lexer *l, const char *p, const char *kind) {
    return gd_lexer_fail(l, "SyntaxError", gd_lexer_column(l, p) - 1, "invalid %s literal", kind);
}

static bool digit_of(char c, int base) {
    if (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return true;
    return c >= '0' && c < '0' + (base > 10 ? 10 : base);
}

static bool keyword_follows(const char *p, const char *rest) {
    size_t n = strlen(rest);
    return !strncmp(p + 1, rest, n) && !word[(uint8_t)p[n + 1]];
}

/* A number may touch a keyword (1if x else 2), nothing else that could go on in a name. */
static bool number_ends(gd_lexer *l, const char *kind) {
    const char *p = l->p;
    bool keyword = false;
    switch (*p) {
    case 'a': keyword = keyword_follows(p, "nd"); break;
    case 'e': keyword = keyword_follows(p, "lse"); break;
    case 'f': keyword = keyword_follows(p, "or"); break;
    case 'i': keyword = p[1] == 'f' || p[1] == 'n' || p[1] == 's'; break;
    case 'n': keyword = keyword_follows(p, "ot"); break;
    case 'o': keyword = keyword_follows(p, "r"); break;
    }
    return keyword || !word[(uint8_t)*p] || bad_number(l, p, kind);
}

/* Digits with single underscores between them; at least one has been read, or an underscore may come first. */
static bool digits(gd_lexer *l, int base, const char *kind) {
    for (;;) {
        while (digit_of(*l->p, base)) l->p++;
        if (*l->p != '_') return true;
        l->p++;
        if (!digit_of(*l->p, base)) {
            if (base < 10 && *l->p >= '0' && *l->p <= '9') return true; /* told as a wrong digit */
            return bad_number(l, l->p, kind);
        }
    }
}

static bool radix_number(gd_lexer *l, int base, const char *kind) {
    l->p += 2;
    if (!digit_of(*l->p, base) && *l->p != '_' && !(base < 10 && *l->p >= '0' && *l->p <= '9'))
        return bad_number(l, l->p, kind);
    if (!digits(l, base, kind)) return false;
    if (base < 10 && *l->p >= '0' && *l->p <= '9')
        return gd_lexer_fail(l, "SyntaxError", gd_lexer_column(l, l->p), "invalid digit '%c' in %s literal", *l->p,
                             kind);
    return number_ends(l, kind);
}

/* Behind the whole part: fraction, exponent, j. *whole: nothing of that. */
static bool fraction(gd_lexer *l, bool *whole) {
    *whole = true;
    if (*l->p == '.') {
        *whole = false;
        l->p++;
        if (digit_of(*l->p, 10) && !digits(l, 10, "decimal")) return false;
    }
    if (*l->p == 'e' || *l->p == 'E') {
        const char *e = l->p;
        bool sign = e[1] == '+' || e[1] == '-';
        if (digit_of(e[1 + sign], 10)) {
            *whole = false;
            l->p += 1 + sign;
            if (!digits(l, 10, "decimal")) return false;
        } else if (sign) {
            return bad_number(l, e + 2, "decimal");
        }
    }
    if (*l->p != 'j' && *l->p != 'J') return number_ends(l, "decimal");
    *whole = false;
    l->p++;
    return number_ends(l, "imaginary");
}

static bool leading_zeros(gd_lexer *l, const char *start) {
    return gd_lexer_fail(l, "SyntaxError", gd_lexer_column(l, start),
                         "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal "
                         "integers");
}

static bool decimal_number(gd_lexer *l) {
    const char *start = l->p;
    bool whole, zero = *start == '0', nonzero = false;
    if (*start != '.' && !digits(l, 10, "decimal")) return false;
    for (const char *p = start; zero && p < l->p; p++) nonzero |= *p != '0' && *p != '_';
    if (zero && nonzero && !strchr(".eEjJ", *l->p)) return leading_zeros(l, start);
    const char *tail = l->p;
    if (!fraction(l, &whole)) return false;
    return !(zero && nonzero && whole && l->p == tail) || leading_zeros(l, start);
}

bool gd_lexer_number(gd_lexer *l) {
    const char *start = l->p;
    uint32_t column = gd_lexer_column(l, start);
    char radix = *start == '0' ? (char)(start[1] | 0x20) : 0;
    bool ok = radix == 'x'   ? radix_number(l, 16, "hexadecimal")
              : radix == 'o' ? radix_number(l, 8, "octal")
              : radix == 'b' ? radix_number(l, 2, "binary")
                             : decimal_number(l);
    return ok && gd_lexer_add(l, GD_T_NUMBER, start, l->line, column);
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

static bool unterminated(gd_lexer *l, uint32_t line, uint32_t column, bool triple) {
    uint32_t last = l->p >= l->end && l->line > line && l->p[-1] == '\n' ? l->line - 1 : l->line;
    l->line = line;
    return gd_lexer_fail(l, "SyntaxError", column, "unterminated %s literal (detected at line %u)",
                         triple ? "triple-quoted string" : "string", last);
}

bool gd_lexer_string(gd_lexer *l, const char *start) {
    uint32_t line = l->line, column = gd_lexer_column(l, start);
    char quote = *l->p;
    bool triple = l->p[1] == quote && l->p[2] == quote;
    for (l->p += triple ? 3 : 1;; l->p++) {
        if (l->p >= l->end) return unterminated(l, line, column, triple);
        if (*l->p == quote && (!triple || (l->p[1] == quote && l->p[2] == quote))) break;
        if (*l->p == '\\' && l->p + 1 < l->end)
            l->p++;
        else if (*l->p == '\n' && !triple)
            return unterminated(l, line, column, false);
        if (*l->p == '\n') {
            l->line++;
            l->line_start = l->p + 1;
            l->wide = 0;
        } else {
            l->wide += (*l->p & 0xC0) == 0x80;
        }
    }
    l->p += triple ? 3 : 1;
    return gd_lexer_add(l, GD_T_STRING, start, line, column);
}
