#!/bin/sh
# Installs redis-server and memcached where they are missing, then runs all tests, the documentation tests and the
# examples. Goes on after a failure, and says at the end what passed.
set -eu
cd "$(dirname "$0")/.."

main() {
    install_servers
    step "tests" run_tests
    step "races" run_doubled --lib races
    step "simulation" run_doubled --test simulation
    step "documentation tests" cargo test --doc --all-features --no-fail-fast
    step "example quickstart" cargo run --example quickstart
    step "example quickstart with a configuration file" \
        cargo run --example quickstart --features full -- --config tests/samples/memory.yaml src
    step "example async_quickstart" cargo run --example async_quickstart --features full
    step "example protected" cargo run --example protected
    step "example async_protected" cargo run --example async_protected --features full
    step "example session" cargo run --example session
    report
}

run_tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --all-features --no-fail-fast
    else
        cargo test --all-features --lib --bins --tests --examples --no-fail-fast
    fi
}

# What stands behind the doors to the world is another's. A target directory of its own, which both share: another cfg
# builds everything anew.
run_doubled() {
    env RUSTFLAGS="--cfg shuttle --cfg simulation" SIMULATION_SCHEDULES="${SIMULATION_SCHEDULES:-2000}" \
        cargo test --release --target-dir target/doubled --features redis,memcached,async,testing "$@"
}

install_servers() {
    missing=""
    have redis-server || missing="redis-server"
    have memcached || missing="$missing memcached"
    if [ -z "$missing" ]; then
        return
    fi
    echo "== installing $missing"
    if have apt-get && [ "$(id -u)" = 0 ]; then
        install_by_apt
    elif have apt-get && have sudo; then
        install_by_apt sudo
    elif have brew; then
        # Homebrew's name for the package of redis-server is redis.
        brew install redis memcached
    fi
    for program in redis-server memcached; do
        have "$program" || give_up "$program"
    done
}

install_by_apt() {
    "$@" apt-get update -q
    # shellcheck disable=SC2086
    "$@" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

give_up() {
    echo "FAILED: $1 is not installed, and there is no apt-get (as root or with sudo) or brew to install it with." >&2
    echo "Install redis-server 7 and memcached 1.6 so that both are found in PATH, and run this again." >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# The exit code goes through a file: a pipe ends with the code of its last command.
step() {
    name=$1
    shift
    echo "== $name"
    { "$@" </dev/null && echo 0 >"$work/code" || echo 1 >"$work/code"; } 2>&1 | tee -a "$work/log"
    if [ "$(cat "$work/code")" = 0 ]; then
        steps_passed=$((steps_passed + 1))
    else
        failed="$failed, $name"
    fi
}

# Sums the summaries of nextest ("12 passed, 1 failed") and of cargo test ("12 passed; 1 failed").
report() {
    counts=$(awk '/Summary \[|^test result: / {
        for (i = 2; i <= NF; i++) {
            if ($i ~ /^passed/) passed += $(i - 1)
            if ($i ~ /^(failed|timed)/) failed += $(i - 1)
        }
    } END { printf "%d passed, %d failed", passed, failed }' "$work/log")
    echo "== $counts; $steps_passed steps passed"
    if [ -n "$failed" ]; then
        echo "FAILED: ${failed#, } ($counts)"
        exit 1
    fi
    echo "PASSED: tests, documentation tests and examples ($counts)"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
steps_passed=0
failed=""
main
