/* compile_values.c: the values of a compilation: their layouts, phantoms of them, and which expressions are known. */
#include <stdlib.h>
#include <string.h>

#include "core/plan/compiler.h"

/* ---- memory ------------------------------------------------------------------------------------- */

void gd_c_fail(gd_compiler *c) {
    if (!c->failed) gd_fail_memory(c->ctx);
    c->failed = true;
}

void *gd_c_new(gd_compiler *c, size_t n, size_t size) {
    void *p = gd_plan_memory_array(&c->scratch, n, size);
    if (!p) gd_c_fail(c);
    return p;
}

void *gd_c_keep(gd_compiler *c, size_t n, size_t size) {
    void *p = gd_plan_memory_array(&c->plan->arena, n, size);
    if (!p) gd_c_fail(c);
    return p;
}

bool gd_c_grow(gd_compiler *c, void **array, int32_t n, int32_t *cap, size_t size) {
    if (n < *cap) return true;
    size_t bytes;
    int32_t wanted = *cap < INT32_MAX / 2 ? (*cap ? 2 * *cap : 64) : 0;
    void *p = wanted && gd_mul_size((size_t)wanted, size, &bytes) ? realloc(*array, bytes) : NULL;
    if (!p) {
        gd_c_fail(c);
        return false;
    }
    *array = p;
    *cap = wanted;
    return true;
}

/* ---- values ------------------------------------------------------------------------------------- */

static int64_t count(int ndim, const int64_t *sizes) {
    int64_t n = 1; /* of a tensor that there was, or of a part of one */
    for (int d = 0; d < ndim; d++) n *= sizes[d];
    return n;
}

int32_t gd_c_value(gd_compiler *c, const gd_cvalue *value, const int64_t *sizes, const int64_t *strides) {
    if (c->failed || !gd_c_grow(c, (void **)&c->values, c->nvalues, &c->values_cap, sizeof *c->values)) return -1;
    size_t n = (size_t)value->ndim;
    int64_t *shape = gd_c_keep(c, 2 * n, sizeof *shape);
    if (!shape) return -1;
    if (n) {
        memcpy(shape, sizes, n * sizeof *shape);
        memcpy(shape + n, strides, n * sizeof *shape);
    }
    int32_t index = c->nvalues++;
    gd_cvalue *v = &c->values[index];
    *v = *value;
    v->sizes = shape;
    v->numel = count(v->ndim, shape);
    if (v->kind != GD_C_VIEW) v->root = index;
    v->unit = v->last = v->buffer = v->header = -1;
    return index;
}

int32_t gd_c_view(gd_compiler *c, int32_t of, int ndim, const int64_t *sizes, const int64_t *strides, int64_t offset) {
    gd_cvalue v = c->values[of];
    bool wrapped = v.wrapped && ndim == 0;
    v = (gd_cvalue){
        .kind = GD_C_VIEW, .dtype = v.dtype, .ndim = ndim, .wrapped = wrapped, .root = v.root, .offset = offset};
    return gd_c_value(c, &v, sizes, strides);
}

