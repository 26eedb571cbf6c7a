/* test_trace.c: what a trace records of programs, what makes it dynamic, and that its steps, repeated on other inputs,
 * give what the program gives for those. Every op is traced by tests/conformance/run_traces.c. */
#include "core/plan/jvp.h"
#include "core/program/program.h"
#include "tests/replay.h"
#include "tests/unit/op_helpers.h"

/* ---- programs over x ------------------------------------------------------------------------------ */

static gd_env *env;
static gd_program_result result;
static gd_tensor *x, *answer; /* the program's x, and its last expression */

static gd_tensor *get(void *user, const char *name) {
    (void)user;
    return strcmp(name, "x") == 0 ? x : strcmp(name, "answer") == 0 ? answer : NULL;
}
static gd_code bind(void *user, const char *name, gd_tensor *t) {
    (void)user;
    if (strcmp(name, "answer") != 0) {
        gd_release(t);
        return GD_OK;
    }
    gd_release(answer);
    answer = t;
    return GD_OK;
}
static void forget(void *user, const char *name) { (void)user, (void)name; }

/* The program with its last line, an expression, assigned to `answer`: shown, it would be read. */
static void with_answer(const char *source, char *out, size_t bytes) {
    const char *last = strrchr(source, '\n');
    int head = last ? (int)(last + 1 - source) : 0;
    snprintf(out, bytes, "import torch\n%.*sanswer = %s", head, source, source + head);
}

static void set_x(double first) {
    gd_release(x);
    const double values[] = {first, 2, -0.5, 1.5};
    x = vector_of(GD_FLOAT64, 4, values);
    ck_assert_int_eq(gd_set_requires_grad(ctx, x, true), GD_OK);
}

/* Runs the program in a fresh environment; false if it raised. */
static bool run(const char *source) {
    const gd_env_binding binding = {get, bind, forget, NULL};
    const gd_program_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS};
    char text[1024];
    gd_release(answer);
    answer = NULL;
    with_answer(source, text, sizeof text);
    env = gd_env_new(ctx, &binding);
    gd_ctx_manual_seed(ctx, 0);
    gd_program_run(env, text, strlen(text), &options, &result);
    bool ok = result.status == GD_PROGRAM_OK;
    gd_program_result_clear(&result);
    gd_env_free(env);
    return ok;
}

static void clean(void) {
    gd_release(answer);
    gd_release(x);
    answer = x = NULL;
    teardown();
}

/* A trace of the program at x[0] = 1; *value is the number of its answer. */
static gd_trace *traced(const char *source, int32_t *value) {
    set_x(1);
    gd_trace *tr = gd_trace_begin(ctx);
    ck_assert_ptr_nonnull(tr);
    ck_assert_int_eq(gd_trace_input(tr, x), GD_OK);
    ck_assert_msg(run(source), "%s: %s", source, gd_ctx_error(ctx)->message);
    ck_assert_msg(answer != NULL, "%s answers no tensor", source);
    *value = gd_trace_value(tr, answer);
    gd_trace_pause(tr);
    return tr;
}

static void same_tensor(const char *source, gd_tensor *a, gd_tensor *b) {
    ck_assert_msg(a && b && a->dtype == b->dtype && gd_same_shape(a, b), "%s: another shape or dtype", source);
    ck_assert_uint_le(gd_nbytes(a), 4096);
    double p[512], q[512];
    gd_read_bytes(a, p), gd_read_bytes(b, q);
    for (int64_t i = 0; i < a->numel && a->dtype == GD_FLOAT64; i++)
        ck_assert_msg(fabs(p[i] - q[i]) <= 1e-12 * (1 + fabs(q[i])), "%s: element %lld is %.17g, not %.17g", source,
                      (long long)i, p[i], q[i]);
}

/* ---- what can be repeated --------------------------------------------------------------------------- */

