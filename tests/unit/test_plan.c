/* test_plan.c: compiled traces: what a plan gives for other inputs than the traced ones is what the engine gives, bit
 * for bit where nothing is added up; what is left of a trace; places; threads. Every op goes through a plan in
 * tests/conformance/run_traces.c. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/plan/plan.h"
#include "core/program/program.h"
#include "tests/unit/op_helpers.h"

enum { MAX_INPUTS = 3, MAX_OUTPUTS = 8 };

/* ---- programs over x, y, z that assign out0, out1 … ------------------------------------------------- */

static gd_tensor *inputs[MAX_INPUTS], *outputs[MAX_OUTPUTS];

static gd_tensor *get(void *user, const char *name) {
    (void)user;
    if (name[0] >= 'x' && name[0] <= 'z' && !name[1]) return inputs[name[0] - 'x'];
    return !strncmp(name, "out", 3) ? outputs[name[3] - '0'] : NULL;
}

static gd_code bind(void *user, const char *name, gd_tensor *t) {
    (void)user;
    gd_tensor **place = !strncmp(name, "out", 3) ? &outputs[name[3] - '0'] : NULL;
    if (place) gd_release(*place);
    if (place)
        *place = t;
    else
        gd_release(t);
    return GD_OK;
}
static void forget(void *user, const char *name) { (void)user, (void)name; }

static void forget_outputs(void) {
    for (int i = 0; i < MAX_OUTPUTS; i++) gd_release(outputs[i]), outputs[i] = NULL;
}

static void forget_inputs(void) {
    for (int i = 0; i < MAX_INPUTS; i++) gd_release(inputs[i]), inputs[i] = NULL;
}

static void clean(void) {
    forget_outputs();
    forget_inputs();
    teardown();
}

static void run_program(const char *source) {
    const gd_env_binding binding = {get, bind, forget, NULL};
    const gd_program_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS};
    gd_program_result result;
    size_t bytes = strlen(source) + 16;
    char *text = malloc(bytes);
    ck_assert_ptr_nonnull(text);
    snprintf(text, bytes, "import torch\n%s", source);
    forget_outputs();
    gd_env *env = gd_env_new(ctx, &binding);
    gd_ctx_manual_seed(ctx, 0);
    gd_program_run(env, text, strlen(text), &options, &result);
    ck_assert_msg(result.status == GD_PROGRAM_OK, "%s raised: %s", source, gd_ctx_error(ctx)->message);
    gd_program_result_clear(&result);
    gd_env_free(env);
    free(text);
}

/* ---- inputs ------------------------------------------------------------------------------------------- */

typedef struct shape {
    gd_dtype dtype;
    int ndim;
    int64_t sizes[4];
} shape;

static double number(gd_dtype dtype, uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t bits = *state >> 33;
    if (!gd_dtype_is_float(dtype)) return (double)(bits % (dtype == GD_BOOL ? 2 : 7));
    if (bits % 53 == 0) return bits & 64 ? -0.0 : 0.0;
    return (double)(bits % 4001) / 1000.0 - 2.0;
}

static void set_inputs(const shape *shapes, uint64_t seed) {
    forget_inputs();
    for (int i = 0; i < MAX_INPUTS && shapes[i].ndim >= 0; i++) {
        gd_dtype dtype = shapes[i].dtype;
        gd_tensor *t = gd_zeros(ctx, dtype, shapes[i].ndim, shapes[i].sizes);
        ck_assert_ptr_nonnull(t);
        for (int64_t k = 0; k < t->numel; k++)
            gd_store_f64(dtype, t->data + (size_t)k * gd_dtype_bytes(dtype), number(dtype, &seed));
        if (gd_dtype_is_float(dtype)) ck_assert_int_eq(gd_set_requires_grad(ctx, t, true), GD_OK);
        inputs[i] = t;
    }
}

/* ---- plans -------------------------------------------------------------------------------------------- */

