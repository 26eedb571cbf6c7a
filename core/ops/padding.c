/* padding.c: padding by a constant, by mirroring, by the edge and around; pixel shuffles; patches. A padded place is a
 * place of the input in each dimension: one table a dimension says which. Rules are in padding_rules.c. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"

#define TEXT 512

enum { REFLECT, REPLICATE };

/* ---- constant ---------------------------------------------------------------------------------------------- */

static gd_code constant_check(gd_ctx *c, const gd_tensor *t, const int64_t *pad, int n) {
    if (n % 2) return gd_fail(c, GD_E_RUNTIME, "Length of pad must be even but instead it equals %d", n);
    if (n / 2 > t->ndim)
        return gd_fail(
            c, GD_E_RUNTIME,
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            "%d while the input has %d dimensions.",
            n, t->ndim);
    for (int i = 0; i < n / 2; i++) {
        int d = t->ndim - 1 - i;
        int64_t size;
        bool fits = gd_add_i64(t->sizes[d], pad[2 * i], &size) && gd_add_i64(size, pad[2 * i + 1], &size);
        if (!fits) return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
        if (size < 0)
            return gd_fail(
                c, GD_E_RUNTIME,
                "The input size %lld, plus negative padding %lld and %lld, resulted in a negative output size, "
                "which is invalid. Check dimension %d of your input.",
                (long long)t->sizes[d], (long long)pad[2 * i], (long long)pad[2 * i + 1], d);
    }
    return GD_OK;
}

/* The part of self that stays, and where it lies in out. */
static void overlap(const gd_tensor *t, const int64_t *pad, int n, int64_t *sizes, int64_t *from, int64_t *to) {
    for (int d = 0; d < t->ndim; d++) {
        int i = t->ndim - 1 - d;
        int64_t before = i < n / 2 ? pad[2 * i] : 0, after = i < n / 2 ? pad[2 * i + 1] : 0;
        from[d] = before < 0 ? -before : 0;
        to[d] = before > 0 ? before : 0;
        sizes[d] = t->sizes[d] + (before < 0 ? before : 0) + (after < 0 ? after : 0);
        if (sizes[d] < 0) sizes[d] = 0;
    }
}

static gd_tensor *window(gd_ctx *c, gd_tensor *t, const int64_t *sizes, const int64_t *start) {
    int64_t offset = gd_offset(t);
    for (int d = 0; d < t->ndim; d++) {
        if (sizes[d] == 0) return gd_alias(c, t, t->ndim, sizes, GD_STRIDES(t), gd_offset(t));
        offset += start[d] * GD_STRIDES(t)[d];
    }
    return gd_alias(c, t, t->ndim, sizes, GD_STRIDES(t), offset);
}

gd_code gd_fw_constant_pad_nd(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    const int64_t *pad = arg_ints(a, 1);
    int n = arg_count(a, 1);
    int64_t sizes[GD_MAX_DIMS], part[GD_MAX_DIMS], from[GD_MAX_DIMS], to[GD_MAX_DIMS];
    gd_code code = constant_check(c, t, pad, n);
    if (code) return code;
    overlap(t, pad, n, part, from, to);
    for (int d = 0; d < t->ndim; d++) {
        int i = t->ndim - 1 - d;
        sizes[d] = t->sizes[d] + (i < n / 2 ? pad[2 * i] + pad[2 * i + 1] : 0);
    }
    gd_tensor *out = gd_empty(c, (gd_dtype)t->dtype, t->ndim, sizes);
    if (!out) return gd_failed(c);
    gd_fill_value(out, &a->args[2]);
    gd_tensor *target = gd_pool_add(c, window(c, out, part, to)), *source = gd_pool_add(c, window(c, t, part, from));
    if (!target || !source) return give(a, then_release(NULL, out));
    gd_copy_values(target, source);
    return give(a, out);
}

/* ---- mirrored, or with the edge ---------------------------------------------------------------------------- */

