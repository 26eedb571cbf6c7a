/* stored.c: runs of stored functions: begin, module, end, and calls of the function from C with the reading of what it
 * returned. See stored.h; gradcheck is in stored_check.c.
 */
#include "core/program/stored_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- runs ------------------------------------------------------------------------------------ */

/* print may say what it likes: vm_limits.c counts it against the limit. */
static bool discard(void *user, const char *text, size_t bytes) {
    (void)user, (void)text, (void)bytes;
    return true;
}

gd_stored_run *gd_stored_begin(gd_env *env, const gd_program_limits *limits, const _Atomic bool *stop) {
    gd_stored_run *run = calloc(1, sizeof *run);
    if (!run) return NULL;
    run->options = (gd_program_options){.limits = *limits, .stop = stop, .write = discard};
    run->text = GD_NIL;
    run->result = (gd_program_result){.env = env};
    gd_vm_begin(&run->vm, env, &run->options);
    env->running = &run->vm;
    return run;
}

void gd_stored_end(gd_stored_run *run) {
    if (!run) return;
    gd_drop(run->vm.env->heap, run->text);
    gd_program_result_clear(&run->result);
    gd_run_end(&run->vm);
    free(run);
}

const gd_program_result *gd_stored_failure(const gd_stored_run *run) { return &run->result; }

uint32_t gd_stored_line(const gd_stored_run *run) {
    const gd_frame *frame = run->vm.frame;
    return frame ? gd_bytecode_at(frame->code, frame->pc - 1).line : 0;
}

bool gd_stored_failed(gd_stored_run *run) {
    gd_env *env = run->result.env;
    gd_program_result_clear(&run->result);
    run->result.env = env;
    gd_run_failure(&run->vm, run->text, &run->result);
    return false;
}

static void set_global(gd_env *env, int64_t index, gd_any value) {
    gd_any old = env->globals[index].value;
    env->globals[index].value = value;
    gd_drop(env->heap, old);
}

bool gd_stored_bind(gd_stored_run *run, const char *name, gd_tensor *t) {
    int64_t index = gd_env_global(&run->vm, name);
    if (index < 0) return gd_stored_failed(run);
    set_global(run->vm.env, index, GD_ANY_TENSOR(gd_retain(t)));
    return true;
}

bool gd_stored_module(gd_stored_run *run, const char *source, size_t bytes) {
    gd_heap *heap = run->vm.env->heap;
    gd_bytecode *code = gd_run_compile(&run->vm, source, bytes, false, &run->text, &run->result);
    if (!code) return false;
    gd_any v = gd_run_code(&run->vm, code);
    gd_drop(heap, GD_ANY_OBJECT(code));
    gd_drop(heap, v);
    run->generator = run->vm.ctx->generator;
    return gd_is_nil(v) ? gd_stored_failed(run) : true;
}

/* ---- arguments ------------------------------------------------------------------------------- */

gd_any gd_stored_any(gd_vm *vm, const gd_value *v) {
    switch (v->kind) {
    case GD_V_TENSOR: return gd_any_of(v->u.tensor);
    case GD_V_BOOL: return GD_ANY_BOOL(v->u.boolean);
    case GD_V_INT: return GD_ANY_INT(v->u.integer);
    case GD_V_FLOAT: return GD_ANY_FLOAT(v->u.real);
    case GD_V_STR: return gd_str_c(vm, v->u.str);
    default: return GD_ANY_NONE;
    }
}

bool gd_stored_arguments(gd_hold *hold, const gd_stored_argument *args, int nargs, gd_args *out) {
    size_t room = (size_t)nargs + 1;
    gd_any *v = gd_hold_bytes(hold, room, sizeof *v);
    gd_str **names = v ? gd_hold_bytes(hold, room, sizeof *names) : NULL;
    if (!names) return false;
    uint32_t npos = 0, nkw = 0;
    bool by_name = false; /* behind one that is left out, positions would be wrong */
    for (int i = 0; i < nargs; i++) {
        by_name = by_name || args[i].absent || args[i].keyword_only;
        if (args[i].absent) continue;
        gd_any value = gd_hold_any(hold, gd_stored_any(hold->vm, &args[i].value));
        if (gd_is_nil(value)) return false;
        v[npos + nkw] = value;
        if (!by_name) {
            npos++;
            continue;
        }
        gd_any name = gd_hold_any(hold, gd_str_c(hold->vm, args[i].name));
        if (gd_is_nil(name)) return false;
        names[nkw++] = gd_as_str(name);
    }
    *out = (gd_args){.v = v, .npos = npos, .nkw = nkw, .names = names};
    return true;
}

