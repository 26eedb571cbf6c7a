/* differences.c: differences, slopes and areas of sampled values, covariances: formulas over other rows, composed as in
 * PyTorch. The one rule that is needed stands at the end. */
#include <string.h>

#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/plan/trace.h"

#define END INT64_MAX

static gd_tensor *part(gd_ctx *c, gd_tensor *t, int dim, int64_t start, int64_t end) {
    return GX(c, slice, T_(t), I_(dim), I_(start), I_(end), I_(1));
}
static gd_tensor *times(gd_ctx *c, gd_tensor *t, double v) { return GX(c, _mul_number, T_(t), F_(v)); }
static gd_tensor *over(gd_ctx *c, gd_tensor *t, double v) {
    if (t && gd_dtype_is_float((gd_dtype)t->dtype)) return GX(c, _div_number, T_(t), F_(v));
    return gx_div(c, t, gx_number(c, v));
}
static gd_tensor *joined(gd_ctx *c, gd_tensor *a, gd_tensor *b, gd_tensor *e, int dim) {
    gd_tensor *list[] = {a, b, e};
    return a && b && e ? GX(c, cat, TS_(list, 3), I_(dim)) : NULL;
}

/* ---- diff -------------------------------------------------------------------------------------------------- */

static gd_code check_edge(gd_ctx *c, const gd_tensor *t, const gd_tensor *edge, int dim) {
    if (edge->ndim != t->ndim)
        return gd_fail(c, GD_E_SHAPE, "diff expects prepend or append to be the same dimension as input");
    for (int d = 0; d < t->ndim; d++)
        if (d != dim && edge->sizes[d] != t->sizes[d])
            return gd_fail(c, GD_E_SHAPE,
                           "diff expects the shape of tensor to prepend or append to match that of input except along "
                           "the differencing dimension; input.size(%d) = %lld, but got tensor.size(%d) = %lld",
                           d, (long long)t->sizes[d], d, (long long)edge->sizes[d]);
    return GD_OK;
}

/* self with what is to stand before and behind it; *t is replaced. */
static gd_code with_edges(gd_apply *a, int dim, gd_tensor **t) {
    gd_ctx *c = a->ctx;
    gd_tensor *list[3];
    int n = 0;
    for (int i = 3; i <= 4; i++)
        if (a->args[i].kind == GD_V_TENSOR) {
            gd_code code = check_edge(c, *t, arg_tensor(a, i), dim);
            if (code) return code;
        }
    if (a->args[3].kind == GD_V_TENSOR) list[n++] = arg_tensor(a, 3);
    list[n++] = *t;
    if (a->args[4].kind == GD_V_TENSOR) list[n++] = arg_tensor(a, 4);
    if (n > 1) *t = GX(c, cat, TS_(list, n), I_(dim));
    return *t ? GD_OK : gd_failed(c);
}

static gd_tensor *copied_onto_zeros(gd_ctx *c, gd_tensor *t) {
    gd_tensor *zeros = GX(c, zeros_like, T_(t));
    return zeros && !gd_do_inplace(c, GD_OP_copy_, (const gd_value[]){T_(zeros), T_(t)}, 2) ? zeros : NULL;
}

gd_code gd_fw_diff(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int64_t n = arg_int(a, 1);
    int dim;
    if (t->ndim == 0) return gd_fail(c, GD_E_SHAPE, "diff expects input to be at least one-dimensional");
    if (n < 0) return gd_fail(c, GD_E_VALUE, "order must be non-negative but got %lld", (long long)n);
    gd_code code = gd_wrap_dim(c, arg_int(a, 2), t->ndim, &dim);
    if (!code && n > 0) code = with_edges(a, dim, &t);
    if (code) return code;
    if (n == 0) return give_shared(a, copied_onto_zeros(c, t));
    if (n > t->sizes[dim]) n = t->sizes[dim];
    if (n == 0) return give_shared(a, GX(c, clone, T_(t)));
    int64_t length = t->sizes[dim] - 1;
    for (int64_t i = 0; i < n && t; i++, length--) {
        gd_tensor *high = GX(c, narrow, T_(t), I_(dim), I_(length < 0 ? 0 : t->sizes[dim] - length), I_(length));
        gd_tensor *low = GX(c, narrow, T_(t), I_(dim), I_(0), I_(length));
        t = t->dtype == GD_BOOL ? GX(c, logical_xor, T_(high), T_(low)) : gx_sub(c, high, low);
    }
    return give_shared(a, t);
}

