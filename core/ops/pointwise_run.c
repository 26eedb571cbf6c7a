/* pointwise_run.c: one pointwise computation from promoted dtypes to a written output.
 *
 * The order of work: shape, output, overlap, conversion, loop. Numbers and other one-element inputs are
 * converted on the stack, so `x * 2` allocates its output and nothing else.
 */
#include "core/ops/pointwise_run.h"

#include "core/plan/trace.h"

#include <string.h>

gd_code gd_fail_kernel(gd_ctx *ctx, const char *kernel, gd_dtype dtype) {
    return gd_fail(ctx, GD_E_DTYPE, "\"%s\" not implemented for '%s'", kernel, gd_dtype_scalar_name(dtype));
}

double gd_value_f64(const gd_value *v) {
    if (v->kind == GD_V_FLOAT) return v->u.real;
    return v->kind == GD_V_BOOL ? (double)v->u.boolean : (double)v->u.integer;
}

gd_tensor *gd_number_of(gd_number *n, const gd_value *v) {
    memset(n, 0, sizeof(*n));
    gd_dtype dtype = v->kind == GD_V_FLOAT ? GD_FLOAT64 : v->kind == GD_V_BOOL ? GD_BOOL : GD_INT64;
    gd_convert_value(dtype, v, n->bytes);
    n->tensor.refs = 1;
    n->tensor.dtype = (uint8_t)dtype;
    n->tensor.flags = GD_F_WRAPPED_NUMBER;
    n->tensor.numel = 1;
    n->tensor.data = n->bytes;
    n->tensor.sizes = n->tensor.dims;
    return &n->tensor;
}

/* ---- shape ------------------------------------------------------------------------------------- */

typedef struct shape {
    int ndim;
    int64_t sizes[GD_MAX_DIMS];
} shape;

static gd_code broadcast_inputs(const gd_run *r, shape *s) {
    const gd_tensor *first = r->in[0];
    s->ndim = first->ndim;
    if (s->ndim > 0) memcpy(s->sizes, first->sizes, sizeof(int64_t) * (size_t)s->ndim);
    for (int k = 1; k < r->nin; k++) {
        const gd_tensor *t = r->in[k];
        if (t->ndim == 0 || gd_same_shape(t, first)) continue;
        shape merged;
        gd_code code = gd_broadcast_shape(r->a->ctx, s->ndim, s->sizes, t->ndim, t->sizes, merged.sizes, &merged.ndim);
        if (code) return code;
        *s = merged;
    }
    return GD_OK;
}

/* ---- the new output's strides ------------------------------------------------------------------ */

/* Which of two dimensions is the inner one in the inputs' memory? > 0: they should change places, < 0: they
 * should not, 0: the inputs do not say. */
static int should_swap(const gd_run *r, const shape *s, int inner, int outer) {
    for (int k = 0; k < r->nin; k++) {
        const gd_tensor *t = r->in[k];
        int skip = s->ndim - t->ndim;
        if (inner < skip || outer < skip) continue;
        int64_t at_inner = t->sizes[inner - skip] == 1 ? 0 : GD_STRIDES(t)[inner - skip];
        int64_t at_outer = t->sizes[outer - skip] == 1 ? 0 : GD_STRIDES(t)[outer - skip];
        if (at_inner == 0 || at_outer == 0) continue;
        if (at_inner != at_outer) return at_inner < at_outer ? -1 : 1;
        if (s->sizes[inner] > s->sizes[outer]) return 1;
    }
    return 0;
}

static void sort_dims(const gd_run *r, const shape *s, int *order) {
    for (int i = 0; i < s->ndim; i++) order[i] = s->ndim - 1 - i;
    for (int i = 1; i < s->ndim; i++) {
        int at = i;
        for (int below = i - 1; below >= 0; below--) {
            int verdict = should_swap(r, s, order[below], order[at]);
            if (verdict < 0) break;
            if (verdict == 0) continue;
            int swapped = order[below];
            order[below] = order[at];
            order[at] = swapped;
            at = below;
        }
    }
}

static bool all_contiguous(const gd_run *r) {
    for (int k = 0; k < r->nin; k++)
        if (!gd_strides_contiguous(r->in[k]->ndim, r->in[k]->sizes, GD_STRIDES(r->in[k]))) return false;
    return true;
}

