/* numbers.c: arrays of plain numbers in JSON text: finding their shape, and reading them into tensor memory. Each
 * character is looked at once to find the shape and kinds, and once to read the numbers. */
#include "api/json_in.h"
#include "api/number.h"
#include "core/tensor/tensor.h"

#include <inttypes.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { DIGIT = 1, POINT = 2, EXPONENT = 4, SIGN = 8, NUMBER = 15, SPACE = 16 };

static const uint8_t classes[256] = {
    ['0' ... '9'] = DIGIT, ['.'] = POINT, ['e'] = EXPONENT, ['E'] = EXPONENT, ['+'] = SIGN,
    ['-'] = SIGN,          [' '] = SPACE, ['\t'] = SPACE,   ['\n'] = SPACE,   ['\r'] = SPACE,
};

static unsigned class_of(char c) { return classes[(unsigned char)c]; }

static const char *skip_space(const char *p, const char *end) {
    while (p < end && class_of(*p) == SPACE) p++;
    return p;
}

size_t gd_number_word(const char *p, const char *end) {
    static const char *const words[] = {"true",      "false",   "NaN",          "Infinity",
                                        "-Infinity", "\"NaN\"", "\"Infinity\"", "\"-Infinity\""};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - p) >= n && !memcmp(p, words[i], n)) return n;
    }
    return 0;
}

static double word_value(const char *p) {
    if (*p == '"') p++;
    return *p == 'N' ? __builtin_nan("") : *p == '-' ? -__builtin_inf() : __builtin_inf();
}

bool gd_number_is_odd(const char *p, const char *end) {
    int64_t integer;
    bool fits;
    const char *e = p;
    while (e < end && class_of(*e) != EXPONENT) e++;
    if (e < end) return end - e > 3 || e - p >= 300; /* three digits of exponent may be too many */
    if (end - p >= 300) return true;
    return end - p >= 19 && gd_read_i64(p, end, &integer, &fits) == end && !fits;
}

/* ---- the shape ----------------------------------------------------------------------------- */

typedef struct scan {
    gd_numbers *n;
    int depth, leaf_depth, deepest; /* leaf_depth -1: none seen yet */
    int64_t counts[GD_JSON_DEPTH + 1];
    const char *open[GD_JSON_DEPTH + 1];
} scan;

static void set_ragged(gd_numbers *n, int dim, int64_t expected, int64_t got) {
    if (n->ragged) return;
    n->ragged = true;
    n->ragged_dim = dim;
    n->ragged_expected = expected;
    n->ragged_got = got;
}

static void count_leaf(scan *s) {
    s->counts[s->depth]++;
    s->n->count++;
    if (s->leaf_depth < 0) s->leaf_depth = s->depth;
    if (s->leaf_depth != s->depth) set_ragged(s->n, -1, 0, 0);
}

/* The end of the characters of numbers from p on; their classes are added to *seen. Sixteen at a time where the machine
 * can, as this looks at most of what a large document has. */
static const char *pass_number(const char *p, const char *end, unsigned *seen) {
    unsigned c;
#ifdef __SSE2__
    const __m128i low = _mm_set1_epi8('+'), span = _mm_set1_epi8('9' - '+'), upper = _mm_set1_epi8(0x20);
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p), from_low = _mm_sub_epi8(v, low);
        __m128i in_span = _mm_cmpeq_epi8(_mm_min_epu8(from_low, span), from_low);
        __m128i between = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')), _mm_cmpeq_epi8(v, _mm_set1_epi8('/')));
        __m128i exponent = _mm_cmpeq_epi8(_mm_or_si128(v, upper), _mm_set1_epi8('e'));
        unsigned ok = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(between, in_span), exponent));
        unsigned n = (unsigned)__builtin_ctz(~ok | 0x10000U), mask = (1U << n) - 1;
        if ((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.'))) & mask) *seen |= POINT;
        if ((unsigned)_mm_movemask_epi8(exponent) & mask) *seen |= EXPONENT;
        if (n < 16) return p + n;
    }
#endif
    while (p < end && (c = class_of(*p)) & NUMBER) *seen |= c, p++;
    return p;
}

