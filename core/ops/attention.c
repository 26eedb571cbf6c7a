/* attention.c: scaled dot product attention, written with other rows as PyTorch composes it. */
#include <math.h>

#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"

/* 0 where a bool mask is true, minus infinity elsewhere. */
static gd_tensor *additive(gd_ctx *c, gd_tensor *mask, gd_dtype dtype) {
    gd_tensor *zeros = GX(c, zeros_like, T_(mask), GD_DTYPE_VALUE(dtype));
    return GX(c, masked_fill, T_(zeros), T_(GX(c, logical_not, T_(mask))), F_(-INFINITY));
}

/* The lower triangle of query against key positions, as bools. */
static gd_tensor *causal(gd_ctx *c, const gd_tensor *query, const gd_tensor *key) {
    const int64_t sizes[] = {query->sizes[query->ndim - 2], key->sizes[key->ndim - 2]};
    return GX(c, tril, T_(GX(c, ones, IS_(sizes, 2), GD_DTYPE_VALUE(GD_BOOL))), I_(0));
}

static gd_code read_mask(gd_apply *a, gd_tensor **mask) {
    gd_ctx *c = a->ctx;
    const gd_tensor *query = arg_tensor(a, 0), *key = arg_tensor(a, 1);
    *mask = gd_maybe_tensor(a, 3);
    if (a->args[6].u.boolean) {
        if (*mask)
            return gd_fail(c, GD_E_RUNTIME,
                           "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
        if (query->ndim < 2 || key->ndim < 2)
            return gd_fail(c, GD_E_INDEX, "Dimension out of range (expected to be in range of [-1, 0], but got -2)");
        if (!(*mask = causal(c, query, key))) return gd_failed(c);
    }
    if (*mask && (*mask)->dtype == GD_BOOL) {
        *mask = additive(c, *mask, (gd_dtype)query->dtype);
        if (!*mask) return gd_failed(c);
    }
    return GD_OK;
}

/* softmax(query key^T / sqrt(E) + mask), then dropped out. */
static gd_tensor *weights(gd_apply *a, gd_tensor *mask) {
    gd_ctx *c = a->ctx;
    const gd_tensor *query = arg_tensor(a, 0);
    double size = query->ndim ? (double)query->sizes[query->ndim - 1] : 1, p = arg_f64(a, 4);
    gd_tensor *scaled = gx_mul_s(c, arg_tensor(a, 0), 1 / sqrt(size));
    gd_tensor *turned = GX(c, transpose, a->args[1], I_(-2), I_(-1));
    gd_tensor *scores = GX(c, matmul, T_(scaled), T_(turned));
    if (mask && scores) {
        gd_code code = gd_do_inplace(c, GD_OP_add, (const gd_value[]){T_(scores), T_(mask), I_(1)}, 3);
        if (code) return NULL;
    }
    gd_tensor *w = GX(c, softmax, T_(scores), I_(-1));
    return p > 0 ? GX(c, dropout, T_(w), F_(p), B_(true), B_(false)) : w;
}

gd_code gd_fw_attention(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *mask;
    gd_code code = read_mask(a, &mask);
    if (!code) code = gd_apply_reserve(a, 2);
    if (code) return code;
    gd_tensor *w = weights(a, mask);
    code = give_one(a, 0, GX(c, matmul, T_(w), a->args[2]));
    return code ? code : give_one(a, 1, w);
}
