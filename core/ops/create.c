/* create.c: rows that make tensors from sizes and numbers. */
#include "core/ops/create.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/kernels/cast.h"
#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/families.h"

gd_code gd_give_new(gd_apply *a, gd_tensor *t) {
    if (t && a->args[a->nargs - 1].u.boolean) {
        if (!gd_dtype_is_float((gd_dtype)t->dtype)) {
            gd_release(t);
            return gd_fail(a->ctx, GD_E_DTYPE,
                           "Only Tensors of floating point and complex dtype can require gradients");
        }
        t->flags |= GD_F_REQUIRES_GRAD;
    }
    return give(a, t);
}

/* ---- numbers that fit ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    double low, high;
    int64_t ilow, ihigh;
} ranges[GD_DTYPE_COUNT] = {
    [GD_UINT8] = {"uint8_t", -255, 255, -255, 255}, /* negative numbers wrap */
    [GD_INT32] = {"int", INT32_MIN, INT32_MAX, INT32_MIN, INT32_MAX},
    [GD_INT64] = {"int64_t", -0x1p63, 0x1.fffffffffffffp62, INT64_MIN, INT64_MAX},
    [GD_FLOAT32] = {"float", -FLT_MAX, FLT_MAX, INT64_MIN, INT64_MAX},
    [GD_FLOAT64] = {"double", -DBL_MAX, DBL_MAX, INT64_MIN, INT64_MAX},
    [GD_BOOL] = {"bool", -DBL_MAX, DBL_MAX, INT64_MIN, INT64_MAX},
    [GD_INT8] = {"int8_t", INT8_MIN, INT8_MAX, INT8_MIN, INT8_MAX},
    [GD_INT16] = {"int16_t", INT16_MIN, INT16_MAX, INT16_MIN, INT16_MAX},
    [GD_FLOAT16] = {"at::Half", -65504, 65504, -65504, 65504},
    [GD_BFLOAT16] = {"at::BFloat16", -0x1.fep127, 0x1.fep127, INT64_MIN, INT64_MAX},
};

gd_code gd_check_fits(gd_ctx *ctx, gd_dtype dtype, const gd_value *v) {
    bool fits = true;
    if (v->kind == GD_V_FLOAT) {
        double x = v->u.real;
        bool special = gd_dtype_is_float(dtype) && !isfinite(x);
        double low = dtype == GD_UINT8 ? 0 : ranges[dtype].low;
        fits = special || dtype == GD_BOOL || (x >= low && x <= ranges[dtype].high);
    } else if (v->kind == GD_V_INT) {
        fits = v->u.integer >= ranges[dtype].ilow && v->u.integer <= ranges[dtype].ihigh;
    }
    if (fits) return GD_OK;
    return gd_fail(ctx, GD_E_RUNTIME, "value cannot be converted to type %s without overflow", ranges[dtype].name);
}

gd_code gd_check_written(gd_ctx *ctx, const gd_tensor *t) {
    for (int d = 0; d < t->ndim; d++)
        if (t->sizes[d] > 1 && GD_STRIDES(t)[d] == 0)
            return gd_fail(ctx, GD_E_RUNTIME,
                           "unsupported operation: more than one element of the written-to tensor refers to a single "
                           "memory location. Please clone() the tensor before performing the operation.");
    return GD_OK;
}

/* New tensor with v everywhere; v must fit. */
static gd_tensor *filled(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes, const gd_value *v) {
    int64_t numel;
    if (gd_checked_numel(ctx, dtype, ndim, sizes, &numel)) return NULL;
    if (gd_check_fits(ctx, dtype, v)) return NULL;
    gd_tensor *t = gd_empty(ctx, dtype, ndim, sizes);
    if (t) gd_fill_value(t, v);
    return t;
}

/* The same in t's shape, its dimensions in memory in t's order. */
static gd_tensor *filled_like(gd_ctx *ctx, const gd_tensor *t, gd_dtype dtype, const gd_value *v) {
    if (gd_check_fits(ctx, dtype, v)) return NULL;
    gd_tensor *out = gd_empty_layout(ctx, t, dtype);
    if (out) gd_fill_value(out, v);
    return out;
}

static gd_dtype dtype_of_number(const gd_value *v) {
    return v->kind == GD_V_BOOL ? GD_BOOL : v->kind == GD_V_INT ? GD_INT64 : GD_FLOAT32;
}

/* ---- one number everywhere ----------------------------------------------------------------------- */

static gd_tensor *zeros_or_ones(gd_apply *a, gd_dtype dtype, int ndim, const int64_t *sizes) {
    if (a->op->param == 0) return gd_zeros(a->ctx, dtype, ndim, sizes);
    return filled(a->ctx, dtype, ndim, sizes, &GD_INT_VALUE(a->op->param));
}

