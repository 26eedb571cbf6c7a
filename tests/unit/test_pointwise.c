/* test_pointwise.c: the iterator, casts, pointwise kernels and their rows: promotion, NaN, integers at the edge,
 * overlap, and that every instruction set answers alike.
 */
#include "core/kernels/pointwise.h"
#include "core/tensor/tensor.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *pointwise_suite(void);

static gd_ctx *ctx;

static void setup(void) {
    ctx = gd_ctx_new(NULL);
    ck_assert_ptr_nonnull(ctx);
}
static void teardown(void) { gd_ctx_free(ctx); }

/* ---- helpers ---------------------------------------------------------------------------------- */

static uint64_t seed = 1;
static int64_t below(int64_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((seed >> 33) % (uint64_t)n);
}

static gd_tensor *vector(gd_dtype dtype, int n, const double *values) {
    int64_t size = n;
    gd_tensor *t = gd_zeros(ctx, dtype, 1, &size);
    ck_assert_ptr_nonnull(t);
    for (int i = 0; i < n; i++) gd_store_f64(dtype, t->data + (size_t)i * gd_dtype_bytes(dtype), values[i]);
    return t;
}
#define VECTOR(dtype, ...)                                                                                             \
    vector(dtype, (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})

static double at(const gd_tensor *t, int64_t i) {
    ck_assert(i < gd_numel(t) && gd_is_contiguous(t));
    return gd_load_f64(gd_dtype_of(t), t->data + (size_t)i * gd_dtype_bytes(gd_dtype_of(t)));
}

static void check_double(double got, double expected) {
    if (isnan(expected))
        ck_assert_msg(isnan(got), "got %g, expected NaN", got);
    else if (isinf(expected))
        ck_assert_double_eq(got, expected);
    else
        ck_assert_double_eq_tol(got, expected, 1e-6 * (1 + fabs(expected)));
}

#define CHECK(t, ...)                                                                                                  \
    do {                                                                                                               \
        const double expected_[] = {__VA_ARGS__};                                                                      \
        ck_assert_msg((t) != NULL, "%s", gd_ctx_error(ctx)->message);                                                  \
        for (size_t i_ = 0; i_ < sizeof(expected_) / sizeof(double); i_++)                                             \
            check_double(at((t), (int64_t)i_), expected_[i_]);                                                         \
    } while (0)

static gd_tensor *call(const char *name, gd_value a, gd_value b) { return gd_call1(ctx, name, (gd_value[]){a, b}, 2); }
static gd_tensor *call1(const char *name, gd_tensor *t) {
    return gd_call1(ctx, name, (gd_value[]){GD_TENSOR_VALUE(t)}, 1);
}
#define T(t) GD_TENSOR_VALUE(t)
#define CHECK_ERROR(t, text)                                                                                           \
    do {                                                                                                               \
        ck_assert_ptr_null(t);                                                                                         \
        ck_assert_str_eq(gd_ctx_error(ctx)->message, text);                                                            \
    } while (0)

/* ---- the iterator --------------------------------------------------------------------------------- */

static void combine(char *const *data, const int64_t *st, int64_t n, const void *extra) {
    (void)extra;
    for (int64_t i = 0; i < n; i++)
        *(int64_t *)(void *)(data[0] + i * st[0]) =
            *(int64_t *)(void *)(data[1] + i * st[1]) * 1000 + *(int64_t *)(void *)(data[2] + i * st[2]);
}