gd_any gd_stored_global(gd_vm *vm, const char *name) {
    int64_t index = gd_env_global(vm, name);
    if (index < 0) return GD_NIL;
    gd_any f = vm->env->globals[index].value;
    return gd_is_nil(f) ? gd_raise(vm, &gd_class_NameError, "name '%s' is not defined", name) : gd_keep(f);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static gd_tensor *number_tensor(gd_vm *vm, gd_any v) {
    gd_value value = v.tag == GD_A_BOOL  ? GD_BOOL_VALUE(v.u.i != 0)
                     : v.tag == GD_A_INT ? GD_INT_VALUE(v.u.i)
                                         : GD_FLOAT_VALUE(v.u.f);
    gd_tensor *t = gd_from_value(vm->ctx, &value, NULL, false);
    if (!t) gd_raise_engine(vm);
    return t;
}

static bool wrong(gd_stored_answer *answer, const char *format, const char *text) {
    (void)snprintf(answer->wrong, sizeof answer->wrong, format, text);
    return false;
}

/* One entry of the answer. */
static bool take(gd_vm *vm, gd_any v, gd_stored_answer *answer) {
    if (gd_is_tensor(v) || gd_is_number(v)) {
        gd_tensor *t = gd_is_tensor(v) ? gd_retain(v.u.tensor) : number_tensor(vm, v);
        if (t) answer->tensors[answer->n++] = t;
        return t != NULL;
    }
    if (!answer->sequence)
        return wrong(answer, "the function returns a value of type '%.60s', not a tensor", gd_type_name(v));
    return wrong(answer,
                 "the function returns a '%.60s' among its outputs: only tensors and numbers may be in its tuple, list "
                 "or dict",
                 gd_type_name(v));
}

static bool reserve(gd_vm *vm, size_t n, gd_stored_answer *answer) {
    char text[64];
    (void)snprintf(text, sizeof text, "%zu tensors, the most are %d", n, GD_STORED_OUTPUTS);
    if (n == 0) return wrong(answer, "the function returns no %s", "tensor");
    if (n > GD_STORED_OUTPUTS) return wrong(answer, "the function returns %s", text);
    answer->tensors = calloc(n, sizeof(gd_tensor *));
    if (answer->tensors) return true;
    gd_vm_no_memory(vm);
    return false;
}

static bool take_name(gd_vm *vm, gd_any key, gd_stored_answer *answer) {
    if (!gd_is_str(key))
        return wrong(answer, "the function returns a dict with a key of type '%.60s', not 'str'", gd_type_name(key));
    if (strlen(gd_as_str(key)->text) != gd_as_str(key)->bytes)
        return wrong(answer, "the function returns a dict with a key that has a NUL in %s", "it");
    answer->names[answer->n] = strdup(gd_as_str(key)->text);
    if (answer->names[answer->n]) return true;
    gd_vm_no_memory(vm);
    return false;
}

static bool take_dict(gd_vm *vm, const gd_dict *d, gd_stored_answer *answer) {
    gd_any key, value;
    if (!reserve(vm, gd_dict_count(d), answer)) return false;
    answer->names = calloc(gd_dict_count(d) + 1, sizeof(char *));
    if (!answer->names) {
        gd_vm_no_memory(vm);
        return false;
    }
    for (size_t at = 0; gd_dict_each(d, &at, &key, &value);)
        if (!take_name(vm, key, answer) || !take(vm, value, answer)) return false;
    return true;
}

bool gd_stored_read(gd_vm *vm, gd_any v, gd_stored_answer *answer) {
    const gd_any *items = &v;
    size_t n = 1;
    answer->sequence = true;
    if (gd_is(v, &gd_class_dict)) return take_dict(vm, (const gd_dict *)v.u.object, answer);
    answer->sequence = gd_items(v, &items, &n);
    if (!reserve(vm, n, answer)) return false;
    for (size_t i = 0; i < n; i++)
        if (!take(vm, items[i], answer)) return false;
    return true;
}

void gd_stored_answer_clear(gd_stored_answer *answer) {
    for (int i = 0; i < answer->n; i++) gd_release(answer->tensors[i]);
    for (int i = 0; answer->names && answer->names[i]; i++) free(answer->names[i]);
    free(answer->names);
    free(answer->tensors);
    *answer = (gd_stored_answer){0};
}

bool gd_stored_call(gd_stored_run *run, const char *name, const gd_stored_argument *args, int nargs,
                    gd_stored_answer *answer) {
    gd_hold hold = {.vm = &run->vm};
    gd_args bound;
    *answer = (gd_stored_answer){0};
    gd_any f = gd_hold_any(&hold, gd_stored_global(&run->vm, name));
    bool ok = !gd_is_nil(f) && gd_stored_arguments(&hold, args, nargs, &bound);
    gd_any v = ok ? gd_hold_any(&hold, gd_call_any(&run->vm, f, &bound)) : GD_NIL;
    ok = !gd_is_nil(v) && gd_stored_read(&run->vm, v, answer);
    gd_hold_end(&hold);
    if (ok) return true;
    char text[sizeof answer->wrong];
    memcpy(text, answer->wrong, sizeof text);
    gd_stored_answer_clear(answer);
    memcpy(answer->wrong, text, sizeof text);
    return text[0] ? false : gd_stored_failed(run);
}
