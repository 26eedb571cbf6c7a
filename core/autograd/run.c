/* run.c: torch.autograd.backward and torch.autograd.grad: what they check, and runs around the engine. */
#include "core/autograd/engine.h"
#include "core/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

/* ---- roots ----------------------------------------------------------------------------------- */

static gd_tensor *ones_like(gd_ctx *ctx, const gd_tensor *t) {
    gd_tensor *ones = gd_empty_like(ctx, t, (gd_dtype)t->dtype);
    if (!ones) return NULL;
    gd_fill_value(ones, &GD_INT_VALUE(1));
    ones->flags &= (uint16_t)~GD_F_INFERENCE;
    return ones;
}

static gd_code check_grad(gd_ctx *ctx, const gd_tensor *t, const gd_tensor *g, int i, int batch) {
    char got[256], want[256];
    if (g->ndim == t->ndim + batch &&
        (!t->ndim || !memcmp(g->sizes + batch, t->sizes, (size_t)t->ndim * sizeof *t->sizes)))
        return GD_OK;
    int skip = !batch ? 0 : g->ndim < 2 ? g->ndim : 2; /* PyTorch takes the batch's axis off twice here */
    gd_shape_text(got, sizeof got, g->ndim - skip, g->sizes + skip);
    gd_shape_text(want, sizeof want, t->ndim, t->sizes);
    if (batch)
        return gd_fail(ctx, GD_E_SHAPE,
                       "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
                       "dimension. The sizes of the remaining dimensions are expected to match the shape of "
                       "corresponding output, but a mismatch was detected: grad_output[%d] has a shape of "
                       "torch.Size(%s) and output[%d] has a shape of torch.Size(%s). If you only want some tensors in "
                       "`grad_output` to be considered batched, consider using vmap.",
                       i, got, i, want);
    return gd_fail(ctx, GD_E_SHAPE,
                   "Mismatch in shape: grad_output[%d] has a shape of torch.Size(%s) and output[%d] has a shape of "
                   "torch.Size(%s).",
                   i, got, i, want);
}

/* The gradient of output i: what the caller gave, in t's dtype, or 1 for a single element. */
static gd_code root_grad(gd_ctx *ctx, gd_tensor *t, gd_tensor *given, int i, bool by_ops, gd_tensor **out) {
    if (!given) {
        if (!gd_requires_grad(t)) return GD_OK; /* refused below, by its text */
        if (t->numel != 1) return gd_fail(ctx, GD_E_SHAPE, "grad can be implicitly created only for scalar outputs");
        *out = ones_like(ctx, t);
    } else {
        gd_code code = check_grad(ctx, t, given, i, 0);
        if (code != GD_OK) return code;
        if (given->dtype == t->dtype || !gd_dtype_is_float((gd_dtype)t->dtype))
            *out = gd_retain(given);
        else if (by_ops)
            *out =
                gd_do(ctx, GD_OP_to_dtype, (gd_value[]){GD_TENSOR_VALUE(given), GD_DTYPE_VALUE((gd_dtype)t->dtype)}, 2);
        else
            *out = gd_as_dtype(ctx, given, (gd_dtype)t->dtype);
    }
    return *out ? GD_OK : ctx->error.code;
}

static gd_code make_roots(gd_ctx *ctx, gd_tensor *const *tensors, int n, gd_tensor *const *grads, bool by_ops,
                          gd_root *roots) {
    for (int i = 0; i < n; i++) {
        gd_code code = root_grad(ctx, tensors[i], grads ? grads[i] : NULL, i, by_ops, &roots[i].grad);
        if (code != GD_OK) return code;
    }
    for (int i = 0; i < n; i++) {
        gd_code code = gd_edge_of(ctx, tensors[i], &roots[i].edge);
        if (code != GD_OK) return code;
        if (!roots[i].edge.node)
            return gd_fail(ctx, GD_E_NO_GRAD, "element %d of tensors does not require grad and does not have a grad_fn",
                           i);
    }
    return GD_OK;
}

