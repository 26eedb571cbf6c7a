/* api.h: gradd's wire contract without a transport: a request as plain memory in, an answer as plain memory out.
 *
 * The server (or a test) fills a gd_api_request and calls gd_api_handle on any thread; requests of different sessions
 * run in parallel, those of one session wait for each other. A thread that must not wait or compute for long calls
 * gd_api_try instead. A large binary body may go to a gd_api_upload as it arrives instead of being gathered.
 */
#ifndef GD_API_H
#define GD_API_H

#include "core/function/function.h"
#include "core/program/program.h"
#include "core/session/session.h"

typedef struct gd_api gd_api;
typedef struct gd_api_upload gd_api_upload;

/* Borrows everything. Missing headers are NULL. */
typedef struct gd_api_request {
    const char *method; /* "GET" */
    const char *path;   /* raw, still percent-encoded, without the query: "/v1/sessions/a" */
    const char *query;  /* raw, after the `?`, or NULL */
    const char *content_type, *content_encoding, *accept, *user_agent, *if_match, *if_none_match;
    const char *id;    /* names the request in a problem's `instance`, or NULL */
    uint64_t start_ns; /* when it came in, by CLOCK_MONOTONIC; 0: now. What /metrics counts from */
    const char *body;  /* body_length bytes, not NULL if there are any */
    size_t body_length;
    gd_api_upload *upload; /* took the body in place of `body`, or NULL; still the caller's to free */
    /* Set from outside when nobody waits for the answer any more; NULL: never. Programs, and who waits for a session
     * to run one, end soon after it with GD_STATUS_LEFT; while draining, with a problem. Others take no notice. */
    const _Atomic bool *stop;
} gd_api_request;

/* The answer's status when the request was stopped because its client had left: there is nothing to send. */
#define GD_STATUS_LEFT 499

/* Zero-initialise, or leave as gd_api_response_free left it. */
typedef struct gd_api_response {
    int status;
    const char *content_type; /* static text; NULL with an empty body */
    const char *location;     /* Location, or NULL; lies in `text` */
    const char *allow;        /* Allow, or NULL; static text or in `text` */
    const char *etag;         /* ETag with its quotes, or NULL; lies in `tag` */
    const char *body;         /* length bytes, valid until gd_api_response_free */
    size_t length;
    const char *rest; /* rest_length more bytes that follow the body; NULL: none. Of large binary answers only */
    size_t rest_length;
    void (*release)(void *owner); /* how `owner`, which holds body and rest, goes; NULL: static */
    void *owner;
    char text[288], tag[64];
} gd_api_response;

/* An api over the sessions of `registry` (borrowed, outlives it). NULL if memory is out. */
gd_api *gd_api_new(gd_registry *registry);
void gd_api_free(gd_api *api); /* NULL is a no-op; no request may be running */
/* What programs may use from now on (GD_PROGRAM_DEFAULT_LIMITS until then). No request may be running. */
void gd_api_set_program_limits(gd_api *api, const gd_program_limits *limits);
/* What stored functions may use, and how many there may be; those that are stored go. No request may be running. False
 * if memory is out. */
bool gd_api_set_function_options(gd_api *api, const gd_function_options *options);
/* The most that a compressed body may be when decoded (256 MiB until then). No request may be running. */
void gd_api_set_max_body(gd_api *api, size_t bytes);
/* May UM-Bridge's clients hand over numbers in shared memory (no, until then)? Only for callers on this machine: then
 * they name segments below /umbridge that the process's user owns. No request may be running. */
void gd_api_set_umbridge_shmem(gd_api *api, bool allowed);
/* From now on /readyz answers 503, so that balancers send nothing new. Any thread. */
void gd_api_set_draining(gd_api *api, bool draining);

/* Answers the request. Never fails: without memory the answer is a static 503. Waits for the session's lock. */
void gd_api_handle(gd_api *api, const gd_api_request *request, gd_api_response *response);
/* Frees what the response owns and zeroes all but `text` and `tag`. */
void gd_api_response_free(gd_api_response *response);

/* The same, unless that may take long or must wait for a session: then false, and nothing was done. A cheap guess, by
 * route, body, session's lock and the sizes of the tensors that it names. */
bool gd_api_try(gd_api *api, const gd_api_request *request, gd_api_response *response);

/* A problem document (RFC 9457) for errors found outside the api. `status` 0: the one that goes with the code. The
 * texts are copied; `id` may be NULL. Overwrites a response that owns nothing. */
void gd_api_problem(gd_api_response *response, int status, const char *code, const char *detail, const char *id);

/* Takes the body of a large binary PUT straight into tensor memory, charged to the session, and a large .npy file that
 * a stored function is evaluated for. `request` has no body yet and need not outlive the call; `length` is the
 * announced Content-Length (UINT64_MAX: unknown). NULL when the body should be gathered instead: other routes and
 * types, small bodies, or a session that is busy or unknown. */
gd_api_upload *gd_api_upload_begin(gd_api *api, const gd_api_request *request, uint64_t length);
/* The next n bytes. False: no memory, give up. What is wrong with the bytes is told by gd_api_handle. */
bool gd_api_upload_write(gd_api_upload *upload, const char *bytes, size_t n);
void gd_api_upload_free(gd_api_upload *upload); /* NULL is a no-op */

#endif
