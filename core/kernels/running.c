/* running.c: running extremes, products and log-sum-exps. Lines that lie side by side are run through together, step by
 * step, so that memory is read in its order. */
#include "core/kernels/running.h"

#include <math.h>

enum { WIDTH = 64 }; /* lines run through together */

/* Lines of n steps, `inner` elements apart, of which `inner` lie side by side. */
typedef struct nest {
    int64_t n, inner, outer;
} nest;

static nest nest_of(const gd_tensor *t, int dim) {
    nest s = {.n = t->ndim ? t->sizes[dim] : 1, .inner = 1};
    for (int d = dim + 1; d < t->ndim; d++) s.inner *= t->sizes[d];
    s.outer = t->numel ? t->numel / (s.n * s.inner) : 0;
    return s;
}

/* ---- extremes ------------------------------------------------------------------------------------ */

#define DEFINE_EXTREME(tag, T, BEATS)                                                                                  \
    static void extreme_line_##tag(const T *in, T *to, int64_t *index, int64_t n) {                                    \
        T best = in[0];                                                                                                \
        int64_t where = 0;                                                                                             \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            if ((in[i] != in[i]) | (in[i] BEATS best)) {                                                               \
                best = in[i];                                                                                          \
                where = i;                                                                                             \
            }                                                                                                          \
            to[i] = best;                                                                                              \
            index[i] = where;                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void extreme_##tag(const void *from, void *to, int64_t *index, int64_t n, int64_t step, int64_t width) {    \
        if (step == 1) {                                                                                               \
            extreme_line_##tag(from, to, index, n);                                                                    \
            return;                                                                                                    \
        }                                                                                                              \
        T best[WIDTH];                                                                                                 \
        int64_t where[WIDTH] = {0};                                                                                    \
        for (int64_t j = 0; j < width; j++) best[j] = ((const T *)from)[j];                                            \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const T *in = (const T *)from + i * step;                                                                  \
            for (int64_t j = 0; j < width; j++) {                                                                      \
                const T x = in[j], y = best[j];                                                                        \
                const bool wins = (x != x) | (x BEATS y);                                                              \
                best[j] = wins ? x : y;                                                                                \
                where[j] = wins ? i : where[j];                                                                        \
                ((T *)to)[i * step + j] = best[j];                                                                     \
                index[i * step + j] = where[j];                                                                        \
            }                                                                                                          \
        }                                                                                                              \
    }
#define DEFINE_EXTREMES(tag, T) DEFINE_EXTREME(max_##tag, T, >=) DEFINE_EXTREME(min_##tag, T, <=)
DEFINE_EXTREMES(u8, uint8_t)
DEFINE_EXTREMES(i32, int32_t)
DEFINE_EXTREMES(i64, int64_t)
DEFINE_EXTREMES(f32, float)
DEFINE_EXTREMES(f64, double)

typedef void (*extreme_run)(const void *from, void *to, int64_t *index, int64_t n, int64_t step, int64_t width);
static const extreme_run extremes[GD_DTYPE_COUNT][2] = {
    [GD_UINT8] = {extreme_min_u8, extreme_max_u8},     [GD_INT32] = {extreme_min_i32, extreme_max_i32},
    [GD_INT64] = {extreme_min_i64, extreme_max_i64},   [GD_FLOAT32] = {extreme_min_f32, extreme_max_f32},
    [GD_FLOAT64] = {extreme_min_f64, extreme_max_f64}, [GD_BOOL] = {extreme_min_u8, extreme_max_u8},
};

void gd_running_extreme(gd_tensor *values, gd_tensor *indices, const gd_tensor *in, int dim, bool greatest) {
    nest s = nest_of(in, dim);
    int64_t bytes = (int64_t)gd_dtype_bytes((gd_dtype)in->dtype);
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t j = 0; j < s.inner; j += WIDTH) {
            int64_t at = o * s.n * s.inner + j, width = s.inner - j < WIDTH ? s.inner - j : WIDTH;
            extremes[in->dtype][greatest](in->data + at * bytes, values->data + at * bytes,
                                          (int64_t *)(void *)indices->data + at, s.n, s.inner, width);
        }
}