static const char *const repeatable[] = {
    "x * 2",
    "(x * x).sum()",
    "y = x * 1\ny[0] = 5.\ny",
    "y = x * 1\ny[0] = x[1]\ny.sum() + y[0]",
    "y = x * 1\nv = y[1:3]\nv.mul_(x[0])\ny",
    "y = x * 1\nv = y[1:3]\ny.mul_(x[0])\nv",
    "y = x * 1\nv = y[1:3]\nw = y[2:4]\nv.mul_(x[0])\nw",
    "y = x * 1\nz = y.view(2, 2)\nz[0, 1] = x[0]\nz[1] += x[:2]\ny",
    "y = x * 1\nz = y.view(2, 2).t()\nz.exp_()\ny",
    "y = x.view(2, 2).clone()\ny.t_()\ny @ y",
    "y = torch.zeros(4, dtype=torch.float64)\ny += x\ny",
    "y = torch.zeros(4, dtype=torch.float64)\ny[1] = x[0]\ny[2] = 7.\ny",
    "y = torch.zeros(4, dtype=torch.float64)\nz = y + 1\ny += x\nz * y + z",
    "y = torch.zeros(2, 2, dtype=torch.float64)\nfor i in range(2):\n    for j in range(2):\n        y[i, j] = x[i] * x[j]\ny",
    "y = x * 1\nz = y.sin()\ny.mul_(2)\nz + y",
    "y = x.detach()\ny * x",
    "with torch.no_grad():\n    y = x * 3\ny * x",
    "y = x * 1\nwith torch.no_grad():\n    y.mul_(x[0].detach())\ny",
    "g, = torch.autograd.grad((x ** 3).sum(), x, create_graph=True)\ng",
    "g, = torch.autograd.grad((x ** 3).sum(), x, create_graph=True)\nh, = torch.autograd.grad((g * x).sum(), x)\nh",
    "y = (x ** 2 + x.exp()).sum()\ny.backward()\nx.grad",
    "(x ** 2).sum().backward()\nx.grad.mul_(2)\n(x ** 3).sum().backward()\nx.grad",
    "g = None\n(x ** 2).sum().backward()\ng = x.grad\n(x ** 3).sum().backward()\ng",
    "(x.exp() * x[0] + x).sum().backward()\nx.grad",
    "y = x * 2\ny.retain_grad()\n(y ** 2).sum().backward()\ny.grad",
    "y = x * 2\ny.register_hook(lambda g: g * x.detach())\n(y ** 2).sum().backward()\nx.grad",
    "y = x * 1\ny[0] = x[1] ** 2\ng, = torch.autograd.grad((y ** 2).sum(), x)\ng",
    "y = x * 1\ny.pow_(2)\ng, = torch.autograd.grad(y.sum(), x)\ng",
    "w = x.float()\n(w * x).sum().backward()\nx.grad",
    "torch.stack([x, x.sin()]).prod(0).max()",
    "w = torch.randn(4, dtype=torch.float64)\nw * x",
    "torch.nn.functional.dropout(x, 0.5)",
    "u = torch.ones_like(x)\nu[0] = 3.\nu * x",
    "a = torch.outer(x, x) + 5 * torch.eye(4, dtype=torch.float64)\ntorch.linalg.cholesky(a) @ torch.linalg.inv(a)",
    "y = x\nfor i in range(5):\n    y = torch.where(y > 0, y.sin(), y * 2)\ny",
    "x[torch.tensor([0, 2])] * x[[1, 3]]",
    "x.data * 2 + x",
    "y = x * 1\ny.data.mul_(2)\ny + x",
    "def f(t, n=3):\n    return t if n == 0 else f(t * t.cos(), n - 1)\nf(x)",
    "x.view(2, 2).t().contiguous().view(4)",
    "x.view(2, 2).t().reshape(4)",
};

START_TEST(repeats) {
    const char *source = repeatable[_i];
    int32_t value;
    gd_trace *tr = traced(source, &value);
    ck_assert_msg(!gd_trace_dynamic(tr), "%s: %s", source, gd_trace_dynamic(tr)->text);
    ck_assert_int_ge(value, 0);
    set_x(0.75);
    ck_assert(run(source));
    replay r;
    ck_assert_msg(replay_run(&r, ctx, tr, &x), "%s: %s %s", source, r.why, gd_ctx_error(ctx)->message);
    same_tensor(source, r.values[value], answer);
    replay_free(&r);
    gd_trace_free(tr);
}
END_TEST

/* ---- what cannot ------------------------------------------------------------------------------------- */

