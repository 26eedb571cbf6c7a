/* str_split.c: methods of strings that take apart and put together: split, splitlines, strip, join. */
#include "core/program/heap.h"
#include "core/program/str_methods.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <string.h>

bool gd_space(uint32_t c) {
    if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
    return gd_char_is(c, GD_CHAR_SPACE);
}

/* A list that grows; it is NIL after a failure. */
static void add(gd_vm *vm, gd_any *list, const char *from, const char *to) {
    if (gd_is_nil(*list)) return;
    gd_any part = gd_str_new(vm, from, (size_t)(to - from));
    if (!gd_is_nil(part) && gd_list_append(vm, (gd_list *)list->u.object, part)) return;
    gd_drop(gd_vm_heap(vm), *list);
    *list = GD_NIL;
}

static const char *skip(const char *p, const char *end, bool spaces) {
    while (p < end) {
        const char *next = p;
        if (gd_space(gd_utf8_next(&next)) != spaces) break;
        p = next;
    }
    return p;
}

static const char *skip_back(const char *start, const char *p, bool spaces) {
    while (p > start) {
        const char *before = p;
        if (gd_space(gd_utf8_previous(&before)) != spaces) break;
        p = before;
    }
    return p;
}

/* ---- split ---------------------------------------------------------------------------------------------------------
 */

static void split_words(gd_vm *vm, gd_any *list, const char *p, const char *end, int64_t most) {
    for (p = skip(p, end, true); p < end && !gd_is_nil(*list); p = skip(p, end, true)) {
        const char *to = most-- > 0 ? skip(p, end, false) : end;
        add(vm, list, p, to);
        p = to;
    }
}

static void split_words_back(gd_vm *vm, gd_any *list, const char *start, const char *p, int64_t most) {
    for (p = skip_back(start, p, true); p > start && !gd_is_nil(*list); p = skip_back(start, p, true)) {
        const char *from = most-- > 0 ? skip_back(start, p, false) : start;
        add(vm, list, from, p);
        p = from;
    }
}

static void split_at(gd_vm *vm, gd_any *list, const char *p, const char *end, const gd_str *part, int64_t most) {
    const char *hit;
    for (; most > 0 && !gd_is_nil(*list) && (hit = gd_text_find(p, end, part)); most--) {
        add(vm, list, p, hit);
        p = hit + part->bytes;
    }
    add(vm, list, p, end);
}

static void split_at_back(gd_vm *vm, gd_any *list, const char *start, const char *p, const gd_str *part, int64_t most) {
    const char *hit;
    for (; most > 0 && !gd_is_nil(*list) && (hit = gd_text_find_last(vm, start, p, part)); most--) {
        add(vm, list, hit + part->bytes, p);
        p = hit;
    }
    add(vm, list, start, p);
}

static void reverse(gd_any list) {
    gd_list *l = (gd_list *)list.u.object;
    for (size_t i = 0, j = l->n; i + 1 < j; i++) {
        gd_any v = l->items[i];
        l->items[i] = l->items[--j];
        l->items[j] = v;
    }
}

/* sep and maxsplit; false: pending. */
static bool split_arguments(gd_vm *vm, const gd_args *args, gd_any *separator, int64_t *most) {
    *separator = gd_arg(args, 1, "sep");
    gd_any limit = gd_arg(args, 2, "maxsplit");
    *most = -1;
    if (gd_is_nil(*separator)) *separator = GD_ANY_NONE;
    if (!gd_is_none(*separator) && !gd_is_str(*separator)) {
        gd_raise(vm, &gd_class_TypeError, "must be str or None, not %s", gd_class_label(*separator));
        return false;
    }
    if (!gd_is_nil(limit) && !gd_to_index(vm, limit, most)) return false;
    if (gd_is_str(*separator) && !gd_as_str(*separator)->bytes) {
        gd_raise(vm, &gd_class_ValueError, "empty separator");
        return false;
    }
    if (*most < 0) *most = INT64_MAX;
    return gd_str_work(vm, gd_self_str(args));
}

gd_any gd_strm_split(gd_vm *vm, const gd_args *args) {
    gd_any separator;
    int64_t most;
    if (!split_arguments(vm, args, &separator, &most)) return GD_NIL;
    const char *p = gd_self_str(args)->text, *end = p + gd_self_str(args)->bytes;
    gd_any list = gd_list_new(vm, 0);
    if (gd_is_none(separator))
        split_words(vm, &list, p, end, most);
    else
        split_at(vm, &list, p, end, gd_as_str(separator), most);
    return list;
}

gd_any gd_strm_rsplit(gd_vm *vm, const gd_args *args) {
    gd_any separator;
    int64_t most;
    if (!split_arguments(vm, args, &separator, &most)) return GD_NIL;
    const char *start = gd_self_str(args)->text, *end = start + gd_self_str(args)->bytes;
    gd_any list = gd_list_new(vm, 0);
    if (gd_is_none(separator))
        split_words_back(vm, &list, start, end, most);
    else
        split_at_back(vm, &list, start, end, gd_as_str(separator), most);
    if (!gd_is_nil(list)) reverse(list);
    return list;
}

