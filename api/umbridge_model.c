/* umbridge_model.c: a stored function as UM-Bridge sees it: lists in, lists out, `config` for the static inputs. */
#include "api/umbridge.h"
#include "core/tensor/tensor.h"

#include <math.h>

/* ---- which functions are models ------------------------------------------------------------ */

/* UM-Bridge's inputs are the tensors of a fixed shape; others have a default, or the function is not fixed. */
static bool is_input(const gd_function_input *in) {
    return in->kind == GD_INPUT_TENSOR && in->has_dtype && in->has_shape;
}

bool gd_um_is_model(const gd_function *f) {
    if (!gd_function_is_fixed(f)) return false;
    for (int i = 0; i < gd_function_ninputs(f); i++)
        if (is_input(gd_function_input_at(f, i))) return true;
    return false;
}

static gd_um_part part(int index, gd_dtype dtype, int ndim, const int64_t *sizes) {
    return (gd_um_part){index, dtype, ndim, sizes, gd_shape_numel(ndim, sizes)};
}

static void find_inputs(gd_um_call *c) {
    memset(c->statics, 0, (size_t)gd_function_ninputs(c->model) * sizeof *c->statics);
    for (int i = 0; i < gd_function_ninputs(c->model); i++) {
        const gd_function_input *in = gd_function_input_at(c->model, i);
        if (is_input(in)) c->inputs[c->ninputs++] = part(i, in->dtype, in->ndim, in->sizes);
    }
}

void gd_um_begin(gd_um_call *c, gd_exchange *x) {
    c->x = x;
    c->root = NULL;
    c->model = NULL;
    c->segments = c->tid = NULL;
    c->tokens = c->has_statics = c->has_shapes = c->has_e = false;
    c->ninputs = c->noutputs = 0;
    x->ctx = gd_functions_ctx(gd_api_functions(x->api));
}

void gd_um_end(gd_um_call *c) {
    if (c->has_e) gd_eval_clear(&c->e);
    if (c->has_shapes) gd_eval_clear(&c->shapes);
    gd_function_release(c->model);
}

bool gd_um_find(gd_um_call *c) {
    const char *name = json_string_value(json_object_get(c->root, "name"));
    if (!name) return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "name should be the model's name, a string.");
    if (!c->x->ctx) return gd_um_refuse(c->x, GD_UM_INVALID_OUTPUT, "The server has no memory left for this request.");
    c->model = gd_functions_find(gd_api_functions(c->x->api), name);
    if (!c->model || !gd_um_is_model(c->model))
        return gd_um_refuse(c->x, GD_UM_MODEL_NOT_FOUND, "There is no model %.128s%s.", name,
                            c->model ? ": the shapes and dtypes of that function's inputs are not fixed" : "");
    find_inputs(c);
    return true;
}

/* ---- config -------------------------------------------------------------------------------- */

static const char *kind_name(gd_input_kind kind) {
    return kind == GD_INPUT_INT     ? "an integer"
           : kind == GD_INPUT_FLOAT ? "a number"
           : kind == GD_INPUT_BOOL  ? "true or false"
                                    : "a string";
}

static bool read_static(gd_um_call *c, const json_t *config, int i) {
    const gd_function_input *in = gd_function_input_at(c->model, i);
    if (in->kind == GD_INPUT_TENSOR) return true;
    c->has_statics = true;
    const json_t *j = json_object_get(config, in->name);
    if (!j && in->has_default) return true;
    if (!j) return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "config should have %s: %s.", in->name, kind_name(in->kind));
    if (!gd_static_of(j, in->kind, &c->statics[i].value))
        return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "config: %s should be %s.", in->name, kind_name(in->kind));
    c->statics[i].given = true;
    return true;
}

/* A model that takes a config refuses what it does not know, so that a slip of the pen is not taken for the default;
 * one that takes none ignores what a client sends to all of its models. */
static bool check_keys(gd_um_call *c, const json_t *config) {
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)config, key, value) {
        int i = gd_function_input_index(c->model, key);
        if (!strcmp(key, "allow_nonfinite") || (i >= 0 && c->statics[i].given)) continue;
        return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "config: this model has no option %.60s.", key);
    }
    return true;
}

bool gd_um_read_config(gd_um_call *c) {
    const json_t *config = json_object_get(c->root, "config");
    if (json_is_null(config) || json_array_size(config) == 0) {
        /* R and PHP write an empty list where they mean {} */
        if (json_is_null(config) || json_is_array(config)) config = NULL;
    }
    if (config && !json_is_object(config))
        return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "config should be an object.");
    for (int i = 0; i < gd_function_ninputs(c->model); i++)
        if (!read_static(c, config, i)) return false;
    c->tokens = json_is_true(json_object_get(config, "allow_nonfinite"));
    return !c->has_statics || check_keys(c, config);
}

