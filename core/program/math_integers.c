/* math_integers.c: functions of the module math that answer ints or go through many numbers: floor, gcd, comb, fsum,
 * prod, hypot. */
#include "core/program/heap.h"
#include "core/program/math_module.h"
#include "core/program/vm.h"

#include <math.h>

/* ---- to ints -------------------------------------------------------------------------------------------------------
 */

static gd_any rounded(gd_vm *vm, gd_any v, double (*round)(double)) {
    double x;
    if (v.tag == GD_A_INT || v.tag == GD_A_BOOL) return GD_ANY_INT(v.u.i);
    return gd_to_real(vm, v, &x) ? gd_float_to_int(vm, round(x)) : GD_NIL;
}

gd_any gd_math_floor(gd_vm *vm, const gd_args *args) { return rounded(vm, args->v[0], floor); }
gd_any gd_math_ceil(gd_vm *vm, const gd_args *args) { return rounded(vm, args->v[0], ceil); }

gd_any gd_math_trunc(gd_vm *vm, const gd_args *args) {
    gd_any v = args->v[0];
    if (gd_is_number(v) || v.tag == GD_A_TENSOR) return rounded(vm, v, trunc);
    return gd_raise(vm, &gd_class_TypeError, "type %s doesn't define __trunc__ method", gd_class_label(v));
}

/* ---- divisors and counting -----------------------------------------------------------------------------------------
 */

static uint64_t magnitude(int64_t v) { return v < 0 ? 0 - (uint64_t)v : (uint64_t)v; }

