/* check.c: gradcheck and gradgradcheck of a function at a point, or at each point of a batch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/function/inside.h"

/* PyTorch's own for float64; differences of float32 carry about three digits. */
static const gd_stored_tolerance of_double = {1e-6, 1e-5, 1e-3}, of_single = {1e-2, 1e-3, 5e-2};

static const gd_stored_tolerance *tolerance(const gd_job *job) {
    for (int i = 0; i < job->f->ninputs; i++)
        if (gd_bit(job->wrt, i) && job->x[i]->dtype != GD_FLOAT64) return &of_single;
    return &of_double;
}

/* Leaves of the point, in the arguments. */
static bool make_leaves(const gd_job *job, int64_t point, gd_tensor **x, gd_stored_argument *args) {
    gd_ctx *ctx = job->ctx;
    for (int i = 0; i < job->f->ninputs; i++) {
        args[i] = job->args[i];
        if (!job->x[i]) continue;
        x[i] = gd_empty(ctx, (gd_dtype)job->x[i]->dtype, job->ndim[i], job->sizes[i]);
        if (!x[i]) return gd_fault_ctx(job->fault, ctx);
        if (x[i]->numel) memcpy(x[i]->data, job->x[i]->data + (size_t)point * job->nbytes[i], job->nbytes[i]);
        if (gd_bit(job->wrt, i) && gd_set_requires_grad(ctx, x[i], true) != GD_OK) return gd_fault_ctx(job->fault, ctx);
        args[i].value = GD_TENSOR_VALUE(x[i]);
    }
    return true;
}

static void keep_text(gd_check_report *report, const char *text) {
    if (!report->text[0]) (void)snprintf(report->text, sizeof report->text, "%.1000s", text);
}

static bool check_second(gd_job *job, gd_home *home, const gd_stored_argument *args, gd_check_report *report) {
    gd_stored_check second;
    bool done = gd_stored_gradcheck(home->run, job->f->def, args, job->f->ninputs, true, tolerance(job), &second);
    const gd_program_result *failure = gd_stored_failure(home->run);
    if (!done && failure->status == GD_PROGRAM_LIMIT) return gd_fault_program(job->fault, failure);
    report->second_tried = report->second_tried && done;
    report->second_ok = report->second_ok && done && second.ok;
    if (second.worst > report->second_error) report->second_error = second.worst;
    keep_text(report, done ? second.text : failure->message ? failure->message : "");
    return true;
}

static bool check_point(gd_job *job, int64_t point, gd_check_report *report) {
    gd_tensor *x[GD_FUNCTION_INPUTS] = {0};
    gd_stored_argument args[GD_FUNCTION_INPUTS];
    gd_home home = {0};
    gd_stored_check first;
    bool ok = gd_home_open(&home, job->ctx, job->f, job->e->stop, job->fault) && make_leaves(job, point, x, args);
    if (ok && !gd_stored_gradcheck(home.run, job->f->def, args, job->f->ninputs, false, tolerance(job), &first))
        ok = gd_fault_program(job->fault, gd_stored_failure(home.run));
    if (ok) {
        report->gradient_ok = report->gradient_ok && first.ok;
        if (first.worst > report->gradient_error) report->gradient_error = first.worst;
        keep_text(report, first.text);
        ok = check_second(job, &home, args, report);
    }
    for (int i = 0; i < job->f->ninputs; i++) gd_release(x[i]);
    gd_home_close(&home);
    return ok;
}

bool gd_eval_check(gd_job *job) {
    gd_held *h = job->e->hold = calloc(1, sizeof *h);
    if (!h) return gd_fault_memory(job->fault);
    job->e->report = h->report = calloc(1, sizeof *h->report);
    if (!h->report) return gd_fault_memory(job->fault);
    h->report->gradient_ok = h->report->second_ok = h->report->second_tried = true;
    for (int64_t b = 0; b < job->batch; b++)
        if (gd_stopped(job) || !check_point(job, b, h->report)) return false;
    return true;
}
