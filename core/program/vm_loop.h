/* vm_loop.h: the vocabulary of the machine's loop: what its instructions have in common as macros over its variables
 * (vm, heap, frame, pc, sp, slots, code, constants, ins), and the fast ways of the most frequent ones. For vm.c alone.
 */
#ifndef GD_PROGRAM_VM_LOOP_H
#define GD_PROGRAM_VM_LOOP_H

#include "core/program/code.h"

#define INT GD_A_INT
#define FLOAT GD_A_FLOAT
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define NEXT                                                                                                           \
    do {                                                                                                               \
        ins = *pc++;                                                                                                   \
        goto *labels[ins.op];                                                                                          \
    } while (0)
#define CASE(name) L_##name:
#define PUSH(v)                                                                                                        \
    do {                                                                                                               \
        gd_any pushed_ = (v);                                                                                          \
        *sp++ = pushed_;                                                                                               \
    } while (0)
#define DROP(v) gd_drop(heap, (v))
#define JUMP_TO(target) (pc = code + (target))
#define TICK                                                                                                           \
    if (UNLIKELY(--vm->fuse == 0) && !gd_vm_tick(vm)) goto failed
/* The frame as instructions see it, after it changed. */
#define LOAD_FRAME                                                                                                     \
    do {                                                                                                               \
        frame = vm->frame;                                                                                             \
        pc = frame->pc;                                                                                                \
        sp = frame->sp;                                                                                                \
        slots = frame->slots;                                                                                          \
        code = frame->code->ins;                                                                                       \
        constants = frame->code->constants;                                                                            \
    } while (0)
/* The top becomes v, unless that is NIL. */
#define REPLACE_TOP(v)                                                                                                 \
    do {                                                                                                               \
        gd_any v_ = (v);                                                                                               \
        if (UNLIKELY(v_.tag == GD_A_NIL)) goto failed;                                                                 \
        DROP(sp[-1]);                                                                                                  \
        sp[-1] = v_;                                                                                                   \
        NEXT;                                                                                                          \
    } while (0)
/* The two on top become v. */
#define REPLACE_TWO(v)                                                                                                 \
    do {                                                                                                               \
        gd_any v_ = (v);                                                                                               \
        if (UNLIKELY(v_.tag == GD_A_NIL)) goto failed;                                                                 \
        gd_any right_ = *--sp, left_ = sp[-1];                                                                         \
        sp[-1] = v_;                                                                                                   \
        DROP(right_);                                                                                                  \
        DROP(left_);                                                                                                   \
        NEXT;                                                                                                          \
    } while (0)
/* Cuts the stack down to n below, then pushes v, which was made of what was there. */
#define COLLECT(n, v)                                                                                                  \
    do {                                                                                                               \
        gd_any v_ = (v), *down_ = sp - (n);                                                                            \
        if (UNLIKELY(v_.tag == GD_A_NIL)) goto failed;                                                                 \
        while (sp > down_) DROP(*--sp);                                                                                \
        PUSH(v_);                                                                                                      \
        NEXT;                                                                                                          \
    } while (0)
#define STORE(place)                                                                                                   \
    do {                                                                                                               \
        gd_any old_ = (place);                                                                                         \
        (place) = *--sp;                                                                                               \
        DROP(old_);                                                                                                    \
        NEXT;                                                                                                          \
    } while (0)
/* Pushes a variable, or says that it is unset. */
#define LOAD(place, free)                                                                                              \
    do {                                                                                                               \
        gd_any loaded_ = (place);                                                                                      \
        if (UNLIKELY(loaded_.tag == GD_A_NIL)) {                                                                       \
            gd_do_unbound(vm, frame, (uint32_t)ins.b, (free));                                                         \
            goto failed;                                                                                               \
        }                                                                                                              \
        PUSH(gd_keep(loaded_));                                                                                        \
        NEXT;                                                                                                          \
    } while (0)
#define MUST_BE_SET(place, free)                                                                                       \
    if ((place).tag == GD_A_NIL) {                                                                                     \
        gd_do_unbound(vm, frame, (uint32_t)ins.b, (free));                                                             \
        goto failed;                                                                                                   \
    }
/* The top goes. */
#define DROP_TOP                                                                                                       \
    do {                                                                                                               \
        --sp;                                                                                                          \
        DROP(*sp);                                                                                                     \
    } while (0)
#define CELL_IN(slot) (((gd_cell *)slots[slot].u.object)->value)
#define FREE_CELL(index) (frame->function->cells[index])
#define CLEAR(place)                                                                                                   \
    do {                                                                                                               \
        gd_any old_ = (place);                                                                                         \
        (place) = GD_NIL;                                                                                              \
        DROP(old_);                                                                                                    \
        NEXT;                                                                                                          \
    } while (0)
#define ARITHMETIC(overflowing, operator)                                                                              \
    do {                                                                                                               \
        gd_any *l = sp - 2, *r = sp - 1;                                                                               \
        int64_t v;                                                                                                     \
        if (LIKELY(l->tag == INT && r->tag == INT)) {                                                                  \
            if (UNLIKELY(overflowing(l->u.i, r->u.i, &v))) goto binary;                                                \
            l->u.i = v;                                                                                                \
        } else if (l->tag == FLOAT && r->tag == FLOAT) {                                                               \
            l->u.f = l->u.f operator r->u.f;                                                                           \
        } else if (l->tag == FLOAT && r->tag == INT) {                                                                 \
            l->u.f = l->u.f operator(double) r->u.i;                                                                   \
        } else if (l->tag == INT && r->tag == FLOAT) {                                                                 \
            *l = GD_ANY_FLOAT((double)l->u.i operator r->u.f);                                                         \
        } else {                                                                                                       \
            goto binary;                                                                                               \
        }                                                                                                              \
        sp--;                                                                                                          \
        NEXT;                                                                                                          \
    } while (0)
