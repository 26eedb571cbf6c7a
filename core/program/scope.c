/* scope.c: walks a tree once and finds the scopes, and which variable each name means. */
#include "core/program/scope.h"

#include <stdio.h>
#include <string.h>

/* ---- memory ---------------------------------------------------------------------------------- */

enum { BLOCK_BYTES = 16 * 1024 };

typedef struct gd_arena_block {
    struct gd_arena_block *next;
    size_t bytes, used;
    _Alignas(16) char room[];
} gd_arena_block;

void *gd_arena_take(gd_arena *arena, size_t bytes) {
    gd_arena_block *b = arena->blocks;
    bytes = (bytes + 15) & ~(size_t)15;
    if (!b || b->bytes - b->used < bytes) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES, all;
        if (!gd_add_size(room, sizeof *b, &all) || !(b = gd_heap_alloc(arena->heap, all))) {
            arena->failed = true;
            return NULL;
        }
        *b = (gd_arena_block){.next = arena->blocks, .bytes = room};
        arena->blocks = b;
    }
    void *p = b->room + b->used;
    b->used += bytes;
    return memset(p, 0, bytes);
}

void gd_arena_free(gd_arena *arena) {
    while (arena->blocks) {
        gd_arena_block *b = arena->blocks;
        arena->blocks = b->next;
        gd_heap_free(arena->heap, b, sizeof *b + b->bytes);
    }
}

/* ---- symbols --------------------------------------------------------------------------------- */

static uint64_t hash_name(const char *name) {
    uint64_t h = 14695981039346656037u;
    for (const char *p = name; *p; p++) h = (h ^ (uint8_t)*p) * 1099511628211u;
    return h;
}

static gd_symbol **find_place(const gd_scope *scope, const char *name, uint64_t hash) {
    for (uint64_t i = hash;; i++) {
        gd_symbol **place = &scope->table[i & (scope->room - 1)];
        if (!*place || ((*place)->hash == hash && !strcmp((*place)->name, name))) return place;
    }
}

static bool grow_table(gd_arena *arena, gd_scope *scope) {
    if (scope->count * 2 < scope->room) return true;
    uint32_t room = scope->room ? scope->room * 2 : 16;
    gd_symbol **table = gd_arena_take(arena, room * sizeof(gd_symbol *));
    if (!table) return false;
    scope->table = table;
    scope->room = room;
    for (gd_symbol *y = scope->first; y; y = y->next) *find_place(scope, y->name, y->hash) = y;
    return true;
}

gd_symbol *gd_scope_symbol(gd_arena *arena, gd_scope *scope, const char *name, bool make) {
    uint64_t hash = hash_name(name);
    gd_symbol **place = scope->room ? find_place(scope, name, hash) : NULL;
    gd_symbol *found = place ? *place : NULL;
    if (found) return found;
    if (!make || !grow_table(arena, scope)) return NULL;
    gd_symbol *y = gd_arena_take(arena, sizeof *y);
    if (!y) return NULL;
    *y = (gd_symbol){.name = name, .hash = hash, .home = scope, .index = -1, .text = GD_NIL};
    *find_place(scope, name, hash) = y;
    scope->count++;
    if (scope->last)
        scope->last->next = y;
    else
        scope->first = y;
    scope->last = y;
    return y;
}

uint32_t gd_scope_free(gd_arena *arena, gd_scope *owner, gd_symbol *target) {
    for (;;) {
        for (gd_free_variable *f = owner->free; f; f = f->next)
            if (f->target == target) return f->index;
        gd_free_variable *f = gd_arena_take(arena, sizeof *f);
        if (!f) return 0;
        *f = (gd_free_variable){.target = target, .index = owner->nfree++};
        if (owner->last_free)
            owner->last_free->next = f;
        else
            owner->free = f;
        owner->last_free = f;
        /* The function around must have it too, to hand it on. */
        gd_scope *outer = owner->parent->owner;
        if (outer == target->home->owner) return f->index;
        (void)gd_scope_free(arena, outer, target);
        return f->index;
    }
}

