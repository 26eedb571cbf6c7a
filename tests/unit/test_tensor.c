/* test_tensor.c: shapes, storage, budgets, sharing, values in and out. */
#include "core/tensor/tensor.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *tensor_suite(void);

static gd_ctx *ctx;

static void setup(void) {
    ctx = gd_ctx_new(NULL);
    ck_assert_ptr_nonnull(ctx);
}

static void teardown(void) {
    gd_ctx_free(ctx);
    ctx = NULL;
}

#define SIZES(...)                                                                                                     \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) { __VA_ARGS__ }

/* The last call failed with this code and text. */
static void check_error(gd_code code, const char *message) {
    const gd_error *error = gd_ctx_error(ctx);
    ck_assert_str_eq(gd_code_name(error->code), gd_code_name(code));
    ck_assert_str_eq(error->message, message);
}

static void check_list(const gd_tensor *t, int n, const double *values) {
    ck_assert_int_eq(gd_numel(t), n);
    size_t width = gd_dtype_bytes(gd_dtype_of(t));
    char *bytes = malloc(gd_nbytes(t) + 1);
    ck_assert_ptr_nonnull(bytes);
    gd_read_bytes(t, bytes);
    for (int i = 0; i < n; i++) ck_assert_double_eq(gd_load_f64(gd_dtype_of(t), bytes + (size_t)i * width), values[i]);
    free(bytes);
}
#define CHECK_VALUES(t, ...)                                                                                           \
    check_list((t), (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (const double[]){__VA_ARGS__})

/* ---- names --------------------------------------------------------------------------------- */

START_TEST(names) {
    gd_dtype d;
    ck_assert_str_eq(gd_code_name(GD_E_GRAPH_FREED), "graph_freed");
    ck_assert_str_eq(gd_code_exception(GD_E_INDEX), "IndexError");
    ck_assert_str_eq(gd_code_name((gd_code)999), "unknown");
    ck_assert_str_eq(gd_dtype_scalar_name(GD_INT64), "Long");
    ck_assert_str_eq(gd_dtype_legacy_name(GD_UINT8), "ByteTensor");
    ck_assert(gd_dtype_parse("torch.double", &d) && d == GD_FLOAT64);
    ck_assert(gd_dtype_parse("bool", &d) && d == GD_BOOL);
    ck_assert(gd_dtype_parse("long", &d) && d == GD_INT64);
    ck_assert(!gd_dtype_parse("complex64", &d) && !gd_dtype_parse("", &d) && !gd_dtype_parse("torch.", &d));
}
END_TEST

START_TEST(long_messages_are_cut_between_characters) {
    char text[2 * GD_MESSAGE_BYTES];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3) strcpy(text + i, "…");
        ck_assert_int_eq(gd_fail(ctx, GD_E_VALUE, "%s", text), GD_E_VALUE);
        size_t length = strlen(ctx->error.message);
        ck_assert_uint_gt(length, GD_MESSAGE_BYTES - 4);
        ck_assert_uint_eq((length - shift) % 3, 0);
    }
}
END_TEST

/* ---- shapes -------------------------------------------------------------------------------- */

