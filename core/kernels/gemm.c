/* gemm.c: chooses the loop for a product: OpenBLAS for floats if it can be had, own loops else and for the rest. */
#include <limits.h>
#include <string.h>

#include "core/kernels/blas.h"
#include "core/kernels/gemm.h"
#include "core/kernels/kernels.h"

/* From here on OpenBLAS wins over plain loops, and it wins over the own kernel at every size (measured: 0.1 to 0.8 of
 * its time), which is there for where OpenBLAS is not and for layouts that it does not take. The choice depends on
 * sizes only, so that a product always gives the same bits. */
#define BLAS_WORK 256.0
/* From here on a matrix that OpenBLAS cannot read as it lies is copied for it. */
#define LARGE_WORK (64.0 * 64.0 * 64.0)
/* Below this the own kernel's packing costs more than it saves. */
#define TINY_WORK 512.0

#if defined(__x86_64__)
#define CALL(name, ...)                                                                                                \
    (gd_cpu_isa() == GD_ISA_AVX512 ? name##_avx512(__VA_ARGS__)                                                        \
     : gd_cpu_isa() == GD_ISA_AVX2 ? name##_avx2(__VA_ARGS__)                                                          \
                                   : name##_baseline(__VA_ARGS__))
#else
#define CALL(name, ...) name##_baseline(__VA_ARGS__)
#endif

static double work(int64_t m, int64_t n, int64_t k) { return (double)m * (double)n * (double)k; }

bool gd_gemm_large(gd_dtype dtype, int64_t m, int64_t n, int64_t k) {
    return gd_dtype_is_float(dtype) && m > 1 && n > 1 && work(m, n, k) > LARGE_WORK;
}

/* ---- plain loops --------------------------------------------------------------------------- */

/* Any strides; sums in `sum`, which wraps for integers. */
#define PLAIN(type, sum, suffix)                                                                                       \
    static void plain_##suffix(int64_t m, int64_t n, int64_t k, sum alpha, gd_matrix a, gd_matrix b, sum beta,         \
                               type *c, int64_t ldc) {                                                                 \
        const type *pa = a.data, *pb = b.data;                                                                         \
        for (int64_t i = 0; i < m; i++)                                                                                \
            for (int64_t j = 0; j < n; j++) {                                                                          \
                sum total = 0;                                                                                         \
                for (int64_t d = 0; d < k; d++)                                                                        \
                    total += (sum)pa[i * a.row + d * a.column] * (sum)pb[d * b.row + j * b.column];                    \
                type *to = c + i * ldc + j;                                                                            \
                *to = (type)(alpha * total + (beta != 0 ? beta * (sum)*to : 0));                                       \
            }                                                                                                          \
    }
PLAIN(float, float, f32)
PLAIN(double, double, f64)
PLAIN(int64_t, uint64_t, i64)
PLAIN(int32_t, uint64_t, i32)
PLAIN(uint8_t, uint64_t, u8)

/* ---- OpenBLAS ------------------------------------------------------------------------------ */

/* How CBLAS takes a matrix of rows x columns: plain or transposed, and its leading dimension; false if neither fits. */
static bool blas_layout(gd_matrix x, int64_t rows, int64_t columns, int *trans, int *lead) {
    bool plain = (x.column == 1 || columns == 1) && (rows == 1 || x.row >= columns);
    bool turned = (x.row == 1 || rows == 1) && (columns == 1 || x.column >= rows);
    int64_t step = plain ? (rows == 1 ? columns : x.row) : columns == 1 ? rows : x.column;
    *trans = plain ? GD_BLAS_PLAIN : GD_BLAS_TRANSPOSED;
    *lead = (int)step;
    return (plain || turned) && step <= INT_MAX;
}

static bool blas_gemm(gd_dtype dtype, int64_t m, int64_t n, int64_t k, double alpha, gd_matrix a, gd_matrix b,
                      double beta, void *c, int64_t ldc) {
    int ta, tb, lda, ldb;
    if (work(m, n, k) < BLAS_WORK || m > INT_MAX || n > INT_MAX || k > INT_MAX) return false;
    if (!blas_layout(a, m, k, &ta, &lda) || !blas_layout(b, k, n, &tb, &ldb) || ldc > INT_MAX) return false;
    const gd_blas *blas = gd_blas_get();
    if (!blas) return false;
    if (dtype == GD_FLOAT32)
        blas->sgemm(GD_BLAS_ROW_MAJOR, ta, tb, (int)m, (int)n, (int)k, (float)alpha, a.data, lda, b.data, ldb,
                    (float)beta, c, (int)ldc);
    else
        blas->dgemm(GD_BLAS_ROW_MAJOR, ta, tb, (int)m, (int)n, (int)k, alpha, a.data, lda, b.data, ldb, beta, c,
                    (int)ldc);
    return true;
}

/* ---- vectors ------------------------------------------------------------------------------- */

#define DOT(type, sum, suffix)                                                                                         \
    static type dot_##suffix(int64_t n, const type *x, int64_t xstep, const type *y, int64_t ystep) {                  \
        sum total = 0;                                                                                                 \
        for (int64_t i = 0; i < n; i++) total += (sum)x[i * xstep] * (sum)y[i * ystep];                                \
        return (type)total;                                                                                            \
    }
