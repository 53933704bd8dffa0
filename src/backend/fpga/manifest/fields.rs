//! Fields of a manifest, each as it must be, or an error that names it.

use toml::{Table, Value};

use super::{Core, Format, ManifestError};

/// The fields of a table, by name.
pub(super) struct Fields<'a>(pub(super) &'a Table);

impl Fields<'_> {
    /// The field's value as `read` takes it, or an error that says what it is.
    fn field<T>(
        &self,
        field: &'static str,
        wanted: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, ManifestError> {
        let value = self.0.get(field);
        value.and_then(read).ok_or_else(|| ManifestError::Field {
            field,
            found: value.map_or("nothing".to_owned(), describe),
            wanted: wanted.to_owned(),
        })
    }

    pub(super) fn hash(&self, field: &'static str) -> Result<[u8; 32], ManifestError> {
        self.field(field, "64 hexadecimal digits", |value| value.as_str().and_then(unhex))
    }

    pub(super) fn format(&self) -> Result<Format, ManifestError> {
        let wanted = Format::ALL.map(Format::name).join(", ");
        self.field("format", &wanted, |value| value.as_str()?.parse().ok())
    }

    pub(super) fn device(&self) -> Result<String, ManifestError> {
        self.field("device", "the device's name, such as ice40-hx8k", |value| {
            value.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
        })
    }

    pub(super) fn abi_version(&self) -> Result<u32, ManifestError> {
        self.field("abi_version", "a number from 1", |value| {
            value.as_integer()?.try_into().ok().filter(|version| *version > 0)
        })
    }

    /// Absent where the table has none.
    pub(super) fn clock_hz(&self) -> Result<Option<u64>, ManifestError> {
        const FIELD: &str = "clock_hz";
        if !self.0.contains_key(FIELD) {
            return Ok(None);
        }
        let clock = self.field(FIELD, "cycles a second, from 1", |value| {
            value.as_integer()?.try_into().ok().filter(|clock| *clock > 0)
        });
        clock.map(Some)
    }

    pub(super) fn cores(&self) -> Result<Vec<Core>, ManifestError> {
        let wanted = format!("a list, each once, of {}", Core::ALL.map(Core::name).join(", "));
        self.field("cores", &wanted, |value| {
            let mut cores = Vec::new();
            for name in value.as_array().filter(|names| !names.is_empty())? {
                let name = name.as_str()?;
                let core = Core::ALL.into_iter().find(|core| core.name() == name)?;
                if cores.contains(&core) {
                    return None;
                }
                cores.push(core);
            }
            Some(cores)
        })
    }
}

/// A value for an error's text, cut where it is long.
fn describe(value: &Value) -> String {
    let text = match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().take(5).map(shallow).collect();
            format!("[{}]", values.join(", "))
        }
        other => shallow(other),
    };
    if text.chars().count() <= 80 {
        text
    } else {
        text.chars().take(77).chain("...".chars()).collect()
    }
}

fn shallow(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("a {}", value.type_str()), |text| format!("{text:?}"))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
