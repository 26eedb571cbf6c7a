/* statistics.c: rows that describe many elements by a few, written with other rows: those that record themselves
 * compute unrecorded. Quantiles follow the steps that PyTorch records; histograms are in histogram.c. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/plan/trace.h"

/* ---- moments ------------------------------------------------------------------------------------- */

static gd_code give_pair(gd_apply *a, gd_tensor *x, gd_tensor *y) {
    if (!x || !y) return gd_failed(a->ctx);
    a->out[0] = gd_retain(x);
    a->out[1] = gd_retain(y);
    a->nout = 2;
    return GD_OK;
}

gd_code gd_fw_spread_mean(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    if (!gd_dtype_is_float((gd_dtype)self->dtype))
        return gd_fail(a->ctx, GD_E_DTYPE, "%s only support floating point and complex dtypes", a->op->name);
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *spread = gx_do(c, (gd_op_id)a->op->param, a->args, 4);
    gd_tensor *mean = spread ? GX(c, mean_dim, a->args[0], a->args[1], a->args[3]) : NULL;
    c->mode = mode;
    return give_pair(a, spread, mean);
}

static gd_code spread_with(gd_apply *a, const gd_value *args) {
    gd_result r = {0};
    gd_code code = gd_do_all(a->ctx, (gd_op_id)a->op->param, args, 4, &r);
    if (!code) code = give_pair(a, r.outputs[0], r.outputs[1]);
    gd_result_clear(&r);
    return code;
}

gd_code gd_fw_spread_mean_dim(gd_apply *a) {
    const gd_value args[] = {a->args[0], a->args[1], GD_INT_VALUE(a->args[2].u.boolean), a->args[3]};
    return spread_with(a, args);
}

gd_code gd_fw_spread_mean_all(gd_apply *a) {
    const gd_value args[] = {a->args[0], GD_NONE_VALUE, GD_INT_VALUE(a->args[1].u.boolean), GD_BOOL_VALUE(false)};
    return spread_with(a, args);
}

/* t is contiguous. */
static bool has_nan(const gd_tensor *t) {
    bool found = false;
    for (int64_t i = 0; i < t->numel; i++) {
        if (t->dtype == GD_FLOAT64)
            found |= ((const double *)(const void *)t->data)[i] != ((const double *)(const void *)t->data)[i];
        else if (t->dtype == GD_FLOAT32)
            found |= ((const float *)(const void *)t->data)[i] != ((const float *)(const void *)t->data)[i];
    }
    return found;
}

gd_code gd_fw_nansum(gd_apply *a) {
    gd_tensor *x = arg_tensor(a, 0);
    gd_dtype own = (gd_dtype)x->dtype, result = a->args[3].kind == GD_V_DTYPE ? a->args[3].u.dtype : own;
    if (gd_dtype_is_float(own) && !gd_dtype_is_float(result))
        return gd_fail(a->ctx, GD_E_DTYPE, "\"nansum_cpu\" not implemented for '%s'", gd_dtype_scalar_name(result));
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *sum = GX(c, sum_dim, T_(x), a->args[1], a->args[2], a->args[3]);
    if (sum && has_nan(sum)) { /* else no line had any */
        x = gx_where(c, GX(c, ne, T_(x), T_(x)), gx_number(c, 0), x);
        sum = GX(c, sum_dim, T_(x), a->args[1], a->args[2], a->args[3]);
    }
    c->mode = mode;
    return sum ? give_shared(a, sum) : gd_failed(c);
}

gd_code gd_fw_nanmean(gd_apply *a) {
    gd_tensor *x = arg_tensor(a, 0);
    if (!gd_dtype_is_float((gd_dtype)x->dtype))
        return gd_fail(a->ctx, GD_E_DTYPE, "nanmean(): expected input to have floating point dtype but got %s",
                       gd_dtype_scalar_name((gd_dtype)x->dtype));
    gd_ctx *c = gd_composing(a);
    gd_tensor *sum = GX(c, nansum, a->args[0], a->args[1], a->args[2], a->args[3]);
    gd_tensor *there = GX(c, eq, T_(GX(c, detach, T_(x))), T_(GX(c, detach, T_(x))));
    gd_tensor *mean = gx_div(c, sum, GX(c, sum_dim, T_(there), a->args[1], a->args[2]));
    return mean ? give_shared(a, mean) : gd_failed(c);
}

gd_code gd_fw_count_nonzero(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *there = GX(c, ne, a->args[0], T_(gx_number(c, 0)));
    gd_tensor *count = GX(c, sum_dim, T_(there), a->args[1]);
    c->mode = mode;
    return count ? give_shared(a, count) : gd_failed(c);
}

/* ---- extremes ------------------------------------------------------------------------------------ */

