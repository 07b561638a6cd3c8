"""OneShot as a `Game`; light, so that its ids are known before anything of it is loaded."""

from __future__ import annotations

from scml_gym.game.definition import Column, Competition, EntryPoints, Game

AUDIT_COLUMNS = {
    "acts": Column(int, "acceptances and offers", new=True),
    "unsafe_covered": Column(
        int, "acts beyond what exogenous supplies and lines can deliver, or that cannot be paid", new=True
    ),
    "unsafe_possible": Column(int, "acts beyond the lines, or the money", new=True),
    "breach_rate": Column(float, "items sold and not delivered, of all items sold", new=True),
}
"""What the safety audit measures, see `scml_gym.oneshot.safety.audit`."""

COMPETITION = Competition(
    play="scml_gym.oneshot.line_up:play_line_up",
    try_player="scml_gym.simulator.line_up:try_player",
    background=(
        "best-subset",
        "best-subset-even",
        "greedy",
        "scml:SyncRandomOneShotAgent",
        "scml:EqualDistOneShotAgent",
        "scml:GreedyOneShotAgent",
        "scml:GreedySyncAgent",
    ),
    substitute="best-subset",
    most_positions=8,  # MAX_PARTNERS of scml_gym.oneshot.view
    positions=5,
    positions_one_on_one=6,
    least_days=3,  # scml generates no shorter worlds
    play_on="scml_gym.oneshot.line_up:play_line_up_on",
    line_up="scml_gym.oneshot.line_up:LINE_UP",
    columns={
        "initial_balance": Column(int, "money"),
        "profit": Column(float, "money over the whole world: revenue - supplies - production - disposal - shortfall"),
        "revenue": Column(float, "money paid for what was delivered"),
        "supplies": Column(float, "money paid for inputs"),
        "production": Column(float, "money paid for producing"),
        "disposal": Column(float, "penalty for inputs that were not used, money"),
        "shortfall": Column(float, "penalty for outputs that were not delivered, money"),
        "agreements": Column(int, "negotiations that ended with a contract"),
        "negotiations": Column(int, "all of them"),
        "bankrupt": Column(int, "1 where the balance fell below 0"),
        **AUDIT_COLUMNS,
        "ideal_profit": Column(float, "what the days could have brought at best, money", new=True),
        "lost_untraded": Column(float, "of it, by needed items that were not traded, money", new=True),
        "lost_price": Column(float, "by prices worse than the best, money", new=True),
        "lost_excess": Column(float, "by items beyond the need: their price and penalty, money", new=True),
    },
)

ONESHOT = Game(
    name="oneshot",
    summary="SCML OneShot: factories of two levels trade a perishable product, day by day",
    environments={
        "scml_gym/OneShotConcurrent-v0": EntryPoints(
            "scml_gym.oneshot.envs.concurrent:OneShotConcurrentEnv",
            "scml_gym.oneshot.envs.vector.concurrent:OneShotConcurrentVectorEnv",
        ),
        "scml_gym/OneShotBilateral-v0": EntryPoints(
            "scml_gym.oneshot.envs.bilateral:OneShotBilateralEnv",
            "scml_gym.oneshot.envs.vector.bilateral:OneShotBilateralVectorEnv",
        ),
    },
    parallel_environments={
        name: f"scml_gym.oneshot.envs.{name}" for name in ("oneshot_factories_v0", "oneshot_negotiations_v0")
    },
    backends="scml_gym.oneshot.envs.config:BACKENDS",
    generators="scml_gym.oneshot.envs.config:GENERATORS",
    strategies="scml_gym.oneshot.strategies:STRATEGIES",
    actions="scml_gym.oneshot.actions.factory:ACTIONS",
    observations="scml_gym.oneshot.observations.factory:OBSERVATIONS",
    rewards="scml_gym.oneshot.rewards.factory:REWARDS",
    players="scml_gym.oneshot.players:player_maker",
    policies="scml_gym.oneshot.exported_policies:export_policy",
    forms="scml_gym.oneshot.exported_policies:policy_form",
    networks="scml_gym.oneshot.policy_files:NETWORKS",
    adapters={
        True: ("scml_gym.oneshot.worlds.adapters:OneShotSyncAdapter",),
        False: ("scml_gym.oneshot.worlds.adapters:OneShotAsyncAdapter",),
    },
    agents="scml_gym.deployed:agent_class",
    competition=COMPETITION,
    record="scml_gym.oneshot.recording:record_world",
    recompute="scml_gym.oneshot.recording:recompute",
    parity="scml_gym.oneshot.parity:compare_case",
    conservation="scml_gym.oneshot.conservation:soak",
)
