/* graph.c: walking the recorded graph from outside: nodes, their edges and their saved fields. */
#include "core/autograd/node.h"

#include <stdlib.h>

const char *gd_node_name(const gd_node *node) {
    if (node->kind == GD_N_ACCUMULATE) return "AccumulateGrad";
    return node->kind == GD_N_COPY_SLICES ? "CopySlices" : node->u.op->node;
}

uint64_t gd_node_id(const gd_node *node) { return node->id; }
bool gd_node_freed(const gd_node *node) { return node->freed; }
int gd_node_ninputs(const gd_node *node) { return (int)node->nedges; }

gd_node *gd_node_next(const gd_node *node, int i, uint32_t *input_nr) {
    if (i < 0 || (uint32_t)i >= node->nedges) return NULL;
    const gd_edge *edge = &gd_edges(node)[i];
    if (input_nr) *input_nr = edge->nr;
    return edge->node;
}

gd_tensor *gd_node_variable(const gd_node *node) { return node->kind == GD_N_ACCUMULATE ? node->u.variable : NULL; }

gd_node *gd_gradient_edge(gd_ctx *ctx, gd_tensor *t, uint32_t *input_nr) {
    gd_node *fn = gd_grad_fn(ctx, t);
    if (input_nr) *input_nr = fn ? t->output_nr : 0;
    if (fn || ctx->error.code != GD_OK || !(t->flags & GD_F_REQUIRES_GRAD)) return fn;
    return gd_accumulator(ctx, t);
}

/* ---- saved fields ---------------------------------------------------------------------------- */

int gd_node_nsaved(const gd_node *node) { return node->kind == GD_N_RULE ? node->u.op->nsaves : 0; }

/* A tensor of the graph as it is now: what a saved field answers is attached, as PyTorch's is. */
static gd_code read_tensor(gd_ctx *ctx, gd_node *node, int arg, int entry, int output, gd_tensor **t) {
    gd_place place;
    *t = NULL;
    if (!gd_place_of(node, arg, entry, output, &place)) return GD_OK;
    gd_code code = gd_place_check(ctx, &place);
    if (code != GD_OK || place.slot->kind == GD_S_EMPTY) return code;
    *t = gd_place_read(ctx, &place, true);
    return *t ? GD_OK : ctx->error.code;
}

static gd_cell *lent_cell(gd_ctx *ctx, gd_node *node, size_t n) {
    gd_cell *cell = calloc(1, sizeof *cell);
    if (cell) cell->lent = calloc(n + 1, sizeof(gd_tensor *));
    if (cell && cell->lent) {
        cell->output_nr = UINT32_MAX; /* of no output */
        cell->next = node->cells;
        return node->cells = cell;
    }
    free(cell);
    gd_fail_memory(ctx);
    return NULL;
}

static gd_cell *find_lent(const gd_node *node) {
    for (gd_cell *cell = node->cells; cell; cell = cell->next)
        if (cell->lent) return cell;
    return NULL;
}

/* A saved list is lent: the tensors are the node's own and stay until it frees them. */
static gd_code read_list(gd_ctx *ctx, gd_node *node, int arg, gd_value *value) {
    uint32_t n = gd_value_of(node, arg)->n;
    gd_cell *cell = find_lent(node);
    if (!cell && !(cell = lent_cell(ctx, node, n))) return GD_E_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        gd_place place;
        cell->lent[i] = NULL;
        if (!gd_place_of(node, arg, (int)i, -1, &place)) continue;
        gd_code code = gd_place_check(ctx, &place);
        if (code != GD_OK) return code;
        if (place.slot->kind == GD_S_ALIAS) cell->lent[i] = place.slot->u.tensor;
        if (place.slot->kind == GD_S_LEAF) cell->lent[i] = place.slot->u.leaf->u.variable;
    }
    *value = (gd_value){.kind = GD_V_TENSORS, .n = n, .u.tensors = cell->lent};
    return GD_OK;
}

static gd_value property(const gd_node *node, const gd_save *save) {
    int n, at = gd_edge_index(node, save->index, &n);
    if (at < 0) return GD_NONE_VALUE;
    const gd_shape *shape = &gd_shapes(node)[node->nouts + (uint32_t)at];
    const int64_t *sizes = gd_shape_sizes(node, shape);
    if (save->kind == GD_SAVE_SIZES) return GD_INTS_VALUE(sizes, shape->ndim);
    if (save->kind == GD_SAVE_STRIDES)
        return shape->strided ? GD_INTS_VALUE(sizes + shape->ndim, shape->ndim) : GD_NONE_VALUE;
    if (save->kind == GD_SAVE_DIM) return GD_INT_VALUE(shape->ndim);
    int64_t numel = 1;
    for (int i = 0; i < shape->ndim; i++) numel *= sizes[i];
    return GD_INT_VALUE(numel);
}

static gd_code read_argument(gd_ctx *ctx, gd_node *node, int arg, gd_value *value) {
    gd_type type = node->u.op->params[arg].type;
    if (type == GD_T_TENSORS) return read_list(ctx, node, arg, value);
    if (type != GD_T_TENSOR) {
        *value = *gd_value_of(node, arg);
        return GD_OK;
    }
    gd_tensor *t;
    gd_code code = read_tensor(ctx, node, arg, 0, -1, &t);
    if (t) *value = GD_TENSOR_VALUE(t);
    return code;
}

gd_code gd_node_saved(gd_ctx *ctx, gd_node *node, int i, const char **name, gd_value *value) {
    *value = GD_NONE_VALUE;
    if (i < 0 || i >= gd_node_nsaved(node)) return gd_fail(ctx, GD_E_INDEX, "the node has no saved field %d", i);
    const gd_save *save = &node->u.op->saves[i];
    *name = save->name;
    if (save->kind == GD_SAVE_ARG) return read_argument(ctx, node, save->index, value);
    if (save->kind != GD_SAVE_OUTPUT) {
        *value = property(node, save);
        return GD_OK;
    }
    gd_tensor *t;
    gd_code code = read_tensor(ctx, node, -1, 0, save->index, &t);
    if (t) *value = GD_TENSOR_VALUE(t);
    return code;
}
