"""Input files as Flink's tables, and the texts of queries."""

import re

from contender import inputs
from contender.protocol import Refused

# How far behind the largest time the watermark is: more than the harness's disorder.
BEHIND = "INTERVAL '4' SECOND"


def create(table, folder):
    """A table over JSON lines, all columns; the event time also as `ts`, with its watermark."""
    if table["retracts"]:
        raise Refused(f"flink's files only add rows, and {table['name']} takes some back")
    columns = [f"`{name}` {kind}" for name, kind in inputs.columns(table)]
    if table["time"] is not None:
        time = table["columns"][table["time"]]["name"]
        columns.append(f"ts AS CAST(TO_TIMESTAMP_LTZ(`{time}`, 3) AS TIMESTAMP(3))")
        columns.append(f"WATERMARK FOR ts AS ts - {BEHIND}")
    return (
        f"CREATE TABLE {table['name']} ({', '.join(columns)}) "
        f"WITH ('connector' = 'filesystem', 'path' = 'file://{folder}/{table['name']}.jsonl', 'format' = 'json')"
    )


def query(folder, name):
    """The query of NAME.flink.sql where there is one, otherwise of NAME.sql."""
    own, published = folder / f"{name}.flink.sql", folder / f"{name}.sql"
    lines = [line for line in (own if own.exists() else published).read_text().splitlines() if not line.startswith("--")]
    text = "\n".join(lines).strip().rstrip(";")
    return re.sub(r"^CREATE (MATERIALIZED VIEW|TABLE) \w+ AS\s+", "", text)


def decode(description):
    """Counts every column of every table, so that none is skipped; the first column counts rows."""
    counts = []
    for table in description["tables"]:
        columns = " + ".join(f"COUNT(`{name}`)" for name, _ in inputs.columns(table))
        counts.append(f"SELECT COUNT(*) AS n, {columns} AS fields FROM {table['name']}")
    return " UNION ALL ".join(counts)
