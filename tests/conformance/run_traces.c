/* run_traces.c: records every sample (samples.h), with its first and second gradients, as a trace, repeats the trace's
 * steps on other inputs, and compares with what the engine gives for those; compiles the trace, and compares what the
 * plan gives.
 *
 * run_traces DIR [op…]. Each sample is recorded twice: with its floating tensors as inputs, and with all of them. A
 * trace may be dynamic, and a guard may refuse other inputs: nothing is compared then. */
#include "tests/conformance/samples.h"

#include "core/plan/jvp.h"
#include "core/plan/plan.h"
#include "tests/replay.h"

enum { MAX_RESULTS = 96 };

static int ndynamic, nguarded, nsteps, npointwise, nderivatives, nplans, nrefused;

/* ---- a sample's work ------------------------------------------------------------------------------ */

/* Outputs, then first gradients, then second ones; NULL where there is none. */
typedef struct results {
    gd_tensor *t[MAX_RESULTS];
    int n, noutputs;
    gd_tensor *cloned;
} results;

static void clear(results *r) {
    for (int i = 0; i < r->n; i++) gd_release(r->t[i]);
    gd_release(r->cloned);
    gd_result_clear(&s.result);
    memset(r, 0, sizeof *r);
}

static void keep(results *r, gd_tensor *t) {
    if (r->n < MAX_RESULTS) r->t[r->n++] = gd_retain(t);
}

/* Gradients of from[chosen], kept in r. */
static bool gradients(results *r, const json_t *record, const json_t *inputs, gd_tensor **from, gd_tensor **out) {
    const json_t *chosen = json_object_get(record, "outputs");
    gd_tensor *outputs[MAX_TENSORS], *seeds[MAX_TENSORS] = {0}, *leaves[MAX_TENSORS];
    int n = (int)json_array_size(chosen), m = (int)json_array_size(inputs);
    bool ok = n <= MAX_TENSORS && m <= MAX_TENSORS;
    for (int i = 0; ok && i < n; i++) {
        outputs[i] = from[json_integer_value(json_array_get(chosen, (size_t)i))];
        if (outputs[i])
            seeds[i] = tensor_of((gd_dtype)outputs[i]->dtype, outputs[i]->ndim, outputs[i]->sizes,
                                 json_array_get(json_object_get(record, "seeds"), (size_t)i));
        ok = seeds[i] != NULL;
    }
    for (int i = 0; ok && i < m; i++) {
        leaves[i] = find(ctx, NULL, json_string_value(json_array_get(inputs, (size_t)i)));
        gd_release(leaves[i]); /* s.tensors holds it */
    }
    gd_backward_options options = {.create_graph = true, .allow_unused = true};
    ok = ok && gd_autograd_grad(ctx, outputs, n, seeds, leaves, m, &options, out) == GD_OK;
    for (int i = 0; ok && i < m; i++) keep(r, out[i]);
    for (int i = 0; i < n && i < MAX_TENSORS; i++) gd_release(seeds[i]);
    return ok;
}

static bool differentiate(results *r) {
    const json_t *first = json_object_get(s.doc, "grad"), *second = json_object_get(s.doc, "second");
    if (!first) return true;
    const json_t *inputs = json_object_get(first, "inputs");
    gd_tensor *grads[MAX_TENSORS] = {0}, *twice[MAX_TENSORS] = {0};
    bool ok = gradients(r, first, inputs, r->t, grads);
    if (ok && second) ok = gradients(r, second, inputs, grads, twice);
    for (int i = 0; i < MAX_TENSORS; i++) gd_release(grads[i]), gd_release(twice[i]);
    return ok;
}

static bool work(results *r) {
    memset(r, 0, sizeof *r);
    if (!apply(&r->cloned)) return false;
    if (!strcmp(s.op, "__setitem__"))
        keep(r, r->cloned);
    else
        for (uint32_t i = 0; i < s.result.n; i++) keep(r, s.result.outputs[i]);
    r->noutputs = r->n;
    return differentiate(r);
}

/* ---- other inputs --------------------------------------------------------------------------------- */

