/* account.c: memory budgets, charged along the chain from a session's account to the process's. */
#include "core/tensor/storage.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Note [One word]: `word` holds the bytes in use (low bits) and the handles to the account (high bits).
 * The account lives while either is not zero, so a storage needs no reference beside its charge, and
 * whoever brings the word to zero is alone with the account and frees it. */
#define BYTE_BITS 46
#define ONE_HANDLE ((uint64_t)1 << BYTE_BITS)
#define BYTES_MASK (ONE_HANDLE - 1)
#define HANDLES_MASK (~BYTES_MASK)

struct gd_account {
    _Atomic uint64_t word;
    _Atomic size_t limit; /* 0: none */
    gd_account *parent;   /* one handle held; NULL for the process-wide account */
};

static gd_account process_account = {.word = ONE_HANDLE};

gd_account *gd_account_root(void) { return &process_account; }

static size_t used_bytes(const gd_account *account) {
    return (size_t)(atomic_load_explicit(&account->word, memory_order_relaxed) & BYTES_MASK);
}

gd_account *gd_account_new(size_t limit_bytes, gd_account *parent) {
    gd_account *account = malloc(sizeof *account);
    if (!account) return NULL;
    atomic_init(&account->word, ONE_HANDLE);
    atomic_init(&account->limit, limit_bytes);
    account->parent = gd_account_retain(parent ? parent : &process_account);
    if (account->parent) return account;
    free(account);
    return NULL;
}

gd_account *gd_account_retain(gd_account *account) {
    if (account == &process_account) return account;
    uint64_t word = atomic_load_explicit(&account->word, memory_order_relaxed);
    do {
        if ((word & HANDLES_MASK) == HANDLES_MASK) return NULL;
    } while (!atomic_compare_exchange_weak_explicit(&account->word, &word, word + ONE_HANDLE, memory_order_relaxed,
                                                    memory_order_relaxed));
    return account;
}

/* Takes `amount` off; frees the account when nothing is left, and then its parent's handle. */
static void subtract(gd_account *account, uint64_t amount) {
    while (account != &process_account) {
        if (atomic_fetch_sub_explicit(&account->word, amount, memory_order_acq_rel) != amount) return;
        gd_account *parent = account->parent;
        free(account);
        account = parent;
        amount = ONE_HANDLE;
    }
}

void gd_account_release(gd_account *account) {
    if (account) subtract(account, ONE_HANDLE);
}

size_t gd_account_used(const gd_account *account) { return used_bytes(account ? account : &process_account); }

size_t gd_account_limit(const gd_account *account) {
    return atomic_load_explicit(&(account ? account : &process_account)->limit, memory_order_relaxed);
}

void gd_account_set_limit(gd_account *account, size_t limit_bytes) {
    atomic_store_explicit(&(account ? account : &process_account)->limit, limit_bytes, memory_order_relaxed);
}

/* Adds to one account unless its limit (or the counter's range) would be passed. */
static bool charge_one(gd_account *account, size_t bytes) {
    size_t limit = atomic_load_explicit(&account->limit, memory_order_relaxed);
    uint64_t word = atomic_load_explicit(&account->word, memory_order_relaxed);
    if (limit == 0 || limit > BYTES_MASK) limit = BYTES_MASK;
    do {
        uint64_t used = word & BYTES_MASK;
        if (bytes > limit || used > limit - bytes) return false;
    } while (!atomic_compare_exchange_weak_explicit(&account->word, &word, word + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

gd_account *gd_account_charge(gd_account *account, size_t bytes) {
    for (gd_account *a = account; a; a = a->parent) {
        if (charge_one(a, bytes)) continue;
        for (gd_account *b = account; b != a; b = b->parent)
            atomic_fetch_sub_explicit(&b->word, bytes, memory_order_relaxed);
        return a;
    }
    return NULL;
}

void gd_account_refund(gd_account *account, size_t bytes) {
    /* The account's own charge goes last: until then it, and by its handles the whole chain, is alive. */
    for (gd_account *a = account->parent; a; a = a->parent)
        atomic_fetch_sub_explicit(&a->word, bytes, memory_order_relaxed);
    if (account == &process_account)
        atomic_fetch_sub_explicit(&account->word, bytes, memory_order_relaxed);
    else
        subtract(account, bytes);
}
