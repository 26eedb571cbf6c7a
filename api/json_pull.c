/* json_pull.c: see json_pull.h. */
#include "api/json_pull.h"
#include "api/number.h"

#include <stdio.h>

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static void skip_space(gd_pull *r) {
    while (r->p < r->end && is_space(*r->p)) r->p++;
}

void gd_pull_begin(gd_pull *r, gd_body *body, const char *text, size_t n, gd_fault *f) {
    r->p = text;
    r->end = text + n;
    r->body = body;
    r->fault = f;
    body->text = text;
    body->length = n;
}

bool gd_pull_fail(gd_pull *r, const char *code, const char *detail) {
    if (r->fault->code) return false;
    gd_fault_set(r->fault, code, "%s", detail);
    gd_body_place(r->body, r->p, r->fault);
    return false;
}

static bool malformed(gd_pull *r, const char *detail) { return gd_pull_fail(r, "malformed_json", detail); }

static bool expected(gd_pull *r, char c) {
    char text[64];
    if (r->p == r->end) return malformed(r, "The document ends too early.");
    snprintf(text, sizeof text, "The body is no JSON: %c was expected here.", c);
    return malformed(r, text);
}

char gd_pull_peek(gd_pull *r) {
    if (r->fault->code) return 0;
    skip_space(r);
    return r->p < r->end ? *r->p : 0;
}

bool gd_pull_open(gd_pull *r, char bracket, const char *what) {
    char text[128];
    if (gd_pull_peek(r) == bracket) {
        r->p++;
        return true;
    }
    if (r->p == r->end) return malformed(r, "The document ends too early.");
    snprintf(text, sizeof text, "%.80s should be an %s.", what, bracket == '{' ? "object" : "array");
    return gd_pull_fail(r, "bad_argument", text);
}

/* Before an entry: passes the comma. False at the end, or with the fault set. */
static bool next(gd_pull *r, bool *first, char close) {
    char c = gd_pull_peek(r);
    if (c == close) {
        r->p++;
        return false;
    }
    if (*first) {
        *first = false;
        return c || expected(r, close);
    }
    if (c != ',') return expected(r, close);
    r->p++;
    return gd_pull_peek(r) == close ? malformed(r, "The body is no JSON: there is nothing behind this comma.") : true;
}

bool gd_pull_item(gd_pull *r, bool *first) { return next(r, first, ']'); }

bool gd_pull_key(gd_pull *r, bool *first, char *key, size_t size) {
    if (!next(r, first, '}')) return false;
    if (gd_pull_peek(r) != '"') return expected(r, '"');
    if (!gd_pull_string(r, key, size, NULL)) return false;
    if (gd_pull_peek(r) != ':') return expected(r, ':');
    r->p++;
    return true;
}

/* ---- strings ------------------------------------------------------------------------------- */

static int hex4(const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = p[i], low = c | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (digit < 0) return -1;
        v = v * 16 + digit;
    }
    return v;
}

/* A code point as UTF-8 into out of 4 bytes; how many there are. */
static size_t encode(uint32_t c, char *out) {
    if (c < 0x80) return out[0] = (char)c, 1;
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((0xF00U >> n) | c);
    return n;
}

/* \uXXXX, and the second half of a pair; r->p is at the `u`. 0: the fault is set. */
static uint32_t unicode_escape(gd_pull *r) {
    int v = r->end - r->p > 4 ? hex4(r->p + 1) : -1;
    if (v <= 0 || (v >= 0xDC00 && v < 0xE000)) return malformed(r, "This is no character that a string may have."), 0;
    r->p += 5;
    if (v < 0xD800 || v > 0xDBFF) return (uint32_t)v;
    int low = r->end - r->p > 5 && r->p[0] == '\\' && r->p[1] == 'u' ? hex4(r->p + 2) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return malformed(r, "Half of a surrogate pair is missing."), 0;
    r->p += 6;
    return 0x10000U + (((uint32_t)v & 0x3FF) << 10 | ((uint32_t)low & 0x3FF));
}

/* An escape, r->p behind its backslash, into out; how many bytes, 0 with the fault set. */
static size_t escape(gd_pull *r, char *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->p < r->end && *r->p == 'u') {
        uint32_t c = unicode_escape(r);
        return c ? encode(c, out) : 0;
    }
    const char *at = r->p < r->end && *r->p ? strchr(from, *r->p) : NULL;
    if (!at) return malformed(r, "This is no escape that JSON knows."), 0;
    r->p++;
    *out = to[at - from];
    return 1;
}

/* Passes a character that is written as it stands; how many bytes it has, 0 with the fault set. */
static size_t plain(gd_pull *r) {
    size_t n = gd_utf8_length(r->p, (size_t)(r->end - r->p));
    if (n == 0 || (unsigned char)*r->p < ' ') return malformed(r, "A string holds a byte that JSON does not allow."), 0;
    r->p += n;
    return n;
}

