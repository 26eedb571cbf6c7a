#!/usr/bin/env python3
"""Records what CPython 3.11 says of programs: errors.jsonl (each a program, then "ok" or the error's type, message, line
and column) and trees.jsonl (each a program, its tree as text, and where the nodes are). test_parser.c reads them.
"""
import ast
import json
import os
import sys
import warnings

assert sys.version_info[:2] == (3, 11), "the texts are CPython 3.11's"
HERE = os.path.dirname(os.path.abspath(__file__))

# Programs with something wrong, and some without that look so.
BAD = [
    '  x = 1', 'x = 1\n    y = 2', 'if x:\n    y\n  z', 'if x:\n        y\n\tz', 'if x:\npass', 'if x:\n',
    'def f(a, a): pass', 'def f():\n    return 1\nreturn 2', 'x = 1 \\ 2', 'a = 3 + \\ x', 'x = 0777', 'x = 08',
    'x = 0b12', 'x = 0o8', 'x = 0xg', 'x = 1__0', 'x = 1_', 'x = 1e', 'x = 1.5a', 'x = 1ifx',
    'x = 1 if 2 else 3if 4 else 5', 'x = ，1', 'x = a， b', 'x = a b', 'x = )', 'x = (]', 'x = (\n]', 'x = $', 'x = ?',
    'x = a!b', 'a <> b', 'x = *a', '*a = 1', 'f(a=1, a=2)', 'f(a=1, 2)', 'f(**a, *b)', '{1:2, 3}', '{1:*a}', '{1:}',
    'def f(a=1, b): pass', 'break', 'continue', 'nonlocal x', 'def f():\n    from y import *',
    'try:\n    pass\nx = 1', 'for x in y\n    pass', "x = 5 6\ny = '''abc", 'if True:\n    x = (1,\n    y = 2\nz = 3',
    "x = '''abc\ndef\nghi\n", "x = 'abc\\", 'x = (\\', '\\\nx = 1', 'x = 1 \\', '\tx', 'é = 1; é é', 'print "héé" 5',
    'x = [é é]', 'x€y = 1', '1€', 'a.€', 'if 1:\n  x\n\\\n y\n', '  \\\n  x = 1\n', '#c\n   #d\n  x',
    'def f():\n\tx\n        y\n', 'x = [\n  1,\n2)\n', 'x = (1\n\n)  5', 'x = 1 # abc\ny = 2 3 # d', 'x # a b\n)',
    'if x # abc\n  pass', '1 \\', 'x = 1 +\\\n\\\n', '(\\', "'abc\\", '0b', '0x_', '0_7', '00', '00_0', '0e', '0.e5',
    '1.e', '1e+', '1e+_', '1_.5', '1._5', '1e5_', '0b1_', '0b1.5', '0b12', '0xfg', '0o78', '09.5', '09e5', '0_9',
    '09_a', '1.0_', '1 if 1else 2', '1andx', '0x1for x in y', '1or 2 3', '1_a', '1é', '1.2.3', '1..real', '1.real',
    '1.e5e', '0xFor 2', '1in x y', '1i', '1n', '1j2', 'x = 1 +', 'x = 1 2', 'f() = 1', '(x = 1 +)', '(f() = 1 +)',
    'x = f"{a"', 'x = f"{a b}" + 2', 'x = f"{a!x}" + 2', 'x = f"{}" + 2', 'x = f"{a[}" + 2', 'x = f"}" + 2',
    "x = 'a\\xz' + 2", 'print(f"{a +}")', 'print(f"{(a}")', 'print(f"{a\\n}")', 'print(f"{a#b}")', 'print(f"{a)}")',
    'print(f"{a!r")', 'print(f"{a!rr}")', 'print(f"{a:{b:{c:{d}}}}")', 'print(f"{lambda x: 1}")', 'print(f"{a = 1}")',
    'print(f"""{\na b}""")', 'f"{a[\'x\'}"', 'f"{\'\'\'x}"', 'f"{*a}"', 'f"{**a}"', 'f"{a:=5}"', 'f"{(a:=5)}"',
    'f"{ }"', 'f"{!r}"', 'f"{a;b}"', 'f"{a\n', 'x = "abc', 'x = (1,\n "abc', 'x = """abc\n', 'x=(', 'x = (1,\ny = 2',
    'x = [1\ny = 2\nz = 3', 'def f(:', "a = 'x' 'y' f'{a b}' 'z' 3", 'lambda a, a: 1', 'def f(a,\n b, *, a): pass',
    'def f(*): pass', 'def f(a, *, **k): pass', 'lambda *: 1', 'lambda a=1, b: 1', 'def f(a, (b, c)): pass',
    'def f(/, a): pass', 'def f(a, /, b, /): pass', 'def f(a, *b, /): pass', 'def f(a, /*b): pass', 'def f(a=): pass',
    'def f(*a=1): pass', 'def f(*a, *b): pass', 'def f(**a=1): pass', 'def f(**a, b): pass', 'def f(**a, *b): pass',
    'def f(a b): pass', 'def f(a.b): pass', 'def f: pass', 'def f() pass', 'def f()\n  pass', 'def f():\npass',
    'x = lambda a b: 1', '*a, *b = c', 'del *a', 'del *a, b', 'del f()', 'del (a, b())', 'del a + b',
    'for *a in b: pass', 'for f() in x: pass', 'for 1 in x: pass', 'for (a, 1) in x: pass', 'for a.b() in x: pass',
    '[a for f() in b]', 'with a as f(): pass', 'with a as 1, b: pass', 'with (a as f()): pass', 'import a.b as c.d',
    'from a import b,', 'from a import (b,', 'from a import (b, c', 'from a import', 'import', 'import a as',
    'import a b', 'from a import *, b', 'from a import (*)', 'try:\n  x\nexcept a, b:\n  y',
    'try:\n  x\nexcept a\n  y', 'try:\n  x\nexcept\n  y', 'try:\n x\nexcept:\ny', 'try:\n x\nfinally:\ny', 'try x',
    'else: x', 'if a:\n b\nelse\n c', 'if a:\n b\nelse c', 'if a = 1: pass', 'while a = 1: pass', 'if a\n pass',
    'elif x: pass', 'try:\n x\nexcept:\n y\nexcept a:\n z', 'try:\n x\nfinally:\n y\nexcept a:\n z', 'a = b = 1 = c',
    'a + 1 = 2', 'a = 1 + b = 2', 'None = 1', 'f(None=1)', 'f(True=1)', 'f(a.b=1)', 'f(1=2)', 'f(a for a in b, c)',
    'f(c, a for a in b)', 'f(a, b for b in c, d)', 'f(a for a in b, c for c in d)', 'f(a=b for b in c)',
    'f(**a for a in b)', 'f(*a for a in b)', '(*a)', '(*a for a in b)', '[*a for a in b]', '{*a for a in b}',
    '{**a for a in b}', '[a, b for a in c]', '[a, for a in c]', '(a, b for a in c)', '{a, b for a in c}',
    '{a: b, c for a in d}', '{a: b for a in c, d}', '{1: 2, **x, 3}', '{1:2, 3:}', '{1:2, 3:*a}', '{1 2}', '{1: 2 3}',
    '[1 2]', '(1 2)', 'f(1 2)', 'x[1 2]', 'x[1:2 3]', '[1, 2 3]', '(a, b c)', '{1, 2 3}', 'a if b', '(a if b)',
    'a if b c', 'x = a if b else', '1 if 2 else 3 = 4', 'a += 1 += 2', 'f() += 1', '(a, b) += 1', '[a] += 1',
    '1 += 1', 'a, b += 1', 'a: int: str', '(a, b): int', '[a]: int', 'a, b: int', '1: int', 'f(): int',
    '(a): int = 1', 'x: = 1', 'x: int =', 'a := 1', '(a.b := 1)', '(a[0] := 1)', '(1 := 2)', 'f(a := 1, b := 2)',
    'f(a.b := 1)', 'a = (b = 1)', 'a = [b = 1]', '(a + b = 1)', '((a, b) = 1)', '(True = 1)', '(None == a = 1)',
    'x = (a == b = 1)', 'return', 'print x', 'print 1, 2', 'exec x', 'print', 'print -1', 'print(1) 2', 'print x y',
    'assert', 'assert a,', 'raise a from', 'raise a, b', 'pass 1', 'break 1', 'a..b', 'a.', 'a.1', 'a.if', 'if',
    'for', 'for x', 'for x in', 'while', 'with', 'with a', 'with a as', 'with a as b', 'with a as b\n  pass',
    'with a:\nb', 'with (a, b)\n  c', 'with (a as b, c as d)\n  c', 'with (a as b, c as d):\nc', 'with a, b as c:\nd',
    'lambda', 'lambda x', 'lambda: ', 'not', 'a not', 'a not b', 'a is not', 'a in', 'a <', 'a < < b', 'a b', 'a 1',
    '1 a', "'a' b", "a 'b'", "'a' 1", "(a 'b')", "(print 'b')", "[a 'b']", "kf'a'", '@a\nx=1', '@\ndef f(): pass',
    'def', 'def f', 'def f(', 'def f()', 'def f() -> :', 'def 1(): pass', '__debug__ = 1', 'x.__debug__ = 1', '...=1',
    "f'{a}' = 1", "f'{a}' += 1", "'a' = 1", '-a = 1', 'a and b = 1', 'not a = 1', 'a < b = 1', 'lambda: 1 = 2',
    '(lambda: 1) = 2', '(a if b else c) = 1', '[x for x in y] = 1', '(x for x in y) = 1', '{1} = 2', '{1:2} = 3',
    '{x for x in y} = 1', '{x:y for x in y} = 1', 'a, 1 = b', '[a, f()] = b', '(a, (b, 1)) = b', '*1 = a',
    '*f(), a = b', 'a = *b', 'a = *b, c', 'return *a', 'print(*a)', 'f(*)', 'f(**)', 'f(,)', 'f(a,,b)', '[,]', '(,)',
    '{,}', '[a,,b]', 'x[]', 'x[,]', 'x[a,,b]', 'x[*a]', 'x[a:b:c:d]', 'x = [1, 2\ny = 3',
    'if x:\n  y = (1\nelse:\n  z', 'x = 5 +', 'x = 5 + * 3', 'x = * 3', 'x == = 1', 'x = = 1', 'x =', '= 1', '+',
    'a +', '(a +', '(a + )', '[a + ]', 'a + ;', 'a;;b', ';', 'a b c', 'a; b c', 'if a: b c', 'if a: if b: c',
    'if a: for x in y: z', 'for x in y: pass; while z: pass', '  ', '\n\n  x\n  y', 'if a:\n\n\n', 'if a:\n  # c\nb',
    'if a: # c\nb', "def f():\n  '''doc'''\n   x", 'x = 1\n  y = 2\n z = 3', 'x = 1\rx = a b\r', "x = 'a\r\nb'",
    "x = '''a\r\nb''' 5", 'x = 1\x0c\n\x0cx = a b', '\xa0x = 1', 'x\xa0= 1', 'if 1:\r\n  x\r\n y\r\n', '', '\n',
    '# c', 'pass', 'x', '\n\n', 'x = 1;', 'x = 1; y = 2', 'x;\n;',
    'with a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a: pass\n', "{1: 2, 'b' 3}", '{1: 2, b 3}', 'f({1: 2, b 3})',
    'f(x, {1: 2, b 3})', 'f(x, {1: 2, b 3}[4])', '({1: 2, b 3})', '[{1: 2, b 3}]', 'print({b 3})',
    'print({1:2, b 3}[x])', '{1:2, b 3}[x]', "{'a': 3, 'b' 1}[k]", 'x = {1: 2, b 3}', 'x.y({1: 2, b 3})',
    'g{lambda: x}', 'with a() as b, c() as d\n  pass', 'with a(), b() as c(): pass',
]
BAD += [
    "x = " + "(" * 201 + ")" * 201,
    "x = " + "(" * 201,
    "\n".join(" " * i + "if 1:" for i in range(101)) + "\n" + " " * 101 + "pass\n",
    "\n".join(" " * i + "while 1:" for i in range(21)) + "\n" + " " * 21 + "pass\n",
    "\n".join(" " * i + "while 1:" for i in range(20)) + "\n" + " " * 21 + "pass\n",
    "\n".join(" " * i + "for x in y:" for i in range(21)) + "\n" + " " * 21 + "pass\n",
    "with " + ",".join("a" * 21) + ": pass\n",
]

