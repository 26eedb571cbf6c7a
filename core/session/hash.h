/* hash.h: the hash of names that clients choose. Keyed by a number drawn at start, so that nobody can send names
 * that all fall together. Include it before uthash.h. */
#ifndef GD_SESSION_HASH_H
#define GD_SESSION_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3 of n bytes under this process's key. Any thread. */
uint64_t gd_hash_bytes(const void *bytes, size_t n);

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = (unsigned)gd_hash_bytes((keyptr), (size_t)(keylen)))

#endif
