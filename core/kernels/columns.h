/* columns.h: reductions of columns that lie side by side, read row by row. */
#ifndef GD_COLUMNS_H
#define GD_COLUMNS_H

#include "core/kernels/reduce.h"

/* n > 0 rows, `row` bytes apart, of `width` adjacent elements. */
typedef struct gd_columns {
    const char *in;
    int64_t row, n, width;
    void *out;      /* width results of the element type; may be NULL for ARGMAX and ARGMIN */
    int64_t *index; /* ARGMAX, ARGMIN: width places */
    double p;       /* the variance's correction */
} gd_columns;

typedef void (*gd_column_run)(const gd_columns *c);
/* [reducer][0: float32, 1: float64]; NULL where there is none. */
typedef struct gd_column_table {
    gd_column_run runs[GD_R_COUNT][2];
} gd_column_table;
extern const gd_column_table gd_column_table_baseline, gd_column_table_avx2, gd_column_table_avx512;

/* Reduces as gd_reduce does if the plan is one of adjacent columns; false (and nothing done) if it is not. */
bool gd_reduce_columns(gd_reducer reducer, gd_tensor *out, gd_tensor *index, const gd_tensor *in,
                       const gd_reduce_plan *plan, double p);

#endif
