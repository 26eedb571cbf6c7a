/* log.c: formats log lines and writes them in batches from a thread of its own. */
#include "server/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { LINE_MAX_BYTES = 2048, HALF = 256 * 1024, PATH_SHOWN = 512, BATCH_MS = 20 };

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
    gd_log_format format;
    gd_log_level level;
    bool running;
    _Atomic bool stopping;
    uv_mutex_t lock;
    uv_cond_t filled; /* something was written to an empty buffer, or it is filling up */
    uv_thread_t thread;
    char *front, *back; /* callers append to front; the writer swaps them */
    size_t used;
    uint64_t dropped;
} self = {.level = GD_LOG_INFO};

/* ---- a line ---- */

typedef struct line {
    size_t n;
    char text[LINE_MAX_BYTES];
} line;

static void put(line *l, const char *text, size_t n) {
    size_t room = LINE_MAX_BYTES - 3 - l->n; /* the end of a JSON line and the line feed always fit */
    if (n > room) n = room;
    memcpy(l->text + l->n, text, n);
    l->n += n;
}

static void put_text(line *l, const char *text) { put(l, text, strlen(text)); }

static void put_number(line *l, uint64_t value) {
    char digits[20];
    size_t i = sizeof digits;
    do digits[--i] = (char)('0' + value % 10);
    while (value /= 10);
    put(l, digits + i, sizeof digits - i);
}

/* Text from outside: control characters, quotes and backslashes are escaped in both formats, so no client can forge a
 * line. */
static void put_escaped(line *l, const char *text, size_t n) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            put(l, (char[]){'\\', (char)c}, 2);
        else if (c >= ' ' && c < 127)
            put(l, text + i, 1);
        else
            put(l, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
    }
}

