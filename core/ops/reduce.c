/* reduce.c: rows that reduce dimensions or scan along one: which dimensions and dtypes they take, and the shapes
 * they give. The arithmetic is in core/kernels. */
#include <math.h>
#include <string.h>

#include "core/kernels/reduce.h"
#include "core/ops/args.h"
#include "core/ops/families.h"
#include "core/ops/reduce.h"

/* ---- dimensions, shapes, dtypes ------------------------------------------------------------------ */

gd_code gd_reduce_mask(gd_ctx *ctx, const gd_value *dims, int ndim, uint64_t *mask) {
    *mask = 0;
    int64_t one;
    const int64_t *ints = &one;
    uint32_t n = 1;
    if (dims->kind == GD_V_INT) {
        one = dims->u.integer;
    } else {
        n = dims->kind == GD_V_INTS ? dims->n : 0;
        ints = dims->u.ints;
    }
    if (n == 0) *mask = ~UINT64_C(0);
    for (uint32_t i = 0; i < n; i++) {
        int d;
        gd_code code = gd_wrap_dim(ctx, ints[i], ndim, &d);
        if (code) return code;
        if (*mask >> d & 1) return gd_fail(ctx, GD_E_RUNTIME, "dim %d appears multiple times in the list of dims", d);
        *mask |= UINT64_C(1) << d;
    }
    return GD_OK;
}

static bool reduces(uint64_t mask, int d) { return mask >> d & 1; }

int64_t gd_reduce_count(int ndim, const int64_t *sizes, uint64_t mask) {
    int64_t n = 1;
    for (int d = 0; d < ndim; d++)
        if (reduces(mask, d)) n *= sizes[d];
    return n;
}

/* The output of reducing `in`: reduced dimensions dropped, or of size 1. New, not filled. */
static gd_tensor *make_output(gd_ctx *ctx, const gd_tensor *in, uint64_t mask, bool keepdim, gd_dtype dtype) {
    int64_t sizes[GD_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < in->ndim; d++) {
        if (!reduces(mask, d))
            sizes[n++] = in->sizes[d];
        else if (keepdim)
            sizes[n++] = 1;
    }
    return gd_empty(ctx, dtype, n, sizes);
}

static gd_dtype dtype_or(const gd_value *v, gd_dtype other) { return v->kind == GD_V_DTYPE ? v->u.dtype : other; }

/* Sums and products of integers and bools are int64. */
static gd_dtype widened(gd_dtype dtype) { return gd_dtype_is_float(dtype) ? dtype : GD_INT64; }

typedef struct job {
    gd_tensor *in; /* converted; owned */
    uint64_t mask;
    bool keepdim;
} job;

/* self in the dtype `result`, computed in `compute`: what is not 0 counts as 1 where the result is bool. */
static gd_tensor *input_of(gd_ctx *ctx, gd_tensor *self, gd_dtype result, gd_dtype compute) {
    if (result != GD_BOOL) return gd_as_dtype(ctx, self, compute);
    gd_tensor *truth = gd_as_dtype(ctx, self, GD_BOOL), *in = truth ? gd_as_dtype(ctx, truth, compute) : NULL;
    gd_release(truth);
    return in;
}

/* Reads dims and keepdim (argument indexes; -1: all dimensions, not kept). */
static gd_code plan_job(gd_apply *a, int dim, int keepdim, gd_dtype result, job *j) {
    gd_tensor *self = arg_tensor(a, 0);
    *j = (job){.mask = ~UINT64_C(0), .keepdim = keepdim >= 0 && a->args[keepdim].u.boolean};
    if (dim >= 0) {
        gd_code code = gd_reduce_mask(a->ctx, &a->args[dim], self->ndim, &j->mask);
        if (code) return code;
    }
    j->in = input_of(a->ctx, self, result, widened(result));
    return j->in ? GD_OK : gd_failed(a->ctx);
}

static gd_code finish_job(gd_apply *a, job *j, gd_tensor *out) {
    gd_release(j->in);
    return give(a, out);
}

