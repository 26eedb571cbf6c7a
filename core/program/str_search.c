/* str_search.c: methods of strings that look for parts: find, count, startswith, replace, partition and their kin. */
#include "core/program/heap.h"
#include "core/program/str_methods.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <string.h>

const char *gd_text_find(const char *from, const char *end, const gd_str *part) {
    size_t bytes = (size_t)(end - from);
    return part->bytes == 1 ? memchr(from, part->text[0], bytes) : memmem(from, bytes, part->text, part->bytes);
}

const char *gd_text_find_last(gd_vm *vm, const char *from, const char *end, const gd_str *part) {
    size_t n = part->bytes;
    if ((size_t)(end - from) < n) return NULL;
    if (!n) return end;
    for (const char *p = end - n;; p--) {
        p = memrchr(from, part->text[0], (size_t)(p - from) + 1);
        if (!p) return NULL;
        if (n > 64 && !gd_work(vm, n >> 6)) return NULL;
        if (!memcmp(p, part->text, n)) return p;
        if (p == from) return NULL;
    }
}

/* ---- start and end -------------------------------------------------------------------------------------------------
 */

/* The part of a string that start and end leave, in characters and as text. */
typedef struct window {
    int64_t start, end; /* start > end: nothing, not even the empty string, is in it */
    const char *from, *to;
} window;

static bool read_bound(gd_vm *vm, gd_any v, int64_t length, int64_t *out) {
    if (gd_is_nil(v) || gd_is_none(v)) return true;
    if (v.tag != GD_A_INT && v.tag != GD_A_BOOL && v.tag != GD_A_TENSOR) {
        gd_raise(vm, &gd_class_TypeError, "slice indices must be integers or None or have an __index__ method");
        return false;
    }
    if (!gd_to_index(vm, v, out)) return false;
    if (*out < 0) *out = *out < -length ? 0 : *out + length;
    return true;
}

/* Of the arguments from `at` on. */
static bool read_window(gd_vm *vm, const gd_args *args, uint32_t at, window *out) {
    const gd_str *s = gd_self_str(args);
    int64_t length = (int64_t)s->length;
    *out = (window){.start = 0, .end = length};
    if (!gd_str_work(vm, s) || !read_bound(vm, gd_arg(args, at, NULL), length, &out->start) ||
        !read_bound(vm, gd_arg(args, at + 1, NULL), length, &out->end))
        return false;
    if (out->end > length) out->end = length;
    if (out->start > out->end) {
        out->start = out->end + 1;
        out->from = out->to = s->text;
        return true;
    }
    out->from = s->text + gd_str_offset(s, (size_t)out->start);
    out->to = s->text + gd_str_offset(s, (size_t)out->end);
    return true;
}

/* ---- find, index, count --------------------------------------------------------------------------------------------
 */

static bool need_str(gd_vm *vm, gd_any v, const char *start) {
    if (gd_is_str(v)) return true;
    gd_raise(vm, &gd_class_TypeError, "%smust be str, not %s", start, gd_class_label(v));
    return false;
}

/* The character where args->v[1] is found, -1; -2: pending. */
static int64_t find(gd_vm *vm, const gd_args *args, bool last) {
    window w;
    if (!need_str(vm, args->v[1], "") || !read_window(vm, args, 2, &w)) return -2;
    if (w.start > w.end) return -1;
    const gd_str *part = gd_as_str(args->v[1]);
    const char *p = last ? gd_text_find_last(vm, w.from, w.to, part) : gd_text_find(w.from, w.to, part);
    if (!p) return gd_pending(vm) ? -2 : -1;
    bool ascii = gd_self_str(args)->bytes == gd_self_str(args)->length;
    return w.start + (ascii ? p - w.from : (int64_t)gd_utf8_count(w.from, (size_t)(p - w.from)));
}

static gd_any found(gd_vm *vm, int64_t at, bool must) {
    if (at == -2) return GD_NIL;
    return at < 0 && must ? gd_raise(vm, &gd_class_ValueError, "substring not found") : GD_ANY_INT(at);
}

