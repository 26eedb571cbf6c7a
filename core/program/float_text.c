/* float_text.c: floats as text and back, correctly rounded: repr, the digits that format specs lay out, float("…"), and
 * round(). */
#include "core/program/float_text.h"

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

static bool reads_back(double v, const char *digits, int point) {
    char text[GD_FLOAT_DIGITS + 32];
    snprintf(text, sizeof text, "0.%se%d", digits, point);
    return strtod(text, NULL) == v;
}

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

size_t gd_float_shortest(double v, char *digits, int *point) {
    int exponent;
    v = fabs(v);
    bool power_of_two = frexp(v, &exponent) == 0.5;
    /* Any 15 digits survive a normal double; a subnormal one may need fewer. */
    for (int n = v < 0x1p-1022 ? 1 : 15; n < 17; n++) {
        size_t length = gd_float_digits(v, n, digits, point);
        if (reads_back(v, digits, *point) || (power_of_two && next_up(v, digits, length, *point)))
            return without_zeros(digits, length);
    }
    return without_zeros(digits, gd_float_digits(v, 17, digits, point));
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
