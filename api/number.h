/* number.h: single numbers between JSON text and machine form, exact both ways. number.cc wraps C++17's
 * std::from_chars and std::to_chars, which need no locale and no NUL. */
#ifndef GD_API_NUMBER_H
#define GD_API_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GD_NUMBER_TEXT = 40 }; /* room for any number written here */

/* Write the shortest text that reads back to the same value, with a `.` or an exponent; NaN and infinities become
 * JSON strings. `out` has GD_NUMBER_TEXT bytes; returns the end, no NUL. */
char *gd_write_f64(char *out, double v);
char *gd_write_f32(char *out, float v);
char *gd_write_i64(char *out, int64_t v);

/* Read one JSON number that starts at p; return its end, or NULL if there is none. Too large ones give an infinity, too
 * small ones a zero, as Python's json does. */
const char *gd_read_f64(const char *p, const char *end, double *v);
/* The same for a number without fraction and exponent; *fits is false if it is beyond int64. */
const char *gd_read_i64(const char *p, const char *end, int64_t *v, bool *fits);

#ifdef __cplusplus
}
#endif
#endif
