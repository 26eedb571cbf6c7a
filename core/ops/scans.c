/* scans.c: rows that run along a dimension and keep every step. cumsum and softmax are in reduce.c. */
#include "core/kernels/running.h"
#include "core/ops/args.h"
#include "core/ops/families.h"

gd_code gd_fw_cumulative_extreme(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), self->ndim, &dim);
    gd_tensor *in = code ? NULL : gd_as_contiguous(a->ctx, self);
    if (!in) return code ? code : gd_failed(a->ctx);
    gd_tensor *values = gd_empty_like(a->ctx, in, (gd_dtype)in->dtype);
    gd_tensor *indices = values ? gd_empty_like(a->ctx, in, GD_INT64) : NULL;
    if (indices) gd_running_extreme(values, indices, in, dim, a->op->param != 0);
    gd_release(in);
    if (!indices) {
        gd_release(values);
        return gd_failed(a->ctx);
    }
    a->out[0] = values;
    a->out[1] = indices;
    a->nout = 2;
    return GD_OK;
}

/* out = products (or sums of exponentials) of self, converted to dtype, along dim. */
static gd_tensor *run(gd_ctx *ctx, gd_tensor *self, int dim, gd_dtype dtype, gd_running what) {
    gd_tensor *cast = gd_as_dtype(ctx, self, dtype);
    gd_tensor *in = cast ? gd_as_contiguous(ctx, cast) : NULL;
    gd_tensor *out = in ? gd_empty_like(ctx, in, dtype) : NULL;
    if (out) gd_running_scan(what, out, in, NULL, dim);
    gd_release(in);
    gd_release(cast);
    return out;
}

gd_code gd_fw_cumprod(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    gd_dtype own = (gd_dtype)self->dtype, wide = gd_dtype_is_float(own) ? own : GD_INT64;
    gd_dtype result = a->args[2].kind == GD_V_DTYPE ? a->args[2].u.dtype : wide;
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), self->ndim, &dim);
    if (!code && result == GD_BOOL)
        code = gd_fail(a->ctx, GD_E_DTYPE, "\"cumprod_out_cpu\" not implemented for 'Bool'");
    if (code) return code;
    gd_tensor *in = gd_as_dtype(a->ctx, self, result);
    gd_tensor *wider = in ? run(a->ctx, in, dim, gd_dtype_is_float(result) ? result : GD_INT64, GD_RUN_PRODUCT) : NULL;
    gd_tensor *out = wider ? gd_as_dtype(a->ctx, wider, result) : NULL;
    gd_release(in);
    gd_release(wider);
    return give(a, out);
}

gd_code gd_fw_logcumsumexp(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    gd_dtype dtype = (gd_dtype)self->dtype;
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), self->ndim, &dim);
    if (code) return code;
    if (!gd_dtype_is_float(dtype))
        return gd_fail(a->ctx, GD_E_DTYPE, "\"logcumsumexp_out_cpu\" not implemented for '%s'",
                       gd_dtype_scalar_name(dtype));
    return give(a, run(a->ctx, self, dim, dtype, GD_RUN_LOG_SUM));
}

/* self and factor: floats of one shape and dtype. */
gd_code gd_fw__recurrence(gd_apply *a) {
    gd_tensor *g = gd_as_contiguous(a->ctx, arg_tensor(a, 0));
    gd_tensor *x = g ? gd_as_contiguous(a->ctx, arg_tensor(a, 1)) : NULL;
    gd_tensor *out = x ? gd_empty_like(a->ctx, g, (gd_dtype)g->dtype) : NULL;
    if (out) gd_running_scan(GD_RUN_RECURRENCE, out, g, x, (int)arg_int(a, 2));
    gd_release(g);
    gd_release(x);
    return give(a, out);
}
