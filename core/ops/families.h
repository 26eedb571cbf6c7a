/* families.h: prototypes of every forward function and derivative rule that the .def rows name, and nothing
 * else. The .c file of a family includes it, so a row and its function cannot disagree. */
#ifndef GD_FAMILIES_H
#define GD_FAMILIES_H

#include "core/ops/op.h"

/* Rows may share a function: C allows the repeated declarations. */
#define OP(id, signature, forward, param, backward, node, diff, saves, flags, doc)                                     \
    gd_code gd_fw_##forward(gd_apply *a);                                                                              \
    void gd_bw_##backward(gd_bw *b);
#include "core/ops/all.def"
#undef OP

/* `zero`: the gradient of argument 0 is zeros of its shape. `none` rows have no rule at all after gd_init. */
void gd_bw_zero(gd_bw *b);
void gd_bw_none(gd_bw *b);

#endif
