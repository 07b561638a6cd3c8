"""Texts of users and players are never markup: not in a terminal, not on a page, not in a figure."""

import io

import pytest

from scml_gym.core.curves import curve_figures
from scml_gym.core.text import in_markdown, plain_labels, printable

HARMFUL = "RuntimeError: [/red] list index [0]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HARMFUL, HARMFUL),
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("naïve 名", "naïve 名"),
        ("\udce9", "\\udce9"),
        (None, "None"),
    ],
)
def test_a_terminal_shows_what_was_written(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("greedy?own_needs=0", "greedy?own_needs=0"),
        ("_made_", "\\_made\\_"),
        ("<b>a|b</b> `c` *d* [e](f)", "\\<b\\>a\\|b\\</b\\> \\`c\\` \\*d\\* \\[e\\](f)"),
        ("$x$ ~y~ &amp; \\", "\\$x\\$ \\~y\\~ \\&amp; \\\\"),
    ],
)
def test_a_page_shows_what_was_written(text, shown):
    assert in_markdown(text) == shown


def test_a_dollar_sign_in_a_label_is_one():
    from matplotlib.figure import Figure

    with pytest.raises(ValueError, match=r"mathtext|Parse|Unknown"):
        drawn(Figure)
    with plain_labels():
        assert drawn(Figure).startswith(b"\x89PNG")
    rows = [{"step": "1", "$\\wrong$": "2"}, {"step": "2", "$\\wrong$": "3"}]
    assert curve_figures({"": [rows]}, "$\\wrong$")["learning_curve.png"].startswith(b"\x89PNG")


def drawn(figure_class):
    figure, file = figure_class(), io.BytesIO()
    figure.suptitle("$\\wrong$")
    figure.savefig(file, format="png")
    return file.getvalue()
