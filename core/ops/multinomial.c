/* multinomial.c: the row that draws places by their probabilities. Draws come in PyTorch's order. */
#include <math.h>

#include "core/kernels/kernels.h"
#include "core/kernels/rng.h"
#include "core/ops/compose.h"
#include "core/ops/create.h"
#include "core/ops/families.h"

static gd_code check_multinomial(gd_ctx *c, const gd_tensor *t, int64_t n, bool replacement) {
    if (!gd_dtype_is_float((gd_dtype)t->dtype))
        return gd_fail(c, GD_E_DTYPE, "multinomial only supports floating-point dtypes for input, got: %s",
                       gd_dtype_scalar_name((gd_dtype)t->dtype));
    if (t->ndim < 1 || t->ndim > 2) return gd_fail(c, GD_E_SHAPE, "prob_dist must be 1 or 2 dim");
    if (n <= 0) return gd_fail(c, GD_E_RUNTIME, "cannot sample n_sample <= 0 samples");
    int64_t places = t->sizes[t->ndim - 1];
    if (!replacement && n > places)
        return gd_fail(c, GD_E_RUNTIME, "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
    if (places > INT64_C(1) << 24) return gd_fail(c, GD_E_RUNTIME, "number of categories cannot exceed 2^24");
    return GD_OK;
}

static double at(const gd_tensor *t, int64_t i) {
    return gd_load_f64((gd_dtype)t->dtype, t->data + i * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype));
}
static void put(gd_tensor *t, int64_t i, double v) {
    gd_store_f64((gd_dtype)t->dtype, t->data + i * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype), v);
}

static gd_code no_chances(gd_ctx *c) {
    return gd_fail(c, GD_E_RUNTIME, "invalid multinomial distribution (sum of probabilities <= 0)");
}

/* ---- each place at most once ----------------------------------------------------------------------------------- */

static gd_code check_chances(gd_ctx *c, const gd_tensor *p, int64_t places) {
    bool empty = p->ndim == 1 ? places == 0 : places == 0 && p->sizes[0] > 0;
    for (int64_t i = 0; i < p->numel; i++)
        if (!(at(p, i) >= 0 && at(p, i) < INFINITY))
            return gd_fail(c, GD_E_RUNTIME, "probability tensor contains either `inf`, `nan` or element < 0");
    for (int64_t i = 0; i < p->numel; i += places) {
        bool some = false;
        for (int64_t j = 0; j < places && !some; j++) some = at(p, i + j) > 0;
        empty |= !some;
    }
    return empty ? no_chances(c) : GD_OK;
}

typedef struct source {
    gd_generator *generator;
    gd_dtype dtype;
} source;

static void exponential_loop(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const source *s = extra;
    for (int64_t i = 0; i < n; i++)
        gd_store_f64(s->dtype, data[0] + i * strides[0], -log(1 - gd_generator_double(s->generator)));
}

/* The places with the greatest p / e, where e is exponential: a race that each place wins with its probability. */
static gd_tensor *race(gd_ctx *c, gd_tensor *p, int64_t n) {
    const source s = {&c->generator, (gd_dtype)p->dtype};
    gd_tensor *e = gd_pool_add(c, gd_empty_layout(c, p, s.dtype)), *winners = NULL;
    if (!e) return NULL;
    gd_iterate_any_order(&e, 1, exponential_loop, &s);
    gd_tensor *q = GX(c, div, T_(p), T_(e));
    if (!q || n == 1) return GX(c, argmax, T_(q), I_(-1), B_(true));
    gd_result r = {0};
    const gd_value args[] = {T_(q), I_(n)};
    if (!gd_do_all(c, GD_OP_topk, args, 2, &r)) winners = gd_pool_add(c, gd_retain(r.outputs[1]));
    gd_result_clear(&r);
    return winners;
}

/* ---- with replacement -------------------------------------------------------------------------------------------- */

/* The sums of the first 1, 2, … of the row's probabilities, relative to all, in the type's own arithmetic. */
static gd_code sum_up(gd_ctx *c, const gd_tensor *p, int64_t first, gd_tensor *sums) {
    double sum = 0;
    for (int64_t j = 0; j < sums->numel; j++) {
        double v = at(p, first + j);
        if (!(v >= 0))
            return gd_fail(c, GD_E_RUNTIME, "invalid multinomial distribution (encountering probability entry < 0)");
        if (!isfinite(v))
            return gd_fail(c, GD_E_RUNTIME,
                           "invalid multinomial distribution (encountering probability entry = infinity or NaN)");
        put(sums, j, sum + v);
        sum = at(sums, j);
    }
    if (!(sum > 0)) return no_chances(c);
    for (int64_t j = 0; j < sums->numel; j++) put(sums, j, at(sums, j) / sum);
    put(sums, sums->numel - 1, 1);
    return GD_OK;
}

static int64_t draw_place(gd_ctx *c, const gd_tensor *sums) {
    double u = gd_generator_double(&c->generator);
    int64_t low = 0, high = sums->numel;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (at(sums, middle) < u)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static gd_tensor *draw_with_replacement(gd_ctx *c, gd_tensor *p, int64_t n) {
    int64_t places = p->sizes[p->ndim - 1], sizes[] = {p->sizes[0], n}, numel;
    if (gd_checked_numel(c, GD_INT64, p->ndim, p->ndim == 1 ? &n : sizes, &numel)) return NULL;
    gd_tensor *flat = gd_pool_add(c, gd_as_contiguous(c, p)), *out = NULL;
    gd_tensor *sums = flat ? gd_pool_add(c, gd_empty(c, (gd_dtype)p->dtype, 1, &places)) : NULL;
    if (sums) out = gd_pool_add(c, gd_empty(c, GD_INT64, p->ndim, p->ndim == 1 ? &n : sizes));
    for (int64_t i = 0; out && i < numel / n; i++) {
        if (places == 0 ? no_chances(c) : sum_up(c, flat, i * places, sums)) return NULL;
        for (int64_t k = 0; k < n; k++) ((int64_t *)(void *)out->data)[i * n + k] = draw_place(c, sums);
    }
    return out;
}

gd_code gd_fw_multinomial(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *p = arg_tensor(a, 0);
    int64_t n = arg_int(a, 1);
    bool replacement = a->args[2].u.boolean;
    gd_code code = check_multinomial(c, p, n, replacement);
    if (code) return code;
    if (replacement) return give_shared(a, draw_with_replacement(c, p, n));
    gd_tensor *flat = gd_pool_add(c, gd_as_contiguous(c, p));
    code = flat ? check_chances(c, flat, p->sizes[p->ndim - 1]) : gd_failed(c);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *places = race(c, p, n);
    c->mode = mode;
    return give_shared(a, places);
}
