//! The end of a stack's logs, for the report of a failed test.

use std::fs;
use std::path::Path;

const LINES: usize = 25;

/// The last lines of every log below `dir`.
pub fn tail(dir: &Path) -> String {
    let mut text = String::new();
    let Ok(entries) = fs::read_dir(dir) else {
        return format!("no logs in {}", dir.display());
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let bytes = fs::read(&path).unwrap_or_default();
        let content = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = content.lines().collect();
        let from = lines.len().saturating_sub(LINES);
        text.push_str("--- ");
        text.push_str(&path.display().to_string());
        text.push('\n');
        text.push_str(&lines.get(from..).unwrap_or(&[]).join("\n"));
        text.push('\n');
    }
    text
}
