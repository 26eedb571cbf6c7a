/* torch_optim.c: torch.optim: the optimizers as objects: construction, parameter groups, attributes, zero_grad. */
#include "core/program/torch_optim.h"
#include "core/autograd/autograd.h"

#include <string.h>

/* ---- dicts with str keys --------------------------------------------------------------------- */

int gd_optim_find(gd_vm *vm, gd_any dict, const char *key, gd_any *out) {
    gd_any name = gd_str_c(vm, key);
    if (gd_is_nil(name)) return -1;
    int found = gd_dict_get(vm, gd_as_dict(dict), name, out);
    gd_drop(gd_vm_heap(vm), name);
    return found;
}

gd_any gd_optim_get(gd_vm *vm, gd_any dict, const char *key) {
    gd_any value = GD_NIL;
    int found = gd_optim_find(vm, dict, key, &value);
    if (found > 0) return value;
    return found < 0 ? GD_NIL : gd_raise(vm, &gd_class_KeyError, "%s", key);
}

bool gd_optim_set(gd_vm *vm, gd_any dict, const char *key, gd_any value) {
    if (gd_is_nil(value)) return false;
    gd_any name = gd_str_c(vm, key);
    bool done = !gd_is_nil(name) && gd_dict_set(vm, gd_as_dict(dict), name, value);
    gd_drop(gd_vm_heap(vm), name);
    gd_drop(gd_vm_heap(vm), value);
    return done;
}

bool gd_optim_number(gd_vm *vm, gd_any dict, const char *key, double *out) {
    gd_any v = gd_optim_get(vm, dict, key);
    return !gd_is_nil(v) && gd_to_real(vm, v, out);
}

bool gd_optim_flag(gd_vm *vm, gd_any dict, const char *key, bool *out) {
    gd_any v = gd_optim_get(vm, dict, key);
    int truth = gd_is_nil(v) ? -1 : gd_truth(vm, v);
    *out = truth > 0;
    return truth >= 0;
}

gd_any gd_optim_state_of(gd_vm *vm, gd_optimizer *o, gd_any param) {
    gd_any state = GD_NIL;
    int found = gd_dict_get(vm, gd_as_dict(o->state), param, &state);
    if (found < 0) return GD_NIL;
    if (found > 0 && gd_is_dict(state)) return state;
    if (found > 0) return gd_raise(vm, &gd_class_TypeError, "object of type '%s' has no len()", gd_type_name(state));
    state = gd_dict_new(vm);
    if (gd_is_nil(state)) return state;
    bool done = gd_dict_set(vm, gd_as_dict(o->state), param, state);
    gd_drop(gd_vm_heap(vm), state);
    return done ? state : GD_NIL; /* the dict holds it */
}

gd_any gd_optim_params(gd_vm *vm, gd_any group) {
    gd_any params = gd_is_dict(group) ? gd_optim_get(vm, group, "params")
                                      : gd_raise(vm, &gd_class_TypeError, "param group must be a dict");
    if (gd_is_nil(params) || gd_is_list(params) || gd_is_tuple(params)) return params;
    return gd_raise(vm, &gd_class_TypeError, "the params of a group must be a list, not %s", gd_type_name(params));
}

/* ---- checking what the constructor is given -------------------------------------------------- */

static bool compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool *out) {
    gd_any result = gd_compare(vm, op, a, b);
    int truth = gd_is_nil(result) ? -1 : gd_truth(vm, result);
    gd_drop(gd_vm_heap(vm), result);
    *out = truth > 0;
    return truth >= 0;
}

static bool invalid(gd_vm *vm, const char *text, gd_any value) {
    gd_any shown = gd_str_of(vm, value);
    if (gd_is_nil(shown)) return false;
    gd_raise(vm, &gd_class_ValueError, "%s%s", text, gd_as_str(shown)->text);
    gd_drop(gd_vm_heap(vm), shown);
    return false;
}

