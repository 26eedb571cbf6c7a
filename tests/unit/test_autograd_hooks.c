/* test_autograd_hooks.c: hooks on gradients, and retain_grad. */
#include "autograd_helpers.h"

static double seen[16];
static int nseen;

static gd_code note(gd_ctx *c, void *user, gd_tensor *grad, gd_tensor **replacement) {
    (void)c, (void)replacement;
    double v;
    gd_read_bytes(grad, &v);
    seen[nseen++] = user ? *(double *)user : v;
    return GD_OK;
}

static gd_code scale(gd_ctx *c, void *user, gd_tensor *grad, gd_tensor **replacement) {
    *replacement = gd_call1(c, "mul", (gd_value[]){T(grad), F(*(double *)user)}, 2);
    return *replacement ? GD_OK : GD_E_MEMORY;
}

static gd_code to_float(gd_ctx *c, void *user, gd_tensor *grad, gd_tensor **replacement) {
    (void)user;
    *replacement = gd_call1(c, "float", (gd_value[]){T(grad)}, 1);
    return GD_OK;
}

static gd_code to_pair(gd_ctx *c, void *user, gd_tensor *grad, gd_tensor **replacement) {
    (void)user;
    *replacement =
        gd_call1(c, "stack", (gd_value[]){{.kind = GD_V_LIST, .n = 2, .u.list = (gd_value[]){T(grad), T(grad)}}}, 1);
    return GD_OK;
}

static uint64_t hook(gd_tensor *t, gd_hook_fn fn, void *user) {
    uint64_t handle = 0;
    gd_code code = gd_register_hook(ctx, t, "<lambda>", fn, user, NULL, &handle);
    ck_assert_msg(code == GD_OK, "%s", gd_ctx_error(ctx)->message);
    return handle;
}

START_TEST(hook_order) {
    double ia = 1, ib = 2, ix = 3;
    nseen = 0;
    gd_tensor *x = V(true, 1), *a = NT(mul, T(x), F(2)), *b = NT(mul, T(x), F(3)), *y = NT(add, T(b), T(a));
    hook(a, note, &ia), hook(b, note, &ib), hook(x, note, &ix);
    backward_ok(y);
    ck_assert_int_eq(nseen, 3);
    ck_assert_double_eq(seen[0], 2);
    ck_assert_double_eq(seen[1], 1);
    ck_assert_double_eq(seen[2], 3);
    nseen = 0;
    gd_tensor *z = V(true, 1);
    hook(z, note, NULL);
    backward_ok(NT(add, T(NT(mul, T(z), F(3))), T(NT(mul, T(z), F(5)))));
    ck_assert_int_eq(nseen, 1); /* once, on the sum */
    ck_assert_double_eq(seen[0], 8);
}
END_TEST

START_TEST(hook_replaces) {
    double by100 = 100, by7 = 7;
    gd_tensor *x = V(true, 1), *y = NT(mul, T(x), F(1)), *z = NT(mul, T(y), F(3));
    hook(y, scale, &by100);
    ck_assert_int_eq(gd_retain_grad(ctx, y), GD_OK);
    ck_assert_int_eq(gd_retain_grad(ctx, y), GD_OK);
    hook(y, scale, &by7);
    backward_ok(z);
    SAME(gd_grad(y), 2100); /* always last */
    SAME(gd_grad(x), 2100);
    gd_tensor *w = V(true, 1), *c = V(false, 1);
    hook(w, scale, &by7); /* hooks of autograd.grad's inputs run */
    SAME(grad_of(NT(mul, T(w), F(2)), w, NULL), 14);
    uint64_t handle;
    ck_assert_int_eq(gd_register_hook(ctx, c, "f", scale, NULL, NULL, &handle), GD_E_STATE);
    message_is("cannot register a hook on a tensor that doesn't require gradient");
    ck_assert_int_eq(gd_retain_grad(ctx, c), GD_E_STATE);
    message_is("can't retain_grad on Tensor that has requires_grad=False");
    ck_assert_int_eq(gd_retain_grad(ctx, w), GD_OK);
    ck_assert(!gd_retains_grad(w));
}
END_TEST

START_TEST(hook_checks) {
    gd_tensor *x = V(true, 1), *y = NT(mul, T(x), F(2));
    uint64_t h = hook(y, to_float, NULL);
    ck_assert_int_eq(backward(y), GD_E_DTYPE);
    message_is("hook '<lambda>' has changed the type of value (was torch.DoubleTensor got torch.FloatTensor)");
    ck_assert(gd_remove_hook(y, h));
    hook(y, to_pair, NULL);
    ck_assert_int_eq(backward(y), GD_E_SHAPE);
    message_is("hook '<lambda>' has changed the size of value");
    ck_assert_ptr_null(gd_grad(x));
}
END_TEST

