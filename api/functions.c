/* functions.c: /v1/functions and /v1/functions/{f}: storing, describing and removing functions. */
#include "api/router.h"
#include "core/tensor/tensor.h"

#include <stdlib.h>

/* ---- what goes wrong ----------------------------------------------------------------------- */

/* Problems by the kind of the fault; an engine error has none. */
static const char *problem_of(const gd_function_fault *f) {
    static const char *const known[][2] = {
        {"syntax_error", "syntax_error"},        {"program_error", "program_error"}, {"program_limit", "program_limit"},
        {"bad_function", "bad_function"},        {"bad_input", "bad_input"},         {"unknown_name", "bad_input"},
        {"precondition", "precondition_failed"}, {"too_many", "too_many_functions"}, {"not_scalar", "not_scalar"},
    };
    for (size_t i = 0; f->kind && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i][0], f->kind)) return known[i][1];
    return gd_code_name(f->code ? f->code : GD_E_RUNTIME);
}

bool gd_refuse_function(gd_exchange *x, const gd_function_fault *f, const char *where) {
    if (x->in->stop && atomic_load(x->in->stop)) return gd_refuse_stopped(x);
    gd_refuse(x, problem_of(f), "%s", f->message);
    x->fault.line = (int)f->line;
    x->fault.column = (int)f->column;
    if (*f->input) gd_fault_pointer(&x->fault, "%s%s", where, f->input);
    return false;
}

static bool refuse_memory(gd_exchange *x) {
    return gd_refuse(x, "out_of_memory", "The server has no memory left for this request.");
}

gd_function *gd_param_function(gd_exchange *x) {
    gd_function *f = gd_functions_find(gd_api_functions(x->api), x->params[0]);
    if (!f)
        gd_refuse(x, "unknown_function", "There is no function %s; PUT /v1/functions/%s stores it.", x->params[0],
                  x->params[0]);
    return f;
}

/* ---- documents ----------------------------------------------------------------------------- */

static const char *const kind_names[] = {[GD_INPUT_TENSOR] = "tensor",
                                         [GD_INPUT_INT] = "int",
                                         [GD_INPUT_FLOAT] = "float",
                                         [GD_INPUT_BOOL] = "bool",
                                         [GD_INPUT_STR] = "str"};
enum { KINDS = sizeof kind_names / sizeof *kind_names };

static void put_input(gd_text *t, const gd_function_input *in) {
    GD_TEXT_LIT(t, "{\"name\":");
    gd_text_string(t, in->name);
    gd_text_f(t, ",\"kind\":\"%s\",\"dtype\":", kind_names[in->kind]);
    gd_text_name(t, in->has_dtype ? gd_dtype_name(in->dtype) : NULL);
    GD_TEXT_LIT(t, ",\"shape\":");
    if (in->has_shape)
        gd_text_i64s(t, in->sizes, in->ndim);
    else
        GD_TEXT_LIT(t, "null");
    GD_TEXT_LIT(t, ",\"optional\":");
    gd_text_bool(t, in->has_default);
    GD_TEXT_LIT(t, "}");
}

static void put_head(gd_text *t, gd_function *f) {
    GD_TEXT_LIT(t, "{\"name\":");
    gd_text_string(t, gd_function_name(f));
    GD_TEXT_LIT(t, ",\"version\":");
    gd_text_u64(t, gd_function_version(f));
    GD_TEXT_LIT(t, ",\"etag\":");
    gd_text_string(t, gd_function_etag(f));
    GD_TEXT_LIT(t, ",\"doc\":");
    gd_text_string(t, gd_function_doc(f));
    GD_TEXT_LIT(t, ",\"inputs\":[");
    for (int i = 0; i < gd_function_ninputs(f); i++) {
        if (i) GD_TEXT_LIT(t, ",");
        put_input(t, gd_function_input_at(f, i));
    }
    GD_TEXT_LIT(t, "],\"captures\":[");
    for (int i = 0; i < gd_function_ncaptures(f); i++) {
        if (i) GD_TEXT_LIT(t, ",");
        gd_text_string(t, gd_function_capture_name(f, i));
    }
    GD_TEXT_LIT(t, "],\"dynamic\":");
    gd_text_string(t, gd_function_dynamic(f));
}

