/* norms.c: norms of vectors and matrices, and condition numbers; rows of matrix.def, and normalize. */
#include <math.h>
#include <string.h>

#include "core/ops/families.h"
#include "core/ops/matrices.h"
#include "core/plan/trace.h"

#define TEXT 512

static gd_tensor *in_dtype(gd_ctx *c, gd_tensor *t, const gd_value *dtype) {
    return dtype->kind == GD_V_DTYPE && dtype->u.dtype != (gd_dtype)t->dtype ? GX(c, to_dtype, T_(t), *dtype) : t;
}

/* ---- vectors ------------------------------------------------------------------------------------------------- */

/* An empty dimension has no greatest, and no smallest, element. */
static gd_code check_empty(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const gd_tensor *t = arg_tensor(a, 0);
    double p = arg_f64(a, 1);
    char text[TEXT];
    int dim;
    if (t->numel || (p >= 0 && !isinf(p))) return GD_OK;
    bool some = a->args[2].kind == GD_V_INTS && arg_count(a, 2) > 0;
    if (!some)
        return gd_fail(
            c, GD_E_RUNTIME,
            "linalg.vector_norm cannot compute the %g norm on an empty tensor because the operation does not have an identity",
            p);
    for (int i = 0; i < arg_count(a, 2); i++) {
        gd_code code = gd_wrap_dim(c, arg_ints(a, 2)[i], t->ndim, &dim);
        if (code) return code;
        if (t->ndim && t->sizes[dim] == 0)
            return gd_fail(
                c, GD_E_RUNTIME,
                "linalg.vector_norm cannot compute the %g norm on the dimension %d because this dimension is "
                "empty and the operation does not have an identity (shape %s)",
                p, dim, gd_shape_text(text, sizeof text, t->ndim, t->sizes));
    }
    return GD_OK;
}

gd_code gd_fw_vector_norm(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const gd_tensor *t = arg_tensor(a, 0);
    const gd_value *dtype = &a->args[4];
    gd_code code = gd_check_floating(c, t, "linalg.vector_norm");
    if (!code && dtype->kind == GD_V_DTYPE && !gd_dtype_is_float(dtype->u.dtype))
        code = gd_fail(c, GD_E_DTYPE, "linalg.vector_norm: dtype should be floating point or complex. Got %s",
                       gd_dtype_scalar_name(dtype->u.dtype));
    if (!code && dtype->kind == GD_V_DTYPE && t->dtype == GD_FLOAT64 && dtype->u.dtype == GD_FLOAT32)
        code = gd_fail(
            c, GD_E_DTYPE,
            "linalg.vector_norm: the dtype of the input (Double) should be convertible without narrowing to the "
            "specified dtype (Float)");
    if (!code) code = check_empty(a);
    return code ? code : gd_fw_norm(a);
}

/* ---- matrices ------------------------------------------------------------------------------------------------ */

static gd_code matrix_dims(gd_apply *a, int *dims) {
    gd_ctx *c = a->ctx;
    const gd_tensor *t = arg_tensor(a, 0);
    gd_code code = gd_check_matrix(c, t, "linalg.matrix_norm", "A");
    if (!code) code = gd_check_floating(c, t, "linalg.matrix_norm");
    if (!code && arg_count(a, 2) != 2)
        code = gd_fail(c, GD_E_VALUE, "linalg.matrix_norm: dim must be a 2-tuple. Got %d", arg_count(a, 2));
    for (int i = 0; i < 2 && !code; i++) code = gd_wrap_dim(c, arg_ints(a, 2)[i], t->ndim, &dims[i]);
    if (!code && dims[0] == dims[1])
        code = gd_fail(c, GD_E_VALUE, "linalg.matrix_norm: dims must be different. Got (%lld, %lld)",
                       (long long)arg_ints(a, 2)[0], (long long)arg_ints(a, 2)[1]);
    return code;
}

/* t with the two dimensions last; `back` undoes it. */
static gd_tensor *matrices_last(gd_ctx *c, gd_tensor *t, const int *dims, int64_t *back) {
    int64_t order[GD_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < t->ndim; d++)
        if (d != dims[0] && d != dims[1]) order[n++] = d;
    order[n++] = dims[0];
    order[n++] = dims[1];
    for (int i = 0; i < n; i++) back[order[i]] = i;
    return GX(c, permute, T_(t), IS_(order, n));
}

