/* engine.h: one backward run, as engine.c, bw.c and run.c see it. */
#ifndef GD_ENGINE_H
#define GD_ENGINE_H

#include "core/autograd/node.h"

/* A node of the run. `node->run_index` is its index here; states[i].node == node proves it. */
typedef struct gd_state {
    gd_node *node;
    uint32_t old_index; /* of an outer run, restored at the end */
    uint32_t deps;      /* edges that have not delivered yet */
    uint32_t buffers;   /* index of the gradient of output 0 */
    uint32_t capture;   /* 1 + index of the first capture, 0: none */
    bool needed;        /* leads to an input, or is one */
    bool execute;       /* something behind it is needed */
    bool accumulate;    /* AccumulateGrad that writes `.grad` */
    bool done;          /* its rule has run */
} gd_state;

typedef struct gd_capture {
    uint32_t nr;
    uint32_t next;   /* 1 + index, 0: none */
    gd_tensor *grad; /* owned */
} gd_capture;

/* A `.grad` to be written if all goes well. */
typedef struct gd_write {
    gd_tensor *target; /* owned */
    gd_tensor *grad;   /* owned */
    bool retained;     /* by retain_grad: replaced, not added in place */
    bool add;          /* filled by prepare: add grad to the existing one in place */
    bool done;         /* prepare has added it */
} gd_write;

/* A leaf's node with hooks that wait for its gradient to be written. */
typedef struct gd_after {
    const gd_node *node;
    gd_tensor *grad; /* owned */
} gd_after;

#define GD_SHELLS 4

typedef struct gd_run {
    gd_ctx *ctx;
    bool create_graph;
    bool retain_graph;
    bool by_ops;     /* all arithmetic is ops: they are recorded (create_graph) or traced */
    bool restricted; /* only some inputs are wanted */
    bool accumulate; /* AccumulateGrad nodes write `.grad` (restricted: those that are inputs), nothing is captured */
    bool open;
    uint32_t nstates, states_cap;
    uint32_t nbuffers, nheap;
    gd_state *states;
    gd_tensor **buffers; /* owned entries */
    uint32_t *heap;      /* states that are ready, newest node first */
    gd_capture *captures;
    uint32_t ncaptures;
    gd_write *writes;
    size_t nwrites, writes_cap;
    gd_after *after;
    size_t nafter;
    gd_tensor **out; /* gradients of the running node's edges */
    uint32_t out_cap;
    /* Tensor objects that saved values are lent to rules in, and reused; see bw.c. */
    gd_tensor *shells[GD_SHELLS];
    int nshells, shells_used;
} gd_run;

/* What a rule reads: the engine makes no gd_bw without a frame around it. */
typedef struct gd_frame {
    gd_bw b;
    gd_run *run;
    const gd_node *outer; /* the CopySlices node around b.node, or NULL */
    uint32_t shift;       /* outer's edge for edge i of b.node is i + shift */
} gd_frame;

/* Root i: a gradient (owned by the caller) for an edge. */
typedef struct gd_root {
    gd_edge edge;
    gd_tensor *grad;
} gd_root;

/* engine.c. A run is zero-initialised with ctx and the flags, then opened: finds the nodes behind the roots. Targets
 * are the inputs' edges; captures (ntargets of them) get their gradients. */
GD_MUST_CHECK gd_code gd_run_open(gd_run *run, const gd_root *roots, int nroots, const gd_edge *targets, int ntargets);
GD_MUST_CHECK gd_code gd_run_execute(gd_run *run, const gd_root *roots, int nroots);
/* Makes the writes ready (all that can fail), then commit does them and frees saved tensors. */
GD_MUST_CHECK gd_code gd_run_prepare(gd_run *run);
void gd_run_commit(gd_run *run, void (*on_accumulate)(void *user, gd_tensor *t), void *user);
void gd_run_close(gd_run *run);

/* commit.c */
/* t belongs to its holder alone and may be overwritten or kept. */
bool gd_is_sole(const gd_tensor *t);
/* dst += src, same shape and dtype; dst's elements do not overlap. Cannot fail. */
void gd_add_values(gd_tensor *dst, gd_tensor *src);
GD_MUST_CHECK gd_code gd_run_note_write(gd_run *run, gd_tensor *target, gd_tensor *grad, bool retained);

/* node_hooks.c: hooks on the leaf's node over its gradient: those before now, those after are noted for the end. */
GD_MUST_CHECK gd_code gd_node_hooks_leaf(gd_run *run, const gd_node *node, gd_tensor **grad);
/* Runs those that were noted, after the commit. */
GD_MUST_CHECK gd_code gd_node_hooks_after(gd_run *run);

/* bw.c: ends a rule's loan of saved values. */
void gd_shells_return(gd_run *run);
bool gd_edge_needed(const gd_run *run, const gd_edge *edge);

#endif
