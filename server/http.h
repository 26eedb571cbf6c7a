/* http.h: the HTTP server: libmicrohttpd's threads, the connections, the workers. */
#ifndef GD_SERVER_HTTP_H
#define GD_SERVER_HTTP_H

#include "api/api.h"
#include "server/connection.h"
#include "server/watch.h"
#include "server/workers.h"

#include <stdatomic.h>

typedef struct gd_server {
    const gd_options *options;
    gd_api *api;
    gd_workers *workers;
    gd_watch *watch; /* of clients for whom a worker works */
    struct MHD_Daemon *daemon;
    gd_connections connections;
    _Atomic bool draining;
    _Atomic size_t active;     /* requests begun and not yet answered */
    _Atomic uint64_t answered; /* since the start */
    uint64_t id_seed;
    int closed_listener; /* no longer accepts; closed when no thread can look at it */
} gd_server;

/* Starts to listen on options->listen; `server` is zero-initialised but for options and api. Lingering sockets are
 * read, and clients that leave noticed, on `loop`. False with a one-line reason. */
bool gd_server_start(gd_server *server, uv_loop_t *loop, char *message, size_t message_size);
/* "http://127.0.0.1:4242", with the port that was really taken. */
void gd_server_url(const gd_server *server, char *text, size_t size);
/* Stops accepting; answers from now on close their connections. */
void gd_server_drain(gd_server *server);
/* True when no request is being answered. */
bool gd_server_quiet(gd_server *server);
/* Ends everything; gd_server_quiet must be true. */
void gd_server_stop(gd_server *server);

#endif
