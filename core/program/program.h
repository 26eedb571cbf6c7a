/* program.h: programs in the part of Python that tensor code uses, run in C over the op table. Public within gradd
 * (api/ and server/ use it); no HTTP, no JSON.
 *
 * An environment holds what lives between runs: global names that are no tensors, functions, imports. It belongs to one
 * context (a session's) and to its thread rule. Global tensors are the session's named tensors, through gd_env_binding:
 * before a run they are read, after it (also a failed one) what the program assigned is written back. Hermetic: nothing
 * but the context can be reached. See CONTRACT section 6 for the language.
 */
#ifndef GD_PROGRAM_H
#define GD_PROGRAM_H

#include "core/gradd.h"

typedef struct gd_env gd_env;

/* How an environment's globals reach named tensors outside. All NULL: they live in the environment alone. */
typedef struct gd_env_binding {
    gd_tensor *(*get)(void *user, const char *name);             /* borrowed; NULL: no such tensor */
    gd_code (*bind)(void *user, const char *name, gd_tensor *t); /* takes t */
    void (*forget)(void *user, const char *name);
    void *user;
} gd_env_binding;

gd_env *gd_env_new(gd_ctx *ctx,
                   const gd_env_binding *binding); /* ctx borrowed; binding copied or NULL. NULL: no memory */
void gd_env_free(gd_env *env);                     /* before its context goes; NULL is a no-op */
/* A name was bound to a tensor or deleted from outside: a plain value of that name goes. */
void gd_env_forget(gd_env *env, const char *name);
size_t gd_env_bytes(const gd_env *env); /* memory of its values, bytes */

/* X(enumerator, name on the wire, flag's default) */
typedef enum gd_limit {
    GD_LIMIT_NONE,
    GD_LIMIT_STEPS,
    GD_LIMIT_SECONDS,
    GD_LIMIT_MEMORY,
    GD_LIMIT_RECURSION,
    GD_LIMIT_OUTPUT,
    GD_LIMIT_STOPPED /* the client left, or the server ends */
} gd_limit;
const char *gd_limit_name(gd_limit limit); /* "steps", "time", "memory", "recursion", "output", "stopped" */

typedef struct gd_program_limits {
    uint64_t steps;      /* loop turns, calls and the work of built-ins; 0: none (so for all) */
    double seconds;      /* wall time */
    size_t memory_bytes; /* of the program's own values; tensors count against the session's budget */
    uint32_t recursion;  /* nested calls of program functions */
    size_t output_bytes; /* of stdout */
} gd_program_limits;
#define GD_PROGRAM_DEFAULT_LIMITS                                                                                      \
    ((gd_program_limits){.steps = 100000000,                                                                           \
                         .seconds = 60,                                                                                \
                         .memory_bytes = (size_t)256 << 20,                                                            \
                         .recursion = 1000,                                                                            \
                         .output_bytes = (size_t)8 << 20})

typedef struct gd_program_options {
    gd_program_limits limits;
    const _Atomic bool *stop; /* set from outside to end the run soon; NULL: none */
    /* Called with what print wrote, as it comes; NULL: gathered in the result. False ends the run. */
    bool (*write)(void *user, const char *text, size_t bytes);
    void *user;
} gd_program_options;

typedef enum gd_program_status {
    GD_PROGRAM_OK,
    GD_PROGRAM_SYNTAX, /* nothing ran */
    GD_PROGRAM_RAISED, /* an exception was not caught */
    GD_PROGRAM_LIMIT   /* a limit was passed */
} gd_program_status;

typedef struct gd_result_value gd_result_value; /* the value of the last bare expression; see gd_program_value */

typedef struct gd_program_result {
    gd_program_status status;
    char *output; /* what was printed, `output_bytes` of UTF-8, NUL-terminated; NULL if it was streamed */
    size_t output_bytes;
    char *shown; /* repr of the last bare expression as a notebook shows it; NULL: none, or None */
    gd_env *env;
    char **assigned; /* global names that it assigned (modules aside), in order of the alphabet */
    size_t nassigned;
    /* of SYNTAX, RAISED and LIMIT */
    char exception[64]; /* "RuntimeError"; "" for LIMIT */
    char *message;      /* str(exception) */
    gd_code code;       /* an engine error's; GD_OK: the program's own */
    gd_limit limit;
    uint32_t line, column, end_column; /* 0: unknown */
    char *trace; /* as a notebook shows it: the lines it passed, the offending line and a caret, "Type: message" */
    /* The result's value, for JSON answers: one of a tensor, or plain. */
    void *value; /* gd_any *, read with gd_program_walk */
} gd_program_result;

/* Runs `bytes` bytes of UTF-8 source. Never fails but as *result says; it is overwritten and must be cleared before the
 * environment is used again. Not on a thread with less than 1 MiB of stack. */
void gd_program_run(gd_env *env, const char *source, size_t bytes, const gd_program_options *options,
                    gd_program_result *result);
void gd_program_result_clear(gd_program_result *result);

/* Walks the result's value in document order. Each callback returns false to stop. Values nested deeper than 64, and
 * more than `max_items` in all, are given as text (their repr, cut). */
typedef struct gd_program_visitor {
    bool (*none)(void *user);
    bool (*boolean)(void *user, bool v);
    bool (*integer)(void *user, int64_t v);
    bool (*real)(void *user, double v);
    bool (*text)(void *user, const char *text, size_t bytes);
    bool (*tensor)(void *user, gd_tensor *t,
                   const char *global); /* the name of a global that is this tensor, or NULL */
    bool (*begin)(void *user, bool is_dict);
    bool (*key)(void *user, const char *text, size_t bytes); /* before each value of a dict */
    bool (*end)(void *user, bool is_dict);
} gd_program_visitor;
bool gd_program_walk(const gd_program_result *result, size_t max_items, const gd_program_visitor *visitor, void *user);

/* ---- hooks written as source (CONTRACT section 3) ---- */
/* Compiles `source`, one expression that gives a function of one argument, and registers it as hook of t. *name gets a
 * copy of the function's name ("<lambda>", free it) if not NULL. On failure *result tells (status SYNTAX or RAISED, or
 * LIMIT); nothing is registered. The hook runs under `options`' limits, each call anew, whenever a backward calls it.
 */
bool gd_program_add_hook(gd_env *env, gd_tensor *t, const char *source, size_t bytes, const gd_program_limits *limits,
                         uint64_t *handle, gd_program_result *result);

#endif
