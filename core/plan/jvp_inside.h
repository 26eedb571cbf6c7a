/* jvp_inside.h: one step of forward mode, as jvp.c, jvp_rules.c and jvp_backward.c see it. */
#ifndef GD_JVP_INSIDE_H
#define GD_JVP_INSIDE_H

#include "core/plan/jvp.h"
#include "core/plan/trace_inside.h"

/* A step whose inputs have tangents. Argument lists are those of the step; all tensors are borrowed. */
typedef struct gd_jvp_step {
    gd_trace *trace;
    gd_ctx *ctx;
    const gd_step *step;
    gd_tensor **tangents; /* by entry of step.in; NULL: zero, or not differentiated by */
    gd_tensor **out;      /* by output, filled with new tensors or NULL (zero) */
} gd_jvp_step;

/* How a row is differentiated. */
typedef enum gd_jvp_class {
    GD_JVP_TWICE = 0, /* by its backward rule, twice */
    GD_JVP_POINTWISE, /* by its backward rule, whose Jacobian is diagonal */
    GD_JVP_LINEAR,    /* the row itself, in all the arguments with an edge at once */
    GD_JVP_FACTORS,   /* linear in each argument with an edge alone: summed over them */
    GD_JVP_ADDED,     /* the same, but for the first one, which is added: addmm */
    GD_JVP_BIASED,    /* the same, but for the last one, which is added: convolution */
    GD_JVP_RESHAPE,   /* a linear row that wants contiguous memory: the output's shape is all there is to it */
    GD_JVP_COPY,      /* the last argument with an edge, in the output's shape and dtype */
    GD_JVP_PICKED,    /* values that output 1 says where to find, along the dimension in the argument `dim` */
    GD_JVP_STRIDED,   /* _as_strided_view */
    GD_JVP_OWN        /* jvp_own.c */
} gd_jvp_class;

/* jvp_rules.c. Both fill s->out; GD_OK or the context's error. */
gd_jvp_class gd_jvp_class_of(const gd_step *step);
GD_MUST_CHECK gd_code gd_jvp_by_row(gd_jvp_step *s, gd_jvp_class class);
/* jvp_own.c */
GD_MUST_CHECK gd_code gd_jvp_own(gd_jvp_step *s);
/* jvp_backward.c */
GD_MUST_CHECK gd_code gd_jvp_pointwise(gd_jvp_step *s);
GD_MUST_CHECK gd_code gd_jvp_twice(gd_jvp_step *s);

/* The traced output k; NULL if it was left out. */
static inline gd_tensor *gd_jvp_output(const gd_jvp_step *s, int k) {
    return s->trace->values[s->step->out + k].traced.tensor;
}

#endif
