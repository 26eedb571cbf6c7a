/* trace_steps.c: recording applications of rows as steps. */
#include <string.h>

#include "core/autograd/autograd.h"
#include "core/kernels/kernels.h"
#include "core/plan/trace_inside.h"

/* ---- what depends on what -------------------------------------------------------------------- */

/* Tensors of an argument. */
static uint32_t tensors_of(const gd_value *v, gd_tensor *const **tensors) {
    if (v->kind == GD_V_TENSORS) {
        *tensors = v->u.tensors;
        return v->n;
    }
    *tensors = (gd_tensor *const *)&v->u.tensor;
    return v->kind == GD_V_TENSOR && v->u.tensor ? 1 : 0;
}

bool gd_trace_any_dependent(const gd_trace *tr, const gd_apply *a) {
    for (int i = 0; i < a->nargs; i++) {
        gd_tensor *const *tensors;
        uint32_t n = tensors_of(&a->args[i], &tensors);
        for (uint32_t k = 0; k < n; k++)
            if (tensors[k] && gd_trace_depends(tr, tensors[k])) return true;
    }
    return false;
}

/* Their results depend on shapes and dtypes only. */
static bool reads_no_values(const gd_op *op) {
    switch (op->id) {
    case GD_OP_numel:
    case GD_OP_dim:
    case GD_OP_size:
    case GD_OP_size_dim:
    case GD_OP_is_floating_point: return true;
    default: return (op->flags & GD_FACTORY) != 0;
    }
}

/* ---- the value of an argument ----------------------------------------------------------------- */

/* A constant without a storage is a number on somebody's stack. */
static int32_t number_value(gd_trace *tr, const gd_tensor *t) {
    gd_tensor *copy = gd_empty(tr->ctx, (gd_dtype)t->dtype, 0, NULL);
    if (!copy) return -1;
    memcpy(copy->data, t->data, gd_dtype_bytes((gd_dtype)t->dtype));
    copy->flags = t->flags & GD_F_WRAPPED_NUMBER;
    int32_t value = gd_trace_append(tr, copy, GD_TRACED_CONSTANT, -1, 0);
    gd_release(copy);
    return value;
}

/* A geometry that no step made, of memory that was written: it is read off the region's root. */
static int32_t derived_value(gd_trace *tr, gd_tensor *t, const gd_region *region) {
    int32_t root = region->root;
    if (root < 0 || tr->values[root].traced.tensor->dtype != t->dtype) {
        gd_trace_give_up(tr, "a view of a tensor that depends on an input, whose making was not seen");
        return -1;
    }
    gd_tensor *base = tr->values[root].traced.tensor;
    const gd_value args[] = {GD_TENSOR_VALUE(base),
                             GD_INTS_VALUE(t->sizes, t->ndim),
                             GD_INTS_VALUE(GD_STRIDES(t), t->ndim),
                             GD_INT_VALUE(gd_offset(t)),
                             GD_INTS_VALUE(GD_STRIDES(base), base->ndim),
                             GD_INT_VALUE(0)};
    return gd_trace_make(tr, GD_OP__as_strided_view, args, 6, t);
}

int32_t gd_trace_value(gd_trace *tr, gd_tensor *t) {
    if (!t->storage) return number_value(tr, t);
    int32_t index = gd_trace_region(tr, t->storage);
    if (index < 0) return gd_trace_append(tr, t, GD_TRACED_CONSTANT, -1, 0);
    const gd_region *region = &tr->regions[index];
    if (region->storage->version != region->version)
        gd_trace_give_up(tr, "memory that a step had read was written in a way that cannot be repeated");
    int32_t value = gd_trace_lookup(tr, t);
    if (value >= 0) return value;
    return region->dependent ? derived_value(tr, t, region) : gd_trace_append(tr, t, GD_TRACED_CONSTANT, -1, 0);
}

/* ---- arguments -------------------------------------------------------------------------------- */

static void *copy_bytes(gd_trace *tr, const void *from, size_t bytes) {
    void *p = gd_trace_alloc(tr, bytes ? bytes : 1);
    if (p && bytes) memcpy(p, from, bytes);
    return p;
}

typedef struct filling {
    gd_trace *tr;
    gd_trace_step_slot *slot;
    int32_t *in;
    bool *carries;
} filling;

