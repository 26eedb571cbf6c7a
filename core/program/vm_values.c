/* vm_values.c: instructions on values that are more than a line: attributes with their caches, displays, loops,
 * unpacking, f-strings, imports, names that are not set. */
#include "core/program/code.h"
#include "core/program/format.h"
#include "core/program/heap.h"

#include <stdio.h>

/* ---- attributes ------------------------------------------------------------------------------ */

/* A module's member may be remembered if it is what modules always answer: something immediate, or a part. */
static gd_any module_attribute(gd_vm *vm, gd_any v, gd_site *site) {
    if (site->key == v.u.object) return gd_keep(site->value);
    gd_any value = gd_get_attribute(vm, v, gd_as_str(site->name));
    bool lasting = (value.tag >= GD_A_DTYPE && value.tag <= GD_A_OP) || gd_is(value, &gd_class_module);
    if (lasting) {
        gd_drop(vm->env->heap, site->value);
        site->value = gd_keep(value);
        site->key = v.u.object;
    }
    return value;
}

gd_any gd_do_attribute(gd_vm *vm, gd_any v, gd_site *site) {
    if (gd_is(v, &gd_class_module)) return module_attribute(vm, v, site);
    return gd_get_attribute(vm, v, gd_as_str(site->name));
}

/* A method that all of v's kind share; NIL: none is known. */
static gd_any shared_method(gd_any v, const gd_class *class, gd_str *name) {
    if (v.tag == GD_A_TENSOR) return gd_tensor_method(name);
    if (v.tag == GD_A_CLASS) return GD_NIL;
    const gd_native *native = gd_find_method(class, name);
    return native ? GD_ANY_NATIVE(native) : GD_NIL;
}

bool gd_do_method(gd_vm *vm, gd_any *v, gd_site *site) {
    gd_any self = v[0], found;
    if (gd_is(self, &gd_class_module)) {
        found = module_attribute(vm, self, site);
    } else {
        const gd_class *class = self.tag == GD_A_TENSOR ? &gd_class_tensor : gd_class_of(self);
        if (site->key != class) {
            gd_drop(vm->env->heap, site->value);
            site->key = class;
            site->value = shared_method(self, class, gd_as_str(site->name));
        }
        if (!gd_is_nil(site->value)) {
            v[1] = self;
            v[0] = site->value;
            return true;
        }
        found = gd_get_attribute(vm, self, gd_as_str(site->name));
    }
    if (gd_is_nil(found)) return false;
    v[0] = GD_NIL;
    v[1] = found;
    gd_drop(vm->env->heap, self);
    return true;
}

/* ---- operators ------------------------------------------------------------------------------- */

gd_any gd_do_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place) {
    if (a.tag != GD_A_TENSOR && b.tag != GD_A_TENSOR) return gd_binary(vm, op, a, b, in_place);
    bool plain = (a.tag == GD_A_TENSOR || gd_is_number(a)) && (b.tag == GD_A_TENSOR || gd_is_number(b));
    gd_any v = plain ? gd_tensor_binary(vm, op, a, b, in_place) : gd_binary(vm, op, a, b, in_place);
    if (v.tag != GD_A_TENSOR || gd_work(vm, 1 + (uint64_t)v.u.tensor->numel / 1024)) return v;
    gd_drop(vm->env->heap, v);
    return GD_NIL;
}

/* ---- displays -------------------------------------------------------------------------------- */

gd_any gd_do_set(gd_vm *vm, const gd_any *items, size_t n) {
    gd_any set = gd_set_new(vm);
    for (size_t i = 0; i < n && !gd_is_nil(set); i++) {
        if (gd_set_add(vm, set, items[i])) continue;
        gd_drop(vm->env->heap, set);
        return GD_NIL;
    }
    return set;
}

gd_any gd_do_dict(gd_vm *vm, const gd_any *pairs, size_t n) {
    gd_any dict = gd_dict_new(vm);
    for (size_t i = 0; i < n && !gd_is_nil(dict); i++) {
        if (gd_dict_set(vm, gd_as_dict(dict), pairs[2 * i], pairs[2 * i + 1])) continue;
        gd_drop(vm->env->heap, dict);
        return GD_NIL;
    }
    return dict;
}

/* What errors of calls call f: "__main__.f" of a program's own. */
static void callable_text(gd_any f, char text[200]) {
    bool own = gd_is(f, &gd_class_function);
    const char *name = own ? gd_as_str(((const gd_closure *)f.u.object)->code->qualname)->text : gd_callable_name(f);
    (void)snprintf(text, 200, "%s%.150s", own ? "__main__." : "", name ? name : "function");
}

/* The keywords of f(**mapping): texts, none twice. */
static bool check_keywords(gd_vm *vm, gd_dict *dict, const gd_dict *mapping, gd_any function) {
    gd_any key, value, there;
    char name[200];
    for (size_t at = 0; gd_dict_each(mapping, &at, &key, &value);) {
        if (!gd_is_str(key)) {
            gd_raise(vm, &gd_class_TypeError, "keywords must be strings");
            return false;
        }
        int found = gd_dict_get(vm, dict, key, &there);
        if (found > 0) {
            callable_text(function, name);
            gd_raise(vm, &gd_class_TypeError, "%s() got multiple values for keyword argument '%.200s'", name,
                     gd_as_str(key)->text);
        }
        if (found) return false;
    }
    return true;
}

