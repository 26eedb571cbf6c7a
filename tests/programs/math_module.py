# Everything tensor code takes from math.
import math
print(math.pi, math.e, math.inf, -math.inf, math.nan, math.tau)
print(math.sqrt(2), math.sqrt(16), math.exp(1), math.log(10), math.log(8, 2), math.log2(8), math.log10(1000), math.log1p(1e-10), math.expm1(1e-10))
print(round(math.sin(1), 12), round(math.cos(1), 12), round(math.tan(1), 12), round(math.asin(0.5), 12), round(math.acos(0.5), 12), math.atan(1), math.atan2(1, -1), math.degrees(math.pi), math.radians(180))
print(round(math.sinh(1), 12), round(math.cosh(1), 12), math.tanh(0.5), math.hypot(3, 4), math.pow(2, 0.5), math.fabs(-3), math.copysign(1, -0.0))
print(math.floor(2.7), math.floor(-2.7), math.ceil(2.1), math.ceil(-2.1), math.trunc(-2.7), math.fmod(-7, 3), math.modf(2.5), math.frexp(8.0))
print(math.factorial(10), math.gcd(12, 18), math.lcm(4, 6), math.comb(5, 2), math.perm(5, 2), math.isqrt(17), math.prod([1, 2, 3, 4]), math.fsum([0.1] * 10))
print(math.isnan(math.nan), math.isinf(-math.inf), math.isfinite(1.0), math.isclose(0.1 + 0.2, 0.3), math.isclose(1, 1.1), math.erf(0.5), math.gamma(5), round(math.lgamma(10), 10))
for bad in (lambda: math.sqrt(-1), lambda: math.log(0), lambda: math.exp(1000), lambda: math.factorial(-1), lambda: math.acos(2), lambda: math.floor(math.nan), lambda: math.sqrt('x'), lambda: math.nope, lambda: math.pow(0, -1)):
    try:
        bad()
    except (ValueError, OverflowError, TypeError, AttributeError) as e:
        print(type(e).__name__, e)
from math import sqrt, pi as PI
print(sqrt(9), PI == math.pi)
import math as m
print(m.floor(1.5), m is math)
print(type(math.floor(1.0)), type(math.pow(2, 2)))