gd_code gd_fw_filled(gd_apply *a) {
    return gd_give_new(a, zeros_or_ones(a, gd_dtype_or(a, 1, GD_FLOAT32), arg_count(a, 0), arg_ints(a, 0)));
}

gd_code gd_fw_full(gd_apply *a) {
    gd_dtype dtype = gd_dtype_or(a, 2, dtype_of_number(&a->args[1]));
    return gd_give_new(a, filled(a->ctx, dtype, arg_count(a, 0), arg_ints(a, 0), &a->args[1]));
}

gd_code gd_fw_filled_like(gd_apply *a) {
    const gd_tensor *t = arg_tensor(a, 0);
    gd_dtype dtype = gd_dtype_or(a, 1, (gd_dtype)t->dtype);
    if (gd_is_contiguous(t)) return gd_give_new(a, zeros_or_ones(a, dtype, t->ndim, t->sizes));
    return gd_give_new(a, filled_like(a->ctx, t, dtype, &GD_INT_VALUE(a->op->param)));
}

gd_code gd_fw_full_like(gd_apply *a) {
    const gd_tensor *t = arg_tensor(a, 0);
    return gd_give_new(a, filled_like(a->ctx, t, gd_dtype_or(a, 2, (gd_dtype)t->dtype), &a->args[1]));
}

gd_code gd_fw_new_filled(gd_apply *a) {
    gd_dtype dtype = gd_dtype_or(a, 2, (gd_dtype)arg_tensor(a, 0)->dtype);
    return gd_give_new(a, zeros_or_ones(a, dtype, arg_count(a, 1), arg_ints(a, 1)));
}

gd_code gd_fw_new_full(gd_apply *a) {
    gd_dtype dtype = gd_dtype_or(a, 3, (gd_dtype)arg_tensor(a, 0)->dtype);
    return gd_give_new(a, filled(a->ctx, dtype, arg_count(a, 1), arg_ints(a, 1), &a->args[2]));
}

/* ---- ranges -------------------------------------------------------------------------------------- */

typedef struct range {
    gd_value start, end, step;
    gd_dtype dtype;
    int64_t n;
} range;

static double real_of(const gd_value *v) {
    return v->kind == GD_V_FLOAT ? v->u.real : v->kind == GD_V_BOOL ? (double)v->u.boolean : (double)v->u.integer;
}

static int64_t whole_of(const gd_value *v) {
    char bytes[8] = {0};
    gd_convert_value(GD_INT64, v, bytes);
    return gd_load_i64(GD_INT64, bytes);
}

/* "0", "1.5", "inf": as PyTorch prints the ends of a range. */
static const char *number_text(char buf[32], const gd_value *v) {
    if (v->kind == GD_V_FLOAT)
        snprintf(buf, 32, "%g", v->u.real);
    else
        snprintf(buf, 32, "%" PRId64, whole_of(v));
    return buf;
}

/* ceil((end - start) / step) elements; integers are counted exactly. */
static gd_code count_range(gd_ctx *ctx, range *r) {
    char a[32], b[32];
    bool whole = r->dtype == GD_INT64;
    double start = real_of(&r->start), end = real_of(&r->end);
    double step = gd_dtype_is_float(r->dtype) ? real_of(&r->step) : (double)whole_of(&r->step);
    if (!(step > 0 || step < 0)) return gd_fail(ctx, GD_E_RUNTIME, "step must be nonzero");
    if (!isfinite(start) || !isfinite(end))
        return gd_fail(ctx, GD_E_RUNTIME, "unsupported range: %s -> %s", number_text(a, &r->start),
                       number_text(b, &r->end));
    if ((step > 0 && end < start) || (step < 0 && end > start))
        return gd_fail(ctx, GD_E_RUNTIME, "upper bound and larger bound inconsistent with step sign");
    double size = ceil((end - start) / real_of(&r->step));
    if (whole) {
        int64_t s = whole_of(&r->step), sign = s > 0 ? 1 : -1, span;
        if (__builtin_sub_overflow(whole_of(&r->end), whole_of(&r->start), &span) ||
            __builtin_add_overflow(span, s - sign, &span))
            return gd_fail(ctx, GD_E_RUNTIME, "invalid size, possible overflow?");
        r->n = span / s;
        return GD_OK;
    }
    if (!(size >= 0 && size < 0x1p63)) return gd_fail(ctx, GD_E_RUNTIME, "invalid size, possible overflow?");
    r->n = (int64_t)size;
    return GD_OK;
}

#define LANES(T) (32 / (int64_t)sizeof(T))

