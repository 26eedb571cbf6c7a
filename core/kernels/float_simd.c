/* float_simd.c: loops over float32 and float64 that the compiler can vectorise: arithmetic, comparisons, rounding.
 * Compiled once an instruction set; see pointwise.h for what each kernel computes.
 */
#include "core/kernels/pointwise.h"
#include "core/kernels/simd.h"

#include <math.h>

/* p * q + r, rounded once, as PyTorch's AVX2 kernels have it: on every machine, so that all builds give the same. */
#define FUSED(p, q, r) _Generic((r), float : __builtin_fmaf, double : __builtin_fma)((p), (q), (r))

/* Large outputs of these are streamed. */
#define STREAMED(X, T)                                                                                                 \
    X(ADD, T, a + b)                                                                                                   \
    X(SUB, T, a - b)                                                                                                   \
    X(MUL, T, a *b)                                                                                                    \
    X(DIV, T, a / b)                                                                                                   \
    X(SCALED_MUL, T, a *b *x[0])                                                                                       \
    X(SIGMOID_BACKWARD, T, a *(1 - b) * b)                                                                             \
    X(TANH_BACKWARD, T, a *(1 - b * b))

/* Comparisons with NaN are false, so NaN in either input is what min, max and relu answer. */
#define BINARY(X, T)                                                                                                   \
    X(ADD_ALPHA, T, FUSED(x[0], b, a))                                                                                 \
    X(SUB_ALPHA, T, FUSED(-x[0], b, a))                                                                                \
    X(MINIMUM, T, (a < b) | (a != a) ? a : b)                                                                          \
    X(MAXIMUM, T, (a > b) | (a != a) ? a : b)                                                                          \
    X(LERP_SCALAR, T, x[0] < (T)0.5 ? a + x[0] * (b - a) : b - (b - a) * (1 - x[0]))                                   \
    X(RELU_BACKWARD, T, b <= 0 ? (T)0 : a)

#define TESTS2(X, T)                                                                                                   \
    X(EQ, T, a == b)                                                                                                   \
    X(NE, T, a != b)                                                                                                   \
    X(LT, T, a < b)                                                                                                    \
    X(LE, T, a <= b)                                                                                                   \
    X(GT, T, a > b)                                                                                                    \
    X(GE, T, a >= b)                                                                                                   \
    X(LOGICAL_AND, T, (a != 0) & (b != 0))                                                                             \
    X(LOGICAL_OR, T, (a != 0) | (b != 0))                                                                              \
    X(LOGICAL_XOR, T, (a != 0) ^ (b != 0))                                                                             \
    X(CLOSE, T,                                                                                                        \
      a == b || (x[2] != 0 && a != a && b != b) ||                                                                     \
          (isfinite(a - b) && fabs((double)(a - b)) <= (double)x[0] + fabs((double)(x[1] * b))))

#define TESTS1(X, T)                                                                                                   \
    X(LOGICAL_NOT, T, a == 0)                                                                                          \
    X(ISNAN, T, a != a)                                                                                                \
    X(ISINF, T, (a == a) & (a - a != a - a))                                                                           \
    X(ISFINITE, T, a - a == 0)

#define UNARY(X, T, F)                                                                                                 \
    X(COPY, T, a)                                                                                                      \
    X(NEG, T, -a)                                                                                                      \
    X(ABS, T, __builtin_fabs##F(a))                                                                                    \
    X(SIGN, T, (a > 0) - (a < 0))                                                                                      \
    X(RELU, T, a < 0 ? (T)0 : a)                                                                                       \
    X(SQUARE, T, a *a)                                                                                                 \
    X(CUBE, T, a *a *a)                                                                                                \
    X(CLAMP, T, (a < x[0] ? x[0] : a) > x[1] ? x[1] : (a < x[0] ? x[0] : a))                                           \
    X(CLAMP_MIN, T, a < x[0] ? x[0] : a)                                                                               \
    X(CLAMP_MAX, T, a > x[0] ? x[0] : a)                                                                               \
    X(FLOOR, T, __builtin_floor##F(a))                                                                                 \
    X(CEIL, T, __builtin_ceil##F(a))                                                                                   \
    X(ROUND, T, __builtin_rint##F(a))                                                                                  \
    X(TRUNC, T, __builtin_trunc##F(a))                                                                                 \
    X(ROUND_SCALED, T, x[0] < 0 ? __builtin_rint##F(a / -x[0]) * -x[0] : __builtin_rint##F(a * x[0]) / x[0])           \
    X(SQRT, T, __builtin_sqrt##F(a))                                                                                   \
    X(RSQRT, T, 1 / __builtin_sqrt##F(a))                                                                              \
    X(RECIPROCAL, T, 1 / a)                                                                                            \
    X(INVERSE_SQUARE, T, 1 / (a * a))

#define TERNARY(X, T)                                                                                                  \
    X(CLAMP_TENSOR, T, (a != a) | (b != b) | (c != c) ? a + b + c : ((a < b ? b : a) > c ? c : (a < b ? b : a)))       \
    X(LERP, T, c < (T)0.5 ? a + c * (b - a) : b - (b - a) * (1 - c))                                                   \
    X(ADDCMUL, T, FUSED(x[0] * b, c, a))                                                                               \
    X(ADDCDIV, T, a + x[0] * b / c)

#define DEFINE_STREAMED(K, T, EXPR) GD_LOOP2_WITH(K##_##T, T, T, EXPR, GD_STREAM)
#define DEFINE_BINARY(K, T, EXPR) GD_LOOP2(K##_##T, T, T, EXPR)
#define DEFINE_TEST2(K, T, EXPR) GD_LOOP2(K##_##T, uint8_t, T, EXPR)
#define DEFINE_TEST1(K, T, EXPR) GD_LOOP1(K##_##T, uint8_t, T, EXPR)
#define DEFINE_UNARY(K, T, EXPR) GD_LOOP1(K##_##T, T, T, EXPR)
#define DEFINE_TERNARY(K, T, EXPR) GD_LOOP3(K##_##T, T, T, EXPR)
#define NO_SUFFIX

#define DEFINE_ALL(T, F)                                                                                               \
    STREAMED(DEFINE_STREAMED, T)                                                                                       \
    BINARY(DEFINE_BINARY, T)                                                                                           \
    TESTS2(DEFINE_TEST2, T)                                                                                            \
    TESTS1(DEFINE_TEST1, T)                                                                                            \
    UNARY(DEFINE_UNARY, T, F)                                                                                          \
    TERNARY(DEFINE_TERNARY, T)                                                                                         \
    GD_LOOP3(WHERE_##T, uint8_t, T, a ? b : c)

DEFINE_ALL(float, f)
DEFINE_ALL(double, NO_SUFFIX)

#define ROW(K, T, EXPR) [GD_K_##K] = {K##_float, K##_double},

const gd_loop GD_ISA_NAME(gd_float_loops)[GD_K_COUNT][2] = {STREAMED(ROW, float) BINARY(ROW, float) TESTS2(ROW, float)
                                                                TESTS1(ROW, float) UNARY(ROW, float, f)
                                                                    TERNARY(ROW, float) ROW(WHERE, float, )};
