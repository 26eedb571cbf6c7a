/* jvp.h: forward mode: tangents pushed through a trace, step by step, with ops (which the same trace records, so that a
 * plan of value and tangents can be made of it).
 *
 * A row's rule, in this order: its own (jvp_rules.c); pointwise rows: the backward rule applied to the tangent, for the
 * Jacobian is diagonal; linear rows (views, sums, casts …): the row applied to the tangent; bilinear rows (matmul,
 * conv …): applied once for each factor; all others: the row's backward rule differentiated once more, which always
 * works where second derivatives do.
 *
 * Tangents flow where gradients would: through arguments that required a gradient when the step was applied with grad
 * mode on. So x.detach() and no_grad() stop them, the inputs must have required a gradient in the trace, and gradients
 * that are to be pushed through must have been taken with create_graph.
 */
#ifndef GD_PLAN_JVP_H
#define GD_PLAN_JVP_H

#include "core/plan/trace.h"

/* Tangents of `outputs` (value numbers) for tangents of all inputs (ninputs entries; NULL: zero; shape and dtype of the
 * input). Steps up to the present end of the trace are pushed through; trace must be recording and not dynamic. out
 * gets new tensors, NULL where the tangent is zero. GD_E_NOT_IMPLEMENTED (names the row) where there is no derivative;
 * GD_E_STATE for inputs that required no gradient. Values that rules read make the trace dynamic, as anywhere. */
GD_MUST_CHECK gd_code gd_trace_jvp(gd_trace *trace, gd_tensor *const *tangents, const int32_t *outputs, int noutputs,
                                   gd_tensor **out);

#endif
