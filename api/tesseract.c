/* tesseract.c: the endpoints below /tesseract/{f}: what Tesseract's clients call. */
#include "api/tesseract.h"
#include "api/binary.h"
#include "api/router.h"
#include "core/tensor/tensor.h"

#include <stdio.h>

/* ---- the request --------------------------------------------------------------------------- */

static const char not_an_object[] = "Input should be a valid dictionary or object to extract fields from";

static bool find_function(gd_tess_call *c) {
    gd_exchange *x = c->x;
    x->ctx = gd_functions_ctx(gd_api_functions(x->api));
    c->f = gd_functions_find(gd_api_functions(x->api), x->params[0]);
    if (c->f && x->ctx) return true;
    if (c->f) return gd_refuse(x, "out_of_memory", "The server has no memory left for this request.");
    gd_tess_answer_detail(x, 404, "Not Found");
    return false;
}

/* The body's object, with no other keys than these. */
static bool read_root(gd_tess_call *c, const char *const *keys) {
    const gd_api_request *in = c->x->in;
    const gd_tess_place body = {.index = -1}, inputs = GD_TESS_PLACE("inputs");
    const char *key;
    json_t *value;
    if (!gd_body_read(&c->x->body, in->body ? in->body : "", in->body_length, &c->x->fault))
        return gd_tess_refuse_json(c);
    c->root = c->x->body.root;
    if (!c->root) return gd_tess_refuse(c, &body, "missing", NULL, "Field required");
    if (!json_is_object(c->root))
        return gd_tess_refuse(c, &body, "model_attributes_type", c->root, "%s", not_an_object);
    json_object_foreach ((json_t *)(uintptr_t)c->root, key, value) {
        int i = 0;
        while (keys[i] && strcmp(keys[i], key)) i++;
        gd_tess_place at = gd_tess_below(&body, key);
        if (!keys[i]) gd_tess_refuse(c, &at, "extra_forbidden", value, "Extra inputs are not permitted");
    }
    c->inputs = json_object_get(c->root, "inputs");
    if (!c->inputs) return gd_tess_refuse(c, &inputs, "missing", c->root, "Field required");
    if (!json_is_object(c->inputs))
        return gd_tess_refuse(c, &inputs, "model_attributes_type", c->inputs, "%s", not_an_object);
    return true;
}

static bool read_static(gd_tess_call *c, const gd_tess_place *at, const json_t *j, const gd_function_input *in,
                        gd_static *out) {
    static const char *const types[][2] = {
        [GD_INPUT_INT] = {"int_type", "Input should be a valid integer"},
        [GD_INPUT_FLOAT] = {"float_type", "Input should be a valid number"},
        [GD_INPUT_BOOL] = {"bool_type", "Input should be a valid boolean"},
        [GD_INPUT_STR] = {"string_type", "Input should be a valid string"},
    };
    out->given = !gd_body_numbers(&c->x->body, j) && gd_static_of(j, in->kind, &out->value);
    return out->given || gd_tess_refuse(c, at, types[in->kind][0], j, "%s", types[in->kind][1]);
}

typedef gd_tensor *read_function(gd_tess_call *, const gd_tess_place *, const json_t *, const gd_dtype *, int,
                                 const int64_t *);

static bool read_input(gd_tess_call *c, int i, read_function *read) {
    const gd_function_input *in = gd_function_input_at(c->f, i);
    const gd_tess_place at = GD_TESS_PLACE("inputs", in->name);
    const json_t *j = json_object_get(c->inputs, in->name);
    if (!j) return in->has_default || gd_tess_refuse(c, &at, "missing", c->inputs, "Field required");
    if (in->kind != GD_INPUT_TENSOR) return read_static(c, &at, j, in, &c->e.statics[i]);
    c->e.inputs[i] = read(c, &at, j, in->has_dtype ? &in->dtype : NULL, in->has_shape ? in->ndim : -1, in->sizes);
    return c->e.inputs[i] != NULL;
}

/* Every input into c->e; what is wrong with any of them is told at once. */
static bool read_inputs(gd_tess_call *c, read_function *read) {
    const char *key;
    json_t *value;
    bool ok = true;
    for (int i = 0; i < gd_function_ninputs(c->f); i++) ok &= read_input(c, i, read);
    json_object_foreach ((json_t *)(uintptr_t)c->inputs, key, value) {
        const gd_tess_place at = GD_TESS_PLACE("inputs", key);
        if (gd_function_input_index(c->f, key) < 0)
            ok = gd_tess_refuse(c, &at, "extra_forbidden", value, "Extra inputs are not permitted");
    }
    return ok && c->details.n == 0;
}

