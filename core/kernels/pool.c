/* pool.c: the greatest elements of windows (pool.h). */
#include "core/kernels/pool.h"

#define MAX_WINDOWS(T)                                                                                                 \
    static void max_of_##T(const gd_windows *w, const int64_t *at, const T *x, T *y, int64_t *index) {                 \
        const int64_t rows = w[1].in, columns = w[2].in, z0 = w[0].start[at[0]], y0 = w[1].start[at[1]];               \
        int64_t best = (z0 * rows + y0) * columns + w[2].start[at[2]];                                                 \
        T greatest = x[best];                                                                                          \
        for (int64_t i = z0; i < w[0].end[at[0]]; i += w[0].step)                                                      \
            for (int64_t j = y0; j < w[1].end[at[1]]; j += w[1].step)                                                  \
                for (int64_t k = w[2].start[at[2]]; k < w[2].end[at[2]]; k += w[2].step) {                             \
                    const int64_t here = (i * rows + j) * columns + k;                                                 \
                    if (x[here] > greatest || x[here] != x[here]) greatest = x[here], best = here;                     \
                }                                                                                                      \
        *y = greatest;                                                                                                 \
        *index = best;                                                                                                 \
    }                                                                                                                  \
    static void max_windows_##T(int64_t planes, const gd_windows *w, const T *x, T *y, int64_t *index) {               \
        const int64_t plane = w[0].in * w[1].in * w[2].in;                                                             \
        for (int64_t p = 0; p < planes; p++, x += plane)                                                               \
            for (int64_t i = 0; i < w[0].out; i++)                                                                     \
                for (int64_t j = 0; j < w[1].out; j++)                                                                 \
                    for (int64_t k = 0; k < w[2].out; k++) max_of_##T(w, (const int64_t[]){i, j, k}, x, y++, index++); \
    }
MAX_WINDOWS(float)
MAX_WINDOWS(double)

void gd_max_windows(gd_dtype dtype, int64_t planes, const gd_windows *w, const void *x, void *y, int64_t *index) {
    if (dtype == GD_FLOAT32)
        max_windows_float(planes, w, x, y, index);
    else
        max_windows_double(planes, w, x, y, index);
}
