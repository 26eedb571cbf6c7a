/* columns.c: which reductions are of columns that lie side by side, and the walk over the other dimensions. */
#include "core/kernels/columns.h"

static const gd_column_table *table(void) {
#if defined(__x86_64__)
    if (gd_cpu_isa() == GD_ISA_AVX512) return &gd_column_table_avx512;
    if (gd_cpu_isa() == GD_ISA_AVX2) return &gd_column_table_avx2;
#endif
    return &gd_column_table_baseline;
}

enum { NARROWEST = 8 }; /* fewer columns are no faster together */

/* One reduced dimension, and kept neighbours that are neighbours in the output too. */
static bool fits(const gd_reduce_plan *p, int64_t bytes) {
    return p->nreduced == 1 && p->ndim >= 2 && p->dims[0].in != bytes && p->dims[0].size > 0 &&
           p->dims[0].size < INT32_MAX && p->dims[1].in == bytes && p->dims[1].out == 1 && p->dims[1].size >= NARROWEST;
}

bool gd_reduce_columns(gd_reducer reducer, gd_tensor *out, gd_tensor *index, const gd_tensor *in,
                       const gd_reduce_plan *plan, double p) {
    const int64_t bytes = (int64_t)gd_dtype_bytes((gd_dtype)in->dtype);
    if (!gd_dtype_is_float((gd_dtype)in->dtype) || in->numel == 0 || !fits(plan, bytes)) return false;
    if (out && out->dtype != in->dtype) return false;
    const gd_column_run run = table()->runs[reducer][in->dtype == GD_FLOAT64];
    if (!run) return false;
    int64_t places[GD_MAX_DIMS] = {0}, at = 0;
    gd_columns c = {
        .in = in->data, .row = plan->dims[0].in, .n = plan->dims[0].size, .width = plan->dims[1].size, .p = p};
    for (;;) {
        c.out = out ? out->data + at * bytes : NULL;
        c.index = index ? (int64_t *)(void *)index->data + at : NULL;
        run(&c);
        int d = 2;
        for (; d < plan->ndim; d++) {
            c.in += plan->dims[d].in;
            at += plan->dims[d].out;
            if (++places[d] < plan->dims[d].size) break;
            c.in -= plan->dims[d].in * plan->dims[d].size;
            at -= plan->dims[d].out * plan->dims[d].size;
            places[d] = 0;
        }
        if (d == plan->ndim) return true;
    }
}
