/* math_module.h: the functions of the module math by file, for the table in math.c. */
#ifndef GD_PROGRAM_MATH_MODULE_H
#define GD_PROGRAM_MATH_MODULE_H

#include "core/program/value.h"

/* X(Python's name, least, most positional, keywords): of integers and of many numbers, in math_integers.c */
#define GD_MATH_INTEGERS(X)                                                                                            \
    X(floor, 1, 1, "")                                                                                                 \
    X(ceil, 1, 1, "")                                                                                                  \
    X(trunc, 1, 1, "")                                                                                                 \
    X(gcd, 0, -1, "")                                                                                                  \
    X(lcm, 0, -1, "")                                                                                                  \
    X(factorial, 1, 1, "")                                                                                             \
    X(comb, 2, 2, "")                                                                                                  \
    X(perm, 1, 2, "")                                                                                                  \
    X(isqrt, 1, 1, "")                                                                                                 \
    X(fsum, 1, 1, "")                                                                                                  \
    X(prod, 1, 1, "start")                                                                                             \
    X(hypot, 0, -1, "")                                                                                                \
    X(dist, 2, 2, "")

#define X(name, least, most, keywords) gd_any gd_math_##name(gd_vm *vm, const gd_args *args);
GD_MATH_INTEGERS(X)
#undef X

gd_any gd_math_domain(gd_vm *vm); /* ValueError "math domain error" */
gd_any gd_math_range(gd_vm *vm);  /* OverflowError "math range error" */

#endif
