/* run_samples.c: applies every recorded sample (record.py) and compares with what PyTorch gave.
 *
 * run_samples DIR [op…]: all files of DIR, or those of the named ops. Checks outputs (dtype, shape, values, the
 * grad_fn's name), first and second gradients; that every row of the op table was reached by a sample of its
 * own; and, by planting wrong derivatives, that a wrong gradient would be seen. */
#include "tests/conformance/samples.h"

static bool quiet;

static bool same(const char *what, gd_tensor *got, const json_t *want) {
    gd_tensor *w = tensor_of_doc(want);
    if (!w) return engine_says(what);
    char text[200];
    bool ok = true;
    if (got->dtype != w->dtype || !gd_same_shape(got, w)) {
        char a[64], b[64];
        snprintf(text, sizeof text, "got %s %s, PyTorch %s %s", gd_dtype_name(got->dtype),
                 gd_shape_text(a, sizeof a, got->ndim, got->sizes), gd_dtype_name(w->dtype),
                 gd_shape_text(b, sizeof b, w->ndim, w->sizes));
        ok = wrong(what, text);
    }
    char *bytes = ok ? malloc(gd_nbytes(got) + 1) : NULL;
    if (bytes) gd_read_bytes(got, bytes);
    for (int64_t i = 0; ok && i < w->numel; i++) {
        size_t at = (size_t)i * gd_dtype_bytes(w->dtype);
        double a = gd_load_f64(w->dtype, bytes + at), b = gd_load_f64(w->dtype, w->data + at);
        if (!close_to(a, b, w->dtype)) {
            snprintf(text, sizeof text, "element %lld is %.17g, PyTorch %.17g", (long long)i, a, b);
            ok = wrong(what, text);
        }
    }
    free(bytes);
    gd_release(w);
    return ok;
}

static bool value_matches(const json_t *value, const gd_value *v) {
    if (!s.result.has_value) return wrong("value", "got tensors");
    if (json_is_array(value)) {
        bool ok = v->kind == GD_V_INTS && v->n == json_array_size(value);
        for (uint32_t i = 0; ok && i < v->n; i++) ok = v->u.ints[i] == json_integer_value(json_array_get(value, i));
        return ok || wrong("value", "another list");
    }
    double got = v->kind == GD_V_BOOL    ? v->u.boolean
                 : v->kind == GD_V_INT   ? (double)v->u.integer
                 : v->kind == GD_V_FLOAT ? v->u.real
                                         : 0;
    if (json_is_null(value)) return v->kind == GD_V_NONE || wrong("value", "not None");
    return got == number_of(value) || wrong("value", "differs");
}

static bool outputs_match(gd_tensor *cloned) {
    const json_t *want = json_object_get(s.doc, "outputs");
    if (!want) return value_matches(json_object_get(s.doc, "value"), &s.result.value);
    gd_tensor *one[] = {cloned}, **got = s.result.outputs;
    size_t n = s.result.n;
    if (!strcmp(s.op, "__setitem__")) got = one, n = 1;
    if (n != json_array_size(want)) return wrong("outputs", "another number of them");
    for (size_t i = 0; i < n; i++) {
        const json_t *w = json_array_get(want, i);
        char what[32];
        snprintf(what, sizeof what, "output %zu", i);
        if (!same(what, got[i], w)) return false;
        if (gd_requires_grad(got[i]) != json_is_true(json_object_get(w, "requires_grad")))
            return wrong(what, "requires_grad differs");
        const char *name = json_string_value(json_object_get(w, "grad_fn"));
        gd_node *node = gd_grad_fn(ctx, got[i]);
        if (name && strcmp(node ? gd_node_name(node) : "None", name)) {
            char text[128];
            snprintf(text, sizeof text, "grad_fn is %s, PyTorch's %s", node ? gd_node_name(node) : "None", name);
            return wrong(what, text);
        }
    }
    return true;
}

