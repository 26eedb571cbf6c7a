/* plan_memory.c: memory that lives as long as a plan, or as its compilation. */
#include <stdlib.h>
#include <string.h>

#include "core/plan/plan_inside.h"

enum { FIRST_BLOCK = 2048, LARGEST_BLOCK = 65536 };

typedef struct gd_plan_memory_block {
    struct gd_plan_memory_block *next;
    size_t used, room;
    _Alignas(16) char bytes[];
} gd_plan_memory_block;

static gd_plan_memory_block *add_block(gd_plan_memory *arena, size_t need) {
    size_t room = arena->blocks ? 2 * arena->blocks->room : FIRST_BLOCK, total;
    if (room > LARGEST_BLOCK) room = LARGEST_BLOCK;
    if (room < need) room = need;
    gd_plan_memory_block *block = gd_add_size(room, sizeof *block, &total) ? calloc(1, total) : NULL;
    if (!block) return NULL;
    block->room = room;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->bytes += total;
    return block;
}

void *gd_plan_memory_new(gd_plan_memory *arena, size_t bytes) {
    size_t need;
    if (!gd_add_size(bytes, 15, &need)) return NULL;
    need &= ~(size_t)15;
    gd_plan_memory_block *block = arena->blocks;
    if (!block || block->room - block->used < need) block = add_block(arena, need);
    if (!block) return NULL;
    void *p = block->bytes + block->used;
    block->used += need;
    return p;
}

void *gd_plan_memory_array(gd_plan_memory *arena, size_t n, size_t size) {
    size_t bytes;
    return gd_mul_size(n, size, &bytes) ? gd_plan_memory_new(arena, bytes) : NULL;
}

void *gd_plan_memory_copy(gd_plan_memory *arena, const void *from, size_t bytes) {
    void *p = gd_plan_memory_new(arena, bytes);
    if (p && bytes) memcpy(p, from, bytes);
    return p;
}

void gd_plan_memory_free(gd_plan_memory *arena) {
    while (arena->blocks) {
        gd_plan_memory_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
