//! Log lines (later metrics and traces): readers of the one event stream.
