"""A function a question: `worlds` and their days, `competitors`, what their policies told of `decisions`, bilateral
`negotiations`, and `compare`. All answers are pandas tables.

``run`` is the number of a recording among those that are open; None stands for all, like None for any other filter.
"""
