/* test_bind.c: dtype promotion as PyTorch recorded it, what binds to what, which overload serves, what binding
 * complains of, names and aliases, and the order of things in an in-place op. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ops/dispatch.h"
#include "core/ops/op.h"

Suite *bind_suite(void);

static gd_ctx *ctx;
static gd_tensor *x; /* [[1, 2, 3], [4, 5, 6]] */

static gd_tensor *matrix(int64_t rows, int64_t columns) {
    gd_tensor *t = gd_zeros(ctx, GD_FLOAT32, 2, (const int64_t[]){rows, columns});
    ck_assert_ptr_nonnull(t);
    for (int64_t i = 0; i < gd_numel(t); i++) gd_store_f64(GD_FLOAT32, t->data + 4 * i, (double)(i + 1));
    return t;
}

static void setup(void) {
    ctx = gd_ctx_new(NULL);
    ck_assert_ptr_nonnull(ctx);
    x = matrix(2, 3);
}

static void teardown(void) {
    gd_release(x);
    gd_ctx_free(ctx);
    ck_assert_uint_eq(gd_account_used(NULL), 0);
}

/* A resolver that knows x, and grows 0-dim tensors for other names of one letter up to j: a is 0, b is 1 … */
static gd_tensor *resolve(gd_ctx *c, void *user, const char *name) {
    (void)user;
    if (!strcmp(name, "x")) return gd_retain(x);
    if (name[0] >= 'a' && name[0] <= 'j' && !name[1]) return gd_scalar_i64(c, name[0] - 'a', GD_INT64);
    gd_fail(c, GD_E_UNKNOWN_NAME, "name '%s' is not defined", name);
    return NULL;
}
static const gd_resolver resolver = {.tensor = resolve};

#define T_(t) GD_TENSOR_VALUE(t)
#define I_(i) GD_INT_VALUE(i)
#define F_(f) GD_FLOAT_VALUE(f)
#define B_(b) GD_BOOL_VALUE(b)
#define S_(s) GD_STR_VALUE(s)
#define N_ GD_NONE_VALUE
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LIST_(...)                                                                                                     \
    ((gd_value){.kind = GD_V_LIST,                                                                                     \
                .n = (uint32_t)COUNT(((gd_value[]){__VA_ARGS__})),                                                     \
                .u.list = (const gd_value[]){__VA_ARGS__}})
#define ARGS(...) (const gd_value[]){__VA_ARGS__}, (int)COUNT(((gd_value[]){__VA_ARGS__}))
#define KW(...) (const gd_kwarg[]){__VA_ARGS__}, (int)COUNT(((gd_kwarg[]){__VA_ARGS__}))
#define NO_KW NULL, 0

/* The call works, `row` served it, and its first tensor has the shape given as text. */
static void serves(gd_op_id row, const char *shape, const char *name, const gd_value *args, int n, const gd_kwarg *kw,
                   int nkw) {
    gd_result r;
    char text[128] = "";
    gd_code code = gd_call(ctx, name, args, n, kw, nkw, &resolver, &r);
    ck_assert_msg(code == GD_OK, "%s: %s", name, gd_ctx_error(ctx)->message);
    ck_assert_str_eq(ctx->last_op->signature, gd_ops[row].signature);
    if (r.n) gd_shape_text(text, sizeof text, gd_ndim(r.outputs[0]), gd_sizes(r.outputs[0]));
    ck_assert_str_eq(text, shape);
    gd_result_clear(&r);
}

/* The call fails with this code, text and argument. */
static void fails(gd_code code, int argument, const char *text, const char *name, const gd_value *args, int n,
                  const gd_kwarg *kw, int nkw) {
    gd_result r;
    gd_code got = gd_call(ctx, name, args, n, kw, nkw, &resolver, &r);
    ck_assert_str_eq(gd_ctx_error(ctx)->message, text);
    ck_assert_str_eq(gd_code_name(got), gd_code_name(code));
    ck_assert_int_eq(gd_ctx_error(ctx)->argument, argument);
    ck_assert_uint_eq(r.n, 0);
}

/* ---- promotion ---------------------------------------------------------------------------------- */

