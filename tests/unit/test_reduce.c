/* test_reduce.c: reductions, scans, creation and conversion: values, shapes, dtypes, messages and gradients, mostly
 * at the edges. What PyTorch answers everywhere else is in the recorded samples. */
#include "tests/unit/op_helpers.h"

#define D GD_FLOAT64
#define NONE_DIM GD_NONE_VALUE

static double number(gd_tensor *t) {
    double v = gd_load_f64(gd_dtype_of(t), t->data);
    gd_release(t);
    return v;
}

/* ---- values -------------------------------------------------------------------------------------- */

START_TEST(test_sum_dims) {
    gd_tensor *t = COUNTED(D, 2, 3, 4), *turned = CALL("transpose", T_(t), I_(0), I_(2));
    gd_tensor *a = CALL("sum", T_(t), INTS_(0, 2)), *b = CALL("sum", T_(turned), INTS_(0, -1)),
              *c = CALL("sum", T_(t), I_(1), GD_BOOL_VALUE(true));
    HAS(a, 60, 92, 124);
    HAS(b, 60, 92, 124);
    SHAPE(c, 2, 1, 4);
    HAS(c, 12, 15, 18, 21, 48, 51, 54, 57);
    ck_assert_double_eq(number(CALL("sum", T_(t), INTS_(0, 1, 2))), 276);
    ck_assert_double_eq(number(CALL("sum", T_(t), NONE_DIM)), 276);
    DROP(a, b, c, turned, t);
}
END_TEST

/* 2^24 and many ones: one after the other in float32 they would all be lost. */
START_TEST(test_sum_is_cascaded) {
    gd_tensor *t = COUNTED(GD_FLOAT32, 100001);
    float *p = (float *)(void *)t->data;
    for (int i = 0; i < 100001; i++) p[i] = 1;
    p[0] = 16777216;
    double sum = number(CALL("sum", T_(t)));
    ck_assert_double_eq_tol(sum, 16777216 + 100000, 4096);
    gd_release(t);
}
END_TEST

START_TEST(test_integer_sums) {
    gd_tensor *b = COUNTED(GD_BOOL, 5), *u = COUNTED(GD_UINT8, 5), *s = CALL("sum", T_(b)),
              *p = CALL("prod", T_(u), I_(0));
    ck_assert_int_eq(gd_dtype_of(s), GD_INT64);
    ck_assert_int_eq(gd_dtype_of(p), GD_INT64);
    HAS(s, 4);
    HAS(p, 0);
    DROP(b, u, s, p);
}
END_TEST

START_TEST(test_empty_reductions) {
    gd_tensor *t = COUNTED(D, 3, 0), *s = CALL("sum", T_(t), I_(1)), *p = CALL("prod", T_(t), I_(1));
    SHAPE(s, 3);
    HAS(s, 0, 0, 0);
    HAS(p, 1, 1, 1);
    ck_assert(isnan(number(CALL("mean", T_(t)))));
    ck_assert(isnan(number(CALL("std", T_(t)))));
    ck_assert_double_eq(number(CALL("norm", T_(t))), 0);
    ck_assert_double_eq(number(CALL("all", T_(t))), 1);
    ck_assert_double_eq(number(CALL("any", T_(t))), 0);
    REFUSED(
        "max",
        "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.",
        T_(t));
    REFUSED("amin", "amin(): Expected reduction dim 1 to have non-zero size.", T_(t), I_(1));
    REFUSED("argmax", "argmax(): Expected reduction dim to be specified for input.numel() == 0.", T_(t));
    DROP(t, s, p);
}
END_TEST

START_TEST(test_bad_dims) {
    gd_tensor *t = COUNTED(D, 2, 3), *whole = COUNTED(GD_INT64, 2, 3);
    REFUSED("sum", "dim 0 appears multiple times in the list of dims", T_(t), INTS_(0, -2));
    REFUSED("sum", "Dimension out of range (expected to be in range of [-2, 1], but got 5)", T_(t), I_(5));
    REFUSED("softmax", "Dimension out of range (expected to be in range of [-2, 1], but got 2)", T_(t), I_(2));
    REFUSED(
        "mean",
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long",
        T_(whole));
    REFUSED("std", "std and var only support floating point and complex dtypes", T_(whole));
    REFUSED("norm", "only valid string values are 'fro' and 'nuc', found foo", T_(t), GD_STR_VALUE("foo"));
    DROP(t, whole);
}
END_TEST

