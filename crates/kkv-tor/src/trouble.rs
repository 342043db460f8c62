//! Faults of this machine among those that arti returns: its disk, its files.

use std::error::Error;
use std::io;
use std::sync::Arc;

use arti_client::{ErrorKind, HasKind};

use kkv_net::tor::TorTrouble;

/// What `fault` says of this machine's files, if that is what it is about.
pub(super) fn local(fault: &(dyn Error + 'static)) -> Option<TorTrouble> {
    let mut of_files = false;
    let mut cause = Some(fault);
    while let Some(fault) = cause {
        if let Some(io) = as_io(fault) {
            match io.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    return Some(TorTrouble::DiskFull);
                }
                io::ErrorKind::NotADirectory | io::ErrorKind::ReadOnlyFilesystem => of_files = true,
                // What is denied or not found may be a connection (a firewall's EPERM): arti's kind of fault, below,
                // says which.
                _ => {}
            }
        }
        // In SQLite's words, which is no error of the system's (SQLITE_FULL).
        if fault.to_string().contains("database or disk is full") {
            return Some(TorTrouble::DiskFull);
        }
        of_files |= fault
            .downcast_ref::<arti_client::Error>()
            .is_some_and(|fault| is_of_files(fault.kind()));
        of_files |= fault.is::<fs_mistrust::Error>();
        cause = fault.source();
    }
    of_files.then_some(TorTrouble::Files)
}

/// What the system has said, if that is the cause of `fault`.
pub(super) fn of_system<'f>(fault: &'f (dyn Error + 'static)) -> Option<&'f io::Error> {
    let mut cause = Some(fault);
    while let Some(fault) = cause {
        if let Some(io) = as_io(fault) {
            return Some(io);
        }
        cause = fault.source();
    }
    None
}

fn as_io<'f>(fault: &'f (dyn Error + 'static)) -> Option<&'f io::Error> {
    let shared = || fault.downcast_ref::<Arc<io::Error>>().map(AsRef::as_ref);
    fault.downcast_ref::<io::Error>().or_else(shared)
}

fn is_of_files(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::FsPermissions
            | ErrorKind::PersistentStateAccessFailed
            | ErrorKind::PersistentStateCorrupted
            | ErrorKind::CacheAccessFailed
            | ErrorKind::CacheCorrupted
            | ErrorKind::KeystoreAccessFailed
            | ErrorKind::KeystoreCorrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("it failed")]
    struct Failed<E: Error + 'static>(#[source] E);

    #[test]
    fn a_fault_of_the_disk_is_found_among_the_causes_however_it_is_wrapped() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(local(&full()), Some(TorTrouble::DiskFull));
        assert_eq!(local(&Failed(full())), Some(TorTrouble::DiskFull));
        assert_eq!(
            local(&Failed(Failed(Arc::new(full())))),
            Some(TorTrouble::DiskFull)
        );
        let read_only = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
        assert_eq!(local(&Failed(Arc::new(read_only))), Some(TorTrouble::Files));
        for of_a_socket_too in [io::ErrorKind::PermissionDenied, io::ErrorKind::NotFound] {
            let fault = io::Error::from(of_a_socket_too);
            assert_eq!(local(&Failed(Arc::new(fault))), None, "a firewall's word");
            let fault = Arc::new(io::Error::from(of_a_socket_too));
            let of_files = fs_mistrust::Error::CouldNotInspect("/x".into(), fault);
            assert_eq!(local(&Failed(of_files)), Some(TorTrouble::Files));
        }
        let unsafe_mode = fs_mistrust::Error::BadPermission("/x".into(), 0o777, 0o022);
        assert_eq!(local(&Failed(unsafe_mode)), Some(TorTrouble::Files));
        for fault in [&full() as &dyn Error, &Failed(Failed(Arc::new(full())))] {
            let kind = of_system(fault).map(io::Error::kind);
            assert_eq!(kind, Some(io::ErrorKind::StorageFull));
        }
        assert!(of_system(&std::fmt::Error).is_none());
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(local(&Failed(refused)), None);
    }
}
