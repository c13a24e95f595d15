"""Compares Millrace over files with DuckDB over the same files: compare.py --binary PATH [--rows N] …

Each query of queries.sql is a MATERIALIZED VIEW. It is read
* on the way: its changes, of a run of its own in ten ticks, added up after every tick, against DuckDB's answer over what
  the files held until then; the format of the files goes round with the queries;
* at the end: all views in one run, each read by a pull query, once for every format.

Exit status 1 and the rows that differ, if any do; a table of times, rows per second and peak memory on stdout.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.dont_write_bytecode = True  # the folder is the sources' alone
import inputs  # noqa: E402

HERE = Path(__file__).parent
TICKS = 10
CLOSE = 1e-6
DIFFERING_ROWS_SHOWN = 5
MB = 1 << 20


class Query:
    def __init__(self, name, sql):
        self.name, self.sql = name, sql
        self.duckdb = re.sub(r" / ", " // ", sql)
        self.reads = [r.name for r in inputs.relations(10) if re.search(rf"\b{r.name}\b(?! *\()", re.sub(r"AS \w+", "", sql))]

    def in_ticks(self):
        """The cuts of a bag's file are those of the others only where it is read alone: its records have no event time."""
        return self.reads == ["offers"] or "offers" not in self.reads

    def view(self):
        return f"CREATE MATERIALIZED VIEW v_{self.name} AS {self.sql};"


def queries():
    found = {}
    for block in re.split(r"^-- (?=[a-z_]+(?:: duckdb)?$)", (HERE / "queries.sql").read_text(), flags=re.M)[1:]:
        name, sql = block.split("\n", 1)
        sql = sql.strip().removesuffix(";")
        if name.endswith(": duckdb"):
            found[name.split(":")[0]].duckdb = sql
        else:
            found[name] = Query(name, sql)
    return list(found.values())


def differences():
    lines = (HERE / "differences.txt").read_text().splitlines()
    return {tuple(part.strip() for part in line.split("|")[:2]) for line in lines if line and not line.startswith("#")}


class Report:
    def __init__(self):
        self.failures, self.used = [], set()

    def line(self, what, form, rows, seconds, peak, compared):
        wall, cpu = seconds
        rate = f"{rows / wall / 1e6:6.2f} M rows/s"
        print(f"{what:<24}{form:<9}{rows:>11,} rows {wall:>7.2f} s {cpu:>7.2f} CPU s {rate} {peak / MB:>6.0f} MB  {compared}", flush=True)

    def fail(self, what, text):
        self.failures.append(what)
        print(f"DIFFERENT {what}\n{text}", flush=True)


