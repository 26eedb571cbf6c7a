/* bench.h: what the files of tests/bench/engine share. */
#ifndef GD_BENCH_H
#define GD_BENCH_H

#include <stdint.h>

#include "core/gradd.h"

/* hand.c: the sum of x**2 * exp(x) over n elements; g gets the gradient. */
double hand_written(const float *x, float *g, int64_t n);
double plain_pass(const float *x, float *g, int64_t n); /* the same, one element at a time */
/* functions.c: "engine functions": figures of stored functions within the process. */
int function_figures(gd_ctx *ctx);

#endif
