/* engine.c: one backward run over the graph: which nodes, in which order, with which gradients.
 *
 * Everything is iterative and lives in arrays of the run, so a chain of a million nodes needs no more stack than one.
 * A node finds its state by its run_index. Runs nest when a hook starts another over the same nodes: the inner one
 * puts the indexes back.
 */
#include "core/autograd/engine.h"
#include "core/kernels/kernels.h"
#include "core/plan/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 60 /* of backward runs inside hooks; each takes stack */
static _Thread_local int depth;

/* ---- finding the nodes ----------------------------------------------------------------------- */

static bool in_run(const gd_run *run, const gd_node *node) {
    return node->run_index < run->nstates && run->states[node->run_index].node == node;
}

static bool grow_states(gd_run *run) {
    uint32_t cap = run->states_cap ? 2 * run->states_cap : 64;
    size_t bytes;
    if (cap < run->states_cap || !gd_mul_size(cap, sizeof *run->states, &bytes)) return false;
    gd_state *states = realloc(run->states, bytes);
    if (!states) return false;
    run->states = states;
    run->states_cap = cap;
    return true;
}

static uint32_t buffers_of(const gd_node *node) { return node->kind == GD_N_ACCUMULATE ? 1 : node->nouts; }

static gd_code add_node(gd_run *run, gd_node *node) {
    if (in_run(run, node)) return GD_OK;
    uint32_t total;
    if (__builtin_add_overflow(run->nbuffers, buffers_of(node), &total)) return gd_fail_memory(run->ctx);
    if (run->nstates == run->states_cap && !grow_states(run)) return gd_fail_memory(run->ctx);
    run->states[run->nstates] = (gd_state){.node = node, .old_index = node->run_index, .buffers = run->nbuffers};
    node->run_index = run->nstates++;
    run->nbuffers = total;
    return GD_OK;
}

static gd_code find_nodes(gd_run *run, const gd_root *roots, int nroots) {
    for (int i = 0; i < nroots; i++) {
        gd_code code = add_node(run, roots[i].edge.node);
        if (code != GD_OK) return code;
    }
    uint32_t most = 4;
    for (uint32_t i = 0; i < run->nstates; i++) {
        const gd_node *node = run->states[i].node;
        const gd_edge *edges = gd_edges(node);
        if (node->nedges > most) most = node->nedges;
        for (uint32_t k = 0; k < node->nedges; k++) {
            if (!edges[k].node) continue;
            gd_code code = add_node(run, edges[k].node);
            if (code != GD_OK) return code;
            run->states[edges[k].node->run_index].deps++;
        }
    }
    run->out_cap = most;
    return GD_OK;
}

/* Fills `order` with the states, every node before those its edges lead to. */
static void sort_states(const gd_run *run, uint32_t *order, uint32_t *deps) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < run->nstates; i++) {
        deps[i] = run->states[i].deps;
        if (!deps[i]) order[n++] = i;
    }
    for (uint32_t at = 0; at < n; at++) {
        const gd_node *node = run->states[order[at]].node;
        const gd_edge *edges = gd_edges(node);
        for (uint32_t k = 0; k < node->nedges; k++) {
            if (!edges[k].node) continue;
            uint32_t to = edges[k].node->run_index;
            if (--deps[to] == 0) order[n++] = to;
        }
    }
}

/* Only what leads to an input is run. */
static gd_code mark_needed(gd_run *run) {
    size_t bytes;
    uint32_t *order = gd_mul_size(2 * (size_t)run->nstates, sizeof *order, &bytes) ? malloc(bytes) : NULL;
    if (!order) return gd_fail_memory(run->ctx);
    sort_states(run, order, order + run->nstates);
    for (uint32_t i = run->nstates; i-- > 0;) {
        gd_state *state = &run->states[order[i]];
        const gd_edge *edges = gd_edges(state->node);
        for (uint32_t k = 0; k < state->node->nedges && !state->execute; k++)
            state->execute = edges[k].node && run->states[edges[k].node->run_index].needed;
        state->needed = state->execute || state->capture || state->accumulate;
    }
    free(order);
    return GD_OK;
}

