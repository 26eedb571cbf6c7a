/* router.c: see router.h. */
#include "api/router.h"

#include <stdio.h>

const gd_route gd_routes[] = {
#define ROUTE(method, path, handle, flags, status, request, response, summary)                                         \
    {method, #handle, path, gd_handle_##handle, flags, status, request, response, summary},
#include "api/routes.def"
#undef ROUTE
};
const size_t gd_route_count = sizeof gd_routes / sizeof *gd_routes;
_Static_assert(sizeof gd_routes / sizeof *gd_routes <= GD_MAX_ROUTES, "the metrics have room for every route");

/* A parameter's place in the path. */
typedef struct span {
    const char *start;
    size_t n;
} span;

static bool matches(const char *template, const char *path, span params[GD_PARAMS]) {
    int count = 0;
    params[0].start = params[1].start = NULL;
    for (;;) {
        if (*template == '{') {
            size_t n = strcspn(path, "/");
            if (n == 0) return false;
            params[count++] = (span){path, n};
            template = strchr(template, '}') + 1;
            path += n;
        }
        if (*template != *path) return false;
        if (!*template) return true;
        template ++, path++;
    }
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes a segment. What no name may have is refused: NUL, slashes, dots in disguise, anything but ASCII. Names too
 * long for the buffer are cut to a length that no name may have. */
static bool decode(span s, char out[GD_PARAM_BYTES], gd_fault *f) {
    size_t used = 0;
    for (size_t i = 0; i < s.n; i++) {
        int c = (unsigned char)s.start[i];
        bool encoded = c == '%';
        if (encoded) {
            int high = i + 2 < s.n ? hex(s.start[i + 1]) : -1, low = i + 2 < s.n ? hex(s.start[i + 2]) : -1;
            c = high < 0 || low < 0 ? -1 : high * 16 + low;
            i += 2;
        }
        if (c <= 0 || c >= 0x7F || c == '\\' || (encoded && (c == '/' || c == '.')) || c < ' ')
            return gd_fault_set(f, "bad_path", "A path segment holds a byte that no name may have.");
        if (used < GD_PARAM_BYTES - 1) out[used++] = (char)c;
    }
    out[used] = 0;
    return true;
}

static void add_method(char allow[64], const char *method) {
    size_t n = strlen(allow);
    snprintf(allow + n, 64 - n, "%s%s", n ? ", " : "", method);
    if (!strcmp(method, "GET")) add_method(allow, "HEAD");
}

static const gd_route *refuse(const char *method, const char *path, unsigned without, char allow[64], bool *options,
                              gd_fault *f) {
    span params[GD_PARAMS];
    allow[0] = 0;
    for (size_t i = 0; i < gd_route_count; i++)
        if (!(gd_routes[i].flags & without) && matches(gd_routes[i].path, path, params))
            add_method(allow, gd_routes[i].method);
    if (!allow[0])
        gd_fault_set(f, "not_found", "Nothing is at %.200s. /openapi.json lists the paths.", path);
    else if (!strcmp(method, "OPTIONS"))
        add_method(allow, "OPTIONS"), *options = true;
    else
        gd_fault_set(f, "method_not_allowed", "%.20s is not among the methods of this path: %s.", method, allow);
    return NULL;
}

const gd_route *gd_route_find(const char *method, const char *path, unsigned without,
                              char params[GD_PARAMS][GD_PARAM_BYTES], char allow[64], bool *options, gd_fault *f) {
    span spans[GD_PARAMS] = {{NULL, 0}, {NULL, 0}};
    const char *wanted = strcmp(method, "HEAD") ? method : "GET";
    const gd_route *route = NULL;
    *options = false;
    for (size_t i = 0; i < gd_route_count && !route; i++)
        if (gd_routes[i].method[0] == wanted[0] && !strcmp(gd_routes[i].method, wanted) &&
            !(gd_routes[i].flags & without) && matches(gd_routes[i].path, path, spans))
            route = &gd_routes[i];
    if (!route) return refuse(method, path, without, allow, options, f);
    for (int i = 0; i < GD_PARAMS && spans[i].start; i++)
        if (!decode(spans[i], params[i], f)) return NULL;
    return route;
}