static void change(gd_tensor *t, bool whole_too) {
    gd_dtype dtype = (gd_dtype)t->dtype;
    size_t width = gd_dtype_bytes(dtype);
    if (gd_dtype_is_float(dtype)) {
        for (int64_t i = 0; i < t->numel; i++) {
            char *p = t->data + (size_t)i * width;
            double v = gd_load_f64(dtype, p);
            gd_store_f64(dtype, p, v * (0.96 + 0.01 * (double)(i * 7 % 5)));
        }
        return;
    }
    for (int64_t i = 0; whole_too && i < t->numel / 2; i++) { /* the other way round: they stay indexes */
        char *p = t->data + (size_t)i * width, *q = t->data + (size_t)(t->numel - 1 - i) * width, tmp[16];
        memcpy(tmp, p, width), memcpy(p, q, width), memcpy(q, tmp, width);
    }
}

/* ---- comparing ------------------------------------------------------------------------------------ */

static bool same_values(const char *what, int at, gd_tensor *got, gd_tensor *want) {
    char text[200];
    if (!got || !want) return got == want || wrong(what, "a result is missing");
    if (got->dtype != want->dtype || !gd_same_shape(got, want)) return true; /* a plan compares shapes and gives up */
    char *a = malloc(gd_nbytes(got) + 1), *b = malloc(gd_nbytes(got) + 1);
    gd_read_bytes(got, a), gd_read_bytes(want, b);
    bool ok = true;
    for (int64_t i = 0; ok && i < got->numel; i++) {
        size_t p = (size_t)i * gd_dtype_bytes((gd_dtype)got->dtype);
        double x = gd_load_f64((gd_dtype)got->dtype, a + p), y = gd_load_f64((gd_dtype)got->dtype, b + p);
        if (close_to(x, y, (gd_dtype)got->dtype)) continue;
        snprintf(text, sizeof text, "result %d, element %lld is %.17g, the engine's %.17g", at, (long long)i, x, y);
        ok = wrong(what, text);
    }
    free(a), free(b);
    return ok;
}

/* ---- forward mode --------------------------------------------------------------------------------- */

/* J v of the outputs of a sample for some v, and some u to try it with: u . J v = v . u J. */
typedef struct tangents {
    gd_tensor *v[MAX_TENSORS], *u[MAX_RESULTS]; /* by tensor of the sample, by output; NULL: not differentiated */
    int32_t values[MAX_RESULTS];                /* of the trace: J v; -1: zero */
    bool known;
} tangents;

static gd_tensor *some(const gd_tensor *like, int seed) {
    gd_tensor *t = gd_empty_like(ctx, like, (gd_dtype)like->dtype);
    for (int64_t i = 0; i < t->numel; i++)
        gd_store_f64((gd_dtype)t->dtype, t->data + (size_t)i * gd_dtype_bytes((gd_dtype)t->dtype),
                     0.25 + 0.125 * (double)((i * 5 + seed * 3) % 7));
    return t;
}

static void tangents_free(tangents *d) {
    for (int i = 0; i < MAX_TENSORS; i++) gd_release(d->v[i]);
    for (int i = 0; i < MAX_RESULTS; i++) gd_release(d->u[i]);
}

/* Adds a . b and the sum of the absolute terms. */
static void dot(const gd_tensor *a, const gd_tensor *b, double *sum, double *size) {
    char *x = malloc(gd_nbytes(a) + 1), *y = malloc(gd_nbytes(b) + 1);
    gd_read_bytes(a, x), gd_read_bytes(b, y);
    for (int64_t i = 0; i < a->numel; i++) {
        double term = gd_load_f64((gd_dtype)a->dtype, x + (size_t)i * gd_dtype_bytes((gd_dtype)a->dtype)) *
                      gd_load_f64((gd_dtype)b->dtype, y + (size_t)i * gd_dtype_bytes((gd_dtype)b->dtype));
        *sum += term, *size += fabs(term);
    }
    free(x), free(y);
}

