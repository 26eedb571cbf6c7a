/* compile.c: from a function to a plan: a derivation (derive.c) is done once under a trace; see compile.h. */
#include "core/function/compile.h"

#include <stdio.h>
#include <string.h>

#include "core/function/plans.h"
#include "core/plan/jvp.h"

int gd_compile_nx(const gd_job *job) {
    int n = 0;
    for (int i = 0; i < job->f->ninputs; i++) n += job->x[i] != NULL;
    return n;
}

/* ---- vectors: which numbers they have does not matter ---------------------------------------- */

/* A new input of the trace. */
static gd_tensor *vector(gd_derivation *d, gd_dtype dtype, int ndim, const int64_t *sizes) {
    gd_trace_pause(d->trace);
    gd_tensor *t = gd_example(d->job->ctx, dtype, ndim, sizes);
    gd_trace_resume(d->trace);
    if (t && gd_trace_input(d->trace, t) == GD_OK) return t;
    gd_release(t);
    gd_fault_ctx(d->job->fault, d->job->ctx);
    return NULL;
}

static bool make_cotangents(gd_derivation *d, gd_tensor **out) {
    for (int i = 0; i < d->answer.n; i++) {
        const gd_tensor *t = d->answer.tensors[i];
        if (!gd_bit(d->what.cotangents, i)) continue;
        out[i] = vector(d, (gd_dtype)t->dtype, t->ndim, t->sizes);
        if (!out[i]) return false;
    }
    return true;
}

static bool make_tangents(gd_derivation *d, gd_tensor **out) {
    const gd_job *job = d->job;
    for (int i = 0; i < job->f->ninputs; i++) {
        if (!gd_bit(d->what.tangents, i)) continue;
        out[i] = vector(d, (gd_dtype)job->x[i]->dtype, job->ndim[i], job->sizes[i]);
        if (!out[i]) return false;
    }
    return true;
}

static void keep_floating(gd_derivation *d) {
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++)
        if (!gd_derive_floats(d, i)) d->what.cotangents &= ~(UINT64_C(1) << i);
}

/* ---- the trace ------------------------------------------------------------------------------- */

typedef struct recording {
    gd_derivation d;
    gd_tensor *cotangents[GD_FUNCTION_INPUTS], *tangents[GD_FUNCTION_INPUTS], *results[GD_FUNCTION_INPUTS];
} recording;

static bool is_dynamic(const recording *r) { return gd_trace_dynamic(r->d.trace) != NULL; }

/* Stops early where the trace turns out to be of no use. */
static bool record(recording *r, gd_job *job, const gd_product *what, const void *const *bytes) {
    gd_derivation *d = &r->d;
    if (!gd_derive_start(d, job, what, bytes)) return false;
    keep_floating(d);
    if (is_dynamic(r) || what->kind == GD_EVAL_VALUE) return true;
    if (!make_cotangents(d, r->cotangents) || !gd_derive_prepare(d, r->cotangents)) return false;
    if (is_dynamic(r)) return true;
    return make_tangents(d, r->tangents) &&
           gd_derive_product(d, what->kind == GD_EVAL_VJP ? r->cotangents : r->tangents, r->results);
}

static void recording_end(recording *r) {
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++) {
        gd_release(r->cotangents[i]);
        gd_release(r->tangents[i]);
        gd_release(r->results[i]);
    }
    gd_derive_end(&r->d);
    *r = (recording){.d.traced = true};
}

/* The plan's outputs as values of the trace; -1 if one is none. */
static int outputs_of(recording *r, int32_t *out) {
    gd_derivation *d = &r->d;
    int n = 0, nresults = gd_derive_nresults(d);
    for (int i = 0; i < d->answer.n; i++)
        if ((out[n++] = gd_trace_value(d->trace, d->answer.tensors[i])) < 0) return -1;
    for (int i = 0; i < nresults; i++)
        if ((out[n++] = gd_trace_value(d->trace, r->results[i])) < 0) return -1;
    return n;
}

static gd_plan *plan_of(recording *r) {
    int32_t outputs[2 * GD_FUNCTION_INPUTS];
    int n = is_dynamic(r) ? -1 : outputs_of(r, outputs);
    if (n < 0 || is_dynamic(r)) return NULL;
    gd_trace_pause(r->d.trace);
    return gd_plan_new(r->d.job->ctx, r->d.trace, outputs, n);
}

/* "line 3: bool() of a tensor that depends on an input" */
static void tell_why(const recording *r) {
    const gd_trace_reason *why = gd_trace_dynamic(r->d.trace);
    char text[GD_MESSAGE_BYTES + 32], line[32] = "";
    if (why && r->d.dynamic_line) (void)snprintf(line, sizeof line, "line %u: ", r->d.dynamic_line);
    (void)snprintf(text, sizeof text, "%s%s", line, why ? why->text : r->d.job->ctx->error.message);
    gd_function_set_dynamic(r->d.job->f, text);
}

static bool keep(recording *r, const gd_product *what, gd_planned **out) {
    gd_job *job = r->d.job;
    gd_answer_layout *layout = gd_answer_layout_new(&r->d.answer);
    if (!layout) return gd_fault_memory(job->fault);
    gd_plan *plan = plan_of(r);
    if (!plan) tell_why(r);
    *out = gd_plans_add(job, what, r->d.what.cotangents, plan, layout);
    return *out || gd_fault_memory(job->fault);
}

/* Where an op has no forward derivative there are two backwards. */
static bool try_forward(recording *r, gd_job *job, const gd_product *what, const void *const *bytes) {
    if (record(r, job, what, bytes)) return true;
    if (what->kind != GD_EVAL_JVP || job->fault->kind || job->fault->code != GD_E_NOT_IMPLEMENTED) return false;
    recording_end(r);
    r->d.twice = true;
    return record(r, job, what, bytes);
}

bool gd_compile(gd_job *job, const gd_product *what, const void *const *bytes, gd_planned **out) {
    recording r = {.d.traced = true};
    *out = NULL;
    bool ok = try_forward(&r, job, what, bytes);
    /* An engine error while it was traced: the evaluator will tell whether it is one. */
    bool doubtful = !ok && !job->fault->kind;
    if (doubtful) *job->fault = (gd_function_fault){0};
    if (ok) ok = keep(&r, what, out);
    recording_end(&r);
    return ok || doubtful;
}
