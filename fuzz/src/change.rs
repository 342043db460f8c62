//! Changes to what was right.

use arbitrary::{Result, Unstructured};

/// Changes made to one body at most.
const MAX_CHANGES: usize = 4;

/// `body` with a few changes, as `u` wants them: none, if it wants none.
///
/// # Errors
/// There are no more bytes to choose by.
pub fn changes(body: &[u8], u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut body = body.to_vec();
    for _ in 0..u.int_in_range(0..=MAX_CHANGES)? {
        change(&mut body, u)?;
    }
    Ok(body)
}

fn change(body: &mut Vec<u8>, u: &mut Unstructured<'_>) -> Result<()> {
    if body.is_empty() {
        return Ok(());
    }
    let at = u.choose_index(body.len())?;
    match u.int_in_range(0..=6)? {
        0 => body[at] ^= 1 << u.int_in_range(0..=7)?,
        1 => body[at] = u.arbitrary()?,
        2 => body.insert(at, u.arbitrary()?),
        3 => {
            body.remove(at);
        }
        4 => body.truncate(at),
        5 => {
            let end = u.int_in_range(at..=body.len())?;
            let piece = body[at..end].to_vec();
            body.splice(at..at, piece);
        }
        _ => {
            let length = u.int_in_range(0..=u8::MAX)?;
            let length = usize::from(length).min(u.len());
            let piece = u.bytes(length)?.to_vec();
            body.splice(at..at, piece);
        }
    }
    Ok(())
}
