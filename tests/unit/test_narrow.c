/* test_narrow.c: the dtypes of 8 and 16 bits: every bit pattern converted, ties, and what rows do with them. What
 * PyTorch computes in them is in tests/programs/narrow_*.py. */
#include "core/kernels/cast.h"
#include "core/kernels/kernels.h"
#include "core/ops/op.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERNS = 65536 };

static gd_ctx *ctx;

static void setup(void) {
    ctx = gd_ctx_new(NULL);
    ck_assert_ptr_nonnull(ctx);
}
static void teardown(void) { gd_ctx_free(ctx); }

static gd_tensor *all_patterns(gd_dtype dtype) {
    const int64_t size = PATTERNS;
    gd_tensor *t = gd_zeros(ctx, dtype, 1, &size);
    ck_assert_ptr_nonnull(t);
    for (int i = 0; i < PATTERNS; i++) memcpy(t->data + 2 * i, &(uint16_t){(uint16_t)i}, 2);
    return t;
}

static uint16_t bits_at(const gd_tensor *t, int i) {
    uint16_t bits;
    memcpy(&bits, t->data + 2 * i, 2);
    return bits;
}

/* What a pattern stands for, from the definition of the formats. */
static double meaning(gd_dtype dtype, int bits) {
    const int fraction = dtype == GD_FLOAT16 ? 10 : 7, bias = dtype == GD_FLOAT16 ? 15 : 127;
    const int exponent = (bits & 0x7fff) >> fraction, all = dtype == GD_FLOAT16 ? 31 : 255;
    const double m = (double)(bits & ((1 << fraction) - 1)), sign = bits & 0x8000 ? -1 : 1;
    if (exponent == all) return m != 0 ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0) return sign * ldexp(m, 1 - bias - fraction);
    return sign * ldexp(m + (1 << fraction), exponent - bias - fraction);
}

/* Through float32 and float64 and back, dense and strided: the same bits, NaN but for becoming quiet. */
static void round_trip(gd_dtype dtype, gd_dtype through) {
    gd_tensor *t = all_patterns(dtype), *wide = gd_as_dtype(ctx, t, through), *back = gd_as_dtype(ctx, wide, dtype);
    ck_assert_ptr_nonnull(back);
    const uint16_t quiet = dtype == GD_FLOAT16 ? 0x200 : 0x40;
    for (int i = 0; i < PATTERNS; i++) {
        double want = meaning(dtype, i);
        double got = gd_load_f64(through, wide->data + (size_t)i * gd_dtype_bytes(through));
        uint16_t bits = bits_at(back, i), same = (uint16_t)(isnan(want) ? i | quiet : i);
        ck_assert_msg(isnan(want) ? isnan(got) : got == want, "%x is %g, not %g", i, got, want);
        ck_assert_msg(bits == same, "%x came back as %x", i, bits);
        ck_assert(isnan(want) || gd_load_f64(dtype, t->data + 2 * i) == want);
    }
    gd_release(t);
    gd_release(wide);
    gd_release(back);
}

START_TEST(every_pattern_survives) {
    round_trip(GD_FLOAT16, GD_FLOAT32);
    round_trip(GD_FLOAT16, GD_FLOAT64);
    round_trip(GD_BFLOAT16, GD_FLOAT32);
    round_trip(GD_BFLOAT16, GD_FLOAT64);
}
END_TEST

static uint16_t rounded(gd_dtype dtype, float v) { /* by the vector loop and the plain one, which agree */
    float block[9];
    uint16_t out[9];
    for (int i = 0; i < 9; i++) block[i] = v;
    gd_cast_loop(dtype, GD_FLOAT32)((char *const[]){(char *)out, (char *)block}, (const int64_t[]){2, 4}, 9, NULL);
    ck_assert_msg(out[0] == out[8] || isnan(v), "%a: %x and %x", (double)v, out[0], out[8]);
    return out[0];
}

/* Between two neighbours: the middle goes to the even one, what is beside it to the nearer one. */
START_TEST(ties_go_to_even) {
    for (int d = 0; d < 2; d++) {
        const gd_dtype dtype = d ? GD_BFLOAT16 : GD_FLOAT16;
        const int last = d ? 0x7f7f : 0x7bff;
        for (int i = 0; i < last; i++) {
            const double a = meaning(dtype, i), b = meaning(dtype, i + 1);
            const float middle = (float)((a + b) / 2);
            if (d && i < 0x80) continue; /* float32 has no middle there that is normal */
            ck_assert_int_eq(rounded(dtype, middle), i + (i & 1));
            ck_assert_int_eq(rounded(dtype, nextafterf(middle, 0)), i);
            ck_assert_int_eq(rounded(dtype, nextafterf(middle, INFINITY)), i + 1);
            ck_assert_int_eq(rounded(dtype, -middle), 0x8000 | (i + (i & 1)));
        }
    }
    ck_assert_int_eq(rounded(GD_FLOAT16, 65519), 0x7bff);
    ck_assert_int_eq(rounded(GD_FLOAT16, 65520), 0x7c00);
    ck_assert_int_eq(rounded(GD_FLOAT16, 0x1p-25f), 0);
    ck_assert_int_eq(rounded(GD_FLOAT16, 0x1.8p-25f), 1);
    ck_assert_int_eq(rounded(GD_BFLOAT16, 0x1.fffffep127f), 0x7f80);
}
END_TEST

/* Too large and too small for the type: cut to its bits, as PyTorch's loops do. */
START_TEST(integers_are_cut) {
    const int64_t size = 4, values[] = {300, -129, 70000, -1};
    gd_tensor *t = gd_from_bytes(ctx, GD_INT64, 1, &size, values, sizeof values);
    gd_tensor *bytes = gd_as_dtype(ctx, t, GD_INT8), *shorts = gd_as_dtype(ctx, t, GD_INT16);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_ptr_nonnull(shorts);
    for (int i = 0; i < size; i++) {
        ck_assert_int_eq(gd_load_i64(GD_INT8, bytes->data + i), (int8_t)values[i]);
        ck_assert_int_eq(gd_load_i64(GD_INT16, shorts->data + 2 * i), (int16_t)values[i]);
    }
    gd_release(t);
    gd_release(bytes);
    gd_release(shorts);
}
END_TEST

/* Views, strided reads and in-place writes leave what is not theirs alone. */
START_TEST(in_place_writes_what_is_its_own) {
    const int64_t sizes[] = {2, 3};
    gd_tensor *t = gd_zeros(ctx, GD_BFLOAT16, 2, sizes);
    const gd_value at[] = {GD_TENSOR_VALUE(t), GD_INT_VALUE(1), GD_INT_VALUE(1)};
    gd_tensor *column = gd_call1(ctx, "select", at, 3), *one = gd_scalar_f64(ctx, 1.5, GD_FLOAT32);
    const gd_value add[] = {GD_TENSOR_VALUE(column), GD_TENSOR_VALUE(one)};
    gd_release(gd_call1(ctx, "add_", add, 2));
    uint16_t out[6];
    gd_read_bytes(t, out);
    for (int i = 0; i < 6; i++) ck_assert_int_eq(out[i], i % 3 == 1 ? 0x3fc0 : 0);
    gd_release(column);
    gd_release(one);
    gd_release(t);
}
END_TEST

Suite *narrow_suite(void);
Suite *narrow_suite(void) {
    Suite *s = suite_create("narrow");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, every_pattern_survives);
    tcase_add_test(c, ties_go_to_even);
    tcase_add_test(c, integers_are_cut);
    tcase_add_test(c, in_place_writes_what_is_its_own);
    suite_add_tcase(s, c);
    return s;
}
