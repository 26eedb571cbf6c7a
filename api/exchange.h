/* exchange.h: one request while it is being handled, and what every handler uses. For the inside of api/. */
#ifndef GD_API_EXCHANGE_H
#define GD_API_EXCHANGE_H

#include "api/document.h"
#include "api/json_in.h"
#include "core/function/function.h"
#include "core/ops/op.h"

enum { GD_PARAMS = 2, GD_PARAM_BYTES = 132, GD_LIST_LIMIT = 100, GD_LIST_LIMIT_MAX = 1000 };

typedef struct gd_route gd_route;

/* Filled by gd_api_handle; handlers write `out`, or set `fault`. */
typedef struct gd_exchange {
    gd_api *api;
    const gd_api_request *in;
    gd_api_response *answer;
    const gd_route *route;
    int status;               /* of a good answer; the route's own to begin with */
    const char *content_type; /* of a good answer; JSON to begin with */
    gd_text out;
    bool answered; /* the handler has filled `answer` itself */
    bool brief; /* gd_api_try asks: a handler that sees that its work is long sets `declined` and returns, with nothing
                   done */
    bool declined;
    gd_fault fault;
    gd_session *session; /* acquired, for routes below a session */
    gd_ctx *ctx;         /* its context */
    gd_body body;
    char *decoded; /* the body, where it came compressed; owned. Then `in` is `decoded_in` */
    gd_api_request decoded_in;
    const char *source; /* the program's text, for routes that take one; in the body */
    size_t source_bytes;
    char params[GD_PARAMS][GD_PARAM_BYTES]; /* {s}, {t} … decoded; cut to what no name can have */
} gd_exchange;

gd_registry *gd_api_registry(gd_api *api);
gd_functions *gd_api_functions(gd_api *api); /* the stored functions */
bool gd_api_is_draining(const gd_api *api);
const gd_program_limits *gd_api_program_limits(const gd_api *api);
uint32_t gd_api_processors(const gd_api *api);           /* that this process may use */
const char *gd_api_openapi(gd_api *api, size_t *length); /* static for the api's life; NULL if memory is out */

/* Fails the request. Returns false. */
#define gd_refuse(x, code, ...) gd_fault_set(&(x)->fault, code, __VA_ARGS__)
static inline bool gd_refuse_engine(gd_exchange *x) { return gd_fault_engine(&x->fault, x->ctx); }

/* Decodes query parameter `key` into buf (always NUL-terminated). False if it is not there; too long or malformed ones
 * fail the request. */
bool gd_query(gd_exchange *x, const char *key, char *buf, size_t size);
/* ?limit and ?after of lists; `after` is "" without one. */
bool gd_query_page(gd_exchange *x, size_t *limit, char after[GD_PARAM_BYTES]);
bool gd_query_data_mode(gd_exchange *x, gd_data_mode *mode);
/* `true`/`false`; missing: unchanged. */
bool gd_query_flag(gd_exchange *x, const char *key, bool *flag);

/* ---- fields of the body's object; all fail the request with a pointer ---- */
/* The body's object; an empty body counts as {} if `may_be_empty`. Every key must be in `fields` (space separated). */
bool gd_fields(gd_exchange *x, const json_t *object, const char *fields);
/* The same; values[i] becomes the value of the i-th of `fields` where the object has it. */
bool gd_fields_pick(gd_exchange *x, const json_t *object, const char *fields, const json_t **values);
/* Type errors; missing ones leave *v as it was. */
bool gd_field_bool(gd_exchange *x, const json_t *object, const char *key, bool *v);
bool gd_field_string(gd_exchange *x, const json_t *object, const char *key, const char **v);
bool gd_field_number(gd_exchange *x, const json_t *object, const char *key, double *v);
bool gd_field_dtype(gd_exchange *x, const json_t *object, gd_dtype *dtype, bool *given);
/* "grad", "no_grad", "inference" */
bool gd_field_mode(gd_exchange *x, const json_t *object, const char *key, gd_grad_mode *mode);
const char *gd_mode_name(gd_grad_mode mode);
/* Fails with "bad_argument" saying that `key` should be `what`. Returns false. */
bool gd_refuse_field(gd_exchange *x, const char *key, const char *what);

/* The tensor of params[1], borrowed; NULL with the request failed. */
gd_tensor *gd_param_tensor(gd_exchange *x);
/* Binds t (taken); *rebound may be NULL. */
bool gd_bind_name(gd_exchange *x, const char *name, gd_tensor *t, bool *rebound);
bool gd_check_tensor_name(gd_exchange *x, const char *name);
void gd_set_etag(gd_exchange *x, const char *etag);
void gd_set_location(gd_exchange *x, const char *kind, const char *name); /* …/sessions/{s}[/kind/name] */
/* ,"next":…} after the entries of a list; last: NULL if there is no more. */
void gd_put_next(gd_exchange *x, const char *last);

/* ---- hooks.c: what a failed backward showed to recorders is forgotten ---- */
void gd_hooks_mark(const gd_ctx *ctx);
void gd_hooks_rollback(const gd_ctx *ctx);

/* ---- sessions.c ---- */
/* Fails the request for what gd_session_create says. Returns false. */
bool gd_refuse_session(gd_exchange *x, gd_session_status status, const char *name);

/* ---- functions.c: stored functions ---- */
/* The present version of params[0]; counted. NULL with the request failed. */
gd_function *gd_param_function(gd_exchange *x);
/* Answers with what went wrong with a function; `where` stands before an input's name in the pointer ("/inputs/").
 * Returns false. */
bool gd_refuse_function(gd_exchange *x, const gd_function_fault *f, const char *where);

/* ---- run.c: programs ---- */
/* Finds the program's text in the body, by its type. */
bool gd_read_program(gd_exchange *x);
/* Answers with the problem that ended a program; `ran`: with what it printed and assigned before. */
void gd_refuse_program(gd_exchange *x, const gd_program_result *r, bool ran);
/* The request's stop flag was seen. Returns false. */
bool gd_refuse_stopped(gd_exchange *x);

/* ---- values.c: JSON to what the engine takes ---- */
/* Temporaries of one call: lists in `scratch`, constants in the context's pool above `mark`. */
typedef struct gd_reading {
    gd_exchange *x;
    gd_scratch scratch;
    size_t mark;
} gd_reading;
void gd_reading_begin(gd_reading *r, gd_exchange *x);
void gd_reading_end(gd_reading *r);
void *gd_reading_alloc(gd_reading *r, size_t count, size_t size); /* NULL with the request failed */
/* Any value as an argument. `entries`: an array of numbers is wanted as list of its entries. */
bool gd_read_value(gd_reading *r, const json_t *j, bool entries, gd_value *out);
/* A new tensor of what stands at j, a number or nested array. dtype NULL: inferred. NULL with the request failed. */
gd_tensor *gd_read_constant(gd_exchange *x, const json_t *j, const gd_dtype *dtype);

#endif