/* A number from p on; its end. */
static const char *scan_number(gd_numbers *n, const char *p, const char *end) {
    const char *start = p;
    unsigned seen = 0;
    p = pass_number(p, end, &seen);
    if (seen & (POINT | EXPONENT))
        n->has_real = true;
    else
        n->has_integer = true;
    bool suspect = (seen & EXPONENT) || p - start >= (seen & POINT ? 300 : 19);
    if (suspect && !n->odd) n->odd = gd_number_is_odd(start, p);
    return p;
}

static const char *scan_word(gd_numbers *n, const char *p, const char *end) {
    size_t length = gd_number_word(p, end);
    if (length == 0) return NULL;
    if (*p == 't' || *p == 'f')
        n->has_bool = true;
    else {
        n->has_real = true;
        n->odd |= *p != '"';
    }
    return p + length;
}

static const char *scan_leaf(scan *s, const char *p, const char *end) {
    bool number = class_of(*p) == DIGIT || (*p == '-' && p + 1 < end && p[1] != 'I');
    p = number ? scan_number(s->n, p, end) : scan_word(s->n, p, end);
    if (p) count_leaf(s);
    return p;
}

const char *gd_numbers_scan_one(const char *p, const char *end, gd_numbers *out, const char **stop) {
    scan s = {.n = out, .leaf_depth = 0};
    *out = (gd_numbers){.start = p};
    *stop = p;
    out->end = p < end ? scan_leaf(&s, p, end) : NULL;
    return out->end;
}

static void open_array(scan *s, const char *p) {
    if (s->depth > 0) s->counts[s->depth]++;
    if (s->leaf_depth >= 0 && s->depth + 1 > s->leaf_depth) set_ragged(s->n, -1, 0, 0);
    s->open[s->depth++] = p;
    s->counts[s->depth] = 0;
    if (s->depth <= s->deepest) return;
    s->deepest = s->depth;
    s->n->sizes[s->depth - 1] = -1;
}

static void close_array(scan *s) {
    int64_t *size = &s->n->sizes[s->depth - 1], count = s->counts[s->depth];
    if (*size < 0)
        *size = count;
    else if (*size != count)
        set_ragged(s->n, s->depth - 1, *size, count);
    s->depth--;
}

static const char *finish(scan *s, const char *p) {
    s->n->end = p;
    s->n->ndim = s->leaf_depth > 0 ? s->leaf_depth : s->deepest;
    if (s->deepest != s->n->ndim) set_ragged(s->n, -1, 0, 0);
    return p;
}

static const char *give_up(scan *s, const char *p, const char **stop, const char **open, int *nopen) {
    *stop = p;
    *nopen = s->depth;
    memcpy(open, s->open, (size_t)s->depth * sizeof *open);
    return NULL;
}

const char *gd_numbers_scan(const char *p, const char *end, gd_numbers *out, const char **stop, const char **open,
                            int *nopen) {
    scan s;
    s.n = out;
    s.depth = s.deepest = 0;
    s.leaf_depth = -1;
    *out = (gd_numbers){.start = p};
    for (bool may_close = false;;) { /* a value, or where an array was just opened its end */
        p = skip_space(p, end);
        if (p < end && *p == '[' && s.depth < GD_JSON_DEPTH) {
            open_array(&s, p++);
            may_close = true;
            continue;
        }
        if (p == end || *p == '[') return give_up(&s, p, stop, open, nopen);
        if (!(may_close && *p == ']')) {
            const char *next = scan_leaf(&s, p, end);
            if (!next) return give_up(&s, p, stop, open, nopen);
            p = skip_space(next, end);
        }
        for (; p < end && *p == ']'; p = skip_space(p + 1, end)) {
            close_array(&s);
            if (s.depth == 0) return finish(&s, p + 1);
        }
        if (p == end || *p != ',') return give_up(&s, p, stop, open, nopen);
        p++;
        may_close = false;
    }
}

