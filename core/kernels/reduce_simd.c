/* reduce_simd.c: inner loops of reductions. Compiled once an instruction set.
 *
 * Sums follow PyTorch's cascade: a long row is cut into four interleaved ones, each added up in steps of 2^k with
 * up to four levels of partial sums, over vectors of 32 bytes. The order of additions is part of the result, so the
 * vectors are 32 bytes on every instruction set.
 */
#include <math.h>
#include <string.h>

#include "core/kernels/pointwise.h"
#include "core/kernels/reduce.h"
#include "core/kernels/simd.h"

#define LEVELS 4
#define WIDE 32 /* bytes of a vector */

typedef float wide_float __attribute__((vector_size(WIDE)));
typedef double wide_double __attribute__((vector_size(WIDE)));

static int step_power(int64_t size) {
    int log = 0;
    while (log < 62 && ((int64_t)1 << log) < size) log++;
    return log / LEVELS > 4 ? log / LEVELS : 4;
}

#define SAME(x) (x)
#define SQUARE(x) ((x) * (x))

/* name(): sums of ROWS columns, `column` bytes apart, of `size` rows, `row` bytes apart. */
#define DEFINE_ROWS(name, E, ROWS, F)                                                                                  \
    static inline void name(const char *in, int64_t row, int64_t column, int64_t size, E *sums) {                      \
        const int power = step_power(size);                                                                            \
        const int64_t step = (int64_t)1 << power;                                                                      \
        E acc[LEVELS][ROWS];                                                                                           \
        memset(acc, 0, sizeof acc);                                                                                    \
        int64_t i = 0;                                                                                                 \
        while (i + step <= size) {                                                                                     \
            E s[ROWS];                                                                                                 \
            memset(s, 0, sizeof s);                                                                                    \
            for (int64_t j = 0; j < step; j++, i++)                                                                    \
                for (int k = 0; k < ROWS; k++) {                                                                       \
                    E x;                                                                                               \
                    memcpy(&x, in + i * row + k * column, sizeof x);                                                   \
                    s[k] += F(x);                                                                                      \
                }                                                                                                      \
            for (int k = 0; k < ROWS; k++) acc[1][k] += s[k];                                                          \
            for (int l = 1; l + 1 < LEVELS && !(i & ((step - 1) << (l * power))); l++)                                 \
                for (int k = 0; k < ROWS; k++) {                                                                       \
                    acc[l + 1][k] += acc[l][k];                                                                        \
                    memset(&acc[l][k], 0, sizeof(E));                                                                  \
                }                                                                                                      \
        }                                                                                                              \
        for (; i < size; i++)                                                                                          \
            for (int k = 0; k < ROWS; k++) {                                                                           \
                E x;                                                                                                   \
                memcpy(&x, in + i * row + k * column, sizeof x);                                                       \
                acc[0][k] += F(x);                                                                                     \
            }                                                                                                          \
        for (int l = 1; l < LEVELS; l++)                                                                               \
            for (int k = 0; k < ROWS; k++) acc[0][k] += acc[l][k];                                                     \
        memcpy(sums, acc[0], sizeof acc[0]);                                                                           \
    }

/* name(): sum of one row of `size` elements E, `stride` bytes apart, as four interleaved columns. */
#define DEFINE_ROW(name, rows, E, F)                                                                                   \
    static inline void name(const char *in, int64_t stride, int64_t size, E *sum) {                                    \
        E part[4];                                                                                                     \
        rows(in, 4 * stride, stride, size / 4, part);                                                                  \
        for (int64_t i = size / 4 * 4; i < size; i++) {                                                                \
            E x;                                                                                                       \
            memcpy(&x, in + i * stride, sizeof x);                                                                     \
            part[0] += F(x);                                                                                           \
        }                                                                                                              \
        *sum = ((part[0] + part[1]) + part[2]) + part[3];                                                              \
    }

