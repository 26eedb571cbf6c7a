/* rows.c: which loops over rows fit this CPU. */
#include "core/kernels/rows.h"

const gd_row_table *gd_rows(void) {
#if defined(__x86_64__)
    if (gd_cpu_isa() == GD_ISA_AVX512) return &gd_row_table_avx512;
    if (gd_cpu_isa() == GD_ISA_AVX2) return &gd_row_table_avx2;
#endif
    return &gd_row_table_baseline;
}
