/* str_case.c: methods of strings that change case, and those that ask what the characters are. */
#include "core/program/str_methods.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <string.h>

static bool cased(uint32_t c) {
    return gd_char_is(c, GD_CHAR_UPPER) || gd_char_is(c, GD_CHAR_LOWER) || gd_char_is(c, GD_CHAR_TITLE);
}

/* ---- changing case -------------------------------------------------------------------------------------------------
 */

/* Marks and points that do not end a word when the last sigma is looked for: the common ones. */
static bool within_word(uint32_t c) {
    return c == '\'' || c == '.' || c == ':' || c == '^' || c == '`' || c == 0xAD || c == 0xB7 || c == 0x2019 ||
           (c >= 0x300 && c <= 0x36F);
}

/* Greek writes a sigma at the end of a word in another way. */
static uint32_t lower_sigma(const gd_str *s, const char *at) {
    const char *p = at, *end = s->text + s->bytes;
    uint32_t c = 0;
    while (p > s->text && within_word(c = gd_utf8_previous(&p))) continue;
    if (at == s->text || !cased(c)) return 0x3C3;
    p = at;
    gd_utf8_next(&p);
    c = 0;
    while (p < end && within_word(c = gd_utf8_next(&p))) continue;
    return c && cased(c) ? 0x3C3 : 0x3C2;
}

static void put_case(gd_buffer *out, const gd_str *s, const char *at, gd_char_case target) {
    uint32_t to[3];
    char text[4];
    const char *p = at;
    uint32_t c = gd_utf8_next(&p);
    if (c == 0x3A3 && target == GD_CASE_LOWER) {
        uint32_t sigma = lower_sigma(s, at);
        return gd_buffer_put(out, text, gd_utf8_put(text, sigma));
    }
    size_t n = gd_char_to(c, target, to);
    for (size_t i = 0; i < n; i++) gd_buffer_put(out, text, gd_utf8_put(text, to[i]));
}

