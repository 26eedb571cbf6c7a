/* fuse.c: which nodes run together. Nodes are taken in order; a pointwise node joins the earliest fused unit of as many
 * elements that comes after all that it needs, so that a forward and a backward pass become one where nothing stands
 * between them. A sum of all elements ends nothing: what does not need it goes on in the same unit.
 */
#include <string.h>

#include "core/plan/compiler.h"

enum { MAX_MEMBERS = 192, MAX_SINKS = 16, MAX_LOOKS = 64 };

/* ---- operands -------------------------------------------------------------------------------------- */

int64_t gd_c_stride(const gd_cvalue *out, const gd_cvalue *v, int d) {
    int own = d - (out->ndim - v->ndim);
    if (own < 0 || v->sizes[own] == 1) return 0;
    return gd_c_strides(v)[own] * (int64_t)gd_dtype_bytes(v->dtype);
}

gd_operand_kind gd_c_operand(const gd_cvalue *out, const gd_cvalue *v) {
    if (out->numel == 1 || gd_c_is_scalar(v)) return out->numel == 1 ? GD_OPERAND_FLAT : GD_OPERAND_SCALAR;
    if (v->numel != out->numel) return GD_OPERAND_STRIDED;
    int64_t width = (int64_t)gd_dtype_bytes(v->dtype);
    for (int d = 0; d < out->ndim; d++)
        if (out->sizes[d] > 1 && gd_c_stride(out, v, d) != gd_c_strides(out)[d] * width) return GD_OPERAND_STRIDED;
    return GD_OPERAND_FLAT;
}

int gd_c_order(const gd_cvalue *out, int *order) {
    int n = 0;
    for (int d = out->ndim - 1; d >= 0; d--) {
        if (out->sizes[d] == 1) continue;
        int at = n++;
        for (; at > 0 && gd_c_strides(out)[order[at - 1]] > gd_c_strides(out)[d]; at--) order[at] = order[at - 1];
        order[at] = d;
    }
    return n;
}

bool gd_c_in_register(const gd_compiler *c, const gd_cvalue *out, const gd_cvalue *v) {
    return gd_c_operand(out, v) == GD_OPERAND_FLAT && v->numel == out->numel && gd_c_covers(c, v);
}

/* ---- units ------------------------------------------------------------------------------------------- */

static int32_t new_unit(gd_compiler *c, bool fused) {
    if (!gd_c_grow(c, (void **)&c->units, c->nunits, &c->units_cap, sizeof *c->units)) return -1;
    c->units[c->nunits] = (gd_cunit){.fused = fused, .first = -1, .last = -1, .ndim = -1, .before = -1};
    return c->nunits++;
}

static void join(gd_compiler *c, int32_t node, int32_t unit) {
    gd_cunit *u = &c->units[unit];
    if (u->last >= 0)
        c->nodes[u->last].next = node;
    else
        u->first = node;
    u->last = node;
    u->members++;
    c->nodes[node].unit = unit;
    for (int k = 0; k < c->nodes[node].nout; k++) c->values[c->nodes[node].out + k].unit = unit;
}

/* The first unit in which node can run, given that it reads what fused unit u computes from registers. */
static int32_t earliest(const gd_compiler *c, const gd_cnode *node) {
    const gd_cvalue *out = &c->values[node->out];
    int32_t first = 0;
    for (int k = 0; k < node->nin; k++) {
        const gd_cvalue *v = &c->values[node->in[k]], *root = &c->values[v->root];
        if (root->kind != GD_C_RESULT) continue;
        bool same = c->nodes[root->source].kind == GD_N_POINTWISE && gd_c_in_register(c, out, v);
        int32_t after = root->unit + (same ? 0 : 1);
        if (after > first) first = after;
    }
    return first;
}

typedef struct gd_pass_shape {
    int64_t numel;
    int ndim; /* -1: any */
    int64_t sizes[GD_MAX_DIMS];
} gd_pass_shape;

static void shape_of(const gd_compiler *c, const gd_cnode *node, gd_pass_shape *s) {
    const gd_cvalue *out = &c->values[node->out];
    bool strided = false;
    s->numel = out->numel;
    s->ndim = -1;
    for (int k = 0; k < node->nin; k++) strided |= gd_c_operand(out, &c->values[node->in[k]]) == GD_OPERAND_STRIDED;
    if (!strided) return;
    int order[GD_MAX_DIMS];
    s->ndim = gd_c_order(out, order);
    for (int i = 0; i < s->ndim; i++) s->sizes[i] = out->sizes[order[i]];
}

static bool fits(const gd_cunit *u, const gd_pass_shape *s) {
    if (u->members >= MAX_MEMBERS || u->numel != s->numel) return false;
    if (u->ndim < 0 || s->ndim < 0) return true;
    return u->ndim == s->ndim && !memcmp(u->sizes, s->sizes, (size_t)s->ndim * sizeof *s->sizes);
}

