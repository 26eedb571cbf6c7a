/* format.h: format specs, shared by what formats: format(), str.format, f-strings and %. */
#ifndef GD_PROGRAM_FORMAT_H
#define GD_PROGRAM_FORMAT_H

#include "core/program/value.h"

/* [[fill]align][sign][z][#][0][width][grouping][.precision][type] */
typedef struct gd_spec {
    char fill[5];             /* one character of UTF-8 */
    char align;               /* < > = ^ */
    char sign;                /* + - or space; 0: not given */
    bool no_minus_zero;       /* z */
    bool alternate;           /* # */
    char grouping;            /* , _ or 0 */
    int64_t width, precision; /* -1: not given */
    uint32_t type;            /* 0: not given */
} gd_spec;

/* Reads a spec; `type_name` is in errors, `align` what counts without one, `type` likewise. False: pending. */
bool gd_spec_read(gd_vm *vm, const char *text, size_t bytes, const char *type_name, char align, uint32_t type,
                  gd_spec *spec);
/* A number laid out by a spec whose type fits it; `type_name` is in errors. A str. */
gd_any gd_format_int(gd_vm *vm, int64_t v, const gd_spec *spec, const char *type_name);
gd_any gd_format_float(gd_vm *vm, double v, const gd_spec *spec, const char *type_name);
/* Text cut to the precision and filled to the width. A str. */
gd_any gd_format_text(gd_vm *vm, const gd_str *s, const gd_spec *spec);
/* repr, str or ascii of a value: 'r', 's', 'a'. A str. */
gd_any gd_converted(gd_vm *vm, gd_any v, char conversion);
/* The decimal number at *p, of digits only: false if it passes INT64_MAX; -1 if there is none. */
bool gd_format_digits(const char **p, const char *end, int64_t *out);
/* A character that cannot be used, as errors show it: itself, or \xe9. */
const char *gd_format_shown(uint32_t c, char out[16]);
/* What a number looks like before it is aligned: type e, f, g or r (repr; precision unused), |v| without sign. */
typedef struct gd_float_style {
    char type;
    bool upper, alternate, point_zero; /* point_zero: 3 is 3.0 */
    int64_t precision;
} gd_float_style;
void gd_put_float(gd_buffer *out, double v, const gd_float_style *style);

#endif
