/* nn.h: what the files of the network rows share. */
#ifndef GD_OPS_NN_H
#define GD_OPS_NN_H

#include "core/ops/args.h"

/* How a loss is reduced; the numbers are PyTorch's, which programs see as _saved_reduction. */
typedef enum gd_reduction { GD_REDUCE_NONE, GD_REDUCE_MEAN, GD_REDUCE_SUM } gd_reduction;

/* The reduction that a row's arguments say: the flags of old at size_average and reduce, else the name at text.
 * GD_E_VALUE for another name. */
GD_MUST_CHECK gd_code gd_read_reduction(const gd_apply *a, int size_average, int reduce, int text, gd_reduction *out);
/* The same from the name alone, for losses without the flags of old. */
GD_MUST_CHECK gd_code gd_read_loss_name(const gd_apply *a, int text, gd_reduction *out);
/* Scales the rows of weight (in place, outside the graph) that indices name and whose p-norm is above `most`. */
GD_MUST_CHECK gd_code gd_bound_rows(gd_ctx *c, gd_tensor *weight, gd_tensor *indices, double most, double p);
/* New: t (taken; NULL passes through) reduced. */
gd_tensor *gd_reduce_loss(gd_ctx *c, gd_tensor *t, gd_reduction reduction);
/* Rows that record themselves compute with other rows that must not: the mode before, to be set again. */
gd_grad_mode gd_pause_recording(gd_ctx *c);
/* New: row `id` of t (taken; NULL passes through) and a Python number. */
gd_tensor *gd_with_number(gd_ctx *c, gd_op_id id, gd_tensor *t, double v);

/* New: row `id` of `t` (taken; NULL passes through) and `other`, or of t alone. */
static inline gd_tensor *gd_then_with(gd_ctx *c, gd_op_id id, gd_tensor *t, gd_tensor *other) {
    if (!t) return NULL;
    return then_release(gd_do(c, id, (const gd_value[]){GD_TENSOR_VALUE(t), GD_TENSOR_VALUE(other)}, 2), t);
}
static inline gd_tensor *gd_then(gd_ctx *c, gd_op_id id, gd_tensor *t) {
    return t ? then_release(gd_do(c, id, (const gd_value[]){GD_TENSOR_VALUE(t)}, 1), t) : NULL;
}
#define GD_THEN(c, id, t, other) gd_then_with((c), GD_OP_##id, (t), (other))
#define GD_THEN1(c, id, t) gd_then((c), GD_OP_##id, (t))

/* An optional tensor argument. */
static inline gd_tensor *gd_maybe_tensor(const gd_apply *a, int i) {
    return a->args[i].kind == GD_V_TENSOR ? arg_tensor(a, i) : NULL;
}

#endif
