/* blas.c: finds OpenBLAS. It is loaded lazily, because its start costs milliseconds that small programs do not need. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels/blas.h"
#include "core/kernels/kernels.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static gd_blas functions;
static const gd_blas *loaded;

/* OpenBLAS picks its kernels once, by the CPU's model, and takes old ones for models newer than itself: tell it by
 * features instead. It reads the variables when it is loaded. */
static void choose_kernels(void) {
#if defined(__x86_64__)
    if (!getenv("OPENBLAS_CORETYPE")) {
        const char *core = NULL;
        if (gd_cpu_isa() == GD_ISA_AVX512)
            core = "SkylakeX";
        else if (gd_cpu_isa() == GD_ISA_AVX2)
            core = "Haswell";
        if (core) (void)setenv("OPENBLAS_CORETYPE", core, 1);
    }
#endif
    (void)setenv("OPENBLAS_NUM_THREADS", "1", 0);
}

static void load(void) {
    void (*set_threads)(int) = NULL;
    choose_kernels();
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    /* dlsym gives data pointers; ISO C has no cast from them to functions. */
    void *symbols[3] = {dlsym(library, "cblas_sgemm"), dlsym(library, "cblas_dgemm"),
                        dlsym(library, "openblas_set_num_threads")};
    memcpy(&functions.sgemm, &symbols[0], sizeof symbols[0]);
    memcpy(&functions.dgemm, &symbols[1], sizeof symbols[1]);
    memcpy(&set_threads, &symbols[2], sizeof symbols[2]);
    if (set_threads) set_threads(1); /* parallel work is the server's to share out */
    if (functions.sgemm && functions.dgemm) loaded = &functions;
}

const gd_blas *gd_blas_get(void) {
    (void)pthread_once(&once, load);
    return loaded;
}
