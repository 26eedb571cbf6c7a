/* names.c: what is inside a session: the names of its tensors, what a client's name resolves to, and the nodes
 * behind them. Only the request that holds the session comes here. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/session/inside.h"
#include "core/tensor/tensor.h"

/* ---- which names are names ------------------------------------------------------------------------ */

static bool all_of(const char *name, const char *others) {
    size_t n = 0;
    for (; name[n]; n++)
        if (n >= GD_NAME_BYTES - 1 || !(isalnum((unsigned char)name[n]) || strchr(others, name[n]))) return false;
    return n > 0;
}

bool gd_session_name_ok(const char *name) { return isalnum((unsigned char)name[0]) && all_of(name, "._-"); }

bool gd_session_tensor_name_ok(const char *name) {
    if (!(isalpha((unsigned char)name[0]) || name[0] == '_') || !all_of(name, "_.")) return false;
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    return strcmp(last, "data") != 0 && strcmp(last, "grad") != 0;
}

/* ---- the two tables -------------------------------------------------------------------------------- */

static gd_name *find(const gd_namespace *n, const char *name, size_t bytes) {
    gd_name *found = NULL;
    HASH_FIND(hh, n->by_name, name, bytes, found);
    return found;
}

/* Addresses are not the client's to choose: a plain mix does. */
static unsigned hash_of(const gd_tensor *t) { return (unsigned)((uintptr_t)t * 0x9E3779B97F4A7C15U >> 32); }

static gd_bound *find_tensor(const gd_namespace *n, const gd_tensor *t) {
    gd_bound *found = NULL;
    HASH_FIND_BYHASHVALUE(hh, n->by_tensor, &t, sizeof t, hash_of(t), found);
    return found;
}

size_t gd_namespace_count(const gd_namespace *n) { return HASH_COUNT(n->by_name); }

/* The entry of t (taken), made if there is none; NULL if memory is out. */
static gd_bound *bound_of(gd_namespace *n, gd_tensor *t) {
    gd_bound *b = find_tensor(n, t);
    if (b) {
        gd_release(t); /* one reference does */
        return b;
    }
    b = calloc(1, sizeof *b);
    if (b) {
        b->tensor = t;
        HASH_ADD_BYHASHVALUE(hh, n->by_tensor, tensor, sizeof b->tensor, hash_of(t), b);
        if (b->hh.tbl) return b;
    }
    free(b);
    gd_release(t);
    return NULL;
}

static void drop_if_unnamed(gd_namespace *n, gd_bound *b) {
    if (b->names) return;
    gd_tensor *t = b->tensor;
    HASH_DEL(n->by_tensor, b);
    free(b);
    gd_release(t);
}

static void untie(gd_namespace *n, gd_name *name) {
    gd_bound *b = name->bound;
    gd_name **link = &b->names;
    while (*link != name) link = &(*link)->next;
    *link = name->next;
    name->bound = NULL;
    drop_if_unnamed(n, b);
}

static void tie(gd_name *name, gd_bound *b) {
    name->bound = b;
    name->next = b->names;
    b->names = name;
}

/* Room in `sorted` for one more name: listing them can then not fail. */
static bool make_room(gd_namespace *n) {
    size_t count = gd_namespace_count(n);
    if (count < n->capacity) return true;
    size_t capacity = n->capacity ? 2 * n->capacity : 16;
    gd_name **sorted = reallocarray(n->sorted, capacity, sizeof *sorted);
    if (!sorted) return false;
    n->sorted = sorted;
    n->capacity = capacity;
    return true;
}

static gd_name *new_name(gd_namespace *n, const char *text) {
    size_t bytes = strlen(text);
    gd_name *name = make_room(n) ? malloc(sizeof *name + bytes + 1) : NULL;
    if (!name) return NULL;
    memset(name, 0, sizeof *name);
    memcpy(name->text, text, bytes + 1);
    HASH_ADD_KEYPTR(hh, n->by_name, name->text, bytes, name);
    if (name->hh.tbl) {
        n->in_order = false;
        return name;
    }
    free(name);
    return NULL;
}

void gd_namespace_clear(gd_namespace *n) {
    gd_name *name, *next_name;
    gd_bound *b, *next_bound;
    HASH_ITER (hh, n->by_name, name, next_name) {
        HASH_DEL(n->by_name, name);
        free(name);
    }
    HASH_ITER (hh, n->by_tensor, b, next_bound) {
        HASH_DEL(n->by_tensor, b);
        gd_release(b->tensor);
        free(b);
    }
    free(n->sorted);
    memset(n, 0, sizeof *n);
}

/* ---- binding ------------------------------------------------------------------------------------------ */

