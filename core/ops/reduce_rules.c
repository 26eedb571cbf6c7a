/* reduce_rules.c: derivatives of the reductions, as formulas over ops (rules.h). g is the output's cotangent, x
 * the input, y the result. Reduced dimensions are put back with size 1 and broadcast from there. */
#include <math.h>

#include "core/ops/families.h"
#include "core/ops/reduce.h"
#include "core/ops/rules.h"
#include "core/plan/trace.h"

#define INTS_(p, n) GD_INTS_VALUE(p, n)

/* The input's sizes and what was reduced of them. */
typedef struct shape {
    int ndim;
    const int64_t *sizes;
    uint64_t mask;
    bool keepdim;
    int64_t kept[GD_MAX_DIMS]; /* the sizes with reduced ones 1 */
} shape;

/* Argument indexes of dim and keepdim; -1: everything was reduced. */
static shape shape_of(gd_bw *b, int dim, int keepdim) {
    shape s = {.mask = ~UINT64_C(0)};
    s.sizes = gd_bw_sizes(b, 0, &s.ndim);
    if (dim >= 0) {
        gd_value dims = gd_bw_arg(b, dim);
        if (gd_reduce_mask(b->ctx, &dims, s.ndim, &s.mask)) s.mask = 0; /* cannot be: the forward has read them */
    }
    if (keepdim >= 0) s.keepdim = gd_bw_arg(b, keepdim).u.boolean;
    for (int d = 0; d < s.ndim; d++) s.kept[d] = s.mask >> d & 1 ? 1 : s.sizes[d];
    return s;
}

/* t, of the output's shape, with the reduced dimensions put back. */
static gd_tensor *restored(gd_bw *b, const shape *s, gd_tensor *t) {
    if (!t || s->keepdim || t->ndim == s->ndim) return t;
    return GX(b->ctx, view, T_(t), INTS_(s->kept, s->ndim));
}

static gd_tensor *expanded(gd_bw *b, const shape *s, gd_tensor *t) {
    t = restored(b, s, t);
    if (!t || s->ndim == 0) return t;
    return GX(b->ctx, expand, T_(t), INTS_(s->sizes, s->ndim));
}

static gd_tensor *power(gd_bw *b, gd_tensor *x, double p) { return GX(b->ctx, pow_scalar, T_(x), F_(p)); }

/* a where y is not 0, else 0. */
static gd_tensor *unless_zero(gd_bw *b, gd_tensor *y, gd_tensor *a) {
    gd_ctx *c = b->ctx;
    return gx_where(c, GX(c, eq, T_(y), T_(gx_number(c, 0))), gx_number(c, 0), a);
}

/* ---- sum, mean, prod ----------------------------------------------------------------------------- */

static void sum_rule(gd_bw *b, int dim, int keepdim, bool mean) {
    shape s = shape_of(b, dim, keepdim);
    gd_tensor *g = b->grads[0];
    if (mean) g = gx_div(b->ctx, g, gx_number(b->ctx, (double)gd_reduce_count(s.ndim, s.sizes, s.mask)));
    gd_bw_set(b, 0, expanded(b, &s, g));
}
void gd_bw_sum(gd_bw *b) { sum_rule(b, -1, -1, false); }
void gd_bw_sum_dim(gd_bw *b) { sum_rule(b, 1, 2, false); }
void gd_bw_mean(gd_bw *b) { sum_rule(b, -1, -1, true); }
void gd_bw_mean_dim(gd_bw *b) { sum_rule(b, 1, 2, true); }

void gd_bw__sum_to_size(gd_bw *b) {
    int ndim;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    gd_bw_set(b, 0, GX(b->ctx, expand, T_(b->grads[0]), INTS_(sizes, ndim)));
}

static bool has_zero(gd_bw *b, gd_tensor *x) {
    gd_tensor *all = GX(b->ctx, all, T_(x));
    gd_trace_expect(b->ctx, all);
    return all && gd_load_i64((gd_dtype)all->dtype, all->data) == 0;
}

/* Products of the others along `dim` from differentiable ops: a matrix of copies with ones on the diagonal. */
static gd_tensor *others_by_matrix(gd_bw *b, gd_tensor *x, int dim) {
    gd_ctx *c = b->ctx;
    gd_tensor *line = GX(c, transpose, T_(x), I_(dim), I_(-1));
    if (!line) return NULL;
    gd_tensor *eye = GX(c, eye, I_(line->sizes[line->ndim - 1]), GD_NONE_VALUE, GD_DTYPE_VALUE(GD_BOOL));
    gd_tensor *matrix = gx_where(c, eye, gx_number(c, 1), GX(c, unsqueeze, T_(line), I_(-2)));
    return GX(c, transpose, T_(GX(c, prod_dim, T_(matrix), I_(-1))), I_(dim), I_(-1));
}

