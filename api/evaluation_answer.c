/* evaluation_answer.c: what an evaluation gave, as JSON, .npy or safetensors.
 *
 * JSON: what there is one of for each output is an array in the outputs' order, what there is one of for each input an
 * object by name. Binary: the kind's own result under plain names (outputs "y" or "0", inputs "x", both "y.x" and
 * "x.y"), and beside it the function's value as "value" (where the function is scalar) or "output.y". */
#include "api/binary.h"
#include "api/evaluation.h"
#include "core/tensor/tensor.h"

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_tensor(gd_evaluation *v, const gd_tensor *t) {
    gd_exchange *x = v->x;
    if (t)
        gd_put_data(&x->out, t, &x->fault);
    else
        GD_TEXT_LIT(&x->out, "null");
}

static const char *input_name(const gd_evaluation *v, int i) { return gd_function_input_at(v->f, i)->name; }

static void put_outputs(gd_evaluation *v) {
    gd_text *t = &v->x->out;
    GD_TEXT_LIT(t, "\"outputs\":[");
    for (int i = 0; i < v->e.noutputs; i++) {
        const gd_tensor *y = v->e.values[i];
        gd_text_puts(t, i ? ",{" : "{");
        if (v->e.named) {
            GD_TEXT_LIT(t, "\"name\":");
            gd_text_string(t, v->e.output_names[i]);
            GD_TEXT_LIT(t, ",");
        }
        GD_TEXT_LIT(t, "\"dtype\":");
        gd_text_name(t, gd_dtype_name(gd_dtype_of(y)));
        GD_TEXT_LIT(t, ",\"shape\":");
        gd_text_i64s(t, gd_sizes(y), gd_ndim(y));
        GD_TEXT_LIT(t, ",\"data\":");
        put_tensor(v, y);
        GD_TEXT_LIT(t, "}");
    }
    GD_TEXT_LIT(t, "]");
}

static void put_value(gd_evaluation *v) {
    GD_TEXT_LIT(&v->x->out, "\"value\":");
    put_tensor(v, v->e.noutputs > 0 ? v->e.values[0] : NULL);
}

/* An object with one of the results, from `first` on, for each input in wrt. */
static void put_by_input(gd_evaluation *v, int first) {
    gd_text *t = &v->x->out;
    int n = 0;
    GD_TEXT_LIT(t, "{");
    for (int i = 0; i < gd_function_ninputs(v->f); i++) {
        if (!(v->e.wrt >> i & 1)) continue;
        if (n) GD_TEXT_LIT(t, ",");
        gd_text_name(t, input_name(v, i));
        GD_TEXT_LIT(t, ":");
        if (first + n < v->e.nresults) put_tensor(v, v->e.results[first + n]);
        n++;
    }
    GD_TEXT_LIT(t, "}");
}

static int inputs_of_wrt(const gd_evaluation *v) { return __builtin_popcountll(v->e.wrt); }

static void put_tangents(gd_evaluation *v) {
    gd_text *t = &v->x->out;
    GD_TEXT_LIT(t, ",\"tangents\":[");
    for (int i = 0; i < v->e.nresults; i++) {
        if (i) GD_TEXT_LIT(t, ",");
        put_tensor(v, v->e.results[i]);
    }
    GD_TEXT_LIT(t, "]");
}

static void put_jacobian(gd_evaluation *v) {
    gd_text *t = &v->x->out;
    GD_TEXT_LIT(t, ",\"jacobian\":[");
    for (int i = 0; i < v->e.noutputs; i++) {
        if (i) GD_TEXT_LIT(t, ",");
        put_by_input(v, i * inputs_of_wrt(v));
    }
    GD_TEXT_LIT(t, "]");
}

