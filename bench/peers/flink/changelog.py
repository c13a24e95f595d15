"""Adds up a changelog that Flink has written in the format `debezium-json`.

Each line is `{"before": row or null, "after": row or null, "op": "c" or "d"}`; an update is a deletion and an insertion.
"""

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from contender import answer


class Answer(answer.Answer):
    """The answer, and the sum of its first column where that counts."""

    def __init__(self):
        super().__init__()
        self.counted = 0

    def add(self, columns, diffs=None):
        super().add(columns, diffs)
        if pa.types.is_integer(columns[0].type):
            values = pc.fill_null(columns[0], 0).to_numpy()
            self.counted += int((values * diffs).sum())


def add_up(folder, schema):
    """What the files of a folder add up to, rows having a schema of Flink's."""
    names = schema.get_field_names()
    kinds = schema.get_field_data_types()
    fields = [pa.field(name, written(kind)) for name, kind in zip(names, kinds)]
    row = pa.struct(fields)
    line = pa.schema([("before", row), ("after", row), ("op", pa.string())])
    options = pa.json.ParseOptions(explicit_schema=line, unexpected_field_behavior="error")
    found = Answer()
    for file in sorted(pathlib.Path(folder).rglob("*")):
        if not file.is_file() or file.stat().st_size == 0 or file.name.endswith(".crc"):
            continue
        blocks = pa.json.ReadOptions(block_size=1 << 24)
        table = pa.json.read_json(file, read_options=blocks, parse_options=options)
        for batch in table.to_batches():
            inserted = pc.equal(batch["op"], "c").to_numpy(zero_copy_only=False)
            for side, mask, diff in [("after", inserted, 1), ("before", ~inserted, -1)]:
                rows = batch[side].filter(pa.array(mask))
                if len(rows):
                    columns = [meant(column, kind) for column, kind in zip(rows.flatten(), kinds)]
                    found.add(columns, np.full(len(rows), diff, dtype=np.int64))
    return found


def written(kind):
    """How a type of Flink's is written in JSON."""
    match str(kind):
        case "DECIMAL":
            return pa.decimal128(38, kind.scale)
        case "BIGINT" | "INT" | "SMALLINT":
            return pa.int64()
        case _:
            return pa.string()


def meant(column, kind):
    """A column as it is meant: times are written as texts."""
    return column.cast(pa.timestamp("ms")) if str(kind).startswith("TIMESTAMP") else column
