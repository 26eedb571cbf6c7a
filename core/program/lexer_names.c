/* lexer_names.c: which characters beyond ASCII names may have. */
#include "core/program/lexer.h"

typedef struct gd_name_range {
    uint32_t first, last;
} gd_name_range;

#define RANGES(name, ...) static const gd_name_range name[] = {__VA_ARGS__};
#include "core/program/lexer_names.def"
#undef RANGES

static bool within(uint32_t c, const gd_name_range *ranges, size_t n) {
    size_t low = 0;
    while (low < n) {
        size_t middle = low + (n - low) / 2;
        if (c < ranges[middle].first)
            n = middle;
        else if (c > ranges[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

static bool letter(uint32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool gd_name_starts(uint32_t c) { return c < 128 ? letter(c) : within(c, starts, sizeof starts / sizeof *starts); }

bool gd_name_goes_on(uint32_t c) {
    return c < 128 ? letter(c) || (c >= '0' && c <= '9') : within(c, goes_on, sizeof goes_on / sizeof *goes_on);
}

bool gd_name_changes(uint32_t c) { return c >= 128 && within(c, changes, sizeof changes / sizeof *changes); }
