/* tesseract_openapi.c: /tesseract/{f}/openapi.json: what Tesseract's clients ask for before anything else. They read
 * the paths, which tell what can be called, and of the schemas the names of inputs and outputs (Apply_InputSchema,
 * Apply_OutputSchema) and of those that can be differentiated (ApplyInputSchema, ApplyOutputSchema). */
#include "api/tesseract.h"
#include "core/tensor/tensor.h"

/* An input or output to be described; ndim -1: any shape. */
typedef struct part {
    const char *name;
    gd_input_kind kind;
    bool has_dtype, optional;
    gd_dtype dtype;
    int ndim;
    const int64_t *sizes;
} part;

static part input_part(const gd_tess_call *c, int i) {
    const gd_function_input *in = gd_function_input_at(c->f, i);
    return (part){in->name, in->kind, in->has_dtype, in->has_default, in->dtype, in->has_shape ? in->ndim : -1,
                  in->sizes};
}

static part output_part(const gd_tess_call *c, int i) {
    const gd_function_output *o = &c->shapes.outputs[i];
    return (part){o->name, GD_INPUT_TENSOR, true, false, o->dtype, o->ndim, o->sizes};
}

static int count_inputs(const gd_tess_call *c) { return gd_function_ninputs(c->f); }
static int count_outputs(const gd_tess_call *c) { return c->shapes.noutputs; }

/* The inputs, or the outputs. */
typedef struct side {
    int (*count)(const gd_tess_call *);
    part (*at)(const gd_tess_call *, int);
    const char *name; /* "Input" */
} side;

static const side inputs = {count_inputs, input_part, "Input"}, outputs = {count_outputs, output_part, "Output"};

/* An input whose dtype is open may be a real. */
static bool is_differentiable(const part *p) {
    return p->kind == GD_INPUT_TENSOR && (!p->has_dtype || gd_dtype_is_float(p->dtype));
}

static bool any_differentiable(const gd_tess_call *c, const side *s) {
    bool any = false;
    for (int i = 0; i < s->count(c) && !any; i++) {
        part p = s->at(c, i);
        any = is_differentiable(&p);
    }
    return any;
}

static void put_shape_and_dtype(gd_text *t, const part *p) {
    GD_TEXT_LIT(t, "\"shape\":");
    if (p->ndim >= 0)
        gd_text_i64s(t, p->sizes, p->ndim);
    else
        GD_TEXT_LIT(t, "null");
    GD_TEXT_LIT(t, ",\"dtype\":");
    gd_text_name(t, p->has_dtype ? gd_dtype_name(p->dtype) : NULL);
}

/* ---- schemas ------------------------------------------------------------------------------- */

static void put_property(gd_text *t, const part *p) {
    static const char *const statics[] = {[GD_INPUT_INT] = "integer",
                                          [GD_INPUT_FLOAT] = "number",
                                          [GD_INPUT_BOOL] = "boolean",
                                          [GD_INPUT_STR] = "string"};
    if (p->kind != GD_INPUT_TENSOR) {
        gd_text_f(t, "{\"type\":\"%s\"}", statics[p->kind]);
        return;
    }
    GD_TEXT_LIT(t, "{\"$ref\":\"#/components/schemas/EncodedArray\",\"array_flags\":[");
    if (is_differentiable(p)) GD_TEXT_LIT(t, "\"DIFFERENTIABLE\"");
    GD_TEXT_LIT(t, "],");
    put_shape_and_dtype(t, p);
    GD_TEXT_LIT(t, "}");
}

static void put_properties(gd_text *t, const gd_tess_call *c, const side *s) {
    gd_text_f(t, "\"Apply_%sSchema\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{", s->name);
    for (int i = 0; i < s->count(c); i++) {
        part p = s->at(c, i);
        if (i) GD_TEXT_LIT(t, ",");
        gd_text_string(t, p.name);
        GD_TEXT_LIT(t, ":");
        put_property(t, &p);
    }
    GD_TEXT_LIT(t, "},\"required\":[");
    const char *comma = "";
    for (int i = 0; i < s->count(c); i++) {
        part p = s->at(c, i);
        if (p.optional) continue;
        gd_text_puts(t, comma);
        gd_text_string(t, p.name);
        comma = ",";
    }
    GD_TEXT_LIT(t, "]}");
}

