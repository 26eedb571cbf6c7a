/* product.c: which product an evaluation asks for, and how long it may take. */
#include "core/function/plans.h"

uint64_t gd_given(gd_tensor *const *given) {
    uint64_t set = 0;
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++)
        if (given[i]) set |= UINT64_C(1) << i;
    return set;
}

static bool check_tangents(gd_job *job, uint64_t set) {
    const char *what = job->e->kind == GD_EVAL_JVP ? "tangent" : "vector";
    if (!set) return gd_fault(job->fault, GD_E_VALUE, "bad_input", "there is no %s", what);
    for (; set; set &= set - 1) {
        int i = __builtin_ctzll(set);
        if (i >= job->f->ninputs)
            return gd_fault(job->fault, GD_E_VALUE, "bad_input", "there is no input number %d", i);
        if (gd_bit(job->tensors, i) && gd_dtype_is_float(job->dtype[i])) continue;
        return gd_fault_input(job->fault, job->f->inputs[i].given.name,
                              "input '%s' is no floating tensor: it takes no %s", job->f->inputs[i].given.name, what);
    }
    return true;
}

static gd_product product_kind(gd_eval_kind kind) {
    if (kind == GD_EVAL_JACOBIAN) kind = GD_EVAL_VJP;
    if (kind == GD_EVAL_HESSIAN) kind = GD_EVAL_HVP;
    return (gd_product){.kind = kind <= GD_EVAL_HVP ? kind : GD_EVAL_VALUE};
}

static bool vjp_of(gd_job *job, gd_product *what) {
    gd_eval *e = job->e;
    bool matrix = e->kind == GD_EVAL_JACOBIAN;
    what->wrt = job->wrt;
    what->cotangents = matrix ? e->outputs_wanted : gd_given(e->vectors);
    if (what->cotangents) return true;
    what->cotangents = UINT64_MAX;
    return matrix || gd_fault(job->fault, GD_E_VALUE, "bad_input", "there is no cotangent");
}

static bool hvp_of(gd_job *job, gd_product *what) {
    gd_eval *e = job->e;
    what->wrt = job->wrt;
    what->cotangents = gd_given(e->cotangents);
    what->tangents = e->kind == GD_EVAL_HESSIAN ? job->wrt : gd_given(e->vectors);
    return check_tangents(job, what->tangents);
}

bool gd_product_of(gd_job *job, gd_product *what) {
    gd_eval *e = job->e;
    *what = product_kind(e->kind);
    switch (what->kind) {
    case GD_EVAL_GRADIENT: what->wrt = job->wrt; return true;
    case GD_EVAL_VJP: return vjp_of(job, what);
    case GD_EVAL_HVP: return hvp_of(job, what);
    case GD_EVAL_JVP:
        what->wanted = e->outputs_wanted ? e->outputs_wanted : UINT64_MAX;
        what->tangents = gd_given(e->vectors);
        return check_tangents(job, what->tangents);
    default: return true;
    }
}

/* ---- cost ------------------------------------------------------------------------------------ */

/* How many products there are at a point. */
static double times(const gd_job *job, const gd_planned *p) {
    double rows = 0;
    switch (job->e->kind) {
    case GD_EVAL_JACOBIAN:
        for (int i = 0; i < p->layout->n; i++) rows += (double)p->layout->places[i].numel;
        return rows;
    case GD_EVAL_HESSIAN:
        for (int i = 0; i < job->f->ninputs; i++) rows += gd_bit(job->wrt, i) ? (double)job->numel[i] : 0;
        return rows;
    default: break;
    }
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++) { /* at most that many vectors at once */
        const gd_tensor *t = job->e->vectors[i];
        double n = t && t->ndim > job->e->batched ? (double)t->sizes[job->e->batched] : 1;
        if (n > rows) rows = n;
    }
    return rows;
}

enum { SMALL_MICROSECONDS = 1000 };

bool gd_function_is_small(gd_function *f, const gd_eval *e) {
    gd_function_fault fault;
    gd_product what;
    gd_job job;
    gd_ctx *ctx = gd_functions_ctx(f->registry);
    if (!ctx || e->kind == GD_EVAL_CHECK) return false;
    fault.kind = NULL;
    gd_job_begin(&job, ctx, f, (gd_eval *)(uintptr_t)e, &fault); /* a sketch writes nothing into it */
    if (!gd_job_sketch(&job) || !gd_product_of(&job, &what)) return fault.kind != NULL; /* refused at once */
    gd_planned *p = gd_plans_find(&job, &what);
    bool small = p && p->plan && gd_plan_cost(p->plan) * (double)job.batch * times(&job, p) * 1e6 < SMALL_MICROSECONDS;
    gd_planned_release(p);
    return small;
}
