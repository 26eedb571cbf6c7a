/* request.c: one request: its head is checked, its body gathered, the api asked, the answer sent and logged. */
#include "server/request.h"

#include "server/http.h"
#include "server/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REFUSAL(name, status, code, detail) static const gd_refusal name = {status, code, detail}
REFUSAL(no_memory, 503, "out_of_memory", "The server has no memory left for this request.");
REFUSAL(too_large, 413, "body_too_large", "The body is larger than this server takes (--max-body).");
REFUSAL(bad_host, 403, "forbidden_host",
        "Host names no address of this server; its owner may add it with --allow-host.");
REFUSAL(bad_origin, 403, "forbidden_origin",
        "Pages of this Origin may not use this server; its owner may add it with --allow-origin.");
REFUSAL(no_token, 401, "unauthorized", "This server asks for a token: send Authorization: Bearer TOKEN.");
REFUSAL(too_busy, 503, "busy", "Too many long computations are waiting; try again shortly.");

enum { SWALLOWED = 1024 * 1024, WHOLE_BODY = 4 * 1024 * 1024 };

/* ---- the head ---- */

static char *copy_target(gd_request *r, const char *target, size_t n) {
    r->target = n < sizeof r->short_target ? r->short_target : malloc(n + 1);
    if (!r->target) return NULL;
    memcpy(r->target, target, n);
    r->target[n] = 0;
    return r->target;
}

void gd_request_begin(gd_server *server, gd_connection *c, const char *target) {
    gd_request *r = &c->request;
    r->started = true;
    r->start_ns = uv_hrtime();
    atomic_fetch_add(&server->active, 1);
    atomic_store_explicit(&c->bytes, 0, memory_order_relaxed);
    if (!gd_connection_enter(c, GD_PHASE_HEAD)) return; /* the next call finds out */
    if (!copy_target(r, target, strnlen(target, GD_TARGET_MAX + 1))) r->refusal = &no_memory;
}

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_length,
                                const char *value, size_t value_length) {
    (void)kind;
    gd_head_add(cls, name, name_length, value ? value : "", value ? value_length : 0);
    return MHD_YES;
}

/* The client's id if it may be echoed, else one of our own: unique in this process, unlikely to repeat in another. */
static void choose_id(gd_server *server, gd_request *r) {
    static _Atomic uint64_t last;
    static const char digits[] = "0123456789abcdef";
    if (r->head.request_id && gd_guard_request_id_ok(r->head.request_id)) {
        memcpy(r->id, r->head.request_id, strlen(r->head.request_id) + 1);
        return;
    }
    uint64_t x = server->id_seed + atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) * 0x9E3779B97F4A7C15U;
    x = (x ^ x >> 31) * 0xBF58476D1CE4E5B9U; /* odd factors: no two alike */
    x ^= x >> 29;
    for (int i = 0; i < 16; i++) r->id[i] = digits[x >> (60 - 4 * i) & 15];
    r->id[16] = 0;
}

static bool path_is(const gd_request *r, const char *path) {
    return r->path_length == strlen(path) && !memcmp(r->path, path, r->path_length);
}

/* Probes need no token. */
static bool is_open(const gd_request *r) { return path_is(r, "/healthz") || path_is(r, "/readyz"); }

static bool host_ok(gd_connection *c, const gd_options *o, const char *host, size_t length) {
    return gd_guard_host_ok(host, length, &o->allow_host, NULL) ||
           gd_guard_host_ok(host, length, &o->allow_host, gd_connection_local(c));
}

