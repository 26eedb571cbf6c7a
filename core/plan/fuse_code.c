/* fuse_code.c: the instructions of one fused unit: where each operand lies, which registers are used again when, how
 * long a block is. */
#include <string.h>

#include "core/plan/compiler.h"

/* Blocks are short, so that the processor is at the next instruction already while the first still waits for memory. */
enum { BLOCK_BYTES = 8 << 10, MIN_BLOCK = 256, MAX_BLOCK = 4096, ROW = 192 };

/* An operand that lies outside the registers. */
typedef struct gd_outside {
    int32_t root;
    int64_t at;
    int width;
    gd_operand_kind kind;
    int64_t *strides; /* bytes, innermost first */
    bool gathered;
    int32_t slot;
} gd_outside;

typedef struct gd_coder {
    gd_compiler *c;
    const gd_cunit *unit;
    gd_fused *f;
    int ndim;
    int64_t sizes[GD_MAX_DIMS]; /* innermost first */
    gd_outside *outside;
    int noutside;
    int32_t *refs;   /* by member and operand: an outside, or -1: in a register */
    int32_t *stores; /* by member: the outside that it writes, or -1 */
    int32_t *free;   /* registers */
    int nfree, nregisters, nslots;
    int width; /* of registers: bytes of an element */
} gd_coder;

/* ---- operands outside -------------------------------------------------------------------------------- */

/* Strides of v seen along the pass's dimensions. */
static void fill_strides(const gd_coder *k, const gd_cvalue *out, const gd_cvalue *v, gd_outside *o) {
    int order[GD_MAX_DIMS];
    int64_t next = o->width;
    if (o->kind == GD_OPERAND_STRIDED) gd_c_order(out, order);
    for (int d = 0; d < k->ndim; d++) {
        o->strides[d] = o->kind == GD_OPERAND_FLAT ? next : 0;
        if (o->kind == GD_OPERAND_STRIDED) o->strides[d] = gd_c_stride(out, v, order[d]);
        next *= k->sizes[d];
    }
}

static bool same_outside(const gd_coder *k, const gd_outside *a, const gd_outside *b) {
    return a->root == b->root && a->at == b->at && a->width == b->width &&
           !memcmp(a->strides, b->strides, (size_t)k->ndim * sizeof *a->strides);
}

static int32_t add_outside(gd_coder *k, const gd_cvalue *out, const gd_cvalue *v) {
    gd_outside o = {.root = v->root,
                    .at = v->offset,
                    .width = (int)gd_dtype_bytes(v->dtype),
                    .kind = gd_c_operand(out, v),
                    .slot = -1};
    o.strides = gd_c_keep(k->c, (size_t)k->ndim, sizeof *o.strides);
    if (!o.strides) return -1;
    fill_strides(k, out, v, &o);
    for (int i = 0; i < k->noutside; i++)
        if (same_outside(k, &k->outside[i], &o)) return i;
    k->outside[k->noutside] = o;
    return k->noutside++;
}

static void find_outside(gd_coder *k) {
    gd_compiler *c = k->c;
    int m = 0;
    for (int32_t n = k->unit->first; n >= 0 && !c->failed; n = c->nodes[n].next, m++) {
        const gd_cnode *node = &c->nodes[n];
        const gd_cvalue *out = &c->values[node->out];
        k->stores[m] = -1;
        for (int i = 0; i < 3; i++) k->refs[3 * m + i] = -1;
        if (node->kind != GD_N_POINTWISE) continue;
        for (int i = 0; i < node->nin; i++) {
            const gd_cvalue *v = &c->values[node->in[i]];
            bool inside = c->values[v->root].unit == node->unit && c->values[v->root].kind == GD_C_RESULT;
            if (!inside) k->refs[3 * m + i] = add_outside(k, out, v);
        }
        if (out->stored) k->stores[m] = add_outside(k, out, out);
    }
}

/* ---- dimensions ----------------------------------------------------------------------------------------- */

static bool mergeable(const gd_coder *k, int inner, int outer) {
    for (int i = 0; i < k->noutside; i++) {
        const int64_t *s = k->outside[i].strides;
        if (s[outer] != s[inner] * k->sizes[inner]) return false;
    }
    return true;
}

static void merge_dims(gd_coder *k) {
    int last = 0;
    for (int d = 1; d < k->ndim; d++) {
        if (mergeable(k, last, d)) {
            k->sizes[last] *= k->sizes[d];
            continue;
        }
        last++;
        k->sizes[last] = k->sizes[d];
        for (int i = 0; i < k->noutside; i++) k->outside[i].strides[last] = k->outside[i].strides[d];
    }
    k->ndim = last + 1;
}

static void start_dims(gd_coder *k) {
    k->ndim = k->unit->ndim > 0 ? k->unit->ndim : 1;
    k->sizes[0] = k->unit->numel;
    for (int d = 0; d < k->unit->ndim; d++) k->sizes[d] = k->unit->sizes[d];
}

