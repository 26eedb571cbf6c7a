/* metrics.c: counters, and GET /metrics in Prometheus' text format 0.0.4. */
#include "api/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Upper bounds of the durations' buckets, in ns; +Inf is one more. */
static const uint64_t bounds[] = {10000,    50000,    100000,    500000,    1000000,    5000000,
                                  10000000, 50000000, 100000000, 500000000, 1000000000, 10000000000};
enum {
    BUCKETS = sizeof bounds / sizeof *bounds,
    STATUSES = 23,
    OUTCOMES = GD_PROGRAM_LIMIT + 1,
    LIMITS = GD_LIMIT_STOPPED + 1
};

static const int statuses[STATUSES] = {200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409,
                                       411, 412, 413, 414, 415, 422, 429, 499, 500, 503, 0 /* others */};
static const char *const outcomes[OUTCOMES] = {"ok", "syntax_error", "exception", "limit"};

typedef struct counters {
    _Atomic uint64_t by_status[STATUSES];
    _Atomic uint64_t buckets[BUCKETS + 1];
    _Atomic uint64_t nanoseconds;
} counters;

struct gd_metrics {
    counters routes[GD_MAX_ROUTES + 1];                 /* the last: no route */
    _Atomic uint64_t evaluations[GD_EVAL_CHECK + 1][2]; /* by kind; failed, done */
    _Atomic uint64_t programs_running, programs[OUTCOMES], limited[LIMITS];
};

gd_metrics *gd_metrics_new(void) { return calloc(1, sizeof(gd_metrics)); }
void gd_metrics_free(gd_metrics *m) { free(m); }

uint64_t gd_metrics_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void add(_Atomic uint64_t *counter, uint64_t n) { atomic_fetch_add_explicit(counter, n, memory_order_relaxed); }

void gd_metrics_count(gd_metrics *m, const gd_route *route, int status, uint64_t nanoseconds) {
    counters *c = &m->routes[route ? (size_t)(route - gd_routes) : GD_MAX_ROUTES];
    size_t s = 0, b = 0;
    while (s < STATUSES - 1 && statuses[s] != status) s++;
    while (b < BUCKETS && nanoseconds > bounds[b]) b++;
    add(&c->by_status[s], 1);
    add(&c->buckets[b], 1);
    add(&c->nanoseconds, nanoseconds);
}

void gd_metrics_program_begin(gd_metrics *m) { add(&m->programs_running, 1); }

void gd_metrics_program_end(gd_metrics *m, const gd_program_result *r) {
    add(&m->programs_running, UINT64_MAX); /* one less */
    add(&m->programs[r->status], 1);
    if (r->status == GD_PROGRAM_LIMIT) add(&m->limited[r->limit], 1);
}

void gd_metrics_evaluation(gd_metrics *m, gd_eval_kind kind, bool ok) { add(&m->evaluations[kind][ok], 1); }

/* ---- the page ------------------------------------------------------------------------------ */

static uint64_t get(const _Atomic uint64_t *counter) { return atomic_load_explicit(counter, memory_order_relaxed); }

static const char *method_of(size_t i) { return i < gd_route_count ? gd_routes[i].method : ""; }
static const char *path_of(size_t i) { return i < gd_route_count ? gd_routes[i].path : "none"; }

static void put_requests(gd_text *t, const gd_metrics *m) {
    GD_TEXT_LIT(t, "# HELP gradd_http_requests_total Requests answered, by route and status.\n"
                   "# TYPE gradd_http_requests_total counter\n");
    for (size_t i = 0; i <= GD_MAX_ROUTES; i++)
        for (size_t s = 0; s < STATUSES; s++) {
            uint64_t n = get(&m->routes[i].by_status[s]);
            char status[16];
            snprintf(status, sizeof status, "%d", statuses[s]);
            if (n)
                gd_text_f(t, "gradd_http_requests_total{method=\"%s\",route=\"%s\",status=\"%s\"} %llu\n", method_of(i),
                          path_of(i), statuses[s] ? status : "other", (unsigned long long)n);
        }
}

static void put_histogram(gd_text *t, const counters *c, size_t i) {
    uint64_t sum = 0;
    for (size_t b = 0; b <= BUCKETS; b++) {
        sum += get(&c->buckets[b]);
        gd_text_f(t, "gradd_http_request_duration_seconds_bucket{method=\"%s\",route=\"%s\",le=\"", method_of(i),
                  path_of(i));
        if (b < BUCKETS)
            gd_text_f64(t, (double)bounds[b] / 1e9);
        else
            GD_TEXT_LIT(t, "+Inf");
        gd_text_f(t, "\"} %llu\n", (unsigned long long)sum);
    }
    gd_text_f(t, "gradd_http_request_duration_seconds_sum{method=\"%s\",route=\"%s\"} %.9f\n", method_of(i), path_of(i),
              (double)get(&c->nanoseconds) / 1e9);
    gd_text_f(t, "gradd_http_request_duration_seconds_count{method=\"%s\",route=\"%s\"} %llu\n", method_of(i),
              path_of(i), (unsigned long long)sum);
}

