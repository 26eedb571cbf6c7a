/* session.c: the registry of sessions: making, finding, holding, listing, expiring and deleting them. What is inside
 * a session is in names.c.
 *
 * One mutex guards the registry and the few words that say who holds which session; nothing is allocated for a
 * tensor, computed or freed under it. A session's own contents belong to the request that holds it.
 */
#include "core/session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/session/inside.h"

enum { STOP_LOOK_NS = 20 * 1000 * 1000 }; /* how often who waits for a session looks whether to stop */

struct gd_registry {
    pthread_mutex_t mutex;
    gd_registry_options options;
    gd_session *sessions; /* hash by name */
    gd_session **sorted;  /* the same, in name order */
    size_t count, capacity;
    uint64_t next_name;
};

static double clock_seconds(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Read several times a request: the coarse clock, a few milliseconds behind, is exact enough for idleness. */
static double monotonic(void) { return clock_seconds(CLOCK_MONOTONIC_COARSE); }

/* ---- the registry ------------------------------------------------------------------------------- */

gd_registry *gd_registry_new(const gd_registry_options *options) {
    gd_registry *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    if (pthread_mutex_init(&r->mutex, NULL) != 0) {
        free(r);
        return NULL;
    }
    r->options = *options;
    gd_account_set_limit(NULL, options->memory_bytes);
    return r;
}

/* Frees what nobody uses; outside the mutex, as it may take long. */
static void session_free(gd_session *s) {
    gd_namespace_clear(&s->names);
    gd_env_free(s->env);
    gd_ctx_free(s->ctx);
    gd_account_release(s->account);
    pthread_cond_destroy(&s->freed);
    free(s);
}

void gd_registry_free(gd_registry *r) {
    if (!r) return;
    HASH_CLEAR(hh, r->sessions);
    for (size_t i = 0; i < r->count; i++) session_free(r->sorted[i]);
    free(r->sorted);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

size_t gd_registry_count(gd_registry *r) {
    pthread_mutex_lock(&r->mutex);
    size_t n = r->count;
    pthread_mutex_unlock(&r->mutex);
    return n;
}

/* Index of the first session whose name is >= name (or > name). */
static size_t place_of(const gd_registry *r, const char *name, bool after) {
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(r->sorted[mid]->name, name);
        if (order < 0 || (after && order == 0))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static gd_session *find(const gd_registry *r, const char *name) {
    gd_session *s = NULL;
    HASH_FIND_STR(r->sessions, name, s);
    return s;
}

/* Enters s; false if memory is out. */
static bool enter(gd_registry *r, gd_session *s) {
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 16;
        gd_session **sorted = reallocarray(r->sorted, capacity, sizeof *sorted);
        if (!sorted) return false;
        r->sorted = sorted;
        r->capacity = capacity;
    }
    HASH_ADD_STR(r->sessions, name, s);
    if (!s->hh.tbl) return false;
    size_t at = place_of(r, s->name, false);
    memmove(r->sorted + at + 1, r->sorted + at, (r->count - at) * sizeof *r->sorted);
    r->sorted[at] = s;
    r->count++;
    return true;
}

/* Takes s out of the registry. True if the caller must free it, false if its last user will. */
static bool leave(gd_registry *r, gd_session *s) {
    size_t at = place_of(r, s->name, false);
    memmove(r->sorted + at, r->sorted + at + 1, (r->count - at - 1) * sizeof *r->sorted);
    r->count--;
    HASH_DEL(r->sessions, s);
    s->deleted = true;
    pthread_cond_broadcast(&s->freed);
    return s->users == 0;
}

/* ---- holding a session --------------------------------------------------------------------------- */

/* Gives up one use, with the mutex held; true if the caller must free the session afterwards. */
static bool unuse(gd_session *s) { return --s->users == 0 && s->deleted; }

static bool is_set(const _Atomic bool *stop) { return stop && atomic_load_explicit(stop, memory_order_relaxed); }

/* Waits, with the mutex held, for a change of s; with `stop` no longer than until it should be looked at again. */
static void wait_for(gd_session *s, const _Atomic bool *stop) {
    struct timespec until;
    if (!stop) {
        pthread_cond_wait(&s->freed, &s->registry->mutex);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += STOP_LOOK_NS;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    (void)pthread_cond_timedwait(&s->freed, &s->registry->mutex, &until);
}

/* Waits, with the mutex held, until s is free and holds it. GD_SESSION_UNKNOWN if it was deleted meanwhile,
 * GD_SESSION_STOPPED if *stop was set; *gone then tells whether the caller must free it. */
static gd_session_status hold(gd_session *s, const _Atomic bool *stop, bool *gone) {
    *gone = false;
    s->users++;
    while (s->held && !s->deleted && !is_set(stop)) wait_for(s, stop);
    if (s->deleted || s->held) {
        gd_session_status status = s->deleted ? GD_SESSION_UNKNOWN : GD_SESSION_STOPPED;
        *gone = unuse(s);
        return status;
    }
    s->held = true;
    s->last_used = monotonic();
    return GD_SESSION_OK;
}

gd_session_status gd_session_acquire(gd_registry *r, const char *name, gd_session **out) {
    return gd_session_acquire_unless(r, name, NULL, out);
}

gd_session_status gd_session_acquire_unless(gd_registry *r, const char *name, const _Atomic bool *stop,
                                            gd_session **out) {
    bool gone = false;
    *out = NULL;
    pthread_mutex_lock(&r->mutex);
    gd_session *s = find(r, name);
    gd_session_status status = s ? hold(s, stop, &gone) : GD_SESSION_UNKNOWN;
    pthread_mutex_unlock(&r->mutex);
    if (gone) session_free(s);
    if (status == GD_SESSION_OK) *out = s;
    return status;
}

gd_session_status gd_session_try_acquire(gd_registry *r, const char *name, gd_session **out, bool *busy) {
    bool gone = false;
    gd_session_status status = GD_SESSION_UNKNOWN;
    *out = NULL;
    pthread_mutex_lock(&r->mutex);
    gd_session *s = find(r, name);
    *busy = s && s->held;
    if (s && !s->held) status = hold(s, NULL, &gone); /* does not wait */
    pthread_mutex_unlock(&r->mutex);
    if (status == GD_SESSION_OK) *out = s;
    return status;
}

void gd_session_unlock(gd_session *s) {
    gd_registry *r = s->registry;
    pthread_mutex_lock(&r->mutex);
    s->held = false;
    s->last_used = monotonic();
    s->seen_mode = gd_ctx_grad_mode(s->ctx);
    s->seen_nodes = gd_ctx_nodes(s->ctx);
    s->seen_tensors = gd_namespace_count(&s->names);
    bool gone = unuse(s);
    if (s->users > 0) pthread_cond_signal(&s->freed);
    pthread_mutex_unlock(&r->mutex);
    if (gone) session_free(s);
}

/* ---- making and deleting --------------------------------------------------------------------------- */

static bool init_freed(gd_session *s) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes)) return false;
    bool done = !pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) && !pthread_cond_init(&s->freed, &attributes);
    pthread_condattr_destroy(&attributes);
    return done;
}

