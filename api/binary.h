/* binary.h: tensors as .npy files and raw bytes: bodies that come at once or bit by bit, and binary answers. */
#ifndef GD_API_BINARY_H
#define GD_API_BINARY_H

#include "api/exchange.h"

typedef enum gd_form { GD_FORM_JSON, GD_FORM_NPY, GD_FORM_RAW, GD_FORM_OTHER } gd_form;

/* What a Content-Type says; NULL or "" is JSON. */
gd_form gd_form_of(const char *content_type);
/* What a client would rather have, by Accept; JSON when it does not care, or wants nothing that we have. */
gd_form gd_form_accepted(const char *accept);

/* The binary body of a PUT as new tensor, by the request's type, query and upload; `like` (may be NULL) gives dtype and
 * shape that a raw body leaves open. NULL with the request failed. */
gd_tensor *gd_binary_tensor(gd_exchange *x, const gd_tensor *like);
/* How much Accept wants the media type, in thousandths; 0 if it does not name it. */
int gd_accept_weight(const char *accept, const char *type);

/* Answers with t's value in this form. */
bool gd_answer_value(gd_exchange *x, gd_tensor *t, gd_form form);

#endif
