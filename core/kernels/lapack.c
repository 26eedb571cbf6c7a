/* lapack.c: finds LAPACK's routines, in OpenBLAS or beside it. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/kernels/blas.h"
#include "core/kernels/lapack.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static gd_lapack routines;
static const gd_lapack *loaded;

/* Reads the routine `name` for both types into slots (two function pointers). */
static bool find(void *library, const char *name, void *slots) {
    static const char types[2] = {'s', 'd'};
    for (size_t i = 0; i < 2; i++) {
        char symbol[16];
        snprintf(symbol, sizeof symbol, "%c%s_", types[i], name);
        void *found = dlsym(library, symbol);
        if (!found) return false;
        memcpy((char *)slots + i * sizeof found, &found, sizeof found); /* ISO C has no cast from data to functions */
    }
    return true;
}

static bool find_all(const char *file) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
#define X(name, parameters)                                                                                            \
    if (!find(library, #name, &routines.name)) return false;
    GD_LAPACK_ROUTINES(X)
#undef X
    return true;
}

static void load(void) {
    (void)gd_blas_get(); /* tells OpenBLAS which kernels to pick before it is loaded */
    if (find_all("libopenblas.so.0") || find_all("liblapack.so.3")) loaded = &routines;
}

const gd_lapack *gd_lapack_get(void) {
    (void)pthread_once(&once, load);
    return loaded;
}
