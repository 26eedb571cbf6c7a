/* number_class.c: int, float and bool as classes: int("…"), float(x), round, and their methods. */
#include "core/plan/trace.h"
#include "core/program/float_text.h"
#include "core/program/heap.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"
#include "core/tensor/number_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- text to numbers -----------------------------------------------------------------------------------------------
 */

/* s as ASCII without spaces around it: digits of other scripts become 0 to 9, anything else not ASCII is kept and then
 * no number. A str or GD_NIL. */
static gd_any plain_digits(gd_vm *vm, const gd_str *s) {
    const char *p = s->text, *end = p + s->bytes;
    gd_buffer out = {.vm = vm};
    if (!gd_work(vm, s->bytes >> 4)) return GD_NIL;
    while (p < end) {
        const char *from = p;
        uint32_t c = gd_utf8_next(&p);
        int digit = gd_char_decimal(c);
        if (digit >= 0) {
            gd_buffer_put(&out, &"0123456789"[digit], 1);
        } else if (gd_char_is(c, GD_CHAR_SPACE)) {
            gd_buffer_put(&out, " ", 1);
        } else {
            gd_buffer_put(&out, from, (size_t)(p - from));
        }
    }
    return gd_buffer_str(&out);
}

static void trim(const char **p, const char **end) {
    while (*p < *end && gd_char_is((unsigned char)**p, GD_CHAR_SPACE)) (*p)++;
    while (*p < *end && gd_char_is((unsigned char)(*end)[-1], GD_CHAR_SPACE)) (*end)--;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'z') return c - 'a' + 10;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

/* Reads 0x and its kin; base 0 is settled by them. An old-style octal leaves base 0. */
static bool prefix(const char **p, const char *end, int *base) {
    char letter = end - *p > 1 && **p == '0' ? (char)((*p)[1] | 0x20) : 0;
    int named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (named && (*base == 0 || *base == named)) {
        *p += 2;
        *base = named;
        if (*p < end && **p == '_') ++*p;
        return true;
    }
    return *base != 0;
}

typedef enum parsed { PARSED, INVALID, TOO_LARGE } parsed;

static parsed read_digits(const char *p, const char *end, int base, bool minus, int64_t *out) {
    int64_t v = 0;
    bool over = false;
    for (bool any = false; p < end; p++) {
        if (*p == '_' && any && p + 1 < end && digit_of(p[1]) < base) continue;
        int d = digit_of(*p);
        if (d >= base) return INVALID;
        any = true;
        over = over || __builtin_mul_overflow(v, base, &v) ||
               (minus ? __builtin_sub_overflow(v, d, &v) : __builtin_add_overflow(v, d, &v));
    }
    *out = v;
    return over ? TOO_LARGE : PARSED;
}

static parsed read_int(const char *p, const char *end, int base, int64_t *out) {
    trim(&p, &end);
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end || *p == '_') return INVALID;
    bool settled = prefix(&p, end, &base);
    if (p == end) return INVALID;
    if (settled) return read_digits(p, end, base, minus, out);
    /* Base 0 without a prefix: decimal, and a leading zero only before zeros. */
    parsed result = read_digits(p, end, 10, minus, out);
    return result == PARSED && *p == '0' && *out != 0 ? INVALID : result;
}

static gd_any quoted_error(gd_vm *vm, const char *text, gd_any value) {
    gd_any shown = gd_repr_of(vm, value);
    if (gd_is_nil(shown)) return GD_NIL;
    const gd_str *s = gd_as_str(shown);
    int bytes = (int)gd_str_offset(s, s->length < 200 ? s->length : 200); /* Python cuts there, too */
    gd_raise(vm, &gd_class_ValueError, "%s%.*s", text, bytes, s->text);
    gd_drop(gd_vm_heap(vm), shown);
    return GD_NIL;
}

static gd_any int_of_text(gd_vm *vm, gd_any text, int base) {
    gd_any ascii =
        gd_is_ascii(gd_as_str(text)->text, gd_as_str(text)->bytes) ? gd_keep(text) : plain_digits(vm, gd_as_str(text));
    if (gd_is_nil(ascii)) return GD_NIL;
    const gd_str *s = gd_as_str(ascii);
    int64_t v = 0;
    parsed result = read_int(s->text, s->text + s->bytes, base, &v);
    gd_drop(gd_vm_heap(vm), ascii);
    if (result == TOO_LARGE) return gd_overflow(vm);
    if (result == PARSED) return GD_ANY_INT(v);
    char start[64];
    snprintf(start, sizeof start, "invalid literal for int() with base %d: ", base);
    return quoted_error(vm, start, text);
}