static gd_tensor *others(gd_bw *b, gd_tensor *x, int dim) {
    gd_ctx *c = b->ctx;
    if (!b->create_graph) return GX(c, _products_of_others, T_(x), dim < 0 ? GD_NONE_VALUE : I_(dim));
    if (dim >= 0 || !x) return others_by_matrix(b, x, dim);
    gd_tensor *flat = GX(c, reshape, T_(x), INTS_(((const int64_t[]){-1}), 1));
    return GX(c, reshape, T_(others_by_matrix(b, flat, 0)), INTS_(x->sizes, x->ndim));
}

/* g * y / x, or without the division if x has a zero. */
static void prod_rule(gd_bw *b, const shape *s, int dim) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *g = restored(b, s, b->grads[0]);
    if (!x) return;
    if (s->ndim == 0)
        gd_bw_set(b, 0, g);
    else if (x->numel > 0 && has_zero(b, x))
        gd_bw_set(b, 0, gx_mul(c, g, others(b, x, dim)));
    else
        gd_bw_set(b, 0, gx_mul(c, g, gx_div(c, restored(b, s, gd_bw_output(b, 0)), x)));
}

void gd_bw_prod(gd_bw *b) {
    shape s = shape_of(b, -1, -1);
    prod_rule(b, &s, -1);
}

void gd_bw_prod_dim(gd_bw *b) {
    shape s = shape_of(b, 1, 2);
    int dim;
    if (gd_wrap_dim(b->ctx, gd_bw_arg(b, 1).u.integer, s.ndim, &dim)) return;
    prod_rule(b, &s, dim);
}

/* ---- greatest and smallest ----------------------------------------------------------------------- */

/* g shared among the elements where `chosen` is true. */
static gd_tensor *shared(gd_bw *b, const shape *s, gd_tensor *g, gd_tensor *chosen) {
    gd_ctx *c = b->ctx;
    gd_tensor *count =
        s->ndim == 0 ? GX(c, sum, T_(chosen))
                     : GX(c, sum_dim, T_(chosen), s->mask == ~UINT64_C(0) ? GD_NONE_VALUE : gd_bw_arg(b, 1), B_(true));
    return gx_mul(c, chosen, gx_div(c, restored(b, s, g), count));
}

void gd_bw_extreme(gd_bw *b) {
    gd_ctx *c = b->ctx;
    shape s = shape_of(b, -1, -1);
    gd_tensor *x = gd_bw_tensor(b, 0), *y = gd_bw_output(b, 0);
    if (!x || !y) return;
    if (c->trace) gd_trace_expect(c, GX(c, isnan, T_(y)));
    bool nan = isnan(gd_load_f64((gd_dtype)y->dtype, y->data));
    gd_bw_set(b, 0, shared(b, &s, b->grads[0], nan ? GX(c, isnan, T_(x)) : GX(c, eq, T_(x), T_(y))));
}

void gd_bw_extreme_dims(gd_bw *b) {
    shape s = shape_of(b, 1, 2);
    gd_tensor *y = restored(b, &s, gd_bw_output(b, 0));
    gd_bw_set(b, 0, shared(b, &s, b->grads[0], GX(b->ctx, eq, T_(gd_bw_tensor(b, 0)), T_(y))));
}

void gd_bw_extreme_dim(gd_bw *b) {
    shape s = shape_of(b, 1, 2);
    int dim;
    if (!b->grads[0] || gd_wrap_dim(b->ctx, gd_bw_arg(b, 1).u.integer, s.ndim, &dim)) return;
    gd_tensor *index = restored(b, &s, gd_bw_output(b, 1));
    gd_bw_set(b, 0,
              GX(b->ctx, _put_along, T_(restored(b, &s, b->grads[0])), T_(index), INTS_(s.sizes, s.ndim), I_(dim)));
}

void gd_bw__put_along(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, gather, T_(b->grads[0]), I_(gd_bw_arg(b, 3).u.integer), T_(gd_bw_tensor(b, 1))));
}

/* ---- deviations, norms --------------------------------------------------------------------------- */

static double correction_of(gd_bw *b) {
    gd_value v = gd_bw_arg(b, 2);
    if (v.kind == GD_V_NONE) return 1;
    return v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_BOOL ? (double)v.u.boolean : (double)v.u.integer;
}

/* All elements together have no freedom left: PyTorch answers an infinite gradient of the output's shape, which its
 * engine refuses unless that is the input's shape. */
static gd_tensor *no_freedom(gd_bw *b, const shape *s, gd_tensor *g) {
    char got[256], want[256];
    if (!g) return NULL;
    if (g->ndim == s->ndim && gd_reduce_count(s->ndim, s->sizes, s->mask) == 1) return gx_mul_s(b->ctx, g, INFINITY);
    gd_fail(b->ctx, GD_E_RUNTIME,
            "Function %s returned an invalid gradient at index 0 - got %s but expected shape compatible with %s",
            gd_bw_op(b)->node, gd_shape_text(got, sizeof got, g->ndim, g->sizes),
            gd_shape_text(want, sizeof want, s->ndim, s->sizes));
    return NULL;
}