/* Sums into a new tensor whose dtype is that of the computation, then converts if another is wanted. */
static gd_tensor *converted(gd_ctx *ctx, gd_tensor *t, gd_dtype dtype) {
    gd_tensor *other = t ? gd_as_dtype(ctx, t, dtype) : NULL;
    gd_release(t);
    return other;
}

/* ---- sum, mean, prod ----------------------------------------------------------------------------- */

static gd_code run_sum(gd_apply *a, int dim, int keepdim, int dtype) {
    gd_dtype result = dtype_or(&a->args[dtype], widened((gd_dtype)arg_tensor(a, 0)->dtype));
    job j;
    gd_code code = plan_job(a, dim, keepdim, result, &j);
    if (code) return code;
    gd_tensor *out = make_output(a->ctx, j.in, j.mask, j.keepdim, widened(result));
    if (out) gd_reduce_sum(out, j.in, j.mask, false);
    return finish_job(a, &j, converted(a->ctx, out, result));
}
gd_code gd_fw_sum(gd_apply *a) { return run_sum(a, -1, -1, 1); }
gd_code gd_fw_sum_dim(gd_apply *a) { return run_sum(a, 1, 2, 3); }

/* Divides every element of the contiguous float tensor t. */
static void divide(gd_tensor *t, double n) {
    if (t->dtype == GD_FLOAT64) {
        double *p = (double *)(void *)t->data;
        for (int64_t i = 0; i < t->numel; i++) p[i] /= n;
    } else {
        float *p = (float *)(void *)t->data, m = (float)n;
        for (int64_t i = 0; i < t->numel; i++) p[i] /= m;
    }
}

static gd_code run_mean(gd_apply *a, int dim, int keepdim, int dtype) {
    gd_dtype in = (gd_dtype)arg_tensor(a, 0)->dtype, result = dtype_or(&a->args[dtype], in);
    job j;
    if (!gd_dtype_is_float(result))
        return gd_fail(
            a->ctx, GD_E_DTYPE,
            "mean(): could not infer output dtype. %s dtype must be either a floating point or complex dtype. "
            "Got: %s",
            a->args[dtype].kind == GD_V_DTYPE ? "Optional" : "Input", gd_dtype_scalar_name(result));
    gd_code code = plan_job(a, dim, keepdim, result, &j);
    if (code) return code;
    gd_tensor *out = make_output(a->ctx, j.in, j.mask, j.keepdim, result);
    if (out) {
        gd_reduce_sum(out, j.in, j.mask, false);
        divide(out, (double)gd_reduce_count(j.in->ndim, j.in->sizes, j.mask));
    }
    return finish_job(a, &j, out);
}
gd_code gd_fw_mean(gd_apply *a) { return run_mean(a, -1, -1, 1); }
gd_code gd_fw_mean_dim(gd_apply *a) { return run_mean(a, 1, 2, 3); }

static gd_code run_prod(gd_apply *a, int dim, int keepdim, int dtype) {
    gd_dtype result = dtype_or(&a->args[dtype], widened((gd_dtype)arg_tensor(a, 0)->dtype));
    job j;
    gd_code code = plan_job(a, dim, keepdim, result, &j);
    if (code) return code;
    gd_tensor *out = make_output(a->ctx, j.in, j.mask, j.keepdim, widened(result));
    if (out) gd_reduce(GD_R_PROD, out, NULL, j.in, j.mask, 0);
    return finish_job(a, &j, converted(a->ctx, out, result));
}
gd_code gd_fw_prod(gd_apply *a) { return run_prod(a, -1, -1, 1); }
gd_code gd_fw_prod_dim(gd_apply *a) { return run_prod(a, 1, 2, 3); }

/* ---- greatest and smallest ----------------------------------------------------------------------- */

static gd_code check_not_empty(gd_apply *a) {
    if (arg_tensor(a, 0)->numel > 0) return GD_OK;
    return gd_fail(
        a->ctx, GD_E_RUNTIME,
        "%s(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
        "the 'dim' argument.",
        a->op->name);
}

static gd_code check_dims_not_empty(gd_apply *a, uint64_t mask) {
    const gd_tensor *self = arg_tensor(a, 0);
    for (int d = 0; d < self->ndim; d++)
        if (reduces(mask, d) && self->sizes[d] == 0)
            return gd_fail(a->ctx, GD_E_INDEX, "%s(): Expected reduction dim %d to have non-zero size.", a->op->name,
                           d);
    return GD_OK;
}

