/* cost.c: a guess whether a request will take long, so that the threads that serve connections need not wait for it. It
 * must be cheap itself: nothing is parsed. What is unknown counts as long. */
#include "api/binary.h"
#include "api/router.h"

enum {
    SMALL_BODY = 64 * 1024,
    SMALL_TENSORS = 256 * 1024, /* bytes that an op reads and writes in well under a millisecond */
    SMALL_COUNT = 100 * 1000,   /* elements */
    SMALL_GRAPH = 1000,         /* nodes */
    NAMES = 8                   /* named tensors looked at */
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Bytes that begin a name, a number, or a number's fraction or exponent: all others are passed by. */
static const bool begins[256] = {['"'] = true, ['.'] = true, ['E'] = true, ['e'] = true, ['0' ... '9'] = true};

/* Behind a name in quotes, or a fraction or exponent with its digits, that starts at i. */
static size_t skip(const char *p, size_t n, size_t i) {
    if (p[i] == '"') {
        const char *close = memchr(p + i + 1, '"', n - i - 1);
        return close ? (size_t)(close - p) + 1 : n;
    }
    for (i++; i < n && (is_digit(p[i]) || p[i] == '-' || p[i] == '+'); i++) {
    }
    return i;
}

/* The product of the whole numbers in the text: a bound for what factories and expand can make of them as sizes. */
static uint64_t product_of_integers(const char *p, size_t n) {
    uint64_t product = 1;
    for (size_t i = 0; i < n && product <= SMALL_COUNT;) {
        if (!begins[(unsigned char)p[i]]) {
            i++;
            continue;
        }
        if (!is_digit(p[i])) {
            i = skip(p, n, i);
            continue;
        }
        uint64_t v = 0;
        for (; i < n && is_digit(p[i]); i++)
            if (v <= SMALL_COUNT) v = v * 10 + (uint64_t)(p[i] - '0');
        if (v > 1 && !(i < n && p[i] == '.')) product *= v;
    }
    return product;
}

/* Elements that an op on tensors of these two shapes may write: as many as the larger, unless they broadcast. */
static uint64_t together(const gd_tensor *a, const gd_tensor *b) {
    uint64_t m = (uint64_t)gd_numel(a), n = (uint64_t)gd_numel(b), product;
    if (m <= 1 || n <= 1 || gd_same_shape(a, b)) return m > n ? m : n;
    return __builtin_mul_overflow(m, n, &product) ? UINT64_MAX : product;
}

/* The tensors that strings in the text name. */
static bool names_small_tensors(gd_session *s, const char *p, size_t n) {
    const gd_tensor *seen[NAMES];
    size_t count = 0;
    uint64_t bytes = 0;
    char name[129];
    const char *end = p + n, *close;
    for (; (p = memchr(p, '"', (size_t)(end - p))) && (close = memchr(p + 1, '"', (size_t)(end - p - 1)));
         p = close + 1) {
        size_t length = (size_t)(close - p - 1);
        if (length == 0 || length >= sizeof name) continue;
        memcpy(name, p + 1, length);
        name[length] = 0;
        if (length > 5 && (!strcmp(name + length - 5, ".data") || !strcmp(name + length - 5, ".grad")))
            name[length - 5] = 0;
        const gd_tensor *t = gd_session_get(s, name);
        if (!t) continue;
        bytes += (uint64_t)gd_numel(t) * gd_dtype_bytes(gd_dtype_of(t));
        if (count == NAMES || bytes > SMALL_TENSORS) return false;
        for (size_t i = 0; i < count; i++)
            if (together(seen[i], t) > SMALL_COUNT) return false;
        seen[count++] = t;
    }
    return true;
}

static bool op_is_small(gd_session *s, const gd_api_request *r) {
    if (r->body_length > SMALL_BODY || product_of_integers(r->body, r->body_length) > SMALL_COUNT) return false;
    return gd_account_used(gd_session_ctx(s)->account) <= SMALL_TENSORS / 8 ||
           names_small_tensors(s, r->body, r->body_length);
}

static bool graph_is_small(gd_session *s) {
    return gd_ctx_nodes(gd_session_ctx(s)) <= SMALL_GRAPH &&
           gd_account_used(gd_session_ctx(s)->account) <= 4 * SMALL_TENSORS;
}

static bool tensor_is_small(gd_session *s, const char *name) {
    gd_tensor *t = gd_session_get(s, name);
    return !t || gd_numel(t) * 8 <= SMALL_TENSORS;
}

/* A backward may call hooks that are programs, and those take as long as they like. */
static bool backward_is_small(gd_session *s) { return !gd_session_has_env(s) && graph_is_small(s); }

bool gd_cost_may_be_small(const gd_route *route, const gd_api_request *r) {
    if (r->upload || r->body_length > SMALL_BODY) return false;
    if (route->flags & GD_R_PROGRAM || route->handle == gd_handle_add_hook) return false;
    if (route->handle == gd_handle_put_snapshot) return false;
    return route->handle != gd_handle_put_session && route->handle != gd_handle_delete_session && /* may wait */
           route->handle != gd_handle_metrics;
}

bool gd_cost_is_small(const gd_route *route, gd_session *s, const gd_api_request *r, const char *name) {
    if (route->handle == gd_handle_apply_ops) return op_is_small(s, r);
    if (route->handle == gd_handle_get_tensor || route->handle == gd_handle_get_data ||
        route->handle == gd_handle_get_grad)
        return tensor_is_small(s, name);
    if (route->handle == gd_handle_put_tensor || route->handle == gd_handle_put_data ||
        route->handle == gd_handle_put_grad)
        return r->body_length <= SMALL_BODY;
    if (route->handle == gd_handle_backward || route->handle == gd_handle_grad)
        return backward_is_small(s) && r->body_length <= SMALL_BODY;
    if (route->handle == gd_handle_get_snapshot)
        return gd_account_used(gd_session_ctx(s)->account) <= SMALL_TENSORS && !r->body_length;
    if (route->handle == gd_handle_get_graph || route->handle == gd_handle_get_node ||
        route->handle == gd_handle_get_hook)
        return graph_is_small(s) && r->body_length <= SMALL_BODY;
    return true;
}
