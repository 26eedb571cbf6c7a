/* compile.c: from a trace to a plan: the order of the passes, and the units of the plan. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/compiler.h"

/* ---- eager steps --------------------------------------------------------------------------------------- */

static void *keep_copy(gd_compiler *c, const void *from, size_t bytes) {
    void *p = gd_plan_memory_copy(&c->plan->arena, from, bytes);
    if (!p) gd_c_fail(c);
    return p;
}

static void keep_argument(gd_compiler *c, gd_value *v) {
    if (v->kind == GD_V_STR) v->u.str = keep_copy(c, v->u.str, strlen(v->u.str) + 1);
    if (v->kind == GD_V_INTS) v->u.ints = keep_copy(c, v->u.ints, v->n * sizeof *v->u.ints);
    if (v->kind == GD_V_FLOATS) v->u.floats = keep_copy(c, v->u.floats, v->n * sizeof *v->u.floats);
}

static void keep_outputs(gd_compiler *c, const gd_cnode *node, gd_unit *u) {
    gd_step_output *outputs = gd_c_keep(c, (size_t)node->nout, sizeof *outputs);
    for (int i = 0; outputs && i < node->nout && !c->failed; i++) {
        const gd_cvalue *v = &c->values[node->out + i];
        outputs[i] =
            (gd_step_output){.header = -1, .sizes = v->sizes, .ndim = v->ndim, .dtype = v->dtype, .absent = v->absent};
        if (v->buffer >= 0) outputs[i].header = gd_c_header(c, node->out + i);
    }
    u->outputs = outputs;
    u->nout = node->nout;
}

static const int32_t *headers_of(gd_compiler *c, const int32_t *values, int n) {
    int32_t *headers = gd_c_keep(c, (size_t)n, sizeof *headers);
    for (int i = 0; headers && i < n && !c->failed; i++) headers[i] = values[i] < 0 ? -1 : gd_c_header(c, values[i]);
    return headers;
}

static void make_step(gd_compiler *c, const gd_cnode *node, gd_unit *u) {
    const gd_step *step = node->step;
    gd_value *args = keep_copy(c, step->args, (size_t)step->nargs * sizeof *args);
    for (int i = 0; args && i < step->nargs; i++) keep_argument(c, &args[i]);
    u->kind = GD_UNIT_STEP;
    u->op = step->op;
    u->inplace = step->inplace;
    u->guard = step->guard;
    u->nargs = step->nargs;
    u->args = args;
    u->nheaders = node->nin;
    u->headers = headers_of(c, node->in, node->nin);
    keep_outputs(c, node, u);
}

/* ---- the others ------------------------------------------------------------------------------------------ */

static void make_reduce(gd_compiler *c, const gd_cnode *node, gd_unit *u) {
    const int32_t values[2] = {node->out, node->in[0]};
    u->kind = GD_UNIT_REDUCE;
    u->mask = node->mask;
    u->nheaders = 2;
    u->headers = headers_of(c, values, 2);
}

static void make_fill(gd_compiler *c, const gd_cnode *node, gd_unit *u) {
    int32_t *values = gd_c_new(c, 2 * (size_t)node->nin + 1, sizeof *values);
    if (!values) return;
    values[u->nheaders++] = node->out;
    for (int i = 0; i < node->nin; i++) {
        if (node->in[i] < 0) continue;
        values[u->nheaders++] = node->parts[i];
        values[u->nheaders++] = node->in[i];
    }
    u->kind = GD_UNIT_FILL;
    u->zero = node->zero;
    u->headers = headers_of(c, values, u->nheaders);
}

static void make_unit(gd_compiler *c, int32_t unit, gd_unit *u) {
    const gd_cnode *node = &c->nodes[c->units[unit].first];
    if (c->units[unit].fused) {
        u->kind = GD_UNIT_FUSED;
        u->fused = gd_c_fuse(c, unit);
    } else if (node->kind == GD_N_STEP) {
        make_step(c, node, u);
    } else if (node->kind == GD_N_FILL) {
        make_fill(c, node, u);
    } else {
        make_reduce(c, node, u);
    }
}

