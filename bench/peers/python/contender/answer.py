"""The answer of a query in two numbers, as `bench/input/src/answer.rs` defines them, over Arrow columns.

Whole columns are hashed at once: 64-bit words wrap as they do there, and the 128-bit product is put together from halves
of 32 bits. `python3 -m contender.answer` checks the vectors that are kept with the definition.
"""

import decimal
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

U64 = np.uint64
LOW = U64(0xFFFFFFFF)
HALF = U64(32)
SEED = U64(0x9E3779B97F4A7C15)
FACTOR_LOW, FACTOR_HIGH = U64(0x6659FD93), U64(0xD6E8FEB8)
NULL = U64(0x5BD1E99512345678)


def mix(x):
    """Mixes 64 bits: a full multiply with a constant, folded."""
    x = x ^ SEED
    low, high = x & LOW, x >> HALF
    ll, lh, hl, hh = low * FACTOR_LOW, low * FACTOR_HIGH, high * FACTOR_LOW, high * FACTOR_HIGH
    middle = (ll >> HALF) + (lh & LOW) + (hl & LOW)
    bottom = (middle << HALF) | (ll & LOW)
    top = hh + (lh >> HALF) + (hl >> HALF) + (middle >> HALF)
    return top ^ bottom


class Answer:
    """Changes added up."""

    def __init__(self):
        self.rows = 0
        self.hash = 0

    def add(self, columns, diffs=None):
        """Rows, given as Arrow arrays of equal length, each once or as often as `diffs` (an array of int64) says."""
        n = len(columns[0])
        hashes = np.zeros(n, dtype=U64)
        with np.errstate(over="ignore"):
            for column in columns:
                hashes = hash_column(column, hashes)
            if diffs is None:
                self.rows += n
                total = int(hashes.sum(dtype=U64))
            else:
                self.rows += int(diffs.sum())
                total = int((hashes * diffs.astype(U64)).sum(dtype=U64))
        self.hash = (self.hash + total) % 2**64

    def figures(self):
        """As the protocol says it."""
        return {"rows": self.rows, "hash": self.hash}


def hash_column(column, hashes):
    """The hashes with another column."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    found = hash_values(column, hashes)
    if column.null_count:
        found = np.where(pc.is_null(column).to_numpy(zero_copy_only=False), mix(hashes ^ NULL), found)
    return found


def hash_values(column, hashes):
    """The same for a column without NULLs: where there are some, anything."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return mix(hashes ^ whole(column))
    if pa.types.is_timestamp(kind):
        return mix(hashes ^ whole(pc.floor_temporal(column, unit="millisecond").cast(pa.timestamp("ms")).cast(pa.int64())))
    if pa.types.is_date32(kind):
        return mix(hashes ^ whole(column.cast(pa.int32())))
    if pa.types.is_decimal128(kind):
        return hash_decimals(column, hashes)
    if pa.types.is_floating(kind):
        return hash_texts(pa.array([None if x is None else of_double(x) for x in column.to_pylist()], pa.string()), hashes)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return hash_texts(column.cast(pa.large_string()), hashes)
    raise TypeError(f"a column of {kind} has no row hash")


def whole(column):
    """Whole numbers as words."""
    column = column.cast(pa.int64())
    if column.null_count:
        column = pc.fill_null(column, 0)
    return column.to_numpy(zero_copy_only=False).view(U64)