START_TEST(numel_is_checked) {
    const int64_t big = (int64_t)1 << 62;
    int64_t n = -1, ones[65];
    for (int i = 0; i < 65; i++) ones[i] = 1;
    ck_assert_int_eq(gd_checked_numel(ctx, GD_FLOAT32, SIZES(2, 0, 3), &n), GD_OK);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(gd_checked_numel(ctx, GD_FLOAT32, 0, NULL, &n), GD_OK);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(gd_checked_numel(ctx, GD_FLOAT32, 64, ones, &n), GD_OK);
    ck_assert_int_eq(gd_checked_numel(ctx, GD_FLOAT32, 65, ones, &n), GD_E_TOO_LARGE);
    ck_assert_int_eq(gd_checked_numel(ctx, GD_FLOAT32, SIZES(2, -1, 3), &n), GD_E_SHAPE);
    check_error(GD_E_SHAPE, "Trying to create tensor with negative dimension -1: [2, -1, 3]");
    ck_assert_int_eq(gd_checked_numel(ctx, GD_FLOAT32, SIZES(big, big), &n), GD_E_TOO_LARGE);
    check_error(GD_E_TOO_LARGE,
                "Storage size calculation overflowed with sizes=[4611686018427387904, 4611686018427387904]");
    ck_assert_int_eq(gd_checked_numel(ctx, GD_UINT8, SIZES(0, big, big), &n), GD_E_TOO_LARGE);
    ck_assert_int_eq(gd_checked_numel(ctx, GD_UINT8, SIZES(INT64_MAX), &n), GD_E_TOO_LARGE);
    ck_assert_int_eq(gd_checked_numel(ctx, GD_FLOAT64, SIZES(big / 2, 1), &n), GD_E_TOO_LARGE);
    ck_assert_int_eq(gd_checked_numel(ctx, GD_FLOAT64, SIZES(big / 8, 0, 1), &n), GD_OK);
}
END_TEST

START_TEST(shapes_broadcast_and_wrap) {
    int64_t out[GD_MAX_DIMS];
    char text[24];
    int n, dim;
    ck_assert_int_eq(gd_broadcast_shape(ctx, SIZES(3, 1), SIZES(2, 1, 4), out, &n), GD_OK);
    ck_assert_str_eq(gd_shape_text(text, sizeof text, n, out), "[2, 3, 4]");
    ck_assert_int_eq(gd_broadcast_shape(ctx, SIZES(3, 0), SIZES(1), out, &n), GD_OK);
    ck_assert_str_eq(gd_shape_text(text, sizeof text, n, out), "[3, 0]");
    ck_assert_int_eq(gd_broadcast_shape(ctx, SIZES(2, 3), SIZES(2, 4), out, &n), GD_E_SHAPE);
    check_error(GD_E_SHAPE,
                "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1");
    ck_assert_int_eq(gd_wrap_dim(ctx, -1, 3, &dim), GD_OK);
    ck_assert_int_eq(dim, 2);
    ck_assert_int_eq(gd_wrap_dim(ctx, 2, 2, &dim), GD_E_INDEX);
    check_error(GD_E_INDEX, "Dimension out of range (expected to be in range of [-2, 1], but got 2)");
    ck_assert_int_eq(gd_wrap_dim(ctx, INT64_MIN, 0, &dim), GD_E_INDEX);
    ck_assert_str_eq(gd_shape_text(text, sizeof text, SIZES(1000000, 2000000, 3000000)), "[1000000, 2000000…");
    ck_assert_str_eq(gd_shape_text(text, 2, SIZES(7)), "");
    ck_assert_str_eq(gd_shape_text(text, sizeof text, 0, NULL), "[]");
    ck_assert(gd_strides_contiguous(2, (int64_t[]){1, 3}, (int64_t[]){99, 1}));
    ck_assert(gd_strides_contiguous(2, (int64_t[]){0, 3}, (int64_t[]){5, 5}));
    ck_assert(!gd_strides_contiguous(2, (int64_t[]){2, 3}, (int64_t[]){1, 2}));
}
END_TEST

/* ---- storage and accounts ------------------------------------------------------------------ */

