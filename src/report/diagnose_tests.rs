//! Tests of the report in depth.