static gd_plan *compiled(const char *source) {
    gd_trace *tr = gd_trace_begin(ctx);
    int32_t values[MAX_OUTPUTS];
    int n = 0;
    ck_assert_ptr_nonnull(tr);
    for (int i = 0; i < MAX_INPUTS && inputs[i]; i++) ck_assert_int_eq(gd_trace_input(tr, inputs[i]), GD_OK);
    run_program(source);
    for (; n < MAX_OUTPUTS && outputs[n]; n++) values[n] = gd_trace_value(tr, outputs[n]);
    gd_trace_pause(tr);
    ck_assert_msg(!gd_trace_dynamic(tr), "%s: %s", source, gd_trace_dynamic(tr)->text);
    forget_outputs();
    gd_plan *plan = gd_plan_new(ctx, tr, values, n);
    ck_assert_msg(plan != NULL, "%s: %s", source, gd_ctx_error(ctx)->message);
    gd_trace_free(tr);
    return plan;
}

static gd_plan_frame *ready(gd_plan *plan) {
    gd_plan_frame *frame = gd_plan_frame_take(plan);
    ck_assert_ptr_nonnull(frame);
    for (int i = 0; i < gd_plan_ninputs(plan); i++) gd_plan_set_input(frame, i, inputs[i]->data);
    return frame;
}

static void run_frame(gd_plan_frame *frame) {
    gd_error error;
    gd_code code = gd_plan_run(frame, &error);
    ck_assert_msg(code == GD_OK, "%s", error.message);
}

static bool same_number(gd_dtype dtype, const char *a, const char *b, double tolerance) {
    if (!memcmp(a, b, gd_dtype_bytes(dtype))) return true;
    if (!gd_dtype_is_float(dtype)) return false;
    double p = gd_load_f64(dtype, a), q = gd_load_f64(dtype, b);
    return (isnan(p) && isnan(q)) || fabs(p - q) <= tolerance * (1 + fabs(q));
}

/* tolerance 0: the same bits, NaNs apart. */
static void same_output(const char *source, int i, const gd_plan_place *place, const void *bytes, double tolerance) {
    gd_tensor *want = outputs[i];
    ck_assert_msg(want && (gd_dtype)want->dtype == place->dtype && want->ndim == place->ndim, "%s: out%d's shape",
                  source, i);
    for (int d = 0; d < place->ndim; d++) ck_assert_int_eq(want->sizes[d], place->sizes[d]);
    char *eager = malloc(place->nbytes + 1);
    ck_assert_ptr_nonnull(eager);
    gd_read_bytes(want, eager);
    size_t width = gd_dtype_bytes(place->dtype);
    for (int64_t k = 0; k < place->numel; k++) {
        const char *p = (const char *)bytes + (size_t)k * width, *q = eager + (size_t)k * width;
        ck_assert_msg(same_number(place->dtype, p, q, tolerance), "%s: out%d[%lld] is %.17g, not %.17g", source, i,
                      (long long)k, gd_load_f64(place->dtype, p), gd_load_f64(place->dtype, q));
    }
    free(eager);
}

static void compare(const char *source, gd_plan *plan, gd_plan_frame *frame, double tolerance) {
    run_program(source);
    for (int i = 0; i < gd_plan_noutputs(plan); i++)
        same_output(source, i, gd_plan_output(plan, i), gd_plan_output_bytes(frame, i), tolerance);
}

/* The plan made for one set of inputs, run for two others in one frame. */
static void check(const char *source, const shape *shapes, double tolerance) {
    set_inputs(shapes, 1);
    gd_plan *plan = compiled(source);
    for (uint64_t seed = 2; seed < 4; seed++) {
        set_inputs(shapes, seed);
        gd_plan_frame *frame = ready(plan);
        run_frame(frame);
        compare(source, plan, frame, tolerance);
        gd_plan_frame_give(frame);
    }
    gd_plan_release(plan);
}

/* ---- the same results --------------------------------------------------------------------------------- */

#define D(...)                                                                                                         \
    {                                                                                                                  \
        GD_FLOAT64, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), { __VA_ARGS__ }                         \
    }
