/* value.h: the values that programs compute with: their layout, classes, ownership, and the operations on any value.
 * For the files of core/program.
 *
 * A gd_any is 16 bytes and passed by value. The first tags are immediate; from GD_A_TENSOR on it holds a reference.
 * Ownership: a function that returns a gd_any returns a new reference; arguments are borrowed. GD_NIL as result
 * means that an exception is pending in the vm (or a limit was passed), and the caller returns at once.
 *
 * No recursion over what a program sizes: gd_drop defers what an object held (destroy only calls gd_drop), marking
 * keeps a list, and what must nest (repr, ==, hash of containers, calls from native code) does so between
 * gd_deeper() and gd_shallower(), which refuse at GD_NATIVE_DEPTH with RecursionError.
 */
#ifndef GD_PROGRAM_VALUE_H
#define GD_PROGRAM_VALUE_H

#include "core/ops/op.h"
#include "core/program/ast.h"

typedef struct gd_vm gd_vm;         /* vm.h */
typedef struct gd_heap gd_heap;     /* heap.c: objects and memory of one environment */
typedef struct gd_object gd_object; /* what a counted value points to; begins every object struct */
typedef struct gd_class gd_class;   /* a type, built-in: static and constant */
typedef struct gd_native gd_native; /* a built-in function or method: static and constant */
typedef struct gd_opfn gd_opfn;     /* a name of the op table as function: torch_ops.h; static and constant */
typedef struct gd_str gd_str;

typedef enum gd_tag {
    GD_A_NIL, /* no value: unset, or an exception is pending */
    GD_A_NONE,
    GD_A_ELLIPSIS,
    GD_A_NOTIMPLEMENTED,
    GD_A_BOOL,  /* i: 0 or 1 */
    GD_A_INT,   /* i */
    GD_A_FLOAT, /* f */
    GD_A_DTYPE, /* i: gd_dtype; prints torch.float32 */
    GD_A_CLASS, /* class: int, torch.Tensor, ValueError */
    GD_A_NATIVE,
    GD_A_OP,
    /* counted */
    GD_A_TENSOR,
    GD_A_NODE,
    GD_A_OBJECT
} gd_tag;

typedef struct gd_any {
    uint8_t tag; /* gd_tag */
    union {
        int64_t i;
        double f;
        const gd_class *class;
        const gd_native *native;
        const gd_opfn *op;
        gd_tensor *tensor;
        gd_node *node;
        gd_object *object;
    } u;
} gd_any;

#define GD_NIL ((gd_any){.tag = GD_A_NIL})
#define GD_ANY_NONE ((gd_any){.tag = GD_A_NONE})
#define GD_ANY_BOOL(b) ((gd_any){.tag = GD_A_BOOL, .u.i = (b) ? 1 : 0})
#define GD_ANY_INT(v) ((gd_any){.tag = GD_A_INT, .u.i = (v)})
#define GD_ANY_FLOAT(v) ((gd_any){.tag = GD_A_FLOAT, .u.f = (v)})
#define GD_ANY_DTYPE(d) ((gd_any){.tag = GD_A_DTYPE, .u.i = (d)})
#define GD_ANY_CLASS(c) ((gd_any){.tag = GD_A_CLASS, .u.class = (c)})
#define GD_ANY_NATIVE(n) ((gd_any){.tag = GD_A_NATIVE, .u.native = (n)})
#define GD_ANY_OP(o) ((gd_any){.tag = GD_A_OP, .u.op = (o)})
#define GD_ANY_TENSOR(t) ((gd_any){.tag = GD_A_TENSOR, .u.tensor = (t)}) /* takes the caller's reference */
#define GD_ANY_NODE(n) ((gd_any){.tag = GD_A_NODE, .u.node = (n)})
#define GD_ANY_OBJECT(o) ((gd_any){.tag = GD_A_OBJECT, .u.object = (gd_object *)(o)})
static inline bool gd_is_nil(gd_any v) { return v.tag == GD_A_NIL; }
static inline bool gd_is_none(gd_any v) { return v.tag == GD_A_NONE; }