/* Gradients of from[chosen] with recorded cotangents, compared; the gradients go to `out`. */
static bool gradients(const char *what, const json_t *record, const json_t *inputs, gd_tensor **from, bool create,
                      gd_tensor **out) {
    const json_t *chosen = json_object_get(record, "outputs"), *want = json_object_get(record, "grads");
    gd_tensor *outputs[MAX_TENSORS], *seeds[MAX_TENSORS] = {0}, *leaves[MAX_TENSORS];
    int n = (int)json_array_size(chosen), m = (int)json_array_size(inputs);
    bool ok = n <= MAX_TENSORS && m <= MAX_TENSORS;
    for (int i = 0; ok && i < n; i++) {
        outputs[i] = from[json_integer_value(json_array_get(chosen, (size_t)i))];
        if (!outputs[i]) return wrong(what, "a gradient is missing");
        seeds[i] = tensor_of(outputs[i]->dtype, outputs[i]->ndim, outputs[i]->sizes,
                             json_array_get(json_object_get(record, "seeds"), (size_t)i));
        ok = seeds[i] != NULL;
    }
    for (int i = 0; ok && i < m; i++) {
        leaves[i] = find(ctx, NULL, json_string_value(json_array_get(inputs, (size_t)i)));
        gd_release(leaves[i]); /* s.tensors holds it */
    }
    gd_backward_options options = {.create_graph = create, .allow_unused = true};
    if (ok && gd_autograd_grad(ctx, outputs, n, seeds, leaves, m, &options, out)) ok = engine_says(what);
    for (int i = 0; ok && i < m; i++) {
        const json_t *w = json_array_get(want, (size_t)i);
        char label[48];
        snprintf(label, sizeof label, "%s of %s", what, json_string_value(json_array_get(inputs, (size_t)i)));
        if (json_is_null(w)) continue; /* PyTorch: unused. Ours may be zeros: opinfo allows it as well */
        ok = out[i] ? same(label, out[i], w) : wrong(label, "none");
    }
    for (int i = 0; i < n && i < MAX_TENSORS; i++) gd_release(seeds[i]);
    return ok;
}

static bool check_gradients(gd_tensor *cloned) {
    const json_t *first = json_object_get(s.doc, "grad"), *second = json_object_get(s.doc, "second");
    if (!first) return true;
    const json_t *inputs = json_object_get(first, "inputs");
    gd_tensor *grads[MAX_TENSORS] = {0}, *twice[MAX_TENSORS] = {0}, *one[] = {cloned};
    gd_tensor **from = strcmp(s.op, "__setitem__") ? s.result.outputs : one;
    bool ok = gradients("grad", first, inputs, from, second != NULL, grads);
    if (ok && second) ok = gradients("second grad", second, inputs, grads, false, twice);
    for (int i = 0; i < MAX_TENSORS; i++) gd_release(grads[i]), gd_release(twice[i]);
    return ok;
}

static void run_line(const char *op, int line, json_t *doc) {
    memset(&s, 0, sizeof s);
    s.op = op, s.line = line, s.doc = doc;
    gd_tensor *cloned = NULL;
    bool ok = upload() && apply(&cloned) && outputs_match(cloned) && check_gradients(cloned);
    gd_result_clear(&s.result);
    gd_release(cloned);
    for (int i = 0; i < s.ntensors; i++) gd_release(s.tensors[i]);
    ok ? passed++ : failed++;
    if (!ok && !quiet) printf("FAILED %s.jsonl:%d: %s\n", op, line, s.why);
}

/* Every row that a client can reach needs a sample that reached it. */
static void check_coverage(void) {
    for (int i = 0; i < GD_OP_COUNT; i++) {
        if (gd_ops[i].flags & GD_HIDDEN) continue;
        reached[i] ? passed++ : failed++;
        if (!reached[i]) printf("FAILED no sample reaches the row \"%s\"\n", gd_ops[i].signature);
    }
}

static void flipped(gd_bw *b) { gd_bw_set(b, 0, gx_neg(b->ctx, gx_mul(b->ctx, b->grads[0], gd_bw_tensor(b, 1)))); }
static void slightly_off(gd_bw *b) {
    gd_bw_set(b, 0, gx_mul_s(b->ctx, gx_mul(b->ctx, b->grads[0], gd_bw_output(b, 0)), 1.001));
}

/* The checker is checked: with `rule` planted, the op's samples must not all pass. */
static void plant(const char *dir, gd_op_id id, const char *op, gd_backward_fn rule) {
    int before_passed = passed, before_failed = failed;
    gd_backward_fn right = gd_ops[id].backward;
    gd_ops[id].backward = rule;
    quiet = true;
    run_file(dir, op);
    quiet = false;
    gd_ops[id].backward = right;
    bool seen = failed > before_failed;
    passed = before_passed + seen, failed = before_failed + !seen;
    if (!seen) printf("FAILED a wrong derivative planted in %s was not seen\n", op);
}

int main(int argc, char **argv) {
    const char *dir = argc > 1 ? argv[1] : "tests/conformance/samples";
    ctx = gd_ctx_new(NULL);
    if (!ctx) return 1;
    for (int i = 2; i < argc; i++) run_file(dir, argv[i]);
    if (argc <= 2) {
        run_all(dir);
        check_coverage();
        plant(dir, GD_OP_mul, "mul", flipped);
        plant(dir, GD_OP_exp, "exp", slightly_off);
        gd_ctx_nodes(ctx) || gd_account_used(NULL) ? printf("FAILED nodes or bytes are left\n"), failed++ : passed++;
    }
    gd_ctx_free(ctx);
    printf("samples: %d passed, %d failed\n", passed, failed);
    return failed > 0;
}
