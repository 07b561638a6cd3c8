"""What the documentation says is so: commands and snippets run, pages made from the code are not stale."""

import importlib.util
import re
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

import scml_gym
from scml_gym.agents import AGENTS
from scml_gym.evaluation.table import COLUMNS
from scml_gym.oneshot.rewards.factory import REWARDS
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.view import PARTNER_DTYPE, VIEW_DTYPE
from tests.helpers.negotiations import SMALL_AGENT
from tests.helpers.pages import PAGES, ROOT, blocks, chains, steps
from tests.helpers.scripts import in_forked_process

MADE = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs" / "environments").glob("*.md"))

NOT_RUN = {"make demo", "make test", "make test-fast", "make league", "make setup", "pip install"}
"""Commands that install, or run all tests."""

SMALLER = {
    "-m scml_gym.oneshot.worlds.pool": "--worlds 4 --days 3",
    "train.py": "--set agent.total_steps=32 --set agent.n_envs=1 --set agent.n_steps=16 --set agent.batch_size=16 "
    "--set env.days=3 --set env.factories_per_level=4",
    "train.py planner": "--set agent.total_steps=32 --set agent.n_envs=1 --set agent.n_steps=16 "
    "--set agent.batch_size=16 --set agent.log_steps=1 --set env.days=3 --set env.factories_per_level=4",
    "train.py dcl": "--set agent.updates=4 --set agent.batch=16",
    "train.py examples/own_learner.yaml": "--set agent.episodes=10 --set env.days=3",
    "train.py clone": "--set agent.worlds=2 --set agent.days=3",
    "train.py dnb_accept": "--set agent.data.worlds=6 --set agent.data.days=4 --set agent.data.held_out=[] "
    "--set agent.models.transformer.epochs=1 --set agent.models.transformer.width=8 "
    "--set agent.models.transformer.feedforward=12 --set agent.models.transformer.events=5",
    "train.py --resume": "",
    "benchmarks/new_worlds.py": "--turns 1 --seed 2",
    "benchmarks/dnb_search.py": "--trials 2 --worlds 2 --days 3",
    "train.py --help": "",
    "train.py independent_ppo": "--set agent.updates=4 --set agent.batch=16",
    "train.py independent_ppo --seeds": "--seeds 0-1 --set agent.updates=4 --set agent.batch=16",
    "train.py mappo": "--set agent.total_steps=240 --set agent.n_worlds=4 --set agent.n_steps=10 "
    "--set agent.batch_size=20",
    "train.py moca --seeds": "--seeds 0-1 --set agent.updates=4 --set agent.batch=16",
    "train.py --from": "--set agent.updates=4",
    "evaluate.py plot": "",
    "evaluate.py export": "",
    "evaluate.py doctor": "",
    "evaluate.py dataset": "--episodes 4 --set days=3",
    "evaluate.py tune": "--trials 2 --set agent.total_steps=96 --set agent.n_envs=1 --set env.days=3 "
    "--set env.factories_per_level=4 --set 'tune.space={agent.learning_rate: {low: 1e-4, high: 1e-3}}' "
    "--set agent.n_steps=16 --set agent.batch_size=16 --set agent.log_steps=1",
    "train.py behaviour_cloning": "--set agent.epochs=1",
    "train.py decision_transformer": "--set agent.epochs=1",
    "train.py executor": "--set agent.epochs=1 --set agent.record.real_worlds=0 --set agent.record.compiled_worlds=2 "
    "--set agent.record.days=4",
    "train.py standard_manager_imitation": "--set agent.epochs=1",
    "train.py standard_manager": "--set agent.total_steps=32 --set agent.n_envs=1 --set agent.n_steps=16 "
    "--set agent.batch_size=16 --set agent.log_steps=1 --set env.days=5",
    "train.py hrl_xf": shlex.join(word for option in SMALL_AGENT for word in ("--set", option)),
    "train.py runs/tune-planner": "--set agent.total_steps=32",
    "examples/": "",
    "my_policy.py": "2",
    "train.py acceptance": "--set agent.total_steps=200",
    "evaluate.py": "--worlds 1 --days 3 --workers 1",
    "evaluate.py analyze": "--report analyzed.html",
    "benchmarks/recorded_worlds.py": "--worlds 1",
    "benchmarks/recorded_worlds.py cost": "--worlds 1 --days 8",
    "evaluate.py --game standard": "--worlds 1 --days 5 --factories 1 --workers 1",
    "evaluate.py study": "--workers 1 --set trainings=4 --set negotiations=2 --set dqn.total_steps=120 "
    "--set rewards.accept=[a] --set rewards.offer=[a] --set train.rounds=10 --set test.rounds=10",
    "evaluate.py study benchmarks/": "--workers 1 --set runs=[Bab-0] "
    "--set 'options=[trainings=4, negotiations=2, dqn.total_steps=120]'",
    "evaluate.py study configs/study/commitment.yaml": "--set seeds=2 --set share=0.002",
    "evaluate.py study penguin_safety": "--workers 1 --set days=5 --set factories=2 --set parts.rules.worlds=1 "
    "--set parts.together=null --set parts.seats=null --set parts.forerunners=null "
    "--set parts.rules.competitors.hs-possible=null",
}
"""Options added to a command when it is tested, by how it starts; the longest start counts."""