/* Who may ask: the right name, the right page, the token. */
static const gd_refusal *check_caller(gd_connection *c, const gd_options *o, const char *authority,
                                      size_t authority_length) {
    gd_request *r = &c->request;
    const gd_head *h = &r->head;
    if (h->host && !host_ok(c, o, h->host, strlen(h->host))) return &bad_host;
    if (authority && !host_ok(c, o, authority, authority_length)) return &bad_host;
    if (h->origin) {
        if (!gd_guard_origin_ok(h->origin, h->host, &o->allow_origin)) return &bad_origin;
        r->cors = h->origin;
        if (h->preflight_method && !strcmp(r->method, "OPTIONS")) return NULL; /* browsers send it without the token */
    }
    if (*o->token && !is_open(r) && !gd_guard_token_ok(h->authorization, o->token)) return &no_token;
    return NULL;
}

/* The first reason to refuse. Those that leave the framing in doubt end the connection. */
static const gd_refusal *check_head(gd_server *server, gd_connection *c, const char *version) {
    gd_request *r = &c->request;
    const char *authority;
    size_t authority_length;
    const gd_refusal *refusal = gd_guard_target(r->target, &r->path, &authority, &authority_length);
    r->path_length = strcspn(r->path, "?");
    if (!refusal) refusal = gd_guard_framing(&r->head, r->method, version, &r->length);
    r->close = refusal != NULL;
    r->sized = r->length != UINT64_MAX;
    if (refusal) return refusal;
    if (r->sized && r->length > server->options->max_body) return &too_large;
    return check_caller(c, server->options, authority, authority_length);
}

static enum MHD_Result refuse(gd_server *server, gd_connection *c, const gd_refusal *refusal) {
    gd_request *r = &c->request;
    gd_api_problem(&r->answer, refusal->status, refusal->code, refusal->detail, r->id);
    return gd_request_answer(server, c);
}

static void fill_api_request(gd_request *r) {
    char *query = strchr(r->path, '?');
    if (query) *query++ = 0;
    r->api = (gd_api_request){.method = r->method,
                              .path = r->path,
                              .query = query,
                              .content_type = r->head.content_type,
                              .content_encoding = r->head.content_encoding,
                              .if_match = r->head.if_match,
                              .if_none_match = r->head.if_none_match,
                              .accept = r->head.accept,
                              .user_agent = r->head.user_agent,
                              .id = r->id,
                              .start_ns = r->start_ns};
}

static bool has_body(const gd_request *r) { return r->length > 0; }

enum MHD_Result gd_request_head(gd_server *server, gd_connection *c, const char *method, const char *version) {
    gd_request *r = &c->request;
    if (atomic_load(&c->phase) == GD_PHASE_CUT) return MHD_NO;
    r->method = method;
    r->path = r->target ? r->target : "";
    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, on_field, &r->head);
    choose_id(server, r);
    if (!r->refusal) r->refusal = check_head(server, c, version);
    r->stage = GD_STAGE_BODY;
    /* A short body is read before it is refused, so that the connection can go on; anything else is refused at once. */
    bool at_once =
        r->close || r->refusal == &no_memory || r->refusal == &too_large || !r->sized || r->length > SWALLOWED;
    if (r->refusal && at_once) {
        r->close = true;
        c->unread = true;
        return refuse(server, c, r->refusal);
    }
    if (has_body(r) && !gd_connection_enter(c, GD_PHASE_BODY)) return MHD_NO;
    if (r->refusal) return MHD_YES;
    fill_api_request(r);
    if (has_body(r)) r->upload = gd_api_upload_begin(server->api, &r->api, r->length);
    return MHD_YES;
}

/* ---- the body ---- */

/* Room for n more bytes and a NUL. Up to 4 MiB of what was announced is asked for at once, then the buffer doubles: a
 * client must send before it costs much. */
static bool reserve(gd_request *r, size_t n) {
    size_t need = (size_t)r->received + n + 1;
    if (need <= r->capacity) return true;
    size_t wanted = r->sized && r->length < WHOLE_BODY ? (size_t)r->length + 1 : r->capacity * 2;
    if (r->sized && wanted > r->length + 1) wanted = (size_t)r->length + 1;
    if (wanted < need) wanted = need;
    if (wanted < 1024) wanted = 1024;
    char *body = realloc(r->body, wanted);
    if (!body) return false;
    r->body = body;
    r->capacity = wanted;
    return true;
}

