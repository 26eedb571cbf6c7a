/* compile_import.c: from the steps of a trace to values and nodes. */
#include <string.h>

#include "core/plan/compiler.h"

/* ---- what is wanted -------------------------------------------------------------------------------- */

/* Calls `use` for each value that a step reads. */
static void want_inputs(const gd_step *s, bool *values) {
    if (s->is_pointwise)
        for (int k = 0; k < s->pointwise.nin; k++) values[s->pointwise.in[k]] = true;
    for (int i = 0; i < s->nin && !s->is_pointwise; i++)
        if (s->in[i] >= 0) values[s->in[i]] = true;
}

/* Marks the steps that the outputs need, from the last to the first. */
static void mark_wanted(gd_compiler *c, const int32_t *outputs, int noutputs) {
    int n = gd_trace_nsteps(c->trace);
    bool *values = gd_c_new(c, (size_t)gd_trace_nvalues(c->trace), 1), *steps = gd_c_new(c, (size_t)n, 1);
    if (!values || !steps) return;
    for (int i = 0; i < noutputs; i++) values[outputs[i]] = true;
    for (int i = n - 1; i >= 0; i--) {
        const gd_step *s = gd_trace_step(c->trace, i);
        steps[i] = s->guard;
        for (int k = 0; k < s->nout; k++) steps[i] |= values[s->out + k];
        if (steps[i]) want_inputs(s, values);
    }
    c->wanted = steps;
}

int32_t gd_c_value_of(gd_compiler *c, int32_t traced) {
    if (c->failed) return -1;
    if (c->map[traced] < 0) { /* steps map their results; inputs are mapped from the start */
        const gd_traced *t = gd_trace_at(c->trace, traced);
        if (t->kind == GD_TRACED_CONSTANT) c->map[traced] = gd_c_constant(c, t->tensor);
    }
    if (c->map[traced] < 0 && !c->failed) {
        gd_fail(c->ctx, GD_E_STATE, "a step of the trace reads a value that no step made");
        c->failed = true;
    }
    return c->map[traced];
}

/* ---- pointwise steps --------------------------------------------------------------------------------- */

static void pointwise_step(gd_compiler *c, const gd_step *step) {
    const gd_pointwise_step *p = &step->pointwise;
    const gd_tensor *out = gd_trace_at(c->trace, step->out)->tensor;
    int64_t shape[2 * GD_MAX_DIMS];
    gd_pointwise_recipe r = {.loop = p->loop,
                             .kernel = p->kernel,
                             .compute = p->compute,
                             .result = p->result,
                             .condition = p->condition,
                             .nin = p->nin,
                             .extra_bytes = p->extra_bytes,
                             .extra = p->extra,
                             .ndim = out->ndim,
                             .sizes = shape};
    memcpy(shape, out->sizes, (size_t)out->ndim * sizeof *shape);
    gd_c_layout(out, shape + out->ndim);
    for (int k = 0; k < p->nin; k++) {
        r.in[k] = gd_c_value_of(c, p->in[k]);
        if (r.in[k] < 0) return;
    }
    c->map[step->out] = gd_c_pointwise(c, &r);
}

/* ---- other steps -------------------------------------------------------------------------------------- */

static void key_argument(gd_compiler *c, const gd_value *v) {
    gd_c_key(c, (int64_t)v->kind << 32 | v->n);
    switch (v->kind) {
    case GD_V_BOOL: gd_c_key(c, v->u.boolean); break;
    case GD_V_DTYPE: gd_c_key(c, (int64_t)v->u.dtype); break;
    case GD_V_INT: gd_c_key(c, v->u.integer); break;
    case GD_V_FLOAT: gd_c_key_bytes(c, &v->u.real, sizeof v->u.real); break;
    case GD_V_STR: gd_c_key_bytes(c, v->u.str, strlen(v->u.str)); break;
    case GD_V_INTS: gd_c_key_bytes(c, v->u.ints, v->n * sizeof *v->u.ints); break;
    case GD_V_FLOATS: gd_c_key_bytes(c, v->u.floats, v->n * sizeof *v->u.floats); break;
    default: break; /* tensors are keyed as values */
    }
}

static void key_step(gd_compiler *c, const gd_step *step, const int32_t *in) {
    gd_c_key_start(c, step->inplace ? 'i' : 'o');
    gd_c_key(c, step->op->id);
    for (int i = 0; i < step->nargs; i++) key_argument(c, &step->args[i]);
    for (int i = 0; i < step->nin; i++) gd_c_key(c, in[i]);
}

static const int32_t *inputs_of(gd_compiler *c, const gd_step *step) {
    int32_t *in = gd_c_new(c, (size_t)step->nin, sizeof *in);
    for (int i = 0; in && i < step->nin; i++) {
        in[i] = step->in[i] < 0 ? -1 : gd_c_value_of(c, step->in[i]);
        if (step->in[i] >= 0 && in[i] < 0) return NULL;
    }
    return in;
}

