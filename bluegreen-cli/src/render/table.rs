use super::text::visible;

/// Rows of cells, shown as columns that are as wide as they must be.
#[derive(Debug)]
pub(crate) struct Table {
    /// Whether each column is of numbers, which end at the same place.
    is_number: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Begins with a headline; the columns whose names begin with `>` are of numbers.
    pub(crate) fn new(names: &[&str]) -> Self {
        let is_number = names.iter().map(|name| name.starts_with('>')).collect();
        let names = names.iter().map(|name| name.trim_start_matches('>').to_owned()).collect();
        Self { is_number, rows: vec![names] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Returns the lines, each after `indent` spaces and without spaces at its end.
    pub(crate) fn lines(&self, indent: usize) -> String {
        let widths: Vec<usize> = (0..self.is_number.len())
            .map(|at| self.rows.iter().map(|row| visible(&row[at])).max().unwrap_or(0))
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            for ((cell, width), is_number) in row.iter().zip(&widths).zip(&self.is_number) {
                let pad = " ".repeat(width - visible(cell));
                let (before, after) =
                    if *is_number { (pad, String::new()) } else { (String::new(), pad) };
                line.push_str(&before);
                line.push_str(cell);
                line.push_str(&after);
                line.push_str("  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_and_numbers_end_at_the_same_place() {
        let mut table = Table::new(&["ROUTE", ">BLUE"]);
        table.row(["web:80".to_owned(), "100".to_owned()]);
        table.row(["x".to_owned(), "0".to_owned()]);
        assert_eq!(table.lines(2), "  ROUTE   BLUE\n  web:80   100\n  x          0\n");
    }
}
