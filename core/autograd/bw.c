/* bw.c: what derivative rules read and write.
 *
 * Note [Shells]: a saved value is lent to a rule as a tensor. Making one for each reading would cost more than the
 * arithmetic of a scalar, so the run keeps a few tensor objects and points them at the saved bytes in turn. While the
 * rule runs a shell borrows the storage from the node's slot, which keeps it. A shell that the rule kept (somebody else
 * holds it when the rule is done) gets a reference of its own and is given away.
 */
#include "core/autograd/engine.h"

static gd_frame *frame_of(gd_bw *b) { return (gd_frame *)(void *)b; }

bool gd_edge_needed(const gd_run *run, const gd_edge *edge) {
    return edge->node && (!run->restricted || run->states[edge->node->run_index].needed);
}

/* ---- shells ---------------------------------------------------------------------------------- */

static bool fits_shell(const gd_run *run, const gd_place *p) {
    return p->slot->kind == GD_S_STORAGE && !run->create_graph && p->shape->ndim <= GD_INLINE_DIMS &&
           run->shells_used < run->nshells;
}

static gd_tensor *lend_shell(gd_run *run, const gd_place *p) {
    gd_tensor *t = run->shells[run->shells_used++];
    const int64_t *sizes = gd_shape_sizes(p->node, p->shape);
    t->dtype = p->shape->dtype;
    t->ndim = p->shape->ndim;
    t->flags = p->slot->wrapped ? GD_F_WRAPPED_NUMBER : 0;
    t->numel = 1;
    for (int i = 0; i < t->ndim; i++) {
        t->sizes[i] = sizes[i];
        t->numel *= sizes[i];
    }
    gd_contiguous_strides(t->ndim, sizes, GD_STRIDES(t));
    t->storage = p->slot->u.storage;
    t->data = p->slot->data;
    return t;
}

/* A tensor read the long way becomes a shell of later loans. */
static gd_tensor *lend_new(gd_frame *f, const gd_place *p) {
    gd_run *run = f->run;
    gd_tensor *t = gd_place_read(run->ctx, p, run->create_graph);
    bool keep = t && p->slot->kind == GD_S_STORAGE && !run->create_graph && t->ndim <= GD_INLINE_DIMS &&
                run->nshells < GD_SHELLS;
    if (!keep) return gd_pool_add(run->ctx, t);
    gd_storage_release(t->storage); /* borrowed from now on, as in lend_shell */
    run->shells[run->nshells++] = t;
    run->shells_used = run->nshells;
    return t;
}

void gd_shells_return(gd_run *run) {
    int kept = 0;
    for (int i = 0; i < run->nshells; i++) {
        gd_tensor *t = run->shells[i];
        if (i < run->shells_used) {
            if (t->refs > 1 || t->meta || t->grad_fn || t->own_version || t->sizes != t->dims) {
                gd_storage_retain(t->storage);
                gd_release(t);
                continue;
            }
            t->storage = NULL;
        }
        run->shells[kept++] = t;
    }
    run->nshells = kept;
    run->shells_used = 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static gd_tensor *read_place(gd_bw *b, const gd_place *p) {
    gd_frame *f = frame_of(b);
    if (b->ctx->error.code != GD_OK || p->slot->kind == GD_S_EMPTY) return NULL;
    /* The engine has checked all versions (gd_saved_check). */
    if (p->slot->kind == GD_S_LEAF) return p->slot->u.leaf->u.variable;
    if (p->slot->kind == GD_S_ALIAS && !f->run->create_graph) return p->slot->u.tensor;
    return fits_shell(f->run, p) ? lend_shell(f->run, p) : lend_new(f, p);
}

gd_tensor *gd_bw_tensor_at(gd_bw *b, int argument, int entry) {
    gd_place place;
    if (!gd_place_of(b->node, argument, entry, -1, &place)) return NULL;
    return read_place(b, &place);
}

gd_tensor *gd_bw_tensor(gd_bw *b, int argument) { return gd_bw_tensor_at(b, argument, 0); }

gd_tensor *gd_bw_output(gd_bw *b, int output) {
    gd_place place;
    if (!gd_place_of(b->node, -1, 0, output, &place)) return NULL;
    return read_place(b, &place);
}

gd_value gd_bw_arg(gd_bw *b, int argument) {
    const gd_value *v = gd_value_of(b->node, argument);
    return v ? *v : GD_NONE_VALUE;
}

static const gd_shape *input_shape(gd_bw *b, int argument, int entry) {
    int n, at = gd_edge_index(b->node, argument, &n);
    return at < 0 ? NULL : &gd_shapes(b->node)[b->node->nouts + (uint32_t)(at + entry)];
}

/* An argument without an edge has its shape in the saved tensor, if any. */
static const gd_tensor *saved_alias(gd_bw *b, int argument, int entry) {
    gd_place place;
    bool found = gd_place_of(b->node, argument, entry, -1, &place) && place.slot->kind == GD_S_ALIAS;
    return found ? place.slot->u.tensor : NULL;
}

const int64_t *gd_bw_entry_sizes(gd_bw *b, int argument, int entry, int *ndim) {
    const gd_shape *shape = input_shape(b, argument, entry);
    if (shape) {
        *ndim = shape->ndim;
        return gd_shape_sizes(b->node, shape);
    }
    const gd_tensor *t = saved_alias(b, argument, entry);
    *ndim = t ? t->ndim : 0;
    return t ? t->sizes : gd_words(b->node);
}

const int64_t *gd_bw_sizes(gd_bw *b, int argument, int *ndim) { return gd_bw_entry_sizes(b, argument, 0, ndim); }

gd_dtype gd_bw_dtype(gd_bw *b, int argument) {
    const gd_shape *shape = input_shape(b, argument, 0);
    if (shape) return (gd_dtype)shape->dtype;
    const gd_tensor *t = saved_alias(b, argument, 0);
    return t ? (gd_dtype)t->dtype : GD_FLOAT32;
}

int gd_bw_entries(gd_bw *b, int argument) {
    const gd_value *v = gd_value_of(b->node, argument);
    return v ? (int)v->n : 1;
}

bool gd_bw_needs_entry(gd_bw *b, int argument, int entry) {
    const gd_frame *f = frame_of(b);
    int n, at = gd_edge_index(b->node, argument, &n);
    if (at < 0 || entry >= n) return false;
    const gd_edge *edge =
        f->outer ? &gd_edges(f->outer)[(uint32_t)(at + entry) + f->shift] : &gd_edges(b->node)[at + entry];
    return gd_edge_needed(f->run, edge);
}

bool gd_bw_needs(gd_bw *b, int argument) {
    int n = gd_bw_entries(b, argument);
    for (int i = 0; i < n; i++)
        if (gd_bw_needs_entry(b, argument, i)) return true;
    return false;
}

void gd_bw_set_entry(gd_bw *b, int argument, int entry, gd_tensor *t) {
    int n, at = gd_edge_index(b->node, argument, &n);
    if (at < 0 || entry >= n) return;
    gd_retain(t);
    gd_release(b->out[at + entry]);
    b->out[at + entry] = t;
}

void gd_bw_set(gd_bw *b, int argument, gd_tensor *t) { gd_bw_set_entry(b, argument, 0, t); }

const gd_op *gd_bw_op(const gd_bw *b) { return b->node->u.op; }