struct gd_object {
    uint32_t refs;
    uint32_t mark; /* of the collector */
    const gd_class *class;
    gd_object *prev, *next; /* the heap's list of all objects */
};

static inline bool gd_is(gd_any v, const gd_class *c) { return v.tag == GD_A_OBJECT && v.u.object->class == c; }

/* Arguments of a call; everything is borrowed. */
typedef struct gd_args {
    const gd_any *v; /* npos positional ones, then nkw values of keywords */
    uint32_t npos, nkw;
    gd_str *const *names; /* nkw names of the keywords */
} gd_args;

/* A built-in function; for methods v[0] is self. Arguments are counted against least/most (positional; most -1: any)
 * and keywords against `keywords` (space separated names that may be given; "*": any; "": none) before it is called. */
struct gd_native {
    const char *name;
    gd_any (*call)(gd_vm *vm, const gd_args *args);
    int16_t least, most; /* self included */
    const char *keywords;
};

/* What instances of a class can do. NULL: cannot. All but destroy and visit may set an exception (GD_NIL, false, -1).
 */
struct gd_class {
    const char *name;                                /* as Python prints it: "list", "torch.Size" */
    const gd_class *base;                            /* NULL: object */
    void (*destroy)(gd_heap *heap, gd_object *self); /* gd_drop what it holds, gd_heap_free its extra memory; the
                                                         object's own bytes (gd_object_new) are freed by the caller */
    void (*visit)(gd_object *self, void (*see)(void *user, gd_any v), void *user); /* every counted value it holds */
    gd_any (*make)(gd_vm *vm, const gd_class *class, const gd_args *args);         /* calling the class: int("3") */
    gd_any (*repr)(gd_vm *vm, gd_any self);                                        /* a str */
    gd_any (*str)(gd_vm *vm, gd_any self);                                         /* NULL: repr */
    const gd_native *methods; /* ends with a NULL name; looked up before getattr, then the base's */
    gd_any (*getattr)(gd_vm *vm, gd_any self, gd_str *name); /* GD_NIL without exception: it has no such attribute */
    bool (*setattr)(gd_vm *vm, gd_any self, gd_str *name, gd_any value); /* value GD_NIL: del */
    gd_any (*call)(gd_vm *vm, gd_any self, const gd_args *args);
    gd_any (*iter)(gd_vm *vm, gd_any self);
    int (*next)(gd_vm *vm, gd_any self, gd_any *out); /* 1: *out is new; 0: at the end; -1 */
    int64_t (*len)(gd_vm *vm, gd_any self);           /* -1 with exception */
    int (*truth)(gd_vm *vm, gd_any self);             /* 0, 1, -1; NULL: len, then true */
    gd_any (*getitem)(gd_vm *vm, gd_any self, gd_any index);
    bool (*setitem)(gd_vm *vm, gd_any self, gd_any index, gd_any value); /* value GD_NIL: del */
    int (*contains)(gd_vm *vm, gd_any self, gd_any item);
    int (*equal)(gd_vm *vm, gd_any self, gd_any other);  /* 0, 1, -1; NULL: identity */
    bool (*hash)(gd_vm *vm, gd_any self, uint64_t *out); /* NULL and no `equal`: by address; else unhashable */
    gd_any (*enter)(gd_vm *vm, gd_any self);             /* with */
    bool (*leave)(gd_vm *vm, gd_any self); /* always called; an exception may be pending and is not swallowed */
};

/* ---- heap.c: memory, counts, collection ------------------------------------------------------------------------- */
/* All objects and buffers of programs of one environment are charged to the context's account (as tensors are) and to
 * `limit_bytes` (0: none). */
