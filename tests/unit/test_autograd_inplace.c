/* test_autograd_inplace.c: writing into tensors that the graph knows, views, versions. */
#include "autograd_helpers.h"

START_TEST(leaf_inplace) {
    gd_tensor *x = V(true, 1, 2);
    FAILS(mul_, GD_E_LEAF_INPLACE, "a leaf Variable that requires grad is being used in an in-place operation.", T(x),
          F(2));
    gd_tensor *v = NT(select, T(x), I(0), I(0));
    FAILS(mul_, GD_E_LEAF_INPLACE,
          "a view of a leaf Variable that requires grad is being used in an in-place operation.", T(v), F(2));
    SAME(x, 1, 2);
    uint32_t version;
    ck_assert_int_eq(gd_version(ctx, x, &version), GD_OK);
    ck_assert_uint_eq(version, 0);
    gd_ctx_set_grad_mode(ctx, GD_MODE_NO_GRAD);
    NT(mul_, T(x), F(2));
    gd_tensor *nv = NT(view, T(x), GD_INTS_VALUE(((int64_t[]){2}), 1));
    gd_ctx_set_grad_mode(ctx, GD_MODE_GRAD);
    SAME(x, 2, 4);
    ck_assert(gd_requires_grad(nv));
    FAILS(
        mul_, GD_E_VIEW_INPLACE,
        "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case "
        "is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace "
        "either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want "
        "the inplace to be tracked).",
        T(nv), F(2));
}
END_TEST

START_TEST(many_views) {
    gd_tensor *x = V(true, 1, 2), *h = NT(mul, T(x), F(1));
    gd_result r;
    ck_assert_int_eq(gd_call(ctx, "unbind", (gd_value[]){T(h)}, 1, NULL, 0, NULL, &r), GD_OK);
    gd_tensor *u = keep(gd_retain(r.outputs[0]));
    gd_result_clear(&r);
#define SEVERAL                                                                                                          \
    " modified inplace. This view is the output of a function that returns multiple views. Such functions do not allow " \
    "the output views to be modified inplace. You should replace the inplace operation by an out-of-place one."
    FAILS(mul_, GD_E_VIEW_INPLACE, "Output 0 of UnbindBackward0 is a view and is being" SEVERAL, T(u), F(2));
    NT(mul_, T(h), F(2));
    ck_assert_ptr_null(gd_grad_fn(ctx, u));
    ck_assert_int_eq(gd_ctx_error(ctx)->code, GD_E_VIEW_INPLACE);
    message_is("Output 0 of UnbindBackward0 is a view and its base or another view of its base has been" SEVERAL);
}
END_TEST

static void backward_fails(gd_tensor *t, const char *text) {
    ck_assert_int_eq(backward(NT(sum, T(t))), GD_E_VERSION);
    message_is(text);
}

START_TEST(versions) {
    gd_tensor *x = V(true, 1, 2), *h = NT(mul, T(x), F(1)), *z = NT(mul, T(h), T(h));
    NT(add_, T(h), F(1));
    backward_fails(
        z, MODIFIED
        "[torch.DoubleTensor [2]], which is output 0 of AddBackward0, is at version 1; expected version 0 instead." HINT);
    h = NT(mul, T(x), F(1)), z = NT(exp, T(h));
    NT(add_, T(z), F(1));
    backward_fails(
        z, MODIFIED
        "[torch.DoubleTensor [2]], which is output 0 of ExpBackward0, is at version 1; expected version 0 instead." HINT);
    h = NT(mul, T(x), F(1)), z = NT(mul, T(h), T(h));
    gd_tensor *v = NT(select, T(h), I(0), I(0));
    NT(mul_, T(v), F(2));
    backward_fails(
        z, MODIFIED
        "[torch.DoubleTensor [2]], which is output 0 of torch::autograd::CopySlices, is at version 1; expected version 0 instead." HINT);
    h = NT(mul, T(x), F(1)), v = NT(select, T(h), I(0), I(0)), z = NT(mul, T(v), T(v));
    NT(mul_, T(h), F(2));
    backward_fails(
        z, MODIFIED
        "[torch.DoubleTensor []], which is output 0 of AsStridedBackward0, is at version 1; expected version 0 instead." HINT);
    gd_tensor *leaf = V(true, 3), *d = keep(gd_detach(ctx, leaf));
    z = NT(mul, T(leaf), T(leaf));
    NT(add_, T(d), F(1)); /* detach shares the counter */
    ck_assert(!gd_is_view(d));
    backward_fails(z, MODIFIED "[torch.DoubleTensor [1]] is at version 1; expected version 0 instead." HINT);
    h = NT(mul, T(x), F(1));
    NT(mul_, T(h), T(h));
    backward_fails(
        h, MODIFIED
        "[torch.DoubleTensor [2]], which is output 0 of MulBackward0, is at version 1; expected version 0 instead." HINT);
    h = NT(mul, T(x), F(3)); /* legal: nothing saved is touched */
    NT(add_, T(h), F(1));
    NT(relu_, T(h));
    backward_ok(NT(sum, T(h)));
    SAME(gd_grad(x), 3, 3);
}
END_TEST

START_TEST(data_is_silent) {
    gd_tensor *x = V(true, 2), *y = NT(mul, T(x), T(x)), *d = keep(gd_data(ctx, x));
    NT(fill_, T(d), F(10));
    backward_ok(y);
    SAME(gd_grad(x), 20);
}
END_TEST

