/* matrix.c: functions of matrices: pseudo-inverse, rank, powers, and tensors seen as matrices. Norms are
 * in norms.c; derivatives in matrix_rules.c.
 */
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/matrices.h"

/* ---- tolerances ------------------------------------------------------------------------------------------------ */

/* A tolerance as tensor, pooled: a tensor with one more dimension of size 1, or a number; NULL if it is None. */
static gd_tensor *tolerance(gd_ctx *c, const gd_value *v, gd_dtype dtype) {
    if (v->kind == GD_V_TENSOR) return v->u.tensor->ndim ? gx_unsqueeze(c, v->u.tensor, -1) : v->u.tensor;
    if (v->kind == GD_V_FLOAT) return gd_pool_add(c, gd_scalar_f64(c, v->u.real, dtype));
    return NULL;
}

/* The tolerance for the singular values s, greatest `top`: max(atol, rtol top). Without rtol it is eps max(m, n), or 0
 * where atol is above 0. */
static gd_tensor *limit(gd_ctx *c, const gd_tensor *t, gd_tensor *top, const gd_value *atol, const gd_value *rtol) {
    gd_dtype dtype = (gd_dtype)t->dtype;
    double epsilon = dtype == GD_FLOAT64 ? 2.220446049250313e-16 : 1.1920928955078125e-07;
    int64_t most = gd_rows(t) > gd_columns(t) ? gd_rows(t) : gd_columns(t);
    gd_tensor *absolute = tolerance(c, atol, dtype), *relative = tolerance(c, rtol, dtype);
    if (c->error.code) return NULL;
    if (!relative) {
        relative = gd_pool_add(c, gd_scalar_f64(c, epsilon * (double)most, dtype));
        gd_tensor *zero = gd_pool_add(c, gd_scalar_f64(c, 0, dtype));
        if (absolute) relative = gx_where(c, GX(c, gt, T_(absolute), T_(gx_number(c, 0))), zero, relative);
    }
    relative = gx_mul(c, relative, top);
    return absolute ? GX(c, maximum, T_(absolute), T_(relative)) : relative;
}

static gd_code check_tolerances(gd_ctx *c, const gd_value *atol, const gd_value *rtol, const char *what) {
    const gd_value *both[] = {atol, rtol};
    for (int i = 0; i < 2; i++)
        if (both[i]->kind == GD_V_TENSOR && !gd_dtype_is_float((gd_dtype)both[i]->u.tensor->dtype) &&
            both[i]->u.tensor->dtype == GD_BOOL)
            return gd_fail(c, GD_E_DTYPE, "%s: %s tensor of bool type is not supported.", what, i ? "rtol" : "atol");
    return GD_OK;
}

/* ---- pseudo-inverse and rank ------------------------------------------------------------------------------------- */

static gd_tensor *inverted(gd_ctx *c, gd_tensor *s, gd_tensor *size, gd_tensor *tol) {
    gd_tensor *zero = s ? gd_pool_add(c, gd_scalar_f64(c, 0, (gd_dtype)s->dtype)) : NULL;
    return gx_where(c, GX(c, gt, T_(size), T_(tol)), GX(c, reciprocal, T_(s)), zero);
}

static gd_tensor *pinv_by_svd(gd_ctx *c, gd_tensor *t, const gd_value *atol, const gd_value *rtol) {
    gd_tensor *usv[3];
    const gd_value args[] = {T_(t), B_(false), B_(true)};
    if (gd_pooled_outputs(c, GD_OP__linalg_svd, args, 3, usv, 3)) return NULL;
    gd_tensor *tol = limit(c, t, gx_narrow(c, usv[1], -1, 0, 1), atol, rtol);
    gd_tensor *inverse = gx_unsqueeze(c, inverted(c, usv[1], usv[1], tol), -2);
    return gx_matmul(c, gx_mul(c, gx_mT(c, usv[2]), inverse), gx_mT(c, usv[0]));
}