/* A tensor of the given sizes with its dimensions in a random order in memory and gaps between elements. */
static gd_tensor *scattered(int ndim, const int64_t *sizes) {
    int64_t strides[GD_MAX_DIMS], total = 1 + below(3);
    int order[GD_MAX_DIMS];
    for (int d = 0; d < ndim; d++) order[d] = d;
    for (int d = ndim - 1; d > 0; d--) {
        int other = (int)below(d + 1), kept = order[d];
        order[d] = order[other];
        order[other] = kept;
    }
    for (int d = 0; d < ndim; d++) {
        strides[order[d]] = total;
        total *= sizes[order[d]] + (below(4) == 0);
    }
    gd_tensor *memory = gd_zeros(ctx, GD_INT64, 1, &(int64_t){total + 1});
    for (int64_t i = 0; i < total; i++) ((int64_t *)(void *)memory->data)[i] = i;
    gd_tensor *t = gd_alias(ctx, memory, ndim, sizes, strides, below(2));
    gd_release(memory);
    ck_assert_ptr_nonnull(t);
    return t;
}

static int64_t *element(const gd_tensor *t, int ndim, const int64_t *index) {
    int64_t offset = 0;
    for (int d = 0; d < t->ndim; d++) {
        int64_t i = index[d + ndim - t->ndim];
        if (t->sizes[d] != 1) offset += i * GD_STRIDES(t)[d];
    }
    return (int64_t *)(void *)t->data + offset;
}

static void check_combined(gd_tensor *const *operands) {
    const gd_tensor *out = operands[0];
    int64_t index[GD_MAX_DIMS] = {0};
    for (int64_t i = 0; i < out->numel; i++) {
        int64_t left = i;
        for (int d = out->ndim - 1; d >= 0; d--) {
            index[d] = left % out->sizes[d];
            left /= out->sizes[d];
        }
        int64_t expected = *element(operands[1], out->ndim, index) * 1000 + *element(operands[2], out->ndim, index);
        ck_assert_int_eq(*element(out, out->ndim, index), expected);
    }
}

static void try_random_shapes(bool any_order, int most_dims, int64_t most_size) {
    int ndim = (int)below(most_dims + 1);
    int64_t sizes[3][GD_MAX_DIMS];
    gd_tensor *operands[3];
    for (int d = 0; d < ndim; d++) sizes[0][d] = 1 + below(most_size);
    for (int k = 1; k < 3; k++)
        for (int d = 0; d < ndim; d++) sizes[k][d] = below(3) == 0 ? 1 : sizes[0][d];
    for (int k = 0; k < 3; k++) {
        int dropped = k > 0 && ndim > 0 ? (int)below(2) : 0; /* leading dimensions may be missing */
        operands[k] = scattered(ndim - dropped, sizes[k] + dropped);
    }
    (any_order ? gd_iterate_any_order : gd_iterate_in_order)(operands, 3, combine, NULL);
    check_combined(operands);
    for (int k = 0; k < 3; k++) gd_release(operands[k]);
}

START_TEST(iterator_walks_any_strides) {
    for (int i = 0; i < 1500; i++) try_random_shapes(i % 2, 5, 4);
    for (int i = 0; i < 30; i++) try_random_shapes(i % 2, 2, 150);
}
END_TEST

START_TEST(iterator_takes_64_dimensions) {
    int64_t sizes[GD_MAX_DIMS];
    for (int d = 0; d < GD_MAX_DIMS; d++) sizes[d] = d % 6 == 5 ? 2 : 1;
    gd_tensor *operands[3];
    for (int k = 0; k < 3; k++) operands[k] = scattered(GD_MAX_DIMS, sizes);
    gd_iterate_in_order(operands, 3, combine, NULL);
    check_combined(operands);
    for (int k = 0; k < 3; k++) gd_release(operands[k]);
}
END_TEST

static void collect(char *const *data, const int64_t *st, int64_t n, const void *extra) {
    int64_t **next = *(int64_t * *const *)extra;
    for (int64_t i = 0; i < n; i++) *(*next)++ = *(int64_t *)(void *)(data[0] + i * st[0]);
}

