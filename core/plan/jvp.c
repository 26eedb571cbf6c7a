/* jvp.c: tangents pushed through a trace from step to step. What a row does with them is in jvp_rules.c and
 * jvp_backward.c. */
#include "core/plan/jvp.h"

#include <stdlib.h>
#include <string.h>

#include "core/autograd/autograd.h"
#include "core/ops/families.h"
#include "core/plan/jvp_inside.h"

/* ---- one step ------------------------------------------------------------------------------------ */

/* Writing in place, where the graph did not see it, leaves the tangent as it was. */
static bool passes(const gd_trace_step_slot *slot, int k) { return slot->step.inplace && !slot->recorded && k == 0; }

/* Is the entry k of step.in one that the row has an edge for? */
static bool has_edge(const gd_step *step, int k) {
    for (int i = 0, at = 0; i < step->nargs; i++) {
        int n = step->args[i].kind == GD_V_TENSORS                            ? (int)step->args[i].n
                : step->args[i].kind == GD_V_TENSOR && step->args[i].u.tensor ? 1
                                                                              : 0;
        if (k >= at + n) {
            at += n;
            continue;
        }
        for (int d = 0; d < step->op->ndiff; d++)
            if (step->op->diff[d] == i) return true;
        return false;
    }
    return false;
}

/* The tangents that reach the step's row; false if there are none. */
static bool gather(const gd_trace_step_slot *slot, gd_tensor *const *all, gd_tensor **tangents) {
    bool any = false;
    for (int k = 0; k < slot->step.nin; k++) {
        int32_t value = slot->step.in[k];
        tangents[k] = value >= 0 && slot->recorded && slot->carries[k] && has_edge(&slot->step, k) ? all[value] : NULL;
        any = any || tangents[k];
    }
    return any;
}

/* Every tangent has its value's dtype and shape. */
static gd_code fit(gd_ctx *ctx, gd_tensor **t, const gd_tensor *like) {
    gd_tensor *old = *t;
    if (!old) return GD_OK;
    if (!like || !gd_dtype_is_float((gd_dtype)like->dtype)) {
        gd_release(old);
        *t = NULL;
        return GD_OK;
    }
    if (old->dtype != like->dtype) {
        *t = gd_do(ctx, GD_OP_to_dtype, (const gd_value[]){GD_TENSOR_VALUE(old), GD_DTYPE_VALUE((gd_dtype)like->dtype)},
                   2);
        gd_release(old);
        old = *t;
    }
    if (old && !gd_same_shape(old, like)) {
        *t = gd_do(ctx, GD_OP_expand, (const gd_value[]){GD_TENSOR_VALUE(old), GD_INTS_VALUE(like->sizes, like->ndim)},
                   2);
        gd_release(old);
    }
    return *t ? GD_OK : ctx->error.code;
}

static gd_code push_row(gd_jvp_step *s) {
    gd_jvp_class class = gd_jvp_class_of(s->step);
    gd_code code = class == GD_JVP_POINTWISE ? gd_jvp_pointwise(s)
                   : class == GD_JVP_TWICE   ? gd_jvp_twice(s)
                                             : gd_jvp_by_row(s, class);
    for (int k = 0; !code && k < s->step->nout; k++) code = fit(s->ctx, &s->out[k], gd_jvp_output(s, k));
    return code;
}

/* The trace grows while its steps are read, so each is copied first. */
static gd_code push_step(gd_trace *tr, int index, gd_tensor **all) {
    gd_trace_step_slot slot = tr->steps[index];
    if (slot.step.guard) return GD_OK;
    if (passes(&slot, 0)) {
        all[slot.step.out] = gd_retain(slot.step.in[0] >= 0 ? all[slot.step.in[0]] : NULL);
        return GD_OK;
    }
    gd_tensor **tangents = calloc((size_t)slot.step.nin + 1, sizeof *tangents);
    if (!tangents) return gd_fail_memory(tr->ctx);
    gd_code code = GD_OK;
    if (gather(&slot, all, tangents) && slot.step.op->backward != gd_bw_zero) {
        size_t mark = gd_pool_mark(tr->ctx);
        gd_jvp_step s = {tr, tr->ctx, &slot.step, tangents, all + slot.step.out};
        code = push_row(&s);
        gd_pool_release(tr->ctx, mark);
    }
    free(tangents);
    return code;
}

/* ---- all of them --------------------------------------------------------------------------------- */

static gd_code seed(gd_trace *tr, gd_tensor *const *tangents, gd_tensor **all) {
    for (int32_t v = 0; v < tr->nvalues; v++) {
        const gd_traced *value = &tr->values[v].traced;
        gd_tensor *t = value->kind == GD_TRACED_INPUT ? tangents[value->step] : NULL;
        if (!t) continue;
        if (!gd_requires_grad(tr->inputs[value->step]))
            return gd_fail(tr->ctx, GD_E_STATE, "forward mode wants inputs that required a gradient in the trace");
        if (t->dtype != value->tensor->dtype || !gd_same_shape(t, value->tensor))
            return gd_fail(tr->ctx, GD_E_SHAPE, "a tangent must have its input's dtype and shape");
        all[v] = gd_retain(t);
    }
    return GD_OK;
}

static gd_code fail_row(gd_trace *tr, int step) {
    gd_ctx *ctx = tr->ctx;
    char why[GD_MESSAGE_BYTES];
    if (ctx->error.code == GD_E_MEMORY || ctx->error.code == GD_E_BUDGET) return ctx->error.code;
    memcpy(why, ctx->error.message, sizeof why);
    return gd_fail(ctx, GD_E_NOT_IMPLEMENTED, "%s() has no forward derivative: %.160s", tr->steps[step].step.op->name,
                   why);
}

static gd_code push_all(gd_trace *tr, gd_tensor *const *tangents, gd_tensor **all) {
    int nsteps = tr->nsteps;
    gd_code code = seed(tr, tangents, all);
    for (int i = 0; i < nsteps && !code; i++) {
        code = push_step(tr, i, all);
        if (code) code = fail_row(tr, i);
    }
    return code;
}

gd_code gd_trace_jvp(gd_trace *tr, gd_tensor *const *tangents, const int32_t *outputs, int noutputs, gd_tensor **out) {
    gd_ctx *ctx = tr->ctx;
    for (int i = 0; i < noutputs; i++) out[i] = NULL;
    if (tr->dynamic || ctx->trace != tr) return gd_fail(ctx, GD_E_STATE, "forward mode wants a trace that records");
    int32_t n = tr->nvalues; /* values that come later are of tangents */
    gd_tensor **all = calloc((size_t)n + 1, sizeof *all);
    if (!all) return gd_fail_memory(ctx);
    gd_grad_mode mode = ctx->mode;
    gd_code before = ctx->error.code;
    ctx->mode = GD_MODE_NO_GRAD;
    ctx->error.code = GD_OK;
    gd_code code = push_all(tr, tangents, all);
    ctx->mode = mode;
    if (!code) ctx->error.code = before;
    for (int i = 0; i < noutputs && !code; i++)
        if (outputs[i] >= 0 && outputs[i] < n) out[i] = gd_retain(all[outputs[i]]);
    for (int32_t v = 0; v < n; v++) gd_release(all[v]);
    free(all);
    return code;
}
