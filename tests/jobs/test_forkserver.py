"""Workers answer, are held to their limits, can be killed, and leave nothing behind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from skydex.errors import BadParameterError, EngineError, MemoryLimitError, StoreError
from skydex.jobs import ForkServer, Kind, Staffing, WorkerLimits, frame, iter_frames

HERE = {"PYTHONPATH": str(Path(__file__).parent)}


class Client:
    """The giving side of one worker, blocking."""

    def __init__(self, server: ForkServer) -> None:
        self.number, self.sock = server.spawn()
        self.frames = iter_frames(self.sock)
        assert next(self.frames) == (Kind.READY, b"")

    def send(self, deed, argument=None, deadline=None):
        self.sock.sendall(frame(Kind.REQUEST, pickle.dumps(((deed, argument), deadline))))

    def ask(self, deed, argument=None, deadline=None):
        """Facts, bytes, and the payload of the last frame."""
        self.send(deed, argument, deadline)
        facts, body = None, b""
        for kind, payload in self.frames:
            if kind == Kind.HEADER:
                facts = pickle.loads(payload)
            elif kind == Kind.DATA:
                body += payload
            elif kind == Kind.END:
                return facts, body, payload
            else:
                error, is_last = pickle.loads(payload)
                return error, body, b"last" if is_last else b""
        return None, body, None


@pytest.fixture
def client(fork_server):
    client = Client(fork_server)
    yield client
    fork_server.kill(client.number)
    client.sock.close()


def wait_until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, be it not yet buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_worker_answers_again_and_again(client):
    for text in (b"M31", b"", b"x" * 1000):
        facts, body, _ = client.ask("echo", text, 12.5)
        assert (facts["deed"], facts["deadline"], body) == ("echo", 12.5, text)


def test_a_large_answer_arrives_whole(client):
    assert len(client.ask("megabytes", 30)[1]) == 30 << 20


def test_an_error_of_the_asker_keeps_its_facts_and_the_worker(client):
    error, body, last = client.ask("refuse", "not a number")
    assert isinstance(error, BadParameterError)
    assert (str(error), error.name, body, last) == ("Parameter RA: not a number", "RA", b"", b"")
    assert client.ask("echo", b"still here")[1] == b"still here"


def test_an_unforeseen_error_tells_nothing_and_keeps_the_worker(client):
    error, body, last = client.ask("stumble")
    assert isinstance(error, EngineError)
    assert "secret" not in str(error)
    assert (body, last) == (b"", b"")
    assert client.ask("echo", b"still here")[1] == b"still here"


def test_an_error_of_ours_retires_the_worker(client):
    error, _, last = client.ask("break_store", "A partition is missing.")
    assert isinstance(error, StoreError)
    assert last == b"last"


def test_an_error_in_mid_stream_follows_the_bytes_that_were_sent(client):
    error, body, _ = client.ask("stumble_late")
    assert isinstance(error, EngineError)
    assert body == bytes(1 << 20) + b"the end"


def test_r05_memory_over_the_limit_is_a_clean_error_that_names_it(client):
    assert client.ask("allocate", 150)[1] == str(150 << 20).encode()
    error, _, last = client.ask("allocate", 10_000)
    assert isinstance(error, MemoryLimitError)
    assert (error.megabytes, last) == (200, b"last")


def test_a_worker_retires_after_its_share_of_requests(client):
    lasts = [client.ask("echo", b"x")[2] for _ in range(40)]
    assert lasts == [b""] * 39 + [b"last"]
    assert client.sock.recv(1) == b""


def test_r04_a_worker_that_cannot_be_interrupted_can_be_killed(fork_server, client):
    client.send("sleep_in_c", 60)
    time.sleep(0.1)
    start = time.monotonic()
    fork_server.kill(client.number)
    assert client.sock.recv(1) == b""
    assert time.monotonic() - start < 20  # it was to sleep for 60


def test_a_killed_worker_closes_its_socket_and_leaves_no_files(fork_server, client):
    facts, pid, _ = client.ask("litter")
    assert Path(facts["scratch"], "spill.tmp").is_file()
    client.send("die", signal.SIGKILL)
    assert client.sock.recv(1) == b""
    wait_until(lambda: is_gone(int(pid)))
    wait_until(lambda: not Path(facts["scratch"]).exists())


def test_killing_a_worker_that_is_gone_harms_nobody(fork_server, client):
    other = Client(fork_server)
    other.ask("break_store", "A partition is missing.")
    assert other.sock.recv(1) == b""
    other.sock.close()
    fork_server.kill(other.number)
    fork_server.kill(4711)
    assert client.ask("echo", b"fine")[1] == b"fine"


def test_a_worker_whose_handler_cannot_be_made_closes_its_socket(tmp_path):
    import deeds

    server = ForkServer.started(Staffing(deeds.factory_that_fails, WorkerLimits(100), temp_dir=str(tmp_path)))
    try:
        _, sock = server.spawn()
        with sock:
            assert sock.recv(100) == b""
    finally:
        server.stop()


def test_stopping_ends_every_worker_and_removes_every_directory(tmp_path):
    import deeds

    server = ForkServer.started(Staffing(deeds.factory, WorkerLimits(100), temp_dir=str(tmp_path)))
    clients = [Client(server) for _ in range(3)]
    pids = [int(client.ask("pid")[1]) for client in clients]
    clients[0].send("sleep_in_c", 60)
    server.stop()
    for client in clients:
        client.sock.close()
    assert all(is_gone(pid) for pid in pids)
    assert not list(tmp_path.iterdir())


def test_workers_do_not_outlive_a_parent_that_is_killed(tmp_path):
    script = f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import deeds, os, pickle
        from skydex.jobs import *
        server = ForkServer.started(Staffing(deeds.factory, WorkerLimits(100), temp_dir={str(tmp_path)!r}))
        number, sock = server.spawn()
        frames = iter_frames(sock)
        next(frames)
        sock.sendall(frame(Kind.REQUEST, pickle.dumps((("pid", None), None))))
        worker = next(payload for kind, payload in frames if kind == Kind.DATA)
        print(server.pid, worker.decode(), flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    try:
        pids = [int(word) for word in parent.stdout.readline().split()]
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
    wait_until(lambda: all(is_gone(pid) for pid in pids))


def test_a_new_worker_costs_a_tenth_of_a_new_interpreter(fork_server):
    own = os.times()
    subprocess.run([sys.executable, "-c", "import deeds, skydex.jobs"], check=False, env={**os.environ, **HERE})
    interpreter = sum(os.times()[2:4]) - sum(own[2:4])
    newcomers = [Client(fork_server) for _ in range(5)]
    spent = [float(client.ask("cpu")[1]) for client in newcomers]
    for client in newcomers:
        client.sock.close()
    assert min(spent) < interpreter / 10  # CPU, so that a busy machine does not matter; measured: 1 ms and 90 ms


FORKED = """
    import os, pickle, socket, sys, threading
    sys.path.insert(0, {here!r})
    import deeds
    from skydex.jobs import *

    stray = socket.create_server(("127.0.0.1", 0))
    {before}
    server = ForkServer.forked(Staffing(deeds.factory, WorkerLimits(100), temp_dir={temp_dir!r}))
    number, sock = server.spawn()
    frames = iter_frames(sock)
    assert next(frames)[0] == Kind.READY
    sock.sendall(frame(Kind.REQUEST, pickle.dumps((("pid", None), None))))
    worker = next(payload for kind, payload in frames if kind == Kind.DATA)
    its, mine = (open(f"/proc/{{pid}}/cmdline").read() for pid in (server.pid, os.getpid()))
    print(int(its != mine), server.pid, worker.decode(), flush=True)
    descriptors = f"/proc/{{server.pid}}/fd"
    print(*(os.readlink(f"{{descriptors}}/{{name}}") for name in os.listdir(descriptors)), flush=True)
    print(os.readlink(f"/proc/self/fd/{{stray.fileno()}}"), flush=True)
    sys.stdin.read()
    server.stop()
    print(os.listdir({temp_dir!r}), server.is_alive())
