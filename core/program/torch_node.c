/* torch_node.c: grad_fn and what hangs on it: the nodes of the recorded graph as programs see them. */
#include <string.h>

#include "core/program/hooks.h"
#include "core/program/torch_ops.h"

static gd_any node_repr(gd_vm *vm, gd_any self) {
    return gd_str_printf(vm, "<%s object at %p>", gd_node_name(self.u.node), (void *)self.u.node);
}

/* ((node or None, its input's number), …) */
static gd_any next_functions(gd_vm *vm, const gd_node *node) {
    gd_heap *heap = gd_vm_heap(vm);
    int n = gd_node_ninputs(node);
    gd_any all = gd_tuple_new(vm, &gd_class_tuple, (size_t)n);
    for (int i = 0; i < n && !gd_is_nil(all); i++) {
        uint32_t nr = 0;
        gd_node *next = gd_node_next(node, i, &nr);
        gd_any pair = gd_tuple_new(vm, &gd_class_tuple, 2);
        if (gd_is_nil(pair)) {
            gd_drop(heap, all);
            return GD_NIL;
        }
        gd_tuple *p = (gd_tuple *)pair.u.object;
        if (next) p->items[0] = GD_ANY_NODE(gd_node_retain(next));
        p->items[1] = GD_ANY_INT(next ? (int64_t)nr : 0);
        ((gd_tuple *)all.u.object)->items[i] = pair;
    }
    return all;
}

/* _saved_self …; GD_NIL without exception: there is no such field. */
static gd_any saved_field(gd_vm *vm, gd_node *node, const char *wanted) {
    int n = gd_node_nsaved(node);
    for (int i = 0; i < n; i++) {
        const char *name = NULL;
        gd_value value = GD_NONE_VALUE;
        gd_code code = gd_node_saved(vm->ctx, node, i, &name, &value);
        bool found = name && strcmp(name, wanted) == 0;
        if (found && code) return gd_raise_engine(vm);
        gd_any v = found ? gd_from_plain(vm, &value) : GD_NIL;
        if (!code && value.kind == GD_V_TENSOR) gd_release(value.u.tensor);
        if (found) return v;
    }
    return GD_NIL;
}

static gd_any node_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    gd_node *node = self.u.node;
    if (gd_str_is(name, "next_functions")) return next_functions(vm, node);
    if (gd_str_is(name, "metadata")) return gd_dict_new(vm);
    if (gd_str_is(name, "requires_grad")) return GD_ANY_BOOL(true);
    if (gd_str_is(name, "__class__")) return GD_ANY_CLASS(gd_node_class(node));
    gd_tensor *variable = gd_node_variable(node);
    if (gd_str_is(name, "variable") && strcmp(gd_node_name(node), "AccumulateGrad") == 0)
        return variable ? GD_ANY_TENSOR(gd_retain(variable)) : GD_ANY_NONE;
    if (strncmp(name->text, "_saved_", 7) == 0) return saved_field(vm, node, name->text + 7);
    return GD_NIL;
}

static gd_any node_name(gd_vm *vm, const gd_args *args) {
    const char *name = gd_node_name(args->v[0].u.node);
    bool named = strcmp(name, "AccumulateGrad") == 0 || strcmp(name, "CopySlices") == 0;
    return gd_str_printf(vm, "%s%s", named ? "torch::autograd::" : "", name);
}

static gd_any hook_of(gd_vm *vm, const gd_args *args, bool before) {
    if (!gd_is_callable(args->v[1])) return gd_raise(vm, &gd_class_TypeError, "hook must be callable");
    return gd_node_hook_handle(vm, args->v[0].u.node, args->v[1], before);
}

static gd_any register_hook(gd_vm *vm, const gd_args *args) { return hook_of(vm, args, false); }
static gd_any register_prehook(gd_vm *vm, const gd_args *args) { return hook_of(vm, args, true); }

static const gd_native node_methods[] = {
    {"name", node_name, 1, 1, ""},
    {"register_hook", register_hook, 2, 2, ""},
    {"register_prehook", register_prehook, 2, 2, ""},
    {NULL, NULL, 0, 0, NULL},
};

const gd_class gd_class_node = {
    .name = "Node",
    .repr = node_repr,
    .methods = node_methods,
    .getattr = node_getattr,
};