static gd_tensor *operand(const char *kind, const char *dtype) {
    gd_dtype d;
    int64_t two = 2;
    ck_assert(gd_dtype_parse(dtype, &d));
    gd_tensor *t = gd_zeros(ctx, d, !strcmp(kind, "dim"), &two);
    ck_assert_ptr_nonnull(t);
    if (!strcmp(kind, "number")) t->flags |= GD_F_WRAPPED_NUMBER;
    return t;
}

START_TEST(promotes_as_pytorch) {
    FILE *f = fopen("tests/unit/data/promote_cases.txt", "r");
    char line[128], k1[16], d1[16], k2[16], d2[16], result[16];
    int n = 0;
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f) && strcmp(line, "cast\n")) {
        ck_assert_int_eq(sscanf(line, "%15s %15s %15s %15s %15s", k1, d1, k2, d2, result), 5);
        gd_tensor *pair[] = {operand(k1, d1), NULL, operand(k2, d2)};
        ck_assert_msg(!strcmp(gd_dtype_name(gd_result_type(pair, 3)), result), "%s", line);
        gd_release(pair[0]), gd_release(pair[2]);
        n++;
    }
    ck_assert_int_eq(n, 529);
    while (fgets(line, sizeof line, f)) {
        gd_dtype from, to;
        ck_assert_int_eq(sscanf(line, "%15s %15s %15s", d1, d2, result), 3);
        ck_assert(gd_dtype_parse(d1, &from) && gd_dtype_parse(d2, &to));
        ck_assert_msg(gd_can_cast(from, to) == !strcmp(result, "yes"), "%s", line);
        n++;
    }
    ck_assert_int_eq(n, 529 + 100);
    fclose(f);
}
END_TEST

/* ---- rows ------------------------------------------------------------------------------------------ */

static const char *why_not(const char *signature, const char *diff, const char *saves) {
    gd_op op = {.signature = signature, .diff_text = diff, .saves_text = saves, .node = "FooBackward0"};
    return gd_compile_row(&op);
}

START_TEST(malformed_rows_are_named) {
    ck_assert_ptr_null(why_not("foo(Tensor self, int[2] k=1, *, str mode=\"a\") -> Tensor", "self",
                               "k, self{self}, n=result1, self_sizes"));
    ck_assert_str_eq(why_not("foo(Tensr self) -> Tensor", "", ""), "an argument has an unknown type");
    ck_assert_str_eq(why_not("foo(Tensor self, Tensor self) -> Tensor", "", ""), "an argument's name comes twice");
    ck_assert_str_eq(why_not("foo(Tensor self int k) -> Tensor", "", ""), "a comma is missing");
    ck_assert_str_eq(why_not("foo(Tensor self)", "", ""), "-> is missing");
    ck_assert_str_eq(why_not("foo(int k=1.5) -> Tensor", "", ""), "a default does not fit its type");
    ck_assert_str_eq(why_not("foo(int k) -> Tensor", "k", ""), "diff names something that is no Tensor argument");
    ck_assert_str_eq(why_not("foo(Tensor self) -> Tensor", "self", "other"), "saves names something unknown");
    ck_assert_str_eq(why_not("foo(Tensor self) -> Tensor", "self", "self{k}"),
                     "a condition of saves is no diff argument");
}
END_TEST

START_TEST(the_table_is_well_formed) {
    ck_assert_int_eq(gd_init(), GD_OK);
    size_t n = 0;
    for (const gd_op *op; (op = gd_op_at(n)); n++) {
        ck_assert_ptr_nonnull(op->forward);
        ck_assert(op->name[0] != '_' || op->name[1] == '_'); /* hidden rows are not shown */
        ck_assert_msg(strlen(gd_op_doc(op)) > 8, "%s", gd_op_name(op));
        ck_assert_str_eq(gd_op_name(gd_op_find(gd_op_name(op))), gd_op_name(op));
    }
    ck_assert_uint_gt(n, 150);
    const gd_op *mul = &gd_ops[GD_OP_mul];
    ck_assert_int_eq(mul->nparams, 2);
    ck_assert_int_eq(mul->ndiff, 2);
    ck_assert_int_eq(mul->nsaves, 2);
    ck_assert_str_eq(mul->saves[0].name, "other");
    ck_assert_uint_eq(mul->saves[0].only_if, 1);
    ck_assert(gd_op_differentiable(mul) && gd_op_has_inplace(mul));
    ck_assert(!gd_op_differentiable(&gd_ops[GD_OP_argmax]));
}
END_TEST