/* Fills an evaluation of which only shapes are asked: one element stands for all of an input's. */
static bool shape_inputs(gd_exchange *x, gd_function *f, gd_eval *e) {
    static const int64_t strides[8] = {0};
    for (int i = 0; i < gd_function_ninputs(f); i++) {
        const gd_function_input *in = gd_function_input_at(f, i);
        if (in->kind != GD_INPUT_TENSOR || in->has_default || !in->has_shape) continue;
        gd_tensor *one = gd_zeros(x->ctx, in->dtype, 0, NULL);
        if (one) e->inputs[i] = gd_alias(x->ctx, one, in->ndim, in->sizes, strides, 0);
        gd_release(one);
        if (!e->inputs[i]) return gd_refuse_engine(x);
    }
    return true;
}

static void put_outputs(gd_text *t, const gd_eval *e) {
    GD_TEXT_LIT(t, ",\"outputs\":[");
    for (int i = 0; i < e->noutputs; i++) {
        const gd_function_output *o = &e->outputs[i];
        gd_text_puts(t, i ? ",{" : "{");
        if (e->named) {
            GD_TEXT_LIT(t, "\"name\":");
            gd_text_string(t, e->output_names[i]);
            GD_TEXT_LIT(t, ",");
        }
        gd_text_f(t, "\"dtype\":\"%s\",\"shape\":", gd_dtype_name(o->dtype));
        gd_text_i64s(t, o->sizes, o->ndim);
        GD_TEXT_LIT(t, "}");
    }
    GD_TEXT_LIT(t, "]");
}

/* The outputs, where the inputs settle them; a function that fails on such inputs has none to tell. */
static bool describe_outputs(gd_exchange *x, gd_function *f) {
    gd_eval e = {.kind = GD_EVAL_ABSTRACT, .stop = x->in->stop};
    gd_function_fault fault = {0};
    bool known = false;
    if (gd_function_is_fixed(f)) {
        if (!(x->ctx = gd_functions_ctx(gd_api_functions(x->api)))) return refuse_memory(x);
        known = shape_inputs(x, f, &e);
        if (known && x->brief && !gd_function_is_small(f, &e)) {
            x->declined = true;
            known = false;
        }
        known = known && gd_function_eval(x->ctx, f, &e, &fault);
    }
    if (known)
        put_outputs(&x->out, &e);
    else
        GD_TEXT_LIT(&x->out, ",\"outputs\":null");
    gd_eval_clear(&e);
    return !x->fault.code;
}

static void put_function(gd_exchange *x, gd_function *f) {
    put_head(&x->out, f);
    if (!describe_outputs(x, f)) return;
    GD_TEXT_LIT(&x->out, ",\"source\":");
    gd_text_string(&x->out, gd_function_source(f));
    GD_TEXT_LIT(&x->out, "}");
    gd_set_etag(x, gd_function_etag(f));
}

/* ---- reading and removing ------------------------------------------------------------------ */

/* Is the tag in the list of a header? W/"…" counts as its strong form only if `weak`. */
static bool names_etag(const char *list, const char *etag, bool weak) {
    size_t n = strlen(etag);
    for (const char *p = list; *p; p += *p == ',') {
        p += strspn(p, " \t");
        if (*p == '*') return true;
        if (weak && !strncmp(p, "W/", 2)) p += 2;
        if (!strncmp(p, etag, n) && (!p[n] || strchr(", \t", p[n]))) return true;
        const char *close = *p == '"' ? strchr(p + 1, '"') : NULL;
        p = close ? close + 1 : p;
        p += strcspn(p, ",");
    }
    return false;
}

void gd_handle_get_function(gd_exchange *x) {
    gd_function *f = gd_param_function(x);
    if (!f) return;
    if (x->in->if_none_match && names_etag(x->in->if_none_match, gd_function_etag(f), true)) {
        gd_set_etag(x, gd_function_etag(f));
        x->status = 304;
    } else
        put_function(x, f);
    gd_function_release(f);
}

void gd_handle_delete_function(gd_exchange *x) {
    gd_function *f = gd_param_function(x);
    if (!f) return;
    if (x->in->if_match && !names_etag(x->in->if_match, gd_function_etag(f), false))
        gd_refuse(x, "precondition_failed", "The function's ETag is %s now.", gd_function_etag(f));
    else if (!gd_functions_delete(gd_api_functions(x->api), x->params[0]))
        gd_refuse(x, "unknown_function", "There is no function %s any more.", x->params[0]);
    gd_function_release(f);
}

