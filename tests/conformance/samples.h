/* samples.h: reading the recorded samples (record.py) and applying them; for run_samples.c and run_traces.c, which
 * include it once each. */
#ifndef GD_SAMPLES_H
#define GD_SAMPLES_H

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ops/rules.h"

enum { MAX_TENSORS = 32, MAX_VALUES = 512 };

static gd_ctx *ctx;
static bool reached[GD_OP_COUNT];

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

/* ---- files ----------------------------------------------------------------------------------- */

static int passed, failed;
static void run_line(const char *op, int line, json_t *doc);

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

#endif
