"""Frames come out of a stream as they went in, wherever the stream was cut."""

from __future__ import annotations

import socket
import threading

from hypothesis import given
from hypothesis import strategies as st

from skydex.jobs import FrameReader, Kind, frame, iter_frames, send_parts
from skydex.jobs.frames import data_head

KINDS = st.sampled_from(list(Kind))


def gathered(events):
    """Events with the pieces of neighbouring DATA frames joined."""
    joined = []
    for kind, payload in events:
        if kind == Kind.DATA and joined and joined[-1][0] == Kind.DATA:
            joined[-1] = (kind, joined[-1][1] + payload)
        elif kind != Kind.DATA or payload:
            joined.append((kind, payload))
    return joined


@given(st.lists(st.tuples(KINDS, st.binary(max_size=40))), st.lists(st.integers(1, 20), min_size=1))
def test_frames_survive_any_cutting_of_the_stream(frames, steps):
    stream = b"".join(frame(kind, payload) for kind, payload in frames)
    reader, events, start = FrameReader(), [], 0
    while start < len(stream):
        step = steps[start % len(steps)]
        events += reader.feed(stream[start : start + step])
        start += step
    assert gathered(events) == gathered(frames)


def test_many_parts_larger_than_the_socket_arrive_whole():
    ours, theirs = socket.socketpair()
    body = bytes(range(256)) * 20_000
    parts = [data_head(len(body)), body, b"", *(frame(Kind.END) for _ in range(200))]
    sender = threading.Thread(target=lambda: (send_parts(ours, parts), ours.close()))
    sender.start()
    events = list(iter_frames(theirs))
    sender.join()
    theirs.close()
    assert b"".join(payload for kind, payload in events if kind == Kind.DATA) == body
    assert sum(kind == Kind.END for kind, _ in events) == 200