gd_code gd_namespace_bind(gd_session *s, const char *name, gd_tensor *t, gd_tensor **was) {
    gd_namespace *n = &s->names;
    *was = NULL;
    if (!gd_session_tensor_name_ok(name)) {
        gd_release(t);
        return gd_fail(s->ctx, GD_E_VALUE, "'%.128s' is no name for a tensor", name);
    }
    gd_name *known = find(n, name, strlen(name));
    if (known && known->bound->tensor == t) { /* bound to it already */
        *was = t;
        return GD_OK;
    }
    gd_bound *b = bound_of(n, t);
    if (!b) return gd_fail_memory(s->ctx);
    gd_name *entry = known ? known : new_name(n, name);
    if (!entry) {
        drop_if_unnamed(n, b);
        return gd_fail_memory(s->ctx);
    }
    if (known) {
        *was = gd_retain(known->bound->tensor);
        untie(n, known);
    }
    tie(entry, b);
    return GD_OK;
}

gd_code gd_session_swap(gd_session *s, const char *name, gd_tensor *t, gd_tensor **was) {
    gd_code code = gd_namespace_bind(s, name, t, was);
    if (code == GD_OK && s->env) gd_env_forget(s->env, name);
    return code;
}

gd_code gd_session_bind(gd_session *s, const char *name, gd_tensor *t, bool *rebound) {
    gd_tensor *was;
    gd_code code = gd_session_swap(s, name, t, &was);
    *rebound = was != NULL;
    gd_release(was);
    return code;
}

gd_tensor *gd_session_get(gd_session *s, const char *name) {
    const gd_name *found = find(&s->names, name, strlen(name));
    return found ? found->bound->tensor : NULL;
}

bool gd_namespace_forget(gd_session *s, const char *name) {
    gd_namespace *n = &s->names;
    gd_name *found = find(n, name, strlen(name));
    if (!found) return false;
    HASH_DEL(n->by_name, found);
    untie(n, found);
    free(found);
    n->in_order = false;
    return true;
}

bool gd_session_forget(gd_session *s, const char *name) {
    bool known = gd_namespace_forget(s, name);
    if (known && s->env) gd_env_forget(s->env, name);
    return known;
}

/* ---- what programs see of it -------------------------------------------------------------------------- */

static gd_tensor *get_for_env(void *session, const char *name) { return gd_session_get(session, name); }

static gd_code bind_for_env(void *session, const char *name, gd_tensor *t) {
    gd_tensor *was;
    gd_code code = gd_namespace_bind(session, name, t, &was);
    gd_release(was);
    return code;
}

static void forget_for_env(void *session, const char *name) { (void)gd_namespace_forget(session, name); }

gd_env *gd_session_env(gd_session *s) {
    if (!s->env)
        s->env = gd_env_new(
            s->ctx, &(gd_env_binding){.get = get_for_env, .bind = bind_for_env, .forget = forget_for_env, .user = s});
    if (!s->env) (void)gd_fail_memory(s->ctx);
    return s->env;
}

bool gd_session_has_env(const gd_session *s) { return s->env != NULL; }

void gd_session_fresh_name(gd_session *s, char buf[32]) {
    do snprintf(buf, 32, "_%llu", (unsigned long long)++s->names.fresh);
    while (find(&s->names, buf, strlen(buf)));
}

/* ---- listing -------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
    return strcmp((*(gd_name *const *)a)->text, (*(gd_name *const *)b)->text);
}

/* Sorts only when asked after a change: names come and go far more often than they are listed. */
static void put_in_order(gd_namespace *n) {
    size_t i = 0;
    if (n->in_order) return;
    for (gd_name *name = n->by_name; name; name = name->hh.next) n->sorted[i++] = name;
    if (i) qsort(n->sorted, i, sizeof *n->sorted, by_text);
    n->in_order = true;
}

