/* conv.c: windows as columns of a matrix, their sums, and the products over
 * them (conv.h). */
#include "core/kernels/conv.h"

#include <string.h>

#include "core/kernels/gemm.h"

static int64_t taps_of(const gd_conv *v) { return v->kernel[0] * v->kernel[1] * v->kernel[2]; }
static int64_t points_of(const int64_t *size) { return size[0] * size[1] * size[2]; }

/* Are the columns of the windows the image itself? */
static bool is_plain(const gd_conv *v) {
    for (int d = 0; d < 3; d++)
        if (v->kernel[d] != 1 || v->stride[d] != 1 || v->padding[d] != 0 || v->in[d] != v->out[d]) return false;
    return true;
}

bool gd_conv_scratch(const gd_conv *v, int64_t *elements) {
    int64_t n = is_plain(v) ? 0 : v->in_channels;
    for (int d = 0; d < 3; d++)
        if (!gd_mul_i64(n, v->kernel[d], &n) || !gd_mul_i64(n, v->out[d], &n)) return false;
    *elements = n;
    return true;
}

/* Output positions [*from, *to) of the last dimension whose tap `k` lies inside
 * the input. */
static void inside(const gd_conv *v, int64_t k, int64_t *from, int64_t *to) {
    int64_t shift = v->padding[2] - k * v->dilation[2], s = v->stride[2], last = v->in[2] - 1 + shift;
    *from = shift > 0 ? (shift + s - 1) / s : 0;
    *to = last < 0 ? 0 : last / s + 1;
    if (*to > v->out[2]) *to = v->out[2];
    if (*from > *to) *from = *to;
}

/* line_out: one line of columns from a line of x; line_in: back, added to it.
 * plane: one channel and tap. columns: all. */
#define COLUMN_LOOPS(T)                                                                                                \
    static void line_out_##T(const gd_conv *v, int64_t k, const T *x, T *to) {                                         \
        int64_t from, end, s = v->stride[2], shift = k * v->dilation[2] - v->padding[2];                               \
        inside(v, k, &from, &end);                                                                                     \
        for (int64_t i = 0; i < from; i++) to[i] = 0;                                                                  \
        if (s == 1 && end > from) memcpy(to + from, x + from + shift, (size_t)(end - from) * sizeof(T));               \
        for (int64_t i = from; s != 1 && i < end; i++) to[i] = x[i * s + shift];                                       \
        for (int64_t i = end; i < v->out[2]; i++) to[i] = 0;                                                           \
    }                                                                                                                  \
    static void line_in_##T(const gd_conv *v, int64_t k, T *x, const T *from) {                                        \
        int64_t start, end, s = v->stride[2], shift = k * v->dilation[2] - v->padding[2];                              \
        inside(v, k, &start, &end);                                                                                    \
        for (int64_t i = start; i < end; i++) x[i * s + shift] = (T)(x[i * s + shift] + from[i]);                      \
    }                                                                                                                  \
    static void plane_##T(const gd_conv *v, const int64_t *k, T *x, T *columns, bool back) {                           \
        for (int64_t i = 0; i < v->out[0]; i++)                                                                        \
            for (int64_t j = 0; j < v->out[1]; j++, columns += v->out[2]) {                                            \
                int64_t z = i * v->stride[0] - v->padding[0] + k[0] * v->dilation[0];                                  \
                int64_t y = j * v->stride[1] - v->padding[1] + k[1] * v->dilation[1];                                  \
                bool in = z >= 0 && z < v->in[0] && y >= 0 && y < v->in[1];                                            \
                if (in && back)                                                                                        \
                    line_in_##T(v, k[2], x + (z * v->in[1] + y) * v->in[2], columns);                                  \
                else if (in)                                                                                           \
                    line_out_##T(v, k[2], x + (z * v->in[1] + y) * v->in[2], columns);                                 \
                else if (!back)                                                                                        \
                    memset(columns, 0, (size_t)v->out[2] * sizeof(T));                                                 \
            }                                                                                                          \
    }                                                                                                                  \
    static void columns_##T(const gd_conv *v, T *x, T *columns, bool back) {                                           \
        const int64_t points = points_of(v->out), plane = points_of(v->in);                                            \
        int64_t k[3];                                                                                                  \
        for (int64_t c = 0; c < v->in_channels; c++, x += plane)                                                       \
            for (k[0] = 0; k[0] < v->kernel[0]; k[0]++)                                                                \
                for (k[1] = 0; k[1] < v->kernel[1]; k[1]++)                                                            \
                    for (k[2] = 0; k[2] < v->kernel[2]; k[2]++, columns += points) plane_##T(v, k, x, columns, back);  \
    }