/* ---- gradient ---------------------------------------------------------------------------------------------- */

/* Evenly spaced: central differences inside, one-sided ones of the first or second order at the edges. */
static gd_tensor *even_slopes(gd_ctx *c, gd_tensor *t, int dim, double dx, bool second) {
    gd_tensor *inner = over(c, over(c, gx_sub(c, part(c, t, dim, 2, END), part(c, t, dim, 0, -2)), dx), 2);
    gd_tensor *first, *last;
    if (!second) {
        first = over(c, gx_sub(c, part(c, t, dim, 1, 2), part(c, t, dim, 0, 1)), dx);
        last = over(c, gx_sub(c, part(c, t, dim, -1, END), part(c, t, dim, -2, -1)), dx);
    } else {
        first = gx_add(c, gx_mul_s(c, part(c, t, dim, 0, 1), -1.5), gx_mul_s(c, part(c, t, dim, 1, 2), 2));
        first = over(c, gx_sub(c, first, gx_mul_s(c, part(c, t, dim, 2, 3), 0.5)), dx);
        last = gx_sub(c, gx_mul_s(c, part(c, t, dim, -1, END), 1.5), gx_mul_s(c, part(c, t, dim, -2, -1), 2));
        last = over(c, gx_add(c, last, gx_mul_s(c, part(c, t, dim, -3, -2), 0.5)), dx);
    }
    return joined(c, first, inner, last, dim);
}

static gd_tensor *at(gd_ctx *c, gd_tensor *steps, int64_t i) { return GX(c, select, T_(steps), I_(0), I_(i)); }

static gd_tensor *three(gd_ctx *c, gd_tensor *a, gd_tensor *x, gd_tensor *b, gd_tensor *y, gd_tensor *e, gd_tensor *z) {
    return gx_add(c, gx_add(c, gx_mul(c, a, x), gx_mul(c, b, y)), gx_mul(c, e, z));
}

/* The one-sided slope of the second order at an edge: h0 is the step next to it, h1 the one after; x, y, z are the
 * values from the edge inwards. Signs are those of the left edge; the right one is its mirror image. */
static gd_tensor *edge_slope(gd_ctx *c, gd_tensor *h0, gd_tensor *h1, gd_tensor *x, gd_tensor *y, gd_tensor *z,
                             bool right) {
    gd_tensor *both = gx_add(c, h0, h1);
    gd_tensor *p = gx_div(c, gx_add(c, gx_mul_s(c, h0, 2), h1), gx_mul(c, h0, both));
    gd_tensor *q = gx_div(c, both, gx_mul(c, h0, h1)), *r = gx_div(c, h0, gx_mul(c, h1, both));
    if (right) return three(c, r, z, gx_neg(c, q), y, p, x);
    return three(c, gx_neg(c, p), x, q, y, gx_neg(c, r), z);
}

