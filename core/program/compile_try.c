/* compile_try.c: try and with, and what break, continue and return do on their way out of them.
 *
 * A guarded stretch of instructions ends where such an exit is compiled and begins anew behind it, so what an exit
 * runs (a finally, the end of a context) is guarded by the outer blocks only.
 */
#include "core/program/compile.h"

void gd_block_begin(gd_compiler *c, gd_block *block, gd_block_kind kind) {
    gd_unit *u = c->unit;
    *block = (gd_block){.kind = kind, .outer = u->blocks, .depth = u->depth, .waits = UINT32_MAX - c->handlers++};
    if (u->code) {
        block->start = u->code->nins;
        block->first_guard = u->code->nguards;
    }
    u->blocks = block;
}

static void guard_till_here(gd_compiler *c, const gd_block *block) {
    if (c->failed || block->kind == GD_BLOCK_LOOP) return;
    gd_guard_kind kind = block->kind == GD_BLOCK_CONTEXT ? GD_GUARD_CONTEXT : GD_GUARD_HANDLER;
    gd_add_guard(c, (gd_guard){block->start, c->unit->code->nins, block->waits, block->depth, kind});
}

void gd_block_end(gd_compiler *c) {
    guard_till_here(c, c->unit->blocks);
    c->unit->blocks = c->unit->blocks->outer;
}

static void leave_block(gd_compiler *c, const gd_block *block) {
    if (block->kind == GD_BLOCK_FINALLY)
        gd_compile_statements(c, block->final);
    else if (block->kind == GD_BLOCK_CONTEXT)
        gd_emit(c, GD_OP__LEAVE, 0, block->depth - 1, 0);
    else if (block->kind == GD_BLOCK_NAMED)
        gd_compile_name(c, block->name, GD_NAME_CLEAR);
}

void gd_leave_blocks(gd_compiler *c, const gd_block *to) {
    gd_block *all = c->unit->blocks;
    gd_at at = c->unit->at;
    for (gd_block *b = all; b != to && !c->failed; b = b->outer) {
        guard_till_here(c, b);
        c->unit->blocks = b->outer;
        leave_block(c, b);
    }
    c->unit->blocks = all;
    c->unit->at = at;
    for (gd_block *b = all; b != to && !c->failed; b = b->outer) b->start = c->unit->code->nins;
}

/* The stretch from `from` on, till here, handles the exception at `depth`. */
static void guard_handling(gd_compiler *c, uint32_t from, uint32_t depth) {
    if (c->failed) return;
    gd_add_guard(c, (gd_guard){from, c->unit->code->nins, 0, depth, GD_GUARD_HANDLING});
}

static uint32_t here(gd_compiler *c) { return c->failed ? 0 : c->unit->code->nins; }

/* ---- except ---------------------------------------------------------------------------------- */

/* The body of `except … as name`; whatever happens, the name is unbound at its end. */
static void named_body(gd_compiler *c, gd_ast *handler) {
    gd_block block;
    gd_emit(c, GD_OP__DUP, 0, 0, 1);
    gd_compile_name(c, handler->u.handler.name, GD_NAME_STORE);
    gd_block_begin(c, &block, GD_BLOCK_NAMED);
    block.name = handler->u.handler.name;
    gd_compile_statements(c, handler->u.handler.body);
    gd_block_end(c);
    gd_compile_name(c, block.name, GD_NAME_CLEAR);
    gd_label past = GD_LABEL;
    gd_emit_jump(c, GD_OP__JUMP, 0, &past, 0);
    gd_place_handler(c, &block);
    gd_compile_name(c, block.name, GD_NAME_CLEAR);
    gd_emit(c, GD_OP__RERAISE, 0, 0, -1);
    gd_land(c, &past);
    gd_set_depth(c, block.depth);
}

/* The exception lies on top; the next handler sees it there too. */
static void compile_handler(gd_compiler *c, gd_ast *handler, gd_label *end) {
    gd_label next = GD_LABEL;
    uint32_t depth = c->unit->depth;
    c->unit->at = handler->at;
    if (handler->u.handler.type) {
        gd_compile_value(c, handler->u.handler.type);
        gd_emit(c, GD_OP__MATCH, 0, 0, 0);
        gd_emit_jump(c, GD_OP__JUMP_FALSE, 0, &next, -1);
    }
    if (handler->u.handler.name)
        named_body(c, handler);
    else
        gd_compile_statements(c, handler->u.handler.body);
    gd_emit(c, GD_OP__POP, 0, 0, -1);
    gd_emit_jump(c, GD_OP__JUMP, 0, end, 0);
    gd_land(c, &next);
    gd_set_depth(c, depth);
}

static void try_handlers(gd_compiler *c, gd_ast *node) {
    gd_block block;
    gd_label end = GD_LABEL;
    gd_block_begin(c, &block, GD_BLOCK_HANDLER);
    gd_compile_statements(c, node->u.try_.body);
    gd_block_end(c);
    gd_compile_statements(c, node->u.try_.orelse);
    gd_emit_jump(c, GD_OP__JUMP, 0, &end, 0);
    gd_place_handler(c, &block);
    uint32_t from = here(c);
    for (gd_ast *h = node->u.try_.handlers; h && !c->failed; h = h->next) compile_handler(c, h, &end);
    gd_emit(c, GD_OP__RERAISE, 0, 0, -1);
    guard_handling(c, from, block.depth);
    gd_land(c, &end);
    gd_set_depth(c, block.depth);
}

void gd_compile_try(gd_compiler *c, gd_ast *node) {
    gd_block block;
    gd_label end = GD_LABEL;
    bool final = node->u.try_.has_final;
    if (final) {
        gd_block_begin(c, &block, GD_BLOCK_FINALLY);
        block.final = node->u.try_.final;
    }
    if (node->u.try_.handlers)
        try_handlers(c, node);
    else
        gd_compile_statements(c, node->u.try_.body);
    if (!final) return;
    gd_block_end(c);
    gd_compile_statements(c, block.final);
    gd_emit_jump(c, GD_OP__JUMP, 0, &end, 0);
    gd_place_handler(c, &block);
    uint32_t from = here(c);
    gd_compile_statements(c, block.final);
    gd_emit(c, GD_OP__RERAISE, 0, 0, -1);
    guard_handling(c, from, block.depth);
    gd_land(c, &end);
    gd_set_depth(c, block.depth);
}

/* ---- with ------------------------------------------------------------------------------------ */

static void with_item(gd_compiler *c, gd_ast *node, gd_ast *item) {
    if (!item) {
        gd_compile_statements(c, node->u.with.body);
        return;
    }
    if (c->failed || !gd_compile_deeper(c, item->at)) return;
    gd_block block;
    gd_at at = item->u.with_item.context->at;
    gd_compile_value(c, item->u.with_item.context);
    c->unit->at = at;
    gd_emit(c, GD_OP__ENTER, 0, 0, 1);
    gd_block_begin(c, &block, GD_BLOCK_CONTEXT);
    block.depth--;
    if (item->u.with_item.target)
        gd_compile_target(c, item->u.with_item.target);
    else
        gd_emit(c, GD_OP__POP, 0, 0, -1);
    with_item(c, node, item->next);
    gd_block_end(c);
    c->unit->at = at;
    gd_emit(c, GD_OP__LEAVE, 0, block.depth - 1, 0);
    gd_emit(c, GD_OP__POP, 0, 0, -1);
    c->nesting--;
}

void gd_compile_with(gd_compiler *c, gd_ast *node) { with_item(c, node, node->u.with.items); }