#define F(...)                                                                                                         \
    {                                                                                                                  \
        GD_FLOAT32, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), { __VA_ARGS__ }                         \
    }
#define OF(dtype, ...)                                                                                                 \
    {                                                                                                                  \
        dtype, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), { __VA_ARGS__ }                              \
    }
#define SCALAR                                                                                                         \
    {                                                                                                                  \
        GD_FLOAT64, 0, { 0 }                                                                                           \
    }
#define NO                                                                                                             \
    {                                                                                                                  \
        GD_FLOAT64, -1, { 0 }                                                                                          \
    }

typedef struct sample {
    const char *source;
    shape shapes[MAX_INPUTS];
    double tolerance;
} sample;

#define GRAD "\nout1, = torch.autograd.grad(out0, x, allow_unused=True)"
#define GRADS "\nout1, out2 = torch.autograd.grad(out0.sum(), (x, y))"
static const char rosenbrock[] = "out0 = torch.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)" GRAD;

static const sample samples[] = {
    /* one run */
    {"out0 = x ** 2 * x.exp() + 3", {D(99), NO, NO}, 0},
    {"out0 = x ** 2 * x.exp() + 3", {F(100001), NO, NO}, 0},
    {"out0 = (x * y - y / 3).tanh()", {D(5000), D(5000), NO}, 0},
    {"out0 = x.exp()", {D(1), NO, NO}, 0},
    {"out0 = x.sin() * x", {SCALAR, NO, NO}, 0},
    {"out0 = x.clamp(-0.5, 0.5) + x.relu() + x.abs() + x.sign()", {F(1000), NO, NO}, 0},
    {"out0 = torch.where(x > y, x, -y)\nout1 = (x > y) & (y > 0)", {F(3000), F(3000), NO}, 0},
    {"out0 = torch.lerp(x, y, 0.3).addcmul(x, y, value=2)", {D(700), D(700), NO}, 0},
    {"out0 = -(-x)\nout1 = x * 1\nout2 = x + 0\nout3 = x - 0\nout4 = 1 * x / 1\nout5 = x + (-x)", {D(400), NO, NO}, 0},
    {"out0 = x + -y\nout1 = x - -y\nout2 = -x + y\nout3 = -x * -y\nout4 = -x * 3\nout5 = -x / 3",
     {D(400), D(400), NO},
     0},
    {"y = torch.arange(400.) * 0.1\nout0 = -x * y + (-x) / y - (-y) * x", {D(400), NO, NO}, 0},
    /* sums at the end of a run, and on past them */
    {"out0 = (x ** 2 * x.exp()).sum()" GRAD, {D(10), NO, NO}, 0},
    {"out0 = (x ** 2 * x.exp()).sum()" GRAD, {D(70001), NO, NO}, 1e-14},
    {"out0 = (x ** 2 * x.exp()).sum()" GRAD, {F(70001), NO, NO}, 1e-5},
    {"out0 = (x * x).mean()" GRAD, {F(70001), NO, NO}, 1e-6},
    {"a = (x * x).sum()\nout0 = (x / a.sqrt()).exp().sum()" GRAD, {D(5000), NO, NO}, 1e-13},
    {"out0 = (x - x.mean()).pow(2).mean().sqrt()" GRAD, {D(777), NO, NO}, 1e-13},
    {"out0 = (x > 0).sum() + (x < 0).sum() * 2\nout1 = x.sum()", {F(9000), NO, NO}, 1e-5},
    {rosenbrock, {D(100), NO, NO}, 0},
    {rosenbrock, {D(2), NO, NO}, 0},
    {rosenbrock, {D(20000), NO, NO}, 1e-13},
    {rosenbrock, {F(300), NO, NO}, 1e-6},
    {"out0 = torch.dot(x, y).exp() * 1e-9\nout1, out2 = torch.autograd.grad(out0, (x, y))", {D(20), D(20), NO}, 1e-13},
    /* broadcasting: by rows, by gathering, of one element, undone */
    {"out0 = (x + y).exp() * y" GRADS, {D(300, 7), D(7), NO}, 1e-12},
    {"out0 = (x + y).exp() * y" GRADS, {D(50, 300), D(300), NO}, 1e-12},
    {"out0 = (x + y).exp() * x" GRADS, {F(50, 700), F(50, 1), NO}, 1e-4},
    {"out0 = x * y + x" GRADS, {D(40, 1), D(1, 33), NO}, 1e-12},
    {"out0 = x * y + x / 2" GRADS, {D(4, 5, 600), D(5, 1), NO}, 1e-12},
    {"out0 = x * y + x / 2" GRADS, {D(4, 5, 6, 7), D(5, 1, 7), NO}, 1e-12},
    {"out0 = (x * y).sin()" GRADS, {D(1000), SCALAR, NO}, 1e-12},
    {"out0 = (x * y + y * y).sin()" GRADS, {SCALAR, D(1), NO}, 1e-13},
    {"out0 = (x * y.expand(30, 40) * 2 + y).sum(1)\nout1 = (y * 2 + 1).expand(4, 5) * 3",
     {D(30, 40), SCALAR, NO},
     1e-13},
    /* layouts */
    {"out0 = x.t() + y\nout1 = x.t().exp()\nout2 = out1 * y", {D(60, 40), D(40, 60), NO}, 0},
    {"a = x.exp()\nout0 = a + a.t()\nout1 = (a * 2).t() * a", {D(70, 70), NO, NO}, 0},
    {"a = x.t().exp()\nout0 = a * a.t().t() + x.t()\nout1 = a.reshape(-1) * 2\nout2 = a.contiguous().view(-1) + 1",
     {D(30, 50), NO, NO},
     0},
    {"out0 = x.permute(2, 0, 1) * y + x.transpose(0, 1).permute(2, 1, 0)", {D(5, 6, 7), D(5, 6), NO}, 0},
    {"out0 = x[::2] * y\nout1 = x[1:] - x[:-1]\nout2 = x[10] * x[5:8]", {D(2000), D(1000), NO}, 0},
    {"out0 = x[:, 2] * x[3] + x[1:2, :50].view(-1)\nout1 = x[:, None, 3:5] + x[:, 4:6, None]", {F(50, 50), NO, NO}, 0},
    {"out0 = x.view(6, -1) * y\nout1 = (x.view(2, 3, 100) + 1).view(-1)[5:] * 2", {D(600), D(100), NO}, 0},
    {"out0 = (x.flatten() * 2).view(20, 30) + y", {D(30, 20), D(30), NO}, 0},
    {"out0 = x.diagonal() * y\nout1 = x.as_strided((3, 4), (2, 5), 1) + 1", {D(30, 30), D(30), NO}, 0},
    {"out0 = x.t()\nout1 = x[1:3]\nout2 = x[0].expand(4, 9)\nout3 = x.view(3, -1).t()", {D(9, 9), NO, NO}, 0},
    /* no elements */
    {"out0 = x * 2 + 1\nout1 = x.sum() + y\nout2 = x.mean()", {D(0), D(3), NO}, 0},
    {"out0 = (x * y).sum(0)\nout1 = x.exp().t()\nout2 = torch.cat((x, y.expand(2, 3)))", {D(0, 3), D(3), NO}, 0},
    /* dtypes */
    {"out0 = x + y\nout1 = x * 2\nout2 = y * x + 0.5\nout3 = x / 2", {OF(GD_INT32, 500), F(500), NO}, 0},
    {"out0 = x.double() * y\nout1 = y.float() + x\nout2 = y.int() + 1\nout3 = (y > 0).float() * x",
     {F(500), D(500), NO},
     0},
    {"out0 = x + y\nout1 = x.sum()\nout2 = x.float().mean()\nout3 = (x * y).sum(0)\nout4 = ~y",
     {OF(GD_UINT8, 60, 5), OF(GD_BOOL, 5), NO},
     0},
    {"out0 = torch.where(y, x, 0.5) * x.detach()\nout1 = y.sum()\nout2 = y.double() + x",
     {F(1500), OF(GD_BOOL, 1500), NO},
     0},
    {"out0 = x // 2 + x % 3\nout1 = x << 1 if False else x * x\nout2 = x.float().exp()",
     {OF(GD_INT64, 300), NO, NO},
     0},
    {"y = torch.arange(30)\nout0 = x * y + y\nout1 = y * 2", {D(30), NO, NO}, 0},
    /* places */
    {"out0 = x\nout1 = torch.ones(3)\nout2 = x + 1\nout3 = out2\nout4 = y", {D(50), D(2, 2), NO}, 0},
    {"out0 = x.exp()\nout1 = out0 * 2\nout2 = out1 + out0\nout3 = out2.sum()", {D(3000), NO, NO}, 1e-13},
    {"out0 = torch.full((3, 2), 7.)\nout1 = torch.arange(6.).view(2, 3).t()\nout2 = x.new_zeros(4)", {D(5), NO, NO}, 0},
    /* writes */
    {"y = x * 1\ny[0] = 5.\ny[1:3] *= x[0]\nout0 = y\nout1 = y * x", {D(50), NO, NO}, 0},
    {"y = x.clone()\nz = y.view(5, 10).t()\nz.exp_()\ny.add_(x)\nout0 = y\nout1 = z", {D(50), NO, NO}, 0},
    {"y = torch.zeros(50)\ny += x\ny.mul_(2).clamp_(max=1)\nout0 = y\nout1 = y.fill_(3.) * x", {F(50), NO, NO}, 0},
    {"y = x * 1\ny[:, 1] = y[:, 0] * 2\ny[0] = y[1]\nout0 = (y ** 2).sum()" GRAD, {D(6, 4), NO, NO}, 1e-13},
    /* joins, sums over dimensions, rows with kernels of their own */
    {"out0 = torch.cat((x, y * 2, x[1:2]), 0)\nout1 = torch.stack((x[0], y[1]), 1)"
     "\nout2, = torch.autograd.grad((out0 * out0).sum() + out1.sum(), x)",
     {D(3, 4), D(2, 4), NO},
     1e-13},
    {"out0 = torch.cat((x, y), 1)\nout1 = torch.cat((x.t(), y.t()))", {F(3, 4), D(3, 2), NO}, 0},
    {"out0 = x.sum(1)\nout1 = x.mean(0, keepdim=True)\nout2 = (x * 2).sum((0, 1))\nout3 = x.exp().sum(-1, keepdim=True) * x",
     {D(60, 70), NO, NO},
     1e-13},
    {"h = torch.relu(x @ y + 0.1)\nout0 = (h @ z).logsumexp(1).mean()\nout1, out2, out3 = torch.autograd.grad(out0, (x, y, z))",
     {D(20, 30), D(30, 15), D(15, 4)},
     1e-12},
    {"out0 = torch.nn.functional.cross_entropy(x @ y, torch.tensor([1, 0, 2]))" GRAD, {F(3, 5), F(5, 4), NO}, 1e-5},
    {"out0 = x.softmax(1) * y.cumsum(0)\nout1 = out0.max(1)[0]\nout2 = out0.argmax(0)", {D(9, 11), D(9, 11), NO}, 0},
    {"out0 = x[torch.tensor([2, 0, 2])] * 2\nout1 = x.gather(1, torch.zeros(4, 1, dtype=torch.int64))"
     "\nout2, = torch.autograd.grad(out0.exp().sum(), x)",
     {D(4, 4), NO, NO},
     1e-13},
    {"out0 = torch.linalg.solve(x @ x.t() + 9 * torch.eye(5, dtype=torch.float64), y)\nout1 = torch.flip(x, (0,)).roll(1, 1)",
     {D(5, 5), D(5), NO},
     1e-11},
    {"v, i = x.sort(0)\nout0 = v * 2\nout1 = i + 1\nout2, out3 = (x * 2).split((2, 3))\nout4 = x.unbind(1)[2]",
     {D(5, 6), NO, NO},
     0},
    /* higher derivatives */
    {"g, = torch.autograd.grad((x ** 3 * y).sum(), x, create_graph=True)\nout0 = (g * y).sum()\nout1, out2 = torch.autograd.grad(out0, (x, y))",
     {D(500), D(500), NO},
     1e-12},
    {"g, = torch.autograd.grad((x.sin() * x).sum(), x, create_graph=True)\nh, = torch.autograd.grad(g.exp().sum(), x, create_graph=True)\nout0, = torch.autograd.grad(h.sum(), x)",
     {D(300), NO, NO},
     1e-12},
};

