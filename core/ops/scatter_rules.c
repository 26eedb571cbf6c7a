/* scatter_rules.c: derivative rules of the rows in scatter.def: what was overwritten has no gradient, what was written
 * gets it from its place. Formulas: PyTorch's derivatives.yaml, and FunctionsManual.cpp for the reductions. */
#include <string.h>

#include "core/ops/compose.h"
#include "core/ops/families.h"

static gd_value sizes_value(gd_bw *b, int argument) {
    int ndim;
    const int64_t *sizes = gd_bw_sizes(b, argument, &ndim);
    return IS_(sizes, ndim);
}

/* Zeros of argument's shape, pooled. */
static gd_tensor *zeros_of(gd_bw *b, int argument) {
    gd_value sizes = sizes_value(b, argument);
    if (b->ctx->error.code || !b->grads[0]) return NULL;
    return gd_pool_add(b->ctx, gd_zeros(b->ctx, (gd_dtype)b->grads[0]->dtype, (int)sizes.n, sizes.u.ints));
}

/* ---- parts ------------------------------------------------------------------------------------------------- */

void gd_bw_diagonal_scatter(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_value o = gd_bw_arg(b, 2), d1 = gd_bw_arg(b, 3), d2 = gd_bw_arg(b, 4);
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, diagonal_scatter, T_(g), T_(zeros_of(b, 1)), o, d1, d2));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(c, diagonal, T_(g), o, d1, d2));
}

void gd_bw_select_scatter(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_value d = gd_bw_arg(b, 2), i = gd_bw_arg(b, 3);
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, select_scatter, T_(g), T_(zeros_of(b, 1)), d, i));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(c, select, T_(g), d, i));
}

void gd_bw_slice_scatter(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_value d = gd_bw_arg(b, 2), from = gd_bw_arg(b, 3), to = gd_bw_arg(b, 4), step = gd_bw_arg(b, 5);
    gd_tensor *g = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, slice_scatter, T_(g), T_(zeros_of(b, 1)), d, from, to, step));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(c, slice, T_(g), d, from, to, step));
}

/* ---- entries of a dimension -------------------------------------------------------------------------------- */

static void cleared(gd_bw *b) {
    if (gd_bw_needs(b, 0))
        gd_bw_set(b, 0, GX(b->ctx, index_fill, T_(b->grads[0]), gd_bw_arg(b, 1), T_(gd_bw_tensor(b, 2)), I_(0)));
}

void gd_bw_index_fill(gd_bw *b) { cleared(b); }

void gd_bw_index_fill_tensor(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_value sizes = sizes_value(b, 0);
    cleared(b);
    if (!gd_bw_needs(b, 3)) return;
    gd_tensor *mask = c->error.code ? NULL : gd_pool_add(c, gd_zeros(c, GD_BOOL, (int)sizes.n, sizes.u.ints));
    mask = GX(c, index_fill, T_(mask), gd_bw_arg(b, 1), T_(gd_bw_tensor(b, 2)), B_(true));
    gd_bw_set(b, 3, GX(c, sum, T_(gx_where(c, mask, b->grads[0], gx_number(c, 0)))));
}

void gd_bw_index_copy(gd_bw *b) {
    gd_ctx *c = b->ctx;
    cleared(b);
    if (!gd_bw_needs(b, 3)) return;
    gd_tensor *g = GX(c, index_select, T_(b->grads[0]), gd_bw_arg(b, 1), T_(gd_bw_tensor(b, 2)));
    gd_bw_set(b, 3, GX(c, reshape, T_(g), sizes_value(b, 3)));
}

/* ---- single elements --------------------------------------------------------------------------------------- */

/* src may be larger than index: the rest of it was not used, and its gradient is zero. */
static gd_tensor *padded(gd_bw *b, gd_tensor *g, int argument) {
    gd_value sizes = sizes_value(b, argument);
    int64_t strides[GD_MAX_DIMS];
    if (!g) return NULL;
    bool same = g->ndim == (int)sizes.n;
    for (int d = 0; d < g->ndim && same; d++) same = g->sizes[d] == sizes.u.ints[d];
    if (same) return g;
    if (g->ndim != (int)sizes.n) return GX(b->ctx, reshape, T_(g), sizes);
    gd_contiguous_strides((int)sizes.n, sizes.u.ints, strides);
    return GX(b->ctx, _as_strided_scatter, T_(zeros_of(b, argument)), T_(g), IS_(g->sizes, g->ndim),
              IS_(strides, sizes.n), I_(0));
}

