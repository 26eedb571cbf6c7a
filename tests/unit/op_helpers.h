/* op_helpers.h: what the suites of the shape, index and linear algebra rows share: tensors of counted values, calls by
 * name, and checks of shape, values, messages and gradients. */
#ifndef GD_OP_HELPERS_H
#define GD_OP_HELPERS_H

#include <check.h>
#include <math.h>
#include <string.h>

#include "core/tensor/tensor.h"

static gd_ctx *ctx;

static void setup(void) {
    ctx = gd_ctx_new(NULL);
    ck_assert_ptr_nonnull(ctx);
}
static void teardown(void) {
    gd_ctx_free(ctx);
    ck_assert_uint_eq(gd_account_used(NULL), 0); /* nothing leaked */
}

/* 0, 1, 2, … in the shape. */
static gd_tensor *counted(gd_dtype dtype, int ndim, const int64_t *sizes) {
    gd_tensor *t = gd_zeros(ctx, dtype, ndim, sizes);
    ck_assert_ptr_nonnull(t);
    for (int64_t i = 0; i < gd_numel(t); i++)
        gd_store_f64(dtype, t->data + (size_t)i * gd_dtype_bytes(dtype), (double)i);
    return t;
}
#define COUNTED(dtype, ...)                                                                                            \
    counted((dtype), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]){__VA_ARGS__})

static inline gd_tensor *vector_of(gd_dtype dtype, int n, const double *values) {
    int64_t size = n;
    gd_tensor *t = counted(dtype, 1, &size);
    for (int i = 0; i < n; i++) gd_store_f64(dtype, t->data + (size_t)i * gd_dtype_bytes(dtype), values[i]);
    return t;
}
#define VECTOR(dtype, ...)                                                                                             \
    vector_of((dtype), (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (const double[]){__VA_ARGS__})

#define VALUES(...) (const gd_value[]){__VA_ARGS__}, (int)(sizeof((gd_value[]){__VA_ARGS__}) / sizeof(gd_value))
#define T_(t) GD_TENSOR_VALUE(t)
#define I_(i) GD_INT_VALUE(i)
#define INTS_(...) GD_INTS_VALUE(((const int64_t[]){__VA_ARGS__}), sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define LIST_(...)                                                                                                     \
    ((gd_value){.kind = GD_V_LIST,                                                                                     \
                .n = (uint32_t)(sizeof((gd_value[]){__VA_ARGS__}) / sizeof(gd_value)),                                 \
                .u.list = (const gd_value[]){__VA_ARGS__}})
#define SLICE_(a, b, c) ((gd_value){.kind = GD_V_SLICE, .n = 3, .u.list = (const gd_value[]){a, b, c}})
#define NONE_ GD_NONE_VALUE

static inline gd_tensor *called(const char *name, const gd_value *args, int n) {
    gd_tensor *t = gd_call1(ctx, name, args, n);
    ck_assert_msg(t != NULL, "%s: %s", name, gd_ctx_error(ctx)->message);
    return t;
}
#define CALL(name, ...) called((name), VALUES(__VA_ARGS__))

static inline void refused(const char *name, const char *message, const gd_value *args, int n) {
    gd_result result = {0};
    gd_code code = gd_call(ctx, name, args, n, NULL, 0, NULL, &result);
    ck_assert_msg(code != GD_OK, "%s did not fail; expected: %s", name, message);
    ck_assert_str_eq(gd_ctx_error(ctx)->message, message);
    gd_result_clear(&result);
}
#define REFUSED(name, message, ...) refused((name), (message), VALUES(__VA_ARGS__))

static inline void has_shape(const gd_tensor *t, int ndim, const int64_t *sizes) {
    char want[256], got[256];
    gd_shape_text(want, sizeof want, ndim, sizes);
    gd_shape_text(got, sizeof got, gd_ndim(t), gd_sizes(t));
    ck_assert_str_eq(got, want);
}
#define SHAPE(t, ...)                                                                                                  \
    has_shape((t), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]){__VA_ARGS__})

/* Element i in row-major order. */
static inline double element(const gd_tensor *t, int64_t i) {
    int64_t offset = 0;
    for (int d = gd_ndim(t) - 1; d >= 0; i /= gd_sizes(t)[d--]) offset += i % gd_sizes(t)[d] * gd_strides(t)[d];
    return gd_load_f64(gd_dtype_of(t), t->data + offset * (int64_t)gd_dtype_bytes(gd_dtype_of(t)));
}

static inline void has_values(const gd_tensor *t, int n, const double *values) {
    ck_assert_int_eq(gd_numel(t), n);
    for (int i = 0; i < n; i++) ck_assert_double_eq_tol(element(t, i), values[i], 1e-9);
}
#define HAS(t, ...)                                                                                                    \
    has_values((t), (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (const double[]){__VA_ARGS__})

static inline void has_node(gd_tensor *t, const char *name) {
    gd_node *node = gd_grad_fn(ctx, t);
    ck_assert_ptr_nonnull(node);
    ck_assert_str_eq(gd_node_name(node), name);
}

static inline gd_tensor *needing_grad(gd_tensor *t) {
    ck_assert_int_eq(gd_set_requires_grad(ctx, t, true), GD_OK);
    return t;
}

/* The gradient of sum(out * weights 1, 2, 3, …) by x: new. */
static inline gd_tensor *gradient(gd_tensor *out, gd_tensor *x) {
    gd_tensor *weights = counted(gd_dtype_of(out), gd_ndim(out), gd_sizes(out)), *grad = NULL;
    gd_backward_options options = {0};
    for (int64_t i = 0; i < gd_numel(out); i++)
        gd_store_f64(gd_dtype_of(out), weights->data + (size_t)i * gd_dtype_bytes(gd_dtype_of(out)), (double)(i + 1));
    gd_code code = gd_autograd_grad(ctx, &out, 1, &weights, &x, 1, &options, &grad);
    ck_assert_msg(code == GD_OK, "%s", gd_ctx_error(ctx)->message);
    gd_release(weights);
    return grad;
}

static inline void drop(int n, gd_tensor *const *tensors) {
    for (int i = 0; i < n; i++) gd_release(tensors[i]);
}
#define DROP(...)                                                                                                      \
    drop((int)(sizeof((gd_tensor *[]){__VA_ARGS__}) / sizeof(gd_tensor *)), (gd_tensor *const[]){__VA_ARGS__})

#endif
