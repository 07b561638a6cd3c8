"""The numbers of an observation: their names, ranges and meanings."""

from __future__ import annotations

from scml_gym.game.features import Feature
from scml_gym.oneshot.view import MAX_PARTNERS

FACTORY_FEATURES = (
    Feature("day", 0, 1, "day / days"),
    Feature("buyer", 0, 1, "1 for a buyer (level 1), 0 for a seller (level 0)"),
    Feature("needs", -1, 1, "items still to be traded today / lines; negative where too much is agreed"),
    Feature("agreed", 0, 1, "items agreed today / lines"),
    Feature("exogenous_quantity", 0, 1, "items of today's exogenous contract / lines"),
    Feature("exogenous_price", 0, 2, "its unit price / trading price of its product"),
    Feature("good_margin", -1, 1, "profit of an item at the best price of today's range / highest price"),
    Feature("bad_margin", -1, 1, "profit of an item at the worst price of today's range / highest price"),
    Feature("production_cost", 0, 1, "production cost of an item / trading price of the output"),
    Feature("shortfall_penalty", 0, 2, "today's, as a fraction of the output's trading price"),
    Feature("disposal_cost", 0, 1, "today's, as a fraction of the input's trading price"),
    Feature("balance", -1, 4, "balance / initial balance"),
    Feature("market", -1, 1, "(demand - supply of all factories today) / (lines x factories of a level)"),
    Feature("partners", 0, 1, f"factories of the other level / {MAX_PARTNERS}"),
    Feature("competitors", 0, 1, f"factories of the own level / {MAX_PARTNERS}"),
)

PARTNER_FEATURES = (
    Feature("exists", 0, 1, "there is a factory with this partner index"),
    Feature("running", 0, 1, "today's negotiation with it has not ended"),
    Feature("my_turn", 0, 1, "an answer is asked for now"),
    Feature("time", 0, 1, "relative time of the negotiation, (step + 1) / (rounds + 1)"),
    Feature("offer_quantity", 0, 1, "its last offer's quantity / highest quantity; 0 for none"),
    Feature("offer_price", 0, 1, "its last offer's price within today's range"),
    Feature("my_quantity", 0, 1, "my last offer's quantity / highest quantity; 0 for none"),
    Feature("my_price", 0, 1, "my last offer's price within today's range"),
    Feature("agreed_quantity", 0, 1, "quantity agreed today / highest quantity"),
    Feature("agreed_price", 0, 1, "price agreed today within today's range"),
)

WAITS = Feature("waits", 0, 1, "how often in a row it was let wait / how often it may be")
"""Of a partner, where negotiations are answered one by one."""

OTHER_FEATURES = (
    Feature("exists", 0, 1, "there is a factory with this index, sellers first"),
    Feature("buyer", 0, 1, "1 for a buyer"),
    Feature("bankrupt", 0, 1, "it has gone bankrupt"),
    Feature("needs", -1, 1, "items it still needs today / lines"),
    Feature("exogenous_quantity", 0, 1, "items of its exogenous contract / lines"),
    Feature("exogenous_price", 0, 2, "unit price of that contract / highest price of today's range"),
    Feature("production_cost", 0, 1, "production cost of an item / trading price of the output"),
    Feature("shortfall_penalty", 0, 2, "today's, as a fraction of the output's trading price"),
    Feature("disposal_cost", 0, 1, "today's, as a fraction of the input's trading price"),
    Feature("balance", -1, 4, "balance / initial balance"),
)

HISTORY_FEATURES = tuple(
    s for s in PARTNER_FEATURES if s.name in ("offer_quantity", "offer_price", "my_quantity", "my_price")
)
FIRST_HISTORY_FEATURE = PARTNER_FEATURES.index(HISTORY_FEATURES[0])
"""They stand side by side in `PARTNER_FEATURES`."""
