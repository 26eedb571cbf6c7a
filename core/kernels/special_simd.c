/* special_simd.c: special functions and activations in whole vectors: those that SLEEF has, and what is arithmetic.
 * Compiled once an instruction set; see special.h for what each kernel computes.
 *
 * As in math_simd.c tails and strided runs go through the same vector function on a padded buffer, so a result does not
 * depend on where in a tensor its element stands.
 */
#include "core/kernels/special.h"

#include "core/kernels/simd.h"

#include <math.h>
#include <sleef.h>

#define JOIN3(a, b, c) a##b##c
#define SLEEF(f, lanes, precision) JOIN3(Sleef_##f, lanes, precision)
#if defined(__x86_64__) && GD_ISA_LEVEL == 2
#define SLEEF_float(f, p) SLEEF(f, f16, p##avx512f)
#define SLEEF_double(f, p) SLEEF(f, d8, p##avx512f)
#elif defined(__x86_64__) && GD_ISA_LEVEL == 1
#define SLEEF_float(f, p) SLEEF(f, f8, p##avx2)
#define SLEEF_double(f, p) SLEEF(f, d4, p##avx2)
#elif defined(__x86_64__)
#define SLEEF_float(f, p) SLEEF(f, f4, p##sse2)
#define SLEEF_double(f, p) SLEEF(f, d2, p##sse2)
#else
#define SLEEF_float(f, p) SLEEF(f, f4, p)
#define SLEEF_double(f, p) SLEEF(f, d2, p)
#endif

#define LANES(T) ((int64_t)(sizeof(gd_v_##T) / sizeof(T)))

typedef int32_t mask_float __attribute__((vector_size(sizeof(gd_v_float)), may_alias));
typedef int64_t mask_double __attribute__((vector_size(sizeof(gd_v_double)), may_alias));

/* condition ? a : b, lane by lane; conditions are what comparing vectors gives. */
#define CHOOSE(T, condition, a, b)                                                                                     \
    ((gd_v_##T)(((mask_##T)(condition) & (mask_##T)(a)) | (~(mask_##T)(condition) & (mask_##T)(b))))
#define MAGNITUDE(T, a) CHOOSE(T, (a) < 0, -(a), (a))

/* ---- the shape of the loops ------------------------------------------------------------------------ */

/* Up to LANES strided elements, padded with the last one. */
#define DEFINE_MOVES(T)                                                                                                \
    static gd_v_##T gather_##T(const char *p, int64_t stride, int64_t count) {                                         \
        if (count == LANES(T) && stride == (int64_t)sizeof(T)) return gd_load_##T(GD_IN(T, p));                        \
        if (count == 1 || stride == 0) return GD_SPLAT(T, *GD_IN(T, p));                                               \
        T buffer[LANES(T)];                                                                                            \
        for (int64_t i = 0; i < LANES(T); i++) {                                                                       \
            buffer[i] = *GD_IN(T, p);                                                                                  \
            if (i + 1 < count) p += stride;                                                                            \
        }                                                                                                              \
        return gd_load_##T(buffer);                                                                                    \
    }                                                                                                                  \
    static void scatter_##T(char *p, int64_t stride, int64_t count, gd_v_##T v) {                                      \
        if (count == LANES(T) && stride == (int64_t)sizeof(T)) {                                                       \
            memcpy(p, &v, sizeof(v));                                                                                  \
            return;                                                                                                    \
        }                                                                                                              \
        T buffer[LANES(T)];                                                                                            \
        memcpy(buffer, &v, sizeof(v));                                                                                 \
        for (int64_t i = 0; i < count; i++, p += stride) *GD_OUT(T, p) = buffer[i];                                    \
    }
DEFINE_MOVES(float)
DEFINE_MOVES(double)

