/* plan.h: a compiled trace: what remains of it after dead steps, repeated subexpressions and constants are gone, with
 * pointwise chains fused into passes over cache-sized blocks and the place of every buffer known before it runs.
 *
 * A plan is immutable and shared by threads. What a run needs to write lies in a frame; a thread takes a spare frame
 * without a lock (atomic exchange), runs, and gives it back. Evaluating allocates nothing, but for steps that keep
 * their eager kernels, whose temporaries come from the frame's arena or the caching allocator.
 */
#ifndef GD_PLAN_PLAN_H
#define GD_PLAN_PLAN_H

#include "core/plan/trace.h"

typedef struct gd_plan gd_plan;
typedef struct gd_plan_frame gd_plan_frame;

typedef struct gd_plan_place {
    gd_dtype dtype;
    int ndim;
    const int64_t *sizes; /* elements; lives as long as the plan */
    int64_t numel;
    size_t nbytes;
} gd_plan_place;

/* Compiles what `outputs` (value numbers; one that is zeros is a constant of the trace) need of the trace. New,
 * counted; NULL with the context's error set: GD_E_STATE for a dynamic trace, or where a step names strides that the
 * plan's layout has not; GD_E_ARGUMENT for a number that is no value; GD_E_MEMORY and its kin. Holds on to the storages
 * of constants, not to the trace. Inputs are row-major in a plan, however they were laid out when they were traced. */
gd_plan *gd_plan_new(gd_ctx *ctx, const gd_trace *trace, const int32_t *outputs, int noutputs);
gd_plan *gd_plan_retain(gd_plan *plan); /* any thread */
void gd_plan_release(gd_plan *plan);    /* any thread; frees its spare frames too */
int gd_plan_ninputs(const gd_plan *plan);
int gd_plan_noutputs(const gd_plan *plan);
const gd_plan_place *gd_plan_input(const gd_plan *plan, int i);
const gd_plan_place *gd_plan_output(const gd_plan *plan, int i);
size_t gd_plan_bytes(const gd_plan *plan); /* of the plan and one frame, with their constants */
double gd_plan_cost(const gd_plan *plan);  /* a guess: seconds of one run */
/* Text for people and tests, one line a unit: "fused 99 float64: sub square mul! …" ("!": its result is stored), "sum",
 * "pad", "join", "copy", "op mm". New, free(). */
char *gd_plan_describe(const gd_plan *plan);

/* A frame to run in; NULL when memory is out. Any thread; never blocks. The caller keeps the plan alive until the frame
 * is given back. */
gd_plan_frame *gd_plan_frame_take(gd_plan *plan);
void gd_plan_frame_give(gd_plan_frame *frame); /* forgets redirections; NULL is a no-op */
/* Where input i is read from: contiguous, row-major, aligned to its elements; borrowed until the frame is given back or
 * another is set. There is no default: every input is set before the first run. */
void gd_plan_set_input(gd_plan_frame *frame, int i, const void *bytes);
/* Where output i is written to, contiguous, row-major; NULL: into the frame's own memory (the default). Must not
 * overlap an input. */
void gd_plan_set_output(gd_plan_frame *frame, int i, void *bytes);
const void *gd_plan_output_bytes(const gd_plan_frame *frame, int i); /* after a run: where it is */
/* Runs once. GD_OK, or an op's own error with its text in *error. GD_E_STATE where a step's output had not the traced
 * shape (see Note [Dynamic]): the work must be done by the evaluator. */
GD_MUST_CHECK gd_code gd_plan_run(gd_plan_frame *frame, gd_error *error);

#endif
