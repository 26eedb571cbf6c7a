/* version.c: what `gradd --version` prints: the version, and how and with what the binary was built. */
#include "core/gradd.h"
#include "server/options.h"

#include <jansson.h>
#include <microhttpd.h>
#include <uv.h>

#if defined __SANITIZE_ADDRESS__
#define SANITIZER ", address sanitizer"
#elif defined __SANITIZE_THREAD__
#define SANITIZER ", thread sanitizer"
#else
#define SANITIZER ""
#endif
#ifdef __OPTIMIZE__
#define OPTIMISED "optimised"
#else
#define OPTIMISED "not optimised"
#endif
#if defined __x86_64__
#define MACHINE "x86-64"
#elif defined __aarch64__
#define MACHINE "arm64"
#else
#define MACHINE "other"
#endif

void gd_options_print_version(FILE *out) {
    fprintf(out, "gradd %s\nbuilt for %s by compiler %s, C%ld, %s%s\n", GRADD_VERSION, MACHINE, __VERSION__,
            __STDC_VERSION__ / 100L % 100L, OPTIMISED, SANITIZER);
    fprintf(out, "libmicrohttpd %s, libuv %s, jansson %s\n", MHD_get_version(), uv_version_string(), JANSSON_VERSION);
}