static bool check_betas(gd_vm *vm, gd_any betas) {
    for (int i = 0; i < 2; i++) {
        bool low = false, high = false;
        gd_any beta = gd_get_item(vm, betas, GD_ANY_INT(i));
        if (gd_is_nil(beta)) return false;
        bool known = compare(vm, GD_PY_LE, GD_ANY_FLOAT(0), beta, &low) &&
                     (!low || compare(vm, GD_PY_LT, beta, GD_ANY_FLOAT(1), &high));
        if (known && !(low && high))
            invalid(vm, i ? "Invalid beta parameter at index 1: " : "Invalid beta parameter at index 0: ", beta);
        gd_drop(gd_vm_heap(vm), beta);
        if (!known || !low || !high) return false;
    }
    return true;
}

static gd_any value_of(const gd_optim_kind *kind, const gd_any *values, const char *name) {
    for (int i = 0; i < kind->narguments; i++)
        if (!strcmp(kind->arguments[i].name, name)) return values[i];
    return GD_NIL;
}

static bool check_values(gd_vm *vm, const gd_optim_kind *kind, const gd_any *values) {
    bool is_sgd = kind->class == &gd_class_optim_sgd;
    for (const gd_optim_check *c = kind->checks; c->argument; c++) {
        bool answer, fine;
        gd_any value = value_of(kind, values, c->argument);
        if (value.tag == GD_A_ELLIPSIS) continue;
        if (c->test == GD_OPTIM_BETAS) {
            if (!check_betas(vm, value)) return false;
            continue;
        }
        /* NaN passes SGD's test, which asks whether it is negative. */
        if (!(is_sgd ? compare(vm, GD_PY_LT, value, GD_ANY_FLOAT(0), &answer)
                     : compare(vm, GD_PY_LE, GD_ANY_FLOAT(0), value, &answer)))
            return false;
        fine = is_sgd ? !answer : answer;
        if (!fine) return invalid(vm, c->text, value);
    }
    return true;
}

static bool check_nesterov(gd_vm *vm, const gd_optim_kind *kind, const gd_any *values) {
    bool none, damped;
    if (kind->class != &gd_class_optim_sgd) return true;
    int wanted = gd_truth(vm, value_of(kind, values, "nesterov"));
    if (wanted <= 0) return wanted == 0;
    if (!compare(vm, GD_PY_LE, value_of(kind, values, "momentum"), GD_ANY_INT(0), &none) ||
        !compare(vm, GD_PY_NE, value_of(kind, values, "dampening"), GD_ANY_INT(0), &damped))
        return false;
    if (none || damped) gd_raise(vm, &gd_class_ValueError, "Nesterov momentum requires a momentum and zero dampening");
    return !none && !damped;
}

static bool check_fused(gd_vm *vm, const gd_optim_kind *kind, const gd_any *values) {
    if (kind->class != &gd_class_optim_adam) return true;
    int fused = gd_truth(vm, value_of(kind, values, "fused"));
    if (fused <= 0) return fused == 0;
    int differentiable = gd_truth(vm, value_of(kind, values, "differentiable"));
    if (differentiable >= 0)
        gd_raise(vm, &gd_class_RuntimeError, "%s",
                 differentiable ? "`fused` cannot be `differentiable`"
                                : "FusedAdam requires all the params to be CUDA, floating point");
    return false;
}

/* ---- parameter groups ------------------------------------------------------------------------ */

static const char *type_of_tensor(const gd_tensor *t, char buf[64]) {
    strcpy(buf, "torch.");
    return strncat(buf, gd_dtype_legacy_name((gd_dtype)t->dtype), 50);
}