/* A result of an eager step: laid out as the traced one was. */
static int32_t step_result(gd_compiler *c, int32_t node, const gd_tensor *traced) {
    gd_cvalue v = {.kind = GD_C_RESULT, .source = node, .absent = !traced};
    int64_t strides[GD_MAX_DIMS];
    if (!traced) return gd_c_value(c, &v, NULL, NULL);
    v.dtype = (gd_dtype)traced->dtype;
    v.ndim = traced->ndim;
    v.wrapped = (traced->flags & GD_F_WRAPPED_NUMBER) != 0;
    gd_c_layout(traced, strides);
    return gd_c_value(c, &v, traced->sizes, strides);
}

static void other_step(gd_compiler *c, const gd_step *step) {
    const int32_t *in = inputs_of(c, step);
    if (!in) return;
    key_step(c, step, in);
    int32_t first = gd_c_known(c);
    bool known = first >= 0 && !(step->op->flags & GD_RANDOM);
    if (!known) {
        const gd_cnode node = {.kind = GD_N_STEP, .step = step, .nin = step->nin, .in = in, .nout = step->nout};
        int32_t index = gd_c_node(c, &node);
        if (index < 0) return;
        first = c->nvalues;
        c->nodes[index].out = first;
        for (int i = 0; i < step->nout; i++)
            if (step_result(c, index, gd_trace_at(c->trace, step->out + i)->tensor) < 0) return;
        gd_c_remember(c, first);
    }
    for (int i = 0; i < step->nout; i++) c->map[step->out + i] = first + i;
}

/* A view that needs no copy, for one that was taken of a fresh tensor. */
static bool is_view(const gd_step *s) {
    int id = s->op->id;
    return !s->inplace && (s->op->flags & GD_VIEW || id == GD_OP__unsafe_view || id == GD_OP__squeeze_fresh);
}

static void import_step(gd_compiler *c, const gd_step *s) {
    if (is_view(s))
        gd_c_view_step(c, s);
    else if (s->is_pointwise)
        pointwise_step(c, s);
    else if (!gd_c_row(c, s))
        other_step(c, s);
}

static void import_inputs(gd_compiler *c) {
    int64_t strides[GD_MAX_DIMS];
    for (int32_t i = 0; i < gd_trace_nvalues(c->trace); i++) {
        const gd_traced *t = gd_trace_at(c->trace, i);
        if (t->kind != GD_TRACED_INPUT) continue;
        const gd_cvalue v = {
            .kind = GD_C_INPUT, .dtype = (gd_dtype)t->tensor->dtype, .ndim = t->tensor->ndim, .source = t->step};
        gd_contiguous_strides(t->tensor->ndim, t->tensor->sizes, strides);
        c->map[i] = gd_c_value(c, &v, t->tensor->sizes, strides);
    }
}

/* What the outputs need, marked from the last node to the first: simplifying leaves nodes behind. */
static void mark_alive(gd_compiler *c) {
    bool *needed = gd_c_new(c, (size_t)c->nvalues, 1);
    if (!needed) return;
    for (int i = 0; i < c->plan->noutputs; i++) needed[c->values[c->outputs[i]].root] = true;
    for (int32_t i = c->nnodes - 1; i >= 0; i--) {
        gd_cnode *node = &c->nodes[i];
        bool guard = node->kind == GD_N_STEP && node->step->guard, empty = false;
        node->alive = guard;
        for (int k = 0; k < node->nout; k++) node->alive |= needed[node->out + k];
        if (node->kind == GD_N_POINTWISE) empty = c->values[node->out].numel == 0; /* reads nothing */
        for (int k = 0; k < node->nin && node->alive && !empty; k++)
            if (node->in[k] >= 0) needed[c->values[node->in[k]].root] = true;
    }
}

void gd_c_import(gd_compiler *c, const int32_t *outputs, int noutputs) {
    mark_wanted(c, outputs, noutputs);
    c->map = gd_c_new(c, (size_t)gd_trace_nvalues(c->trace), sizeof *c->map);
    if (c->failed) return;
    memset(c->map, -1, (size_t)gd_trace_nvalues(c->trace) * sizeof *c->map);
    import_inputs(c);
    for (int i = 0; i < gd_trace_nsteps(c->trace) && !c->failed; i++)
        if (c->wanted[i]) import_step(c, gd_trace_step(c->trace, i));
    for (int i = 0; i < noutputs && !c->failed; i++) c->outputs[i] = gd_c_value_of(c, outputs[i]);
    if (!c->failed) mark_alive(c);
}
