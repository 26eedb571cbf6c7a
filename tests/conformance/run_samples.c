/* run_samples.c: applies every recorded sample (record.py) and compares with what PyTorch gave.
 *
 * run_samples DIR [op…]: all files of DIR, or those of the named ops. Checks outputs (dtype, shape, values, the
 * grad_fn's name), first and second gradients; that every row of the op table was reached by a sample of its
 * own; and, by planting wrong derivatives, that a wrong gradient would be seen. */
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ops/rules.h"

enum { MAX_TENSORS = 32, MAX_VALUES = 512 };

static gd_ctx *ctx;
static bool quiet;
static bool reached[GD_OP_COUNT];
static int passed, failed;

/* One sample in flight. */
static struct sample {
    const char *op;
    int line;
    json_t *doc;
    const char *names[MAX_TENSORS];
    gd_tensor *tensors[MAX_TENSORS];
    int ntensors;
    gd_value values[MAX_VALUES]; /* backing of lists */
    int nvalues;
    gd_result result;
    char why[1400];
} s;

static bool wrong(const char *what, const char *detail) {
    if (!s.why[0]) snprintf(s.why, sizeof s.why, "%s: %s", what, detail);
    return false;
}

static bool engine_says(const char *what) { return wrong(what, gd_ctx_error(ctx)->message); }

static double number_of(const json_t *j) {
    if (json_is_string(j)) {
        const char *t = json_string_value(j);
        return !strcmp(t, "NaN") ? NAN : *t == '-' ? -INFINITY : INFINITY;
    }
    return json_is_boolean(j) ? json_is_true(j) : json_number_value(j);
}

static void flatten(const json_t *j, double *out, int64_t *ints, int64_t *n) {
    if (json_is_array(j)) {
        size_t i;
        const json_t *v;
        json_array_foreach (j, i, v) flatten(v, out, ints, n);
        return;
    }
    ints[*n] = json_is_integer(j) ? (int64_t)json_integer_value(j) : 0;
    out[(*n)++] = number_of(j);
}

static int shape_of(const json_t *doc, int64_t *sizes) {
    const json_t *shape = json_object_get(doc, "shape");
    for (size_t i = 0; i < json_array_size(shape); i++)
        sizes[i] = (int64_t)json_integer_value(json_array_get(shape, i));
    return (int)json_array_size(shape);
}

/* A tensor from {"dtype","shape","data"} or, with `like`, from bare nested data. */
static gd_tensor *tensor_of(gd_dtype dtype, int ndim, const int64_t *sizes, const json_t *data) {
    gd_tensor *t = gd_zeros(ctx, dtype, ndim, sizes);
    if (!t) return NULL;
    int64_t n = 0;
    double *values = calloc((size_t)gd_numel(t) + 1, sizeof *values);
    int64_t *ints = calloc((size_t)gd_numel(t) + 1, sizeof *ints);
    flatten(data, values, ints, &n);
    for (int64_t i = 0; i < n && i < gd_numel(t); i++) {
        char *p = t->data + (size_t)i * gd_dtype_bytes(dtype);
        if (dtype == GD_INT64 || dtype == GD_INT32)
            gd_store_i64(dtype, p, json_is_boolean(data) ? (int64_t)values[i] : ints[i]);
        else
            gd_store_f64(dtype, p, values[i]);
    }
    free(values), free(ints);
    return t;
}

static gd_tensor *tensor_of_doc(const json_t *doc) {
    int64_t sizes[GD_MAX_DIMS];
    gd_dtype dtype = GD_FLOAT32;
    gd_dtype_parse(json_string_value(json_object_get(doc, "dtype")), &dtype);
    int ndim = shape_of(doc, sizes);
    return tensor_of(dtype, ndim, sizes, json_object_get(doc, "data"));
}

static gd_tensor *find(gd_ctx *c, void *user, const char *name) {
    (void)user;
    for (int i = 0; i < s.ntensors; i++)
        if (!strcmp(s.names[i], name)) return gd_retain(s.tensors[i]);
    gd_fail(c, GD_E_UNKNOWN_NAME, "%s", name);
    return NULL;
}

