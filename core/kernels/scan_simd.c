/* scan_simd.c: inner loops of softmax and its kin, and of running sums. Compiled once an instruction set.
 *
 * Lines run along memory one after another, and the compiler's vectors with them; a tile is up to 64 lines side by
 * side, and vectors run across them. Sums are kept in double.
 */
#include <math.h>
#include <string.h>

#include "core/kernels/scan.h"
#include "core/kernels/simd.h"

#define LANES 32 /* more than the compiler unrolls before it looks for vectors */
#define SHORT 8  /* shorter lines are less than PyTorch's vectors of floats */
#define WIDTH GD_SCAN_WIDTH

/* Exponentials of n contiguous numbers, in place. */
static void exponentials(const gd_scan_part *s, void *numbers, int64_t n, int64_t bytes) {
    char *data[2] = {numbers, numbers};
    s->exp(data, (const int64_t[]){bytes, bytes}, n, NULL);
}

typedef float eight_float __attribute__((vector_size(32)));
typedef double eight_double __attribute__((vector_size(64)));

#define LINES for (int64_t j = 0; j < s->width; j++)

#define DEFINE_LINES(T, LOG)                                                                                           \
    static T line_max_##T(const T *a, int64_t n) {                                                                     \
        T best = a[0], lane[LANES];                                                                                    \
        int64_t i = 0;                                                                                                 \
        if (n >= LANES) {                                                                                              \
            memcpy(lane, a, sizeof lane);                                                                              \
            for (i = LANES; i + LANES <= n; i += LANES)                                                                \
                for (int k = 0; k < LANES; k++)                                                                        \
                    lane[k] = (a[i + k] > lane[k]) | (a[i + k] != a[i + k]) ? a[i + k] : lane[k];                      \
            for (int half = LANES / 2; half > 0; half /= 2)                                                            \
                for (int k = 0; k < half; k++)                                                                         \
                    lane[k] =                                                                                          \
                        (lane[k + half] > lane[k]) | (lane[k + half] != lane[k + half]) ? lane[k + half] : lane[k];    \
            best = lane[0];                                                                                            \
        }                                                                                                              \
        for (; i < n; i++) best = (a[i] > best) | (a[i] != a[i]) ? a[i] : best;                                        \
        return best;                                                                                                   \
    }                                                                                                                  \
    /* The sum of a, or of a * b, of a short line: rounded as PyTorch does. */                                         \
    static T short_sum_##T(const T *a, const T *b, int64_t n) {                                                        \
        T sum = b ? a[0] * b[0] : a[0];                                                                                \
        for (int64_t i = 1; i < n; i++) sum += b ? a[i] * b[i] : a[i];                                                 \
        return sum;                                                                                                    \
    }                                                                                                                  \
    /* The sum of a, or of a * b. */                                                                                   \
    static double line_sum_##T(const T *a, const T *b, int64_t n) {                                                    \
        if (n < SHORT) return (double)short_sum_##T(a, b, n);                                                          \
        eight_double lanes[LANES / 8] = {{0}};                                                                         \
        double sum = 0;                                                                                                \
        int64_t i = 0;                                                                                                 \
        for (; i + LANES <= n; i += LANES)                                                                             \
            for (int k = 0; k < LANES / 8; k++) {                                                                      \
                eight_##T x, y;                                                                                        \
                memcpy(&x, a + i + 8 * k, sizeof x);                                                                   \
                if (b) memcpy(&y, b + i + 8 * k, sizeof y);                                                            \
                if (b) x *= y;                                                                                         \
                lanes[k] += __builtin_convertvector(x, eight_double);                                                  \
            }                                                                                                          \
        for (; i < n; i++) sum += (double)(b ? a[i] * b[i] : a[i]);                                                    \
        for (int k = 1; k < LANES / 8; k++) lanes[0] += lanes[k];                                                      \
        for (int k = 0; k < 8; k++) sum += lanes[0][k];                                                                \
        return sum;                                                                                                    \
    }                                                                                                                  \
    /* exp(a - its line's greatest) into out; the exponentials of all lines are one run. */                            \
    static void line_exponentials_##T(const gd_scan_part *s, T *shift) {                                               \
        LINES {                                                                                                        \
            const T *a = (const T *)s->a + j * s->n;                                                                   \
            T *out = (T *)s->out + j * s->n, best = line_max_##T(a, s->n);                                             \
            for (int64_t i = 0; i < s->n; i++) out[i] = a[i] - best;                                                   \
            shift[j] = best;                                                                                           \
        }                                                                                                              \
        exponentials(s, s->out, s->width * s->n, (int64_t)sizeof(T));                                                  \
    }                                                                                                                  \
    static void softmax_line_##T(const gd_scan_part *s) {                                                              \
        T shift[WIDTH];                                                                                                \
        line_exponentials_##T(s, shift);                                                                               \
        LINES {                                                                                                        \
            T *out = (T *)s->out + j * s->n;                                                                           \
            const T sum = (T)line_sum_##T(out, NULL, s->n), part = 1 / sum;                                            \
            for (int64_t i = 0; i < s->n; i++) out[i] = s->n < SHORT ? out[i] * part : out[i] / sum;                   \
        }                                                                                                              \
    }                                                                                                                  \
    static void log_softmax_line_##T(const gd_scan_part *s) {                                                          \
        T shift[WIDTH];                                                                                                \
        line_exponentials_##T(s, shift);                                                                               \
        LINES {                                                                                                        \
            const T *a = (const T *)s->a + j * s->n;                                                                   \
            T *out = (T *)s->out + j * s->n;                                                                           \
            const T logarithm = LOG((T)line_sum_##T(out, NULL, s->n));                                                 \
            for (int64_t i = 0; i < s->n; i++) out[i] = a[i] - shift[j] - logarithm;                                   \
        }                                                                                                              \
    }                                                                                                                  \
    static void softmax_backward_line_##T(const gd_scan_part *s) {                                                     \
        LINES {                                                                                                        \
            const T *g = (const T *)s->a + j * s->n, *y = (const T *)s->b + j * s->n;                                  \
            const T sum = (T)line_sum_##T(g, y, s->n);                                                                 \
            T *out = (T *)s->out + j * s->n;                                                                           \
            for (int64_t i = 0; i < s->n; i++) out[i] = (g[i] - sum) * y[i];                                           \
        }                                                                                                              \
    }                                                                                                                  \
    static void log_softmax_backward_line_##T(const gd_scan_part *s) {                                                 \
        memcpy(s->out, s->b, (size_t)(s->width * s->n) * sizeof(T));                                                   \
        exponentials(s, s->out, s->width * s->n, (int64_t)sizeof(T));                                                  \
        LINES {                                                                                                        \
            const T *g = (const T *)s->a + j * s->n, sum = (T)line_sum_##T(g, NULL, s->n);                             \
            T *out = (T *)s->out + j * s->n;                                                                           \
            for (int64_t i = 0; i < s->n; i++) out[i] = g[i] - out[i] * sum;                                           \
        }                                                                                                              \
    }                                                                                                                  \
    static void cumsum_line_##T(const gd_scan_part *s) {                                                               \
        LINES {                                                                                                        \
            const T *a = (const T *)s->a + j * s->n;                                                                   \
            T *out = (T *)s->out + j * s->n;                                                                           \
            double sum = 0;                                                                                            \
            for (int64_t i = 0; i < s->n; i++) out[i] = (T)(sum += (double)a[i]);                                      \
        }                                                                                                              \
    }
