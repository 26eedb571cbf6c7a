/* inputs.c: what a caller gives for a function's inputs, checked and converted to what the function takes. */
#include <string.h>

#include "core/autograd/autograd.h"
#include "core/function/inside.h"
#include "core/program/natives.h"

/* ---- tensors --------------------------------------------------------------------------------- */

static bool refuse_shape(gd_job *job, const gd_function_input *in, const gd_tensor *t) {
    char got[256], takes[256];
    gd_shape_text(got, sizeof got, t->ndim, t->sizes);
    gd_shape_text(takes, sizeof takes, in->ndim, in->sizes);
    if (job->e->batched)
        return gd_fault_input(
            job->fault, in->name,
            "input '%s' has shape %s, this function takes %s, with one leading axis more for the batch", in->name, got,
            takes);
    return gd_fault_input(job->fault, in->name, "input '%s' has shape %s, this function takes %s", in->name, got,
                          takes);
}

static bool check_batch(gd_job *job, const gd_function_input *in, const gd_tensor *t) {
    if (t->ndim == 0)
        return gd_fault_input(job->fault, in->name, "input '%s' has no leading axis for the batch", in->name);
    if (job->batch < 0) job->batch = t->sizes[0];
    if (job->batch == t->sizes[0]) return true;
    return gd_fault_input(job->fault, in->name, "input '%s' has %lld points along its leading axis, others have %lld",
                          in->name, (long long)t->sizes[0], (long long)job->batch);
}

static bool check_shape(gd_job *job, const gd_function_input *in, const gd_tensor *t) {
    if (job->e->batched && !check_batch(job, in, t)) return false;
    int lead = job->e->batched;
    if (!in->has_shape) return true;
    if (t->ndim - lead == in->ndim &&
        (in->ndim == 0 || !memcmp(t->sizes + lead, in->sizes, (size_t)in->ndim * sizeof *in->sizes)))
        return true;
    return refuse_shape(job, in, t);
}

/* Narrow integers do not wrap around. */
static bool fits(const gd_tensor *from, const gd_tensor *to) {
    if (gd_dtype_is_float((gd_dtype)to->dtype) || from->dtype == to->dtype) return true;
    size_t a = gd_dtype_bytes((gd_dtype)from->dtype), b = gd_dtype_bytes((gd_dtype)to->dtype);
    const char *p = from->data, *q = to->data;
    for (int64_t i = 0; i < to->numel; i++, p += a, q += b)
        if (gd_load_i64((gd_dtype)from->dtype, p) != gd_load_i64((gd_dtype)to->dtype, q)) return false;
    return true;
}

/* New. */
static gd_tensor *contiguous(gd_job *job, gd_tensor *t) {
    return gd_is_contiguous(t) ? gd_retain(t) : gd_do(job->ctx, GD_OP_contiguous, GD_VALUES(GD_TENSOR_VALUE(t)));
}

static bool convert(gd_job *job, const gd_function_input *in, gd_tensor **t) {
    gd_dtype from = (gd_dtype)(*t)->dtype, to = in->dtype;
    if (!in->has_dtype || from == to) return true;
    if (!gd_can_cast(from, to))
        return gd_fault_input(job->fault, in->name, "input '%s' is %s, this function takes %s", in->name,
                              gd_dtype_name(from), gd_dtype_name(to));
    gd_tensor *other = gd_do(job->ctx, GD_OP_to_dtype, GD_VALUES(GD_TENSOR_VALUE(*t), GD_DTYPE_VALUE(to)));
    if (!other) return gd_fault_ctx(job->fault, job->ctx);
    bool ok = fits(*t, other);
    gd_release(*t);
    *t = other;
    if (ok) return true;
    return gd_fault_input(job->fault, in->name, "input '%s' has numbers beyond the range of %s", in->name,
                          gd_dtype_name(to));
}

