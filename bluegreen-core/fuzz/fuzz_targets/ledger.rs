#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bluegreen_core_fuzz::ledger::check(data));
