"""``evaluate.py study``: runs that are kept, folders that are never overwritten, one-line errors."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

from scml_gym.agents import STUDIES
from scml_gym.bilateral.scenarios import SCENARIOS
from scml_gym.commands import program
from scml_gym.core.config import CONFIGS
from scml_gym.core.errors import InputError
from scml_gym.evaluation.studies.files import digest
from scml_gym.evaluation.studies.folder import StudyFolder
from scml_gym.evaluation.studies.study import load_study, run_study
from tests.helpers.scripts import ROOT, in_new_interpreter
from tests.helpers.tiny_study import TinyStudy

TINY = """\
name: tests.helpers.tiny_study:TinyStudy
seed: 3
games: 5
rounds: 10
noise: {none: 0.0, little: 0.1, much: 0.5}
"""

SMALL = [
    "trainings=4",
    "negotiations=2",
    "train.rounds=10",
    "test.rounds=10",
    "dqn.total_steps=104",
    "dqn.net_arch=[8]",
    "rewards={accept: [a], offer: [a], failure_penalty: [0.0]}",
]
"""Of the study of acceptance."""


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    return tmp_path / "tiny.yaml"


def contents(folder):
    made = ("study.md", "starts.json", "cost.json")
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.*") if p.is_file() and p.name not in made}


@pytest.mark.parametrize("made", [(), ("runs",), ("runs", ".lock"), ("runs", ".study.yaml.99999999.unfinished")])
def test_a_folder_that_was_made_just_before_a_kill_is_taken_up(tmp_path, made):
    for name in made:
        (tmp_path / name).mkdir() if name == "runs" else (tmp_path / name).write_text("")
    with StudyFolder(tmp_path).opened({"name": "x"}) as results:
        assert not results.has("one")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "runs", "study.yaml"]


def test_a_table_in_which_no_run_has_a_row_is_empty(tmp_path):
    with StudyFolder(tmp_path).opened({"name": "x"}) as results:
        for run in ("a", "b"):
            results.save(run, {"faults": [], "games": [{"payoff": 1.0}]}, 0.5)
        tables = results.merge(["a", "b"])
    assert tables["faults"].columns.tolist() == ["run"] and tables["faults"].empty
    assert tables["games"].values.tolist() == [["a", 1.0], ["b", 1.0]]
    assert (tmp_path / "faults.csv").read_text() == "run\n"


@pytest.mark.slow
def test_the_command_computes_resumes_and_repeats(command_line, tiny, tmp_path):
    done = command_line("evaluate.py", "study", "tiny.yaml", "--workers", 1)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "study-tiny"
    page = (folder / "study.md").read_text()
    assert "- noise-little: " in page
    assert "study tiny.yaml --workers 1" in page
    lines = (folder / "games.csv").read_text().splitlines()
    assert lines[0] == "run,noise,game,payoff"
    assert [line.partition(",")[0] for line in lines[1:]] == ["noise-none"] * 5 + ["noise-little"] * 5 + [
        "noise-much"
    ] * 5
    before = {p: p.stat().st_mtime_ns for p in (folder / "runs").iterdir()}
    again = command_line("evaluate.py", "study", "tiny.yaml", "--workers", 1)
    assert again.returncode == 0, again.stderr
    assert {p: p.stat().st_mtime_ns for p in (folder / "runs").iterdir()} == before
    assert len(json.loads((folder / "starts.json").read_text())) == 1


HASHES = """\
class Hashes:
    @classmethod
    def build(cls, config):
        return cls()

    def runs(self):
        return {"one": 1}

    def compute(self, run, advance):
        return {"hashes": [{"hash": str(hash("a name"))}]}

    def report(self, tables, origin):
        return {"study.md": origin}
