/* builtins.h: the built-in functions by file, for the table in builtins.c. */
#ifndef GD_PROGRAM_BUILTINS_H
#define GD_PROGRAM_BUILTINS_H

#include "core/program/value.h"

/* X(Python's name, least, most positional, keywords) */
#define GD_BUILTINS_OBJECTS(X)                                                                                         \
    X(print, 0, -1, "sep end file flush")                                                                              \
    X(len, 1, 1, "")                                                                                                   \
    X(repr, 1, 1, "")                                                                                                  \
    X(ascii, 1, 1, "")                                                                                                 \
    X(format, 1, 2, "")                                                                                                \
    X(hash, 1, 1, "")                                                                                                  \
    X(id, 1, 1, "")                                                                                                    \
    X(callable, 1, 1, "")                                                                                              \
    X(isinstance, 2, 2, "")                                                                                            \
    X(issubclass, 2, 2, "")                                                                                            \
    X(hasattr, 2, 2, "")                                                                                               \
    X(getattr, 2, 3, "")                                                                                               \
    X(setattr, 3, 3, "")                                                                                               \
    X(delattr, 2, 2, "")                                                                                               \
    X(dir, 1, 1, "")
#define GD_BUILTINS_NUMBERS(X)                                                                                         \
    X(abs, 1, 1, "")                                                                                                   \
    X(round, 0, 2, "number ndigits")                                                                                   \
    X(divmod, 2, 2, "")                                                                                                \
    X(pow, 0, 3, "base exp mod")                                                                                       \
    X(bin, 1, 1, "")                                                                                                   \
    X(oct, 1, 1, "")                                                                                                   \
    X(hex, 1, 1, "")                                                                                                   \
    X(chr, 1, 1, "")                                                                                                   \
    X(ord, 1, 1, "")
#define GD_BUILTINS_ITERABLES(X)                                                                                       \
    X(sum, 1, 2, "start")                                                                                              \
    X(min, 1, -1, "key default")                                                                                       \
    X(max, 1, -1, "key default")                                                                                       \
    X(any, 1, 1, "")                                                                                                   \
    X(all, 1, 1, "")                                                                                                   \
    X(sorted, 0, -1, "key reverse")

#define X(name, least, most, keywords) gd_any gd_builtin_##name(gd_vm *vm, const gd_args *args);
GD_BUILTINS_OBJECTS(X)
GD_BUILTINS_NUMBERS(X)
GD_BUILTINS_ITERABLES(X)
#undef X

#endif
