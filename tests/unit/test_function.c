/* test_function.c: stored functions: what a PUT refuses, what inputs may be, every kind of evaluation and its errors,
 * versions and preconditions. Values beside PyTorch's are the business of tests/functions.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/function/function.h"

Suite *function_suite(void);

static gd_functions *r;
static gd_ctx *ctx;
static gd_function *f;
static gd_function_fault fault;
static gd_eval e;

static void open_with(size_t max_functions, size_t plan_bytes) {
    gd_function_options options = {
        .limits = GD_PROGRAM_DEFAULT_LIMITS, .plan_bytes = plan_bytes, .max_functions = max_functions};
    options.limits.steps = 200000;
    r = gd_functions_new(&options);
    ck_assert_ptr_nonnull(r);
    ctx = gd_functions_ctx(r);
    ck_assert_ptr_nonnull(ctx);
}

static void setup(void) {
    open_with(0, (size_t)64 << 20);
    f = NULL;
    fault = (gd_function_fault){0};
    e = (gd_eval){0};
}

static void teardown(void) {
    gd_eval_clear(&e);
    gd_function_release(f);
    gd_functions_free(r);
    ck_assert_uint_eq(gd_account_used(NULL), 0);
}

/* ---- helpers ----------------------------------------------------------------------------------- */

static gd_put_result put(const char *name, const char *source) {
    fault = (gd_function_fault){0};
    return gd_functions_put(r, name, &(gd_function_text){.source = source, .bytes = strlen(source)}, NULL, NULL,
                            &fault);
}

static void store(const char *source) {
    gd_function_release(f);
    gd_put_result result = put("f", source);
    ck_assert_msg(result != GD_PUT_FAILED, "%s: %s", fault.kind, fault.message);
    f = gd_functions_find(r, "f");
    ck_assert_ptr_nonnull(f);
}

static void refuse(const char *source, const char *kind, const char *message, unsigned line, unsigned column) {
    ck_assert_msg(put("bad", source) == GD_PUT_FAILED, "taken: %s", source);
    ck_assert_msg((!kind && !fault.kind) || (kind && fault.kind && !strcmp(fault.kind, kind)), "%s: %s", fault.kind,
                  fault.message);
    ck_assert_msg(strstr(fault.message, message) != NULL, "%s", fault.message);
    ck_assert_msg(fault.line == line && fault.column == column, "%u:%u %s", fault.line, fault.column, fault.message);
    ck_assert_ptr_null(gd_functions_find(r, "bad"));
}

static gd_tensor *doubles(int ndim, const int64_t *sizes, const double *v) {
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) n *= sizes[i];
    gd_tensor *t = gd_from_bytes(ctx, GD_FLOAT64, ndim, sizes, v, (size_t)n * sizeof *v);
    ck_assert_ptr_nonnull(t);
    return t;
}
#define VECTOR(...)                                                                                                    \
    doubles(1, (const int64_t[]){sizeof((double[]){__VA_ARGS__}) / sizeof(double)}, (const double[]){__VA_ARGS__})
#define MATRIX(rows, columns, ...) doubles(2, (const int64_t[]){rows, columns}, (const double[]){__VA_ARGS__})
static gd_tensor *number(double v) { return gd_scalar_f64(ctx, v, GD_FLOAT64); }

static void begin(gd_eval_kind kind) {
    gd_eval_clear(&e);
    e.kind = kind;
    fault = (gd_function_fault){0};
}

static void run(void) { ck_assert_msg(gd_function_eval(ctx, f, &e, &fault), "%s: %s", fault.kind, fault.message); }

static void fails(const char *kind, const char *input, const char *message) {
    ck_assert(!gd_function_eval(ctx, f, &e, &fault));
    ck_assert_msg((!kind && !fault.kind) || (kind && fault.kind && !strcmp(fault.kind, kind)), "%s: %s", fault.kind,
                  fault.message);
    ck_assert_msg(strstr(fault.message, message) != NULL, "%s", fault.message);
    ck_assert_str_eq(fault.input, input);
}

static void expect(const gd_tensor *t, const char *repr) {
    ck_assert_ptr_nonnull(t);
    char *text = gd_repr(ctx, t);
    ck_assert_str_eq(text, repr);
    free(text);
}

/* ---- PUT --------------------------------------------------------------------------------------- */

