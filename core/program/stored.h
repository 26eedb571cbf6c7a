/* stored.h: what stored functions (core/function) need of the machine: a run of a program, whose function is then
 * called from C with tensors and plain values, as often as wanted.
 *
 * A run belongs to one environment and its context, which is left to no other run before gd_stored_end. The limits
 * count from its begin to its end. What print writes goes nowhere.
 */
#ifndef GD_PROGRAM_STORED_H
#define GD_PROGRAM_STORED_H

#include "core/program/program.h"

#define GD_STORED_OUTPUTS 64 /* tensors that a function may return */

typedef struct gd_stored_run gd_stored_run;

/* NULL: no memory. `stop` as in gd_program_options. */
gd_stored_run *gd_stored_begin(gd_env *env, const gd_program_limits *limits, const _Atomic bool *stop);
void gd_stored_end(gd_stored_run *run); /* NULL is a no-op */
/* Line of the program at which the function stands, from within a call of it; 0: it does not run. */
uint32_t gd_stored_line(const gd_stored_run *run);
/* What the last failure was: status, exception, message, code, line, column. */
const gd_program_result *gd_stored_failure(const gd_stored_run *run);
/* Binds a global before the program runs; the tensor is borrowed. False: see gd_stored_failure. */
bool gd_stored_bind(gd_stored_run *run, const char *name, gd_tensor *t);
/* Compiles and runs the program, once. */
bool gd_stored_module(gd_stored_run *run, const char *source, size_t bytes);

/* An argument: a tensor, bool, int, float or str, borrowed; GD_V_NONE with `absent`: left out, for its default. */
typedef struct gd_stored_argument {
    const char *name;
    bool keyword_only, absent;
    gd_value value;
} gd_stored_argument;

/* What the function returned. */
typedef struct gd_stored_answer {
    int n;
    gd_tensor **tensors; /* owned */
    char **names;        /* keys of a dict, owned; NULL: no dict */
    bool sequence;       /* a tuple or list, or a dict: not one bare tensor */
    char wrong[256];     /* why it cannot be used, or "" */
} gd_stored_answer;

/* Calls the global `name`. A Python number in the answer becomes a 0-dim tensor. False: answer->wrong tells, or where
 * it is empty gd_stored_failure. */
bool gd_stored_call(gd_stored_run *run, const char *name, const gd_stored_argument *args, int nargs,
                    gd_stored_answer *answer);
void gd_stored_answer_clear(gd_stored_answer *answer);

/* gradcheck (second: gradgradcheck) of the global `name` at these arguments; those tensors that require a gradient are
 * checked. */
typedef struct gd_stored_check {
    bool ok;
    double worst;    /* greatest |difference| / (atol + rtol |numerical|) */
    char text[1024]; /* what failed, or "" */
} gd_stored_check;
typedef struct gd_stored_tolerance {
    double eps, atol, rtol;
} gd_stored_tolerance;
/* False: it could not be done, see gd_stored_failure. */
bool gd_stored_gradcheck(gd_stored_run *run, const char *name, const gd_stored_argument *args, int nargs, bool second,
                         const gd_stored_tolerance *tolerance, gd_stored_check *check);

#endif
