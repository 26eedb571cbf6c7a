/* encoding.h: bodies that come compressed (Content-Encoding: gzip, zstd). */
#ifndef GD_API_ENCODING_H
#define GD_API_ENCODING_H

#include "api/problem.h"

typedef enum gd_encoding { GD_ENCODING_NONE, GD_ENCODING_GZIP, GD_ENCODING_ZSTD, GD_ENCODING_OTHER } gd_encoding;

/* What a Content-Encoding says; NULL, "" and identity are none. */
gd_encoding gd_encoding_of(const char *text);
/* The n bytes decoded into new memory of *length bytes (free()), never more than `limit` of them. False with the fault
 * set: body_too_large, bad_encoding (no such stream, cut short, bytes behind it), out_of_memory. */
bool gd_decode(gd_encoding encoding, const char *bytes, size_t n, size_t limit, char **out, size_t *length,
               gd_fault *f);

#endif
