/* openapi.h: the OpenAPI 3.1 document, written from the table of routes. */
#ifndef GD_API_OPENAPI_H
#define GD_API_OPENAPI_H

#include "api/text.h"

void gd_openapi_write(gd_text *t);

#endif
