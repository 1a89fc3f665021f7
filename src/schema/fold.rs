//! Names in lower case, as servers with `lower_case_table_names` 1 and 2 keep or compare them.
//!
//! They fold by the collation utf8mb3_general_ci, which knows the letters of Unicode 3.0: each character alone, and
//! none of later scripts. Measured on MySQL 5.6 to 9.7 and MariaDB 10.11 to 11.8, which all agree.

/// Characters that Unicode has in two cases now, and the servers in one. Letters in lower case between them fold to
/// themselves.
const ONE_CASE: [(u32, u32); 51] = [
    (0x0220, 0x0220),
    (0x023a, 0x023e),
    (0x0241, 0x024e),
    (0x0370, 0x0372),
    (0x0376, 0x0376),
    (0x037f, 0x037f),
    (0x03cf, 0x03cf),
    (0x03d8, 0x03d8),
    (0x03f4, 0x03f4),
    (0x03f7, 0x03fa),
    (0x03fd, 0x03ff),
    (0x048a, 0x048a),
    (0x04c0, 0x04c0),
    (0x04c5, 0x04c5),
    (0x04c9, 0x04c9),
    (0x04cd, 0x04cd),
    (0x04f6, 0x04f6),
    (0x04fa, 0x052e),
    (0x10a0, 0x10c7),
    (0x10cd, 0x10cd),
    (0x13a0, 0x13f5),
    (0x1c90, 0x1cba),
    (0x1cbd, 0x1cbf),
    (0x1e9e, 0x1e9e),
    (0x1efa, 0x1efe),
    (0x2132, 0x2132),
    (0x2183, 0x2183),
    (0x2c00, 0x2c2f),
    (0x2c60, 0x2c64),
    (0x2c67, 0x2c72),
    (0x2c75, 0x2c75),
    (0x2c7e, 0x2ce2),
    (0x2ceb, 0x2ced),
    (0x2cf2, 0x2cf2),
    (0xa640, 0xa66c),
    (0xa680, 0xa69a),
    (0xa722, 0xa72e),
    (0xa732, 0xa76e),
    (0xa779, 0xa786),
    (0xa78b, 0xa78d),
    (0xa790, 0xa792),
    (0xa796, 0xa7c9),
    (0xa7cb, 0xa7cd),
    (0xa7d0, 0xa7d0),
    (0xa7d2, 0xa7d4),
    (0xa7d6, 0xa7d8),
    (0xa7da, 0xa7dc),
    (0xa7f5, 0xa7f5),
    (0x10400, 0x1044f),
    (0x10570, 0x105bf),
    (0x10c80, 0x1e943),
];

/// A name in the server's lower case.
pub fn lower(name: &str) -> String {
    name.chars().map(lower_char).collect()
}

fn lower_char(char: char) -> char {
    let code = u32::from(char);
    if char == 'İ' {
        return 'i';
    }
    if code >= 0x80 && ONE_CASE.iter().any(|(first, last)| (*first..=*last).contains(&code)) {
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