/* What the unit reads for the last time of what is held. */
static void add_deaths(gd_compiler *c, int32_t unit, gd_unit *u) {
    int n = 0;
    for (int32_t i = c->deaths_first[unit]; i >= 0; i = c->deaths_next[i])
        n += c->buffers[c->values[i].buffer].kind == GD_BUFFER_HELD;
    int32_t *dies = gd_c_keep(c, (size_t)n, sizeof *dies);
    for (int32_t i = c->deaths_first[unit]; dies && i >= 0; i = c->deaths_next[i]) {
        const gd_plan_buffer *b = &c->buffers[c->values[i].buffer];
        if (b->kind == GD_BUFFER_HELD) dies[u->ndies++] = b->nr;
    }
    u->dies = dies;
}

/* ---- cost ------------------------------------------------------------------------------------------------------- */

/* A guess, in seconds, from the times that kernels take here: a call, elements, and what grows as products of matrices
 * do. */
static double cost_of(const gd_compiler *c, const gd_unit *u) {
    double largest = 0, all = 0;
    if (u->kind == GD_UNIT_FUSED) {
        double blocks = 1 + (double)u->fused->numel / (double)(u->fused->block ? u->fused->block : 1);
        return u->fused->ninstructions * (15e-9 * blocks + 0.5e-9 * (double)u->fused->numel);
    }
    for (int i = 0; i < u->nheaders; i++) {
        double n = u->headers[i] < 0 ? 0 : (double)c->headers[u->headers[i]].numel;
        all += n;
        largest = n > largest ? n : largest;
    }
    return u->kind == GD_UNIT_STEP ? 0.5e-6 + 2e-9 * all + 2e-10 * largest * sqrt(largest) : 60e-9 + 0.3e-9 * all;
}

/* ---- outputs ----------------------------------------------------------------------------------------------- */

/* Copies what does not lie in its output's place from the start: an input, a view, the same value twice. */
static void copy_output(gd_compiler *c, int i) {
    gd_plan *plan = c->plan;
    int32_t value = c->outputs[i];
    if (c->values[c->values[value].root].buffer == plan->output_buffers[i]) return;
    gd_cvalue v = c->values[value];
    int64_t strides[GD_MAX_DIMS];
    gd_contiguous_strides(v.ndim, v.sizes, strides);
    v = (gd_cvalue){.kind = GD_C_RESULT, .dtype = v.dtype, .ndim = v.ndim, .source = -1};
    int32_t to = gd_c_value(c, &v, c->values[value].sizes, strides);
    int32_t *headers = gd_c_keep(c, 3, sizeof *headers);
    if (to < 0 || !headers) return;
    headers[0] = headers[1] = gd_c_header_at(c, to, plan->output_buffers[i]);
    headers[2] = gd_c_header(c, value);
    plan->units[plan->nunits] = (gd_unit){.kind = GD_UNIT_FILL, .nheaders = 3, .headers = headers};
    plan->units[plan->nunits].text = gd_c_text(c, -1, &plan->units[plan->nunits]);
    if (!c->failed) plan->cost += cost_of(c, &plan->units[plan->nunits]);
    plan->nunits++;
}

static void make_units(gd_compiler *c) {
    gd_plan *plan = c->plan;
    plan->units = gd_c_keep(c, (size_t)c->nunits + (size_t)plan->noutputs, sizeof *plan->units);
    for (int32_t i = 0; i < c->nunits && !c->failed; i++) {
        gd_unit *u = &plan->units[plan->nunits];
        make_unit(c, i, u);
        if (c->failed) return;
        add_deaths(c, i, u);
        u->text = gd_c_text(c, i, u);
        plan->cost += cost_of(c, u);
        plan->nunits++;
    }
    for (int i = 0; i < plan->noutputs && !c->failed; i++) copy_output(c, i);
}

/* ---- all of it ----------------------------------------------------------------------------------------------- */

static void describe_place(gd_plan_place *place, const gd_cvalue *v) {
    *place = (gd_plan_place){.dtype = v->dtype, .ndim = v->ndim, .sizes = v->sizes, .numel = v->numel};
    place->nbytes = (size_t)v->numel * gd_dtype_bytes(v->dtype);
}

