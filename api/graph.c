/* graph.c: GET …/graph and …/nodes/{id}: the recorded graph as JSON, Graphviz or Mermaid. Walked breadth first. */
#include "api/router.h"

#include <stdlib.h>

/* ---- the nodes behind some tensors --------------------------------------------------------- */

/* Nodes in the order they were found; `slots` finds a node's index + 1. The session holds them all. */
typedef struct walk {
    gd_exchange *x;
    gd_node **nodes; /* owned array */
    size_t n, capacity;
    size_t *slots; /* owned; 2 * capacity */
    size_t roots;  /* the first so many are roots */
} walk;

static size_t slot_of(const walk *w, const gd_node *node) {
    size_t mask = 2 * w->capacity - 1, i = (size_t)((uintptr_t)node >> 4) * 0x9E3779B97F4A7C15U >> 20 & mask;
    while (w->slots[i] && w->nodes[w->slots[i] - 1] != node) i = (i + 1) & mask;
    return i;
}

static bool grow(walk *w) {
    size_t capacity = w->capacity ? 2 * w->capacity : 64;
    gd_node **nodes = realloc(w->nodes, capacity * sizeof *nodes);
    size_t *slots = calloc(2 * capacity, sizeof *slots);
    if (nodes) w->nodes = nodes;
    if (!nodes || !slots) {
        free(slots);
        return gd_refuse(w->x, "out_of_memory", "The server has no memory left to walk the graph.");
    }
    free(w->slots);
    w->slots = slots;
    w->capacity = capacity;
    for (size_t i = 0; i < w->n; i++) w->slots[slot_of(w, w->nodes[i])] = i + 1;
    return true;
}

static bool add(walk *w, gd_node *node) {
    if (!node) return true;
    if (w->n == w->capacity && !grow(w)) return false;
    size_t i = slot_of(w, node);
    if (w->slots[i]) return true;
    w->nodes[w->n++] = node;
    w->slots[i] = w->n;
    return true;
}

static bool find_all(walk *w) {
    w->roots = w->n;
    for (size_t at = 0; at < w->n; at++)
        for (int i = 0; i < gd_node_ninputs(w->nodes[at]); i++)
            if (!add(w, gd_node_next(w->nodes[at], i, NULL))) return false;
    return true;
}

/* The grad_fn of one tensor; a leaf has its AccumulateGrad instead. */
static bool add_behind(walk *w, const char *name) {
    gd_exchange *x = w->x;
    gd_tensor *t = gd_session_get(x->session, name);
    if (!t) return gd_refuse(x, "unknown_tensor", "The session %s has no tensor %s.", x->params[0], name);
    if (!gd_requires_grad(t)) return true;
    x->ctx->error.code = GD_OK;
    gd_node *node = gd_gradient_edge(x->ctx, t, NULL);
    if (!node && x->ctx->error.code != GD_OK) return gd_refuse_engine(x);
    return add(w, node);
}

static bool add_everything(walk *w) {
    const char *names[256], *after = NULL;
    bool more = true;
    while (more) {
        size_t n = gd_session_names(w->x->session, after, 256, names, &more);
        for (size_t i = 0; i < n; i++) {
            gd_tensor *t = gd_session_get(w->x->session, names[i]);
            if (!gd_is_leaf(t) && !add(w, gd_grad_fn(w->x->ctx, t))) return false;
        }
        if (n == 0) break;
        after = names[n - 1];
    }
    return true;
}

static void end_walk(walk *w) {
    free(w->nodes);
    free(w->slots);
}

/* ---- forms --------------------------------------------------------------------------------- */

static const char *leaf_name(gd_exchange *x, const gd_node *node) {
    gd_tensor *t = gd_node_variable(node);
    return t ? gd_session_name_of(x->session, t) : NULL;
}

/* A saved field: its name and, if it can still be read, its value, taken by the caller. */
static bool read_saved(gd_exchange *x, gd_node *node, int i, const char **name, gd_value *value) {
    *name = NULL;
    bool ok = gd_node_saved(x->ctx, node, i, name, value) == GD_OK;
    if (!ok) *value = GD_NONE_VALUE;
    return ok;
}

static void drop_saved(const gd_value *value) {
    if (value->kind == GD_V_TENSOR) gd_release(value->u.tensor);
}