static bool is_uniform(const gd_tensor *t) {
    int64_t width = (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    if (t->numel < 1) return false;
    bool still = true;
    for (int d = 0; d < t->ndim; d++) still &= t->sizes[d] == 1 || GD_STRIDES(t)[d] == 0;
    if (still) return true;
    if (!gd_c_is_dense(t->ndim, t->sizes, GD_STRIDES(t))) return false;
    return !memcmp(t->data, t->data + width, (size_t)((t->numel - 1) * width));
}

int32_t gd_c_constant(gd_compiler *c, gd_tensor *t) {
    gd_cvalue v = {.kind = GD_C_CONSTANT,
                   .dtype = (gd_dtype)t->dtype,
                   .ndim = t->ndim,
                   .wrapped = (t->flags & GD_F_WRAPPED_NUMBER) != 0,
                   .uniform = is_uniform(t),
                   .bytes = t->data,
                   .storage = t->storage};
    return gd_c_value(c, &v, t->sizes, GD_STRIDES(t));
}

bool gd_c_keep_storage(gd_compiler *c, gd_storage *storage) {
    if (!gd_c_grow(c, (void **)&c->kept, c->nkept, &c->kept_cap, sizeof *c->kept)) return false;
    c->kept[c->nkept++] = gd_storage_retain(storage);
    c->plan->constant_bytes += storage->nbytes;
    return true;
}

int32_t gd_c_scalar_constant(gd_compiler *c, gd_dtype dtype, const void *element) {
    int64_t bits = 0;
    memcpy(&bits, element, gd_dtype_bytes(dtype));
    gd_c_key_start(c, 'k');
    gd_c_key(c, (int64_t)dtype);
    gd_c_key(c, bits);
    int32_t found = gd_c_known(c);
    if (found >= 0 || c->failed) return found;
    char *bytes = gd_c_keep(c, 1, sizeof bits);
    if (!bytes) return -1;
    memcpy(bytes, &bits, sizeof bits);
    gd_cvalue v = {.kind = GD_C_CONSTANT, .dtype = dtype, .uniform = true, .bytes = bytes};
    int32_t value = gd_c_value(c, &v, NULL, NULL);
    if (value >= 0) gd_c_remember(c, value);
    return value;
}

/* ---- layouts ------------------------------------------------------------------------------------ */

bool gd_c_is_dense(int ndim, const int64_t *sizes, const int64_t *strides) {
    int order[GD_MAX_DIMS], n = 0;
    for (int d = 0; d < ndim; d++) {
        if (sizes[d] == 0) return gd_strides_contiguous(ndim, sizes, strides);
        if (sizes[d] == 1) continue;
        int at = n++;
        for (; at > 0 && strides[order[at - 1]] > strides[d]; at--) order[at] = order[at - 1];
        order[at] = d;
    }
    int64_t next = 1;
    for (int i = 0; i < n; i++) {
        if (strides[order[i]] != next) return false;
        next *= sizes[order[i]];
    }
    return true;
}

void gd_c_layout(const gd_tensor *traced, int64_t *strides) {
    if (gd_c_is_dense(traced->ndim, traced->sizes, GD_STRIDES(traced)))
        memcpy(strides, GD_STRIDES(traced), (size_t)traced->ndim * sizeof *strides);
    else
        gd_contiguous_strides(traced->ndim, traced->sizes, strides);
}

bool gd_c_same_geometry(const gd_cvalue *v, int ndim, const int64_t *sizes, const int64_t *strides) {
    if (v->ndim != ndim) return false;
    for (int d = 0; d < ndim; d++)
        if (v->sizes[d] != sizes[d] || (sizes[d] > 1 && gd_c_strides(v)[d] != strides[d])) return false;
    return true;
}

bool gd_c_is_scalar(const gd_cvalue *v) {
    if (v->uniform || v->numel == 1) return true;
    if (v->numel == 0) return false;
    for (int d = 0; d < v->ndim; d++)
        if (v->sizes[d] > 1 && gd_c_strides(v)[d] != 0) return false;
    return true;
}

bool gd_c_covers(const gd_compiler *c, const gd_cvalue *v) {
    const gd_cvalue *root = &c->values[v->root];
    return v == root ||
           (v->offset == 0 && v->numel == root->numel && gd_c_is_dense(v->ndim, v->sizes, gd_c_strides(v)));
}

void gd_c_phantom(const gd_compiler *c, int32_t value, gd_phantom *p) {
    static _Alignas(64) char nowhere[64];
    const gd_cvalue *v = &c->values[value];
    memset(p, 0, sizeof *p);
    atomic_init(&p->storage.refs, 1);
    p->storage.bytes = nowhere;
    p->storage.nbytes = SIZE_MAX / 2;
    p->tensor.refs = 1;
    p->tensor.dtype = (uint8_t)v->dtype;
    p->tensor.ndim = (uint8_t)v->ndim;
    p->tensor.storage = &p->storage;
    p->tensor.data = (char *)((uintptr_t)nowhere + (uintptr_t)v->offset);
    p->tensor.numel = v->numel;
    p->tensor.sizes = (int64_t *)v->sizes; /* only read */
}

/* ---- known expressions -------------------------------------------------------------------------- */

void gd_c_key(gd_compiler *c, int64_t word) {
    if (c->key_words == c->key_cap) {
        size_t cap = c->key_cap ? 2 * c->key_cap : 64;
        int64_t *key = realloc(c->key, cap * sizeof *key); /* as long as the arguments of one step */
        if (!key) {
            gd_c_fail(c);
            return;
        }
        c->key = key;
        c->key_cap = cap;
    }
    c->key[c->key_words++] = word;
}

void gd_c_key_start(gd_compiler *c, int64_t what) {
    c->key_words = 0;
    gd_c_key(c, what);
}

void gd_c_key_bytes(gd_compiler *c, const void *bytes, size_t n) {
    gd_c_key(c, (int64_t)n);
    for (size_t at = 0; at < n; at += sizeof(int64_t)) {
        int64_t word = 0;
        memcpy(&word, (const char *)bytes + at, n - at < sizeof word ? n - at : sizeof word);
        gd_c_key(c, word);
    }
}

static uint64_t hash_key(const gd_compiler *c) {
    uint64_t h = c->key_words;
    for (size_t i = 0; i < c->key_words; i++) {
        h = (h ^ (uint64_t)c->key[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

static bool grow_known(gd_compiler *c) {
    uint32_t cap = c->known_cap ? 2 * c->known_cap : 256;
    gd_known *bigger = gd_c_new(c, cap, sizeof *bigger);
    if (!bigger) return false;
    for (uint32_t i = 0; i < cap; i++) bigger[i].value = -1;
    for (uint32_t i = 0; i < c->known_cap; i++) {
        if (c->known[i].value < 0) continue;
        uint32_t at = (uint32_t)c->known[i].hash & (cap - 1);
        while (bigger[at].value >= 0) at = (at + 1) & (cap - 1);
        bigger[at] = c->known[i];
    }
    c->known = bigger;
    c->known_cap = cap;
    return true;
}

/* Where the key stands, or belongs. */
static gd_known *find_known(gd_compiler *c, uint64_t hash) {
    uint32_t at = (uint32_t)hash & (c->known_cap - 1);
    for (; c->known[at].value >= 0; at = (at + 1) & (c->known_cap - 1)) {
        const gd_known *k = &c->known[at];
        if (k->hash == hash && (size_t)k->words == c->key_words &&
            !memcmp(k->key, c->key, c->key_words * sizeof *c->key))
            break;
    }
    return &c->known[at];
}

int32_t gd_c_known(gd_compiler *c) {
    if (c->failed || !c->known_cap) return -1;
    return find_known(c, hash_key(c))->value;
}

void gd_c_remember(gd_compiler *c, int32_t value) {
    if (c->failed || (2 * (c->known_used + 1) > c->known_cap && !grow_known(c))) return;
    uint64_t hash = hash_key(c);
    int64_t *key = gd_plan_memory_copy(&c->scratch, c->key, c->key_words * sizeof *key);
    if (!key) {
        gd_c_fail(c);
        return;
    }
    *find_known(c, hash) = (gd_known){hash, key, (int32_t)c->key_words, value};
    c->known_used++;
}
