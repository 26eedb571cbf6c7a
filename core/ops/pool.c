/* pool.c: greatest elements of windows. The rows that clients call read and
 * check their arguments; hidden rows compute and record. Derivatives are in
 * pool_rules.c, loops in core/kernels/pool.c. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/kernels/pool.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/spatial.h"

#define TEXT 256

/* ---- windows
 * ----------------------------------------------------------------------------------------------------
 */

/* Starts and ends of the windows of three dimensions, in one block of memory.
 */
typedef struct edges {
    gd_tensor *memory;
    gd_windows w[GD_SPATIAL];
    int64_t *start[GD_SPATIAL], *end[GD_SPATIAL];
} edges;

/* For n dimensions of the given sizes; those before have one window of one
 * element. */
static gd_code edges_new(gd_ctx *c, int n, const int64_t *in, const int64_t *out, edges *e) {
    int64_t total = 0, at = 0;
    for (int d = 0; d < GD_SPATIAL; d++) {
        int k = d - (GD_SPATIAL - n);
        e->w[d] = (gd_windows){.in = k < 0 ? 1 : in[k], .out = k < 0 ? 1 : out[k], .step = 1};
        if (!gd_add_i64(total, e->w[d].out, &total)) return gd_fail(c, GD_E_TOO_LARGE, "too many windows");
    }
    e->memory = gd_empty(c, GD_INT64, 2, (const int64_t[]){2, total});
    if (!e->memory) return gd_failed(c);
    for (int d = 0; d < GD_SPATIAL; d++) {
        e->w[d].start = e->start[d] = (int64_t *)(void *)e->memory->data + at;
        e->w[d].end = e->end[d] = e->start[d] + total;
        at += e->w[d].out;
    }
    if (n < 3) e->start[0][0] = 0, e->end[0][0] = 1;
    return GD_OK;
}

/* Makes both outputs; *x is the contiguous input, to be released. */
static gd_code outputs_new(gd_apply *a, int n, const int64_t *out, gd_tensor **x) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS];
    int ndim = gd_spatial_sizes(self, n, out, sizes);
    gd_code code = gd_apply_reserve(a, 2);
    if (code) return code;
    a->out[0] = gd_empty(c, (gd_dtype)self->dtype, ndim, sizes);
    a->out[1] = a->out[0] ? gd_empty(c, GD_INT64, ndim, sizes) : NULL;
    *x = a->out[1] ? gd_as_contiguous(c, self) : NULL;
    return *x ? GD_OK : gd_failed(c);
}

/* Fills both outputs from windows that are the same for every plane. Takes the
 * edges' memory. */
static gd_code pick(gd_apply *a, int n, const int64_t *out, edges *e) {
    gd_tensor *x = NULL;
    int64_t planes = 1;
    gd_code code = outputs_new(a, n, out, &x);
    for (int d = 0; !code && d < x->ndim - n; d++) planes *= x->sizes[d];
    if (!code && a->out[0]->numel)
        gd_max_windows((gd_dtype)x->dtype, planes, e->w, x->data, a->out[0]->data, (int64_t *)(void *)a->out[1]->data);
    gd_release(x);
    gd_release(e->memory);
    return code;
}

gd_code gd_fw__max_pool(gd_apply *a) {
    gd_ctx *c = a->ctx;
    int n = a->op->param, lead = GD_SPATIAL - n;
    gd_window w;
    edges e;
    gd_code code = gd_window_read(c, "max_pool", n, &a->args[1], &a->args[2], &a->args[3], &a->args[4], &w);
    if (!code) code = gd_window_shape(c, &w, arg_tensor(a, 0), a->args[5].u.boolean);
    if (!code) code = edges_new(c, n, w.in, w.out, &e);
    if (code) return code;
    for (int d = 0; d < n; d++) {
        e.w[lead + d].step = w.dilation[d];
        for (int64_t i = 0; i < w.out[d]; i++) {
            int64_t start = i * w.stride[d] - w.padding[d], end = start + (w.kernel[d] - 1) * w.dilation[d] + 1;
            if (start < 0) start += (-start + w.dilation[d] - 1) / w.dilation[d] * w.dilation[d];
            e.start[lead + d][i] = start < w.in[d] ? start : w.in[d] - 1;
            e.end[lead + d][i] = end < w.in[d] ? end : w.in[d];
        }
    }
    return pick(a, n, w.out, &e);
}

gd_code gd_fw__adaptive_max_pool(gd_apply *a) {
    int n = a->op->param, lead = GD_SPATIAL - n;
    const gd_tensor *x = arg_tensor(a, 0);
    const int64_t *in = x->sizes + x->ndim - n, *out = arg_ints(a, 1);
    edges e;
    gd_code code = edges_new(a->ctx, n, in, out, &e);
    if (code) return code;
    for (int d = 0; d < n; d++)
        for (int64_t i = 0; i < out[d]; i++) {
            e.start[lead + d][i] = (int64_t)((__int128)i * in[d] / out[d]);
            e.end[lead + d][i] = (int64_t)(((__int128)(i + 1) * in[d] + out[d] - 1) / out[d]);
        }
    return pick(a, n, out, &e);
}

