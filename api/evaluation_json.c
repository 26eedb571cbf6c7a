/* evaluation_json.c: evaluations asked for in JSON. The document is walked once, its arrays of numbers noted; when all
 * of it is known, they stream into tensor memory. No tree is made. */
#include "api/evaluation.h"
#include "api/json_pull.h"
#include "api/number.h"
#include "core/tensor/tensor.h"

#include <math.h>

enum { NAME_BYTES = 256 };

/* What the document says, still as text. */
typedef struct asked {
    gd_evaluation *v;
    gd_pull pull;
    uint64_t has_input, has_vector; /* of the following two */
    gd_numbers inputs[GD_FUNCTION_INPUTS], vectors[GD_FUNCTION_INPUTS];
} asked;

/* ---- inputs that are no tensors ------------------------------------------------------------ */

/* Bytes that are enough for the string that comes next. */
static size_t room_for_string(const gd_pull *r) {
    const char *p = r->p + 1;
    while (p < r->end && *p != '"') p += *p == '\\' ? 2 : 1;
    return (size_t)(p - r->p) + 1;
}

/* A string that lives as long as the evaluation; NULL with the request failed. */
static const char *keep_string(asked *a) {
    if (gd_pull_peek(&a->pull) != '"')
        return gd_pull_fail(&a->pull, "bad_argument", "A string was expected here."), NULL;
    size_t room = room_for_string(&a->pull);
    char *text = gd_scratch_alloc(a->v->x->ctx, &a->v->texts, room);
    if (!text) return gd_refuse_engine(a->v->x), NULL;
    return gd_pull_string(&a->pull, text, room, NULL) ? text : NULL;
}

static bool read_real(asked *a, double *v) {
    gd_numbers n;
    if (!gd_pull_numbers(&a->pull, &n)) return false;
    if (n.ndim > 0 || n.has_bool) return gd_pull_fail(&a->pull, "bad_argument", "One number was expected here.");
    if (gd_read_f64(n.start, n.end, v) == n.end) return true;
    const char *word = n.start + (*n.start == '"');
    *v = *word == 'N' ? NAN : *word == '-' ? -INFINITY : INFINITY;
    return gd_number_word(n.start, n.end) == (size_t)(n.end - n.start) ||
           gd_pull_fail(&a->pull, "malformed_json", "This is no JSON number.");
}

static bool read_static(asked *a, gd_input_kind kind, gd_static *s) {
    int64_t integer;
    double real;
    bool boolean, ok;
    const char *text;
    s->given = true;
    switch (kind) {
    case GD_INPUT_INT:
        ok = gd_pull_integer(&a->pull, &integer);
        if (ok) s->value = GD_INT_VALUE(integer);
        return ok;
    case GD_INPUT_FLOAT:
        ok = read_real(a, &real);
        if (ok) s->value = GD_FLOAT_VALUE(real);
        return ok;
    case GD_INPUT_BOOL:
        ok = gd_pull_bool(&a->pull, &boolean);
        if (ok) s->value = GD_BOOL_VALUE(boolean);
        return ok;
    default:
        text = keep_string(a);
        if (text) s->value = GD_STR_VALUE(text);
        return text != NULL;
    }
}

/* ---- the document's fields ----------------------------------------------------------------- */

static bool given_twice(asked *a, const char *name) {
    char text[NAME_BYTES + 32];
    snprintf(text, sizeof text, "%s is given twice.", name);
    return gd_pull_fail(&a->pull, "malformed_json", text);
}

static bool read_input(asked *a, int i, const char *name) {
    gd_evaluation *v = a->v;
    gd_input_kind kind = gd_function_input_at(v->f, i)->kind;
    if ((a->has_input >> i & 1) || v->e.statics[i].given) return given_twice(a, name);
    if (gd_pull_null(&a->pull)) return true; /* as if it were left out */
    if (kind != GD_INPUT_TENSOR) return read_static(a, kind, &v->e.statics[i]);
    a->has_input |= (uint64_t)1 << i;
    return gd_pull_numbers(&a->pull, &a->inputs[i]);
}

static bool read_inputs(asked *a) {
    char name[NAME_BYTES];
    bool first = true;
    if (!gd_pull_open(&a->pull, '{', "inputs")) return gd_evaluation_at(a->v, "inputs", "");
    while (gd_pull_key(&a->pull, &first, name, sizeof name)) {
        int i = gd_evaluation_input(a->v, "inputs", name);
        if (i < 0) return false;
        if (!read_input(a, i, name)) return gd_evaluation_at(a->v, "inputs", name);
    }
    return !a->v->x->fault.code || gd_evaluation_at(a->v, "inputs", "");
}