/* The four shapes a pair of loops can have: rows or columns of contiguous elements, or strided ones. */
#define DEFINE_SUMS(T, tag, F)                                                                                         \
    DEFINE_ROWS(wide_rows_##tag, wide_##T, 4, F)                                                                       \
    DEFINE_ROWS(rows_##tag, T, 4, F)                                                                                   \
    DEFINE_ROW(wide_row_##tag, wide_rows_##tag, wide_##T, F)                                                           \
    DEFINE_ROW(row_##tag, rows_##tag, T, F)                                                                            \
    static inline void give_##tag(char *out, const T *sums, int64_t n, int64_t stride) {                               \
        for (int64_t k = 0; k < n; k++) *(T *)(void *)(out + k * stride) += sums[k];                                   \
    }                                                                                                                  \
    static void inner_##tag(char *out, const char *in, const gd_reduce_dim *a, const gd_reduce_dim *b) {               \
        const int64_t lanes = WIDE / (int64_t)sizeof(T), whole = a->size / lanes;                                      \
        for (int64_t j = 0; j < b->size; j++) {                                                                        \
            const char *row = in + j * b->in;                                                                          \
            wide_##T sum;                                                                                              \
            T total = 0;                                                                                               \
            wide_row_##tag(row, WIDE, whole, &sum);                                                                    \
            for (int64_t k = whole * lanes; k < a->size; k++) {                                                        \
                T x = ((const T *)(const void *)row)[k];                                                               \
                total += F(x);                                                                                         \
            }                                                                                                          \
            for (int64_t k = 0; k < lanes; k++) total += sum[k];                                                       \
            give_##tag(out + j * b->out, &total, 1, 0);                                                                \
        }                                                                                                              \
    }                                                                                                                  \
    static void outer_##tag(char *out, const char *in, const gd_reduce_dim *a, const gd_reduce_dim *b) {               \
        const int64_t lanes = WIDE / (int64_t)sizeof(T), width = (int64_t)sizeof(T);                                   \
        int64_t j = 0;                                                                                                 \
        for (; j + 4 * lanes <= b->size; j += 4 * lanes) {                                                             \
            wide_##T sums[4];                                                                                          \
            wide_rows_##tag(in + j * width, a->in, WIDE, a->size, sums);                                               \
            for (int k = 0; k < 4; k++)                                                                                \
                give_##tag(out + (j + k * lanes) * b->out, (const T *)&sums[k], lanes, b->out);                        \
        }                                                                                                              \
        for (; j + lanes <= b->size; j += lanes) {                                                                     \
            wide_##T sum;                                                                                              \
            wide_row_##tag(in + j * width, a->in, a->size, &sum);                                                      \
            give_##tag(out + j * b->out, (const T *)&sum, lanes, b->out);                                              \
        }                                                                                                              \
        for (; j < b->size; j++) {                                                                                     \
            T sum;                                                                                                     \
            row_##tag(in + j * width, a->in, a->size, &sum);                                                           \
            give_##tag(out + j * b->out, &sum, 1, 0);                                                                  \
        }                                                                                                              \
    }                                                                                                                  \
    static void strided_##tag(char *out, const char *in, const gd_reduce_dim *a, const gd_reduce_dim *b) {             \
        int64_t j = 0;                                                                                                 \
        for (; a->in >= b->in && j + 3 < b->size; j += 4) {                                                            \
            T sums[4];                                                                                                 \
            rows_##tag(in + j * b->in, a->in, b->in, a->size, sums);                                                   \
            give_##tag(out + j * b->out, sums, 4, b->out);                                                             \
        }                                                                                                              \
        for (; j < b->size; j++) {                                                                                     \
            T sum;                                                                                                     \
            row_##tag(in + j * b->in, a->in, a->size, &sum);                                                           \
            give_##tag(out + j * b->out, &sum, 1, 0);                                                                  \
        }                                                                                                              \
    }                                                                                                                  \
    static void sum_##tag(char *out, const char *in, const gd_reduce_dim *a, const gd_reduce_dim *b) {                 \
        const int64_t width = (int64_t)sizeof(T), lanes = WIDE / width;                                                \
        if (a->in == width && a->size >= lanes)                                                                        \
            inner_##tag(out, in, a, b);                                                                                \
        else if (b->in == width && b->size >= lanes)                                                                   \
            outer_##tag(out, in, a, b);                                                                                \
        else                                                                                                           \
            strided_##tag(out, in, a, b);                                                                              \
    }
