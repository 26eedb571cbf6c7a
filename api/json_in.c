/* json_in.c: the guard over request documents, and handing them to jansson; see json_in.h.
 *
 * What jansson should not or cannot read is cut out of a copy of the text: an array of numbers becomes the string
 * "\u0001INDEX" (that character is refused elsewhere), bare NaN and infinities and too large numbers become the strings
 * or reals that stand for them. Most documents need no copy. */
#include "api/json_in.h"
#include "api/number.h"

#include <stdlib.h>

enum { NO_ARRAY = -1, PLAIN_BYTES = 4096 };

/* A piece of the text that the copy says otherwise. */
typedef struct cut {
    const char *start, *end;
    long array; /* index of the array of numbers, or NO_ARRAY: a word or number */
} cut;

typedef struct guard {
    gd_body *b;
    gd_fault *f;
    const char *end;
    bool in_object[GD_JSON_DEPTH + 1];
    int depth;
    bool key_next, args_next;
    size_t values;
    cut *cuts;
    size_t ncuts, capacity;
    const char *impure[GD_JSON_DEPTH + 1]; /* arrays known to be no plain numbers, in order */
    int nimpure, at_impure;
} guard;

void gd_body_place(const gd_body *b, const char *at, gd_fault *f) {
    f->line = f->column = 1;
    for (const char *p = b->text; p < at && p < b->text + b->length; p++) {
        if (*p == '\n')
            f->line++, f->column = 1;
        else if (((unsigned char)*p & 0xC0) != 0x80)
            f->column++;
    }
}

static bool fail_at(guard *g, const char *at, const char *code, const char *detail) {
    gd_fault_set(g->f, code, "%s", detail);
    gd_body_place(g->b, at, g->f);
    return false;
}

static bool fail_memory(guard *g) {
    return gd_fault_set(g->f, "out_of_memory", "The server has no memory left for this document.");
}

static bool add_cut(guard *g, const char *start, const char *end, long array) {
    if (g->ncuts == g->capacity) {
        size_t capacity = g->capacity ? 2 * g->capacity : 16;
        cut *cuts = realloc(g->cuts, capacity * sizeof *cuts);
        if (!cuts) return fail_memory(g);
        g->cuts = cuts;
        g->capacity = capacity;
    }
    g->cuts[g->ncuts++] = (cut){start, end, array};
    return true;
}

static bool add_array(guard *g, const gd_numbers *n) {
    gd_body *b = g->b;
    if (b->narrays == b->capacity) {
        size_t capacity = b->capacity ? 2 * b->capacity : 4;
        gd_numbers *arrays = realloc(b->arrays, capacity * sizeof *arrays);
        if (!arrays) return fail_memory(g);
        b->arrays = arrays;
        b->capacity = capacity;
    }
    b->arrays[b->narrays] = *n;
    return add_cut(g, n->start, n->end, (long)b->narrays++);
}

/* ---- looking over the text ----------------------------------------------------------------- */

/* A string from its quote on; behind its end. NULL with the fault set. */
static const char *pass_string(guard *g, const char *p) {
    const char *start = p++;
    for (; p < g->end && *p != '"'; p++) {
        if (*p != '\\') continue;
        if (g->end - p >= 6 && p[1] == 'u' && !memcmp(p + 2, "000", 3) && (p[5] == '0' || p[5] == '1')) {
            fail_at(g, p, "malformed_json", "The characters \\u0000 and \\u0001 are not allowed in strings.");
            return NULL;
        }
        if (++p == g->end) break;
    }
    if (p < g->end) p++;
    g->args_next = g->key_next && p - start == 6 && !memcmp(start, "\"args\"", 6);
    return p;
}

static const char *enter(guard *g, const char *p, bool object) {
    if (g->depth == GD_JSON_DEPTH) {
        fail_at(g, p, "too_deep", "The document nests more than 64 deep.");
        return NULL;
    }
    g->in_object[++g->depth] = object;
    g->key_next = object;
    g->args_next = false;
    return p + 1;
}

static bool is_impure(guard *g, const char *p) {
    while (g->at_impure < g->nimpure && g->impure[g->at_impure] < p) g->at_impure++;
    return g->at_impure < g->nimpure && g->impure[g->at_impure] == p;
}

static const char *pass_array(guard *g, const char *p) {
    gd_numbers n;
    const char *stop;
    if (g->args_next || is_impure(g, p)) return enter(g, p, false);
    g->at_impure = g->nimpure = 0;
    const char *end = gd_numbers_scan(p, g->end, &n, &stop, g->impure, &g->nimpure);
    if (!end) return enter(g, p, false);
    if (n.count >= GD_NUMBERS_FROM || n.odd || end - p >= 1024) return add_array(g, &n) ? end : NULL;
    g->values += (size_t)n.count + 1;
    return end;
}

static const char *pass_number(guard *g, const char *p) {
    const char *start = p;
    while (p < g->end && strchr("+-.0123456789eE", *p) && *p) p++;
    if (gd_number_is_odd(start, p) && !add_cut(g, start, p, NO_ARRAY)) return NULL;
    return p;
}

static const char *pass_word(guard *g, const char *p) {
    size_t n = gd_number_word(p, g->end);
    if ((*p == 'N' || *p == 'I' || *p == '-') && n > 0) return add_cut(g, p, p + n, NO_ARRAY) ? p + n : NULL;
    return p + 1; /* true, false, null: letter by letter, jansson checks them */
}