START_TEST(put_refuses_what_cannot_work) {
    refuse("def f(x:\n    return x", "syntax_error", "SyntaxError: ", 1, 6);
    refuse("x = 1", "bad_function", "no 'def' at its top level", 0, 0);
    refuse("def f(*xs):\n    return xs[0]", "bad_function", "'*xs' is not allowed", 1, 8);
    refuse("def f(x, **more):\n    return x", "bad_function", "'**more' is not allowed", 1, 12);
    refuse("y = nothing\ndef f(x):\n    return x", "program_error", "NameError: name 'nothing' is not defined", 1, 5);
    refuse("def f(x: float64[3]):\n    return x + nothing", "program_error", "NameError: name 'nothing'", 2, 16);
    refuse("def f(x: float64[3]):\n    return x.sum(1, 2, 3, 4)", NULL, "sum", 2, 12);
    refuse("def f(x: float64[3]):\n    return x @ torch.ones(4, dtype=torch.float64)", NULL, "inconsistent", 2, 12);
    refuse("def f(x: float64[3]):\n    return x.no_such_method()", "program_error", "AttributeError", 2, 12);
    refuse("def f(x: float64[3]):\n    return 'text'", "bad_function", "'str', not a tensor", 1, 1);
    refuse("def f(x: float64[3]):\n    return x, (x, x)", "bad_function", "a 'tuple' among its outputs", 1, 1);
    refuse("def f(x: float64[3]):\n    return ()", "bad_function", "returns no tensor", 1, 1);
    refuse("def f(x: float64[3]):\n    return {1: x}", "bad_function", "a key of type 'int'", 1, 1);
    refuse("def f(x: float64[3]):\n    pass", "bad_function", "'NoneType', not a tensor", 1, 1);
    refuse("def f(x: float64[3]):\n    while True:\n        pass", "program_limit", "more than 200000 steps", 3, 9);
    refuse("while True:\n    pass\ndef f(x):\n    return x", "program_limit", "steps", 2, 5);
    refuse("def f(x: float64[-1]):\n    return x", "bad_input", "written out", 1, 10);
    refuse("def f(x: float64[n]):\n    return x", "bad_input", "written out", 1, 10);
    refuse("import numpy\ndef f(x):\n    return x", "program_error", "ModuleNotFoundError", 1, 1);
    refuse("def f(x):\n    return x\nf(1, 2)", "program_error", "TypeError: f() takes 1 positional argument", 3, 1);
}
END_TEST

START_TEST(put_takes_what_may_work) {
    store("def f(x: float64[3]):\n    assert x.sum() > 100\n    return x");
    ck_assert_int_eq(gd_function_noutputs(f), -1);
    store(
        "def f(x: float64[3]):\n    if x.sum() > 100:\n        raise TypeError('too much')\n    raise TypeError('no')");
    store("def f(x: float64[3]):\n    raise ValueError('never')");
    store("def f(x: float64[3], n: int):\n    return x.reshape(n, 3 - n)"); /* wrong for the made-up n alone */
    store("def f(x):\n    return x + nothing");                             /* open: not tried */
    store("def f(x: float64[3]):\n    return torch.linalg.cholesky(x.diag() - torch.eye(3, dtype=torch.float64))");
    store("def f(x: int64[3]):\n    return torch.arange(1)[x]"); /* an index that is out of range for ones */
    store("def f(x: float64[3], /, *, k=2):\n    \"\"\"Says it.\"\"\"\n    return x * k, {'a': 1}['a']");
    ck_assert_str_eq(gd_function_doc(f), "Says it.");
    ck_assert_int_eq(gd_function_noutputs(f), 2);
    ck_assert_str_eq(gd_function_output_at(f, 1).name, "1");
    ck_assert_int_eq(gd_function_output_at(f, 0).sizes[0], 3);
    ck_assert(!gd_function_is_named(f));
    store("def g(x):\n    return x\n\ndef f(x: float64[2]):\n    return {'out': g(x)}\n");
    ck_assert(gd_function_is_named(f) && !strcmp(gd_function_output_at(f, 0).name, "out"));
}
END_TEST

