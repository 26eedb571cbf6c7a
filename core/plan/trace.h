/* trace.h: a recording of what a piece of work did, as a list of steps in single-assignment form.
 *
 * While a context has a trace (ctx->trace), each row of the op table that is applied in it appends a step: composites
 * as the rows that they are made of, and the rows of backward rules too. Values are numbered: inputs (what the work is
 * a function of), constants (every tensor that depends on no input) and results of steps. Only steps that depend on an
 * input are kept; other results are constants, so constants fold by themselves.
 *
 * Note [Identity]: a value is known by its memory: storage, address, dtype, shape and strides, not by its gd_tensor,
 * because saved tensors come back from nodes as other objects. The trace keeps every storage that it has seen alive,
 * and nothing in it is written twice, so memory names values. A tensor over the storage of a value that depends on an
 * input, but of a geometry that no step made, makes the trace dynamic; it is never taken for a constant.
 *
 * Note [Dynamic]: what cannot be repeated with other inputs makes the trace `dynamic`, with the reason: a number read
 * out of a tensor that depends on an input, writing into memory that other values share in a way that cannot be
 * followed, random numbers that depend on an input. The work is then done anew for other inputs: slower, never wrong.
 * An op whose output shape depends on values needs no mark: a plan compares shapes when it runs.
 *
 * Note [Guards]: where the engine itself decides by values (is a matrix singular? is a maximum NaN? has a product a
 * zero?), a step `_guard` says what the decision rested on. It has no outputs, no plan may drop it, and where it fails
 * with GD_E_STATE the plan's results mean nothing.
 *
 * Note [Randomness]: rows that draw numbers which depend on no input are constants: whoever traces a function seeds the
 * generator before it as before every other call.
 *
 * Note [Layout]: a value's tensor has the strides of the traced run. Whoever repeats steps with other strides must know
 * that `_reshape_alias` (its stride argument), `view` and `_unsafe_view` then mean reshape, and that `_as_strided_view`
 * counts from the start of its input's storage (its last two arguments are the strides and offset that the input had;
 * `_as_strided_gather` with them is the same op for any layout). Some rows compute by the layout of their inputs, and
 * the rows after them were chosen by it (`_linalg_det`, `_linalg_solve_ex` with `linalg_lu_solve`): rows that are not
 * fused must get inputs with the traced strides. A write through a view is two steps: the row's in-place form on the
 * view's value, and `_as_strided_scatter` (a contiguous copy of the base with that part replaced). Tensors of values
 * hold what they held in the traced run, also when that memory was written later.
 *
 * Note [Repeating]: a step is repeated with gd_do_all, or gd_do_inplace on a copy of in[0] where it is `inplace`, in
 * GD_MODE_NO_GRAD, and with the context's pool released afterwards (gd_pool_mark), for some rows leave temporaries
 * there. tests/conformance/run_traces.c does so for every op.
 *
 * A trace belongs to its context's thread.
 */
#ifndef GD_PLAN_TRACE_H
#define GD_PLAN_TRACE_H

#include "core/kernels/pointwise.h"
#include "core/ops/op.h"

typedef struct gd_trace gd_trace;

typedef enum gd_traced_kind { GD_TRACED_INPUT, GD_TRACED_CONSTANT, GD_TRACED_RESULT } gd_traced_kind;

/* One value. */
typedef struct gd_traced {
    gd_tensor *tensor; /* as it was in the traced run; owned, outside any graph */
    gd_traced_kind kind;
    int32_t step; /* of a result: its step; of an input: its number; else -1 */
    int32_t nr;   /* of a result: which output of the step */
} gd_traced;

#define GD_TRACE_EXTRA_BYTES 64

/* What a step's forward did, where that was exactly one pointwise loop over its arguments: such steps can be fused. */
typedef struct gd_pointwise_step {
    gd_loop loop;
    int kernel;               /* gd_kernel, or -1: a loop of its own */
    gd_dtype compute, result; /* inputs are converted to `compute`; the loop writes `result` */
    int nin;
    int32_t in[3];  /* value numbers; a Scalar of the signature is a 0-dim constant */
    bool condition; /* in[0] is read as it is (where's bool) */
    size_t extra_bytes;
    _Alignas(16) unsigned char extra[GD_TRACE_EXTRA_BYTES]; /* gd_run.extra, copied */
} gd_pointwise_step;

