/* test_autograd_programs.c: autograd inside programs, as far as C sees it: hooks written in the program language and
 * every order in which they, their tensors and their environment may go. What programs print is in tests/programs.
 */
#include "core/program/program.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- an environment over named tensors ------------------------------------------------------- */

static gd_account *account;
static gd_ctx *ctx;
static gd_env *env;
static struct {
    char name[16];
    gd_tensor *t;
} names[16];
static size_t nnames;

static size_t find(const char *name) {
    size_t i = 0;
    while (i < nnames && strcmp(names[i].name, name) != 0) i++;
    return i;
}

static gd_tensor *get(void *user, const char *name) {
    (void)user;
    size_t i = find(name);
    return i < nnames ? names[i].t : NULL;
}

static void forget(void *user, const char *name) {
    (void)user;
    size_t i = find(name);
    if (i == nnames) return;
    gd_release(names[i].t);
    names[i] = names[--nnames];
}

static gd_code bind(void *user, const char *name, gd_tensor *t) {
    forget(user, name);
    ck_assert_uint_lt(nnames, sizeof names / sizeof *names);
    ck_assert_uint_lt(strlen(name), sizeof names->name);
    strcpy(names[nnames].name, name);
    names[nnames++].t = t;
    return GD_OK;
}

static void setup(void) {
    account = gd_account_new(0, NULL);
    ctx = gd_ctx_new(account);
    ck_assert_ptr_nonnull(ctx);
    const gd_env_binding binding = {.get = get, .bind = bind, .forget = forget};
    env = gd_env_new(ctx, &binding);
    ck_assert_ptr_nonnull(env);
    nnames = 0;
}

static void forget_all(void) {
    while (nnames) gd_release(names[--nnames].t);
}

static void end_env(void) {
    gd_env_free(env);
    env = NULL;
}

static void teardown(void) {
    end_env();
    forget_all();
    ck_assert_uint_eq(gd_ctx_nodes(ctx), 0);
    gd_ctx_free(ctx);
    ck_assert_uint_eq(gd_account_used(account), 0);
    gd_account_release(account);
}

static void run(const char *source, const gd_program_limits *limits, gd_program_result *result) {
    gd_program_options options = {.limits = limits ? *limits : GD_PROGRAM_DEFAULT_LIMITS};
    gd_program_run(env, source, strlen(source), &options, result);
}

/* Runs what must succeed, and compares what it prints. */
static void prints(const char *source, const char *expected) {
    gd_program_result result;
    run(source, NULL, &result);
    ck_assert_msg(result.status == GD_PROGRAM_OK, "%s: %s\n%s", result.exception, result.message, result.trace);
    ck_assert_str_eq(result.output ? result.output : "", expected);
    gd_program_result_clear(&result);
}

static void works(const char *source) { prints(source, ""); }

static gd_code backward(const char *name) {
    gd_tensor *t = get(NULL, name);
    const gd_backward_options options = {.retain_graph = true};
    return gd_backward(ctx, &t, 1, NULL, NULL, 0, &options, NULL, NULL);
}

static double grad_of(const char *name) {
    gd_tensor *grad = gd_grad(get(NULL, name));
    ck_assert_ptr_nonnull(grad);
    float first;
    ck_assert_uint_ge(gd_nbytes(grad), sizeof first);
    memcpy(&first, gd_contiguous_data(grad), sizeof first);
    return (double)first;
}

#define GRAPH                                                                                                          \
    "import torch\n"                                                                                                   \
    "x = torch.ones(2, requires_grad=True)\n"                                                                          \
    "y = x * 2\n"                                                                                                      \
    "s = y.sum()\n"

/* ---- called from outside a run --------------------------------------------------------------- */

START_TEST(hook_runs_between_runs) {
    works(GRAPH "x.register_hook(lambda g: g * 3)\ny.register_hook(lambda g: g * 5)\n");
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 30);
    prints("print(x.grad)", "tensor([30., 30.])\n");
}
END_TEST

