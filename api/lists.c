/* lists.c: see lists.h. */
#include "api/lists.h"
#include "core/tensor/tensor.h"

#include <math.h>

/* ---- finding them -------------------------------------------------------------------------- */

/* The value of a string that stands for a number that JSON lacks: "NaN" … */
static bool word(const json_t *j, double *v) {
    const char *s = json_string_value(j);
    if (!s) return false;
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

static bool is_leaf(const json_t *j) {
    double ignored;
    return json_is_number(j) || json_is_boolean(j) || word(j, &ignored);
}

static bool is_flat(const gd_numbers *n) { return n->ndim == 1 && !n->ragged; }

bool gd_list_of(const gd_exchange *x, const json_t *j, gd_list *list) {
    const gd_numbers *n = gd_body_numbers(&x->body, j);
    list->tree = j;
    list->count = 1;
    if (n) {
        list->tree = NULL;
        list->numbers = *n;
        list->count = n->count;
        return is_flat(n);
    }
    if (!json_is_array(j)) return is_leaf(j);
    list->count = (int64_t)json_array_size(j);
    for (size_t i = 0; i < (size_t)list->count; i++)
        if (!is_leaf(json_array_get(j, i))) return false;
    return true;
}

bool gd_lists_begin(gd_lists *walk, const gd_exchange *x, const json_t *j) {
    const gd_numbers *n = gd_body_numbers(&x->body, j);
    *walk = (gd_lists){.x = x, .tree = j};
    if (!n) return json_is_array(j);
    walk->tree = NULL;
    walk->at = n->start + 1;
    walk->end = n->end - 1;
    walk->single = n->ndim == 2 && n->sizes[0] == 1 && !n->ragged ? n : NULL;
    return true;
}

static bool is_between(char c) { return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* One number of the text, from p up to what ends it. */
static const char *bare_number(const char *p, const char *end, gd_list *list) {
    gd_numbers *n = &list->numbers;
    *n = (gd_numbers){.start = p, .ndim = 1, .sizes = {1}, .count = 1};
    for (; p < end && !is_between(*p); p++)
        n->has_real |= *p == '.' || *p == 'e' || *p == 'E' || *p == 'N' || *p == 'I';
    n->end = p;
    return p;
}

gd_lists_step gd_lists_next(gd_lists *walk, gd_list *list) {
    const char *stop, *open[GD_JSON_DEPTH + 1];
    int nopen;
    if (walk->tree) {
        if (walk->next == json_array_size(walk->tree)) return GD_LISTS_END;
        return gd_list_of(walk->x, json_array_get(walk->tree, walk->next++), list) ? GD_LISTS_ONE : GD_LISTS_OTHER;
    }
    while (walk->at < walk->end && is_between(*walk->at)) walk->at++;
    if (walk->at == walk->end) return GD_LISTS_END;
    list->tree = NULL;
    if (walk->single) {
        list->numbers = *walk->single;
        list->numbers.ndim = 1;
        list->numbers.sizes[0] = list->count = list->numbers.count;
        walk->at = walk->end;
        return GD_LISTS_ONE;
    }
    bool nested = *walk->at == '[';
    walk->at = nested ? gd_numbers_scan(walk->at, walk->end, &list->numbers, &stop, open, &nopen)
                      : bare_number(walk->at, walk->end, list);
    list->count = list->numbers.count;
    if (walk->at && is_flat(&list->numbers)) return GD_LISTS_ONE;
    if (!walk->at) walk->at = walk->end; /* cannot be: the guard has seen it whole */
    return GD_LISTS_OTHER;
}

/* ---- reading them -------------------------------------------------------------------------- */

/* Stores a number that the dtype must hold; reals lose digits, integers nothing. */
static bool store(gd_exchange *x, gd_dtype dtype, char *out, double real, int64_t integer, bool is_integer) {
    if (gd_dtype_is_float(dtype)) {
        gd_store_f64(dtype, out, real);
        return true;
    }
    if (!is_integer && real == trunc(real) && real >= -0x1p63 && real < 0x1p63) {
        integer = (int64_t)real;
        is_integer = true;
    }
    if (is_integer) gd_store_i64(dtype, out, integer);
    if (is_integer && gd_load_i64(dtype, out) == integer) return true;
    return gd_refuse(x, "bad_value", "%.17g is no value of dtype %s.", real, gd_dtype_name(dtype));
}

static bool fill_tree(gd_exchange *x, const json_t *j, gd_tensor *t) {
    gd_dtype dtype = gd_dtype_of(t);
    char *out = t->data;
    bool array = json_is_array(j);
    for (size_t i = 0; i < (size_t)t->numel; i++, out += gd_dtype_bytes(dtype)) {
        const json_t *item = array ? json_array_get(j, i) : j;
        int64_t integer = json_is_boolean(item) ? json_is_true(item) : (int64_t)json_integer_value(item);
        double real = json_is_real(item) ? json_real_value(item) : (double)integer;
        bool is_integer = !json_is_real(item) && !word(item, &real);
        if (!store(x, dtype, out, real, integer, is_integer)) return false;
    }
    return true;
}

static gd_tensor *from_tree(gd_exchange *x, const gd_list *list, gd_dtype dtype, int ndim, const int64_t *sizes) {
    gd_tensor *t = gd_empty(x->ctx, dtype, ndim, sizes);
    if (!t) return gd_refuse_engine(x), NULL;
    if (fill_tree(x, list->tree, t)) return t;
    gd_release(t);
    return NULL;
}

/* To an integer dtype, "3.0" is 3. */
gd_tensor *gd_list_convert(gd_exchange *x, gd_tensor *wide, gd_dtype dtype) {
    gd_tensor *t = wide ? gd_empty(x->ctx, dtype, gd_ndim(wide), gd_sizes(wide)) : NULL;
    bool ok = t != NULL;
    if (wide && !t) gd_refuse_engine(x);
    for (int64_t i = 0; ok && i < t->numel; i++) {
        const char *from = wide->data + i * 8;
        bool is_integer = gd_dtype_of(wide) == GD_INT64;
        ok = store(x, dtype, t->data + (size_t)i * gd_dtype_bytes(dtype), gd_load_f64(gd_dtype_of(wide), from),
                   is_integer ? gd_load_i64(GD_INT64, from) : 0, is_integer);
    }
    gd_release(wide);
    if (ok) return t;
    gd_release(t);
    return NULL;
}

static gd_tensor *from_text(gd_exchange *x, const gd_numbers *n, gd_dtype dtype) {
    const gd_dtype wide = n->has_real ? GD_FLOAT64 : GD_INT64;
    if (gd_dtype_is_float(dtype) || dtype == wide) return gd_numbers_tensor(&x->body, n, x->ctx, &dtype, &x->fault);
    return gd_list_convert(x, gd_numbers_tensor(&x->body, n, x->ctx, &wide, &x->fault), dtype);
}

gd_tensor *gd_list_tensor(gd_exchange *x, const gd_list *list, gd_dtype dtype, int ndim, const int64_t *sizes) {
    int64_t strides[GD_MAX_DIMS];
    if (list->tree) return from_tree(x, list, dtype, ndim, sizes);
    gd_tensor *t = from_text(x, &list->numbers, dtype);
    if (!t || (ndim == 1 && sizes[0] == t->numel)) return t;
    gd_contiguous_strides(ndim, sizes, strides);
    if (gd_set_geometry(x->ctx, t, ndim, sizes, strides, 0) == GD_OK) return t;
    gd_refuse_engine(x);
    gd_release(t);
    return NULL;
}
