/* umbridge.c: the endpoints of UM-Bridge 1.0. Content types are ignored, as its clients send none; errors are its own
 * objects. Checks go in the protocol's order: the name, what the model supports, the rest. */
#include "api/umbridge.h"
#include "api/router.h"
#include "core/tensor/tensor.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- errors -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int status;
} types[] = {[GD_UM_MODEL_NOT_FOUND] = {"ModelNotFound", 400},
             [GD_UM_UNSUPPORTED_FEATURE] = {"UnsupportedFeature", 400},
             [GD_UM_INVALID_INPUT] = {"InvalidInput", 400},
             [GD_UM_INVALID_OUTPUT] = {"InvalidOutput", 500}};

bool gd_um_refuse(gd_exchange *x, gd_um_type type, const char *format, ...) {
    char message[GD_MESSAGE_BYTES + 128];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    x->out.n = 0;
    gd_text_f(&x->out, "{\"error\":{\"type\":\"%s\",\"message\":", types[type].name);
    gd_text_string(&x->out, message);
    GD_TEXT_LIT(&x->out, "}}");
    x->status = types[type].status;
    x->fault.code = NULL;
    return false;
}

bool gd_um_refuse_fault(gd_exchange *x) {
    gd_fault f = x->fault;
    gd_um_type type = gd_problem_status(f.code) >= 500 ? GD_UM_INVALID_OUTPUT : GD_UM_INVALID_INPUT;
    if (f.line > 0) return gd_um_refuse(x, type, "%s (line %d, column %d)", f.detail, f.line, f.column);
    return gd_um_refuse(x, type, "%s", f.detail);
}

/* ---- fields -------------------------------------------------------------------------------- */

static bool read_root(gd_um_call *c) {
    const gd_api_request *in = c->x->in;
    if (!gd_body_read(&c->x->body, in->body ? in->body : "", in->body_length, &c->x->fault))
        return gd_um_refuse_fault(c->x);
    c->root = c->x->body.root;
    return json_is_object(c->root) ||
           gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "The body should be a JSON object with the model's name.");
}

/* The number of an input or output, 0-based, below n. */
static bool read_index(gd_um_call *c, const char *key, int n, int *out) {
    gd_value v;
    const json_t *j = json_object_get(c->root, key);
    if (!j || !gd_static_of(j, GD_INPUT_INT, &v))
        return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "%s should be a whole number.", key);
    if (v.u.integer < 0 || v.u.integer >= n)
        return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "%s is %" PRId64 ", but should be from 0 to %d.", key,
                            v.u.integer, n - 1);
    *out = (int)v.u.integer;
    return true;
}

static bool read_input_index(gd_um_call *c, const char *key, int *out) {
    if (!read_index(c, key, c->ninputs, out)) return false;
    gd_dtype dtype = c->inputs[*out].dtype;
    return gd_dtype_is_float(dtype) ||
           gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "%s: input %d is of dtype %s and has no derivatives.", key, *out,
                        gd_dtype_name(dtype));
}

static bool read_output_index(gd_um_call *c, const char *key, int *out) {
    if (!read_index(c, key, c->noutputs, out)) return false;
    gd_dtype dtype = gd_um_output(c, *out).dtype;
    return gd_dtype_is_float(dtype) ||
           gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "%s: output %d is of dtype %s and has no derivatives.", key, *out,
                        gd_dtype_name(dtype));
}

/* `sens` or `vec`, shaped as that input or output. NULL with the call failed. */
static gd_tensor *read_vector(gd_um_call *c, const char *key, gd_um_part p) {
    gd_list list;
    gd_tensor *t = NULL;
    const json_t *j = json_object_get(c->root, key);
    if (!j || !gd_list_of(c->x, j, &list))
        gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "%s should be a list of numbers.", key);
    else if (list.count != p.numel)
        gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "%s should have %" PRId64 " numbers, not %" PRId64 ".", key, p.numel,
                     list.count);
    else if (!(t = gd_list_tensor(c->x, &list, p.dtype, p.ndim, p.sizes)))
        gd_um_refuse_fault(c->x);
    return t;
}