/* group['params'] as a list of its own. */
static bool list_params(gd_vm *vm, gd_any group) {
    gd_any params = gd_optim_get(vm, group, "params");
    if (gd_is_nil(params)) return false;
    if (gd_is(params, &gd_class_set)) {
        gd_raise(vm, &gd_class_TypeError,
                 "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                 "sets will change between runs. Please use a list instead.");
        return false;
    }
    if (!gd_is_tensor(params)) return gd_optim_set(vm, group, "params", gd_list_from(vm, params));
    gd_any list = gd_list_new(vm, 1);
    if (gd_is_nil(list) || !gd_list_append(vm, (gd_list *)list.u.object, gd_keep(params)))
        return gd_drop(gd_vm_heap(vm), list), false;
    return gd_optim_set(vm, group, "params", list);
}

static bool check_param(gd_vm *vm, const gd_optimizer *o, gd_any param) {
    gd_any differentiable = GD_NIL;
    if (!gd_is_tensor(param)) {
        gd_raise(vm, &gd_class_TypeError, "optimizer can only optimize Tensors, but one of the params is %s",
                 gd_class_of(param)->name);
        return false;
    }
    if (gd_is_leaf(param.u.tensor) || gd_retains_grad(param.u.tensor)) return true;
    int found = gd_optim_find(vm, o->defaults, "differentiable", &differentiable);
    if (found > 0) found = gd_truth(vm, differentiable);
    if (found == 0) gd_raise(vm, &gd_class_ValueError, "can't optimize a non-leaf Tensor");
    return found > 0;
}

static bool fill_defaults(gd_vm *vm, const gd_optimizer *o, gd_any group) {
    size_t at = 0;
    gd_any key, value, there;
    while (gd_dict_each(gd_as_dict(o->defaults), &at, &key, &value)) {
        int found = gd_dict_get(vm, gd_as_dict(group), key, &there);
        if (found < 0) return false;
        if (found) continue;
        if (value.tag == GD_A_ELLIPSIS) {
            gd_raise(vm, &gd_class_ValueError,
                     "parameter group didn't specify a value of required optimization parameter %s",
                     gd_as_str(key)->text);
            return false;
        }
        if (!gd_dict_set(vm, gd_as_dict(group), key, value)) return false;
    }
    return true;
}

/* Notes the parameters of a group in `seen`; false with *again if one is there already. */
static bool note_params(gd_vm *vm, gd_any group, gd_any seen, bool *again) {
    gd_any params = gd_optim_params(vm, group), there;
    if (gd_is_nil(params)) return false;
    for (size_t i = 0; i < gd_entries(params); i++) {
        gd_any param = gd_entry(params, i);
        int found = again ? gd_dict_get(vm, gd_as_dict(seen), param, &there) : 0;
        if (found < 0) return false;
        if (found) {
            *again = true;
            continue;
        }
        if (!again && !gd_dict_set(vm, gd_as_dict(seen), param, GD_ANY_NONE)) return false;
    }
    return gd_work(vm, gd_entries(params) / 8 + 1);
}

static bool check_disjoint(gd_vm *vm, const gd_optimizer *o, gd_any group) {
    bool again = false;
    gd_any seen = gd_dict_new(vm);
    bool done = !gd_is_nil(seen);
    for (size_t i = 0; done && i < gd_entries(o->param_groups); i++)
        done = note_params(vm, gd_entry(o->param_groups, i), seen, NULL);
    if (done) done = note_params(vm, group, seen, &again);
    gd_drop(gd_vm_heap(vm), seen);
    if (done && again) gd_raise(vm, &gd_class_ValueError, "some parameters appear in more than one parameter group");
    return done && !again;
}

static bool add_group(gd_vm *vm, gd_optimizer *o, gd_any group) {
    if (!gd_is_dict(group)) return gd_raise(vm, &gd_class_AssertionError, "param group must be a dict"), false;
    if (!list_params(vm, group)) return false;
    gd_any params = gd_optim_params(vm, group);
    for (size_t i = 0; i < gd_entries(params); i++)
        if (!check_param(vm, o, gd_entry(params, i))) return false;
    if (gd_is_nil(params) || !fill_defaults(vm, o, group) || !check_disjoint(vm, o, group)) return false;
    return gd_list_append(vm, (gd_list *)o->param_groups.u.object, gd_keep(group));
}

static bool add_groups(gd_vm *vm, gd_optimizer *o, gd_any list) {
    if (gd_is_dict(gd_entry(list, 0))) {
        for (size_t i = 0; i < gd_entries(list); i++)
            if (!add_group(vm, o, gd_entry(list, i))) return false;
        return true;
    }
    gd_any group = gd_dict_new(vm);
    bool done = !gd_is_nil(group) && gd_optim_set(vm, group, "params", gd_keep(list)) && add_group(vm, o, group);
    gd_drop(gd_vm_heap(vm), group);
    return done;
}

static bool take_params(gd_vm *vm, gd_optimizer *o, gd_any params) {
    char type[64];
    if (gd_is_tensor(params)) {
        gd_raise(vm, &gd_class_TypeError,
                 "params argument given to the optimizer should be an iterable of Tensors or dicts, but got %s",
                 type_of_tensor(params.u.tensor, type));
        return false;
    }
    gd_any list = gd_list_from(vm, params);
    if (gd_is_nil(list)) return false;
    bool done = gd_entries(list) > 0;
    if (!done) gd_raise(vm, &gd_class_ValueError, "optimizer got an empty parameter list");
    if (done) done = add_groups(vm, o, list);
    gd_drop(gd_vm_heap(vm), list);
    return done;
}

static gd_any add_param_group(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}, {"param_group", GD_NIL, false}};
    gd_any v[2];
    if (!GD_BIND(vm, "Optimizer.add_param_group", wanted, args, v)) return GD_NIL;
    return add_group(vm, (gd_optimizer *)v[0].u.object, v[1]) ? GD_ANY_NONE : GD_NIL;
}

