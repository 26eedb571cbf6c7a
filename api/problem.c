/* problem.c: the table of codes, and problem documents. */
#include "api/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const gd_problem_kind kinds[] = {
#define PROBLEM(code, status, title, advice) {#code, status, title, advice},
#include "api/problems.def"
#undef PROBLEM
};

const gd_problem_kind *gd_problem_at(size_t i) { return i < sizeof kinds / sizeof *kinds ? &kinds[i] : NULL; }

const gd_problem_kind *gd_problem_find(const char *code) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].code, code)) return &kinds[i];
    return NULL;
}

int gd_problem_status(const char *code) {
    const gd_problem_kind *kind = gd_problem_find(code);
    return kind ? kind->status : 500;
}

bool gd_fault_set(gd_fault *f, const char *code, const char *format, ...) {
    if (f->code) return false;
    va_list list;
    va_start(list, format);
    vsnprintf(f->detail, sizeof f->detail, format, list);
    va_end(list);
    f->code = code;
    f->line = f->column = 0;
    f->pointer[0] = 0;
    return false;
}

bool gd_fault_engine(gd_fault *f, gd_ctx *ctx) {
    const gd_error *e = gd_ctx_error(ctx);
    if (e->code == GD_OK) return gd_fault_set(f, "internal_error", "The engine failed without saying why.");
    return gd_fault_set(f, gd_code_name(e->code), "%s", e->message);
}

void gd_fault_pointer(gd_fault *f, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(f->pointer, sizeof f->pointer, format, list);
    va_end(list);
}

void gd_fault_prefix(gd_fault *f, const char *prefix) {
    char old[sizeof f->pointer];
    memcpy(old, f->pointer, sizeof old);
    int n = snprintf(f->pointer, sizeof f->pointer, "%s%s", prefix, old);
    if (n >= (int)sizeof f->pointer) snprintf(f->pointer, sizeof f->pointer, "%s", prefix);
}

/* ---- answers ------------------------------------------------------------------------------- */

/* For when not even a problem document can be had. */
static void answer_no_memory(gd_api_response *response) {
    static const char body[] =
        "{\"type\":\"/problems/out_of_memory\",\"title\":\"Out of memory\",\"status\":503,"
        "\"detail\":\"The server has no memory left for this answer.\",\"code\":\"out_of_memory\","
        "\"instance\":\"/\"}\n";
    response->status = 503;
    response->content_type = "application/problem+json";
    response->body = body;
    response->length = sizeof body - 1;
    response->release = NULL;
    response->owner = NULL;
}

void gd_answer_text(gd_api_response *response, gd_text *text, int status, const char *content_type) {
    if (text->failed) {
        bool too_long = text->too_long;
        gd_text_free(text);
        if (!too_long) {
            answer_no_memory(response);
            return;
        }
        gd_fault f = {0};
        gd_fault_set(&f, "answer_too_large", "The answer is longer than %zu bytes.", GD_TEXT_LIMIT);
        gd_problem_answer(response, &f, 0, NULL, NULL);
        return;
    }
    response->status = status;
    response->content_type = text->n ? content_type : NULL;
    response->body = text->data ? text->data : "";
    response->length = text->n;
    response->owner = text->data;
    response->release = text->data ? free : NULL;
    *text = (gd_text){0};
}

static void put_place(gd_text *t, const gd_fault *f) {
    if (f->pointer[0]) {
        GD_TEXT_LIT(t, ",\"pointer\":");
        gd_text_string(t, f->pointer);
    }
    if (f->line > 0) gd_text_f(t, ",\"line\":%d,\"column\":%d", f->line, f->column);
}

void gd_problem_put(gd_text *t, const gd_fault *f, int status, const char *detail, const char *path, const char *id) {
    gd_text instance = {0};
    const gd_problem_kind *kind = gd_problem_find(f->code);
    gd_text_puts(&instance, path ? path : "");
    if (id) gd_text_puts(&instance, "#"), gd_text_puts(&instance, id);
    gd_text_f(t, "{\"type\":\"/problems/%s\",\"title\":", f->code);
    gd_text_string(t, kind ? kind->title : f->code);
    gd_text_f(t, ",\"status\":%d,\"detail\":", status);
    gd_text_string(t, detail ? detail : f->detail);
    gd_text_f(t, ",\"code\":\"%s\",\"instance\":", f->code);
    gd_text_string_n(t, instance.data ? instance.data : "", instance.n);
    put_place(t, f);
    if (instance.failed) t->failed = true;
    gd_text_free(&instance);
}

void gd_problem_answer(gd_api_response *response, const gd_fault *f, int status, const char *path, const char *id) {
    gd_text t = {0};
    if (status == 0) status = gd_problem_status(f->code);
    gd_problem_put(&t, f, status, NULL, path, id);
    GD_TEXT_LIT(&t, "}\n");
    gd_answer_text(response, &t, status, "application/problem+json");
}

void gd_api_problem(gd_api_response *response, int status, const char *code, const char *detail, const char *id) {
    gd_fault f;
    const gd_problem_kind *kind = gd_problem_find(code);
    f.code = NULL;
    gd_fault_set(&f, kind ? kind->code : "internal_error", "%s", detail);
    gd_problem_answer(response, &f, status, NULL, id);
}

void gd_api_response_free(gd_api_response *response) {
    if (response->release) response->release(response->owner);
    memset(response, 0, offsetof(gd_api_response, text));
}