/* PyTorch lays a result out in memory as its inputs are: transposed inputs give a transposed result. */
static gd_tensor *new_output(const gd_run *r, const shape *s) {
    gd_tensor *dense = gd_empty(r->a->ctx, r->result, s->ndim, s->sizes);
    if (!dense || s->ndim < 2 || all_contiguous(r)) return dense;
    int order[GD_MAX_DIMS];
    int64_t strides[GD_MAX_DIMS], next = 1;
    sort_dims(r, s, order);
    for (int i = 0; i < s->ndim; i++) {
        strides[order[i]] = next;
        next *= s->sizes[order[i]] > 1 ? s->sizes[order[i]] : 1; /* at most numel */
    }
    gd_tensor *laid_out = gd_alias(r->a->ctx, dense, s->ndim, s->sizes, strides, 0);
    gd_release(dense);
    return laid_out;
}

/* ---- a given output ------------------------------------------------------------------------------ */

static gd_code check_given(const gd_run *r, const gd_tensor *out, const shape *s) {
    gd_ctx *ctx = r->a->ctx;
    if (out->ndim != s->ndim || memcmp(out->sizes, s->sizes, sizeof(int64_t) * (size_t)s->ndim)) {
        char own[256], wanted[256];
        gd_shape_text(own, sizeof(own), out->ndim, out->sizes);
        gd_shape_text(wanted, sizeof(wanted), s->ndim, s->sizes);
        return gd_fail(ctx, GD_E_SHAPE, "output with shape %s doesn't match the broadcast shape %s", own, wanted);
    }
    if (gd_can_cast(r->result, (gd_dtype)out->dtype)) return GD_OK;
    return gd_fail(ctx, GD_E_DTYPE, "result type %s can't be cast to the desired output type %s",
                   gd_dtype_scalar_name(r->result), gd_dtype_scalar_name((gd_dtype)out->dtype));
}

/* Byte range [*first, *end) that t touches (strides are never negative); false if it touches nothing. */
static bool touched(const gd_tensor *t, const char **first, const char **end) {
    if (t->numel == 0) return false;
    int64_t span = 1;
    for (int d = 0; d < t->ndim; d++) span += (t->sizes[d] - 1) * GD_STRIDES(t)[d];
    *first = t->data;
    *end = t->data + span * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    return true;
}

static bool is_dense(const gd_tensor *t) {
    const char *first, *end;
    return touched(t, &first, &end) && end - first == t->numel * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
}

typedef enum overlap { APART, SAME, PARTIAL, UNCLEAR } overlap;

static overlap overlap_of(const gd_tensor *out, const gd_tensor *in) {
    const char *a0, *a1, *b0, *b1;
    if (in->storage != out->storage || !in->storage) return APART;
    if (!touched(out, &a0, &a1) || !touched(in, &b0, &b1) || a1 <= b0 || b1 <= a0) return APART;
    if (in->numel == 1 && out->numel == 1) return SAME;
    bool same_place = in->data == out->data && in->dtype == out->dtype && gd_same_shape(in, out);
    if (same_place && !memcmp(GD_STRIDES(in), GD_STRIDES(out), sizeof(int64_t) * (size_t)in->ndim)) return SAME;
    return is_dense(in) && is_dense(out) ? PARTIAL : UNCLEAR;
}

static gd_code check_overlap(const gd_run *r, const gd_tensor *out, bool *copy_inputs) {
    for (int d = 0; d < out->ndim; d++)
        if (out->sizes[d] > 1 && GD_STRIDES(out)[d] == 0)
            return gd_fail(r->a->ctx, GD_E_RUNTIME,
                           "unsupported operation: more than one element of the written-to tensor refers to a single "
                           "memory location. Please clone() the tensor before performing the operation.");
    *copy_inputs = false;
    for (int k = 0; k < r->nin; k++) {
        overlap how = overlap_of(out, r->in[k]);
        if (how == PARTIAL)
            return gd_fail(
                r->a->ctx, GD_E_RUNTIME,
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to "
                "a single memory location. Please clone() the tensor before performing the operation.");
        if (how == UNCLEAR) *copy_inputs = true;
    }
    return GD_OK;
}

/* ---- inputs ---------------------------------------------------------------------------------------- */

typedef struct inputs {
    gd_tensor *operands[1 + GD_RUN_INPUTS]; /* the output first */
    gd_tensor *owned[GD_RUN_INPUTS];        /* converted or copied ones */
    gd_tensor small[GD_RUN_INPUTS];         /* one-element ones, converted in place below */
    _Alignas(8) char bytes[GD_RUN_INPUTS][8];
} inputs;

static void release_inputs(inputs *in, int n) {
    for (int k = 0; k < n; k++) gd_release(in->owned[k]);
}