static gd_tensor *put_back(gd_ctx *c, gd_tensor *t, bool keepdim, const int64_t *back, int ndim) {
    return keepdim ? GX(c, permute, T_(gx_unsqueeze(c, t, -1)), IS_(back, ndim)) : t;
}

static gd_tensor *extreme(gd_ctx *c, gd_tensor *t, int64_t dim, bool keepdim, bool greatest) {
    const int64_t dims[] = {dim};
    return greatest ? GX(c, amax, T_(t), IS_(dims, 1), B_(keepdim)) : GX(c, amin, T_(t), IS_(dims, 1), B_(keepdim));
}

gd_code gd_fw_matrix_norm(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int dims[2];
    int64_t back[GD_MAX_DIMS];
    double p = arg_f64(a, 1), size = fabs(p);
    bool keepdim = a->args[3].u.boolean;
    gd_code code = matrix_dims(a, dims);
    if (code) return code;
    if (size != 2 && size != 1 && !isinf(p))
        return gd_fail(c, GD_E_VALUE, "linalg.matrix_norm: Order %g not supported.", p);
    t = in_dtype(c, t, &a->args[4]);
    if (!t) return gd_failed(c);
    if (size == 2) {
        gd_tensor *s = GX(c, svdvals, T_(matrices_last(c, t, dims, back)));
        return give_shared(a, put_back(c, extreme(c, s, -1, keepdim, p > 0), keepdim, back, t->ndim));
    }
    int64_t first = dims[size == 1 ? 0 : 1], second = dims[size == 1 ? 1 : 0];
    gd_tensor *sums = GX(c, vector_norm, T_(t), F_(1), IS_(&first, 1), B_(keepdim));
    if (!keepdim && first < second) second--;
    return give_shared(a, extreme(c, sums, second, keepdim, p > 0));
}

gd_code gd_fw_matrix_norm_str(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int dims[2];
    int64_t back[GD_MAX_DIMS];
    const int64_t last[] = {-1};
    const char *p = a->args[1].u.str;
    bool keepdim = a->args[3].u.boolean;
    gd_code code = matrix_dims(a, dims);
    if (code) return code;
    if (strcmp(p, "fro") == 0)
        return give(a, DO(c, vector_norm, a->args[0], F_(2), a->args[2], a->args[3], a->args[4]));
    if (strcmp(p, "nuc") != 0) return gd_fail(c, GD_E_VALUE, "linalg.matrix_norm: Order %s not supported.", p);
    t = in_dtype(c, t, &a->args[4]);
    gd_tensor *s = t ? GX(c, svdvals, T_(matrices_last(c, t, dims, back))) : NULL;
    return give_shared(a, t ? put_back(c, GX(c, sum_dim, T_(s), IS_(last, 1), B_(keepdim)), keepdim, back, t->ndim)
                            : NULL);
}

/* ---- either ----------------------------------------------------------------------------------------------------- */

static gd_code check_norm_dims(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const gd_tensor *t = arg_tensor(a, 0);
    char text[TEXT];
    gd_code code = gd_check_floating(c, t, "linalg.norm");
    if (code || a->args[1].kind == GD_V_NONE) return code;
    if (a->args[2].kind == GD_V_NONE) {
        if (t->ndim == 1 || t->ndim == 2) return GD_OK;
        return gd_fail(c, GD_E_VALUE,
                       "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got %dD.",
                       t->ndim);
    }
    if (arg_count(a, 2) == 1 || arg_count(a, 2) == 2) return GD_OK;
    return gd_fail(c, GD_E_VALUE, "linalg.norm: If dim is specified, it must be of length 1 or 2. Got %s",
                   gd_shape_text(text, sizeof text, arg_count(a, 2), arg_ints(a, 2)));
}

gd_code gd_fw_linalg_norm(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const int64_t both[] = {0, 1};
    bool given = a->args[2].kind == GD_V_INTS;
    gd_code code = check_norm_dims(a);
    if (code) return code;
    if (a->args[1].kind != GD_V_NONE && (given ? arg_count(a, 2) == 2 : arg_tensor(a, 0)->ndim == 2))
        return give(
            a, DO(c, matrix_norm, a->args[0], a->args[1], given ? a->args[2] : IS_(both, 2), a->args[3], a->args[4]));
    const gd_value order = a->args[1].kind == GD_V_NONE ? F_(2) : a->args[1];
    return give(a, DO(c, vector_norm, a->args[0], order, a->args[2], a->args[3], a->args[4]));
}

