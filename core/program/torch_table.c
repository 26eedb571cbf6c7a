/* torch_table.c: the names of torch as programs look them up: ops as functions and as methods, the tensors' own methods
 * and attributes, and the classes that belong to rows. Everything here is built once and constant afterwards.
 */
#include <pthread.h>
#include <string.h>

#include "core/autograd/node.h"
#include "core/program/torch_ops.h"

enum { NAMES = 1024, SLOTS = 4096, TEXT = 16384 };

typedef struct slot {
    const char *name; /* NULL: free */
    size_t bytes;
    uint32_t hash;
    gd_any value;                         /* of `functions` and `methods` */
    const gd_tensor_attribute *attribute; /* of `attributes` */
} slot;

/* Names are static, so a plain hash is safe and no table ever grows. */
typedef struct table {
    slot slots[SLOTS];
} table;

static table functions, methods, attributes;
static gd_opfn ops[4 * NAMES];
static size_t nops;
static char texts[TEXT]; /* names of in-place forms */
static size_t used;
static gd_class row_classes[GD_OP_COUNT], node_classes[GD_OP_COUNT + 2];
static bool gives_tensor[GD_OP_COUNT];

/* FNV-1a. */
static uint32_t hash_of(const char *name, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)name[i]) * 16777619u;
    return h;
}

/* The slot of the name, or the free one where it belongs. The tables are never more than half full. */
static slot *find(table *t, const char *name, size_t n) {
    uint32_t h = hash_of(name, n);
    for (uint32_t i = h;; i++) {
        slot *s = &t->slots[i % SLOTS];
        if (!s->name || (s->hash == h && s->bytes == n && memcmp(s->name, name, n) == 0)) return s;
    }
}

/* Adds a name; the first of two stays. */
static slot *add(table *t, const char *name) {
    size_t n = strlen(name);
    slot *s = find(t, name, n);
    if (s->name) return NULL;
    s->name = name;
    s->bytes = n;
    s->hash = hash_of(name, n);
    return s;
}

/* ---- what of the op table is where ------------------------------------------------------------ */

static bool listed(const char *name, const char *list) {
    size_t n = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) return true;
    return false;
}

/* In-place forms that PyTorch also has as functions. */
static const char inplace_functions[] =
    "abs_ absolute_ acos_ arccos_ arcsin_ arctan_ asin_ atan_ ceil_ clamp_ clamp_max_ clamp_min_ clip_ cos_ cosh_ exp_ "
    "expm1_ fix_ floor_ index_put_ log1p_ log_ neg_ negative_ reciprocal_ relu_ round_ rsqrt_ sigmoid_ sin_ sinh_ sqrt_ "
    "tan_ tanh_ trunc_ nn.functional.relu_ nn.functional.leaky_relu_";
/* Rows that look like methods and are none in PyTorch. */
static const char no_methods[] = "rsub index slice T mT where size";

static bool is_function(const char *name, const gd_op *op) {
    return !(op->flags & GD_METHOD_ONLY) && strncmp(name, "__", 2) != 0;
}

static bool is_method(const char *name, const gd_op *op) {
    if (strchr(name, '.') || listed(name, no_methods)) return false;
    if ((op->flags & GD_FACTORY) && !(op->flags & GD_METHOD_ONLY)) return false;
    return op->nparams > 0 && op->params[0].type == GD_T_TENSOR;
}

/* "nn.functional.relu" is called relu. */
static const char *last_part(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static const char *with_underscore(const char *name) {
    size_t n = strlen(name);
    if (n + 2 > TEXT - used) return NULL;
    char *text = texts + used;
    memcpy(text, name, n);
    memcpy(text + n, "_", 2);
    used += n + 2;
    return text;
}

static void add_op(table *t, const char *name, gd_lookup rows, bool method) {
    if (nops == sizeof ops / sizeof *ops) return;
    slot *s = add(t, name);
    if (!s) return;
    rows.method = method;
    rows.strict = true;
    bool views = strstr(gd_ops[rows.first].signature, "-> Tensor[]") != NULL;
    ops[nops] = (gd_opfn){.name = last_part(name), .rows = rows, .views = views};
    s->value = GD_ANY_OP(&ops[nops++]);
}

static void add_rows(const char *name, gd_lookup rows) {
    const gd_op *op = &gd_ops[rows.first];
    if (is_function(name, op)) add_op(&functions, name, rows, false);
    if (is_method(name, op)) add_op(&methods, name, rows, true);
    if (!gd_names_inplace(&rows)) return;
    const char *inplace = with_underscore(name);
    if (!inplace) return;
    rows.inplace = true;
    if (listed(inplace, inplace_functions)) add_op(&functions, inplace, rows, false);
    if (is_method(name, op)) add_op(&methods, inplace, rows, true);
}

static void add_natives(const gd_native *list) {
    for (; list->name; list++) {
        slot *s = add(&methods, list->name);
        if (s) s->value = GD_ANY_NATIVE(list);
    }
}

static void build_names(void) {
    const char *name;
    gd_lookup rows;
    add_natives(gd_tensor_autograd_methods);
    add_natives(gd_tensor_natives);
    for (size_t i = 0; i < gd_names_slots(); i++)
        if (gd_names_at(i, &name, &rows)) add_rows(name, rows);
    for (const gd_tensor_attribute *a = gd_tensor_attributes; a->name; a++) {
        slot *s = add(&attributes, a->name);
        if (s) s->attribute = a;
    }
}

/* ---- classes ----------------------------------------------------------------------------------- */

/* The name of the tensor that comes next in "-> (Tensor values, Tensor indices)", or NULL. */
static const char *next_field(const char *at) {
    static const char type[] = "Tensor ";
    const char *found = strstr(at, type);
    return found ? found + sizeof type - 1 : NULL;
}

static const char *first_field(const char *signature) {
    const char *list = strstr(signature, "-> (");
    return list ? next_field(list) : NULL;
}

/* Index of the field called `name`, or -1. */
static int field_index(const char *signature, const char *name) {
    const char *at = first_field(signature);
    size_t n = strlen(name);
    for (int i = 0; at; i++, at = next_field(at))
        if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == ')')) return i;
    return -1;
}

