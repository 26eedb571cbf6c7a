/* registry.c: the functions by name: put, delete, find, list. The table is read without a lock: see Note [Readers]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/function/plans.h"
#include "core/session/hash.h"

/* Stands where a deleted function was, so that searches go on. */
static gd_function deleted;

/* ---- the table ------------------------------------------------------------------------------- */

static gd_table *table_new(size_t places) {
    gd_table *t = calloc(1, sizeof *t + places * sizeof t->at[0]);
    if (t) t->mask = places - 1;
    return t;
}

/* Where the name is, or else the free place that ended the search. */
static _Atomic(gd_function *) *place(gd_table *t, const char *name, uint64_t hash, gd_function **found) {
    for (size_t i = (size_t)hash & t->mask;; i = (i + 1) & t->mask) {
        gd_function *f = atomic_load(&t->at[i]);
        *found = f;
        if (!f || (f != &deleted && f->hash == hash && !strcmp(f->name, name))) return &t->at[i];
    }
}

/* Under the lock. Room for one more in a table that is at most half full. */
static bool reserve(gd_functions *r) {
    gd_table *old = atomic_load(&r->table);
    if ((old->used + 1) * 2 <= old->mask + 1) return true;
    size_t places = 64;
    while (places < (r->count + 1) * 4) places *= 2;
    gd_table *t = table_new(places);
    if (!t) return false;
    for (size_t i = 0; i < r->count; i++) {
        gd_function *none, *f = r->sorted[i];
        atomic_store(place(t, f->name, f->hash, &none), f);
    }
    t->used = r->count;
    atomic_store(&r->table, t);
    gd_retire(r, &old->retired, old, free);
    return true;
}

/* ---- in order of names; under the lock ------------------------------------------------------- */

