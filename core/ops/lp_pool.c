/* lp_pool.c: rows of resample.def that take p-norms of windows: averages of powers, as PyTorch composes them. */
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/spatial.h"

static gd_tensor *whole_number(gd_ctx *c, int64_t v) {
    gd_tensor *t = gd_pool_add(c, gd_scalar_i64(c, v, GD_INT64));
    if (t) t->flags |= GD_F_WRAPPED_NUMBER;
    return t;
}

/* The number of elements of a window. */
static gd_code window_numel(gd_apply *a, int n, int64_t *numel) {
    int64_t kernel[GD_SPATIAL];
    gd_ctx *c = a->ctx;
    if (n == 2 && a->args[2].n > 2) return gd_fail(c, GD_E_VALUE, "too many values to unpack (expected 2)");
    if (!gd_spread_ints(&a->args[2], n, kernel))
        return gd_fail(c, GD_E_RUNTIME, "avg_pool%dd() argument 'kernel_size' should contain %s int%s (got %u)", n,
                       n == 1 ? "one" : "two", n == 1 ? "" : "s", a->args[2].n);
    *numel = kernel[0];
    if (n == 2 && !gd_mul_i64(kernel[0], kernel[1], numel))
        return gd_fail(c, GD_E_TOO_LARGE, "Overflow when unpacking long");
    return GD_OK;
}

static gd_tensor *averaged(gd_apply *a, int n, gd_tensor *t) {
    gd_ctx *c = a->ctx;
    const gd_value none = {.kind = GD_V_INTS}, stride = a->args[3].kind == GD_V_NONE ? none : a->args[3];
    const int64_t zero = 0;
    if (n == 1) return GX(c, avg_pool1d, T_(t), a->args[2], stride, IS_(&zero, 1), a->args[4], B_(true));
    return GX(c, avg_pool2d, T_(t), a->args[2], stride, IS_(&zero, 1), a->args[4], B_(true), GD_NONE_VALUE);
}

/* (sign(m) relu(|m|) numel)^(1 / p) with the average m of x^p. */
gd_code gd_fw_lp_pool(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int n = a->op->param;
    double p = arg_f64(a, 1);
    int64_t numel = 0;
    gd_code code = window_numel(a, n, &numel);
    if (code) return code;
    gd_tensor *m = averaged(a, n, GX(c, pow_scalar, a->args[0], a->args[1]));
    if (m && p == 0) return gd_fail(c, GD_E_VALUE, "float division by zero");
    gd_tensor *size = GX(c, relu, T_(GX(c, abs, T_(m))));
    gd_tensor *sum = gx_mul(c, gx_mul(c, GX(c, sign, T_(m)), size), whole_number(c, numel));
    return give_shared(a, GX(c, pow_scalar, T_(sum), F_(1 / p)));
}
