/* random.c: rows that draw from the context's generator. Draws come in PyTorch's order. */
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "core/kernels/kernels.h"
#include "core/kernels/rng.h"
#include "core/ops/compose.h"
#include "core/ops/create.h"
#include "core/ops/families.h"

gd_code gd_fw_manual_seed(gd_apply *a) {
    gd_ctx_manual_seed(a->ctx, (uint64_t)arg_int(a, 0)); /* a negative seed counts from 2^64 down */
    a->has_value = true;
    a->value = GD_NONE_VALUE;
    return GD_OK;
}

/* ---- uniform and normal -------------------------------------------------------------------------- */

/* What strided writing draws, element by element. */
typedef struct draw {
    gd_generator *generator;
    gd_dtype dtype;
    bool normal;
    double a, b; /* range, or mean and deviation */
} draw;

static void draw_loop(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const draw *d = extra;
    for (int64_t i = 0; i < n; i++) {
        char *to = data[0] + i * strides[0];
        if (d->normal)
            gd_store_f64(d->dtype, to, fma(gd_generator_normal(d->generator), d->b, d->a));
        else
            gd_random_uniform(d->generator, d->dtype, to, 1, d->a, d->b);
    }
}

static gd_code check_float(gd_ctx *ctx, gd_dtype dtype, bool normal) {
    if (gd_dtype_is_float(dtype)) return GD_OK;
    return gd_fail(ctx, GD_E_DTYPE, "\"%s\" not implemented for '%s'",
                   normal ? "normal_kernel_cpu" : "check_uniform_bounds", gd_dtype_scalar_name(dtype));
}

/* Strided tensors are written in the order of their memory. */
static void fill(gd_ctx *ctx, gd_tensor *t, bool normal, double a, double b) {
    gd_dtype dtype = (gd_dtype)t->dtype;
    if (!gd_is_contiguous(t)) {
        draw d = {&ctx->generator, dtype, normal, a, b};
        gd_iterate_any_order(&t, 1, draw_loop, &d);
    } else if (normal) {
        gd_random_normal(&ctx->generator, dtype, t->data, t->numel, a, b);
    } else {
        gd_random_uniform(&ctx->generator, dtype, t->data, t->numel, a, b);
    }
}

static gd_tensor *drawn(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes, bool normal, double a, double b) {
    int64_t numel;
    if (gd_checked_numel(ctx, dtype, ndim, sizes, &numel) || check_float(ctx, dtype, normal)) return NULL;
    gd_tensor *t = gd_empty(ctx, dtype, ndim, sizes);
    if (t) fill(ctx, t, normal, a, b);
    return t;
}

gd_code gd_fw_rand(gd_apply *a) {
    bool normal = a->op->param == 1;
    gd_dtype dtype = gd_dtype_or(a, 1, GD_FLOAT32);
    return gd_give_new(a, drawn(a->ctx, dtype, arg_count(a, 0), arg_ints(a, 0), normal, 0, 1));
}

gd_code gd_fw_rand_like(gd_apply *a) {
    const gd_tensor *t = arg_tensor(a, 0);
    gd_dtype dtype = gd_dtype_or(a, 1, (gd_dtype)t->dtype);
    bool normal = a->op->param == 1;
    if (check_float(a->ctx, dtype, normal)) return a->ctx->error.code;
    gd_tensor *out = gd_empty_layout(a->ctx, t, dtype);
    if (out) fill(a->ctx, out, normal, 0, 1);
    return gd_give_new(a, out);
}

static gd_code check_std(gd_ctx *ctx, double std) {
    if (std >= 0) return GD_OK;
    return gd_fail(ctx, GD_E_RUNTIME, "normal expects std >= 0.0, but found std %g", std);
}

gd_code gd_fw_normal(gd_apply *a) {
    double mean = a->args[0].u.real, std = a->args[1].u.real;
    gd_code code = check_std(a->ctx, std);
    if (code) return code;
    gd_dtype dtype = gd_dtype_or(a, 3, GD_FLOAT32);
    return gd_give_new(a, drawn(a->ctx, dtype, arg_count(a, 2), arg_ints(a, 2), true, mean, std));
}