static void put_durations(gd_text *t, const gd_metrics *m) {
    GD_TEXT_LIT(
        t, "# HELP gradd_http_request_duration_seconds Time from the whole request to the whole answer, by route.\n"
           "# TYPE gradd_http_request_duration_seconds histogram\n");
    for (size_t i = 0; i <= GD_MAX_ROUTES; i++) {
        uint64_t n = 0;
        for (size_t b = 0; b <= BUCKETS; b++) n += get(&m->routes[i].buckets[b]);
        if (n) put_histogram(t, &m->routes[i], i);
    }
}

static void put_gauge(gd_text *t, const char *name, const char *help, uint64_t value) {
    gd_text_f(t, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name, (unsigned long long)value);
}

static void put_programs(gd_text *t, const gd_metrics *m) {
    GD_TEXT_LIT(t, "# HELP gradd_programs_total Programs run, by how they ended.\n"
                   "# TYPE gradd_programs_total counter\n");
    for (size_t i = 0; i < OUTCOMES; i++)
        gd_text_f(t, "gradd_programs_total{outcome=\"%s\"} %llu\n", outcomes[i],
                  (unsigned long long)get(&m->programs[i]));
    GD_TEXT_LIT(t, "# HELP gradd_program_limits_total Programs that were ended by a limit, or stopped.\n"
                   "# TYPE gradd_program_limits_total counter\n");
    for (size_t i = GD_LIMIT_NONE + 1; i < LIMITS; i++)
        gd_text_f(t, "gradd_program_limits_total{limit=\"%s\"} %llu\n", gd_limit_name((gd_limit)i),
                  (unsigned long long)get(&m->limited[i]));
    put_gauge(t, "gradd_programs_running", "Programs that run now.", get(&m->programs_running));
}

static void put_evaluations(gd_text *t, const gd_metrics *m) {
    static const char *const kinds[GD_EVAL_CHECK + 1] = {
        [GD_EVAL_VALUE] = "evaluate",  [GD_EVAL_GRADIENT] = "gradient",
        [GD_EVAL_VJP] = "vjp",         [GD_EVAL_JVP] = "jvp",
        [GD_EVAL_HVP] = "hvp",         [GD_EVAL_JACOBIAN] = "jacobian",
        [GD_EVAL_HESSIAN] = "hessian", [GD_EVAL_ABSTRACT] = "abstract_eval",
        [GD_EVAL_CHECK] = "check"};
    GD_TEXT_LIT(t, "# HELP gradd_evaluations_total Evaluations of stored functions, by kind and how they ended.\n"
                   "# TYPE gradd_evaluations_total counter\n");
    for (size_t kind = 0; kind <= GD_EVAL_CHECK; kind++)
        for (size_t ok = 0; ok < 2; ok++)
            gd_text_f(t, "gradd_evaluations_total{kind=\"%s\",outcome=\"%s\"} %llu\n", kinds[kind], ok ? "ok" : "error",
                      (unsigned long long)get(&m->evaluations[kind][ok]));
}

static void put_functions(gd_text *t, gd_functions *functions) {
    size_t plans, bytes;
    gd_functions_plans(functions, &plans, &bytes);
    put_gauge(t, "gradd_functions", "Stored functions.", gd_functions_count(functions));
    put_gauge(t, "gradd_compiled_plans", "Compiled plans of stored functions.", plans);
    put_gauge(t, "gradd_compiled_plan_bytes", "Bytes that compiled plans take.", bytes);
}

/* Sums over the sessions, a page at a time. */
static void sum_sessions(gd_registry *registry, uint64_t *tensors, uint64_t *nodes) {
    gd_session_info infos[32];
    char after[sizeof infos[0].name] = "";
    bool more = true;
    while (more) {
        size_t n = gd_registry_list(registry, *after ? after : NULL, 32, infos, &more);
        for (size_t i = 0; i < n; i++) *tensors += infos[i].tensors, *nodes += infos[i].nodes;
        if (n == 0) break;
        memcpy(after, infos[n - 1].name, sizeof after);
    }
}

void gd_handle_metrics(gd_exchange *x) {
    gd_text *t = &x->out;
    uint64_t tensors = 0, nodes = 0;
    sum_sessions(gd_api_registry(x->api), &tensors, &nodes);
    put_requests(t, gd_api_metrics(x->api));
    put_durations(t, gd_api_metrics(x->api));
    put_programs(t, gd_api_metrics(x->api));
    put_evaluations(t, gd_api_metrics(x->api));
    put_functions(t, gd_api_functions(x->api));
    put_gauge(t, "gradd_sessions", "Sessions held.", gd_registry_count(gd_api_registry(x->api)));
    put_gauge(t, "gradd_tensors", "Named tensors in all sessions.", tensors);
    put_gauge(t, "gradd_graph_nodes", "Live nodes of the recorded graphs.", nodes);
    put_gauge(t, "gradd_tensor_bytes", "Bytes charged for tensors.", gd_account_used(NULL));
    put_gauge(t, "gradd_allocator_cached_bytes", "Bytes of free blocks kept for reuse.", gd_allocator_cached());
    gd_text_f(
        t, "# HELP gradd_build_info The version.\n# TYPE gradd_build_info gauge\ngradd_build_info{version=\"%s\"} 1\n",
        GRADD_VERSION);
    x->content_type = "text/plain; version=0.0.4; charset=utf-8";
}
