/* function.c: what programs define and what keeps it: bytecode, cells, functions, generators. */
#include "core/program/code.h"
#include "core/program/heap.h"

/* ---- bytecode -------------------------------------------------------------------------------- */

static void drop_all(gd_heap *heap, const gd_any *v, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) gd_drop(heap, v[i]);
}

static void drop_site(gd_heap *heap, gd_site *site) {
    gd_drop(heap, site->name);
    gd_drop(heap, site->value);
    for (uint32_t i = 0; i < site->nkeywords; i++)
        if (site->keywords[i]) gd_drop(heap, GD_ANY_OBJECT(site->keywords[i]));
    if (site->keywords) gd_heap_free(heap, site->keywords, site->nkeywords * sizeof *site->keywords);
}

#define FREE_TABLE(heap, code, table)                                                                                  \
    do {                                                                                                               \
        if ((code)->table) gd_heap_free((heap), (code)->table, (code)->table##_room * sizeof *(code)->table);          \
    } while (0)

static void bytecode_destroy(gd_heap *heap, gd_object *self) {
    gd_bytecode *code = (gd_bytecode *)self;
    drop_all(heap, (gd_any[]){code->name, code->qualname, code->doc, code->source}, 4);
    drop_all(heap, code->constants, code->nconstants);
    drop_all(heap, code->names, code->nnames);
    for (uint32_t i = 0; i < code->nsites; i++) drop_site(heap, &code->sites[i]);
    FREE_TABLE(heap, code, ins);
    FREE_TABLE(heap, code, constants);
    FREE_TABLE(heap, code, sites);
    FREE_TABLE(heap, code, places);
    FREE_TABLE(heap, code, guards);
    FREE_TABLE(heap, code, names);
}

static void bytecode_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    gd_bytecode *code = (gd_bytecode *)self;
    see(user, code->name);
    see(user, code->qualname);
    see(user, code->doc);
    see(user, code->source);
    for (uint32_t i = 0; i < code->nconstants; i++) see(user, code->constants[i]);
    for (uint32_t i = 0; i < code->nnames; i++) see(user, code->names[i]);
    for (uint32_t i = 0; i < code->nsites; i++) {
        const gd_site *site = &code->sites[i];
        see(user, site->name);
        see(user, site->value);
        for (uint32_t k = 0; k < site->nkeywords; k++)
            if (site->keywords[k]) see(user, GD_ANY_OBJECT(site->keywords[k]));
    }
}

const gd_class gd_class_bytecode = {.name = "code", .destroy = bytecode_destroy, .visit = bytecode_visit};

/* ---- cells ----------------------------------------------------------------------------------- */

static void cell_destroy(gd_heap *heap, gd_object *self) { gd_drop(heap, ((gd_cell *)self)->value); }

static void cell_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((gd_cell *)self)->value);
}

const gd_class gd_class_cell = {.name = "cell", .destroy = cell_destroy, .visit = cell_visit};

/* ---- functions ------------------------------------------------------------------------------- */

static void function_destroy(gd_heap *heap, gd_object *self) {
    gd_closure *f = (gd_closure *)self;
    gd_drop(heap, GD_ANY_OBJECT(f->code));
    drop_all(heap, (gd_any[]){f->name, f->doc, f->defaults, f->kwdefaults, f->attributes}, 5);
    for (uint32_t i = 0; i < f->ncells; i++) gd_drop(heap, GD_ANY_OBJECT(f->cells[i]));
}

static void function_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    gd_closure *f = (gd_closure *)self;
    see(user, GD_ANY_OBJECT(f->code));
    see(user, f->name);
    see(user, f->doc);
    see(user, f->defaults);
    see(user, f->kwdefaults);
    see(user, f->attributes);
    for (uint32_t i = 0; i < f->ncells; i++) see(user, GD_ANY_OBJECT(f->cells[i]));
}

static gd_any function_repr(gd_vm *vm, gd_any self) {
    const gd_closure *f = (const gd_closure *)self.u.object;
    return gd_str_printf(vm, "<function %s at %p>", gd_as_str(f->code->qualname)->text, (const void *)f);
}

static gd_any or_none(gd_any v) { return gd_is_nil(v) ? GD_ANY_NONE : gd_keep(v); }

static gd_any function_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const gd_closure *f = (const gd_closure *)self.u.object;
    gd_any v;
    if (!gd_is_nil(f->attributes)) {
        int found = gd_dict_get(vm, gd_as_dict(f->attributes), GD_ANY_OBJECT(name), &v);
        if (found) return found > 0 ? gd_keep(v) : GD_NIL;
    }
    if (gd_str_is(name, "__name__")) return gd_keep(f->name);
    if (gd_str_is(name, "__qualname__")) return gd_keep(f->code->qualname);
    if (gd_str_is(name, "__doc__")) return or_none(f->doc);
    if (gd_str_is(name, "__module__")) return gd_str_c(vm, "__main__");
    if (gd_str_is(name, "__defaults__")) return or_none(f->defaults);
    return GD_NIL;
}

/* Takes value. */
static void replace(gd_vm *vm, gd_any *place, gd_any value) {
    gd_any old = *place;
    *place = value;
    gd_drop(vm->env->heap, old);
}

static bool remove_attribute(gd_vm *vm, gd_closure *f, gd_str *name) {
    gd_any old;
    int found = gd_is_nil(f->attributes) ? 0 : gd_dict_remove(vm, gd_as_dict(f->attributes), GD_ANY_OBJECT(name), &old);
    if (found > 0) gd_drop(vm->env->heap, old);
    if (found == 0) gd_raise(vm, &gd_class_AttributeError, "'function' object has no attribute '%s'", name->text);
    return found > 0;
}

