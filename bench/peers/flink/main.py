"""Apache Flink as a contender: the Table API, a cluster within one JVM, JSON lines from files to nothing.

Two jobs of the same query run one after the other in the same JVM. The first writes its changelog to files, which are
added up and hashed: it shows the answer, warms the JVM up, and is the cold start. The second goes to `blackhole` and is
the one that is measured, with the CPU time of the whole tree of processes.
"""

import os
import pathlib
import shutil
import tempfile
import threading
import time

import changelog
import tables
from contender import process, protocol

VERSION = "2.3.0"
HEAP = ["-Xms2g", "-Xmx3g", "-XX:+UseG1GC"]

WORKLOADS = {
    "nexmark": ["q0", "q1", "q2", "q3", "q4", "q5", "q7", "q8", "q9"],
    "synthetic": ["stateless", "most-bids", "join-max-random", "join-max-monotone", "tumbling"],
}

SETTINGS = {
    "execution.runtime-mode": "STREAMING",
    "pipeline.object-reuse": "true",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "2 s",
    "table.exec.mini-batch.size": "50000",
    "table.local-time-zone": "UTC",
    "state.backend.type": "hashmap",
    "taskmanager.memory.network.min": "256 mb",
    "taskmanager.memory.network.max": "256 mb",
    "rest.address": "localhost",
    "rest.bind-address": "localhost",
}


def about():
    workloads = [name for names in WORKLOADS.values() for name in names]
    return {
        "name": "flink",
        "version": f"apache-flink {VERSION}, Java 17",
        "configuration": [
            *[f"{name} = {value}" for name, value in SETTINGS.items()],
            f"JVM: {' '.join(HEAP)}; parallelism = workers, as many slots",
            "no checkpoints; watermarks 4 s behind; whole table schemas declared, its planner projects",
            "one unmeasured job of the same query before, in the same JVM, with the answer to files",
        ],
        "durable": "nothing",
        "can": [
            {"tier": tier, "workloads": workloads, "paced": False, "variants": []} for tier in ["t0", "t1"]
        ],
    }


def measure(request):
    description = protocol.described(request)
    if request["tier"] not in ("t0", "t1") or request.get("rate_per_s") or request.get("variant"):
        raise protocol.Refused("flink does T0 and T1, as fast as it can")
    ask = tables.decode(description) if request["tier"] == "t0" else query(request["spec"]["workload"])
    scratch = tempfile.mkdtemp(prefix="flink-")
    try:
        return run(request, description, ask, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def run(request, description, ask, scratch):
    os.environ["FLINK_LOG_DIR"] = scratch
    os.environ["JVM_ARGS"] = " ".join(HEAP)
    # starts no JVM yet, but reads the environment
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableDescriptor, TableEnvironment

    settings = {**SETTINGS, "parallelism.default": str(request["workers"])}
    settings["taskmanager.numberOfTaskSlots"] = str(request["workers"])
    configuration = Configuration()
    for name, value in settings.items():
        configuration.set_string(name, value)
    environment = TableEnvironment.create(EnvironmentSettings.new_instance().with_configuration(configuration).build())
    for table in description["tables"]:
        environment.execute_sql(tables.create(table, request["files"]))
    table = environment.sql_query(ask)

    seen = TableDescriptor.for_connector("filesystem").option("path", f"{scratch}/answer").format("debezium-json")
    seen = seen.option("debezium-json.encode.decimal-as-plain-number", "true").build()
    watch = FirstFile(f"{scratch}/answer")
    cold = job(table, seen)
    first_s = watch.stop()
    found = changelog.add_up(f"{scratch}/answer", table.get_schema())
    if request["tier"] == "t0":
        found = {"rows": found.counted, "hash": 0}
    else:
        found = found.figures()
    warm = job(table, TableDescriptor.for_connector("blackhole").build())
    note = f"cold: its first job took {cold['wall_s']:.1f} s and {cold['cpu_s']:.1f} CPU s, and ended {cold['age_s']:.1f} s after the start"
    figures = {name: warm[name] for name in ["cpu_s", "wall_s", "peak_mb"]}
    return {"answer": found, **figures, "first_ms": first_s * 1000, "note": note}


def job(table, sink):
    """Runs the query into a sink, to its end."""
    processes = process.descendants(os.getpid())
    process.forget_peak(processes)
    cpu_s, wall_s = process.cpu_s(processes), time.monotonic()
    table.execute_insert(sink).wait()
    return {
        "wall_s": time.monotonic() - wall_s,
        "cpu_s": process.cpu_s(processes) - cpu_s,
        "peak_mb": process.peak_mb(processes),
        "age_s": process.age_s(),
    }


def query(workload):
    """The text of the workload's query."""
    folder = next((folder for folder, names in WORKLOADS.items() if workload in names), None)
    if folder is None:
        raise protocol.Refused(f"no query for {workload}")
    name = "join-max" if workload.startswith("join-max") else workload
    return tables.query(pathlib.Path(__file__).resolve().parents[2] / "queries" / folder, name)


class FirstFile:
    """Watches a folder for the first byte that is written there."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.first_s = None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while self.first_s is None and not self.done.wait(0.05):
            if self.folder.exists() and any(file.is_file() and file.stat().st_size for file in self.folder.rglob("*")):
                self.first_s = process.age_s()

    def stop(self):
        """Seconds from the start of the process to the first byte, at most to now."""
        self.done.set()
        self.thread.join()
        return self.first_s or process.age_s()


if __name__ == "__main__":
    protocol.serve(about, measure)