START_TEST(names_and_aliases) {
    static const char *const same[][2] = {{"multiply", "mul"},
                                          {"torch.mul", "mul"},
                                          {"mul_", "mul"},
                                          {"multiply_", "mul"},
                                          {"true_divide", "div"},
                                          {"arccos", "acos"},
                                          {"nn.functional.relu", "relu"},
                                          {"swapaxes", "transpose"},
                                          {"concat", "cat"},
                                          {"Tensor.view", "view"},
                                          {"special.expm1", "expm1"},
                                          {"torch.nn.functional.softmax", "softmax"},
                                          {"t_", "t_"}};
    for (size_t i = 0; i < COUNT(same); i++) {
        const gd_op *op = gd_op_find(same[i][0]);
        ck_assert_msg(op != NULL, "%s", same[i][0]);
        ck_assert_str_eq(gd_op_name(op), same[i][1]);
    }
    static const char *const unknown[] = {"",       "_",       "foo",  "mul__", "view_", "_sum_to_size",
                                          "torch.", "argmax_", "_foo_"};
    for (size_t i = 0; i < COUNT(unknown); i++) ck_assert_msg(!gd_op_find(unknown[i]), "%s", unknown[i]);
    fails(GD_E_UNKNOWN_OP, -1, "module 'torch' has no attribute 'foo'", "foo", ARGS(T_(x)), NO_KW);
    fails(GD_E_UNKNOWN_OP, -1, "'Tensor' object has no attribute 'foo_'", "foo_", ARGS(T_(x)), NO_KW);
}
END_TEST

/* ---- what binds --------------------------------------------------------------------------------------- */

START_TEST(overloads) {
    serves(GD_OP_sum, "[]", "sum", ARGS(T_(x)), NO_KW);
    serves(GD_OP_sum_dim, "[3]", "sum", ARGS(T_(x), I_(0)), NO_KW);
    serves(GD_OP_sum_dim, "[2, 1]", "sum", ARGS(T_(x)), KW({"dim", I_(1)}, {"keepdim", B_(true)}));
    serves(GD_OP_sum_dim, "[2, 1]", "sum", ARGS(T_(x)), KW({"axis", I_(1)}, {"keepdims", B_(true)}));
    serves(GD_OP_sum_dim, "[]", "sum", ARGS(T_(x), LIST_(I_(0), I_(1))), NO_KW);
    serves(GD_OP_sum_dim, "[]", "sum", ARGS(T_(x), N_), NO_KW);
    serves(GD_OP_max, "[]", "max", ARGS(T_(x)), NO_KW);
    serves(GD_OP_max_dim, "[3]", "max", ARGS(T_(x), I_(0)), NO_KW);
    serves(GD_OP_max_other, "[2, 3]", "max", ARGS(T_(x), S_("x")), NO_KW);
    serves(GD_OP_pow_scalar, "[2, 3]", "pow", ARGS(T_(x), I_(2)), NO_KW);
    serves(GD_OP_pow, "[2, 3]", "pow", ARGS(T_(x), T_(x)), NO_KW);
    serves(GD_OP_pow, "[2, 3]", "pow", ARGS(T_(x), S_("c")), NO_KW); /* a 0-dim tensor stays a tensor */
    serves(GD_OP_pow_base, "[2, 3]", "pow", ARGS(I_(2), T_(x)), NO_KW);
    serves(GD_OP_clamp, "[2, 3]", "clamp", ARGS(T_(x), I_(2)), NO_KW);
    serves(GD_OP_clamp, "[2, 3]", "clamp", ARGS(T_(x)), KW({"max", S_("Infinity")}));
    serves(GD_OP_clamp_tensor, "[2, 3]", "clamp", ARGS(T_(x)), KW({"max", S_("x")}));
    serves(GD_OP_split, "[1, 3]", "split", ARGS(T_(x), I_(1)), NO_KW);
    serves(GD_OP_split_sizes, "[2, 1]", "split", ARGS(T_(x), LIST_(I_(1), I_(2)), I_(1)), NO_KW);
    serves(GD_OP_mul, "[2, 3]", "mul", ARGS(S_("x")), KW({"other", S_("x")}));
    serves(GD_OP_mul, "[2, 3]", "mul", NULL, 0, KW({"input", S_("x")}, {"other", F_(2)}));
    serves(GD_OP_div_mode, "[2, 3]", "div", ARGS(T_(x), I_(2)), KW({"rounding_mode", S_("floor")}));
}
END_TEST

