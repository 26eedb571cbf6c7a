/* vm.c: the machine: one loop that runs the instructions of the innermost frame. What an instruction does beyond a few
 * lines is in vm_values.c, vm_call.c and vm_exceptions.c.
 *
 * `sp` is behind the stack's top. While an instruction runs its operands stay on the stack, so an exception finds them
 * there; gd_vm_unwind drops them. frame->pc and frame->sp are written before anything that may look at the frame.
 */
#include "core/program/vm_loop.h"

gd_any gd_vm_execute(gd_vm *vm, bool *yielded) {
    static const void *const labels[] = {
#define X(name) &&L_##name,
        GD_OPCODES(X)
#undef X
    };
    gd_heap *heap = vm->env->heap;
    gd_global *globals = vm->env->globals;
    gd_frame *frame;
    const gd_ins *pc, *code;
    gd_any *sp, *slots;
    const gd_any *constants;
    gd_ins ins;
    gd_any *f, *bottom; /* of a call: what is called, its arguments follow; where the result goes */
    *yielded = false;
    LOAD_FRAME;
    NEXT;

    /* ---- values ---- */
    CASE(CONST) {
        PUSH(gd_keep(constants[ins.b]));
        NEXT;
    }
    CASE(LOCAL) { LOAD(slots[ins.b], false); }
    CASE(SET_LOCAL) { STORE(slots[ins.b]); }
    CASE(DELETE_LOCAL) { MUST_BE_SET(slots[ins.b], false); }
    CASE(CLEAR_LOCAL) { CLEAR(slots[ins.b]); }
    CASE(CELL) { LOAD(CELL_IN(ins.b), false); }
    CASE(SET_CELL) { STORE(CELL_IN(ins.b)); }
    CASE(DELETE_CELL) { MUST_BE_SET(CELL_IN(ins.b), false); }
    CASE(CLEAR_CELL) { CLEAR(CELL_IN(ins.b)); }
    CASE(FREE) { LOAD(FREE_CELL(ins.b)->value, true); }
    CASE(SET_FREE) { STORE(FREE_CELL(ins.b)->value); }
    CASE(DELETE_FREE) { MUST_BE_SET(FREE_CELL(ins.b)->value, true); }
    CASE(CLEAR_FREE) { CLEAR(FREE_CELL(ins.b)->value); }
    CASE(GLOBAL) {
        gd_any v = globals[ins.b].value;
        if (UNLIKELY(v.tag == GD_A_NIL)) {
            v = globals[ins.b].builtin;
            if (UNLIKELY(v.tag == GD_A_NIL)) {
                gd_do_unbound_global(vm, (uint32_t)ins.b);
                goto failed;
            }
        }
        PUSH(gd_keep(v));
        NEXT;
    }
    CASE(SET_GLOBAL) {
        globals[ins.b].written = true;
        STORE(globals[ins.b].value);
    }
    CASE(DELETE_GLOBAL) {
        if (globals[ins.b].value.tag == GD_A_NIL) {
            gd_do_unbound_global(vm, (uint32_t)ins.b);
            goto failed;
        }
    }
    CASE(CLEAR_GLOBAL) {
        globals[ins.b].written = true;
        CLEAR(globals[ins.b].value);
    }
    CASE(MAKE_CELL) CASE(NEW_CELL) {
        gd_cell *cell = gd_object_new(vm, &gd_class_cell, sizeof *cell);
        if (!cell) goto failed;
        cell->value = GD_NIL;
        gd_any old = slots[ins.b];
        slots[ins.b] = GD_ANY_OBJECT(cell);
        if (ins.op == GD_OP__MAKE_CELL)
            cell->value = old;
        else
            DROP(old);
        NEXT;
    }
    CASE(PUSH_CELL) {
        PUSH(gd_keep(slots[ins.b]));
        NEXT;
    }
    CASE(PUSH_FREE) {
        PUSH(gd_keep(GD_ANY_OBJECT(FREE_CELL(ins.b))));
        NEXT;
    }
    CASE(POP) {
        DROP_TOP;
        NEXT;
    }
    CASE(POP_TO) {
        while (sp > frame->stack + ins.b) DROP_TOP;
        NEXT;
    }
    CASE(DUP) {
        PUSH(gd_keep(sp[-1]));
        NEXT;
    }
    CASE(DUP2) {
        sp[0] = gd_keep(sp[-2]);
        sp[1] = gd_keep(sp[-1]);
        sp += 2;
        NEXT;
    }
    CASE(SWAP) {
        gd_any w = sp[-1];
        sp[-1] = sp[-2];
        sp[-2] = w;
        NEXT;
    }
    CASE(ROT3) {
        gd_any w = sp[-1];
        sp[-1] = sp[-2];
        sp[-2] = sp[-3];
        sp[-3] = w;
        NEXT;
    }

    /* ---- operators ---- */
    CASE(ADD) { ARITHMETIC(__builtin_add_overflow, +); }
    CASE(SUB) { ARITHMETIC(__builtin_sub_overflow, -); }
    CASE(MUL) { ARITHMETIC(__builtin_mul_overflow, *); }
    CASE(TRUEDIV) {
        gd_any *l = sp - 2, *r = sp - 1;
        if (l->tag == FLOAT && r->tag == FLOAT && r->u.f != 0)
            l->u.f /= r->u.f;
        else if (l->tag == FLOAT && r->tag == INT && r->u.i != 0)
            l->u.f /= (double)r->u.i;
        else if (l->tag == INT && r->tag == INT && r->u.i != 0 && exact_as_double(l->u.i) && exact_as_double(r->u.i))
            *l = GD_ANY_FLOAT((double)l->u.i / (double)r->u.i);
        else
            goto binary;
        sp--;
        NEXT;
    }
    CASE(FLOORDIV) CASE(MOD) {
        gd_any *l = sp - 2, *r = sp - 1;
        int64_t quotient, rest;
        if (l->tag != INT || r->tag != INT || !floor_divide(l->u.i, r->u.i, &quotient, &rest)) goto binary;
        l->u.i = ins.op == GD_OP__MOD ? rest : quotient;
        sp--;
        NEXT;
    }
    CASE(BINARY) {
    binary:
        REPLACE_TWO(gd_do_binary(vm, (gd_ast_op)ins.a, sp[-2], sp[-1], ins.b));
    }
    CASE(ADD_INT) {
        int64_t v;
        if (UNLIKELY(sp[-1].tag != INT || __builtin_add_overflow(sp[-1].u.i, (int64_t)ins.b, &v))) goto with_int;
        sp[-1].u.i = v;
        NEXT;
    }
    CASE(SUB_INT) {
        int64_t v;
        if (UNLIKELY(sp[-1].tag != INT || __builtin_sub_overflow(sp[-1].u.i, (int64_t)ins.b, &v))) goto with_int;
        sp[-1].u.i = v;
        NEXT;
    }

with_int:
    if (sp[-1].tag == FLOAT) {
        sp[-1].u.f = ins.op == GD_OP__ADD_INT ? sp[-1].u.f + (double)ins.b : sp[-1].u.f - (double)ins.b;
        NEXT;
    }
    REPLACE_TOP(gd_do_binary(vm, (gd_ast_op)ins.a, sp[-1], GD_ANY_INT(ins.b), false));
    CASE(BUMP_LOCAL) {
        gd_any *place = &slots[ins.b];
        int64_t v, by = (int16_t)ins.a;
        if (LIKELY(place->tag == INT && !__builtin_add_overflow(place->u.i, by, &v))) {
            place->u.i = v;
            NEXT;
        }
        if (place->tag == GD_A_NIL)
            gd_do_unbound(vm, frame, (uint32_t)ins.b, false);
        else if (bump_slowly(vm, place, by))
            NEXT;
        goto failed;
    }
    CASE(BUMP_GLOBAL) {
        gd_global *global = &globals[ins.b];
        int64_t v, by = (int16_t)ins.a;
        global->written = true;
        if (LIKELY(global->value.tag == INT && !__builtin_add_overflow(global->value.u.i, by, &v))) {
            global->value.u.i = v;
            NEXT;
        }
        if (global->value.tag == GD_A_NIL) {
            if (global->builtin.tag == GD_A_NIL) {
                gd_do_unbound_global(vm, (uint32_t)ins.b);
                goto failed;
            }
            global->value = gd_keep(global->builtin);
        }
        if (bump_slowly(vm, &global->value, by)) NEXT;
        goto failed;
    }
    CASE(UNARY) {
        if (ins.a == GD_PY_NEG && sp[-1].tag == FLOAT) {
            sp[-1].u.f = -sp[-1].u.f;
            NEXT;
        }
        if (ins.a == GD_PY_NEG && sp[-1].tag == INT && sp[-1].u.i != INT64_MIN) {
            sp[-1].u.i = -sp[-1].u.i;
            NEXT;
        }
        REPLACE_TOP(gd_unary(vm, (gd_ast_op)ins.a, sp[-1]));
    }
    CASE(NOT) {
        int truth = truth_of(vm, sp[-1]);
        if (truth < 0) goto failed;
        DROP(sp[-1]);
        sp[-1] = GD_ANY_BOOL(!truth);
        NEXT;
    }
    CASE(LT) { COMPARISON(<); }
    CASE(LE) { COMPARISON(<=); }
    CASE(EQ) { COMPARISON(==); }
    CASE(NE) { COMPARISON(!=); }
    CASE(GT) { COMPARISON(>); }
    CASE(GE) { COMPARISON(>=); }
    CASE(COMPARE) {
    compare:
        REPLACE_TWO(gd_compare(vm, (gd_ast_op)ins.a, sp[-2], sp[-1]));
    }

    /* ---- jumps ---- */
    CASE(JUMP) {
        JUMP_TO(ins.b);
        NEXT;
    }
    CASE(JUMP_BACK) {
        TICK;
        JUMP_TO(ins.b);
        NEXT;
    }
    CASE(JUMP_TRUE) {
        int truth = truth_of(vm, sp[-1]);
        if (UNLIKELY(truth < 0)) goto failed;
        DROP_TOP;
        if (truth) {
            TICK;
            JUMP_TO(ins.b);
        }
        NEXT;
    }
    CASE(JUMP_FALSE) {
        int truth = truth_of(vm, sp[-1]);
        if (UNLIKELY(truth < 0)) goto failed;
        DROP_TOP;
        if (!truth) JUMP_TO(ins.b);
        NEXT;
    }
    CASE(TRUE_OR_POP) CASE(FALSE_OR_POP) {
        int truth = truth_of(vm, sp[-1]);
        if (UNLIKELY(truth < 0)) goto failed;
        if (truth == (ins.op == GD_OP__TRUE_OR_POP)) {
            JUMP_TO(ins.b);
        } else
            DROP_TOP;
        NEXT;
    }
    CASE(IF_LT) { COMPARE_JUMP(<, true); }
    CASE(IF_LE) { COMPARE_JUMP(<=, true); }
    CASE(IF_EQ) { COMPARE_JUMP(==, true); }
    CASE(IF_NE) { COMPARE_JUMP(!=, true); }
    CASE(IF_GT) { COMPARE_JUMP(>, true); }
    CASE(IF_GE) { COMPARE_JUMP(>=, true); }
    CASE(UNLESS_LT) { COMPARE_JUMP(<, false); }
    CASE(UNLESS_LE) { COMPARE_JUMP(<=, false); }
    CASE(UNLESS_EQ) { COMPARE_JUMP(==, false); }
    CASE(UNLESS_NE) { COMPARE_JUMP(!=, false); }
    CASE(UNLESS_GT) { COMPARE_JUMP(>, false); }
    CASE(UNLESS_GE) { COMPARE_JUMP(>=, false); }

    /* ---- attributes, items ---- */
    CASE(ATTRIBUTE) { REPLACE_TOP(gd_do_attribute(vm, sp[-1], &frame->code->sites[ins.b])); }
    CASE(SET_ATTRIBUTE) {
        if (!gd_set_attribute(vm, sp[-1], gd_as_str(frame->code->sites[ins.b].name), sp[-2])) goto failed;
        sp -= 2;
        DROP(sp[1]);
        DROP(sp[0]);
        NEXT;
    }
    CASE(DELETE_ATTRIBUTE) {
        if (!gd_set_attribute(vm, sp[-1], gd_as_str(frame->code->sites[ins.b].name), GD_NIL)) goto failed;
        DROP_TOP;
        NEXT;
    }
    CASE(METHOD) {
        gd_site *site = &frame->code->sites[ins.b];
        if (LIKELY(sp[-1].tag == GD_A_TENSOR && site->key == &gd_class_tensor && site->value.tag != GD_A_NIL)) {
            sp[0] = sp[-1];
            sp[-1] = site->value;
        } else if (sp[-1].tag == GD_A_OBJECT && site->key == sp[-1].u.object) { /* a module */
            gd_any module = sp[-1];
            sp[0] = gd_keep(site->value);
            sp[-1] = GD_NIL;
            DROP(module);
        } else if (!gd_do_method(vm, sp - 1, site)) {
            goto failed;
        }
        sp++;
        NEXT;
    }
    CASE(ITEM) {
        const gd_any *item = item_of(sp[-2], sp[-1]);
        if (LIKELY(item)) {
            gd_any v = gd_keep(*item), of = sp[-2];
            --sp;
            sp[-1] = v;
            DROP(of);
            NEXT;
        }
        REPLACE_TWO(gd_get_item(vm, sp[-2], sp[-1]));
    }
    CASE(SET_ITEM) {
        gd_any *item =
            sp[-2].tag == GD_A_OBJECT && sp[-2].u.object->class == &gd_class_list ? item_of(sp[-2], sp[-1]) : NULL;
        if (item) {
            gd_any old = *item;
            *item = sp[-3];
            sp -= 3;
            DROP(old);
            DROP(sp[1]);
            NEXT;
        }
        if (!gd_set_item(vm, sp[-2], sp[-1], sp[-3])) goto failed;
        sp -= 3;
        DROP(sp[2]);
        DROP(sp[1]);
        DROP(sp[0]);
        NEXT;
    }
    CASE(DELETE_ITEM) {
        if (!gd_set_item(vm, sp[-2], sp[-1], GD_NIL)) goto failed;
        sp -= 2;
        DROP(sp[1]);
        DROP(sp[0]);
        NEXT;
    }
    CASE(SLICE) { COLLECT(3, gd_slice_new(vm, sp[-3], sp[-2], sp[-1])); }

    /* ---- calls ---- */
    CASE(CALL) {
        f = bottom = sp - ins.a - 1;
        goto call;
    }
    CASE(CALL_METHOD) {
        bottom = sp - ins.a - 2;
        f = bottom->tag == GD_A_NIL ? bottom + 1 : bottom;
    }
call : {
    gd_site *site = &frame->code->sites[ins.b];
    uint32_t n = (uint32_t)(sp - f) - 1, nkw = site->nkeywords;
    TICK;
    frame->pc = pc;
    if (f->tag == GD_A_OBJECT && f->u.object->class == &gd_class_function) {
        gd_closure *function = (gd_closure *)f->u.object;
        gd_args args = {f + 1, n - nkw, nkw, site->keywords};
        gd_frame *callee = nkw ? gd_call_bound(vm, function, &args) : gd_call_moved(vm, function, f + 1, n);
        if (UNLIKELY(!callee)) goto failed;
        for (gd_any *v = f + 1; nkw && v < sp; v++) DROP(*v);
        frame->sp = bottom;
        DROP(*f);
        LOAD_FRAME;
        NEXT;
    }
    gd_args args = {f + 1, n - nkw, nkw, site->keywords};
    gd_any v = gd_call_other(vm, *f, &args, &site->cache);
    if (UNLIKELY(v.tag == GD_A_NIL)) goto failed;
    while (sp > bottom) DROP_TOP;
    PUSH(v);
    NEXT;
}
    CASE(CALL_SPREAD) {
        gd_frame *callee;
        gd_any v;
        TICK;
        frame->pc = pc;
        if (!gd_call_spread(vm, sp[-3], sp[-2], sp[-1], &callee, &v)) goto failed;
        if (!callee) COLLECT(3, v);
        for (int i = 0; i < 3; i++) DROP_TOP;
        frame->sp = sp;
        LOAD_FRAME;
        NEXT;
    }
    CASE(FUNCTION) {
        gd_any v = gd_do_function(vm, (gd_bytecode *)constants[ins.b].u.object, ins.a, sp, &sp);
        if (gd_is_nil(v)) goto failed;
        PUSH(v);
        NEXT;
    }
    CASE(GENERATOR) { REPLACE_TWO(gd_generator_new(vm, (gd_closure *)sp[-1].u.object, sp[-2])); }
    CASE(RETURN) {
        gd_any v = *--sp;
        bool entry = frame->flags & GD_FRAME_ENTRY;
        frame->sp = sp;
        gd_frame_pop(vm);
        if (entry) return v;
        LOAD_FRAME;
        PUSH(v);
        NEXT;
    }
    CASE(YIELD) {
        gd_any v = *--sp;
        frame->sp = sp;
        frame->pc = pc;
        vm->frame = frame->back;
        vm->frame_depth--;
        *yielded = true;
        return v;
    }

    /* ---- displays ---- */
    CASE(TUPLE) {
        gd_any v = gd_tuple_new(vm, &gd_class_tuple, (size_t)ins.b);
        if (gd_is_nil(v)) goto failed;
        gd_any *items = ((gd_tuple *)v.u.object)->items;
        sp -= ins.b;
        for (int32_t i = 0; i < ins.b; i++) items[i] = sp[i];
        PUSH(v);
        NEXT;
    }
    CASE(LIST) {
        gd_any v = gd_list_new(vm, (size_t)ins.b);
        if (gd_is_nil(v)) goto failed;
        gd_list *list = (gd_list *)v.u.object;
        sp -= ins.b;
        for (int32_t i = 0; i < ins.b; i++) list->items[i] = sp[i];
        list->n = (size_t)ins.b;
        PUSH(v);
        NEXT;
    }
    CASE(SET) { COLLECT(ins.b, gd_do_set(vm, sp - ins.b, (size_t)ins.b)); }
    CASE(DICT) { COLLECT(2 * ins.b, gd_do_dict(vm, sp - 2 * ins.b, (size_t)ins.b)); }
    CASE(TEXT) { COLLECT(ins.b, gd_do_text(vm, sp - ins.b, (size_t)ins.b)); }
    CASE(APPEND) {
        gd_any v = *--sp;
        if (!gd_list_append(vm, (gd_list *)frame->stack[ins.b].u.object, v)) goto failed;
        NEXT;
    }
    CASE(SET_ADD) {
        if (!gd_set_add(vm, frame->stack[ins.b], sp[-1])) goto failed;
        DROP_TOP;
        NEXT;
    }
    CASE(DICT_PUT) {
        if (!gd_dict_set(vm, gd_as_dict(frame->stack[ins.b]), sp[-2], sp[-1])) goto failed;
        sp -= 2;
        DROP(sp[1]);
        DROP(sp[0]);
        NEXT;
    }
    CASE(EXTEND) {
        if (!gd_do_extend(vm, frame->stack[ins.b], sp[-1], ins.a ? frame->stack[ins.b - 1] : GD_NIL, ins.a))
            goto failed;
        DROP_TOP;
        NEXT;
    }
    CASE(SET_EXTEND) {
        if (!gd_set_update(vm, frame->stack[ins.b], sp[-1])) goto failed;
        DROP_TOP;
        NEXT;
    }
    CASE(DICT_MERGE) {
        gd_any function = ins.a ? frame->stack[ins.b - 2] : GD_NIL;
        if (!gd_do_merge(vm, frame->stack[ins.b], sp[-1], function, ins.a)) goto failed;
        DROP_TOP;
        NEXT;
    }
    CASE(TUPLE_OF) { REPLACE_TOP(gd_tuple_from(vm, sp[-1])); }
    CASE(FORMAT) {
        gd_any v = gd_do_format(vm, sp[-1 - ins.b], ins.a, ins.b ? sp[-1] : GD_NIL);
        COLLECT(1 + ins.b, v);
    }

    /* ---- iteration ---- */
    CASE(ITERATE) {
        if (!gd_do_loop(vm, sp - 1)) goto failed;
        sp += 2;
        NEXT;
    }
    CASE(NEXT) {
        int more = loop_next(vm, sp - 3, sp);
        if (LIKELY(more > 0)) {
            sp++;
            NEXT;
        }
        if (more < 0) goto failed;
        goto loop_end;
    }
    CASE(NEXT_LOCAL) {
        gd_any v;
        int more = loop_next(vm, sp - 3, &v);
        if (LIKELY(more > 0)) {
            gd_any old = slots[ins.a];
            slots[ins.a] = v;
            DROP(old);
            NEXT;
        }
        if (more < 0) goto failed;
    }

loop_end:
    sp -= 3;
    DROP(sp[0]);
    JUMP_TO(ins.b);
    NEXT;
    CASE(UNPACK) {
        gd_any v = sp[-1];
        if (gd_is(v, &gd_class_tuple) && ((gd_tuple *)v.u.object)->n == (size_t)ins.b) {
            const gd_any *items = ((gd_tuple *)v.u.object)->items;
            --sp;
            for (int32_t i = ins.b; i-- > 0;) PUSH(gd_keep(items[i]));
            DROP(v);
            NEXT;
        }
        if (!gd_do_unpack(vm, v, (size_t)ins.b, -1, sp)) goto failed;
        goto unpacked;
    }
    CASE(UNPACK_STAR) {
        if (!gd_do_unpack(vm, sp[-1], ins.a, ins.b, sp)) goto failed;
        ins.b += ins.a + 1;
    unpacked : {
        gd_any v = *--sp;
        for (int32_t i = 0; i < ins.b; i++) sp[i] = sp[i + 1];
        sp += ins.b;
        DROP(v);
        NEXT;
    }
    }

    /* ---- exceptions, contexts, imports ---- */
    CASE(RAISE) {
        frame->pc = pc;
        frame->sp = sp;
        gd_do_raise(vm, ins.a, sp);
        if (ins.a == 0) goto raised_again;
        goto failed;
    }
    CASE(RERAISE) {
        vm->exception = *--sp;
        goto raised_again;
    }
    CASE(MATCH) {
        int match = gd_do_match(vm, sp[-2], sp[-1]);
        if (match < 0) goto failed;
        DROP(sp[-1]);
        sp[-1] = GD_ANY_BOOL(match);
        NEXT;
    }
    CASE(ENTER) {
        gd_any v = gd_do_enter(vm, sp[-1]);
        if (gd_is_nil(v)) goto failed;
        PUSH(v);
        NEXT;
    }
    CASE(LEAVE) {
        gd_any context = frame->stack[ins.b];
        frame->stack[ins.b] = GD_ANY_NONE;
        bool left = gd_do_leave(vm, context);
        DROP(context);
        if (!left) goto failed;
        NEXT;
    }
    CASE(IMPORT) {
        gd_any v = gd_import(vm, gd_as_str(constants[ins.b])->text);
        if (gd_is_nil(v)) goto failed;
        PUSH(v);
        NEXT;
    }
    CASE(IMPORT_FROM) {
        gd_any v = gd_do_import_from(vm, sp[-1], constants[ins.b]);
        if (gd_is_nil(v)) goto failed;
        PUSH(v);
        NEXT;
    }
raised_again:
    frame->pc = pc;
    frame->sp = sp;
    if (!gd_vm_unwind(vm, true)) return GD_NIL;
    LOAD_FRAME;
    NEXT;
failed:
    frame->pc = pc;
    frame->sp = sp;
    if (!gd_vm_unwind(vm, false)) return GD_NIL;
    LOAD_FRAME;
    NEXT;
}
