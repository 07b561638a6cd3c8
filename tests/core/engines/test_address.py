"""Addresses of clusters: whoever does not answer as one is told in one line, and soon."""

import http.server
import socket
import threading

import pytest

from scml_gym.core.engines import find_engine, ray_address
from scml_gym.core.engines.ray_address import check_address
from scml_gym.core.errors import InputError


@pytest.fixture
def silent():
    """A port at which somebody listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def website():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("address", ["", "here", "here:", ":6379", "here:port", "here:0", "here:70000", "ray://here:1"])
def test_an_address_is_a_host_and_a_port(address):
    with pytest.raises(InputError, match=r"^--address '.*' is not valid; valid: HOST:PORT"):
        check_address(address)


def test_nobody_answers_at_a_port_that_is_free(silent):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    with pytest.raises(InputError, match=rf"^--address 127.0.0.1:{free}: nobody answers there \(Connection refused\)$"):
        check_address(f"127.0.0.1:{free}")


def test_whoever_listens_and_says_nothing_is_given_up(silent, monkeypatch):
    assert ray_address.SECONDS <= 5
    monkeypatch.setattr(ray_address, "SECONDS", 0.3)
    with pytest.raises(InputError, match=r"nobody answers there \(timed out\)$"):
        check_address(f"127.0.0.1:{silent}")


def test_a_website_is_no_cluster(website):
    with pytest.raises(InputError, match=r"whoever answers there is no head of a Ray cluster$"):
        check_address(f"127.0.0.1:{website}")


def test_what_is_no_engine_is_refused():
    with pytest.raises(InputError, match=r"^--engine os:getcwd makes a str, which is no engine$"):
        find_engine("os:getcwd")


def test_local_processes_have_no_address():
    with pytest.raises(InputError, match=r"^--address x:1: local processes have no address; give --engine ray"):
        find_engine("local", "x:1")


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("evaluate.py", ("greedy",)),
        ("evaluate.py", ("study", "dqn_acceptance")),
        ("train.py", ("independent_ppo", "--seeds", "0-1")),
    ],
)
def test_commands_refuse_an_address_that_does_not_answer(script, arguments, command_line, tmp_path):
    done = command_line(script, *arguments, "--engine", "ray", "--address", "127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --address 127.0.0.1:1: nobody answers there (Connection refused)\n"
    assert list(tmp_path.iterdir()) == []


def test_an_engine_is_for_several_trainings(command_line):
    done = command_line("train.py", "independent_ppo", "--engine", "ray")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --engine ray is for several trainings at once: give --seeds")


def test_unknown_engines_are_refused(command_line):
    done = command_line("evaluate.py", "greedy", "--engine", "rya")
    assert (done.returncode, done.stderr) == (2, "error: unknown engine 'rya'; did you mean 'ray'?\n")
