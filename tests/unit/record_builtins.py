#!/usr/bin/env python3
"""Writes tests/unit/data/builtins_cases.txt: expressions over numbers, strings, formats and math, and what CPython makes
of them, for test_builtins.c.

Run it with CPython 3.11 and PyTorch 1.13: python3 tests/unit/record_builtins.py
A line is an expression, a tab, and its repr or "Type: message". The expressions are those of builtins_fixed.txt and
random ones of a fixed seed. Left out is what this language does not have: ints over 64 bits, complex numbers, bytes.
"""
import math
import pathlib
import random
import re
import struct
import warnings

import torch

DATA = pathlib.Path(__file__).resolve().parent / "data"
R = random.Random(7)
NUMBERS = [0.0, -0.0, 0.5, 1.5, 2.5, 1e16, 1e15, 123456789.0, 1e22, 1e23, 5e-324, 1.7976931348623157e308, 0.1, 1 / 3, 1e-5,
           1e-4, 9999999999999998.0, 2.0**53, 0.3, 2.675, 1.005]
WORDS = ["", "a", "abc", "hello world", "  pad ", "Ünïcödé", "日本語 テキスト", "ßtraße", "ΑΣ ΣΑ", "x,y,,z", "a\tb\nc", "İıIi",
         "ǆǅǄ", "éa", "123", "٣٤", "½²", "A1b", "_x", "-42", "+7", "ABC", "abcabcabc", "😀x😀", "ﬁne", "Hello There", "q\u0301o"]
METHODS = ("upper lower title capitalize swapcase casefold isalpha isalnum isdecimal isdigit isnumeric isspace isprintable "
           "isascii isupper islower istitle split rsplit splitlines strip lstrip rstrip expandtabs").split()
SEARCHES = ("find rfind index rindex count startswith endswith removeprefix removesuffix partition rpartition split rsplit "
            "strip lstrip rstrip").split()
REAL_FUNCTIONS = ("sqrt exp expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh floor ceil "
                  "trunc fabs modf frexp degrees radians erf erfc ulp isnan exp2 cbrt").split()
PAIR_FUNCTIONS = "pow fmod remainder atan2 copysign hypot isclose nextafter log".split()


def real():
    """A finite float, as text."""
    kind = R.randrange(8)
    if kind == 0:
        v = struct.unpack("<d", struct.pack("<Q", R.getrandbits(64)))[0]
        return repr(v) if math.isfinite(v) else "0.1"
    if kind == 1:
        return repr(R.choice(NUMBERS))
    if kind == 2:
        return repr(math.ldexp(1.0, R.randrange(-1074, 1000)))
    if kind == 3:
        return repr(round(R.uniform(-1000, 1000), R.randrange(6)))
    if kind == 4:
        return repr(R.uniform(-1e6, 1e6))
    if kind == 5:
        return repr(float(R.randrange(-(10**6), 10**6)))
    if kind == 6:
        return repr(R.randrange(1, 10**6) / 10 ** R.randrange(0, 12))
    return repr(R.gauss(0, 1) * 10 ** R.randrange(-30, 30))


def whole():
    kind = R.randrange(5)
    if kind == 0:
        return R.choice([0, 1, -1, 7, -7, 2**31, -(2**31), 2**62, -(2**62), 10**18])
    return R.randrange(-20, 20) if kind < 3 else R.randrange(-(10**6), 10**6) if kind == 3 else R.randrange(1 - 2**63, 2**63)


def number():
    return R.choice([real, lambda: str(whole())])()


def spec():
    """A format spec, now and then a wrong one."""
    s = ""
    if R.random() < 0.4:
        s += R.choice(["", "*", "é", "0", " "]) + R.choice("<>=^")
    if R.random() < 0.3:
        s += R.choice("+- ")
    for chance, text in ((0.1, "z"), (0.25, "#"), (0.25, "0"), (0.5, str(R.randrange(0, 25))), (0.2, R.choice(",_")),
                         (0.4, "." + str(R.randrange(0, 12))), (0.8, R.choice("bcdeEfFgGnosxX%"))):
        if R.random() < chance:
            s += text
    return s


def percent():
    f = "%" + "".join(R.choice("-+ #0") for _ in range(R.randrange(3)))
    f += R.choice(["", str(R.randrange(20))]) + R.choice(["", ".%d" % R.randrange(10)]) + R.choice("diouxXeEfFgGcrsa%")
    value = R.choice([real(), repr(R.choice(WORDS)), "(%d,)" % whole(), "(%s,)" % real(), "(True,)", "(None,)"])
    return f"{f!r}%{value}"


def operation():
    op = R.choice(["+", "-", "*", "/", "//", "%", "**", "<", "<=", "==", "!=", ">", ">=", "&", "|", "^", "<<", ">>"])
    a, b = number(), number()
    if op == "**":
        a, b = R.choice([str(R.randrange(-50, 50)), real()]), str(R.randrange(-6, 20)) if R.random() < 0.7 else real()
    if op == "<<":
        a, b = str(R.randrange(-100, 100)), str(R.randrange(0, 70))
    return f"({a}){op}({b})"