static gd_tensor *pinv_by_eigh(gd_ctx *c, gd_tensor *t, const gd_value *atol, const gd_value *rtol) {
    gd_tensor *lv[2];
    const gd_value args[] = {T_(t), GD_STR_VALUE("L"), B_(true)};
    const int64_t last[] = {-1};
    if (gd_pooled_outputs(c, GD_OP__linalg_eigh, args, 3, lv, 2)) return NULL;
    gd_tensor *size = GX(c, abs, T_(lv[0]));
    gd_tensor *tol = limit(c, t, GX(c, amax, T_(size), IS_(last, 1), B_(true)), atol, rtol);
    gd_tensor *inverse = gx_unsqueeze(c, inverted(c, lv[0], size, tol), -2);
    return gx_matmul(c, gx_mul(c, lv[1], inverse), gx_mT(c, lv[1]));
}

gd_code gd_fw__linalg_pinv(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *out;
    gd_code code = gd_check_matrix(c, t, "linalg.pinv", "A");
    if (!code) code = gd_check_floating(c, t, "linalg.pinv");
    if (!code && a->args[3].u.boolean) code = gd_check_square(c, t, "linalg.pinv", "A");
    if (!code) code = check_tolerances(c, &a->args[1], &a->args[2], "torch.linalg.pinv");
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    if (t->numel == 0) {
        out = gx_mT(c, t);
        out = out ? gd_pool_add(c, gd_empty_like(c, out, (gd_dtype)t->dtype)) : NULL;
    } else {
        out = (a->args[3].u.boolean ? pinv_by_eigh : pinv_by_svd)(c, t, &a->args[1], &a->args[2]);
    }
    c->mode = mode;
    return give_shared(a, out);
}

/* pinv by the hidden row, whose tolerances are tensors. */
static gd_code give_pinv(gd_apply *a, gd_value atol, gd_value rtol, bool hermitian) {
    gd_ctx *c = gd_composing(a);
    gd_value *both[] = {&atol, &rtol};
    for (int i = 0; i < 2; i++) {
        if (both[i]->kind != GD_V_FLOAT) continue;
        gd_tensor *t = gd_pool_add(c, gd_scalar_f64(c, both[i]->u.real, (gd_dtype)arg_tensor(a, 0)->dtype));
        if (!t) return gd_failed(c);
        *both[i] = T_(t);
    }
    return give(a, DO(c, _linalg_pinv, a->args[0], atol, rtol, B_(hermitian)));
}

gd_code gd_fw_pinv(gd_apply *a) {
    gd_code code = gd_check_floating(a->ctx, arg_tensor(a, 0), "linalg.pinv");
    return code ? code : give_pinv(a, a->args[1], a->args[2], a->args[3].u.boolean);
}

gd_code gd_fw_pinv_rcond(gd_apply *a) {
    gd_code code = gd_check_floating(a->ctx, arg_tensor(a, 0), "linalg.pinv");
    return code ? code : give_pinv(a, GD_FLOAT_VALUE(0), a->args[1], a->args[2].u.boolean);
}

gd_code gd_fw_pinverse(gd_apply *a) {
    gd_code code = gd_check_floating(a->ctx, arg_tensor(a, 0), "linalg.pinv");
    return code ? code : give_pinv(a, GD_FLOAT_VALUE(0), a->args[1], false);
}

static gd_code rank(gd_apply *a, const gd_value *atol, const gd_value *rtol, bool hermitian) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *out = NULL;
    const int64_t last[] = {-1};
    gd_code code =
        hermitian ? gd_check_square(c, t, "linalg.matrix_rank", "A") : gd_check_matrix(c, t, "linalg.matrix_rank", "A");
    if (!code) code = gd_check_floating(c, t, "linalg.matrix_rank");
    if (!code) code = check_tolerances(c, atol, rtol, "torch.linalg.matrix_rank");
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    if (t->numel == 0) {
        out = gd_pool_add(c, gd_batch_new(c, GD_INT64, t, -1));
    } else {
        gd_tensor *s = hermitian ? GX(c, abs, T_(GX(c, eigvalsh, T_(t)))) : GX(c, svdvals, T_(t));
        gd_tensor *top = GX(c, amax, T_(s), IS_(last, 1), B_(true)), *tol = limit(c, t, top, atol, rtol);
        out = GX(c, sum_dim, T_(GX(c, gt, T_(s), T_(tol))), IS_(last, 1));
    }
    c->mode = mode;
    return give_shared(a, out);
}

gd_code gd_fw_matrix_rank(gd_apply *a) { return rank(a, &a->args[1], &a->args[2], a->args[3].u.boolean); }

