#!/usr/bin/env python3
"""Records what PyTorch computes for the functions of this folder: record.py [NAME…] writes data/NAME.txt.

A function is a file NAME.py. Its first lines say at which point:
    # input NAME = EXPRESSION     a tensor
    # capture NAME = EXPRESSION   a tensor that is a global of the program
    # plain NAME = EXPRESSION     an int, float, bool or str
    # clone                       it writes into its input, which a leaf does not allow: give it a copy
    # grad                        (also values are computed with inputs that require a gradient)
Expressions are drawn in order after manual_seed(0); each run of the program starts from manual_seed(0) too. The file's
format is told by run.c, which reads it. The C library only needs the data, so PyTorch is not needed to test.
"""
import __future__
import pathlib
import re
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent


def number(v, dtype):
    if dtype.is_floating_point:
        return repr(float(v)) if dtype is torch.float64 else "%.9g" % float(v)
    return str(int(v))


def tensor_line(word, name, t):
    t = t.detach().contiguous()
    head = [word, name, str(t.dtype).removeprefix("torch."), str(t.dim()), *map(str, t.shape)]
    return " ".join(head + [number(v, t.dtype) for v in t.flatten().tolist()])


def plain_line(name, v):
    return f"plain {name} {type(v).__name__} {int(v) if isinstance(v, bool) else v!r}".replace("'", "")


class Function:
    def __init__(self, path):
        self.source = path.read_text()
        self.inputs, self.captures, self.plain = {}, {}, {}
        torch.manual_seed(0)
        for word, name, text in re.findall(r"^# (input|capture|plain) (\w+) = (.*)$", self.source, re.M):
            value = eval(text, {"torch": torch})
            {"input": self.inputs, "capture": self.captures, "plain": self.plain}[word][name] = value
        self.clone = "\n# clone\n" in self.source
        self.grad = "\n# grad\n" in self.source
        self.code = compile(self.source, str(path), "exec", __future__.annotations.compiler_flag)
        self.name = re.findall(r"^def (\w+)", self.source, re.M)[-1]
        self.floating = [n for n, t in self.inputs.items() if t.is_floating_point()]

    def __call__(self, wrt):
        """Leaves and outputs by name."""
        torch.manual_seed(0)
        space = {"torch": torch, **{n: t.clone() for n, t in self.captures.items()}}
        exec(self.code, space)
        leaves = {n: t.clone().requires_grad_(n in wrt) for n, t in self.inputs.items()}
        given = {n: t.clone() if self.clone else t for n, t in leaves.items()}
        out = space[self.name](**given, **self.plain)
        if not isinstance(out, dict):
            out = {str(i): o for i, o in enumerate(out if isinstance(out, (tuple, list)) else [out])}
        return leaves, {n: o if torch.is_tensor(o) else torch.tensor(o) for n, o in out.items()}


def gradients(outputs, inputs, cotangents, create_graph=False):
    pairs = [(o, c) for o, c in zip(outputs, cotangents) if o.requires_grad]
    if not pairs:
        return [torch.zeros_like(i) for i in inputs]
    found = torch.autograd.grad([o for o, _ in pairs], inputs, [c for _, c in pairs], retain_graph=True,
                                create_graph=create_graph, allow_unused=True)
    return [torch.zeros_like(i) if g is None else g for g, i in zip(found, inputs)]


def record(f):
    lines = [tensor_line("input", n, t) for n, t in f.inputs.items()]
    lines += [tensor_line("capture", n, t) for n, t in f.captures.items()]
    lines += [plain_line(n, v) for n, v in f.plain.items()]
    leaves, values = f(f.floating if f.grad else [])
    lines += [tensor_line("value", n, v) for n, v in values.items()]

    leaves, values = f(f.floating)
    wrt = [leaves[n] for n in f.floating]
    floating = {n: v for n, v in values.items() if v.is_floating_point()}
    torch.manual_seed(1)
    cotangents = {n: torch.randn_like(v.detach()) for n, v in floating.items()}
    tangents = {n: torch.randn_like(f.inputs[n]) for n in f.floating}
    lines += [tensor_line("cotangent", n, t) for n, t in cotangents.items()]
    lines += [tensor_line("tangent", n, t) for n, t in tangents.items()]

    outputs = list(floating.values())
    pulled = gradients(outputs, wrt, list(cotangents.values()))
    lines += [tensor_line("vjp", n, g) for n, g in zip(f.floating, pulled)]

    u = [torch.zeros_like(o, requires_grad=True) for o in outputs]
    first = gradients(outputs, wrt, u, create_graph=True)
    pushed = gradients(first, u, list(tangents.values()))
    lines += [tensor_line("jvp", n, t) for n, t in zip(floating, pushed)]

    for name, output in floating.items():
        rows = []
        for k in range(output.numel()):
            unit = torch.zeros_like(output).flatten()
            unit[k] = 1
            rows.append(gradients([output], wrt, [unit.view_as(output)]))
        for i, n in enumerate(f.floating):
            block = torch.stack([r[i] for r in rows]).reshape(output.shape + leaves[n].shape)
            lines.append(tensor_line("jacobian", f"{name}:{n}", block))

    if len(values) == 1 and outputs and outputs[0].numel() == 1:
        one = torch.ones_like(outputs[0])
        lines += [tensor_line("gradient", n, g) for n, g in zip(f.floating, gradients(outputs, wrt, [one]))]
        first = gradients(outputs, wrt, [one], create_graph=True)
        twice = gradients(first, wrt, list(tangents.values()))
        lines += [tensor_line("hvp", n, g) for n, g in zip(f.floating, twice)]
        for n, g in zip(f.floating, first):
            rows = []
            for k in range(g.numel()):
                unit = torch.zeros_like(g).flatten()
                unit[k] = 1
                rows.append(gradients([g], wrt, [unit.view_as(g)]))
            for i, m in enumerate(f.floating):
                block = torch.stack([r[i] for r in rows]).reshape(g.shape + leaves[m].shape)
                lines.append(tensor_line("hessian", f"{n}:{m}", block))
    return lines


def main():
    (HERE / "data").mkdir(exist_ok=True)
    names = sys.argv[1:] or sorted(p.stem for p in HERE.glob("*.py") if p.stem != "record")
    for name in names:
        lines = record(Function(HERE / f"{name}.py"))
        (HERE / "data" / f"{name}.txt").write_text("\n".join(lines) + "\n")
    print(f"{len(names)} recorded")


main()
