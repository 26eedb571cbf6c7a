/* convert.c: rows that copy, convert, overwrite or ask about a tensor, and their rules. */
#include <stdlib.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/create.h"
#include "core/ops/families.h"
#include "core/ops/rules.h"

/* ---- copies -------------------------------------------------------------------------------------- */

/* New, not filled: a dense tensor's copy keeps the order of its dimensions in memory, others become row-major. */
static gd_tensor *empty_copy(gd_ctx *ctx, const gd_tensor *t, gd_dtype dtype) {
    int64_t strides[GD_MAX_DIMS];
    if (gd_is_contiguous(t) || !gd_layout_strides(t, strides)) return gd_empty_like(ctx, t, dtype);
    return gd_empty_layout(ctx, t, dtype);
}

static gd_tensor *copied(gd_ctx *ctx, gd_tensor *t, gd_dtype dtype) {
    gd_tensor *out = empty_copy(ctx, t, dtype);
    if (out) gd_copy_values(out, t);
    return out;
}

gd_code gd_fw_clone(gd_apply *a) {
    return give(a, copied(a->ctx, arg_tensor(a, 0), (gd_dtype)arg_tensor(a, 0)->dtype));
}
gd_code gd_fw__to_copy(gd_apply *a) { return give(a, copied(a->ctx, arg_tensor(a, 0), a->args[1].u.dtype)); }
void gd_bw_clone(gd_bw *b) { gd_bw_set(b, 0, b->grads[0]); }

/* The very same tensor if it has the dtype already. */
static gd_code convert(gd_apply *a, gd_dtype dtype, bool copy) {
    gd_tensor *self = arg_tensor(a, 0);
    if ((gd_dtype)self->dtype != dtype) return give(a, DO(a->ctx, _to_copy, T_(self), GD_DTYPE_VALUE(dtype)));
    return give(a, copy ? DO(a->ctx, clone, T_(self)) : gd_retain(self));
}

gd_code gd_fw_to(gd_apply *a) {
    gd_dtype dtype = a->op->param == 1 ? a->args[1].u.dtype : (gd_dtype)arg_tensor(a, 1)->dtype;
    return convert(a, dtype, a->nargs == 4 && a->args[3].u.boolean);
}
gd_code gd_fw_to_fixed(gd_apply *a) { return convert(a, (gd_dtype)a->op->param, false); }

/* A clone would keep another order of dimensions, which is what is not wanted here. */
gd_code gd_fw__contiguous_copy(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0), *out = gd_empty_like(a->ctx, self, (gd_dtype)self->dtype);
    if (out) gd_copy_values(out, self);
    return give(a, out);
}

/* Same shape, dtype and bytes. */
static bool same_bytes(const gd_tensor *x, const gd_tensor *y) {
    return x->dtype == y->dtype && gd_same_shape(x, y) &&
           (x->numel == 0 || memcmp(x->data, y->data, gd_nbytes(x)) == 0);
}

gd_code gd_fw__guard(gd_apply *a) {
    gd_tensor *x = gd_as_contiguous(a->ctx, arg_tensor(a, 0)), *y = gd_as_contiguous(a->ctx, arg_tensor(a, 1));
    bool same = x && y && same_bytes(x, y);
    gd_code code = !x || !y ? gd_failed(a->ctx)
                   : same   ? GD_OK
                            : gd_fail(a->ctx, GD_E_STATE, "a traced decision falls out otherwise");
    gd_release(x);
    gd_release(y);
    return code ? code : give(a, gd_retain(arg_tensor(a, 0)));
}

gd_code gd_fw_contiguous(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    return give(a, gd_is_contiguous(self) ? gd_retain(self) : DO(a->ctx, _contiguous_copy, T_(self)));
}

/* ---- place in the graph -------------------------------------------------------------------------- */

gd_code gd_fw_detach(gd_apply *a) { return give(a, gd_detach(a->ctx, arg_tensor(a, 0))); }
gd_code gd_fw_detach_(gd_apply *a) { return gd_detach_inplace(a->ctx, arg_tensor(a, 0)); }

gd_code gd_fw_requires_grad_(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    gd_code code = gd_set_requires_grad(a->ctx, self, a->args[1].u.boolean);
    return code ? code : give(a, gd_retain(self));
}

/* ---- overwriting --------------------------------------------------------------------------------- */

