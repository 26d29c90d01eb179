//! What clients see of the data plane.
