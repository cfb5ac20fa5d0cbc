//! Time zones by name, each read once.
//!
//! jiff's own look-up first lists the whole zone database, which takes 0.7 ms: more than everything else in loading a
//! small file. So the one file is read where it usually is, and jiff is asked where it is not there.

use std::collections::HashMap;
use std::path::Path;

use jiff::tz::TimeZone;

/// Where almost every system keeps its zones.
const FOLDER: &str = "/usr/share/zoneinfo";
/// The largest zone takes 4 KiB.
const MAX_BYTES: usize = 256 * 1024;

/// The zones that were asked for.
#[derive(Default)]
pub(super) struct Zones(HashMap<String, Option<TimeZone>>);

impl Zones {
    /// Whether this machine has a zone database where it usually is; many containers have none.
    pub(super) fn installed() -> bool {
        Path::new(FOLDER).is_dir()
    }

    /// The zone of a name, if there is one.
    pub(super) fn get(&mut self, name: &str) -> Option<TimeZone> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        if name == "UTC" {
            return Some(TimeZone::UTC);
        }
        let zone = read(name).or_else(|| TimeZone::get(name).ok());
        self.0.insert(name.to_owned(), zone.clone());
        zone
    }
}

/// The zone of one file. `None` for whatever is not plainly a zone's name.
fn read(name: &str) -> Option<TimeZone> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    };
    if !name.contains('/') || !name.split('/').all(part) {
        return None;
    }
    let bytes = super::read_at_most(&Path::new(FOLDER).join(name), MAX_BYTES).ok()??;
    TimeZone::tzif(name, &bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_the_same_however_it_is_found() {
        let mut zones = Zones::default();
        for name in ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "europe/berlin"] {
            let zone = zones.get(name).unwrap();
            assert_eq!(zone, TimeZone::get(name).unwrap(), "{name}");
            assert_eq!(zones.get(name), Some(zone));
        }
        for name in ["Berlin", "", "../../etc/passwd", "Europe/../Europe/Berlin", "/etc/localtime", "Europe"] {
            assert_eq!(zones.get(name), None, "{name}");
        }
    }
}
