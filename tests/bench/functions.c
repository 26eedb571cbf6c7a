/* functions.c: stored functions within the process: one large pass beside a loop written by hand, small functions on
 * one thread and on two, and how long compiling takes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/function/function.h"
#include "tests/bench/bench.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static gd_functions *registry;

static gd_function *stored(const char *name, const char *source) {
    gd_function_text text = {.source = source, .bytes = strlen(source)};
    gd_function_fault fault = {0};
    if (!gd_functions_put(registry, name, &text, NULL, NULL, &fault)) die(fault.message);
    return gd_functions_find(registry, name);
}

/* Seconds of one value and gradient at x. */
static double gradient_seconds(gd_function *f, gd_tensor *x) {
    gd_eval e = {.kind = GD_EVAL_GRADIENT, .inputs = {gd_retain(x)}};
    gd_function_fault fault = {0};
    double start = now();
    if (!gd_function_eval(gd_functions_ctx(registry), f, &e, &fault)) die(fault.message);
    double seconds = now() - start;
    gd_eval_clear(&e);
    return seconds;
}

static gd_tensor *point(gd_ctx *ctx, gd_dtype dtype, int64_t n) {
    gd_tensor *x = gd_zeros(ctx, dtype, 1, &n);
    if (!x) die(gd_ctx_error(ctx)->message);
    char *at = (char *)(uintptr_t)gd_contiguous_data(x); /* nobody else has seen it */
    for (int64_t i = 0; i < n; i++) {
        double v = drand48();
        if (dtype == GD_FLOAT32)
            ((float *)(void *)at)[i] = (float)v;
        else
            ((double *)(void *)at)[i] = v;
    }
    return x;
}

/* ---- one large pass ------------------------------------------------------------------------------------ */

static void large_figures(gd_ctx *ctx) {
    enum { N = 20000000 };
    gd_function *f =
        stored("large", "import torch\ndef f(x: float32[20000000]):\n    return (x ** 2 * torch.exp(x)).sum()\n");
    gd_tensor *x = point(ctx, GD_FLOAT32, N);
    float *g = malloc(N * sizeof *g);
    double ours = 1e9, hand = 1e9, s;
    if (!g) die("no memory");
    for (int i = 0; i < 8; i++) { /* in turns, so that other load hits both alike */
        if ((s = gradient_seconds(f, x)) < ours) ours = s;
        s = now();
        volatile double sum = hand_written((const float *)gd_contiguous_data(x), g, N);
        (void)sum;
        if ((s = now() - s) < hand) hand = s;
    }
    printf("large_ms %.2f\nhand_ms %.2f\n", ours * 1e3, hand * 1e3);
    free(g);
    gd_release(x);
    gd_function_release(f);
}

/* ---- threads ------------------------------------------------------------------------------------------- */

enum { RUNS = 40000 };
static gd_function *shared;
static pthread_barrier_t barrier;

static void *run_many(void *user) {
    (void)user;
    gd_ctx *ctx = gd_functions_ctx(registry);
    gd_tensor *x = point(ctx, GD_FLOAT64, 100);
    gradient_seconds(shared, x);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < RUNS; i++) gradient_seconds(shared, x);
    gd_release(x);
    return NULL;
}

/* Seconds in which each of n threads makes RUNS gradients. */
static double seconds_of_threads(int n) {
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, (unsigned)n + 1);
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, run_many, NULL)) die("no thread");
    pthread_barrier_wait(&barrier);
    double start = now();
    for (int i = 0; i < n; i++) pthread_join(threads[i], NULL);
    double seconds = now() - start;
    pthread_barrier_destroy(&barrier);
    return seconds;
}

static void small_figures(void) {
    double one = 1e9, two = 1e9, s;
    shared = stored("small", "def f(x: float64[100]):\n"
                             "    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()\n");
    for (int i = 0; i < 7; i++) {
        if ((s = seconds_of_threads(1)) < one) one = s;
        if ((s = seconds_of_threads(2)) < two) two = s;
    }
    printf("rosenbrock_us %.3f\ntwo_threads %.3f\n", one / RUNS * 1e6, 2 * one / two);
    gd_function_release(shared);
}

/* ---- compiling ------------------------------------------------------------------------------------------- */

/* 200 lines of arithmetic, from text to the first gradient. */
static void compile_figures(gd_ctx *ctx) {
    enum { LINES = 200, ROOM = 64 };
    char *source = malloc((LINES + 4) * ROOM);
    gd_tensor *x = point(ctx, GD_FLOAT64, 50);
    double best = 1e9;
    if (!source) die("no memory");
    int n = sprintf(source, "import torch\ndef f(x: float64[50]):\n    y = x\n");
    for (int i = 0; i < LINES; i++)
        n += sprintf(source + n, i % 2 ? "    y = y * x + torch.sin(y) / %d\n" : "    x = torch.tanh(x - y * 0.%d)\n",
                     i + 1);
    sprintf(source + n, "    return (y * x).sum()\n");
    for (int i = 0; i < 10; i++) {
        double start = now();
        gd_function *f = stored("lines", source);
        gradient_seconds(f, x);
        double seconds = now() - start;
        if (seconds < best) best = seconds;
        gd_function_release(f);
    }
    printf("compile_ms %.2f\n", best * 1e3);
    gd_release(x);
    free(source);
}

int function_figures(gd_ctx *ctx) {
    registry =
        gd_functions_new(&(gd_function_options){.limits = GD_PROGRAM_DEFAULT_LIMITS, .plan_bytes = (size_t)1 << 30});
    if (!registry) die("no memory");
    large_figures(ctx);
    small_figures();
    compile_figures(ctx);
    gd_functions_free(registry);
    gd_ctx_free(ctx);
    return 0;
}
