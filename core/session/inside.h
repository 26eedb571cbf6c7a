/* inside.h: how a session is laid out, for the files of core/session. */
#ifndef GD_SESSION_INSIDE_H
#define GD_SESSION_INSIDE_H

#include <pthread.h>

#include "core/session/hash.h"
#include <uthash.h>

#include "core/program/program.h"
#include "core/session/session.h"

#define GD_NAME_BYTES 129

/* A tensor and the names bound to it. */
typedef struct gd_bound gd_bound;

/* One name. */
typedef struct gd_name {
    UT_hash_handle hh;
    gd_bound *bound;
    struct gd_name *next; /* another name of the same tensor */
    char text[];
} gd_name;

struct gd_bound {
    UT_hash_handle hh; /* by the tensor's address */
    gd_tensor *tensor; /* owned */
    gd_name *names;
};

/* Touched only by the request that holds the session. */
typedef struct gd_namespace {
    gd_name *by_name;
    gd_bound *by_tensor;
    gd_name **sorted; /* room for all names; in order if `in_order` */
    size_t capacity;
    bool in_order;
    uint64_t fresh; /* the last number given to a fresh name */
} gd_namespace;

struct gd_session {
    /* Constant after creation. */
    gd_registry *registry;
    gd_account *account;
    gd_ctx *ctx;
    char name[GD_NAME_BYTES];
    double created, created_clock; /* Unix seconds, and the monotonic clock then */
    double ttl_seconds;
    /* Owned by the request that holds the session. */
    gd_namespace names;
    gd_env *env; /* of its programs; NULL until the first one */
    /* Under the registry's mutex. */
    UT_hash_handle hh;
    pthread_cond_t freed; /* the holder let go, or the session was deleted */
    uint32_t users;       /* holder and waiters: the last one frees a deleted session */
    bool held, deleted;
    double last_used;       /* monotonic */
    gd_grad_mode seen_mode; /* as the last holder left it: what a list shows without waiting */
    size_t seen_tensors;
    uint64_t seen_nodes;
};

size_t gd_namespace_count(const gd_namespace *n);
void gd_namespace_clear(gd_namespace *n); /* releases the tensors */
/* The session's env, telling it of nothing: what its binding calls, and a part of what others call. */
GD_MUST_CHECK gd_code gd_namespace_bind(gd_session *s, const char *name, gd_tensor *t, gd_tensor **was);
bool gd_namespace_forget(gd_session *s, const char *name);

#endif
