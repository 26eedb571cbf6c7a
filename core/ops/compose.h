/* compose.h: for forward functions that are written as formulas over other rows, as derivative rules are (rules.h). */
#ifndef GD_COMPOSE_H
#define GD_COMPOSE_H

#include <stdlib.h>

#include "core/ops/args.h"
#include "core/ops/rules.h"

/* The context, with no error of an earlier call left over: formulas stop at errors. */
static inline gd_ctx *gd_composing(gd_apply *a) {
    a->ctx->error.code = GD_OK;
    return a->ctx;
}

/* Makes t, a temporary or an argument, the only output. */
static inline gd_code give_shared(gd_apply *a, gd_tensor *t) { return give(a, gd_retain(t)); }

/* The same for output i of those reserved. */
static inline gd_code give_one(gd_apply *a, int i, gd_tensor *t) {
    a->out[i] = gd_retain(t);
    return t ? GD_OK : gd_failed(a->ctx);
}

#define TS_(list, count) ((gd_value){.kind = GD_V_TENSORS, .n = (uint32_t)(count), .u.tensors = (list)})
#define IS_(list, count) GD_INTS_VALUE(list, count)
/* The ints written out: SHAPE_(2, 3). */
#define SHAPE_(...)                                                                                                    \
    GD_INTS_VALUE(((const int64_t[]){__VA_ARGS__}), sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* n pointers, NULL at first: free() them. NULL with the context's error. */
static inline gd_tensor **gd_pointers(gd_ctx *c, int n) {
    gd_tensor **list = calloc((size_t)(n > 0 ? n : 1), sizeof *list);
    if (!list) (void)gd_fail_memory(c);
    return list;
}

/* Rows that record themselves compute with rows that must not: between pause and resume nothing is recorded. */
static inline gd_grad_mode gd_compose_unrecorded(gd_ctx *c) {
    gd_grad_mode mode = c->mode;
    if (mode == GD_MODE_GRAD) c->mode = GD_MODE_NO_GRAD;
    return mode;
}

#endif
