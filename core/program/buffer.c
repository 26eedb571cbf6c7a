/* buffer.c: text that grows, charged to the heap of the program that builds it. */
#include "core/program/vm.h"

#include <string.h>

void gd_buffer_free(gd_buffer *b) {
    gd_heap_free(gd_vm_heap(b->vm), b->text, b->capacity);
    b->text = NULL;
    b->bytes = b->capacity = 0;
}

static void fail(gd_buffer *b) {
    b->failed = true;
    gd_buffer_free(b);
}

/* Room for `more` bytes behind what there is. */
static bool reserve(gd_buffer *b, size_t more) {
    size_t need, capacity;
    if (b->failed) return false;
    if (!gd_add_size(b->bytes, more, &need)) return gd_vm_no_memory(b->vm), fail(b), false;
    if (need <= b->capacity) return true;
    capacity = b->capacity < 128 ? 128 : b->capacity + b->capacity / 2;
    if (capacity < need) capacity = need;
    char *text = gd_heap_resize(gd_vm_heap(b->vm), b->text, b->capacity, capacity);
    if (!text) return gd_vm_no_memory(b->vm), fail(b), false;
    b->text = text;
    b->capacity = capacity;
    return true;
}

void gd_buffer_put(gd_buffer *b, const char *text, size_t bytes) {
    if (!bytes || !reserve(b, bytes)) return;
    memcpy(b->text + b->bytes, text, bytes);
    b->bytes += bytes;
}

void gd_buffer_c(gd_buffer *b, const char *text) { gd_buffer_put(b, text, strlen(text)); }

void gd_buffer_any(gd_buffer *b, gd_any str_value) {
    if (gd_is_nil(str_value)) return fail(b);
    gd_buffer_put(b, gd_as_str(str_value)->text, gd_as_str(str_value)->bytes);
    gd_drop(gd_vm_heap(b->vm), str_value);
}

void gd_buffer_fill(gd_buffer *b, const char *text, size_t bytes, size_t times) {
    size_t all;
    if (!bytes || !times || b->failed) return;
    if (!gd_mul_size(bytes, times, &all)) {
        gd_vm_no_memory(b->vm);
        return fail(b);
    }
    if (!reserve(b, all)) return;
    if (all > 4096 && !gd_work(b->vm, all >> 8)) return fail(b);
    for (size_t i = 0; i < times; i++) memcpy(b->text + b->bytes + i * bytes, text, bytes);
    b->bytes += all;
}

gd_any gd_buffer_str(gd_buffer *b) {
    gd_any s = b->failed ? GD_NIL : gd_str_new(b->vm, b->text, b->bytes);
    gd_buffer_free(b);
    return s;
}
