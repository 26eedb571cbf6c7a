/* frame.c: frames of calls, which lie one behind the other in blocks of their own, never on the C stack. */
#include "core/program/code.h"

#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

typedef struct gd_frame_block {
    struct gd_frame_block *older;
    size_t bytes, used;
    _Alignas(16) char room[];
} gd_frame_block;

size_t gd_frame_bytes(const gd_bytecode *code) {
    /* both are bounded by the program's instructions, so nothing overflows */
    return (sizeof(gd_frame) + ((size_t)code->nlocals + code->stack) * sizeof(gd_any) + 15) & ~(size_t)15;
}

static gd_frame_block *new_block(gd_vm *vm, size_t bytes) {
    size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    gd_frame_block *b = gd_heap_alloc(vm->env->heap, sizeof *b + room);
    if (!b) {
        gd_vm_no_memory(vm);
        return NULL;
    }
    *b = (gd_frame_block){.older = vm->blocks, .bytes = room};
    return vm->blocks = b;
}

static void free_newest(gd_vm *vm) {
    gd_frame_block *b = vm->blocks;
    vm->blocks = b->older;
    gd_heap_free(vm->env->heap, b, sizeof *b + b->bytes);
}

void gd_frame_blocks_free(gd_vm *vm) {
    while (vm->blocks) free_newest(vm);
}

void gd_frame_setup(gd_frame *frame, gd_bytecode *code, gd_closure *function, size_t bytes) {
    gd_any *slots = frame->slots;
    *frame = (gd_frame){.function = function, .code = code, .pc = code->ins, .bytes = bytes};
    frame->sp = frame->stack = slots + code->nlocals;
    for (uint32_t i = 0; i < code->nlocals; i++) slots[i] = GD_NIL;
    if (function)
        function->head.refs++;
    else
        code->head.refs++;
}

gd_frame *gd_frame_new(gd_vm *vm, gd_bytecode *code, gd_closure *function) {
    size_t bytes = gd_frame_bytes(code);
    gd_frame_block *b = vm->blocks;
    uint32_t most = vm->options->limits.recursion;
    if (most && vm->frame_depth > most) {
        gd_vm_limit(vm, GD_LIMIT_RECURSION);
        return NULL;
    }
    if ((!b || b->bytes - b->used < bytes) && !(b = new_block(vm, bytes))) return NULL;
    gd_frame *frame = (gd_frame *)(void *)(b->room + b->used);
    b->used += bytes;
    gd_frame_setup(frame, code, function, bytes);
    frame->back = vm->frame;
    vm->frame = frame;
    vm->frame_depth++;
    return frame;
}

void gd_frame_clear(gd_heap *heap, gd_frame *frame) {
    for (gd_any *v = frame->slots; v < frame->sp; v++) gd_drop(heap, *v);
    gd_drop(heap, frame->function ? GD_ANY_OBJECT(frame->function) : GD_ANY_OBJECT(frame->code));
    frame->sp = frame->slots;
}

void gd_frame_pop(gd_vm *vm) {
    gd_frame *frame = vm->frame;
    size_t bytes = frame->bytes;
    bool owned = frame->flags & GD_FRAME_OWNED;
    gd_frame_clear(vm->env->heap, frame);
    vm->frame = frame->back;
    vm->frame_depth--;
    if (owned) return;
    if (vm->blocks->used == 0) free_newest(vm); /* one empty block is kept, lest calls at its border take one each */
    vm->blocks->used -= bytes;
}