void gd_handle_list_functions(gd_exchange *x) {
    size_t limit;
    char after[GD_PARAM_BYTES];
    bool more = false;
    if (!gd_query_page(x, &limit, after)) return;
    gd_function **found = malloc(limit * sizeof(gd_function *));
    if (!found) {
        refuse_memory(x);
        return;
    }
    size_t n = gd_functions_list(gd_api_functions(x->api), *after ? after : NULL, limit, found, &more);
    GD_TEXT_LIT(&x->out, "{\"functions\":[");
    for (size_t i = 0; i < n; i++) {
        if (i) GD_TEXT_LIT(&x->out, ",");
        put_head(&x->out, found[i]);
        GD_TEXT_LIT(&x->out, "}");
    }
    gd_put_next(x, more && n ? gd_function_name(found[n - 1]) : NULL);
    for (size_t i = 0; i < n; i++) gd_function_release(found[i]);
    free(found);
}

/* ---- storing ------------------------------------------------------------------------------- */

/* A PUT on its way into the registry. */
typedef struct storing {
    gd_exchange *x;
    gd_function_text text;
    gd_function_input inputs[GD_FUNCTION_INPUTS];
    gd_capture *captures; /* owned; their tensors are the session's */
} storing;

static bool refuse_at(gd_exchange *x, const char *field, const char *name, const char *what) {
    gd_refuse(x, "bad_argument", "%s should be %s.", name, what);
    gd_fault_pointer(&x->fault, "/%s/%s", field, name);
    return false;
}

static bool read_shape(storing *s, const json_t *shape, gd_function_input *in) {
    size_t n = json_array_size(shape);
    if (!shape || json_is_null(shape)) return true;
    bool ok = json_is_array(shape) && n <= sizeof in->sizes / sizeof *in->sizes;
    for (size_t i = 0; ok && i < n; i++) {
        const json_t *size = json_array_get(shape, i);
        ok = json_is_integer(size) && json_integer_value(size) >= 0;
        if (ok) in->sizes[i] = (int64_t)json_integer_value(size);
    }
    in->ndim = (int)n;
    in->has_shape = ok;
    return ok || refuse_at(s->x, "inputs", in->name, "given a shape of at most eight sizes");
}

static bool read_input(storing *s, const json_t *j, gd_function_input *in) {
    enum { DTYPE, SHAPE, KIND, FIELDS };
    const json_t *field[FIELDS] = {NULL};
    int kind = GD_INPUT_TENSOR;
    if (!json_is_object(j)) return refuse_at(s->x, "inputs", in->name, "{\"dtype\":…,\"shape\":[…]}");
    if (!gd_fields_pick(s->x, j, "dtype shape kind", field)) return false;
    if (!gd_field_dtype(s->x, j, &in->dtype, &in->has_dtype)) return false;
    if (field[KIND])
        for (kind = 0; kind < KINDS; kind++)
            if (json_is_string(field[KIND]) && !strcmp(kind_names[kind], json_string_value(field[KIND]))) break;
    if (kind == KINDS) return refuse_at(s->x, "inputs", in->name, "of a kind: tensor, int, float, bool or str");
    in->kind = (gd_input_kind)kind;
    return read_shape(s, field[SHAPE], in);
}

static bool read_inputs(storing *s, const json_t *inputs) {
    const char *name;
    json_t *j;
    if (!inputs || json_is_null(inputs)) return true;
    if (!json_is_object(inputs))
        return gd_refuse_field(s->x, "inputs", "an object: {\"x\":{\"dtype\":…,\"shape\":[…]}}");
    if (json_object_size(inputs) > GD_FUNCTION_INPUTS) return gd_refuse_field(s->x, "inputs", "no more than 64");
    json_object_foreach ((json_t *)(uintptr_t)inputs, name, j) {
        gd_function_input *in = &s->inputs[s->text.ninputs++];
        in->name = name;
        if (!read_input(s, j, in)) return false;
    }
    s->text.inputs = s->inputs;
    return true;
}

/* The session, whose lock is held until the request ends: what is frozen are its tensors as they are now. */
static bool enter_session(gd_exchange *x, const char *name) {
    gd_session_status status = gd_session_acquire_unless(gd_api_registry(x->api), name, x->in->stop, &x->session);
    if (status == GD_SESSION_OK) return true;
    x->session = NULL;
    if (status == GD_SESSION_STOPPED) return gd_refuse_stopped(x);
    gd_refuse(x, "unknown_session", "There is no session %.140s.", name);
    gd_fault_pointer(&x->fault, "/captures/session");
    return false;
}

