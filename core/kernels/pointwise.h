/* pointwise.h: the loops that compute one output element from one element of each input.
 *
 * All inputs have one dtype, the compute dtype; the output has it too, or is bool for tests and comparisons.
 * Conversions, broadcasting and promotion are the callers' business.
 */
#ifndef GD_POINTWISE_H
#define GD_POINTWISE_H

#include "core/kernels/kernels.h"

/* `x` below is gd_loop's `extra`: an array of numbers of the compute dtype. */
/* clang-format off */
#define GD_KERNELS(X)                                                                                         \
    /* two inputs */                                                                                          \
    X(ADD) X(SUB) X(MUL) X(DIV) X(MINIMUM) X(MAXIMUM) X(REMAINDER) X(FMOD) X(FLOOR_DIV) X(TRUNC_DIV) X(POW)   \
    X(ADD_ALPHA)   /* a + x[0] * b */                                                                         \
    X(SUB_ALPHA)   /* a - x[0] * b */                                                                         \
    X(SCALED_MUL)  /* a * b * x[0] */                                                                         \
    X(LERP_SCALAR) /* from a to b, weight x[0] */                                                             \
    /* derivatives: a is the gradient, b the forward's result */                                              \
    X(RELU_BACKWARD) X(SIGMOID_BACKWARD) X(TANH_BACKWARD)                                                     \
    /* bool output */                                                                                         \
    X(EQ) X(NE) X(LT) X(LE) X(GT) X(GE) X(LOGICAL_AND) X(LOGICAL_OR) X(LOGICAL_XOR)                           \
    X(LOGICAL_NOT) X(ISNAN) X(ISINF) X(ISFINITE)                                                              \
    X(CLOSE) /* |a - b| <= x[0] + x[1] * |b|, or equal; x[2] != 0: NaN equals NaN */                          \
    /* integers and bool only */                                                                              \
    X(BITWISE_AND) X(BITWISE_OR) X(BITWISE_XOR) X(BITWISE_NOT)                                                \
    /* one input */                                                                                           \
    X(COPY) X(NEG) X(ABS) X(SIGN) X(RELU) X(SQUARE) X(CUBE)                                                   \
    X(CLAMP) X(CLAMP_MIN) X(CLAMP_MAX) /* bounds x[0], x[1]; x[0]; x[0] */                                    \
    /* one floating input */                                                                                  \
    X(FLOOR) X(CEIL) X(ROUND) X(TRUNC) X(SQRT) X(RSQRT) X(RECIPROCAL) X(INVERSE_SQUARE)                       \
    X(ROUND_SCALED) /* to multiples of 1 / x[0], or of -x[0] if negative */                                   \
    X(SIGMOID) X(EXP) X(LOG) X(LOG1P) X(EXPM1) X(SIN) X(COS) X(TAN) X(ASIN) X(ACOS) X(ATAN)                   \
    X(SINH) X(COSH) X(TANH)                                                                                   \
    /* three inputs */                                                                                        \
    X(WHERE) /* the first is bool */                                                                          \
    X(CLAMP_TENSOR) X(LERP)                                                                                   \
    X(ADDCMUL) X(ADDCDIV) /* a + x[0] * b * c, a + x[0] * b / c */
/* clang-format on */

typedef enum gd_kernel {
#define X(name) GD_K_##name,
    GD_KERNELS(X)
#undef X
        GD_K_COUNT
} gd_kernel;

/* The loop of kernel k over inputs of dtype `compute` for this CPU; NULL where there is none
 * (bitwise operators of floats, transcendental functions of integers …). */
gd_loop gd_pointwise_loop(gd_kernel k, gd_dtype compute);

/* What pointwise.c picks from. The floating tables exist once an instruction set: [kernel][0: float32, 1: float64]. */
#define GD_ISA_TABLES(isa)                                                                                             \
    extern const gd_loop gd_float_loops_##isa[GD_K_COUNT][2];                                                          \
    extern const gd_loop gd_math_loops_##isa[GD_K_COUNT][2];
GD_ISA_TABLES(baseline)
GD_ISA_TABLES(avx2)
GD_ISA_TABLES(avx512)

#endif
