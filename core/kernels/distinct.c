/* distinct.c: the distinct elements of a line in the order of PyTorch's unsorted unique: that in which GNU's
 * std::unordered_set is walked. A new value goes to the front of its bucket's part of one list, or, if the bucket is
 * empty, to the front of the list (libstdc++'s hashtable.h); floats are hashed by MurmurHash64A (A. Appleby). */
#include "core/kernels/distinct.h"

#include <string.h>

/* The numbers of buckets that libstdc++'s tables go through as they grow. */
static const int64_t bucket_counts[] = {
    13,       29,       59,        127,       257,       541,       1109,       2357,       5087,      10273,
    20753,    42043,    85229,     172933,    351061,    712697,    1447153,    2938679,    5967347,   12117689,
    24607243, 49969847, 101473717, 206062531, 418451333, 849749479, 1725587117, 3504151727, 8589934583};
enum { COUNTS = sizeof bucket_counts / sizeof *bucket_counts };

/* The first of them that holds n elements. */
int64_t gd_distinct_buckets(int64_t n) {
    for (int i = 0; i < COUNTS; i++)
        if (bucket_counts[i] >= n) return bucket_counts[i];
    return bucket_counts[COUNTS - 1];
}

static uint64_t mix(uint64_t v) { return v ^ v >> 47; }

static uint64_t hash_bits(uint64_t bits, uint64_t bytes) {
    const uint64_t m = UINT64_C(0xc6a4a7935bd1e995);
    uint64_t h = UINT64_C(0xc70f6907) ^ bytes * m;
    h = (h ^ (bytes == 8 ? mix(bits * m) * m : bits)) * m;
    return mix(mix(h) * m);
}

/* Zero, of either sign, hashes to 0; integers to themselves. */
static uint64_t hash(gd_dtype dtype, const char *p) {
    uint64_t bits = 0;
    if (!gd_dtype_is_float(dtype)) return (uint64_t)gd_load_i64(dtype, p);
    if (gd_load_f64(dtype, p) == 0) return 0;
    memcpy(&bits, p, gd_dtype_bytes(dtype));
    return hash_bits(bits, gd_dtype_bytes(dtype));
}

enum { NONE = -1, FRONT = -2 };

typedef struct table {
    int64_t *before; /* of each bucket: what stands before its first in the list; NONE: it is empty; FRONT: nothing */
    int64_t *next;   /* of each element in the list */
    int64_t head, buckets;
    gd_dtype dtype;
    const char *in;
    int64_t width;
} table;

static int64_t bucket_of(const table *t, int64_t i) {
    return (int64_t)(hash(t->dtype, t->in + i * t->width) % (uint64_t)t->buckets);
}

static int64_t after(const table *t, int64_t i) { return i == FRONT ? t->head : t->next[i]; }

static bool contains(const table *t, int64_t bucket, int64_t i) {
    if (t->before[bucket] == NONE) return false;
    uint64_t key = gd_order_key(t->dtype, t->in + i * t->width);
    if (gd_dtype_is_float(t->dtype)) {
        double x = gd_load_f64(t->dtype, t->in + i * t->width);
        if (x != x) return false;
    }
    for (int64_t k = after(t, t->before[bucket]); k != NONE && bucket_of(t, k) == bucket; k = t->next[k])
        if (gd_order_key(t->dtype, t->in + k * t->width) == key) return true;
    return false;
}

static void link_in(table *t, int64_t bucket, int64_t i) {
    int64_t before = t->before[bucket];
    if (before == NONE) {
        t->next[i] = t->head;
        if (t->head != NONE) t->before[bucket_of(t, t->head)] = i;
        t->before[bucket] = FRONT;
        t->head = i;
        return;
    }
    t->next[i] = after(t, before);
    if (before == FRONT)
        t->head = i;
    else
        t->next[before] = i;
}

/* Takes the list apart and links its elements, in its order, into more buckets. */
static void grow(table *t, int64_t buckets) {
    int64_t i = t->head;
    t->buckets = buckets;
    t->head = NONE;
    for (int64_t b = 0; b < buckets; b++) t->before[b] = NONE;
    while (i != NONE) {
        int64_t next = t->next[i];
        link_in(t, bucket_of(t, i), i);
        i = next;
    }
}

int64_t gd_distinct_walk(gd_dtype dtype, const char *in, int64_t n, int64_t *room, int64_t *order) {
    table t = {.next = room, .before = room + n, .head = NONE, .dtype = dtype, .in = in};
    int64_t count = 0;
    t.width = (int64_t)gd_dtype_bytes(dtype);
    grow(&t, bucket_counts[0]);
    for (int64_t i = 0; i < n; i++) {
        if (contains(&t, bucket_of(&t, i), i)) continue;
        if (++count > t.buckets) grow(&t, gd_distinct_buckets(count));
        link_in(&t, bucket_of(&t, i), i);
    }
    count = 0;
    for (int64_t i = t.head; i != NONE; i = t.next[i]) order[count++] = i;
    return count;
}
