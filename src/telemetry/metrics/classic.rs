//! From OpenMetrics to Prometheus' older text format, line by line while it is written.
//!
//! Samples are the same in both. The heads differ: OpenMetrics names a counter without `_total` and an info without
//! `_info`, the older format names what its samples are called, has no `info`, and knows neither `# UNIT` nor `# EOF`.

use std::fmt::{self, Write};

/// A writer that takes OpenMetrics and passes on text format 0.0.4.
pub(super) struct Classic<'a> {
    out: &'a mut String,
    /// A comment that has not ended, or nothing.
    comment: String,
    /// The `# HELP` that waits for the `# TYPE` behind it, which says how the metric is called here.
    help: String,
    at: At,
}

/// Where in a line we are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Comment,
    Sample,
}

impl<'a> Classic<'a> {
    pub(super) fn new(out: &'a mut String) -> Self {
        Self { out, comment: String::new(), help: String::new(), at: At::Start }
    }

    fn end_of_comment(&mut self) {
        let mut words = self.comment.splitn(4, ' ');
        match (words.nth(1), words.next(), words.next()) {
            (Some("HELP"), Some(_), Some(help)) => help.clone_into(&mut self.help),
            (Some("TYPE"), Some(stem), Some(kind)) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    kind => ("", kind),
                };
                if !self.help.is_empty() {
                    self.out.push_str("# HELP ");
                    self.out.push_str(stem);
                    self.out.push_str(suffix);
                    self.out.push(' ');
                    self.out.push_str(&self.help);
                    self.out.push('\n');
                    self.help.clear();
                }
                self.out.push_str("# TYPE ");
                self.out.push_str(stem);
                self.out.push_str(suffix);
                self.out.push(' ');
                self.out.push_str(kind);
                self.out.push('\n');
            }
            _ => {}
        }
        self.comment.clear();
    }
}

impl Write for Classic<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive('\n') {
            if self.at == At::Start {
                self.at = if piece.starts_with('#') { At::Comment } else { At::Sample };
            }
            let ends = piece.ends_with('\n');
            match self.at {
                At::Comment if ends => {
                    self.comment.push_str(piece.trim_end_matches('\n'));
                    self.end_of_comment();
                }
                At::Comment => self.comment.push_str(piece),
                At::Sample | At::Start => self.out.push_str(piece),
            }
            if ends {
                self.at = At::Start;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "# HELP a What \\\\ it is\n# TYPE a counter\na_total{x=\"# TYPE y z\"} 1\n# HELP b B\n# TYPE b info\n\
        # UNIT b seconds\nb_info{v=\"1\"} 1\n# HELP c C\n# TYPE c histogram\nc_sum 1.5\nc_bucket{le=\"+Inf\"} 1\n\
        # TYPE d gauge\nd 4\n# EOF\n";
    const OLDER: &str = "# HELP a_total What \\\\ it is\n# TYPE a_total counter\na_total{x=\"# TYPE y z\"} 1\n\
        # HELP b_info B\n# TYPE b_info gauge\nb_info{v=\"1\"} 1\n# HELP c C\n# TYPE c histogram\nc_sum 1.5\n\
        c_bucket{le=\"+Inf\"} 1\n# TYPE d gauge\nd 4\n";

    #[test]
    fn heads_are_renamed_and_samples_are_not() {
        let mut text = String::new();
        Classic::new(&mut text).write_str(OPEN).unwrap();
        assert_eq!(text, OLDER);
    }

    #[test]
    fn it_does_not_matter_how_the_text_is_cut() {
        for size in 1..20 {
            let mut text = String::new();
            let mut classic = Classic::new(&mut text);
            for piece in OPEN.as_bytes().chunks(size) {
                classic.write_str(std::str::from_utf8(piece).unwrap()).unwrap();
                classic.write_str("").unwrap();
            }
            assert_eq!(text, OLDER, "pieces of {size}");
        }
    }
}
