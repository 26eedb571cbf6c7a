/* text.c: see text.h. */
#include "api/text.h"

#include "api/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

bool gd_text_grow(gd_text *t, size_t n) {
    if (t->failed) return false;
    size_t capacity = t->capacity ? t->capacity : 1024, need;
    t->too_long = __builtin_add_overflow(t->n, n, &need) || need > GD_TEXT_LIMIT;
    while (!t->too_long && capacity < need) capacity *= 2;
    char *data = t->too_long ? NULL : realloc(t->data, capacity);
    t->failed = !data;
    if (t->failed) return false;
    t->data = data;
    t->capacity = capacity;
    return true;
}

void gd_text_free(gd_text *t) {
    free(t->data);
    *t = (gd_text){0};
}

void gd_text_f(gd_text *t, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *p = n < 0 ? NULL : gd_text_room(t, (size_t)n + 1);
    if (!p) return;
    va_start(list, format);
    vsnprintf(p, (size_t)n + 1, format, list);
    va_end(list);
    t->n += (size_t)n;
}

void gd_text_i64(gd_text *t, int64_t v) {
    char *p = gd_text_room(t, GD_NUMBER_TEXT);
    if (!p) return;
    if (v >= 0 && v < 10) {
        *p = (char)('0' + v);
        t->n++;
    } else
        t->n += (size_t)(gd_write_i64(p, v) - p);
}

void gd_text_u64(gd_text *t, uint64_t v) { gd_text_i64(t, v > INT64_MAX ? INT64_MAX : (int64_t)v); }

void gd_text_f64(gd_text *t, double v) {
    char *p = gd_text_room(t, GD_NUMBER_TEXT);
    if (p) t->n += (size_t)(gd_write_f64(p, v) - p);
}

void gd_text_bool(gd_text *t, bool v) {
    if (v)
        GD_TEXT_LIT(t, "true");
    else
        GD_TEXT_LIT(t, "false");
}

/* ---- strings ------------------------------------------------------------------------------- */

size_t gd_utf8_length(const char *text, size_t left) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    if (*p < 0x80) return 1;
    size_t n = *p >= 0xF0 && *p < 0xF5 ? 4 : *p >= 0xE0 && *p < 0xF0 ? 3 : *p >= 0xC2 && *p < 0xE0 ? 2 : 0;
    if (n == 0 || n > left) return 0;
    uint32_t c = *p & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    return c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? 0 : n;
}

static void put_escaped(gd_text *t, unsigned char c) {
    static const char *const digits = "0123456789abcdef";
    char out[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    switch (c) {
    case '"': GD_TEXT_LIT(t, "\\\""); break;
    case '\\': GD_TEXT_LIT(t, "\\\\"); break;
    case '\n': GD_TEXT_LIT(t, "\\n"); break;
    case '\t': GD_TEXT_LIT(t, "\\t"); break;
    case '\r': GD_TEXT_LIT(t, "\\r"); break;
    default: gd_text_put(t, out, sizeof out);
    }
}

/* Bytes that stand in a JSON string as they are: how many of the n do, from p on. */
static size_t plain_bytes(const unsigned char *p, size_t n) {
    static const bool plain[256] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};
    size_t i = 0;
    while (i < n && plain[p[i]]) i++;
    return i;
}

void gd_text_string_n(gd_text *t, const char *s, size_t n) {
    const unsigned char *p = (const unsigned char *)s;
    size_t done = 0;
    GD_TEXT_LIT(t, "\"");
    for (size_t i = 0; i < n;) {
        i += plain_bytes(p + i, n - i);
        if (i == n) break;
        size_t length = p[i] >= 0x80 ? gd_utf8_length(s + i, n - i) : 0;
        if (length > 0) {
            i += length;
            continue;
        }
        gd_text_put(t, s + done, i - done);
        if (p[i] >= 0x80)
            GD_TEXT_LIT(t, "\xEF\xBF\xBD");
        else
            put_escaped(t, p[i]);
        done = ++i;
    }
    gd_text_put(t, s + done, n - done);
    GD_TEXT_LIT(t, "\"");
}

void gd_text_string(gd_text *t, const char *s) {
    if (s)
        gd_text_string_n(t, s, strlen(s));
    else
        GD_TEXT_LIT(t, "null");
}

void gd_text_i64s(gd_text *t, const int64_t *v, int n) {
    GD_TEXT_LIT(t, "[");
    for (int i = 0; i < n; i++) {
        if (i) GD_TEXT_LIT(t, ",");
        gd_text_i64(t, v[i]);
    }
    GD_TEXT_LIT(t, "]");
}

void gd_text_time(gd_text *t, double seconds) {
    double whole = floor(seconds);
    time_t at = (time_t)whole;
    struct tm utc;
    char text[64];
    if (!gmtime_r(&at, &utc)) memset(&utc, 0, sizeof utc);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    gd_text_f(t, "\"%.*s.%03dZ\"", (int)n, text, (int)((seconds - whole) * 1000));
}
