/* format.c: str.format and str.format_map: literal text and {fields}. */
#include "core/program/format.h"
#include "core/program/heap.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <string.h>

typedef enum numbering { NOT_YET, AUTOMATIC, MANUAL } numbering;

typedef struct formatter {
    gd_vm *vm;
    gd_buffer out;
    const gd_args *fields;
    gd_any mapping; /* of format_map; NIL: fields */
    numbering numbering;
    int64_t next; /* automatic index */
} formatter;

/* A piece of the pattern. */
typedef struct span {
    const char *p, *end;
} span;

/* What lies between { and }. */
typedef struct field {
    span name, spec;
    uint32_t conversion; /* 0: none */
    bool nested;         /* the spec has fields of its own */
} field;

static bool refuse(formatter *f, const char *text) {
    gd_raise(f->vm, &gd_class_ValueError, "%s", text);
    return false;
}

/* ---- reading -------------------------------------------------------------------------------------------------------
 */

/* name up to : ! or the closing brace; *text is then on it. */
static bool read_name(formatter *f, span *text, field *out) {
    bool bracket = false;
    out->name.p = text->p;
    for (; text->p < text->end; text->p++) {
        char c = *text->p;
        if (c == '{') return refuse(f, "unexpected '{' in field name");
        if (c == '[') bracket = true;
        if (c == ']') bracket = false;
        if (!bracket && (c == '}' || c == ':' || c == '!')) break;
    }
    out->name.end = text->p;
    return text->p < text->end || refuse(f, "expected '}' before end of string");
}

/* spec up to the brace that closes the field; *text is then behind it. */
static bool read_spec(formatter *f, span *text, field *out) {
    int depth = 1;
    out->spec.p = text->p;
    for (; text->p < text->end; text->p++) {
        if (*text->p == '{') depth++, out->nested = true;
        if (*text->p == '}' && --depth == 0) {
            out->spec.end = text->p++;
            return true;
        }
    }
    return refuse(f, "unmatched '{' in format spec");
}

static bool read_field(formatter *f, span *text, field *out) {
    if (text->p == text->end) return refuse(f, "Single '{' encountered in format string");
    if (!read_name(f, text, out)) return false;
    char c = *text->p++;
    if (c == '!') {
        if (text->p == text->end) return refuse(f, "end of string while looking for conversion specifier");
        out->conversion = gd_utf8_next(&text->p);
        if (text->p < text->end) {
            c = *text->p++;
            if (c != '}' && c != ':') return refuse(f, "expected ':' after conversion specifier");
        }
    }
    if (c == '}') return true;
    return read_spec(f, text, out);
}

/* ---- the value of a field ------------------------------------------------------------------------------------------
 */

static gd_any of_keyword(formatter *f, const char *name, size_t bytes) {
    gd_any key = gd_str_new(f->vm, name, bytes), value = GD_NIL;
    if (gd_is_nil(key) || !gd_is_nil(f->mapping)) {
        if (!gd_is_nil(key)) value = gd_get_item(f->vm, f->mapping, key);
        gd_drop(gd_vm_heap(f->vm), key);
        return value;
    }
    for (uint32_t i = 0; i < f->fields->nkw && gd_is_nil(value); i++)
        if (gd_str_equal(f->fields->names[i], gd_as_str(key))) value = gd_keep(f->fields->v[f->fields->npos + i]);
    if (gd_is_nil(value)) gd_raise_key(f->vm, key);
    gd_drop(gd_vm_heap(f->vm), key);
    return value;
}

static bool check_numbering(formatter *f, numbering now) {
    if (f->numbering == NOT_YET) f->numbering = now;
    if (f->numbering == now) return true;
    return refuse(f, now == AUTOMATIC ? "cannot switch from manual field specification to automatic field numbering"
                                      : "cannot switch from automatic field numbering to manual field specification");
}

static gd_any of_index(formatter *f, int64_t index) {
    if (!gd_is_nil(f->mapping)) return refuse(f, "Format string contains positional fields"), GD_NIL;
    if (index < (int64_t)f->fields->npos) return gd_keep(f->fields->v[index]);
    return gd_raise(f->vm, &gd_class_IndexError, "Replacement index %lld out of range for positional args tuple",
                    (long long)index);
}

/* All of it an index: 1; not: 0; -1: pending. */
static int read_index(formatter *f, const char *p, const char *end, int64_t *out) {
    const char *at = p;
    while (at < end && *at >= '0' && *at <= '9') at++;
    if (at < end || p == end) return 0;
    return gd_format_digits(&p, end, out) ? 1 : (refuse(f, "Too many decimal digits in format string"), -1);
}

/* The part before the first . or [ */
static gd_any first_value(formatter *f, span *name) {
    const char *from = name->p;
    int64_t index;
    while (name->p < name->end && *name->p != '.' && *name->p != '[') name->p++;
    int whole = read_index(f, from, name->p, &index);
    if (whole < 0) return GD_NIL;
    if (name->p == from) {
        if (!check_numbering(f, AUTOMATIC)) return GD_NIL;
        return of_index(f, f->next++);
    }
    if (!whole) return of_keyword(f, from, (size_t)(name->p - from));
    return check_numbering(f, MANUAL) ? of_index(f, index) : GD_NIL;
}

/* value.name; name->p is behind the point. */
static gd_any attribute(formatter *f, gd_any value, span *name) {
    const char *from = name->p;
    while (name->p < name->end && *name->p != '.' && *name->p != '[') name->p++;
    if (name->p == from) return refuse(f, "Empty attribute in format string"), GD_NIL;
    gd_any key = gd_str_new(f->vm, from, (size_t)(name->p - from));
    if (gd_is_nil(key)) return GD_NIL;
    gd_any result = gd_get_attribute(f->vm, value, gd_as_str(key));
    gd_drop(gd_vm_heap(f->vm), key);
    return result;
}

