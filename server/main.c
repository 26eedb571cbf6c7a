/* main.c: the process: settings, signals, the clock, and the order of starting and ending. */
#include "core/gradd.h"
#include "core/session/session.h"
#include "server/health.h"
#include "server/http.h"
#include "server/log.h"
#include "server/run.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    DRAIN_TICK_MS = 50,
    DRAIN_LIMIT_MS = 30 * 1000,
    STOP_LIMIT_MS = 1000, /* for those that are told to stop then */
    DRAIN_GRACE_MS = 250,
    TRIM_AFTER_MS = 10 * 1000
};

typedef struct process {
    gd_options options;
    gd_registry *registry;
    gd_server server;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt;
    uv_timer_t clock;
    uint64_t drain_since; /* ms; 0: serving */
    bool told_to_stop;
    uint64_t answered, busy_at; /* to notice idleness */
    bool trimmed;
} process;

/* ---- ending ---- */

static void end_at_once(const char *why) {
    gd_log(GD_LOG_WARN, "%s: stopping at once", why);
    gd_log_stop();
    _exit(0);
}

static void close_handles(process *p) {
    uv_close((uv_handle_t *)&p->terminate, NULL);
    uv_close((uv_handle_t *)&p->interrupt, NULL);
    uv_close((uv_handle_t *)&p->clock, NULL);
    gd_server_stop(&p->server);
}

static void on_drain_tick(uv_timer_t *timer) {
    process *p = timer->data;
    uint64_t age = gd_now_ms() - p->drain_since;
    gd_connections_sweep(&p->server.connections);
    if (age >= DRAIN_GRACE_MS) gd_connections_close_idle(&p->server.connections);
    if (age >= DRAIN_GRACE_MS && gd_server_quiet(&p->server))
        close_handles(p);
    else if (age >= DRAIN_LIMIT_MS + STOP_LIMIT_MS)
        end_at_once("requests still run after 30 seconds");
    else if (age >= DRAIN_LIMIT_MS && !p->told_to_stop) {
        p->told_to_stop = true;
        gd_watch_stop_all(p->server.watch);
    }
}

static void on_signal(uv_signal_t *handle, int number) {
    process *p = handle->data;
    if (p->drain_since) end_at_once("second signal");
    gd_log(GD_LOG_INFO, "%s: finishing what runs, then ending", number == SIGINT ? "SIGINT" : "SIGTERM");
    p->drain_since = gd_now_ms();
    gd_server_drain(&p->server);
    uv_timer_start(&p->clock, on_drain_tick, DRAIN_TICK_MS, DRAIN_TICK_MS);
}

/* ---- serving ---- */

/* Memory kept for the next large request goes back to the system when none has come for a while. */
static void trim_when_idle(process *p, uint64_t now) {
    uint64_t answered = atomic_load(&p->server.answered);
    if (answered != p->answered || !gd_server_quiet(&p->server)) {
        p->answered = answered;
        p->busy_at = now;
        p->trimmed = false;
    } else if (!p->trimmed && now - p->busy_at > TRIM_AFTER_MS) {
        gd_allocator_trim();
        malloc_trim(0);
        p->trimmed = true;
    }
}

static void on_tick(uv_timer_t *timer) {
    process *p = timer->data;
    size_t expired = gd_registry_expire(p->registry);
    if (expired > 0) gd_log(GD_LOG_INFO, "%zu idle sessions were deleted", expired);
    gd_connections_sweep(&p->server.connections);
    trim_when_idle(p, gd_now_ms());
}

static bool make_engine(process *p) {
    const gd_options *o = &p->options;
    gd_registry_options r = {.memory_bytes = gd_run_memory(o),
                             .session_memory_bytes = o->session_memory,
                             .max_sessions = o->max_sessions,
                             .session_ttl_seconds = o->session_ttl};
    if (gd_init() != GD_OK) return false;
    p->registry = gd_registry_new(&r);
    return p->registry != NULL;
}

static bool make_loop(process *p) {
    if (uv_loop_init(&p->loop)) return false;
    uv_signal_init(&p->loop, &p->terminate);
    uv_signal_init(&p->loop, &p->interrupt);
    uv_timer_init(&p->loop, &p->clock);
    p->terminate.data = p->interrupt.data = p->clock.data = p;
    return !uv_signal_start(&p->terminate, on_signal, SIGTERM) && !uv_signal_start(&p->interrupt, on_signal, SIGINT) &&
           !uv_timer_start(&p->clock, on_tick, TICK_MS, TICK_MS);
}

static int fail(const char *message, int code) {
    fprintf(stderr, "gradd: %s\n", message);
    return code;
}

static int serve(process *p) {
    char message[256], url[96];
    signal(SIGPIPE, SIG_IGN);
    /* Few arenas: each thread would otherwise keep memory of its own. */
    mallopt(M_ARENA_MAX, 4);
    if (!make_engine(p) || !make_loop(p)) return fail("not enough memory to start", 1);
    p->server.options = &p->options;
    if (!(p->server.api = gd_api_new(p->registry))) return fail("not enough memory to start", 1);
    gd_program_limits limits = gd_run_limits(&p->options);
    gd_api_set_program_limits(p->server.api, &limits);
    gd_api_set_max_body(p->server.api, p->options.max_body);
    gd_api_set_umbridge_shmem(p->server.api, p->options.umbridge_shmem);
    gd_function_options functions = {
        .limits = limits, .plan_bytes = p->options.plan_memory, .max_functions = p->options.max_functions};
    if (!gd_api_set_function_options(p->server.api, &functions)) return fail("not enough memory to start", 1);
    if (!gd_log_start((gd_log_format)p->options.log_format, (gd_log_level)p->options.log_level))
        return fail("not enough memory to start", 1);
    if (!gd_server_start(&p->server, &p->loop, message, sizeof message)) return fail(message, 1);
    gd_server_url(&p->server, url, sizeof url);
    fprintf(stderr, "gradd: listening on %s\n", url);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    gd_api_free(p->server.api);
    gd_registry_free(p->registry);
    gd_log_stop();
    return 0;
}

int main(int argc, char **argv) {
    static process p;
    char message[512];
    int code = gd_options_read(&p.options, argc, argv, message, sizeof message);
    if (code)
        fail(message, code);
    else
        switch (p.options.command) {
        case GD_COMMAND_SERVE: code = serve(&p); break;
        case GD_COMMAND_CHECK_CONFIG: gd_options_print(&p.options, stdout); break;
        case GD_COMMAND_HEALTHCHECK: code = gd_healthcheck(&p.options); break;
        case GD_COMMAND_RUN: code = gd_run(&p.options); break;
        case GD_COMMAND_RUN_HELP: gd_run_print_help(stdout); break;
        case GD_COMMAND_HELP: gd_options_print_help(stdout); break;
        case GD_COMMAND_VERSION: gd_options_print_version(stdout); break;
        }
    gd_options_free(&p.options);
    return code;
}
