/* einsum.c: sums of products by an equation. Every operand is brought to the dimensions of the output followed by those
 * that are summed, with size 1 where it has none; pairs are then contracted from left to right by batched matrix
 * products, as PyTorch does without a path. */
#include <ctype.h>
#include <string.h>

#include "core/ops/compose.h"
#include "core/ops/families.h"

#define LABELS 52
#define ELLIPSIS LABELS

typedef struct equation {
    int noperands;
    const char *text;     /* of the output, after the arrow; NULL: implicit */
    int64_t size[LABELS]; /* of each label; 0 entries at first, then 1 or more */
    bool seen[LABELS];
    int count[LABELS];  /* how often it comes in the inputs */
    int ellipsis;       /* most dimensions that an ellipsis stands for */
    int place[LABELS];  /* dimension among the output's and the summed ones; -1: not there */
    int ellipsis_place; /* dimension of the ellipsis's first */
    int nout, total;
} equation;

typedef struct subscripts {
    int n;
    int label[GD_MAX_DIMS]; /* or ELLIPSIS for each dimension that it stands for */
    int ellipsis;           /* how many dimensions it stands for */
} subscripts;

static int label_of(char ch) {
    if (ch >= 'A' && ch <= 'Z') return ch - 'A';
    if (ch >= 'a' && ch <= 'z') return ch - 'a' + 26;
    return -1;
}

static char letter_of(int label) { return (char)(label < 26 ? 'A' + label : 'a' + label - 26); }

/* Reads one operand's subscripts up to a comma, an arrow or the end. */
static gd_code read_operand(gd_ctx *c, const char **at, const gd_tensor *t, int operand, subscripts *s) {
    const char *p = *at;
    int letters = 0;
    bool dots = false;
    for (const char *q = p; *q && *q != ',' && *q != '-'; q++) letters += isalpha((unsigned char)*q) != 0;
    s->n = s->ellipsis = 0;
    for (; *p && *p != ',' && *p != '-'; p++) {
        if (*p == ' ') continue;
        if (*p == '.') {
            if (strncmp(p, "...", 3) != 0 || dots)
                return gd_fail(c, GD_E_RUNTIME,
                               dots ? "einsum(): found '.' for operand %d for which an ellipsis was already found"
                                    : "einsum(): found '.' for operand %d that is not part of any ellipsis",
                               operand);
            dots = true;
            for (p += 2; letters + s->ellipsis < t->ndim; s->ellipsis++) s->label[s->n++] = ELLIPSIS;
            continue;
        }
        int label = label_of(*p);
        if (label < 0)
            return gd_fail(
                c, GD_E_RUNTIME,
                "einsum(): invalid subscript given at index %d in the equation string, subscripts must be in "
                "[a-zA-Z]",
                (int)(p - *at));
        if (s->n < GD_MAX_DIMS) s->label[s->n++] = label;
    }
    if (letters + s->ellipsis != t->ndim)
        return gd_fail(c, GD_E_RUNTIME,
                       "einsum(): the number of subscripts in the equation (%d) %s the number of dimensions (%d) for "
                       "operand %d%s",
                       letters, dots ? "is more than" : "does not match", t->ndim, operand,
                       dots ? "" : " and no ellipsis was given");
    *at = p;
    return GD_OK;
}

static gd_code note_sizes(gd_ctx *c, equation *e, const gd_tensor *t, const subscripts *s, int operand) {
    if (s->ellipsis > e->ellipsis) e->ellipsis = s->ellipsis;
    for (int d = 0; d < s->n; d++) {
        int label = s->label[d];
        if (label == ELLIPSIS) continue;
        e->count[label]++;
        if (e->seen[label] && e->size[label] != 1 && t->sizes[d] != 1 && e->size[label] != t->sizes[d])
            return gd_fail(c, GD_E_RUNTIME,
                           "einsum(): subscript %c has size %lld for operand %d which does not broadcast with "
                           "previously seen size %lld",
                           letter_of(label), (long long)t->sizes[d], operand, (long long)e->size[label]);
        if (!e->seen[label] || e->size[label] == 1) e->size[label] = t->sizes[d];
        e->seen[label] = true;
    }
    return GD_OK;
}