static int64_t source_of(int64_t i, int64_t before, int64_t size, int mode) {
    int64_t at = i - before;
    if (mode == REPLICATE) return at < 0 ? 0 : at >= size ? size - 1 : at;
    if (at < 0) at = -at;
    return at >= size ? 2 * (size - 1) - at : at;
}

typedef struct edges {
    int ndim, padded;
    int64_t out[GD_MAX_DIMS];
    const int64_t *in, *pad;
    int mode;
} edges;

/* Reads (or, `add`, adds up) along the map of places. big and small are contiguous, of the padded and the plain shape.
 */
static void walk_edges(const edges *e, gd_dtype dtype, char *big, char *small, bool add) {
    int64_t at[GD_MAX_DIMS] = {0}, strides[GD_MAX_DIMS], n = 1;
    size_t bytes = gd_dtype_bytes(dtype);
    gd_contiguous_strides(e->ndim, e->in, strides);
    for (int d = 0; d < e->ndim; d++) n *= e->out[d];
    for (int64_t i = 0; i < n; i++) {
        int64_t from = 0;
        for (int d = 0; d < e->ndim; d++) {
            int k = e->ndim - 1 - d;
            from += (k < e->padded ? source_of(at[d], e->pad[2 * k], e->in[d], e->mode) : at[d]) * strides[d];
        }
        char *p = big + (size_t)i * bytes, *q = small + (size_t)from * bytes;
        if (!add)
            memcpy(p, q, bytes);
        else if (dtype == GD_FLOAT32)
            *(float *)(void *)q += *(const float *)(const void *)p;
        else
            *(double *)(void *)q += *(const double *)(const void *)p;
        for (int d = e->ndim - 1; d >= 0 && ++at[d] == e->out[d]; d--) at[d] = 0;
    }
}

static edges edges_of(int ndim, const int64_t *in, const int64_t *pad, int npad, int mode) {
    edges e = {.ndim = ndim, .padded = npad / 2, .in = in, .pad = pad, .mode = mode};
    for (int d = 0; d < ndim; d++) {
        int k = ndim - 1 - d;
        e.out[d] = in[d] + (k < e.padded ? pad[2 * k] + pad[2 * k + 1] : 0);
    }
    return e;
}

static gd_code edge_check(gd_apply *a) {
    char text[TEXT];
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    const int64_t *pad = arg_ints(a, 1);
    int n = arg_count(a, 1) / 2;
    bool fits = t->ndim == n + 1 || t->ndim == n + 2;
    for (int d = t->ndim == n + 2; fits && d < t->ndim; d++) fits = t->sizes[d] != 0;
    if (!fits)
        return gd_fail(
            c, GD_E_SHAPE,
            "Expected %dD or %dD (batch mode) tensor with possibly 0 batch size and other non-zero dimensions "
            "for input, but got: %s",
            n + 1, n + 2, gd_shape_text(text, sizeof text, t->ndim, t->sizes));
    for (int k = 0; k < n; k++) {
        int d = t->ndim - 1 - k;
        int64_t size = t->sizes[d], total;
        bool small = pad[2 * k] < size && pad[2 * k + 1] < size && pad[2 * k] > -size && pad[2 * k + 1] > -size;
        if (a->op->param == REFLECT && !small)
            return gd_fail(c, GD_E_SHAPE,
                           "Argument #%d: Padding size should be less than the corresponding input dimension, but got: "
                           "padding (%lld, %lld) at dimension %d of input %s",
                           4 + 2 * k, (long long)pad[2 * k], (long long)pad[2 * k + 1], d,
                           gd_shape_text(text, sizeof text, t->ndim, t->sizes));
        if (!gd_add_i64(size, pad[2 * k], &total) || !gd_add_i64(total, pad[2 * k + 1], &total))
            return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
        if (total < 1)
            return gd_fail(c, GD_E_SHAPE, "input (%lld) is too small. Calculated output size: %lld", (long long)size,
                           (long long)total);
    }
    return GD_OK;
}