gd_code gd_fw_matrix_rank_tol(gd_apply *a) {
    const gd_value none = GD_FLOAT_VALUE(0);
    return rank(a, &a->args[1], &none, a->args[2].u.boolean);
}

/* ---- powers -------------------------------------------------------------------------------------- */

/* self as the identity: the graph stays tied to it, as PyTorch's does. */
static gd_tensor *identity_like(gd_ctx *c, gd_tensor *t) {
    gd_tensor *out = GX(c, clone, T_(t)), *eye = gx_eye(c, gd_rows(t), (gd_dtype)t->dtype);
    if (!out || !eye || gd_do_inplace(c, GD_OP_copy_, (const gd_value[]){T_(out), T_(eye)}, 2)) return NULL;
    return out;
}

static gd_tensor *power(gd_ctx *c, gd_tensor *t, uint64_t n) {
    gd_tensor *out = NULL, *square = t;
    if (n == 1) return GX(c, clone, T_(t));
    if (n == 3) return gx_matmul(c, gx_matmul(c, t, t), t);
    for (; n; n >>= 1) {
        if (n & 1) out = out ? gx_matmul(c, out, square) : square;
        if (n > 1) square = gx_matmul(c, square, square);
        if (!square || ((n & 1) && !out)) return NULL;
    }
    return out;
}

gd_code gd_fw_matrix_power(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int64_t n = arg_int(a, 1);
    gd_code code = gd_check_square(c, t, "linalg.matrix_power", "A");
    if (code) return code;
    if (n == 0) return give_shared(a, identity_like(c, t));
    if (n < 0) t = GX(c, inv, T_(t));
    if (n == -1) return give_shared(a, t);
    return give_shared(a, t ? power(c, t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n) : NULL);
}

/* ---- tensors as matrices ----------------------------------------------------------------------------------------- */

static gd_code check_products(gd_ctx *c, const gd_tensor *t, int ind, const char *first, const char *second,
                              int64_t *size) {
    int64_t before = 1, after = 1;
    for (int d = 0; d < t->ndim; d++)
        if (!gd_mul_i64(d < ind ? before : after, t->sizes[d], d < ind ? &before : &after)) before = -1;
    *size = after;
    if (before == after) return GD_OK;
    return gd_fail(
        c, GD_E_SHAPE,
        "Expected self to satisfy the requirement prod(self.shape[%s:]) == prod(self.shape[:%s]), but got %lld != %lld",
        first, second, (long long)after, (long long)before);
}

gd_code gd_fw_tensorinv(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int64_t ind = arg_int(a, 1), n, shape[GD_MAX_DIMS];
    if (ind <= 0)
        return gd_fail(c, GD_E_VALUE, "Expected a strictly positive integer for 'ind', but got %lld", (long long)ind);
    gd_code code = check_products(c, t, (int)gd_least(ind, t->ndim), "ind", "ind", &n);
    if (code) return code;
    int k = (int)gd_least(ind, t->ndim);
    for (int d = 0; d < t->ndim; d++) shape[d] = t->sizes[(d + k) % t->ndim];
    gd_tensor *matrix = GX(c, inv, T_(GX(c, reshape, T_(t), SHAPE_(n, n))));
    return give_shared(a, GX(c, reshape, T_(matrix), IS_(shape, t->ndim)));
}

gd_code gd_fw_tensorsolve(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *other = arg_tensor(a, 1);
    int64_t n, last[GD_MAX_DIMS];
    if (a->args[2].kind == GD_V_INTS) {
        int k = arg_count(a, 2);
        if (k > t->ndim) return gd_fail(c, GD_E_VALUE, "linalg.tensorsolve: too many dims");
        for (int i = 0; i < k; i++) last[i] = t->ndim - k + i;
        t = GX(c, movedim, T_(t), a->args[2], IS_(last, k));
        if (!t) return gd_failed(c);
    }
    int lead = other->ndim < t->ndim ? other->ndim : t->ndim;
    gd_code code = check_products(c, t, lead, "other.ndim", "other.ndim", &n);
    if (code) return code;
    gd_tensor *matrix = GX(c, reshape, T_(t), SHAPE_(n, n)), *side = GX(c, flatten, T_(other));
    return give_shared(
        a, GX(c, reshape, T_(GX(c, linalg_solve, T_(matrix), T_(side))), IS_(t->sizes + lead, t->ndim - lead)));
}
