/* evaluation_binary.c: evaluations asked for with .npy and safetensors files. */
#include "api/binary.h"
#include "api/evaluation.h"
#include "api/json_pull.h"
#include "core/tensor/tensor.h"

#include <errno.h>
#include <stdlib.h>

enum { WRT_BYTES = 16 * 1024 };

/* ---- .npy: the one tensor ------------------------------------------------------------------ */

/* The input that a bare array is meant for: the only tensor that must be given, or the only one at all. */
static int only_tensor(gd_evaluation *v) {
    int tensors = 0, needed = 0, first = -1, first_needed = -1;
    for (int i = 0; i < gd_function_ninputs(v->f); i++) {
        const gd_function_input *in = gd_function_input_at(v->f, i);
        if (in->kind != GD_INPUT_TENSOR) continue;
        if (tensors++ == 0) first = i;
        if (!in->has_default && needed++ == 0) first_needed = i;
    }
    if (needed == 1) return first_needed;
    if (tensors == 1) return first;
    gd_refuse(v->x, "bad_input", "%.100s takes %d tensors, an .npy file is one: send " GD_SAFETENSORS_TYPE " or JSON.",
              gd_function_name(v->f), tensors);
    return -1;
}

static bool read_npy(gd_evaluation *v) {
    int i = only_tensor(v);
    if (i < 0) return false;
    v->e.inputs[i] = gd_binary_tensor(v->x, NULL);
    return v->e.inputs[i] || gd_evaluation_at(v, "inputs", gd_function_input_at(v->f, i)->name);
}

/* ---- safetensors: tensors by their names --------------------------------------------------- */

/* A static input's value from the metadata, where all values are texts. */
static bool read_static(gd_evaluation *v, int i, const char *text) {
    const gd_function_input *in = gd_function_input_at(v->f, i);
    gd_static *s = &v->e.statics[i];
    char *end = (char *)(uintptr_t)text;
    s->given = true;
    errno = 0;
    switch (in->kind) {
    case GD_INPUT_INT: s->value = GD_INT_VALUE(strtoll(text, &end, 10)); break;
    case GD_INPUT_FLOAT: s->value = GD_FLOAT_VALUE(strtod(text, &end)); break;
    case GD_INPUT_BOOL:
        s->value = GD_BOOL_VALUE(!strcmp(text, "true"));
        if (!strcmp(text, "true") || !strcmp(text, "false")) return true;
        break;
    default: s->value = GD_STR_VALUE(text); return true;
    }
    if (*text && !*end && !errno) return true;
    return gd_evaluation_refuse(v, "inputs", in->name, "The metadata give %.60s the value \"%.60s\".", in->name, text);
}

static bool read_wrt(gd_evaluation *v, const char *text) {
    char copy[WRT_BYTES], *rest = copy, *name;
    if (strlen(text) >= sizeof copy) return gd_evaluation_refuse(v, "wrt", "", "wrt in the metadata is too long.");
    memcpy(copy, text, strlen(text) + 1);
    while ((name = strsep(&rest, ",")))
        if (!gd_evaluation_add_wrt(v, name)) return false;
    return true;
}

/* Keys that mean nothing here ("format", say) are passed over. */
static bool read_metadata(gd_evaluation *v, const gd_safetensors *file) {
    for (size_t k = 0; k < file->nmetadata; k += 2) {
        const char *key = file->metadata[k], *text = file->metadata[k + 1];
        int i = gd_function_input_index(v->f, key);
        bool is_static = i >= 0 && gd_function_input_at(v->f, i)->kind != GD_INPUT_TENSOR;
        if (is_static && !read_static(v, i, text)) return false;
        if (!is_static && !strcmp(key, "wrt") && !read_wrt(v, text)) return false;
        if (!is_static && !strcmp(key, "batched")) v->e.batched = !strcmp(text, "true");
    }
    return true;
}

