/* test_function_threads.c: stored functions found, evaluated, put and deleted by several threads at once. Run under
 * ThreadSanitizer by `make tsan`.
 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/function/function.h"

Suite *function_threads_suite(void);

enum { THREADS = 4, ROUNDS = 200, NAMES = 3 };

static gd_functions *r;
static _Atomic int wrong, evaluated;

/* Version k of a function answers k * sum(x), and k for each gradient: the two must belong together. */
static bool put(unsigned *seed) {
    char name[8], source[128];
    gd_function_fault fault = {0};
    unsigned k = (unsigned)rand_r(seed) % 5 + 1;
    snprintf(name, sizeof name, "f%u", (unsigned)rand_r(seed) % NAMES);
    snprintf(source, sizeof source, "def f(x: float64[...]):\n    return (x * %u).sum()%s\n", k,
             k == 5 ? " if x.sum() > 0 else x.sum()" : "");
    const gd_function_text text = {.source = source, .bytes = strlen(source)};
    return gd_functions_put(r, name, &text, NULL, NULL, &fault) != GD_PUT_FAILED;
}

static double item(const gd_tensor *t) {
    double v[8];
    gd_read_bytes(t, v);
    return v[0];
}

/* Shapes differ, so that plans come and go. */
static void evaluate(unsigned *seed) {
    char name[8];
    gd_ctx *ctx = gd_functions_ctx(r);
    gd_function_fault fault = {0};
    const double x[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    const int64_t n = rand_r(seed) % 8 + 1;
    snprintf(name, sizeof name, "f%u", (unsigned)rand_r(seed) % NAMES);
    gd_function *f = gd_functions_find(r, name);
    if (!f) return;
    gd_eval e = {.kind = GD_EVAL_GRADIENT, .inputs = {gd_from_bytes(ctx, GD_FLOAT64, 1, &n, x, (size_t)n * sizeof *x)}};
    (void)gd_function_is_small(f, &e);
    bool ok = gd_function_eval(ctx, f, &e, &fault);
    if (!ok || item(e.values[0]) != item(e.results[0]) * (double)n) atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(&evaluated, 1);
    gd_eval_clear(&e);
    gd_function_release(f);
}

static void list(void) {
    gd_function *found[NAMES];
    bool more;
    size_t n = gd_functions_list(r, NULL, NAMES, found, &more);
    for (size_t i = 0; i < n; i++) gd_function_release(found[i]);
}

static void *worker(void *argument) {
    unsigned seed = (unsigned)(size_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        unsigned what = (unsigned)rand_r(&seed) % 16;
        char name[8];
        snprintf(name, sizeof name, "f%u", (unsigned)rand_r(&seed) % NAMES);
        if (what == 0 && !put(&seed)) atomic_fetch_add(&wrong, 1);
        if (what == 1) gd_functions_delete(r, name);
        if (what == 2) list();
        if (what > 2) evaluate(&seed);
    }
    return NULL;
}

START_TEST(functions_survive_replacement_while_evaluated) {
    const gd_function_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS, .plan_bytes = 60000};
    pthread_t threads[THREADS];
    r = gd_functions_new(&options);
    ck_assert_ptr_nonnull(r);
    unsigned seed = 1;
    for (int i = 0; i < 8; i++) ck_assert(put(&seed));
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, (void *)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_gt(evaluated, 0);
    gd_functions_free(r);
    ck_assert_uint_eq(gd_account_used(NULL), 0);
}
END_TEST

enum { POINTS = 5000, SIZE = 20 };

/* The gradients of POINTS points by so many threads; `bad` (or -1) is a point that the function refuses. */
static bool gradients(unsigned threads, int64_t bad, double *out, gd_function_fault *fault) {
    gd_ctx *ctx = gd_functions_ctx(r);
    const int64_t sizes[] = {POINTS, SIZE};
    gd_tensor *x = gd_zeros(ctx, GD_FLOAT64, 2, sizes);
    ck_assert_ptr_nonnull(x);
    double *p = (double *)(uintptr_t)gd_contiguous_data(x);
    for (int64_t i = 0; i < (int64_t)POINTS * SIZE; i++) p[i] = (double)(i % 997) / 997 + 0.1;
    if (bad >= 0) p[bad * SIZE] = -1;
    gd_function *f = gd_functions_find(r, "f");
    gd_eval e = {.kind = GD_EVAL_GRADIENT, .batched = true, .inputs = {x}, .threads = threads};
    bool ok = gd_function_eval(ctx, f, &e, fault);
    if (ok) gd_read_bytes(e.results[0], out);
    gd_eval_clear(&e);
    gd_function_release(f);
    return ok;
}

START_TEST(batches_are_shared_out) {
    const gd_function_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS, .plan_bytes = 1000000};
    static double alone[POINTS * SIZE], shared[POINTS * SIZE];
    static const char source[] =
        "def f(x: float64[20]):\n    k = (x[0] < 0).to(torch.int64)\n"
        "    return (x.exp() * x.sin()).sum() * torch.ones(1).index_select(0, k.reshape(1)).sum()\n";
    const gd_function_text text = {.source = source, .bytes = sizeof source - 1};
    gd_function_fault fault = {0};
    r = gd_functions_new(&options);
    ck_assert_ptr_nonnull(r);
    ck_assert_int_eq(gd_functions_put(r, "f", &text, NULL, NULL, &fault), GD_PUT_CREATED);
    ck_assert(gradients(1, -1, alone, &fault));
    for (unsigned threads = 2; threads <= 5; threads++) {
        memset(shared, 1, sizeof shared);
        ck_assert(gradients(threads, -1, shared, &fault));
        ck_assert_mem_eq(alone, shared, sizeof alone);
    }
    static const int64_t bad[] = {0, 1700, POINTS - 1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert(!gradients(4, bad[i], shared, &fault));
        ck_assert_int_eq(fault.code, GD_E_INDEX);
        ck_assert_uint_eq(fault.line, 3);
    }
    gd_functions_free(r);
}
END_TEST

Suite *function_threads_suite(void) {
    Suite *suite = suite_create("function_threads");
    TCase *t = tcase_create("stored functions");
    tcase_add_test(t, functions_survive_replacement_while_evaluated);
    tcase_add_test(t, batches_are_shared_out);
    suite_add_tcase(suite, t);
    return suite;
}