gd_heap *gd_heap_new(gd_ctx *ctx);
void gd_heap_delete(gd_heap *heap); /* everything in it goes, cycles too */
void gd_heap_set_limit(gd_heap *heap, size_t limit_bytes);
size_t gd_heap_used(const gd_heap *heap); /* bytes */
/* NULL: the limit would be passed, the budget is used up, or memory is out: gd_vm_no_memory() tells the program. */
void *gd_heap_alloc(gd_heap *heap, size_t bytes);
void *gd_heap_resize(gd_heap *heap, void *p, size_t old_bytes, size_t bytes); /* on failure p is unchanged */
void gd_heap_free(gd_heap *heap, void *p, size_t bytes);
/* A zeroed object of `bytes` (whole struct) with one reference, in the heap's list. NULL with the limit or MemoryError
 * pending. Its class's destroy runs when the last reference goes. */
void *gd_object_new(gd_vm *vm, const gd_class *class, size_t bytes);
/* Frees objects that only cycles keep: those not reachable from counted references held outside the heap's objects
 * (by subtracting the references that objects hold of each other, as CPython's collector does). Called by the vm when
 * the number of objects has grown much, and at the end of a run. */
void gd_heap_collect(gd_heap *heap);

void gd_drop_last(gd_heap *heap, gd_any v); /* the slow half of gd_drop */
gd_heap *gd_vm_heap(gd_vm *vm);
static inline gd_any gd_keep(gd_any v) {
    if (v.tag < GD_A_TENSOR) return v;
    if (v.tag == GD_A_OBJECT)
        v.u.object->refs++;
    else if (v.tag == GD_A_TENSOR)
        gd_retain(v.u.tensor);
    else
        gd_node_retain(v.u.node);
    return v;
}
/* Gives a reference up. */
static inline void gd_drop(gd_heap *heap, gd_any v) {
    if (v.tag < GD_A_TENSOR) return;
    if (v.tag == GD_A_OBJECT && v.u.object->refs > 1)
        v.u.object->refs--;
    else
        gd_drop_last(heap, v);
}

/* ---- exceptions: exceptions.c ----------------------------------------------------------------------------------- */
/* X(Python's name, its base). The classes are gd_class_<name>. */
#define GD_EXCEPTIONS(X)                                                                                               \
    X(BaseException, object)                                                                                           \
    X(Exception, BaseException)                                                                                        \
    X(ArithmeticError, Exception)                                                                                      \
    X(ZeroDivisionError, ArithmeticError)                                                                              \
    X(OverflowError, ArithmeticError)                                                                                  \
    X(FloatingPointError, ArithmeticError)                                                                             \
    X(AssertionError, Exception)                                                                                       \
    X(AttributeError, Exception)                                                                                       \
    X(ImportError, Exception)                                                                                          \
    X(ModuleNotFoundError, ImportError)                                                                                \
    X(LookupError, Exception)                                                                                          \
    X(IndexError, LookupError)                                                                                         \
    X(KeyError, LookupError)                                                                                           \
    X(MemoryError, Exception)                                                                                          \
    X(NameError, Exception)                                                                                            \
    X(UnboundLocalError, NameError)                                                                                    \
    X(RuntimeError, Exception)                                                                                         \
    X(NotImplementedError, RuntimeError)                                                                               \
    X(RecursionError, RuntimeError)                                                                                    \
    X(StopIteration, Exception)                                                                                        \
    X(SyntaxError, Exception)                                                                                          \
    X(TypeError, Exception)                                                                                            \
    X(ValueError, Exception)                                                                                           \
    X(Warning, Exception)                                                                                              \
    X(UserWarning, Warning)                                                                                            \
    X(GradcheckError, RuntimeError) /* torch.autograd.gradcheck.GradcheckError */
extern const gd_class gd_class_object;
#define X(name, base) extern const gd_class gd_class_##name;
GD_EXCEPTIONS(X)
#undef X