/* Strings lie in the file, which goes when it is read: those of statics are kept. */
static bool keep_strings(gd_evaluation *v) {
    for (int i = 0; i < gd_function_ninputs(v->f); i++) {
        gd_static *s = &v->e.statics[i];
        if (!s->given || s->value.kind != GD_V_STR) continue;
        size_t n = strlen(s->value.u.str) + 1;
        char *kept = gd_scratch_alloc(v->x->ctx, &v->texts, n);
        if (!kept) return gd_refuse_engine(v->x);
        s->value.u.str = memcpy(kept, s->value.u.str, n);
    }
    return true;
}

/* What stands before the dot in `tangent.x`, as this kind has it; "" for inputs. */
static const char *vector_prefix(gd_eval_kind kind) {
    return kind == GD_EVAL_JVP ? "tangent." : kind == GD_EVAL_HVP ? "vector." : kind == GD_EVAL_VJP ? "cotangent." : "";
}

static bool take(gd_evaluation *v, const gd_safetensors *file, const gd_safetensor *one, gd_tensor **place,
                 const char *field, const char *name) {
    if (*place) return gd_evaluation_refuse(v, field, name, "%.60s is given twice.", name);
    *place = gd_safetensors_tensor(v->x->ctx, file, one, &v->x->fault);
    return *place || gd_evaluation_at(v, field, name);
}

static bool take_input(gd_evaluation *v, const gd_safetensors *file, const gd_safetensor *one) {
    int i = gd_evaluation_input(v, "inputs", one->name);
    if (i < 0) return false;
    if (gd_function_input_at(v->f, i)->kind != GD_INPUT_TENSOR)
        return gd_evaluation_refuse(v, "inputs", one->name, "%.60s is no tensor: its value belongs in __metadata__.",
                                    one->name);
    return take(v, file, one, &v->e.inputs[i], "inputs", one->name);
}

static bool take_vector(gd_evaluation *v, const gd_safetensors *file, const gd_safetensor *one, const char *name,
                        const gd_eval *outputs) {
    const char *field = v->e.kind == GD_EVAL_JVP ? "tangents" : v->e.kind == GD_EVAL_HVP ? "vectors" : "cotangents";
    int i = v->e.kind == GD_EVAL_VJP ? gd_evaluation_output(v, outputs, name) : gd_evaluation_input(v, field, name);
    if (i < 0) return false;
    if (i >= GD_FUNCTION_INPUTS) return gd_evaluation_refuse(v, field, name, "Only the first 64 outputs may have one.");
    return take(v, file, one, &v->e.vectors[i], field, name);
}

static bool take_tensors(gd_evaluation *v, const gd_safetensors *file) {
    const char *prefix = vector_prefix(v->e.kind);
    size_t length = strlen(prefix);
    gd_eval outputs = {0};
    bool ok = true, known = v->e.kind != GD_EVAL_VJP;
    for (int pass = 0; ok && pass < 2; pass++) /* inputs, then vectors: outputs are known by then */
        for (size_t k = 0; ok && k < file->count; k++) {
            const gd_safetensor *one = &file->tensors[k];
            bool vector = length > 0 && !strncmp(one->name, prefix, length);
            if (vector != (pass == 1)) continue;
            if (vector && !known) ok = known = gd_evaluation_outputs(v, &outputs);
            if (ok) ok = vector ? take_vector(v, file, one, one->name + length, &outputs) : take_input(v, file, one);
        }
    gd_eval_clear(&outputs);
    return ok;
}

static bool read_safetensors(gd_evaluation *v) {
    gd_exchange *x = v->x;
    gd_safetensors file = {0};
    bool ok = gd_safetensors_read(&file, x->in->body ? x->in->body : "", x->in->body_length, &x->fault) &&
              read_metadata(v, &file) && keep_strings(v) && take_tensors(v, &file);
    gd_safetensors_free(&file);
    return ok;
}

bool gd_evaluation_read_binary(gd_evaluation *v) {
    return gd_form_of(v->x->in->content_type) == GD_FORM_NPY ? read_npy(v) : read_safetensors(v);
}