DEFINE_LINES(float, logf)
DEFINE_LINES(double, log)

#define ACROSS for (int64_t j = 0; j < s->width; j++)
#define STEPS for (int64_t i = 0; i < s->n; i++)

#define DEFINE_TILES(T, LOG)                                                                                           \
    /* The greatest of each line, and the sum of exponentials less it, which stay in the output. */                    \
    static void tile_exponentials_##T(const gd_scan_part *s, T *best, double *sum) {                                   \
        ACROSS best[j] = ((const T *)s->a)[j];                                                                         \
        ACROSS sum[j] = 0;                                                                                             \
        STEPS {                                                                                                        \
            const T *a = (const T *)s->a + i * s->stride;                                                              \
            ACROSS best[j] = (a[j] > best[j]) | (a[j] != a[j]) ? a[j] : best[j];                                       \
        }                                                                                                              \
        STEPS {                                                                                                        \
            const T *a = (const T *)s->a + i * s->stride;                                                              \
            T *out = (T *)s->out + i * s->stride;                                                                      \
            ACROSS out[j] = a[j] - best[j];                                                                            \
            exponentials(s, out, s->width, (int64_t)sizeof(T));                                                        \
            ACROSS sum[j] += (double)out[j];                                                                           \
        }                                                                                                              \
    }                                                                                                                  \
    static void softmax_tile_##T(const gd_scan_part *s) {                                                              \
        T best[WIDTH];                                                                                                 \
        double sum[WIDTH];                                                                                             \
        tile_exponentials_##T(s, best, sum);                                                                           \
        STEPS {                                                                                                        \
            T *out = (T *)s->out + i * s->stride;                                                                      \
            ACROSS out[j] /= (T)sum[j];                                                                                \
        }                                                                                                              \
    }                                                                                                                  \
    static void log_softmax_tile_##T(const gd_scan_part *s) {                                                          \
        T best[WIDTH], logarithm[WIDTH];                                                                               \
        double sum[WIDTH];                                                                                             \
        tile_exponentials_##T(s, best, sum);                                                                           \
        ACROSS logarithm[j] = LOG((T)sum[j]);                                                                          \
        STEPS {                                                                                                        \
            const T *a = (const T *)s->a + i * s->stride;                                                              \
            T *out = (T *)s->out + i * s->stride;                                                                      \
            ACROSS out[j] = a[j] - best[j] - logarithm[j];                                                             \
        }                                                                                                              \
    }                                                                                                                  \
    static void softmax_backward_tile_##T(const gd_scan_part *s) {                                                     \
        double sum[WIDTH] = {0};                                                                                       \
        STEPS {                                                                                                        \
            const T *g = (const T *)s->a + i * s->stride, *y = (const T *)s->b + i * s->stride;                        \
            ACROSS sum[j] += (double)(g[j] * y[j]);                                                                    \
        }                                                                                                              \
        STEPS {                                                                                                        \
            const T *g = (const T *)s->a + i * s->stride, *y = (const T *)s->b + i * s->stride;                        \
            T *out = (T *)s->out + i * s->stride;                                                                      \
            ACROSS out[j] = (g[j] - (T)sum[j]) * y[j];                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    static void log_softmax_backward_tile_##T(const gd_scan_part *s) {                                                 \
        double sum[WIDTH] = {0};                                                                                       \
        STEPS {                                                                                                        \
            const T *g = (const T *)s->a + i * s->stride;                                                              \
            ACROSS sum[j] += (double)g[j];                                                                             \
        }                                                                                                              \
        STEPS {                                                                                                        \
            const T *g = (const T *)s->a + i * s->stride, *y = (const T *)s->b + i * s->stride;                        \
            T *out = (T *)s->out + i * s->stride;                                                                      \
            memcpy(out, y, (size_t)s->width * sizeof(T));                                                              \
            exponentials(s, out, s->width, (int64_t)sizeof(T));                                                        \
            ACROSS out[j] = g[j] - out[j] * (T)sum[j];                                                                 \
        }                                                                                                              \
    }                                                                                                                  \
    static void cumsum_tile_##T(const gd_scan_part *s) {                                                               \
        double sum[WIDTH] = {0};                                                                                       \
        STEPS {                                                                                                        \
            const T *a = (const T *)s->a + i * s->stride;                                                              \
            T *out = (T *)s->out + i * s->stride;                                                                      \
            ACROSS {                                                                                                   \
                sum[j] += (double)a[j];                                                                                \
                out[j] = (T)sum[j];                                                                                    \
            }                                                                                                          \
        }                                                                                                              \
    }
DEFINE_TILES(float, logf)
DEFINE_TILES(double, log)

#define BOTH(name)                                                                                                     \
    { name##_float, name##_double }
const gd_scan_table GD_ISA_NAME(gd_scan_table) = {
    .line = {[GD_S_SOFTMAX] = BOTH(softmax_line),
             [GD_S_LOG_SOFTMAX] = BOTH(log_softmax_line),
             [GD_S_SOFTMAX_BACKWARD] = BOTH(softmax_backward_line),
             [GD_S_LOG_SOFTMAX_BACKWARD] = BOTH(log_softmax_backward_line),
             [GD_S_CUMSUM] = BOTH(cumsum_line)},
    .tile = {[GD_S_SOFTMAX] = BOTH(softmax_tile),
             [GD_S_LOG_SOFTMAX] = BOTH(log_softmax_tile),
             [GD_S_SOFTMAX_BACKWARD] = BOTH(softmax_backward_tile),
             [GD_S_LOG_SOFTMAX_BACKWARD] = BOTH(log_softmax_backward_tile),
             [GD_S_CUMSUM] = BOTH(cumsum_tile)},
};
