/* repr.c: tensors as text, character for character as PyTorch prints them with its default options.
 *
 * Only the elements that are printed are read, so a summarised tensor takes the same time at any size.
 */
#include "core/plan/trace.h"
#include "core/tensor/number_text.h"
#include "core/tensor/tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THRESHOLD 1000 /* tensors of more elements are summarised */
#define EDGE_ITEMS 3
#define LINE_WIDTH 80
#define INDENT 7 /* of "tensor(" */
/* Where even the edges are too many (a dozen dimensions, or expanded ones), `...` stands for the values. */
#define MAX_PRINTED 100000

/* ---- text ---------------------------------------------------------------------------------- */

/* Text that grows from the stack to the heap. */
typedef struct text {
    char *bytes;
    size_t length, capacity;
    bool failed; /* memory ran out: what follows is dropped */
    char first[512];
} text;

/* Room for n more bytes, or NULL. */
static char *reserve(text *s, size_t n) {
    if (s->failed) return NULL;
    if (s->capacity - s->length >= n) return s->bytes + s->length;
    size_t capacity = 2 * s->capacity + n;
    char *grown = realloc(s->bytes == s->first ? NULL : s->bytes, capacity);
    if (!grown) return s->failed = true, NULL;
    if (s->bytes == s->first) memcpy(grown, s->first, s->length);
    s->bytes = grown;
    s->capacity = capacity;
    return s->bytes + s->length;
}

static void put(text *s, const char *bytes, size_t n) {
    char *to = reserve(s, n);
    if (!to) return;
    memcpy(to, bytes, n);
    s->length += n;
}

static void put_text(text *s, const char *string) { put(s, string, strlen(string)); }

static void put_repeated(text *s, char c, size_t n) {
    char *to = reserve(s, n);
    if (!to) return;
    memset(to, c, n);
    s->length += n;
}

/* ---- which elements, and how --------------------------------------------------------------- */

typedef struct format {
    const gd_tensor *t;
    bool summarise;
    gd_number_style style;
    size_t width; /* of the widest element: all are padded to it */
    int64_t shown[GD_MAX_DIMS];
    int64_t strides[GD_MAX_DIMS]; /* bytes */
} format;

/* The index in dimension d of its i-th element shown. */
static int64_t shown_index(const format *f, int d, int64_t i) {
    return i < EDGE_ITEMS || f->shown[d] == f->t->sizes[d] ? i : f->t->sizes[d] - f->shown[d] + i;
}

/* Plans which elements are shown; false if they are too many. */
static bool plan(format *f) {
    int64_t width = (int64_t)gd_dtype_bytes((gd_dtype)f->t->dtype), total = 1;
    f->summarise = f->t->numel > THRESHOLD;
    for (int d = 0; d < f->t->ndim; d++) {
        int64_t size = f->t->sizes[d];
        f->shown[d] = f->summarise && size > 2 * EDGE_ITEMS ? 2 * EDGE_ITEMS : size;
        f->strides[d] = GD_STRIDES(f->t)[d] * width;
        if (!gd_mul_i64(total, f->shown[d], &total) || total > MAX_PRINTED) return false;
    }
    return true;
}

/* A walk over the elements shown, in row-major order. */
typedef struct visit {
    const char *at;
    int64_t index[GD_MAX_DIMS];
} visit;

static void visit_start(const format *f, visit *v) {
    v->at = f->t->data;
    for (int d = 0; d < f->t->ndim; d++) v->index[d] = 0;
}

static bool visit_next(const format *f, visit *v) {
    for (int d = f->t->ndim - 1; d >= 0; d--) {
        int64_t before = shown_index(f, d, v->index[d]);
        bool more = ++v->index[d] < f->shown[d];
        if (!more) v->index[d] = 0;
        v->at += (shown_index(f, d, v->index[d]) - before) * f->strides[d];
        if (more) return true;
    }
    return false;
}

static size_t element_text(const format *f, const char *at, char *out) {
    gd_dtype dtype = (gd_dtype)f->t->dtype;
    if (gd_dtype_is_float(dtype)) return gd_number_text(out, gd_load_f64(dtype, at), f->style);
    if (dtype != GD_BOOL) return gd_integer_text(out, gd_load_i64(dtype, at));
    bool truth = gd_load_i64(dtype, at) != 0;
    memcpy(out, truth ? "True" : "False", 5);
    return truth ? 4 : 5;
}