# Programs whose trees are compared; lines of --- stand between them.
GOOD = open(os.path.join(HERE, "good.txt")).read().split("---\n")

OPS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%", "Pow": "**", "MatMult": "@",
       "BitAnd": "&", "BitOr": "|", "BitXor": "^", "LShift": "<<", "RShift": ">>", "USub": "neg", "UAdd": "pos",
       "Invert": "inv", "Not": "not", "Lt": "<", "LtE": "<=", "Eq": "==", "NotEq": "!=", "Gt": ">", "GtE": ">=",
       "Is": "is", "IsNot": "is not", "In": "in", "NotIn": "not in", "And": "and", "Or": "or"}


def op(o):
    return OPS[type(o).__name__]


class Dump:
    """The tree as text, as test_parser.c writes it, and where its nodes are, in the same order."""

    def __init__(self, source):
        self.lines = source.split("\n")
        self.places = []
        self.quiet = 0

    def place(self, n):
        if self.quiet:
            return
        column = lambda line, offset: len(self.lines[line - 1].encode()[:offset].decode()) + 1
        self.places.append(f"{n.lineno}:{column(n.lineno, n.col_offset)}-"
                           f"{n.end_lineno}:{column(n.end_lineno, n.end_col_offset)}")

    def many(self, nodes):
        return "".join(" " + self.dump(n) for n in nodes)

    def maybe(self, n):
        return "_" if n is None else self.dump(n)

    def text(self, s):
        return '"' + s.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    def dump(self, n):
        kind = type(n).__name__
        if kind in ("Expr", "Slice") or hasattr(n, "lineno"):
            if kind not in ("Import", "ImportFrom", "alias"):
                self.place(n)
        return getattr(self, kind)(n)

    def Module(self, n):
        return "".join(self.dump(s) + "\n" for s in n.body)

    def Constant(self, n):
        v = n.value
        if v is None or v is True or v is False:
            return str(v)
        if v is ...:
            return "..."
        if isinstance(v, str):
            return self.text(v)
        return "%.17g" % v if isinstance(v, float) else str(v)

    def Name(self, n):
        return n.id

    def Tuple(self, n):
        return f"(tuple{self.many(n.elts)})"

    def List(self, n):
        return f"(list{self.many(n.elts)})"

    def Set(self, n):
        return f"(set{self.many(n.elts)})"

    def Dict(self, n):
        pair = lambda k, v: f" (** {self.dump(v)})" if k is None else f" ({self.dump(k)} {self.dump(v)})"
        return "(dict" + "".join(pair(k, v) for k, v in zip(n.keys, n.values)) + ")"

    def Starred(self, n):
        return f"(* {self.dump(n.value)})"

    def UnaryOp(self, n):
        if isinstance(n.operand, ast.Constant) and n.operand.value == 2 ** 63:
            return str(-2 ** 63)
        return f"({op(n.op)} {self.dump(n.operand)})"

    def BinOp(self, n):
        return f"({op(n.op)} {self.dump(n.left)} {self.dump(n.right)})"

    def BoolOp(self, n):
        return f"({op(n.op)}{self.many(n.values)})"

    def Compare(self, n):
        left = self.dump(n.left)
        return f"(cmp {left}" + "".join(f" {op(o)} {self.dump(v)}" for o, v in zip(n.ops, n.comparators)) + ")"

    def Call(self, n):
        function = self.dump(n.func)
        args = sorted(n.args + n.keywords, key=lambda a: (a.lineno, a.col_offset))
        return f"(call {function}{self.many(args)})"

    def keyword(self, n):
        return f"(** {self.dump(n.value)})" if n.arg is None else f"({n.arg}= {self.dump(n.value)})"

    def Attribute(self, n):
        return f"(. {self.dump(n.value)} {n.attr})"

    def Subscript(self, n):
        return f"([] {self.dump(n.value)} {self.dump(n.slice)})"

    def Slice(self, n):
        return f"(slice {self.maybe(n.lower)} {self.maybe(n.upper)} {self.maybe(n.step)})"

    def IfExp(self, n):
        then, test = self.dump(n.body), self.dump(n.test)
        return f"(if {then} {test} {self.dump(n.orelse)})"

    def arguments(self, a):
        plain = a.posonlyargs + a.args
        defaults = [None] * (len(plain) - len(a.defaults)) + a.defaults
        out = [self.param(q, d, "/" if i < len(a.posonlyargs) else "") for i, (q, d) in enumerate(zip(plain, defaults))]
        if a.vararg:
            out.append(self.param(a.vararg, None, "*"))
        out += [self.param(q, d, "k") for q, d in zip(a.kwonlyargs, a.kw_defaults)]
        if a.kwarg:
            out.append(self.param(a.kwarg, None, "**"))
        return "(" + " ".join(out) + ")"

    def param(self, q, default, mark):
        self.place(q)
        out = mark + q.arg
        if q.annotation:
            out += ":" + self.dump(q.annotation)
        return out + ("=" + self.dump(default) if default else "")

    def Lambda(self, n):
        return f"(lambda {self.arguments(n.args)} {self.dump(n.body)})"

    def comprehended(self, kind, element, n):
        out = f"({kind} {element}"
        for c in n.generators:
            out += f" (for {self.dump(c.target)} {self.dump(c.iter)}{self.many(c.ifs)})"
        return out + ")"

    def ListComp(self, n):
        return self.comprehended("listcomp", self.dump(n.elt), n)

    def SetComp(self, n):
        return self.comprehended("setcomp", self.dump(n.elt), n)

    def GeneratorExp(self, n):
        return self.comprehended("gen", self.dump(n.elt), n)

    def DictComp(self, n):
        return self.comprehended("dictcomp", f"({self.dump(n.key)} {self.dump(n.value)})", n)

    def JoinedStr(self, n):
        self.quiet += 1  # CPython 3.11 places what is inside only roughly
        parts, out = n.values, "(f"
        for i, v in enumerate(parts):
            out += " " + self.dump(v)
        self.quiet -= 1
        return out + ")"

    def FormattedValue(self, n):
        conversion = "" if n.conversion < 0 else " !" + chr(n.conversion)
        return f"(field {self.dump(n.value)}{conversion}" + (f" {self.dump(n.format_spec)})" if n.format_spec else ")")

    def NamedExpr(self, n):
        return f"(:= {self.dump(n.target)} {self.dump(n.value)})"

    def Expr(self, n):
        return self.dump(n.value)

    def Assign(self, n):
        return f"(={self.many(n.targets)} {self.dump(n.value)})"

    def AugAssign(self, n):
        return f"({op(n.op)}= {self.dump(n.target)} {self.dump(n.value)})"

    def AnnAssign(self, n):
        return f"(: {self.dump(n.target)} {self.dump(n.annotation)} {self.maybe(n.value)})"

    def body(self, nodes):
        return "{" + self.many(nodes) + " }"

    def If(self, n):
        return f"(if {self.dump(n.test)} {self.body(n.body)} {self.body(n.orelse)})"

    def While(self, n):
        return f"(while {self.dump(n.test)} {self.body(n.body)} {self.body(n.orelse)})"

    def For(self, n):
        return f"(for {self.dump(n.target)} {self.dump(n.iter)} {self.body(n.body)} {self.body(n.orelse)})"

    def FunctionDef(self, n):
        decorators, doc = self.many(n.decorator_list), ast.get_docstring(n, clean=False)
        params = self.arguments(n.args)
        out = f"(def {n.name}{decorators} {params} {self.maybe(n.returns)}"
        return out + ("" if doc is None else " doc " + self.text(doc)) + f" {self.body(n.body)})"

    def Return(self, n):
        return f"(return {self.maybe(n.value)})"

    def Break(self, n):
        return "break"

    def Continue(self, n):
        return "continue"

    def Pass(self, n):
        return "pass"

    def With(self, n):
        items = "".join(f" ({self.dump(i.context_expr)} {self.maybe(i.optional_vars)})" for i in n.items)
        return f"(with{items} {self.body(n.body)})"

    def Try(self, n):
        body = self.body(n.body)
        return f"(try {body}{self.many(n.handlers)} {self.body(n.orelse)} {self.body(n.finalbody)})"

    def ExceptHandler(self, n):
        return f"(except {self.maybe(n.type)} {n.name or '_'} {self.body(n.body)})"

    def Raise(self, n):
        return f"(raise {self.maybe(n.exc)} {self.maybe(n.cause)})"

    def Assert(self, n):
        return f"(assert {self.dump(n.test)} {self.maybe(n.msg)})"

    def Delete(self, n):
        return f"(del{self.many(n.targets)})"

    def Global(self, n):
        return f"(global {' '.join(n.names)})"

    def Nonlocal(self, n):
        return f"(nonlocal {' '.join(n.names)})"

    def Import(self, n):
        return "\n".join(f"(import {a.name} {a.asname or '_'})" for a in n.names)

    def ImportFrom(self, n):
        return f"(from {n.module}" + "".join(f" ({a.name} {a.asname or '_'})" for a in n.names) + ")"


def asked(program):
    """What CPython says of a program: its error, or "ok"."""
    try:
        compile(program, "<program>", "exec", dont_inherit=True)
        return [program, "ok"]
    except SyntaxError as e:
        # Within a field of an f-string CPython counts columns from the field.
        return [program, type(e).__name__, e.msg, e.lineno, 0 if e.msg.startswith("f-string: ") else e.offset]


def tree(program):
    dump = Dump(program)
    text = dump.dump(ast.parse(program))
    return [program, text, " ".join(dump.places)]


def write(name, records):
    with open(os.path.join(HERE, name), "w") as f:
        for r in records:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")
    print(f"{name}: {len(records)} programs")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write("errors.jsonl", [asked(p) for p in BAD])
    write("trees.jsonl", [tree(p) for p in GOOD])
