/* api.c: a request from its route to its answer. */
#include "api/api.h"
#include "api/binary.h"
#include "api/encoding.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/router.h"
#include "api/tesseract.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MAX_BODY = 256 * 1024 * 1024, PLAN_BYTES = 256 * 1024 * 1024 };

struct gd_api {
    gd_registry *registry;
    gd_functions *functions;
    gd_metrics *metrics;
    gd_program_limits program_limits;
    uint32_t processors;
    size_t max_body;
    bool umbridge_shmem;
    _Atomic bool draining;
    pthread_mutex_t lock; /* of openapi */
    gd_text openapi;      /* made when first asked for */
};

/* Those that this process may use. */
static uint32_t count_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (uint32_t)CPU_COUNT(&set);
}

gd_api *gd_api_new(gd_registry *registry) {
    gd_api *api = gd_init() == GD_OK ? calloc(1, sizeof *api) : NULL;
    if (!api) return NULL;
    api->registry = registry;
    api->program_limits = GD_PROGRAM_DEFAULT_LIMITS;
    api->processors = count_processors();
    api->max_body = MAX_BODY;
    api->metrics = gd_metrics_new();
    bool ok = api->metrics && gd_api_set_function_options(
                                  api, &(gd_function_options){.limits = api->program_limits, .plan_bytes = PLAN_BYTES});
    if (!ok || pthread_mutex_init(&api->lock, NULL)) {
        gd_functions_free(api->functions);
        gd_metrics_free(api->metrics);
        free(api);
        return NULL;
    }
    return api;
}

void gd_api_free(gd_api *api) {
    if (!api) return;
    pthread_mutex_destroy(&api->lock);
    gd_text_free(&api->openapi);
    gd_functions_free(api->functions);
    gd_metrics_free(api->metrics);
    free(api);
}

void gd_api_set_program_limits(gd_api *api, const gd_program_limits *limits) { api->program_limits = *limits; }
const gd_program_limits *gd_api_program_limits(const gd_api *api) { return &api->program_limits; }
uint32_t gd_api_processors(const gd_api *api) { return api->processors; }
void gd_api_set_max_body(gd_api *api, size_t bytes) { api->max_body = bytes; }
void gd_api_set_umbridge_shmem(gd_api *api, bool allowed) { api->umbridge_shmem = allowed; }
void gd_api_set_draining(gd_api *api, bool draining) { atomic_store(&api->draining, draining); }
bool gd_api_is_draining(const gd_api *api) { return atomic_load(&api->draining); }

bool gd_api_set_function_options(gd_api *api, const gd_function_options *options) {
    gd_functions *functions = gd_functions_new(options);
    if (!functions) return false;
    gd_functions_free(api->functions);
    api->functions = functions;
    return true;
}

gd_registry *gd_api_registry(gd_api *api) { return api->registry; }
gd_functions *gd_api_functions(gd_api *api) { return api->functions; }
gd_metrics *gd_api_metrics(gd_api *api) { return api->metrics; }

const char *gd_api_openapi(gd_api *api, size_t *length) {
    pthread_mutex_lock(&api->lock);
    if (api->openapi.n == 0) gd_openapi_write(&api->openapi);
    if (api->openapi.failed) gd_text_free(&api->openapi);
    *length = api->openapi.n;
    const char *text = api->openapi.n ? api->openapi.data : NULL;
    pthread_mutex_unlock(&api->lock);
    return text;
}

/* ---- one request --------------------------------------------------------------------------- */

static void begin(gd_exchange *x, gd_api *api, const gd_api_request *request, gd_api_response *response) {
    x->api = api;
    x->in = request;
    x->answer = response;
    x->route = NULL;
    x->status = 200;
    x->content_type = "application/json";
    x->out = (gd_text){0};
    x->answered = x->brief = x->declined = false;
    x->fault.code = NULL;
    x->session = NULL;
    x->ctx = NULL;
    gd_body_init(&x->body);
    x->decoded = NULL;
    x->source = NULL;
    x->source_bytes = 0;
    x->params[0][0] = x->params[1][0] = 0;
}

/* A compressed body becomes an ordinary one. */
static bool decode_body(gd_exchange *x) {
    const gd_api_request *in = x->in;
    gd_encoding encoding = gd_encoding_of(in->content_encoding);
    if (encoding == GD_ENCODING_NONE || in->body_length == 0) return true;
    if (encoding == GD_ENCODING_OTHER)
        return gd_refuse(x, "unsupported_encoding", "Content-Encoding is %.100s; send gzip, zstd or none.",
                         in->content_encoding);
    size_t n;
    if (!gd_decode(encoding, in->body, in->body_length, x->api->max_body, &x->decoded, &n, &x->fault)) return false;
    x->decoded_in = *in;
    x->decoded_in.content_encoding = NULL;
    x->decoded_in.body = x->decoded;
    x->decoded_in.body_length = n;
    x->in = &x->decoded_in;
    return true;
}