/* A session outside the registry; NULL if memory is out. */
static gd_session *session_new(gd_registry *r, double ttl_seconds) {
    gd_session *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    if (!init_freed(s)) {
        free(s);
        return NULL;
    }
    s->registry = r;
    s->ttl_seconds = ttl_seconds < 0 ? r->options.session_ttl_seconds : ttl_seconds;
    s->account = gd_account_new(r->options.session_memory_bytes, NULL);
    s->ctx = s->account ? gd_ctx_new(s->account) : NULL;
    if (!s->ctx) {
        gd_account_release(s->account);
        pthread_cond_destroy(&s->freed);
        free(s);
        return NULL;
    }
    s->created = clock_seconds(CLOCK_REALTIME);
    s->created_clock = s->last_used = monotonic();
    return s;
}

static void make_name(gd_registry *r, char name[GD_NAME_BYTES]) {
    do snprintf(name, GD_NAME_BYTES, "s%llu", (unsigned long long)++r->next_name);
    while (find(r, name));
}

/* Enters the fresh session s under `name` (NULL: one is made), held. With the mutex held. */
static gd_session_status enter_fresh(gd_registry *r, gd_session *s, const char *name) {
    if (r->options.max_sessions && r->count >= r->options.max_sessions) return GD_SESSION_FULL;
    if (name)
        snprintf(s->name, sizeof s->name, "%s", name);
    else
        make_name(r, s->name);
    if (!enter(r, s)) return GD_SESSION_NO_MEMORY;
    s->users = 1;
    s->held = true;
    return GD_SESSION_CREATED;
}