static void free_roots(gd_root *roots, int n) {
    for (int i = 0; roots && i < n; i++) {
        gd_release(roots[i].grad);
        gd_node_release(roots[i].edge.node);
    }
    free(roots);
}

static void free_edges(gd_edge *edges, int n) {
    for (int i = 0; edges && i < n; i++) gd_node_release(edges[i].node);
    free(edges);
}

/* ---- one run --------------------------------------------------------------------------------- */

typedef struct call {
    gd_ctx *ctx;
    gd_tensor *const *tensors;
    int ntensors;
    gd_tensor *const *grads;
    const gd_edge *targets;
    int ntargets;
    bool retain_graph, create_graph, accumulate, allow_unused;
    gd_tensor **out; /* captured, ntargets; NULL: none */
    void (*on_accumulate)(void *user, gd_tensor *t);
    void *user;
} call;

static gd_code take_captures(const call *c, gd_run *run) {
    if (!c->out) return GD_OK;
    for (int i = 0; i < c->ntargets && !c->allow_unused; i++)
        if (!run->captures || !run->captures[i].grad)
            return gd_fail(c->ctx, GD_E_UNUSED,
                           "One of the differentiated Tensors appears to not have been used in the graph. Set "
                           "allow_unused=True if this is the desired behavior.");
    for (int i = 0; run->captures && i < c->ntargets; i++) {
        c->out[i] = run->captures[i].grad;
        run->captures[i].grad = NULL;
    }
    return GD_OK;
}

/* All that can fail comes before the commit. */
static gd_code run_engine(const call *c, gd_run *run, const gd_root *roots) {
    gd_code code = gd_run_open(run, roots, c->ntensors, c->targets, c->ntargets);
    if (code == GD_OK) code = gd_run_execute(run, roots, c->ntensors);
    if (code == GD_OK) code = gd_run_prepare(run);
    if (code == GD_OK) code = take_captures(c, run);
    if (code == GD_OK) gd_run_commit(run, c->on_accumulate, c->user);
    return code == GD_OK && run->nafter ? gd_node_hooks_after(run) : code;
}

static gd_code run_once(const call *c) {
    gd_ctx *ctx = c->ctx;
    gd_grad_mode mode = ctx->mode;
    ctx->mode = c->create_graph ? GD_MODE_GRAD : GD_MODE_NO_GRAD;
    gd_run run = {.ctx = ctx,
                  .create_graph = c->create_graph,
                  .by_ops = c->create_graph || ctx->trace,
                  .retain_graph = c->retain_graph || c->create_graph,
                  .accumulate = c->accumulate};
    gd_root *roots = calloc((size_t)c->ntensors + 1, sizeof *roots);
    gd_code code = roots ? make_roots(ctx, c->tensors, c->ntensors, c->grads, run.by_ops, roots) : gd_fail_memory(ctx);
    if (code == GD_OK && c->ntensors) code = run_engine(c, &run, roots);
    if (code == GD_OK && !c->ntensors) code = take_captures(c, &run);
    gd_run_close(&run);
    free_roots(roots, c->ntensors);
    ctx->mode = mode;
    return code;
}

/* ---- backward -------------------------------------------------------------------------------- */

static gd_code input_edges(gd_ctx *ctx, gd_tensor *const *inputs, int n, gd_edge *edges) {
    for (int i = 0; i < n; i++) {
        gd_code code = gd_edge_of(ctx, inputs[i], &edges[i]);
        if (code != GD_OK) return code;
    }
    return GD_OK;
}

/* Inputs that were computed keep their gradient, as if retain_grad() had been called; fresh[i] tells for which it was.
 */
static gd_code retain_inputs(gd_ctx *ctx, gd_tensor *const *inputs, int n, bool *fresh) {
    for (int i = 0; i < n; i++) {
        bool had = gd_retains_grad(inputs[i]);
        gd_code code = gd_retain_grad(ctx, inputs[i]);
        if (code != GD_OK) return code;
        fresh[i] = !had && gd_retains_grad(inputs[i]);
    }
    return GD_OK;
}