START_TEST(same_results) { check(samples[_i].source, samples[_i].shapes, samples[_i].tolerance); }
END_TEST

/* Steps whose registers are used again and again: longer than a unit may be. */
START_TEST(long_functions) {
    enum { LINES = 260, ROOM = 80 };
    static const shape shapes[MAX_INPUTS] = {D(600), D(600), NO};
    char *source = malloc(LINES * ROOM + 256);
    ck_assert_ptr_nonnull(source);
    int n = sprintf(source, "a = x\nb = y\n");
    for (int i = 0; i < LINES; i++)
        n += sprintf(source + n, i % 3 ? "a = a * %d / 7 + b.sin()\n" : "b = (b * a).tanh() + %d / 100\n", i % 5 + 1);
    sprintf(source + n, "out0 = (a * b).sum()\nout1, out2 = torch.autograd.grad(out0, (x, y))\nout3 = a");
    check(source, shapes, 1e-9);
    free(source);
}
END_TEST

/* ---- what is left ----------------------------------------------------------------------------------------- */

static void described(const char *source, const shape *shapes, const char *want) {
    set_inputs(shapes, 1);
    gd_plan *plan = compiled(source);
    char *text = gd_plan_describe(plan);
    ck_assert_str_eq(text, want);
    free(text);
    gd_plan_release(plan);
}