START_TEST(accounts_are_exact) {
    gd_account *outer = gd_account_new(0, NULL), *inner = gd_account_new(0, outer);
    gd_ctx *own = gd_ctx_new(inner);
    const int64_t counts[] = {0, 1, 16, 17, 1024, 1025, 65536, 300000, 5000000};
    size_t process = gd_account_used(NULL), sum = 0;
    gd_tensor *ts[9];
    for (int i = 0; i < 9; i++) {
        ts[i] = gd_zeros(own, GD_UINT8, 1, &counts[i]);
        ck_assert_ptr_nonnull(ts[i]);
        sum += (size_t)counts[i] + sizeof(gd_storage);
        ck_assert_uint_eq(gd_account_used(inner), sum);
        ck_assert_uint_eq(gd_account_used(outer), sum);
        ck_assert_uint_eq(gd_account_used(NULL), process + sum);
    }
    gd_ctx_free(own); /* storages outlive context and handles */
    gd_account_release(inner);
    for (int i = 0; i < 9; i++) gd_release(ts[i]);
    ck_assert_uint_eq(gd_account_used(outer), 0);
    ck_assert_uint_eq(gd_account_used(NULL), process);
    gd_account_release(outer);
}
END_TEST

START_TEST(budgets_refuse) {
    gd_account *outer = gd_account_new(3000, NULL), *inner = gd_account_new(2000, outer);
    gd_ctx *a = gd_ctx_new(inner), *b = gd_ctx_new(outer);
    gd_tensor *t = gd_zeros(a, GD_UINT8, SIZES(1500)), *u;
    ck_assert_ptr_nonnull(t);
    ck_assert_ptr_null(gd_zeros(a, GD_UINT8, SIZES(500)));
    ck_assert_int_eq(gd_ctx_error(a)->code, GD_E_BUDGET);
    char text[200];
    size_t header = sizeof(gd_storage);
    snprintf(text, sizeof text,
             "memory budget exceeded: %zu bytes are needed, but %zu of the session's 2000 bytes are in use",
             500 + header, 1500 + header);
    ck_assert_str_eq(gd_ctx_error(a)->message, text);
    u = gd_zeros(b, GD_UINT8, SIZES(1300));
    ck_assert_ptr_nonnull(u);
    ck_assert_ptr_null(gd_zeros(a, GD_UINT8, SIZES(300))); /* inner has room, outer has not */
    ck_assert_uint_eq(gd_account_used(inner), 1500 + header);
    gd_release(u);
    gd_account_set_limit(inner, 0);
    u = gd_zeros(a, GD_UINT8, SIZES(800));
    ck_assert_ptr_nonnull(u);
    gd_release(u);
    gd_release(t);
    ck_assert_ptr_null(gd_zeros(a, GD_UINT8, SIZES((int64_t)1 << 40)));
    ck_assert_int_eq(gd_ctx_error(a)->code, GD_E_BUDGET);
    gd_ctx_free(a);
    gd_ctx_free(b);
    gd_account_release(inner);
    ck_assert_uint_eq(gd_account_used(outer), 0);
    gd_account_release(outer);
}
END_TEST

START_TEST(system_refusal_is_an_error) {
    size_t used = gd_account_used(NULL);
    ck_assert_ptr_null(gd_zeros(ctx, GD_UINT8, SIZES((int64_t)1 << 60)));
    ck_assert_int_eq(gd_ctx_error(ctx)->code, GD_E_MEMORY);
    gd_tensor *t = gd_zeros(ctx, GD_UINT8, SIZES((int64_t)1 << 45));
    gd_release(t);
    if (t) return; /* a system that promises everything */
    ck_assert_int_eq(gd_ctx_error(ctx)->code, GD_E_MEMORY);
    ck_assert_uint_eq(gd_account_used(NULL), used);
}
END_TEST

START_TEST(reused_memory_is_zeroed) {
    const int64_t counts[] = {3, 16, 100, 1025, 70000, 300000, 310000, 6000000};
    for (int i = 0; i < 8; i++)
        for (int round = 0; round < 3; round++) {
            gd_tensor *t = gd_zeros(ctx, GD_UINT8, 1, &counts[i]);
            ck_assert_ptr_nonnull(t);
            ck_assert_int_eq(t->data[0], 0);
            ck_assert_int_eq(memcmp(t->data, t->data + 1, (size_t)counts[i] - 1), 0); /* all are equal */
            memset(t->data, 0xAB, (size_t)counts[i]);
            gd_release(t);
        }
}
END_TEST

