// number.cc: the only C++ here, for what C's library does slowly and by locale; see number.h.
#include "api/number.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace {

char *put(char *out, const char *text, size_t n) {
    std::memcpy(out, text, n);
    return out + n;
}

template <typename Real> char *write_special(char *out, Real v) {
    if (std::isnan(v)) return put(out, "\"NaN\"", 5);
    return v > 0 ? put(out, "\"Infinity\"", 10) : put(out, "\"-Infinity\"", 11);
}

// Whole numbers below `whole` are written as such, without an exponent: each is exact.
template <typename Real> char *write_real(char *out, Real v, Real whole) {
    if (!std::isfinite(v)) return write_special(out, v);
    Real size = std::fabs(v);
    if (size < whole && size == std::trunc(size)) {
        if (std::signbit(v)) *out++ = '-';
        out = std::to_chars(out, out + GD_NUMBER_TEXT, static_cast<int64_t>(size)).ptr;
        return put(out, ".0", 2);
    }
    bool plain = size >= Real(1e-5) && size < whole;
    auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    return std::to_chars(out, out + GD_NUMBER_TEXT, v, format).ptr;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// JSON's grammar for what from_chars is more generous about: no leading zeros, no bare `.5` or `inf`.
bool starts_well(const char *p, const char *end) {
    if (p < end && *p == '-') p++;
    if (p == end || !is_digit(*p)) return false;
    return *p != '0' || p + 1 == end || !is_digit(p[1]);
}

// The value is beyond the range of double: an infinity or a zero, by what precedes the exponent and its sign.
double read_extreme(const char *p, const char *end) {
    bool negative = *p == '-', nonzero_whole = false;
    const char *e = p;
    for (; e < end && *e != 'e' && *e != 'E' && *e != '.'; e++) nonzero_whole |= *e >= '1' && *e <= '9';
    while (e < end && *e != 'e' && *e != 'E') e++;
    bool small = e < end ? e + 1 < end && e[1] == '-' : !nonzero_whole;
    double v = small ? 0.0 : std::numeric_limits<double>::infinity();
    return negative ? -v : v;
}

} // namespace

char *gd_write_f64(char *out, double v) { return write_real(out, v, 9007199254740992.0); }
char *gd_write_f32(char *out, float v) { return write_real(out, v, 16777216.0F); }
char *gd_write_i64(char *out, int64_t v) { return std::to_chars(out, out + GD_NUMBER_TEXT, v).ptr; }

const char *gd_read_f64(const char *p, const char *end, double *v) {
    if (!starts_well(p, end)) return nullptr;
    auto r = std::from_chars(p, end, *v);
    if (r.ec == std::errc::invalid_argument || !is_digit(r.ptr[-1])) return nullptr;
    if (r.ec == std::errc::result_out_of_range) *v = read_extreme(p, r.ptr);
    return r.ptr;
}

const char *gd_read_i64(const char *p, const char *end, int64_t *v, bool *fits) {
    if (!starts_well(p, end)) return nullptr;
    auto r = std::from_chars(p, end, *v);
    if (r.ec == std::errc::invalid_argument) return nullptr;
    *fits = r.ec == std::errc();
    return r.ptr;
}
