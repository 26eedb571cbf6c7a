/* resample.c: the taps of each kind of window and interpolation, and the passes
 * that apply them (resample.h). */
#include "core/kernels/resample.h"

#include <math.h>
#include <string.h>

static int64_t at_most(int64_t v, int64_t most) { return v < most ? v : most; }
static int64_t at_least(int64_t v, int64_t least) { return v > least ? v : least; }
static int64_t within(int64_t v, int64_t n) { return at_most(at_least(v, 0), n - 1); }

/* ---- taps
 * ------------------------------------------------------------------------------------------------------
 */

static void average_tap(const gd_resample_dim *d, int64_t j, gd_tap *t) {
    int64_t start = j * d->stride - d->padding, end = at_most(start + d->kernel, d->in + d->padding);
    int64_t whole = end - start;
    t->n = 0;
    t->start = at_least(start, 0);
    t->end = at_most(end, d->in);
    double count = (double)(d->count_padding ? whole : t->end - t->start);
    t->weight[0] = d->divisor != 0 ? 1 / d->divisor : count > 0 ? 1 / count : 0;
}

static void adaptive_tap(const gd_resample_dim *d, int64_t j, gd_tap *t) {
    t->n = 0;
    t->start = (int64_t)((__int128)j * d->in / d->out);
    t->end = (int64_t)(((__int128)(j + 1) * d->in + d->out - 1) / d->out);
    t->weight[0] = 1 / (double)(t->end - t->start);
}

/* Input positions an output position is apart. */
static double step_of(const gd_resample_dim *d) {
    if (d->align_corners) return d->out > 1 ? (double)(d->in - 1) / (double)(d->out - 1) : 0;
    return d->scale > 0 ? 1 / d->scale : (double)d->in / (double)d->out;
}

/* In the element's precision and with the floor of floats, as PyTorch rounds.
 */
static void nearest_tap(const gd_resample_dim *d, gd_dtype dtype, double step, int64_t j, gd_tap *t) {
    double half = d->kind == GD_NEAREST_EXACT ? 0.5 : 0;
    float from = dtype == GD_FLOAT32 ? (float)step * ((float)j + (float)half) : (float)(step * ((double)j + half));
    t->n = 1;
    t->place[0] = from < (float)d->in ? within((int64_t)floorf(from), d->in) : d->in - 1;
    t->weight[0] = 1;
}

static double source_of(const gd_resample_dim *d, double step, int64_t j) {
    double from = d->align_corners ? step * (double)j : step * ((double)j + 0.5) - 0.5;
    return fmin(from, (double)d->in + 8); /* the places are cut to the last one anyway */
}

static void linear_tap(const gd_resample_dim *d, double step, int64_t j, gd_tap *t) {
    double from = fmax(source_of(d, step, j), 0);
    t->n = 2;
    t->place[0] = within((int64_t)from, d->in);
    t->place[1] = at_most(t->place[0] + 1, d->in - 1);
    t->weight[1] = fmin(fmax(from - (double)t->place[0], 0), 1);
    t->weight[0] = 1 - t->weight[1];
}