static bool is_full(gd_registry *r) {
    return r->options.max_sessions && gd_registry_count(r) >= r->options.max_sessions;
}

static gd_session_status create_fresh(gd_registry *r, const char *name, double ttl_seconds, gd_session **out) {
    if (is_full(r)) (void)gd_registry_expire(r); /* those whose time is over make room */
    if (is_full(r)) return GD_SESSION_FULL;
    gd_session *s = session_new(r, ttl_seconds);
    if (!s) return GD_SESSION_NO_MEMORY;
    pthread_mutex_lock(&r->mutex);
    gd_session_status status = name && find(r, name) ? GD_SESSION_EXISTS : enter_fresh(r, s, name);
    pthread_mutex_unlock(&r->mutex);
    if (status == GD_SESSION_CREATED)
        *out = s;
    else
        session_free(s);
    return status;
}

gd_session_status gd_session_create(gd_registry *r, const char *name, double ttl_seconds, bool may_exist,
                                    gd_session **out) {
    *out = NULL;
    if (name && !gd_session_name_ok(name)) return GD_SESSION_BAD_NAME;
    for (;;) { /* again only if the session came or went between two looks */
        gd_session_status status = GD_SESSION_UNKNOWN;
        if (name && may_exist) status = gd_session_acquire(r, name, out);
        if (status == GD_SESSION_UNKNOWN) status = create_fresh(r, name, ttl_seconds, out);
        if (status != GD_SESSION_EXISTS || !may_exist) return status;
    }
}

bool gd_session_delete(gd_registry *r, const char *name) {
    pthread_mutex_lock(&r->mutex);
    gd_session *s = find(r, name);
    bool gone = s && leave(r, s);
    pthread_mutex_unlock(&r->mutex);
    if (gone) session_free(s);
    return s != NULL;
}

static bool is_over(const gd_session *s, double now) {
    return s->users == 0 && s->ttl_seconds > 0 && now - s->last_used > s->ttl_seconds;
}

/* Takes the first session from *at on whose time is over out of the registry; NULL if there is none. */
static gd_session *take_expired(gd_registry *r, size_t *at) {
    double now = monotonic();
    gd_session *s = NULL;
    pthread_mutex_lock(&r->mutex);
    while (*at < r->count && !is_over(r->sorted[*at], now)) ++*at;
    if (*at < r->count) {
        s = r->sorted[*at];
        (void)leave(r, s); /* it has no users: ours to free */
    }
    pthread_mutex_unlock(&r->mutex);
    return s;
}

size_t gd_registry_expire(gd_registry *r) {
    size_t n = 0, at = 0;
    for (gd_session *s; (s = take_expired(r, &at)); n++) session_free(s);
    return n;
}

/* ---- describing ------------------------------------------------------------------------------------ */

static void describe(const gd_session *s, gd_session_info *info) {
    memcpy(info->name, s->name, sizeof info->name);
    info->grad_mode = s->seen_mode;
    info->tensors = s->seen_tensors;
    info->nodes = s->seen_nodes;
    info->bytes = gd_account_used(s->account);
    info->created = s->created;
    info->last_used = s->created + (s->last_used - s->created_clock);
    info->ttl_seconds = s->ttl_seconds;
}

size_t gd_registry_list(gd_registry *r, const char *after, size_t limit, gd_session_info *infos, bool *more) {
    pthread_mutex_lock(&r->mutex);
    size_t from = after ? place_of(r, after, true) : 0, n = r->count - from;
    *more = n > limit;
    if (n > limit) n = limit;
    for (size_t i = 0; i < n; i++) describe(r->sorted[from + i], &infos[i]);
    pthread_mutex_unlock(&r->mutex);
    return n;
}

void gd_session_describe(gd_session *s, gd_session_info *info) {
    pthread_mutex_lock(&s->registry->mutex);
    describe(s, info);
    pthread_mutex_unlock(&s->registry->mutex);
    info->grad_mode = gd_ctx_grad_mode(s->ctx);
    info->tensors = gd_namespace_count(&s->names);
    info->nodes = gd_ctx_nodes(s->ctx);
}

gd_ctx *gd_session_ctx(gd_session *s) { return s->ctx; }
const char *gd_session_name(const gd_session *s) { return s->name; }
