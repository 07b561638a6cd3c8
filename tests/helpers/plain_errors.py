"""Numba's errors without colours.

It makes thousands of them that nobody sees, while it looks for what fits some types. Where colorama is installed, which
mkdocs-material needs, each is written for a terminal: a fortieth of the time that compiling takes.
"""


def without_colours():
    """From now on in this process."""
    from numba.core import errors  # only now: it reads the environment

    if hasattr(errors, "HighlightColorScheme"):
        errors.HighlightColorScheme._markup = lambda scheme, text, *_, **__: text
