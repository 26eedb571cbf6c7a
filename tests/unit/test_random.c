/* test_random.c: random numbers are PyTorch's, bit for bit, against values recorded by record_random.py. */
#include <stdio.h>
#include <stdlib.h>

#include "core/kernels/rng.h"
#include "tests/unit/op_helpers.h"

static uint64_t fnv1a(const void *data, size_t n) {
    const unsigned char *p = data;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static void seed_with(int64_t seed) {
    gd_result result;
    ck_assert_int_eq(gd_call(ctx, "manual_seed", VALUES(I_(seed)), NULL, 0, NULL, &result), GD_OK);
    ck_assert(result.has_value);
    gd_result_clear(&result);
}

static gd_tensor *call_with(const char *name, const gd_value *args, int nargs, gd_dtype dtype) {
    const gd_kwarg kwargs[] = {{"dtype", GD_DTYPE_VALUE(dtype)}};
    gd_result result;
    gd_code code = gd_call(ctx, name, args, nargs, kwargs, 1, NULL, &result);
    ck_assert_msg(code == GD_OK, "%s: %s", name, gd_ctx_error(ctx)->message);
    gd_tensor *t = gd_retain(result.outputs[0]);
    gd_result_clear(&result);
    return t;
}

static gd_tensor *written(const char *name, gd_dtype dtype, int64_t n, gd_value a, gd_value b, int nargs) {
    gd_tensor *t = gd_zeros(ctx, dtype, 1, &n);
    const gd_value args[] = {T_(t), a, b};
    gd_release(called(name, args, nargs));
    return t;
}

static gd_tensor *drawn(const char *op, gd_dtype dtype, int64_t n) {
    const gd_value size = GD_INTS_VALUE(&n, 1);
    if (!strcmp(op, "rand") || !strcmp(op, "randn")) return call_with(op, &size, 1, dtype);
    if (!strcmp(op, "randint")) return CALL("randint", I_(-3), I_(10), size);
    if (!strcmp(op, "randint_wide")) return CALL("randint", I_(INT64_C(1) << 40), size);
    if (!strcmp(op, "randperm")) return CALL("randperm", I_(n));
    if (!strcmp(op, "uniform_")) return written(op, dtype, n, GD_FLOAT_VALUE(-1.5), GD_FLOAT_VALUE(3.25), 3);
    if (!strcmp(op, "normal_")) return written(op, dtype, n, GD_FLOAT_VALUE(2.5), GD_FLOAT_VALUE(0.3), 3);
    ck_assert_str_eq(op, "bernoulli_");
    return written(op, dtype, n, GD_FLOAT_VALUE(0.3), NONE_, 2);
}

START_TEST(test_recorded_draws) {
    FILE *file = fopen("tests/unit/data/random_cases.txt", "r");
    ck_assert_msg(file != NULL, "tests/unit/data/random_cases.txt is missing");
    char line[256], op[32], type[16];
    long long seed, n, last_seed = 1, last_n = -1;
    unsigned long long check;
    int cases = 0;
    while (fgets(line, sizeof line, file)) {
        gd_dtype dtype;
        ck_assert_int_eq(sscanf(line, "%31s %15s %lld %lld %llx", op, type, &seed, &n, &check), 5);
        ck_assert(gd_dtype_parse(type, &dtype));
        if (seed != last_seed || n != last_n) seed_with(seed);
        last_seed = seed;
        last_n = n;
        gd_tensor *t = drawn(op, dtype, n);
        ck_assert_int_eq(gd_numel(t), n);
        ck_assert_msg(fnv1a(gd_contiguous_data(t), gd_nbytes(t)) == check, "differs from PyTorch: %s", line);
        gd_release(t);
        cases++;
    }
    fclose(file);
    ck_assert_int_gt(cases, 3000);
}
END_TEST

/* Small draws come in pairs; the second of a pair waits in the generator until it is seeded. */
START_TEST(test_cached_normal) {
    gd_generator g;
    gd_generator_seed(&g, 0);
    double first = gd_generator_normal(&g);
    ck_assert(g.has_cached_normal);
    ck_assert_double_eq_tol(first, 1.5409960746765137, 1e-7);
    gd_generator_u32(&g);
    ck_assert_double_eq_tol(gd_generator_normal(&g), -0.293428897857666, 1e-7);
    gd_generator_normal(&g);
    gd_generator_seed(&g, 0);
    ck_assert(!g.has_cached_normal);
}
END_TEST

START_TEST(test_known_numbers) {
    seed_with(0);
    gd_tensor *r = CALL("rand", INTS_(5));
    HAS(r, 0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688, 0.30742281675338745);
    seed_with(0);
    gd_tensor *n = CALL("randn", INTS_(5));
    HAS(n, 1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991, -1.0845223665237427);
    DROP(r, n);
}
END_TEST

/* A write through strides draws in the order of memory. */
START_TEST(test_strided) {
    gd_tensor *plain = COUNTED(GD_FLOAT64, 3, 4), *base = COUNTED(GD_FLOAT64, 3, 4);
    gd_tensor *turned = CALL("t", T_(base));
    seed_with(7);
    gd_release(CALL("uniform_", T_(plain)));
    seed_with(7);
    gd_release(CALL("uniform_", T_(turned)));
    for (int i = 0; i < 12; i++) ck_assert_double_eq(element(base, i), element(plain, i));
    DROP(plain, turned, base);
}
END_TEST

START_TEST(test_refusals) {
    gd_tensor *t = COUNTED(GD_FLOAT32, 3), *whole = COUNTED(GD_INT64, 3);
    REFUSED("randint", "random_ expects 'from' to be less than 'to', but got from=5 >= to=3", I_(5), I_(3), INTS_(2));
    REFUSED("randn", "Trying to create tensor with negative dimension -1: [-1]", INTS_(-1));
    REFUSED("uniform_", "uniform_ expects to return a [from, to) range, but found from=2 > to=1", T_(t),
            GD_FLOAT_VALUE(2), GD_FLOAT_VALUE(1));
    REFUSED("normal_", "normal expects std >= 0.0, but found std -1", T_(t), GD_FLOAT_VALUE(0), GD_FLOAT_VALUE(-1));
    REFUSED("bernoulli_", "bernoulli_ expects p to be in [0, 1], but got p=1.5", T_(t), GD_FLOAT_VALUE(1.5));
    REFUSED("normal_", "\"normal_kernel_cpu\" not implemented for 'Long'", T_(whole));
    REFUSED("rand_like", "\"check_uniform_bounds\" not implemented for 'Long'", T_(whole));
    DROP(t, whole);
}
END_TEST

START_TEST(test_requires_grad) {
    const gd_kwarg kwargs[] = {{"requires_grad", GD_BOOL_VALUE(true)}};
    gd_result result;
    ck_assert_int_eq(gd_call(ctx, "randn", VALUES(INTS_(2, 2)), kwargs, 1, NULL, &result), GD_OK);
    ck_assert(gd_requires_grad(result.outputs[0]) && gd_is_leaf(result.outputs[0]));
    gd_result_clear(&result);
    ck_assert_int_ne(gd_call(ctx, "randint", VALUES(I_(5), INTS_(2)), kwargs, 1, NULL, &result), GD_OK);
    ck_assert_str_eq(gd_ctx_error(ctx)->message,
                     "Only Tensors of floating point and complex dtype can require gradients");
}
END_TEST

Suite *random_suite(void);
Suite *random_suite(void) {
    Suite *suite = suite_create("random");
    TCase *tests = tcase_create("random");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_recorded_draws);
    tcase_add_test(tests, test_cached_normal);
    tcase_add_test(tests, test_known_numbers);
    tcase_add_test(tests, test_strided);
    tcase_add_test(tests, test_refusals);
    tcase_add_test(tests, test_requires_grad);
    suite_add_tcase(suite, tests);
    return suite;
}
