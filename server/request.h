/* request.h: one request from its head to its answer. */
#ifndef GD_SERVER_REQUEST_H
#define GD_SERVER_REQUEST_H

#include "api/api.h"
#include "server/guard.h"
#include "server/watch.h"
#include "server/workers.h"

#include <microhttpd.h>

struct gd_connection;
struct gd_server;

/* What the next call of the library's handler means. */
typedef enum gd_stage { GD_STAGE_HEAD, GD_STAGE_BODY, GD_STAGE_WORK, GD_STAGE_ANSWERED } gd_stage;

enum { GD_SHORT_TARGET = 256, GD_KEPT_BODY = 16 * 1024, GD_KEPT_ANSWER = 2048 };

/* Lives in its connection; reset after each answer. */
typedef struct gd_request {
    gd_stage stage;
    bool started; /* counted among the server's active requests */
    bool close;   /* the connection ends with this answer */
    bool sized;   /* the length of the body was announced */
    uint64_t start_ns;
    char short_target[GD_SHORT_TARGET];
    char *target; /* raw; short_target, or owned */
    const char *path, *method;
    size_t path_length;
    gd_head head;
    const gd_refusal *refusal; /* why it is not passed on */
    const char *cors;          /* the allowed foreign origin to name in the answer */
    char id[GD_REQUEST_ID_MAX + 1];
    uint64_t length, received; /* of the body */
    char *body;                /* owned; kept between requests while small */
    size_t capacity;
    gd_api_upload *upload; /* takes the body instead of the buffer */
    gd_api_request api;
    gd_api_response answer;
    unsigned status; /* for the log; 499: the client left before its answer */
    uint64_t sent;
    gd_job job;
    gd_watched watched; /* while the job is */
} gd_request;

/* The raw target, before the library unescapes it. */
void gd_request_begin(struct gd_server *server, struct gd_connection *c, const char *target);
/* The library's calls of the access handler, in order. */
enum MHD_Result gd_request_head(struct gd_server *server, struct gd_connection *c, const char *method,
                                const char *version);
enum MHD_Result gd_request_body(struct gd_server *server, struct gd_connection *c, const char *data, size_t n);
enum MHD_Result gd_request_run(struct gd_server *server, struct gd_connection *c);
enum MHD_Result gd_request_answer(struct gd_server *server, struct gd_connection *c);
/* After the answer was sent, or the connection lost: logs, and makes ready for the next. */
void gd_request_end(struct gd_server *server, struct gd_connection *c);
void gd_request_free(gd_request *r);

#endif
