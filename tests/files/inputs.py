"""Makes the input files and says how a relation is read, by Millrace and by DuckDB.

Three relations, each in each format, from one seeded table, so that all formats hold the same rows:
* events, a stream: NULLs, decimals, doubles whose sums are exact in any order, odd strings;
* accounts, a table with a primary key: `op` says c, u or d, a key comes and goes several times;
* offers, a bag: every seventh record deletes a row that came three records before.

`seq` numbers the records of a file. `ms` is the event time of events and accounts: both count up, one on even
milliseconds and one on odd ones, so that the first n records of both are the first 2 n of the merged input.
"""

from dataclasses import dataclass
from pathlib import Path

FORMATS = {"json": "FORMAT json", "csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet"}

ODD_STRINGS = ["north", "south", "a", "aa", "", " ", "ünïcödé", "日本語", "😀", 'with "quotes"', "comma, inside",
               "new\nline", "back\\slash", "NULL", "tab\there", "a text of more than twelve bytes, kept apart"]


@dataclass(frozen=True)
class Relation:
    name: str
    kind: str
    columns: str
    options: str
    records: str
    """What makes its records, out of numbers i."""
    content: str
    """What it holds after the records that are in `records`."""


def draw(salt, modulus):
    return f"(hash(i * 64 + {salt}) % {modulus})::BIGINT"


def text(salt):
    values = ", ".join("'" + s.replace("'", "''") + "'" for s in ODD_STRINGS)
    return f"CASE WHEN {draw(salt, 29)} = 0 THEN NULL ELSE ([{values}])[1 + {draw(salt + 1, len(ODD_STRINGS))}] END"


def relations(rows):
    keys = max(rows // 4, 10)
    offer = f"{draw(31, keys)} AS account, {text(32)} AS kind, ({draw(34, 99_999)} / 100)::DECIMAL(10,2) AS price"
    return [
        Relation(
            "events", "STREAM", "ms BIGINT, id BIGINT, account BIGINT, kind VARCHAR, amount DECIMAL(12,2), ratio DOUBLE, day DATE",
            "TIMESTAMP='ms'",
            f"""SELECT i AS seq, 2 * i + 1 AS ms, i * 7 AS id,
                  CASE WHEN {draw(1, 31)} = 0 THEN NULL ELSE {draw(2, keys * 6 // 5)} END AS account, {text(3)} AS kind,
                  CASE WHEN {draw(5, 37)} = 0 THEN NULL ELSE ({draw(6, 100_000)} / 100)::DECIMAL(12,2) END AS amount,
                  CASE WHEN {draw(7, 41)} = 0 THEN NULL ELSE {draw(8, 4096)} / 8.0::DOUBLE END AS ratio,
                  DATE '2026-01-01' + {draw(9, 300)}::INTEGER AS day FROM range({rows}) AS r(i)""",
            "SELECT ms, id, account, kind, amount, ratio, day FROM records",
        ),
        Relation(
            "accounts", "TABLE", "id BIGINT PRIMARY KEY, owner VARCHAR, region VARCHAR, credit DECIMAL(12,2), ms BIGINT",
            "TIMESTAMP='ms', OP_COLUMN='op'",
            f"""SELECT i AS seq, ['c', 'u', 'u', 'u', 'u', 'd'][1 + {draw(21, 6)}] AS op, 2 * i AS ms, {draw(22, keys)} AS id,
                  'owner ' || {draw(23, 1000)} AS owner, {text(24)} AS region,
                  ({draw(26, 100_000)} / 100)::DECIMAL(12,2) AS credit FROM range({rows}) AS r(i)""",
            """SELECT id, owner, region, credit, ms FROM (SELECT * FROM records
               QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq DESC) = 1) WHERE op <> 'd'""",
        ),
        Relation(
            "offers", "TABLE", "account BIGINT, kind VARCHAR, price DECIMAL(10,2)", "OP_COLUMN='op'",
            f"""SELECT n AS seq, CASE WHEN n % 7 = 6 THEN 'd' ELSE 'c' END AS op, account, kind, price FROM (
                  SELECT n, {offer} FROM (SELECT n, CASE WHEN n % 7 = 6 THEN n - 3 ELSE n END AS i FROM range({rows}) AS r(n)))""",
            """SELECT account, kind, price FROM (SELECT account, kind, price,
                 sum(CASE op WHEN 'd' THEN -1 ELSE 1 END)::BIGINT AS n FROM records GROUP BY ALL), range(n)""",
        ),
    ]


def file_of(folder: Path, relation, form):
    return folder / f"{relation.name}.{form}"


def create_of(folder: Path, relation, form):
    """How Millrace reads it."""
    path = file_of(folder, relation, form)
    return f"CREATE {relation.kind} {relation.name} ({relation.columns}) WITH (CONNECTOR='file', PATH='{path}', {relation.options});"


def make(db, folder: Path, rows):
    """Writes all files; DuckDB keeps the records, in tables `all_…`, as it reads them from the Parquet file."""
    for relation in relations(rows):
        records = f"SELECT * FROM ({relation.records}) ORDER BY seq"
        db.execute(f"CREATE TABLE all_{relation.name} AS {records}")
        for form, options in FORMATS.items():
            path = file_of(folder, relation, form)
            db.execute(f"COPY (SELECT * FROM all_{relation.name} ORDER BY seq) TO '{path}' ({options})")
        db.execute(f"CREATE OR REPLACE TABLE all_{relation.name} AS SELECT * FROM '{file_of(folder, relation, 'parquet')}'")


def cut(db, rows, n):
    """Lets DuckDB's relations hold what they hold after the first n records of each file."""
    for relation in relations(rows):
        records = f"(SELECT * FROM all_{relation.name} WHERE seq < {n}) AS records"
        content = relation.content.replace("FROM records", f"FROM {records}")
        db.execute(f"CREATE OR REPLACE TABLE {relation.name} AS {content}")
