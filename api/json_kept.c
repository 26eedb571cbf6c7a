/* json_kept.c: the last small documents of each thread with their trees. A client in a loop sends the same few
 * documents again and again; reading one costs as much as the op that it asks for. */
#include "api/json_in.h"

#include <pthread.h>
#include <stdlib.h>

enum { PLACES = 64, KEPT_BYTES = 256 };

/* One document. A place is taken over by the next one whose hash leads there. */
typedef struct kept {
    size_t length;
    json_t *root; /* in the arena; NULL: nothing is kept here */
    gd_json_arena arena;
    char text[KEPT_BYTES];
} kept;

static _Thread_local kept **places; /* PLACES of them, each made when first needed */

static pthread_key_t key;
static bool key_made;

static void free_places(void *all) {
    kept **p = all;
    for (int i = 0; i < PLACES; i++) {
        if (!p[i]) continue;
        gd_json_arena_free(&p[i]->arena);
        free(p[i]);
    }
    free(p);
    places = NULL;
}

static void make_key(void) { key_made = !pthread_key_create(&key, free_places); }

/* This thread's places; they go with it. NULL: no memory, nothing is kept. */
static kept **own_places(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (places) return places;
    pthread_once(&once, make_key);
    places = key_made ? calloc(PLACES, sizeof *places) : NULL;
    if (places && pthread_setspecific(key, places)) free_places(places);
    return places;
}

/* Clients may choose documents that fall together: they then only miss. */
static size_t place_of(const char *text, size_t length) {
    uint64_t h = length, word;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        memcpy(&word, text + i, 8);
        h = (h ^ word) * 0x9E3779B97F4A7C15U;
        h ^= h >> 32;
    }
    for (; i < length; i++) h = (h ^ (unsigned char)text[i]) * 0x100000001B3U;
    return (size_t)((h ^ h >> 29) % PLACES);
}

json_t *gd_json_kept(const char *text, size_t length) {
    const kept *k = places && length <= KEPT_BYTES ? places[place_of(text, length)] : NULL;
    return k && k->length == length && !memcmp(k->text, text, length) ? k->root : NULL;
}

json_t *gd_json_keep(const char *text, size_t length) {
    if (length > KEPT_BYTES || !own_places()) return NULL;
    kept **place = &places[place_of(text, length)];
    if (!*place && !(*place = calloc(1, sizeof **place))) return NULL;
    kept *k = *place;
    gd_json_arena_free(&k->arena);
    gd_json_arena_begin(&k->arena);
    k->root = gd_json_plain(text, length);
    gd_json_arena_pause();
    k->length = k->root ? length : 0;
    memcpy(k->text, text, length);
    return k->root;
}
