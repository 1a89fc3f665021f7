//! The spatial reference systems that print the second stored coordinate first.
//!
//! MySQL 8 always stores longitude before latitude, and prints them in the axis order of the spatial reference system. This
//! is the table of the systems that the server comes with.

/// The order in which the server's `ST_AsText` prints coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Axes {
    /// As stored: MariaDB, and MySQL up to 5.7.
    #[default]
    AsStored,
    /// As the spatial reference system says, in most geographic ones latitude first: MySQL 8.0 and later. Systems made by
    /// CREATE SPATIAL REFERENCE SYSTEM are not known here, and print as stored.
    BySrid,
}

impl Axes {
    /// The order on a server, by its version string.
    pub fn of_server(version: &str) -> Axes {
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if version.contains("MariaDB") || major.is_none_or(|major| major < 8) {
            Axes::AsStored
        } else {
            Axes::BySrid
        }
    }

    /// Whether a geometry of this SRID prints the second stored coordinate first.
    pub fn swaps(self, srid: u32) -> bool {
        if self == Axes::AsStored {
            return false;
        }
        let after = LATITUDE_FIRST.partition_point(|&(first, _)| first <= srid);
        let range = after.checked_sub(1).and_then(|at| LATITUDE_FIRST.get(at));
        range.is_some_and(|&(_, last)| srid <= last)
    }
}

/// The 537 systems of MySQL 9.7 with latitude first, as ranges of SRIDs without other systems. The test
/// `spatial_reference_systems` compares them with a server.
#[rustfmt::skip]
const LATITUDE_FIRST: [(u32, u32); 75] = [
    (3819, 3824), (3889, 3889), (3906, 3906), (4001, 4025), (4027, 4036), (4041, 4047),
    (4052, 4054), (4075, 4081), (4120, 4216), (4218, 4326), (4463, 4463), (4470, 4470),
    (4475, 4483), (4490, 4490), (4555, 4558), (4600, 4646), (4657, 4765), (4801, 4811),
    (4813, 4821), (4823, 4824), (4901, 5013), (5132, 5132), (5228, 5233), (5246, 5246),
    (5252, 5252), (5264, 5264), (5324, 5324), (5340, 5340), (5354, 5354), (5360, 5360),
    (5365, 5365), (5371, 5381), (5393, 5393), (5451, 5451), (5464, 5467), (5489, 5489),
    (5524, 5527), (5546, 5546), (5561, 5561), (5593, 5593), (5681, 5681), (5886, 5886),
    (6135, 6135), (6207, 6207), (6311, 6311), (6318, 6325), (6365, 6365), (6668, 6668),
    (6706, 6706), (6783, 6783), (6881, 6883), (6892, 6894), (6983, 6983), (6990, 6990),
    (7073, 7073), (7136, 7139), (7373, 7373), (7683, 7686), (7798, 7798), (7844, 7844),
    (7881, 7881), (7886, 7886), (8042, 8043), (8086, 8086), (8232, 8255), (8351, 8351),
    (8427, 8431), (8449, 8449), (8545, 8545), (8685, 8685), (8818, 8818), (8860, 8900),
    (8907, 8907), (8972, 9019), (9053, 9140),
];
