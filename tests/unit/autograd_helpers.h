/* autograd_helpers.h: short names in which the autograd tests read as formulas. */
#ifndef AUTOGRAD_HELPERS_H
#define AUTOGRAD_HELPERS_H

#include "core/gradd.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NT(n, ...)                                                                                                     \
    call(#n, (const gd_value[]){__VA_ARGS__}, (int)(sizeof((const gd_value[]){__VA_ARGS__}) / sizeof(gd_value)))
#define T(t) GD_TENSOR_VALUE(t)
#define I(i) GD_INT_VALUE(i)
#define F(f) GD_FLOAT_VALUE(f)

/* Each test has its own account and context; everything made by call() and the makers is kept until the end, so that
 * tests read as formulas. */
static gd_account *account;
static gd_ctx *ctx;
static gd_tensor *kept[4096];
static size_t nkept;

static inline void setup(void) {
    account = gd_account_new(0, NULL);
    ctx = gd_ctx_new(account);
    ck_assert_ptr_nonnull(ctx);
    nkept = 0;
}

static inline void release_kept(void) {
    while (nkept) gd_release(kept[--nkept]);
}

static inline void teardown(void) {
    release_kept();
    ck_assert_uint_eq(gd_ctx_nodes(ctx), 0);
    ck_assert_uint_eq(gd_account_used(account), 0);
    gd_ctx_free(ctx);
    gd_account_release(account);
}

static inline gd_tensor *keep(gd_tensor *t) {
    ck_assert_msg(t != NULL, "%s", gd_ctx_error(ctx)->message);
    ck_assert_uint_lt(nkept, sizeof kept / sizeof *kept);
    return kept[nkept++] = t;
}

static inline gd_tensor *call(const char *name, const gd_value *args, int n) {
    return keep(gd_call1(ctx, name, args, n));
}

static inline void fails(const char *name, const gd_value *args, int n, gd_code code, const char *text) {
    gd_tensor *t = gd_call1(ctx, name, args, n);
    ck_assert_msg(t == NULL, "%s succeeded", name);
    ck_assert_str_eq(gd_ctx_error(ctx)->message, text);
    ck_assert_int_eq(gd_ctx_error(ctx)->code, code);
}
#define FAILS(name, code, text, ...)                                                                                   \
    fails(#name, (const gd_value[]){__VA_ARGS__}, (int)(sizeof((const gd_value[]){__VA_ARGS__}) / sizeof(gd_value)),   \
          code, text)

/* float64 vector of n values. */
static inline gd_tensor *vec(int n, const double *values, bool rg) {
    gd_tensor *t = keep(gd_from_bytes(ctx, GD_FLOAT64, 1, (int64_t[]){n}, values, (size_t)n * sizeof(double)));
    ck_assert_int_eq(gd_set_requires_grad(ctx, t, rg), GD_OK);
    return t;
}
#define V(rg, ...) vec((int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__}, rg)

static inline gd_tensor *shaped(int rows, int cols, const float *values, bool rg) {
    gd_tensor *t =
        keep(gd_from_bytes(ctx, GD_FLOAT32, 2, (int64_t[]){rows, cols}, values, (size_t)(rows * cols) * sizeof(float)));
    ck_assert_int_eq(gd_set_requires_grad(ctx, t, rg), GD_OK);
    return t;
}

static inline void same(const gd_tensor *t, int n, const double *want) {
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(gd_numel(t), n);
    char bytes[64 * sizeof(double)];
    gd_read_bytes(t, bytes);
    for (int i = 0; i < n; i++) {
        double got = gd_dtype_of(t) == GD_FLOAT64 ? ((double *)(void *)bytes)[i] : (double)((float *)(void *)bytes)[i];
        ck_assert_double_eq_tol(got, want[i], 1e-6);
    }
}
#define SAME(t, ...) same(t, (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})

static inline gd_code backward_with(gd_tensor *t, gd_tensor *g, const gd_backward_options *options) {
    return gd_backward(ctx, &t, 1, g ? &g : NULL, NULL, 0, options, NULL, NULL);
}

static inline gd_code backward(gd_tensor *t) { return backward_with(t, NULL, NULL); }

static inline void backward_ok(gd_tensor *t) {
    gd_code code = backward(t);
    ck_assert_msg(code == GD_OK, "%s", gd_ctx_error(ctx)->message);
}

static inline void message_is(const char *text) { ck_assert_str_eq(gd_ctx_error(ctx)->message, text); }

static inline const char *fn_name(gd_tensor *t) {
    gd_node *fn = gd_grad_fn(ctx, t);
    return fn ? gd_node_name(fn) : "None";
}

static inline const char *next_name(gd_tensor *t, int i) {
    gd_node *next = gd_node_next(gd_grad_fn(ctx, t), i, NULL);
    return next ? gd_node_name(next) : "None";
}

static inline gd_tensor *grad_of(gd_tensor *y, gd_tensor *x, const gd_backward_options *options) {
    gd_tensor *out = NULL;
    gd_code code = gd_autograd_grad(ctx, &y, 1, NULL, &x, 1, options, &out);
    ck_assert_msg(code == GD_OK, "%s", gd_ctx_error(ctx)->message);
    return keep(out);
}

static const gd_backward_options create = {.create_graph = true}, retain = {.retain_graph = true};

#define FREED_TEXT                                                                                                     \
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "    \
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "     \
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "      \
    "saved tensors after calling backward."
#define MODIFIED "one of the variables needed for gradient computation has been modified by an inplace operation: "
#define HINT                                                                                                           \
    " Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "                 \
    "torch.autograd.set_detect_anomaly(True)."

/* Other files' cases, for the one suite. */
TCase *autograd_hook_tests(void);
TCase *autograd_inplace_tests(void);

#endif
