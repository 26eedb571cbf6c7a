/* blocks.c: the process-wide cache of large blocks.
 *
 * Touching fresh pages costs more than computing on them, so a freed block stays mapped and is handed
 * out again for requests of its size class (eighths of a power of two). What is cached is bounded, by
 * a cap and by what the process-wide budget leaves, and the block unused for longest goes first.
 */
#include "core/tensor/storage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define EIGHTHS 8
#define CLASSES (64 * EIGHTHS)
#define NEIGHBOURS 2 /* a request may take a block one or two classes larger */
#define MAX_CACHED ((size_t)1 << 30)
#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_FROM ((size_t)4 << 20) /* blocks that ask for huge pages */

/* Lies in the first bytes of a free block. */
typedef struct free_block {
    struct free_block *class_next, *class_prev;
    struct free_block *older, *newer;
    size_t size;
} free_block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static free_block *classes[CLASSES];
static free_block *newest, *oldest;
static _Atomic size_t cached; /* written under the lock */

static unsigned log2_floor(size_t n) { return 63u - (unsigned)__builtin_clzl(n); }

static size_t class_size(size_t bytes) {
    size_t step = (size_t)1 << (log2_floor(bytes) - 3);
    return (bytes + step - 1) & ~(step - 1);
}

static size_t class_of(size_t size) {
    unsigned power = log2_floor(size);
    return power * EIGHTHS + ((size >> (power - 3)) & (EIGHTHS - 1));
}

size_t gd_allocator_cached(void) { return atomic_load_explicit(&cached, memory_order_relaxed); }

static void unlink_block(free_block *b) {
    if (b->class_prev)
        b->class_prev->class_next = b->class_next;
    else
        classes[class_of(b->size)] = b->class_next;
    if (b->class_next) b->class_next->class_prev = b->class_prev;
    *(b->older ? &b->older->newer : &oldest) = b->newer;
    *(b->newer ? &b->newer->older : &newest) = b->older;
    atomic_store_explicit(&cached, cached - b->size, memory_order_relaxed);
}

static void link_block(free_block *b) {
    free_block **head = &classes[class_of(b->size)];
    b->class_prev = NULL;
    b->class_next = *head;
    if (*head) (*head)->class_prev = b;
    *head = b;
    b->newer = NULL;
    b->older = newest;
    *(newest ? &newest->newer : &oldest) = b;
    newest = b;
    atomic_store_explicit(&cached, cached + b->size, memory_order_relaxed);
}

/* Takes the oldest blocks out of the cache until at most `target` bytes are cached; a chain of them. */
static free_block *evict(size_t target) {
    free_block *chain = NULL;
    while (oldest && cached > target) {
        free_block *b = oldest;
        unlink_block(b);
        b->class_next = chain;
        chain = b;
    }
    return chain;
}

/* Unmaps a chain, outside the lock; returns its bytes. */
static size_t unmap_chain(free_block *chain) {
    size_t bytes = 0;
    while (chain) {
        free_block *next = chain->class_next;
        bytes += chain->size;
        munmap(chain, chain->size);
        chain = next;
    }
    return bytes;
}

static size_t shrink_to(size_t target) {
    pthread_mutex_lock(&lock);
    free_block *chain = evict(target);
    pthread_mutex_unlock(&lock);
    return unmap_chain(chain);
}

size_t gd_allocator_trim(void) { return shrink_to(0); }

/* How many bytes may be cached now: a quarter of the machine's memory at most, and no more than the
 * process-wide budget has left, so that used and cached bytes together stay within it. */
static size_t cache_room(void) {
    static _Atomic size_t cap;
    size_t room = atomic_load_explicit(&cap, memory_order_relaxed);
    if (room == 0) {
        long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
        room = pages > 0 && page > 0 ? (size_t)pages / 4 * (size_t)page : MAX_CACHED;
        if (room > MAX_CACHED) room = MAX_CACHED;
        atomic_store_explicit(&cap, room, memory_order_relaxed);
    }
    size_t limit = gd_account_limit(NULL), used = gd_account_used(NULL);
    if (limit && room > (limit > used ? limit - used : 0)) room = limit > used ? limit - used : 0;
    return room;
}

static void *take_cached(size_t size) {
    free_block *found = NULL;
    size_t class = class_of(size);
    if (gd_allocator_cached() == 0) return NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i <= NEIGHBOURS && class + i < CLASSES && !found; i++) found = classes[class + i];
    if (found) unlink_block(found);
    pthread_mutex_unlock(&lock);
    return found;
}

static void *map_plain(size_t size) {
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

/* Maps a block that starts at a huge page's border, by mapping one page more and cutting the ends off. */
static void *map_huge(size_t size) {
    char *raw = map_plain(size + HUGE_PAGE);
    if (!raw) return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)raw % HUGE_PAGE) % HUGE_PAGE;
    if (before) munmap(raw, before);
    munmap(raw + before + size, HUGE_PAGE - before);
    madvise(raw + before, size, MADV_HUGEPAGE);
    return raw + before;
}

static void *map_block(size_t size) { return size >= HUGE_FROM ? map_huge(size) : map_plain(size); }

void *gd_block_new(size_t bytes, size_t *size, bool *zeroed) {
    *size = class_size(bytes);
    free_block *block = take_cached(*size);
    *zeroed = !block;
    if (block) {
        *size = block->size;
        return block;
    }
    if (gd_allocator_cached() > cache_room()) shrink_to(cache_room());
    void *fresh = map_block(*size);
    if (!fresh && gd_allocator_trim()) fresh = map_block(*size);
    return fresh;
}

void gd_block_free(void *block, size_t size) {
    size_t room = cache_room();
    if (size > room) {
        munmap(block, size);
        return;
    }
    free_block *b = block, *chain;
    b->size = size;
    pthread_mutex_lock(&lock);
    link_block(b);
    chain = evict(room);
    pthread_mutex_unlock(&lock);
    unmap_chain(chain);
}