typedef struct gd_step {
    const gd_op *op; /* a row that is no composite */
    int nargs;
    gd_value *args; /* by position in the signature; deep copies, owned by the trace */
    int nin;
    int32_t *in; /* values, in the order in which tensors stand in args (lists entry by entry); -1: an absent one */
    int nout;
    int32_t out;  /* outputs are the values out .. out + nout - 1; one that the op left out has tensor NULL */
    bool inplace; /* the in-place form: out holds what in[0] became; in[0] itself is not written when repeated */
    bool guard; /* `_guard`: no outputs, kept by every plan; GD_E_STATE when it fails: the evaluator must do the work */
    bool is_pointwise;
    gd_pointwise_step pointwise;
} gd_step;

typedef struct gd_trace_reason {
    char text[256]; /* "bool() of a tensor that depends on an input" */
    bool failure;   /* it is that a row failed: nothing before depended on values */
} gd_trace_reason;

/* Starts recording in ctx (which has no trace). NULL with the error set. */
gd_trace *gd_trace_begin(gd_ctx *ctx);
void gd_trace_pause(gd_trace *trace); /* ctx->trace = NULL: what follows is not recorded */
void gd_trace_resume(gd_trace *trace);
void gd_trace_free(gd_trace *trace); /* pauses first; NULL is a no-op */
/* t becomes the next input: before anything reads it. Its storage must be its own. */
GD_MUST_CHECK gd_code gd_trace_input(gd_trace *trace, gd_tensor *t);
/* The number of the value that t holds: input, result, or a constant (appended if new). -1 with the error set, or where
 * t is no value of its own (see Identity): then the trace is dynamic. */
int32_t gd_trace_value(gd_trace *trace, gd_tensor *t);
/* NULL: it can be repeated; else why not (the first reason). */
const gd_trace_reason *gd_trace_dynamic(const gd_trace *trace);

/* `call` is called once, when the trace becomes dynamic (NULL: nobody is told): where the program stands is known then.
 */
void gd_trace_on_dynamic(gd_trace *trace, void (*call)(void *user), void *user);

int gd_trace_ninputs(const gd_trace *trace);
int32_t gd_trace_nvalues(const gd_trace *trace);
int gd_trace_nsteps(const gd_trace *trace);
const gd_traced *gd_trace_at(const gd_trace *trace, int32_t value); /* valid until the trace grows */
const gd_step *gd_trace_step(const gd_trace *trace, int step);

/* ---- what the engine tells; each returns at once where ctx has no trace ---- */
/* After a forward (no composite) succeeded; before in-place writes self and after it. call.c */
GD_MUST_CHECK gd_code gd_trace_applied(gd_apply *a);
GD_MUST_CHECK gd_code gd_trace_will_write(gd_apply *a);
GD_MUST_CHECK gd_code gd_trace_wrote(gd_apply *a);
/* A row failed: who goes on regardless does so because of values, as far as the trace can tell. call.c */
void gd_trace_failed(const gd_apply *a);
/* From gd_run_pointwise: what it is about to compute. pointwise_run.c */
void gd_trace_pointwise(const void *run); /* a gd_run of core/ops/pointwise_run.h */
/* Around a row's forward (no composite), when ctx has a trace: what the forward does inside is not recorded. call.c */
void gd_trace_enter(gd_ctx *ctx);
void gd_trace_leave(gd_ctx *ctx);
/* Somebody reads values of t into numbers of C or of a program: `what` is static text ("item()"). */
void gd_trace_read(gd_ctx *ctx, const gd_tensor *t, const char *what);
/* What is done next depends on the values of t, which are likely to be the same for other inputs (nothing is singular,
 * nothing is NaN): adds a guard, a step that fails with GD_E_STATE where they are not. */
void gd_trace_expect(gd_ctx *ctx, const gd_tensor *t);
/* Something that no trace can repeat is being done. */
void gd_trace_refuse(gd_ctx *ctx, const char *why);

#endif