/* "2026-11-23T11:17:08.123Z"; the part down to the second is kept per thread. */
static void put_time(line *l) {
    static _Thread_local time_t second;
    static _Thread_local char text[32];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second || !*text) {
        struct tm tm;
        second = now.tv_sec;
        gmtime_r(&second, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &tm);
    }
    unsigned ms = (unsigned)(now.tv_nsec / 1000000);
    put_text(l, text);
    put(l, (char[]){(char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z'}, 4);
}

static void put_start(line *l, gd_log_level level) {
    l->n = 0;
    if (self.format == GD_LOG_JSON) put_text(l, "{\"time\":\"");
    put_time(l);
    put_text(l, self.format == GD_LOG_JSON ? "\",\"level\":\"" : " ");
    put_text(l, level_names[level]);
    put_text(l, self.format == GD_LOG_JSON ? "\"" : " ");
}

/* ---- the buffer and its writer ---- */

/* How much may be written after poll said yes: a pipe then has room for this much, and takes no more without waiting.
 */
static size_t piece(size_t n) {
    struct stat info;
    bool file = !fstat(STDERR_FILENO, &info) && S_ISREG(info.st_mode);
    return file || n < PIPE_BUF ? n : PIPE_BUF;
}

/* Writes all of it. A reader that takes nothing for a second when we are about to end is given up. */
static void write_out(const char *text, size_t n) {
    while (n > 0) {
        struct pollfd p = {STDERR_FILENO, POLLOUT, 0};
        int ready = poll(&p, 1, 1000);
        if (ready == 0 && (!self.running || atomic_load(&self.stopping))) return;
        if (ready <= 0) continue;
        ssize_t done = write(STDERR_FILENO, text, piece(n));
        if (done < 0 && errno != EINTR) return;
        if (done <= 0) continue;
        text += done;
        n -= (size_t)done;
    }
}

static void write_batch(void) {
    char *text = self.front;
    size_t n = self.used;
    uint64_t dropped = self.dropped;
    self.front = self.back;
    self.back = text;
    self.used = 0;
    self.dropped = 0;
    uv_mutex_unlock(&self.lock);
    write_out(text, n);
    if (dropped > 0)
        gd_log(GD_LOG_WARN, "%llu log lines were lost: standard error is read too slowly", (unsigned long long)dropped);
    uv_mutex_lock(&self.lock);
}

static void writer(void *unused) {
    (void)unused;
    uv_mutex_lock(&self.lock);
    while (!self.stopping || self.used > 0) {
        if (self.used == 0) uv_cond_wait(&self.filled, &self.lock);
        /* Lines come in bursts: a short wait makes one write of many. */
        if (!self.stopping && self.used < HALF / 2) uv_cond_timedwait(&self.filled, &self.lock, BATCH_MS * 1000000ULL);
        if (self.used > 0) write_batch();
    }
    uv_mutex_unlock(&self.lock);
}

static void append(const line *l) {
    uv_mutex_lock(&self.lock);
    size_t before = self.used;
    if (before + l->n <= HALF) {
        memcpy(self.front + before, l->text, l->n);
        self.used += l->n;
    } else
        self.dropped++;
    bool wake = before == 0 || (before < HALF / 2 && self.used >= HALF / 2);
    uv_mutex_unlock(&self.lock);
    if (wake) uv_cond_signal(&self.filled);
}

static void put_end(line *l) {
    if (self.format == GD_LOG_JSON) l->text[l->n++] = '}';
    l->text[l->n++] = '\n';
    if (self.running)
        append(l);
    else
        write_out(l->text, l->n);
}

/* ---- what others call ---- */

bool gd_log_wants(gd_log_level level) { return level <= self.level; }

void gd_log(gd_log_level level, const char *format, ...) {
    if (!gd_log_wants(level)) return;
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0) return;
    line l;
    put_start(&l, level);
    if (self.format == GD_LOG_JSON) put_text(&l, ",\"message\":\"");
    put_escaped(&l, text, strnlen(text, sizeof text));
    if (self.format == GD_LOG_JSON) put_text(&l, "\"");
    put_end(&l);
}

/* A field of a request's line: a key in JSON; in text a space, and `label` where the value does not speak for itself.
 */
static void put_key(line *l, const char *key, const char *label) {
    if (self.format == GD_LOG_JSON) {
        put_text(l, ",\"");
        put_text(l, key);
        put_text(l, "\":");
    } else {
        if (l->text[l->n - 1] != ' ') put_text(l, " ");
        put_text(l, label);
    }
}

static void put_text_field(line *l, const char *key, const char *label, const char *text, size_t n) {
    const char *quote = self.format == GD_LOG_JSON ? "\"" : "";
    put_key(l, key, label);
    put_text(l, quote);
    put_escaped(l, text, n);
    put_text(l, quote);
}

static void put_number_field(line *l, const char *key, uint64_t value, const char *unit) {
    put_key(l, key, "");
    put_number(l, value);
    if (self.format == GD_LOG_TEXT) put_text(l, unit);
}

gd_log_level gd_log_level_of(unsigned status) {
    return status == 503 ? GD_LOG_WARN : status >= 500 ? GD_LOG_ERROR : GD_LOG_INFO;
}

void gd_log_access(const gd_access *a) {
    gd_log_level level = gd_log_level_of(a->status);
    if (!gd_log_wants(level)) return;
    line l;
    size_t shown = a->path_length > PATH_SHOWN ? PATH_SHOWN : a->path_length;
    put_start(&l, level);
    put_text_field(&l, "method", "", a->method, strlen(a->method));
    put_text_field(&l, "path", "", a->path, shown);
    put_number_field(&l, "status", a->status, "");
    put_number_field(&l, "bytes_in", a->bytes_in, "B in");
    put_number_field(&l, "bytes_out", a->bytes_out, "B out");
    put_number_field(&l, "us", a->micros, "us");
    put_text_field(&l, "id", "id=", a->id, strlen(a->id));
    if (a->session_length > 0) put_text_field(&l, "session", "session=", a->session, a->session_length);
    put_end(&l);
}

static void release(void) {
    free(self.front);
    free(self.back);
    self.front = self.back = NULL;
}

bool gd_log_start(gd_log_format format, gd_log_level level) {
    self.format = format;
    self.level = level;
    self.stopping = false;
    self.used = 0;
    self.front = malloc(HALF);
    self.back = malloc(HALF);
    if (!self.front || !self.back || uv_mutex_init(&self.lock)) return release(), false;
    if (uv_cond_init(&self.filled)) return uv_mutex_destroy(&self.lock), release(), false;
    uv_thread_options_t small = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = 256 * 1024};
    self.running = !uv_thread_create_ex(&self.thread, &small, writer, NULL);
    if (!self.running) uv_cond_destroy(&self.filled), uv_mutex_destroy(&self.lock), release();
    return self.running;
}

void gd_log_stop(void) {
    if (!self.running) return;
    uv_mutex_lock(&self.lock);
    self.stopping = true;
    uv_mutex_unlock(&self.lock);
    uv_cond_signal(&self.filled);
    uv_thread_join(&self.thread);
    self.running = false;
    uv_cond_destroy(&self.filled);
    uv_mutex_destroy(&self.lock);
    release();
}