START_TEST(test_extremes) {
    gd_tensor *t = VECTOR(D, 2, 5, 5, 1), *nan = VECTOR(D, 1, NAN, 3, NAN);
    gd_result r;
    ck_assert_int_eq(gd_call(ctx, "max", VALUES(T_(t), I_(0)), NULL, 0, NULL, &r), GD_OK);
    ck_assert(r.is_list && r.n == 2);
    HAS(r.outputs[0], 5);
    HAS(r.outputs[1], 1);
    ck_assert_int_eq(gd_dtype_of(r.outputs[1]), GD_INT64);
    gd_result_clear(&r);
    ck_assert_double_eq(number(CALL("argmax", T_(nan))), 1);
    ck_assert_double_eq(number(CALL("argmin", T_(t))), 3);
    ck_assert(isnan(number(CALL("min", T_(nan)))));
    ck_assert(isnan(number(CALL("amax", T_(nan), INTS_(0)))));
    gd_tensor *both = CALL("max", T_(t), T_(t));
    HAS(both, 2, 5, 5, 1);
    DROP(t, nan, both);
}
END_TEST

/* Long runs go through lanes: a NaN or a best element must be found in each of them. */
START_TEST(test_extremes_everywhere) {
    gd_tensor *t = COUNTED(GD_FLOAT32, 100);
    float *p = (float *)(void *)t->data;
    for (int i = 0; i < 100; i++) {
        float kept = p[i];
        p[i] = 1000;
        ck_assert_double_eq(number(CALL("max", T_(t))), 1000);
        ck_assert_double_eq(number(CALL("argmax", T_(t))), i);
        p[i] = NAN;
        ck_assert(isnan(number(CALL("min", T_(t)))));
        p[i] = kept;
    }
    gd_release(t);
}
END_TEST

START_TEST(test_deviation) {
    gd_tensor *t = VECTOR(D, 1, 2, 3, 4), *one = VECTOR(D, 1);
    ck_assert_double_eq_tol(number(CALL("var", T_(t))), 5.0 / 3, 1e-15);
    ck_assert_double_eq_tol(number(CALL("std", T_(t), GD_BOOL_VALUE(false))), sqrt(1.25), 1e-15);
    ck_assert_double_eq_tol(number(CALL("var", T_(t), I_(0), GD_BOOL_VALUE(false))), 1.25, 1e-15);
    ck_assert(isnan(number(CALL("std", T_(one)))));
    const gd_kwarg kwargs[] = {{"correction", I_(4)}};
    gd_result r;
    ck_assert_int_eq(gd_call(ctx, "std", VALUES(T_(t)), kwargs, 1, NULL, &r), GD_OK);
    ck_assert(isinf(element(r.outputs[0], 0)));
    gd_result_clear(&r);
    DROP(t, one);
}
END_TEST

START_TEST(test_norms) {
    gd_tensor *t = VECTOR(D, 3, 0, -4);
    ck_assert_double_eq_tol(number(CALL("norm", T_(t))), 5, 1e-15);
    ck_assert_double_eq_tol(number(CALL("norm", T_(t), GD_STR_VALUE("fro"))), 5, 1e-15);
    ck_assert_double_eq(number(CALL("norm", T_(t), I_(1))), 7);
    ck_assert_double_eq(number(CALL("norm", T_(t), I_(0))), 2);
    ck_assert_double_eq(number(CALL("norm", T_(t), GD_FLOAT_VALUE(INFINITY))), 4);
    ck_assert_double_eq(number(CALL("norm", T_(t), GD_FLOAT_VALUE(-INFINITY))), 0);
    ck_assert_double_eq_tol(number(CALL("norm", T_(t), I_(3))), cbrt(91), 1e-14);
    gd_release(t);
}
END_TEST

START_TEST(test_exponentials) {
    gd_tensor *t = VECTOR(D, 1000, 1001), *low = VECTOR(D, -INFINITY, -INFINITY), *s = CALL("softmax", T_(t), I_(0));
    gd_tensor *l = CALL("log_softmax", T_(t), I_(-1));
    HAS(s, 0.2689414213699951, 0.7310585786300049);
    HAS(l, -1.3132616875182228, -0.3132616875182228);
    ck_assert_double_eq_tol(number(CALL("logsumexp", T_(t), I_(0))), 1001.3132616875182, 1e-12);
    ck_assert(isinf(number(CALL("logsumexp", T_(low), I_(0)))));
    gd_tensor *grid = COUNTED(D, 2, 3, 2), *along = CALL("softmax", T_(grid), I_(1)),
              *sums = CALL("sum", T_(along), I_(1));
    HAS(sums, 1, 1, 1, 1);
    DROP(t, low, s, l, grid, along, sums);
}
END_TEST