/* u J, times v. False where the sample has no derivative. */
static bool reverse(const results *r, const tangents *d, double *sum, double *size) {
    gd_tensor *y[MAX_RESULTS], *u[MAX_RESULTS], *x[MAX_TENSORS], *g[MAX_TENSORS] = {0};
    int ny = 0, nx = 0, at[MAX_TENSORS];
    for (int i = 0; i < r->noutputs; i++)
        if (d->u[i]) y[ny] = r->t[i], u[ny++] = d->u[i];
    for (int i = 0; i < s.ntensors; i++)
        if (d->v[i]) at[nx] = i, x[nx++] = s.tensors[i];
    gd_backward_options options = {.retain_graph = true, .allow_unused = true};
    bool ok = ny && nx && gd_autograd_grad(ctx, y, ny, u, x, nx, &options, g) == GD_OK;
    for (int i = 0; i < nx; i++) {
        if (ok && g[i]) dot(g[i], d->v[at[i]], sum, size);
        gd_release(g[i]);
    }
    return ok;
}

/* By the least exact dtype of what went in and out. */
static bool agree(double forward, double backward, double size, const tangents *d) {
    char text[160];
    bool exact = true, empty = false;
    for (int i = 0; i < MAX_TENSORS; i++) exact = exact && (!d->v[i] || d->v[i]->dtype == GD_FLOAT64);
    for (int i = 0; i < MAX_TENSORS; i++)
        empty = empty || (d->v[i] && d->v[i]->numel == 0); /* a mean of nothing is NaN */
    for (int i = 0; i < MAX_RESULTS; i++) exact = exact && (!d->u[i] || d->u[i]->dtype == GD_FLOAT64);
    if (empty || (!isfinite(forward) && !isfinite(backward))) return true;
    double tolerance = (exact ? 1e-8 : 2e-4) * (size + 1e-3);
    if (fabs(forward - backward) <= tolerance) return true;
    snprintf(text, sizeof text, "u.Jv is %.12g, v.uJ is %.12g", forward, backward);
    return wrong("forward mode", text);
}

/* embedding's padding and frequencies change the gradient to what is no derivative; lp_pool takes roots of zero. */
static bool is_special(void) {
    return !strncmp(s.op, "nn.functional.embedding", 23) || !strncmp(s.op, "nn.functional.lp_pool", 21);
}

/* Tangents of the traced outputs, compared with what reverse mode says. */
static bool forward(gd_trace *tr, const results *r, const int32_t *numbers, tangents *d) {
    gd_tensor *v[MAX_TENSORS], *jv[MAX_RESULTS] = {0};
    double sum = 0, size = 0, back = 0;
    bool any = false;
    int n = 0;
    for (int i = 0; i < s.ntensors; i++) {
        if (!gd_dtype_is_float((gd_dtype)s.tensors[i]->dtype)) continue;
        if (gd_requires_grad(s.tensors[i])) d->v[i] = some(s.tensors[i], i);
        v[n++] = d->v[i];
    }
    for (int i = 0; i < r->noutputs; i++)
        if (r->t[i] && gd_requires_grad(r->t[i])) any = true, d->u[i] = some(r->t[i], i + 3);
    gd_trace_pause(tr);
    d->known = any && !is_special() && reverse(r, d, &back, &size);
    gd_trace_resume(tr);
    if (!d->known || gd_trace_dynamic(tr)) return d->known = false, true;
    gd_code code = gd_trace_jvp(tr, v, numbers, r->noutputs, jv);
    bool has_second = json_object_get(s.doc, "second") != NULL;
    if (code == GD_E_NOT_IMPLEMENTED && !has_second) return d->known = false, true; /* nor has PyTorch a second one */
    if (code) return engine_says("forward mode");
    nderivatives++;
    for (int i = 0; i < r->noutputs; i++) {
        if (d->u[i] && jv[i]) dot(d->u[i], jv[i], &sum, &size);
        d->values[i] = jv[i] ? gd_trace_value(tr, jv[i]) : -1;
        gd_release(jv[i]);
    }
    return agree(sum, back, size, d);
}

/* The same for the tangents that the replay gave. */
static bool forward_again(const replay *p, const results *r, const tangents *d) {
    double sum = 0, size = 0, back = 0;
    if (!d->known || !reverse(r, d, &back, &size)) return true;
    for (int i = 0; i < r->noutputs; i++) {
        if (!d->u[i]) continue;
        if (!gd_same_shape(r->t[i], d->u[i])) return true;
        if (d->values[i] >= 0) dot(d->u[i], p->values[d->values[i]], &sum, &size);
    }
    return agree(sum, back, size, d);
}