static gd_any float_of_text(gd_vm *vm, gd_any text) {
    gd_any ascii =
        gd_is_ascii(gd_as_str(text)->text, gd_as_str(text)->bytes) ? gd_keep(text) : plain_digits(vm, gd_as_str(text));
    if (gd_is_nil(ascii)) return GD_NIL;
    const char *p = gd_as_str(ascii)->text, *end = p + gd_as_str(ascii)->bytes;
    double v;
    trim(&p, &end);
    bool ok = gd_number_parse(p, (size_t)(end - p), &v);
    gd_drop(gd_vm_heap(vm), ascii);
    return ok ? GD_ANY_FLOAT(v) : quoted_error(vm, "could not convert string to float: ", text);
}

/* ---- int(…), float(…), bool(…) -------------------------------------------------------------------------------------
 */

gd_any gd_float_to_int(gd_vm *vm, double v) {
    if (isnan(v)) return gd_raise(vm, &gd_class_ValueError, "cannot convert float NaN to integer");
    if (isinf(v)) return gd_raise(vm, &gd_class_OverflowError, "cannot convert float infinity to integer");
    if (v >= 0x1p63 || v < -0x1p63) return gd_overflow(vm);
    return GD_ANY_INT((int64_t)v);
}

gd_any gd_number_of_tensor(gd_vm *vm, const gd_tensor *t) {
    gd_value v;
    gd_trace_read(vm->ctx, t, "int() or float()");
    if (gd_item(vm->ctx, t, &v)) return gd_raise_engine(vm);
    if (v.kind == GD_V_FLOAT) return GD_ANY_FLOAT(v.u.real);
    return v.kind == GD_V_BOOL ? GD_ANY_BOOL(v.u.boolean) : GD_ANY_INT(v.u.integer);
}

static gd_any int_of(gd_vm *vm, gd_any v) {
    switch (v.tag) {
    case GD_A_BOOL:
    case GD_A_INT: return GD_ANY_INT(v.u.i);
    case GD_A_FLOAT: return gd_float_to_int(vm, v.u.f);
    case GD_A_TENSOR: {
        gd_any number = gd_number_of_tensor(vm, v.u.tensor);
        return gd_is_nil(number) ? GD_NIL : int_of(vm, number);
    }
    default:
        if (gd_is_str(v)) return int_of_text(vm, v, 10);
        return gd_raise(vm, &gd_class_TypeError,
                        "int() argument must be a string, a bytes-like object or a real number, not '%s'",
                        gd_class_label(v));
    }
}

/* Too many arguments, or keywords it does not know; false: pending. */
static bool few_arguments(gd_vm *vm, const char *name, const gd_args *args, uint32_t most, const char *keyword) {
    for (uint32_t i = 0; i < args->nkw; i++)
        if (!keyword) {
            gd_raise(vm, &gd_class_TypeError, "%s() takes no keyword arguments", name);
            return false;
        } else if (!gd_str_is(args->names[i], keyword)) {
            gd_raise(vm, &gd_class_TypeError, "'%s' is an invalid keyword argument for %s()", args->names[i]->text,
                     name);
            return false;
        }
    if (args->npos + args->nkw <= most) return true;
    gd_raise(vm, &gd_class_TypeError,
             most > 1 ? "%s() takes at most %u arguments (%u given)" : "%s expected at most %u argument, got %u", name,
             most, args->npos + args->nkw);
    return false;
}

static gd_any int_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    int64_t base;
    (void)class;
    if (!few_arguments(vm, "int", args, 2, "base")) return GD_NIL;
    gd_any value = gd_arg(args, 0, NULL), base_value = gd_arg(args, 1, "base");
    if (gd_is_nil(base_value)) return gd_is_nil(value) ? GD_ANY_INT(0) : int_of(vm, value);
    if (gd_is_nil(value)) return gd_raise(vm, &gd_class_TypeError, "int() missing string argument");
    if (!gd_to_index(vm, base_value, &base)) return GD_NIL;
    if (base != 0 && (base < 2 || base > 36))
        return gd_raise(vm, &gd_class_ValueError, "int() base must be >= 2 and <= 36, or 0");
    if (!gd_is_str(value))
        return gd_raise(vm, &gd_class_TypeError, "int() can't convert non-string with explicit base");
    return int_of_text(vm, value, (int)base);
}

