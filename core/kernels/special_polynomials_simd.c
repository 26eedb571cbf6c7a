/* special_polynomials_simd.c: loops of the classical orthogonal polynomials of a degree that is data too.
 *
 * Three-term recurrences (DLMF 18.9) in the elements' own type, with one product rounded apart and the other inside the
 * sum, as PyTorch computes them, so that both round alike; inside the interval, Chebyshev's of high degree by their
 * trigonometric forms (DLMF 18.5). Callers bound the degree. Compiled once an instruction set, for the fused sums.
 */
#include "core/kernels/special.h"

#include "core/kernels/simd.h"

#include <math.h>

/* -1 or 1 for odd or even n. */
static double alternating(int64_t n) { return n % 2 ? -1 : 1; }

/* p_0 = 1, p_1 = first, p_k = (NEXT of p = p_(k-2), q = p_(k-1)). A NaN stays one. */
#define RECUR(T, FIRST, NEXT)                                                                                          \
    T p = 1, q = (FIRST);                                                                                              \
    if (n == 0) return p;                                                                                              \
    for (int64_t k = 2; k <= n && q == q; k++) {                                                                       \
        T r = (NEXT);                                                                                                  \
        p = q;                                                                                                         \
        q = r;                                                                                                         \
    }                                                                                                                  \
    return q;

#define DEFINE_CHEBYSHEV(T, F)                                                                                         \
    static T chebyshev_t_##T(T x, int64_t n) {                                                                         \
        if (n < 0) return 0;                                                                                           \
        if (fabs##F(x) == 1) return x > 0 ? (T)1 : (T)alternating(n);                                                  \
        if (n > 6 && fabs##F(x) < 1) return cos##F((T)n * acos##F(x));                                                 \
        RECUR(T, x, fma##F(x + x, q, -p))                                                                              \
    }                                                                                                                  \
    static T chebyshev_u_##T(T x, int64_t n) {                                                                         \
        if (n < 0) return 0;                                                                                           \
        if (fabs##F(x) == 1) return x > 0 ? (T)(n + 1) : (T)((double)(n + 1) * alternating(n));                        \
        if (n > 8 && fabs##F(x) < 1) {                                                                                 \
            const T angle = acos##F(x), s = sin##F(angle);                                                             \
            return s != 0 ? sin##F((T)(n + 1) * angle) / s : (T)(n + 1) * cos##F((T)(n + 1) * angle) / x;              \
        }                                                                                                              \
        RECUR(T, x + x, fma##F(x + x, q, -p))                                                                          \
    }                                                                                                                  \
    static T chebyshev_v_##T(T x, int64_t n) {                                                                         \
        if (n < 0) return 0;                                                                                           \
        if (fabs##F(x) == 1) return x > 0 ? (T)1 : (T)((double)(n + n + 1) * alternating(n));                          \
        if (n > 8 && fabs##F(x) < 1) {                                                                                 \
            const T half = acos##F(x) / 2;                                                                             \
            if (cos##F(half) != 1) return cos##F((T)(2 * n + 1) * half) / cos##F(half);                                \
            return (T)alternating(n);                                                                                  \
        }                                                                                                              \
        RECUR(T, x + x - 1, fma##F(x + x, q, -p))                                                                      \
    }                                                                                                                  \
    static T chebyshev_w_##T(T x, int64_t n) {                                                                         \
        if (n < 0) return 0;                                                                                           \
        if (fabs##F(x) == 1) return x > 0 ? (T)(n + n + 1) : (T)alternating(n);                                        \
        if (n > 8 && fabs##F(x) < 1) {                                                                                 \
            const T half = acos##F(x) / 2;                                                                             \
            if (sin##F(half) != 0) return sin##F((T)(2 * n + 1) * half) / sin##F(half);                                \
            return x > 0 ? (T)(n + n + 1) : (T)alternating(n);                                                         \
        }                                                                                                              \
        RECUR(T, x + x + 1, fma##F(x + x, q, -p))                                                                      \
    }
DEFINE_CHEBYSHEV(float, f)
DEFINE_CHEBYSHEV(double, )

#define DEFINE_CLASSICAL(T, F)                                                                                         \
    static T hermite_h_##T(T x, int64_t n) {                                                                           \
        if (n < 0) return 0;                                                                                           \
        RECUR(T, x + x, fma##F(x + x, q, -((T)(2 * (k - 1)) * p)))                                                     \
    }                                                                                                                  \
    static T hermite_he_##T(T x, int64_t n) {                                                                          \
        if (n < 0) return 0;                                                                                           \
        RECUR(T, x, fma##F(x, q, -((T)(k - 1) * p)))                                                                   \
    }                                                                                                                  \
    static T laguerre_##T(T x, int64_t n) {                                                                            \
        if (n < 0) return 0;                                                                                           \
        if (x == 0) return 1;                                                                                          \
        RECUR(T, 1 - x, fma##F((T)(2 * k - 1) - x, q, -((T)(k - 1) * p)) / (T)k)                                       \
    }                                                                                                                  \
    static T legendre_##T(T x, int64_t n) {                                                                            \
        if (n < 0) return 0;                                                                                           \
        if (fabs##F(x) == 1) return x > 0 ? (T)1 : (T)alternating(n);                                                  \
        RECUR(T, x, fma##F((T)(2 * k - 1) * x, q, -((T)(k - 1) * p)) / (T)k)                                           \
    }
DEFINE_CLASSICAL(float, f)
DEFINE_CLASSICAL(double, )

/* A degree as an integer; NaN counts as negative. */
static int64_t degree(double n) {
    return n >= 0 && n < 0x1p62 ? (int64_t)n : n >= 0 ? INT64_C(1) << 62 : n <= -1 ? -1 : n == n ? 0 : -1;
}

#define BINARY(X, T)                                                                                                   \
    X(CHEBYSHEV_T, T, chebyshev_t_##T(a, degree((double)b)))                                                           \
    X(CHEBYSHEV_U, T, chebyshev_u_##T(a, degree((double)b)))                                                           \
    X(CHEBYSHEV_V, T, chebyshev_v_##T(a, degree((double)b)))                                                           \
    X(CHEBYSHEV_W, T, chebyshev_w_##T(a, degree((double)b)))                                                           \
    X(SHIFTED_T, T, chebyshev_t_##T(a + a - 1, degree((double)b)))                                                     \
    X(SHIFTED_U, T, chebyshev_u_##T(a + a - 1, degree((double)b)))                                                     \
    X(SHIFTED_V, T, chebyshev_v_##T(a + a - 1, degree((double)b)))                                                     \
    X(SHIFTED_W, T, chebyshev_w_##T(a + a - 1, degree((double)b)))                                                     \
    X(HERMITE_H, T, hermite_h_##T(a, degree((double)b)))                                                               \
    X(HERMITE_HE, T, hermite_he_##T(a, degree((double)b)))                                                             \
    X(LAGUERRE_L, T, laguerre_##T(a, degree((double)b)))                                                               \
    X(LEGENDRE_P, T, legendre_##T(a, degree((double)b)))

#define DEFINE_BINARY(K, T, EXPR) GD_LOOP2(K##_##T, T, T, EXPR)
BINARY(DEFINE_BINARY, float)
BINARY(DEFINE_BINARY, double)

#define ROW(K, ...) [GD_SP_##K] = {K##_float, K##_double},
const gd_loop GD_ISA_NAME(gd_polynomial_loops)[GD_SP_COUNT][2] = {BINARY(ROW, )};
