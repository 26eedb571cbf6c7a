/* gemm.h: products of matrices and vectors over raw memory. All but tiny ones of floats run in
 * OpenBLAS, which is loaded when first needed and may be absent; the rest in own loops. Strides are in elements and may
 * be anything >= 0. */
#ifndef GD_GEMM_H
#define GD_GEMM_H

#include "core/tensor/tensor.h"

/* A matrix in memory: element (i, j) is at data[i * row + j * column]. */
typedef struct gd_matrix {
    const void *data;
    int64_t row, column;
} gd_matrix;

/* c (m x n, rows `ldc` elements apart, columns adjacent) = alpha a (m x k) b (k x n) + beta c. With beta 0, c is not
 * read. Integer dtypes take alpha and beta as whole numbers and wrap; bool is not supported. c overlaps neither a nor
 * b. Cannot fail. */
void gd_gemm(gd_dtype dtype, int64_t m, int64_t n, int64_t k, double alpha, gd_matrix a, gd_matrix b, double beta,
             void *c, int64_t ldc);
/* Is a product of this size faster if a matrix with neither rows nor columns adjacent is copied first? */
bool gd_gemm_large(gd_dtype dtype, int64_t m, int64_t n, int64_t k);
/* y (m, adjacent) = alpha a (m x k) x + beta y; x's elements are `step` apart. Otherwise as gd_gemm. */
void gd_gemv(gd_dtype dtype, int64_t m, int64_t k, double alpha, gd_matrix a, const void *x, int64_t step, double beta,
             void *y);
/* *out (one element) = the sum of x[i] y[i]. */
void gd_dot(gd_dtype dtype, int64_t n, const void *x, int64_t xstep, const void *y, int64_t ystep, void *out);

/* For gemm.c: the loops of gemm_simd.c, once for each instruction set. */
#define GD_GEMM_LOOPS(isa)                                                                                             \
    void gd_gemm_f32_##isa(int64_t m, int64_t n, int64_t k, float alpha, gd_matrix a, gd_matrix b, float beta,         \
                           float *c, int64_t ldc);                                                                     \
    void gd_gemm_f64_##isa(int64_t m, int64_t n, int64_t k, double alpha, gd_matrix a, gd_matrix b, double beta,       \
                           double *c, int64_t ldc);                                                                    \
    float gd_dot_f32_##isa(int64_t n, const float *x, const float *y);                                                 \
    double gd_dot_f64_##isa(int64_t n, const double *x, const double *y);                                              \
    void gd_axpy_f32_##isa(int64_t n, float alpha, const float *x, float *y);                                          \
    void gd_axpy_f64_##isa(int64_t n, double alpha, const double *x, double *y);
GD_GEMM_LOOPS(baseline)
GD_GEMM_LOOPS(avx2)
GD_GEMM_LOOPS(avx512)

#endif
