//! Under construction.

#[cfg(feature = "emulator")]
pub mod emulator;
