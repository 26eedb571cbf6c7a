/* pointwise_run.h: what the pointwise and comparison rows share: promotion, conversion, the output, the loop. */
#ifndef GD_POINTWISE_RUN_H
#define GD_POINTWISE_RUN_H

#include "core/kernels/pointwise.h"
#include "core/ops/op.h"

#define GD_RUN_INPUTS 3

/* One computation out = kernel(in…). Inputs are borrowed. */
typedef struct gd_run {
    gd_apply *a;
    gd_kernel kernel;
    int nin;
    gd_tensor *in[GD_RUN_INPUTS];
    gd_dtype compute; /* inputs are converted to it (but the condition of GD_K_WHERE) */
    gd_dtype result;  /* what the kernel writes: compute, or bool */
    const void *extra;
    size_t extra_bytes; /* what extra points to, for traces; 0: cannot be copied */
    gd_loop loop;       /* NULL: that of `kernel` */
} gd_run;

/* Computes into a->out[0]: a new tensor of the broadcast shape, or the given one (`result` must be castable to its
 * dtype). GD_E_SHAPE, GD_E_DTYPE, GD_E_RUNTIME (overlapping memory), GD_E_MEMORY and its kin, with PyTorch's texts. */
GD_MUST_CHECK gd_code gd_run_pointwise(gd_run *r);

/* The checks that gd_run_pointwise makes before it computes, for callers whose own complaints come after PyTorch's:
 * the inputs' shapes, and the given output's shape and dtype. r->result must be set. */
GD_MUST_CHECK gd_code gd_check_pointwise(const gd_run *r);

/* `"abs_cpu" not implemented for 'Bool'`; returns GD_E_DTYPE. */
gd_code gd_fail_kernel(gd_ctx *ctx, const char *kernel, gd_dtype dtype);
/* GD_E_RUNTIME "ZeroDivisionError" if the integer tensor `divisor`, converted to the integer dtype `compute`, has a
 * zero: 256 as uint8 is one. */
GD_MUST_CHECK gd_code gd_check_divisor(gd_ctx *ctx, const gd_tensor *divisor, gd_dtype compute);

/* A Scalar argument seen as PyTorch sees a Python number: a 0-dim wrapped tensor, on the stack. */
typedef struct gd_number {
    gd_tensor tensor;
    _Alignas(8) char bytes[8];
} gd_number;
/* Fills n from a bool, int or float value; returns &n->tensor, valid while n is. */
gd_tensor *gd_number_of(gd_number *n, const gd_value *v);
double gd_value_f64(const gd_value *v); /* of a bool, int or float value */

#endif