START_TEST(annotations) {
    store(
        "def f(a: float64[100], b: float32[3, 4], c: float64, d: 'float32[]', g: int, h: float, i: bool, j: str,\n"
        "      k: torch.int64[2], l: Tensor, m: torch.Tensor, n, o: float64[...], p: list[int] = None, q: 'long[1]' = 0,"
        " s: float64[()] = 1, u: bool[2] = None):\n    return a");
    static const struct {
        gd_input_kind kind;
        bool has_dtype, has_shape;
        gd_dtype dtype;
        int ndim;
    } want[] = {{GD_INPUT_TENSOR, true, true, GD_FLOAT64, 1},
                {GD_INPUT_TENSOR, true, true, GD_FLOAT32, 2},
                {GD_INPUT_TENSOR, true, true, GD_FLOAT64, 0},
                {GD_INPUT_TENSOR, true, true, GD_FLOAT32, 0},
                {GD_INPUT_INT, false, false, 0, 0},
                {GD_INPUT_FLOAT, false, false, 0, 0},
                {GD_INPUT_BOOL, false, false, 0, 0},
                {GD_INPUT_STR, false, false, 0, 0},
                {GD_INPUT_TENSOR, true, true, GD_INT64, 1},
                {GD_INPUT_TENSOR, false, false, 0, 0},
                {GD_INPUT_TENSOR, false, false, 0, 0},
                {GD_INPUT_TENSOR, false, false, 0, 0},
                {GD_INPUT_TENSOR, true, false, GD_FLOAT64, 0},
                {GD_INPUT_TENSOR, false, false, 0, 0},
                {GD_INPUT_TENSOR, true, true, GD_INT64, 1},
                {GD_INPUT_TENSOR, true, true, GD_FLOAT64, 0},
                {GD_INPUT_TENSOR, true, true, GD_BOOL, 1}};
    ck_assert_int_eq(gd_function_ninputs(f), 17);
    for (int i = 0; i < 17; i++) {
        const gd_function_input *in = gd_function_input_at(f, i);
        bool same = in->kind == want[i].kind && in->has_dtype == want[i].has_dtype &&
                    in->has_shape == want[i].has_shape && in->ndim == want[i].ndim &&
                    (!in->has_dtype || in->dtype == want[i].dtype) && in->has_default == (i >= 13);
        ck_assert_msg(same, "%s", in->name);
    }
    ck_assert(gd_function_input_at(f, 1)->sizes[1] == 4 && gd_function_input_at(f, 0)->sizes[0] == 100);
    ck_assert(!gd_function_is_fixed(f));
    ck_assert_int_eq(gd_function_input_index(f, "g"), 4);
    ck_assert_int_eq(gd_function_input_index(f, "zz"), -1);
}
END_TEST

START_TEST(inputs_of_the_put_win) {
    gd_function_input in[] = {
        {.name = "x", .has_dtype = true, .dtype = GD_FLOAT32},
        {.name = "y", .has_dtype = true, .has_shape = true, .dtype = GD_FLOAT64, .ndim = 1, .sizes = {2}}};
    const char *source = "def f(x: float64[2], y):\n    return x, y";
    gd_function_text text = {.source = source, .bytes = strlen(source), .inputs = in, .ninputs = 2};
    ck_assert_int_eq(gd_functions_put(r, "f", &text, NULL, NULL, &fault), GD_PUT_CREATED);
    f = gd_functions_find(r, "f");
    ck_assert(gd_function_is_fixed(f) && gd_function_input_at(f, 0)->dtype == GD_FLOAT32);
    ck_assert_int_eq(gd_function_output_at(f, 0).dtype, GD_FLOAT32);
    in[0].name = "z";
    ck_assert_int_eq(gd_functions_put(r, "f", &text, NULL, NULL, &fault), GD_PUT_FAILED);
    ck_assert_str_eq(fault.kind, "bad_input");
    ck_assert_str_eq(fault.input, "z");
}
END_TEST

