/* watch.h: clients that leave while a worker works for them. libmicrohttpd does not look at a suspended connection, so
 * the loop does, every few milliseconds while such requests are: a request whose client has closed its connection gets
 * its stop flag set.
 *
 * A client that only ends its own stream (nc -N) cannot be told from one that closed; it counts as gone, unless bytes
 * of it are still unread. What the flag ends is the api's to say: programs today. */
#ifndef GD_SERVER_WATCH_H
#define GD_SERVER_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

typedef struct gd_watch gd_watch;

/* Embedded in a request. */
typedef struct gd_watched {
    struct gd_watched *next, *previous;
    int fd;
    _Atomic bool stop; /* the client left, or everything ends */
} gd_watched;

/* Works on `loop`; NULL if memory is out. */
gd_watch *gd_watch_new(uv_loop_t *loop);
/* Watches fd until gd_watch_remove, which must come before fd is closed. Any thread. */
void gd_watch_add(gd_watch *w, gd_watched *one, int fd);
void gd_watch_remove(gd_watch *w, gd_watched *one);
/* Sets every flag, from now on also those of new ones. Any thread. */
void gd_watch_stop_all(gd_watch *w);
/* On the loop's thread; nothing is watched any more. The memory goes when the loop has run once more. */
void gd_watch_free(gd_watch *w); /* NULL is a no-op */

#endif