/* The eager run on the changed inputs, against the values `numbers` of the replay. */
static bool compare(replay *r, const int32_t *numbers, int n, bool repeated, const tangents *d) {
    results eager;
    bool ok = work(&eager), fine = true;
    if (ok != repeated) nguarded++;
    s.why[0] = 0;
    for (int i = 0; ok && repeated && fine && i < n; i++)
        fine = numbers[i] < 0 ? eager.t[i] == NULL : same_values("replay", i, r->values[numbers[i]], eager.t[i]);
    if (ok && repeated && fine) fine = forward_again(r, &eager, d);
    clear(&eager);
    return fine;
}

/* ---- the compiled trace ------------------------------------------------------------------------------ */

/* What a plan gives for an output, against what the replay gave. */
static bool same_as_replay(int at, const gd_plan_place *place, const void *bytes, gd_tensor *want) {
    if (!want || want->dtype != place->dtype || want->numel != place->numel || want->ndim != place->ndim ||
        memcmp(want->sizes, place->sizes, (size_t)want->ndim * sizeof *want->sizes))
        return wrong("plan", "another shape or dtype");
    gd_tensor *got = gd_from_bytes(ctx, place->dtype, place->ndim, place->sizes, bytes, place->nbytes);
    bool ok = got && same_values("plan", at, got, want);
    gd_release(got);
    return ok;
}

typedef struct compiled {
    gd_plan *plan;
    int32_t values[2 * MAX_RESULTS]; /* of the trace; the plan's outputs */
    int n;
} compiled;

static bool compile(compiled *p, gd_trace *tr) {
    p->plan = gd_plan_new(ctx, tr, p->values, p->n);
    if (!p->plan) return engine_says("plan");
    nplans++;
    char *text = getenv("SHOW_PLANS") ? gd_plan_describe(p->plan) : NULL;
    if (text) printf("%s:%d\n%s", s.op, s.line, text);
    free(text);
    return true;
}

/* All results and tangents of the sample; before anything that the trace read is changed. */
static bool compile_results(compiled *p, gd_trace *tr, const int32_t *numbers, int n, const tangents *d) {
    for (int i = 0; i < n; i++)
        if (numbers[i] >= 0) p->values[p->n++] = numbers[i];
    for (int i = 0; d->known && i < MAX_RESULTS; i++)
        if (d->u[i] && d->values[i] >= 0) p->values[p->n++] = d->values[i];
    return compile(p, tr);
}

/* Everything that depends on an input, from the last value on: a plan in which little can be left out. */
static bool compile_all(compiled *p, gd_trace *tr) {
    for (int32_t i = gd_trace_nvalues(tr) - 1; i >= 0 && p->n < 2 * MAX_RESULTS; i--)
        if (gd_trace_at(tr, i)->tensor && gd_trace_at(tr, i)->kind != GD_TRACED_CONSTANT) p->values[p->n++] = i;
    return compile(p, tr);
}

/* Runs twice: what a frame keeps from one run must not show in the next. */
static bool run_plan(const compiled *p, const replay *r, gd_tensor *const *inputs, bool repeated) {
    gd_plan *plan = p->plan;
    gd_plan_frame *frame = gd_plan_frame_take(plan);
    gd_error error;
    bool ok = frame != NULL;
    for (int i = 0; ok && i < gd_plan_ninputs(plan); i++) gd_plan_set_input(frame, i, inputs[i]->data);
    for (int pass = 0; ok && pass < 2; pass++) {
        gd_code code = gd_plan_run(frame, &error);
        if (code) {
            nrefused++;
            ok = code == GD_E_STATE || !repeated || wrong("plan", error.message);
            break;
        }
        for (int i = 0; ok && repeated && i < p->n; i++)
            ok = same_as_replay(i, gd_plan_output(plan, i), gd_plan_output_bytes(frame, i), r->values[p->values[i]]);
    }
    gd_plan_frame_give(frame);
    return ok;
}

/* ---- one sample ----------------------------------------------------------------------------------- */