/* Ends a request whose body is still coming: the library cannot queue an answer then, so it is sent past it. */
static enum MHD_Result refuse_midway(gd_connection *c, const gd_refusal *refusal) {
    gd_request *r = &c->request;
    char head[512];
    if (!gd_connection_enter(c, GD_PHASE_ANSWER)) return MHD_NO;
    gd_api_problem(&r->answer, refusal->status, refusal->code, refusal->detail, r->id);
    int n = snprintf(
        head, sizeof head,
        "HTTP/1.1 %d Refused\r\nContent-Type: application/problem+json\r\nConnection: close\r\nX-Request-Id: %s\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: %zu\r\n\r\n",
        refusal->status, r->id, r->answer.length);
    struct iovec parts[] = {{head, (size_t)n}, {(void *)(uintptr_t)r->answer.body, r->answer.length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    (void)!sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    r->status = (unsigned)refusal->status;
    r->sent = r->answer.length;
    c->unread = true;
    return MHD_NO;
}

enum MHD_Result gd_request_body(gd_server *server, gd_connection *c, const char *data, size_t n) {
    gd_request *r = &c->request;
    if (atomic_load_explicit(&c->phase, memory_order_relaxed) == GD_PHASE_CUT) return MHD_NO;
    if (n > server->options->max_body - r->received) return refuse_midway(c, &too_large);
    if (r->refusal)
        r->received += n;
    else if (r->upload) {
        r->received += n;
        if (!gd_api_upload_write(r->upload, data, n)) return refuse_midway(c, &no_memory);
    } else {
        if (!reserve(r, n)) return refuse_midway(c, &no_memory);
        memcpy(r->body + r->received, data, n);
        r->received += n;
        r->body[r->received] = 0;
    }
    atomic_store_explicit(&c->bytes, r->received, memory_order_relaxed);
    return MHD_YES;
}

/* ---- the work ---- */

/* The session's name in /v1/sessions/NAME…; NULL and length 0 if there is none. */
static const char *session_of(const gd_request *r, size_t *length) {
    static const char prefix[] = "/v1/sessions/";
    size_t n = sizeof prefix - 1;
    *length = 0;
    if (r->path_length <= n || memcmp(r->path, prefix, n)) return NULL;
    *length = strcspn(r->path + n, "/?");
    return r->path + n;
}

static void on_worker(gd_job *job) {
    gd_connection *c = (gd_connection *)((char *)job - offsetof(gd_connection, request) - offsetof(gd_request, job));
    gd_server *server = (gd_server *)((char *)c->all - offsetof(gd_server, connections));
    gd_api_handle(server->api, &c->request.api, &c->request.answer);
    gd_watch_remove(server->watch, &c->request.watched);
    MHD_resume_connection(c->mhd);
}

/* Requests of one session wait for each other; but that the session is deleted waits for nobody. */
static void set_key(gd_request *r) {
    gd_job *job = &r->job;
    job->key = session_of(r, &job->key_length);
    if (job->key && !job->key[job->key_length] && !strcmp(r->method, "DELETE")) job->key_length = 0;
}

static enum MHD_Result run_on_worker(gd_server *server, gd_connection *c) {
    if (!gd_workers_claim(server->workers)) return refuse(server, c, &too_busy);
    c->request.stage = GD_STAGE_WORK;
    c->request.job.run = on_worker;
    set_key(&c->request);
    c->request.api.stop = &c->request.watched.stop;
    gd_watch_add(server->watch, &c->request.watched, c->fd);
    MHD_suspend_connection(c->mhd); /* before the job can resume it */
    gd_workers_submit(server->workers, &c->request.job);
    return MHD_YES;
}

enum MHD_Result gd_request_run(gd_server *server, gd_connection *c) {
    gd_request *r = &c->request;
    if (!gd_connection_enter(c, GD_PHASE_WORK)) return MHD_NO;
    if (r->refusal) return refuse(server, c, r->refusal);
    if (r->cors && r->head.preflight_method && !strcmp(r->method, "OPTIONS")) {
        r->answer.status = MHD_HTTP_NO_CONTENT;
        return gd_request_answer(server, c);
    }
    r->api.body = r->upload || r->received == 0 ? "" : r->body;
    r->api.body_length = r->upload ? 0 : (size_t)r->received;
    r->api.upload = r->upload;
    return gd_api_try(server->api, &r->api, &r->answer) ? gd_request_answer(server, c) : run_on_worker(server, c);
}

/* ---- the answer ---- */

static void add_cors(struct MHD_Response *m, const gd_request *r) {
    MHD_add_response_header(m, "Access-Control-Allow-Origin", r->cors);
    MHD_add_response_header(m, "Vary", "Origin");
    MHD_add_response_header(m, "Access-Control-Expose-Headers", "Location, X-Request-Id, Allow, Retry-After, ETag");
    if (!r->head.preflight_method) return;
    MHD_add_response_header(m, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    MHD_add_response_header(
        m, "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Content-Encoding, Accept, If-Match, If-None-Match, X-Request-Id");
    MHD_add_response_header(m, "Access-Control-Allow-Private-Network", "true");
    MHD_add_response_header(m, "Access-Control-Max-Age", "600");
}

static bool reads(const gd_request *r) { return r->method[0] == 'G' || r->method[0] == 'H'; }

static bool closes(gd_server *server, const gd_request *r) {
    return r->close || atomic_load_explicit(&server->draining, memory_order_relaxed);
}

/* Every request has an id in the log. Its client hears of it where it gave one, may want to quote it, or only reads: a
 * header costs as much as a small op, and a small op's answer needs none. */
static bool tells_id(const gd_request *r) { return reads(r) || r->head.request_id || r->answer.status >= 400; }

static void add_headers(gd_server *server, struct MHD_Response *m, const gd_request *r) {
    const gd_api_response *a = &r->answer;
    if (tells_id(r)) MHD_add_response_header(m, "X-Request-Id", r->id);
    if (reads(r)) { /* what a browser may show or a cache may keep */
        MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
        MHD_add_response_header(m, "Cache-Control", "no-store");
    }
    if (a->content_type && a->status != MHD_HTTP_NO_CONTENT)
        MHD_add_response_header(m, "Content-Type", a->content_type);
    if (a->location) MHD_add_response_header(m, "Location", a->location);
    if (a->allow) MHD_add_response_header(m, "Allow", a->allow);
    if (a->etag) MHD_add_response_header(m, "ETag", a->etag);
    if (a->status == MHD_HTTP_UNSUPPORTED_MEDIA_TYPE) MHD_add_response_header(m, "Accept-Encoding", "gzip, zstd");
    if (a->status == MHD_HTTP_UNAUTHORIZED) MHD_add_response_header(m, "WWW-Authenticate", "Bearer realm=\"gradd\"");
    if (a->status == MHD_HTTP_SERVICE_UNAVAILABLE) MHD_add_response_header(m, "Retry-After", "1");
    if (r->cors) add_cors(m, r);
    if (closes(server, r)) MHD_add_response_header(m, "Connection", "close");
}

/* A response of its own for this request. The body lives in the request until the library has sent it: nothing is
 * copied. */
static struct MHD_Response *new_response(gd_server *server, const gd_request *r) {
    const gd_api_response *a = &r->answer;
    const struct MHD_IoVec parts[] = {{a->body, a->length}, {a->rest, a->rest_length}};
    struct MHD_Response *m =
        a->rest ? MHD_create_response_from_iovec(parts, 2, NULL, NULL)
                : MHD_create_response_from_buffer(a->length, (void *)(uintptr_t)a->body, MHD_RESPMEM_PERSISTENT);
    if (m) add_headers(server, m, r);
    return m;
}

/* Is the answer short, with no header but its type? */
static bool may_keep(gd_server *server, const gd_request *r) {
    const gd_api_response *a = &r->answer;
    return a->length > 0 && a->length <= GD_KEPT_ANSWER && a->status < 300 && a->content_type && !tells_id(r) &&
           !a->rest && !a->location && !a->allow && !a->etag && !r->cors && !closes(server, r);
}

/* The connection's own response with this answer in it; NULL if memory is out. The library is done with the answer
 * before, for it asks for this one only then. */
static struct MHD_Response *kept_response(gd_connection *c) {
    const gd_api_response *a = &c->request.answer;
    gd_kept_response *k = &c->kept;
    if (k->response && (k->length != a->length || k->content_type != a->content_type)) {
        MHD_destroy_response(k->response);
        k->response = NULL;
    }
    if (!k->body && !(k->body = malloc(GD_KEPT_ANSWER))) return NULL;
    memcpy(k->body, a->body, a->length);
    if (k->response) return k->response;
    k->response = MHD_create_response_from_buffer(a->length, k->body, MHD_RESPMEM_PERSISTENT);
    if (k->response) MHD_add_response_header(k->response, "Content-Type", a->content_type);
    k->length = a->length;
    k->content_type = a->content_type;
    return k->response;
}

enum MHD_Result gd_request_answer(gd_server *server, gd_connection *c) {
    gd_request *r = &c->request;
    if (r->answer.status == GD_STATUS_LEFT) return MHD_NO; /* nobody is there */
    bool keep = may_keep(server, r);
    struct MHD_Response *m = keep ? kept_response(c) : new_response(server, r);
    if (!m) return MHD_NO;
    r->stage = GD_STAGE_ANSWERED;
    r->status = (unsigned)r->answer.status;
    r->sent = r->answer.length + r->answer.rest_length;
    atomic_store_explicit(&c->bytes, r->sent, memory_order_relaxed);
    enum MHD_Result result =
        gd_connection_enter(c, GD_PHASE_ANSWER) ? MHD_queue_response(c->mhd, r->status, m) : MHD_NO;
    if (!keep) MHD_destroy_response(m);
    return result;
}

/* ---- the end ---- */

static void log_request(gd_connection *c) {
    gd_request *r = &c->request;
    if (r->status == 0) r->status = atomic_load(&c->phase) == GD_PHASE_CUT ? MHD_HTTP_REQUEST_TIMEOUT : GD_STATUS_LEFT;
    if (!*r->id || !gd_log_wants(gd_log_level_of(r->status))) return;
    gd_access a = {.id = r->id,
                   .method = r->method,
                   .path = r->path,
                   .path_length = r->path_length,
                   .status = r->status,
                   .bytes_in = r->received,
                   .bytes_out = r->sent,
                   .micros = (uv_hrtime() - r->start_ns) / 1000};
    a.session = session_of(r, &a.session_length);
    gd_log_access(&a);
}

static void reset(gd_request *r) {
    char *body = r->body;
    size_t capacity = r->capacity;
    if (r->target != r->short_target) free(r->target);
    gd_api_upload_free(r->upload);
    gd_api_response_free(&r->answer);
    if (capacity > GD_KEPT_BODY) free(body), body = NULL, capacity = 0;
    memset(r, 0, offsetof(gd_request, short_target));
    memset((char *)r + offsetof(gd_request, target), 0, sizeof *r - offsetof(gd_request, target));
    r->body = body;
    r->capacity = capacity;
}

void gd_request_end(gd_server *server, gd_connection *c) {
    gd_request *r = &c->request;
    bool started = r->started;
    log_request(c);
    reset(r);
    gd_connection_enter(c, GD_PHASE_IDLE);
    atomic_fetch_add_explicit(&server->answered, 1, memory_order_relaxed);
    if (started) atomic_fetch_sub(&server->active, 1);
}

void gd_request_free(gd_request *r) {
    reset(r);
    free(r->body);
    r->body = NULL;
}
