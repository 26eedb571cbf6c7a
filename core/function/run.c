/* run.c: one product at one point, by a plan or by the evaluator: for those who loop over points, vectors and rows. */
#include <string.h>

#include "core/function/compile.h"
#include "core/function/plans.h"

/* ---- the evaluator --------------------------------------------------------------------------- */

static void point_bytes(const gd_job *job, int64_t point, const void **bytes) {
    for (int i = 0; i < job->f->ninputs; i++)
        if (job->x[i]) bytes[i] = job->x[i]->data + (size_t)point * job->nbytes[i];
}

static bool start(gd_runner *r, int64_t point) {
    const void *bytes[GD_FUNCTION_INPUTS] = {0};
    if (r->started) gd_derive_end(&r->derivation);
    r->started = r->prepared = false;
    point_bytes(r->job, point, bytes);
    if (!gd_derive_start(&r->derivation, r->job, &r->what, bytes)) return false;
    r->started = true;
    r->point = r->stands = point;
    return true;
}

static uint64_t floating_outputs(const gd_answer_layout *l) {
    uint64_t set = 0;
    for (int i = 0; i < l->n; i++)
        if (gd_dtype_is_float(l->places[i].dtype)) set |= UINT64_C(1) << i;
    return set;
}

static bool open_evaluator(gd_runner *r) {
    if (!start(r, 0)) return false;
    r->layout = gd_answer_layout_new(&r->derivation.answer);
    if (!r->layout) return gd_fault_memory(r->job->fault);
    r->what.cotangents &= floating_outputs(r->layout);
    r->derivation.what.cotangents = r->what.cotangents;
    return true;
}

static bool other_shapes(const gd_runner *r) {
    return gd_fault(r->job->fault, GD_E_SHAPE, "bad_function",
                    "the function answers tensors of other shapes or dtypes for point %lld than for the first",
                    (long long)r->point);
}

/* A tensor of a vector's bytes; new. */
static gd_tensor *vector(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes, const void *bytes) {
    gd_tensor *t = gd_empty(ctx, dtype, ndim, sizes);
    if (t && t->numel) memcpy(t->data, bytes, gd_nbytes(t));
    return t;
}

static bool take_cotangents(const gd_runner *r, const void *const *bytes, gd_tensor **out) {
    for (int i = 0; i < r->layout->n; i++) {
        const gd_place_of *p = &r->layout->places[i];
        if (!gd_bit(r->what.cotangents, i)) continue;
        out[i] = vector(r->job->ctx, p->dtype, p->ndim, p->sizes, bytes[i]);
        if (!out[i]) return gd_fault_ctx(r->job->fault, r->job->ctx);
    }
    return true;
}

static bool take_tangents(const gd_runner *r, const void *const *bytes, gd_tensor **out) {
    const gd_job *job = r->job;
    for (int i = 0; i < job->f->ninputs; i++) {
        if (!gd_bit(r->what.tangents, i)) continue;
        out[i] = vector(job->ctx, (gd_dtype)job->x[i]->dtype, job->ndim[i], job->sizes[i], bytes[i]);
        if (!out[i]) return gd_fault_ctx(job->fault, job->ctx);
    }
    return true;
}

static void release_all(gd_tensor **t) {
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++) gd_release(t[i]);
}

static bool prepare(gd_runner *r, const void *const *cotangents) {
    gd_tensor *c[GD_FUNCTION_INPUTS] = {0};
    bool first = r->what.kind == GD_EVAL_HVP, ok = !first || take_cotangents(r, cotangents, c);
    if (ok) ok = gd_derive_prepare(&r->derivation, c);
    release_all(c);
    r->prepared = ok;
    return ok;
}

static void put_values(const gd_runner *r, void *const *values) {
    for (int i = 0; values && i < r->layout->n; i++)
        if (values[i]) gd_read_bytes(r->derivation.answer.tensors[i], values[i]);
}

static bool put_results(const gd_runner *r, gd_tensor *const *found, void *const *results) {
    int n = gd_derive_nresults(&r->derivation);
    for (int i = 0; i < n; i++)
        if (results[i]) gd_read_bytes(found[i], results[i]);
    return true;
}

static bool evaluate(gd_runner *r, const void *const *cotangents, const void *const *tangents, void *const *values,
                     void *const *results) {
    gd_tensor *vectors[GD_FUNCTION_INPUTS] = {0}, *found[GD_FUNCTION_INPUTS] = {0};
    if (!gd_answer_layout_fits(r->layout, &r->derivation.answer)) return other_shapes(r);
    put_values(r, values);
    if (r->what.kind == GD_EVAL_VALUE) return true;
    if (!r->prepared && !prepare(r, cotangents)) return false;
    bool ok =
        r->what.kind == GD_EVAL_VJP ? take_cotangents(r, cotangents, vectors) : take_tangents(r, tangents, vectors);
    ok = ok && gd_derive_product(&r->derivation, vectors, found) && put_results(r, found, results);
    release_all(vectors);
    release_all(found);
    return ok;
}

/* ---- plans ----------------------------------------------------------------------------------- */

/* The evaluator does what a plan could not: for other shapes than it was made for, or to tell where an op failed. Alone
 * it begins anew, as the results may be of another shape; one point of a batch must fit in with the others. */
