/* function.h: stored functions: a program's last `def`, kept as text, traced and compiled when it is first asked for,
 * evaluated and differentiated as often as wanted. Public within gradd (api/ uses it); no HTTP, no JSON.
 *
 * A registry holds functions by name; each PUT makes a new immutable version, and who evaluates an older one keeps it
 * alive. Functions are stateless: each trace, and each call that cannot be compiled, starts from a fresh environment
 * with the generator seeded with 0. Any number of threads evaluate one function at once: looking it up, finding its
 * plan and running it take no lock. Plans are kept per kind and signature (dtypes and shapes of the inputs, values of
 * the static ones), a bounded number of them; functions' text is cheap, so ten thousand of them are.
 */
#ifndef GD_FUNCTION_H
#define GD_FUNCTION_H

#include "core/gradd.h"
#include "core/program/program.h"

#define GD_FUNCTION_INPUTS 64 /* parameters of a function */
#define GD_FUNCTION_NAME_BYTES 129

typedef struct gd_functions gd_functions;
typedef struct gd_function gd_function;

/* What a parameter takes. Fixed by annotations (x: float64[100], A: float32[3, 4], y: float64, n: int) or by `inputs`
 * of the PUT, which wins. */
typedef enum gd_input_kind {
    GD_INPUT_TENSOR,
    GD_INPUT_INT, /* static: annotated with int, float, bool or str; part of the signature */
    GD_INPUT_FLOAT,
    GD_INPUT_BOOL,
    GD_INPUT_STR
} gd_input_kind;

typedef struct gd_function_input {
    const char *name;
    gd_input_kind kind;
    bool has_default; /* may be left out */
    bool has_dtype, has_shape;
    gd_dtype dtype;
    int ndim;
    int64_t sizes[8]; /* elements */
} gd_function_input;

/* A tensor frozen into a function under a name. */
typedef struct gd_capture {
    const char *name;
    gd_tensor *tensor; /* copied */
} gd_capture;

typedef struct gd_function_options {
    gd_program_limits limits; /* of tracing and of calls that cannot be compiled */
    size_t plan_bytes;        /* what compiled plans may take in all; least recently used ones go */
    size_t max_functions;     /* 0: none */
    gd_account *account;      /* charged for captures and evaluation; NULL: process-wide */
} gd_function_options;

gd_functions *gd_functions_new(const gd_function_options *options); /* NULL if memory is out */
void gd_functions_free(gd_functions *r);                            /* nothing may be evaluating; NULL is a no-op */

/* Why a PUT or an evaluation failed, as much as is known. Zero-initialise. */
typedef struct gd_function_fault {
    gd_code code;     /* the engine's, or GD_E_VALUE */
    const char *kind; /* static: "syntax_error", "program_error", "program_limit", "bad_function" (no def, no tensor
                         returned …), "bad_input" (name, shape, dtype; see `input`), "unknown_name", "precondition"
                         (If-Match), "too_many", "not_scalar", or NULL: an engine error, `code` tells */
    char message[GD_MESSAGE_BYTES];
    char input[64];        /* the offending input, or "" */
    uint32_t line, column; /* of the function's source; 0: unknown */
} gd_function_fault;

typedef struct gd_function_text {
    const char *source;
    size_t bytes;
    const gd_function_input *inputs; /* what `inputs` of the PUT fixes; by name */
    int ninputs;
    const gd_capture *captures;
    int ncaptures;
} gd_function_text;

typedef enum gd_put_result { GD_PUT_FAILED, GD_PUT_CREATED, GD_PUT_REPLACED } gd_put_result;
/* Parses, compiles and, where all inputs are fixed, traces once (so what cannot work is refused here), then binds the
 * name. if_match: NULL, "*" (must exist) or an etag that must be the present one; if_none_match "*": must not exist.
 * Any thread. */
gd_put_result gd_functions_put(gd_functions *r, const char *name, const gd_function_text *text, const char *if_match,
                               const char *if_none_match, gd_function_fault *fault);
bool gd_functions_delete(gd_functions *r, const char *name); /* false if unknown */
/* The present version; counted, released with gd_function_release. NULL if unknown. No lock; any thread. */
gd_function *gd_functions_find(gd_functions *r, const char *name);
void gd_function_release(gd_function *f); /* NULL is a no-op */
size_t gd_functions_count(gd_functions *r);
void gd_functions_plans(gd_functions *r, size_t *count, size_t *bytes); /* compiled plans, and what they take */
/* Names in order, > after (NULL: from the start); new references into `out` (room for limit); *more. */
size_t gd_functions_list(gd_functions *r, const char *after, size_t limit, gd_function **out, bool *more);

/* ---- one version; constant ---- */
const char *gd_function_name(const gd_function *f);
const char *gd_function_source(const gd_function *f); /* as it was put */
const char *gd_function_doc(const gd_function *f);    /* the def's docstring, or NULL */
const char *gd_function_etag(const gd_function *f);   /* "\"7-9f3c…\"", quoted as the header has it */
uint64_t gd_function_version(const gd_function *f);   /* counts the PUTs of the registry */
int gd_function_ninputs(const gd_function *f);
const gd_function_input *gd_function_input_at(const gd_function *f, int i);
int gd_function_input_index(const gd_function *f, const char *name); /* -1: none */
int gd_function_ncaptures(const gd_function *f);
const char *gd_function_capture_name(const gd_function *f, int i);
/* All tensor inputs have dtype and shape (or a default), so the outputs are known. */
bool gd_function_is_fixed(const gd_function *f);
/* One output. */
typedef struct gd_function_output {
    const char *name; /* key of a dict, else "0", "1" …; lives as long as the function or evaluation, as sizes do */
    gd_dtype dtype;
    int ndim;
    const int64_t *sizes; /* elements */
} gd_function_output;
/* What a fixed function answers, as far as it is known: from the PUT, or from the first evaluation where it raises for
 * the PUT's example values. -1: not known. */
