/* test_json.c: numbers, documents' guard, arrays of numbers into tensors, and text written. */
#include "api/json_in.h"
#include "api/number.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static gd_fault fault;

static bool read_text(gd_body *b, const char *text) {
    fault.code = NULL;
    gd_body_init(b);
    return gd_body_read(b, text, strlen(text), &fault);
}

static void refused(const char *text, const char *code) {
    gd_body b;
    ck_assert_msg(!read_text(&b, text), "%s was accepted", text);
    ck_assert_str_eq(fault.code, code);
    gd_body_free(&b);
}

/* ---- numbers ---- */

static const char *f64_text(double v) {
    static char text[GD_NUMBER_TEXT + 1];
    *gd_write_f64(text, v) = 0;
    return text;
}

static const char *f32_text(float v) {
    static char text[GD_NUMBER_TEXT + 1];
    *gd_write_f32(text, v) = 0;
    return text;
}

START_TEST(numbers_are_written_short) {
    ck_assert_str_eq(f64_text(0.1), "0.1");
    ck_assert_str_eq(f64_text(2), "2.0");
    ck_assert_str_eq(f64_text(-0.0), "-0.0");
    ck_assert_str_eq(f64_text(1e300), "1e+300");
    ck_assert_str_eq(f64_text(5e-324), "5e-324");
    ck_assert_str_eq(f64_text(NAN), "\"NaN\"");
    ck_assert_str_eq(f64_text(-INFINITY), "\"-Infinity\"");
    ck_assert_str_eq(f32_text(0.1F), "0.1");
    ck_assert_str_eq(f32_text(4.2F), "4.2");
    ck_assert_str_eq(f32_text(16777216.0F), "1.6777216e+07");
    ck_assert_str_eq(f32_text(59.112446F), "59.112446");
}
END_TEST

START_TEST(numbers_come_back_bit_for_bit) {
    uint64_t state = 88172645463325252U;
    for (int i = 0; i < 200000; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        double v, back;
        float f, fback;
        uint32_t low = (uint32_t)state;
        memcpy(&v, &state, sizeof v);
        memcpy(&f, &low, sizeof f);
        char text[GD_NUMBER_TEXT], *end;
        if (isfinite(v)) {
            end = gd_write_f64(text, v);
            ck_assert_ptr_eq(gd_read_f64(text, end, &back), end);
            ck_assert(!memcmp(&v, &back, sizeof v));
        }
        if (isfinite(f)) {
            end = gd_write_f32(text, f);
            ck_assert_ptr_eq(gd_read_f64(text, end, &back), end);
            fback = (float)back;
            ck_assert(!memcmp(&f, &fback, sizeof f));
        }
    }
}
END_TEST

START_TEST(only_json_numbers_are_read) {
    static const char *const bad[] = {"", "-", "+1", ".5", "1.", "01", "-01", "inf", "nan", "e5", "--1"};
    double v;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *end = bad[i] + strlen(bad[i]);
        ck_assert_msg(gd_read_f64(bad[i], end, &v) != end || end == bad[i], "%s was read", bad[i]);
    }
    ck_assert_ptr_nonnull(gd_read_f64("1e999", (const char *)"1e999" + 5, &v));
    const char *huge = "-1e999", *tiny = "1e-999", *null = "-0";
    ck_assert(gd_read_f64(huge, huge + 6, &v) && v == -INFINITY);
    ck_assert(gd_read_f64(tiny, tiny + 6, &v) && v == 0);
    ck_assert(gd_read_f64(null, null + 2, &v) && v == 0 && signbit(v));
}
END_TEST

/* ---- the guard ---- */

START_TEST(documents_are_read) {
    gd_body b;
    ck_assert(read_text(&b, "{\"op\":\"add\",\"args\":[\"x\",1.5,[1,2]],\"kwargs\":{\"alpha\":-0.0}}"));
    ck_assert_str_eq(json_string_value(json_object_get(b.root, "op")), "add");
    ck_assert_uint_eq(json_array_size(json_object_get(b.root, "args")), 3);
    gd_body_free(&b);
    ck_assert(read_text(&b, "  \n ") && !b.root);
    gd_body_free(&b);
    ck_assert(read_text(&b, "{\"a\":NaN,\"b\":-Infinity,\"c\":123456789012345678901234567890,\"d\":1e999}"));
    ck_assert_str_eq(json_string_value(json_object_get(b.root, "a")), "NaN");
    ck_assert_str_eq(json_string_value(json_object_get(b.root, "b")), "-Infinity");
    ck_assert(json_real_value(json_object_get(b.root, "c")) == 123456789012345678901234567890.0);
    ck_assert_str_eq(json_string_value(json_object_get(b.root, "d")), "Infinity");
    gd_body_free(&b);
}
END_TEST

