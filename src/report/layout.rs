//! Text in a given number of columns: measured, shortened in the middle, wrapped with a hanging indent.
//!
//! Columns are what a terminal shows: a Chinese character takes two, a combining accent none. They are counted by
//! comfy-table, so that what is shortened here and what is aligned there can never disagree.

use comfy_table::{CellAlignment, Table, presets::NOTHING};

/// How many columns a text takes.
#[must_use]
pub(super) fn columns(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).add_row([text]);
    table.column_max_content_widths().first().copied().map_or(0, usize::from)
}

/// A text in at most `width` columns: what is too long loses its middle, because ids differ at both ends
/// (`hf:zai-org/…-Instruct`).
#[must_use]
pub(super) fn shorten(text: &str, width: usize, ellipsis: &str) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let gap = columns(ellipsis);
    if width <= gap {
        return take(text.chars(), width);
    }
    let tail = (width - gap) / 2;
    let head = take(text.chars(), width - gap - tail);
    let tail: String = take(text.chars().rev(), tail).chars().rev().collect();
    format!("{head}{ellipsis}{tail}")
}

/// A text in at most `width` columns: what is too long loses its end, because a sentence begins with what matters.
#[must_use]
pub(super) fn shorten_end(text: &str, width: usize, ellipsis: &str) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    match width.checked_sub(columns(ellipsis)) {
        None | Some(0) => take(text.chars(), width),
        Some(room) => format!("{}{ellipsis}", take(text.chars(), room).trim_end()),
    }
}

/// As many characters as fit into `width` columns.
fn take(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = String::new();
    let mut used = 0;
    for character in characters {
        used += columns(character.encode_utf8(&mut [0; 4]));
        if used > width {
            break;
        }
        taken.push(character);
    }
    taken
}

/// What becomes of a word that is longer than a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LongWord {
    /// It is broken where the line ends.
    Break,
    /// It is broken, but an address stays whole, even past the width: a broken one can be neither clicked nor copied.
    KeepAddress,
}

/// A text in lines of at most `width` columns, broken at spaces. Never without a line.
#[must_use]
pub(super) fn wrap(text: &str, width: usize, long: LongWord) -> Vec<String> {
    // A character can take two columns; with fewer no progress could be made.
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut rest = word;
        let mut length = columns(rest);
        if used > 0 && used + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        let whole = long == LongWord::KeepAddress && word.contains("://");
        while length > width && !whole {
            let mut piece = take(rest.chars(), width);
            if piece.is_empty() {
                // A cluster that takes more columns together than apart: take one character all the same.
                piece.extend(rest.chars().next());
            }
            rest = rest.get(piece.len()..).unwrap_or_default();
            length = columns(rest);
            lines.push(piece);
        }
        if !rest.is_empty() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(rest);
            used += length;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Rows as aligned lines, with two spaces between columns and none at the end. A cell may hold line feeds, so each row
/// gives one line or more. The columns named in `right` are aligned to the right.
#[must_use]
pub(super) fn grid(rows: &[Vec<String>], right: &[usize]) -> Vec<Vec<String>> {
    let mut table = Table::new();
    table.load_style(NOTHING).add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines().map(|line| line.trim_end().to_owned());
    let height = |row: &[String]| row.iter().map(|cell| cell.lines().count()).max().unwrap_or(0).max(1);
    rows.iter().map(|row| lines.by_ref().take(height(row)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_loses_its_middle() {
        assert_eq!(shorten("hf:zai-org/GLM-4.6", 18, "…"), "hf:zai-org/GLM-4.6");
        assert_eq!(shorten("hf:meta-llama/Llama-3.3-70B-Instruct", 20, "…"), "hf:meta-ll…-Instruct");
        assert_eq!(shorten("hf:meta-llama/Llama-3.3-70B-Instruct", 20, "..."), "hf:meta-l...Instruct");
        assert_eq!(shorten("智谱清言模型", 7, "…"), "智…型");
        assert_eq!(shorten("abc", 0, "…"), "");
    }

    #[test]
    fn a_sentence_loses_its_end() {
        assert_eq!(shorten_end("HTTP 404, code x", 16, "…"), "HTTP 404, code x");
        assert_eq!(shorten_end("HTTP 404, code x", 11, "…"), "HTTP 404,…");
        assert_eq!(shorten_end("HTTP 404", 6, "..."), "HTT...");
        assert_eq!(shorten_end("HTTP 404", 1, "…"), "H");
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("one two three", 8, LongWord::Break), ["one two", "three"]);
        assert_eq!(wrap("a abcdefghij b", 4, LongWord::Break), ["a", "abcd", "efgh", "ij b"]);
        assert_eq!(wrap("", 10, LongWord::Break), [""]);
        assert_eq!(wrap("see https://a.b/c now", 8, LongWord::KeepAddress), ["see", "https://a.b/c", "now"]);
    }

    #[test]
    fn a_grid_is_aligned_by_columns_not_by_bytes() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let lines = grid(&[row(["模型", "1", "x"]), row(["abc", "10", "y\nz"])], &[1]);
        assert_eq!(lines, [vec!["模型   1  x"], vec!["abc   10  y", "          z"]]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be(text in "\\PC{0,60}", width in 2_usize..40) {
            prop_assert!(columns(&shorten(&text, width, "…")) <= width);
            prop_assert!(columns(&shorten_end(&text, width, "…")) <= width);
            let lines = wrap(&text, width, LongWord::Break);
            let kept: String = lines.concat().split_whitespace().collect();
            prop_assert_eq!(kept, text.split_whitespace().collect::<String>());
        }
    }
}
