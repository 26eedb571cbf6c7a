/* hooks.c: hooks that record the gradients of a tensor.
 *
 * A recorder belongs to the engine's hook, which frees it with its tensor (or with the graph that keeps the hook). So
 * that requests find it by id, all recorders are also in one table of lists, by context. A recorder's own fields are
 * touched only under its session's lock, the lists under theirs. */
#include "api/router.h"
#include "core/kernels/kernels.h"

#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS = 256 };

typedef struct recorder recorder;
struct recorder {
    recorder *next;
    const gd_ctx *ctx;
    uint64_t handle;
    const gd_tensor *tensor; /* compared, never read: it may be gone */
    char name[GD_PARAM_BYTES];
    gd_tensor **calls; /* owned copies, in order */
    size_t n, capacity;
    size_t before; /* n when the running backward began */
    bool removed;  /* deleted while the graph still keeps the hook */
};

static recorder *buckets[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static recorder **bucket(const gd_ctx *ctx) {
    return &buckets[((uintptr_t)ctx >> 6) * 0x9E3779B1U >> 8 & (BUCKETS - 1)];
}

static void enlist(recorder *r) {
    pthread_mutex_lock(&lock);
    r->next = NULL;
    recorder **at = bucket(r->ctx);
    while (*at) at = &(*at)->next; /* in order of registration */
    *at = r;
    pthread_mutex_unlock(&lock);
}

static void delist(recorder *r) {
    pthread_mutex_lock(&lock);
    for (recorder **at = bucket(r->ctx); *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    pthread_mutex_unlock(&lock);
}

/* The first recorder of the context whose handle is `handle`, or for 0 is greater than `after`, of this name. */
static recorder *find(const gd_ctx *ctx, uint64_t handle, uint64_t after, const char *name, const gd_tensor *t) {
    pthread_mutex_lock(&lock);
    recorder *r = *bucket(ctx);
    for (; r; r = r->next) {
        if (r->ctx != ctx || r->removed) continue;
        if (handle ? r->handle == handle : r->handle > after && r->tensor == t && !strcmp(r->name, name)) break;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* ---- what the engine calls ----------------------------------------------------------------- */

static void forget_calls(recorder *r) {
    for (size_t i = 0; i < r->n; i++) gd_release(r->calls[i]);
    free(r->calls);
    r->calls = NULL;
    r->n = r->capacity = 0;
}

static void free_recorder(void *user) {
    recorder *r = user;
    delist(r);
    forget_calls(r);
    free(r);
}

static bool reserve(recorder *r) {
    if (r->n < r->capacity) return true;
    size_t capacity = r->capacity ? 2 * r->capacity : 4;
    gd_tensor **calls = realloc(r->calls, capacity * sizeof *calls);
    if (!calls) return false;
    r->calls = calls;
    r->capacity = capacity;
    return true;
}

static gd_code record(gd_ctx *ctx, void *user, gd_tensor *grad, gd_tensor **replacement) {
    recorder *r = user;
    (void)replacement;
    if (r->removed) return GD_OK;
    if (!reserve(r)) return gd_fail_memory(ctx);
    gd_tensor *copy = gd_empty_like(ctx, grad, gd_dtype_of(grad));
    if (!copy) return gd_ctx_error(ctx)->code;
    gd_copy_values(copy, grad);
    r->calls[r->n++] = copy;
    return GD_OK;
}

void gd_hooks_mark(const gd_ctx *ctx) {
    pthread_mutex_lock(&lock);
    for (recorder *r = *bucket(ctx); r; r = r->next)
        if (r->ctx == ctx) r->before = r->n;
    pthread_mutex_unlock(&lock);
}

void gd_hooks_rollback(const gd_ctx *ctx) {
    pthread_mutex_lock(&lock);
    for (recorder *r = *bucket(ctx); r; r = r->next)
        while (r->ctx == ctx && r->n > r->before) gd_release(r->calls[--r->n]);
    pthread_mutex_unlock(&lock);
}

/* ---- routes -------------------------------------------------------------------------------- */

static void put_head(gd_text *t, const recorder *r) {
    gd_text_f(t, "{\"id\":\"h%llu\",\"kind\":\"record\",\"tensor\":\"%s\"", (unsigned long long)r->handle, r->name);
}

static bool read_request(gd_exchange *x) {
    bool wanted = false;
    if (!gd_fields(x, x->body.root, "source record")) return false;
    if (json_object_get(x->body.root, "source"))
        return gd_refuse(x, "unsupported_hook",
                         "Hooks written as source need the program language; {\"record\":true} records.");
    if (!gd_field_bool(x, x->body.root, "record", &wanted)) return false;
    return wanted || gd_refuse(x, "missing_argument", "A hook is {\"record\":true}.");
}

void gd_handle_add_hook(gd_exchange *x) {
    gd_tensor *t = gd_param_tensor(x);
    if (!t || !read_request(x)) return;
    recorder *r = calloc(1, sizeof *r);
    if (!r) {
        gd_refuse(x, "out_of_memory", "The server has no memory left for a hook.");
        return;
    }
    r->ctx = x->ctx;
    r->tensor = t;
    memcpy(r->name, x->params[1], strlen(x->params[1]) + 1);
    if (gd_register_hook(x->ctx, t, "record", record, r, free_recorder, &r->handle) != GD_OK) {
        gd_refuse_engine(x);
        free(r);
        return;
    }
    enlist(r);
    char id[32];
    snprintf(id, sizeof id, "h%llu", (unsigned long long)r->handle);
    gd_set_location(x, "hooks", id);
    put_head(&x->out, r);
    GD_TEXT_LIT(&x->out, "}");
}

static uint64_t handle_of(const char *id) {
    char *end = NULL;
    unsigned long long handle = *id == 'h' && id[1] >= '0' && id[1] <= '9' ? strtoull(id + 1, &end, 10) : 0;
    return end && !*end ? handle : 0;
}

void gd_handle_list_hooks(gd_exchange *x) {
    size_t limit, n = 0;
    char after[GD_PARAM_BYTES], last[32] = "";
    gd_tensor *t = gd_param_tensor(x);
    if (!t || !gd_query_page(x, &limit, after)) return;
    uint64_t at = handle_of(after);
    recorder *r;
    GD_TEXT_LIT(&x->out, "{\"hooks\":[");
    while ((r = find(x->ctx, 0, at, x->params[1], t)) && n < limit) {
        if (n++) GD_TEXT_LIT(&x->out, ",");
        put_head(&x->out, r);
        gd_text_f(&x->out, ",\"count\":%zu}", r->n);
        at = r->handle;
        snprintf(last, sizeof last, "h%llu", (unsigned long long)at);
    }
    gd_put_next(x, r ? last : NULL);
}

static recorder *param_hook(gd_exchange *x) {
    uint64_t handle = handle_of(x->params[1]);
    recorder *r = handle ? find(x->ctx, handle, 0, NULL, NULL) : NULL;
    if (!r) gd_refuse(x, "unknown_hook", "The session %s has no hook %s.", x->params[0], x->params[1]);
    return r;
}

void gd_handle_get_hook(gd_exchange *x) {
    recorder *r = param_hook(x);
    if (!r) return;
    put_head(&x->out, r);
    GD_TEXT_LIT(&x->out, ",\"calls\":[");
    for (size_t i = 0; i < r->n; i++) {
        if (i) GD_TEXT_LIT(&x->out, ",");
        if (!gd_put_data(&x->out, r->calls[i], &x->fault)) return;
    }
    GD_TEXT_LIT(&x->out, "]}");
}

void gd_handle_delete_hook(gd_exchange *x) {
    recorder *r = param_hook(x);
    if (!r) return;
    gd_tensor *t = gd_session_get(x->session, r->name);
    if (t && t == r->tensor && gd_remove_hook(t, r->handle)) return; /* which has freed it */
    r->removed = true;
    forget_calls(r);
}
