/* special.c: the choice among the special functions' loops, and those that go number by number.
 *
 * The latter compute in double (special_math.c, special_gamma.c) and round once. Integers: the few operators that have
 * them wrap or saturate as PyTorch's do.
 */
#include "core/kernels/special.h"

#include "core/kernels/loops.h"

#include <math.h>

/* ---- floats ---------------------------------------------------------------------------------------- */

/* PyTorch's float32 form rounds 400 / (4 + x) on the way; its rules subtract what nearly is the result, so the same
 * rounding matters. */
static float erfcx_float(float x) {
    if (!(x >= 0 && x < 50)) return (float)gd_erfcx((double)x);
    const float y = 400 / (4 + x);
    return (float)gd_erfcx(400 / (double)y - 4);
}

/* In the type's own arithmetic, rounded as PyTorch's. */
static double log_normal_double(double x) { return gd_log_ndtr(x); }
static float log_normal_float(float x) {
    const float t = (float)((double)x * 0.707106781186547524401);
    return x < -1 ? logf(erfcx_float(-t) / 2) - t * t : log1pf(-erfcf(t) / 2);
}

/* The neighbours are those of the type. */
static float next_float(float a, float b) { return nextafterf(a, b); }
static double next_double(double a, double b) { return nextafter(a, b); }

