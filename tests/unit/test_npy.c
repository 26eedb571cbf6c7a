/* test_npy.c: headers of .npy files, good and bad. */
#include "api/npy.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char *why;

/* A version 1 file with this dict. */
static gd_npy_status read_dict(const char *dict, gd_npy *out) {
    char bytes[4096] = "\x93NUMPY\x01";
    size_t n = strlen(dict);
    bytes[8] = (char)(n & 255);
    bytes[9] = (char)(n >> 8);
    memcpy(bytes + 10, dict, n);
    return gd_npy_read(bytes, 10 + n, out, &why);
}

START_TEST(what_is_written_is_read) {
    int64_t sizes[GD_MAX_DIMS];
    char head[GD_NPY_WRITE_MAX];
    for (int ndim = 0; ndim <= GD_MAX_DIMS; ndim++)
        for (int d = 0; d < GD_DTYPE_COUNT; d++) {
            if (!gd_npy_knows((gd_dtype)d)) continue;
            for (int i = 0; i < ndim; i++) sizes[i] = i % 3 ? INT64_MAX : i;
            size_t n = gd_npy_write(head, (gd_dtype)d, ndim, sizes);
            gd_npy form;
            ck_assert_uint_eq(n % 64, 0);
            ck_assert_int_eq(gd_npy_read(head, n, &form, &why), GD_NPY_OK);
            ck_assert(form.dtype == (gd_dtype)d && form.ndim == ndim && !form.fortran && !form.swapped &&
                      form.header_bytes == n);
            ck_assert(!memcmp(form.sizes, sizes, (size_t)ndim * sizeof *sizes));
            for (size_t cut = 0; cut < n; cut += 7) ck_assert_int_eq(gd_npy_read(head, cut, &form, &why), GD_NPY_MORE);
        }
}
END_TEST

START_TEST(numpy_s_own_headers_are_read) {
    gd_npy form;
    ck_assert_int_eq(read_dict("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), }      \n", &form), GD_NPY_OK);
    ck_assert(form.dtype == GD_FLOAT64 && form.fortran && form.ndim == 2 && form.sizes[1] == 4);
    ck_assert_int_eq(read_dict("{'descr': '>i4', 'fortran_order': False, 'shape': (5,), }\n", &form), GD_NPY_OK);
    ck_assert(form.dtype == GD_INT32 && form.swapped && form.ndim == 1);
    ck_assert_int_eq(read_dict("{'shape': (), 'descr': '|b1', 'fortran_order': False}", &form), GD_NPY_OK);
    ck_assert(form.dtype == GD_BOOL && form.ndim == 0);
    char v2[] = "\x93NUMPY\x02\x00\x3a\x00\x00\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}  ";
    ck_assert_int_eq(gd_npy_read(v2, sizeof v2 - 1, &form, &why), GD_NPY_OK);
    ck_assert(form.dtype == GD_FLOAT32 && form.sizes[1] == 3);
}
END_TEST

START_TEST(bad_headers_are_refused) {
    static const char *const bad[] = {"",
                                      "{",
                                      "{}",
                                      "{'descr': '<f8'}",
                                      "{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}",
                                      "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}",
                                      "{'descr': '<f8', 'fortran_order': 1, 'shape': (1,)}",
                                      "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
                                      "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                                      "{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
                                      "{'descr': '<f8', 'descr': '<f8', 'shape': (1,)}",
                                      "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x",
                                      "{'a': 1}",
                                      "{'descr': 'f8', 'fortran_order': False, 'shape': ()}",
                                      "{'descr': '<f8, 'fortran_order': False, 'shape': ()}",
                                      "{'descr': '<f8' 'fortran_order': False}"};
    gd_npy form;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(read_dict(bad[i], &form) == GD_NPY_BAD, "%s was accepted", bad[i]);
    ck_assert_int_eq(gd_npy_read("\x93NUMPZ\x01\x00", 8, &form, &why), GD_NPY_BAD);
    ck_assert_int_eq(gd_npy_read("\x93NUMPY\x04\x00", 8, &form, &why), GD_NPY_BAD);
    ck_assert_int_eq(gd_npy_read("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12, &form, &why), GD_NPY_BAD);
    ck_assert_int_eq(gd_npy_read("PK", 2, &form, &why), GD_NPY_BAD);
}
END_TEST

START_TEST(bytes_are_swapped) {
    unsigned char v[] = {1, 2, 3, 4, 5, 6, 7, 8};
    gd_npy_swap(v, 2, 4);
    ck_assert(v[0] == 4 && v[3] == 1 && v[4] == 8);
    gd_npy_swap(v, 1, 8);
    ck_assert(v[0] == 5 && v[7] == 4);
}
END_TEST

Suite *npy_suite(void);
Suite *npy_suite(void) {
    Suite *suite = suite_create("npy");
    TCase *tc = tcase_create("npy");
    tcase_add_test(tc, what_is_written_is_read);
    tcase_add_test(tc, numpy_s_own_headers_are_read);
    tcase_add_test(tc, bad_headers_are_refused);
    tcase_add_test(tc, bytes_are_swapped);
    suite_add_tcase(suite, tc);
    return suite;
}
