//! The local store on real files, journals of earlier versions, and what is no journal.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the fuzzer links it")]
mod fuzz;
mod fuzzed;
mod journals;
mod local_store;
