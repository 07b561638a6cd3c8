"""What D-NB refuses, each in one line: hyperparameters, datasets, folders of runs that were changed by hand."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from scml_gym.agents.dnb.generation import check_source
from scml_gym.agents.dnb.learner import DNB
from scml_gym.agents.dnb.models import MODELS, WEIGHTS, AcceptanceModel
from scml_gym.agents.training import build, resume, start
from scml_gym.core.config import load_experiment
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.policies.run_folders import deploy

pytestmark = pytest.mark.slow

TINY = [
    "agent.data.worlds=4",
    "agent.data.days=3",
    "agent.data.factories_per_level=3",
    "agent.data.worlds_per_shard=2",
    "agent.data.held_out=[]",
    "agent.data.test_worlds=0",
    "agent.validation=0.3",
    "agent.models.logistic.iterations=10",
]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return start("dnb_accept_logistic", TINY, out=tmp_path_factory.mktemp("runs") / "dnb").path


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


def checkpoint(folder):
    return Run.open(folder).latest_checkpoint()


def one_line(error, *texts):
    assert "\n" not in str(error.value)
    assert all(text in str(error.value) for text in texts), str(error.value)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("agent.data.opponents.gredy=1", "agent.data.opponents: unknown strategy 'gredy'; did you mean 'greedy'"),
        ('agent.data.opponents={"greedy?own_needz=1": 1}', "did you mean 'own_needs'"),
        ("agent.data.opponents={scml:GreedyOneShotAgent: 1}", "plays in the real simulation only: use source: real"),
        ("agent.data.opponents={greedy: .inf}", "agent.data.opponents.greedy: inf is not valid"),
        ("agent.data.held_out=[nobody]", "agent.data.held_out: 'nobody' is not among the opponents"),
        ("agent.data.days=[9, 3]", "agent.data.days: [9, 3] is not valid: give a number or a pair"),
        ("agent.data.days=[3]", "within 1 to 10000"),
        ("agent.data.days=0", "agent.data.days: 0 is not valid"),
        ("agent.data.factories_per_level=many", "agent.data.factories_per_level: 'many' is not valid"),
        ("agent.data.factories_per_level=[2, 20]", "within 1 to 8"),
        ("agent.data.logs=[somewhere]", "agent.data.logs: ['somewhere']; folders are needed with source: logs"),
        (
            "agent.model=base_rate",
            "agent.model: 'base_rate' has no hyperparameters in models; did you mean 'base-rate'",
        ),
        ("agent.references=[forest]", "agent.references: 'forest' has no hyperparameters in models"),
        ("agent.models.forest.trees=3", "agent.models.forest: unknown acceptance model 'forest'"),
        ("agent.models.json:loads={}", "'json:loads' is no acceptance model"),
        ("agent.models.logistic.penalty=.inf", "agent.models.logistic.penalty: inf is not valid"),
        ("agent.strength=.inf", "agent.strength: inf is not valid"),
        ("env.id=scml_gym/Bilateral-v0", "valid: scml_gym/OneShotConcurrent-v0"),
    ],
)
def test_settings_are_refused_before_anything_is_written(option, told, tmp_path):
    with pytest.raises(InputError) as error:
        start("dnb_accept_logistic", ["agent.data.held_out=[]", option], out=tmp_path / "run")
    one_line(error, told, f"--set {option}")
    assert not (tmp_path / "run").exists()


def test_logs_are_looked_for_before_anything_is_written(tmp_path):
    options = ["agent.data.source=logs", "agent.data.held_out=[]", f"agent.data.logs=[{tmp_path}]"]
    with pytest.raises(InputError) as error:
        build(load_experiment("dnb_accept_logistic", options))
    one_line(error, f"--set {options[-1]}: agent.data.logs: {tmp_path} holds no logs")


def test_only_what_the_source_needs_is_looked_for(original):
    hyperparameters = DNB.load(checkpoint(original)).hyperparameters.data
    check_source(hyperparameters.model_copy(update={"source": "logs", "opponents": {"gredy": 1.0}}))


def base_rate(folder):
    kind = MODELS.get("base-rate")
    AcceptanceModel.pack("base-rate", kind.hyperparameters(mean=0.3), {"mean": np.array([0.3])}, 8.0).save(
        checkpoint(folder)
    )


def change(name, *path, value):
    """Change one value in a JSON file of the checkpoint."""

    def harm(folder):
        file = checkpoint(folder) / name
        content = json.loads(file.read_text())
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        file.write_text(json.dumps(content))

    return harm


def single_precision(folder):
    from safetensors.numpy import load, save

    file = checkpoint(folder) / WEIGHTS
    file.write_bytes(save({key: value.astype(np.float32) for key, value in load(file.read_bytes()).items()}))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (base_rate, "holds a model 'base-rate' (mean=0.3), but by dnb.json it is 'logistic'"),
        (change("dnb.json", "settings", "model", value="base-rate"), "but by dnb.json it is 'base-rate'"),
        (change("acceptance.json", "settings", "penalty", value=3.0), "holds a model 'logistic' (penalty=3.0"),
        (change("acceptance.json", "settings", value=[]), "settings: [] is not a mapping"),
        (change("acceptance.json", "model", value="json:loads"), "it names 'json:loads', which would be imported"),
        (change("acceptance.json", "strength", value=1.0), "strength 1.0; valid: at least 2"),
        (change("dnb.json", "settings", value=None), "None is not a mapping"),
        (single_precision, "weights is float32; valid: float64"),
    ],
)
def test_a_model_that_is_not_the_one_of_its_run_does_not_play(harm, told, folder):
    harm(folder)
    with pytest.raises(InputError) as error:
        deploy(folder)
    one_line(error, str(folder), told)


def configure(folder, *path, value):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    inner = config["agent"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


@pytest.mark.parametrize(
    "changed",
    [("model", "base-rate"), ("data", "test_worlds", 0.5), ("models", "logistic", "penalty", 1.0), ("strength", 3.0)],
)
def test_a_run_does_not_go_on_with_a_model_of_other_settings(changed, folder):
    report = (folder / "report.md").read_bytes()
    configure(folder, *changed[:-1], value=changed[-1])
    with pytest.raises(InputError) as error:
        resume(folder)
    one_line(error, "config.yaml", f"agent.{changed[0]} is not what")
    assert (folder / "report.md").read_bytes() == report


def test_other_rules_need_no_other_fit(folder):
    weights = (checkpoint(folder) / WEIGHTS).read_bytes()
    configure(folder, "rules", "seller", "risk", value=0.75)
    resume(folder)
    assert DNB.load(checkpoint(folder)).policy_file().rules.seller.risk == 0.75
    assert (checkpoint(folder) / WEIGHTS).read_bytes() == weights


def test_a_run_with_nothing_to_judge_by_says_so(original):
    assert "No offers to judge by" in (original / "report.md").read_text()


def column(name, value):
    """Replace the first value of a column of the dataset's second shard."""

    def harm(path):
        table = pq.read_table(path)
        place, values = table.schema.get_field_index(name), table.column(name).to_pylist()
        values[0] = value
        array = pa.array(values, table.schema.field(name).type)
        pq.write_table(table.set_column(place, table.schema.field(name), array), path)

    return harm