/* Notes what a point of t is like. A batch of none may have points beyond all bounds. */
static bool set_point(gd_job *job, int i, const gd_tensor *t, gd_dtype dtype) {
    const gd_function_input *in = &job->f->inputs[i].given;
    int lead = job->e->batched;
    bool ok = true;
    job->tensors |= UINT64_C(1) << i;
    job->dtype[i] = dtype;
    job->ndim[i] = t->ndim - lead;
    job->sizes[i] = t->sizes + lead;
    job->numel[i] = 1;
    for (int d = 0; ok && d < job->ndim[i]; d++) ok = gd_mul_i64(job->numel[i], job->sizes[i][d], &job->numel[i]);
    ok = ok && gd_mul_size((size_t)job->numel[i], gd_dtype_bytes(dtype), &job->nbytes[i]);
    return ok || gd_fault_input(job->fault, in->name, "input '%s' has points that are too large", in->name);
}

static bool bind_tensor(gd_job *job, int i, gd_tensor *given) {
    const gd_function_input *in = &job->f->inputs[i].given;
    if (!check_shape(job, in, given)) return false;
    if (job->sketch) return set_point(job, i, given, in->has_dtype ? in->dtype : (gd_dtype)given->dtype);
    job->x[i] = contiguous(job, given);
    if (!job->x[i]) return gd_fault_ctx(job->fault, job->ctx);
    return convert(job, in, &job->x[i]) && set_point(job, i, job->x[i], (gd_dtype)job->x[i]->dtype);
}

/* ---- plain values ---------------------------------------------------------------------------- */

static const char *kind_name(gd_input_kind kind) {
    static const char *const names[] = {[GD_INPUT_TENSOR] = "a tensor",
                                        [GD_INPUT_INT] = "an int",
                                        [GD_INPUT_FLOAT] = "a float",
                                        [GD_INPUT_BOOL] = "a bool",
                                        [GD_INPUT_STR] = "a str"};
    return names[kind];
}

/* A number is taken as a float where one is asked for, as Python does. */
static bool as_kind(gd_input_kind kind, const gd_value *v, gd_value *out) {
    *out = *v;
    switch (kind) {
    case GD_INPUT_INT: return v->kind == GD_V_INT;
    case GD_INPUT_BOOL: return v->kind == GD_V_BOOL;
    case GD_INPUT_STR: return v->kind == GD_V_STR;
    default: break;
    }
    if (v->kind == GD_V_INT) *out = GD_FLOAT_VALUE((double)v->u.integer);
    return v->kind == GD_V_INT || v->kind == GD_V_FLOAT;
}

static bool bind_plain(gd_job *job, int i, const gd_value *v) {
    const gd_function_input *in = &job->f->inputs[i].given;
    if (as_kind(in->kind, v, &job->args[i].value)) return true;
    return gd_fault_input(job->fault, in->name, "input '%s' must be %s", in->name, kind_name(in->kind));
}

/* A plain input may come as a tensor with a single element, where values have no other form. */
static bool bind_item(gd_job *job, int i, const gd_tensor *t) {
    gd_value v;
    if (t->numel == 1 && gd_item(job->ctx, t, &v) == GD_OK) return bind_plain(job, i, &v);
    const gd_function_input *in = &job->f->inputs[i].given;
    return gd_fault_input(job->fault, in->name, "input '%s' must be %s", in->name, kind_name(in->kind));
}

/* A number for a tensor input, as torch.tensor() reads it. */
static bool bind_number(gd_job *job, int i, const gd_value *v) {
    const gd_function_input *in = &job->f->inputs[i].given;
    if (v->kind != GD_V_BOOL && v->kind != GD_V_INT && v->kind != GD_V_FLOAT)
        return gd_fault_input(job->fault, in->name, "input '%s' must be a tensor", in->name);
    gd_tensor *t = gd_from_value(
        job->ctx, v, in->has_dtype && v->kind == GD_V_FLOAT && gd_dtype_is_float(in->dtype) ? &in->dtype : NULL, false);
    if (!t) return gd_fault_ctx(job->fault, job->ctx);
    bool ok = bind_tensor(job, i, t);
    gd_release(t);
    return ok;
}

