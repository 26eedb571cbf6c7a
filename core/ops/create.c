/* create.c: rows that make tensors from nothing, or of another's shape. */
#include <math.h>

#include "core/kernels/cast.h"
#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/dense.h"
#include "core/ops/families.h"

/* The keywords dtype and requires_grad are the last two arguments of every row here. */
static gd_dtype wanted_dtype(const gd_apply *a, gd_dtype otherwise) {
    const gd_value *v = &a->args[a->nargs - 2];
    return v->kind == GD_V_DTYPE ? v->u.dtype : otherwise;
}

/* Makes t (taken) the only output, as a leaf that requires grad if the keyword says so. */
static gd_code give_leaf(gd_apply *a, gd_tensor *t) {
    if (!t) return gd_failed(a->ctx);
    if (a->args[a->nargs - 1].u.boolean) {
        gd_code code = gd_set_requires_grad(a->ctx, t, true);
        if (code) {
            gd_release(t);
            return code;
        }
    }
    return give(a, t);
}

/* Fills t (taken) with v and makes it the output. */
static gd_code give_filled(gd_apply *a, gd_tensor *t, const gd_value *v) {
    if (t) gd_fill_value(t, v);
    return give_leaf(a, t);
}

/* New tensor of the size in argument `at`. */
static gd_tensor *sized(gd_apply *a, int at, gd_dtype dtype) {
    return gd_empty(a->ctx, dtype, arg_count(a, at), arg_ints(a, at));
}

static gd_dtype dtype_of_number(const gd_value *v) {
    return v->kind == GD_V_BOOL ? GD_BOOL : v->kind == GD_V_INT ? GD_INT64 : GD_FLOAT32;
}

/* ---- constants ------------------------------------------------------------------------------------ */

gd_code gd_fw_zeros(gd_apply *a) {
    gd_value v = GD_INT_VALUE(a->op->param);
    return give_filled(a, sized(a, 0, wanted_dtype(a, GD_FLOAT32)), &v);
}

gd_code gd_fw_full(gd_apply *a) {
    return give_filled(a, sized(a, 0, wanted_dtype(a, dtype_of_number(&a->args[1]))), &a->args[1]);
}

static gd_tensor *like_self(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    return gd_empty_dense(a->ctx, t, wanted_dtype(a, (gd_dtype)t->dtype));
}

gd_code gd_fw_zeros_like(gd_apply *a) {
    gd_value v = GD_INT_VALUE(a->op->param);
    return give_filled(a, like_self(a), &v);
}

gd_code gd_fw_full_like(gd_apply *a) { return give_filled(a, like_self(a), &a->args[1]); }

gd_code gd_fw_new_zeros(gd_apply *a) {
    gd_value v = GD_INT_VALUE(a->op->param);
    return give_filled(a, sized(a, 1, wanted_dtype(a, (gd_dtype)arg_tensor(a, 0)->dtype)), &v);
}

gd_code gd_fw_new_full(gd_apply *a) {
    return give_filled(a, sized(a, 1, wanted_dtype(a, (gd_dtype)arg_tensor(a, 0)->dtype)), &a->args[2]);
}

gd_code gd_fw_eye(gd_apply *a) {
    int64_t sizes[2] = {arg_int(a, 0), a->op->param == 2 ? arg_int(a, 1) : arg_int(a, 0)};
    for (int i = 0; i < 2; i++)
        if (sizes[i] < 0)
            return gd_fail(a->ctx, GD_E_SHAPE, "%c must be greater or equal to 0, got %lld", i ? 'm' : 'n', (long long)sizes[i]);
    gd_tensor *t = gd_empty(a->ctx, wanted_dtype(a, GD_FLOAT32), 2, sizes);
    if (!t) return gd_failed(a->ctx);
    gd_value zero = GD_INT_VALUE(0);
    gd_fill_value(t, &zero);
    size_t bytes = gd_dtype_bytes((gd_dtype)t->dtype);
    for (int64_t i = 0; i < sizes[0] && i < sizes[1]; i++)
        gd_store_i64((gd_dtype)t->dtype, t->data + (size_t)(i * sizes[1] + i) * bytes, 1);
    return give_leaf(a, t);
}

/* ---- sequences ------------------------------------------------------------------------------------- */

/* PyTorch computes whole blocks of 32 bytes from their first element, rounded; what is left over at the end,
 * less than two blocks, one by one. Returns the block's first index for element i of n. */
static int64_t block_start(int64_t i, int64_t n, int64_t lanes) { return i < n - n % (2 * lanes) ? i - i % lanes : i; }

static void write_arange(gd_tensor *t, double start, double step, int64_t first, int64_t by) {
    float *f = (void *)t->data;
    double *d = (void *)t->data;
    size_t bytes = gd_dtype_bytes((gd_dtype)t->dtype);
    for (int64_t i = 0; i < t->numel; i++) {
        if (t->dtype == GD_FLOAT32) {
            int64_t b = block_start(i, t->numel, 8);
            float base = (float)(start + step * (double)b);
            f[i] = b == i ? base : (float)(base + (double)(i - b) * step);
        } else if (t->dtype == GD_FLOAT64) {
            int64_t b = block_start(i, t->numel, 4);
            d[i] = (start + step * (double)b) + (double)(i - b) * step;
        } else { /* the last element is below end: only the unused sum after it could wrap */
            uint64_t v = (uint64_t)first + (uint64_t)by * (uint64_t)i;
            gd_store_i64((gd_dtype)t->dtype, t->data + (size_t)i * bytes, (int64_t)v);
        }
    }
}

