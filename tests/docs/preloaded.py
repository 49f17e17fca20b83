"""Commands and scripts of pages run in forks of a process that has imported what they need.

Pages hold two hundred of them, and each would spend two or three seconds on its imports. `commands` writes stand-ins
for `skydex` and `python` into a folder; a stand-in hands its arguments, folder, environment and files to the process
that listens, passes on SIGTERM, and ends with the status of its fork, which is killed if the stand-in is.

This file is also what runs: `preloaded.py listen SOCKET` and `preloaded.py ask SOCKET NAME ARGUMENTS`.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

_MODULES = (
    "skydex.cli.app",
    "skydex.connection.near",
    "skydex.web.server",
    "skydex.plots",
    "skydex.ingest",
    "astropy.table",
)
_STAND_IN = """#!/bin/sh
{condition}exec '{python}' -IS '{file}' ask '{socket}' {name} "$@"
"""


@contextlib.contextmanager
def commands(folder, environ):
    """Start the process that listens; give the folder with the stand-ins."""
    where = folder / "socket"
    (folder / "bin").mkdir()
    for name, condition in (("skydex", ""), ("python", f'[ "$1" = - ] || exec \'{sys.executable}\' "$@"\n')):
        facts = {"python": sys.executable, "file": __file__, "socket": where, "name": name, "condition": condition}
        (folder / "bin" / name).write_text(_STAND_IN.format(**facts))
        (folder / "bin" / name).chmod(0o755)
    process = subprocess.Popen([sys.executable, __file__, "listen", str(where)], env=environ)
    try:
        while not where.exists():
            assert process.poll() is None, "the process that has imported everything has ended"
            time.sleep(0.05)
        yield folder / "bin"
    finally:
        process.kill()
        process.wait()


def listen(where):
    """Fork for whoever asks."""
    import importlib

    for module in _MODULES:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(f"{where}.new")
        door.listen()
        os.rename(f"{where}.new", where)
        while True:
            visitor, _ = door.accept()
            if os.fork() == 0:
                door.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _attend(visitor)
            visitor.close()


def _attend(visitor):
    """Fork again, for the work itself, and tell its status, as long as somebody wants to know."""
    message, files, _, _ = socket.recv_fds(visitor, 1 << 20, 3)
    pid = os.fork()
    if pid == 0:
        visitor.close()
        os._exit(_work(json.loads(message), files))
    for file in files:
        os.close(file)
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            visitor.send(str(os.waitstatus_to_exitcode(status)).encode())
            os._exit(0)
        visitor.settimeout(0.02)
        with contextlib.suppress(TimeoutError):
            wish = visitor.recv(10)
            os.kill(pid, signal.SIGTERM if wish else signal.SIGKILL)
            if not wish:
                os._exit(0)


def _work(asked, files):
    """Be the command or the script; give its status."""
    import atexit
    import traceback
    import types

    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["folder"])
    name, *sys.argv[1:] = asked["arguments"]
    sys.argv[0] = name
    try:
        if name == "skydex":
            from skydex.cli import main

            main()
        else:
            sys.argv[:2] = ["-"]
            sys.path[0] = ""
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(compile(sys.stdin.read(), "<stdin>", "exec"), vars(main))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def ask(where, *arguments):
    """Have something done, and end as it has ended."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.connect(where)
        message = {"arguments": arguments, "folder": os.getcwd(), "environ": dict(os.environ)}
        socket.send_fds(door, [json.dumps(message).encode()], [0, 1, 2])
        signal.signal(signal.SIGTERM, lambda *_: door.send(b"TERM"))
        sys.exit(int(door.recv(10) or 1))


if __name__ == "__main__":
    {"listen": listen, "ask": ask}[sys.argv[1]](*sys.argv[2:])
