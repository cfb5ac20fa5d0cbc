//! Many rows with one statement.
//!
//! Every statement is a journey to SQLite's own thread and back, which costs several times what SQLite does there. So rows
//! of one table travel together: up to 128 in a statement. There are statements for a few numbers of rows only, because
//! each is kept prepared. The SQL is PostgreSQL's too.

use std::fmt::Write as _;

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Error, Sqlite};

/// The numbers of rows for which there are statements, the greatest first. 128 rows of 15 columns are well below what
/// SQLite and PostgreSQL bind at most.
const AT_ONCE: [usize; 5] = [128, 32, 8, 2, 1];

/// An insertion, without its rows.
pub(super) struct Insert {
    /// `INSERT INTO … (…)`.
    pub into: &'static str,
    /// How many columns that names.
    pub columns: usize,
    /// What happens to a row that is there, or nothing.
    pub conflict: &'static str,
}

/// A statement whose values are still to be bound.
pub(super) type Bound<'q> = Query<'q, Sqlite, SqliteArguments>;

impl Insert {
    /// Inserts rows, each of which `bind` binds in the order of the columns. No two rows may be in conflict.
    pub(super) async fn run<'q, T>(
        &self,
        connection: &mut SqliteConnection,
        mut rows: &'q [T],
        bind: impl Fn(Bound<'q>, &'q T) -> Bound<'q>,
    ) -> Result<(), Error> {
        for at_once in AT_ONCE {
            while let Some((these, rest)) = rows.split_at_checked(at_once) {
                let mut query = sqlx::query(AssertSqlSafe(self.text(at_once)));
                for row in these {
                    query = bind(query, row);
                }
                query.execute(&mut *connection).await?;
                rows = rest;
            }
        }
        Ok(())
    }

    /// The statement for so many rows. It is made of constants and numbers alone.
    fn text(&self, rows: usize) -> String {
        let mut text = format!("{} VALUES ", self.into);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 1..=self.columns {
                let comma = if column == 1 { "" } else { ", " };
                // Writing to a String cannot fail.
                let _ = write!(text, "{comma}${}", row * self.columns + column);
            }
            text.push(')');
        }
        let _ = write!(text, " {}", self.conflict);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_numbers_its_values_through_all_rows() {
        let insert = Insert { into: "INSERT INTO t (a, b)", columns: 2, conflict: "ON CONFLICT DO NOTHING" };
        assert_eq!(insert.text(2), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
    }
}
