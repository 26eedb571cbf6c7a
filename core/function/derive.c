/* derive.c: a function and its derivatives at one point, by the evaluator and the engine's backward. A trace of this
 * very code is what plans are made of (compile.c), and where a trace is of no use it is the answer itself (run.c).
 *
 * Note [Leaves]: as PyTorch would do it, the inputs that are differentiated by are leaves that require a gradient, the
 * others do not. A program may write into its input, which no leaf allows, or ask for a gradient by an input itself,
 * which must then require one. Both fail first, and are then done anew: with copies of the leaves as arguments; with
 * all floating inputs requiring a gradient.
 *
 * Note [Twice]: J v by two backwards: g(u) = J^T u is linear in u, so the gradient of <g(u), v> by u is J v, whatever
 * u.
 */
#include "core/autograd/autograd.h"
#include "core/function/inside.h"
#include "core/plan/jvp.h"
#include "core/program/natives.h"

#include <string.h>

static gd_ctx *ctx_of(const gd_derivation *d) { return d->job->ctx; }
static bool engine_failed(const gd_derivation *d) { return gd_fault_ctx(d->job->fault, ctx_of(d)); }

/* ---- the function's call --------------------------------------------------------------------- */

static bool wants_grad(const gd_derivation *d, int i) {
    const gd_product *w = &d->what;
    if (!gd_dtype_is_float((gd_dtype)d->job->x[i]->dtype)) return false;
    if (d->all_grad) return true;
    switch (w->kind) {
    case GD_EVAL_GRADIENT:
    case GD_EVAL_VJP: return gd_bit(w->wrt, i);
    case GD_EVAL_HVP: return gd_bit(w->wrt | w->tangents, i);
    case GD_EVAL_JVP: return gd_bit(w->tangents, i);
    default: return false;
    }
}

static bool make_leaf(gd_derivation *d, int i, const void *bytes) {
    gd_job *job = d->job;
    gd_tensor *t = gd_empty(job->ctx, (gd_dtype)job->x[i]->dtype, job->ndim[i], job->sizes[i]);
    if (!t) return engine_failed(d);
    d->x[i] = t;
    if (t->numel) memcpy(t->data, bytes, job->nbytes[i]);
    if (d->trace && gd_trace_input(d->trace, t) != GD_OK) return engine_failed(d);
    return !wants_grad(d, i) || gd_set_requires_grad(job->ctx, t, true) == GD_OK || engine_failed(d);
}

/* The tensor that the program gets for input i; new. */
static gd_tensor *argument(const gd_derivation *d, int i) {
    if (!d->copies) return gd_retain(d->x[i]);
    return gd_do(ctx_of(d), GD_OP_clone, GD_VALUES(GD_TENSOR_VALUE(d->x[i])));
}

static bool call(gd_derivation *d) {
    gd_job *job = d->job;
    gd_stored_argument args[GD_FUNCTION_INPUTS];
    gd_tensor *given[GD_FUNCTION_INPUTS] = {0};
    bool ready = true, ok = false;
    for (int i = 0; ready && i < job->f->ninputs; i++) {
        args[i] = job->args[i];
        if (!job->x[i]) continue;
        given[i] = argument(d, i);
        args[i].value = GD_TENSOR_VALUE(given[i]);
        ready = given[i] || engine_failed(d);
    }
    if (ready) ok = gd_stored_call(d->home.run, job->f->def, args, job->f->ninputs, &d->answer);
    for (int i = 0; i < job->f->ninputs; i++) gd_release(given[i]);
    if (ok || !ready) return ok;
    const gd_program_result *failure = gd_stored_failure(d->home.run);
    if (d->answer.wrong[0]) {
        gd_fault(job->fault, GD_E_VALUE, "bad_function", "%s", d->answer.wrong);
        job->fault->line = job->f->line;
        job->fault->column = job->f->column;
        return false;
    }
    memcpy(job->exception, failure->exception, sizeof job->exception);
    return gd_fault_program(job->fault, failure);
}