START_TEST(large_blocks_are_cached_and_trimmed) {
    gd_allocator_trim();
    ck_assert_uint_eq(gd_allocator_cached(), 0);
    gd_tensor *t = gd_empty(ctx, GD_FLOAT32, SIZES(1000000));
    ck_assert_uint_eq((uintptr_t)t->data % 64, 0);
    void *address = t->data;
    gd_release(t);
    size_t cached = gd_allocator_cached();
    ck_assert_uint_ge(cached, 4000000);
    ck_assert_uint_le(cached, 4500000);
    t = gd_empty(ctx, GD_FLOAT32, SIZES(990000));
    ck_assert_ptr_eq(t->data, address);
    ck_assert_uint_eq(gd_allocator_cached(), 0);
    gd_release(t);
    ck_assert_uint_eq(gd_allocator_trim(), cached);
    ck_assert_uint_eq(gd_allocator_cached(), 0);
}
END_TEST

START_TEST(cache_stays_within_the_process_budget) {
    gd_allocator_trim();
    gd_account_set_limit(NULL, (size_t)4 << 20);
    for (int64_t n = 300000; n < 3000000; n += 200000) gd_release(gd_zeros(ctx, GD_UINT8, 1, &n));
    ck_assert_uint_gt(gd_allocator_cached(), 0);
    ck_assert_uint_le(gd_allocator_cached() + gd_account_used(NULL), (size_t)4 << 20);
    gd_tensor *t = gd_zeros(ctx, GD_UINT8, SIZES(4000000));
    ck_assert_ptr_nonnull(t);
    ck_assert_uint_le(gd_allocator_cached() + gd_account_used(NULL), (size_t)4 << 20);
    ck_assert_ptr_null(gd_zeros(ctx, GD_UINT8, SIZES(1000000)));
    ck_assert_ptr_nonnull(strstr(gd_ctx_error(ctx)->message, "of the process's 4194304 bytes"));
    gd_release(t);
    gd_account_set_limit(NULL, 0);
    gd_allocator_trim();
}
END_TEST

START_TEST(one_element_is_small) { ck_assert_uint_lt(sizeof(gd_tensor) + sizeof(gd_storage) + 32, 250); }
END_TEST

/* ---- sharing ------------------------------------------------------------------------------- */

START_TEST(aliases_share) {
    gd_tensor *t = gd_from_bytes(ctx, GD_INT32, SIZES(2, 3), (int32_t[]){0, 1, 2, 3, 4, 5}, 24);
    gd_tensor *a = gd_alias(ctx, t, SIZES(3, 2), (int64_t[]){1, 3}, 0);
    gd_tensor *row = gd_alias(ctx, t, SIZES(3), (int64_t[]){1}, 3),
              *last = gd_alias(ctx, row, SIZES(1), (int64_t[]){1}, 5);
    uint32_t version;
    CHECK_VALUES(a, 0, 3, 1, 4, 2, 5);
    CHECK_VALUES(row, 3, 4, 5);
    CHECK_VALUES(last, 5);
    ck_assert_int_eq(gd_offset(row), 3);
    ck_assert(!gd_is_contiguous(a) && gd_contiguous_data(a) == NULL);
    ck_assert(gd_contiguous_data(row) == row->data);
    gd_bump_version(a);
    ck_assert_int_eq(gd_version(ctx, last, &version), GD_OK);
    ck_assert_uint_eq(version, 1);
    ck_assert_uint_eq(t->storage->refs, 4);
    ck_assert_int_eq(gd_set_geometry(ctx, t, 3, (int64_t[]){3, 1, 2}, (int64_t[]){1, 0, 3}, 0), GD_OK);
    CHECK_VALUES(t, 0, 3, 1, 4, 2, 5);
    ck_assert_int_eq(gd_set_geometry(ctx, t, 1, t->sizes, GD_STRIDES(t), 3), GD_OK);
    CHECK_VALUES(t, 3, 4, 5);
    gd_release(t);
    gd_release(row);
    CHECK_VALUES(a, 0, 3, 1, 4, 2, 5);
    gd_release(a);
    gd_release(last);
}
END_TEST

