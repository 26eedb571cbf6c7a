/* jvp_rules.c: which rows have forward derivatives that are the row itself, applied to tangents. */
#include <string.h>

#include "core/ops/rules.h"
#include "core/plan/jvp_inside.h"

/* ---- the classes ----------------------------------------------------------------------------------- */

/* clang-format off */
#define LINEAR(X) \
    X(sum) X(sum_dim) X(mean) X(mean_dim) X(_sum_to_size) X(cumsum) X(trace) X(transpose) X(t) X(permute) X(squeeze) \
    X(squeeze_dim) X(_squeeze_fresh) X(unsqueeze) X(expand) X(repeat) X(cat) X(stack) X(split) X(split_sizes) \
    X(split_with_sizes) X(unbind) X(select) X(slice) X(flip) X(roll) X(rot90) X(tril) X(triu) X(diag) X(diagonal) \
    X(diag_embed) X(_alias) X(_as_strided_gather) X(_as_strided_backward) X(_as_strided_scatter) X(_select_backward) \
    X(_slice_backward) X(_diagonal_backward) X(unfold) X(_unfold_backward) X(block_diag) X(index) X(index_put) \
    X(index_select) X(index_add) X(gather) X(scatter_add) X(masked_fill) X(masked_fill_tensor) X(masked_select) \
    X(_index_backward) X(_masked_scatter) X(constant_pad_nd) X(_reflection_pad1d) X(_reflection_pad2d) \
    X(_reflection_pad3d) X(_replication_pad1d) X(_replication_pad2d) X(_replication_pad3d) X(_edge_pad_backward) \
    X(pixel_shuffle) X(pixel_unshuffle) X(_im2col) X(_col2im) X(_put_along) X(_avg_pool2d) X(_avg_pool3d) \
    X(_adaptive_avg_pool2d) X(_adaptive_avg_pool3d) X(_upsample_nearest1d) X(_upsample_nearest2d) \
    X(_upsample_nearest3d) X(_upsample_nearest_exact1d) X(_upsample_nearest_exact2d) X(_upsample_nearest_exact3d) \
    X(_upsample_linear1d) X(_upsample_bilinear2d) X(_upsample_trilinear3d) X(_upsample_bicubic2d) X(_resample) \
    X(_resample_adjoint) X(diagonal_scatter) X(select_scatter) X(slice_scatter) X(index_fill) X(index_fill_tensor) \
    X(index_copy) X(scatter_value) X(scatter) X(put) X(take) X(masked_scatter) X(_embedding)
#define FACTORS(X) \
    X(mm) X(bmm) X(mv) X(dot) X(vdot) X(linalg_cross) X(_trilinear) X(_conv) X(_conv_input) X(_conv_weight)
#define ADDED(X) X(addmm) X(addmv) X(baddbmm) X(addbmm) X(addr)
#define COPIES(X) X(clone) X(_to_copy) X(_contiguous_copy) X(copy_) X(fill_tensor) X(fill_tensor_)
#define RESHAPES(X) X(view) X(_reshape_alias) X(_unsafe_view)
#define PICKED(X) \
    X(sort) X(sort_stable) X(topk) X(kthvalue) X(median_dim) X(nanmedian_dim) X(mode) X(max_dim) X(min_dim) \
    X(cummax) X(cummin)
#define ELEMENTWISE(X) X(gelu) X(softplus) X(_leaky_relu) X(hardshrink) X(softshrink) X(nan_to_num) X(logit)
#define OWN(X) \
    X(var) X(std) X(var_mean) X(std_mean) X(norm) X(vector_norm) X(softmax) X(log_softmax) X(logsumexp) X(inv_ex) \
    X(cdist) X(pdist)

#define IS_LINEAR(id) [GD_OP_##id] = GD_JVP_LINEAR,
#define IS_FACTORS(id) [GD_OP_##id] = GD_JVP_FACTORS,
#define IS_ADDED(id) [GD_OP_##id] = GD_JVP_ADDED,
#define IS_COPY(id) [GD_OP_##id] = GD_JVP_COPY,
#define IS_RESHAPE(id) [GD_OP_##id] = GD_JVP_RESHAPE,
#define IS_PICKED(id) [GD_OP_##id] = GD_JVP_PICKED,
#define IS_POINTWISE(id) [GD_OP_##id] = GD_JVP_POINTWISE,
#define IS_OWN(id) [GD_OP_##id] = GD_JVP_OWN,

static const uint8_t classes[GD_OP_COUNT] = {
    LINEAR(IS_LINEAR) FACTORS(IS_FACTORS) ADDED(IS_ADDED) COPIES(IS_COPY) RESHAPES(IS_RESHAPE) PICKED(IS_PICKED)
    ELEMENTWISE(IS_POINTWISE) OWN(IS_OWN)
    [GD_OP__convolution] = GD_JVP_BIASED,
    [GD_OP__as_strided_view] = GD_JVP_STRIDED,
};
/* clang-format on */

