/* document.h: tensors as JSON: the tensor document, and bare values. */
#ifndef GD_API_DOCUMENT_H
#define GD_API_DOCUMENT_H

#include "api/problem.h"

/* ?data=…: are `data` and `grad` part of a document? */
typedef enum gd_data_mode { GD_DATA_AUTO, GD_DATA_FULL, GD_DATA_NONE } gd_data_mode;

enum { GD_DATA_AUTO_MAX = 1000 }; /* elements that GD_DATA_AUTO shows */

/* Writes t's document under `name` (NULL: none). False with the fault set: out_of_memory, answer_too_large. */
bool gd_put_document(gd_text *out, gd_ctx *ctx, const char *name, gd_tensor *t, gd_data_mode mode, gd_fault *f);
/* Writes t's value: a number, or nested arrays. False with the fault set. */
bool gd_put_data(gd_text *out, const gd_tensor *t, gd_fault *f);
/* Writes an op's plain result. */
void gd_put_value(gd_text *out, const gd_value *v);
/* "n17" in quotes. */
void gd_put_node_id(gd_text *out, const gd_node *node);

#endif