static void put_differentiable(gd_text *t, const gd_tess_call *c, const side *s) {
    const char *comma = "";
    GD_TEXT_LIT(t, "\"differentiable_arrays\":{");
    for (int i = 0; i < s->count(c); i++) {
        part p = s->at(c, i);
        if (!is_differentiable(&p)) continue;
        gd_text_puts(t, comma);
        comma = ",";
        gd_text_string(t, p.name);
        GD_TEXT_LIT(t, ":{");
        put_shape_and_dtype(t, &p);
        GD_TEXT_LIT(t, "}");
    }
    GD_TEXT_LIT(t, "}");
}

#define STRINGS "{\"type\":\"array\",\"minItems\":1,\"uniqueItems\":true,\"items\":{\"type\":\"string\"}}"
#define ARRAYS "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/components/schemas/EncodedArray\"}}"
#define DERIVATIVE(name, fields, required)                                                                             \
    ",\"" name "\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"inputs\"," required             \
    "],\"properties\":{\"inputs\":{\"$ref\":\"#/components/schemas/Apply_InputSchema\"}," fields "}}"

static const char fixed_schemas[] =
    ",\"EncodedArray\":{\"description\":\"An array: nested lists or numbers, or this object.\",\"oneOf\":[{\"type\":\"number\"},"
    "{\"type\":\"boolean\"},{\"type\":\"array\"},{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"shape\",\"dtype\","
    "\"data\"],\"properties\":{\"object_type\":{\"const\":\"array\",\"default\":\"array\"},\"shape\":{\"type\":\"array\",\"items\":"
    "{\"type\":\"integer\",\"minimum\":0}},\"dtype\":{\"type\":\"string\"},\"data\":{\"type\":\"object\",\"required\":[\"buffer\","
    "\"encoding\"],\"properties\":{\"buffer\":{},\"encoding\":{\"enum\":[\"base64\",\"json\",\"raw\"]}}}}}]},"
    "\"ShapeDType\":{\"type\":\"object\",\"required\":[\"shape\",\"dtype\"],\"properties\":{\"shape\":{\"type\":\"array\",\"items\":"
    "{\"type\":\"integer\"}},\"dtype\":{\"type\":\"string\"}}},\"AbstractEvalInputSchema\":{\"type\":\"object\",\"required\":[\"inputs\"],"
    "\"properties\":{\"inputs\":{\"type\":\"object\",\"additionalProperties\":{}}}},\"Arrays\":" ARRAYS DERIVATIVE(
        "JacobianInputSchema", "\"jac_inputs\":" STRINGS ",\"jac_outputs\":" STRINGS,
        "\"jac_inputs\",\"jac_outputs\"") DERIVATIVE("JvpInputSchema",
                                                     "\"jvp_inputs\":" STRINGS ",\"jvp_outputs\":" STRINGS
                                                     ",\"tangent_vector\":" ARRAYS,
                                                     "\"jvp_inputs\",\"jvp_outputs\",\"tangent_vector\"")
        DERIVATIVE(
            "VjpInputSchema", "\"vjp_inputs\":" STRINGS ",\"vjp_outputs\":" STRINGS ",\"cotangent_vector\":" ARRAYS,
            "\"vjp_inputs\",\"vjp_outputs\",\"cotangent_vector\"") ",\"HTTPValidationError\":{\"type\":\"object\",\"properties\":{\"detail\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
                                                                   "\"required\":[\"loc\",\"msg\",\"type\"],\"properties\":{\"loc\":{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"integer\"]}},"
                                                                   "\"msg\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"},\"input\":{}}}}}}";