START_TEST(what_is_left) {
    static const shape one[MAX_INPUTS] = {D(50), NO, NO}, matrix[MAX_INPUTS] = {D(6, 5), D(5), NO};
    described("out0 = x", one, "copy\n");
    described("dead = x.exp().sin()\nout0 = x * 2", one, "fused 50 float64: mul!\n");
    described("out0 = x.exp() * x.exp()", one, "fused 50 float64: exp mul!\n");
    described("out0 = -(-x) * 1 + x.clone()", one, "fused 50 float64: add!\n");
    described("out0 = (torch.ones(50).exp() * 2).log() * x", one, "fused 50 float64: mul!\n");
    described("out0 = (x ** 2 * x.exp()).sum()" GRAD, one, "fused 50 float64: square exp mul sum scaled_mul add!\n");
    described("out0 = (x.exp() + y).sum(0)", matrix, "fused 30 float64 gathering 1: exp add!\nsum\n");
    described("out0 = (x.exp() @ y).exp()", matrix, "fused 30 float64: exp!\nop mv\nfused 6 float64: exp!\n");
}
END_TEST

/* ---- places ---------------------------------------------------------------------------------------------- */

START_TEST(outputs_go_where_they_are_sent) {
    static const shape shapes[MAX_INPUTS] = {D(100), NO, NO};
    double here[100], there[100];
    set_inputs(shapes, 1);
    gd_plan *plan = compiled("out0 = x * 2\nout1 = out0 + 1\nout2 = x.view(10, 10).t()");
    gd_plan_frame *frame = ready(plan);
    gd_plan_set_output(frame, 0, here);
    gd_plan_set_output(frame, 2, there);
    run_frame(frame);
    ck_assert_ptr_eq(gd_plan_output_bytes(frame, 0), here);
    ck_assert_ptr_eq(gd_plan_output_bytes(frame, 2), there);
    compare("out0 = x * 2\nout1 = out0 + 1\nout2 = x.view(10, 10).t()", plan, frame, 0);
    gd_plan_set_output(frame, 0, NULL);
    run_frame(frame);
    ck_assert_ptr_ne(gd_plan_output_bytes(frame, 0), here);
    compare("out0 = x * 2\nout1 = out0 + 1\nout2 = x.view(10, 10).t()", plan, frame, 0);
    gd_plan_frame_give(frame);
    frame = ready(plan);
    run_frame(frame);
    ck_assert_ptr_ne(gd_plan_output_bytes(frame, 2), there);
    gd_plan_frame_give(frame);
    gd_plan_release(plan);
}
END_TEST

