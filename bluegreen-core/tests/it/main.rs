//! The local store on real files, and journals of earlier versions.

mod journals;
mod local_store;
