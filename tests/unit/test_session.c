/* test_session.c: sessions: names, holding, deleting while in use, expiry, lists; and the tensors and nodes inside. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/program/program.h"
#include "core/session/session.h"

Suite *session_suite(void);

static gd_registry *registry;
static gd_session *s; /* "main", held */

static void setup(void) {
    registry = gd_registry_new(&(gd_registry_options){.max_sessions = 4, .session_memory_bytes = 16 << 20});
    ck_assert_ptr_nonnull(registry);
    ck_assert_int_eq(gd_session_create(registry, "main", -1, false, &s), GD_SESSION_CREATED);
}

static void teardown(void) {
    gd_session_unlock(s);
    gd_registry_free(registry);
    ck_assert_uint_eq(gd_account_used(NULL), 0);
}

static gd_tensor *bind(const char *name, gd_tensor *t) {
    bool rebound;
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(gd_session_bind(s, name, t, &rebound), GD_OK);
    return t;
}
static gd_tensor *number(double v) { return gd_scalar_f64(gd_session_ctx(s), v, GD_FLOAT64); }

/* ---- sessions ------------------------------------------------------------------------------------- */

START_TEST(session_names) {
    ck_assert(gd_session_name_ok("a") && gd_session_name_ok("9.x-_Y"));
    ck_assert(!gd_session_name_ok("") && !gd_session_name_ok(".a") && !gd_session_name_ok("a b") &&
              !gd_session_name_ok("ä"));
    char name[140];
    memset(name, 'a', sizeof name);
    name[128] = '\0';
    ck_assert(gd_session_name_ok(name) && gd_session_tensor_name_ok(name));
    name[128] = 'a', name[129] = '\0';
    ck_assert(!gd_session_name_ok(name) && !gd_session_tensor_name_ok(name));
    ck_assert(gd_session_tensor_name_ok("_1") && gd_session_tensor_name_ok("layer.weight") &&
              gd_session_tensor_name_ok("data2"));
    ck_assert(!gd_session_tensor_name_ok("1a") && !gd_session_tensor_name_ok("x.grad") &&
              !gd_session_tensor_name_ok("data"));
    gd_session *other;
    ck_assert_int_eq(gd_session_create(registry, "a/b", -1, false, &other), GD_SESSION_BAD_NAME);
}
END_TEST

START_TEST(create_and_find) {
    gd_session *other;
    bool busy, more;
    ck_assert_int_eq(gd_session_create(registry, "main", -1, false, &other), GD_SESSION_EXISTS);
    ck_assert_int_eq(gd_session_acquire(registry, "nobody", &other), GD_SESSION_UNKNOWN);
    gd_session_status status = gd_session_try_acquire(registry, "main", &other, &busy);
    ck_assert(status != GD_SESSION_OK && busy && !other);
    ck_assert_int_eq(gd_session_create(registry, NULL, -1, false, &other), GD_SESSION_CREATED);
    ck_assert_str_eq(gd_session_name(other), "s1");
    gd_session_unlock(other);
    ck_assert_int_eq(gd_session_try_acquire(registry, "s1", &other, &busy), GD_SESSION_OK);
    ck_assert(!busy);
    gd_session_unlock(other);
    ck_assert_int_eq(gd_session_create(registry, "s1", -1, true, &other), GD_SESSION_OK);
    gd_session_unlock(other);
    ck_assert_int_eq(gd_session_create(registry, "a", -1, true, &other), GD_SESSION_CREATED);
    gd_session_unlock(other);
    gd_session_info infos[4];
    ck_assert_uint_eq(gd_registry_list(registry, NULL, 2, infos, &more), 2);
    ck_assert(more && !strcmp(infos[0].name, "a") && !strcmp(infos[1].name, "main"));
    ck_assert_uint_eq(gd_registry_list(registry, "main", 2, infos, &more), 1);
    ck_assert(!more && !strcmp(infos[0].name, "s1"));
    ck_assert(gd_session_delete(registry, "s1") && !gd_session_delete(registry, "s1"));
    ck_assert_uint_eq(gd_registry_count(registry), 2);
}
END_TEST

static void nap(void) { nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); }