gd_code gd_fw_extreme(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    gd_code code = check_not_empty(a);
    if (code) return code;
    gd_tensor *out = gd_empty(a->ctx, (gd_dtype)self->dtype, 0, NULL);
    if (out) gd_reduce(a->op->param ? GD_R_MAX : GD_R_MIN, out, NULL, self, ~UINT64_C(0), 0);
    return give(a, out);
}

gd_code gd_fw_extreme_dim(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    uint64_t mask;
    bool keepdim = a->args[2].u.boolean;
    gd_code code = gd_reduce_mask(a->ctx, &a->args[1], self->ndim, &mask);
    if (!code) code = check_dims_not_empty(a, mask);
    if (code) return code;
    gd_tensor *values = make_output(a->ctx, self, mask, keepdim, (gd_dtype)self->dtype);
    gd_tensor *indices = values ? make_output(a->ctx, self, mask, keepdim, GD_INT64) : NULL;
    if (!indices) {
        gd_release(values);
        return gd_failed(a->ctx);
    }
    gd_reduce(a->op->param ? GD_R_ARGMAX : GD_R_ARGMIN, values, indices, self, mask, 0);
    a->out[0] = values;
    a->out[1] = indices;
    a->nout = 2;
    return GD_OK;
}

gd_code gd_fw_extreme_other(gd_apply *a) {
    return give(a, gd_do(a->ctx, a->op->param ? GD_OP_maximum : GD_OP_minimum, a->args, 2));
}

/* Names the dimension as the caller did. */
static gd_code check_named_dims(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    for (int i = 0; i < arg_count(a, 1) && self->ndim > 0 && self->numel == 0; i++) {
        int d;
        gd_code code = gd_wrap_dim(a->ctx, arg_ints(a, 1)[i], self->ndim, &d);
        if (code) return code;
        if (self->sizes[d] == 0)
            return gd_fail(a->ctx, GD_E_INDEX, "%s(): Expected reduction dim %d to have non-zero size.", a->op->name,
                           (int)arg_ints(a, 1)[i]);
    }
    return GD_OK;
}

gd_code gd_fw_extreme_dims(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    uint64_t mask;
    gd_code code = arg_count(a, 1) == 0 ? check_not_empty(a) : check_named_dims(a);
    if (!code) code = gd_reduce_mask(a->ctx, &a->args[1], self->ndim, &mask);
    if (code) return code;
    gd_tensor *out = make_output(a->ctx, self, mask, a->args[2].u.boolean, (gd_dtype)self->dtype);
    if (out) gd_reduce(a->op->param ? GD_R_MAX : GD_R_MIN, out, NULL, self, mask, 0);
    return give(a, out);
}

gd_code gd_fw_arg_extreme(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    uint64_t mask = ~UINT64_C(0);
    bool all = a->args[1].kind == GD_V_NONE;
    gd_code code = all ? GD_OK : gd_reduce_mask(a->ctx, &a->args[1], self->ndim, &mask);
    if (!code && all && self->numel == 0)
        code = gd_fail(a->ctx, GD_E_INDEX, "%s(): Expected reduction dim to be specified for input.numel() == 0.",
                       a->op->name);
    if (!code) code = check_dims_not_empty(a, mask);
    /* as in PyTorch, a dimension of one element needs no kernel */
    bool trivial = !all && gd_reduce_count(self->ndim, self->sizes, mask) == 1;
    if (!code && self->dtype == GD_BOOL && !trivial)
        code = gd_fail(a->ctx, GD_E_DTYPE, "\"%s_cpu\" not implemented for 'Bool'", a->op->name);
    if (code) return code;
    gd_tensor *out = make_output(a->ctx, self, mask, a->args[2].u.boolean, GD_INT64);
    if (out) gd_reduce(a->op->param ? GD_R_ARGMAX : GD_R_ARGMIN, NULL, out, self, mask, 0);
    return give(a, out);
}

/* ---- truth --------------------------------------------------------------------------------------- */