START_TEST(versions_and_preconditions) {
    char etag[64];
    store("def f(x: float64):\n    return x * 1");
    gd_function *first = f;
    f = NULL;
    snprintf(etag, sizeof etag, "%s", gd_function_etag(first));
    const char *two = "def f(x: float64):\n    return x * 2";
    gd_function_text text = {.source = two, .bytes = strlen(two)};
    ck_assert_int_eq(gd_functions_put(r, "f", &text, NULL, "*", &fault), GD_PUT_FAILED);
    ck_assert_str_eq(fault.kind, "precondition");
    ck_assert_int_eq(gd_functions_put(r, "g", &text, "*", NULL, &fault), GD_PUT_FAILED);
    ck_assert_int_eq(gd_functions_put(r, "f", &text, "\"0-0\"", NULL, &fault), GD_PUT_FAILED);
    ck_assert_int_eq(gd_functions_put(r, "f", &text, etag, NULL, &fault), GD_PUT_REPLACED);
    ck_assert_int_eq(gd_functions_put(r, "f", &text, etag, NULL, &fault), GD_PUT_FAILED);
    f = gd_functions_find(r, "f");
    ck_assert(strcmp(etag, gd_function_etag(f)) != 0 && gd_function_version(f) > gd_function_version(first));
    begin(GD_EVAL_VALUE);
    e.inputs[0] = number(3);
    run();
    expect(e.values[0], "tensor(6., dtype=torch.float64)");
    gd_function *second = f;
    f = first; /* still works */
    begin(GD_EVAL_VALUE);
    e.inputs[0] = number(3);
    run();
    expect(e.values[0], "tensor(3., dtype=torch.float64)");
    ck_assert_ptr_null(strstr(gd_function_source(f), "* 2"));
    gd_function_release(second);
    ck_assert(gd_functions_delete(r, "f") && !gd_functions_delete(r, "f"));
    ck_assert_ptr_null(gd_functions_find(r, "f"));
    ck_assert_uint_eq(gd_functions_count(r), 0);
}
END_TEST

START_TEST(lists) {
    char name[16];
    gd_function *found[4];
    bool more;
    gd_functions_free(r);
    open_with(300, 0);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "f%03d", (i * 7) % 300);
        ck_assert_int_eq(put(name, "def f(x):\n    return x"), GD_PUT_CREATED);
    }
    ck_assert_int_eq(put("one", "def f(x):\n    return x"), GD_PUT_FAILED);
    ck_assert_str_eq(fault.kind, "too_many");
    for (int i = 0; i < 300; i += 2) {
        snprintf(name, sizeof name, "f%03d", i);
        ck_assert(gd_functions_delete(r, name));
    }
    ck_assert_uint_eq(gd_functions_list(r, "f010", 4, found, &more), 4);
    ck_assert(more && !strcmp(gd_function_name(found[0]), "f011") && !strcmp(gd_function_name(found[3]), "f017"));
    for (int i = 0; i < 4; i++) gd_function_release(found[i]);
    ck_assert_uint_eq(gd_functions_list(r, "f297", 4, found, &more), 1);
    ck_assert(!more);
    gd_function_release(found[0]);
    ck_assert_int_eq(put("one", "def f(x):\n    return x"), GD_PUT_CREATED);
    ck_assert_uint_eq(gd_functions_count(r), 151);
}
END_TEST

START_TEST(captures_are_frozen) {
    gd_tensor *W = VECTOR(1, 2);
    const char *source = "def f(x: float64):\n    W.add_(1)\n    return W * x";
    gd_function_text text = {
        .source = source, .bytes = strlen(source), .captures = &(gd_capture){"W", W}, .ncaptures = 1};
    ck_assert_int_eq(gd_functions_put(r, "f", &text, NULL, NULL, &fault), GD_PUT_CREATED);
    gd_release(W);
    f = gd_functions_find(r, "f");
    ck_assert_int_eq(gd_function_ncaptures(f), 1);
    ck_assert_str_eq(gd_function_capture_name(f, 0), "W");
    for (int i = 0; i < 3; i++) { /* what a call writes, the next one does not see */
        begin(GD_EVAL_VALUE);
        e.inputs[0] = number(10);
        run();
        expect(e.values[0], "tensor([20., 30.], dtype=torch.float64)");
    }
    text.captures = &(gd_capture){"layer.W", e.values[0]};
    ck_assert_int_eq(gd_functions_put(r, "f", &text, NULL, NULL, &fault), GD_PUT_FAILED);
    ck_assert_str_eq(fault.input, "layer.W");
}
END_TEST

/* ---- inputs ------------------------------------------------------------------------------------ */

