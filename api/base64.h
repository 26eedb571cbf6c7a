/* base64.h: bytes as text, RFC 4648's standard alphabet with padding. */
#ifndef GD_API_BASE64_H
#define GD_API_BASE64_H

#include <stdbool.h>
#include <stddef.h>

static inline size_t gd_base64_length(size_t bytes) { return (bytes + 2) / 3 * 4; }
/* Writes gd_base64_length(n) characters, no NUL. */
void gd_base64_write(char *out, const void *bytes, size_t n);
/* Reads n characters that stand for exactly `bytes` bytes. False: another length, a foreign character, or padding that
 * is missing or not the end. */
bool gd_base64_read(void *out, size_t bytes, const char *text, size_t n);

#endif
