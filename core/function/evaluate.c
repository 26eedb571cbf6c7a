/* evaluate.c: one evaluation from its arguments to its results; matrices and checks are made in files of their own. */
#include <stdlib.h>
#include <string.h>

#include "core/function/plans.h"
#include "core/function/vectors.h"

/* ---- products -------------------------------------------------------------------------------- */

static bool check_cotangents(const gd_runner *r, uint64_t given) {
    const gd_answer_layout *l = r->layout;
    uint64_t wrong = given & ~r->what.cotangents;
    if (!wrong) return true;
    int i = __builtin_ctzll(wrong);
    if (i >= l->n)
        return gd_fault(r->job->fault, GD_E_VALUE, "bad_input", "there is no output number %d: there are %d", i, l->n);
    return gd_fault_input(r->job->fault, l->names[i], "output '%s' is %s: it takes no cotangent", l->names[i],
                          gd_dtype_name(l->places[i].dtype));
}

static bool by_input_results(gd_job *job, int64_t stacked, gd_tensor **results) {
    int n = 0;
    for (int i = 0; i < job->f->ninputs; i++) {
        if (!gd_bit(job->wrt, i)) continue;
        results[n] = gd_result_new(job, (gd_dtype)job->x[i]->dtype, stacked, (gd_shape_of){0},
                                   (gd_shape_of){job->ndim[i], job->sizes[i]});
        if (!results[n++]) return false;
    }
    return true;
}

static bool by_output_results(gd_job *job, const gd_runner *r, int64_t stacked, gd_tensor **results) {
    const gd_answer_layout *l = r->layout;
    for (int i = 0; i < l->n; i++) {
        if (!gd_bit(r->what.wanted, i)) continue;
        results[i] = gd_result_new(job, l->places[i].dtype, stacked, (gd_shape_of){0}, gd_shape_of_output(l, i));
        if (!results[i]) return false;
    }
    return true;
}

/* v[0]: the vectors; v[1]: the cotangents of HVP. */
static bool take_vectors(gd_runner *r, gd_vectors v[2], int64_t *stacked) {
    gd_job *job = r->job;
    gd_eval *e = job->e;
    if (e->kind == GD_EVAL_VJP)
        return check_cotangents(r, gd_given(e->vectors)) &&
               gd_vectors_by_output(job, r->layout, r->what.cotangents, e->vectors, stacked, &v[0]);
    if (e->kind != GD_EVAL_HVP && e->kind != GD_EVAL_JVP) return true;
    if (!gd_vectors_by_input(job, r->what.tangents, e->vectors, stacked, &v[0])) return false;
    return e->kind == GD_EVAL_JVP ||
           (check_cotangents(r, gd_given(e->cotangents)) &&
            gd_vectors_by_output(job, r->layout, r->what.cotangents, e->cotangents, stacked, &v[1]));
}

static bool products_with(gd_runner *r) {
    gd_job *job = r->job;
    gd_vectors v[2];
    int64_t stacked = -1;
    v[0].taken = v[1].taken = 0;
    bool by_output = r->what.kind == GD_EVAL_JVP, value = r->what.kind == GD_EVAL_VALUE;
    int n = value ? 0 : by_output ? r->layout->n : __builtin_popcountll(job->wrt);
    bool ok = take_vectors(r, v, &stacked) && gd_held_open(job, r->layout, n);
    if (ok && !value)
        ok = by_output ? by_output_results(job, r, stacked, job->e->results)
                       : by_input_results(job, stacked, job->e->results);
    ok = ok && gd_batch_run(r, v, stacked < 0 ? 1 : stacked);
    gd_vectors_clear(&v[0]);
    gd_vectors_clear(&v[1]);
    return ok;
}

static bool products(gd_job *job) {
    gd_product what;
    gd_runner r;
    if (!gd_product_of(job, &what)) return false;
    for (int evaluate = 0;; evaluate++) {
        if (!gd_runner_open(&r, job, &what, evaluate)) return false;
        bool ok = products_with(&r);
        gd_runner_close(&r);
        if (ok || !r.mismatch) return ok;
    }
}

/* ---- dtypes and shapes alone ----------------------------------------------------------------- */

static gd_answer_layout *known_layout(gd_job *job) {
    const gd_product value = {.kind = GD_EVAL_VALUE};
    gd_planned *p = gd_plans_find(job, &value);
    gd_answer_layout *layout = p && p->layout ? gd_answer_layout_retain(p->layout) : gd_example_layout(job);
    gd_planned_release(p);
    return layout;
}

static bool describe(gd_job *job, gd_held *h) {
    const gd_answer_layout *l = h->layout;
    size_t n = 0, lead = job->e->batched;
    for (int i = 0; i < l->n; i++) n += lead + (size_t)l->places[i].ndim;
    h->outputs = calloc((size_t)l->n + 1, sizeof *h->outputs);
    h->sizes = calloc(n + 1, sizeof *h->sizes);
    if (!h->outputs || !h->sizes) return gd_fault_memory(job->fault);
    int64_t *at = h->sizes;
    for (int i = 0; i < l->n; i++) {
        const gd_place_of *p = &l->places[i];
        h->outputs[i] = (gd_function_output){l->names[i], p->dtype, p->ndim + (int)lead, at};
        if (lead) *at++ = job->batch;
        memcpy(at, p->sizes, (size_t)p->ndim * sizeof *at);
        at += p->ndim;
    }
    job->e->outputs = h->outputs;
    return true;
}

bool gd_eval_abstract(gd_job *job) {
    gd_answer_layout *layout = known_layout(job);
    bool ok = layout && gd_held_open(job, layout, 0) && describe(job, job->e->hold);
    gd_answer_layout_release(layout);
    return ok;
}

/* ---- evaluations ----------------------------------------------------------------------------- */

static bool dispatch(gd_job *job) {
    gd_eval_kind kind = job->e->kind;
    if (job->batch == 0 && kind != GD_EVAL_ABSTRACT)
        return gd_fault(job->fault, GD_E_VALUE, "bad_input", "the batch has no points");
    switch (kind) {
    case GD_EVAL_ABSTRACT: return gd_eval_abstract(job);
    case GD_EVAL_CHECK: return gd_eval_check(job);
    case GD_EVAL_JACOBIAN:
    case GD_EVAL_HESSIAN: return gd_eval_matrix(job);
    default: return products(job);
    }
}

bool gd_function_eval(gd_ctx *ctx, gd_function *f, gd_eval *e, gd_function_fault *fault) {
    gd_job job;
    gd_job_begin(&job, ctx, f, e, fault);
    if (!job.thread) return gd_fault_memory(fault);
    gd_grad_mode mode = ctx->mode;
    bool ok = !gd_stopped(&job) && gd_job_bind(&job);
    if (ok) e->wrt = job.wrt;
    ok = ok && dispatch(&job);
    gd_job_clear(&job);
    ctx->mode = mode;
    return ok;
}
