//! The instruction sets that a search can run on, as far as the machine has them.

use std::fmt;

use fearless_simd::Level;

/// An instruction set of this machine. The wider its registers, the more nonces are tried at once.
#[derive(Debug, Clone, Copy)]
pub struct InstructionSet(pub(crate) Level);

impl InstructionSet {
    /// The widest that this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self(Level::new())
    }

    /// Arithmetic on single words, on every machine; the compiler may make more of it.
    #[must_use]
    pub fn plain() -> Self {
        Self(Level::fallback())
    }

    /// All that this machine has, widest first; [`plain`](Self::plain) is the last.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let best = Level::new();
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let vectors = [
            best.as_avx512().map(Level::Avx512),
            best.as_avx2().map(Level::Avx2),
            best.as_sse4_2().map(Level::Sse4_2),
            best.as_sse2().map(Level::Sse2),
        ];
        #[cfg(target_arch = "aarch64")]
        let vectors = [best.as_neon().map(Level::Neon)];
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
        let vectors = [(!best.is_fallback()).then_some(best)];
        let vectors = vectors.into_iter().flatten().map(Self);
        vectors.chain([Self::plain()]).collect()
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Avx512(_) => "AVX-512",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Avx2(_) => "AVX2",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Sse4_2(_) => "SSE4.2",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Sse2(_) => "SSE2",
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => "NEON",
            level if level.is_fallback() => "plain",
            _ => "vectors",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_comes_first_and_the_plain_one_is_always_there() {
        let names: Vec<String> = InstructionSet::all()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names[0], InstructionSet::best().to_string());
        assert_eq!(names.last().map(String::as_str), Some("plain"));
        #[cfg(target_arch = "x86_64")]
        assert!(
            names.contains(&"SSE2".to_owned()),
            "every such machine has it: {names:?}"
        );
    }
}