/* ---- evaluating ---------------------------------------------------------------------------- */

static bool evaluate(gd_tess_call *c, gd_eval *e) {
    gd_function_fault fault;
    switch (gd_evaluate(c->x, c->f, e, &fault)) {
    case GD_EVALUATED: return true;
    case GD_EVALUATED_NOT: return false;
    case GD_EVALUATED_FAILED: break;
    }
    return gd_tess_refuse_eval(c, &fault);
}

bool gd_tess_find_outputs(gd_tess_call *c) {
    gd_eval_clear(&c->shapes);
    c->shapes.kind = GD_EVAL_ABSTRACT;
    memcpy(c->shapes.statics, c->e.statics, sizeof c->shapes.statics);
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++) c->shapes.inputs[i] = gd_retain(c->e.inputs[i]);
    return evaluate(c, &c->shapes);
}

static bool is_real_input(const gd_tess_call *c, int i) {
    const gd_tensor *t = c->e.inputs[i];
    return t && gd_dtype_is_float(gd_dtype_of(t));
}

static bool is_real_output(const gd_tess_call *c, int i) { return gd_dtype_is_float(c->shapes.outputs[i].dtype); }

/* ---- names of inputs and outputs ----------------------------------------------------------- */

/* Which inputs, or else outputs, may be differentiated, and what they are called. */
typedef struct names {
    const char *names[GD_FUNCTION_INPUTS];
    bool real[GD_FUNCTION_INPUTS];
    int n;
} names;

static names input_names(const gd_tess_call *c) {
    names s = {.n = gd_function_ninputs(c->f)};
    for (int i = 0; i < s.n; i++) {
        s.names[i] = gd_function_input_at(c->f, i)->name;
        s.real[i] = is_real_input(c, i);
    }
    return s;
}

static names output_names(const gd_tess_call *c) {
    names s = {.n = c->shapes.noutputs < GD_FUNCTION_INPUTS ? c->shapes.noutputs : GD_FUNCTION_INPUTS};
    for (int i = 0; i < s.n; i++) {
        s.names[i] = c->shapes.outputs[i].name;
        s.real[i] = is_real_output(c, i);
    }
    return s;
}

static bool refuse_name(gd_tess_call *c, const gd_tess_place *at, const json_t *j, const names *s) {
    char list[600] = "";
    size_t n = 0;
    for (int i = 0; i < s->n && n < sizeof list; i++)
        if (s->real[i]) n += (size_t)snprintf(list + n, sizeof list - n, "%s'%.60s'", n ? " or " : "", s->names[i]);
    if (n == 0)
        return gd_tess_refuse(c, at, "literal_error", j, "Input should be one of none: nothing here is differentiable");
    return gd_tess_refuse(c, at, "literal_error", j, "Input should be %s", list);
}

/* The list of names under `key` as bits. */
static bool read_names(gd_tess_call *c, const char *key, const names *s, uint64_t *bits) {
    gd_tess_place at = GD_TESS_PLACE(key);
    const json_t *list = json_object_get(c->root, key);
    *bits = 0;
    if (!list) return gd_tess_refuse(c, &at, "missing", c->root, "Field required");
    if (!json_is_array(list)) return gd_tess_refuse(c, &at, "list_type", list, "Input should be a valid list");
    if (json_array_size(list) == 0)
        return gd_tess_refuse(c, &at, "too_short", list, "List should have at least 1 item after validation, not 0");
    bool ok = true;
    for (at.index = 0; at.index < (int)json_array_size(list); at.index++) {
        const json_t *j = json_array_get(list, (size_t)at.index);
        int i = 0;
        while (json_is_string(j) && i < s->n && !(s->real[i] && !strcmp(s->names[i], json_string_value(j)))) i++;
        if (json_is_string(j) && i < s->n)
            *bits |= (uint64_t)1 << i;
        else
            ok = refuse_name(c, &at, j, s);
    }
    return ok;
}

/* What a vector of this endpoint is shaped like. */
typedef struct like {
    gd_dtype dtype;
    int ndim;
    const int64_t *sizes;
} like;

static like like_input(const gd_tess_call *c, int i) {
    const gd_tensor *t = c->e.inputs[i];
    return (like){gd_dtype_of(t), gd_ndim(t), gd_sizes(t)};
}

static like like_output(const gd_tess_call *c, int i) {
    const gd_function_output *o = &c->shapes.outputs[i];
    return (like){o->dtype, o->ndim, o->sizes};
}

