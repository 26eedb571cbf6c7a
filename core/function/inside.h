/* inside.h: how stored functions are laid out, for the files of core/function.
 *
 * Note [Readers]: who looks a function or a plan up takes no lock. Its thread writes the registry's epoch into its own
 * record while it reads (gd_read_begin … gd_read_end) and takes a reference before it ends. What a writer, who holds
 * the lock, takes out of a table is only freed once no thread reads that began before (gd_retire): reclamation by
 * epochs.
 *
 * Note [Fresh]: a function has no state. Each trace and each call by the evaluator has a new environment, the context's
 * generator seeded with 0, and copies of the captures, so nothing that a program writes is seen by another call.
 */
#ifndef GD_FUNCTION_INSIDE_H
#define GD_FUNCTION_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/function/function.h"
#include "core/program/stored.h"
#include "core/tensor/tensor.h"

enum { GD_FIXED_DIMS = 8, GD_PLAN_BUCKETS = 4096 };

/* ---- faults: fault.c; all answer false ---- */
bool gd_fault(gd_function_fault *fault, gd_code code, const char *kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool gd_fault_input(gd_function_fault *fault, const char *input, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* bad_input */
bool gd_fault_ctx(gd_function_fault *fault, const gd_ctx *ctx);
bool gd_fault_program(gd_function_fault *fault, const gd_program_result *result);
bool gd_fault_memory(gd_function_fault *fault);

/* ---- threads and readers: thread.c ---- */
typedef struct gd_thread {
    _Atomic uint64_t epoch; /* in which it reads; 0: it does not */
    gd_functions *registry;
    gd_ctx *ctx;
    struct gd_thread *prev, *next; /* under the registry's lock */
} gd_thread;

bool gd_threads_open(gd_functions *r);
gd_thread *gd_thread_of(gd_functions *r); /* the calling thread's, made when first asked for; NULL: no memory */
void gd_read_begin(gd_thread *t);
void gd_read_end(gd_thread *t);

typedef struct gd_retired {
    struct gd_retired *next;
    uint64_t epoch;
    void (*free_it)(void *p);
    void *p;
} gd_retired;
/* Under the lock, after p was taken out of what readers see. Frees what can be freed by now, perhaps p. */
void gd_retire(gd_functions *r, gd_retired *node, void *p, void (*free_it)(void *p));
void gd_threads_close(gd_functions *r); /* frees all threads' records and all that is retired */

/* ---- what a function answers: layout.c; immutable, counted ---- */
typedef struct gd_place_of {
    gd_dtype dtype;
    int ndim;
    int64_t *sizes;
    int64_t numel;
    size_t nbytes;
} gd_place_of;
typedef struct gd_answer_layout {
    _Atomic uint32_t refs;
    int n;
    bool named, sequence;
    const char **names; /* n */
    gd_place_of *places;
} gd_answer_layout;
gd_answer_layout *gd_answer_layout_new(const gd_stored_answer *answer); /* NULL: no memory */
gd_answer_layout *gd_answer_layout_retain(gd_answer_layout *l);
void gd_answer_layout_release(gd_answer_layout *l); /* NULL is a no-op */
/* Do the tensors have the places' dtypes and shapes? */
bool gd_answer_layout_fits(const gd_answer_layout *l, const gd_stored_answer *answer);

/* ---- one version: store.c ---- */
typedef struct gd_parameter {
    gd_function_input given; /* name is the function's own */
    bool keyword_only;
} gd_parameter;

struct gd_function {
    _Atomic uint32_t refs;
    gd_functions *registry;
    uint64_t hash, version;
    char *name, *source, *doc;
    char *def;             /* the name of its last def */
    uint32_t line, column; /* where that stands */
    size_t bytes;
    char etag[48];
    int ninputs;
    gd_parameter *inputs;
    int ncaptures;
    gd_capture *captures;
    bool fixed;
    _Atomic(char *) dynamic;            /* the first reason why a trace could not be compiled; owned, set once */
    _Atomic(gd_answer_layout *) layout; /* of a fixed function, once known; owned, set once */
    bool gone;                          /* replaced or deleted: under the lock */
    uint32_t nplans;                    /* under the lock */
    gd_retired retired;
};
gd_function *gd_function_new(gd_functions *r, const char *name, const gd_function_text *text,
                             gd_function_fault *fault); /* parsed, not yet tried */
void gd_function_set_dynamic(gd_function *f, const char *why);
void gd_function_set_layout(gd_function *f, gd_answer_layout *l); /* keeps it */

/* definition.c: what the source's last def takes. Fills def, doc, ninputs, inputs. */
bool gd_define(gd_function *f, gd_function_fault *fault);
/* annotations.c: reads "float64[3, 4]" and the like; false: `why` says what is wrong (static text). */
struct gd_ast;
bool gd_annotation_read(const struct gd_ast *x, gd_function_input *input, const char **why);

/* try.c: refuses a function that cannot work. Fills its layout where all inputs are fixed. */
bool gd_function_try(gd_ctx *ctx, gd_function *f, gd_function_fault *fault);

/* ---- the registry: registry.c ---- */
typedef struct gd_table {
    size_t mask, used; /* used: places that are not free, also those of deleted ones */
    gd_retired retired;
    _Atomic(gd_function *) at[];
} gd_table;

typedef struct gd_planned gd_planned;

struct gd_functions {
    gd_function_options options;
    gd_account *account; /* retained */
    pthread_mutex_t lock;
    pthread_key_t key;
    _Atomic uint64_t epoch;
    gd_thread *threads;
    gd_retired *retired;
    _Atomic(gd_table *) table;
    gd_function **sorted; /* by name; under the lock */
    _Atomic size_t count;
    size_t room;
    uint64_t version;
    /* plans.c */
    _Atomic(gd_planned *) plans[GD_PLAN_BUCKETS];
    size_t plan_bytes;
    _Atomic uint64_t tick;
};

/* ---- one evaluation ---- */
/* What is evaluated, once its arguments are bound: inputs.c */
typedef struct gd_job {
    gd_functions *registry;
    gd_thread *thread;
    gd_ctx *ctx;
    gd_function *f;
    gd_eval *e;
    gd_function_fault *fault;
    gd_tensor *x[GD_FUNCTION_INPUTS]; /* contiguous, of the dtype that it takes; NULL: static or left out; owned */
    /* of tensor inputs alone: */
    const int64_t *sizes[GD_FUNCTION_INPUTS]; /* of one point */
    int ndim[GD_FUNCTION_INPUTS];
    int64_t numel[GD_FUNCTION_INPUTS];
    size_t nbytes[GD_FUNCTION_INPUTS]; /* of one point */
    gd_dtype dtype[GD_FUNCTION_INPUTS];
    uint64_t tensors;                            /* inputs that are given as tensors */
    gd_stored_argument args[GD_FUNCTION_INPUTS]; /* tensors are set when it is called */
    int64_t batch;                               /* points; 1 unless batched */
    bool sketch;                                 /* see gd_job_sketch */
    uint64_t wrt;                                /* inputs to differentiate by */
    /* of the last derivation that was started */
    bool called;        /* the program ran to its end, and the function was called */
    bool dynamic;       /* what it did depended on values */
    char exception[64]; /* that the function raised, "ValueError" */
} gd_job;
/* For an evaluation that begins; job need not be zeroed. */
void gd_job_begin(gd_job *job, gd_ctx *ctx, gd_function *f, gd_eval *e, gd_function_fault *fault);
bool gd_job_bind(gd_job *job);
/* Binds what a signature is made of alone: nothing is converted or owned, x stays empty. */
bool gd_job_sketch(gd_job *job);
void gd_job_clear(gd_job *job);
static inline bool gd_bit(uint64_t set, int i) { return (set >> i) & 1; }

/* What a run answers beside the values, of one kind. JACOBIAN and HESSIAN are made of VJP, JVP and HVP. */
typedef struct gd_product {
    gd_eval_kind kind;   /* VALUE, GRADIENT, VJP, JVP or HVP */
    uint64_t wrt;        /* results of GRADIENT, VJP and HVP */
    uint64_t cotangents; /* outputs that have one: VJP, and HVP of <cotangent, outputs>; beyond the outputs: ignored */
    uint64_t tangents;   /* inputs that have one: JVP, HVP */
    uint64_t wanted;     /* outputs: results of JVP */
} gd_product;

/* The job's: of JACOBIAN and HESSIAN the one whose rows they are made of. False: with the fault filled. product.c */
uint64_t gd_given(gd_tensor *const *tensors); /* which entries are not NULL */
bool gd_product_of(gd_job *job, gd_product *what);

/* ---- by the evaluator: home.c, derive.c ---- */
/* The program, run in an environment of its own. */
typedef struct gd_home {
    gd_env *env;
    gd_stored_run *run;
} gd_home;
bool gd_home_open(gd_home *home, gd_ctx *ctx, const gd_function *f, const _Atomic bool *stop, gd_function_fault *fault);
void gd_home_close(gd_home *home);

/* A function at one point, and its derivatives there. */
struct gd_trace;
typedef struct gd_derivation {
    gd_job *job;
    gd_product what;
    bool traced;            /* record what is done, from the function's call on */
    bool twice;             /* JVP by two backwards, not by gd_trace_jvp */
    struct gd_trace *trace; /* the recording; owned */
    gd_home home;
    gd_tensor *x[GD_FUNCTION_INPUTS];     /* leaves with the point's values */
    gd_stored_answer answer;              /* what the function returned */
    gd_tensor *first[GD_FUNCTION_INPUTS]; /* by input with a tangent. HVP: the gradient; JVP: the gradient of <u, f> */
    gd_tensor *u[GD_FUNCTION_INPUTS];     /* JVP: what `first` is linear in, by output */
    uint32_t dynamic_line;                /* where the trace became dynamic; 0: not known */
    bool copies, all_grad;                /* see Note [Leaves] in derive.c */
} gd_derivation;
/* Runs the function; bytes of each tensor input at the point. */
bool gd_derive_start(gd_derivation *d, gd_job *job, const gd_product *what, const void *const *bytes);
/* What all products at the point share. HVP: cotangents by output, borrowed; NULL entries or array: none. */
bool gd_derive_prepare(gd_derivation *d, gd_tensor *const *cotangents);
/* One product: vectors by output (VJP) or input (JVP, HVP), borrowed; GRADIENT: NULL. New tensors into results: by wrt
 * in order, JVP: by wanted output; gd_derive_nresults of them. */
bool gd_derive_product(gd_derivation *d, gd_tensor *const *vectors, gd_tensor **results);
int gd_derive_nresults(const gd_derivation *d);
void gd_derive_end(gd_derivation *d);
/* An output that can have a cotangent. */
static inline bool gd_derive_floats(const gd_derivation *d, int output) {
    return output < d->answer.n && gd_dtype_is_float((gd_dtype)d->answer.tensors[output]->dtype);
}

/* ---- one face for plans and the evaluator: run.c ---- */
typedef struct gd_runner {
    gd_job *job;
    gd_product what;          /* cotangents: of floating outputs alone */
    gd_answer_layout *layout; /* of the values */
    gd_planned *planned;      /* NULL: by the evaluator */
    struct gd_plan_frame *frame;
    gd_derivation derivation;
    bool started, prepared; /* the derivation: it stands at `stands` */
    int64_t point, stands;
    bool mismatch; /* a plan found other shapes than it was made for: the evaluator must do it */
} gd_runner;
/* Finds or compiles the plan, or else runs the function at the first point, so that the layout is known. The batch has
 * a point. evaluate: do not ask for a plan. */
bool gd_runner_open(gd_runner *r, gd_job *job, const gd_product *what, bool evaluate);
bool gd_runner_point(gd_runner *r, int64_t point);
/* One product at the point: vectors by output and input; values (NULL: not wanted, also by entry) and results get the
 * bytes. */
bool gd_runner_run(gd_runner *r, const void *const *cotangents, const void *const *tangents, void *const *values,
                   void *const *results);
void gd_runner_close(gd_runner *r);
/* For another thread: shares r's plan, which r keeps, and runs in a frame of its own. False: there is no plan, or no
 * memory. Nothing of the evaluator is copied. */
bool gd_runner_fork(const gd_runner *r, gd_runner *twin);
/* One product at a point by the plan alone. False: it failed; who it was forked from must do the point. */
bool gd_runner_try(gd_runner *twin, int64_t point, const void *const *cotangents, const void *const *tangents,
                   void *const *values, void *const *results);
void gd_runner_join(gd_runner *twin); /* before r is closed */

/* batch.c: all points of the job's batch, `times` products at each, into the results that are ready: by several threads
 * where the evaluation allows it and it is worth it. v[0]: the vectors; v[1]: the cotangents of HVP. */
struct gd_vectors;
bool gd_batch_run(gd_runner *r, const struct gd_vectors *v, int64_t times);

/* ---- results.c, evaluate.c, matrices.c, check.c, examples.c ---- */
/* What an evaluation holds, and frees in the end. */
typedef struct gd_held {
    gd_answer_layout *layout;
    gd_tensor **values, **results; /* zeroed arrays */
    int nresults;
    gd_function_output *outputs;
    int64_t *sizes;          /* of the outputs */
    gd_check_report *report; /* CHECK */
} gd_held;
/* The dtype and shape of a result: axes for the batch and for `stacked` >= 0 products, then `outer` and `inner`'s. */
typedef struct gd_shape_of {
    int ndim;
    const int64_t *sizes;
} gd_shape_of;
gd_tensor *gd_result_new(const gd_job *job, gd_dtype dtype, int64_t stacked, gd_shape_of outer, gd_shape_of inner);
/* Puts layout and room for nresults into the evaluation, and makes its values. */
bool gd_held_open(gd_job *job, gd_answer_layout *layout, int nresults);
gd_shape_of gd_shape_of_output(const gd_answer_layout *l, int i);
bool gd_stopped(const gd_job *job); /* false, or true with the fault filled */
bool gd_eval_matrix(gd_job *job);   /* JACOBIAN, HESSIAN */
bool gd_eval_check(gd_job *job);
bool gd_eval_abstract(gd_job *job);
/* A tensor of halves, ones or true. */
gd_tensor *gd_example(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes);
/* What the function answers for examples of the inputs that the job has; new, NULL with the fault filled. */
gd_answer_layout *gd_example_layout(gd_job *job);

#endif
