/* scans_rules.c: derivatives of running products, extremes and log-sum-exps. g is the cotangent, x the input, y the
 * result. A product's rule never divides: zeros need no case of their own. */
#include <float.h>

#include "core/ops/families.h"
#include "core/ops/rules.h"

#define DIMS_(d) GD_INTS_VALUE((&(const int64_t){d}), 1)

static int64_t scan_dim(gd_bw *b, int *ndim) {
    int dim = 0;
    gd_bw_sizes(b, 0, ndim);
    if (gd_wrap_dim(b->ctx, gd_bw_arg(b, 1).u.integer, *ndim, &dim)) return 0; /* cannot be: the forward has read it */
    return dim;
}

/* PyTorch's cummaxmin_backward: zeros with g added where the elements stood. */
void gd_bw_cumulative_extreme(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *zeros = GX(c, zeros_like, T_(g));
    gd_bw_set(b, 0, GX(c, scatter_add, T_(zeros), gd_bw_arg(b, 1), T_(gd_bw_output(b, 1)), T_(g)));
}

/* t moved one step along dim, with ones or zeros where nothing moved in. */
static gd_tensor *shifted(gd_ctx *c, gd_tensor *t, int64_t dim, bool ones) {
    if (!t || t->sizes[dim] == 0) return t;
    gd_tensor *first = GX(c, narrow, T_(t), I_(dim), I_(0), I_(1)), *list[2];
    list[0] = ones ? GX(c, ones_like, T_(first)) : GX(c, zeros_like, T_(first));
    list[1] = GX(c, narrow, T_(t), I_(dim), I_(0), I_(t->sizes[dim] - 1));
    if (!list[0] || !list[1]) return NULL;
    return GX(c, cat, (gd_value){.kind = GD_V_TENSORS, .n = 2, .u.tensors = list}, I_(dim));
}

/* dx[k] = (product of x before k) S[k], where S[k] = g[k] + x[k + 1] S[k + 1] gathers what comes after. */
void gd_bw_cumprod(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim;
    int64_t dim = scan_dim(b, &ndim);
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *y = gd_bw_output(b, 0);
    if (ndim == 0 || !x || !y || !g || g->numel == 0) {
        gd_bw_set(b, 0, g);
        return;
    }
    if (x->dtype != g->dtype) x = GX(c, to_dtype, T_(x), GD_DTYPE_VALUE((gd_dtype)g->dtype));
    gd_bw_set(b, 0, gx_mul(c, shifted(c, y, dim, true), GX(c, _recurrence, T_(g), T_(x), I_(dim))));
}

/* S[k] = g[k] + x[k + 1] S[k + 1] turned round: A[k] = a[k] + x[k] A[k - 1] is the gradient of g, and A[k - 1] S[k]
 * that of x[k]. */
void gd_bw__recurrence(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int64_t dim = gd_bw_arg(b, 2).u.integer;
    gd_tensor *x = gd_bw_tensor(b, 1), *s = gd_bw_output(b, 0);
    gd_tensor *turned = shifted(c, GX(c, flip, T_(x), DIMS_(dim)), dim, false);
    gd_tensor *back = GX(c, _recurrence, T_(GX(c, flip, T_(b->grads[0]), DIMS_(dim))), T_(turned), I_(dim));
    gd_tensor *own = GX(c, flip, T_(back), DIMS_(dim));
    gd_bw_set(b, 0, own);
    gd_bw_set(b, 1, gx_mul(c, shifted(c, own, dim, false), s));
}

static gd_tensor *from_the_end(gd_ctx *c, gd_tensor *t, int64_t dim) {
    return GX(c, flip, T_(GX(c, logcumsumexp, T_(GX(c, flip, T_(t), DIMS_(dim))), I_(dim))), DIMS_(dim));
}

/* PyTorch's logcumsumexp_backward: positive and negative parts of g, each in logarithms. */
static gd_tensor *part(gd_bw *b, gd_tensor *g, gd_tensor *positive, int64_t dim) {
    gd_ctx *c = b->ctx;
    if (!g) return NULL;
    gd_tensor *least = gx_number(c, g->dtype == GD_FLOAT64 ? -DBL_MAX : -(double)FLT_MAX);
    gd_tensor *logs = gx_where(c, positive, GX(c, log, T_(g)), least);
    gd_tensor *sums = from_the_end(c, gx_sub(c, logs, gd_bw_output(b, 0)), dim);
    return GX(c, exp, T_(gx_add(c, sums, gd_bw_tensor(b, 0))));
}

void gd_bw_logcumsumexp(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int ndim;
    int64_t dim = scan_dim(b, &ndim);
    gd_tensor *g = b->grads[0], *zero = gx_number(c, 0);
    if (ndim == 0 || !g || g->numel == 0) {
        gd_bw_set(b, 0, g);
        return;
    }
    gd_tensor *above = part(b, g, GX(c, gt, T_(g), T_(zero)), dim);
    gd_tensor *below = part(b, gx_neg(c, g), GX(c, lt, T_(g), T_(zero)), dim);
    gd_bw_set(b, 0, gx_sub(c, above, below));
}
