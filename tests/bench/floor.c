/* floor.c: libmicrohttpd alone, answering every request with one constant: the peer of the HTTP figures. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char answer[] = "{\"outputs\":[{\"name\":\"y\",\"dtype\":\"float32\",\"shape\":[1],\"data\":[4.2]}]}";
static struct MHD_Response *response;

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state) {
    (void)cls, (void)url, (void)method, (void)version, (void)upload;
    if (!*state) { /* headers have come; the body follows */
        *state = &response;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

int main(int argc, char **argv) {
    unsigned port = argc > 1 ? (unsigned)atoi(argv[1]) : 4300;
    response = MHD_create_response_from_buffer(sizeof answer - 1, (void *)(size_t)answer, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)port, NULL, NULL, handle, NULL, MHD_OPTION_END);
    if (!daemon) return 1;
    printf("ready\n");
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0) continue; /* until the bench closes our input */
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return 0;
}
