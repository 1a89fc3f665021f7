//! Table maps: formats, metadata, definitions, layouts.
//!
//! The input is a byte for the server's version, one of choices, and the body of a table map event.

use super::bodies;
use dumpa::binlog::column_format::ColumnFormat;
use dumpa::binlog::table_map::TableMap;
use dumpa::row::layout::Layout;
use dumpa::row::layouts::{Layouts, Mapping};
use dumpa::row::skip::Skipper;
use dumpa::schema::from_log::{Logged, LoggedTable};
use dumpa::schema::rules::Rules;
use dumpa::schema::selection::Selection;
use dumpa::schema::{Column, HiddenColumns, Id, Table};
use dumpa::value::{Charset, ColumnType, Dialect, Label, Labels, Style};
use dumpa::version::Release;

/// Type byte of a table map.
pub const TABLE_MAP: u8 = 19;

pub fn run(data: &[u8]) {
    let [version, choices, body @ ..] = data else { return };
    let version = bodies::version(*version);
    let format = bodies::format(version, choices & 1 != 0);
    let Ok(map) = TableMap::parse(&format, TABLE_MAP, body) else { return };
    let Some(Joined { layout, skipper }) = join(&map, version, *choices) else { return };
    assert_eq!(layout.column_count(), map.column_count());
    assert_eq!(skipper.column_count(), map.column_count());
    // Through `Layouts`, which uses the definition only if the log has all of it.
    for tables in ["*.*", "no.table"] {
        let selection = Selection::new(&[tables.to_string()], None).expect("a table");
        let mut layouts = Layouts::new(selection, Rules::default(), Style::default(), None);
        layouts.written_by(version);
        if layouts.map(&map, body, &"bin.000001:4", &|_, _| false, Some(u64::MAX)).is_err() {
            continue;
        }
        let mapping = layouts.get(map.table_id).expect("a table map that was taken in");
        let hidden = match &*mapping {
            Mapping::Wanted(layout) => layout.column_count(),
            Mapping::Skipped(_) | Mapping::Refused { .. } => mapping.column_count(),
        };
        assert_eq!(hidden, map.column_count());
    }
}

/// The two ways to read the rows of a table: a layout and a skipper.
pub struct Joined {
    pub layout: Layout,
    pub skipper: Skipper,
}

/// Makes both from a table map; what it lacks is made up.
pub fn join(map: &TableMap<'_>, version: &str, choices: u8) -> Option<Joined> {
    let formats: Vec<ColumnFormat> = map.formats().ok()?.into_iter().collect::<Option<_>>()?;
    let release = Release::parse(version, "");
    let mut logged = Logged::read(map, &formats, release).ok()?;
    let defined = logged.table(map, &formats).ok()?;
    let mut table = match defined {
        LoggedTable::Complete(table) | LoggedTable::EitherSign(table, _) => table,
        LoggedTable::Incomplete => made_up(&formats, &mut logged, choices >> 5),
    };
    if table.id == Id::Unknown && choices & 2 != 0 {
        // Backwards, so that the id's order is not that of the columns.
        table.id = Id::Columns((0..table.columns.len().min(3)).rev().collect());
    }
    for (i, column) in table.columns.iter_mut().enumerate() {
        column.omitted = choices & 4 != 0 && i % 2 == 1;
    }
    let decimals = |i: usize| match table.columns.get(i).map(|column| &column.kind) {
        Some(
            ColumnType::Time { decimals }
            | ColumnType::DateTime { decimals }
            | ColumnType::Timestamp { decimals },
        ) if is_old(formats[i]) => *decimals,
        _ => 0,
    };
    let skipper =
        Skipper::new(formats.iter().enumerate().map(|(i, format)| (*format, decimals(i))).collect());
    let style = Style { decimal_as_number: choices & 8 != 0, ..Style::default() };
    let dialect = Dialect::of_server(version);
    let layout = Layout::join(&table, &formats, &logged.columns, "d.t", dialect, style);
    let layout = layout.unwrap_or_else(|error| panic!("a table map does not fit itself: {error}"));
    Some(Joined { layout, skipper })
}

fn is_old(format: ColumnFormat) -> bool {
    matches!(format, ColumnFormat::OldTime | ColumnFormat::OldDateTime | ColumnFormat::OldTimestamp)
}

/// A definition for formats alone; `choice` is a number up to 7.
fn made_up(formats: &[ColumnFormat], logged: &mut Logged, choice: u8) -> Table {
    let labels = ["a", "é", "\"", "d"].map(|label| Label::new(label.as_bytes(), Charset::Utf8mb4));
    let labels = std::sync::Arc::new(Labels::new(labels.into()));
    let charset = [Charset::Utf8mb4, Charset::Binary, Charset::Gbk, Charset::Utf16, Charset::Latin1];
    let charset = charset[usize::from(choice) % charset.len()];
    let decimals = choice % 7;
    let text = || if charset.is_binary() { None } else { Some(ColumnType::Text { charset }) };
    let kind = |format: &ColumnFormat| match *format {
        ColumnFormat::Int { bytes } => ColumnType::Int { bytes, unsigned: choice & 1 != 0 },
        ColumnFormat::Float => ColumnType::Float,
        ColumnFormat::Double => ColumnType::Double,
        ColumnFormat::Decimal(format) => ColumnType::Decimal(format),
        ColumnFormat::Year => ColumnType::Year { two_digits: false },
        ColumnFormat::Bit { bits } => ColumnType::Bit { bits },
        ColumnFormat::Date => ColumnType::Date,
        ColumnFormat::OldTime => ColumnType::Time { decimals },
        ColumnFormat::OldDateTime => ColumnType::DateTime { decimals },
        ColumnFormat::OldTimestamp => ColumnType::Timestamp { decimals },
        ColumnFormat::Time { decimals } => ColumnType::Time { decimals },
        ColumnFormat::DateTime { decimals } => ColumnType::DateTime { decimals },
        ColumnFormat::Timestamp { decimals } => ColumnType::Timestamp { decimals },
        // As MariaDB's catalog has them.
        ColumnFormat::String { max: 16 } if choice == 6 => ColumnType::Uuid,
        ColumnFormat::String { max: 16 } if choice == 7 => ColumnType::Inet6,
        ColumnFormat::String { max: 4 } if choice >= 6 => ColumnType::Inet4,
        ColumnFormat::String { .. } => text().unwrap_or(ColumnType::Bytes { padded: true }),
        ColumnFormat::Varchar { .. } | ColumnFormat::Blob { .. } => {
            text().unwrap_or(ColumnType::Bytes { padded: false })
        }
        ColumnFormat::Json { .. } => ColumnType::Json,
        ColumnFormat::Geometry { .. } => ColumnType::Geometry,
        ColumnFormat::Vector { .. } => ColumnType::Vector,
        ColumnFormat::Enum { .. } => ColumnType::Enum(labels.clone()),
        ColumnFormat::Set { .. } => ColumnType::Set(labels.clone()),
    };
    let columns = formats.iter().enumerate().map(|(i, format)| Column {
        name: format!("c{i}"),
        kind: kind(format),
        declared: String::new(),
        octets: None,
        nullable: true,
        generated: None,
        is_char: false,
        omitted: false,
    });
    Table {
        database: "d".into(),
        name: "t".into(),
        columns: columns.collect(),
        id: logged.primary_key.take().map_or(Id::Unknown, Id::Columns),
        hidden: HiddenColumns::default(),
        has_history_partitions: false,
        has_primary_key: false,
        unique_keys: Vec::new(),
    }
}
