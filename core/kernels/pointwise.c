/* pointwise.c: picks loops, and the loops that no wide register helps: integers, bool, float remainders.
 *
 * Integer arithmetic wraps, as PyTorch's does, by going through unsigned types; division takes care of the
 * one quotient that does not fit. Division by zero is the callers' to refuse.
 */
#include "core/kernels/pointwise.h"

#include "core/kernels/loops.h"

#include <math.h>

#pragma GCC optimize("O3") /* many of these loops gain from the vectoriser, which -O2 keeps off */

/* ---- division with Python's and C's roundings -------------------------------------------------- */

#define DEFINE_DIVISION(T, U)                                                                                          \
    static inline T fmod_##T(T a, T b) { return (T)(b == (T)-1 ? 0 : a % b); }                                         \
    static inline T remainder_##T(T a, T b) {                                                                          \
        T r = fmod_##T(a, b);                                                                                          \
        return (T)(r != 0 && (r < 0) != (b < 0) ? r + b : r);                                                          \
    }                                                                                                                  \
    static inline T trunc_div_##T(T a, T b) { return (T)(b == (T)-1 ? (T)((U)0 - (U)a) : (T)(a / b)); }                \
    static inline T floor_div_##T(T a, T b) {                                                                          \
        T r = fmod_##T(a, b);                                                                                          \
        return (T)(trunc_div_##T(a, b) - (r != 0 && (r < 0) != (b < 0)));                                              \
    }                                                                                                                  \
    /* Squares and multiplies; a negative power of anything but 1 and -1 is 0. */                                      \
    static inline T power_##T(T a, T b) {                                                                              \
        if (b < 0) {                                                                                                   \
            if (a == 1) return 1;                                                                                      \
            return (T)(a == (T)-1 ? (b % 2 ? -1 : 1) : 0);                                                             \
        }                                                                                                              \
        U base = (U)a, result = 1;                                                                                     \
        for (; b > 0; b = (T)(b / 2), base = (U)(base * base))                                                         \
            if (b % 2) result = (U)(result * base);                                                                    \
        return (T)result;                                                                                              \
    }

DEFINE_DIVISION(int8_t, uint32_t)
DEFINE_DIVISION(int16_t, uint32_t)
DEFINE_DIVISION(int32_t, uint32_t)
DEFINE_DIVISION(int64_t, uint64_t)

/* Unsigned bytes have no negative numbers: the roundings agree, and 255 is no -1. */
static inline uint8_t fmod_uint8_t(uint8_t a, uint8_t b) { return (uint8_t)(a % b); }
#define remainder_uint8_t fmod_uint8_t
static inline uint8_t trunc_div_uint8_t(uint8_t a, uint8_t b) { return (uint8_t)(a / b); }
#define floor_div_uint8_t trunc_div_uint8_t
static inline uint8_t power_uint8_t(uint8_t a, uint8_t b) {
    unsigned base = a, result = 1;
    for (unsigned e = b; e > 0; e /= 2, base *= base)
        if (e % 2) result *= base;
    return (uint8_t)result;
}

/* The remainder has the divisor's sign. */
#define DEFINE_FLOAT_DIVISION(T, F)                                                                                    \
    static inline T remainder_##T(T a, T b) {                                                                          \
        T r = fmod##F(a, b);                                                                                           \
        return r != 0 && (r < 0) != (b < 0) ? r + b : r;                                                               \
    }                                                                                                                  \
    /* The quotient of what is left after the exact remainder is an integer but for rounding. */                       \
    static inline T floor_div_##T(T a, T b) {                                                                          \
        if (b == 0) return a / b;                                                                                      \
        T r = fmod##F(a, b), quotient = (a - r) / b;                                                                   \
        if (r != 0 && (r < 0) != (b < 0)) quotient -= 1;                                                               \
        return quotient == 0 ? copysign##F(0, a / b) : rint##F(quotient);                                              \
    }
DEFINE_FLOAT_DIVISION(float, f)
DEFINE_FLOAT_DIVISION(double, )

/* A function, for the compiler warns of the comparison where the type has no negative numbers. */
static inline bool negative(int64_t v) { return v < 0; }

/* ---- integers -------------------------------------------------------------------------------------- */

