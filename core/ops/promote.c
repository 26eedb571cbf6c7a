/* promote.c: which dtype an op computes in, as torch.result_type decides it. */
#include "core/ops/op.h"

#define NONE (-1) /* no operand of this priority was seen */

bool gd_can_cast(gd_dtype from, gd_dtype to) {
    if (gd_dtype_is_float(from) && !gd_dtype_is_float(to)) return false;
    return from == GD_BOOL || to != GD_BOOL;
}

static int promote(int a, int b) {
    if (a == NONE) return b;
    if (b == NONE) return a;
    return (int)gd_promote_dtypes((gd_dtype)a, (gd_dtype)b);
}

/* The lower priority counts only if its category (bool, integer, float) is higher. */
static int combine(int higher, int lower) {
    if (higher == NONE || lower == NONE) return promote(higher, lower);
    if (gd_dtype_is_float((gd_dtype)higher)) return higher;
    if (higher == GD_BOOL || gd_dtype_is_float((gd_dtype)lower)) return promote(higher, lower);
    return higher;
}

gd_dtype gd_result_type(gd_tensor *const *tensors, int n) {
    int with_dims = NONE, without_dims = NONE, numbers = NONE;
    for (int i = 0; i < n; i++) {
        const gd_tensor *t = tensors[i];
        if (!t) continue;
        int dtype = t->dtype;
        if (t->ndim > 0) {
            with_dims = promote(with_dims, dtype);
        } else if (t->flags & GD_F_WRAPPED_NUMBER) {
            /* A Python float says "some float": the default dtype. */
            numbers = promote(numbers, dtype == GD_FLOAT64 ? GD_FLOAT32 : dtype);
        } else {
            without_dims = promote(without_dims, dtype);
        }
    }
    int result = combine(with_dims, combine(without_dims, numbers));
    return result == NONE ? GD_FLOAT32 : (gd_dtype)result;
}
