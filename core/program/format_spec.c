/* format_spec.c: format specs: reading them, and laying out values by them; format(value, spec). */
#include "core/program/format.h"
#include "core/program/heap.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reading -------------------------------------------------------------------------------------------------------
 */

bool gd_format_digits(const char **p, const char *end, int64_t *out) {
    int64_t v = 0;
    const char *from = *p;
    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, **p - '0', &v)) return false;
    *out = *p > from ? v : -1;
    return true;
}

const char *gd_format_shown(uint32_t c, char out[16]) {
    snprintf(out, 16, c > 32 && c < 127 ? "%c" : "\\x%x", c);
    return out;
}

static bool refuse(gd_vm *vm, const char *text) {
    gd_raise(vm, &gd_class_ValueError, "%s", text);
    return false;
}

static bool is_align(char c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

/* [[fill]align][sign][z][#][0]; whether an align or fill was given. */
static const char *read_flags(const char *p, const char *end, gd_spec *spec) {
    const char *behind = p;
    bool aligned = false, filled = false;
    if (p < end) gd_utf8_next(&behind);
    if (behind < end && is_align(*behind)) {
        memcpy(spec->fill, p, (size_t)(behind - p));
        spec->fill[behind - p] = '\0';
        spec->align = *behind;
        aligned = filled = true;
        p = behind + 1;
    } else if (p < end && is_align(*p)) {
        spec->align = *p++;
        aligned = true;
    }
    if (p < end && (*p == '+' || *p == '-' || *p == ' ')) spec->sign = *p++;
    if (p < end && *p == 'z') spec->no_minus_zero = true, p++;
    if (p < end && *p == '#') spec->alternate = true, p++;
    if (!filled && p < end && *p == '0') {
        strcpy(spec->fill, "0");
        if (!aligned && spec->align == '>') spec->align = '=';
        p++;
    }
    return p;
}

/* [grouping][.precision]; NULL: pending. */
static const char *read_grouping(gd_vm *vm, const char *p, const char *end, gd_spec *spec) {
    if (p < end && *p == ',') spec->grouping = *p++;
    if (p < end && *p == '_') {
        if (spec->grouping) return refuse(vm, "Cannot specify both ',' and '_'."), NULL;
        spec->grouping = *p++;
    }
    if (p < end && *p == ',' && spec->grouping == '_') return refuse(vm, "Cannot specify both ',' and '_'."), NULL;
    if (p == end || *p != '.') return p;
    p++;
    if (!gd_format_digits(&p, end, &spec->precision))
        return refuse(vm, "Too many decimal digits in format string"), NULL;
    return spec->precision < 0 ? (refuse(vm, "Format specifier missing precision"), NULL) : p;
}

static bool check_grouping(gd_vm *vm, const gd_spec *spec) {
    static const char any[] = "defgEG%F", underscore[] = "boxX";
    char shown[16];
    uint32_t type = spec->type;
    if (!spec->grouping || type == 0) return true;
    if (type < 128 && (strchr(any, (int)type) || (spec->grouping == '_' && strchr(underscore, (int)type)))) return true;
    gd_raise(vm, &gd_class_ValueError, "Cannot specify '%c' with '%s'.", spec->grouping, gd_format_shown(type, shown));
    return false;
}

bool gd_spec_read(gd_vm *vm, const char *text, size_t bytes, const char *type_name, char align, uint32_t type,
                  gd_spec *spec) {
    const char *end = text + bytes;
    *spec = (gd_spec){.fill = " ", .align = align, .width = -1, .precision = -1, .type = type};
    const char *p = read_flags(text, end, spec);
    if (!gd_format_digits(&p, end, &spec->width)) return refuse(vm, "Too many decimal digits in format string");
    p = read_grouping(vm, p, end, spec);
    if (!p) return false;
    if (p < end) spec->type = gd_utf8_next(&p);
    if (p < end) {
        gd_raise(vm, &gd_class_ValueError, "Invalid format specifier '%s' for object of type '%s'", text, type_name);
        return false;
    }
    return check_grouping(vm, spec);
}

static gd_any unknown_code(gd_vm *vm, uint32_t type, const char *type_name) {
    char shown[16];
    return gd_raise(vm, &gd_class_ValueError, "Unknown format code '%s' for object of type '%s'",
                    gd_format_shown(type, shown), type_name);
}

/* ---- text ----------------------------------------------------------------------------------------------------------
 */

/* How much goes to the left of `length` characters. */
static void split_padding(const gd_spec *spec, size_t length, size_t *left, size_t *right) {
    size_t all = spec->width > 0 && (size_t)spec->width > length ? (size_t)spec->width - length : 0;
    *left = spec->align == '<' ? 0 : spec->align == '^' ? all / 2 : all;
    *right = all - *left;
}

gd_any gd_format_text(gd_vm *vm, const gd_str *s, const gd_spec *spec) {
    size_t length = s->length, left, right;
    if (spec->precision >= 0 && (size_t)spec->precision < length) length = (size_t)spec->precision;
    split_padding(spec, length, &left, &right);
    gd_buffer out = {.vm = vm};
    gd_buffer_fill(&out, spec->fill, strlen(spec->fill), left);
    gd_buffer_put(&out, s->text, gd_str_offset(s, length));
    gd_buffer_fill(&out, spec->fill, strlen(spec->fill), right);
    return gd_buffer_str(&out);
}

static gd_any format_str(gd_vm *vm, const gd_str *s, const gd_str *text) {
    gd_spec spec;
    if (!gd_spec_read(vm, text->text, text->bytes, "str", '<', 's', &spec)) return GD_NIL;
    if (spec.type != 's') return unknown_code(vm, spec.type, "str");
    const char *wrong = spec.sign == ' '     ? "Space not allowed in string format specifier"
                        : spec.sign          ? "Sign not allowed in string format specifier"
                        : spec.no_minus_zero ? "Negative zero coercion (z) not allowed in string format specifier"
                        : spec.alternate     ? "Alternate form (#) not allowed in string format specifier"
                        : spec.align == '='  ? "'=' alignment not allowed in string format specifier"
                                             : NULL;
    if (wrong) return gd_raise(vm, &gd_class_ValueError, "%s", wrong);
    return gd_format_text(vm, s, &spec);
}

/* ---- numbers -------------------------------------------------------------------------------------------------------
 */

/* A number in its parts: [sign][prefix][digits][rest], of which only the digits before the point are grouped. */
typedef struct parts {
    char sign; /* 0: none */
    const char *prefix;
    const char *text;
    size_t digits, bytes; /* of text */
    int group;            /* digits between separators; 0: none */
} parts;

/* Digits with separators, at least `width` characters of them with zeros in front. */
static void put_grouped(gd_buffer *out, const parts *number, char separator, size_t width) {
    size_t n = number->digits, group = (size_t)number->group, all = n;
    if (group && separator) {
        /* k digits take k + (k - 1) / group characters: k rises until that is enough. */
        if (width > n) {
            size_t least = width - width / (group + 1);
            all = least > n ? least : n;
            if (all + (all - 1) / group < width) all++;
        }
    } else {
        group = 0;
        if (width > n) all = width;
    }
    if (!group) {
        gd_buffer_fill(out, "0", 1, all - n);
        gd_buffer_put(out, number->text, n);
        return;
    }
    for (size_t left = all; left > 0 && !out->failed;) {
        size_t part = left % group ? left % group : group;
        for (size_t i = 0; i < part; i++, left--) gd_buffer_put(out, left > n ? "0" : number->text + (n - left), 1);
        if (left) gd_buffer_put(out, &separator, 1);
    }
}

static gd_any lay_out(gd_vm *vm, const parts *number, const gd_spec *spec) {
    gd_buffer digits = {.vm = vm}, out = {.vm = vm};
    size_t start = (number->sign ? 1 : 0) + strlen(number->prefix), rest = number->bytes - number->digits, left, right;
    bool zeros = spec->align == '=' && !strcmp(spec->fill, "0");
    size_t width = spec->width > 0 && zeros ? (size_t)spec->width : 0;
    if (width > 4096) { /* room for all of it at once, or none */
        gd_buffer_fill(&digits, "0", 1, width);
        digits.bytes = 0;
        if (digits.failed || !gd_work(vm, width >> 6)) return gd_buffer_free(&digits), GD_NIL;
    }
    put_grouped(&digits, number, spec->grouping, width > start + rest ? width - start - rest : 0);
    split_padding(spec, start + digits.bytes + gd_utf8_count(number->text + number->digits, rest), &left, &right);
    if (spec->align != '=') gd_buffer_fill(&out, spec->fill, strlen(spec->fill), left);
    if (number->sign) gd_buffer_put(&out, &number->sign, 1);
    gd_buffer_c(&out, number->prefix);
    if (spec->align == '=') gd_buffer_fill(&out, spec->fill, strlen(spec->fill), left);
    if (digits.failed) return gd_buffer_free(&out), GD_NIL;
    gd_buffer_put(&out, digits.text, digits.bytes);
    gd_buffer_free(&digits);
    gd_buffer_put(&out, number->text + number->digits, rest);
    gd_buffer_fill(&out, spec->fill, strlen(spec->fill), right);
    return gd_buffer_str(&out);
}

static char sign_of(bool minus, char wanted) { return minus ? '-' : wanted == '+' || wanted == ' ' ? wanted : '\0'; }

static size_t digits_in_base(uint64_t v, unsigned base, bool upper, char out[72]) {
    char reversed[72];
    size_t n = 0;
    do reversed[n++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[v % base];
    while ((v /= base) > 0);
    for (size_t i = 0; i < n; i++) out[i] = reversed[n - 1 - i];
    return n;
}

static gd_any format_character(gd_vm *vm, int64_t v, const gd_spec *spec) {
    char text[4];
    const char *wrong = spec->sign        ? "Sign not allowed with integer format specifier 'c'"
                        : spec->alternate ? "Alternate form (#) not allowed with integer format specifier 'c'"
                                          : NULL;
    if (wrong) return gd_raise(vm, &gd_class_ValueError, "%s", wrong);
    if (v < 0 || v > 0x10FFFF || (v >= 0xD800 && v < 0xE000))
        return gd_raise(vm, &gd_class_OverflowError, "%%c arg not in range(0x110000)");
    parts number = {.prefix = "", .text = text, .bytes = gd_utf8_put(text, (uint32_t)v)};
    return lay_out(vm, &number, spec);
}

gd_any gd_format_int(gd_vm *vm, int64_t v, const gd_spec *spec, const char *type_name) {
    char text[72];
    uint32_t type = spec->type ? spec->type : 'd';
    if (type < 128 && strchr("eEfFgG%", (int)type)) return gd_format_float(vm, (double)v, spec, type_name);
    if (type >= 128 || !strchr("bcdnoxX", (int)type)) return unknown_code(vm, type, type_name);
    const char *wrong = spec->precision >= 0  ? "Precision not allowed in integer format specifier"
                        : spec->no_minus_zero ? "Negative zero coercion (z) not allowed in integer format specifier"
                                              : NULL;
    if (wrong) return gd_raise(vm, &gd_class_ValueError, "%s", wrong);
    if (type == 'c') return format_character(vm, v, spec);
    unsigned base = type == 'b' ? 2 : type == 'o' ? 8 : type == 'd' || type == 'n' ? 10 : 16;
    const char *prefix = type == 'b' ? "0b" : type == 'o' ? "0o" : type == 'x' ? "0x" : type == 'X' ? "0X" : "";
    size_t n = digits_in_base(v < 0 ? 0 - (uint64_t)v : (uint64_t)v, base, type == 'X', text);
    parts number = {.sign = sign_of(v < 0, spec->sign),
                    .prefix = spec->alternate ? prefix : "",
                    .text = text,
                    .digits = n,
                    .bytes = n,
                    .group = base == 10 ? 3 : 4};
    return lay_out(vm, &number, spec);
}

/* Nothing but zeros before an exponent. */
static bool shows_zero(const gd_buffer *text) {
    for (size_t i = 0; i < text->bytes && text->text[i] != 'e' && text->text[i] != 'E'; i++)
        if (text->text[i] >= '1' && text->text[i] <= '9') return false;
    return true;
}

static gd_float_style float_style(const gd_spec *spec) {
    uint32_t type = spec->type;
    gd_float_style style = {.alternate = spec->alternate, .precision = spec->precision < 0 ? 6 : spec->precision};
    style.upper = type == 'E' || type == 'F' || type == 'G';
    style.point_zero = type == 0;
    if (type == 0)
        style.type = spec->precision < 0 ? 'r' : 'g';
    else
        style.type = type == '%' ? 'f' : type == 'n' ? 'g' : (char)(type | 0x20);
    return style;
}

gd_any gd_format_float(gd_vm *vm, double v, const gd_spec *spec, const char *type_name) {
    gd_buffer text = {.vm = vm};
    if (spec->type && (spec->type >= 128 || !strchr("eEfFgGn%", (int)spec->type)))
        return unknown_code(vm, spec->type, type_name);
    if (spec->precision > INT32_MAX) return gd_raise(vm, &gd_class_ValueError, "precision too big");
    if (spec->type == '%') v *= 100;
    gd_float_style style = float_style(spec);
    gd_put_float(&text, v, &style);
    if (spec->type == '%') gd_buffer_c(&text, "%");
    if (text.failed) return GD_NIL;
    bool minus = signbit(v) && !isnan(v) && !(spec->no_minus_zero && isfinite(v) && shows_zero(&text));
    parts number = {.sign = sign_of(minus, spec->sign), .prefix = "", .text = text.text, .bytes = text.bytes};
    while (number.digits < text.bytes && text.text[number.digits] >= '0' && text.text[number.digits] <= '9')
        number.digits++;
    if (isfinite(v)) number.group = 3;
    gd_any result = lay_out(vm, &number, spec);
    gd_buffer_free(&text);
    return result;
}

/* ---- format(value, spec) -------------------------------------------------------------------------------------------
 */

gd_any gd_format_plain(gd_vm *vm, gd_any v, const gd_str *spec) {
    gd_spec read;
    const char *type_name = gd_class_label(v);
    if (gd_is_str(v)) return format_str(vm, gd_as_str(v), spec);
    if (!gd_spec_read(vm, spec->text, spec->bytes, type_name, '>', 0, &read)) return GD_NIL;
    if (v.tag == GD_A_FLOAT) return gd_format_float(vm, v.u.f, &read, type_name);
    return gd_format_int(vm, v.u.i, &read, type_name);
}

gd_any gd_format_of(gd_vm *vm, gd_any v, gd_str *spec) {
    if (v.tag == GD_A_TENSOR && gd_ndim(v.u.tensor) == 0) v = gd_number_of_tensor(vm, v.u.tensor);
    if (gd_is_nil(v)) return GD_NIL;
    if (!spec || spec->bytes == 0) return gd_str_of(vm, v);
    if (gd_is_number(v) || gd_is_str(v)) return gd_format_plain(vm, v, spec);
    return gd_raise(vm, &gd_class_TypeError, "unsupported format string passed to %s.__format__", gd_class_label(v));
}
