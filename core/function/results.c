/* results.c: where the results of an evaluation lie, from their making to gd_eval_clear. */
#include <stdlib.h>

#include "core/function/inside.h"

bool gd_stopped(const gd_job *job) {
    const _Atomic bool *stop = job->e->stop;
    if (!stop || !atomic_load_explicit(stop, memory_order_relaxed)) return false;
    gd_fault(job->fault, GD_E_VALUE, "program_limit", "the evaluation was stopped");
    return true;
}

gd_tensor *gd_result_new(const gd_job *job, gd_dtype dtype, int64_t stacked, gd_shape_of outer, gd_shape_of inner) {
    int64_t sizes[GD_MAX_DIMS + 2];
    int n = 0;
    gd_tensor *t = NULL;
    if (job->e->batched) sizes[n++] = job->batch;
    if (stacked >= 0) sizes[n++] = stacked;
    if (n + outer.ndim + inner.ndim > GD_MAX_DIMS) {
        gd_fault(job->fault, GD_E_TOO_LARGE, NULL, "a result would have more than %d dimensions", GD_MAX_DIMS);
        return NULL;
    }
    for (int i = 0; i < outer.ndim; i++) sizes[n++] = outer.sizes[i];
    for (int i = 0; i < inner.ndim; i++) sizes[n++] = inner.sizes[i];
    t = gd_empty(job->ctx, dtype, n, sizes);
    if (!t) gd_fault_ctx(job->fault, job->ctx);
    return t;
}

gd_shape_of gd_shape_of_output(const gd_answer_layout *l, int i) {
    return (gd_shape_of){l->places[i].ndim, l->places[i].sizes};
}

/* Forgets what an earlier attempt left. */
static void held_clear(gd_held *h, gd_eval *e) {
    for (int i = 0; h->values && i < h->layout->n; i++) gd_release(h->values[i]);
    for (int i = 0; h->results && i < h->nresults; i++) gd_release(h->results[i]);
    gd_answer_layout_release(h->layout);
    free(h->values);
    free(h->results);
    free(h->outputs);
    free(h->sizes);
    free(h->report);
    *h = (gd_held){0};
    e->values = e->results = NULL;
    e->outputs = NULL;
    e->noutputs = e->nresults = 0;
}

static gd_held *held_of(gd_job *job) {
    if (!job->e->hold) job->e->hold = calloc(1, sizeof(gd_held));
    if (!job->e->hold) gd_fault_memory(job->fault);
    return job->e->hold;
}

bool gd_held_open(gd_job *job, gd_answer_layout *layout, int nresults) {
    gd_eval *e = job->e;
    gd_held *h = held_of(job);
    if (!h) return false;
    held_clear(h, e);
    h->layout = gd_answer_layout_retain(layout);
    h->values = calloc((size_t)layout->n + 1, sizeof *h->values);
    h->results = calloc((size_t)nresults + 1, sizeof *h->results);
    if (!h->values || !h->results) return gd_fault_memory(job->fault);
    h->nresults = nresults;
    for (int i = 0; i < layout->n && e->kind != GD_EVAL_ABSTRACT; i++) {
        h->values[i] = gd_result_new(job, layout->places[i].dtype, -1, gd_shape_of_output(layout, i), (gd_shape_of){0});
        if (!h->values[i]) return false;
    }
    e->noutputs = layout->n;
    e->values = e->kind == GD_EVAL_ABSTRACT ? NULL : h->values;
    e->output_names = layout->names;
    e->named = layout->named;
    e->nresults = nresults;
    e->results = h->results;
    return true;
}

void gd_eval_clear(gd_eval *e) {
    gd_held *h = e->hold;
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++) {
        if (e->inputs[i]) gd_release(e->inputs[i]);
        if (e->vectors[i]) gd_release(e->vectors[i]);
        if (e->cotangents[i]) gd_release(e->cotangents[i]);
    }
    if (h) held_clear(h, e);
    free(h);
    *e = (gd_eval){0};
}