START_TEST(places_are_known) {
    static const shape shapes[MAX_INPUTS] = {F(3, 4), OF(GD_INT64, 2), NO};
    set_inputs(shapes, 1);
    gd_plan *plan = compiled("out0 = x.t() * 2\nout1 = y.sum()");
    ck_assert_int_eq(gd_plan_ninputs(plan), 2);
    ck_assert_int_eq(gd_plan_noutputs(plan), 2);
    const gd_plan_place *in = gd_plan_input(plan, 0), *out = gd_plan_output(plan, 0);
    ck_assert(in->dtype == GD_FLOAT32 && in->ndim == 2 && in->sizes[0] == 3 && in->numel == 12 && in->nbytes == 48);
    ck_assert(out->dtype == GD_FLOAT32 && out->ndim == 2 && out->sizes[0] == 4 && out->nbytes == 48);
    ck_assert(gd_plan_output(plan, 1)->ndim == 0 && gd_plan_output(plan, 1)->dtype == GD_INT64);
    ck_assert_uint_gt(gd_plan_bytes(plan), 0);
    ck_assert(gd_plan_cost(plan) > 0 && gd_plan_cost(plan) < 1e-3);
    gd_plan_release(plan);
}
END_TEST

/* ---- what cannot be -------------------------------------------------------------------------------------- */

