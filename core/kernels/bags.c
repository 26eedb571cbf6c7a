/* bags.c: the loops of embedding_bag and segment_reduce (bags.h). */
#include "core/kernels/bags.h"

#include <math.h>

enum { SPAN = 16 };

#define T float
#define NAME(x) x##_float
#include "core/kernels/bags_body.h"
#undef T
#undef NAME
#define T double
#define NAME(x) x##_double
#include "core/kernels/bags_body.h"

void gd_bags_read(gd_dtype dtype, const gd_bags *b, const void *weight, const void *each, void *out, int64_t *size,
                  int64_t *most) {
    if (dtype == GD_FLOAT32)
        read_float(b, weight, each, out, size, most);
    else
        read_double(b, weight, each, out, size, most);
}

void gd_bags_slope(gd_dtype dtype, const gd_bags *b, const void *grad, const void *each, const int64_t *size,
                   const int64_t *most, const int64_t *counts, void *out) {
    if (dtype == GD_FLOAT32)
        slope_float(b, grad, each, size, most, counts, out);
    else
        slope_double(b, grad, each, size, most, counts, out);
}

void gd_bags_slope_each(gd_dtype dtype, const gd_bags *b, const void *grad, const void *weight, void *out) {
    if (dtype == GD_FLOAT32)
        slope_each_float(b, grad, weight, out);
    else
        slope_each_double(b, grad, weight, out);
}

void gd_segments_read(gd_dtype dtype, const gd_segments *s, const void *data, void *out) {
    if (dtype == GD_FLOAT32)
        segments_float(s, data, out);
    else
        segments_double(s, data, out);
}

void gd_segments_slope(gd_dtype dtype, const gd_segments *s, const void *data, const void *out, const void *grad,
                       void *data_grad) {
    if (dtype == GD_FLOAT32)
        segments_slope_float(s, data, out, grad, data_grad);
    else
        segments_slope_double(s, data, out, grad, data_grad);
}
