//! Recognises faults of this machine, of its disk and files, in arti's errors.

use std::error::Error;
use std::io;
use std::sync::Arc;

use arti_client::{ErrorKind, HasKind};

use kkv_net::tor::TorTrouble;

/// The fault of this machine that is among the sources of `fault`.
pub(crate) fn local(fault: &(dyn Error + 'static)) -> Option<TorTrouble> {
    let mut is_of_files = false;
    let mut source = Some(fault);
    while let Some(fault) = source {
        if let Some(io) = as_io(fault) {
            match io.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    return Some(TorTrouble::DiskFull);
                }
                io::ErrorKind::NotADirectory | io::ErrorKind::ReadOnlyFilesystem => {
                    is_of_files = true;
                }
                // Permission denied or not found may also be a connection's (a firewall's EPERM): arti's error kind,
                // below, tells which.
                _ => {}
            }
        }
        // SQLite's message for SQLITE_FULL, which has no `io::Error`.
        if fault.to_string().contains("database or disk is full") {
            return Some(TorTrouble::DiskFull);
        }
        is_of_files |= fault
            .downcast_ref::<arti_client::Error>()
            .is_some_and(|fault| is_of_files_kind(fault.kind()));
        is_of_files |= fault.is::<fs_mistrust::Error>();
        source = fault.source();
    }
    is_of_files.then_some(TorTrouble::Files)
}

/// The operating system's error among the sources of `fault`.
pub(crate) fn io_source<'f>(fault: &'f (dyn Error + 'static)) -> Option<&'f io::Error> {
    let mut source = Some(fault);
    while let Some(fault) = source {
        if let Some(io) = as_io(fault) {
            return Some(io);
        }
        source = fault.source();
    }
    None
}

fn as_io<'f>(fault: &'f (dyn Error + 'static)) -> Option<&'f io::Error> {
    let shared = || fault.downcast_ref::<Arc<io::Error>>().map(AsRef::as_ref);
    fault.downcast_ref::<io::Error>().or_else(shared)
}

fn is_of_files_kind(kind: ErrorKind) -> bool {
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
    fn a_fault_of_the_disk_is_found_among_the_sources_however_it_is_wrapped() {
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
            assert_eq!(local(&Failed(Arc::new(fault))), None, "a firewall's error");
            let fault = Arc::new(io::Error::from(of_a_socket_too));
            let of_files = fs_mistrust::Error::CouldNotInspect("/x".into(), fault);
            assert_eq!(local(&Failed(of_files)), Some(TorTrouble::Files));
        }
        let unsafe_mode = fs_mistrust::Error::BadPermission("/x".into(), 0o777, 0o022);
        assert_eq!(local(&Failed(unsafe_mode)), Some(TorTrouble::Files));
        for fault in [&full() as &dyn Error, &Failed(Failed(Arc::new(full())))] {
            let kind = io_source(fault).map(io::Error::kind);
            assert_eq!(kind, Some(io::ErrorKind::StorageFull));
        }
        assert!(io_source(&std::fmt::Error).is_none());
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(local(&Failed(refused)), None);
    }
}
