"""The ways to recompute: each takes a connection, inputs, the query, how many ticks are loaded before, and the clock."""

import time


def once(connection, inputs, query, _load_ticks, clock):
    """The query once, over all of the JSON lines; their order is of no matter unless some take others back."""
    if not any(one.retracts for one in inputs):
        connection.execute("SET preserve_insertion_order = false")
    for one in inputs:
        connection.execute(f"CREATE TEMP VIEW {one.name} AS {one.live(one.json())}")
    drop(connection, query, clock)


def epoch(connection, inputs, query, load_ticks, clock):
    """The records are parsed once, into a table; each tick is then inserted where it belongs, and the query asked.

    What DuckDB does best: the state is in its own columns, and a tick costs its insertion and the query.
    """
    for one in inputs:
        columns = ", ".join(one.read(query))
        connection.execute(f"CREATE TEMP TABLE {one.name}_records AS SELECT {columns} FROM {one.json()}")
        kept = ", ".join(column for column in one.read(query) if column != "op")
        connection.execute(f"CREATE TEMP TABLE {one.name} AS SELECT {kept} FROM {one.name}_records LIMIT 0")
    ends = [0] * len(inputs)
    for tick in range(ticks(inputs)):
        if tick == load_ticks and load_ticks > 0:
            clock.start()
        begun = time.monotonic()
        for i, one in enumerate(inputs):
            start, ends[i] = ends[i], ends[i] + one.rows[tick]
            insert(connection, one, query, start, ends[i])
        if tick >= load_ticks:
            drop(connection, query, clock)
            clock.ticks.append((time.monotonic() - begun) * 1000)


def insert(connection, one, query, start, end):
    """Some of the records: of each key the last."""
    records = f"{one.name}_records WHERE rowid >= {start} AND rowid < {end}"
    if start == end:
        return
    if not one.retracts:
        connection.execute(f"INSERT INTO {one.name} SELECT * FROM {records}")
        return
    kept = ", ".join(column for column in one.read(query) if column != "op")
    connection.execute(f"DELETE FROM {one.name} WHERE {one.key} IN (SELECT {one.key} FROM {records})")
    connection.execute(
        f"INSERT INTO {one.name} SELECT {kept} FROM {records} "
        f"QUALIFY row_number() OVER (PARTITION BY {one.key} ORDER BY rowid DESC) = 1 AND op <> 'd'"
    )


def epoch_json(connection, inputs, query, load_ticks, clock):
    """At each tick the query over the JSON lines up to there."""
    over_files(connection, inputs, query, load_ticks, clock, lambda one: one.json())


def epoch_parquet(connection, inputs, query, load_ticks, clock):
    """The same over Parquet."""
    over_files(connection, inputs, query, load_ticks, clock, lambda one: one.parquet())


def over_files(connection, inputs, query, load_ticks, clock, read):
    for tick in range(load_ticks, ticks(inputs)):
        begun = time.monotonic()
        for one in inputs:
            records = f"(SELECT * FROM {read(one)} LIMIT {sum(one.rows[: tick + 1])})"
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {one.name} AS {one.live(records)}")
        drop(connection, query, clock)
        clock.ticks.append((time.monotonic() - begun) * 1000)


def ticks(inputs):
    return len(inputs[0].rows)


def drop(connection, query, clock):
    """The query's result, batch by batch, to nothing."""
    for batch in connection.sql(query).to_arrow_reader(100_000):
        if batch.num_rows:
            clock.first()


VARIANTS = {"epoch": epoch, "epoch-json": epoch_json, "epoch-parquet": epoch_parquet}