START_TEST(conversions) {
    serves(GD_OP_view, "[3, 2]", "view", ARGS(T_(x), I_(3), I_(2)), NO_KW);
    serves(GD_OP_view, "[6]", "view", ARGS(T_(x), I_(-1)), NO_KW);
    serves(GD_OP_view, "[3, 2]", "view", ARGS(T_(x), LIST_(I_(3), I_(2))), NO_KW);
    serves(GD_OP_permute, "[3, 2]", "permute", ARGS(T_(x), I_(1), I_(0)), NO_KW);
    serves(GD_OP_zeros, "[2, 3]", "zeros", ARGS(I_(2), I_(3)), NO_KW);
    serves(GD_OP_zeros, "[2]", "zeros", ARGS(I_(2)), KW({"dtype", S_("float64")}));
    serves(GD_OP_zeros, "[]", "zeros", ARGS(LIST_()), NO_KW);
    serves(GD_OP_transpose, "[3, 2]", "transpose", ARGS(T_(x), S_("a"), S_("b")), NO_KW); /* 0-dim ints */
    serves(GD_OP_cat, "[4, 3]", "cat", ARGS(LIST_(S_("x"), T_(x))), NO_KW);
    serves(GD_OP_stack, "[3]", "stack", ARGS(LIST_(S_("a"), I_(1), S_("c"))), NO_KW);
    serves(GD_OP_add, "[2, 3]", "add", ARGS(T_(x), LIST_(F_(1), F_(2), F_(3))), KW({"alpha", F_(2)}));
    serves(GD_OP_add, "[2, 3]", "add", ARGS(T_(x), S_("-Infinity")), NO_KW);
    serves(GD_OP_getitem, "[3]", "__getitem__", ARGS(T_(x), LIST_(I_(0))), NO_KW);
    serves(GD_OP_getitem, "[3]", "__getitem__", ARGS(T_(x), I_(0)), NO_KW);
    serves(GD_OP_getitem, "[2]", "__getitem__", ARGS(T_(x), LIST_(S_("..."), S_("b"))), NO_KW);
    serves(GD_OP_getitem, "[2, 3]", "__getitem__", ARGS(T_(x), LIST_(LIST_(I_(1), I_(0)))), NO_KW);
    serves(GD_OP_getitem, "[1, 3]", "__getitem__", ARGS(T_(x), LIST_(LIST_(B_(true), B_(false)))), NO_KW);
    serves(GD_OP_getitem, "[0, 3]", "__getitem__", ARGS(T_(x), LIST_(LIST_())), NO_KW);
}
END_TEST

START_TEST(numbers_are_wrapped) {
    gd_tensor *whole = gd_scalar_i64(ctx, 3, GD_INT64), *t = gd_call1(ctx, "mul", ARGS(T_(whole), F_(1.5)));
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(gd_dtype_of(t), GD_FLOAT32);
    ck_assert(!(t->flags & GD_F_WRAPPED_NUMBER));
    gd_release(t), gd_release(whole);
    ck_assert_ptr_null(gd_call1(ctx, "mul", ARGS(T_(x), LIST_(I_(1))))); /* without a resolver lists are lists */
    ck_assert_str_eq(gd_ctx_error(ctx)->message, "mul(): argument 'other' (position 2) must be Tensor, not list");
}
END_TEST

/* ---- complaints, in PyTorch's words -------------------------------------------------------------------- */

