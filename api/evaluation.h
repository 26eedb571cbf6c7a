/* evaluation.h: one evaluation of a stored function on its way from a request to its answer: reading what a client
 * sends, as JSON, .npy or safetensors, and writing what it gets. For the inside of api/.
 *
 * Requests. JSON: {"inputs":{"x":…},"wrt"?,"batched"?} and what the kind asks for: "cotangents" (an array by output, or
 * an object by name), "tangents" or "vectors" (objects by input). .npy: the function's one tensor input. safetensors:
 * inputs by their names, and `tangent.x`, `vector.x`, `cotangent.0` or `cotangent.y`; `wrt`, `batched` and inputs that
 * are no tensors may stand in its metadata. `?wrt=x,y` and `?batched=true` go with all three. */
#ifndef GD_API_EVALUATION_H
#define GD_API_EVALUATION_H

#include "api/exchange.h"

typedef struct gd_evaluation {
    gd_exchange *x;
    gd_function *f; /* counted */
    gd_eval e;
    gd_scratch texts; /* of inputs that are strings, and names */
    uint64_t wrt;     /* as the request has it; 0: not said */
    /* cotangents that came by name, until the outputs are known */
    int nnamed;
    const char *vector_names[GD_FUNCTION_INPUTS];
} gd_evaluation;

/* Fills `e` from the request. False with the request failed. */
bool gd_evaluation_read(gd_evaluation *v);
/* Answers with what `e` was filled with. */
void gd_evaluation_answer(gd_evaluation *v);

/* ---- evaluation_json.c, evaluation_binary.c ---- */
bool gd_evaluation_read_json(gd_evaluation *v);
bool gd_evaluation_read_binary(gd_evaluation *v);
/* "bad_input" with a pointer to /field/name. Returns false. */
bool gd_evaluation_refuse(gd_evaluation *v, const char *field, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Tells that what went wrong with the body did so at /field/name. Returns false. */
bool gd_evaluation_at(gd_evaluation *v, const char *field, const char *name);
/* The input's index; -1 with the request failed. */
int gd_evaluation_input(gd_evaluation *v, const char *field, const char *name);
/* Adds the input called name to wrt. */
bool gd_evaluation_add_wrt(gd_evaluation *v, const char *name);
bool gd_evaluation_is_derivative(const gd_evaluation *v);
/* Is input i among those differentiated by, as far as the request says? */
bool gd_evaluation_by(const gd_evaluation *v, int i);
/* Asks for the outputs' dtypes, shapes and names, into *outputs (to be cleared with gd_eval_clear). The inputs must be
 * known. False with the request failed, or declined. */
bool gd_evaluation_outputs(gd_evaluation *v, gd_eval *outputs);
/* The output called `name` ("y", or its number); -1 with the request failed. */
int gd_evaluation_output(gd_evaluation *v, const gd_eval *outputs, const char *name);

#endif
