/* percent.c: the % operator of strings: '%-5s|%.2f' % (a, b), '%(name)d' % mapping. */
#include "core/program/format.h"
#include "core/program/heap.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <math.h>
#include <string.h>

typedef struct percent {
    gd_vm *vm;
    gd_buffer out;
    const char *start, *p, *end;
    gd_any all;          /* what stands to the right */
    const gd_any *items; /* of a tuple, or `all` itself */
    size_t n, next;
    bool mapping; /* `all` may be asked for keys */
} percent;

/* One conversion: %[(key)][flags][width][.precision][length]type */
typedef struct directive {
    bool left, plus, space, alternate, zero;
    int64_t width, precision; /* -1: not given */
    gd_any keyed;             /* the value of (key), or NIL; owned */
} directive;

static bool refuse(percent *f, const gd_class *class, const char *text) {
    gd_raise(f->vm, class, "%s", text);
    return false;
}

static bool incomplete(percent *f) { return refuse(f, &gd_class_ValueError, "incomplete format"); }

/* The next value, borrowed; NIL: there is none. */
static gd_any next_value(percent *f) {
    if (f->next < f->n) return f->items[f->next++];
    refuse(f, &gd_class_TypeError, "not enough arguments for format string");
    return GD_NIL;
}

/* ---- reading -------------------------------------------------------------------------------------------------------
 */

/* (key), with brackets inside it in pairs. */
static bool read_key(percent *f, directive *d) {
    const char *from = f->p + 1;
    int depth = 1;
    if (!f->mapping) return refuse(f, &gd_class_TypeError, "format requires a mapping");
    for (f->p++; f->p < f->end && depth > 0; f->p++) depth += *f->p == '(' ? 1 : *f->p == ')' ? -1 : 0;
    if (depth > 0) return refuse(f, &gd_class_ValueError, "incomplete format key");
    gd_any key = gd_str_new(f->vm, from, (size_t)(f->p - 1 - from));
    if (gd_is_nil(key)) return false;
    d->keyed = gd_get_item(f->vm, f->all, key);
    gd_drop(gd_vm_heap(f->vm), key);
    f->next = f->n; /* with keys nothing is taken by position any more */
    return !gd_is_nil(d->keyed);
}

static void read_flags(percent *f, directive *d) {
    for (; f->p < f->end; f->p++) switch (*f->p) {
        case '-': d->left = true; break;
        case '+': d->plus = true; break;
        case ' ': d->space = true; break;
        case '#': d->alternate = true; break;
        case '0': d->zero = true; break;
        default: return;
        }
}

/* A number or *; what it is called is in errors. */
static bool read_number(percent *f, int64_t *out, const char *too_big) {
    if (f->p < f->end && *f->p == '*') {
        f->p++;
        gd_any v = next_value(f);
        if (gd_is_nil(v)) return false;
        if (v.tag != GD_A_INT && v.tag != GD_A_BOOL) return refuse(f, &gd_class_TypeError, "* wants int");
        *out = v.u.i;
        return true;
    }
    if (!gd_format_digits(&f->p, f->end, out)) return refuse(f, &gd_class_ValueError, too_big);
    return true;
}

static bool read_directive(percent *f, directive *d) {
    if (f->p < f->end && *f->p == '(' && !read_key(f, d)) return false;
    read_flags(f, d);
    if (!read_number(f, &d->width, "width too big")) return false;
    if (d->width < -1) d->left = true, d->width = d->width == INT64_MIN ? INT64_MAX : -d->width;
    if (f->p < f->end && *f->p == '.') {
        f->p++;
        if (!read_number(f, &d->precision, "precision too big")) return false;
        if (d->precision < 0) d->precision = 0;
    }
    if (d->precision > INT32_MAX) return refuse(f, &gd_class_ValueError, "precision too big");
    if (f->p < f->end && (*f->p == 'h' || *f->p == 'l' || *f->p == 'L')) f->p++;
    return f->p < f->end || incomplete(f);
}

/* ---- putting -------------------------------------------------------------------------------------------------------
 */

