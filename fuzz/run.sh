#!/bin/sh
# Gives every target so many seconds (20 unless said), two targets at a time, and ends with the first finding. Needs a C++
# compiler and cargo-fuzz (`cargo install cargo-fuzz --locked`); works with a stable Rust.
#
#   sh fuzz/run.sh                    all targets, 20 s each, as CI does
#   sh fuzz/run.sh 600 json resp      these, for 10 minutes each
set -eu
cd "$(dirname "$0")"

seconds=${1:-20}
[ $# = 0 ] || shift
targets=${*:-$(ls seeds)}

# What cargo-fuzz asks of a compiler is unstable; the code itself is not. No sanitizer: there is no unsafe code here to
# be found out, and without one twice as many inputs are tried.
export RUSTC_BOOTSTRAP=1
host=$(rustc -vV | sed -n 's/^host: //p')
built=${CARGO_TARGET_DIR:-target}/$host/release
cargo fuzz build --fuzz-dir . --sanitizer none --codegen-units 16

fuzz() {
    mkdir -p "corpus/$1" artifacts "regressions/$1"
    dictionary=
    [ ! -f "dictionaries/$1.dict" ] || dictionary=-dict=dictionaries/$1.dict
    # shellcheck disable=SC2086
    "$built/$1" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
        -verbosity=0 $dictionary -artifact_prefix="artifacts/$1-" "corpus/$1" "seeds/$1" "regressions/$1" \
        >"artifacts/$1.log" 2>&1 || { cat "artifacts/$1.log"; echo "FAILED: fuzz target $1"; return 1; }
    awk -v target="$1" '/number_of_executed_units/ { print target ": " $2 " inputs tried, nothing found" }' "artifacts/$1.log"
}

# shellcheck disable=SC2086
set -- $targets
failed=0
while [ $# -gt 0 ]; do
    fuzz "$1" & first=$!
    second=
    [ $# = 1 ] || { fuzz "$2" & second=$!; }
    wait "$first" || failed=1
    [ -z "$second" ] || wait "$second" || failed=1
    [ $failed = 0 ] || exit 1
    shift
    [ $# = 0 ] || shift
done
