/* test_safetensors.c: reading and writing safetensors files: what is well-formed loads, what lies is refused. */
#include "api/encoding.h"
#include "api/safetensors.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* A file of this header and `data_bytes` bytes 0, 1, 2 …; *n: its length. New. */
static char *file_of(const char *header, size_t data_bytes, size_t *n) {
    size_t length = strlen(header);
    char *bytes = malloc(8 + length + data_bytes + 1);
    ck_assert_ptr_nonnull(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (char)(length >> (8 * i) & 255);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data_bytes; i++) bytes[8 + length + i] = (char)i;
    *n = 8 + length + data_bytes;
    return bytes;
}

/* What is said against the file; "" if nothing. */
static void complaint(const char *header, size_t data_bytes, gd_fault *f) {
    gd_safetensors s = {0};
    size_t n;
    char *bytes = file_of(header, data_bytes, &n);
    f->code = NULL;
    f->detail[0] = 0;
    bool ok = gd_safetensors_read(&s, bytes, n, f);
    ck_assert(ok == !f->code);
    gd_safetensors_free(&s);
    free(bytes);
}

#define T(name, dtype, shape, from, to)                                                                                \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #from "," #to "]}"

START_TEST(reads_tensors_and_metadata) {
    gd_safetensors s = {0};
    gd_fault f = {0};
    size_t n;
    char *bytes = file_of("{\"__metadata__\":{\"format\":\"pt\",\"a\":\"\\u00e9\"}," T("b", "F32", "2,1", 4, 12) "," T(
                              "a", "I32", "", 0, 4) "," T("layers/0:w", "U8", "0,3", 12, 12) "}   ",
                          12, &n);
    gd_ctx *ctx = gd_ctx_new(NULL);
    ck_assert_msg(gd_safetensors_read(&s, bytes, n, &f), "%s", f.detail);
    ck_assert_uint_eq(s.count, 3);
    ck_assert_str_eq(gd_safetensors_metadata(&s, "format"), "pt");
    ck_assert_str_eq(gd_safetensors_metadata(&s, "a"), "\xC3\xA9");
    ck_assert_ptr_null(gd_safetensors_metadata(&s, "b"));
    ck_assert_ptr_null(gd_safetensors_find(&s, "c"));
    const gd_safetensor *a = gd_safetensors_find(&s, "a"), *b = gd_safetensors_find(&s, "b");
    ck_assert(a && b && a->ndim == 0 && b->ndim == 2 && b->dtype == GD_FLOAT32);
    gd_tensor *t = gd_safetensors_tensor(ctx, &s, a, &f);
    ck_assert_int_eq(*(const int32_t *)gd_contiguous_data(t), 0x03020100);
    gd_release(t);
    t = gd_safetensors_tensor(ctx, &s, gd_safetensors_find(&s, "layers/0:w"), &f);
    ck_assert(gd_ndim(t) == 2 && gd_sizes(t)[1] == 3 && gd_numel(t) == 0);
    gd_release(t);
    gd_safetensors_free(&s);
    gd_ctx_free(ctx);
    free(bytes);
}
END_TEST

