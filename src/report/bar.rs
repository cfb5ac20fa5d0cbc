//! A part of a whole as a bar, with a mark where the part ought to end.

use super::Marks;

/// How many columns a bar has.
pub(super) const WIDTH: usize = 20;

/// A bar of `part` of 1, with a mark at `bound` of 1. What is beyond the whole fills it and ends with a `>`.
pub(super) fn bar(part: f64, bound: Option<f64>, marks: Marks) -> String {
    bar_of(WIDTH, part, bound, marks)
}

/// The same, of so many columns.
pub(super) fn bar_of(width: usize, part: f64, bound: Option<f64>, marks: Marks) -> String {
    let (full, empty, mark) = match marks {
        Marks::Unicode => ('█', '░', '┊'),
        Marks::Ascii => ('#', '.', '|'),
    };
    let filled = columns(width, part);
    // Something is never shown as nothing.
    let filled = if part > 0.0 { filled.max(1) } else { filled };
    let bound = bound.map(|bound| columns(width, bound)).filter(|bound| (1..width).contains(bound));
    let cell = |place: usize| match place {
        place if part > 1.0 && place + 1 == width => '>',
        place if place < filled => full,
        place if Some(place) == bound => mark,
        _ => empty,
    };
    (0..width).map(cell).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the width of a bar")]
fn columns(width: usize, part: f64) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let width = width as f64;
    (part * width).round().clamp(0.0, width) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_its_part_and_its_bound() {
        for (part, bound, unicode, ascii) in [
            (0.0, None, "░░░░░░░░░░░░░░░░░░░░", "...................."),
            (0.001, Some(0.3), "█░░░░░┊░░░░░░░░░░░░░", "#.....|............."),
            (0.15, Some(0.3), "███░░░┊░░░░░░░░░░░░░", "###...|............."),
            (0.41, Some(0.3), "████████░░░░░░░░░░░░", "########............"),
            (1.0, Some(1.0), "████████████████████", "####################"),
            (2.5, Some(0.3), "███████████████████>", "###################>"),
        ] {
            assert_eq!(bar(part, bound, Marks::Unicode), unicode);
            assert_eq!(bar(part, bound, Marks::Ascii), ascii);
        }
        assert_eq!(bar(f64::NAN, None, Marks::Ascii).len(), WIDTH);
    }
}
