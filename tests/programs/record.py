#!/usr/bin/env python3
"""Records what each program prints under CPython 3.11 with PyTorch 1.13: record.py [NAME…]; without names all of them.

NAME.py gives NAME.out: its standard output, object addresses left out (at 0x7f… is written at 0x). A program that ends in an
uncaught exception has its traceback behind that.
failing.cells holds many small programs that must fail, divided by lines of dashes; failing.out what each prints, divided alike.
notebook/ holds the cells of one notebook in order; each .out is what the notebook shows beneath the cell. A file
name's end x24 means that the cell is run 24 times and the last answer counts.

make test compares gradd with the recordings (run.py) and needs none of this.
"""
import ast
import contextlib
import io
import linecache
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import traceback

FILE = "<program>"
HERE = pathlib.Path(__file__).resolve().parent


def normal(text):
    return re.sub(r" at 0x[0-9a-f]+", " at 0x", text)


def traceback_text(error, source):
    """As Python shows it, with the program's own frames alone."""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return "".join(traceback.format_exception_only(type(error), error))
    linecache.cache[FILE] = (len(source), None, source.splitlines(True), FILE)
    shown = traceback.TracebackException.from_exception(error)
    link = shown
    while link:
        link.stack = traceback.StackSummary.from_list([frame for frame in link.stack if frame.filename == FILE])
        link = link.__cause__ or link.__context__
    return "".join(shown.format())


def run(source, names, notebook=False):
    """What the source prints in these names, and the traceback of the exception that ended it."""
    out = io.StringIO()
    pathlib.Path(FILE).write_text(source, encoding="utf-8")  # some errors show the line as the file has it
    try:
        with contextlib.redirect_stdout(out):
            tree = ast.parse(source, FILE)
            shown = tree.body.pop() if notebook and tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, FILE, "exec"), names)
            if shown is not None:
                value = eval(compile(ast.Expression(shown.value), FILE, "eval"), names)
                if value is not None:
                    print(repr(value))
    except Exception as error:
        return normal(out.getvalue()) + normal(traceback_text(error, source))
    return normal(out.getvalue())


def record(path):
    """Each program in a process of its own: modes and generators start afresh."""
    code = "import record,sys; sys.stdout.write(record.run(open(sys.argv[1]).read(), {'__name__': '__main__'}))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(path)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{path.name}: {done.stderr}")
    path.with_suffix(".out").write_text(done.stdout, encoding="utf-8")


def cells(path):
    return [c.strip("\n") + "\n" for c in re.split(r"^# -{20,}\n", path.read_text(encoding="utf-8"), flags=re.M)]


def record_failing():
    lines = []
    for cell in cells(HERE / "failing.cells"):
        said = run(cell, {"__name__": "__main__"})
        if 'File "<program>"' not in said:
            raise SystemExit(f"this cell does not fail:\n{cell}\n{said}")
        lines.append(said)
    (HERE / "failing.out").write_text(("# " + "-" * 60 + "\n").join(lines), encoding="utf-8")


def record_notebook():
    names = {"__name__": "__main__"}
    for path in sorted((HERE / "notebook").glob("*.py")):
        times = re.search(r"x(\d+)$", path.stem)
        for _ in range(int(times.group(1)) if times else 1):
            said = run(path.read_text(encoding="utf-8"), names, notebook=True)
        path.with_suffix(".out").write_text(said, encoding="utf-8")


def main(names):
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["PYTHONPATH"] = str(HERE)
    os.chdir(tempfile.mkdtemp())
    programs = [p for p in sorted(HERE.glob("*.py")) if p.stem not in ("record", "run")]
    for path in programs:
        if not names or path.stem in names:
            record(path)
    if not names or "failing" in names:
        record_failing()
    if not names or "notebook" in names:
        record_notebook()


if __name__ == "__main__":
    main(sys.argv[1:])
