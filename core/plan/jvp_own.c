/* jvp_own.c: rows with forward derivatives of their own: formulas that are shorter than the backward rule twice, or
 * defined where that is not (the root of zero), and distances, whose backward rule has no derivative. */
#include <math.h>

#include "core/ops/reduce.h"
#include "core/ops/rules.h"
#include "core/plan/jvp_inside.h"

/* ---- what was reduced ---------------------------------------------------------------------------------- */

typedef struct shape {
    int ndim;
    bool kept; /* the reduced dimensions are in the output, as 1 */
    int64_t sizes[GD_MAX_DIMS];
    double count; /* elements of one result */
    gd_value dims;
} shape;

static gd_code shape_of(gd_jvp_step *s, int dim, int keepdim, shape *out) {
    const gd_tensor *x = s->step->args[0].u.tensor;
    uint64_t mask = ~UINT64_C(0);
    out->dims = s->step->args[dim];
    gd_code code = gd_reduce_mask(s->ctx, &out->dims, x->ndim, &mask);
    out->ndim = x->ndim;
    out->kept = s->step->args[keepdim].u.boolean;
    for (int d = 0; d < x->ndim; d++) out->sizes[d] = mask >> d & 1 ? 1 : x->sizes[d];
    out->count = (double)gd_reduce_count(x->ndim, x->sizes, mask);
    return code;
}

static gd_tensor *total(gd_jvp_step *s, const shape *h, gd_tensor *t) {
    if (h->ndim == 0) return t;
    return GX(s->ctx, sum_dim, T_(t), h->dims, B_(h->kept));
}

/* A result with the reduced dimensions put back. */
static gd_tensor *restored(gd_jvp_step *s, const shape *h, gd_tensor *y) {
    if (h->kept || !y || y->ndim == h->ndim) return y;
    return GX(s->ctx, reshape, T_(y), GD_INTS_VALUE(h->sizes, h->ndim));
}

static gd_tensor *unless_zero(gd_ctx *c, gd_tensor *y, gd_tensor *t) {
    return gx_where(c, GX(c, eq, T_(y), T_(gx_number(c, 0))), gx_number(c, 0), t);
}

static gd_code give(gd_jvp_step *s, int k, gd_tensor *t) {
    s->out[k] = gd_retain(t);
    return t ? GD_OK : s->ctx->error.code;
}

/* ---- deviations ------------------------------------------------------------------------------------------ */

static double number_or(const gd_value *v, double other) {
    if (v->kind == GD_V_NONE) return other;
    return v->kind == GD_V_FLOAT ? v->u.real : v->kind == GD_V_BOOL ? (double)v->u.boolean : (double)v->u.integer;
}

/* The variance's: 2 / (n - correction) times the sum of (x - mean) v. */
static gd_tensor *variance(gd_jvp_step *s, const shape *h, double left) {
    gd_ctx *c = s->ctx;
    gd_tensor *x = s->step->args[0].u.tensor;
    gd_tensor *mean = GX(c, mean_dim, T_(x), h->dims, B_(true));
    return gx_mul_s(c, total(s, h, gx_mul(c, gx_sub(c, x, mean), s->tangents[0])), 2 / left);
}

static gd_code deviation(gd_jvp_step *s, bool root, bool with_mean) {
    gd_ctx *c = s->ctx;
    shape h;
    gd_code code = shape_of(s, 1, 3, &h);
    double left = h.count - number_or(&s->step->args[2], 1);
    if (code) return code;
    if (!(left > 0) || h.ndim == 0) return gd_jvp_twice(s);
    gd_tensor *t = variance(s, &h, left), *y = gd_jvp_output(s, 0);
    if (root) t = unless_zero(c, y, gx_div(c, t, gx_mul_s(c, y, 2)));
    code = give(s, 0, t);
    return code || !with_mean ? code : give(s, 1, GX(c, mean_dim, T_(s->tangents[0]), h.dims, B_(h.kept)));
}

/* ---- norms ------------------------------------------------------------------------------------------------- */

/* The Euclidean one: <x, v> / |x|, 0 at the origin. */
static gd_code norm(gd_jvp_step *s, int p, int dim, int keepdim) {
    gd_ctx *c = s->ctx;
    shape h;
    if (number_or(&s->step->args[p], 2) != 2) return gd_jvp_twice(s);
    gd_code code = shape_of(s, dim, keepdim, &h);
    if (code) return code;
    gd_tensor *y = gd_jvp_output(s, 0), *x = s->step->args[0].u.tensor;
    gd_tensor *t = total(s, &h, gx_mul(c, x, s->tangents[0]));
    return give(s, 0, unless_zero(c, y, gx_div(c, t, y)));
}

/* ---- softmax and its kin -------------------------------------------------------------------------------- */

/* y (v - <y, v>), or v - <exp y, v> for the logarithm. */
static gd_code softmax(gd_jvp_step *s, bool logarithm) {
    gd_ctx *c = s->ctx;
    gd_tensor *y = gd_jvp_output(s, 0), *v = s->tangents[0];
    if (v->dtype != y->dtype) v = GX(c, to_dtype, T_(v), GD_DTYPE_VALUE((gd_dtype)y->dtype));
    if (!v || y->ndim == 0) return v ? gd_jvp_twice(s) : c->error.code;
    gd_tensor *share = logarithm ? GX(c, exp, T_(y)) : y;
    const int64_t dim = s->step->args[1].u.integer;
    gd_tensor *level = GX(c, sum_dim, T_(gx_mul(c, share, v)), GD_INTS_VALUE(&dim, 1), B_(true));
    gd_tensor *t = gx_sub(c, v, level);
    return give(s, 0, logarithm ? t : gx_mul(c, y, t));
}

