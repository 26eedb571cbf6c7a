/* str.c: strings as values: making them, indexing by character, comparing, hashing, repr, + and *. Their methods are in
 * str_methods.c, text that grows in buffer.c, format specs in format*.c.
 */
#include "core/program/heap.h"
#include "core/program/str_methods.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- making --------------------------------------------------------------------------------------------------------
 */

gd_str *gd_str_room(gd_vm *vm, size_t bytes) {
    size_t size;
    if (!gd_add_size(bytes, sizeof(gd_str) + 1, &size)) return gd_vm_no_memory(vm), NULL;
    gd_str *s = gd_object_new(vm, &gd_class_str, size);
    if (!s) return NULL;
    s->bytes = bytes;
    if (bytes <= 4096 || gd_work(vm, bytes >> 8)) return s;
    gd_drop(gd_vm_heap(vm), GD_ANY_OBJECT(s));
    return NULL;
}

gd_any gd_str_finish(gd_str *s) {
    s->text[s->bytes] = '\0';
    s->length = gd_is_ascii(s->text, s->bytes) ? s->bytes : gd_utf8_count(s->text, s->bytes);
    return GD_ANY_OBJECT(s);
}

gd_any gd_str_new(gd_vm *vm, const char *text, size_t bytes) {
    gd_str *s = gd_str_room(vm, bytes);
    if (!s) return GD_NIL;
    if (bytes) memcpy(s->text, text, bytes);
    return gd_str_finish(s);
}

gd_any gd_str_c(gd_vm *vm, const char *text) { return gd_str_new(vm, text, strlen(text)); }

gd_any gd_str_printf(gd_vm *vm, const char *format, ...) {
    char few[512];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(few, sizeof few, format, arguments);
    va_end(arguments);
    gd_any result = GD_NIL;
    if (length >= 0 && (size_t)length < sizeof few) {
        result = gd_str_new(vm, few, (size_t)length);
    } else {
        gd_str *s = length < 0 ? (gd_vm_no_memory(vm), NULL) : gd_str_room(vm, (size_t)length);
        if (s) {
            vsnprintf(s->text, (size_t)length + 1, format, again);
            result = gd_str_finish(s);
        }
    }
    va_end(again);
    return result;
}

bool gd_str_is(const gd_str *s, const char *text) {
    return !strncmp(s->text, text, s->bytes) && text[s->bytes] == '\0' && memchr(s->text, 0, s->bytes) == NULL;
}

/* ---- characters ----------------------------------------------------------------------------------------------------
 */

static bool one_byte_each(const gd_str *s) { return s->bytes == s->length; }

size_t gd_str_offset(const gd_str *s, size_t index) {
    if (one_byte_each(s)) return index;
    if (index >= s->length) return s->bytes;
    const char *p = s->text;
    if (index > s->length / 2) {
        p = s->text + s->bytes;
        for (size_t i = s->length; i > index; i--) gd_utf8_previous(&p);
    } else {
        for (size_t i = 0; i < index; i++) gd_utf8_next(&p);
    }
    return (size_t)(p - s->text);
}

gd_any gd_str_step(gd_vm *vm, const gd_str *s, size_t *at) {
    const char *from = s->text + *at, *p = from;
    gd_utf8_next(&p);
    *at += (size_t)(p - from);
    return gd_str_new(vm, from, (size_t)(p - from));
}

/* To find a character of a string that is not all ASCII takes a walk, which is paid for. */
static bool pay_walk(gd_vm *vm, const gd_str *s) { return one_byte_each(s) || gd_work(vm, s->bytes >> 8); }

static gd_any character(gd_vm *vm, const gd_str *s, int64_t index) {
    int64_t length = (int64_t)s->length;
    if (index < 0) index += length;
    if (index < 0 || index >= length) return gd_raise(vm, &gd_class_IndexError, "string index out of range");
    if (!pay_walk(vm, s)) return GD_NIL;
    size_t at = gd_str_offset(s, (size_t)index);
    return gd_str_step(vm, s, &at);
}

static gd_any pick(gd_vm *vm, const gd_str *s, int64_t start, int64_t step, int64_t count) {
    gd_buffer out = {.vm = vm};
    const char *p = s->text + gd_str_offset(s, (size_t)start);
    if (!gd_work(vm, (uint64_t)count / 16)) return GD_NIL;
    for (int64_t i = 0; i < count && !out.failed; i++) {
        const char *end = p;
        gd_utf8_next(&end);
        gd_buffer_put(&out, p, (size_t)(end - p));
        if (i + 1 == count) break;
        if (one_byte_each(s))
            p += step;
        else if (step > 0)
            for (int64_t k = 0; k < step; k++) gd_utf8_next(&p);
        else
            for (int64_t k = 0; k > step; k--) gd_utf8_previous(&p);
    }
    return gd_buffer_str(&out);
}

