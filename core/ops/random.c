/* random.c: rows that draw from the generator, in PyTorch's order, so that a seed gives PyTorch's numbers. */
#include <math.h>

#include "core/kernels/kernels.h"
#include "core/kernels/rng.h"
#include "core/ops/args.h"
#include "core/ops/dense.h"
#include "core/ops/families.h"
#include "core/ops/pointwise_run.h"

static gd_generator *generator_of(gd_apply *a) { return &a->ctx->generator; }

static gd_dtype wanted_dtype(const gd_apply *a, gd_dtype otherwise) {
    const gd_value *v = &a->args[a->nargs - 2];
    return v->kind == GD_V_DTYPE ? v->u.dtype : otherwise;
}

/* Makes t (taken) the only output, as a leaf that requires grad if the keyword says so; releases it if `code`. */
static gd_code give_leaf(gd_apply *a, gd_tensor *t, gd_code code) {
    if (!t) return gd_failed(a->ctx);
    if (!code && a->args[a->nargs - 1].u.boolean) code = gd_set_requires_grad(a->ctx, t, true);
    if (!code) return give(a, t);
    gd_release(t);
    return code;
}

gd_code gd_fw_manual_seed(gd_apply *a) {
    gd_ctx_manual_seed(a->ctx, (uint64_t)arg_int(a, 0));
    a->has_value = true;
    a->value = GD_NONE_VALUE;
    return GD_OK;
}

/* ---- filling ------------------------------------------------------------------------------------- */

/* What to draw; one element at a time goes to `at`. */
typedef struct draw {
    gd_generator *generator;
    gd_dtype dtype;
    void (*one)(const struct draw *d, char *at);
    double x, y; /* from and to, mean and spread, or probability */
    int64_t low;
    uint64_t range;
} draw;

static void draw_run(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const draw *d = extra;
    for (int64_t i = 0; i < n; i++) d->one(d, data[0] + i * strides[0]);
}