DEFINE_SUMS(float, f, SAME)
DEFINE_SUMS(double, d, SAME)
DEFINE_SUMS(float, f_squares, SQUARE)
DEFINE_SUMS(double, d_squares, SQUARE)

/* ---- the other reducers: one output at a time -------------------------------------------------- */

#define AT(T, p) (*(const T *)(const void *)(p))
#define LANES 32

/* A product of contiguous floats is taken in 32 lanes, which are multiplied together as PyTorch does. */
#define DEFINE_FLOAT_PROD(T)                                                                                           \
    static void prod_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                             \
        enum { WIDTH = WIDE / sizeof(T), SPAN = 4 * WIDTH };                                                           \
        T total = (T)acc->f;                                                                                           \
        int64_t i = 0;                                                                                                 \
        if (stride == (int64_t)sizeof(T) && n >= SPAN) {                                                               \
            T lane[SPAN];                                                                                              \
            memcpy(lane, in, sizeof lane);                                                                             \
            for (i = SPAN; i + SPAN <= n; i += SPAN)                                                                   \
                for (int k = 0; k < SPAN; k++) lane[k] *= AT(T, in + (i + k) * (int64_t)sizeof(T));                    \
            for (int k = 0; k < WIDTH; k++)                                                                            \
                total *= (lane[k] * lane[k + WIDTH]) * (lane[k + 2 * WIDTH] * lane[k + 3 * WIDTH]);                    \
        }                                                                                                              \
        for (; i < n; i++) total *= AT(T, in + i * stride);                                                            \
        acc->f = (double)total;                                                                                        \
    }