COLUMN_LOOPS(float)
COLUMN_LOOPS(double)
COLUMN_LOOPS(int64_t)

static void columns(const gd_conv *v, void *x, void *to, bool back) {
    switch (v->dtype) {
    case GD_FLOAT32: columns_float(v, x, to, back); break;
    case GD_FLOAT64: columns_double(v, x, to, back); break;
    default: columns_int64_t(v, x, to, back); break;
    }
}

/* Where image b and group g of a tensor with `channels` a group of `points`
 * elements begin. */
static size_t at(const gd_conv *v, int64_t b, int64_t g, int64_t channels, int64_t points) {
    return (size_t)((b * v->groups + g) * channels * points) * gd_dtype_bytes(v->dtype);
}

static const void *part(const gd_conv *v, const void *p, int64_t b, int64_t g, int64_t channels, int64_t points) {
    return (const char *)p + at(v, b, g, channels, points);
}

void gd_conv_forward(const gd_conv *v, const void *x, const void *w, void *y, void *scratch) {
    const int64_t depth = v->in_channels * taps_of(v), points = points_of(v->out);
    for (int64_t b = 0; b < v->batch; b++)
        for (int64_t g = 0; g < v->groups; g++) {
            char *from = (char *)x + at(v, b, g, v->in_channels, points_of(v->in));
            if (!is_plain(v)) columns(v, from, scratch, false);
            gd_gemm(v->dtype, v->out_channels, points, depth, 1,
                    (gd_matrix){part(v, w, 0, g, v->out_channels, depth), depth, 1},
                    (gd_matrix){is_plain(v) ? from : scratch, points, 1}, 0,
                    (char *)y + at(v, b, g, v->out_channels, points), points);
        }
}

void gd_conv_input(const gd_conv *v, const void *y, const void *w, void *x, void *scratch) {
    const int64_t depth = v->in_channels * taps_of(v), points = points_of(v->out);
    const size_t bytes = (size_t)(v->in_channels * points_of(v->in)) * gd_dtype_bytes(v->dtype);
    for (int64_t b = 0; b < v->batch; b++)
        for (int64_t g = 0; g < v->groups; g++) {
            char *to = (char *)x + at(v, b, g, v->in_channels, points_of(v->in));
            gd_gemm(v->dtype, depth, points, v->out_channels, 1,
                    (gd_matrix){part(v, w, 0, g, v->out_channels, depth), 1, depth},
                    (gd_matrix){part(v, y, b, g, v->out_channels, points), points, 1}, 0, is_plain(v) ? to : scratch,
                    points);
            if (is_plain(v)) continue;
            memset(to, 0, bytes);
            columns(v, to, scratch, true);
        }
}

void gd_conv_weight(const gd_conv *v, const void *x, const void *y, void *w, void *scratch) {
    const int64_t depth = v->in_channels * taps_of(v), points = points_of(v->out);
    memset(w, 0, (size_t)(v->groups * v->out_channels * depth) * gd_dtype_bytes(v->dtype));
    for (int64_t b = 0; b < v->batch; b++)
        for (int64_t g = 0; g < v->groups; g++) {
            char *from = (char *)x + at(v, b, g, v->in_channels, points_of(v->in));
            if (!is_plain(v)) columns(v, from, scratch, false);
            gd_gemm(v->dtype, v->out_channels, depth, points, 1,
                    (gd_matrix){part(v, y, b, g, v->out_channels, points), points, 1},
                    (gd_matrix){is_plain(v) ? from : scratch, 1, points}, 1,
                    (char *)w + at(v, 0, g, v->out_channels, depth), depth);
        }
}
