/* order.c: stable sorting and selection by integer keys. Short lines are merged, long ones sorted by digits
 * (Knuth, The Art of Computer Programming 3, 5.2.4 and 5.2.5); selection counts digits from the highest down. */
#include "core/kernels/order.h"

#include <string.h>

enum { DIGIT = 11, BUCKETS = 1 << DIGIT, RUN = 12, MERGED = 3000 };

/* ---- keys ---------------------------------------------------------------------------------------- */

/* Negative floats have all bits turned, others the sign: then unsigned order is theirs. */
static inline uint64_t key_f32(float x) {
    uint32_t bits;
    if (x != x) return UINT32_MAX;
    if (x == 0) x = 0;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

static inline uint64_t key_f64(double x) {
    uint64_t bits;
    if (x != x) return UINT64_MAX;
    if (x == 0) x = 0;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static inline uint64_t key_i64(int64_t x) { return (uint64_t)x ^ UINT64_C(1) << 63; }
static inline uint64_t key_i32(int32_t x) { return (uint32_t)x ^ UINT32_C(1) << 31; }
static inline uint64_t key_u8(uint8_t x) { return x; }
static inline uint64_t key_bool(uint8_t x) { return x != 0; }

uint64_t gd_order_key(gd_dtype dtype, const char *p) {
    const void *v = p;
    switch (dtype) {
    case GD_FLOAT32: return key_f32(*(const float *)v);
    case GD_FLOAT64: return key_f64(*(const double *)v);
    case GD_INT64: return key_i64(*(const int64_t *)v);
    case GD_INT32: return key_i32(*(const int32_t *)v);
    case GD_BOOL: return key_bool(*(const uint8_t *)v);
    default: return key_u8(*(const uint8_t *)v);
    }
}

#define FILL(T, KEY)                                                                                                   \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
        out[i].key = KEY(*(const T *)(const void *)(in + i * stride)) ^ turned;                                        \
        out[i].index = i;                                                                                              \
    }                                                                                                                  \
    break

void gd_rank_line(gd_dtype dtype, const char *in, int64_t stride, int64_t n, bool descending, gd_ranked *out) {
    const uint64_t all = dtype == GD_FLOAT32 || dtype == GD_INT32 ? UINT32_MAX
                         : dtype == GD_UINT8 || dtype == GD_BOOL  ? UINT8_MAX
                                                                  : UINT64_MAX;
    const uint64_t turned = descending ? all : 0;
    switch (dtype) {
    case GD_FLOAT32: FILL(float, key_f32);
    case GD_FLOAT64: FILL(double, key_f64);
    case GD_INT64: FILL(int64_t, key_i64);
    case GD_INT32: FILL(int32_t, key_i32);
    case GD_BOOL: FILL(uint8_t, key_bool);
    default: FILL(uint8_t, key_u8);
    }
}

/* ---- sorting ------------------------------------------------------------------------------------- */

static void insert_run(gd_ranked *a, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        gd_ranked moved = a[i];
        int64_t at = i;
        for (; at > 0 && a[at - 1].key > moved.key; at--) a[at] = a[at - 1];
        a[at] = moved;
    }
}

/* to = the sorted a[0, m) and a[m, n) merged; of equals those of the first come first. */
static void merge(const gd_ranked *a, int64_t m, int64_t n, gd_ranked *to) {
    const gd_ranked *x = a, *y = a + m, *const xend = a + m, *const yend = a + n;
    while (x < xend && y < yend) {
        bool second = y->key < x->key;
        *to++ = *(second ? y : x);
        y += second;
        x += !second;
    }
    memcpy(to, x, (size_t)(xend - x) * sizeof *to);
    memcpy(to + (xend - x), y, (size_t)(yend - y) * sizeof *to);
}

static gd_ranked *merge_sort(gd_ranked *a, gd_ranked *other, int64_t n) {
    for (int64_t i = 0; i < n; i += RUN) insert_run(a + i, n - i < RUN ? n - i : RUN);
    for (int64_t width = RUN; width < n; width *= 2) {
        for (int64_t i = 0; i < n; i += 2 * width) {
            int64_t left = n - i, m = left < width ? left : width;
            merge(a + i, m, left < 2 * width ? left : 2 * width, other + i);
        }
        gd_ranked *kept = a;
        a = other;
        other = kept;
    }
    return a;
}