static gd_any float_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    if (!few_arguments(vm, "float", args, 1, NULL)) return GD_NIL;
    gd_any v = gd_arg(args, 0, NULL);
    if (gd_is_nil(v)) return GD_ANY_FLOAT(0.0);
    if (v.tag == GD_A_TENSOR) v = gd_number_of_tensor(vm, v.u.tensor);
    if (gd_is_nil(v)) return GD_NIL;
    if (gd_is_number(v)) return v.tag == GD_A_FLOAT ? v : GD_ANY_FLOAT((double)v.u.i);
    if (gd_is_str(v)) return float_of_text(vm, v);
    return gd_raise(vm, &gd_class_TypeError, "float() argument must be a string or a real number, not '%s'",
                    gd_class_label(v));
}

static gd_any bool_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    if (!few_arguments(vm, "bool", args, 1, NULL)) return GD_NIL;
    if (!args->npos) return GD_ANY_BOOL(0);
    int truth = gd_truth(vm, args->v[0]);
    return truth < 0 ? GD_NIL : GD_ANY_BOOL(truth);
}

/* ---- round ---------------------------------------------------------------------------------------------------------
 */

static gd_any round_int(gd_vm *vm, int64_t v, int64_t places) {
    if (places >= 0) return GD_ANY_INT(v);
    if (places < -19) return GD_ANY_INT(0);
    __int128 unit = 1;
    for (int64_t i = 0; i < -places; i++) unit *= 10;
    __int128 rest = v % unit, down, twice;
    if (rest < 0) rest += unit;
    down = v - rest;
    twice = 2 * rest;
    if (twice > unit || (twice == unit && (down / unit) % 2 != 0)) down += unit;
    return down > INT64_MAX || down < INT64_MIN ? gd_overflow(vm) : GD_ANY_INT((int64_t)down);
}

gd_any gd_number_round(gd_vm *vm, gd_any v, gd_any digits) {
    int64_t places;
    bool none = gd_is_nil(digits) || gd_is_none(digits);
    if (none) return v.tag == GD_A_FLOAT ? gd_float_to_int(vm, rint(v.u.f)) : GD_ANY_INT(v.u.i);
    if (!gd_to_index(vm, digits, &places)) return GD_NIL;
    if (v.tag != GD_A_FLOAT) return round_int(vm, v.u.i, places);
    double rounded = gd_float_round(v.u.f, places);
    if (isinf(rounded) && isfinite(v.u.f))
        return gd_raise(vm, &gd_class_OverflowError, "rounded value too large to represent");
    return GD_ANY_FLOAT(rounded);
}

/* ---- repr -----------------------------------------------------------------------------------------
 */

static gd_any int_repr(gd_vm *vm, gd_any self) {
    char text[GD_NUMBER_BYTES];
    return gd_str_new(vm, text, gd_integer_text(text, self.u.i));
}

static gd_any bool_repr(gd_vm *vm, gd_any self) { return gd_str_c(vm, self.u.i ? "True" : "False"); }

static gd_any float_repr(gd_vm *vm, gd_any self) {
    char text[32];
    return gd_str_new(vm, text, gd_float_repr(self.u.f, text));
}

/* ---- methods -------------------------------------------------------------------------------------------------------
 */

static uint64_t magnitude(int64_t v) { return v < 0 ? 0 - (uint64_t)v : (uint64_t)v; }

static gd_any bit_length(gd_vm *vm, const gd_args *args) {
    uint64_t v = magnitude(args->v[0].u.i);
    (void)vm;
    return GD_ANY_INT(v ? 64 - __builtin_clzll(v) : 0);
}

static gd_any bit_count(gd_vm *vm, const gd_args *args) {
    (void)vm;
    return GD_ANY_INT(__builtin_popcountll(magnitude(args->v[0].u.i)));
}

static gd_any conjugate(gd_vm *vm, const gd_args *args) {
    (void)vm;
    return args->v[0].tag == GD_A_FLOAT ? args->v[0] : GD_ANY_INT(args->v[0].u.i);
}

