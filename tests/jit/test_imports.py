"""What a file imports is found once, and kept on disk for what has its content."""

import ast
import hashlib
import json

import pytest

from scml_gym.jit import imports

SOURCE = b"import os.path\nfrom . import near\nfrom ..far import x\nif TYPE_CHECKING:\n    import typed\n"
FOUND = ("..far.x", ".near", "os.path")


@pytest.fixture
def process(tmp_path, monkeypatch):
    """As a new process finds it: what a source imports, and what was kept of it."""
    monkeypatch.setattr(imports, "code_folder", lambda: tmp_path)

    def look(source=SOURCE):
        monkeypatch.setattr(imports, "_found", {})
        for cached in (imports._known, imports._place):
            cached.cache_clear()
        found = imports.imports_of(source, hashlib.sha256(source).hexdigest())
        imports.keep_imports()
        return found

    yield look
    monkeypatch.undo()
    for cached in (imports._known, imports._place):
        cached.cache_clear()


def test_what_was_found_is_not_looked_for_again(process, tmp_path, monkeypatch):
    assert process() == FOUND
    assert process(b"import this") == ("this",)
    (file,) = tmp_path.iterdir()
    assert sorted(json.loads(file.read_text()).values()) == [[*FOUND], ["this"]]
    monkeypatch.setattr(ast, "parse", None)
    assert process() == FOUND and process(b"import this") == ("this",)


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b'{"a": 1}', b"\xff", b'{"a": '])
def test_a_damaged_file_is_written_anew(content, process, tmp_path):
    assert process() == FOUND
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert process() == FOUND
    assert list(json.loads(file.read_text()).values()) == [[*FOUND]]


def test_what_others_may_write_to_is_not_read(process, tmp_path):
    assert process() == FOUND
    (file,) = tmp_path.iterdir()
    file.write_text(json.dumps({hashlib.sha256(SOURCE).hexdigest(): ["nothing"]}))
    assert process() == ("nothing",)
    file.chmod(0o666)
    assert process() == FOUND


def test_it_begins_anew_where_it_would_be_too_much(process, tmp_path, monkeypatch):
    monkeypatch.setattr(imports, "MOST_FILES", 2)
    for name in (b"a", b"b", b"c"):
        process(b"import " + name)
    (file,) = tmp_path.iterdir()
    assert list(json.loads(file.read_text()).values()) == [["c"]]


def test_what_is_no_python_imports_nothing(process):
    assert process(b"import (") == ()
