/* watch.c: looks for clients that left, on the loop; see watch.h. */
#include "server/watch.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum { LOOK_MS = 40 };

struct gd_watch {
    uv_async_t wake;  /* something is watched again */
    uv_timer_t timer; /* runs only while something is */
    uv_mutex_t lock;
    gd_watched *first; /* under the lock, as is `stopping` */
    bool stopping;
    int handles;
};

static bool left(int fd) {
    struct pollfd p = {fd, POLLRDHUP, 0};
    int unread = 0;
    if (poll(&p, 1, 0) <= 0) return false;
    if (p.revents & (POLLHUP | POLLERR | POLLNVAL)) return true;
    return !ioctl(fd, FIONREAD, &unread) && unread == 0;
}

static void on_timer(uv_timer_t *timer) {
    gd_watch *w = timer->data;
    uv_mutex_lock(&w->lock);
    if (!w->first) uv_timer_stop(timer);
    for (gd_watched *one = w->first; one; one = one->next)
        if (!atomic_load_explicit(&one->stop, memory_order_relaxed) && left(one->fd)) atomic_store(&one->stop, true);
    uv_mutex_unlock(&w->lock);
}

static void on_wake(uv_async_t *wake) {
    gd_watch *w = wake->data;
    if (!uv_is_active((uv_handle_t *)&w->timer)) uv_timer_start(&w->timer, on_timer, LOOK_MS, LOOK_MS);
}

gd_watch *gd_watch_new(uv_loop_t *loop) {
    gd_watch *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    if (uv_mutex_init(&w->lock)) return free(w), NULL;
    if (uv_async_init(loop, &w->wake, on_wake)) return uv_mutex_destroy(&w->lock), free(w), NULL;
    uv_timer_init(loop, &w->timer);
    w->wake.data = w->timer.data = w;
    w->handles = 2;
    return w;
}

void gd_watch_add(gd_watch *w, gd_watched *one, int fd) {
    one->fd = fd;
    one->previous = NULL;
    uv_mutex_lock(&w->lock);
    atomic_store_explicit(&one->stop, w->stopping, memory_order_relaxed);
    one->next = w->first;
    if (w->first) w->first->previous = one;
    w->first = one;
    bool alone = !one->next;
    uv_mutex_unlock(&w->lock);
    if (alone) uv_async_send(&w->wake); /* with others the timer runs */
}

void gd_watch_remove(gd_watch *w, gd_watched *one) {
    uv_mutex_lock(&w->lock);
    *(one->previous ? &one->previous->next : &w->first) = one->next;
    if (one->next) one->next->previous = one->previous;
    uv_mutex_unlock(&w->lock);
}

void gd_watch_stop_all(gd_watch *w) {
    uv_mutex_lock(&w->lock);
    w->stopping = true;
    for (gd_watched *one = w->first; one; one = one->next) atomic_store(&one->stop, true);
    uv_mutex_unlock(&w->lock);
}

static void on_closed(uv_handle_t *handle) {
    gd_watch *w = handle->data;
    if (--w->handles > 0) return;
    uv_mutex_destroy(&w->lock);
    free(w);
}

void gd_watch_free(gd_watch *w) {
    if (!w) return;
    uv_close((uv_handle_t *)&w->wake, on_closed);
    uv_close((uv_handle_t *)&w->timer, on_closed);
}