/* The object of arrays under `key`: one for each of `bits`. */
static bool read_vectors(gd_tess_call *c, const char *key, const names *s, uint64_t bits,
                         like (*shaped)(const gd_tess_call *, int)) {
    const gd_tess_place at = GD_TESS_PLACE(key);
    const json_t *vectors = json_object_get(c->root, key);
    const char *name;
    json_t *value;
    bool ok = true;
    if (!vectors) return gd_tess_refuse(c, &at, "missing", c->root, "Field required");
    if (!json_is_object(vectors))
        return gd_tess_refuse(c, &at, "dict_type", vectors, "Input should be a valid dictionary");
    for (int i = 0; i < s->n; i++) {
        if (!(bits >> i & 1)) continue;
        gd_tess_place below = gd_tess_below(&at, s->names[i]);
        const json_t *j = json_object_get(vectors, s->names[i]);
        like l = shaped(c, i);
        if (!j) ok = gd_tess_refuse(c, &below, "missing", vectors, "Field required");
        if (j && !(c->e.vectors[i] = gd_tess_read_array(c, &below, j, &l.dtype, l.ndim, l.sizes))) ok = false;
    }
    json_object_foreach ((json_t *)(uintptr_t)vectors, name, value) {
        gd_tess_place below = gd_tess_below(&at, name);
        int i = 0;
        while (i < s->n && strcmp(s->names[i], name)) i++;
        if (i == s->n || !(bits >> i & 1))
            ok = gd_tess_refuse(c, &below, "extra_forbidden", value, "Extra inputs are not permitted");
    }
    return ok;
}

/* ---- answers ------------------------------------------------------------------------------- */

static void put_key(gd_text *t, const char *key, bool first) {
    if (!first) GD_TEXT_LIT(t, ",");
    gd_text_string(t, key);
    GD_TEXT_LIT(t, ":");
}

/* ---- what the endpoints do ----------------------------------------------------------------- */

static bool apply(gd_tess_call *c) {
    static const char *const keys[] = {"inputs", NULL};
    if (!read_root(c, keys) || !read_inputs(c, gd_tess_read_array) || !evaluate(c, &c->e)) return false;
    GD_TEXT_LIT(&c->x->out, "{");
    for (int i = 0; i < c->e.noutputs; i++) {
        put_key(&c->x->out, c->e.output_names[i], i == 0);
        if (!gd_tess_put_array(c, c->e.values[i])) return false;
    }
    GD_TEXT_LIT(&c->x->out, "}");
    return true;
}

static bool abstract_eval(gd_tess_call *c) {
    static const char *const keys[] = {"inputs", NULL};
    if (!read_root(c, keys) || !read_inputs(c, gd_tess_read_shape)) return false;
    c->e.kind = GD_EVAL_ABSTRACT;
    if (!evaluate(c, &c->e)) return false;
    GD_TEXT_LIT(&c->x->out, "{");
    for (int i = 0; i < c->e.noutputs; i++) {
        put_key(&c->x->out, c->e.output_names[i], i == 0);
        GD_TEXT_LIT(&c->x->out, "{\"shape\":");
        gd_text_i64s(&c->x->out, c->e.outputs[i].sizes, c->e.outputs[i].ndim);
        gd_text_f(&c->x->out, ",\"dtype\":\"%s\"}", gd_dtype_name(c->e.outputs[i].dtype));
    }
    GD_TEXT_LIT(&c->x->out, "}");
    return true;
}

/* The inputs, the outputs' shapes, and which of both the derivative is of. */
static bool read_derivative(gd_tess_call *c, const char *const *keys, gd_eval_kind kind, names *in, names *out) {
    if (!read_root(c, keys) || !read_inputs(c, gd_tess_read_array) || !gd_tess_find_outputs(c)) return false;
    *in = input_names(c);
    *out = output_names(c);
    c->e.kind = kind;
    bool ok = read_names(c, keys[1], in, &c->e.wrt);
    return (read_names(c, keys[2], out, &c->e.outputs_wanted) && ok) & (c->details.n == 0);
}

static bool put_jacobian_row(gd_tess_call *c, const names *in, int output) {
    int column = 0, width = __builtin_popcountll(c->e.wrt);
    GD_TEXT_LIT(&c->x->out, "{");
    for (int i = 0; i < in->n; i++) {
        if (!(c->e.wrt >> i & 1)) continue;
        put_key(&c->x->out, in->names[i], column == 0);
        if (!gd_tess_put_array(c, c->e.results[output * width + column++])) return false;
    }
    GD_TEXT_LIT(&c->x->out, "}");
    return true;
}