/* ---- construction ---------------------------------------------------------------------------- */

static gd_any usual_betas(gd_vm *vm) {
    const gd_any betas[] = {GD_ANY_FLOAT(0.9), GD_ANY_FLOAT(0.999)};
    return gd_tuple_of(vm, 2, betas);
}

static bool fill(gd_vm *vm, const gd_optim_kind *kind, const gd_any *values, gd_optimizer *o) {
    o->defaults = gd_dict_new(vm);
    if (gd_is_nil(o->defaults)) return false;
    for (const char *const *name = kind->defaults; *name; name++)
        if (!gd_optim_set(vm, o->defaults, *name, gd_keep(value_of(kind, values, *name)))) return false;
    if (!check_nesterov(vm, kind, values)) return false;
    o->state = gd_dict_new(vm);
    o->param_groups = gd_is_nil(o->state) ? GD_NIL : gd_list_new(vm, 1);
    if (gd_is_nil(o->param_groups) || !take_params(vm, o, values[1]) || !check_fused(vm, kind, values)) return false;
    return !kind->begin || kind->begin(vm, o);
}

static gd_any optimizer_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    const gd_optim_kind *kind = gd_optim_kind_of_class(class);
    gd_any values[GD_MOST_ARGUMENTS], betas = GD_NIL;
    if (!gd_bind_init(vm, kind->init, kind->arguments, kind->narguments, args, values)) return GD_NIL;
    for (int i = 0; i < kind->narguments; i++) {
        if (strcmp(kind->arguments[i].name, "betas") != 0 || !gd_is_none(values[i])) continue;
        values[i] = betas = usual_betas(vm);
        if (gd_is_nil(betas)) return betas;
    }
    gd_optimizer *o = check_values(vm, kind, values) ? gd_object_new(vm, class, sizeof *o) : NULL;
    gd_any result = o ? GD_ANY_OBJECT(o) : GD_NIL;
    if (o && !fill(vm, kind, values, o)) {
        gd_drop(gd_vm_heap(vm), result);
        result = GD_NIL;
    }
    gd_drop(gd_vm_heap(vm), betas);
    return result;
}

static void optimizer_destroy(gd_heap *heap, gd_object *self) {
    gd_optimizer *o = (gd_optimizer *)self;
    gd_drop(heap, o->defaults);
    gd_drop(heap, o->state);
    gd_drop(heap, o->param_groups);
    gd_drop(heap, o->others);
}

static void optimizer_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    gd_optimizer *o = (gd_optimizer *)self;
    see(user, o->defaults);
    see(user, o->state);
    see(user, o->param_groups);
    see(user, o->others);
}

/* ---- attributes and repr --------------------------------------------------------------------- */

static gd_any *attribute(gd_any self, const gd_str *name) {
    gd_optimizer *o = (gd_optimizer *)self.u.object;
    if (gd_str_is(name, "param_groups")) return &o->param_groups;
    if (gd_str_is(name, "state")) return &o->state;
    return gd_str_is(name, "defaults") ? &o->defaults : NULL;
}

static gd_any optimizer_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const gd_optimizer *o = (const gd_optimizer *)self.u.object;
    const gd_any *at = attribute(self, name);
    gd_any value;
    if (at) return gd_keep(*at);
    if (gd_is_nil(o->others)) return GD_NIL;
    return gd_dict_get(vm, gd_as_dict(o->others), GD_ANY_OBJECT(name), &value) > 0 ? gd_keep(value) : GD_NIL;
}