/* Rows, if they are long enough; else one run, for which strided operands are gathered. */
static void choose_way(gd_coder *k) {
    merge_dims(k);
    k->f->rows = k->ndim > 1 && k->sizes[0] >= ROW;
    if (k->ndim == 1 || k->f->rows) return;
    for (int i = 0; i < k->noutside; i++) {
        gd_outside *o = &k->outside[i];
        o->gathered = o->kind == GD_OPERAND_STRIDED;
        k->f->ngathers += o->gathered;
    }
}

/* ---- slots ------------------------------------------------------------------------------------------------ */

static bool moves(const gd_coder *k, const gd_outside *o) {
    for (int d = 0; d < k->ndim; d++)
        if (o->strides[d] != 0) return true;
    return false;
}

/* Registers are known by their number (in `at`) until the block's length is known. */
static int32_t register_slot(gd_coder *k, int32_t number) {
    k->f->slots[k->nslots] = (gd_slot){.buffer = -1, .at = number};
    return k->nslots++;
}

static void slot_outside(gd_coder *k, gd_outside *o) {
    int32_t buffer = gd_c_buffer(k->c, o->root);
    if (buffer < 0) return;
    k->f->slots[k->nslots] = (gd_slot){.buffer = buffer, .at = o->at, .strides = o->strides};
    o->slot = k->nslots++;
}

static void slots_of_outsides(gd_coder *k) {
    for (int i = 0; i < k->noutside; i++)
        if (!k->outside[i].gathered && moves(k, &k->outside[i])) slot_outside(k, &k->outside[i]);
    k->f->nmoving = k->nslots;
    for (int i = 0; i < k->noutside; i++)
        if (!k->outside[i].gathered && !moves(k, &k->outside[i])) slot_outside(k, &k->outside[i]);
}

static void make_gathers(gd_coder *k) {
    int n = 0;
    k->f->gathers = gd_c_keep(k->c, (size_t)k->f->ngathers, sizeof *k->f->gathers);
    if (!k->f->gathers) return;
    for (int i = 0; i < k->noutside; i++) {
        gd_outside *o = &k->outside[i];
        if (!o->gathered) continue;
        o->slot = register_slot(k, k->nregisters++);
        if (o->width > k->width) k->width = o->width;
        k->f->gathers[n++] = (gd_gather){.buffer = gd_c_buffer(k->c, o->root),
                                         .slot = (uint16_t)o->slot,
                                         .width = (uint16_t)o->width,
                                         .at = o->at,
                                         .strides = o->strides};
    }
}

/* ---- registers -------------------------------------------------------------------------------------------- */

static void count_uses(gd_coder *k) {
    gd_compiler *c = k->c;
    int m = 0;
    for (int32_t n = k->unit->first; n >= 0; n = c->nodes[n].next, m++) {
        const gd_cnode *node = &c->nodes[n];
        c->values[node->out].uses = 0;
        c->values[node->out].slot = -1;
        for (int i = 0; i < node->nin; i++)
            if (k->refs[3 * m + i] < 0) c->values[c->values[node->in[i]].root].uses++;
    }
}

static int32_t take_register(gd_coder *k, int width) {
    if (width > k->width) k->width = width;
    return k->nfree > 0 ? k->free[--k->nfree] : register_slot(k, k->nregisters++);
}

/* One use of an operand is over; its register may be the result's if elements are as wide. */
static void end_use(gd_coder *k, gd_cvalue *root, int width, bool same_width) {
    bool same = (int)gd_dtype_bytes(root->dtype) == width;
    if (root->stored || same != same_width || root->uses == 0) return;
    if (--root->uses == 0) k->free[k->nfree++] = root->slot;
}

static void end_uses(gd_coder *k, const gd_cnode *node, int m, int width, bool same_width) {
    for (int i = 0; i < node->nin; i++)
        if (k->refs[3 * m + i] < 0) end_use(k, &k->c->values[k->c->values[node->in[i]].root], width, same_width);
}

static void operand(gd_instruction *x, int32_t slot, int64_t stride) {
    x->slots[x->nslots] = (uint16_t)slot;
    x->strides[x->nslots++] = stride;
}

static int64_t inner_stride(const gd_outside *o) { return o->gathered ? o->width : o->strides[0]; }

static void operands_of(gd_coder *k, const gd_cnode *node, int m, gd_instruction *x) {
    for (int i = 0; i < node->nin; i++) {
        int32_t ref = k->refs[3 * m + i];
        const gd_cvalue *root = &k->c->values[k->c->values[node->in[i]].root];
        if (ref >= 0)
            operand(x, k->outside[ref].slot, inner_stride(&k->outside[ref]));
        else
            operand(x, root->slot, (int64_t)gd_dtype_bytes(root->dtype));
    }
}

static void code_pointwise(gd_coder *k, const gd_cnode *node, int m, gd_instruction *x) {
    gd_cvalue *out = &k->c->values[node->out];
    int width = (int)gd_dtype_bytes(out->dtype);
    gd_instruction in = {.nslots = 0};
    operands_of(k, node, m, &in);
    end_uses(k, node, m, width, true);
    out->slot = k->stores[m] >= 0 ? k->outside[k->stores[m]].slot : take_register(k, width);
    end_uses(k, node, m, width, false);
    if (k->stores[m] < 0 && out->uses == 0) k->free[k->nfree++] = out->slot;
    *x = (gd_instruction){.loop = node->loop, .extra = node->extra};
    operand(x, out->slot, width);
    for (int i = 0; i < in.nslots; i++) operand(x, in.slots[i], in.strides[i]);
}