static gd_code check_std_tensor(gd_ctx *ctx, gd_tensor *std) {
    gd_tensor *flat = gd_as_contiguous(ctx, std);
    if (!flat) return gd_failed(ctx);
    bool good = true;
    size_t width = gd_dtype_bytes((gd_dtype)flat->dtype);
    for (int64_t i = 0; i < flat->numel && good; i++)
        good = !(gd_load_f64((gd_dtype)flat->dtype, flat->data + (size_t)i * width) < 0);
    gd_release(flat);
    return good ? GD_OK : gd_fail(ctx, GD_E_RUNTIME, "normal expects all elements of std >= 0.0");
}

/* What the arguments say before anything is drawn; *like has the result's dtype, and its shape unless both are tensors.
 */
static gd_code check_normal_tensors(gd_apply *a, gd_tensor **like, int *ndim, int64_t *sizes) {
    const gd_value *mean = &a->args[0], *std = &a->args[1];
    gd_tensor *first = mean->kind == GD_V_TENSOR ? mean->u.tensor : std->u.tensor, *second = first;
    gd_code code = std->kind == GD_V_TENSOR ? check_std_tensor(a->ctx, std->u.tensor) : check_std(a->ctx, std->u.real);
    if (std->kind == GD_V_TENSOR) second = std->u.tensor;
    *like = first;
    if (!code) code = check_float(a->ctx, (gd_dtype)first->dtype, true);
    if (code) return code;
    return gd_broadcast_shape(a->ctx, first->ndim, first->sizes, second->ndim, second->sizes, sizes, ndim);
}

static gd_code shift_by(gd_ctx *c, gd_tensor *t, double mean) {
    gd_tensor *number = gd_scalar_f64(c, mean, GD_FLOAT64);
    if (!number) return gd_failed(c);
    number->flags |= GD_F_WRAPPED_NUMBER;
    gd_code code = gd_do_inplace(c, GD_OP_add, (const gd_value[]){T_(t), T_(number)}, 2);
    gd_release(number);
    return code;
}

/* drawn * std + mean, in PyTorch's order. */
gd_code gd_fw_normal_tensors(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *like;
    int ndim;
    int64_t sizes[GD_MAX_DIMS];
    gd_code code = check_normal_tensors(a, &like, &ndim, sizes);
    if (code) return code;
    bool deviations = a->args[1].kind == GD_V_TENSOR;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *t = drawn(c, (gd_dtype)like->dtype, ndim, sizes, true, 0, deviations ? 1 : a->args[1].u.real);
    if (t && deviations) code = gd_do_inplace(c, GD_OP_mul, (const gd_value[]){T_(t), a->args[1]}, 2);
    if (t && !code && a->args[0].kind == GD_V_TENSOR)
        code = gd_do_inplace(c, GD_OP_add, (const gd_value[]){T_(t), a->args[0]}, 2);
    else if (t && !code && a->args[0].u.real != 0)
        code = shift_by(c, t, a->args[0].u.real);
    c->mode = mode;
    if (code) t = then_release(NULL, t);
    return give(a, t);
}

/* No gradient flows through what was drawn: zeros, as PyTorch has it. */
void gd_bw_normal_tensors(gd_bw *b) {
    for (int i = 0; i < 2; i++) {
        int ndim;
        if (gd_bw_op(b)->params[i].type != GD_T_TENSOR || !gd_bw_needs(b, i)) continue;
        const int64_t *sizes = gd_bw_sizes(b, i, &ndim);
        gd_bw_set(b, i, gd_pool_add(b->ctx, gd_zeros(b->ctx, gd_bw_dtype(b, i), ndim, sizes)));
    }
}

gd_code gd_fw_normal_(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    gd_code code = check_std(a->ctx, a->args[2].u.real);
    if (!code) code = check_float(a->ctx, (gd_dtype)t->dtype, true);
    if (!code) code = gd_check_written(a->ctx, t);
    if (!code) fill(a->ctx, t, true, a->args[1].u.real, a->args[2].u.real);
    return code;
}

static gd_code check_bounds(gd_ctx *ctx, gd_dtype dtype, double from, double to) {
    const double most = dtype == GD_FLOAT64    ? DBL_MAX
                        : dtype == GD_FLOAT16  ? 65504
                        : dtype == GD_BFLOAT16 ? 0x1.fep127
                                               : (double)FLT_MAX;
    const char *type = gd_dtype_c_name(dtype);
    if (!(fabs(from) <= most)) return gd_fail(ctx, GD_E_RUNTIME, "from is out of bounds for %s", type);
    if (!(fabs(to) <= most)) return gd_fail(ctx, GD_E_RUNTIME, "to is out of bounds for %s", type);
    if (!(from <= to))
        return gd_fail(ctx, GD_E_RUNTIME, "uniform_ expects to return a [from, to) range, but found from=%g > to=%g",
                       from, to);
    if (!(to - from <= most))
        return gd_fail(
            ctx, GD_E_RUNTIME,
            "uniform_ expects to-from <= std::numeric_limits<%s>::max(), but found to=%g and from=%g which result in to-from to exceed the limit",
            gd_dtype_scalar_name(dtype), to, from);
    return GD_OK;
}