/* [sign][prefix][text], filled to the width; zeros go between prefix and text. */
static void put_aligned(percent *f, const directive *d, const char *start, const char *text, size_t bytes) {
    size_t length = strlen(start) + gd_utf8_count(text, bytes);
    size_t fill = d->width > 0 && (size_t)d->width > length ? (size_t)d->width - length : 0;
    if (!d->left && !d->zero) gd_buffer_fill(&f->out, " ", 1, fill);
    gd_buffer_c(&f->out, start);
    if (!d->left && d->zero) gd_buffer_fill(&f->out, "0", 1, fill);
    gd_buffer_put(&f->out, text, bytes);
    if (d->left) gd_buffer_fill(&f->out, " ", 1, fill);
}

static bool put_text(percent *f, directive *d, gd_any v, char type) {
    gd_any text = gd_converted(f->vm, v, type);
    if (gd_is_nil(text)) return false;
    const gd_str *s = gd_as_str(text);
    size_t length = d->precision >= 0 && (size_t)d->precision < s->length ? (size_t)d->precision : s->length;
    d->zero = false;
    put_aligned(f, d, "", s->text, gd_str_offset(s, length));
    gd_drop(gd_vm_heap(f->vm), text);
    return true;
}

static bool put_character(percent *f, directive *d, gd_any v) {
    char text[4];
    d->zero = false;
    if (gd_is_str(v) && gd_as_str(v)->length == 1) {
        put_aligned(f, d, "", gd_as_str(v)->text, gd_as_str(v)->bytes);
        return true;
    }
    if (v.tag != GD_A_INT && v.tag != GD_A_BOOL) return refuse(f, &gd_class_TypeError, "%c requires int or char");
    if (v.u.i < 0 || v.u.i > 0x10FFFF || (v.u.i >= 0xD800 && v.u.i < 0xE000))
        return refuse(f, &gd_class_OverflowError, "%c arg not in range(0x110000)");
    put_aligned(f, d, "", text, gd_utf8_put(text, (uint32_t)v.u.i));
    return true;
}

static bool wrong_type(percent *f, char type, const char *wanted, gd_any v) {
    gd_raise(f->vm, &gd_class_TypeError, "%%%c format: %s is required, not %s", type, wanted, gd_class_label(v));
    return false;
}

/* The int that d or x show: d truncates floats, x does not take them. */
static bool whole_number(percent *f, gd_any v, char type, int64_t *out) {
    bool decimal = type == 'd' || type == 'i' || type == 'u';
    if (v.tag == GD_A_TENSOR && decimal) v = gd_number_of_tensor(f->vm, v.u.tensor);
    if (gd_is_nil(v)) return false;
    if (!decimal && v.tag == GD_A_TENSOR) return gd_to_index(f->vm, v, out);
    if (!gd_is_number(v)) return wrong_type(f, type, decimal ? "a real number" : "an integer", v);
    if (v.tag == GD_A_FLOAT && !decimal) return wrong_type(f, type, "an integer", v);
    if (v.tag == GD_A_FLOAT) v = gd_float_to_int(f->vm, v.u.f);
    if (gd_is_nil(v)) return false;
    *out = v.u.i;
    return true;
}

/* Sign and prefix of a number. */
static void start_of(const directive *d, bool minus, const char *prefix, char out[4]) {
    char sign = minus ? '-' : d->plus ? '+' : d->space ? ' ' : '\0';
    if (sign) *out++ = sign;
    strcpy(out, prefix);
}