/* One stable pass by the digit at `shift`; false (and nothing done) if all elements share it. */
static bool digit_pass(const gd_ranked *a, gd_ranked *to, int64_t n, int shift) {
    int64_t start[BUCKETS] = {0}, sum = 0;
    for (int64_t i = 0; i < n; i++) start[a[i].key >> shift & (BUCKETS - 1)]++;
    if (start[a[0].key >> shift & (BUCKETS - 1)] == n) return false;
    for (int k = 0; k < BUCKETS; k++) {
        int64_t count = start[k];
        start[k] = sum;
        sum += count;
    }
    for (int64_t i = 0; i < n; i++) to[start[a[i].key >> shift & (BUCKETS - 1)]++] = a[i];
    return true;
}

static bool is_sorted(const gd_ranked *a, int64_t n) {
    for (int64_t i = 1; i < n; i++)
        if (a[i - 1].key > a[i].key) return false;
    return true;
}

gd_ranked *gd_rank_sort(gd_ranked *a, gd_ranked *other, int64_t n) {
    if (n <= MERGED) return merge_sort(a, other, n);
    if (is_sorted(a, n)) return a;
    for (int shift = 0; shift < 64; shift += DIGIT) {
        if (!digit_pass(a, other, n, shift)) continue;
        gd_ranked *kept = a;
        a = other;
        other = kept;
    }
    return a;
}

/* ---- selecting ----------------------------------------------------------------------------------- */

/* Keeps, in their order, those of a whose digit is that of place *k among them; *k becomes its place there. */
static int64_t narrow_digit(gd_ranked *a, int64_t n, int64_t *k, int shift) {
    int64_t counts[BUCKETS] = {0}, kept = 0;
    uint64_t digit = 0;
    for (int64_t i = 0; i < n; i++) counts[a[i].key >> shift & (BUCKETS - 1)]++;
    while (*k >= counts[digit]) *k -= counts[digit++];
    if (counts[digit] == n) return n;
    for (int64_t i = 0; i < n; i++)
        if ((a[i].key >> shift & (BUCKETS - 1)) == digit) a[kept++] = a[i];
    return kept;
}

gd_ranked gd_rank_select(gd_ranked *a, int64_t n, int64_t k) {
    for (int shift = 55; shift >= 0 && n > 64; shift -= DIGIT) n = narrow_digit(a, n, &k, shift);
    if (n <= 64) insert_run(a, n);
    return a[k];
}

void gd_rank_front(gd_ranked *a, gd_ranked *other, int64_t n, int64_t k) {
    int64_t below = 0, kept = 0;
    if (k <= 0 || k >= n) return;
    memcpy(other, a, (size_t)n * sizeof *a);
    uint64_t last = gd_rank_select(other, n, k - 1).key;
    for (int64_t i = 0; i < n; i++) below += a[i].key < last;
    int64_t equal = k - below;
    for (int64_t i = 0; i < n && kept < k; i++)
        if (a[i].key < last || (a[i].key == last && equal-- > 0)) a[kept++] = a[i];
}

/* Puts x into the sorted out[0, n), behind its equals. */
static void insert_ranked(gd_ranked *out, int64_t n, gd_ranked x) {
    for (; n > 0 && out[n - 1].key > x.key; n--) out[n] = out[n - 1];
    out[n] = x;
}

void gd_rank_few(gd_dtype dtype, const char *in, int64_t stride, int64_t n, bool descending, int64_t k,
                 gd_ranked *out) {
    enum { BLOCK = 256 };
    gd_ranked block[BLOCK];
    int64_t kept = 0;
    for (int64_t at = 0; at < n; at += BLOCK) {
        const int64_t m = n - at < BLOCK ? n - at : BLOCK;
        gd_rank_line(dtype, in + at * stride, stride, m, descending, block);
        for (int64_t i = 0; i < m; i++) {
            const gd_ranked x = {block[i].key, at + i};
            if (kept < k)
                insert_ranked(out, kept++, x);
            else if (x.key < out[k - 1].key)
                insert_ranked(out, k - 1, x);
        }
    }
}
