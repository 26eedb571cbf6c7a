/* autograd.h: the recorded graph, for the inside of libgradd.
 *
 * Nodes, saved values, recording, the in-place rules and the backward engine. The rules themselves
 * live with their ops in core/ops. Note [No cycles]: a node saves its op's own output as an alias
 * without that output's grad_fn, so tensor -> node -> tensor never closes.
 */
#ifndef GD_AUTOGRAD_H
#define GD_AUTOGRAD_H

#include "core/ops/op.h"

/* Called once by gd_init when the rows are compiled. */
void gd_autograd_init(void);

/* ---- called by the dispatcher (core/ops/call.c) -------------------------------------------- */

/* True if grad mode is on and one of the row's `diff` arguments requires grad. */
bool gd_should_record(const gd_ctx *ctx, const gd_op *op, const gd_value *args, int nargs);
/* After a forward: makes the node, saves what the row says, and sets grad_fn and requires_grad of
 * the floating outputs. Fails with nothing recorded. GD_E_STATE when an inference tensor would be saved. */
GD_MUST_CHECK gd_code gd_record(gd_apply *a);
/* After the forward of a GD_VIEW row: marks outputs as views of args[0] (or of its base). */
GD_MUST_CHECK gd_code gd_mark_views(gd_apply *a);
/* Before an in-place write to `self`: leaf, view-of-leaf, no_grad-view, multi-output-view and inference
 * rules (SEMANTICS 24, 25, 27, 31); `records`: this op will be recorded or self requires grad. */
GD_MUST_CHECK gd_code gd_check_inplace(gd_ctx *ctx, const gd_op *op, gd_tensor *self, bool records);
/* Around an in-place op that records. prepare: before the write; makes the node, with edges to the
 * inputs as they are now, saving inputs (a clone of self where the rule needs its old value).
 * commit: after the write; saves outputs, rebinds self (CopySlices when self is a view), cannot fail.
 * abandon: when the forward failed. */
gd_node *gd_inplace_prepare(gd_apply *a); /* NULL with error */
void gd_inplace_commit(gd_apply *a, gd_node *node);
void gd_inplace_abandon(gd_node *node);

/* ---- called by tensor.c when a tensor dies --------------------------------------------------- */
/* Frees meta: grad, hooks, weak links. The grad_fn is dropped through gd_node_release, which frees
 * whole graphs iteratively. */
void gd_meta_free(gd_tensor *t);
/* Called when a context goes: cuts the cycles that create_graph makes (a leaf's `.grad` whose graph ends at
 * that leaf), so that what is left is freed with its last tensor. */
void gd_autograd_close(gd_ctx *ctx);

/* ---- for ops that change a tensor's place in the graph ---------------------------------------- */

/* `detach_()`: t becomes a leaf without gradient. GD_E_STATE for a view (PyTorch's text). */
GD_MUST_CHECK gd_code gd_detach_inplace(gd_ctx *ctx, gd_tensor *t);

/* ---- for who registers hooks and outlives the tensor -------------------------------------------- */

/* The hook of t that `handle` names, borrowed: valid until its free_user is called. NULL if it is gone. */
gd_hook *gd_hook_of(const gd_tensor *t, uint64_t handle);
/* Removes it from its tensor, or, when that has died, from what its node calls. */
void gd_hook_remove(gd_hook *hook);

/* A hook on a whole node (node_hooks.c). `before` it runs: `own` are the n gradients that arrived, `other` is empty.
 * After: `own` are the gradients that it passes on, `other` those that had arrived. Entries may be NULL; the hook may
 * put other tensors into own, releasing what was there. */
typedef struct gd_node_hook gd_node_hook;
typedef gd_code (*gd_node_hook_fn)(gd_ctx *ctx, void *user, gd_tensor **own, int n, gd_tensor *const *other,
                                   int nother);
/* Borrowed: valid until free_user is called, which happens once. NULL with the error set. */
gd_node_hook *gd_node_hook_add(gd_ctx *ctx, gd_node *node, bool before, gd_node_hook_fn call, void *user,
                               void (*free_user)(void *user));
void gd_node_hook_remove(gd_node_hook *hook);

/* ---- for derivative rules (read through core/ops/rules.h) ------------------------------------- */
/* Saved Tensor argument, by argument index of the signature; borrowed (pooled); NULL if it was not
 * saved or with the error set (freed, version mismatch: SEMANTICS 9, 28). */
gd_tensor *gd_bw_tensor(gd_bw *b, int argument);
/* Entry of a saved Tensor[] argument. */
gd_tensor *gd_bw_tensor_at(gd_bw *b, int argument, int entry);
/* Saved output k, attached to the node again so that second derivatives flow; borrowed (pooled). */
gd_tensor *gd_bw_output(gd_bw *b, int output);
/* Any argument that is no Tensor, as it was bound. */
gd_value gd_bw_arg(gd_bw *b, int argument);
/* Sizes of a Tensor argument (also when it was not saved; kept for every diff argument). */
const int64_t *gd_bw_sizes(gd_bw *b, int argument, int *ndim);
gd_dtype gd_bw_dtype(gd_bw *b, int argument);
/* Number of entries of a Tensor[] argument, and sizes of one entry. */
int gd_bw_entries(gd_bw *b, int argument);
const int64_t *gd_bw_entry_sizes(gd_bw *b, int argument, int entry, int *ndim);
/* Does diff argument (by argument index) need a gradient in this run? */
bool gd_bw_needs(gd_bw *b, int argument);
bool gd_bw_needs_entry(gd_bw *b, int argument, int entry);
/* The row whose rule this is. */
const gd_op *gd_bw_op(const gd_bw *b);
/* Sets the gradient of a diff argument (by argument index): retains `t`; NULL: none. The engine sums a
 * broadcast gradient to the input's shape and casts it to its dtype: rules need not. */
void gd_bw_set(gd_bw *b, int argument, gd_tensor *t);
void gd_bw_set_entry(gd_bw *b, int argument, int entry, gd_tensor *t);

#endif