static void note_line(void *derivation) {
    gd_derivation *d = derivation;
    d->dynamic_line = gd_stored_line(d->home.run);
}

static bool try_once(gd_derivation *d, const void *const *bytes) {
    gd_job *job = d->job;
    job->called = false;
    if (!gd_home_open(&d->home, job->ctx, job->f, job->e->stop, job->fault)) return false;
    job->called = true;
    if (d->traced && !(d->trace = gd_trace_begin(job->ctx))) return engine_failed(d);
    if (d->trace) gd_trace_on_dynamic(d->trace, note_line, d);
    for (int i = 0; i < job->f->ninputs; i++)
        if (job->x[i] && !make_leaf(d, i, bytes[i])) return false;
    return call(d);
}

/* May it work with other leaves? See Note [Leaves]. */
static bool other_leaves(gd_derivation *d) {
    gd_code code = d->job->fault->code;
    bool *way = code == GD_E_LEAF_INPLACE || code == GD_E_VIEW_INPLACE ? &d->copies
                : code == GD_E_NO_GRAD                                 ? &d->all_grad
                                                                       : NULL;
    if (!way || *way) return false;
    return *way = true;
}

bool gd_derive_start(gd_derivation *d, gd_job *job, const gd_product *what, const void *const *bytes) {
    bool traced = d->traced, twice = d->twice;
    *d = (gd_derivation){.job = job, .what = *what, .traced = traced, .twice = twice || !traced};
    while (!try_once(d, bytes)) {
        gd_derivation again = {.job = job, .what = *what, .traced = traced, .twice = d->twice};
        again.copies = d->copies;
        again.all_grad = d->all_grad;
        gd_derive_end(d);
        *d = again;
        if (!other_leaves(d)) return false;
    }
    return true;
}

static void release_all(gd_tensor **tensors) {
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++) {
        gd_release(tensors[i]);
        tensors[i] = NULL;
    }
}

void gd_derive_end(gd_derivation *d) {
    const gd_trace_reason *why = d->trace ? gd_trace_dynamic(d->trace) : NULL;
    if (why) d->job->dynamic = !why->failure;
    gd_trace_free(d->trace);
    d->trace = NULL;
    release_all(d->first);
    release_all(d->u);
    gd_stored_answer_clear(&d->answer);
    release_all(d->x);
    gd_home_close(&d->home);
}

/* ---- gradients ------------------------------------------------------------------------------- */

typedef struct pull {
    gd_tensor *outputs[GD_FUNCTION_INPUTS], *grads[GD_FUNCTION_INPUTS];
    int n;
} pull;

/* One output and its cotangent (NULL: 1), if there is a graph behind it. */
static void pull_add(pull *p, gd_tensor *output, gd_tensor *grad) {
    if (!output || !gd_requires_grad(output)) return;
    p->outputs[p->n] = output;
    p->grads[p->n++] = grad;
}

static gd_tensor *zeros_like(const gd_derivation *d, const gd_tensor *t) {
    return gd_zeros(ctx_of(d), (gd_dtype)t->dtype, t->ndim, t->sizes);
}

/* The gradients by `inputs`, zeros where there is none. New, into out. */
static bool pull_back(const gd_derivation *d, pull *p, gd_tensor *const *inputs, int n, bool create_graph,
                      gd_tensor **out) {
    const gd_backward_options options = {.create_graph = create_graph, .retain_graph = true, .allow_unused = true};
    memset(out, 0, (size_t)n * sizeof *out);
    if (p->n && gd_autograd_grad(ctx_of(d), p->outputs, p->n, p->grads, inputs, n, &options, out) != GD_OK)
        return engine_failed(d);
    for (int i = 0; i < n; i++)
        if (!out[i] && !(out[i] = zeros_like(d, inputs[i]))) return engine_failed(d);
    return true;
}