static void put_saved_names(gd_exchange *x, gd_node *node) {
    gd_value value;
    const char *name;
    GD_TEXT_LIT(&x->out, "[");
    for (int i = 0; i < gd_node_nsaved(node); i++) {
        read_saved(x, node, i, &name, &value);
        drop_saved(&value);
        if (i) GD_TEXT_LIT(&x->out, ",");
        gd_text_string(&x->out, name);
    }
    GD_TEXT_LIT(&x->out, "]");
}

static void put_next(gd_text *t, const gd_node *node) {
    GD_TEXT_LIT(t, "[");
    for (int i = 0; i < gd_node_ninputs(node); i++) {
        uint32_t nr = 0;
        const gd_node *next = gd_node_next(node, i, &nr);
        gd_text_puts(t, i ? ",[" : "[");
        if (next)
            gd_put_node_id(t, next);
        else
            GD_TEXT_LIT(t, "null");
        GD_TEXT_LIT(t, ",");
        gd_text_i64(t, next ? nr : 0);
        GD_TEXT_LIT(t, "]");
    }
    GD_TEXT_LIT(t, "]");
}

static void put_json(walk *w) {
    gd_text *t = &w->x->out;
    GD_TEXT_LIT(t, "{\"nodes\":[");
    for (size_t i = 0; i < w->n; i++) {
        const char *leaf = leaf_name(w->x, w->nodes[i]);
        gd_text_puts(t, i ? ",{\"id\":" : "{\"id\":");
        gd_put_node_id(t, w->nodes[i]);
        GD_TEXT_LIT(t, ",\"name\":");
        gd_text_string(t, gd_node_name(w->nodes[i]));
        GD_TEXT_LIT(t, ",\"next\":");
        put_next(t, w->nodes[i]);
        GD_TEXT_LIT(t, ",\"freed\":");
        gd_text_bool(t, gd_node_freed(w->nodes[i]));
        GD_TEXT_LIT(t, ",\"saved\":");
        put_saved_names(w->x, w->nodes[i]);
        if (leaf) GD_TEXT_LIT(t, ",\"tensor\":"), gd_text_string(t, leaf);
        GD_TEXT_LIT(t, "}");
    }
    GD_TEXT_LIT(t, "],\"roots\":[");
    for (size_t i = 0; i < w->roots; i++) {
        if (i) GD_TEXT_LIT(t, ",");
        gd_put_node_id(t, w->nodes[i]);
    }
    GD_TEXT_LIT(t, "]}");
}

/* Both text forms: nodes first, then edges along which gradients flow. Names have no characters that need quoting. */
static void put_edges(walk *w, const char *format) {
    for (size_t i = 0; i < w->n; i++)
        for (int k = 0; k < gd_node_ninputs(w->nodes[i]); k++) {
            const gd_node *next = gd_node_next(w->nodes[i], k, NULL);
            if (next)
                gd_text_f(&w->x->out, format, (unsigned long long)gd_node_id(w->nodes[i]),
                          (unsigned long long)gd_node_id(next));
        }
}

static void put_dot(walk *w) {
    gd_text *t = &w->x->out;
    GD_TEXT_LIT(t, "digraph autograd {\n  node [shape=box];\n");
    for (size_t i = 0; i < w->n; i++) {
        const char *leaf = leaf_name(w->x, w->nodes[i]);
        gd_text_f(t, "  n%llu [label=\"%s%s%s\"%s];\n", (unsigned long long)gd_node_id(w->nodes[i]),
                  gd_node_name(w->nodes[i]), leaf ? "\\n" : "", leaf ? leaf : "", leaf ? ", shape=ellipse" : "");
    }
    put_edges(w, "  n%llu -> n%llu;\n");
    GD_TEXT_LIT(t, "}\n");
    w->x->content_type = "text/vnd.graphviz; charset=utf-8";
}

static void put_mermaid(walk *w) {
    gd_text *t = &w->x->out;
    GD_TEXT_LIT(t, "graph TD\n");
    for (size_t i = 0; i < w->n; i++) {
        const char *leaf = leaf_name(w->x, w->nodes[i]);
        gd_text_f(t, leaf ? "  n%llu([\"%s<br>%s\"])\n" : "  n%llu[\"%s\"]\n",
                  (unsigned long long)gd_node_id(w->nodes[i]), gd_node_name(w->nodes[i]), leaf);
    }
    put_edges(w, "  n%llu --> n%llu\n");
    w->x->content_type = "text/plain; charset=utf-8";
}