static gd_code run_truth(gd_apply *a, uint64_t mask, bool keepdim) {
    gd_tensor *self = arg_tensor(a, 0);
    gd_dtype dtype = self->dtype == GD_UINT8 ? GD_UINT8 : GD_BOOL;
    gd_tensor *out = make_output(a->ctx, self, mask, keepdim, dtype);
    if (out) gd_reduce(a->op->param ? GD_R_ALL : GD_R_ANY, out, NULL, self, mask, 0);
    return give(a, out);
}
gd_code gd_fw_truth(gd_apply *a) { return run_truth(a, ~UINT64_C(0), false); }

gd_code gd_fw_truth_dim(gd_apply *a) {
    uint64_t mask;
    gd_code code = gd_reduce_mask(a->ctx, &a->args[1], arg_tensor(a, 0)->ndim, &mask);
    return code ? code : run_truth(a, mask, a->args[2].u.boolean);
}

/* ---- deviations, norms --------------------------------------------------------------------------- */

gd_code gd_fw_deviation(gd_apply *a) {
    gd_dtype dtype = (gd_dtype)arg_tensor(a, 0)->dtype;
    job j;
    if (!gd_dtype_is_float(dtype))
        return gd_fail(a->ctx, GD_E_DTYPE, "std and var only support floating point and complex dtypes");
    gd_code code = plan_job(a, 1, 3, dtype, &j);
    if (code) return code;
    gd_tensor *out = make_output(a->ctx, j.in, j.mask, j.keepdim, dtype);
    double correction = a->args[2].kind == GD_V_NONE ? 1 : arg_f64(a, 2);
    if (out) gd_reduce((gd_reducer)a->op->param, out, NULL, j.in, j.mask, correction);
    return finish_job(a, &j, out);
}

gd_code gd_fw_deviation_dim(gd_apply *a) {
    const gd_value args[] = {a->args[0], a->args[1], GD_INT_VALUE(a->args[2].u.boolean), a->args[3]};
    return give(a, gd_do(a->ctx, (gd_op_id)a->op->param, args, 4));
}

gd_code gd_fw_deviation_all(gd_apply *a) {
    const gd_value args[] = {a->args[0], GD_NONE_VALUE, GD_INT_VALUE(a->args[1].u.boolean), GD_BOOL_VALUE(false)};
    return give(a, gd_do(a->ctx, (gd_op_id)a->op->param, args, 4));
}

static void square_roots(gd_tensor *t) {
    for (int64_t i = 0; i < t->numel; i++) {
        if (t->dtype == GD_FLOAT64)
            ((double *)(void *)t->data)[i] = sqrt(((double *)(void *)t->data)[i]);
        else
            ((float *)(void *)t->data)[i] = sqrtf(((float *)(void *)t->data)[i]);
    }
}

gd_code gd_fw_norm(gd_apply *a) {
    gd_dtype dtype = dtype_or(&a->args[4], (gd_dtype)arg_tensor(a, 0)->dtype);
    double p = a->args[1].kind == GD_V_NONE ? 2 : arg_f64(a, 1);
    job j;
    if (!gd_dtype_is_float(dtype))
        return gd_fail(a->ctx, GD_E_DTYPE,
                       "norm(): input dtype should be either floating point or complex. Got %s instead.",
                       gd_dtype_scalar_name(dtype));
    gd_code code = plan_job(a, 2, 3, dtype, &j);
    if (code) return code;
    gd_tensor *out = make_output(a->ctx, j.in, j.mask, j.keepdim, dtype);
    if (out && p == 2) {
        gd_reduce_sum(out, j.in, j.mask, true);
        square_roots(out);
    } else if (out) {
        gd_reduce(GD_R_NORM, out, NULL, j.in, j.mask, (double)(float)p); /* as PyTorch rounds p */
    }
    return finish_job(a, &j, out);
}

/* Over two dimensions PyTorch takes the root of a sum, so that its graph shows SqrtBackward0. */
static gd_code matrix_norm(gd_apply *a) {
    gd_ctx *ctx = a->ctx;
    gd_tensor *result = NULL, *squares = gd_do(ctx, GD_OP_mul, (const gd_value[]){a->args[0], a->args[0]}, 2);
    const gd_value args[] = {GD_TENSOR_VALUE(squares), a->args[2], a->args[3]};
    gd_tensor *sum = squares ? gd_do(ctx, GD_OP_sum_dim, args, 3) : NULL;
    if (sum) result = gd_do(ctx, GD_OP_sqrt, (const gd_value[]){GD_TENSOR_VALUE(sum)}, 1);
    gd_release(squares);
    gd_release(sum);
    return give(a, result);
}