START_TEST(full_and_expired) {
    gd_session *other[4];
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(gd_session_create(registry, NULL, i == 0 ? 0.001 : 0, false, &other[i]), GD_SESSION_CREATED);
        if (i > 0) gd_session_unlock(other[i]);
    }
    nap();
    ck_assert_uint_eq(gd_registry_expire(registry), 0); /* held ones stay */
    ck_assert_int_eq(gd_session_create(registry, "x", -1, false, &other[3]), GD_SESSION_FULL);
    gd_session_unlock(other[0]);
    nap();
    ck_assert_int_eq(gd_session_create(registry, "x", -1, false, &other[3]), GD_SESSION_CREATED); /* in its place */
    gd_session_unlock(other[3]);
    ck_assert_int_eq(gd_session_acquire(registry, "s1", &other[0]), GD_SESSION_UNKNOWN);
    ck_assert_uint_eq(gd_registry_count(registry), 4);
}
END_TEST

START_TEST(describes) {
    gd_session_info info;
    gd_tensor *w = bind("w", number(3));
    ck_assert_int_eq(gd_set_requires_grad(gd_session_ctx(s), w, true), GD_OK);
    bind("y", gd_mul(gd_session_ctx(s), w, w));
    gd_ctx_set_grad_mode(gd_session_ctx(s), GD_MODE_NO_GRAD);
    gd_session_describe(s, &info);
    ck_assert_str_eq(info.name, "main");
    ck_assert_uint_eq(info.tensors, 2);
    ck_assert_uint_eq(info.nodes, 2);
    ck_assert_uint_gt(info.bytes, 0);
    ck_assert_int_eq(info.grad_mode, GD_MODE_NO_GRAD);
    ck_assert(info.created > 1e9 && info.last_used >= info.created);
}
END_TEST

START_TEST(budget) {
    int64_t n = 1 << 22; /* 32 MB of doubles */
    ck_assert_ptr_null(gd_zeros(gd_session_ctx(s), GD_FLOAT64, 1, &n));
    ck_assert_int_eq(gd_ctx_error(gd_session_ctx(s))->code, GD_E_BUDGET);
}
END_TEST

/* ---- threads ---------------------------------------------------------------------------------------- */

enum { WAITERS = 4 };
static int unknown_answers;
static pthread_mutex_t answers_mutex = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_it(void *name) {
    gd_session *mine;
    gd_session_status status = gd_session_acquire(registry, name, &mine);
    if (status == GD_SESSION_OK) gd_session_unlock(mine);
    pthread_mutex_lock(&answers_mutex);
    unknown_answers += status == GD_SESSION_UNKNOWN;
    pthread_mutex_unlock(&answers_mutex);
    return NULL;
}

START_TEST(delete_while_used) {
    gd_session *held, *fresh;
    pthread_t waiters[WAITERS];
    char name[] = "doomed";
    unknown_answers = 0;
    ck_assert_int_eq(gd_session_create(registry, name, -1, false, &held), GD_SESSION_CREATED);
    for (int i = 0; i < WAITERS; i++) ck_assert_int_eq(pthread_create(&waiters[i], NULL, wait_for_it, name), 0);
    nap();
    ck_assert(gd_session_delete(registry, name));
    for (int i = 0; i < WAITERS; i++) pthread_join(waiters[i], NULL);
    ck_assert_int_eq(unknown_answers, WAITERS);
    bool rebound; /* the holder still works */
    ck_assert_int_eq(gd_session_bind(held, "x", gd_scalar_f64(gd_session_ctx(held), 1, GD_FLOAT32), &rebound), GD_OK);
    ck_assert_int_eq(gd_session_create(registry, name, -1, false, &fresh), GD_SESSION_CREATED); /* the name is free */
    ck_assert_ptr_null(gd_session_get(fresh, "x"));
    gd_session_unlock(held);
    gd_session_unlock(fresh);
}
END_TEST

static void *count_up(void *name) {
    for (int i = 0; i < 500; i++) {
        gd_session *mine;
        if (gd_session_acquire(registry, name, &mine) != GD_SESSION_OK) return NULL;
        gd_value v;
        bool rebound;
        gd_ctx *ctx = gd_session_ctx(mine);
        if (!gd_item(ctx, gd_session_get(mine, "n"), &v))
            (void)!gd_session_bind(mine, "n", gd_scalar_f64(ctx, v.u.real + 1, GD_FLOAT64), &rebound);
        gd_session_unlock(mine);
    }
    return NULL;
}