static const struct {
    const char *source, *reason;
} dynamic[] = {
    {"y = x * 2 if x[0] > 0 else x\ny", "bool() of a tensor that depends on an input"},
    {"y = x\nwhile y.sum() < 100:\n    y = y * 2\ny", "bool() of a tensor that depends on an input"},
    {"x * x[0].item()", "item() of a tensor that depends on an input"},
    {"x * float(x[1])", "int() or float() of a tensor that depends on an input"},
    {"torch.tensor(x.tolist())", "tolist() of a tensor that depends on an input"},
    {"print(x)\nx", "printing of a tensor that depends on an input"},
    {"s = str(x)\nx", "printing of a tensor that depends on an input"},
    {"i = x.argmax()\nx[i]", "an index of a tensor that depends on an input"},
    {"i = x.argmax()\nx[:i]", "a number taken out of a tensor that depends on an input"},
    {"x * 2 if x[0] in [1., 2.] else x", "bool() of a tensor"},
    {"y = x if torch.equal(x, x) else -x\ny * 1", "equal() of a tensor that depends on an input"},
    {"y = x if torch.allclose(x, x) else -x\ny * 1", "allclose() of a tensor that depends on an input"},
    {"torch.bernoulli(x.sigmoid())", "bernoulli() draws random numbers that depend on an input"},
    {"y = x * 1\ny.uniform_()\ny", "uniform_() draws random numbers into a tensor"},
    {"torch.arange(0., x[0].detach())", "a number that an op wants, taken out of a tensor that depends on an input"},
    {"try:\n    y = torch.linalg.cholesky(torch.diag(x))\nexcept RuntimeError:\n    y = x\ny * 1", ""},
    {"torch.nn.functional.batch_norm(x.view(2, 2), torch.zeros(2, dtype=torch.float64), torch.ones(2, "
     "dtype=torch.float64), training=True)",
     "batch_norm() updates its running statistics"},
    {"y = (x.view(2, 2).t() * 1)\nz = y[0]\nz.mul_(2)\ny", "writing into a part of a tensor"},
};

START_TEST(is_dynamic) {
    int32_t value;
    gd_trace *tr = traced(dynamic[_i].source, &value);
    const gd_trace_reason *reason = gd_trace_dynamic(tr);
    bool guarded = false;
    for (int i = 0; i < gd_trace_nsteps(tr); i++) guarded = guarded || gd_trace_step(tr, i)->guard;
    ck_assert_msg(reason || guarded, "%s is not dynamic", dynamic[_i].source);
    if (dynamic[_i].reason[0])
        ck_assert_msg(reason && strstr(reason->text, dynamic[_i].reason), "%s: %s", dynamic[_i].source,
                      reason ? reason->text : "a guard");
    gd_trace_free(tr);
}
END_TEST

static int calls;
static void count_call(void *user) { calls += user == &calls; }

START_TEST(tells_once) {
    set_x(1);
    gd_trace *tr = gd_trace_begin(ctx);
    gd_trace_on_dynamic(tr, count_call, &calls);
    ck_assert_int_eq(gd_trace_input(tr, x), GD_OK);
    ck_assert_ptr_null(gd_trace_dynamic(tr));
    calls = 0;
    ck_assert(run("a = float(x[0])\nb = float(x[1])\nx"));
    ck_assert_int_eq(calls, 1);
    gd_trace_free(tr);
}
END_TEST

/* ---- guards ------------------------------------------------------------------------------------------- */

START_TEST(guards_hold) {
    int32_t value;
    gd_trace *tr = traced("torch.linalg.inv(torch.diag(x))", &value);
    int guards = 0;
    ck_assert_ptr_null(gd_trace_dynamic(tr));
    for (int i = 0; i < gd_trace_nsteps(tr); i++) guards += gd_trace_step(tr, i)->guard;
    ck_assert_int_eq(guards, 1);
    replay r;
    set_x(3);
    ck_assert(replay_run(&r, ctx, tr, &x));
    replay_free(&r);
    set_x(0); /* singular */
    ck_assert(!replay_run(&r, ctx, tr, &x));
    ck_assert_int_eq(gd_ctx_error(ctx)->code, GD_E_STATE);
    replay_free(&r);
    gd_trace_free(tr);
}
END_TEST

/* ---- what is kept --------------------------------------------------------------------------------------- */