int gd_function_noutputs(const gd_function *f);
gd_function_output gd_function_output_at(const gd_function *f, int i);
bool gd_function_is_named(const gd_function *f); /* it returns a dict */
/* What cannot be compiled and is evaluated anew each time, and why; NULL: compiled, or not yet known. */
const char *gd_function_dynamic(const gd_function *f);

/* ---- evaluation ---- */
typedef enum gd_eval_kind {
    GD_EVAL_VALUE,
    GD_EVAL_GRADIENT, /* scalar output */
    GD_EVAL_VJP,
    GD_EVAL_JVP,
    GD_EVAL_HVP, /* scalar output, or any with `cotangents` */
    GD_EVAL_JACOBIAN,
    GD_EVAL_HESSIAN,  /* scalar output, or any with `cotangents` */
    GD_EVAL_ABSTRACT, /* dtypes and shapes of the outputs only: inputs' values are not read */
    GD_EVAL_CHECK
} gd_eval_kind;

/* A static input's value. Texts are borrowed. */
typedef struct gd_static {
    bool given;
    gd_value value;
} gd_static;

/* gradcheck and gradgradcheck of the function at a point. */
typedef struct gd_check_report {
    bool gradient_ok, second_ok, second_tried;
    double gradient_error, second_error; /* greatest difference, relative to the tolerance's measure */
    char text[1024];                     /* PyTorch's text of what failed, or "" */
} gd_check_report;

/* One evaluation. Zero-initialise, fill, gd_function_eval, read, gd_eval_clear. Indexes are those of the function's
 * inputs and outputs.
 *
 * HVP: the results are, for the inputs in `wrt`, d/d(input) of the sum over the inputs j that have a vector of
 * <d(scalar)/d(j), vectors[j]>; a NULL vector counts as zero, so `wrt` and the inputs with vectors may differ
 * (UM-Bridge's ApplyHessian: vectors for inWrt2 alone, wrt of inWrt1 alone). Without `cotangents` the scalar is the one
 * output; with them it is the sum of <cotangents[o], output o>, NULL ones counting as zero.
 *
 * Shapes: a tensor input has the shape that the function takes, with one leading axis more if `batched`; the results
 * then have that axis too. A cotangent has its output's shape, a tangent and a vector its input's; each may have one
 * leading axis more (after the batch axis), of one length K: K of them at once, and the results have it. */
typedef struct gd_eval {
    gd_eval_kind kind;
    bool batched;
    gd_tensor *inputs[GD_FUNCTION_INPUTS]; /* taken from the caller, any strides; NULL: left out */
    gd_static statics[GD_FUNCTION_INPUTS];
    uint64_t wrt;                              /* inputs to differentiate by; 0: every floating tensor input */
    gd_tensor *vectors[GD_FUNCTION_INPUTS];    /* tangents (JVP), vectors (HVP), cotangents by output (VJP); taken */
    gd_tensor *cotangents[GD_FUNCTION_INPUTS]; /* HVP, HESSIAN: by output, see above; taken; no K axis. All NULL: a
                                                  scalar output */
    uint64_t outputs_wanted;                   /* JACOBIAN, JVP: outputs of interest; 0: all */
    uint32_t threads;                          /* that may share the points of a batch; 0, 1: the calling one alone */
    const _Atomic bool *stop;                  /* set from outside to end it soon; NULL: never */
    /* filled */
    int noutputs;
    gd_tensor **values; /* noutputs; owned by the evaluation; contiguous; NULL under ABSTRACT and CHECK */
    const gd_function_output *outputs; /* GD_EVAL_ABSTRACT: noutputs; owned by the evaluation */
    const char *const *output_names;   /* "y", or "0", "1" … ; live as long as the evaluation */
    bool named;                        /* the function returned a dict */
    int nresults;
    /* GRADIENT, VJP, HVP: by input in order of wrt's bits; JVP: by output; JACOBIAN: output-major [output][wrt];
     * HESSIAN: [wrt][wrt]. Contiguous. NULL for outputs that are not wanted (JVP, JACOBIAN). `wrt` is filled with the
     * inputs that it was where it was 0. HVP: <H, v> by wrt; v may be of other inputs than wrt. */
    gd_tensor **results;
    gd_check_report *report; /* CHECK */
    void *hold;              /* what keeps all this */
} gd_eval;

/* ctx is the calling thread's own: gd_functions_ctx. True, or false with *fault filled. */
bool gd_function_eval(gd_ctx *ctx, gd_function *f, gd_eval *e, gd_function_fault *fault);
void gd_eval_clear(gd_eval *e); /* releases the inputs too; the struct is zeroed */
/* The calling thread's context for evaluations, made when first asked for and freed with the thread. NULL: no memory.
 */
gd_ctx *gd_functions_ctx(gd_functions *r);
/* May it take long (well over a millisecond)? By the plan's cost if there is one, else by whether it must be compiled.
 */
bool gd_function_is_small(gd_function *f, const gd_eval *e);

#endif
