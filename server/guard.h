/* guard.h: what a request's head must be before anything else looks at it. No I/O and no HTTP library: plain strings
 * in, a refusal out. libmicrohttpd 0.9.75 frames some ambiguous requests differently from the proxies in front of it;
 * each such request is refused here and its connection closed, so no second request hidden in it can run. */
#ifndef GD_SERVER_GUARD_H
#define GD_SERVER_GUARD_H

#include "server/options.h"

enum {
    GD_TARGET_MAX = 8 * 1024,  /* bytes of a request target: 414 */
    GD_HEADERS_MAX = 8 * 1024, /* bytes of names and values: 431 */
    GD_HEADER_COUNT_MAX = 100,
    GD_REQUEST_ID_MAX = 64
};

/* Why a request is not answered: static texts. */
typedef struct gd_refusal {
    int status;
    const char *code, *detail;
} gd_refusal;

/* The head's fields that matter here; strings are borrowed from the caller. */
typedef struct gd_head {
    const char *host, *content_length, *transfer_encoding, *origin, *authorization, *content_type, *content_encoding,
        *accept, *user_agent, *if_match, *if_none_match, *request_id, *preflight_method;
    unsigned hosts, content_lengths, transfer_encodings, origins, authorizations;
    unsigned count;
    size_t bytes;
    bool bad_name, bad_value;
} gd_head;

/* Adds one header field to the zero-initialised head; `value` is NUL-terminated after `value_length` bytes. */
void gd_head_add(gd_head *head, const char *name, size_t name_length, const char *value, size_t value_length);

/* NULL if method, version and framing are unambiguous; *length is the body's, or UINT64_MAX for a chunked one. */
const gd_refusal *gd_guard_framing(const gd_head *head, const char *method, const char *version, uint64_t *length);
/* NULL if the raw target is well formed; *path is where its path begins (after the authority of an absolute form),
 * *authority that authority's text and length, or NULL. */
const gd_refusal *gd_guard_target(const char *target, const char **path, const char **authority,
                                  size_t *authority_length);
/* True if "name" or "name:port" is localhost, 127.0.0.1, [::1], in `allowed`, or exactly `local` (may be NULL), the
 * address on which the connection came in. Ports are not looked at. */
bool gd_guard_host_ok(const char *host, size_t length, const gd_names *allowed, const char *local);
/* True if the origin is the server's own (http or https on `host`) or in `allowed`. */
bool gd_guard_origin_ok(const char *origin, const char *host, const gd_names *allowed);
/* True if `authorization` is `Bearer TOKEN`; takes as long wherever they differ. */
bool gd_guard_token_ok(const char *authorization, const char *token);
/* True if a client's X-Request-Id may be echoed and logged. */
bool gd_guard_request_id_ok(const char *id);

#endif
