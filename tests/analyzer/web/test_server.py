"""The command and its server: it says where it listens, ends when it is told to, and refuses what cannot be."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")
pytest.importorskip("dash_ag_grid", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer.web.server import make_server
from scml_gym.core.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_command_serves_until_it_is_interrupted(runs_folder, host):
    command = [sys.executable, str(ROOT / "evaluate.py"), "analyze", str(runs_folder / "oneshot"), "--host", host]
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        address = re.search(r"http://\S+", server.stdout.readline())[0]
        if host == "127.0.0.1":
            assert "SCML analyzer" in urllib.request.urlopen(address, timeout=120).read().decode()
        else:
            assert len(re.search(r"token: (\S+)", server.stdout.readline())[1]) >= 32
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(address.replace("0.0.0.0", "127.0.0.1"), timeout=120)
        server.send_signal(signal.SIGINT)
        printed, errors = server.communicate(timeout=120)
    assert (server.returncode, printed, errors) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["none"], "none does not exist"), ([], "folders"), (["none", "--port", "70000"], "none does not exist")],
)
def test_bad_input_is_one_line(command_line, arguments, told):
    done = command_line("evaluate.py", "analyze", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_where_nobody_can_listen_is_told(recordings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"cannot listen at 127.0.0.1, port {port}: Address already in use"):
            make_server(recordings, "127.0.0.1", port, None)
    with pytest.raises(InputError, match=r"host='no\.such\.host\.invalid'"):
        make_server(recordings, "no.such.host.invalid", 0, None)
    with pytest.raises(InputError, match=r"^host=str: .*label too long"):
        make_server(recordings, 300 * "x", 0, None)
    with pytest.raises(InputError, match="port=70000"):
        make_server(recordings, "127.0.0.1", 70000, None)