static gd_code fill(gd_ctx *ctx, gd_tensor *self, const gd_value *v) {
    gd_code code = gd_check_written(ctx, self);
    if (!code) code = gd_check_fits(ctx, (gd_dtype)self->dtype, v);
    if (!code) gd_fill_value(self, v);
    return code;
}

gd_code gd_fw_fill_(gd_apply *a) { return fill(a->ctx, arg_tensor(a, 0), &a->args[1]); }
gd_code gd_fw_zero_(gd_apply *a) { return fill(a->ctx, arg_tensor(a, 0), &GD_INT_VALUE(0)); }

gd_code gd_fw_fill_tensor(gd_apply *a) {
    const gd_tensor *value = arg_tensor(a, 1);
    gd_value v;
    if (value->ndim != 0)
        return gd_fail(a->ctx, GD_E_SHAPE,
                       "fill_ only supports 0-dimension value tensor but got tensor with %d dimensions.", value->ndim);
    gd_code code = gd_item(a->ctx, value, &v);
    return code ? code : fill(a->ctx, arg_tensor(a, 0), &v);
}

void gd_bw_fill_tensor(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_zero(b);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, GX(b->ctx, sum, T_(b->grads[0])));
}

static gd_code check_copy(gd_ctx *ctx, const gd_tensor *self, const gd_tensor *src) {
    int64_t sizes[GD_MAX_DIMS];
    int ndim;
    char own[256], both[256];
    gd_code code = gd_broadcast_shape(ctx, self->ndim, self->sizes, src->ndim, src->sizes, sizes, &ndim);
    if (code) return code;
    if (ndim == self->ndim && (ndim == 0 || !memcmp(sizes, self->sizes, (size_t)ndim * sizeof *sizes))) return GD_OK;
    return gd_fail(ctx, GD_E_SHAPE, "output with shape %s doesn't match the broadcast shape %s",
                   gd_shape_text(own, sizeof own, self->ndim, self->sizes),
                   gd_shape_text(both, sizeof both, ndim, sizes));
}

gd_code gd_fw_copy_(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0), *src = arg_tensor(a, 1);
    gd_code code = check_copy(a->ctx, self, src);
    if (!code) code = gd_check_written(a->ctx, self);
    if (code || self == src) return code;
    gd_tensor *aside = self->storage == src->storage ? copied(a->ctx, src, (gd_dtype)src->dtype) : gd_retain(src);
    if (!aside) return gd_failed(a->ctx);
    gd_copy_values(self, aside);
    gd_release(aside);
    return GD_OK;
}

void gd_bw_copy_(gd_bw *b) {
    if (gd_bw_needs(b, 0)) gd_bw_zero(b);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, b->grads[0]);
}

/* ---- questions ----------------------------------------------------------------------------------- */

static gd_code answer(gd_apply *a, gd_value v) {
    a->has_value = true;
    a->value = v;
    return GD_OK;
}

gd_code gd_fw_item(gd_apply *a) {
    a->has_value = true;
    return gd_item(a->ctx, arg_tensor(a, 0), &a->value);
}
gd_code gd_fw_numel(gd_apply *a) { return answer(a, GD_INT_VALUE(arg_tensor(a, 0)->numel)); }
gd_code gd_fw_dim(gd_apply *a) { return answer(a, GD_INT_VALUE(arg_tensor(a, 0)->ndim)); }
gd_code gd_fw_is_floating_point(gd_apply *a) {
    return answer(a, GD_BOOL_VALUE(gd_dtype_is_float((gd_dtype)arg_tensor(a, 0)->dtype)));
}

gd_code gd_fw_size(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    a->ints = malloc(sizeof *a->ints * (size_t)(self->ndim + 1));
    if (!a->ints) return gd_fail_memory(a->ctx);
    if (self->ndim) memcpy(a->ints, self->sizes, sizeof *a->ints * (size_t)self->ndim);
    return answer(a, GD_INTS_VALUE(a->ints, self->ndim));
}

gd_code gd_fw_size_dim(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    int dim;
    if (self->ndim == 0)
        return gd_fail(a->ctx, GD_E_INDEX, "Dimension specified as %d but tensor has no dimensions",
                       (int)arg_int(a, 1));
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), self->ndim, &dim);
    return code ? code : answer(a, GD_INT_VALUE(self->sizes[dim]));
}