/* An entry that is no array but one number: up to the comma or bracket behind it. */
static const char *bare_entry(const char *p, const char *end, gd_numbers *n) {
    n->start = p;
    while (p < end && *p != ',' && *p != ']' && class_of(*p) != SPACE) p++;
    n->end = p;
    n->count = 1;
    return p;
}

gd_numbers *gd_numbers_entries(const gd_numbers *n) {
    gd_numbers *entries = calloc((size_t)n->sizes[0] + 1, sizeof *entries);
    const char *p = n->start + 1, *stop, *open[GD_JSON_DEPTH + 1];
    int nopen;
    for (int64_t i = 0; entries && p && i < n->sizes[0]; i++) {
        while (p < n->end && (*p == ',' || class_of(*p) == SPACE)) p++;
        p = *p == '[' ? gd_numbers_scan(p, n->end, &entries[i], &stop, open, &nopen)
                      : bare_entry(p, n->end, &entries[i]);
    }
    return entries;
}

/* ---- the values ---------------------------------------------------------------------------- */

static bool fail_place(const gd_body *b, const char *at, gd_fault *f) {
    gd_fault_set(f, "malformed_json", "This is no JSON number.");
    gd_body_place(b, at, f);
    return false;
}

/* The leaf at p, as it was written; its end, or NULL. */
static const char *read_leaf(const char *p, const char *end, gd_value *v) {
    bool fits = false;
    size_t word = class_of(*p) == DIGIT ? 0 : gd_number_word(p, end);
    if (word > 0) {
        *v = *p == 't' || *p == 'f' ? GD_BOOL_VALUE(*p == 't') : GD_FLOAT_VALUE(word_value(p));
        return p + word;
    }
    const char *e = p;
    unsigned seen = 0, c;
    while (e < end && (c = class_of(*e)) & NUMBER) seen |= c, e++;
    if (!(seen & (POINT | EXPONENT))) {
        v->kind = GD_V_INT;
        if (gd_read_i64(p, e, &v->u.integer, &fits) == e && fits) return e;
    }
    v->kind = GD_V_FLOAT;
    return gd_read_f64(p, e, &v->u.real) == e ? e : NULL;
}

static const char *next_leaf(const char *p, const char *end) {
    while (p < end && (*p == '[' || *p == ']' || *p == ',' || class_of(*p) == SPACE)) p++;
    return p;
}

/* Numbers only, into doubles or floats: the hot loops. */
#define FILL_REALS(name, type)                                                                                         \
    static const char *name(const char *p, const char *end, type *out, int64_t n) {                                    \
        for (p = next_leaf(p, end); p < end; p = next_leaf(p, end)) {                                                  \
            double v;                                                                                                  \
            const char *next = gd_read_f64(p, end, &v);                                                                \
            if (n-- == 0) return p;                                                                                    \
            if (!next || (class_of(*next) & NUMBER)) {                                                                 \
                gd_value word;                                                                                         \
                if (!(next = read_leaf(p, end, &word))) return p;                                                      \
                v = word.kind == GD_V_BOOL ? (double)word.u.boolean : word.u.real;                                     \
            }                                                                                                          \
            *out++ = (type)v;                                                                                          \
            p = next;                                                                                                  \
        }                                                                                                              \
        return NULL;                                                                                                   \
    }
FILL_REALS(fill_doubles, double)
FILL_REALS(fill_floats, float)

