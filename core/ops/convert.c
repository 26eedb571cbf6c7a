/* convert.c: rows that copy, convert or overwrite a tensor, or answer a plain value about it. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/dense.h"
#include "core/ops/families.h"
#include "core/ops/rules.h"

/* ---- layout ---------------------------------------------------------------------------------- */

/* Dimensions by falling stride; a stride of 0 does not move, for it says nothing about order. */
static void order_by_stride(const gd_tensor *t, int *order) {
    const int64_t *strides = GD_STRIDES(t);
    for (int i = 0; i < t->ndim; i++) {
        int at = i;
        for (int j = i - 1; j >= 0; j--) {
            int64_t before = strides[order[j]], mine = strides[i];
            if (!before || !mine) continue;
            if (before > mine || (before == mine && t->sizes[order[j]] >= t->sizes[i])) break;
            memmove(order + j + 1, order + j, (size_t)(at - j) * sizeof *order);
            at = j;
        }
        order[at] = i;
    }
}

bool gd_dense_strides(const gd_tensor *t, int64_t *strides) {
    int order[GD_MAX_DIMS];
    bool same = true;
    int64_t step = 1;
    order_by_stride(t, order);
    for (int k = t->ndim - 1; k >= 0; k--) {
        int d = order[k];
        strides[d] = step;
        if (t->sizes[d] != 1 && GD_STRIDES(t)[d] != step) same = false;
        if (t->sizes[d] > 1) step *= t->sizes[d];
    }
    if (same) memcpy(strides, GD_STRIDES(t), (size_t)t->ndim * sizeof *strides);
    return same;
}

gd_tensor *gd_empty_dense(gd_ctx *ctx, const gd_tensor *t, gd_dtype dtype) {
    int64_t strides[GD_MAX_DIMS];
    gd_tensor *out = gd_empty_like(ctx, t, dtype);
    if (!out || t->numel < 2 || gd_strides_contiguous(t->ndim, t->sizes, GD_STRIDES(t))) return out;
    gd_dense_strides(t, strides);
    if (gd_set_geometry(ctx, out, t->ndim, t->sizes, strides, 0)) {
        gd_release(out);
        return NULL;
    }
    return out;
}

/* ---- copies ------------------------------------------------------------------------------------ */

/* New: t's values in dtype; row-major, or laid out as t is. */
static gd_tensor *copy_of(gd_ctx *ctx, const gd_tensor *t, gd_dtype dtype, bool row_major) {
    gd_tensor *out = row_major ? gd_empty_like(ctx, t, dtype) : gd_empty_dense(ctx, t, dtype);
    if (out) gd_copy_values(out, t);
    return out;
}

gd_code gd_fw_clone(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    return give(a, copy_of(a->ctx, t, (gd_dtype)t->dtype, a->op->param == 1));
}

gd_code gd_fw_contiguous(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    if (gd_is_contiguous(t)) return give(a, gd_retain(t));
    return give(a, DO(a->ctx, _clone_contiguous, a->args[0]));
}

gd_code gd_fw_to_copy(gd_apply *a) {
    return give(a, copy_of(a->ctx, arg_tensor(a, 0), a->args[1].u.dtype, false));
}

/* The tensor itself if it has the dtype and no copy is asked for. */
static gd_code give_as(gd_apply *a, gd_dtype dtype, bool copy) {
    gd_tensor *t = arg_tensor(a, 0);
    if ((gd_dtype)t->dtype == dtype && !copy) return give(a, gd_retain(t));
    return give(a, DO(a->ctx, _to_copy, a->args[0], GD_DTYPE_VALUE(dtype)));
}

gd_code gd_fw_to_dtype(gd_apply *a) {
    const gd_value *to = &a->args[1];
    bool copy = a->nargs > 3 && a->args[3].u.boolean;
    return give_as(a, to->kind == GD_V_TENSOR ? (gd_dtype)to->u.tensor->dtype : to->u.dtype, copy);
}

gd_code gd_fw_to_fixed(gd_apply *a) { return give_as(a, (gd_dtype)a->op->param, false); }

/* ---- place in the graph ------------------------------------------------------------------------ */

gd_code gd_fw_detach(gd_apply *a) { return give(a, gd_detach(a->ctx, arg_tensor(a, 0))); }

gd_code gd_fw_detach_(gd_apply *a) {
    gd_code code = gd_detach_inplace(a->ctx, arg_tensor(a, 0));
    return code ? code : give(a, gd_retain(arg_tensor(a, 0)));
}

gd_code gd_fw_requires_grad_(gd_apply *a) {
    gd_code code = gd_set_requires_grad(a->ctx, arg_tensor(a, 0), a->args[1].u.boolean);
    return code ? code : give(a, gd_retain(arg_tensor(a, 0)));
}

/* ---- overwriting ------------------------------------------------------------------------------- */

gd_code gd_fw_fill_(gd_apply *a) {
    gd_fill_value(arg_tensor(a, 0), &a->args[1]);
    return GD_OK;
}

