/* storage.h: where the bytes of tensors come from, for core/tensor only: the charging side of
 * accounts and the cache of large blocks. */
#ifndef GD_TENSOR_STORAGE_H
#define GD_TENSOR_STORAGE_H

#include "core/tensor/tensor.h"

/* Blocks of this many bytes and more come from gd_block_new; smaller ones from malloc. */
#define GD_BLOCK_BYTES ((size_t)256 << 10)

gd_account *gd_account_root(void);                  /* the process-wide account; borrowed, never freed */
size_t gd_account_limit(const gd_account *account); /* bytes, 0: none; NULL: process-wide */
/* Charges `bytes` to the account and all above it, or to none: NULL, or the account that refused. The
 * caller holds the account; each byte charged keeps it alive. Any thread. */
gd_account *gd_account_charge(gd_account *account, size_t bytes);
void gd_account_refund(gd_account *account, size_t bytes); /* undoes a charge; may free the account */

/* A block of at least `bytes` bytes, aligned to a page: cached or new. *size is what gd_block_free wants to
 * know, *zeroed tells if the block is known to hold zeros. NULL when the system refuses even after the cache
 * was given back. Any thread. */
void *gd_block_new(size_t bytes, size_t *size, bool *zeroed);
void gd_block_free(void *block, size_t size); /* into the cache, or back to the system */

#endif
