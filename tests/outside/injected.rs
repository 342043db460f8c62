//! System calls that another process makes because a test has it make them, as a debugger would: so that what a running
//! relay may do is tried in the relay itself, and calls are tried that no safe library makes.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;

use nix::sys::ptrace;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::programs::until;

/// Bytes of the instruction that makes a call.
const INSTRUCTION: &[u8] = match () {
    #[cfg(target_arch = "x86_64")]
    () => &[0x0f, 0x05],
    #[cfg(target_arch = "aarch64")]
    () => &[0x01, 0x00, 0x00, 0xd4],
};

/// Calls in which programs wait for something to do.
const WAITING: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_epoll_pwait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
];

/// How far below the stack its memory is used for what calls are given: nothing is there.
const BELOW_STACK: u64 = 16 << 10;

/// Registers of a thread.
type Registers = libc::user_regs_struct;

/// The main thread of a process, held while it waits in a call. Nobody else may wait for the process meanwhile.
/// It goes on when dropped.
pub(crate) struct Held {
    process: Pid,
    memory: File,
    /// As they were.
    registers: Registers,
}

impl Held {
    /// Holds `process` as soon as it waits in a call.
    pub(crate) fn take(process: i32) -> Self {
        // One that is held again and again on its way there might never get there.
        let waits_in = format!("/proc/{process}/syscall");
        until("the process to wait in a call", || {
            let call = fs::read_to_string(&waits_in).unwrap_or_default();
            let number = call.split(' ').next().and_then(|word| word.parse().ok());
            number.is_some_and(|number| WAITING.contains(&number))
        });
        let memory = format!("/proc/{process}/mem");
        let memory = OpenOptions::new().read(true).write(true).open(memory);
        let memory = memory.expect("root may look into it; an ordinary user sees scripts/test");
        let process = Pid::from_raw(process);
        ptrace::attach(process).expect("a debugger is allowed here");
        stopped(process);
        let registers = ptrace::getregs(process).expect("it is held");
        let mut before = vec![0; INSTRUCTION.len()];
        let at = instruction(&registers);
        memory.read_exact_at(&mut before, at).expect("it is code");
        assert_eq!(before, INSTRUCTION, "it waits no more");
        Self {
            process,
            memory,
            registers,
        }
    }

    /// Has it make a call: what comes of it, an error as a negative number. Bytes are put into its memory, and their
    /// address given.
    pub(crate) fn call(&self, number: libc::c_long, arguments: &[Argument<'_>]) -> i64 {
        let mut free = stack(&self.registers) - BELOW_STACK;
        let arguments = arguments.iter().map(|argument| match argument {
            Argument::Number(number) => *number as u64,
            Argument::Bytes(bytes) => {
                free = (free - bytes.len() as u64) & !0xf;
                let placed = self.memory.write_all_at(bytes, free);
                placed.expect("the stack is writable");
                free
            }
        });
        let mut registers = self.registers;
        let arguments: Vec<u64> = arguments.collect();
        prepare(&mut registers, number, &arguments);
        ptrace::setregs(self.process, registers).expect("it is held");
        for _ in ["when it is made", "when it is over"] {
            ptrace::syscall(self.process, None).expect("it is held");
            stopped(self.process);
        }
        result(&ptrace::getregs(self.process).expect("it is held"))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = ptrace::setregs(self.process, self.registers);
        let _ = ptrace::detach(self.process, None);
    }
}

/// What a call is given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Argument<'b> {
    Number(i64),
    Bytes(&'b [u8]),
}

fn stopped(process: Pid) {
    let status = waitpid(process, None).expect("it is ours");
    assert!(matches!(status, WaitStatus::Stopped(..)), "{status:?}");
}

/// Where the call is made in which it waits.
#[cfg(target_arch = "x86_64")]
fn instruction(registers: &Registers) -> u64 {
    registers.rip - INSTRUCTION.len() as u64
}

#[cfg(target_arch = "x86_64")]
fn stack(registers: &Registers) -> u64 {
    registers.rsp
}

#[cfg(target_arch = "x86_64")]
fn prepare(registers: &mut Registers, number: i64, arguments: &[u64]) {
    registers.rip = instruction(registers);
    registers.rax = number as u64;
    registers.orig_rax = u64::MAX; // the call in which it waits isn't made again
    let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
    registers.rdi = argument(0);
    registers.rsi = argument(1);
    registers.rdx = argument(2);
    registers.r10 = argument(3);
    registers.r8 = argument(4);
    registers.r9 = argument(5);
}

#[cfg(target_arch = "x86_64")]
fn result(registers: &Registers) -> i64 {
    registers.rax as i64
}

/// Where the call is made in which it waits.
#[cfg(target_arch = "aarch64")]
fn instruction(registers: &Registers) -> u64 {
    registers.pc - INSTRUCTION.len() as u64
}

#[cfg(target_arch = "aarch64")]
fn stack(registers: &Registers) -> u64 {
    registers.sp
}

#[cfg(target_arch = "aarch64")]
fn prepare(registers: &mut Registers, number: i64, arguments: &[u64]) {
    registers.pc = instruction(registers);
    registers.regs[8] = number as u64;
    for index in 0..6 {
        registers.regs[index] = arguments.get(index).copied().unwrap_or(0);
    }
}

#[cfg(target_arch = "aarch64")]
fn result(registers: &Registers) -> i64 {
    registers.regs[0] as i64
}
