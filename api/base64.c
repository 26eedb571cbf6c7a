/* base64.c: see base64.h. */
#include "api/base64.h"

#include <stdint.h>

static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void gd_base64_write(char *out, const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    for (; n >= 3; n -= 3, p += 3, out += 4) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        out[0] = letters[v >> 18];
        out[1] = letters[v >> 12 & 63];
        out[2] = letters[v >> 6 & 63];
        out[3] = letters[v & 63];
    }
    if (n == 0) return;
    uint32_t v = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
    out[0] = letters[v >> 18];
    out[1] = letters[v >> 12 & 63];
    out[2] = n == 2 ? letters[v >> 6 & 63] : '=';
    out[3] = '=';
}

/* The value of a letter plus one; 0 for what is none. */
static const uint8_t values[256] = {
#define ROW(first, a, b, c, d, e, f, g, h)                                                                             \
    [a] = (first) + 1, [b] = (first) + 2, [c] = (first) + 3, [d] = (first) + 4, [e] = (first) + 5, [f] = (first) + 6,  \
    [g] = (first) + 7, [h] = (first) + 8
    ROW(0, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'),  ROW(8, 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'),
    ROW(16, 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X'), ROW(24, 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f'),
    ROW(32, 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'), ROW(40, 'o', 'p', 'q', 'r', 's', 't', 'u', 'v'),
    ROW(48, 'w', 'x', 'y', 'z', '0', '1', '2', '3'), ROW(56, '4', '5', '6', '7', '8', '9', '+', '/'),
#undef ROW
};

/* Four letters as 24 bits; 0x1000000 and more if one is none. */
static uint32_t four(const char *p) {
    uint32_t v = 0, bad = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t letter = values[(unsigned char)p[i]];
        bad |= letter == 0;
        v = v << 6 | ((letter - 1) & 63);
    }
    return v | bad << 24;
}

bool gd_base64_read(void *out, size_t bytes, const char *text, size_t n) {
    uint8_t *q = out;
    if (n % 4 != 0 || n != gd_base64_length(bytes)) return false;
    for (; bytes >= 3; bytes -= 3, text += 4, q += 3) {
        uint32_t v = four(text);
        if (v >> 24) return false;
        q[0] = (uint8_t)(v >> 16);
        q[1] = (uint8_t)(v >> 8);
        q[2] = (uint8_t)v;
    }
    if (bytes == 0) return true;
    char last[4] = {text[0], text[1], bytes == 2 ? text[2] : 'A', 'A'};
    uint32_t v = four(last);
    if (v >> 24 || text[3] != '=' || (bytes == 1 && text[2] != '=')) return false;
    q[0] = (uint8_t)(v >> 16);
    if (bytes == 2) q[1] = (uint8_t)(v >> 8);
    return true;
}