START_TEST(inputs_are_checked) {
    store("def f(x: float64[3], k: int64[3], n: int = 2):\n    return x * k * n");
    begin(GD_EVAL_VALUE);
    fails("bad_input", "x", "input 'x' is missing");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1, 2);
    fails("bad_input", "x", "input 'x' has shape [2], this function takes [3]");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1, 2, 3);
    e.inputs[1] = VECTOR(1, 2, 3);
    fails("bad_input", "k", "input 'k' is float64, this function takes int64");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = gd_from_bytes(ctx, GD_INT64, 1, (int64_t[]){3}, (int64_t[]){1, 2, 3}, 24);
    e.inputs[1] = gd_from_bytes(ctx, GD_UINT8, 1, (int64_t[]){3}, (uint8_t[]){1, 2, 3}, 3);
    e.statics[2] = (gd_static){true, GD_INT_VALUE(10)};
    run();
    expect(e.values[0], "tensor([10., 40., 90.], dtype=torch.float64)");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1, 2, 3);
    e.inputs[1] = gd_from_bytes(ctx, GD_INT64, 1, (int64_t[]){3}, (int64_t[]){1, 2, 3}, 24);
    e.statics[2] = (gd_static){true, GD_FLOAT_VALUE(1.5)};
    fails("bad_input", "n", "input 'n' must be an int");
    begin(GD_EVAL_GRADIENT);
    e.wrt = 2;
    e.inputs[0] = VECTOR(1, 2, 3);
    e.inputs[1] = gd_from_bytes(ctx, GD_INT64, 1, (int64_t[]){3}, (int64_t[]){1, 2, 3}, 24);
    fails("bad_input", "k", "only floating inputs have derivatives");
    store("def f(x: int32):\n    return x");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = gd_scalar_i64(ctx, (int64_t)1 << 40, GD_INT64);
    fails("bad_input", "x", "beyond the range of int32");
}
END_TEST

START_TEST(float32_is_converted) {
    store("def f(x: float32[2]):\n    return x / 3");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1, 2);
    run();
    expect(e.values[0], "tensor([0.3333, 0.6667])");
    store("def f(x):\n    return x / 3"); /* open: as it comes */
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1, 2);
    run();
    expect(e.values[0], "tensor([0.3333, 0.6667], dtype=torch.float64)");
    begin(GD_EVAL_VALUE);
    e.statics[0] = (gd_static){true, GD_FLOAT_VALUE(1.5)};
    run();
    expect(e.values[0], "tensor(0.5000)");
}
END_TEST

/* ---- derivatives --------------------------------------------------------------------------------- */

START_TEST(scalar_outputs_are_asked_for) {
    store("def f(x: float64[2]):\n    return x * 2");
    begin(GD_EVAL_GRADIENT);
    e.inputs[0] = VECTOR(1, 2);
    fails("not_scalar", "", "grad can be implicitly created only for scalar outputs");
    store("def f(x: float64[2]):\n    return x.sum(), x.prod()");
    begin(GD_EVAL_HESSIAN);
    e.inputs[0] = VECTOR(1, 2);
    fails("not_scalar", "", "this function has 2 outputs, ask for cotangents");
    begin(GD_EVAL_GRADIENT);
    e.inputs[0] = VECTOR(1, 2);
    fails("not_scalar", "", "vjp with cotangents");
    store("def f(x: float64[2]):\n    return x.argmax()");
    begin(GD_EVAL_GRADIENT);
    e.inputs[0] = VECTOR(1, 2);
    fails("not_scalar", "", "only floating outputs");
}
END_TEST

START_TEST(products_by_part) {
    store("def f(x: float64[2], y: float64[2]):\n    return (x * x * y).sum(), x * y, y.argmax()");
    begin(GD_EVAL_VJP);
    e.inputs[0] = VECTOR(1, 2);
    e.inputs[1] = VECTOR(3, 4);
    fails("bad_input", "", "there is no cotangent");
    begin(GD_EVAL_VJP);
    e.inputs[0] = VECTOR(1, 2);
    e.inputs[1] = VECTOR(3, 4);
    e.vectors[1] = VECTOR(1, 10);
    e.wrt = 2;
    run();
    ck_assert(e.nresults == 1 && e.noutputs == 3);
    expect(e.results[0], "tensor([ 1., 20.], dtype=torch.float64)");
    begin(GD_EVAL_VJP);
    e.inputs[0] = VECTOR(1, 2);
    e.inputs[1] = VECTOR(3, 4);
    e.vectors[2] = number(1);
    fails("bad_input", "2", "output '2' is int64: it takes no cotangent");
    begin(GD_EVAL_VJP);
    e.inputs[0] = VECTOR(1, 2);
    e.inputs[1] = VECTOR(3, 4);
    e.vectors[1] = VECTOR(1, 2, 3);
    fails("bad_input", "1", "the cotangent of '1' has shape [3], it takes [2]");
    begin(GD_EVAL_JVP);
    e.inputs[0] = VECTOR(1, 2);
    e.inputs[1] = VECTOR(3, 4);
    e.vectors[0] = MATRIX(2, 2, 1, 0, 0, 1);
    e.outputs_wanted = 2 | 4;
    run();
    ck_assert_ptr_null(e.results[0]);
    expect(e.results[1], "tensor([[3., 0.],\n        [0., 4.]], dtype=torch.float64)");
    expect(e.results[2], "tensor([0, 0])");
    begin(GD_EVAL_JACOBIAN);
    e.inputs[0] = VECTOR(1, 2);
    e.inputs[1] = VECTOR(3, 4);
    e.outputs_wanted = 2;
    run();
    ck_assert(e.nresults == 6 && !e.results[0] && !e.results[5]);
    expect(e.results[3], "tensor([[1., 0.],\n        [0., 2.]], dtype=torch.float64)");
}
END_TEST

