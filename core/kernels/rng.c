/* rng.c: the Mersenne twister (MT19937) and PyTorch's transforms of its words; see rng.h. */
#include "core/kernels/rng.h"

#include "core/kernels/cast.h"

#include <math.h>

#include "core/kernels/kernels.h"

#define WORDS 624
#define SHIFT 397
#define TWO_PI 6.283185307179586

void gd_generator_seed(gd_generator *g, uint64_t seed) {
    g->seed = seed;
    g->state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < WORDS; i++) {
        uint32_t last = g->state[i - 1];
        g->state[i] = 1812433253u * (last ^ (last >> 30)) + i;
    }
    g->next = WORDS;
    g->has_cached_normal = false;
    g->cached_normal = 0;
}

static inline uint32_t twisted(uint32_t high, uint32_t low, uint32_t far) {
    uint32_t mixed = (high & 0x80000000u) | (low & 0x7fffffffu);
    return far ^ (mixed >> 1) ^ (-(low & 1u) & 0x9908b0dfu);
}

static void refill(gd_generator *g) {
    uint32_t *s = g->state;
    int i = 0;
    for (; i < WORDS - SHIFT; i++) s[i] = twisted(s[i], s[i + 1], s[i + SHIFT]);
    for (; i < WORDS - 1; i++) s[i] = twisted(s[i], s[i + 1], s[i + SHIFT - WORDS]);
    s[WORDS - 1] = twisted(s[WORDS - 1], s[0], s[SHIFT - 1]);
    g->next = 0;
}

