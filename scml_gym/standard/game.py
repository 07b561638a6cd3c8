"""The Standard track as a `Game`; light, so that its ids are known before anything of it is loaded."""

from __future__ import annotations

from scml_gym.game.definition import Column, Competition, EntryPoints, Game

AUDIT_COLUMNS = {
    "acts": Column(int, "acceptances and offers", new=True),
    "unsafe_covered": Column(int, "acts beyond what stock and signed supplies cover, or that cannot be paid", new=True),
    "unsafe_possible": Column(int, "acts beyond the lines of their day, or today's money", new=True),
    "other_rule_covered": Column(int, "unsafe_covered, were the other stock rule the world's", new=True),
    "other_rule_possible": Column(int, "unsafe_possible, likewise", new=True),
    "accepted_sales": Column(int, "acts that accept to sell", new=True),
    "unsafe_sales": Column(int, "those of them that unsafe_covered counts", new=True),
    "other_rule_sales": Column(int, "those that other_rule_covered counts", new=True),
    "sets": Column(int, "decisions with acts", new=True),
    "unsafe_sets": Column(int, "those with acts that unsafe_covered counts", new=True),
    "breach_rate": Column(float, "items sold and not delivered, of all items sold", new=True),
}
"""What the safety audit measures, see `scml_gym.standard.safety.audit`."""

COMPETITION = Competition(
    play="scml_gym.standard.line_up:play_line_up",
    play_on="scml_gym.standard.line_up:play_line_up_on",
    line_up="scml_gym.standard.line_up:LINE_UP",
    try_player="scml_gym.simulator.line_up:try_player",
    background=(
        "sync-random",
        "just-in-time",
        "greedy",
        "scml:SyncRandomStdAgent",
        "scml:GreedyStdAgent",
        "scml:RandomStdAgent",
    ),
    substitute="just-in-time",
    most_positions=8,  # MAX_PER_LEVEL of scml_gym.standard.view
    positions=6,
    positions_one_on_one=6,
    days=50,
    least_days=5,  # scml generates no world of as many levels as days
    levels=(2, 3),
    most_levels=4,
    stock_rules=("league", "physical"),
    columns={
        "initial_balance": Column(int, "money"),
        "profit": Column(float, "money over the whole world: revenue - supplies - production - storage - shortfall"),
        "revenue": Column(float, "money paid for what was delivered"),
        "supplies": Column(float, "money paid for inputs, exogenous ones included"),
        "production": Column(float, "money paid for producing"),
        "storage": Column(float, "cost of inputs that were not used, those in stock included, money"),
        "shortfall": Column(float, "penalty for outputs that were not delivered, money"),
        "bought": Column(int, "items bought in negotiations and delivered"),
        "produced": Column(int, "items"),
        "missing": Column(int, "items sold and not delivered"),
        "stock": Column(int, "inputs in stock at the end, items"),
        "executed": Column(int, "of the agreements, those that were delivered", new=True),
        "agreements": Column(int, "negotiations that ended with a contract"),
        "negotiations": Column(int, "all of them"),
        "bankrupt": Column(int, "1 where the balance fell below 0"),
        **AUDIT_COLUMNS,
    },
)

STANDARD = Game(
    name="standard",
    summary="SCML Standard: a chain of factories that keep stock and trade up to ten days ahead",
    environments={
        "scml_gym/StandardConcurrent-v0": EntryPoints(
            "scml_gym.standard.envs.concurrent:StandardConcurrentEnv",
            "scml_gym.standard.envs.vector.concurrent:StandardConcurrentVectorEnv",
        ),
        "scml_gym/StandardDaily-v0": EntryPoints(
            "scml_gym.standard.envs.daily:StandardDailyEnv",
            "scml_gym.standard.envs.vector.daily:StandardDailyVectorEnv",
        ),
    },
    parallel_environments={
        name: f"scml_gym.standard.envs.{name}" for name in ("standard_factories_v0", "standard_negotiations_v0")
    },
    backends="scml_gym.standard.envs.config:BACKENDS",
    generators="scml_gym.standard.envs.config:GENERATORS",
    strategies="scml_gym.standard.strategies:STRATEGIES",
    actions="scml_gym.standard.actions:ACTIONS",
    observations="scml_gym.standard.observations:OBSERVATIONS",
    rewards="scml_gym.standard.rewards:REWARDS",
    players="scml_gym.standard.players:player_maker",
    record="scml_gym.standard.recording:record_world",
    recompute="scml_gym.standard.recording:recompute",
    policies="scml_gym.standard.exported_policies:export_policy",
    forms="scml_gym.standard.exported_policies:policy_form",
    networks="scml_gym.standard.policy_files:NETWORKS",
    adapters={
        True: ("scml_gym.standard.worlds.adapters:StandardSyncAdapter", "scml.std.agent:StdSyncAgent"),
        False: ("scml_gym.standard.worlds.adapters:StandardAsyncAdapter", "scml.std.agent:StdAgent"),
    },
    agents="scml_gym.deployed:std_agent_class",
    competition=COMPETITION,
    parity="scml_gym.standard.parity:compare_case",
    conservation="scml_gym.standard.conservation:soak",
)
