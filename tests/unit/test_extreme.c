/* test_extreme.c: every op with arguments that make no sense or only just: errors yes, crashes no. Meant for the
 * sanitizers; what is right is the samples' business. The seed is fixed, so a failure can be repeated. */
#include "core/ops/op.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 150, MOST = 6, LISTS = 64 };

static gd_ctx *ctx;
static gd_account *account;
static uint64_t state;

static uint64_t draw(uint64_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % n;
}

static int64_t an_int(void) {
    static const int64_t ints[] = {-1, 0, 1, 2, 3, 5, -2, -7, 40, INT64_MIN, INT64_MAX, (int64_t)1 << 31, 1 << 20};
    return ints[draw(draw(4) ? 7 : sizeof ints / sizeof *ints)];
}

static double a_real(void) {
    static const double reals[] = {0, 1, -1, 0.5, 2, -0.0, 1e-300, 1e300, 3.7};
    uint64_t k = draw(13);
    return k == 9 ? NAN : k == 10 ? INFINITY : k == 11 ? -INFINITY : k == 12 ? 1e18 : reals[k];
}

static const char *a_text(void) {
    static const char *const texts[] = {
        "mean",     "sum",     "none",     "batchmean", "floor",    "trunc",    "nearest",   "linear",
        "bilinear", "bicubic", "area",     "reflect",   "constant", "circular", "replicate", "fro",
        "nuc",      "L",       "U",        "left",      "right",    "ij",       "xy",        "prod",
        "amax",     "amin",    "same",     "valid",     "tanh",     "",         "a,b->ab",   "...i,ij->...j",
        "bogus",    "reduced", "complete", "r",         "gelsd",    "higher",   "midpoint"};
    return texts[draw(sizeof texts / sizeof *texts)];
}

/* Everything made for one call, to be given up after it. */
static gd_tensor *made[256];
static size_t nmade;
static gd_value lists[LISTS][MOST];
static size_t nlists;

static gd_tensor *kept(gd_tensor *t) {
    if (t && nmade < sizeof made / sizeof *made) return made[nmade++] = t;
    gd_release(t);
    return NULL;
}

static void fill(gd_tensor *t) {
    for (int64_t i = 0; i < t->numel; i++) {
        char *p = t->data + (size_t)i * gd_dtype_bytes((gd_dtype)t->dtype);
        if (gd_dtype_is_float((gd_dtype)t->dtype))
            gd_store_f64((gd_dtype)t->dtype, p, draw(5) ? (double)draw(2000) / 500 - 2 : a_real());
        else
            gd_store_i64((gd_dtype)t->dtype, p,
                         t->dtype == GD_BOOL ? (int64_t)draw(2)
                         : draw(4)           ? (int64_t)draw(4)
                                             : an_int());
    }
}

/* Half of them are square matrices, vectors or stacks that some op takes; others of rank 0 to 6, empty, expanded,
 * turned. */
static gd_tensor *a_tensor(void) {
    static const int64_t some[] = {1, 2, 3, 2, 3, 4, 0, 7};
    int64_t sizes[7], side = 1 + (int64_t)draw(3);
    int ndim = (int)draw(draw(3) ? 4 : 7);
    bool even = draw(2) == 0;
    for (int d = 0; d < ndim; d++) sizes[d] = even ? side : some[draw(8)];
    gd_dtype dtype = draw(3) ? (draw(2) ? GD_FLOAT32 : GD_FLOAT64) : (gd_dtype)draw(GD_DTYPE_COUNT);
    gd_tensor *t = kept(gd_zeros(ctx, dtype, ndim, sizes));
    if (!t) return NULL;
    fill(t);
    if (gd_dtype_is_float(dtype) && draw(2)) (void)!gd_set_requires_grad(ctx, t, true);
    const gd_value turn[] = {GD_TENSOR_VALUE(t), GD_INT_VALUE(0), GD_INT_VALUE(-1)};
    gd_tensor *turned = ndim > 1 && draw(4) == 0 ? kept(gd_call1(ctx, "transpose", turn, 3)) : NULL;
    return turned ? turned : t;
}

static gd_value a_value(gd_type type);

static gd_value a_list(gd_type type) {
    gd_value v = {.kind = GD_V_LIST, .n = (uint32_t)draw(MOST)};
    if (nlists == LISTS) return GD_NONE_VALUE;
    gd_value *items = lists[nlists++];
    for (uint32_t i = 0; i < v.n; i++) items[i] = a_value(type);
    v.u.list = items;
    return v;
}

