/* http.c: starts and stops libmicrohttpd and hands its calls to the connections and requests. */
#include "server/http.h"

#include "server/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    MEMORY_PER_CONNECTION =
        12 * 1024, /* the largest head and a piece of the body; cleared for each request, so no larger */
    HTTP_STACK_BYTES = 1024 * 1024,
    BACKLOG = 1024,
    MOST_CONNECTIONS = 8192,
    RESERVED_FILES = 64, /* listening, epoll, log, lingering sockets… */
    JOBS_PER_WORKER = 256,
    LEAST_WORKERS = 4 /* so that a few long programs leave room for others; they share the processors */
};

/* ---- the library's calls ---- */

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    gd_server *server = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = gd_connection_open(&server->connections, mhd);
    else if (*context)
        gd_connection_close(*context);
}

static void *on_target(void *cls, const char *target, struct MHD_Connection *mhd) {
    gd_connection *c = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (c) gd_request_begin(cls, c, target);
    return c;
}

static enum MHD_Result on_call(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **context) {
    (void)mhd;
    (void)url; /* unescaped: %2F would have become a slash */
    gd_connection *c = *context;
    if (!c) return MHD_NO; /* memory was out when it was accepted */
    switch (c->request.stage) {
    case GD_STAGE_HEAD: return gd_request_head(cls, c, method, version);
    case GD_STAGE_BODY:
        if (*size == 0) return gd_request_run(cls, c);
        if (gd_request_body(cls, c, data, *size) == MHD_NO) return MHD_NO;
        *size = 0;
        return MHD_YES;
    case GD_STAGE_WORK: return gd_request_answer(cls, c);
    case GD_STAGE_ANSWERED: break;
    }
    return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code) {
    (void)mhd;
    (void)code;
    gd_connection *c = *context;
    if (c) gd_request_end(cls, c);
    *context = NULL;
}

__attribute__((format(printf, 2, 0))) static void on_message(void *cls, const char *format, va_list args) {
    (void)cls;
    char text[512];
    if (!gd_log_wants(GD_LOG_DEBUG)) return; /* mostly clients that went away */
    int n = vsnprintf(text, sizeof text, format, args);
    while (n > 0 && n < (int)sizeof text && text[n - 1] == '\n') text[--n] = 0;
    gd_log(GD_LOG_DEBUG, "libmicrohttpd: %s", text);
}

/* ---- starting ---- */

static size_t connection_limit(void) {
    struct rlimit files = {1024, 1024};
    getrlimit(RLIMIT_NOFILE, &files);
    rlim_t wanted = MOST_CONNECTIONS + RESERVED_FILES;
    if (files.rlim_cur < wanted) {
        files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &files);
        getrlimit(RLIMIT_NOFILE, &files);
    }
    size_t room =
        files.rlim_cur > 2 * RESERVED_FILES ? (size_t)files.rlim_cur - RESERVED_FILES : (size_t)files.rlim_cur / 2;
    return room < MOST_CONNECTIONS ? room : MOST_CONNECTIONS;
}

/* A listening socket of our own: the library's would not tell why it failed. -1 with errno. */
static int listen_on(const gd_address *a) {
    int fd = socket(a->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it: no 40 ms stalls */
    if (!bind(fd, (const struct sockaddr *)&a->socket, a->length) && !listen(fd, BACKLOG)) return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static unsigned thread_count(uint32_t wanted, unsigned least) {
    unsigned processors = uv_available_parallelism();
    return wanted ? wanted : processors < least ? least : processors;
}

static struct MHD_Daemon *start_daemon(gd_server *server, int fd, size_t limit) {
    unsigned threads = thread_count(server->options->threads, 1);
    if (threads > limit / 2) threads = (unsigned)(limit / 2);
    struct MHD_OptionItem pool[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
                            on_call, server, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)limit, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)GD_IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)MEMORY_PER_CONNECTION, MHD_OPTION_THREAD_STACK_SIZE, (size_t)HTTP_STACK_BYTES,
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_URI_LOG_CALLBACK, on_target,
                            server, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

/* What gd_server_start has made so far, undone. */
static void undo(gd_server *server, gd_linger *linger) {
    gd_workers_free(server->workers);
    gd_linger_free(linger);
    gd_watch_free(server->watch);
    server->workers = NULL;
    server->watch = NULL;
}

bool gd_server_start(gd_server *server, uv_loop_t *loop, char *message, size_t message_size) {
    size_t limit = connection_limit();
    server->closed_listener = -1;
    unsigned workers = thread_count(server->options->workers, LEAST_WORKERS);
    gd_linger *linger = gd_linger_new(loop);
    server->workers = gd_workers_new(workers, (size_t)workers * JOBS_PER_WORKER);
    server->watch = gd_watch_new(loop);
    if (getrandom(&server->id_seed, sizeof server->id_seed, GRND_NONBLOCK) < 0) server->id_seed = uv_hrtime();
    if (!linger || !server->workers || !server->watch || !gd_connections_init(&server->connections, limit, linger)) {
        undo(server, linger);
        return snprintf(message, message_size, "not enough memory or threads to start"), false;
    }
    int fd = listen_on(&server->options->listen);
    if (fd >= 0) server->daemon = start_daemon(server, fd, limit);
    if (server->daemon) return true;
    snprintf(message, message_size, "cannot listen: %s", fd < 0 ? strerror(errno) : "the HTTP threads did not start");
    if (fd >= 0) close(fd);
    gd_connections_destroy(&server->connections);
    undo(server, linger);
    return false;
}

void gd_server_url(const gd_server *server, char *text, size_t size) {
    struct sockaddr_storage a = {0};
    socklen_t length = sizeof a;
    char host[INET6_ADDRSTRLEN] = "";
    int fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
    getsockname(fd, (struct sockaddr *)&a, &length);
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a;
    bool v6 = a.ss_family == AF_INET6;
    inet_ntop(a.ss_family, v6 ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr, host, sizeof host);
    snprintf(text, size, v6 ? "http://[%s]:%u" : "http://%s:%u", host, ntohs(v6 ? in6->sin6_port : in->sin_port));
}

/* ---- ending ---- */

void gd_server_drain(gd_server *server) {
    atomic_store(&server->draining, true);
    gd_api_set_draining(server->api, true);
    server->closed_listener = MHD_quiesce_daemon(server->daemon);
    /* New clients are refused from here on; the threads may still hold the descriptor. */
    if (server->closed_listener >= 0) shutdown(server->closed_listener, SHUT_RDWR);
}

bool gd_server_quiet(gd_server *server) {
    return atomic_load(&server->active) == 0 && gd_workers_count(server->workers) == 0;
}

void gd_server_stop(gd_server *server) {
    gd_linger *linger = server->connections.linger;
    MHD_stop_daemon(server->daemon);
    if (server->closed_listener >= 0) close(server->closed_listener);
    undo(server, linger);
    gd_connections_destroy(&server->connections);
}