/* At coordinates: weights that are exact for parabolas through three neighbours. */
static gd_tensor *uneven_slopes(gd_ctx *c, gd_tensor *t, int dim, gd_tensor *places, bool second) {
    int64_t shape[GD_MAX_DIMS];
    for (int d = 0; d < t->ndim; d++) shape[d] = 1;
    shape[dim] = places->numel - 2;
    gd_tensor *steps = GX(c, diff, T_(places), I_(1), I_(0), GD_NONE_VALUE, GD_NONE_VALUE);
    gd_tensor *h = part(c, steps, 0, 0, -1), *k = part(c, steps, 0, 1, END), *both = gx_add(c, h, k);
    gd_tensor *a = GX(c, reshape, T_(gx_div(c, gx_neg(c, k), gx_mul(c, h, both))), IS_(shape, t->ndim));
    gd_tensor *b = GX(c, reshape, T_(gx_div(c, gx_sub(c, k, h), gx_mul(c, h, k))), IS_(shape, t->ndim));
    gd_tensor *e = GX(c, reshape, T_(gx_div(c, h, gx_mul(c, k, both))), IS_(shape, t->ndim));
    gd_tensor *inner = three(c, a, part(c, t, dim, 0, -2), b, part(c, t, dim, 1, -1), e, part(c, t, dim, 2, END));
    gd_tensor *first, *last;
    if (second) {
        first = edge_slope(c, at(c, steps, 0), at(c, steps, 1), part(c, t, dim, 0, 1), part(c, t, dim, 1, 2),
                           part(c, t, dim, 2, 3), false);
        last = edge_slope(c, at(c, steps, -1), at(c, steps, -2), part(c, t, dim, -1, END), part(c, t, dim, -2, -1),
                          part(c, t, dim, -3, -2), true);
    } else {
        first = gx_div(c, gx_sub(c, part(c, t, dim, 1, 2), part(c, t, dim, 0, 1)), at(c, steps, 0));
        last = gx_div(c, gx_sub(c, part(c, t, dim, -1, END), part(c, t, dim, -2, -1)), at(c, steps, -1));
    }
    return joined(c, first, inner, last, dim);
}

static gd_code gradient_dims(gd_apply *a, int *dims, int *n) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    bool named[GD_MAX_DIMS] = {0}, all = a->args[2].kind == GD_V_NONE;
    *n = all ? t->ndim : arg_count(a, 2);
    if (*n > GD_MAX_DIMS) return gd_fail(c, GD_E_SHAPE, "torch.gradient: too many dimensions");
    for (int i = 0; i < *n; i++) {
        gd_code code = gd_wrap_dim(c, all ? i : arg_ints(a, 2)[i], t->ndim, &dims[i]);
        if (code) return code;
        if (named[dims[i]]) return gd_fail(c, GD_E_SHAPE, "dim %d appears multiple times in the list of dims", dims[i]);
        named[dims[i]] = true;
    }
    return GD_OK;
}

static gd_code check_gradient(gd_apply *a, const int *dims, int n) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    int64_t order = arg_int(a, 3), given = a->op->param ? arg_count(a, 1) : n;
    if (t->dtype == GD_UINT8) return gd_fail(c, GD_E_DTYPE, "torch.gradient does not support uint8 input.");
    if (given != n)
        return gd_fail(c, GD_E_SHAPE,
                       "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
                       "'self.dim() = %d', since dim argument is not specified, but got a list of length %lld",
                       n, (long long)given);
    if (order != 1 && order != 2)
        return gd_fail(c, GD_E_VALUE, "torch.gradient only supports edge_order=1 and edge_order=2.");
    for (int i = 0; i < n; i++) {
        int64_t size = t->ndim ? t->sizes[dims[i]] : 1;
        if (size < order + 1)
            return gd_fail(c, GD_E_SHAPE, "torch.gradient expected each dimension size to be at least edge_order+1");
        if (a->op->param != 2) continue;
        const gd_tensor *places = a->args[1].u.tensors[i];
        if (places->ndim != 1 || places->sizes[0] != size)
            return gd_fail(c, GD_E_SHAPE,
                           places->ndim != 1
                               ? "torch.gradient expected each element of spacing to have one dimension, but got an "
                                 "element with %lld dimensions"
                               : "torch.gradient expected each element of spacing to have the size of its dimension, "
                                 "but got %lld",
                           places->ndim != 1 ? (long long)places->ndim : (long long)places->sizes[0]);
    }
    return GD_OK;
}