static gd_tensor *var_gradient(gd_bw *b, const shape *s, gd_tensor *g) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0);
    double n = (double)gd_reduce_count(s->ndim, s->sizes, s->mask), left = n - correction_of(b);
    bool all = gd_bw_arg(b, 1).kind == GD_V_NONE || s->ndim == 0;
    if (all && left == 0) return no_freedom(b, s, g);
    gd_tensor *mean = all ? GX(c, mean, T_(x)) : GX(c, mean_dim, T_(x), gd_bw_arg(b, 1), B_(true));
    return gx_mul(c, gx_mul_s(c, restored(b, s, g), 2.0 / left), gx_sub(c, x, mean));
}

void gd_bw_var(gd_bw *b) {
    shape s = shape_of(b, 1, 3);
    gd_bw_set(b, 0, var_gradient(b, &s, b->grads[0]));
}

void gd_bw_std(gd_bw *b) {
    gd_ctx *c = b->ctx;
    shape s = shape_of(b, 1, 3);
    gd_tensor *y = gd_bw_output(b, 0);
    gd_tensor *g = unless_zero(b, y, gx_div(c, b->grads[0], gx_mul_s(c, y, 2)));
    gd_bw_set(b, 0, var_gradient(b, &s, g));
}

/* PyTorch's var_mean_backward and std_mean_backward: each output's own gradient, added up. */
static gd_tensor *mean_gradient(gd_bw *b, const shape *s, gd_tensor *g) {
    double n = (double)gd_reduce_count(s->ndim, s->sizes, s->mask);
    return expanded(b, s, gx_div(b->ctx, g, gx_number(b->ctx, n)));
}

static void spread_mean_rule(gd_bw *b, const shape *s, gd_tensor *g) {
    gd_tensor *spread = g ? var_gradient(b, s, g) : NULL;
    gd_tensor *mean = b->grads[1] ? mean_gradient(b, s, b->grads[1]) : NULL;
    gd_bw_set(b, 0, spread && mean ? gx_add(b->ctx, spread, mean) : spread ? spread : mean);
}

void gd_bw_var_mean(gd_bw *b) {
    shape s = shape_of(b, 1, 3);
    spread_mean_rule(b, &s, b->grads[0]);
}

void gd_bw_std_mean(gd_bw *b) {
    gd_ctx *c = b->ctx;
    shape s = shape_of(b, 1, 3);
    gd_tensor *y = gd_bw_output(b, 0), *g = b->grads[0];
    spread_mean_rule(b, &s, g ? unless_zero(b, y, gx_div(c, g, gx_mul_s(c, y, 2))) : NULL);
}

void gd_bw_nansum(gd_bw *b) {
    gd_ctx *c = b->ctx;
    shape s = shape_of(b, 1, 2);
    gd_tensor *x = gd_bw_tensor(b, 0);
    gd_bw_set(b, 0, gx_mul(c, expanded(b, &s, b->grads[0]), GX(c, logical_not, T_(GX(c, isnan, T_(x))))));
}

/* The elements of largest (smallest) size, which share the gradient. */
static gd_tensor *norm_inf(gd_bw *b, const shape *s, gd_tensor *x, gd_tensor *y, gd_tensor *g) {
    gd_ctx *c = b->ctx;
    gd_tensor *equal = GX(c, eq, T_(GX(c, abs, T_(x))), T_(y));
    gd_tensor *nan = GX(c, logical_and, T_(GX(c, isnan, T_(x))), T_(GX(c, isnan, T_(y))));
    gd_tensor *chosen = GX(c, logical_or, T_(equal), T_(nan));
    gd_tensor *count = s->ndim == 0 ? GX(c, sum, T_(chosen)) : GX(c, sum_dim, T_(chosen), gd_bw_arg(b, 2), B_(true));
    return gx_mul(c, GX(c, sign, T_(x)), gx_mul(c, gx_div(c, g, count), chosen));
}

static gd_tensor *norm_gradient(gd_bw *b, const shape *s, double p, gd_tensor *x, gd_tensor *y, gd_tensor *g) {
    gd_ctx *c = b->ctx;
    if (p == 0) return GX(c, zeros_like, T_(x));
    if (p == 1) return gx_mul(c, GX(c, sign, T_(x)), g);
    if (p == 2) return gx_mul(c, g, unless_zero(b, y, gx_div(c, x, y)));
    if (isinf(p)) return norm_inf(b, s, x, y, g);
    gd_tensor *size = GX(c, abs, T_(x));
    if (p < 1) {
        gd_tensor *scaled = gx_mul(c, GX(c, sign, T_(x)), unless_zero(b, x, power(b, size, p - 1)));
        return gx_mul(c, gx_mul(c, scaled, g), power(b, y, 1 - p));
    }
    gd_tensor *scaled =
        p < 2 ? gx_mul(c, GX(c, sign, T_(x)), power(b, size, p - 1)) : gx_mul(c, x, power(b, size, p - 2));
    return gx_mul(c, scaled, unless_zero(b, y, gx_div(c, g, power(b, y, p - 1))));
}

