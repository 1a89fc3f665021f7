//! The same choices for the same seed.

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// splitmix64
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    /// Small ones, and rarely large ones.
    pub fn length(&mut self, max: u64) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => max,
            2 => self.between(0, max),
            _ => self.between(0, max.min(12)),
        }
    }

    pub fn bytes(&mut self, len: u64) -> Vec<u8> {
        let zeros_at_end = if self.one_in(4) { self.below(len + 1) } else { 0 };
        let random = (0..len - zeros_at_end).map(|_| self.next() as u8);
        let mut bytes: Vec<u8> = random.collect();
        bytes.resize(len as usize, 0);
        bytes
    }

    /// Text of a script that many character sets have, or of several.
    pub fn text(&mut self, len: u64) -> String {
        const SCRIPTS: [&str; 8] =
            ["aZ09 ~", "\"\\/\n\t\0\u{1f}\u{7f}'", "éßÄñÿ", "ЖяЁ", "αΩ", "日本語中文", "한글", "😀𝄞"];
        let one = self.one_in(2).then(|| self.pick(&SCRIPTS));
        let char = |random: &mut Random| {
            let script: Vec<char> = one.unwrap_or_else(|| random.pick(&SCRIPTS)).chars().collect();
            random.pick(&script)
        };
        (0..len).map(|_| char(self)).collect()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
