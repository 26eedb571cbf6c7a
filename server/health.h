/* health.h: `gradd healthcheck`, for containers without a shell or curl. */
#ifndef GD_SERVER_HEALTH_H
#define GD_SERVER_HEALTH_H

#include "server/options.h"

/* Asks --url, or /healthz at the --listen address; 0 if it answers 200 within three seconds, else 1 and a line on
 * standard error. */
int gd_healthcheck(const gd_options *o);

#endif