DOT(float, float, f32)
DOT(double, double, f64)
DOT(int64_t, uint64_t, i64)
DOT(int32_t, uint64_t, i32)
DOT(uint8_t, uint64_t, u8)

static float any_dot_f32(int64_t n, const float *x, int64_t xstep, const float *y, int64_t ystep) {
    return xstep == 1 && ystep == 1 ? CALL(gd_dot_f32, n, x, y) : dot_f32(n, x, xstep, y, ystep);
}
static double any_dot_f64(int64_t n, const double *x, int64_t xstep, const double *y, int64_t ystep) {
    return xstep == 1 && ystep == 1 ? CALL(gd_dot_f64, n, x, y) : dot_f64(n, x, xstep, y, ystep);
}

void gd_dot(gd_dtype dtype, int64_t n, const void *x, int64_t xstep, const void *y, int64_t ystep, void *out) {
    switch (dtype) {
    case GD_FLOAT32: *(float *)out = any_dot_f32(n, x, xstep, y, ystep); break;
    case GD_FLOAT64: *(double *)out = any_dot_f64(n, x, xstep, y, ystep); break;
    case GD_INT64: *(int64_t *)out = dot_i64(n, x, xstep, y, ystep); break;
    case GD_INT32: *(int32_t *)out = dot_i32(n, x, xstep, y, ystep); break;
    default: *(uint8_t *)out = dot_u8(n, x, xstep, y, ystep); break;
    }
}

/* Rows adjacent in memory: a dot product a row. Columns adjacent: one column after the other is added. */
#define GEMV(type, suffix)                                                                                             \
    static void gemv_##suffix(int64_t m, int64_t k, type alpha, gd_matrix a, const type *x, int64_t step, type beta,   \
                              type *y) {                                                                               \
        const type *pa = a.data;                                                                                       \
        if (a.row != 1 || a.column == 1) {                                                                             \
            for (int64_t i = 0; i < m; i++) {                                                                          \
                type total = any_dot_##suffix(k, pa + i * a.row, a.column, x, step);                                   \
                y[i] = alpha * total + (beta != 0 ? beta * y[i] : 0);                                                  \
            }                                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t i = 0; i < m; i++) y[i] = beta != 0 ? beta * y[i] : 0;                                            \
        for (int64_t j = 0; j < k; j++) CALL(gd_axpy_##suffix, m, alpha *x[j * step], pa + j * a.column, y);           \
    }
GEMV(float, f32)
GEMV(double, f64)

void gd_gemv(gd_dtype dtype, int64_t m, int64_t k, double alpha, gd_matrix a, const void *x, int64_t step, double beta,
             void *y) {
    gd_matrix column = {x, step, 1};
    if (dtype == GD_FLOAT32)
        gemv_f32(m, k, (float)alpha, a, x, step, (float)beta, y);
    else if (dtype == GD_FLOAT64)
        gemv_f64(m, k, alpha, a, x, step, beta, y);
    else
        gd_gemm(dtype, m, 1, k, alpha, a, column, beta, y, 1);
}

/* ---- the choice ---------------------------------------------------------------------------- */

static void integer_gemm(gd_dtype dtype, int64_t m, int64_t n, int64_t k, double alpha, gd_matrix a, gd_matrix b,
                         double beta, void *c, int64_t ldc) {
    uint64_t x = (uint64_t)(int64_t)alpha, y = (uint64_t)(int64_t)beta;
    if (dtype == GD_INT64)
        plain_i64(m, n, k, x, a, b, y, c, ldc);
    else if (dtype == GD_INT32)
        plain_i32(m, n, k, x, a, b, y, c, ldc);
    else
        plain_u8(m, n, k, x, a, b, y, c, ldc);
}

/* k = 0: c = beta c. */
static void float_gemm(gd_dtype dtype, int64_t m, int64_t n, int64_t k, double alpha, gd_matrix a, gd_matrix b,
                       double beta, void *c, int64_t ldc) {
    bool tiny = k == 0 || work(m, n, k) < TINY_WORK, single = dtype == GD_FLOAT32;
    if (tiny && single)
        plain_f32(m, n, k, (float)alpha, a, b, (float)beta, c, ldc);
    else if (tiny)
        plain_f64(m, n, k, alpha, a, b, beta, c, ldc);
    else if (single)
        CALL(gd_gemm_f32, m, n, k, (float)alpha, a, b, (float)beta, c, ldc);
    else
        CALL(gd_gemm_f64, m, n, k, alpha, a, b, beta, c, ldc);
}

void gd_gemm(gd_dtype dtype, int64_t m, int64_t n, int64_t k, double alpha, gd_matrix a, gd_matrix b, double beta,
             void *c, int64_t ldc) {
    if (m == 0 || n == 0) return;
    if (!gd_dtype_is_float(dtype)) {
        integer_gemm(dtype, m, n, k, alpha, a, b, beta, c, ldc);
    } else if (n == 1 && ldc == 1) {
        gd_gemv(dtype, m, k, alpha, a, b.data, b.row, beta, c);
    } else if (m == 1) { /* the row vector a times b: b transposed times a */
        gd_gemv(dtype, n, k, alpha, (gd_matrix){b.data, b.column, b.row}, a.data, a.column, beta, c);
    } else if (!blas_gemm(dtype, m, n, k, alpha, a, b, beta, c, ldc)) {
        float_gemm(dtype, m, n, k, alpha, a, b, beta, c, ldc);
    }
}