/* value[key]; name->p is behind the bracket. */
static gd_any item(formatter *f, gd_any value, span *name) {
    const char *from = name->p, *close = memchr(from, ']', (size_t)(name->end - from));
    int64_t index;
    if (!close) return refuse(f, "Missing ']' in format string"), GD_NIL;
    if (close == from) return refuse(f, "Empty attribute in format string"), GD_NIL;
    name->p = close + 1;
    if (name->p < name->end && *name->p != '.' && *name->p != '[')
        return refuse(f, "Only '.' or '[' may follow ']' in format field specifier"), GD_NIL;
    int whole = read_index(f, from, close, &index);
    if (whole < 0) return GD_NIL;
    gd_any key = whole ? GD_ANY_INT(index) : gd_str_new(f->vm, from, (size_t)(close - from));
    if (gd_is_nil(key)) return GD_NIL;
    gd_any result = gd_get_item(f->vm, value, key);
    gd_drop(gd_vm_heap(f->vm), key);
    return result;
}

static gd_any field_value(formatter *f, span name) {
    gd_any value = first_value(f, &name);
    while (!gd_is_nil(value) && name.p < name.end) {
        char c = *name.p++;
        gd_any part = c == '.' ? attribute(f, value, &name) : item(f, value, &name);
        gd_drop(gd_vm_heap(f->vm), value);
        value = part;
    }
    return value;
}

gd_any gd_converted(gd_vm *vm, gd_any v, char conversion) {
    if (conversion == 's') return gd_str_of(vm, v);
    gd_any text = gd_repr_of(vm, v);
    if (conversion == 'r' || gd_is_nil(text) || gd_is_ascii(gd_as_str(text)->text, gd_as_str(text)->bytes)) return text;
    /* ascii(): what repr left as it is and is not ASCII becomes an escape. */
    gd_any ascii = gd_str_ascii(vm, gd_as_str(text));
    gd_drop(gd_vm_heap(vm), text);
    return ascii;
}

/* ---- putting it together -------------------------------------------------------------------------------------------
 */

static bool format_pattern(formatter *f, span text, int depth);

/* The spec with its own fields put in. A str. */
static gd_any spec_text(formatter *f, const field *field, int depth) {
    if (!field->nested) return gd_str_new(f->vm, field->spec.p, (size_t)(field->spec.end - field->spec.p));
    gd_buffer outer = f->out;
    f->out = (gd_buffer){.vm = f->vm};
    bool ok = format_pattern(f, field->spec, depth - 1);
    gd_any spec = ok ? gd_buffer_str(&f->out) : (gd_buffer_free(&f->out), GD_NIL);
    f->out = outer;
    return spec;
}

static bool put_field(formatter *f, const field *field, int depth) {
    gd_heap *heap = gd_vm_heap(f->vm);
    char shown[16];
    gd_any value = field_value(f, field->name);
    uint32_t conversion = field->conversion;
    if (gd_is_nil(value)) return false;
    if (conversion && conversion != 'r' && conversion != 's' && conversion != 'a') {
        gd_drop(heap, value);
        gd_raise(f->vm, &gd_class_ValueError, "Unknown conversion specifier %s", gd_format_shown(conversion, shown));
        return false;
    }
    if (conversion) {
        gd_any text = gd_converted(f->vm, value, (char)conversion);
        gd_drop(heap, value);
        value = text;
    }
    gd_any spec = gd_is_nil(value) ? GD_NIL : spec_text(f, field, depth);
    if (!gd_is_nil(spec)) gd_buffer_any(&f->out, gd_format_of(f->vm, value, gd_as_str(spec)));
    bool ok = !gd_is_nil(spec) && !f->out.failed;
    gd_drop(heap, value);
    gd_drop(heap, spec);
    return ok;
}

/* Text up to a single brace: {{ and }} stand for one. False: pending. */
static bool put_literal(formatter *f, span *text) {
    while (text->p < text->end) {
        const char *from = text->p;
        while (text->p < text->end && *text->p != '{' && *text->p != '}') text->p++;
        gd_buffer_put(&f->out, from, (size_t)(text->p - from));
        if (text->p == text->end) break;
        bool doubled = text->p + 1 < text->end && text->p[1] == *text->p;
        if (!doubled && *text->p == '{') break;
        if (!doubled) return refuse(f, "Single '}' encountered in format string");
        gd_buffer_put(&f->out, text->p, 1);
        text->p += 2;
    }
    return !f->out.failed;
}

static bool format_pattern(formatter *f, span text, int depth) {
    if (depth <= 0) return refuse(f, "Max string recursion exceeded");
    for (;;) {
        if (!put_literal(f, &text)) return false;
        if (text.p == text.end) return true;
        field field = {{NULL, NULL}, {"", NULL}, 0, false};
        field.spec.end = field.spec.p;
        text.p++;
        if (!gd_work(f->vm, 1) || !read_field(f, &text, &field) || !put_field(f, &field, depth)) return false;
    }
}

gd_any gd_str_format(gd_vm *vm, const gd_str *pattern, const gd_args *fields, gd_any mapping) {
    formatter f = {.vm = vm, .out = {.vm = vm}, .fields = fields, .mapping = mapping};
    if (!gd_deeper(vm)) return GD_NIL;
    bool ok = format_pattern(&f, (span){pattern->text, pattern->text + pattern->bytes}, 2);
    gd_shallower(vm);
    if (ok) return gd_buffer_str(&f.out);
    gd_buffer_free(&f.out);
    return GD_NIL;
}
