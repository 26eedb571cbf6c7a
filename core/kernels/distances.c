/* distances.c: the choice among the loops of distances. */
#include "core/kernels/distances.h"

gd_distance_loop gd_distances_of(gd_dtype dtype) {
    const gd_distance_loop *loops = gd_distances_baseline;
#if defined(__x86_64__)
    if (gd_cpu_isa() == GD_ISA_AVX2) loops = gd_distances_avx2;
    if (gd_cpu_isa() == GD_ISA_AVX512) loops = gd_distances_avx512;
#endif
    return loops[dtype == GD_FLOAT64];
}

gd_distance_finish gd_distances_finish_of(gd_dtype dtype) {
    const gd_distance_finish *loops = gd_distance_finish_baseline;
#if defined(__x86_64__)
    if (gd_cpu_isa() == GD_ISA_AVX2) loops = gd_distance_finish_avx2;
    if (gd_cpu_isa() == GD_ISA_AVX512) loops = gd_distance_finish_avx512;
#endif
    return loops[dtype == GD_FLOAT64];
}
