"""Apache Flink as a contender: the Table API, a cluster within one JVM, JSON lines from files to nothing.

Jobs of the same query run one after the other in the same JVM. The first writes its changelog to files, which are added
up and hashed: it shows the answer, warms the JVM up, and is the cold start. Over a small input some more follow, until
the JVM is warm. The last goes to `blackhole` and is measured, with the CPU time of the whole tree of processes.
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
# Records that the JVM has seen before the measured job: fewer are not enough for its compiler.
WARM_RECORDS = 2_000_000
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
    # on a machine that others stop and share, a pause is no failure
    "heartbeat.timeout": "600 s",
    "rest.address": "localhost",
    "rest.bind-address": "localhost",
    "rest.bind-port": "0",
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
            f"unmeasured jobs of the same query before, in the same JVM: one, or until {WARM_RECORDS:,} records are seen (4 at most)",
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
    environment, cluster = start(request["workers"])
    for table in description["tables"]:
        environment.execute_sql(tables.create(table, request["files"]))
    table = environment.sql_query(ask)

    watch = FirstFile(f"{scratch}/answer")
    cold = job(table, to_files(f"{scratch}/answer"))
    first_s = watch.stop()
    found = changelog.add_up(f"{scratch}/answer", table.get_schema())
    answer = {"rows": found.counted, "hash": 0} if request["tier"] == "t0" else found.figures()
    for _ in range(warm_ups(description) - 1):
        job(table, to_nothing())
    warm = job(table, to_nothing())
    cluster.close()
    note = (
        f"cold: its first job took {cold['wall_s']:.1f} s and {cold['cpu_s']:.1f} CPU s, "
        f"and ended {cold['age_s']:.1f} s after the start"
    )
    figures = {name: warm[name] for name in ["cpu_s", "wall_s", "peak_mb"]}
    return {"answer": answer, **figures, "first_ms": first_s * 1000, "note": note}


def start(workers):
    """A cluster within a new JVM, which lives until the end, and an environment that sends it jobs."""
    # these read the environment's variables when they start the JVM
    from pyflink.common import Configuration
    from pyflink.java_gateway import get_gateway
    from pyflink.table import EnvironmentSettings, TableEnvironment

    jvm = get_gateway().jvm
    configuration = Configuration()
    for name, value in SETTINGS.items():
        configuration.set_string(name, value)
    configuration.set_string("parallelism.default", str(workers))
    minicluster = jvm.org.apache.flink.runtime.minicluster
    builder = minicluster.MiniClusterConfiguration.Builder()
    builder = builder.setConfiguration(configuration._j_configuration)
    cluster = minicluster.MiniCluster(builder.setNumTaskManagers(1).setNumSlotsPerTaskManager(workers).build())
    cluster.start()
    configuration.set_string("execution.target", "remote")
    configuration.set_string("rest.port", str(cluster.getRestAddress().get().getPort()))
    settings = EnvironmentSettings.new_instance().with_configuration(configuration).build()
    return TableEnvironment.create(settings), cluster


def to_files(folder):
    """A sink that shows what comes out."""
    from pyflink.table import TableDescriptor

    sink = TableDescriptor.for_connector("filesystem").option("path", folder).format("debezium-json")
    return sink.option("debezium-json.encode.decimal-as-plain-number", "true").build()


def to_nothing():
    """A sink that drops what comes out."""
    from pyflink.table import TableDescriptor

    return TableDescriptor.for_connector("blackhole").build()


def warm_ups(description):
    """How many unmeasured jobs there are: one, or more of a small input, but not many."""
    records = sum(sum(table["rows"]) for table in description["tables"])
    return min(max(-(-WARM_RECORDS // max(records, 1)), 1), 4)


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