static uint64_t divisor(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static gd_any unsigned_result(gd_vm *vm, uint64_t v) {
    return v > INT64_MAX ? gd_overflow(vm) : GD_ANY_INT((int64_t)v);
}

gd_any gd_math_gcd(gd_vm *vm, const gd_args *args) {
    uint64_t result = 0;
    int64_t v;
    for (uint32_t i = 0; i < args->npos; i++) {
        if (!gd_to_index(vm, args->v[i], &v)) return GD_NIL;
        result = divisor(result, magnitude(v));
    }
    return unsigned_result(vm, result);
}

gd_any gd_math_lcm(gd_vm *vm, const gd_args *args) {
    uint64_t result = 1;
    bool over = false;
    int64_t v;
    for (uint32_t i = 0; i < args->npos; i++) {
        if (!gd_to_index(vm, args->v[i], &v)) return GD_NIL;
        uint64_t m = magnitude(v);
        if (m == 0) result = 0, over = false;
        if (result == 0 || over) continue;
        over = __builtin_mul_overflow(result / divisor(result, m), m, &result);
    }
    return over ? gd_overflow(vm) : unsigned_result(vm, result);
}

/* n (n-1) … (n-k+1) */
static gd_any falling(gd_vm *vm, int64_t n, int64_t k) {
    int64_t result = 1;
    for (int64_t i = 0; i < k; i++)
        if (__builtin_mul_overflow(result, n - i, &result)) return gd_overflow(vm);
    return GD_ANY_INT(result);
}

gd_any gd_math_factorial(gd_vm *vm, const gd_args *args) {
    int64_t n;
    if (!gd_to_index(vm, args->v[0], &n)) return GD_NIL;
    if (n < 0) return gd_raise(vm, &gd_class_ValueError, "factorial() not defined for negative values");
    return falling(vm, n, n);
}

/* n and k of perm and comb; false: pending. */
static bool choices(gd_vm *vm, const gd_args *args, int64_t *n, int64_t *k) {
    if (!gd_to_index(vm, args->v[0], n) || !gd_to_index(vm, args->v[1], k)) return false;
    if (*n >= 0 && *k >= 0) return true;
    gd_raise(vm, &gd_class_ValueError, "%c must be a non-negative integer", *n < 0 ? 'n' : 'k');
    return false;
}

gd_any gd_math_perm(gd_vm *vm, const gd_args *args) {
    int64_t n, k;
    if (args->npos < 2 || gd_is_none(args->v[1])) return gd_math_factorial(vm, args);
    if (!choices(vm, args, &n, &k)) return GD_NIL;
    return k > n ? GD_ANY_INT(0) : falling(vm, n, k);
}

gd_any gd_math_comb(gd_vm *vm, const gd_args *args) {
    int64_t n, k;
    if (!choices(vm, args, &n, &k)) return GD_NIL;
    if (k > n) return GD_ANY_INT(0);
    if (k > n - k) k = n - k;
    __int128 result = 1; /* at least doubles each turn: overflow ends the loop soon */
    for (int64_t i = 1; i <= k; i++) {
        result = result * (n - k + i) / i;
        if (result > INT64_MAX) return gd_overflow(vm);
    }
    return GD_ANY_INT((int64_t)result);
}

gd_any gd_math_isqrt(gd_vm *vm, const gd_args *args) {
    int64_t n;
    if (!gd_to_index(vm, args->v[0], &n)) return GD_NIL;
    if (n < 0) return gd_raise(vm, &gd_class_ValueError, "isqrt() argument must be nonnegative");
    int64_t root = (int64_t)sqrt((double)n);
    while ((__int128)root * root > n) root--;
    while ((__int128)(root + 1) * (root + 1) <= n) root++;
    return GD_ANY_INT(root);
}

/* ---- sums and products ---------------------------------------------------------------------------------------------
 */

/* The sum so far as floats that do not overlap, small ones first; each addition is exact. */
typedef struct exact_sum {
    double parts[64]; /* each has 53 bits of the 2,098 that there are */
    int n;
    double special; /* sum of the infinities and NaNs */
    bool overflow, infinities;
} exact_sum;

static void add_exactly(exact_sum *s, double x) {
    int kept = 0;
    double given = x;
    for (int i = 0; i < s->n; i++) {
        double y = s->parts[i];
        if (fabs(x) < fabs(y)) {
            double swap = x;
            x = y;
            y = swap;
        }
        double high = x + y, low = y - (high - x);
        if (low != 0) s->parts[kept++] = low;
        x = high;
    }
    if (isfinite(x)) {
        if (x != 0) s->parts[kept++] = x;
        s->n = kept;
    } else if (isfinite(given)) {
        s->overflow = true;
    } else {
        s->infinities |= isinf(given);
        s->special += given;
        s->n = 0;
    }
}

/* Rounded once; a tie is settled by what lies below. */
static double rounded_sum(const exact_sum *s) {
    int n = s->n;
    double high = n ? s->parts[--n] : 0, low = 0;
    while (n > 0 && low == 0) {
        double x = high, y = s->parts[--n];
        high = x + y;
        low = y - (high - x);
    }
    if (n > 0 && ((low < 0 && s->parts[n - 1] < 0) || (low > 0 && s->parts[n - 1] > 0))) {
        double twice = low * 2, x = high + twice;
        if (twice == x - high) high = x;
    }
    return high;
}

gd_any gd_math_fsum(gd_vm *vm, const gd_args *args) {
    gd_any iterator = gd_iterate(vm, args->v[0]), item;
    exact_sum sum = {.n = 0};
    bool any_special = false;
    int more = gd_is_nil(iterator) ? -1 : 1;
    while (more > 0 && !sum.overflow && (more = gd_work(vm, 1) ? gd_next(vm, iterator, &item) : -1) > 0) {
        double x;
        if (!gd_to_real(vm, item, &x)) more = -1;
        gd_drop(gd_vm_heap(vm), item);
        if (more < 0) break;
        any_special |= !isfinite(x);
        add_exactly(&sum, x);
    }
    gd_drop(gd_vm_heap(vm), iterator);
    if (more < 0) return GD_NIL;
    if (sum.overflow) return gd_raise(vm, &gd_class_OverflowError, "intermediate overflow in fsum");
    if (!any_special) return GD_ANY_FLOAT(rounded_sum(&sum));
    if (isnan(sum.special) && sum.infinities) return gd_raise(vm, &gd_class_ValueError, "-inf + inf in fsum");
    return GD_ANY_FLOAT(sum.special);
}

gd_any gd_math_prod(gd_vm *vm, const gd_args *args) {
    gd_any start = gd_find_keyword(args, "start"), iterator = gd_iterate(vm, args->v[0]), item;
    gd_heap *heap = gd_vm_heap(vm);
    if (gd_is_nil(iterator)) return GD_NIL;
    gd_any product = gd_is_nil(start) ? GD_ANY_INT(1) : gd_keep(start);
    int more = 1;
    while (!gd_is_nil(product) && (more = gd_work(vm, 1) ? gd_next(vm, iterator, &item) : -1) > 0) {
        gd_any next = gd_binary(vm, GD_PY_MUL, product, item, false);
        gd_drop(heap, product);
        gd_drop(heap, item);
        product = next;
    }
    gd_drop(heap, iterator);
    if (more >= 0) return product;
    gd_drop(heap, product);
    return GD_NIL;
}

/* ---- lengths -------------------------------------------------------------------------------------------------------
 */

/* The root of a sum of squares. Long doubles have range and bits to spare, so nothing overflows on the way. */
typedef struct squares {
    long double sum;
    bool infinite, nan;
} squares;

static void add_square(squares *s, double x) {
    s->infinite |= isinf(x);
    s->nan |= isnan(x);
    s->sum += (long double)x * (long double)x;
}

static gd_any root_of(const squares *s) {
    if (s->infinite) return GD_ANY_FLOAT((double)INFINITY);
    return GD_ANY_FLOAT(s->nan ? (double)NAN : (double)sqrtl(s->sum));
}

gd_any gd_math_hypot(gd_vm *vm, const gd_args *args) {
    squares s = {0, false, false};
    for (uint32_t i = 0; i < args->npos; i++) {
        double x;
        if (!gd_to_real(vm, args->v[i], &x)) return GD_NIL;
        add_square(&s, x);
    }
    return root_of(&s);
}

static gd_any distance(gd_vm *vm, gd_any p, gd_any q) {
    const gd_tuple *a = (const gd_tuple *)p.u.object, *b = (const gd_tuple *)q.u.object;
    squares s = {0, false, false};
    if (a->n != b->n) return gd_raise(vm, &gd_class_ValueError, "both points must have the same number of dimensions");
    for (size_t i = 0; i < a->n; i++) {
        double x, y;
        if (!gd_to_real(vm, a->items[i], &x) || !gd_to_real(vm, b->items[i], &y)) return GD_NIL;
        add_square(&s, x - y);
    }
    return root_of(&s);
}

gd_any gd_math_dist(gd_vm *vm, const gd_args *args) {
    gd_any p = gd_tuple_from(vm, args->v[0]), q = gd_is_nil(p) ? GD_NIL : gd_tuple_from(vm, args->v[1]);
    gd_any result = gd_is_nil(q) ? GD_NIL : distance(vm, p, q);
    gd_drop(gd_vm_heap(vm), p);
    gd_drop(gd_vm_heap(vm), q);
    return result;
}
