/* log.h: the log on standard error, as text or JSON lines. Callers copy a finished line into a bounded buffer; a thread
 * of its own writes it out, so that a slow reader holds up nobody. Lines that find the buffer full are counted and
 * lost. */
#ifndef GD_SERVER_LOG_H
#define GD_SERVER_LOG_H

#include "server/options.h"

/* One answered request. Strings are borrowed; path and session need not be NUL-terminated. */
typedef struct gd_access {
    const char *id, *method, *path, *session;
    size_t path_length, session_length;
    unsigned status;
    uint64_t bytes_in, bytes_out, micros;
} gd_access;

/* Starts the writer; false if it cannot. Before it, and after gd_log_stop, lines are written at once. */
bool gd_log_start(gd_log_format format, gd_log_level level);
/* Writes what is left (for at most a second) and ends the writer. */
void gd_log_stop(void);
bool gd_log_wants(gd_log_level level);
__attribute__((format(printf, 2, 3))) void gd_log(gd_log_level level, const char *format, ...);
/* At which level a request is logged: server errors at `error`, a busy server at `warn`, the rest at `info`. */
gd_log_level gd_log_level_of(unsigned status);
void gd_log_access(const gd_access *a);

#endif