void gd_handle_get_graph(gd_exchange *x) {
    walk w = {.x = x};
    char of[GD_PARAM_BYTES], format[16];
    bool one = gd_query(x, "of", of, sizeof of);
    if (!gd_query(x, "format", format, sizeof format)) strcpy(format, "json");
    void (*put)(walk *) = !strcmp(format, "json")      ? put_json
                          : !strcmp(format, "dot")     ? put_dot
                          : !strcmp(format, "mermaid") ? put_mermaid
                                                       : NULL;
    if (!put) gd_refuse(x, "bad_query", "format must be json, dot or mermaid.");
    if (!x->fault.code && (one ? add_behind(&w, of) : add_everything(&w)) && find_all(&w)) put(&w);
    end_walk(&w);
}

/* ---- one node ------------------------------------------------------------------------------ */

static void put_tensor_shape(gd_text *t, const gd_tensor *v) {
    GD_TEXT_LIT(t, ",\"shape\":");
    gd_text_i64s(t, gd_sizes(v), gd_ndim(v));
    gd_text_f(t, ",\"dtype\":\"%s\"", gd_dtype_name(gd_dtype_of(v)));
}

static void put_saved_list(gd_text *t, const gd_value *value) {
    GD_TEXT_LIT(t, ",\"shapes\":[");
    for (uint32_t i = 0; i < value->n; i++) {
        if (i) GD_TEXT_LIT(t, ",");
        if (value->u.tensors[i])
            gd_text_i64s(t, gd_sizes(value->u.tensors[i]), gd_ndim(value->u.tensors[i]));
        else
            GD_TEXT_LIT(t, "null");
    }
    GD_TEXT_LIT(t, "]");
}

static void put_saved(gd_exchange *x, gd_node *node, int i) {
    gd_text *t = &x->out;
    gd_value value;
    const char *name;
    bool ok = read_saved(x, node, i, &name, &value);
    gd_text_puts(t, i ? ",{\"name\":" : "{\"name\":");
    gd_text_string(t, name);
    if (!ok)
        GD_TEXT_LIT(t, ",\"error\":"), gd_text_string(t, gd_code_name(gd_ctx_error(x->ctx)->code));
    else if (value.kind == GD_V_TENSOR)
        put_tensor_shape(t, value.u.tensor);
    else if (value.kind == GD_V_TENSORS)
        put_saved_list(t, &value);
    else
        GD_TEXT_LIT(t, ",\"value\":"), gd_put_value(t, &value);
    GD_TEXT_LIT(t, "}");
    drop_saved(&value);
}

static void put_function(gd_text *t, const gd_node *node, int i) {
    uint32_t nr = 0;
    const gd_node *next = gd_node_next(node, i, &nr);
    if (i) GD_TEXT_LIT(t, ",");
    if (!next) {
        GD_TEXT_LIT(t, "null");
        return;
    }
    GD_TEXT_LIT(t, "{\"id\":");
    gd_put_node_id(t, next);
    gd_text_f(t, ",\"name\":\"%s\",\"input_nr\":%u}", gd_node_name(next), nr);
}

static gd_node *find_node(gd_exchange *x) {
    const char *id = x->params[1];
    char *end;
    unsigned long long number = *id == 'n' && id[1] >= '0' && id[1] <= '9' ? strtoull(id + 1, &end, 10) : 0;
    gd_node *node = number && !*end ? gd_session_node(x->session, number) : NULL;
    if (!node) gd_refuse(x, "unknown_node", "No tensor of the session %s has a node %s behind it.", x->params[0], id);
    return node;
}

void gd_handle_get_node(gd_exchange *x) {
    gd_text *t = &x->out;
    gd_node *node = find_node(x);
    if (!node) return;
    GD_TEXT_LIT(t, "{\"id\":");
    gd_put_node_id(t, node);
    gd_text_f(t, ",\"name\":\"%s\",\"next_functions\":[", gd_node_name(node));
    for (int i = 0; i < gd_node_ninputs(node); i++) put_function(t, node, i);
    GD_TEXT_LIT(t, "],\"saved\":[");
    for (int i = 0; i < gd_node_nsaved(node); i++) put_saved(x, node, i);
    GD_TEXT_LIT(t, "],\"freed\":");
    gd_text_bool(t, gd_node_freed(node));
    const char *leaf = leaf_name(x, node);
    if (leaf) GD_TEXT_LIT(t, ",\"tensor\":"), gd_text_string(t, leaf);
    GD_TEXT_LIT(t, "}");
}
