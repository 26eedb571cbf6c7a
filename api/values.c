/* values.c: JSON values to what the engine takes as arguments. Which type an argument has, the op's signature decides
 * later; here strings stay strings. Recursion is bounded by the guard of json_in.c: GD_JSON_DEPTH levels. */
#include "api/exchange.h"

#include <math.h>
#include <stdlib.h>

enum { FLAT_MAX = 65536 }; /* longer flat arrays are given as tensors: no signature takes such lists */

void gd_reading_begin(gd_reading *r, gd_exchange *x) {
    r->x = x;
    r->scratch.blocks = NULL;
    r->scratch.used = 0;
    r->mark = gd_pool_mark(x->ctx);
}

void gd_reading_end(gd_reading *r) {
    gd_scratch_clear(&r->scratch);
    gd_pool_release(r->x->ctx, r->mark);
}

void *gd_reading_alloc(gd_reading *r, size_t count, size_t size) {
    size_t bytes;
    void *p = NULL;
    if (gd_mul_size(count ? count : 1, size, &bytes)) p = gd_scratch_alloc(r->x->ctx, &r->scratch, bytes);
    if (!p) gd_refuse(r->x, "out_of_memory", "The server has no memory left for these arguments.");
    return p;
}

/* ---- arrays of numbers --------------------------------------------------------------------- */

static bool read_flat(gd_reading *r, const gd_numbers *n, gd_value *out) {
    gd_value *list = gd_reading_alloc(r, (size_t)n->count, sizeof *list);
    if (!list || !gd_numbers_values(&r->x->body, n, list, &r->x->fault)) return false;
    *out = (gd_value){.kind = GD_V_LIST, .n = (uint32_t)n->count, .u.list = list};
    return true;
}

static bool read_tensor(gd_reading *r, const gd_numbers *n, gd_value *out) {
    gd_tensor *t = gd_pool_add(r->x->ctx, gd_numbers_tensor(&r->x->body, n, r->x->ctx, NULL, &r->x->fault));
    if (!t) return r->x->fault.code ? false : gd_refuse_engine(r->x);
    *out = GD_TENSOR_VALUE(t);
    return true;
}

static bool read_entries(gd_reading *r, const gd_numbers *n, gd_value *out) {
    if (n->sizes[0] > FLAT_MAX) return gd_refuse(r->x, "bad_argument", "The list has more than %d entries.", FLAT_MAX);
    gd_numbers *entries = gd_numbers_entries(n);
    gd_value *list = entries ? gd_reading_alloc(r, (size_t)n->sizes[0], sizeof *list) : NULL;
    bool ok = list != NULL;
    for (int64_t i = 0; ok && i < n->sizes[0]; i++) ok = read_tensor(r, &entries[i], &list[i]);
    if (!entries) gd_refuse(r->x, "out_of_memory", "The server has no memory left for these arguments.");
    free(entries);
    *out = (gd_value){.kind = GD_V_LIST, .n = (uint32_t)n->sizes[0], .u.list = list};
    return ok;
}

static bool read_numbers(gd_reading *r, const gd_numbers *n, bool entries, gd_value *out) {
    if (n->ndim == 1 && !n->ragged && n->count <= FLAT_MAX) return read_flat(r, n, out);
    if (entries && n->ndim > 1 && !(n->ragged && n->ragged_dim < 0)) return read_entries(r, n, out);
    return read_tensor(r, n, out);
}

/* ---- everything else ----------------------------------------------------------------------- */

static bool special(const char *s, double *v) {
    if (*s != 'N' && *s != 'I' && *s != '-') return false;
    if (!strcmp(s, "NaN"))
        *v = NAN;
    else if (!strcmp(s, "Infinity"))
        *v = INFINITY;
    else if (!strcmp(s, "-Infinity"))
        *v = -INFINITY;
    else
        return false;
    return true;
}

static void read_string(gd_reading *r, const char *s, gd_value *out) {
    double v;
    if (!strcmp(s, "..."))
        *out = (gd_value){.kind = GD_V_ELLIPSIS};
    else if (special(s, &v) && !(r->x->session && gd_session_get(r->x->session, s)))
        *out = GD_FLOAT_VALUE(v);
    else
        *out = GD_STR_VALUE(s);
}

static bool read_array(gd_reading *r, const json_t *j, gd_value *out) {
    size_t n = json_array_size(j);
    gd_value *list = gd_reading_alloc(r, n, sizeof *list);
    if (!list) return false;
    for (size_t i = 0; i < n; i++)
        if (!gd_read_value(r, json_array_get(j, i), false, &list[i])) return false;
    *out = (gd_value){.kind = GD_V_LIST, .n = (uint32_t)n, .u.list = list};
    return true;
}

static bool read_slice(gd_reading *r, const json_t *j, gd_value *out) {
    const json_t *parts = json_object_get(j, "slice");
    size_t n = json_array_size(parts);
    if (!json_is_array(parts) || json_object_size(j) != 1 || n < 2 || n > 3)
        return gd_refuse(r->x, "bad_argument",
                         "The only object that may be an argument is {\"slice\":[start,stop,step]}.");
    gd_value *list = gd_reading_alloc(r, 3, sizeof *list);
    if (!list) return false;
    list[2] = GD_NONE_VALUE;
    for (size_t i = 0; i < n; i++)
        if (!gd_read_value(r, json_array_get(parts, i), false, &list[i])) return false;
    *out = (gd_value){.kind = GD_V_SLICE, .n = 3, .u.list = list};
    return true;
}

bool gd_read_value(gd_reading *r, const json_t *j, bool entries, gd_value *out) {
    const gd_numbers *n;
    switch (json_typeof(j)) {
    case JSON_NULL: *out = GD_NONE_VALUE; return true;
    case JSON_TRUE: *out = GD_BOOL_VALUE(true); return true;
    case JSON_FALSE: *out = GD_BOOL_VALUE(false); return true;
    case JSON_INTEGER: *out = GD_INT_VALUE((int64_t)json_integer_value(j)); return true;
    case JSON_REAL: *out = GD_FLOAT_VALUE(json_real_value(j)); return true;
    case JSON_STRING:
        if ((n = gd_body_numbers(&r->x->body, j))) return read_numbers(r, n, entries, out);
        read_string(r, json_string_value(j), out);
        return true;
    case JSON_ARRAY: return read_array(r, j, out);
    default: return read_slice(r, j, out);
    }
}

/* The first entry along the lists, where it is a string: names have no place in a constant. */
static bool only_numbers(gd_exchange *x, const gd_value *v) {
    if (v->kind == GD_V_STR) return gd_refuse(x, "bad_value", "too many dimensions 'str'");
    for (uint32_t i = 0; v->kind == GD_V_LIST && i < v->n; i++)
        if (!only_numbers(x, &v->u.list[i])) return false;
    return true;
}

gd_tensor *gd_read_constant(gd_exchange *x, const json_t *j, const gd_dtype *dtype) {
    const gd_numbers *n = gd_body_numbers(&x->body, j);
    if (n) return gd_numbers_tensor(&x->body, n, x->ctx, dtype, &x->fault);
    gd_reading r;
    gd_value v;
    gd_tensor *t = NULL;
    gd_reading_begin(&r, x);
    if (json_is_object(j))
        gd_refuse(x, "bad_argument", "Could not infer dtype of dict");
    else if (gd_read_value(&r, j, false, &v) && only_numbers(x, &v) && !(t = gd_from_value(x->ctx, &v, dtype, false)))
        gd_refuse_engine(x);
    gd_reading_end(&r);
    return t;
}
