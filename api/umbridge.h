/* umbridge.h: UM-Bridge 1.0 at the root: each stored function whose inputs are fixed is a model, its inputs and outputs
 * flattened to lists of numbers. For the inside of api/umbridge*.c. */
#ifndef GD_API_UMBRIDGE_H
#define GD_API_UMBRIDGE_H

#include "api/lists.h"
#include "api/protocols.h"

typedef enum gd_um_type {
    GD_UM_MODEL_NOT_FOUND,
    GD_UM_UNSUPPORTED_FEATURE,
    GD_UM_INVALID_INPUT,
    GD_UM_INVALID_OUTPUT
} gd_um_type;

/* An input or output as UM-Bridge counts them. */
typedef struct gd_um_part {
    int index; /* among the function's own */
    gd_dtype dtype;
    int ndim;
    const int64_t *sizes; /* borrowed */
    int64_t numel;        /* the list's length */
} gd_um_part;

/* One request to a model. gd_um_begin first, gd_um_end last. */
typedef struct gd_um_call {
    gd_exchange *x;
    const json_t *root;         /* the request's object */
    gd_function *model;         /* owned */
    bool tokens;                /* the client reads NaN and Infinity as bare words */
    const char *segments, *tid; /* parts of the names of shared memory, of root; segments NULL: numbers go as JSON */
    int ninputs;                /* those that UM-Bridge counts: tensors of a fixed shape */
    gd_um_part inputs[GD_FUNCTION_INPUTS];
    gd_static statics[GD_FUNCTION_INPUTS];
    bool has_statics;
    int noutputs; /* after gd_um_find_outputs */
    /* these two are large, and only in use (and else not even zeroed) when the flag says so */
    bool has_shapes, has_e;
    gd_eval shapes; /* abstract; unused where the function itself knows its outputs */
    gd_eval e;
} gd_um_call;

/* Fails the request with an error object, in place of what was written. Returns false. */
bool gd_um_refuse(gd_exchange *x, gd_um_type type, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What the rest of the api found wrong, as such an object. Returns false. */
bool gd_um_refuse_fault(gd_exchange *x);
/* Fails the call if t is not finite and the client has not asked for such results; *finite tells either way. */
bool gd_um_check_finite(gd_um_call *c, const gd_tensor *t, bool *finite);
/* t with its elements in order, a new reference. NULL with the call failed. */
gd_tensor *gd_um_contiguous(gd_um_call *c, gd_tensor *t);
/* Reads the body, finds the model and does the work. `feature`: the derivative that it takes, or NULL. */
void gd_um_answer(gd_exchange *x, const char *feature, bool (*work)(gd_um_call *c));

/* ---- umbridge_model.c: what a function is as a model; all fail the call where they return false ---- */
bool gd_um_is_model(const gd_function *f);
void gd_um_begin(gd_um_call *c, gd_exchange *x);
void gd_um_end(gd_um_call *c);
bool gd_um_find(gd_um_call *c);           /* the model that the request names, and its inputs */
bool gd_um_differentiable(gd_um_call *c); /* never fails the call */
bool gd_um_read_config(gd_um_call *c);    /* static inputs and options */
bool gd_um_find_outputs(gd_um_call *c);   /* what the outputs are for this config; for gd_um_output */
gd_um_part gd_um_output(const gd_um_call *c, int i);
/* Readies c->e for an evaluation of this kind with the request's `input`, whose lists are checked and read, or with
 * what its shared memory holds. */
bool gd_um_read_input(gd_um_call *c, gd_eval_kind kind);
bool gd_um_evaluate(gd_um_call *c); /* runs c->e; false also when the request is over without an answer */

/* ---- umbridge_shmem.c: numbers in the client's shared memory; all fail the call where they return false ---- */
bool gd_um_find_segments(gd_um_call *c);                        /* c->segments and c->tid from the request */
bool gd_um_read_segments(gd_um_call *c);                        /* the inputs of c->e; or declines, if long */
bool gd_um_write_segments(gd_um_call *c, gd_tensor **t, int n); /* results, and the answer's text */

#endif