void gd_bw_scatter_value(gd_bw *b) {
    if (gd_bw_needs(b, 0))
        gd_bw_set(b, 0, GX(b->ctx, scatter_value, T_(b->grads[0]), gd_bw_arg(b, 1), T_(gd_bw_tensor(b, 2)), I_(0)));
}

void gd_bw_scatter(gd_bw *b) {
    gd_tensor *index = gd_bw_tensor(b, 2);
    gd_bw_scatter_value(b);
    if (!gd_bw_needs(b, 3)) return;
    if (index && index->numel == 0)
        gd_bw_set(b, 3, zeros_of(b, 3));
    else
        gd_bw_set(b, 3, padded(b, GX(b->ctx, gather, T_(b->grads[0]), gd_bw_arg(b, 1), T_(index)), 3));
}

void gd_bw_put(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *index = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0))
        gd_bw_set(b, 0, gd_bw_arg(b, 3).u.boolean ? g : GX(c, put, T_(g), T_(index), T_(zeros_of(b, 2)), B_(false)));
    if (gd_bw_needs(b, 2)) gd_bw_set(b, 2, GX(c, reshape, T_(GX(c, take, T_(g), T_(index))), sizes_value(b, 2)));
}

void gd_bw_take(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, put, T_(zeros_of(b, 0)), T_(gd_bw_tensor(b, 1)), T_(b->grads[0]), B_(true)));
}

void gd_bw_masked_scatter(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *mask = gd_bw_tensor(b, 1);
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, masked_fill, T_(g), T_(mask), I_(0)));
    if (!gd_bw_needs(b, 2)) return;
    gd_value sizes = sizes_value(b, 2);
    int64_t total = 1;
    for (uint32_t i = 0; i < sizes.n; i++) total *= sizes.u.ints[i];
    gd_tensor *taken = GX(c, masked_select, T_(g), T_(mask));
    if (!taken) return;
    int64_t rest = total - taken->numel;
    gd_tensor *list[] = {taken, gd_pool_add(c, gd_zeros(c, (gd_dtype)taken->dtype, 1, &rest))};
    if (list[1]) gd_bw_set(b, 2, GX(c, reshape, T_(GX(c, cat, TS_(list, 2), I_(0))), sizes));
}

/* ---- windows ----------------------------------------------------------------------------------------------- */

void gd_bw_unfold(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _unfold_backward, T_(b->grads[0]), sizes_value(b, 0), gd_bw_arg(b, 1), gd_bw_arg(b, 2),
                 gd_bw_arg(b, 3)));
}

void gd_bw__unfold_backward(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, unfold, T_(b->grads[0]), gd_bw_arg(b, 2), gd_bw_arg(b, 3), gd_bw_arg(b, 4)));
}

/* ---- reductions: scatter_reduce and index_reduce ------------------------------------------------------------ */

/* What the two rules differ in: how places are read, added to, overwritten and reduced again. */
typedef struct places {
    gd_bw *b;
    bool elements; /* scatter_reduce: one place for each element */
    gd_value dim;
    gd_tensor *index;
} places;

static gd_tensor *taken(const places *p, gd_tensor *t) {
    gd_ctx *c = p->b->ctx;
    gd_tensor *r =
        p->elements ? GX(c, gather, T_(t), p->dim, T_(p->index)) : GX(c, index_select, T_(t), p->dim, T_(p->index));
    gd_value sizes = sizes_value(p->b, 3);
    return r && !p->elements && r->ndim != (int)sizes.n ? GX(c, reshape, T_(r), sizes) : r;
}

static gd_tensor *added(const places *p, gd_tensor *t, gd_tensor *v) {
    gd_ctx *c = p->b->ctx;
    return p->elements ? GX(c, scatter_add, T_(t), p->dim, T_(p->index), T_(v))
                       : GX(c, index_add, T_(t), p->dim, T_(p->index), T_(v));
}

static gd_tensor *again(const places *p, gd_tensor *self, gd_tensor *src) {
    gd_value how = gd_bw_arg(p->b, 4), with = gd_bw_arg(p->b, 5);
    gd_ctx *c = p->b->ctx;
    return p->elements ? GX(c, scatter_reduce, T_(self), p->dim, T_(p->index), T_(src), how, with)
                       : GX(c, index_reduce, T_(self), p->dim, T_(p->index), T_(src), how, with);
}

static gd_tensor *is_value(gd_ctx *c, gd_tensor *t, double v) { return GX(c, eq, T_(t), T_(gx_number(c, v))); }
static gd_tensor *as_real(gd_bw *b, gd_tensor *t) {
    return GX(b->ctx, to_dtype, T_(t), GD_DTYPE_VALUE(gd_bw_dtype(b, 0)));
}