/* tangents, vectors: objects by input. */
static bool read_vectors(asked *a, const char *field) {
    char name[NAME_BYTES];
    bool first = true;
    if (!gd_pull_open(&a->pull, '{', field)) return gd_evaluation_at(a->v, field, "");
    while (gd_pull_key(&a->pull, &first, name, sizeof name)) {
        int i = gd_evaluation_input(a->v, field, name);
        if (i < 0) return false;
        if (a->has_vector >> i & 1) return given_twice(a, name);
        if (gd_pull_null(&a->pull)) continue;
        if (!gd_pull_numbers(&a->pull, &a->vectors[i])) return gd_evaluation_at(a->v, field, name);
        a->has_vector |= (uint64_t)1 << i;
    }
    return !a->v->x->fault.code;
}

static bool read_cotangents_by_name(asked *a) {
    gd_evaluation *v = a->v;
    char name[NAME_BYTES];
    bool first = true;
    gd_pull_open(&a->pull, '{', "cotangents");
    while (gd_pull_key(&a->pull, &first, name, sizeof name)) {
        if (v->nnamed == GD_FUNCTION_INPUTS)
            return gd_evaluation_refuse(v, "cotangents", "", "There are more than 64.");
        if (gd_pull_null(&a->pull)) continue;
        char *kept = gd_scratch_alloc(v->x->ctx, &v->texts, strlen(name) + 1);
        if (!kept) return gd_refuse_engine(v->x);
        memcpy(kept, name, strlen(name) + 1);
        if (!gd_pull_numbers(&a->pull, &a->vectors[v->nnamed])) return gd_evaluation_at(v, "cotangents", name);
        v->vector_names[v->nnamed++] = kept;
    }
    return !v->x->fault.code;
}

static bool read_cotangents(asked *a) {
    gd_evaluation *v = a->v;
    bool first = true;
    if (a->has_vector || v->nnamed) return given_twice(a, "cotangents");
    if (gd_pull_peek(&a->pull) == '{') return read_cotangents_by_name(a);
    if (!gd_pull_open(&a->pull, '[', "cotangents")) return gd_evaluation_at(v, "cotangents", "");
    for (int i = 0; gd_pull_item(&a->pull, &first); i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        if (i == GD_FUNCTION_INPUTS) return gd_evaluation_refuse(v, "cotangents", "", "There are more than 64.");
        if (gd_pull_null(&a->pull)) continue;
        if (!gd_pull_numbers(&a->pull, &a->vectors[i])) return gd_evaluation_at(v, "cotangents", number);
        a->has_vector |= (uint64_t)1 << i;
    }
    return !v->x->fault.code;
}

static bool read_wrt(asked *a) {
    char name[NAME_BYTES];
    bool first = true;
    a->v->wrt = 0;
    if (gd_pull_null(&a->pull)) return true;
    if (gd_pull_peek(&a->pull) == '"')
        return gd_pull_string(&a->pull, name, sizeof name, NULL) && gd_evaluation_add_wrt(a->v, name);
    if (!gd_pull_open(&a->pull, '[', "wrt")) return false;
    while (gd_pull_item(&a->pull, &first))
        if (!gd_pull_string(&a->pull, name, sizeof name, NULL) || !gd_evaluation_add_wrt(a->v, name)) return false;
    return !a->v->x->fault.code;
}

static bool read_field(asked *a, const char *key) {
    gd_evaluation *v = a->v;
    gd_eval_kind kind = v->e.kind;
    if (!strcmp(key, "inputs")) return read_inputs(a);
    if (!strcmp(key, "batched") && kind != GD_EVAL_CHECK) return gd_pull_bool(&a->pull, &v->e.batched);
    if (!strcmp(key, "wrt") && gd_evaluation_is_derivative(v) && kind != GD_EVAL_JVP) return read_wrt(a);
    if (!strcmp(key, "cotangents") && kind == GD_EVAL_VJP) return read_cotangents(a);
    if ((!strcmp(key, "tangents") && kind == GD_EVAL_JVP) || (!strcmp(key, "vectors") && kind == GD_EVAL_HVP))
        return read_vectors(a, key);
    gd_refuse(v->x, "unknown_field", "There is no field \"%.60s\" here; known are inputs, batched%s%s.", key,
              gd_evaluation_is_derivative(v) && kind != GD_EVAL_JVP ? ", wrt" : "",
              kind == GD_EVAL_VJP   ? ", cotangents"
              : kind == GD_EVAL_JVP ? ", tangents"
              : kind == GD_EVAL_HVP ? ", vectors"
                                    : "");
    gd_fault_pointer(&v->x->fault, "/%s", key);
    return false;
}