START_TEST(test_cumsum) {
    gd_tensor *t = COUNTED(GD_INT32, 2, 3), *down = CALL("cumsum", T_(t), I_(0)),
              *right = CALL("cumsum", T_(t), I_(-1));
    ck_assert_int_eq(gd_dtype_of(down), GD_INT64);
    HAS(down, 0, 1, 2, 3, 5, 7);
    HAS(right, 0, 1, 3, 3, 7, 12);
    DROP(t, down, right);
}
END_TEST

/* ---- gradients ----------------------------------------------------------------------------------- */

/* The gradient of op(x, args…) weighted 1, 2, 3, …, and the node's name. */
static gd_tensor *slope(const char *op, const char *node, gd_tensor *x, const gd_value *args, int n) {
    gd_tensor *y = called(op, args, n);
    has_node(y, node);
    gd_tensor *g = gradient(y, x);
    gd_release(y);
    return g;
}
#define SLOPE(op, node, x, ...) slope((op), (node), (x), VALUES(T_(x), __VA_ARGS__))

START_TEST(test_sum_gradients) {
    gd_tensor *x = needing_grad(COUNTED(D, 2, 2)), *y = CALL("sum", T_(x));
    has_node(y, "SumBackward0");
    gd_tensor *a = gradient(y, x), *b = SLOPE("sum", "SumBackward1", x, I_(0)),
              *c = SLOPE("mean", "MeanBackward1", x, I_(1), GD_BOOL_VALUE(true));
    HAS(a, 1, 1, 1, 1);
    HAS(b, 1, 2, 1, 2);
    HAS(c, .5, .5, 1, 1);
    DROP(x, y, a, b, c);
}
END_TEST

START_TEST(test_prod_gradients) {
    gd_tensor *x = needing_grad(VECTOR(D, 2, 0, 3)), *g = SLOPE("prod", "ProdBackward1", x, I_(0));
    HAS(g, 0, 6, 0);
    gd_tensor *none = needing_grad(VECTOR(D, 2, 4)), *h = SLOPE("prod", "ProdBackward1", none, I_(0));
    HAS(h, 4, 2);
    DROP(x, g, none, h);
}
END_TEST

START_TEST(test_extreme_gradients) {
    gd_tensor *x = needing_grad(VECTOR(D, 2, 5, 5)), *y = CALL("max", T_(x)), *a = gradient(y, x);
    has_node(y, "MaxBackward1");
    HAS(a, 0, .5, .5);
    gd_tensor *b = SLOPE("amax", "AmaxBackward0", x, INTS_(0));
    HAS(b, 0, .5, .5);
    gd_result r;
    ck_assert_int_eq(gd_call(ctx, "max", VALUES(T_(x), I_(0)), NULL, 0, NULL, &r), GD_OK);
    gd_tensor *c = gradient(r.outputs[0], x);
    has_node(r.outputs[0], "MaxBackward0");
    HAS(c, 0, 1, 0);
    gd_result_clear(&r);
    DROP(x, y, a, b, c);
}
END_TEST

START_TEST(test_smooth_gradients) {
    gd_tensor *x = needing_grad(VECTOR(D, 3, 4)), *zero = needing_grad(VECTOR(D, 0, 0));
    gd_tensor *a = SLOPE("norm", "NormBackward1", x, I_(2)), *b = SLOPE("norm", "NormBackward1", zero, I_(2));
    gd_tensor *c = SLOPE("var", "VarBackward0", x, I_(0)), *d = SLOPE("std", "StdBackward0", x, I_(0));
    gd_tensor *e = SLOPE("softmax", "SoftmaxBackward0", x, I_(0)),
              *f = SLOPE("log_softmax", "LogSoftmaxBackward0", x, I_(0));
    gd_tensor *g = SLOPE("logsumexp", "LogsumexpBackward0", x, I_(0)),
              *h = SLOPE("cumsum", "CumsumBackward0", x, I_(0));
    HAS(a, .6, .8);
    HAS(b, 0, 0);
    HAS(c, -1, 1);
    HAS(d, -0.7071067811865476, 0.7071067811865476);
    HAS(e, -0.19661193324148185, 0.19661193324148185);
    HAS(f, 1 - 3 * 0.2689414213699951, 2 - 3 * 0.7310585786300049);
    HAS(g, 0.2689414213699951, 0.7310585786300049);
    HAS(h, 3, 2);
    DROP(x, zero, a, b, c, d, e, f, g, h);
}
END_TEST

