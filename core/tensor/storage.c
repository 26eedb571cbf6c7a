/* storage.c: the bytes that tensors share, counted and charged.
 *
 * Up to GD_INLINE_BYTES lie in the header, up to GD_BLOCK_BYTES behind it in the same allocation; larger
 * ones are blocks of the cache (blocks.c), whose size is kept in the header's unused inline bytes.
 */
#include "core/tensor/storage.h"

#include "core/tensor/cells.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_ALIGN 16u
#define LARGE_ALIGN 64u
#define ALIGN_FROM 1024u /* storages above are aligned to LARGE_ALIGN */

_Static_assert(GD_INLINE_BYTES >= sizeof(size_t), "the header keeps a block's size in its inline bytes");

static gd_storage *fail_memory(gd_ctx *ctx, size_t bytes) {
    gd_fail(ctx, GD_E_MEMORY,
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate %zu bytes. Error code 12 (Cannot "
            "allocate memory)",
            bytes);
    return NULL;
}

static gd_storage *fail_budget(gd_ctx *ctx, const gd_account *refused, size_t bytes) {
    if (gd_account_limit(refused) == 0) return fail_memory(ctx, bytes); /* more than any account counts */
    gd_fail(ctx, GD_E_BUDGET, "memory budget exceeded: %zu bytes are needed, but %zu of the %s's %zu bytes are in use",
            bytes, gd_account_used(refused), refused == gd_account_root() ? "process" : "session",
            gd_account_limit(refused));
    return NULL;
}

/* malloc that gives the cached blocks back and tries once more. */
static void *patient_malloc(size_t bytes) {
    void *p = malloc(bytes);
    return p || gd_allocator_trim() == 0 ? p : malloc(bytes);
}

static gd_storage *new_inline(void) {
    gd_storage *s = gd_cell_new(sizeof *s);
    if (!s && gd_allocator_trim() > 0) s = gd_cell_new(sizeof *s);
    if (!s) return NULL;
    s->bytes = s->small;
    memset(s->small, 0, sizeof s->small);
    return s;
}

static gd_storage *new_behind(size_t nbytes, bool zero) {
    size_t align = nbytes > ALIGN_FROM ? LARGE_ALIGN : SMALL_ALIGN;
    gd_storage *s = patient_malloc(sizeof *s + align - 1 + nbytes);
    if (!s) return NULL;
    s->bytes = (void *)(((uintptr_t)(s + 1) + align - 1) & ~(uintptr_t)(align - 1));
    if (zero) memset(s->bytes, 0, nbytes);
    return s;
}

static gd_storage *new_block(size_t nbytes, bool zero) {
    size_t size;
    bool zeroed;
    gd_storage *s = patient_malloc(sizeof *s);
    if (!s) return NULL;
    s->bytes = gd_block_new(nbytes, &size, &zeroed);
    if (!s->bytes) {
        free(s);
        return NULL;
    }
    if (zero && !zeroed) memset(s->bytes, 0, nbytes);
    memcpy(s->small, &size, sizeof size);
    return s;
}

gd_storage *gd_storage_new(gd_ctx *ctx, size_t nbytes, bool zero) {
    size_t charged;
    if (nbytes > PTRDIFF_MAX / 2 || !gd_add_size(nbytes, sizeof(gd_storage), &charged)) return fail_memory(ctx, nbytes);
    const gd_account *refused = gd_account_charge(ctx->account, charged);
    if (refused) return fail_budget(ctx, refused, charged);
    gd_storage *s = nbytes <= GD_INLINE_BYTES ? new_inline()
                    : nbytes < GD_BLOCK_BYTES ? new_behind(nbytes, zero)
                                              : new_block(nbytes, zero);
    if (!s) {
        gd_account_refund(ctx->account, charged);
        return fail_memory(ctx, nbytes);
    }
    atomic_init(&s->refs, 1);
    s->version = 0;
    s->nbytes = nbytes;
    s->charged = charged;
    s->account = ctx->account;
    s->writer = NULL;
    return s;
}

gd_storage *gd_storage_retain(gd_storage *s) {
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

static void destroy(gd_storage *s) {
    /* Refunded first: what is cached then counts as cached only, not as used too. */
    gd_account_refund(s->account, s->charged);
    if (s->nbytes >= GD_BLOCK_BYTES) {
        size_t size;
        memcpy(&size, s->small, sizeof size);
        gd_block_free(s->bytes, size);
    }
    if (s->bytes == s->small) return gd_cell_free(s, sizeof *s);
    free(s);
}

void gd_storage_release(gd_storage *s) {
    if (!s) return;
    /* The only holder needs no locked instruction: nobody else can take a reference. */
    if (atomic_load_explicit(&s->refs, memory_order_acquire) == 1 ||
        atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
        destroy(s);
}
