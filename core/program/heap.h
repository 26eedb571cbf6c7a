/* heap.h: what the files of the object model share beside value.h. */
#ifndef GD_PROGRAM_HEAP_H
#define GD_PROGRAM_HEAP_H

#include <stdlib.h>

#include "core/program/value.h"

/* Containers whose repr is under way, innermost first: one that contains itself prints as "[...]" there. The entries
 * lie on the C stack; gd_deeper bounds them. */
typedef struct gd_nest {
    const gd_object *object;
    struct gd_nest *outer;
} gd_nest;
gd_nest **gd_heap_nest(gd_heap *heap);

/* The slot of v's class or of the nearest base that has it. */
#define GD_SLOT(class_, slot, found)                                                                                   \
    do {                                                                                                               \
        const gd_class *k_ = (class_);                                                                                 \
        while (k_ && !k_->slot) k_ = k_->base;                                                                         \
        (found) = k_ ? k_->slot : NULL;                                                                                \
    } while (0)

/* Methods such as __len__, which a class has by its slots; NULL: c has none of this name. special.c */
const gd_native *gd_find_special(const gd_class *c, const gd_str *name);

/* Nesting with the text that Python gives when it is refused. */
bool gd_deeper_compare(gd_vm *vm); /* "maximum recursion depth exceeded in comparison" */
/* Begins the repr of a container. 1: go on and end with gd_repr_leave; 0: it is under way; -1: refused. */
int gd_repr_enter(gd_vm *vm, gd_nest *nest, gd_any v);
void gd_repr_leave(gd_vm *vm, gd_nest *nest);
/* Puts repr(items[i]) with ", " between them. */
bool gd_repr_items(gd_vm *vm, gd_buffer *b, const gd_any *items, size_t n);

/* operators of the containers; GD_NIL without exception: not for these operands */
gd_any gd_sequence_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place);
gd_any gd_dict_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place);
gd_any gd_set_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place);
gd_any gd_set_compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b);
gd_any gd_sequence_compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b); /* two lists or two tuples */
const char *gd_operator_text(gd_ast_op op, bool in_place);               /* "+", "+=" */

/* sequence.c, for lists and tuples alike */
bool gd_list_reserve(gd_vm *vm, gd_list *list, size_t more); /* room for `more` items beyond those it has */
/* Index of the first item equal to `item` in [from, to); -1: none; -2: an exception is pending. */
int64_t gd_items_find(gd_vm *vm, gd_any sequence, gd_any item, int64_t from, int64_t to);
int gd_sequence_contains(gd_vm *vm, gd_any self, gd_any item);
int gd_sequence_equal(gd_vm *vm, gd_any self, gd_any other);
gd_any gd_sequence_count(gd_vm *vm, const gd_args *args);
gd_any gd_sequence_index(gd_vm *vm, const gd_args *args);

gd_any gd_set_of(gd_vm *vm, gd_any iterable);
gd_any gd_dict_view_compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b);
gd_any gd_dict_view_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b);
bool gd_is_dict_view(gd_any v, int *what);
gd_any gd_dict_view_reversed(gd_vm *vm, gd_any self);
bool gd_dict_reserve(gd_vm *vm, gd_dict *d, size_t more);
void gd_dict_take(gd_dict *d, size_t at, gd_any *key, gd_any *value);
/* What dict(…) and update(…) do with their arguments: from number `self` on. */
bool gd_dict_update_args(gd_vm *vm, gd_dict *d, const char *name, uint32_t self, const gd_args *args);
/* Iterators that other files make. */
gd_any gd_dict_iterator(gd_vm *vm, gd_any dict, int what, bool reversed); /* what: GD_KEYS … */
enum { GD_KEYS, GD_VALUES, GD_ITEMS };
gd_any gd_dict_view(gd_vm *vm, gd_any dict, int what);
gd_any gd_seq_iterator_new(gd_vm *vm, gd_any of, bool reversed);
gd_any gd_range_iterator_new(gd_vm *vm, int64_t start, int64_t step, int64_t n);
/* Where a slice of `length` things stops: -1 is before the first, as a step backwards may say. slice.c */
bool gd_slice_stop(gd_vm *vm, const gd_slice_object *s, int64_t length, int64_t *stop);
gd_any gd_range_reversed(gd_vm *vm, gd_any range);
extern const gd_native gd_list_methods[], gd_tuple_methods[], gd_size_methods[], gd_dict_methods[], gd_set_methods[],
    gd_range_methods[], gd_slice_methods[];
extern const gd_native gd_native_fromkeys; /* dict.fromkeys */

#endif
