/* hand.c: the sum of x**2 * exp(x) and its gradient as somebody would write it by hand for this processor: one pass,
 * vectors all the way. What compiled functions are measured by. */
#include "tests/bench/bench.h"

#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512dq")
#include <immintrin.h>
#include <sleef.h>

static double pass_avx512(const float *x, float *g, int64_t n) {
    __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    double total = 0;
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        for (int k = 0; k < 2; k++) {
            const __m512 v = _mm512_loadu_ps(x + i + 16 * k), e = Sleef_finz_expf16_u10avx512f(v);
            const __m512 y = _mm512_mul_ps(_mm512_mul_ps(v, v), e), twice = _mm512_add_ps(v, v);
            sums[k] = _mm512_add_ps(sums[k], y);
            _mm512_storeu_ps(g + i + 16 * k, _mm512_add_ps(y, _mm512_mul_ps(twice, e)));
        }
        if (i % 65536 == 0) { /* float32 sums lose digits when they grow long */
            total += (double)_mm512_reduce_add_ps(sums[0]) + (double)_mm512_reduce_add_ps(sums[1]);
            sums[0] = sums[1] = _mm512_setzero_ps();
        }
    }
    total += (double)_mm512_reduce_add_ps(sums[0]) + (double)_mm512_reduce_add_ps(sums[1]);
    return total + plain_pass(x + i, g + i, n - i);
}
#pragma GCC reset_options
#endif

#include <math.h>

double plain_pass(const float *x, float *g, int64_t n) {
    double total = 0;
    for (int64_t i = 0; i < n; i++) {
        const float e = expf(x[i]), y = x[i] * x[i] * e;
        total += (double)y;
        g[i] = y + 2 * x[i] * e;
    }
    return total;
}

double hand_written(const float *x, float *g, int64_t n) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return pass_avx512(x, g, n);
#endif
    return plain_pass(x, g, n);
}