gd_jvp_class gd_jvp_class_of(const gd_step *step) {
    gd_jvp_class class = (gd_jvp_class)classes[step->op->id];
    return class == GD_JVP_TWICE && step->is_pointwise && step->nout == 1 ? GD_JVP_POINTWISE : class;
}

/* ---- arguments ------------------------------------------------------------------------------------- */

/* The row's arguments with some tensors replaced. */
typedef struct row {
    gd_value args[GD_MAX_ARGS];
    gd_tensor **in; /* by entry of step.in; in the trace's memory */
} row;

static gd_code row_of(const gd_jvp_step *s, row *r) {
    const gd_step *step = s->step;
    r->in = gd_trace_alloc(s->trace, (size_t)step->nin * sizeof *r->in + 1);
    if (!r->in) return s->ctx->error.code;
    for (int k = 0; k < step->nin; k++) r->in[k] = step->in[k] < 0 ? NULL : s->trace->values[step->in[k]].traced.tensor;
    memcpy(r->args, step->args, (size_t)step->nargs * sizeof *r->args);
    return GD_OK;
}

/* Puts r->in where the tensors stand. */
static void settle(const gd_jvp_step *s, row *r) {
    for (int i = 0, at = 0; i < s->step->nargs; i++) {
        gd_value *v = &r->args[i];
        if (v->kind == GD_V_TENSOR && v->u.tensor) v->u.tensor = r->in[at++];
        if (v->kind != GD_V_TENSORS) continue;
        v->u.tensors = r->in + at;
        at += (int)v->n;
    }
}

/* Applies the row; its outputs become tangents, or are added to them. */
static gd_code apply(gd_jvp_step *s, row *r) {
    gd_result result = {0};
    settle(s, r);
    gd_code code = gd_do_all(s->ctx, (gd_op_id)s->step->op->id, r->args, s->step->nargs, &result);
    for (uint32_t k = 0; !code && k < result.n && (int)k < s->step->nout; k++) {
        gd_tensor *t = result.outputs[k], *old = s->out[k];
        if (!t || !gd_dtype_is_float((gd_dtype)t->dtype)) continue;
        s->out[k] = old ? gd_do(s->ctx, GD_OP_add, (const gd_value[]){T_(old), T_(t)}, 2) : gd_retain(t);
        gd_release(old);
        if (!s->out[k]) code = s->ctx->error.code;
    }
    gd_result_clear(&result);
    return code;
}

static gd_tensor *zeros_like(gd_jvp_step *s, const gd_tensor *t) {
    return gd_pool_add(s->ctx, gd_zeros(s->ctx, (gd_dtype)t->dtype, t->ndim, t->sizes));
}

static bool is_differentiated(const gd_op *op, int arg) {
    for (int d = 0; d < op->ndiff; d++)
        if (op->diff[d] == arg) return true;
    return false;
}

/* The argument that entry k of step.in stands in. */
static int argument_of(const gd_step *step, int k) {
    for (int i = 0, at = 0; i < step->nargs; i++) {
        const gd_value *v = &step->args[i];
        at += v->kind == GD_V_TENSORS ? (int)v->n : v->kind == GD_V_TENSOR && v->u.tensor ? 1 : 0;
        if (k < at) return i;
    }
    return -1;
}

/* ---- rules ------------------------------------------------------------------------------------------- */

/* The number that a row writes beside what it takes from its tensors; -1: none. */
static int constant_argument(const gd_op *op) {
    switch (op->id) {
    case GD_OP_masked_fill:
    case GD_OP_constant_pad_nd: return 2;
    case GD_OP_index_fill:
    case GD_OP_scatter_value: return 3;
    default: return -1;
    }
}

static gd_code linear(gd_jvp_step *s) {
    row r;
    gd_code code = row_of(s, &r);
    if (code) return code;
    for (int k = 0; k < s->step->nin; k++) {
        if (!r.in[k] || !is_differentiated(s->step->op, argument_of(s->step, k))) continue;
        r.in[k] = s->tangents[k] ? s->tangents[k] : zeros_like(s, r.in[k]);
        if (!r.in[k]) return s->ctx->error.code;
    }
    int constant = constant_argument(s->step->op);
    if (constant >= 0) r.args[constant] = I_(0);
    return apply(s, &r);
}

/* Sum over the factors of the row with that factor's tangent; entry `skip` of step.in is replaced by `instead`. */
static gd_code factors(gd_jvp_step *s, int skip, gd_tensor *instead) {
    for (int k = 0; k < s->step->nin; k++) {
        row r;
        if (!s->tangents[k] || k == skip) continue;
        gd_code code = row_of(s, &r);
        if (code) return code;
        r.in[k] = s->tangents[k];
        if (skip >= 0) r.in[skip] = instead;
        code = apply(s, &r);
        if (code) return code;
    }
    return GD_OK;
}

static gd_code add_in(gd_jvp_step *s, gd_tensor *t) {
    if (!t) return s->ctx->error.code;
    gd_tensor *old = s->out[0];
    s->out[0] = old ? gd_do(s->ctx, GD_OP_add, (const gd_value[]){T_(old), T_(t)}, 2) : gd_retain(t);
    gd_release(old);
    return s->out[0] ? GD_OK : s->ctx->error.code;
}

