/* torch_gradcheck.h: one check of a function's gradients, as torch_gradcheck.c asks for it and
 * torch_gradcheck_compare.c makes it.
 */
#ifndef GD_TORCH_GRADCHECK_H
#define GD_TORCH_GRADCHECK_H

#include "core/program/natives.h"

/* What is checked: a program's function, or its gradient for gradgradcheck. */
typedef struct gd_checked {
    gd_any (*call)(gd_vm *vm, const struct gd_checked *self, gd_any inputs); /* new */
    gd_any f;
    size_t ngrads;                      /* gradgradcheck: the last inputs are the outputs' gradients */
    const bool *input_diff, *grad_diff; /* gradgradcheck: which require a gradient */
} gd_checked;

typedef struct gd_check {
    gd_hold hold;
    const gd_checked *f;
    gd_any inputs;  /* tuple */
    gd_any all;     /* tuple: what f answered */
    gd_any outputs; /* tuple: those of `all` that require a gradient */
    gd_any diff;    /* tuple: inputs that require a gradient */
    double eps, atol, rtol, nondet_tol;
    bool undefined_grad;
    double *worst; /* gets the greatest |difference| / (atol + rtol |numerical|) that was seen; NULL: not wanted */
} gd_check;

/* A tuple or list as tuple, anything else as a tuple of it. New. */
gd_any gd_check_as_tuple(gd_vm *vm, gd_any v);
bool gd_check_wants_grad(gd_any v); /* a tensor that requires a gradient */
/* The outputs that can be differentiated, held; all of them must be tensors. */
gd_any gd_check_differentiable(gd_hold *hold, gd_any tuple);
/* Needs hold, f, inputs and the numbers. False: an exception is pending, GradcheckError if the gradients are wrong. */
bool gd_check_run(gd_check *c);
/* gradcheck, or gradgradcheck with drawn cotangents if `second`, of f at a tuple of inputs, by c's numbers. GD_NIL: an
 * exception is pending, GradcheckError if the gradients are wrong. torch_gradcheck.c */
gd_any gd_check_function(gd_vm *vm, gd_any f, gd_any inputs, bool second, gd_check *c);

#endif