gd_code gd_fw_uniform_(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    double from = a->args[1].u.real, to = a->args[2].u.real;
    gd_code code = check_float(a->ctx, (gd_dtype)t->dtype, false);
    if (!code) code = check_bounds(a->ctx, (gd_dtype)t->dtype, from, to);
    if (!code) code = gd_check_written(a->ctx, t);
    if (!code) fill(a->ctx, t, false, from, to);
    return code;
}

/* ---- integers ------------------------------------------------------------------------------------ */

static gd_code check_bound(gd_ctx *ctx, gd_dtype dtype, int64_t v, const char *which) {
    static const struct {
        const char *name;
        int64_t low, high;
    } types[GD_DTYPE_COUNT] = {
        [GD_UINT8] = {"unsigned char", 0, 255},          [GD_INT32] = {"int", INT32_MIN, INT32_MAX},
        [GD_INT64] = {"long", INT64_MIN, INT64_MAX},     [GD_FLOAT32] = {"float", INT64_MIN, INT64_MAX},
        [GD_FLOAT64] = {"double", INT64_MIN, INT64_MAX}, [GD_BOOL] = {"bool", 0, 1},
        [GD_INT8] = {"signed char", INT8_MIN, INT8_MAX}, [GD_INT16] = {"short", INT16_MIN, INT16_MAX},
        [GD_FLOAT16] = {"c10::Half", -65504, 65504},     [GD_BFLOAT16] = {"c10::BFloat16", INT64_MIN, INT64_MAX},
    };
    if (v >= types[dtype].low && v <= types[dtype].high) return GD_OK;
    return gd_fail(ctx, GD_E_RUNTIME, "%s is out of bounds for %s", which, types[dtype].name);
}

static gd_code check_integers(gd_ctx *ctx, gd_dtype dtype, int64_t low, int64_t high) {
    if (low >= high)
        return gd_fail(ctx, GD_E_RUNTIME,
                       "random_ expects 'from' to be less than 'to', but got from=%" PRId64 " >= to=%" PRId64, low,
                       high);
    gd_code code = check_bound(ctx, dtype, low, "from");
    return code ? code : check_bound(ctx, dtype, high - 1, "to - 1");
}

gd_code gd_fw_randint(gd_apply *a) {
    gd_ctx *ctx = a->ctx;
    int from = a->op->param, size = from + 1;
    int64_t low = from ? arg_int(a, 0) : 0, high = arg_int(a, from), numel;
    gd_dtype dtype = gd_dtype_or(a, size + 1, GD_INT64);
    gd_code code = gd_checked_numel(ctx, dtype, arg_count(a, size), arg_ints(a, size), &numel);
    if (!code) code = check_integers(ctx, dtype, low, high);
    if (code) return code;
    gd_tensor *t = gd_empty(ctx, dtype, arg_count(a, size), arg_ints(a, size));
    size_t width = gd_dtype_bytes(dtype);
    for (int64_t i = 0; t && i < numel; i++)
        gd_store_i64(dtype, t->data + (size_t)i * width,
                     gd_random_integer(&ctx->generator, low, (uint64_t)high - (uint64_t)low));
    return gd_give_new(a, t);
}

typedef struct integers {
    gd_generator *generator;
    gd_dtype dtype;
    int64_t low;
    uint64_t range;
} integers;

static void integer_loop(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const integers *d = extra;
    for (int64_t i = 0; i < n; i++)
        gd_store_i64(d->dtype, data[0] + i * strides[0], gd_random_integer(d->generator, d->low, d->range));
}