/* ---- what the walk notes --------------------------------------------------------------------- */

static bool refuse(gd_scopes *s, gd_at at, const char *format, const char *name) {
    if (s->failed) return false;
    s->failed = true;
    *s->error = (gd_syntax_error){.type = "SyntaxError", .at = at};
    (void)snprintf(s->error->message, sizeof s->error->message, format, name);
    return false;
}

static bool too_deep(gd_scopes *s, gd_at at) {
    if (++s->depth <= GD_COMPILE_DEPTH) return false;
    refuse(s, at, "%s", "too many nested parts");
    return true;
}

static gd_scope *new_scope(gd_scopes *s, gd_scope *parent, gd_scope_kind kind) {
    gd_scope *scope = gd_arena_take(s->arena, sizeof *scope);
    if (!scope) {
        s->failed = true;
        return NULL;
    }
    scope->kind = kind;
    scope->parent = parent;
    scope->owner = kind == GD_SCOPE_COMPREHENSION ? parent->owner : scope;
    if (s->last)
        s->last->next = scope;
    else
        s->all = scope;
    s->last = scope;
    return scope;
}

static gd_symbol *symbol(gd_scopes *s, gd_scope *scope, const char *name) {
    gd_symbol *y = gd_scope_symbol(s->arena, scope, name, true);
    if (!y) s->failed = true;
    return y;
}

static void use(gd_scopes *s, gd_scope *scope, const char *name) {
    gd_symbol *y = symbol(s, scope, name);
    if (y) y->used = true;
}

static void bind(gd_scopes *s, gd_scope *scope, const char *name) {
    gd_symbol *y = symbol(s, scope, name);
    if (y) y->bound = true;
}

/* x := v binds in the function around all comprehensions. */
static void bind_walrus(gd_scopes *s, gd_scope *scope, const char *name) {
    use(s, scope, name);
    gd_scope *to = scope;
    while (to->kind == GD_SCOPE_COMPREHENSION || to->kind == GD_SCOPE_GENERATOR) to = to->parent;
    bind(s, to, name);
}

static void declare(gd_scopes *s, gd_scope *scope, const gd_ast *node) {
    bool global = node->kind == GD_S_GLOBAL;
    const char *what = global ? "global" : "nonlocal";
    if (!global && scope->kind == GD_SCOPE_MODULE) {
        refuse(s, node->at, "%s", "nonlocal declaration not allowed at module level");
        return;
    }
    for (const gd_ast *n = node->u.items; n && !s->failed; n = n->next) {
        gd_symbol *y = symbol(s, scope, n->u.name);
        if (!y) return;
        char text[160];
        const char *wrong = y->param                             ? "name '%.64s' is parameter and %s"
                            : (global ? y->nonlocal : y->global) ? "name '%.64s' is nonlocal and global"
                            : y->used                            ? "name '%.64s' is used prior to %s declaration"
                            : y->bound                           ? "name '%.64s' is assigned to before %s declaration"
                                                                 : NULL;
        if (wrong) {
            (void)snprintf(text, sizeof text, wrong, y->name, what);
            refuse(s, node->at, "%s", text);
            return;
        }
        if (global)
            y->global = true;
        else
            y->nonlocal = true;
        y->declared = node->at;
    }
}

/* ---- the walk -------------------------------------------------------------------------------- */

static void walk(gd_scopes *s, gd_scope *scope, gd_ast *node);
static void walk_statements(gd_scopes *s, gd_scope *scope, gd_ast *list);

static void walk_list(gd_scopes *s, gd_scope *scope, gd_ast *list) {
    for (gd_ast *n = list; n && !s->failed; n = n->next) walk(s, scope, n);
}

static void walk_target(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    if (too_deep(s, node->at)) return;
    if (node->kind == GD_X_NAME) {
        bind(s, scope, node->u.name);
    } else if (node->kind == GD_X_TUPLE || node->kind == GD_X_LIST) {
        for (gd_ast *n = node->u.items; n && !s->failed; n = n->next) walk_target(s, scope, n);
    } else if (node->kind == GD_X_STARRED) {
        walk_target(s, scope, node->u.value);
    } else {
        walk(s, scope, node);
    }
    s->depth--;
}

