/* bind_call.c: binds the arguments of a call to a program function's parameters as Python does, with its TypeErrors. */
#include <stdio.h>
#include <string.h>

#include "core/program/code.h"

typedef struct call {
    gd_vm *vm;
    gd_closure *f;
    gd_bytecode *code;
    const gd_args *args;
    gd_any *slots; /* of the new frame */
} call;

static const char *name_of(const call *k) { return gd_as_str(k->code->qualname)->text; }

static bool fail(const call *k, const char *format, const char *text) {
    char line[512];
    (void)snprintf(line, sizeof line, format, text);
    gd_raise(k->vm, &gd_class_TypeError, "%s() %s", name_of(k), line);
    return false;
}

static gd_any *star_slot(const call *k) { return &k->slots[k->code->npositional + k->code->nkeyword]; }
static gd_any *dstar_slot(const call *k) { return star_slot(k) + k->code->star; }

static bool copy_positional(call *k) {
    uint32_t n = k->args->npos < k->code->npositional ? k->args->npos : k->code->npositional;
    for (uint32_t i = 0; i < n; i++) k->slots[i] = gd_keep(k->args->v[i]);
    if (k->code->star) {
        *star_slot(k) = gd_tuple_of(k->vm, k->args->npos - n, k->args->v + n);
        if (gd_is_nil(*star_slot(k))) return false;
    }
    if (k->code->dstar) {
        *dstar_slot(k) = gd_dict_new(k->vm);
        if (gd_is_nil(*dstar_slot(k))) return false;
    }
    return true;
}

/* Which parameter a keyword names; -1: none. */
static int64_t find_keyword(const call *k, const gd_str *name, uint32_t from) {
    uint32_t n = k->code->npositional + k->code->nkeyword;
    for (uint32_t i = from; i < n; i++)
        if (gd_str_equal(gd_as_str(k->code->names[i]), name)) return i;
    return -1;
}

static bool set_keyword(call *k, gd_str *name, gd_any v) {
    int64_t i = find_keyword(k, name, k->code->npositional_only);
    if (i >= 0) {
        if (!gd_is_nil(k->slots[i])) return fail(k, "got multiple values for argument '%.200s'", name->text);
        k->slots[i] = gd_keep(v);
        return true;
    }
    if (k->code->dstar) return gd_dict_set(k->vm, gd_as_dict(*dstar_slot(k)), GD_ANY_OBJECT(name), v);
    i = find_keyword(k, name, 0);
    if (i >= 0) return fail(k, "got some positional-only arguments passed as keyword arguments: '%.200s'", name->text);
    return fail(k, "got an unexpected keyword argument '%.200s'", name->text);
}

static uint32_t count_defaults(const gd_closure *f) {
    return gd_is_nil(f->defaults) ? 0 : (uint32_t)((const gd_tuple *)f->defaults.u.object)->n;
}

static bool too_many(const call *k) {
    uint32_t most = k->code->npositional, least = most - count_defaults(k->f), given = k->args->npos, named = 0;
    char takes[64], extra[96] = "";
    for (uint32_t i = 0; i < k->code->nkeyword; i++) named += !gd_is_nil(k->slots[most + i]);
    if (named)
        (void)snprintf(extra, sizeof extra, " positional argument%s (and %u keyword-only argument%s)",
                       given == 1 ? "" : "s", named, named == 1 ? "" : "s");
    if (least < most)
        (void)snprintf(takes, sizeof takes, "from %u to %u", least, most);
    else
        (void)snprintf(takes, sizeof takes, "%u", most);
    bool plural = least < most || most != 1;
    gd_raise(k->vm, &gd_class_TypeError, "%s() takes %s positional argument%s but %u%s %s given", name_of(k), takes,
             plural ? "s" : "", given, extra, given == 1 && !named ? "was" : "were");
    return false;
}

/* 'a', 'b', and 'c' */
static bool missing(const call *k, uint32_t from, uint32_t to, const char *kind) {
    char text[400];
    size_t used = 0;
    uint32_t n = 0, at = 0;
    for (uint32_t i = from; i < to; i++) n += gd_is_nil(k->slots[i]);
    for (uint32_t i = from; i < to; i++) {
        if (!gd_is_nil(k->slots[i])) continue;
        at++;
        const char *between = at == 1 ? "" : at < n ? ", " : n == 2 ? " and " : ", and ";
        if (used + 80 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s'%.60s'", between,
                                     gd_as_str(k->code->names[i])->text);
    }
    gd_raise(k->vm, &gd_class_TypeError, "%s() missing %u required %s argument%s: %s", name_of(k), n, kind,
             n == 1 ? "" : "s", text);
    return false;
}

static bool fill_defaults(call *k) {
    uint32_t most = k->code->npositional, n = count_defaults(k->f);
    const gd_any *defaults = n ? ((const gd_tuple *)k->f->defaults.u.object)->items : NULL;
    for (uint32_t i = 0; i < most - n; i++)
        if (gd_is_nil(k->slots[i])) return missing(k, 0, most - n, "positional");
    for (uint32_t i = 0; i < n; i++)
        if (gd_is_nil(k->slots[most - n + i])) k->slots[most - n + i] = gd_keep(defaults[i]);
    return true;
}

static bool fill_keyword_defaults(call *k) {
    uint32_t from = k->code->npositional, n = k->code->nkeyword;
    gd_any given = k->f->kwdefaults;
    for (uint32_t i = 0; i < n && !gd_is_nil(given); i++)
        if (gd_is_nil(k->slots[from + i])) k->slots[from + i] = gd_keep(((const gd_tuple *)given.u.object)->items[i]);
    for (uint32_t i = 0; i < n; i++)
        if (gd_is_nil(k->slots[from + i])) return missing(k, from, from + n, "keyword-only");
    return true;
}

static bool bind(call *k) {
    if (!copy_positional(k)) return false;
    for (uint32_t i = 0; i < k->args->nkw; i++)
        if (!set_keyword(k, k->args->names[i], k->args->v[k->args->npos + i])) return false;
    if (k->args->npos > k->code->npositional && !k->code->star) return too_many(k);
    return fill_defaults(k) && fill_keyword_defaults(k);
}

gd_frame *gd_call_bound(gd_vm *vm, gd_closure *f, const gd_args *args) {
    gd_frame *frame = gd_frame_new(vm, f->code, f);
    if (!frame) return NULL;
    call k = {.vm = vm, .f = f, .code = f->code, .args = args, .slots = frame->slots};
    if (bind(&k)) return frame;
    gd_frame_pop(vm);
    return NULL;
}