static bool record(gd_trace *tr, bool whole_too, int32_t *numbers, int *n, tangents *d, bool *fine) {
    results traced;
    for (int i = 0; i < s.ntensors; i++)
        if ((whole_too || gd_dtype_is_float((gd_dtype)s.tensors[i]->dtype)) && gd_trace_input(tr, s.tensors[i]))
            return engine_says("input");
    bool ok = work(&traced);
    if (!ok) s.why[0] = 0; /* run_samples tells of it */
    *n = traced.n;
    for (int i = 0; ok && i < traced.n; i++) numbers[i] = traced.t[i] ? gd_trace_value(tr, traced.t[i]) : -1;
    if (ok && !whole_too && !gd_trace_dynamic(tr)) *fine = forward(tr, &traced, numbers, d);
    clear(&traced);
    return ok;
}

static bool trace_sample(bool whole_too) {
    int32_t numbers[MAX_RESULTS];
    int n = 0;
    gd_tensor *inputs[MAX_TENSORS];
    gd_trace *tr = gd_trace_begin(ctx);
    tangents d = {0};
    bool fine = true, ok = record(tr, whole_too, numbers, &n, &d, &fine);
    gd_trace_pause(tr);
    const gd_trace_reason *reason = gd_trace_dynamic(tr);
    if (ok && reason) {
        ndynamic++;
        if (getenv("SHOW_DYNAMIC")) printf("%s:%d%s: %s\n", s.op, s.line, whole_too ? " (all)" : "", reason->text);
    }
    compiled plan = {0}, all = {0};
    if (ok && fine && !reason) fine = compile_results(&plan, tr, numbers, n, &d) && compile_all(&all, tr);
    if (ok && fine && !reason) {
        int used = 0;
        nsteps += gd_trace_nsteps(tr);
        for (int i = 0; i < s.ntensors; i++) {
            change(s.tensors[i], whole_too);
            if (whole_too || gd_dtype_is_float((gd_dtype)s.tensors[i]->dtype)) inputs[used++] = s.tensors[i];
        }
        replay r;
        bool repeated = replay_run(&r, ctx, tr, inputs);
        npointwise += r.npointwise;
        fine = !r.why[0] ? run_plan(&plan, &r, inputs, repeated) : wrong("replay", r.why);
        fine = fine && run_plan(&all, &r, inputs, repeated);
        fine = fine && compare(&r, numbers, n, repeated, &d); /* which may write its inputs */
        replay_free(&r);
    }
    gd_plan_release(plan.plan);
    gd_plan_release(all.plan);
    gd_trace_free(tr);
    tangents_free(&d);
    return fine;
}

static bool run_once(const char *op, int line, json_t *doc, bool whole_too) {
    memset(&s, 0, sizeof s);
    s.op = op, s.line = line, s.doc = doc;
    bool ok = upload() && trace_sample(whole_too);
    for (int i = 0; i < s.ntensors; i++) gd_release(s.tensors[i]);
    ok ? passed++ : failed++;
    if (!ok) printf("FAILED %s.jsonl:%d%s: %s\n", op, line, whole_too ? " (all)" : "", s.why);
    return ok;
}

static void run_line(const char *op, int line, json_t *doc) {
    run_once(op, line, doc, false);
    run_once(op, line, doc, true);
}

int main(int argc, char **argv) {
    const char *dir = argc > 1 ? argv[1] : "tests/conformance/samples";
    ctx = gd_ctx_new(NULL);
    if (!ctx) return 1;
    for (int i = 2; i < argc; i++) run_file(dir, argv[i]);
    if (argc <= 2) run_all(dir);
    if (gd_ctx_nodes(ctx) || gd_account_used(NULL)) printf("FAILED nodes or bytes are left\n"), failed++;
    gd_ctx_free(ctx);
    printf("%d steps, %d of them pointwise, %d derivatives; %d samples are dynamic, %d failed on other inputs\n",
           nsteps, npointwise, nderivatives, ndynamic, nguarded);
    printf("%d plans, %d of them refused other inputs\n", nplans, nrefused);
    printf("traces: %d passed, %d failed\n", passed, failed);
    return failed > 0;
}
