/* run.c: POST /v1/sessions/{s}/run: a program in, what a notebook would show out; and what goes wrong with programs. */
#include "api/binary.h"
#include "api/metrics.h"
#include "api/router.h"

#include <stdlib.h>
#include <strings.h>

#define PLAIN "text/plain; charset=utf-8"
#define PROBLEM_JSON "application/problem+json"

enum {
    RESULT_ITEMS = 10000,    /* values of a nested result; the rest is told as text */
    DETAIL_BYTES = 64 * 1024 /* of an exception's text in a problem */
};

/* ---- the program's text -------------------------------------------------------------------- */

/* Does the media type in front of its parameters read `name`? */
static bool is_type(const char *type, const char *name) {
    size_t n = strcspn(type, ";");
    while (n > 0 && (type[n - 1] == ' ' || type[n - 1] == '\t')) n--;
    return n == strlen(name) && !strncasecmp(type, name, n);
}

/* Is a charset given that is not UTF-8 (or its part, ASCII)? */
static bool has_other_charset(const char *type) {
    static const char *const known[] = {"utf-8", "utf8", "us-ascii", "ascii"};
    const char *at = strcasestr(type, "charset=");
    if (!at) return false;
    at += strlen("charset=");
    at += *at == '"';
    size_t n = strcspn(at, "\"; \t");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == n && !strncasecmp(known[i], at, n)) return false;
    return true;
}

/* Without a type, and with the one that plain `curl -d` sends, the body itself tells: an object is JSON. */
static bool starts_object(const gd_api_request *in) {
    size_t i = 0;
    while (i < in->body_length && strchr(" \t\r\n", in->body[i]) && in->body[i]) i++;
    return i < in->body_length && in->body[i] == '{';
}

static bool read_json(gd_exchange *x) {
    const gd_api_request *in = x->in;
    if (!gd_body_read(&x->body, in->body ? in->body : "", in->body_length, &x->fault)) return false;
    const char *fields = x->route->handle == gd_handle_put_function ? "source inputs captures" : "source";
    if (!gd_fields(x, x->body.root, fields) || !gd_field_string(x, x->body.root, "source", &x->source)) return false;
    if (!x->source) {
        gd_refuse(x, "missing_argument", "source is missing: the program's text.");
        gd_fault_pointer(&x->fault, "/source");
        return false;
    }
    x->source_bytes = json_string_length(json_object_get(x->body.root, "source"));
    return true;
}

bool gd_read_program(gd_exchange *x) {
    const gd_api_request *in = x->in;
    const char *type = in->content_type ? in->content_type : "";
    bool open = !*type || is_type(type, "application/x-www-form-urlencoded");
    if (open ? starts_object(in) : gd_form_of(type) == GD_FORM_JSON) return read_json(x);
    if (!open && (!is_type(type, "text/plain") || has_other_charset(type)))
        return gd_refuse(
            x, "unsupported_media_type",
            "Content-Type is %.100s; send the program's text as text/plain in UTF-8 (curl -H 'Content-Type: "
            "text/plain' --data-binary @FILE), or {\"source\":…} as application/json.",
            type);
    x->source = in->body ? in->body : "";
    x->source_bytes = in->body_length;
    return true;
}

/* ---- failures ------------------------------------------------------------------------------ */

static const char *code_of(const gd_program_result *r) {
    if (r->status == GD_PROGRAM_SYNTAX) return "syntax_error";
    if (r->status == GD_PROGRAM_LIMIT) return r->limit == GD_LIMIT_STOPPED ? "draining" : "program_limit";
    return r->code == GD_OK ? "program_error" : gd_code_name(r->code);
}

/* The client has left: nobody reads an answer. But a server that ends tells those that it stops. */
bool gd_refuse_stopped(gd_exchange *x) {
    if (gd_api_is_draining(x->api))
        return gd_refuse(x, "draining", "The server is ending and has stopped the request.");
    x->status = GD_STATUS_LEFT;
    return false;
}

static bool is_left(gd_exchange *x, const gd_program_result *r) {
    return r->status == GD_PROGRAM_LIMIT && r->limit == GD_LIMIT_STOPPED && !gd_api_is_draining(x->api);
}

static void put_assigned(gd_text *t, const gd_program_result *r) {
    GD_TEXT_LIT(t, ",\"assigned\":[");
    for (size_t i = 0; i < r->nassigned; i++) {
        if (i) GD_TEXT_LIT(t, ",");
        gd_text_string(t, r->assigned[i]);
    }
    GD_TEXT_LIT(t, "]");
}

/* The exception's text; a very long one is cut, at a character's end. */
static char *detail_of(const gd_program_result *r) {
    const char *text = r->message ? r->message : "";
    size_t n = strnlen(text, DETAIL_BYTES);
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
    return strndup(text, n);
}

void gd_refuse_program(gd_exchange *x, const gd_program_result *r, bool ran) {
    gd_text t = {0};
    gd_fault f = {.code = code_of(r), .line = (int)r->line, .column = (int)r->column};
    int status = gd_problem_status(f.code);
    char *detail = detail_of(r);
    gd_problem_put(&t, &f, status, detail ? detail : "", x->in->path, x->in->id);
    free(detail);
    if (*r->exception) {
        GD_TEXT_LIT(&t, ",\"exception\":");
        gd_text_string(&t, r->exception);
    }
    if (r->status == GD_PROGRAM_LIMIT) gd_text_f(&t, ",\"limit\":\"%s\"", gd_limit_name(r->limit));
    if (ran) {
        GD_TEXT_LIT(&t, ",\"stdout\":");
        gd_text_string_n(&t, r->output ? r->output : "", r->output_bytes);
        put_assigned(&t, r);
    }
    GD_TEXT_LIT(&t, "}\n");
    gd_answer_text(x->answer, &t, status, PROBLEM_JSON);
    x->answered = true;
}