/* Whole vectors: eight chains of maxima (or minima) that drop NaN, and whether there was one. */
#if defined(__x86_64__)
#if GD_ISA_LEVEL == 2
#define VECTOR_CALL(f, T) VECTOR_CALL_##T(_mm512_##f)
#define NAN_float(a, b) ((unsigned)_mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q))
#define NAN_double(a, b) ((unsigned)_mm512_cmp_pd_mask(a, b, _CMP_UNORD_Q))
#elif GD_ISA_LEVEL == 1
#define VECTOR_CALL(f, T) VECTOR_CALL_##T(_mm256_##f)
#define NAN_float(a, b) ((unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_UNORD_Q)))
#define NAN_double(a, b) ((unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_UNORD_Q)))
#else
#define VECTOR_CALL(f, T) VECTOR_CALL_##T(_mm_##f)
#define NAN_float(a, b) ((unsigned)_mm_movemask_ps(_mm_cmpunord_ps(a, b)))
#define NAN_double(a, b) ((unsigned)_mm_movemask_pd(_mm_cmpunord_pd(a, b)))
#endif
#define JOIN(a, b) a##b
#define VECTOR_CALL_float(f) JOIN(f, _ps)
#define VECTOR_CALL_double(f) JOIN(f, _pd)
/* n, all elements being taken in; 0, and *best is not touched, if one of them is NaN or there are too few. */
#define DEFINE_BEST_NEAR(name, T, BETTER)                                                                              \
    static int64_t name##_near_##T(const T *in, int64_t n, T *best) {                                                  \
        enum { CHAINS = 8, WIDTH = sizeof(gd_v_##T) / sizeof(T), SPAN = CHAINS * WIDTH };                              \
        gd_v_##T chain[CHAINS];                                                                                        \
        T lane[SPAN];                                                                                                  \
        unsigned bad = 0;                                                                                              \
        if (n < SPAN) return 0;                                                                                        \
        memcpy(chain, in, sizeof chain);                                                                               \
        for (int k = 0; k < CHAINS; k++) bad |= NAN_##T(chain[k], chain[k]);                                           \
        for (int64_t i = SPAN; i < n; i += SPAN) {                                                                     \
            const T *p = in + (i + SPAN <= n ? i : n - SPAN); /* the last ones may be seen twice */                    \
            for (int k = 0; k < CHAINS; k += 2) {                                                                      \
                const gd_v_##T x = gd_load_##T(p + k * WIDTH), y = gd_load_##T(p + (k + 1) * WIDTH);                   \
                chain[k] = VECTOR_CALL(name, T)(chain[k], x);                                                          \
                chain[k + 1] = VECTOR_CALL(name, T)(chain[k + 1], y);                                                  \
                bad |= NAN_##T(x, y);                                                                                  \
            }                                                                                                          \
        }                                                                                                              \
        if (bad) return 0;                                                                                             \
        for (int k = 4; k > 0; k /= 2)                                                                                 \
            for (int c = 0; c < k; c++) chain[c] = VECTOR_CALL(name, T)(chain[c], chain[c + k]);                       \
        memcpy(lane, chain, sizeof chain[0]);                                                                          \
        for (int k = 1; k < WIDTH; k++) lane[0] = lane[k] BETTER lane[0] ? lane[k] : lane[0];                          \
        *best = lane[0];                                                                                               \
        return n;                                                                                                      \
    }
DEFINE_BEST_NEAR(max, float, >)
DEFINE_BEST_NEAR(max, double, >)
DEFINE_BEST_NEAR(min, float, <)
DEFINE_BEST_NEAR(min, double, <)
#else
static int64_t max_near_float(const float *in, int64_t n, float *best) { return (void)in, (void)n, (void)best, 0; }
static int64_t max_near_double(const double *in, int64_t n, double *best) { return (void)in, (void)n, (void)best, 0; }
#define min_near_float max_near_float
#define min_near_double max_near_double
#endif
#define NO_NEAR(type)                                                                                                  \
    static inline int64_t max_near_##type(const type *in, int64_t n, type *best) {                                     \
        return (void)in, (void)n, (void)best, 0;                                                                       \
    }                                                                                                                  \
    static inline int64_t min_near_##type(const type *in, int64_t n, type *best) {                                     \
        return max_near_##type(in, n, best);                                                                           \
    }
NO_NEAR(uint8_t)
NO_NEAR(int32_t)
NO_NEAR(int64_t)

/* Greatest or smallest value, NaN before all. */
#define DEFINE_BEST(name, T, FIELD, BETTER)                                                                            \
    static void name##_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                           \
        int64_t i = 0;                                                                                                 \
        T best = (T)acc->FIELD;                                                                                        \
        if (acc->position == 0 && n > 0) best = AT(T, in);                                                             \
        T near;                                                                                                        \
        if (stride == (int64_t)sizeof(T)) i = name##_near_##T((const T *)(const void *)in, n, &near);                  \
        if (i > 0) best = near BETTER best ? near : best;                                                              \
        if (i == 0 && stride == (int64_t)sizeof(T) && n >= LANES) {                                                    \
            T lane[LANES];                                                                                             \
            memcpy(lane, in, sizeof lane);                                                                             \
            for (i = LANES; i + LANES <= n; i += LANES)                                                                \
                for (int k = 0; k < LANES; k++) {                                                                      \
                    const T x = AT(T, in + (i + k) * (int64_t)sizeof(T));                                              \
                    lane[k] = (x BETTER lane[k]) | (x != x) ? x : lane[k];                                             \
                }                                                                                                      \
            for (int half = LANES / 2; half > 0; half /= 2)                                                            \
                for (int k = 0; k < half; k++) {                                                                       \
                    const T x = lane[k + half];                                                                        \
                    lane[k] = (x BETTER lane[k]) | (x != x) ? x : lane[k];                                             \
                }                                                                                                      \
            best = (lane[0] BETTER best) | (lane[0] != lane[0]) ? lane[0] : best;                                      \
        }                                                                                                              \
        for (; i < n; i++) {                                                                                           \
            const T x = AT(T, in + i * stride);                                                                        \
            best = (x BETTER best) | (x != x) ? x : best;                                                              \
        }                                                                                                              \
        acc->position += n;                                                                                            \
        acc->FIELD = best;                                                                                             \
    }