static const struct {
    const char *header;
    size_t data;
    const char *code, *says; /* says: part of the detail */
} wrong[] = {
    {"", 0, "bad_safetensors", "does not begin with a {"},
    {" {}", 0, "bad_safetensors", "does not begin with a {"},
    {"[]", 0, "bad_safetensors", "does not begin with a {"},
    {"{", 0, "bad_safetensors", "ends too early"},
    {"{}x", 0, "bad_safetensors", "behind its end"},
    {"{}", 1, "bad_safetensors", "1 bytes at the end"},
    {"{\"a\":1}", 0, "bad_safetensors", "a should be an object"},
    {"{" T("a", "F32", "2", 0, 8) "," T("a", "F32", "2", 8, 16) "}", 16, "bad_safetensors",
     "Tensor a: its name comes twice"},
    {"{" T("a", "F32", "2", 0, 8) "," T("b", "F32", "2", 4, 12) "}", 12, "bad_safetensors",
     "Tensor b: its data overlaps"},
    {"{" T("a", "F32", "2", 0, 8) "," T("b", "F32", "2", 0, 8) "}", 8, "bad_safetensors",
     "Tensor b: its data overlaps"},
    {"{" T("a", "F32", "2", 0, 8) "," T("b", "F32", "2", 9, 17) "}", 17, "bad_safetensors",
     "Tensor b: there is a hole"},
    {"{" T("a", "F32", "2", 8, 16) "}", 16, "bad_safetensors", "Tensor a: there is a hole"},
    {"{" T("a", "F32", "2", 0, 8) "," T("b", "F32", "0", 4, 4) "}", 8, "bad_safetensors",
     "Tensor b: its data overlaps"},
    {"{" T("a", "F32", "0", 2, 2) "}", 2, "bad_safetensors", "Tensor a: there is a hole"},
    {"{" T("a", "F32", "2", 0, 8) "}", 7, "bad_safetensors", "Tensor a: its data ends behind the end"},
    {"{" T("a", "F32", "2", 0, 7) "}", 7, "bad_safetensors", "Tensor a: its data is not as long"},
    {"{" T("a", "F32", "2", 8, 0) "}", 8, "bad_safetensors", "Tensor a: its data ends before it begins"},
    {"{" T("a", "F32", "2", -8, 0) "}", 8, "bad_safetensors", "Tensor a: its data ends before it begins"},
    {"{" T("a", "F32", "-2", 0, 8) "}", 8, "bad_safetensors", "Tensor a: a size is negative"},
    {"{" T("a", "F32", "4294967296,4294967296,4", 0, 0) "}", 0, "bad_safetensors", "Tensor a: its data is not as long"},
    {"{" T("a", "F32", "4611686018427387904", 0, 0) "}", 0, "bad_safetensors", "Tensor a: its data is not as long"},
    {"{" T("a", "F32", "9223372036854775808", 0, 0) "}", 0, "bad_safetensors", "whole number"},
    {"{" T("a", "F32", "2.0", 0, 8) "}", 8, "bad_safetensors", "whole number"},
    {"{" T("a", "F32", "2", 0, 18446744073709551615) "}", 8, "bad_safetensors", "whole number"},
    {"{" T("a", "F31", "2", 0, 8) "}", 8, "dtype_mismatch", "Tensor a has dtype F31"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 0, "bad_safetensors",
     "Tensor a: dtype, shape or data_offsets is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "bad_safetensors",
     "Tensor a: a key comes twice"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "bad_safetensors", "two numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", 8, "bad_safetensors", "two numbers"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "bad_safetensors", "string was expected"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "bad_safetensors", "comes twice"},
    {"{\"a\\u0000b\":{}}", 0, "bad_safetensors", "no character"},
    {"{\"\xff\":{}}", 0, "bad_safetensors", "byte that JSON does not allow"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],}}", 8, "bad_safetensors",
     "nothing behind this comma"},
    {"{\"a\":{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 0, "bad_safetensors",
     "64 deep"},
};

START_TEST(refuses_files_that_lie) {
    gd_fault f;
    complaint(wrong[_i].header, wrong[_i].data, &f);
    ck_assert_msg(f.code && !strcmp(f.code, wrong[_i].code) && strstr(f.detail, wrong[_i].says), "%s\n%s: %s",
                  wrong[_i].header, f.code ? f.code : "-", f.detail);
}
END_TEST

START_TEST(passes_over_what_it_does_not_know) {
    gd_fault f;
    complaint("{\"a\":{\"x\":[{\"y\":[1,\"]}\",{}]},[],null],\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
              8, &f);
    ck_assert_msg(!f.code, "%s", f.detail);
    complaint("{}", 0, &f);
    ck_assert_msg(!f.code, "%s", f.detail);
}
END_TEST

START_TEST(refuses_lying_lengths) {
    static const char huge[16] = {0, 0, 0, 0, 0, 0, 0, 1}, longer[9] = {2, 0, 0, 0, 0, 0, 0, 0, '{'},
                      minus[10] = {-1, -1, -1, -1, -1, -1, -1, -1, '{', '}'};
    const char *files[] = {huge, longer, minus, huge};
    size_t sizes[] = {sizeof huge, sizeof longer, sizeof minus, 7};
    for (int i = 0; i < 4; i++) {
        gd_safetensors s = {0};
        gd_fault f = {0};
        ck_assert(!gd_safetensors_read(&s, files[i], sizes[i], &f));
        ck_assert_str_eq(f.code, "bad_safetensors");
        gd_safetensors_free(&s);
    }
}
END_TEST

