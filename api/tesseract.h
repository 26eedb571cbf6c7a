/* tesseract.h: stored functions as Tesseracts (pasteurlabs/tesseract-core 1.x) under /tesseract/{f}: named arrays in
 * and out, errors as FastAPI writes them. For the inside of api/tesseract*.c. */
#ifndef GD_API_TESSERACT_H
#define GD_API_TESSERACT_H

#include "api/protocols.h"

enum { GD_TESS_LEVELS = 6 };

/* Where in the body something stands: ["body", parts…, index]. */
typedef struct gd_tess_place {
    const char *parts[GD_TESS_LEVELS]; /* borrowed */
    int n;
    int index; /* -1: none */
} gd_tess_place;
#define GD_TESS_PLACE(...)                                                                                             \
    ((gd_tess_place){.parts = {__VA_ARGS__},                                                                           \
                     .n = (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)),                         \
                     .index = -1})

typedef struct gd_tess_call {
    gd_exchange *x;
    gd_function *f;       /* owned */
    const json_t *root;   /* the request's object */
    const json_t *inputs; /* its inputs */
    gd_text details;      /* what is wrong, so far; owned */
    bool base64;          /* arrays in the answer are encoded so */
    gd_eval shapes;       /* abstract: names and shapes of the outputs */
    gd_eval e;
} gd_tess_call;

/* ---- tesseract_errors.c ---- */
/* Adds a detail; all of them become one answer of status 422. Returns false. */
bool gd_tess_refuse(gd_tess_call *c, const gd_tess_place *at, const char *type, const json_t *input, const char *format,
                    ...) __attribute__((format(printf, 5, 6)));
/* The request's fault as such a detail; faults of the server stay what they are. Returns false. */
bool gd_tess_refuse_fault(gd_tess_call *c, const gd_tess_place *at, const json_t *input);
bool gd_tess_refuse_eval(gd_tess_call *c, const gd_function_fault *fault);
bool gd_tess_refuse_json(gd_tess_call *c); /* what made the body no JSON */
/* {"detail":text} */
void gd_tess_answer_detail(gd_exchange *x, int status, const char *text);
/* A path that is none, below /tesseract/: as FastAPI tells it. Other faults stay. */
void gd_tess_refuse_path(gd_exchange *x);
gd_tess_place gd_tess_below(const gd_tess_place *at, const char *part);

/* ---- tesseract_arrays.c ---- */
/* The array at j as new tensor: of the wanted dtype and shape, where they are given (dtype NULL, ndim -1: whatever it
 * has). NULL with a detail added. */
gd_tensor *gd_tess_read_array(gd_tess_call *c, const gd_tess_place *at, const json_t *j, const gd_dtype *dtype,
                              int ndim, const int64_t *sizes);
/* {"shape":…,"dtype":…} as tensor for GD_EVAL_ABSTRACT. */
gd_tensor *gd_tess_read_shape(gd_tess_call *c, const gd_tess_place *at, const json_t *j, const gd_dtype *dtype,
                              int ndim, const int64_t *sizes);
bool gd_tess_put_array(gd_tess_call *c, gd_tensor *t);

/* ---- tesseract_openapi.c ---- */
/* Writes the description of the call's function. False with the request failed or over. */
bool gd_tess_put_openapi(gd_tess_call *c);

/* ---- tesseract.c ---- */
/* What the outputs are when the inputs are `c->e`'s, or for a function with fixed inputs any; into c->shapes. */
bool gd_tess_find_outputs(gd_tess_call *c);

#endif
