/* metrics.h: what /metrics counts: requests by route and status, and how long they took. Counters are atomic and cheap
 * enough for every request. */
#ifndef GD_API_METRICS_H
#define GD_API_METRICS_H

#include "api/router.h"

typedef struct gd_metrics gd_metrics;

gd_metrics *gd_metrics_new(void); /* NULL if memory is out */
void gd_metrics_free(gd_metrics *m);
/* One answered request; route NULL: none was found. */
void gd_metrics_count(gd_metrics *m, const gd_route *route, int status, uint64_t nanoseconds);
/* A program begins; it has ended so. */
void gd_metrics_program_begin(gd_metrics *m);
void gd_metrics_program_end(gd_metrics *m, const gd_program_result *r);
/* A stored function was evaluated, or could not be. */
void gd_metrics_evaluation(gd_metrics *m, gd_eval_kind kind, bool ok);
uint64_t gd_metrics_clock(void); /* ns, monotonic */
gd_metrics *gd_api_metrics(gd_api *api);

#endif