typedef struct gd_exception {
    gd_object head; /* head.class: one of the classes above */
    gd_any args;    /* tuple */
    gd_any cause;   /* NIL, or the exception of `raise … from` */
    gd_code code;   /* of an engine error; GD_OK: raised by the program or a built-in */
    gd_at at;       /* where it was raised first (line 0: not yet known; the vm fills it) */
    gd_any trace;   /* list of (function name, line) as it passed frames, innermost first; the vm's */
} gd_exception;

/* Makes an exception pending (replacing one that is) and returns GD_NIL. */
gd_any gd_raise(gd_vm *vm, const gd_class *class, const char *format, ...) __attribute__((format(printf, 3, 4)));
gd_any gd_raise_value(gd_vm *vm, gd_any exception); /* an instance or class; borrowed */
gd_any gd_raise_engine(gd_vm *vm);                  /* what gd_ctx_error says; its code is kept. If a hook made an
                                                       exception pending, that one stays. */
bool gd_pending(const gd_vm *vm);                   /* an exception or a passed limit */
gd_any gd_vm_no_memory(gd_vm *vm); /* the limit "memory" was passed (not catchable), or MemoryError: the heap knows */
bool gd_is_exception_class(gd_any v);
bool gd_is_exception(gd_any v);
bool gd_subclass(const gd_class *c, const gd_class *of);

/* ---- nesting and work, so that nothing runs away ---------------------------------------------------------------- */
enum { GD_NATIVE_DEPTH = 100 };
bool gd_deeper(gd_vm *vm); /* false: RecursionError is pending; else gd_shallower() must follow */
void gd_shallower(gd_vm *vm);
/* Built-ins that loop on their own charge what they do: `work` of about one step each. False: a limit was passed or
 * the client left (pending, not catchable): return at once. */
bool gd_work(gd_vm *vm, uint64_t work);

/* ---- any value: any.c ------------------------------------------------------------------------------------------- */
const gd_class *gd_class_of(gd_any v); /* also of immediate values and tensors */
bool gd_instance(gd_any v, const gd_class *c);
int gd_truth(gd_vm *vm, gd_any v);                   /* 0, 1, -1 */
bool gd_same(gd_any a, gd_any b);                    /* is */
int gd_equal(gd_vm *vm, gd_any a, gd_any b);         /* == as a bool (containers, in); tensors: truth of a == b */
bool gd_hash_of(gd_vm *vm, gd_any v, uint64_t *out); /* TypeError "unhashable type: 'list'" */
gd_any gd_compare(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b); /* GD_PY_LT … GD_PY_NOT_IN; may answer a tensor */
gd_any gd_unary(gd_vm *vm, gd_ast_op op, gd_any v);
/* a op b; in_place: a op= b, which lists and tensors do to themselves (the result is then a new reference to a). */
gd_any gd_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place);
gd_any gd_get_attribute(gd_vm *vm, gd_any v, gd_str *name); /* AttributeError "'list' object has no attribute 'x'" */
bool gd_set_attribute(gd_vm *vm, gd_any v, gd_str *name, gd_any value);
/* An attribute or GD_NIL, without AttributeError (other exceptions stay pending). */
gd_any gd_find_attribute(gd_vm *vm, gd_any v, gd_str *name);
gd_any gd_get_item(gd_vm *vm, gd_any v, gd_any index);
bool gd_set_item(gd_vm *vm, gd_any v, gd_any index, gd_any value); /* value GD_NIL: del */
int64_t gd_length(gd_vm *vm, gd_any v);                            /* -1 */
gd_any gd_iterate(gd_vm *vm, gd_any v);                            /* TypeError "'int' object is not iterable" */
int gd_next(gd_vm *vm, gd_any iterator, gd_any *out);              /* 1, 0, -1 */
gd_any gd_repr_of(gd_vm *vm, gd_any v);                            /* a str */
gd_any gd_str_of(gd_vm *vm, gd_any v);                             /* a str */
gd_any gd_format_of(gd_vm *vm, gd_any v, gd_str *spec);            /* format(v, spec) */
gd_any gd_call_any(gd_vm *vm, gd_any f, const gd_args *args);      /* vm.c: calls anything; nests in the C stack */
gd_any gd_call_1(gd_vm *vm, gd_any f, gd_any a);
bool gd_is_callable(gd_any v);
/* The integer that v is (bool too); false with TypeError "'float' object cannot be interpreted as an integer". */
bool gd_to_index(gd_vm *vm, gd_any v, int64_t *out);
bool gd_to_real(gd_vm *vm, gd_any v, double *out); /* int, bool, float, one-element tensor; TypeError */

