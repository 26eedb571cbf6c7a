/* json_plain.c: a short way for the documents that most requests send: objects, arrays, ASCII strings without escapes,
 * numbers and words. It makes the same tree as jansson, which reads character by character through a callback.
 * Anything else, wrong documents among it, is left to jansson. */
#include "api/json_in.h"
#include "api/number.h"

#include <math.h>

enum { DIGITS = 18 }; /* what fits int64_t whatever the digits are */

static const char *space(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
    return p;
}

/* The closing quote of the string whose text starts at p. NULL: none, or the text is not plain. */
static const char *closing(const char *p, const char *end) {
    while (p < end && *p >= ' ' && *p < 127 && *p != '"' && *p != '\\') p++;
    return p < end && *p == '"' ? p : NULL;
}

static json_t *read_value(const char **at, const char *end);

/* In these, `*at` is behind the opening character, and NULL means: not plain. What was made by then goes with the
 * arena. */

/* What json_in.c puts in the place of an array of numbers: "\u0001INDEX". */
static json_t *read_mark(const char **at, const char *end) {
    static const char mark[] = "\\u0001";
    char text[24] = {1};
    size_t n = 1;
    const char *p = *at;
    if ((size_t)(end - p) < sizeof mark || memcmp(p, mark, sizeof mark - 1)) return NULL;
    for (p += sizeof mark - 1; p < end && *p >= '0' && *p <= '9' && n < sizeof text; p++) text[n++] = *p;
    if (p == end || *p != '"') return NULL;
    *at = p + 1;
    return json_stringn_nocheck(text, n);
}

static json_t *read_string(const char **at, const char *end) {
    const char *stop = closing(*at, end);
    if (!stop) return read_mark(at, end);
    json_t *j = json_stringn_nocheck(*at, (size_t)(stop - *at));
    *at = stop + 1;
    return j;
}

static bool ends_value(char c) { return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\n'; }

/* What jansson finds too large is left to it. */
static json_t *read_real(const char **at, const char *end) {
    double v;
    const char *p = gd_read_f64(*at, end, &v);
    if (!p || p == end || !ends_value(*p) || !isfinite(v)) return NULL;
    *at = p;
    return json_real(v);
}

static json_t *read_number(const char **at, const char *end) {
    const char *p = *at;
    bool negative = *p == '-';
    json_int_t v = 0;
    if (negative) p++;
    const char *first = p;
    for (; p < end && *p >= '0' && *p <= '9' && p - first < DIGITS; p++) v = v * 10 + (*p - '0');
    if (p == end || p == first) return NULL;
    if (*p == '.' || *p == 'e' || *p == 'E') return read_real(at, end);
    if (!ends_value(*p) || (*first == '0' && (negative || p - first > 1))) return NULL;
    *at = p;
    return json_integer(negative ? -v : v);
}

static json_t *read_array(const char **at, const char *end) {
    json_t *array = json_array();
    const char *p = space(*at, end);
    bool empty = p < end && *p == ']';
    for (; array && !empty; p++) {
        json_t *item = read_value(&p, end);
        if (!item || json_array_append_new(array, item)) return NULL;
        p = space(p, end);
        if (p == end || (*p != ',' && *p != ']')) return NULL;
        if (*p == ']') break;
    }
    *at = p + 1;
    return array;
}

static json_t *read_object(const char **at, const char *end) {
    json_t *object = json_object();
    const char *p = space(*at, end);
    bool empty = p < end && *p == '}';
    for (size_t n = 1; object && !empty; n++, p++) {
        p = space(p, end);
        const char *key = p + 1, *stop = p < end && *p == '"' ? closing(key, end) : NULL;
        if (!stop) return NULL;
        p = space(stop + 1, end);
        if (p == end || *p++ != ':') return NULL;
        json_t *value = read_value(&p, end);
        if (!value || json_object_setn_new_nocheck(object, key, (size_t)(stop - key), value)) return NULL;
        if (json_object_size(object) != n) return NULL; /* a key came twice: jansson says where */
        p = space(p, end);
        if (p == end || (*p != ',' && *p != '}')) return NULL;
        if (*p == '}') break;
    }
    *at = p + 1;
    return object;
}

static json_t *read_word(const char **at, const char *end) {
    const char *p = *at;
    size_t left = (size_t)(end - p), n = *p == 'f' ? 5 : 4;
    if (left < n || memcmp(p, *p == 't' ? "true" : *p == 'n' ? "null" : "false", n)) return NULL;
    *at = p + n;
    return *p == 't' ? json_true() : *p == 'n' ? json_null() : json_false();
}

static json_t *read_value(const char **at, const char *end) {
    const char *p = *at = space(*at, end);
    if (p == end) return NULL;
    switch (*p) {
    case '"': ++*at; return read_string(at, end);
    case '[': ++*at; return read_array(at, end);
    case '{': ++*at; return read_object(at, end);
    case 't':
    case 'f':
    case 'n': return read_word(at, end);
    case '-':
    case '0' ... '9': return read_number(at, end);
    default: return NULL;
    }
}

json_t *gd_json_plain(const char *text, size_t length) {
    const char *p = space(text, text + length), *end = text + length;
    if (p == end || (*p != '{' && *p != '[')) return NULL;
    json_t *root = read_value(&p, end);
    return space(p, end) == end ? root : NULL;
}
