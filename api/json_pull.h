/* json_pull.h: a JSON document read while walking through it, without a tree: for documents whose fields are known and
 * that are mostly arrays of numbers. Those stay text until they stream into tensor memory, see json_in.h.
 *
 * Each function moves behind what it read, or sets the fault (with line and column) and returns false; from then on
 * nothing is read any more. */
#ifndef GD_API_JSON_PULL_H
#define GD_API_JSON_PULL_H

#include "api/json_in.h"

typedef struct gd_pull {
    const char *p, *end;
    gd_body *body; /* knows the text, for places */
    gd_fault *fault;
} gd_pull;

/* Borrows everything; the text becomes the body's. */
void gd_pull_begin(gd_pull *r, gd_body *body, const char *text, size_t n, gd_fault *f);
/* Fails with the place where the reader is. Returns false. */
bool gd_pull_fail(gd_pull *r, const char *code, const char *detail);
/* The first character of what comes next; 0 at the end of the text, or after a failure. */
char gd_pull_peek(gd_pull *r);

/* Passes `{` or `[`. If something else is there: "bad_argument" that `what` should be an object or array. */
bool gd_pull_open(gd_pull *r, char bracket, const char *what);
/* The next key of an object, decoded, of at most size - 1 bytes, and its colon. False at the closing bracket (which is
 * passed), or with the fault set. *first: true to begin with. */
bool gd_pull_key(gd_pull *r, bool *first, char *key, size_t size);
/* Is there another entry in the array? Else its bracket is passed. */
bool gd_pull_item(gd_pull *r, bool *first);

/* A number, bool or nested array of such, as text. "bad_argument" for anything else. */
bool gd_pull_numbers(gd_pull *r, gd_numbers *out);
/* A string, decoded and NUL-terminated, of at most size - 1 bytes, without NUL in it; *n: its length (may be NULL). */
bool gd_pull_string(gd_pull *r, char *buf, size_t size, size_t *n);
bool gd_pull_bool(gd_pull *r, bool *v);
bool gd_pull_integer(gd_pull *r, int64_t *v);
/* Passes null if it comes next. */
bool gd_pull_null(gd_pull *r);
/* Passes any value; no deeper than GD_JSON_DEPTH. */
bool gd_pull_skip(gd_pull *r);
/* Nothing but space may be left. */
bool gd_pull_finish(gd_pull *r);

#endif
