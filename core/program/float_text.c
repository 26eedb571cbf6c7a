/* float_text.c: floats as text and back, correctly rounded: repr, the digits that format specs lay out, float("…"), and
 * round(). */
#include "core/program/float_text.h"
#include "core/tensor/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Splits what "%.*e" wrote into digits without the point, and where the point belongs. */
static size_t split(const char *printed, char *digits, int *point) {
    size_t n = 0;
    const char *p = printed;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9') digits[n++] = *p;
    *point = *p ? atoi(p + 1) + 1 : 0;
    digits[n] = '\0';
    return n;
}

size_t gd_float_digits(double v, int n, char *digits, int *point) {
    char printed[GD_FLOAT_DIGITS + 32];
    snprintf(printed, sizeof printed, "%.*e", n - 1, fabs(v));
    return split(printed, digits, point);
}

/* The number 0.<digits> * 10**point. */
static double value_of(const char *digits, size_t n, int point) {
    char text[GD_FLOAT_DIGITS + 32];
    memcpy(text, "0.", 2);
    memcpy(text + 2, digits, n);
    text[n + 2] = 'e';
    text[n + 3 + gd_integer_text(text + n + 3, point)] = '\0';
    return strtod(text, NULL);
}

static bool reads_back(double v, const char *digits, int point) { return value_of(digits, strlen(digits), point) == v; }

/* At a power of two the numbers below lie closer than those above, so the nearest decimal may not read back although
 * the next one up does. */
static bool next_up(double v, char *digits, size_t n, int point) {
    char more[GD_FLOAT_DIGITS + 1];
    memcpy(more, digits, n + 1);
    size_t i = n;
    while (i > 0 && more[i - 1] == '9') more[--i] = '0';
    if (i == 0) return false;
    more[i - 1]++;
    if (!reads_back(v, more, point)) return false;
    memcpy(digits, more, n + 1);
    return true;
}

static size_t without_zeros(char *digits, size_t n) {
    while (n > 1 && digits[n - 1] == '0') n--;
    digits[n] = '\0';
    return n;
}

enum { ENOUGH = 17 }; /* digits that tell any double from its neighbours */

/* Rounds ENOUGH digits to n; false: they end in a tie, which says nothing of what they themselves were rounded from. */
static bool shorten(const char *all, size_t n, char *digits, int *point) {
    int order = memcmp(all + n, "50", ENOUGH - n);
    if (order == 0) return false;
    memcpy(digits, all, n);
    digits[n] = '\0';
    if (order < 0) return true;
    size_t i = n;
    while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
    if (i > 0) {
        digits[i - 1]++;
    } else { /* 999… became 1000… */
        digits[0] = '1';
        ++*point;
    }
    return true;
}

/* Of an ordinary double 15 digits always survive. They are taken from the 17 that are asked for once, since printing
 * costs more than reading. */
static size_t shortest_ordinary(double v, char *digits, int *point) {
    char all[GD_FLOAT_DIGITS + 1];
    int place;
    gd_float_digits(v, ENOUGH, all, &place);
    for (size_t n = ENOUGH - 2; n < ENOUGH; n++) {
        *point = place;
        if (!shorten(all, n, digits, point)) gd_float_digits(v, (int)n, digits, point);
        if (value_of(digits, n, *point) == v) return without_zeros(digits, n);
    }
    *point = place;
    memcpy(digits, all, ENOUGH + 1);
    return without_zeros(digits, ENOUGH);
}

size_t gd_float_shortest(double v, char *digits, int *point) {
    int exponent;
    v = fabs(v);
    bool power_of_two = frexp(v, &exponent) == 0.5;
    if (v >= 0x1p-1022 && !power_of_two) return shortest_ordinary(v, digits, point);
    /* A subnormal number may need fewer than 15 digits. */
    for (int n = v < 0x1p-1022 ? 1 : 15; n < ENOUGH; n++) {
        size_t length = gd_float_digits(v, n, digits, point);
        if (reads_back(v, digits, *point) || (power_of_two && next_up(v, digits, length, *point)))
            return without_zeros(digits, length);
    }
    return without_zeros(digits, gd_float_digits(v, ENOUGH, digits, point));
}

