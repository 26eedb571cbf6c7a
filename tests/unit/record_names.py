#!/usr/bin/env python3
"""Writes core/program/lexer_names.def: which characters names may have, from CPython's own tables."""
import sys
import unicodedata

OUT = sys.argv[1] if len(sys.argv) > 1 else "core/program/lexer_names.def"


def ranges(test):
    out = []
    for c in range(128, 0x110000):
        if 0xD800 <= c < 0xE000 or not test(chr(c)):
            continue
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def write(f, name, pairs):
    f.write(f"RANGES({name},\n")
    line = "   "
    for a, b in pairs:
        item = f" {{{a},{b}}},"
        if len(line) + len(item) > 118:
            f.write(line + "\n")
            line = "   "
        line += item
    f.write(line.rstrip(",") + ")\n")


with open(OUT, "w") as f:
    f.write(f"/* Written by tests/unit/record_names.py from CPython's own tables (Unicode {unicodedata.unidata_version}). */\n")
    write(f, "starts", ranges(str.isidentifier))
    write(f, "goes_on", ranges(lambda c: ("a" + c).isidentifier()))
    write(f, "changes", ranges(lambda c: ("a" + c).isidentifier() and unicodedata.normalize("NFKC", c) != c))