static bool read_document(asked *a) {
    char key[NAME_BYTES];
    bool first = true;
    if (!gd_pull_peek(&a->pull) && a->pull.p == a->pull.end)
        return gd_refuse(a->v->x, "malformed_json", "The body is empty; send {\"inputs\":{…}}.");
    if (!gd_pull_open(&a->pull, '{', "The body")) return false;
    while (gd_pull_key(&a->pull, &first, key, sizeof key))
        if (!read_field(a, key)) return gd_evaluation_at(a->v, key, "");
    return gd_pull_finish(&a->pull);
}

/* ---- tensors ------------------------------------------------------------------------------- */

static bool is_whole(gd_dtype dtype) { return !gd_dtype_is_float(dtype) && dtype != GD_BOOL; }

/* A new tensor of these numbers; NULL with the request failed. */
static gd_tensor *make(asked *a, const gd_numbers *n, const gd_dtype *dtype) {
    gd_exchange *x = a->v->x;
    if (dtype && is_whole(*dtype) && n->has_real) {
        gd_refuse(x, "bad_input", "%s takes whole numbers.", gd_dtype_name(*dtype));
        gd_body_place(&x->body, n->start, &x->fault);
        return NULL;
    }
    return gd_numbers_tensor(&x->body, n, x->ctx, dtype, &x->fault);
}

/* Where neither the function nor the request says a dtype: as torch.tensor has it, but whole numbers where a derivative
 * is asked for by them are float32, for clients write 1.0 as 1. */
static bool make_inputs(asked *a) {
    static const gd_dtype real = GD_FLOAT32;
    gd_evaluation *v = a->v;
    for (int i = 0; i < gd_function_ninputs(v->f); i++) {
        const gd_function_input *in = gd_function_input_at(v->f, i);
        const gd_numbers *n = &a->inputs[i];
        if (!(a->has_input >> i & 1)) continue;
        bool differentiated = gd_evaluation_by(v, i) && (n->has_integer || n->has_real);
        v->e.inputs[i] = make(a, n, in->has_dtype ? &in->dtype : differentiated ? &real : NULL);
        if (!v->e.inputs[i]) return gd_evaluation_at(v, "inputs", in->name);
    }
    return true;
}

/* Tangents and vectors are of their inputs' dtypes. */
static bool make_vectors(asked *a) {
    gd_evaluation *v = a->v;
    const char *field = v->e.kind == GD_EVAL_JVP ? "tangents" : "vectors";
    for (int i = 0; i < gd_function_ninputs(v->f); i++) {
        const char *name = gd_function_input_at(v->f, i)->name;
        if (!(a->has_vector >> i & 1)) continue;
        if (!v->e.inputs[i]) return gd_evaluation_refuse(v, field, name, "The input %.60s is not given.", name);
        gd_dtype dtype = gd_dtype_of(v->e.inputs[i]);
        if (!(v->e.vectors[i] = make(a, &a->vectors[i], &dtype))) return gd_evaluation_at(v, field, name);
    }
    return true;
}

static bool make_cotangent(asked *a, const gd_eval *o, int output, const gd_numbers *n, const char *name) {
    gd_evaluation *v = a->v;
    if (output < 0) return false;
    if (output >= o->noutputs || output >= GD_FUNCTION_INPUTS)
        return gd_evaluation_refuse(v, "cotangents", name, "There are more cotangents than outputs.");
    if (v->e.vectors[output]) return gd_evaluation_refuse(v, "cotangents", name, "It is given twice.");
    v->e.vectors[output] = make(a, n, &o->outputs[output].dtype);
    return v->e.vectors[output] || gd_evaluation_at(v, "cotangents", name);
}

/* Cotangents are of the outputs' dtypes. */
static bool make_cotangents(asked *a) {
    gd_evaluation *v = a->v;
    gd_eval o;
    if (!a->has_vector && !v->nnamed) return true;
    bool ok = gd_evaluation_outputs(v, &o);
    for (int i = 0; ok && i < v->nnamed; i++)
        ok = make_cotangent(a, &o, gd_evaluation_output(v, &o, v->vector_names[i]), &a->vectors[i], v->vector_names[i]);
    for (int i = 0; ok && !v->nnamed && i < GD_FUNCTION_INPUTS; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        if (a->has_vector >> i & 1) ok = make_cotangent(a, &o, i, &a->vectors[i], number);
    }
    gd_eval_clear(&o);
    return ok;
}

bool gd_evaluation_read_json(gd_evaluation *v) {
    gd_exchange *x = v->x;
    asked a;
    a.v = v;
    a.has_input = a.has_vector = 0;
    gd_pull_begin(&a.pull, &x->body, x->in->body ? x->in->body : "", x->in->body_length, &x->fault);
    if (!read_document(&a) || !make_inputs(&a)) return false;
    return v->e.kind == GD_EVAL_VJP ? make_cotangents(&a) : make_vectors(&a);
}