static const gd_op *row_of_class(const gd_class *c) { return &gd_ops[c - row_classes]; }

static gd_any named_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const gd_tuple *t = (const gd_tuple *)self.u.object;
    int i = field_index(row_of_class(t->head.class)->signature, name->text);
    (void)vm;
    return i >= 0 && (size_t)i < t->n ? gd_keep(t->items[i]) : GD_NIL;
}

/* torch.return_types.max(\nvalues=…,\nindices=…) */
static gd_any named_repr(gd_vm *vm, gd_any self) {
    const gd_tuple *t = (const gd_tuple *)self.u.object;
    const char *at = first_field(row_of_class(t->head.class)->signature);
    gd_buffer b = {.vm = vm};
    gd_buffer_c(&b, t->head.class->name);
    gd_buffer_c(&b, "(");
    for (size_t i = 0; i < t->n && at; i++, at = next_field(at)) {
        gd_buffer_c(&b, i ? ",\n" : "\n");
        gd_buffer_put(&b, at, strcspn(at, ",)"));
        gd_buffer_c(&b, "=");
        gd_buffer_any(&b, gd_repr_of(vm, t->items[i]));
    }
    gd_buffer_c(&b, ")");
    return gd_buffer_str(&b);
}

static const char *return_type_name(const char *op) {
    static const char prefix[] = "torch.return_types.";
    size_t n = strlen(op);
    if (sizeof prefix + n > TEXT - used) return op;
    char *text = texts + used;
    memcpy(text, prefix, sizeof prefix - 1);
    memcpy(text + sizeof prefix - 1, op, n + 1);
    used += sizeof prefix + n;
    return text;
}

static gd_class node_class_named(const char *name) { return (gd_class){.name = name, .base = &gd_class_node}; }

static void build_classes(void) {
    for (int i = 0; i < (int)GD_OP_COUNT; i++) {
        const char *returns = strstr(gd_ops[i].signature, "-> ");
        gives_tensor[i] = returns && strcmp(returns, "-> Tensor") == 0;
        node_classes[i] = node_class_named(gd_ops[i].node);
        if (!returns || strncmp(returns, "-> (", 4) != 0) continue;
        row_classes[i] = (gd_class){.name = return_type_name(gd_ops[i].name),
                                    .base = &gd_class_tuple,
                                    .repr = named_repr,
                                    .getattr = named_getattr};
    }
    node_classes[GD_OP_COUNT] = node_class_named("AccumulateGrad");
    node_classes[GD_OP_COUNT + 1] = node_class_named("CopySlices");
}

static void build(void) {
    if (gd_init() != GD_OK) return; /* then no context can be made, and nothing is looked up */
    build_names();
    build_classes();
}

static void ready(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
}

/* ---- lookups ------------------------------------------------------------------------------------ */

const gd_opfn *gd_op_function(const char *name, size_t bytes) {
    ready();
    const slot *s = find(&functions, name, bytes);
    return s->name ? s->value.u.op : NULL;
}

gd_any gd_tensor_method(gd_str *name) {
    ready();
    const slot *s = find(&methods, name->text, name->bytes);
    return s->name ? s->value : GD_NIL;
}

const gd_tensor_attribute *gd_tensor_attribute_find(const gd_str *name) {
    ready();
    const slot *s = find(&attributes, name->text, name->bytes);
    return s->name ? s->attribute : NULL;
}

bool gd_row_gives_tensor(int row) {
    ready();
    return gives_tensor[row];
}

const gd_class *gd_row_class(int row) {
    ready();
    return row_classes[row].name ? &row_classes[row] : NULL;
}

const gd_class *gd_node_class(const gd_node *node) {
    ready();
    if (node->kind == GD_N_RULE) return &node_classes[node->u.op->id];
    return &node_classes[GD_OP_COUNT + (node->kind == GD_N_ACCUMULATE ? 0 : 1)];
}
