/* simd.h: vector types of the instruction set a *_simd.c file is being compiled for, streaming stores, and
 * names with the set's suffix.
 */
#ifndef GD_SIMD_H
#define GD_SIMD_H

#include "core/kernels/loops.h"

#include <string.h>

#define GD_PASTE2(a, b) a##_##b
#define GD_PASTE(a, b) GD_PASTE2(a, b)
#define GD_ISA_NAME(name) GD_PASTE(name, GD_ISA)

#if defined(__x86_64__)
#include <immintrin.h>
#if GD_ISA_LEVEL == 2
typedef __m512 gd_v_float;
typedef __m512d gd_v_double;
#define GD_STREAM_STORE(p, v) _mm512_stream_si512((__m512i *)(void *)(p), (__m512i)(v))
#elif GD_ISA_LEVEL == 1
typedef __m256 gd_v_float;
typedef __m256d gd_v_double;
#define GD_STREAM_STORE(p, v) _mm256_stream_si256((__m256i *)(void *)(p), (__m256i)(v))
#else
typedef __m128 gd_v_float;
typedef __m128d gd_v_double;
#define GD_STREAM_STORE(p, v) _mm_stream_si128((__m128i *)(void *)(p), (__m128i)(v))
#endif
#define GD_STREAM_END() _mm_sfence()
#else
typedef float gd_v_float __attribute__((vector_size(16), may_alias));
typedef double gd_v_double __attribute__((vector_size(16), may_alias));
#define GD_STREAM_STORE(p, v) memcpy((p), &(v), sizeof(v))
#define GD_STREAM_END() (void)0
#endif

static inline gd_v_float gd_load_float(const float *p) {
    gd_v_float v;
    memcpy(&v, p, sizeof(v));
    return v;
}
static inline gd_v_double gd_load_double(const double *p) {
    gd_v_double v;
    memcpy(&v, p, sizeof(v));
    return v;
}
#define GD_LOAD(T, p) gd_load_##T(p)
#define GD_SPLAT(T, s) ((gd_v_##T){0} + (s))

/* Outputs of at least so many bytes fit no cache: written past it, they need not be read first. */
#define GD_STREAM_BYTES ((int64_t)32 << 20)

static inline bool gd_streams(const void *out, int64_t bytes, const void *a, const void *b) {
    return bytes >= GD_STREAM_BYTES && out != a && out != b && ((uintptr_t)out & 63) == 0;
}

/* For GD_LOOP2_WITH: whole vectors of a large output through streaming stores. EXPR must make sense for
 * vectors as for numbers. va, vb: the vectors of the inputs at i. */
#define GD_STREAM(T, va, vb, EXPR)                                                                                     \
    if (gd_streams(d, n * (int64_t)sizeof(T), p, q)) {                                                                 \
        const int64_t lanes = (int64_t)(sizeof(gd_v_##T) / sizeof(T));                                                 \
        for (; i + lanes <= n; i += lanes) {                                                                           \
            const gd_v_##T a = va, b = vb;                                                                             \
            const gd_v_##T v = EXPR;                                                                                   \
            GD_STREAM_STORE(d + i, v);                                                                                 \
        }                                                                                                              \
        GD_STREAM_END();                                                                                               \
    }

#endif
