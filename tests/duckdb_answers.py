"""Answers queries with DuckDB: one JSON object a line in, one a line out.

In:  {"tables": [{"ddl": "CREATE TABLE …", "name": "T", "rows": [[…], …]}], "sql": "SELECT …"}
Out: {"rows": [[…], …]} or {"error": "…"}. Numbers leave as text: decimals without trailing zeros, doubles as repr.
"""

import decimal
import json
import sys

import duckdb


def out(value):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, decimal.Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, float):
        return repr(value + 0.0)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return [out(item) for item in value]
    return str(value)


for line in sys.stdin:
    case = json.loads(line)
    connection = duckdb.connect()
    connection.execute("SET order_by_non_integer_literal = true")
    try:
        for table in case["tables"]:
            connection.execute(table["ddl"])
            if table["rows"]:
                marks = ", ".join("?" * len(table["rows"][0]))
                connection.executemany(f"INSERT INTO {table['name']} VALUES ({marks})", table["rows"])
        rows = [[out(value) for value in row] for row in connection.execute(case["sql"]).fetchall()]
        print(json.dumps({"rows": rows}), flush=True)
    except Exception as error:  # DuckDB has many kinds; each is an answer here
        print(json.dumps({"error": str(error)}), flush=True)
    finally:
        connection.close()