"""


@pytest.mark.slow
def test_a_study_repeats_where_a_player_iterates_over_names(tmp_path, monkeypatch):
    """The hash seed is fixed in the process that computes, where the user has not fixed it."""
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    (tmp_path / "own_study.py").write_text(HASHES)
    (tmp_path / "own.yaml").write_text("name: own_study:Hashes\n")
    tables = []
    for name in "ab":
        command = [sys.executable, ROOT / "evaluate.py", "study", "own.yaml", "--workers", "1", "--out", name]
        done = in_new_interpreter(tmp_path, command, {})
        assert done.returncode == 0, done.stderr
        tables.append((tmp_path / name / "hashes.csv").read_bytes())
    assert tables[0] == tables[1]


@pytest.mark.parametrize(("words", "fixed"), [(["study", "x"], 1), (["tune"], 1), (["analyze"], 0), ([], 0)])
def test_the_hash_seed_is_fixed_for_what_plays_or_trains(monkeypatch, words, fixed):
    calls = []
    for name in ("fix_hash_seed", "collect_rarely"):
        monkeypatch.setattr(program, name, lambda name=name: calls.append(name))
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *words])
    program.begin_process()
    assert calls.count("fix_hash_seed") == fixed


@pytest.mark.slow
def test_a_killed_study_goes_on(command_line, tiny, tmp_path):
    options = ("study", "tiny.yaml", "--workers", 2, "--set", "kill_at=noise-much")
    killed = command_line("evaluate.py", *options)
    assert killed.returncode == 2
    assert killed.stderr.splitlines()[-1].startswith("error: a worker process was killed")
    folder = tmp_path / "runs" / "study-tiny"
    assert not (folder / "games.csv").exists()
    kept = contents(folder / "runs")
    done = command_line("evaluate.py", *options)
    assert done.returncode == 0, done.stderr
    assert kept.items() <= contents(folder / "runs").items()
    assert len(json.loads((folder / "starts.json").read_text())) == 2
    study, config = load_study(STUDIES, tiny)
    run_study(study, config, tmp_path / "whole")
    assert (tmp_path / "whole" / "games.csv").read_bytes() == (folder / "games.csv").read_bytes()


def test_a_study_without_worlds_cannot_be_recorded(command_line, tiny, tmp_path):
    done = command_line("evaluate.py", "study", "tiny.yaml", "--record-every", 2)
    assert (done.returncode, done.stderr) == (2, "error: record: TinyStudy plays no worlds that can be recorded\n")
    assert not (tmp_path / "runs" / "study-tiny").exists()


def test_another_config_never_overwrite(command_line, tiny, tmp_path):
    study, config = load_study(STUDIES, tiny)
    run_study(study, config, tmp_path / "x")
    before = contents(tmp_path / "x")
    done = command_line("evaluate.py", "study", "tiny.yaml", "--out", "x", "--set", "noise.little=0.2")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line == (
        "error: x holds the results of another config (noise.little is 0.1 there, 0.2 here); give another --out"
    )
    assert contents(tmp_path / "x") == before
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "mine").touch()
    with pytest.raises(InputError, match="nothing is overwritten"):
        run_study(study, config, tmp_path / "y")
    assert [p.name for p in (tmp_path / "y").iterdir()] == ["mine"]


@pytest.mark.slow
def test_an_edited_file_and_another_folder(tmp_path, monkeypatch):
    (tmp_path / "lunch").mkdir()
    scenario = tmp_path / "lunch" / "party.yaml"
    text = Path(SCENARIOS.get("Party")).read_text()
    scenario.write_text(text)
    options = ["test.scenario=lunch/party.yaml", *SMALL]
    monkeypatch.chdir(tmp_path)
    study, config = load_study(STUDIES, "dqn_acceptance", options)
    assert config["test"]["scenario"] == str(scenario)
    assert set(config["files_sha256"]) == {"test.scenario"}
    run_study(study, config, tmp_path / "x")
    (tmp_path / "x" / "runs" / "rules.json").unlink()

    monkeypatch.chdir(tmp_path / "lunch")
    again = load_study(STUDIES, "../x/study.yaml")[1]
    assert again == config
    run_study(load_study(STUDIES, "../x/study.yaml")[0], again, Path("../x"))

    scenario.write_text(text + "# edited\n")
    before = contents(tmp_path / "x")
    study, config = load_study(STUDIES, "../x/study.yaml")
    with pytest.raises(InputError, match=r"party.yaml \(test.scenario\) is not what it was for the results in"):
        run_study(study, config, tmp_path / "x")
    assert contents(tmp_path / "x") == before
    scenario.write_text(text)
    with pytest.raises(InputError, match=r"party\.yaml was changed while the study ran"):
        run_study(study, config, tmp_path / "y")
    assert list((tmp_path / "y" / "runs").iterdir()) == []


def test_digests_are_of_names_and_contents(tmp_path):
    (tmp_path / "a").write_text("1")
    one = digest(tmp_path)
    assert digest(tmp_path) == one
    (tmp_path / "a").rename(tmp_path / "b")
    assert digest(tmp_path) != one
    assert digest(tmp_path / "b") == hashlib.sha256(b"1").hexdigest()


@pytest.mark.parametrize("text", ["{", "[1]", '[{"command": "x"}]', "3"])
def test_a_damaged_record_is_one_line(tiny, tmp_path, text):
    study, config = load_study(STUDIES, tiny)
    run_study(study, config, tmp_path / "x")
    (tmp_path / "x" / "starts.json").write_text(text)
    for missing in (False, True):
        if missing:
            (tmp_path / "x" / "runs" / "noise-none.json").unlink()
        with pytest.raises(InputError, match=r"starts.json is not readable \(.*\); remove it") as refused:
            run_study(study, config, tmp_path / "x")
        assert "\n" not in str(refused.value)
    (tmp_path / "x" / "starts.json").unlink()
    run_study(study, config, tmp_path / "x")


def test_no_workers_are_refused(command_line, tiny, tmp_path):
    done = command_line("evaluate.py", "study", "tiny.yaml", "--workers", 0)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["error: workers: 0 is not valid; valid: 1 or more"]
    assert not (tmp_path / "runs").exists()


def test_a_base_and_an_option_replace_alike_and_null_removes(tiny, tmp_path):
    (tmp_path / "a.yaml").write_text(f"base: {tiny}\nnoise: {{little: null, more: 0.4}}\ngames: 2\n")
    noise = load_study(STUDIES, tiny)[1]["noise"]
    by_file = load_study(STUDIES, tmp_path / "a.yaml")[1]
    by_options = load_study(STUDIES, tiny, ["noise={little: null, more: 0.4}", "games=2"])[1]
    one_by_one = load_study(STUDIES, tiny, ["noise.little=null", "noise.more=0.4", "games=2"])[1]
    assert by_file == by_options == one_by_one
    assert by_file["noise"] == {name: v for name, v in noise.items() if name != "little"} | {"more": 0.4}
    with pytest.raises(InputError, match=r"games: missing"):
        load_study(STUDIES, tiny, ["games=null"])
    with pytest.raises(InputError, match=r"--set games.x=1: 'games' is"):
        load_study(STUDIES, tiny, ["games.x=1"])


def test_a_file_can_be_based_on_another(tiny, tmp_path):
    (tmp_path / "other.yaml").write_text(f"base: {tiny}\nnoise: {{little: 0.2}}\n")
    study, config = load_study(STUDIES, tmp_path / "other.yaml", ["games=2"])
    assert isinstance(study, TinyStudy)
    assert config["noise"] == {"none": 0.0, "little": 0.2, "much": 0.5}
    assert study.runs()["noise-little"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1", "name: missing"),
        ("name: dqn-aceptance", "name: unknown study 'dqn-aceptance'"),
        (TINY + "gmes: 1\n", "gmes: unknown key; did you mean 'games'?"),
        (TINY.replace("games: 5", "games: 0"), "games: 0 is not valid"),
        ("base: nowhere", "there is no study file 'nowhere'"),
        ("base: {path}", "is based on itself"),
    ],
)
def test_bad_input_is_one_line(tmp_path, text, message):
    path = tmp_path / "wrong.yaml"
    path.write_text(text.replace("{path}", str(path)))
    with pytest.raises(InputError) as refused:
        load_study(STUDIES, path)
    assert message in str(refused.value)
    assert "wrong.yaml" in str(refused.value) or "nowhere" in str(refused.value)


def test_every_study_and_file_is_sound():
    for path in [
        *(CONFIGS / "study").glob("*.yaml"),
        *(Path(__file__).resolve().parents[2] / "benchmarks").glob("*.yaml"),
    ]:
        study, _ = load_study(STUDIES, path)
        assert study.runs()
    for name in STUDIES:
        STUDIES.get(name)
