"""What a tournament is, as typed configuration; `configs/tournament/` holds ready-made ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from scml_gym.core.arguments import real, whole, whole_range
from scml_gym.core.curves import FORMATS
from scml_gym.core.data_files import parse_yaml, read_text
from scml_gym.core.errors import RENAMED, InputError, nearest
from scml_gym.core.trust import require_trust_of_names
from scml_gym.evaluation.exceptions import ERRORS, STRICT
from scml_gym.evaluation.isolation.kinds import ISOLATION, TOGETHER
from scml_gym.game.definition import Competition, Setting
from scml_gym.games import DEFAULT_GAME, GAMES


def competition_of(game: str) -> Competition:
    """How competitors of a game are ranked.

    Raises:
        InputError: if there is no such game, or nobody competes in it.
    """
    found = GAMES.get(game).competition
    if found is None:
        valid = ", ".join(name for name in GAMES if GAMES.get(name).competition is not None)
        raise InputError(f"game={game!r}: nothing is ranked in this game; valid: {valid}")
    return found


def _ends(size: int | tuple[int, int]) -> tuple[int, int]:
    """Both ends of a size, which may be a range."""
    return size if isinstance(size, tuple) else (size, size)


def _size(value: Any, info: ValidationInfo) -> int | tuple[int, int]:
    """A whole number, or a range of them: ``"4-8"``, ``[4, 8]``."""
    name = str(info.field_name)
    if isinstance(value, str):
        parts = value.split("-")
        value = [int(part) for part in parts] if len(parts) > 1 and all(map(str.isdecimal, parts)) else value
    if not isinstance(value, list | tuple):
        value = whole(name, value, 1, MOST_DAYS)
    low, high = whole_range(name, value, 1, MOST_DAYS)
    return low if low == high else (low, high)


MOST_DAYS = 10_000
Size = Annotated[int | tuple[int, int], BeforeValidator(_size)]
"""How large worlds are: all of one size, or of one that is drawn from a range, both ends included."""


class TournamentConfig(BaseModel):
    """One tournament; the options of `evaluate.py` have the same names.

    Attributes:
        game: Name in `scml_gym.games.GAMES`.
        competitors: Names as `scml_gym.game.definition.Game.player_maker` takes them; one named twice competes twice.
        background: Who fills the positions that the competitors leave, in turn; by default the game's own choice.
            Scores depend on who else plays: compare runs with the same background opponents only.
        worlds: Configurations; each is played as often as it has levels, so that everyone plays on each of them.
        days: Simulated days of a world, at least 3 in OneShot (scml generates no shorter one); by default 30, in the
            Standard track 50. A range, ``[50, 200]`` or ``"50-200"``, is drawn from for each configuration.
        levels: How many levels worlds have, the first one the first number and so on in turn: in OneShot 2, in the
            Standard track 2 to 4, by default 2 and 3.
        stock: The stock rule of the Standard track, ``league`` by default or ``physical``; empty in other games.
        seed: Of everything that is drawn, at least 0.
        factories: On each level of a world of two levels, at most 8; more where the competitors need more positions.
            Worlds of more levels have as many factories in all, or the next larger number that their levels divide.
            None for the game's choice, in OneShot 5, one on one 6, in the Standard track 6. A range as with ``days``.
        one_on_one: Two competitors alone, equal numbers of both on each level, no background opponents.
        same_seat: Each competitor plays alone among background opponents: all of them in the same positions of the same
            worlds with the same others. It takes as many worlds as there are competitors.
        record: Of so many configurations one is recorded, the first one included; 1 for all, None for none.
        time_limit: Seconds that one world may take before it counts as hanging.
        errors: What exceptions of players cost, a name in `scml_gym.evaluation.exceptions.ERRORS`: ``"strict"``, the
            player's score of that configuration, or ``"league"``, the negotiation, as in scml's tournaments.
        isolate: How players are kept apart, a name in `scml_gym.evaluation.isolation.kinds.ISOLATION`: ``"none"``, all
            of a world in one process, whose result is checked; ``"agents"``, each in a process of its own. It changes
            no result of players that keep to the rules.
        format: Of the plots: png, svg or pdf.
        workers: Processes; None for one a core. It changes no result.
        out: The folder for the results, which must not exist or be empty; None for a new one in ``runs/``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    game: str = DEFAULT_GAME
    competitors: Annotated[tuple[str, ...], Field(min_length=1)]
    background: Annotated[tuple[str, ...], Field(min_length=1)] = ()
    worlds: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    days: Size = 30
    levels: Annotated[tuple[int, ...], Field(min_length=1)] = (2,)
    stock: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    factories: Size | None = None
    one_on_one: bool = False
    same_seat: bool = False
    record: Annotated[int, Field(ge=1)] | None = None
    time_limit: Annotated[float, Field(gt=0)] = 300.0
    errors: str = STRICT
    isolate: str = TOGETHER
    format: str = FORMATS[0]
    workers: Annotated[int, Field(ge=1, le=1024)] | None = None
    out: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _choices_of_the_game(cls, data: dict[str, Any]) -> dict[str, Any]:
        game = competition_of(data.get("game", DEFAULT_GAME))
        stock = game.stock_rules[0] if game.stock_rules else ""
        chosen = {"background": game.background, "days": game.days, "levels": game.levels, "stock": stock}
        return chosen | {name: value for name, value in data.items() if value is not None or name not in chosen}

    @field_validator("worlds", "seed", "record", "workers", mode="before")
    @classmethod
    def _whole(cls, number: Any, info: ValidationInfo) -> Any:
        return None if number is None else whole(str(info.field_name), number, least=None)

    @field_validator("levels", mode="before")
    @classmethod
    def _in_turn(cls, levels: Any) -> Any:
        if isinstance(levels, str):
            levels = levels.split(",")
        try:
            return tuple(int(str(n)) for n in (levels if isinstance(levels, list | tuple) else [levels]))
        except ValueError:
            raise ValueError("valid: whole numbers, such as 2,3") from None

    @field_validator("levels")
    @classmethod
    def _there(cls, levels: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        most = competition_of(info.data["game"]).most_levels
        wrong = [n for n in levels if not 2 <= n <= most]
        if wrong:
            valid = "2" if most == 2 else f"2 to {most}"
            raise ValueError(f"{wrong[0]}: a world of {info.data['game']} has {valid} levels")
        return levels

    @field_validator("stock")
    @classmethod
    def _a_rule(cls, stock: str, info: ValidationInfo) -> str:
        rules = competition_of(info.data["game"]).stock_rules
        if stock not in (rules or ("",)):
            valid = f"; valid: {', '.join(rules)}" if rules else f"; {info.data['game']} has no stock rules"
            raise ValueError(f"{stock!r}{valid}")
        return stock

    @field_validator("time_limit", mode="before")
    @classmethod
    def _number(cls, number: Any) -> Any:
        return real("time_limit", number)

    @field_validator("competitors", "background")
    @classmethod
    def _named(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name.strip() for name in names):
            raise ValueError("an empty name")
        return names

    @field_validator("days")
    @classmethod
    def _long_enough(cls, days: Size, info: ValidationInfo) -> Size:
        least = competition_of(info.data["game"]).least_days
        if _ends(days)[0] < least:
            raise ValueError(f"a world of {info.data['game']} has at least {least} days")
        return days

    @field_validator("record")
    @classmethod
    def _recorded(cls, record: int | None, info: ValidationInfo) -> int | None:
        if record is not None and GAMES.get(info.data["game"]).record is None:
            raise ValueError(f"worlds of {info.data['game']} are not recorded")
        return record

    @field_validator("factories")
    @classmethod
    def _few_enough(cls, factories: Size | None, info: ValidationInfo) -> Size | None:
        most = competition_of(info.data["game"]).most_positions
        if factories is not None and _ends(factories)[1] > most:
            raise ValueError(f"a level of {info.data['game']} has at most {most}")
        return factories

    @field_validator("format")
    @classmethod
    def _known_format(cls, form: str) -> str:
        if form not in FORMATS:
            raise ValueError(f"{form!r} is not valid; valid: {', '.join(FORMATS)}")
        return form

    @field_validator("errors")
    @classmethod
    def _known_errors(cls, errors: str, info: ValidationInfo) -> str:
        if errors not in ERRORS:
            raise ValueError(f"{errors!r} is not valid{nearest(errors, ERRORS)}")
        competition = competition_of(info.data["game"])
        valid = [name for name in ERRORS if getattr(competition, ERRORS.get(name).played_by) is not None]
        if errors not in valid:
            raise ValueError(f"{errors!r} is not for the game {info.data['game']!r}; valid: {', '.join(valid)}")
        return errors

    @field_validator("isolate")
    @classmethod
    def _known_isolation(cls, isolate: str, info: ValidationInfo) -> str:
        if isolate not in ISOLATION:
            raise ValueError(f"{isolate!r} is not valid; valid: {', '.join(ISOLATION)}")
        competition = competition_of(info.data["game"])
        if isolate != TOGETHER and competition.line_up is None and not competition.entry_points:
            raise ValueError(f"players of {info.data['game']} are not isolated; valid: {TOGETHER}")
        return isolate

    @model_validator(mode="after")
    def _two_for_one_on_one(self) -> Self:
        if self.one_on_one and len(self.competitors) != 2:
            raise ValueError(f"one_on_one needs exactly two competitors, not {len(self.competitors)}")
        odd = isinstance(self.factories, int) and self.factories % 2 == 1
        if self.one_on_one and odd and competition_of(self.game).most_positions > 1:
            raise ValueError(f"one_on_one needs an even number of factories a level, not {self.factories}")
        if self.one_on_one and self.same_seat:
            raise ValueError("one_on_one and same_seat exclude each other")
        return self

    def setting(self, configuration: int) -> Setting:
        """What the world of a configuration is like."""
        levels = self.levels[configuration % len(self.levels)]
        return Setting(self._drawn(self.days, configuration, 2), levels, self.stock)

    def factories_in(self, configuration: int) -> int:
        """On each level of a configuration's world."""
        drawn = self._drawn(self.factories_range, configuration, 3)
        return self.factories_on(self.setting(configuration).levels, drawn)

    def factories_on(self, levels: int, factories: int | None = None) -> int:
        """On each level of a world of so many levels, enough for the largest block of competitors.

        Args:
            levels: Of the world.
            factories: On each level of a world of two; by default the fewest.
        """
        factories = self.factories_range[0] if factories is None else factories
        if not self.one_on_one:
            return -(-2 * max(factories, (self.block_size + 1) // 2) // levels)
        each = -(-2 * factories // levels)
        return each + each % 2 if levels > 2 or isinstance(self.factories, tuple) else each

    @property
    def factories_range(self) -> tuple[int, int]:
        """The fewest and the most on each level of a world of two levels, as configured."""
        competition = competition_of(self.game)
        return _ends(self.factories or (competition.positions_one_on_one if self.one_on_one else competition.positions))

    def _drawn(self, size: Size, configuration: int, kind: int) -> int:
        """A configuration's number out of a range."""
        low, high = _ends(size)
        return int(np.random.default_rng([self.seed, configuration, kind]).integers(low, high, endpoint=True))

    @property
    def n_blocks(self) -> int:
        """Worlds that a configuration needs for every competitor to have a position."""
        if self.one_on_one:
            return 1
        if self.same_seat:
            return len(self.competitors)
        return -(-len(self.competitors) // (2 * competition_of(self.game).most_positions))

    @property
    def n_plays(self) -> int:
        """Worlds that are played in all."""
        return self.n_blocks * sum(self.setting(configuration).levels for configuration in range(self.worlds))

    @property
    def block_size(self) -> int:
        """Competitors of the largest block."""
        return -(-len(self.competitors) // self.n_blocks)


def load_config(path: Path | None = None, options: Mapping[str, Any] | None = None) -> TournamentConfig:
    """A configuration from a YAML file, options replacing its values.

    Args:
        path: Of the file, or None for the defaults.
        options: By name; None means not given.

    Raises:
        InputError: if the file cannot be read, is no mapping or has an unknown key.
        pydantic.ValidationError: if a value is not valid.
    """
    content: Any = {}
    if path is not None:
        content = _read(path) or {}
        if not isinstance(content, dict):
            raise InputError(f"{path}: a tournament configuration is a mapping")
    for name in content:
        if name not in TournamentConfig.model_fields:
            raise InputError(f"{path}: unknown key {name!r}{nearest(str(name), TournamentConfig.model_fields)}")
    given = {name: value for name, value in (options or {}).items() if value is not None}
    merged = {**content, **given}
    if not merged.get("competitors"):
        raise InputError("no competitors: name at least one run folder, registered name or module:Class")
    return TournamentConfig(**merged)


def saved_config(folder: Path) -> TournamentConfig:
    """The configuration that a results folder was played with; keys by the names that they had then are understood.

    Raises:
        InputError: if it has no configuration that can be read.
        pydantic.ValidationError: if a value is not valid.
    """
    path = folder / "config.yaml"
    content = _read(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: cannot be read as a tournament configuration (it is no mapping)")
    require_trust_of_names(folder, content.get("game"))
    return TournamentConfig(**{RENAMED.get(str(key), str(key)): value for key, value in content.items()})


def _read(path: Path) -> Any:
    try:
        return parse_yaml(read_text(path))
    except (InputError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as a tournament configuration ({told})") from error