/* An attribute of the program's own. */
static bool set_other(gd_vm *vm, gd_optimizer *o, gd_str *name, gd_any value) {
    if (gd_is_nil(o->others)) o->others = gd_dict_new(vm);
    if (gd_is_nil(o->others)) return false;
    if (!gd_is_nil(value)) return gd_dict_set(vm, gd_as_dict(o->others), GD_ANY_OBJECT(name), value);
    int found = gd_dict_remove(vm, gd_as_dict(o->others), GD_ANY_OBJECT(name), NULL);
    if (!found) gd_raise(vm, &gd_class_AttributeError, "%s", name->text);
    return found > 0;
}

static bool optimizer_setattr(gd_vm *vm, gd_any self, gd_str *name, gd_any value) {
    gd_any *at = attribute(self, name);
    if (!at) return set_other(vm, (gd_optimizer *)self.u.object, name, value);
    bool fits = (gd_str_is(name, "param_groups") ? gd_is_list(value) : gd_is_dict(value));
    if (!fits) {
        gd_raise(vm, &gd_class_AttributeError, "cannot set attribute '%s' of '%s'", name->text, gd_type_name(self));
        return false;
    }
    gd_any old = *at;
    *at = gd_keep(value);
    gd_drop(gd_vm_heap(vm), old);
    return true;
}

/* The keys of a group in order, without 'params'; borrowed in an array of the hold. */
static gd_any *sorted_keys(gd_hold *hold, gd_any group, size_t *n) {
    gd_any *keys = gd_hold_bytes(hold, gd_dict_count(gd_as_dict(group)) + 1, sizeof *keys), key, value;
    size_t at = 0;
    *n = 0;
    while (keys && gd_dict_each(gd_as_dict(group), &at, &key, &value)) {
        size_t to = (*n)++;
        if (!gd_work(hold->vm, to + 1)) return NULL;
        for (bool less = true; to; to--) {
            if (!compare(hold->vm, GD_PY_LT, key, keys[to - 1], &less)) return NULL;
            if (!less) break;
            keys[to] = keys[to - 1];
        }
        keys[to] = key;
    }
    return keys;
}

static bool put_entry(gd_vm *vm, gd_buffer *out, gd_any key, gd_any value) {
    gd_any empty = gd_str_c(vm, ""), shown = GD_NIL;
    if (!gd_is_nil(empty)) shown = gd_format_of(vm, value, gd_as_str(empty));
    gd_drop(gd_vm_heap(vm), empty);
    gd_buffer_c(out, "    ");
    gd_buffer_any(out, gd_is_nil(shown) ? GD_NIL : gd_str_of(vm, key));
    gd_buffer_c(out, ": ");
    gd_buffer_any(out, shown);
    gd_buffer_c(out, "\n");
    return !out->failed;
}

static bool put_group(gd_hold *hold, gd_buffer *out, gd_any group) {
    size_t n;
    gd_any value = GD_NIL;
    if (!gd_is_dict(group)) return gd_raise(hold->vm, &gd_class_TypeError, "param group must be a dict"), false;
    gd_any *keys = sorted_keys(hold, group, &n);
    for (size_t i = 0; keys && i < n; i++) {
        if (gd_is_str(keys[i]) && gd_str_is(gd_as_str(keys[i]), "params")) continue;
        int found = gd_dict_get(hold->vm, gd_as_dict(group), keys[i], &value);
        if (found < 0 || (found && !put_entry(hold->vm, out, keys[i], value))) return false;
    }
    return keys != NULL;
}

static gd_any optimizer_repr(gd_vm *vm, gd_any self) {
    const gd_optimizer *o = (const gd_optimizer *)self.u.object;
    gd_buffer out = {.vm = vm};
    gd_hold hold = {.vm = vm};
    bool done = gd_deeper(vm);
    if (!done) return GD_NIL;
    gd_buffer_c(&out, gd_type_name(self));
    gd_buffer_c(&out, " (");
    for (size_t i = 0; done && i < gd_entries(o->param_groups); i++) {
        gd_any title = gd_str_printf(vm, "\nParameter Group %zu\n", i);
        gd_buffer_any(&out, title);
        done = put_group(&hold, &out, gd_entry(o->param_groups, i));
    }
    gd_buffer_c(&out, ")");
    gd_hold_end(&hold);
    gd_shallower(vm);
    if (done) return gd_buffer_str(&out);
    gd_buffer_free(&out);
    return GD_NIL;
}