size_t gd_session_names(gd_session *s, const char *after, size_t limit, const char **names, bool *more) {
    gd_namespace *n = &s->names;
    size_t low = 0, high = gd_namespace_count(n), count = high;
    put_in_order(n);
    while (after && low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(n->sorted[mid]->text, after) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    *more = count - low > limit;
    if (count - low > limit) count = low + limit;
    for (size_t i = low; i < count; i++) names[i - low] = n->sorted[i]->text;
    return count - low;
}

const char *gd_session_name_of(gd_session *s, const gd_tensor *t) {
    const gd_bound *b = find_tensor(&s->names, t);
    const gd_name *first = NULL;
    for (const gd_name *name = b ? b->names : NULL; name; name = name->next)
        if (!first || strcmp(name->text, first->text) < 0) first = name;
    return first ? first->text : NULL;
}

/* ---- resolving ------------------------------------------------------------------------------------------- */

static bool ends_with_part(const char *name, size_t bytes) {
    return bytes > 5 && (memcmp(name + bytes - 5, ".data", 5) == 0 || memcmp(name + bytes - 5, ".grad", 5) == 0);
}

/* t.data or t.grad; takes t. New; NULL with error. */
static gd_tensor *part_of(gd_ctx *ctx, gd_tensor *t, bool grad, const char *name) {
    gd_tensor *part = grad ? gd_retain(gd_grad(t)) : gd_data(ctx, t);
    if (!part && grad) gd_fail(ctx, GD_E_UNKNOWN_NAME, "'%.160s' is None", name);
    gd_release(t);
    return part;
}

gd_tensor *gd_session_resolve(gd_ctx *ctx, void *session, const char *name) {
    gd_session *s = session;
    size_t bytes = strlen(name), full = bytes;
    gd_name *found = find(&s->names, name, bytes);
    while (!found && ends_with_part(name, bytes)) {
        bytes -= 5;
        found = find(&s->names, name, bytes);
    }
    if (!found) {
        gd_fail(ctx, GD_E_UNKNOWN_NAME, "name '%.160s' is not defined", name);
        return NULL;
    }
    gd_tensor *t = gd_retain(found->bound->tensor);
    for (; t && bytes < full; bytes += 5) t = part_of(ctx, t, name[bytes + 1] == 'g', name);
    return t;
}

/* ---- finding a node ---------------------------------------------------------------------------------------- */

/* Nodes seen (a set with open addressing) and nodes to visit. */
typedef struct search {
    uint64_t id;
    gd_node **seen, **todo;
    size_t nseen, capacity; /* capacity: a power of two, at least twice nseen; todo has room for as many */
    size_t ntodo;
    bool failed; /* memory is out */
} search;

static size_t slot_of(gd_node *const *seen, size_t capacity, gd_node *node) {
    size_t i = (size_t)(((uintptr_t)node >> 4) * 0x9E3779B97F4A7C15u) & (capacity - 1);
    while (seen[i] && seen[i] != node) i = (i + 1) & (capacity - 1);
    return i;
}

static bool grow(search *q) {
    size_t capacity = q->capacity ? 2 * q->capacity : 64;
    gd_node **todo = reallocarray(q->todo, capacity, sizeof *todo);
    if (todo) q->todo = todo;
    gd_node **seen = todo ? calloc(capacity, sizeof *seen) : NULL;
    if (!seen) {
        q->failed = true;
        return false;
    }
    for (size_t i = 0; i < q->capacity; i++)
        if (q->seen[i]) seen[slot_of(seen, capacity, q->seen[i])] = q->seen[i];
    free(q->seen);
    q->seen = seen;
    q->capacity = capacity;
    return true;
}

static void visit_later(search *q, gd_node *node) {
    if (!node || q->failed || (2 * q->nseen >= q->capacity && !grow(q))) return;
    size_t at = slot_of(q->seen, q->capacity, node);
    if (q->seen[at]) return;
    q->seen[at] = node;
    q->nseen++;
    q->todo[q->ntodo++] = node;
}

static gd_node *next_match(search *q) {
    while (q->ntodo > 0 && !q->failed) {
        gd_node *node = q->todo[--q->ntodo];
        if (gd_node_id(node) == q->id) return node;
        for (int i = 0; i < gd_node_ninputs(node); i++) {
            uint32_t nr;
            visit_later(q, gd_node_next(node, i, &nr));
        }
    }
    return NULL;
}

/* Where t's graph begins: its grad_fn, or a leaf's AccumulateGrad if there is one yet. */
static void visit_tensor(search *q, gd_ctx *ctx, gd_tensor *t) {
    if (!t) return;
    gd_code before = ctx->error.code;
    visit_later(q, gd_grad_fn(ctx, t));
    ctx->error.code = before; /* a spoilt view has no node to offer: no error of this search */
    if (t->meta) visit_later(q, t->meta->accumulator);
}

gd_node *gd_session_node(gd_session *s, uint64_t id) {
    search q = {.id = id};
    gd_node *found = NULL;
    for (gd_bound *b = s->names.by_tensor; b && !found && !q.failed; b = b->hh.next) {
        visit_tensor(&q, s->ctx, b->tensor);
        visit_tensor(&q, s->ctx, gd_grad(b->tensor));
        found = next_match(&q);
    }
    if (q.failed) (void)gd_fail_memory(s->ctx);
    free(q.seen);
    free(q.todo);
    return found;
}
