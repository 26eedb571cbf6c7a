/* compare.c: forward functions of the comparison rows that are not one kernel: equal, isclose, allclose. */
#include "core/ops/families.h"
#include "core/ops/pointwise_run.h"

/* Looks through bools for a false one; extra points to the bool that becomes false. */
static void find_false(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    bool *all = *(bool *const *)extra;
    const char *p = data[0];
    for (int64_t i = 0; i < n && *all; i++, p += strides[0])
        if (!*(const uint8_t *)p) *all = false;
}

static bool all_true(gd_tensor *t) {
    bool all = true;
    bool *where = &all;
    gd_iterate_in_order(&t, 1, find_false, &where);
    return all;
}

/* Runs r, whose result is bool, and answers whether all of it is true. */
static gd_code answer_all(gd_apply *a, gd_run *r) {
    gd_code code = gd_run_pointwise(r);
    if (code) return code;
    bool all = all_true(a->out[0]);
    gd_release(a->out[0]);
    a->out[0] = NULL;
    a->nout = 0;
    a->has_value = true;
    a->value = GD_BOOL_VALUE(all);
    return GD_OK;
}

static gd_code answer(gd_apply *a, bool value) {
    a->nout = 0;
    a->has_value = true;
    a->value = GD_BOOL_VALUE(value);
    return GD_OK;
}

gd_code gd_fw_equal(gd_apply *a) {
    gd_tensor *x = a->args[0].u.tensor, *y = a->args[1].u.tensor;
    if (!gd_same_shape(x, y)) return answer(a, false);
    gd_run r = {.a = a, .kernel = GD_K_EQ, .nin = 2, .in = {x, y}, .result = GD_BOOL};
    r.compute = gd_result_type(r.in, 2);
    return answer_all(a, &r);
}

/* Bounds in the compute dtype; integers are compared as float64. */
typedef struct tolerance {
    _Alignas(8) char extra[24];
} tolerance;

static gd_code close_run(gd_apply *a, gd_run *r, tolerance *t) {
    gd_ctx *ctx = a->ctx;
    *r = (gd_run){
        .a = a, .kernel = GD_K_CLOSE, .nin = 2, .in = {a->args[0].u.tensor, a->args[1].u.tensor}, .result = GD_BOOL};
    if (r->in[0]->dtype != r->in[1]->dtype && !((r->in[0]->flags | r->in[1]->flags) & GD_F_WRAPPED_NUMBER))
        return gd_fail(ctx, GD_E_DTYPE, "%s did not match %s", gd_dtype_scalar_name((gd_dtype)r->in[0]->dtype),
                       gd_dtype_scalar_name((gd_dtype)r->in[1]->dtype));
    double rtol = gd_value_f64(&a->args[2]), atol = gd_value_f64(&a->args[3]);
    if (!(rtol >= 0)) return gd_fail(ctx, GD_E_VALUE, "rtol must be greater than or equal to zero, but got %g", rtol);
    if (!(atol >= 0)) return gd_fail(ctx, GD_E_VALUE, "atol must be greater than or equal to zero, but got %g", atol);
    r->compute = gd_result_type(r->in, 2);
    if (!gd_dtype_is_float(r->compute)) r->compute = GD_FLOAT64;
    size_t size = gd_dtype_bytes(r->compute);
    gd_convert_value(r->compute, &GD_FLOAT_VALUE(atol), t->extra);
    gd_convert_value(r->compute, &GD_FLOAT_VALUE(rtol), t->extra + size);
    gd_convert_value(r->compute, &GD_FLOAT_VALUE(a->args[4].u.boolean), t->extra + 2 * size);
    r->extra = t->extra;
    r->extra_bytes = 3 * size;
    return GD_OK;
}

gd_code gd_fw_isclose(gd_apply *a) {
    gd_run r;
    tolerance t;
    gd_code code = close_run(a, &r, &t);
    return code ? code : gd_run_pointwise(&r);
}

gd_code gd_fw_allclose(gd_apply *a) {
    gd_run r;
    tolerance t;
    gd_code code = close_run(a, &r, &t);
    return code ? code : answer_all(a, &r);
}