/* Element i as start + i * step in double. PyTorch fills pairs of 32-byte vectors from their first element, rounded,
 * and what is left one by one. */
static void fill_range_float(float *p, int64_t n, double start, double step) {
    const int64_t lanes = LANES(float), paired = n / (2 * lanes) * (2 * lanes);
    for (int64_t i = 0; i < n; i++) {
        int64_t lane = i < paired ? i % lanes : 0;
        double base = fma(step, (double)(i - lane), start);
        p[i] = lane || i < paired ? (float)fma((double)lane, step, (double)(float)base) : (float)base;
    }
}

static void fill_range_double(double *p, int64_t n, double start, double step) {
    const int64_t lanes = LANES(double), paired = n / (2 * lanes) * (2 * lanes);
    for (int64_t i = 0; i < n; i++) {
        int64_t lane = i < paired ? i % lanes : 0;
        p[i] = fma((double)lane, step, fma(step, (double)(i - lane), start));
    }
}

static void fill_range(gd_tensor *t, const range *r) {
    if (t->dtype == GD_FLOAT32) {
        fill_range_float((float *)(void *)t->data, t->numel, real_of(&r->start), real_of(&r->step));
    } else if (t->dtype == GD_FLOAT64) {
        fill_range_double((double *)(void *)t->data, t->numel, real_of(&r->start), real_of(&r->step));
    } else {
        uint64_t value = (uint64_t)whole_of(&r->start), step = (uint64_t)whole_of(&r->step);
        size_t width = gd_dtype_bytes((gd_dtype)t->dtype);
        for (int64_t i = 0; i < t->numel; i++, value += step)
            gd_store_i64((gd_dtype)t->dtype, t->data + (size_t)i * width, (int64_t)value);
    }
}

gd_code gd_fw_arange(gd_apply *a) {
    bool from = a->op->param == 1;
    range r = {.start = from ? a->args[0] : GD_INT_VALUE(0),
               .end = a->args[from],
               .step = from ? a->args[2] : GD_INT_VALUE(1)};
    bool real = r.start.kind == GD_V_FLOAT || r.end.kind == GD_V_FLOAT || r.step.kind == GD_V_FLOAT;
    r.dtype = gd_dtype_or(a, a->nargs - 2, real ? GD_FLOAT32 : GD_INT64);
    if (r.dtype == GD_BOOL) return gd_fail(a->ctx, GD_E_DTYPE, "\"arange_cpu\" not implemented for 'Bool'");
    gd_code code = count_range(a->ctx, &r);
    if (code) return code;
    gd_tensor *t = gd_empty(a->ctx, r.dtype, 1, &r.n);
    if (t) fill_range(t, &r);
    return gd_give_new(a, t);
}

/* The first half counts from the start, the second from the end, so that both ends are exact. Vectors as above;
 * integers cut the fraction off the first element and off the sum. */
#define DEFINE_LINSPACE(name, T, S, FMA, CUT)                                                                          \
    static void name(T *p, int64_t n, S start, S end) {                                                                \
        const S step = n > 1 ? (end - start) / (S)(n - 1) : 0;                                                         \
        const int64_t lanes = LANES(T), paired = n / (2 * lanes) * (2 * lanes);                                        \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            int64_t lane = i < paired ? i % lanes : 0, k = i - lane;                                                   \
            S base = k < n / 2 ? FMA(step, (S)k, start) : FMA(-step, (S)(n - k - 1), end);                             \
            p[i] = CUT((S)CUT(base) + (S)lane * step);                                                                 \
        }                                                                                                              \
    }
DEFINE_LINSPACE(linspace_float, float, float, fmaf, )
DEFINE_LINSPACE(linspace_double, double, double, fma, )
DEFINE_LINSPACE(linspace_int64, int64_t, double, fma, gd_f64_to_i64)
DEFINE_LINSPACE(linspace_int32, int32_t, double, fma, gd_f64_to_i32)
DEFINE_LINSPACE(linspace_uint8, uint8_t, double, fma, gd_f64_to_u8)

static void fill_linspace(gd_tensor *t, double start, double end) {
    void *p = t->data;
    int64_t n = t->numel;
    switch ((gd_dtype)t->dtype) {
    case GD_FLOAT32: linspace_float(p, n, (float)start, (float)end); break;
    case GD_FLOAT64: linspace_double(p, n, start, end); break;
    case GD_INT64: linspace_int64(p, n, trunc(start), trunc(end)); break;
    case GD_INT32: linspace_int32(p, n, trunc(start), trunc(end)); break;
    default: linspace_uint8(p, n, trunc(start), trunc(end)); break;
    }
}

