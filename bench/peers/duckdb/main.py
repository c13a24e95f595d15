"""DuckDB as a contender: it recomputes, once over everything or at every tick over what has come so far.

Queries are those of `bench/queries`: NAME.duckdb.sql where there is one, otherwise the query of NAME.sql. A result is
fetched batch by batch and dropped while the clock runs; what it is is found out by asking once more afterwards.
"""

import pathlib
import time

import duckdb
import recompute
import tables
from contender import answer, process, protocol

QUERIES = pathlib.Path(__file__).resolve().parents[2] / "queries"

# Queries that keep nothing: nobody would ask them again at every tick.
STATELESS = ["q0", "q1", "q2", "stateless"]

# Workloads by the folder of their queries.
WORKLOADS = {
    "nexmark": ["q0", "q1", "q2", "q3", "q4", "q5", "q7", "q8", "q9"],
    "synthetic": ["stateless", "most-bids", "join-max-random", "join-max-monotone", "tumbling"],
    "ivm": [f"ivm-{name}" for name in ["join", "aggregate", "max", "top-k", "outer-join", "distinct", "window"]],
    "tpch": ["tpch-q1", "tpch-q3", "tpch-q5", "tpch-q6"],
    "talk": ["talk-unhappy", "talk-fraud", "talk-balances"],
}


def about():
    workloads = [name for names in WORKLOADS.values() for name in names]
    variants = list(recompute.VARIANTS)
    return {
        "name": "duckdb",
        "version": f"duckdb {duckdb.__version__}",
        "configuration": [
            "in memory, threads = workers, schema given to the JSON reader; the rest default",
            "plain: the query once over the JSON lines; preserve_insertion_order = false, as recommended, unless rows are taken back",
            "epoch: JSON lines are parsed once; each tick is inserted into tables, then the query runs",
            "epoch-json, epoch-parquet: at each tick the query runs over the files up to there",
            "results are fetched as Arrow batches and dropped",
        ],
        "durable": "nothing",
        "can": [
            {"tier": "t0", "workloads": workloads, "paced": False, "variants": []},
            {"tier": "t1", "workloads": workloads, "paced": False, "variants": []},
            {"tier": "t1", "workloads": [w for w in workloads if w not in STATELESS], "paced": False, "variants": variants},
        ],
    }


def measure(request):
    description = protocol.described(request)
    tier, workload = request["tier"], request["spec"]["workload"]
    if tier not in ("t0", "t1") or request.get("rate_per_s"):
        raise protocol.Refused(f"duckdb does not do {tier}, nor paced")
    inputs = [tables.Input(table, request["files"]) for table in description["tables"]]
    if tier == "t0":
        return decode(request, inputs)
    ask = query(workload)
    run = recompute.once if request.get("variant") is None else recompute.VARIANTS.get(request["variant"])
    if run is None:
        raise protocol.Refused(f"no variant {request['variant']}; there are {' '.join(recompute.VARIANTS)}")
    clock = Clock()
    connection = connect(request)
    run(connection, inputs, ask, description["load_ticks"], clock)
    figures = clock.stop()
    found = answer.Answer()
    for batch in connection.sql(ask).to_arrow_reader(100_000):
        found.add(batch.columns)
    return {"answer": found.figures(), **figures}


def decode(request, inputs):
    """Reads and counts: of every column, so that none is skipped."""
    clock = Clock()
    connection = connect(request)
    rows = 0
    for one in inputs:
        counted = connection.execute(f"SELECT COUNT(*), COUNT(COLUMNS(*)) FROM {one.json()}").fetchone()
        rows += counted[0]
    clock.first()
    return {"answer": {"rows": rows, "hash": 0}, **clock.stop()}


def connect(request):
    """A database in memory."""
    return duckdb.connect(config={"threads": request["workers"]})


def query(workload):
    """The text of the workload's query."""
    folder = next((folder for folder, names in WORKLOADS.items() if workload in names), None)
    if folder is None:
        raise protocol.Refused(f"no query for {workload}")
    name = workload.removeprefix(f"{folder}-")
    name = "join-max" if name.startswith("join-max") else name
    own, published = QUERIES / folder / f"{name}.duckdb.sql", QUERIES / folder / f"{name}.sql"
    return tables.select((own if own.exists() else published).read_text())


class Clock:
    """Time and memory of this process."""

    def __init__(self):
        self.first_s = None
        self.ticks = []
        self.start()

    def start(self):
        """Time is counted from here; what came before is loaded."""
        process.forget_peak(["self"])
        self.cpu_s, self.wall_s = time.process_time(), time.monotonic()

    def first(self):
        """There is a result."""
        self.first_s = self.first_s or process.age_s()

    def stop(self):
        """The figures, as the protocol says them."""
        wall_s, cpu_s = time.monotonic() - self.wall_s, time.process_time() - self.cpu_s
        first_ms = self.first_s * 1000 if self.first_s else None
        ticks = protocol.spread(self.ticks)
        return {"cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": process.peak_mb(["self"]), "first_ms": first_ms, "ticks": ticks}


if __name__ == "__main__":
    protocol.serve(about, measure)
