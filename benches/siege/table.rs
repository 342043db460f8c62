//! A table in Markdown, and numbers as people read them.

use std::time::Duration;

use crate::memory::Kib;

pub(crate) fn markdown<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let lines = || std::iter::once(&head).chain(rows);
    let widths: [usize; N] = std::array::from_fn(|n| {
        lines()
            .map(|line| line[n].chars().count())
            .max()
            .unwrap_or(0)
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

pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.1} s")
    } else if seconds >= 1e-3 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}

pub(crate) fn kib(kib: Kib) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}
