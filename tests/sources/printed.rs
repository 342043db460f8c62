//! No derived `Debug` prints what is nobody's business.

use super::programs;

/// Fields by whose names one knows that they are nobody's business.
const NAMES: [&str; 7] = [
    "text",
    "message",
    "passphrase",
    "secret",
    "plain",
    "host",
    "isolation",
];
/// Types that print all that is in them.
const OPEN: [&str; 3] = ["String", "Vec<u8>", "[u8"];

/// The items whose `Debug` is derived: from the derive to the bracket at the edge that ends each.
fn derived(source: &str) -> impl Iterator<Item = &str> {
    source.split("#[derive(").skip(1).filter_map(|item| {
        let (traits, item) = item.split_once(")]")?;
        let end = ["\n}", ";\n"].iter().filter_map(|end| item.find(end)).min();
        let is_shown = traits.split(',').any(|name| name.trim() == "Debug");
        is_shown.then(|| &item[..end.unwrap_or(item.len())])
    })
}

/// The lines of an item that would print what they shouldn't.
fn leaks(item: &str) -> Vec<&str> {
    item.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//") && !line.contains("Private<"))
        .filter(|line| {
            let field = line.split_once(": ").map(|(name, of)| {
                let name = name.rsplit(' ').next().unwrap_or(name);
                NAMES.contains(&name) && OPEN.iter().any(|open| of.contains(open))
            });
            line.contains("Zeroizing<") || field == Some(true)
        })
        .collect()
}

#[test]
fn no_derived_debug_prints_a_text_a_key_or_whom_somebody_writes_to() {
    let mut items = 0;
    for (path, source) in &programs() {
        for item in derived(source) {
            items += 1;
            assert_eq!(
                leaks(item),
                Vec::<&str>::new(),
                "{}: {item}",
                path.display()
            );
        }
    }
    assert!(items > 100, "{items} items: they are not found any more");
    let open = " struct A {\n    pub(super) message: Option<String>,\n    b: Zeroizing<u8>,\n    text: Text,";
    assert_eq!(leaks(open).len(), 2);
}