START_TEST(iterator_is_row_major) {
    gd_tensor *memory = gd_zeros(ctx, GD_INT64, 1, &(int64_t){6});
    for (int64_t i = 0; i < 6; i++) ((int64_t *)(void *)memory->data)[i] = i;
    gd_tensor *t = gd_alias(ctx, memory, 2, (int64_t[]){2, 3}, (int64_t[]){1, 2}, 0);
    int64_t seen[6], *next = seen, **extra = &next;
    gd_iterate_in_order(&t, 1, collect, &extra);
    const int64_t expected[6] = {0, 2, 4, 1, 3, 5};
    ck_assert_mem_eq(seen, expected, sizeof(seen));
    gd_release(t);
    gd_release(memory);
}
END_TEST

START_TEST(iterator_skips_empty) {
    gd_tensor *t[3];
    for (int k = 0; k < 3; k++) t[k] = gd_zeros(ctx, GD_INT64, 3, (int64_t[]){4, 0, 5});
    gd_iterate_in_order(t, 3, combine, NULL);
    for (int k = 0; k < 3; k++) gd_release(t[k]);
}
END_TEST

/* ---- casts -------------------------------------------------------------------------------------------- */

START_TEST(casts_are_defined_everywhere) {
    gd_tensor *t = VECTOR(GD_FLOAT64, NAN, INFINITY, -INFINITY, 1e300, -1.9, 3000000000.0, 300, 0);
    gd_tensor *wide = gd_as_dtype(ctx, t, GD_INT64), *narrow = gd_as_dtype(ctx, t, GD_INT32);
    gd_tensor *byte = gd_as_dtype(ctx, t, GD_UINT8), *truth = gd_as_dtype(ctx, t, GD_BOOL);
    const int64_t expected[] = {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, -1, 3000000000, 300, 0};
    ck_assert_mem_eq(wide->data, expected, sizeof(expected));
    const int32_t expected32[] = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, -1, INT32_MIN, 300, 0};
    ck_assert_mem_eq(narrow->data, expected32, sizeof(expected32));
    const uint8_t expected8[] = {0, 0, 0, 0, 255, 0, 44, 0}, expected1[] = {1, 1, 1, 1, 1, 1, 1, 0};
    ck_assert_mem_eq(byte->data, expected8, sizeof(expected8));
    ck_assert_mem_eq(truth->data, expected1, sizeof(expected1));
    gd_release(t), gd_release(wide), gd_release(narrow), gd_release(byte), gd_release(truth);
}
END_TEST

START_TEST(fill_converts) {
    gd_tensor *t = gd_zeros(ctx, GD_INT32, 1, &(int64_t){3});
    gd_fill_value(t, &GD_FLOAT_VALUE(2.9));
    CHECK(t, 2, 2, 2);
    gd_fill_value(t, &GD_BOOL_VALUE(true));
    CHECK(t, 1, 1, 1);
    gd_release(t);
}
END_TEST

/* ---- promotion ------------------------------------------------------------------------------------------ */

static const struct {
    const char *op;
    gd_dtype a, b, result;
} promotions[] = {
    {"add", GD_FLOAT32, GD_FLOAT64, GD_FLOAT64}, {"add", GD_BOOL, GD_BOOL, GD_BOOL},
    {"mul", GD_INT64, GD_FLOAT32, GD_FLOAT32},   {"mul", GD_UINT8, GD_INT32, GD_INT32},
    {"div", GD_INT64, GD_INT64, GD_FLOAT32},     {"div", GD_BOOL, GD_FLOAT64, GD_FLOAT64},
    {"pow", GD_INT64, GD_INT64, GD_INT64},       {"maximum", GD_BOOL, GD_BOOL, GD_BOOL},
    {"lt", GD_INT64, GD_FLOAT32, GD_BOOL},       {"logical_and", GD_FLOAT32, GD_INT64, GD_BOOL},
    {"remainder", GD_BOOL, GD_INT64, GD_INT64},  {"bitwise_or", GD_INT64, GD_UINT8, GD_INT64},
};