START_TEST(one_at_a_time) {
    pthread_t threads[WAITERS];
    char name[] = "main";
    gd_value v;
    bind("n", number(0));
    gd_session_unlock(s);
    for (int i = 0; i < WAITERS; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, count_up, name), 0);
    for (int i = 0; i < WAITERS; i++) pthread_join(threads[i], NULL);
    ck_assert_int_eq(gd_session_acquire(registry, name, &s), GD_SESSION_OK);
    ck_assert_int_eq(gd_item(gd_session_ctx(s), gd_session_get(s, "n"), &v), GD_OK);
    ck_assert_double_eq(v.u.real, 500 * WAITERS);
}
END_TEST

static void *give_up(void *stop) {
    gd_session *mine;
    return gd_session_acquire_unless(registry, "main", stop, &mine) == GD_SESSION_STOPPED ? stop : NULL;
}

START_TEST(waiting_can_be_stopped) {
    static _Atomic bool stop;
    pthread_t waiter;
    void *gave_up;
    gd_session *other;
    ck_assert_int_eq(pthread_create(&waiter, NULL, give_up, (void *)&stop), 0);
    nap();
    atomic_store(&stop, true);
    pthread_join(waiter, &gave_up);
    ck_assert_ptr_nonnull(gave_up);
    gd_session_unlock(s);
    ck_assert_int_eq(gd_session_acquire_unless(registry, "main", &stop, &other),
                     GD_SESSION_OK); /* nobody to wait for */
    s = other;
}
END_TEST

/* ---- programs ------------------------------------------------------------------------------------------- */

static const char *shown(const char *source) {
    static char text[256];
    gd_program_result r;
    gd_program_run(gd_session_env(s), source, strlen(source), &(gd_program_options){0}, &r);
    snprintf(text, sizeof text, "%s", r.status == GD_PROGRAM_OK ? (r.shown ? r.shown : "") : r.exception);
    gd_program_result_clear(&r);
    return text;
}

START_TEST(programs_share_the_names) {
    ck_assert(!gd_session_has_env(s));
    bind("x", number(2));
    ck_assert_str_eq(shown("y = x * 2; y.item()"), "4.0");
    ck_assert(gd_session_has_env(s) && gd_session_get(s, "y"));
    ck_assert_str_eq(shown("x = 'plain'; x"), "'plain'");
    ck_assert_ptr_null(gd_session_get(s, "x"));
    bind("x", number(3)); /* takes the name back */
    ck_assert_str_eq(shown("x.item()"), "3.0");
    ck_assert(gd_session_forget(s, "x"));
    ck_assert_str_eq(shown("x"), "NameError");
    ck_assert_str_eq(shown("del y"), "");
    ck_assert_ptr_null(gd_session_get(s, "y"));
    ck_assert_str_eq(shown("data = torch.ones(1); data.item()"), "1.0"); /* no name for a tensor of the session */
    ck_assert_ptr_null(gd_session_get(s, "data"));
    ck_assert_str_eq(shown("data.item()"), "1.0");
}
END_TEST

START_TEST(values_of_programs_are_charged) {
    gd_session_info before, after;
    ck_assert_str_eq(shown("1"), "1");
    gd_session_describe(s, &before);
    ck_assert_str_eq(shown("l = [i for i in range(10000)]"), "");
    gd_session_describe(s, &after);
    ck_assert_uint_gt(after.bytes, before.bytes + 80000);
    ck_assert_str_eq(shown("'x' * (64 << 20)"), "MemoryError"); /* over the session's budget */
}
END_TEST

/* ---- names inside ------------------------------------------------------------------------------------- */

