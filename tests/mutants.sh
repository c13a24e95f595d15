#!/usr/bin/env bash
# Does the suite notice bugs? Tries a seeded sample of mutants of operators, expressions and lowering:
#   tests/mutants.sh [HOW_MANY] [SEED]
# Each mutant is a build and a run of the tests of its crate and of the property test: count on two minutes each.
# A mutant that survives becomes a new case, or is explained in tests/mutants.md.
set -euo pipefail
cd "$(dirname "$0")/.."
how_many=${1:-50} seed=${2:-1}
files=(
  -f 'engine/dataflow/src/render/**/*.rs'
  -f 'engine/dataflow/src/expr.rs'
  -f 'planner/src/lower/*.rs'
  -f 'planner/src/eval/*.rs'
)
picked=$(mktemp)
trap 'rm -f "$picked"' EXIT
cargo mutants --list --json "${files[@]}" | python3 -c '
import json, random, re, sys
names = [mutant["name"] for mutant in json.load(sys.stdin)]
sample = random.Random(int(sys.argv[2])).sample(names, min(int(sys.argv[1]), len(names)))
print("\n".join("^" + re.escape(name) + "$" for name in sample))
' "$how_many" "$seed" >"$picked"
echo "$(wc -l <"$picked") mutants, seed $seed" >&2
patterns=()
while IFS= read -r pattern; do patterns+=(--re "$pattern"); done <"$picked"
MILLRACE_CASES=1000 exec cargo mutants "${files[@]}" "${patterns[@]}" --test-package millrace-dataflow,millrace-planner,millrace-tests