START_TEST(test_no_freedom) {
    gd_tensor *x = needing_grad(VECTOR(D, 1)), *y = CALL("std", T_(x)), *g = NULL;
    gd_backward_options options = {0};
    ck_assert_int_ne(gd_autograd_grad(ctx, &y, 1, NULL, &x, 1, &options, &g), GD_OK);
    ck_assert_str_eq(
        gd_ctx_error(ctx)->message,
        "Function StdBackward0 returned an invalid gradient at index 0 - got [] but expected shape compatible with [1]");
    DROP(x, y);
}
END_TEST

/* d²/dx² of a product with a zero: the gradient's own derivative does not divide either. */
START_TEST(test_second_derivatives) {
    gd_tensor *x = needing_grad(VECTOR(D, 2, 0, 3)), *y = CALL("prod", T_(x)), *g = NULL, *h = NULL;
    gd_backward_options options = {.create_graph = true};
    ck_assert_int_eq(gd_autograd_grad(ctx, &y, 1, NULL, &x, 1, &options, &g), GD_OK);
    gd_tensor *s = CALL("sum", T_(g));
    ck_assert_int_eq(gd_autograd_grad(ctx, &s, 1, NULL, &x, 1, &options, &h), GD_OK);
    HAS(h, 3, 5, 2);
    DROP(x, y, g, s, h);
}
END_TEST

/* ---- creation and conversion --------------------------------------------------------------------- */

START_TEST(test_ranges) {
    gd_tensor *a = CALL("arange", I_(3)), *b = CALL("arange", I_(5), I_(0), I_(-2)),
              *c = CALL("arange", GD_FLOAT_VALUE(0), GD_FLOAT_VALUE(1), GD_FLOAT_VALUE(.25));
    gd_tensor *d = CALL("linspace", I_(0), I_(1), I_(5)), *e = CALL("eye", I_(2), I_(3));
    HAS(a, 0, 1, 2);
    HAS(b, 5, 3, 1);
    HAS(c, 0, .25, .5, .75);
    HAS(d, 0, .25, .5, .75, 1);
    HAS(e, 1, 0, 0, 0, 1, 0);
    ck_assert_int_eq(gd_dtype_of(a), GD_INT64);
    ck_assert_int_eq(gd_dtype_of(c), GD_FLOAT32);
    REFUSED("arange", "step must be nonzero", I_(0), I_(5), I_(0));
    REFUSED("arange", "upper bound and larger bound inconsistent with step sign", I_(0), I_(5), I_(-1));
    REFUSED("arange", "unsupported range: 0 -> inf", I_(0), GD_FLOAT_VALUE(INFINITY));
    REFUSED("arange", "invalid size, possible overflow?", GD_FLOAT_VALUE(1e30));
    REFUSED("arange", "invalid size, possible overflow?", I_(INT64_MIN), I_(INT64_MAX));
    REFUSED("linspace", "number of steps must be non-negative", I_(0), I_(1), I_(-1));
    DROP(a, b, c, d, e);
}
END_TEST

START_TEST(test_filled) {
    gd_tensor *a = CALL("full", INTS_(2), I_(7)), *b = CALL("full", INTS_(), GD_BOOL_VALUE(true)),
              *like = CALL("ones_like", T_(a));
    ck_assert_int_eq(gd_dtype_of(a), GD_INT64);
    ck_assert_int_eq(gd_dtype_of(b), GD_BOOL);
    HAS(like, 1, 1);
    REFUSED("zeros", "Storage size calculation overflowed with sizes=[4611686018427387904, 4]",
            INTS_(INT64_C(1) << 62, 4));
    REFUSED("zeros", "Trying to create tensor with negative dimension -1: [-1]", INTS_(-1));
    DROP(a, b, like);
}
END_TEST

START_TEST(test_conversion) {
    gd_tensor *x = needing_grad(VECTOR(GD_FLOAT32, 1, 2)), *same = CALL("float", T_(x)), *d = CALL("double", T_(x)),
              *l = CALL("long", T_(x));
    ck_assert_ptr_eq(same, x);
    has_node(d, "ToCopyBackward0");
    gd_tensor *g = gradient(d, x);
    ck_assert_int_eq(gd_dtype_of(g), GD_FLOAT32);
    HAS(g, 1, 2);
    ck_assert(!gd_requires_grad(l));
    DROP(x, same, d, l, g);
}
END_TEST