static gd_any sliced(gd_vm *vm, gd_any self, const gd_slice_object *slice) {
    const gd_str *s = gd_as_str(self);
    int64_t start, step, count;
    if (!gd_slice_bounds(vm, slice, (int64_t)s->length, &start, &step, &count) || !pay_walk(vm, s)) return GD_NIL;
    if (count == (int64_t)s->length && step == 1) return gd_keep(self);
    if (count <= 0) return gd_str_new(vm, "", 0);
    if (step != 1) return pick(vm, s, start, step, count);
    size_t from = gd_str_offset(s, (size_t)start);
    return gd_str_new(vm, s->text + from, gd_str_offset(s, (size_t)(start + count)) - from);
}

static gd_any str_getitem(gd_vm *vm, gd_any self, gd_any index) {
    if (gd_is(index, &gd_class_slice)) return sliced(vm, self, (gd_slice_object *)index.u.object);
    int64_t at;
    if (index.tag == GD_A_INT || index.tag == GD_A_BOOL) return character(vm, gd_as_str(self), index.u.i);
    if (index.tag != GD_A_TENSOR)
        return gd_raise(vm, &gd_class_TypeError, "string indices must be integers, not '%s'", gd_class_label(index));
    return gd_to_index(vm, index, &at) ? character(vm, gd_as_str(self), at) : GD_NIL;
}

/* ---- equality and hash
 * -----------------------------------------------------------------------------------------------------
 */

uint64_t gd_str_hash(gd_str *s) {
    if (s->hash) return s->hash;
    uint64_t h = 0x9E3779B97F4A7C15u ^ s->bytes, word;
    size_t i = 0;
    for (; i + 8 <= s->bytes; i += 8) {
        memcpy(&word, s->text + i, 8);
        h = (h ^ word) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    for (word = 0; i < s->bytes; i++) word = word << 8 | (unsigned char)s->text[i];
    h = (h ^ word) * 0xD6E8FEB86659FD93u;
    h ^= h >> 29;
    return s->hash = h ? h : 1;
}

static int str_equal(gd_vm *vm, gd_any self, gd_any other) {
    (void)vm;
    return gd_is_str(other) && gd_str_equal(gd_as_str(self), gd_as_str(other));
}

static bool str_hash(gd_vm *vm, gd_any self, uint64_t *out) {
    (void)vm;
    *out = gd_str_hash(gd_as_str(self));
    return true;
}

static int str_contains(gd_vm *vm, gd_any self, gd_any item) {
    if (!gd_is_str(item)) {
        gd_raise(vm, &gd_class_TypeError, "'in <string>' requires string as left operand, not %s",
                 gd_class_label(item));
        return -1;
    }
    const gd_str *s = gd_as_str(self), *part = gd_as_str(item);
    return memmem(s->text, s->bytes, part->text, part->bytes) != NULL;
}

/* ---- repr ----------------------------------------------------------------------------------------------------------
 */

static void put_code(gd_buffer *out, uint32_t c) {
    char text[16];
    const char *format = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
    gd_buffer_put(out, text, (size_t)snprintf(text, sizeof text, format, c));
}

static void put_escaped(gd_buffer *out, uint32_t c, char quote) {
    char text[4];
    if (c == (unsigned char)quote || c == '\\')
        gd_buffer_put(out, (char[]){'\\', (char)c}, 2);
    else if (c == '\n' || c == '\r' || c == '\t')
        gd_buffer_c(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    else if (gd_char_is(c, GD_CHAR_PRINTABLE))
        gd_buffer_put(out, text, gd_utf8_put(text, c));
    else
        put_code(out, c);
}

gd_any gd_str_ascii(gd_vm *vm, const gd_str *s) {
    gd_buffer out = {.vm = vm};
    if (!gd_work(vm, s->bytes >> 6)) return GD_NIL;
    for (const char *p = s->text, *end = p + s->bytes; p < end && !out.failed;) {
        const char *from = p;
        uint32_t c = gd_utf8_next(&p);
        if (c < 0x80)
            gd_buffer_put(&out, from, 1);
        else
            put_code(&out, c);
    }
    return gd_buffer_str(&out);
}

/* How many bytes from p on are shown as they are. */
static size_t plain_run(const char *p, const char *end, char quote) {
    const char *from = p;
    while (p < end && *p >= 0x20 && *p < 0x7F && *p != quote && *p != '\\') p++;
    return (size_t)(p - from);
}

static gd_any str_repr(gd_vm *vm, gd_any self) {
    const gd_str *s = gd_as_str(self);
    gd_buffer out = {.vm = vm};
    bool single = memchr(s->text, '\'', s->bytes) != NULL, both = single && memchr(s->text, '"', s->bytes) != NULL;
    char quote = single && !both ? '"' : '\'';
    if (!gd_work(vm, s->bytes >> 6)) return GD_NIL;
    gd_buffer_put(&out, &quote, 1);
    for (const char *p = s->text, *end = p + s->bytes; p < end && !out.failed;) {
        size_t run = plain_run(p, end, quote);
        gd_buffer_put(&out, p, run);
        p += run;
        if (p < end) put_escaped(&out, gd_utf8_next(&p), quote);
    }
    gd_buffer_put(&out, &quote, 1);
    return gd_buffer_str(&out);
}

static gd_any str_str(gd_vm *vm, gd_any self) {
    (void)vm;
    return gd_keep(self);
}

/* ---- + * % ---------------------------------------------------------------------------------------------------------
 */

static gd_any joined(gd_vm *vm, gd_any a, gd_any b) {
    const gd_str *x = gd_as_str(a), *y = gd_as_str(b);
    if (!y->bytes) return gd_keep(a);
    if (!x->bytes) return gd_keep(b);
    gd_str *s = gd_str_room(vm, x->bytes + y->bytes);
    if (!s) return GD_NIL;
    memcpy(s->text, x->text, x->bytes);
    memcpy(s->text + x->bytes, y->text, y->bytes);
    s->text[s->bytes] = '\0';
    s->length = x->length + y->length;
    return GD_ANY_OBJECT(s);
}

static gd_any repeated(gd_vm *vm, gd_any text, int64_t times) {
    const gd_str *x = gd_as_str(text);
    size_t bytes;
    if (times <= 0 || !x->bytes) return gd_str_new(vm, "", 0);
    if (times == 1) return gd_keep(text);
    if (!gd_mul_size(x->bytes, (size_t)times, &bytes)) return gd_vm_no_memory(vm);
    gd_str *s = gd_str_room(vm, bytes);
    if (!s) return GD_NIL;
    memcpy(s->text, x->text, x->bytes);
    for (size_t done = x->bytes; done < bytes;) {
        size_t part = done < bytes - done ? done : bytes - done;
        memcpy(s->text + done, s->text, part);
        done += part;
    }
    s->text[bytes] = '\0';
    s->length = x->length * (size_t)times;
    return GD_ANY_OBJECT(s);
}

static gd_any repeat(gd_vm *vm, gd_any text, gd_any times) {
    if (times.tag == GD_A_INT || times.tag == GD_A_BOOL) return repeated(vm, text, times.u.i);
    int64_t n;
    if (times.tag == GD_A_TENSOR) return gd_to_index(vm, times, &n) ? repeated(vm, text, n) : GD_NIL;
    return gd_raise(vm, &gd_class_TypeError, "can't multiply sequence by non-int of type '%s'", gd_class_label(times));
}

gd_any gd_str_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    if (op == GD_PY_MUL) return gd_is_str(a) ? repeat(vm, a, b) : repeat(vm, b, a);
    if (!gd_is_str(a)) return GD_NIL;
    if (op == GD_PY_MOD) return gd_str_percent(vm, gd_as_str(a), b);
    if (op != GD_PY_ADD) return GD_NIL;
    if (gd_is_str(b)) return joined(vm, a, b);
    return gd_raise(vm, &gd_class_TypeError, "can only concatenate str (not \"%s\") to str", gd_class_label(b));
}

/* ---- the class -----------------------------------------------------------------------------------------------------
 */

static gd_any str_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    (void)class;
    if (args->npos > 1)
        return gd_raise(vm, &gd_class_TypeError, "decoding is not supported: this language has no bytes");
    if (args->nkw && !gd_str_is(args->names[0], "object"))
        return gd_raise(vm, &gd_class_TypeError, "'%s' is an invalid keyword argument for str()", args->names[0]->text);
    gd_any object = gd_arg(args, 0, "object");
    return gd_is_nil(object) ? gd_str_new(vm, "", 0) : gd_str_of(vm, object);
}