size_t gd_float_repr(double v, char out[32]) {
    char digits[GD_FLOAT_DIGITS + 1];
    int point;
    const char *sign = signbit(v) && !isnan(v) ? "-" : "";
    if (isnan(v) || isinf(v)) return (size_t)snprintf(out, 32, "%s%s", sign, isnan(v) ? "nan" : "inf");
    if (v == floor(v) && fabs(v) < 1e15) return (size_t)snprintf(out, 32, "%s%lld.0", sign, (long long)fabs(v));
    size_t n = gd_float_shortest(v, digits, &point);
    if (point > 16 || point <= -4)
        return (size_t)snprintf(out, 32, "%s%c%s%se%c%02d", sign, digits[0], n > 1 ? "." : "", digits + 1,
                                point > 0 ? '+' : '-', abs(point - 1));
    if (point <= 0) return (size_t)snprintf(out, 32, "%s0.%.*s%s", sign, -point, "0000", digits);
    if ((size_t)point >= n)
        return (size_t)snprintf(out, 32, "%s%s%.*s.0", sign, digits, point - (int)n, "0000000000000000");
    return (size_t)snprintf(out, 32, "%s%.*s.%s", sign, point, digits, digits + point);
}

/* ---- reading -------------------------------------------------------------------------------------------------------
 */

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* Digits with single underscores between them, copied to *out; how many. */
static size_t copy_digits(const char **from, const char *end, char **out) {
    const char *p = *from;
    size_t n = 0;
    while (p < end && (digit(*p) || (*p == '_' && n > 0 && p + 1 < end && digit(p[1])))) {
        if (*p != '_') {
            *(*out)++ = *p;
            n++;
        }
        p++;
    }
    *from = p;
    return n;
}

/* Copies [sign] digits [. digits] [e [sign] digits]; false: something else. */
static bool copy_number(const char *p, const char *end, char *out) {
    if (p < end && (*p == '+' || *p == '-')) *out++ = *p++;
    size_t n = copy_digits(&p, end, &out);
    if (p < end && *p == '.') {
        *out++ = *p++;
        if (p < end && *p == '_') return false;
        n += copy_digits(&p, end, &out);
    }
    if (!n) return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        *out++ = *p++;
        if (p < end && (*p == '+' || *p == '-')) *out++ = *p++;
        if (!copy_digits(&p, end, &out)) return false;
    }
    *out = '\0';
    return p == end;
}

static bool word(const char *p, size_t n, double *out) {
    bool minus = n > 0 && *p == '-';
    if (n > 0 && (*p == '-' || *p == '+')) p++, n--;
    if (n == 3 && !strncasecmp(p, "nan", n))
        *out = (double)NAN;
    else if ((n == 3 && !strncasecmp(p, "inf", n)) || (n == 8 && !strncasecmp(p, "infinity", n)))
        *out = (double)INFINITY;
    else
        return false;
    if (minus) *out = -*out;
    return true;
}

bool gd_number_parse(const char *text, size_t bytes, double *out) {
    char few[128], *copy = few;
    if (word(text, bytes, out)) return true;
    if (bytes >= sizeof few && !(copy = malloc(bytes + 1))) return false;
    bool ok = copy_number(text, text + bytes, copy);
    if (ok) *out = strtod(copy, NULL);
    if (copy != few) free(copy);
    return ok;
}

/* ---- rounding ------------------------------------------------------------------------------------------------------
 */

/* To tens, hundreds, …: as many leading digits as lie before them. */
static double round_to_tens(double v, int places) {
    char digits[GD_FLOAT_DIGITS + 1], text[GD_FLOAT_DIGITS + 32];
    int point;
    gd_float_digits(v, 25, digits, &point);
    int keep = point - places;
    if (keep < 0) return copysign(0, v);
    if (keep == 0) { /* zero, or one unit: whichever is nearer, zero from the middle */
        snprintf(text, sizeof text, "5e%d", places - 1);
        if (fabs(v) <= strtod(text, NULL)) return copysign(0, v);
        snprintf(text, sizeof text, "1e%d", places);
        return copysign(strtod(text, NULL), v);
    }
    gd_float_digits(v, keep, digits, &point);
    snprintf(text, sizeof text, "0.%se%d", digits, point);
    return copysign(strtod(text, NULL), v);
}

double gd_float_round(double v, int64_t places) {
    char text[GD_FLOAT_DIGITS];
    if (!isfinite(v) || v == 0 || places > 323) return v;
    if (places < -308) return copysign(0, v);
    if (places < 0) return round_to_tens(v, (int)-places);
    if (fabs(v) >= 0x1p53) return v;
    snprintf(text, sizeof text, "%.*f", (int)places, v);
    return strtod(text, NULL);
}
