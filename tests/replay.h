/* replay.h: repeats a trace's steps, one after another, on other inputs. A plan does the same in better ways; this is
 * what it is measured by. For run_traces.c and the unit tests. */
#ifndef GD_REPLAY_H
#define GD_REPLAY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/plan/trace.h"

typedef struct replay {
    gd_ctx *ctx;
    gd_trace *trace;
    gd_tensor **values; /* by number, owned */
    int npointwise;     /* steps that were checked to be one loop */
    char why[200];      /* what was wrong, "" if an op just failed */
} replay;

/* The step's arguments with the tensors that this run has; lists into `lists`. */
static void take_arguments(const replay *r, const gd_step *step, gd_value *args, gd_tensor **lists) {
    int at = 0, used = 0;
    for (int i = 0; i < step->nargs; i++) {
        args[i] = step->args[i];
        if (args[i].kind == GD_V_TENSOR && args[i].u.tensor) args[i].u.tensor = r->values[step->in[at++]];
        if (args[i].kind != GD_V_TENSORS) continue;
        args[i].u.tensors = lists + used;
        for (uint32_t k = 0; k < args[i].n; k++, at++)
            lists[used++] = step->in[at] < 0 ? NULL : r->values[step->in[at]];
    }
}

static bool replay_write(replay *r, const gd_step *step, gd_value *args) {
    gd_tensor *self = gd_do(r->ctx, GD_OP_clone, args, 1);
    if (!self) return false;
    args[0] = GD_TENSOR_VALUE(self);
    r->values[step->out] = self;
    return gd_do_inplace(r->ctx, (gd_op_id)step->op->id, args, step->nargs) == GD_OK;
}

static bool replay_step(replay *r, const gd_step *step) {
    gd_value args[GD_MAX_ARGS];
    gd_tensor **lists = calloc((size_t)step->nin + 1, sizeof *lists);
    gd_result result = {0};
    size_t mark = gd_pool_mark(r->ctx);
    take_arguments(r, step, args, lists);
    bool ok = step->inplace ? replay_write(r, step, args)
                            : gd_do_all(r->ctx, (gd_op_id)step->op->id, args, step->nargs, &result) == GD_OK;
    if (ok && !step->inplace && !step->guard && result.n != (uint32_t)step->nout) {
        snprintf(r->why, sizeof r->why, "%s() has another number of outputs", step->op->name);
        ok = false;
    }
    for (int i = 0; ok && !step->inplace && i < step->nout; i++)
        r->values[step->out + i] = gd_retain(result.outputs[i]);
    gd_result_clear(&result);
    gd_pool_release(r->ctx, mark);
    free(lists);
    return ok;
}

/* A step that is one pointwise loop: the loop over the inputs must give what the row gives, bit by bit. */
static bool replay_loop(replay *r, const gd_step *step) {
    const gd_pointwise_step *p = &step->pointwise;
    gd_tensor *out = r->values[step->out], *in[3], *operands[4];
    r->npointwise++;
    operands[0] = gd_empty_like(r->ctx, out, p->result);
    for (int k = 0; k < p->nin; k++) {
        gd_tensor *t = r->values[p->in[k]];
        in[k] = p->condition && k == 0 ? gd_retain(t) : gd_as_dtype(r->ctx, t, p->compute);
        operands[1 + k] = in[k];
    }
    gd_iterate_any_order(operands, 1 + p->nin, p->loop, p->extra);
    gd_tensor *row = gd_as_contiguous(r->ctx, out);
    bool same = out->dtype == p->result && (!out->numel || !memcmp(row->data, operands[0]->data, gd_nbytes(row)));
    if (!same) snprintf(r->why, sizeof r->why, "the loop of %s() differs from the row", step->op->name);
    gd_release(row);
    gd_release(operands[0]);
    for (int k = 0; k < p->nin; k++) gd_release(in[k]);
    return same;
}

/* inputs: by number, borrowed. False: see `why`. */
static bool replay_run(replay *r, gd_ctx *ctx, gd_trace *trace, gd_tensor *const *inputs) {
    int32_t n = gd_trace_nvalues(trace);
    gd_grad_mode mode = gd_ctx_grad_mode(ctx);
    bool ok = true;
    *r = (replay){.ctx = ctx, .trace = trace, .values = calloc((size_t)n + 1, sizeof(gd_tensor *))};
    for (int32_t i = 0; i < n; i++) {
        const gd_traced *v = gd_trace_at(trace, i);
        if (v->kind == GD_TRACED_INPUT) r->values[i] = gd_retain(inputs[v->step]);
        if (v->kind == GD_TRACED_CONSTANT) r->values[i] = gd_retain(v->tensor);
    }
    gd_ctx_set_grad_mode(ctx, GD_MODE_NO_GRAD);
    for (int i = 0; i < gd_trace_nsteps(trace) && ok; i++) {
        const gd_step *step = gd_trace_step(trace, i);
        ok = replay_step(r, step) && (!step->is_pointwise || replay_loop(r, step));
    }
    gd_ctx_set_grad_mode(ctx, mode);
    return ok;
}

static void replay_free(replay *r) {
    for (int32_t i = 0; r->values && i < gd_trace_nvalues(r->trace); i++) gd_release(r->values[i]);
    free(r->values);
}

#endif