START_TEST(data_has_its_own_version) {
    gd_tensor *t = gd_scalar_f64(ctx, 2, GD_FLOAT32), *d, *e;
    uint32_t version;
    gd_bump_version(t);
    d = gd_data(ctx, t);
    ck_assert_ptr_eq(d->data, t->data);
    ck_assert_int_eq(gd_version(ctx, d, &version), GD_OK);
    ck_assert_uint_eq(version, 0);
    gd_bump_version(d);
    gd_bump_version(d);
    e = gd_alias(ctx, d, 0, NULL, NULL, 0);
    ck_assert(gd_version(ctx, t, &version) == GD_OK && version == 1);
    ck_assert(gd_version(ctx, e, &version) == GD_OK && version == 2);
    gd_release(d);
    ck_assert(gd_version(ctx, e, &version) == GD_OK && version == 2);
    gd_release(e);
    gd_release(t);
}
END_TEST

START_TEST(data_is_set) {
    gd_tensor *t = gd_zeros(ctx, GD_FLOAT32, SIZES(2)),
              *wide = gd_from_bytes(ctx, GD_FLOAT64, SIZES(1, 1, 3), (double[]){1, 2, 3}, 24);
    gd_tensor *ints = gd_scalar_i64(ctx, 5, GD_INT64);
    uint32_t version;
    t->flags |= GD_F_REQUIRES_GRAD;
    gd_bump_version(t);
    ck_assert_int_eq(gd_set_data(ctx, t, ints), GD_E_DTYPE);
    check_error(GD_E_DTYPE, "data set to a tensor that requires gradients must be floating point or complex dtype");
    ck_assert_int_eq(gd_set_data(ctx, t, wide), GD_OK);
    ck_assert(gd_same_shape(t, wide) && gd_dtype_of(t) == GD_FLOAT64 && gd_requires_grad(t));
    ck_assert(gd_version(ctx, t, &version) == GD_OK && version == 1);
    gd_bump_version(t);
    ck_assert(gd_version(ctx, wide, &version) == GD_OK && version == 0);
    ck_assert_int_eq(gd_set_data(ctx, t, t), GD_OK);
    gd_release(wide);
    CHECK_VALUES(t, 1, 2, 3);
    t->flags = 0;
    ck_assert_int_eq(gd_set_data(ctx, t, ints), GD_OK);
    CHECK_VALUES(t, 5);
    gd_release(ints);
    gd_release(t);
}
END_TEST

START_TEST(inference_tensors_have_no_version) {
    uint32_t version;
    gd_ctx_set_grad_mode(ctx, GD_MODE_INFERENCE);
    gd_tensor *t = gd_zeros(ctx, GD_FLOAT32, SIZES(2));
    gd_ctx_set_grad_mode(ctx, GD_MODE_GRAD);
    ck_assert(gd_is_inference(t));
    ck_assert_int_eq(gd_version(ctx, t, &version), GD_E_STATE);
    check_error(GD_E_STATE, "Inference tensors do not track version counter.");
    gd_tensor *d = gd_data(ctx, t);
    ck_assert(!gd_is_inference(d));
    gd_release(d);
    gd_release(t);
}
END_TEST

/* x.grad.grad.grad… as long as a client likes. */
START_TEST(long_chains_die_iteratively) {
    size_t used = gd_account_used(NULL);
    gd_tensor *head = NULL;
    for (int i = 0; i < 300000; i++) {
        gd_tensor *t = gd_scalar_f64(ctx, 1, GD_FLOAT32);
        ck_assert_ptr_nonnull(gd_tensor_meta(ctx, t));
        t->meta->grad = head;
        head = t;
    }
    gd_release(head);
    ck_assert_uint_eq(gd_account_used(NULL), used);
}
END_TEST

