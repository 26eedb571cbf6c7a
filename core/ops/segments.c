/* segments.c: segment_reduce: a row of bags.def. Loops are in core/kernels/bags.c. */
#include <string.h>

#include "core/kernels/bags.h"
#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/rules.h"

#define EXPECTED                                                                                                       \
    "Expected %s to be true, but got false.  (Could this error message be improved?  If so, please report an "         \
    "enhancement request to PyTorch.)"
#define SUM_TEXT                                                                                                       \
    "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe."

/* ---- where runs begin ------------------------------------------------------------------------------------------- */

/* Starts and lengths of the runs of every outer position. */
typedef struct runs {
    gd_tensor *memory;
    int64_t *start, *length;
    int64_t outer, segments;
} runs;

static gd_code wrong_index(gd_ctx *c, const gd_tensor *t, bool lengths) {
    return gd_fail(c, GD_E_DTYPE, "\"_segment_reduce_%s_cpu_kernel1\" not implemented for '%s'",
                   lengths ? "lengths" : "offsets", gd_dtype_scalar_name((gd_dtype)t->dtype));
}

static gd_code check_segments(gd_ctx *c, const gd_tensor *data, const gd_tensor *index, bool lengths, int axis) {
    const char *name = lengths ? "lengths" : "offsets";
    if (data->ndim < index->ndim)
        return lengths ? gd_fail(c, GD_E_SHAPE, EXPECTED, "data.dim() >= lengths_value.dim()")
                       : gd_fail(c, GD_E_SHAPE, EXPECTED, "data.dim() >= offsets_value.dim()");
    if (axis != index->ndim - 1)
        return gd_fail(c, GD_E_SHAPE, "segment_reduce(): Expected axis to be the last dimension of %s but got %d.",
                       name, axis);
    for (int d = 0; d < axis; d++)
        if (index->sizes[d] != data->sizes[d])
            return gd_fail(c, GD_E_SHAPE, "segment_reduce(): Expected %s to have data's sizes before axis", name);
    if (!lengths && index->sizes[axis] == 0)
        return gd_fail(c, GD_E_SHAPE, "Trying to create tensor with negative dimension -1: [-1]");
    if (index->dtype != GD_INT64 && index->dtype != GD_INT32) return wrong_index(c, index, lengths);
    return GD_OK;
}

static gd_code fill_lengths(gd_ctx *c, const int64_t *v, runs *r, int64_t in, bool unsafe) {
    for (int64_t i = 0; i < r->outer * r->segments; i++)
        if (v[i] < 0) return gd_fail(c, GD_E_RUNTIME, "lengths contains negative value!");
    for (int64_t o = 0; o < r->outer; o++) {
        int64_t at = 0;
        for (int64_t k = o * r->segments; k < (o + 1) * r->segments; k++) {
            r->start[k] = at;
            r->length[k] = v[k];
            if (!gd_add_i64(at, v[k], &at) || at > in) return gd_fail(c, GD_E_RUNTIME, SUM_TEXT);
        }
        if (at != in && !unsafe) return gd_fail(c, GD_E_RUNTIME, SUM_TEXT);
    }
    return GD_OK;
}

static gd_code fill_offsets(gd_ctx *c, const int64_t *v, runs *r, int64_t in) {
    for (int64_t o = 0; o < r->outer; o++)
        for (int64_t k = 0; k < r->segments; k++) {
            const int64_t *at = v + o * (r->segments + 1) + k;
            if (at[0] < 0 || at[1] > in)
                return gd_fail(c, GD_E_RUNTIME, "segment_reduce(): Expected offsets to be within data.size(axis)");
            if (at[1] < at[0]) return gd_fail(c, GD_E_RUNTIME, EXPECTED, "segment_length >= 0");
            r->start[o * r->segments + k] = at[0];
            r->length[o * r->segments + k] = at[1] - at[0];
        }
    return GD_OK;
}

/* Fills r from lengths or offsets, checked; release r->memory also after failure. */
static gd_code read_runs(gd_ctx *c, const gd_tensor *data, gd_tensor *index, bool lengths, int axis, bool unsafe,
                         runs *r) {
    gd_code code = check_segments(c, data, index, lengths, axis);
    if (code) return code;
    r->outer = 1;
    for (int d = 0; d < axis; d++) r->outer *= data->sizes[d];
    r->segments = index->sizes[axis] - !lengths;
    gd_tensor *wide = gd_as_dtype(c, index, GD_INT64), *flat = wide ? gd_as_contiguous(c, wide) : NULL;
    r->memory = flat ? gd_empty(c, GD_INT64, 2, (const int64_t[]){2, r->outer * r->segments}) : NULL;
    if (r->memory) {
        const int64_t *v = (const int64_t *)(const void *)flat->data;
        r->start = (int64_t *)(void *)r->memory->data;
        r->length = r->start + r->outer * r->segments;
        code = lengths ? fill_lengths(c, v, r, data->sizes[axis], unsafe) : fill_offsets(c, v, r, data->sizes[axis]);
    } else {
        code = gd_failed(c);
    }
    gd_release(wide);
    gd_release(flat);
    return code;
}

/* ---- forward and gradient --------------------------------------------------------------------------------------- */

static gd_code read_mode(gd_ctx *c, const char *text, gd_segment_mode *mode) {
    static const char *const names[] = {"sum", "mean", "max", "min", "prod"};
    for (int i = 0; i < 5; i++)
        if (strcmp(text, names[i]) == 0) return *mode = (gd_segment_mode)i, GD_OK;
    return gd_fail(c, GD_E_RUNTIME, "unsupported reduction given! %s", text);
}