START_TEST(malformed_documents_are_refused) {
    static const char *const bad[] = {"{",
                                      "{\"data\":[1,}",
                                      "[1,2",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":\"\\u0000\"}",
                                      "nul",
                                      "{'a':1}",
                                      "[1]x",
                                      "{\"a\":\"\\u00011\"}",
                                      "{\"a\":\"\x01\"}",
                                      "\xff\xfe{}",
                                      "{\"a\":\"\xc0\x80\"}",
                                      "[01]",
                                      "[1.]",
                                      "[NaNx]",
                                      "{\"a\":tru}",
                                      "}",
                                      "]",
                                      "\"a",
                                      "{\"a\":[1,2}",
                                      "[-]",
                                      "{\"a\" 1}",
                                      "[Infinit]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refused(bad[i], "malformed_json");
    refused("{\"a\":\n  [1,\n x]}", "malformed_json");
    ck_assert_int_eq(fault.line, 3);
}
END_TEST

START_TEST(deep_documents_are_refused) {
    char text[400];
    memset(text, '[', 200);
    memset(text + 200, ']', 199);
    text[399] = 0;
    refused(text, "too_deep");
    memset(text, '[', 399);
    refused(text, "too_deep");
    for (int i = 0; i < 70; i++) memcpy(text + 5 * i, "{\"a\":", 5);
    text[350] = 0;
    refused(text, "too_deep");
}
END_TEST

START_TEST(too_many_values_are_refused) {
    size_t n = 300000;
    char *text = malloc(3 * n + 3), *p = text;
    *p++ = '[';
    for (size_t i = 0; i < n; i++) memcpy(p, "{},", 3), p += 3;
    memcpy(p - 1, "]", 2);
    refused(text, "too_many_values");
    free(text);
}
END_TEST

/* ---- arrays of numbers ---- */

static gd_ctx *ctx;

static gd_tensor *tensor_of(const char *text, const gd_dtype *dtype) {
    gd_body b = {.text = text, .length = strlen(text)};
    gd_numbers n;
    const char *stop, *open[GD_JSON_DEPTH + 1];
    int nopen;
    fault.code = NULL;
    if (!gd_numbers_scan(text, text + strlen(text), &n, &stop, open, &nopen)) return NULL;
    return gd_numbers_tensor(&b, &n, ctx, dtype, &fault);
}

START_TEST(number_arrays_become_tensors) {
    gd_tensor *t = tensor_of(" [ [1, 2.5] , [-0.0,\n1e3],[NaN,\"-Infinity\"] ] " + 1, NULL);
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(gd_dtype_of(t), GD_FLOAT32);
    ck_assert(gd_ndim(t) == 2 && gd_sizes(t)[0] == 3 && gd_sizes(t)[1] == 2);
    const float *v = gd_contiguous_data(t);
    ck_assert(v[0] == 1 && v[1] == 2.5F && signbit(v[2]) && v[3] == 1000 && isnan(v[4]) && v[5] == -INFINITY);
    gd_release(t);
    t = tensor_of("[9223372036854775807,-9223372036854775808]", NULL);
    ck_assert_int_eq(gd_dtype_of(t), GD_INT64);
    ck_assert(((const int64_t *)gd_contiguous_data(t))[1] == INT64_MIN);
    gd_release(t);
    t = tensor_of("[true,false]", NULL);
    ck_assert_int_eq(gd_dtype_of(t), GD_BOOL);
    gd_release(t);
    t = tensor_of("[[],[]]", NULL);
    ck_assert(gd_ndim(t) == 2 && gd_numel(t) == 0 && gd_sizes(t)[0] == 2);
    gd_release(t);
    gd_dtype f64 = GD_FLOAT64;
    t = tensor_of("[[0.1]]", &f64);
    ck_assert(*(const double *)gd_contiguous_data(t) == 0.1);
    gd_release(t);
}
END_TEST

START_TEST(ragged_and_wrong_arrays_are_refused) {
    ck_assert_ptr_null(tensor_of("[[1,2],[3,4,5]]", NULL));
    ck_assert_str_eq(fault.code, "bad_value");
    ck_assert_str_eq(fault.detail, "expected sequence of length 2 at dim 1 (got 3)");
    ck_assert_ptr_null(tensor_of("[[1],2]", NULL));
    ck_assert_str_eq(fault.detail, "not a sequence");
    ck_assert_ptr_null(tensor_of("[1,02]", NULL));
    ck_assert_str_eq(fault.code, "malformed_json");
    ck_assert_ptr_null(tensor_of("[1,-]", NULL));
    gd_dtype u8 = GD_UINT8;
    ck_assert_ptr_null(tensor_of("[300]", &u8));
    ck_assert_str_eq(fault.detail, "value cannot be converted to type uint8 without overflow");
    static const char *const no_arrays[] = {"[1,,2]", "[1", "[,1]", "[1 2]", "[\"a\"]", "[null]", "[{}]", "[1,]"};
    for (size_t i = 0; i < sizeof no_arrays / sizeof *no_arrays; i++) {
        ck_assert_ptr_null(tensor_of(no_arrays[i], NULL));
        ck_assert_ptr_null(fault.code);
    }
}
END_TEST

/* A thread keeps the trees of small documents: the same text has the same tree, and no text another's. */
START_TEST(small_documents_are_kept) {
    gd_body one, two;
    char text[600];
    ck_assert(read_text(&one, "{\"a\":[1,\"x\"]}"));
    const json_t *root = one.root;
    gd_body_free(&one);
    ck_assert(read_text(&two, "{\"a\":[1,\"x\"]}"));
    ck_assert_ptr_eq(two.root, root);
    gd_body_free(&two);
    for (int i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "{\"n\":%d,\"s\":\"%0*d\"}", i, 1 + i % 400, i);
        ck_assert(read_text(&one, text));
        ck_assert_int_eq(json_integer_value(json_object_get(one.root, "n")), i);
        ck_assert_int_eq(atoi(json_string_value(json_object_get(one.root, "s"))), i);
        gd_body_free(&one);
    }
}
END_TEST

