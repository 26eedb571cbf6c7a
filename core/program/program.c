/* program.c: runs of programs: parse, compile, run, and what the caller is told; functions called from outside a run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/env.h"

/* ---- what happened --------------------------------------------------------------------------- */

static char *copy_text(const char *text, size_t bytes) {
    char *copy = malloc(bytes + 1);
    if (!copy) return NULL;
    memcpy(copy, text, bytes);
    copy[bytes] = 0;
    return copy;
}

static const char *limit_message(const gd_vm *vm, char text[128]) {
    const gd_program_limits *l = &vm->options->limits;
    switch (vm->passed) {
    case GD_LIMIT_STEPS:
        (void)snprintf(text, 128, "the program took more than %llu steps", (unsigned long long)l->steps);
        break;
    case GD_LIMIT_SECONDS: (void)snprintf(text, 128, "the program ran for more than %g seconds", l->seconds); break;
    case GD_LIMIT_MEMORY:
        (void)snprintf(text, 128, "the program's values took more than %zu bytes", l->memory_bytes);
        break;
    case GD_LIMIT_RECURSION: (void)snprintf(text, 128, "the program nested more than %u calls", l->recursion); break;
    case GD_LIMIT_OUTPUT: (void)snprintf(text, 128, "the program printed more than %zu bytes", l->output_bytes); break;
    default: (void)snprintf(text, 128, "the program was stopped"); break;
    }
    return text;
}

static void tell_at(gd_program_result *result, gd_at at) {
    result->line = at.line;
    result->column = at.column;
    result->end_column = at.end_line == at.line ? at.end_column : 0;
}

static void tell_limit(gd_vm *vm, gd_program_result *result) {
    char text[128];
    limit_message(vm, text);
    result->status = GD_PROGRAM_LIMIT;
    result->limit = vm->passed;
    result->message = strdup(text);
    tell_at(result, vm->limit_at);
    result->trace = gd_trace_limit(vm, text);
}

static void tell_syntax(gd_vm *vm, const char *source, size_t bytes, const gd_syntax_error *error,
                        gd_program_result *result) {
    if (error->memory) {
        if (!vm->passed) gd_vm_limit(vm, GD_LIMIT_MEMORY);
        tell_limit(vm, result);
        return;
    }
    result->status = GD_PROGRAM_SYNTAX;
    (void)snprintf(result->exception, sizeof result->exception, "%s", error->type);
    result->message = strdup(error->message);
    tell_at(result, error->at);
    result->trace = gd_trace_syntax(source, bytes, error);
}

/* str(e) as new text; exceptions on the way are dropped. */
static char *exception_text(gd_vm *vm, gd_any e) {
    gd_any text = gd_str_of(vm, e);
    char *copy = gd_is_nil(text) ? strdup("") : copy_text(gd_as_str(text)->text, gd_as_str(text)->bytes);
    gd_drop(vm->env->heap, text);
    gd_drop(vm->env->heap, vm->exception);
    vm->exception = GD_NIL;
    return copy;
}

/* The pending exception becomes the result's. */
static void tell_exception(gd_vm *vm, gd_any source, gd_program_result *result) {
    gd_any pending = vm->exception;
    gd_exception *e = (gd_exception *)pending.u.object;
    const char *name = gd_class_short(e->head.class);
    vm->exception = GD_NIL;
    result->status = GD_PROGRAM_RAISED;
    result->code = e->code;
    (void)snprintf(result->exception, sizeof result->exception, "%s", name);
    result->message = exception_text(vm, pending);
    tell_at(result, gd_traceback_at(e, source));
    result->trace = gd_trace_text(vm, e);
    gd_drop(vm->env->heap, pending);
}

