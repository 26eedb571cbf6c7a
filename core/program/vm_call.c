/* vm_call.c: calls of anything: program functions by a new frame, built-ins, ops, classes and objects directly. */
#include "core/program/code.h"
#include "core/program/heap.h"

#include <stdio.h>
#include <string.h>

/* ---- built-ins ------------------------------------------------------------------------------- */

/* "list.append" of a method, "len" of a function. */
static gd_any raise_count(gd_vm *vm, const gd_native *native, const gd_args *args) {
    int least = native->least, most = native->most, given = (int)args->npos;
    const gd_class *class = args->npos ? gd_class_of(args->v[0]) : NULL;
    char name[128];
    gd_any text = gd_str_c(vm, native->name);
    if (gd_is_nil(text)) return GD_NIL;
    bool method = class && gd_find_method(class, gd_as_str(text)) == native;
    gd_drop(vm->env->heap, text);
    (void)snprintf(name, sizeof name, "%s%s%s", method ? class->name : "", method ? "." : "", native->name);
    least -= method, most -= most > 0 && method, given -= method;
    if (least == 0 && most == 0)
        return gd_raise(vm, &gd_class_TypeError, "%s() takes no arguments (%d given)", name, given);
    if (least == 1 && most == 1)
        return gd_raise(vm, &gd_class_TypeError, "%s() takes exactly one argument (%d given)", name, given);
    bool few = given < least;
    int bound = few ? least : most;
    return gd_raise(vm, &gd_class_TypeError, "%s expected %s%d argument%s, got %d", native->name,
                    least == most ? ""
                    : few         ? "at least "
                                  : "at most ",
                    bound, bound == 1 ? "" : "s", given);
}

static bool takes_keyword(const char *keywords, const gd_str *name) {
    if (!strcmp(keywords, "*")) return true;
    for (const char *p = keywords; *p;) {
        size_t n = strcspn(p, " ");
        if (n == name->bytes && !memcmp(p, name->text, n)) return true;
        p += n;
        p += *p == ' ';
    }
    return false;
}

static gd_any raise_keyword(gd_vm *vm, const gd_native *native, const gd_str *name) {
    if (!native->keywords[0]) return gd_raise(vm, &gd_class_TypeError, "%s() takes no keyword arguments", native->name);
    return gd_raise(vm, &gd_class_TypeError, "'%.200s' is an invalid keyword argument for %s()", name->text,
                    native->name);
}

gd_any gd_native_call(gd_vm *vm, const gd_native *native, const gd_args *args) {
    for (uint32_t i = 0; i < args->nkw; i++)
        if (!takes_keyword(native->keywords, args->names[i])) return raise_keyword(vm, native, args->names[i]);
    if ((int64_t)args->npos < native->least || (native->most >= 0 && (int64_t)args->npos > native->most))
        return raise_count(vm, native, args);
    return native->call(vm, args);
}

/* ---- anything that is no program function ---------------------------------------------------- */

static gd_any call_class(gd_vm *vm, const gd_class *class, const gd_args *args) {
    gd_any (*make)(gd_vm *, const gd_class *, const gd_args *);
    GD_SLOT(class, make, make);
    if (make) return make(vm, class, args);
    return gd_raise(vm, &gd_class_TypeError, "cannot create '%s' instances", class->name);
}

static gd_any call_object(gd_vm *vm, gd_any f, const gd_args *args) {
    gd_any (*call)(gd_vm *, gd_any, const gd_args *);
    GD_SLOT(gd_class_of(f), call, call);
    if (!call) return gd_raise(vm, &gd_class_TypeError, "'%s' object is not callable", gd_class_label(f));
    if (!gd_deeper(vm)) return GD_NIL;
    gd_any result = call(vm, f, args);
    gd_shallower(vm);
    return result;
}

/* An op's work counts by what it made, or read first. */
static gd_any call_op(gd_vm *vm, const gd_opfn *op, const gd_args *args, gd_op_cache *cache) {
    uint64_t read = args->npos > 0 && args->v[0].tag == GD_A_TENSOR ? (uint64_t)args->v[0].u.tensor->numel / 1024 : 0;
    gd_any v = gd_op_invoke(vm, op, args, cache);
    if (v.tag != GD_A_TENSOR) return v;
    uint64_t made = (uint64_t)v.u.tensor->numel / 1024;
    if (gd_work(vm, 1 + (made > read ? made : read))) return v;
    gd_drop(vm->env->heap, v);
    return GD_NIL;
}