/* ---- the result as JSON -------------------------------------------------------------------- */

typedef struct writer {
    gd_exchange *x;
    gd_data_mode mode;
    bool comma; /* before the next value or key */
} writer;

static gd_text *next_value(writer *w) {
    if (w->comma) GD_TEXT_LIT(&w->x->out, ",");
    w->comma = true;
    return &w->x->out;
}

static bool put_none(void *user) {
    gd_text *t = next_value(user);
    GD_TEXT_LIT(t, "null");
    return !t->failed;
}

static bool put_boolean(void *user, bool v) {
    gd_text *t = next_value(user);
    gd_text_bool(t, v);
    return !t->failed;
}

static bool put_integer(void *user, int64_t v) {
    gd_text *t = next_value(user);
    gd_text_i64(t, v);
    return !t->failed;
}

static bool put_real(void *user, double v) {
    gd_text *t = next_value(user);
    gd_text_f64(t, v);
    return !t->failed;
}

static bool put_string(void *user, const char *text, size_t bytes) {
    gd_text *t = next_value(user);
    gd_text_string_n(t, text, bytes);
    return !t->failed;
}

static bool put_tensor(void *user, gd_tensor *tensor, const char *global) {
    writer *w = user;
    gd_exchange *x = w->x;
    gd_text *t = next_value(w);
    const char *name =
        global && gd_session_get(x->session, global) == tensor ? global : gd_session_name_of(x->session, tensor);
    return gd_put_document(t, x->ctx, name, tensor, w->mode, &x->fault) && !t->failed;
}

static bool put_begin(void *user, bool is_dict) {
    writer *w = user;
    gd_text *t = next_value(w);
    gd_text_puts(t, is_dict ? "{" : "[");
    w->comma = false;
    return !t->failed;
}

static bool put_key(void *user, const char *text, size_t bytes) {
    writer *w = user;
    gd_text *t = next_value(w);
    gd_text_string_n(t, text, bytes);
    GD_TEXT_LIT(t, ":");
    w->comma = false;
    return !t->failed;
}

static bool put_end(void *user, bool is_dict) {
    writer *w = user;
    gd_text_puts(&w->x->out, is_dict ? "}" : "]");
    w->comma = true;
    return !w->x->out.failed;
}

static void answer_json(gd_exchange *x, const gd_program_result *r, gd_data_mode mode) {
    static const gd_program_visitor visitor = {put_none,   put_boolean, put_integer, put_real, put_string,
                                               put_tensor, put_begin,   put_key,     put_end};
    writer w = {.x = x, .mode = mode};
    GD_TEXT_LIT(&x->out, "{\"stdout\":");
    gd_text_string_n(&x->out, r->output ? r->output : "", r->output_bytes);
    GD_TEXT_LIT(&x->out, ",\"result\":");
    (void)gd_program_walk(r, RESULT_ITEMS, &visitor, &w); /* what stops it is in the fault, or in `out` */
    if (!w.comma) GD_TEXT_LIT(&x->out, "null");
    put_assigned(&x->out, r);
    GD_TEXT_LIT(&x->out, "}");
}

/* ---- the result as text -------------------------------------------------------------------- */

/* What follows what was printed begins on a line of its own, as in a notebook. */
static void put_below(gd_text *t, const char *text) {
    if (!text || !*text) return;
    if (t->n && !t->failed && t->data[t->n - 1] != '\n') GD_TEXT_LIT(t, "\n");
    gd_text_puts(t, text);
    if (text[strlen(text) - 1] != '\n') GD_TEXT_LIT(t, "\n");
}

static void answer_plain(gd_exchange *x, const gd_program_result *r) {
    bool good = r->status == GD_PROGRAM_OK;
    gd_text_put(&x->out, r->output ? r->output : "", r->output_bytes);
    put_below(&x->out, good ? r->shown : r->trace ? r->trace : r->message);
    gd_answer_text(x->answer, &x->out, good ? 200 : gd_problem_status(code_of(r)), PLAIN);
    if (x->answer->length == 0) x->answer->content_type = PLAIN;
    x->answered = true;
}

/* Clients that take anything, or JSON as gladly, get JSON. */
static bool wants_plain(const char *accept) {
    return gd_accept_weight(accept, "text/plain") > gd_accept_weight(accept, "application/json");
}

void gd_handle_run(gd_exchange *x) {
    gd_data_mode mode;
    gd_program_result r;
    if (!gd_query_data_mode(x, &mode)) return;
    gd_env *env = gd_session_env(x->session);
    if (!env) {
        gd_refuse_engine(x);
        return;
    }
    gd_program_options options = {.limits = *gd_api_program_limits(x->api), .stop = x->in->stop};
    gd_metrics_program_begin(gd_api_metrics(x->api));
    gd_program_run(env, x->source, x->source_bytes, &options, &r);
    gd_metrics_program_end(gd_api_metrics(x->api), &r);
    if (is_left(x, &r))
        gd_refuse_stopped(x);
    else if (wants_plain(x->in->accept))
        answer_plain(x, &r);
    else if (r.status == GD_PROGRAM_OK)
        answer_json(x, &r, mode);
    else
        gd_refuse_program(x, &r, true);
    gd_program_result_clear(&r);
}