gd_code gd_fw__edge_pad(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    gd_code code = edge_check(a);
    if (code) return code;
    if (!gd_dtype_is_float((gd_dtype)t->dtype) && a->op->param == REFLECT && t->dtype == GD_BOOL)
        return gd_fail(c, GD_E_DTYPE, "\"reflection_pad\" not implemented for 'Bool'");
    edges e = edges_of(t->ndim, t->sizes, arg_ints(a, 1), arg_count(a, 1), a->op->param);
    gd_tensor *flat = gd_pool_add(c, gd_as_contiguous(c, t));
    gd_tensor *out = flat ? gd_empty(c, (gd_dtype)t->dtype, t->ndim, e.out) : NULL;
    if (out) walk_edges(&e, (gd_dtype)t->dtype, out->data, flat->data, false);
    return give(a, out);
}

gd_code gd_fw__edge_pad_backward(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *grad = arg_tensor(a, 0), *flat = gd_pool_add(c, gd_as_contiguous(c, grad));
    gd_tensor *out = flat ? gd_zeros(c, (gd_dtype)grad->dtype, arg_count(a, 1), arg_ints(a, 1)) : NULL;
    edges e = edges_of(arg_count(a, 1), arg_ints(a, 1), arg_ints(a, 2), arg_count(a, 2), (int)arg_int(a, 3));
    if (out) walk_edges(&e, (gd_dtype)grad->dtype, flat->data, out->data, true);
    return give(a, out);
}

/* ---- around ------------------------------------------------------------------------------------------------ */

static gd_tensor *entries(gd_ctx *c, gd_tensor *t, int d, int64_t from, int64_t to) {
    return GX(c, slice, T_(t), I_(d), I_(from), I_(to), I_(1));
}

static bool write_entries(gd_ctx *c, gd_tensor *to, gd_tensor *from) {
    return to && from && !gd_do_inplace(c, GD_OP_copy_, (const gd_value[]){T_(to), T_(from)}, 2);
}

static gd_code around_check(gd_ctx *c, const gd_tensor *t, const int64_t *pad, int n) {
    for (int k = 0; k < n; k++) {
        int64_t size = t->sizes[t->ndim - 1 - k], total;
        if (pad[2 * k] > size || pad[2 * k + 1] > size)
            return gd_fail(c, GD_E_RUNTIME, "Padding value causes wrapping around more than once.");
        if (!gd_add_i64(size, pad[2 * k], &total) || !gd_add_i64(total, pad[2 * k + 1], &total) || total < 0)
            return gd_fail(c, GD_E_RUNTIME, "Negative padding value is resulting in an empty dimension.");
    }
    return GD_OK;
}

/* Copies the middle, then for each dimension the far ends, as PyTorch does: writes into views of the output. */
static gd_tensor *padded_around(gd_ctx *c, gd_tensor *t, const int64_t *pad, int n) {
    int64_t sizes[GD_MAX_DIMS];
    for (int d = 0; d < t->ndim; d++) sizes[d] = t->sizes[d];
    for (int k = 0; k < n; k++) sizes[t->ndim - 1 - k] += pad[2 * k] + pad[2 * k + 1];
    gd_tensor *out = gd_pool_add(c, gd_zeros(c, (gd_dtype)t->dtype, t->ndim, sizes)), *to = out, *from = t;
    for (int k = n - 1; k >= 0; k--) {
        int d = t->ndim - 1 - k;
        int64_t before = pad[2 * k], after = pad[2 * k + 1];
        to = entries(c, to, d, before > 0 ? before : 0, sizes[d] - (after > 0 ? after : 0));
        from = entries(c, from, d, before < 0 ? -before : 0, t->sizes[d] - (after < 0 ? -after : 0));
    }
    if (!write_entries(c, to, from)) return NULL;
    for (int k = n - 1; k >= 0; k--) {
        int d = t->ndim - 1 - k;
        int64_t before = pad[2 * k], after = pad[2 * k + 1], end = sizes[d] - (after > 0 ? after : 0);
        if (before > 0 && !write_entries(c, entries(c, out, d, 0, before), entries(c, out, d, end - before, end)))
            return NULL;
        int64_t start = before > 0 ? before : 0;
        if (after > 0 && !write_entries(c, entries(c, out, d, end, sizes[d]), entries(c, out, d, start, start + after)))
            return NULL;
    }
    return out;
}