START_TEST(complaints) {
    fails(GD_E_MISSING, 1, "mul() missing 1 required positional arguments: \"other\"", "mul", ARGS(T_(x)), NO_KW);
    fails(GD_E_MISSING, 0, "mul() missing 2 required positional argument: \"input\", \"other\"", "mul", NULL, 0, NO_KW);
    fails(GD_E_MISSING, 0, "exp() missing 1 required positional arguments: \"input\"", "exp", NULL, 0, NO_KW);
    fails(GD_E_MISSING, 1, "mul() missing 1 required positional arguments: \"other\"", "mul", ARGS(T_(x)),
          KW({"othr", T_(x)}));
    fails(GD_E_ARGUMENT, -1, "add() got an unexpected keyword argument 'foo'", "add", ARGS(T_(x), I_(1)),
          KW({"foo", I_(2)}));
    fails(GD_E_ARGUMENT, 1, "mul() got multiple values for argument 'other'", "mul", ARGS(T_(x), T_(x)),
          KW({"other", T_(x)}));
    fails(GD_E_ARGUMENT, 2, "mul() takes 2 positional arguments but 3 were given", "mul", ARGS(T_(x), T_(x), T_(x)),
          NO_KW);
    fails(GD_E_ARGUMENT, 1, "exp() takes 1 positional argument but 2 were given", "exp", ARGS(T_(x), T_(x)), NO_KW);
    fails(GD_E_ARGUMENT, 0, "exp(): argument 'input' (position 1) must be Tensor, not NoneType", "exp", ARGS(N_),
          NO_KW);
}
END_TEST

START_TEST(complaints_of_types) {
    fails(GD_E_ARGUMENT, 1, "flatten(): argument 'start_dim' (position 2) must be int, not str", "flatten",
          ARGS(T_(x), S_("zz")), NO_KW);
    fails(GD_E_ARGUMENT, 1, "transpose(): argument 'dim0' (position 2) must be int, not float", "transpose",
          ARGS(T_(x), F_(0.5), I_(1)), NO_KW);
    fails(GD_E_ARGUMENT, 1, "transpose(): argument 'dim0' (position 2) must be int, not bool", "transpose",
          ARGS(T_(x), B_(true), I_(1)), NO_KW);
    fails(GD_E_ARGUMENT, 2, "add(): argument 'alpha' must be Number, not str", "add", ARGS(T_(x), I_(1)),
          KW({"alpha", S_("zz")}));
    fails(GD_E_ARGUMENT, 0, "cat(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor", "cat",
          ARGS(T_(x)), NO_KW);
    fails(GD_E_ARGUMENT, 0, "expected Tensor as element 1 in argument 0, but got NoneType", "cat",
          ARGS(LIST_(T_(x), N_)), NO_KW);
    fails(GD_E_ARGUMENT, 1, "view(): argument 'size' must be tuple of ints, but found element of type str at pos 2",
          "view", ARGS(T_(x), I_(2), S_("zz")), NO_KW);
    fails(GD_E_ARGUMENT, 1, "view(): argument 'size' (position 1) must be tuple of ints, not float", "view",
          ARGS(T_(x), F_(2)), NO_KW);
    fails(GD_E_ARGUMENT, 1, "sum(): argument 'dim' must be tuple of ints, but found element of type float at pos 2",
          "sum", ARGS(T_(x), LIST_(I_(0), F_(1.5))), NO_KW);
    fails(GD_E_ARGUMENT, 2, "sum(): argument 'keepdim' must be bool, not int", "sum", ARGS(T_(x), I_(0)),
          KW({"keepdim", I_(1)}));
    fails(GD_E_ARGUMENT, 0, "mul_(): argument 'input' (position 1) must be Tensor, not int", "mul_", ARGS(I_(1), T_(x)),
          NO_KW);
    fails(GD_E_UNKNOWN_NAME, 1, "name 'nobody' is not defined", "mul", ARGS(T_(x), S_("nobody")), NO_KW);
    fails(GD_E_UNKNOWN_NAME, 1, "name 'nobody' is not defined", "maximum", ARGS(T_(x), S_("nobody")), NO_KW);
    fails(GD_E_VALUE, 1, "expected sequence of length 2 at dim 1 (got 1)", "add",
          ARGS(T_(x), LIST_(LIST_(I_(1), I_(2)), LIST_(I_(1)))), NO_KW);
}
END_TEST

/* ---- in place ---------------------------------------------------------------------------------------------- */

