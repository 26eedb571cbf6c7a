/* jvp_backward.c: forward derivatives out of backward rules.
 *
 * The row is put into a graph of its own: leaves over the memory of its inputs, a node, outputs over the memory of its
 * outputs. Nothing is computed anew, and the trace, which knows values by their memory, records the rule's ops only.
 */
#include <stdlib.h>
#include <string.h>

#include "core/autograd/autograd.h"
#include "core/kernels/kernels.h"
#include "core/ops/rules.h"
#include "core/plan/jvp_inside.h"

/* A step's row in a graph of its own. */
typedef struct island {
    gd_value args[GD_MAX_ARGS];
    gd_tensor **in;  /* by entry of step.in: what stands there; owned */
    gd_tensor **out; /* by output, owned; the floating ones have the node */
    gd_apply a;
} island;

static void island_free(gd_jvp_step *s, island *g) {
    for (int k = 0; g->in && k < s->step->nin; k++) gd_release(g->in[k]);
    for (int k = 0; g->out && k < s->step->nout; k++) gd_release(g->out[k]);
    free(g->in);
    free(g->out);
}

/* The input k as a leaf, in the output's shape if `whole`. New. */
static gd_tensor *leaf_of(gd_jvp_step *s, int k, const gd_tensor *whole) {
    gd_tensor *t = s->trace->values[s->step->in[k]].traced.tensor;
    gd_tensor *wide = t, *leaf;
    if (whole && !gd_same_shape(t, whole)) wide = GX(s->ctx, expand, T_(t), GD_INTS_VALUE(whole->sizes, whole->ndim));
    leaf = wide ? gd_detach(s->ctx, wide) : NULL;
    if (leaf && s->tangents[k] && gd_set_requires_grad(s->ctx, leaf, true)) {
        gd_release(leaf);
        return NULL;
    }
    if (leaf) leaf->flags |= t->flags & GD_F_WRAPPED_NUMBER;
    return leaf;
}

static gd_code fill_in(gd_jvp_step *s, island *g, const gd_tensor *whole) {
    for (int k = 0; k < s->step->nin; k++) {
        if (s->step->in[k] < 0) continue;
        g->in[k] = leaf_of(s, k, s->tangents[k] ? whole : NULL);
        if (!g->in[k]) return s->ctx->error.code;
    }
    for (int i = 0, at = 0; i < s->step->nargs; i++) {
        g->args[i] = s->step->args[i];
        if (g->args[i].kind == GD_V_TENSOR && g->args[i].u.tensor) g->args[i].u.tensor = g->in[at++];
        if (g->args[i].kind != GD_V_TENSORS) continue;
        g->args[i].u.tensors = g->in + at;
        at += (int)g->args[i].n;
    }
    return GD_OK;
}

static gd_code fill_out(gd_jvp_step *s, island *g) {
    for (int k = 0; k < s->step->nout; k++) {
        gd_tensor *t = gd_jvp_output(s, k);
        g->out[k] = t ? gd_detach(s->ctx, t) : NULL;
        if (t && !g->out[k]) return s->ctx->error.code;
    }
    g->a = (gd_apply){.ctx = s->ctx, .op = s->step->op, .args = g->args, .nargs = s->step->nargs};
    g->a.out = g->out;
    g->a.nout = s->step->nout;
    return gd_record(&g->a);
}

/* `whole`: inputs with tangents are expanded to its shape. */
static gd_code island_make(gd_jvp_step *s, island *g, const gd_tensor *whole) {
    memset(g, 0, sizeof *g);
    g->in = calloc((size_t)s->step->nin + 1, sizeof *g->in);
    g->out = calloc((size_t)s->step->nout + 1, sizeof *g->out);
    if (!g->in || !g->out) return gd_fail_memory(s->ctx);
    gd_grad_mode mode = s->ctx->mode;
    gd_code code = fill_in(s, g, whole);
    s->ctx->mode = GD_MODE_GRAD;
    if (!code) code = fill_out(s, g);
    s->ctx->mode = mode;
    return code;
}

/* ---- pointwise ------------------------------------------------------------------------------------- */

