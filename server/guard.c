/* guard.c: refuses heads that are ambiguous, malformed, from the wrong place or without the token. */
#include "server/guard.h"

#include <string.h>
#include <strings.h>

#define REFUSE(status_, code_, detail_)                                                                                \
    do {                                                                                                               \
        static const gd_refusal refusal = {status_, code_, detail_};                                                   \
        return &refusal;                                                                                               \
    } while (0)

/* What a byte may be part of: the name of a header field (RFC 9110, token), a field's value, a request target where it
 * needs no second look. */
enum { IN_NAME = 1, IN_VALUE = 2, IN_TARGET = 4, NAME_ONLY = IN_NAME | IN_VALUE, PRINTED = IN_VALUE | IN_TARGET };
#define ALL (IN_NAME | IN_VALUE | IN_TARGET)
static const unsigned char byte_is[256] = {['\t'] = IN_VALUE,   [' '] = IN_VALUE,     ['!'] = ALL,
                                           ['"'] = PRINTED,     ['#'] = NAME_ONLY,    ['$'] = ALL,
                                           ['%'] = NAME_ONLY,   ['&' ... '\''] = ALL, ['(' ... ')'] = PRINTED,
                                           ['*' ... '+'] = ALL, [','] = PRINTED,      ['-' ... '.'] = ALL,
                                           ['/'] = PRINTED,     ['0' ... '9'] = ALL,  [':' ... '>'] = PRINTED,
                                           ['?'] = IN_VALUE,    ['@'] = PRINTED,      ['A' ... 'Z'] = ALL,
                                           ['['] = PRINTED,     ['\\'] = IN_VALUE,    [']'] = PRINTED,
                                           ['^' ... 'z'] = ALL, ['{'] = PRINTED,      ['|'] = ALL,
                                           ['}'] = PRINTED,     ['~'] = ALL,          [128 ... 255] = IN_VALUE};

static bool is_token_char(unsigned char c) { return byte_is[c] & IN_NAME; }

/* Are all n bytes allowed there? */
static bool all_are(const char *text, size_t n, unsigned char where) {
    unsigned all = where;
    for (size_t i = 0; i < n; i++) all &= byte_is[(unsigned char)text[i]];
    return all != 0;
}

void gd_head_add(gd_head *head, const char *name, size_t name_length, const char *value, size_t value_length) {
    head->count++;
    head->bytes += name_length + value_length + 4;
    head->bad_name |= name_length == 0 || !all_are(name, name_length, IN_NAME);
    head->bad_value |= !all_are(value, value_length, IN_VALUE);
#define FIELD(text) (!strncasecmp(name, text, sizeof text - 1))
    switch (name_length) {
    case sizeof "Host" - 1:
        if (FIELD("Host")) head->host = value, head->hosts++;
        break;
    case sizeof "Accept" - 1: /* and Origin */
        if (FIELD("Accept")) head->accept = value;
        if (FIELD("Origin")) head->origin = value, head->origins++;
        break;
    case sizeof "User-Agent" - 1:
        if (FIELD("User-Agent")) head->user_agent = value;
        break;
    case sizeof "Content-Type" - 1: /* and X-Request-Id */
        if (FIELD("Content-Type")) head->content_type = value;
        if (FIELD("X-Request-Id")) head->request_id = value;
        break;
    case sizeof "Authorization" - 1: /* and If-None-Match */
        if (FIELD("If-None-Match")) head->if_none_match = value;
        if (FIELD("Authorization")) head->authorization = value, head->authorizations++;
        break;
    case sizeof "Content-Length" - 1:
        if (FIELD("Content-Length")) head->content_length = value, head->content_lengths++;
        break;
    case sizeof "If-Match" - 1:
        if (FIELD("If-Match")) head->if_match = value;
        break;
    case sizeof "Content-Encoding" - 1:
        if (FIELD("Content-Encoding")) head->content_encoding = head->content_encoding ? "several" : value;
        break;
    case sizeof "Transfer-Encoding" - 1:
        if (FIELD("Transfer-Encoding")) head->transfer_encoding = value, head->transfer_encodings++;
        break;
    case sizeof "Access-Control-Request-Method" - 1:
        if (FIELD("Access-Control-Request-Method")) head->preflight_method = value;
        break;
    default: break;
    }
#undef FIELD
}

static bool method_known(const char *method) {
    static const char *const known[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(method, known[i])) return true;
    return false;
}

static const gd_refusal *check_length(const char *text, uint64_t *length) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits]) REFUSE(400, "bad_content_length", "Content-Length must be one decimal number.");
    uint64_t value = 0;
    for (; *text; text++) {
        /* Longer than any body could be: UINT64_MAX - 1, over every limit. */
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value) || value >= UINT64_MAX - 1) {
            value = UINT64_MAX - 1;
            break;
        }
    }
    *length = value;
    return NULL;
}

static const gd_refusal *check_encoding(const gd_head *head, bool old, uint64_t *length) {
    if (head->transfer_encodings > 1) REFUSE(400, "bad_transfer_encoding", "Transfer-Encoding may be given once only.");
    if (head->content_lengths > 0)
        REFUSE(400, "ambiguous_length", "A request may have Content-Length or Transfer-Encoding, not both.");
    if (old) REFUSE(400, "bad_transfer_encoding", "Transfer-Encoding needs HTTP/1.1.");
    if (strcasecmp(head->transfer_encoding, "chunked"))
        REFUSE(501, "bad_transfer_encoding", "The only Transfer-Encoding known here is chunked.");
    *length = UINT64_MAX;
    return NULL;
}