/* A plan whose first run fails leaves a frame that works. */
START_TEST(other_shapes_are_seen) {
    static const shape shapes[MAX_INPUTS] = {D(100), NO, NO};
    gd_error error;
    set_inputs(shapes, 1);
    gd_plan *plan = compiled("out0 = x[x > 0] * 2");
    gd_plan_frame *frame = ready(plan);
    run_frame(frame);
    set_inputs(shapes, 2);
    gd_plan_set_input(frame, 0, inputs[0]->data);
    ck_assert_int_eq(gd_plan_run(frame, &error), GD_E_STATE);
    set_inputs(shapes, 1);
    gd_plan_set_input(frame, 0, inputs[0]->data);
    run_frame(frame);
    compare("out0 = x[x > 0] * 2", plan, frame, 0);
    gd_plan_frame_give(frame);
    gd_plan_release(plan);
}
END_TEST

START_TEST(errors_are_the_ops_own) {
    static const shape shapes[MAX_INPUTS] = {D(4, 4), OF(GD_INT64, 2), NO};
    gd_error error;
    set_inputs(shapes, 1);
    gd_store_i64(GD_INT64, inputs[1]->data, 1), gd_store_i64(GD_INT64, inputs[1]->data + 8, 3);
    gd_plan *plan = compiled("out0 = x.index_select(0, y)");
    gd_plan_frame *frame = ready(plan);
    run_frame(frame);
    gd_store_i64(GD_INT64, inputs[1]->data + 8, 9);
    ck_assert_int_ne(gd_plan_run(frame, &error), GD_OK);
    ck_assert_str_eq(error.message, "index out of range in self");
    gd_store_i64(GD_INT64, inputs[1]->data + 8, 0);
    run_frame(frame);
    gd_plan_frame_give(frame);
    gd_plan_release(plan);
}
END_TEST

START_TEST(misuse) {
    static const shape shapes[MAX_INPUTS] = {D(4), NO, NO};
    set_inputs(shapes, 1);
    gd_trace *tr = gd_trace_begin(ctx);
    ck_assert_int_eq(gd_trace_input(tr, inputs[0]), GD_OK);
    int32_t bad = 99;
    ck_assert_ptr_null(gd_plan_new(ctx, tr, &bad, 1));
    ck_assert_int_eq(gd_ctx_error(ctx)->code, GD_E_ARGUMENT);
    gd_trace_refuse(ctx, "because");
    int32_t good = 0;
    ck_assert_ptr_null(gd_plan_new(ctx, tr, &good, 1));
    ck_assert_str_eq(gd_ctx_error(ctx)->message, "cannot be compiled: because");
    gd_trace_free(tr);
    gd_plan_release(NULL);
    gd_plan_frame_give(NULL);
}
END_TEST