/* ---- zero_grad ------------------------------------------------------------------------------- */

/* Zeros in place, cut from its graph. */
static bool zero_in_place(gd_hold *hold, gd_tensor *grad) {
    gd_ctx *ctx = hold->vm->ctx;
    gd_code code = gd_is_leaf(grad) ? gd_set_requires_grad(ctx, grad, false) : gd_detach_inplace(ctx, grad);
    if (code != GD_OK) return gd_raise_engine(hold->vm), false;
    return GD_DO_(hold, zero_, GD_TENSOR_VALUE(grad)) != NULL;
}

static bool zero_group(gd_hold *hold, gd_any group, bool to_none) {
    gd_any params = gd_optim_params(hold->vm, group);
    if (gd_is_nil(params)) return false;
    for (size_t i = 0; i < gd_entries(params); i++) {
        gd_any param = gd_entry(params, i);
        gd_tensor *grad = gd_is_tensor(param) ? gd_grad(param.u.tensor) : NULL;
        if (!grad) continue;
        if (!to_none && !zero_in_place(hold, grad)) return false;
        if (to_none && gd_set_grad(hold->vm->ctx, param.u.tensor, NULL) != GD_OK)
            return gd_raise_engine(hold->vm), false;
    }
    return true;
}

static gd_any zero_grad(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}, {"set_to_none", GD_ANY_BOOL(true), false}};
    gd_any v[2];
    if (!GD_BIND(vm, "Optimizer.zero_grad", wanted, args, v)) return GD_NIL;
    int to_none = gd_truth(vm, v[1]);
    if (to_none < 0) return GD_NIL;
    const gd_optimizer *o = (const gd_optimizer *)v[0].u.object;
    gd_hold hold = {.vm = vm};
    bool done = true;
    for (size_t i = 0; done && i < gd_entries(o->param_groups); i++)
        done = zero_group(&hold, gd_entry(o->param_groups, i), to_none > 0);
    gd_hold_end(&hold);
    return done ? GD_ANY_NONE : GD_NIL;
}

/* ---- the classes ----------------------------------------------------------------------------- */

static const gd_native optimizer_methods[] = {
    {"step", gd_optim_step, 0, -1, "*"},
    {"zero_grad", zero_grad, 0, -1, "*"},
    {"add_param_group", add_param_group, 0, -1, "*"},
    {"state_dict", gd_optim_state_dict, 0, -1, "*"},
    {"load_state_dict", gd_optim_load_state_dict, 0, -1, "*"},
    {NULL, NULL, 0, 0, NULL},
};

const gd_class gd_class_optimizer = {.name = "torch.optim.optimizer.Optimizer", .methods = optimizer_methods};

#define OPTIMIZER(text)                                                                                                \
    {                                                                                                                  \
        .name = "torch.optim." text, .base = &gd_class_optimizer, .destroy = optimizer_destroy,                        \
        .visit = optimizer_visit, .make = optimizer_make, .repr = optimizer_repr, .methods = optimizer_methods,        \
        .getattr = optimizer_getattr, .setattr = optimizer_setattr                                                     \
    }
const gd_class gd_class_optim_sgd = OPTIMIZER("sgd.SGD");
const gd_class gd_class_optim_adam = OPTIMIZER("adam.Adam");
const gd_class gd_class_optim_adamw = OPTIMIZER("adamw.AdamW");
const gd_class gd_class_optim_rmsprop = OPTIMIZER("rmsprop.RMSprop");
const gd_class gd_class_optim_adagrad = OPTIMIZER("adagrad.Adagrad");

const gd_member gd_members_optim[] = {
    {"SGD", GD_ANY_CLASS(&gd_class_optim_sgd)},
    {"Adam", GD_ANY_CLASS(&gd_class_optim_adam)},
    {"AdamW", GD_ANY_CLASS(&gd_class_optim_adamw)},
    {"RMSprop", GD_ANY_CLASS(&gd_class_optim_rmsprop)},
    {"Adagrad", GD_ANY_CLASS(&gd_class_optim_adagrad)},
    {"Optimizer", GD_ANY_CLASS(&gd_class_optimizer)},
    {NULL, GD_NIL},
};
