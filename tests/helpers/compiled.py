"""Functions as Python and as machine code, compared."""


def same_bits(function, compiled_function, arguments):
    """Whether the function as Python and compiled returns the same and leaves its arguments with the same bits."""
    left, right = ([a.copy() if hasattr(a, "copy") else a for a in arguments] for _ in range(2))
    results = function(*left), compiled_function(*right)
    same = all(a.tobytes() == b.tobytes() for a, b in zip(left, right, strict=True) if hasattr(a, "tobytes"))
    return same and results[0] == results[1]
