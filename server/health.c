/* health.c: a client for one GET. */
#include "server/health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <unistd.h>

enum { SECONDS_TO_ANSWER = 3 };

typedef struct target {
    struct sockaddr_storage address;
    socklen_t length;
    char authority[280], path[256];
} target;

static int fail(const char *what) {
    fprintf(stderr, "gradd: unhealthy: %s\n", what);
    return 1;
}

/* A server that listens on every address is asked on the loopback one. */
static void from_listen(const gd_address *listen, target *t) {
    t->address = listen->socket;
    t->length = listen->length;
    struct sockaddr_in *in = (struct sockaddr_in *)&t->address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&t->address;
    if (t->address.ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY))
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (t->address.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)) in6->sin6_addr = in6addr_loopback;
    snprintf(t->authority, sizeof t->authority, "localhost");
    snprintf(t->path, sizeof t->path, "/healthz");
}

static bool resolve(char *host, const char *port, target *t) {
    size_t n = strlen(host);
    if (n > 1 && host[0] == '[' && host[n - 1] == ']') host[n - 1] = 0, host++;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, port, &hints, &found)) return false;
    memcpy(&t->address, found->ai_addr, found->ai_addrlen);
    t->length = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

/* http://HOST[:PORT][/PATH] */
static bool from_url(const char *url, target *t) {
    if (strncasecmp(url, "http://", 7)) return false;
    url += 7;
    size_t n = strcspn(url, "/");
    if (n == 0 || n > 256 || strlen(url + n) >= sizeof t->path) return false;
    snprintf(t->authority, sizeof t->authority, "%.*s", (int)n, url);
    snprintf(t->path, sizeof t->path, "%s", url[n] && url[n + 1] ? url + n : "/healthz");
    char host[280];
    memcpy(host, t->authority, sizeof host);
    char *colon = strrchr(host, ':'), *bracket = strchr(host, ']');
    if (!colon || (bracket && colon < bracket)) return resolve(host, "80", t);
    *colon = 0;
    return resolve(host, colon + 1, t);
}

static int ask(int fd, const target *t) {
    struct timeval patience = {.tv_sec = SECONDS_TO_ANSWER};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&t->address, t->length)) return fail(strerror(errno));
    char text[640];
    int n =
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", t->path, t->authority);
    if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n) return fail(strerror(errno));
    size_t got = 0;
    while (got < 13) { /* "HTTP/1.1 200 " */
        ssize_t more = recv(fd, text + got, 13 - got, 0);
        if (more <= 0) return fail(more == 0 ? "the connection was closed" : strerror(errno));
        got += (size_t)more;
    }
    text[got] = 0;
    if (!strncmp(text, "HTTP/1.", 7) && !strncmp(text + 8, " 200", 4)) return 0;
    return fail(text);
}

int gd_healthcheck(const gd_options *o) {
    target t;
    memset(&t, 0, sizeof t);
    if (!o->url)
        from_listen(&o->listen, &t);
    else if (!from_url(o->url, &t))
        return fail("--url is no http:// address that can be found");
    int fd = socket(t.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(strerror(errno));
    int code = ask(fd, &t);
    close(fd);
    return code;
}
