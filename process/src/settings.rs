//! Settings: defaults, then a TOML file, then environment variables.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::de::DeserializeOwned;

/// The settings cannot be used; the text names the file or variable and the key.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// `--config` names a file that is not there.
    #[error("settings file `{}` does not exist", .0.display())]
    MissingFile(PathBuf),
    /// An unknown key, a wrong type or a missing value.
    #[error("invalid settings: {0}")]
    Invalid(Box<figment::Error>),
}

/// Reads settings of type `S` (which carries `#[serde(default, deny_unknown_fields)]`).
///
/// `prefix` is the process's own, such as `REQUESTROCKET_CORE_API_`; the rest of a variable's name
/// is the key in upper case.
///
/// # Errors
/// Names what is wrong and where; values are not repeated for keys of secrets.
pub fn load<S: DeserializeOwned>(file: Option<&Path>, prefix: &str) -> Result<S, InvalidSettings> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        // `figment` takes a file that is missing for an empty one.
        if !file.is_file() {
            return Err(InvalidSettings::MissingFile(file.to_path_buf()));
        }
        figment = figment.merge(Toml::file_exact(file));
    }
    figment
        .merge(Env::prefixed(prefix))
        .extract()
        .map_err(|error| InvalidSettings::Invalid(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        listen: String,
        limit: u32,
    }

    impl Default for Sample {
        fn default() -> Self {
            Self {
                listen: "127.0.0.1:0".to_owned(),
                limit: 5,
            }
        }
    }

    fn load_text(text: &str) -> Result<Sample, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, text).unwrap();
        load(Some(&path), "REQUESTROCKET_PROCESS_TEST_").map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_overrides_defaults() {
        let want = Sample {
            listen: "0.0.0.0:80".to_owned(),
            limit: 5,
        };
        assert_eq!(load_text("listen = \"0.0.0.0:80\"").unwrap(), want);
    }

    #[test]
    fn a_typo_or_a_wrong_type_is_named() {
        for (text, named) in [("lisen = \"x\"", "lisen"), ("limit = \"many\"", "limit")] {
            let problem = load_text(text).unwrap_err();
            assert!(problem.contains(named), "{problem}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let missing = Path::new("/nonexistent/settings.toml");
        let problem = load::<Sample>(Some(missing), "X_").unwrap_err();
        assert!(problem.to_string().contains("/nonexistent/settings.toml"));
    }
}
