/* umbridge_shmem.c: UM-Bridge's numbers in shared memory: inputs and results as raw doubles in segments that the client
 * has made, <shmem_name>_in_<tid>_<i> and <shmem_name>_out_<tid>_<i>. The names come from the request, so: only below
 * /umbridge, only what is there already, only regular files of the process's own user. A client may cut a segment at
 * any time, which would be a SIGBUS in mapped memory; so all is copied with pread and pwrite. */
#include "api/router.h"
#include "api/umbridge.h"
#include "core/tensor/tensor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "/umbridge"
#define TEST_PREFIX PREFIX "_test_shmem"

enum {
    PART_BYTES = 100, /* of shmem_name and of tid; with what stands between, below the kernel's 255 */
    NAME_BYTES = 256,
    SMALL_COUNT = 8 * 1024, /* numbers that a thread which serves connections may copy */
    CHUNK = 512
};

/* ---- segments ------------------------------------------------------------------------------ */

typedef struct segment {
    int fd; /* -1: not open */
    char name[NAME_BYTES];
} segment;

static void segment_name(segment *s, const char *prefix, const char *way, const char *tid, int i) {
    s->fd = -1;
    if (i < 0)
        snprintf(s->name, sizeof s->name, "%s_%s_%s", prefix, way, tid);
    else
        snprintf(s->name, sizeof s->name, "%s_%s_%s_%d", prefix, way, tid, i);
}

static void segment_close(segment *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

/* What is open must be a segment of ours (a second link would be another name for somebody's file), large enough. */
static bool check_segment(gd_exchange *x, const segment *s, int64_t bytes) {
    struct stat st;
    if (fstat(s->fd, &st)) return gd_um_refuse(x, GD_UM_INVALID_INPUT, "Shared memory %s: %m.", s->name);
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        return gd_um_refuse(x, GD_UM_INVALID_INPUT, "%s is no shared memory segment.", s->name);
    if (st.st_uid != geteuid())
        return gd_um_refuse(x, GD_UM_INVALID_INPUT, "Shared memory %s belongs to another user than the server's.",
                            s->name);
    return st.st_size >= bytes ||
           gd_um_refuse(x, GD_UM_INVALID_INPUT, "Shared memory %s has %" PRId64 " bytes, but %" PRId64 " are needed.",
                        s->name, (int64_t)st.st_size, bytes);
}

/* Opens it for `bytes`; it is never made or resized. False with the request failed, but for *absent (NULL: a failure
 * too). */
static bool segment_open(gd_exchange *x, segment *s, int flags, int64_t bytes, bool *absent) {
    s->fd = shm_open(s->name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (s->fd < 0 && errno == ENOENT && absent) {
        *absent = true;
        return false;
    }
    if (s->fd < 0) return gd_um_refuse(x, GD_UM_INVALID_INPUT, "Shared memory %s: %m.", s->name);
    if (check_segment(x, s, bytes)) return true;
    segment_close(s);
    return false;
}

/* All n bytes, or false: the segment has become shorter. */
static bool segment_read(gd_exchange *x, const segment *s, char *p, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(s->fd, p + done, n - done, (off_t)done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return gd_um_refuse(x, GD_UM_INVALID_INPUT, "Shared memory %s: %m.", s->name);
        if (got == 0)
            return gd_um_refuse(x, GD_UM_INVALID_INPUT, "Shared memory %s was cut while it was being read.", s->name);
        done += (size_t)got;
    }
    return true;
}

static bool segment_write(gd_exchange *x, const segment *s, const void *bytes, size_t n, size_t offset) {
    const char *p = bytes;
    while (n > 0) {
        ssize_t put = pwrite(s->fd, p, n, (off_t)offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return gd_um_refuse(x, GD_UM_INVALID_OUTPUT, "Shared memory %s: %m.", s->name);
        p += put;
        n -= (size_t)put;
        offset += (size_t)put;
    }
    return true;
}

/* ---- fields of the request ----------------------------------------------------------------- */

/* A part of a name: behind `prefix` letters, digits, `_` and `-` only, so that no path leads elsewhere. NULL with the
 * request failed. */
static const char *read_part(gd_um_call *c, const char *key, const char *prefix) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const json_t *j = json_object_get(c->root, key);
    const char *s = j && !gd_body_numbers(&c->x->body, j) ? json_string_value(j) : NULL;
    size_t n = strlen(prefix);
    if (s && *s && strlen(s) <= PART_BYTES && !strncmp(s, prefix, n) && !s[n + strspn(s + n, plain)]) return s;
    gd_um_refuse(c->x, GD_UM_INVALID_INPUT,
                 "%s should be a string of at most %d bytes: %s%sletters, digits, _ and - only.", key, PART_BYTES,
                 prefix, *prefix ? " and then " : "");
    return NULL;
}

static bool read_count(gd_um_call *c, const char *key, int64_t wanted, const char *what) {
    gd_value v;
    const json_t *j = json_object_get(c->root, key);
    if (!j || !gd_static_of(j, GD_INPUT_INT, &v))
        return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "%s should be a whole number.", key);
    return v.u.integer == wanted || gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "%s is %" PRId64 ", but %s %" PRId64 ".",
                                                 key, v.u.integer, what, wanted);
}

bool gd_um_find_segments(gd_um_call *c) {
    if (!(c->tid = read_part(c, "tid", ""))) return false;
    return (c->segments = read_part(c, "shmem_name", PREFIX)) != NULL;
}

/* ---- inputs -------------------------------------------------------------------------------- */