/* ---- outputs ------------------------------------------------------------------------------- */

static void ready(const gd_um_call *c, gd_eval *e, gd_eval_kind kind, bool *in_use) {
    memset(e, 0, sizeof *e);
    e->kind = kind;
    memcpy(e->statics, c->statics, (size_t)gd_function_ninputs(c->model) * sizeof *e->statics);
    *in_use = true;
}

/* What ended an evaluation. Shapes have been checked, so most of it lies with the function; but a wrong static value
 * may be to blame, or the point. */
static bool refuse_eval(gd_um_call *c, const gd_function_fault *f) {
    bool input = f->kind && !strcmp(f->kind, "bad_input");
    if (f->line > 0)
        return gd_um_refuse(c->x, GD_UM_INVALID_OUTPUT, "%.900s (line %u, column %u of the function)", f->message,
                            f->line, f->column);
    return gd_um_refuse(c->x, input ? GD_UM_INVALID_INPUT : GD_UM_INVALID_OUTPUT, "%s", f->message);
}

static bool evaluate(gd_um_call *c, gd_eval *e) {
    gd_function_fault fault;
    switch (gd_evaluate(c->x, c->model, e, &fault)) {
    case GD_EVALUATED: return true;
    case GD_EVALUATED_NOT: return false;
    case GD_EVALUATED_FAILED: break;
    }
    return refuse_eval(c, &fault);
}

/* With static inputs the shapes may depend on them. */
bool gd_um_find_outputs(gd_um_call *c) {
    c->noutputs = gd_function_noutputs(c->model);
    if (!c->has_statics && c->noutputs >= 0) return true;
    ready(c, &c->shapes, GD_EVAL_ABSTRACT, &c->has_shapes);
    for (int i = 0; i < c->ninputs; i++) {
        const gd_um_part *p = &c->inputs[i];
        if (!(c->shapes.inputs[p->index] = gd_abstract_tensor(c->x, p->dtype, p->ndim, p->sizes)))
            return gd_um_refuse_fault(c->x);
    }
    if (!evaluate(c, &c->shapes)) return false;
    c->noutputs = c->shapes.noutputs;
    return true;
}

gd_um_part gd_um_output(const gd_um_call *c, int i) {
    gd_function_output o = c->has_shapes ? c->shapes.outputs[i] : gd_function_output_at(c->model, i);
    return part(i, o.dtype, o.ndim, o.sizes);
}

bool gd_um_differentiable(gd_um_call *c) {
    bool real = false;
    for (int i = 0; i < c->ninputs; i++) real |= gd_dtype_is_float(c->inputs[i].dtype);
    return real;
}

/* ---- input --------------------------------------------------------------------------------- */

static bool read_list(gd_um_call *c, int i, const gd_list *list) {
    const gd_um_part *p = &c->inputs[i];
    if (list->count != p->numel)
        return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "input %d should have %lld numbers, not %lld.", i,
                            (long long)p->numel, (long long)list->count);
    c->e.inputs[p->index] = gd_list_tensor(c->x, list, p->dtype, p->ndim, p->sizes);
    return c->e.inputs[p->index] || gd_um_refuse_fault(c->x);
}

/* "2 lists", "1 list" */
static bool refuse_count(gd_um_call *c, size_t got) {
    return gd_um_refuse(c->x, GD_UM_INVALID_INPUT,
                        "input should have %d list%s, one for each input of the model, not %zu.", c->ninputs,
                        c->ninputs == 1 ? "" : "s", got);
}

bool gd_um_read_input(gd_um_call *c, gd_eval_kind kind) {
    gd_lists walk;
    gd_list list;
    gd_lists_step step;
    size_t n = 0;
    ready(c, &c->e, kind, &c->has_e);
    if (c->segments) return gd_um_read_segments(c);
    const json_t *j = json_object_get(c->root, "input");
    if (!j || !gd_lists_begin(&walk, c->x, j))
        return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "input should be a list of lists of numbers.");
    for (; (step = gd_lists_next(&walk, &list)) != GD_LISTS_END; n++) {
        if (n >= (size_t)c->ninputs) continue; /* counted for the message */
        if (step == GD_LISTS_OTHER)
            return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "input %zu should be a list of numbers.", n);
        if (!read_list(c, (int)n, &list)) return false;
    }
    return n == (size_t)c->ninputs || refuse_count(c, n);
}

bool gd_um_evaluate(gd_um_call *c) { return evaluate(c, &c->e); }