/* d/dx (d/dy of <c, outputs> · v): the inputs of vectors and of results differ, as UM-Bridge's ApplyHessian has it. */
START_TEST(hessian_of_weighted_outputs) {
    store("def f(x: float64[2], y: float64[2]):\n    return x * x * y, x * y");
    begin(GD_EVAL_HVP);
    e.inputs[0] = VECTOR(1, 2);
    e.inputs[1] = VECTOR(3, 4);
    e.cotangents[0] = VECTOR(1, 1);
    e.cotangents[1] = VECTOR(10, 10);
    e.vectors[1] = VECTOR(1, 2);
    e.wrt = 1;
    run();
    expect(e.results[0], "tensor([12., 28.], dtype=torch.float64)");
    begin(GD_EVAL_HESSIAN);
    e.inputs[0] = VECTOR(1, 2);
    e.inputs[1] = VECTOR(3, 4);
    e.cotangents[0] = VECTOR(1, 1);
    e.wrt = 1;
    run();
    expect(e.results[0], "tensor([[6., 0.],\n        [0., 8.]], dtype=torch.float64)");
}
END_TEST

START_TEST(batches) {
    store("def f(x: float64[2], s: float64):\n    return (x ** 2).sum() * s");
    begin(GD_EVAL_GRADIENT);
    e.batched = true;
    e.inputs[0] = MATRIX(3, 2, 1, 2, 3, 4, 5, 6);
    e.inputs[1] = VECTOR(1, 10, 100);
    run();
    expect(e.values[0], "tensor([5.0000e+00, 2.5000e+02, 6.1000e+03], dtype=torch.float64)");
    expect(e.results[0],
           "tensor([[   2.,    4.],\n        [  60.,   80.],\n        [1000., 1200.]], dtype=torch.float64)");
    expect(e.results[1], "tensor([ 5., 25., 61.], dtype=torch.float64)");
    begin(GD_EVAL_HESSIAN);
    e.batched = true;
    e.wrt = 1;
    e.inputs[0] = MATRIX(2, 2, 1, 2, 3, 4);
    e.inputs[1] = VECTOR(1, 10);
    run();
    expect(e.results[0], "tensor([[[ 2.,  0.],\n         [ 0.,  2.]],\n\n        [[20.,  0.],\n         [ 0., 20.]]], "
                         "dtype=torch.float64)");
    begin(GD_EVAL_VALUE);
    e.batched = true;
    e.inputs[0] = MATRIX(3, 2, 1, 2, 3, 4, 5, 6);
    e.inputs[1] = VECTOR(1, 10);
    fails("bad_input", "s", "has 2 points along its leading axis, others have 3");
    begin(GD_EVAL_VALUE);
    e.batched = true;
    e.inputs[0] = MATRIX(3, 2, 1, 2, 3, 4, 5, 6);
    e.inputs[1] = number(1);
    fails("bad_input", "s", "no leading axis");
    begin(GD_EVAL_VJP);
    e.batched = true;
    e.inputs[0] = MATRIX(2, 2, 1, 2, 3, 4);
    e.inputs[1] = VECTOR(1, 10);
    e.vectors[0] = MATRIX(2, 2, 1, 2, 3, 4); /* two for each point */
    e.wrt = 2;
    run();
    expect(e.results[0], "tensor([[  5.,  10.],\n        [ 75., 100.]], dtype=torch.float64)");
}
END_TEST