/* ---- nn.functional.pad -------------------------------------------------------------------------------------- */

static gd_code edge_row(gd_apply *a, int mode) {
    static const gd_op_id rows[2][3] = {{GD_OP__reflection_pad1d, GD_OP__reflection_pad2d, GD_OP__reflection_pad3d},
                                        {GD_OP__replication_pad1d, GD_OP__replication_pad2d, GD_OP__replication_pad3d}};
    return give(a, gd_do(a->ctx, rows[mode][arg_count(a, 1) / 2 - 1], a->args, 2));
}

gd_code gd_fw_pad(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    const char *mode = a->args[2].u.str;
    int n = arg_count(a, 1);
    if (n % 2) return gd_fail(c, GD_E_RUNTIME, "Padding length must be divisible by 2");
    if (n / 2 > t->ndim)
        return gd_fail(c, GD_E_RUNTIME,
                       "Padding length should be less than or equal to two times the input dimension but got padding "
                       "length %d and input of dimension %d",
                       n, t->ndim);
    if (strcmp(mode, "constant") == 0) {
        gd_value value = a->args[3].kind == GD_V_NONE ? F_(0) : a->args[3];
        return give_shared(a, GX(c, constant_pad_nd, a->args[0], a->args[1], value));
    }
    if (a->args[3].kind != GD_V_NONE && a->args[3].u.real != 0)
        return gd_fail(c, GD_E_RUNTIME, "Padding mode \"%s\" doesn't take in value argument", mode);
    bool reflect = strcmp(mode, "reflect") == 0, replicate = strcmp(mode, "replicate") == 0;
    if (!reflect && !replicate && strcmp(mode, "circular") != 0)
        return gd_fail(c, GD_E_NOT_IMPLEMENTED, "Unrecognised padding mode %s", mode);
    bool fits = n >= 2 && n <= 6 && (t->ndim == n / 2 + 1 || t->ndim == n / 2 + 2);
    if (!fits)
        return gd_fail(c, GD_E_NOT_IMPLEMENTED,
                       "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now");
    if (reflect || replicate) return edge_row(a, reflect ? REFLECT : REPLICATE);
    gd_code code = around_check(c, t, arg_ints(a, 1), n / 2);
    return code ? code : give_shared(a, padded_around(c, t, arg_ints(a, 1), n / 2));
}

/* ---- pixels ------------------------------------------------------------------------------------------------ */

