#!/usr/bin/env python3
"""Writes core/program/unicode_tables.def: what CPython knows of each character, as ranges.

Run it with CPython 3.11 (Unicode 14): python3 tests/unit/record_unicode.py > core/program/unicode_tables.def
"""
import unicodedata

CHARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
CLASSES = {
    "printable": str.isprintable,
    "alpha": str.isalpha,
    "decimal": str.isdecimal,
    "digit": str.isdigit,
    "numeric": str.isnumeric,
    "space": str.isspace,
    "upper": str.isupper,
    "lower": str.islower,
    "title": lambda s: unicodedata.category(s) == "Lt",
}


def runs(points):
    """(first, last, step) of runs of step 1 or 2."""
    at = 0
    while at < len(points):
        ends = {}
        for step in (1, 2):
            end = at
            while end + 1 < len(points) and points[end + 1] - points[end] == step:
                end += 1
            ends[step] = end
        step = 1 if ends[1] >= ends[2] else 2
        yield points[at], points[ends[step]], step
        at = ends[step] + 1


def lines(items):
    line = "   "
    for item in items:
        if len(line) + len(item) > 118:
            print(line)
            line = "   "
        line += " " + item
    print(line)


def main():
    print("/* Written by tests/unit/record_unicode.py from CPython's own tables (Unicode %s). */" % unicodedata.unidata_version)
    for name, test in CLASSES.items():
        print("CLASS(%s," % name)
        lines("{%d,%d,%d}," % r for r in runs([c for c in CHARS if test(chr(c))]))
        print(")")
    for name, base in (("lower", None), ("upper", None), ("title", "upper"), ("casefold", "lower")):
        simple, several = {}, []
        for c in CHARS:
            text = chr(c)
            mapped = getattr(text, name)()
            if mapped == (getattr(text, base)() if base else text):
                continue
            if len(mapped) == 1:
                simple.setdefault(ord(mapped) - c, []).append(c)
            else:
                several.append([c] + [ord(m) for m in mapped] + [0] * (3 - len(mapped)))
        print("SIMPLE(%s," % name)
        ranges = [r + (delta,) for delta, points in simple.items() for r in runs(points)]
        lines("{%d,%d,%d,%d}," % r for r in sorted(ranges))
        print(")")
        print("SEVERAL(%s," % name)
        lines("{%d,{%d,%d,%d}}," % tuple(s) for s in several)
        print(")")


main()
