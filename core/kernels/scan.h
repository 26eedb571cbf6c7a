/* scan.h: what the driver of the scans and their inner loops, compiled once an instruction set, share. */
#ifndef GD_SCAN_H
#define GD_SCAN_H

#include "core/kernels/reduce.h"

/* A part of a scan: `n` steps along the dimension, `stride` elements apart, for `width` neighbouring lines. */
typedef struct gd_scan_part {
    void *out;
    const void *a, *b;
    int64_t n, stride, width;
    gd_loop exp; /* of the dtype */
} gd_scan_part;

/* The most lines of one part. */
#define GD_SCAN_WIDTH 64

typedef void (*gd_scan_loop)(const gd_scan_part *part);
/* [0: float32, 1: float64]. `line` takes parts whose lines lie in memory one after another (stride 1), `tile` any part.
 */
typedef struct gd_scan_table {
    gd_scan_loop line[GD_S_CUMSUM + 1][2], tile[GD_S_CUMSUM + 1][2];
} gd_scan_table;
extern const gd_scan_table gd_scan_table_baseline, gd_scan_table_avx2, gd_scan_table_avx512;

#endif
