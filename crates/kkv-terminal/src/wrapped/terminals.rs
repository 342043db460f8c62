//! What we count against what glibc and tmux count, of every character that is shown as itself.
//!
//! What comes out depends on the glibc and the tmux of the machine. A newer one may know more characters: these are
//! unassigned in our tables, so they are shown as codes, and none of them is asked for. It may also draw one that we
//! know wider than the one before it did. Then it is right and we are not, as that is a terminal that people have: give
//! the character that width in [`drawn`], which is the most of all of them, and leave the others as they are.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::drawn;
use crate::visible::Visible;

/// Asks the C library of each character (without an argument), or a terminal of those in a file, one in a line. Writes
/// one digit for each, and a hyphen for what isn't known.
const ASKS: &str = r#"
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <wchar.h>

#define AT_ONCE 100

static int replies(int count, FILE *out) {
    for (; count > 0; count--) {
        int row, column;
        if (scanf("\033[%d;%dR", &row, &column) != 2) return 1;
        fputc('0' + column - 2, out);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (!setlocale(LC_ALL, "C.UTF-8")) return 2;
    if (argc == 1) {
        for (long c = 0; c < 0x110000; c++) putchar("-012"[wcwidth(c) + 1]);
        return 0;
    }
    struct termios modes;
    FILE *in = fopen(argv[1], "r"), *out = fopen(argv[2], "w");
    if (!in || !out || tcgetattr(0, &modes)) return 3;
    cfmakeraw(&modes);
    if (tcsetattr(0, TCSANOW, &modes)) return 4;
    char line[16];
    int asked = 0;
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        printf("\r\033[Ka%s\033[6n", line);
        if (++asked == AT_ONCE) {
            fflush(stdout);
            if (replies(asked, out)) return 5;
            asked = 0;
        }
    }
    fflush(stdout);
    return replies(asked, out) || fclose(out);
}
"#;

/// The program that asks, compiled.
fn asking(directory: &Path) -> std::path::PathBuf {
    let (source, program) = (directory.join("asks.c"), directory.join("asks"));
    fs::write(&source, ASKS).unwrap();
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut compile = Command::new(compiler);
    let compiled = compile.arg("-o").arg(&program).arg(&source).output();
    let compiled = compiled.expect("a C compiler, as the libraries need one");
    assert!(compiled.status.success(), "{compiled:?}");
    program
}

/// What the C library says of each character: nothing of those that it doesn't know, such as those that are newer.
fn by_the_c_library(program: &Path) -> impl Fn(char) -> Option<usize> + use<> {
    let asked = Command::new(program).output().unwrap();
    assert!(asked.status.success(), "{asked:?}");
    assert_eq!(asked.stdout.len(), 0x11_0000);
    move |c| {
        char::from(asked.stdout[c as usize])
            .to_digit(10)
            .map(|wide| wide as usize)
    }
}

/// All characters that are shown as themselves, whatever stands beside them.
fn shown() -> Vec<char> {
    let is_shown = |c: &char| {
        Visible(c.encode_utf8(&mut [0; 4]))
            .to_string()
            .chars()
            .eq([*c])
    };
    let shown: Vec<char> = ('!'..=char::MAX).filter(is_shown).collect();
    assert!(shown.len() > 100_000, "{}", shown.len());
    // What only a newer table than ours knows is no part of this.
    let is_unknown = |c: &char| c.general_category() == GeneralCategory::Unassigned;
    let unknown: Vec<char> = shown.iter().copied().filter(is_unknown).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    shown
}

/// Complains of each that is drawn wider than we count, or as nothing where we count something: that may be so of marks
/// alone.
fn compare(who: &str, widths: impl Iterator<Item = (char, Option<usize>)>) {
    let mut wrong = Vec::new();
    let mut known = 0;
    for (c, wide) in widths {
        let Some(wide) = wide else { continue };
        known += 1;
        let is_mark = c.general_category_group() == GeneralCategoryGroup::Mark;
        if wide > drawn(c) || wide == 0 && drawn(c) > 0 && !is_mark {
            wrong.push(format!("U+{:04X}: {wide}, not {}", u32::from(c), drawn(c)));
        }
    }
    assert!(known > 100_000, "{who} knows {known}");
    let many = wrong.len();
    assert!(
        wrong.is_empty(),
        "{who} draws {many} otherwise (see above what to do): {wrong:?}"
    );
}

#[test]
fn no_character_is_wider_in_the_c_library_than_we_count() {
    let directory = TempDir::new().unwrap();
    let wide = by_the_c_library(&asking(directory.path()));
    let wides = ['a', '日', '\u{301}', '\u{7}'].map(&wide);
    assert_eq!(wides, [Some(1), Some(2), Some(0), None]);
    compare("the C library", shown().into_iter().map(|c| (c, wide(c))));
}

#[test]
fn no_character_is_wider_in_tmux_than_we_count() {
    let directory = TempDir::new().unwrap();
    let program = asking(directory.path());
    let path = |name: &str| directory.path().join(name);
    let (asked, told, socket) = (path("asked"), path("told"), path("tmux"));
    let shown = shown();
    let lines: String = shown.iter().flat_map(|c| [*c, '\n']).collect();
    fs::write(&asked, lines).unwrap();
    let ask = format!(
        "{} {} {}; echo $? >{}; tmux -S {} wait-for -S done",
        program.display(),
        asked.display(),
        told.display(),
        path("ended").display(),
        socket.display(),
    );
    let mut start = Command::new("tmux");
    start.env_remove("TMUX").env("LC_ALL", "C.UTF-8").arg("-u");
    start.arg("-S").arg(&socket).args(["-f", "/dev/null"]);
    start.args(["new-session", "-d", "-x", "80", "-y", "24", &ask]);
    start.args([";", "wait-for", "done"]);
    let started = start.output().expect("tmux is installed");
    assert!(started.status.success(), "{started:?}");
    assert_eq!(fs::read_to_string(path("ended")).unwrap().trim(), "0");
    let told = fs::read_to_string(told).unwrap();
    assert_eq!(told.len(), shown.len());
    // What it doesn't know it leaves out, as the C library would.
    let is_known = by_the_c_library(&program);
    let widths = shown.into_iter().zip(told.bytes());
    let widths = widths.map(|(c, digit)| (c, usize::from(digit - b'0')));
    let known = |(c, wide)| (c, (wide > 0 || is_known(c).is_some()).then_some(wide));
    compare("tmux", widths.map(known));
}