gd_code gd_fw_linspace(gd_apply *a) {
    gd_dtype dtype = gd_dtype_or(a, 3, GD_FLOAT32);
    int64_t steps = arg_int(a, 2);
    double start = arg_f64(a, 0), end = arg_f64(a, 1);
    if (steps < 0) return gd_fail(a->ctx, GD_E_RUNTIME, "number of steps must be non-negative");
    if (dtype == GD_BOOL) return gd_fail(a->ctx, GD_E_DTYPE, "\"linspace_cpu\" not implemented for 'Bool'");
    gd_code code = gd_check_fits(a->ctx, dtype, &a->args[0]);
    if (!code) code = gd_check_fits(a->ctx, dtype, &a->args[1]);
    if (code) return code;
    gd_tensor *t = gd_empty(a->ctx, dtype, 1, &steps);
    if (t && steps > 1) fill_linspace(t, start, end);
    if (t && steps == 1) gd_fill_value(t, &a->args[0]);
    return gd_give_new(a, t);
}

/* Powers of the base, their exponents as above: one by one, in the type's arithmetic, integers in double. */
#define DEFINE_LOGSPACE(name, T, S, POW, CUT)                                                                          \
    static void name(T *p, int64_t n, S start, S end, S base) {                                                        \
        const S step = n > 1 ? (end - start) / (S)(n - 1) : 0;                                                         \
        for (int64_t i = 0; i < n; i++)                                                                                \
            p[i] = CUT(POW(base, i < n / 2 ? start + step * (S)i : end - step * (S)(n - i - 1)));                      \
    }
DEFINE_LOGSPACE(logspace_float, float, float, powf, )
DEFINE_LOGSPACE(logspace_double, double, double, pow, )

static void fill_logspace(gd_tensor *t, double start, double end, double base) {
    gd_dtype dtype = (gd_dtype)t->dtype;
    int64_t n = t->numel;
    if (dtype == GD_FLOAT32) {
        logspace_float((float *)(void *)t->data, n, (float)start, (float)end, (float)base);
    } else if (dtype == GD_FLOAT64) {
        logspace_double((double *)(void *)t->data, n, start, end, base);
    } else {
        double step = n > 1 ? (trunc(end) - trunc(start)) / (double)(n - 1) : 0;
        for (int64_t i = 0; i < n; i++) {
            const gd_value v = GD_FLOAT_VALUE(pow(base, trunc(start) + step * (double)i));
            gd_convert_value(dtype, &v, t->data + (size_t)i * gd_dtype_bytes(dtype));
        }
    }
}

gd_code gd_fw_logspace(gd_apply *a) {
    gd_dtype dtype = gd_dtype_or(a, 4, GD_FLOAT32);
    int64_t steps = arg_int(a, 2);
    double start = arg_f64(a, 0), end = arg_f64(a, 1), base = a->args[3].u.real;
    if (steps < 0) return gd_fail(a->ctx, GD_E_RUNTIME, "number of steps must be non-negative");
    if (dtype == GD_BOOL && steps > 1)
        return gd_fail(a->ctx, GD_E_DTYPE, "\"logspace_cpu\" not implemented for 'Bool'");
    gd_code code = steps > 1 ? gd_check_fits(a->ctx, dtype, &a->args[0]) : GD_OK;
    if (!code && steps > 1) code = gd_check_fits(a->ctx, dtype, &a->args[1]);
    if (code) return code;
    gd_tensor *t = gd_empty(a->ctx, dtype, 1, &steps);
    if (t && steps > 1) fill_logspace(t, start, end, base);
    if (t && steps == 1) gd_fill_value(t, &GD_FLOAT_VALUE(pow(base, start)));
    return gd_give_new(a, t);
}

gd_code gd_fw_eye(gd_apply *a) {
    gd_dtype dtype = gd_dtype_or(a, 2, GD_FLOAT32);
    int64_t n = arg_int(a, 0), m = a->args[1].kind == GD_V_INT ? arg_int(a, 1) : n;
    if (n < 0) return gd_fail(a->ctx, GD_E_RUNTIME, "n must be greater or equal to 0, got %" PRId64, n);
    if (m < 0) return gd_fail(a->ctx, GD_E_RUNTIME, "m must be greater or equal to 0, got %" PRId64, m);
    gd_tensor *t = gd_zeros(a->ctx, dtype, 2, (const int64_t[]){n, m});
    size_t step = ((size_t)m + 1) * gd_dtype_bytes(dtype);
    for (int64_t i = 0; t && i < n && i < m; i++) gd_store_i64(dtype, t->data + (size_t)i * step, 1);
    return gd_give_new(a, t);
}