static double number_of(const gd_value *v) {
    return v->kind == GD_V_FLOAT ? v->u.real : v->kind == GD_V_BOOL ? (double)v->u.boolean : (double)v->u.integer;
}

static int64_t as_i64(const gd_value *v) {
    return v->kind == GD_V_FLOAT ? gd_f64_to_i64(v->u.real) : v->kind == GD_V_BOOL ? v->u.boolean : v->u.integer;
}

/* How many steps of `step` from start stay before end. */
static gd_code count_steps(gd_ctx *c, double start, double end, double step, int64_t *n) {
    if (!(step > 0 || step < 0)) return gd_fail(c, GD_E_VALUE, "step must be nonzero");
    if (!isfinite(start) || !isfinite(end))
        return gd_fail(c, GD_E_VALUE, "unsupported range: %g -> %g", start, isnan(end) ? fabs(end) : end);
    if (step > 0 ? end < start : end > start)
        return gd_fail(c, GD_E_VALUE, "upper bound and larger bound inconsistent with step sign");
    double count = ceil((end - start) / step);
    if (!(count < 0x1p63)) return gd_fail(c, GD_E_TOO_LARGE, "invalid size, possible overflow?");
    *n = (int64_t)count;
    return GD_OK;
}

/* The same in whole numbers, exact where doubles are not. */
static int64_t count_whole_steps(int64_t start, int64_t end, int64_t step) {
    uint64_t distance = step > 0 ? (uint64_t)end - (uint64_t)start : (uint64_t)start - (uint64_t)end;
    uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    uint64_t n = distance / stride + (distance % stride != 0);
    return n > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)n;
}

gd_code gd_fw_arange(gd_apply *a) {
    int given = a->op->param;
    gd_value zero = GD_INT_VALUE(0), one = GD_INT_VALUE(1);
    const gd_value *start = given > 1 ? &a->args[0] : &zero, *end = given > 1 ? &a->args[1] : &a->args[0];
    const gd_value *step = given > 2 ? &a->args[2] : &one;
    bool real = false;
    for (int i = 0; i < given; i++) real |= a->args[i].kind == GD_V_FLOAT;
    gd_dtype dtype = wanted_dtype(a, real ? GD_FLOAT32 : GD_INT64);
    if (dtype == GD_BOOL) return gd_fail(a->ctx, GD_E_DTYPE, "\"arange_cpu\" not implemented for 'Bool'");
    gd_value from = *start, to = *end, by = *step;
    double x0 = number_of(&from), x1 = number_of(&to), dx = number_of(&by);
    int64_t count;
    gd_code code = count_steps(a->ctx, x0, x1, dx, &count);
    if (code) return code;
    if (dtype == GD_INT64 && !real) count = count_whole_steps(as_i64(&from), as_i64(&to), as_i64(&by));
    gd_tensor *t = gd_empty(a->ctx, dtype, 1, &count);
    if (t) write_arange(t, x0, dx, as_i64(&from), as_i64(&by));
    return give_leaf(a, t);
}

/* The upper half is counted from the end, so that both ends are exact. */
static void write_linspace(gd_tensor *t, double start, double end) {
    int64_t n = t->numel, half = n / 2;
    gd_dtype dtype = (gd_dtype)t->dtype;
    size_t bytes = gd_dtype_bytes(dtype);
    double step = n > 1 ? (end - start) / (double)(n - 1) : 0;
    float start_f = (float)start, end_f = (float)end, step_f = n > 1 ? (end_f - start_f) / (float)(n - 1) : 0;
    for (int64_t i = 0; i < n; i++) {
        char *at = t->data + (size_t)i * bytes;
        if (dtype == GD_FLOAT32) {
            int64_t b = block_start(i, n, 8);
            float base = b < half ? fmaf(step_f, (float)b, start_f) : fmaf(-step_f, (float)(n - b - 1), end_f);
            *(float *)(void *)at = fmaf((float)(i - b), step_f, base);
        } else {
            int64_t b = dtype == GD_FLOAT64 ? block_start(i, n, 4) : i;
            double base = b < half ? fma(step, (double)b, start) : fma(-step, (double)(n - b - 1), end);
            double v = fma((double)(i - b), step, base);
            if (dtype == GD_FLOAT64)
                *(double *)(void *)at = v;
            else
                gd_store_i64(dtype, at, gd_f64_to_i64(v));
        }
    }
    if (n == 1) gd_store_f64(dtype, t->data, start);
}

gd_code gd_fw_linspace(gd_apply *a) {
    int64_t steps = arg_int(a, 2);
    if (steps < 0) return gd_fail(a->ctx, GD_E_VALUE, "number of steps must be non-negative");
    gd_dtype dtype = wanted_dtype(a, GD_FLOAT32);
    if (dtype == GD_BOOL) return gd_fail(a->ctx, GD_E_DTYPE, "\"linspace_cpu\" not implemented for 'Bool'");
    gd_tensor *t = gd_empty(a->ctx, dtype, 1, &steps);
    if (t) write_linspace(t, arg_f64(a, 0), arg_f64(a, 1));
    return give_leaf(a, t);
}