static gd_code backward_inputs(call *c, gd_tensor *const *inputs, int n) {
    bool *fresh = calloc((size_t)n, sizeof *fresh);
    gd_edge *edges = calloc((size_t)n, sizeof *edges);
    gd_code code = fresh && edges ? retain_inputs(c->ctx, inputs, n, fresh) : gd_fail_memory(c->ctx);
    if (code == GD_OK) code = input_edges(c->ctx, inputs, n, edges);
    c->targets = edges;
    c->ntargets = n;
    if (code == GD_OK) code = run_once(c);
    for (int i = 0; fresh && code != GD_OK && i < n; i++)
        if (fresh[i]) gd_retention_move(inputs[i], inputs[i]->grad_fn, NULL);
    free_edges(edges, n);
    free(fresh);
    return code;
}

static const gd_backward_options defaults;

gd_code gd_backward(gd_ctx *ctx, gd_tensor *const *tensors, int ntensors, gd_tensor *const *grads,
                    gd_tensor *const *inputs, int ninputs, const gd_backward_options *options,
                    void (*on_accumulate)(void *user, gd_tensor *t), void *user) {
    if (!options) options = &defaults;
    if (inputs && ninputs == 0) return gd_fail(ctx, GD_E_RUNTIME, "'inputs' argument to backward() cannot be empty.");
    call c = {.ctx = ctx,
              .tensors = tensors,
              .ntensors = ntensors,
              .grads = grads,
              .retain_graph = options->retain_graph,
              .create_graph = options->create_graph,
              .accumulate = true,
              .on_accumulate = on_accumulate,
              .user = user};
    return ninputs > 0 ? backward_inputs(&c, inputs, ninputs) : run_once(&c);
}

/* ---- autograd.grad --------------------------------------------------------------------------- */

static gd_code target_edges(gd_ctx *ctx, gd_tensor *const *inputs, int n, gd_edge *edges) {
    gd_code code = input_edges(ctx, inputs, n, edges);
    for (int i = 0; i < n && code == GD_OK; i++)
        if (!gd_requires_grad(inputs[i]))
            code = gd_fail(ctx, GD_E_NO_GRAD, "One of the differentiated Tensors does not require grad");
    return code;
}

static void release_all(gd_tensor **tensors, int64_t n) {
    for (int64_t i = 0; tensors && i < n; i++) {
        gd_release(tensors[i]);
        tensors[i] = NULL;
    }
}

/* One entry of the batch: its gradients, and a run that keeps the graph unless it is the last. */
static gd_code run_entry(call c, int64_t entry, bool last, gd_tensor **grads, gd_tensor **out) {
    gd_tensor *const *batches = c.grads;
    gd_code code = GD_OK;
    gd_grad_mode mode = c.ctx->mode;
    c.ctx->mode = c.create_graph ? GD_MODE_GRAD : GD_MODE_NO_GRAD;
    for (int i = 0; i < c.ntensors && code == GD_OK; i++) {
        if (!batches[i]) continue;
        grads[i] = gd_do(c.ctx, GD_OP_select,
                         (gd_value[]){GD_TENSOR_VALUE(batches[i]), GD_INT_VALUE(0), GD_INT_VALUE(entry)}, 3);
        if (!grads[i]) code = c.ctx->error.code;
    }
    c.ctx->mode = mode;
    c.grads = grads;
    c.out = out;
    c.retain_graph = c.retain_graph || !last;
    if (code == GD_OK) code = run_once(&c);
    release_all(grads, c.ntensors);
    return code;
}

