"""Damaged files: bits flipped, cut off, fields replaced by what does not belong there."""

import io
import json
import random
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NONSENSE = ["null", "-1", "0", "1e999", "nan", "NaN", ".inf", "-.inf", "99999999", str(10**30), "9" * 5000, '"x"', '""']
NONSENSE += ["[]", "{}", "true", "!!int x", "!!binary aGVsbG8=", "!!timestamp x", "!!python/name:os.system", "[" * 2000]
NONSENSE += [
    '"../../../etc"',
    '"evil:Name"',
    '"a\\u0000b"',
    "'" + "long" * 5000 + "'",
    "*alias",
    "? [a]",
    "\x00",
    "\ud7ff",
]

_TOKEN = re.compile(rb"\"[^\"\n]*\"|'[^'\n]*'|[\w.+-]+")

_OTHER = (np.nan, np.inf, -1, 2**62, 0, 10**6)


def damaged(content: bytes, number: int, seed: int) -> tuple[str, bytes]:
    """One of many damaged versions of a file, and what was done to it.

    Args:
        content: Of the whole file.
        number: Of the version; the kinds of damage come in turn.
        seed: Of what is drawn.
    """
    rng = random.Random(f"{seed} {number}")
    kind = (_flip, _cut, _replace, _replace)[number % 4]
    return kind.__name__[1:], kind(content, rng)


def _flip(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content or b"x")
    for _ in range(rng.choice([1, 3, 20, 200])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    return rng.choice([content[:place], content[place:], content + content[:place], b"", rng.randbytes(place)])


def _replace(content: bytes, rng: random.Random) -> bytes:
    if content.startswith(b"PK"):
        return _in_arrays(content, rng)
    if content.startswith(b"PAR1"):
        return _in_table(content, rng)
    tokens = list(_TOKEN.finditer(content))
    if not tokens:
        return content
    for token in sorted(rng.sample(tokens, min(len(tokens), rng.choice([1, 1, 1, 3]))), key=lambda t: -t.start()):
        nonsense = rng.choice(NONSENSE).encode(errors="surrogatepass")
        content = content[: token.start()] + nonsense + content[token.end() :]
    return content


def _in_arrays(content: bytes, rng: random.Random) -> bytes:
    """An npz file with one array replaced: by other numbers, another type, another shape, or left out."""
    with np.load(io.BytesIO(content), allow_pickle=False) as given:
        arrays = dict(given)
    name = rng.choice(sorted(arrays))
    array = arrays[name]
    change = rng.randrange(7)
    if change == 0:
        del arrays[name]
    elif change == 1:
        arrays[name] = rng.choice([array.ravel()[:0], array[None], np.zeros(3), np.zeros((2, 3), np.int8), array.T])
    elif change == 2:
        arrays[name] = np.array(rng.choice(["x", "evil:Name", "a" * 1000, json.dumps({"a": [1]}), "NaN"]))
    elif change == 3:
        arrays[f"{name}x"] = array
    elif array.dtype.kind in "iuf" and array.size:
        changed = array.copy()
        other = rng.choice(_OTHER)
        if array.dtype.kind != "f":
            info = np.iinfo(array.dtype)
            other = int(min(max(other, info.min), info.max)) if np.isfinite(other) else info.max
        changed.ravel()[slice(None) if change == 4 else rng.randrange(array.size)] = other
        arrays[name] = changed
    else:
        arrays[name] = np.array([b"\xff"]) if change == 5 else np.array(array.astype(str), dtype="U3")
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _in_table(content: bytes, rng: random.Random) -> bytes:
    """A Parquet file with one column replaced: by nothing, other numbers, another type; or left out, or there twice."""
    table = pq.read_table(pa.BufferReader(content))
    i = rng.randrange(table.num_columns)
    name, column = table.column_names[i], table.column(i)
    change = rng.randrange(6)
    if change == 0:
        table = table.remove_column(i)
    elif change == 1:
        table = table.set_column(i, name, pa.nulls(len(table), column.type))
    elif change == 2:
        table = table.append_column(name, column)
    elif change == 3 or not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        table = table.set_column(i, name, pa.array(["evil:Name"] * len(table)))
    else:
        other = rng.choice(_OTHER)
        if pa.types.is_integer(column.type):
            info = np.iinfo(column.type.to_pandas_dtype())
            other = int(min(max(other, info.min), info.max)) if np.isfinite(other) else info.max
        number = other if pa.types.is_integer(column.type) else float(other)
        table = table.set_column(i, name, pa.array([number] * len(table), column.type))
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()