gd_code gd_fw_zero_(gd_apply *a) {
    gd_value zero = GD_INT_VALUE(0);
    gd_fill_value(arg_tensor(a, 0), &zero);
    return GD_OK;
}

gd_code gd_fw_fill_tensor_(gd_apply *a) {
    gd_value value;
    gd_tensor *source = arg_tensor(a, 1);
    if (source->ndim != 0)
        return gd_fail(a->ctx, GD_E_SHAPE, "fill_ only supports 0-dimension value tensor but got tensor with %d dimensions.",
                       source->ndim);
    gd_code code = gd_item(a->ctx, source, &value);
    if (!code) gd_fill_value(arg_tensor(a, 0), &value);
    return code;
}

static gd_code check_broadcast_into(gd_ctx *c, const gd_tensor *self, const gd_tensor *src) {
    char mine[512], both[512];
    int64_t sizes[GD_MAX_DIMS];
    int ndim;
    gd_code code = gd_broadcast_shape(c, self->ndim, self->sizes, src->ndim, src->sizes, sizes, &ndim);
    if (code) return code;
    if (ndim == self->ndim && (ndim == 0 || !memcmp(sizes, self->sizes, (size_t)ndim * sizeof *sizes))) return GD_OK;
    return gd_fail(c, GD_E_SHAPE, "output with shape %s doesn't match the broadcast shape %s",
                   gd_shape_text(mine, sizeof mine, self->ndim, self->sizes), gd_shape_text(both, sizeof both, ndim, sizes));
}

/* Past the last element, in elements of the storage. */
static int64_t end_of(const gd_tensor *t) {
    int64_t end = gd_offset(t) + 1;
    for (int d = 0; d < t->ndim; d++) end += (t->sizes[d] - 1) * GD_STRIDES(t)[d];
    return end;
}

static gd_code check_written_once(gd_ctx *c, const gd_tensor *t) {
    for (int d = 0; d < t->ndim; d++)
        if (t->sizes[d] > 1 && GD_STRIDES(t)[d] == 0)
            return gd_fail(c, GD_E_RUNTIME,
                           "unsupported operation: more than one element of the written-to tensor refers to a single memory "
                           "location. Please clone() the tensor before performing the operation.");
    return GD_OK;
}

/* Refuses what is surely a partial overlap; *shared says whether the memory may overlap all the same. */
static gd_code check_apart(gd_ctx *c, const gd_tensor *self, const gd_tensor *src, bool *shared) {
    int64_t strides[GD_MAX_DIMS];
    *shared = false;
    if (self->storage != src->storage || !self->numel || !src->numel) return GD_OK;
    if (end_of(self) <= gd_offset(src) || end_of(src) <= gd_offset(self)) return GD_OK;
    *shared = true;
    if (!gd_dense_strides(self, strides) || !gd_dense_strides(src, strides)) return GD_OK;
    bool same = self->data == src->data && gd_same_shape(self, src) &&
                (!self->ndim || !memcmp(GD_STRIDES(self), GD_STRIDES(src), (size_t)self->ndim * sizeof(int64_t)));
    if (same) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
                   "location. Please clone() the tensor before performing the operation.");
}

gd_code gd_fw_copy_(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *self = arg_tensor(a, 0), *src = arg_tensor(a, 1);
    bool shared = false;
    if (self == src) return GD_OK;
    gd_code code = check_broadcast_into(c, self, src);
    if (!code) code = check_written_once(c, self);
    if (!code) code = check_apart(c, self, src, &shared);
    if (code) return code;
    gd_tensor *from = shared ? copy_of(c, src, (gd_dtype)src->dtype, false) : gd_retain(src);
    if (!from) return gd_failed(c);
    gd_copy_values(self, from);
    gd_release(from);
    return GD_OK;
}

/* ---- plain values ------------------------------------------------------------------------------ */

static gd_code answer(gd_apply *a, gd_value value) {
    a->has_value = true;
    a->value = value;
    return GD_OK;
}

gd_code gd_fw_item(gd_apply *a) {
    gd_value value;
    gd_code code = gd_item(a->ctx, arg_tensor(a, 0), &value);
    return code ? code : answer(a, value);
}

gd_code gd_fw_is_floating_point(gd_apply *a) {
    return answer(a, GD_BOOL_VALUE(gd_dtype_is_float((gd_dtype)arg_tensor(a, 0)->dtype)));
}
gd_code gd_fw_numel(gd_apply *a) { return answer(a, GD_INT_VALUE(arg_tensor(a, 0)->numel)); }
gd_code gd_fw_dim(gd_apply *a) { return answer(a, GD_INT_VALUE(arg_tensor(a, 0)->ndim)); }

/* ---- derivatives ------------------------------------------------------------------------------- */

void gd_bw_fill_tensor_(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(b->ctx, zeros_like, T_(b->grads[0])));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(b->ctx, sum, T_(b->grads[0])));
}

void gd_bw_copy_(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, GX(b->ctx, zeros_like, T_(b->grads[0])));
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, b->grads[0]);
}