static int64_t inner_numel(const gd_tensor *data, int axis) {
    int64_t n = 1;
    for (int d = axis + 1; d < data->ndim; d++) n *= data->sizes[d];
    return n;
}

/* The runs of outer position o. */
static gd_segments segments_at(const runs *r, gd_segment_mode mode, int64_t width, const gd_value *initial, int64_t o) {
    gd_segments s = {
        mode, width, r->segments, r->start + o * r->segments, r->length + o * r->segments, initial->kind != GD_V_NONE,
        0};
    if (s.has_initial) s.initial = initial->kind == GD_V_FLOAT ? initial->u.real : (double)initial->u.integer;
    if (initial->kind == GD_V_BOOL) s.initial = initial->u.boolean;
    return s;
}

static char *part(const gd_tensor *t, int64_t i, int64_t numel) {
    return t->data + (size_t)(i * numel) * gd_dtype_bytes((gd_dtype)t->dtype);
}

static gd_code check_data(gd_apply *a, int *axis, gd_segment_mode *mode) {
    gd_ctx *c = a->ctx;
    const gd_tensor *data = arg_tensor(a, 0);
    gd_code code = gd_wrap_dim(c, arg_int(a, 5), data->ndim, axis);
    if (code) return code;
    if (data->numel == 0) return gd_fail(c, GD_E_SHAPE, EXPECTED, "data.numel() > 0");
    if (a->args[2].kind == GD_V_NONE && a->args[4].kind == GD_V_NONE)
        return gd_fail(c, GD_E_RUNTIME, "segment_reduce(): Either lengths or offsets must be defined.");
    if (a->args[3].kind != GD_V_NONE)
        return gd_fail(c, GD_E_RUNTIME, "segment_reduce(): indices based reduction is not supported yet.");
    code = read_mode(c, a->args[1].u.str, mode);
    if (!code && !gd_dtype_is_float((gd_dtype)data->dtype))
        code = gd_fail(c, GD_E_DTYPE, "\"_segment_reduce_cpu\" not implemented for '%s'",
                       gd_dtype_scalar_name((gd_dtype)data->dtype));
    return code;
}

gd_code gd_fw_segment_reduce(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *offsets = gd_maybe_tensor(a, 4), *out = NULL;
    int64_t sizes[GD_MAX_DIMS], numel;
    gd_segment_mode mode = GD_SEGMENT_SUM;
    runs r = {0};
    int axis = 0;
    gd_code code = check_data(a, &axis, &mode);
    if (!code)
        code = read_runs(c, self, offsets ? offsets : arg_tensor(a, 2), !offsets, axis, a->args[6].u.boolean, &r);
    gd_tensor *data = code ? NULL : gd_as_contiguous(c, self);
    for (int d = 0; d < self->ndim; d++) sizes[d] = d == axis ? r.segments : self->sizes[d];
    if (data && !gd_checked_numel(c, (gd_dtype)data->dtype, data->ndim, sizes, &numel))
        out = gd_empty(c, (gd_dtype)data->dtype, data->ndim, sizes);
    for (int64_t o = 0; out && o < r.outer; o++) {
        const int64_t width = inner_numel(data, axis);
        const gd_segments s = segments_at(&r, mode, width, &a->args[7], o);
        gd_segments_read((gd_dtype)data->dtype, &s, part(data, o, data->sizes[axis] * width),
                         part(out, o, r.segments * width));
    }
    gd_release(r.memory);
    gd_release(data);
    return code ? code : give(a, out);
}

/* Arguments: grad, output, data, reduce, lengths, offsets, axis, initial. */
gd_code gd_fw__segment_reduce_backward(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *offsets = gd_maybe_tensor(a, 5), *out = NULL;
    gd_segment_mode mode = GD_SEGMENT_SUM;
    runs r = {0};
    int axis = 0;
    gd_tensor *grad = gd_as_contiguous(c, arg_tensor(a, 0));
    gd_tensor *result = grad ? gd_as_contiguous(c, arg_tensor(a, 1)) : NULL;
    gd_tensor *data = result ? gd_as_contiguous(c, arg_tensor(a, 2)) : NULL;
    gd_code code = data ? read_mode(c, a->args[3].u.str, &mode) : gd_failed(c);
    if (!code) code = gd_wrap_dim(c, arg_int(a, 6), data->ndim, &axis);
    if (!code) code = read_runs(c, data, offsets ? offsets : arg_tensor(a, 4), !offsets, axis, true, &r);
    if (!code) out = gd_zeros(c, (gd_dtype)data->dtype, data->ndim, data->sizes);
    for (int64_t o = 0; out && o < r.outer; o++) {
        const int64_t width = inner_numel(data, axis), in = data->sizes[axis] * width;
        const gd_segments s = segments_at(&r, mode, width, &a->args[7], o);
        gd_segments_slope((gd_dtype)data->dtype, &s, part(data, o, in), part(result, o, r.segments * width),
                          part(grad, o, r.segments * width), part(out, o, in));
    }
    gd_release(grad);
    gd_release(result);
    gd_release(data);
    gd_release(r.memory);
    return code ? code : give(a, out);
}

void gd_bw_segment_reduce(gd_bw *b) {
    gd_tensor *lengths = gd_bw_tensor(b, 2), *offsets = gd_bw_tensor(b, 4);
    gd_bw_set(b, 0,
              GX(b->ctx, _segment_reduce_backward, T_(b->grads[0]), T_(gd_bw_output(b, 0)), T_(gd_bw_tensor(b, 0)),
                 gd_bw_arg(b, 1), lengths ? T_(lengths) : GD_NONE_VALUE, offsets ? T_(offsets) : GD_NONE_VALUE,
                 gd_bw_arg(b, 5), gd_bw_arg(b, 7)));
}
