//! A table in Markdown.

/// Its columns are aligned, for who reads it in a terminal.
pub(crate) fn markdown<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let lines = || std::iter::once(&head).chain(rows);
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = lines().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    });
    let mut table = String::new();
    for (number, line) in lines().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            table += &format!("| {cell:<width$} ");
        }
        table += "|\n";
        if number == 0 {
            for width in widths {
                table += &format!("|{:-<1$}", "", width + 2);
            }
            table += "|\n";
        }
    }
    table
}
