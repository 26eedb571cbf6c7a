/* trace.c: a trace's life, what it tells, and what makes it dynamic. How steps are recorded is in trace_steps.c, writes
 * in trace_write.c, memory in trace_memory.c. */
#include "core/plan/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/plan/trace_inside.h"

/* ---- life ------------------------------------------------------------------------------------ */

gd_trace *gd_trace_begin(gd_ctx *ctx) {
    if (ctx->trace) return gd_fail(ctx, GD_E_STATE, "the context is being traced already"), NULL;
    gd_trace *tr = calloc(1, sizeof *tr);
    if (!tr) return gd_fail_memory(ctx), NULL;
    tr->ctx = ctx;
    ctx->trace = tr;
    return tr;
}

void gd_trace_pause(gd_trace *tr) {
    if (tr->ctx->trace == tr) tr->ctx->trace = NULL;
}

void gd_trace_resume(gd_trace *tr) {
    if (!tr->ctx->trace) tr->ctx->trace = tr;
}

void gd_trace_free(gd_trace *tr) {
    if (!tr) return;
    gd_trace_pause(tr);
    for (int i = 0; i < tr->ninputs; i++) gd_release(tr->inputs[i]);
    free(tr->inputs);
    free(tr->steps);
    gd_trace_memory_free(tr);
    free(tr);
}

/* ---- inputs and values ----------------------------------------------------------------------- */

gd_code gd_trace_input(gd_trace *tr, gd_tensor *t) {
    if (gd_trace_region(tr, t->storage) >= 0)
        return gd_fail(tr->ctx, GD_E_STATE, "an input of a trace must have memory of its own, that nothing has read");
    if (tr->ninputs == tr->inputs_cap) {
        int cap = tr->inputs_cap ? 2 * tr->inputs_cap : 8;
        gd_tensor **inputs = realloc(tr->inputs, (size_t)cap * sizeof *inputs);
        if (!inputs) return gd_fail_memory(tr->ctx);
        tr->inputs = inputs;
        tr->inputs_cap = cap;
    }
    if (gd_trace_append(tr, t, GD_TRACED_INPUT, tr->ninputs, 0) < 0) return tr->ctx->error.code;
    tr->inputs[tr->ninputs++] = gd_retain(t);
    return GD_OK;
}

int gd_trace_ninputs(const gd_trace *tr) { return tr->ninputs; }
int32_t gd_trace_nvalues(const gd_trace *tr) { return tr->nvalues; }
int gd_trace_nsteps(const gd_trace *tr) { return tr->nsteps; }
const gd_traced *gd_trace_at(const gd_trace *tr, int32_t value) { return &tr->values[value].traced; }
const gd_step *gd_trace_step(const gd_trace *tr, int step) { return &tr->steps[step].step; }

/* ---- dynamic --------------------------------------------------------------------------------- */

void gd_trace_give_up(gd_trace *tr, const char *format, ...) {
    if (tr->dynamic) return;
    va_list list;
    va_start(list, format);
    vsnprintf(tr->reason.text, sizeof tr->reason.text, format, list);
    va_end(list);
    tr->dynamic = true;
    if (tr->on_dynamic) tr->on_dynamic(tr->user);
}

void gd_trace_on_dynamic(gd_trace *tr, void (*call)(void *user), void *user) {
    tr->on_dynamic = call;
    tr->user = user;
}

/* Memory that changed between what the trace was told: nothing in the engine should do so. */
static const char strayed[] = "memory that a step had read was written in a way that cannot be repeated";

bool gd_trace_depends(const gd_trace *tr, const gd_tensor *t) {
    if (!t->storage) return false;
    int32_t region = gd_trace_region(tr, t->storage);
    return region >= 0 && tr->regions[region].dependent;
}

const gd_trace_reason *gd_trace_dynamic(const gd_trace *trace) {
    gd_trace *tr = (gd_trace *)trace; /* found out late: the trace has been dynamic all along */
    for (int32_t i = 0; i < tr->nregions && !tr->dynamic; i++)
        if (tr->regions[i].storage->version != tr->regions[i].version) gd_trace_give_up(tr, "%s", strayed);
    return tr->dynamic ? &tr->reason : NULL;
}

void gd_trace_read(gd_ctx *ctx, const gd_tensor *t, const char *what) {
    gd_trace *tr = gd_trace_active(ctx);
    if (tr && t && gd_trace_depends(tr, t)) gd_trace_give_up(tr, "%s of a tensor that depends on an input", what);
}

void gd_trace_refuse(gd_ctx *ctx, const char *why) {
    gd_trace *tr = gd_trace_active(ctx);
    if (tr) gd_trace_give_up(tr, "%s", why);
}