/* Floats share one style, found from the finite values that are not zero. */
static void choose_style(format *f) {
    double least = __builtin_inf(), most = 0;
    bool integers = true, any = false;
    visit v;
    visit_start(f, &v);
    do {
        double x = __builtin_fabs(gd_load_f64((gd_dtype)f->t->dtype, v.at));
        if (x == 0 || !(x <= __DBL_MAX__)) continue;
        any = true;
        integers = integers && x == __builtin_floor(x);
        least = x < least ? x : least;
        most = x > most ? x : most;
    } while (visit_next(f, &v));
    bool wide = any && (most / least > 1000.0 || most > 1.0e8);
    f->style = wide || (any && !integers && least < 1.0e-4) ? GD_NUMBER_SCIENTIFIC
               : integers                                   ? GD_NUMBER_INTEGER
                                                            : GD_NUMBER_FIXED;
}

/* The width is that of the widest element; zeros, infinities and NaN do not count, being shorter or rare. */
static void find_width(format *f) {
    bool is_float = gd_dtype_is_float((gd_dtype)f->t->dtype);
    char element[GD_NUMBER_BYTES];
    visit v;
    f->width = 1;
    visit_start(f, &v);
    do {
        double x = is_float ? gd_load_f64((gd_dtype)f->t->dtype, v.at) : 1;
        if (x == 0 || !(__builtin_fabs(x) <= __DBL_MAX__)) continue;
        size_t length = element_text(f, v.at, element);
        if (length > f->width) f->width = length;
    } while (visit_next(f, &v));
}

/* ---- brackets and lines -------------------------------------------------------------------- */

static void put_element(text *s, const format *f, const char *at) {
    char element[GD_NUMBER_BYTES];
    size_t length = element_text(f, at, element);
    if (length < f->width) put_repeated(s, ' ', f->width - length);
    put(s, element, length);
}

/* What stands between two slices of dimension d: blank lines for the outer ones, and the indent. */
static void put_separator(text *s, const format *f, int d) {
    put(s, ",", 1);
    put_repeated(s, '\n', (size_t)(f->t->ndim - d - 1));
    put_repeated(s, ' ', (size_t)(INDENT + d + 1));
}

/* The next item of the innermost dimension goes on this line, or on a new one. */
static void put_item_separator(text *s, const format *f, int64_t item) {
    int d = f->t->ndim - 1;
    int64_t room = (LINE_WIDTH - INDENT - d) / (int64_t)(f->width + 2);
    if (item % (room > 1 ? room : 1) != 0) {
        put(s, ", ", 2);
        return;
    }
    put(s, ",\n", 2);
    put_repeated(s, ' ', (size_t)(INDENT + d + 1));
}

static void put_row(text *s, const format *f, const char *at) {
    int d = f->t->ndim - 1;
    bool cut = f->shown[d] != f->t->sizes[d];
    put(s, "[", 1);
    for (int64_t i = 0, item = 0; i < f->shown[d]; i++, item++) {
        if (item) put_item_separator(s, f, item);
        if (cut && i == EDGE_ITEMS) {
            put(s, " ...", 4);
            put_item_separator(s, f, ++item);
        }
        put_element(s, f, at + shown_index(f, d, i) * f->strides[d]);
    }
    put(s, "]", 1);
}

/* Walks the rows shown, opening and closing a bracket for every dimension that starts or ends. */
static void put_rows(text *s, const format *f) {
    int64_t index[GD_MAX_DIMS] = {0};
    const char *at = f->t->data;
    int rows = f->t->ndim - 1; /* dimensions outside a row */
    put_repeated(s, '[', (size_t)rows);
    for (;;) {
        put_row(s, f, at);
        int d = rows - 1;
        for (; d >= 0; d--) {
            at -= shown_index(f, d, index[d]) * f->strides[d];
            if (++index[d] < f->shown[d]) break;
            index[d] = 0;
            put(s, "]", 1);
        }
        if (d < 0) return;
        at += shown_index(f, d, index[d]) * f->strides[d];
        put_separator(s, f, d);
        if (f->shown[d] != f->t->sizes[d] && index[d] == EDGE_ITEMS) {
            put(s, "...", 3);
            put_separator(s, f, d);
        }
        put_repeated(s, '[', (size_t)(rows - 1 - d));
    }
}

/* ---- suffixes ------------------------------------------------------------------------------ */

typedef struct suffixes {
    text *s;
    size_t line; /* characters of the last line, and two: PyTorch counts so */
} suffixes;

static void put_suffix(suffixes *x, const char *key, const char *value, const char *end) {
    size_t length = strlen(key) + strlen(value) + strlen(end);
    bool wrap = x->line + length + 2 > LINE_WIDTH;
    put(x->s, wrap ? ",\n" : ", ", 2);
    if (wrap) put_repeated(x->s, ' ', INDENT);
    x->line = wrap ? INDENT + length : x->line + length + 2;
    put_text(x->s, key);
    put_text(x->s, value);
    put_text(x->s, end);
}

