/* protocols.h: evaluating a stored function for a protocol that has its own shape of errors (UM-Bridge, Tesseract). */
#ifndef GD_API_PROTOCOLS_H
#define GD_API_PROTOCOLS_H

#include "api/exchange.h"
#include "core/function/function.h"

typedef enum gd_evaluated {
    GD_EVALUATED,
    GD_EVALUATED_NOT,   /* it would take long and the request is asked to be brief, or its client has left: nothing more
                           to   do */
    GD_EVALUATED_FAILED /* the fault tells */
} gd_evaluated;

/* Evaluates for the request: not when it would be long and gd_api_try asks; ended when the client leaves. */
gd_evaluated gd_evaluate(gd_exchange *x, gd_function *f, gd_eval *e, gd_function_fault *fault);
/* A new tensor of this dtype and shape for GD_EVAL_ABSTRACT, however large: one element stands for all. NULL with the
 * request failed. */
gd_tensor *gd_abstract_tensor(gd_exchange *x, gd_dtype dtype, int ndim, const int64_t *sizes);
/* A static input's value from JSON, texts borrowed. False if j is of another type. */
bool gd_static_of(const json_t *j, gd_input_kind kind, gd_value *v);
/* The number of elements of a shape; -1 if it is more than any machine has. */
int64_t gd_shape_numel(int ndim, const int64_t *sizes);

#endif
