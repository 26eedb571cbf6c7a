/* session.h: named sessions of tensors, and the registry that holds them. Public within gradd
 * (api/ uses it); no HTTP, no JSON.
 *
 * A session owns one gd_ctx, its named tensors, the environment of its programs, and one lock. A request acquires it,
 * works, and releases it; deleting a session or a name that a running request uses is safe: the last
 * user frees it. TTLs count monotonic time.
 */
#ifndef GD_SESSION_H
#define GD_SESSION_H

#include "core/gradd.h"

#include <stdatomic.h>

typedef struct gd_env gd_env; /* core/program/program.h */
typedef struct gd_registry gd_registry;
typedef struct gd_session gd_session;

typedef struct gd_registry_options {
    size_t memory_bytes;         /* process-wide budget; 0: none */
    size_t session_memory_bytes; /* per session; 0: none */
    uint32_t max_sessions;       /* 0: none */
    double session_ttl_seconds;  /* default TTL; 0: sessions do not expire */
} gd_registry_options;

gd_registry *gd_registry_new(const gd_registry_options *options); /* NULL if memory is out */
void gd_registry_free(gd_registry *r);                            /* no session may be acquired */

typedef enum gd_session_status {
    GD_SESSION_OK,
    GD_SESSION_CREATED,
    GD_SESSION_UNKNOWN,
    GD_SESSION_FULL,
    GD_SESSION_BAD_NAME,
    GD_SESSION_EXISTS,
    GD_SESSION_NO_MEMORY,
    GD_SESSION_STOPPED
} gd_session_status;

/* Makes a session (name NULL: one is made: "s1", or a free random one) and acquires it: *out is locked.
 * `ttl_seconds` < 0: the default; 0: never expires. may_exist: an existing one is acquired instead (GD_SESSION_OK). */
gd_session_status gd_session_create(gd_registry *r, const char *name, double ttl_seconds, bool may_exist,
                                    gd_session **out);
/* Finds and locks; waits for the request that holds it. Touches last_used. */
gd_session_status gd_session_acquire(gd_registry *r, const char *name, gd_session **out);
/* The same, but gives up with GD_SESSION_STOPPED soon after *stop is set (NULL: never) while it waits. */
gd_session_status gd_session_acquire_unless(gd_registry *r, const char *name, const _Atomic bool *stop,
                                            gd_session **out);
/* The same, but fails at once (GD_SESSION_UNKNOWN never hides this: *busy is set) if another request holds it. */
gd_session_status gd_session_try_acquire(gd_registry *r, const char *name, gd_session **out, bool *busy);
void gd_session_unlock(gd_session *s); /* ends the acquisition; frees the session if it was deleted */
/* Takes the name out of the registry; freed when the last request lets go. False if unknown. */
bool gd_session_delete(gd_registry *r, const char *name);
size_t gd_registry_count(gd_registry *r);
/* Deletes idle sessions whose TTL has passed; returns how many. */
size_t gd_registry_expire(gd_registry *r);

typedef struct gd_session_info {
    char name[129];
    gd_grad_mode grad_mode;
    size_t tensors, bytes;
    uint64_t nodes;
    double created, last_used; /* Unix seconds */
    double ttl_seconds;        /* 0: none */
} gd_session_info;
/* Copies up to `limit` infos in name order, names > after (NULL: from the start); returns how many; *more. */
size_t gd_registry_list(gd_registry *r, const char *after, size_t limit, gd_session_info *infos, bool *more);
void gd_session_describe(gd_session *s, gd_session_info *info);

/* ---- inside an acquired session ---- */
gd_ctx *gd_session_ctx(gd_session *s);
const char *gd_session_name(const gd_session *s);
/* The environment of the session's programs, made when first asked for; its global tensors are the session's names.
 * Borrowed. NULL with the context's error set. */
gd_env *gd_session_env(gd_session *s);
bool gd_session_has_env(const gd_session *s);     /* has it run a program yet? */
bool gd_session_name_ok(const char *name);        /* [A-Za-z0-9][A-Za-z0-9._-]{0,127} */
bool gd_session_tensor_name_ok(const char *name); /* [A-Za-z_][A-Za-z0-9_.]{0,127}, last part not data or grad */
/* Binds (takes t, also on failure); *rebound tells if the name was bound before. GD_E_MEMORY, GD_E_VALUE for a bad
 * name. A plain value that programs gave the name goes, here and in gd_session_forget. */
GD_MUST_CHECK gd_code gd_session_bind(gd_session *s, const char *name, gd_tensor *t, bool *rebound);
/* The same, and *was gets a new reference to what the name meant before; NULL: nothing. */
GD_MUST_CHECK gd_code gd_session_swap(gd_session *s, const char *name, gd_tensor *t, gd_tensor **was);
gd_tensor *gd_session_get(gd_session *s, const char *name); /* borrowed; NULL if unknown, no error set */
bool gd_session_forget(gd_session *s, const char *name);    /* false if unknown */
/* Resolver for gd_call: "x", "x.data", "x.grad". New; GD_E_UNKNOWN_NAME. `user` is the session. */
gd_tensor *gd_session_resolve(gd_ctx *ctx, void *session, const char *name);
/* A fresh name "_1", "_2"… into buf. */
void gd_session_fresh_name(gd_session *s, char buf[32]);
/* Names in order, > after; at most limit; borrowed until the session changes. */
size_t gd_session_names(gd_session *s, const char *after, size_t limit, const char **names, bool *more);
/* The name bound to exactly this tensor object (the first in name order), or NULL. */
const char *gd_session_name_of(gd_session *s, const gd_tensor *t);
/* The node with this id reachable from the session's tensors; borrowed; NULL if none. */
gd_node *gd_session_node(gd_session *s, uint64_t id);

#endif