/* The body's type must be one that the route takes; a JSON one is read. */
static bool read_body(gd_exchange *x) {
    const gd_api_request *in = x->in;
    unsigned flags = x->route->flags;
    if (flags & GD_R_PROGRAM) return gd_read_program(x);
    if (!(flags & GD_R_JSON)) return true;
    bool empty = in->body_length == 0 && !in->upload;
    if (empty && (flags & GD_R_EMPTY)) return true;
    gd_form form = gd_form_of(in->content_type);
    if ((flags & GD_R_BINARY) && (form == GD_FORM_NPY || form == GD_FORM_RAW)) return true;
    if (form != GD_FORM_JSON)
        return gd_refuse(x, "unsupported_media_type", "Content-Type is %.100s; send %s.", in->content_type,
                         flags & GD_R_BINARY ? "application/json, application/x-npy or application/octet-stream"
                                             : "application/json");
    if (!gd_body_read(&x->body, in->body ? in->body : "", in->body_length, &x->fault)) return false;
    if (x->body.root || (flags & GD_R_EMPTY)) return true;
    return gd_refuse(x, "malformed_json", "The body is empty; this request takes a JSON document.");
}

static bool refuse_session(gd_exchange *x, gd_session_status status) {
    x->session = NULL;
    if (status == GD_SESSION_STOPPED) return gd_refuse_stopped(x);
    return gd_refuse(x, "unknown_session", "There is no session %s; PUT /v1/sessions/%s makes it.", x->params[0],
                     x->params[0]);
}

static bool entered(gd_exchange *x) {
    x->ctx = gd_session_ctx(x->session);
    x->ctx->error.code = GD_OK;
    return true;
}

static bool enter_session(gd_exchange *x) {
    if (!(x->route->flags & GD_R_SESSION) || x->session) return true;
    const _Atomic bool *stop = x->route->flags & GD_R_PROGRAM ? x->in->stop : NULL;
    if (stop && atomic_load(stop)) return gd_refuse_stopped(x);
    gd_session_status status = gd_session_acquire_unless(x->api->registry, x->params[0], stop, &x->session);
    return status == GD_SESSION_OK ? entered(x) : refuse_session(x, status);
}

/* Enters the session of a request that will not take long. False: it may, or the session is another's. */
static bool enter_briefly(gd_exchange *x) {
    bool busy = false;
    if (!gd_cost_may_be_small(x->route, x->in) || gd_encoding_of(x->in->content_encoding)) return false;
    if (!(x->route->flags & GD_R_SESSION)) return true;
    if (gd_session_try_acquire(x->api->registry, x->params[0], &x->session, &busy) != GD_SESSION_OK) return !busy;
    if (gd_cost_is_small(x->route, x->session, x->in, x->params[1])) return entered(x);
    gd_session_unlock(x->session);
    return false;
}

static void finish(gd_exchange *x) {
    if (x->fault.code) {
        gd_text_free(&x->out);
        gd_api_response_free(x->answer);
        gd_problem_answer(x->answer, &x->fault, x->status >= 400 ? x->status : 0, x->in->path, x->in->id);
        if (!strcmp(x->fault.code, "method_not_allowed")) x->answer->allow = x->answer->text;
    } else if (!x->answered) {
        if (x->out.n && x->out.data[x->out.n - 1] != '\n') GD_TEXT_LIT(&x->out, "\n");
        gd_answer_text(x->answer, &x->out, x->status, x->content_type);
    }
}

/* False: `brief`, and it would not be. */
static bool run(gd_exchange *x, bool brief) {
    bool options = false;
    unsigned without = x->api->umbridge_shmem ? 0 : GD_R_SHMEM;
    x->route = gd_route_find(x->in->method, x->in->path, without, x->params, x->answer->text, &options, &x->fault);
    if (options) {
        x->status = 204;
        x->answer->allow = x->answer->text;
    }
    if (!x->route) return gd_tess_refuse_path(x), true;
    if (brief && !enter_briefly(x)) return false;
    x->brief = brief;
    x->status = x->route->status;
    if (decode_body(x) && read_body(x) && enter_session(x)) x->route->handle(x);
    gd_body_free(&x->body); /* without the session: others may go on */
    free(x->decoded);
    if (x->session) gd_session_unlock(x->session);
    return !x->declined;
}

static bool handle(gd_api *api, const gd_api_request *request, gd_api_response *response, bool brief) {
    gd_exchange x;
    uint64_t start = request->start_ns ? request->start_ns : gd_metrics_clock();
    begin(&x, api, request, response);
    if (!run(&x, brief)) {
        gd_text_free(&x.out); /* what it had begun to say */
        return false;
    }
    finish(&x);
    gd_metrics_count(api->metrics, x.route, response->status, gd_metrics_clock() - start);
    return true;
}

void gd_api_handle(gd_api *api, const gd_api_request *request, gd_api_response *response) {
    (void)handle(api, request, response, false);
}

bool gd_api_try(gd_api *api, const gd_api_request *request, gd_api_response *response) {
    return handle(api, request, response, true);
}