/* Inputs of a set, in order. */
static int chosen(const gd_derivation *d, uint64_t set, gd_tensor **out) {
    int n = 0;
    for (int i = 0; i < d->job->f->ninputs; i++)
        if (gd_bit(set, i)) out[n++] = d->x[i];
    return n;
}

/* The one output that a gradient is of. */
static bool scalar(const gd_derivation *d, gd_tensor **out) {
    gd_function_fault *fault = d->job->fault;
    const char *what = d->what.kind == GD_EVAL_HVP ? "cotangents" : "vjp with cotangents";
    if (d->answer.n != 1)
        return gd_fault(fault, GD_E_SHAPE, "not_scalar",
                        "grad can be implicitly created only for scalar outputs: this function has %d outputs, ask for "
                        "%s, which say how much each counts",
                        d->answer.n, what);
    *out = d->answer.tensors[0];
    if ((*out)->numel != 1)
        return gd_fault(fault, GD_E_SHAPE, "not_scalar", "grad can be implicitly created only for scalar outputs");
    if (gd_derive_floats(d, 0)) return true;
    return gd_fault(fault, GD_E_DTYPE, "not_scalar", "the output is %s: only floating outputs have derivatives",
                    gd_dtype_name((gd_dtype)(*out)->dtype));
}

static bool add_outputs(const gd_derivation *d, gd_tensor *const *cotangents, uint64_t which, pull *p) {
    for (int i = 0; i < d->answer.n; i++)
        if (gd_bit(which, i) && gd_derive_floats(d, i) && cotangents[i])
            pull_add(p, d->answer.tensors[i], cotangents[i]);
    return true;
}

/* ---- before the products --------------------------------------------------------------------- */

static bool make_u(gd_derivation *d) {
    for (int i = 0; i < d->answer.n; i++) {
        if (!gd_bit(d->what.wanted, i) || !gd_derive_floats(d, i)) continue;
        d->u[i] = zeros_like(d, d->answer.tensors[i]);
        if (!d->u[i] || gd_set_requires_grad(ctx_of(d), d->u[i], true) != GD_OK) return engine_failed(d);
    }
    return true;
}

/* The recorded gradient by the inputs that have a tangent. */
static bool record_first(gd_derivation *d, pull *p) {
    gd_tensor *inputs[GD_FUNCTION_INPUTS], *out[GD_FUNCTION_INPUTS];
    int n = chosen(d, d->what.tangents, inputs), at = 0;
    bool ok = pull_back(d, p, inputs, n, true, out);
    for (int i = 0; i < d->job->f->ninputs; i++)
        if (gd_bit(d->what.tangents, i)) d->first[i] = out[at++];
    return ok;
}

bool gd_derive_prepare(gd_derivation *d, gd_tensor *const *cotangents) {
    pull p = {.n = 0};
    gd_tensor *output;
    ctx_of(d)->mode = GD_MODE_GRAD;
    if (d->what.kind == GD_EVAL_JVP && d->twice) {
        if (!make_u(d)) return false;
        add_outputs(d, d->u, d->what.wanted, &p);
        return record_first(d, &p);
    }
    if (d->what.kind != GD_EVAL_HVP) return true;
    if (d->what.cotangents) {
        add_outputs(d, cotangents, d->what.cotangents, &p);
    } else {
        if (!scalar(d, &output)) return false;
        pull_add(&p, output, NULL);
    }
    return record_first(d, &p);
}

/* ---- products -------------------------------------------------------------------------------- */

int gd_derive_nresults(const gd_derivation *d) {
    switch (d->what.kind) {
    case GD_EVAL_VALUE: return 0;
    case GD_EVAL_JVP: break;
    default: return __builtin_popcountll(d->what.wrt);
    }
    int n = 0;
    for (int i = 0; i < d->answer.n; i++) n += gd_bit(d->what.wanted, i);
    return n;
}

