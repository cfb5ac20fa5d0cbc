//! A provider's list of models, for a person to choose from, and for programs. It never judges.

use std::io::{self, Write};

use serde::Serialize;

use super::Format;
use super::layout::grid;
use super::look::{Look, Role};
use crate::outcome::SCHEMA;

/// A provider's list.
#[derive(Debug, Clone, Copy)]
pub struct ModelsView<'a> {
    /// What people call the provider.
    pub provider: &'a str,
    /// Its base URL.
    pub base_url: &'a str,
    /// How many the list names.
    pub total: usize,
    /// Those that are wanted, in the order of the list.
    pub rows: &'a [ModelRow],
}

/// A model of the list. Its texts are clean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelRow {
    /// Its id, as one asks for it.
    pub id: String,
    /// How many tokens it can hold.
    #[serde(rename = "context_tokens", skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// Dollars for a million tokens of prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_usd_per_million: Option<f64>,
    /// Dollars for a million tokens of completion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_usd_per_million: Option<f64>,
    /// The targets that are this model already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    provider: &'a str,
    base_url: &'a str,
    total: usize,
    shown: usize,
    models: &'a [ModelRow],
}

/// Writes a list in a format.
///
/// # Errors
/// Whatever the writer says.
pub fn render_models(view: &ModelsView<'_>, format: Format, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human(view, look, out),
        Format::Json => {
            let document = Document {
                schema: SCHEMA,
                provider: view.provider,
                base_url: view.base_url,
                total: view.total,
                shown: view.rows.len(),
                models: view.rows,
            };
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)
        }
        Format::Jsonl => {
            for row in view.rows {
                serde_json::to_writer(&mut *out, row)?;
                writeln!(out)?;
            }
            Ok(())
        }
    }
}

/// The rows as lines, aligned, without a header: what a choice is made from. Ids are there to be copied, so they are
/// never shortened.
#[must_use]
pub fn model_lines(rows: &[ModelRow], look: &Look) -> Vec<String> {
    let columns = Columns::of(rows);
    let cells: Vec<Vec<String>> = rows.iter().map(|row| columns.row(row, look)).collect();
    grid(&cells, &columns.right()).concat()
}

/// Which columns have anything in them.
struct Columns {
    context: bool,
    price: bool,
    target: bool,
}

impl Columns {
    fn of(rows: &[ModelRow]) -> Self {
        let priced = |row: &ModelRow| row.input_usd_per_million.is_some() || row.output_usd_per_million.is_some();
        Self {
            context: rows.iter().any(|row| row.context.is_some()),
            price: rows.iter().any(priced),
            target: rows.iter().any(|row| !row.targets.is_empty()),
        }
    }

    fn header(&self) -> Vec<String> {
        let mut cells = vec!["MODEL".to_owned()];
        if self.context {
            cells.push("CONTEXT".to_owned());
        }
        if self.price {
            cells.push("IN $/M".to_owned());
            cells.push("OUT $/M".to_owned());
        }
        if self.target {
            cells.push("TARGET".to_owned());
        }
        cells
    }

    fn row(&self, row: &ModelRow, look: &Look) -> Vec<String> {
        let absent = || look.marks.absent().to_owned();
        let mut cells = vec![row.id.clone()];
        if self.context {
            cells.push(row.context.map_or_else(absent, tokens));
        }
        if self.price {
            cells.push(row.input_usd_per_million.map_or_else(absent, dollars));
            cells.push(row.output_usd_per_million.map_or_else(absent, dollars));
        }
        if self.target {
            cells.push(row.targets.join(", "));
        }
        cells
    }

    /// The columns of numbers.
    fn right(&self) -> Vec<usize> {
        let count = usize::from(self.context) + 2 * usize::from(self.price);
        (1..=count).collect()
    }
}

fn human(view: &ModelsView<'_>, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let columns = Columns::of(view.rows);
    let mut cells = vec![columns.header()];
    cells.extend(view.rows.iter().map(|row| columns.row(row, look)));
    let mut lines = grid(&cells, &columns.right()).into_iter().flatten();
    if !view.rows.is_empty()
        && let Some(header) = lines.next()
    {
        writeln!(out, "{}", look.paint(Role::Label, &header))?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
    }
    let noun = if view.total == 1 { "model" } else { "models" };
    let matching = match view.rows.len() {
        shown if shown == view.total => String::new(),
        0 => ", and none of them matches".to_owned(),
        1 => ", and 1 of them matches".to_owned(),
        shown => format!(", and {shown} of them match"),
    };
    writeln!(out, "{} {noun} at {} ({}){matching}", view.total, view.provider, view.base_url)
}

/// A number of tokens, in thousands where that loses nothing that matters: `202k`, `1.05M`.
fn tokens(tokens: u64) -> String {
    match tokens {
        0..1_000 => tokens.to_string(),
        1_000..1_000_000 => format!("{}k", tokens / 1_000),
        _ => format!("{}.{:02}M", tokens / 1_000_000, tokens % 1_000_000 / 10_000),
    }
}

/// Dollars, with as many digits as a price has.
fn dollars(price: f64) -> String {
    let text = format!("{price:.4}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    format!("{whole}.{part:0<2}")
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::report::{Marks, Style};

    fn look(style: Style) -> Look {
        Look { width: 100, style, marks: Marks::Unicode, zone: TimeZone::UTC }
    }

    fn rows() -> Vec<ModelRow> {
        let row = |id: &str, context, input, output, targets: &[&str]| ModelRow {
            id: id.to_owned(),
            context,
            input_usd_per_million: input,
            output_usd_per_million: output,
            targets: targets.iter().map(|&target| target.to_owned()).collect(),
        };
        vec![
            row("hf:zai-org/GLM-4.6", Some(202_752), Some(0.55), Some(2.19), &["large"]),
            row("hf:zai-org/GLM-4.7-Flash", Some(1_048_576), Some(0.055), Some(0.4), &[]),
            row("hf:模型/大", None, None, None, &[]),
        ]
    }

    fn rendered(rows: &[ModelRow], format: Format, style: Style) -> String {
        let view =
            ModelsView { provider: "Synthetic", base_url: "https://api.synthetic.new/openai/v1", total: 3, rows };
        let mut out = Vec::new();
        render_models(&view, format, &look(style), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn people_see_a_table() {
        insta::assert_snapshot!("models_human", rendered(&rows(), Format::Human, Style::Plain));
        insta::assert_snapshot!("models_some", rendered(&rows()[..1], Format::Human, Style::Coloured));
        insta::assert_snapshot!("models_bare", rendered(&rows()[2..], Format::Human, Style::Plain));
        insta::assert_snapshot!("models_none", rendered(&[], Format::Human, Style::Plain));
    }

    #[test]
    fn programs_see_json() {
        insta::assert_snapshot!("models_json", rendered(&rows(), Format::Json, Style::Plain));
        assert_eq!(rendered(&rows(), Format::Jsonl, Style::Plain).lines().count(), 3);
    }

    #[test]
    fn numbers_are_short() {
        for (number, text) in
            [(999, "999"), (8192, "8k"), (131_072, "131k"), (1_000_000, "1.00M"), (10_485_760, "10.48M")]
        {
            assert_eq!(tokens(number), text);
        }
        for (price, text) in [(0.0, "0.00"), (0.055, "0.055"), (2.0, "2.00"), (15.5, "15.50"), (0.00001, "0.00")] {
            assert_eq!(dollars(price), text);
        }
    }
}
