/* binary.h: tensors as .npy files and raw bytes: bodies that come at once or bit by bit, and binary answers. */
#ifndef GD_API_BINARY_H
#define GD_API_BINARY_H

#include "api/exchange.h"
#include "api/safetensors.h"

typedef enum gd_form { GD_FORM_JSON, GD_FORM_NPY, GD_FORM_RAW, GD_FORM_SAFETENSORS, GD_FORM_OTHER } gd_form;
#define GD_SAFETENSORS_TYPE "application/vnd.safetensors"

/* What a Content-Type says; NULL or "" is JSON. */
gd_form gd_form_of(const char *content_type);
/* What a client would rather have of `forms` (bits 1 << form), by Accept; JSON when it does not care, or wants nothing
 * of them. */
gd_form gd_form_accepted_of(const char *accept, unsigned forms);
gd_form gd_form_accepted(const char *accept); /* of a tensor's value: JSON, .npy and raw bytes */

/* The binary body of a PUT as new tensor, by the request's type, query and upload; `like` (may be NULL) gives dtype and
 * shape that a raw body leaves open. NULL with the request failed. */
gd_tensor *gd_binary_tensor(gd_exchange *x, const gd_tensor *like);
/* How much Accept wants the media type, in thousandths; 0 if it does not name it. */
int gd_accept_weight(const char *accept, const char *type);

/* Answers with a safetensors file of these, which are put in order; `metadata` are npairs pairs of texts. */
bool gd_answer_safetensors(gd_exchange *x, gd_named_tensor *tensors, size_t count, const char *const *metadata,
                           size_t npairs);
/* Answers with t's value as .npy. Nobody may write to t from now on: a large one is sent from where it is. */
bool gd_answer_result(gd_exchange *x, gd_tensor *t);
/* Answers with t's value in this form. */
bool gd_answer_value(gd_exchange *x, gd_tensor *t, gd_form form);

#endif
