/* trace_inside.h: how a trace is laid out, for the trace_*.c and jvp*.c files.
 *
 * Note [Regions]: a region is one storage that the trace knows. It is `dependent` once anything in it depends on an
 * input. Its values are found by geometry (address, dtype, shape, strides). Before memory is written, the values in it
 * move to memory of their own, so that a value's tensor always holds what it held in the traced run. What a later
 * reader sees through another geometry than the written one is read off the region's `root`, the value that covers all
 * of it.
 */
#ifndef GD_TRACE_INSIDE_H
#define GD_TRACE_INSIDE_H

#include "core/ops/pointwise_run.h"
#include "core/plan/trace.h"

typedef struct gd_region {
    gd_storage *storage; /* owned */
    uint32_t version;    /* the storage's, when last looked at: anything else was written behind our back */
    int32_t root;        /* dense, row-major and all of the storage; -1: there is none */
    bool dependent;
} gd_region;

typedef struct gd_trace_value_slot {
    gd_traced traced;
    int32_t region; /* -1: no memory */
} gd_trace_value_slot;

typedef struct gd_trace_step_slot {
    gd_step step;
    bool recorded;       /* the graph knows of it: grad mode was on and an argument required a gradient */
    const bool *carries; /* by entry of step.in: that argument required a gradient */
} gd_trace_step_slot;

/* Memory that lives as long as the trace. */
typedef struct gd_trace_block {
    struct gd_trace_block *next;
    size_t used, room;
    _Alignas(16) char bytes[];
} gd_trace_block;

/* What gd_run_pointwise reported of the row being computed. */
typedef struct gd_trace_seen {
    int count; /* calls; anything but 1 is no pointwise step */
    gd_pointwise_step step;
    const gd_tensor *in[GD_RUN_INPUTS]; /* NULL: a number that stood on the stack, */
    gd_value numbers[GD_RUN_INPUTS];    /* this one */
    bool strange;                       /* something that does not fit gd_pointwise_step */
} gd_trace_seen;

typedef struct gd_trace_map {
    int32_t *at; /* 1 + index; 0: free */
    uint32_t cap, used;
} gd_trace_map;

struct gd_trace {
    gd_ctx *ctx;
    uint32_t depth; /* rows being computed: what they do inside is their own affair */
    gd_trace_value_slot *values;
    int32_t nvalues, values_cap;
    gd_trace_step_slot *steps;
    int nsteps, steps_cap;
    gd_tensor **inputs; /* owned */
    int ninputs, inputs_cap;
    gd_region *regions;
    int32_t nregions, regions_cap;
    gd_trace_map by_storage, by_geometry;
    gd_trace_block *blocks;
    gd_trace_seen seen;
    struct {
        gd_trace_step_slot slot;
        bool active;
        int32_t root;   /* what it is written into, if self is a part of its region; -1: self is all that there is */
        int32_t turned; /* self's value, where the row will only change its shape; -1 */
    } pending;          /* an in-place row that is about to write */
    bool dynamic;
    gd_trace_reason reason;
    void (*on_dynamic)(void *user);
    void *user;
};

/* ---- trace_memory.c ---- */
void *gd_trace_alloc(gd_trace *tr, size_t bytes); /* zeroed, 16-byte aligned; NULL with error */
/* The region of t's storage, or -1. */
int32_t gd_trace_region(const gd_trace *tr, const gd_storage *storage);
/* The same, made if it is new (not dependent); -1 with error. */
int32_t gd_trace_region_made(gd_trace *tr, gd_storage *storage);
/* The value of this epoch with t's geometry, or -1. */
int32_t gd_trace_lookup(const gd_trace *tr, const gd_tensor *t);
/* Appends a value that holds an alias of t and makes it what t's geometry means. -1 with error. */
int32_t gd_trace_append(gd_trace *tr, gd_tensor *t, gd_traced_kind kind, int32_t step, int32_t nr);
/* Appends a result that the op left out. */
int32_t gd_trace_append_absent(gd_trace *tr, int32_t step, int32_t nr);
bool gd_trace_covers(const gd_tensor *t); /* t is dense, row-major and all of its storage */
/* Before a region's memory is written: all that it holds keeps its values in memory of its own. */
GD_MUST_CHECK gd_code gd_trace_move_away(gd_trace *tr, int32_t region);
bool gd_trace_grow_steps(gd_trace *tr); /* room for one more; false when memory is out */
void gd_trace_memory_free(gd_trace *tr);

/* ---- trace.c ---- */
/* Marks the trace dynamic for a reason, once. */
void gd_trace_give_up(gd_trace *tr, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool gd_trace_depends(const gd_trace *tr, const gd_tensor *t);
/* Is ctx recording, and not inside a row? */
static inline gd_trace *gd_trace_active(const gd_ctx *ctx) {
    gd_trace *tr = ctx->trace;
    return tr && !tr->depth && !tr->dynamic ? tr : NULL;
}

/* ---- trace_steps.c ---- */
/* Fills a step's op, arguments and `in` from an application; constants are appended. GD_OK, also when the trace became
 * dynamic on the way (then *ok is false). */
GD_MUST_CHECK gd_code gd_trace_fill(gd_trace *tr, const gd_apply *a, gd_trace_step_slot *slot, bool *ok);
/* Appends the step; its number, or -1 with error. */
int32_t gd_trace_add_step(gd_trace *tr, const gd_trace_step_slot *slot);
bool gd_trace_any_dependent(const gd_trace *tr, const gd_apply *a);
/* Appends a step that nobody applied: `out`'s memory is what row `id` would answer. Its value, or -1 with error. */
int32_t gd_trace_make(gd_trace *tr, gd_op_id id, const gd_value *args, int nargs, gd_tensor *out);

/* ---- trace_pointwise.c ---- */
/* Fills step.pointwise if the row's forward, just done, was one loop that wrote `out` (NULL: it was not). */
GD_MUST_CHECK gd_code gd_trace_take_pointwise(gd_trace *tr, const gd_apply *a, gd_step *step, const gd_tensor *out);

#endif
