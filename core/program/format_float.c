/* format_float.c: a float as e, f, g or repr writes it, to any precision. */
#include "core/program/float_text.h"
#include "core/program/format.h"
#include "core/program/vm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What exceeds the digits that a double has is zeros: `more` of them. */
enum { MOST_DIGITS = GD_FLOAT_DIGITS - 1 };

static void put_exponent(gd_buffer *out, int exponent, bool upper) {
    char text[16];
    snprintf(text, sizeof text, "%c%c%02d", upper ? 'E' : 'e', exponent < 0 ? '-' : '+', abs(exponent));
    gd_buffer_c(out, text);
}

static void put_fixed(gd_buffer *out, double v, const gd_float_style *style) {
    char text[MOST_DIGITS + 320];
    int64_t shown = style->precision < MOST_DIGITS ? style->precision : MOST_DIGITS;
    int n = snprintf(text, sizeof text, "%.*f", (int)shown, v);
    gd_buffer_put(out, text, (size_t)n);
    gd_buffer_fill(out, "0", 1, (size_t)(style->precision - shown));
    if (style->alternate && style->precision == 0) gd_buffer_c(out, ".");
}

/* Digits of which the first stands before the point, at least `least` with zeros. */
static void put_scientific(gd_buffer *out, const char *digits, size_t n, size_t least, int point,
                           const gd_float_style *style) {
    gd_buffer_put(out, digits, 1);
    if (n > 1 || least > 1 || style->alternate) gd_buffer_c(out, ".");
    gd_buffer_put(out, digits + 1, n - 1);
    gd_buffer_fill(out, "0", 1, least > n ? least - n : 0);
    put_exponent(out, point - 1, style->upper);
}

/* Digits with the point at `point`, zeros where there are none; at least `least` digits in all. */
static void put_positional(gd_buffer *out, const char *digits, size_t n, size_t least, int point,
                           const gd_float_style *style) {
    size_t before = point > 0 ? (size_t)point : 0, given = before < n ? before : n, all = least > n ? least : n;
    if (before == 0) gd_buffer_c(out, "0");
    gd_buffer_put(out, digits, given);
    gd_buffer_fill(out, "0", 1, before - given);
    if (all > before || style->alternate || style->point_zero) gd_buffer_c(out, ".");
    if (point < 0) gd_buffer_fill(out, "0", 1, (size_t)-point);
    gd_buffer_put(out, digits + given, n - given);
    size_t behind = all > before ? all : before;
    gd_buffer_fill(out, "0", 1, behind - (n > before ? n : before));
    if (style->point_zero && behind == before) gd_buffer_c(out, "0");
}

static void put_general(gd_buffer *out, double v, const gd_float_style *style) {
    char digits[GD_FLOAT_DIGITS + 1];
    int point;
    size_t n;
    bool shortest = style->type == 'r';
    int64_t precision = style->precision < 1 ? 1 : style->precision, most = precision - (style->point_zero ? 1 : 0);
    if (shortest)
        n = gd_float_shortest(v, digits, &point);
    else
        n = gd_float_digits(v, (int)(precision < MOST_DIGITS ? precision : MOST_DIGITS), digits, &point);
    while (n > 1 && digits[n - 1] == '0') n--;
    size_t least = style->alternate && !shortest ? (size_t)precision : 0;
    if (point <= -4 || point > (shortest ? 16 : most))
        put_scientific(out, digits, n, least, point, style);
    else
        put_positional(out, digits, n, least, point, style);
}

void gd_put_float(gd_buffer *out, double v, const gd_float_style *style) {
    char digits[GD_FLOAT_DIGITS + 1];
    int point;
    v = fabs(v);
    if (!isfinite(v)) return gd_buffer_c(out, isnan(v) ? style->upper ? "NAN" : "nan" : style->upper ? "INF" : "inf");
    if (style->type == 'f') return put_fixed(out, v, style);
    if (style->type != 'e') return put_general(out, v, style);
    int64_t wanted = style->precision < MOST_DIGITS ? style->precision + 1 : MOST_DIGITS;
    size_t n = gd_float_digits(v, (int)wanted, digits, &point);
    put_scientific(out, digits, n, (size_t)style->precision + 1, point, style);
}