#define INT_BINARY(X, T, U)                                                                                            \
    X(ADD, T, (U)a + (U)b)                                                                                             \
    X(SUB, T, (U)a - (U)b)                                                                                             \
    X(MUL, T, (U)a *(U)b)                                                                                              \
    X(ADD_ALPHA, T, (U)a + (U)x[0] * (U)b)                                                                             \
    X(SUB_ALPHA, T, (U)a - (U)x[0] * (U)b)                                                                             \
    X(SCALED_MUL, T, (U)a *(U)b *(U)x[0])                                                                              \
    X(MINIMUM, T, a < b ? a : b)                                                                                       \
    X(MAXIMUM, T, a > b ? a : b)                                                                                       \
    X(FMOD, T, fmod_##T(a, b))                                                                                         \
    X(REMAINDER, T, remainder_##T(a, b))                                                                               \
    X(TRUNC_DIV, T, trunc_div_##T(a, b))                                                                               \
    X(FLOOR_DIV, T, floor_div_##T(a, b))                                                                               \
    X(POW, T, power_##T(a, b))                                                                                         \
    X(RELU_BACKWARD, T, b <= 0 ? (T)0 : a)                                                                             \
    X(BITWISE_AND, T, a &b)                                                                                            \
    X(BITWISE_OR, T, a | b)                                                                                            \
    X(BITWISE_XOR, T, a ^ b)

#define INT_TESTS(X, T)                                                                                                \
    X(EQ, T, a == b)                                                                                                   \
    X(NE, T, a != b)                                                                                                   \
    X(LT, T, a < b)                                                                                                    \
    X(LE, T, a <= b)                                                                                                   \
    X(GT, T, a > b)                                                                                                    \
    X(GE, T, a >= b)                                                                                                   \
    X(LOGICAL_AND, T, (a != 0) & (b != 0))                                                                             \
    X(LOGICAL_OR, T, (a != 0) | (b != 0))                                                                              \
    X(LOGICAL_XOR, T, (a != 0) ^ (b != 0))

#define INT_UNARY(X, T, U)                                                                                             \
    X(COPY, T, a)                                                                                                      \
    X(NEG, T, (U)0 - (U)a)                                                                                             \
    X(ABS, T, negative(a) ? (U)0 - (U)a : (U)a)                                                                        \
    X(SIGN, T, (a > 0) - negative(a))                                                                                  \
    X(RELU, T, negative(a) ? 0 : a)                                                                                    \
    X(SQUARE, T, (U)a *(U)a)                                                                                           \
    X(CUBE, T, (U)a *(U)a *(U)a)                                                                                       \
    X(CLAMP, T, (a < x[0] ? x[0] : a) > x[1] ? x[1] : (a < x[0] ? x[0] : a))                                           \
    X(CLAMP_MIN, T, a < x[0] ? x[0] : a)                                                                               \
    X(CLAMP_MAX, T, a > x[0] ? x[0] : a)                                                                               \
    X(BITWISE_NOT, T, ~a)

#define INT_TERNARY(X, T, U)                                                                                           \
    X(CLAMP_TENSOR, T, (a < b ? b : a) > c ? c : (a < b ? b : a))                                                      \
    X(ADDCMUL, T, (U)a + (U)x[0] * (U)b * (U)c)

#define DEFINE_BINARY(K, T, EXPR) GD_LOOP2(K##_##T, T, T, EXPR)
#define DEFINE_TEST(K, T, EXPR) GD_LOOP2(K##_##T, uint8_t, T, EXPR)
#define DEFINE_UNARY(K, T, EXPR) GD_LOOP1(K##_##T, T, T, EXPR)
#define DEFINE_TERNARY(K, T, EXPR) GD_LOOP3(K##_##T, T, T, EXPR)
#define DEFINE_INT(T, U)                                                                                               \
    INT_BINARY(DEFINE_BINARY, T, U)                                                                                    \
    INT_TESTS(DEFINE_TEST, T)                                                                                          \
    INT_UNARY(DEFINE_UNARY, T, U)                                                                                      \
    INT_TERNARY(DEFINE_TERNARY, T, U)                                                                                  \
    GD_LOOP1(LOGICAL_NOT_##T, uint8_t, T, a == 0)                                                                      \
    GD_LOOP1(ISNAN_##T, uint8_t, T, a != a)                                                                            \
    GD_LOOP1(ISFINITE_##T, uint8_t, T, a == a)                                                                         \
    GD_LOOP3(WHERE_##T, uint8_t, T, a ? b : c)

/* Bytes and shorts are computed in 32 bits and cut. */
DEFINE_INT(uint8_t, uint32_t)
DEFINE_INT(int8_t, uint32_t)
DEFINE_INT(int16_t, uint32_t)
DEFINE_INT(int32_t, uint32_t)
DEFINE_INT(int64_t, uint64_t)

GD_LOOP2(ADD_ALPHA_bool, uint8_t, uint8_t, a | (x[0] & b))
GD_LOOP2(MUL_bool, uint8_t, uint8_t, a &b)

/* isinf of an integer is what isnan is: never. */
#define INT_LOOPS(K)                                                                                                   \
    {                                                                                                                  \
        [GD_UINT8] = K##_uint8_t, [GD_INT32] = K##_int32_t, [GD_INT64] = K##_int64_t, [GD_INT8] = K##_int8_t,          \
        [GD_INT16] = K##_int16_t                                                                                       \
    }
#define INT_ROW(K, ...) [GD_K_##K] = INT_LOOPS(K),

/* clang-format off */
static const gd_loop int_loops[GD_K_COUNT][GD_INT16 + 1] = {
    INT_BINARY(INT_ROW, , ) INT_TESTS(INT_ROW, ) INT_UNARY(INT_ROW, , ) INT_TERNARY(INT_ROW, , )
    INT_ROW(LOGICAL_NOT) INT_ROW(ISNAN) INT_ROW(ISFINITE) INT_ROW(WHERE)
    [GD_K_ISINF] = INT_LOOPS(ISNAN),
};

/* Bool shares the bytes' loops where they keep 0 and 1. */
#define BOOL_ROW(K, ...) [GD_K_##K] = K##_uint8_t,
static const gd_loop bool_loops[GD_K_COUNT] = {
    INT_TESTS(BOOL_ROW, )
    BOOL_ROW(MINIMUM) BOOL_ROW(MAXIMUM) BOOL_ROW(BITWISE_AND) BOOL_ROW(BITWISE_OR) BOOL_ROW(BITWISE_XOR)
    BOOL_ROW(LOGICAL_NOT) BOOL_ROW(ISNAN) BOOL_ROW(ISFINITE) BOOL_ROW(COPY) BOOL_ROW(WHERE)
    [GD_K_ISINF] = ISNAN_uint8_t,
    [GD_K_SIGN] = COPY_uint8_t,
    [GD_K_BITWISE_NOT] = LOGICAL_NOT_uint8_t,
    [GD_K_ADD] = LOGICAL_OR_uint8_t,
    [GD_K_ADD_ALPHA] = ADD_ALPHA_bool,
    [GD_K_MUL] = MUL_bool,
};
/* clang-format on */

/* ---- floats that go element by element ------------------------------------------------------------- */

#define FLOAT_BINARY(X, T, F)                                                                                          \
    X(FMOD, T, fmod##F(a, b))                                                                                          \
    X(REMAINDER, T, remainder_##T(a, b))                                                                               \
    X(TRUNC_DIV, T, trunc##F(a / b))                                                                                   \
    X(FLOOR_DIV, T, floor_div_##T(a, b))
FLOAT_BINARY(DEFINE_BINARY, float, f)
FLOAT_BINARY(DEFINE_BINARY, double, )

#define FLOAT_ROW(K, ...) [GD_K_##K] = {K##_float, K##_double},
static const gd_loop slow_float_loops[GD_K_COUNT][2] = {FLOAT_BINARY(FLOAT_ROW, , )};

/* ---- choice ------------------------------------------------------------------------------------------ */

static gd_loop float_loop(gd_kernel k, int column) {
#if defined(__x86_64__)
    static const gd_loop(*const vector[])[2] = {gd_float_loops_baseline, gd_float_loops_avx2, gd_float_loops_avx512};
    static const gd_loop(*const math[])[2] = {gd_math_loops_baseline, gd_math_loops_avx2, gd_math_loops_avx512};
#else
    static const gd_loop(*const vector[])[2] = {gd_float_loops_baseline};
    static const gd_loop(*const math[])[2] = {gd_math_loops_baseline};
#endif
    gd_isa isa = gd_cpu_isa();
    if (vector[isa][k][column]) return vector[isa][k][column];
    return math[isa][k][column] ? math[isa][k][column] : slow_float_loops[k][column];
}

gd_loop gd_pointwise_loop(gd_kernel k, gd_dtype compute) {
    switch (compute) {
    case GD_FLOAT32: return float_loop(k, 0);
    case GD_FLOAT64: return float_loop(k, 1);
    case GD_BOOL: return bool_loops[k];
    case GD_UINT8:
    case GD_INT8:
    case GD_INT16:
    case GD_INT32:
    case GD_INT64: return int_loops[k][compute];
    default: return NULL;
    }
}