/* Input i's gradients of all entries, as one tensor; an input that one entry did not use has none. */
static gd_code stack_entries(const call *c, gd_tensor **all, int64_t entries, gd_tensor **column) {
    gd_grad_mode mode = c->ctx->mode;
    gd_code code = GD_OK;
    c->ctx->mode = c->create_graph ? GD_MODE_GRAD : GD_MODE_NO_GRAD;
    for (int i = 0; i < c->ntargets && code == GD_OK; i++) {
        bool complete = entries > 0;
        for (int64_t e = 0; e < entries; e++) {
            column[e] = all[e * c->ntargets + i];
            complete = complete && column[e];
        }
        if (!complete) continue;
        const gd_value args[] = {{.kind = GD_V_TENSORS, .n = (uint32_t)entries, .u.tensors = column}, GD_INT_VALUE(0)};
        c->out[i] = gd_do(c->ctx, GD_OP_stack, args, 2);
        if (!c->out[i]) code = c->ctx->error.code;
    }
    c->ctx->mode = mode;
    return code;
}

static gd_code check_batch(const call *c, int64_t *entries) {
    *entries = -1;
    for (int i = 0; i < c->ntensors; i++) {
        const gd_tensor *g = c->grads ? c->grads[i] : NULL;
        if (!g) continue;
        gd_code code = check_grad(c->ctx, c->tensors[i], g, i, 1);
        if (code != GD_OK) return code;
        if (*entries >= 0 && g->sizes[0] != *entries)
            return gd_fail(c->ctx, GD_E_VALUE,
                           "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [%lld, "
                           "%lld] for the mapped dimension",
                           (long long)*entries, (long long)g->sizes[0]);
        *entries = g->sizes[0];
    }
    if (*entries < 0)
        return gd_fail(c->ctx, GD_E_VALUE, "vmap: got no inputs to map over: is_grads_batched needs grad_outputs");
    return GD_OK;
}

static gd_code run_batch(const call *c) {
    int64_t entries;
    size_t count, bytes;
    gd_code code = check_batch(c, &entries);
    if (code != GD_OK) return code;
    if (!gd_mul_size((size_t)entries, (size_t)c->ntargets + 1, &count) ||
        !gd_mul_size(count + (size_t)c->ntensors + 1, sizeof(gd_tensor *), &bytes))
        return gd_fail_memory(c->ctx);
    gd_tensor **all = malloc(bytes); /* results, then one column, then one entry's gradients */
    if (!all) return gd_fail_memory(c->ctx);
    memset(all, 0, bytes);
    for (int64_t e = 0; e < entries && code == GD_OK; e++)
        code = run_entry(*c, e, e + 1 == entries, all + count, all + e * c->ntargets);
    if (code == GD_OK) code = stack_entries(c, all, entries, all + entries * c->ntargets);
    if (code != GD_OK) release_all(c->out, c->ntargets);
    release_all(all, entries * c->ntargets);
    free(all);
    return code;
}

gd_code gd_autograd_grad(gd_ctx *ctx, gd_tensor *const *outputs, int noutputs, gd_tensor *const *grads,
                         gd_tensor *const *inputs, int ninputs, const gd_backward_options *options, gd_tensor **out) {
    if (!options) options = &defaults;
    for (int i = 0; i < ninputs; i++) out[i] = NULL;
    if (ninputs <= 0) return gd_fail(ctx, GD_E_VALUE, "grad requires non-empty inputs.");
    call c = {.ctx = ctx,
              .tensors = outputs,
              .ntensors = noutputs,
              .grads = grads,
              .ntargets = ninputs,
              .retain_graph = options->retain_graph,
              .create_graph = options->create_graph,
              .allow_unused = options->allow_unused,
              .out = out};
    gd_edge *edges = calloc((size_t)ninputs, sizeof *edges);
    c.targets = edges;
    gd_code code = edges ? target_edges(ctx, inputs, ninputs, edges) : gd_fail_memory(ctx);
    if (code == GD_OK) code = options->is_grads_batched ? run_batch(&c) : run_once(&c);
    free_edges(edges, ninputs);
    return code;
}
