"""The numbers of an observation: their names, ranges and meanings."""

from __future__ import annotations

from scml_gym.game.features import Feature
from scml_gym.standard.view import BOOK_DAYS, MAX_LEVELS, MAX_PER_LEVEL, MOST_HORIZON

FACTORY_FEATURES = (
    Feature("day", 0, 1, "day / days"),
    Feature("days_left", 0, 1, f"days left, today included, / {BOOK_DAYS}"),
    Feature("first_level", 0, 1, "1 at the first level, which is supplied by exogenous contracts"),
    Feature("last_level", 0, 1, "1 at the last level, which sells by exogenous contracts"),
    Feature("level", 0, 1, "level / last level"),
    Feature("levels", 0, 1, f"levels of the world / {MAX_LEVELS}"),
    Feature("stock", 0, 10, "inputs in stock this morning / lines"),
    Feature("exogenous_supply", 0, 4, "items of today's exogenous supply / lines"),
    Feature("exogenous_supply_price", 0, 2, "its unit price / trading price of the input; 0 for none"),
    Feature("exogenous_sales", 0, 4, "items of today's exogenous sale / lines"),
    Feature("exogenous_sales_price", 0, 2, "its unit price / trading price of the output; 0 for none"),
    Feature("needed_sales", -4, 4, "items still to be sold today of what is there / lines; negative where missing"),
    Feature("supply", 0, 4, "today's exogenous supplies of all factories / (lines x factories of the own level)"),
    Feature("demand", 0, 4, "today's exogenous sales of all factories / (lines x factories of the own level)"),
    Feature("input_price", 0, 2, "trading price of the input / that of the output"),
    Feature("production_cost", 0, 1, "production cost of an item / trading price of the output"),
    Feature("shortfall_penalty", 0, 2, "today's, as a fraction of the output's trading price"),
    Feature("storage_cost", 0, 1, "today's, as a fraction of the input's trading price"),
    Feature("input_range", 0, 1, "width of today's range of input prices / its highest price"),
    Feature("output_range", 0, 1, "width of today's range of output prices / its highest price"),
    Feature("balance", -1, 4, "balance / initial balance"),
    Feature("suppliers", 0, 1, f"factories of the level below / {MAX_PER_LEVEL}"),
    Feature("consumers", 0, 1, f"factories of the level above / {MAX_PER_LEVEL}"),
    Feature("competitors", 0, 1, f"factories of the own level / {MAX_PER_LEVEL}"),
    Feature("horizon", 0, 1, f"days ahead that goods may be traded for today / {MOST_HORIZON}"),
)


def _offer(whose: str, what: str) -> tuple[Feature, ...]:
    return (
        Feature(f"{whose}_quantity", 0, 3, f"{what}: items / lines; 0 for none"),
        Feature(f"{whose}_day", 0, 1, f"{what}: delivery day, days from today / {MOST_HORIZON}"),
        Feature(f"{whose}_price", 0, 1, f"{what}: price within today's range"),
    )


HISTORY_FEATURES = (*_offer("offer", "its last offer"), *_offer("my", "my last offer"))

PARTNER_FEATURES = (
    Feature("exists", 0, 1, "there is a factory with this partner index"),
    Feature("running", 0, 1, "today's negotiation with it has not ended"),
    Feature("my_turn", 0, 1, "an answer is asked for now"),
    Feature("consumer", 0, 1, "1 for a consumer, 0 for a supplier"),
    Feature("time", 0, 1, "relative time of the negotiation, (step + 1) / (rounds + 1)"),
    *HISTORY_FEATURES,
    *_offer("agreed", "what was agreed today"),
)

FIRST_HISTORY_FEATURE = PARTNER_FEATURES.index(HISTORY_FEATURES[0])
"""They stand side by side in `PARTNER_FEATURES`."""

DAY_FEATURES = (
    Feature("open", 0, 1, "goods may be traded for this day today"),
    Feature("supplies", 0, 4, "items bought for this day / lines"),
    Feature("supplies_price", 0, 2, "their mean price / trading price of the input; 0 for none"),
    Feature("sales", 0, 4, "items sold for this day / lines"),
    Feature("sales_price", 0, 2, "their mean price / trading price of the output; 0 for none"),
    Feature("spare", -4, 10, "inputs left after what is sold until this day, if stock is used up / lines"),
    Feature("room", -4, 1, "lines that nothing is sold for on this day / lines"),
)
"""Of each delivery day from today on; exogenous contracts count where they are known, that is today."""

OTHER_FEATURES = (
    Feature("exists", 0, 1, "there is a factory with this index, level by level"),
    Feature("level", 0, 1, "level / highest possible level"),
    Feature("bankrupt", 0, 1, "it has gone bankrupt"),
    Feature("stock", 0, 10, "inputs in stock / lines"),
    Feature("exogenous_supply", 0, 4, "items of its exogenous supply today / lines"),
    Feature("exogenous_supply_price", 0, 4, "its unit price / trading price of the own output"),
    Feature("exogenous_sales", 0, 4, "items of its exogenous sale today / lines"),
    Feature("exogenous_sales_price", 0, 4, "its unit price / trading price of the own output"),
    Feature("production_cost", 0, 2, "production cost of an item / trading price of the own output"),
    Feature("shortfall_penalty", 0, 2, "today's, as a fraction of its output's trading price"),
    Feature("storage_cost", 0, 1, "today's, as a fraction of its input's trading price"),
    Feature("balance", -1, 4, "balance / initial balance"),
    *(
        Feature(f"supplies[{ahead}]", 0, 4, "items bought for that day / lines; day 0 is today")
        for ahead in range(BOOK_DAYS)
    ),
    *(
        Feature(f"sales[{ahead}]", 0, 4, "items sold for that day / lines; day 0 is today")
        for ahead in range(BOOK_DAYS)
    ),
)
