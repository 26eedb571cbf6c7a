/* vm_limits.c: what a run may use up: steps, time, nesting, output, and the wish from outside that it stop. */
#include "core/program/code.h"

#include <stdatomic.h>
#include <time.h>

/* Steps between two looks at the clock and the stop flag. */
enum { FUSE = 512, RESERVE_BYTES = 256 * 1024 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void refill(gd_vm *vm) {
    vm->fuse = vm->steps < FUSE ? vm->steps : FUSE;
    vm->steps -= vm->fuse;
    vm->fuse++; /* it is burnt when it reaches 0 */
}

/* What earlier runs left counts too; but there is always room for a program that makes room. */
static size_t memory_limit(const gd_env *env, size_t most) {
    size_t least = gd_heap_used(env->heap) + RESERVE_BYTES;
    return most && most < least ? least : most;
}

void gd_vm_begin(gd_vm *vm, gd_env *env, const gd_program_options *options) {
    const gd_program_limits *limits = &options->limits;
    *vm = (gd_vm){.env = env, .ctx = env->ctx, .exception = GD_NIL, .options = options};
    vm->out.vm = vm;
    vm->steps = limits->steps ? limits->steps : UINT64_MAX;
    vm->deadline = limits->seconds > 0 ? now() + limits->seconds : 0;
    refill(vm);
    gd_heap_set_limit(env->heap, memory_limit(env, limits->memory_bytes));
}

void gd_vm_end(gd_vm *vm) {
    while (vm->frame) gd_frame_pop(vm);
    gd_frame_blocks_free(vm);
}

gd_any gd_vm_limit(gd_vm *vm, gd_limit limit) {
    if (vm->passed) return GD_NIL;
    vm->passed = limit;
    gd_drop(vm->env->heap, vm->exception);
    vm->exception = GD_NIL;
    return GD_NIL;
}

bool gd_pending(const gd_vm *vm) { return vm->passed || !gd_is_nil(vm->exception); }

bool gd_vm_look(gd_vm *vm) {
    const gd_program_options *options = vm->options;
    if (options->stop && atomic_load_explicit(options->stop, memory_order_relaxed))
        gd_vm_limit(vm, GD_LIMIT_STOPPED);
    else if (vm->deadline > 0 && now() >= vm->deadline)
        gd_vm_limit(vm, GD_LIMIT_SECONDS);
    return !vm->passed;
}

bool gd_vm_tick(gd_vm *vm) {
    if (vm->passed) return false;
    if (vm->steps == 0) {
        gd_vm_limit(vm, GD_LIMIT_STEPS);
        vm->fuse = 1;
        return false;
    }
    refill(vm);
    if (!gd_vm_look(vm)) return false;
    gd_heap_tend(vm->env->heap);
    return true;
}

bool gd_work(gd_vm *vm, uint64_t work) {
    if (work < vm->fuse) {
        vm->fuse -= work;
        return true;
    }
    if (vm->passed) return false;
    work -= vm->fuse - 1;
    if (work > vm->steps) {
        vm->steps = 0;
        vm->fuse = 1;
        gd_vm_limit(vm, GD_LIMIT_STEPS);
        return false;
    }
    vm->steps -= work;
    refill(vm);
    return gd_vm_look(vm);
}

bool gd_deeper(gd_vm *vm) {
    if (vm->native_depth >= GD_NATIVE_DEPTH) {
        gd_raise(vm, &gd_class_RecursionError, "maximum recursion depth exceeded");
        return false;
    }
    vm->native_depth++;
    return true;
}

void gd_shallower(gd_vm *vm) { vm->native_depth--; }

bool gd_vm_print(gd_vm *vm, const char *text, size_t bytes) {
    const gd_program_options *options = vm->options;
    size_t most = options->limits.output_bytes;
    if (vm->passed) return false;
    if (most && bytes > most - vm->written) {
        gd_vm_limit(vm, GD_LIMIT_OUTPUT);
        return false;
    }
    vm->written += bytes;
    if (!gd_work(vm, bytes / 256)) return false;
    if (options->write) {
        if (!options->write(options->user, text, bytes)) gd_vm_limit(vm, GD_LIMIT_STOPPED);
        return !vm->passed;
    }
    gd_buffer_put(&vm->out, text, bytes);
    return !vm->out.failed;
}

const char *gd_limit_name(gd_limit limit) {
    static const char *const names[] = {
        [GD_LIMIT_NONE] = "none",       [GD_LIMIT_STEPS] = "steps",         [GD_LIMIT_SECONDS] = "time",
        [GD_LIMIT_MEMORY] = "memory",   [GD_LIMIT_RECURSION] = "recursion", [GD_LIMIT_OUTPUT] = "output",
        [GD_LIMIT_STOPPED] = "stopped",
    };
    return names[limit];
}