/* The sum of the singular values. */
static gd_code nuclear_norm(gd_apply *a) {
    const int64_t both[] = {0, 1};
    const gd_tensor *self = a->args[0].u.tensor;
    const gd_value dims = a->args[2].kind == GD_V_INTS ? a->args[2] : GD_INTS_VALUE(both, 2);
    if (a->args[2].kind != GD_V_INTS && self->ndim != 2)
        return gd_fail(a->ctx, GD_E_SHAPE,
                       "Expected a tensor with 2 dimensions, but got a tensor with %d dimension%s instead.", self->ndim,
                       self->ndim == 1 ? "" : "s");
    const gd_value args[] = {a->args[0], GD_STR_VALUE("nuc"), dims, a->args[3], a->args[4]};
    return give(a, gd_do(a->ctx, GD_OP_matrix_norm_str, args, 5));
}

gd_code gd_fw_norm_str(gd_apply *a) {
    const char *p = a->args[1].kind == GD_V_STR ? a->args[1].u.str : "fro";
    if (!strcmp(p, "nuc")) return nuclear_norm(a);
    if (strcmp(p, "fro") != 0)
        return gd_fail(a->ctx, GD_E_RUNTIME, "only valid string values are 'fro' and 'nuc', found %s", p);
    if (a->args[2].kind == GD_V_INTS && a->args[2].n == 2 && a->args[4].kind == GD_V_NONE) return matrix_norm(a);
    const gd_value args[] = {a->args[0], GD_INT_VALUE(2), a->args[2], a->args[3], a->args[4]};
    return give(a, gd_do(a->ctx, GD_OP_norm, args, 5));
}

gd_code gd_fw_logsumexp(gd_apply *a) {
    gd_dtype dtype = (gd_dtype)arg_tensor(a, 0)->dtype;
    job j;
    if (!gd_dtype_is_float(dtype)) dtype = GD_FLOAT32;
    gd_code code = plan_job(a, 1, 2, dtype, &j);
    if (code) return code;
    gd_tensor *out = make_output(a->ctx, j.in, j.mask, j.keepdim, dtype);
    if (out) gd_reduce(GD_R_LSE, out, NULL, j.in, j.mask, 0);
    return finish_job(a, &j, out);
}

/* ---- along one dimension ------------------------------------------------------------------------- */

/* out = scan of self, converted to dtype, along dim. */
static gd_code run_scan(gd_apply *a, gd_scan scan, int dim, gd_dtype dtype) {
    gd_tensor *cast = gd_as_dtype(a->ctx, arg_tensor(a, 0), dtype);
    gd_tensor *in = cast ? gd_as_contiguous(a->ctx, cast) : NULL;
    gd_tensor *out = in ? gd_empty_like(a->ctx, in, dtype) : NULL;
    if (out) gd_scan_along(scan, out, in, NULL, dim);
    gd_release(in);
    gd_release(cast);
    return give(a, out);
}

gd_code gd_fw_softmax(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    gd_dtype dtype = dtype_or(&a->args[2], (gd_dtype)self->dtype);
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), self->ndim, &dim);
    if (code) return code;
    bool last = self->ndim == 0 || dim == self->ndim - 1;
    if (!gd_dtype_is_float(dtype))
        return gd_fail(a->ctx, GD_E_DTYPE, "\"%s%skernel_impl\" not implemented for '%s'",
                       a->op->param == GD_S_LOG_SOFTMAX && last ? "log_softmax_" : "softmax_", last ? "lastdim_" : "",
                       gd_dtype_scalar_name(dtype));
    return run_scan(a, (gd_scan)a->op->param, dim, dtype);
}

