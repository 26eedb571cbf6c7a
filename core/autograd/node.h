/* node.h: how a node of the recorded graph is laid out, and what the files of core/autograd share.
 *
 * A node is one allocation: the header, then
 *     gd_edge edges[nedges]      where its gradients go; NULL where none flows
 *     gd_slot slots[nslots]      saved tensors
 *     gd_value values[nvalues]   arguments that are no Tensor, in order (a Tensor[] keeps its length)
 *     gd_shape shapes[nouts + nedges]   outputs, then the inputs that have an edge
 *     int64_t words[]            sizes, strides, and what values point to
 *
 * Note [Order]: an edge leads to a node with a smaller id, always. Ids are given when the edges are known.
 *
 * Note [Snapshots]: a node saves a tensor as a snapshot (storage, address, version), never the tensor object, so a
 * later in-place op that gives the object a younger grad_fn cannot close a cycle. The snapshot of an input is attached
 * to the graph again through the node's own edge for that input, an output's through the node itself. A leaf that
 * requires a gradient is reached through its AccumulateGrad.
 */
#ifndef GD_NODE_H
#define GD_NODE_H

#include "core/autograd/autograd.h"

typedef enum gd_node_kind { GD_N_RULE, GD_N_ACCUMULATE, GD_N_COPY_SLICES } gd_node_kind;

typedef struct gd_edge {
    gd_node *node; /* owned */
    uint32_t nr;   /* which output of the tensor's op: input number of `node` */
} gd_edge;

typedef enum gd_slot_kind {
    GD_S_EMPTY,   /* not saved: no gradient needs it */
    GD_S_LEAF,    /* the variable behind the AccumulateGrad of the argument's edge */
    GD_S_STORAGE, /* contiguous bytes; the shape is the argument's or output's */
    GD_S_ALIAS,   /* anything else: an own tensor object outside the graph */
    GD_S_FREED
} gd_slot_kind;

typedef struct gd_slot {
    union {
        gd_storage *storage; /* owned */
        gd_tensor *tensor;   /* owned */
        gd_node *leaf;       /* GD_S_LEAF: the AccumulateGrad, which the argument's edge holds */
    } u;
    char *data;
    uint32_t version; /* when saved */
    uint8_t kind;     /* gd_slot_kind */
    bool is_view;     /* the saved tensor was a view */
    uint8_t creation; /* gd_creation, of a view */
    bool wrapped;     /* it was a Python number */
} gd_slot;

typedef struct gd_shape {
    uint32_t at; /* index of its sizes in words */
    uint8_t dtype;
    uint8_t ndim;
    bool strided; /* strides follow the sizes */
} gd_shape;

/* What is attached to a node from outside: a hook on one output or on the whole node, a tensor that retains its
 * gradient, or a list that gd_node_saved lent out. */
typedef struct gd_cell {
    struct gd_cell *next;
    gd_hook *hook;           /* owned reference, or NULL */
    gd_tensor *retains;      /* weak: cleared when the tensor dies */
    gd_tensor **lent;        /* heap, or NULL */
    gd_node_hook *node_hook; /* owned reference, or NULL */
    uint32_t output_nr;
} gd_cell;

struct gd_hook {
    gd_hook *next;    /* in its tensor's list */
    gd_tensor *owner; /* weak: that tensor, NULL once it died */
    uint64_t handle;
    gd_hook_fn call;
    void *user;
    void (*free_user)(void *user);
    uint32_t refs;
    uint32_t running; /* calls under way: free_user waits for them */
    bool removed;
    char name[];
};

/* One tensor's place in a storage. */
typedef struct gd_geometry {
    int ndim;
    int64_t offset; /* elements */
    int64_t *sizes; /* then strides, elements */
} gd_geometry;

/* A CopySlices node's own part: an op wrote one view of a base. */
typedef struct gd_slices {
    gd_node *inner;                  /* owned: the op's node, with the view's old edge as its first */
    gd_geometry base, before, after; /* the view before and after the op */
    bool plain;                      /* the base is contiguous */
    bool has_self;                   /* inner's edge 0 is the view */
    int64_t dims[];
} gd_slices;

struct gd_node {
    uint32_t refs;
    uint32_t run_index; /* place in the running backward's states, if that place names this node */
    union {
        gd_ctx *ctx;
        gd_node *next_dead;
    };
    uint64_t id;
    union {
        const gd_op *op;     /* GD_N_RULE */
        gd_tensor *variable; /* GD_N_ACCUMULATE: the leaf, owned unless `floating`; NULL once cut off */
        gd_slices *slices;   /* GD_N_COPY_SLICES, owned */
    } u;
    gd_cell *cells; /* in order of registration */
    uint32_t nedges, nouts, nslots, nvalues;
    uint32_t bytes; /* of the allocation */
    uint8_t kind;   /* gd_node_kind */
    bool freed;     /* saved tensors were freed by a backward */
    bool has_saved; /* holds saved tensors */
    bool floating;  /* GD_N_ACCUMULATE: owned by its leaf, as no edge leads to it yet */
};

