"""Where a result comes from."""

import os
import subprocess

from scml_gym.core import provenance


def git(folder, *arguments):
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    own |= {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=folder, env=os.environ | own, check=True, capture_output=True)


def test_the_commit_is_told_and_the_repository_is_left_as_it_is(tmp_path, monkeypatch):
    source = tmp_path / "package" / "core" / "provenance.py"
    source.parent.mkdir(parents=True)
    source.write_text("one\n")
    monkeypatch.setattr(provenance, "__file__", str(source))
    assert provenance.commit() is None
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    head = provenance.commit()
    assert head is not None and len(head) == 40
    os.utime(source, (1, 1))  # what git has noted of the file is stale, and it would note it anew
    before = (tmp_path / ".git" / "index").read_bytes()
    assert provenance.commit() == head
    assert (tmp_path / ".git" / "index").read_bytes() == before
    source.write_text("two\n")
    assert provenance.commit() == f"{head}+changes"