gd_any gd_call_other(gd_vm *vm, gd_any f, const gd_args *args, gd_op_cache *cache) {
    switch ((gd_tag)f.tag) {
    case GD_A_OP: return call_op(vm, f.u.op, args, cache);
    case GD_A_NATIVE: return gd_native_call(vm, f.u.native, args);
    case GD_A_CLASS: return call_class(vm, f.u.class, args);
    default: return call_object(vm, f, args);
    }
}

/* ---- program functions ----------------------------------------------------------------------- */

gd_frame *gd_call_moved(gd_vm *vm, gd_closure *f, gd_any *v, uint32_t n) {
    gd_bytecode *code = f->code;
    if (code->plain && n == code->npositional) {
        gd_frame *frame = gd_frame_new(vm, code, f);
        if (frame && n) memcpy(frame->slots, v, n * sizeof *v);
        return frame;
    }
    gd_args args = {.v = v, .npos = n};
    gd_frame *frame = gd_call_bound(vm, f, &args);
    for (uint32_t i = 0; frame && i < n; i++) gd_drop(vm->env->heap, v[i]);
    return frame;
}

/* Runs the frame that was just made, nested in the C stack. */
static gd_any run_nested(gd_vm *vm, gd_frame *frame) {
    bool yielded;
    frame->flags |= GD_FRAME_ENTRY;
    return gd_vm_execute(vm, &yielded);
}

gd_any gd_call_any(gd_vm *vm, gd_any f, const gd_args *args) {
    if (!gd_work(vm, 1)) return GD_NIL;
    if (!gd_is(f, &gd_class_function)) return gd_call_other(vm, f, args, NULL);
    if (!gd_deeper(vm)) return GD_NIL;
    gd_frame *frame = gd_call_bound(vm, (gd_closure *)f.u.object, args);
    gd_any result = frame ? run_nested(vm, frame) : GD_NIL;
    gd_shallower(vm);
    return result;
}

/* ---- f(*list, **dict) ------------------------------------------------------------------------ */

static bool call_gathered(gd_vm *vm, gd_any f, const gd_args *args, gd_frame **frame, gd_any *result) {
    if (gd_is(f, &gd_class_function)) {
        *frame = gd_call_bound(vm, (gd_closure *)f.u.object, args);
        return *frame;
    }
    *result = gd_call_other(vm, f, args, NULL);
    return !gd_is_nil(*result);
}

bool gd_call_spread(gd_vm *vm, gd_any f, gd_any list, gd_any dict, gd_frame **frame, gd_any *result) {
    gd_heap *heap = vm->env->heap;
    const gd_list *positional = (const gd_list *)list.u.object;
    const gd_dict *named = gd_as_dict(dict);
    size_t n = positional->n, nkw = gd_dict_count(named), i = 0;
    *frame = NULL;
    if (n + nkw > 1 << 24) {
        gd_raise(vm, &gd_class_TypeError, "too many arguments");
        return false;
    }
    gd_any *v = gd_heap_array(heap, n + nkw + 1, sizeof *v);
    gd_str **names = gd_heap_array(heap, nkw + 1, sizeof *names);
    bool ok = v && names;
    if (!ok) gd_vm_no_memory(vm);
    if (ok) {
        if (n) memcpy(v, positional->items, n * sizeof *v);
        gd_any key, value;
        for (size_t at = 0; gd_dict_each(named, &at, &key, &value); i++) {
            names[i] = gd_as_str(key);
            v[n + i] = value;
        }
        gd_args args = {.v = v, .npos = (uint32_t)n, .nkw = (uint32_t)nkw, .names = names};
        ok = gd_work(vm, n) && call_gathered(vm, f, &args, frame, result);
    }
    if (v) gd_heap_free(heap, v, (n + nkw + 1) * sizeof *v);
    if (names) gd_heap_free(heap, names, (nkw + 1) * sizeof *names);
    return ok;
}