gd_code gd_fw_gradient(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *slopes;
    int dims[GD_MAX_DIMS], n;
    gd_code code = gradient_dims(a, dims, &n);
    if (!code) code = check_gradient(a, dims, n);
    if (!code) code = gd_apply_reserve(a, n);
    for (int i = 0; i < n && !code; i++) {
        bool second = arg_int(a, 3) == 2;
        if (a->op->param == 2)
            slopes = uneven_slopes(c, t, dims[i], a->args[1].u.tensors[i], second);
        else if (a->op->param == 1)
            slopes = even_slopes(c, t, dims[i], a->args[1].u.floats[i], second);
        else
            slopes = even_slopes(c, t, dims[i], a->args[1].kind == GD_V_NONE ? 1 : arg_f64(a, 1), second);
        code = give_one(a, i, slopes);
    }
    return code;
}

/* ---- areas ------------------------------------------------------------------------------------------------- */

/* The steps between coordinates x in y's rank, or NULL with the error set. */
static gd_tensor *steps_of(gd_ctx *c, gd_tensor *y, gd_tensor *x, int dim, const char *name) {
    int64_t shape[GD_MAX_DIMS];
    for (int d = 0; d < y->ndim; d++) shape[d] = d < y->ndim - x->ndim ? 1 : x->sizes[d - (y->ndim - x->ndim)];
    if (x->ndim == 1) {
        if (x->sizes[0] != y->sizes[dim]) {
            (void)gd_fail(c, GD_E_SHAPE, "%s: There must be one `x` value for each sample point", name);
            return NULL;
        }
        for (int d = 0; d < y->ndim; d++) shape[d] = d == dim ? x->sizes[0] : 1;
    }
    if (x->ndim < y->ndim || x->ndim == 1) x = GX(c, view, T_(x), IS_(shape, y->ndim));
    if (!x || dim >= x->ndim) return NULL;
    return gx_sub(c, part(c, x, dim, 1, END), part(c, x, dim, 0, -1));
}

static gd_code check_area(gd_apply *a, const char *name, int *dim) {
    gd_ctx *c = a->ctx;
    gd_tensor *y = arg_tensor(a, 0);
    gd_code code = gd_wrap_dim(c, arg_int(a, 2), y->ndim, dim);
    if (code) return code;
    if (y->ndim == 0) return gd_fail(c, GD_E_INDEX, "Dimension specified as 0 but tensor has no dimensions");
    if (y->dtype == GD_BOOL || (a->op->param && arg_tensor(a, 1)->dtype == GD_BOOL))
        return gd_fail(c, GD_E_DTYPE, "%s: received a bool input for `%s`, but bool is not supported", name,
                       y->dtype == GD_BOOL ? "y" : "x");
    if (a->op->param && arg_tensor(a, 1)->ndim == 0) return gd_fail(c, GD_E_SHAPE, "%s: `x` has no dimensions", name);
    if (a->op->param && arg_tensor(a, 1)->ndim > y->ndim) *dim = (int)(*dim + arg_tensor(a, 1)->ndim - y->ndim);
    return GD_OK;
}

