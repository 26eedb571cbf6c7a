/* plan_inside.h: how a plan and its frames are laid out, for the files that make (compile_*.c, fuse_*.c), keep
 * (plan.c, plan_frame.c) and run them (execute_*.c).
 *
 * Note [Addresses]: all that a plan reads and writes lies in buffers. A frame knows the address of each, and a place is
 * a buffer and a number of bytes from its start, so that inputs and outputs can be moved by changing one address.
 */
#ifndef GD_PLAN_INSIDE_H
#define GD_PLAN_INSIDE_H

#include <stdatomic.h>

#include "core/kernels/pointwise.h"
#include "core/kernels/reduce.h"
#include "core/ops/op.h"
#include "core/plan/plan.h"

/* ---- memory that lives as long as a plan or its compilation (plan_memory.c) ------------------------ */

typedef struct gd_plan_memory {
    struct gd_plan_memory_block *blocks;
    size_t bytes; /* taken from the system */
} gd_plan_memory;

void *gd_plan_memory_new(gd_plan_memory *arena, size_t bytes); /* zeroed, 16-byte aligned; NULL if memory is out */
void *gd_plan_memory_array(gd_plan_memory *arena, size_t n, size_t size);
void *gd_plan_memory_copy(gd_plan_memory *arena, const void *from, size_t bytes);
void gd_plan_memory_free(gd_plan_memory *arena);

/* ---- buffers and headers ---------------------------------------------------------------------- */

typedef enum gd_buffer_kind {
    GD_BUFFER_INPUT,
    GD_BUFFER_CONSTANT,
    GD_BUFFER_FRAME,  /* in the frame's memory, shared with others that live at other times */
    GD_BUFFER_OUTPUT, /* redirected, or memory of its own */
    GD_BUFFER_HELD    /* what an eager step answered */
} gd_buffer_kind;

typedef struct gd_plan_buffer {
    gd_buffer_kind kind;
    int32_t nr; /* of the input, the output, the held tensor */
    size_t at;  /* FRAME: bytes from the frame's memory */
    size_t bytes;
    char *constant;
} gd_plan_buffer;

/* A value as a tensor, for kernels and steps that take tensors. */
typedef struct gd_plan_header {
    gd_dtype dtype;
    int ndim;
    bool wrapped;
    int32_t buffer;
    int64_t offset; /* bytes */
    int64_t numel;
    const int64_t *sizes; /* ndim sizes, ndim strides, in elements */
} gd_plan_header;

/* ---- fused passes ------------------------------------------------------------------------------- */

#define GD_FUSED_OPERANDS 4

/* Where an operand of an instruction lies: in a buffer, or (buffer -1) at a register. */
typedef struct gd_slot {
    int32_t buffer;
    int64_t at;             /* bytes from the buffer's start, or from the registers' */
    const int64_t *strides; /* bytes, innermost dimension first; NULL: does not move */
} gd_slot;

typedef struct gd_instruction {
    gd_loop loop;
    const void *extra;
    int nslots;
    uint16_t slots[GD_FUSED_OPERANDS];  /* the output first */
    int64_t strides[GD_FUSED_OPERANDS]; /* bytes */
} gd_instruction;

/* A strided operand that is copied to a register before each block. */
typedef struct gd_gather {
    int32_t buffer;
    uint16_t slot; /* the register */
    uint16_t width;
    int64_t at;
    const int64_t *strides;
} gd_gather;

/* What a sum over blocks has come to; lies in a register. Sums of blocks are added in pairs, as a tree. */
typedef struct gd_sum_state {
    uint64_t count;
    uint64_t integer;
    double level[48];
} gd_sum_state;

typedef struct gd_sink {
    int64_t state; /* bytes from the registers' start */
    gd_dtype dtype;
    int32_t buffer; /* where the result goes */
    int64_t at;
} gd_sink;

