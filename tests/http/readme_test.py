#!/usr/bin/env python3
"""Runs the README's console examples in one shell against the real binary and compares what they print."""
import re
import subprocess

from harness import BUILD, Server, run

START = re.compile(r"^\$ make run")


def examples():
    """(command, expected output) of every console block, in order."""
    text = open("README.md", encoding="utf-8").read()
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, expected = part.partition("\n")
            if not START.match("$ " + command):
                yield command, expected


def readme_examples_print_what_the_readme_says():
    server = Server("--log-level", "error")
    try:
        script, wanted = [], []
        for i, (command, expected) in enumerate(examples()):
            script.append(f"echo '@@{i}'\n{command}\n[ -z \"$(tail -c1 /dev/null)\" ]")
            wanted.append((command, expected))
        source = "\n".join(script).replace("http://127.0.0.1:4242", f"http://127.0.0.1:{server.port}")
        source = source.replace("build/gradd", f"{BUILD}/gradd")
        out = subprocess.run(["sh", "-c", source], capture_output=True, text=True, check=False)
        got = re.split(r"^@@\d+\n|(?<=[^\n])@@\d+\n", out.stdout, flags=re.M)[1:]
        assert len(got) == len(wanted), (out.stdout, out.stderr)
        for text, (command, expected) in zip(got, wanted):
            assert text.strip() == expected.strip(), f"$ {command}\n{text}\nREADME says\n{expected}"
        assert len(wanted) > 10
    finally:
        server.stop()


run("readme", [readme_examples_print_what_the_readme_says])
