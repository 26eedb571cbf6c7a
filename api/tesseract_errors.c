/* tesseract_errors.c: what is wrong with a request, in the shape in which FastAPI with Pydantic tells it. */
#include "api/tesseract.h"

#include <stdarg.h>
#include <stdio.h>

enum { ECHO_BYTES = 200, ECHO_ITEMS = 16, ECHO_DEPTH = 4 };

/* ---- the offending input, told back; long ones are left out -------------------------------- */

static void echo(gd_text *t, const gd_body *b, const json_t *j, int depth);

static void echo_array(gd_text *t, const gd_body *b, const json_t *j, int depth) {
    GD_TEXT_LIT(t, "[");
    for (size_t i = 0; i < json_array_size(j); i++) {
        if (i) GD_TEXT_LIT(t, ",");
        echo(t, b, json_array_get(j, i), depth + 1);
    }
    GD_TEXT_LIT(t, "]");
}

static void echo_object(gd_text *t, const gd_body *b, const json_t *j, int depth) {
    const char *key, *comma = "";
    json_t *value;
    GD_TEXT_LIT(t, "{");
    json_object_foreach ((json_t *)(uintptr_t)j, key, value) {
        gd_text_puts(t, comma);
        gd_text_string_n(t, key, strnlen(key, ECHO_BYTES));
        GD_TEXT_LIT(t, ":");
        echo(t, b, value, depth + 1);
        comma = ",";
    }
    GD_TEXT_LIT(t, "}");
}

static void echo_string(gd_text *t, const gd_body *b, const json_t *j) {
    const gd_numbers *n = gd_body_numbers(b, j);
    size_t length = json_string_length(j);
    if (!n)
        gd_text_string_n(t, json_string_value(j), length < ECHO_BYTES ? length : ECHO_BYTES);
    else if (!n->odd && n->end - n->start <= ECHO_BYTES)
        gd_text_put(t, n->start, (size_t)(n->end - n->start));
    else
        GD_TEXT_LIT(t, "null");
}

static void echo(gd_text *t, const gd_body *b, const json_t *j, int depth) {
    bool small = depth < ECHO_DEPTH && json_array_size(j) <= ECHO_ITEMS && json_object_size(j) <= ECHO_ITEMS;
    switch (j && small ? json_typeof(j) : JSON_NULL) {
    case JSON_TRUE: GD_TEXT_LIT(t, "true"); break;
    case JSON_FALSE: GD_TEXT_LIT(t, "false"); break;
    case JSON_INTEGER: gd_text_i64(t, (int64_t)json_integer_value(j)); break;
    case JSON_REAL: gd_text_f64(t, json_real_value(j)); break;
    case JSON_STRING: echo_string(t, b, j); break;
    case JSON_ARRAY: echo_array(t, b, j, depth); break;
    case JSON_OBJECT: echo_object(t, b, j, depth); break;
    case JSON_NULL: GD_TEXT_LIT(t, "null"); break;
    }
}

/* ---- details ------------------------------------------------------------------------------- */

static void put_place(gd_text *t, const gd_tess_place *at) {
    GD_TEXT_LIT(t, "[\"body\"");
    for (int i = 0; i < at->n; i++) {
        GD_TEXT_LIT(t, ",");
        gd_text_string_n(t, at->parts[i], strnlen(at->parts[i], ECHO_BYTES));
    }
    if (at->index >= 0) gd_text_f(t, ",%d", at->index);
    GD_TEXT_LIT(t, "]");
}

static void put_detail(gd_tess_call *c, const gd_tess_place *at, const char *type, const char *message,
                       const json_t *input) {
    gd_text *t = &c->details;
    gd_text_f(t, "%s{\"type\":\"%s\",\"loc\":", t->n ? "," : "", type);
    put_place(t, at);
    GD_TEXT_LIT(t, ",\"msg\":");
    gd_text_string(t, message);
    GD_TEXT_LIT(t, ",\"input\":");
    echo(t, &c->x->body, input, 0);
    GD_TEXT_LIT(t, "}");
}

bool gd_tess_refuse(gd_tess_call *c, const gd_tess_place *at, const char *type, const json_t *input, const char *format,
                    ...) {
    char message[GD_MESSAGE_BYTES + 128];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    put_detail(c, at, type, message, input);
    return false;
}

bool gd_tess_refuse_fault(gd_tess_call *c, const gd_tess_place *at, const json_t *input) {
    gd_fault *f = &c->x->fault;
    if (gd_problem_status(f->code) >= 500) return false;
    gd_tess_refuse(c, at, "value_error", input, "Value error, %s", f->detail);
    f->code = NULL;
    return false;
}

bool gd_tess_refuse_eval(gd_tess_call *c, const gd_function_fault *fault) {
    gd_tess_place at = GD_TESS_PLACE("inputs");
    const json_t *input = c->inputs;
    if (*fault->input) {
        at = gd_tess_below(&at, fault->input);
        input = json_object_get(c->inputs, fault->input);
    }
    if (!fault->kind && gd_problem_status(gd_code_name(fault->code)) >= 500)
        return gd_refuse(c->x, gd_code_name(fault->code), "%s", fault->message);
    if (fault->line > 0)
        return gd_tess_refuse(c, &at, "value_error", input, "Value error, %.900s (line %u, column %u of the function)",
                              fault->message, fault->line, fault->column);
    return gd_tess_refuse(c, &at, "value_error", input, "Value error, %s", fault->message);
}

/* The place of the error in the body, in bytes. */
static int offset_of(const gd_exchange *x) {
    const char *p = x->in->body, *end = p + x->in->body_length;
    for (int line = 1; p < end && line < x->fault.line; p++) line += *p == '\n';
    return (int)(p - x->in->body) + (x->fault.column > 0 ? x->fault.column - 1 : 0);
}

bool gd_tess_refuse_json(gd_tess_call *c) {
    gd_fault *f = &c->x->fault;
    if (gd_problem_status(f->code) >= 500) return false;
    gd_text *t = &c->details;
    gd_text_f(
        t,
        "{\"type\":\"json_invalid\",\"loc\":[\"body\",%d],\"msg\":\"JSON decode error\",\"input\":{},\"ctx\":{\"error\":",
        f->line > 0 ? offset_of(c->x) : 0);
    gd_text_string(t, f->detail);
    GD_TEXT_LIT(t, "}}");
    f->code = NULL;
    return false;
}

void gd_tess_answer_detail(gd_exchange *x, int status, const char *text) {
    x->status = status;
    x->fault.code = NULL;
    x->out.n = 0;
    GD_TEXT_LIT(&x->out, "{\"detail\":");
    gd_text_string(&x->out, text);
    GD_TEXT_LIT(&x->out, "}");
}

void gd_tess_refuse_path(gd_exchange *x) {
    if (!x->fault.code || strncmp(x->in->path, "/tesseract/", 11)) return;
    if (!strcmp(x->fault.code, "not_found")) gd_tess_answer_detail(x, 404, "Not Found");
}

gd_tess_place gd_tess_below(const gd_tess_place *at, const char *part) {
    gd_tess_place below = *at;
    if (below.n < GD_TESS_LEVELS) below.parts[below.n++] = part;
    return below;
}