/* Of 32 adjacent columns the best and the round it came in, then of these the first; true if there was work. */
#define DEFINE_WHERE_NEAR(name, T, I, BETTER)                                                                          \
    static inline bool name##_near_##T(const T *in, int64_t n, T *value, int64_t *place) {                             \
        T best[LANES];                                                                                                 \
        I round[LANES] = {0};                                                                                          \
        const int64_t rounds = n / LANES;                                                                              \
        if (rounds < 2 || rounds > INT32_MAX) return false;                                                            \
        memcpy(best, in, sizeof best);                                                                                 \
        for (int64_t i = 1; i < rounds; i++)                                                                           \
            for (int k = 0; k < LANES; k++) {                                                                          \
                const T x = in[i * LANES + k], y = best[k];                                                            \
                const bool wins = (x BETTER y) | ((x != x) & (y == y));                                                \
                best[k] = wins ? x : y;                                                                                \
                round[k] = wins ? (I)i : round[k];                                                                     \
            }                                                                                                          \
        *value = best[0];                                                                                              \
        *place = (int64_t)round[0] * LANES;                                                                            \
        for (int k = 1; k < LANES; k++) {                                                                              \
            const T x = best[k];                                                                                       \
            const int64_t at = (int64_t)round[k] * LANES + k;                                                          \
            const bool same = (x == *value) | ((x != x) & (*value != *value));                                         \
            if ((x BETTER * value) | ((x != x) & (*value == *value)) | (same & (at < *place))) {                       \
                *value = x;                                                                                            \
                *place = at;                                                                                           \
            }                                                                                                          \
        }                                                                                                              \
        return true;                                                                                                   \
    }

/* The best with the place of the first such element. */
#define DEFINE_WHERE(name, T, FIELD, BETTER, I)                                                                        \
    DEFINE_WHERE_NEAR(name, T, I, BETTER)                                                                              \
    static void name##_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                           \
        T best = (T)acc->FIELD;                                                                                        \
        int64_t index = acc->index, i = 0, place;                                                                      \
        T value;                                                                                                       \
        if (acc->position == 0 && n > 0) best = AT(T, in);                                                             \
        if (stride == (int64_t)sizeof(T) && name##_near_##T((const T *)(const void *)in, n, &value, &place)) {         \
            const bool first = acc->position == 0;                                                                     \
            if (first | (value BETTER best) | ((value != value) & (best == best))) {                                   \
                best = value;                                                                                          \
                index = acc->position + place;                                                                         \
            }                                                                                                          \
            i = n / LANES * LANES;                                                                                     \
        }                                                                                                              \
        for (; i < n; i++) {                                                                                           \
            const T x = AT(T, in + i * stride);                                                                        \
            if ((x BETTER best) | ((x != x) & (best == best))) {                                                       \
                best = x;                                                                                              \
                index = acc->position + i;                                                                             \
            }                                                                                                          \
        }                                                                                                              \
        acc->position += n;                                                                                            \
        acc->index = index;                                                                                            \
        acc->FIELD = best;                                                                                             \
    }

#define DEFINE_TRUTH(T)                                                                                                \
    static void all_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                              \
        for (int64_t i = 0; i < n && acc->i; i++) acc->i = AT(T, in + i * stride) != 0;                                \
    }                                                                                                                  \
    static void any_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                              \
        for (int64_t i = 0; i < n && !acc->i; i++) acc->i = AT(T, in + i * stride) != 0;                               \
    }

