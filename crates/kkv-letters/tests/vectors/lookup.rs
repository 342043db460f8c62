//! Look-up tables against those that another implementation has made (vectors/lookup.py).

use data_encoding::HEXLOWER;
use kkv_letters::{EnvelopeId, LookUp, Salt, ShortId, TableSize};
use serde_json::Value;

fn bytes<const N: usize>(hex: &Value) -> [u8; N] {
    let hex = hex.as_str().expect("hex");
    let bytes = HEXLOWER.decode(hex.as_bytes()).expect("hex");
    bytes.try_into().expect("so many bytes")
}

fn table(case: &Value, of: &str) -> LookUp {
    let size = match case["cells"].as_u64() {
        Some(256) => TableSize::Small,
        _ => TableSize::Large,
    };
    let mut table = LookUp::new(size, Salt::new(bytes(&case["salt"])));
    for id in case[of].as_array().expect("ids") {
        table.insert(&EnvelopeId(bytes(id)));
    }
    table
}

fn hex(ids: &[ShortId]) -> Vec<String> {
    ids.iter().map(|id| HEXLOWER.encode(&id.0)).collect()
}

#[test]
fn tables_and_differences_are_those_of_the_vectors() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../vectors/lookup.json")).expect("JSON");
    let mut one = LookUp::new(
        TableSize::Small,
        Salt::new(std::array::from_fn(|place| place as u8)),
    );
    one.insert(&EnvelopeId(*blake3::hash(&1_u64.to_le_bytes()).as_bytes()));
    assert_eq!(one.bytes(), bytes::<4096>(&vectors["table"]));
    let cases = vectors["cases"].as_array().expect("cases");
    assert!(!cases.is_empty());
    for case in cases {
        let (asked, asker) = (table(case, "asked"), table(case, "asker"));
        let digest = blake3::hash(&asker.bytes()).to_hex();
        assert_eq!(digest.as_str(), case["digest"].as_str().expect("hex"));
        let difference = asked.difference(&asker).expect("few differences");
        let alone = |of: &str| case[of].as_array().expect("short ids").clone();
        assert_eq!(hex(&difference.ours), alone("asked_alone"));
        assert_eq!(hex(&difference.theirs), alone("asker_alone"));
    }
}
