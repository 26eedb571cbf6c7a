/* trace_memory.c: which memory holds which value: regions, geometries, and the trace's own memory. */
#include <stdlib.h>
#include <string.h>

#include "core/plan/trace_inside.h"

/* ---- blocks ---------------------------------------------------------------------------------- */

enum { BLOCK_BYTES = 8192 };

void *gd_trace_alloc(gd_trace *tr, size_t bytes) {
    size_t need, total;
    gd_trace_block *block = tr->blocks;
    if (!gd_add_size(bytes, 15, &need)) return gd_fail_memory(tr->ctx), NULL;
    need &= ~(size_t)15;
    if (!block || block->room - block->used < need) {
        size_t room = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        block = gd_add_size(room, sizeof *block, &total) ? calloc(1, total) : NULL;
        if (!block) return gd_fail_memory(tr->ctx), NULL;
        block->room = room;
        block->next = tr->blocks;
        tr->blocks = block;
    }
    void *p = block->bytes + block->used;
    block->used += need;
    return p;
}

/* Room for one entry more in an array of `*cap` entries; false when memory is out. */
static bool grow(void **array, int32_t n, int32_t *cap, size_t size) {
    if (n < *cap) return true;
    if (*cap > INT32_MAX / 2) return false;
    int32_t wanted = *cap ? 2 * *cap : 64;
    size_t bytes;
    void *p = gd_mul_size((size_t)wanted, size, &bytes) ? realloc(*array, bytes) : NULL;
    if (!p) return false;
    *array = p;
    *cap = wanted;
    return true;
}

/* ---- hashing --------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v) {
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 29);
}

static uint64_t hash_storage(const gd_storage *s) { return mix(17, (uint64_t)(uintptr_t)s); }

/* Strides of dimensions that are not walked say nothing. */
static bool walks(const gd_tensor *t, int d) { return t->numel > 0 && t->sizes[d] > 1; }

static uint64_t hash_geometry(const gd_tensor *t) {
    uint64_t h = mix(t->dtype, (uint64_t)(uintptr_t)t->data);
    for (int d = 0; d < t->ndim; d++) {
        h = mix(h, (uint64_t)t->sizes[d]);
        if (walks(t, d)) h = mix(h, (uint64_t)GD_STRIDES(t)[d]);
    }
    return mix(h, t->ndim);
}

static bool same_geometry(const gd_tensor *a, const gd_tensor *b) {
    if (a->data != b->data || a->dtype != b->dtype || a->storage != b->storage || !gd_same_shape(a, b)) return false;
    for (int d = 0; d < a->ndim; d++)
        if (walks(a, d) && GD_STRIDES(a)[d] != GD_STRIDES(b)[d]) return false;
    return true;
}

static uint64_t hash_of(const gd_trace *tr, const gd_trace_map *map, int32_t index) {
    if (map == &tr->by_storage) return hash_storage(tr->regions[index].storage);
    return hash_geometry(tr->values[index].traced.tensor);
}

static void put(const gd_trace *tr, gd_trace_map *map, int32_t index) {
    uint32_t at = (uint32_t)hash_of(tr, map, index) & (map->cap - 1);
    while (map->at[at]) at = (at + 1) & (map->cap - 1);
    map->at[at] = index + 1;
}

/* Keeps the map at most half full. */
static bool make_room(gd_trace *tr, gd_trace_map *map) {
    if (2 * (map->used + 1) <= map->cap) return true;
    if (map->cap > UINT32_MAX / 4) return false;
    gd_trace_map bigger = {.cap = map->cap ? 2 * map->cap : 128, .used = map->used};
    int32_t *old = map->at;
    uint32_t cap = map->cap;
    bigger.at = calloc(bigger.cap, sizeof *bigger.at);
    if (!bigger.at) return false;
    *map = bigger;
    for (uint32_t i = 0; i < cap; i++)
        if (old[i]) put(tr, map, old[i] - 1);
    free(old);
    return true;
}

/* ---- regions --------------------------------------------------------------------------------- */

int32_t gd_trace_region(const gd_trace *tr, const gd_storage *storage) {
    const gd_trace_map *map = &tr->by_storage;
    if (!map->cap) return -1;
    for (uint32_t at = (uint32_t)hash_storage(storage) & (map->cap - 1); map->at[at]; at = (at + 1) & (map->cap - 1))
        if (tr->regions[map->at[at] - 1].storage == storage) return map->at[at] - 1;
    return -1;
}