static bool jacobian(gd_tess_call *c) {
    static const char *const keys[] = {"inputs", "jac_inputs", "jac_outputs", NULL};
    names in, out;
    bool first = true;
    if (!read_derivative(c, keys, GD_EVAL_JACOBIAN, &in, &out) || !evaluate(c, &c->e)) return false;
    GD_TEXT_LIT(&c->x->out, "{");
    for (int i = 0; i < out.n; i++) {
        if (!(c->e.outputs_wanted >> i & 1)) continue;
        put_key(&c->x->out, out.names[i], first);
        first = false;
        if (!put_jacobian_row(c, &in, i)) return false;
    }
    GD_TEXT_LIT(&c->x->out, "}");
    return true;
}

static bool jacobian_vector_product(gd_tess_call *c) {
    static const char *const keys[] = {"inputs", "jvp_inputs", "jvp_outputs", "tangent_vector", NULL};
    names in, out;
    bool first = true;
    if (!read_derivative(c, keys, GD_EVAL_JVP, &in, &out)) return false;
    if (!read_vectors(c, keys[3], &in, c->e.wrt, like_input) || !evaluate(c, &c->e)) return false;
    GD_TEXT_LIT(&c->x->out, "{");
    for (int i = 0; i < out.n; i++) {
        if (!(c->e.outputs_wanted >> i & 1)) continue;
        put_key(&c->x->out, out.names[i], first);
        first = false;
        if (!gd_tess_put_array(c, c->e.results[i])) return false;
    }
    GD_TEXT_LIT(&c->x->out, "}");
    return true;
}

static bool vector_jacobian_product(gd_tess_call *c) {
    static const char *const keys[] = {"inputs", "vjp_inputs", "vjp_outputs", "cotangent_vector", NULL};
    names in, out;
    int k = 0;
    if (!read_derivative(c, keys, GD_EVAL_VJP, &in, &out)) return false;
    if (!read_vectors(c, keys[3], &out, c->e.outputs_wanted, like_output)) return false;
    c->e.outputs_wanted = 0; /* those with a cotangent are */
    if (!evaluate(c, &c->e)) return false;
    GD_TEXT_LIT(&c->x->out, "{");
    for (int i = 0; i < in.n; i++) {
        if (!(c->e.wrt >> i & 1)) continue;
        put_key(&c->x->out, in.names[i], k == 0);
        if (!gd_tess_put_array(c, c->e.results[k++])) return false;
    }
    GD_TEXT_LIT(&c->x->out, "}");
    return true;
}

static bool health(gd_tess_call *c) {
    GD_TEXT_LIT(&c->x->out, "{\"status\":\"ok\"}");
    return true;
}

/* ---- the routes ---------------------------------------------------------------------------- */

static void put_details(gd_tess_call *c) {
    gd_text *out = &c->x->out;
    out->n = 0;
    GD_TEXT_LIT(out, "{\"detail\":[");
    gd_text_put(out, c->details.data ? c->details.data : "", c->details.n);
    GD_TEXT_LIT(out, "]}");
    out->failed |= c->details.failed;
    c->x->status = 422;
    c->x->content_type = "application/json";
}

/* The server's own faults keep their status; the detail is the text. */
static void put_fault(gd_exchange *x) {
    char text[sizeof x->fault.detail];
    memcpy(text, x->fault.detail, sizeof text);
    gd_tess_answer_detail(x, gd_problem_status(x->fault.code), text);
    x->content_type = "application/json";
}

static void answer(gd_exchange *x, bool (*work)(gd_tess_call *c)) {
    static const char encoded[] = "application/json+base64";
    gd_tess_call c = {.x = x};
    c.base64 = gd_accept_weight(x->in->accept, encoded) > gd_accept_weight(x->in->accept, "application/json");
    if (c.base64) x->content_type = encoded;
    if (find_function(&c)) (void)work(&c);
    if (c.details.n) put_details(&c);
    if (x->fault.code && x->status < 400) put_fault(x);
    gd_text_free(&c.details);
    gd_eval_clear(&c.e);
    gd_eval_clear(&c.shapes);
    gd_function_release(c.f);
}

void gd_handle_tesseract_health(gd_exchange *x) { answer(x, health); }
void gd_handle_tesseract_apply(gd_exchange *x) { answer(x, apply); }
void gd_handle_tesseract_abstract_eval(gd_exchange *x) { answer(x, abstract_eval); }
void gd_handle_tesseract_jacobian(gd_exchange *x) { answer(x, jacobian); }
void gd_handle_tesseract_jvp(gd_exchange *x) { answer(x, jacobian_vector_product); }
void gd_handle_tesseract_vjp(gd_exchange *x) { answer(x, vector_jacobian_product); }
void gd_handle_tesseract_openapi(gd_exchange *x) { answer(x, gd_tess_put_openapi); }
