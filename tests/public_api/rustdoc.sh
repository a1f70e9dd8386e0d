#!/bin/sh
# rustdoc's JSON is unstable. The variable is for rustdoc alone: seen by cargo, it has half of the dependencies built anew.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