static bool ends_line(uint32_t c) {
    return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

gd_any gd_strm_splitlines(gd_vm *vm, const gd_args *args) {
    gd_any keep = gd_arg(args, 1, "keepends");
    int kept = gd_is_nil(keep) ? 0 : gd_truth(vm, keep);
    if (kept < 0 || !gd_str_work(vm, gd_self_str(args))) return GD_NIL;
    const char *p = gd_self_str(args)->text, *end = p + gd_self_str(args)->bytes;
    gd_any list = gd_list_new(vm, 0);
    while (p < end && !gd_is_nil(list)) {
        const char *from = p, *to = end;
        while (p < end) {
            const char *at = p;
            uint32_t c = gd_utf8_next(&p);
            if (!ends_line(c)) continue;
            if (c == '\r' && p < end && *p == '\n') p++;
            to = at;
            break;
        }
        add(vm, &list, from, kept ? p : to);
    }
    return list;
}

/* ---- strip ---------------------------------------------------------------------------------------------------------
 */

/* Is the character of `bytes` bytes at p among those to strip? -1: a limit was passed. */
static int to_strip(gd_vm *vm, const char *p, size_t bytes, const gd_str *set) {
    if (!set) return gd_space(gd_utf8_next(&p));
    if (set->bytes > 64 && !gd_work(vm, set->bytes >> 6)) return -1;
    return memmem(set->text, set->bytes, p, bytes) != NULL;
}

static gd_any stripped(gd_vm *vm, const gd_args *args, bool left, bool right, const char *name) {
    gd_any chars = gd_arg(args, 1, NULL);
    const gd_str *set = gd_is_str(chars) ? gd_as_str(chars) : NULL, *s = gd_self_str(args);
    const char *p = s->text, *end = p + s->bytes;
    int hit = 1;
    if (!set && !gd_is_nil(chars) && !gd_is_none(chars))
        return gd_raise(vm, &gd_class_TypeError, "%s arg must be None or str", name);
    if (!gd_str_work(vm, s)) return GD_NIL;
    while (left && hit == 1 && p < end) {
        const char *next = p;
        gd_utf8_next(&next);
        if ((hit = to_strip(vm, p, (size_t)(next - p), set)) == 1) p = next;
    }
    if (hit >= 0) hit = 1;
    while (right && hit == 1 && p < end) {
        const char *before = end;
        gd_utf8_previous(&before);
        if ((hit = to_strip(vm, before, (size_t)(end - before), set)) == 1) end = before;
    }
    if (hit < 0) return GD_NIL;
    bool all = (size_t)(end - p) == s->bytes;
    return all ? gd_keep(args->v[0]) : gd_str_new(vm, p, (size_t)(end - p));
}

gd_any gd_strm_strip(gd_vm *vm, const gd_args *args) { return stripped(vm, args, true, true, "strip"); }
gd_any gd_strm_lstrip(gd_vm *vm, const gd_args *args) { return stripped(vm, args, true, false, "lstrip"); }
gd_any gd_strm_rstrip(gd_vm *vm, const gd_args *args) { return stripped(vm, args, false, true, "rstrip"); }

/* ---- join ----------------------------------------------------------------------------------------------------------
 */

/* The bytes that joining takes; false: pending. */
static bool joined_bytes(gd_vm *vm, const gd_str *between, const gd_any *items, size_t n, size_t *out) {
    size_t total = 0;
    if (n > 1 && !gd_mul_size(between->bytes, n - 1, &total)) return gd_vm_no_memory(vm), false;
    for (size_t i = 0; i < n; i++) {
        if (!gd_is_str(items[i])) {
            gd_raise(vm, &gd_class_TypeError, "sequence item %zu: expected str instance, %s found", i,
                     gd_class_label(items[i]));
            return false;
        }
        if (!gd_add_size(total, gd_as_str(items[i])->bytes, &total)) return gd_vm_no_memory(vm), false;
    }
    *out = total;
    return true;
}

static gd_any join_items(gd_vm *vm, const gd_str *between, const gd_any *items, size_t n) {
    size_t bytes;
    if (!gd_work(vm, n >> 2) || !joined_bytes(vm, between, items, n, &bytes)) return GD_NIL;
    if (n == 1) return gd_keep(items[0]);
    gd_str *s = gd_str_room(vm, bytes);
    if (!s) return GD_NIL;
    char *p = s->text;
    for (size_t i = 0; i < n; i++) {
        const gd_str *item = gd_as_str(items[i]);
        if (i) p = mempcpy(p, between->text, between->bytes);
        p = mempcpy(p, item->text, item->bytes);
    }
    return gd_str_finish(s);
}

gd_any gd_strm_join(gd_vm *vm, const gd_args *args) {
    const gd_any *items;
    size_t n;
    if (gd_items(args->v[1], &items, &n)) return join_items(vm, gd_self_str(args), items, n);
    gd_any (*iter)(gd_vm *, gd_any);
    GD_SLOT(gd_class_of(args->v[1]), iter, iter);
    if (!iter) return gd_raise(vm, &gd_class_TypeError, "can only join an iterable");
    gd_any list = gd_list_from(vm, args->v[1]);
    if (gd_is_nil(list)) return GD_NIL;
    gd_any result = gd_items(list, &items, &n) ? join_items(vm, gd_self_str(args), items, n) : GD_NIL;
    gd_drop(gd_vm_heap(vm), list);
    return result;
}