static char ascii_case(char c, gd_char_case target) {
    bool upper = target == GD_CASE_UPPER || target == GD_CASE_TITLE;
    if (upper) return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static gd_any all_in(gd_vm *vm, const gd_str *s, gd_char_case target) {
    if (!gd_str_work(vm, s)) return GD_NIL;
    if (s->bytes == s->length) {
        gd_str *result = gd_str_room(vm, s->bytes);
        if (!result) return GD_NIL;
        for (size_t i = 0; i < s->bytes; i++) result->text[i] = ascii_case(s->text[i], target);
        return gd_str_finish(result);
    }
    gd_buffer out = {.vm = vm};
    for (const char *p = s->text, *end = p + s->bytes; p < end && !out.failed; gd_utf8_next(&p))
        put_case(&out, s, p, target);
    return gd_buffer_str(&out);
}

gd_any gd_strm_upper(gd_vm *vm, const gd_args *args) { return all_in(vm, gd_self_str(args), GD_CASE_UPPER); }
gd_any gd_strm_lower(gd_vm *vm, const gd_args *args) { return all_in(vm, gd_self_str(args), GD_CASE_LOWER); }
gd_any gd_strm_casefold(gd_vm *vm, const gd_args *args) { return all_in(vm, gd_self_str(args), GD_CASE_FOLD); }

/* What the character c becomes after `before` (0 at the start). */
typedef gd_char_case (*case_rule)(uint32_t before, uint32_t c, bool first);

static gd_any each_by(gd_vm *vm, const gd_str *s, case_rule rule) {
    gd_buffer out = {.vm = vm};
    uint32_t before = 0;
    if (!gd_str_work(vm, s)) return GD_NIL;
    for (const char *p = s->text, *end = p + s->bytes; p < end && !out.failed;) {
        const char *at = p;
        uint32_t c = gd_utf8_next(&p);
        put_case(&out, s, at, rule(before, c, at == s->text));
        before = c;
    }
    return gd_buffer_str(&out);
}

static gd_char_case title_rule(uint32_t before, uint32_t c, bool first) {
    (void)c;
    return !first && cased(before) ? GD_CASE_LOWER : GD_CASE_TITLE;
}

static gd_char_case capital_rule(uint32_t before, uint32_t c, bool first) {
    (void)before, (void)c;
    return first ? GD_CASE_TITLE : GD_CASE_LOWER;
}

static gd_char_case swap_rule(uint32_t before, uint32_t c, bool first) {
    (void)before, (void)first;
    if (gd_char_is(c, GD_CHAR_UPPER)) return GD_CASE_LOWER;
    return gd_char_is(c, GD_CHAR_LOWER) ? GD_CASE_UPPER : GD_CASE_TITLE; /* which leaves the others as they are */
}

gd_any gd_strm_title(gd_vm *vm, const gd_args *args) { return each_by(vm, gd_self_str(args), title_rule); }
gd_any gd_strm_capitalize(gd_vm *vm, const gd_args *args) { return each_by(vm, gd_self_str(args), capital_rule); }
gd_any gd_strm_swapcase(gd_vm *vm, const gd_args *args) { return each_by(vm, gd_self_str(args), swap_rule); }

/* ---- asking --------------------------------------------------------------------------------------------------------
 */

static bool is_numeric(uint32_t c) {
    return gd_char_is(c, GD_CHAR_DECIMAL) || gd_char_is(c, GD_CHAR_DIGIT) || gd_char_is(c, GD_CHAR_NUMERIC);
}
static bool is_alpha(uint32_t c) { return gd_char_is(c, GD_CHAR_ALPHA); }
static bool is_alnum(uint32_t c) { return is_alpha(c) || is_numeric(c); }
static bool is_decimal(uint32_t c) { return gd_char_is(c, GD_CHAR_DECIMAL); }
static bool is_digit(uint32_t c) { return is_decimal(c) || gd_char_is(c, GD_CHAR_DIGIT); }
static bool is_printable(uint32_t c) { return gd_char_is(c, GD_CHAR_PRINTABLE); }
static bool is_ascii(uint32_t c) { return c < 0x80; }

/* Do all characters pass? `empty` for none. */
static gd_any all_are(gd_vm *vm, const gd_args *args, bool (*test)(uint32_t c), bool empty) {
    const gd_str *s = gd_self_str(args);
    if (!gd_str_work(vm, s)) return GD_NIL;
    for (const char *p = s->text, *end = p + s->bytes; p < end;)
        if (!test(gd_utf8_next(&p))) return GD_ANY_BOOL(0);
    return GD_ANY_BOOL(s->bytes || empty);
}

gd_any gd_strm_isalpha(gd_vm *vm, const gd_args *args) { return all_are(vm, args, is_alpha, false); }
gd_any gd_strm_isalnum(gd_vm *vm, const gd_args *args) { return all_are(vm, args, is_alnum, false); }
gd_any gd_strm_isdecimal(gd_vm *vm, const gd_args *args) { return all_are(vm, args, is_decimal, false); }
gd_any gd_strm_isdigit(gd_vm *vm, const gd_args *args) { return all_are(vm, args, is_digit, false); }
gd_any gd_strm_isnumeric(gd_vm *vm, const gd_args *args) { return all_are(vm, args, is_numeric, false); }
gd_any gd_strm_isspace(gd_vm *vm, const gd_args *args) { return all_are(vm, args, gd_space, false); }
gd_any gd_strm_isprintable(gd_vm *vm, const gd_args *args) { return all_are(vm, args, is_printable, true); }
gd_any gd_strm_isascii(gd_vm *vm, const gd_args *args) { return all_are(vm, args, is_ascii, true); }

/* Some are of the class `wanted`, none of the two others. */
static gd_any some_are(gd_vm *vm, const gd_args *args, gd_char_class wanted, gd_char_class not_this) {
    const gd_str *s = gd_self_str(args);
    bool any = false;
    if (!gd_str_work(vm, s)) return GD_NIL;
    for (const char *p = s->text, *end = p + s->bytes; p < end;) {
        uint32_t c = gd_utf8_next(&p);
        if (gd_char_is(c, not_this) || gd_char_is(c, GD_CHAR_TITLE)) return GD_ANY_BOOL(0);
        any = any || gd_char_is(c, wanted);
    }
    return GD_ANY_BOOL(any);
}

gd_any gd_strm_isupper(gd_vm *vm, const gd_args *args) { return some_are(vm, args, GD_CHAR_UPPER, GD_CHAR_LOWER); }
gd_any gd_strm_islower(gd_vm *vm, const gd_args *args) { return some_are(vm, args, GD_CHAR_LOWER, GD_CHAR_UPPER); }

gd_any gd_strm_istitle(gd_vm *vm, const gd_args *args) {
    const gd_str *s = gd_self_str(args);
    bool within = false, any = false;
    if (!gd_str_work(vm, s)) return GD_NIL;
    for (const char *p = s->text, *end = p + s->bytes; p < end;) {
        uint32_t c = gd_utf8_next(&p);
        bool capital = gd_char_is(c, GD_CHAR_UPPER) || gd_char_is(c, GD_CHAR_TITLE),
             small = gd_char_is(c, GD_CHAR_LOWER);
        if ((capital && within) || (small && !capital && !within)) return GD_ANY_BOOL(0);
        within = capital || small;
        any = any || within;
    }
    return GD_ANY_BOOL(any);
}

/* Letters, digits and _: Python's rule but for a few marks of other scripts. */
gd_any gd_strm_isidentifier(gd_vm *vm, const gd_args *args) {
    const gd_str *s = gd_self_str(args);
    if (!gd_str_work(vm, s)) return GD_NIL;
    for (const char *p = s->text, *end = p + s->bytes; p < end;) {
        bool first = p == s->text;
        uint32_t c = gd_utf8_next(&p);
        if (c != '_' && !is_alpha(c) && (first || !is_decimal(c))) return GD_ANY_BOOL(0);
    }
    return GD_ANY_BOOL(s->bytes);
}