"""


def forked(tmp_path, before="pass"):
    script = FORKED.format(here=str(Path(__file__).parent), before=before, temp_dir=str(tmp_path))
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_fork_server_that_is_forked_off_works_and_stops_like_one_that_is_started(tmp_path):
    with forked(tmp_path) as process:
        is_interpreter, *pids = map(int, process.stdout.readline().split())
        descriptors, stray = process.stdout.readline().split(), process.stdout.readline().strip()
        assert not is_interpreter
        assert stray.startswith("socket:")
        assert stray not in descriptors
        process.stdin.close()
        assert process.stdout.readline() == "[] False\n"
    assert process.returncode == 0
    assert all(is_gone(pid) for pid in pids)


def test_a_fork_server_that_is_forked_off_does_not_outlive_a_parent_that_is_killed(tmp_path):
    with forked(tmp_path) as process:
        _, *pids = map(int, process.stdout.readline().split())
        process.kill()
    wait_until(lambda: all(is_gone(pid) for pid in pids))


def test_a_process_with_threads_is_not_forked(tmp_path):
    with forked(tmp_path, "threading.Thread(target=threading.Event().wait, daemon=True).start()") as process:
        is_interpreter, *_ = map(int, process.stdout.readline().split())
        process.stdin.close()
        assert is_interpreter
        assert process.stdout.read().endswith("[] False\n")
