/* unicode.c: reading and writing UTF-8, and the tables of what characters are. */
#include "core/program/unicode.h"

#include <string.h>

typedef struct gd_char_range {
    uint32_t first, last, step;
} gd_char_range;
typedef struct gd_case_range {
    uint32_t first, last, step;
    int32_t delta;
} gd_case_range;
typedef struct gd_case_several {
    uint32_t c;
    uint32_t to[3]; /* ends with 0 */
} gd_case_several;

#define CLASS(name, ...) static const gd_char_range class_##name[] = {__VA_ARGS__};
#define SIMPLE(name, ...) static const gd_case_range simple_##name[] = {__VA_ARGS__};
#define SEVERAL(name, ...) static const gd_case_several several_##name[] = {__VA_ARGS__};
#include "core/program/unicode_tables.def"
#undef CLASS
#undef SIMPLE
#undef SEVERAL

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const gd_char_range *ranges;
    size_t n;
} classes[] = {
    [GD_CHAR_PRINTABLE] = {class_printable, COUNT(class_printable)},
    [GD_CHAR_ALPHA] = {class_alpha, COUNT(class_alpha)},
    [GD_CHAR_DECIMAL] = {class_decimal, COUNT(class_decimal)},
    [GD_CHAR_DIGIT] = {class_digit, COUNT(class_digit)},
    [GD_CHAR_NUMERIC] = {class_numeric, COUNT(class_numeric)},
    [GD_CHAR_SPACE] = {class_space, COUNT(class_space)},
    [GD_CHAR_UPPER] = {class_upper, COUNT(class_upper)},
    [GD_CHAR_LOWER] = {class_lower, COUNT(class_lower)},
    [GD_CHAR_TITLE] = {class_title, COUNT(class_title)},
};

/* Title and fold hold only what differs from upper and lower. */
static const struct {
    const gd_case_range *simple;
    size_t nsimple;
    const gd_case_several *several;
    size_t nseveral;
    int otherwise; /* gd_char_case, or -1: stays as it is */
} cases[] = {
#define CASE(name, otherwise)                                                                                          \
    { simple_##name, COUNT(simple_##name), several_##name, COUNT(several_##name), otherwise }
    [GD_CASE_LOWER] = CASE(lower, -1),
    [GD_CASE_UPPER] = CASE(upper, -1),
    [GD_CASE_TITLE] = CASE(title, GD_CASE_UPPER),
    [GD_CASE_FOLD] = CASE(casefold, GD_CASE_LOWER),
#undef CASE
};

uint32_t gd_utf8_next(const char **text) {
    const unsigned char *p = (const unsigned char *)*text;
    uint32_t c = p[0];
    size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (n > 1) {
        c &= 0xFFu >> (n + 1);
        for (size_t i = 1; i < n; i++) c = c << 6 | (p[i] & 0x3Fu);
    }
    *text += n;
    return c;
}

uint32_t gd_utf8_previous(const char **text) {
    do (*text)--;
    while (((unsigned char)**text & 0xC0) == 0x80);
    const char *at = *text;
    return gd_utf8_next(&at);
}

size_t gd_utf8_put(char out[4], uint32_t c) {
    if (c < 0x80) return out[0] = (char)c, 1;
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[n] | c);
    return n;
}

bool gd_is_ascii(const char *text, size_t bytes) {
    for (; bytes >= 8; text += 8, bytes -= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        if (word & 0x8080808080808080u) return false;
    }
    for (; bytes > 0; text++, bytes--)
        if ((unsigned char)*text >= 0x80) return false;
    return true;
}

size_t gd_utf8_count(const char *text, size_t bytes) {
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++) n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static const gd_char_range *in_ranges(const gd_char_range *ranges, size_t n, uint32_t c) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges[middle].last < c)
            low = middle + 1;
        else
            high = middle;
    }
    bool inside = low < n && c >= ranges[low].first && (c - ranges[low].first) % ranges[low].step == 0;
    return inside ? &ranges[low] : NULL;
}

bool gd_char_is(uint32_t c, gd_char_class class) {
    return in_ranges(classes[class].ranges, classes[class].n, c) != NULL;
}

/* The digits of all scripts come in tens, some of them side by side. */
int gd_char_decimal(uint32_t c) {
    const gd_char_range *range = in_ranges(class_decimal, COUNT(class_decimal), c);
    return range ? (int)((c - range->first) % 10) : -1;
}

/* Ranges of different steps may interleave, but begin in order: the search goes back over those that end late. */
static bool simple_case(gd_char_case target, uint32_t c, uint32_t *to) {
    const gd_case_range *ranges = cases[target].simple;
    for (size_t i = 0; i < cases[target].nsimple && ranges[i].first <= c; i++)
        if (c <= ranges[i].last && (c - ranges[i].first) % ranges[i].step == 0) {
            *to = (uint32_t)((int32_t)c + ranges[i].delta);
            return true;
        }
    return false;
}

static const gd_case_several *several_case(gd_char_case target, uint32_t c) {
    for (size_t i = 0; i < cases[target].nseveral && cases[target].several[i].c <= c; i++)
        if (cases[target].several[i].c == c) return &cases[target].several[i];
    return NULL;
}

size_t gd_char_to(uint32_t c, gd_char_case target, uint32_t out[3]) {
    for (int t = (int)target; t >= 0; t = cases[t].otherwise) {
        if (simple_case((gd_char_case)t, c, out)) return 1;
        const gd_case_several *several = several_case((gd_char_case)t, c);
        if (!several) continue;
        memcpy(out, several->to, sizeof several->to);
        return several->to[2] ? 3 : 2;
    }
    out[0] = c;
    return 1;
}
