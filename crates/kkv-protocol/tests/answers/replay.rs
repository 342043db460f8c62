//! Randomness that was drawn before.

use std::convert::Infallible;

use rand::{TryCryptoRng, TryRng};

/// A random generator that gives what it was given, in order, and nothing else.
#[derive(Debug)]
pub(crate) struct Replay(Vec<u8>);

impl Replay {
    pub(crate) fn new(drawn: &[&[u8]]) -> Self {
        Self(drawn.concat())
    }

    /// A step that draws less than the vectors say has made a secret from something else.
    pub(crate) fn assert_used_up(&self) {
        assert!(self.0.is_empty(), "{} bytes were not drawn", self.0.len());
    }
}

impl TryRng for Replay {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        assert!(
            wanted.len() <= self.0.len(),
            "{} bytes are drawn, {} are left",
            wanted.len(),
            self.0.len()
        );
        wanted.copy_from_slice(&self.0[..wanted.len()]);
        self.0.drain(..wanted.len());
        Ok(())
    }
}

impl TryCryptoRng for Replay {}
