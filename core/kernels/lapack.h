/* lapack.h: LAPACK, loaded at run time by the first op that needs it. Matrices are column by column, integers 32 bits.
 *
 * What is handed to it must have been checked: LAPACK prints and may stop the program over a wrong argument. */
#ifndef GD_LAPACK_H
#define GD_LAPACK_H

#include <stddef.h>

/* X(routine, its parameters). void * are elements: float for [0], double for [1]. The sizes at the ends are the lengths
 * of the character arguments, always 1, as Fortran passes them. */
#define GD_LAPACK_ROUTINES(X)                                                                                          \
    X(getrf, (const int *m, const int *n, void *a, const int *lda, int *pivots, int *info))                            \
    X(getrs, (const char *trans, const int *n, const int *nrhs, const void *a, const int *lda, const int *pivots,      \
              void *b, const int *ldb, int *info, size_t))                                                             \
    X(potrf, (const char *uplo, const int *n, void *a, const int *lda, int *info, size_t))                             \
    X(potrs, (const char *uplo, const int *n, const int *nrhs, const void *a, const int *lda, void *b, const int *ldb, \
              int *info, size_t))                                                                                      \
    X(potri, (const char *uplo, const int *n, void *a, const int *lda, int *info, size_t))                             \
    X(trsm,                                                                                                            \
      (const char *side, const char *uplo, const char *trans, const char *diag, const int *m, const int *n,            \
       const void *alpha, const void *a, const int *lda, void *b, const int *ldb, size_t, size_t, size_t, size_t))     \
    X(geqrf,                                                                                                           \
      (const int *m, const int *n, void *a, const int *lda, void *tau, void *work, const int *lwork, int *info))       \
    X(orgqr, (const int *m, const int *n, const int *k, void *a, const int *lda, const void *tau, void *work,          \
              const int *lwork, int *info))                                                                            \
    X(ormqr,                                                                                                           \
      (const char *side, const char *trans, const int *m, const int *n, const int *k, const void *a, const int *lda,   \
       const void *tau, void *c, const int *ldc, void *work, const int *lwork, int *info, size_t, size_t))             \
    X(gesdd, (const char *job, const int *m, const int *n, void *a, const int *lda, void *s, void *u, const int *ldu,  \
              void *vt, const int *ldvt, void *work, const int *lwork, int *iwork, int *info, size_t))                 \
    X(syevd, (const char *job, const char *uplo, const int *n, void *a, const int *lda, void *w, void *work,           \
              const int *lwork, int *iwork, const int *liwork, int *info, size_t, size_t))                             \
    X(syev, (const char *job, const char *uplo, const int *n, void *a, const int *lda, void *w, void *work,            \
             const int *lwork, int *info, size_t, size_t))                                                             \
    X(sytrf, (const char *uplo, const int *n, void *a, const int *lda, int *pivots, void *work, const int *lwork,      \
              int *info, size_t))                                                                                      \
    X(sytrs, (const char *uplo, const int *n, const int *nrhs, const void *a, const int *lda, const int *pivots,       \
              void *b, const int *ldb, int *info, size_t))                                                             \
    X(gels, (const char *trans, const int *m, const int *n, const int *nrhs, void *a, const int *lda, void *b,         \
             const int *ldb, void *work, const int *lwork, int *info, size_t))                                         \
    X(gelsy, (const int *m, const int *n, const int *nrhs, void *a, const int *lda, void *b, const int *ldb,           \
              int *jpvt, const void *rcond, int *rank, void *work, const int *lwork, int *info))                       \
    X(gelsd, (const int *m, const int *n, const int *nrhs, void *a, const int *lda, void *b, const int *ldb, void *s,  \
              const void *rcond, int *rank, void *work, const int *lwork, int *iwork, int *info))                      \
    X(gelss, (const int *m, const int *n, const int *nrhs, void *a, const int *lda, void *b, const int *ldb, void *s,  \
              const void *rcond, int *rank, void *work, const int *lwork, int *info))

typedef struct gd_lapack {
#define X(name, parameters) void(*name[2]) parameters;
    GD_LAPACK_ROUTINES(X)
#undef X
} gd_lapack;

/* The library's routines, loaded by the first call; NULL if it cannot be had. Any thread. */
const gd_lapack *gd_lapack_get(void);

#endif