typedef struct gd_fused {
    int64_t numel;
    int ndim;
    const int64_t *sizes; /* innermost first */
    bool rows;     /* goes along the innermost dimension; else through all as one run, gathering what is strided */
    int64_t block; /* elements */
    int nslots, nmoving; /* slots 0 … nmoving - 1 move */
    gd_slot *slots;
    int ninstructions;
    gd_instruction *instructions;
    int ngathers;
    gd_gather *gathers;
    int nsinks;
    gd_sink *sinks;
} gd_fused;

/* The loop that adds the block operand 1 to the gd_sum_state operand 0; NULL: no sums of that dtype. */
gd_loop gd_sum_loop(gd_dtype dtype);

/* ---- units: what a run goes through --------------------------------------------------------------- */

typedef enum gd_unit_kind {
    GD_UNIT_FUSED,
    GD_UNIT_REDUCE, /* headers: out, in */
    GD_UNIT_FILL,   /* headers: out, then pairs of a part of it and what is copied there */
    GD_UNIT_STEP    /* an op's eager kernel; headers: its tensors */
} gd_unit_kind;

/* One output of an eager step. */
typedef struct gd_step_output {
    int32_t header; /* -1: nobody reads it */
    const int64_t *sizes;
    int ndim;
    gd_dtype dtype;
    bool absent; /* the op left it out */
} gd_step_output;

typedef struct gd_unit {
    gd_unit_kind kind;
    int nheaders;
    const int32_t *headers; /* -1: an absent tensor */
    const gd_fused *fused;
    uint64_t mask; /* REDUCE: the dimensions */
    bool zero;     /* FILL: with zeros first */
    /* STEP */
    const gd_op *op;
    bool inplace, guard;
    int nargs, nout;
    const gd_value *args; /* tensors stand in `headers`, in order: here they only tell whether there is one */
    const gd_step_output *outputs;
    int ndies; /* held tensors that are not needed after it */
    const int32_t *dies;
    const char *text; /* for gd_plan_describe */
} gd_unit;

/* ---- plans and frames ----------------------------------------------------------------------------- */

#define GD_SPARE_FRAMES 16

typedef struct gd_spare {
    _Alignas(64) _Atomic(gd_plan_frame *) frame;
} gd_spare;

struct gd_plan {
    gd_spare spare[GD_SPARE_FRAMES];
    _Atomic uint32_t refs;
    gd_plan_memory arena;
    int ninputs, noutputs;
    gd_plan_place *inputs, *outputs;
    int32_t *output_buffers; /* by output */
    int32_t nbuffers, nheaders, nunits, nheld, nconstants;
    gd_plan_buffer *buffers;
    gd_plan_header *headers;
    gd_unit *units;
    gd_storage **constants; /* owned */
    size_t constant_bytes;
    size_t register_bytes; /* at the start of a frame's memory; a multiple of 64 */
    size_t frame_bytes;    /* of a frame's memory, registers included */
    int max_slots;
    double cost;
};

struct gd_plan_frame {
    gd_plan *plan; /* whoever has taken the frame keeps it alive: a count would be fought over by threads */
    gd_ctx *ctx;
    gd_plan_memory arena; /* what follows */
    gd_storage *memory;
    char *registers;      /* the start of `memory`, aligned to 64 bytes */
    char **base;          /* by buffer */
    gd_tensor *tensors;   /* by header */
    gd_storage *storages; /* by buffer: not counted, not charged */
    gd_storage **own;     /* by output: its memory where it is not redirected; made when first needed */
    gd_tensor **held;     /* by held buffer */
    gd_value **args;      /* by unit: an eager step's arguments with this frame's tensors */
    char **slots;         /* two runs of plan->max_slots addresses */
};

/* plan_frame.c */
void gd_frame_free(gd_plan_frame *frame);
/* Each output has somewhere to go. */
GD_MUST_CHECK gd_code gd_frame_ready(gd_plan_frame *frame);
void gd_frame_let_go(gd_plan_frame *frame, int32_t held); /* releases one held tensor */

/* execute_fused.c */
void gd_run_fused(gd_plan_frame *frame, const gd_fused *fused);

#endif
