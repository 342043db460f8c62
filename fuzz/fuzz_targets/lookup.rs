//! Look-up tables (docs/LETTERS-FORMAT.md §16): one that a peer has made up, or changed, is read off in so many steps
//! as it has cells, and an honest one tells what is true.

#![no_main]

use kkv_letters::{CELL_BYTES, EnvelopeId, LookUp, Salt, TableSize};
use libfuzzer_sys::fuzz_target;

fn id(number: u8) -> EnvelopeId {
    EnvelopeId(*blake3::hash(&[number]).as_bytes())
}

fn table(salt: Salt, numbers: std::ops::Range<u8>) -> LookUp {
    let mut table = LookUp::new(TableSize::Small, salt);
    for number in numbers {
        table.insert(&id(number));
    }
    table
}

fuzz_target!(|bytes: &[u8]| {
    let Some((head, changes)) = bytes.split_first_chunk::<19>() else {
        return;
    };
    let salt = Salt::new(*head.first_chunk().expect("19 bytes have 16"));
    let [ours, both, theirs] = [head[16] % 40, head[17] % 80, head[18] % 40];
    let mine = table(salt, 0..ours + both);
    let sent = table(salt, ours..ours + both + theirs).bytes();
    // Each change is a place and a byte: none leaves the table as its peer has made it.
    let mut changed = sent.clone();
    let (changes, _) = changes.as_chunks::<3>();
    for &[low, high, with] in changes {
        let place = usize::from(u16::from_le_bytes([low, high])) % changed.len();
        changed[place] ^= with;
    }
    let read = LookUp::parse(&changed, salt).expect("it has a table's size");
    assert_eq!(read.bytes(), changed);
    match mine.difference(&read) {
        Ok(told) => {
            let all = told.ours.len() + told.theirs.len();
            assert!(all <= sent.len() / CELL_BYTES);
            if changed == sent {
                assert_eq!(told.ours.len(), usize::from(ours));
                assert_eq!(told.theirs.len(), usize::from(theirs));
            }
        }
        // Two ids of 160 with all four cells in common are rare, and the fuzzer finds the salts.
        Err(_) => assert!(changed != sent || ours + theirs > 1),
    }
    if let Ok(table) = LookUp::parse(bytes, salt) {
        assert_eq!(table.bytes(), bytes);
    }
});
