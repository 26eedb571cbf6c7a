/* float_text.h: the digits of floats, for the files of core/program that print and round them. */
#ifndef GD_PROGRAM_FLOAT_TEXT_H
#define GD_PROGRAM_FLOAT_TEXT_H

#include "core/program/value.h"

/* A double has at most 767 significant digits and 1074 behind the point: more would be zeros. */
enum { GD_FLOAT_DIGITS = 1100 };

/* The first n (1 … GD_FLOAT_DIGITS - 1) significant digits of the finite |v|, rounded half to even, NUL-terminated;
 * *point is where the decimal point belongs: 0.<digits> * 10**point. Returns how many. */
size_t gd_float_digits(double v, int n, char *digits, int *point);
/* The fewest digits that read back as |v|; `digits` of GD_FLOAT_DIGITS + 1. */
size_t gd_float_shortest(double v, char *digits, int *point);
double gd_float_round(double v, int64_t places); /* round(v, places); may be infinite */

#endif