static bool function_setattr(gd_vm *vm, gd_any self, gd_str *name, gd_any value) {
    gd_closure *f = (gd_closure *)self.u.object;
    if (gd_is_nil(value)) return remove_attribute(vm, f, name);
    if (gd_str_is(name, "__name__")) {
        if (!gd_is_str(value)) {
            gd_raise(vm, &gd_class_TypeError, "__name__ must be set to a string object");
            return false;
        }
        replace(vm, &f->name, gd_keep(value));
        return true;
    }
    if (gd_str_is(name, "__doc__")) {
        replace(vm, &f->doc, gd_keep(value));
        return true;
    }
    if (gd_is_nil(f->attributes)) f->attributes = gd_dict_new(vm);
    return !gd_is_nil(f->attributes) && gd_dict_set(vm, gd_as_dict(f->attributes), GD_ANY_OBJECT(name), value);
}

const gd_class gd_class_function = {
    .name = "function",
    .destroy = function_destroy,
    .visit = function_visit,
    .repr = function_repr,
    .getattr = function_getattr,
    .setattr = function_setattr,
    .call = gd_call_any,
};

gd_any gd_do_function(gd_vm *vm, gd_bytecode *code, uint32_t what, gd_any *sp, gd_any **base) {
    gd_any *cells = sp - code->nfree, *at = cells;
    gd_closure *f = gd_object_new(vm, &gd_class_function, sizeof *f + code->nfree * sizeof f->cells[0]);
    if (!f) return GD_NIL;
    code->head.refs++;
    f->code = code;
    f->name = gd_keep(code->name);
    f->doc = gd_keep(code->doc);
    f->attributes = GD_NIL;
    f->kwdefaults = what & 2 ? *--at : GD_NIL;
    f->defaults = what & 1 ? *--at : GD_NIL;
    for (; f->ncells < code->nfree; f->ncells++) f->cells[f->ncells] = (gd_cell *)cells[f->ncells].u.object;
    *base = at;
    return GD_ANY_OBJECT(f);
}

const char *gd_callable_name(gd_any f) {
    if (f.tag == GD_A_NATIVE) return f.u.native->name;
    if (f.tag == GD_A_CLASS) return gd_class_short(f.u.class);
    if (gd_is(f, &gd_class_bound)) f = ((const gd_bound *)f.u.object)->function;
    if (f.tag == GD_A_NATIVE) return f.u.native->name;
    return gd_is(f, &gd_class_function) ? gd_as_str(((const gd_closure *)f.u.object)->name)->text : NULL;
}

/* ---- generators ------------------------------------------------------------------------------ */

static void release_frame(gd_heap *heap, gd_generator_object *g) {
    gd_frame *frame = g->frame;
    if (!frame) return;
    g->frame = NULL;
    gd_frame_clear(heap, frame);
    gd_heap_free(heap, frame, frame->bytes);
}

static void generator_destroy(gd_heap *heap, gd_object *self) { release_frame(heap, (gd_generator_object *)self); }

/* What a running one holds is counted as held from outside. */
static void generator_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    const gd_generator_object *g = (const gd_generator_object *)self;
    if (!g->frame || g->running) return;
    for (const gd_any *v = g->frame->slots; v < g->frame->sp; v++) see(user, *v);
    see(user, GD_ANY_OBJECT(g->frame->function));
}

static gd_any generator_repr(gd_vm *vm, gd_any self) {
    return gd_str_printf(vm, "<generator object <genexpr> at %p>", (const void *)self.u.object);
}

static gd_any generator_iter(gd_vm *vm, gd_any self) {
    (void)vm;
    return gd_keep(self);
}

static int generator_next(gd_vm *vm, gd_any self, gd_any *out) {
    gd_generator_object *g = (gd_generator_object *)self.u.object;
    gd_frame *frame = g->frame;
    bool yielded = false;
    if (g->running) {
        gd_raise(vm, &gd_class_ValueError, "generator already executing");
        return -1;
    }
    if (!frame) return 0;
    if (!gd_deeper(vm)) return -1;
    gd_keep(self);
    g->running = true;
    frame->back = vm->frame;
    frame->flags = GD_FRAME_ENTRY | GD_FRAME_OWNED;
    vm->frame = frame;
    vm->frame_depth++;
    *out = gd_vm_execute(vm, &yielded);
    g->running = false;
    if (!yielded) { /* its contents are gone */
        g->frame = NULL;
        gd_heap_free(vm->env->heap, frame, frame->bytes);
    }
    gd_shallower(vm);
    gd_drop(vm->env->heap, self);
    return gd_is_nil(*out) ? -1 : yielded;
}

const gd_class gd_class_genexpr = {
    .name = "generator",
    .destroy = generator_destroy,
    .visit = generator_visit,
    .repr = generator_repr,
    .iter = generator_iter,
    .next = generator_next,
};

gd_any gd_generator_new(gd_vm *vm, gd_closure *f, gd_any iterable) {
    gd_heap *heap = vm->env->heap;
    gd_any iterator = gd_iterate(vm, iterable);
    if (gd_is_nil(iterator)) return GD_NIL;
    size_t bytes = gd_frame_bytes(f->code);
    gd_generator_object *g = gd_object_new(vm, &gd_class_genexpr, sizeof *g);
    gd_frame *frame = g ? gd_heap_alloc(heap, bytes) : NULL;
    if (!frame) {
        gd_drop(heap, iterator);
        if (!g) return GD_NIL;
        gd_drop(heap, GD_ANY_OBJECT(g));
        return gd_vm_no_memory(vm);
    }
    gd_frame_setup(frame, f->code, f, bytes);
    frame->slots[0] = iterator;
    g->frame = frame;
    return GD_ANY_OBJECT(g);
}