static gd_any is_integer(gd_vm *vm, const gd_args *args) {
    double v = args->v[0].u.f;
    (void)vm;
    return GD_ANY_BOOL(isfinite(v) && v == floor(v));
}

static gd_any int_ratio(gd_vm *vm, const gd_args *args) {
    gd_any both[2] = {GD_ANY_INT(args->v[0].u.i), GD_ANY_INT(1)};
    return gd_tuple_of(vm, 2, both);
}

static gd_any float_ratio(gd_vm *vm, const gd_args *args) {
    int exponent;
    double v = args->v[0].u.f;
    if (isnan(v)) return gd_raise(vm, &gd_class_ValueError, "cannot convert NaN to integer ratio");
    if (isinf(v)) return gd_raise(vm, &gd_class_OverflowError, "cannot convert Infinity to integer ratio");
    double m = frexp(v, &exponent);
    for (int i = 0; i < 300 && m != floor(m); i++) m *= 2, exponent--;
    int64_t numerator = (int64_t)m, denominator = 1;
    if (exponent > 62 || exponent < -62) return gd_overflow(vm);
    if (exponent < 0) denominator = (int64_t)1 << -exponent;
    if (exponent > 0 && __builtin_mul_overflow(numerator, (int64_t)1 << exponent, &numerator)) return gd_overflow(vm);
    gd_any both[2] = {GD_ANY_INT(numerator), GD_ANY_INT(denominator)};
    return gd_tuple_of(vm, 2, both);
}

/* float.hex(): 0x1.8000000000000p+0 */
static gd_any float_hex(gd_vm *vm, const gd_args *args) {
    double v = args->v[0].u.f;
    int exponent;
    if (!isfinite(v)) return float_repr(vm, args->v[0]);
    const char *sign = signbit(v) ? "-" : "";
    if (v == 0) return gd_str_printf(vm, "%s0x0.0p+0", sign);
    double m = frexp(fabs(v), &exponent);
    int shift = exponent < -1021 ? -1021 - exponent : 0; /* subnormals begin with 0. */
    uint64_t mantissa = (uint64_t)ldexp(m, 53 - shift);
    return gd_str_printf(vm, "%s0x%d.%013llxp%+d", sign, (int)(mantissa >> 52),
                         (unsigned long long)(mantissa & (((uint64_t)1 << 52) - 1)), exponent - 1 + shift);
}

static const gd_native int_methods[] = {{"bit_length", bit_length, 1, 1, ""},
                                        {"bit_count", bit_count, 1, 1, ""},
                                        {"conjugate", conjugate, 1, 1, ""},
                                        {"as_integer_ratio", int_ratio, 1, 1, ""},
                                        {NULL, NULL, 0, 0, NULL}};

static const gd_native float_methods[] = {{"is_integer", is_integer, 1, 1, ""},
                                          {"conjugate", conjugate, 1, 1, ""},
                                          {"as_integer_ratio", float_ratio, 1, 1, ""},
                                          {"hex", float_hex, 1, 1, ""},
                                          {NULL, NULL, 0, 0, NULL}};

static gd_any number_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    bool is_float = self.tag == GD_A_FLOAT;
    (void)vm;
    if (gd_str_is(name, "real") || (!is_float && gd_str_is(name, "numerator")))
        return is_float ? self : GD_ANY_INT(self.u.i);
    if (gd_str_is(name, "imag")) return is_float ? GD_ANY_FLOAT(0.0) : GD_ANY_INT(0);
    return !is_float && gd_str_is(name, "denominator") ? GD_ANY_INT(1) : GD_NIL;
}

#define NUMBER(class_name, python_name, parent, maker, shown, its_methods)                                             \
    const gd_class class_name = {.name = python_name,                                                                  \
                                 .base = &parent,                                                                      \
                                 .make = maker,                                                                        \
                                 .repr = shown,                                                                        \
                                 .methods = its_methods,                                                               \
                                 .getattr = number_getattr};
NUMBER(gd_class_int, "int", gd_class_object, int_make, int_repr, int_methods)
NUMBER(gd_class_bool, "bool", gd_class_int, bool_make, bool_repr, int_methods)
NUMBER(gd_class_float, "float", gd_class_object, float_make, float_repr, float_methods)