static void describe_places(gd_compiler *c) {
    for (int32_t i = 0; i < c->nvalues; i++)
        if (c->values[i].kind == GD_C_INPUT) describe_place(&c->plan->inputs[c->values[i].source], &c->values[i]);
    for (int i = 0; i < c->plan->noutputs; i++) describe_place(&c->plan->outputs[i], &c->values[c->outputs[i]]);
}

/* The tables that grew become the plan's. */
static void hand_over(gd_compiler *c) {
    gd_plan *plan = c->plan;
    plan->buffers = keep_copy(c, c->buffers, (size_t)c->nbuffers * sizeof *c->buffers);
    plan->headers = keep_copy(c, c->headers, (size_t)c->nheaders * sizeof *c->headers);
    plan->constants = keep_copy(c, c->kept, (size_t)c->nkept * sizeof *c->kept);
    if (c->failed) return;
    plan->nbuffers = c->nbuffers;
    plan->nheaders = c->nheaders;
    plan->nconstants = c->nkept;
    c->nkept = 0;
    plan->register_bytes = (plan->register_bytes + 63) & ~(size_t)63;
    for (int32_t i = 0; i < plan->nbuffers; i++)
        if (plan->buffers[i].kind == GD_BUFFER_FRAME) plan->buffers[i].at += plan->register_bytes;
    if (!gd_add_size(plan->frame_bytes, plan->register_bytes, &plan->frame_bytes)) gd_c_fail(c);
}

static void compile(gd_compiler *c, const int32_t *outputs, int noutputs) {
    gd_plan *plan = c->plan;
    plan->ninputs = gd_trace_ninputs(c->trace);
    plan->noutputs = noutputs;
    plan->inputs = gd_c_keep(c, (size_t)plan->ninputs, sizeof *plan->inputs);
    plan->outputs = gd_c_keep(c, (size_t)noutputs, sizeof *plan->outputs);
    plan->output_buffers = gd_c_keep(c, (size_t)noutputs, sizeof *plan->output_buffers);
    c->outputs = gd_c_new(c, (size_t)noutputs, sizeof *c->outputs);
    if (!c->failed) gd_c_import(c, outputs, noutputs);
    if (!c->failed) gd_c_units(c);
    if (!c->failed) gd_c_buffers(c);
    if (!c->failed) describe_places(c);
    if (!c->failed) make_units(c);
    if (!c->failed) hand_over(c);
}

static void compiler_free(gd_compiler *c) {
    for (int32_t i = 0; i < c->nkept; i++) gd_storage_release(c->kept[i]);
    free(c->kept);
    free(c->values);
    free(c->nodes);
    free(c->units);
    free(c->key);
    free(c->buffers);
    free(c->headers);
    gd_plan_memory_free(&c->scratch);
}

static gd_code check_outputs(gd_ctx *ctx, const gd_trace *trace, const int32_t *outputs, int noutputs) {
    const gd_trace_reason *why = gd_trace_dynamic(trace);
    if (why) return gd_fail(ctx, GD_E_STATE, "cannot be compiled: %s", why->text);
    for (int i = 0; i < noutputs; i++)
        if (outputs[i] < 0 || outputs[i] >= gd_trace_nvalues(trace) || !gd_trace_at(trace, outputs[i])->tensor)
            return gd_fail(ctx, GD_E_ARGUMENT, "output %d is no value of the trace", i);
    return GD_OK;
}

gd_plan *gd_plan_new(gd_ctx *ctx, const gd_trace *trace, const int32_t *outputs, int noutputs) {
    if (check_outputs(ctx, trace, outputs, noutputs)) return NULL;
    gd_compiler c = {.ctx = ctx, .trace = trace};
    c.plan = aligned_alloc(64, sizeof *c.plan);
    if (!c.plan) return gd_fail_memory(ctx), NULL;
    memset(c.plan, 0, sizeof *c.plan);
    atomic_init(&c.plan->refs, 1);
    struct gd_trace *recording = ctx->trace; /* views are applied once more: nobody's business */
    gd_grad_mode mode = ctx->mode;
    ctx->trace = NULL;
    ctx->mode = GD_MODE_NO_GRAD;
    compile(&c, outputs, noutputs);
    ctx->trace = recording;
    ctx->mode = mode;
    compiler_free(&c);
    if (!c.failed) return c.plan;
    gd_plan_release(c.plan);
    return NULL;
}
