/* compile_rows.c: rows that a plan knows by name: sums, joins, and the derivatives of views. */
#include <string.h>

#include "core/ops/reduce.h"
#include "core/plan/compiler.h"

/* ---- nodes ----------------------------------------------------------------------------------------- */

int32_t gd_c_node(gd_compiler *c, const gd_cnode *node) {
    if (c->failed || !gd_c_grow(c, (void **)&c->nodes, c->nnodes, &c->nodes_cap, sizeof *c->nodes)) return -1;
    c->nodes[c->nnodes] = *node;
    c->nodes[c->nnodes].unit = c->nodes[c->nnodes].next = -1;
    return c->nnodes++;
}

int32_t gd_c_result(gd_compiler *c, int32_t node, gd_dtype dtype, int ndim, const int64_t *sizes,
                    const int64_t *strides) {
    if (node < 0) return -1;
    const gd_cvalue v = {.kind = GD_C_RESULT, .dtype = dtype, .ndim = ndim, .source = node};
    int32_t value = gd_c_value(c, &v, sizes, strides);
    if (value < 0) return -1;
    c->nodes[node].out = value;
    c->nodes[node].nout = 1;
    return value;
}

static int32_t *one_input(gd_compiler *c, int32_t value) {
    int32_t *in = gd_c_new(c, 1, sizeof *in);
    if (in) *in = value;
    return in;
}

/* A result of the traced tensor's shape, row-major. */
static int32_t result_like(gd_compiler *c, int32_t node, gd_dtype dtype, const gd_tensor *traced) {
    int64_t strides[GD_MAX_DIMS];
    gd_contiguous_strides(traced->ndim, traced->sizes, strides);
    return gd_c_result(c, node, dtype, traced->ndim, traced->sizes, strides);
}

/* ---- sums ------------------------------------------------------------------------------------------- */

typedef struct gd_sum_row {
    gd_dtype result, compute;
    uint64_t mask;
    bool mean;
} gd_sum_row;

static gd_dtype widened(gd_dtype dtype) { return gd_dtype_is_float(dtype) ? dtype : GD_INT64; }

static bool read_sizes(const gd_value *size, const gd_tensor *self, uint64_t *mask) {
    int lead = self->ndim - (int)size->n;
    *mask = 0;
    for (int d = 0; d < self->ndim; d++)
        if (d < lead || (size->u.ints[d - lead] == 1 && self->sizes[d] != 1)) *mask |= UINT64_C(1) << d;
    return size->kind == GD_V_INTS && lead >= 0;
}

/* Which dimensions a row adds up, and in which dtype; false if it does no such thing. */
static bool read_sum(gd_compiler *c, const gd_step *step, const gd_tensor *self, gd_sum_row *row) {
    int dtype = -1;
    bool ok = true;
    *row = (gd_sum_row){.mask = ~UINT64_C(0), .result = widened((gd_dtype)self->dtype)};
    switch (step->op->id) {
    case GD_OP_sum:
    case GD_OP_mean: dtype = 1; break;
    case GD_OP_sum_dim:
    case GD_OP_mean_dim:
        dtype = 3;
        ok = gd_reduce_mask(c->ctx, &step->args[1], self->ndim, &row->mask) == GD_OK;
        break;
    case GD_OP__sum_to_size: ok = read_sizes(&step->args[1], self, &row->mask); break;
    default: return false;
    }
    row->mean = step->op->id == GD_OP_mean || step->op->id == GD_OP_mean_dim;
    if (dtype >= 0 && step->args[dtype].kind == GD_V_DTYPE) row->result = step->args[dtype].u.dtype;
    row->compute = widened(row->result);
    bool narrow = gd_dtype_is_narrow((gd_dtype)self->dtype) || gd_dtype_is_narrow(row->result);
    return ok && !narrow && row->result != GD_BOOL && self->numel > 0;
}