/* "(2, 3)", as Python prints a tuple. */
static void put_size(suffixes *x, const gd_tensor *t) {
    char sizes[GD_MAX_DIMS * 22];
    gd_shape_text(sizes, sizeof sizes, t->ndim, t->sizes);
    size_t length = strlen(sizes);
    sizes[0] = '(';
    sizes[length - 1] = ')';
    if (t->ndim != 1) {
        put_suffix(x, "size=", sizes, "");
        return;
    }
    sizes[length - 1] = ',';
    put_suffix(x, "size=", sizes, ")");
}

/* The name of the node behind t; NULL for a leaf. GD_E_STATE when t is a view whose base was overwritten. */
static gd_code name_grad_fn(gd_ctx *ctx, const gd_tensor *t, const char **name) {
    *name = NULL;
    if (!t->grad_fn && !gd_is_view(t)) return GD_OK;
    gd_code before = ctx->error.code;
    ctx->error.code = GD_OK;
    gd_node *node = gd_grad_fn(ctx, (gd_tensor *)(uintptr_t)t);
    if (node)
        *name = gd_node_name(node);
    else if (ctx->error.code != GD_OK)
        return ctx->error.code;
    ctx->error.code = before;
    return GD_OK;
}

static void put_suffixes(text *s, const gd_tensor *t, bool elided, const char *grad_fn) {
    gd_dtype dtype = (gd_dtype)t->dtype;
    bool hidden = dtype == GD_FLOAT32 || (t->numel > 0 && (dtype == GD_INT64 || dtype == GD_BOOL));
    suffixes x = {.s = s, .line = 2};
    for (size_t i = s->length; i > 0 && s->bytes[i - 1] != '\n'; i--) x.line++;
    if (elided || (t->numel == 0 && t->ndim != 1)) put_size(&x, t);
    if (!hidden) put_suffix(&x, "dtype=torch.", gd_dtype_name(dtype), "");
    if (grad_fn)
        put_suffix(&x, "grad_fn=<", grad_fn, ">");
    else if (gd_requires_grad(t))
        put_suffix(&x, "requires_grad=True", "", "");
    put(s, ")", 2); /* with its NUL */
}

static void put_values(text *s, format *f) {
    if (gd_dtype_is_float((gd_dtype)f->t->dtype)) choose_style(f);
    find_width(f);
    if (f->t->ndim == 0)
        put_element(s, f, f->t->data);
    else
        put_rows(s, f);
}

/* The only element, which has its width to itself: most of what is printed in tutorials and answers. */
static void put_single(text *s, format *f) {
    const gd_tensor *t = f->t;
    if (gd_dtype_is_float((gd_dtype)t->dtype)) {
        double x = __builtin_fabs(gd_load_f64((gd_dtype)t->dtype, t->data));
        bool any = x != 0 && x <= __DBL_MAX__, whole = !any || x == __builtin_floor(x);
        f->style = any && (x > 1.0e8 || (!whole && x < 1.0e-4)) ? GD_NUMBER_SCIENTIFIC
                   : whole                                      ? GD_NUMBER_INTEGER
                                                                : GD_NUMBER_FIXED;
    }
    put_repeated(s, '[', t->ndim);
    char *to = reserve(s, GD_NUMBER_BYTES);
    if (to) s->length += element_text(f, t->data, to);
    put_repeated(s, ']', t->ndim);
}

gd_code gd_repr_pass(gd_ctx *ctx, const gd_tensor *t, void (*take)(void *user, const char *text, size_t n),
                     void *user) {
    if (ctx->trace) gd_trace_read(ctx, t, "printing");
    text s = {.length = 0, .capacity = sizeof s.first};
    const char *grad_fn;
    format f;
    s.bytes = s.first;
    f.t = t;
    if (name_grad_fn(ctx, t, &grad_fn) != GD_OK) return ctx->error.code;
    put(&s, "tensor(", INDENT);
    bool elided = t->numel > 1 && !plan(&f);
    if (t->numel == 0)
        put(&s, "[]", 2);
    else if (elided)
        put(&s, "...", 3);
    else if (t->numel == 1)
        put_single(&s, &f);
    else
        put_values(&s, &f);
    put_suffixes(&s, t, elided, grad_fn);
    bool failed = s.failed;
    if (!failed) take(user, s.bytes, s.length - 1);
    if (s.bytes != s.first) free(s.bytes);
    return failed ? gd_fail_memory(ctx) : GD_OK;
}

static void take_copy(void *user, const char *text, size_t n) {
    char **copy = user;
    if ((*copy = malloc(n + 1))) memcpy(*copy, text, n + 1);
}

char *gd_repr(gd_ctx *ctx, const gd_tensor *t) {
    char *copy = NULL;
    if (gd_repr_pass(ctx, t, take_copy, &copy) == GD_OK && !copy) gd_fail_memory(ctx);
    return copy;
}
