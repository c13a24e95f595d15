#!/usr/bin/env bash
# Does the suite notice bugs? Tries a seeded sample of mutants of operators, expressions and lowering:
#   tests/mutants.sh [HOW_MANY] [SEED]
# Each mutant is a build and a run of the tests of planner and dataflow and of a short property test: count on three
# minutes each. Results stand in mutants.out. A mutant that survives becomes a new case, or is explained in
# tests/mutants.md.
# The tree is copied without .git and .tools, so what asks git (tidy) or DuckDB is left out; the tests of answers
# (slt, language) would double the time and are left out, too.
set -euo pipefail
cd "$(dirname "$0")/.."
how_many=${1:-50} seed=${2:-1}
files=(
  -f 'engine/dataflow/src/render/**/*.rs'
  -f 'engine/dataflow/src/expr.rs'
  -f 'planner/src/lower/*.rs'
  -f 'planner/eval/src/*.rs'
)
patterns=()
while IFS= read -r pattern; do patterns+=(--re "$pattern"); done < <(
  cargo mutants --list --json "${files[@]}" | python3 -c '
import json, random, re, sys
names = sorted(mutant["name"] for mutant in json.load(sys.stdin))
sample = random.Random(int(sys.argv[2])).sample(names, min(int(sys.argv[1]), len(names)))
# what re.escape escapes besides these means something else to the other side
print("\n".join("^" + re.sub(r"([\\.^$|?*+()\[\]{}])", r"\\\1", name) + "$" for name in sample))
' "$how_many" "$seed"
)
echo "$((${#patterns[@]} / 2)) mutants, seed $seed" >&2
[ ${#patterns[@]} -gt 0 ]
export MILLRACE_CASES=${MILLRACE_CASES:-600} MILLRACE_SHRINK=0
exec cargo mutants "${files[@]}" "${patterns[@]}" --jobs 1 --timeout-multiplier 5 \
  --test-package millrace-dataflow --test-package millrace-planner --test-package millrace-tests \
  -- -- --skip duckdb --skip tidy --skip slt --skip language
