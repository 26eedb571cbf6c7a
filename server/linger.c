/* linger.c: reads closed connections empty, on the loop. */
#include "server/linger.h"

#include "server/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PLACES = 64, LINGER_MS = 2000, SCRATCH = 64 * 1024, SWEEP_MS = 500 };

typedef struct place {
    uv_poll_t poll;
    gd_linger *owner;
    int fd; /* -1: free */
    bool polled;
    uint64_t until;
} place;

struct gd_linger {
    uv_loop_t *loop;
    uv_async_t wake;
    uv_timer_t timer;
    uv_mutex_t lock;
    int arrived[PLACES]; /* handed over by other threads; under the lock, as are `waiting` and `used` */
    size_t waiting, used;
    int handles;
    place places[PLACES];
};

static void on_closed(uv_handle_t *handle) {
    gd_linger *l = handle->data;
    if (--l->handles > 0) return;
    uv_mutex_destroy(&l->lock);
    free(l);
}

static void on_poll_closed(uv_handle_t *handle) {
    place *p = handle->data;
    close(p->fd);
    p->fd = -1;
    uv_mutex_lock(&p->owner->lock);
    p->owner->used--;
    uv_mutex_unlock(&p->owner->lock);
    handle->data = p->owner;
    on_closed(handle);
}

static void end(place *p) {
    if (!p->polled) return;
    p->polled = false;
    uv_close((uv_handle_t *)&p->poll, on_poll_closed);
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    static char scratch[SCRATCH]; /* the loop's thread only; nobody looks at it */
    place *p = poll->data;
    (void)events;
    if (status < 0) return end(p);
    for (int i = 0; i < 16; i++) {
        ssize_t n = recv(p->fd, scratch, sizeof scratch, MSG_DONTWAIT);
        if (n > 0) continue;
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) end(p);
        return;
    }
}

static void on_timer(uv_timer_t *timer) {
    gd_linger *l = timer->data;
    bool any = false;
    for (size_t i = 0; i < PLACES; i++) {
        place *p = &l->places[i];
        if (p->polled && gd_now_ms() > p->until) end(p);
        any |= p->polled;
    }
    if (!any) uv_timer_stop(timer);
}

static void start(gd_linger *l, int fd) {
    place *p = l->places;
    while (p->fd >= 0) p++; /* `used` keeps one free for every arrival */
    p->fd = fd;
    p->until = gd_now_ms() + LINGER_MS;
    p->poll.data = p;
    if (uv_poll_init(l->loop, &p->poll, fd)) {
        p->fd = -1;
        l->used--;
        close(fd);
        return;
    }
    l->handles++;
    p->polled = true;
    if (uv_poll_start(&p->poll, UV_READABLE | UV_DISCONNECT, on_readable)) end(p);
}

static void on_wake(uv_async_t *wake) {
    gd_linger *l = wake->data;
    uv_mutex_lock(&l->lock);
    while (l->waiting > 0) start(l, l->arrived[--l->waiting]);
    uv_mutex_unlock(&l->lock);
    if (!uv_is_active((uv_handle_t *)&l->timer)) uv_timer_start(&l->timer, on_timer, SWEEP_MS, SWEEP_MS);
}

gd_linger *gd_linger_new(uv_loop_t *loop) {
    gd_linger *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->loop = loop;
    for (size_t i = 0; i < PLACES; i++) l->places[i] = (place){.owner = l, .fd = -1};
    if (uv_mutex_init(&l->lock)) return free(l), NULL;
    if (uv_async_init(loop, &l->wake, on_wake)) return uv_mutex_destroy(&l->lock), free(l), NULL;
    uv_timer_init(loop, &l->timer);
    l->wake.data = l->timer.data = l;
    l->handles = 2;
    return l;
}

void gd_linger_take(gd_linger *l, int fd) {
    uv_mutex_lock(&l->lock);
    int copy = l->used < PLACES ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy >= 0) {
        shutdown(copy, SHUT_WR);
        l->arrived[l->waiting++] = copy;
        l->used++;
    }
    uv_mutex_unlock(&l->lock);
    if (copy >= 0) uv_async_send(&l->wake);
}

void gd_linger_free(gd_linger *l) {
    if (!l) return;
    while (l->waiting > 0) close(l->arrived[--l->waiting]);
    for (size_t i = 0; i < PLACES; i++) end(&l->places[i]);
    uv_close((uv_handle_t *)&l->wake, on_closed);
    uv_close((uv_handle_t *)&l->timer, on_closed);
}