/* V: the vector function of a (and b) and the numbers x. */
#define DEFINE_LOOP1(K, T)                                                                                             \
    static void K##_##T(char *const *data, const int64_t *st, int64_t n, const void *extra) {                          \
        const T *x = extra;                                                                                            \
        for (int64_t i = 0; i < n; i += LANES(T)) {                                                                    \
            const int64_t count = n - i < LANES(T) ? n - i : LANES(T);                                                 \
            const gd_v_##T a = gather_##T(data[1] + i * st[1], st[1], count);                                          \
            scatter_##T(data[0] + i * st[0], st[0], count, K##_of_##T(a, x));                                          \
        }                                                                                                              \
    }
#define DEFINE_LOOP2(K, T)                                                                                             \
    static void K##_##T(char *const *data, const int64_t *st, int64_t n, const void *extra) {                          \
        (void)extra;                                                                                                   \
        for (int64_t i = 0; i < n; i += LANES(T)) {                                                                    \
            const int64_t count = n - i < LANES(T) ? n - i : LANES(T);                                                 \
            const gd_v_##T a = gather_##T(data[1] + i * st[1], st[1], count);                                          \
            const gd_v_##T b = gather_##T(data[2] + i * st[2], st[2], count);                                          \
            scatter_##T(data[0] + i * st[0], st[0], count, K##_of_##T(a, b));                                          \
        }                                                                                                              \
    }

/* ---- the functions ----------------------------------------------------------------------------------- */

#define ONE_CALL(X)                                                                                                    \
    X(ACOSH, acosh, _u10)                                                                                              \
    X(ASINH, asinh, _u10)                                                                                              \
    X(ATANH, atanh, _u10)                                                                                              \
    X(LOG2, log2, _u10)                                                                                                \
    X(LOG10, log10, _u10)                                                                                              \
    X(EXP2, exp2, _u10)                                                                                                \
    X(ERF, erf, _u10)                                                                                                  \
    X(ERFC, erfc, _u15)                                                                                                \
    X(LGAMMA, lgamma, _u10)
#define ONE_CALL2(X)                                                                                                   \
    X(ATAN2, atan2, _u10)                                                                                              \
    X(HYPOT, hypot, _u05)
#define FORMULAS(X) X(SILU) X(MISH) X(GELU) X(GELU_TANH) X(LOGSIGMOID) X(ELU) X(LOGIT) X(SINC) X(ENTR)
#define FORMULAS2(X) X(LOGADDEXP) X(LOGADDEXP2) X(XLOGY) X(XLOG1PY)

#define DEFINE_CALL(K, T, f, p)                                                                                        \
    static inline gd_v_##T K##_of_##T(gd_v_##T a, const T *x) {                                                        \
        (void)x;                                                                                                       \
        return SLEEF_##T(f, p)(a);                                                                                     \
    }                                                                                                                  \
    DEFINE_LOOP1(K, T)
#define DEFINE_CALL2(K, T, f, p)                                                                                       \
    static inline gd_v_##T K##_of_##T(gd_v_##T a, gd_v_##T b) { return SLEEF_##T(f, p)(a, b); }                        \
    DEFINE_LOOP2(K, T)
#define DEFINE_FORMULA(K, T, ...)                                                                                      \
    static inline gd_v_##T K##_of_##T(gd_v_##T a, const T *x) {                                                        \
        (void)x;                                                                                                       \
        __VA_ARGS__                                                                                                    \
    }                                                                                                                  \
    DEFINE_LOOP1(K, T)
#define DEFINE_FORMULA2(K, T, ...)                                                                                     \
    static inline gd_v_##T K##_of_##T(gd_v_##T a, gd_v_##T b){__VA_ARGS__} DEFINE_LOOP2(K, T)

#define CALLS(K, f, p) DEFINE_CALL(K, float, f, p) DEFINE_CALL(K, double, f, p)
#define CALLS2(K, f, p) DEFINE_CALL2(K, float, f, p) DEFINE_CALL2(K, double, f, p)
ONE_CALL(CALLS)
ONE_CALL2(CALLS2)

