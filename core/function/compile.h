/* compile.h: makes plans of functions: traces a derivation once and compiles what it recorded. */
#ifndef GD_FUNCTION_COMPILE_H
#define GD_FUNCTION_COMPILE_H

#include "core/function/inside.h"

/* The plan for the job's signature, by a trace at the point with these bytes: *out is counted, and NULL or without a
 * plan where the evaluator must do the work. The plan's inputs are the tensor inputs, then the cotangents by output,
 * then the tangents by input; its outputs the values, then the results. False: with the fault filled. */
bool gd_compile(gd_job *job, const gd_product *what, const void *const *bytes, gd_planned **out);
/* How many tensor inputs a job has. */
int gd_compile_nx(const gd_job *job);

#endif
