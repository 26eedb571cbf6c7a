/* number_text.c: numbers to text, correctly rounded. printf does as much, but ten times slower where it
 * matters and with the decimal point of the program's locale. */
#include "core/tensor/number_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Digits of v, at least `least` of them, without NUL. */
static size_t put_digits(char *out, uint64_t v, size_t least) {
    char reversed[24];
    size_t n = 0;
    for (; v > 0 || n < least; v /= 10) reversed[n++] = (char)('0' + v % 10);
    for (size_t i = 0; i < n; i++) out[i] = reversed[n - 1 - i];
    return n;
}

size_t gd_integer_text(char *out, int64_t v) {
    size_t sign = v < 0;
    if (sign) *out = '-';
    return sign + put_digits(out + sign, sign ? 0 - (uint64_t)v : (uint64_t)v, 1);
}

/* v * 10000 for 0 <= v <= 1e8, rounded to the nearest integer, ties of the exact product to even. */
static uint64_t ten_thousandths(double v) {
    double product = v * 1e4, whole = floor(product), rest = product - whole;
    uint64_t n = (uint64_t)whole;
    if (rest != 0.5) return n + (rest > 0.5);
    /* The product was rounded to a tie, or is one: what the multiplication lost decides. */
    double lost = fma(v, 1e4, -product);
    return lost != 0 ? n + (lost > 0) : n + (n & 1);
}

static size_t scientific(char *out, double v) {
    char printed[32];
    int length = snprintf(printed, sizeof printed, "%.4e", v);
    const char *e = memchr(printed, 'e', length > 0 ? (size_t)length : 0);
    if (!e) return 0;
    /* The point is written here: a locale may have another. */
    size_t tail = (size_t)(printed + length - e) + 4;
    out[0] = printed[0];
    out[1] = '.';
    memcpy(out + 2, e - 4, tail);
    return 2 + tail;
}

static size_t fixed(char *out, double v) {
    uint64_t n = ten_thousandths(v);
    size_t length = put_digits(out, n / 10000, 1);
    out[length++] = '.';
    return length + put_digits(out + length, n % 10000, 4);
}

size_t gd_number_text(char *out, double v, gd_number_style style) {
    if (isnan(v)) return memcpy(out, "nan", 3), 3;
    size_t sign = signbit(v) != 0;
    if (sign) *out = '-';
    out += sign;
    v = fabs(v);
    if (isinf(v)) return memcpy(out, "inf", 3), sign + 3;
    if (style == GD_NUMBER_SCIENTIFIC) return sign + scientific(out, v);
    if (style == GD_NUMBER_FIXED) return sign + fixed(out, v);
    size_t length = put_digits(out, (uint64_t)v, 1);
    out[length++] = '.';
    return sign + length;
}