static void convert_small(inputs *in, int k, const gd_tensor *t, gd_dtype dtype) {
    char *data[2] = {in->bytes[k], t->data};
    int64_t strides[2] = {0, 0};
    gd_cast_loop(dtype, (gd_dtype)t->dtype)(data, strides, 1, NULL);
    in->small[k] = *t; /* sizes stay t's */
    in->small[k].dtype = (uint8_t)dtype;
    in->small[k].data = in->bytes[k];
    in->operands[1 + k] = &in->small[k];
}

static gd_code convert_inputs(const gd_run *r, inputs *in, bool copy) {
    gd_ctx *ctx = r->a->ctx;
    for (int k = 0; k < r->nin; k++) {
        gd_tensor *t = r->in[k];
        bool as_is = (gd_dtype)t->dtype == r->compute || (r->kernel == GD_K_WHERE && k == 0);
        if (as_is && !copy) {
            in->operands[1 + k] = t;
        } else if (!as_is && t->numel == 1) {
            convert_small(in, k, t, r->compute);
        } else {
            gd_tensor *fresh = gd_empty_like(ctx, t, as_is ? (gd_dtype)t->dtype : r->compute);
            if (!fresh) return ctx->error.code;
            gd_copy_values(fresh, t);
            in->owned[k] = in->operands[1 + k] = fresh;
        }
    }
    return GD_OK;
}

/* ---- all of it -------------------------------------------------------------------------------------- */

static gd_code compute(const gd_run *r, gd_loop loop, gd_tensor *target, bool copy) {
    inputs in;
    memset(in.owned, 0, sizeof(in.owned));
    in.operands[0] = target;
    gd_code code = convert_inputs(r, &in, copy);
    if (!code) gd_iterate_any_order(in.operands, 1 + r->nin, loop, r->extra);
    release_inputs(&in, r->nin);
    return code;
}

static gd_code run_into(const gd_run *r, gd_loop loop, gd_tensor *out, const shape *s) {
    bool copy = false;
    gd_code code = check_given(r, out, s);
    if (!code) code = check_overlap(r, out, &copy);
    if (code) return code;
    if ((gd_dtype)out->dtype == r->result) return compute(r, loop, out, copy);
    gd_tensor *fresh = new_output(r, s);
    if (!fresh) return r->a->ctx->error.code;
    code = compute(r, loop, fresh, false);
    if (!code) gd_copy_values(out, fresh);
    gd_release(fresh);
    return code;
}

gd_code gd_check_pointwise(const gd_run *r) {
    shape s;
    gd_code code = broadcast_inputs(r, &s);
    return !code && r->a->out[0] ? check_given(r, r->a->out[0], &s) : code;
}

gd_code gd_run_pointwise(gd_run *r) {
    gd_apply *a = r->a;
    gd_loop loop = r->loop ? r->loop : gd_pointwise_loop(r->kernel, r->compute);
    if (!loop) return gd_fail_kernel(a->ctx, a->op->name, r->compute);
    if (a->ctx->trace) gd_trace_pointwise(r);
    shape s;
    gd_code code = broadcast_inputs(r, &s);
    if (code) return code;
    a->nout = 1;
    if (a->out[0]) return run_into(r, loop, a->out[0], &s);
    gd_tensor *out = new_output(r, &s);
    if (!out) return a->ctx->error.code;
    code = compute(r, loop, out, false);
    if (code)
        gd_release(out);
    else
        a->out[0] = out;
    return code;
}

typedef struct zero_search {
    gd_dtype dtype;
    uint64_t mask; /* the bits that are left after conversion */
    bool *found;
} zero_search;

static void find_zero(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const zero_search *s = extra;
    const char *p = data[0];
    for (int64_t i = 0; i < n && !*s->found; i++, p += strides[0])
        if (((uint64_t)gd_load_i64(s->dtype, p) & s->mask) == 0) *s->found = true;
}

gd_code gd_check_divisor(gd_ctx *ctx, const gd_tensor *divisor, gd_dtype compute) {
    bool found = false;
    size_t bytes = gd_dtype_bytes(compute);
    uint64_t mask = bytes == 8 ? UINT64_MAX : ((uint64_t)1 << (8 * bytes)) - 1;
    const zero_search search = {(gd_dtype)divisor->dtype, mask, &found};
    gd_tensor seen = *divisor; /* sizes stay divisor's */
    gd_tensor *operand = &seen;
    gd_iterate_in_order(&operand, 1, find_zero, &search);
    return found ? gd_fail(ctx, GD_E_RUNTIME, "ZeroDivisionError") : GD_OK;
}