gd_any gd_strm_find(gd_vm *vm, const gd_args *args) { return found(vm, find(vm, args, false), false); }
gd_any gd_strm_rfind(gd_vm *vm, const gd_args *args) { return found(vm, find(vm, args, true), false); }
gd_any gd_strm_index(gd_vm *vm, const gd_args *args) { return found(vm, find(vm, args, false), true); }
gd_any gd_strm_rindex(gd_vm *vm, const gd_args *args) { return found(vm, find(vm, args, true), true); }

/* Hits may be as many as characters: a few at a time are a step, so that a run can be stopped among them. */
static bool pay_hit(gd_vm *vm, int64_t n) { return n % 16 != 15 || gd_work(vm, 1); }

gd_any gd_strm_count(gd_vm *vm, const gd_args *args) {
    window w;
    int64_t n = 0;
    if (!need_str(vm, args->v[1], "") || !read_window(vm, args, 2, &w)) return GD_NIL;
    const gd_str *part = gd_as_str(args->v[1]);
    if (w.start > w.end) return GD_ANY_INT(0);
    if (!part->bytes) return GD_ANY_INT(w.end - w.start + 1);
    for (const char *p = w.from; (p = gd_text_find(p, w.to, part)); p += part->bytes)
        if (!pay_hit(vm, n++)) return GD_NIL;
    return GD_ANY_INT(n);
}

/* ---- startswith, endswith ------------------------------------------------------------------------------------------
 */

static bool stands(const window *w, const gd_str *part, bool at_end) {
    if (w->start > w->end || (size_t)(w->to - w->from) < part->bytes) return false;
    return !memcmp(at_end ? w->to - part->bytes : w->from, part->text, part->bytes);
}

static gd_any starts_or_ends(gd_vm *vm, const gd_args *args, bool at_end) {
    const char *name = at_end ? "endswith" : "startswith";
    const gd_any *parts = &args->v[1];
    size_t n = 1;
    window w;
    if (!read_window(vm, args, 2, &w)) return GD_NIL;
    bool several = gd_is_tuple(args->v[1]);
    if (several) gd_items(args->v[1], &parts, &n);
    for (size_t i = 0; i < n; i++) {
        if (!gd_is_str(parts[i]))
            return gd_raise(vm, &gd_class_TypeError,
                            several ? "tuple for %s must only contain str, not %s"
                                    : "%s first arg must be str or a tuple of str, not %s",
                            name, gd_class_label(parts[i]));
        if (stands(&w, gd_as_str(parts[i]), at_end)) return GD_ANY_BOOL(1);
    }
    return GD_ANY_BOOL(0);
}

gd_any gd_strm_startswith(gd_vm *vm, const gd_args *args) { return starts_or_ends(vm, args, false); }
gd_any gd_strm_endswith(gd_vm *vm, const gd_args *args) { return starts_or_ends(vm, args, true); }

static window whole(const gd_str *s) {
    return (window){.end = (int64_t)s->length, .from = s->text, .to = s->text + s->bytes};
}

gd_any gd_strm_removeprefix(gd_vm *vm, const gd_args *args) {
    const gd_str *s = gd_self_str(args);
    window w = whole(s);
    if (!need_str(vm, args->v[1], "removeprefix() argument ")) return GD_NIL;
    size_t n = gd_as_str(args->v[1])->bytes;
    if (!n || !stands(&w, gd_as_str(args->v[1]), false)) return gd_keep(args->v[0]);
    return gd_str_new(vm, s->text + n, s->bytes - n);
}

gd_any gd_strm_removesuffix(gd_vm *vm, const gd_args *args) {
    const gd_str *s = gd_self_str(args);
    window w = whole(s);
    if (!need_str(vm, args->v[1], "removesuffix() argument ")) return GD_NIL;
    size_t n = gd_as_str(args->v[1])->bytes;
    if (!n || !stands(&w, gd_as_str(args->v[1]), true)) return gd_keep(args->v[0]);
    return gd_str_new(vm, s->text, s->bytes - n);
}