START_TEST(batch_of_functions_that_branch) {
    store("def f(x: float64[2]):\n    if x.sum() > 0:\n        return x.sum() ** 2\n    return (x ** 3).sum()");
    begin(GD_EVAL_GRADIENT);
    e.batched = true;
    e.inputs[0] = MATRIX(2, 2, 1, 2, -1, -2);
    run();
    expect(e.results[0], "tensor([[ 6.,  6.],\n        [ 3., 12.]], dtype=torch.float64)");
    ck_assert_ptr_nonnull(gd_function_dynamic(f));
    store("def f(x: float64[2]):\n    return x[x > 0] * 2");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1, 2);
    run();
    expect(e.values[0], "tensor([2., 4.], dtype=torch.float64)");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(-1, 2);
    run();
    expect(e.values[0], "tensor([4.], dtype=torch.float64)");
    begin(GD_EVAL_VALUE);
    e.batched = true;
    e.inputs[0] = MATRIX(2, 2, 1, 2, -1, 2);
    fails("bad_function", "", "other shapes or dtypes for point 1");
}
END_TEST

START_TEST(abstract_reads_no_values) {
    store("def f(x: float64[3], n: int = 2):\n    return {'a': x.repeat(n), 'b': (x > 0).all()}");
    begin(GD_EVAL_ABSTRACT);
    e.batched = true;
    e.inputs[0] = MATRIX(2, 3, 0, 0, 0, 0, 0, 0);
    e.statics[1] = (gd_static){true, GD_INT_VALUE(4)};
    run();
    ck_assert(e.noutputs == 2 && e.named && !e.values);
    ck_assert(e.outputs[0].ndim == 2 && e.outputs[0].sizes[0] == 2 && e.outputs[0].sizes[1] == 12);
    ck_assert(e.outputs[1].ndim == 1 && e.outputs[1].dtype == GD_BOOL && !strcmp(e.outputs[1].name, "b"));
}
END_TEST

START_TEST(checks) {
    store("def f(x: float64[3], n: int = 3):\n    return (x ** n).sum(), x.sin()");
    begin(GD_EVAL_CHECK);
    e.inputs[0] = VECTOR(1, 2, 3);
    run();
    ck_assert_msg(e.report->gradient_ok && e.report->second_tried && e.report->second_ok, "%s", e.report->text);
    ck_assert(e.report->gradient_error < 0.1 && e.report->second_error < 0.5);
    store("def f(x: float64[3]):\n    return (x.detach() * x).sum()");
    begin(GD_EVAL_CHECK);
    e.inputs[0] = VECTOR(1, 2, 3);
    run();
    ck_assert(!e.report->gradient_ok && e.report->gradient_error > 10);
    ck_assert_ptr_nonnull(strstr(e.report->text, "Jacobian mismatch for output 0 with respect to input 0"));
    store("def f(x: float32[3]):\n    return x.exp()");
    begin(GD_EVAL_CHECK);
    e.inputs[0] = VECTOR(0.1, 0.2, 0.3);
    run();
    ck_assert_msg(e.report->gradient_ok, "%s", e.report->text);
}
END_TEST

/* ---- what programs may do ------------------------------------------------------------------------ */

START_TEST(each_call_is_fresh) {
    store("n = 0\nseen = []\ndef f(x: float64):\n    global n\n    n += 1\n    seen.append(n)\n    print('x' * 100)\n"
          "    return x * n + len(seen) + torch.rand(1)[0].double() * 0 + (x > 0)");
    for (int i = 0; i < 3; i++) {
        begin(GD_EVAL_VALUE);
        e.inputs[0] = number(5);
        run();
        expect(e.values[0], "tensor(7., dtype=torch.float64)");
    }
    store("def f(x: float64[2]):\n    return x * 0 + torch.rand(2, dtype=torch.float64)");
    char *first = NULL;
    for (int i = 0; i < 3; i++) {
        begin(GD_EVAL_VALUE);
        e.inputs[0] = VECTOR(1, 2);
        run();
        char *text = gd_repr(ctx, e.values[0]);
        if (first) ck_assert_str_eq(text, first);
        free(first);
        first = text;
    }
    free(first);
}
END_TEST