gd_code gd_fw_linalg_norm_str(gd_apply *a) {
    const int64_t both[] = {0, 1};
    gd_code code = check_norm_dims(a);
    const gd_value dims = a->args[2].kind == GD_V_INTS ? a->args[2] : IS_(both, 2);
    return code ? code : give(a, DO(a->ctx, matrix_norm_str, a->args[0], a->args[1], dims, a->args[3], a->args[4]));
}

/* ---- condition numbers ------------------------------------------------------------------------------------------- */

/* The greatest singular value over the smallest, or the other way round. */
static gd_tensor *spectral_condition(gd_ctx *c, gd_tensor *t, bool inverse) {
    gd_tensor *s = GX(c, svdvals, T_(t));
    int64_t k = s ? s->sizes[s->ndim - 1] : 0;
    if (!s) return NULL;
    gd_tensor *first = gx_narrow(c, s, -1, 0, 1), *last = gx_narrow(c, s, -1, k - 1, 1);
    return GX(c, squeeze_dim, T_(inverse ? gx_div(c, last, first) : gx_div(c, first, last)), I_(-1));
}

static gd_tensor *norm_of(gd_ctx *c, gd_tensor *t, const gd_value *p) {
    return p->kind == GD_V_STR ? GX(c, matrix_norm_str, T_(t), *p) : GX(c, matrix_norm, T_(t), *p);
}

/* norm(A) norm(A^-1); infinite where A is singular. */
static gd_tensor *condition(gd_ctx *c, gd_tensor *t, const gd_value *p) {
    gd_tensor *all[2];
    const gd_value args[] = {T_(t)};
    if (gd_pooled_outputs(c, GD_OP_inv_ex, args, 1, all, 2)) return NULL;
    gd_tensor *inverse = all[0];
    gd_trace_expect(c, all[1]);
    bool singular = false;
    for (int64_t i = 0; i < all[1]->numel; i++) singular |= ((const int32_t *)all[1]->data)[i] != 0;
    if (singular) {
        gd_tensor *where = GX(c, gt, T_(gx_unsqueeze(c, gx_unsqueeze(c, all[1], -1), -1)), T_(gx_number(c, 0)));
        inverse = GX(c, masked_fill, T_(inverse), T_(where), F_(INFINITY));
    }
    gd_tensor *product = gx_mul(c, norm_of(c, t, p), norm_of(c, inverse, p));
    if (p->kind == GD_V_STR && strcmp(p->u.str, "nuc") == 0) return product;
    return GX(c, nan_to_num, T_(product), F_(INFINITY), F_(INFINITY), F_(-INFINITY));
}

gd_code gd_fw_cond(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    const gd_value *v = &a->args[1];
    double p = v->kind == GD_V_NONE ? 2 : v->kind == GD_V_STR ? 0 : arg_f64(a, 1);
    gd_code code = gd_check_matrix(c, t, "linalg.cond", "A");
    if (!code) code = gd_check_floating(c, t, "linalg.cond");
    if (!code && v->kind != GD_V_STR && fabs(p) != 2 && fabs(p) != 1 && !isinf(p))
        code = gd_fail(c, GD_E_VALUE, "linalg.cond got an invalid norm type: %g", p);
    if (!code && v->kind == GD_V_STR && strcmp(v->u.str, "fro") != 0 && strcmp(v->u.str, "nuc") != 0)
        code = gd_fail(c, GD_E_VALUE, "linalg.cond got an invalid norm type: %s", v->u.str);
    if (!code && fabs(p) != 2) code = gd_check_square(c, t, "linalg.cond", "A");
    if (code) return code;
    if (t->numel == 0) return give(a, gd_batch_new(c, (gd_dtype)t->dtype, t, -1));
    return give_shared(a, fabs(p) == 2 ? spectral_condition(c, t, p < 0) : condition(c, t, v));
}

/* ---- vectors of norm 1 ------------------------------------------------------------------------------------------ */

gd_code gd_fw_normalize(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    gd_tensor *norm = GX(c, norm, T_(t), a->args[1], a->args[2], B_(true));
    norm = GX(c, clamp_min, T_(norm), a->args[3]);
    return give_shared(a, gx_div(c, t, GX(c, expand, T_(norm), GD_INTS_VALUE(t->sizes, t->ndim))));
}