/* <exp(x - y), v>; nothing where y is infinite but from NaN. */
static gd_code logsumexp(gd_jvp_step *s) {
    gd_ctx *c = s->ctx;
    shape h;
    gd_code code = shape_of(s, 1, 2, &h);
    if (code) return code;
    if (h.ndim == 0) return gd_jvp_twice(s);
    gd_tensor *x = s->step->args[0].u.tensor, *y = restored(s, &h, gd_jvp_output(s, 0));
    gd_tensor *share = GX(c, exp, T_(gx_sub(c, x, y)));
    return give(s, 0, total(s, &h, gx_mul(c, share, s->tangents[0])));
}

/* ---- systems ---------------------------------------------------------------------------------------------- */

/* -Y A' Y of an inverse Y. */
static gd_code inverse(gd_jvp_step *s) {
    gd_ctx *c = s->ctx;
    gd_tensor *y = gd_jvp_output(s, 0);
    gd_tensor *t = GX(c, matmul, T_(y), T_(GX(c, matmul, T_(s->tangents[0]), T_(y))));
    return give(s, 0, gx_neg(c, t));
}

/* ---- distances ---------------------------------------------------------------------------------------------- */

/* The norm over the last dimension of differences d that change as v; as the row's own rule, 0 where two points are
 * one. */
static gd_tensor *length(gd_jvp_step *s, gd_tensor *d, gd_tensor *v, gd_tensor *y, double p) {
    gd_ctx *c = s->ctx;
    const int64_t last = -1;
    if (p == 0 || !y) return NULL;
    gd_tensor *wide = GX(c, unsqueeze, T_(y), I_(-1)), *slope;
    if (p == 1)
        slope = GX(c, sign, T_(d));
    else if (isinf(p))
        slope = gx_mul(c, GX(c, sign, T_(d)), GX(c, eq, T_(GX(c, abs, T_(d))), T_(wide)));
    else
        slope = gx_mul(c, GX(c, sign, T_(d)), GX(c, pow_scalar, T_(gx_div(c, GX(c, abs, T_(d)), wide)), F_(p - 1)));
    slope = unless_zero(c, wide, slope);
    return GX(c, sum_dim, T_(gx_mul(c, slope, v)), GD_INTS_VALUE(&last, 1), B_(false));
}

/* Every row of a less every row of b; NULL stands for zeros. */
static gd_tensor *apart(gd_ctx *c, gd_tensor *a, gd_tensor *b) {
    if (a) a = GX(c, unsqueeze, T_(a), I_(-2));
    if (b) b = GX(c, unsqueeze, T_(b), I_(-3));
    return a && b ? gx_sub(c, a, b) : a ? a : gx_neg(c, b);
}

static gd_code cdist(gd_jvp_step *s) {
    gd_ctx *c = s->ctx;
    double p = number_or(&s->step->args[2], 2);
    gd_tensor *y = gd_jvp_output(s, 0);
    if (p == 0 || y->numel == 0) return GD_OK;
    gd_tensor *d = apart(c, s->step->args[0].u.tensor, s->step->args[1].u.tensor);
    return give(s, 0, length(s, d, apart(c, s->tangents[0], s->tangents[1]), y, p));
}

/* Rows i less rows j of all pairs i < j. */
static gd_tensor *pairs(gd_ctx *c, gd_tensor *t, gd_tensor *i, gd_tensor *j) {
    return gx_sub(c, GX(c, index_select, T_(t), I_(0), T_(i)), GX(c, index_select, T_(t), I_(0), T_(j)));
}

/* Which pairs there are. */
static gd_code list_pairs(gd_ctx *c, int64_t n, gd_tensor **i, gd_tensor **j) {
    const int64_t count = n * (n - 1) / 2; /* the row's output has as many elements */
    *i = gd_pool_add(c, gd_empty(c, GD_INT64, 1, &count));
    *j = *i ? gd_pool_add(c, gd_empty(c, GD_INT64, 1, &count)) : NULL;
    if (!*j) return c->error.code;
    int64_t *a = (int64_t *)(void *)(*i)->data, *b = (int64_t *)(void *)(*j)->data;
    for (int64_t x = 0; x < n; x++)
        for (int64_t y = x + 1; y < n; y++) *a++ = x, *b++ = y;
    return GD_OK;
}

static gd_code pdist(gd_jvp_step *s) {
    gd_tensor *x = s->step->args[0].u.tensor, *y = gd_jvp_output(s, 0), *i, *j;
    double p = number_or(&s->step->args[1], 2);
    if (p == 0 || y->numel == 0) return GD_OK;
    gd_code code = list_pairs(s->ctx, x->sizes[0], &i, &j);
    if (code) return code;
    return give(s, 0, length(s, pairs(s->ctx, x, i, j), pairs(s->ctx, s->tangents[0], i, j), y, p));
}

/* ---- all of them ---------------------------------------------------------------------------------------------- */

gd_code gd_jvp_own(gd_jvp_step *s) {
    switch (s->step->op->id) {
    case GD_OP_var: return deviation(s, false, false);
    case GD_OP_std: return deviation(s, true, false);
    case GD_OP_var_mean: return deviation(s, false, true);
    case GD_OP_std_mean: return deviation(s, true, true);
    case GD_OP_norm:
    case GD_OP_vector_norm: return norm(s, 1, 2, 3);
    case GD_OP_softmax: return softmax(s, false);
    case GD_OP_log_softmax: return softmax(s, true);
    case GD_OP_logsumexp: return logsumexp(s);
    case GD_OP_inv_ex: return inverse(s);
    case GD_OP_cdist: return cdist(s);
    case GD_OP_pdist: return pdist(s);
    default: return gd_jvp_twice(s);
    }
}
