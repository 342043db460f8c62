//! Where a process is connected to, as the kernel tells.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use rustix::process::Pid;

/// The far ends of a process's TCP connections over IPv4.
pub(crate) fn connected_to(pid: Pid) -> BTreeSet<SocketAddr> {
    let pid = pid.as_raw_nonzero();
    let files = fs::read_dir(format!("/proc/{pid}/fd")).expect("it is running");
    let links = files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok());
    let sockets: BTreeSet<String> = links
        .filter_map(|link| {
            let name = link.to_str()?.strip_prefix("socket:[")?;
            Some(name.strip_suffix(']')?.to_owned())
        })
        .collect();
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<_> = line.split_ascii_whitespace().collect();
            let established = columns.get(3) == Some(&"01");
            (established && sockets.contains(*columns.get(9)?)).then(|| address(columns[2]))
        })
        .collect()
}

/// `0100007F:1F90`: the address as a number in the machine's own order, and the port.
fn address(text: &str) -> SocketAddr {
    let (ip, port) = text.split_once(':').expect("an address and a port");
    let ip = u32::from_str_radix(ip, 16).expect("a number in hex");
    let port = u16::from_str_radix(port, 16).expect("a number in hex");
    (Ipv4Addr::from(ip.to_ne_bytes()), port).into()
}