static void walk_comprehension(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    gd_ast_clause *clause = node->u.comprehension.clauses;
    bool generator = node->kind == GD_X_GENERATOR;
    walk(s, scope, clause->iterable);
    gd_scope *inner = new_scope(s, scope, generator ? GD_SCOPE_GENERATOR : GD_SCOPE_COMPREHENSION);
    node->u.comprehension.scope = inner;
    if (!inner) return;
    if (generator) inner->nlocals = 1; /* slot 0: the iterator it is given */
    for (gd_ast_clause *c = clause; c && !s->failed; c = c->next) {
        if (c != clause) walk(s, inner, c->iterable);
        walk_target(s, inner, c->target);
        walk_list(s, inner, c->conditions);
    }
    walk(s, inner, node->u.comprehension.element);
}

static void place_params(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    static const gd_ast_param_kind order[] = {GD_PARAM_PLAIN, GD_PARAM_KEYWORD, GD_PARAM_STAR, GD_PARAM_DSTAR};
    for (size_t i = 0; i < 4; i++) {
        for (gd_ast_param *p = node->u.function.params; p; p = p->next) {
            if (p->kind != order[i]) continue;
            gd_symbol *y = symbol(s, scope, p->name);
            if (!y) return;
            if (y->placed) {
                refuse(s, p->at, "duplicate argument '%s' in function definition", p->name);
                return;
            }
            y->bound = y->param = y->placed = true;
            y->slot = scope->nlocals++;
        }
    }
}

static void walk_function(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    walk_list(s, scope, node->kind == GD_S_DEF ? node->u.function.decorators : NULL);
    for (gd_ast_param *p = node->u.function.params; p && !s->failed; p = p->next)
        if (p->value) walk(s, scope, p->value);
    if (node->kind == GD_S_DEF) bind(s, scope, node->u.function.name);
    gd_scope *inner = new_scope(s, scope, GD_SCOPE_FUNCTION);
    node->u.function.scope = inner;
    if (!inner) return;
    place_params(s, inner, node);
    walk_statements(s, inner, node->u.function.body);
}

/* Long sums nest to the left: those are followed without recursion. */
static void walk_binary(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    while (node->kind == GD_X_BINARY && !s->failed) {
        walk(s, scope, node->u.binary.right);
        node = node->u.binary.left;
    }
    walk(s, scope, node);
}

static void walk_parts(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    switch ((gd_ast_kind)node->kind) {
    case GD_X_NAME: use(s, scope, node->u.name); break;
    case GD_X_TUPLE:
    case GD_X_LIST:
    case GD_X_SET:
    case GD_X_DICT:
    case GD_X_AND:
    case GD_X_OR:
    case GD_X_FSTRING: walk_list(s, scope, node->u.items); break;
    case GD_X_PAIR:
        if (node->u.pair.key) walk(s, scope, node->u.pair.key);
        walk(s, scope, node->u.pair.value);
        break;
    case GD_X_STARRED:
    case GD_X_UNARY:
    case GD_X_COMPARED: walk(s, scope, node->u.value); break;
    case GD_X_BINARY: walk_binary(s, scope, node); break;
    case GD_X_COMPARE:
        walk(s, scope, node->u.compare.left);
        walk_list(s, scope, node->u.compare.items);
        break;
    case GD_X_CALL:
        walk(s, scope, node->u.call.function);
        walk_list(s, scope, node->u.call.items);
        break;
    case GD_X_KEYWORD: walk(s, scope, node->u.keyword.value); break;
    case GD_X_ATTRIBUTE: walk(s, scope, node->u.attribute.value); break;
    case GD_X_SUBSCRIPT:
        walk(s, scope, node->u.subscript.value);
        walk(s, scope, node->u.subscript.index);
        break;
    case GD_X_SLICE:
        if (node->u.slice.start) walk(s, scope, node->u.slice.start);
        if (node->u.slice.stop) walk(s, scope, node->u.slice.stop);
        if (node->u.slice.step) walk(s, scope, node->u.slice.step);
        break;
    case GD_X_IF:
        walk(s, scope, node->u.choice.test);
        walk(s, scope, node->u.choice.then);
        walk(s, scope, node->u.choice.orelse);
        break;
    case GD_X_LAMBDA: walk_function(s, scope, node); break;
    case GD_X_LISTCOMP:
    case GD_X_SETCOMP:
    case GD_X_DICTCOMP:
    case GD_X_GENERATOR: walk_comprehension(s, scope, node); break;
    case GD_X_FIELD:
        walk(s, scope, node->u.field.value);
        if (node->u.field.spec) walk(s, scope, node->u.field.spec);
        break;
    case GD_X_WALRUS:
        walk(s, scope, node->u.assign.value);
        bind_walrus(s, scope, node->u.assign.targets->u.name);
        break;
    default: break;
    }
}