#define COMPARISON(operator)                                                                                           \
    do {                                                                                                               \
        gd_any *l = sp - 2, *r = sp - 1;                                                                               \
        if (LIKELY(l->tag == INT && r->tag == INT))                                                                    \
            *l = GD_ANY_BOOL(l->u.i operator r->u.i);                                                                  \
        else if (l->tag == FLOAT && r->tag == FLOAT)                                                                   \
            *l = GD_ANY_BOOL(l->u.f operator r->u.f);                                                                  \
        else                                                                                                           \
            goto compare;                                                                                              \
        sp--;                                                                                                          \
        NEXT;                                                                                                          \
    } while (0)
/* Jumps if the comparison is `when`. A jump if it holds may close a loop, so it counts. */
#define COMPARE_JUMP(operator, when)                                                                                   \
    do {                                                                                                               \
        gd_any *l = sp - 2, *r = sp - 1;                                                                               \
        bool holds;                                                                                                    \
        if (LIKELY(l->tag == INT && r->tag == INT)) {                                                                  \
            holds = l->u.i operator r->u.i;                                                                            \
        } else if (l->tag == FLOAT && r->tag == FLOAT) {                                                               \
            holds = l->u.f operator r->u.f;                                                                            \
        } else {                                                                                                       \
            int truth = compare_truth(vm, (gd_ast_op)ins.a, *l, *r);                                                   \
            if (UNLIKELY(truth < 0)) goto failed;                                                                      \
            holds = truth;                                                                                             \
            DROP(*r);                                                                                                  \
            DROP(*l);                                                                                                  \
        }                                                                                                              \
        sp = l;                                                                                                        \
        if (holds == (when)) {                                                                                         \
            if (when) TICK;                                                                                            \
            JUMP_TO(ins.b);                                                                                            \
        }                                                                                                              \
        NEXT;                                                                                                          \
    } while (0)

static int compare_truth(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    gd_any v = gd_compare(vm, op, a, b);
    if (v.tag == GD_A_BOOL) return (int)v.u.i;
    if (gd_is_nil(v)) return -1;
    int truth = gd_truth(vm, v);
    gd_drop(vm->env->heap, v);
    return truth;
}

static inline int truth_of(gd_vm *vm, gd_any v) {
    if (LIKELY(v.tag == GD_A_BOOL)) return (int)v.u.i;
    if (v.tag == INT) return v.u.i != 0;
    if (v.tag == GD_A_NONE) return 0;
    return gd_truth(vm, v);
}

static bool floor_divide(int64_t a, int64_t b, int64_t *quotient, int64_t *rest) {
    if (b == 0 || b == -1) return false;
    int64_t q = a / b, r = a % b;
    if (r != 0 && (r < 0) != (b < 0)) q--, r += b;
    *quotient = q;
    *rest = r;
    return true;
}

/* Is the quotient of these as doubles what Python gives? */
static inline bool exact_as_double(int64_t v) { return v >= -((int64_t)1 << 53) && v <= (int64_t)1 << 53; }

/* Item i of a list or tuple, or NULL. */
static inline gd_any *item_of(gd_any v, gd_any index) {
    if (v.tag != GD_A_OBJECT || index.tag != INT) return NULL;
    uint64_t i = (uint64_t)index.u.i;
    if (v.u.object->class == &gd_class_list) {
        gd_list *list = (gd_list *)v.u.object;
        if (index.u.i < 0) i += list->n;
        return i < list->n ? &list->items[i] : NULL;
    }
    if (v.u.object->class == &gd_class_tuple) {
        gd_tuple *tuple = (gd_tuple *)v.u.object;
        if (index.u.i < 0) i += tuple->n;
        return i < tuple->n ? &tuple->items[i] : NULL;
    }
    return NULL;
}

/* What a loop gives next; 1, 0, -1. */
static inline int loop_next(gd_vm *vm, gd_any *loop, gd_any *item) {
    if (LIKELY(loop[0].tag == INT)) {
        if (loop[1].u.i == 0) return 0;
        loop[1].u.i--;
        *item = GD_ANY_INT(loop[0].u.i);
        loop[0].u.i = (int64_t)((uint64_t)loop[0].u.i + (uint64_t)loop[2].u.i);
        return 1;
    }
    if (loop[1].tag != INT) return gd_next(vm, loop[0], item);
    const gd_object *of = loop[0].u.object;
    bool list = of->class == &gd_class_list;
    const gd_any *items = list ? ((const gd_list *)of)->items : ((const gd_tuple *)of)->items;
    size_t n = list ? ((const gd_list *)of)->n : ((const gd_tuple *)of)->n, i = (size_t)loop[1].u.i;
    if (i >= n) {
        loop[1].u.i = INT64_MAX; /* a list that grows afterwards does not go on */
        return 0;
    }
    loop[1].u.i++;
    *item = gd_keep(items[i]);
    return 1;
}

/* v op= small number, of a variable that is no int or overflows. */
static bool bump_slowly(gd_vm *vm, gd_any *place, int64_t by) {
    gd_any old = *place;
    gd_any v = gd_do_binary(vm, GD_PY_ADD, old, GD_ANY_INT(by), true);
    if (gd_is_nil(v)) return false;
    *place = v;
    gd_drop(vm->env->heap, old);
    return true;
}

#endif
