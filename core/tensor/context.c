/* context.c: execution contexts: grad mode, generator, account, last error. */
#include "core/autograd/autograd.h"
#include "core/kernels/rng.h"
#include "core/tensor/storage.h"

#include <stdlib.h>

#define DEFAULT_SEED UINT64_C(67280421310721) /* of a generator nobody seeded: PyTorch's */

gd_ctx *gd_ctx_new(gd_account *account) {
    if (gd_init() != GD_OK) return NULL;
    gd_ctx *ctx = calloc(1, sizeof *ctx);
    if (!ctx) return NULL;
    ctx->account = gd_account_retain(account ? account : gd_account_root());
    if (!ctx->account) {
        free(ctx);
        return NULL;
    }
    ctx->mode = GD_MODE_GRAD;
    ctx->error.argument = -1;
    gd_generator_seed(&ctx->generator, DEFAULT_SEED);
    return ctx;
}

void gd_ctx_free(gd_ctx *ctx) {
    if (!ctx) return;
    gd_pool_release(ctx, 0);
    gd_autograd_close(ctx);
    free(ctx->pool);
    if (ctx->account != gd_account_root()) gd_account_release(ctx->account);
    free(ctx);
}

const gd_error *gd_ctx_error(const gd_ctx *ctx) { return &ctx->error; }
gd_grad_mode gd_ctx_grad_mode(const gd_ctx *ctx) { return ctx->mode; }
void gd_ctx_set_grad_mode(gd_ctx *ctx, gd_grad_mode mode) { ctx->mode = mode; }
void gd_ctx_manual_seed(gd_ctx *ctx, uint64_t seed) { gd_generator_seed(&ctx->generator, seed); }
uint64_t gd_ctx_nodes(const gd_ctx *ctx) { return ctx->live_nodes; }
