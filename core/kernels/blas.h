/* blas.h: OpenBLAS, loaded at run time by the first product that gains from it. */
#ifndef GD_BLAS_H
#define GD_BLAS_H

enum { GD_BLAS_ROW_MAJOR = 101, GD_BLAS_PLAIN = 111, GD_BLAS_TRANSPOSED = 112 }; /* CBLAS's numbers */

typedef struct gd_blas {
    void (*sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
                  const float *b, int ldb, float beta, float *c, int ldc);
    void (*dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha, const double *a, int lda,
                  const double *b, int ldb, double beta, double *c, int ldc);
} gd_blas;

/* The library's functions, loaded by the first call; NULL if it cannot be had. Any thread. */
const gd_blas *gd_blas_get(void);

#endif
