"""Recordings of every kind that the analyzer shows, small ones, with names that look like markup."""

import threading
from contextlib import contextmanager

from scml_gym.analyzer.web.server import make_server
from scml_gym.bilateral.envs.config import BilateralConfig
from scml_gym.bilateral.worlds.negmas_world import NegmasWorld
from scml_gym.bilateral.worlds.recorded import RecordedWorld
from scml_gym.games import GAMES
from scml_gym.oneshot.players import player_maker
from scml_gym.simulator.recording.folder import Recording, WriteWorld
from scml_gym.simulator.recording.log import WorldLog
from tests.helpers.recordings import NAMES, about, play_recorded, write_by_hand

EVIL = "<script>alert(1)</script>"
LINE_UP = (EVIL, *NAMES[1:])


def make(name):
    """The players of a name; the one that looks like markup is a plain strategy."""
    return player_maker("best-subset" if name == EVIL else name)


def oneshot(folder, days=4):
    """A tournament of two configurations, each played with both line-ups."""
    for configuration in range(2):
        for play, names in enumerate((LINE_UP, LINE_UP[2:] + LINE_UP[:2])):
            where = {"configuration": configuration, "block": 0, "play": play}
            play_recorded(folder, f"w<b>{configuration}-{play}", names, 5 + configuration, days, make=make, **where)


def standard(folder):
    """A world of the Standard track, in which little happens, beside one whose file is cut off."""
    worlds = [{"game": "standard", "backend": "reference", "days": 4, "levels": 2, "stock": "league"}]
    days = [{"day": i // 4, "factory": i % 4, "stock": i, "produced": 5} for i in range(16)]
    contract = {"day": 1, "delivery": 3, "seller": 0, "buyer": 2, "quantity": 3, "price": 20, "executed": True}
    offer = {"day": 1, "sender": 2, "receiver": 0, "quantity": 3, "price": 20, "delivery": 3, "answer": "accepted"}
    told = [
        {"day": day, "factory": 0, "decision": decision, "partner": 2, "name": EVIL, "value": 2.5 + day - decision}
        for day in (0, 1)
        for decision in (0, 1)
    ]
    unsafe = {"day": 1, "factory": 2, "partner": 0, "bound": "covered", "act": "offers", "missing": 3, "short_day": 3}
    failed = {"day": 2, "factory": 1, "message": f"ValueError: {EVIL}"}
    for name in ("whole", "cut"):
        write_by_hand(
            folder, name, worlds=worlds, days=days, contracts=[contract], offers=[offer], decisions=told,
            errors=[failed], unsafe=[unsafe],
        )  # fmt: skip
    path = folder / "worlds" / "cut" / "days.parquet"
    path.write_bytes(path.read_bytes()[:-9])


def bilateral(folder):
    """A negotiation of two sides."""
    write = WriteWorld(Recording(folder), GAMES.get("bilateral").load("record"), about([EVIL, "boulware"]), "n0")
    played = BilateralConfig("EnglandZimbabwe", 0, "boulware", 6, True, None).negotiation(4)
    world = RecordedWorld(NegmasWorld(played), played, lambda seed: WorldLog(write))
    world.start(4)
    order = played.tables[0].order
    while world.view["running"]:
        world.answer(int(order[0]))


def scores_alone(folder):
    """What scml leaves of a tournament that kept nothing but scores."""
    folder.mkdir()
    (folder / "params.json").write_text("{}")
    lines = [f"w/1,0{i}@{i},module:mine.{EVIL.replace('/', '')},{0.5 + i}" for i in range(2)]
    (folder / "scores.csv").write_text("world,agent_id,agent_type,score\n" + "\n".join(lines) + "\n")


def empty(folder):
    """A tournament of which no world is over yet."""
    Recording(folder)


RUNS = {"oneshot": oneshot, "standard": standard, "bilateral": bilateral, "scores": scores_alone, "empty": empty}


@contextmanager
def serving(recordings, token=None):
    """The address at which recordings are served meanwhile."""
    server = make_server(recordings, "127.0.0.1", 0, token)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