static bool read_sizes(gd_um_call *c) {
    if (!read_count(c, "shmem_num_inputs", c->ninputs, "the model's number of inputs is")) return false;
    for (int i = 0; i < c->ninputs; i++) {
        char key[32];
        snprintf(key, sizeof key, "shmem_size_%d", i);
        if (!read_count(c, key, c->inputs[i].numel, "that input's length is")) return false;
    }
    return true;
}

static bool is_long(const gd_um_call *c) {
    int64_t count = 0;
    for (int i = 0; i < c->ninputs && count <= SMALL_COUNT; i++)
        if (__builtin_add_overflow(count, c->inputs[i].numel, &count)) return true;
    return count > SMALL_COUNT;
}

/* What segment i holds, as float64. An empty one need not be there. NULL with the request failed. */
static gd_tensor *read_doubles(gd_um_call *c, int i) {
    const gd_um_part *p = &c->inputs[i];
    segment s;
    gd_tensor *t = gd_empty(c->x->ctx, GD_FLOAT64, p->ndim, p->sizes);
    if (!t) return gd_refuse_engine(c->x), gd_um_refuse_fault(c->x), NULL;
    if (p->numel == 0) return t;
    segment_name(&s, c->segments, "in", c->tid, i);
    int64_t bytes = p->numel * (int64_t)sizeof(double); /* the tensor is there, so it fits */
    bool ok = segment_open(c->x, &s, O_RDONLY, bytes, NULL) && segment_read(c->x, &s, t->data, (size_t)bytes);
    segment_close(&s);
    if (ok) return t;
    gd_release(t);
    return NULL;
}

bool gd_um_read_segments(gd_um_call *c) {
    if (!read_sizes(c)) return false;
    if (c->x->brief && is_long(c)) {
        c->x->declined = true;
        return false;
    }
    for (int i = 0; i < c->ninputs; i++) {
        const gd_um_part *p = &c->inputs[i];
        gd_tensor *t = read_doubles(c, i);
        if (!t) return false;
        if (p->dtype != GD_FLOAT64 && !(t = gd_list_convert(c->x, t, p->dtype))) return gd_um_refuse_fault(c->x);
        c->e.inputs[p->index] = t;
    }
    return true;
}

/* ---- results ------------------------------------------------------------------------------- */

/* The elements of a contiguous tensor as doubles. */
static bool write_doubles(gd_exchange *x, const segment *s, const gd_tensor *t) {
    const char *p = gd_contiguous_data(t);
    gd_dtype dtype = gd_dtype_of(t);
    size_t n = (size_t)gd_numel(t), width = gd_dtype_bytes(dtype);
    double chunk[CHUNK];
    if (dtype == GD_FLOAT64) return segment_write(x, s, p, n * sizeof *chunk, 0);
    for (size_t done = 0; done < n;) {
        size_t count = n - done < CHUNK ? n - done : CHUNK;
        for (size_t i = 0; i < count; i++, p += width) chunk[i] = gd_load_f64(dtype, p);
        if (!segment_write(x, s, chunk, count * sizeof *chunk, done * sizeof *chunk)) return false;
        done += count;
    }
    return true;
}

static bool write_segment(gd_um_call *c, gd_tensor *t, int i) {
    segment s;
    int64_t bytes;
    bool finite;
    if (!gd_um_check_finite(c, t, &finite)) return false;
    if (gd_numel(t) == 0) return true;
    segment_name(&s, c->segments, "out", c->tid, i);
    if (!gd_mul_i64(gd_numel(t), (int64_t)sizeof(double), &bytes))
        return gd_um_refuse(c->x, GD_UM_INVALID_OUTPUT, "Output %d is too large for shared memory.", i);
    bool ok = segment_open(c->x, &s, O_RDWR, bytes, NULL) && write_doubles(c->x, &s, t);
    segment_close(&s);
    return ok;
}

bool gd_um_write_segments(gd_um_call *c, gd_tensor **t, int n) {
    for (int i = 0; i < n; i++) {
        gd_tensor *flat = gd_um_contiguous(c, t[i]);
        bool ok = flat && write_segment(c, flat, i);
        gd_release(flat);
        if (!ok) return false;
    }
    GD_TEXT_LIT(&c->x->out, "{}");
    return true;
}

/* ---- do client and server see the same memory? ---------------------------------------------- */

/* Copies one double from the first segment to the second. */
static bool copy_double(gd_um_call *c, segment *in, segment *out, double *v) {
    bool absent = false;
    if (!segment_open(c->x, in, O_RDONLY, sizeof *v, &absent) || !segment_open(c->x, out, O_RDWR, sizeof *v, &absent)) {
        if (absent) GD_TEXT_LIT(&c->x->out, "{}");
        return false;
    }
    if (!segment_read(c->x, in, (char *)v, sizeof *v)) return false;
    if (!isfinite(*v)) return gd_um_refuse(c->x, GD_UM_INVALID_INPUT, "The number in %s is not finite.", in->name);
    return segment_write(c->x, out, v, sizeof *v, 0);
}

/* {"value":[12345.0]}, or {} where the segments are not there: client and server share no memory then. */
static bool test_shmem(gd_um_call *c) {
    segment in, out;
    double v;
    const char *tid = read_part(c, "tid", "");
    if (!tid) return false;
    segment_name(&in, TEST_PREFIX, "in", tid, -1);
    segment_name(&out, TEST_PREFIX, "out", tid, -1);
    bool ok = copy_double(c, &in, &out, &v);
    segment_close(&in);
    segment_close(&out);
    if (!ok) return false;
    GD_TEXT_LIT(&c->x->out, "{\"value\":[");
    gd_text_f64(&c->x->out, v);
    GD_TEXT_LIT(&c->x->out, "]}");
    return true;
}

void gd_handle_umbridge_test_shmem(gd_exchange *x) { gd_um_answer(x, NULL, test_shmem); }
