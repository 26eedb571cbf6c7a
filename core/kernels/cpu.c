/* cpu.c: which instruction set the kernels use on this machine. */
#include "core/kernels/kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static gd_isa detect(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return GD_ISA_BASELINE;
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return wide ? GD_ISA_AVX512 : GD_ISA_AVX2;
#else
    return GD_ISA_BASELINE;
#endif
}

/* GRADD_CPU can only lower the choice: a set the machine lacks would stop the process. */
static gd_isa choose(void) {
    gd_isa best = detect();
    const char *wish = getenv("GRADD_CPU");
    if (!wish) return best;
    gd_isa wanted = best;
    if (!strcmp(wish, "baseline")) wanted = GD_ISA_BASELINE;
    if (!strcmp(wish, "avx2")) wanted = GD_ISA_AVX2;
    return wanted < best ? wanted : best;
}

gd_isa gd_cpu_isa(void) {
    static _Atomic int chosen = -1;
    int isa = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (isa < 0) {
        isa = (int)choose(); /* two threads may both get here; they agree */
        atomic_store_explicit(&chosen, isa, memory_order_relaxed);
    }
    return (gd_isa)isa;
}
