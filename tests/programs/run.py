#!/usr/bin/env python3
"""Runs every recorded program by `gradd run` and through POST run, and compares with what CPython with PyTorch printed.

run.py [NAME…] runs only these (a program's name, "failing" or "notebook"). See record.py for the recordings.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))
from harness import BUILD, Server  # noqa: E402

PLAIN = {"Content-Type": "text/plain; charset=utf-8", "Accept": "text/plain"}
DIVIDER = re.compile(r"^# -{20,}\n", re.M)
passed = failed = 0


def normal(text):
    return re.sub(r" at 0x[0-9a-f]+", " at 0x", text)


def check(what, wanted, got):
    """Counts one test; shows the difference if there is one."""
    global passed, failed
    if wanted == got:
        passed += 1
        return
    failed += 1
    print(f"FAILED {what}")
    lines = difflib.unified_diff(wanted.splitlines(), got.splitlines(), "recorded", "gradd", lineterm="", n=1)
    print("\n".join(line[:400] for line, _ in zip(lines, range(40))), flush=True)


def by_command(source):
    """What `gradd run -` prints, the traceback of an exception (on standard error) behind it."""
    done = subprocess.run([f"{BUILD}/gradd", "run", "-"], input=source.encode(), capture_output=True, timeout=300)
    raised = f"exit {done.returncode}\n" if done.returncode not in (0, 1) or (done.returncode == 1) != bool(done.stderr) else ""
    return normal((done.stdout + done.stderr).decode("utf-8", "replace")) + raised


class Session:
    """A session of its own on the server."""

    def __init__(self, server, name):
        self.server, self.path = server, f"/v1/sessions/{name}"
        server.call("PUT", self.path)

    def run(self, source):
        """As a notebook would show it."""
        return normal(self.server.call("POST", f"{self.path}/run", source.encode(), PLAIN).body.decode("utf-8", "replace"))

    def close(self):
        self.server.call("DELETE", self.path)


def check_program(server, path):
    source, recording = path.read_text(encoding="utf-8"), path.with_suffix(".out")
    wanted = recording.read_text(encoding="utf-8") if recording.exists() else "not recorded: record.py makes the recording\n"
    check(f"gradd run {path.name}", wanted, by_command(source))
    session = Session(server, path.stem)
    check(f"POST run {path.name}", wanted, session.run(source))
    session.close()


def check_failing(server):
    cells = DIVIDER.split((HERE / "failing.cells").read_text(encoding="utf-8"))
    recorded = DIVIDER.split((HERE / "failing.out").read_text(encoding="utf-8"))
    assert len(cells) == len(recorded)
    for i, (cell, wanted) in enumerate(zip(cells, recorded)):
        what = f"failing cell {i + 1}: {cell.strip()[:60]!r}"
        check(f"gradd run, {what}", wanted, by_command(cell))
        session = Session(server, f"failing{i}")
        check(f"POST run, {what}", wanted, session.run(cell))
        session.close()


def check_notebook(server):
    """The cells one after the other in one session; then, those that do not fail, as one program."""
    session, whole, wanted_whole = Session(server, "notebook"), [], []
    for path in sorted((HERE / "notebook").glob("*.py")):
        source, wanted = path.read_text(encoding="utf-8"), path.with_suffix(".out").read_text(encoding="utf-8")
        times = re.search(r"-x(\d+)$", path.stem)
        got = ""
        for _ in range(int(times.group(1)) if times else 1):
            got = session.run(source)
        check(f"notebook {path.name}", wanted, got)
        if 'File "<program>"' not in wanted and not times:
            whole.append(source)
            wanted_whole.append(wanted)
    session.close()
    check("notebook in one piece", "".join(wanted_whole), by_command("\n".join(whole)))


def main(names):
    server = Server("--log-level", "error")
    try:
        for path in sorted(HERE.glob("*.py")):
            if path.stem not in ("record", "run") and (not names or path.stem in names):
                check_program(server, path)
        if not names or "failing" in names:
            check_failing(server)
        if not names or "notebook" in names:
            check_notebook(server)
    finally:
        check("exit status of the server", "0", str(server.stop()))
    print(f"programs: {passed} passed, {failed} failed", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