START_TEST(pool_releases_in_bulk) {
    size_t used = gd_account_used(NULL), mark = gd_pool_mark(ctx);
    ck_assert_ptr_null(gd_pool_add(ctx, NULL));
    for (int i = 0; i < 1000; i++) ck_assert_ptr_nonnull(gd_pool_add(ctx, gd_scalar_f64(ctx, i, GD_FLOAT64)));
    gd_pool_release(ctx, mark + 10);
    ck_assert_uint_eq(gd_pool_mark(ctx), mark + 10);
    gd_pool_release(ctx, mark);
    ck_assert_uint_eq(gd_account_used(NULL), used);
}
END_TEST

/* ---- values -------------------------------------------------------------------------------- */

START_TEST(strided_reads) {
    int32_t values[24], read[24];
    for (int i = 0; i < 24; i++) values[i] = i;
    gd_tensor *t = gd_from_bytes(ctx, GD_INT32, SIZES(2, 3, 4), values, sizeof values);
    gd_tensor *p = gd_alias(ctx, t, SIZES(4, 2, 3), (int64_t[]){1, 12, 4}, 0);
    gd_read_bytes(p, read);
    for (int i = 0, k = 0; i < 4; i++)
        for (int j = 0; j < 6; j++) ck_assert_int_eq(read[k++], j * 4 + i);
    gd_tensor *flipped = gd_alias(ctx, t, SIZES(2, 2), (int64_t[]){-12, -1}, 13),
              *same = gd_alias(ctx, t, SIZES(2, 3), (int64_t[]){0, 0}, 7);
    CHECK_VALUES(flipped, 13, 12, 1, 0);
    CHECK_VALUES(same, 7, 7, 7, 7, 7, 7);
    gd_release(same);
    gd_release(flipped);
    gd_release(p);
    gd_release(t);
}
END_TEST

START_TEST(bytes_must_fit) {
    ck_assert_ptr_null(gd_from_bytes(ctx, GD_FLOAT32, SIZES(2, 2), "", 15));
    check_error(GD_E_VALUE, "a float32 tensor of size [2, 2] takes 16 bytes, got 15");
    gd_tensor *t = gd_from_bytes(ctx, GD_BOOL, SIZES(3), (uint8_t[]){0, 7, 1}, 3);
    CHECK_VALUES(t, 0, 1, 1);
    gd_release(t);
}
END_TEST

START_TEST(items) {
    gd_value v;
    gd_tensor *two = gd_zeros(ctx, GD_FLOAT32, SIZES(2)), *t = gd_scalar_f64(ctx, 1.5, GD_FLOAT32);
    ck_assert_int_eq(gd_item(ctx, two, &v), GD_E_VALUE);
    check_error(GD_E_VALUE, "only one element tensors can be converted to Python scalars");
    ck_assert(gd_item(ctx, t, &v) == GD_OK && v.kind == GD_V_FLOAT && v.u.real == 1.5);
    gd_release(t);
    t = gd_scalar_i64(ctx, INT64_MIN, GD_INT64);
    ck_assert(gd_item(ctx, t, &v) == GD_OK && v.kind == GD_V_INT && v.u.integer == INT64_MIN);
    gd_release(t);
    t = gd_scalar_f64(ctx, NAN, GD_BOOL);
    ck_assert(gd_item(ctx, t, &v) == GD_OK && v.kind == GD_V_BOOL && v.u.boolean);
    gd_release(t);
    gd_release(two);
}
END_TEST

START_TEST(conversions_are_defined) {
    int64_t l;
    int32_t i;
    uint8_t b;
    gd_store_f64(GD_INT64, &l, 1e300);
    ck_assert_int_eq(l, INT64_MIN);
    gd_store_f64(GD_INT32, &i, NAN);
    ck_assert_int_eq(i, INT32_MIN);
    gd_store_f64(GD_INT32, &i, -1.9);
    ck_assert_int_eq(i, -1);
    gd_store_f64(GD_UINT8, &b, -1);
    ck_assert_int_eq(b, 255);
    gd_store_i64(GD_BOOL, &b, 256);
    ck_assert_int_eq(b, 1);
}
END_TEST