def load_script(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def build():
    return load_script("docs/build.py")


def as_tested(command):
    """A command of a page as it is run here; None where it is not."""
    words = shlex.split(command, comments=True)
    if " ".join(words[:2]) in NOT_RUN:
        return None
    assert words[0] == ".venv/bin/python", f"{command!r}: written for another Python, and not among {sorted(NOT_RUN)}"
    start = max((s for s in SMALLER if " ".join(words[1:]).startswith(s)), key=len)
    return [sys.executable, *words[1:], *shlex.split(SMALLER[start])]


@contextmanager
def registries_kept():
    """What is registered inside is gone afterwards."""
    before = {registry: dict(registry._entries) for registry in (AGENTS, REWARDS, STRATEGIES)}
    try:
        yield
    finally:
        for registry, entries in before.items():
            registry._entries = entries


def run_command(command, folder):
    done = in_forked_process(folder, command)
    told = f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, told
    assert "Traceback" not in done.stderr, told


def run(steps, folder):
    """Take steps in their order: commands as processes, Python in one namespace."""
    names = {"__name__": "page"}
    with registries_kept():
        for step in steps:
            if step.language == "python":
                exec(compile(step.text, f"{step.page}, Python", "exec"), names)
            elif step.language != "bash":
                (folder / step.language).write_text(step.text, encoding="utf-8")
            elif (command := as_tested(step.text)) is not None:
                run_command(command, folder)


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder like a fresh clone, in which a reader is."""
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and path.name not in ("runs", "demo"):
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # where a page's files are written
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))
    return tmp_path


def told(step):
    """Of a command without its comment, so that the same one is known again."""
    return shlex.join(shlex.split(step.text, comments=True)) if step.language == "bash" else step.text


CHAINS = {
    tuple(told(step) for step in chain.steps): chain
    for page in PAGES
    for chain in chains(page)
    if any(step.language != "bash" or as_tested(step.text) is not None for step in chain.steps)
}.values()
"""Once each, where pages tell the same."""


@pytest.mark.docs
@pytest.mark.parametrize("chain", CHAINS, ids=str)
def test_commands_and_snippets_run(chain, clone):
    run([*chain.before, *chain.steps], clone)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_yaml_is_a_mapping(page):
    for language, text in blocks(page):
        if language == "yaml":
            assert isinstance(yaml.safe_load(text), dict)


def test_steps_that_need_one_another_are_taken_together():
    """The README trains, resumes, evaluates and reads the result; a page goes on from the README's training."""
    words = {str(chain): [step.text.split()[1] for step in chain.steps] for chain in chains("README.md")}
    taken = words["README.md: train.py maskable_ppo --seed"]
    assert taken == ["train.py", "train.py", "evaluate.py", "examples/read_results.py"]
    (deploys,) = [c for c in chains("docs/evaluation.md") if any('deploy("runs/ppo")' in s.text for s in c.steps)]
    assert [str(step) for step in deploys.before] == ["README.md: train.py maskable_ppo --seed"]
    assert sum(len(chain.steps) for page in PAGES for chain in chains(page)) == sum(len(steps(page)) for page in PAGES)


@pytest.mark.parametrize(
    "name",
    [
        "OneShotConcurrentEnv",
        "OneShotBilateralEnv",
        "BilateralAcceptanceEnv",
        "BilateralEnv",
        "OneShotFactoriesEnv",
        "OneShotNegotiationsEnv",
        "StandardConcurrentEnv",
        "StandardDailyEnv",
        "StandardFactoriesEnv",
        "StandardNegotiationsEnv",
    ],
)
def test_example_of_the_docstring_runs(name, build):
    cls = next(c for c in build.environments().values() if c.__name__ == name)
    (example,) = re.findall(r"```python\n(.*?)```", build.docstring(cls), flags=re.S)
    exec(compile(example, name, "exec"), {"__name__": "example"})


def test_every_environment_has_its_example_run(build):
    (mark,) = test_example_of_the_docstring_runs.pytestmark
    assert {c.__name__ for c in build.environments().values()} == set(mark.args[1])


def test_pages_made_from_the_code_are_not_stale(build):
    assert build.stale() == [], "run python docs/build.py"


def test_the_columns_and_environments_are_in_their_pages(build):
    evaluation = (ROOT / "docs/evaluation.md").read_text()
    readme = (ROOT / "README.md").read_text()
    assert all(f"| `{column}` | {meaning} |" in evaluation for column, meaning in COLUMNS.items())
    assert all(name in readme for name in build.environments())
    assert len(MADE) == len(build.environments())


def test_every_field_of_a_view_is_explained():
    page = (ROOT / "docs" / "strategies.md").read_text()
    assert [name for name in (*VIEW_DTYPE.names, *PARTNER_DTYPE.names) if f"`{name}`" not in page] == []


def test_every_learner_and_experiment_is_in_the_readme():
    text = (ROOT / "README.md").read_text().partition("## Learners")[2]
    rows = {name: cells.partition("|")[0] for name, cells in re.findall(r"^\| `([\w-]+)` \|(.*)$", text, flags=re.M)}
    assert set(rows) == set(AGENTS)
    named = set(re.findall(r"`(\w+)`", "".join(rows.values())))
    assert named == {path.stem for path in (ROOT / "configs" / "experiment").glob("*.yaml")}


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == scml_gym.__version__
    assert f"\n## {scml_gym.__version__} " in (ROOT / "CHANGELOG.md").read_text()
    assert f'\nversion = "{scml_gym.__version__}"\n' in (ROOT / "pyproject.toml").read_text()


def test_commands_that_are_not_run_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert {command.split()[1] for command in NOT_RUN if command.startswith("make ")} <= targets
    written = {
        " ".join(shlex.split(line, comments=True)[:2])
        for p in PAGES
        for k, t in blocks(p)
        if k == "bash"
        for line in t.splitlines()
    }
    assert written >= NOT_RUN


def test_links_lead_somewhere():
    for page in [*PAGES, *MADE]:
        text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target:
                assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
