/* special.h: loops of the special functions and of the smooth activations.
 *
 * They are rows of tables of their own, beside the arithmetic of pointwise.h, and obey the same rules: all inputs have
 * the compute dtype, the output too, or bool for tests. `x` is gd_loop's `extra`: numbers of the compute dtype.
 */
#ifndef GD_SPECIAL_H
#define GD_SPECIAL_H

#include "core/kernels/kernels.h"

/* clang-format off */
#define GD_SPECIALS(X)                                                                                        \
    /* one floating input, through SLEEF */                                                                   \
    X(ACOSH) X(ASINH) X(ATANH) X(LOG2) X(LOG10) X(EXP2) X(ERF) X(ERFC) X(LGAMMA)                              \
    X(SILU) X(MISH) X(GELU) X(GELU_TANH) X(LOGSIGMOID)                                      \
    X(ELU) /* a > 0 ? a * x[1] : expm1(a * x[2]) * x[0] */                                                    \
    /* two floating inputs, through SLEEF */                                                                  \
    X(ATAN2) X(HYPOT) X(LOGADDEXP) X(LOGADDEXP2)                                                              \
    /* one floating input, arithmetic */                                                                      \
    X(FRAC) X(HARDSWISH) X(HARDSIGMOID) X(ANGLE)                                                              \
    X(THRESHOLD)  /* a <= x[0] ? x[1] : a */                                                                  \
    X(HARDSHRINK) /* |a| <= x[0] ? 0 : a */                                                                   \
    X(SOFTSHRINK) /* a moved by x[0] towards 0 */                                                             \
    X(NAN_TO_NUM) /* NaN, inf, -inf become x[0], x[1], x[2] */                                                \
    /* two inputs, arithmetic */                                                                              \
    X(COPYSIGN) X(FMAX) X(FMIN) X(HEAVISIDE) X(NEXTAFTER)                                                     \
    /* bool output */                                                                                         \
    X(SIGNBIT) X(ISPOSINF) X(ISNEGINF)                                                                        \
    /* one floating input, number by number */                                                                \
    X(I0) X(I0E) X(I1) X(I1E) X(K0) X(K1) X(K0E) X(K1E) X(SPHERICAL_J0)    \
    X(DIGAMMA) X(TRIGAMMA) X(ERFINV) X(ERFCX) X(NDTRI) X(LOG_NDTR) X(SINC) X(ENTR)                            \
    X(POLYGAMMA) /* x[0]: the order */                                                                        \
    X(LOGIT)     /* x[0] >= 0: clamps to [x[0], 1 - x[0]] first */                                            \
    /* two floating inputs, number by number */                                                               \
    X(XLOGY) X(XLOG1PY) X(ZETA) X(IGAMMA) X(IGAMMAC)                                                          \
    /* polynomials: a is where, b the degree, cut to an integer */                                            \
    X(CHEBYSHEV_T) X(CHEBYSHEV_U) X(CHEBYSHEV_V) X(CHEBYSHEV_W) X(SHIFTED_T) X(SHIFTED_U) X(SHIFTED_V)        \
    X(SHIFTED_W) X(HERMITE_H) X(HERMITE_HE) X(LAGUERRE_L) X(LEGENDRE_P)                                       \
    /* integers only */                                                                                       \
    X(GCD) X(LCM) X(SHIFT_LEFT) X(SHIFT_RIGHT)
/* clang-format on */

typedef enum gd_special {
#define X(name) GD_SP_##name,
    GD_SPECIALS(X)
#undef X
        GD_SP_COUNT
} gd_special;

/* The loop of kernel k over inputs of dtype `compute` for this CPU; NULL where there is none. */
gd_loop gd_special_loop(gd_special k, gd_dtype compute);

/* What special.c picks from: [kernel][0: float32, 1: float64]. */
#define GD_SPECIAL_TABLES_OF(isa)                                                                                      \
    extern const gd_loop gd_special_loops_##isa[GD_SP_COUNT][2];                                                       \
    extern const gd_loop gd_polynomial_loops_##isa[GD_SP_COUNT][2];                                                    \
    extern const gd_loop gd_quantile_loops_##isa[GD_SP_COUNT][2];
GD_SPECIAL_TABLES_OF(baseline)
GD_SPECIAL_TABLES_OF(avx2)
GD_SPECIAL_TABLES_OF(avx512)

/* ---- the functions themselves, in double (special_math.c, special_gamma.c) ------------------------------ */
double gd_bessel_i0e(double x); /* exp(-|x|) I0(x) */
double gd_bessel_i1e(double x);
double gd_bessel_i0(double x);
double gd_bessel_i1(double x);
double gd_bessel_k0e(double x); /* exp(x) K0(x) */
double gd_bessel_k1e(double x);
double gd_bessel_k0(double x);
double gd_bessel_k1(double x);
double gd_spherical_j0(double x);
double gd_erfcx(double x); /* exp(x x) erfc(x) */
double gd_log_ndtr(double x);
double gd_digamma(double x);
double gd_trigamma(double x);
double gd_zeta(double s, double q); /* Hurwitz's */
double gd_polygamma(int64_t n, double x);
double gd_igamma(double a, double x);  /* the lower incomplete gamma function over gamma(a) */
double gd_igammac(double a, double x); /* 1 less that */

#endif