START_TEST(results_have_promoted_dtypes) {
    gd_tensor *a = gd_zeros(ctx, promotions[_i].a, 1, &(int64_t){2}),
              *b = gd_zeros(ctx, promotions[_i].b, 1, &(int64_t){2});
    gd_fill_value(b, &GD_INT_VALUE(1));
    gd_tensor *r = call(promotions[_i].op, T(a), T(b));
    ck_assert_msg(r != NULL, "%s: %s", promotions[_i].op, gd_ctx_error(ctx)->message);
    ck_assert_int_eq(gd_dtype_of(r), promotions[_i].result);
    gd_release(a), gd_release(b), gd_release(r);
}
END_TEST

START_TEST(numbers_promote_least) {
    gd_tensor *i = VECTOR(GD_INT64, 1, -2), *u = VECTOR(GD_UINT8, 3, 250), *f = VECTOR(GD_FLOAT32, 1.5, -2.5);
    gd_tensor *r = call("add", T(i), GD_FLOAT_VALUE(1.5));
    ck_assert_int_eq(gd_dtype_of(r), GD_FLOAT32);
    CHECK(r, 2.5, -0.5);
    gd_tensor *wrapped = call("add", T(u), GD_INT_VALUE(300));
    ck_assert_int_eq(gd_dtype_of(wrapped), GD_UINT8);
    CHECK(wrapped, 47, 38);
    gd_tensor *same = call("eq", T(u), GD_INT_VALUE(-6));
    CHECK(same, 0, 1);
    gd_tensor *e = call1("exp", i);
    ck_assert_int_eq(gd_dtype_of(e), GD_FLOAT32);
    gd_tensor *down = call1("floor", i), *power = call("pow", T(f), GD_INT_VALUE(2));
    ck_assert_int_eq(gd_dtype_of(down), GD_INT64);
    CHECK(power, 2.25, 6.25);
    gd_release(i), gd_release(u), gd_release(f), gd_release(r), gd_release(wrapped);
    gd_release(same), gd_release(e), gd_release(down), gd_release(power);
}
END_TEST

START_TEST(refusals_have_pytorchs_words) {
    gd_tensor *b = VECTOR(GD_BOOL, 1, 0), *f = VECTOR(GD_FLOAT32, 1, 2), *i = VECTOR(GD_INT64, 1, 2);
    CHECK_ERROR(call("sub", T(b), T(b)),
                "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
                "`logical_xor()` operator instead.");
    CHECK_ERROR(call1("neg", b),
                "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a "
                "mask, use the `~` or `logical_not()` operator instead.");
    CHECK_ERROR(call("pow", T(i), GD_INT_VALUE(-1)), "Integers to negative integer powers are not allowed.");
    CHECK_ERROR(call("bitwise_and", T(f), T(f)), "\"bitwise_and_cpu\" not implemented for 'Float'");
    CHECK_ERROR(call1("abs", b), "\"abs_cpu\" not implemented for 'Bool'");
    CHECK_ERROR(call1("clamp", f), "torch.clamp: At least one of 'min' or 'max' must not be None");
    CHECK_ERROR(call("add_", T(i), GD_FLOAT_VALUE(1.5)),
                "result type Float can't be cast to the desired output type Long");
    gd_release(b), gd_release(f), gd_release(i);
}
END_TEST

/* ---- integers -------------------------------------------------------------------------------------------- */

static gd_tensor *int64_pair(int64_t a, int64_t b) {
    return gd_from_bytes(ctx, GD_INT64, 1, &(int64_t){2}, (int64_t[]){a, b}, 16);
}

