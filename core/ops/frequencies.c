/* frequencies.c: rows for the order of frequencies that Fourier transforms have: the frequencies, and their turning. */
#include "core/ops/compose.h"
#include "core/ops/create.h"
#include "core/ops/families.h"

/* Element i is frequency i, or i - n from the middle on (param 0: all n; param 1: those up to the middle). */
static void fill_frequencies(gd_tensor *t, int64_t n, double step) {
    gd_dtype dtype = (gd_dtype)t->dtype;
    int64_t positive = t->numel == n ? n - n / 2 : t->numel;
    for (int64_t i = 0; i < t->numel; i++) {
        char *p = t->data + i * (int64_t)gd_dtype_bytes(dtype);
        double k = (double)(i < positive ? i : i - n);
        gd_store_f64(dtype, p, dtype == GD_FLOAT64 ? k * step : (double)((float)k * (float)step));
    }
}

gd_code gd_fw_frequencies(gd_apply *a) {
    gd_dtype dtype = gd_dtype_or(a, 2, GD_FLOAT32);
    int64_t n = arg_int(a, 0), count = a->op->param ? n / 2 + 1 : n, numel;
    if (!gd_dtype_is_float(dtype))
        return gd_fail(a->ctx, GD_E_DTYPE, "%s requires a floating point or complex dtype", a->op->name + 4);
    gd_code code = gd_checked_numel(a->ctx, dtype, 1, &count, &numel);
    if (code) return code;
    gd_tensor *t = gd_empty(a->ctx, dtype, 1, &count);
    if (t) fill_frequencies(t, n, 1 / ((double)n * a->args[1].u.real));
    return gd_give_new(a, t);
}

/* Rolls dimensions by half their size: rounded down (param 0) or up (param 1). */
gd_code gd_fw_shift_frequencies(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    bool all = a->args[1].kind == GD_V_NONE;
    int n = all ? t->ndim : arg_count(a, 1);
    int64_t shifts[GD_MAX_DIMS], dims[GD_MAX_DIMS];
    if (n > GD_MAX_DIMS) return gd_fail(c, GD_E_SHAPE, "shifts and dimensions: at most %d", GD_MAX_DIMS);
    for (int i = 0; i < n; i++) {
        int dim = i;
        gd_code code = all ? GD_OK : gd_wrap_dim(c, arg_ints(a, 1)[i], t->ndim, &dim);
        if (code) return code;
        dims[i] = dim;
        shifts[i] = ((t->ndim ? t->sizes[dim] : 1) + a->op->param) / 2;
    }
    return give(a, DO(c, roll, T_(t), IS_(shifts, n), IS_(dims, n)));
}