START_TEST(constants_fold) {
    int32_t value;
    gd_trace *tr =
        traced("w = torch.ones(4, dtype=torch.float64)\nfor i in range(9):\n    w = w * 1.5 + w.sin()\nw * x", &value);
    ck_assert_int_eq(gd_trace_nsteps(tr), 1);
    const gd_step *step = gd_trace_step(tr, 0);
    ck_assert_int_eq(step->op->id, GD_OP_mul);
    ck_assert(step->is_pointwise);
    ck_assert_int_eq(step->nin, 2);
    ck_assert_int_eq(gd_trace_at(tr, step->in[0])->kind, GD_TRACED_CONSTANT);
    ck_assert_int_eq(gd_trace_at(tr, step->in[1])->kind, GD_TRACED_INPUT);
    ck_assert_int_eq(value, step->out);
    gd_trace_free(tr);
}
END_TEST

START_TEST(memory_names_values) {
    int32_t value;
    gd_trace *tr = traced("y = x * 2\nz = y.detach()\nw = z.view(4)\nw + y.data", &value);
    ck_assert_int_eq(gd_trace_nsteps(tr), 2); /* the product and the sum: the rest is the same memory */
    const gd_step *sum = gd_trace_step(tr, 1);
    ck_assert_int_eq(sum->in[0], gd_trace_step(tr, 0)->out);
    ck_assert_int_eq(sum->in[1], sum->in[0]);
    gd_trace_free(tr);
    tr = traced("x.detach()", &value);
    ck_assert_int_eq(value, 0);
    gd_trace_free(tr);
    tr = traced("torch.ones(3)", &value);
    ck_assert_int_eq(gd_trace_at(tr, value)->kind, GD_TRACED_CONSTANT);
    gd_trace_free(tr);
}
END_TEST

START_TEST(loops_are_told) {
    int32_t value;
    gd_trace *tr = traced("torch.clamp(x, -1, 1) + 3 * torch.where(x > 0, x, 2.) + x.add(x, alpha=4).erf()", &value);
    for (int i = 0; i < gd_trace_nsteps(tr); i++) {
        const gd_step *step = gd_trace_step(tr, i);
        ck_assert_msg(step->is_pointwise, "%s is no loop", step->op->name);
    }
    gd_trace_free(tr);
}
END_TEST

START_TEST(writes_keep_what_was) {
    int32_t value;
    gd_trace *tr = traced("y = x * 2\nz = y.exp()\ny.zero_()\nz", &value);
    const gd_traced *y = gd_trace_at(tr, gd_trace_step(tr, 0)->out);
    ck_assert_double_eq(gd_load_f64(GD_FLOAT64, y->tensor->data), 2); /* though its memory was written */
    gd_trace_free(tr);
}
END_TEST

START_TEST(misuse) {
    set_x(1);
    gd_trace *tr = gd_trace_begin(ctx);
    ck_assert_ptr_null(gd_trace_begin(ctx));
    ck_assert_int_eq(gd_trace_input(tr, x), GD_OK);
    ck_assert_int_eq(gd_trace_input(tr, x), GD_E_STATE);
    gd_trace_free(tr);
    gd_trace_free(NULL);
    ck_assert_ptr_null(ctx->trace);
}
END_TEST

/* ---- forward mode ----------------------------------------------------------------------------------------- */

static const char *const smooth[] = {
    "x * x.sin() + x.exp()",
    "y = x * 1\ny[0] = x[1] ** 2\ny",
    "y = x * 1\nwith torch.no_grad():\n    y.mul_(2)\ny * x",
    "x * x.detach()",
    "with torch.no_grad():\n    y = x ** 3\ny * x",
    "y = torch.zeros(4, dtype=torch.float64)\ny[1:3] = x[:2] * x[2]\ny",
    "torch.softmax(x, 0).log() + x.std() + x.norm() * x.logsumexp(0)",
    "torch.linalg.solve(torch.outer(x, x) + 9 * torch.eye(4, dtype=torch.float64), x)",
    "torch.linalg.det(torch.outer(x, x) + 9 * torch.eye(4, dtype=torch.float64)).view(1)",
    "torch.sort(x)[0] * x.max() + x.cumprod(0)",
    "g, = torch.autograd.grad((x ** 3 * x.exp()).sum(), x, create_graph=True)\ng",
    "torch.cat([x, x.view(2, 2).t().reshape(4)])[::2] @ x",
};