/* ---- replace -------------------------------------------------------------------------------------------------------
 */

/* Between all characters, and before and behind them. */
static gd_any interleave(gd_vm *vm, const gd_str *s, const gd_str *by, int64_t most) {
    gd_buffer out = {.vm = vm};
    const char *p = s->text, *end = p + s->bytes;
    while (most > 0 && !out.failed) {
        const char *from = p;
        gd_buffer_put(&out, by->text, by->bytes);
        most--;
        if (p == end) break;
        gd_utf8_next(&p);
        gd_buffer_put(&out, from, (size_t)(p - from));
    }
    gd_buffer_put(&out, p, (size_t)(end - p));
    return gd_buffer_str(&out);
}

gd_any gd_strm_replace(gd_vm *vm, const gd_args *args) {
    int64_t most = -1;
    const gd_str *s = gd_self_str(args);
    if (!need_str(vm, args->v[1], "replace() argument 1 ") || !need_str(vm, args->v[2], "replace() argument 2 "))
        return GD_NIL;
    if (args->npos > 3 && !gd_to_index(vm, args->v[3], &most)) return GD_NIL;
    if (most < 0) most = INT64_MAX;
    const gd_str *old = gd_as_str(args->v[1]), *by = gd_as_str(args->v[2]);
    if (!gd_str_work(vm, s)) return GD_NIL;
    if (!old->bytes) return interleave(vm, s, by, most);
    gd_buffer out = {.vm = vm};
    const char *p = s->text, *end = p + s->bytes, *hit;
    for (; most > 0 && !out.failed && (hit = gd_text_find(p, end, old)); most--) {
        gd_buffer_put(&out, p, (size_t)(hit - p));
        gd_buffer_put(&out, by->text, by->bytes);
        p = hit + old->bytes;
        if (!pay_hit(vm, most)) return gd_buffer_free(&out), GD_NIL;
    }
    if (p == s->text) return gd_buffer_free(&out), gd_keep(args->v[0]);
    gd_buffer_put(&out, p, (size_t)(end - p));
    return gd_buffer_str(&out);
}

/* ---- partition -----------------------------------------------------------------------------------------------------
 */

static gd_any tuple_of_3(gd_vm *vm, gd_any a, gd_any b, gd_any c) {
    gd_any parts[3] = {a, b, c}, result = GD_NIL;
    if (!gd_is_nil(a) && !gd_is_nil(b) && !gd_is_nil(c)) result = gd_tuple_of(vm, 3, parts);
    for (int i = 0; i < 3; i++) gd_drop(gd_vm_heap(vm), parts[i]);
    return result;
}

static gd_any parts_at(gd_vm *vm, const gd_args *args, bool last) {
    const gd_str *s = gd_self_str(args);
    const char *end = s->text + s->bytes;
    if (!need_str(vm, args->v[1], "")) return GD_NIL;
    const gd_str *part = gd_as_str(args->v[1]);
    if (!part->bytes) return gd_raise(vm, &gd_class_ValueError, "empty separator");
    if (!gd_str_work(vm, s)) return GD_NIL;
    const char *p = last ? gd_text_find_last(vm, s->text, end, part) : gd_text_find(s->text, end, part);
    if (!p && gd_pending(vm)) return GD_NIL;
    if (!p && last) return tuple_of_3(vm, gd_str_c(vm, ""), gd_str_c(vm, ""), gd_keep(args->v[0]));
    if (!p) return tuple_of_3(vm, gd_keep(args->v[0]), gd_str_c(vm, ""), gd_str_c(vm, ""));
    const char *behind = p + part->bytes;
    return tuple_of_3(vm, gd_str_new(vm, s->text, (size_t)(p - s->text)), gd_keep(args->v[1]),
                      gd_str_new(vm, behind, (size_t)(end - behind)));
}

gd_any gd_strm_partition(gd_vm *vm, const gd_args *args) { return parts_at(vm, args, false); }
gd_any gd_strm_rpartition(gd_vm *vm, const gd_args *args) { return parts_at(vm, args, true); }