gd_code gd_fw_trapezoid(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *y = arg_tensor(a, 0);
    int dim, n = 0;
    gd_code code = check_area(a, "trapezoid", &dim);
    if (code) return code;
    if (dim >= y->ndim) return gd_fail(c, GD_E_SHAPE, "trapezoid: `x` has more dimensions than `y`");
    if (y->sizes[dim] == 0) {
        int64_t rest[GD_MAX_DIMS];
        for (int d = 0; d < y->ndim; d++)
            if (d != dim) rest[n++] = y->sizes[d];
        return give(a, gd_zeros(c, (gd_dtype)y->dtype, n, rest));
    }
    if (a->op->param) {
        gd_tensor *steps = steps_of(c, y, arg_tensor(a, 1), dim, "trapezoid");
        gd_tensor *sums = gx_add(c, part(c, y, dim, 0, -1), part(c, y, dim, 1, END));
        return give_shared(a, over(c, GX(c, sum_dim, T_(gx_mul(c, sums, steps)), SHAPE_(dim)), 2));
    }
    gd_tensor *ends = gx_add(c, GX(c, select, T_(y), I_(dim), I_(0)), GX(c, select, T_(y), I_(dim), I_(-1)));
    gd_tensor *area = gx_sub(c, GX(c, sum_dim, T_(y), SHAPE_(dim)), times(c, ends, 0.5));
    return give_shared(a, times(c, area, arg_f64(a, 1)));
}

gd_code gd_fw_cumulative_trapezoid(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *y = arg_tensor(a, 0);
    int dim;
    gd_code code = check_area(a, "cumulative_trapezoid", &dim);
    if (code) return code;
    if (dim >= y->ndim) return gd_fail(c, GD_E_SHAPE, "cumulative_trapezoid: `x` has more dimensions than `y`");
    gd_tensor *sums = gx_add(c, part(c, y, dim, 1, END), part(c, y, dim, 0, -1));
    if (a->op->param) {
        gd_tensor *steps = steps_of(c, y, arg_tensor(a, 1), dim, "cumulative_trapezoid");
        return give_shared(a, over(c, GX(c, cumsum, T_(gx_mul(c, sums, steps)), I_(dim)), 2));
    }
    return give_shared(a, GX(c, cumsum, T_(times(c, sums, arg_f64(a, 1) / 2)), I_(dim)));
}

/* ---- covariances ------------------------------------------------------------------------------------------- */

static gd_code check_weights(gd_ctx *c, const gd_tensor *w, int64_t n, bool frequencies) {
    const char *name = frequencies ? "fweights" : "aweights";
    bool real = gd_dtype_is_float((gd_dtype)w->dtype);
    if (w->ndim > 1)
        return gd_fail(c, GD_E_SHAPE,
                       "cov(): expected %s to have one or fewer dimensions but got %s with %d dimensions", name, name,
                       w->ndim);
    if (real == frequencies)
        return gd_fail(c, GD_E_DTYPE, "cov(): expected %s to have %s dtype but got %s with %s dtype", name,
                       frequencies ? "integral" : "floating point", name, gd_dtype_scalar_name((gd_dtype)w->dtype));
    if (w->numel != n)
        return gd_fail(c, GD_E_SHAPE,
                       "cov(): expected %s to have the same numel as there are observations in the input but got %lld "
                       "!= %lld",
                       name, (long long)w->numel, (long long)n);
    gd_trace_read(c, w, "the weights of cov()");
    for (int64_t i = 0; i < n; i++) {
        const char *p = w->data + i * (w->ndim ? GD_STRIDES(w)[0] : 0) * (int64_t)gd_dtype_bytes((gd_dtype)w->dtype);
        if (gd_load_f64((gd_dtype)w->dtype, p) < 0)
            return gd_fail(c, GD_E_RUNTIME, "cov(): %s cannot be negative", name);
    }
    return GD_OK;
}

static double value_of(gd_ctx *c, gd_tensor *t) {
    gd_value v = GD_NONE_VALUE;
    if (!t || gd_item(c, t, &v)) return 0;
    return v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_INT ? (double)v.u.integer : (double)v.u.boolean;
}