/* The sum of `in` over the row's dimensions. */
static int32_t add_sum(gd_compiler *c, int32_t in, const gd_sum_row *row, const gd_tensor *out) {
    gd_c_key_start(c, 's');
    gd_c_key(c, in);
    gd_c_key(c, (int64_t)row->mask);
    gd_c_key_bytes(c, out->sizes, (size_t)out->ndim * sizeof *out->sizes);
    int32_t value = gd_c_known(c);
    if (value >= 0 || c->failed) return value;
    gd_cnode node = {.kind = out->numel == 1 ? GD_N_SUM : GD_N_REDUCE, .mask = row->mask, .nin = 1};
    node.in = one_input(c, in);
    if (!node.in) return -1;
    value = result_like(c, gd_c_node(c, &node), row->compute, out);
    if (value >= 0) gd_c_remember(c, value);
    return value;
}

static int32_t divided(gd_compiler *c, int32_t sum, int64_t n) {
    const gd_cvalue v = c->values[sum];
    _Alignas(8) char element[8];
    gd_store_f64(v.dtype, element, (double)n);
    int32_t number = gd_c_scalar_constant(c, v.dtype, element);
    if (number < 0) return -1;
    const gd_pointwise_recipe r = {.loop = gd_pointwise_loop(GD_K_DIV, v.dtype),
                                   .kernel = GD_K_DIV,
                                   .compute = v.dtype,
                                   .result = v.dtype,
                                   .nin = 2,
                                   .in = {sum, number},
                                   .ndim = v.ndim,
                                   .sizes = v.sizes};
    return gd_c_pointwise(c, &r);
}

static bool sum_row(gd_compiler *c, const gd_step *step) {
    const gd_tensor *self = gd_trace_at(c->trace, step->in[0])->tensor, *out = gd_trace_at(c->trace, step->out)->tensor;
    gd_sum_row row;
    if (!read_sum(c, step, self, &row) || (row.mean && !gd_dtype_is_float(row.result))) return false;
    int32_t in = gd_c_value_of(c, step->in[0]);
    if (in >= 0) in = gd_c_cast(c, in, row.compute);
    int32_t value = in < 0 ? -1 : add_sum(c, in, &row, out);
    if (value >= 0 && row.mean) value = divided(c, value, self->numel / out->numel);
    if (value >= 0) value = gd_c_cast(c, value, row.result);
    c->map[step->out] = value;
    return true;
}

/* ---- fills -------------------------------------------------------------------------------------------- */

/* A fill whose output is row-major and of the traced shape; parts and inputs are set by the caller. */
static int32_t fill_node(gd_compiler *c, const gd_step *step, int n, int32_t **in, int32_t **parts, bool zero) {
    const gd_tensor *out = gd_trace_at(c->trace, step->out)->tensor;
    *in = gd_c_new(c, (size_t)n + 1, sizeof **in);
    *parts = gd_c_new(c, (size_t)n + 1, sizeof **parts);
    if (!*in || !*parts) return -1;
    const gd_cnode node = {.kind = GD_N_FILL, .nin = n, .in = *in, .parts = *parts, .zero = zero};
    int32_t value = result_like(c, gd_c_node(c, &node), (gd_dtype)out->dtype, out);
    c->map[step->out] = value;
    return value;
}

/* Zeros with grad where `view` of them is. */
static bool undone_view(gd_compiler *c, const gd_step *step, gd_op_id view) {
    gd_value args[GD_MAX_ARGS];
    int32_t *in, *parts, grad = gd_c_value_of(c, step->in[0]);
    if (grad < 0) return true;
    int32_t out = fill_node(c, step, 1, &in, &parts, true);
    if (out < 0) return true;
    memcpy(args + 1, step->args + 2, (size_t)(step->nargs - 2) * sizeof *args);
    in[0] = grad;
    parts[0] = gd_c_apply_view(c, view, out, args, step->nargs - 1);
    return true;
}

/* The part of `out` that begins at `first` of dimension dim and has the given sizes. */
static int32_t part_of(gd_compiler *c, int32_t out, int dim, int64_t first, int ndim, const int64_t *sizes,
                       const int64_t *strides) {
    const gd_cvalue *v = &c->values[out];
    int64_t width = (int64_t)gd_dtype_bytes(v->dtype);
    return gd_c_view(c, out, ndim, sizes, strides, first * gd_c_strides(v)[dim] * width);
}

