/* rng_simd.c: Box-Muller over blocks of 16 floats. Compiled once an instruction set.
 *
 * Logarithm, sine and cosine are the single precision polynomials of the Cephes library, with a fused
 * multiply-add wherever PyTorch's AVX2 kernel has one. fmaf is exact on every machine, so all builds give the
 * bits that PyTorch gives on a machine with AVX2. Lane loops over 8 numbers are for the compiler to vectorise.
 */
#include <math.h>
#include <string.h>

#include "core/kernels/rng.h"
#include "core/kernels/simd.h"

#define LANES 8

static inline uint32_t bits_of(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float float_of(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* log(x) for positive normal x: x = m 2^e with m in [sqrt(1/2), sqrt(2)), then a polynomial in m - 1. */
static inline float log_positive(float x) {
    uint32_t u = bits_of(x);
    float e = (float)((int32_t)(u >> 23) - 126);
    float m = float_of((u & 0x007fffffu) | 0x3f000000u);
    bool low = m < 0.707106781186547524f;
    e -= low ? 1.0f : 0.0f;
    m = (m - 1.0f) + (low ? m : 0.0f);
    float z = m * m;
    float y = 7.0376836292e-2f;
    y = fmaf(y, m, -1.1514610310e-1f);
    y = fmaf(y, m, 1.1676998740e-1f);
    y = fmaf(y, m, -1.2420140846e-1f);
    y = fmaf(y, m, 1.4249322787e-1f);
    y = fmaf(y, m, -1.6668057665e-1f);
    y = fmaf(y, m, 2.0000714765e-1f);
    y = fmaf(y, m, -2.4999993993e-1f);
    y = fmaf(y, m, 3.3333331174e-1f);
    y *= m;
    y = fmaf(y, z, e * -2.12194440e-4f);
    y = fmaf(z, -0.5f, y);
    return fmaf(e, 0.693359375f, m + y);
}

/* Sine and cosine of x >= 0: x less a multiple of pi/2 (pi/4 in three parts), then both polynomials. */
static inline void sine_cosine(float x, float *sine, float *cosine) {
    int32_t octant = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
    float y = (float)octant;
    x = fmaf(y, -0.78515625f, x);
    x = fmaf(y, -2.4187564849853515625e-4f, x);
    x = fmaf(y, -3.77489497744594108e-8f, x);
    float z = x * x;
    float c = 2.443315711809948e-5f;
    c = fmaf(c, z, -1.388731625493765e-3f);
    c = fmaf(c, z, 4.166664568298827e-2f);
    c *= z;
    c = fmaf(c, z, z * -0.5f) + 1.0f;
    float s = -1.9515295891e-4f;
    s = fmaf(s, z, 8.3321608736e-3f);
    s = fmaf(s, z, -1.6666654611e-1f);
    s *= z;
    s = fmaf(s, x, x);
    bool swap = (octant & 2) != 0;
    uint32_t sine_sign = (uint32_t)(octant & 4) << 29, cosine_sign = (uint32_t)(~(octant - 2) & 4) << 29;
    *sine = float_of(bits_of(swap ? c : s) ^ sine_sign);
    *cosine = float_of(bits_of(swap ? s : c) ^ cosine_sign);
}

void GD_ISA_NAME(gd_normal16)(float *data, int64_t blocks, float mean, float std);
void GD_ISA_NAME(gd_normal16)(float *data, int64_t blocks, float mean, float std) {
    for (int64_t b = 0; b < blocks; b++, data += 2 * LANES) {
        for (int j = 0; j < LANES; j++) {
            float sine, cosine;
            float r = sqrtf(-2.0f * log_positive(1.0f - data[j]));
            sine_cosine(6.283185307179586f * data[j + LANES], &sine, &cosine);
            data[j] = fmaf(r * cosine, std, mean);
            data[j + LANES] = fmaf(r * sine, std, mean);
        }
    }
}
