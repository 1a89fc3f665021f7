//! Folds names to lower case as servers with `lower_case_table_names` 1 and 2 do.
//!
//! They use the collation utf8mb3_general_ci: each character by itself, and only letters of Unicode 3.0. Measured on MySQL
//! 5.6 to 9.7 and MariaDB 10.11 to 11.8, which all agree.

/// Ranges beyond ASCII in which the servers fold letters. The gaps hold later letters, which they do not fold.
const TWO_CASES: [(u32, u32); 35] = [
    (0x00c0, 0x00de),
    (0x0100, 0x021e),
    (0x0222, 0x0232),
    (0x0386, 0x03ab),
    (0x03da, 0x03ee),
    (0x0400, 0x042f),
    (0x0460, 0x0480),
    (0x048c, 0x04be),
    (0x04c1, 0x04c3),
    (0x04c7, 0x04c7),
    (0x04cb, 0x04cb),
    (0x04d0, 0x04f4),
    (0x04f8, 0x04f8),
    (0x0531, 0x0556),
    (0x1e00, 0x1e94),
    (0x1ea0, 0x1ef8),
    (0x1f08, 0x1f0f),
    (0x1f18, 0x1f1d),
    (0x1f28, 0x1f2f),
    (0x1f38, 0x1f3f),
    (0x1f48, 0x1f4d),
    (0x1f59, 0x1f5f),
    (0x1f68, 0x1f6f),
    (0x1f88, 0x1f8f),
    (0x1f98, 0x1f9f),
    (0x1fa8, 0x1faf),
    (0x1fb8, 0x1fbc),
    (0x1fc8, 0x1fcc),
    (0x1fd8, 0x1fdb),
    (0x1fe8, 0x1fec),
    (0x1ff8, 0x1ffc),
    (0x2126, 0x212b),
    (0x2160, 0x216f),
    (0x24b6, 0x24cf),
    (0xff21, 0xff3a),
];

/// A name in the server's lower case.
pub fn lower(name: &str) -> String {
    name.chars().map(lower_char).collect()
}

fn lower_char(char: char) -> char {
    let code = u32::from(char);
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    if char == 'İ' {
        return 'i';
    }
    if !TWO_CASES.iter().any(|(first, last)| (*first..=*last).contains(&code)) {
        return char;
    }
    let mut lower = char.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn letters_fold_as_on_the_server() {
        assert_eq!(lower("Straße_ÀÖ_ΣΑΣ_Ж_I_ı"), "straße_àö_σασ_ж_i_ı");
        assert_eq!(lower("İ"), "i");
        // ẞ, Cherokee and Georgian have one case there.
        assert_eq!(lower("ẞᎠႠ"), "ẞᎠႠ");
    }
}
