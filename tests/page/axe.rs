//! Every page by axe-core, which looks for what keeps people out, by rules that many have agreed on.
#![allow(
    clippy::print_stdout,
    reason = "it is run by hand, and tells how far it is"
)]

use std::{env, fs};

use super::each::each;
use super::webdriver::Colours;

/// All of its rules, and that about what is too small to be hit, which it leaves out unless asked (WCAG 2.2, 2.5.8).
const RUN: &str = "
    const done = arguments[0];
    axe.run({ rules: { 'target-size': { enabled: true } } }).then(
        ({ violations, passes }) => done({
            passed: passes.length,
            wrong: violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) })),
        }),
        (fault) => done({ passed: 0, wrong: [String(fault)] }));";

#[test]
#[ignore = "it needs axe-core, from npm: scripts/page fetches it, and runs this"]
fn axe_finds_nothing_on_any_page() {
    let axe = env::var_os("AXE_SCRIPT").expect("scripts/page says where axe-core is");
    let axe = fs::read_to_string(axe).expect("it was fetched");
    each(|name, browser| {
        browser.evaluate(&axe);
        for colours in Colours::BOTH {
            browser.set_colours(colours);
            let found = browser.evaluate_at_length(RUN);
            let wrong = found["wrong"].as_array().expect("a list");
            let name = format!("{name}, {}", colours.name());
            assert!(wrong.is_empty(), "{name}: {wrong:#?}");
            let passed = found["passed"].as_u64().expect("a number");
            assert!(
                passed > 10,
                "{name}: {passed} rules have something to look at"
            );
            println!("{name}: {passed} rules passed, none failed");
        }
    });
}