static inline uint32_t tempered(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

uint32_t gd_generator_u32(gd_generator *g) {
    if (g->next >= WORDS) refill(g);
    return tempered(g->state[g->next++]);
}

uint64_t gd_generator_u64(gd_generator *g) {
    uint64_t high = gd_generator_u32(g);
    return high << 32 | gd_generator_u32(g);
}

double gd_generator_double(gd_generator *g) {
    return (double)(gd_generator_u64(g) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

float gd_generator_float(gd_generator *g) { return (float)(gd_generator_u32(g) & 0xffffffu) * 0x1p-24f; }

double gd_generator_normal(gd_generator *g) {
    if (g->has_cached_normal) {
        g->has_cached_normal = false;
        return g->cached_normal;
    }
    double u1 = gd_generator_double(g), u2 = gd_generator_double(g);
    double r = sqrt(-2.0 * log(1.0 - u2)), theta = TWO_PI * u1;
    g->cached_normal = r * sin(theta);
    g->has_cached_normal = true;
    return r * cos(theta);
}

/* n floats in [0, 1): all words there are at a time. */
static void floats(gd_generator *g, float *p, int64_t n) {
    while (n > 0) {
        if (g->next >= WORDS) refill(g);
        const uint32_t *words = g->state + g->next;
        int64_t m = WORDS - g->next < n ? WORDS - (int64_t)g->next : n;
        for (int64_t i = 0; i < m; i++) p[i] = (float)(int32_t)(tempered(words[i]) & 0xffffffu) * 0x1p-24f;
        g->next += (uint32_t)m;
        p += m;
        n -= m;
    }
}

/* ---- numbers of 16 bits ------------------------------------------------------------------------ */

static float rounded(gd_dtype dtype, double v) {
    return dtype == GD_FLOAT16 ? gd_f16_to_f32(gd_f32_to_f16((float)v)) : gd_bf16_to_f32(gd_f32_to_bf16((float)v));
}

/* As many bits of a word as the type has digits; scaled in float, rounded once. */
static void uniform_narrow(gd_generator *g, gd_dtype dtype, void *out, int64_t n, double from, double to) {
    const int digits = dtype == GD_FLOAT16 ? 11 : 8;
    const uint32_t mask = (UINT32_C(1) << digits) - 1;
    const float low = rounded(dtype, from), range = rounded(dtype, (double)(rounded(dtype, to) - low));
    for (int64_t i = 0; i < n; i++) {
        const float x = (float)(gd_generator_u32(g) & mask) / (float)(mask + 1);
        gd_store_f64(dtype, (uint16_t *)out + i, (double)(x * range + low));
    }
}

/* Box-Muller; bfloat16 rounds every step, float16 only what it names, as PyTorch's types do. */
static void normal16_narrow(gd_dtype dtype, float *d, float mean, float std) {
    const bool each = dtype == GD_BFLOAT16;
#define STEP(v) (each ? rounded(dtype, (double)(v)) : (v))
    for (int j = 0; j < 8; j++) {
        const float u1 = rounded(dtype, (double)(1 - d[j])), u2 = d[j + 8];
        const float radius = rounded(dtype, (double)sqrtf(STEP(-2 * STEP(logf(u1)))));
        const float theta = rounded(dtype, each ? (double)((float)TWO_PI * u2) : TWO_PI * (double)u2);
        d[j] = rounded(dtype, (double)(STEP(STEP(radius * STEP(cosf(theta))) * std) + mean));
        d[j + 8] = rounded(dtype, (double)(STEP(STEP(radius * STEP(sinf(theta))) * std) + mean));
    }
#undef STEP
}

/* Sixteen at a time; of a rest the last 16 are drawn anew, finished ones among them. */
static void normal_narrow(gd_generator *g, gd_dtype dtype, uint16_t *p, int64_t n, double mean, double std) {
    const float m = rounded(dtype, mean), s = rounded(dtype, std);
    float block[16];
    uniform_narrow(g, dtype, p, n, 0, 1);
    for (int64_t at = 0; at < n; at += 16) {
        if (at + 16 > n) uniform_narrow(g, dtype, p + (at = n - 16), 16, 0, 1);
        for (int i = 0; i < 16; i++) block[i] = (float)gd_load_f64(dtype, p + at + i);
        normal16_narrow(dtype, block, m, s);
        for (int i = 0; i < 16; i++) gd_store_f64(dtype, p + at + i, (double)block[i]);
    }
}

/* The default range needs no arithmetic; float32 scales in double and rounds once, float64 fuses. */
void gd_random_uniform(gd_generator *g, gd_dtype dtype, void *out, int64_t n, double from, double to) {
    if (dtype == GD_FLOAT64) {
        double *p = out;
        for (int64_t i = 0; i < n; i++) p[i] = fma(gd_generator_double(g), to - from, from);
        return;
    }
    if (gd_dtype_is_narrow(dtype)) {
        uniform_narrow(g, dtype, out, n, from, to);
        return;
    }
    float *p = out;
    float low = (float)from, high = (float)to;
    floats(g, p, n);
    if (low == 0 && high == 1) return;
    for (int64_t i = 0; i < n; i++) p[i] = (float)((double)p[i] * (double)(high - low) + (double)low);
}

/* ---- normals --------------------------------------------------------------------------------- */

void gd_normal16_baseline(float *data, int64_t blocks, float mean, float std);
#if defined(__x86_64__)
void gd_normal16_avx2(float *data, int64_t blocks, float mean, float std);
void gd_normal16_avx512(float *data, int64_t blocks, float mean, float std);
#endif

static gd_normal16 normal16_loop(void) {
#if defined(__x86_64__)
    if (gd_cpu_isa() == GD_ISA_AVX512) return gd_normal16_avx512;
    if (gd_cpu_isa() == GD_ISA_AVX2) return gd_normal16_avx2;
#endif
    return gd_normal16_baseline;
}

static void normal16_double(double *d, double mean, double std) {
    for (int j = 0; j < 8; j++) {
        double r = sqrt(-2.0 * log(1.0 - d[j])), theta = TWO_PI * d[j + 8];
        d[j] = fma(r * cos(theta), std, mean);
        d[j + 8] = fma(r * sin(theta), std, mean);
    }
}

static void normal_double(gd_generator *g, double *p, int64_t n, double mean, double std) {
    for (int64_t i = 0; i < n; i++) p[i] = gd_generator_double(g);
    for (int64_t i = 0; i + 16 <= n; i += 16) normal16_double(p + i, mean, std);
    if (n % 16 == 0) return;
    p += n - 16; /* the last 16 are drawn anew, finished ones among them */
    for (int i = 0; i < 16; i++) p[i] = gd_generator_double(g);
    normal16_double(p, mean, std);
}

static void normal_float(gd_generator *g, float *p, int64_t n, double mean, double std) {
    gd_normal16 loop = normal16_loop();
    floats(g, p, n);
    loop(p, n / 16, (float)mean, (float)std);
    if (n % 16 == 0) return;
    p += n - 16;
    floats(g, p, 16);
    loop(p, 1, (float)mean, (float)std);
}

void gd_random_normal(gd_generator *g, gd_dtype dtype, void *out, int64_t n, double mean, double std) {
    if (n >= 16) {
        if (dtype == GD_FLOAT64)
            normal_double(g, out, n, mean, std);
        else if (gd_dtype_is_narrow(dtype))
            normal_narrow(g, dtype, out, n, mean, std);
        else
            normal_float(g, out, n, mean, std);
        return;
    }
    size_t width = gd_dtype_bytes(dtype);
    for (int64_t i = 0; i < n; i++)
        gd_store_f64(dtype, (char *)out + (size_t)i * width, fma(gd_generator_normal(g), std, mean));
}

/* ---- integers -------------------------------------------------------------------------------- */

int64_t gd_random_integer(gd_generator *g, int64_t low, uint64_t range) {
    uint64_t offset;
    if (range == 0)
        offset = gd_generator_u64(g);
    else
        offset = (range >> 32 ? gd_generator_u64(g) : (uint64_t)gd_generator_u32(g)) % range;
    return (int64_t)((uint64_t)low + offset);
}

void gd_random_permutation(gd_generator *g, int64_t *out, int64_t n) {
    for (int64_t i = 0; i < n; i++) out[i] = i;
    for (int64_t i = 0; i + 1 < n; i++) {
        int64_t z = i + (int64_t)gd_generator_u32(g) % (n - i), kept = out[i];
        out[i] = out[z];
        out[z] = kept;
    }
}