void gd_bw_norm(gd_bw *b) {
    shape s = shape_of(b, 2, 3);
    gd_value v = gd_bw_arg(b, 1);
    double p = v.kind == GD_V_NONE    ? 2
               : v.kind == GD_V_FLOAT ? v.u.real
               : v.kind == GD_V_BOOL  ? (double)v.u.boolean
                                      : (double)v.u.integer;
    gd_tensor *y = restored(b, &s, gd_bw_output(b, 0)), *g = restored(b, &s, b->grads[0]);
    gd_bw_set(b, 0, norm_gradient(b, &s, p, gd_bw_tensor(b, 0), y, g));
}

/* ---- exponentials -------------------------------------------------------------------------------- */

void gd_bw_logsumexp(gd_bw *b) {
    gd_ctx *c = b->ctx;
    shape s = shape_of(b, 1, 2);
    gd_tensor *y = restored(b, &s, gd_bw_output(b, 0));
    gd_bw_set(b, 0, gx_mul(c, restored(b, &s, b->grads[0]), GX(c, exp, T_(gx_sub(c, gd_bw_tensor(b, 0), y)))));
}

/* The dimension of a scan, counted from the front. */
static int scan_dim(gd_bw *b, int *ndim) {
    int dim = 0;
    gd_bw_sizes(b, 0, ndim);
    if (gd_wrap_dim(b->ctx, gd_bw_arg(b, 1).u.integer, *ndim, &dim)) return 0; /* cannot be: the forward has read it */
    return dim;
}

static gd_tensor *summed(gd_bw *b, gd_tensor *t, int dim, int ndim) {
    const int64_t dims[] = {dim};
    return ndim == 0 ? t : GX(b->ctx, sum_dim, T_(t), INTS_(dims, 1), B_(true));
}

void gd_bw_softmax(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, _softmax_backward, T_(b->grads[0]), T_(gd_bw_output(b, 0)), gd_bw_arg(b, 1)));
}

void gd_bw_log_softmax(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, _log_softmax_backward, T_(b->grads[0]), T_(gd_bw_output(b, 0)), gd_bw_arg(b, 1)));
}

/* The dimension of a gradient row, counted from the front. */
static int gradient_dim(gd_bw *b, int *ndim) {
    int dim = 0;
    gd_bw_sizes(b, 0, ndim);
    if (gd_wrap_dim(b->ctx, gd_bw_arg(b, 2).u.integer, *ndim, &dim)) return 0; /* cannot be, as above */
    return dim;
}

/* Of y (g - sum(g y)), for the cotangent h. */
void gd_bw__softmax_backward(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim, dim = gradient_dim(b, &ndim);
    gd_tensor *g = gd_bw_tensor(b, 0), *y = gd_bw_tensor(b, 1), *h = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(c, _softmax_backward, T_(h), T_(y), gd_bw_arg(b, 2)));
    if (!gd_bw_needs(b, 1)) return;
    gd_tensor *both = gx_mul(c, g, h), *along = gx_mul(c, summed(b, gx_mul(c, y, g), dim, ndim), h);
    gd_tensor *across = gx_mul(c, g, summed(b, gx_mul(c, y, h), dim, ndim));
    gd_bw_set(b, 1, gx_sub(c, gx_sub(c, both, along), across));
}

/* Of g - exp(y) sum(g), for the cotangent h. */
void gd_bw__log_softmax_backward(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim, dim = gradient_dim(b, &ndim);
    gd_tensor *g = gd_bw_tensor(b, 0), *p = GX(c, exp, T_(gd_bw_tensor(b, 1))), *h = b->grads[0];
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, gx_sub(c, h, summed(b, gx_mul(c, h, p), dim, ndim)));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, gx_mul(c, gx_mul(c, gx_neg(c, summed(b, g, dim, ndim)), p), h));
}

void gd_bw_cumsum(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim;
    const int64_t dims[] = {scan_dim(b, &ndim)};
    if (ndim == 0) {
        gd_bw_set(b, 0, b->grads[0]);
        return;
    }
    gd_tensor *back = GX(c, cumsum, T_(GX(c, flip, T_(b->grads[0]), INTS_(dims, 1))), I_(dims[0]));
    gd_bw_set(b, 0, GX(c, flip, T_(back), INTS_(dims, 1)));
}