/* ---- scans --------------------------------------------------------------------------------------- */

/* log(exp(x) + exp(y)); NaN if either is. */
static inline double log_add(double x, double y) {
    double low = y != y || y < x ? y : x, high = y != y || y > x ? y : x;
    return low != high || isfinite(low) ? log1p(exp(low - high)) + high : x;
}

#define DEFINE_SCANS(tag, T)                                                                                           \
    static void product_##tag(T *out, const T *a, const T *b, int64_t n, int64_t step, int64_t width) {                \
        double acc[WIDTH], one = 1;                                                                                    \
        (void)b;                                                                                                       \
        if (step == 1) {                                                                                               \
            for (int64_t i = 0; i < n; i++) out[i] = (T)(one *= (double)a[i]);                                         \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t j = 0; j < width; j++) acc[j] = 1;                                                                \
        for (int64_t i = 0; i < n; i++, a += step, out += step)                                                        \
            for (int64_t j = 0; j < width; j++) out[j] = (T)(acc[j] *= (double)a[j]);                                  \
    }                                                                                                                  \
    static void log_sum_##tag(T *out, const T *a, const T *b, int64_t n, int64_t step, int64_t width) {                \
        double acc[WIDTH];                                                                                             \
        (void)b;                                                                                                       \
        for (int64_t j = 0; j < width; j++) acc[j] = -INFINITY;                                                        \
        for (int64_t i = 0; i < n; i++, a += step, out += step)                                                        \
            for (int64_t j = 0; j < width; j++) out[j] = (T)(acc[j] = log_add((double)a[j], acc[j]));                  \
    }                                                                                                                  \
    static void recurrence_##tag(T *out, const T *a, const T *b, int64_t n, int64_t step, int64_t width) {             \
        double acc[WIDTH] = {0}, factor[WIDTH] = {0};                                                                  \
        for (int64_t i = n - 1; i >= 0; i--)                                                                           \
            for (int64_t j = 0; j < width; j++) {                                                                      \
                acc[j] = (double)a[i * step + j] + (i < n - 1 ? factor[j] * acc[j] : 0);                               \
                factor[j] = (double)b[i * step + j];                                                                   \
                out[i * step + j] = (T)acc[j];                                                                         \
            }                                                                                                          \
    }                                                                                                                  \
    static void scan_##tag(gd_running what, T *out, const T *a, const T *b, const nest *s) {                           \
        for (int64_t o = 0; o < s->outer; o++)                                                                         \
            for (int64_t j = 0; j < s->inner; j += WIDTH) {                                                            \
                int64_t at = o * s->n * s->inner + j, width = s->inner - j < WIDTH ? s->inner - j : WIDTH;             \
                (what == GD_RUN_PRODUCT ? product_##tag                                                                \
                 : what == GD_RUN_LOG_SUM                                                                              \
                     ? log_sum_##tag                                                                                   \
                     : recurrence_##tag)(out + at, a + at, b ? b + at : NULL, s->n, s->inner, width);                  \
            }                                                                                                          \
    }
DEFINE_SCANS(f32, float)
DEFINE_SCANS(f64, double)

/* Integers wrap. */
static void products_i64(uint64_t *out, const uint64_t *a, const nest *s) {
    for (int64_t o = 0; o < s->outer; o++)
        for (int64_t i = 0; i < s->n; i++)
            for (int64_t j = 0; j < s->inner; j++) {
                int64_t at = (o * s->n + i) * s->inner + j;
                out[at] = i ? a[at] * out[at - s->inner] : a[at];
            }
}

void gd_running_scan(gd_running what, gd_tensor *out, const gd_tensor *a, const gd_tensor *b, int dim) {
    nest s = nest_of(a, dim);
    void *to = out->data;
    const void *x = a->data, *y = b ? b->data : NULL;
    if (a->dtype == GD_FLOAT64)
        scan_f64(what, to, x, y, &s);
    else if (a->dtype == GD_FLOAT32)
        scan_f32(what, to, x, y, &s);
    else
        products_i64(to, x, &s);
}