static const char *pass_value(guard *g, const char *p) {
    g->values++;
    if (g->values > GD_JSON_VALUES) {
        fail_at(g, p, "too_many_values", "The document has more than 100,000 values besides arrays of numbers.");
        return NULL;
    }
    if (*p == '{') return enter(g, p, true);
    return *p == '[' ? pass_array(g, p) : pass_number(g, p);
}

/* One step behind p. NULL: stop, with the fault set. */
static const char *pass(guard *g, const char *p) {
    switch (*p) {
    case '"': g->values++; return g->values > GD_JSON_VALUES ? pass_value(g, p) : pass_string(g, p);
    case ',': g->key_next = g->in_object[g->depth]; return p + 1;
    case ':': g->key_next = false; return p + 1;
    case ']':
    case '}':
        if (g->depth > 0) g->depth--;
        g->key_next = false;
        return p + 1;
    case '-':
        if (p + 1 < g->end && p[1] == 'I') return pass_word(g, p);
        return pass_value(g, p);
    case '[':
    case '{':
    case '0' ... '9': return pass_value(g, p);
    default: return pass_word(g, p);
    }
}

/* ---- the copy ------------------------------------------------------------------------------ */

static void put_cut(gd_text *t, const cut *c) {
    double v;
    if (c->array >= 0)
        gd_text_f(t, "\"\\u0001%ld\"", c->array);
    else if (*c->start == 'N' || *c->start == 'I' || c->start[1] == 'I')
        gd_text_string_n(t, c->start, (size_t)(c->end - c->start));
    else if (gd_read_f64(c->start, c->end, &v) == c->end)
        gd_text_f64(t, v);
    else
        gd_text_put(t, c->start, (size_t)(c->end - c->start));
}

static bool make_copy(guard *g, gd_text *t) {
    const char *done = g->b->text;
    for (size_t i = 0; i < g->ncuts; i++) {
        gd_text_put(t, done, (size_t)(g->cuts[i].start - done));
        put_cut(t, &g->cuts[i]);
        done = g->cuts[i].end;
    }
    gd_text_put(t, done, (size_t)(g->end - done));
    return t->failed ? fail_memory(g) : true;
}

/* The place in the text that became `position` of the copy. */
static const char *original(const guard *g, size_t position) {
    const char *done = g->b->text;
    for (size_t i = 0; i < g->ncuts; i++) {
        gd_text t = {0};
        size_t before = (size_t)(g->cuts[i].start - done);
        put_cut(&t, &g->cuts[i]);
        size_t length = t.n;
        gd_text_free(&t);
        if (position < before) break;
        if (position < before + length) return g->cuts[i].start;
        position -= before + length;
        done = g->cuts[i].end;
    }
    return done + position;
}

static bool parse(guard *g, const char *text, size_t length) {
    json_error_t error;
    if (g->ncuts == 0 && (g->b->root = gd_json_keep(text, length))) return true;
    gd_json_arena_begin(&g->b->arena);
    /* Only a short one: what a vain attempt leaves in the arena is then next to nothing. */
    g->b->root = length <= PLAIN_BYTES ? gd_json_plain(text, length) : NULL;
    if (!g->b->root) g->b->root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    gd_json_arena_pause();
    if (g->b->root) return true;
    if (json_error_code(&error) == json_error_out_of_memory) return fail_memory(g);
    size_t position = error.position < 0 ? 0 : (size_t)error.position;
    gd_fault_set(g->f, "malformed_json", "The body is no JSON: %s.", error.text);
    gd_body_place(g->b, original(g, position ? position - 1 : 0), g->f);
    return false;
}

static bool parse_with_cuts(guard *g) {
    gd_text copy = {0};
    bool ok = make_copy(g, &copy) && parse(g, copy.data, copy.n);
    gd_text_free(&copy);
    return ok;
}

bool gd_body_read(gd_body *b, const char *text, size_t length, gd_fault *f) {
    guard g;
    g.b = b;
    g.f = f;
    g.end = text + length;
    g.depth = g.nimpure = g.at_impure = 0;
    g.in_object[0] = g.key_next = g.args_next = false;
    g.values = g.ncuts = g.capacity = 0;
    g.cuts = NULL;
    b->text = text;
    b->length = length;
    if ((b->root = gd_json_kept(text, length))) return true;
    const char *p = text;
    while (p < g.end && strchr(" \t\r\n", *p) && *p) p++;
    if (p == g.end) return true;
    while (p && p < g.end) p = pass(&g, p);
    bool ok = p && (g.ncuts > 0 ? parse_with_cuts(&g) : parse(&g, text, length));
    free(g.cuts);
    return ok;
}

void gd_body_init(gd_body *b) {
    b->root = NULL;
    b->text = "";
    b->length = 0;
    b->arrays = NULL;
    b->narrays = b->capacity = 0;
    b->arena.blocks = NULL;
}

void gd_body_free(gd_body *b) {
    gd_json_arena_free(&b->arena); /* the tree with it */
    free(b->arrays);
    gd_body_init(b);
}

const gd_numbers *gd_body_numbers(const gd_body *b, const json_t *j) {
    const char *s = b->narrays > 0 ? json_string_value(j) : NULL;
    return s && *s == 1 ? &b->arrays[strtoul(s + 1, NULL, 10)] : NULL;
}
