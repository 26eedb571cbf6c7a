/* names.c: from the names that clients write to rows of the op table. Built once, read only afterwards. */
#include <string.h>

#include "core/ops/dispatch.h"

typedef struct entry {
    const char *name; /* NULL: free */
    uint32_t hash;
    int16_t first, count;
} entry;

#define SLOTS 2048u /* a power of two, several times the names there are */
static entry slots[SLOTS];

static const struct {
    const char *name, *target;
} aliases[] = {
#define ALIAS(name, target) {name, target},
#include "core/ops/aliases.def"
#undef ALIAS
};

/* FNV-1a. Clients cannot add names, so a plain hash is safe. */
static uint32_t hash_of(const char *name, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)name[i]) * 16777619u;
    return h;
}

/* The slot of the name of n bytes, or the free slot where it belongs. */
static entry *slot_of(const char *name, size_t n) {
    uint32_t h = hash_of(name, n);
    for (uint32_t i = h;; i++) {
        entry *e = &slots[i % SLOTS];
        if (!e->name || (e->hash == h && strncmp(e->name, name, n) == 0 && e->name[n] == '\0')) return e;
    }
}

static void fill(entry *e, const char *name, int first, int count) {
    *e = (entry){.name = name, .hash = hash_of(name, strlen(name)), .first = (int16_t)first, .count = (int16_t)count};
}

static int overloads_from(int first) {
    int n = 1;
    while (first + n < (int)GD_OP_COUNT && strcmp(gd_ops[first].name, gd_ops[first + n].name) == 0) n++;
    return n;
}

const char *gd_names_build(const char **culprit) {
    _Static_assert(GD_OP_COUNT + sizeof aliases / sizeof *aliases < SLOTS / 2, "raise SLOTS");
    for (int i = 0, n; i < (int)GD_OP_COUNT; i += n) {
        n = overloads_from(i);
        if (gd_ops[i].flags & GD_HIDDEN) continue;
        *culprit = gd_ops[i].name;
        entry *e = slot_of(gd_ops[i].name, strlen(gd_ops[i].name));
        if (e->name) return "overloads of one name must stand together";
        fill(e, gd_ops[i].name, i, n);
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        *culprit = aliases[i].name;
        const entry *target = slot_of(aliases[i].target, strlen(aliases[i].target));
        entry *e = slot_of(aliases[i].name, strlen(aliases[i].name));
        if (!target->name) return "the alias stands for an unknown op";
        if (e->name) return "the alias is the name of an op";
        fill(e, aliases[i].name, target->first, target->count);
    }
    return NULL;
}

size_t gd_names_slots(void) { return SLOTS; }

bool gd_names_at(size_t i, const char **name, gd_lookup *rows) {
    if (i >= SLOTS || !slots[i].name) return false;
    *name = slots[i].name;
    *rows = (gd_lookup){.first = slots[i].first, .count = slots[i].count};
    return true;
}

bool gd_names_inplace(const gd_lookup *rows) {
    for (int i = 0; i < rows->count; i++)
        if (gd_ops[rows->first + i].flags & GD_INPLACE) return true;
    return false;
}

static bool find_plain(const char *name, size_t n, gd_lookup *found) {
    const entry *e = slot_of(name, n);
    *found = (gd_lookup){.first = e->first, .count = e->count};
    return e->name != NULL;
}

/* The name as a row, or with a last `_` as the in-place form of one. */
static bool find_either(const char *name, gd_lookup *found) {
    size_t n = strlen(name);
    if (find_plain(name, n, found)) return true;
    if (n < 2 || name[n - 1] != '_' || !find_plain(name, n - 1, found)) return false;
    found->inplace = true;
    return gd_names_inplace(found);
}

bool gd_names_find(const char *name, gd_lookup *found) {
    if (find_either(name, found)) return true;
    if (strncmp(name, "torch.", 6) == 0) return find_either(name + 6, found);
    return strncmp(name, "Tensor.", 7) == 0 && find_either(name + 7, found);
}