/* The tangent of input k as a cotangent of the output; pooled. */
static gd_tensor *as_cotangent(gd_jvp_step *s, int k, const gd_tensor *out) {
    gd_tensor *t = s->tangents[k];
    if (t->dtype != out->dtype) t = GX(s->ctx, to_dtype, T_(t), GD_DTYPE_VALUE((gd_dtype)out->dtype));
    if (t && !gd_same_shape(t, out)) t = GX(s->ctx, expand, T_(t), GD_INTS_VALUE(out->sizes, out->ndim));
    return t;
}

static gd_code add_to(gd_ctx *ctx, gd_tensor **sum, gd_tensor *t) {
    if (!t) return GD_OK;
    if (!*sum) {
        *sum = t;
        return GD_OK;
    }
    gd_tensor *both = gd_do(ctx, GD_OP_add, (const gd_value[]){GD_TENSOR_VALUE(*sum), GD_TENSOR_VALUE(t)}, 2);
    gd_release(*sum);
    gd_release(t);
    *sum = both;
    return both ? GD_OK : ctx->error.code;
}

gd_code gd_jvp_pointwise(gd_jvp_step *s) {
    gd_tensor *y = gd_jvp_output(s, 0);
    const gd_backward_options options = {.retain_graph = true, .allow_unused = true};
    island g;
    gd_code code = island_make(s, &g, y);
    for (int k = 0; !code && k < s->step->nin; k++) {
        if (!s->tangents[k] || !g.out[0]->grad_fn) continue;
        gd_tensor *v = as_cotangent(s, k, y), *t = NULL;
        code = v ? gd_autograd_grad(s->ctx, g.out, 1, &v, &g.in[k], 1, &options, &t) : s->ctx->error.code;
        if (t && t->dtype != y->dtype) { /* of an input that was promoted */
            gd_tensor *wide =
                gd_do(s->ctx, GD_OP_to_dtype, (const gd_value[]){T_(t), GD_DTYPE_VALUE((gd_dtype)y->dtype)}, 2);
            gd_release(t);
            t = wide;
            if (!t) code = s->ctx->error.code;
        }
        if (!code) code = add_to(s->ctx, &s->out[0], t);
    }
    island_free(s, &g);
    return code;
}

/* ---- the backward rule, twice ------------------------------------------------------------------------ */

/* With g(w) the gradient for the cotangent w, which is linear in w, J v is the gradient of <g(w), v> by w. */
typedef struct twice {
    int ny, nx, ng;
    gd_tensor **y, **w, **t; /* outputs (borrowed), cotangents and results; */
    int *at;                 /* which outputs */
    gd_tensor **x, **v, **g; /* inputs and tangents (borrowed), gradients */
    gd_tensor **gs, **vs;    /* the ng of them that depend on a cotangent */
    gd_tensor *room[];
} twice;

static twice *twice_new(gd_jvp_step *s) {
    size_t nin = (size_t)s->step->nin, nout = (size_t)s->step->nout;
    twice *d = calloc(1, sizeof *d + (5 * nin + 3 * nout) * sizeof(gd_tensor *) + nout * sizeof(int));
    if (!d) return gd_fail_memory(s->ctx), NULL;
    d->y = d->room;
    d->w = d->y + nout;
    d->t = d->w + nout;
    d->x = d->t + nout;
    d->v = d->x + nin;
    d->g = d->v + nin;
    d->gs = d->g + nin;
    d->vs = d->gs + nin;
    d->at = (int *)(void *)(d->vs + nin);
    return d;
}

static void twice_free(twice *d) {
    for (int k = 0; k < d->ny; k++) gd_release(d->w[k]), gd_release(d->t[k]);
    for (int k = 0; k < d->nx; k++) gd_release(d->g[k]);
    free(d);
}

static gd_tensor *new_cotangent(gd_jvp_step *s, const gd_tensor *y) {
    gd_tensor *w = gd_empty_like(s->ctx, y, (gd_dtype)y->dtype);
    if (!w) return NULL;
    for (int64_t i = 0; i < w->numel; i++) /* any will do that no rule takes for something special */
        gd_store_f64((gd_dtype)w->dtype, w->data + (size_t)i * gd_dtype_bytes((gd_dtype)w->dtype),
                     1 + 0.0625 * (double)(i % 11));
    if (gd_set_requires_grad(s->ctx, w, true) == GD_OK) return w;
    gd_release(w);
    return NULL;
}