#define PI_AS(T) ((T)3.14159265358979323846)
#define ROOT_HALF 0.707106781186547524401     /* sqrt(1/2) */
#define ROOT_TWO_OVER_PI 0.797884560802865356 /* sqrt(2/pi) */
#define ONE_OVER_LOG2 1.44269504088896340736

/* GELU_TANH: Hendrycks and Gimpel, arXiv:1606.08415. LOGADDEXP: equal infinities would give NaN. */
#define DEFINE_FORMULAS(T)                                                                                             \
    DEFINE_FORMULA(SILU, T, return a / (1 + SLEEF_##T(exp, _u10)(-a));)                                                \
    DEFINE_FORMULA(MISH, T, return a * SLEEF_##T(tanh, _u10)(SLEEF_##T(log1p, _u10)(SLEEF_##T(exp, _u10)(a)));)        \
    DEFINE_FORMULA(GELU, T, return a * (T)0.5 * (1 + SLEEF_##T(erf, _u10)(a * (T)ROOT_HALF));)                         \
    DEFINE_FORMULA(GELU_TANH, T,                                                                                       \
                   return (T)0.5 * a *                                                                                 \
                          (1 + SLEEF_##T(tanh, _u10)((T)ROOT_TWO_OVER_PI * (a + (T)0.044715 * (a * a * a))));)         \
    DEFINE_FORMULA(LOGSIGMOID, T,                                                                                      \
                   return CHOOSE(T, a > 0, GD_SPLAT(T, 0), a) -                                                        \
                          SLEEF_##T(log1p, _u10)(SLEEF_##T(exp, _u10)(-MAGNITUDE(T, a)));)                             \
    DEFINE_FORMULA(ELU, T, const gd_v_##T low = SLEEF_##T(expm1, _u10)(a * x[2]) * x[0];                               \
                   return CHOOSE(T, a <= 0, low, a * x[1]);)                                                           \
    DEFINE_FORMULA2(LOGADDEXP, T, const gd_v_##T most = CHOOSE(T, a > b, a, b), gap = MAGNITUDE(T, a - b);             \
                    const gd_v_##T sum = most + SLEEF_##T(log1p, _u10)(SLEEF_##T(exp, _u10)(-gap));                    \
                    return CHOOSE(T, (a == b) & (a - a != 0), a, sum);)                                                \
    DEFINE_FORMULA2(LOGADDEXP2, T, const gd_v_##T most = CHOOSE(T, a > b, a, b), gap = MAGNITUDE(T, a - b);            \
                    const gd_v_##T sum =                                                                               \
                        most + SLEEF_##T(log1p, _u10)(SLEEF_##T(exp2, _u10)(-gap)) * (T)ONE_OVER_LOG2;                 \
                    return CHOOSE(T, (a == b) & (a - a != 0), a, sum);)
/* 0 log y is 0, unless y is NaN. */
#define DEFINE_MORE(T)                                                                                                 \
    DEFINE_FORMULA(LOGIT, T, const gd_v_##T low = GD_SPLAT(T, x[0]), high = GD_SPLAT(T, 1 - x[0]);                     \
                   const gd_v_##T kept = CHOOSE(T, a < low, low, CHOOSE(T, a > high, high, a));                        \
                   const gd_v_##T v = x[0] >= 0 ? kept : a; return SLEEF_##T(log, _u10)(v / (1 - v));)                 \
    DEFINE_FORMULA(SINC, T, const gd_v_##T turned = a * PI_AS(T);                                                      \
                   return CHOOSE(T, a == 0, GD_SPLAT(T, 1), SLEEF_##T(sin, _u10)(turned) / turned);)                   \
    DEFINE_FORMULA(ENTR, T, const gd_v_##T below = CHOOSE(T, a == 0, GD_SPLAT(T, 0), GD_SPLAT(T, -(T)INFINITY));       \
                   const gd_v_##T above = -a * SLEEF_##T(log, _u10)(a);                                                \
                   return CHOOSE(T, a != a, a, CHOOSE(T, a > 0, above, below));)                                       \
    DEFINE_FORMULA2(XLOGY, T, const gd_v_##T product = a * SLEEF_##T(log, _u10)(b);                                    \
                    return CHOOSE(T, b != b, b, CHOOSE(T, a == 0, GD_SPLAT(T, 0), product));)                          \
    DEFINE_FORMULA2(XLOG1PY, T, const gd_v_##T product = a * SLEEF_##T(log1p, _u10)(b);                                \
                    return CHOOSE(T, b != b, b, CHOOSE(T, a == 0, GD_SPLAT(T, 0), product));)
DEFINE_MORE(float)
DEFINE_MORE(double)
DEFINE_FORMULAS(float)
DEFINE_FORMULAS(double)

/* ---- arithmetic ------------------------------------------------------------------------------------------ */

#define CLIPPED_SIX(a) ((a + 3 < 0 ? 0 : a + 3) > 6 ? 6 : (a + 3 < 0 ? 0 : a + 3))

#define UNARY(X, T, F)                                                                                                 \
    X(FRAC, T, a - __builtin_trunc##F(a))                                                                              \
    X(HARDSWISH, T, a *CLIPPED_SIX(a) / 6)                                                                             \
    X(HARDSIGMOID, T, CLIPPED_SIX(a) / 6)                                                                              \
    X(ANGLE, T, a < 0 ? PI_AS(T) : (a != a ? a : (T)0))                                                                \
    X(THRESHOLD, T, a <= x[0] ? x[1] : a)                                                                              \
    X(HARDSHRINK, T, (a >= -x[0]) & (a <= x[0]) ? (T)0 : a)                                                            \
    X(SOFTSHRINK, T, a > x[0] ? a - x[0] : (a < -x[0] ? a + x[0] : (T)0))                                              \
    X(NAN_TO_NUM, T, a != a ? x[0] : (a - a == 0 ? a : (a > 0 ? x[1] : x[2])))
#define BINARY(X, T, F)                                                                                                \
    X(COPYSIGN, T, __builtin_copysign##F(a, b))                                                                        \
    X(FMAX, T, (a >= b) | (b != b) ? a : b)                                                                            \
    X(FMIN, T, (a <= b) | (b != b) ? a : b)                                                                            \
    X(HEAVISIDE, T, a == 0 ? b : (a > 0 ? (T)1 : (T)0))
#define TESTS(X, T, F)                                                                                                 \
    X(SIGNBIT, T, __builtin_signbit##F(a) != 0)                                                                        \
    X(ISPOSINF, T, a == (T)INFINITY)                                                                                   \
    X(ISNEGINF, T, a == -(T)INFINITY)

#define DEFINE_UNARY(K, T, EXPR) GD_LOOP1(K##_##T, T, T, EXPR)
#define DEFINE_BINARY(K, T, EXPR) GD_LOOP2(K##_##T, T, T, EXPR)
#define DEFINE_TEST(K, T, EXPR) GD_LOOP1(K##_##T, uint8_t, T, EXPR)
UNARY(DEFINE_UNARY, float, f)
UNARY(DEFINE_UNARY, double, )
BINARY(DEFINE_BINARY, float, f)
BINARY(DEFINE_BINARY, double, )
TESTS(DEFINE_TEST, float, f)
TESTS(DEFINE_TEST, double, )

#define ROW(K, ...) [GD_SP_##K] = {K##_float, K##_double},
/* clang-format off */
const gd_loop GD_ISA_NAME(gd_special_loops)[GD_SP_COUNT][2] = {
    ONE_CALL(ROW) ONE_CALL2(ROW) FORMULAS(ROW) FORMULAS2(ROW)
    UNARY(ROW, float, f) BINARY(ROW, float, f) TESTS(ROW, float, f)
};
/* clang-format on */