/* Behind an AccumulateGrad: its place in the context's list. */
typedef struct gd_links {
    gd_node *prev, *next;
    bool linked;
} gd_links;

static inline gd_edge *gd_edges(const gd_node *n) { return (gd_edge *)(n + 1); }
static inline gd_slot *gd_slots(const gd_node *n) { return (gd_slot *)(gd_edges(n) + n->nedges); }
static inline gd_value *gd_values(const gd_node *n) { return (gd_value *)(gd_slots(n) + n->nslots); }
static inline gd_shape *gd_shapes(const gd_node *n) { return (gd_shape *)(gd_values(n) + n->nvalues); }
static inline int64_t *gd_words(const gd_node *n) { return (int64_t *)(gd_shapes(n) + n->nouts + n->nedges); }
static inline gd_links *gd_links_of(const gd_node *n) { return (gd_links *)gd_words(n); }
static inline const int64_t *gd_shape_sizes(const gd_node *n, const gd_shape *s) { return gd_words(n) + s->at; }

/* ---- node.c ---- */
typedef struct gd_layout {
    uint32_t edges, outs, slots, values;
    size_t words;
} gd_layout;
/* New node, all parts empty, id not yet given. NULL with error. */
gd_node *gd_node_new(gd_ctx *ctx, gd_node_kind kind, const gd_layout *layout);
/* Drops the saved tensors and marks the node freed (if it had any). */
void gd_node_free_saved(gd_node *node);
void gd_slot_drop(gd_slot *slot);
/* The edge to which gradients of t flow (t may be NULL): *edge gets an owned node or NULL. Fails for a spoilt
 * view or when memory is out. */
GD_MUST_CHECK gd_code gd_edge_of(gd_ctx *ctx, gd_tensor *t, gd_edge *edge);
/* The leaf's AccumulateGrad (made if need be), borrowed: the leaf owns a new one. NULL with error. */
gd_node *gd_accumulator(gd_ctx *ctx, gd_tensor *leaf);
/* An owned reference to it for an edge. */
gd_node *gd_accumulator_edge(gd_ctx *ctx, gd_tensor *leaf);
/* Ends the tie between a former leaf and its AccumulateGrad, which then drops what it gets. */
void gd_accumulator_cut(gd_tensor *t);

/* ---- record.c ---- */
/* The node of one application: edges to the inputs as they are, inputs and outputs saved. `inplace`: the output is
 * args[0], whose old value is cloned where the row saves it. New; NULL with error. */
gd_node *gd_node_build(const gd_apply *a, gd_tensor *const *outs, int nouts, bool inplace);
/* Where a row's nodes keep what; computed once a row by gd_autograd_init, as every rule asks. -1: nowhere. Rows with a
 * Tensor[] argument count its entries on top. */
typedef struct gd_node_plan {
    bool lists;
    uint8_t nvalues, nslots;
    uint32_t strided;                         /* bit i: argument i keeps its strides */
    int8_t edge_of[GD_MAX_ARGS];              /* by argument */
    int8_t value_of[GD_MAX_ARGS];             /* by argument */
    int8_t save_of[GD_MAX_ARGS];              /* by argument: the field that saves it as tensor */
    int8_t save_of_output[GD_INLINE_OUTPUTS]; /* by output */
    int8_t slot_of[GD_MAX_SAVES];             /* by saved field */
} gd_node_plan;
extern gd_node_plan gd_node_plans[GD_OP_COUNT];
int gd_edge_index_lists(const gd_node *node, int arg, int *n);
int gd_slot_index_lists(const gd_node *node, int save);

static inline const gd_node_plan *gd_node_plan_of(const gd_node *node) { return &gd_node_plans[node->u.op->id]; }

/* The value kept for a non-Tensor argument, or the length of a Tensor[]; NULL for a Tensor. */
static inline const gd_value *gd_value_of(const gd_node *node, int arg) {
    int at = gd_node_plan_of(node)->value_of[arg];
    return at < 0 ? NULL : &gd_values(node)[at];
}

/* Index of the first edge of argument `arg`, or -1; *n: entries (1 for a Tensor). */
static inline int gd_edge_index(const gd_node *node, int arg, int *n) {
    const gd_node_plan *p = gd_node_plan_of(node);
    *n = 1;
    return p->lists && p->edge_of[arg] >= 0 ? gd_edge_index_lists(node, arg, n) : p->edge_of[arg];
}

