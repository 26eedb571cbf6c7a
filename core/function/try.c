/* try.c: a PUT runs its function once, on example values, so that what cannot work is refused there and then. What may
 * well work with other values is not: what the program itself raises, what an op says of its arguments' values, and
 * whatever happens after the program looked at a value.
 */
#include "core/function/inside.h"
#include "core/plan/trace.h"

#include <string.h>

/* More than this is not worth the wait: it is found out when it is evaluated. */
enum { MOST_BYTES = 64 << 20 };

/* Wrong for all values. */
static bool cannot_work(const gd_job *job) {
    static const char *const exceptions[] = {"NameError", "TypeError", "AttributeError", "ImportError",
                                             "ModuleNotFoundError"};
    const gd_function_fault *fault = job->fault;
    for (size_t i = 0; !fault->kind || !strcmp(fault->kind, "program_error"); i++) {
        if (i == sizeof exceptions / sizeof *exceptions) break;
        if (!strcmp(job->exception, exceptions[i])) return true;
    }
    if (fault->kind) return !strcmp(fault->kind, "bad_function") || !strcmp(fault->kind, "program_limit");
    switch (fault->code) {
    case GD_E_SHAPE:
    case GD_E_DTYPE:
    case GD_E_ARGUMENT:
    case GD_E_MISSING:
    case GD_E_UNKNOWN_OP:
    case GD_E_UNKNOWN_NAME:
    case GD_E_NOT_IMPLEMENTED: return true;
    default: return false;
    }
}

/* A plain input that has no default got a value out of thin air. */
static bool made_up(const gd_function *f) {
    for (int i = 0; i < f->ninputs; i++)
        if (f->inputs[i].given.kind != GD_INPUT_TENSOR && !f->inputs[i].given.has_default) return true;
    return false;
}

static bool refused(const gd_job *job) {
    if (!job->called) return true; /* no input is at fault */
    if (!strcmp(job->exception, "NameError")) return true;
    return !job->dynamic && !made_up(job->f) && cannot_work(job);
}

static void give_examples(gd_job *job, gd_eval *e) {
    const gd_function *f = job->f;
    for (int i = 0; i < f->ninputs; i++) {
        const gd_function_input *in = &f->inputs[i].given;
        if (in->has_default) continue;
        e->statics[i].given = in->kind != GD_INPUT_TENSOR;
        switch (in->kind) {
        case GD_INPUT_TENSOR: e->inputs[i] = gd_example(job->ctx, in->dtype, in->ndim, in->sizes); break;
        case GD_INPUT_INT: e->statics[i].value = GD_INT_VALUE(1); break;
        case GD_INPUT_FLOAT: e->statics[i].value = GD_FLOAT_VALUE(0.5); break;
        case GD_INPUT_BOOL: e->statics[i].value = GD_BOOL_VALUE(true); break;
        case GD_INPUT_STR: e->statics[i].value = GD_STR_VALUE(""); break;
        }
    }
}

static bool too_large(const gd_function *f) {
    double bytes = 0;
    for (int i = 0; i < f->ninputs; i++) {
        const gd_function_input *in = &f->inputs[i].given;
        double n = in->kind == GD_INPUT_TENSOR && !in->has_default ? (double)gd_dtype_bytes(in->dtype) : 0;
        for (int d = 0; d < in->ndim; d++) n *= (double)in->sizes[d];
        bytes += n;
    }
    return bytes > MOST_BYTES;
}

static bool call_once(gd_job *job) {
    const gd_product value = {.kind = GD_EVAL_VALUE};
    const void *bytes[GD_FUNCTION_INPUTS] = {0};
    gd_derivation d = {.traced = true};
    for (int i = 0; i < job->f->ninputs; i++)
        if (job->x[i]) bytes[i] = job->x[i]->data;
    if (!gd_derive_start(&d, job, &value, bytes)) return !refused(job);
    gd_answer_layout *layout = gd_answer_layout_new(&d.answer);
    if (layout && !made_up(job->f)) gd_function_set_layout(job->f, layout);
    gd_answer_layout_release(layout);
    gd_derive_end(&d);
    return layout || gd_fault_memory(job->fault);
}

/* Does the program run at all? */
static bool run_module(gd_ctx *ctx, gd_function *f, gd_function_fault *fault) {
    gd_home home = {0};
    bool ok = gd_home_open(&home, ctx, f, NULL, fault);
    if (ok) gd_home_close(&home);
    return ok;
}

bool gd_function_try(gd_ctx *ctx, gd_function *f, gd_function_fault *fault) {
    gd_eval e = {.kind = GD_EVAL_VALUE};
    if (!f->fixed || too_large(f)) return run_module(ctx, f, fault);
    gd_job job;
    gd_job_begin(&job, ctx, f, &e, fault);
    give_examples(&job, &e);
    bool ok = true;
    for (int i = 0; ok && i < f->ninputs; i++)
        ok = e.inputs[i] || e.statics[i].given || f->inputs[i].given.has_default || gd_fault_ctx(fault, ctx);
    ok = ok && gd_job_bind(&job) && call_once(&job);
    gd_job_clear(&job);
    for (int i = 0; i < f->ninputs; i++) gd_release(e.inputs[i]);
    if (ok) *fault = (gd_function_fault){0};
    return ok;
}
