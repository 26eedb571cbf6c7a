/* problem.h: errors on their way to becoming problem documents (RFC 9457). problems.def is the table of codes. */
#ifndef GD_API_PROBLEM_H
#define GD_API_PROBLEM_H

#include "api/api.h"
#include "api/text.h"

/* What went wrong with a request; `code` NULL: nothing yet. Only `code` needs initialising. */
typedef struct gd_fault {
    const char *code; /* one of problems.def; static */
    int line, column; /* 1-based, 0: does not apply */
    char pointer[64]; /* JSON Pointer, "" when it does not apply */
    char detail[GD_MESSAGE_BYTES];
} gd_fault;

/* Sets the fault (the first one stays) and returns false, so that `return gd_fault_set(…)` reads well. */
bool gd_fault_set(gd_fault *f, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The context's last error as fault. Returns false. */
bool gd_fault_engine(gd_fault *f, gd_ctx *ctx);
/* Puts `prefix` before the pointer; cut off quietly if it gets too long. */
void gd_fault_prefix(gd_fault *f, const char *prefix);
void gd_fault_pointer(gd_fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

typedef struct gd_problem_kind {
    const char *code;
    int status;
    const char *title, *advice;
} gd_problem_kind;
/* NULL if unknown. */
const gd_problem_kind *gd_problem_find(const char *code);
const gd_problem_kind *gd_problem_at(size_t i); /* NULL past the end */

int gd_problem_status(const char *code); /* 500 if unknown */
/* Writes the fault's document but for its closing brace, so that members may follow. `detail` NULL: the fault's own. */
void gd_problem_put(gd_text *t, const gd_fault *f, int status, const char *detail, const char *path, const char *id);
/* The fault as answer. `status` 0: the code's own; `path` and `id` make up `instance`, each may be NULL. */
void gd_problem_answer(gd_api_response *response, const gd_fault *f, int status, const char *path, const char *id);
/* Hands the buffer to the response; when it has failed, a problem instead. The text is zeroed. */
void gd_answer_text(gd_api_response *response, gd_text *text, int status, const char *content_type);

#endif