void gd_run_failure(gd_vm *vm, gd_any source, gd_program_result *result) {
    if (vm->passed)
        tell_limit(vm, result);
    else if (!gd_is_nil(vm->exception))
        tell_exception(vm, source, result);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void tell_assigned(const gd_env *env, gd_program_result *result) {
    size_t n = 0;
    for (size_t i = 0; i < env->nglobals; i++) n += env->globals[i].written;
    result->assigned = n ? calloc(n, sizeof(char *)) : NULL;
    for (size_t i = 0; i < env->nglobals && result->assigned; i++) {
        const gd_global *g = &env->globals[i];
        if (!g->written || gd_is_nil(g->value) || gd_is(g->value, &gd_class_module)) continue;
        char *name = strdup(g->name->text);
        if (name) result->assigned[result->nassigned++] = name;
    }
    if (result->nassigned) qsort(result->assigned, result->nassigned, sizeof(char *), by_name);
}

/* Takes the value. */
static void tell_value(gd_vm *vm, gd_any v, gd_program_result *result) {
    gd_any text = gd_is_none(v) ? GD_NIL : gd_repr_of(vm, v);
    if (!gd_is_nil(text)) {
        result->shown = copy_text(gd_as_str(text)->text, gd_as_str(text)->bytes);
        gd_any *kept = malloc(sizeof *kept);
        if (kept) *kept = gd_keep(v);
        result->value = kept;
    }
    gd_drop(vm->env->heap, text);
    gd_drop(vm->env->heap, v);
}

static void tell_output(gd_vm *vm, gd_program_result *result) {
    if (!vm->options->write) {
        result->output = copy_text(vm->out.text ? vm->out.text : "", vm->out.bytes);
        result->output_bytes = result->output ? vm->out.bytes : 0;
    }
    gd_buffer_free(&vm->out);
}

/* ---- runs ------------------------------------------------------------------------------------ */

gd_bytecode *gd_run_compile(gd_vm *vm, const char *source, size_t bytes, bool expression, gd_any *text,
                            gd_program_result *result) {
    gd_syntax_error error = {.type = "SyntaxError"};
    size_t most = vm->options->limits.memory_bytes;
    gd_tree *tree =
        expression ? gd_parse_expression(source, bytes, most, &error) : gd_parse(source, bytes, most, &error);
    gd_bytecode *code = NULL;
    *text = tree ? gd_str_new(vm, source, bytes) : GD_NIL;
    if (tree && gd_is_nil(*text))
        error.memory = true;
    else if (tree)
        code = gd_compile_module(vm, tree, *text, expression, &error);
    gd_tree_free(tree);
    if (!code) tell_syntax(vm, source, bytes, &error, result);
    return code;
}

gd_any gd_run_code(gd_vm *vm, gd_bytecode *code) {
    bool yielded;
    gd_frame *frame = gd_frame_new(vm, code, NULL);
    if (!frame) return GD_NIL;
    frame->flags = GD_FRAME_ENTRY;
    return gd_vm_execute(vm, &yielded);
}

void gd_run_end(gd_vm *vm) {
    gd_env *env = vm->env;
    gd_drop(env->heap, vm->exception);
    vm->exception = GD_NIL;
    if (vm->limit_code) gd_drop(env->heap, GD_ANY_OBJECT(vm->limit_code));
    gd_buffer_free(&vm->out);
    gd_vm_end(vm);
    env->running = NULL;
}

void gd_program_run(gd_env *env, const char *source, size_t bytes, const gd_program_options *options,
                    gd_program_result *result) {
    gd_vm vm;
    gd_any text;
    *result = (gd_program_result){.env = env};
    gd_vm_begin(&vm, env, options);
    env->running = &vm;
    gd_bytecode *code = gd_run_compile(&vm, source, bytes, false, &text, result);
    if (code) {
        gd_env_read(env);
        gd_any v = gd_run_code(&vm, code);
        gd_drop(env->heap, GD_ANY_OBJECT(code));
        if (!gd_is_nil(v)) tell_value(&vm, v, result);
        gd_run_failure(&vm, text, result);
        tell_assigned(env, result);
        gd_env_write(env);
    }
    tell_output(&vm, result);
    gd_drop(env->heap, text);
    gd_run_end(&vm);
    gd_heap_collect(env->heap);
}

void gd_program_result_clear(gd_program_result *result) {
    gd_any *value = result->value;
    if (value) gd_drop(result->env->heap, *value);
    free(value);
    free(result->output);
    free(result->shown);
    for (size_t i = 0; i < result->nassigned; i++) free(result->assigned[i]);
    free(result->assigned);
    free(result->message);
    free(result->trace);
    *result = (gd_program_result){0};
}

/* ---- functions called from outside ----------------------------------------------------------- */

/* What is pending becomes the context's error; it stays pending. */
static void tell_context(gd_vm *vm) {
    gd_any e = vm->exception;
    char text[128];
    if (vm->passed) {
        (void)gd_fail(vm->ctx, GD_E_TOO_LARGE, "%s", limit_message(vm, text));
        return;
    }
    if (gd_is_nil(e)) return;
    vm->exception = GD_NIL;
    char *message = exception_text(vm, e);
    gd_code code = ((gd_exception *)e.u.object)->code;
    if (vm->passed)
        (void)gd_fail(vm->ctx, GD_E_TOO_LARGE, "%s", limit_message(vm, text));
    else if (code != GD_OK)
        (void)gd_fail(vm->ctx, code, "%s", message ? message : "");
    else
        (void)gd_fail(vm->ctx, GD_E_RUNTIME, "%s: %s", gd_class_short(e.u.object->class), message ? message : "");
    free(message);
    if (vm->passed)
        gd_drop(vm->env->heap, e);
    else
        vm->exception = e;
}

gd_any gd_env_call(gd_env *env, gd_any f, gd_any arg, const gd_program_limits *limits) {
    gd_any v;
    if (env->running) {
        v = gd_call_1(env->running, f, arg);
        if (gd_is_nil(v)) tell_context(env->running);
        return v;
    }
    gd_program_options options = {.limits = *limits};
    gd_vm vm;
    gd_vm_begin(&vm, env, &options);
    env->running = &vm;
    gd_env_read(env);
    v = gd_call_1(&vm, f, arg);
    if (gd_is_nil(v)) tell_context(&vm);
    gd_env_write(env);
    gd_run_end(&vm);
    return v;
}

/* Registers the function that the expression gave. */
static bool hook_with(gd_vm *vm, gd_tensor *t, gd_any f, const gd_program_limits *limits, uint64_t *handle) {
    if (!gd_is_callable(f)) {
        gd_raise(vm, &gd_class_TypeError, "a hook must be a function, not '%s'", gd_class_label(f));
        return false;
    }
    if (gd_env_hook_tensor(vm->env, t, f, limits, handle) == GD_OK) return true;
    gd_raise_engine(vm);
    return false;
}

bool gd_program_add_hook(gd_env *env, gd_tensor *t, const char *source, size_t bytes, const gd_program_limits *limits,
                         uint64_t *handle, gd_program_result *result) {
    gd_program_options options = {.limits = *limits};
    gd_vm vm;
    gd_any text;
    bool ok = false;
    *result = (gd_program_result){.env = env};
    gd_vm_begin(&vm, env, &options);
    env->running = &vm;
    gd_bytecode *code = gd_run_compile(&vm, source, bytes, true, &text, result);
    if (code) {
        gd_env_read(env);
        gd_any f = gd_run_code(&vm, code);
        ok = !gd_is_nil(f) && hook_with(&vm, t, f, limits, handle);
        gd_drop(env->heap, f);
        gd_drop(env->heap, GD_ANY_OBJECT(code));
        gd_run_failure(&vm, text, result);
        gd_env_write(env);
    }
    gd_drop(env->heap, text);
    gd_run_end(&vm);
    return ok;
}
