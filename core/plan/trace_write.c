/* trace_write.c: writes in place, as steps that make a new value for the same memory.
 *
 * Before the write the step's inputs are taken, for the row may read self; after it, self's geometry means the step's
 * result. Where self is only a part of its storage, another step puts that part into the region's root, so that what
 * else looks at the storage can be read off the new root.
 */
#include "core/kernels/kernels.h"
#include "core/plan/trace_inside.h"

/* ---- before -------------------------------------------------------------------------------------- */

/* A constant with the values that t has now. -1 with error. */
static int32_t snapshot(gd_trace *tr, gd_tensor *t) {
    gd_tensor *copy = gd_empty_like(tr->ctx, t, (gd_dtype)t->dtype);
    if (!copy) return -1;
    gd_copy_values(copy, t);
    int32_t value = gd_trace_append(tr, copy, GD_TRACED_CONSTANT, -1, 0);
    gd_release(copy);
    return value;
}

static bool is_all(const gd_tensor *t) {
    return (size_t)t->numel * gd_dtype_bytes((gd_dtype)t->dtype) == t->storage->nbytes;
}

/* What self is a part of, if it is one. GD_OK, also when the trace became dynamic. */
static gd_code find_root(gd_trace *tr, gd_tensor *self, bool dependent) {
    int32_t *root = &tr->pending.root;
    *root = -1;
    if (gd_trace_covers(self)) return GD_OK;
    gd_tensor *base = (self->flags & GD_F_VIEW) ? self->meta->base : NULL;
    if (dependent) {
        *root = tr->regions[gd_trace_region(tr, self->storage)].root;
    } else if (base && gd_trace_covers(base)) {
        *root = snapshot(tr, base);
        if (*root < 0) return tr->ctx->error.code;
    }
    if (*root < 0 && !is_all(self))
        gd_trace_give_up(tr, "writing into a part of a tensor whose other parts cannot be followed");
    return GD_OK;
}

/* t_() changes how self is read, not what it holds. */
static gd_code will_turn(gd_trace *tr, gd_tensor *self) {
    if (!gd_trace_depends(tr, self)) return GD_OK;
    tr->pending.turned = gd_trace_value(tr, self);
    return tr->pending.turned < 0 && !tr->dynamic ? tr->ctx->error.code : GD_OK;
}

gd_code gd_trace_will_write(gd_apply *a) {
    gd_trace *tr = gd_trace_active(a->ctx);
    if (!tr) return GD_OK;
    gd_tensor *self = a->args[0].u.tensor;
    tr->pending.active = false;
    tr->pending.turned = -1;
    if (a->op->id == GD_OP_t_) return will_turn(tr, self);
    if (gd_trace_any_dependent(tr, a)) {
        if (a->op->flags & GD_RANDOM)
            return gd_trace_give_up(tr, "%s() draws random numbers into a tensor that depends on an input",
                                    a->op->name),
                   GD_OK;
        gd_code code = find_root(tr, self, gd_trace_depends(tr, self));
        if (code || tr->dynamic) return code;
        code = gd_trace_fill(tr, a, &tr->pending.slot, &tr->pending.active);
        if (code || !tr->pending.active) return code;
    }
    int32_t region = gd_trace_region(tr, self->storage);
    return region < 0 ? GD_OK : gd_trace_move_away(tr, region);
}

/* ---- after --------------------------------------------------------------------------------------- */

/* self's part of the region's root has changed: what the root is now. */
static gd_code rebuild_root(gd_trace *tr, gd_tensor *self, int32_t root, int32_t part) {
    gd_tensor *base = tr->values[root].traced.tensor, whole = *base;
    whole.storage = self->storage;
    whole.data = self->storage->bytes;
    const gd_value args[] = {GD_TENSOR_VALUE(base), GD_TENSOR_VALUE(tr->values[part].traced.tensor),
                             GD_INTS_VALUE(self->sizes, self->ndim), GD_INTS_VALUE(GD_STRIDES(self), self->ndim),
                             GD_INT_VALUE(gd_offset(self))};
    int32_t value = gd_trace_make(tr, GD_OP__as_strided_scatter, args, 5, &whole);
    return value < 0 && !tr->dynamic ? tr->ctx->error.code : GD_OK;
}

static gd_code turn(gd_trace *tr, gd_tensor *self) {
    const gd_value args[] = {GD_TENSOR_VALUE(tr->values[tr->pending.turned].traced.tensor)};
    tr->pending.turned = -1;
    if (gd_trace_lookup(tr, self) >= 0) return GD_OK;
    int32_t value = gd_trace_make(tr, GD_OP_t, args, 1, self);
    return value < 0 && !tr->dynamic ? tr->ctx->error.code : GD_OK;
}

/* The step, and self's new value. */
static gd_code add_written(gd_trace *tr, gd_apply *a, gd_tensor *self) {
    gd_trace_step_slot *slot = &tr->pending.slot;
    gd_code code = gd_trace_take_pointwise(tr, a, &slot->step, self);
    if (code) return code;
    slot->step.inplace = true;
    slot->step.nout = 1;
    slot->step.out = tr->nvalues;
    int32_t step = gd_trace_add_step(tr, slot);
    int32_t value = step < 0 ? -1 : gd_trace_append(tr, self, GD_TRACED_RESULT, step, 0);
    if (value < 0) return tr->ctx->error.code;
    return tr->pending.root < 0 ? GD_OK : rebuild_root(tr, self, tr->pending.root, value);
}

gd_code gd_trace_wrote(gd_apply *a) {
    gd_trace *tr = gd_trace_active(a->ctx);
    if (!tr) return GD_OK;
    gd_tensor *self = a->args[0].u.tensor;
    int32_t region = gd_trace_region(tr, self->storage);
    if (region >= 0) tr->regions[region].version = self->storage->version;
    if (tr->pending.turned >= 0) return turn(tr, self);
    if (!tr->pending.active) return GD_OK;
    tr->pending.active = false;
    return add_written(tr, a, self);
}