static bool by_wrt(gd_derivation *d, pull *p, gd_tensor **results) {
    gd_tensor *inputs[GD_FUNCTION_INPUTS];
    int n = chosen(d, d->what.wrt, inputs);
    return pull_back(d, p, inputs, n, false, results);
}

static bool gradient(gd_derivation *d, gd_tensor **results) {
    pull p = {.n = 0};
    gd_tensor *output;
    if (!scalar(d, &output)) return false;
    pull_add(&p, output, NULL);
    return by_wrt(d, &p, results);
}

static void add_first(const gd_derivation *d, gd_tensor *const *vectors, pull *p) {
    for (int i = 0; i < d->job->f->ninputs; i++)
        if (gd_bit(d->what.tangents, i)) pull_add(p, d->first[i], vectors[i]);
}

/* Fills what has no tangent with zeros; outputs that are not wanted have no entry. */
static bool jvp_results(gd_derivation *d, gd_tensor *const *by_output, gd_tensor **results) {
    int at = 0;
    bool ok = true;
    for (int i = 0; i < d->answer.n; i++) {
        if (!gd_bit(d->what.wanted, i)) {
            gd_release(by_output[i]);
            continue;
        }
        results[at] = by_output[i] ? by_output[i] : zeros_like(d, d->answer.tensors[i]);
        ok = results[at++] && ok;
    }
    return ok || engine_failed(d);
}

static bool jvp_twice(gd_derivation *d, gd_tensor *const *vectors, gd_tensor **results) {
    gd_tensor *u[GD_FUNCTION_INPUTS], *found[GD_FUNCTION_INPUTS], *by_output[GD_FUNCTION_INPUTS] = {0};
    pull p = {.n = 0};
    int n = 0, at = 0;
    add_first(d, vectors, &p);
    for (int i = 0; i < d->answer.n; i++)
        if (d->u[i]) u[n++] = d->u[i];
    bool ok = pull_back(d, &p, u, n, false, found);
    for (int i = 0; i < d->answer.n; i++)
        if (d->u[i]) by_output[i] = found[at++];
    return jvp_results(d, by_output, results) && ok;
}

/* The trace's inputs are x in order, then the tangents themselves. */
static bool jvp_forward(gd_derivation *d, gd_tensor *const *vectors, gd_tensor **results) {
    gd_tensor *tangents[2 * GD_FUNCTION_INPUTS] = {0}, *by_output[GD_FUNCTION_INPUTS] = {0};
    int32_t outputs[GD_FUNCTION_INPUTS];
    int n = 0;
    for (int i = 0; i < d->job->f->ninputs; i++)
        if (d->x[i]) tangents[n++] = gd_bit(d->what.tangents, i) ? vectors[i] : NULL;
    for (int i = 0; i < d->answer.n; i++) {
        outputs[i] = gd_trace_value(d->trace, d->answer.tensors[i]);
        if (outputs[i] < 0) return engine_failed(d);
    }
    if (gd_trace_jvp(d->trace, tangents, outputs, d->answer.n, by_output) != GD_OK) return engine_failed(d);
    return jvp_results(d, by_output, results);
}

bool gd_derive_product(gd_derivation *d, gd_tensor *const *vectors, gd_tensor **results) {
    pull p = {.n = 0};
    ctx_of(d)->mode = GD_MODE_GRAD;
    switch (d->what.kind) {
    case GD_EVAL_GRADIENT: return gradient(d, results);
    case GD_EVAL_VJP: return add_outputs(d, vectors, d->what.cotangents, &p) && by_wrt(d, &p, results);
    case GD_EVAL_HVP: add_first(d, vectors, &p); return by_wrt(d, &p, results);
    case GD_EVAL_JVP: return d->twice ? jvp_twice(d, vectors, results) : jvp_forward(d, vectors, results);
    default: return true;
    }
}
