/* cells.h: memory of the small things that ops make and drop by the million: tensors, small storages, nodes.
 *
 * A list of free cells for each size and thread: no lock, no search. A cell may be freed on another thread than it came
 * from; it then joins that thread's list. Lists are bounded, and given back when their thread ends. */
#ifndef GD_CELLS_H
#define GD_CELLS_H

#include <stddef.h>

/* Uninitialised memory for `bytes`, aligned for anything up to 16 bytes; NULL if memory is out. Above the largest
 * cell it is malloc's. */
void *gd_cell_new(size_t bytes);
/* `bytes` as it was asked for; NULL is a no-op. */
void gd_cell_free(void *cell, size_t bytes);

#endif