def about(path):
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"about": b"{"}), path)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (column("needs", None), "columns lack values: needs"),
        (column("responses_accepted", None), "columns lack values: responses_accepted"),
        (column("n_responses", 10**6), "column n_responses has values outside 0 to 32"),
        (column("level", -1), "column level has values outside 0 to 1"),
        (about, "cannot be read"),
    ],
)
def test_a_damaged_dataset_is_not_learnt_from(harm, told, folder):
    path = folder / "dataset" / "shard-00001.parquet"
    harm(path)
    with pytest.raises(InputError) as error:
        resume(folder)
    one_line(error, str(path), told)


def test_what_a_kill_left_in_the_dataset_is_removed(folder):
    whole = (folder / "dataset" / "shard-00001.parquet").read_bytes()
    (folder / "dataset" / "shard-00001.parquet").unlink()
    (folder / "dataset" / ".shard-00001.parquet.123.unfinished").write_text("half")
    resume(folder)
    assert sorted(path.name for path in (folder / "dataset").iterdir()) == [f"shard-0000{i}.parquet" for i in range(2)]
    assert (folder / "dataset" / "shard-00001.parquet").read_bytes() == whole


def test_a_file_in_the_place_of_a_folder_is_one_line_of_the_command(folder, command_line):
    shutil.rmtree(folder / "dataset")
    (folder / "dataset").write_text("")
    done = command_line("train.py", "--resume", folder)
    assert done.returncode == 2 and done.stderr.endswith(f"error: {folder / 'dataset'}: File exists\n")
    assert "Traceback" not in done.stderr