static const gd_refusal *check_fields(const gd_head *head, bool old) {
    if (head->bytes > GD_HEADERS_MAX || head->count > GD_HEADER_COUNT_MAX)
        REFUSE(431, "headers_too_large", "The header fields are more than 8 KiB, or more than 100.");
    if (head->bad_name) REFUSE(400, "bad_header", "A header field's name holds a character that names may not have.");
    if (head->bad_value) REFUSE(400, "bad_header", "A header field's value holds a control character.");
    if (head->hosts > 1 || (head->hosts == 0 && !old))
        REFUSE(400, "bad_host", "A request needs exactly one Host header.");
    if (head->origins > 1) REFUSE(400, "bad_header", "Origin may be given once only.");
    if (head->authorizations > 1) REFUSE(400, "bad_header", "Authorization may be given once only.");
    if (head->content_lengths > 1) REFUSE(400, "ambiguous_length", "Content-Length may be given once only.");
    return NULL;
}

const gd_refusal *gd_guard_framing(const gd_head *head, const char *method, const char *version, uint64_t *length) {
    *length = 0;
    bool old = !strcmp(version, "HTTP/1.0");
    if (!old && strcmp(version, "HTTP/1.1")) REFUSE(505, "bad_version", "This server speaks HTTP/1.1 and HTTP/1.0.");
    if (!method_known(method))
        REFUSE(501, "unknown_method", "This server knows GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.");
    const gd_refusal *refusal = check_fields(head, old);
    if (refusal) return refusal;
    if (head->transfer_encodings > 0) return check_encoding(head, old, length);
    return head->content_lengths > 0 ? check_length(head->content_length, length) : NULL;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes that would mean one thing to a proxy and another here. */
static const gd_refusal *check_escapes(const char *text) {
    bool query = false;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (byte_is[c] & IN_TARGET) continue;
        if (c <= ' ' || c > '~' || c == '#')
            REFUSE(400, "bad_target", "The request target may hold printable ASCII only; escape the rest as %XX.");
        query |= c == '?';
        if (c == '\\' && !query) REFUSE(400, "bad_target", "The path may not hold a backslash.");
        if (c != '%') continue;
        int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);
        if (low < 0) REFUSE(400, "bad_target", "A % in the request target must be followed by two hexadecimal digits.");
        int byte = high * 16 + low;
        if (byte == 0 || (!query && (byte == '/' || byte == '\\' || byte == '.')))
            REFUSE(400, "bad_target", "The path may not hold %00, %2F, %5C or %2E.");
    }
    return NULL;
}

const gd_refusal *gd_guard_target(const char *target, const char **path, const char **authority,
                                  size_t *authority_length) {
    *authority = NULL;
    *authority_length = 0;
    *path = target;
    if (strnlen(target, GD_TARGET_MAX + 1) > GD_TARGET_MAX)
        REFUSE(414, "target_too_long", "The request target is longer than 8 KiB.");
    if (*target != '/' && (!strncasecmp(target, "http://", 7) || !strncasecmp(target, "https://", 8))) {
        *authority = strstr(target, "://") + 3;
        *authority_length = strcspn(*authority, "/?");
        *path = *authority + *authority_length;
    }
    if (**path != '/' && strcmp(target, "*"))
        REFUSE(400, "bad_target", "The request target must be a path that begins with a slash.");
    return check_escapes(*path);
}

/* The length of the name in "name:port" or "[v6]:port", 0 if it is neither. */
static size_t host_name_length(const char *host, size_t length) {
    size_t n = 0;
    if (length > 0 && host[0] == '[') {
        while (n < length && host[n] != ']') n++;
        if (n++ == length) return 0;
    } else
        while (n < length && host[n] != ':') n++;
    if (n == length) return n;
    if (host[n] != ':') return 0;
    for (size_t i = n + 1; i < length; i++)
        if (host[i] < '0' || host[i] > '9') return 0;
    return n;
}

static inline bool same_name(const char *name, size_t length, const char *other) {
    return strlen(other) == length && !strncasecmp(name, other, length);
}

bool gd_guard_host_ok(const char *host, size_t length, const gd_names *allowed, const char *local) {
    size_t n = host_name_length(host, length);
    if (n == 0) return false;
    if (same_name(host, n, "localhost") || same_name(host, n, "127.0.0.1") || same_name(host, n, "[::1]")) return true;
    if (local && same_name(host, n, local)) return true;
    for (size_t i = 0; i < allowed->count; i++)
        if (same_name(host, n, allowed->items[i])) return true;
    return false;
}

bool gd_guard_origin_ok(const char *origin, const char *host, const gd_names *allowed) {
    const char *own = !strncasecmp(origin, "http://", 7)    ? origin + 7
                      : !strncasecmp(origin, "https://", 8) ? origin + 8
                                                            : NULL;
    if (own && host && *own && !strcasecmp(own, host)) return true;
    for (size_t i = 0; i < allowed->count; i++)
        if (!strcasecmp(origin, allowed->items[i])) return true;
    return false;
}

bool gd_guard_token_ok(const char *authorization, const char *token) {
    if (!authorization || strncasecmp(authorization, "Bearer ", 7)) return false;
    const char *given = authorization + 7;
    given += strspn(given, " ");
    size_t given_length = strlen(given), length = strlen(token);
    unsigned difference = given_length != length;
    for (size_t i = 0; i < given_length; i++) difference |= (unsigned)(given[i] ^ token[i % length]);
    return difference == 0;
}

bool gd_guard_request_id_ok(const char *id) {
    size_t n = 0;
    for (; id[n]; n++)
        if (n == GD_REQUEST_ID_MAX ||
            !(is_token_char((unsigned char)id[n]) || id[n] == ':' || id[n] == '/' || id[n] == '='))
            return false;
    return n > 0;
}