static gd_code set_targets(gd_run *run, const gd_edge *targets, int ntargets) {
    run->captures = calloc((size_t)ntargets, sizeof *run->captures);
    if (!run->captures) return gd_fail_memory(run->ctx);
    run->ncaptures = (uint32_t)ntargets;
    for (uint32_t i = 0; i < run->ncaptures; i++) {
        const gd_edge *target = &targets[i];
        if (!target->node || !in_run(run, target->node)) continue;
        gd_state *state = &run->states[target->node->run_index];
        run->captures[i] = (gd_capture){.nr = target->nr, .next = state->capture};
        state->capture = i + 1;
        state->accumulate = run->accumulate && target->node->kind == GD_N_ACCUMULATE;
    }
    return mark_needed(run);
}

gd_code gd_run_open(gd_run *run, const gd_root *roots, int nroots, const gd_edge *targets, int ntargets) {
    if (depth >= MAX_DEPTH)
        return gd_fail(run->ctx, GD_E_STATE, "backward was called from hooks of backward too deeply");
    depth++;
    run->open = true;
    run->restricted = ntargets > 0;
    gd_code code = find_nodes(run, roots, nroots);
    if (code == GD_OK && run->restricted) code = set_targets(run, targets, ntargets);
    if (code != GD_OK) return code;
    run->buffers = calloc((size_t)run->nbuffers + 1, sizeof(gd_tensor *));
    run->heap = malloc(((size_t)run->nstates + 1) * sizeof *run->heap);
    run->out = calloc(run->out_cap, sizeof(gd_tensor *));
    return run->buffers && run->heap && run->out ? GD_OK : gd_fail_memory(run->ctx);
}

void gd_run_close(gd_run *run) {
    if (run->open) depth--;
    for (uint32_t i = 0; depth && i < run->nstates; i++) run->states[i].node->run_index = run->states[i].old_index;
    for (uint32_t i = 0; run->buffers && i < run->nbuffers; i++) gd_release(run->buffers[i]);
    for (uint32_t i = 0; i < run->ncaptures; i++) gd_release(run->captures[i].grad);
    for (size_t i = 0; i < run->nwrites; i++) {
        gd_release(run->writes[i].target);
        gd_release(run->writes[i].grad);
    }
    for (int i = 0; i < run->nshells; i++) gd_release(run->shells[i]);
    free(run->states);
    free(run->buffers);
    free(run->heap);
    free(run->out);
    free(run->captures);
    for (size_t i = 0; i < run->nafter; i++) gd_release(run->after[i].grad);
    free(run->after);
    free(run->writes);
}

/* ---- the heap of ready states: newest node first ----------------------------------------------- */

static uint64_t key(const gd_run *run, uint32_t at) { return run->states[run->heap[at]].node->id; }

static void heap_swap(gd_run *run, uint32_t a, uint32_t b) {
    uint32_t x = run->heap[a];
    run->heap[a] = run->heap[b];
    run->heap[b] = x;
}