/* Draws for every element: in the order of memory where t has no gaps, as PyTorch does, else row by row. */
static gd_code draw_all(gd_ctx *c, gd_tensor *t, draw *d) {
    int64_t strides[GD_MAX_DIMS], step = (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    d->generator = &c->generator;
    d->dtype = (gd_dtype)t->dtype;
    if (gd_dense_strides(t, strides))
        draw_run(&t->data, &step, t->numel, d);
    else
        gd_iterate(&t, 1, draw_run, d);
    return GD_OK;
}

static void one_uniform(const draw *d, char *at) { gd_random_uniform(d->generator, d->dtype, at, 1, d->x, d->y); }
static void one_normal(const draw *d, char *at) {
    gd_store_f64(d->dtype, at, gd_generator_normal(d->generator) * d->y + d->x);
}
static void one_integer(const draw *d, char *at) {
    gd_store_i64(d->dtype, at, gd_random_integer(d->generator, d->low, d->range));
}
static void one_event(const draw *d, char *at) { gd_store_i64(d->dtype, at, gd_generator_double(d->generator) < d->x); }

static gd_code fill_uniform(gd_ctx *c, gd_tensor *t, double from, double to) {
    int64_t strides[GD_MAX_DIMS];
    if (!gd_dtype_is_float((gd_dtype)t->dtype)) return gd_fail_kernel(c, "check_uniform_bounds", (gd_dtype)t->dtype);
    if (from > to)
        return gd_fail(c, GD_E_VALUE, "uniform_ expects to return a [from, to) range, but found from=%g > to=%g", from, to);
    if (gd_dense_strides(t, strides)) {
        gd_random_uniform(&c->generator, (gd_dtype)t->dtype, t->data, t->numel, from, to);
        return GD_OK;
    }
    draw d = {.one = one_uniform, .x = from, .y = to};
    return draw_all(c, t, &d);
}

static gd_code fill_normal(gd_ctx *c, gd_tensor *t, double mean, double std) {
    if (!(std >= 0)) return gd_fail(c, GD_E_VALUE, "normal expects std >= 0.0, but found std %g", isnan(std) ? fabs(std) : std);
    if (!gd_dtype_is_float((gd_dtype)t->dtype)) return gd_fail_kernel(c, "normal_kernel_cpu", (gd_dtype)t->dtype);
    if (gd_is_contiguous(t)) {
        gd_random_normal(&c->generator, (gd_dtype)t->dtype, t->data, t->numel, mean, std);
        return GD_OK;
    }
    draw d = {.one = one_normal, .x = mean, .y = std};
    return draw_all(c, t, &d);
}

gd_code gd_fw_uniform_(gd_apply *a) { return fill_uniform(a->ctx, arg_tensor(a, 0), arg_f64(a, 1), arg_f64(a, 2)); }
gd_code gd_fw_normal_(gd_apply *a) { return fill_normal(a->ctx, arg_tensor(a, 0), arg_f64(a, 1), arg_f64(a, 2)); }

static gd_code fill_standard(gd_apply *a, gd_tensor *t) {
    if (!t) return gd_failed(a->ctx);
    return a->op->param ? fill_normal(a->ctx, t, 0, 1) : fill_uniform(a->ctx, t, 0, 1);
}

gd_code gd_fw_rand(gd_apply *a) {
    gd_tensor *t = gd_empty(a->ctx, wanted_dtype(a, GD_FLOAT32), arg_count(a, 0), arg_ints(a, 0));
    return give_leaf(a, t, fill_standard(a, t));
}

gd_code gd_fw_rand_like(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    gd_tensor *t = gd_empty_dense(a->ctx, self, wanted_dtype(a, (gd_dtype)self->dtype));
    return give_leaf(a, t, fill_standard(a, t));
}

/* ---- integers ------------------------------------------------------------------------------------ */

static const char *type_text(gd_dtype dtype) {
    return dtype == GD_BOOL ? "bool" : dtype == GD_UINT8 ? "unsigned char" : "int";
}

/* Is v a value of the dtype? Floats take all. */
static bool holds(gd_dtype dtype, int64_t v) {
    switch (dtype) {
    case GD_BOOL: return v >= 0 && v <= 1;
    case GD_UINT8: return v >= 0 && v <= UINT8_MAX;
    case GD_INT32: return v >= INT32_MIN && v <= INT32_MAX;
    default: return true;
    }
}

static gd_code fill_integers(gd_ctx *c, gd_tensor *t, int64_t low, int64_t high) {
    gd_dtype dtype = (gd_dtype)t->dtype;
    if (low >= high)
        return gd_fail(c, GD_E_VALUE, "random_ expects 'from' to be less than 'to', but got from=%lld >= to=%lld", (long long)low,
                       (long long)high);
    if (!holds(dtype, low)) return gd_fail(c, GD_E_VALUE, "from is out of bounds for %s", type_text(dtype));
    if (!holds(dtype, high - 1)) return gd_fail(c, GD_E_VALUE, "to - 1 is out of bounds for %s", type_text(dtype));
    draw d = {.one = one_integer, .low = low, .range = (uint64_t)high - (uint64_t)low};
    return draw_all(c, t, &d);
}

gd_code gd_fw_randint(gd_apply *a) {
    int at = a->op->param;
    gd_tensor *t = gd_empty(a->ctx, wanted_dtype(a, GD_INT64), arg_count(a, at + 1), arg_ints(a, at + 1));
    return give_leaf(a, t, t ? fill_integers(a->ctx, t, at ? arg_int(a, 0) : 0, arg_int(a, at)) : GD_OK);
}

gd_code gd_fw_randint_like(gd_apply *a) {
    int at = 1 + a->op->param;
    const gd_tensor *self = arg_tensor(a, 0);
    gd_tensor *t = gd_empty_dense(a->ctx, self, wanted_dtype(a, (gd_dtype)self->dtype));
    return give_leaf(a, t, t ? fill_integers(a->ctx, t, at == 2 ? arg_int(a, 1) : 0, arg_int(a, at)) : GD_OK);
}

gd_code gd_fw_randperm(gd_apply *a) {
    int64_t n = arg_int(a, 0);
    gd_tensor *whole = gd_empty(a->ctx, GD_INT64, 1, &n);
    if (!whole) return gd_failed(a->ctx);
    gd_random_permutation(generator_of(a), (int64_t *)(void *)whole->data, n);
    gd_tensor *t = gd_as_dtype(a->ctx, whole, wanted_dtype(a, GD_INT64));
    gd_release(whole);
    return give_leaf(a, t, GD_OK);
}

/* ---- events -------------------------------------------------------------------------------------- */

gd_code gd_fw_bernoulli_(gd_apply *a) {
    double p = arg_f64(a, 1);
    if (!(p >= 0 && p <= 1)) return gd_fail(a->ctx, GD_E_VALUE, "bernoulli_ expects p to be in [0, 1], but got p=%g", p);
    draw d = {.one = one_event, .x = p};
    return draw_all(a->ctx, arg_tensor(a, 0), &d);
}

/* Operand 0: the result, operand 1: the probabilities, of one dtype. Stops the check at the first bad one. */
typedef struct events {
    gd_generator *generator;
    bool is_double, bad;
} events;

static void event_run(char *const *data, const int64_t *st, int64_t n, const void *extra) {
    events *e = *(events *const *)extra;
    for (int64_t i = 0; i < n && !e->bad; i++) {
        gd_dtype dtype = e->is_double ? GD_FLOAT64 : GD_FLOAT32;
        double p = gd_load_f64(dtype, data[1] + i * st[1]);
        e->bad = !(p >= 0 && p <= 1);
        if (e->bad) return;
        double u = e->is_double ? gd_generator_double(e->generator) : (double)gd_generator_float(e->generator);
        gd_store_f64(dtype, data[0] + i * st[0], u < p);
    }
}

gd_code gd_fw_bernoulli(gd_apply *a) {
    gd_tensor *p = arg_tensor(a, 0);
    if (!gd_dtype_is_float((gd_dtype)p->dtype)) return gd_fail_kernel(a->ctx, "bernoulli_tensor_cpu_p_", (gd_dtype)p->dtype);
    gd_tensor *out = gd_empty_like(a->ctx, p, (gd_dtype)p->dtype);
    if (!out) return gd_failed(a->ctx);
    events state = {.generator = generator_of(a), .is_double = p->dtype == GD_FLOAT64}, *e = &state;
    gd_tensor *operands[] = {out, p};
    gd_iterate(operands, 2, event_run, &e);
    if (!e->bad) return give(a, out);
    gd_release(out);
    return gd_fail(a->ctx, GD_E_VALUE,
                   "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, "
                   "please report an enhancement request to PyTorch.)");
}