/* ---- strings: str.c, str_methods.c, format.c -------------------------------------------------------------------- */
struct gd_str {
    gd_object head;
    size_t bytes, length; /* of UTF-8; in characters */
    uint64_t hash;        /* 0: not yet computed */
    char text[];          /* and a NUL */
};
extern const gd_class gd_class_str;
static inline bool gd_is_str(gd_any v) { return gd_is(v, &gd_class_str); }
static inline gd_str *gd_as_str(gd_any v) { return (gd_str *)v.u.object; }
gd_any gd_str_new(gd_vm *vm, const char *text, size_t bytes); /* valid UTF-8 */
gd_any gd_str_c(gd_vm *vm, const char *text);
gd_any gd_str_printf(gd_vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool gd_str_is(const gd_str *s, const char *text);
/* A text that grows; charged to the heap. */
typedef struct gd_buffer {
    gd_vm *vm;
    char *text;
    size_t bytes, capacity;
    bool failed; /* an exception is pending; further puts do nothing */
} gd_buffer;
void gd_buffer_put(gd_buffer *b, const char *text, size_t bytes);
void gd_buffer_c(gd_buffer *b, const char *text);
void gd_buffer_any(gd_buffer *b, gd_any str_value); /* takes a str, or GD_NIL: fails */
gd_any gd_buffer_str(gd_buffer *b);                 /* a str of it; frees the buffer */
void gd_buffer_free(gd_buffer *b);
size_t gd_float_repr(double v, char out[32]); /* Python's shortest repr: 1.0, 1e-05, inf, nan */

/* ---- lists and tuples: sequence.c -------------------------------------------------------------------------------- */
typedef struct gd_list {
    gd_object head;
    gd_any *items;
    size_t n, capacity;
} gd_list;
typedef struct gd_tuple {
    gd_object head; /* class: gd_class_tuple, gd_class_size, or a named tuple's */
    size_t n;
    gd_any items[];
} gd_tuple;
extern const gd_class gd_class_list, gd_class_tuple;
extern const gd_class gd_class_size; /* torch.Size, base tuple */
gd_any gd_list_new(gd_vm *vm, size_t capacity);
bool gd_list_append(gd_vm *vm, gd_list *list, gd_any v);         /* takes v, also on failure */
gd_any gd_tuple_new(gd_vm *vm, const gd_class *class, size_t n); /* n times None: fill in at once */
gd_any gd_tuple_of(gd_vm *vm, size_t n, const gd_any *items);    /* keeps the items */
gd_any gd_list_from(gd_vm *vm, gd_any iterable);
gd_any gd_tuple_from(gd_vm *vm, gd_any iterable);
gd_any gd_size_of(gd_vm *vm, int ndim, const int64_t *sizes); /* torch.Size */
static inline bool gd_is_list(gd_any v) { return gd_is(v, &gd_class_list); }
static inline bool gd_is_tuple(gd_any v) {
    return v.tag == GD_A_OBJECT && gd_subclass(v.u.object->class, &gd_class_tuple);
}
/* Items of a list or tuple, borrowed; false for anything else. */
bool gd_items(gd_any v, const gd_any **items, size_t *n);

/* ---- dict and set: dict.c (insertion order, open addressing) ----------------------------------------------------- */
typedef struct gd_dict gd_dict;
extern const gd_class gd_class_dict, gd_class_set;
gd_any gd_dict_new(gd_vm *vm);
gd_any gd_set_new(gd_vm *vm);
int gd_dict_get(gd_vm *vm, gd_dict *d, gd_any key, gd_any *value); /* 1: *value borrowed; 0; -1 */
bool gd_dict_set(gd_vm *vm, gd_dict *d, gd_any key, gd_any value); /* keeps both */
bool gd_set_add(gd_vm *vm, gd_any set, gd_any item);
size_t gd_dict_count(const gd_dict *d);
/* Entry i in insertion order from *at = 0 on; false at the end; borrowed. */
bool gd_dict_each(const gd_dict *d, size_t *at, gd_any *key, gd_any *value);

/* ---- others: range.c, slice -------------------------------------------------------------------------------------- */
typedef struct gd_range {
    gd_object head;
    int64_t start, stop, step, n;
} gd_range;
typedef struct gd_slice_object {
    gd_object head;
    gd_any start, stop, step;
} gd_slice_object;
extern const gd_class gd_class_range, gd_class_slice;
gd_any gd_slice_new(gd_vm *vm, gd_any start, gd_any stop, gd_any step); /* keeps them */
/* Resolves a slice against a length as Python does; false with an exception. */
bool gd_slice_bounds(gd_vm *vm, const gd_slice_object *s, int64_t length, int64_t *start, int64_t *step,
                     int64_t *count);

/* Classes of immediate values, all with their `make`. */
extern const gd_class gd_class_none, gd_class_bool, gd_class_int, gd_class_float, gd_class_ellipsis, gd_class_type,
    gd_class_native, gd_class_notimplemented;
/* torch_*.c */
extern const gd_class gd_class_tensor, gd_class_dtype, gd_class_node, gd_class_op, gd_class_module;

/* ---- modules: a static list of members ----------------------------------------------------------------------------
 */
/* What a module offers. `dynamic` answers names that the list does not have (torch's ops); GD_NIL without exception:
 * "module 'torch' has no attribute 'x'". */
typedef struct gd_module gd_module;
typedef struct gd_member {
    const char *name;
    gd_any value; /* immediate */
} gd_member;
struct gd_module {
    gd_object head;
    const char *name;         /* "torch.nn.functional" */
    const gd_member *members; /* ends with a NULL name */
    gd_any (*dynamic)(gd_vm *vm, const gd_module *self, gd_str *name);
};
/* The module of this full name ("torch.autograd"), the same object each time within an environment; GD_NIL with
 * ModuleNotFoundError "No module named 'numpy'" and what there is. modules.c */
gd_any gd_import(gd_vm *vm, const char *name);
/* Member tables and lookups of the modules, each in the file of its subject. */
extern const gd_member gd_members_torch[], gd_members_nn_functional[], gd_members_autograd[],
    gd_members_autograd_functional[], gd_members_autograd_graph[], gd_members_optim[], gd_members_math[];
gd_any gd_torch_dynamic(gd_vm *vm, const gd_module *self, gd_str *name); /* ops below the module's prefix */

/* ---- numbers: number.c (a and b are bool, int or float) ---------------------------------------------------------- */
gd_any gd_number_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b);
gd_any gd_number_compare(gd_ast_op op, gd_any a, gd_any b); /* LT … GE; a bool */
static inline bool gd_is_number(gd_any v) { return v.tag >= GD_A_BOOL && v.tag <= GD_A_FLOAT; }
/* + * % of a str; GD_NIL without exception: not for these operands. */
gd_any gd_str_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b);