/* What the products are divided by: the weights' total, corrected; 0 where nothing is left. */
static gd_tensor *corrected(gd_ctx *c, gd_tensor *total, int64_t correction, gd_tensor *w, gd_tensor *aweights) {
    gd_tensor *less = gd_pool_add(c, gd_scalar_i64(c, correction, GD_INT64));
    if (w && aweights && correction != 0)
        less = gx_div(c, gx_mul(c, GX(c, sum, T_(gx_mul(c, w, aweights))), less), total);
    gd_tensor *factor = gx_sub(c, total, less);
    if (factor && value_of(c, factor) <= 0 && gd_do_inplace(c, GD_OP_zero_, (const gd_value[]){T_(factor)}, 1))
        return NULL;
    return factor;
}

static gd_tensor *covariances(gd_ctx *c, gd_tensor *x, int64_t correction, gd_tensor *fweights, gd_tensor *aweights) {
    gd_tensor *w = fweights && aweights ? gx_mul(c, fweights, aweights) : fweights ? fweights : aweights;
    gd_tensor *total = w ? GX(c, sum, T_(w)) : gd_pool_add(c, gd_scalar_i64(c, x->sizes[1], GD_INT64));
    if (w && total && value_of(c, total) == 0) {
        (void)gd_fail(c, GD_E_RUNTIME, "cov(): weights sum to zero, can't be normalized");
        return NULL;
    }
    gd_tensor *mean = gx_div(c, GX(c, sum_dim, T_(w ? gx_mul(c, x, w) : x), SHAPE_(1)), total);
    gd_tensor *factor = corrected(c, total, correction, w, aweights);
    gd_tensor *in = gx_sub(c, x, GX(c, unsqueeze, T_(mean), I_(1)));
    gd_tensor *other = GX(c, t, T_(w ? gx_mul(c, in, w) : in));
    return GX(c, squeeze, T_(gx_div(c, GX(c, mm, T_(in), T_(other)), factor)));
}

gd_code gd_fw_cov(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *weights[2] = {NULL, NULL};
    if (x->ndim > 2)
        return gd_fail(c, GD_E_SHAPE,
                       "cov(): expected input to have two or fewer dimensions but got an input with %d "
                       "dimensions",
                       x->ndim);
    if (x->dtype == GD_BOOL) return gd_fail(c, GD_E_DTYPE, "cov(): bool dtype is not supported for input");
    if (x->ndim < 2) x = GX(c, view, T_(x), SHAPE_(1, x->numel));
    for (int i = 0; i < 2 && x; i++) {
        if (a->args[2 + i].kind != GD_V_TENSOR) continue;
        weights[i] = arg_tensor(a, 2 + i);
        gd_code code = check_weights(c, weights[i], x->sizes[1], i == 0);
        if (code) return code;
    }
    return x ? give_shared(a, covariances(c, x, arg_int(a, 1), weights[0], weights[1])) : gd_failed(c);
}

gd_code gd_fw_corrcoef(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    if (arg_tensor(a, 0)->ndim > 2)
        return gd_fail(c, GD_E_SHAPE,
                       "corrcoef(): expected input to have two or fewer dimensions but got an input with "
                       "%d dimensions",
                       arg_tensor(a, 0)->ndim);
    gd_tensor *k = GX(c, cov, a->args[0]);
    if (!k) return gd_failed(c);
    if (k->ndim == 0) return give_shared(a, gx_div(c, k, k));
    gd_tensor *deviation = GX(c, sqrt, T_(GX(c, diag, T_(k))));
    k = gx_div(c, k, GX(c, view, T_(deviation), SHAPE_(-1, 1)));
    k = gx_div(c, k, GX(c, view, T_(deviation), SHAPE_(1, -1)));
    return give_shared(a, GX(c, clamp, T_(k), I_(-1), I_(1)));
}

void gd_bw__mul_number(gd_bw *b) {
    gd_value v = gd_bw_arg(b, 1);
    double factor = v.kind == GD_V_FLOAT ? v.u.real : v.kind == GD_V_INT ? (double)v.u.integer : (double)v.u.boolean;
    gd_bw_set(b, 0, gx_mul_s(b->ctx, b->grads[0], factor));
}