static void walk(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    if (s->failed || too_deep(s, node->at)) return;
    walk_parts(s, scope, node);
    s->depth--;
}

/* ---- statements ------------------------------------------------------------------------------ */

static void bind_import(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    const char *alias = node->u.import.alias, *module = node->u.import.module;
    const char *dot = strchr(module, '.');
    if (alias || !dot) {
        bind(s, scope, alias ? alias : module);
        return;
    }
    size_t n = (size_t)(dot - module);
    char *top = gd_arena_take(s->arena, n + 1);
    if (!top) {
        s->failed = true;
        return;
    }
    memcpy(top, module, n);
    bind(s, scope, top);
}

static void walk_try(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    walk_statements(s, scope, node->u.try_.body);
    for (gd_ast *h = node->u.try_.handlers; h && !s->failed; h = h->next) {
        if (h->u.handler.type) walk(s, scope, h->u.handler.type);
        if (h->u.handler.name) bind(s, scope, h->u.handler.name);
        walk_statements(s, scope, h->u.handler.body);
    }
    walk_statements(s, scope, node->u.try_.orelse);
    walk_statements(s, scope, node->u.try_.final);
}

static void walk_with(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    for (gd_ast *n = node->u.with.items; n && !s->failed; n = n->next) {
        walk(s, scope, n->u.with_item.context);
        if (n->u.with_item.target) walk_target(s, scope, n->u.with_item.target);
    }
    walk_statements(s, scope, node->u.with.body);
}

static void walk_compound(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    switch ((gd_ast_kind)node->kind) {
    case GD_S_WHILE:
        walk(s, scope, node->u.branch.test);
        walk_statements(s, scope, node->u.branch.body);
        walk_statements(s, scope, node->u.branch.orelse);
        break;
    case GD_S_FOR:
        walk(s, scope, node->u.loop.iterable);
        walk_target(s, scope, node->u.loop.target);
        walk_statements(s, scope, node->u.loop.body);
        walk_statements(s, scope, node->u.loop.orelse);
        break;
    case GD_S_DEF: walk_function(s, scope, node); break;
    case GD_S_WITH: walk_with(s, scope, node); break;
    case GD_S_TRY: walk_try(s, scope, node); break;
    default: break;
    }
}