static bool read_capture(storing *s, const json_t *name) {
    gd_exchange *x = s->x;
    if (!json_is_string(name)) return gd_refuse_field(x, "captures", "{\"session\":NAME,\"tensors\":[NAME…]}");
    gd_tensor *t = gd_session_get(x->session, json_string_value(name));
    if (!t) {
        gd_refuse(x, "unknown_name", "The session %s has no tensor %.140s.", gd_session_name(x->session),
                  json_string_value(name));
        gd_fault_pointer(&x->fault, "/captures/tensors/%d", s->text.ncaptures);
        return false;
    }
    s->captures[s->text.ncaptures++] = (gd_capture){json_string_value(name), t};
    return true;
}

static bool read_captures(storing *s, const json_t *captures) {
    const char *session = NULL;
    if (!captures || json_is_null(captures)) return true;
    const json_t *tensors = json_object_get(captures, "tensors");
    if (!json_is_object(captures) || !json_is_array(tensors) || !json_object_get(captures, "session"))
        return gd_refuse_field(s->x, "captures", "{\"session\":NAME,\"tensors\":[NAME…]}");
    if (!gd_fields(s->x, captures, "session tensors")) return false;
    if (!gd_field_string(s->x, captures, "session", &session) || !enter_session(s->x, session)) return false;
    if (!(s->captures = calloc(json_array_size(tensors) + 1, sizeof *s->captures))) return refuse_memory(s->x);
    for (size_t i = 0; i < json_array_size(tensors); i++)
        if (!read_capture(s, json_array_get(tensors, i))) return false;
    s->text.captures = s->captures;
    return true;
}

/* The conditions as the registry takes them: one tag, or "*". A list that holds the present tag comes down to that. */
static bool read_conditions(gd_exchange *x, const char **if_match, const char **if_none_match, char tag[64]) {
    gd_function *f = gd_functions_find(gd_api_functions(x->api), x->params[0]);
    const char *etag = f ? gd_function_etag(f) : "";
    *if_match = x->in->if_match;
    *if_none_match = x->in->if_none_match && strchr(x->in->if_none_match, '*') ? "*" : NULL;
    if (*if_match && strcmp(*if_match, "*") && f && names_etag(*if_match, etag, false)) {
        snprintf(tag, 64, "%s", etag);
        *if_match = tag;
    }
    bool ok = !(f && x->in->if_none_match && !*if_none_match && names_etag(x->in->if_none_match, etag, true));
    if (!ok) gd_refuse(x, "precondition_failed", "The function's ETag is %s.", etag);
    gd_function_release(f);
    return ok;
}

static void set_location(gd_exchange *x) {
    snprintf(x->answer->text, sizeof x->answer->text, "/v1/functions/%s", x->params[0]);
    x->answer->location = x->answer->text;
}

static void store(storing *s) {
    gd_exchange *x = s->x;
    gd_functions *r = gd_api_functions(x->api);
    const char *if_match, *if_none_match;
    char tag[64];
    gd_function_fault fault = {0};
    if (!read_conditions(x, &if_match, &if_none_match, tag)) return;
    gd_put_result result = gd_functions_put(r, x->params[0], &s->text, if_match, if_none_match, &fault);
    if (result == GD_PUT_FAILED) {
        gd_refuse_function(x, &fault, "/inputs/");
        return;
    }
    gd_function *f = gd_functions_find(r, x->params[0]);
    if (result == GD_PUT_REPLACED)
        x->status = 200;
    else
        set_location(x);
    if (f) put_function(x, f);
    gd_function_release(f);
}

void gd_handle_put_function(gd_exchange *x) {
    storing s = {.x = x, .text = {.source = x->source, .bytes = x->source_bytes}};
    if (!gd_session_name_ok(x->params[0]))
        gd_refuse(x, "bad_name", "\"%.140s\" is no name for a function: [A-Za-z0-9][A-Za-z0-9._-]{0,127}.",
                  x->params[0]);
    else if (read_inputs(&s, json_object_get(x->body.root, "inputs")) &&
             read_captures(&s, json_object_get(x->body.root, "captures")))
        store(&s);
    free(s.captures);
}