/* The tangent of the traced answer for v. */
static gd_tensor *tangent(gd_trace *tr, int32_t value, gd_tensor *v) {
    gd_tensor *jv = NULL;
    gd_trace_resume(tr);
    gd_code code = gd_trace_jvp(tr, &v, &value, 1, &jv);
    gd_trace_pause(tr);
    ck_assert_msg(code == GD_OK, "%s", gd_ctx_error(ctx)->message);
    return jv;
}

/* v J of the answer, by reverse mode, for u = 1, 2, 3 … */
static double backward(gd_tensor *v, const double *u) {
    gd_tensor *cotangent = vector_of(GD_FLOAT64, (int)answer->numel, u), *g = NULL;
    double sum = 0;
    gd_tensor *flat = CALL("flatten", T_(answer));
    ck_assert_int_eq(gd_autograd_grad(ctx, &flat, 1, &cotangent, &x, 1, NULL, &g), GD_OK);
    for (int i = 0; i < 4; i++)
        sum += gd_load_f64(GD_FLOAT64, v->data + 8 * i) * gd_load_f64(GD_FLOAT64, g->data + 8 * i);
    gd_release(flat);
    gd_release(cotangent);
    gd_release(g);
    return sum;
}

START_TEST(forward_is_backward) {
    static const double u[] = {1, 2, 3, 4, 5, 6, 7, 8};
    int32_t value;
    double values[8] = {0}, sum = 0;
    gd_trace *tr = traced(smooth[_i], &value);
    ck_assert_msg(!gd_trace_dynamic(tr), "%s", gd_trace_dynamic(tr)->text);
    gd_tensor *v = VECTOR(GD_FLOAT64, 0.5, -1, 2, 0.25), *jv = tangent(tr, value, v);
    ck_assert_ptr_nonnull(jv);
    ck_assert(gd_same_shape(jv, answer));
    gd_read_bytes(jv, values);
    for (int64_t i = 0; i < jv->numel; i++) sum += u[i] * values[i];
    double want = backward(v, u);
    ck_assert_msg(fabs(sum - want) < 1e-9 * (1 + fabs(want)), "%s: %.15g, not %.15g", smooth[_i], sum, want);
    gd_release(jv);
    gd_release(v);
    gd_trace_free(tr);
}
END_TEST

START_TEST(forward_misuse) {
    int32_t value;
    gd_trace *tr = traced("x * 2", &value);
    gd_tensor *jv, *v = VECTOR(GD_FLOAT64, 1, 2, 3), *w = VECTOR(GD_FLOAT64, 1, 2, 3, 4);
    ck_assert_int_eq(gd_trace_jvp(tr, &w, &value, 1, &jv), GD_E_STATE); /* paused */
    gd_trace_resume(tr);
    ck_assert_int_eq(gd_trace_jvp(tr, &v, &value, 1, &jv), GD_E_SHAPE);
    gd_tensor *none = NULL;
    ck_assert_int_eq(gd_trace_jvp(tr, &none, &value, 1, &jv), GD_OK);
    ck_assert_ptr_null(jv);
    x->flags &= (uint16_t)~GD_F_REQUIRES_GRAD;
    ck_assert_int_eq(gd_trace_jvp(tr, &w, &value, 1, &jv), GD_E_STATE);
    gd_trace_free(tr);
    gd_release(v);
    gd_release(w);
}
END_TEST

Suite *trace_suite(void);
Suite *trace_suite(void) {
    Suite *s = suite_create("trace");
    TCase *c = tcase_create("trace");
    tcase_add_checked_fixture(c, setup, clean);
    tcase_add_loop_test(c, repeats, 0, (int)(sizeof repeatable / sizeof *repeatable));
    tcase_add_loop_test(c, is_dynamic, 0, (int)(sizeof dynamic / sizeof *dynamic));
    tcase_add_test(c, tells_once);
    tcase_add_test(c, guards_hold);
    tcase_add_test(c, constants_fold);
    tcase_add_test(c, memory_names_values);
    tcase_add_test(c, loops_are_told);
    tcase_add_test(c, writes_keep_what_was);
    tcase_add_test(c, misuse);
    tcase_add_loop_test(c, forward_is_backward, 0, (int)(sizeof smooth / sizeof *smooth));
    tcase_add_test(c, forward_misuse);
    suite_add_tcase(s, c);
    return s;
}