START_TEST(writes_what_it_reads) {
    gd_ctx *ctx = gd_ctx_new(NULL);
    const int64_t sizes[] = {3};
    gd_tensor *bytes = gd_from_bytes(ctx, GD_UINT8, 1, sizes, "abc", 3), *real = gd_scalar_f64(ctx, 1.5, GD_FLOAT64);
    gd_named_tensor list[] = {{"b", bytes}, {"a \"quoted\"", real}};
    const char *const metadata[] = {"format", "gradd"};
    gd_text t = {0};
    gd_safetensors_header(&t, list, 2, metadata, 1);
    ck_assert_uint_eq(t.n % 8, 0);
    ck_assert_ptr_eq(list[0].tensor, real); /* wide ones first */
    for (int i = 0; i < 2; i++) gd_text_put(&t, gd_contiguous_data(list[i].tensor), gd_nbytes(list[i].tensor));
    gd_safetensors s = {0};
    gd_fault f = {0};
    ck_assert_msg(gd_safetensors_read(&s, t.data, t.n, &f), "%s", f.detail);
    ck_assert_uint_eq(s.count, 2);
    gd_tensor *back = gd_safetensors_tensor(ctx, &s, gd_safetensors_find(&s, "a \"quoted\""), &f);
    ck_assert(*(const double *)gd_contiguous_data(back) == 1.5);
    gd_release(back);
    gd_safetensors_free(&s);
    gd_text_free(&t);
    gd_release(bytes);
    gd_release(real);
    gd_ctx_free(ctx);
}
END_TEST

/* "hello " a hundred times over as gzip and zstd make it. */
static const unsigned char gzipped[] = {31,  139, 8,  0,  0,  0,   0,   0, 2,   3,  203, 72, 205, 201, 201, 87,
                                        200, 24,  37, 71, 73, 170, 146, 0, 243, 49, 162, 13, 88,  2,   0,   0};
static const unsigned char zstandard[] = {40,  181, 47,  253, 0,  88, 109, 0,  0,  48,  104,
                                          101, 108, 108, 111, 32, 1,  0,   79, 82, 149, 34};

START_TEST(decodes_no_more_than_it_may) {
    static const struct {
        gd_encoding encoding;
        const unsigned char *bytes;
        size_t n;
    } streams[] = {{GD_ENCODING_GZIP, gzipped, sizeof gzipped}, {GD_ENCODING_ZSTD, zstandard, sizeof zstandard}};
    char *out, doubled[256];
    size_t length;
    for (int i = 0; i < 2; i++) {
        const char *bytes = (const char *)streams[i].bytes;
        size_t n = streams[i].n;
        gd_fault f = {0};
        ck_assert_msg(gd_decode(streams[i].encoding, bytes, n, 600, &out, &length, &f), "%s", f.detail);
        ck_assert(length == 600 && !memcmp(out, "hello hello ", 12));
        free(out);
        memcpy(doubled, bytes, n); /* one stream behind the other is one body */
        memcpy(doubled + n, bytes, n);
        ck_assert(gd_decode(streams[i].encoding, doubled, 2 * n, 1200, &out, &length, &f) && length == 1200);
        free(out);
        ck_assert(!gd_decode(streams[i].encoding, bytes, n, 599, &out, &length, &f) && !out);
        ck_assert_str_eq(f.code, "body_too_large");
        for (size_t cut = 0; cut < n; cut++) {
            f.code = NULL;
            ck_assert(!gd_decode(streams[i].encoding, bytes, cut, 600, &out, &length, &f));
            ck_assert_str_eq(f.code, "bad_encoding");
        }
        f.code = NULL;
        memcpy(doubled + n, "junk", 4);
        ck_assert(!gd_decode(streams[i].encoding, doubled, n + 4, 1200, &out, &length, &f));
        ck_assert_str_eq(f.code, "bad_encoding");
    }
}
END_TEST

START_TEST(knows_the_encodings) {
    ck_assert_int_eq(gd_encoding_of(NULL), GD_ENCODING_NONE);
    ck_assert_int_eq(gd_encoding_of("identity"), GD_ENCODING_NONE);
    ck_assert_int_eq(gd_encoding_of("GZip "), GD_ENCODING_GZIP);
    ck_assert_int_eq(gd_encoding_of("zstd"), GD_ENCODING_ZSTD);
    ck_assert_int_eq(gd_encoding_of("br"), GD_ENCODING_OTHER);
    ck_assert_int_eq(gd_encoding_of("gzip, zstd"), GD_ENCODING_OTHER);
}
END_TEST

Suite *safetensors_suite(void);
Suite *safetensors_suite(void) {
    Suite *s = suite_create("safetensors");
    TCase *c = tcase_create("safetensors");
    tcase_add_test(c, reads_tensors_and_metadata);
    tcase_add_loop_test(c, refuses_files_that_lie, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(c, passes_over_what_it_does_not_know);
    tcase_add_test(c, refuses_lying_lengths);
    tcase_add_test(c, writes_what_it_reads);
    tcase_add_test(c, decodes_no_more_than_it_may);
    tcase_add_test(c, knows_the_encodings);
    suite_add_tcase(s, c);
    return s;
}
