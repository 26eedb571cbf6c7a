/* number_text.h: single numbers as PyTorch prints them, for repr.c. */
#ifndef GD_TENSOR_NUMBER_TEXT_H
#define GD_TENSOR_NUMBER_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define GD_NUMBER_BYTES 40 /* room for any number in any style that choose_style allows for it */

typedef enum gd_number_style {
    GD_NUMBER_INTEGER,   /* "3.": the value is a whole number up to 1e8 */
    GD_NUMBER_FIXED,     /* "3.1416": the value is up to 1e8 */
    GD_NUMBER_SCIENTIFIC /* "3.1416e+00" */
} gd_number_style;

/* Writes the number without NUL into `out` of GD_NUMBER_BYTES; returns how many characters. Infinities are
 * "inf" and "-inf", NaN of any sign is "nan", in every style. */
size_t gd_number_text(char *out, double v, gd_number_style style);
size_t gd_integer_text(char *out, int64_t v);

#endif