gd_code gd_fw_aminmax(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    bool all = a->args[1].kind == GD_V_NONE;
    int dim = 0;
    gd_code code = all ? GD_OK : gd_wrap_dim(a->ctx, arg_int(a, 1), self->ndim, &dim);
    if (!code && all && self->numel == 0)
        code = gd_fail(a->ctx, GD_E_RUNTIME,
                       "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.");
    if (!code && !all && self->ndim && self->sizes[dim] == 0)
        code = gd_fail(a->ctx, GD_E_INDEX, "aminmax: Expected reduction dim %d to have non-zero size.", dim);
    if (code) return code;
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    const int64_t dims[] = {dim};
    gd_value which = IS_(dims, all ? 0 : 1);
    gd_tensor *low = GX(c, amin, a->args[0], which, a->args[2]);
    gd_tensor *high = low ? GX(c, amax, a->args[0], which, a->args[2]) : NULL;
    if (!all && a->args[2].u.boolean && self->ndim == 0) { /* PyTorch keeps a dimension that was not there */
        low = GX(c, reshape, T_(low), SHAPE_(1));
        high = GX(c, reshape, T_(high), SHAPE_(1));
    }
    c->mode = mode;
    return give_pair(a, low, high);
}

/* ---- quantiles ----------------------------------------------------------------------------------- */

enum { LINEAR, LOWER, HIGHER, MIDPOINT, NEAREST, KINDS };
static const char *const kinds[KINDS] = {"linear", "lower", "higher", "midpoint", "nearest"};

/* What a call asks: shares q (one dimension), of lines along the last dimension of x. */
typedef struct quantiles {
    gd_ctx *c;
    gd_tensor *x, *q;
    bool ignore_nan, single;
    int kind;
} quantiles;

static gd_code read_kind(gd_ctx *c, const char *text, int *kind) {
    for (*kind = 0; *kind < KINDS; ++*kind)
        if (!strcmp(text, kinds[*kind])) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got %s",
                   text);
}

static gd_code check_quantile(gd_ctx *c, const gd_tensor *x, const gd_value *q) {
    const gd_tensor *t = q->kind == GD_V_TENSOR ? q->u.tensor : NULL;
    if (!t && !(q->u.real >= 0 && q->u.real <= 1))
        return gd_fail(c, GD_E_RUNTIME, "quantile() q must be in the range [0, 1] but got %g", q->u.real);
    if (x->numel == 0) return gd_fail(c, GD_E_RUNTIME, "quantile() input tensor must be non-empty");
    if (t && t->ndim > 1) return gd_fail(c, GD_E_RUNTIME, "quantile() q must be a scalar or 1D tensor");
    if (!gd_dtype_is_float((gd_dtype)x->dtype))
        return gd_fail(c, GD_E_DTYPE, "quantile() input tensor must be either float or double dtype");
    if (t && t->dtype != x->dtype)
        return gd_fail(c, GD_E_DTYPE, "quantile() q tensor must be same dtype as the input tensor");
    return GD_OK;
}

/* Every share lies in [0, 1]; NaN does not. */
static gd_code check_shares(gd_ctx *c, gd_tensor *q) {
    gd_trace_read(c, q, "the q of quantile()");
    gd_tensor *flat = gd_as_contiguous(c, q);
    if (!flat) return gd_failed(c);
    size_t width = gd_dtype_bytes((gd_dtype)flat->dtype);
    bool fine = true;
    for (int64_t i = 0; i < flat->numel; i++) {
        double share = gd_load_f64((gd_dtype)flat->dtype, flat->data + (size_t)i * width);
        fine = fine && share >= 0 && share <= 1;
    }
    gd_release(flat);
    return fine ? GD_OK : gd_fail(c, GD_E_RUNTIME, "quantile() q values must be in the range [0, 1]");
}

static gd_tensor *first_output(gd_ctx *c, gd_op_id id, const gd_value *args, int n) {
    gd_result r = {0};
    if (c->error.code || !args[0].u.tensor) return NULL;
    gd_tensor *t = gd_do_all(c, id, args, n, &r) ? NULL : gd_pool_add(c, gd_retain(r.outputs[0]));
    gd_result_clear(&r);
    return t;
}