#define LIST(...)                                                                                                      \
    ((gd_value){.kind = GD_V_LIST,                                                                                     \
                .n = (uint32_t)(sizeof((gd_value[]){__VA_ARGS__}) / sizeof(gd_value)),                                 \
                .u.list = (const gd_value[]){__VA_ARGS__}})
#define EMPTY ((gd_value){.kind = GD_V_LIST})
#define I(i) GD_INT_VALUE(i)
#define F(f) GD_FLOAT_VALUE(f)
#define B(b) GD_BOOL_VALUE(b)

static gd_tensor *from(gd_value v) { return gd_from_value(ctx, &v, NULL, false); }
static gd_tensor *from_as(gd_value v, gd_dtype d) { return gd_from_value(ctx, &v, &d, false); }

/* The tensor made has this text; frees it. */
static void check_made(gd_tensor *t, const char *expected) {
    ck_assert_msg(t != NULL, "%s", gd_ctx_error(ctx)->message);
    char *text = gd_repr(ctx, t);
    ck_assert_str_eq(text, expected);
    free(text);
    gd_release(t);
}

START_TEST(values_become_tensors) {
    check_made(from(F(1.5)), "tensor(1.5000)");
    check_made(from(LIST(I(1), I(2))), "tensor([1, 2])");
    check_made(from(LIST(B(true), B(false))), "tensor([ True, False])");
    check_made(from(LIST(B(true), I(2))), "tensor([1, 2])");
    check_made(from(LIST(B(true), F(1.5))), "tensor([1.0000, 1.5000])");
    check_made(from(LIST(LIST(I(1), I(2)), LIST(I(3), F(4)))), "tensor([[1., 2.],\n        [3., 4.]])");
    check_made(from(EMPTY), "tensor([])");
    check_made(from(LIST(EMPTY, EMPTY)), "tensor([], size=(2, 0))");
    check_made(from(LIST(EMPTY, LIST(I(1)))), "tensor([], size=(2, 0))");
    check_made(from_as(LIST(LIST(EMPTY)), GD_INT64), "tensor([], size=(1, 1, 0), dtype=torch.int64)");
    check_made(from_as(LIST(F(1.7), F(-1.7)), GD_INT64), "tensor([ 1, -1])");
    check_made(from_as(LIST(F(0.5), I(0), F(NAN)), GD_BOOL), "tensor([ True, False,  True])");
    check_made(from_as(LIST(I(-1), I(-255)), GD_UINT8), "tensor([255,   1], dtype=torch.uint8)");
    check_made(from_as(F(1e300), GD_FLOAT32), "tensor(inf)");
    check_made(from_as(B(true), GD_FLOAT64), "tensor(1., dtype=torch.float64)");
    gd_tensor *t = gd_scalar_f64(ctx, 1.5, GD_FLOAT64);
    check_made(from(LIST(GD_TENSOR_VALUE(t), I(2))), "tensor([1.5000, 2.0000], dtype=torch.float64)");
    gd_release(t);
}
END_TEST

START_TEST(wrapped_numbers) {
    gd_value f = F(2.5), list = LIST(F(2.5));
    gd_tensor *t = gd_from_value(ctx, &f, NULL, true);
    ck_assert(gd_dtype_of(t) == GD_FLOAT64 && (t->flags & GD_F_WRAPPED_NUMBER));
    gd_release(t);
    t = gd_from_value(ctx, &list, NULL, true);
    ck_assert(gd_dtype_of(t) == GD_FLOAT32 && !(t->flags & GD_F_WRAPPED_NUMBER));
    gd_release(t);
}
END_TEST