/* ---- answers ------------------------------------------------------------------------------- */

static bool doubles_finite(const double *p, int64_t n) {
    bool finite = true;
    for (int64_t i = 0; i < n; i++) finite &= isfinite(p[i]) != 0;
    return finite;
}

static bool all_finite(const gd_tensor *t) {
    const char *p = gd_contiguous_data(t);
    gd_dtype dtype = gd_dtype_of(t);
    size_t width = gd_dtype_bytes(dtype);
    bool finite = true;
    if (dtype == GD_FLOAT64) return doubles_finite((const double *)(const void *)p, gd_numel(t));
    if (!gd_dtype_is_float(dtype)) return true;
    for (int64_t i = 0; i < gd_numel(t); i++) finite &= isfinite(gd_load_f64(dtype, p + (size_t)i * width)) != 0;
    return finite;
}

/* Booleans as 0 and 1, and what JSON has no numbers for as Python's bare words. */
static void put_numbers(gd_text *out, const gd_tensor *t) {
    const char *p = gd_contiguous_data(t);
    gd_dtype dtype = gd_dtype_of(t);
    GD_TEXT_LIT(out, "[");
    for (int64_t i = 0; i < gd_numel(t); i++, p += gd_dtype_bytes(dtype)) {
        double v = gd_load_f64(dtype, p);
        if (i) GD_TEXT_LIT(out, ",");
        if (isfinite(v))
            gd_text_f64(out, v);
        else
            gd_text_puts(out, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
    }
    GD_TEXT_LIT(out, "]");
}

bool gd_um_check_finite(gd_um_call *c, const gd_tensor *t, bool *finite) {
    *finite = all_finite(t);
    return *finite || c->tokens ||
           gd_um_refuse(c->x, GD_UM_INVALID_OUTPUT,
                        "The result is not finite; with \"allow_nonfinite\": true in config the answer says NaN and "
                        "Infinity%s.",
                        c->segments ? "" : ", which are no JSON");
}

static bool put_flat(gd_um_call *c, gd_tensor *t) {
    const int64_t n = gd_numel(t), stride = 1;
    bool finite;
    if (!gd_um_check_finite(c, t, &finite)) return false;
    if (!finite || gd_dtype_of(t) == GD_BOOL) {
        put_numbers(&c->x->out, t);
        return true;
    }
    gd_tensor *flat = gd_ndim(t) == 1 ? gd_retain(t) : gd_alias(c->x->ctx, t, 1, &n, &stride, gd_offset(t));
    bool ok = flat ? gd_put_data(&c->x->out, flat, &c->x->fault) : gd_refuse_engine(c->x);
    gd_release(flat);
    return ok || gd_um_refuse_fault(c->x);
}

gd_tensor *gd_um_contiguous(gd_um_call *c, gd_tensor *t) {
    if (gd_contiguous_data(t)) return gd_retain(t);
    gd_value v = GD_TENSOR_VALUE(t);
    gd_tensor *copy = gd_call1(c->x->ctx, "contiguous", &v, 1);
    if (!copy) gd_refuse_engine(c->x), gd_um_refuse_fault(c->x);
    return copy;
}

/* The flattened tensor, in order. */
static bool put_list(gd_um_call *c, gd_tensor *t) {
    gd_tensor *flat = gd_um_contiguous(c, t);
    bool ok = flat && put_flat(c, flat);
    gd_release(flat);
    return ok;
}

/* {"output":[…]} of the only derivative. */
static bool put_derivative(gd_um_call *c, int at) {
    if (c->segments) return gd_um_write_segments(c, &c->e.results[at], 1);
    GD_TEXT_LIT(&c->x->out, "{\"output\":");
    if (!put_list(c, c->e.results[at])) return false;
    GD_TEXT_LIT(&c->x->out, "}");
    return true;
}

/* ---- what each endpoint does with the model ------------------------------------------------ */

static bool model_info(gd_um_call *c) {
    const char *derivatives = gd_um_differentiable(c) ? "true" : "false";
    gd_text_f(&c->x->out, "{\"support\":{\"Evaluate\":true,\"Gradient\":%s,\"ApplyJacobian\":%s,\"ApplyHessian\":%s}}",
              derivatives, derivatives, derivatives);
    return true;
}

static bool input_sizes(gd_um_call *c) {
    if (!gd_um_read_config(c)) return false;
    GD_TEXT_LIT(&c->x->out, "{\"inputSizes\":[");
    for (int i = 0; i < c->ninputs; i++) {
        if (i) GD_TEXT_LIT(&c->x->out, ",");
        gd_text_i64(&c->x->out, c->inputs[i].numel);
    }
    GD_TEXT_LIT(&c->x->out, "]}");
    return true;
}

static bool output_sizes(gd_um_call *c) {
    if (!gd_um_read_config(c) || !gd_um_find_outputs(c)) return false;
    GD_TEXT_LIT(&c->x->out, "{\"outputSizes\":[");
    for (int i = 0; i < c->noutputs; i++) {
        if (i) GD_TEXT_LIT(&c->x->out, ",");
        gd_text_i64(&c->x->out, gd_um_output(c, i).numel);
    }
    GD_TEXT_LIT(&c->x->out, "]}");
    return true;
}

static bool evaluate(gd_um_call *c) {
    if (!gd_um_read_config(c) || !gd_um_read_input(c, GD_EVAL_VALUE) || !gd_um_evaluate(c)) return false;
    if (c->segments) return gd_um_write_segments(c, c->e.values, c->e.noutputs);
    GD_TEXT_LIT(&c->x->out, "{\"output\":[");
    for (int i = 0; i < c->e.noutputs; i++) {
        if (i) GD_TEXT_LIT(&c->x->out, ",");
        if (!put_list(c, c->e.values[i])) return false;
    }
    GD_TEXT_LIT(&c->x->out, "]}");
    return true;
}

static bool gradient(gd_um_call *c) {
    int of, by;
    if (!gd_um_read_config(c) || !gd_um_find_outputs(c) || !gd_um_read_input(c, GD_EVAL_VJP)) return false;
    if (!read_output_index(c, "outWrt", &of) || !read_input_index(c, "inWrt", &by)) return false;
    c->e.wrt = (uint64_t)1 << c->inputs[by].index;
    if (!(c->e.vectors[of] = read_vector(c, "sens", gd_um_output(c, of)))) return false;
    return gd_um_evaluate(c) && put_derivative(c, 0);
}

static bool apply_jacobian(gd_um_call *c) {
    int of, by;
    if (!gd_um_read_config(c) || !gd_um_find_outputs(c) || !gd_um_read_input(c, GD_EVAL_JVP)) return false;
    if (!read_output_index(c, "outWrt", &of) || !read_input_index(c, "inWrt", &by)) return false;
    const gd_um_part *p = &c->inputs[by];
    c->e.outputs_wanted = (uint64_t)1 << of;
    c->e.wrt = (uint64_t)1 << p->index;
    if (!(c->e.vectors[p->index] = read_vector(c, "vec", *p))) return false;
    return gd_um_evaluate(c) && put_derivative(c, of);
}

/* d/d(inWrt1) of <d<sens, f[outWrt]>/d(inWrt2), vec>: as long as input inWrt1. */
static bool apply_hessian(gd_um_call *c) {
    int of, first, second;
    if (!gd_um_read_config(c) || !gd_um_find_outputs(c) || !gd_um_read_input(c, GD_EVAL_HVP)) return false;
    if (!read_output_index(c, "outWrt", &of) || !read_input_index(c, "inWrt1", &first) ||
        !read_input_index(c, "inWrt2", &second))
        return false;
    const gd_um_part *p = &c->inputs[second];
    c->e.wrt = (uint64_t)1 << c->inputs[first].index;
    if (!(c->e.cotangents[of] = read_vector(c, "sens", gd_um_output(c, of)))) return false;
    if (!(c->e.vectors[p->index] = read_vector(c, "vec", *p))) return false;
    return gd_um_evaluate(c) && put_derivative(c, 0);
}

/* ---- the routes ---------------------------------------------------------------------------- */

void gd_um_answer(gd_exchange *x, const char *feature, bool (*work)(gd_um_call *c)) {
    gd_um_call c;
    gd_um_begin(&c, x);
    if (read_root(&c) && gd_um_find(&c)) {
        if (feature && !gd_um_differentiable(&c))
            gd_um_refuse(x, GD_UM_UNSUPPORTED_FEATURE,
                         "%s is not supported by this model: none of its inputs is of a floating dtype.", feature);
        else
            (void)work(&c);
    }
    gd_um_end(&c);
}

void gd_handle_umbridge_model_info(gd_exchange *x) { gd_um_answer(x, NULL, model_info); }
void gd_handle_umbridge_input_sizes(gd_exchange *x) { gd_um_answer(x, NULL, input_sizes); }
void gd_handle_umbridge_output_sizes(gd_exchange *x) { gd_um_answer(x, NULL, output_sizes); }
void gd_handle_umbridge_evaluate(gd_exchange *x) { gd_um_answer(x, NULL, evaluate); }
void gd_handle_umbridge_gradient(gd_exchange *x) { gd_um_answer(x, "Gradient", gradient); }
void gd_handle_umbridge_apply_jacobian(gd_exchange *x) { gd_um_answer(x, "ApplyJacobian", apply_jacobian); }
void gd_handle_umbridge_apply_hessian(gd_exchange *x) { gd_um_answer(x, "ApplyHessian", apply_hessian); }

/* The same with the numbers in shared memory. */
static bool evaluate_shmem(gd_um_call *c) { return gd_um_find_segments(c) && evaluate(c); }
static bool gradient_shmem(gd_um_call *c) { return gd_um_find_segments(c) && gradient(c); }
static bool apply_jacobian_shmem(gd_um_call *c) { return gd_um_find_segments(c) && apply_jacobian(c); }
static bool apply_hessian_shmem(gd_um_call *c) { return gd_um_find_segments(c) && apply_hessian(c); }

void gd_handle_umbridge_evaluate_shmem(gd_exchange *x) { gd_um_answer(x, NULL, evaluate_shmem); }
void gd_handle_umbridge_gradient_shmem(gd_exchange *x) { gd_um_answer(x, "Gradient", gradient_shmem); }
void gd_handle_umbridge_apply_jacobian_shmem(gd_exchange *x) { gd_um_answer(x, "ApplyJacobian", apply_jacobian_shmem); }
void gd_handle_umbridge_apply_hessian_shmem(gd_exchange *x) { gd_um_answer(x, "ApplyHessian", apply_hessian_shmem); }

/* Clients compare the version with the number 1.0. */
void gd_handle_umbridge_info(gd_exchange *x) {
    enum { PAGE = 100 };
    gd_function *page[PAGE];
    char after[GD_FUNCTION_NAME_BYTES] = "";
    bool more = true, first = true;
    GD_TEXT_LIT(&x->out, "{\"protocolVersion\":1.0,\"models\":[");
    while (more) {
        size_t n = gd_functions_list(gd_api_functions(x->api), *after ? after : NULL, PAGE, page, &more);
        for (size_t i = 0; i < n; i++) {
            if (gd_um_is_model(page[i])) {
                if (!first) GD_TEXT_LIT(&x->out, ",");
                first = false;
                gd_text_string(&x->out, gd_function_name(page[i]));
            }
            if (i + 1 == n) snprintf(after, sizeof after, "%s", gd_function_name(page[i]));
            gd_function_release(page[i]);
        }
        more = more && n > 0;
    }
    GD_TEXT_LIT(&x->out, "]}");
}
