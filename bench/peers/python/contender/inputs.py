"""What the harness's input files hold, told to SQL."""

from contender.protocol import Refused

# Types as they are named in most dialects of SQL.
NAMES = {"BigInt": "BIGINT", "Int": "INTEGER", "Varchar": "VARCHAR", "Date": "DATE", "Double": "DOUBLE"}


def sql_type(kind):
    """The type of a column, of its description."""
    if isinstance(kind, dict):
        precision, scale = kind["Decimal"]
        return f"DECIMAL({precision}, {scale})"
    return NAMES[kind]


def columns(table):
    """Names and types of a table's columns, the operation first if rows are taken back."""
    found = [(column["name"], sql_type(column["sql_type"])) for column in table["columns"]]
    return [("op", "VARCHAR"), *found] if table["retracts"] else found


def key(table):
    """The name of a table's key, which it has if rows are taken back."""
    if table["key"] is None:
        raise Refused(f"{table['name']} has no key")
    return table["columns"][table["key"]]["name"]
