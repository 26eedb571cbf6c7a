/* router.h: the table of routes (routes.def) and finding the one that a request means. */
#ifndef GD_API_ROUTER_H
#define GD_API_ROUTER_H

#include "api/exchange.h"

enum {
    GD_R_SESSION = 1u << 0,     /* params[0] names a session, which is acquired */
    GD_R_JSON = 1u << 1,        /* takes a JSON document */
    GD_R_EMPTY = 1u << 2,       /* … which may be left out */
    GD_R_BINARY = 1u << 3,      /* … or .npy or raw bytes */
    GD_R_DATA = 1u << 4,        /* knows ?data= */
    GD_R_PAGE = 1u << 5,        /* knows ?limit= and ?after= */
    GD_R_EVALUATION = 1u << 7,  /* evaluates a stored function: takes JSON, .npy or safetensors and answers with them */
    GD_R_SAFETENSORS = 1u << 8, /* takes a safetensors file */
    GD_R_SHMEM = 1u << 9,       /* there only where shared memory is allowed */
    GD_R_PROGRAM = 1u << 6      /* takes a program, as text or in JSON; stops when its client leaves */
};

struct gd_route {
    const char *method;
    const char *id;   /* operationId: the handler's name */
    const char *path; /* template: "/v1/sessions/{s}" */
    void (*handle)(gd_exchange *x);
    unsigned flags;
    int status;                     /* of a good answer */
    const char *request, *response; /* names of OpenAPI schemas, "" for none; a response with `/` is a media type */
    const char *summary;
};

extern const gd_route gd_routes[];
extern const size_t gd_route_count;
enum { GD_MAX_ROUTES = 128 };

/* Finds the route, among those with none of the flags `without`, and decodes the path's parameters into `params`. NULL
 * with the fault set: not_found, bad_path, method_not_allowed (then `allow` has the methods), or with *options set: an
 * OPTIONS request, answered by `allow`. */
const gd_route *gd_route_find(const char *method, const char *path, unsigned without,
                              char params[GD_PARAMS][GD_PARAM_BYTES], char allow[64], bool *options, gd_fault *f);

/* cost.c: may a request of this route be answered in well under a millisecond? And does it, given its session
 * (acquired) and the tensor's name in its path? */
bool gd_cost_may_be_small(const gd_route *route, const gd_api_request *r);
bool gd_cost_is_small(const gd_route *route, gd_session *s, const gd_api_request *r, const char *name);

#define ROUTE(method, path, handle, flags, status, request, response, summary) void gd_handle_##handle(gd_exchange *x);
#include "api/routes.def"
#undef ROUTE

#endif