/* ---- all inputs ------------------------------------------------------------------------------ */

static bool bind_one(gd_job *job, int i) {
    const gd_parameter *p = &job->f->inputs[i];
    gd_tensor *t = job->e->inputs[i];
    const gd_static *s = &job->e->statics[i];
    job->args[i] = (gd_stored_argument){.name = p->given.name, .keyword_only = p->keyword_only};
    if (p->given.kind == GD_INPUT_TENSOR) {
        if (t) return bind_tensor(job, i, t);
        if (s->given) return bind_number(job, i, &s->value);
    } else {
        if (s->given) return bind_plain(job, i, &s->value);
        if (t) return bind_item(job, i, t);
    }
    job->args[i].absent = true;
    if (p->given.has_default) return true;
    return gd_fault_input(job->fault, p->given.name, "input '%s' is missing", p->given.name);
}

static bool differentiable(const gd_job *job, int i) {
    return gd_bit(job->tensors, i) && gd_dtype_is_float(job->dtype[i]);
}

static bool check_wrt(gd_job *job, int i) {
    if (differentiable(job, i)) return true;
    if (i >= job->f->ninputs) return gd_fault(job->fault, GD_E_VALUE, "bad_input", "there is no input number %d", i);
    const char *name = job->f->inputs[i].given.name;
    if (gd_bit(job->tensors, i))
        return gd_fault_input(job->fault, name, "input '%s' is %s: only floating inputs have derivatives", name,
                              gd_dtype_name(job->dtype[i]));
    return gd_fault_input(job->fault, name, "input '%s' is %s: there is no derivative by it", name,
                          job->args[i].absent ? "left out" : "a plain value");
}

static bool resolve_wrt(gd_job *job) {
    gd_eval_kind kind = job->e->kind;
    job->wrt = job->e->wrt;
    if (kind == GD_EVAL_VALUE || kind == GD_EVAL_ABSTRACT) return true;
    for (uint64_t set = job->wrt; set; set &= set - 1)
        if (!check_wrt(job, __builtin_ctzll(set))) return false;
    for (int i = 0; !job->e->wrt && i < job->f->ninputs; i++)
        if (differentiable(job, i)) job->wrt |= UINT64_C(1) << i;
    if (job->wrt) return true;
    return gd_fault(job->fault, GD_E_VALUE, "bad_input", "no input is a floating tensor: there are no derivatives");
}

void gd_job_begin(gd_job *job, gd_ctx *ctx, gd_function *f, gd_eval *e, gd_function_fault *fault) {
    job->registry = f->registry;
    job->thread = gd_thread_of(f->registry);
    job->ctx = ctx;
    job->f = f;
    job->e = e;
    job->fault = fault;
    job->tensors = job->wrt = 0;
    job->sketch = job->called = job->dynamic = false;
    job->exception[0] = 0;
    memset(job->x, 0, (size_t)f->ninputs * sizeof job->x[0]);
}

bool gd_job_bind(gd_job *job) {
    gd_grad_mode mode = job->ctx->mode;
    bool ok = true;
    job->batch = job->e->batched ? -1 : 1;
    job->ctx->mode = GD_MODE_NO_GRAD;
    for (int i = 0; ok && i < job->f->ninputs; i++) ok = bind_one(job, i);
    job->ctx->mode = mode;
    if (ok && job->batch < 0)
        ok = gd_fault(job->fault, GD_E_VALUE, "bad_input", "no input has a leading axis for the batch");
    return ok && resolve_wrt(job);
}

bool gd_job_sketch(gd_job *job) {
    job->sketch = true;
    return gd_job_bind(job);
}

void gd_job_clear(gd_job *job) {
    for (int i = 0; i < job->f->ninputs; i++) gd_release(job->x[i]);
}