/* The lines in order, with the shape that the result has, and the lines last. */
static gd_tensor *sorted_lines(gd_ctx *c, gd_tensor *self, const gd_value *at, int dim, bool keepdim) {
    bool all = at->kind == GD_V_NONE;
    int64_t sizes[GD_MAX_DIMS + 1];
    int n = 0;
    gd_tensor *x = self;
    for (int d = 0; d < self->ndim; d++)
        if (!all && d != dim)
            sizes[n++] = self->sizes[d];
        else if (keepdim)
            sizes[n++] = 1;
    if (all || self->ndim == 0)
        x = GX(c, reshape, T_(x), SHAPE_(-1));
    else if (dim != self->ndim - 1)
        x = GX(c, transpose, T_(GX(c, unsqueeze, T_(x), I_(-1))), I_(dim), I_(-1));
    if (!x) return NULL;
    sizes[n++] = x->sizes[x->ndim - 1];
    if (n > GD_MAX_DIMS) {
        (void)gd_fail(c, GD_E_TOO_LARGE, "quantile() result would have more than %d dimensions", GD_MAX_DIMS);
        return NULL;
    }
    return GX(c, view, T_(first_output(c, GD_OP_sort, (const gd_value[]){T_(x), I_(-1), B_(false)}, 3)), IS_(sizes, n));
}

/* Places in the ordered lines, not whole: of lines with NaN (which are last) that of a NaN. */
static gd_tensor *places(const quantiles *s) {
    gd_ctx *c = s->c;
    gd_tensor *nan = GX(c, ne, T_(s->x), T_(s->x)), *zero = gx_number(c, 0);
    if (s->ignore_nan) {
        gd_tensor *count = GX(c, sum_dim, T_(GX(c, logical_not, T_(nan))), SHAPE_(-1), B_(true));
        gd_tensor *at =
            gx_mul(c, s->q, gx_add_s(c, GX(c, to_dtype, T_(count), GD_DTYPE_VALUE((gd_dtype)s->q->dtype)), -1));
        return GX(c, masked_fill, T_(at), T_(GX(c, lt, T_(at), T_(zero))), I_(0));
    }
    int64_t last = s->x->sizes[s->x->ndim - 1] - 1;
    return GX(c, masked_fill, T_(gx_mul_s(c, s->q, (double)last)), T_(GX(c, any_dim, T_(nan), I_(-1), B_(true))),
              I_(last));
}

static gd_tensor *whole(gd_ctx *c, gd_tensor *t) { return GX(c, to_dtype, T_(t), GD_DTYPE_VALUE(GD_INT64)); }

static gd_tensor *values_at(const quantiles *s, gd_tensor *at) {
    gd_ctx *c = s->c;
    if (s->kind == LOWER) at = GX(c, floor, T_(at));
    if (s->kind == HIGHER) at = GX(c, ceil, T_(at));
    if (s->kind == NEAREST) at = GX(c, round, T_(at));
    gd_tensor *below = whole(c, at), *values = GX(c, gather, T_(s->x), I_(-1), T_(below));
    if (s->kind != LINEAR && s->kind != MIDPOINT) return values;
    gd_tensor *weight = s->kind == LINEAR ? gx_sub(c, at, below) : GX(c, full_like, T_(at), F_(0.5));
    gd_tensor *above = GX(c, gather, T_(s->x), I_(-1), T_(whole(c, GX(c, ceil, T_(at)))));
    return GX(c, lerp_tensor, T_(values), T_(above), T_(weight));
}

static gd_tensor *shares_of(gd_ctx *c, const gd_value *q, gd_dtype dtype) {
    gd_tensor *t = q->kind == GD_V_TENSOR ? q->u.tensor : gd_pool_add(c, gd_scalar_f64(c, q->u.real, dtype));
    return GX(c, reshape, T_(t), SHAPE_(-1));
}

gd_code gd_fw_quantile(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    const gd_value *q = &a->args[1];
    gd_ctx *c = gd_composing(a);
    int kind, dim = 0;
    gd_code code = read_kind(c, a->args[4].u.str, &kind);
    if (!code) code = check_quantile(c, self, q);
    if (!code && a->args[2].kind != GD_V_NONE) code = gd_wrap_dim(c, arg_int(a, 2), self->ndim, &dim);
    if (!code && q->kind == GD_V_TENSOR) code = check_shares(c, q->u.tensor);
    if (code) return code;
    quantiles s = {.c = c, .ignore_nan = a->op->param != 0, .kind = kind};
    s.single = q->kind != GD_V_TENSOR || q->u.tensor->ndim == 0;
    s.q = shares_of(c, q, (gd_dtype)self->dtype);
    s.x = sorted_lines(c, self, &a->args[2], dim, a->args[3].u.boolean);
    if (!s.q || !s.x) return gd_failed(c);
    if (s.x->sizes[s.x->ndim - 1] > 1 << 24) return gd_fail(c, GD_E_RUNTIME, "quantile() input tensor is too large");
    gd_tensor *found = values_at(&s, places(&s));
    if (!s.single) found = GX(c, transpose, T_(GX(c, unsqueeze, T_(found), I_(0))), I_(0), I_(-1));
    found = GX(c, _squeeze_fresh, T_(found), I_(-1));
    return found ? give_shared(a, found) : gd_failed(c);
}
