//! Which exposition a collector is given: what its `Accept` header likes best.

use crate::telemetry::Exposition;

/// OpenMetrics where it is named and liked at least as much as plain text, else the text format, which everybody reads.
/// A header that makes no sense is no reason to refuse a scrape.
pub(super) fn exposition(accept: &str) -> Exposition {
    let liking = |wanted: &str| {
        let weights = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next()?;
            name.eq_ignore_ascii_case(wanted).then(|| weight(parts))
        });
        weights.fold(None, |best: Option<f32>, weight| Some(best.map_or(weight, |best| best.max(weight))))
    };
    match (liking("application/openmetrics-text"), liking("text/plain")) {
        (Some(open), text) if open > 0.0 && open >= text.unwrap_or(0.0) => Exposition::OpenMetrics,
        _ => Exposition::Text,
    }
}

/// The `q` of a media range; 1 where there is none.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> f32 {
    let weight = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().ok())?
    });
    weight.filter(|weight| weight.is_finite()).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_gets_what_it_likes() {
        for (accept, expected) in [
            ("", Exposition::Text),
            ("*/*", Exposition::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Exposition::Text),
            ("application/openmetrics-text", Exposition::OpenMetrics),
            ("Application/OpenMetrics-Text; Version=1.0.0", Exposition::OpenMetrics),
            ("application/openmetrics-text;q=0", Exposition::Text),
            ("application/openmetrics-text;q=0.3,text/plain;q=0.5", Exposition::Text),
            ("text/plain;q=0.5,application/openmetrics-text;q=0.5", Exposition::OpenMetrics),
            ("application/openmetrics-text;q=NaN", Exposition::OpenMetrics),
            (",;;=,;q", Exposition::Text),
            // Prometheus 3, and Prometheus 2 with protobuf.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                Exposition::OpenMetrics,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                 application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.6,*/*;q=0.5",
                Exposition::OpenMetrics,
            ),
        ] {
            assert_eq!(exposition(accept), expected, "{accept}");
        }
    }
}