START_TEST(old_value_saved) {
    gd_tensor *x = V(true, 2, 3), *w = V(true, 5, 7), *h = NT(mul, T(x), F(1));
    NT(mul_, T(h), T(w)); /* w's gradient needs h's old value */
    ck_assert_str_eq(fn_name(h), "MulBackward0");
    backward_ok(NT(sum, T(h)));
    SAME(gd_grad(w), 2, 3);
    SAME(gd_grad(x), 5, 7);
    gd_tensor *y = V(true, 2), *k = NT(mul, T(y), F(1));
    NT(sin_, T(k));
    NT(sin_, T(k));
    gd_tensor *g = grad_of(k, y, &create);
    SAME(g, cos(sin(2)) * cos(2));
    SAME(grad_of(g, y, NULL), -sin(sin(2)) * cos(2) * cos(2) - cos(sin(2)) * sin(2));
}
END_TEST

START_TEST(copy_slices) {
    gd_tensor *x = V(true, 1, 2, 3), *b = NT(mul, T(x), F(1)), *v = NT(slice, T(b), I(0), I(0), I(2));
    gd_tensor *w = V(true, 10);
    NT(mul_, T(v), T(w));
    SAME(b, 10, 20, 3);
    ck_assert_str_eq(fn_name(b), "CopySlices");
    ck_assert_str_eq(next_name(b, 0), "MulBackward0");
    ck_assert_str_eq(next_name(b, 1), "AccumulateGrad");
    ck_assert_str_eq(fn_name(v), "AsStridedBackward0");
    ck_assert_ptr_eq(gd_node_next(gd_grad_fn(ctx, v), 0, NULL), gd_grad_fn(ctx, b));
    gd_tensor *y = NT(sum, T(NT(mul, T(b), T(b)))), *in[] = {x, w}, *g[2];
    ck_assert_int_eq(gd_autograd_grad(ctx, &y, 1, NULL, in, 2, &create, g), GD_OK);
    SAME(keep(g[0]), 200, 400, 6);
    SAME(keep(g[1]), 2 * 10 * 5);
    SAME(grad_of(NT(sum, T(g[0])), x, &retain), 200, 200, 2);
    SAME(grad_of(NT(sum, T(g[0])), w, &retain), 2 * 2 * 10 * 3);
    backward_ok(y);
    SAME(gd_grad(x), 200, 400, 6);
    ck_assert_int_eq(backward(y), GD_E_GRAPH_FREED);
    gd_tensor *s = NT(sum, T(v)); /* through the view's new grad_fn */
    ck_assert_int_eq(backward(s), GD_E_GRAPH_FREED);
}
END_TEST

START_TEST(view_writes) {
    gd_tensor *x = V(true, 5), *b = V(false, 1, 2, 3), *v = NT(select, T(b), I(0), I(1));
    NT(copy_, T(v), T(NT(view, T(x), GD_INTS_VALUE(((int64_t[]){1}), 0))));
    ck_assert(gd_requires_grad(b) && gd_requires_grad(v) && !gd_is_leaf(b));
    ck_assert_str_eq(next_name(b, 0), "None");
    backward_ok(NT(sum, T(NT(mul, T(b), T(b)))));
    SAME(gd_grad(x), 10);
    /* A base that is written regenerates its views. */
    gd_tensor *y = V(true, 1, 2), *h = NT(mul, T(y), F(1)), *u = NT(slice, T(h), I(0), I(1), I(2));
    ck_assert_str_eq(fn_name(u), "SliceBackward0");
    ck_assert_int_eq(gd_retain_grad(ctx, u), GD_OK);
    NT(mul_, T(h), F(3));
    ck_assert_str_eq(fn_name(u), "AsStridedBackward0");
    backward_ok(NT(sum, T(NT(mul, T(u), F(2)))));
    SAME(gd_grad(y), 0, 6);
    SAME(gd_grad(u), 2);
    /* A base with strides of its own: a detached transpose. */
    gd_tensor *m = shaped(2, 3, (float[]){1, 2, 3, 4, 5, 6}, false), *t = keep(gd_detach(ctx, NT(t, T(m))));
    gd_tensor *row = NT(select, T(t), I(0), I(2)), *k = shaped(1, 2, (float[]){7, 8}, true);
    NT(mul_, T(row), T(NT(select, T(k), I(0), I(0))));
    SAME(t, 1, 4, 2, 5, 21, 48);
    gd_tensor *c = shaped(3, 2, (float[]){1, 1, 1, 1, 10, 100}, false);
    backward_ok(NT(sum, T(NT(mul, T(t), T(c)))));
    SAME(gd_grad(k), 30, 600);
}
END_TEST

START_TEST(inference) {
    gd_tensor *x = V(true, 1);
    gd_ctx_set_grad_mode(ctx, GD_MODE_INFERENCE);
    gd_tensor *i = NT(mul, T(x), F(2));
    gd_ctx_set_grad_mode(ctx, GD_MODE_GRAD);
    ck_assert(gd_is_inference(i));
    FAILS(
        mul, GD_E_STATE,
        "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use "
        "it in autograd.",
        T(x), T(i));
    NT(add, T(x), T(i));
    ck_assert_int_eq(gd_set_requires_grad(ctx, i, true), GD_E_STATE);
    message_is("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
    FAILS(
        add_, GD_E_STATE,
        "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor "
        "before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.",
        T(i), F(1));
}
END_TEST

TCase *autograd_inplace_tests(void) {
    const TTest *const tests[] = {leaf_inplace,    many_views,  versions,    data_is_silent,
                                  old_value_saved, copy_slices, view_writes, inference};
    TCase *tcase = tcase_create("autograd_inplace");
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
    return tcase;
}
