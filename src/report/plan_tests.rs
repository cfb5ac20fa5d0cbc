//! Plans as people and machines see them.
