/* columns_simd.c: inner loops over columns that lie side by side, in tiles whose running results stay in the cache.
 * Compiled once an instruction set. Each column meets its elements in their order, one by one. */
#include "core/kernels/columns.h"

#include <math.h>
#include <string.h>

#include "core/kernels/simd.h"

enum { TILE = 512, SPAN = 16 };

/* For j of a tile: in whole spans, which become vectors, then one by one. */
#define ACROSS(m, STATEMENT)                                                                                           \
    do {                                                                                                               \
        int64_t j0 = 0;                                                                                                \
        for (; j0 + SPAN <= (m); j0 += SPAN)                                                                           \
            for (int j1 = 0; j1 < SPAN; j1++) {                                                                        \
                const int64_t j = j0 + j1;                                                                             \
                STATEMENT;                                                                                             \
            }                                                                                                          \
        for (int64_t j = j0; j < (m); j++) {                                                                           \
            STATEMENT;                                                                                                 \
        }                                                                                                              \
    } while (0)

#define ROW(T, c, i, at) ((const T *)(const void *)((c)->in + (i) * (c)->row) + (at))

/* A running result a[j] and an element x[j] give the next. */
#define DEFINE_FOLD(name, T, EXPR)                                                                                     \
    static void name##_##T(const gd_columns *c) {                                                                      \
        for (int64_t at = 0; at < c->width; at += TILE) {                                                              \
            const int64_t m = c->width - at < TILE ? c->width - at : TILE;                                             \
            T a[TILE];                                                                                                 \
            memcpy(a, ROW(T, c, 0, at), (size_t)m * sizeof(T));                                                        \
            for (int64_t i = 1; i < c->n; i++) {                                                                       \
                const T *x = ROW(T, c, i, at);                                                                         \
                ACROSS(m, a[j] = EXPR);                                                                                \
            }                                                                                                          \
            memcpy((T *)c->out + at, a, (size_t)m * sizeof(T));                                                        \
        }                                                                                                              \
    }

/* The first of the best, or the first NaN, and its row. I is as wide as T. */
#define DEFINE_PLACE(name, T, I, BETTER)                                                                               \
    static void name##_##T(const gd_columns *c) {                                                                      \
        for (int64_t at = 0; at < c->width; at += TILE) {                                                              \
            const int64_t m = c->width - at < TILE ? c->width - at : TILE;                                             \
            T a[TILE];                                                                                                 \
            I where[TILE] = {0};                                                                                       \
            memcpy(a, ROW(T, c, 0, at), (size_t)m * sizeof(T));                                                        \
            for (int64_t i = 1; i < c->n; i++) {                                                                       \
                const T *x = ROW(T, c, i, at);                                                                         \
                const I row = (I)i;                                                                                    \
                ACROSS(m, const T y = x[j]; const T z = a[j]; const bool wins = (y BETTER z) | ((y != y) & (z == z));  \
                       a[j] = wins ? y : z; where[j] = wins ? row : where[j]);                                         \
            }                                                                                                          \
            if (c->out) memcpy((T *)c->out + at, a, (size_t)m * sizeof(T));                                            \
            for (int64_t j = 0; j < m; j++) c->index[at + j] = where[j];                                               \
        }                                                                                                              \
    }

/* Two passes in doubles: the mean, then squared deviations. */
#define DEFINE_SPREAD(name, T, EXPR)                                                                                   \
    static void name##_##T(const gd_columns *c) {                                                                      \
        const double n = (double)c->n, left = n - c->p > 0 ? n - c->p : 0;                                             \
        for (int64_t at = 0; at < c->width; at += TILE) {                                                              \
            const int64_t m = c->width - at < TILE ? c->width - at : TILE;                                             \
            double mean[TILE] = {0}, a[TILE] = {0};                                                                    \
            for (int64_t i = 0; i < c->n; i++) {                                                                       \
                const T *x = ROW(T, c, i, at);                                                                         \
                ACROSS(m, mean[j] += (double)x[j]);                                                                    \
            }                                                                                                          \
            ACROSS(m, mean[j] /= n);                                                                                   \
            for (int64_t i = 0; i < c->n; i++) {                                                                       \
                const T *x = ROW(T, c, i, at);                                                                         \
                ACROSS(m, const double d = (double)x[j] - mean[j]; a[j] += d * d);                                     \
            }                                                                                                          \
            for (int64_t j = 0; j < m; j++) ((T *)c->out)[at + j] = (T)(EXPR);                                         \
        }                                                                                                              \
    }

#define DEFINE_ALL(T, I)                                                                                               \
    DEFINE_FOLD(prod, T, a[j] * x[j])                                                                                  \
    DEFINE_FOLD(max, T, (x[j] > a[j]) | (x[j] != x[j]) ? x[j] : a[j])                                                  \
    DEFINE_FOLD(min, T, (x[j] < a[j]) | (x[j] != x[j]) ? x[j] : a[j])                                                  \
    DEFINE_PLACE(argmax, T, I, >)                                                                                      \
    DEFINE_PLACE(argmin, T, I, <)                                                                                      \
    DEFINE_SPREAD(var, T, a[j] / left)                                                                                 \
    DEFINE_SPREAD(std, T, sqrt(a[j] / left))
DEFINE_ALL(float, int32_t)
DEFINE_ALL(double, int64_t)

#define BOTH(name)                                                                                                     \
    { name##_float, name##_double }
const gd_column_table GD_ISA_NAME(gd_column_table) = {
    .runs = {[GD_R_PROD] = BOTH(prod),
             [GD_R_MAX] = BOTH(max),
             [GD_R_MIN] = BOTH(min),
             [GD_R_ARGMAX] = BOTH(argmax),
             [GD_R_ARGMIN] = BOTH(argmin),
             [GD_R_VAR] = BOTH(var),
             [GD_R_STD] = BOTH(std)},
};