gd_code gd_fw_cumsum(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    gd_dtype result = dtype_or(&a->args[2], widened((gd_dtype)self->dtype));
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), self->ndim, &dim);
    if (!code && result == GD_BOOL) code = gd_fail(a->ctx, GD_E_DTYPE, "\"cumsum_out_cpu\" not implemented for 'Bool'");
    if (!code) code = run_scan(a, GD_S_CUMSUM, dim, widened(result));
    if (code || result == widened(result)) return code;
    a->nout = 0; /* until there is another */
    return give(a, converted(a->ctx, a->out[0], result));
}

gd_code gd_fw_softmax_backward(gd_apply *a) {
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 2), arg_tensor(a, 1)->ndim, &dim);
    if (code) return code;
    gd_tensor *grad = gd_as_contiguous(a->ctx, arg_tensor(a, 0));
    gd_tensor *output = grad ? gd_as_contiguous(a->ctx, arg_tensor(a, 1)) : NULL;
    gd_tensor *out = output ? gd_empty_like(a->ctx, output, (gd_dtype)output->dtype) : NULL;
    if (out) gd_scan_along((gd_scan)a->op->param, out, grad, output, dim);
    gd_release(grad);
    gd_release(output);
    return give(a, out);
}

/* ---- for rules ----------------------------------------------------------------------------------- */

gd_code gd_fw__sum_to_size(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    const int64_t *size = arg_ints(a, 1);
    int n = arg_count(a, 1), lead = self->ndim - n;
    gd_dtype dtype = widened((gd_dtype)self->dtype);
    uint64_t mask = 0;
    for (int d = 0; d < self->ndim; d++)
        if (d < lead || (size[d - lead] == 1 && self->sizes[d] != 1)) mask |= UINT64_C(1) << d;
    gd_tensor *in = gd_as_dtype(a->ctx, self, dtype);
    gd_tensor *out = in ? gd_empty(a->ctx, dtype, n, size) : NULL;
    if (out) gd_reduce_sum(out, in, mask, false);
    gd_release(in);
    return give(a, out);
}

gd_code gd_fw__products_of_others(gd_apply *a) {
    gd_tensor *in = gd_as_contiguous(a->ctx, arg_tensor(a, 0));
    gd_tensor *out = in ? gd_empty_like(a->ctx, in, (gd_dtype)in->dtype) : NULL;
    int64_t n = out ? out->numel : 0, inner = 1;
    if (out && a->args[1].kind == GD_V_INT && in->ndim > 0) {
        int dim = (int)arg_int(a, 1);
        n = in->sizes[dim];
        for (int d = dim + 1; d < in->ndim; d++) inner *= in->sizes[d];
    }
    int64_t width = out ? (int64_t)gd_dtype_bytes((gd_dtype)out->dtype) : 0;
    for (int64_t first = 0; out && n > 0 && first < out->numel; first += n * inner)
        for (int64_t k = first; k < first + inner; k++)
            gd_products_of_others((gd_dtype)in->dtype, out->data + k * width, in->data + k * width, inner * width, n);
    gd_release(in);
    return give(a, out);
}

/* grad and index have size 1 along dim. */
gd_code gd_fw__put_along(gd_apply *a) {
    int n = arg_count(a, 2), dim = (int)arg_int(a, 3);
    gd_tensor *grad = gd_as_contiguous(a->ctx, arg_tensor(a, 0));
    gd_tensor *index = grad ? gd_as_contiguous(a->ctx, arg_tensor(a, 1)) : NULL;
    gd_tensor *out = index ? gd_zeros(a->ctx, (gd_dtype)grad->dtype, n, arg_ints(a, 2)) : NULL;
    int64_t inner = 1, length = n ? arg_ints(a, 2)[dim] : 1;
    for (int d = dim + 1; d < n; d++) inner *= arg_ints(a, 2)[d];
    size_t width = out ? gd_dtype_bytes((gd_dtype)out->dtype) : 0;
    for (int64_t k = 0; out && k < grad->numel; k++) {
        int64_t at = ((const int64_t *)(const void *)index->data)[k];
        int64_t to = (k / inner * length + at) * inner + k % inner;
        memcpy(out->data + (size_t)to * width, grad->data + (size_t)k * width, width);
    }
    gd_release(grad);
    gd_release(index);
    return give(a, out);
}
