/* json_arena.c: memory for jansson's trees. A request's tree is made of many small pieces that all go together: they
 * are taken from a bump in the request's own memory, and nothing of the tree is freed piece by piece. */
#include "api/json_in.h"

#include <pthread.h>
#include <stdlib.h>

enum { ALIGNMENT = 16, BLOCK = 32 * 1024 };

typedef struct gd_json_block {
    struct gd_json_block *next;
    _Alignas(ALIGNMENT) char bytes[];
} gd_json_block;

static _Thread_local gd_json_arena *active;

static bool add_block(gd_json_arena *a, size_t n) {
    size_t bytes = n > BLOCK ? n : BLOCK;
    gd_json_block *b = bytes < SIZE_MAX - sizeof *b ? malloc(sizeof *b + bytes) : NULL;
    if (!b) return false;
    b->next = a->blocks;
    a->blocks = b;
    a->at = b->bytes;
    a->end = b->bytes + bytes;
    return true;
}

static void *take(size_t n) {
    gd_json_arena *a = active;
    if (!a) return malloc(n);
    if (n > SIZE_MAX - ALIGNMENT) return NULL;
    n = (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (n > (size_t)(a->end - a->at) && !add_block(a, n)) return NULL;
    char *p = a->at;
    a->at += n;
    return p;
}

static void give_back(void *p) {
    if (!active) free(p);
}

static void install(void) {
    json_object_seed(0); /* jansson's own first use is not safe in threads */
    json_set_alloc_funcs(take, give_back);
}

void gd_json_arena_begin(gd_json_arena *a) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    a->at = a->first;
    a->end = a->first + sizeof a->first;
    a->blocks = NULL;
    active = a;
}

void gd_json_arena_pause(void) { active = NULL; }

void gd_json_arena_free(gd_json_arena *a) {
    for (gd_json_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->blocks = NULL;
}