/* ---- strings, numbers, built-ins (B) ------------------------------------------------------------------------------
 */
/* A new str of `bytes` bytes whose text the caller writes, then gd_str_finish; NULL with an exception. */
gd_str *gd_str_room(gd_vm *vm, size_t bytes);
gd_any gd_str_finish(gd_str *s); /* counts its characters */
gd_any gd_str_step(gd_vm *vm, const gd_str *s,
                   size_t *at);                      /* the character at byte *at as a str; moves *at behind it */
size_t gd_str_offset(const gd_str *s, size_t index); /* byte where character `index` (0 … length) begins */
uint64_t gd_str_hash(gd_str *s);
static inline bool gd_str_equal(const gd_str *a, const gd_str *b) {
    return a == b || (a->bytes == b->bytes && !__builtin_memcmp(a->text, b->text, a->bytes));
}
gd_any gd_str_ascii(gd_vm *vm, const gd_str *s); /* what is not ASCII as escapes: ascii() of a repr */
/* format(v, spec) of a str, int, bool or float */
gd_any gd_format_plain(gd_vm *vm, gd_any v, const gd_str *spec);
gd_any gd_str_format(gd_vm *vm, const gd_str *pattern, const gd_args *fields, gd_any mapping); /* mapping or NIL */
gd_any gd_str_percent(gd_vm *vm, const gd_str *pattern, gd_any values);
void gd_buffer_fill(gd_buffer *b, const char *text, size_t bytes, size_t times); /* text `times` times */
/* The argument at position i, or the keyword `name`, borrowed; GD_NIL if it was not given. */
static inline gd_any gd_arg(const gd_args *a, uint32_t i, const char *name) {
    if (i < a->npos) return a->v[i];
    for (uint32_t k = 0; name && k < a->nkw; k++)
        if (gd_str_is(a->names[k], name)) return a->v[a->npos + k];
    return GD_NIL;
}
const char *gd_class_short(const gd_class *c);                              /* __name__: "Size" */
gd_any gd_exception_new(gd_vm *vm, const gd_class *class, gd_any argument); /* argument borrowed, or NIL: none */
gd_any gd_raise_key(gd_vm *vm, gd_any key);                                 /* KeyError(key) */
gd_any gd_number_of_tensor(gd_vm *vm, const gd_tensor *t);                  /* t.item() */
gd_any gd_overflow(gd_vm *vm);               /* OverflowError "integer overflow: this language has 64-bit integers" */
gd_any gd_float_to_int(gd_vm *vm, double v); /* int(v), truncated; ValueError, OverflowError */
gd_any gd_number_divmod(gd_vm *vm, gd_any a, gd_any b);     /* (a // b, a % b) */
gd_any gd_number_round(gd_vm *vm, gd_any v, gd_any digits); /* digits NIL or None: to an int */
gd_any gd_number_power(gd_vm *vm, gd_any a, gd_any b, gd_any modulus);
bool gd_number_parse(const char *text, size_t bytes, double *out); /* as float() reads it; false: not a number */

