//! Nothing: see `cases/`, and beside each what the compiler has to say to it.
