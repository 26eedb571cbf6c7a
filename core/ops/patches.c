/* patches.c: nn.functional.unfold and fold: the patches of images as columns, and back. Rules in padding_rules.c. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"

#define TEXT 512

typedef struct patches {
    int64_t n, channels, height, width; /* of the images */
    int64_t kh, kw, dh, dw, ph, pw, sh, sw, rows, columns;
} patches;

static gd_code positive(gd_ctx *c, const int64_t *v, const char *name, int64_t least) {
    if (v[0] >= least && v[1] >= least && v[0] < 1 << 30 && v[1] < 1 << 30) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME, "%s should be %s zero, but got: %s_height: %lld %s_width: %lld", name,
                   least ? "greater than" : "not less than", name, (long long)v[0], name, (long long)v[1]);
}

/* Reads kernel_size, dilation, padding, stride from argument `at` on; the images' sizes are there already. */
static gd_code read_patches(gd_apply *a, int at, patches *p) {
    gd_ctx *c = a->ctx;
    static const char *const names[] = {"kernel", "dilation", "padding", "stride"};
    for (int i = 0; i < 4; i++) {
        if (arg_count(a, at + i) != 2)
            return gd_fail(c, GD_E_RUNTIME, "It is expected %s_size equals to 2, but got size %d", names[i],
                           arg_count(a, at + i));
        gd_code code = positive(c, arg_ints(a, at + i), names[i], i != 2);
        if (code) return code;
    }
    p->kh = arg_ints(a, at)[0], p->kw = arg_ints(a, at)[1];
    p->dh = arg_ints(a, at + 1)[0], p->dw = arg_ints(a, at + 1)[1];
    p->ph = arg_ints(a, at + 2)[0], p->pw = arg_ints(a, at + 2)[1];
    p->sh = arg_ints(a, at + 3)[0], p->sw = arg_ints(a, at + 3)[1];
    int64_t high = p->height + 2 * p->ph - (p->dh * (p->kh - 1) + 1);
    int64_t wide = p->width + 2 * p->pw - (p->dw * (p->kw - 1) + 1);
    p->rows = high < 0 ? 0 : high / p->sh + 1;
    p->columns = wide < 0 ? 0 : wide / p->sw + 1;
    if (p->rows >= 1 && p->columns >= 1) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "Given input with spatial size (%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), "
                   "padding=(%lld, %lld), calculated shape of the array of sliding blocks as (%lld, %lld), but its "
                   "components must be at least one.",
                   (long long)p->height, (long long)p->width, (long long)p->kh, (long long)p->kw, (long long)p->dh,
                   (long long)p->dw, (long long)p->ph, (long long)p->pw, (long long)p->rows, (long long)p->columns);
}

#define WALK(type)                                                                                                     \
    static void walk_##type(const patches *p, type *image, type *columns, bool add) {                                  \
        for (int64_t n = 0; n < p->n * p->channels; n++, image += p->height * p->width)                                \
            for (int64_t k = 0; k < p->kh * p->kw; k++)                                                                \
                for (int64_t i = 0; i < p->rows; i++) {                                                                \
                    int64_t y = i * p->sh - p->ph + k / p->kw * p->dh, x = k % p->kw * p->dw - p->pw;                  \
                    bool inside = y >= 0 && y < p->height;                                                             \
                    for (int64_t j = 0; j < p->columns; j++, x += p->sw, columns++) {                                  \
                        bool here = inside && x >= 0 && x < p->width;                                                  \
                        if (!add)                                                                                      \
                            *columns = here ? image[y * p->width + x] : 0;                                             \
                        else if (here)                                                                                 \
                            image[y * p->width + x] += *columns;                                                       \
                    }                                                                                                  \
                }                                                                                                      \
    }
WALK(float)
WALK(double)

static void walk(const patches *p, gd_tensor *image, gd_tensor *columns, bool add) {
    if (image->dtype == GD_FLOAT32)
        walk_float(p, (float *)(void *)image->data, (float *)(void *)columns->data, add);
    else
        walk_double(p, (double *)(void *)image->data, (double *)(void *)columns->data, add);
}

static gd_code only_floats(gd_ctx *c, const gd_tensor *t, const char *what) {
    if (gd_dtype_is_float((gd_dtype)t->dtype)) return GD_OK;
    return gd_fail(c, GD_E_DTYPE, "\"%s\" not implemented for '%s'", what, gd_dtype_scalar_name((gd_dtype)t->dtype));
}