/* A copy keeps the order of dimensions in memory; contiguous() does not. */
START_TEST(test_copies) {
    gd_tensor *base = COUNTED(D, 2, 3), *t = CALL("t", T_(base)), *copy = CALL("clone", T_(t)),
              *rows = CALL("contiguous", T_(t));
    ck_assert_int_eq(gd_strides(copy)[0], 1);
    ck_assert_int_eq(gd_strides(copy)[1], 3);
    ck_assert(gd_is_contiguous(rows));
    HAS(copy, 0, 3, 1, 4, 2, 5);
    HAS(rows, 0, 3, 1, 4, 2, 5);
    DROP(base, t, copy, rows);
}
END_TEST

START_TEST(test_overwriting) {
    gd_tensor *x = needing_grad(VECTOR(D, 1, 2)), *a = CALL("clone", T_(x)), *b = CALL("clone", T_(x)),
              *src = needing_grad(VECTOR(D, 9));
    gd_release(CALL("fill_", T_(a), GD_FLOAT_VALUE(3)));
    has_node(a, "FillBackward2");
    gd_tensor *ga = gradient(a, x);
    HAS(ga, 0, 0);
    gd_release(CALL("copy_", T_(b), T_(src)));
    has_node(b, "CopyBackwards");
    HAS(b, 9, 9);
    gd_tensor *gs = gradient(b, src);
    HAS(gs, 3);
    gd_tensor *wide = CALL("expand", T_(src), INTS_(3)), *long_one = COUNTED(D, 3);
    REFUSED("copy_", "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0", T_(b),
            T_(long_one));
    gd_tensor *bytes = COUNTED(GD_UINT8, 2);
    REFUSED("fill_", "value cannot be converted to type uint8_t without overflow", T_(bytes), I_(300));
    DROP(x, a, b, src, ga, gs, wide, long_one, bytes);
}
END_TEST

START_TEST(test_questions) {
    gd_tensor *t = COUNTED(D, 2, 3);
    gd_result r;
    ck_assert_int_eq(gd_call(ctx, "size", VALUES(T_(t)), NULL, 0, NULL, &r), GD_OK);
    ck_assert(r.has_value && r.value.kind == GD_V_INTS && r.value.n == 2 && r.value.u.ints[1] == 3);
    gd_result_clear(&r);
    ck_assert_int_eq(gd_call(ctx, "numel", VALUES(T_(t)), NULL, 0, NULL, &r), GD_OK);
    ck_assert_int_eq(r.value.u.integer, 6);
    gd_result_clear(&r);
    REFUSED("item", "only one element tensors can be converted to Python scalars", T_(t));
    gd_release(t);
}
END_TEST

Suite *reduce_suite(void);
Suite *reduce_suite(void) {
    Suite *suite = suite_create("reduce");
    TCase *values = tcase_create("values"), *gradients = tcase_create("gradients"), *others = tcase_create("others");
    TCase *cases[] = {values, gradients, others};
    for (int i = 0; i < 3; i++) tcase_add_checked_fixture(cases[i], setup, teardown);
    tcase_add_test(values, test_sum_dims);
    tcase_add_test(values, test_sum_is_cascaded);
    tcase_add_test(values, test_integer_sums);
    tcase_add_test(values, test_empty_reductions);
    tcase_add_test(values, test_bad_dims);
    tcase_add_test(values, test_extremes);
    tcase_add_test(values, test_extremes_everywhere);
    tcase_add_test(values, test_deviation);
    tcase_add_test(values, test_norms);
    tcase_add_test(values, test_exponentials);
    tcase_add_test(values, test_cumsum);
    tcase_add_test(gradients, test_sum_gradients);
    tcase_add_test(gradients, test_prod_gradients);
    tcase_add_test(gradients, test_extreme_gradients);
    tcase_add_test(gradients, test_smooth_gradients);
    tcase_add_test(gradients, test_no_freedom);
    tcase_add_test(gradients, test_second_derivatives);
    tcase_add_test(others, test_ranges);
    tcase_add_test(others, test_filled);
    tcase_add_test(others, test_conversion);
    tcase_add_test(others, test_copies);
    tcase_add_test(others, test_overwriting);
    tcase_add_test(others, test_questions);
    for (int i = 0; i < 3; i++) suite_add_tcase(suite, cases[i]);
    return suite;
}