/* Units of one number of elements are chained; the chain's end is found through a table. */
typedef struct gd_chains {
    struct {
        int64_t numel;
        int32_t last; /* -1: free */
    } * at;
    uint32_t cap; /* twice the number of nodes and more: never full */
} gd_chains;

static int32_t *chain_of(gd_chains *chains, int64_t numel) {
    uint32_t i = (uint32_t)(((uint64_t)numel * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (chains->cap - 1);
    while (chains->at[i].last >= 0 && chains->at[i].numel != numel) i = (i + 1) & (chains->cap - 1);
    chains->at[i].numel = numel;
    return &chains->at[i].last;
}

static bool make_chains(gd_compiler *c, gd_chains *chains) {
    chains->cap = 16;
    while (chains->cap < 2 * (uint32_t)c->nnodes) chains->cap *= 2;
    chains->at = gd_c_new(c, chains->cap, sizeof *chains->at);
    for (uint32_t i = 0; chains->at && i < chains->cap; i++) chains->at[i].last = -1;
    return chains->at != NULL;
}

static bool set_shape(gd_compiler *c, gd_cunit *u, const gd_pass_shape *s) {
    u->numel = s->numel;
    if (u->ndim >= 0 || s->ndim < 0) return true;
    int64_t *sizes = gd_c_new(c, (size_t)s->ndim, sizeof *sizes);
    if (!sizes) return false;
    memcpy(sizes, s->sizes, (size_t)s->ndim * sizeof *sizes);
    u->sizes = sizes;
    u->ndim = s->ndim;
    return true;
}

static void place_pointwise(gd_compiler *c, int32_t node, gd_chains *chains) {
    gd_pass_shape s;
    shape_of(c, &c->nodes[node], &s);
    int32_t first = earliest(c, &c->nodes[node]), *last = chain_of(chains, s.numel), chosen = -1;
    int looks = 0;
    for (int32_t u = *last; u >= first && looks < MAX_LOOKS; u = c->units[u].before, looks++)
        if (fits(&c->units[u], &s)) chosen = u;
    if (chosen < 0) {
        chosen = new_unit(c, true);
        if (chosen < 0) return;
        c->units[chosen].before = *last;
        *last = chosen;
    }
    if (set_shape(c, &c->units[chosen], &s)) join(c, node, chosen);
}

/* A sum joins the unit that computes what it adds up, if that still is in a register there. */
static bool place_sum(gd_compiler *c, int32_t node) {
    const gd_cvalue *v = &c->values[c->nodes[node].in[0]], *root = &c->values[v->root];
    if (root->kind != GD_C_RESULT || !gd_c_covers(c, v) || v->numel < 2) return false;
    if (c->nodes[root->source].kind != GD_N_POINTWISE || !gd_sum_loop(v->dtype)) return false;
    gd_cunit *u = &c->units[root->unit];
    if (u->nsinks >= MAX_SINKS) return false;
    u->nsinks++;
    join(c, node, root->unit);
    return true;
}

static void place_alone(gd_compiler *c, int32_t node) {
    if (c->nodes[node].kind == GD_N_SUM) {
        c->nodes[node].kind = GD_N_REDUCE;
        c->nodes[node].mask = ~UINT64_C(0);
    }
    int32_t unit = new_unit(c, false);
    if (unit >= 0) join(c, node, unit);
}

/* ---- what lies in memory ------------------------------------------------------------------------------ */

static void mark_read(gd_compiler *c, const gd_cnode *node, int k) {
    if (node->in[k] < 0) return;
    const gd_cvalue *v = &c->values[node->in[k]];
    gd_cvalue *root = &c->values[v->root];
    if (node->unit > root->last) root->last = node->unit;
    if (root->kind == GD_C_RESULT && root->unit != node->unit) root->stored = true;
}

static void mark_stored(gd_compiler *c) {
    for (int32_t i = 0; i < c->nnodes; i++) {
        const gd_cnode *node = &c->nodes[i];
        if (!node->alive || node->unit < 0) continue;
        for (int k = 0; k < node->nin; k++) mark_read(c, node, k);
        if (node->kind != GD_N_POINTWISE)
            for (int k = 0; k < node->nout; k++) c->values[node->out + k].stored = true;
    }
    for (int i = 0; i < c->plan->noutputs; i++) {
        gd_cvalue *root = &c->values[c->values[c->outputs[i]].root];
        root->stored = true;
        root->last = INT32_MAX; /* copied, or its own place, at the very end */
    }
}

void gd_c_units(gd_compiler *c) {
    gd_chains chains;
    if (!make_chains(c, &chains)) return;
    for (int32_t i = 0; i < c->nnodes && !c->failed; i++) {
        if (!c->nodes[i].alive) continue;
        bool pointwise = c->nodes[i].kind == GD_N_POINTWISE;
        if (pointwise && c->values[c->nodes[i].out].numel == 0) continue; /* nothing to compute: there from the start */
        if (pointwise)
            place_pointwise(c, i, &chains);
        else if (c->nodes[i].kind != GD_N_SUM || !place_sum(c, i))
            place_alone(c, i);
    }
    if (!c->failed) mark_stored(c);
}
