"""Input files as DuckDB's tables."""

import re

from contender import inputs


def select(text):
    """The query of a statement that may make a view or table of it."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    text = " ".join(lines).strip().rstrip(";")
    return re.sub(r"^CREATE (MATERIALIZED VIEW|TABLE) \w+ AS\s+", "", text)


class Input:
    """A table of the harness's input."""

    def __init__(self, table, folder):
        self.table = table
        self.name = table["name"]
        self.file = f"{folder}/{self.name}"
        # records of each tick
        self.rows = table["rows"]
        self.retracts = table["retracts"]
        self.key = inputs.key(table) if self.retracts else None
        self.columns = [name for name, _ in inputs.columns(table) if name != "op"]

    def json(self):
        """The JSON lines, all columns; those that a query does not read are not parsed."""
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in inputs.columns(self.table))
        return f"read_json('{self.file}.jsonl', format = 'newline_delimited', columns = {{{columns}}})"

    def parquet(self):
        """The same rows, packed."""
        return f"read_parquet('{self.file}.parquet')"

    def read(self, query):
        """Columns of the table that a query may read, those that tell which rows are there first."""
        decisive = ["op", self.key] if self.retracts else []
        return decisive + [c for c in self.columns if c != self.key and re.search(rf"\b{c}\b", query)]

    def live(self, records):
        """The rows that are there after some records, which come in order."""
        if not self.retracts:
            return f"SELECT * FROM {records}"
        columns = ", ".join(self.columns)
        return (
            f"SELECT {columns} FROM (SELECT *, row_number() OVER () AS place FROM {records}) "
            f"QUALIFY row_number() OVER (PARTITION BY {self.key} ORDER BY place DESC) = 1 AND op <> 'd'"
        )