def hash_texts(column, hashes):
    """Texts, eight bytes of all of them at a time."""
    column = column.cast(pa.large_string())
    n = len(column)
    if n == 0:
        return hashes
    buffers = column.buffers()
    offsets = np.frombuffer(buffers[1], dtype=np.int64)[column.offset : column.offset + n + 1]
    data = np.frombuffer(buffers[2], dtype=np.uint8) if buffers[2] is not None else np.zeros(0, dtype=np.uint8)
    starts, lengths = offsets[:-1], offsets[1:] - offsets[:-1]
    padded = np.concatenate([data, np.zeros(8, dtype=np.uint8)])
    hashes = hashes ^ (lengths.astype(U64) << U64(56))
    for at in range(0, int(lengths.max()), 8):
        live = np.nonzero(lengths > at)[0]
        left = np.minimum(lengths[live] - at, 8)
        block = padded[(starts[live] + at)[:, None] + np.arange(8)]
        block[np.arange(8)[None, :] >= left[:, None]] = 0
        hashes[live] = mix(hashes[live] ^ np.ascontiguousarray(block).view(U64).ravel())
    return mix(hashes)


def hash_decimals(column, hashes):
    """Decimals by their value: shortened while they can be."""
    column = column if column.null_count == 0 else pc.fill_null(column, decimal.Decimal(0))
    words = np.frombuffer(column.buffers()[1], dtype=np.int64)
    words = words[2 * column.offset : 2 * (column.offset + len(column))]
    low, high = words[0::2].copy(), words[1::2].copy()
    scale = np.full(len(column), column.type.scale, dtype=np.int64)
    for i in np.nonzero(high != low >> 63)[0]:
        unscaled, places = (int(high[i]) << 64) + int(low[i].view(U64)), int(scale[i])
        while places > 0 and unscaled % 10 == 0:
            unscaled, places = unscaled // 10, places - 1
        low[i] = np.int64((unscaled & (2**64 - 1)) - (2**64 if unscaled & 2**63 else 0))
        high[i], scale[i] = unscaled >> 64, places
    small = high == low >> 63
    for _ in range(column.type.scale):
        shorter = small & (scale > 0) & (low % 10 == 0)
        if not shorter.any():
            break
        low[shorter] //= 10
        scale[shorter] -= 1
    high[small] = low[small] >> 63
    first = mix(hashes ^ low.view(U64))
    return np.where(small & (scale == 0), first, mix(first ^ high.view(U64) ^ scale.view(U64)))


def of_double(x):
    """The first nine digits of a DOUBLE, as Rust writes them."""
    digits, exponent = f"{x + 0.0:.8e}".split("e")
    return f"{digits}e{int(exponent)}"


def check():
    """The vectors of the definition."""
    def of(*columns):
        answer = Answer()
        answer.add(list(columns))
        return answer.hash

    money = lambda text, scale: pa.array([decimal.Decimal(text)], pa.decimal128(38, scale))
    expected = [
        (of(pa.array([0])), 0xC9D874CA57D9E055),
        (of(pa.array([-1])), 0x8E1A4ACD601C1D69),
        (of(pa.array([None], pa.int64())), 0x62A371B5A6E8C168),
        (of(pa.array(["abc"])), 0xFE784840703E8DA7),
        (of(pa.array(["Kate Walton"])), 0x48909121EBD3F56F),
        (of(pa.array([7]), pa.array(["Zürich"]), pa.array([None], pa.string())), 0xC9DDCB2589DFBE29),
        (of(money("-12.50", 2)), 0x127FFEB33D0D22A4),
        (of(money("-12.5", 6)), 0x127FFEB33D0D22A4),
        (of(money("123456789012345678901.234", 3)), 0x3C77C2B05B871EAE),
        (of(money("123456789012345678901.234", 9)), 0x3C77C2B05B871EAE),
        (of(money("7", 6)), of(pa.array([7]))),
        (of(pa.array([-2e-7])), of(pa.array(["-2.00000000e-7"]))),
        (of(pa.array([-0.0])), of(pa.array(["0.00000000e0"]))),
        (of(pa.array([-1], pa.timestamp("us"))), of(pa.array([-1]))),
        (of(pa.array([3], pa.date32())), of(pa.array([3]))),
    ]
    wrong = [(f"{found:#x}", f"{should:#x}") for found, should in expected if found != should]
    return f"found, expected: {wrong}" if wrong else None


if __name__ == "__main__":
    sys.exit(check())