START_TEST(integer_division_at_the_edge) {
    gd_tensor *a = int64_pair(INT64_MIN, -7), *minus = int64_pair(-1, 2), *zero = int64_pair(1, 0);
    gd_tensor *quotient = call("floor_divide", T(a), T(minus)), *rest = call("remainder", T(a), T(minus));
    gd_tensor *c_rest = call("fmod", T(a), T(minus)), *wrapped = call1("neg", a), *positive = call1("abs", a);
    const int64_t expected[] = {INT64_MIN, -4};
    ck_assert_mem_eq(quotient->data, expected, 16);
    CHECK(rest, 0, 1);
    CHECK(c_rest, 0, -1);
    ck_assert_int_eq(*(int64_t *)(void *)wrapped->data, INT64_MIN);
    ck_assert_int_eq(*(int64_t *)(void *)positive->data, INT64_MIN);
    CHECK_ERROR(call("floor_divide", T(a), T(zero)), "ZeroDivisionError");
    CHECK_ERROR(call("remainder", T(a), GD_INT_VALUE(0)), "ZeroDivisionError");
    CHECK_ERROR(call("fmod", T(a), T(zero)), "ZeroDivisionError");
    gd_release(a), gd_release(minus), gd_release(zero), gd_release(quotient), gd_release(rest);
    gd_release(c_rest), gd_release(wrapped), gd_release(positive);
}
END_TEST

START_TEST(integer_arithmetic_wraps) {
    gd_tensor *a = int64_pair(INT64_MAX, 3), *b = int64_pair(1, -2);
    gd_tensor *sum = call("add", T(a), T(b)), *power = call("pow", T(a), T(b)), *square = call1("square", a);
    ck_assert_int_eq(*(int64_t *)(void *)sum->data, INT64_MIN);
    ck_assert_int_eq(((int64_t *)(void *)power->data)[1], 0);
    ck_assert_int_eq(*(int64_t *)(void *)square->data, 1);
    gd_release(a), gd_release(b), gd_release(sum), gd_release(power), gd_release(square);
}
END_TEST

START_TEST(float_remainders_follow_python) {
    gd_tensor *a = VECTOR(GD_FLOAT32, -7, 7, INFINITY, 3, -1, 1), *b = VECTOR(GD_FLOAT32, 2, -2, 3, INFINITY, 3, 0);
    gd_tensor *rest = call("remainder", T(a), T(b)), *quotient = call("floor_divide", T(a), T(b));
    CHECK(rest, 1, -1, NAN, 3, 2, NAN);
    CHECK(quotient, -4, -4, NAN, 0, -1, INFINITY);
    gd_release(a), gd_release(b), gd_release(rest), gd_release(quotient);
}
END_TEST

/* ---- NaN and subgradients ---------------------------------------------------------------------------------- */

static const struct {
    const char *op;
    double x[4], y[4], slope[4];
} subgradients[] = {
    {"abs", {0, NAN, -1, 2}, {0, NAN, 1, 2}, {0, 0, -1, 1}},
    {"relu", {0, NAN, -1, 2}, {0, NAN, 0, 2}, {0, 1, 0, 1}},
    {"sign", {0, NAN, -1, 2}, {0, 0, -1, 1}, {0, 0, 0, 0}},
    {"sqrt", {0, NAN, -1, 4}, {0, NAN, NAN, 2}, {INFINITY, NAN, NAN, 0.25}},
    {"round", {0.5, 1.5, -2.5, 2}, {0, 2, -2, 2}, {0, 0, 0, 0}},
    {"tanh", {0, NAN, 1, 100}, {0, NAN, 0.7615941559557649, 1}, {1, NAN, 0.41997434161402614, 0}},
    {"asin", {0, NAN, 1, 2}, {0, NAN, 1.5707963267948966, NAN}, {1, NAN, INFINITY, NAN}},
    {"reciprocal", {0, NAN, -2, 1}, {INFINITY, NAN, -0.5, 1}, {-INFINITY, NAN, -0.25, -1}},
    {"square", {0, NAN, -2, 1}, {0, NAN, 4, 1}, {0, NAN, -4, 2}},
};

