/* str_methods.c: the table of the methods of strings, and those that lay text out: center, zfill, expandtabs, format.
 */
#include "core/program/str_methods.h"
#include "core/program/heap.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <string.h>

/* ---- filling to a width --------------------------------------------------------------------------------------------
 */

static gd_any padded(gd_vm *vm, const gd_str *s, size_t left, size_t right, const char *fill, size_t fill_bytes) {
    gd_buffer out = {.vm = vm};
    gd_buffer_fill(&out, fill, fill_bytes, left);
    gd_buffer_put(&out, s->text, s->bytes);
    gd_buffer_fill(&out, fill, fill_bytes, right);
    return gd_buffer_str(&out);
}

/* How many characters are missing to the width, and with what to fill; false: pending. */
static bool fill_arguments(gd_vm *vm, const gd_args *args, size_t *missing, const gd_str **fill) {
    int64_t width;
    gd_any with = gd_arg(args, 2, NULL);
    *fill = NULL;
    if (!gd_to_index(vm, args->v[1], &width)) return false;
    if (!gd_is_nil(with) && !gd_is_str(with)) {
        gd_raise(vm, &gd_class_TypeError, "The fill character must be a unicode character, not %s",
                 gd_class_label(with));
        return false;
    }
    if (gd_is_str(with) && gd_as_str(with)->length != 1) {
        gd_raise(vm, &gd_class_TypeError, "The fill character must be exactly one character long");
        return false;
    }
    if (gd_is_str(with)) *fill = gd_as_str(with);
    size_t length = gd_self_str(args)->length;
    *missing = width > 0 && (size_t)width > length ? (size_t)width - length : 0;
    return true;
}

static gd_any justified(gd_vm *vm, const gd_args *args, size_t (*left_of)(size_t missing, size_t length)) {
    size_t missing;
    const gd_str *fill;
    if (!fill_arguments(vm, args, &missing, &fill)) return GD_NIL;
    if (!missing) return gd_keep(args->v[0]);
    size_t left = left_of(missing, gd_self_str(args)->length);
    return padded(vm, gd_self_str(args), left, missing - left, fill ? fill->text : " ", fill ? fill->bytes : 1);
}

static size_t none_left(size_t missing, size_t length) {
    (void)missing, (void)length;
    return 0;
}
static size_t all_left(size_t missing, size_t length) {
    (void)length;
    return missing;
}
/* Of an odd number the one over goes left where the width is odd. */
static size_t half_left(size_t missing, size_t length) { return missing / 2 + (missing & (missing + length) & 1); }

static gd_any gd_strm_center(gd_vm *vm, const gd_args *args) { return justified(vm, args, half_left); }
static gd_any gd_strm_ljust(gd_vm *vm, const gd_args *args) { return justified(vm, args, none_left); }
static gd_any gd_strm_rjust(gd_vm *vm, const gd_args *args) { return justified(vm, args, all_left); }

/* Zeros behind a sign. */
static gd_any gd_strm_zfill(gd_vm *vm, const gd_args *args) {
    const gd_str *s = gd_self_str(args), *fill;
    size_t missing;
    if (!fill_arguments(vm, args, &missing, &fill)) return GD_NIL;
    if (!missing) return gd_keep(args->v[0]);
    size_t sign = s->text[0] == '+' || s->text[0] == '-';
    gd_buffer out = {.vm = vm};
    gd_buffer_put(&out, s->text, sign);
    gd_buffer_fill(&out, "0", 1, missing);
    gd_buffer_put(&out, s->text + sign, s->bytes - sign);
    return gd_buffer_str(&out);
}

static gd_any gd_strm_expandtabs(gd_vm *vm, const gd_args *args) {
    const gd_str *s = gd_self_str(args);
    gd_any size = gd_arg(args, 1, "tabsize");
    int64_t width = 8, column = 0;
    gd_buffer out = {.vm = vm};
    if ((!gd_is_nil(size) && !gd_to_index(vm, size, &width)) || !gd_str_work(vm, s)) return GD_NIL;
    for (const char *p = s->text, *end = p + s->bytes; p < end && !out.failed;) {
        const char *at = p;
        uint32_t c = gd_utf8_next(&p);
        if (c != '\t') {
            gd_buffer_put(&out, at, (size_t)(p - at));
            column = c == '\n' || c == '\r' ? 0 : column + 1;
        } else if (width > 0) {
            int64_t fill = width - column % width;
            gd_buffer_fill(&out, " ", 1, (size_t)fill);
            column = 0; /* a multiple of the width is as good as none */
        }
    }
    return gd_buffer_str(&out);
}

/* ---- format --------------------------------------------------------------------------------------------------------
 */

static gd_any gd_strm_format(gd_vm *vm, const gd_args *args) {
    gd_args fields = {.v = args->v + 1, .npos = args->npos - 1, .nkw = args->nkw, .names = args->names};
    return gd_str_format(vm, gd_self_str(args), &fields, GD_NIL);
}

static gd_any gd_strm_format_map(gd_vm *vm, const gd_args *args) {
    return gd_str_format(vm, gd_self_str(args), &(gd_args){0}, args->v[1]);
}

static gd_any gd_strm_encode(gd_vm *vm, const gd_args *args) {
    (void)args;
    return gd_raise(vm, &gd_class_TypeError, "str.encode() is not available: this language has no bytes");
}

/* ---- the table -----------------------------------------------------------------------------------------------------
 */

const gd_native gd_str_methods[] = {
#define X(name, least, most, keywords) {#name, gd_strm_##name, least, most, keywords},
    GD_STR_SEARCH(X) GD_STR_SPLIT(X) GD_STR_CASE(X) GD_STR_LAYOUT(X)
#undef X
        {NULL, NULL, 0, 0, NULL}};
