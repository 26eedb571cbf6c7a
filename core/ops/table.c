/* table.c: the op table, made from the .def rows, and the walk over it. Compiled once by gd_init. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/autograd/autograd.h"
#include "core/kernels/kernels.h"
#include "core/kernels/pointwise.h"
#include "core/kernels/reduce.h"
#include "core/kernels/special.h"
#include "core/ops/dispatch.h"
#include "core/ops/families.h"
#include "core/ops/narrow.h"

#define OP(i, text, fw, par, bw, nd, df, sv, fl, dc)                                                                   \
    {.id = GD_OP_##i,                                                                                                  \
     .signature = text,                                                                                                \
     .forward = gd_fw_##fw,                                                                                            \
     .param = (int)(par),                                                                                              \
     .backward = gd_bw_##bw,                                                                                           \
     .node = nd,                                                                                                       \
     .diff_text = df,                                                                                                  \
     .saves_text = sv,                                                                                                 \
     .flags = (fl),                                                                                                    \
     .doc = dc},
gd_op gd_ops[GD_OP_COUNT] = {
#include "core/ops/all.def"
};
#undef OP

void gd_bw_none(gd_bw *b) { (void)b; }

void gd_bw_zero(gd_bw *b) {
    if (!gd_bw_needs(b, 0)) return;
    int ndim = 0;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    if (sizes) gd_bw_set(b, 0, gd_pool_add(b->ctx, gd_zeros(b->ctx, gd_bw_dtype(b, 0), ndim, sizes)));
}

static size_t visible[GD_OP_COUNT]; /* rows that clients may see, in table order */
static size_t nvisible;
static gd_code init_code = GD_E_STATE;

static bool compile_rows(void) {
    bool good = true;
    for (size_t i = 0; i < GD_OP_COUNT; i++) {
        gd_op *op = &gd_ops[i];
        if (op->backward == gd_bw_none) op->backward = NULL;
        const char *why = gd_compile_row(op);
        if (why) {
            fprintf(stderr, "gradd: malformed op row \"%s\": %s\n", op->signature, why);
            good = false;
        }
        if (!(op->flags & GD_HIDDEN)) visible[nvisible++] = i;
    }
    return good;
}

static void init(void) {
    const char *culprit = "";
    (void)gd_cpu_isa(); /* chosen now, so that no op pays for it */
    if (!compile_rows()) return;
    gd_narrow_init();
    gd_autograd_init();
    const char *why = gd_names_build(&culprit);
    if (why) {
        fprintf(stderr, "gradd: malformed op table at \"%s\": %s\n", culprit, why);
        return;
    }
    init_code = GD_OK;
}

gd_code gd_init(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, init) == 0 ? init_code : GD_E_STATE;
}

const gd_op *gd_op_at(size_t i) { return gd_init() == GD_OK && i < nvisible ? &gd_ops[visible[i]] : NULL; }

const gd_op *gd_op_find(const char *name) {
    gd_lookup found;
    if (gd_init() != GD_OK || !gd_names_find(name, &found)) return NULL;
    return &gd_ops[found.first];
}

const char *gd_op_name(const gd_op *op) { return op->name; }
const char *gd_op_signature(const gd_op *op) { return op->signature; }
const char *gd_op_doc(const gd_op *op) { return op->doc; }

/* A composite is as differentiable as the ops it is made of; those that answer tensors are, but for the few
 * whose purpose is to cut the graph. */
bool gd_op_differentiable(const gd_op *op) {
    if (op->backward) return !(op->flags & GD_INPLACE_GRAD);
    if (op->id == GD_OP_detach || op->id == GD_OP_detach_ || op->id == GD_OP_requires_grad_) return false;
    return (op->flags & GD_COMPOSITE) && strstr(op->signature, "-> Tensor") != NULL;
}

bool gd_op_has_inplace(const gd_op *op) { return (op->flags & GD_INPLACE) != 0; }