static void walk_simple(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    switch ((gd_ast_kind)node->kind) {
    case GD_S_EXPRESSION: walk(s, scope, node->u.value); break;
    case GD_S_RETURN:
        if (node->u.value) walk(s, scope, node->u.value);
        break;
    case GD_S_ASSIGN:
        walk(s, scope, node->u.assign.value);
        for (gd_ast *t = node->u.assign.targets; t && !s->failed; t = t->next) walk_target(s, scope, t);
        break;
    case GD_S_AUGMENTED:
        walk(s, scope, node->u.augmented.value);
        if (node->u.augmented.target->kind == GD_X_NAME) use(s, scope, node->u.augmented.target->u.name);
        walk_target(s, scope, node->u.augmented.target);
        break;
    case GD_S_ANNOTATED:
        if (node->u.annotated.value) walk(s, scope, node->u.annotated.value);
        walk_target(s, scope, node->u.annotated.target);
        break;
    case GD_S_RAISE:
        if (node->u.raise.exception) walk(s, scope, node->u.raise.exception);
        if (node->u.raise.cause) walk(s, scope, node->u.raise.cause);
        break;
    case GD_S_ASSERT:
        walk(s, scope, node->u.assert_.test);
        if (node->u.assert_.message) walk(s, scope, node->u.assert_.message);
        break;
    case GD_S_DEL:
        for (gd_ast *t = node->u.items; t && !s->failed; t = t->next) walk_target(s, scope, t);
        break;
    case GD_S_GLOBAL:
    case GD_S_NONLOCAL: declare(s, scope, node); break;
    case GD_S_IMPORT: bind_import(s, scope, node); break;
    case GD_S_FROM:
        for (gd_ast *n = node->u.from.items; n && !s->failed; n = n->next)
            bind(s, scope, n->u.import.alias ? n->u.import.alias : n->u.import.module);
        break;
    default: walk_compound(s, scope, node); break;
    }
}

/* A chain of elif nests to the right: it is followed without recursion. */
static void walk_if(gd_scopes *s, gd_scope *scope, gd_ast *node) {
    while (!s->failed) {
        walk(s, scope, node->u.branch.test);
        walk_statements(s, scope, node->u.branch.body);
        gd_ast *orelse = node->u.branch.orelse;
        if (!orelse || orelse->kind != GD_S_IF || orelse->next) {
            walk_statements(s, scope, orelse);
            return;
        }
        node = orelse;
    }
}

static void walk_statements(gd_scopes *s, gd_scope *scope, gd_ast *list) {
    for (gd_ast *n = list; n && !s->failed; n = n->next) {
        if (too_deep(s, n->at)) return;
        if (n->kind == GD_S_IF)
            walk_if(s, scope, n);
        else
            walk_simple(s, scope, n);
        s->depth--;
    }
}

/* ---- what each name means -------------------------------------------------------------------- */

static bool is_local(const gd_symbol *y) { return y->bound && !y->global && !y->nonlocal; }

/* The variable of an outer function that a name means; NULL: a global. */
static gd_symbol *find_outer(gd_scopes *s, gd_scope *scope, const char *name) {
    for (gd_scope *p = scope->parent; p && p->kind != GD_SCOPE_MODULE; p = p->parent) {
        gd_symbol *y = gd_scope_symbol(s->arena, p, name, false);
        if (y && y->global) return NULL;
        if (y && is_local(y)) return y;
    }
    return NULL;
}

static void resolve(gd_scopes *s, gd_scope *scope, gd_symbol *y) {
    if (y->global || scope->kind == GD_SCOPE_MODULE) return;
    if (is_local(y)) {
        y->target = y;
        if (!y->placed) y->slot = scope->owner->nlocals++;
        y->placed = true;
        return;
    }
    y->target = find_outer(s, scope, y->name);
    if (!y->target) {
        if (y->nonlocal) refuse(s, y->declared, "no binding for nonlocal '%s' found", y->name);
        return;
    }
    if (y->target->home->owner == scope->owner) return;
    y->target->captured = true;
    (void)gd_scope_free(s->arena, scope->owner, y->target);
}

gd_scope *gd_scopes_find(gd_scopes *s, gd_ast *body, bool expression) {
    gd_scope *module = new_scope(s, NULL, GD_SCOPE_MODULE);
    if (module && expression) walk(s, module, body);
    if (module && !expression) walk_statements(s, module, body);
    for (gd_scope *scope = s->all; scope && !s->failed; scope = scope->next)
        for (gd_symbol *y = scope->first; y && !s->failed; y = y->next) resolve(s, scope, y);
    if (s->arena->failed) s->failed = s->error->memory = true;
    return s->failed ? NULL : module;
}