static gd_code twice_fill(gd_jvp_step *s, const island *g, twice *d) {
    for (int k = 0; k < s->step->nout; k++) {
        if (!g->out[k] || !g->out[k]->grad_fn) continue;
        d->y[d->ny] = g->out[k];
        d->at[d->ny] = k;
        d->w[d->ny] = new_cotangent(s, g->out[k]);
        if (!d->w[d->ny++]) return s->ctx->error.code;
    }
    for (int k = 0; k < s->step->nin; k++) {
        if (!s->tangents[k]) continue;
        d->x[d->nx] = g->in[k];
        d->v[d->nx++] = s->tangents[k];
    }
    return GD_OK;
}

/* A gradient that knows nothing of the cotangent: it must be zero for all inputs, or the rule has lost it. */
static bool is_zero(const gd_jvp_step *s, const gd_tensor *g) {
    char *bytes = gd_trace_depends(s->trace, g) ? NULL : malloc(gd_nbytes(g) + 1);
    bool zero = bytes != NULL;
    if (bytes) gd_read_bytes(g, bytes);
    for (int64_t i = 0; i < g->numel && zero; i++)
        zero = gd_load_f64((gd_dtype)g->dtype, bytes + (size_t)i * gd_dtype_bytes((gd_dtype)g->dtype)) == 0;
    free(bytes);
    return zero;
}

static gd_code twice_run(gd_jvp_step *s, twice *d) {
    const gd_backward_options first = {.create_graph = true, .retain_graph = true, .allow_unused = true},
                              second = {.allow_unused = true};
    gd_code code = gd_autograd_grad(s->ctx, d->y, d->ny, d->w, d->x, d->nx, &first, d->g);
    for (int k = 0; !code && k < d->nx; k++) {
        if (d->g[k] && !gd_requires_grad(d->g[k]) && !is_zero(s, d->g[k]))
            return gd_fail(s->ctx, GD_E_NOT_IMPLEMENTED, "its backward rule has no derivative");
        if (!d->g[k] || !gd_requires_grad(d->g[k])) continue;
        d->gs[d->ng] = d->g[k];
        d->vs[d->ng++] = d->v[k];
    }
    if (code || !d->ng) return code;
    code = gd_autograd_grad(s->ctx, d->gs, d->ng, d->vs, d->w, d->ny, &second, d->t);
    for (int k = 0; !code && k < d->ny; k++) {
        s->out[d->at[k]] = d->t[k];
        d->t[k] = NULL;
    }
    return code;
}

/* Of a single number the gradient is the whole Jacobian: <g, v>. For rules that have no derivative. */
static gd_code by_gradient(gd_jvp_step *s, twice *d) {
    const gd_backward_options options = {.allow_unused = true};
    gd_tensor *sum = NULL, *one = GX(s->ctx, ones_like, T_(d->y[0]));
    for (int k = 0; k < d->nx; k++) {
        gd_release(d->g[k]);
        d->g[k] = NULL;
    }
    gd_code code = one ? gd_autograd_grad(s->ctx, d->y, 1, &one, d->x, d->nx, &options, d->g) : s->ctx->error.code;
    for (int k = 0; !code && k < d->nx; k++) {
        if (!d->g[k]) continue;
        gd_tensor *part = GX(s->ctx, sum, T_(gx_mul(s->ctx, d->g[k], d->v[k])));
        sum = sum ? gx_add(s->ctx, sum, part) : part;
        if (!sum) code = s->ctx->error.code;
    }
    s->out[d->at[0]] = gd_retain(code ? NULL : sum);
    return code;
}

static gd_code twice_or_once(gd_jvp_step *s, twice *d) {
    gd_code code = twice_run(s, d);
    if (code != GD_E_NOT_IMPLEMENTED || d->ny != 1 || d->y[0]->numel != 1) return code;
    s->ctx->error.code = GD_OK;
    return by_gradient(s, d);
}

gd_code gd_jvp_twice(gd_jvp_step *s) {
    island g;
    twice *d = twice_new(s);
    if (!d) return s->ctx->error.code;
    gd_code code = island_make(s, &g, NULL);
    if (!code) code = twice_fill(s, &g, d);
    if (!code && d->ny && d->nx) code = twice_or_once(s, d);
    twice_free(d);
    island_free(s, &g);
    return code;
}