START_TEST(hooks_and_inplace) {
    double by10 = 10;
    gd_tensor *x = V(true, 1), *y = NT(mul, T(x), F(1));
    nseen = 0;
    hook(y, note, NULL);
    ck_assert_int_eq(gd_retain_grad(ctx, y), GD_OK);
    NT(mul_, T(y), F(3));
    uint64_t later = hook(y, note, NULL);
    backward_ok(NT(mul, T(y), F(2)));
    ck_assert_int_eq(nseen, 2);
    ck_assert_double_eq(seen[0], 2); /* registered after: the gradient of the new value */
    ck_assert_double_eq(seen[1], 6);
    SAME(gd_grad(y), 2);
    ck_assert(gd_remove_hook(y, later));
    /* A tensor's hooks outlive its name. */
    gd_tensor *z = V(true, 1), *h = gd_call1(ctx, "mul", (gd_value[]){T(z), F(2)}, 2), *s = NT(mul, T(h), F(1));
    hook(h, scale, &by10);
    ck_assert_int_eq(gd_retain_grad(ctx, h), GD_OK);
    gd_release(h);
    backward_ok(s);
    SAME(gd_grad(z), 20);
}
END_TEST

struct again {
    gd_tensor *y, *inner;
    int freed;
};

static gd_code reenter(gd_ctx *c, void *user, gd_tensor *grad, gd_tensor **replacement) {
    struct again *a = user;
    gd_tensor *g = NULL;
    (void)grad;
    gd_code code = gd_autograd_grad(c, &a->y, 1, NULL, &a->inner, 1, &retain, &g);
    *replacement = g;
    return code;
}

static gd_code endless(gd_ctx *c, void *user, gd_tensor *grad, gd_tensor **replacement) {
    (void)grad, (void)replacement;
    return gd_backward(c, (gd_tensor **)user, 1, NULL, NULL, 0, &retain, NULL, NULL);
}

START_TEST(reentrant) {
    gd_tensor *x = V(true, 3), *h = NT(mul, T(x), T(x)), *y = NT(mul, T(h), T(h)), *z = NT(add, T(y), T(h));
    struct again a = {.y = NT(mul, T(h), T(h)), .inner = x};
    hook(y, reenter, &a); /* a run over nodes that the outer one is about to visit; 4 x^3 replaces 1 */
    backward_ok(z);
    SAME(gd_grad(x), 108 * 108 + 6);
    gd_tensor *w = V(true, 1), *loop = NT(mul, T(w), F(2));
    hook(loop, endless, &loop);
    ck_assert_int_eq(backward(loop), GD_E_STATE); /* bounded */
    ck_assert_ptr_null(gd_grad(w));
}
END_TEST

static void set_flag(void *user) { ++*(int *)user; }

static gd_code remove_self(gd_ctx *c, void *user, gd_tensor *grad, gd_tensor **replacement) {
    (void)c, (void)replacement, (void)grad;
    struct again *a = user;
    ck_assert(gd_remove_hook(a->y, (uint64_t)a->freed));
    ck_assert_ptr_nonnull(a->inner); /* still there */
    return GD_OK;
}

static void clear_inner(void *user) { ((struct again *)user)->inner = NULL; }

START_TEST(hook_lifetime) {
    int freed = 0;
    uint64_t handle;
    gd_tensor *x = V(true, 1);
    ck_assert_int_eq(gd_register_hook(ctx, x, "f", note, NULL, NULL, &handle), GD_OK);
    gd_tensor *t = gd_zeros(ctx, GD_FLOAT32, 0, NULL);
    ck_assert_int_eq(gd_set_requires_grad(ctx, t, true), GD_OK);
    ck_assert_int_eq(gd_register_hook(ctx, t, "f", note, &freed, set_flag, &handle), GD_OK);
    gd_release(t);
    ck_assert_int_eq(freed, 1);
    gd_tensor *y = NT(mul, T(x), F(2));
    struct again a = {.y = y, .inner = y};
    ck_assert_int_eq(gd_register_hook(ctx, y, "f", remove_self, &a, clear_inner, &handle), GD_OK);
    a.freed = (int)handle;
    backward_ok(y);
    ck_assert_ptr_null(a.inner);
}
END_TEST

TCase *autograd_hook_tests(void) {
    const TTest *const tests[] = {hook_order, hook_replaces, hook_checks, hooks_and_inplace, reentrant, hook_lifetime};
    TCase *tcase = tcase_create("autograd_hook");
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
    return tcase;
}
