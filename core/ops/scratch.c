/* scratch.c: memory for one application of an op: allocated in a bump, freed at once. */
#include <stdlib.h>

#include "core/ops/op.h"

#define ALIGNMENT 16u

/* Blocks past the first 512 bytes: one a request, since requests that large are few. */
typedef struct gd_scratch_block {
    struct gd_scratch_block *next;
    _Alignas(ALIGNMENT) char bytes[];
} gd_scratch_block;

static void *own_block(gd_ctx *ctx, gd_scratch *scratch, size_t bytes) {
    size_t total;
    gd_scratch_block *block = gd_add_size(sizeof *block, bytes, &total) ? malloc(total) : NULL;
    if (!block) {
        gd_fail_memory(ctx);
        return NULL;
    }
    block->next = scratch->blocks;
    scratch->blocks = block;
    return block->bytes;
}

void *gd_scratch_alloc(gd_ctx *ctx, gd_scratch *scratch, size_t bytes) {
    size_t left = sizeof scratch->first - scratch->used;
    if (bytes > left) return own_block(ctx, scratch, bytes);
    void *p = scratch->first + scratch->used;
    size_t rounded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    scratch->used += rounded < left ? rounded : left;
    return p;
}

void gd_scratch_clear(gd_scratch *scratch) {
    for (gd_scratch_block *b = scratch->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    scratch->blocks = NULL;
    scratch->used = 0;
}
