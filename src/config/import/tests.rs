//! Drafts of real files load.
