/* hash.c: SipHash-1-3 with a key of the process's own. */
#include "core/session/hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static uint64_t key[2];

static void draw_key(void) {
    if (getrandom(key, sizeof key, 0) == (ssize_t)sizeof key) return;
    struct timespec now; /* no random source: worse, but names still differ from process to process */
    clock_gettime(CLOCK_REALTIME, &now);
    key[0] = (uint64_t)now.tv_sec ^ ((uint64_t)getpid() << 32);
    key[1] = (uint64_t)now.tv_nsec;
}

static inline uint64_t turn(uint64_t x, int by) { return x << by | x >> (64 - by); }

static inline void mix(uint64_t v[4]) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turn(v[1], 13) ^ v[0];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] = turn(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turn(v[1], 17) ^ v[2];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] = turn(v[2], 32);
}

uint64_t gd_hash_bytes(const void *bytes, size_t n) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, draw_key);
    const unsigned char *p = bytes;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    uint64_t word = 0;
    for (size_t left = n; left >= 8; left -= 8, p += 8) {
        memcpy(&word, p, 8);
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    word = 0;
    memcpy(&word, p, n % 8);
    word |= (uint64_t)n << 56;
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