gd_code gd_fw_randint_like(gd_apply *a) {
    int from = a->op->param + 1;
    int64_t low = from > 1 ? arg_int(a, 1) : 0, high = arg_int(a, from);
    gd_dtype dtype = gd_dtype_or(a, from + 1, (gd_dtype)arg_tensor(a, 0)->dtype);
    gd_code code = check_integers(a->ctx, dtype, low, high);
    if (code) return code;
    gd_tensor *t = gd_empty_layout(a->ctx, arg_tensor(a, 0), dtype);
    const integers d = {&a->ctx->generator, dtype, low, (uint64_t)high - (uint64_t)low};
    if (t) gd_iterate_any_order(&t, 1, integer_loop, &d);
    return gd_give_new(a, t);
}

/* The largest n whose numbers all fit, by dtype. */
static gd_code check_permutation(gd_ctx *ctx, gd_dtype dtype, int64_t n) {
    if (dtype == GD_BOOL) return gd_fail(ctx, GD_E_DTYPE, "\"randperm\" not implemented for 'Bool'");
    if (dtype == GD_FLOAT32 && n > INT64_C(1) << 24)
        return gd_fail(ctx, GD_E_RUNTIME, "n is too large for result tensor type: 'torch.FloatTensor'");
    return gd_check_fits(ctx, dtype, &GD_INT_VALUE(n));
}

gd_code gd_fw_randperm(gd_apply *a) {
    gd_ctx *ctx = a->ctx;
    gd_dtype dtype = gd_dtype_or(a, 1, GD_INT64);
    int64_t n = arg_int(a, 0), numel;
    gd_code code = gd_checked_numel(ctx, GD_INT64, 1, &n, &numel);
    if (!code) code = check_permutation(ctx, dtype, n);
    if (code) return code;
    gd_tensor *t = gd_empty(ctx, GD_INT64, 1, &n);
    if (t) gd_random_permutation(&ctx->generator, (int64_t *)(void *)t->data, n);
    gd_tensor *out = t ? gd_as_dtype(ctx, t, dtype) : NULL;
    gd_release(t);
    return gd_give_new(a, out);
}

/* ---- truth --------------------------------------------------------------------------------------- */

static void bernoulli_loop(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const draw *d = extra;
    for (int64_t i = 0; i < n; i++)
        gd_store_i64(d->dtype, data[0] + i * strides[0], gd_generator_double(d->generator) < d->a);
}

gd_code gd_fw_bernoulli_(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    double p = a->args[1].u.real;
    if (!(p >= 0 && p <= 1))
        return gd_fail(a->ctx, GD_E_RUNTIME, "bernoulli_ expects p to be in [0, 1], but got p=%g", p);
    gd_code code = gd_check_written(a->ctx, t);
    draw d = {&a->ctx->generator, (gd_dtype)t->dtype, false, p, 0};
    if (!code) gd_iterate_any_order(&t, 1, bernoulli_loop, &d);
    return code;
}

static gd_code check_probabilities(gd_ctx *ctx, const gd_tensor *p) {
    gd_dtype dtype = (gd_dtype)p->dtype;
    size_t width = gd_dtype_bytes(dtype);
    for (int64_t i = 0; i < p->numel; i++) {
        double v = gd_load_f64(dtype, p->data + (size_t)i * width);
        if (!(v >= 0 && v <= 1))
            return gd_fail(ctx, GD_E_RUNTIME,
                           "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be "
                           "improved?  If so, please report an enhancement request to PyTorch.)");
    }
    return GD_OK;
}

gd_code gd_fw_bernoulli(gd_apply *a) {
    gd_ctx *ctx = a->ctx;
    gd_dtype dtype = (gd_dtype)arg_tensor(a, 0)->dtype;
    if (!gd_dtype_is_float(dtype))
        return gd_fail(ctx, GD_E_DTYPE, "\"bernoulli_tensor_cpu_p_\" not implemented for '%s'",
                       gd_dtype_scalar_name(dtype));
    gd_tensor *p = gd_as_contiguous(ctx, arg_tensor(a, 0));
    gd_tensor *out = p && !check_probabilities(ctx, p) ? gd_empty_like(ctx, p, dtype) : NULL;
    size_t width = gd_dtype_bytes(dtype);
    for (int64_t i = 0; out && i < out->numel; i++) {
        /* a float is compared with a float, as PyTorch does */
        double v = gd_load_f64(dtype, p->data + (size_t)i * width);
        double u =
            dtype == GD_FLOAT64 ? gd_generator_double(&ctx->generator) : (double)gd_generator_float(&ctx->generator);
        gd_store_i64(dtype, out->data + (size_t)i * width, u < v);
    }
    gd_release(p);
    return give(a, out);
}