static bool any_narrow(const gd_compiler *c, const gd_step *step) {
    for (int i = 0; i < step->nin; i++)
        if (gd_dtype_is_narrow((gd_dtype)gd_trace_at(c->trace, step->in[i])->tensor->dtype)) return true;
    return false;
}

static bool cat_row(gd_compiler *c, const gd_step *step) {
    const gd_tensor *traced = gd_trace_at(c->trace, step->out)->tensor;
    int64_t dim = step->args[1].u.integer, at = 0, strides[GD_MAX_DIMS];
    int32_t *in, *parts;
    if (dim < 0) dim += traced->ndim;
    if (any_narrow(c, step)) return false;
    int32_t out = fill_node(c, step, step->nin, &in, &parts, false);
    gd_contiguous_strides(traced->ndim, traced->sizes, strides);
    for (int i = 0; i < step->nin && !c->failed; i++) {
        in[i] = parts[i] = gd_c_value_of(c, step->in[i]);
        if (in[i] < 0) return true;
        const gd_cvalue v = c->values[in[i]];
        if (v.numel == 0) {
            in[i] = parts[i] = -1; /* also the [0] that fits anywhere */
            at += v.ndim == traced->ndim ? v.sizes[dim] : 0;
            continue;
        }
        parts[i] = part_of(c, out, (int)dim, at, v.ndim, v.sizes, strides);
        at += v.sizes[dim];
    }
    return true;
}

static bool stack_row(gd_compiler *c, const gd_step *step) {
    const gd_tensor *traced = gd_trace_at(c->trace, step->out)->tensor;
    int64_t dim = step->args[1].u.integer, strides[GD_MAX_DIMS];
    int32_t *in, *parts;
    if (dim < 0) dim += traced->ndim;
    if (any_narrow(c, step)) return false;
    int32_t out = fill_node(c, step, step->nin, &in, &parts, false);
    gd_contiguous_strides(traced->ndim, traced->sizes, strides);
    memmove(strides + dim, strides + dim + 1, (size_t)(traced->ndim - 1 - dim) * sizeof *strides);
    for (int i = 0; i < step->nin && !c->failed; i++) {
        in[i] = gd_c_value_of(c, step->in[i]);
        if (in[i] < 0) return true;
        const gd_cvalue v = c->values[in[i]];
        parts[i] = part_of(c, out, (int)dim, i, v.ndim, v.sizes, strides);
    }
    return true;
}

/* A copy of self in which src stands at a geometry counted from its first element. */
static bool scatter_row(gd_compiler *c, const gd_step *step) {
    int32_t *in, *parts, self = gd_c_value_of(c, step->in[0]), src = gd_c_value_of(c, step->in[1]);
    if (self < 0 || src < 0) return true;
    int32_t out = fill_node(c, step, 2, &in, &parts, false);
    if (out < 0) return true;
    int64_t width = (int64_t)gd_dtype_bytes(c->values[out].dtype);
    in[0] = self;
    parts[0] = out;
    in[1] = src;
    parts[1] = gd_c_view(c, out, (int)step->args[2].n, step->args[2].u.ints, step->args[3].u.ints,
                         step->args[4].u.integer * width);
    return true;
}

bool gd_c_row(gd_compiler *c, const gd_step *step) {
    if (step->inplace || step->nout != 1 || !gd_trace_at(c->trace, step->out)->tensor) return false;
    for (int i = 0; i < step->nin; i++)
        if (step->in[i] < 0) return false;
    switch (step->op->id) {
    case GD_OP__slice_backward: return undone_view(c, step, GD_OP_slice);
    case GD_OP__select_backward: return undone_view(c, step, GD_OP_select);
    case GD_OP__diagonal_backward: return undone_view(c, step, GD_OP_diagonal);
    case GD_OP_cat: return cat_row(c, step);
    case GD_OP_stack: return stack_row(c, step);
    case GD_OP__as_strided_scatter: return scatter_row(c, step);
    default: return sum_row(c, step);
    }
}