static bool plan_failed(gd_runner *r, const gd_error *error, const void *const *cotangents, const void *const *tangents,
                        void *const *values, void *const *results) {
    gd_fault(r->job->fault, error->code, NULL, "%s", error->message);
    if (error->code == GD_E_MEMORY || error->code == GD_E_BUDGET) return false;
    r->mismatch = !r->job->e->batched;
    if (r->mismatch || (!(r->started && r->stands == r->point) && !start(r, r->point))) return false;
    return evaluate(r, cotangents, tangents, values, results);
}

static gd_code run_frame(const gd_runner *r, const void *const *cotangents, const void *const *tangents,
                         void *const *values, void *const *results, gd_error *error) {
    const gd_job *job = r->job;
    int in = gd_compile_nx(job), out = r->layout->n, n = gd_plan_noutputs(r->planned->plan);
    for (int i = 0; r->what.cotangents >> i && i < r->layout->n; i++)
        if (gd_bit(r->what.cotangents, i)) gd_plan_set_input(r->frame, in++, cotangents[i]);
    for (int i = 0; r->what.tangents >> i && i < job->f->ninputs; i++)
        if (gd_bit(r->what.tangents, i)) gd_plan_set_input(r->frame, in++, tangents[i]);
    for (int i = 0; i < out; i++) gd_plan_set_output(r->frame, i, values ? values[i] : NULL);
    for (int i = out; i < n; i++) gd_plan_set_output(r->frame, i, results[i - out]);
    return gd_plan_run(r->frame, error);
}

static bool run_plan(gd_runner *r, const void *const *cotangents, const void *const *tangents, void *const *values,
                     void *const *results) {
    gd_error error;
    return run_frame(r, cotangents, tangents, values, results, &error) == GD_OK ||
           plan_failed(r, &error, cotangents, tangents, values, results);
}

static void plan_point(gd_runner *r, int64_t point) {
    const gd_job *job = r->job;
    int in = 0;
    for (int i = 0; i < job->f->ninputs; i++)
        if (job->x[i]) gd_plan_set_input(r->frame, in++, job->x[i]->data + (size_t)point * job->nbytes[i]);
}

/* False: with a fault, or without a plan (r->planned NULL) and then without one. */
static bool open_plan(gd_runner *r) {
    const void *bytes[GD_FUNCTION_INPUTS] = {0};
    gd_planned *p = gd_plans_find(r->job, &r->what);
    if (!p) {
        point_bytes(r->job, 0, bytes);
        if (!gd_compile(r->job, &r->what, bytes, &p)) return false;
    }
    if (!p || !p->plan) {
        gd_planned_release(p);
        return true;
    }
    r->frame = gd_plan_frame_take(p->plan);
    if (!r->frame) {
        gd_planned_release(p);
        return gd_fault_memory(r->job->fault);
    }
    r->planned = p;
    r->layout = gd_answer_layout_retain(p->layout);
    r->what.cotangents = p->cotangents;
    return true;
}

/* ---- both ------------------------------------------------------------------------------------ */

bool gd_runner_open(gd_runner *r, gd_job *job, const gd_product *what, bool evaluate_) {
    r->job = job;
    r->what = *what;
    r->point = -1;
    r->layout = NULL;
    r->planned = NULL;
    r->frame = NULL;
    r->started = r->prepared = r->mismatch = false;
    r->derivation.traced = r->derivation.twice = false;
    bool ok = evaluate_ || open_plan(r);
    if (ok && !r->planned) ok = open_evaluator(r);
    if (!ok) gd_runner_close(r);
    return ok;
}

bool gd_runner_point(gd_runner *r, int64_t point) {
    if (r->planned) {
        plan_point(r, point);
        r->point = point;
        return true;
    }
    return r->started && r->stands == point ? true : start(r, point);
}

bool gd_runner_run(gd_runner *r, const void *const *cotangents, const void *const *tangents, void *const *values,
                   void *const *results) {
    return r->planned ? run_plan(r, cotangents, tangents, values, results)
                      : evaluate(r, cotangents, tangents, values, results);
}

bool gd_runner_fork(const gd_runner *r, gd_runner *twin) {
    twin->job = r->job;
    twin->what = r->what;
    twin->layout = r->layout;
    twin->planned = r->planned;
    twin->frame = r->planned ? gd_plan_frame_take(r->planned->plan) : NULL;
    return twin->frame != NULL;
}

bool gd_runner_try(gd_runner *twin, int64_t point, const void *const *cotangents, const void *const *tangents,
                   void *const *values, void *const *results) {
    gd_error error;
    plan_point(twin, point);
    return run_frame(twin, cotangents, tangents, values, results, &error) == GD_OK;
}

void gd_runner_join(gd_runner *twin) {
    if (twin->frame) gd_plan_frame_give(twin->frame);
    twin->frame = NULL;
}

void gd_runner_close(gd_runner *r) {
    if (r->frame) gd_plan_frame_give(r->frame);
    gd_planned_release(r->planned);
    gd_answer_layout_release(r->layout);
    if (r->started) gd_derive_end(&r->derivation);
    r->frame = NULL;
    r->planned = NULL;
    r->layout = NULL;
    r->started = false;
}