static void put_schemas(gd_text *t, const gd_tess_call *c) {
    put_properties(t, c, &inputs);
    GD_TEXT_LIT(t, ",");
    put_properties(t, c, &outputs);
    GD_TEXT_LIT(t,
                ",\"ApplyInputSchema\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"inputs\"],"
                "\"properties\":{\"inputs\":{\"$ref\":\"#/components/schemas/Apply_InputSchema\"}},");
    put_differentiable(t, c, &inputs);
    GD_TEXT_LIT(t, "},\"ApplyOutputSchema\":{\"$ref\":\"#/components/schemas/Apply_OutputSchema\",");
    put_differentiable(t, c, &outputs);
    GD_TEXT_LIT(t, "}");
    gd_text_puts(t, fixed_schemas);
}

/* ---- paths --------------------------------------------------------------------------------- */

static void put_path(gd_text *t, const char *path, const char *request, const char *answer, const char *summary) {
    gd_text_f(
        t,
        ",\"/%s\":{\"post\":{\"summary\":\"%s\",\"operationId\":\"%s\",\"requestBody\":{\"required\":true,\"content\":"
        "{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}},\"responses\":{\"200\":{\"description\":"
        "\"Done.\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}},\"422\":"
        "{\"description\":\"Bad input.\",\"content\":{\"application/json\":{\"schema\":"
        "{\"$ref\":\"#/components/schemas/HTTPValidationError\"}}}}}}}",
        path, summary, path, request, answer);
}

static void put_paths(gd_text *t, const gd_tess_call *c) {
    GD_TEXT_LIT(t,
                "\"/health\":{\"get\":{\"summary\":\"Is it there?\",\"operationId\":\"health\",\"responses\":{\"200\":"
                "{\"description\":\"It is.\"}}}}");
    put_path(t, "apply", "ApplyInputSchema", "ApplyOutputSchema", "Evaluate the function");
    put_path(t, "abstract_eval", "AbstractEvalInputSchema", "Arrays", "Shapes and dtypes of the outputs");
    if (!any_differentiable(c, &inputs) || (c->shapes.noutputs > 0 && !any_differentiable(c, &outputs))) return;
    put_path(t, "jacobian", "JacobianInputSchema", "Arrays", "The Jacobian");
    put_path(t, "jacobian_vector_product", "JvpInputSchema", "Arrays", "The Jacobian times a vector");
    put_path(t, "vector_jacobian_product", "VjpInputSchema", "Arrays", "A vector times the Jacobian");
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* The outputs are known when the tensor inputs' shapes are, and the others have defaults; else none are told. */
static bool find_outputs(gd_tess_call *c) {
    bool known = gd_function_is_fixed(c->f);
    for (int i = 0; i < gd_function_ninputs(c->f); i++) {
        const gd_function_input *in = gd_function_input_at(c->f, i);
        known = known && (in->kind == GD_INPUT_TENSOR || in->has_default);
        if (!known || in->kind != GD_INPUT_TENSOR || !in->has_dtype || !in->has_shape) continue;
        if (!(c->e.inputs[i] = gd_abstract_tensor(c->x, in->dtype, in->ndim, in->sizes))) return false;
    }
    if (!known || gd_tess_find_outputs(c)) return true;
    if (c->details.n == 0) return false; /* declined, or no memory */
    gd_text_free(&c->details);
    gd_eval_clear(&c->shapes);
    return true;
}

bool gd_tess_put_openapi(gd_tess_call *c) {
    gd_text *t = &c->x->out;
    const char *doc = gd_function_doc(c->f);
    if (!find_outputs(c)) return false;
    c->x->content_type = "application/json";
    GD_TEXT_LIT(t, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":");
    gd_text_string(t, gd_function_name(c->f));
    gd_text_f(t, ",\"version\":\"%llu\",\"description\":", (unsigned long long)gd_function_version(c->f));
    gd_text_string(t, doc ? doc : "");
    GD_TEXT_LIT(t, "},\"paths\":{");
    put_paths(t, c);
    GD_TEXT_LIT(t, "},\"components\":{\"schemas\":{");
    put_schemas(t, c);
    GD_TEXT_LIT(t, "}}}");
    return true;
}
