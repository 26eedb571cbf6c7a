/* pool.c: a context's temporaries, released in bulk when the rule or call that made them is done. */
#include "core/tensor/tensor.h"

#include <stdlib.h>

static bool grow(gd_ctx *ctx) {
    size_t cap = ctx->pool_cap ? 2 * ctx->pool_cap : 64, bytes;
    if (!gd_mul_size(cap, sizeof *ctx->pool, &bytes)) return false;
    gd_tensor **pool = realloc(ctx->pool, bytes);
    if (!pool) return false;
    ctx->pool = pool;
    ctx->pool_cap = cap;
    return true;
}

gd_tensor *gd_pool_add(gd_ctx *ctx, gd_tensor *t) {
    if (!t) return NULL;
    if (ctx->pool_n == ctx->pool_cap && !grow(ctx)) {
        gd_release(t);
        gd_fail_memory(ctx);
        return NULL;
    }
    ctx->pool[ctx->pool_n++] = t;
    return t;
}

void gd_pool_release(gd_ctx *ctx, size_t mark) {
    while (ctx->pool_n > mark) gd_release(ctx->pool[--ctx->pool_n]);
}