int32_t gd_trace_region_made(gd_trace *tr, gd_storage *storage) {
    int32_t index = gd_trace_region(tr, storage);
    if (index >= 0) return index;
    if (!grow((void **)&tr->regions, tr->nregions, &tr->regions_cap, sizeof *tr->regions) ||
        !make_room(tr, &tr->by_storage)) {
        gd_fail_memory(tr->ctx);
        return -1;
    }
    index = tr->nregions++;
    tr->regions[index] = (gd_region){.storage = gd_storage_retain(storage), .version = storage->version, .root = -1};
    put(tr, &tr->by_storage, index);
    tr->by_storage.used++;
    return index;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Where the newest value with t's geometry stands in the map, or the free place. */
static uint32_t find_geometry(const gd_trace *tr, const gd_tensor *t) {
    const gd_trace_map *map = &tr->by_geometry;
    uint32_t at = (uint32_t)hash_geometry(t) & (map->cap - 1);
    while (map->at[at] && !same_geometry(tr->values[map->at[at] - 1].traced.tensor, t)) at = (at + 1) & (map->cap - 1);
    return at;
}

int32_t gd_trace_lookup(const gd_trace *tr, const gd_tensor *t) {
    if (!tr->by_geometry.cap) return -1;
    int32_t index = tr->by_geometry.at[find_geometry(tr, t)] - 1;
    if (index < 0) return -1;
    const gd_trace_value_slot *slot = &tr->values[index];
    bool wrapped = ((t->flags ^ slot->traced.tensor->flags) & GD_F_WRAPPED_NUMBER) != 0;
    return wrapped && slot->traced.kind == GD_TRACED_CONSTANT ? -1 : index;
}

bool gd_trace_covers(const gd_tensor *t) {
    return t->data == (const char *)t->storage->bytes &&
           (size_t)t->numel * gd_dtype_bytes((gd_dtype)t->dtype) == t->storage->nbytes && gd_is_contiguous(t);
}

/* The newest value of a geometry takes the older one's place. */
static void enter(gd_trace *tr, int32_t index) {
    uint32_t at = find_geometry(tr, tr->values[index].traced.tensor);
    if (!tr->by_geometry.at[at]) tr->by_geometry.used++;
    tr->by_geometry.at[at] = index + 1;
}

static bool room_for_value(gd_trace *tr) {
    return grow((void **)&tr->values, tr->nvalues, &tr->values_cap, sizeof *tr->values) &&
           make_room(tr, &tr->by_geometry);
}

int32_t gd_trace_append(gd_trace *tr, gd_tensor *t, gd_traced_kind kind, int32_t step, int32_t nr) {
    int32_t region = gd_trace_region_made(tr, t->storage);
    if (region < 0) return -1;
    gd_tensor *alias = gd_alias(tr->ctx, t, t->ndim, t->sizes, GD_STRIDES(t), gd_offset(t));
    if (!alias) return -1;
    alias->flags = t->flags & GD_F_WRAPPED_NUMBER;
    if (!room_for_value(tr)) {
        gd_release(alias);
        gd_fail_memory(tr->ctx);
        return -1;
    }
    gd_region *r = &tr->regions[region];
    int32_t index = tr->nvalues++;
    tr->values[index] = (gd_trace_value_slot){.traced = {alias, kind, step, nr}, .region = region};
    if (kind != GD_TRACED_CONSTANT) r->dependent = true;
    if (gd_trace_covers(alias)) r->root = index;
    enter(tr, index);
    return index;
}

int32_t gd_trace_append_absent(gd_trace *tr, int32_t step, int32_t nr) {
    if (!room_for_value(tr)) {
        gd_fail_memory(tr->ctx);
        return -1;
    }
    tr->values[tr->nvalues] = (gd_trace_value_slot){.traced = {NULL, GD_TRACED_RESULT, step, nr}, .region = -1};
    return tr->nvalues++;
}

/* ---- values in the way of a write ------------------------------------------------------------ */

/* A copy of t's memory, laid out as t is; NULL with error. */
static gd_storage *copy_memory(gd_trace *tr, const gd_tensor *t) {
    size_t width = gd_dtype_bytes((gd_dtype)t->dtype),
           span = t->numel > 0 ? 1 : 0; /* inside t's storage: no overflow */
    for (int d = 0; span && d < t->ndim; d++) span += (size_t)(t->sizes[d] - 1) * (size_t)GD_STRIDES(t)[d];
    gd_storage *storage = gd_storage_new(tr->ctx, span * width, false);
    if (storage && span) memcpy(storage->bytes, t->data, span * width);
    return storage;
}

static gd_code move_value(gd_trace *tr, int32_t index) {
    gd_trace_value_slot *slot = &tr->values[index];
    gd_tensor *t = slot->traced.tensor;
    gd_storage *storage = copy_memory(tr, t);
    int32_t region = storage && make_room(tr, &tr->by_geometry) ? gd_trace_region_made(tr, storage) : -1;
    if (region < 0) {
        gd_storage_release(storage);
        return gd_fail_memory(tr->ctx);
    }
    gd_storage_release(t->storage);
    t->storage = storage;
    t->data = storage->bytes;
    slot->region = region;
    tr->regions[region].dependent = slot->traced.kind != GD_TRACED_CONSTANT;
    if (gd_trace_covers(t)) tr->regions[region].root = index;
    enter(tr, index); /* its old place in the map says nothing any more: the address is another */
    return GD_OK;
}

gd_code gd_trace_move_away(gd_trace *tr, int32_t region) {
    for (int32_t i = 0; i < tr->nvalues; i++) {
        gd_code code = tr->values[i].region == region ? move_value(tr, i) : GD_OK;
        if (code) return code;
    }
    tr->regions[region].root = -1;
    return GD_OK;
}

bool gd_trace_grow_steps(gd_trace *tr) {
    int32_t cap = tr->steps_cap;
    bool ok = grow((void **)&tr->steps, tr->nsteps, &cap, sizeof *tr->steps);
    tr->steps_cap = cap;
    return ok;
}

void gd_trace_memory_free(gd_trace *tr) {
    for (int32_t i = 0; i < tr->nvalues; i++) gd_release(tr->values[i].traced.tensor);
    for (int32_t i = 0; i < tr->nregions; i++) gd_storage_release(tr->regions[i].storage);
    free(tr->values);
    free(tr->regions);
    free(tr->by_storage.at);
    free(tr->by_geometry.at);
    while (tr->blocks) {
        gd_trace_block *next = tr->blocks->next;
        free(tr->blocks);
        tr->blocks = next;
    }
}
