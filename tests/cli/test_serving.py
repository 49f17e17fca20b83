import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from skydex.settings import Settings


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def serve(tmp_path):
    """Start `skydex serve` on a free port, and end it."""
    running = []

    def start(place, *options):
        port = free_port()
        command = [sys.executable, "-m", "skydex", "serve", str(place), "--port", str(port), *options]
        running.append(subprocess.Popen(command, env={**os.environ, "HOME": str(tmp_path)}))
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            assert running[-1].poll() is None
            try:
                with urllib.request.urlopen(f"{url}/availability", timeout=5):
                    return url, running[-1]
            except OSError:
                time.sleep(0.1)
        raise AssertionError("no answer")

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_folder_of_files_becomes_an_archive_beside_them(skydex, serve, stars_file, tmp_path):
    folder = tmp_path / "night1"
    folder.mkdir()
    (folder / "stars.csv").write_bytes(stars_file.read_bytes())
    (folder / "notes.txt").write_text("")
    url, _ = serve(folder)
    assert skydex("query", url, "SELECT COUNT(*) AS n FROM night1.stars", "-f", "csv").out == "n\n4\n"
    assert (folder / ".skydex" / "archive.json").is_file()


def test_title_flag_reaches_the_page_and_interrupt_ends_the_server(serve, archive):
    url, process = serve(archive, "--title", "Stars of mine")
    with urllib.request.urlopen(f"{url}/", timeout=30) as page:
        assert b"Stars of mine" in page.read()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in (0, 130)


def test_folder_without_tables_is_refused(skydex, tmp_path):
    ran = skydex("serve", tmp_path, "--port", free_port())
    assert ran.status == 1
    assert "no table" in ran.err


def test_place_that_is_not_there_is_refused(skydex, tmp_path):
    ran = skydex("serve", tmp_path / "nothing")
    assert ran.status == 1
    assert "no such folder" in ran.err


def test_settings_lists_every_setting(skydex):
    ran = skydex("settings")
    assert [name for name in vars(Settings()) if f"`{name}`" not in ran.out] == []
