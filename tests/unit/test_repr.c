/* test_repr.c: tensors print as PyTorch printed them (data/repr_cases.txt, written by record_repr.py), and
 * what PyTorch cannot be asked. REPR_CASES names another file of cases. */
#include "core/tensor/tensor.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

Suite *repr_suite(void);

typedef struct repr_case {
    gd_dtype dtype;
    bool requires_grad, multiplied, transposed;
    int ndim;
    int64_t sizes[GD_MAX_DIMS];
    char *data; /* "hex:…" or "ramp:…" */
} repr_case;

static bool parse_case(char *line, repr_case *c) {
    char *save, *dtype = strtok_r(line, " ", &save), *flags = strtok_r(NULL, " ", &save);
    char *shape = strtok_r(NULL, " ", &save);
    c->data = strtok_r(NULL, " \n", &save);
    if (!c->data || !gd_dtype_parse(dtype, &c->dtype)) return false;
    c->requires_grad = strchr(flags, 'g') != NULL;
    c->multiplied = strchr(flags, 'm') != NULL;
    c->transposed = strchr(flags, 't') != NULL;
    c->ndim = 0;
    if (*shape == '-') return true;
    for (char *size = strtok_r(shape, ",", &save); size; size = strtok_r(NULL, ",", &save))
        c->sizes[c->ndim++] = strtoll(size, NULL, 10);
    return true;
}

static void fill_hex(gd_tensor *t, const char *hex) {
    for (size_t i = 0; i < gd_nbytes(t); i++) {
        unsigned byte = 0;
        ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        t->data[i] = (char)byte;
    }
}

static void fill_ramp(gd_tensor *t, const char *spec) {
    char *rest;
    double start = strtod(spec, &rest), step = strtod(rest + 1, NULL);
    size_t width = gd_dtype_bytes(gd_dtype_of(t));
    for (int64_t i = 0; i < t->numel; i++)
        gd_store_f64(gd_dtype_of(t), t->data + (size_t)i * width, start + (double)i * step);
}

static gd_tensor *reversed(gd_ctx *ctx, gd_tensor *t) {
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    for (int i = 0; i < t->ndim; i++) {
        sizes[i] = t->sizes[t->ndim - 1 - i];
        strides[i] = GD_STRIDES(t)[t->ndim - 1 - i];
    }
    gd_tensor *r = gd_alias(ctx, t, t->ndim, sizes, strides, 0);
    gd_release(t);
    return r;
}

static gd_tensor *times_one(gd_ctx *ctx, gd_tensor *t) {
    gd_tensor *one = gd_scalar_f64(ctx, 1, gd_dtype_of(t)), *product;
    ck_assert_ptr_nonnull(one);
    t->flags |= GD_F_REQUIRES_GRAD;
    product = gd_mul(ctx, t, one);
    ck_assert_msg(product != NULL, "%s", gd_ctx_error(ctx)->message);
    gd_release(one);
    gd_release(t);
    return product;
}

static gd_tensor *case_tensor(gd_ctx *ctx, const repr_case *c) {
    gd_tensor *t = gd_zeros(ctx, c->dtype, c->ndim, c->sizes);
    ck_assert_ptr_nonnull(t);
    if (strncmp(c->data, "hex:", 4) == 0)
        fill_hex(t, c->data + 4);
    else
        fill_ramp(t, c->data + 5);
    if (c->transposed) t = reversed(ctx, t);
    if (c->multiplied) return times_one(ctx, t);
    if (c->requires_grad) t->flags |= GD_F_REQUIRES_GRAD;
    return t;
}

/* Compares and frees; says which case differs. True if equal. */
static bool check_text(gd_ctx *ctx, const repr_case *c, int number, const char *expected) {
    gd_tensor *t = case_tensor(ctx, c);
    char *text = gd_repr(ctx, t);
    ck_assert_ptr_nonnull(text);
    bool same = strcmp(text, expected) == 0;
    if (!same) fprintf(stderr, "case %d: expected\n%s\ngot\n%s\n", number, expected, text);
    free(text);
    gd_release(t);
    return same;
}

START_TEST(prints_as_pytorch) {
    const char *path = getenv("REPR_CASES");
    FILE *file = fopen(path ? path : "tests/unit/data/repr_cases.txt", "r");
    ck_assert_msg(file != NULL, "no cases: run in the project's root");
    gd_ctx *ctx = gd_ctx_new(NULL);
    char *line = NULL, *expected = calloc(1, 1 << 20), *header = NULL;
    size_t capacity = 0, length = 0;
    int cases = 0, different = 0;
    repr_case c;
    for (bool more = true; more;) {
        more = getline(&line, &capacity, file) > 0;
        if (more && line[0] == '|') {
            length += (size_t)snprintf(expected + length, (1u << 20) - length, "%s", line + 1);
            continue;
        }
        if (header) {
            expected[length - 1] = '\0';
            different += !check_text(ctx, &c, ++cases, expected);
        }
        free(header);
        header = more ? strdup(line) : NULL;
        if (header) ck_assert(parse_case(header, &c));
        length = 0;
    }
    free(line);
    free(expected);
    fclose(file);
    gd_ctx_free(ctx);
    ck_assert_int_ge(cases, 300);
    ck_assert_msg(different == 0, "%d of %d cases differ", different, cases);
}
END_TEST

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

START_TEST(huge_tensors_are_quick) {
    gd_ctx *ctx = gd_ctx_new(NULL);
    int64_t n = 20000000;
    gd_tensor *t = gd_zeros(ctx, GD_FLOAT32, 1, &n);
    ck_assert_ptr_nonnull(t);
    double start = seconds();
    char *text = gd_repr(ctx, t);
    ck_assert(seconds() - start < 0.1);
    ck_assert_str_eq(text, "tensor([0., 0., 0.,  ..., 0., 0., 0.])");
    free(text);
    gd_release(t);
    gd_ctx_free(ctx);
}
END_TEST

/* One element expanded to 2**62 elements in 62 dimensions: PyTorch would print for ever. */
START_TEST(endless_tensors_are_elided) {
    gd_ctx *ctx = gd_ctx_new(NULL);
    int64_t sizes[62], strides[62];
    for (int i = 0; i < 62; i++) sizes[i] = 2, strides[i] = 0;
    gd_tensor *one = gd_scalar_f64(ctx, 1, GD_FLOAT64), *t = gd_alias(ctx, one, 62, sizes, strides, 0);
    char *text = gd_repr(ctx, t), *end;
    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(strncmp(text, "tensor(...,\n       size=(2, 2, 2, ", 33), 0);
    end = strstr(text, "2),\n       dtype=torch.float64)");
    ck_assert_ptr_nonnull(end);
    free(text);
    gd_release(t);
    gd_release(one);
    gd_ctx_free(ctx);
}
END_TEST

Suite *repr_suite(void) {
    Suite *suite = suite_create("repr");
    TCase *tcase = tcase_create("repr");
    tcase_add_test(tcase, prints_as_pytorch);
    tcase_add_test(tcase, huge_tensors_are_quick);
    tcase_add_test(tcase, endless_tensors_are_elided);
    suite_add_tcase(suite, tcase);
    return suite;
}
