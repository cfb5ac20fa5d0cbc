//! The columns of a table that must fit into a terminal: the least important ones go, and some become narrower.

use super::layout::columns;
use super::look::{Look, Role};

/// The space between two columns.
const GAP: usize = 2;

/// Whether a row can be read with ease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Easy,
    Tight,
}

/// A way to find room: a column, how small it may become, and how a row can then be read.
pub(super) type Step<C> = (C, usize, Fit);

/// Cells in columns, the header among them.
#[derive(Debug)]
pub(super) struct Sheet<C> {
    pub(super) columns: Vec<C>,
    pub(super) rows: Vec<Vec<String>>,
    /// How wide each column may be.
    pub(super) widths: Vec<usize>,
}

impl<C: Copy + PartialEq> Sheet<C> {
    /// With every column as wide as its widest cell.
    pub(super) fn new(columns: Vec<C>, rows: Vec<Vec<String>>) -> Self {
        let widths = measure(&rows, columns.len());
        Self { columns, rows, widths }
    }

    /// Makes it fit, as far as it can be: columns are left out in the order of `optional` until a row can be read with
    /// ease. The cells are left as they are; `widths` says what they have to be cut to.
    pub(super) fn fit(mut self, optional: &[C], steps: &[Step<C>], available: usize) -> Self {
        let mut dropped = optional.iter();
        loop {
            let mut widths = self.widths.clone();
            if squeeze(&mut widths, &self.columns, steps, available) == Fit::Easy {
                return Self { widths, ..self };
            }
            match dropped.next() {
                Some(column) => self.drop(*column),
                None => return Self { widths, ..self },
            }
        }
    }

    fn drop(&mut self, column: C) {
        let Some(index) = self.columns.iter().position(|other| *other == column) else { return };
        self.columns.remove(index);
        self.widths.remove(index);
        for row in self.rows.iter_mut().filter(|row| index < row.len()) {
            row.remove(index);
        }
    }

    /// Brings every cell to the width of its column.
    pub(super) fn cut(mut self, cut: impl Fn(C, &str, usize) -> String) -> Self {
        for row in &mut self.rows {
            for ((cell, width), column) in row.iter_mut().zip(&self.widths).zip(&self.columns) {
                *cell = cut(*column, cell, *width);
            }
        }
        self
    }

    /// Where the columns are that are aligned to the right.
    pub(super) fn right(&self, is_right: impl Fn(C) -> bool) -> Vec<usize> {
        (0..).zip(&self.columns).filter(|(_, column)| is_right(**column)).map(|(index, _)| index).collect()
    }
}

/// How wide every column is by itself.
fn measure(rows: &[Vec<String>], number: usize) -> Vec<usize> {
    let widest = |index: usize| rows.iter().filter_map(|row| row.get(index).map(|cell| columns(cell))).max();
    (0..number).map(|index| widest(index).unwrap_or(0)).collect()
}

/// Makes the widths fit, as far as they can.
fn squeeze<C: Copy + PartialEq>(widths: &mut [usize], shown: &[C], steps: &[Step<C>], available: usize) -> Fit {
    let mut fit = Fit::Easy;
    for (column, least, then) in steps {
        let excess = total(widths).saturating_sub(available);
        if excess == 0 {
            return fit;
        }
        if *then == Fit::Tight {
            fit = Fit::Tight;
        }
        if let Some((width, _)) = widths.iter_mut().zip(shown).find(|(_, other)| *other == column) {
            *width = width.saturating_sub(excess).max((*least).min(*width));
        }
    }
    if total(widths) > available { Fit::Tight } else { fit }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Colours the beginning and the end of a line.
pub(super) fn paint(line: &str, head: &str, tail: &str, role: Role, look: &Look) -> String {
    let Some(rest) = line.strip_prefix(head) else { return line.to_owned() };
    match rest.strip_suffix(tail) {
        Some(middle) if !tail.is_empty() => format!("{}{middle}{}", look.paint(role, head), look.paint(role, tail)),
        _ => format!("{}{rest}", look.paint(role, head)),
    }
}