static int64_t str_len(gd_vm *vm, gd_any self) {
    (void)vm;
    return (int64_t)gd_as_str(self)->length;
}

typedef struct str_iterator {
    gd_object head;
    gd_any text;
    size_t at; /* byte */
} str_iterator;

static void iterator_destroy(gd_heap *heap, gd_object *self) { gd_drop(heap, ((str_iterator *)self)->text); }

static void iterator_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((str_iterator *)self)->text);
}

static gd_any iterator_iter(gd_vm *vm, gd_any self) {
    (void)vm;
    return gd_keep(self);
}

static int iterator_next(gd_vm *vm, gd_any self, gd_any *out) {
    str_iterator *it = (str_iterator *)self.u.object;
    const gd_str *s = gd_as_str(it->text);
    if (it->at >= s->bytes) return 0;
    *out = gd_str_step(vm, s, &it->at);
    return gd_is_nil(*out) ? -1 : 1;
}

static const gd_class str_iterator_class = {.name = "str_iterator",
                                            .base = &gd_class_object,
                                            .destroy = iterator_destroy,
                                            .visit = iterator_visit,
                                            .iter = iterator_iter,
                                            .next = iterator_next};

static gd_any str_iter(gd_vm *vm, gd_any self) {
    str_iterator *it = gd_object_new(vm, &str_iterator_class, sizeof *it);
    if (!it) return GD_NIL;
    it->text = gd_keep(self);
    return GD_ANY_OBJECT(it);
}

const gd_class gd_class_str = {.name = "str",
                               .base = &gd_class_object,
                               .make = str_make,
                               .repr = str_repr,
                               .str = str_str,
                               .methods = gd_str_methods,
                               .iter = str_iter,
                               .len = str_len,
                               .getitem = str_getitem,
                               .contains = str_contains,
                               .equal = str_equal,
                               .hash = str_hash};
