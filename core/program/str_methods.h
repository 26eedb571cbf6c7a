/* str_methods.h: the methods of strings, by file, for the table in str_methods.c. */
#ifndef GD_PROGRAM_STR_METHODS_H
#define GD_PROGRAM_STR_METHODS_H

#include "core/program/value.h"

/* X(Python's name, least, most, keywords); self is counted */
#define GD_STR_SEARCH(X)                                                                                               \
    X(find, 2, 4, "")                                                                                                  \
    X(rfind, 2, 4, "")                                                                                                 \
    X(index, 2, 4, "")                                                                                                 \
    X(rindex, 2, 4, "")                                                                                                \
    X(count, 2, 4, "")                                                                                                 \
    X(startswith, 2, 4, "")                                                                                            \
    X(endswith, 2, 4, "")                                                                                              \
    X(removeprefix, 2, 2, "")                                                                                          \
    X(removesuffix, 2, 2, "")                                                                                          \
    X(replace, 3, 4, "")                                                                                               \
    X(partition, 2, 2, "")                                                                                             \
    X(rpartition, 2, 2, "")
#define GD_STR_SPLIT(X)                                                                                                \
    X(split, 1, 3, "sep maxsplit")                                                                                     \
    X(rsplit, 1, 3, "sep maxsplit")                                                                                    \
    X(splitlines, 1, 2, "keepends")                                                                                    \
    X(join, 2, 2, "")                                                                                                  \
    X(strip, 1, 2, "")                                                                                                 \
    X(lstrip, 1, 2, "")                                                                                                \
    X(rstrip, 1, 2, "")
#define GD_STR_CASE(X)                                                                                                 \
    X(upper, 1, 1, "")                                                                                                 \
    X(lower, 1, 1, "")                                                                                                 \
    X(title, 1, 1, "")                                                                                                 \
    X(capitalize, 1, 1, "")                                                                                            \
    X(swapcase, 1, 1, "")                                                                                              \
    X(casefold, 1, 1, "")                                                                                              \
    X(isalpha, 1, 1, "")                                                                                               \
    X(isalnum, 1, 1, "")                                                                                               \
    X(isdecimal, 1, 1, "")                                                                                             \
    X(isdigit, 1, 1, "")                                                                                               \
    X(isnumeric, 1, 1, "")                                                                                             \
    X(isspace, 1, 1, "")                                                                                               \
    X(isprintable, 1, 1, "")                                                                                           \
    X(isascii, 1, 1, "")                                                                                               \
    X(isupper, 1, 1, "")                                                                                               \
    X(islower, 1, 1, "")                                                                                               \
    X(istitle, 1, 1, "")                                                                                               \
    X(isidentifier, 1, 1, "")
#define GD_STR_LAYOUT(X)                                                                                               \
    X(center, 2, 3, "")                                                                                                \
    X(ljust, 2, 3, "")                                                                                                 \
    X(rjust, 2, 3, "")                                                                                                 \
    X(zfill, 2, 2, "")                                                                                                 \
    X(expandtabs, 1, 2, "tabsize")                                                                                     \
    X(format, 1, -1, "*")                                                                                              \
    X(format_map, 2, 2, "")                                                                                            \
    X(encode, 1, 3, "encoding errors")

#define X(name, least, most, keywords) gd_any gd_strm_##name(gd_vm *vm, const gd_args *args);
GD_STR_SEARCH(X)
GD_STR_SPLIT(X)
GD_STR_CASE(X)
#undef X

static inline gd_str *gd_self_str(const gd_args *args) { return gd_as_str(args->v[0]); }
/* A scan of s costs steps. */
static inline bool gd_str_work(gd_vm *vm, const gd_str *s) { return s->bytes < 4096 || gd_work(vm, s->bytes >> 6); }
/* Where `part` begins first at or after `from`, or last before; NULL: nowhere, or pending. */
const char *gd_text_find(const char *from, const char *end, const gd_str *part);
const char *gd_text_find_last(gd_vm *vm, const char *from, const char *end, const gd_str *part);
bool gd_space(uint32_t c); /* str.isspace */
extern const gd_native gd_str_methods[];

#endif
