/* torch_optim_state.c: state_dict and load_state_dict of the optimizers of torch.optim. */
#include "core/program/torch_optim.h"

#include <string.h>

static bool is_params(gd_any key) { return gd_is_str(key) && gd_str_is(gd_as_str(key), "params"); }

/* ---- saving ---------------------------------------------------------------------------------- */

/* The index of each parameter, in order of first appearance; a position counts also for one seen before. */
static bool number_params(gd_vm *vm, gd_any params, gd_any indexes, int64_t *start) {
    gd_any there;
    for (size_t i = 0; i < gd_entries(params); i++) {
        int found = gd_dict_get(vm, gd_as_dict(indexes), gd_entry(params, i), &there);
        if (found < 0) return false;
        if (!found && !gd_dict_set(vm, gd_as_dict(indexes), gd_entry(params, i), GD_ANY_INT(*start + (int64_t)i)))
            return false;
    }
    *start += (int64_t)gd_entries(params);
    return gd_work(vm, gd_entries(params) / 8 + 1);
}

static gd_any index_list(gd_vm *vm, gd_any params, gd_any indexes) {
    gd_any list = gd_list_new(vm, gd_entries(params)), index = GD_NIL;
    for (size_t i = 0; !gd_is_nil(list) && i < gd_entries(params); i++)
        if (gd_dict_get(vm, gd_as_dict(indexes), gd_entry(params, i), &index) <= 0 ||
            !gd_list_append(vm, (gd_list *)list.u.object, index)) {
            gd_drop(gd_vm_heap(vm), list);
            return GD_NIL;
        }
    return list;
}

/* A copy of the group with indexes for parameters, which come last. */
static gd_any pack_group(gd_vm *vm, gd_any group, gd_any indexes, int64_t *start) {
    gd_any params = gd_optim_params(vm, group), key, value;
    gd_any packed = gd_is_nil(params) ? GD_NIL : gd_dict_new(vm);
    bool done = !gd_is_nil(packed) && number_params(vm, params, indexes, start);
    size_t at = 0;
    while (done && gd_dict_each(gd_as_dict(group), &at, &key, &value))
        if (!is_params(key)) done = gd_dict_set(vm, gd_as_dict(packed), key, value);
    if (done) done = gd_optim_set(vm, packed, "params", index_list(vm, params, indexes));
    if (done) return packed;
    gd_drop(gd_vm_heap(vm), packed);
    return GD_NIL;
}

static gd_any pack_groups(gd_vm *vm, const gd_optimizer *o, gd_any indexes) {
    gd_any list = gd_list_new(vm, gd_entries(o->param_groups));
    int64_t start = 0;
    for (size_t i = 0; !gd_is_nil(list) && i < gd_entries(o->param_groups); i++) {
        gd_any packed = pack_group(vm, gd_entry(o->param_groups, i), indexes, &start);
        if (!gd_is_nil(packed) && gd_list_append(vm, (gd_list *)list.u.object, packed)) continue;
        gd_drop(gd_vm_heap(vm), list);
        return GD_NIL;
    }
    return list;
}

static gd_any pack_state(gd_vm *vm, const gd_optimizer *o, gd_any indexes) {
    gd_any packed = gd_dict_new(vm), key, value, index;
    size_t at = 0;
    bool done = !gd_is_nil(packed);
    while (done && gd_dict_each(gd_as_dict(o->state), &at, &key, &value)) {
        int found = gd_is_tensor(key) ? gd_dict_get(vm, gd_as_dict(indexes), key, &index) : 0;
        done = found >= 0 && gd_dict_set(vm, gd_as_dict(packed), found ? index : key, value);
    }
    if (done) return packed;
    gd_drop(gd_vm_heap(vm), packed);
    return GD_NIL;
}

gd_any gd_optim_state_dict(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}};
    gd_any self;
    if (!GD_BIND(vm, "Optimizer.state_dict", wanted, args, &self)) return GD_NIL;
    const gd_optimizer *o = (const gd_optimizer *)self.u.object;
    gd_hold hold = {.vm = vm};
    gd_any result = GD_NIL, indexes = gd_hold_any(&hold, gd_dict_new(vm));
    gd_any groups = gd_is_nil(indexes) ? GD_NIL : gd_hold_any(&hold, pack_groups(vm, o, indexes));
    gd_any state = gd_is_nil(groups) ? GD_NIL : gd_hold_any(&hold, pack_state(vm, o, indexes));
    if (!gd_is_nil(state)) result = gd_hold_any(&hold, gd_dict_new(vm));
    if (!gd_is_nil(result) && !(gd_optim_set(vm, result, "state", gd_keep(state)) &&
                                gd_optim_set(vm, result, "param_groups", gd_keep(groups))))
        result = GD_NIL;
    gd_keep(result);
    gd_hold_end(&hold);
    return result;
}

/* ---- loading --------------------------------------------------------------------------------- */

