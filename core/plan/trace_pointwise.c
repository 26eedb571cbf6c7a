/* trace_pointwise.c: which steps are one pointwise loop over their arguments, so that a plan may fuse them. */
#include <string.h>

#include "core/plan/trace_inside.h"

/* ---- while the row computes ---------------------------------------------------------------------- */

/* A number that gd_number_of made; false for anything else. */
static bool read_number(const gd_tensor *t, gd_value *v) {
    if (t->storage || t->ndim || !(t->flags & GD_F_WRAPPED_NUMBER)) return false;
    if (gd_dtype_is_float((gd_dtype)t->dtype))
        *v = GD_FLOAT_VALUE(gd_load_f64((gd_dtype)t->dtype, t->data));
    else if (t->dtype == GD_BOOL)
        *v = GD_BOOL_VALUE(gd_load_i64(GD_BOOL, t->data) != 0);
    else
        *v = GD_INT_VALUE(gd_load_i64((gd_dtype)t->dtype, t->data));
    return true;
}

static bool is_argument(const gd_apply *a, const gd_tensor *t) {
    for (int i = 0; i < a->nargs; i++)
        if (a->args[i].kind == GD_V_TENSOR && a->args[i].u.tensor == t) return true;
    return false;
}

/* Integer division looks for zeros first, which is the row's business. */
static bool may_fail(const gd_run *r) {
    if (gd_dtype_is_float(r->compute) || r->loop) return false;
    return r->kernel == GD_K_REMAINDER || r->kernel == GD_K_FMOD || r->kernel == GD_K_FLOOR_DIV ||
           r->kernel == GD_K_TRUNC_DIV;
}

void gd_trace_pointwise(const void *run) {
    const gd_run *r = run;
    gd_trace *tr = r->a->ctx->trace;
    if (!tr || tr->dynamic || !tr->depth) return;
    gd_trace_seen *s = &tr->seen;
    s->count++;
    s->strange = s->strange || tr->depth != 1 || may_fail(r) || r->extra_bytes > GD_TRACE_EXTRA_BYTES ||
                 (r->extra && !r->extra_bytes);
    if (s->count != 1 || s->strange) return;
    gd_pointwise_step *p = &s->step;
    *p = (gd_pointwise_step){.loop = r->loop ? r->loop : gd_pointwise_loop(r->kernel, r->compute),
                             .kernel = r->loop ? -1 : (int)r->kernel,
                             .compute = r->compute,
                             .result = r->result,
                             .nin = r->nin,
                             .condition = r->kernel == GD_K_WHERE && !r->loop,
                             .extra_bytes = r->extra ? r->extra_bytes : 0};
    if (p->extra_bytes) memcpy(p->extra, r->extra, p->extra_bytes);
    for (int k = 0; k < r->nin; k++) {
        s->in[k] = is_argument(r->a, r->in[k]) ? r->in[k] : NULL;
        if (!s->in[k] && !read_number(r->in[k], &s->numbers[k])) s->strange = true;
    }
}

void gd_trace_enter(gd_ctx *ctx) {
    gd_trace *tr = ctx->trace;
    if (tr->depth++ == 0) {
        tr->seen.count = 0;
        tr->seen.strange = false;
    }
}

void gd_trace_leave(gd_ctx *ctx) {
    if (ctx->trace) ctx->trace->depth--;
}

/* ---- afterwards ---------------------------------------------------------------------------------- */

/* The value of the tensor argument t of the step. */
static int32_t value_of(const gd_apply *a, const gd_step *step, const gd_tensor *t) {
    int at = 0;
    for (int i = 0; i < a->nargs; i++) {
        const gd_value *v = &a->args[i];
        if (v->kind == GD_V_TENSORS) at += (int)v->n;
        if (v->kind != GD_V_TENSOR || !v->u.tensor) continue;
        if (v->u.tensor == t) return step->in[at];
        at++;
    }
    return -1;
}

static int32_t number_of(gd_trace *tr, const gd_value *v) {
    gd_dtype dtype = v->kind == GD_V_FLOAT ? GD_FLOAT64 : v->kind == GD_V_BOOL ? GD_BOOL : GD_INT64;
    gd_tensor *t = gd_empty(tr->ctx, dtype, 0, NULL);
    if (!t) return -1;
    gd_convert_value(dtype, v, t->data);
    t->flags = GD_F_WRAPPED_NUMBER;
    int32_t value = gd_trace_append(tr, t, GD_TRACED_CONSTANT, -1, 0);
    gd_release(t);
    return value;
}

/* clone and its like: one conversion. */
static bool is_copy(const gd_op *op) {
    return op->id == GD_OP_clone || op->id == GD_OP__to_copy || op->id == GD_OP__contiguous_copy;
}

static void take_copy(gd_step *step, gd_dtype dtype) {
    gd_loop loop = gd_pointwise_loop(GD_K_COPY, dtype);
    if (!loop) return;
    step->is_pointwise = true;
    step->pointwise = (gd_pointwise_step){
        .loop = loop, .kernel = GD_K_COPY, .compute = dtype, .result = dtype, .nin = 1, .in = {step->in[0]}};
}

gd_code gd_trace_take_pointwise(gd_trace *tr, const gd_apply *a, gd_step *step, const gd_tensor *out) {
    const gd_trace_seen *s = &tr->seen;
    if (!out) return GD_OK;
    if (is_copy(a->op)) return take_copy(step, (gd_dtype)out->dtype), GD_OK;
    if (s->count != 1 || s->strange || (gd_dtype)out->dtype != s->step.result) return GD_OK;
    step->pointwise = s->step;
    for (int k = 0; k < s->step.nin; k++) {
        int32_t value = s->in[k] ? value_of(a, step, s->in[k]) : number_of(tr, &s->numbers[k]);
        if (value < 0) return s->in[k] ? GD_OK : tr->ctx->error.code;
        step->pointwise.in[k] = value;
    }
    step->is_pointwise = true;
    return GD_OK;
}
