/* test_threads.c: what several threads do to sessions at once. Run under ThreadSanitizer by `make tsan`. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/session/session.h"
#include "server/workers.h"

#include <stdatomic.h>
#include <time.h>

Suite *threads_suite(void);

enum { THREADS = 6, ROUNDS = 300, NAMES = 3 };

static gd_registry *registry;
static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static int finished_rounds;

/* y = w * w; y.backward(); in whatever state other threads left the session. */
static int one_backward(gd_session *s) {
    gd_ctx *ctx = gd_session_ctx(s);
    gd_tensor *w = gd_scalar_f64(ctx, 3, GD_FLOAT32);
    if (!w || gd_set_requires_grad(ctx, w, true)) return 0;
    bool rebound;
    if (gd_session_bind(s, "w", gd_retain(w), &rebound)) return 0;
    gd_tensor *y = gd_mul(ctx, w, w);
    gd_value grad;
    int ok = y && !gd_backward(ctx, &y, 1, NULL, NULL, 0, &(gd_backward_options){0}, NULL, NULL) &&
             !gd_item(ctx, gd_grad(w), &grad) && grad.u.real == 6;
    gd_release(y), gd_release(w);
    return ok;
}

static void *worker(void *argument) {
    unsigned seed = (unsigned)(size_t)argument;
    int done = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%u", (unsigned)rand_r(&seed) % NAMES);
        gd_session *s = NULL;
        gd_session_status status = gd_session_create(registry, name, -1, true, &s);
        if (status != GD_SESSION_OK && status != GD_SESSION_CREATED) continue;
        if (rand_r(&seed) % 4 == 0) gd_session_delete(registry, name); /* while we, and perhaps others, use it */
        done += one_backward(s);
        gd_session_unlock(s);
        if (rand_r(&seed) % 16 == 0) gd_registry_expire(registry);
    }
    pthread_mutex_lock(&count_lock);
    finished_rounds += done;
    pthread_mutex_unlock(&count_lock);
    return NULL;
}

START_TEST(sessions_survive_deletion_while_used) {
    size_t before = gd_account_used(NULL);
    registry = gd_registry_new(&(gd_registry_options){.session_ttl_seconds = 100});
    ck_assert_ptr_nonnull(registry);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, (void *)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    ck_assert_int_eq(finished_rounds, THREADS * ROUNDS);
    gd_registry_free(registry);
    ck_assert_uint_eq(gd_account_used(NULL), before);
}
END_TEST

/* The bytes of a tensor outlive its session in the hands of another thread. */
static void *allocate(void *argument) {
    (void)argument;
    gd_ctx *ctx = gd_ctx_new(NULL);
    for (int i = 0; ctx && i < 200; i++) {
        int64_t size = (int64_t)(1 + i % 7) * 100000;
        gd_tensor *t = gd_zeros(ctx, GD_FLOAT32, 1, &size);
        if (!t || *(const float *)gd_contiguous_data(t) != 0) return argument;
        *(float *)(size_t)gd_contiguous_data(t) = 1; /* the next owner must not see it */
        gd_release(t);
    }
    gd_ctx_free(ctx);
    return NULL;
}

START_TEST(cached_blocks_are_zeroed_and_shared_safely) {
    pthread_t threads[THREADS];
    void *bad = NULL;
    for (size_t i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, allocate, &threads), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &bad);
        ck_assert_ptr_null(bad);
    }
    gd_allocator_trim();
    ck_assert_uint_eq(gd_allocator_cached(), 0);
}
END_TEST

/* ---- the pool ---------------------------------------------------------------------------------------- */

enum { JOBS = 12 };

typedef struct numbered_job {
    gd_job job;
    int number;
} numbered_job;

static _Atomic int running_a, finished, overlaps;
static int order_of_a[JOBS];

static void run_a(gd_job *job) {
    if (atomic_fetch_add(&running_a, 1) > 0) atomic_fetch_add(&overlaps, 1);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    order_of_a[atomic_load(&finished)] = ((numbered_job *)job)->number;
    atomic_fetch_sub(&running_a, 1);
    atomic_fetch_add(&finished, 1);
}

static void run_b(gd_job *job) {
    (void)job;
    if (atomic_load(&finished) == JOBS)
        atomic_fetch_add(&overlaps, 1); /* it should not have waited for all the others */
}

START_TEST(jobs_of_one_key_run_in_order_and_hold_no_threads) {
    numbered_job a[JOBS];
    gd_job b = {.run = run_b, .key = "b", .key_length = 1};
    gd_workers *w = gd_workers_new(2, JOBS + 1);
    ck_assert_ptr_nonnull(w);
    for (int i = 0; i < JOBS; i++) {
        a[i] = (numbered_job){.job = {.run = run_a, .key = "a", .key_length = 1}, .number = i};
        ck_assert(gd_workers_claim(w));
        gd_workers_submit(w, &a[i].job);
    }
    ck_assert(gd_workers_claim(w) && !gd_workers_claim(w));
    gd_workers_submit(w, &b);
    gd_workers_free(w); /* which runs what is queued */
    ck_assert_int_eq(finished, JOBS);
    ck_assert_int_eq(overlaps, 0);
    for (int i = 0; i < JOBS; i++) ck_assert_int_eq(order_of_a[i], i);
}
END_TEST

Suite *threads_suite(void) {
    Suite *suite = suite_create("threads");
    TCase *tc = tcase_create("threads");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, sessions_survive_deletion_while_used);
    tcase_add_test(tc, cached_blocks_are_zeroed_and_shared_safely);
    tcase_add_test(tc, jobs_of_one_key_run_in_order_and_hold_no_threads);
    suite_add_tcase(suite, tc);
    return suite;
}