START_TEST(errors_have_a_place) {
    store("def f(x: float64[2]):\n    y = x * 2\n    assert y.sum() < 100, 'too large'\n    return y");
    begin(GD_EVAL_GRADIENT);
    e.inputs[0] = VECTOR(100, 2);
    fails("program_error", "", "AssertionError: too large");
    ck_assert_uint_eq(fault.line, 3);
    store("def f(x: float64[2]):\n    while x.sum() > 0:\n        x = x + 1\n    return x");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1, 2);
    fails("program_limit", "", "steps");
    ck_assert_uint_eq(fault.line, 2);
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(-1, -2);
    run();
    store("def f(x):\n    return x + nothing");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1);
    fails("program_error", "", "NameError: name 'nothing'");
    ck_assert(fault.line == 2 && fault.column == 16);
    store("def f(x):\n    return x @ torch.ones(3, dtype=torch.float64)");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1);
    fails(NULL, "", "inconsistent tensor size");
    ck_assert_int_eq(fault.code, GD_E_SHAPE);
    ck_assert_uint_eq(fault.line, 2);
}
END_TEST

START_TEST(evaluations_stop) {
    static _Atomic bool stop = true;
    store("def f(x: float64[2]):\n    return x");
    begin(GD_EVAL_VALUE);
    e.inputs[0] = VECTOR(1, 2);
    e.stop = &stop;
    fails("program_limit", "", "stopped");
}
END_TEST

START_TEST(what_is_compiled_is_small) {
    store("def f(x: float64[2]):\n    return (x ** 3).sum()");
    static const gd_eval_kind kinds[] = {GD_EVAL_VALUE, GD_EVAL_GRADIENT, GD_EVAL_JVP, GD_EVAL_HVP, GD_EVAL_JACOBIAN};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int round = 0; round < 2; round++) {
            begin(kinds[k]);
            e.inputs[0] = VECTOR(1, 2);
            if (e.kind == GD_EVAL_JVP || e.kind == GD_EVAL_HVP) e.vectors[0] = VECTOR(1, 2);
            ck_assert_int_eq(gd_function_is_small(f, &e), round);
            run();
        }
    ck_assert_ptr_null(gd_function_dynamic(f));
    begin(GD_EVAL_VALUE);
    ck_assert(gd_function_is_small(f, &e)); /* refused at once */
    store("def f(x: float64[2]):\n    return x.sum() if x[0] > 0 else x.prod()");
    for (int round = 0; round < 2; round++) {
        begin(GD_EVAL_VALUE);
        e.inputs[0] = VECTOR(1, 2);
        ck_assert(!gd_function_is_small(f, &e));
        run();
    }
    ck_assert_str_eq(gd_function_dynamic(f), "line 2: bool() of a tensor that depends on an input");
}
END_TEST

START_TEST(many_signatures) {
    gd_functions_free(r);
    open_with(0, 20000); /* room for a few plans: others go and are made anew */
    store("def f(x, n: int):\n    return (x ** n).sum()");
    for (int round = 0; round < 3; round++)
        for (int n = 1; n < 20; n++) {
            char want[64];
            begin(GD_EVAL_GRADIENT);
            e.inputs[0] = VECTOR(1, 2);
            e.statics[1] = (gd_static){true, GD_INT_VALUE(n)};
            run();
            snprintf(want, sizeof want, "tensor(%.0f., dtype=torch.float64)", 1 + pow(2, n));
            expect(e.values[0], want);
        }
}
END_TEST

Suite *function_suite(void) {
    Suite *suite = suite_create("function");
    TCase *t = tcase_create("stored functions");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, put_refuses_what_cannot_work);
    tcase_add_test(t, put_takes_what_may_work);
    tcase_add_test(t, annotations);
    tcase_add_test(t, inputs_of_the_put_win);
    tcase_add_test(t, versions_and_preconditions);
    tcase_add_test(t, lists);
    tcase_add_test(t, captures_are_frozen);
    tcase_add_test(t, inputs_are_checked);
    tcase_add_test(t, float32_is_converted);
    tcase_add_test(t, scalar_outputs_are_asked_for);
    tcase_add_test(t, products_by_part);
    tcase_add_test(t, hessian_of_weighted_outputs);
    tcase_add_test(t, batches);
    tcase_add_test(t, batch_of_functions_that_branch);
    tcase_add_test(t, abstract_reads_no_values);
    tcase_add_test(t, checks);
    tcase_add_test(t, each_call_is_fresh);
    tcase_add_test(t, errors_have_a_place);
    tcase_add_test(t, evaluations_stop);
    tcase_add_test(t, what_is_compiled_is_small);
    tcase_add_test(t, many_signatures);
    suite_add_tcase(suite, t);
    return suite;
}
