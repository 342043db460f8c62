//! Programs that may have hardly any file descriptors.

use crate::programs::{Process, kkv_at, kkvc, through_shell};

fn with(limit: u32) -> String {
    format!("ulimit -n {limit}; exec \"$0\" \"$@\"")
}

#[test]
fn with_too_few_to_start_it_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kkv.sock");
    let list = || kkvc(["list", "--socket"]).with(|c| c.arg(&socket));
    let few = list().through_shell(&with(6)).finish();
    few.must_end_with(1)
        .must_say("too few file descriptors")
        .must_say("ulimit -n");
    let relay = through_shell(&kkv_at(&socket), &with(6));
    let few = Process::spawn(relay, None).finish();
    few.must_end_with(1).must_say("too few file descriptors");
    // However many there are: it ends by itself, or nobody answers at that socket.
    for limit in 5..20 {
        let outcome = list().through_shell(&with(limit)).finish();
        let code = outcome.code.expect("no signal ended it");
        assert!([1, 3].contains(&code), "{limit}: {}", outcome.stderr);
    }
}