START_TEST(hook_sees_globals_of_its_environment) {
    works(GRAPH "k = 7\nseen = []\ndef hook(g):\n    seen.append(g.sum().item())\n    return g * k\nh = "
                "x.register_hook(hook)\n");
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 14);
    works("k = 1\nx.grad = None");
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 2);
    prints("print(seen)\nh.remove()", "[4.0, 4.0]\n");
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 4);
    prints("print(seen)", "[4.0, 4.0]\n");
}
END_TEST

START_TEST(failing_hook_fails_the_backward_whole) {
    works(GRAPH "h = y.register_hook(lambda g: 1 / 0)\n");
    ck_assert_int_ne(backward("s"), GD_OK);
    ck_assert_ptr_nonnull(strstr(gd_ctx_error(ctx)->message, "division by zero"));
    ck_assert_ptr_null(gd_grad(get(NULL, "x")));
    works("h.remove()\ny.register_hook(lambda g: 4)");
    ck_assert_int_ne(backward("s"), GD_OK);
    ck_assert_str_eq(gd_ctx_error(ctx)->message, "expected Variable, but hook returned 'int'");
    ck_assert_ptr_null(gd_grad(get(NULL, "x")));
}
END_TEST

START_TEST(endless_hook_ends) {
    works(GRAPH);
    gd_program_limits limits = GD_PROGRAM_DEFAULT_LIMITS;
    gd_program_result result;
    limits.steps = 10000;
    run("def endless(g):\n    while True:\n        pass\nh = y.register_hook(endless)\n", &limits, &result);
    ck_assert_int_eq(result.status, GD_PROGRAM_OK);
    gd_program_result_clear(&result);
    ck_assert_int_ne(backward("s"), GD_OK);
    run("s.backward()", &limits, &result);
    ck_assert_int_eq(result.status, GD_PROGRAM_LIMIT);
    ck_assert_int_eq(result.limit, GD_LIMIT_STEPS);
    gd_program_result_clear(&result);
    works("h.remove()\ns.backward()");
    ck_assert_double_eq(grad_of("x"), 2);
}
END_TEST

START_TEST(exception_of_a_hook_is_the_one_raised) {
    prints(GRAPH "def bad(g):\n    raise KeyError('mine')\nh = y.register_hook(bad)\n"
                 "try:\n    s.backward()\nexcept KeyError as e:\n    print('caught', e)\n"
                 "h.remove()\ns.backward()\nprint(x.grad)",
           "caught 'mine'\ntensor([2., 2.])\n");
}
END_TEST

START_TEST(mode_set_by_a_failing_hook_is_put_back) {
    prints(GRAPH
           "def bad(g):\n    torch.set_grad_enabled(False)\n    raise ValueError('mine')\nh = y.register_hook(bad)\n"
           "try:\n    s.backward()\nexcept ValueError as e:\n    print(e, torch.is_grad_enabled())",
           "mine True\n");
}
END_TEST

/* ---- every order of going -------------------------------------------------------------------- */

START_TEST(environment_goes_first) {
    works(GRAPH "h = x.register_hook(lambda g: g * 3)\ny.register_hook(lambda g: g * h.id)\n");
    end_env();
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 2);
}
END_TEST

START_TEST(tensors_go_first) {
    works(GRAPH "h = x.register_hook(lambda g: g * 3)\nh2 = y.register_hook(lambda g: g)\ndel x\ndel y\ndel s\n");
    forget_all();
    works("h.remove()\nh2.remove()\nh.remove()");
}
END_TEST

START_TEST(node_outlives_its_tensor) {
    prints(GRAPH "h = y.register_hook(lambda g: g * 3)\ndel y\ns.backward(retain_graph=True)\nprint(x.grad)\n"
                 "h.remove()\ns.backward()\nprint(x.grad)",
           "tensor([6., 6.])\ntensor([8., 8.])\n");
}
END_TEST

START_TEST(handle_is_dropped_but_hook_stays) {
    prints(GRAPH "y.register_hook(lambda g: g * 3)\ns.backward()\nprint(x.grad)", "tensor([6., 6.])\n");
}
END_TEST

START_TEST(hook_removes_itself_and_others) {
    prints(GRAPH "handles = []\n"
                 "def first(g):\n    for h in handles:\n        h.remove()\n    handles.clear()\n    return g * 10\n"
                 "handles.append(y.register_hook(first))\n"
                 "handles.append(y.register_hook(lambda g: g * 1000))\n"
                 "s.backward(retain_graph=True)\nprint(x.grad)\ns.backward()\nprint(x.grad)",
           "tensor([20., 20.])\ntensor([22., 22.])\n");
}
END_TEST