/* Index of the first slot of row field `save`, or -1 if it saves no tensor. */
static inline int gd_slot_index(const gd_node *node, int save) {
    const gd_node_plan *p = gd_node_plan_of(node);
    return p->lists && p->slot_of[save] >= 0 ? gd_slot_index_lists(node, save) : p->slot_of[save];
}

/* ---- saved.c ---- */
/* Fills a slot with a snapshot of t; `shaped`: t's shape is in the node's shapes. GD_E_STATE for inference tensors. */
GD_MUST_CHECK gd_code gd_slot_save(gd_ctx *ctx, gd_slot *slot, gd_tensor *t, const gd_edge *edge, bool shaped);
/* Where a slot's tensor belongs. */
typedef struct gd_place {
    gd_node *node; /* that holds the slot */
    gd_slot *slot;
    const gd_shape *shape; /* NULL for GD_S_ALIAS without one */
    const gd_edge *edge;   /* of the argument; NULL if it has none */
    int output;            /* >= 0: own output */
} gd_place;
/* Place of entry `entry` of argument `arg`, or of output `output` (arg < 0); false if the row does not save it. */
bool gd_place_of(gd_node *node, int arg, int entry, int output, gd_place *place);
/* GD_OK if all that the node saved can be read, in PyTorch's order of arguments; SEMANTICS 9 and 28 otherwise. */
GD_MUST_CHECK gd_code gd_saved_check(gd_ctx *ctx, gd_node *node);
/* The same for one slot. */
GD_MUST_CHECK gd_code gd_place_check(gd_ctx *ctx, const gd_place *place);
/* New tensor for a slot, attached to the graph if `attach`; NULL without error if it is empty, with error otherwise. */
gd_tensor *gd_place_read(gd_ctx *ctx, const gd_place *place, bool attach);
#define GD_FREED_TEXT                                                                                                  \
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "    \
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "     \
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "      \
    "saved tensors after calling backward."

/* ---- inplace.c, views.c ---- */
/* Gives t the grad_fn `node` (takes it), output 0; what retains t's gradient moves along. Cannot fail. */
void gd_rebind(gd_tensor *t, gd_node *node);
/* Text of SEMANTICS 24, 31 when a view that may not be written was, or its base (`indirect`). */
GD_MUST_CHECK gd_code gd_check_view(gd_ctx *ctx, const gd_tensor *view, bool indirect);
/* The CopySlices node around `inner` (takes it) for a write to `view`. New; NULL with error. */
gd_node *gd_slices_new(gd_ctx *ctx, gd_tensor *view, gd_node *inner);
void gd_slices_free(gd_slices *slices);
/* The part of a base gradient that belongs to the view as written; pooled, NULL with error. */
gd_tensor *gd_slices_cut(gd_ctx *ctx, const gd_slices *s, gd_tensor *grad);
/* A base gradient with the view's part replaced by `part` (NULL: zeros); pooled, NULL with error. */
gd_tensor *gd_slices_put(gd_ctx *ctx, const gd_slices *s, gd_tensor *grad, gd_tensor *part);

/* ---- hooks.c ---- */
void gd_hook_release(gd_hook *hook);
void gd_cells_free(gd_cell *cells);
void gd_hooks_leave(gd_tensor *t); /* when t dies: its hooks and what retains its gradient */
void gd_retention_move(gd_tensor *t, gd_node *from, gd_node *to);
/* Runs the hooks of a leaf, or those of output nr of a node, over *grad (owned, replaced). */
GD_MUST_CHECK gd_code gd_hooks_run_leaf(gd_ctx *ctx, gd_tensor *leaf, gd_tensor **grad);
GD_MUST_CHECK gd_code gd_hooks_run_node(gd_ctx *ctx, gd_node *node, uint32_t nr, gd_tensor **grad);

/* ---- node_hooks.c ---- */
void gd_node_hook_leave(gd_node_hook *hook); /* the node died */
bool gd_node_hooked(const gd_node *node, bool before);
GD_MUST_CHECK gd_code gd_node_hooks_run(gd_ctx *ctx, const gd_node *node, bool before, gd_tensor **own, int n,
                                        gd_tensor *const *other, int nother);
/* Runs the hooks before a node, and checks what they leave in `grads`, one entry an output. */
GD_MUST_CHECK gd_code gd_node_hooks_before(gd_ctx *ctx, const gd_node *node, gd_tensor **grads);

/* ---- leaf.c ---- */
static inline gd_tensor *gd_grad_of(const gd_tensor *t) { return t->meta ? t->meta->grad : NULL; }

#endif