/* Variance in two passes: the mean, then squared deviations, in lanes of doubles. `shift` is 0 in the first. */
#define DEFINE_VAR(T)                                                                                                  \
    static void var_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                              \
        double lane[LANES] = {0};                                                                                      \
        const double mean = acc->shift;                                                                                \
        const T *p = (const T *)(const void *)in;                                                                      \
        int64_t i = 0;                                                                                                 \
        const bool near = stride == (int64_t)sizeof(T);                                                                \
        for (; near && acc->pass == 0 && i + LANES <= n; i += LANES)                                                   \
            for (int k = 0; k < LANES; k++) lane[k] += (double)p[i + k];                                               \
        for (; near && acc->pass == 1 && i + LANES <= n; i += LANES)                                                   \
            for (int k = 0; k < LANES; k++) {                                                                          \
                const double d = (double)p[i + k] - mean;                                                              \
                lane[k] += d * d;                                                                                      \
            }                                                                                                          \
        for (; i + 4 <= n; i += 4)                                                                                     \
            for (int k = 0; k < 4; k++) {                                                                              \
                const double d = (double)AT(T, in + (i + k) * stride) - mean;                                          \
                lane[k] += acc->pass == 0 ? d : d * d;                                                                 \
            }                                                                                                          \
        for (; i < n; i++) {                                                                                           \
            const double d = (double)AT(T, in + i * stride) - mean;                                                    \
            acc->f += acc->pass == 0 ? d : d * d;                                                                      \
        }                                                                                                              \
        for (int half = LANES / 2; half > 0; half /= 2)                                                                \
            for (int k = 0; k < half; k++) lane[k] += lane[k + half];                                                  \
        acc->f += lane[0];                                                                                             \
    }

/* Pass 0: the maximum. Pass 1: the sum of exp(x - maximum). */
#define DEFINE_LSE(T, DTYPE)                                                                                           \
    static void lse_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                              \
        if (acc->pass == 0) {                                                                                          \
            max_##T(acc, in, stride, n);                                                                               \
            return;                                                                                                    \
        }                                                                                                              \
        enum { BLOCK = 256 };                                                                                          \
        const gd_loop exponentials = gd_pointwise_loop(GD_K_EXP, DTYPE);                                               \
        const T shift = (T)acc->shift;                                                                                 \
        const int64_t width = (int64_t)sizeof(T);                                                                      \
        for (int64_t at = 0; at < n; at += BLOCK) {                                                                    \
            T block[BLOCK];                                                                                            \
            const int64_t m = n - at < BLOCK ? n - at : BLOCK;                                                         \
            double lane[8] = {0};                                                                                      \
            for (int64_t i = 0; i < m; i++) block[i] = AT(T, in + (at + i) * stride) - shift;                          \
            exponentials((char *[]){(char *)block, (char *)block}, (const int64_t[]){width, width}, m, NULL);          \
            for (int64_t i = m; i % 8; i++) block[i] = 0;                                                              \
            for (int64_t i = 0; i < m; i += 8)                                                                         \
                for (int k = 0; k < 8; k++) lane[k] += (double)block[i + k];                                           \
            acc->f += ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));       \
        }                                                                                                              \
    }