START_TEST(names_inside) {
    bool rebound, more;
    gd_tensor *a = bind("b", number(1));
    bind("a.weight", gd_retain(a));
    bind("_1", number(2));
    ck_assert_ptr_eq(gd_session_get(s, "a.weight"), a);
    ck_assert_str_eq(gd_session_name_of(s, a), "a.weight");
    char fresh[32];
    gd_session_fresh_name(s, fresh);
    ck_assert_str_eq(fresh, "_2"); /* _1 is taken */
    const char *names[3];
    ck_assert_uint_eq(gd_session_names(s, NULL, 2, names, &more), 2);
    ck_assert(more && !strcmp(names[0], "_1") && !strcmp(names[1], "a.weight"));
    ck_assert_uint_eq(gd_session_names(s, "a.weight", 3, names, &more), 1);
    ck_assert(!more && !strcmp(names[0], "b"));
    ck_assert_int_eq(gd_session_bind(s, "b", number(5), &rebound), GD_OK);
    ck_assert(rebound);
    ck_assert_int_eq(gd_session_bind(s, "b", gd_retain(gd_session_get(s, "b")), &rebound), GD_OK);
    ck_assert(rebound);
    ck_assert(gd_session_forget(s, "a.weight") && !gd_session_forget(s, "a.weight"));
    ck_assert_uint_eq(gd_session_names(s, NULL, 3, names, &more), 2);
    ck_assert_int_eq(gd_session_bind(s, "x.grad", number(1), &rebound), GD_E_VALUE);
    ck_assert_ptr_null(gd_session_name_of(s, NULL));
}
END_TEST

START_TEST(resolves) {
    gd_ctx *ctx = gd_session_ctx(s);
    gd_tensor *w = bind("net.w", number(3)), *t;
    ck_assert_int_eq(gd_set_requires_grad(ctx, w, true), GD_OK);
    ck_assert_ptr_null(gd_session_resolve(ctx, s, "net.w.grad"));
    ck_assert_int_eq(gd_ctx_error(ctx)->code, GD_E_UNKNOWN_NAME);
    ck_assert_ptr_null(gd_session_resolve(ctx, s, "nobody"));
    ck_assert_str_eq(gd_ctx_error(ctx)->message, "name 'nobody' is not defined");
    ck_assert_ptr_null(gd_session_resolve(ctx, s, ".grad"));
    gd_tensor *y = gd_mul(ctx, w, w);
    ck_assert_int_eq(gd_backward(ctx, &y, 1, NULL, NULL, 0, &(gd_backward_options){0}, NULL, NULL), GD_OK);
    gd_release(y);
    ck_assert_ptr_eq(t = gd_session_resolve(ctx, s, "net.w.grad"), gd_grad(w));
    gd_release(t);
    t = gd_session_resolve(ctx, s, "net.w.data");
    ck_assert(t && t != w && !gd_requires_grad(t));
    gd_release(t);
    ck_assert_ptr_eq(t = gd_session_resolve(ctx, s, "net.w"), w);
    gd_release(t);
}
END_TEST

START_TEST(finds_nodes) {
    gd_ctx *ctx = gd_session_ctx(s);
    gd_tensor *w = bind("w", number(1));
    ck_assert_int_eq(gd_set_requires_grad(ctx, w, true), GD_OK);
    gd_tensor *y = gd_mul(ctx, w, w);
    uint64_t first = gd_node_id(gd_grad_fn(ctx, y));
    for (int i = 0; i < 20000; i++) { /* deep, and each node has both edges to the one before */
        gd_tensor *next = gd_mul(ctx, y, y);
        gd_release(y);
        y = next;
    }
    bind("y", y);
    gd_node *found = gd_session_node(s, first);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(gd_node_id(found), first);
    ck_assert_ptr_null(gd_session_node(s, 1u << 30));
    uint32_t nr;
    uint64_t leaf = gd_node_id(gd_node_next(found, 0, &nr));
    ck_assert_str_eq(gd_node_name(gd_session_node(s, leaf)), "AccumulateGrad");
}
END_TEST

Suite *session_suite(void) {
    Suite *suite = suite_create("session");
    TCase *tc = tcase_create("session");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, session_names);
    tcase_add_test(tc, create_and_find);
    tcase_add_test(tc, full_and_expired);
    tcase_add_test(tc, describes);
    tcase_add_test(tc, budget);
    tcase_add_test(tc, delete_while_used);
    tcase_add_test(tc, one_at_a_time);
    tcase_add_test(tc, waiting_can_be_stopped);
    tcase_add_test(tc, programs_share_the_names);
    tcase_add_test(tc, values_of_programs_are_charged);
    tcase_add_test(tc, names_inside);
    tcase_add_test(tc, resolves);
    tcase_add_test(tc, finds_nodes);
    suite_add_tcase(suite, tc);
    return suite;
}