static gd_code place_output(gd_ctx *c, equation *e) {
    bool dots = false;
    for (const char *p = e->text; *p; p++) {
        if (*p == ' ') continue;
        if (*p == '.') {
            if (strncmp(p, "...", 3) != 0 || dots)
                return gd_fail(c, GD_E_RUNTIME, "einsum(): found '.' for output %s",
                               dots ? "but an ellipsis (...) was already found"
                                    : "that is not part of any ellipsis (...)");
            dots = true;
            p += 2;
            e->ellipsis_place = e->nout;
            e->nout += e->ellipsis;
            continue;
        }
        int label = label_of(*p);
        if (label < 0)
            return gd_fail(
                c, GD_E_RUNTIME,
                "einsum(): invalid subscript given at index %d in the equation string, subscripts must be in "
                "[a-zA-Z]",
                (int)(p - e->text));
        if (!e->seen[label])
            return gd_fail(c, GD_E_RUNTIME,
                           "einsum(): output subscript %c does not appear in the equation for any input operand", *p);
        if (e->place[label] >= 0)
            return gd_fail(c, GD_E_RUNTIME, "einsum(): output subscript %c appears more than once in the output", *p);
        e->place[label] = e->nout++;
    }
    return GD_OK;
}

/* Without an arrow: the ellipsis, then what comes once, in the order of the alphabet. */
static gd_code place_dims(gd_ctx *c, equation *e) {
    for (int l = 0; l < LABELS; l++) e->place[l] = -1;
    e->ellipsis_place = -1;
    if (e->text) {
        gd_code code = place_output(c, e);
        if (code) return code;
    } else {
        e->ellipsis_place = 0;
        e->nout = e->ellipsis;
        for (int l = 0; l < LABELS; l++)
            if (e->count[l] == 1) e->place[l] = e->nout++;
    }
    e->total = e->nout;
    if (e->ellipsis_place < 0) {
        e->ellipsis_place = e->total;
        e->total += e->ellipsis;
    }
    for (int l = 0; l < LABELS; l++)
        if (e->seen[l] && e->place[l] < 0) e->place[l] = e->total++;
    if (e->total > GD_MAX_DIMS) return gd_fail(c, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
    return GD_OK;
}

/* The operand with the equation's dimensions: repeated labels become diagonals, missing ones size 1. */
static gd_tensor *arranged(gd_ctx *c, const equation *e, gd_tensor *t, const subscripts *s) {
    int label[GD_MAX_DIMS], n = 0, dots = e->ellipsis - s->ellipsis;
    int64_t order[GD_MAX_DIMS];
    int place[GD_MAX_DIMS];
    for (int d = 0, from = 0; d < s->n; d++) {
        int l = s->label[d], before = -1;
        for (int k = 0; l != ELLIPSIS && k < n; k++)
            if (label[k] == l) before = k;
        if (before < 0) {
            label[n] = l;
            place[n++] = l == ELLIPSIS ? e->ellipsis_place + dots++ : e->place[l];
            from++;
            continue;
        }
        if (!t) return NULL;
        if (t->sizes[before] != t->sizes[from]) {
            (void)gd_fail(c, GD_E_RUNTIME,
                          "einsum(): subscript %c is repeated for operand but the sizes don't match, %lld != %lld",
                          letter_of(l), (long long)t->sizes[from], (long long)t->sizes[before]);
            return NULL;
        }
        t = GX(c, diagonal, T_(t), I_(0), I_(before), I_(from));
        t = GX(c, movedim, T_(t), SHAPE_(-1), SHAPE_(before));
    }
    for (int d = 0; d < e->total; d++) order[d] = -1;
    for (int k = 0; k < n; k++) order[place[k]] = k;
    for (int d = 0; d < e->total; d++)
        if (order[d] < 0) {
            t = GX(c, unsqueeze, T_(t), I_(n));
            order[d] = n++;
        }
    return GX(c, permute, T_(t), IS_(order, e->total));
}

/* ---- pairs ------------------------------------------------------------------------------------------------- */

/* x y summed over the marked dimensions, which stay with size 1. */
static gd_tensor *pair_product(gd_ctx *c, gd_tensor *x, gd_tensor *y, const bool *summed) {
    int64_t px[GD_MAX_DIMS], py[GD_MAX_DIMS], shape[GD_MAX_DIMS], back[GD_MAX_DIMS], size[4] = {1, 1, 1, 1};
    int kind[GD_MAX_DIMS], n = 0, m = 0, ndim = x->ndim;
    for (int d = 0; d < ndim; d++) { /* 0: in both and kept, 1: only in x, 2: summed, 3: the rest */
        kind[d] = summed[d] ? 2 : x->sizes[d] != 1 && y->sizes[d] != 1 ? 0 : x->sizes[d] != 1 ? 1 : 3;
        size[kind[d]] *= kind[d] == 3 ? y->sizes[d] : x->sizes[d];
    }
    for (int k = 0; k < 4; k++)
        for (int d = 0; d < ndim; d++)
            if (kind[d] == k) {
                shape[n] = k == 2 ? 1 : k == 3 ? y->sizes[d] : x->sizes[d];
                back[d] = n;
                px[n++] = d;
            }
    static const int order[] = {0, 2, 3, 1};
    for (int i = 0; i < 4; i++)
        for (int d = 0; d < ndim; d++)
            if (kind[d] == order[i]) py[m++] = d;
    gd_tensor *left = GX(c, permute, T_(x), IS_(px, ndim)), *right = GX(c, permute, T_(y), IS_(py, ndim));
    left = GX(c, reshape, T_(left), SHAPE_(size[0], size[1], size[2]));
    right = GX(c, reshape, T_(right), SHAPE_(size[0], size[2], size[3]));
    gd_tensor *out = GX(c, view, T_(GX(c, bmm, T_(left), T_(right))), IS_(shape, ndim));
    return GX(c, permute, T_(out), IS_(back, ndim));
}

/* Contracts x and y; `left` counts for each dimension the operands, from here on, that have it. */
static gd_tensor *contract(gd_ctx *c, const equation *e, gd_tensor *x, gd_tensor *y, int *left) {
    int64_t from_x[GD_MAX_DIMS], from_y[GD_MAX_DIMS];
    bool summed[GD_MAX_DIMS] = {0};
    int nx = 0, ny = 0, any = 0;
    if (!x || !y) return NULL;
    for (int d = e->nout; d < e->total; d++) {
        bool in_x = x->sizes[d] != 1, in_y = y->sizes[d] != 1;
        if (in_x && in_y) {
            if (--left[d] == 1) summed[d] = true, any++, left[d] = 0;
        } else if (left[d] == 1 && (in_x || in_y)) {
            if (in_x)
                from_x[nx++] = d;
            else
                from_y[ny++] = d;
            left[d] = 0;
        }
    }
    if (nx) x = GX(c, sum_dim, T_(x), IS_(from_x, nx), B_(true));
    if (ny) y = GX(c, sum_dim, T_(y), IS_(from_y, ny), B_(true));
    if (!x || !y) return NULL;
    return any ? pair_product(c, x, y, summed) : gx_mul(c, x, y);
}

static gd_tensor *finished(gd_ctx *c, const equation *e, gd_tensor *t) {
    int64_t dims[GD_MAX_DIMS];
    if (!t || e->total == e->nout) return t;
    if (e->noperands > 1) return GX(c, view, T_(t), IS_(t->sizes, e->nout));
    for (int d = e->nout; d < e->total; d++) dims[d - e->nout] = d;
    return GX(c, sum_dim, T_(t), IS_(dims, e->total - e->nout));
}

/* Reads the inputs' subscripts into s, and where the output's begin. */
static gd_code read_equation(gd_ctx *c, equation *e, const char *text, gd_tensor *const *list, subscripts *s) {
    for (int i = 0; i < e->noperands; i++) {
        gd_code code = read_operand(c, &text, list[i], i, &s[i]);
        if (!code) code = note_sizes(c, e, list[i], &s[i], i);
        if (code) return code;
        if (*text == ',' && i + 1 == e->noperands)
            return gd_fail(c, GD_E_RUNTIME, "einsum(): fewer operands were provided than specified in the equation");
        if (*text != ',' && i + 1 < e->noperands)
            return gd_fail(c, GD_E_RUNTIME, "einsum(): more operands were provided than specified in the equation");
        if (*text == ',') text++;
    }
    if (*text == '\0') return GD_OK;
    if (strncmp(text, "->", 2) != 0)
        return gd_fail(c, GD_E_RUNTIME, "einsum(): found '-' that is not part of an arrow");
    e->text = text + 2;
    return GD_OK;
}

static gd_tensor *evaluated(gd_ctx *c, const equation *e, gd_tensor *const *list, const subscripts *s,
                            gd_tensor **operands) {
    int left[GD_MAX_DIMS] = {0};
    for (int i = 0; i < e->noperands; i++) {
        operands[i] = arranged(c, e, list[i], &s[i]);
        if (!operands[i]) return NULL;
        for (int d = 0; d < e->total; d++) left[d] += operands[i]->sizes[d] != 1;
    }
    gd_tensor *out = operands[0];
    for (int i = 1; i < e->noperands; i++) out = contract(c, e, out, operands[i], left);
    return finished(c, e, out);
}

gd_code gd_fw_einsum(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *const *list = a->args[1].u.tensors;
    equation e = {.noperands = arg_count(a, 1)};
    if (e.noperands == 0) return gd_fail(c, GD_E_VALUE, "einsum(): must provide at least one operand");
    subscripts *s = calloc((size_t)e.noperands, sizeof *s);
    gd_tensor **operands = gd_pointers(c, e.noperands), *out = NULL;
    gd_code code = s && operands ? GD_OK : gd_fail_memory(c);
    if (!code) code = read_equation(c, &e, a->args[0].u.str, list, s);
    if (!code) code = place_dims(c, &e);
    if (!code) out = evaluated(c, &e, list, s, operands);
    free(operands);
    free(s);
    return code ? code : give_shared(a, out);
}