/* ---- what clients call
 * ------------------------------------------------------------------------------------------
 */

/* Answers the values or, if asked, values and indices of a row with two
 * outputs. Lines are images of one row. */
static gd_code answer(gd_apply *a, gd_op_id row, const gd_value *args, int nargs, bool line, bool both) {
    gd_ctx *c = a->ctx;
    gd_result r = {0};
    if (c->error.code != GD_OK) return c->error.code;
    gd_code code = gd_do_all(c, row, args, nargs, &r);
    if (!code) code = gd_apply_reserve(a, both ? 2 : 1);
    for (int i = 0; !code && i < (both ? 2 : 1); i++) {
        a->out[i] = line ? DO(c, squeeze_dim, T_(r.outputs[i]), I_(-2)) : gd_retain(r.outputs[i]);
        if (!a->out[i]) code = gd_failed(c);
    }
    gd_result_clear(&r);
    return code;
}

gd_code gd_fw_max_pool(gd_apply *a) {
    static const char *const names[] = {"", "max_pool1d", "max_pool2d", "max_pool3d"};
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    int n = a->op->param, m = n == 1 ? 2 : n;
    gd_window w;
    gd_code code = gd_window_read(c, names[n], n, &a->args[1], &a->args[2], &a->args[3], &a->args[4], &w);
    if (!code) code = gd_check_image(c, names[n], n, x);
    if (!code) code = gd_check_floats(c, names[n], x);
    if (!code) code = gd_window_shape(c, &w, x, a->args[5].u.boolean);
    if (code) return code;
    if (n == 1) {
        w.kernel[1] = w.kernel[0], w.stride[1] = w.stride[0], w.padding[1] = w.padding[0],
        w.dilation[1] = w.dilation[0];
        w.kernel[0] = w.stride[0] = w.dilation[0] = 1, w.padding[0] = 0;
        x = GX(c, unsqueeze, T_(x), I_(-2));
    }
    const gd_value args[] = {T_(x),     IS_(w.kernel, m), IS_(w.stride, m), IS_(w.padding, m), IS_(w.dilation, m),
                             a->args[5]};
    if (!x) return gd_failed(c);
    return answer(a, m == 3 ? GD_OP__max_pool3d : GD_OP__max_pool2d, args, 6, n == 1, a->args[6].u.boolean);
}

static gd_code check_adaptive(gd_ctx *c, const char *op, int n, const gd_tensor *x) {
    char text[TEXT];
    if (x->ndim != n + 1 && x->ndim != n + 2)
        return gd_fail(c, GD_E_SHAPE, "%s(): Expected %dD or %dD tensor, but got: %s", op, n + 1, n + 2,
                       gd_shape_text(text, sizeof text, x->ndim, x->sizes));
    for (int d = x->ndim - n; d < x->ndim; d++)
        if (x->sizes[d] == 0)
            return gd_fail(c, GD_E_SHAPE,
                           "%s(): Expected input to have non-zero size for non-batch "
                           "dimensions, but input has sizes "
                           "%s with dimension %d being empty",
                           op, gd_shape_text(text, sizeof text, x->ndim, x->sizes), d);
    return gd_check_floats(c, op, x);
}

gd_code gd_fw_adaptive_max_pool(gd_apply *a) {
    static const char *const names[] = {"", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"};
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    int n = a->op->param, lead = n == 1 ? 1 : 0;
    int64_t size[1 + GD_SPATIAL] = {1};
    gd_code code = check_adaptive(c, names[n], n, x);
    if (code) return code;
    if (!gd_spread_ints(&a->args[1], n, size + lead))
        return gd_fail(c, GD_E_SHAPE, "%s(): internal error: output_size.size() must be %d", names[n], n);
    for (int d = 0; d < n; d++) {
        int64_t *s = &size[lead + d];
        if (*s == INT64_MIN) *s = x->sizes[x->ndim - n + d];
        if (*s < 0)
            return gd_fail(c, GD_E_SHAPE, "Trying to create tensor with negative dimension %lld", (long long)*s);
    }
    if (lead) x = GX(c, unsqueeze, T_(x), I_(-2));
    if (!x) return gd_failed(c);
    const gd_value args[] = {T_(x), IS_(size, n + lead)};
    return answer(a, n == 3 ? GD_OP__adaptive_max_pool3d : GD_OP__adaptive_max_pool2d, args, 2, lead,
                  a->args[2].u.boolean);
}