/* Cubic convolution with a = -3/4 (R. Keys, 1981). */
static void cubic_weights(double x, double *w) {
    const double a = -0.75, far = x + 1, y = 1 - x, beyond = y + 1;
    w[0] = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a;
    w[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
    w[2] = ((a + 2) * y - (a + 3)) * y * y + 1;
    w[3] = ((a * beyond - 5 * a) * beyond + 8 * a) * beyond - 4 * a;
}

static void cubic_tap(const gd_resample_dim *d, double step, int64_t j, gd_tap *t) {
    double from = source_of(d, step, j), whole = floor(from);
    t->n = 4;
    cubic_weights(from - whole, t->weight);
    for (int k = 0; k < 4; k++) t->place[k] = within((int64_t)whole - 1 + k, d->in);
}

void gd_resample_taps(const gd_resample_dim *d, gd_dtype dtype, gd_tap *taps) {
    double step = d->kind >= GD_NEAREST && d->out > 0 ? step_of(d) : 0;
    for (int64_t j = 0; j < d->out; j++) switch (d->kind) {
        case GD_AVERAGE: average_tap(d, j, &taps[j]); break;
        case GD_ADAPTIVE: adaptive_tap(d, j, &taps[j]); break;
        case GD_NEAREST:
        case GD_NEAREST_EXACT: nearest_tap(d, dtype, step, j, &taps[j]); break;
        case GD_LINEAR: linear_tap(d, step, j, &taps[j]); break;
        case GD_CUBIC: cubic_tap(d, step, j, &taps[j]); break;
        }
}

/* ---- passes
 * ----------------------------------------------------------------------------------------------------
 */

#define PASSES(T)                                                                                                      \
    static T one_##T(const gd_tap *t, const T *x) {                                                                    \
        T sum = 0;                                                                                                     \
        for (int64_t k = t->start; t->n == 0 && k < t->end; k++) sum += x[k];                                          \
        if (t->n == 0) return sum * (T)t->weight[0];                                                                   \
        for (int64_t k = 0; k < t->n; k++) sum += (T)t->weight[k] * x[t->place[k]];                                    \
        return sum;                                                                                                    \
    }                                                                                                                  \
    static void add_##T(int64_t n, T weight, const T *restrict from, T *restrict to) {                                 \
        for (int64_t i = 0; i < n; i++) to[i] += weight * from[i];                                                     \
    }                                                                                                                  \
    static void apply_##T(const gd_tap *taps, int64_t outer, int64_t in, int64_t out, int64_t inner, const T *x,       \
                          T *y) {                                                                                      \
        if (inner != 1) memset(y, 0, (size_t)(outer * out * inner) * sizeof(T));                                       \
        for (int64_t o = 0; o < outer; o++, x += in * inner)                                                           \
            for (int64_t j = 0; j < out; j++, y += inner) {                                                            \
                const gd_tap *t = &taps[j];                                                                            \
                if (inner == 1) {                                                                                      \
                    *y = one_##T(t, x);                                                                                \
                    continue;                                                                                          \
                }                                                                                                      \
                for (int64_t k = t->start; t->n == 0 && k < t->end; k++)                                               \
                    add_##T(inner, (T)t->weight[0], x + k * inner, y);                                                 \
                for (int64_t k = 0; k < t->n; k++) add_##T(inner, (T)t->weight[k], x + t->place[k] * inner, y);        \
            }                                                                                                          \
    }                                                                                                                  \
    static void adjoint_##T(const gd_tap *taps, int64_t outer, int64_t in, int64_t out, int64_t inner, T *x,           \
                            const T *y) {                                                                              \
        memset(x, 0, (size_t)(outer * in * inner) * sizeof(T));                                                        \
        for (int64_t o = 0; o < outer; o++, x += in * inner)                                                           \
            for (int64_t j = 0; j < out; j++, y += inner) {                                                            \
                const gd_tap *t = &taps[j];                                                                            \
                for (int64_t k = t->start; t->n == 0 && k < t->end; k++)                                               \
                    add_##T(inner, (T)t->weight[0], y, x + k * inner);                                                 \
                for (int64_t k = 0; k < t->n; k++) add_##T(inner, (T)t->weight[k], y, x + t->place[k] * inner);        \
            }                                                                                                          \
    }
PASSES(float)
PASSES(double)

void gd_resample_apply(gd_dtype dtype, const gd_tap *taps, int64_t outer, int64_t in, int64_t out, int64_t inner,
                       const void *x, void *y) {
    if (dtype == GD_FLOAT32)
        apply_float(taps, outer, in, out, inner, x, y);
    else
        apply_double(taps, outer, in, out, inner, x, y);
}

void gd_resample_adjoint(gd_dtype dtype, const gd_tap *taps, int64_t outer, int64_t in, int64_t out, int64_t inner,
                         void *x, const void *y) {
    if (dtype == GD_FLOAT32)
        adjoint_float(taps, outer, in, out, inner, x, y);
    else
        adjoint_double(taps, outer, in, out, inner, x, y);
}
