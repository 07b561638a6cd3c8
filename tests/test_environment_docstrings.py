"""Every environment is described under the headings that Gymnasium's own environments have."""

import importlib
import re

import pytest

from scml_gym.commitment.envs.commitment_v0 import CommitmentEnv
from scml_gym.commitment.envs.game_v0 import GameEnv
from scml_gym.core.registry import load_object
from scml_gym.registration import ENVIRONMENTS, PARALLEL_ENVIRONMENTS

HEADINGS = [
    "Description",
    "Action Space",
    "Observation Space",
    "Rewards",
    "Starting State",
    "Episode End",
    "Arguments",
    "Version History",
]
CLASSES = [load_object(entry.single) for entry in ENVIRONMENTS.values()]
CLASSES += [importlib.import_module(module).parallel_env for module in PARALLEL_ENVIRONMENTS.values()]
CLASSES += [GameEnv, CommitmentEnv]


def sections(cls):
    """Heading and text of each section of a docstring."""
    parts = re.split(r"^ *## (.+)\n", cls.__doc__, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_heading_is_there_once_in_gymnasiums_order_and_says_something(cls):
    found = [heading for heading in re.findall(r"^ *## (.+)$", cls.__doc__, flags=re.M) if heading in HEADINGS]
    assert found == HEADINGS
    assert all(sections(cls)[heading].strip() for heading in HEADINGS)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_version_history_names_the_version_of_the_id(cls):
    names = {entry.single.rpartition(":")[2]: name for name, entry in ENVIRONMENTS.items()}
    name = names.get(cls.__name__) or cls.metadata["name"]
    version = re.search(r"v\d+$", name)[0]
    assert re.search(rf"^ *{version}: ", sections(cls)["Version History"], flags=re.M), name