/* Checks y's values, and x's gradient of sum(y). */
static void check_backward(gd_tensor *y, gd_tensor *x, const double *values, const double *slopes) {
    ck_assert_msg(y != NULL, "%s", gd_ctx_error(ctx)->message);
    gd_tensor *ones = gd_zeros(ctx, gd_dtype_of(y), gd_ndim(y), gd_sizes(y));
    gd_fill_value(ones, &GD_INT_VALUE(1));
    gd_code code = gd_backward(ctx, &y, 1, &ones, NULL, 0, NULL, NULL, NULL);
    ck_assert_msg(code == GD_OK, "%s", gd_ctx_error(ctx)->message);
    for (int i = 0; values && i < 4; i++) check_double(at(y, i), values[i]);
    for (int i = 0; i < 4; i++) check_double(at(gd_grad(x), i), slopes[i]);
    gd_release(ones);
}

START_TEST(subgradients_are_pytorchs) {
    gd_tensor *x = vector(GD_FLOAT64, 4, subgradients[_i].x);
    ck_assert(!gd_set_requires_grad(ctx, x, true));
    gd_tensor *y = call1(subgradients[_i].op, x);
    check_backward(y, x, subgradients[_i].y, subgradients[_i].slope);
    gd_release(x), gd_release(y);
}
END_TEST

START_TEST(bounds_and_ties) {
    gd_tensor *x = VECTOR(GD_FLOAT64, 0, NAN, -1, 2), *z = VECTOR(GD_FLOAT64, 0, 0, NAN, 2);
    ck_assert(!gd_set_requires_grad(ctx, x, true));
    gd_tensor *y = gd_call1(ctx, "clamp", (gd_value[]){T(x), GD_INT_VALUE(0), GD_INT_VALUE(2)}, 3);
    check_backward(y, x, (double[]){0, NAN, 0, 2}, (double[]){1, 0, 0, 1});
    ck_assert(!gd_set_grad(ctx, x, NULL));
    gd_tensor *m = call("maximum", T(x), T(z));
    check_backward(m, x, (double[]){0, NAN, NAN, 2}, (double[]){0.5, 1, 1, 0.5});
    ck_assert(!gd_set_grad(ctx, x, NULL));
    gd_tensor *p = call("pow", T(x), GD_INT_VALUE(0));
    check_backward(p, x, (double[]){1, 1, 1, 1}, (double[]){0, 0, 0, 0});
    gd_release(x), gd_release(z), gd_release(y), gd_release(m), gd_release(p);
}
END_TEST

START_TEST(powers_of_zero) {
    gd_tensor *e = VECTOR(GD_FLOAT64, 0, 2, -1, NAN), *base = VECTOR(GD_FLOAT64, 0, 0, 0, 0);
    ck_assert(!gd_set_requires_grad(ctx, e, true));
    gd_tensor *y = call("pow", T(base), T(e));
    check_backward(y, e, (double[]){1, 0, INFINITY, NAN}, (double[]){0, 0, -INFINITY, NAN});
    gd_release(e), gd_release(base), gd_release(y);
}
END_TEST