/* Products: a single zero is left out of the product; other elements divide the result. */
static void product_gradient(const places *p, gd_tensor *self, gd_tensor *src, gd_tensor **to_self,
                             gd_tensor **to_src) {
    gd_bw *b = p->b;
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *result = gd_bw_output(b, 0);
    gd_tensor *filled = GX(c, masked_fill, T_(self), T_(is_value(c, self, 0)), I_(1));
    *to_self = gx_div(c, gx_mul(c, g, again(p, filled, src)), filled);
    gd_tensor *zero = is_value(c, src, 0);
    gd_tensor *zeros = taken(p, added(p, GX(c, zeros_like, T_(self)), as_real(b, zero)));
    gd_tensor *single = GX(c, logical_and, T_(zero), T_(is_value(c, zeros, 1)));
    gd_tensor *others = again(p, self, GX(c, masked_fill, T_(src), T_(single), I_(1)));
    gd_tensor *plain = GX(c, masked_fill, T_(src), T_(zero), I_(1));
    *to_src = gx_where(c, single, taken(p, gx_mul(c, g, others)), gx_div(c, taken(p, gx_mul(c, g, result)), plain));
}

static void mean_gradient(const places *p, gd_tensor *src, gd_tensor **to_self, gd_tensor **to_src) {
    gd_ctx *c = p->b->ctx;
    gd_tensor *g = p->b->grads[0];
    gd_tensor *n = gd_bw_arg(p->b, 5).u.boolean ? GX(c, ones_like, T_(g)) : GX(c, zeros_like, T_(g));
    n = added(p, n, GX(c, ones_like, T_(src)));
    n = GX(c, masked_fill, T_(n), T_(is_value(c, n, 0)), I_(1));
    *to_self = gx_div(c, g, n);
    *to_src = gx_div(c, taken(p, g), taken(p, n));
}

/* All that equal the extreme share its gradient. */
static void extreme_gradient(const places *p, gd_tensor *self, gd_tensor *src, gd_tensor **to_self,
                             gd_tensor **to_src) {
    gd_ctx *c = p->b->ctx;
    gd_tensor *result = gd_bw_output(p->b, 0);
    gd_tensor *mine = as_real(p->b, GX(c, eq, T_(self), T_(result)));
    gd_tensor *theirs = as_real(p->b, GX(c, eq, T_(src), T_(taken(p, result))));
    gd_tensor *share = gx_div(c, p->b->grads[0], added(p, mine, theirs));
    *to_self = gx_mul(c, mine, share);
    *to_src = gx_mul(c, theirs, taken(p, share));
}

/* The part of src that index covers. */
static gd_tensor *used_part(gd_ctx *c, gd_tensor *src, const gd_tensor *index) {
    for (int d = 0; src && d < src->ndim && d < index->ndim; d++)
        if (src->sizes[d] != index->sizes[d]) src = GX(c, narrow, T_(src), I_(d), I_(0), I_(index->sizes[d]));
    return src;
}

static void reduction_rule(gd_bw *b, bool elements) {
    gd_ctx *c = b->ctx;
    places p = {b, elements, gd_bw_arg(b, 1), gd_bw_tensor(b, 2)};
    gd_tensor *self = gd_bw_tensor(b, 0), *src = gd_bw_tensor(b, 3), *to_self = b->grads[0], *to_src = NULL;
    const char *how = gd_bw_arg(b, 4).u.str;
    if (!self || !src || !p.index) return;
    if (p.index->numel == 0) {
        gd_bw_set(b, 0, to_self);
        if (gd_bw_needs(b, 3)) gd_bw_set(b, 3, zeros_of(b, 3));
        return;
    }
    if (elements) src = used_part(c, src, p.index);
    if (strcmp(how, "sum") == 0)
        to_src = taken(&p, b->grads[0]);
    else if (strcmp(how, "prod") == 0)
        product_gradient(&p, self, src, &to_self, &to_src);
    else if (strcmp(how, "mean") == 0)
        mean_gradient(&p, src, &to_self, &to_src);
    else
        extreme_gradient(&p, self, src, &to_self, &to_src);
    if (!gd_bw_arg(b, 5).u.boolean)
        to_self = elements ? GX(c, scatter_value, T_(to_self), p.dim, T_(p.index), I_(0))
                           : GX(c, index_fill, T_(to_self), p.dim, T_(p.index), I_(0));
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, to_self);
    if (gd_bw_needs(b, 3)) gd_bw_set(b, 3, padded(b, to_src, 3));
}

void gd_bw_scatter_reduce(gd_bw *b) { reduction_rule(b, true); }
void gd_bw_index_reduce(gd_bw *b) { reduction_rule(b, false); }
