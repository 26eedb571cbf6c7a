/* rows_simd.c: the loops of rows.h. Compiled once an instruction set. Sums are kept in double, in lanes. */
#include "core/kernels/rows.h"

#include <math.h>
#include <string.h>

#include "core/kernels/simd.h"

enum { LANES = 4 }; /* of eight: enough to hide how long an addition takes */

typedef float eight_float __attribute__((vector_size(32)));
typedef double eight_double __attribute__((vector_size(64)));

static double total(const eight_double *lanes) {
    eight_double all = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    double sum = 0;
    for (int k = 0; k < 8; k++) sum += all[k];
    return sum;
}

#define LOAD(T, v, p)                                                                                                  \
    eight_##T v;                                                                                                       \
    memcpy(&v, (p), sizeof v)
#define WIDE(v) __builtin_convertvector(v, eight_double)

#define DEFINE_SUM(T)                                                                                                  \
    static double sum_##T(const void *data, int64_t n, double mean, bool squares) {                                    \
        const T *x = data;                                                                                             \
        eight_double lanes[LANES] = {{0}};                                                                             \
        double rest = 0;                                                                                               \
        int64_t i = 0;                                                                                                 \
        for (; i + 8 * LANES <= n; i += 8 * LANES)                                                                     \
            for (int k = 0; k < LANES; k++) {                                                                          \
                LOAD(T, v, x + i + 8 * k);                                                                             \
                eight_double d = WIDE(v) - mean;                                                                       \
                lanes[k] += squares ? d * d : d;                                                                       \
            }                                                                                                          \
        for (; i < n; i++) {                                                                                           \
            double d = (double)x[i] - mean;                                                                            \
            rest += squares ? d * d : d;                                                                               \
        }                                                                                                              \
        return total(lanes) + rest;                                                                                    \
    }
DEFINE_SUM(float)
DEFINE_SUM(double)

#define DEFINE_SCALE(T, FUSED)                                                                                         \
    static void scale_##T(const gd_row *r) {                                                                           \
        T *restrict out = r->out;                                                                                      \
        const T *restrict x = r->x, *restrict w = r->weight, *restrict b = r->bias;                                    \
        const T s = (T)r->rstd, m = -s * (T)r->mean;                                                                   \
        if (w && b)                                                                                                    \
            for (int64_t i = 0; i < r->n; i++) out[i] = FUSED(x[i], s, m) * w[i] + b[i];                               \
        else if (w)                                                                                                    \
            for (int64_t i = 0; i < r->n; i++) out[i] = FUSED(x[i], s, m) * w[i];                                      \
        else if (b)                                                                                                    \
            for (int64_t i = 0; i < r->n; i++) out[i] = FUSED(x[i], s, m) + b[i];                                      \
        else                                                                                                           \
            for (int64_t i = 0; i < r->n; i++) out[i] = FUSED(x[i], s, m);                                             \
    }
DEFINE_SCALE(float, fmaf)
DEFINE_SCALE(double, fma)

/* The sums of g w x and of g w. */
#define DEFINE_SLOPE(T, FUSED)                                                                                         \
    static void slope_sums_##T(const gd_row *r, double *along, double *sum) {                                          \
        const T *g = r->grad, *x = r->x, *w = r->weight;                                                               \
        eight_double a[LANES] = {{0}}, s[LANES] = {{0}};                                                               \
        double rest_a = 0, rest_s = 0;                                                                                 \
        int64_t i = 0;                                                                                                 \
        for (; i + 8 * LANES <= r->n; i += 8 * LANES)                                                                  \
            for (int k = 0; k < LANES; k++) {                                                                          \
                LOAD(T, gs, g + i + 8 * k);                                                                            \
                LOAD(T, xs, x + i + 8 * k);                                                                            \
                eight_##T ws = (eight_##T){0} + 1;                                                                     \
                if (w) memcpy(&ws, w + i + 8 * k, sizeof ws);                                                          \
                a[k] += WIDE(gs * xs * ws);                                                                            \
                s[k] += WIDE(gs * ws);                                                                                 \
            }                                                                                                          \
        for (; i < r->n; i++) {                                                                                        \
            const T one = w ? w[i] : 1;                                                                                \
            rest_a += (double)(g[i] * x[i] * one);                                                                     \
            rest_s += (double)(g[i] * one);                                                                            \
        }                                                                                                              \
        *along = total(a) + rest_a;                                                                                    \
        *sum = total(s) + rest_s;                                                                                      \
    }                                                                                                                  \
    static void slope_##T(const gd_row *r) {                                                                           \
        T *restrict out = r->out;                                                                                      \
        const T *restrict g = r->grad, *restrict x = r->x, *restrict w = r->weight;                                    \
        double along, sum;                                                                                             \
        slope_sums_##T(r, &along, &sum);                                                                               \
        const T m = (T)r->mean, s = (T)r->rstd, share = (T)1 / (T)r->n, ds = (T)along, db = (T)sum;                    \
        const T b = FUSED(db, m, -ds) * s * s * s * share, c = FUSED(-b, m, -(db * s * share));                        \
        if (w)                                                                                                         \
            for (int64_t i = 0; i < r->n; i++) out[i] = FUSED(b, x[i], s * g[i] * w[i]) + c;                           \
        else                                                                                                           \
            for (int64_t i = 0; i < r->n; i++) out[i] = FUSED(b, x[i], s * g[i]) + c;                                  \
    }
DEFINE_SLOPE(float, fmaf)
DEFINE_SLOPE(double, fma)

const gd_row_table GD_ISA_NAME(gd_row_table) = {
    .sum = {sum_float, sum_double},
    .scale = {scale_float, scale_double},
    .slope = {slope_float, slope_double},
};