static void put_hessian(gd_evaluation *v) {
    gd_text *t = &v->x->out;
    int row = 0;
    GD_TEXT_LIT(t, ",\"hessian\":{");
    for (int i = 0; i < gd_function_ninputs(v->f); i++) {
        if (!(v->e.wrt >> i & 1)) continue;
        if (row) GD_TEXT_LIT(t, ",");
        gd_text_name(t, input_name(v, i));
        GD_TEXT_LIT(t, ":");
        put_by_input(v, row++ * inputs_of_wrt(v));
    }
    GD_TEXT_LIT(t, "}");
}

static void put_check(gd_text *t, const char *name, bool ok, double error) {
    gd_text_f(t, "\"%s\":{\"ok\":%s,\"error\":", name, ok ? "true" : "false");
    gd_text_f64(t, error);
    GD_TEXT_LIT(t, "}");
}

static void put_report(gd_evaluation *v) {
    const gd_check_report *r = v->e.report;
    gd_text *t = &v->x->out;
    if (!r) return;
    gd_text_f(t, "\"ok\":%s,", r->gradient_ok && (r->second_ok || !r->second_tried) ? "true" : "false");
    put_check(t, "gradcheck", r->gradient_ok, r->gradient_error);
    GD_TEXT_LIT(t, ",");
    if (r->second_tried)
        put_check(t, "gradgradcheck", r->second_ok, r->second_error);
    else
        GD_TEXT_LIT(t, "\"gradgradcheck\":null");
    GD_TEXT_LIT(t, ",\"detail\":");
    gd_text_string(t, r->text);
}

/* So that a usual answer is written without growing step by step. */
static void reserve(gd_evaluation *v) {
    enum { HEAD = 512, NUMBER = 24, MOST = 1 << 20 };
    int64_t n = 0;
    for (int i = 0; i < v->e.noutputs; i++) n += v->e.values && v->e.values[i] ? gd_numel(v->e.values[i]) : 0;
    for (int i = 0; i < v->e.nresults; i++) n += v->e.results[i] ? gd_numel(v->e.results[i]) : 0;
    gd_text_room(&v->x->out, HEAD + NUMBER * (size_t)(n < MOST ? n : MOST));
}

static void answer_json(gd_evaluation *v) {
    gd_text *t = &v->x->out;
    reserve(v);
    GD_TEXT_LIT(t, "{");
    switch (v->e.kind) {
    case GD_EVAL_GRADIENT:
        put_value(v);
        GD_TEXT_LIT(t, ",\"gradients\":");
        put_by_input(v, 0);
        break;
    case GD_EVAL_HVP:
        put_value(v);
        GD_TEXT_LIT(t, ",\"products\":");
        put_by_input(v, 0);
        break;
    case GD_EVAL_HESSIAN:
        put_value(v);
        put_hessian(v);
        break;
    case GD_EVAL_VJP:
        put_outputs(v);
        GD_TEXT_LIT(t, ",\"gradients\":");
        put_by_input(v, 0);
        break;
    case GD_EVAL_JVP:
        put_outputs(v);
        put_tangents(v);
        break;
    case GD_EVAL_JACOBIAN:
        put_outputs(v);
        put_jacobian(v);
        break;
    case GD_EVAL_CHECK: put_report(v); break;
    default: put_outputs(v);
    }
    GD_TEXT_LIT(t, "}");
}

/* ---- binary -------------------------------------------------------------------------------- */

/* The results under their names; names are pieced together in the evaluation's own memory. */
typedef struct bundle {
    gd_evaluation *v;
    gd_named_tensor *tensors;
    size_t n, own; /* own: the kind's own results, which come first */
} bundle;

static bool add(bundle *b, const gd_tensor *t, const char *first, const char *second) {
    size_t m = strlen(first), n = strlen(second), total = m + n + 2;
    if (!t) return true;
    char *name = gd_scratch_alloc(b->v->x->ctx, &b->v->texts, total);
    if (!name) return gd_refuse_engine(b->v->x);
    snprintf(name, total, "%s%s%s", first, m && n ? "." : "", second);
    b->tensors[b->n++] = (gd_named_tensor){name, t};
    return true;
}