/* The tensor that stands for t in the step. NULL with error, or where the trace became dynamic. */
static gd_tensor *take_tensor(filling *f, gd_tensor *t) {
    int32_t value = gd_trace_value(f->tr, t);
    if (value < 0) return NULL;
    f->carries[f->slot->step.nin] = gd_requires_grad(t);
    f->in[f->slot->step.nin++] = value;
    return f->tr->values[value].traced.tensor;
}

static bool take_list(filling *f, gd_value *to, const gd_value *from) {
    gd_tensor **list = gd_trace_alloc(f->tr, (size_t)from->n * sizeof(gd_tensor *) + 1);
    if (!list) return false;
    for (uint32_t k = 0; k < from->n; k++) {
        if (from->u.tensors[k]) {
            if (!(list[k] = take_tensor(f, from->u.tensors[k]))) return false;
        } else {
            f->in[f->slot->step.nin++] = -1;
        }
    }
    to->u.tensors = list;
    return true;
}

/* False with error, or where the trace became dynamic. */
static bool take_value(filling *f, gd_value *to, const gd_value *from) {
    *to = *from;
    switch (from->kind) {
    case GD_V_TENSOR: return !from->u.tensor || (to->u.tensor = take_tensor(f, from->u.tensor));
    case GD_V_TENSORS: return take_list(f, to, from);
    case GD_V_INTS:
    case GD_V_FLOATS: return (to->u.ints = copy_bytes(f->tr, from->u.ints, (size_t)from->n * sizeof(int64_t)));
    case GD_V_STR: return (to->u.str = copy_bytes(f->tr, from->u.str, strlen(from->u.str) + 1));
    case GD_V_LIST:
    case GD_V_SLICE: gd_trace_give_up(f->tr, "%s() with an index list", f->slot->step.op->name); return false;
    default: return true;
    }
}

static size_t count_tensors(const gd_apply *a) {
    size_t n = 0;
    gd_tensor *const *tensors;
    for (int i = 0; i < a->nargs; i++) n += tensors_of(&a->args[i], &tensors);
    return n;
}

gd_code gd_trace_fill(gd_trace *tr, const gd_apply *a, gd_trace_step_slot *slot, bool *ok) {
    size_t n = count_tensors(a);
    *slot = (gd_trace_step_slot){.step = {.op = a->op, .nargs = a->nargs}};
    gd_value *args = gd_trace_alloc(tr, (size_t)a->nargs * sizeof *args + 1);
    filling f = {.tr = tr, .slot = slot};
    f.in = args ? gd_trace_alloc(tr, n * sizeof *f.in + 1) : NULL;
    f.carries = f.in ? gd_trace_alloc(tr, n + 1) : NULL;
    if (!f.carries) return tr->ctx->error.code;
    slot->step.args = args;
    slot->step.in = f.in;
    slot->carries = f.carries;
    slot->recorded = gd_should_record(tr->ctx, a->op, a->args, a->nargs);
    gd_code before = tr->ctx->error.code;
    tr->ctx->error.code = GD_OK;
    *ok = true;
    for (int i = 0; i < a->nargs && *ok; i++) *ok = take_value(&f, &args[i], &a->args[i]);
    gd_code code = *ok || tr->dynamic ? GD_OK : tr->ctx->error.code;
    if (!code) tr->ctx->error.code = before;
    *ok = *ok && !tr->dynamic;
    return code;
}

/* ---- steps ------------------------------------------------------------------------------------ */

int32_t gd_trace_add_step(gd_trace *tr, const gd_trace_step_slot *slot) {
    if (!gd_trace_grow_steps(tr)) {
        gd_fail_memory(tr->ctx);
        return -1;
    }
    tr->steps[tr->nsteps] = *slot;
    return tr->nsteps++;
}

int32_t gd_trace_make(gd_trace *tr, gd_op_id id, const gd_value *args, int nargs, gd_tensor *out) {
    gd_trace_step_slot slot;
    gd_apply a = {.ctx = tr->ctx, .op = &gd_ops[id], .args = args, .nargs = nargs};
    bool ok;
    if (gd_trace_fill(tr, &a, &slot, &ok) || !ok) return -1;
    memset((void *)slot.carries, 1, (size_t)slot.step.nin);
    slot.recorded = true;
    slot.step.nout = 1;
    slot.step.out = tr->nvalues;
    int32_t step = gd_trace_add_step(tr, &slot);
    return step < 0 ? -1 : gd_trace_append(tr, out, GD_TRACED_RESULT, step, 0);
}

/* ---- guards ----------------------------------------------------------------------------------- */