gd_code gd_fw__im2col(gd_apply *a) {
    char text[TEXT];
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    bool batch = t->ndim == 4;
    bool fits = t->ndim == 3 || batch;
    for (int d = batch; fits && d < t->ndim; d++) fits = t->sizes[d] != 0;
    if (!fits)
        return gd_fail(c, GD_E_SHAPE,
                       "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions "
                       "for input, but got: %s",
                       gd_shape_text(text, sizeof text, t->ndim, t->sizes));
    const int64_t *s = t->sizes + batch;
    patches p = {.n = batch ? t->sizes[0] : 1, .channels = s[0], .height = s[1], .width = s[2]};
    if (s[1] > 1 << 30 || s[2] > 1 << 30) return gd_fail(c, GD_E_TOO_LARGE, "im2col: the image is too large");
    gd_code code = read_patches(a, 1, &p);
    if (!code) code = only_floats(c, t, "im2col_out_cpu");
    if (code) return code;
    int64_t sizes[] = {p.n, 0, 0};
    if (!gd_mul_i64(p.kh * p.kw, p.channels, &sizes[1]) || !gd_mul_i64(p.rows, p.columns, &sizes[2]))
        return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    gd_tensor *image = gd_pool_add(c, gd_as_contiguous(c, t));
    gd_tensor *out = image ? gd_empty(c, (gd_dtype)t->dtype, batch ? 3 : 2, sizes + !batch) : NULL;
    if (out) walk(&p, image, out, false);
    return give(a, out);
}

gd_code gd_fw__col2im(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    bool batch = t->ndim == 3;
    if (arg_count(a, 1) != 2)
        return gd_fail(c, GD_E_RUNTIME, "It is expected output_size equals to 2, but got size %d", arg_count(a, 1));
    if (t->ndim != 2 && !batch)
        return gd_fail(c, GD_E_SHAPE,
                       "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
                       "dimensions for input, but got %d dimensions",
                       t->ndim);
    const int64_t *s = t->sizes + batch;
    gd_code code = positive(c, arg_ints(a, 1), "output", 1);
    patches p = {.n = batch ? t->sizes[0] : 1, .height = arg_ints(a, 1)[0], .width = arg_ints(a, 1)[1]};
    if (!code) code = read_patches(a, 2, &p);
    if (!code) code = only_floats(c, t, "col2im_out_cpu");
    if (code) return code;
    if (s[0] == 0 || s[0] % (p.kh * p.kw))
        return gd_fail(c, GD_E_RUNTIME,
                       "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
                       "input.size(1)=%lld and kernel_size=(%lld, %lld).",
                       (long long)s[0], (long long)p.kh, (long long)p.kw);
    if (s[1] != p.rows * p.columns)
        return gd_fail(
            c, GD_E_RUNTIME,
            "Given output_size=(%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), padding=(%lld, "
            "%lld), stride=(%lld, %lld), expected size of input's dimension 2 to match the calculated number "
            "of sliding blocks %lld * %lld = %lld, but got input.size(2)=%lld.",
            (long long)p.height, (long long)p.width, (long long)p.kh, (long long)p.kw, (long long)p.dh, (long long)p.dw,
            (long long)p.ph, (long long)p.pw, (long long)p.sh, (long long)p.sw, (long long)p.rows, (long long)p.columns,
            (long long)(p.rows * p.columns), (long long)s[1]);
    p.channels = s[0] / (p.kh * p.kw);
    const int64_t sizes[] = {p.n, p.channels, p.height, p.width};
    gd_tensor *columns = gd_pool_add(c, gd_as_contiguous(c, t));
    gd_tensor *out = columns ? gd_zeros(c, (gd_dtype)t->dtype, batch ? 4 : 3, sizes + !batch) : NULL;
    if (out) walk(&p, out, columns, true);
    return give(a, out);
}

gd_code gd_fw_im2col(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    return give_shared(a, GX(c, _im2col, a->args[0], a->args[1], a->args[2], a->args[3], a->args[4]));
}

gd_code gd_fw_col2im(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    return give_shared(a, GX(c, _col2im, a->args[0], a->args[1], a->args[2], a->args[3], a->args[4], a->args[5]));
}