/* The names of result k, by the kind's order of results. */
static bool add_result(bundle *b, int k, const int *inputs, int ninputs) {
    gd_evaluation *v = b->v;
    const gd_tensor *t = v->e.results[k];
    const char *across = ninputs ? input_name(v, inputs[k % ninputs]) : "";
    int row = ninputs ? k / ninputs : k;
    switch (v->e.kind) {
    case GD_EVAL_JVP: return add(b, t, v->e.output_names[k], "");
    case GD_EVAL_JACOBIAN: return add(b, t, v->e.output_names[row], across);
    case GD_EVAL_HESSIAN: return add(b, t, input_name(v, inputs[row]), across);
    default: return add(b, t, across, "");
    }
}

/* "value", but "output.value" where an input has that name. */
static bool add_values(bundle *b) {
    gd_evaluation *v = b->v;
    bool scalar = v->e.kind == GD_EVAL_GRADIENT || v->e.kind == GD_EVAL_HVP || v->e.kind == GD_EVAL_HESSIAN;
    bool taken = gd_function_input_index(v->f, "value") >= 0, plain = v->e.kind == GD_EVAL_VALUE;
    for (int i = 0; i < v->e.noutputs; i++) {
        bool ok = scalar  ? add(b, v->e.values[i], taken ? "output" : "value", taken ? "value" : "")
                  : plain ? add(b, v->e.values[i], v->e.output_names[i], "")
                          : add(b, v->e.values[i], "output", v->e.output_names[i]);
        if (!ok) return false;
    }
    return true;
}

static bool gather(bundle *b) {
    gd_evaluation *v = b->v;
    int inputs[GD_FUNCTION_INPUTS], ninputs = 0;
    size_t most = (size_t)v->e.nresults + (size_t)v->e.noutputs + 1;
    b->tensors = gd_scratch_alloc(v->x->ctx, &v->texts, most * sizeof *b->tensors);
    if (!b->tensors) return gd_refuse_engine(v->x);
    for (int i = 0; i < gd_function_ninputs(v->f); i++)
        if (v->e.wrt >> i & 1) inputs[ninputs++] = i;
    for (int k = 0; k < v->e.nresults; k++)
        if (!add_result(b, k, inputs, v->e.kind == GD_EVAL_JVP ? 0 : ninputs)) return false;
    b->own = b->n;
    if (!add_values(b)) return false;
    if (v->e.kind == GD_EVAL_VALUE) b->own = b->n;
    return true;
}

static bool wants_json(const char *accept) {
    return gd_accept_weight(accept, "application/json") > 0 || gd_accept_weight(accept, "*/*") > 0 ||
           gd_accept_weight(accept, "application/*") > 0;
}

/* An .npy file is one array: the kind's own result, if it is one. */
static void answer_binary(gd_evaluation *v, gd_form form) {
    gd_exchange *x = v->x;
    bundle b = {.v = v};
    if (!gather(&b)) return;
    if (form == GD_FORM_SAFETENSORS)
        gd_answer_safetensors(x, b.tensors, b.n, NULL, 0);
    else if (b.own == 1)
        gd_answer_result(x, (gd_tensor *)(uintptr_t)b.tensors[0].tensor);
    else if (wants_json(x->in->accept))
        answer_json(v);
    else
        gd_refuse(x, "not_acceptable",
                  "The answer is %zu arrays, an .npy file is one: ask for " GD_SAFETENSORS_TYPE " or application/json.",
                  b.own);
}

void gd_evaluation_answer(gd_evaluation *v) {
    unsigned forms = 1U << GD_FORM_JSON | 1U << GD_FORM_NPY | 1U << GD_FORM_SAFETENSORS;
    gd_form form = v->e.kind == GD_EVAL_CHECK ? GD_FORM_JSON : gd_form_accepted_of(v->x->in->accept, forms);
    if (form == GD_FORM_JSON)
        answer_json(v);
    else
        answer_binary(v, form);
}