#define UNARY(X, T)                                                                                                    \
    X(I0, T, gd_bessel_i0((double)a))                                                                                  \
    X(I0E, T, gd_bessel_i0e((double)a))                                                                                \
    X(I1, T, gd_bessel_i1((double)a))                                                                                  \
    X(I1E, T, gd_bessel_i1e((double)a))                                                                                \
    X(K0, T, gd_bessel_k0((double)a))                                                                                  \
    X(K1, T, gd_bessel_k1((double)a))                                                                                  \
    X(K0E, T, gd_bessel_k0e((double)a))                                                                                \
    X(K1E, T, gd_bessel_k1e((double)a))                                                                                \
    X(SPHERICAL_J0, T, gd_spherical_j0((double)a))                                                                     \
    X(DIGAMMA, T, gd_digamma((double)a))                                                                               \
    X(TRIGAMMA, T, gd_trigamma((double)a))                                                                             \
    X(LOG_NDTR, T, log_normal_##T(a))                                                                                  \
    X(POLYGAMMA, T, gd_polygamma((int64_t)x[0], (double)a))

#define BINARY(X, T)                                                                                                   \
    X(ZETA, T, gd_zeta((double)a, (double)b))                                                                          \
    X(IGAMMA, T, gd_igamma((double)a, (double)b))                                                                      \
    X(IGAMMAC, T, gd_igammac((double)a, (double)b))                                                                    \
    X(NEXTAFTER, T, next_##T(a, b))

#define DEFINE_UNARY(K, T, EXPR) GD_LOOP1(K##_##T, T, T, EXPR)
#define DEFINE_BINARY(K, T, EXPR) GD_LOOP2(K##_##T, T, T, EXPR)
UNARY(DEFINE_UNARY, float)
UNARY(DEFINE_UNARY, double)
BINARY(DEFINE_BINARY, float)
BINARY(DEFINE_BINARY, double)

#define FLOAT_ROW(K, ...) [GD_SP_##K] = {K##_float, K##_double},
static const gd_loop slow_loops[GD_SP_COUNT][2] = {UNARY(FLOAT_ROW, ) BINARY(FLOAT_ROW, )};

/* ---- integers ------------------------------------------------------------------------------------------ */

static uint64_t magnitude(int64_t v) { return v < 0 ? 0 - (uint64_t)v : (uint64_t)v; }

static uint64_t gcd(int64_t a, int64_t b) {
    uint64_t p = magnitude(a), q = magnitude(b);
    while (q) {
        uint64_t r = p % q;
        p = q;
        q = r;
    }
    return p;
}

static uint64_t lcm(int64_t a, int64_t b) {
    uint64_t g = gcd(a, b);
    if (!g) return 0;
    return magnitude((int64_t)(magnitude(a) / g * magnitude(b)));
}

/* Shifts by a negative number or by all the bits there are leave what an endless shift leaves. */
static uint64_t shift_left(int64_t a, int64_t by, int bits) { return by < 0 || by >= bits ? 0 : (uint64_t)a << by; }
static int64_t shift_right(int64_t a, int64_t by, int bits) { return a >> (by < 0 || by >= bits ? bits - 1 : by); }
static bool below_zero(int64_t v) { return v < 0; }

#define BITS(T) ((int)(8 * sizeof(T)))
#define INT_BINARY(X, T)                                                                                               \
    X(GCD, T, gcd((int64_t)a, (int64_t)b))                                                                             \
    X(LCM, T, lcm((int64_t)a, (int64_t)b))                                                                             \
    X(SHIFT_LEFT, T, shift_left((int64_t)a, (int64_t)b, BITS(T)))                                                      \
    X(SHIFT_RIGHT, T, shift_right((int64_t)a, (int64_t)b, BITS(T)))                                                    \
    X(HEAVISIDE, T, a == 0 ? b : (T)!below_zero((int64_t)a))                                                           \
    X(FMAX, T, a > b ? a : b)                                                                                          \
    X(FMIN, T, a < b ? a : b)
#define INT_UNARY(X, T)                                                                                                \
    X(THRESHOLD, T, a <= x[0] ? x[1] : a)                                                                              \
    X(NAN_TO_NUM, T, a)
#define INT_TESTS(X, T)                                                                                                \
    X(SIGNBIT, T, below_zero((int64_t)a))                                                                              \
    X(ISPOSINF, T, a != a)                                                                                             \
    X(ISNEGINF, T, a != a)

#define DEFINE_TEST(K, T, EXPR) GD_LOOP1(K##_##T, uint8_t, T, EXPR)
#define DEFINE_INT(T) INT_BINARY(DEFINE_BINARY, T) INT_UNARY(DEFINE_UNARY, T) INT_TESTS(DEFINE_TEST, T)
DEFINE_INT(uint8_t)
DEFINE_INT(int32_t)
DEFINE_INT(int64_t)

#define INT_ROW(K, ...) [GD_SP_##K] = {[GD_UINT8] = K##_uint8_t, [GD_INT32] = K##_int32_t, [GD_INT64] = K##_int64_t},
static const gd_loop int_loops[GD_SP_COUNT][GD_DTYPE_COUNT] = {INT_BINARY(INT_ROW, ) INT_UNARY(INT_ROW, )
                                                                   INT_TESTS(INT_ROW, )};

/* Bool shares the bytes' loops where they keep 0 and 1. */
static gd_loop bool_loop(gd_special k) {
    switch (k) {
    case GD_SP_FMAX:
    case GD_SP_FMIN:
    case GD_SP_HEAVISIDE:
    case GD_SP_NAN_TO_NUM:
    case GD_SP_ISPOSINF:
    case GD_SP_ISNEGINF: return int_loops[k][GD_UINT8];
    default: return NULL;
    }
}

/* ---- choice ----------------------------------------------------------------------------------------------- */

static gd_loop float_loop(gd_special k, int column) {
#if defined(__x86_64__)
    static const gd_loop(*const vector[])[2] = {gd_special_loops_baseline, gd_special_loops_avx2,
                                                gd_special_loops_avx512};
    static const gd_loop(*const polynomials[])[2] = {gd_polynomial_loops_baseline, gd_polynomial_loops_avx2,
                                                     gd_polynomial_loops_avx512};
    static const gd_loop(*const quantiles[])[2] = {gd_quantile_loops_baseline, gd_quantile_loops_avx2,
                                                   gd_quantile_loops_avx512};
#else
    static const gd_loop(*const vector[])[2] = {gd_special_loops_baseline};
    static const gd_loop(*const polynomials[])[2] = {gd_polynomial_loops_baseline};
    static const gd_loop(*const quantiles[])[2] = {gd_quantile_loops_baseline};
#endif
    gd_isa isa = gd_cpu_isa();
    if (vector[isa][k][column]) return vector[isa][k][column];
    if (quantiles[isa][k][column]) return quantiles[isa][k][column];
    return slow_loops[k][column] ? slow_loops[k][column] : polynomials[isa][k][column];
}

gd_loop gd_special_loop(gd_special k, gd_dtype compute) {
    switch (compute) {
    case GD_FLOAT32: return float_loop(k, 0);
    case GD_FLOAT64: return float_loop(k, 1);
    case GD_BOOL: return bool_loop(k);
    case GD_UINT8:
    case GD_INT32:
    case GD_INT64: return int_loops[k][compute];
    default: return NULL;
    }
}