static void check_refused(gd_tensor *t, gd_code code, const char *message) {
    ck_assert_ptr_null(t);
    check_error(code, message);
}

START_TEST(bad_values_are_refused) {
    const gd_value one = LIST(I(1), I(2)), ragged = LIST(LIST(I(1)), LIST(I(1), I(2)));
    check_refused(from(LIST(one, LIST(I(3)))), GD_E_VALUE, "expected sequence of length 2 at dim 1 (got 1)");
    check_refused(from(LIST(one, EMPTY)), GD_E_VALUE, "expected sequence of length 2 at dim 1 (got 0)");
    check_refused(from(LIST(LIST(LIST(I(1)), LIST(I(2))), ragged)), GD_E_VALUE,
                  "expected sequence of length 1 at dim 2 (got 2)");
    check_refused(from(LIST(one, I(3))), GD_E_ARGUMENT, "not a sequence");
    check_refused(from(LIST(I(1), LIST(I(3)))), GD_E_ARGUMENT, "'list' object cannot be interpreted as an integer");
    check_refused(from(LIST(F(1), LIST(F(3)))), GD_E_ARGUMENT, "must be real number, not list");
    check_refused(from(LIST(F(1), GD_NONE_VALUE)), GD_E_RUNTIME, "Could not infer dtype of NoneType");
    check_refused(from(GD_STR_VALUE("a")), GD_E_ARGUMENT, "new(): invalid data type 'str'");
    check_refused(from(LIST(GD_STR_VALUE("a"))), GD_E_VALUE, "too many dimensions 'str'");
    check_refused(from(LIST(I(1), GD_STR_VALUE("a"))), GD_E_ARGUMENT, "new(): invalid data type 'str'");
    check_refused(from_as(I(300), GD_UINT8), GD_E_RUNTIME, "value cannot be converted to type uint8 without overflow");
    check_refused(from_as(F(NAN), GD_INT64), GD_E_RUNTIME, "value cannot be converted to type int64 without overflow");
    check_refused(from_as(I((int64_t)1 << 31), GD_INT32), GD_E_RUNTIME,
                  "value cannot be converted to type int32 without overflow");
}
END_TEST

START_TEST(nesting_is_bounded) {
    gd_value levels[GD_MAX_DIMS + 2];
    levels[0] = I(1);
    for (int i = 1; i < GD_MAX_DIMS + 2; i++)
        levels[i] = (gd_value){.kind = GD_V_LIST, .n = 1, .u.list = &levels[i - 1]};
    gd_tensor *t = from(levels[GD_MAX_DIMS]);
    ck_assert_int_eq(gd_ndim(t), GD_MAX_DIMS);
    gd_release(t);
    check_refused(from(levels[GD_MAX_DIMS + 1]), GD_E_VALUE, "too many dimensions 'list'");
    check_refused(from(LIST(I(1), levels[GD_MAX_DIMS + 1])), GD_E_VALUE, "too many dimensions 'list'");
}
END_TEST

Suite *tensor_suite(void) {
    Suite *suite = suite_create("tensor");
    TCase *tcase = tcase_create("tensor");
    const TTest *const tests[] = {
        names,
        long_messages_are_cut_between_characters,
        numel_is_checked,
        shapes_broadcast_and_wrap,
        accounts_are_exact,
        budgets_refuse,
        system_refusal_is_an_error,
        reused_memory_is_zeroed,
        large_blocks_are_cached_and_trimmed,
        cache_stays_within_the_process_budget,
        one_element_is_small,
        aliases_share,
        data_has_its_own_version,
        data_is_set,
        inference_tensors_have_no_version,
        long_chains_die_iteratively,
        pool_releases_in_bulk,
        strided_reads,
        bytes_must_fit,
        items,
        conversions_are_defined,
        values_become_tensors,
        wrapped_numbers,
        bad_values_are_refused,
        nesting_is_bounded,
    };
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    return suite;
}