bool gd_pull_string(gd_pull *r, char *buf, size_t size, size_t *length) {
    size_t used = 0;
    if (gd_pull_peek(r) != '"') return gd_pull_fail(r, "bad_argument", "A string was expected here.");
    for (r->p++; r->p < r->end && *r->p != '"';) {
        char bytes[4];
        const char *from = r->p;
        size_t n = *from == '\\' ? (r->p++, escape(r, bytes)) : plain(r);
        if (n == 0) return false;
        if (size - used <= n) return gd_pull_fail(r, "bad_argument", "This string is too long.");
        memcpy(buf + used, *from == '\\' ? bytes : from, n);
        used += n;
    }
    if (r->p == r->end) return malformed(r, "The document ends within a string.");
    r->p++;
    buf[used] = 0;
    if (length) *length = used;
    return true;
}

/* ---- other values -------------------------------------------------------------------------- */

/* What stands at r->p is no number: is it at least JSON? */
static bool no_number(gd_pull *r) {
    if (r->p == r->end) return malformed(r, "The document ends too early.");
    bool other = strchr("\"{[", *r->p) || gd_pull_null(r);
    return other ? gd_pull_fail(r, "bad_argument", "A number was expected here.")
                 : malformed(r, "The body is no JSON: a number was expected here.");
}

bool gd_pull_numbers(gd_pull *r, gd_numbers *out) {
    const char *open[GD_JSON_DEPTH + 1], *stop, *end;
    int nopen;
    char c = gd_pull_peek(r);
    if (!c) return no_number(r);
    end = c == '[' ? gd_numbers_scan(r->p, r->end, out, &stop, open, &nopen)
                   : gd_numbers_scan_one(r->p, r->end, out, &stop);
    r->p = end ? end : stop;
    return end ? true : no_number(r);
}

static bool take_word(gd_pull *r, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n)) return false;
    r->p += n;
    return true;
}

bool gd_pull_null(gd_pull *r) { return gd_pull_peek(r) == 'n' && take_word(r, "null"); }

bool gd_pull_bool(gd_pull *r, bool *v) {
    char c = gd_pull_peek(r);
    *v = c == 't';
    if ((c == 't' && take_word(r, "true")) || (c == 'f' && take_word(r, "false"))) return true;
    return gd_pull_fail(r, "bad_argument", "true or false was expected here.");
}

bool gd_pull_integer(gd_pull *r, int64_t *v) {
    bool fits = false;
    gd_pull_peek(r);
    const char *end = r->fault->code ? NULL : gd_read_i64(r->p, r->end, v, &fits);
    bool whole = end && fits && (end == r->end || !strchr(".eE", *end));
    if (!whole) return gd_pull_fail(r, "bad_argument", "A whole number was expected here.");
    r->p = end;
    return true;
}

/* A string whose text is of no interest. */
static bool skip_string(gd_pull *r) {
    char bytes[4];
    for (r->p++; r->p < r->end && *r->p != '"';)
        if ((*r->p == '\\' ? (r->p++, escape(r, bytes)) : plain(r)) == 0) return false;
    if (r->p == r->end) return malformed(r, "The document ends within a string.");
    r->p++;
    return true;
}

static bool skip_scalar(gd_pull *r) {
    gd_numbers n;
    const char *stop;
    if (*r->p == '"') return skip_string(r);
    if (gd_pull_null(r)) return true;
    const char *end = gd_numbers_scan_one(r->p, r->end, &n, &stop);
    if (!end) return malformed(r, "The body is no JSON: a value was expected here.");
    r->p = end;
    return true;
}

bool gd_pull_skip(gd_pull *r) {
    char open[GD_JSON_DEPTH];
    char key[512];
    bool first = false; /* only just behind an opening bracket */
    int depth = 0;
    for (;;) {
        char c = gd_pull_peek(r);
        if (!c) return malformed(r, "The document ends too early.");
        if (c == '{' || c == '[') {
            if (depth == GD_JSON_DEPTH) return gd_pull_fail(r, "too_deep", "The document nests more than 64 deep.");
            open[depth++] = c;
            r->p++;
            first = true;
        } else if (!skip_scalar(r))
            return false;
        while (depth > 0 &&
               !(open[depth - 1] == '{' ? gd_pull_key(r, &first, key, sizeof key) : gd_pull_item(r, &first))) {
            if (r->fault->code) return false;
            depth--;
            first = false;
        }
        if (depth == 0) return !r->fault->code;
    }
}

bool gd_pull_finish(gd_pull *r) {
    if (!gd_pull_peek(r) && r->p == r->end) return !r->fault->code;
    return malformed(r, "The body is no JSON: something stands behind its end.");
}
