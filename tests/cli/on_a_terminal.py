"""Runs a command on a pseudo terminal of its own and answers what it asks there.

usage: on_a_terminal.py TRANSCRIPT STEP… -- COMMAND…

A step is `expect:TEXT` (until the terminal shows it), `type:VARIABLE` (a line: the variable's value), `key:NAME` (INT or
EOF), `silent` or `echoing` (whether the terminal echoes now), `unseen:VARIABLE` (its value is in no list of processes).
stdout is the caller's; what the terminal showed is written to TRANSCRIPT. Exit status: the command's, 128 + N if a signal
ended it; 99 if a step failed. In the end the terminal must echo.
"""

import fcntl
import glob
import os
import pty
import select
import signal
import sys
import termios
import time

TIME = 60


def fail(text):
    print(f"on_a_terminal: {text}", file=sys.stderr)
    sys.exit(99)


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def main():
    transcript, rest = sys.argv[1], sys.argv[2:]
    steps, command = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
    ours, terminal = pty.openpty()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        os.dup2(terminal, 0)
        os.dup2(terminal, 2)
        os.close(ours)
        os.execvp(command[0], command)
    shown, seen = b"", 0
    deadline = time.monotonic() + TIME

    def read_more():
        nonlocal shown
        if time.monotonic() > deadline:
            fail(f"the time is up; so far: {shown!r}")
        if select.select([ours], [], [], 0.02)[0]:
            shown += os.read(ours, 65536)

    def wait_for(holds):
        while not holds():
            read_more()

    for step in steps:
        kind, _, value = step.partition(":")
        if kind == "expect":
            wait_for(lambda: value.encode() in shown[seen:])
            seen = shown.index(value.encode(), seen) + len(value.encode())
        elif kind == "type":
            os.write(ours, os.environ[value].encode() + b"\n")
        elif kind == "key":
            os.write(ours, {"INT": b"\x03", "EOF": b"\x04"}[value])
        elif kind in ("silent", "echoing"):
            if echoes(terminal) != (kind == "echoing"):
                fail(f"the terminal is not {kind}")
        elif kind == "unseen":
            for file in glob.glob("/proc/[0-9]*/cmdline"):
                try:
                    with open(file, "rb") as line:
                        if os.environ[value].encode() in line.read():
                            fail(f"{value} is in {file}")
                except OSError:
                    pass
        else:
            fail(f"unknown step {step}")
    status = None

    def ended():
        nonlocal status
        pid, status = os.waitpid(child, os.WNOHANG)
        return pid == child

    wait_for(ended)
    while select.select([ours], [], [], 0)[0]:
        shown += os.read(ours, 65536)
    with open(transcript, "wb") as file:
        file.write(shown)
    if not echoes(terminal):
        fail("the terminal was left without echo")
    sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


main()
