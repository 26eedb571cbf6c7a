/* text.h: a growable buffer, and JSON written straight into it: answers are written, never built as trees. */
#ifndef GD_API_TEXT_H
#define GD_API_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Zero-initialise. After a failure nothing more is written and `failed` stays set. */
typedef struct gd_text {
    char *data; /* owned, malloc; no NUL at the end */
    size_t n, capacity;
    bool failed;   /* memory was out, or the text would pass GD_TEXT_LIMIT */
    bool too_long; /* the latter */
} gd_text;

#define GD_TEXT_LIMIT ((size_t)1 << 30) /* bytes of one answer */

bool gd_text_grow(gd_text *t, size_t n); /* out of line part of gd_text_room */
void gd_text_free(gd_text *t);           /* to zero-initialised */

/* Room for n more bytes: where to write them, or NULL. The writer adds what it wrote to t->n. */
static inline char *gd_text_room(gd_text *t, size_t n) {
    if (t->capacity - t->n < n && !gd_text_grow(t, n)) return NULL;
    return t->n ? t->data + t->n : t->data; /* which is NULL when nothing was ever asked for */
}
static inline void gd_text_put(gd_text *t, const char *bytes, size_t n) {
    char *p = gd_text_room(t, n);
    if (!p) return;
    memcpy(p, bytes, n);
    t->n += n;
}
static inline void gd_text_puts(gd_text *t, const char *s) { gd_text_put(t, s, strlen(s)); }
#define GD_TEXT_LIT(t, literal) gd_text_put((t), "" literal, sizeof(literal) - 1)

void gd_text_f(gd_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gd_text_i64(gd_text *t, int64_t v);
void gd_text_u64(gd_text *t, uint64_t v);
void gd_text_f64(gd_text *t, double v);
void gd_text_bool(gd_text *t, bool v);
/* A JSON string with its quotes, or null. Bytes that are no UTF-8 become U+FFFD. */
void gd_text_string(gd_text *t, const char *s);
/* The same for a text without characters that need escaping. */
static inline void gd_text_name(gd_text *t, const char *s) {
    size_t n = s ? strlen(s) : 0;
    char *p = gd_text_room(t, n + 4);
    if (!p) return;
    if (!s)
        memcpy(p, "null", 4), t->n += 4;
    else {
        *p = '"';
        memcpy(p + 1, s, n);
        p[n + 1] = '"';
        t->n += n + 2;
    }
}
void gd_text_string_n(gd_text *t, const char *s, size_t n);
/* Length of the UTF-8 sequence (1 to 4 bytes) that n > 0 bytes begin with, or 0 if they begin with none. */
size_t gd_utf8_length(const char *text, size_t n);
/* [2,3] */
void gd_text_i64s(gd_text *t, const int64_t *v, int n);
/* Unix seconds as "2026-01-31T12:00:00.000Z", in quotes. */
void gd_text_time(gd_text *t, double seconds);

#endif
