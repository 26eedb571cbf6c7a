/* loops.h: the shapes of inner loops. An includer gives an expression over a, b, c (the inputs' elements)
 * and x (the extra numbers) and gets a gd_loop.
 *
 * Contiguous runs, and runs with one broadcast scalar, have branches of their own, which the compiler
 * vectorises. An output may be one of the inputs: element i is read before it is written, and partial overlap
 * is excluded by the callers, which is what the ivdep pragmas promise.
 */
#ifndef GD_LOOPS_H
#define GD_LOOPS_H

#include "core/kernels/kernels.h"

#define GD_IVDEP _Pragma("GCC ivdep")
#define GD_IN(T, p) ((const T *)(const void *)(p))
#define GD_OUT(T, p) ((T *)(void *)(p))

/* One input. */
#define GD_LOOP1(name, TO, T, EXPR)                                                                                    \
    static void name(char *const *data, const int64_t *st, int64_t n, const void *extra) {                             \
        const T *x = extra;                                                                                            \
        (void)x;                                                                                                       \
        if (st[0] == (int64_t)sizeof(TO) && st[1] == (int64_t)sizeof(T)) {                                             \
            TO *d = GD_OUT(TO, data[0]);                                                                               \
            const T *p = GD_IN(T, data[1]);                                                                            \
            GD_IVDEP for (int64_t i = 0; i < n; i++) {                                                                 \
                const T a = p[i];                                                                                      \
                d[i] = (TO)(EXPR);                                                                                     \
            }                                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        char *d = data[0];                                                                                             \
        const char *p = data[1];                                                                                       \
        for (int64_t i = 0; i < n; i++, d += st[0], p += st[1]) {                                                      \
            const T a = *GD_IN(T, p);                                                                                  \
            *GD_OUT(TO, d) = (TO)(EXPR);                                                                               \
        }                                                                                                              \
    }

/* Two inputs of one type. STREAM is run first in each contiguous branch (simd.h), or nothing. */
#define GD_LOOP2_WITH(name, TO, T, EXPR, STREAM)                                                                       \
    static void name(char *const *data, const int64_t *st, int64_t n, const void *extra) {                             \
        const T *x = extra;                                                                                            \
        (void)x;                                                                                                       \
        const int64_t s = (int64_t)sizeof(T);                                                                          \
        int64_t i = 0;                                                                                                 \
        if (st[0] == (int64_t)sizeof(TO)) {                                                                            \
            TO *d = GD_OUT(TO, data[0]);                                                                               \
            const T *p = GD_IN(T, data[1]), *q = GD_IN(T, data[2]);                                                    \
            if (st[1] == s && st[2] == s) {                                                                            \
                STREAM(T, GD_LOAD(T, p + i), GD_LOAD(T, q + i), EXPR)                                                  \
                GD_IVDEP for (; i < n; i++) {                                                                          \
                    const T a = p[i], b = q[i];                                                                        \
                    d[i] = (TO)(EXPR);                                                                                 \
                }                                                                                                      \
                return;                                                                                                \
            }                                                                                                          \
            if (st[1] == s && st[2] == 0) {                                                                            \
                const T b = *q;                                                                                        \
                STREAM(T, GD_LOAD(T, p + i), GD_SPLAT(T, *q), EXPR)                                                    \
                GD_IVDEP for (; i < n; i++) {                                                                          \
                    const T a = p[i];                                                                                  \
                    d[i] = (TO)(EXPR);                                                                                 \
                }                                                                                                      \
                return;                                                                                                \
            }                                                                                                          \
            if (st[1] == 0 && st[2] == s) {                                                                            \
                const T a = *p;                                                                                        \
                STREAM(T, GD_SPLAT(T, *p), GD_LOAD(T, q + i), EXPR)                                                    \
                GD_IVDEP for (; i < n; i++) {                                                                          \
                    const T b = q[i];                                                                                  \
                    d[i] = (TO)(EXPR);                                                                                 \
                }                                                                                                      \
                return;                                                                                                \
            }                                                                                                          \
        }                                                                                                              \
        char *d = data[0];                                                                                             \
        const char *p = data[1], *q = data[2];                                                                         \
        for (; i < n; i++, d += st[0], p += st[1], q += st[2]) {                                                       \
            const T a = *GD_IN(T, p), b = *GD_IN(T, q);                                                                \
            *GD_OUT(TO, d) = (TO)(EXPR);                                                                               \
        }                                                                                                              \
    }
#define GD_NO_STREAM(T, va, vb, EXPR)
#define GD_LOOP2(name, TO, T, EXPR) GD_LOOP2_WITH(name, TO, T, EXPR, GD_NO_STREAM)

/* Three inputs, the first of type TC. Broadcast scalars as second or third have their branches. */
#define GD_LOOP3(name, TC, T, EXPR)                                                                                    \
    static void name(char *const *data, const int64_t *st, int64_t n, const void *extra) {                             \
        const T *x = extra;                                                                                            \
        (void)x;                                                                                                       \
        const int64_t s = (int64_t)sizeof(T);                                                                          \
        if (st[0] == s && st[1] == (int64_t)sizeof(TC)) {                                                              \
            T *d = GD_OUT(T, data[0]);                                                                                 \
            const TC *p = GD_IN(TC, data[1]);                                                                          \
            const T *q = GD_IN(T, data[2]), *r = GD_IN(T, data[3]);                                                    \
            if (st[2] == s && st[3] == s) {                                                                            \
                GD_IVDEP for (int64_t i = 0; i < n; i++) {                                                             \
                    const TC a = p[i];                                                                                 \
                    const T b = q[i], c = r[i];                                                                        \
                    d[i] = (T)(EXPR);                                                                                  \
                }                                                                                                      \
                return;                                                                                                \
            }                                                                                                          \
            if (st[2] == s && st[3] == 0) {                                                                            \
                const T c = *r;                                                                                        \
                GD_IVDEP for (int64_t i = 0; i < n; i++) {                                                             \
                    const TC a = p[i];                                                                                 \
                    const T b = q[i];                                                                                  \
                    d[i] = (T)(EXPR);                                                                                  \
                }                                                                                                      \
                return;                                                                                                \
            }                                                                                                          \
            if (st[2] == 0 && st[3] == s) {                                                                            \
                const T b = *q;                                                                                        \
                GD_IVDEP for (int64_t i = 0; i < n; i++) {                                                             \
                    const TC a = p[i];                                                                                 \
                    const T c = r[i];                                                                                  \
                    d[i] = (T)(EXPR);                                                                                  \
                }                                                                                                      \
                return;                                                                                                \
            }                                                                                                          \
        }                                                                                                              \
        char *d = data[0];                                                                                             \
        const char *p = data[1], *q = data[2], *r = data[3];                                                           \
        for (int64_t i = 0; i < n; i++, d += st[0], p += st[1], q += st[2], r += st[3]) {                              \
            const TC a = *GD_IN(TC, p);                                                                                \
            const T b = *GD_IN(T, q), c = *GD_IN(T, r);                                                                \
            *GD_OUT(T, d) = (T)(EXPR);                                                                                 \
        }                                                                                                              \
    }

#endif
