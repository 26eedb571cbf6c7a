/* modules.c: which modules there are, importing them, and modules as values. What they hold is in the files of the
 * subjects. */
#include "core/program/natives.h"
#include "core/program/vm.h"

#include <stdio.h>
#include <string.h>

static const gd_member no_members[] = {{NULL, {.tag = GD_A_NIL}}};

static const struct {
    const char *name;
    const gd_member *members;
    gd_any (*dynamic)(gd_vm *vm, const gd_module *self, gd_str *name);
} registry[] = {
    {"torch", gd_members_torch, gd_torch_dynamic},
    {"torch.nn", no_members, gd_torch_dynamic},
    {"torch.nn.functional", gd_members_nn_functional, gd_torch_dynamic},
    {"torch.nn.utils", gd_members_nn_utils, NULL},
    {"torch.autograd", gd_members_autograd, NULL},
    {"torch.autograd.functional", gd_members_autograd_functional, NULL},
    {"torch.autograd.graph", gd_members_autograd_graph, NULL},
    {"torch.autograd.gradcheck", gd_members_gradcheck, NULL},
    {"torch.autograd.grad_mode", gd_members_grad_mode, NULL},
    {"torch.optim", gd_members_optim, NULL},
    {"torch.cuda", gd_members_cuda, NULL},
    {"torch.linalg", no_members, gd_torch_dynamic},
    {"torch.fft", no_members, gd_torch_dynamic},
    {"torch.special", no_members, gd_torch_dynamic},
    {"math", gd_members_math, NULL},
};
enum { MODULES = sizeof registry / sizeof *registry };

/* ---- importing -----------------------------------------------------------------------------------------------------
 */

static int find(const char *name) {
    for (int i = 0; i < MODULES; i++)
        if (!strcmp(registry[i].name, name)) return i;
    return -1;
}

static gd_any not_found(gd_vm *vm, const char *name) {
    gd_buffer list = {.vm = vm};
    for (int i = 0; i < MODULES; i++) {
        if (i) gd_buffer_c(&list, i + 1 < MODULES ? ", " : " and ");
        gd_buffer_c(&list, registry[i].name);
    }
    gd_any text = gd_buffer_str(&list);
    if (gd_is_nil(text)) return GD_NIL;
    gd_raise(vm, &gd_class_ModuleNotFoundError, "No module named '%s'. Programs here have %s.", name,
             gd_as_str(text)->text);
    gd_drop(gd_vm_heap(vm), text);
    return GD_NIL;
}

static gd_any new_module(gd_vm *vm, int i, gd_dict *all, gd_any key) {
    gd_module *module = gd_object_new(vm, &gd_class_module, sizeof *module);
    if (!module) return GD_NIL;
    module->name = registry[i].name;
    module->members = registry[i].members;
    module->dynamic = registry[i].dynamic;
    if (gd_dict_set(vm, all, key, GD_ANY_OBJECT(module))) return GD_ANY_OBJECT(module);
    gd_drop(gd_vm_heap(vm), GD_ANY_OBJECT(module));
    return GD_NIL;
}

gd_any gd_import(gd_vm *vm, const char *name) {
    int i = find(name);
    gd_any known;
    if (i < 0) return not_found(vm, name);
    if (gd_is_nil(vm->env->modules)) vm->env->modules = gd_dict_new(vm);
    if (gd_is_nil(vm->env->modules)) return GD_NIL;
    gd_dict *all = (gd_dict *)vm->env->modules.u.object;
    gd_any key = gd_str_c(vm, name);
    int found = gd_is_nil(key) ? -1 : gd_dict_get(vm, all, key, &known);
    gd_any module = found < 0 ? GD_NIL : found ? gd_keep(known) : new_module(vm, i, all, key);
    gd_drop(gd_vm_heap(vm), key);
    return module;
}

/* ---- modules as values ---------------------------------------------------------------------------------------------
 */

static gd_any module_repr(gd_vm *vm, gd_any self) {
    const gd_module *module = (const gd_module *)self.u.object;
    return gd_str_printf(vm, strcmp(module->name, "math") ? "<module '%s'>" : "<module '%s' (built-in)>", module->name);
}

/* torch.nn is what `import torch.nn` gives. */
static gd_any submodule(gd_vm *vm, const gd_module *module, const gd_str *name) {
    char full[64];
    int n = snprintf(full, sizeof full, "%s.%s", module->name, name->text);
    if (n < 0 || (size_t)n >= sizeof full || find(full) < 0) return GD_NIL;
    return gd_import(vm, full);
}

static gd_any module_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const gd_module *module = (const gd_module *)self.u.object;
    for (const gd_member *m = module->members; m->name; m++)
        if (gd_str_is(name, m->name)) return gd_keep(m->value);
    if (gd_str_is(name, "__name__")) return gd_str_c(vm, module->name);
    gd_any value = submodule(vm, module, name);
    if (gd_is_nil(value) && !gd_pending(vm) && module->dynamic) value = module->dynamic(vm, module, name);
    if (!gd_is_nil(value) || gd_pending(vm) || !strncmp(name->text, "__", 2)) return value;
    return gd_raise(vm, &gd_class_AttributeError, "module '%s' has no attribute '%s'", module->name, name->text);
}

static bool module_setattr(gd_vm *vm, gd_any self, gd_str *name, gd_any value) {
    (void)value;
    gd_raise(vm, &gd_class_AttributeError, "module '%s' is constant here: its attribute '%s' cannot be set",
             ((const gd_module *)self.u.object)->name, name->text);
    return false;
}

const gd_class gd_class_module = {.name = "module",
                                  .base = &gd_class_object,
                                  .repr = module_repr,
                                  .getattr = module_getattr,
                                  .setattr = module_setattr};