static bool store(gd_dtype dtype, char *out, const gd_value *v) {
    if (v->kind == GD_V_FLOAT) {
        double r = v->u.real;
        bool fits = dtype == GD_UINT8   ? r >= 0 && r <= UINT8_MAX
                    : dtype == GD_INT8  ? r >= INT8_MIN && r <= INT8_MAX
                    : dtype == GD_INT16 ? r >= INT16_MIN && r <= INT16_MAX
                    : dtype == GD_INT32 ? r >= INT32_MIN && r <= INT32_MAX
                    : dtype == GD_INT64 ? r >= -0x1p63 && r < 0x1p63
                                        : true;
        if (fits) gd_store_f64(dtype, out, r);
        return fits;
    }
    int64_t i = v->kind == GD_V_BOOL ? v->u.boolean : v->u.integer;
    bool fits = dtype == GD_UINT8   ? i >= -UINT8_MAX && i <= UINT8_MAX
                : dtype == GD_INT8  ? i >= INT8_MIN && i <= INT8_MAX
                : dtype == GD_INT16 ? i >= INT16_MIN && i <= INT16_MAX
                : dtype == GD_INT32 ? i >= INT32_MIN && i <= INT32_MAX
                                    : true;
    if (fits) gd_store_i64(dtype, out, i);
    return fits;
}

static bool fill_others(const gd_body *b, const gd_numbers *n, gd_tensor *t, gd_fault *f) {
    gd_dtype dtype = gd_dtype_of(t);
    char *out = t->data;
    gd_value v;
    for (const char *p = next_leaf(n->start, n->end); p < n->end; p = next_leaf(p, n->end)) {
        const char *next = read_leaf(p, n->end, &v);
        if (!next) return fail_place(b, p, f);
        if (!store(dtype, out, &v)) {
            gd_fault_set(f, "runtime_error", "value cannot be converted to type %s without overflow",
                         gd_dtype_name(dtype));
            gd_body_place(b, p, f);
            return false;
        }
        out += gd_dtype_bytes(dtype);
        p = next;
    }
    return true;
}

static bool fill(const gd_body *b, const gd_numbers *n, gd_tensor *t, gd_fault *f) {
    const char *bad;
    switch (gd_dtype_of(t)) {
    case GD_FLOAT64: bad = fill_doubles(n->start, n->end, (double *)(void *)t->data, n->count); break;
    case GD_FLOAT32: bad = fill_floats(n->start, n->end, (float *)(void *)t->data, n->count); break;
    default: return fill_others(b, n, t, f);
    }
    return bad ? fail_place(b, bad, f) : true;
}

static bool fail_ragged(const gd_body *b, const gd_numbers *n, gd_fault *f) {
    if (n->ragged_dim < 0)
        gd_fault_set(f, "bad_argument", "not a sequence");
    else
        gd_fault_set(f, "bad_value", "expected sequence of length %" PRId64 " at dim %d (got %" PRId64 ")",
                     n->ragged_expected, n->ragged_dim, n->ragged_got);
    gd_body_place(b, n->start, f);
    return false;
}

gd_tensor *gd_numbers_tensor(const gd_body *b, const gd_numbers *n, gd_ctx *ctx, const gd_dtype *dtype, gd_fault *f) {
    gd_dtype inferred = n->has_real || n->count == 0 || (n->odd && n->has_integer) ? GD_FLOAT32
                        : n->has_integer                                           ? GD_INT64
                                                                                   : GD_BOOL;
    if (n->ragged) return fail_ragged(b, n, f), NULL;
    gd_tensor *t = gd_empty(ctx, dtype ? *dtype : inferred, n->ndim, n->sizes);
    if (!t) return gd_fault_engine(f, ctx), NULL;
    if (fill(b, n, t, f)) return t;
    gd_release(t);
    return NULL;
}

bool gd_numbers_values(const gd_body *b, const gd_numbers *n, gd_value *out, gd_fault *f) {
    for (const char *p = next_leaf(n->start, n->end); p < n->end; p = next_leaf(p, n->end)) {
        const char *next = read_leaf(p, n->end, out++);
        if (!next) return fail_place(b, p, f);
        p = next;
    }
    return true;
}