/* ---- objects (O) --------------------------------------------------------------------------------------------------
 */
/* A slot that a class leaves NULL is looked for in its base (methods, getattr, destroy, visit and all others), so a
 * named tuple or an exception class needs to name only what differs. number.c makes gd_class_bool, int and float;
 * immediates.c gd_class_none, ellipsis, notimplemented, type, native and object. */

/* heap.c (also gd_vm_heap and gd_vm_no_memory) */
void *gd_heap_array(gd_heap *heap, size_t n, size_t size); /* gd_heap_alloc(n * size), NULL too if that overflows */
/* For the vm's safe points: collects young objects, or all, if enough were made since it did so last. */
void gd_heap_tend(gd_heap *heap);
/* In `visit`: what holds no reference need not be seen. */
static inline void gd_see(void (*see)(void *user, gd_any v), void *user, gd_any v) {
    if (v.tag >= GD_A_TENSOR) see(user, v);
}
size_t gd_heap_count(const gd_heap *heap); /* objects alive */

/* any.c */
const char *gd_class_label(gd_any v); /* v's class as TypeErrors print it: "list", "Tensor", "torch.Size" */

/* attributes.c: the method called `name` of instances of c or its bases; NULL: none. The same for all instances. */
const gd_native *gd_find_method(const gd_class *c, const gd_str *name);
/* A method bound to its object; `function` is what gd_call_any gets with self in front. */
typedef struct gd_bound {
    gd_object head;
    gd_any self, function;
} gd_bound;
extern const gd_class gd_class_bound;
gd_any gd_bound_new(gd_vm *vm, gd_any self, gd_any function); /* keeps both */