/* ---- threads --------------------------------------------------------------------------------------------- */

enum { THREADS = 6, RUNS = 300 };

typedef struct worker {
    pthread_t thread;
    gd_plan *plan;
    double x[100], want[100], value;
    bool ok;
} worker;

static void *work(void *user) {
    worker *w = user;
    gd_error error;
    w->ok = true;
    for (int i = 0; i < RUNS && w->ok; i++) {
        gd_plan_frame *frame = gd_plan_frame_take(w->plan);
        w->ok = frame != NULL;
        if (!w->ok) break;
        gd_plan_set_input(frame, 0, w->x);
        w->ok = gd_plan_run(frame, &error) == GD_OK;
        w->ok = w->ok && !memcmp(gd_plan_output_bytes(frame, 0), &w->value, sizeof w->value) &&
                !memcmp(gd_plan_output_bytes(frame, 1), w->want, sizeof w->want);
        gd_plan_frame_give(frame);
    }
    gd_plan_release(w->plan);
    return NULL;
}

static void start_worker(worker *w, const char *source, const shape *shapes, gd_plan *plan, uint64_t seed) {
    set_inputs(shapes, seed);
    memcpy(w->x, inputs[0]->data, sizeof w->x);
    run_program(source);
    gd_read_bytes(outputs[0], &w->value);
    gd_read_bytes(outputs[1], w->want);
    w->plan = gd_plan_retain(plan);
    ck_assert_int_eq(pthread_create(&w->thread, NULL, work, w), 0);
}

static const char *const shared[] = {rosenbrock,
                                     "out0 = (x.view(10, 10) @ x.view(10, 10)).exp().sum()\nout1 = x.cumsum(0)"};

START_TEST(threads_share) {
    static const shape shapes[MAX_INPUTS] = {D(100), NO, NO};
    static worker workers[THREADS];
    const char *source = shared[_i];
    set_inputs(shapes, 1);
    gd_plan *plan = compiled(source);
    for (int i = 0; i < THREADS; i++) start_worker(&workers[i], source, shapes, plan, (uint64_t)i + 2);
    gd_plan_release(plan);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        ck_assert_msg(workers[i].ok, "thread %d", i);
    }
}
END_TEST

/* More frames at once than a plan keeps. */
START_TEST(many_frames) {
    static const shape shapes[MAX_INPUTS] = {D(100), NO, NO};
    gd_plan_frame *frames[40];
    set_inputs(shapes, 1);
    gd_plan *plan = compiled("out0 = x * 2");
    for (int i = 0; i < 40; i++) {
        frames[i] = ready(plan);
        run_frame(frames[i]);
    }
    for (int i = 0; i < 40; i++) compare("out0 = x * 2", plan, frames[i], 0);
    for (int i = 0; i < 40; i++) gd_plan_frame_give(frames[i]);
    gd_plan_release(plan);
}
END_TEST

Suite *plan_suite(void);
Suite *plan_suite(void) {
    Suite *s = suite_create("plan");
    TCase *c = tcase_create("plan");
    tcase_add_checked_fixture(c, setup, clean);
    tcase_add_loop_test(c, same_results, 0, (int)(sizeof samples / sizeof *samples));
    tcase_add_test(c, long_functions);
    tcase_add_test(c, what_is_left);
    tcase_add_test(c, outputs_go_where_they_are_sent);
    tcase_add_test(c, places_are_known);
    tcase_add_test(c, other_shapes_are_seen);
    tcase_add_test(c, errors_are_the_ops_own);
    tcase_add_test(c, misuse);
    tcase_add_loop_test(c, threads_share, 0, 2);
    tcase_add_test(c, many_frames);
    suite_add_tcase(s, c);
    return s;
}