START_TEST(floor_divide_has_no_derivative) {
    gd_tensor *x = VECTOR(GD_FLOAT64, 3);
    ck_assert(!gd_set_requires_grad(ctx, x, true));
    gd_tensor *y = call("floor_divide", T(x), GD_INT_VALUE(2));
    ck_assert_ptr_nonnull(y);
    ck_assert_str_eq(gd_node_name(gd_grad_fn(ctx, y)), "NotImplemented");
    ck_assert_int_ne(gd_backward(ctx, &y, 1, NULL, NULL, 0, NULL, NULL, NULL), GD_OK);
    ck_assert_str_eq(gd_ctx_error(ctx)->message, "derivative for aten::floor_divide is not implemented");
    gd_release(x), gd_release(y);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------------------------- */

START_TEST(overlap_is_refused) {
    gd_tensor *x = VECTOR(GD_FLOAT32, 1, 2, 3, 4);
    gd_tensor *tail = gd_alias(ctx, x, 1, (int64_t[]){3}, (int64_t[]){1}, 1);
    gd_tensor *head = gd_alias(ctx, x, 1, (int64_t[]){3}, (int64_t[]){1}, 0);
    gd_tensor *expanded = gd_alias(ctx, x, 1, (int64_t[]){3}, (int64_t[]){0}, 0);
    CHECK_ERROR(
        call("add_", T(tail), T(head)),
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation.");
    CHECK_ERROR(
        call("add_", T(expanded), GD_INT_VALUE(1)),
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
        "Please clone() the tensor before performing the operation.");
    gd_tensor *same = call("add_", T(head), T(head));
    CHECK(same, 2, 4, 6);
    CHECK(x, 2, 4, 6, 4);
    gd_release(x), gd_release(tail), gd_release(head), gd_release(expanded), gd_release(same);
}
END_TEST

START_TEST(results_are_laid_out_as_inputs) {
    gd_tensor *x = gd_zeros(ctx, GD_FLOAT32, 2, (int64_t[]){2, 3});
    gd_tensor *turned = gd_alias(ctx, x, 2, (int64_t[]){3, 2}, (int64_t[]){1, 3}, 0);
    gd_tensor *r = call("add", T(turned), GD_INT_VALUE(1));
    ck_assert_int_eq(gd_strides(r)[0], 1);
    ck_assert_int_eq(gd_strides(r)[1], 3);
    gd_tensor *wide = call("add", T(turned), T(x)); /* [3, 2] + [2, 3] */
    CHECK_ERROR(wide, "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1");
    gd_release(x), gd_release(turned), gd_release(r);
}
END_TEST

/* ---- instruction sets ----------------------------------------------------------------------------------------------
 */

static int64_t ulps_f64(double a, double b) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b) ? 0 : INT64_MAX;
    int64_t x, y;
    memcpy(&x, &a, 8), memcpy(&y, &b, 8);
    if (x < 0) x = INT64_MIN - x;
    if (y < 0) y = INT64_MIN - y;
    return x > y ? x - y : y - x;
}
static int64_t ulps_f32(float a, float b) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b) ? 0 : INT64_MAX;
    int32_t x, y;
    memcpy(&x, &a, 4), memcpy(&y, &b, 4);
    int64_t i = x < 0 ? (int64_t)INT32_MIN - x : x, j = y < 0 ? (int64_t)INT32_MIN - y : y;
    return i > j ? i - j : j - i;
}

enum { SAMPLES = 203 }; /* no multiple of a vector's length */

static int outputs_bytes(gd_kernel k, int element) {
    bool test = (k >= GD_K_EQ && k <= GD_K_CLOSE);
    return test ? 1 : element;
}

static void run_kernel(gd_loop loop, gd_kernel k, int element, int n, char *out, char *a, char *b) {
    const double scales64[3] = {0.25, 0.75, 0};
    const float scales32[3] = {0.25f, 0.75f, 0};
    char *data[4] = {out, a, b, b};
    int64_t strides[4] = {outputs_bytes(k, element), element, element, element};
    loop(data, strides, n, element == 4 ? (const void *)scales32 : (const void *)scales64);
}

static void compare_f32(gd_kernel k, gd_loop one, gd_loop other) {
    float a[SAMPLES], b[SAMPLES], x[SAMPLES] = {0}, y[SAMPLES] = {0};
    for (int i = 0; i < SAMPLES; i++) {
        a[i] = i == 0 ? NAN : (float)(below(2000) - 1000) / 300;
        b[i] = i == 1 ? INFINITY : (float)(below(2000) + 1) / 500;
    }
    run_kernel(one, k, 4, SAMPLES, (char *)x, (char *)a, (char *)b);
    run_kernel(other, k, 4, SAMPLES, (char *)y, (char *)a, (char *)b);
    if (outputs_bytes(k, 4) == 1) ck_assert_mem_eq(x, y, SAMPLES);
    for (int i = 0; i < SAMPLES; i++) ck_assert_msg(ulps_f32(x[i], y[i]) <= 2, "kernel %d of %g, %g", k, a[i], b[i]);
    for (int i = 0; i < SAMPLES && outputs_bytes(k, 4) == 4; i++) { /* where an element stands does not matter */
        float alone = 0;
        run_kernel(other, k, 4, 1, (char *)&alone, (char *)(a + i), (char *)(b + i));
        ck_assert_int_eq(ulps_f32(alone, y[i]), 0);
    }
}

