#!/usr/bin/env bash
# Puts DuckDB's Python package into a virtual environment: install-duckdb.sh FOLDER VERSION
# The tests compare the reference evaluator with it.
set -euo pipefail
folder=$1 version=$2
if ! python3 -m venv "$folder" 2>/dev/null; then
  echo "python3-venv is missing; installing it" >&2
  if [ "$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq python3-venv
  python3 -m venv "$folder"
fi
"$folder/bin/pip" install --quiet --disable-pip-version-check "duckdb==$version"
"$folder/bin/python" -c 'import duckdb; print("DuckDB", duckdb.__version__)'