bool gd_do_merge(gd_vm *vm, gd_any dict, gd_any mapping, gd_any function, bool call) {
    if (!gd_is_dict(mapping)) {
        char name[200];
        callable_text(function, name);
        if (call)
            gd_raise(vm, &gd_class_TypeError, "%s() argument after ** must be a mapping, not %s", name,
                     gd_class_label(mapping));
        else
            gd_raise(vm, &gd_class_TypeError, "'%s' object is not a mapping", gd_class_label(mapping));
        return false;
    }
    if (call && !check_keywords(vm, gd_as_dict(dict), gd_as_dict(mapping), function)) return false;
    return gd_dict_update(vm, gd_as_dict(dict), mapping);
}

/* `lone`: f(*iterable) without other positional arguments, of which Python says more. */
bool gd_do_extend(gd_vm *vm, gd_any list, gd_any iterable, gd_any function, bool lone) {
    gd_any (*iter)(gd_vm *, gd_any);
    char name[200];
    GD_SLOT(gd_class_of(iterable), iter, iter);
    if (iter) return gd_list_extend(vm, (gd_list *)list.u.object, iterable);
    callable_text(function, name);
    if (lone)
        gd_raise(vm, &gd_class_TypeError, "%s() argument after * must be an iterable, not %s", name,
                 gd_class_label(iterable));
    else
        gd_raise(vm, &gd_class_TypeError, "Value after * must be an iterable, not %s", gd_class_label(iterable));
    return false;
}

/* ---- f-strings ------------------------------------------------------------------------------- */

gd_any gd_do_format(gd_vm *vm, gd_any v, uint32_t conversion, gd_any spec) {
    gd_heap *heap = vm->env->heap;
    if (conversion) v = gd_converted(vm, v, (char)conversion);
    if (gd_is_nil(v)) return GD_NIL;
    gd_any result, none = GD_NIL;
    if (gd_is_nil(spec) && gd_is_str(v)) {
        result = gd_keep(v);
    } else {
        if (gd_is_nil(spec)) spec = none = gd_str_new(vm, "", 0);
        result = gd_is_nil(spec) ? GD_NIL : gd_format_of(vm, v, gd_as_str(spec));
    }
    gd_drop(heap, none);
    if (conversion) gd_drop(heap, v);
    return result;
}

gd_any gd_do_text(gd_vm *vm, const gd_any *parts, size_t n) {
    gd_buffer b = {.vm = vm};
    for (size_t i = 0; i < n; i++) gd_buffer_put(&b, gd_as_str(parts[i])->text, gd_as_str(parts[i])->bytes);
    return gd_buffer_str(&b);
}

/* ---- loops, unpacking ------------------------------------------------------------------------ */

/* A range is its next value, how many are left and the step; a list or tuple itself and the place in it; else an
 * iterator. */
bool gd_do_loop(gd_vm *vm, gd_any *v) {
    gd_any of = v[0];
    v[1] = v[2] = GD_NIL;
    if (gd_is(of, &gd_class_range)) {
        const gd_range *r = (const gd_range *)of.u.object;
        v[0] = GD_ANY_INT(r->start);
        v[1] = GD_ANY_INT(r->n);
        v[2] = GD_ANY_INT(r->step);
    } else if (gd_is_list(of) || gd_is_tuple(of)) {
        v[1] = GD_ANY_INT(0);
        return true;
    } else {
        gd_any iterator = gd_iterate(vm, of);
        if (gd_is_nil(iterator)) return false;
        v[0] = iterator;
    }
    gd_drop(vm->env->heap, of);
    return true;
}

bool gd_do_unpack(gd_vm *vm, gd_any v, size_t before, int64_t after, gd_any *out) {
    size_t n = after < 0 ? before : before + 1 + (size_t)after;
    bool ok = after < 0 ? gd_unpack(vm, v, n, out) : gd_unpack_star(vm, v, before, (size_t)after, out);
    for (size_t i = 0; ok && i < n / 2; i++) {
        gd_any x = out[i];
        out[i] = out[n - 1 - i];
        out[n - 1 - i] = x;
    }
    return ok;
}

/* ---- names ----------------------------------------------------------------------------------- */

bool gd_do_unbound(gd_vm *vm, const gd_frame *frame, uint32_t index, bool free) {
    gd_any name = frame->code->names[free ? frame->code->nlocals + index : index];
    const char *text = gd_is_nil(name) ? "?" : gd_as_str(name)->text;
    if (free)
        gd_raise(vm, &gd_class_NameError,
                 "cannot access free variable '%.200s' where it is not associated with a value in enclosing scope",
                 text);
    else
        gd_raise(vm, &gd_class_UnboundLocalError,
                 "cannot access local variable '%.200s' where it is not associated with a value", text);
    return false;
}

bool gd_do_unbound_global(gd_vm *vm, uint32_t index) {
    gd_raise(vm, &gd_class_NameError, "name '%.200s' is not defined", vm->env->globals[index].name->text);
    return false;
}

/* ---- imports --------------------------------------------------------------------------------- */

/* A member of a module, or a module below it. */
gd_any gd_do_import_from(gd_vm *vm, gd_any module, gd_any name) {
    const char *of = ((const gd_module *)module.u.object)->name;
    gd_any found = gd_find_attribute(vm, module, gd_as_str(name));
    if (!gd_is_nil(found) || gd_pending(vm)) return found;
    gd_any whole = gd_str_printf(vm, "%s.%s", of, gd_as_str(name)->text);
    if (gd_is_nil(whole)) return GD_NIL;
    found = gd_import(vm, gd_as_str(whole)->text);
    gd_drop(vm->env->heap, whole);
    if (!gd_is_nil(found) || vm->passed) return found;
    return gd_raise(vm, &gd_class_ImportError, "cannot import name '%.200s' from '%s' (unknown location)",
                    gd_as_str(name)->text, of);
}