static gd_code shuffle_check(gd_ctx *c, const gd_tensor *t, int64_t r, bool back) {
    const char *name = back ? "pixel_unshuffle" : "pixel_shuffle";
    if (t->ndim < 3)
        return gd_fail(c, GD_E_SHAPE,
                       "%s expects input to have at least 3 dimensions, but got input with %d dimension(s)", name,
                       t->ndim);
    if (r <= 0)
        return gd_fail(c, GD_E_RUNTIME, "%s expects a positive %s_factor, but got %lld", name,
                       back ? "downscale" : "upscale", (long long)r);
    const int64_t *s = t->sizes + t->ndim - 3;
    int64_t square;
    if (!gd_mul_i64(r, r, &square)) return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    if (!back && s[0] % square)
        return gd_fail(c, GD_E_RUNTIME,
                       "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                       "upscale_factor, but input.size(-3)=%lld is not divisible by %lld",
                       (long long)s[0], (long long)square);
    for (int k = 1; back && k < 3; k++)
        if (s[k] % r)
            return gd_fail(c, GD_E_RUNTIME,
                           "pixel_unshuffle expects %s to be divisible by downscale_factor, but input.size(%d)=%lld is "
                           "not divisible by %lld",
                           k == 1 ? "height" : "width", k - 3, (long long)s[k], (long long)r);
    if (t->ndim + 2 > GD_MAX_DIMS) return gd_fail(c, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
    return GD_OK;
}

gd_code gd_fw_pixel_shuffle(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int64_t r = arg_int(a, 1), shape[GD_MAX_DIMS], order[GD_MAX_DIMS], out[GD_MAX_DIMS];
    bool back = a->op->param != 0;
    gd_code code = shuffle_check(c, t, r, back);
    if (code) return code;
    int n = t->ndim - 3;
    const int64_t *s = t->sizes + n;
    static const int64_t forth[] = {0, 3, 1, 4, 2}, home[] = {0, 2, 4, 1, 3};
    for (int d = 0; d < n; d++) shape[d] = out[d] = t->sizes[d], order[d] = d;
    for (int d = 0; d < 5; d++) order[n + d] = n + (back ? home[d] : forth[d]);
    const int64_t split[] = {back ? s[0] : s[0] / (r * r), back ? s[1] / r : r, r, back ? s[2] / r : s[1],
                             back ? r : s[2]};
    memcpy(shape + n, split, sizeof split);
    out[n] = back ? s[0] * r * r : s[0] / (r * r);
    out[n + 1] = back ? s[1] / r : s[1] * r;
    out[n + 2] = back ? s[2] / r : s[2] * r;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *turned = GX(c, permute, T_(GX(c, reshape, T_(t), IS_(shape, n + 5))), IS_(order, n + 5));
    gd_tensor *fresh = turned ? gd_empty_like(c, turned, (gd_dtype)t->dtype) : NULL;
    if (fresh) gd_copy_values(fresh, turned);
    c->mode = mode;
    if (!fresh) return gd_failed(c);
    int64_t strides[GD_MAX_DIMS];
    gd_contiguous_strides(t->ndim, out, strides);
    return give(a, then_release(gd_alias(c, fresh, t->ndim, out, strides, 0), fresh));
}

/* ---- channel_shuffle ------------------------------------------------------------------------------------------- */

/* param 0 refuses matrices, as PyTorch does. */
static gd_code check_channels(gd_apply *a) {
    char text[TEXT];
    gd_ctx *c = a->ctx;
    const gd_tensor *x = arg_tensor(a, 0);
    const int64_t groups = arg_int(a, 1);
    if (x->ndim < (a->op->param ? 2 : 3))
        return gd_fail(c, GD_E_SHAPE, "channel_shuffle expects input with > 2 dims, but got input with sizes %s",
                       gd_shape_text(text, sizeof text, x->ndim, x->sizes));
    if (groups <= 0)
        return gd_fail(c, GD_E_RUNTIME, "Number of groups to divide channels in must be positive. Value of groups:%lld",
                       (long long)groups);
    if (x->sizes[1] % groups != 0)
        return gd_fail(c, GD_E_SHAPE,
                       "Number of channels must be divisible by groups. Got %lld channels and %lld groups.",
                       (long long)x->sizes[1], (long long)groups);
    return GD_OK;
}

gd_code gd_fw_channel_shuffle(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    gd_code code = check_channels(a);
    if (code) return code;
    int64_t rest = 1;
    for (int d = 2; d < x->ndim; d++) rest *= x->sizes[d];
    const int64_t groups = arg_int(a, 1), apart[] = {x->sizes[0], groups, x->sizes[1] / groups, rest};
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *t = GX(c, transpose, T_(GX(c, reshape, T_(x), GD_INTS_VALUE(apart, 4))), I_(1), I_(2));
    t = GX(c, reshape, T_(GX(c, contiguous, T_(t))), GD_INTS_VALUE(x->sizes, x->ndim));
    t = GX(c, clone, T_(t)); /* of one group the reshapes are x itself */
    c->mode = mode;
    return give_shared(a, t);
}
