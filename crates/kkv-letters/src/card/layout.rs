//! A card's bytes before its signature.

use super::{BadCard, Details, MAX_NAME_BYTES, Machine, OnionKey};
use crate::author::Author;
use crate::identity::PublicIdentity;
use crate::limits::MAX_MACHINES;
use crate::minutes::Minutes;
use crate::sealing::{SEALING_KEY_BYTES, SealingKey, is_usable};
use crate::successor::Commitment;

/// The version that is written.
const VERSION: u8 = 1;

/// Whether it can be a card.
pub(super) fn check(details: &Details) -> Result<(), BadCard> {
    let name = &details.name;
    if name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(BadCard::Name);
    }
    if details.expires <= details.issued {
        return Err(BadCard::Times);
    }
    let machines = &details.machines;
    let again = |(place, one): (usize, &Machine)| {
        let alike = |other: &Machine| other.address == one.address || other.mailbox == one.mailbox;
        machines[..place].iter().any(alike)
    };
    if machines.len() > MAX_MACHINES || machines.iter().enumerate().any(again) {
        return Err(BadCard::Machines);
    }
    is_usable(&details.person.exchange).ok_or(BadCard::Key)
}

/// Lays it out; it was checked.
pub(super) fn write(details: &Details) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&details.person.author.0);
    bytes.extend_from_slice(&details.person.exchange);
    bytes.extend_from_slice(&details.issued.0.to_le_bytes());
    bytes.extend_from_slice(&details.expires.0.to_le_bytes());
    bytes.extend_from_slice(&details.successor.0);
    bytes.push(details.name.len() as u8);
    bytes.extend_from_slice(details.name.as_bytes());
    bytes.push(details.machines.len() as u8);
    for machine in &details.machines {
        bytes.extend_from_slice(machine.address.bytes());
        bytes.extend_from_slice(&machine.mailbox.0);
        bytes.extend_from_slice(&machine.sealing_expires.0.to_le_bytes());
        bytes.extend_from_slice(&machine.sealing.bytes());
    }
    bytes
}

/// Reads what [`write()`] has written, and nothing else.
pub(super) fn read(mut bytes: &[u8]) -> Result<Details, BadCard> {
    let rest = &mut bytes;
    let [version] = take(rest)?;
    if version != VERSION {
        return Err(BadCard::Version);
    }
    let author = Author(take(rest)?);
    let exchange = take(rest)?;
    let issued = minutes(rest)?;
    let expires = minutes(rest)?;
    let successor = Commitment(take(rest)?);
    let [length] = take(rest)?;
    let name = rest.split_off(..usize::from(length));
    let name = std::str::from_utf8(name.ok_or(BadCard::Layout)?);
    let name = name.map_err(|_| BadCard::Name)?.to_owned();
    let [count] = take(rest)?;
    if usize::from(count) > MAX_MACHINES {
        return Err(BadCard::Machines);
    }
    let machines = (0..count).map(|_| machine(rest));
    let machines = machines.collect::<Result<_, _>>()?;
    if !rest.is_empty() {
        return Err(BadCard::Layout);
    }
    let details = Details {
        person: PublicIdentity { author, exchange },
        issued,
        expires,
        successor,
        name,
        machines,
    };
    check(&details)?;
    Ok(details)
}

fn machine(rest: &mut &[u8]) -> Result<Machine, BadCard> {
    Ok(Machine {
        address: OnionKey::new(take(rest)?)?,
        mailbox: Author(take(rest)?),
        sealing_expires: minutes(rest)?,
        sealing: SealingKey::new(&take::<SEALING_KEY_BYTES>(rest)?)?,
    })
}

fn minutes(rest: &mut &[u8]) -> Result<Minutes, BadCard> {
    take(rest).map(|bytes| Minutes(u32::from_le_bytes(bytes)))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BadCard> {
    let (taken, left) = rest.split_first_chunk().ok_or(BadCard::Layout)?;
    *rest = left;
    Ok(*taken)
}
