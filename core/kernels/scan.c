/* scan.c: kernels that work along one dimension and keep it: softmax and its kin, running sums, and products
 * of all but one. Sums are kept in double. */
#include <math.h>

#include "core/kernels/pointwise.h"
#include "core/kernels/reduce.h"

#define BLOCK 512

/* One line of a scan: elements `stride` apart (in elements). */
typedef struct line {
    void *out;
    const void *a, *b;
    int64_t n, stride;
    gd_loop exp;
} line;

/* Exponentials of n contiguous numbers, in place. */
static void exp_in_place(const line *l, void *numbers, int64_t n, int64_t width) {
    char *data[2] = {numbers, numbers};
    l->exp(data, (const int64_t[]){width, width}, n, NULL);
}

#define DEFINE_SCANS(T, LOG)                                                                    \
    static T line_max_##T(const line *l) {                                                      \
        const T *a = l->a;                                                                      \
        T best = a[0];                                                                          \
        for (int64_t i = 1; i < l->n; i++) {                                                    \
            const T x = a[i * l->stride];                                                       \
            best = x > best || x != x ? x : best;                                               \
        }                                                                                       \
        return best;                                                                            \
    }                                                                                           \
    /* The sum of exp(a - shift); the exponentials go to the output too if `keep`. */           \
    static double line_exp_##T(const line *l, T shift, bool keep) {                             \
        const T *a = l->a;                                                                      \
        T *out = l->out, block[BLOCK];                                                          \
        double sum = 0;                                                                         \
        for (int64_t at = 0; at < l->n; at += BLOCK) {                                          \
            const int64_t n = l->n - at < BLOCK ? l->n - at : BLOCK;                            \
            for (int64_t i = 0; i < n; i++) block[i] = a[(at + i) * l->stride] - shift;         \
            exp_in_place(l, block, n, (int64_t)sizeof(T));                                      \
            for (int64_t i = 0; i < n; i++) sum += (double)block[i];                            \
            for (int64_t i = 0; keep && i < n; i++) out[(at + i) * l->stride] = block[i];       \
        }                                                                                       \
        return sum;                                                                             \
    }                                                                                           \
    static void softmax_##T(const line *l) {                                                    \
        T *out = l->out;                                                                        \
        const T sum = (T)line_exp_##T(l, line_max_##T(l), true);                                \
        for (int64_t i = 0; i < l->n; i++) out[i * l->stride] /= sum;                           \
    }                                                                                           \
    static void log_softmax_##T(const line *l) {                                                \
        const T *a = l->a;                                                                      \
        T *out = l->out;                                                                        \
        const T shift = line_max_##T(l), logarithm = LOG((T)line_exp_##T(l, shift, false));     \
        for (int64_t i = 0; i < l->n; i++) out[i * l->stride] = a[i * l->stride] - shift - logarithm; \
    }                                                                                           \
    static void softmax_backward_##T(const line *l) {                                           \
        const T *g = l->a, *y = l->b;                                                           \
        T *out = l->out;                                                                        \
        double sum = 0;                                                                         \
        for (int64_t i = 0; i < l->n; i++) sum += (double)(g[i * l->stride] * y[i * l->stride]); \
        for (int64_t i = 0; i < l->n; i++) out[i * l->stride] = (g[i * l->stride] - (T)sum) * y[i * l->stride]; \
    }                                                                                           \
    static void log_softmax_backward_##T(const line *l) {                                       \
        const T *g = l->a, *y = l->b;                                                           \
        T *out = l->out, block[BLOCK];                                                          \
        double sum = 0;                                                                         \
        for (int64_t i = 0; i < l->n; i++) sum += (double)g[i * l->stride];                     \
        for (int64_t at = 0; at < l->n; at += BLOCK) {                                          \
            const int64_t n = l->n - at < BLOCK ? l->n - at : BLOCK;                            \
            for (int64_t i = 0; i < n; i++) block[i] = y[(at + i) * l->stride];                 \
            exp_in_place(l, block, n, (int64_t)sizeof(T));                                      \
            for (int64_t i = 0; i < n; i++)                                                     \
                out[(at + i) * l->stride] = g[(at + i) * l->stride] - block[i] * (T)sum;        \
        }                                                                                       \
    }                                                                                           \
    static void cumsum_##T(const line *l) {                                                     \
        const T *a = l->a;                                                                      \
        T *out = l->out;                                                                        \
        double sum = 0;                                                                         \
        for (int64_t i = 0; i < l->n; i++) out[i * l->stride] = (T)(sum += (double)a[i * l->stride]); \
    }                                                                                           \
    static void others_##T(char *out, const char *in, int64_t stride, int64_t n) {              \
        T left = 1, right = 1;                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                       \
            *(T *)(void *)(out + i * stride) = left;                                            \
            left *= *(const T *)(const void *)(in + i * stride);                                \
        }                                                                                       \
        for (int64_t i = n - 1; i >= 0; i--) {                                                  \
            *(T *)(void *)(out + i * stride) *= right;                                          \
            right *= *(const T *)(const void *)(in + i * stride);                               \
        }                                                                                       \
    }
DEFINE_SCANS(float, logf)
DEFINE_SCANS(double, log)

static void cumsum_int64(const line *l) {
    const int64_t *a = l->a;
    int64_t *out = l->out;
    uint64_t sum = 0; /* wraps as PyTorch's does */
    for (int64_t i = 0; i < l->n; i++) out[i * l->stride] = (int64_t)(sum += (uint64_t)a[i * l->stride]);
}

static void (*const scans[][2])(const line *) = {
    [GD_S_SOFTMAX] = {softmax_float, softmax_double},
    [GD_S_LOG_SOFTMAX] = {log_softmax_float, log_softmax_double},
    [GD_S_SOFTMAX_BACKWARD] = {softmax_backward_float, softmax_backward_double},
    [GD_S_LOG_SOFTMAX_BACKWARD] = {log_softmax_backward_float, log_softmax_backward_double},
    [GD_S_CUMSUM] = {cumsum_float, cumsum_double},
};

void gd_scan_along(gd_scan scan, gd_tensor *out, const gd_tensor *a, const gd_tensor *b, int dim) {
    if (out->numel == 0) return;
    gd_dtype dtype = (gd_dtype)a->dtype;
    int64_t width = (int64_t)gd_dtype_bytes(dtype), n = out->ndim ? out->sizes[dim] : 1, inner = 1;
    for (int d = dim + 1; d < out->ndim; d++) inner *= out->sizes[d];
    line l = {.n = n, .stride = inner, .exp = dtype == GD_INT64 ? NULL : gd_pointwise_loop(GD_K_EXP, dtype)};
    for (int64_t first = 0; first < out->numel; first += n * inner)
        for (int64_t k = first; k < first + inner; k++) {
            l.out = out->data + k * width;
            l.a = a->data + k * width;
            l.b = b ? b->data + k * width : NULL;
            if (dtype == GD_INT64)
                cumsum_int64(&l);
            else
                scans[scan][dtype == GD_FLOAT64](&l);
        }
}

void gd_products_of_others(gd_dtype dtype, char *out, const char *in, int64_t stride, int64_t n) {
    if (dtype == GD_FLOAT64)
        others_double(out, in, stride, n);
    else
        others_float(out, in, stride, n);
}