/* The first that is not before `name`. */
static size_t lower_bound(const gd_functions *r, const char *name) {
    size_t from = 0, to = r->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (strcmp(r->sorted[middle]->name, name) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool sorted_reserve(gd_functions *r) {
    if (r->count < r->room) return true;
    size_t room = r->room ? r->room * 2 : 64;
    gd_function **p = realloc(r->sorted, room * sizeof *p);
    if (!p) return false;
    r->sorted = p;
    r->room = room;
    return true;
}

static void sorted_insert(gd_functions *r, gd_function *f) {
    size_t i = lower_bound(r, f->name);
    memmove(r->sorted + i + 1, r->sorted + i, (r->count - i) * sizeof *r->sorted);
    r->sorted[i] = f;
    atomic_fetch_add(&r->count, 1);
}

static void sorted_remove(gd_functions *r, const gd_function *f) {
    size_t i = lower_bound(r, f->name);
    atomic_fetch_sub(&r->count, 1);
    memmove(r->sorted + i, r->sorted + i + 1, (r->count - i) * sizeof *r->sorted);
}

/* ---- the registry ---------------------------------------------------------------------------- */

gd_functions *gd_functions_new(const gd_function_options *options) {
    gd_functions *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->options = *options;
    r->epoch = 1;
    r->account = options->account ? gd_account_retain(options->account) : NULL;
    gd_table *t = table_new(64);
    atomic_init(&r->table, t);
    bool account_ok = !options->account || r->account;
    if (t && account_ok && !pthread_mutex_init(&r->lock, NULL)) {
        if (gd_threads_open(r)) return r;
        pthread_mutex_destroy(&r->lock);
    }
    if (r->account) gd_account_release(r->account);
    free(t);
    free(r);
    return NULL;
}

void gd_functions_free(gd_functions *r) {
    if (!r) return;
    gd_plans_close(r);
    for (size_t i = 0; i < r->count; i++) gd_function_release(r->sorted[i]);
    gd_threads_close(r);
    free(atomic_load(&r->table));
    free(r->sorted);
    pthread_mutex_destroy(&r->lock);
    if (r->account) gd_account_release(r->account);
    free(r);
}

static void release_function(void *f) { gd_function_release(f); }

/* It is out of the table already. */
static void drop(gd_functions *r, gd_function *f) {
    f->gone = true;
    gd_plans_forget(r, f);
    gd_retire(r, &f->retired, f, release_function);
}

/* ---- put and delete -------------------------------------------------------------------------- */

/* Is it among the quoted tags of an If-Match or If-None-Match? Weak ones never match. */
static bool tag_among(const char *tags, const char *etag) {
    size_t n = strlen(etag);
    for (const char *p = strstr(tags, etag); p; p = strstr(p + 1, etag))
        if ((p == tags || p[-1] != '/') && (p[n] == 0 || p[n] == ',' || p[n] == ' ' || p[n] == '\t')) return true;
    return false;
}

static bool allowed(const gd_functions *r, const gd_function *old, const char *if_match, const char *if_none_match,
                    gd_function_fault *fault) {
    if (if_match && !old) return gd_fault(fault, GD_E_STATE, "precondition", "there is no such function");
    if (if_match && strcmp(if_match, "*") != 0 && !tag_among(if_match, old->etag))
        return gd_fault(fault, GD_E_STATE, "precondition", "the function is %s by now", old->etag);
    if (if_none_match && old && (!strcmp(if_none_match, "*") || tag_among(if_none_match, old->etag)))
        return gd_fault(fault, GD_E_STATE, "precondition", "the function exists: it is %s", old->etag);
    if (!old && r->options.max_functions && r->count >= r->options.max_functions)
        return gd_fault(fault, GD_E_STATE, "too_many", "there are %zu functions already, which is the limit",
                        r->options.max_functions);
    return true;
}

/* Under the lock. Takes f where it succeeds. */
static gd_put_result publish(gd_functions *r, gd_function *f, const char *if_match, const char *if_none_match,
                             gd_function_fault *fault) {
    gd_function *old;
    if (!reserve(r) || !sorted_reserve(r)) return gd_fault_memory(fault), GD_PUT_FAILED;
    _Atomic(gd_function *) *at = place(atomic_load(&r->table), f->name, f->hash, &old);
    if (!allowed(r, old, if_match, if_none_match, fault)) return GD_PUT_FAILED;
    f->version = ++r->version;
    (void)snprintf(f->etag, sizeof f->etag, "\"%llu-%012llx\"", (unsigned long long)f->version,
                   (unsigned long long)(gd_hash_bytes(f->source, f->bytes) & 0xffffffffffffu));
    if (old) r->sorted[lower_bound(r, f->name)] = f;
    atomic_store(at, f);
    if (old) {
        drop(r, old);
        return GD_PUT_REPLACED;
    }
    sorted_insert(r, f);
    atomic_load(&r->table)->used++;
    return GD_PUT_CREATED;
}

/* What can be said before the work is done. */
static bool may_put(gd_functions *r, const char *name, const char *if_match, const char *if_none_match,
                    gd_function_fault *fault) {
    size_t n = strlen(name);
    gd_function *old;
    if (!n || n >= GD_FUNCTION_NAME_BYTES)
        return gd_fault(fault, GD_E_VALUE, "bad_function", "a function's name has 1 to %d bytes",
                        GD_FUNCTION_NAME_BYTES - 1);
    pthread_mutex_lock(&r->lock);
    place(atomic_load(&r->table), name, gd_hash_bytes(name, n), &old);
    bool ok = allowed(r, old, if_match, if_none_match, fault);
    pthread_mutex_unlock(&r->lock);
    return ok;
}

gd_put_result gd_functions_put(gd_functions *r, const char *name, const gd_function_text *text, const char *if_match,
                               const char *if_none_match, gd_function_fault *fault) {
    if (!may_put(r, name, if_match, if_none_match, fault)) return GD_PUT_FAILED;
    gd_function *f = gd_function_new(r, name, text, fault);
    if (!f) return GD_PUT_FAILED;
    gd_put_result result = GD_PUT_FAILED;
    if (gd_function_try(gd_functions_ctx(r), f, fault)) {
        pthread_mutex_lock(&r->lock);
        result = publish(r, f, if_match, if_none_match, fault);
        pthread_mutex_unlock(&r->lock);
    }
    if (result == GD_PUT_FAILED) gd_function_release(f);
    return result;
}

bool gd_functions_delete(gd_functions *r, const char *name) {
    gd_function *f;
    pthread_mutex_lock(&r->lock);
    _Atomic(gd_function *) *at = place(atomic_load(&r->table), name, gd_hash_bytes(name, strlen(name)), &f);
    if (f) {
        atomic_store(at, &deleted);
        sorted_remove(r, f);
        drop(r, f);
    }
    pthread_mutex_unlock(&r->lock);
    return f != NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static gd_function *retained(gd_function *f) {
    if (f) atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

gd_function *gd_functions_find(gd_functions *r, const char *name) {
    gd_function *f;
    gd_thread *t = gd_thread_of(r);
    if (!t) return NULL;
    uint64_t hash = gd_hash_bytes(name, strlen(name));
    gd_read_begin(t);
    place(atomic_load(&r->table), name, hash, &f);
    retained(f);
    gd_read_end(t);
    return f;
}

size_t gd_functions_count(gd_functions *r) { return r->count; }

size_t gd_functions_list(gd_functions *r, const char *after, size_t limit, gd_function **out, bool *more) {
    pthread_mutex_lock(&r->lock);
    size_t from = after ? lower_bound(r, after) : 0, n = 0;
    if (after && from < r->count && !strcmp(r->sorted[from]->name, after)) from++;
    for (; n < limit && from + n < r->count; n++) out[n] = retained(r->sorted[from + n]);
    *more = from + n < r->count;
    pthread_mutex_unlock(&r->lock);
    return n;
}
