/* evaluation.c: see evaluation.h: what all forms of a request share. */
#include "api/evaluation.h"
#include "api/binary.h"

#include <stdarg.h>
#include <stdlib.h>

enum { WRT_BYTES = 4096 };

/* What is wrong with the bytes themselves or with the server stays what it is; all else is wrong with an input. */
static bool is_own(const char *code) {
    static const char *const own[] = {"malformed_json",  "too_deep",  "out_of_memory", "memory_budget",   "bad_npy",
                                      "bad_safetensors", "bad_input", "unknown_field", "missing_argument"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strcmp(own[i], code)) return true;
    return false;
}

bool gd_evaluation_at(gd_evaluation *v, const char *field, const char *name) {
    gd_fault *f = &v->x->fault;
    if (!f->code) return false;
    bool whole = !strcmp(f->code, "malformed_json") || !strcmp(f->code, "too_deep"); /* line and column tell */
    if (!is_own(f->code)) f->code = "bad_input";
    if (!f->pointer[0] && !whole) gd_fault_pointer(f, "/%s%s%s", field, *name ? "/" : "", name);
    return false;
}

bool gd_evaluation_refuse(gd_evaluation *v, const char *field, const char *name, const char *format, ...) {
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    gd_refuse(v->x, "bad_input", "%s", text);
    return gd_evaluation_at(v, field, name);
}

int gd_evaluation_input(gd_evaluation *v, const char *field, const char *name) {
    int i = gd_function_input_index(v->f, name), n = gd_function_ninputs(v->f);
    char known[256] = "";
    if (i >= 0) return i;
    for (int k = 0; k < n && strlen(known) < sizeof known - 80; k++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%.60s", k ? ", " : "", gd_function_input_at(v->f, k)->name);
    }
    gd_evaluation_refuse(v, field, name, "There is no input \"%.60s\"; %.100s takes %s.", name, gd_function_name(v->f),
                         n ? known : "none");
    return -1;
}

bool gd_evaluation_add_wrt(gd_evaluation *v, const char *name) {
    int i = gd_evaluation_input(v, "wrt", name);
    if (i < 0) {
        gd_fault_pointer(&v->x->fault, "/wrt");
        return false;
    }
    if (gd_function_input_at(v->f, i)->kind != GD_INPUT_TENSOR) {
        gd_evaluation_refuse(v, "wrt", "", "%.60s is no tensor: there is no derivative by it.", name);
        return false;
    }
    v->wrt |= (uint64_t)1 << i;
    return true;
}

bool gd_evaluation_is_derivative(const gd_evaluation *v) {
    return v->e.kind != GD_EVAL_VALUE && v->e.kind != GD_EVAL_ABSTRACT;
}

bool gd_evaluation_by(const gd_evaluation *v, int i) {
    return gd_evaluation_is_derivative(v) && (v->wrt == 0 || (v->wrt >> i & 1));
}

/* ---- the outputs, before they are computed ------------------------------------------------- */

bool gd_evaluation_outputs(gd_evaluation *v, gd_eval *o) {
    gd_exchange *x = v->x;
    gd_function_fault fault = {0};
    *o = (gd_eval){.kind = GD_EVAL_ABSTRACT, .batched = v->e.batched, .stop = x->in->stop};
    for (int i = 0; i < gd_function_ninputs(v->f); i++) {
        o->inputs[i] = gd_retain(v->e.inputs[i]);
        o->statics[i] = v->e.statics[i];
    }
    if (x->brief && !gd_function_is_small(v->f, o)) {
        x->declined = true;
        return false;
    }
    return gd_function_eval(x->ctx, v->f, o, &fault) || gd_refuse_function(x, &fault, "/inputs/");
}

int gd_evaluation_output(gd_evaluation *v, const gd_eval *o, const char *name) {
    for (int i = 0; i < o->noutputs; i++)
        if (!strcmp(o->output_names[i], name)) return i;
    gd_evaluation_refuse(v, "cotangents", name, "There is no output \"%.60s\".", name);
    return -1;
}

/* ---- ?wrt=x,y&batched=true ----------------------------------------------------------------- */

static bool read_query(gd_evaluation *v) {
    gd_exchange *x = v->x;
    char text[WRT_BYTES], *rest = text, *name;
    if (!x->in->query) return true;
    if (!gd_query_flag(x, "batched", &v->e.batched)) return false;
    if (!gd_query(x, "wrt", text, sizeof text)) return !x->fault.code;
    while ((name = strsep(&rest, ",")))
        if (!gd_evaluation_add_wrt(v, name)) return false;
    return true;
}

/* Every floating tensor that was given, where the request does not say. */
static void choose_wrt(gd_evaluation *v) {
    v->e.wrt = v->wrt;
    if (v->wrt || !gd_evaluation_is_derivative(v)) return;
    for (int i = 0; i < gd_function_ninputs(v->f); i++)
        if (v->e.inputs[i] && gd_dtype_is_float(gd_dtype_of(v->e.inputs[i]))) v->e.wrt |= (uint64_t)1 << i;
}

static bool has_vectors(const gd_evaluation *v) {
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++)
        if (v->e.vectors[i]) return true;
    return false;
}

/* A kind that multiplies with something needs something to multiply with. */
static bool check_vectors(gd_evaluation *v) {
    const char *field = v->e.kind == GD_EVAL_JVP   ? "tangents"
                        : v->e.kind == GD_EVAL_HVP ? "vectors"
                        : v->e.kind == GD_EVAL_VJP ? "cotangents"
                                                   : NULL;
    if (!field || has_vectors(v)) return true;
    gd_refuse(v->x, "missing_argument", "%s is missing: %s.", field,
              v->e.kind == GD_EVAL_VJP ? "an array with one for each output" : "an object with one for each input");
    gd_fault_pointer(&v->x->fault, "/%s", field);
    return false;
}

bool gd_evaluation_read(gd_evaluation *v) {
    gd_exchange *x = v->x;
    v->e.stop = x->in->stop;
    if (!read_query(v)) return false;
    switch (gd_form_of(x->in->content_type)) {
    case GD_FORM_JSON:
        if (!gd_evaluation_read_json(v)) return false;
        break;
    case GD_FORM_NPY:
    case GD_FORM_SAFETENSORS:
        if (!gd_evaluation_read_binary(v)) return false;
        break;
    default:
        return gd_refuse(x, "unsupported_media_type",
                         "Content-Type is %.100s; send application/json, application/x-npy or " GD_SAFETENSORS_TYPE ".",
                         x->in->content_type);
    }
    choose_wrt(v);
    return check_vectors(v);
}
