/* linger.h: sockets that are closed while their client still sends. Closing such a socket at once makes the kernel
 * reset the connection, and the client loses the answer (413, 401) that it was about to read. So they are read empty
 * first. */
#ifndef GD_SERVER_LINGER_H
#define GD_SERVER_LINGER_H

#include <uv.h>

typedef struct gd_linger gd_linger;

/* Works on `loop`; NULL if memory is out. */
gd_linger *gd_linger_new(uv_loop_t *loop);
/* Takes a duplicate of `fd` and reads it until its end, or for two seconds. Any thread; does nothing if it cannot. */
void gd_linger_take(gd_linger *l, int fd);
/* Closes what is left; on the loop's thread. The memory goes when the loop has run once more. */
void gd_linger_free(gd_linger *l);

#endif