START_TEST(in_place) {
    gd_result r;
    uint32_t version;
    ck_assert_int_eq(gd_call(ctx, "mul_", ARGS(T_(x), I_(2)), NO_KW, NULL, &r), GD_OK);
    ck_assert_ptr_eq(r.outputs[0], x);
    gd_result_clear(&r);
    ck_assert_double_eq(gd_load_f64(GD_FLOAT32, x->data + 20), 12);
    ck_assert(gd_version(ctx, x, &version) == GD_OK && version == 1);
    gd_tensor *row = gd_call1(ctx, "select", ARGS(T_(x), I_(0), I_(0))), *whole = gd_scalar_i64(ctx, 1, GD_INT64);
    fails(GD_E_SHAPE, -1, "output with shape [3] doesn't match the broadcast shape [2, 3]", "add_",
          ARGS(T_(row), T_(x)), NO_KW);
    fails(GD_E_DTYPE, -1, "result type Float can't be cast to the desired output type Long", "add_",
          ARGS(T_(whole), F_(1.5)), NO_KW);
    ck_assert(gd_version(ctx, x, &version) == GD_OK && version == 1);
    gd_release(row), gd_release(whole);
}
END_TEST

START_TEST(in_place_overlap) {
    gd_tensor *row = gd_call1(ctx, "narrow", ARGS(T_(x), I_(0), I_(0), I_(1)));
    gd_tensor *wide = gd_call1(ctx, "expand", ARGS(T_(row), I_(4), I_(3)));
    gd_tensor *flat = gd_call1(ctx, "view", ARGS(T_(x), I_(6)));
    gd_tensor *head = gd_call1(ctx, "narrow", ARGS(T_(flat), I_(0), I_(0), I_(5)));
    gd_tensor *tail = gd_call1(ctx, "narrow", ARGS(T_(flat), I_(0), I_(1), I_(5)));
    fails(GD_E_RUNTIME, -1,
          "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
          "Please clone() the tensor before performing the operation.",
          "add_", ARGS(T_(wide), I_(1)), NO_KW);
    fails(GD_E_RUNTIME, -1,
          "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
          "location. Please clone() the tensor before performing the operation.",
          "add_", ARGS(T_(tail), T_(head)), NO_KW);
    gd_release(row), gd_release(wide), gd_release(flat), gd_release(head), gd_release(tail);
}
END_TEST

START_TEST(in_place_graph) {
    gd_result r;
    ck_assert_int_eq(gd_set_requires_grad(ctx, x, true), GD_OK);
    fails(GD_E_LEAF_INPLACE, -1, "a leaf Variable that requires grad is being used in an in-place operation.", "mul_",
          ARGS(T_(x), I_(2)), NO_KW);
    gd_tensor *h = gd_exp(ctx, x);
    ck_assert_int_eq(gd_call(ctx, "add_", ARGS(T_(h), I_(1)), NO_KW, NULL, &r), GD_OK);
    gd_result_clear(&r);
    ck_assert_str_eq(gd_node_name(gd_grad_fn(ctx, h)), "AddBackward0");
    gd_ctx_set_grad_mode(ctx, GD_MODE_NO_GRAD);
    ck_assert_int_eq(gd_call(ctx, "mul_", ARGS(T_(x), I_(2)), NO_KW, NULL, &r), GD_OK);
    gd_result_clear(&r);
    gd_ctx_set_grad_mode(ctx, GD_MODE_INFERENCE);
    gd_tensor *y = gd_mul(ctx, x, x);
    ck_assert(gd_is_inference(y) && !gd_requires_grad(y));
    gd_release(y), gd_release(h);
}
END_TEST

Suite *bind_suite(void) {
    Suite *suite = suite_create("bind");
    TCase *tc = tcase_create("bind");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, promotes_as_pytorch);
    tcase_add_test(tc, malformed_rows_are_named);
    tcase_add_test(tc, the_table_is_well_formed);
    tcase_add_test(tc, names_and_aliases);
    tcase_add_test(tc, overloads);
    tcase_add_test(tc, conversions);
    tcase_add_test(tc, numbers_are_wrapped);
    tcase_add_test(tc, complaints);
    tcase_add_test(tc, complaints_of_types);
    tcase_add_test(tc, in_place);
    tcase_add_test(tc, in_place_overlap);
    tcase_add_test(tc, in_place_graph);
    suite_add_tcase(suite, tc);
    return suite;
}