static gd_value value_of(const json_t *j) {
    if (json_is_string(j))
        return strcmp(json_string_value(j), "...") ? GD_STR_VALUE(json_string_value(j))
                                                   : (gd_value){.kind = GD_V_ELLIPSIS};
    if (json_is_boolean(j)) return GD_BOOL_VALUE(json_is_true(j));
    if (json_is_integer(j)) return GD_INT_VALUE((int64_t)json_integer_value(j));
    if (json_is_real(j)) return GD_FLOAT_VALUE(json_real_value(j));
    if (json_is_null(j)) return GD_NONE_VALUE;
    const json_t *list = json_is_object(j) ? json_object_get(j, "slice") : j;
    int start = s.nvalues, n = (int)json_array_size(list);
    if (start + n > MAX_VALUES) return GD_NONE_VALUE;
    s.nvalues += n;
    for (int i = 0; i < n; i++) s.values[start + i] = value_of(json_array_get(list, (size_t)i));
    return (gd_value){.kind = json_is_object(j) ? GD_V_SLICE : GD_V_LIST, .n = (uint32_t)n, .u.list = s.values + start};
}

/* Equal within 1e-9 (float64) or 3e-5 (float32), NaN equal to NaN. */
static bool close_to(double a, double b, gd_dtype dtype) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    if (isinf(a) || isinf(b)) return a == b;
    double rtol = dtype == GD_FLOAT64   ? 1e-9
                  : dtype == GD_FLOAT32 ? 3e-5
                                        : 0,
           atol = dtype == GD_FLOAT64   ? 1e-10
                  : dtype == GD_FLOAT32 ? 1e-5
                                        : 0;
    return fabs(a - b) <= atol + rtol * fabs(b);
}

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

static bool upload(void) {
    const char *name;
    json_t *doc;
    json_object_foreach (json_object_get(s.doc, "tensors"), name, doc) {
        gd_tensor *t = tensor_of_doc(doc);
        if (!t || s.ntensors == MAX_TENSORS) return engine_says("upload");
        s.names[s.ntensors] = name;
        s.tensors[s.ntensors++] = t;
        if (json_is_true(json_object_get(doc, "requires_grad")) && gd_set_requires_grad(ctx, t, true))
            return engine_says("upload");
    }
    return true;
}

/* In-place samples act on a fresh non-leaf made from args[0]. */
static gd_tensor *clone_first(const json_t *args) {
    gd_tensor *x = find(ctx, NULL, json_string_value(json_array_get(args, 0)));
    if (!x) return NULL;
    gd_value a[] = {GD_TENSOR_VALUE(x), GD_INT_VALUE(1)};
    gd_tensor *h = gd_requires_grad(x) ? gd_call1(ctx, "mul", a, 2) : gd_call1(ctx, "clone", a, 1);
    gd_release(x);
    return h;
}

static bool apply(gd_tensor **cloned) {
    const json_t *jargs = json_object_get(s.doc, "args");
    gd_value args[GD_MAX_ARGS];
    gd_kwarg kwargs[GD_MAX_ARGS];
    int nargs = (int)json_array_size(jargs), nkwargs = 0;
    for (int i = 0; i < nargs && i < GD_MAX_ARGS; i++) args[i] = value_of(json_array_get(jargs, (size_t)i));
    const char *name;
    json_t *v;
    json_object_foreach (json_object_get(s.doc, "kwargs"), name, v) kwargs[nkwargs++] = (gd_kwarg){name, value_of(v)};
    if (json_is_true(json_object_get(s.doc, "clone_first"))) {
        if (!(*cloned = clone_first(jargs))) return engine_says("clone");
        args[0] = GD_TENSOR_VALUE(*cloned);
    }
    gd_ctx_manual_seed(ctx, 42);
    if (gd_call(ctx, s.op, args, nargs, kwargs, nkwargs, &(gd_resolver){find, NULL}, &s.result))
        return engine_says("forward");
    reached[ctx->last_op->id] = true;
    return true;
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

static void run_file(const char *dir, const char *op) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.jsonl", dir, op);
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;
    if (!f) {
        printf("FAILED cannot read %s\n", path), failed++;
        return;
    }
    for (int line = 1; getline(&text, &room, f) > 0; line++) {
        json_error_t error;
        json_t *doc = json_loads(text, JSON_DECODE_ANY, &error);
        if (doc)
            run_line(op, line, doc);
        else
            printf("FAILED %s:%d: %s\n", path, line, error.text), failed++;
        json_decref(doc);
    }
    free(text);
    fclose(f);
}

static void run_all(const char *dir) {
    struct dirent **entries;
    int n = scandir(dir, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char *dot = strstr(entries[i]->d_name, ".jsonl");
        if (dot) *dot = '\0', run_file(dir, entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
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
