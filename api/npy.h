/* npy.h: NumPy's .npy format: the header of versions 1 to 3, for the dtypes f4 f8 i4 i8 u1 b1. */
#ifndef GD_API_NPY_H
#define GD_API_NPY_H

#include "core/gradd.h"

enum { GD_NPY_HEADER_MAX = 64 * 1024, GD_NPY_WRITE_MAX = 2048 };

typedef struct gd_npy {
    gd_dtype dtype;
    int ndim;
    int64_t sizes[GD_MAX_DIMS];
    bool fortran;        /* the first dimension runs fastest */
    bool swapped;        /* big-endian */
    size_t header_bytes; /* where the values begin */
} gd_npy;

typedef enum gd_npy_status { GD_NPY_OK, GD_NPY_MORE, GD_NPY_BAD } gd_npy_status;

bool gd_npy_knows(gd_dtype dtype); /* has the dtype a name in such files? bfloat16 has none */

/* Reads the header in the first n bytes of a file. GD_NPY_MORE: it goes on behind them (never beyond
 * GD_NPY_HEADER_MAX). GD_NPY_BAD: *why tells, static text. */
gd_npy_status gd_npy_read(const char *bytes, size_t n, gd_npy *out, const char **why);
/* Writes a version 1.0 header, padded so that values are aligned to 64 bytes; returns its length. */
size_t gd_npy_write(char out[GD_NPY_WRITE_MAX], gd_dtype dtype, int ndim, const int64_t *sizes);
/* Reverses the bytes of each of n elements. */
void gd_npy_swap(void *values, size_t n, size_t width);

#endif