def search():
    method, text = R.choice(SEARCHES), R.choice(WORDS)
    args = [repr(R.choice([text[R.randrange(len(text) + 1):][:R.randrange(1, 4)], R.choice("abcx,Σé ")]))]
    if method in SEARCHES[:7] and R.random() < 0.6:
        args += [str(R.randrange(-8, 10)) for _ in range(R.randrange(1, 3))]
    if method in ("split", "rsplit") and R.random() < 0.5:
        args.append(str(R.randrange(-1, 3)))
    return f"{text!r}.{method}({','.join(args)})"


def layout():
    x = R.choice(WORDS)
    part = lambda: R.choice(["", str(R.randrange(-9, 9))])
    return R.choice([f"{x!r}.split(None,{R.randrange(-1, 3)})", f"{x!r}.rsplit(None,{R.randrange(-1, 3)})",
                     f"{x!r}.replace({x[:R.randrange(3)]!r},{R.choice(['', '-', 'ΑΩ'])!r},{R.randrange(-1, 4)})",
                     f"{x!r}.{R.choice(['center', 'ljust', 'rjust'])}({R.randrange(0, 15)},{R.choice('*é ')!r})",
                     f"{x!r}.zfill({R.randrange(10)})", f"{x!r}[{R.randrange(-9, 9)}]",
                     f"{x!r}[{part()}:{part()}:{R.choice(['', '1', '2', '-1', '-3', '5'])}]"])


def pattern():
    pieces = ["{", "}", "{{", "}}", "{}", "{0}", "{a}", "{!r}", ":", "!r", ".", "[0]", "x", "{0:>5}", "{:{}}", "{a[0]}"]
    return f"{''.join(R.choice(pieces) for _ in range(R.randrange(1, 5)))!r}.format(1,\"b\",a=\"cd\")"


def several(n):
    return ",".join(real() for _ in range(R.randrange(n)))


def number_text():
    if R.random() < 0.5:
        return "float(%r)" % R.choice([real(), " " + real() + " ", real().replace(".", "_"), R.choice(WORDS),
                                       "1e%d" % R.randrange(-400, 400), "%d.%d" % (R.randrange(10**9), R.randrange(10**20))])
    text = R.choice(["0x1F", "0b101", "0o17", "zz", "12", "-7", " +5 ", "1_0", "FFFF", R.choice(WORDS)])
    return "int(%r,%d)" % (text, R.choice([0, 2, 8, 10, 16, 36]))


def of_integers():
    return R.choice(["math.comb(%d,%d)" % (R.randrange(70), R.randrange(40)), "bin(%d)" % whole(), "hex(%d)" % whole(),
                     "math.perm(%d,%d)" % (R.randrange(30), R.randrange(12)), "math.gcd(%d,%d)" % (whole(), whole()),
                     "math.lcm(%d,%d)" % (R.randrange(10**6), R.randrange(10**6)), "math.isqrt(%d)" % abs(whole()),
                     "round(%d,%d)" % (whole(), R.randrange(-19, 3)), "math.ldexp(%s,%d)" % (real(), R.randrange(-1100, 1100)),
                     "pow(%d,%d,%d)" % (R.randrange(-10**9, 10**9), R.randrange(-50, 10**6), R.randrange(-10**9, 10**9))])


def of_reals():
    return R.choice(["math.fsum([%s])" % several(8), "sum([%s])" % several(6), "math.hypot(%s)" % several(5),
                     "(%s).as_integer_ratio()" % real(), "(%s).hex()" % real(), "hash(%s)" % number(), "round(%s)" % real(),
                     "divmod(%s,%s)" % (number(), number()), "round(%s,%d)" % (real(), R.randrange(-12, 18))])


def expressions():
    yield from (DATA / "builtins_fixed.txt").read_text().splitlines()
    for k in range(-1074, 1024, 17):
        yield repr(math.ldexp(1.0, k))
    for x in WORDS:
        for method in METHODS:
            yield f"{x!r}.{method}()"
        yield f"repr({x!r})"
        yield f"ascii({x!r})"
    for f in REAL_FUNCTIONS:
        for _ in range(4):
            yield f"math.{f}({real()})"
    for f in PAIR_FUNCTIONS:
        for _ in range(8):
            yield f"math.{f}({real()},{real()})"
    makers = [(200, real), (500, lambda: f"format({real()},{spec()!r})"), (300, lambda: f"format({whole()},{spec()!r})"),
              (100, lambda: f"format({R.choice(WORDS)!r},{spec()!r})"), (250, percent), (300, operation), (300, search),
              (200, layout), (100, pattern), (100, number_text), (150, of_integers), (200, of_reals)]
    for n, make in makers:
        for _ in range(n):
            yield make()


def answer(expression):
    try:
        return repr(eval(expression))
    except Exception as e:
        return f"{type(e).__name__}: {e}"


def beyond(text):
    """Is there something in it that this language does not have?"""
    if re.search(r"\dj\)$|^\(?b'|integer string conversion", text):
        return True
    return any(len(d) > 18 and int(d) > 2**63 - 1 for d in re.findall(r"(?<![\d.e+])(?<!e-)\d+(?![\d.e])", text))


def main():
    warnings.simplefilter("ignore")
    seen = {}
    for expression in expressions():
        result = answer(expression)
        if "\n" not in result + expression and "\t" not in result + expression and not beyond(result):
            seen[expression] = result
    with open(DATA / "builtins_cases.txt", "w") as out:
        for expression, result in seen.items():
            out.write(f"{expression}\t{result}\n")


main()