static bool put_int(percent *f, directive *d, gd_any v, char type) {
    int64_t number;
    char digits[32], start[4];
    size_t n = 0;
    if (!whole_number(f, v, type, &number)) return false;
    unsigned base = type == 'o' ? 8 : (type | 0x20) == 'x' ? 16 : 10;
    const char *prefix = !d->alternate || base == 10 ? "" : type == 'o' ? "0o" : type == 'x' ? "0x" : "0X";
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do digits[sizeof digits - ++n] = (type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[left % base];
    while ((left /= base) > 0);
    gd_buffer text = {.vm = f->vm};
    if (d->precision > (int64_t)n) gd_buffer_fill(&text, "0", 1, (size_t)d->precision - n);
    gd_buffer_put(&text, digits + sizeof digits - n, n);
    start_of(d, number < 0, prefix, start);
    if (!text.failed) put_aligned(f, d, start, text.text, text.bytes);
    bool ok = !text.failed;
    gd_buffer_free(&text);
    return ok;
}

static bool put_real(percent *f, const directive *d, gd_any v, char type) {
    double number;
    char start[4];
    if (!gd_to_real(f->vm, v, &number)) return false;
    gd_buffer text = {.vm = f->vm};
    gd_float_style style = {.type = (char)(type | 0x20),
                            .upper = type < 'a',
                            .alternate = d->alternate,
                            .precision = d->precision < 0 ? 6 : d->precision};
    gd_put_float(&text, number, &style);
    start_of(d, signbit(number) && !isnan(number), "", start);
    if (!text.failed) put_aligned(f, d, start, text.text, text.bytes);
    bool ok = !text.failed;
    gd_buffer_free(&text);
    return ok;
}

static bool put_value(percent *f, directive *d, gd_any v, const char *at) {
    switch (*at) {
    case 's':
    case 'r':
    case 'a': return put_text(f, d, v, *at);
    case 'c': return put_character(f, d, v);
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X': return put_int(f, d, v, *at);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': return put_real(f, d, v, *at);
    default: break;
    }
    const char *behind = at;
    uint32_t c = gd_utf8_next(&behind);
    gd_raise(f->vm, &gd_class_ValueError, "unsupported format character '%c' (0x%x) at index %zu",
             c >= 32 && c < 127 ? (char)c : '?', c, gd_utf8_count(f->start, (size_t)(at - f->start)));
    return false;
}

/* Behind a %. */
static bool put_directive(percent *f) {
    directive d = {.width = -1, .precision = -1, .keyed = GD_NIL};
    bool ok = f->p < f->end ? read_directive(f, &d) : incomplete(f);
    const char *at = f->p;
    if (ok && *at == '%' && at[-1] == '%') {
        gd_buffer_put(&f->out, "%", 1);
        f->p++;
    } else if (ok) {
        gd_any v = gd_is_nil(d.keyed) ? next_value(f) : d.keyed;
        gd_utf8_next(&f->p);
        ok = !gd_is_nil(v) && put_value(f, &d, v, at);
    }
    gd_drop(gd_vm_heap(f->vm), d.keyed);
    return ok && !f->out.failed;
}

static bool put_all(percent *f) {
    while (f->p < f->end) {
        const char *sign = memchr(f->p, '%', (size_t)(f->end - f->p)), *to = sign ? sign : f->end;
        gd_buffer_put(&f->out, f->p, (size_t)(to - f->p));
        if (!sign) break;
        f->p = sign + 1;
        if (!gd_work(f->vm, 1) || !put_directive(f)) return false;
    }
    if (f->next < f->n && !f->mapping)
        return refuse(f, &gd_class_TypeError, "not all arguments converted during string formatting");
    return !f->out.failed;
}

/* Anything with items but tuples and strings. */
static bool may_be_mapping(gd_any v) {
    gd_any (*getitem)(gd_vm *, gd_any, gd_any);
    GD_SLOT(gd_class_of(v), getitem, getitem);
    return getitem && !gd_is_tuple(v) && !gd_is_str(v);
}

gd_any gd_str_percent(gd_vm *vm, const gd_str *pattern, gd_any values) {
    percent f = {.vm = vm, .out = {.vm = vm}, .start = pattern->text, .p = pattern->text, .all = values};
    f.end = pattern->text + pattern->bytes;
    f.items = &f.all;
    f.n = 1;
    if (gd_is_tuple(values)) gd_items(values, &f.items, &f.n);
    f.mapping = may_be_mapping(values);
    if (!gd_deeper(vm)) return GD_NIL;
    bool ok = put_all(&f);
    gd_shallower(vm);
    if (ok) return gd_buffer_str(&f.out);
    gd_buffer_free(&f.out);
    return GD_NIL;
}
