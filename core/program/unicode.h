/* unicode.h: characters: UTF-8, what they are, and their cases. For the files of core/program that look into strings.
 */
#ifndef GD_PROGRAM_UNICODE_H
#define GD_PROGRAM_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum gd_char_class {
    GD_CHAR_PRINTABLE, /* repr shows it as it is */
    GD_CHAR_ALPHA,
    GD_CHAR_DECIMAL, /* 0 to 9 in any script */
    GD_CHAR_DIGIT,
    GD_CHAR_NUMERIC,
    GD_CHAR_SPACE,
    GD_CHAR_UPPER,
    GD_CHAR_LOWER,
    GD_CHAR_TITLE
} gd_char_class;

typedef enum gd_char_case { GD_CASE_LOWER, GD_CASE_UPPER, GD_CASE_TITLE, GD_CASE_FOLD } gd_char_case;

/* The character at *text, which is valid UTF-8; *text moves behind it. */
uint32_t gd_utf8_next(const char **text);
/* The character before *text; *text moves to its first byte. */
uint32_t gd_utf8_previous(const char **text);
size_t gd_utf8_put(char out[4], uint32_t c);          /* how many bytes */
size_t gd_utf8_count(const char *text, size_t bytes); /* characters */
bool gd_is_ascii(const char *text, size_t bytes);

bool gd_char_is(uint32_t c, gd_char_class class); /* as CPython 3.11 (Unicode 14) answers it */
int gd_char_decimal(uint32_t c);                  /* 0 … 9; -1: no decimal digit */
/* What c becomes: 1 to 3 characters in `out`. */
size_t gd_char_to(uint32_t c, gd_char_case target, uint32_t out[3]);

#endif
