#!/usr/bin/env python3
"""Holds the answers of tests/slt/*.slt to PostgreSQL's.

usage: tests/postgres_answers.py [--psql 'psql -h /run/postgresql -U postgres'] [FILE ...]

Each file runs in a schema of its own, which is dropped afterwards. Records with `skipif postgres` are left out: there the
dialects differ, and the comment above the record says how. DOUBLE and DECIMAL are compared as numbers, to the last digit
that the file has. Exit status 1: at least one answer differs.
"""
import argparse
import decimal
import pathlib
import re
import shlex
import subprocess
import sys

MARK = "----8<---- "


def records(text):
    """(line, words of the head, SQL, rows) of each record that PostgreSQL is asked."""
    lines, at, skipped = text.split("\n"), 0, False
    while at < len(lines):
        words = lines[at].split()
        if words[:1] == ["skipif"] or words[:1] == ["onlyif"]:
            skipped |= (words[0] == "skipif") == (words[1] == "postgres") and words[1] in ("postgres", "millrace")
        if not words or words[0] not in ("statement", "query"):
            at += 1
            continue
        start, at, sql, rows = at, at + 1, [], []
        while at < len(lines) and lines[at].strip() and lines[at] != "----":
            sql.append(lines[at])
            at += 1
        if at < len(lines) and lines[at] == "----":
            at += 1
            while at < len(lines) and lines[at]:
                rows.append(lines[at])
                at += 1
        if not skipped:
            yield start + 1, words, "\n".join(sql), rows
        skipped = False


def translated(sql):
    """The same for PostgreSQL."""
    sql = re.sub(r"\s+WITH \(CONNECTOR = 'memory'\)", "", sql)
    return re.sub(r"\bDOUBLE\b(?! PRECISION)", "DOUBLE PRECISION", sql)


def cell(text, null):
    return "NULL" if text == null else text or "(empty)"


def equal(ours, theirs, kind):
    if ours == theirs:
        return True
    if kind == "B":
        return {"true": "t", "false": "f"}.get(ours) == theirs
    if kind == "D":
        return re.sub(r"(\.\d*?)0+$", r"\1", ours) == re.sub(r"(\.\d*?)0+$", r"\1", theirs)
    if kind == "?":
        return ours.replace(" ", "") == theirs.replace("{", "[").replace("}", "]").replace(" ", "")
    if kind == "R":
        try:
            a, b = decimal.Decimal(ours), decimal.Decimal(theirs)
        except decimal.InvalidOperation:
            return False
        last = decimal.Decimal(1).scaleb(a.as_tuple().exponent) if "e" not in ours.lower() else 0
        return abs(a - b) <= max(last / 2, abs(b) * decimal.Decimal("1e-14"))
    return False


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--psql", default="psql")
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    given = arguments.parse_args()
    files = given.files or sorted((pathlib.Path(__file__).parent / "slt").glob("*.slt"))
    wrong = sum(differences(given.psql, file) for file in files)
    sys.exit(1 if wrong else 0)


def differences(psql, file):
    asked = list(records(file.read_text()))
    null, tab = "<NULL>", "\x1f"
    script = [f"\\pset null '{null}'", "SET client_min_messages TO fatal;", "CREATE SCHEMA slt; SET search_path TO slt;"]
    for i, (_, words, sql, _) in enumerate(asked):
        script += [f"\\echo '{MARK}{i}'", translated(sql) + "\n;"]
    script += [f"\\echo '{MARK}'", "DROP SCHEMA slt CASCADE;"]
    command = shlex.split(psql) + ["-X", "-q", "-A", "-t", "-F", tab, "-v", "VERBOSITY=verbose", "-v", "ON_ERROR_STOP=0"]
    done = subprocess.run(command, input="\n".join(script), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    blocks = dict(
        (block.split("\n", 1)[0], block.split("\n", 1)[1].split("\n")[:-1])
        for block in done.stdout.split(MARK)[1:]
        if "\n" in block
    )
    wrong = queries = 0
    for i, (line, words, sql, rows) in enumerate(asked):
        said = blocks.get(str(i), ["psql ended"])
        error = next((re.search(r"ERROR:  (\w{5})", text) for text in said if "ERROR:  " in text), None)
        if words[:2] == ["query", "error"] or words[:2] == ["statement", "error"]:
            verdict = None if error and error[1] == words[2] else f"{words[2]} was expected, PostgreSQL says {said}"
        elif error or words[0] == "statement":
            verdict = f"PostgreSQL says {said}" if error else None
        else:
            queries += 1
            verdict = compared(words, rows, said, null, tab)
        if verdict:
            wrong += 1
            print(f"{file}:{line}: {sql}\n{verdict}\n")
    print(f"{file.name}: {queries} queries, {wrong} differ")
    return wrong


def compared(words, rows, said, null, tab):
    kinds = words[1]
    theirs = [[cell(text, null) for text in row.split(tab)] for row in said]
    theirs = [[t.replace(" ", "T") if k == "D" else t for t, k in zip(row, kinds)] for row in theirs]
    # the cells of a row may contain spaces: ours are found by those of PostgreSQL
    order = theirs if "rowsort" not in words else sorted(theirs, key=lambda row: " ".join(row))
    ours = rows
    if len(ours) != len(order):
        return shown(ours, order)
    left = list(order)
    for row in ours:
        candidates = left[:1] if "rowsort" not in words else left
        match = next((t for t in candidates if fits(row, t, kinds)), None)
        if match is None:
            return shown(ours, order)
        left.remove(match)
    return None


def fits(row, theirs, kinds):
    """Whether the text of a row is these cells."""
    if not theirs:
        return row == ""
    if len(theirs) == 1:
        return equal(row, theirs[0], kinds[0])
    width = theirs[0].count(" ") + 1
    # a list has other spaces here and there
    widths = range(1, row.count(" ") + 1) if kinds[0] == "?" else [width]
    words = row.split(" ")
    return any(
        equal(" ".join(words[:w]), theirs[0], kinds[0]) and fits(" ".join(words[w:]), theirs[1:], kinds[1:])
        for w in widths
    )


def shown(ours, theirs):
    return "--- file\n" + "\n".join(ours) + "\n--- PostgreSQL\n" + "\n".join(" ".join(row) for row in theirs)


main()
