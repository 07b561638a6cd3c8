"""Run folders of others: nothing outside of them is read, written or removed, and nothing is imported unasked."""

import json
import sys

import pytest

from scml_gym.core.errors import InputError
from scml_gym.core.trust import trust
from scml_gym.experiments.checkpoints import playable
from scml_gym.experiments.run_folder import Run
from scml_gym.policies.run_folders import load_agent

CONFIG = {"seed": 1, "agent": {"name": "ppo"}, "env": {"id": "scml_gym/OneShotConcurrent-v0"}}
CONFIG |= {"checkpoint_minutes": 1.0, "threads": 1}


@pytest.fixture
def run(tmp_path, monkeypatch):
    made = Run.create(tmp_path / "run", CONFIG, "train")
    made.checkpoint(10, lambda folder: (folder / "a").write_text("1"))
    monkeypatch.setenv("SCML_GYM_TRUST", "")  # as in another process
    return made


def changed(run, **changes):
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps(info | changes))


def refused(call, *said):
    with pytest.raises(InputError) as error:
        call()
    assert "\n" not in str(error.value)
    for text in said:
        assert text in str(error.value)


@pytest.mark.parametrize(
    "name",
    ["..", "../elsewhere", "/etc", "checkpoints/../../elsewhere", "checkpoints", "checkpoints/", "best/000000000010", 3]
    + [[], {}, "", "checkpoints/.partial", "checkpoints/000000000010/../../..", True],
)
def test_a_checkpoint_out_of_its_place_is_refused(run, name):
    changed(run, checkpoint=name)
    refused(lambda: Run.open(run.path), "is no checkpoint; valid: checkpoints/STEP")
    changed(run, checkpoint="checkpoints/000000000010", best={"checkpoint": name, "step": 1, "value": 0.0})
    if name != "best/000000000010":
        refused(lambda: Run.open(run.path), "is no checkpoint; valid: best/STEP")


@pytest.mark.parametrize(
    "changes",
    [{"agent": 3}, {"agent": None}, {"agent_name": []}, {"env": "x"}, {"step": "x"}, {"step": None}, {"best": 5}],
)
def test_wrong_types_are_told(run, changes):
    changed(run, **changes)
    refused(lambda: Run.open(run.path), f"{next(iter(changes))} is ")


@pytest.mark.parametrize("content", ["3", "null", "[]", '"x"', "{" * 100_000, '{"a":' * 5000, "", "\x00", "{}"])
def test_what_is_no_mapping_is_told(run, content):
    (run.path / "run.json").write_text(content)
    refused(lambda: Run.open(run.path))
    (run.path / "config.yaml").write_text(content)
    refused(lambda: Run.open(run.path))


def test_links_out_of_the_folder_are_neither_followed_nor_written_through(run, tmp_path):
    precious = tmp_path / "precious"
    (precious / "000000000005").mkdir(parents=True)
    (precious / "000000000005" / "letter").write_text("dear")
    (precious / "curve.csv").write_text("step,a\n1,2\n20,3\n")

    (run.path / "checkpoints").rename(tmp_path / "former")
    (run.path / "checkpoints").symlink_to(precious)
    refused(lambda: Run.open(run.path), "is a link to another place")
    (run.path / "checkpoints").unlink()
    (tmp_path / "former").rename(run.path / "checkpoints")

    for name in ("learning_curve.csv", "tb", "self_play", "checkpoints/.partial", "from", "seed.log"):
        (run.path / name).symlink_to(precious / "curve.csv")
        refused(lambda: Run.open(run.path).resumed("again"), f"{run.path / name} is a link that leads out of")
        (run.path / name).unlink()
    Run.open(run.path).resumed("again")
    assert (precious / "curve.csv").read_text() == "step,a\n1,2\n20,3\n"
    assert (precious / "000000000005" / "letter").read_text() == "dear"


def test_a_lock_that_is_a_link_empties_no_file(run, tmp_path):
    run._lock.close()  # of this process
    (run.path / ".lock").unlink()
    (tmp_path / "letter").write_text("dear")
    (run.path / ".lock").symlink_to(tmp_path / "letter")
    refused(lambda: Run.open(run.path).resumed("again"), ".lock")
    assert (tmp_path / "letter").read_text() == "dear"


def test_what_a_training_did_not_make_stays(run):
    mine = [run.path / ".notes.2024", run.path / "checkpoints" / "mine", run.path / "best" / "mine"]
    for folder in mine[1:]:
        folder.mkdir(parents=True)
    mine[0].write_text("x")
    (run.path / ".run.json.123.unfinished").write_text("{")  # of a kill
    again = Run.open(run.path)
    again.resumed("again")
    for step in (20, 30, 40):
        again.checkpoint(step, lambda folder: None)
        again.keep_best(step, 1.0, lambda folder: None)
    assert all(path.exists() for path in mine)
    assert not (run.path / ".run.json.123.unfinished").exists()
    names = {path.name for path in (run.path / "checkpoints").iterdir()}
    assert names == {"mine", "000000000030", "000000000040"}


@pytest.mark.parametrize(
    "place", ["agent", "agent.name", "agent.features", "env.wrappers", "env.opponents", "env.id", "agent.json"]
)
def test_a_module_in_a_run_folder_is_imported_from_a_trusted_folder_alone(run, place, tmp_path, monkeypatch):
    (run.path / "evil.py").write_text("import pathlib\npathlib.Path('OWNED').touch()\nclass Learner: pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(run.path))
    name = "evil:Learner"
    if place == "agent":
        changed(run, agent=name)
    elif place == "agent.json":
        (run.latest_checkpoint() / "agent.json").write_text(json.dumps({"algorithm": "a:b", "env": {"reward": name}}))
    else:
        section, key = place.split(".")
        config = CONFIG | {section: CONFIG[section] | {key: [name] if key in ("wrappers", "opponents") else name}}
        (run.path / "config.yaml").write_text(json.dumps(config))
    refused(lambda: load_agent(run.path), name, f"add --trust {run.path}")
    assert not (tmp_path / "OWNED").exists() and "evil" not in sys.modules
    trust(run.path)
    assert playable(run.path)[0].path == run.path
    if place == "agent":
        refused(lambda: load_agent(run.path), "is no learner")  # it was imported now
        assert (tmp_path / "OWNED").exists()
    sys.modules.pop("evil", None)