static gd_code add_guard(gd_trace *tr, const gd_tensor *t) {
    gd_trace_step_slot slot;
    bool ok;
    gd_tensor *seen = gd_alias(tr->ctx, t, t->ndim, t->sizes, GD_STRIDES(t), gd_offset(t));
    gd_tensor *copy = seen ? gd_empty_like(tr->ctx, t, (gd_dtype)t->dtype) : NULL;
    if (copy) gd_copy_values(copy, t);
    const gd_value args[] = {GD_TENSOR_VALUE(seen), GD_TENSOR_VALUE(copy)};
    gd_apply a = {.ctx = tr->ctx, .op = &gd_ops[GD_OP__guard], .args = args, .nargs = 2};
    gd_code code = copy ? gd_trace_fill(tr, &a, &slot, &ok) : tr->ctx->error.code;
    slot.step.guard = true;
    slot.step.out = tr->nvalues;
    if (!code && ok && gd_trace_add_step(tr, &slot) < 0) code = tr->ctx->error.code;
    gd_release(copy);
    gd_release(seen);
    return code;
}

void gd_trace_expect(gd_ctx *ctx, const gd_tensor *t) {
    gd_trace *tr = gd_trace_active(ctx);
    if (!tr || !t || !gd_trace_depends(tr, t)) return;
    gd_code before = ctx->error.code;
    if (add_guard(tr, t) == GD_OK) return;
    ctx->error.code = before; /* nobody waits for an error here */
    gd_trace_give_up(tr, "no memory for a guard");
}

/* ---- applications ----------------------------------------------------------------------------- */

/* The row answered memory that has its value already: nothing was computed. */
static bool is_known(const gd_trace *tr, const gd_apply *a) {
    for (int i = 0; i < a->nout; i++)
        if (a->out[i] && gd_trace_lookup(tr, a->out[i]) < 0) return false;
    return true;
}

static gd_code add_outputs(gd_trace *tr, const gd_apply *a, int32_t step) {
    for (int i = 0; i < a->nout; i++) {
        int32_t value =
            a->out[i] ? gd_trace_append(tr, a->out[i], GD_TRACED_RESULT, step, i) : gd_trace_append_absent(tr, step, i);
        if (value < 0) return tr->ctx->error.code;
    }
    return GD_OK;
}

void gd_trace_failed(const gd_apply *a) {
    gd_trace *tr = gd_trace_active(a->ctx);
    if (!tr || tr->dynamic || !gd_trace_any_dependent(tr, a)) return;
    tr->reason.failure = true;
    gd_trace_give_up(tr, "%s() failed on a tensor that depends on an input", a->op->name);
}

/* Running statistics, which are no outputs. */
static bool writes_arguments(const gd_apply *a) {
    return a->op->id == GD_OP__batch_norm && a->args[5].u.boolean &&
           (a->args[3].kind == GD_V_TENSOR || a->args[4].kind == GD_V_TENSOR);
}

/* A plain result of values. */
static void read_arguments(gd_trace *tr, const gd_apply *a) {
    if (gd_trace_any_dependent(tr, a)) gd_trace_give_up(tr, "%s() of a tensor that depends on an input", a->op->name);
}

gd_code gd_trace_applied(gd_apply *a) {
    gd_trace *tr = gd_trace_active(a->ctx);
    if (!tr || reads_no_values(a->op)) return GD_OK;
    if (writes_arguments(a) && gd_trace_any_dependent(tr, a))
        return gd_trace_give_up(tr, "batch_norm() updates its running statistics"), GD_OK;
    if (a->has_value || !a->nout) return read_arguments(tr, a), GD_OK;
    if (!gd_trace_any_dependent(tr, a) || is_known(tr, a)) return GD_OK;
    if (a->op->flags & GD_RANDOM)
        return gd_trace_give_up(tr, "%s() draws random numbers that depend on an input", a->op->name), GD_OK;
    gd_trace_step_slot slot;
    bool ok;
    gd_code code = gd_trace_fill(tr, a, &slot, &ok);
    if (code || !ok) return code;
    code = gd_trace_take_pointwise(tr, a, &slot.step, a->nout == 1 ? a->out[0] : NULL);
    if (code) return code;
    slot.step.nout = a->nout;
    slot.step.out = tr->nvalues;
    int32_t step = gd_trace_add_step(tr, &slot);
    return step < 0 ? tr->ctx->error.code : add_outputs(tr, a, step);
}
