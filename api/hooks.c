/* hooks.c: hooks that record the gradients of a tensor, and hooks written as source.
 *
 * A recorder belongs to an engine's hook, which frees it with its tensor (or with the graph that keeps the hook). So
 * that requests find it by id, all recorders are also in one table of lists, by context. A recorder's own fields are
 * touched only under its session's lock, the lists under theirs. A hook written as source is a hook of the program
 * language, with a recorder beside it that counts its calls. */
#include "api/router.h"
#include "core/autograd/autograd.h"
#include "core/kernels/kernels.h"

#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS = 256 };

typedef struct recorder recorder;
struct recorder {
    recorder *next;
    const gd_ctx *ctx;
    uint64_t handle;
    gd_hook *hook;           /* it belongs to this one */
    gd_hook *program;        /* what `source` gave, registered just before it and gone with it; NULL without */
    char *source;            /* owned; NULL: gradients are kept */
    const gd_tensor *tensor; /* compared, never read: it may be gone */
    char name[GD_PARAM_BYTES];
    gd_tensor **calls; /* owned copies, in order; NULL with a source */
    size_t n, capacity;
    size_t before; /* n when the running backward began */
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
        if (r->ctx != ctx) continue;
        if (handle ? r->handle == handle : r->handle > after && r->tensor == t && !strcmp(r->name, name)) break;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* ---- what the engine calls ----------------------------------------------------------------- */

/* Calls beyond the first n are forgotten. */
static void forget_calls(recorder *r, size_t n) {
    while (r->n > n) {
        r->n--;
        if (r->calls) gd_release(r->calls[r->n]);
    }
}

static void free_recorder(void *user) {
    recorder *r = user;
    delist(r);
    forget_calls(r, 0);
    free(r->calls);
    free(r->source);
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
    if (r->source) { /* its own hook did what there is to do */
        r->n++;
        return GD_OK;
    }
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
        if (r->ctx == ctx) forget_calls(r, r->before);
    pthread_mutex_unlock(&lock);
}

/* ---- routes -------------------------------------------------------------------------------- */

static void put_head(gd_text *t, const recorder *r) {
    gd_text_f(t, "{\"id\":\"h%llu\",\"kind\":\"%s\",\"tensor\":\"%s\"", (unsigned long long)r->handle,
              r->source ? "source" : "record", r->name);
    if (!r->source) return;
    GD_TEXT_LIT(t, ",\"source\":");
    gd_text_string(t, r->source);
}

/* What the hook should be: *source, or NULL for a recorder. */
static bool read_request(gd_exchange *x, const char **source) {
    bool record_it = false;
    *source = NULL;
    if (!gd_fields(x, x->body.root, "source record") || !gd_field_string(x, x->body.root, "source", source) ||
        !gd_field_bool(x, x->body.root, "record", &record_it))
        return false;
    if (*source && record_it) return gd_refuse(x, "bad_argument", "A hook has a source, or it records, not both.");
    return *source || record_it ||
           gd_refuse(x, "missing_argument", "A hook is {\"source\":\"lambda grad: grad * 2\"}, or {\"record\":true}.");
}

/* The hook that the program makes. NULL with the request failed. */
static gd_hook *add_program(gd_exchange *x, gd_tensor *t, const char *source) {
    gd_program_result result = {0};
    uint64_t handle = 0;
    gd_env *env = gd_session_env(x->session);
    if (!env) return gd_refuse_engine(x), NULL;
    bool added = gd_program_add_hook(env, t, source, strlen(source), gd_api_program_limits(x->api), &handle, &result);
    if (!added) gd_refuse_program(x, &result, false);
    gd_program_result_clear(&result);
    return added ? gd_hook_of(t, handle) : NULL;
}

/* A recorder of t that nobody knows yet. NULL with the request failed. */
static recorder *new_recorder(gd_exchange *x, gd_tensor *t, const char *source) {
    recorder *r = calloc(1, sizeof *r);
    if (r && source) r->source = strdup(source);
    if (!r || (source && !r->source)) {
        free(r);
        gd_refuse(x, "out_of_memory", "The server has no memory left for a hook.");
        return NULL;
    }
    r->ctx = x->ctx;
    r->tensor = t;
    memcpy(r->name, x->params[1], strlen(x->params[1]) + 1);
    return r;
}

/* Registers what r stands for. */
static bool attach(gd_exchange *x, gd_tensor *t, recorder *r) {
    if (r->source && !(r->program = add_program(x, t, r->source))) return false;
    if (gd_register_hook(x->ctx, t, r->source ? "count" : "record", record, r, free_recorder, &r->handle) != GD_OK) {
        if (r->program) gd_hook_remove(r->program);
        return gd_refuse_engine(x);
    }
    r->hook = gd_hook_of(t, r->handle);
    enlist(r);
    return true;
}

void gd_handle_add_hook(gd_exchange *x) {
    const char *source;
    gd_tensor *t = gd_param_tensor(x);
    recorder *r = t && read_request(x, &source) ? new_recorder(x, t, source) : NULL;
    if (!r) return;
    if (!attach(x, t, r)) {
        free(r->source);
        free(r);
        return;
    }
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
    gd_text_f(&x->out, ",\"count\":%zu", r->n);
    if (r->source) {
        GD_TEXT_LIT(&x->out, "}");
        return;
    }
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
    if (r->program) gd_hook_remove(r->program);
    gd_hook_remove(r->hook); /* which frees r */
}