static gd_value a_value(gd_type type) {
    gd_tensor *t;
    switch (type) {
    case GD_T_TENSOR: return (t = a_tensor()) ? GD_TENSOR_VALUE(t) : GD_NONE_VALUE;
    case GD_T_TENSORS: return a_list(GD_T_TENSOR);
    case GD_T_SCALAR: return draw(2) ? GD_FLOAT_VALUE(a_real()) : GD_INT_VALUE(an_int());
    case GD_T_INT: return GD_INT_VALUE(an_int());
    case GD_T_FLOAT: return GD_FLOAT_VALUE(a_real());
    case GD_T_BOOL: return GD_BOOL_VALUE(draw(2) != 0);
    case GD_T_STR: return GD_STR_VALUE(a_text());
    case GD_T_INTS: return draw(4) ? a_list(GD_T_INT) : GD_INT_VALUE(an_int());
    case GD_T_FLOATS: return a_list(GD_T_FLOAT);
    case GD_T_DTYPE: return GD_DTYPE_VALUE((gd_dtype)draw(GD_DTYPE_COUNT));
    case GD_T_INDEX: return a_list(draw(2) ? GD_T_INT : GD_T_TENSOR);
    }
    return GD_NONE_VALUE;
}

/* The type that the signature asks for, mostly. */
static gd_value argument_for(const gd_param *p) {
    uint64_t k = draw(20);
    if (k == 0) return a_value((gd_type)draw(GD_T_INDEX + 1));
    if (k == 1 || (p->optional && draw(2))) return GD_NONE_VALUE;
    return a_value(p->type);
}

static void differentiate(gd_tensor *t) {
    const gd_value like[] = {GD_TENSOR_VALUE(t)};
    if (!gd_requires_grad(t)) return;
    gd_tensor *ones = kept(gd_call1(ctx, "ones_like", like, 1));
    if (ones) (void)!gd_backward(ctx, &t, 1, &ones, NULL, 0, NULL, NULL, NULL);
}

static void call_once(const gd_op *op, const char *name) {
    gd_value args[GD_MAX_ARGS];
    gd_kwarg kwargs[GD_MAX_ARGS];
    int nargs = 0, nkwargs = 0;
    for (int i = 0; i < op->nparams; i++) {
        const gd_param *p = &op->params[i];
        if (p->has_default && draw(2)) continue;
        if (nargs == i && !p->keyword_only)
            args[nargs++] = argument_for(p);
        else
            kwargs[nkwargs++] = (gd_kwarg){p->name, argument_for(p)};
    }
    gd_result result;
    gd_code code = gd_call(ctx, name, args, nargs, kwargs, nkwargs, NULL, &result);
    ck_assert_msg(code == GD_OK || gd_ctx_error(ctx)->message[0], "%s failed without a text", name);
    if (code == GD_OK) {
        for (uint32_t i = 0; i < result.n; i++)
            if (result.outputs[i]) differentiate(result.outputs[i]);
        gd_result_clear(&result);
    }
    while (nmade > 0) gd_release(made[--nmade]);
    nlists = 0;
}

START_TEST(no_arguments_crash_an_op) {
    char name[64];
    account = gd_account_new((size_t)16 << 20, NULL);
    ctx = gd_ctx_new(account);
    ck_assert_ptr_nonnull(ctx);
    for (size_t i = 0; i < GD_OP_COUNT; i++) {
        const gd_op *op = &gd_ops[i];
        if (op->flags & GD_HIDDEN) continue;
        state = i + 1;
        for (int k = 0; k < TRIES; k++) {
            bool inplace = (op->flags & GD_INPLACE) && draw(3) == 0;
            snprintf(name, sizeof name, "%s%s", op->name, inplace ? "_" : "");
            call_once(op, name);
        }
    }
    ck_assert_uint_eq(gd_ctx_nodes(ctx), 0);
    gd_ctx_free(ctx);
    gd_account_release(account);
}
END_TEST

Suite *extreme_suite(void);
Suite *extreme_suite(void) {
    Suite *s = suite_create("extreme");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, no_arguments_crash_an_op);
    suite_add_tcase(s, tc);
    return s;
}