START_TEST(hook_adds_hooks) {
    prints(GRAPH "def add(g):\n    y.register_hook(lambda g: g * 3)\n"
                 "y.register_hook(add)\ns.backward(retain_graph=True)\nprint(x.grad)\ns.backward()\nprint(x.grad)",
           "tensor([2., 2.])\ntensor([8., 8.])\n");
}
END_TEST

START_TEST(hook_in_a_cycle_goes_with_its_environment) {
    works("import torch\ndef tie():\n    t = torch.ones(2, requires_grad=True)\n    u = t * 2\n    box = []\n"
          "    def hook(g):\n        box[0].remove()\n        return g + t.sum() + u.sum()\n"
          "    box.append(u.register_hook(hook))\n    t.register_hook(hook)\n    return box\n"
          "keep = [tie() for i in range(10)]\nkeep = None\n");
}
END_TEST

START_TEST(optimizer_goes_with_its_environment) {
    prints(GRAPH "o = torch.optim.Adam([x], lr=0.5)\no.state['self'] = {'o': o}\ns.backward()\no.step()\nprint(x)",
           "tensor([0.5000, 0.5000], requires_grad=True)\n");
}
END_TEST

/* ---- hooks given as source ------------------------------------------------------------------- */

static bool add_hook(const char *name, const char *source, uint64_t *handle, gd_program_result *result) {
    const gd_program_limits limits = GD_PROGRAM_DEFAULT_LIMITS;
    return gd_program_add_hook(env, get(NULL, name), source, strlen(source), &limits, handle, result);
}

START_TEST(source_hook_lives_and_goes) {
    uint64_t handle, second;
    gd_program_result result;
    works(GRAPH);
    ck_assert(add_hook("y", "lambda grad: grad * 2", &handle, &result));
    ck_assert(add_hook("x", "lambda grad: grad + 1", &second, &result));
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 5);
    ck_assert(gd_remove_hook(get(NULL, "y"), handle));
    ck_assert(!gd_remove_hook(get(NULL, "y"), handle));
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 8);
    end_env();
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 10);
    ck_assert(gd_remove_hook(get(NULL, "x"), second));
}
END_TEST

START_TEST(bad_source_registers_nothing) {
    static const char *const bad[] = {"lambda grad:", "grad +", "", "x = 3", "lambda grad: grad * 2; 3"};
    works(GRAPH);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t handle;
        gd_program_result result;
        ck_assert_msg(!add_hook("y", bad[i], &handle, &result), "%s", bad[i]);
        ck_assert_int_eq(result.status, GD_PROGRAM_SYNTAX);
        gd_program_result_clear(&result);
    }
    ck_assert_int_eq(backward("s"), GD_OK);
    ck_assert_double_eq(grad_of("x"), 2);
}
END_TEST

Suite *autograd_programs_suite(void);
Suite *autograd_programs_suite(void) {
    Suite *suite = suite_create("autograd_programs");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, hook_runs_between_runs);
    tcase_add_test(tests, hook_sees_globals_of_its_environment);
    tcase_add_test(tests, failing_hook_fails_the_backward_whole);
    tcase_add_test(tests, endless_hook_ends);
    tcase_add_test(tests, exception_of_a_hook_is_the_one_raised);
    tcase_add_test(tests, mode_set_by_a_failing_hook_is_put_back);
    tcase_add_test(tests, environment_goes_first);
    tcase_add_test(tests, tensors_go_first);
    tcase_add_test(tests, node_outlives_its_tensor);
    tcase_add_test(tests, handle_is_dropped_but_hook_stays);
    tcase_add_test(tests, hook_removes_itself_and_others);
    tcase_add_test(tests, hook_adds_hooks);
    tcase_add_test(tests, hook_in_a_cycle_goes_with_its_environment);
    tcase_add_test(tests, optimizer_goes_with_its_environment);
    tcase_add_test(tests, source_hook_lives_and_goes);
    tcase_add_test(tests, bad_source_registers_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