/* How values are copied on their way in: for a parameter, in its dtype. */
typedef struct copying {
    gd_vm *vm;
    const gd_tensor *param; /* NULL: as they are */
} copying;

static gd_any copy_of(const copying *c, gd_any v, bool cast);

static gd_any copy_tensor(const copying *c, gd_tensor *t, bool cast) {
    gd_vm *vm = c->vm;
    if (!gd_is_leaf(t))
        return gd_raise(vm, &gd_class_RuntimeError,
                        "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                        "the moment");
    gd_hold hold = {.vm = vm};
    bool wants = gd_requires_grad(t);
    gd_tensor *copy = gd_hold_tensor(&hold, gd_detach(vm->ctx, t));
    copy = GD_DO(&hold, clone, GD_TENSOR_VALUE(copy));
    if (cast && c->param && gd_dtype_is_float((gd_dtype)c->param->dtype) && copy && copy->dtype != c->param->dtype)
        copy = GD_DO(&hold, to_dtype, GD_TENSOR_VALUE(copy), GD_DTYPE_VALUE((gd_dtype)c->param->dtype));
    gd_any result = copy ? gd_any_of(copy) : GD_NIL;
    gd_hold_end(&hold);
    if (copy && wants && gd_set_requires_grad(vm->ctx, copy, true) != GD_OK) {
        gd_drop(gd_vm_heap(vm), result);
        return gd_raise_engine(vm);
    }
    return result;
}

static gd_any copy_dict(const copying *c, gd_any v) {
    gd_vm *vm = c->vm;
    gd_any result = gd_dict_new(vm), key, value;
    size_t at = 0;
    bool done = !gd_is_nil(result);
    while (done && gd_dict_each(gd_as_dict(v), &at, &key, &value)) {
        gd_any copy = copy_of(c, value, !(gd_is_str(key) && gd_str_is(gd_as_str(key), "step")));
        done = !gd_is_nil(copy) && gd_dict_set(vm, gd_as_dict(result), key, copy) && gd_work(vm, 1);
        gd_drop(gd_vm_heap(vm), copy);
    }
    if (done) return result;
    gd_drop(gd_vm_heap(vm), result);
    return GD_NIL;
}

static gd_any copy_items(const copying *c, gd_any v) {
    gd_vm *vm = c->vm;
    gd_any list = gd_list_new(vm, gd_entries(v));
    for (size_t i = 0; !gd_is_nil(list) && i < gd_entries(v); i++) {
        gd_any copy = copy_of(c, gd_entry(v, i), true);
        if (!gd_is_nil(copy) && gd_list_append(vm, (gd_list *)list.u.object, copy) && gd_work(vm, 1)) continue;
        gd_drop(gd_vm_heap(vm), list);
        return GD_NIL;
    }
    if (gd_is_nil(list) || gd_is_list(v)) return list;
    gd_any tuple = gd_tuple_from(vm, list);
    gd_drop(gd_vm_heap(vm), list);
    return tuple;
}

/* A deep copy. */
static gd_any copy_of(const copying *c, gd_any v, bool cast) {
    if (gd_is_tensor(v)) return copy_tensor(c, v.u.tensor, cast);
    bool is_dict = gd_is_dict(v);
    if (!is_dict && !gd_is_list(v) && !gd_is(v, &gd_class_tuple)) return gd_keep(v);
    if (!gd_deeper(c->vm)) return GD_NIL;
    gd_any result = is_dict ? copy_dict(c, v) : copy_items(c, v);
    gd_shallower(c->vm);
    return result;
}

/* Both lists of groups must have parameters alike; notes which saved id is which parameter. */
static bool match_groups(gd_vm *vm, const gd_optimizer *o, gd_any saved, gd_any ids) {
    size_t n = gd_entries(o->param_groups);
    if (!gd_is_list(saved) || gd_entries(saved) != n)
        return gd_raise(vm, &gd_class_ValueError, "loaded state dict has a different number of parameter groups"),
               false;
    for (size_t g = 0; g < n; g++) {
        gd_any ours = gd_optim_params(vm, gd_entry(o->param_groups, g));
        gd_any theirs = gd_is_nil(ours) ? GD_NIL : gd_optim_params(vm, gd_entry(saved, g));
        if (gd_is_nil(theirs)) return false;
        if (gd_entries(ours) != gd_entries(theirs)) {
            gd_raise(vm, &gd_class_ValueError,
                     "loaded state dict contains a parameter group that doesn't match the size of optimizer's group");
            return false;
        }
        for (size_t i = 0; i < gd_entries(ours); i++)
            if (!gd_dict_set(vm, gd_as_dict(ids), gd_entry(theirs, i), gd_entry(ours, i))) return false;
    }
    return true;
}

static gd_any load_state(gd_vm *vm, gd_any saved, gd_any ids) {
    gd_any state = gd_dict_new(vm), key, value, param;
    size_t at = 0;
    bool done = !gd_is_nil(state);
    while (done && gd_dict_each(gd_as_dict(saved), &at, &key, &value)) {
        int found = gd_dict_get(vm, gd_as_dict(ids), key, &param);
        copying c = {.vm = vm, .param = found > 0 && gd_is_tensor(param) ? param.u.tensor : NULL};
        gd_any copy = found < 0 ? GD_NIL : copy_of(&c, value, true);
        done = !gd_is_nil(copy) && gd_dict_set(vm, gd_as_dict(state), found ? param : key, copy);
        gd_drop(gd_vm_heap(vm), copy);
    }
    if (done) return state;
    gd_drop(gd_vm_heap(vm), state);
    return GD_NIL;
}

/* Steps were plain numbers in states of old. */
static bool steps_as_tensors(gd_vm *vm, gd_any state) {
    gd_any key, value, step;
    double number;
    size_t at = 0;
    for (bool first = true; gd_dict_each(gd_as_dict(state), &at, &key, &value); first = false) {
        if (!gd_is_dict(value) || gd_is_nil(step = gd_optim_get(vm, value, "step")))
            return gd_pending(vm) ? false
                                  : (gd_raise(vm, &gd_class_TypeError, "a parameter's state must be a dict"), false);
        if (first && gd_is_tensor(step)) return true;
        if (!gd_to_real(vm, step, &number)) return false;
        gd_tensor *t = gd_scalar_f64(vm->ctx, number, GD_FLOAT32);
        if (!t) return gd_raise_engine(vm), false;
        if (!gd_optim_set(vm, value, "step", GD_ANY_TENSOR(t))) return false;
    }
    return true;
}

/* A group saved by an older version has the defaults of what came later. */
static bool add_missing(gd_vm *vm, const gd_optim_kind *kind, gd_any group) {
    gd_any there;
    for (const char *const *name = kind->later; *name; name++) {
        int found = gd_optim_find(vm, group, *name, &there);
        for (int i = 0; !found && i < kind->narguments; i++)
            if (!strcmp(kind->arguments[i].name, *name) && !gd_optim_set(vm, group, *name, kind->arguments[i].value))
                return false;
        if (found < 0) return false;
    }
    return true;
}

/* The saved groups, with our parameters in place of their indexes. */
static bool take_groups(gd_vm *vm, const gd_optimizer *o, gd_any saved) {
    for (size_t g = 0; g < gd_entries(saved); g++) {
        gd_any params = gd_optim_params(vm, gd_entry(o->param_groups, g));
        if (gd_is_nil(params) || !gd_optim_set(vm, gd_entry(saved, g), "params", gd_keep(params)) ||
            !add_missing(vm, gd_optim_kind_of(o), gd_entry(saved, g)))
            return false;
    }
    return true;
}

static void replace(gd_vm *vm, gd_any *at, gd_any value) {
    gd_any old = *at;
    *at = gd_keep(value);
    gd_drop(gd_vm_heap(vm), old);
}

/* Nothing of the optimizer changes until all is known to fit. */
static bool load(gd_hold *hold, gd_optimizer *o, gd_any given) {
    gd_vm *vm = hold->vm;
    copying plain = {.vm = vm};
    gd_any groups = gd_optim_get(vm, given, "param_groups");
    if (!gd_is_nil(groups)) groups = gd_hold_any(hold, copy_of(&plain, groups, false));
    gd_any saved = gd_is_nil(groups) ? groups : gd_optim_get(vm, given, "state");
    gd_any ids = gd_is_nil(saved) ? saved : gd_hold_any(hold, gd_dict_new(vm));
    if (gd_is_nil(ids) || !match_groups(vm, o, groups, ids)) return false;
    if (!gd_is_dict(saved))
        return gd_raise(vm, &gd_class_AttributeError, "'%s' object has no attribute 'items'", gd_type_name(saved)),
               false;
    gd_any state = gd_hold_any(hold, load_state(vm, saved, ids));
    if (gd_is_nil(state) || (gd_optim_kind_of(o)->step_is_tensor && !steps_as_tensors(vm, state)) ||
        !take_groups(vm, o, groups))
        return false;
    replace(vm, &o->state, state);
    replace(vm, &o->param_groups, groups);
    return true;
}

gd_any gd_optim_load_state_dict(gd_vm *vm, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}, {"state_dict", GD_NIL, false}};
    gd_any v[2];
    if (!GD_BIND(vm, "Optimizer.load_state_dict", wanted, args, v)) return GD_NIL;
    if (!gd_is(v[1], &gd_class_dict))
        return gd_raise(vm, &gd_class_TypeError, "'%s' object is not subscriptable", gd_type_name(v[1]));
    gd_hold hold = {.vm = vm};
    bool done = load(&hold, (gd_optimizer *)v[0].u.object, v[1]);
    gd_hold_end(&hold);
    return done ? GD_ANY_NONE : GD_NIL;
}
