/* encoding.c: see encoding.h. The output grows as the stream unfolds, so that a small body that claims to be a large
 * one costs no more than it delivers. */
#include "api/encoding.h"

#include <stdlib.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

enum {
    FIRST_BYTES = 16 * 1024,
    WINDOW_LOG = 23, /* zstd over HTTP looks back no further than 8 MiB (RFC 9659) */
    GZIP_ONLY = 16 + MAX_WBITS
};

gd_encoding gd_encoding_of(const char *text) {
    size_t n = text ? strcspn(text, " \t") : 0;
    if (n == 0 || (n == 8 && !strncasecmp(text, "identity", n))) return GD_ENCODING_NONE;
    if (text[n + strspn(text + n, " \t")]) return GD_ENCODING_OTHER;
    if ((n == 4 && !strncasecmp(text, "gzip", n)) || (n == 6 && !strncasecmp(text, "x-gzip", n)))
        return GD_ENCODING_GZIP;
    return n == 4 && !strncasecmp(text, "zstd", n) ? GD_ENCODING_ZSTD : GD_ENCODING_OTHER;
}

/* Where decoded bytes go. */
typedef struct sink {
    char *bytes; /* owned until it is given away */
    size_t n, capacity, limit;
    gd_fault *f;
} sink;

/* Room for at least one byte more. One more than the limit may be written: that shows that it is passed. */
static bool make_room(sink *s) {
    if (s->n > s->limit)
        return gd_fault_set(s->f, "body_too_large", "The decoded body is larger than this server takes (--max-body).");
    if (s->n < s->capacity) return true;
    size_t most = s->limit + 1, more = s->capacity ? s->capacity : FIRST_BYTES / 2;
    more = more > most / 2 ? most : 2 * more;
    char *bytes = realloc(s->bytes, more);
    if (!bytes) return gd_fault_set(s->f, "out_of_memory", "The server has no memory left for the decoded body.");
    s->bytes = bytes;
    s->capacity = more;
    return true;
}

static bool bad(gd_fault *f, const char *what) { return gd_fault_set(f, "bad_encoding", "%s", what); }

/* ---- gzip ---------------------------------------------------------------------------------- */

static unsigned chunk(size_t n) { return n > 1U << 30 ? 1U << 30 : (unsigned)n; }

/* One call of inflate; how much it has read and written is in the stream. */
static int step(z_stream *z, const char *from, size_t left, sink *s) {
    z->next_in = (unsigned char *)(uintptr_t)from;
    z->avail_in = chunk(left);
    z->next_out = (unsigned char *)s->bytes + s->n;
    z->avail_out = chunk(s->capacity - s->n);
    return inflate(z, Z_NO_FLUSH);
}

/* A gzip body is one member or several, one behind the other. */
static bool gunzip(z_stream *z, const char *p, size_t n, sink *s) {
    const char *end = p + n;
    for (bool ended = false; p < end || !ended;) {
        if (!make_room(s)) return false;
        if (ended && inflateReset(z) != Z_OK) return bad(s->f, "The gzip stream cannot be read.");
        int status = step(z, p, (size_t)(end - p), s);
        if (status == Z_MEM_ERROR)
            return gd_fault_set(s->f, "out_of_memory", "The server has no memory left to decode the body.");
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return bad(s->f, "The body is no gzip stream, or it is damaged.");
        const char *before = p;
        size_t had = s->n;
        p = (const char *)z->next_in;
        s->n = (size_t)((const char *)z->next_out - s->bytes);
        ended = status == Z_STREAM_END;
        if (!ended && p == before && s->n == had) return bad(s->f, "The gzip stream ends too early.");
    }
    return true;
}

static bool decode_gzip(const char *bytes, size_t n, sink *s) {
    z_stream z = {0};
    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        return gd_fault_set(s->f, "out_of_memory", "The server has no memory left to decode the body.");
    bool ok = gunzip(&z, bytes, n, s);
    inflateEnd(&z);
    return ok;
}

/* ---- zstd ---------------------------------------------------------------------------------- */

static bool unzstd(ZSTD_DCtx *z, const char *bytes, size_t n, sink *s) {
    ZSTD_inBuffer in = {bytes, n, 0};
    size_t status = 1; /* 0: a frame has ended */
    while (in.pos < in.size || status != 0) {
        if (!make_room(s)) return false;
        ZSTD_outBuffer out = {s->bytes, s->capacity, s->n};
        size_t before = in.pos;
        status = ZSTD_decompressStream(z, &out, &in);
        if (ZSTD_isError(status))
            return bad(s->f, "The body is no zstd stream, it is damaged, or it looks back further than 8 MiB.");
        if (status != 0 && in.pos == before && out.pos == s->n) return bad(s->f, "The zstd stream ends too early.");
        s->n = out.pos;
    }
    return true;
}

static bool decode_zstd(const char *bytes, size_t n, sink *s) {
    ZSTD_DCtx *z = ZSTD_createDCtx();
    if (!z) return gd_fault_set(s->f, "out_of_memory", "The server has no memory left to decode the body.");
    bool ok = !ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG)) && unzstd(z, bytes, n, s);
    ZSTD_freeDCtx(z);
    return ok || bad(s->f, "The zstd stream cannot be read.");
}

bool gd_decode(gd_encoding encoding, const char *bytes, size_t n, size_t limit, char **out, size_t *length,
               gd_fault *f) {
    sink s = {.limit = limit < SIZE_MAX / 2 ? limit : SIZE_MAX / 2, .f = f};
    bool ok = encoding == GD_ENCODING_GZIP ? decode_gzip(bytes, n, &s) : decode_zstd(bytes, n, &s);
    if (ok && s.n > s.limit) ok = make_room(&s);
    if (!ok) free(s.bytes);
    *out = ok ? s.bytes : NULL;
    *length = ok ? s.n : 0;
    return ok;
}
