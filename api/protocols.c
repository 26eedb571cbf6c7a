/* protocols.c: see protocols.h. */
#include "api/protocols.h"
#include "api/metrics.h"
#include "core/tensor/tensor.h"

#include <math.h>

gd_evaluated gd_evaluate(gd_exchange *x, gd_function *f, gd_eval *e, gd_function_fault *fault) {
    *fault = (gd_function_fault){.code = GD_OK};
    if (x->brief && !gd_function_is_small(f, e)) {
        x->declined = true;
        return GD_EVALUATED_NOT;
    }
    e->stop = x->in->stop;
    bool ok = gd_function_eval(x->ctx, f, e, fault);
    gd_metrics_evaluation(gd_api_metrics(x->api), e->kind, ok);
    if (ok) return GD_EVALUATED;
    if (!x->in->stop || !atomic_load(x->in->stop)) return GD_EVALUATED_FAILED;
    gd_refuse_stopped(x);
    return GD_EVALUATED_NOT;
}

gd_tensor *gd_abstract_tensor(gd_exchange *x, gd_dtype dtype, int ndim, const int64_t *sizes) {
    static const int64_t strides[GD_MAX_DIMS];
    gd_tensor *one = gd_zeros(x->ctx, dtype, 0, NULL), *t = NULL;
    int64_t numel;
    if (one && gd_checked_numel(x->ctx, dtype, ndim, sizes, &numel) == GD_OK)
        t = gd_alias(x->ctx, one, ndim, sizes, strides, 0);
    gd_release(one);
    if (!t) gd_refuse_engine(x);
    return t;
}

int64_t gd_shape_numel(int ndim, const int64_t *sizes) {
    int64_t bound = 1; /* of the strides too: an empty dimension counts as one */
    bool empty = false;
    for (int i = 0; i < ndim; i++) {
        if (sizes[i] < 0 || !gd_mul_i64(bound, sizes[i] ? sizes[i] : 1, &bound)) return -1;
        empty |= sizes[i] == 0;
    }
    return empty ? 0 : bound;
}

static bool whole(const json_t *j, gd_value *v) {
    double r = json_real_value(j); /* 3.0, which some languages make of 3 */
    if (json_is_integer(j))
        *v = GD_INT_VALUE((int64_t)json_integer_value(j));
    else if (json_is_real(j) && r == trunc(r) && fabs(r) < 0x1p53)
        *v = GD_INT_VALUE((int64_t)r);
    else
        return false;
    return true;
}

bool gd_static_of(const json_t *j, gd_input_kind kind, gd_value *v) {
    switch (kind) {
    case GD_INPUT_INT: return whole(j, v);
    case GD_INPUT_FLOAT: *v = GD_FLOAT_VALUE(json_number_value(j)); return json_is_number(j);
    case GD_INPUT_BOOL: *v = GD_BOOL_VALUE(json_is_true(j)); return json_is_boolean(j);
    case GD_INPUT_STR: *v = GD_STR_VALUE(json_string_value(j)); return json_is_string(j);
    case GD_INPUT_TENSOR: break;
    }
    return false;
}
