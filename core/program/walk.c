/* walk.c: the value of a program's last expression, told piece by piece. */
#include "core/program/env.h"
#include "core/program/set.h"

enum { DEEPEST = 64, TEXT_BYTES = 2000 };

typedef struct walk {
    gd_vm *vm;
    const gd_program_visitor *v;
    void *user;
    size_t left; /* items that may still come */
} walk;

static bool walk_value(walk *w, gd_any v, int depth);

/* repr or str of a value, cut. */
static bool tell_text(walk *w, gd_any v, bool whole, bool key) {
    gd_any text = gd_is_str(v) && key ? gd_keep(v) : gd_repr_of(w->vm, v);
    if (gd_is_nil(text)) {
        gd_drop(w->vm->env->heap, w->vm->exception);
        w->vm->exception = GD_NIL;
        return (key ? w->v->key : w->v->text)(w->user, "...", 3);
    }
    const gd_str *s = gd_as_str(text);
    size_t n = s->bytes;
    if (!whole && n > TEXT_BYTES) {
        n = TEXT_BYTES;
        while (n && (s->text[n] & 0xc0) == 0x80) n--;
    }
    bool ok = (key ? w->v->key : w->v->text)(w->user, s->text, n);
    gd_drop(w->vm->env->heap, text);
    return ok;
}

static bool enter(walk *w, size_t n, int depth) {
    if (depth >= DEEPEST || n > w->left) return false;
    w->left -= n;
    return true;
}

static bool walk_items(walk *w, gd_any v, const gd_any *items, size_t n, int depth) {
    if (!enter(w, n, depth)) return tell_text(w, v, false, false);
    bool ok = w->v->begin(w->user, false);
    for (size_t i = 0; ok && i < n; i++) ok = walk_value(w, items[i], depth + 1);
    return ok && w->v->end(w->user, false);
}

static bool walk_range(walk *w, gd_any v, const gd_range *r, int depth) {
    if (r->n < 0 || !enter(w, (size_t)r->n, depth)) return tell_text(w, v, false, false);
    bool ok = w->v->begin(w->user, false);
    int64_t at = r->start;
    for (int64_t i = 0; ok && i < r->n; i++) {
        ok = w->v->integer(w->user, at);
        if (i + 1 < r->n) at += r->step;
    }
    return ok && w->v->end(w->user, false);
}

static bool walk_dict(walk *w, gd_any v, int depth) {
    const gd_dict *d = gd_as_dict(v);
    gd_any key, value;
    if (!enter(w, gd_dict_count(d), depth)) return tell_text(w, v, false, false);
    bool ok = w->v->begin(w->user, true);
    for (size_t at = 0; ok && gd_dict_each(d, &at, &key, &value);)
        ok = tell_text(w, key, true, true) && walk_value(w, value, depth + 1);
    return ok && w->v->end(w->user, true);
}

static bool walk_set(walk *w, gd_any v, int depth) {
    const gd_set *s = gd_as_set(v);
    const gd_set_entry *e;
    if (!enter(w, s->n, depth)) return tell_text(w, v, false, false);
    bool ok = w->v->begin(w->user, false);
    for (size_t at = 0; ok && (e = gd_set_each(s, &at));) ok = walk_value(w, e->key, depth + 1);
    return ok && w->v->end(w->user, false);
}

static bool walk_object(walk *w, gd_any v, int depth) {
    const gd_any *items;
    size_t n;
    if (gd_is_str(v)) return w->v->text(w->user, gd_as_str(v)->text, gd_as_str(v)->bytes);
    if (gd_items(v, &items, &n)) return walk_items(w, v, items, n, depth);
    if (gd_is_dict(v)) return walk_dict(w, v, depth);
    if (gd_is_set(v)) return walk_set(w, v, depth);
    if (gd_is(v, &gd_class_range)) return walk_range(w, v, (const gd_range *)v.u.object, depth);
    return tell_text(w, v, false, false);
}

static bool walk_value(walk *w, gd_any v, int depth) {
    switch ((gd_tag)v.tag) {
    case GD_A_NONE: return w->v->none(w->user);
    case GD_A_BOOL: return w->v->boolean(w->user, v.u.i);
    case GD_A_INT: return w->v->integer(w->user, v.u.i);
    case GD_A_FLOAT: return w->v->real(w->user, v.u.f);
    case GD_A_TENSOR: return w->v->tensor(w->user, v.u.tensor, gd_env_name_of(w->vm->env, v.u.tensor));
    case GD_A_OBJECT: return walk_object(w, v, depth);
    default: return tell_text(w, v, false, false);
    }
}

bool gd_program_walk(const gd_program_result *result, size_t max_items, const gd_program_visitor *visitor, void *user) {
    if (!result->value) return visitor->none(user);
    gd_program_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS};
    gd_vm vm;
    gd_vm_begin(&vm, result->env, &options);
    walk w = {.vm = &vm, .v = visitor, .user = user, .left = max_items};
    bool ok = walk_value(&w, *(const gd_any *)result->value, 0);
    gd_drop(result->env->heap, vm.exception);
    gd_vm_end(&vm);
    return ok;
}