/* A sum's result is written after the pass; its state lies behind the registers. */
static void code_sum(gd_coder *k, const gd_cnode *node, int m, gd_instruction *x) {
    const gd_cvalue *out = &k->c->values[node->out];
    gd_fused *f = k->f;
    gd_instruction in = {.nslots = 0};
    operands_of(k, node, m, &in);
    end_uses(k, node, m, 0, false);
    *x = (gd_instruction){.loop = gd_sum_loop(out->dtype)};
    operand(x, register_slot(k, -1 - f->nsinks), 0);
    operand(x, in.slots[0], in.strides[0]);
    f->sinks[f->nsinks++] = (gd_sink){.dtype = out->dtype, .buffer = gd_c_buffer(k->c, out->root)};
}

static void code_members(gd_coder *k) {
    gd_compiler *c = k->c;
    int m = 0;
    count_uses(k);
    for (int32_t n = k->unit->first; n >= 0 && !c->failed; n = c->nodes[n].next, m++) {
        const gd_cnode *node = &c->nodes[n];
        gd_instruction *x = &k->f->instructions[k->f->ninstructions++];
        if (node->kind == GD_N_SUM)
            code_sum(k, node, m, x);
        else
            code_pointwise(k, node, m, x);
    }
}

/* ---- blocks ------------------------------------------------------------------------------------------------ */

static int64_t choose_block(const gd_coder *k) {
    int64_t bytes = (int64_t)k->nregisters * k->width, run = k->f->rows ? k->sizes[0] : k->unit->numel;
    for (int i = 0; i < k->noutside; i++)
        if (!k->outside[i].gathered && moves(k, &k->outside[i])) bytes += k->outside[i].width;
    int64_t block = BLOCK_BYTES / (bytes ? bytes : 1) / 64 * 64;
    if (block < MIN_BLOCK) block = MIN_BLOCK;
    if (block > MAX_BLOCK) block = MAX_BLOCK;
    return block < run ? block : run;
}

/* Where the registers are, and the sums' states behind them. */
static void place_registers(gd_coder *k) {
    gd_fused *f = k->f;
    int64_t step = (f->block * k->width + 63) / 64 * 64, end = step * k->nregisters;
    int64_t state = ((int64_t)sizeof(gd_sum_state) + 63) / 64 * 64;
    for (int i = 0; i < k->nslots; i++) {
        gd_slot *slot = &f->slots[i];
        if (slot->buffer >= 0) continue;
        slot->at = slot->at >= 0 ? slot->at * step : end + (-1 - slot->at) * state;
    }
    for (int i = 0; i < f->nsinks; i++) f->sinks[i].state = end + i * state;
    size_t bytes = (size_t)(end + f->nsinks * state);
    if (bytes > k->c->plan->register_bytes) k->c->plan->register_bytes = bytes;
}

static bool make_room(gd_coder *k) {
    size_t members = (size_t)k->unit->members, slots = 6 * members + 4;
    k->outside = gd_c_new(k->c, 4 * members, sizeof *k->outside);
    k->refs = gd_c_new(k->c, 3 * members, sizeof *k->refs);
    k->stores = gd_c_new(k->c, members, sizeof *k->stores);
    k->free = gd_c_new(k->c, members, sizeof *k->free);
    k->f->slots = gd_c_keep(k->c, slots, sizeof *k->f->slots);
    k->f->instructions = gd_c_keep(k->c, members, sizeof *k->f->instructions);
    k->f->sinks = gd_c_keep(k->c, (size_t)k->unit->nsinks, sizeof *k->f->sinks);
    return !k->c->failed;
}

static void finish(gd_coder *k) {
    gd_fused *f = k->f;
    int64_t *sizes = gd_c_keep(k->c, (size_t)k->ndim, sizeof *sizes);
    if (!sizes) return;
    memcpy(sizes, k->sizes, (size_t)k->ndim * sizeof *sizes);
    f->sizes = sizes;
    f->ndim = k->ndim;
    f->numel = k->unit->numel;
    f->nslots = k->nslots;
    f->block = choose_block(k);
    place_registers(k);
    if (f->nslots > k->c->plan->max_slots) k->c->plan->max_slots = f->nslots;
}

const gd_fused *gd_c_fuse(gd_compiler *c, int32_t unit) {
    gd_coder k = {.c = c, .unit = &c->units[unit]};
    k.f = gd_c_keep(c, 1, sizeof *k.f);
    if (!k.f || !make_room(&k)) return NULL;
    start_dims(&k);
    find_outside(&k);
    choose_way(&k);
    slots_of_outsides(&k);
    make_gathers(&k);
    if (!c->failed) code_members(&k);
    if (!c->failed) finish(&k);
    return c->failed ? NULL : k.f;
}