static void compare_f64(gd_kernel k, gd_loop one, gd_loop other) {
    double a[SAMPLES], b[SAMPLES], x[SAMPLES] = {0}, y[SAMPLES] = {0};
    for (int i = 0; i < SAMPLES; i++) {
        a[i] = i == 0 ? NAN : (double)(below(2000) - 1000) / 300;
        b[i] = i == 1 ? INFINITY : (double)(below(2000) + 1) / 500;
    }
    run_kernel(one, k, 8, SAMPLES, (char *)x, (char *)a, (char *)b);
    run_kernel(other, k, 8, SAMPLES, (char *)y, (char *)a, (char *)b);
    if (outputs_bytes(k, 8) == 1) ck_assert_mem_eq(x, y, SAMPLES);
    for (int i = 0; i < SAMPLES; i++) ck_assert_msg(ulps_f64(x[i], y[i]) <= 2, "kernel %d of %g, %g", k, a[i], b[i]);
}

START_TEST(instruction_sets_agree) {
#if defined(__x86_64__)
    gd_kernel k = (gd_kernel)_i;
    if (k == GD_K_WHERE) return; /* its first input is bool */
    for (int column = 0; column < 2; column++) {
        gd_loop base =
            gd_float_loops_baseline[k][column] ? gd_float_loops_baseline[k][column] : gd_math_loops_baseline[k][column];
        gd_loop avx2 = gd_float_loops_avx2[k][column] ? gd_float_loops_avx2[k][column] : gd_math_loops_avx2[k][column];
        gd_loop avx512 =
            gd_float_loops_avx512[k][column] ? gd_float_loops_avx512[k][column] : gd_math_loops_avx512[k][column];
        if (!base) continue;
        void (*compare)(gd_kernel, gd_loop, gd_loop) = column ? compare_f64 : compare_f32;
        if (gd_cpu_isa() >= GD_ISA_AVX2) compare(k, base, avx2);
        if (gd_cpu_isa() >= GD_ISA_AVX512) compare(k, base, avx512);
    }
#endif
}
END_TEST

Suite *pointwise_suite(void) {
    Suite *s = suite_create("pointwise");
    TCase *c = tcase_create("kernels");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, iterator_walks_any_strides);
    tcase_add_test(c, iterator_takes_64_dimensions);
    tcase_add_test(c, iterator_is_row_major);
    tcase_add_test(c, iterator_skips_empty);
    tcase_add_test(c, casts_are_defined_everywhere);
    tcase_add_test(c, fill_converts);
    tcase_add_loop_test(c, instruction_sets_agree, 0, GD_K_COUNT);
    suite_add_tcase(s, c);
    c = tcase_create("rows");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, results_have_promoted_dtypes, 0, sizeof(promotions) / sizeof(*promotions));
    tcase_add_test(c, numbers_promote_least);
    tcase_add_test(c, refusals_have_pytorchs_words);
    tcase_add_test(c, integer_division_at_the_edge);
    tcase_add_test(c, integer_arithmetic_wraps);
    tcase_add_test(c, float_remainders_follow_python);
    tcase_add_loop_test(c, subgradients_are_pytorchs, 0, sizeof(subgradients) / sizeof(*subgradients));
    tcase_add_test(c, bounds_and_ties);
    tcase_add_test(c, powers_of_zero);
    tcase_add_test(c, floor_divide_has_no_derivative);
    tcase_add_test(c, overlap_is_refused);
    tcase_add_test(c, results_are_laid_out_as_inputs);
    suite_add_tcase(s, c);
    return s;
}
