/* json_in.h: request documents. A guard looks over the text first: how deep it nests, how many values it has, and where
 * its arrays of plain numbers are. Those never become a tree: they stay text until they stream into tensor memory.
 * jansson reads the rest. */
#ifndef GD_API_JSON_IN_H
#define GD_API_JSON_IN_H

#include "api/problem.h"

#include <jansson.h>

enum {
    GD_JSON_DEPTH = 64,      /* nesting of arrays and objects */
    GD_JSON_VALUES = 100000, /* values outside the arrays of numbers: jansson takes about 100 bytes for one */
    GD_NUMBERS_FROM = 64     /* arrays of fewer numbers are left to jansson */
};

/* A rectangular or ragged array whose leaves are numbers, true, false, NaN or the infinities, as text. */
typedef struct gd_numbers {
    const char *start, *end; /* from its `[` to behind its `]`; borrowed from the body */
    int ndim;
    int64_t sizes[GD_JSON_DEPTH];
    int64_t count;                        /* leaves */
    bool has_real, has_integer, has_bool; /* kinds of leaves; NaN and the infinities are reals */
    bool odd;                             /* holds what jansson cannot read: bare NaN, integers beyond int64, 1e999 */
    bool ragged;
    int ragged_dim; /* where and how: "expected sequence of length 2 at dim 1 (got 3)"; -1: mixed depths */
    int64_t ragged_expected, ragged_got;
} gd_numbers;

/* Where jansson's memory for one document comes from: a bump, freed at once with the document. */
typedef struct gd_json_arena {
    char *at, *end;               /* free part of the current block */
    struct gd_json_block *blocks; /* owned */
    _Alignas(16) char first[2048];
} gd_json_arena;

/* From here to gd_json_arena_pause jansson's memory comes from `a` on this thread; at other times from malloc. */
void gd_json_arena_begin(gd_json_arena *a);
void gd_json_arena_pause(void); /* what was given stays */
void gd_json_arena_free(gd_json_arena *a);

/* The tree of a document that is plain, or NULL: jansson is to read it. While an arena is active; no deeper than
 * GD_JSON_DEPTH. */
json_t *gd_json_plain(const char *text, size_t length);

/* The tree of a small plain document that this thread has read lately, or NULL. It stays until the thread's next
 * gd_json_keep, and must not be changed. */
json_t *gd_json_kept(const char *text, size_t length);
/* Reads a plain document of values within the guard's bounds and keeps it. NULL: not small or not plain, or memory is
 * out.
 */
json_t *gd_json_keep(const char *text, size_t length);

/* A request's document. gd_body_init first. */
typedef struct gd_body {
    json_t *root;     /* in the arena, or kept by the thread; NULL for an empty body */
    const char *text; /* borrowed */
    size_t length;
    gd_numbers *arrays; /* owned */
    size_t narrays, capacity;
    gd_json_arena arena;
} gd_body;

void gd_body_init(gd_body *b);

/* Reads `length` bytes, which must outlive the body. False with the fault set: malformed_json, too_deep … An empty text
 * gives a NULL root. The array under a key "args" stays a list, whatever is in it. */
bool gd_body_read(gd_body *b, const char *text, size_t length, gd_fault *f);
void gd_body_free(gd_body *b);
/* The array of numbers that stands at j, or NULL if j is ordinary. Borrowed. */
const gd_numbers *gd_body_numbers(const gd_body *b, const json_t *j);
/* Line and column (1-based) of a place in the body. */
void gd_body_place(const gd_body *b, const char *at, gd_fault *f);

/* What jansson can not read as it stands: bare NaN and infinities, too large numbers. */
bool gd_number_is_odd(const char *p, const char *end);
/* Length of true, false, NaN, Infinity, -Infinity, the latter three also in quotes, at p; 0 if none is there. */
size_t gd_number_word(const char *p, const char *end);

/* Looks over the array that starts at p (a `[`). Its end, or NULL: not plain numbers; *stop is where that showed, and
 * *open the arrays that were open there, nopen of them (GD_JSON_DEPTH + 1 when it nests too deeply). */
const char *gd_numbers_scan(const char *p, const char *end, gd_numbers *out, const char **stop, const char **open,
                            int *nopen);
/* The same for what is no array: one number or word. */
const char *gd_numbers_scan_one(const char *p, const char *end, gd_numbers *out, const char **stop);
/* The entries of n, which has sizes[0] of them and is not flat (ndim > 1). New, free(). NULL if memory is out. */
gd_numbers *gd_numbers_entries(const gd_numbers *n);
/* New tensor of the numbers, dtype NULL: as torch.tensor infers. NULL with the fault set. */
gd_tensor *gd_numbers_tensor(const gd_body *b, const gd_numbers *n, gd_ctx *ctx, const gd_dtype *dtype, gd_fault *f);
/* The leaves one by one into `out` of n->count entries. False with the fault set. */
bool gd_numbers_values(const gd_body *b, const gd_numbers *n, gd_value *out, gd_fault *f);

#endif
