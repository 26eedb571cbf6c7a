/* grid.c: picks the loops of grid_simd.c for this CPU. */
#include "core/kernels/grid.h"

#include "core/kernels/kernels.h"

static const gd_grid_table *table(void) {
#if defined(__x86_64__)
    if (gd_cpu_isa() == GD_ISA_AVX512) return &gd_grid_table_avx512;
    if (gd_cpu_isa() == GD_ISA_AVX2) return &gd_grid_table_avx2;
#endif
    return &gd_grid_table_baseline;
}

gd_grid_read gd_grid_reader(gd_dtype dtype) { return table()->read[dtype == GD_FLOAT64]; }
gd_grid_slope gd_grid_sloper(gd_dtype dtype) { return table()->slope[dtype == GD_FLOAT64]; }