START_TEST(large_arrays_stay_text) {
    gd_body b;
    char text[2048] = "{\"data\":[", *p = text + strlen(text);
    for (int i = 0; i < 200; i++) p += sprintf(p, "%s%d", i ? "," : "", i);
    strcpy(p, "],\"args\":[1,2]}");
    ck_assert(read_text(&b, text));
    const gd_numbers *n = gd_body_numbers(&b, json_object_get(b.root, "data"));
    ck_assert(n && n->count == 200 && n->ndim == 1 && n->has_integer && !n->has_real);
    ck_assert_ptr_null(gd_body_numbers(&b, json_object_get(b.root, "args")));
    gd_body_free(&b);
}
END_TEST

START_TEST(strings_are_escaped) {
    gd_text t = {0};
    gd_text_string(&t, "a\"\\\n\x01\xc3\xa9\xff\xed\xa0\x80");
    gd_text_put(&t, "", 1);
    ck_assert_str_eq(t.data, "\"a\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    gd_text_free(&t);
}
END_TEST

static void setup(void) { ctx = gd_ctx_new(NULL); }
static void teardown(void) { gd_ctx_free(ctx); }

Suite *json_suite(void);
Suite *json_suite(void) {
    Suite *suite = suite_create("json");
    TCase *tc = tcase_create("json");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, numbers_are_written_short);
    tcase_add_test(tc, numbers_come_back_bit_for_bit);
    tcase_add_test(tc, only_json_numbers_are_read);
    tcase_add_test(tc, documents_are_read);
    tcase_add_test(tc, malformed_documents_are_refused);
    tcase_add_test(tc, deep_documents_are_refused);
    tcase_add_test(tc, too_many_values_are_refused);
    tcase_add_test(tc, number_arrays_become_tensors);
    tcase_add_test(tc, ragged_and_wrong_arrays_are_refused);
    tcase_add_test(tc, small_documents_are_kept);
    tcase_add_test(tc, large_arrays_stay_text);
    tcase_add_test(tc, strings_are_escaped);
    suite_add_tcase(suite, tc);
    return suite;
}