static void heap_push(gd_run *run, uint32_t state) {
    uint32_t at = run->nheap++;
    run->heap[at] = state;
    while (at && key(run, at) > key(run, (at - 1) / 2)) {
        heap_swap(run, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static uint32_t heap_pop(gd_run *run) {
    uint32_t top = run->heap[0];
    run->heap[0] = run->heap[--run->nheap];
    for (uint32_t at = 0;;) {
        uint32_t child = 2 * at + 1;
        if (child >= run->nheap) return top;
        if (child + 1 < run->nheap && key(run, child + 1) > key(run, child)) child++;
        if (key(run, child) <= key(run, at)) return top;
        heap_swap(run, at, child);
        at = child;
    }
}

/* ---- gradients on their way ------------------------------------------------------------------ */

/* Adds g (taken) to what has arrived. */
static gd_code add_gradient(gd_run *run, gd_tensor **buffer, gd_tensor *g) {
    if (!*buffer) {
        *buffer = g;
        return GD_OK;
    }
    gd_tensor *sum;
    if (!run->by_ops && gd_is_sole(*buffer)) {
        gd_add_values(*buffer, g);
        gd_release(g);
        return GD_OK;
    }
    sum = gd_do(run->ctx, GD_OP_add, (gd_value[]){GD_TENSOR_VALUE(*buffer), GD_TENSOR_VALUE(g)}, 2);
    gd_release(g);
    if (!sum) return run->ctx->error.code;
    gd_release(*buffer);
    *buffer = sum;
    return GD_OK;
}

static void capture(gd_run *run, const gd_state *state, uint32_t nr, gd_tensor *grad) {
    if (run->accumulate) return;
    for (uint32_t i = state->capture; i; i = run->captures[i - 1].next) {
        gd_capture *c = &run->captures[i - 1];
        if (c->nr == nr && !c->grad) c->grad = gd_retain(grad);
    }
}

/* A leaf's gradient is complete: hooks, then it is noted for the end. */
static gd_code run_accumulate(gd_run *run, gd_state *state) {
    gd_tensor **grad = &run->buffers[state->buffers], *leaf = state->node->u.variable;
    if (!*grad || !leaf || !(leaf->flags & GD_F_REQUIRES_GRAD)) return GD_OK;
    bool writes = run->restricted ? state->accumulate : run->accumulate;
    gd_code code = gd_hooks_run_leaf(run->ctx, leaf, grad);
    if (code == GD_OK) capture(run, state, 0, *grad);
    if (code == GD_OK && writes && state->node->cells) code = gd_node_hooks_leaf(run, state->node, grad);
    if (code == GD_OK && writes && *grad) code = gd_run_note_write(run, leaf, *grad, false);
    gd_release(*grad);
    *grad = NULL;
    return code;
}

static gd_code ready(gd_run *run, uint32_t index) {
    gd_state *state = &run->states[index];
    if (state->node->kind == GD_N_ACCUMULATE) return run_accumulate(run, state);
    heap_push(run, index);
    return GD_OK;
}

/* What gradients that arrive at an edge look like; false: they are dropped. */
static bool expected(const gd_edge *edge, gd_dtype *dtype, int *ndim, const int64_t **sizes) {
    if (edge->node->kind == GD_N_ACCUMULATE) {
        const gd_tensor *leaf = edge->node->u.variable;
        if (!leaf) return false;
        *dtype = (gd_dtype)leaf->dtype;
        *ndim = leaf->ndim;
        *sizes = leaf->sizes;
        return true;
    }
    const gd_shape *shape = &gd_shapes(edge->node)[edge->nr];
    *dtype = (gd_dtype)shape->dtype;
    *ndim = shape->ndim;
    *sizes = gd_shape_sizes(edge->node, shape);
    return true;
}

/* Would `sizes` broadcast to t's shape? */
static bool expandable(int ndim, const int64_t *sizes, const gd_tensor *t) {
    if (ndim > t->ndim) return false;
    const int64_t *to = t->sizes + t->ndim - ndim;
    for (int i = 0; i < ndim; i++)
        if (sizes[i] != to[i] && sizes[i] != 1) return false;
    return true;
}

static gd_code take(gd_run *run, gd_tensor **g, gd_tensor *changed) {
    gd_release(*g);
    *g = changed;
    return changed ? GD_OK : run->ctx->error.code;
}

static gd_code fail_shape(gd_run *run, const gd_node *node, uint32_t index, const gd_tensor *g, int ndim,
                          const int64_t *sizes) {
    char got[256], want[256];
    return gd_fail(
        run->ctx, GD_E_SHAPE,
        "Function %s returned an invalid gradient at index %u - got %s but expected shape compatible with %s",
        gd_node_name(node), index, gd_shape_text(got, sizeof got, g->ndim, g->sizes),
        gd_shape_text(want, sizeof want, ndim, sizes));
}

/* Undoes broadcasting and promotion. On failure *g is gone. */
static gd_code fit_gradient(gd_run *run, const gd_node *node, uint32_t index, gd_tensor **g, gd_dtype dtype, int ndim,
                            const int64_t *sizes) {
    gd_tensor *t = *g;
    if (t->ndim != ndim || (ndim && memcmp(t->sizes, sizes, (size_t)ndim * sizeof *sizes) != 0)) {
        if (!expandable(ndim, sizes, t)) {
            gd_code code = fail_shape(run, node, index, t, ndim, sizes);
            *g = NULL;
            gd_release(t);
            return code;
        }
        gd_code code =
            take(run, g,
                 gd_do(run->ctx, GD_OP__sum_to_size, (gd_value[]){GD_TENSOR_VALUE(t), GD_INTS_VALUE(sizes, ndim)}, 2));
        if (code != GD_OK) return code;
    }
    t = *g;
    if (t->dtype == dtype) return GD_OK;
    if (!run->by_ops) return take(run, g, gd_as_dtype(run->ctx, t, dtype));
    return take(run, g, gd_do(run->ctx, GD_OP_to_dtype, (gd_value[]){GD_TENSOR_VALUE(t), GD_DTYPE_VALUE(dtype)}, 2));
}

/* Delivers the gradient g (taken; NULL: none) of edge `index` of `node`. */
static gd_code deliver(gd_run *run, const gd_node *node, uint32_t index, gd_tensor *g) {
    const gd_edge *edge = &gd_edges(node)[index];
    gd_dtype dtype;
    int ndim;
    const int64_t *sizes;
    if (!gd_edge_needed(run, edge) || (g && !expected(edge, &dtype, &ndim, &sizes))) {
        gd_release(g);
        g = NULL;
    }
    if (!edge->node) return GD_OK;
    uint32_t to = edge->node->run_index;
    gd_state *state = &run->states[to];
    if (g) {
        gd_code code = fit_gradient(run, node, index, &g, dtype, ndim, sizes);
        if (code == GD_OK) code = add_gradient(run, &run->buffers[state->buffers + edge->nr], g);
        if (code != GD_OK) return code;
    }
    return --state->deps == 0 && (!run->restricted || state->needed) ? ready(run, to) : GD_OK;
}

/* ---- running a node -------------------------------------------------------------------------- */

/* Hooks of each output, then those who keep its gradient, then the inputs of autograd.grad. */
static gd_code arrive(gd_run *run, const gd_state *state) {
    gd_node *node = state->node;
    for (uint32_t nr = 0; nr < node->nouts; nr++) {
        gd_tensor **grad = &run->buffers[state->buffers + nr];
        if (!*grad) continue;
        gd_code code = node->cells ? gd_hooks_run_node(run->ctx, node, nr, grad) : GD_OK;
        for (gd_cell *cell = node->cells; cell && code == GD_OK; cell = cell->next)
            if (cell->retains && cell->output_nr == nr) code = gd_run_note_write(run, cell->retains, *grad, true);
        if (code == GD_OK && state->capture) capture(run, state, nr, *grad);
        if (code != GD_OK) return code;
    }
    return GD_OK;
}

typedef struct nan_search {
    gd_dtype dtype;
    bool *found;
} nan_search;

static void nan_any(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const nan_search *s = extra;
    for (int64_t i = 0; i < n; i++)
        if (isnan(gd_load_f64(s->dtype, data[0] + i * strides[0]))) *s->found = true;
}

static gd_code check_nan(gd_run *run, const gd_node *node) {
    gd_trace_refuse(run->ctx, "detect_anomaly() looks at gradients");
    for (uint32_t i = 0; i < node->nedges; i++) {
        gd_tensor *g = run->out[i];
        if (!g || !gd_dtype_is_float((gd_dtype)g->dtype)) continue;
        bool found = false;
        const nan_search search = {(gd_dtype)g->dtype, &found};
        gd_iterate_in_order(&g, 1, nan_any, &search);
        if (found)
            return gd_fail(run->ctx, GD_E_RUNTIME, "Function '%s' returned nan values in its %uth output.",
                           gd_node_name(node), i);
    }
    return GD_OK;
}

static gd_code apply_rule(gd_run *run, gd_node *node, gd_tensor *const *grads, gd_tensor **out, const gd_node *outer,
                          uint32_t shift) {
    if (node->freed) return gd_fail(run->ctx, GD_E_GRAPH_FREED, "%s", GD_FREED_TEXT);
    gd_code code = node->has_saved ? gd_saved_check(run->ctx, node) : GD_OK;
    if (code != GD_OK) return code;
    gd_frame frame = {
        .b = {.ctx = run->ctx, .node = node, .grads = grads, .out = out, .create_graph = run->create_graph},
        .run = run,
        .outer = outer,
        .shift = shift};
    node->u.op->backward(&frame.b);
    gd_shells_return(run);
    return run->ctx->error.code;
}

/* The op's rule on the view's part of the gradient, and that part replaced in the base's. */
static gd_code apply_slices(gd_run *run, gd_node *node, gd_tensor *grad) {
    gd_ctx *ctx = run->ctx;
    gd_slices *s = node->u.slices;
    if (node->freed) return gd_fail(ctx, GD_E_GRAPH_FREED, "%s", GD_FREED_TEXT);
    gd_node *inner = s->inner;
    gd_tensor **out = calloc((size_t)inner->nedges + 1, sizeof(gd_tensor *));
    if (!out) return gd_fail_memory(ctx);
    gd_tensor *cut = gd_slices_cut(ctx, s, grad);
    uint32_t shift = s->has_self ? 0 : 1;
    gd_code code = cut ? apply_rule(run, inner, &cut, out, node, shift) : ctx->error.code;
    if (code == GD_OK && s->has_self && out[0])
        code =
            fit_gradient(run, inner, 0, &out[0], (gd_dtype)gd_shapes(node)[0].dtype, s->before.ndim, s->before.sizes);
    if (code == GD_OK && gd_edge_needed(run, &gd_edges(node)[0])) {
        run->out[0] = gd_retain(gd_slices_put(ctx, s, grad, s->has_self ? out[0] : NULL));
        code = ctx->error.code;
    }
    for (uint32_t i = 0; i < inner->nedges; i++) {
        if (i == 0 && s->has_self)
            gd_release(out[0]);
        else
            run->out[i + shift] = out[i];
    }
    free(out);
    return code;
}

/* The gradients that arrived are used up: passed on, one that a rule hands through is then its alone. */
static void drop_buffers(gd_run *run, const gd_state *state) {
    for (uint32_t i = 0; i < state->node->nouts; i++) {
        gd_release(run->buffers[state->buffers + i]);
        run->buffers[state->buffers + i] = NULL;
    }
}

static gd_code compute(gd_run *run, gd_state *state) {
    gd_node *node = state->node;
    gd_tensor **grads = &run->buffers[state->buffers];
    bool any = false;
    for (uint32_t i = 0; i < node->nouts && !any; i++) any = grads[i] != NULL;
    if (!any) return GD_OK;
    size_t mark = gd_pool_mark(run->ctx);
    gd_code code = node->kind == GD_N_COPY_SLICES ? apply_slices(run, node, grads[0])
                                                  : apply_rule(run, node, grads, run->out, NULL, 0);
    gd_pool_release(run->ctx, mark);
    state->done = true;
    if (code == GD_OK && run->ctx->anomaly && !run->ctx->nan_allowed) code = check_nan(run, node);
    return code;
}

static gd_code run_state(gd_run *run, uint32_t index) {
    gd_state *state = &run->states[index];
    gd_node *node = state->node;
    gd_code code = node->cells || state->capture ? arrive(run, state) : GD_OK;
    bool execute = !run->restricted || state->execute;
    if (code == GD_OK && execute && node->cells)
        code = gd_node_hooks_before(run->ctx, node, &run->buffers[state->buffers]);
    if (code == GD_OK && execute) code = compute(run, state);
    if (code == GD_OK && state->done && node->cells && gd_node_hooked(node, false))
        code = gd_node_hooks_run(run->ctx, node, false, run->out, (int)node->nedges, &run->buffers[state->buffers],
                                 (int)node->nouts);
    drop_buffers(run, state);
    for (uint32_t i = 0; execute && i < node->nedges; i++) {
        gd_tensor *g = run->out[i];
        run->out[i] = NULL;
        if (code == GD_OK)
            code = deliver(run, node, i, g);
        else
            gd_release(g);
    }
    return code;
}

static gd_code start(gd_run *run, const gd_root *roots, int nroots) {
    for (int i = 0; i < nroots; i++) {
        const gd_state *state = &run->states[roots[i].edge.node->run_index];
        gd_code code = add_gradient(run, &run->buffers[state->buffers + roots[i].edge.nr], gd_retain(roots[i].grad));
        if (code != GD_OK) return code;
    }
    for (uint32_t i = 0; i < run->nstates && i < (uint32_t)nroots; i++) { /* roots come first */
        if (run->states[i].deps || (run->restricted && !run->states[i].needed)) continue;
        gd_code code = ready(run, i);
        if (code != GD_OK) return code;
    }
    return GD_OK;
}

gd_code gd_run_execute(gd_run *run, const gd_root *roots, int nroots) {
    run->ctx->error.code = GD_OK; /* rules stop at an error: let none be left over */
    gd_code code = start(run, roots, nroots);
    while (code == GD_OK && run->nheap) code = run_state(run, heap_pop(run));
    return code;
}
