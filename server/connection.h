/* connection.h: one TCP connection, the request on it, and the deadlines that libmicrohttpd has no options for. */
#ifndef GD_SERVER_CONNECTION_H
#define GD_SERVER_CONNECTION_H

#include "server/guard.h"
#include "server/linger.h"
#include "server/request.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <uv.h>

enum {
    GD_HEAD_MS = 10 * 1000,       /* from accepting, or from the request line, to the end of the head */
    GD_IDLE_SECONDS = 60,         /* a silent connection is closed */
    GD_BODY_GRACE_MS = 20 * 1000, /* after this a body must have come at GD_BODY_RATE */
    GD_BODY_RATE = 500,           /* bytes a second */
    GD_LOOK_MS = 500,
    GD_ANSWER_GRACE_MS = 60 * 1000,
    GD_ANSWER_RATE = 10 * 1000 /* bytes a second at which a client must read a long answer */
};

/* What a connection is doing; each phase has its deadline. The connection's own thread moves it on; the thread of the
 * deadlines may take it to GD_PHASE_CUT from the first four, by compare-and-swap, and then owns what is sent. */
typedef enum gd_phase {
    GD_PHASE_FRESH,
    GD_PHASE_IDLE,
    GD_PHASE_HEAD,
    GD_PHASE_BODY,
    GD_PHASE_WORK,
    GD_PHASE_ANSWER,
    GD_PHASE_CUT
} gd_phase;

typedef struct gd_connection gd_connection;

/* Every open connection, oldest last. */
typedef struct gd_connections {
    uv_mutex_t lock;
    gd_connection *newest, *oldest;
    size_t open, limit; /* above 7/8 of the limit the oldest idle one makes room */
    gd_linger *linger;
} gd_connections;

/* The last small answer's response object with a copy of its body: the next one of its length and type takes it again.
 * Making one anew is eight allocations, which a small op does not have. */
typedef struct gd_kept_response {
    struct MHD_Response *response; /* NULL: none; reads `body` */
    char *body;
    size_t length;
    const char *content_type; /* static text */
} gd_kept_response;

struct gd_connection {
    gd_connection *newer, *older;
    gd_connections *all;
    struct MHD_Connection *mhd;
    int fd;
    bool unread; /* closed with bytes on their way to us: linger, or the client never sees the answer */
    _Atomic int phase;
    _Atomic uint64_t since; /* ms, monotonic, when the phase began */
    uint64_t looked;        /* the `since` at which the client's end was looked for; the sweeping thread's */
    _Atomic uint64_t bytes; /* of the body received, or of the answer to send */
    char local[48];         /* our address on this connection as Host would write it; filled when first asked for */
    gd_request request;
    gd_kept_response kept;
};

bool gd_connections_init(gd_connections *all, size_t limit, gd_linger *linger);
void gd_connections_destroy(gd_connections *all); /* none may be open */

/* A new connection in the list; NULL if memory is out. */
gd_connection *gd_connection_open(gd_connections *all, struct MHD_Connection *mhd);
void gd_connection_close(gd_connection *c);

/* Enters a phase, unless the deadline has cut the connection: false. */
bool gd_connection_enter(gd_connection *c, gd_phase phase);
const char *gd_connection_local(gd_connection *c);

/* Cuts connections that are past their deadlines. */
void gd_connections_sweep(gd_connections *all);
/* Closes connections that wait for a next request (for the end of the process). */
void gd_connections_close_idle(gd_connections *all);

/* Milliseconds of the monotonic clock. */
uint64_t gd_now_ms(void);

#endif
