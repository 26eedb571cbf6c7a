/* connection.c: the list of open connections and their deadlines. */
#include "server/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

uint64_t gd_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool gd_connections_init(gd_connections *all, size_t limit, gd_linger *linger) {
    *all = (gd_connections){.limit = limit, .linger = linger};
    return !uv_mutex_init(&all->lock);
}

void gd_connections_destroy(gd_connections *all) { uv_mutex_destroy(&all->lock); }

static bool waits(gd_connection *c) {
    int phase = atomic_load(&c->phase), unread = 0;
    if (phase != GD_PHASE_FRESH && phase != GD_PHASE_IDLE) return false;
    return !ioctl(c->fd, FIONREAD, &unread) && unread == 0; /* else a request is on its way */
}

/* Ends the connection from another thread: libmicrohttpd reads its end and closes it. Under the list's lock, which the
 * closing callback takes before the descriptor is closed, so this is no other's descriptor. */
static void cut(gd_connection *c, int phase, const char *answer) {
    if (!atomic_compare_exchange_strong(&c->phase, &phase, GD_PHASE_CUT)) return;
    if (answer) (void)!send(c->fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(c->fd, SHUT_RDWR);
}

/* With few places left, the connection that has waited longest gives its place up. Called with the lock held. */
static void make_room(gd_connections *all) {
    if (all->open < all->limit / 8 * 7) return;
    for (gd_connection *c = all->oldest; c; c = c->newer) {
        if (!waits(c)) continue;
        cut(c, atomic_load(&c->phase), NULL);
        return;
    }
}

static void link_newest(gd_connections *all, gd_connection *c) {
    c->older = all->newest;
    if (all->newest)
        all->newest->newer = c;
    else
        all->oldest = c;
    all->newest = c;
    all->open++;
}

static void unlink_one(gd_connections *all, gd_connection *c) {
    *(c->newer ? &c->newer->older : &all->newest) = c->older;
    *(c->older ? &c->older->newer : &all->oldest) = c->newer;
    all->open--;
}

gd_connection *gd_connection_open(gd_connections *all, struct MHD_Connection *mhd) {
    gd_connection *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->all = all;
    c->mhd = mhd;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    atomic_init(&c->phase, GD_PHASE_FRESH);
    atomic_init(&c->since, gd_now_ms());
    uv_mutex_lock(&all->lock);
    make_room(all);
    link_newest(all, c);
    uv_mutex_unlock(&all->lock);
    return c;
}

void gd_connection_close(gd_connection *c) {
    uv_mutex_lock(&c->all->lock);
    unlink_one(c->all, c);
    uv_mutex_unlock(&c->all->lock);
    if (c->unread) gd_linger_take(c->all->linger, c->fd);
    gd_request_free(&c->request);
    if (c->kept.response) MHD_destroy_response(c->kept.response);
    free(c->kept.body);
    free(c);
}

bool gd_connection_enter(gd_connection *c, gd_phase phase) {
    int now = atomic_load_explicit(&c->phase, memory_order_relaxed);
    if (now == GD_PHASE_CUT) return false;
    atomic_store_explicit(&c->since, gd_now_ms(), memory_order_relaxed);
    return atomic_compare_exchange_strong(&c->phase, &now, (int)phase);
}

const char *gd_connection_local(gd_connection *c) {
    struct sockaddr_storage a;
    socklen_t length = sizeof a;
    if (*c->local || getsockname(c->fd, (struct sockaddr *)&a, &length)) return c->local;
    char text[INET6_ADDRSTRLEN];
    if (a.ss_family == AF_INET && inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, text, sizeof text))
        snprintf(c->local, sizeof c->local, "%s", text);
    const struct in6_addr *in6 = &((struct sockaddr_in6 *)&a)->sin6_addr;
    if (a.ss_family == AF_INET6 && inet_ntop(AF_INET6, in6, text, sizeof text))
        snprintf(c->local, sizeof c->local, IN6_IS_ADDR_V4MAPPED(in6) ? "%s" : "[%s]",
                 text + (IN6_IS_ADDR_V4MAPPED(in6) ? 7 : 0));
    return c->local;
}

/* Without a length: the end of the connection ends it. */
static const char too_slow[] =
    "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    "{\"type\":\"/problems/request_timeout\",\"title\":\"Request Timeout\",\"status\":408,"
    "\"detail\":\"The request came too slowly: send its head within 10 seconds, its body at 500 bytes a second or more.\","
    "\"code\":\"request_timeout\"}\n";

/* The library overlooks the end of a client's stream when it comes in one event with the last bytes. Looked for once a
 * phase, a while into it. */
static bool left(gd_connection *c, int phase, uint64_t since, uint64_t age) {
    struct pollfd p = {c->fd, POLLRDHUP, 0};
    int unread = 0;
    if (phase >= GD_PHASE_WORK || age < GD_LOOK_MS || c->looked == since) return false;
    c->looked = since;
    return poll(&p, 1, 0) > 0 && !ioctl(c->fd, FIONREAD, &unread) && unread == 0;
}

static void check_deadline(gd_connection *c, uint64_t now) {
    int phase = atomic_load(&c->phase);
    uint64_t since = atomic_load(&c->since), bytes = atomic_load(&c->bytes);
    uint64_t age = now > since ? now - since : 0;
    if (left(c, phase, since, age)) return cut(c, phase, NULL);
    switch (phase) {
    case GD_PHASE_FRESH:
        if (age > GD_HEAD_MS) cut(c, phase, NULL);
        break;
    case GD_PHASE_IDLE:
        /* Silence is libmicrohttpd's to end; this ends the dripping of a request line. */
        if (age > (GD_IDLE_SECONDS + GD_HEAD_MS / 1000) * 1000) cut(c, phase, NULL);
        break;
    case GD_PHASE_HEAD:
        if (age > GD_HEAD_MS) cut(c, phase, too_slow);
        break;
    case GD_PHASE_BODY:
        if (age > GD_BODY_GRACE_MS && bytes < (age - GD_BODY_GRACE_MS) * GD_BODY_RATE / 1000 + GD_BODY_RATE)
            cut(c, phase, too_slow);
        break;
    case GD_PHASE_ANSWER:
        if (age > GD_ANSWER_GRACE_MS && bytes < (age - GD_ANSWER_GRACE_MS) * GD_ANSWER_RATE / 1000) cut(c, phase, NULL);
        break;
    default: break;
    }
}

void gd_connections_sweep(gd_connections *all) {
    uint64_t now = gd_now_ms();
    uv_mutex_lock(&all->lock);
    for (gd_connection *c = all->newest; c; c = c->older) check_deadline(c, now);
    uv_mutex_unlock(&all->lock);
}

void gd_connections_close_idle(gd_connections *all) {
    uv_mutex_lock(&all->lock);
    for (gd_connection *c = all->newest; c; c = c->older)
        if (waits(c)) cut(c, atomic_load(&c->phase), NULL);
    uv_mutex_unlock(&all->lock);
}