def run(binary, script, out: Path):
    """Runs a script, stdout to a file. Seconds (wall, CPU), and the most memory that the process had, in bytes."""
    begun, used = time.monotonic(), cpu_of_children()
    with open(out, "wb") as stdout, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen([binary, "run", "--format", "csv", "-"], stdin=subprocess.PIPE, stdout=stdout, stderr=stderr)
        process.stdin.write(script.encode())
        process.stdin.close()
        peak = 0
        while process.poll() is None:
            # the usage that wait4 reports begins with what this process had when it forked
            peak = max(peak, high_water(process.pid))
            time.sleep(0.01)
        seconds = (time.monotonic() - begun, cpu_of_children() - used)
        stderr.seek(0)
        said = stderr.read().decode(errors="replace")
        notes = [line for line in said.splitlines() if line.startswith("note:")]
        if process.returncode != 0 or notes:
            raise SystemExit(f"millrace ended with {process.returncode}\n{script}\n{said}")
    return seconds, peak


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def high_water(pid):
    """The most memory that a process has had until now, in bytes."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


class Comparison:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.db = duckdb.connect()
        self.report, self.excused = Report(), differences()
        self.queries = [q for q in queries() if re.search(args.only, q.name)]

    def types(self, query):
        return [(name, kind) for name, kind, *_ in self.db.execute(f"DESCRIBE {query.duckdb}").fetchall()]

    def exact(self, query, types):
        """The columns that have to be equal; those of the list need only be close."""
        excused = [i for i, (name, _) in enumerate(types) if (query.name, name.lower()) in self.excused]
        self.report.used |= {(query.name, types[i][0].lower()) for i in excused}
        return [f"c{i}" for i in range(len(types)) if i not in excused], [f"c{i}" for i in excused]

    def load(self, query, types, path, first):
        """Loads rows that Millrace printed into the table `ours`."""
        columns = first + [(f"c{i}", kind) for i, (_, kind) in enumerate(types)]
        spec = ", ".join(f"'{name}': '{kind}'" for name, kind in columns)
        self.db.execute(f"""CREATE OR REPLACE TABLE ours AS SELECT * FROM read_csv('{path}', header = true, auto_detect = false,
            delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, new_line = '\\n', columns = {{{spec}}})""")

    def theirs(self, query, types):
        names = ", ".join(f"c{i}" for i in range(len(types)))
        return f"(SELECT * FROM ({query.duckdb}) AS q({names}))"

    def check(self, query, types, ours, at):
        """Compares rows with their counts: `ours` selects the columns and `n`."""
        exact, close = self.exact(query, types)
        row = ", ".join(exact)
        print_of = f"SELECT coalesce(sum(n), 0), coalesce(sum(hash({row})::HUGEINT * n), 0)"
        theirs = f"(SELECT *, 1 AS n FROM {self.theirs(query, types)})"
        equal = self.db.execute(f"{print_of} FROM {ours}").fetchone() == self.db.execute(f"{print_of} FROM {theirs}").fetchone()
        text = [] if equal else self.only_one_has(exact, ours, theirs)
        if equal and close:
            text = self.too_far(exact, close, ours, theirs)
        if text:
            self.report.fail(f"{query.name} {at}", "\n".join(text + [query.sql]))
        return not text

    def only_one_has(self, exact, ours, theirs):
        side = lambda rows: f"SELECT {', '.join(exact)}, sum(n)::BIGINT AS n FROM {rows} GROUP BY ALL HAVING sum(n) <> 0"
        text = []
        for who, a, b in [("ours", ours, theirs), ("DuckDB's", theirs, ours)]:
            found = self.db.execute(f"SELECT * FROM ({side(a)} EXCEPT {side(b)}) ORDER BY ALL").fetchall()
            text += [f"  {len(found)} only {who}"] + [f"    {r}" for r in found[:DIFFERING_ROWS_SHOWN]]
        return text

    def too_far(self, exact, close, ours, theirs):
        """Rows whose listed columns are not close. The other columns tell rows apart."""
        kept = f"(SELECT * EXCLUDE (n) FROM {ours} GROUP BY ALL HAVING sum(n) <> 0)"
        same = " AND ".join(f"o.{c} IS NOT DISTINCT FROM t.{c}" for c in exact)
        far = " OR ".join(f"coalesce(abs(o.{c}::DOUBLE - t.{c}::DOUBLE) > {CLOSE}, (o.{c} IS NULL) <> (t.{c} IS NULL))" for c in close)
        found = self.db.execute(f"SELECT o.*, t.* FROM {kept} AS o JOIN {theirs} AS t ON {same} WHERE {far}").fetchall()
        return [f"  {len(found)} too far from each other"] + [f"    {r}" for r in found[:DIFFERING_ROWS_SHOWN]] if found else []

    def on_the_way(self):
        rows = self.args.rows
        step = rows // TICKS
        prints = {}
        chosen = [q for q in self.queries if q.in_ticks()]
        runs = []
        for i, query in enumerate(chosen):
            form = list(inputs.FORMATS)[i % len(inputs.FORMATS)]
            creates = "\n".join(inputs.create_of(self.folder, r, form) for r in inputs.relations(rows) if r.name in query.reads)
            script = f"""SET 'millrace.tick.rows' = '{step * len(query.reads)}'; SET 'millrace.changes' = 'diff';
                {creates}\n{query.view()}\nSELECT * FROM v_{query.name} EMIT CHANGES;"""
            out = self.folder / f"{query.name}.csv"
            runs.append((query, form, out, *run(self.args.binary, script, out)))
        right = {query.name: 0 for query in chosen}
        for k in range(1, TICKS + 1):
            inputs.cut(self.db, rows, k * step)
            for query, form, out, _, _ in runs:
                types = self.types(query)
                if query.name not in prints:
                    self.load(query, types, out, [("tick", "BIGINT"), ("diff", "BIGINT")])
                    self.db.execute(f"CREATE OR REPLACE TABLE ours_{query.name} AS SELECT * FROM ours")
                    prints[query.name] = self.db.execute("SELECT count(DISTINCT tick) FROM ours").fetchone()[0]
                # ticks count from 1; what comes when the input has ended belongs to the last
                until = f"tick <= {k}" if k < TICKS else "true"
                ours = f"(SELECT * EXCLUDE (tick, diff), diff AS n FROM ours_{query.name} WHERE {until})"
                right[query.name] += self.check(query, types, ours, f"({form}) at {k * step:,} records of each file")
        for query, form, _, seconds, peak in runs:
            ticks = f"{prints[query.name]} ticks with changes, {right[query.name]} of {TICKS} answers equal"
            self.report.line(query.name, form, rows * len(query.reads), seconds, peak, ticks)

    def at_the_end(self):
        rows = self.args.rows
        inputs.cut(self.db, rows, rows)
        for form in inputs.FORMATS:
            creates = [inputs.create_of(self.folder, r, form) for r in inputs.relations(rows)]
            pulls = [f"SELECT * FROM v_{query.name};" for query in self.queries]
            out = self.folder / f"all-{form}.csv"
            seconds, peak = run(self.args.binary, "\n".join(creates + [q.view() for q in self.queries] + pulls), out)
            parts = split(out, self.folder)
            if len(parts) != len(self.queries):
                raise SystemExit(f"{len(self.queries)} queries have {len(parts)} answers")
            right = 0
            for query, part in zip(self.queries, parts):
                types = self.types(query)
                self.load(query, types, part, [])
                right += self.check(query, types, "(SELECT *, 1 AS n FROM ours)", f"({form}) at the end")
            self.report.line(f"all {len(self.queries)} views", form, rows * len(creates), seconds, peak, f"{right} answers equal")


def split(path: Path, folder: Path):
    """Cuts results at the empty lines between them. An empty line within quotes is a part of a text."""
    parts, quoted, out = [], False, None
    with open(path, "rb") as lines:
        for line in lines:
            if out is None:
                parts.append(folder / f"part-{len(parts)}.csv")
                out = open(parts[-1], "wb")
            if line == b"\n" and not quoted:
                out.close()
                out = None
                continue
            quoted ^= line.count(b'"') % 2 == 1
            out.write(line)
    if out is not None:
        out.close()
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the millrace to run")
    parser.add_argument("--rows", type=int, default=1000, help="records of each file, a multiple of ten")
    parser.add_argument("--only", default="", help="a pattern for names of queries")
    parser.add_argument("--folder", help="where the files go, instead of a temporary folder; they stay")
    args = parser.parse_args()
    if args.rows < 10 or args.rows % 10 != 0:
        parser.error("--rows must be a multiple of ten")
    with tempfile.TemporaryDirectory(prefix="millrace-compare-") as temporary:
        folder = Path(args.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        comparison = Comparison(args, folder)
        begun = time.monotonic()
        inputs.make(comparison.db, folder, args.rows)
        print(f"{args.rows:,} records a file, made in {time.monotonic() - begun:.1f} s by DuckDB {duckdb.__version__}", flush=True)
        comparison.on_the_way()
        comparison.at_the_end()
    report = comparison.report
    unused = {u for u in comparison.excused - report.used if not args.only}
    if unused:
        report.fail("differences.txt", f"  nothing needs {sorted(unused)}")
    print(f"{len(report.failures)} differences" if report.failures else "all answers equal")
    sys.exit(1 if report.failures else 0)


if __name__ == "__main__":
    main()
