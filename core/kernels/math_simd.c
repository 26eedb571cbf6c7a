/* math_simd.c: transcendental functions of float32 and float64 through SLEEF (1 ulp), PyTorch's own choice.
 *
 * Tails and strided runs go through the same vector function on a padded buffer, so a result does not depend on
 * where in a tensor its element stands. Compiled once an instruction set.
 */
#include "core/kernels/pointwise.h"
#include "core/kernels/simd.h"

#include <sleef.h>

#if defined(__x86_64__) && GD_ISA_LEVEL == 2
#define SLEEF_float(f) Sleef_##f##f16_u10avx512f
#define SLEEF_double(f) Sleef_##f##d8_u10avx512f
#elif defined(__x86_64__) && GD_ISA_LEVEL == 1
#define SLEEF_float(f) Sleef_##f##f8_u10avx2
#define SLEEF_double(f) Sleef_##f##d4_u10avx2
#elif defined(__x86_64__)
#define SLEEF_float(f) Sleef_##f##f4_u10sse2
#define SLEEF_double(f) Sleef_##f##d2_u10sse2
#else
#define SLEEF_float(f) Sleef_##f##f4_u10
#define SLEEF_double(f) Sleef_##f##d2_u10
#endif

#define LANES(T) ((int64_t)(sizeof(gd_v_##T) / sizeof(T)))

/* Copies up to `lanes` strided elements into the buffer and pads with the last one. */
#define DEFINE_GATHER(T)                                                                                               \
    static gd_v_##T gather_##T(const char *p, int64_t stride, int64_t count) {                                         \
        if (count == 1) return GD_SPLAT(T, *GD_IN(T, p));                                                              \
        T buffer[LANES(T)];                                                                                            \
        for (int64_t i = 0; i < LANES(T); i++) {                                                                       \
            buffer[i] = *GD_IN(T, p);                                                                                  \
            if (i + 1 < count) p += stride;                                                                            \
        }                                                                                                              \
        return gd_load_##T(buffer);                                                                                    \
    }                                                                                                                  \
    static void scatter_##T(char *p, int64_t stride, int64_t count, gd_v_##T v) {                                      \
        if (count == 1) {                                                                                              \
            *GD_OUT(T, p) = v[0];                                                                                      \
            return;                                                                                                    \
        }                                                                                                              \
        T buffer[LANES(T)];                                                                                            \
        memcpy(buffer, &v, sizeof(v));                                                                                 \
        for (int64_t i = 0; i < count; i++, p += stride) *GD_OUT(T, p) = buffer[i];                                    \
    }
DEFINE_GATHER(float)
DEFINE_GATHER(double)

#define DEFINE_MATH1(K, T)                                                                                             \
    static void K##_##T(char *const *data, const int64_t *st, int64_t n, const void *extra) {                          \
        (void)extra;                                                                                                   \
        int64_t i = 0;                                                                                                 \
        if (st[0] == (int64_t)sizeof(T) && st[1] == (int64_t)sizeof(T)) {                                              \
            T *d = GD_OUT(T, data[0]);                                                                                 \
            const T *p = GD_IN(T, data[1]);                                                                            \
            if (gd_streams(d, n * (int64_t)sizeof(T), p, p)) {                                                         \
                for (; i + LANES(T) <= n; i += LANES(T)) {                                                             \
                    const gd_v_##T v = gd_load_##T(p + i);                                                             \
                    const gd_v_##T r = K##_call_##T(v);                                                                \
                    GD_STREAM_STORE(d + i, r);                                                                         \
                }                                                                                                      \
                GD_STREAM_END();                                                                                       \
            }                                                                                                          \
            for (; i + LANES(T) <= n; i += LANES(T)) {                                                                 \
                const gd_v_##T v = gd_load_##T(p + i);                                                                 \
                const gd_v_##T r = K##_call_##T(v);                                                                    \
                memcpy(d + i, &r, sizeof(r));                                                                          \
            }                                                                                                          \
        }                                                                                                              \
        for (; i < n; i += LANES(T)) {                                                                                 \
            const int64_t count = n - i < LANES(T) ? n - i : LANES(T);                                                 \
            const gd_v_##T v = gather_##T(data[1] + i * st[1], st[1], count);                                          \
            scatter_##T(data[0] + i * st[0], st[0], count, K##_call_##T(v));                                           \
        }                                                                                                              \
    }

#define DEFINE_POW(T)                                                                                                  \
    static void POW_##T(char *const *data, const int64_t *st, int64_t n, const void *extra) {                          \
        (void)extra;                                                                                                   \
        for (int64_t i = 0; i < n; i += LANES(T)) {                                                                    \
            const int64_t count = n - i < LANES(T) ? n - i : LANES(T);                                                 \
            const bool whole = count == LANES(T);                                                                      \
            const char *p = data[1] + i * st[1], *q = data[2] + i * st[2];                                             \
            const gd_v_##T a =                                                                                         \
                whole && st[1] == (int64_t)sizeof(T) ? gd_load_##T(GD_IN(T, p)) : gather_##T(p, st[1], count);         \
            const gd_v_##T b =                                                                                         \
                whole && st[2] == (int64_t)sizeof(T) ? gd_load_##T(GD_IN(T, q)) : gather_##T(q, st[2], count);         \
            const gd_v_##T r = SLEEF_##T(pow)(a, b);                                                                   \
            if (whole && st[0] == (int64_t)sizeof(T))                                                                  \
                memcpy(data[0] + i * st[0], &r, sizeof(r));                                                            \
            else                                                                                                       \
                scatter_##T(data[0] + i * st[0], st[0], count, r);                                                     \
        }                                                                                                              \
    }
DEFINE_POW(float)
DEFINE_POW(double)

#define FUNCTIONS(X)                                                                                                   \
    X(EXP, exp)                                                                                                        \
    X(LOG, log)                                                                                                        \
    X(LOG1P, log1p)                                                                                                    \
    X(EXPM1, expm1)                                                                                                    \
    X(SIN, sin)                                                                                                        \
    X(COS, cos)                                                                                                        \
    X(TAN, tan)                                                                                                        \
    X(ASIN, asin)                                                                                                      \
    X(ACOS, acos)                                                                                                      \
    X(ATAN, atan)                                                                                                      \
    X(SINH, sinh)                                                                                                      \
    X(COSH, cosh)                                                                                                      \
    X(TANH, tanh)

#define CALL_SIGMOID(T, v) (1 / (1 + SLEEF_##T(exp)(-(v))))
#define DEFINE_CALLS(K, f)                                                                                             \
    static inline gd_v_float K##_call_float(gd_v_float v) { return SLEEF_float(f)(v); }                                \
    static inline gd_v_double K##_call_double(gd_v_double v) { return SLEEF_double(f)(v); }
FUNCTIONS(DEFINE_CALLS)
static inline gd_v_float SIGMOID_call_float(gd_v_float v) { return CALL_SIGMOID(float, v); }
static inline gd_v_double SIGMOID_call_double(gd_v_double v) { return CALL_SIGMOID(double, v); }

#define DEFINE_PAIR(K, f) DEFINE_MATH1(K, float) DEFINE_MATH1(K, double)
FUNCTIONS(DEFINE_PAIR)
DEFINE_PAIR(SIGMOID, )

#define ROW(K, f) [GD_K_##K] = {K##_float, K##_double},
const gd_loop GD_ISA_NAME(gd_math_loops)[GD_K_COUNT][2] = {FUNCTIONS(ROW) ROW(SIGMOID, ) ROW(POW, )};