/* sequence.c, sort.c */
bool gd_list_extend(gd_vm *vm, gd_list *list, gd_any iterable);
bool gd_list_sort(gd_vm *vm, gd_list *list, gd_any key, bool reverse); /* key: NONE or a function; stable */
/* a, b, c = v: n new references into out; ValueError "too many values to unpack (expected 2)" … */
bool gd_unpack(gd_vm *vm, gd_any v, size_t n, gd_any *out);
/* a, *b, c = v: out gets `before` values, a list, `after` values. */
bool gd_unpack_star(gd_vm *vm, gd_any v, size_t before, size_t after, gd_any *out);
/* Arguments of a `make` or native that takes no keywords and least … most positional ones; texts as Python's
 * "range expected at most 3 arguments, got 4" and "range() takes no keyword arguments". */
bool gd_check_args(gd_vm *vm, const char *name, const gd_args *args, uint32_t least, uint32_t most);
gd_any gd_find_keyword(const gd_args *args, const char *name); /* borrowed, NIL: not given */

/* dict.c */
typedef struct gd_dict_entry {
    uint64_t hash;
    gd_any key, value; /* a removed entry has the key NIL */
} gd_dict_entry;
struct gd_dict {
    gd_object head;
    gd_dict_entry *entries; /* in order of insertion, removed ones left standing till the next rebuild */
    uint32_t *slots;        /* open addressing: 0 free, else 1 + index into entries (perhaps of a removed one) */
    size_t n;               /* entries that are there */
    size_t first, filled;   /* all that are there lie in [first, filled) of entries */
    size_t used;            /* slots that are not free */
    size_t capacity, mask;  /* of entries; slots - 1 */
};
static inline bool gd_is_dict(gd_any v) { return gd_is(v, &gd_class_dict); }
static inline bool gd_is_set(gd_any v) { return gd_is(v, &gd_class_set); }
static inline gd_dict *gd_as_dict(gd_any v) { return (gd_dict *)v.u.object; }
int gd_dict_remove(gd_vm *vm, gd_dict *d, gd_any key, gd_any *value); /* 1: *value new (may be NULL); 0; -1 */
bool gd_dict_update(gd_vm *vm, gd_dict *d, gd_any from);              /* a dict, or an iterable of pairs */
void gd_dict_clear(gd_heap *heap, gd_dict *d);
gd_any gd_raise_key(gd_vm *vm, gd_any key);                 /* KeyError(key) */
bool gd_set_update(gd_vm *vm, gd_any set, gd_any iterable); /* set.c */

/* range.c */
gd_any gd_range_new(gd_vm *vm, int64_t start, int64_t stop, int64_t step); /* step not 0 */

/* iterators.c: the classes that are also built-in functions, and what iter() and next() are. */
extern const gd_class gd_class_enumerate, gd_class_zip, gd_class_map, gd_class_filter, gd_class_reversed;
extern const gd_native gd_native_iter, gd_native_next;
typedef struct gd_seq_iterator { /* of a list or tuple */
    gd_object head;
    gd_any of; /* NIL: exhausted */
    size_t at;
} gd_seq_iterator;
typedef struct gd_range_iterator {
    gd_object head;
    int64_t next, step, left; /* left: items to come */
} gd_range_iterator;
extern const gd_class gd_class_list_iterator, gd_class_tuple_iterator, gd_class_range_iterator;

/* ---- torch (T) ----------------------------------------------------------------------------------------------------
 */
/* The class of a node, by its name: type(z.grad_fn) is <class 'AddBackward0'>; its base is gd_class_node. */
const gd_class *gd_node_class(const gd_node *node);
/* The dtype of torch.FloatTensor, torch.LongTensor …; false for any other class. */
bool gd_legacy_dtype(const gd_class *class, gd_dtype *dtype);

#endif
