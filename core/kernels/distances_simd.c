/* distances_simd.c: distances between one vector and many (distances.h). Compiled once an instruction set. Columns of y
 * lie side by side, so that every lane has a sum of its own; a block of sums stays in registers. */
#include <math.h>
#include <string.h>

#include "core/kernels/distances.h"
#include "core/kernels/simd.h"

#define BLOCK 32

/* Of whole blocks, then of what is left. */
#define SUM_LOOP(TERM)                                                                                                 \
    do {                                                                                                               \
        for (; at + BLOCK <= m; at += BLOCK) {                                                                         \
            double sums[BLOCK] = {0};                                                                                  \
            for (int64_t k = 0; k < width; k++)                                                                        \
                for (int j = 0; j < BLOCK; j++) {                                                                      \
                    const double d = (double)ABS(x[k] - y[k * m + at + j]), sum = sums[j];                             \
                    sums[j] = TERM;                                                                                    \
                }                                                                                                      \
            memcpy(room + at, sums, sizeof sums);                                                                      \
        }                                                                                                              \
        for (; at < m; at++) {                                                                                         \
            double sum = 0;                                                                                            \
            for (int64_t k = 0; k < width; k++) {                                                                      \
                const double d = (double)ABS(x[k] - y[k * m + at]);                                                    \
                sum = TERM;                                                                                            \
            }                                                                                                          \
            room[at] = sum;                                                                                            \
        }                                                                                                              \
    } while (0)

#define DEFINE_DISTANCES(type)                                                                                         \
    static void distances_##type(void *out, double *restrict room, const void *vx, const void *vy, int64_t m,          \
                                 int64_t width, double p) {                                                            \
        typedef type T;                                                                                                \
        const T *x = vx, *y = vy;                                                                                      \
        T *to = out;                                                                                                   \
        int64_t at = 0;                                                                                                \
        if (p == 2)                                                                                                    \
            SUM_LOOP(sum + d * d);                                                                                     \
        else if (p == 1)                                                                                               \
            SUM_LOOP(sum + d);                                                                                         \
        else if (p == 0)                                                                                               \
            SUM_LOOP(sum + (d != 0 ? 1.0 : 0.0));                                                                      \
        else if (isinf(p))                                                                                             \
            SUM_LOOP((d > sum) | (d != d) ? d : sum);                                                                  \
        else if (p == 3)                                                                                               \
            SUM_LOOP(sum + d * d * d);                                                                                 \
        else                                                                                                           \
            SUM_LOOP(sum + pow(d, p));                                                                                 \
        if (p == 2)                                                                                                    \
            for (int64_t j = 0; j < m; j++) to[j] = (T)__builtin_sqrt(room[j]);                                        \
        else if (p == 0 || p == 1 || isinf(p))                                                                         \
            for (int64_t j = 0; j < m; j++) to[j] = (T)room[j];                                                        \
        else                                                                                                           \
            for (int64_t j = 0; j < m; j++) to[j] = (T)pow(room[j], 1 / p);                                            \
    }
#define ABS __builtin_fabsf
DEFINE_DISTANCES(float)
#undef ABS
#define ABS __builtin_fabs
DEFINE_DISTANCES(double)

/* Below this part of the sum a difference has lost five bits. */
#define LOSSY (1 / 32.0)

#define DEFINE_FINISH(type, ROOT)                                                                                      \
    static void finish_##type(void *out, const double *restrict lengths, const void *vx, const void *vy, int64_t m,    \
                              int64_t width, double own) {                                                             \
        typedef type T;                                                                                                \
        const T *x = vx, *y = vy;                                                                                      \
        T *restrict to = out;                                                                                          \
        int lossy = 0;                                                                                                 \
        for (int64_t j = 0; j < m; j++) {                                                                              \
            const double all = own + lengths[j], square = all + (double)to[j];                                         \
            lossy |= square <= all * LOSSY;                                                                            \
            to[j] = ROOT((T)(square < 0 ? 0 : square));                                                                \
        }                                                                                                              \
        for (int64_t j = 0; lossy && j < m; j++) {                                                                     \
            const double root = (double)to[j];                                                                         \
            double sum = 0;                                                                                            \
            if (!(root * root <= (own + lengths[j]) * (LOSSY * 1.01))) continue;                                       \
            for (int64_t k = 0; k < width; k++) {                                                                      \
                const double d = (double)(x[k] - y[k * m + j]);                                                        \
                sum += d * d;                                                                                          \
            }                                                                                                          \
            to[j] = (T)__builtin_sqrt(sum);                                                                            \
        }                                                                                                              \
    }
DEFINE_FINISH(float, __builtin_sqrtf)
DEFINE_FINISH(double, __builtin_sqrt)

const gd_distance_finish GD_ISA_NAME(gd_distance_finish)[2] = {finish_float, finish_double};

const gd_distance_loop GD_ISA_NAME(gd_distances)[2] = {distances_float, distances_double};
