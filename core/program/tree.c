/* tree.c: the arena of a syntax tree and its table of names. */
#include "core/program/tree.h"

#include "core/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CHUNK = 16 << 10, BIGGEST_CHUNK = 1 << 20, FIRST_BUCKETS = 256 };

static bool charge(gd_tree *tree, size_t bytes) {
    size_t used;
    if (!gd_add_size(tree->used, bytes, &used) || (tree->limit && used > tree->limit)) return false;
    tree->used = used;
    return true;
}

gd_tree *gd_tree_new(size_t max_bytes) {
    gd_tree *tree = calloc(1, sizeof *tree);
    if (!tree) return NULL;
    tree->limit = max_bytes;
    tree->nbuckets = FIRST_BUCKETS;
    tree->names = gd_tree_alloc(tree, FIRST_BUCKETS * sizeof(gd_name *));
    if (!tree->names) {
        gd_tree_free(tree);
        return NULL;
    }
    memset(tree->names, 0, FIRST_BUCKETS * sizeof(gd_name *));
    return tree;
}

void gd_tree_free(gd_tree *tree) {
    if (!tree) return;
    for (gd_tree_chunk *c = tree->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(tree);
}

gd_ast *gd_tree_body(const gd_tree *tree) { return tree->body; }

/* Chunks grow with the tree; what is larger than one gets its own. */
static bool add_chunk(gd_tree *tree, size_t bytes) {
    size_t size = tree->chunks ? tree->chunks->bytes * 2 : FIRST_CHUNK, least;
    if (size > BIGGEST_CHUNK) size = BIGGEST_CHUNK;
    if (!gd_add_size(bytes, sizeof(gd_tree_chunk), &least)) return false;
    if (size < least) size = least;
    if (!charge(tree, size)) {
        size = least;
        if (!charge(tree, size)) return false;
    }
    gd_tree_chunk *c = malloc(size);
    if (!c) {
        tree->used -= size;
        return false;
    }
    c->next = tree->chunks;
    c->bytes = size;
    tree->chunks = c;
    tree->free = (char *)(c + 1);
    tree->end = (char *)c + size;
    return true;
}

void *gd_tree_alloc(gd_tree *tree, size_t bytes) {
    size_t rounded;
    if (!gd_add_size(bytes, 7, &rounded)) return NULL;
    rounded &= ~(size_t)7;
    if (rounded > (size_t)(tree->end - tree->free) && !add_chunk(tree, rounded)) return NULL;
    void *p = tree->free;
    tree->free += rounded;
    return p;
}

void *gd_tree_grow(gd_tree *tree, void *p, size_t old_bytes, size_t bytes) {
    if (!charge(tree, bytes - old_bytes)) return NULL;
    void *q = realloc(p, bytes);
    if (!q) tree->used -= bytes - old_bytes;
    return q;
}

void gd_tree_release(gd_tree *tree, void *p, size_t bytes) {
    free(p);
    tree->used -= bytes;
}

const char *gd_tree_copy(gd_tree *tree, const char *text, size_t bytes) {
    char *copy = bytes < SIZE_MAX ? gd_tree_alloc(tree, bytes + 1) : NULL;
    if (!copy) return NULL;
    if (bytes) memcpy(copy, text, bytes);
    copy[bytes] = 0;
    return copy;
}

/* A failure to grow only makes looking up slower. */
static void grow_names(gd_tree *tree) {
    uint32_t n = tree->nbuckets * 4;
    gd_name **buckets = gd_tree_alloc(tree, n * sizeof *buckets);
    if (!buckets) return;
    memset(buckets, 0, n * sizeof *buckets);
    for (uint32_t i = 0; i < tree->nbuckets; i++)
        for (gd_name *e = tree->names[i], *next; e; e = next) {
            next = e->next;
            e->next = buckets[e->hash & (n - 1)];
            buckets[e->hash & (n - 1)] = e;
        }
    tree->names = buckets;
    tree->nbuckets = n;
}

static uint32_t hash_name(const char *text, size_t bytes) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < bytes; i++) h = (h ^ (uint8_t)text[i]) * 16777619u;
    return h ^ (h >> 15);
}

gd_name *gd_tree_name(gd_tree *tree, const char *text, size_t bytes) {
    uint32_t hash = hash_name(text, bytes);
    for (gd_name *e = tree->names[hash & (tree->nbuckets - 1)]; e; e = e->next)
        if (e->hash == hash && e->bytes == bytes && !memcmp(e->text, text, bytes)) return e;
    gd_name *e = gd_tree_alloc(tree, sizeof *e + bytes + 1);
    if (!e) return NULL;
    if (tree->nnames++ > tree->nbuckets) grow_names(tree);
    *e = (gd_name){.next = tree->names[hash & (tree->nbuckets - 1)], .hash = hash, .bytes = (uint32_t)bytes};
    memcpy(e->text, text, bytes);
    e->text[bytes] = 0;
    tree->names[hash & (tree->nbuckets - 1)] = e;
    return e;
}