/* addmm(self, a, b, beta, alpha): beta self' + alpha (a' b + a b'). */
static gd_code added(gd_jvp_step *s) {
    gd_tensor *y = gd_jvp_output(s, 0);
    gd_tensor *nothing = gd_pool_add(s->ctx, gd_zeros(s->ctx, (gd_dtype)y->dtype, 0, NULL));
    if (!nothing) return s->ctx->error.code;
    nothing = GX(s->ctx, expand, T_(nothing), GD_INTS_VALUE(y->sizes, y->ndim));
    gd_code code = nothing ? factors(s, 0, nothing) : s->ctx->error.code;
    if (code || !s->tangents[0]) return code;
    return add_in(s, GX(s->ctx, _mul_number, T_(s->tangents[0]), s->step->args[3]));
}

/* A bias of one number a channel. */
static gd_tensor *spread(gd_jvp_step *s, gd_tensor *bias, uint32_t spatial) {
    int64_t sizes[GD_MAX_DIMS];
    if (spatial + 1 > GD_MAX_DIMS) return NULL;
    sizes[0] = bias->numel;
    for (uint32_t d = 1; d <= spatial; d++) sizes[d] = 1;
    return GX(s->ctx, reshape, T_(bias), GD_INTS_VALUE(sizes, spatial + 1));
}

/* _convolution(input, weight, bias?, stride …). */
static gd_code biased(gd_jvp_step *s) {
    bool has_bias = s->step->nin > 2;
    for (int k = 0; k < 2; k++) {
        row r;
        if (!s->tangents[k]) continue;
        gd_code code = row_of(s, &r);
        if (code) return code;
        r.in[k] = s->tangents[k];
        settle(s, &r);
        r.args[2] = GD_NONE_VALUE;
        gd_tensor *t = gd_pool_add(s->ctx, gd_do(s->ctx, GD_OP__convolution, r.args, s->step->nargs));
        code = add_in(s, t);
        if (code) return code;
    }
    return has_bias && s->tangents[2] ? add_in(s, spread(s, s->tangents[2], s->step->args[3].n)) : GD_OK;
}

static gd_code copied(gd_jvp_step *s) {
    s->out[0] = gd_retain(s->tangents[s->step->nin - 1]);
    return GD_OK;
}

static gd_code reshaped(gd_jvp_step *s) {
    const gd_tensor *y = gd_jvp_output(s, 0);
    s->out[0] = gd_retain(GX(s->ctx, reshape, T_(s->tangents[0]), GD_INTS_VALUE(y->sizes, y->ndim)));
    return s->out[0] ? GD_OK : s->ctx->error.code;
}

static int dim_argument(const gd_op *op) {
    for (int i = 0; i < op->nparams; i++)
        if (strcmp(op->params[i].name, "dim") == 0) return i;
    return -1;
}

static gd_code picked(gd_jvp_step *s) {
    gd_ctx *c = s->ctx;
    int dim, at = dim_argument(s->step->op);
    gd_tensor *t = s->tangents[0], *index = gd_jvp_output(s, 1);
    if (at < 0 || !index || s->step->args[at].kind != GD_V_INT)
        return gd_fail(c, GD_E_STATE, "%s() tells no indices", s->step->op->name);
    if (t->ndim == 0) return copied(s);
    gd_code code = gd_wrap_dim(c, s->step->args[at].u.integer, t->ndim, &dim);
    if (code) return code;
    bool dropped = index->ndim < t->ndim;
    if (dropped) index = GX(c, unsqueeze, T_(index), I_(dim));
    gd_tensor *out = GX(c, gather, T_(t), I_(dim), T_(index));
    if (dropped) out = GX(c, squeeze_dim, T_(out), I_(dim));
    s->out[0] = gd_retain(out);
    return out ? GD_OK : c->error.code;
}

static gd_code strided(gd_jvp_step *s) {
    const gd_value *args = s->step->args;
    const gd_tensor *self = args[0].u.tensor;
    s->out[0] = gd_retain(GX(s->ctx, _as_strided_gather, T_(s->tangents[0]), GD_INTS_VALUE(self->sizes, self->ndim),
                             args[4], args[5], args[1], args[2], args[3]));
    return s->out[0] ? GD_OK : s->ctx->error.code;
}

gd_code gd_jvp_by_row(gd_jvp_step *s, gd_jvp_class class) {
    switch (class) {
    case GD_JVP_LINEAR: return linear(s);
    case GD_JVP_FACTORS: return factors(s, -1, NULL);
    case GD_JVP_ADDED: return added(s);
    case GD_JVP_BIASED: return biased(s);
    case GD_JVP_COPY: return copied(s);
    case GD_JVP_RESHAPE: return reshaped(s);
    case GD_JVP_PICKED: return picked(s);
    case GD_JVP_STRIDED: return strided(s);
    case GD_JVP_OWN: return gd_jvp_own(s);
    default: return gd_jvp_twice(s);
    }
}