#define DEFINE_NORM(T, ABS, POW)                                                                                       \
    static void norm_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                             \
        const double p = acc->p;                                                                                       \
        double f = acc->f;                                                                                             \
        double lane[LANES] = {0};                                                                                      \
        int64_t i = 0;                                                                                                 \
        if (p == 0 || p == 1) {                                                                                        \
            for (; stride == (int64_t)sizeof(T) && i + LANES <= n; i += LANES)                                         \
                for (int k = 0; k < LANES; k++) {                                                                      \
                    const T x = ABS(AT(T, in + (i + k) * (int64_t)sizeof(T)));                                         \
                    lane[k] += p == 1 ? (double)x : (x != 0 ? 1.0 : 0.0);                                              \
                }                                                                                                      \
            for (int half = LANES / 2; half > 0; half /= 2)                                                            \
                for (int k = 0; k < half; k++) lane[k] += lane[k + half];                                              \
            f += lane[0];                                                                                              \
        }                                                                                                              \
        if (p == 0)                                                                                                    \
            for (; i < n; i++) f += AT(T, in + i * stride) != 0;                                                       \
        else if (p == 1)                                                                                               \
            for (; i < n; i++) f += (double)ABS(AT(T, in + i * stride));                                               \
        else if (isinf(p))                                                                                             \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                const double x = (double)ABS(AT(T, in + i * stride));                                                  \
                f = (p > 0 ? x > f : x < f) || x != x ? x : f;                                                         \
            }                                                                                                          \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++) f += (double)POW(ABS(AT(T, in + i * stride)), (T)p);                       \
        acc->f = f;                                                                                                    \
    }

#define DEFINE_INT_PROD(T)                                                                                             \
    static void prod_##T(gd_accumulator *acc, const char *in, int64_t stride, int64_t n) {                             \
        uint64_t total = (uint64_t)acc->i; /* wraps as PyTorch's does */                                               \
        for (int64_t i = 0; i < n; i++) total *= (uint64_t)AT(T, in + i * stride);                                     \
        acc->i = (int64_t)total;                                                                                       \
    }

#define DEFINE_COMMON(T, FIELD, I)                                                                                     \
    DEFINE_BEST(max, T, FIELD, >)                                                                                      \
    DEFINE_BEST(min, T, FIELD, <)                                                                                      \
    DEFINE_WHERE(argmax, T, FIELD, >, I)                                                                               \
    DEFINE_WHERE(argmin, T, FIELD, <, I)                                                                               \
    DEFINE_TRUTH(T)
DEFINE_COMMON(uint8_t, i, int32_t)
DEFINE_COMMON(int32_t, i, int32_t)
DEFINE_COMMON(int64_t, i, int64_t)
DEFINE_COMMON(float, f, int32_t)
DEFINE_COMMON(double, f, int64_t)
DEFINE_INT_PROD(int64_t)
DEFINE_FLOAT_PROD(float)
DEFINE_FLOAT_PROD(double)
DEFINE_VAR(float)
DEFINE_VAR(double)
DEFINE_LSE(float, GD_FLOAT32)
DEFINE_LSE(double, GD_FLOAT64)
DEFINE_NORM(float, fabsf, powf)
DEFINE_NORM(double, fabs, pow)

#define ALL_TYPES(name)                                                                                                \
    {                                                                                                                  \
        [GD_UINT8] = name##_uint8_t, [GD_BOOL] = name##_uint8_t, [GD_INT32] = name##_int32_t,                          \
        [GD_INT64] = name##_int64_t, [GD_FLOAT32] = name##_float, [GD_FLOAT64] = name##_double                         \
    }
#define FLOATS(name)                                                                                                   \
    { [GD_FLOAT32] = name##_float, [GD_FLOAT64] = name##_double }

const gd_reduce_table GD_ISA_NAME(gd_reduce_table) = {
    .sum = {{sum_f, sum_d}, {sum_f_squares, sum_d_squares}},
    .runs = {[GD_R_PROD] = {[GD_INT64] = prod_int64_t, [GD_FLOAT32] = prod_float, [GD_FLOAT64] = prod_double},
             [GD_R_MAX] = ALL_TYPES(max),
             [GD_R_MIN] = ALL_TYPES(min),
             [GD_R_ARGMAX] = ALL_TYPES(argmax),
             [GD_R_ARGMIN] = ALL_TYPES(argmin),
             [GD_R_ALL] = ALL_TYPES(all),
             [GD_R_ANY] = ALL_TYPES(any),
             [GD_R_VAR] = FLOATS(var),
             [GD_R_STD] = FLOATS(var),
             [GD_R_LSE] = FLOATS(lse),
             [GD_R_NORM] = FLOATS(norm)},
};
