/* lists.h: flat lists of numbers in a request's document, read into tensors of a known dtype and shape: what UM-Bridge
 * sends for inputs and vectors. Long lists go from the body's text straight into tensor memory. */
#ifndef GD_API_LISTS_H
#define GD_API_LISTS_H

#include "api/exchange.h"

/* A list of numbers, or one bare number, which counts as a list of one. */
typedef struct gd_list {
    int64_t count;
    const json_t *tree; /* borrowed; NULL: `numbers` */
    gd_numbers numbers;
} gd_list;

/* The list at j. False if something else stands there; the request has not failed then. */
bool gd_list_of(const gd_exchange *x, const json_t *j, gd_list *list);
/* New tensor of the list, which has as many numbers as the shape. Numbers that an integer dtype cannot hold are
 * refused. NULL with the request failed. */
gd_tensor *gd_list_tensor(gd_exchange *x, const gd_list *list, gd_dtype dtype, int ndim, const int64_t *sizes);

/* The values of `wide`, contiguous float64 or int64 (taken), as another dtype, on the same terms. */
gd_tensor *gd_list_convert(gd_exchange *x, gd_tensor *wide, gd_dtype dtype);

/* Walks a list of lists. */
typedef struct gd_lists {
    const gd_exchange *x;
    const json_t *tree; /* or NULL: text from `at` on */
    size_t next;
    const char *at, *end;
    const gd_numbers *single; /* the only list, which has been looked over already; or NULL */
} gd_lists;

typedef enum gd_lists_step { GD_LISTS_ONE, GD_LISTS_END, GD_LISTS_OTHER } gd_lists_step;

bool gd_lists_begin(gd_lists *walk, const gd_exchange *x, const json_t *j); /* false: no list stands at j */
/* The next list; GD_LISTS_OTHER: an entry that is neither a list of numbers nor a number. */
gd_lists_step gd_lists_next(gd_lists *walk, gd_list *list);

#endif
